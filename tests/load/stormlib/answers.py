"""What a container answers to a request, as its id says: known to the container, which makes it, and to the client, which compares it."""
import hashlib
import zlib

SIZES = (0, 1, 180, 2500, 9000, 9000, 20000, 60000)
PAUSES = (0, 0, 0, 0.002, 0.02, 0.1, 0.4)
LARGE = 500_000  # of an id that begins with L: for clients that read slowly


class Answer:
    """size: of the body; pause: before the head; rest: after the first half, which is flushed; length: whether Content-Length is sent."""

    def __init__(self, ident):
        n = zlib.crc32(ident.encode())
        self.ident = ident
        self.size = LARGE if ident[:1] == "L" else SIZES[n % len(SIZES)]
        self.pause = PAUSES[(n >> 4) % len(PAUSES)]
        self.rest = 0.1 if (n >> 10) % 8 == 0 else 0
        self.length = bool(n >> 14 & 1)

    def body(self):
        """The id, again and again: two bytes of another answer are seen."""
        unit = (self.ident + ";").encode()
        return (unit * (self.size // len(unit) + 1))[:self.size]


def checksum(ident, body):
    """Of a request: its id and its body."""
    return hashlib.sha256(ident.encode() + b"|" + body).hexdigest()[:24]


def ident_of(path):
    """/shop/a1b2;jsessionid=x?y -> a1b2"""
    return path.split("?")[0].split(";")[0].rsplit("/", 1)[-1]
