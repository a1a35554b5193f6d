"""Parking: a request that waits holds no thread, and nobody can tell.

The server has few threads, and more requests than threads are made to wait: for the container, for a client that reads
slowly or sends slowly, for a connection. Whoever comes then must be answered. No test asks how long anything takes."""
import contextlib
import hashlib
import os
import random
import shutil
import socket
import struct
import subprocess
import threading
import time
import zlib

import pytest
from lib import ajp, client, proc
from lib.ajp_peer import CLOSE, SLEEP, RefusedPort, normal
from lib.crowd import Crowd, Gate, Reader
from lib.httpd import version
from lib.parking import LARGE, MANY, THREADS, answered, held, insecure, large, mpm, visit
from lib.workers import ajp13, lb

EVERYTHING = os.environ.get("JK_TEST_ALL") == "1"
MPM = mpm()

pytestmark = pytest.mark.skipif(os.environ.get("JK_MPM", "event") != "event", reason="only event can let a request wait without a thread")


@pytest.fixture(scope="module")
def peer(make_peer):
    return make_peer()


@pytest.fixture(scope="module")
def gone():
    """A port that refuses."""
    port = RefusedPort()
    yield port.port
    port.stop()


class Deaf:
    """A port where a connect neither succeeds nor fails: its queue is full."""

    def __init__(self):
        self.listener = socket.socket()
        self.listener.bind(("127.0.0.1", 0))
        self.listener.listen(0)
        self.port = self.listener.getsockname()[1]
        self.waiting = []
        for _ in range(3):
            one = socket.socket()
            one.setblocking(False)
            one.connect_ex(("127.0.0.1", self.port))
            self.waiting.append(one)

    def stop(self):
        for one in [*self.waiting, self.listener]:
            one.close()


@pytest.fixture(scope="module")
def deaf():
    port = Deaf()
    yield port.port
    port.stop()


def workers(peer, gone, deaf):
    return ajp13(w=peer.port, quick={"port": peer.port, "reply_timeout": 300},
                 narrow={"port": peer.port, "connection_pool_size": 2, "connection_acquire_timeout": 20000},
                 hasty={"port": peer.port, "connection_pool_size": 2, "connection_acquire_timeout": 300},
                 refused={"port": gone, "retries": 2, "retry_interval": 700},
                 deaf={"port": deaf, "socket_connect_timeout": 700, "retries": 1},
                 prepost={"port": peer.port, "prepost_timeout": 5000})


MOUNTS = "\n".join(f"JkMount /{name}/* {name}" for name in ("quick", "narrow", "hasty", "refused", "deaf", "prepost")) + "\nJkMount /* w\n"


def start(make_httpd, peer, gone, deaf, more="", **how):
    vhosts = {"h2c": MOUNTS + "Protocols h2c http/1.1",  # first: a prior-knowledge preface comes before any Host
              "gzip": MOUNTS + "SetOutputFilter DEFLATE", "off": MOUNTS + "JkPark Off",
              "later": MOUNTS + "JkParkAfter 100",
              "pages": "JkMount /page/* w\nErrorDocument 404 /page/missing\n",
              "include": "JkMount /part/* w\n<Location />\nOptions +Includes\nSetOutputFilter INCLUDES\n</Location>"}
    files = {"htdocs/page.shtml": '[<!--#include virtual="/part/a" -->][<!--#include virtual="/part/b" -->]'}
    return make_httpd(MPM + MOUNTS + more, workers=workers(peer, gone, deaf), vhosts=vhosts, files=files, tls=MOUNTS, **how)


@pytest.fixture(scope="module", params=["waitio", "compat"])
def httpd(request, make_httpd, peer, gone, deaf):
    """Who waits gives its thread back at once."""
    if request.param == "waitio" and version() < (2, 4, 63):
        pytest.skip("this httpd has only the other way")
    defines = ["JK_TEST_PARK_COMPAT"] if request.param == "compat" else []
    one = start(make_httpd, peer, gone, deaf, "JkParkAfter 0", defines=defines)
    words = "before 2.4.63" if request.param == "compat" else "WAITIO"
    assert any(words in line for line in one.jk_log.lines()), "the other way was taken"
    return one


@pytest.fixture(scope="module")
def impatient(make_httpd, peer, gone, deaf):
    """Timeout is a second: a connection that waits that long in the MPM is closed by it."""
    return start(make_httpd, peer, gone, deaf, "JkParkAfter 0", timeout=1)



def child_of(httpd):
    (child,) = proc.children_of(httpd.pid)
    return child


def fds(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


# ---- a container that is silent ----

@pytest.mark.parametrize("where", ["plain", "tls", "post"])
def test_more_requests_wait_than_there_are_threads(httpd, peer, where):
    """Each gets its own answer, and they were all with the container at once."""
    httpd.allow("AH00484")  # a burst keeps all threads busy for a moment
    n = 2000 if EVERYTHING and where == "plain" else 300 if where == "plain" else MANY
    gate, context = Gate(), insecure()
    peer.default = lambda ex: (ex.read_body(), gate.hold(), ex.send(ajp.answer(ex.request.uri + " " * (int(ex.request.path[2:]) % 7000))))
    port, tls = (httpd.tls_port, context) if where == "tls" else (httpd.port, None)
    method, body = ("POST", b"b" * 20000) if where == "post" else ("GET", None)
    crowd = Crowd(n, lambda i: client.ask(port, method, f"/i{i}", body=body, tls=tls))
    assert gate.arrived(n), f"{gate.there} of {n} are there"
    peer.on("/visitor", [ajp.answer("hello")])
    visit(httpd)
    gate.open()
    for i, answer in enumerate(answered(crowd.join())):
        assert answer.text == f"/i{i}" + " " * (i % 7000)
    httpd.wait_idle()
    assert len(httpd.access()) == n + 1, "one line for each"


def test_keep_alive_with_all_kinds_of_pauses(httpd, peer):
    """Many rounds on each connection; pauses before the headers, between them and the body, and none."""
    size = {i: random.Random(i).choice([0, 1, 100, 5000, 40000, 200000]) for i in range(200)}

    def script(ex):
        i = int(ex.request.path[2:])
        dice, body = random.Random(i), (b"%d;" % i * 100000)[:size[i]]
        time.sleep(dice.choice([0, 0, 0.01, 0.03]))
        ex.send(ajp.send_headers(200, [("Content-Length", str(len(body)))] if i % 2 else []))
        for at in range(0, len(body), 60000):
            time.sleep(dice.choice([0, 0, 0.01]))
            ex.send(ajp.chunks(body[at:at + 60000]) + (ajp.FLUSH if dice.random() < 0.5 else b""))
        ex.send(ajp.end())
    peer.default = script

    def rounds(k):
        answers, wire = [], client.Wire(httpd.port)
        for i in range(k * 5, k * 5 + 5):
            answer = wire.get(f"/k{i}")
            if answer.end == "no answer" and peer.deliveries(f"/k{i}") == 0:
                # Where threads are short httpd closes idle connections: clients ask again.
                wire = client.Wire(httpd.port)
                answer = wire.get(f"/k{i}")
            answers.append(answer)
        wire.close()
        return answers
    for k, answers in enumerate(Crowd(40, rounds).join()):
        for i, answer in zip(range(k * 5, k * 5 + 5), answered(answers)):
            assert answer.body == (b"%d;" % i * 100000)[:size[i]]
    httpd.wait_idle()
    assert len(httpd.access()) == 200


def test_pipelined_requests(httpd, peer):
    """What lies behind a request that waits is no sign that its client left."""
    peer.default = lambda ex: (time.sleep(0.05), ex.send(ajp.answer(ex.request.path)))

    def four(k):
        with client.Wire(httpd.port) as wire:
            for i in range(4):
                wire.request("GET", f"/p{k}-{i}")
            return [wire.answer().text for _ in range(4)]
    for k, texts in enumerate(Crowd(20, four).join()):
        assert texts == [f"/p{k}-{i}" for i in range(4)]


def test_events_reach_the_client_one_by_one(httpd, peer):
    """A stream whose client answers each event by letting the next one go: what was flushed is there before anybody waits."""
    gates = [threading.Event() for _ in range(5)]

    def script(ex):
        ex.send(ajp.send_headers(200, [("Content-Type", "text/event-stream")]))
        for i, gate in enumerate(gates):
            ex.send(ajp.chunk(b"event %d\n" % i) + ajp.FLUSH)
            ex.wait(gate)
        ex.send(ajp.end())
    peer.on("/events", script)
    with client.Wire(httpd.port) as wire:
        wire.request("GET", "/events")
        for i, gate in enumerate(gates):
            while b"event %d" % i not in wire.held:
                wire._more()
            gate.set()
        assert wire.answer().end == "chunked"


# ---- the client leaves ----

def leave(how, sock):
    if how == "goodbye":  # TLS's, and then the end
        sock.settimeout(0.05)
        with contextlib.suppress(OSError):
            sock.unwrap()
    if how == "reset":
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


@pytest.mark.parametrize("how, where", [("close", "plain"), ("reset", "plain"), ("close", "tls"), ("reset", "tls"), ("goodbye", "tls")])
def test_a_client_that_leaves(httpd, peer, how, where):
    """Before anything was answered: the container sees its connection end, the log says 499."""
    here, seen = threading.Event(), []

    def script(ex):
        here.set()
        seen.append(ex.module_closes())
    peer.on("/left", script)
    wire = client.Wire(httpd.tls_port, tls=insecure()) if where == "tls" else client.Wire(httpd.port)
    wire.request("GET", "/left", [("X-Test", how + where)])
    assert here.wait(5)
    time.sleep(0.05)  # it waits without a thread now
    leave(how, wire.sock)
    record = httpd.access_of(how + where)
    assert record and record["status"] == "499" and record["end"] == "X", record
    assert proc.wait_until(lambda: seen == [True], 5), "the container works for nobody"


def test_a_client_that_half_closes_gets_its_answer(httpd, peer):
    """It said all that it has to say, and reads. Its end comes directly behind its request, while a thread still waits in place."""
    peer.on("/half", [SLEEP(0.3), ajp.answer("for you")])
    with client.Wire(httpd.vport) as wire:
        wire.request("GET", "/half", host="later")
        wire.half_close()
        assert wire.answer().text == "for you"


def test_a_client_that_leaves_in_the_middle(httpd, peer):
    seen, here = [], threading.Event()

    def script(ex):
        ex.send(ajp.send_headers() + ajp.chunk(b"part") + ajp.FLUSH)
        here.set()
        seen.append(ex.module_closes())
    peer.on("/mid", script)
    with client.Wire(httpd.port) as wire:
        wire.request("GET", "/mid", [("X-Test", "mid")])
        while b"part" not in wire.held:
            wire._more()
        assert here.wait(5)
    assert httpd.access_of("mid")["status"] == "200"
    assert proc.wait_until(lambda: seen == [True], 5)


# ---- time ----

def test_longer_than_timeout(impatient, peer):
    """The MPM's own patience with a waiting connection is Timeout: nobody must notice."""
    peer.on("/long", [SLEEP(2.3), ajp.answer("at last")])
    answers = Crowd(MANY, lambda i: client.get(impatient.port, "/long")).join()
    assert {a.text for a in answered(answers)} == {"at last"}


def test_reply_timeout(httpd, peer):
    httpd.expect("JK0308")
    httpd.allow("JK0204")
    peer.on("/quick/x", lambda ex: ex.module_closes())
    answers = Crowd(MANY, lambda i: client.ask(httpd.port, "POST", "/quick/x", body=b"once")).join()
    assert {a.status for a in answers} == {504}
    assert peer.deliveries("/quick/x") == MANY


def test_reply_timeout_in_the_middle(httpd, peer):
    httpd.expect("JK0308", "JK0502")
    peer.on("/quick/x", [ajp.send_headers() + ajp.chunk(b"half") + ajp.FLUSH, lambda ex: ex.module_closes()])
    answer = client.get(httpd.port, "/quick/x")
    assert answer.status == 200 and answer.body == b"half" and not answer.complete


@pytest.mark.parametrize("service", ["refused", "deaf"])
def test_connects_that_do_not_succeed(httpd, peer, service):
    """Between two attempts, and while a connect is under way, no thread is held."""
    httpd.expect("JK0202")
    httpd.allow("JK0204")
    crowd = Crowd(MANY, lambda i: client.get(httpd.port, f"/{service}/x"))
    assert proc.wait_until(lambda: waiting(httpd) >= MANY, 5), "they wait without a thread"
    visit(httpd)
    assert {a.status for a in crowd.join()} == {503}


def waiting(httpd):
    """Connections that are there and not worked on, as the status page counts them; two are the page's and the harness's own."""
    out = subprocess.run(["ss", "-Htn", "state", "established", f"sport = :{httpd.port}"], capture_output=True, text=True).stdout
    return len(out.splitlines())


# ---- the container leaves ----

@pytest.mark.parametrize("when", ["before the headers", "in the middle"])
def test_a_container_that_leaves(httpd, peer, when):
    gate = Gate()
    half = [ajp.send_headers() + ajp.chunk(b"half") + ajp.FLUSH] if when == "in the middle" else []
    peer.on("/x", [*half, lambda ex: gate.hold(), CLOSE])
    httpd.expect("JK0307", "JK0502") if half else httpd.expect("JK0306")
    crowd = Crowd(MANY, lambda i: client.ask(httpd.port, "POST", "/x", body=b"once"))
    assert gate.arrived(MANY)
    gate.open()
    answers = crowd.join()
    if half:
        assert all(a.status == 200 and a.body == b"half" and a.end == "no last chunk" for a in answers)
    else:
        assert {a.status for a in answers} == {502}


# ---- clients that read slowly ----

@pytest.mark.parametrize("kind", ["length", "chunked", "tls", "gzip"])
def test_slow_readers(httpd, peer, kind):
    """More than there are threads, none of them reads: others are answered. Then each gets every byte."""
    look_at_slow_readers(httpd, peer, kind)


@pytest.mark.parametrize("kind", ["length", "tls"])
def test_slow_readers_with_a_low_threshold(fresh_httpd, peer, gone, deaf, kind):
    """The core blocks earlier than by default: less may lie in it."""
    look_at_slow_readers(start(fresh_httpd, peer, gone, deaf, "JkParkAfter 0\nFlushMaxThreshold 16384"), peer, kind)


def look_at_slow_readers(httpd, peer, kind):
    path = "/large-length" if kind == "length" else "/large"
    peer.on(path, large)
    port, tls, host, headers = httpd.port, None, None, [("X-Test", "large")]
    if kind == "tls":
        port, tls = httpd.tls_port, insecure()
    if kind == "gzip":
        port, host, headers = httpd.vport, "gzip", [("Accept-Encoding", "gzip"), *headers]
    readers = [Reader(port, path, host, tls, headers) for _ in range(MANY)]
    assert proc.wait_until(lambda: peer.deliveries(path) == MANY, 10)
    for _ in range(5):
        time.sleep(0.05)
        visit(httpd)
    assert not [a for a in httpd.access() if a["test"] == "large"], "none of them can be done: the pieces would all lie in memory"
    for answer in answered(Crowd(MANY, lambda i: readers[i].finish()).join()):
        body = zlib.decompress(answer.body, 31) if kind == "gzip" else answer.body
        assert body == LARGE


def test_stopped_readers_and_a_container_that_drips(httpd, peer):
    """Each drop is flushed. A flush that blocked would hold a thread, and what waits for its turn to wake up."""
    peer.default = normal_or(lambda ex: drip(ex))
    readers = [Reader(httpd.port, f"/drip{i}") for i in range(MANY)]
    peer.on("/late", [SLEEP(0.3), ajp.answer("late")])
    time.sleep(0.5)
    for _ in range(3):
        visit(httpd, "/late")
    for reader in readers:
        leave("reset", reader.wire.sock)


def normal_or(script):
    return lambda ex: script(ex) if ex.request.path.startswith("/drip") else normal(ex)


def drip(ex):
    ex.send(ajp.send_headers())
    for _ in range(400):
        ex.send(ajp.chunk(b"d" * 8000) + ajp.FLUSH)
        time.sleep(0.005)
    ex.send(ajp.end())


@pytest.mark.parametrize("where", ["plain", "tls"])
def test_a_reader_that_stops_is_cut_after_timeout(impatient, peer, where):
    """And its container's connection is closed."""
    impatient.allow("JK0502")
    peer.on("/large", [ajp.send_headers(), lambda ex: (stuff(ex), ex.close())])
    reader = Reader(impatient.tls_port if where == "tls" else impatient.port, "/large", tls=insecure() if where == "tls" else None,
                    headers=[("X-Test", "stopped" + where)])
    record = impatient.access_of("stopped" + where)
    assert record and record["end"] == "X", record
    assert proc.wait_until(lambda: peer.last("/large").connection.closed_by_module.is_set() or peer.last("/large").connection.closed.is_set(), 5)
    reader.wire.close()


def stuff(ex):
    """Sends until nobody takes it any more."""
    try:
        for _ in range(10000):
            ex.send(ajp.chunk(b"s" * 8000))
    except Exception:
        ex.conn.closed_by_module.set()


def test_a_reader_that_is_slow_but_steady_finishes(impatient, peer):
    """It takes longer than Timeout for all of it, and never stops."""
    peer.on("/large-length", large)
    reader = Reader(impatient.port, "/large-length")
    reader.wire._read_head(client.Answer())
    got, begun = bytearray(reader.wire.held), time.monotonic()
    while len(got) < len(LARGE):
        data = reader.wire.sock.recv(20000)
        assert data, f"cut after {len(got)} bytes and {time.monotonic() - begun:.1f} s"
        got += data
        time.sleep(0.02)
    assert len(got) == len(LARGE), f"{len(got) - len(LARGE)} bytes too many"
    assert got == LARGE, next(i for i in range(len(got)) if got[i] != LARGE[i])
    reader.wire.close()


@pytest.mark.skipif(not EVERYTHING, reason="takes long: JK_TEST_ALL=1")
def test_a_reader_behind_a_large_queue_finishes(fresh_httpd, peer):
    """The system takes a lot, and asks for more only when a third of it is gone: longer than Timeout, and no reason to cut."""
    httpd = fresh_httpd(MPM + "SendBufferSize 200000\nJkParkAfter 0\nJkMount /* w", workers=ajp13(w=peer.port), timeout=1)
    whole = LARGE[:450000]
    peer.on("/large", [ajp.send_headers(200, [("Content-Length", str(len(whole)))]), ajp.chunks(whole), ajp.end()])
    reader = Reader(httpd.port, "/large")
    reader.wire._read_head(client.Answer())
    got = bytearray(reader.wire.held)
    while len(got) < len(whole):
        data = reader.wire.sock.recv(1500)
        assert data, f"cut after {len(got)} bytes"
        got += data
        time.sleep(0.05)
    assert got == whole
    reader.wire.close()


@pytest.mark.parametrize("where", ["plain", "tls"])
def test_what_was_flushed_arrives_while_the_container_is_silent(httpd, peer, where):
    """The client was behind when the container stopped: it gets all of it nevertheless."""
    gate, part = Gate(), LARGE[:200000]
    peer.on("/part", [ajp.send_headers() + ajp.chunks(part) + ajp.FLUSH, lambda ex: gate.hold(), ajp.end()])
    reader = Reader(httpd.tls_port if where == "tls" else httpd.port, "/part", tls=insecure() if where == "tls" else None)
    assert gate.arrived(1)
    time.sleep(0.3)
    while len(reader.wire.held) < len(part):
        reader.wire._more()
    gate.open()
    assert reader.finish().body == part


@pytest.mark.parametrize("how", ["close", "reset"])
def test_a_reader_that_leaves(httpd, peer, how):
    peer.on("/large", [ajp.send_headers(), stuff])
    reader = Reader(httpd.port, "/large", headers=[("X-Test", "reader" + how)])
    assert proc.wait_until(lambda: peer.deliveries("/large") == 1, 5)
    time.sleep(0.2)
    leave(how, reader.wire.sock)
    assert httpd.access_of("reader" + how)["end"] == "X"
    assert proc.wait_until(lambda: peer.last("/large").connection.closed_by_module.is_set(), 5)


def test_a_request_behind_a_slow_download(httpd, peer):
    peer.on("/large", large)
    reader = Reader(httpd.port, "/large")
    reader.wire.request("GET", "/after")
    time.sleep(0.2)
    assert reader.wire.answer().body == LARGE
    assert reader.finish().status == 200


# ---- clients that send slowly ----

@pytest.mark.parametrize("kind", ["length", "chunked", "expect", "tls"])
def test_slow_uploads(httpd, peer, kind):
    """More than there are threads, each in the middle of its body: others are answered. Then each body is whole."""
    body = random.Random(3).randbytes(30000)
    port, tls = (httpd.tls_port, insecure()) if kind == "tls" else (httpd.port, None)
    sent = client.in_chunks(body) if kind == "chunked" else body
    length = "Transfer-Encoding: chunked" if kind == "chunked" else f"Content-Length: {len(body)}"
    expect = "Expect: 100-continue\r\n" if kind == "expect" else ""
    wires = []
    for _ in range(MANY):
        wire = client.Wire(port, tls=tls)
        wires.append(wire)
        wire.send(f"POST /up HTTP/1.1\r\nHost: x\r\n{expect}{length}\r\n\r\n")
        if kind == "expect":
            assert wire._line() == "HTTP/1.1 100 Continue" and wire._line() == ""
    for piece in (sent[:9], sent[9:100], sent[100:9000]):
        for wire in wires:
            wire.send(piece)
        visit(httpd)
    for wire in wires:
        wire.send(sent[9000:])
    for wire in wires:
        answer = wire.answer()
        assert answer.status == 200 and f'"sha256": "{hashlib.sha256(body).hexdigest()}"' in answer.text
        wire.close()


def test_an_upload_that_stops_is_ended_after_timeout(impatient, peer):
    with client.Wire(impatient.port) as wire:
        wire.send("POST /up HTTP/1.1\r\nHost: x\r\nX-Test: stops\r\nContent-Length: 1000\r\n\r\nhalf")
        assert wire.answer().status == 408 and wire.at_end()
    assert peer.deliveries("/up") == 0


def test_an_upload_that_is_given_up(httpd, peer):
    with client.Wire(httpd.port) as wire:
        wire.send("POST /up HTTP/1.1\r\nHost: x\r\nX-Test: gives-up\r\nContent-Length: 1000\r\n\r\nhalf")
        time.sleep(0.1)
    assert httpd.access_of("gives-up")["status"] == "400"
    assert peer.deliveries("/up") == 0


def test_reqtimeout(fresh_httpd, peer):
    """Its clock runs only when it is asked."""
    more = "JkParkAfter 0\nRequestReadTimeout body=1\nJkMount /* w"
    httpd = fresh_httpd(MPM + more, workers=ajp13(w=peer.port), modules=["reqtimeout"], timeout=60)
    with client.Wire(httpd.port) as wire:
        wire.send("POST /up HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nhalf")
        assert wire.answer().status in (400, 408)


# ---- connections ----

def test_waiting_for_a_connection_of_the_pool(httpd, peer):
    gate = Gate()
    peer.default = lambda ex: (gate.hold(), ex.send(ajp.answer(ex.request.path)))
    peer.on("/visitor", [ajp.answer("hello")])
    crowd = Crowd(MANY, lambda i: client.get(httpd.port, f"/narrow/{i}"))
    assert gate.arrived(2) and proc.wait_until(lambda: waiting(httpd) >= MANY, 5)
    visit(httpd)
    gate.open()
    for i, answer in enumerate(answered(crowd.join())):
        assert answer.text == f"/narrow/{i}"
    assert gate.most == 2


def test_waiting_in_vain_for_a_connection(httpd, peer):
    httpd.expect("JK0203")
    gate = Gate()
    peer.default = lambda ex: (gate.hold(), ex.send(ajp.answer(ex.request.path)))
    first = Crowd(2, lambda i: client.get(httpd.port, f"/hasty/{i}"))
    assert gate.arrived(2)
    assert {a.status for a in Crowd(MANY, lambda i: client.get(httpd.port, "/hasty/x")).join()} == {503}
    gate.open()
    answered(first.join())


def test_a_waiter_that_leaves_takes_nothing_with_it(httpd, peer):
    gate = Gate()
    peer.default = lambda ex: (gate.hold(), ex.send(ajp.answer(ex.request.path)))
    first = Crowd(2, lambda i: client.get(httpd.port, f"/narrow/{i}"))
    assert gate.arrived(2)
    for i in range(5):
        with client.Wire(httpd.port) as wire:
            wire.request("GET", "/narrow/leaves", [("X-Test", f"leaves{i}")])
            time.sleep(0.05)
        assert httpd.access_of(f"leaves{i}")["status"] == "499"
    gate.open()
    answered(first.join())
    answered(Crowd(MANY, lambda i: client.get(httpd.port, f"/narrow/{i}")).join())


def test_pings_are_waited_for_without_a_thread(httpd, peer):
    client.get(httpd.port, "/prepost/warm")
    gate = Gate()
    peer.on_ping = lambda conn: (gate.hold(), conn.send(ajp.CPONG))
    crowd = Crowd(MANY, lambda i: client.get(httpd.port, "/prepost/x"))
    assert gate.arrived(MANY)
    visit(httpd)
    gate.open()
    answered(crowd.join())


# ---- a balancer ----

@pytest.fixture(scope="module")
def pair(make_httpd, make_peer):
    peers = make_peer(name="m1"), make_peer(name="m2")
    text = lb("b", {"m1": peers[0].port, "m2": peers[1].port}, {"retry_interval": 50, "method": "Busyness", "retry_budget": 0})
    more = 'JkParkAfter 0\nJkMount /* b\nJkNotes On\nHeader always set X-Busy "expr=%{note:JK_LB_LAST_BUSY}"'
    return make_httpd(MPM + more, workers=text), *peers


def test_failover_of_requests_that_wait(pair):
    """A member dies with many requests in its hands: the other one answers them, and the books balance."""
    httpd, m1, m2 = pair
    httpd.expect("JK0306")
    httpd.allow("JK0204", "JK0602")
    gate = Gate()
    m1.default = lambda ex: (gate.hold(), ex.close())
    m2.default = lambda ex: ex.send(ajp.answer("m2"))
    m2.on("/first", lambda ex: (gate.hold(), ex.send(ajp.answer("m2"))))
    crowd = Crowd(MANY, lambda i: client.get(httpd.port, "/first"))
    assert gate.arrived(MANY)
    gate.open()
    answers = crowd.join()
    assert {a.status for a in answers} <= {200, 502} and any(a.status == 200 for a in answers)
    m1.default = m2.default
    last = client.get(httpd.port, "/last")
    assert last.status == 200 and last.header("X-Busy") == "0", last


# ---- where it has to wait in place ----

def test_http2_streams(httpd, peer):
    if not shutil.which("nghttp"):
        pytest.skip("no nghttp (nghttp2-client, nghttp2)")
    peer.default = lambda ex: (time.sleep(0.1), ex.send(ajp.answer(ex.request.path + "\n")))
    urls = [f"http://127.0.0.1:{httpd.vport}/s{i}" for i in range(1, 6)]
    out = subprocess.run(["nghttp", "--no-dep", "-H", "Host: h2c", *urls], capture_output=True, timeout=20).stdout
    assert sorted(out.decode().split()) == [f"/s{i}" for i in range(1, 6)]


def test_sub_requests(httpd, peer):
    peer.default = lambda ex: (time.sleep(0.1), ex.send(ajp.answer(ex.request.path, headers=[("Content-Type", "text/plain")])))
    answer = client.get(httpd.vport, "/page.shtml", host="include")
    assert answer.status == 200 and answer.text == "[/part/a][/part/b]"


def test_error_documents(httpd, peer):
    """A redirect inside the server, to a page of the container."""
    peer.on("/page/missing", [SLEEP(0.1), ajp.answer("it is not here", status=404)])
    answer = client.get(httpd.vport, "/nothing", host="pages")
    assert answer.status == 404 and answer.text == "it is not here"


def test_error_document_of_a_request_that_waited(httpd, peer):
    """The status without a body of a request that waited brings httpd's own page."""
    peer.on("/page/x", [SLEEP(0.1), ajp.answer(b"", status=404)])
    peer.on("/page/missing", [SLEEP(0.1), ajp.answer("not there either", status=404)])
    with client.Wire(httpd.vport) as wire:
        answer = wire.get("/page/x", host="pages")
        assert answer.status == 404 and answer.text == "not there either"
        assert wire.get("/page/missing", host="pages").text == "not there either", "the connection lives on"


def test_off(httpd, peer):
    """JkPark Off holds a thread for each: with all of them held nobody else is answered."""
    httpd.allow("AH00484")  # MaxRequestWorkers is reached
    gate = Gate()
    peer.on("/x", held(gate, lambda r: "x"))
    crowd = Crowd(THREADS, lambda i: client.get(httpd.vport, "/x", host="off"))
    assert gate.arrived(THREADS)
    with client.Wire(httpd.port, timeout=0.5) as wire:
        wire.request("GET", "/visitor")
        with pytest.raises(TimeoutError):
            wire.answer()
    gate.open()
    answered(crowd.join())


def test_more_than_may_wait(fresh_httpd, peer):
    """Beyond JkParkMax requests wait in place."""
    httpd = fresh_httpd(MPM + "JkParkAfter 0\nJkMount /* w\nJkParkMax 3", workers=ajp13(w=peer.port))
    gate = Gate()
    peer.on("/x", held(gate, lambda r: "x"))
    crowd = Crowd(THREADS + 2, lambda i: client.get(httpd.port, "/x"))
    assert gate.arrived(THREADS + 2)
    gate.open()
    answered(crowd.join())


# ---- restarts ----

def test_graceful_restarts_under_load(fresh_httpd, peer):
    """Requests that wait go on in the old process, to their end."""
    httpd = fresh_httpd(MPM + "JkParkAfter 0\nJkMount /* w", workers=ajp13(w=peer.port))
    peer.on("/large", large)
    peer.default = lambda ex: (time.sleep(random.random() / 5), ex.send(ajp.answer(ex.request.path)))
    readers = [Reader(httpd.port, "/large") for _ in range(MANY)]
    stop = threading.Event()

    def go(i):
        n = 0
        while not stop.is_set():
            answer = client.get(httpd.port, f"/{i}")
            assert answer.status == 200 and answer.text == f"/{i}", answer
            n += 1
        return n
    crowd = Crowd(30, go)
    for _ in range(2):
        time.sleep(0.3)
        before = httpd.generations()
        os.kill(httpd.pid, 10)
        assert proc.wait_until(lambda: httpd.generations() > before, 10)
    reading = Crowd(MANY, lambda i: readers[i].finish())
    for answer in answered(reading.join()):
        assert answer.body == LARGE
    stop.set()
    assert all(n > 0 for n in crowd.join())
    assert proc.wait_until(lambda: len(proc.children_of(httpd.pid)) == 1, 10), "the old processes leave"


def test_a_silent_container_does_not_keep_an_old_process(fresh_httpd, peer):
    """An endless poll would keep it for ever."""
    httpd = fresh_httpd(MPM + "JkParkAfter 0\nJkMount /* w", workers=ajp13(w=peer.port), timeout=1)
    here = threading.Event()
    peer.on("/poll", lambda ex: (here.set(), ex.module_closes(10)))
    crowd = Crowd(1, lambda i: client.get(httpd.port, "/poll"))
    assert here.wait(5)
    httpd.graceful()
    assert crowd.join()[0].status == 504


def test_stop(fresh_httpd, peer):
    """Clients are cut; the processes end well."""
    httpd = fresh_httpd(MPM + "JkParkAfter 0\nJkMount /* w", workers=ajp13(w=peer.port))
    gate = Gate()
    peer.on("/x", held(gate, lambda r: "x"))
    peer.on("/large", large)
    readers = [Reader(httpd.port, "/large") for _ in range(5)]
    crowd = Crowd(MANY, lambda i: client.get(httpd.port, "/x"))
    assert gate.arrived(MANY)
    time.sleep(0.1)
    assert httpd.stop(), "httpd did not stop when asked"
    assert {a.end for a in crowd.join()} <= {"no answer", "reset"}
    gate.open()
    for reader in readers:
        reader.wire.close()
    assert not [line for line in httpd.error_log.lines() if "exit signal" in line]


# ---- what is left behind ----

def test_nothing_is_left_behind(httpd, peer):
    peer.default = lambda ex: (time.sleep(0.02), ex.send(ajp.answer(ex.request.path)))

    def load():
        answered(Crowd(60, lambda i: client.get(httpd.port, f"/{i}")).join())
        httpd.wait_idle()
        peer.close_idle()
        client.get(httpd.port, "/one")  # finds them closed
        time.sleep(0.1)
        return fds(child_of(httpd))
    load()
    before = load()
    after = [load() for _ in range(3)]
    assert min(after) <= before + 2, (before, after)


# ---- what is said ----

def test_an_mpm_that_cannot(fresh_httpd, peer):
    httpd = fresh_httpd("JkMount /* w\nJkPark On", workers=ajp13(w=peer.port), mpm="worker", startup=["JK0701"])
    assert len([line for line in httpd.jk_log.lines() if "JK0701" in line]) == 1
    assert client.get(httpd.port, "/x").status == 200
    quiet = fresh_httpd("JkMount /* w", workers=ajp13(w=peer.port), mpm="worker")
    assert not [line for line in quiet.jk_log.lines() if "JK07" in line]


def test_what_the_mpm_takes_is_told(fresh_httpd, peer):
    httpd = fresh_httpd("JkMount /* w\nJkParkMax 1000", workers=ajp13(w=peer.port))
    assert httpd.jk_log.text().count("set AsyncRequestWorkerFactor to 40") == 1


@pytest.mark.parametrize("line, words", [("JkPark Maybe", "allowed: Auto, On, Off"), ("JkParkAfter soon", "not a number"),
                                         ("<VirtualHost *>\nJkParkMax 3\n</VirtualHost>", "cannot occur within")])
def test_directives(fresh_httpd, peer, line, words):
    httpd = fresh_httpd(line, workers=ajp13(w=peer.port), start=False)
    code, said = httpd.configtest()
    assert code != 0 and words in said, said
