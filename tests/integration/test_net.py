"""The way to the container: addresses, connections and their use, timeouts."""
import shutil
import socket
import subprocess
import threading
import time

import pytest
from lib import ajp, client, proc
from lib.ajp_peer import STALL, RefusedPort
from lib.workers import ajp13


def has_ipv6():
    try:
        with socket.socket(socket.AF_INET6) as s:
            s.bind(("::1", 0))
        return True
    except OSError:
        return False


@pytest.fixture(scope="module")
def peer(make_peer):
    return make_peer()


@pytest.fixture(scope="module")
def peer6(make_peer):
    return make_peer(address="::1", name="peer6") if has_ipv6() else None


class FullListener:
    """A port that answers no SYN any more: its queue is full."""

    def __init__(self):
        self.listener = socket.socket()
        self.listener.bind(("127.0.0.1", 0))
        self.listener.listen(0)
        self.port = self.listener.getsockname()[1]
        self.held = []
        for _ in range(8):
            s = socket.socket()
            s.setblocking(False)
            s.connect_ex(("127.0.0.1", self.port))
            self.held.append(s)

    def stop(self):
        for s in [*self.held, self.listener]:
            s.close()


@pytest.fixture(scope="module")
def httpd(make_httpd, make_peer, peer, peer6):
    refused, full = RefusedPort(), FullListener()
    quick = {"port": peer.port, "reply_timeout": 200, "retry_interval": 1, "connection_acquire_timeout": 100}
    workers = {
        "w": peer.port,
        "refused": refused.port,
        "full": {"port": full.port, "socket_connect_timeout": 150, "retry_interval": 1, "connection_acquire_timeout": 100},
        "named": {"host": f"localhost:{peer.port}"},
        "spaced": {"host": "127.0.0.1", "port": f"{peer.port}   "},
        "quick": quick,
        "one": {"port": peer.port, "connection_pool_size": 1, "connection_acquire_timeout": 0},
        "patient": {"port": peer.port, "connection_pool_size": 1, "connection_acquire_timeout": 5000},
        "nameless": {"host": "no-such-host.invalid", "port": 8009},
    }
    if peer6:
        workers["six"] = {"host": f"[::1]:{peer6.port}"}
        workers["plainsix"] = {"host": "::1", "port": peer6.port}
    mounts = "\n".join(f"JkMount /{w}/* {w}" for w in workers)
    mounts += "\nProtocols h2c http/1.1"
    httpd = make_httpd(mounts, workers="", start=False, startup=["no-such-host"],
                       vhosts={"noreuse": f"JkMount /* w\nJkOptions +DisableReuse"})
    unix = make_peer(path=httpd.path("run/ajp.sock"), name="unix")
    httpd.unix = unix
    workers["unix"] = {"host": f"unix:{unix.path}"}
    workers["nosock"] = {"host": f"unix:{httpd.path('run/nobody.sock')}"}
    httpd.write_workers(ajp13(**workers))
    httpd.write_config(httpd.config + "\nJkMount /unix/* unix\nJkMount /nosock/* nosock")
    yield httpd.start()
    refused.stop()
    full.stop()


def one_child(httpd):
    if httpd.mpm == "prefork":
        pytest.skip("each process of prefork has a connection of its own")


# ---- addresses ----

def test_refused(httpd):
    """Nobody listens: 503 at once, and the log says why and what to do."""
    httpd.expect(r"connecting to backend failed.*errno=111")
    httpd.allow("refused")
    began = time.monotonic()
    answer = client.get(httpd.port, "/refused/x")
    assert answer.status == 503 and time.monotonic() - began < 5


@pytest.mark.differs("host=name:port was not parsed", only="named")
@pytest.mark.parametrize("worker", ["named", "spaced"])
def test_addresses(httpd, peer, worker):
    """host=name:port, and blanks around values."""
    answer = client.get(httpd.port, f"/{worker}/x")
    assert answer.status == 200 and peer.deliveries(f"/{worker}/x") == 1


@pytest.mark.differs("host=[address]:port was not parsed", only="^six")
@pytest.mark.parametrize("worker", ["six", "plainsix"])
def test_ipv6(httpd, peer6, worker):
    if not peer6:
        pytest.skip("no IPv6 here")
    answer = client.get(httpd.port, f"/{worker}/x")
    assert answer.status == 200 and peer6.deliveries(f"/{worker}/x") == 1


@pytest.mark.differs("there were no Unix sockets")
def test_unix_socket(httpd):
    answer = client.ask(httpd.port, "POST", "/unix/x", body=b"b" * 50000)
    assert answer.status == 200 and httpd.unix.last().body == b"b" * 50000


def test_a_unix_socket_that_is_not_there(httpd):
    httpd.expect(r"nobody\.sock.*errno=2")
    httpd.allow("nosock")
    assert client.get(httpd.port, "/nosock/x").status == 503


def test_a_name_without_an_address(httpd):
    """The start goes on, and the request is answered with 503 and the name."""
    httpd.allow("nameless")
    assert client.get(httpd.port, "/nameless/x").status == 503
    assert "no-such-host.invalid" in httpd.jk_log.text() + httpd.error_log.text()


def test_connect_timeout(httpd):
    """A host that drops packets: 503 after socket_connect_timeout, not after minutes."""
    httpd.expect(r"full.*(errno=110|timeout)")
    httpd.allow("full")
    began = time.monotonic()
    assert client.get(httpd.port, "/full/x").status == 503
    assert time.monotonic() - began < 5


# ---- connections ----

def test_one_connection_for_many_requests(httpd, peer):
    """A connection is used again and again."""
    with client.Wire(httpd.port) as wire:
        for i in range(30):
            assert wire.get(f"/w/{i}").status == 200
    assert len(peer.used_connections()) == 1


def test_one_connection_for_many_clients(httpd, peer):
    """Clients come and go, the connection stays."""
    one_child(httpd)
    for i in range(10):
        assert client.get(httpd.port, f"/w/{i}").status == 200
    assert len(peer.used_connections()) == 1


def test_connections_for_requests_at_once(httpd, peer):
    """As many as there are requests at the same time, and they are kept."""
    one_child(httpd)
    go = threading.Event()
    peer.default = lambda ex: (ex.wait(go), ex.send(ajp.answer()))
    threads = [threading.Thread(target=client.get, args=(httpd.port, f"/w/{i}")) for i in range(10)]
    for t in threads:
        t.start()
    assert proc.wait_until(lambda: len(peer.requests) == 10)
    go.set()
    for t in threads:
        t.join(10)
    assert len(peer.used_connections()) == 10
    assert len(peer.open_connections()) == 10, "none is closed while it may be needed again"


def test_reuse_is_refused(httpd, peer):
    """END_RESPONSE with reuse=0: the connection is closed, and the next request gets another."""
    httpd.expect("Reuse is set to false")
    peer.default = [ajp.answer(reuse=False)]
    with client.Wire(httpd.port) as wire:
        assert [wire.get(f"/w/{i}").status for i in range(2)] == [200, 200]
    first, second = peer.used_connections()
    assert first is not second and proc.wait_until(first.closed_by_module.is_set)


def test_disable_reuse(httpd, peer):
    """JkOptions +DisableReuse: closed after each answer, without complaint."""
    with client.Wire(httpd.vport) as wire:
        assert [wire.get(f"/w/{i}", host="noreuse").status for i in range(2)] == [200, 200]
    assert len(peer.used_connections()) == 2
    assert proc.wait_until(lambda: all(c.closed_by_module.is_set() for c in peer.used_connections()))


def test_a_restarted_container(httpd, peer):
    """All idle connections were closed: no request notices, a POST is delivered once."""
    assert client.get(httpd.port, "/w/1").status == 200
    peer.close_idle()
    for i in range(5):
        assert client.ask(httpd.port, "POST", f"/w/post{i}", body=b"x").status == 200
        assert peer.deliveries(f"/w/post{i}") == 1


@pytest.mark.differs("connection_acquire_timeout=0 never tried")
def test_the_pool_is_full(httpd, peer):
    """connection_pool_size=1 and no time to wait: 503 and a word about the setting."""
    one_child(httpd)
    httpd.expect("Unable to get the free endpoint")
    httpd.allow(r"\(?one\)?")
    go = threading.Event()
    peer.on("/one/slow", lambda ex: (ex.wait(go), ex.send(ajp.answer())))
    with client.Wire(httpd.port) as wire:
        wire.request("GET", "/one/slow")
        assert proc.wait_until(lambda: peer.deliveries("/one/slow"))
        assert client.get(httpd.port, "/one/x").status == 503
        go.set()
        assert wire.answer().status == 200


@pytest.mark.differs("waiting for a slot was a poll every 100 ms")
def test_waiting_for_the_pool(httpd, peer):
    """With time to wait the requests take turns on the one connection."""
    one_child(httpd)
    go = threading.Event()
    peer.on("/patient/slow", lambda ex: (ex.wait(go), ex.send(ajp.answer())))
    results = []
    with client.Wire(httpd.port) as wire:
        wire.request("GET", "/patient/slow")
        assert proc.wait_until(lambda: peer.deliveries("/patient/slow"))
        threads = [threading.Thread(target=lambda i=i: results.append(client.get(httpd.port, f"/patient/{i}").status)) for i in range(5)]
        for t in threads:
            t.start()
        time.sleep(0.1)
        assert not results, "they wait"
        go.set()
        assert wire.answer().status == 200
        for t in threads:
            t.join(10)
    assert results == [200] * 5
    assert len(peer.used_connections()) == 1


# ---- timeouts ----

@pytest.mark.parametrize("method, times", [("GET", 2), ("POST", 1)])
@pytest.mark.differs("every method was sent again", only="POST|PUT|DELETE")
def test_reply_timeout(httpd, peer, method, times):
    """A container that says nothing: 504 after reply_timeout, and its connection is closed."""
    httpd.expect("Timeout with waiting reply from tomcat")
    httpd.allow("quick")
    peer.on("/quick/x", STALL)
    began = time.monotonic()
    assert client.ask(httpd.port, method, "/quick/x").status == 504
    assert time.monotonic() - began < 5
    assert peer.deliveries("/quick/x") == times
    assert proc.wait_until(lambda: all(c.closed_by_module.is_set() for c in peer.used_connections()))


def test_reply_timeout_is_for_silence(httpd, peer):
    """It counts between packets: an answer may take longer than it as a whole."""
    def script(ex):
        ex.send(ajp.send_headers())
        for i in range(6):
            time.sleep(0.1)
            ex.send(ajp.chunk(b"%d" % i))
        ex.send(ajp.end())

    peer.on("/quick/slow", script)
    assert client.get(httpd.port, "/quick/slow").text == "012345"


@pytest.mark.parametrize("keys, status", [({"socket_timeout": 1, "reply_timeout": 20000}, 200), ({"socket_timeout": 1}, None)],
                         ids=["reply_timeout is the word between packets", "alone it bounds the silence"])
def test_which_timeout_a_silence_has(fresh_httpd, fresh_peer, keys, status):
    """socket_timeout bounds single reads; where reply_timeout is set, that alone says how long a container may think."""
    peer = fresh_peer()
    peer.default = lambda ex: (time.sleep(2.2), ex.send(ajp.answer("thought")))
    httpd = fresh_httpd("JkMount /* w", workers=ajp13(w={"port": peer.port, "retries": 1, **keys}))
    httpd.allow("w")
    got = client.get(httpd.port, "/x")
    assert got.status == status if status else got.status in (502, 504)


# ---- many at once ----

@pytest.mark.differs("a pool of ThreadsPerChild: 503")
def test_http2_with_a_slow_backend(httpd, peer):
    """More streams than ThreadsPerChild at a backend that takes 20 ms: all are answered, none with 503."""
    if httpd.mpm == "prefork" or not shutil.which("h2load"):
        pytest.skip("needs h2load and threads")
    peer.default = lambda ex: (time.sleep(0.02), ex.send(ajp.answer()))
    done = subprocess.run(["h2load", "-n", "600", "-c", "6", "-m", "50", f"http://127.0.0.1:{httpd.port}/w/x"],
                          capture_output=True, text=True, timeout=60)
    assert "600 succeeded, 0 failed, 0 errored" in done.stdout, done.stdout
    assert "status codes: 600 2xx" in done.stdout


def test_many_clients_at_once(httpd, peer):
    """Every client gets its own answer."""
    wrong = []

    def one(n):
        with client.Wire(httpd.port) as wire:
            for i in range(20):
                path = f"/w/{n}-{i}"
                if f'"uri": "{path}"' not in wire.get(path).text:
                    wrong.append(path)

    threads = [threading.Thread(target=one, args=(n,)) for n in range(16)]
    for t in threads:
        t.start()
    for t in threads:
        t.join(30)
    assert not wrong
