"""HTTP/2: up to 256 streams on one connection, again and again. Each answer is compared, also as far as it came; how a stream ended is told by
its frames (lib/h2.py), not by curl, which takes some that were reset for whole."""
import random
import threading
import time

from lib import h2

from . import answers

STREAMS = 256
MAX_TIME = 60


class Streams(threading.Thread):
    """tell(record) for each that did not end well, as visitors say it."""

    def __init__(self, field, seed, pause=2.0):
        super().__init__(daemon=True)
        self.field, self.dice, self.pause = field, random.Random(f"h2.{seed}"), pause
        self.good, self.rounds, self.failed, self.busy = 0, 0, None, False
        self.may_go = threading.Event()

    def run(self):
        try:
            while not self.field.ended.is_set():
                if self.may_go.wait(0.2):
                    self.busy = True
                    self.round()
                    self.busy = False
                    self.field.ended.wait(self.pause)
        except Exception as e:
            self.failed = f"{type(e).__name__}: {e}"

    def round(self):
        self.rounds += 1
        paths = [f"/shop/h{self.rounds:x}-{i:x}" for i in range(STREAMS)]
        begun = time.monotonic()
        try:
            streams = h2.get(self.field.httpd.tls_port, paths, tls=True, seconds=MAX_TIME)
        except OSError:  # no connection
            streams = [h2.Stream(path) for path in paths]
        ended = time.monotonic()
        for stream in streams:
            end, ident = self.ending(stream, ended - begun >= MAX_TIME), answers.ident_of(stream.path)
            if end == "good":
                self.good += 1
            else:
                self.field.judge.one([end, "GET", "h2", ident, stream.status, begun, ended, "stream", repr(stream)])

    @staticmethod
    def ending(stream, late):
        want = answers.Answer(answers.ident_of(stream.path)).body()
        if stream.status == 200 and not want.startswith(stream.body):
            return "wrong"
        if stream.end == "whole":
            return "status" if stream.status != 200 else "good" if stream.body == want else "wrong"
        if stream.end is None and late:
            return "late"
        if stream.end == "reset" and stream.error != h2.REFUSED:  # what was queued for it goes with it, and maybe the head
            return "cut"
        return "cut" if stream.status else "turned"
