"""The lb worker in several children at once: what one of them learns all of them know.

A wave is more requests than two of the three children have threads, and the members hold them until all have come: so each child has its
part of it."""
import collections
import contextlib
import os
import signal
import threading

import pytest
from lib import ajp, client, proc
from lib.ajp_peer import CLOSE, STALL, RefusedPort, normal
from lib.workers import lb

CHILDREN, THREADS = 3, 5
WAVE = (CHILDREN - 1) * THREADS + 2  # all threads would be too many: one may not yet be back from the wave before
QUICK = {"retry_interval": 1, "connection_acquire_timeout": 200, "retries": 1}
LOG = 'LogFormat "%P" pids\nCustomLog logs/pids pids\n'
MPM = {"prefork": f"StartServers {WAVE + 2}\nMinSpareServers 2\n"}.get(
    os.environ.get("JK_MPM"), f"ServerLimit {CHILDREN}\nStartServers {CHILDREN}\nThreadsPerChild {THREADS}\n"
    f"MaxRequestWorkers {CHILDREN * THREADS}\nMinSpareThreads 1\nMaxSpareThreads {CHILDREN * THREADS}\n")
OFTEN = "JkWatchdogInterval 1\nJkWorkerProperty worker.maintain=1\n"


class Gate:
    """Holds requests back; `held` is how many have come."""

    def __init__(self):
        self.open, self.held, self.lock = threading.Event(), 0, threading.Lock()

    def __call__(self, ex):
        with self.lock:
            self.held += 1
        ex.wait(self.open, 20)
        normal(ex)


@pytest.fixture(scope="module")
def peers(make_peer):
    return [make_peer(name=f"m{i}") for i in (1, 2, 3)]


@pytest.fixture
def balanced(fresh_httpd, peers):
    """balanced(keys of the lb, m1={...}, ..) -> httpd with three children and three members; those of `gone` are refused."""
    with contextlib.ExitStack() as refused:
        def members(gone=(), **own):
            out = {}
            for i, peer in enumerate(peers, 1):
                port = peer.port
                if f"m{i}" in gone:
                    port = RefusedPort()
                    refused.callback(port.stop)
                    port = port.port
                out[f"m{i}"] = {"port": port, **QUICK, **own.get(f"m{i}", {})}
            return out

        def make(keys=None, config="", gone=(), **own):
            httpd = fresh_httpd(MPM + LOG + "JkMount /* b\n" + config, workers=lb("b", members(gone, **own), keys), start=False)
            httpd.members = members
            httpd.allow("AH00484")  # a wave takes nearly all threads: that is what it is for
            return httpd.start()
        yield make


def who(answer):
    return answer.text.split('"peer": "')[1].split('"')[0] if '"peer"' in answer.text else str(answer.status)


@contextlib.contextmanager
def holding(httpd, peers, ask, n=WAVE, come=None):
    """n requests that are at the members; at the end they are let go. ask(i) -> path, headers. `come`: that many get there."""
    gate, answers = Gate(), []
    for p in peers:
        if p.default is normal or isinstance(p.default, Gate):
            p.default = gate
    with contextlib.ExitStack() as stack:
        wires = [stack.enter_context(client.Wire(httpd.port, timeout=30)) for _ in range(n)]
        for i, wire in enumerate(wires):
            path, headers = ask(i)
            wire.request("GET", path, [*headers, ("Connection", "close")])
        try:
            assert proc.wait_until(lambda: gate.held >= (n if come is None else come), 10), f"{gate.held} came"
            yield answers
        finally:
            gate.open.set()
        answers += [wire.answer() for wire in wires]
    for p in peers:
        if p.default is gate:
            p.default = normal


def wave(httpd, peers, headers=(), path="/x", n=WAVE):
    """Who answered, of one wave."""
    with holding(httpd, peers, lambda i: (path, headers), n) as answers:
        pass
    return collections.Counter(map(who, answers))


def children_of(httpd):
    """Those that have answered until now."""
    with open(httpd.path("logs/pids")) as f:
        return set(f.read().split())


def forked(httpd):
    """The children that are there."""
    with open(f"/proc/{httpd.pid}/task/{httpd.pid}/children") as f:
        return [int(pid) for pid in f.read().split()]


# ---- balance ----

@pytest.mark.parametrize("method", ["Request", "Sessions", "Next"])
@pytest.mark.parametrize("factors", [(1, 1, 1), (1, 2, 3)])
def test_shares(balanced, peers, method, factors):
    """By lbfactor, whichever child it is; two that choose in the same moment may choose the same member."""
    httpd = balanced({"method": method}, **{f"m{i}": {"lbfactor": f} for i, f in enumerate(factors, 1)})
    got = collections.Counter()
    for _ in range(8):
        got += wave(httpd, peers)
    assert proc.wait_until(lambda: len(children_of(httpd)) >= CHILDREN, 5)
    for name, factor in zip(("m1", "m2", "m3"), factors):
        due = 8 * WAVE * factor / sum(factors)
        assert abs(got[name] - due) <= 4, (name, got)


def test_busyness(balanced, peers):
    """Equally many under way at each, over all children."""
    httpd = balanced({"method": "Busyness"}, m1={"lbfactor": 2})
    for _ in range(3):
        got = wave(httpd, peers)
        assert abs(got["m1"] - 6) <= 2 and abs(got["m2"] - 3) <= 2 and abs(got["m3"] - 3) <= 2, got


def test_traffic(balanced, peers):
    """The bytes that one child has moved keep the others away, too."""
    httpd = balanced({"method": "Traffic"})
    peers[0].default = lambda ex: ex.send(ajp.answer("x" * 100000))
    with client.Wire(httpd.port) as wire:
        assert wire.get("/first", [("Cookie", "JSESSIONID=a.m1")]).status == 200
    peers[0].default = normal
    before = len(peers[0].requests)
    for _ in range(3):
        wave(httpd, peers)
    assert len(peers[0].requests) == before


# ---- sessions ----

@pytest.mark.parametrize("headers, path", [([("Cookie", "JSESSIONID=abc.m2")], "/x"), ([], "/x;jsessionid=abc.m2"),
                                           ([], "/a;jsessionid=abc.m2/b"), ([("Cookie", "JSESSIONID=old.gone; JSESSIONID=abc.m2")], "/x")])
def test_sessions_stick(balanced, peers, headers, path):
    httpd = balanced()
    assert wave(httpd, peers, headers, path) == {"m2": WAVE}
    assert proc.wait_until(lambda: len(children_of(httpd)) >= CHILDREN, 5)


# ---- failures ----

FAILURES = [
    ("dropped", CLOSE, {}, ["Tomcat is down"]),
    ("silent", STALL, {"reply_timeout": 300}, ["Timeout with waiting reply"]),
    ("status", [ajp.answer("no", status=503)], {"fail_on_status": "503"}, []),
]


@pytest.mark.parametrize("script, keys, lines", [f[1:] for f in FAILURES], ids=[f[0] for f in FAILURES])
def test_a_failure_is_known_to_all(balanced, peers, script, keys, lines):
    """One request finds out. The session's others go elsewhere from then on, whichever child they come to."""
    httpd = balanced({"error_escalation_time": 0}, m1=keys)
    httpd.allow("connecting to tomcat failed", *lines)
    peers[0].default = script
    cookie = [("Cookie", "JSESSIONID=a.m1")]
    assert who(client.get(httpd.port, "/first", cookie)) in ("m2", "m3")
    for _ in range(2):
        got = wave(httpd, peers, cookie)
        assert got["m2"] + got["m3"] == WAVE
    assert len(peers[0].requests) == 1
    assert proc.wait_until(lambda: len(children_of(httpd)) >= CHILDREN, 5)


def test_refused(balanced, peers):
    """Nobody notices, and two refusals are enough for all children."""
    httpd = balanced(gone=("m1",))
    httpd.allow("connecting to backend failed", "connecting to tomcat failed")
    for i in range(2):
        assert client.get(httpd.port, f"/{i}", [("Cookie", "JSESSIONID=a.m1")]).status == 200
    lines = len(httpd.jk_lines("connecting to backend failed"))
    assert 1 <= lines <= 2
    for headers in ([], [("Cookie", "JSESSIONID=a.m1")]):
        got = wave(httpd, peers, headers)
        assert got["m2"] + got["m3"] == WAVE
    assert len(httpd.jk_lines("connecting to backend failed")) == lines


def test_one_request_tries_who_was_in_error(balanced, peers):
    """While it does, all others go elsewhere, of all children; when it went well the member has its share again. (One that takes longer than
    error_escalation_time is taken for lost, and another one tries.)"""
    httpd = balanced({"error_escalation_time": 600, "recover_time": 1}, config=OFTEN)
    httpd.allow("Tomcat is down", "connecting to tomcat failed")
    cookie = [("Cookie", "JSESSIONID=a.m1")]
    peers[0].default = CLOSE
    assert client.get(httpd.port, "/first", cookie).status == 200
    peers[0].default = normal
    assert proc.wait_until(lambda: httpd.jk_lines("worker m1 is ERR/REC now"), 15)
    before = len(peers[0].requests)
    with holding(httpd, peers, lambda i: ("/x", cookie)) as answers:
        assert len(peers[0].requests) == before + 1
    assert collections.Counter(map(who, answers))["m1"] == 1
    assert wave(httpd, peers, cookie) == {"m1": WAVE}


@pytest.mark.skipif(os.environ.get("JK_MPM") == "prefork", reason="its spare children come one by one")
def test_children_that_are_killed(balanced, peers):
    """Busyness: what they had under way is forgotten. The one that is left can have no more than its threads."""
    httpd = balanced({"method": "Busyness", "error_escalation_time": 0}, config=OFTEN)
    httpd.allow("exit signal Killed", "AH00052")
    only = [("Cookie", "JSESSIONID=a.m1")]
    wave(httpd, peers)
    with holding(httpd, peers, lambda i: ("/held", only)):
        doomed = forked(httpd)[:-1]
        for pid in doomed:
            os.kill(pid, signal.SIGKILL)
        assert proc.wait_until(lambda: not set(doomed) & set(forked(httpd)) and len(forked(httpd)) >= CHILDREN, 15)

    def even():
        got = wave(httpd, peers)
        return all(abs(got[m] - WAVE // 3) <= 1 for m in ("m1", "m2", "m3"))
    assert proc.wait_until(even, 15)


# ---- limits ----

def test_busy_limit(balanced, peers):
    """Of all children together."""
    httpd = balanced(m1={"busy_limit": 2})
    httpd.allow("busy limit")
    with holding(httpd, peers, lambda i: ("/x", [("Cookie", "JSESSIONID=a.m1")])) as answers:
        assert len(peers[0].requests) <= 2
    got = collections.Counter(map(who, answers))
    assert 1 <= got["m1"] <= 2 and got["m2"] + got["m3"] == WAVE - got["m1"]
    assert wave(httpd, peers, [("Cookie", "JSESSIONID=a.m1")], n=1) == {"m1": 1}, "and then it is free again"


# ---- activation, standby, domain ----

def test_drained_by_a_restart(balanced, peers):
    """No new session, but its own; what was under way ends; stopped it gets nothing; then it is back."""
    httpd = balanced()
    mine = [("Cookie", "JSESSIONID=a.m1")]
    for activation, new, own in (("disabled", False, True), ("stopped", False, False), ("active", True, True)):
        httpd.write_workers(lb("b", httpd.members(m1={"activation": activation})))
        httpd.graceful()
        got = wave(httpd, peers)
        assert (got["m1"] > 0) == new and sum(got[m] for m in ("m1", "m2", "m3")) == WAVE, (activation, got)
        assert new is False or got["m1"] <= WAVE // 2, "its share, and not all that it had missed"
        assert (wave(httpd, peers, mine) == {"m1": WAVE}) == own, activation


def test_standby(balanced, peers):
    """Disabled, it is there when nobody else is."""
    httpd = balanced({"error_escalation_time": 0, "retries": 3, "lb_retries": 3}, gone=("m1", "m2"), m1={"redirect": "m3"}, m3={"activation": "D"})
    httpd.allow("connecting to backend failed", "connecting to tomcat failed")
    assert client.get(httpd.port, "/first").status == 200
    for _ in range(2):
        assert wave(httpd, peers) == {"m3": WAVE}


def test_domain(balanced, peers):
    """A session stays in its domain, and with the cookie of the lb at the member that took it."""
    own = {"m1": {"domain": "d1"}, "m2": {"domain": "d2"}, "m3": {"domain": "d2"}}
    httpd = balanced({"error_escalation_time": 0, "set_session_cookie": 1, "session_cookie": "ROUTE"}, gone=("m2",), **own)
    httpd.allow("connecting to backend failed", "connecting to tomcat failed")
    answer = client.get(httpd.port, "/first", [("Cookie", "ROUTE=.m2")])
    assert answer.all("Set-Cookie") == ["ROUTE=.m3;PATH=/;HttpOnly"]
    assert wave(httpd, peers, [("Cookie", "ROUTE=.m2")]) == {"m3": WAVE}
    assert wave(httpd, peers, [("Cookie", "ROUTE=.m3")]) == {"m3": WAVE}
