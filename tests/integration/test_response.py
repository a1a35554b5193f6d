"""Answers: from the container's packets to what the client reads."""
import hashlib
import threading

import pytest
from lib import ajp, client, proc
from lib.ajp_peer import SLEEP
from lib.workers import ajp13


@pytest.fixture(scope="module")
def peer(make_peer):
    return make_peer()


@pytest.fixture(scope="module")
def httpd(make_httpd, peer):
    vhosts = {
        "pages": "JkMount /* w\nErrorDocument 404 \"our own page\"\nErrorDocument 401 \"who are you\"",
        "flushes": "JkMount /* w\nJkOptions +FlushPackets\nCustomLog logs/kept \"%{X-Kept}o\"",
        "flushhead": "JkMount /* w\nJkOptions +FlushHeader",
    }
    return make_httpd("JkMount /* w", workers=ajp13(w=peer.port), vhosts=vhosts)


def ask(httpd, peer, script, method="GET", host=None, **more):
    """One request to a script, and another on the same connection that must find it clean."""
    peer.on("/x", script)
    with client.Wire(httpd.vport if host else httpd.port) as wire:
        answer = wire.ask(method, "/x", host=host, **more)
        if answer.end != "eof" and answer.header("Connection") != "close":
            after = wire.get("/after", host=host)
            assert after.status == 200 and after.complete, f"the next request found {after}"
    return answer


# ---- status and reason ----

@pytest.mark.parametrize("status, reason, line, why", [
    (200, "OK", "200 OK", "the usual one"),
    (200, "Fine", "200 Fine", "the container's own words are kept"),
    (200, "", "200 OK", "none: httpd's own"),
    (404, None, "404 Not Found", "a null string: httpd's own"),
    (299, "", "299 Unknown Reason", "none, and httpd knows none: else it would make a 500 of it"),
    (299, "Whatever", "299 Whatever", "its own words for an unknown code"),
    (999, "High", "999 High", "the highest"),
    (503, "Busy", "503 Busy", "an error with a body is the application's answer"),
    (302, "Found", "302 Found", "a redirect"),
])
def test_status_line(httpd, peer, status, reason, line, why):
    answer = ask(httpd, peer, [ajp.answer("body", status, reason=reason)])
    assert f"{answer.status} {answer.reason}" == line and answer.text == "body", why


@pytest.mark.parametrize("status", [204, 304])
@pytest.mark.parametrize("body", [b"", b"must not be passed on"], ids=["empty", "with body"])
def test_statuses_without_a_body(httpd, peer, status, body):
    """Whatever the container sends, the client reads no body: the next answer would be taken for it."""
    answer = ask(httpd, peer, [ajp.send_headers(status, [("ETag", '"1"')], "") + (ajp.chunk(body) if body else b"") + ajp.end()])
    assert (answer.status, answer.body, answer.header("ETag")) == (status, b"", '"1"')
    assert answer.header("Transfer-Encoding") is None


@pytest.mark.parametrize("script, why", [
    ([ajp.send_headers(200, [("Content-Length", "5")]), ajp.end()], "headers alone"),
    ([ajp.answer("12345")], "a container that sends the body all the same"),
    ([ajp.send_headers(200, [("Content-Length", "5")]), ajp.FLUSH, ajp.end()], "a flush before the end"),
])
def test_head(httpd, peer, script, why):
    answer = ask(httpd, peer, script, method="HEAD")
    assert (answer.status, answer.header("Content-Length"), answer.body) == (200, "5", b""), why


def test_head_of_an_error(httpd, peer):
    """No error page is made of an answer to HEAD (bug 65901)."""
    answer = ask(httpd, peer, [ajp.send_headers(404, [("X-App", "yes"), ("Content-Length", "77")], "") + ajp.end()], method="HEAD",
                 host="pages")
    assert (answer.status, answer.header("X-App"), answer.header("Content-Length")) == (404, "yes", "77")


@pytest.mark.differs("1xx was taken for the final answer")
@pytest.mark.parametrize("status", [100, 102, 103])
def test_interim_answers_are_passed_over(httpd, peer, status):
    """What counts is the final status."""
    answer = ask(httpd, peer, [ajp.send_headers(status, [("Link", "</x>")], "Early"), ajp.answer("final")])
    assert (answer.status, answer.text, answer.header("Link")) == (200, "final", None)


# ---- headers ----

def test_all_coded_headers(httpd, peer):
    """Each header code becomes its name."""
    given = [("Content-Type", "TEXT/Plain; charset=UTF-8"), ("Content-Language", "de"), ("Location", "/elsewhere"),
             ("Last-Modified", "Sat, 01 Jan 2000 00:00:00 GMT"), ("Set-Cookie2", "x"), ("Servlet-Engine", "Peer/1"), ("Status", "fine"),
             ("WWW-Authenticate", 'Basic realm="r"')]
    answer = ask(httpd, peer, [ajp.answer("x", headers=given)])
    for name, value in given[1:]:
        assert answer.header(name) == value
    assert answer.header("Content-Type") == "text/plain; charset=UTF-8", "the media type in lower case, its parameters as they are"


def test_headers_by_name(httpd, peer):
    """A container may write every name as a string, in any case."""
    given = [("CONTENT-TYPE", "text/css"), ("content-length", "2"), ("Location", "/l"), ("X-Own", "1"), ("x-empty", "")]
    answer = ask(httpd, peer, [ajp.send_headers(200, given, coded=False) + ajp.chunk(b"ab") + ajp.end()])
    assert (answer.header("Content-Type"), answer.header("Content-Length"), answer.header("X-Own")) == ("text/css", "2", "1")
    assert answer.header("X-Empty") == ""


def test_several_cookies(httpd, peer):
    """Set-Cookie cannot be merged: each stays, in order."""
    cookies = [f"c{i}=v{i}; Path=/; HttpOnly" for i in range(4)]
    answer = ask(httpd, peer, [ajp.answer("x", headers=[("Set-Cookie", c) for c in cookies])])
    assert answer.all("Set-Cookie") == cookies


def test_many_and_long_headers(httpd, peer):
    given = [(f"X-{i:03}", "v" * i) for i in range(100)]
    answer = ask(httpd, peer, [ajp.answer("x", headers=given)])
    assert [(n, v) for n, v in answer.headers if n.startswith("X-")] == given


@pytest.mark.differs("the backend's hop-by-hop headers were passed on")
@pytest.mark.parametrize("headers, why", [
    ([("Transfer-Encoding", "chunked")], "framing is httpd's: with this one an unchunked body could not be read"),
    ([("Transfer-Encoding", "gzip, chunked")], "in any form"),
    ([("Keep-Alive", "timeout=60")], "speaks of the connection to httpd"),
    ([("Connection", "X-Hop, close"), ("X-Hop", "1")], "and what it names"),
    ([("Upgrade", "foo")], "there is nothing to upgrade"),
    ([("Proxy-Authenticate", "Basic")], "httpd is no proxy here"),
    ([("Trailer", "X-T")], "there are no trailers"),
])
def test_hop_by_hop_headers_of_the_backend(httpd, peer, headers, why):
    answer = ask(httpd, peer, [ajp.answer("body", headers=headers, length=False)])
    assert answer.text == "body" and answer.complete
    for name, value in headers:
        assert value not in answer.all(name) or (name, value) == ("Transfer-Encoding", "chunked"), why
    assert len(answer.all("Transfer-Encoding")) <= 1


def test_content_length_is_kept(httpd, peer):
    """With a length there is no need to chunk."""
    answer = ask(httpd, peer, [ajp.answer("12345")])
    assert (answer.end, answer.header("Content-Length")) == ("length", "5")


def test_a_long_answer_without_a_length_is_chunked(httpd, peer):
    body = b"0123456789abcdef" * 10000
    answer = ask(httpd, peer, [ajp.answer(body, length=False)])
    assert (answer.end, answer.body) == ("chunked", body)


def test_http10_ends_with_the_connection(httpd, peer):
    answer = ask(httpd, peer, [ajp.answer(b"x" * 100000, length=False)], version="1.0")
    assert (answer.end, len(answer.body)) == ("eof", 100000)


# ---- bodies ----

@pytest.mark.parametrize("size", [0, 1, 8183, 8184, 8185, 65536, 1048576])
@pytest.mark.parametrize("length", [True, False], ids=["length", "chunked"])
def test_body_sizes(httpd, peer, size, length):
    body = (hashlib.sha256(b"%d" % size).digest() * (size // 32 + 1))[:size]
    answer = ask(httpd, peer, [ajp.answer(body, length=length)])
    assert answer.status == 200 and answer.complete and answer.body == body


@pytest.mark.parametrize("chunk", [1, 2, 100, 4000, 8184])
def test_chunk_sizes(httpd, peer, chunk):
    """The container's chunks are cut as it likes."""
    body = bytes(range(256)) * (10 if chunk == 1 else 400)
    answer = ask(httpd, peer, [ajp.send_headers() + ajp.chunks(body, chunk) + ajp.end()])
    assert answer.complete and answer.body == body


@pytest.mark.parametrize("sizes, why", [
    ([8184] * 40 + [77], "as a container writes it"),
    ([2048] * 150, "small ones of one length"),
    ([4096] * 12 + [8184] * 30, "longer from one on"),
    ([8184] * 12 + [4096] * 30 + [8184] * 12, "shorter, and longer again"),
    ([8184, 8184, 8184, 1] * 12, "a short one now and then"),
    ([3000] * 8 + [6008] * 20 + [2992] * 20, "ends where the middle of a gap would be"),
])
def test_chunks_of_a_long_answer(httpd, peer, sizes, why):
    """Chunks of one length are read side by side; whatever they are, the body is what was sent."""
    body = hashlib.shake_128(why.encode()).digest(sum(sizes))
    wire, at = b"", 0
    for n in sizes:
        wire += ajp.chunk(body[at:at + n])
        at += n
    for script in ([ajp.send_headers() + wire + ajp.end()], [ajp.send_headers(), wire[:9001], SLEEP(0.01), wire[9001:], ajp.end()]):
        answer = ask(httpd, peer, script)
        assert answer.complete and answer.body == body, why


def test_many_packets_in_one_write(httpd, peer):
    """Headers, chunks, flushes, the end: all in one run of bytes."""
    run = ajp.send_headers() + b"".join(ajp.chunk(b"%d," % i) + (ajp.FLUSH if i % 7 == 0 else b"") for i in range(300)) + ajp.end()
    answer = ask(httpd, peer, [run])
    assert answer.text == "".join(f"{i}," for i in range(300))


@pytest.mark.parametrize("cut", ["whole answer", "headers", "chunk", "end"])
def test_trickle(httpd, peer, cut):
    """Each byte in a segment of its own: a packet may be split anywhere."""
    head = ajp.send_headers(200, [("X-A", "1"), ("Set-Cookie", "c=d"), ("Content-Type", "text/plain")])
    parts = [head, ajp.chunk(b"trickling"), ajp.FLUSH, ajp.end()]
    slow = {"whole answer": (0, 1, 2, 3), "headers": (0,), "chunk": (1,), "end": (3,)}[cut]

    def script(ex):
        for i, part in enumerate(parts):
            ex.trickle(part) if i in slow else ex.send(part)

    answer = ask(httpd, peer, script)
    assert (answer.text, answer.header("X-A"), answer.header("Set-Cookie")) == ("trickling", "1", "c=d")


def test_packets_split_at_odd_places(httpd, peer):
    """A long answer in pieces that end anywhere in a packet."""
    body = bytes(range(256)) * 1000
    run = ajp.send_headers() + ajp.chunks(body, 7777) + ajp.end()

    def script(ex):
        for at in range(0, len(run), 3001):
            ex.send(run[at:at + 3001])

    answer = ask(httpd, peer, script)
    assert answer.complete and answer.body == body


# ---- flushing ----

@pytest.mark.parametrize("flush", [ajp.FLUSH, ajp.FLUSH_SHORT], ids=["with NUL", "without NUL"])
def test_flush_reaches_the_client(httpd, peer, flush):
    """An empty chunk after the headers: what there is goes to the client now, not with the end."""
    first_half_read = threading.Event()
    peer.on("/flush", [ajp.send_headers() + ajp.chunk(b"first half,") + flush, lambda ex: ex.wait(first_half_read),
                       ajp.chunk(b"second half") + ajp.end()])
    with client.Wire(httpd.port) as wire:
        wire.request("GET", "/flush")
        while b"first half," not in wire.held:
            wire._more()
        first_half_read.set()
        assert wire.answer().text == "first half,second half"


@pytest.mark.parametrize("host, first, mark", [
    ("flushes", ajp.send_headers() + ajp.chunk(b"first,"), b"first,"),
    ("flushhead", ajp.send_headers(200, [("X-Head", "here")]), b"X-Head: here"),
], ids=["FlushPackets", "FlushHeader"])
def test_flush_options(httpd, peer, host, first, mark):
    """JkOptions that flush without being asked."""
    read = threading.Event()
    peer.on("/flush", [first, lambda ex: ex.wait(read), ajp.chunk(b"second") + ajp.end()])
    with client.Wire(httpd.vport) as wire:
        wire.request("GET", "/flush", host=host)
        while mark not in wire.held:
            wire._more()
        read.set()
        assert wire.answer().text.endswith("second")


def test_headers_outlive_what_is_read_after_them(httpd, peer):
    """They lie in the memory that the body is read into, and are needed until the request is logged."""
    kept = "kept-" + "k" * 300
    script = [ajp.send_headers(200, [("X-Kept", kept)])]
    for letter in (b"a", b"b", b"c"): # each read once the one before has gone to the client
        script += [SLEEP(0.02), ajp.chunk(letter * 3000)]
    answer = ask(httpd, peer, script + [ajp.end()], host="flushes")
    assert answer.body == b"a" * 3000 + b"b" * 3000 + b"c" * 3000
    assert proc.wait_until(lambda: kept in [line.strip() for line in open(httpd.path("logs/kept"))], 5)


def test_flush_before_the_headers_is_ignored(httpd, peer):
    """A left-over of the response before (JBoss, bug 49413)."""
    answer = ask(httpd, peer, [ajp.FLUSH + ajp.FLUSH, SLEEP(0.02), ajp.FLUSH, ajp.answer("right")])
    assert (answer.status, answer.text) == (200, "right")


# ---- error pages ----

@pytest.mark.differs("1.2.48 sent an empty body")
def test_an_error_without_a_body_gets_httpds_page(httpd, peer):
    answer = ask(httpd, peer, [ajp.send_headers(404, [("X-App", "1")], "") + ajp.end()], host="pages")
    assert (answer.status, answer.text) == (404, "our own page")


def test_an_error_with_a_body_is_the_applications(httpd, peer):
    answer = ask(httpd, peer, [ajp.answer("the application's page", 404, reason="")], host="pages")
    assert (answer.status, answer.text) == (404, "the application's page")


@pytest.mark.differs("the challenge was lost with the application's other headers")
def test_a_challenge_survives_the_error_page(httpd, peer):
    """401 without a body: without the challenge a browser could not ask for a password."""
    head = ajp.send_headers(401, [("WWW-Authenticate", 'Basic realm="app"')], "")
    answer = ask(httpd, peer, [head + ajp.end()], host="pages")
    assert (answer.status, answer.text) == (401, "who are you")
    assert answer.all("WWW-Authenticate") == ['Basic realm="app"']


@pytest.mark.differs("1.2.48 sent an empty body")
def test_an_error_without_a_page_of_ours(httpd, peer):
    """httpd's built-in page, with a length or chunked, and nothing of the application's length."""
    answer = ask(httpd, peer, [ajp.send_headers(500, [("Content-Length", "0")], "") + ajp.end()])
    assert answer.status == 500 and answer.complete and b"<html>" in answer.body.lower()
