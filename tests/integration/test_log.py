"""mod_jk.log: the shape of its lines, who decides what is written, and that what went wrong is said in words."""
import os
import re
import time

import pytest
from lib import ajp, client, proc
from lib.ajp_peer import RefusedPort
from lib.httpd import INCUMBENT, LogFile
from lib.workers import ajp13

DEFAULT_STAMP = r"\[\w{3} \w{3} \d{2} \d{2}:\d{2}:\d{2}\.\d{3} \d{4}\] "
REST = r"\[(?P<id>[^\]]+)\] \[(?P<pid>\d+):(?P<tid>\d+)\] \[(?P<level>\w+)\] (?P<function>\w+)::(?P<file>\w[\w.]*\.c) \(\d+\): (?P<text>.*)$"
ID = re.compile(r" \[JK\d{4}\]$")

STAMPS = {
    "tutorial": ('"[%a %b %d %H:%M:%S %Y]"', r"\[\w{3} \w{3} \d{2} \d{2}:\d{2}:\d{2} \d{4}\]"),
    "milli": ('"%H:%M:%S.%Q "', r"\d{2}:\d{2}:\d{2}\.\d{3} "),
    "micro": ('"%H:%M:%S.%q "', r"\d{2}:\d{2}:\d{2}\.\d{6} "),
    "first": ('"%Q|%Q|%q "', r"\d{3}\|[^|]*\|[^|]* "),  # only the first is replaced
    "none": ('"jk "', "jk "),
}


@pytest.fixture(scope="module")
def peer(make_peer):
    return make_peer()


@pytest.fixture(scope="module")
def httpd(make_httpd, peer):
    down = RefusedPort()
    refusing = {f"r{status}": {"port": peer.port, "secret": "sesame"} for status in (400, 403, 500, 503)}
    workers = ajp13(w=peer.port, down={"port": down.port, "retries": 1}, once={"port": peer.port, "retries": 1}, **refusing)
    mounts = "JkMount /down/* down\nJkMount /w/* w\nJkMount /once/* once\n"
    vhosts = {f"stamp-{name}": f"{mounts}JkLogFile logs/stamp-{name}.log\nJkLogStampFormat {form}" for name, (form, _) in STAMPS.items()}
    for level in ("trace", "debug", "info", "warn", "error", "emerg"):
        vhosts[f"level-{level}"] = f"{mounts}JkLogFile logs/level-{level}.log\nJkLogLevel {level}"
    vhosts["id"] = f'{mounts}SetEnvIf X-Id "(.+)" UNIQUE_ID=$1'
    indicator = "" if INCUMBENT else "JkRequestIdIndicator MY_ID\n"
    vhosts["own-id"] = f'{mounts}{indicator}SetEnvIf X-Id "(.+)" MY_ID=$1\nSetEnvIf X-Unique "(.+)" UNIQUE_ID=$1'
    main = mounts + "".join(f"JkMount /{w}/* {w}\n" for w in refusing) + "LimitRequestLine 16384\nLimitRequestFieldSize 16384"
    yield make_httpd(main, workers=workers, vhosts=vhosts)
    down.stop()


def refused(httpd, host=None, headers=()):
    """A request that leaves an info and an error line."""
    httpd.allow("down")
    assert client.get(httpd.vport if host else httpd.port, "/down/x", headers, host=host).status == 503


def lines_of(httpd, log):
    """The lines of a log of a virtual host, without those of the start."""
    httpd.wait_idle()
    return [ln for ln in LogFile(httpd.path(f"logs/{log}.log")).lines() if "initialized" not in ln]


# ---- the shape ----

@pytest.mark.differs("1.2.48 has no request id and no ids of messages")
def test_the_shape_of_a_line(httpd):
    """stamp, [request id], [pid:tid], [level], function::file (line): text; a loud one ends with its id."""
    refused(httpd)
    lines = httpd.jk_lines()
    assert {"info", "error"} <= {re.match(DEFAULT_STAMP + REST, ln)["level"] for ln in lines}
    for line in lines:
        shape = re.match(DEFAULT_STAMP + REST, line)
        assert shape["id"] == "NO-ID" and int(shape["pid"]) in proc.children_of(httpd.pid)
        assert bool(ID.search(line)) == (shape["level"] in ("warn", "error", "emerg")), line
        assert shape["text"].startswith(("(down) ", "Service error=", "Could not")) or "down" in shape["text"]


@pytest.mark.parametrize("name", STAMPS)
def test_stamps(httpd, name):
    """strftime, %Q for milliseconds, %q for microseconds."""
    refused(httpd, f"stamp-{name}")
    lines = lines_of(httpd, f"stamp-{name}")
    assert lines
    for line in lines:
        assert re.match(STAMPS[name][1] + r"\[", line), line


def test_a_stamp_tells_the_local_time(httpd):
    refused(httpd, "stamp-milli")
    told = lines_of(httpd, "stamp-milli")[-1][:5]
    assert told in {time.strftime("%H:%M", time.localtime(time.time() - back)) for back in (0, 60)}


def test_the_start_is_told(httpd):
    """Which version it is stands in the log."""
    assert re.search(r"mod_jk/\d\S* initialized", httpd.jk_log.text())


@pytest.mark.parametrize("level, written", [
    ("trace", {"info", "error"}), ("debug", {"debug", "info", "error"}), ("info", {"info", "error"}), ("warn", {"error"}),
    ("error", {"error"}), ("emerg", set()),
])
def test_levels(httpd, level, written):
    """The threshold of each virtual host: its level and worse."""
    order = ["trace", "debug", "info", "warn", "error", "emerg"]
    refused(httpd, f"level-{level}")
    found = {m[1] for ln in lines_of(httpd, f"level-{level}") if (m := re.search(r"\[\d+:\d+\] \[(\w+)\] ", ln))}
    assert found >= written - {"debug"}
    assert all(order.index(one) >= order.index(level) for one in found)


# ---- the request's id ----

@pytest.mark.differs("1.2.48 has no request id")
@pytest.mark.parametrize("host, headers, told, why", [
    ("id", [("X-Id", "abc123")], "abc123", "UNIQUE_ID, wherever it comes from"),
    ("id", [], "NO-ID", "none"),
    ("own-id", [("X-Id", "mine")], "mine", "JkRequestIdIndicator names another variable"),
    ("own-id", [("X-Unique", "fallback")], "fallback", "which is unset: UNIQUE_ID"),
    ("own-id", [], "NO-ID", "neither"),
])
def test_request_ids(httpd, host, headers, told, why):
    refused(httpd, host, headers)
    lines = httpd.jk_lines()
    assert lines and all(re.match(DEFAULT_STAMP + REST, ln)["id"] == told for ln in lines), why


@pytest.mark.differs("it was written as it came")
def test_an_id_cannot_forge_a_field(httpd):
    """An id may come from a client's header: what would end the field is not taken, and 60 bytes are enough for any."""
    refused(httpd, "id", [("X-Id", "x] [1:2] [emerg] \xe9" + "y" * 100)])
    for line in httpd.jk_lines("down"):
        shape = re.match(DEFAULT_STAMP + REST, line)
        assert shape["id"] == ("x__[1:2__[emerg___" + "y" * 100)[:60] and shape["level"] in ("info", "error")


def test_mod_unique_id(fresh_httpd):
    """With mod_unique_id both logs can be matched."""
    down = RefusedPort()
    httpd = fresh_httpd("JkMount /* down\nLogFormat \"%{UNIQUE_ID}e\" id\nCustomLog logs/ids id", workers=ajp13(down=down.port), modules=("unique_id",))
    refused(httpd)
    with open(httpd.path("logs/ids")) as f:
        told = proc.wait_until(lambda: f.read().strip())
    assert INCUMBENT or all(f"[{told}]" in ln for ln in httpd.jk_lines("down"))
    down.stop()


# ---- what clients write into it ----

@pytest.mark.differs("it wrote its own line")
@pytest.mark.parametrize("forged", ["%0A[Tue%20Jul%2007]%20[x]%20[1:2]%20[emerg]%20f::f.c%20(1):%20forged", "%0D%0Aforged", "%1B[31mforged",
                                    "%7Fforged", "%08%08forged", "%09forged"])
def test_a_uri_cannot_forge_a_line(httpd, forged):
    """Control characters are escaped: one message is one line, and no terminal is told what to do."""
    httpd.expect("sequence that tries to escape above the root")
    assert client.get(httpd.port, "/..;/" + forged).status == 400
    (line,) = httpd.jk_lines("escape above the root")
    assert "forged" in line and not re.search(r"[\x00-\x1f\x7f]", line)
    assert not [ln for ln in httpd.jk_log.lines() if ln.startswith("[Tue Jul 07]") or ln.startswith("forged")]


@pytest.mark.differs("lines were cut at 1021 bytes")
def test_a_long_line_is_cut(httpd):
    """4095 bytes at most, with its end: three dots and the id are still there."""
    httpd.expect("sequence that tries to escape above the root")
    assert client.get(httpd.port, "/..;/" + "u" * 9000).status == 400
    (line,) = httpd.jk_lines("escape above the root")
    assert 4000 < len(line) + 1 <= 4095
    assert re.search(r"u\.\.\. \[JK\d{4}\]$", line)


def test_format_directives_in_a_uri(httpd):
    """%n and %s in what a client wrote are text (bug 37322)."""
    httpd.expect("sequence that tries to escape above the root")
    assert client.get(httpd.port, "/..;/%25n%25s%25s%25n").status == 400
    assert "%n%s%s%n" in httpd.jk_lines("escape above the root")[0]


# ---- failures in words ----

def test_connection_refused(httpd):
    """errno and what to do about it."""
    httpd.expect(r"connecting to backend failed. Tomcat is probably not started or is listening on the wrong port \(errno=111\)")
    refused(httpd)
    text = "\n".join(httpd.jk_lines("errno=111"))
    assert "(down)" in text and "connect to 127.0.0.1:" in text
    assert "connecting to tomcat failed" in "\n".join(httpd.jk_lines())


@pytest.mark.differs("the remedy was left to the reader")
def test_connection_refused_has_a_remedy(httpd):
    refused(httpd)
    text = "\n".join(httpd.jk_lines("errno=111"))
    for word in ("Connector", "secretRequired", "loopback"):
        assert word in text


@pytest.mark.differs("the reader had to decode 0x4854")
@pytest.mark.parametrize("bytes_back, word", [
    (b"HTTP/1.1 400 \r\nContent-Length: 0\r\n\r\n", "HTTP"),
    (b"\x15\x03\x01\x00\x02\x02\x46", "TLS"),
], ids=["HTTP", "TLS"])
def test_another_protocol_on_the_port(httpd, peer, bytes_back, word):
    """An HTTP or HTTPS connector is named, with the remedy."""
    httpd.expect(rf"\(once\).*{word}.*AJP")
    httpd.allow("once")
    peer.on_connect = lambda conn: (conn.sock.recv(65536), conn.send(bytes_back), conn.drained(2))
    assert client.get(httpd.port, "/once/x").status == 502


def test_what_is_not_ajp(httpd, peer):
    httpd.expect("wrong message format 0x5353")
    httpd.allow("once")
    peer.on_connect = lambda conn: (conn.sock.recv(65536), conn.send(b"SSH-2.0-x\r\n"), conn.drained(2))
    assert client.get(httpd.port, "/once/x").status == 502


def test_no_reply(httpd, peer):
    httpd.expect("Tomcat is down or refused connection. No response has been sent to the client")
    httpd.allow("once")
    peer.on("/once/x", lambda ex: ex.close())
    assert client.get(httpd.port, "/once/x").status == 502
    assert httpd.jk_lines("has forced a connection close for socket")
    assert httpd.jk_lines(r"sending request to tomcat failed \((un)?recoverable\),.*\(attempt=1\)")


@pytest.mark.differs("a refusal was not named")
@pytest.mark.parametrize("status, cause", [(403, "secret"), (400, "packetSize"), (500, "maxHeaderCount"), (503, "stopp")])
def test_a_refusal_is_named(httpd, peer, status, cause):
    """The connector answers itself and hangs up: the application never saw the request. A process tells it once a minute."""
    httpd.expect(rf"\[warn\].*\(r{status}\).*refused.*{status}.*{cause}")
    peer.default = [ajp.answer("no", status, reuse=False, reason="")]
    for _ in range(3):
        assert client.get(httpd.port, f"/r{status}/x").status == status
    httpd.wait_idle()
    told_by = [re.search(r"\[(\d+):\d+\]", ln)[1] for ln in httpd.jk_lines("refused")]
    assert len(told_by) == len(set(told_by)), "not once for each request"
    assert "sesame" not in httpd.jk_log.text(), "secrets stay secret"


def test_an_answer_of_the_application_is_no_refusal(httpd, peer):
    """A 403 with reuse=1 comes from the application."""
    peer.default = [ajp.answer("no", 403)]
    assert client.get(httpd.port, "/w/x").status == 403
    assert not httpd.jk_lines("refused", seconds=0.1)


@pytest.mark.differs("413 without a name")
@pytest.mark.parametrize("path, headers, status, words", [
    ("/w/x", [("X-Big", "b" * 9000)], 431, ["X-Big", "9"]),
    ("/w/" + "u" * 9000, [], 414, ["URI"]),
    ("/w/x?" + "q" * 9000, [], 414, ["query"]),
    ("/w/x", [(f"X-{i}", "b" * 300) for i in range(30)], 431, ["8192"]),
])
def test_what_does_not_fit_is_named(httpd, peer, path, headers, status, words):
    """Its name, its size, and both settings that change the limit."""
    httpd.expect("check max_packet_size")
    assert client.get(httpd.port, path, headers).status == status
    (line,) = httpd.jk_lines("check max_packet_size")
    for word in (*words, "worker.w.max_packet_size", "packetSize"):
        assert word in line
    assert not peer.requests


def test_no_body_is_told_at_info(httpd, peer):
    peer.default = [ajp.send_headers(404, reason="") + ajp.end()]
    assert client.get(httpd.port, "/w/x").status == 404
    assert INCUMBENT or httpd.jk_lines("No body with status=404 for worker=w")


# ---- where it goes ----

def test_a_piped_log(fresh_httpd):
    """JkLogFile "|program": it gets the lines, also after a restart, and -t does not start it."""
    down = RefusedPort()
    httpd = fresh_httpd("JkMount /* down", workers=ajp13(down=down.port), defaults=False, start=False)
    piped = httpd.path("logs/piped.log")
    httpd.write_config(f'JkWorkersFile conf/workers.properties\nJkLogFile "|/usr/bin/tee -a {piped}"\nJkMount /* down')
    assert httpd.configtest()[0] == 0 and not os.path.exists(piped)
    httpd.start()
    for _ in range(2):
        before = len(LogFile(piped).lines())
        refused(httpd)
        assert proc.wait_until(lambda: any("errno=111" in ln for ln in LogFile(piped).lines()[before:]))
        httpd.graceful()
    down.stop()


def test_one_file_for_many_hosts(fresh_httpd):
    """Named twice, opened once: whole lines, none lost."""
    down = RefusedPort()
    httpd = fresh_httpd("JkMount /* down", workers=ajp13(down={"port": down.port, "retries": 1}),
                        vhosts={f"h{i}": "JkMount /* down\nJkLogFile logs/mod_jk.log" for i in range(4)})
    for i in range(4):
        refused(httpd, f"h{i}")
    lines = httpd.jk_lines(r"connecting to backend failed")
    assert len(lines) == 4 and all("errno=111" in ln for ln in lines)
    down.stop()


@pytest.mark.differs("the start failed")
def test_without_a_log_file(fresh_httpd, fresh_peer):
    """No JkLogFile: logs/mod_jk.log below ServerRoot."""
    httpd = fresh_httpd("JkWorkersFile conf/workers.properties\nJkMount /* w", workers=ajp13(w=fresh_peer().port), defaults=False,
                        startup=[])
    assert "initialized" in httpd.jk_log.text()
