"""What httpd has - memory, descriptors, shared memory, requests under way - and what its logs say."""
import collections
import contextlib
import os
import re
import subprocess
import time

from lib import client, proc
from lib.httpd import is_fatal
from lib.metrics import Samples

IN_FLIGHT = ("jk_balancer_requests_in_progress", "jk_worker_requests_in_progress", "jk_worker_requests_queued", "jk_parked_requests",
             "jk_parked_processes", "jk_worker_connections_idle", "jk_worker_connections_open")


def resident(pid):
    """KB; 0: it is gone."""
    with contextlib.suppress(OSError), open(f"/proc/{pid}/status") as f:
        return next((int(line.split()[1]) for line in f if line.startswith("VmRSS")), 0)
    return 0


def descriptors(pid):
    """Without eventfds: they are kept for requests to come."""
    n = 0
    with contextlib.suppress(OSError):
        for name in os.listdir(f"/proc/{pid}/fd"):
            with contextlib.suppress(OSError):
                n += "[eventfd]" not in os.readlink(f"/proc/{pid}/fd/{name}")
    return n


def shared(pid):
    """(number, KB) of the anonymous segments that a process shares with others."""
    sizes = []
    with contextlib.suppress(OSError), open(f"/proc/{pid}/maps") as f:
        for line in f:
            span, rights = line.split()[:2]
            if rights[3] == "s" and "/dev/zero" in line:
                a, b = (int(x, 16) for x in span.split("-"))
                sizes.append((b - a) // 1024)
    return len(sizes), sum(sizes)


def system_segments():
    done = subprocess.run(["ipcs", "-m"], capture_output=True, text=True)
    return sum(ln.startswith("0x") for ln in done.stdout.splitlines())


def scrape(httpd, seconds=10):
    end = time.monotonic() + seconds
    while True:
        with contextlib.suppress(OSError, AssertionError):
            answer = client.get(httpd.port, "/jk-metrics")
            assert answer.status == 200, answer
            return Samples(answer.body.decode())
        assert time.monotonic() < end, "the metrics do not answer"
        time.sleep(0.2)


class Tail:
    """What was added to a log since the last look."""

    def __init__(self, path):
        self.path, self.at, self.rest = path, 0, b""

    def lines(self):
        try:
            with open(self.path, "rb") as f:
                f.seek(self.at)
                data = f.read()
        except OSError:
            return []
        self.at += len(data)
        *lines, self.rest = (self.rest + data).split(b"\n")
        return [ln.decode("utf-8", "backslashreplace") for ln in lines]


class Watch:
    def __init__(self, httpd):
        self.httpd, self.tails = httpd, {}
        self.generations, self.fatal = 0, []
        self.ids, self.levels = collections.Counter(), collections.Counter()
        self.example = {}  # id -> a line

    def look(self):
        """Reads on in all logs."""
        for name in os.listdir(self.httpd.path("logs")):
            if name == "access_log" or name.endswith(".pid"):
                continue
            tail = self.tails.setdefault(name, Tail(self.httpd.path("logs/" + name)))
            for line in tail.lines():
                self.line(line)

    def line(self, line):
        self.generations += "resuming normal operations" in line
        if is_fatal(line):
            self.fatal.append(line)
        found = re.search(r"\[(JK\d{4})\]$", line) or re.search(r"\[(?:emerg|alert|crit|error|warn)\].*?(AH\d{5})", line) or \
            re.search(r"\[\w*:(?:emerg|alert|crit|error|warn)\].*?(AH\d{5})", line)
        if found:
            self.ids[found.group(1)] += 1
            self.example.setdefault(found.group(1), line)

    def children(self):
        return sorted(proc.children_of(self.httpd.pid))


class Measure:
    """At a moment of rest."""

    def __init__(self, watch):
        httpd = watch.httpd
        self.children = {pid: (resident(pid), descriptors(pid)) for pid in watch.children()}
        self.parent = (resident(httpd.pid), descriptors(httpd.pid))
        self.shared, self.system = shared(httpd.pid), system_segments()
        samples = scrape(httpd)
        self.in_flight = {name: sum(v for (n, _), v in samples.values.items() if n == name) for name in IN_FLIGHT}

    def words(self):
        each = ", ".join(f"{kb} KB/{fds} fds" for kb, fds in self.children.values())
        return f"parent {self.parent[0]} KB/{self.parent[1]} fds; {len(self.children)} children: {each}; shared memory {self.shared[0]} x, " \
               f"{self.shared[1]} KB (SysV {self.system}); under way {({k[3:]: v for k, v in self.in_flight.items() if v}) or 'nothing'}"
