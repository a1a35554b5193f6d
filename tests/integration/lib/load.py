"""Users of a site, bounded in number: each is a thread with one connection and one session, asks one thing after the other, and
writes down what came of each. What the answers mean is the test's to say."""
import random
import threading
import time

from . import client, cluster

# Page, method, how often of a hundred.
MIX = [("count.jsp", "GET", 26), ("count.jsp", "HEAD", 10), ("count.jsp", "POST", 24), ("sum.jsp", "GET", 12), ("sum.jsp", "POST", 12),
       ("slow.jsp", "GET", 4), ("slow.jsp", "HEAD", 4), ("slow.jsp", "POST", 4), ("begun.jsp", "GET", 4)]
SIZES = (0, 10, 3000, 8000, 20000)


class Shot:
    """One request as a client saw it: when it was sent, and what came."""

    def __init__(self, user, number, page, method):
        self.id = f"{user.name}.{number}"
        self.page, self.method, self.user = page, method, user.name
        self.asked = user.cookie  # the session it was sent with
        self.body = random.randbytes(random.choice(SIZES)) if method == "POST" else None
        self.began = self.ended = None
        self.answer, self.trouble = None, ""
        self.on_kept = False  # on a connection that had carried another before

    @property
    def status(self):
        return self.answer.status if self.answer else None

    @property
    def node(self):
        return self.answer.header("X-Node") if self.answer else None

    @property
    def count(self):
        return int(self.answer.header("X-Count") or 0) if self.answer and self.answer.complete else 0

    @property
    def home(self):
        """The node that its session was at; "" without one."""
        return (self.asked or "").rpartition(".")[2]

    @property
    def good(self):
        """The whole answer, and the right one."""
        return self.status == 200 and self.answer.complete and self.answer.header("X-Sum") == cluster.checksum(self.id, self.body) and \
            self.answer.body == (b"" if self.method == "HEAD" else cluster.BODIES[self.page])

    @property
    def turned_away(self):
        """The server had closed the kept connection, as it may at any time: a client asks again on another. Nobody may have gotten it."""
        return self.on_kept and self.status is None and not self.trouble

    def __repr__(self):
        return f"<{self.method} {self.page} {self.id} {self.asked}: {self.answer} {self.trouble}>"


class User(threading.Thread):
    """stays: asks that often in one session, then begins another; 0: one session for good."""

    def __init__(self, load, name, stays):
        super().__init__(daemon=True)
        self.load, self.name, self.stays = load, name, stays
        self.dice = random.Random(name)
        self.wire, self.cookie, self.shots = None, None, []
        self.now = None  # what is under way
        self.turn = 0

    def run(self):
        number = 0
        while not self.load.over.is_set():
            page, method = self.dice.choices([m[:2] for m in MIX], [m[2] for m in MIX])[0]
            if self.stays and number % self.stays == 0:
                self.cookie = None
            for _ in range(3):
                number += 1
                if not self.fire(Shot(self, number, page, method)).turned_away:
                    break
            self.rest()
        self.hang_up()

    def rest(self):
        """0.005 s; or, where the load has a rate, until this user's next turn. Who was held up for some seconds does not make up for all of it."""
        if not self.load.rate:
            time.sleep(0.005)
            return
        self.turn = max(self.turn + len(self.load.users) / self.load.rate, time.monotonic() - 2)
        self.load.over.wait(max(self.turn - time.monotonic(), 0))

    def hang_up(self):
        if self.wire:
            self.wire.close()
        self.wire = None

    def fire(self, shot):
        headers = [("Cookie", self.cookie)] if self.cookie else []
        shot.began, self.now = time.monotonic(), shot
        try:
            shot.on_kept = self.wire is not None
            self.wire = self.wire or client.Wire(self.load.port, timeout=60)
            shot.answer = self.wire.ask(shot.method, f"/{shot.page}?id={shot.id}", headers, body=shot.body)
        except OSError as e:
            shot.trouble = repr(e)
        shot.ended, self.now = time.monotonic(), None
        self.shots.append(shot)
        self.keep(shot)
        return shot

    def keep(self, shot):
        for cookie in shot.answer.all("Set-Cookie") if shot.answer else ():
            self.cookie = cookie.split(";")[0]
        if not (shot.answer and shot.answer.complete) or (shot.answer.header("Connection") or "").lower() == "close":
            self.hang_up()


class Load:
    """with Load(port) as load: .. -> load.shots(): what all users saw, in order. rate: at most so many requests in a second; None: as they come."""

    def __init__(self, port, residents=16, visitors=8, rate=None):
        self.port, self.rate, self.over = port, rate, threading.Event()
        name = f"{random.randrange(16 ** 8):08x}"
        self.users = [User(self, f"{name}.r{i}", 0) for i in range(residents)] + [User(self, f"{name}.v{i}", 4) for i in range(visitors)]

    def __enter__(self):
        for user in self.users:
            user.start()
        return self

    def __exit__(self, *what):
        self.over.set()
        for user in self.users:
            user.join(70)
        assert not any(user.is_alive() for user in self.users), "a user waits for an answer for a minute"

    def shots(self):
        return sorted((shot for user in self.users for shot in list(user.shots)), key=lambda shot: shot.ended)

    def under_way(self, seconds):
        """What was sent in the last `seconds` and has no answer yet."""
        return [s for s in (user.now for user in self.users) if s and time.monotonic() - s.began < seconds]
