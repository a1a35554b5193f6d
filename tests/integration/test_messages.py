"""The messages that people and tools look for (log.md 2): each row is made to happen, with its key words and at its level. Rows of the
mapping, of rule files and of the status worker stand with those."""
import re
import struct

import pytest
from lib import ajp, client, proc
from lib.ajp_peer import RefusedPort
from lib.httpd import INCUMBENT
from lib.workers import ajp13, lb

pytestmark = pytest.mark.differs("some words and levels differ") if INCUMBENT else []


@pytest.fixture(scope="module")
def peer(make_peer):
    return make_peer()


@pytest.fixture(scope="module")
def down():
    one = RefusedPort()
    yield one
    one.stop()


@pytest.fixture(scope="module")
def httpd(make_httpd, peer, down):
    def to(**keys):
        return {"port": peer.port, "retries": 1, **keys}
    workers = ajp13(w=to(), down={"port": down.port, "retries": 1}, slow=to(reply_timeout=100), ping=to(connect_timeout=100),
                    prepost=to(prepost_timeout=100), status=to(fail_on_status="503"),
                    soft=to(fail_on_status="-503"), nohost={"host": "no.such.invalid", "port": 9},
                    full=to(connection_pool_size=1, connection_acquire_timeout=0), busy=to(busy_limit=1))
    member = {"port": down.port, "retries": 1}
    balancer = lb("lb", {"m1": member, "m2": member}, {"lb_retries": 2, "sticky_session_force": 1})
    workers += balancer.split("\n", 1)[1] + "worker.list=lb\n"
    mounts = "\n".join(f"JkMount /{n}/* {n}" for n in "w down slow ping prepost status soft nohost full busy lb lost".split())
    return make_httpd(f"{mounts}\nJkLogLevel debug\nJkShmSize 100\nJkOptions +RejectUnsafeURI", workers=workers,
                      startup=["no.such.invalid", "can't resolve tomcat address", "there is no worker 'lost'", "are one container"])


def get(httpd, path="/w/x", **more):
    return client.get(httpd.port, path, **more)


def post(httpd, path, body=b"x", **more):
    return client.ask(httpd.port, "POST", path, body=body, **more)


def on(peer, script, path="/w/x"):
    peer.on(path, script)


# ---- what makes each happen ----

def bad_magic(httpd, peer):
    on(peer, [b"SSH-2.0", lambda ex: ex.close()])
    get(httpd)


def bad_size(httpd, peer):
    on(peer, [struct.pack(">2sH", b"AB", 9000), lambda ex: ex.close()])
    get(httpd)


def bad_chunk(httpd, peer):
    on(peer, [ajp.send_headers() + ajp.packet(b"\x03\x1f\xffA"), lambda ex: ex.module_closes()])
    get(httpd)


def gone_at_header(httpd, peer):
    on(peer, [lambda ex: ex.close()])
    get(httpd)


def gone_in_body(httpd, peer):
    on(peer, [ajp.send_headers(), ajp.chunk(b"half"), ajp.FLUSH, lambda ex: ex.close()])
    get(httpd)


def post_lost(httpd, peer):
    on(peer, [lambda ex: ex.close()])
    post(httpd, "/w/x")


def silence(httpd, peer):
    on(peer, [lambda ex: ex.conn.drained(5)], "/slow/x")
    get(httpd, "/slow/x")


def no_pong(httpd, peer):
    peer.answers_ping = False
    get(httpd, "/ping/x")


def wrong_pong(httpd, peer):
    peer.on_ping = lambda conn: conn.send(ajp.packet(b"\x2a"))
    get(httpd, "/ping/x")


def no_pong_later(httpd, peer):
    get(httpd, "/prepost/x")
    peer.answers_ping = False
    get(httpd, "/prepost/x")


def reuse_off(httpd, peer):
    on(peer, [ajp.answer("x", 200, reuse=False)])
    get(httpd)


def client_stops_reading(httpd, peer):
    on(peer, [ajp.send_headers()] + [ajp.chunks(b"x" * 1000000)] * 30 + [ajp.end()])
    with client.Wire(httpd.port) as wire:
        wire.request("GET", "/w/x")
        wire._more()
        wire.sock.setsockopt(1, 13, struct.pack("ii", 1, 0))


def client_stops_sending(httpd, peer):
    with client.Wire(httpd.port) as wire:
        wire.send("POST /w/x HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nabc")
        wire.half_close()
        wire.answer()


def pool_full(httpd, peer):
    with client.Wire(httpd.port) as one, client.Wire(httpd.port) as two:
        on(peer, [ajp.send_headers(), ajp.FLUSH, lambda ex: ex.module_closes(3)], "/full/x")
        one.request("GET", "/full/x")
        proc.wait_until(lambda: peer.deliveries("/full/x"))
        two.get("/full/y")


def busy(httpd, peer):
    with client.Wire(httpd.port) as one, client.Wire(httpd.port) as two:
        on(peer, [ajp.send_headers(), ajp.FLUSH, lambda ex: ex.module_closes(3)], "/busy/x")
        one.request("GET", "/busy/x")
        proc.wait_until(lambda: peer.deliveries("/busy/x"))
        two.get("/busy/y")


def status_503(path):
    def make(httpd, peer):
        on(peer, [ajp.answer("x", 503)], path)
        get(httpd, path)
    return make


def no_body(httpd, peer):
    on(peer, [ajp.send_headers(404) + ajp.end()])
    get(httpd)


def path_of(path, headers=()):
    return lambda httpd, peer: client.get(httpd.port, path, headers)


def lb_session(httpd, peer):
    for _ in range(3):
        get(httpd, "/lb/x;jsessionid=1.m1")


ROWS = [  # level, words, what makes it happen
    ("info", r"connect to 127\.0\.0\.1:\d+ failed \(errno=111\)", path_of("/down/x")),
    ("error", r"Failed opening socket to \(127\.0\.0\.1:\d+\)", path_of("/down/x")),  # in one line with the next
    ("error", r"connecting to backend failed\. Tomcat is probably not started or is listening on the wrong port \(errno=111\)", path_of("/down/x")),
    ("error", r"connecting to tomcat failed \(rc=\w+, errors=1, client_errors=0\)", path_of("/down/x")),
    ("info", r"sending request to tomcat failed \(recoverable\), .*\(attempt=1\)", path_of("/down/x")),
    ("info", r"sending request to tomcat failed \(unrecoverable\), .*\(attempt=1\)", post_lost),
    ("error", r"Timeout with waiting reply from tomcat", silence),
    ("info", r"timeout in reply cpong after 100 ms", no_pong),
    ("info", r"awaited reply cpong, received 42 instead", wrong_pong),
    ("error", r"cping/cpong after connecting to the backend server failed", no_pong),
    ("info", r"prepost cping/cpong failure", no_pong_later),
    ("info", r"can't receive the response header message from tomcat, tomcat \(127.0.0.1:\d+\) "
             r"has forced a connection close for socket", gone_at_header),
    ("info", r"can't receive the response body message from tomcat", gone_in_body),
    ("error", r"Tomcat is down or refused connection\. No response has been sent to the client \(yet\)", gone_at_header),
    ("error", r"Part of the response has already been sent to the client", gone_in_body),
    ("error", r"wrong message format 0x5353", bad_magic),
    ("error", r"wrong message size 9000", bad_size),
    ("error", r"Chunk length too large", bad_chunk),
    ("warn", r"AJP13 protocol: Reuse is set to false", reuse_off),
    ("debug", r"no usable connection found, will create a new one", path_of("/down/x")),
    ("error", r"Creating AJP message failed without recovery - check max_packet_size", path_of("/w/x", [("X-Big", "x" * 8100)])),
    ("info", r"Reading from client aborted or client network problems", client_stops_sending),
    ("info", r"Writing to client aborted or client network problems", client_stops_reading),
    ("info", r"Aborting connection for worker=w", client_stops_reading),
    ("warn", r"Unable to get the free endpoint for worker full from 1 slots", pool_full),
    ("error", r"busy limit 1 reached", busy),
    ("info", r"\(lb\) service failed, worker m\d is in (local )?error state", path_of("/lb/x")),
    ("error", r"\(lb\) All tomcat instances (failed, no more workers left|are busy or in error state)", path_of("/lb/x")),
    ("info", r"\(lb\) all workers are in error state for session", lb_session),
    ("info", r"Detected empty session identifier", path_of("/lb/x;jsessionid=;v=1")),
    ("info", r"\(status\) request failed, because of response status 503", status_503("/status/x")),
    ("info", r"\(soft\) request failed \(soft\), because of response status 503", status_503("/soft/x")),
    ("info", r"No body with status=404 for worker=w", no_body),
    ("info", r"Service error=503 for worker=down", path_of("/down/x")),
    ("error", r"Could not find a worker for worker name=lost", path_of("/lost/x")),
    ("info", r"Potentially unsafe request url '/w/a%b' rejected", path_of("/w/a%25b")),
    ("emerg", r"sequence that tries to escape above the root", path_of("/..;/x")),
    ("debug", r"Service protocol=HTTP/1\.1 method=GET ssl=false host=\(null\) addr=127\.0\.0\.1 name=127\.0\.0\.1 port=\d+ "
              r"auth=\(null\) user=\(null\) laddr=127\.0\.0\.1 raddr=127\.0\.0\.1 uaddr=127\.0\.0\.1 uri=/w/x", path_of("/w/x")),
]


@pytest.mark.parametrize("level, words, make", ROWS, ids=[re.sub(r"\\", "", r[1])[:50] for r in ROWS])
def test_messages(httpd, peer, level, words, make):
    httpd.allow(".")  # the row is what is looked for; others of the same event come with it
    make(httpd, peer)
    found = httpd.jk_lines(words)
    assert found, "it did not come"
    assert all(f"] [{level}] " in ln for ln in found), found
    assert all(bool(re.search(r" \[JK\d{4}\]$", ln)) == (level in ("warn", "error", "emerg")) for ln in found)


def test_at_the_start(httpd):
    text = httpd.jk_log.text()
    assert re.search(r"\[info\] .*mod_jk/\d\S* initialized", text)
    assert re.search(r"\[error\] .*can't resolve tomcat address no\.such\.invalid.*\[JK0201\]", text), "told once, not for each request"
    assert re.search(r"\[info\] .*optimal shared memory size is determined automatically", text), "JkShmSize: decisions.md, at info"


IN_THE_FILE = [  # what is wrong in the workers file, level in httpd's log, words
    ("worker.w.colour=red", "error", "worker.w.colour.*is not supported"),
    ("worker.b.balanced_workers=w\nworker.b.type=lb", "info", "is deprecated"),
    ("worker.w.port=1\nworker.w.port=2", "warn", "Duplicate key 'worker.w.port' detected"),
    ("worker.list=x\nworker.x.type=ajp99", "error", "Unknown worker type ajp99 for worker x"),
    ("worker.list=b\nworker.b.type=lb\nworker.b.balance_workers=m,n\nworker.m.type=ajp13\n"
     "worker.m.route=r\nworker.n.type=ajp13\nworker.n.route=r", "error",
     "share the same route"),
]


@pytest.mark.parametrize("lines, level, words", IN_THE_FILE, ids=[r[2][:30] for r in IN_THE_FILE])
def test_messages_about_the_workers_file(fresh_httpd, lines, level, words):
    """They stand in httpd's own log: mod_jk.log is not open yet."""
    httpd = fresh_httpd("JkMount /* w\nLogLevel info", workers=ajp13(w=8009) + lines + "\n", start=False)
    assert re.search(words, httpd.configtest()[1])
