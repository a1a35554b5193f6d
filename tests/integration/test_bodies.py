"""Request bodies: what goes to the container and when, and what happens where a client does not keep its word."""
import hashlib
import json
import os
import threading

import pytest
from lib import ajp, client, proc
from lib.ajp_peer import Gone, RefusedPort
from lib.workers import ajp13

SIZES = [0, 1, 8185, 8186, 8187, 65536, 1048576]


@pytest.fixture(scope="module")
def peer(make_peer):
    return make_peer()


@pytest.fixture(scope="module")
def httpd(make_httpd, peer):
    down = RefusedPort()
    yield make_httpd("JkMount /* w\nJkMount /down/* down", workers=ajp13(w=peer.port, down=down.port))
    down.stop()


def bytes_of(n):
    """n bytes in which a lost or doubled piece shows."""
    return (hashlib.sha256(str(n).encode()).digest() * (n // 32 + 1))[:n]


def check_echo(answer, body):
    assert answer.status == 200 and answer.complete, answer
    told = json.loads(answer.text)
    assert (told["length"], told["sha256"]) == (len(body), hashlib.sha256(body).hexdigest())


@pytest.mark.parametrize("size", SIZES)
def test_with_a_length(httpd, peer, size):
    """The first packet follows unasked and is as full as it can be; no packet is longer than a packet."""
    body = bytes_of(size)
    check_echo(client.ask(httpd.port, "POST", "/cl", body=body), body)
    r = peer.last("/cl")
    assert r.length == size
    assert r.packets[:1] == ([min(size, ajp.MAX_BODY)] if size else [])


@pytest.mark.parametrize("size", SIZES)
def test_chunked(httpd, peer, size):
    """Of unknown length: nothing is sent before it is asked for, and no Content-Length is invented."""
    body = bytes_of(size)

    def script(ex):
        ex.read_body()
        ex.send(ajp.answer(json.dumps({"length": len(ex.request.body), "sha256": hashlib.sha256(ex.request.body).hexdigest()})))

    peer.on("/chunked", script)
    check_echo(client.ask(httpd.port, "POST", "/chunked", body=body, chunked=True), body)
    assert peer.last("/chunked").length is None


def test_nothing_unasked_for_a_chunked_body(httpd, peer):
    """A packet before the first GET_BODY_CHUNK would be taken for the next request."""
    seen = []

    def script(ex):
        ex.conn.sock.settimeout(0.2)
        try:
            seen.append(ex.conn.sock.recv(1))
        except TimeoutError:
            pass
        ex.conn.sock.settimeout(None)
        ex.read_body()
        ex.send(ajp.answer())

    peer.on("/unasked", script)
    assert client.ask(httpd.port, "POST", "/unasked", body=b"x" * 100, chunked=True).status == 200
    assert not seen


@pytest.mark.parametrize("asked", [1, 7, 4095, 8186, 8192, 65535])
def test_odd_sizes_asked_for(httpd, peer, asked):
    """A container may ask for any size: it never gets more than that, or than a packet, or than there is."""
    body = bytes_of(8186 + (50 if asked == 1 else 20000))
    peer.on("/odd", lambda ex: (ex.read_body(asked), ex.send(ajp.answer(hashlib.sha256(ex.request.body).hexdigest()))))
    answer = client.ask(httpd.port, "POST", "/odd", body=body)
    assert answer.text == hashlib.sha256(body).hexdigest()
    packets = peer.last("/odd").packets
    assert packets[1:-1] == [min(asked, ajp.MAX_BODY)] * len(packets[1:-1]), "asked sizes are filled"


def test_asking_beyond_the_end(httpd, peer):
    """After the end each further question gets an empty packet: the container must not wait for ever."""
    more = []

    def script(ex):
        ex.read_body()
        more.extend(ex.get_body() for _ in range(3))
        ex.send(ajp.answer())

    peer.on("/beyond", script)
    assert client.ask(httpd.port, "POST", "/beyond", body=b"abc").status == 200
    assert client.ask(httpd.port, "POST", "/beyond", body=b"abc", chunked=True).status == 200
    assert more == [b""] * 6


def test_a_get_with_a_body(httpd, peer):
    """Odd but allowed: the body belongs to this request and not to the next one."""
    with client.Wire(httpd.port) as wire:
        check_echo(wire.ask("GET", "/body", body=b"abc"), b"abc")
        check_echo(wire.ask("GET", "/nobody"), b"")


@pytest.mark.parametrize("chunked", [False, True], ids=["length", "chunked"])
@pytest.mark.parametrize("size", [100, 8187, 300000])
def test_an_unread_body_is_drained(httpd, peer, size, chunked):
    """A container that answers without reading: the next request on the client's connection is read where it begins."""
    peer.on("/unread", lambda ex: (ex.first_packet(), ex.send(ajp.answer("unread"))))
    with client.Wire(httpd.port) as wire:
        assert wire.ask("POST", "/unread", body=bytes_of(size), chunked=chunked).text == "unread"
        check_echo(wire.ask("POST", "/next", body=b"next"), b"next")
    assert peer.last("/next").body == b"next"


def test_answer_before_the_body_is_read(httpd, peer):
    """Headers and half of the answer may come before the container asks for the body."""
    def script(ex):
        ex.first_packet()
        ex.send(ajp.send_headers() + ajp.chunk(b"early ") + ajp.FLUSH)
        ex.read_body()
        ex.send(ajp.chunk(b"%d" % len(ex.request.body)) + ajp.end())

    peer.on("/early", script)
    assert client.ask(httpd.port, "POST", "/early", body=bytes_of(20000)).text == "early 20000"


# ---- Expect: 100-continue ----

def test_100_continue_when_the_backend_is_there(httpd, peer):
    """The client waits for leave to send; it gets it once there is a connection to the backend."""
    with client.Wire(httpd.port) as wire:
        wire.send("POST /expect HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n")
        assert wire._line().startswith("HTTP/1.1 100") and wire._line() == ""
        wire.send("abc")
        check_echo(wire.answer(), b"abc")


@pytest.mark.differs("100 Continue was sent before the backend was tried")
def test_no_100_continue_when_the_backend_is_down(httpd, peer):
    """A client that waits for leave is spared the upload: 503 and nothing before it."""
    httpd.expect("connecting to backend failed")
    httpd.allow("down")
    with client.Wire(httpd.port, timeout=5) as wire:
        wire.send("POST /down/x HTTP/1.1\r\nHost: x\r\nContent-Length: 3000000\r\nExpect: 100-continue\r\n\r\n")
        answer = wire.answer()
    assert (answer.status, answer.interim) == (503, [])


# ---- clients that fail ----

@pytest.mark.differs("FORWARD_REQUEST had been written before the body was read")
def test_client_fails_before_anything_was_written(httpd, peer):
    """The first packet is read before the request goes out: nothing reaches the backend, and its connection stays clean."""
    client.get(httpd.port, "/warm")
    with client.Wire(httpd.port) as wire:
        wire.send("POST /gone HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc")
        wire.half_close()
        assert wire.answer().status == 400
    assert peer.deliveries("/gone") == 0
    check_echo(client.get(httpd.port, "/after"), b"")
    assert len(peer.used_connections()) == 1 or httpd.mpm == "prefork", "the connection was kept"


def body_ends_badly(seen, done):
    """A script that reads the body, and notes how it ended and that the connection ends too."""
    def script(ex):
        try:
            ex.first_packet()
            while ex.get_body():
                pass
            seen["end"] = "empty packet"
        except Gone:
            seen["end"] = "closed"
        seen["closed"] = ex.module_closes()
        done.set()
    return script


@pytest.mark.differs("the connection was closed without a word")
def test_client_fails_later(httpd, peer):
    """The container waits for the rest: it gets an empty packet at once, and then the end of the connection
    (CVE-2008-5519: the connection must not be used again)."""
    seen, done = {}, threading.Event()

    peer.on("/later", body_ends_badly(seen, done))
    with client.Wire(httpd.port) as wire:
        wire.send("POST /later HTTP/1.1\r\nHost: x\r\nContent-Length: 20000\r\n\r\n" + "x" * 10000)
        wire.half_close()
        answer = wire.answer()
    assert done.wait(10) and seen == {"end": "empty packet", "closed": True}
    assert answer.status in (400, None), "400, or the connection just ends"
    assert peer.deliveries("/later") == 1
    check_echo(client.get(httpd.port, "/after"), b"")


def test_malformed_chunks(httpd, peer):
    """A chunk's size that is none: the body ends with an error, not as if it were whole."""
    seen, done = {}, threading.Event()
    peer.on("/malformed", body_ends_badly(seen, done))
    with client.Wire(httpd.port) as wire:
        wire.send("POST /malformed HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nzz\r\nabc\r\n0\r\n\r\n")
        answer = wire.answer()
    assert done.wait(10) and seen["closed"], "the container must not take it for a whole body"
    assert answer.status in (400, None)


def test_client_goes_away_during_the_answer(httpd, peer):
    """Nobody reads any more: the backend's connection is closed, and others are not disturbed."""
    seen = {}
    gone, done = threading.Event(), threading.Event()

    def script(ex):
        ex.send(ajp.send_headers() + ajp.chunk(b"begin") + ajp.FLUSH)
        ex.wait(gone)
        try:
            for _ in range(3000):
                ex.send(ajp.chunk(b"x" * 8000))
        finally:
            seen["closed"] = ex.module_closes()
            done.set()

    peer.on("/away", script)
    wire = client.Wire(httpd.port)
    wire.request("GET", "/away")
    assert proc.wait_until(lambda: peer.deliveries("/away"))
    wire._read_head(client.Answer())
    wire.sock.setsockopt(1, 13, b"\1\0\0\0\0\0\0\0")  # SO_LINGER 0: ends with a RST
    wire.close()
    gone.set()
    assert done.wait(20) and seen["closed"]
    check_echo(client.get(httpd.port, "/after"), b"")


def test_many_uploads_at_once(httpd, peer):
    """Bodies do not get mixed up."""
    results = []

    def one(i):
        body = os.urandom(1) * (10000 + 137 * i)
        answer = client.ask(httpd.port, "POST", f"/many/{i}", body=body, chunked=bool(i % 2))
        results.append(json.loads(answer.text)["sha256"] == hashlib.sha256(body).hexdigest())

    threads = [threading.Thread(target=one, args=(i,)) for i in range(20)]
    for t in threads:
        t.start()
    for t in threads:
        t.join(30)
    assert results == [True] * 20
