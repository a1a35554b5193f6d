"""Every way to break, at every step, for every kind of request: lib/faults.py is the table, this plays it."""
import os
import re
import socket
import struct
import subprocess
import sys
import threading
import time

import pytest
from lib import client, faults, proc
from lib.ajp_peer import Peer
from lib.faults import CUT, KEPT, one_of
from lib.httpd import INCUMBENT, TOP


def through_columns(cells):
    pairs = [(column, cell) for column in faults.COLUMNS for cell in cells() if column.takes(cell)]
    return pytest.mark.parametrize("place, cell", pairs, indirect=["place"], ids=[f"{column.name}-{cell}" for column, cell in pairs])


class Place:
    def __init__(self, column, httpd, peer, dies):
        self.column, self.httpd, self.peer, self.dies = column, httpd, peer, dies


@pytest.fixture(scope="module")
def places(make_httpd, make_peer):
    """One httpd and one peer per column, however many cells."""
    made, queues = {}, []

    def of(column):
        if column.name not in made:
            peer, dies, full = make_peer(), proc.free_port(), faults.FullQueue()
            queues.append(full)
            made[column.name] = Place(column, make_httpd(column.config(), workers=column.workers(peer.port, dies, full.port)), peer, dies)
        return made[column.name]
    yield of
    for full in queues:
        full.stop()


@pytest.fixture
def place(request, places):
    return places(request.param)


def send(wire, ask, path):
    """A long body is sent beside: the answer may come before it was taken."""
    def go():
        try:
            wire.request(ask.method, path, body=ask.body, chunked=ask.chunked)
        except OSError:
            pass
    thread = threading.Thread(target=go, daemon=True)
    thread.start()
    return thread


def check_half(column, body):
    """What arrived of it: whole, and at most that once more."""
    half = column.half
    assert body.startswith(half) or not column.whole_half and half.startswith(body), f"lost: {len(body)} bytes, {body[-200:]!r}"
    assert (half * 2).startswith(body), f"glued on: {body[-200:]!r}"


def check_answer(wire, column, ask, answer, want):
    assert answer.status in want.statuses, answer
    if want.result == CUT and ask.method == "HEAD":
        assert wire.at_end(), "the connection ends with it"
    elif want.result == CUT:
        assert not answer.complete and answer.end != "no answer", f"looks whole: {answer}"
        check_half(column, answer.body)
    else:
        assert answer.complete and answer.header("X-Half") is None and b"HALF" not in answer.body, answer
        if want.result == 200 and ask.method != "HEAD":
            assert b"ANOTHER" not in answer.body


def check_fates(peer, stage, want):
    """What became of the connections that the request came on."""
    used = list(dict.fromkeys(r.connection for r in list(peer.requests) if r.path == stage.path))
    if want.fate == KEPT:
        assert not any(c.closed_by_module.is_set() for c in used), "the connection should have been kept"
        assert peer.last().connection in used, "it is used again"
        return
    assert proc.wait_until(lambda: all(c.closed.is_set() or c.closed_by_module.is_set() for c in used), 4), "closed by nobody"
    assert False not in stage.fates, "the module has to close it"


def check_log(httpd, want):
    for number in want.ids:
        httpd.expect(rf" \[JK{number:04d}\]$")
    for number in want.may:
        httpd.allow(rf" \[JK{number:04d}\]$")


def check_state(place, cell, want):
    """Of the member, where there is one, before another request changes it."""
    if not place.column.balanced or INCUMBENT:
        return
    seen = []

    def right():
        text = client.get(place.httpd.port, "/jkstatus?mime=prop").text
        seen.append(re.search(rf"^worker\.m-{cell.service}\.state=(.*)$", text, re.M)[1])
        return seen[-1].removesuffix("/IDLE") in want.states
    assert proc.wait_until(right, 2), f"the member is {seen[-1]}"


def check_after(place, wire, cell, stage, want):
    """The next one is not disturbed. On the same connection where there is one: so it meets the same child."""
    path = f"/{cell.service}/after"
    if want.result == 200 and stage.path in place.peer.scripts:
        assert stage.done.wait(5)
    place.peer.on_connect = place.peer.on_packet = place.peer.on_ping = None
    after = wire.get(path) if want.result == 200 else client.get(place.httpd.port, path)
    assert after.status == 200 and '/after"' in after.text, after


def play(place, cell):
    peer, want, stage = place.peer, place.column.expect(cell), faults.Stage(f"/{cell.service}/x", place.column.half)
    check_log(place.httpd, want)

    def headed():
        stage.seen.set()
        time.sleep(place.column.pause)
    with place.column.wire(place.httpd.port) as wire:
        if cell.pooled:
            assert wire.get(f"/{cell.service}/warm").status == 200
        before = len(peer.connections)
        cell.arm(peer, stage)
        if cell.idle:
            cell.idle(peer.last().connection)
            time.sleep(0.005)  # until a thread that reads there has noticed
        sender = send(wire, cell.ask, stage.path)
        check_answer(wire, place.column, cell.ask, wire.answer(cell.ask.method == "HEAD", headed), want)
        sender.join(10)
        proc.wait_until(lambda: peer.deliveries(stage.path) >= one_of(want.deliveries)[0], 2)
        assert want.attempts is None or len(peer.connections) - before in one_of(want.attempts)
        check_state(place, cell, want)
        check_after(place, wire, cell, stage, want)
    check_fates(peer, stage, want)
    assert peer.deliveries(stage.path) in one_of(want.deliveries)


@pytest.mark.differs("retried what it must not, and left what it should close")
@through_columns(faults.cells)
def test_cell(place, cell):
    play(place, cell)


@pytest.mark.differs("pings on other conditions")
@through_columns(faults.pings)
def test_ping(place, cell):
    play(place, cell)


@pytest.mark.differs("another status")
@through_columns(lambda: (cell for cell in faults.doors() if cell.name == "refused"))
def test_refused(place, cell):
    """Nobody listens, or nobody any more: 503 for every request, and none was delivered."""
    httpd, ask = place.httpd, cell.ask
    check_log(httpd, place.column.expect(cell))
    with client.Wire(httpd.port) as wire:
        if cell.pooled:
            there = Peer(place.dies)
            assert wire.get("/dies/warm").status == 200
            there.stop()
        sender = send(wire, ask, "/dies/x")
        answer = wire.answer(ask.method == "HEAD")
        sender.join(10)
    assert answer.status == 503 and answer.complete
    check_state(place, cell, cell.expected)
    there = Peer(place.dies)
    try:
        assert client.get(httpd.port, "/dies/after").status == 200 and there.deliveries("/dies/x") == 0
    finally:
        there.stop()


@pytest.mark.differs("waits for the system's timeout")
@through_columns(lambda: (cell for cell in faults.doors() if cell.name == "queue-full"))
def test_a_full_queue(place, cell):
    """Somebody listens, and never accepts: 503 after socket_connect_timeout."""
    check_log(place.httpd, place.column.expect(cell))
    answer = client.ask(place.httpd.port, cell.ask.method, "/full/x", body=cell.ask.body, chunked=cell.ask.chunked)
    assert answer.status == 503 and answer.complete, answer
    check_state(place, cell, cell.expected)


def leave(wire, how):
    if how == "reset":
        wire.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    wire.close()


def ask_partly(wire, ask, path, tag, part):
    """The head, and so much of the body."""
    body = ask.body or b""
    framed = client.in_chunks(body) if ask.chunked else body
    lines = [f"{ask.method} {path} HTTP/1.1", "Host: x", f"X-Test: {tag}"]
    if ask.body:
        lines.append("Transfer-Encoding: chunked" if ask.chunked else f"Content-Length: {len(body)}")
    wire.send("\r\n".join(lines) + "\r\n\r\n")
    wire.send(framed[:int(len(framed) * part)])


@pytest.mark.differs("another status")
@through_columns(faults.leaves)
def test_leave(place, cell):
    """The client leaves: the container is told by the end of its connection, nobody is blamed but the client, and the next is not disturbed."""
    column, httpd, peer, stage = place.column, place.httpd, place.peer, faults.Stage(f"/{cell.service}/x", place.column.half)
    name, _, how = cell.name.rpartition("-")
    row, tag = next(one for one in faults.LEAVES if one.name == name), str(cell)
    with column.wire(httpd.port) as wire:
        if cell.pooled:
            assert wire.get("/w/warm").status == 200
        cell.arm(peer, stage)
        ask_partly(wire, cell.ask, stage.path, tag, row.sent)
        if row.passed:
            while b"\r\n\r\n" not in wire.held:
                wire._more()
        stage.seen.set() if row.passed else stage.seen.wait(5)
        time.sleep(0.02)
        leave(wire, how)
        stage.left.set()
    record = httpd.access_of(tag)
    assert record and int(record["status"]) in one_of(cell.expected.result) and (record["end"] == "X" or row.sent < 1), record
    assert proc.wait_until(lambda: stage.fates == [True], 5), f"the container works for nobody: {stage.fates}"
    check_state(place, cell, cell.expected)
    assert peer.deliveries(stage.path) == 1 and client.get(httpd.port, "/w/after").status == 200


@pytest.mark.skipif(INCUMBENT, reason="it has other rows")
def test_the_page_is_not_stale():
    """Else: tools/list-faults."""
    done = subprocess.run([sys.executable, os.path.join(TOP, "tools", "list-faults"), "--check"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
