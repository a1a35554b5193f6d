"""A scripted AJP13 peer: the container of the tests.

    peer = Peer()                       # listens; peer.port
    peer.on("/x", [ajp.send_headers(), ajp.chunk(b"half"), CLOSE])
    peer.on("/y", lambda ex: ex.send(ajp.answer("hello")))

A script is a callable that gets the Exchange, or a list of steps: bytes are sent, callables are called with the Exchange.
It is looked up by the request's path when the request arrives, whatever connection that comes on; a path without a script
gets `normal`, which says what arrived. Everything the module wrote is decoded strictly: a violation of AJP13 is kept in
peer.violations and fails the test.
"""
import hashlib
import json
import os
import socket
import struct
import threading
import time

from . import ajp
from .ajp import Violation


class Gone(Exception):
    """The module closed the connection."""


class Exchange:
    """One request on one connection, as a script sees it."""

    def __init__(self, conn, request):
        self.conn, self.request, self.peer = conn, request, conn.peer
        self.delivery = 0  # how often this path has been delivered by now: 1, 2, ...

    def send(self, data):
        self.conn.send(data)

    def trickle(self, data, pause=0.0003):
        """Byte by byte."""
        for i in range(len(data)):
            self.conn.send(data[i:i + 1])
            time.sleep(pause)

    @property
    def max_body(self):
        """Bytes of body that a packet holds."""
        return self.peer.max_packet - 6

    def get_body(self, n=None):
        """Asks for up to n bytes of body (a packet full); b"": there is nothing more."""
        n = self.max_body if n is None else n
        self.send(ajp.get_body(n))
        return self.body_packet(n)

    def body_packet(self, most=None):
        most = self.max_body if most is None else min(most, self.max_body)
        payload = self.conn.read_packet()
        if payload is None:
            raise Gone("instead of a body packet")
        data = ajp.body_data(payload)
        if self.request.length is not None and len(data) > most:
            self.peer.violate(f"body packet of {len(data)} bytes where {most} were asked for")
        self.request.packets.append(len(data))
        self.request.body += data
        return data

    def first_packet(self):
        """The packet that follows unasked where Content-Length says there is a body. What is there now is read at once."""
        if self.request.length:
            self.body_packet()

    def read_body(self, n=None):
        """The whole body."""
        if not self.request.packets:
            self.first_packet()
        while self.request.length is None or len(self.request.body) < self.request.length:
            if not self.get_body(n):
                break
        return self.request.body

    def close(self):
        self.conn.close()

    def reset(self):
        self.conn.reset()

    def half_close(self):
        self.conn.sock.shutdown(socket.SHUT_WR)

    def wait(self, event, seconds=10):
        """Stalls until the test sets the event."""
        assert event.wait(seconds), "the test did not go on"

    def module_closes(self, seconds=5):
        """Does the module close the connection? Bytes before that are left unread."""
        return self.conn.drained(seconds)


def CLOSE(ex):
    ex.close()


def RESET(ex):
    ex.reset()


def HALF_CLOSE(ex):
    ex.half_close()


def READ_BODY(ex):
    ex.read_body()


def SLEEP(seconds):
    return lambda ex: time.sleep(seconds)


def WAIT(event):
    return lambda ex: ex.wait(event)


def STALL(ex):
    """Silent until the module gives up."""
    ex.conn.drained(10)
    ex.close()


def normal(ex):
    """Reads the body and says as JSON what arrived."""
    ex.read_body()
    r = ex.request
    text = json.dumps({"method": r.method, "uri": r.uri, "headers": r.headers, "attributes": r.attributes, "length": len(r.body),
                       "sha256": hashlib.sha256(r.body).hexdigest(), "peer": ex.peer.name})
    ex.send(ajp.answer(text + "\n", headers=[("Content-Type", "application/json")]))


class Connection:
    def __init__(self, peer, sock, serial):
        self.peer, self.sock, self.serial = peer, sock, serial
        self.requests, self.pings = [], 0
        self.closed = threading.Event()       # by us or by them
        self.closed_by_module = threading.Event()
        self.in_exchange = False
        if sock.family != socket.AF_UNIX:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def send(self, data):
        try:
            self.sock.sendall(data)
        except OSError as e:
            raise Gone(str(e)) from e

    def _read(self, n):
        data = b""
        while len(data) < n:
            try:
                more = self.sock.recv(n - len(data))
            except OSError:
                more = b""
            if not more:
                if not self.closed.is_set():
                    self.closed_by_module.set()
                if data and not self.closed.is_set():
                    raise Violation(f"the connection ended inside a packet, after {data!r}")
                return None
            data += more
        return data

    def read_packet(self):
        """A packet's payload; None: the module closed the connection."""
        head = self._read(4)
        if head is None:
            return None
        if self.peer.on_packet:
            self.peer.on_packet(self)
        magic, length = struct.unpack(">HH", head)
        if magic != 0x1234:
            raise Violation(f"magic {head!r}")
        if length + 4 > self.peer.max_packet:
            raise Violation(f"packet of {length + 4} bytes, max_packet_size is {self.peer.max_packet}")
        payload = self._read(length) if length else b""
        if payload is None and self.closed.is_set():
            return None
        if payload is None:
            raise Violation("the connection ended inside a packet")
        return payload

    def serve(self):
        try:
            while not self.closed.is_set():
                payload = self.read_packet()
                if payload is None:
                    break
                if payload == bytes([ajp.CPING]):
                    self.pings += 1
                    if self.peer.on_ping:
                        self.peer.on_ping(self)
                    elif self.peer.answers_ping:
                        self.send(ajp.CPONG)
                    continue
                self.peer.play(self, ajp.Request(payload))
        except Gone:
            pass
        except Violation as e:
            self.peer.violate(f"connection {self.serial}: {e}")
        except OSError:
            pass
        except Exception as e:  # a script's own mistake
            self.peer.violate(f"script: {type(e).__name__}: {e}")
        self.close()

    def drained(self, seconds):
        """Reads until the module closes."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.sock.settimeout(max(0.01, end - time.monotonic()))
            try:
                if not self.sock.recv(65536):
                    self.closed_by_module.set()
                    return True
            except TimeoutError:
                return False
            except OSError:
                self.closed_by_module.set()
                return True
            finally:
                try:
                    self.sock.settimeout(None)
                except OSError:
                    pass
        return False

    def close(self):
        if not self.closed.is_set():
            self.closed.set()
            try:
                self.sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            self.sock.close()

    def reset(self):
        """Ends with a RST. A thread that reads is woken first: as long as it reads the socket is not closed."""
        self.closed.set()
        try:
            self.sock.shutdown(socket.SHUT_RD)
        except OSError:
            pass
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()


class Peer:
    """Listens on 127.0.0.1 (port 0: any free one), on another address, or on a Unix socket (path)."""

    def __init__(self, port=0, *, address="127.0.0.1", path=None, name="peer", max_packet=ajp.MAX_PACKET):
        self.name, self.max_packet, self.path = name, max_packet, path
        self.answers_ping, self.on_ping = True, None  # on_ping: called with the Connection instead of answering
        self.lock = threading.Lock()
        self.listener = self._listen(address, port, path)
        self.port = None if path else self.listener.getsockname()[1]
        self.on_connect = None  # called with the raw Connection instead of speaking AJP
        self.on_packet = None  # called with the Connection when a packet's first four bytes were read, and nothing more
        self._serial = 0
        self.connections = []
        self.reset()
        threading.Thread(target=self._accept, daemon=True).start()

    @staticmethod
    def _listen(address, port, path):
        family = socket.AF_UNIX if path else socket.AF_INET6 if ":" in address else socket.AF_INET
        s = socket.socket(family, socket.SOCK_STREAM)
        if path:
            s.bind(path)
            os.chmod(path, 0o777)
        else:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            s.bind((address, port))
        s.listen(512)
        return s

    def _accept(self):
        while True:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            with self.lock:
                self._serial += 1
                conn = Connection(self, sock, self._serial)
                self.connections.append(conn)
                greet = self.on_connect
            threading.Thread(target=self._greet, args=(conn, greet or Connection.serve), daemon=True).start()

    @staticmethod
    def _greet(conn, greet):
        try:
            greet(conn)
        except (Gone, OSError):
            pass
        conn.close()

    # ---- scripts ----

    def on(self, path, script):
        """What a request for path gets. The first script may be replaced at any time."""
        self.scripts[path] = script
        return self

    def play(self, conn, request):
        ex = Exchange(conn, request)
        with self.lock:
            self.requests.append(request)
            conn.requests.append(request)
            request.connection = conn
            ex.delivery = self._deliveries(request.path)
            script = self.scripts.get(request.path, self.default)
        if callable(script):
            script(ex)
        else:
            for step in script:
                step(ex) if callable(step) else ex.send(step)
        with self.lock:
            self.played += 1

    def violate(self, text):
        self.violations.append(text)

    # ---- what happened ----

    def _deliveries(self, path):
        return sum(1 for r in self.requests if r.path == path)

    def deliveries(self, path):
        """How often a request for this path came."""
        with self.lock:
            return self._deliveries(path)

    def last(self, path=None):
        with self.lock:
            return next((r for r in reversed(self.requests) if path is None or r.path == path), None)

    def used_connections(self):
        """The connections that requests of this test came on, in order of their first use."""
        with self.lock:
            return list(dict.fromkeys(r.connection for r in self.requests))

    def open_connections(self):
        with self.lock:
            return [c for c in self.connections if not c.closed.is_set()]

    # ---- between tests ----

    def reset(self):
        """For the next test: no script, no record, no connection."""
        with self.lock:
            old, self.connections = self.connections, []
            self.scripts, self.default, self.on_connect = {}, normal, None
            self.requests, self.violations, self.played = [], [], 0
            self.answers_ping, self.on_ping = True, None
            self.on_packet = None
        for conn in old:
            conn.close()

    def close_idle(self):
        """Closes every connection, as a container that restarts does."""
        for conn in self.open_connections():
            conn.close()

    def check(self):
        assert not self.violations, f"{self.name}: AJP13 violated: {self.violations}"

    def stop(self):
        """No more connections: from now on they are refused."""
        try:
            self.listener.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.listener.close()
        self.reset()
        if self.path and os.path.exists(self.path):
            os.unlink(self.path)


class RefusedPort:
    """A port that is ours and refuses connections: bound, but nobody listens."""

    def __init__(self):
        self.socket = socket.socket()
        self.socket.bind(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]

    def stop(self):
        self.socket.close()
