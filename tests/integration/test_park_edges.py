"""Parking where it ends: answers before their body, containers that do not read, stops and restarts, limits, and what is told of it.

Beside test_park.py. Nothing here asks how long anything takes; a request that held a thread where it should not keeps others waiting."""
import os
import signal
import socket
import threading
import time

import pytest
from lib import ajp, client, proc
from lib.ajp_peer import SLEEP
from lib.crowd import Crowd, Gate, Reader, slow_wire
from lib.parking import LARGE, MANY, THREADS, answered, held, large, mpm, visit
from lib.workers import ajp13, lb

NOW = "JkParkAfter 0\nJkMount /* w\n<Location /small>\nLimitRequestBody 1500\n</Location>\n"

pytestmark = pytest.mark.skipif(os.environ.get("JK_MPM", "event") != "event", reason="only event can let a request wait without a thread")


@pytest.fixture(scope="module")
def peer(make_peer):
    return make_peer()


@pytest.fixture(scope="module")
def narrow(make_peer):
    """It takes little before it is read from."""
    one = make_peer(name="narrow", max_packet=65536)
    one.listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    return one


@pytest.fixture(scope="module")
def httpd(make_httpd, peer, narrow):
    took = 'LogFormat "%D %{X-Test}i" took\nCustomLog logs/took took\n'
    return make_httpd(mpm() + took + "JkMount /narrow/* narrow\n" + NOW, timeout=20,
                      workers=ajp13(w=peer.port, narrow={"port": narrow.port, "max_packet_size": 65536}))


def begin_upload(httpd, path, length=30000, sent=9000):
    wire = client.Wire(httpd.port)
    wire.send(f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\n")
    wire.send(b"u" * sent)
    return wire


# ---- a body that is sent slowly ----

@pytest.mark.parametrize("asked", [True, False], ids=["asked", "unasked"])
def test_an_answer_before_the_body(httpd, peer, asked):
    """Each client gets it at once, none is waited for to send the rest, and what was asked for on a connection and not given ends it."""
    fates = []

    def script(ex):
        ex.first_packet()
        if asked:
            ex.send(ajp.get_body(ajp.MAX_BODY))
            time.sleep(0.1)
        ex.send(ajp.answer("too large", 413))
        if asked:
            fates.append(ex.module_closes())
    peer.on("/up", script)
    wires = [begin_upload(httpd, "/up") for _ in range(MANY)]
    for answer in Crowd(MANY, lambda i: wires[i].answer()).join():
        assert answer.status == 413 and answer.text == "too large" and answer.complete
    for _ in range(3):
        visit(httpd)
    for wire in wires:
        wire.close()
    assert not asked or proc.wait_until(lambda: fates == [True] * MANY, 5)


def test_a_quick_body_that_nobody_reads_costs_no_connection(httpd, peer):
    peer.on("/up", lambda ex: (ex.first_packet(), ex.send(ajp.answer("thanks"))))
    with client.Wire(httpd.port) as wire:
        for _ in range(3):
            assert wire.ask("POST", "/up", body=b"q" * 100000).text == "thanks"


def test_a_container_that_speaks_while_the_body_is_slow(httpd, peer):
    """Its words reach the client, and the rest of the body reaches it."""
    def script(ex):
        ex.first_packet()
        ex.send(ajp.get_body(ajp.MAX_BODY))
        time.sleep(0.1)
        ex.send(ajp.send_headers() + ajp.chunk(b"so far so good;") + ajp.FLUSH)
        ex.body_packet()
        ex.read_body()
        ex.send(ajp.chunk(b"%d" % len(ex.request.body)) + ajp.end())
    peer.on("/up", script)
    with begin_upload(httpd, "/up") as wire:
        while b"so far so good;" not in wire.held:
            wire._more()
        wire.send(b"u" * 21000)
        answer = wire.answer()
        assert answer.text == "so far so good;30000" and answer.complete
        assert wire.get("/after").status == 200


def test_a_container_that_leaves_while_the_body_is_slow(httpd, peer):
    httpd.expect("JK0306")
    peer.on("/up", lambda ex: (ex.first_packet(), ex.send(ajp.get_body(ajp.MAX_BODY)), time.sleep(0.1), ex.close()))
    wires = [begin_upload(httpd, "/up") for _ in range(MANY)]
    assert {a.status for a in Crowd(MANY, lambda i: wires[i].answer()).join()} == {502}
    visit(httpd)
    for wire in wires:
        wire.close()


def test_a_container_that_does_not_read(httpd, narrow):
    """Its socket is full: the request waits until it takes more, and arrives whole."""
    gate, body = Gate(), b"n" * 65000
    narrow.on_connect = lambda conn: (gate.hold(), conn.serve())
    crowd = Crowd(MANY, lambda i: client.ask(httpd.port, "POST", "/narrow/up", body=body))
    assert gate.arrived(MANY)
    time.sleep(0.2)
    assert narrow.deliveries("/narrow/up") == 0
    visit(httpd)
    gate.open()
    for answer in answered(crowd.join()):
        assert '"length": 65000' in answer.text


def test_a_body_that_grows_too_large_while_it_waits(httpd, peer):
    """httpd answers 413 by itself when it reads too much, and that is what the log says."""
    began = threading.Event()
    peer.on("/small", lambda ex: (ex.send(ajp.get_body(ajp.MAX_BODY)), began.set(), ex.module_closes()))
    with client.Wire(httpd.port) as wire:
        wire.send("POST /small HTTP/1.1\r\nHost: x\r\nX-Test: grown\r\nTransfer-Encoding: chunked\r\n\r\n3e8\r\n" + "b" * 1000 + "\r\n")
        assert began.wait(10)
        time.sleep(0.2)  # it waits for more, without a thread
        wire.send("3e8\r\n" + "b" * 1000 + "\r\n")
        assert wire.answer().status == 413
    assert httpd.access_of("grown")["status"] == "413"


def test_trailers_that_do_not_come(fresh_httpd, peer):
    """They are read in place: Timeout ends that."""
    httpd = fresh_httpd(mpm() + NOW, workers=ajp13(w=peer.port), timeout=1)
    httpd.allow("JK05")
    with client.Wire(httpd.port) as wire:
        wire.send("POST /up HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX-Trailer: is com")
        answer = wire.answer()
        assert answer.status in (None, 400, 408, 500), answer
        assert wire.at_end()
    visit(httpd)


# ---- invisible ----

def test_the_log_has_the_whole_time(httpd, peer):
    peer.on("/x", [SLEEP(0.4), ajp.answer("x")])
    client.get(httpd.port, "/x", [("X-Test", "took")])
    line = proc.wait_until(lambda: [ln for ln in open(httpd.path("logs/took")) if ln.endswith(" took\n")], 5)[0]
    assert int(line.split()[0]) >= 400000


def test_a_reader_that_half_closes_gets_all(httpd, peer):
    """While it reads slowly: it said all that it has to say."""
    peer.on("/large", large)
    reader = Reader(httpd.port, "/large")
    assert proc.wait_until(lambda: peer.deliveries("/large") == 1, 5)
    time.sleep(0.2)
    reader.wire.half_close()
    time.sleep(0.2)
    assert reader.finish().body == LARGE


def test_stopped_readers_of_many_small_flushed_pieces(httpd, peer):
    """Much of it lies ready at once: what is passed on is bounded by what the client takes, not by how much comes."""
    pieces = (ajp.chunk(b"p" * 500) + ajp.FLUSH) * 1000

    def script(ex):
        ex.send(ajp.send_headers())
        for _ in range(4):
            ex.send(pieces)
        ex.send(ajp.end())
    peer.on("/pieces", script)
    readers = [Reader(httpd.port, "/pieces") for _ in range(MANY)]
    assert proc.wait_until(lambda: peer.deliveries("/pieces") == MANY, 10)
    time.sleep(0.3)
    for _ in range(3):
        visit(httpd)
    for answer in answered(Crowd(MANY, lambda i: readers[i].finish()).join()):
        assert answer.body == b"p" * 2000000


# ---- limits ----

def test_readers_at_the_default_factor(fresh_httpd, peer):
    """40 of them and 16 threads: 48 connections are the MPM's limit while all its threads are idle. One reader that holds a thread takes two
    from that: with JkParkMax left at 32 it stops at 37."""
    more = "SendBufferSize 32768\nJkWatchdogInterval 0\nJkParkMax 40\n"
    httpd = fresh_httpd(mpm(16, factor=None, more=more) + NOW, workers=ajp13(w=peer.port))
    httpd.allow("AH00484")
    peer.on("/large", large)
    readers = [Reader(httpd.port, "/large") for _ in range(40)]
    assert proc.wait_until(lambda: peer.deliveries("/large") == 40, 10)
    for _ in range(3):
        visit(httpd)
    for answer in answered(Crowd(40, lambda i: readers[i].finish()).join()):
        assert answer.body == LARGE


def test_what_is_told_at_the_end(fresh_httpd, peer):
    """The gauges: how many waited, and why others did not."""
    files = {"htdocs/page.shtml": '<!--#include virtual="/part/a" -->'}
    include = "<Location /page.shtml>\nOptions +Includes\nSetOutputFilter INCLUDES\n</Location>\nJkUnMount /page.shtml w\n"
    httpd = fresh_httpd(mpm(more="JkParkMax 3\nJkWatchdogInterval 0\n") + include + NOW, workers=ajp13(w=peer.port), files=files)
    gate = Gate()
    peer.on("/x", held(gate, lambda r: "x"))
    peer.on("/part/a", [ajp.answer("a", headers=[("Content-Type", "text/plain")])])
    crowd = Crowd(THREADS - 1, lambda i: client.get(httpd.port, "/x"))
    assert gate.arrived(THREADS - 1)
    assert client.get(httpd.port, "/page.shtml").text == "a"
    gate.open()
    answered(crowd.join())
    httpd.wait_idle()
    assert httpd.stop()
    said = httpd.jk_log.text()
    assert ", at most 3 at once" in said
    assert f"not without a thread: {THREADS - 1 - 3} (JkParkMax was reached)" in said
    assert "not without a thread: 1 (sub-requests)" in said


def test_several_processes(fresh_httpd, peer):
    """Requests wait in each, and a balancer's books balance."""
    more = 'JkNotes On\nHeader always set X-Busy "expr=%{note:JK_LB_LAST_BUSY}"\nJkParkAfter 0\nJkMount /* b\n'
    httpd = fresh_httpd(mpm(children=3) + more, workers=lb("b", {"m": peer.port}, {"sticky_session": 0}))
    httpd.allow("AH00484")
    gate = Gate()
    peer.on("/x", held(gate, lambda r: "x"))
    crowd = Crowd(4 * MANY, lambda i: client.get(httpd.port, "/x"))
    assert gate.arrived(4 * MANY)
    visit(httpd)
    gate.open()
    answered(crowd.join())
    assert client.get(httpd.port, "/last").header("X-Busy") == "0"


# ---- stops and restarts ----

def test_graceful_stop(fresh_httpd, peer):
    """Whoever waits gets an answer first."""
    httpd = fresh_httpd(mpm() + NOW, workers=ajp13(w=peer.port))
    gate = Gate()
    peer.on("/x", held(gate, lambda r: "x"))
    peer.on("/large", large)
    readers = [Reader(httpd.port, "/large") for _ in range(THREADS)]
    crowd = Crowd(MANY, lambda i: client.get(httpd.port, "/x"))
    assert gate.arrived(MANY) and proc.wait_until(lambda: peer.deliveries("/large") == THREADS, 5)
    os.kill(httpd.pid, signal.SIGWINCH)
    assert proc.wait_until(lambda: not proc.accepts(("127.0.0.1", httpd.port)), 10), "it listens no more"
    reading = Crowd(THREADS, lambda i: readers[i].finish())
    gate.open()
    answered(crowd.join())
    for answer in answered(reading.join()):
        assert answer.body == LARGE
    assert proc.wait_until(lambda: httpd.child.poll() == 0, 10), "the server leaves behind the last of them"
    httpd.child = None


def test_a_graceful_restart_without_a_spare_process(fresh_httpd, peer):
    """The old process has the only place until its requests are done: nobody is lost, and the log says at the start what to set."""
    httpd = fresh_httpd(mpm(server_limit=1) + NOW, workers=ajp13(w=peer.port))
    httpd.allow("AH03490", "scoreboard is full")
    assert "raise ServerLimit" in httpd.jk_log.text()
    gate = Gate()
    peer.on("/x", held(gate, lambda r: "x"))
    crowd = Crowd(MANY, lambda i: client.get(httpd.port, "/x"))
    assert gate.arrived(MANY)
    before = httpd.generations()
    os.kill(httpd.pid, signal.SIGUSR1)
    assert proc.wait_until(lambda: httpd.generations() > before, 10)
    late = Crowd(3, lambda i: client.get(httpd.port, "/late"))
    time.sleep(0.3)
    assert peer.deliveries("/late") == 0, "there was a place: this test proves nothing"
    gate.open()
    answered(crowd.join())
    answered(late.join())


def one_processor(httpd):
    """All that its children do from now on takes turns: what is done in between is seen."""
    os.sched_setaffinity(httpd.pid, {min(os.sched_getaffinity(httpd.pid))})
    httpd.graceful()


def accepted_at_the_end(httpd, paths, pause, wire_to=client.Wire):
    """The child is told to end while these connections come: it accepts some of them, but no thread of its has seen them yet."""
    (child,) = proc.children_of(httpd.pid)
    before = httpd.generations()
    os.kill(child, signal.SIGSTOP)
    wires = [wire_to(httpd.port) for _ in paths]
    for wire, path in zip(wires, paths):
        wire.request("GET", path, [("Connection", "close")])
    os.kill(httpd.pid, signal.SIGUSR1)
    time.sleep(pause)
    os.kill(child, signal.SIGCONT)
    answers = [wire.answer() for wire in wires]
    for wire in wires:
        wire.close()
    assert proc.wait_until(lambda: httpd.generations() > before and child not in proc.children_of(httpd.pid), 20)
    return answers


def test_a_connection_that_comes_while_the_process_stops(fresh_httpd, fresh_peer):
    """event's listener ends when no connection is counted, though some that it accepted are still in its queue: nobody polls them any more, so
    none of them may wait without a thread."""
    peer = fresh_peer()
    peer.default = lambda ex: (time.sleep(0.2), ex.send(ajp.answer(ex.request.path)))
    httpd = fresh_httpd(mpm(server_limit=16) + "JkParkAfter 0\nJkMount /* w\n", workers=ajp13(w=peer.port))
    one_processor(httpd)
    for turn in range(8):
        paths = [f"/{turn}.{i}" for i in range(24)]
        assert [a.text for a in accepted_at_the_end(httpd, paths, turn % 4 * 0.004)] == paths


def test_a_slow_reader_that_comes_while_the_process_stops(fresh_httpd, fresh_peer):
    """The same, and its client is behind: what httpd would write in the background nobody writes any more, so that all of it is written in place."""
    peer = fresh_peer()
    peer.default = lambda ex: ex.send(ajp.answer(ex.request.path * 40000))
    httpd = fresh_httpd(mpm(server_limit=16) + "SendBufferSize 8192\nJkMount /* w\n", workers=ajp13(w=peer.port))
    one_processor(httpd)
    for turn in range(4):
        paths = [f"/{turn}.{i:02}" for i in range(12)]
        answers = accepted_at_the_end(httpd, paths, turn % 4 * 0.004, slow_wire)
        assert [(len(a.text), a.text[:5]) for a in answers] == [(200000, path) for path in paths]
