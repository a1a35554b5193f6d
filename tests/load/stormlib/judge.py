"""What came of the requests, and whether it may be so. The rules stand in tests/load/README.md, under storm."""
import collections
import threading
import time

BREAKS = ("stop", "kill", "restart", "replace", "move", "deaf")  # what breaks off answers, and loses requests that may not be sent again
STOPS = ("restarts", "recycle", "log_full", "workers")  # what ends processes of httpd, gracefully
AFTERWARDS = 8.0  # seconds that a trouble may still be felt: reply_timeout, members that are asked again
STRICT = ("shop", "file", "h2")  # where no GET and no HEAD may be lost


class Judge:
    def __init__(self, say):
        self.say, self.lock = say, threading.Lock()
        self.windows = []  # [kind, place, begin, end or None]
        self.classes = collections.Counter()
        self.violations = []
        self.turned = {}  # ident -> record
        self.posted = []
        self.doubled_gets, self.noted = 0, collections.Counter()

    # ---- troubles ----

    def begin(self, kind, place):
        window = [kind, place, time.monotonic(), None]
        with self.lock:
            self.windows.append(window)
        return window

    @staticmethod
    def end(window):
        window[3] = time.monotonic()

    def felt(self, record, kinds, places=None):
        began, ended = record[5] - 0.1, record[6]
        with self.lock:
            return any(kind in kinds and (places is None or place in places) and start <= ended and (end is None or began <= end + AFTERWARDS)
                       for kind, place, start, end in self.windows)

    # ---- requests ----

    def violate(self, words):
        self.violations.append(words)
        if len(self.violations) <= 40:
            self.say("VIOLATION " + words)

    def one(self, record):
        """An ending that is not the good one: its class, or a violation."""
        end, method, mount = record[:3]
        if end == "turned":
            self.turned[record[3]] = record
            return
        reason = self.reason(record)
        if reason is None:
            self.violate(f"{record}")
        else:
            self.classes[f"{end} {'GET/HEAD' if method != 'POST' else method} {'strict' if mount in STRICT else mount}: {reason}"] += 1

    def reason(self, record):
        """Why it may have ended so; None: it may not."""
        end, method, mount = record[:3]
        if end in ("wrong", "late"):
            return None
        if self.felt(record, ("descriptors",)):
            return "httpd was out of descriptors"
        places = ("s1",) if mount == "one" else ("m1", "m2", "m3", "m4")
        broken = self.felt(record, BREAKS, places)
        if end == "cut":
            return "its answer had begun, its container was in trouble" if broken else None
        if end == "none" or (mount in STRICT and method != "POST"):
            return None
        if end == "status" and record[4] in (500, 502, 503, 504) and broken:
            return "its container was in trouble" if method != "POST" else "its container was in trouble, and a POST is not sent again"
        return None

    # ---- what the containers noted ----

    def read_notes(self, paths):
        """At the end, when all was noted."""
        posts, asked = collections.Counter(), collections.Counter()
        for path in paths:
            with open(path) as f:
                for line in f:
                    method, ident, name = line.split(" ", 2)
                    self.noted[method] += 1
                    if method == "VIOLATION":
                        self.violate("AJP13 violated: " + line.strip())
                    elif method == "POST":
                        posts[ident] += 1
                    elif ident in self.turned:
                        asked[ident] += 1
        for ident, n in posts.items():
            if n > 1:
                self.violate(f"POST {ident} was done {n} times")
        for ident in self.posted:
            if ident not in posts:
                self.violate(f"POST {ident} was answered and never came")
        self.judge_turned(asked, posts)

    def judge_turned(self, asked, posts):
        """A kept connection that httpd closes before it took the request is everyday life; one that it took must be answered."""
        for ident, record in self.turned.items():
            came = asked[ident] or posts[ident]
            broken = self.felt(record, BREAKS)
            if not came:
                what = "the connection of the stream" if record[2] == "h2" else "the kept connection"
                self.classes[f"turned away: httpd closed {what}, no container saw the request"] += 1
            elif self.felt(record, ("descriptors",)):
                self.classes["turned away: httpd was out of descriptors"] += 1
            elif record[1] == "POST" and broken:
                self.classes["turned away: a POST in trouble"] += 1
            else:
                stops = record[2] == "h2" and self.felt(record, STOPS)  # tests/load/h2stop tells whose fault that may be; lost is lost
                self.violate(f"taken, and not answered{', while processes stopped' if stops else ''}: {record}")
