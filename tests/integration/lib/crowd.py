"""Many clients at once, each in a thread of its own, and a gate where a container's scripts hold their requests."""
import socket
import threading
import time

from . import client


class Crowd:
    """crowd = Crowd(20, lambda i: ...); each is called in its own thread. join() gives what they returned, in order."""

    def __init__(self, n, what):
        self.results, self.errors = [None] * n, []
        before = threading.stack_size(256 * 1024)
        self.threads = [threading.Thread(target=self._one, args=(i, what), daemon=True) for i in range(n)]
        for thread in self.threads:
            thread.start()
        threading.stack_size(before)

    def _one(self, i, what):
        try:
            self.results[i] = what(i)
        except Exception as e:  # told by join()
            self.errors.append(f"{i}: {type(e).__name__}: {e}")

    def join(self, seconds=60):
        end = time.monotonic() + seconds
        for thread in self.threads:
            thread.join(max(0.0, end - time.monotonic()))
        assert not any(thread.is_alive() for thread in self.threads), "some are not done"
        assert not self.errors, self.errors[:5]
        return self.results


class Gate:
    """Scripts hold() here until open(); arrived(n) waits until n are there."""

    def __init__(self):
        self.there, self.most, self.changed, self.opened = 0, 0, threading.Condition(), False

    def hold(self, seconds=30):
        with self.changed:
            self.there += 1
            self.most = max(self.most, self.there)
            self.changed.notify_all()
            assert self.changed.wait_for(lambda: self.opened, seconds), "the gate was not opened"
            self.there -= 1

    def arrived(self, n, seconds=30):
        with self.changed:
            return self.changed.wait_for(lambda: self.there >= n, seconds)

    def open(self):
        with self.changed:
            self.opened = True
            self.changed.notify_all()


def slow_wire(port, tls=None, window=16384):
    """A client.Wire behind a small window."""
    sock = socket.socket()
    if window:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, window)
    sock.settimeout(30)
    sock.connect(("127.0.0.1", port))
    wire = client.Wire.__new__(client.Wire)
    wire.sock = tls.wrap_socket(sock, server_hostname="localhost") if tls else sock
    wire.port, wire.held, wire.was_reset = port, b"", False
    return wire


class Reader:
    """A client that asks and reads only when told, behind a small window (None: the system's)."""

    def __init__(self, port, path, host=None, tls=None, headers=(), window=16384):
        self.wire = slow_wire(port, tls, window)
        self.wire.request("GET", path, headers, host=host)

    def finish(self):
        try:
            return self.wire.answer()
        finally:
            self.wire.close()
