"""What all processes count together: exact under load, after children were killed, and over restarts. The containers count too, and what they
counted is what must come out."""
import os
import random
import re
import shutil
import subprocess
import threading
import time

import pytest
from lib import client, proc
from lib.counting_peer import CountingPeer
from lib.httpd import INCUMBENT
from lib.metrics import LOCATIONS, scrape
from lib.workers import lb

pytestmark = [pytest.mark.skipif(INCUMBENT, reason="its counters are no atomic ones"),
              pytest.mark.skipif(os.environ.get("JK_MPM") == "prefork", reason="the settings are for threads")]

MANY = 100000
CHILDREN, THREADS = 4, 16
FIELDS = ("ACCESSED", "SESSIONS", "READ", "TRANSFERRED", "ERRORS", "BUSY", "NAME", "STATE")
CONFIG = f"StartServers {CHILDREN}\nServerLimit {CHILDREN}\nThreadsPerChild {THREADS}\nMaxRequestWorkers {CHILDREN * THREADS}\n" \
         f"MinSpareThreads 1\nMaxSpareThreads {CHILDREN * THREADS}\nJkMount /* b\nJkNotes On\n" \
         f'{LOCATIONS}JkUnMount /jk-* b\n' \
         'LogFormat "%U ' + " ".join(f"%{{JK_LB_LAST_{f}}}n" for f in FIELDS) + '" lb\nCustomLog logs/lb lb expr=%{REQUEST_URI}=~m#^/look#\n'


@pytest.fixture(scope="module")
def members():
    made = {name: CountingPeer(name) for name in ("m1", "m2", "m3")}
    yield made
    for peer in made.values():
        peer.stop()


class Server:
    """An httpd with several children, its members, and what was asked of them before it began."""

    def __init__(self, httpd, members):
        self.httpd, self.members, self.looks = httpd, members, 0
        self.before = {name: peer.counts() for name, peer in members.items()}

    def look(self, name):
        """The shared numbers of a member, as one more request to it sees them at its end."""
        self.looks += 1
        path = f"/look{self.looks}"
        answer = client.get(self.httpd.port, path, [("Cookie", f"JSESSIONID=a.{name}")])
        assert answer.status == 200
        line = proc.wait_until(lambda: next((ln.split() for ln in open(self.httpd.path("logs/lb")) if ln.startswith(path + " ")), None), 5)
        seen = dict(zip(FIELDS, line[1:]))
        return {f: int(v) if v.isdigit() else v for f, v in seen.items()}

    def counted(self, name):
        """What the container saw since this server began."""
        return {k: v - self.before[name][k] if k != "held" else v for k, v in self.members[name].counts().items()}

    def busy(self):
        return sum(self.look(name)["BUSY"] for name in self.members)

    def children(self):
        """Those that serve; rotatelogs and the like are none."""
        return proc.children_of(self.httpd.pid)

    def kill(self, pids):
        """And the parent has been told."""
        for pid in pids:
            os.kill(pid, 9)
        assert proc.wait_until(lambda: not set(pids) & self.children())


@pytest.fixture
def served(fresh_httpd, members):
    def make(keys=None, config="", **own):
        workers = lb("b", {n: {"port": p.port, **own.get(n, {})} for n, p in members.items()}, keys)
        return Server(fresh_httpd(CONFIG + config, workers=workers), members)
    yield make
    for peer in members.values():
        peer.release()


def exact(server, *, lost=0):
    """Each member's numbers are its container's; of requests that were killed on their way `lost` may not have come there. Returns the sum."""
    total = 0
    for name in server.members:
        seen = server.look(name)
        there = server.counted(name)
        assert seen["NAME"] == name
        assert there["requests"] <= seen["ACCESSED"] <= there["requests"] + lost, (name, seen, there)
        if lost == 0:
            assert seen["READ"] == there["sent"] and seen["TRANSFERRED"] == there["received"], (name, seen, there)
        assert seen["ERRORS"] == there["dropped"] and seen["BUSY"] == 0, (name, seen, there)
        total += seen["ACCESSED"]
    scraped_exactly(server, lost)
    return total


def scraped_exactly(server, lost):
    """The totals too; and each connection that was made is open, or was closed for a reason."""
    seen = scrape(server.httpd)
    for name in server.members:
        there = server.counted(name)

        def n(metric, **labels):
            return seen.get("jk_worker_" + metric, worker=name, balancer="b", **labels)
        answered = there["requests"] - there["dropped"]
        assert there["requests"] <= n("requests_total") <= there["requests"] + lost
        assert answered - lost <= n("answers_total", code="2xx") == n("first_byte_seconds_count") <= answered
        assert n("requests_total") - lost <= n("duration_seconds_count") <= n("requests_total")
        if lost == 0:
            assert (n("received_bytes_total"), n("sent_bytes_total")) == (there["sent"], there["received"])
            assert n("failures_total") == n("failures_total", kind="receive") == there["dropped"]
        assert n("connect_seconds_count") == n("connections_created_total")
        gone = n("connections_created_total") - n("connections_open")
        assert gone <= n("connections_closed_total") <= gone + lost, name
        assert n("requests_queued") == 0
    assert seen.get("jk_balancer_duration_seconds_count") <= seen.get("jk_balancer_requests_total")


def load(server, n, *headers):
    """At least n requests, all answered with 200. httpd may close a connection in between, when all its threads are busy: then there are
    more rounds."""
    more = [word for h in headers for word in ("-H", h)]
    while n > 0:
        done = subprocess.run(["h2load", "--h1", f"-n{n + 48}", "-c48", "-t1", *more, f"http://127.0.0.1:{server.httpd.port}/load"],
                              capture_output=True, text=True, timeout=300)
        words = done.stdout + done.stderr
        assert "0 3xx, 0 4xx, 0 5xx" in words, words
        n -= int(re.search(r"(\d+) succeeded", words).group(1))


@pytest.mark.skipif(not shutil.which("h2load"), reason="h2load is not installed")
def test_many_requests(served):
    """Not one too few, not one too many, whichever of the four processes counted it."""
    server = served()
    load(server, MANY * 4 // 5)
    load(server, MANY // 5, "Cookie: JSESSIONID=a.m2")
    assert len(server.children()) == CHILDREN
    assert exact(server) >= MANY + server.looks
    for name in server.members:
        assert server.look(name)["SESSIONS"] == server.counted(name)["sessions"] > MANY // 5
    assert server.counted("m2")["requests"] > MANY * 2 // 5


def test_errors(served):
    """One for each request that got no answer."""
    server = served({"retries": 1, "lb_retries": 1, "recover_time": 1, "error_escalation_time": 60},
                    "JkWatchdogInterval 1\nJkWorkerProperty worker.maintain=1",
                    m1={"retries": 1}, m2={"retries": 1}, m3={"retries": 1})
    server.httpd.allow("Tomcat is down", "connecting to tomcat failed", "All tomcat", "Forcing recovery", "retry_budget")

    def some():
        for i in range(10):
            client.get(server.httpd.port, f"/drop{i}")
            client.get(server.httpd.port, f"/fine{i}")
    crowd(8, some)
    assert sum(server.counted(name)["dropped"] for name in server.members) >= 20

    def all_well():
        return all(server.look(name)["NAME"] == name for name in server.members)
    assert proc.wait_until(all_well, 20, pause=0.3)
    total = 0
    for name in server.members:
        seen, there = server.look(name), server.counted(name)
        assert (seen["ERRORS"], seen["ACCESSED"], seen["BUSY"]) == (there["dropped"], there["requests"], 0), name
        total += seen["ERRORS"]
    assert total > 0


def crowd(n, work):
    """n threads do it; the first error is ours."""
    errors = []

    def one():
        try:
            work()
        except BaseException as e:
            errors.append(e)
    threads = [threading.Thread(target=one) for _ in range(n)]
    for t in threads:
        t.start()
    for t in threads:
        t.join(120)
    if errors:
        raise errors[0]


# ---- children that are killed ----

def test_killed_in_the_middle(served):
    """What they had under way is gone, what the others have is not; nothing is counted twice."""
    server = served()
    wires = [client.Wire(server.httpd.port) for _ in range(30)]
    for i, wire in enumerate(wires):
        wire.request("GET", f"/hold{i}")
    assert proc.wait_until(lambda: sum(p.counts()["held"] for p in server.members.values()) == len(wires))
    assert server.busy() == len(wires)
    survivors = proc.wait_until(lambda: kill_some_that_serve(server, wires), 10)
    assert proc.wait_until(lambda: server.busy() == len(survivors), 10)
    for peer in server.members.values():
        peer.release()
    for wire in survivors:
        assert wire.answer().status == 200
    assert proc.wait_until(lambda: server.busy() == 0, 10)
    for name in server.members:
        assert server.look(name)["ACCESSED"] == server.counted(name)["requests"], name
    for wire in wires:
        wire.close()


def kill_some_that_serve(server, wires):
    """Two of the children; the wires that are left. None: these two served nobody."""
    server.kill(random.sample(sorted(server.children()), 2))
    left = [w for w in wires if not ended(w)]
    return left if len(left) < len(wires) else None


def ended(wire):
    """Has the connection been closed under it?"""
    wire.sock.settimeout(0.05)
    try:
        return wire.sock.recv(1) == b""
    except TimeoutError:
        return False
    except OSError:
        return True
    finally:
        wire.sock.settimeout(15)


def test_killed_under_load(served):
    """Again and again: in the end nothing is under way, and at most what was on its way to a container was counted and did not come there."""
    server = served()
    stop = threading.Event()
    kills = []

    def ask():
        while not stop.is_set():
            try:
                with client.Wire(server.httpd.port) as wire:
                    while not stop.is_set():
                        if not wire.get("/load").complete:
                            break
            except (OSError, ValueError, AssertionError, IndexError):
                pass  # its child was killed

    def kill():
        for _ in range(8):
            time.sleep(0.3)
            pid = random.choice(sorted(server.children()))
            server.kill([pid])
            kills.append(pid)
        stop.set()
    killer = threading.Thread(target=kill)
    killer.start()
    try:
        crowd(24, ask)
    finally:
        stop.set()
        killer.join()
    assert len(kills) == 8
    assert proc.wait_until(lambda: server.busy() == 0, 10)
    exact(server, lost=len(kills) * THREADS)
    assert sum(server.counted(name)["requests"] for name in server.members) > 500


# ---- restarts ----

def test_restarts_under_load(served):
    """Three of them while requests come: every one is answered, and every one was counted, by whichever generation."""
    server = served()
    stop = threading.Event()
    statuses = []

    def ask():
        while not stop.is_set():
            statuses.append(client.get(server.httpd.port, "/load").status)

    def restart():
        try:
            for _ in range(3):
                time.sleep(0.3)
                server.httpd.graceful()
        finally:
            stop.set()
    restarter = threading.Thread(target=restart)
    restarter.start()
    crowd(8, ask)
    restarter.join()
    assert server.httpd.generations() >= 4
    assert set(statuses) == {200} and len(statuses) > 100
    assert exact(server) == len(statuses) + server.looks


def test_a_request_that_outlives_a_restart(served):
    """It counts as under way in the new generation, until it ends: and then it does not."""
    server = served()
    with client.Wire(server.httpd.port) as wire:
        wire.request("GET", "/hold", [("Cookie", "JSESSIONID=a.m1")])
        assert proc.wait_until(lambda: server.members["m1"].counts()["held"] == 1)
        before = server.httpd.generations()
        os.kill(server.httpd.pid, 10)
        assert proc.wait_until(lambda: server.httpd.generations() > before)
        assert server.look("m1")["BUSY"] == 1
        server.members["m1"].release()
        assert wire.answer().status == 200
    assert proc.wait_until(lambda: server.look("m1")["BUSY"] == 0)
    exact(server)


def edit(server, text, by):
    workers = re.sub(text, by, server.httpd.workers)
    assert workers != server.httpd.workers
    server.httpd.write_workers(workers)


def test_what_the_file_says_anew_is_in_force(served):
    """And nothing else changes: counters go on, a member in error stays there."""
    server = served({"error_escalation_time": 0, "retries": 1, "lb_retries": 1}, m3={"retries": 1})
    server.httpd.allow("Tomcat is down", "connecting to tomcat failed", "All tomcat")
    for i in range(6):
        client.get(server.httpd.port, f"/x{i}")
    client.get(server.httpd.port, "/drop", [("Cookie", "JSESSIONID=a.m3")])
    left = [name for name in server.members if server.counted(name)["dropped"] == 0]
    assert left == ["m1", "m2"]
    counts = {name: server.look(name)["ACCESSED"] for name in left}
    edit(server, r"worker.m1.port=", "worker.m1.lbfactor=3\nworker.m1.port=")
    server.httpd.graceful()
    for name in left:
        assert server.look(name)["ACCESSED"] == counts[name] + 1
    asked = {name: server.counted(name)["requests"] for name in server.members}
    for i in range(40):
        assert client.get(server.httpd.port, f"/y{i}").status == 200
    more = {name: server.counted(name)["requests"] - n for name, n in asked.items()}
    assert more["m3"] == 0, "it is in error still"
    assert more["m1"] > 2 * more["m2"] > 0, "the new factor is in force"


@pytest.mark.parametrize("members_more", [0, 1])
def test_a_larger_segment(served, members_more):
    """JkShmSize raised at a restart: all values go over. A member that is new begins at nothing."""
    server = served()
    for i in range(30):
        assert client.get(server.httpd.port, f"/x{i}").status == 200
    before = {name: server.look(name)["ACCESSED"] for name in server.members}
    if members_more:
        edit(server, r"(balance_workers=[\w,]+)", r"\1,m4")
        server.httpd.write_workers(server.httpd.workers + f"worker.m4.type=ajp13\nworker.m4.host=127.0.0.1\n"
                                                          f"worker.m4.port={server.members['m1'].port}\nworker.m4.activation=D\n")
    server.httpd.write_config(server.httpd.config + "JkShmSize 9000\n")
    server.httpd.graceful()
    assert server.httpd.jk_lines("the shared memory was made anew")
    for name in server.members:
        assert server.look(name)["ACCESSED"] == before[name] + 1
    if members_more:
        assert server.look("m4")["ACCESSED"] == 1
    server.kill(sorted(server.children())[:1])
    server.httpd.graceful()
    assert server.look("m1")["ACCESSED"] == before["m1"] + 2 and server.look("m1")["BUSY"] == 0
