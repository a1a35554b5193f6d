"""Clients of the storms: one process, many visitors, each with a connection of its own. Told what to do by lines of its standard input (go, rest,
end), says what came of it by lines of JSON: sums, and one record for each request that did not end as it should have.

    visitors.py '{"port": .., "tls": .., "from": 0, "to": 1000, "visitors": 2000, "rate": 400, "seed": 1}'
"""
import asyncio
import collections
import contextlib
import json
import os
import random
import resource
import socket
import ssl
import struct
import sys
import time
import traceback

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

from stormlib import answers  # noqa: E402

PATIENCE = 60.0  # no answer for so long is none
# What a visitor is, for good, and how many of a hundred.
ROLES = [("browser", 66), ("pipeline", 10), ("reader", 6), ("loris", 5), ("chunked", 5), ("leaver", 8)]
MOUNTS = [("shop", 60), ("file", 10), ("plain", 15), ("one", 15)]
MEMBERS = 4


class Shot:
    """One request. end: good; left (we went); turned (a kept connection was closed before a byte of the answer came); none (a fresh one was);
    cut (the answer broke off); status (another than 200); late; wrong (somebody else's bytes)."""

    def __init__(self, visitor, method, mount, body=b"", large=False):
        self.ident = ("L" if large else "r") + visitor.next_ident()
        self.method, self.mount, self.body, self.role = method, mount, body, visitor.role
        self.path = f"/{mount}/{self.ident}"
        self.began, self.kept = time.monotonic(), False
        self.end, self.status, self.why = None, None, ""

    def record(self):
        return [self.end, self.method, self.mount, self.ident, self.status, round(self.began, 2), round(time.monotonic(), 2), self.role, self.why]


class Trouble(Exception):
    """The request ended otherwise: kind, words."""


class Wire:
    def __init__(self, reader, writer):
        self.reader, self.writer, self.answered = reader, writer, 0

    @classmethod
    async def open(cls, port, tls, window=None):
        sock = socket.socket()
        sock.setblocking(False)
        if window:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, window)
        try:
            await asyncio.get_running_loop().sock_connect(sock, ("127.0.0.1", port))
            reader, writer = await asyncio.open_connection(sock=sock, ssl=tls, server_hostname="localhost" if tls else None,
                                                           limit=8192 if window else 1 << 16)
        except BaseException:
            sock.close()
            raise
        return cls(reader, writer)

    def close(self, hard=False):
        if hard:
            sock = self.writer.get_extra_info("socket")
            with contextlib.suppress(OSError):
                if sock:  # else it is closed already
                    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.writer.transport.abort()
        else:
            self.writer.close()

    async def head(self):
        """(status, {name: value}); b"" before the first byte is Trouble."""
        while True:
            try:
                text = await self.reader.readuntil(b"\r\n\r\n")
            except asyncio.IncompleteReadError as e:
                raise Trouble("cut" if e.partial else "none", "closed") from None
            lines = text.decode("latin-1").split("\r\n")
            status = int(lines[0].split(" ", 2)[1])
            if status >= 200:
                return status, {k.lower(): v.strip() for k, v in (ln.split(":", 1) for ln in lines[1:] if ln)}

    async def body(self, headers, take):
        """take: reads n bytes in the manner of this visitor, and keeps them."""
        if "content-length" in headers:
            return await take(int(headers["content-length"]))
        if headers.get("transfer-encoding", "").lower() != "chunked":
            raise Trouble("wrong", f"no length: {headers}")
        while True:
            size = int((await self.reader.readuntil(b"\r\n")).split(b";")[0], 16)
            await take(size)
            if await self.reader.readexactly(2) != b"\r\n":
                raise Trouble("wrong", "a chunk without its end")
            if size == 0:
                return


class Visitor:
    def __init__(self, crowd, number):
        self.crowd, self.number, self.count = crowd, number, 0
        self.dice = random.Random(f"{crowd.said['seed']}.{number}")
        self.role = self.dice.choices([r[0] for r in ROLES], [r[1] for r in ROLES])[0]
        self.tls = crowd.tls if self.dice.random() < 0.1 else None
        self.cookie = f"JSESSIONID=s{number}.m{self.dice.randrange(MEMBERS) + 1}" if self.dice.random() < 0.5 else ""
        self.wire, self.got = None, []
        self.now = None  # what it waits for: its path, and since when

    def next_ident(self):
        self.count += 1
        return f"{self.number:x}-{self.count:x}"

    async def live(self):
        await asyncio.sleep(self.dice.random() * self.crowd.pause)
        while not self.crowd.over:
            if not self.crowd.may_go.is_set():
                self.hang_up()
                await self.crowd.may_go.wait()
                await asyncio.sleep(self.dice.random() * self.crowd.pause)
                continue
            self.crowd.busy += 1
            try:
                await getattr(self, self.role)()
            finally:
                self.crowd.busy -= 1
            if self.dice.random() < 0.05:
                self.hang_up()
            await asyncio.sleep(self.dice.uniform(0.5, 1.5) * self.crowd.pause)
        self.hang_up()

    # ---- what it does ----

    async def browser(self):
        kind = self.dice.random()
        method = "GET" if kind < 0.6 else "HEAD" if kind < 0.75 else "POST"
        body = self.dice.randbytes(self.dice.choice([1, 300, 8186, 9000, 30000])) if method == "POST" else b""
        await self.ask([self.shot(method, body)])

    async def pipeline(self):
        await self.ask([self.shot(self.dice.choice(["GET", "GET", "HEAD"])) for _ in range(self.dice.randrange(2, 6))])

    async def reader(self):
        await self.ask([self.shot("GET", large=True)], take=self.slowly, window=16384)
        self.hang_up()

    async def loris(self):
        body = self.dice.randbytes(self.dice.choice([40, 9000]))
        await self.ask([self.shot("POST", body)], send=self.drip)

    async def chunked(self):
        body = self.dice.randbytes(self.dice.choice([1, 5000, 20000]))
        await self.ask([self.shot("POST", body)], send=self.in_chunks)

    async def leaver(self):
        """Goes without a word, or with a reset: at once, in the middle of its body, in the middle of the answer."""
        shot = self.shot(self.dice.choice(["GET", "POST", "HEAD"]), b"x" * 9000, large=self.dice.random() < 0.5)
        if shot.method != "POST":
            shot.body = b""
        try:
            self.wire = self.wire or await self.connect(None)
            text = self.head_of(shot) + shot.body
            self.wire.writer.write(text[:self.dice.choice([len(text) // 2, len(text)])])
            await asyncio.sleep(self.dice.choice([0, 0.001, 0.05, 0.5]))
            if self.dice.random() < 0.3:
                await asyncio.wait_for(self.wire.reader.read(1000), 1)
        except (OSError, asyncio.TimeoutError):
            pass
        shot.end = "left"
        self.crowd.book(shot)
        self.hang_up(hard=self.dice.random() < 0.5)

    # ---- how ----

    def shot(self, method, body=b"", large=False):
        mount = self.dice.choices([m[0] for m in MOUNTS], [m[1] for m in MOUNTS])[0]
        return Shot(self, method, mount, body, large)

    async def connect(self, window):
        port = self.crowd.said["tls" if self.tls else "port"]
        return await asyncio.wait_for(Wire.open(port, self.tls, window), PATIENCE)

    def hang_up(self, hard=False):
        if self.wire:
            self.wire.close(hard)
        self.wire = None

    def head_of(self, shot, framing=None):
        lines = [f"{shot.method} {shot.path} HTTP/1.1", "Host: localhost"]
        if self.cookie:
            lines.append("Cookie: " + self.cookie)
        if framing or shot.method == "POST":
            lines.append(framing or f"Content-Length: {len(shot.body)}")
        return ("\r\n".join(lines) + "\r\n\r\n").encode()

    async def whole(self, shot):
        self.wire.writer.write(self.head_of(shot) + shot.body)

    async def drip(self, shot):
        """Its body in pieces over some seconds."""
        self.wire.writer.write(self.head_of(shot))
        step = len(shot.body) // 8 + 1
        for at in range(0, len(shot.body), step):
            await asyncio.sleep(self.dice.uniform(0.1, 0.6))
            self.wire.writer.write(shot.body[at:at + step])

    async def in_chunks(self, shot):
        self.wire.writer.write(self.head_of(shot, "Transfer-Encoding: chunked"))
        step = self.dice.choice([1000, 7000])
        for at in range(0, len(shot.body), step):
            piece = shot.body[at:at + step]
            self.wire.writer.write(b"%x\r\n%s\r\n" % (len(piece), piece))
            await asyncio.sleep(self.dice.choice([0, 0.01]))
        self.wire.writer.write(b"0\r\n\r\n")

    async def at_once(self, n, piece=65536, pause=0):
        while n:
            data = await self.wire.reader.read(min(n, piece))
            if not data:
                raise asyncio.IncompleteReadError(b"", n)
            self.got.append(data)
            n -= len(data)
            if pause:
                await asyncio.sleep(pause)

    async def slowly(self, n):
        await self.at_once(n, 16384, 0.06)

    async def ask(self, shots, send=None, take=None, window=None):
        """All are sent, then the answers are read. Who was turned away asks again on a connection of its own, by another name."""
        kept = self.wire is not None
        self.now = ("connect", shots[0].method, shots[0].path, time.monotonic())
        try:
            self.wire = self.wire or await self.connect(window)
        except (OSError, asyncio.TimeoutError) as e:
            for shot in shots:
                shot.end, shot.why = "none", f"connect: {e!r}"
                self.crowd.book(shot)
            return
        writing = asyncio.ensure_future(self.send_all(shots, send or self.whole))
        for i, shot in enumerate(shots):
            shot.kept = kept or i > 0
            self.now = ("kept" if shot.kept else "fresh", shot.method, shot.path, time.monotonic())
            goes_on = await self.one_answer(shot, take or self.at_once)
            self.crowd.book(shot)
            if not goes_on:
                for later in shots[i + 1:]:
                    later.end = "turned"
                    self.crowd.book(later)
                break
        self.now = None
        writing.cancel()
        if not goes_on:
            self.hang_up()

    async def send_all(self, shots, send):
        try:
            for shot in shots:
                await send(shot)
            await self.wire.writer.drain()
        except OSError:
            pass  # the answer says it

    async def one_answer(self, shot, take):
        """Whether the connection may be used on."""
        try:
            return await asyncio.wait_for(self.read_answer(shot, take), PATIENCE)
        except Trouble as e:
            shot.end, shot.why = e.args
        except asyncio.TimeoutError:
            shot.end = "late"
        except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, OSError, ValueError) as e:
            shot.end, shot.why = ("cut" if shot.status else "none"), repr(e)[:80]
        if shot.end == "none" and shot.kept:
            shot.end = "turned"
        if shot.status == 200 and not answers.Answer(shot.ident).body().startswith(b"".join(self.got)):
            shot.end, shot.why = "wrong", "what came before the end is not its own"
        return False

    async def read_answer(self, shot, take):
        self.got = []
        shot.status, headers = await self.wire.head()
        if shot.status != 200 and "x-id" in headers:
            raise Trouble("wrong", f"httpd's own page has the header of {headers['x-id']}")
        if shot.status == 200 and headers.get("x-id") != shot.ident:
            raise Trouble("wrong", f"the answer of {headers.get('x-id')}")
        if shot.method != "HEAD":
            await self.wire.body(headers, take)
        if shot.status == 200:
            self.compare(shot, headers, b"".join(self.got))
        shot.end = "good" if shot.status == 200 else "status"
        return headers.get("connection", "").lower() != "close"

    @staticmethod
    def compare(shot, headers, body):
        want = b"" if shot.method == "HEAD" else answers.Answer(shot.ident).body()
        if headers.get("x-sum") != answers.checksum(shot.ident, shot.body):
            raise Trouble("wrong", "the container got another body")
        if body != want:
            raise Trouble("wrong", f"{len(body)} bytes of body, {len(want)} expected: {body[:60]!r}")


class Crowd:
    def __init__(self, said):
        self.said, self.over, self.busy = said, False, 0
        self.pause = said["visitors"] / said["rate"]
        self.tls = ssl.create_default_context()
        self.tls.check_hostname, self.tls.verify_mode = False, ssl.CERT_NONE
        self.may_go = asyncio.Event()
        self.sums, self.odd, self.posted = collections.Counter(), [], []

    def book(self, shot):
        self.sums[f"{shot.end} {shot.method} {shot.mount}"] += 1
        if shot.end == "good":
            self.sums["role " + shot.role] += 1
            if shot.method == "POST":
                self.posted.append(shot.ident)
        elif shot.end != "left":
            self.odd.append(shot.record())

    def tell(self):
        waits = sorted((v.now for v in self.visitors if v.now), key=lambda n: n[3])
        oldest = [[*n[:3], round(time.monotonic() - n[3], 1)] for n in waits[:5]]
        print(json.dumps({"sums": self.sums, "odd": self.odd, "posted": self.posted, "busy": self.busy, "oldest": oldest}), flush=True)
        self.odd, self.posted = [], []

    async def listen(self):
        reader = asyncio.StreamReader()
        await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
        while True:
            word = (await reader.readline()).decode().strip()
            if word == "go":
                self.may_go.set()
            elif word == "rest":
                self.may_go.clear()
            else:  # end, or nobody is there any more
                self.over = True
                self.may_go.set()
                return

    async def run(self):
        self.visitors = [Visitor(self, i) for i in range(self.said["from"], self.said["to"])]
        visitors = [asyncio.ensure_future(v.live()) for v in self.visitors]
        listening = asyncio.ensure_future(self.listen())
        while not self.over:
            await asyncio.wait([listening], timeout=1)
            self.tell()
            if any(one.done() and self.fails(one) for one in visitors):
                os._exit(1)
        await asyncio.wait(visitors, timeout=PATIENCE + 20)
        for one in visitors:
            if not one.done():
                self.sums["visitors that did not end"] += 1
            elif self.fails(one):
                os._exit(1)
        self.tell()

    @staticmethod
    def fails(one):
        """A mistake of this program: its words go to the standard error."""
        if one.exception():
            traceback.print_exception(one.exception())
        return one.exception() is not None


if __name__ == "__main__":
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 65536), hard))
    asyncio.run(Crowd(json.loads(sys.argv[1])).run())
