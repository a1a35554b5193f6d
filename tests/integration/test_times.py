"""Where a request's time went: the notes and variables JK_T_x, and the sample of a log in JSON that shows them (conf/json-log.conf)."""
import json
import os
import time
import urllib.parse

import pytest
from lib import ajp, client, proc
from lib.ajp_peer import CLOSE, RefusedPort
from lib.httpd import INCUMBENT, TOP
from lib.workers import ajp13, lb

pytestmark = pytest.mark.skipif(INCUMBENT, reason="it has no such notes")

PARTS = ("QUEUE", "CONNECT", "PING", "SEND", "FIRST", "BODY")
NAMES = PARTS + ("TOTAL",)
FORMAT = 'LogFormat "%U ' + " ".join(f"%{{JK_T_{n}}}n" for n in NAMES) + ' %{JK_REQUEST_DURATION}n" times\nCustomLog logs/times times\n' \
         'LogFormat "%U ' + " ".join(f"%{{JK_T_{n}}}e" for n in NAMES) + ' -" variables\nCustomLog logs/variables variables\n'
PAUSE = 0.15
ENOUGH = 0.12 * 1e6  # us, of a pause of that many seconds
MOUNTS = "".join(f"JkMount /{w}/* {w}\n" for w in ("w", "one", "greets", "far", "again"))


def pause(exchange):
    time.sleep(PAUSE)


@pytest.fixture(scope="module")
def peers(make_peer):
    return make_peer(), make_peer()


@pytest.fixture(scope="module")
def httpd(make_httpd, peers):
    first, second = peers
    workers = ajp13(w=first.port, one={"port": first.port, "connection_pool_size": 1, "connection_acquire_timeout": 5000},
                    greets={"port": first.port, "connect_timeout": 2000, "prepost_timeout": 2000})
    workers = workers.replace("worker.list=w,", "worker.list=w,far,again,") + \
        lb("far", {"near": first.port, "other": {"port": second.port}}, {"retries": 1}, retries=1) \
        .replace("worker.list=far\n", "") + \
        f"worker.again.type=ajp13\nworker.again.host=127.0.0.1\nworker.again.port={first.port}\nworker.again.retries=2\n" \
        "worker.again.retry_interval=150\n"
    return make_httpd(MOUNTS + FORMAT, workers=workers)


def times(httpd, path, log="times"):
    """The times of the last request to a path, microseconds by name."""
    line = proc.wait_until(lambda: next((ln.split() for ln in reversed(open(httpd.path(f"logs/{log}")).readlines()) if ln.startswith(path + " ")),
                                        None), 5)
    t = dict(zip(NAMES, map(int, line[1:8])))
    t["DURATION"] = None if line[8] == "-" else float(line[8]) * 1e6
    return t


def check_sum(t, least=0):
    assert sum(t[n] for n in PARTS) == t["TOTAL"]
    assert abs(t["TOTAL"] - t["DURATION"]) < 1000
    assert t["TOTAL"] >= least


def longest(t):
    return max(PARTS, key=lambda n: t[n])


def test_the_head_is_waited_for(httpd, peers):
    peers[0].on("/w/head", [pause, ajp.answer("x")])
    assert client.get(httpd.port, "/w/head").status == 200
    t = times(httpd, "/w/head")
    check_sum(t, ENOUGH)
    assert t["FIRST"] >= ENOUGH and longest(t) == "FIRST" and t["SEND"] > 0
    assert times(httpd, "/w/head", "variables") == {**t, "DURATION": None}


def test_the_body_is_waited_for(httpd, peers):
    peers[0].on("/w/body", [ajp.send_headers(200), ajp.chunk(b"a"), pause, ajp.chunk(b"b"), ajp.end()])
    assert client.get(httpd.port, "/w/body").body == b"ab"
    t = times(httpd, "/w/body")
    check_sum(t, ENOUGH)
    assert t["BODY"] >= ENOUGH and longest(t) == "BODY"


def test_the_clients_body_is_sent(httpd, peers):
    def script(ex):
        ex.first_packet()
        ex.get_body()
        time.sleep(PAUSE)
        ex.send(ajp.answer("thanks"))
    peers[0].on("/w/upload", script)
    with client.Wire(httpd.port) as wire:
        wire.send(b"POST /w/upload HTTP/1.1\r\nHost: x\r\nContent-Length: 9000\r\n\r\n" + b"x" * 8500)
        time.sleep(2 * PAUSE)
        wire.send(b"x" * 500)
        assert wire.answer().status == 200
    t = times(httpd, "/w/upload")
    check_sum(t, 3 * ENOUGH)
    assert t["SEND"] >= 2 * ENOUGH and t["FIRST"] >= ENOUGH


def test_a_connection_is_waited_for(httpd, peers):
    peers[0].on("/one/long", [pause, pause, ajp.answer("x")])
    with client.Wire(httpd.port) as first, client.Wire(httpd.port) as second:
        first.request("GET", "/one/long")
        assert proc.wait_until(lambda: peers[0].deliveries("/one/long") == 1)
        second.request("GET", "/one/short")
        assert first.answer().status == 200 and second.answer().status == 200
    t = times(httpd, "/one/short")
    check_sum(t)
    assert t["QUEUE"] >= ENOUGH and longest(t) == "QUEUE"
    assert times(httpd, "/one/long")["QUEUE"] < ENOUGH


def test_pings_and_connects(httpd, peers):
    assert client.get(httpd.port, "/greets/a").status == 200
    t = times(httpd, "/greets/a")
    check_sum(t)
    assert t["CONNECT"] > 0 and t["PING"] > 0, "it was made, and greeted"
    assert client.get(httpd.port, "/greets/b").status == 200
    t = times(httpd, "/greets/b")
    check_sum(t)
    assert t["CONNECT"] == 0 and t["PING"] > 0, "it was there, and asked"


def test_another_member(httpd, peers):
    """What the first one took is not lost."""
    httpd.expect("Tomcat is down")
    httpd.allow("connecting to tomcat failed")
    peers[0].on("/far/x", [pause, CLOSE])
    peers[1].on("/far/x", [ajp.send_headers(200), pause, ajp.chunk(b"b"), ajp.end()])
    assert client.get(httpd.port, "/far/x", [("Cookie", "JSESSIONID=a.near")]).body == b"b"
    t = times(httpd, "/far/x")
    check_sum(t, 2 * ENOUGH)
    assert t["FIRST"] >= ENOUGH and t["BODY"] >= ENOUGH


def test_another_attempt(httpd, peers):
    """The pause before it is spent in the queue."""
    httpd.expect("Tomcat is down")
    peers[0].on("/again/x", lambda ex: ex.conn.close() if ex.delivery == 1 else ex.send(ajp.answer("x")))
    assert client.get(httpd.port, "/again/x").status == 200
    t = times(httpd, "/again/x")
    check_sum(t, ENOUGH)
    assert t["QUEUE"] >= ENOUGH


# ---- who asks for them ----

def logged(fresh_httpd, peer, notes, form):
    httpd = fresh_httpd(f'JkMount /* w\n{notes}\nLogFormat "{form}" asked\nCustomLog logs/asked asked\n', workers=ajp13(w=peer.port))
    assert client.get(httpd.port, "/x").status == 200
    return proc.wait_until(lambda: open(httpd.path("logs/asked")).read().split())


@pytest.mark.parametrize("notes,noted", [("", True), ("JkNotes Auto", True), ("JkNotes On", True), ("JkNotes Off", False)])
def test_notes_follow_the_directive(fresh_httpd, peers, notes, noted):
    words = logged(fresh_httpd, peers[0], notes, "%{JK_T_TOTAL}n %{JK_T_FIRST}e %{JK_LB_LAST_NAME}n")
    assert (words[0].isdigit(), words[1].isdigit()) == (noted, noted)


# ---- JSON ----

HOSTILE = ['plain', 'quo"te', 'back\\slash', '\\', '\\"', 'tab\there', 'h\u00e9', '\u2028', 'a%22b', "{\"a\":1}", '\x80\xff', "'; --", 'x' * 1000]


@pytest.fixture(scope="module")
def json_httpd(make_httpd, peers):
    refused = RefusedPort()
    with open(os.path.join(TOP, "conf", "json-log.conf")) as sample:
        text = sample.read()
    yield make_httpd(text + 'JkMount /w/* w\nJkMount /down/* down\nErrorDocument 503 /sorry\n<Location /denied>\nRequire all denied\n</Location>\n',
                     workers=ajp13(w=peers[0].port, down=refused.port), files={"htdocs/f.txt": "x", "htdocs/sorry": "x"})
    refused.stop()


def objects(httpd):
    httpd.wait_idle()
    with open(httpd.path("logs/jk_json.log"), "rb") as log:
        return [json.loads(line) for line in log]


@pytest.mark.parametrize("value", HOSTILE, ids=range(len(HOSTILE)))
def test_every_line_is_json(json_httpd, value):
    raw = value.encode("latin-1", "ignore") if value == '\x80\xff' else value.encode()
    text = urllib.parse.quote(raw, safe="")
    with client.Wire(json_httpd.port) as wire:
        wire.send(b"GET /w/" + text.encode() + b"?" + text.encode() + b" HTTP/1.1\r\nHost: localhost\r\nUser-Agent: " + raw + b"\r\nReferer: " + raw +
                  b"\r\nConnection: close\r\n\r\n")
        assert wire.answer().status == 200
    last = objects(json_httpd)[-1]
    assert urllib.parse.unquote_to_bytes(last["agent"]) == raw.strip() and urllib.parse.unquote_to_bytes(last["referer"]) == raw.strip()
    assert urllib.parse.unquote(last["path"]) == "/w/" + text, "as the client wrote it"
    assert urllib.parse.unquote(last["query"]) == text
    assert last["status"] == 200 and last["worker"] == "w" and last["total_us"] == sum(last[f"{n.lower()}_us"] for n in PARTS)


def test_error_pages_and_what_is_not_ours(json_httpd):
    json_httpd.expect("connecting to backend failed")
    json_httpd.allow("connecting to tomcat failed", "client denied by server configuration", "invalid URI path")
    before = len(objects(json_httpd))
    for path in ("/f.txt", "/none", "/denied", "/%"):
        client.get(json_httpd.port, path)
    assert len(objects(json_httpd)) == before
    assert client.get(json_httpd.port, "/down/x").status == 503
    last = objects(json_httpd)[-1]
    assert (last["status"], last["worker"], last["path"]) == (503, "down", "/down/x")
    assert last["connect_us"] + last["queue_us"] > 0
