"""The AJP13 wire, both directions: what a container decodes (strictly) and what it sends."""
import os
import struct

INCUMBENT = os.environ.get("JK_INCUMBENT") == "1"  # it writes some names as strings that have a code

METHODS = ("OPTIONS GET HEAD POST PUT DELETE TRACE PROPFIND PROPPATCH MKCOL COPY MOVE LOCK UNLOCK ACL REPORT VERSION-CONTROL "
           "CHECKIN CHECKOUT UNCHECKOUT SEARCH MKWORKSPACE UPDATE LABEL MERGE BASELINE-CONTROL MKACTIVITY").split()
METHOD_CODES = {name: code for code, name in enumerate(METHODS, 1)}
STORED_METHOD = 0xFF

REQUEST_HEADERS = dict(enumerate(
    "Accept Accept-Charset Accept-Encoding Accept-Language Authorization Connection Content-Type Content-Length Cookie Cookie2 "
    "Host Pragma Referer User-Agent".split(), 0xA001))
REQUEST_CODES = {name.lower(): code for code, name in REQUEST_HEADERS.items()}
RESPONSE_HEADERS = dict(enumerate(
    "Content-Type Content-Language Content-Length Date Last-Modified Location Set-Cookie Set-Cookie2 Servlet-Engine Status "
    "WWW-Authenticate".split(), 0xA001))
RESPONSE_CODES = {name.lower(): code for code, name in RESPONSE_HEADERS.items()}

# In the order in which they have to be written; (code, name, what follows).
ATTRIBUTES = [
    (0x0C, "secret", "string"), (0x03, "remote_user", "string"), (0x04, "auth_type", "string"), (0x05, "query_string", "string"),
    (0x06, "route", "string"), (0x07, "ssl_cert", "string"), (0x08, "ssl_cipher", "string"), (0x09, "ssl_session", "string"),
    (0x0B, "ssl_key_size", "short"), (0x0D, "stored_method", "string"), (0x0A, "req_attribute", "pair"),
]
_ATTRIBUTE = {code: (place, name, what) for place, (code, name, what) in enumerate(ATTRIBUTES)}
# The order of the named ones (0A); those of JkEnvVar follow.
NAMED = ["AJP_SSL_PROTOCOL", "AJP_REMOTE_PORT", "AJP_LOCAL_ADDR", "JK_LB_ACTIVATION"]

MAX_PACKET = 8192
MAX_BODY = MAX_PACKET - 6
CPING, CPONG = 0x0A, b"AB\x00\x01\x09"


class Violation(Exception):
    """The module wrote something that AJP13 does not allow."""


class Reader:
    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, n, what):
        if self.at + n > len(self.data):
            raise Violation(f"{what}: {n} bytes needed at {self.at}, the payload has {len(self.data)}")
        piece = self.data[self.at:self.at + n]
        self.at += n
        return piece

    def byte(self, what):
        return self.take(1, what)[0]

    def short(self, what):
        return struct.unpack(">H", self.take(2, what))[0]

    def boolean(self, what):
        value = self.byte(what)
        if value not in (0, 1):
            raise Violation(f"{what}: boolean {value}")
        return bool(value)

    def string(self, what):
        n = self.short(what)
        if n == 0xFFFF:
            return None
        text = self.take(n, what)
        if self.byte(what + "'s terminator") != 0:
            raise Violation(f"{what}: not terminated by a 0")
        if b"\0" in text:
            raise Violation(f"{what}: a 0 inside the string")
        return text.decode("latin-1")


class Request:
    """A FORWARD_REQUEST. headers: [(name, value)] in order; codes: the header names' codes (None: a string);
    attributes: [(name, value)] in order, named ones (0A) under their own name."""

    def __init__(self, payload):
        self.payload = payload
        r = Reader(payload)
        if r.byte("type") != 2:
            raise Violation("not a FORWARD_REQUEST")
        self.method_code = r.byte("method")
        self.protocol = r.string("protocol")
        self.uri = r.string("uri")
        self.remote_addr = r.string("remote_addr")
        self.remote_host = r.string("remote_host")
        self.server_name = r.string("server_name")
        self.server_port = r.short("server_port")
        self.is_ssl = r.boolean("is_ssl")
        self.headers, self.codes = self._headers(r)
        self.attributes = self._attributes(r)
        if r.at != len(payload):
            raise Violation(f"{len(payload) - r.at} bytes after the end of the attributes")
        self.method = self._method()
        self.body = b""
        self.packets = []  # the body packets' sizes

    @staticmethod
    def _headers(r):
        headers, codes = [], []
        for _ in range(r.short("number of headers")):
            code = r.short("header name")
            if code >= 0xA000:
                if code not in REQUEST_HEADERS:
                    raise Violation(f"header code {code:04x}")
                name = REQUEST_HEADERS[code]
            else:
                r.at -= 2
                code, name = None, r.string("header name")
                if name.lower() in REQUEST_CODES and not INCUMBENT:
                    raise Violation(f"header {name} has a code, but was written as a string")
            value = r.string("header " + name)
            if value is None:
                raise Violation(f"header {name}: null value")
            headers.append((name, value))
            codes.append(code)
        return headers, codes

    @staticmethod
    def _attributes(r):
        found, last, last_named = [], -1, -1
        while True:
            code = r.byte("attribute")
            if code == 0xFF:
                return found
            if code not in _ATTRIBUTE:
                raise Violation(f"attribute code {code:02x}")
            place, name, what = _ATTRIBUTE[code]
            if place < last or (place == last and name != "req_attribute"):
                raise Violation(f"attribute {name} is out of order after {[n for n, _ in found]}")
            last = place
            if what == "pair":
                name = r.string("attribute name")
                if name in NAMED:
                    if NAMED.index(name) < last_named:
                        raise Violation(f"attribute {name} is out of order")
                    last_named = NAMED.index(name)
            value = r.short(name) if what == "short" else r.string(name)
            found.append((name, value))

    def _method(self):
        stored = self.attribute("stored_method")
        if self.method_code == STORED_METHOD:
            if not stored:
                raise Violation("method FF without a stored method")
            return stored
        if not 1 <= self.method_code <= len(METHODS) or stored is not None:
            raise Violation(f"method code {self.method_code}, stored method {stored}")
        return METHODS[self.method_code - 1]

    def header(self, name):
        return next((v for n, v in self.headers if n.lower() == name.lower()), None)

    def all(self, name):
        return [v for n, v in self.headers if n.lower() == name.lower()]

    def attribute(self, name):
        return next((v for n, v in self.attributes if n == name), None)

    def has(self, name):
        return any(n == name for n, _ in self.attributes)

    @property
    def path(self):
        return self.uri.split("?")[0].split(";")[0]

    @property
    def length(self):
        """Content-Length; None: unknown."""
        value = self.header("Content-Length")
        return None if value is None else int(value)

    def __repr__(self):
        return f"<{self.method} {self.uri} {self.attributes}>"


def body_data(payload):
    """The bytes of a body packet."""
    if not payload:
        return b""
    r = Reader(payload)
    data = r.take(r.short("body length"), "body")
    if r.at != len(payload):
        raise Violation(f"body packet: {len(payload) - r.at} bytes more than its length says")
    return data


# ---- container -> web server ----

def packet(payload):
    return b"AB" + struct.pack(">H", len(payload)) + payload


def string(text):
    if text is None:
        return b"\xff\xff"
    data = text if isinstance(text, bytes) else text.encode("latin-1")
    return struct.pack(">H", len(data)) + data + b"\0"


def send_headers(status=200, headers=(), reason="OK", count=None, coded=True):
    """headers: pairs; a name that is a number is written as that code."""
    out = struct.pack(">BH", 4, status) + string(reason) + struct.pack(">H", len(headers) if count is None else count)
    for name, value in headers:
        code = name if isinstance(name, int) else RESPONSE_CODES.get(name.lower()) if coded else None
        out += struct.pack(">H", code) if code is not None else string(name)
        out += string(value)
    return packet(out)


def chunk(data):
    return packet(struct.pack(">BH", 3, len(data)) + data + b"\0")


def chunks(data, size=8184):
    return b"".join(chunk(data[i:i + size]) for i in range(0, len(data), size))


FLUSH = packet(b"\x03\0\0\0")
FLUSH_SHORT = packet(b"\x03\0\0")


def end(reuse=True):
    return packet(bytes([5, 1 if reuse else 0]))


def get_body(n):
    return packet(struct.pack(">BH", 6, n))


def answer(body=b"ok\n", status=200, headers=(), reason="OK", length=True, reuse=True):
    """A whole answer in one run of bytes."""
    if isinstance(body, str):
        body = body.encode()
    more = [("Content-Length", str(len(body)))] if length else []
    return send_headers(status, [*headers, *more], reason) + chunks(body) + end(reuse)
