"""Answers that break off, and containers that do not speak AJP13.

What was begun may only end visibly broken: no last chunk, less than Content-Length, an HTTP/2 stream error - never an error
page glued to half an answer, never a half that looks whole. And nothing is done twice."""
import gzip
import random
import shutil
import subprocess
import threading
import time
import zlib

import pytest
from lib import ajp, client, h2, proc
from lib.ajp_peer import CLOSE, RESET, SLEEP, STALL
from lib.workers import ajp13

HALF = b"HALF-OF-AN-ANSWER;" * 40


@pytest.fixture(scope="module")
def peer(make_peer):
    return make_peer()


@pytest.fixture(scope="module")
def httpd(make_httpd, peer):
    workers = ajp13(w={"port": peer.port, "retry_interval": 1, "connection_acquire_timeout": 200},
                    quick={"port": peer.port, "reply_timeout": 250, "retries": 1},
                    many={"port": peer.port, "connection_pool_size": 64})
    vhosts = {
        "h2c": "JkMount /* w\nJkMount /many/* many\nProtocols h2c http/1.1",  # first: a prior-knowledge preface comes before any Host
        "plain": "JkMount /* w",
        "gzip": "JkMount /* w\nJkMount /many/* many\nSetOutputFilter DEFLATE",
        "flush": "JkMount /many/* many\nJkOptions +FlushPackets",
        "quick": "JkMount /* quick",
        "pages": "JkMount /* w\nErrorDocument 502 \"GLUED-ERROR-PAGE\"\nErrorDocument 500 \"GLUED-ERROR-PAGE\"",
    }
    return make_httpd("JkMount /* w", workers=workers, vhosts=vhosts)


def loud(httpd):
    """What the log says of a broken exchange: it must say something, in whatever words."""
    httpd.expect(r"\(\w+\) ")
    httpd.allow(".")


# ---- the broken-off answer ----

# How a container dies in the middle of its answer.
DEATHS = {
    "closes": [CLOSE],
    "resets": [SLEEP(0.05), RESET],
    "garbage": [b"garbage instead of a packet", SLEEP(0.2), CLOSE],
    "headers again": [ajp.send_headers(), SLEEP(0.2), CLOSE],
    "ends inside a packet": [ajp.chunk(b"lost")[:7], CLOSE],
    "ends inside a header": [b"AB", CLOSE],
    "bad chunk length": [ajp.packet(b"\x03\x1f\xff\x41"), SLEEP(0.2), CLOSE],
}
# How the answer is framed: (virtual host, HTTP version, headers of the request, headers of the answer).
FRAMINGS = {
    "chunked": ("pages", "1.1", [], []),
    "length": ("pages", "1.1", [], [("Content-Length", "5000")]),
    "http10 length": ("pages", "1.0", [], [("Content-Length", "5000")]),
    "http10": ("pages", "1.0", [], []),
    "gzip": ("gzip", "1.1", [("Accept-Encoding", "gzip")], [("Content-Type", "text/html")]),
}


def half(headers, flushed):
    return ajp.send_headers(200, headers) + ajp.chunk(HALF) + (ajp.FLUSH if flushed else b"")


def unpacked(answer):
    if answer.header("Content-Encoding") != "gzip":
        return answer.body
    try:
        return zlib.decompressobj(wbits=31).decompress(answer.body)
    except zlib.error:
        return answer.body


def check_broken(answer, version):
    """Half of an answer, visibly broken."""
    body = unpacked(answer)
    assert answer.status == 200
    assert HALF.startswith(body) or body == HALF, f"something was glued on: {body[-200:]!r}"
    if version == "1.0" and answer.header("Content-Length") is None:
        assert answer.end == "eof", "HTTP/1.0 without a length has no mark of its end"
    else:
        assert not answer.complete, f"looks whole ({answer.end})"


@pytest.mark.differs("a half answer could look whole, or get an error page glued on")
@pytest.mark.parametrize("framing", FRAMINGS)
@pytest.mark.parametrize("death", DEATHS)
def test_broken_off_after_a_flush(httpd, peer, framing, death):
    """The client has half of the answer already."""
    host, version, headers, answer_headers = FRAMINGS[framing]
    loud(httpd)
    peer.on("/x", [half(answer_headers, flushed=True), SLEEP(0.03), *DEATHS[death]])
    with client.Wire(httpd.vport) as wire:
        answer = wire.ask("GET", "/x", headers, host=host, version=version)
        check_broken(answer, version)
        assert wire.at_end(), "the connection ends with it: nobody could tell where a next answer begins"
    assert peer.deliveries("/x") == 1, "never again after the first byte"


@pytest.mark.differs("a half answer could look whole, or get an error page glued on")
@pytest.mark.parametrize("framing", FRAMINGS)
@pytest.mark.parametrize("death", DEATHS)
def test_broken_off_before_anything_was_flushed(httpd, peer, framing, death):
    """Either nothing was passed on yet: it is asked for once more, and ends in an honest error. Or what left is visibly broken, or an error where
    httpd's filters still had all of it."""
    host, version, headers, answer_headers = FRAMINGS[framing]
    loud(httpd)
    peer.on("/x", [half(answer_headers, flushed=False), *DEATHS[death]])
    with client.Wire(httpd.vport) as wire:
        answer = wire.ask("GET", "/x", headers, host=host, version=version)
        if answer.status == 200:
            check_broken(answer, version)
            assert wire.at_end()
        else:
            assert answer.status in (500, 502) and answer.complete and HALF[:30] not in unpacked(answer)
    assert peer.deliveries("/x") in (1, 2)


@pytest.mark.differs("a half answer could look whole")
@pytest.mark.parametrize("framing", FRAMINGS)
def test_broken_off_far_inside(httpd, peer, framing):
    """After more than any buffer holds (and more than gzip makes small)."""
    host, version, headers, answer_headers = FRAMINGS[framing]
    loud(httpd)
    if answer_headers and answer_headers[0][0] == "Content-Length":
        answer_headers = [("Content-Length", "1000000")]
    peer.on("/x", [ajp.send_headers(200, answer_headers) + ajp.chunks(random.Random(1).randbytes(512000)), SLEEP(0.05), CLOSE])
    with client.Wire(httpd.vport) as wire:
        answer = wire.ask("GET", "/x", headers, host=host, version=version)
        assert answer.status == 200 and b"Bad Gateway" not in unpacked(answer)
        assert answer.end == "eof" if version == "1.0" and not answer_headers else not answer.complete
        assert wire.at_end()
    assert peer.deliveries("/x") == 1


@pytest.mark.differs("a half answer could look whole")
def test_reply_timeout_in_the_middle(httpd, peer):
    """A timeout too breaks off: a 504 page would be glued on."""
    httpd.expect("Timeout with waiting reply from tomcat")
    loud(httpd)
    peer.on("/x", [half([], flushed=True), STALL])
    with client.Wire(httpd.vport) as wire:
        check_broken(wire.ask("GET", "/x", host="quick"), "1.1")
        assert wire.at_end()
    assert peer.deliveries("/x") == 1


@pytest.mark.differs("the stream ended as if it were whole")
@pytest.mark.parametrize("death", DEATHS)
@pytest.mark.parametrize("flushed", [True, False], ids=["flushed", "unflushed"])
@pytest.mark.parametrize("length", [True, False], ids=["length", "no length"])
def test_broken_off_on_http2(httpd, peer, death, flushed, length):
    """A stream error, and the connection lives on for the others."""
    if not shutil.which("nghttp"):
        pytest.skip("no nghttp (nghttp2-client, nghttp2)")
    loud(httpd)
    peer.on("/x", [half([("Content-Length", "5000")] if length else [], flushed), SLEEP(0.03 if flushed else 0), *DEATHS[death]])
    url = f"http://127.0.0.1:{httpd.vport}"
    out = subprocess.run(["nghttp", "-v", "--no-dep", "-H", "Host: h2c", f"{url}/x", f"{url}/after"],
                         capture_output=True, timeout=20).stdout
    answered = b"recv (stream_id=1) :status: 50" in out
    if answered and not flushed:
        assert HALF[:30] not in out, "a page of its own, and nothing of the half answer"
    else:
        assert b"recv RST_STREAM frame" in out and b"stream_id=1" in out.split(b"recv RST_STREAM frame")[1].split(b">")[0]
        assert b"GLUED" not in out and b"Bad Gateway" not in out
    assert b'"uri": "/after"' in out, "the next stream is not disturbed"
    assert peer.deliveries("/x") in ((1,) if flushed else (1, 2))


# Where the break comes: nothing passed yet, at the edge of a packet, of a frame, of a window, of what the stream may hold.
BREAK_AFTER = (0, 1, 720, 8184, 8185, 10000, 16384, 16385, 32768, 65535, 65536, 100000)
LONG = random.Random(2).randbytes(max(BREAK_AFTER))


def break_at(ex):
    """/many/host/number/bytes: every fifth is whole."""
    _, _, _, number, size = ex.request.path.split("/")
    number, size = int(number), int(size)
    headers = [("Content-Type", "text/html"), *([("Content-Length", str(size + 1000))] if number % 3 == 0 and number % 5 else [])]
    ex.send(ajp.send_headers(200, headers) + ajp.chunks(LONG[:size]) + (ajp.FLUSH if number % 2 else b""))
    time.sleep((0, 0, 0.001, 0.01)[number % 4])
    if number % 5 == 0:
        ex.send(ajp.end())
    else:
        (ex.close if number % 7 else ex.reset)()


def check_stream(stream):
    """200 and an end without a reset: only what is whole. Whether it is cut does not depend on when the stream's buffers are taken."""
    _, _, _, number, size = stream.path.split("/")
    body = stream.body
    if body[:2] == b"\x1f\x8b":  # small ones are not packed
        body = zlib.decompressobj(wbits=31).decompress(body)
    if int(number) % 5 == 0:
        assert (stream.status, stream.end) == (200, "whole") and body == LONG[:int(size)], stream
    elif stream.end == "whole":
        assert stream.status == 502 and int(number) % 2 == 0 and LONG[:30] not in body, stream
    else:
        assert stream.end == "reset" and stream.status in (None, 200) and LONG.startswith(body), stream


@pytest.mark.differs("the stream ended as if it were whole")
@pytest.mark.parametrize("window", [1023, 65535])
def test_many_broken_off_on_one_http2_connection(httpd, peer, window):
    """Not one of them looks whole, wherever the break comes."""
    loud(httpd)
    peer.default = break_at
    paths = [f"/many/{('h2c', 'gzip', 'flush')[i % 3]}/{i}/{BREAK_AFTER[i // 3 % len(BREAK_AFTER)]}" for i in range(210)]
    streams = h2.get(httpd.vport, paths, host=lambda path: path.split("/")[2], headers=[("Accept-Encoding", "gzip")], window=window)
    assert [stream.path for stream in streams] == paths
    for stream in streams:
        check_stream(stream)
    assert sum(stream.end == "reset" and stream.status == 200 for stream in streams) > 20, "broken off after their heads"


def test_a_whole_answer_is_whole(httpd, peer):
    """The other side of the coin: in each framing a good answer ends well."""
    for host, version, headers, answer_headers in FRAMINGS.values():
        peer.on("/x", [ajp.answer(HALF, headers=answer_headers[:0], length=bool(answer_headers))])
        answer = client.ask(httpd.vport, "GET", "/x", headers, host=host, version=version)
        assert answer.complete
        body = gzip.decompress(answer.body) if answer.header("Content-Encoding") == "gzip" else answer.body
        assert body == HALF


@pytest.mark.differs("the access log knew nothing of it")
def test_the_access_log_shows_the_connection_broken(httpd, peer):
    """The status went out as 200; %X and our own log tell the truth."""
    loud(httpd)
    peer.on("/x", [half([], flushed=True), SLEEP(0.03), CLOSE])
    client.ask(httpd.port, "GET", "/x", [("X-Test", "cut")])
    seen = httpd.access_of("cut")
    assert seen["status"] == "200" and seen["end"] in "X-"
    assert httpd.jk_lines(r"\[error\].*Part of the response has already been sent")


# ---- malformed messages, before anything was passed on ----

HEAD = ajp.send_headers(200, [("X-A", "1")])
FRAME, PAYLOAD = 502, 500

MALFORMED = [
    # why, bytes, status
    ("not AJP at all", b"What do you want?\r\n", FRAME),
    ("our own magic back", b"\x12\x34\x00\x01\x09", FRAME),
    ("only half of the magic right", b"AX\0\1\x09", FRAME),
    ("an empty packet", b"AB\0\0", FRAME),
    ("longer than a packet can be", b"AB\xff\xff\x04", FRAME),
    ("just one byte more than max_packet_size", b"AB\x20\x01\x04", FRAME),
    ("the end, before the headers", ajp.end(), FRAME),
    ("headers twice", HEAD + HEAD, FRAME),
    ("headers, body, headers", HEAD + ajp.chunk(b"x") + HEAD, FRAME),
    ("an unknown type", ajp.packet(b"\x63abc"), PAYLOAD),
    ("a message of the other direction", ajp.packet(b"\x02\x02"), PAYLOAD),
    ("a pong nobody asked for", ajp.CPONG, PAYLOAD),
    ("header code A000", ajp.send_headers(200, [(0xA000, "x")]), PAYLOAD),
    ("header code A00C", ajp.send_headers(200, [(0xA00C, "x")]), PAYLOAD),
    ("header code AFFF", ajp.send_headers(200, [(0xAFFF, "x")]), PAYLOAD),
    ("a null header name", ajp.packet(b"\x04\0\xc8\0\0\0\0\1\xff\xff\0\1x\0"), PAYLOAD),
    ("a null header value", ajp.packet(b"\x04\0\xc8\0\0\0\0\1\xa0\1\xff\xff"), PAYLOAD),
    ("status 0", ajp.send_headers(0), PAYLOAD),
    ("status 65535", ajp.send_headers(65535), PAYLOAD),
    ("more headers announced than there are", ajp.send_headers(200, [("X-A", "1")], count=2), PAYLOAD),
    ("65535 headers announced", ajp.send_headers(200, count=65535), PAYLOAD),
    ("headers without a status", ajp.packet(b"\x04"), PAYLOAD),
    ("a reason without its terminator", ajp.packet(b"\x04\0\xc8\0\2OKx\0\0"), PAYLOAD),
    ("a reason longer than the payload", ajp.packet(b"\x04\0\xc8\x1f\xffOK\0\0\0"), PAYLOAD),
    ("a value without its terminator", ajp.packet(b"\x04\0\xc8\0\2OK\0\0\1\xa0\1\0\1xy"), PAYLOAD),
    ("a value that ends with the payload", ajp.packet(b"\x04\0\xc8\0\2OK\0\0\1\xa0\1\0\1x"), PAYLOAD),
    ("a body before the headers", ajp.chunk(b"body"), PAYLOAD),
    ("a chunk longer than its packet (CVE-2006-7197)", HEAD + ajp.packet(b"\x03\x1f\xff\x41"), PAYLOAD),
    ("a chunk without its length", HEAD + ajp.packet(b"\x03"), PAYLOAD),
    ("a chunk with half of its length", HEAD + ajp.packet(b"\x03\0"), PAYLOAD),
    ("a question for the body without a size", ajp.packet(b"\x06\x1f"), PAYLOAD),
    ("an end without its flag", HEAD + ajp.packet(b"\x05"), PAYLOAD),
    ("an end with the flag FF", HEAD + ajp.packet(b"\x05\xff"), PAYLOAD),
]


@pytest.mark.differs("1.2.48 answers otherwise, crashes (A000) or sends foreign memory (a chunk without its length)")
@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("why, data, status", MALFORMED, ids=[row[0] for row in MALFORMED])
def test_malformed(httpd, peer, method, why, data, status):
    """Its status; the connection is closed; a GET is tried once more, since nothing of the answer was passed on, a POST that was delivered never."""
    closed = []
    loud(httpd)
    peer.on("/x", lambda ex: (ex.first_packet(), ex.send(data), closed.append(ex.module_closes(3))))
    answer = client.ask(httpd.port, method, "/x", body=b"body" if method == "POST" else None)
    assert answer.status == status and answer.complete, f"{why}: {answer}"
    assert answer.header("X-A") is None, "nothing of the broken answer is passed on"
    assert proc.wait_until(lambda: len(closed) == peer.deliveries("/x")) and all(closed), "the connection is not used again"
    assert peer.deliveries("/x") == (1 if method == "POST" else 2)
    assert client.get(httpd.port, "/after").status == 200


@pytest.mark.parametrize("method, times", [("GET", 2), ("HEAD", 2), ("POST", 1), ("PUT", 1), ("DELETE", 1), ("PATCH", 1)])
@pytest.mark.parametrize("death", [CLOSE, RESET], ids=["closed", "reset"])
@pytest.mark.differs("every method was sent again")
def test_no_answer_at_all(httpd, peer, method, times, death):
    """Read by the container, but not answered: only GET and HEAD are sent again, as often as `retries` says."""
    loud(httpd)
    peer.on("/x", lambda ex: (ex.first_packet(), death(ex)))
    answer = client.ask(httpd.port, method, "/x", body=b"b" if method in ("POST", "PUT", "PATCH") else None)
    assert answer.status == 502
    assert peer.deliveries("/x") == times


def test_a_second_attempt_that_succeeds(httpd, peer):
    """The client of a GET notices nothing."""
    loud(httpd)
    peer.on("/x", lambda ex: ex.close() if ex.delivery == 1 else ex.send(ajp.answer("second time lucky")))
    answer = client.get(httpd.port, "/x")
    assert (answer.status, answer.text, peer.deliveries("/x")) == (200, "second time lucky", 2)


@pytest.mark.differs("a body of one packet was sent again")
def test_never_again_after_the_body_was_consumed(httpd, peer):
    """A GET whose body has been asked for is no simple GET any more."""
    loud(httpd)
    peer.on("/x", lambda ex: (ex.read_body(4000), ex.close()))
    assert client.ask(httpd.port, "GET", "/x", body=b"b" * 20000).status == 502
    assert peer.deliveries("/x") == 1


def test_the_rest_of_the_body_finds_nobody(httpd, peer):
    """The container asks for more and is gone when it comes: 502, once, and the log says so."""
    gone = threading.Event()
    httpd.expect(r"\(w\) ")
    httpd.allow(".")
    peer.on("/x", lambda ex: (ex.first_packet(), ex.send(ajp.get_body(8000)), time.sleep(0.02), ex.reset(), gone.set()))
    with client.Wire(httpd.port) as wire:
        wire.send("POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 20000\r\n\r\n" + "x" * 10000)
        assert gone.wait(5)
        wire.send("x" * 10000)
        assert wire.answer().status == 502
    assert peer.deliveries("/x") == 1


# ---- left-overs ----

EVIL = ajp.answer("ANOTHER-CLIENTS-ANSWER")


@pytest.mark.differs("it became the answer of the next client")
def test_data_waits_on_an_idle_connection(httpd, peer):
    """A container that answers twice: the second answer belongs to nobody. The connection is dropped, with a warning."""
    peer.on("/first", [ajp.answer("first")])
    with client.Wire(httpd.port) as wire:
        assert wire.get("/first").text == "first"
        (conn,) = peer.used_connections()
        conn.send(EVIL)
        httpd.expect(r"\[warn\].*(?i:waiting|unread|left)")
        peer.on("/second", [ajp.answer("second")])
        assert wire.get("/second").text == "second"
    assert proc.wait_until(conn.closed_by_module.is_set), "the connection is dropped"
    assert peer.last().connection is not conn


@pytest.mark.differs("it became the answer of the next client")
def test_data_and_then_the_end_on_an_idle_connection(httpd, peer):
    """The same, and the container has closed meanwhile."""
    peer.on("/first", [ajp.answer("first")])
    with client.Wire(httpd.port) as wire:
        assert wire.get("/first").text == "first"
        (conn,) = peer.used_connections()
        conn.send(EVIL)
        conn.close()
        httpd.allow("(?i)waiting|unread|left")
        peer.on("/second", [ajp.answer("second")])
        assert wire.get("/second").text == "second"


@pytest.mark.differs("it became the answer of the next client")
def test_more_than_was_due_in_one_write(httpd, peer):
    """The left-over comes with the end itself."""
    peer.on("/first", [ajp.answer("first") + EVIL])
    httpd.allow("(?i)waiting|unread|left|more")
    with client.Wire(httpd.port) as wire:
        assert wire.get("/first").text == "first"
        peer.on("/second", [ajp.answer("second")])
        assert wire.get("/second").text == "second"
    assert len(peer.used_connections()) == 2


@pytest.mark.differs("left-overs of the tests before come as answers")
def test_an_idle_connection_that_was_closed(httpd, peer):
    """A container that restarts closes its idle connections: the next request, a POST too, goes on a new one."""
    with client.Wire(httpd.port) as wire:
        assert wire.get("/first").status == 200
        for conn in peer.used_connections():
            conn.close()
        assert wire.ask("POST", "/second", body=b"b").status == 200
    assert peer.deliveries("/second") == 1 and len(peer.used_connections()) == 2


# ---- a Content-Length that is not kept ----

def said(length, flushed):
    """An answer that names a length and then is HALF."""
    return ajp.send_headers(200, [("Content-Length", str(length))]) + ajp.chunk(HALF) + (ajp.FLUSH if flushed else b"") + ajp.end()


@pytest.mark.parametrize("flushed", [True, False], ids=["flushed", "unflushed"])
def test_shorter_than_its_length(httpd, peer, flushed):
    """The application said more than it wrote: the client must not take the next answer for the rest, nor the half for all."""
    httpd.allow(".")
    peer.on("/x", [said(len(HALF) + 300, flushed)])
    with client.Wire(httpd.port, timeout=2) as wire:
        wire.request("GET", "/x")
        wire.request("GET", "/next")
        answer = wire.answer()
        assert b'"uri"' not in answer.body, "the next answer became a part of this one"
        assert not answer.complete
        assert wire.at_end()


@pytest.mark.parametrize("flushed", [
    pytest.param(True, id="flushed"), pytest.param(False, id="unflushed"),
])
def test_longer_than_its_length(httpd, peer, flushed):
    """It wrote more than it said: what is beyond would be the beginning of the next answer."""
    httpd.allow(".")
    peer.on("/x", [said(10, flushed)])
    with client.Wire(httpd.port, timeout=2) as wire:
        answer = wire.get("/x")
        assert answer.complete and answer.body in (HALF[:10], HALF)
        if not wire.at_end(0.2):
            assert not wire.held and '"uri": "/next"' in wire.get("/next").text
