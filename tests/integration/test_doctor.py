"""jkctl doctor: what it says of real Tomcats that are set up wrong, each with its own code, and nothing of those that are in order; where it has its
containers from; how long it takes. Every row of its table is tests/unit/test_decide.c's."""
import contextlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess

import pytest
from lib import ajp, proc, tools
from lib import tomcat as tomcat_lib
from lib.ajp_peer import STALL, Peer, RefusedPort
from lib.httpd import TOP
from lib.tomcat import Tomcat

GOOD, DEGRADED, BAD, CANNOT_ASK, REFUSED, USAGE = 0, 1, 2, 3, 5, 64
SECONDS = 3  # a worker may take; its own limit is 2.5


@pytest.fixture(scope="module", autouse=True)
def built():
    tools.path_of("jkctl")


def doctor(*args, patience="10s"):
    """patience: the most that a worker may take, for a busy machine; None: as it is delivered."""
    return tools.run("jkctl", "doctor", *args, *(["--timeout", patience] if patience else []))


class Clinic:
    """A workers file, written worker by worker."""

    def __init__(self, folder):
        self.folder, self.lines, self.names = folder, [], []

    def add(self, name, host="127.0.0.1", listed=True, **keys):
        self.lines += [f"worker.{name}.host={host}"] + [f"worker.{name}.{k}={v}" for k, v in keys.items()]
        self.names += [name] if listed else []
        return self

    def balancer(self, name, members, **keys):
        self.lines += [f"worker.{name}.type=lb", f"worker.{name}.balance_workers={','.join(members)}"]
        return self.add_keys(name, **keys)

    def add_keys(self, name, **keys):
        self.lines += [f"worker.{name}.{k}={v}" for k, v in keys.items()]
        self.names.append(name)
        return self

    def write(self):
        path = self.folder / "workers.properties"
        path.write_text("\n".join([f"worker.list={','.join(self.names)}", *self.lines]) + "\n")
        os.chmod(path, 0o600)
        return str(path)

    def examine(self, *args, status=None, **how):
        """By name of the worker: its part of the JSON."""
        said = doctor("--workers", self.write(), "--json", *args, **how)
        assert said.err == "" and (status is None or said.exit == status), said
        self.said = json.loads(said.out)
        return {w["name"]: w for w in self.said["workers"]}


@pytest.fixture
def clinic(tmp_path):
    return Clinic(tmp_path)


def codes(worker):
    return [f["code"] for f in worker["findings"]]


def only(worker, code, *words):
    """This finding and no other; its words, and all its lines."""
    assert codes(worker) == [code], worker
    finding = worker["findings"][0]
    text = json.dumps(finding)
    for word in words:
        assert word in text.replace('\\"', '"'), (word, finding)
    return finding


# ---- real Tomcats ----

class Ward:
    """One Tomcat whose connectors are wrong, each in its way."""

    KINDS = {
        "plain": 'secretRequired="false"',
        "secret": 'secret="right#one"',
        "allows": 'secretRequired="false" allowedRequestAttributesPattern="stage|color"',
        "large": 'secretRequired="false" packetSize="65536"',
        "fewheaders": 'secretRequired="false" maxHeaderCount="20"',
        "believes": 'secretRequired="false" tomcatAuthentication="false"',
        "full": 'secretRequired="false" maxConnections="1" acceptCount="1"',
        "busy": 'secretRequired="false" maxThreads="1" minSpareThreads="1"',
    }

    def __init__(self, folder):
        self.port = {kind: proc.free_port() for kind in [*self.KINDS, "http", "tls", "commented"]}
        more = [f'<Connector protocol="AJP/1.3" address="127.0.0.1" port="{self.port[k]}" {words} />' for k, words in self.KINDS.items()]
        more.append(f'<Connector protocol="HTTP/1.1" address="127.0.0.1" port="{self.port["http"]}" />')
        more.append(f'<!-- <Connector protocol="AJP/1.3" address="127.0.0.1" port="{self.port["commented"]}" secretRequired="false" /> -->')
        if shutil.which("openssl"):
            subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost", "-keyout",
                            f"{folder}/key.pem", "-out", f"{folder}/cert.pem"], check=True, capture_output=True)
            more.append(f'<Connector protocol="HTTP/1.1" address="127.0.0.1" port="{self.port["tls"]}" SSLEnabled="true" scheme="https" '
                        f'secure="true"><SSLHostConfig><Certificate certificateFile="{folder}/cert.pem" certificateKeyFile="{folder}/key.pem" /></SSLHostConfig>'
                        '</Connector>')
        pages = {**tomcat_lib.PAGES, "login.jsp": "<% if (request.getRemoteUser() == null) response.sendError(401); else out.print(\"in\"); %>",
                 "plain.jsp": '<%@ page session="false" %>plain', "now.jsp": '<%@ page session="false" %><%= System.nanoTime() %>'}
        self.tomcat = Tomcat(route="tc1", pages=pages, connectors=more).launch()


@pytest.fixture(scope="module")
def ward(tmp_path_factory):
    why = tomcat_lib.missing()
    if why:
        pytest.skip("no Tomcat: " + why)
    one = Ward(tmp_path_factory.mktemp("ward"))
    try:
        one.tomcat.wait()
        warm = Clinic(tmp_path_factory.mktemp("warm")).add("w", port=one.port["plain"])
        for page in ("/", "/login.jsp", "/user.jsp", "/plain.jsp", "/now.jsp"):  # JSPs are compiled when they are asked for first
            doctor("--workers", warm.write(), "--path", page, patience="20s")
        yield one
    finally:
        one.tomcat.remove()


def test_good_ones(ward, clinic):
    """No finding, not even a hint; the secret is nowhere in what is said."""
    p = ward.port
    clinic.add("plain", port=p["plain"]).add("secret", port=p["secret"], secret="right#one")
    clinic.add("large", port=p["large"], max_packet_size="64k").add("small_of_large", port=p["plain"], max_packet_size="8k")
    clinic.add("stored", port=p["plain"], stored_methods="true").add("name", host="localhost", port=p["plain"])
    clinic.add("unix", host=f"unix:{ward.tomcat.unix}").add("tc1", port=p["plain"], listed=False)
    clinic.add("later", port=0, listed=False).add("alone", port=p["plain"], listed=False)
    clinic.balancer("lb", ["tc1", "later"]).balancer("one", ["alone"])
    clinic.add("n1", port=p["plain"], listed=False).add("n2", port=p["plain"], listed=False)
    clinic.balancer("own", ["n1", "n2"], session_cookie="X", set_session_cookie="true")
    seen = clinic.examine("--path", "/", status=GOOD)
    assert {name: codes(w) for name, w in seen.items()} == {name: [] for name in seen} and len(seen) == 12
    assert seen.pop("lb:later")["result"] == "not asked"
    assert all(w["result"] == "good" and w["server"].startswith("Apache Tomcat/10.") for w in seen.values())
    said = doctor("--workers", clinic.write())
    assert said.exit == GOOD and "11 of 12 workers good; 0 faults, 0 warnings" in said.out and "right#one" not in said.out + json.dumps(clinic.said)
    last = said.out.splitlines()[-1]
    assert last == f"Where {clinic.folder}/workers.properties was changed, httpd has what it says after its next restart (httpd -k graceful)."
    assert re.search(r"^secret  127\.0\.0\.1:\d+  good  CPong [\d.]+ ms, OPTIONS \* 200, GET / 200, Apache Tomcat/10\.[\d.]+$", said.out, re.M), said


def test_broken_ones(ward, clinic):
    """Side by side, each with its code."""
    p = ward.port
    clinic.add("commented", port=p["commented"])
    clinic.add("loopback", host="127.0.0.2", port=p["plain"])
    clinic.add("http", port=p["http"])
    clinic.add("missing", port=p["secret"])
    clinic.add("wrong", port=p["secret"], secret="right-one")
    clinic.add("pasted", port=p["secret"], secret="THE-SECRET")
    clinic.add("not_asked", port=p["plain"], secret="right-one")
    clinic.add("packet", port=p["plain"], max_packet_size="64k")
    clinic.add("headers", port=p["fewheaders"])
    clinic.add("noname", host="no-such-host.invalid")
    clinic.add("member", port=p["plain"], listed=False).add("tc1", port=p["plain"], listed=False).balancer("lb", ["member", "tc1"])
    clinic.add("nodir", host=f"unix:{ward.tomcat.base}/none/ajp.sock").add("nosocket", host=f"unix:{ward.tomcat.base}/ajp2.sock")
    clinic.add("file", host=f"unix:{ward.tomcat.base}/conf/server.xml")
    seen = clinic.examine(status=BAD)
    only(seen["commented"], "D104", f"nobody listens on 127.0.0.1:{p['commented']}", "not started", "commented out",
         f"worker.commented.port={p['commented']}",
         "worker.commented.secret=THE-SECRET", f'<Connector protocol="AJP/1.3" address="127.0.0.1" port="{p["commented"]}" secret="THE-SECRET" />')
    only(seen["loopback"], "D103", f"a connector answers on 127.0.0.1:{p['plain']}", f'address="127.0.0.2" port="{p["plain"]}"')
    only(seen["http"], "D201", "speaks HTTP")
    missing = only(seen["missing"], "D301", "worker.missing.secret=THE-SECRET", "take the secret from server.xml; nothing to change there")
    assert missing["server_xml"] == []
    assert "placeholder" not in json.dumps(only(seen["wrong"], "D302"))
    assert "it is still the placeholder" in only(seen["pasted"], "D302")["causes"][0]
    assert only(seen["not_asked"], "D501", 'secret="THE-SECRET"')["weight"] == "warning"
    only(seen["packet"], "D401", "takes packets of 8192 bytes", "sends up to 65536", 'packetSize="65536"')
    only(seen["headers"], "D403", "takes 20 request headers")
    assert codes(seen["noname"]) in (["D101"], ["D102"]), "without a network the name service may give no answer"
    only(seen["lb:member"], "D502", "worker.member.route=tc1", 'jvmRoute="member"')
    only(seen["nodir"], "D111", f"{ward.tomcat.base}/none", "install -d -o tomcat")
    only(seen["nosocket"], "D113", "unixDomainSocketPath")
    only(seen["file"], "D114")
    assert "right-one" not in json.dumps(seen)
    assert (clinic.said["faults"], clinic.said["warnings"]) == (12, 2)


def test_tls(ward, clinic):
    if not shutil.which("openssl"):
        pytest.skip("openssl is not installed")
    only(clinic.add("tls", port=ward.port["tls"]).examine(status=BAD)["tls"], "D202", "speaks TLS")


def test_attributes(ward, clinic, tmp_path):
    """JkEnvVar of httpd.conf, and those that are named; only those that are refused are told."""
    p = ward.port
    clinic.add("none", port=p["plain"]).add("allows", port=p["allows"])
    conf = tmp_path / "httpd.conf"
    conf.write_text(f'JkWorkersFile "{clinic.write()}"\nJkEnvVar stage live\n<VirtualHost *>\n  JkEnvVar color\n</VirtualHost>\n')
    said = doctor("--conf", conf, "--json")
    seen = {w["name"]: w for w in json.loads(said.out)["workers"]}
    only(seen["none"], "D303", "refuses request attributes: stage|color", 'allowedRequestAttributesPattern="stage|color"')
    assert codes(seen["allows"]) == []
    seen = clinic.examine("--attribute", "stage=live", "--attribute", "shape", status=BAD)
    only(seen["allows"], "D303", "refuses request attributes: shape", 'allowedRequestAttributesPattern="shape"')


def test_users(ward, clinic):
    p = ward.port
    clinic.add("ignores", port=p["plain"]).add("believes", port=p["believes"])
    seen = clinic.examine("--remote-user", "alice", "--path", "/login.jsp")
    assert codes(seen["ignores"]) == ["D504", "D601"], "and the page itself is an error"
    assert 'tomcatAuthentication="false"' in seen["ignores"]["findings"][0]["server_xml"][0]
    assert codes(seen["believes"]) == ["D601"]
    assert codes(clinic.examine("--remote-user", "alice", "--path", "/user.jsp", status=DEGRADED)["believes"]) == []
    only(clinic.examine("--remote-user", "alice", "--path", "/plain.jsp", status=DEGRADED)["ignores"], "D505")
    seen = clinic.examine("--remote-user", "alice", "--path", "/now.jsp", status=GOOD)
    assert all(only(w, "D513", "whether alice arrives cannot be told from /now.jsp", "(--path)")["weight"] == "hint" for w in seen.values()) and len(seen) == 2


def test_pages(ward, clinic):
    """The application's own errors matter where its page was asked for; its sessions where it has some."""
    clinic.add("w", port=ward.port["plain"])
    assert codes(clinic.examine("--path", "/hello.txt", status=GOOD)["w"]) == []
    only(clinic.examine("--path", "/no-such-page", status=DEGRADED)["w"], "D601", "GET /no-such-page is 404")
    only(clinic.examine("--path", "/error.jsp?status=503", status=DEGRADED)["w"], "D601", "503")


def test_no_route(ward, clinic, tmp_path):
    """A session whose id carries none, of a Tomcat without jvmRoute: as a scripted one here."""
    with contextlib.closing(Answering({"/": ajp.answer("x", headers=[("Set-Cookie", "JSESSIONID=8F2A; Path=/")])})) as peer:
        clinic.add("n1", port=peer.port, listed=False).add("n2", port=peer.port, listed=False).balancer("lb", ["n1", "n2"])
        only(clinic.examine(status=BAD)["lb:n1"], "D503", 'jvmRoute="n1"')


def test_all_connections_in_use(ward, clinic):
    with socket.create_connection(("127.0.0.1", ward.port["full"])) as held:
        held.sendall(b"\x12\x34\0\1\x0a")
        assert held.recv(8) == b"AB\0\1\x09"
        only(clinic.add("full", port=ward.port["full"]).examine(status=BAD, patience=None)["full"], "D205", "maxConnections")


def test_a_stopped_process(ward, clinic):
    """It accepts, as the kernel does that for it, and says nothing. And no other worker is late for it."""
    clinic.add("frozen", port=ward.port["plain"])
    for i in range(6):
        clinic.add(f"too{i}", port=ward.port["plain"])
    java = next(iter(proc.children_of(ward.tomcat.child.pid)), ward.tomcat.child.pid)
    os.kill(java, signal.SIGSTOP)
    try:
        seen = clinic.examine(status=BAD, patience=None)
    finally:
        os.kill(java, signal.SIGCONT)
    assert {n: codes(w) for n, w in seen.items()} == {n: ["D205"] for n in seen}
    assert max(w["seconds"] for w in seen.values()) < SECONDS
    assert clinic.examine(status=GOOD)


# ---- Unix sockets ----

@contextlib.contextmanager
def lair(folder):
    os.mkdir(folder)
    os.chmod(folder, 0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def test_a_socket_that_httpd_may_not_use(fresh_peer, clinic):
    """Root gets in and httpd's user does not: found by owners and modes alone."""
    if os.geteuid() != 0:
        pytest.skip("needs root")
    with lair(f"/tmp/jk-doctor-{os.getpid()}") as folder:
        peer = fresh_peer(path=folder + "/ajp.sock")
        clinic.add("unix", host="unix:" + peer.path)
        os.chmod(peer.path, 0o666)
        assert codes(clinic.examine("--httpd-user", "nobody", status=GOOD)["unix"]) == []
        os.chmod(folder, 0o750)
        only(clinic.examine("--httpd-user", "nobody", status=BAD)["unix"], "D509", f"{folder} (mode 0750", "nobody")
        only(clinic.examine(status=GOOD)["unix"], "D511", "you are root")
        os.chmod(folder, 0o755)
        os.chmod(peer.path, 0o600)
        only(clinic.examine("--httpd-user", "nobody", status=BAD)["unix"], "D509", "ajp.sock (mode 0600")


def test_a_closed_directory(fresh_peer, clinic):
    if os.geteuid() != 0 or not shutil.which("setpriv"):
        pytest.skip("needs root and setpriv")
    with lair(f"/tmp/jk-doctor-{os.getpid()}") as folder, lair(f"/tmp/jk-doctor-{os.getpid()}-tool") as own:
        peer = fresh_peer(path=folder + "/in/ajp.sock") if os.makedirs(folder + "/in") is None else None
        os.chmod(folder + "/in", 0o750)
        path = shutil.copy(clinic.add("unix", host="unix:" + peer.path).write(), own)
        tool = shutil.copy(tools.path_of("jkctl"), own)
        os.chmod(tool, 0o755)
        os.chmod(path, 0o644)
        as_nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", tool]
        said = tools.run("jkctl", "doctor", "--workers", path, before=as_nobody)
        assert said.exit == BAD and "D112 closed-directory (fault)" in said.out and f"through: {folder}/in (mode 0750" in said.out
        os.chmod(folder + "/in", 0o755)
        os.chmod(peer.path, 0o600)
        said = tools.run("jkctl", "doctor", "--workers", path, before=as_nobody)
        assert said.exit == BAD and "D115 closed-socket" in said.out


def test_a_left_over_socket(clinic, tmp_path):
    with socket.socket(socket.AF_UNIX) as s:
        s.bind(str(tmp_path / "ajp.sock"))
    only(clinic.add("unix", host=f"unix:{tmp_path}/ajp.sock").examine(status=BAD)["unix"], "D116")


# ---- what no Tomcat does here ----

class Answering(Peer):
    """A container with pages of bytes; OPTIONS * is answered as Tomcat does."""

    def __init__(self, pages=()):
        super().__init__()
        self.default = [ajp.answer("")]
        for path, data in dict(pages).items():
            self.on(path, [data])

    def close(self):
        self.stop()


def test_a_firewall(clinic):
    """A queue that is full drops what comes, as a firewall does: the finding, and in time."""
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        held = [socket.socket() for _ in range(4)]
        for s in held:
            s.setblocking(False)
            s.connect_ex(full.getsockname())
        clinic.add("dropped", port=full.getsockname()[1])
        seen = clinic.examine(status=BAD, patience=None)
        only(seen["dropped"], "D105", "a firewall drops", "firewall-cmd")
        assert seen["dropped"]["seconds"] < SECONDS
        for s in held:
            s.close()


def test_mixed_up_methods(fresh_peer, clinic):
    """Tomcat's bug 69848, as its versions 9.0.110, 10.1.47 and 11.0.12 have it."""
    peer = fresh_peer()

    def broken(ex):
        method = ex.request.method
        coded = ex.request.method_code != ajp.STORED_METHOD
        seen = {"PROPFIND": "TRACE", "DELETE": "OPTIONS"}.get(method, method) if coded else method
        answers = {"TRACE": ajp.answer("TRACE is not allowed", 405), "PROPFIND": ajp.answer("not here", 501)}
        ex.send(answers.get(seen, ajp.answer("in")))

    peer.default = broken
    clinic.add("bug", port=peer.port).add("mended", port=peer.port, stored_methods="true")
    seen = clinic.examine(status=BAD)
    only(seen["bug"], "D506", "worker.bug.stored_methods=true", "10.1.47")
    assert codes(seen["mended"]) == []
    assert "DELETE" not in {r.method for r in peer.requests}


def test_an_old_tomcat(fresh_peer, clinic):
    peer = fresh_peer()
    peer.on("*", lambda ex: ex.send(ajp.answer("<h3>Apache Tomcat/9.0.30</h3>", 400) if ex.request.method == "GET" else ajp.answer()))
    only(clinic.add("old", port=peer.port).examine(status=DEGRADED)["old"], "D507", "Apache Tomcat/9.0.30", "CVE-2020-1938")


def test_large_packets(fresh_peer, clinic):
    peer = fresh_peer(max_packet=65536)
    peer.on("/", [ajp.send_headers() + ajp.chunk(b"x" * 9000) + ajp.end()])
    clinic.add("small", port=peer.port).add("large", port=peer.port, max_packet_size="16k")
    seen = clinic.examine(status=BAD)
    only(seen["small"], "D402", 'packetSize="65536"')
    assert codes(seen["large"]) == []


@pytest.mark.parametrize("data, code, words", [
    (b"SSH-2.0-OpenSSH_9\r\n", "D203", "SSH"), (b"AB\0\5\x09", "D204", "ended inside a packet"), (b"", "D206", "without an answer"),
], ids=["ssh", "cut", "closed"])
def test_other_services(fresh_peer, clinic, data, code, words):
    peer = fresh_peer()
    peer.on_connect = lambda conn: (conn.sock.recv(5), conn.send(data), conn.close())
    only(clinic.add("w", port=peer.port).examine(status=BAD)["w"], code, words)


def test_a_silent_http_server(fresh_peer, clinic):
    """It waits for the end of a line, which a CPing has by chance; here for one of its own."""
    peer = fresh_peer()

    def greet(conn):
        if b"HTTP/1.0" in conn.sock.recv(100):
            conn.send(b"HTTP/1.1 200 OK\r\n\r\n")
            conn.close()
        else:
            conn.drained(5)

    peer.on_connect = greet
    only(clinic.add("w", port=peer.port).examine(status=BAD, patience="4s")["w"], "D201")


def test_an_answer_without_end(fresh_peer, clinic):
    """It is looked at for as long as there is time, and no longer."""
    peer = fresh_peer()

    def flood(ex):
        ex.send(ajp.send_headers())
        with contextlib.suppress(OSError):
            while True:
                ex.send(ajp.chunk(b"x" * 8000) * 64)

    peer.on("/", flood)
    only(clinic.add("w", port=peer.port).examine(patience="2s", status=DEGRADED)["w"], "D602", "did not end")


def test_a_slow_page(fresh_peer, clinic):
    """Where nobody asked for it, it is a hint that not all could be looked at."""
    peer = fresh_peer()
    peer.on("/", STALL)
    clinic.add("w", port=peer.port)
    only(clinic.examine(patience="2s", status=GOOD)["w"], "D512")
    only(clinic.examine("--path", "/", patience="2s", status=DEGRADED)["w"], "D603")


SLOW_NAMES = """#include <netdb.h>
#include <unistd.h>
int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **res)
{ (void)node; (void)service; (void)hints; (void)res; sleep(60); return EAI_AGAIN; }
"""


def test_a_name_service_that_hangs(clinic, tmp_path):
    """The one thing that cannot be broken off: it is given up in time, and no other worker waits for it."""
    if not shutil.which("cc"):
        pytest.skip("there is no compiler")
    (tmp_path / "slow.c").write_text(SLOW_NAMES)
    subprocess.run(["cc", "-shared", "-fPIC", "-o", tmp_path / "slow.so", tmp_path / "slow.c"], check=True)
    clinic.add("slow", host="tomcat.example").add("nodir", host=f"unix:{tmp_path}/none/ajp.sock")
    path = clinic.write()
    argv = ["env", f"LD_PRELOAD={tmp_path}/slow.so", "ASAN_OPTIONS=verify_asan_link_order=0", tools.path_of("jkctl")]
    said = tools.run("jkctl", "doctor", "--json", "--timeout", "700ms", "--workers", path, before=argv)
    seen = {w["name"]: w for w in json.loads(said.out)["workers"]}
    only(seen["slow"], "D102", "gave no answer in time for tomcat.example")
    only(seen["nodir"], "D111")


def test_nothing_is_changed(fresh_peer, clinic):
    """What a container is asked: what only reads, and one path of an application."""
    peer = fresh_peer(max_packet=65536)
    peer.default = [ajp.answer("the same for all")]
    clinic.add("w", port=peer.port, max_packet_size="64k").examine("--path", "/a?b=c", status=GOOD)
    assert {(r.method, r.uri) for r in peer.requests} == {("OPTIONS", "*"), ("GET", "*"), ("GET", "/a"), ("PROPFIND", "/a")}
    assert all(r.header("Depth") == "0" for r in peer.requests if r.method == "PROPFIND")
    assert all(r.header("Content-Length") in (None, "0") for r in peer.requests)


# ---- where the containers are told ----

def test_httpd_conf(fresh_peer, tmp_path, monkeypatch):
    """Include, Define, continued lines, sections, ServerRoot, Debian's envvars, and lines of JkWorkerProperty."""
    peer = fresh_peer()
    (tmp_path / "conf.d").mkdir()
    (tmp_path / "conf").mkdir()
    (tmp_path / "envvars").write_text("export WHERE=conf\nexport APACHE_LOG_DIR=/var/log$SUFFIX\n")
    (tmp_path / "conf/httpd.conf").write_text(
        f'# JkWorkersFile conf/comment.properties\nServerRoot "{tmp_path}"\nDefine PORT {peer.port}\nInclude conf.d/*.conf\n'
        "IncludeOptional no-such/*.conf\n<IfDefine NOT_THERE>\nJkWorkersFile no-such\n<IfModule x>\nJkWorkersFile no-such\n</IfModule>\n"
        "</IfDefine>\n")
    (tmp_path / "conf.d/jk.conf").write_text(
        "<IfModule mod_jk.c>\n  jkworkersfile \\\n    ${WHERE}/workers.properties\n</IfModule>\n"
        "<IfModule !mod_jk.c>\nJkWorkersFile no-such\n</IfModule>\n"
        "JkWorkerProperty worker.list=two\nJkWorkerProperty worker.two.host=127.0.0.1\nJkWorkerProperty worker.two.port=${PORT}\n")
    (tmp_path / "conf/workers.properties").write_text(f"worker.list=one\nworker.one.host=127.0.0.1\nworker.one.port={peer.port}\n")
    said = doctor("--conf", tmp_path / "conf/httpd.conf")
    assert said.exit == GOOD and said.err == "" and re.findall(r"^(\w+)  127", said.out, re.M) == ["two", "one"], said


def test_no_server_root(tmp_path):
    """Then paths are below the file's own directory, and where nothing is there the doctor says why it looked there."""
    (tmp_path / "httpd.conf").write_text("JkWorkersFile there.properties\n")
    said = doctor("--conf", tmp_path / "httpd.conf")
    assert said.exit == CANNOT_ASK and f"{tmp_path}/there.properties cannot be read: No such file or directory (no ServerRoot in" in said.err, said
    for text in (f"ServerRoot {tmp_path}\nJkWorkersFile there.properties\n", f"JkWorkersFile {tmp_path}/there.properties\n"):
        (tmp_path / "httpd.conf").write_text(text)
        said = doctor("--conf", tmp_path / "httpd.conf")
        assert said.exit == CANNOT_ASK and "cannot be read" in said.err and "(no ServerRoot" not in said.err, said


def test_a_page_that_is_mounted(fresh_peer, tmp_path):
    """What JkMount gives to a worker, or to its balancer, is asked for: there may be a session."""
    peers = {name: fresh_peer(name=name) for name in ("shop", "member", "other")}
    lines = ["worker.list=shop,lb,other", "worker.lb.type=lb", "worker.lb.balance_workers=member,last", "worker.last.port=0"]
    lines += [f"worker.{name}.host=127.0.0.1:{peer.port}" for name, peer in peers.items()]
    (tmp_path / "workers.properties").write_text("\n".join(lines) + "\n")
    (tmp_path / "httpd.conf").write_text('JkWorkersFile workers.properties\nJkMount /*.jsp shop\nJkMount "/shop|/*" shop;reply_timeout=5\n'
                                         "JkMount /store lb\n<Location /x>\nJkMount other\n</Location>\n")
    peers["member"].on("/store", [ajp.answer("x", headers=[("Set-Cookie", "JSESSIONID=1.else")])])
    said = doctor("--conf", tmp_path / "httpd.conf")
    assert said.exit == BAD and "D502" in said.out and said.out.count("D5") == 1, said
    assert {name: [r.uri for r in peer.requests if r.method == "GET" and r.uri != "*"] for name, peer in peers.items()} == {
        "shop": ["/shop/"], "member": ["/store"], "other": ["/"]}


def test_debian_as_delivered(tmp_path):
    """mod_jk's own sample says nothing wrong of itself."""
    down = RefusedPort()
    (tmp_path / "workers.properties").write_text(f"worker.list=ajp13_worker\nworker.ajp13_worker.port={down.port}\n"
                                                 "worker.ajp13_worker.host=localhost\nworker.ajp13_worker.type=ajp13\n")
    said = doctor("--workers", tmp_path / "workers.properties")
    down.stop()
    assert said.exit == BAD and "D104 refused (fault): nobody listens on 127.0.0.1:" in said.out and "1. Tomcat is not started" in said.out


def test_where_and_what_then(clinic):
    """A command says its machine, a line of a file what has to be done for it to count."""
    down = RefusedPort()
    clinic.add("here", port=down.port).add("far", host="198.51.100.7", port=down.port)
    blocks = doctor("here", "--workers", clinic.write()).out
    down.stop()
    assert "    in workers.properties (then httpd -k graceful):\n      worker.here.port=" in blocks, blocks
    assert "    in server.xml (then restart Tomcat):\n" in blocks and "    commands:\n      ss -ltnp" in blocks and "Where " not in blocks
    assert "The manual's page doctor.md" in blocks
    far = doctor("far", "--workers", clinic.write(), patience="700ms").out
    assert "D107" in far or "    commands, on 198.51.100.7:\n      " in far, far


def test_some_workers(fresh_peer, clinic):
    peer = fresh_peer()
    clinic.add("a", port=peer.port).add("b", port=peer.port, listed=False).add("c", port=peer.port).add("later", port=0)
    clinic.balancer("lb", ["a", "b"])
    names = lambda *args: list(clinic.examine(*args))  # noqa: E731
    assert names() == ["lb:a", "lb:b", "c", "later"]
    assert names("lb") == ["lb:a", "lb:b"] and names("a") == ["lb:a"] and names("lb:b") == ["lb:b"] and names("c") == ["c"]
    assert clinic.examine("later")["later"]["result"] == "not asked"
    said = doctor("d", "--workers", clinic.write())
    assert said.exit == REFUSED and "there is no worker of type ajp13 'd'" in said.err


def test_what_is_wrong_with_the_file_is_told_first(fresh_peer, clinic):
    peer = fresh_peer()
    clinic.add("w", port=peer.port, sekret="x")
    said = doctor("--workers", clinic.write())
    assert "worker.w.sekret" in said.out.splitlines()[0] and "did you mean 'secret'" in said.out.splitlines()[0]
    assert said.exit in (GOOD, DEGRADED, BAD) and re.search("^w  127.* good", said.out, re.M)


@pytest.mark.parametrize("args, status, words", [
    (["--workers", "/no/such/file"], CANNOT_ASK, "/no/such/file cannot be read"),
    (["--conf", "/no/such/file"], CANNOT_ASK, "/no/such/file cannot be read"),
    (["--conf", "/dev/null"], CANNOT_ASK, "cannot be read"),
    (["--conf", "/"], CANNOT_ASK, "/ cannot be read: Is a directory"),
    (["--conf", "/bin/ls"], CANNOT_ASK, "/bin/ls has NUL bytes, so it is no configuration"),
    (["--path", "x"], USAGE, "a path begins with /"),
    (["--path", "/" + "x" * 5000], USAGE, "does not fit"),
    (["--attribute", "=x"], USAGE, "--attribute"),
    (["a", "b"], USAGE, "too many"),
    (["--conf", "/etc/hostname", "--httpd-user", "no-such-user"], CANNOT_ASK, "neither JkWorkersFile nor"),
])
def test_wrong_usage(args, status, words):
    said = doctor(*args)
    assert said.exit == status and words in said.err and said.out == "", said


def test_a_workers_file_that_is_none(tmp_path):
    """A screen is enough."""
    (tmp_path / "w").write_text("".join(f"key{i}\n" for i in range(100)))
    said = doctor("nobody", "--workers", tmp_path / "w")
    assert said.exit == REFUSED and len(said.out.splitlines()) == 21, said
    assert re.fullmatch(r"and \d+ more: jkconf check says them all", said.out.splitlines()[-1])


def test_an_include_that_goes_round(tmp_path):
    (tmp_path / "a.conf").write_text(f"Include {tmp_path}/a.conf\nInclude {tmp_path}/a.conf\n")
    said = doctor("--conf", tmp_path / "a.conf")
    assert said.exit == CANNOT_ASK and "included by itself" in said.err


def test_an_include_of_all_sorts(fresh_peer, tmp_path):
    """A directory, with what is no file of text in it: nothing waits for it."""
    peer = fresh_peer()
    (tmp_path / "d/sub").mkdir(parents=True)
    os.mkfifo(tmp_path / "d/fifo")
    os.symlink(tmp_path / "d", tmp_path / "d/sub/round")
    os.symlink("/dev/zero", tmp_path / "d/zero")
    (tmp_path / "d/sub/jk.conf").write_bytes(b"\1\xff \\\n<\n</\n\"\nJkWorkerProperty\n${\n}\nJkWorkersFile ${x\n")
    (tmp_path / "a.conf").write_text(f"Include d\nJkWorkerProperty worker.list=w\nJkWorkerProperty worker.w.host=127.0.0.1:{peer.port}\n"
                                     f"JkWorkersFile {os.devnull}\n")
    said = doctor("--conf", tmp_path / "a.conf")
    assert said.exit == CANNOT_ASK and "/d/fifo cannot be read" in said.err and "/d/zero cannot be read" in said.err
    (tmp_path / "a.conf").write_text((tmp_path / "a.conf").read_text().replace(f"JkWorkersFile {os.devnull}\n", "JkWorkersFile empty\n"))
    (tmp_path / "empty").write_text("")
    said = doctor("--conf", tmp_path / "a.conf")
    assert said.exit == GOOD and re.search("^w  127.* good", said.out, re.M), said


def test_what_comes_from_a_container_cannot_hurt(fresh_peer, clinic):
    """Neither the terminal, nor the lines that somebody pastes."""
    peer = fresh_peer()
    peer.on("/", [ajp.answer("x", headers=[("Set-Cookie", 'JSESSIONID=8F.\x1b[31m"/><x>; Path=/')])])
    clinic.add("n1", port=peer.port, listed=False).add("n2", port=peer.port, listed=False).balancer("lb", ["n1", "n2"])
    said = doctor("--workers", clinic.write())
    assert said.exit == BAD and "D502" in said.out and "\x1b" not in said.out and "<x" not in said.out, said


# ---- the codes ----

def test_codes_are_documented():
    """The page is made from the table (test_docs.py: it is not stale); here: it has all of it, and the tests above know no code that is none."""
    page, own = (open(f"{TOP}/{name}").read() for name in ("docs/doctor.md", "tests/integration/test_doctor.py"))
    table = set(re.findall(r'^    \{ "(D\d{3})"', open(f"{TOP}/tools/jkctl_decide.c").read(), re.M))
    assert len(table) > 40 and table == set(re.findall(r'<a id="(D\d{3})">', page))
    assert set(re.findall(r"\bD\d{3}\b", own)) <= table
