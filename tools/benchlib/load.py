"""One measurement: a load generator (wrk, or h2load over HTTP/1.1) asks one server for a while, and what came of it becomes a Figure.
The generator's own time is no part of any figure; the CPU time is that of the server's processes."""
import dataclasses
import http.client
import json
import os
import shutil
import signal
import subprocess
import threading
import time

from .servers import Failed, file_of

TOOLS = ("wrk", "h2load")
MISSING = """wrk or h2load is needed to make the load, and neither is installed:
    Debian, Ubuntu   apt install wrk            (or nghttp2-client, for h2load)
    Fedora           dnf install wrk            (or nghttp2, for h2load)"""
GRACE = 90  # seconds beyond its time after which a generator is ended


@dataclasses.dataclass
class Figure:
    """requests: answered. errors: of these, and beside these, those with a status of 400 and more, or too late. broken: connections that
    the server refused, or closed without an answer; the generator makes new ones. cpu: microseconds of all server processes per request.
    rate: per second. p99: milliseconds. visitor: the worst time of somebody who asked for a small file meanwhile, milliseconds, or None."""
    requests: int
    errors: int
    broken: int
    cpu: float
    rate: float
    p99: float
    visitor: float = None


def path_of(peer, scenario):
    return file_of(scenario) if peer.name == "static" else scenario.path


def headers_of(scenario):
    return {f"X-Bench-{i}": f"a value of a usual length, {i}" for i in range(scenario.headers)}


# ---- is the answer the right one? ----

def check(server, scenario):
    """One request; a figure of error pages would be worth nothing."""
    peer, path = server.peer, path_of(server.peer, scenario)
    try:
        wire = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
        wire.request(scenario.method, path, b"x" * scenario.body or None, headers_of(scenario))
        answer = wire.getresponse()
        body, back = answer.read(), sum(1 for name in answer.headers if name.lower().startswith("x-header-"))
        wire.close()
    except (OSError, http.client.HTTPException) as e:
        raise Failed(f"{peer.label}, {scenario.name}: no answer to {path}: {e}\n{server.words()}") from e
    if answer.status != 200 or scenario.reply not in (None, len(body)) or (scenario.headers and back != scenario.headers):
        raise Failed(f"{peer.label}, {scenario.name}: {path} was answered with {answer.status} and {len(body)} bytes\n{server.words()}")
    return answer.headers.get("Server", "")


# ---- the generators ----

LUA = """wrk.method = "%s"
wrk.body = %s
function done(s, latency)
  local e = s.errors
  print(string.format('RESULT {"requests": %%d, "us": %%d, "p99": %%f, "errors": %%d, "broken": %%d}', s.requests, s.duration,
      latency:percentile(99) / 1000, e.status + e.timeout, e.connect + e.read + e.write))
end
"""


def wrk(server, scenario, seconds, where):
    script = os.path.join(where, "bench.lua")
    with open(script, "w") as f:
        f.write(LUA % (scenario.method, f'string.rep("x", {scenario.body})' if scenario.body else "nil"))
    threads = min(2, len(os.sched_getaffinity(0)))
    argv = ["wrk", "-c", str(scenario.clients), "-t", str(threads), "-d", f"{int(seconds) + 2}s", "--timeout", "60s", "-s", script]
    for name, value in headers_of(scenario).items():
        argv += ["-H", f"{name}: {value}"]
    argv.append(f"http://127.0.0.1:{server.port}{path_of(server.peer, scenario)}")
    out = generate(server.run, argv, seconds)
    told = next((json.loads(line[7:]) for line in out.splitlines() if line.startswith("RESULT ")), None)
    if told is None:
        raise Failed(f"wrk has not told its figures:\n{out}")
    return told["requests"], told["errors"], told["broken"], told["us"] / 1e6, told["p99"]


def h2load(server, scenario, seconds, where):
    log, body = os.path.join(where, "h2load.log"), os.path.join(where, "body")
    argv = ["h2load", "--h1", "-t", "1", "-c", str(scenario.clients), "-D", f"{int(seconds * 1000)}ms", "--log-file", log]
    if scenario.body:
        with open(body, "wb") as f:
            f.write(b"x" * scenario.body)
        argv += ["-d", body]
    for name, value in headers_of(scenario).items():
        argv += ["-H", f"{name}: {value}"]
    open(log, "w").close()
    out = generate(server.run, [*argv, f"http://127.0.0.1:{server.port}{path_of(server.peer, scenario)}"], None)
    with open(log) as f:
        rows = [line.split() for line in f]
    if not rows and "status codes" not in out:
        raise Failed(f"h2load has not told its figures:\n{out}")
    times = sorted(int(row[2]) for row in rows)
    return len(rows), sum(row[1] != "200" for row in rows), 0, seconds, times[len(times) * 99 // 100] / 1000 if times else 0.0


def generate(run, argv, seconds):
    """What the generator prints. wrk knows whole seconds alone: after `seconds` it is told to end, and prints as ever."""
    child = run.spawn(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        if seconds is not None:
            wait_until_caught(child)
            time.sleep(seconds)
            child.send_signal(signal.SIGINT)
        return child.communicate(timeout=GRACE)[0]
    except subprocess.TimeoutExpired:
        raise Failed(f"{argv[0]} does not end") from None
    finally:
        run.stop(child)


def wait_until_caught(child):
    """Returns when the process has its own answer to SIGINT; before that it would end without a word."""
    while child.poll() is None:
        with open(f"/proc/{child.pid}/status") as f:
            caught = next((line for line in f if line.startswith("SigCgt:")), "SigCgt: 0")
        if int(caught.split()[1], 16) & 1 << signal.SIGINT - 1:
            return
        time.sleep(0.002)


def find_tool(asked=None):
    """The generator's name; Failed says what to install."""
    for name in [asked] if asked else TOOLS:
        if shutil.which(name):
            return name
    raise Failed(f"{asked} is not installed" if asked else MISSING, 2)


# ---- the other visitor ----

class Visitor(threading.Thread):
    """Asks for a small file, each time on a new connection, ten times a second, while the load runs. worst: the longest wait, ms;
    refused: how often it did not get the file."""

    def __init__(self, port):
        super().__init__(daemon=True)
        self.port, self.over, self.worst = port, threading.Event(), 0.0
        self.refused = 0

    def run(self):
        time.sleep(0.3)  # the load comes first
        while not self.over.is_set():
            began = time.monotonic()
            try:
                wire = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
                wire.request("GET", "/files/100")
                answer = wire.getresponse()
                answer.read()
                wire.close()
                self.refused += answer.status != 200
            except (OSError, http.client.HTTPException):
                self.refused += 1
            self.worst = max(self.worst, (time.monotonic() - began) * 1000)
            self.over.wait(0.1)


def measure(server, scenario, seconds, tool):
    """One round of one peer."""
    visitor = Visitor(server.port) if scenario.slow else None
    if visitor:
        visitor.start()
    before = server.cpu_seconds()
    requests, errors, broken, took, p99 = {"wrk": wrk, "h2load": h2load}[tool](server, scenario, seconds, server.run.dir)
    cpu = server.cpu_seconds() - before
    if visitor:
        visitor.over.set()
        visitor.join(35)
        errors += visitor.refused
    if not requests:
        raise Failed(f"{server.peer.label}, {scenario.name}: nothing was answered in {seconds:g} s; --seconds gives it more\n{server.words()}")
    return Figure(requests, errors, broken, cpu * 1e6 / requests, requests / took, p99, visitor.worst if visitor else None)
