"""docs/faults.md: the fault matrix for people, made from the table that test_faults.py plays (lib/faults.py)."""
import os

from . import faults
from .faults import CUT, one_of
from .httpd import TOP

PAGE = os.path.join(TOP, "docs", "faults.md")

HEAD = """# When something breaks

Made by `tools/list-faults` from the table of the fault matrix, `tests/integration/lib/faults.py`: edit that, not this page. Each row is played by
`test_faults.py` in every set-up that its row names: %d cells. (Of a balancer's, `tools/test` plays GET and POST, `tools/test --all` the others too.)

A cell reads `502 x2 ERR JK0306`: what the client sees, how often the container got the request whole, how the member is afterwards (a balancer of one
member, with no other request under way, and `recovery_options` 27 as it is by default), and which messages the log has; those in brackets may come.

| word | |
|---|---|
| a number | the status of the answer. Two: which of them is a matter of microseconds |
| cut | 200, and the answer is visibly broken off: no last chunk, the connection ends |
| x0, x1, x2 | so often the container got the request: x2 was tried again, which only happens to GET and HEAD, and never after an answer began |
| OK, ERR | the member's state. With several members a request that may be tried again goes to another one |
| = | as in the column to the left |
| . | does not arise there: what comes before the answer's body does not depend on how fast the client reads |

The columns: `one` is a worker of its own, whose request waits with its thread; `parked` is without one (`JkPark`); `slow` is parked, and the client is
behind with reading; `lb` is a balancer. A connection is `new`, or from the `pool`: where nothing is said, both. [messages.md](messages.md) has the
words of each id, and what to do.
"""

REQUESTS = {"POST": "POST", "POST1M": "POST of 1 MB", "chunked": "chunked POST"}

STEPS = {
    "accepted": "The connection is made (or lies in the pool), and nothing was read yet",
    "half-read": "The container has read four bytes of the request",
    "read": "The container has read the request, and the first packet of its body",
    "asked": "The container has asked for more of the body",
    "given": "The container has got what it asked for",
    "headed": "The container has sent the headers of its answer",
    "passed": "A part of the answer is at the client",
    "in-a-chunk": "Half of another chunk was sent",
}

WAYS = {
    "close": "the connection is closed", "reset": "the connection is reset", "half-close": "its sending half is closed", "stall": "silence",
    "cut-packet": "half a packet, then the end", "garbage": "bytes of no protocol", "HTTP": "it speaks HTTP", "TLS-alert": "it speaks TLS",
    "too-long": "a packet longer than allowed", "empty-packet": "an empty packet", "too-short": "a message that ends too early",
    "unknown-type": "a message of unknown type", "long-chunk": "a chunk longer than its packet", "pong": "a CPong that nobody asked for",
}

SINGLE = {
    "trickle": "the answer comes byte by byte", "extra-at-once": "bytes behind the end of the answer", "extra-late": "the same, later",
    "twice-at-once": "another answer behind the first", "twice-late": "the same, later", "end-twice": "the end comes twice",
    "body-first": "body before headers", "headers-twice": "headers twice", "headers-again": "headers after a part of the body",
    "end-first": "the end before headers", "end-FF": "the reuse flag is 255", "end-without-flag": "the reuse flag is missing",
    "no-reuse": "the connection is not to be used again", "refused": "the connector refuses: 403, not to be used again",
    "flush-first": "flushes before headers", "interim": "103 and 100 before the answer", "asks-too-much": "asks for body when all was given",
    "asks-late": "asks for body after it began to answer", "reads-nothing": "answers without reading the body",
    "long-silence": "silence beyond `socket_timeout`",
}

PINGS = {
    "connect-no-pong": "no CPong after connecting", "connect-closes": "closed instead of a CPong", "connect-end-for-pong": "another message for the CPong",
    "connect-HTTP-for-pong": "HTTP for the CPong", "connect-late-pong": "the CPong after connecting comes too late",
    "prepost-no-pong": "no CPong before a request", "prepost-closes": "closed instead of it", "prepost-end-for-pong": "another message for it",
    "prepost-HTTP-for-pong": "HTTP for it", "prepost-late-pong": "it comes too late", "prepost-no-pong-once": "no CPong, the second time all is well",
    "prepost-closes-once": "closed, then all is well", "prepost-end-for-pong-once": "another message, then all is well",
    "prepost-HTTP-for-pong-once": "HTTP, then all is well", "prepost-late-pong-once": "too late, then all is well",
}

DOORS = {"refused": "nobody listens (pool: any more)", "queue-full": "somebody listens, and accepts nobody"}

LEAVES = {
    "leaves-in-the-body-close": "closes in the middle of the body", "leaves-in-the-body-reset": "resets in the middle of the body",
    "leaves-while-it-waits-close": "closes before the answer", "leaves-while-it-waits-reset": "resets before the answer",
    "leaves-in-the-answer-close": "closes in the middle of the answer", "leaves-in-the-answer-reset": "resets in the middle of the answer",
}


def sections():
    """(title, words, cells): one table each."""
    every = list(faults.matrix())
    for step, title in STEPS.items():
        yield title, {f"{step}-{way}": words for way, words in WAYS.items()}, [c for c in every if c.name.startswith(f"{step}-") and c.name[len(step) + 1:] in WAYS]
    yield "Answers that are odd, or out of order", SINGLE, list(faults.single())
    yield "CPings that fail", PINGS, list(faults.pings())
    yield "Connections that cannot be made", DOORS, list(faults.doors())
    yield "Clients that leave (the number is the access log's)", LEAVES, list(faults.leaves())


def ids(numbers):
    return " ".join(f"JK{n:04d}" for n in sorted(numbers))


def cell_text(column, cell):
    if not column.takes(cell):
        return "."
    want = column.expect(cell)
    sees = "cut" if want.result == CUT else "/".join(str(s) for s in one_of(want.result))
    words = [sees, "x" + "/".join(str(n) for n in one_of(want.deliveries))]
    if column.balanced:
        words.append("/".join(dict.fromkeys(want.states)))
    words += [ids(want.ids)] if want.ids else [f"({ids(cell.expected.may)})"] if cell.expected.may else []
    return " ".join(words)


def row_of(cell):
    """The same as to the left is said so; a balancer's first column says all, since it has a state more."""
    texts = [cell_text(column, cell) for column in faults.COLUMNS]
    out = []
    for i, text in enumerate(texts):
        plain = next((t for t in reversed(texts[:i]) if t != "."), None)
        out.append("=" if text != "." and text == plain else text)
    return tuple(out)


def rows(words, cells):
    """One row for all requests and connections that end alike."""
    seen = {}
    for cell in cells:
        seen.setdefault(cell.name, {}).setdefault(row_of(cell), []).append((REQUESTS.get(cell.ask.name, cell.ask.name), cell.pooled))
    assert set(seen) == set(words) & set(seen), f"without words: {set(seen) - set(words)}"
    for name, alike in seen.items():
        kinds = {pooled for which in alike.values() for _, pooled in which}
        for texts, which in alike.items():
            for pooled, asks in connections(which, kinds):
                yield [words[name], ", ".join(asks), pooled, *texts]


def connections(which, kinds):
    """Requests that end alike on both kinds of connection stand together."""
    of = {pooled: [ask for ask, p in which if p == pooled] for pooled in (False, True)}
    if of[False] == of[True]:
        return [("", of[False])]
    named = {False: "new" if len(kinds) > 1 else "", True: "pool" if len(kinds) > 1 else ""}
    return [(named[pooled], asks) for pooled, asks in of.items() if asks]


def page():
    faults.THOROUGH = True
    out, n = [], 0
    for title, words, cells in sections():
        n += sum(1 for column in faults.COLUMNS for cell in cells if column.takes(cell))
        out.append(f"\n## {title}\n\n| what happens | request | | one | parked | slow | lb | lb parked | lb slow |\n|---|---|---|---|---|---|---|---|---|")
        out += ["| " + " | ".join(row) + " |" for row in rows(words, cells)]
    return HEAD % n + "\n".join(out) + "\n"
