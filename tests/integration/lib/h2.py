"""HTTP/2 as it is on the wire: GETs side by side on one connection, and how each stream ended: whole (END_STREAM), reset, or neither.

    for stream in h2.get(port, ["/a", "/b"], host="h2c"):
        stream.path, stream.status, stream.body, stream.end, stream.error

curl is no judge of that: before 8.0.0 it takes a stream that was reset for a whole one when the server has said GOAWAY (its
pull requests 10693 and 10715). Requests have no bodies, of a head only the status is read, and nothing is asked twice."""
import socket
import ssl
import struct
import time

DATA, HEADERS, RST_STREAM, SETTINGS, PING, GOAWAY, WINDOW_UPDATE = 0, 1, 3, 4, 6, 7, 8
END_STREAM, ACK, END_HEADERS, PADDED, PRIORITY = 1, 1, 4, 8, 32
REFUSED = 7  # the error of a stream that nobody has looked at
STATIC = {8: 200, 9: 204, 10: 206, 11: 304, 12: 400, 13: 404, 14: 500}  # of HPACK: what :status may be without words


class Stream:
    """status: None where no head came. end: "whole", "reset" (error says why), or None: the connection ended or the time was over."""

    def __init__(self, path):
        self.path, self.status, self.body, self.end, self.error = path, None, bytearray(), None, None

    def __repr__(self):
        return f"<{self.path}: {self.status}, {len(self.body)} bytes, {self.end} {self.error}>"


def frame(kind, flags, ident, payload=b""):
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", ident) + payload


def literal(name, value):
    assert len(value) < 127
    return bytes([0, len(name)]) + name + bytes([len(value)]) + value


def digits(text):
    """A number in the code of Huffman: 0 to 2 have five bits, 3 to 9 have six."""
    bits = "".join(f"{byte:08b}" for byte in text)
    number = 0
    while len(bits) >= 5 and not (len(bits) < 8 and set(bits) == {"1"}):
        short = int(bits[:5], 2)
        number = number * 10 + (short if short < 3 else int(bits[:6], 2) - 0x19 + 3)
        bits = bits[5 if short < 3 else 6:]
    return number


def status_of(block):
    """It stands first; there is no dynamic table, for we allow none."""
    while block[0] & 0xe0 == 0x20:  # "the table is empty"
        block = block[1:]
    if block[0] & 0x80:
        return STATIC[block[0] & 0x7f]
    assert block[0] & 0x0f in STATIC, block[:8]
    text = block[2:2 + (block[1] & 0x7f)]
    return digits(text) if block[1] & 0x80 else int(text)


class Connection:
    def __init__(self, port, tls, window):
        self.sock = socket.create_connection(("127.0.0.1", port))
        if tls:
            context = ssl.create_default_context()
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            context.set_alpn_protocols(["h2"])
            self.sock = context.wrap_socket(self.sock, server_hostname="localhost")
        self.tls, self.buffer, self.most, self.last, self.streams, self.live = tls, b"", 100, None, {}, 0
        settings = struct.pack(">HIHIHI", 1, 0, 2, 0, 4, window)  # no dynamic table, no pushes, a window for each stream
        self.sock.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(SETTINGS, 0, 0, settings) +
                          frame(WINDOW_UPDATE, 0, 0, struct.pack(">I", 1 << 30)))

    def ask(self, path, host, headers):
        """As one frame."""
        ident = 2 * len(self.streams) + 1
        self.streams[ident] = Stream(path)
        self.live += 1
        block = literal(b":method", b"GET") + literal(b":scheme", b"https" if self.tls else b"http") + \
            literal(b":path", path.encode()) + literal(b":authority", host.encode())
        block += b"".join(literal(name.lower().encode(), value.encode()) for name, value in headers)
        return frame(HEADERS, END_STREAM | END_HEADERS, ident, block)

    def read(self, until):
        """Takes what came; False: nothing will come any more, or it is too late."""
        left = until - time.monotonic()
        self.sock.settimeout(max(left, 0.001))
        try:
            more = self.sock.recv(65536)
        except OSError:
            return False
        self.buffer += more
        while len(self.buffer) >= 9 + int.from_bytes(self.buffer[:3], "big"):
            length, kind, flags, ident = int.from_bytes(self.buffer[:3], "big"), *struct.unpack(">BBI", self.buffer[3:9])
            payload, self.buffer = self.buffer[9:9 + length], self.buffer[9 + length:]
            self.take(kind, flags, ident, payload)
        return bool(more) and left > 0

    def take(self, kind, flags, ident, payload):
        stream = self.streams.get(ident)
        if kind == SETTINGS and not flags & ACK:
            for at in range(0, len(payload), 6):
                name, value = struct.unpack(">HI", payload[at:at + 6])
                self.most = value if name == 3 else self.most
            self.answer(frame(SETTINGS, ACK, 0))
        elif kind == PING and not flags & ACK:
            self.answer(frame(PING, ACK, 0, payload))
        elif kind == GOAWAY:
            self.last = int.from_bytes(payload[:4], "big")
        elif kind == RST_STREAM and stream.end is None:
            self.finish(stream, "reset", int.from_bytes(payload, "big"))
        elif kind in (DATA, HEADERS):
            assert stream.end is None and not flags & (PADDED | PRIORITY), f"after its end, or strange: {kind} {flags} {stream}"
            self.take_part(stream, kind, ident, payload)
            if flags & END_STREAM:
                self.finish(stream, "whole")
            elif kind == DATA and payload:
                self.answer(frame(WINDOW_UPDATE, 0, ident, struct.pack(">I", len(payload))))

    @staticmethod
    def take_part(stream, kind, ident, payload):
        if kind == DATA:
            stream.body += payload
        elif not stream.status or stream.status < 200:  # else: trailers
            stream.status = status_of(payload)

    def finish(self, stream, end, error=None):
        stream.end, stream.error = end, error
        self.live -= 1

    def answer(self, text):
        try:
            self.sock.sendall(text)
        except OSError:
            pass  # reading says it


def get(port, paths, host="localhost", headers=(), tls=False, window=65535, seconds=30):
    """A Stream for each path, in their order; host may be a function of the path. As many at once as the server allows; after GOAWAY
    nothing more is asked."""
    host_of = host if callable(host) else lambda path: host
    until, todo = time.monotonic() + seconds, list(paths)
    connection = Connection(port, tls, window)
    try:
        while todo or connection.live:
            now = todo[:max(connection.most - connection.live, 0)] if connection.last is None else []
            if not now and not connection.live:
                break
            connection.answer(b"".join(connection.ask(path, host_of(path), headers) for path in now))
            todo = todo[len(now):]
            if not connection.read(until):
                break
    finally:
        connection.sock.close()
    return [*connection.streams.values(), *map(Stream, todo)]
