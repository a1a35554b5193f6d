"""Two tables: what is measured, and who is measured. A scenario or a peer is a row; nothing else knows their names."""
import dataclasses

KB, MB = 1024, 1024 * 1024


@dataclasses.dataclass(frozen=True)
class Scenario:
    """name, title: for --only, and for people. path: of the backend. reply: bytes of the answer's body, None: not looked at.
    file: httpd can serve the same from its disk. slow: more clients than threads, an answer takes a second, another visitor
    comes by meanwhile. tomcat: the backend is a real Tomcat."""
    name: str
    title: str
    path: str
    clients: int = 64
    reply: int = None
    body: int = 0
    headers: int = 0
    file: bool = False
    slow: bool = False
    tomcat: bool = False

    @property
    def method(self):
        return "POST" if self.body else "GET"


SCENARIOS = (
    Scenario("small", "A page of 100 bytes", "/app/bytes/100", reply=100, file=True),
    Scenario("64k", "An answer of 64 KB", f"/app/bytes/{64 * KB}", clients=32, reply=64 * KB, file=True),
    Scenario("1m", "An answer of 1 MB", f"/app/bytes/{MB}", clients=16, reply=MB, file=True),
    Scenario("post", "POST of 1 MB", "/app/count", clients=16, reply=8, body=MB),
    Scenario("headers", "40 headers, there and back", "/app/hdrs/40", headers=40),
    Scenario("lb", "A balancer of two, 100 bytes", "/lb/bytes/100", reply=100),
    Scenario("slow", "Slow application (1 s): 100 clients, 25 threads", "/app/sleep/1000", clients=100, slow=True),
    Scenario("tomcat", "100 bytes from a real Tomcat", "/cat/small.txt", clients=16, reply=100, tomcat=True),
)


@dataclasses.dataclass(frozen=True)
class Peer:
    """modules: of httpd, to be loaded if they are not compiled in. so: the file of a mod_jk. can: the scenarios it takes part in."""
    name: str
    label: str
    what: str
    modules: tuple = ()
    jk: bool = False
    scheme: str = ""

    def can(self, scenario):
        if self.name == "static":
            return scenario.file
        return scenario.tomcat or self.scheme == "ajp"


PROXY = ("proxy", "proxy_balancer", "lbmethod_byrequests", "slotmem_shm")
PEERS = (
    Peer("jk", "this module", "the module of this source tree", jk=True, scheme="ajp"),
    Peer("mod_jk", "mod_jk", "the distribution's mod_jk", jk=True, scheme="ajp"),
    Peer("proxy_ajp", "mod_proxy_ajp", "httpd's own AJP", (*PROXY, "proxy_ajp"), scheme="ajp"),
    Peer("proxy_http", "mod_proxy_http", "httpd's HTTP proxy; only where Tomcat is the backend", (*PROXY, "proxy_http"), scheme="http"),
    Peer("static", "httpd's own file", "no connector at all: the same bytes from httpd's disk"),
    Peer("nginx", "nginx", "nginx's HTTP proxy; only where Tomcat is the backend", scheme="http"),
)


def named(rows, name):
    """The row of that name, or None."""
    return next((row for row in rows if row.name == name), None)
