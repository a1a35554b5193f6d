"""The harness itself: what it promises to find it finds."""
import os
import runpy

import pytest
from lib import ajp, client, proc
from lib.ajp import Request, Violation
from lib.ajp_peer import CLOSE, RefusedPort
from lib.httpd import INCUMBENT, TOP
from lib.workers import ajp13

needs_judgement = pytest.mark.skipif(INCUMBENT, reason="logs are not judged")


@pytest.fixture
def down(fresh_httpd):
    refused = RefusedPort()
    yield fresh_httpd("JkMount /* down", workers=ajp13(down=refused.port))
    refused.stop()


@needs_judgement
def test_a_loud_line_that_nobody_expected_fails(down):
    client.get(down.port, "/x")
    with pytest.raises(AssertionError, match="nobody expected"):
        down.end_test()


@needs_judgement
def test_an_expected_line_that_does_not_come_fails(down):
    down.expect("pigs fly")
    with pytest.raises(AssertionError, match="pigs fly"):
        down.end_test()
    down.begin_test()  # forget it


@pytest.mark.parametrize("line", ["==1==ERROR: AddressSanitizer: heap-use-after-free", "native/x.c:1:2: runtime error: shift",
                                  "[x] [core:notice] [pid 1] AH00052: child pid 2 exit signal Segmentation fault (11)"])
def test_a_crash_fails(down, line):
    """Whatever the test allows."""
    with open(down.path("logs/error_log"), "a") as f:
        f.write(line + "\n")
    down.allow(".")
    with pytest.raises(AssertionError):
        down.end_test()


@pytest.mark.parametrize("raw, cut", [
    (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc", "short"),
    (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", "no last chunk"),
    (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nabc", "no last chunk"),
    (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n", "no last chunk"),
    (b"HTTP/1.1 200 OK\r\n\r\nabc", "eof"),
    (b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc", "length"),
    (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", "chunked"),
    (b"HTTP/1.1 204 No\r\n\r\n", "none"),
    (b"HTTP/1.1 200", "no answer"),
    (b"", "no answer"),
])
def test_the_client_sees_how_an_answer_ends(fresh_peer, raw, cut):
    peer = fresh_peer()
    peer.on_connect = lambda conn: (conn.sock.recv(100), conn.send(raw))
    answer = client.ask(peer.port, "GET", "/")
    assert answer.end == cut and answer.complete == (cut in ("eof", "length", "chunked", "none"))


def forward(head=b"\2\2", strings=("HTTP/1.1", "/", "127.0.0.1", None, "x"), rest=b"\0\x50\0\0\0", attributes=b"\xff"):
    return head + b"".join(ajp.string(s) for s in strings) + rest + attributes


@pytest.mark.parametrize("payload, why", [
    (forward(attributes=b""), "no end of the attributes"),
    (forward(attributes=b"\xff\0"), "something after it"),
    (forward(attributes=b"\5" + ajp.string("q") + b"\3" + ajp.string("user") + b"\xff"), "a wrong order"),
    (forward(attributes=b"\5" + ajp.string("q") + b"\5" + ajp.string("q") + b"\xff"), "twice"),
    (forward(attributes=b"\x0b" + ajp.string("256") + b"\xff"), "the key size as a string"),
    (forward(attributes=b"\x42" + ajp.string("q") + b"\xff"), "an unknown attribute"),
    (forward(head=b"\2\xff"), "a stored method that is not there"),
    (forward(head=b"\2\x63"), "an unknown method"),
    (forward(rest=b"\0\x50\2\0\0"), "a boolean of 2"),
    (forward(rest=b"\0\x50\0\0\1\xa0\x0f" + ajp.string("x")), "an unknown header code"),
    (forward(rest=b"\0\x50\0\0\1" + ajp.string("x") + b"\0\1ab"), "no terminator"),
])
def test_the_peer_sees_violations(payload, why):
    with pytest.raises(Violation):
        Request(payload)


def test_the_peer_takes_what_is_right():
    r = Request(forward(attributes=b"\x0c" + ajp.string("s") + b"\x0b\1\0" + b"\x0a" + ajp.string("a") + ajp.string("b") + b"\xff"))
    assert r.attributes == [("secret", "s"), ("ssl_key_size", 256), ("a", "b")]


def test_nothing_is_left(fresh_httpd, fresh_peer):
    """Processes end and directories go."""
    httpd = fresh_httpd("JkMount /* w", workers=ajp13(w=fresh_peer().port))
    pid, children = httpd.pid, proc.children_of(httpd.pid)
    assert children
    httpd.remove()
    assert not os.path.exists(httpd.root)
    assert proc.wait_until(lambda: not any(os.path.exists(f"/proc/{p}") for p in (pid, *children)))


def test_a_script_may_close(fresh_httpd, fresh_peer):
    """Deliveries are counted per path."""
    peer = fresh_peer()
    httpd = fresh_httpd("JkMount /* w", workers=ajp13(w={"port": peer.port, "retries": 1}))
    httpd.allow(".")
    peer.on("/a", [CLOSE])
    assert client.get(httpd.port, "/a").status == 502 and client.get(httpd.port, "/b").status == 200
    assert (peer.deliveries("/a"), peer.deliveries("/b"), peer.deliveries("/c")) == (1, 1, 0)


BROKEN_ON_PURPOSE = runpy.run_path(os.path.join(TOP, "tools", "break-past"))["ROWS"]


@pytest.mark.parametrize("row", BROKEN_ON_PURPOSE, ids=[row[0].replace(" ", "-") for row in BROKEN_ON_PURPOSE])
def test_each_fix_can_still_be_taken_out(row):
    """tools/break-past is run by hand; that it knows the source of today is seen here."""
    _, name, old, new = row
    with open(os.path.join(TOP, name)) as f:
        text = f.read()
    assert old != new and [text.count(one) for one in ([old] if isinstance(old, str) else old)] == [1] * (1 if isinstance(old, str) else len(old))
