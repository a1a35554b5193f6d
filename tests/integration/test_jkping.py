"""jkping: what it says and how it exits, for each thing that can be wrong with a connector (spec: failures.md)."""
import os
import re
import shutil
import socket
import threading
import time

import pytest
from lib import ajp, tools
from lib.ajp_peer import CLOSE, RESET, STALL, Peer, RefusedPort
from lib.tomcat import Tomcat

GOOD, REFUSED, UNREACHED, FOREIGN, SECRET, USAGE = 0, 1, 2, 3, 4, 64


def ping(target, *args, timeout=2000, **more):
    if isinstance(target, Peer):
        target = f"unix:{target.path}" if target.path else f"127.0.0.1:{target.port}"
    return tools.run("jkping", target, "--timeout", timeout, *args, **more)


def check(said, status, *words):
    assert said.exit == status, said
    assert said.err == ""
    for word in words:
        assert re.search(word, said.out), f"{word!r} is missing: {said}"
    if status != GOOD:
        assert re.search("^bad: ", said.out, re.M) and re.search("^what to do: ", said.out, re.M), said


@pytest.fixture(scope="module", autouse=True)
def built():
    tools.path_of("jkping")


@pytest.fixture(scope="module")
def peer(make_peer):
    return make_peer()


@pytest.fixture(scope="module")
def secret_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("secret") / "secret"
    path.write_text("s3cret#\nand more\n")
    return str(path)


def guarded(secret):
    """A connector that wants a secret, as Tomcat does."""
    def script(ex):
        right = ex.request.attribute("secret") == secret
        ex.send(ajp.answer("in") if right else ajp.answer("", 403, reuse=False))
    return script


# ---- in order ----

def test_a_cping(peer):
    check(ping(peer), GOOD, r": connected [\d.]+ ms, CPong [\d.]+ ms\ngood: the connector answers")
    assert not peer.requests


def test_a_page(peer):
    """The request is one that a strict container takes, and nobody else's name is in it."""
    peer.on("/a", [ajp.answer("hello")])
    check(ping(peer, "--get", "/a?b=c", "--host", "shop.example"), GOOD,
          r"GET /a\?b=c 200, first byte [\d.]+ ms, whole [\d.]+ ms, 5 bytes\ngood: the connector and the application answer")
    r = peer.last("/a")
    assert (r.method, r.uri, r.attribute("query_string"), r.server_name) == ("GET", "/a", "b=c", "shop.example")
    assert r.header("Host") == "shop.example" and r.header("Content-Length") == "0" and not r.has("secret")


def test_rounds(peer):
    said = ping(peer, "--get", "/", "--count", 3)
    check(said, GOOD, "(?m)^3 rounds, 0 bad$", r"(?m)^CPong: least [\d.]+, mean [\d.]+, most [\d.]+ ms of 3$")
    assert len(re.findall("GET / 200", said.out)) == 3 and len(peer.used_connections()) == 3


def test_a_bad_round_decides(peer):
    peer.on("/", lambda ex: ex.send(ajp.answer("x", 200 if ex.delivery != 2 else 503)))
    check(ping(peer, "--get", "/", "--count", 3), REFUSED, "(?m)^3 rounds, 1 bad$", "application's own answer")


def test_trickled_bytes(peer):
    """Cut at every byte it is the same answer."""
    peer.on("/", lambda ex: ex.trickle(ajp.answer("x" * 50)))
    check(ping(peer, "--get", "/"), GOOD, "50 bytes")


def test_a_container_that_asks_for_a_body(peer):
    got = []
    peer.on("/", lambda ex: (got.append(ex.get_body()), ex.send(ajp.answer())))
    check(ping(peer, "--get", "/"), GOOD)
    assert got == [b""]


def test_ipv6(fresh_peer):
    try:
        six = fresh_peer(address="::1")
    except OSError:
        pytest.skip("no IPv6 here")
    check(ping(f"[::1]:{six.port}"), GOOD)


def test_notes(peer):
    peer.on("/", [ajp.answer("x", reuse=False)])
    check(ping(peer, "--get", "/"), GOOD, "note: the container closes the connection")
    peer.on("/", [ajp.send_headers() + ajp.chunk(b"x" * 9000) + ajp.end()])
    check(ping(peer, "--get", "/"), GOOD, "note: packets of more than 8192 bytes")


# ---- cannot be reached ----

def test_refused():
    down = RefusedPort()
    check(ping(f"127.0.0.1:{down.port}"), UNREACHED, "connecting: Connection refused\nbad: no connection\nwhat to do: .*not started",
          "secretRequired")
    down.stop()


def test_a_full_queue():
    """No SYN is answered: the connect timeout, and not minutes."""
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        held = [socket.socket() for _ in range(4)]
        for s in held:
            s.setblocking(False)
            s.connect_ex(full.getsockname())
        began = time.monotonic()
        check(ping("127.0.0.1:%d" % full.getsockname()[1], timeout=200), UNREACHED, "Connection timed out", "what to do: .*firewall")
        assert time.monotonic() - began < 5
        for s in held:
            s.close()


def test_a_name_without_an_address():
    check(ping("no-such-host.invalid:8009"), UNREACHED, "bad: the host has no address")


@pytest.mark.parametrize("greet, words", [
    (lambda conn: conn.drained(5), "no CPong came in time"),
    (lambda conn: conn.close(), "closed at once"),
    (lambda conn: conn.reset(), "closed at once"),
    (lambda conn: (conn.sock.recv(5), conn.close()), "closed at once"),
], ids=["silent", "closed", "reset", "read and closed"])
def test_no_cpong(peer, greet, words):
    peer.on_connect = greet
    check(ping(peer, timeout=200), UNREACHED, words)


# ---- not AJP13 ----

@pytest.mark.parametrize("data, words", [
    (b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n", "answered in HTTP:"),
    (b"<html><head><title>400", "answered in HTTP:"),
    (b"\x15\x03\x01\x00\x02\x02\x0a", "answered in TLS"),
    (b"\0\0\x12\4\0\0\0\0\0" + b"\0" * 18, "HTTP/2"),
    (b"SSH-2.0-OpenSSH_9\r\n", "SSH"),
    (b"220 mail.example ESMTP\r\n", "not those of AJP13"),
    (b"\x12\x34\0\1\x0a", "what a web server sends"),
    (b"AB\0\0", "without a payload"),
    (b"AB\0\5\x09", "ended inside a packet"),
    (ajp.end(), "may not come at this point"),
    (ajp.packet(b"\x63"), "unknown type"),
    (ajp.packet(b"\x04\0"), "do not fit"),
], ids=["http", "html", "tls", "h2", "ssh", "smtp", "echo", "empty", "cut", "end", "unknown", "headers"])
@pytest.mark.parametrize("bytewise", [False, True], ids=["at once", "bytewise"])
def test_another_protocol(peer, data, words, bytewise):
    def greet(conn):
        conn.sock.recv(5)
        for piece in ([data[i:i + 1] for i in range(len(data))] if bytewise else [data]):
            conn.send(piece)
            time.sleep(0.002)

    peer.on_connect = greet
    check(ping(peer), FOREIGN, "CPing: .*" + words)


def test_only_the_cping_is_understood(peer):
    peer.on("/", [b"HTTP/1.0 200 OK\r\n\r\n"])
    check(ping(peer, "--get", "/"), FOREIGN, "CPong", "answered in HTTP:")


@pytest.mark.parametrize("data, words", [
    (ajp.end(), ": .*may not come at this point"),
    (ajp.send_headers() + ajp.send_headers(), " 200: .*may not come at this point"),
    (ajp.chunk(b"x"), ": .*may not come at this point"),
    (ajp.send_headers() + ajp.packet(b"\x03\x1f\xff\x41"), " 200: .*claims more bytes"),
    (ajp.send_headers(200, [("X-A", "1")], count=2), ": .*do not fit"),
    (ajp.send_headers() + ajp.packet(b"\x05"), " 200: .*without what must be in it"),
], ids=["end first", "headers twice", "body first", "chunk too long", "headers too short", "end without flag"])
def test_malformed_answers(peer, data, words):
    peer.on("/", [data, STALL])
    check(ping(peer, "--get", "/"), FOREIGN, "GET /" + words, "bad: the request was answered with a malformed message")


# ---- refused ----

@pytest.mark.parametrize("status, words", [(400, "malformed"), (500, "maxHeaderCount"), (503, "stopping"), (431, "an error and closed")])
def test_refused_by_the_connector(peer, status, words):
    peer.on("/", [ajp.answer("", status, reuse=False)])
    check(ping(peer, "--get", "/"), REFUSED, f"GET / {status} reuse=0,", words)


@pytest.mark.parametrize("status", [400, 403, 404, 500, 503])
def test_the_applications_own_error(peer, status):
    peer.on("/", [ajp.answer("no", status)])
    check(ping(peer, "--get", "/"), REFUSED, f"GET / {status},", "application's own answer")
    assert peer.deliveries("/") == 1, "nothing is to be found out here"


@pytest.mark.parametrize("script, words", [
    (STALL, "no answer in time"),
    (CLOSE, "closed instead of an answer"),
    (RESET, "closed instead of an answer"),
    ([ajp.send_headers() + ajp.chunk(b"x"), STALL], "did not end"),
    ([ajp.send_headers() + ajp.chunk(b"x"), CLOSE], "middle of the answer"),
    ([ajp.send_headers() + ajp.chunk(b"x")[:5], CLOSE], "middle of the answer"),
], ids=["silent", "closed", "reset", "stuck", "broken off", "cut"])
def test_no_whole_answer(peer, script, words):
    peer.on("/", script)
    check(ping(peer, "--get", "/", timeout=200), REFUSED, words)


def test_an_attribute_is_not_allowed(peer):
    peer.on("/", lambda ex: ex.send(ajp.answer("", 403, reuse=False) if ex.request.has("X_USER") else ajp.answer()))
    check(ping(peer, "--attribute", "X_USER=me"), REFUSED, "403 reuse=0", "refuses a request attribute", "allowedRequestAttributesPattern")
    assert peer.last("/").attributes == [], "asked again without any"


# ---- secrets ----

def test_a_right_secret(peer, secret_file):
    peer.default = guarded("s3cret#")
    said = ping(peer, "--secret-file", secret_file)
    check(said, GOOD, "GET / 200")
    assert "note" not in said.out and "s3cret" not in said.out


def test_a_missing_secret(peer):
    peer.default = guarded("s3cret#")
    check(ping(peer, "--get", "/"), SECRET, "403 reuse=0", "wants a secret", "--secret-file")


def test_a_wrong_secret(peer, secret_file):
    peer.default = guarded("another")
    said = ping(peer, "--secret-file", secret_file, "--get", "/x")
    check(said, SECRET, "GET /x 403 reuse=0", "the secret is wrong")
    assert "s3cret" not in said.out


def test_a_connector_that_answers_anyone(peer, secret_file):
    check(ping(peer, "--secret-file", secret_file), GOOD, "note: the connector answers without the secret, too")


def test_jkbackend(secret_file):
    backend = tools.Backend("--secret-file", secret_file)
    try:
        check(ping(backend.address, "--secret-file", secret_file, "--get", "/json"), GOOD, "GET /json 200")
        check(ping(backend.address, "--get", "/json"), SECRET)
    finally:
        backend.stop()


def test_tomcat(tomcat, tmp_path):
    right, wrong = tmp_path / "right", tmp_path / "wrong"
    right.write_text(Tomcat.SECRET + "\n")
    wrong.write_text("wrong\n")
    free, closed = f"127.0.0.1:{tomcat.port}", f"127.0.0.1:{tomcat.secret_port}"
    check(ping(free), GOOD)
    check(ping(free, "--get", "/hello.txt"), GOOD, "GET /hello.txt 200")
    check(ping(free, "--get", "/not-there.txt"), REFUSED, "404", "application's own")
    check(ping(free, "--get", "/hello.txt", "--secret-file", right), GOOD, "without the secret, too")
    check(ping(free, "--get", "/hello.txt", "--attribute", "X_USER=me"), REFUSED, "refuses a request attribute")
    check(ping(closed), GOOD)
    check(ping(closed, "--get", "/hello.txt"), SECRET, "wants a secret")
    check(ping(closed, "--get", "/hello.txt", "--secret-file", wrong), SECRET, "the secret is wrong")
    said = ping(closed, "--get", "/hello.txt", "--secret-file", right)
    check(said, GOOD)
    assert "note" not in said.out
    check(ping(f"unix:{tomcat.unix}", "--get", "/hello.txt"), GOOD)


# ---- Unix sockets ----

def test_a_unix_socket(fresh_peer, tmp_path):
    one = fresh_peer(path=str(tmp_path / "ajp.sock"))
    check(ping(one, "--get", "/"), GOOD)


def test_a_unix_socket_that_is_not_there(tmp_path):
    check(ping(f"unix:{tmp_path}/none/ajp.sock"), UNREACHED, f"directory does not exist: {tmp_path}/none\n", "tmpfiles.d")
    check(ping(f"unix:{tmp_path}/ajp.sock"), UNREACHED, "directory is there, the Unix socket is not", "unixDomainSocketPath")


def test_no_unix_socket(tmp_path):
    (tmp_path / "file").write_text("x")
    check(ping(f"unix:{tmp_path}/file"), UNREACHED, "is no Unix socket")


def test_a_left_over_unix_socket(tmp_path):
    with socket.socket(socket.AF_UNIX) as s:
        s.bind(str(tmp_path / "ajp.sock"))
    check(ping(f"unix:{tmp_path}/ajp.sock"), UNREACHED, "nobody listens on it")


@pytest.fixture
def lair(fresh_peer):
    """A Unix socket in a directory of ours that everybody can see."""
    path = f"/tmp/jk-lair-{os.getpid()}"
    os.mkdir(path)
    os.chmod(path, 0o755)
    yield fresh_peer(path=path + "/ajp.sock")
    shutil.rmtree(path, ignore_errors=True)


def as_nobody(target, *args):
    """As a user without rights, by a copy of the program that this user can reach."""
    if os.geteuid() != 0 or not shutil.which("setpriv"):
        pytest.skip("needs root and setpriv")
    copy = f"/tmp/jk-ping-{os.getpid()}"
    shutil.copy(tools.path_of("jkping"), copy)
    os.chmod(copy, 0o755)
    try:
        return ping(target, *args, before=["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", copy])
    finally:
        os.unlink(copy)


def test_a_directory_that_lets_nobody_in(lair):
    folder = os.path.dirname(lair.path)
    os.chmod(folder, 0o750)
    said = ping(lair)
    check(said, GOOD)
    if os.geteuid() == 0:
        assert f"note: root passes everywhere, httpd's user does not unless owner or group let it: {folder} (mode 0750" in said.out
    check(as_nobody(lair), UNREACHED, rf"does not let this user through: {folder} \(mode 0750, owner \d+, group \d+\)")


def test_a_socket_that_lets_nobody_in(lair):
    os.chmod(lair.path, 0o600)
    check(as_nobody(lair), UNREACHED, r"does not let this user write: .*ajp\.sock \(mode 0600", "unixDomainSocketPathPermissions")


# ---- usage ----

@pytest.mark.parametrize("args", [
    [], ["a:1", "b:2"], ["host"], ["host:"], ["host:0"], ["host:65536"], ["host:80x"], [":8009"], ["::1:8009"], ["[::1:8009"], ["[::1]"],
    ["h:1", "--count", "0"], ["h:1", "--timeout", "x"], ["h:1", "--get", "x"], ["h:1", "--what"], ["h:1", "--attribute", "novalue"],
    ["h:1", "--secret-file", "/no/such/file"], ["h:1", "--secret-file", "/dev/null"], ["unix:"], ["unix:/" + "x" * 200],
    ["h:1", "--get", "/" + "x" * 9000],
])
def test_wrong_usage(args):
    said = tools.run("jkping", *args)
    assert said.exit == USAGE and said.out == "" and said.err.endswith("\njkping --help says more.\n") and len(said.err.splitlines()) <= 3, said


def test_help():
    said = tools.run("jkping", "--help")
    assert said.exit == GOOD and said.out.startswith("usage: jkping TARGET") and "Exit status: 0 good; 1" in said.out


def test_two_at_once(peer):
    """It keeps no state anywhere."""
    said = []
    threads = [threading.Thread(target=lambda: said.append(ping(peer, "--get", "/", "--count", 5))) for _ in range(2)]
    for t in threads:
        t.start()
    for t in threads:
        t.join(30)
    assert [s.exit for s in said] == [GOOD, GOOD]
