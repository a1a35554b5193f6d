"""Request bodies: what goes to the container and when, and what happens where a client does not keep its word."""
import gzip
import hashlib
import json
import os
import random
import threading
import time
import zlib

import pytest
from lib import ajp, client, proc, tools
from lib.ajp_peer import Gone, RefusedPort
from lib.workers import ajp13

SIZES = [0, 1, 8185, 8186, 8187, 65536, 1048576]
LARGE_PACKET = 65536
EVERYTHING = os.environ.get("JK_TEST_ALL") == "1"


@pytest.fixture(scope="module")
def peer(make_peer):
    return make_peer()


@pytest.fixture(scope="module")
def large_peer(make_peer):
    """A container whose packetSize is the largest."""
    return make_peer(name="large", max_packet=LARGE_PACKET)


@pytest.fixture(scope="module")
def httpd(make_httpd, peer, large_peer):
    down = RefusedPort()
    workers = {"w": peer.port, "down": down.port, "large": {"port": large_peer.port, "max_packet_size": LARGE_PACKET}}
    config = "JkMount /* w\nJkMount /down/* down\nJkMount /large/* large"
    vhosts = {
        "plain": "JkMount /* w",
        "ignorecl": "JkMount /* w\nSetEnvIf Request_URI . JK_IGNORE_CL=1",
        "inflate": "JkMount /* w\n<Location />\n  SetInputFilter DEFLATE\n</Location>",
    }
    config += "\nLimitRequestBody 0"
    yield make_httpd(config, workers=ajp13(**workers), vhosts=vhosts)
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


def only_count(most):
    """A script that counts the body and takes its checksum, and keeps none of it."""
    def script(ex):
        total = crc = 0
        left = ex.request.length
        first = bool(left)
        while left is None or left > 0:
            if not first:
                ex.send(ajp.get_body(most))
            first = False
            payload = ex.conn.read_packet()
            if payload is None:
                raise Gone("in the body")
            data = memoryview(payload)[2:]
            if not len(data):
                break
            total, crc = total + len(data), zlib.crc32(data, crc)
            left = left and left - len(data)
        ex.send(ajp.answer(json.dumps({"length": total, "crc": crc})))
    return script


BLOCK = bytes(range(256)) * 4096  # 1 MB


def upload(httpd, path, blocks, chunked, timeout=60):
    """Sends BLOCK so many times; (answer, the checksum of all)."""
    crc = 0
    with client.Wire(httpd.port, timeout=timeout) as wire:
        length = "Transfer-Encoding: chunked" if chunked else f"Content-Length: {len(BLOCK) * blocks}"
        wire.send(f"POST {path} HTTP/1.1\r\nHost: x\r\n{length}\r\n\r\n")
        framed = b"%x\r\n%s\r\n" % (len(BLOCK), BLOCK) if chunked else BLOCK
        for _ in range(blocks):
            crc = zlib.crc32(BLOCK, crc)
            wire.send(framed)
        if chunked:
            wire.send("0\r\n\r\n")
        return wire.answer(), crc


def check_upload(answer, blocks, crc):
    assert answer.status == 200 and answer.complete, answer
    assert json.loads(answer.text) == {"length": len(BLOCK) * blocks, "crc": crc}


@pytest.mark.parametrize("chunked", [False, True], ids=["length", "chunked"])
def test_100_mb(httpd, large_peer, chunked):
    """Nothing of it is gathered anywhere, and nothing is lost."""
    large_peer.on("/large/x", only_count(LARGE_PACKET - 6))
    answer, crc = upload(httpd, "/large/x", 100, chunked)
    check_upload(answer, 100, crc)


def test_100_mb_in_usual_packets(httpd, peer):
    peer.on("/x", only_count(ajp.MAX_BODY))
    answer, crc = upload(httpd, "/x", 100, False)
    check_upload(answer, 100, crc)


@pytest.mark.skipif(not EVERYTHING, reason="takes long: JK_TEST_ALL=1")
@pytest.mark.parametrize("chunked", [False, True], ids=["length", "chunked"])
def test_5_gb(httpd, large_peer, chunked):
    """More than 32 bits of length."""
    began = time.monotonic()
    large_peer.on("/large/x", only_count(LARGE_PACKET - 6))
    answer, crc = upload(httpd, "/large/x", 5 * 1024, chunked, timeout=120)
    check_upload(answer, 5 * 1024, crc)
    assert time.monotonic() - began < 180


@pytest.mark.parametrize("size", [*SIZES, LARGE_PACKET - 7, LARGE_PACKET - 6, LARGE_PACKET - 5])
@pytest.mark.parametrize("chunked", [False, True], ids=["length", "chunked"])
def test_large_packets(httpd, large_peer, size, chunked):
    """max_packet_size 65536: the first packet is as full as that."""
    body = bytes_of(size)
    if chunked:
        large_peer.on("/large/x", only_count(LARGE_PACKET - 6))
    answer = client.ask(httpd.port, "POST", "/large/x", body=body, chunked=chunked)
    if chunked:
        assert json.loads(answer.text) == {"length": size, "crc": zlib.crc32(body)}
    else:
        check_echo(answer, body)
        assert large_peer.last("/large/x").packets[:1] == ([min(size, LARGE_PACKET - 6)] if size else [])


@pytest.mark.differs("Transfer-Encoding and Trailer were forwarded")
def test_chunked_with_trailers(httpd, peer):
    """Trailers belong to the body's framing: they end it, and are no beginning of the next request."""
    with client.Wire(httpd.port) as wire:
        for _ in range(2):
            wire.send("POST /trailers HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n"
                      "3;ext=1\r\nabc\r\n2\r\nde\r\n0\r\nX-Sum: 1\r\nX-More: 2\r\n\r\n")
            check_echo(wire.answer(), b"abcde")
        check_echo(wire.ask("GET", "/next"), b"")
    r = peer.last("/trailers")
    assert r.length is None
    assert not {"trailer", "transfer-encoding", "x-sum"} & {n.lower() for n, _ in r.headers}


@pytest.mark.parametrize("chunked", [False, True], ids=["length", "chunked"])
def test_a_slow_client(httpd, peer, chunked):
    """What comes in drops arrives whole, and is not sent on in drops."""
    body = bytes_of(9000)
    with client.Wire(httpd.port) as wire:
        wire.send("POST /slow HTTP/1.1\r\nHost: x\r\n" +
                  ("Transfer-Encoding: chunked\r\n\r\n" if chunked else f"Content-Length: {len(body)}\r\n\r\n"))
        for i in range(0, len(body), 300):
            piece = body[i:i + 300]
            wire.send(b"%x\r\n%s\r\n" % (len(piece), piece) if chunked else piece)
            time.sleep(0.003)
        if chunked:
            wire.send("0\r\n\r\n")
        check_echo(wire.answer(), body)
    if not chunked:
        assert peer.last("/slow").packets[0] == ajp.MAX_BODY, "packets are filled"


def test_jkbackend_echoes(make_httpd):
    """The project's own backend, with both sizes of packets: the body comes back as it went."""
    ends = {"small": tools.Backend(), "big": tools.Backend("--packet-size", str(LARGE_PACKET))}
    try:
        workers = {"small": ends["small"].port, "big": {"port": ends["big"].port, "max_packet_size": LARGE_PACKET}}
        httpd = make_httpd("JkMount /small/* small\nJkMount /big/* big", workers=ajp13(**workers))
        for name in ends:
            for size in (*SIZES, 65529, 65530, 65531):
                for chunked in (False, True):
                    body = bytes_of(size)
                    answer = client.ask(httpd.port, "POST", f"/{name}/echo", body=body, chunked=chunked)
                    assert (answer.status, answer.complete, answer.body == body) == (200, True, True), (name, size, chunked, answer)
    finally:
        for end in ends.values():
            end.stop()


# ---- the length is not what it seems ----

@pytest.mark.parametrize("size", [1, 8186, 8187, 65536])
def test_ignore_cl(httpd, peer, size):
    """JK_IGNORE_CL: as if the length were not known."""
    body = bytes_of(size)
    check_echo(client.ask(httpd.vport, "POST", "/ignore", body=body, host="ignorecl"), body)
    r = peer.last("/ignore")
    assert r.length is None and not r.all("Content-Length")


def test_ignore_cl_without_a_body(httpd, peer):
    """There is nothing to ignore: a request without a body keeps its Content-Length of 0."""
    check_echo(client.get(httpd.vport, "/ignore", host="ignorecl"), b"")
    assert peer.last("/ignore").length == 0


def packed_and_not(size):
    """A body of this size that gzip makes about half as long."""
    body = random.Random(size).randbytes(size // 2).hex().encode()
    return gzip.compress(body), body


@pytest.mark.differs("the client's Content-Length, of the packed body, cut the inflated one", only="length")
@pytest.mark.parametrize("chunked", [False, True], ids=["length", "chunked"])
@pytest.mark.parametrize("size", [100, 8186, 300000])
def test_inflated_on_the_way(httpd, peer, size, chunked):
    """SetInputFilter DEFLATE: the container gets more bytes than the client's Content-Length says."""
    packed, body = packed_and_not(size)
    answer = client.ask(httpd.vport, "POST", "/packed", [("Content-Encoding", "gzip")], body=packed, host="inflate",
                        chunked=(8192,) if chunked else False)
    check_echo(answer, body)


@pytest.mark.differs("an empty brigade was taken for the end of the body")
def test_inflated_from_small_pieces(httpd, peer):
    """mod_deflate answers a blocking read with an empty brigade where a piece inflates to nothing yet."""
    packed, body = packed_and_not(300000)
    check_echo(client.ask(httpd.vport, "POST", "/packed", [("Content-Encoding", "gzip")], body=packed, host="inflate", chunked=True), body)


@pytest.mark.parametrize("chunked", [False, True], ids=["length", "chunked"])
def test_broken_gzip(httpd, peer, chunked):
    """A body that cannot be inflated ends with an error at both ends, not as if it were whole."""
    seen, done = {}, threading.Event()
    peer.on("/packed", body_ends_badly(seen, done))
    packed = bytearray(gzip.compress(os.urandom(100000)))
    packed[40000:40100] = b"\xff" * 100
    httpd.allow("AH0138[0-9]|AH0139[0-9]|deflate")
    answer = client.ask(httpd.vport, "POST", "/packed", [("Content-Encoding", "gzip")], body=bytes(packed), host="inflate", chunked=chunked)
    assert answer.status in (400, None)
    assert done.wait(10) and seen["closed"] and peer.deliveries("/packed") == 1


@pytest.mark.parametrize("asked", [1, 7, 4095, 8186, 8192, 65535])
def test_odd_sizes_asked_for(httpd, peer, asked):
    """A container may ask for any size: it never gets more than that, or than a packet, or than there is."""
    body = bytes_of(8186 + (50 if asked == 1 else 20000))
    peer.on("/odd", lambda ex: (ex.read_body(asked), ex.send(ajp.answer(hashlib.sha256(ex.request.body).hexdigest()))))
    answer = client.ask(httpd.port, "POST", "/odd", body=body)
    assert answer.text == hashlib.sha256(body).hexdigest()
    packets = peer.last("/odd").packets
    assert packets[1:-1] == [min(asked, ajp.MAX_BODY)] * len(packets[1:-1]), "asked sizes are filled"


@pytest.mark.parametrize("chunked", [False, True], ids=["length", "chunked"])
def test_asking_for_nothing(httpd, peer, chunked):
    """GET_BODY_CHUNK of 0: no byte is lost, and the body goes on after it."""
    body, got = bytes_of(20000), []

    def script(ex):
        ex.first_packet()
        got.append(ex.get_body(0))
        ex.read_body()
        ex.send(ajp.answer(hashlib.sha256(ex.request.body).hexdigest()))

    peer.on("/nothing", script)
    assert client.ask(httpd.port, "POST", "/nothing", body=body, chunked=chunked).text == hashlib.sha256(body).hexdigest()
    assert got == [b""] or chunked, "of a known length never more than was asked for"


@pytest.mark.parametrize("asked", [1, 7, 4000, 65535])
@pytest.mark.parametrize("chunked", [False, True], ids=["length", "chunked"])
def test_more_asked_than_is_left(httpd, peer, asked, chunked):
    """The rest, then the empty packet, and the connection is good for the next request."""
    body = bytes_of(8186 + 5)
    peer.on("/rest", lambda ex: (ex.read_body(8186), ex.get_body(asked), ex.get_body(asked),
                                 ex.send(ajp.answer(hashlib.sha256(ex.request.body).hexdigest()))))
    with client.Wire(httpd.port) as wire:
        assert wire.ask("POST", "/rest", body=body, chunked=chunked).text == hashlib.sha256(body).hexdigest()
        assert peer.last("/rest").packets[-2:] == [0, 0]
        check_echo(wire.ask("POST", "/next", body=b"next"), b"next")
    assert len(peer.used_connections()) == 1


def test_asking_where_there_is_no_body(httpd, peer):
    """A container that asks for the body of a GET gets the empty packet."""
    got = []
    peer.on("/none", lambda ex: (got.append(ex.get_body()), ex.send(ajp.answer("ok"))))
    with client.Wire(httpd.port) as wire:
        assert wire.get("/none").text == "ok"
        check_echo(wire.get("/next"), b"")
    assert got == [b""] and len(peer.used_connections()) == 1


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


def test_100_continue_comes_once(httpd, peer):
    """Also for a body that the container reads late, and of unknown length."""
    peer.on("/expect", lambda ex: (time.sleep(0.05), ex.read_body(), ex.send(ajp.answer(ex.request.body))))
    with client.Wire(httpd.port) as wire:
        wire.send("POST /expect HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n")
        assert wire._line().startswith("HTTP/1.1 100") and wire._line() == ""
        wire.send("3\r\nabc\r\n")
        time.sleep(0.02)
        wire.send("3\r\ndef\r\n0\r\n\r\n")
        answer = wire.answer()
        assert (answer.status, answer.interim, answer.text) == (200, [], "abcdef")
        check_echo(wire.get("/next"), b"")


def test_100_continue_is_not_given_to_a_body_that_nobody_reads(httpd, peer):
    """A container that answers at once: of a chunked body nothing was asked for, so the client need not send it."""
    peer.on("/expect", [ajp.answer("", 417)])
    with client.Wire(httpd.port, timeout=5) as wire:
        wire.send("POST /expect HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n")
        answer = wire.answer()
    assert (answer.status, answer.interim) == (417, [])


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


@pytest.mark.parametrize("chunked", [False, True], ids=["length", "chunked"])
def test_client_aborts_in_the_body(httpd, peer, chunked):
    """With a reset: the container is told by the empty packet or the connection's end; nobody else gets the request."""
    seen, done = {}, threading.Event()
    peer.on("/abort", body_ends_badly(seen, done))
    wire = client.Wire(httpd.port)
    wire.send("POST /abort HTTP/1.1\r\nHost: x\r\n" +
              ("Transfer-Encoding: chunked\r\n\r\n4000\r\n" if chunked else "Content-Length: 50000\r\n\r\n"))
    wire.send("x" * 16384 + ("\r\n" if chunked else ""))
    assert proc.wait_until(lambda: peer.deliveries("/abort") and sum(peer.last("/abort").packets) >= ajp.MAX_BODY)
    wire.sock.setsockopt(1, 13, b"\1\0\0\0\0\0\0\0")  # SO_LINGER 0
    wire.close()
    assert done.wait(10) and seen["closed"]
    httpd.wait_idle()
    assert peer.deliveries("/abort") == 1
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
