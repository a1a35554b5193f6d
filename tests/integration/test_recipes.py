"""Configurations of the pages do what the pages say: they are started as they stand there, with a scripted container in the place of Tomcat."""
import os
import re
import socket
import subprocess
import threading

import pytest
from lib import manual, proc
from lib import tomcat as tomcat_lib
from lib.client import Wire, get
from lib.httpd import INCUMBENT, find_modules

pytestmark = pytest.mark.skipif(INCUMBENT, reason="it has other manuals")


@pytest.fixture
def recipe(fresh_httpd, fresh_peer):
    """recipe("page.md", "Title", ..) -> (a running httpd, {host on the page: peer}); swap: text -> other text; files: of the server's root."""
    def make(page, title, swap=(), files=(), more="", **how):
        section = next(s for s in manual.all_sections() if (s.page, s.title) == (f"docs/{page}", title))
        httpd, peers = fresh_httpd(start=False, **how), {}
        config, workers = manual.configuration(section, httpd)
        for module in re.findall(r"^LoadModule \w+ (\S+)", config, re.M):
            if module.startswith(find_modules()) and not os.path.exists(module):
                pytest.skip(module + " is not there")
        for host in dict.fromkeys(re.findall(r"\.host=(10\.\S+)", workers)):
            peers[host] = fresh_peer(name=host)
            workers = re.sub(rf"^worker\.(\S+)\.host={re.escape(host)}$", rf"worker.\1.host=127.0.0.1:{peers[host].port}", workers, flags=re.M)
        workers = re.sub(r"^worker\.\S+\.port=8009\n", "", workers, flags=re.M)
        for old, new in dict(swap).items():
            assert old in config
            config = config.replace(old, new.replace("{port}", str(httpd.port)))
        for path, text in dict(files).items():
            httpd.write(path, text)
        httpd.write_workers(workers)
        httpd.write_config(config + more)
        return httpd.start(), peers
    return make


# ---- mapping and files ----

def by_container(httpd, *paths):
    """Which of the paths the container answers: True; else httpd's status."""
    answers = [get(httpd.port, path) for path in paths]
    return [True if a.header("Content-Type") == "application/json" else a.status for a in answers]


def test_patterns(recipe):
    httpd, _ = recipe("mapping.md", "Which requests go to the container")
    assert by_container(httpd, "/shop", "/shop/", "/shop/a", "/x/y/z.jsp", "/shopping", "/shop/static/a.css") == [True, True, True, True, 404, 404]


def test_no_jk(recipe):
    httpd, _ = recipe("mapping.md", "Taking out", files={"htdocs/shop/a.css": "x"})
    assert by_container(httpd, "/shop/a", "/shop/a.css", "/shop/b.css") == [True, 200, 404]


def test_a_location_guards_what_is_mounted(recipe):
    httpd, peers = recipe("mapping.md", "In a Location")
    httpd.expect("AH01630")
    assert by_container(httpd, "/shop", "/shop/a") == [403, 403] and peers["10.0.0.1"].deliveries("/shop/a") == 0


def test_rule_file(recipe):
    httpd, _ = recipe("mapping.md", "Rule files")
    assert by_container(httpd, "/shop", "/shop/report/x", "/shop/static/x", "/old/x") == [True, True, 404, 404]


def test_set_handler(recipe):
    httpd, _ = recipe("mapping.md", "SetHandler")
    assert by_container(httpd, "/shop/a", "/other") == [True, 404]


def test_rewrite(recipe):
    httpd, peers = recipe("mapping.md", "mod_rewrite")
    assert by_container(httpd, "/store/a") == [True] and peers["10.0.0.1"].last().uri == "/shop/a"


def test_another_name(recipe):
    httpd, peers = recipe("mapping.md", "Rule extensions")
    assert by_container(httpd, "/wiki/start") == [True]
    assert peers["10.0.0.1"].last().uri == "/intern/wiki/start"


APP = "srv/tomcat/webapps/shop"
FILES = {f"{APP}/images/logo.png": "png", f"{APP}/WEB-INF/web.xml": "secret", f"{APP}/page.html": "html", "srv/www/shop/static/a.css": "css",
         "srv/www/html/index.html": "start", "srv/www/html/a/index.jsp": "source", "srv/www/html/pic.png": "png"}
OUTSIDE = ("/shop/WEB-INF/web.xml", "/shop/web-inf/web.xml", "/shop//WEB-INF/web.xml", "/shop/%57EB-INF/web.xml")


@pytest.mark.parametrize("title, expected", [
    ("One directory by httpd", {"/shop/a": True, "/shop/static/a.css": 200, "/shop/static/b.css": 404}),
    ("JSPs by Tomcat, all else by httpd", {"/": 200, "/pic.png": 200, "/a/": True, "/a/index.jsp": True, "/shop/cart": 404}),
    ("Images below the application with /*.jsp", {"/shop/a.jsp": True, "/shop/images/logo.png": 200, "/shop/page.html": 404}),
    ("JkAutoAlias", {"/shop/a.jsp": True, "/shop/cart/x": True, "/shop/images/logo.png": 200, "/shop/page.html": 200}),
    ("JkAutoAlias'", {"/shop/a.jsp": True, "/shop/images/logo.png": 200, "/shop/page.html": 200}),
])
def test_static_files(recipe, title, expected):
    """And what an application keeps to itself never comes out, however it is written."""
    httpd, _ = recipe("static-files.md", title, files=FILES)
    assert dict(zip(expected, by_container(httpd, *expected))) == expected
    if "JSPs" not in title:
        httpd.allow("AH01630|AH01797")
        assert all(get(httpd.port, path).status in (403, 404) or True in by_container(httpd, path) for path in OUTSIDE)


# ---- what the container is told ----

def test_attributes(recipe):
    httpd, peers = recipe("requests.md", "Attributes of your own")
    assert [(get(httpd.port, "/shop", host=host).status, peers["10.0.0.1"].last().attribute("stage")) for host in ("beta.example.com", "example.com")] == [
        (200, "beta"), (200, "live")]


def test_behind_a_proxy(recipe):
    """All three blocks together."""
    httpd, peers = recipe("behind-a-proxy.md", "Behind another proxy", swap={"10.0.0.2": "127.0.0.1", "*:80": "127.0.0.1:{port}"})
    get(httpd.port, "/shop", [("X-Forwarded-For", "192.0.2.7"), ("X-Forwarded-Proto", "https")])
    r = peers["10.0.0.1"].last()
    assert (r.remote_addr, r.is_ssl, r.server_name, r.server_port) == ("192.0.2.7", True, "shop.example.com", 443)


def test_a_visitor_is_not_believed(recipe):
    """The page trusts one address, and that is not ours."""
    httpd, peers = recipe("behind-a-proxy.md", "Behind another proxy", swap={"*:80": "127.0.0.1:{port}"})
    get(httpd.port, "/shop", [("X-Forwarded-For", "192.0.2.7"), ("X-Forwarded-Proto", "https")])
    r = peers["10.0.0.1"].last()
    assert (r.remote_addr, r.is_ssl) == ("127.0.0.1", False) and r.server_port != 443


# ---- balancing ----

def test_the_balancers_cookie(recipe):
    httpd, peers = recipe("load-balancing.md", "Stickiness", more="JkMount /shop|/* shop\n")
    first = get(httpd.port, "/shop/a")
    cookie = first.header("Set-Cookie")
    assert re.fullmatch(r"SHOPROUTE=\.node[12];PATH=/shop;HttpOnly;SameSite=Lax", cookie), cookie
    for _ in range(4):
        assert get(httpd.port, "/shop/a", [("Cookie", cookie.partition(";")[0])]).header("Set-Cookie") is None
    assert sorted(p.deliveries("/shop/a") for p in peers.values()) == [0, 5]


def test_a_member_taken_out(recipe):
    httpd, peers = recipe("load-balancing.md", "Taking a member out", more="JkMount /shop|/* shop\n")
    for _ in range(4):
        assert get(httpd.port, "/shop/new").status == 200
    assert get(httpd.port, "/shop/old", [("Cookie", "JSESSIONID=1.node1")]).status == 200
    assert (peers["10.0.0.12"].deliveries("/shop/new"), peers["10.0.0.11"].deliveries("/shop/old")) == (4, 1)
    assert peers["10.0.0.11"].last().attribute("JK_LB_ACTIVATION") == "DIS"


def test_a_stand_in(recipe):
    httpd, peers = recipe("load-balancing.md", "Preference and stand-ins", more="JkMount /shop|/* shop\n")
    assert [get(httpd.port, "/shop/a").status for _ in range(3)] == [200] * 3 and peers["10.0.0.12"].deliveries("/shop/a") == 0
    peers["10.0.0.11"].stop()
    httpd.allow("JK0202|JK0204|JK0601")
    assert get(httpd.port, "/shop/b").status == 200 and peers["10.0.0.12"].deliveries("/shop/b") == 1


# ---- WebSocket ----

class Upgrader:
    """An HTTP server that upgrades what asks for it, and then says everything back."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.heads = []
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self):
        try:
            while True:
                self.talk(self.listener.accept()[0])
        except OSError:
            pass

    def talk(self, conn):
        with conn:
            conn.settimeout(10)
            head = b""
            while b"\r\n\r\n" not in head:
                more = conn.recv(4096)
                if not more:
                    return
                head += more
            self.heads.append(head.decode())
            conn.sendall(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n")
            while data := conn.recv(4096):
                conn.sendall(data)

    def stop(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.thread.join(5)


@pytest.fixture
def upgrader():
    one = Upgrader()
    yield one
    one.stop()


@pytest.mark.parametrize("which", ["", "'", "''"], ids=["upgrade", "wstunnel", "by header"])
def test_websocket(recipe, upgrader, which):
    httpd, peers = recipe("websocket.md", "WebSocket" + which, swap={"10.0.0.11:8080": f"127.0.0.1:{upgrader.port}"})
    with Wire(httpd.port) as wire:
        wire.send(b"GET /shop/ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                  b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
        head = b""
        while b"\r\n\r\n" not in head:
            head += wire.sock.recv(4096)
        assert head.startswith(b"HTTP/1.1 101"), head
        wire.send(b"hello")
        assert wire.sock.recv(5) == b"hello"
    assert re.search(r"(?im)^upgrade: websocket", upgrader.heads[0]) and upgrader.heads[0].startswith("GET /shop/ws ")
    assert get(httpd.port, "/shop/page").header("Content-Type") == "application/json" and peers["10.0.0.1"].deliveries("/shop/page") == 1


def test_a_handshake_over_ajp_is_an_ordinary_request(recipe):
    httpd, peers = recipe("static-files.md", "Everything to Tomcat")
    assert get(httpd.port, "/shop/ws", [("Upgrade", "websocket"), ("Connection", "Upgrade")]).status == 200
    assert peers["10.0.0.1"].last().header("Upgrade") is None


# ---- time ----

def test_a_time_for_slow_pages(recipe):
    """The rule's and the variable's time reach the log where they are over."""
    httpd, peers = recipe("timeouts.md", "The answer", swap={"reply_timeout=10m": "reply_timeout=100ms"})
    peers["10.0.0.1"].on("/shop/report/x", lambda ex: ex.module_closes())
    httpd.expect(r"silent for reply_timeout=100 ms .*JK0308")
    httpd.allow("JK0204")
    assert get(httpd.port, "/shop/report/x").status == 504


# ---- Tomcat's side ----

def understood(httpd, fragments):
    """What a real Tomcat says of a server.xml with these fragments, each in a service of its own, without starting it."""
    services = []
    os.makedirs(httpd.path("run/tomcat"), exist_ok=True)
    os.chmod(httpd.path("run/tomcat"), 0o2750)  # as the page says; with more for others the connector does not start
    for i, text in enumerate(fragments):
        text = re.sub(r'address="10\.[\d.]+" port="80\d\d"', lambda m: f'address="127.0.0.1" port="{proc.free_port()}"', text)
        text = re.sub(r'address="127.0.0.1" port="8009"', lambda m: f'address="127.0.0.1" port="{proc.free_port()}"', text)
        text = text.replace("/run/tomcat", httpd.path("run/tomcat")).replace('name="Catalina"', f'name="engine{i}"')
        services.append(f'<Service name="service{i}">{text if "<Connector" in text or "<Engine" in text else ""}</Service>')
    xml = f'<Server port="-1">{"".join(services)}</Server>'
    httpd.write("tomcat/conf/server.xml", xml)
    httpd.write("tomcat/conf/catalina.properties", f'common.loader="{tomcat_lib.HOME}/lib/*.jar"\nserver.loader=\nshared.loader=\n')
    done = subprocess.run(["java", f"-Dcatalina.home={tomcat_lib.HOME}", f"-Dcatalina.base={httpd.path('tomcat')}", f"-Djava.io.tmpdir={httpd.path('tomcat')}",
                           "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xmx160m", "-cp",
                           f"{tomcat_lib.HOME}/bin/bootstrap.jar:{tomcat_lib.HOME}/bin/tomcat-juli.jar",
                           "org.apache.catalina.startup.Bootstrap", "configtest"], capture_output=True, text=True, timeout=120)
    return done.returncode, done.stdout + done.stderr


@pytest.mark.skipif(tomcat_lib.missing() is not None, reason="no Tomcat")
def test_tomcat_understands_its_side(fresh_httpd):
    """Every element and attribute of the pages is one that Tomcat knows; one that it does not is found."""
    httpd = fresh_httpd(start=False)
    fragments = [text for s in manual.all_sections() for kind, text in s.blocks if kind == "xml"]
    code, words = understood(httpd, [*fragments, '<Connector protocol="AJP/1.3" port="0" secrett="x" />'])
    bad = re.findall(r"^(?:WARNING|SEVERE).*$", words, re.M)
    assert code == 0 and len(fragments) > 10 and len(bad) == 1 and "secrett" in bad[0], words[-4000:]
