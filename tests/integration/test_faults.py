"""Every way to break, at every step, for every kind of request: lib/faults.py is the table, this plays it."""
import threading
import time

import pytest
from lib import client, faults, proc
from lib.ajp_peer import Peer
from lib.faults import CUT, KEPT, one_of


def through_columns(cells):
    pairs = [(column, cell) for column in faults.COLUMNS for cell in cells() if column.takes(cell)]
    return pytest.mark.parametrize("place, cell", pairs, indirect=["place"], ids=[f"{column.name}-{cell}" for column, cell in pairs])


class Place:
    def __init__(self, column, httpd, peer, dies):
        self.column, self.httpd, self.peer, self.dies = column, httpd, peer, dies


@pytest.fixture(scope="module")
def places(make_httpd, make_peer):
    """One httpd and one peer per column, however many cells."""
    made = {}

    def of(column):
        if column.name not in made:
            peer, dies = make_peer(), proc.free_port()
            made[column.name] = Place(column, make_httpd(column.config(), workers=column.workers(peer.port, dies)), peer, dies)
        return made[column.name]
    return of


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
@pytest.mark.parametrize("place", [c for c in faults.COLUMNS if not c.pause], indirect=True, ids=lambda column: column.name)
@pytest.mark.parametrize("ask", faults.ASKS, ids=lambda ask: ask.name)
@pytest.mark.parametrize("pooled", [False, True], ids=["fresh", "pooled"])
def test_refused(place, ask, pooled):
    """Nobody listens, or nobody any more: 503 for every request, and none was delivered."""
    httpd = place.httpd
    httpd.expect(r" \[JK0202\]$", r" \[JK0204\]$")
    httpd.allow(r" \[JK0601\]$")
    with client.Wire(httpd.port) as wire:
        if pooled:
            there = Peer(place.dies)
            assert wire.get("/dies/warm").status == 200
            there.stop()
        sender = send(wire, ask, "/dies/x")
        answer = wire.answer(ask.method == "HEAD")
        sender.join(10)
    assert answer.status == 503 and answer.complete
    there = Peer(place.dies)
    try:
        assert client.get(httpd.port, "/dies/after").status == 200 and there.deliveries("/dies/x") == 0
    finally:
        there.stop()
