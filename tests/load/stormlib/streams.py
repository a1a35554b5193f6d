"""HTTP/2: up to 256 streams on one connection, again and again. curl is the client; each answer lies in a file of its own and is compared."""
import os
import random
import shutil
import subprocess
import threading
import time

from . import answers

STREAMS = 256
MAX_TIME = 60


class Streams(threading.Thread):
    """tell(record) for each that did not end well, as visitors say it."""

    def __init__(self, field, seed, pause=2.0):
        super().__init__(daemon=True)
        self.field, self.dice, self.pause = field, random.Random(f"h2.{seed}"), pause
        self.good, self.rounds, self.failed, self.busy = 0, 0, None, False
        self.dir = field.path("h2")
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
        shutil.rmtree(self.dir, ignore_errors=True)
        os.mkdir(self.dir)
        idents = [f"h{self.rounds:x}-{i:x}" for i in range(STREAMS)]
        with open(self.field.path("h2.curl"), "w") as f:
            for ident in idents:
                f.write(f'url = "https://localhost:{self.field.httpd.tls_port}/shop/{ident}"\noutput = "{self.dir}/{ident}"\n')
        begun = time.monotonic()
        done = subprocess.run(["curl", "-sk", "--http2", "-Z", "--parallel-max", str(STREAMS), "--resolve", f"localhost:{self.field.httpd.tls_port}:127.0.0.1",
                               "--max-time", str(MAX_TIME), "-w", "%{exitcode} %{http_code} %{filename_effective} %{http_version}\\n",
                               "-K", self.field.path("h2.curl")], capture_output=True, text=True, timeout=2 * MAX_TIME + 60)
        self.judge(idents, done.stdout, begun)

    def judge(self, idents, words, begun):
        said = {os.path.basename(line.split()[2]): line.split() for line in words.splitlines() if len(line.split()) == 4}
        ended = time.monotonic()
        for ident in idents:
            code, status, _, version = said.get(ident, ("?", "000", "", ""))
            end, why = self.ending(ident, code, int(status)), f"curl {code} HTTP/{version}"
            if end == "good":
                self.good += 1
            else:
                self.field.judge.one([end, "GET", "h2", ident, int(status), begun, ended, "stream", why])

    def ending(self, ident, code, status):
        if code == "28":
            return "late"
        if code in ("18", "92"):  # the stream was reset: what was queued for it goes with it, and maybe the head
            return "cut"
        if code != "0":
            return "turned"
        if status != 200:
            return "status"
        path = os.path.join(self.dir, ident)
        got = b""
        if os.path.exists(path):  # curl makes no file of nothing
            with open(path, "rb") as f:
                got = f.read()
        return "good" if got == answers.Answer(ident).body() else "wrong"
