"""The table of faults: how a container breaks (Way), at which step of a request (Step), and what has to come of it.

    cells() -> every Cell: way x step x request x {fresh, pooled connection}, and the faults that have one place only
    pings() -> CPings that fail;  doors() -> connections that cannot be made;  leaves() -> clients that leave

A cell says what its peer does (arm) and what is expected: the client's answer, how often the request arrived whole, the ids
in the log, and whether the connection lives on. The rules: of a request nothing was written - any is tried again; it was
written - GET and HEAD alone, also where the container's head came and nothing of it was passed on; its body was asked for, or
something was passed on - none. A column (see Column) may expect otherwise."""
import dataclasses
import os
import socket
import threading
import time

from . import ajp, client, crowd
from .ajp_peer import Gone
from .workers import ajp13

HALF = b"HALF-OF-AN-ANSWER;" * 20
EXTRA = ajp.answer("ANOTHER-CLIENTS-ANSWER")

# ---- columns: what stands between the client and the peer ----

QUICK = 250  # ms

# Workers: what a fault needs of the configuration. All lead to the one peer, but for those with a port of their own.
SERVICES = {
    "w": {},
    "quick": {"reply_timeout": QUICK},
    "stuck": {"socket_timeout": 1},
    "cping": {"connect_timeout": QUICK},
    "prepost": {"prepost_timeout": QUICK},
    "full": {"socket_connect_timeout": QUICK},
}
THOROUGH = os.environ.get("JK_TEST_ALL") == "1"


class Column:
    """What stands between the client and the peer: a configuration that all cells run through. Others derive from it: they name their workers, and say where a cell
    ends otherwise."""
    name = "plain"
    balanced, parks = False, False
    half = HALF  # of an answer that breaks off
    whole_half = True  # does all of it arrive before that?
    pause = 0  # s that the client takes between the headers and the rest

    def wire(self, port):
        return client.Wire(port)

    def config(self):
        """Without the look at idle connections in the background: it could come before a cell's request."""
        return "\n".join(["JkWatchdogInterval 0", *(f"JkMount /{name}/* {name}" for name in (*SERVICES, "dies"))])

    def workers(self, port, dies, full):
        """The text of the workers file; `dies` is the port of a container that is not there, `full` of one that accepts nobody."""
        common = {"retry_interval": 1, "connection_acquire_timeout": 500}
        named = {name: {"port": full if name == "full" else port, **common, **keys} for name, keys in SERVICES.items()}
        return ajp13(**named, dies={"port": dies, **common})

    def expect(self, cell):
        """What has to come of the cell here."""
        return cell.expected

    def takes(self, cell):
        """Is the cell worth its time here?"""
        return True


class Balanced(Column):
    """The same through a balancer of one member: who fails there has nowhere else to go, and is tried again when it is the last."""
    name = "lb"
    balanced = True
    ALL_BAD = 601

    def config(self):
        return super().config() + "\nJkMount /jkstatus st"

    def workers(self, port, dies, full):
        common = {"retry_interval": 1, "connection_acquire_timeout": 500, "type": "ajp13", "host": "127.0.0.1"}
        named = {**{name: {"port": full if name == "full" else port, **keys} for name, keys in SERVICES.items()}, "dies": {"port": dies}}
        lines = ["worker.list=st," + ",".join(named), "worker.st.type=status"]
        for name, keys in named.items():
            lines += [f"worker.{name}.{key}={value}" for key, value in {"type": "lb", "balance_workers": "m-" + name, "retries": 1, "lb_retries": 1,
                                                                        "retry_budget": 0, "sticky_session": 0}.items()]
            lines += [f"worker.m-{name}.{key}={value}" for key, value in {**common, **keys}.items()]
        return "\n".join(lines) + "\n"

    def expect(self, cell):
        return dataclasses.replace(cell.expected, may=cell.expected.may | {self.ALL_BAD})

    def takes(self, cell):
        return THOROUGH or cell.ask.name in ("GET", "POST")


class Parked(Column):
    """No thread waits for anything: each wait of each cell gives its thread back."""
    name = "parked"
    parks = True

    def config(self):
        return super().config() + "\nJkPark On\nJkParkAfter 0"


class SlowReader(Parked):
    """The client is behind when the container breaks: more lies between the two than the buffers on the way hold."""
    name = "slow-reader"
    half = HALF * 800
    whole_half = False  # a reset takes away what was not read yet
    pause = 0.1

    def wire(self, port):
        return crowd.slow_wire(port)

    def config(self):
        return super().config() + "\nSendBufferSize 8192"

    def takes(self, cell):
        return (cell.expected.result == CUT or cell.name.startswith("leaves-in-the-answer")) and cell.ask.name in ("GET", "POST")


class BalancedParked(Balanced, Parked):
    name = "lb-parked"


class BalancedSlowReader(Balanced, SlowReader):
    name = "lb-slow-reader"

    def takes(self, cell):
        return SlowReader.takes(self, cell)


COLUMNS = [Column(), Parked(), SlowReader(), Balanced(), BalancedParked(), BalancedSlowReader()]

# ---- requests ----


@dataclasses.dataclass(frozen=True)
class Ask:
    name: str
    method: str
    body: bytes = None
    chunked: bool = False

    @property
    def safe(self):
        """May be sent again once it was written (recovery_options 27)."""
        return self.method in ("GET", "HEAD")


ASKS = [
    Ask("GET", "GET"),
    Ask("HEAD", "HEAD"),
    Ask("POST", "POST", b"a small body"),
    Ask("POST1M", "POST", bytes(range(256)) * 4096),
    Ask("chunked", "POST", b"of unknown length;" * 1200, True),
]

# ---- what is expected ----

CUT = "cut"  # 200, and a body that is visibly broken off
KEPT, CLOSED = "kept", "closed"


@dataclasses.dataclass(frozen=True)
class Expected:
    """Where it is a matter of microseconds, a value is a tuple of those that are right."""
    result: object          # a status, or CUT
    deliveries: object      # how often the FORWARD_REQUEST arrived whole
    ids: frozenset          # of log lines that must come
    may: frozenset = frozenset()  # ... that may come
    fate: str = CLOSED
    attempts: object = None  # connections that were made for it; None: not counted
    states: tuple = ("OK",)  # of the member afterwards, where it is one of a balancer

    @property
    def statuses(self):
        return (200,) if self.result == CUT else one_of(self.result)


def one_of(value):
    return value if isinstance(value, tuple) else (value,)


# How far a request has come. UNREAD: what was written of it the peer never reads.
UNREAD, SENT, CONSUMED, ANSWERED, PASSED = range(5)

RECV, TIMEOUT, FRAME, PAYLOAD = "recv", "timeout", "frame", "payload"
STATUS = {RECV: 502, TIMEOUT: 504, FRAME: 502, PAYLOAD: 500}
STATES = {RECV: ("ERR",), TIMEOUT: ("ERR",), FRAME: ("OK",), PAYLOAD: ("OK",)}  # what one failure makes of a member that has no other request
NO_CONNECTION, EXHAUSTED, NO_PONG, LEFT_OVER, BROKEN_OFF, WENT_AWAY = 202, 204, 205, 312, 502, 313


def failure_id(way, progress):
    if way.failure == RECV:
        return 306 if progress < PASSED else 307
    return {TIMEOUT: 308, PAYLOAD: 309}.get(way.failure, way.id)


def broken(way, progress, ask):
    """What comes of a failure after such progress."""
    ids = {failure_id(way, progress)}
    if progress == PASSED:
        return Expected(CUT, 1, frozenset(ids | {BROKEN_OFF}), states=STATES[way.failure])
    again = ask.safe and progress != CONSUMED
    times = 2 if again else 1
    return Expected(STATUS[way.failure], 0 if progress == UNREAD else times, frozenset(ids | ({EXHAUSTED} if again else set())),
                    attempts=times if progress == UNREAD else None, states=STATES[way.failure])


# ---- ways ----


@dataclasses.dataclass(frozen=True)
class Way:
    name: str
    act: object      # called with the Connection
    failure: str
    id: int = None   # of the log line, where the failure alone does not say it
    service: str = "w"
    hangs_up: bool = False  # it ends the connection, or leaves it silent: also possible inside a message


def says(name, data, failure, number=None):
    return Way(name, lambda conn: conn.send(data), failure, number)


def half_close(conn):
    conn.sock.shutdown(socket.SHUT_WR)


def cut_packet(conn):
    conn.send(ajp.send_headers()[:9])
    conn.close()


WAYS = [
    Way("close", lambda conn: conn.close(), RECV, hangs_up=True),
    Way("reset", lambda conn: conn.reset(), RECV, hangs_up=True),
    Way("half-close", half_close, RECV, hangs_up=True),
    Way("stall", lambda conn: None, TIMEOUT, service="quick", hangs_up=True),
    Way("cut-packet", cut_packet, RECV),
    says("garbage", b"What do you want?\r\n", FRAME, 304),
    says("HTTP", b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n", FRAME, 301),
    says("TLS-alert", b"\x15\x03\x01\x00\x02\x02\x0a", FRAME, 302),
    says("too-long", b"AB\xff\xff\x04", FRAME, 303),
    says("empty-packet", b"AB\0\0", FRAME, 305),
    says("too-short", ajp.packet(b"\x04\0"), PAYLOAD),
    says("unknown-type", ajp.packet(b"\x63abc"), PAYLOAD),
    says("long-chunk", ajp.packet(b"\x03\x1f\xff\x41"), PAYLOAD),
    says("pong", ajp.CPONG, PAYLOAD),
]

# ---- steps ----


@dataclasses.dataclass(frozen=True)
class Step:
    name: str
    progress: int
    lead: object = None       # brings the Exchange so far; called with it and the Stage
    hang_ups_only: bool = False
    unread: bool = False      # its body packet may still be on its way to us


def lead_read(ex, stage):
    ex.first_packet()


def lead_asked(ex, stage):
    ex.first_packet()
    ex.send(ajp.get_body(ajp.MAX_BODY))


def lead_given(ex, stage):
    ex.first_packet()
    ex.get_body()


def lead_headed(ex, stage):
    ex.first_packet()
    ex.send(ajp.send_headers(200, [("X-Half", "1")]))
    time.sleep(0.01)  # a reset would take unread bytes with it


def lead_passed(ex, stage):
    ex.first_packet()
    ex.send(ajp.send_headers() + ajp.chunks(stage.half) + ajp.FLUSH)
    if ex.request.method == "HEAD":  # whose headers httpd keeps until the end
        time.sleep(0.01)
    else:
        ex.wait(stage.seen)


def lead_in_a_chunk(ex, stage):
    lead_passed(ex, stage)
    ex.send(ajp.chunk(HALF)[:50])
    time.sleep(0.01)


STEPS = [
    Step("accepted", UNREAD),
    Step("half-read", UNREAD, hang_ups_only=True),
    Step("read", SENT, lead_read),
    Step("asked", CONSUMED, lead_asked, hang_ups_only=True, unread=True),
    Step("given", CONSUMED, lead_given),
    Step("headed", ANSWERED, lead_headed),
    Step("passed", PASSED, lead_passed),
    Step("in-a-chunk", PASSED, lead_in_a_chunk, hang_ups_only=True),
]

# ---- cells ----


class Stage:
    """One cell being played."""

    def __init__(self, path, half=HALF):
        self.path, self.half = path, half
        self.seen = threading.Event()  # the client has the headers
        self.done = threading.Event()  # the peer has sent all that it will
        self.left = threading.Event()  # the client is gone
        self.fates = []                # did the module close the connection?


@dataclasses.dataclass
class Cell:
    """arm(peer, stage) makes the peer break."""
    name: str
    ask: Ask
    pooled: bool
    service: str
    arm: object
    expected: Expected
    idle: object = None  # done to the pooled connection before the request

    def __str__(self):
        return f"{self.name}-{self.ask.name}-{'pooled' if self.pooled else 'fresh'}"


def give_up(conn, way, stage):
    """Breaks the connection; where the module has to end it, it does."""
    way.act(conn)
    if not conn.closed.is_set():
        stage.fates.append(conn.drained(3))
    raise Gone


def arm_script(step, way):
    def arm(peer, stage):
        def script(ex):
            step.lead(ex, stage)
            give_up(ex.conn, way, stage)
        peer.on(stage.path, script)
    return arm


def arm_connection(way):
    """Breaks before anything is read. Who only says something wrong goes on reading, so that deliveries can be counted."""
    def arm(peer, stage):
        def greet(conn):
            if way.hangs_up or way.name == "cut-packet":
                give_up(conn, way, stage)
            way.act(conn)
            conn.serve()
        peer.on(stage.path, lambda ex: stage.fates.append(ex.module_closes(3)))
        peer.on_connect = greet
    return arm


def arm_head(way):
    return lambda peer, stage: setattr(peer, "on_packet", lambda conn: give_up(conn, way, stage))


def at_the_door(way, ask, pooled):
    """The cell of step "accepted"."""
    if pooled:  # an idle connection is looked at before it is used again
        well = Expected(200, 1, frozenset() if way.hangs_up else frozenset({LEFT_OVER}), fate=KEPT)
        return Cell(f"accepted-{way.name}", ask, True, way.service, lambda peer, stage: None, well, idle=way.act)
    want = broken(way, UNREAD, ask)
    reads_on = not way.hangs_up and way.name != "cut-packet"
    if reads_on:
        want = dataclasses.replace(want, deliveries=want.attempts)
    if way.name in ("close", "reset", "cut-packet") or ask.body and way.name != "stall":
        # It may be noticed before the write, or by it: what was not written is tried again, and is 503 in the end.
        want = Expected((want.result, 503), (0, 1) if reads_on else 0, frozenset(),
                        want.ids | {NO_CONNECTION, EXHAUSTED, LEFT_OVER}, attempts=(1, 2), states=(*want.states, "ERR"))
    return Cell(f"accepted-{way.name}", ask, False, way.service, arm_connection(way), want)


def cell_of(step, way, ask, pooled):
    want = broken(way, step.progress, ask)
    if step.name == "half-read":
        return Cell(f"{step.name}-{way.name}", ask, pooled, way.service, arm_head(way), dataclasses.replace(want, attempts=None))
    if step.unread and way.name in ("close", "reset"):  # it fails when the body is written, or when the answer is read
        want = dataclasses.replace(want, ids=frozenset(), may=want.ids | {WENT_AWAY})
    return Cell(f"{step.name}-{way.name}", ask, pooled, way.service, arm_script(step, way), want)


def matrix():
    for step in STEPS:
        for way in WAYS:
            if step.hang_ups_only and not way.hangs_up:
                continue
            if way.name == "long-chunk" and step.progress < ANSWERED:
                continue  # a body before the headers: has its own row
            for ask in ASKS:
                for pooled in (False, True):
                    if step.name != "accepted":
                        yield cell_of(step, way, ask, pooled)
                    elif not (pooled and way.name == "stall"):  # an idle connection is silent
                        yield at_the_door(way, ask, pooled)


# ---- faults that have one place only ----


def good(ids=(), may=(), fate=KEPT):
    return lambda ask: Expected(200, 1, frozenset(ids), frozenset(may), fate)


def fails(failure, progress, number=None):
    return lambda ask: broken(Way("", None, failure, number), progress, ask)


def answers(piece):
    """Reads the body, then sends it."""
    def script(ex, stage):
        ex.read_body()
        ex.send(piece)
    return script


def late(answer, more):
    """The rest comes when the client has the answer: the module has read that, and nothing more."""
    def script(ex, stage):
        ex.read_body()
        ex.send(answer)
        ex.wait(stage.seen)
        ex.send(more)
    return script


def trickled(ex, stage):
    ex.read_body()
    ex.trickle(ajp.answer("ok"), 0.0005)


def asks_too_much(ex, stage):
    ex.read_body()
    ex.get_body()
    ex.get_body(1)
    ex.send(ajp.answer("ok"))


def asks_late(ex, stage):
    ex.first_packet()
    ex.send(ajp.send_headers() + ajp.chunk(b"o"))
    ex.read_body()
    ex.get_body()
    ex.send(ajp.chunk(b"k") + ajp.end())


def reads_nothing(ex, stage):
    ex.first_packet()
    ex.send(ajp.answer("ok"))


def after_the_flush(data):
    def script(ex, stage):
        lead_passed(ex, stage)
        ex.send(data)
    return script


HEAD = ajp.send_headers(200, [("X-Half", "1")])
OK = ajp.answer("ok")

# name, script, what is expected of an Ask
SINGLE = [
    ("trickle", trickled, good()),
    ("extra-at-once", answers(OK + b"\0extra"), good(may={LEFT_OVER}, fate=CLOSED)),
    ("extra-late", late(OK, b"\0extra"), good({LEFT_OVER}, fate=CLOSED)),
    ("twice-at-once", answers(OK + EXTRA), good(may={LEFT_OVER}, fate=CLOSED)),
    ("twice-late", late(OK, EXTRA), good({LEFT_OVER}, fate=CLOSED)),
    ("end-twice", answers(OK + ajp.end()), good(may={LEFT_OVER}, fate=CLOSED)),
    ("body-first", answers(ajp.chunk(HALF) + OK), fails(PAYLOAD, SENT)),
    ("headers-twice", answers(HEAD + OK), fails(FRAME, ANSWERED, 305)),
    ("headers-again", after_the_flush(OK), fails(FRAME, PASSED, 305)),
    ("end-first", answers(ajp.end()), fails(FRAME, SENT, 305)),
    ("end-FF", answers(HEAD + ajp.packet(b"\5\xff")), fails(PAYLOAD, ANSWERED)),
    ("end-without-flag", answers(HEAD + ajp.packet(b"\5")), fails(PAYLOAD, ANSWERED)),
    ("no-reuse", answers(ajp.answer("ok", reuse=False)), good({310}, fate=CLOSED)),
    ("refused", answers(ajp.answer("", 403, reuse=False)), lambda ask: Expected(403, 1, frozenset(), frozenset({311}))),
    ("flush-first", answers(ajp.FLUSH + ajp.FLUSH_SHORT + OK), good()),
    ("interim", answers(ajp.send_headers(103, [("Link", "</x>")]) + ajp.send_headers(100) + OK), good()),
    ("asks-too-much", asks_too_much, good()),
    ("asks-late", asks_late, good()),
    ("reads-nothing", reads_nothing, good()),
    ("long-silence", lead_read, fails(RECV, SENT)),
]


def single():
    for name, script, expect in SINGLE:
        for ask in ASKS:
            if name == "long-silence" and ask.name not in ("GET", "POST"):
                continue  # a second or two for each
            for pooled in (False, True):
                want = expect(ask)
                yield Cell(name, ask, pooled, "stuck" if name == "long-silence" else "w", arm_single(script, want), want)


def arm_single(script, want):
    def arm(peer, stage):
        def whole(ex):
            script(ex, stage)
            stage.done.set()
            if want.fate == CLOSED:
                stage.fates.append(ex.module_closes(3))
        peer.on(stage.path, whole)
    return arm


# ---- pings ----

# name -> what answers the CPing, the id of the log line where that was on a fresh connection
PINGS = {
    "no-pong": (lambda conn: conn.drained(3), NO_PONG),
    "closes": (lambda conn: conn.close(), NO_PONG),
    "end-for-pong": (lambda conn: conn.send(ajp.end()), NO_PONG),
    "HTTP-for-pong": (lambda conn: conn.send(b"HTTP/1.1 400 Bad Request\r\n\r\n"), 301),
    "late-pong": (lambda conn: (time.sleep(QUICK * 2 / 1000), conn.send(ajp.CPONG)), NO_PONG),
}


def arm_pings(act, only=None):
    """only: on this many pings, then all is well."""
    def arm(peer, stage):
        left = [only]

        def on_ping(conn):
            if left[0] == 0:
                return conn.send(ajp.CPONG)
            left[0] = left[0] and left[0] - 1
            return act(conn)
        peer.on_ping = on_ping
    return arm


def pings():
    """A CPing that fails: nothing of the request was written, so any request is tried again, and is 503 in the end."""
    well = Expected(200, 1, frozenset(), fate=KEPT)
    for name, (act, number) in PINGS.items():
        failed = Expected(503, 0, frozenset({number, EXHAUSTED}), states=("ERR",))
        for ask in ASKS:
            yield Cell(f"connect-{name}", ask, False, "cping", arm_pings(act), failed)
            yield Cell(f"connect-{name}", ask, True, "cping", arm_pings(act), well)  # only a fresh one is asked
            yield Cell(f"prepost-{name}", ask, False, "prepost", arm_pings(act), failed)
            yield Cell(f"prepost-{name}", ask, True, "prepost", arm_pings(act), failed)
            yield Cell(f"prepost-{name}-once", ask, True, "prepost", arm_pings(act, 1), well)


def cells():
    yield from matrix()
    yield from single()


# ---- doors that do not open ----

def doors():
    """Nobody listens, or nobody any more (test_refused); or somebody does whose queue is full. Nothing was written: 503 for every request."""
    for ask in ASKS:
        for pooled in (False, True):
            yield Cell("refused", ask, pooled, "dies", None, Expected(503, 0, frozenset({NO_CONNECTION, EXHAUSTED}), states=("ERR",)))
        yield Cell("queue-full", ask, False, "full", lambda peer, stage: None, Expected(503, 0, frozenset({NO_CONNECTION, EXHAUSTED}), states=("ERR",)))


class FullQueue:
    """A port that listens, and whose queue has no place: who connects waits."""

    def __init__(self):
        self.listener, self.waiting = socket.socket(), []
        self.listener.bind(("127.0.0.1", 0))
        self.listener.listen(0)
        self.port = self.listener.getsockname()[1]
        for _ in range(16):
            one = socket.socket()
            one.settimeout(0.1)
            self.waiting.append(one)
            try:
                one.connect(("127.0.0.1", self.port))
            except TimeoutError:
                return

    def stop(self):
        for one in (*self.waiting, self.listener):
            one.close()


# ---- clients that leave ----

@dataclasses.dataclass(frozen=True)
class Leave:
    """`result` is what the access log says: the client sees nothing more. `sent`: the part of the body that it sends first."""
    name: str
    asks: tuple
    result: object
    sent: float = 1.0
    lead: object = lead_read
    passed: bool = False


LEAVES = [
    Leave("leaves-in-the-body", ("POST1M", "chunked"), (400, 499), 0.5),
    Leave("leaves-while-it-waits", ("GET", "POST", "chunked"), 499),
    Leave("leaves-in-the-answer", ("GET", "POST"), 200, lead=lead_passed, passed=True),
]


def arm_leave(leave):
    """Goes on answering when the client has left, until the module has had enough: who waits with its thread hears of it only then."""
    def arm(peer, stage):
        def script(ex):
            if leave.sent < 1:
                stage.seen.set()
                try:
                    ex.read_body()
                except Gone:
                    pass
                stage.fates.append(ex.conn.closed_by_module.is_set() or ex.module_closes(3))
                return
            if leave.passed:
                leave.lead(ex, stage)
            else:
                ex.read_body()
                stage.seen.set()
            if not stage.left.wait(5) or ex.module_closes(0.2):
                stage.fates.append(stage.left.is_set())
                return
            try:
                ex.send(b"" if leave.passed else ajp.send_headers())
                for _ in range(2000):
                    ex.send(ajp.chunk(bytes(8000)))
            except Gone:
                stage.fates.append(True)
        peer.on(stage.path, script)
    return arm


def leaves():
    for leave in LEAVES:
        for how in ("close", "reset"):
            for ask in (a for a in ASKS if a.name in leave.asks):
                for pooled in (False, True):
                    yield Cell(f"{leave.name}-{how}", ask, pooled, "w", arm_leave(leave), Expected(leave.result, 1, frozenset()))
