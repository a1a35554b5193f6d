"""The troubles of the storms. Each is a function of the field, of the container that it befalls (None: it befalls httpd), of its seconds and a
dice of its own; it returns when the trouble is over and all is as it was."""
import contextlib
import os
import random
import signal
import subprocess
import sys
import time

from lib import proc

HERE = os.path.dirname(os.path.abspath(__file__))


class Place:
    """Where a container is: its address, and the process that is there now."""

    def __init__(self, field, name):
        self.field, self.name, self.port = field, name, proc.free_port()
        self.serial, self.child = 0, None
        self.start()

    def spawn(self, port, *more):
        self.serial += 1
        name = f"{self.name}.{self.serial}"
        notes = self.field.path(f"{self.name}.notes")
        argv = [sys.executable, os.path.join(HERE, "container.py"), "--port", str(port), "--name", name, "--notes", notes, *more]
        with open(self.field.path("containers.log"), "ab") as log:
            child = self.field.spawn(argv, stdout=subprocess.PIPE, stderr=log)
        with child.stdout:
            assert child.stdout.readline() == b"ready\n", f"{name} does not start: see containers.log"
        return child

    def start(self, *more):
        self.child = self.spawn(self.port, *more)

    def signal(self, number):
        os.kill(self.child.pid, number)

    def kill(self):
        self.child.kill()
        self.child.wait()
        proc.stop(self.child)

    def end(self):
        proc.stop(self.child, 5)


# ---- of containers ----

def stop(field, place, seconds, dice):
    """Stands still, with all that it has."""
    place.signal(signal.SIGSTOP)
    field.wait(seconds)
    place.signal(signal.SIGCONT)


def kill(field, place, seconds, dice):
    """Dies, and is refused for a while."""
    place.kill()
    field.wait(seconds)
    place.start()


def restart(field, place, seconds, dice):
    """Again and again, without a pause."""
    end = time.monotonic() + seconds
    while time.monotonic() < end and not field.over.is_set():
        place.end()
        place.start()
        field.wait(dice.uniform(0.3, 1.5))


def replace(field, place, seconds, dice):
    """Another process at the same address, as soon as the first is dead."""
    place.kill()
    place.start()
    field.wait(seconds)


def move(field, place, seconds, dice):
    """Another process at another address: the status worker is told, then the first one ends."""
    port = proc.free_port()
    child = place.spawn(port)
    field.edit_address(place, port)
    field.wait(seconds / 2)
    place.end()
    place.child, place.port = child, port
    field.wait(seconds / 2)


def deaf(field, place, seconds, dice):
    """Listens and never accepts: its queue is full at once."""
    place.kill()
    place.start("--deaf")
    field.wait(seconds)
    place.kill()
    place.start()


# ---- of httpd ----

def restarts(field, place, seconds, dice):
    """A graceful restart every 2 s."""
    end = time.monotonic() + seconds
    while time.monotonic() < end and not field.over.is_set():
        begun = time.monotonic()
        field.graceful()
        field.wait(max(0.0, begun + 2 - time.monotonic()))


def recycle(field, place, seconds, dice):
    """Each child ends after 200 connections."""
    field.configure(recycle=200)
    field.wait(seconds)
    field.configure(recycle=0)


def log_full(field, place, seconds, dice):
    """JkLogFile's disk is full."""
    field.configure(log="/dev/full")
    field.wait(seconds)
    field.configure(log="logs/mod_jk.log")


def mounts(field, place, seconds, dice):
    """The rule file changes, grows, is broken, is gone for a moment."""
    end = time.monotonic() + seconds
    while time.monotonic() < end and not field.over.is_set():
        kind = dice.choice(["more", "more", "broken", "gone"])
        if kind == "gone":
            with contextlib.suppress(FileNotFoundError):
                os.unlink(field.httpd.path("conf/rules"))
        else:
            field.write_rules(dice.randrange(1, 200), broken=kind == "broken")
        field.wait(dice.uniform(0.2, 1.2))
    field.write_rules(0)


def workers(field, place, seconds, dice):
    """The workers file changes, a member comes and goes, it is broken: each time with a graceful restart."""
    end = time.monotonic() + seconds
    while time.monotonic() < end and not field.over.is_set():
        field.write_workers(factor=dice.randrange(1, 5), fifth=dice.random() < 0.5, broken=dice.random() < 0.3)
        field.graceful()
        field.wait(dice.uniform(1.0, 2.0))
    field.write_workers()
    field.graceful()


def edits(field, place, seconds, dice):
    """The status worker drains a member, brings it back, changes factors and limits."""
    end = time.monotonic() + seconds
    while time.monotonic() < end and not field.over.is_set():
        name = dice.choice(["m1", "m2", "m3", "m4"])
        field.status(w="shop", sw=name, vwa=dice.choice("ad"), vwf=dice.randrange(1, 9))
        field.wait(dice.uniform(0.05, 0.4))
        field.status(w="shop", sw=name, vwa="a", vwf=1)


def descriptors(field, place, seconds, dice):
    """No process of httpd gets a descriptor more than it has."""
    limits = {}
    for pid in field.watch.children():
        with contextlib.suppress(OSError, subprocess.CalledProcessError):  # it ends just now
            limits[pid] = proc.limit_descriptors(pid, len(os.listdir(f"/proc/{pid}/fd")))
    assert limits, "no child could be limited"
    field.wait(seconds)
    for pid, limit in limits.items():
        with contextlib.suppress(OSError, subprocess.CalledProcessError):
            proc.limit_descriptors(pid, limit)
    field.wait(2)


OF_CONTAINERS = {f.__name__: f for f in (stop, kill, restart, replace, move, deaf)}
OF_HTTPD = {f.__name__: f for f in (restarts, recycle, log_full, mounts, workers, edits, descriptors)}
LANES = (("m1", "m2", "s1"), ("m3", "m4"))  # at most one of each is in trouble: two members of four always live


class Step:
    def __init__(self, at, kind, place, seconds, seed):
        self.at, self.kind, self.place, self.seconds, self.seed = at, kind, place, seconds, seed

    def __repr__(self):
        return f"{self.at:7.1f} s  {self.kind} {self.place or 'httpd'} {self.seconds:.1f} s"

    def run(self, field):
        window = field.judge.begin(self.kind, self.place)
        try:
            {**OF_CONTAINERS, **OF_HTTPD}[self.kind](field, field.places.get(self.place), self.seconds, random.Random(self.seed))
        finally:
            field.judge.end(window)


def lane(dice, kinds, places, begin, end, longest, gap):
    """Troubles one after the other: each kind once, shuffled, then again, until the end."""
    steps, at = [], begin
    while at < end:
        for kind in dice.sample(sorted(kinds), len(kinds)):
            seconds = dice.uniform(longest / 2, longest)
            if at >= end:
                break
            steps.append(Step(at, kind, dice.choice(places) if places else None, min(seconds, end - at), dice.randrange(1 << 30)))
            at += seconds + dice.uniform(gap / 2, gap)
    return steps


def plan(seed, begin, end, of_httpd, longest):
    """What comes when, in lanes that go on side by side: the same for the same words."""
    dice = random.Random(seed)
    lanes = [lane(dice, OF_CONTAINERS, LANES[0], begin, end, longest, 3),
             lane(dice, OF_CONTAINERS, LANES[1], begin + longest / 2, end, longest, 3)]
    return lanes + ([lane(dice, OF_HTTPD, (), begin, end, longest * 1.3, 2)] if of_httpd else [])
