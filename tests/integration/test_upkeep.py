"""Pings, and what is done between requests: idle connections, their age, their probing."""
import os
import threading
import time

import pytest
from lib import ajp, client, proc
from lib.ajp_peer import CLOSE
from lib.workers import ajp13


@pytest.fixture(scope="module")
def peer(make_peer):
    return make_peer()


QUICK = {"retry_interval": 1}

WORKERS = {
    "plain": {},
    "connect": {"connect_timeout": 300},
    "prepost": {"prepost_timeout": 300},
    "both": {"connect_timeout": 300, "prepost_timeout": 300},
    "modecp": {"ping_mode": "CP", "ping_timeout": 300},
    "modea": {"ping_mode": "A", "ping_timeout": 300},
    "unsafe": {"safe_ping": "false"},
    "thrice": {"connect_timeout": 300, "retries": 3},
}


@pytest.fixture(scope="module")
def httpd(make_httpd, peer):
    workers = {name: {"port": peer.port, **QUICK, **keys} for name, keys in WORKERS.items()}
    return make_httpd("\n".join(f"JkMount /{w}/* {w}" for w in workers), workers=ajp13(**workers))


def one_child(httpd):
    if httpd.mpm == "prefork":
        pytest.skip("each process of prefork has connections of its own")


# ---- pings ----

@pytest.mark.parametrize("worker, fresh, reused", [("plain", 0, 0), ("connect", 1, 0), ("prepost", 1, 1), ("both", 1, 1), ("modecp", 1, 1),
                                                   ("modea", 1, 1)])
def test_who_is_pinged_when(httpd, peer, worker, fresh, reused):
    """connect_timeout: once after connecting; prepost_timeout: before each request, on a new connection unless that was just done."""
    with client.Wire(httpd.port) as wire:
        pings = []
        for i in range(3):
            assert wire.get(f"/{worker}/{i}").status == 200
            (conn,) = peer.used_connections()
            pings.append(conn.pings)
    assert pings == [fresh, fresh + reused, fresh + 2 * reused]


@pytest.mark.parametrize("worker, attempts", [("connect", 2), ("prepost", 2), ("thrice", 3)])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_no_cpong_on_new_connections(httpd, peer, worker, attempts, method):
    """503, nothing was delivered, each attempt had a connection of its own; even a POST may be tried again."""
    httpd.expect("cping/cpong after connecting to the backend server failed.*JK0205", "connecting to tomcat failed")
    peer.answers_ping = False
    assert client.ask(httpd.port, method, f"/{worker}/x", body=b"b" if method == "POST" else None).status == 503
    assert not peer.requests and len(peer.connections) == attempts
    assert proc.wait_until(lambda: all(c.closed_by_module.is_set() for c in peer.connections))


ANSWERS = {
    "closed": (CLOSE, "closed"),
    "another message": (lambda c: c.send(ajp.end() * 2), "awaited reply cpong|another answer"),
    "garbage": (lambda c: c.send(b"abcdefghi"), "another answer"),
    "HTTP": (lambda c: c.send(b"HTTP/1.1 400 \r\n\r\n"), "answered in HTTP.*JK0301"),
    "TLS": (lambda c: c.send(b"\x15\x03\x03\x00\x02\x02\x46"), "answered in TLS.*JK0302"),
}


@pytest.mark.parametrize("answer", ANSWERS)
def test_something_else_than_a_cpong(httpd, peer, answer):
    script, words = ANSWERS[answer]
    httpd.expect(words)
    httpd.allow("connect")
    peer.on_ping = script
    assert client.get(httpd.port, "/connect/x").status == 503
    assert not peer.requests


def test_a_message_under_way_before_the_cpong(httpd, peer):
    """What an answer before had left over is let pass once."""
    peer.on_ping = lambda c: (c.send(ajp.FLUSH), c.send(ajp.CPONG))
    assert client.get(httpd.port, "/connect/x").status == 200


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_no_cpong_on_a_connection_of_the_pool(httpd, peer, method):
    """Another one is made at once: the client sees nothing, the request is delivered once."""
    one_child(httpd)
    assert client.get(httpd.port, "/prepost/first").status == 200
    (old,) = peer.used_connections()
    peer.on_ping = lambda c: None if c is old else c.send(ajp.CPONG)
    assert client.ask(httpd.port, method, "/prepost/x", body=b"b" if method == "POST" else None).status == 200
    assert peer.deliveries("/prepost/x") == 1 and peer.last().connection is not old
    assert httpd.jk_lines("prepost cping/cpong failure")
    assert proc.wait_until(old.closed_by_module.is_set)


@pytest.mark.parametrize("worker, method, pause, pings", [
    ("plain", "POST", 1.1, 1), ("plain", "GET", 1.1, 0), ("plain", "HEAD", 1.1, 0), ("plain", "PUT", 1.1, 1), ("plain", "POST", 0, 0),
    ("unsafe", "POST", 1.1, 0), ("prepost", "POST", 1.1, 1)])
def test_safe_ping(httpd, peer, worker, method, pause, pings):
    """What may not be sent twice is sent on a connection that is known to live."""
    one_child(httpd)
    with client.Wire(httpd.port) as wire:
        assert wire.get(f"/{worker}/first").status == 200
        (conn,) = peer.used_connections()
        before = conn.pings
        time.sleep(pause)
        assert wire.ask(method, f"/{worker}/x", body=b"b" if method in ("POST", "PUT") else None).status == 200
    assert conn.pings - before == pings and peer.used_connections() == [conn]


def test_safe_ping_saves_a_post(httpd, peer):
    """The container hangs up when it is asked for anything, as one does that is stopping: a new connection is made."""
    one_child(httpd)
    assert client.get(httpd.port, "/plain/first").status == 200
    (old,) = peer.used_connections()
    time.sleep(1.1)
    peer.on_ping = lambda c: c.close() if c is old else c.send(ajp.CPONG)
    assert client.ask(httpd.port, "POST", "/plain/x", body=b"b").status == 200
    assert peer.deliveries("/plain/x") == 1


# ---- upkeep by the watchdog ----

def several_connections(httpd, peer, worker, n):
    """n idle connections in the pool."""
    go = threading.Event()
    peer.default = lambda ex: (ex.wait(go), ex.send(ajp.answer()))
    threads = [threading.Thread(target=client.get, args=(httpd.port, f"/{worker}/{i}")) for i in range(n)]
    for t in threads:
        t.start()
    assert proc.wait_until(lambda: len(peer.requests) == n)
    go.set()
    for t in threads:
        t.join(10)
    assert len(peer.open_connections()) == n


@pytest.mark.differs("a thread of its own, with other intervals")
@pytest.mark.parametrize("keys, left", [({"connection_pool_timeout": 1, "connection_pool_minsize": 2}, 2),
                                        ({"connection_pool_timeout": 1, "connection_pool_minsize": 0}, 0),
                                        ({"connection_pool_timeout": 1, "connection_pool_size": 10}, 5),
                                        ({"connection_pool_timeout": 1}, 3)])
def test_idle_connections_grow_old(fresh_httpd, fresh_peer, keys, left):
    """connection_pool_timeout closes the oldest, connection_pool_minsize stay (unset: half)."""
    peer = fresh_peer()
    httpd = fresh_httpd("JkMount /* w\nJkWatchdogInterval 1", workers=ajp13(w={"port": peer.port, **keys}))
    one_child(httpd)
    several_connections(httpd, peer, "", 6)
    still_open = lambda: [c for c in peer.connections if not c.closed_by_module.is_set()]
    assert proc.wait_until(lambda: len(still_open()) == left, 15)
    time.sleep(1.2)
    assert len(still_open()) == left


@pytest.mark.differs("a thread of its own, with other intervals")
def test_idle_connections_are_pinged(fresh_httpd, fresh_peer):
    """connection_ping_interval: who does not answer is closed, the others stay."""
    peer = fresh_peer()
    httpd = fresh_httpd("JkMount /* w\nJkWatchdogInterval 1",
                        workers=ajp13(w={"port": peer.port, "connection_ping_interval": 1, "ping_timeout": 200}))
    one_child(httpd)
    several_connections(httpd, peer, "", 3)
    mute = peer.open_connections()[1]
    peer.on_ping = lambda c: None if c is mute else c.send(ajp.CPONG)
    assert proc.wait_until(mute.closed_by_module.is_set, 15)
    assert httpd.jk_lines("keepalive cping/cpong failure")
    others = [c for c in peer.connections if c is not mute]
    assert len(others) == 2 and proc.wait_until(lambda: all(c.pings >= 2 for c in others), 15)
    assert not any(c.closed_by_module.is_set() for c in others)


@pytest.mark.differs("a closed connection was found when it was used")
def test_a_look_every_second(fresh_httpd, fresh_peer):
    """What the container has closed is closed here soon, without any request and any setting."""
    peer = fresh_peer()
    httpd = fresh_httpd("JkMount /* w", workers=ajp13(w=peer.port))
    one_child(httpd)
    several_connections(httpd, peer, "", 2)
    first, second = peer.open_connections()
    first.sock.shutdown(1)
    assert proc.wait_until(first.closed_by_module.is_set, 10)
    assert not second.closed_by_module.is_set()


@pytest.mark.differs("other intervals")
def test_no_background(fresh_httpd, fresh_peer):
    """JkWatchdogInterval 0: requests do the maintenance, and nobody looks in between."""
    peer = fresh_peer()
    workers = ajp13(w={"port": peer.port, "connection_pool_timeout": 1, "connection_pool_minsize": 1}) + "worker.maintain=1\n"
    httpd = fresh_httpd("JkMount /* w\nJkWatchdogInterval 0", workers=workers)
    one_child(httpd)
    several_connections(httpd, peer, "", 4)
    time.sleep(2.5)
    assert not any(c.closed_by_module.is_set() for c in peer.connections)
    assert client.get(httpd.port, "/x").status == 200
    assert proc.wait_until(lambda: sum(c.closed_by_module.is_set() for c in peer.connections) == 3)
    assert "no maintenance in the background" in httpd.jk_log.text()


# ---- fail_on_status ----

@pytest.fixture(scope="module")
def failing(make_httpd, peer):
    workers = {"hard": {"fail_on_status": "500,503"}, "soft": {"fail_on_status": "-404,-503"}, "first": {"fail_on_status": "-404,404"},
               "once": {"fail_on_status": "503", "retries": 1}, "always": {"fail_on_status": "503", "recovery_options": 0}}
    workers = {name: {"port": peer.port, **QUICK, **keys} for name, keys in workers.items()}
    return make_httpd("\n".join(f"JkMount /{w}/* {w}" for w in workers), workers=ajp13(**workers))


@pytest.mark.parametrize("worker, status, method, client_sees, times", [
    ("hard", 503, "GET", 503, 2), ("hard", 500, "GET", 503, 2), ("hard", 404, "GET", 404, 1), ("hard", 200, "GET", 200, 1),
    ("hard", 503, "HEAD", 503, 2), ("hard", 503, "POST", 503, 1), ("once", 503, "GET", 503, 1), ("soft", 404, "GET", 503, 2),
    ("first", 404, "GET", 503, 2), ("always", 503, "POST", 503, 2)])
@pytest.mark.differs("every method was sent again")
def test_fail_on_status(failing, peer, worker, status, method, client_sees, times):
    """The answer is not passed on, and counts as a failure: sent again where that is allowed, and the connection stays."""
    failing.allow("connecting to tomcat failed")
    path = f"/{worker}/x"
    peer.on(path, lambda ex: (ex.read_body(), ex.send(ajp.answer("secret words", status=status))))
    body = b"b" if method == "POST" else None
    answer = client.ask(failing.port, method, path, body=body)
    assert answer.status == client_sees and peer.deliveries(path) == times
    withheld = (worker, status) not in (("hard", 404), ("hard", 200))
    assert ("secret words" in answer.text) == (not withheld)
    if withheld:
        lines = failing.jk_lines(f"because of response status {status}")
        assert lines and all(("(soft)" in line) == (worker in ("soft", "first")) for line in lines)
    assert not any(c.closed_by_module.is_set() for c in peer.used_connections())


def test_a_long_answer_that_fails(failing, peer):
    """It is not read to its end for the sake of a connection."""
    failing.allow("connecting to tomcat failed")
    peer.on("/hard/x", lambda ex: ex.send(ajp.send_headers(503) + ajp.chunk(b"x" * 8000) * 100 + ajp.end()))
    assert client.get(failing.port, "/hard/x").status == 503
    assert proc.wait_until(lambda: all(c.closed_by_module.is_set() for c in peer.used_connections()))


# ---- limits of all processes together ----

@pytest.fixture(scope="module")
def limited(make_httpd, peer):
    workers = {"busy": {"busy_limit": 2}, "conns": {"max_connections": 2, "connection_acquire_timeout": 8000},
               "now": {"max_connections": 1, "connection_acquire_timeout": 0}, "lonely": {"busy_limit": 1}}
    workers = {name: {"port": peer.port, **keys} for name, keys in workers.items()}
    return make_httpd("\n".join(f"JkMount /{w}/* {w}" for w in workers), workers=ajp13(**workers))


def held(httpd, peer, path, n):
    """n requests that the container keeps until the event is set."""
    go, answers = threading.Event(), []
    peer.on(path, lambda ex: (ex.wait(go), ex.send(ajp.answer())))
    threads = [threading.Thread(target=lambda: answers.append(client.get(httpd.port, path).status)) for _ in range(n)]
    for t in threads:
        t.start()
    assert proc.wait_until(lambda: peer.deliveries(path) == n)

    def release():
        go.set()
        for t in threads:
            t.join(15)
        return answers
    return release


@pytest.mark.differs("other words")
def test_busy_limit(limited, peer):
    """The third of two is refused at once, and the next is served when the others are done."""
    limited.expect("busy limit 2 reached.*JK0207")
    release = held(limited, peer, "/busy/slow", 2)
    assert client.get(limited.port, "/busy/x").status == 503 and not peer.deliveries("/busy/x")
    assert release() == [200, 200]
    assert client.get(limited.port, "/busy/x").status == 200


@pytest.mark.differs("there was no such limit")
def test_max_connections_refuses(limited, peer):
    limited.expect("max_connections=1 reached.*JK0208")
    release = held(limited, peer, "/now/slow", 1)
    assert client.get(limited.port, "/now/x").status == 503
    assert release() == [200]


@pytest.mark.differs("there was no such limit")
def test_max_connections_waits(limited, peer):
    """With time to wait requests take turns; the container never sees more connections."""
    release = held(limited, peer, "/conns/slow", 2)
    answers = []
    more = [threading.Thread(target=lambda i=i: answers.append(client.get(limited.port, f"/conns/{i}").status)) for i in range(4)]
    for t in more:
        t.start()
    time.sleep(0.2)
    assert len(peer.open_connections()) == 2 and not answers
    assert release() == [200, 200]
    for t in more:
        t.join(15)
    assert answers == [200] * 4
    assert len(peer.open_connections()) <= 2


@pytest.mark.differs("a count that stayed for ever")
def test_what_a_killed_child_had_under_way_is_forgotten(limited, peer):
    """kill -9 of the process that serves: its request counts no more."""
    limited.allow("AH00052", "busy limit")
    before = proc.children_of(limited.pid)
    release = held(limited, peer, "/lonely/slow", 1)
    for pid in before:
        os.kill(pid, 9)
    assert proc.wait_until(lambda: proc.children_of(limited.pid) - before, 10)
    assert limited.wait_idle(10)
    assert proc.wait_until(lambda: client.get(limited.port, "/lonely/x").status == 200, 10)
    release()


# ---- sockets ----

def test_source(fresh_httpd, fresh_peer):
    """Connections are made from that address."""
    peer = fresh_peer()
    httpd = fresh_httpd("JkMount /* w", workers=ajp13(w={"port": peer.port, "source": "127.0.0.7"}))
    assert client.get(httpd.port, "/x").status == 200
    assert peer.connections[0].sock.getpeername()[0] == "127.0.0.7"


def test_a_source_that_is_none(fresh_httpd, fresh_peer):
    """A warning, and connections are made all the same."""
    peer = fresh_peer()
    httpd = fresh_httpd("JkMount /* w", workers=ajp13(w={"port": peer.port, "source": "no-such-host.invalid"}),
                        startup=["can't resolve source address no-such-host.invalid.*JK0206"])
    assert client.get(httpd.port, "/x").status == 200


# ---- recovery_options ----

RECOVERY = [  # options, how often GET, HEAD and POST are delivered when the container drops every request unanswered
    (None, 2, 2, 1), (27, 2, 2, 1), (0, 2, 2, 2), (1, 1, 1, 1), (2, 2, 2, 2), (3, 1, 1, 1), (9, 1, 2, 1), (17, 2, 1, 1), (25, 2, 2, 1),
    (24, 2, 2, 2),
]


@pytest.fixture(scope="module")
def recovering(make_httpd, peer):
    workers = {f"r{i}": {"port": peer.port, **QUICK, **({} if row[0] is None else {"recovery_options": row[0]})}
               for i, row in enumerate(RECOVERY)}
    return make_httpd("\n".join(f"JkMount /{w}/* {w}" for w in workers), workers=ajp13(**workers))


@pytest.mark.parametrize("row", range(len(RECOVERY)))
@pytest.mark.differs("other defaults, and bit 8 hid bit 16")
def test_recovery_options(recovering, peer, row):
    recovering.allow("No response has been sent to the client", "connecting to tomcat failed")
    peer.default = lambda ex: (ex.first_packet(), ex.close())
    for method, times in zip(("GET", "HEAD", "POST"), RECOVERY[row][1:]):
        path = f"/r{row}/{method}"
        assert client.ask(recovering.port, method, path, body=b"b" if method == "POST" else None).status == 502
        assert peer.deliveries(path) == times, method
