"""A container that only counts, fast, in a process of its own: what the module says it did is compared with this.

    peer = CountingPeer("m1");  peer.port;  peer.counts();  peer.release()

Counted are requests, those of them without a session, bytes sent and received, requests held now, and dropped.

A request's path decides: /hold.. is answered by release(), /drop.. is not answered and its connection closed, all others get one small page.
Run as a program it is the container: it prints its port, and speaks AJP13 to who begins with a packet, and with a word to the test.
"""
import json
import select
import socket
import subprocess
import sys

if __name__ != "__main__":
    from . import proc


class CountingPeer:
    def __init__(self, name):
        self.name = name
        self.child = proc.spawn([sys.executable, __file__], stdout=subprocess.PIPE, text=True)
        self.port = int(self.child.stdout.readline())

    def _say(self, word):
        with socket.create_connection(("127.0.0.1", self.port), 10) as s:
            s.sendall(word + b"\n")
            return json.loads(s.makefile().readline())

    def counts(self):
        return self._say(b"COUNTS")

    def release(self):
        return self._say(b"RELEASE")

    def stop(self):
        proc.stop(self.child)


PAGE = b"0123456789" * 20


def packet(payload):
    return b"AB" + len(payload).to_bytes(2, "big") + payload


def answer():
    chunk = b"\x03" + len(PAGE).to_bytes(2, "big") + PAGE + b"\0"
    return packet(b"\x04\0\xc8\0\x02OK\0\0\0") + packet(chunk) + packet(b"\x05\x01")


class Container:
    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.poll = select.epoll()
        self.poll.register(self.listener, select.EPOLLIN)
        self.lines = {}  # fd -> [socket, bytes not consumed]
        self.held = []
        self.n = {"requests": 0, "sessions": 0, "sent": 0, "received": 0, "dropped": 0}
        self.answer = answer()

    def serve(self):
        print(self.listener.getsockname()[1], flush=True)
        while True:
            for fd, _ in self.poll.poll():
                if fd == self.listener.fileno():
                    self.accept()
                else:
                    self.read(fd)

    def accept(self):
        s, _ = self.listener.accept()
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.lines[s.fileno()] = [s, b""]
        self.poll.register(s, select.EPOLLIN)

    def close(self, fd):
        self.poll.unregister(fd)
        self.lines.pop(fd)[0].close()
        self.held = [f for f in self.held if f != fd]

    def read(self, fd):
        line = self.lines[fd]
        try:
            data = line[0].recv(65536)
        except OSError:
            data = b""
        if not data:
            return self.close(fd)
        buf = line[1] + data
        if buf[:1] in b"CR":
            return self.obey(fd, buf)
        while len(buf) >= 4 and len(buf) >= 4 + int.from_bytes(buf[2:4], "big"):
            end = 4 + int.from_bytes(buf[2:4], "big")
            one, buf = buf[:end], buf[end:]
            if not self.play(fd, one):
                return None
        line[1] = buf
        return None

    def play(self, fd, one):
        if one[:2] != b"\x12\x34" or one[4] != 2:
            sys.exit(f"not a request: {one[:40]!r}")
        self.n["requests"] += 1
        self.n["sessions"] += b"JSESSIONID" not in one
        self.n["received"] += len(one)
        if b"/hold" in one:
            self.held.append(fd)
        elif b"/drop" in one:
            self.n["dropped"] += 1
            self.close(fd)
            return False
        else:
            self.say(fd)
        return True

    def say(self, fd):
        self.n["sent"] += len(self.answer)
        try:
            self.lines[fd][0].sendall(self.answer)
        except OSError:
            pass  # its child was killed: the next read says so

    def obey(self, fd, word):
        if word.startswith(b"RELEASE"):
            held, self.held = self.held, []
            for one in held:
                self.say(one)
        self.lines[fd][0].sendall(json.dumps({**self.n, "held": len(self.held)}).encode() + b"\n")


if __name__ == "__main__":
    Container().serve()
