"""A raw HTTP client: sends exact bytes, reads one answer at a time, and says whether an answer was cut."""
import contextlib
import shutil
import socket
import subprocess


class Answer:
    """end: how the body ended - "none" (there is none), "length", "chunked", "eof" (HTTP/1.0's way: cannot be told from a
    cut) - or how it was cut: "short" (before Content-Length), "no last chunk", "reset", "no answer"."""

    def __init__(self):
        self.status, self.reason, self.version = None, "", ""
        self.headers, self.interim = [], []
        self.body, self.end = b"", "no answer"

    @property
    def complete(self):
        return self.end in ("none", "length", "chunked", "eof")

    @property
    def text(self):
        return self.body.decode("utf-8", "replace")

    def header(self, name):
        return next((v for n, v in self.headers if n.lower() == name.lower()), None)

    def all(self, name):
        return [v for n, v in self.headers if n.lower() == name.lower()]

    def __repr__(self):
        return f"<{self.status} {self.reason!r} {self.end} {self.headers} {self.body[:200]!r}>"


class Cut(Exception):
    pass


class Wire:
    """One connection to the server."""

    def __init__(self, port, timeout=15.0, tls=None):
        self.sock = socket.create_connection(("127.0.0.1", port), timeout)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if tls:
            self.sock = tls.wrap_socket(self.sock, server_hostname="localhost")
        self.port, self.held, self.was_reset = port, b"", False

    def __enter__(self):
        return self

    def __exit__(self, *what):
        self.close()

    def close(self):
        self.sock.close()

    def half_close(self):
        self.sock.shutdown(socket.SHUT_WR)

    def send(self, data):
        self.sock.sendall(data.encode("latin-1") if isinstance(data, str) else data)

    def request(self, method, path, headers=(), body=None, host=None, version="1.1", chunked=False):
        """Sends a request. body with chunked: in chunks of odd sizes, or of those sizes in turn that it names."""
        names = {n.lower() for n, _ in headers}
        lines = [f"{method} {path} HTTP/{version}"]
        if "host" not in names and (host or version == "1.1"):
            lines.append(f"Host: {host or '127.0.0.1:%d' % self.port}")
        lines += [f"{n}: {v}" for n, v in headers]
        if chunked:
            lines.append("Transfer-Encoding: chunked")
        elif body is not None and "content-length" not in names:
            lines.append(f"Content-Length: {len(body)}")
        self.send("\r\n".join(lines) + "\r\n\r\n")
        if body is not None:
            self.send(body if not chunked else in_chunks(body) if chunked is True else in_chunks(body, chunked))

    def answer(self, head=False, on_head=None):
        """Reads one answer; head: it answers HEAD, and has no body. on_head is called when its headers are there."""
        a = Answer()
        try:
            self._read_head(a)
            while a.status is not None and 100 <= a.status < 200:
                a.interim.append(a.status)
                a.headers = []
                self._read_head(a)
            if on_head:
                on_head()
            self._read_body(a, head)
        except Cut:
            if self.was_reset:
                a.end = "reset"
        return a

    def ask(self, method, path, *args, **more):
        with contextlib.suppress(OSError):  # an answer may come before the body was taken
            self.request(method, path, *args, **more)
        return self.answer(head=method == "HEAD")

    def get(self, path, headers=(), **more):
        return self.ask("GET", path, headers, **more)

    def at_end(self, seconds=5.0):
        """Does the server close without another byte?"""
        self.sock.settimeout(seconds)
        try:
            return not self.held and self.sock.recv(1) == b""
        except ConnectionError:
            return True
        except TimeoutError:
            return False

    # ---- reading ----

    def _more(self):
        try:
            data = self.sock.recv(65536)
        except ConnectionError:
            self.was_reset = True
            data = b""
        if not data:
            raise Cut
        self.held += data

    def _line(self):
        while b"\n" not in self.held:
            self._more()
        line, self.held = self.held.split(b"\n", 1)
        return line.rstrip(b"\r").decode("latin-1")

    def _exactly(self, n, a):
        while len(self.held) < n:
            try:
                self._more()
            except Cut:
                a.body += self.held
                self.held = b""
                raise
        data, self.held = self.held[:n], self.held[n:]
        return data

    def _read_head(self, a):
        first = self._line()
        a.version, status, *reason = first.split(" ", 2)
        a.status, a.reason = int(status), reason[0] if reason else ""
        while True:
            line = self._line()
            if not line:
                return
            name, value = line.split(":", 1)
            a.headers.append((name, value.strip()))

    def _read_body(self, a, head):
        if head or a.status in (204, 304):
            a.end = "none"
        elif (a.header("Transfer-Encoding") or "").lower() == "chunked":
            a.end = "no last chunk"
            self._read_chunks(a)
            a.end = "chunked"
        elif a.header("Content-Length") is not None:
            a.end = "short"
            a.body += self._exactly(int(a.header("Content-Length")), a)
            a.end = "length"
        else:
            a.end = "eof"
            with contextlib.suppress(Cut):
                while True:
                    self._more()
            a.body, self.held = self.held, b""
            if self.was_reset:
                raise Cut

    def _read_chunks(self, a):
        while True:
            size = int(self._line().split(";")[0], 16)
            if size == 0:
                while self._line():
                    pass
                return
            a.body += self._exactly(size, a)
            self._line()


def in_chunks(body, sizes=(1, 7, 1000, 8190, 3)):
    """The body in chunks of odd sizes, with a last chunk."""
    out, at, i = [], 0, 0
    while at < len(body):
        piece = body[at:at + sizes[i % len(sizes)]]
        out.append(b"%x\r\n%s\r\n" % (len(piece), piece))
        at, i = at + len(piece), i + 1
    return b"".join(out) + b"0\r\n\r\n"


def ask(port, method, path, *args, tls=None, **more):
    with Wire(port, tls=tls) as wire:
        return wire.ask(method, path, *args, **more)


def get(port, path, headers=(), **more):
    """One GET on a connection of its own."""
    return ask(port, "GET", path, [*headers, ("Connection", "close")], **more)


def curl(*args, seconds=20):
    """(exit code, body, what curl says)."""
    done = subprocess.run(["curl", "-sS", "--max-time", str(seconds), *args], capture_output=True, timeout=seconds + 10)
    return done.returncode, done.stdout, done.stderr.decode("utf-8", "replace")


def has_curl_h2():
    if not shutil.which("curl"):
        return False
    return "HTTP2" in subprocess.run(["curl", "--version"], capture_output=True, text=True).stdout
