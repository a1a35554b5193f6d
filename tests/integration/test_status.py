"""The status worker: commands, formats, edits, and who may do them (spec: status.md; decisions.md "Never lets strangers in")."""
import json
import os
import re
import shutil
import subprocess
import urllib.parse
import xml.etree.ElementTree as ET

import pytest

from lib import ajp, client, proc
from lib.ajp_peer import CLOSE, SLEEP
from lib.httpd import INCUMBENT, server_user
from lib.statuspage import JK, Page

WORKERS = """\
worker.list=lb,single,status,reader,old,unmounted
worker.lb.type=lb
worker.lb.balance_workers=n1,n2
worker.n1.host=127.0.0.1
worker.n1.port={one}
worker.n1.route=r1.x
worker.n2.host=127.0.0.1
worker.n2.port={two}
worker.n2.redirect=r1.x
worker.n2.activation=disabled
worker.single.host=127.0.0.1
worker.single.port={one}
worker.single.secret=hush
worker.status.type=status
worker.reader.type=status
worker.reader.read_only=true
worker.old.type=status
worker.unmounted.type=status
""" + ("" if INCUMBENT else "worker.old.allow_get_changes=true\n")

MOUNTS = """\
JkMount /status status
JkMount /reader reader
JkMount /old old
JkMount /lb/* lb;reply_timeout=4000
JkMount /s|/* single;use_server_errors=500;fail_on_status=503,-404
JkUnMount /lb/x lb
"""

# ---- fields, in the order of status.md 6 and 7 ----

CONFIGURED = ("host port address source connection_pool_timeout ping_timeout connect_timeout prepost_timeout reply_timeout "
              "connection_ping_interval retries recovery_options busy_limit max_packet_size").split()
FLAT = ("host port address source connection_pool_timeout ping_timeout connect_timeout prepost_timeout reply_timeout "
        "retries connection_ping_interval recovery_options busy_limit max_packet_size").split()
COUNTED = "errors client_errors reply_timeouts transferred read busy max_busy connected max_connected".split()
BALANCER = ("type sticky_session sticky_session_force retries recover_time error_escalation_time max_reply_timeouts method lock member_count good "
            "degraded bad busy max_busy map_count time_to_maintenance_min time_to_maintenance_max last_reset_at last_reset_ago").split()
MEMBER = ("activation lbfactor route redirect domain distance state lbmult lbvalue elected sessions".split() + COUNTED +
          "time_to_recover_min time_to_recover_max last_reset_at last_reset_ago".split())
AJP = ["used", *COUNTED, "map_count", "last_reset_at", "last_reset_ago"]
MAP = ("server uri type source reply_timeout sticky_ignore stateless fail_on_status active disabled stopped use_server_errors").split()
ERROR = "error_time_datetime error_time_tz error_time_unix_seconds error_time_ago".split()


def text_of(keys):
    return WORKERS.format(**keys)


@pytest.fixture(scope="module")
def peers(make_peer):
    return [make_peer(name="one"), make_peer(name="two")]


@pytest.fixture(scope="module")
def httpd(make_httpd, peers):
    httpd = make_httpd(MOUNTS, workers=text_of({"one": peers[0].port, "two": peers[1].port}), vhosts={"v.example": "JkMount /v lb"})
    client.get(httpd.port, "/lb/a")
    return httpd


@pytest.fixture
def page(httpd):
    return Page(httpd)


@pytest.fixture
def edited(fresh_httpd, peers):
    """One that a test may change."""
    return Page(fresh_httpd(MOUNTS, workers=text_of({"one": peers[0].port, "two": peers[1].port})))


def names(element):
    return list(element.attrib)


# ---- formats ----

def test_xml(page):
    root = page.xml()
    assert root.tag == JK + "status"
    assert [e.tag.replace(JK, "") for e in root] == ["server", "time", "software", "balancers", "ajp_workers", "result"]
    server, time, software, balancers, workers, result = root
    assert (names(server), names(time), names(software)) == (["name", "port"], ["datetime", "tz", "unix"], ["web_server", "jk_version"])
    assert re.fullmatch(r"\d{14}", time.get("datetime")) and re.fullmatch(r"[+-]\d{4}", time.get("tz")) and time.get("unix").isdigit()
    assert balancers.get("count") == "1" and workers.get("count") == "1"
    balancer = balancers[0]
    assert names(balancer) == ["name", *BALANCER] and balancer.get("type") == "lb" and balancer.get("sticky_session") == "True"
    assert [e.tag.replace(JK, "") for e in balancer] == ["member", "member", "map", "map", "map"]
    assert names(balancer[0]) == ["name", "type", *CONFIGURED, *MEMBER] and balancer[0].get("elected") == "1"
    assert (balancer[1].get("activation"), balancer[1].get("redirect"), balancer[1].get("domain")) == ("DIS", "r1.x", "")
    assert names(balancer[2]) == ["id", *MAP]
    ajp_worker, *maps = workers
    assert names(ajp_worker) == ["name", "type", *CONFIGURED, *AJP] and [m.get("id") for m in maps] == ["1", "2"], "its maps are siblings"
    assert result.attrib == {"type": "OK", "message": "Action finished"}


def test_xml_is_laid_out_as_ever(page):
    """Scripts that read lines and not XML: one attribute a line, these indents."""
    text = page.get(mime="xml").text
    assert text.startswith('<?xml version="1.0" encoding="UTF-8" ?>\n<jk:status\n  xmlns:jk="http://tomcat.apache.org">\n<jk:server\n  name="127.0.0.1"\n')
    assert '\n<jk:balancers\n  count="1"\n>\n  <jk:balancer\n    name="lb"\n' in text and '\n  >\n      <jk:member\n        name="n1"\n' in text
    assert text.endswith('  <jk:result\n    type="OK"\n    message="Action finished"\n  />\n</jk:status>\n')


def test_txt(page):
    lines = page.txt()
    assert [label for label, _ in lines] == ["Server", "Time", "Software", "Balancer Workers", "Balancer Worker", "Member", "Member", "Map", "Map",
                                             "Map", "AJP Workers", "AJP Worker", "Map", "Map", "Result"]
    fields = {}
    for label, pairs in lines:
        fields.setdefault(label, []).append([k for k, _ in pairs])
    assert fields["Balancer Worker"] == [["name", *BALANCER]]
    assert fields["Member"] == [["name", "type", *FLAT, *MEMBER]] * 2, "retries before connection_ping_interval"
    assert fields["AJP Worker"] == [["name", "type", *FLAT, *AJP]]
    assert fields["Map"][0] == ["id", *MAP]
    text = page.get(mime="txt").text
    assert ' route="r1.x" redirect="" domain="r1" distance=0 ' in text and '\nMap: id=1 server="localhost" uri="/lb/*" type="Wildchar" ' in text
    assert text.endswith('\nResult: type=OK message="Action finished"\n')


def test_prop(page):
    pairs = page.prop()
    keys = [k for k, _ in pairs]
    values = dict(pairs)
    assert keys[:9] == ["worker." + k for k in "server_name server_port time_datetime time_tz time_unix web_server jk_version lb_count list".split()]
    assert values["worker.list"] == "lb" and values["worker.lb_count"] == values["worker.ajp_count"] == "1"
    assert keys[9:9 + len(BALANCER)] == ["worker.lb." + k for k in BALANCER]
    at = keys.index("worker.lb.balance_workers")
    own, parent = ["type", *FLAT, *MEMBER[:-2]], MEMBER[-2:]
    assert pairs[at][1] == "n1"
    assert keys[at + 1:at + 1 + len(own) + 2] == [*("worker.n1." + k for k in own), *("worker.lb." + k for k in parent)]
    assert values["worker.single.list"] == "single" and values["worker.single.map.2.uri"] == "/s" and values["worker.lb.map.2.type"] == "Unmount Exact"
    assert [k for k in keys if k.startswith("worker.lb.map.1.")] == ["worker.lb.map.1." + k for k in MAP]
    assert pairs[-2:] == [("worker.result.type", "OK"), ("worker.result.message", "Action finished")]


@pytest.mark.differs("only html, xml, txt and prop")
def test_json(page):
    """Everything that the others show, and what is new."""
    seen, xml = page.json(), page.xml()
    assert seen["version"] == 1 and seen["process"]["config_stale"] is False and seen["result"] == {"type": "OK", "message": "Action finished"}
    for element, one in [(xml.find(f"{JK}balancers/{JK}balancer"), seen["balancers"][0]),
                         (xml.find(f"{JK}balancers/{JK}balancer/{JK}member"), seen["balancers"][0]["members"][0]),
                         (xml.find(f"{JK}ajp_workers/{JK}ajp"), seen["ajp_workers"][0]),
                         (xml.find(f"{JK}balancers/{JK}balancer/{JK}map"), seen["balancers"][0]["maps"][0]), (xml.find(JK + "server"), seen["server"])]:
        for key, value in element.attrib.items():
            if not re.search("_ago|maintenance|busy|connected", key):
                assert str(one[key]) == value, key
    assert {m["health"] for m in seen["balancers"][0]["members"]} == {"good", "degraded"}
    assert [(f["severity"], f["line"]) for f in seen["findings"] if "'unmounted'" in f["text"]] == [("info", 1)], seen["findings"]
    assert seen["parked"]["known"] in (True, False) and seen["balancers"][0]["members"][0]["pool_open"] == 1


@pytest.mark.differs("only html, xml, txt and prop")
def test_json_keeps_to_its_schema(page):
    from lib.schema import faults
    with open(os.path.join(os.path.dirname(__file__), "../../docs/status-schema.json")) as file:
        schema = json.load(file)
    for params in ({}, {"cmd": "show", "w": "lb"}, {"cmd": "dump"}, {"cmd": "version"}):
        assert faults(schema, page.json(**params)) == [], params
    assert faults(schema, {"version": 2, "result": {"type": "x"}}) != [], "it can fail"


@pytest.mark.differs("neither no-store nor a policy of its content")
@pytest.mark.parametrize("mime, kind", [("xml", "text/xml"), ("txt", "text/plain"), ("prop", "text/plain"), ("html", "text/html; charset=utf-8"),
                                        ("json", "application/json")])
def test_headers(page, mime, kind):
    answer = page.get(mime=mime)
    assert answer.status == 200 and answer.header("Content-Type") == kind and answer.header("Pragma") == "no-cache"
    assert "no-store" in answer.header("Cache-Control") and answer.header("X-Content-Type-Options") == "nosniff"
    assert "default-src 'none'" in answer.header("Content-Security-Policy") and "frame-ancestors 'none'" in answer.header("Content-Security-Policy")
    head = client.ask(page.httpd.port, "HEAD", page.url(mime=mime))
    assert head.status == 200 and head.body == b""


@pytest.mark.skipif(shutil.which("xmllint") is None, reason="needs xmllint (libxml2-utils)")
@pytest.mark.parametrize("params", [{}, {"cmd": "show", "w": "lb"}, {"cmd": "dump"}, {"cmd": "version"}, {"cmd": "nonsense"}],
                         ids=lambda p: p.get("cmd", "list"))
def test_xmllint(page, params):
    if params.get("cmd") == "nonsense":
        page.httpd.expect("Invalid command")
    done = subprocess.run(["xmllint", "--noout", "-"], input=page.get(mime="xml", **params).body, capture_output=True)
    assert done.returncode == 0, done.stderr


# ---- commands ----

@pytest.mark.parametrize("mime", ["xml", "txt", "prop"])
def test_show_one(page, mime):
    text = page.get(cmd="show", w="lb", mime=mime).text
    assert "n2" in text and "single" not in text and "Balancer Workers" not in text and "balancers" not in text and "lb_count" not in text
    text = page.get(cmd="show", w="lb", sw="n2", mime=mime).text
    assert "=n2" in text or 'name="n2"' in text
    text = page.get(cmd="show", w="single", mime=mime).text
    assert "single" in text and "=lb" not in text


def test_version(page):
    assert [label for label, _ in page.txt(cmd="version")] == ["Server", "Time", "Software", "Result"]
    assert [k for k, _ in page.prop(cmd="version")][-4:] == ["worker.web_server", "worker.jk_version", "worker.result.type", "worker.result.message"]


def test_dump(page):
    lines = page.get(cmd="dump", mime="txt").text.splitlines()
    at = lines.index("Configuration:")
    assert lines[at + 1] == f"ServerRoot={page.httpd.root}" and lines[at + 2] == "worker.list=lb,single,status,reader,old,unmounted"
    assert "worker.n1.route=r1.x" in lines and "hush" not in "".join(lines), "secrets are left out"
    assert [e.tag.replace(JK, "") for e in page.xml(cmd="dump")] == ["server", "time", "software", "configuration", "result"]
    assert page.xml(cmd="dump").find(JK + "configuration").get("worker.n2.redirect") == "r1.x"
    assert ("worker.n2.redirect", "r1.x") in page.prop(cmd="dump")
    if not INCUMBENT:
        assert page.json(cmd="dump")["configuration"]["worker.n2.redirect"] == "r1.x"


@pytest.mark.differs("another page, without a token")
def test_edit_shows_a_form(page):
    text = page.get(cmd="edit", w="lb", sw="n1").text
    assert "name='vwf' value='1'" in text and "name='token' value='" in text and "method='post'" in text
    assert [e.tag.replace(JK, "") for e in page.xml(cmd="edit", w="lb")] == ["server", "result"]


@pytest.mark.parametrize("opt, gone", [(1, "Member"), (2, "Map"), (8, "Balancer Worker"), (16, "AJP Worker")])
def test_opt_hides(page, opt, gone):
    labels = {label for label, _ in page.txt(opt=opt)}
    all_labels = {label for label, _ in page.txt()}
    assert gone in all_labels and gone not in labels and all_labels - labels <= {gone, gone + "s", "Member", "Map"}


@pytest.mark.parametrize("params, status, message", [
    ({"cmd": "nonsense"}, 400, "Invalid command."),
    ({"cmd": "show"}, 400, "NULL or EMPTY worker param"),
    ({"cmd": "show", "w": ""}, 400, "NULL or EMPTY worker param"),
    ({"cmd": "show", "w": "nobody"}, 404, "Could not find given worker"),
    ({"cmd": "show", "w": "lb", "sw": ""}, 400, "EMPTY sub worker param"),
    ({"cmd": "show", "w": "lb", "sw": "nobody"}, 404, "could not find sub worker"),
    ({"cmd": "show", "w": "lb", "sw": "n*"}, 400, "wildcard not allowed in sub worker for this command"),
    ({"cmd": "show", "w": "single", "sw": "x"}, 400, "worker type has no sub workers"),
    ({"cmd": "edit", "w": "lb", "opt": "32"}, 403, "This command is not allowed in read only mode."),
], ids=lambda v: urllib.parse.urlencode(v) if isinstance(v, dict) else None)
def test_what_is_wrong(page, params, status, message):
    """The words of the incumbent; the status is ours: see test_errors_are_errors."""
    page.httpd.expect(re.escape(f"Status worker 'status': {message}"))
    answer = page.get(mime="txt", **params)
    assert answer.text == f'Result: type=ERROR message="{message}"\n' and answer.status == (200 if INCUMBENT else status)


@pytest.mark.differs("200 for everything")
def test_errors_are_errors(page):
    """Whoever looks at the status alone learns that it failed."""
    page.httpd.expect("Could not find given worker")
    assert page.get(cmd="show", w="nobody").status == 404


@pytest.mark.differs("200 for everything")
def test_no_such_format(page):
    page.httpd.expect("Invalid mime type")
    answer = page.get(mime="nonsense")
    assert (answer.status, answer.header("Content-Type")) == (400, "text/plain")
    assert answer.text == "worker.result.type=ERROR\nworker.result.message=Invalid mime type.\n"


@pytest.mark.differs("200 for everything, and an html page")
@pytest.mark.parametrize("query", ["w=%", "w=%z1&mime=txt", "w=%4", "w=%00", "a=" + "x" * 70000], ids=["cut", "no hex", "one digit", "NUL", "huge"])
def test_no_query(page, query):
    if len(query) > 60000: # httpd's own limit
        assert client.get(page.httpd.port, "/status?" + query).status == 414
        return
    page.httpd.expect("Error during parsing of URI")
    assert client.get(page.httpd.port, "/status?" + query).status == 400


# ---- changes ----

LB = [("vlr", "retries", "3"), ("vlri", "retry_interval", "7"), ("vlt", "recover_time", "5"), ("vlee", "error_escalation_time", "4"),
      ("vlx", "max_reply_timeouts", "9"), ("vls", "sticky_session", "false"), ("vlf", "sticky_session_force", "true"), ("vlm", "method", "Busyness"),
      ("vll", "lock", "Pessimistic"), ("vlb", "retry_budget", "50"), ("vlsc", "session_cookie", "SID"), ("vlsp", "session_path", ";sid")]
ANY_AJP = [("vacpt", "connection_pool_timeout", "11"), ("vapng", "ping_timeout", "12"), ("vact", "connect_timeout", "13"),
           ("vapt", "prepost_timeout", "14"), ("vart", "reply_timeout", "15000"), ("var", "retries", "4"), ("vari", "retry_interval", "16"),
           ("vacpi", "connection_ping_interval", "17"), ("varo", "recovery_options", "3"), ("vabl", "busy_limit", "18"),
           ("vamps", "max_packet_size", "16384"), ("vacat", "connection_acquire_timeout", "19"), ("vamc", "max_connections", "20")]
OWN = [("vwa", "activation", "STP"), ("vwf", "lbfactor", "6"), ("vwn", "route", "r9"), ("vwr", "redirect", "r2"), ("vwc", "domain", "d"),
       ("vwd", "distance", "2")]


def shown(value):
    return {"false": False, "true": True}.get(value, int(value) if value.isdigit() else value)


@pytest.mark.differs("fewer can be edited, and the log does not say by whom")
@pytest.mark.parametrize("where, attributes", [({"w": "lb"}, LB), ({"w": "lb", "sw": "n1"}, [*OWN, *ANY_AJP]), ({"w": "single"}, ANY_AJP)],
                         ids=["lb", "member", "ajp"])
def test_every_attribute(edited, where, attributes):
    """Each alone, each in the log, and each seen by who asks next."""
    token = edited.token()
    for param, key, value in attributes:
        edited.change(cmd="update", token=token, **where, **{param: value[0] if key in ("activation", "method", "lock") else value})
        assert edited.httpd.jk_lines(rf"Status worker 'status' changing '{key}' for .* from '.*' to '.*' by somebody at 127\.0\.0\.1"), key
    now = edited.member("n1") if "sw" in where else edited.worker("single") if where["w"] == "single" else edited.lb()
    assert {key: now[key] for _, key, _ in attributes} == {key: shown(value) for _, key, value in attributes}
    assert {e["key"] for e in now["edits"]} == {key for _, key, _ in attributes}, "the page says that they are not the file's"


def test_the_log_says_what(edited):
    edited.change(cmd="update", w="lb", sw="n1", vwf="4", vwn="r7")
    edited.change(cmd="update", w="single", vabl="3")
    edited.change(cmd="update", w="lb", vlt="30s")
    for line in ("changing 'lbfactor' for sub worker 'n1' of lb worker 'lb' from '1' to '4'", "changing 'route' for sub worker 'n1' of lb worker 'lb' "
                 "from 'r1.x' to 'r7'", "changing 'busy_limit' for ajp worker 'single' from '0' to '3'",
                 "changing 'recover_time' for lb worker 'lb' from '60' to '30'"):
        assert edited.httpd.jk_lines(re.escape(f"[info] ") + ".*" + re.escape(line)), line


MOVES = ("last_reset_ago", "connected", "max_connected", "busy", "max_busy", "state", "health")  # upkeep and time go on


@pytest.mark.differs("OK, and bad values are ignored or taken")
@pytest.mark.parametrize("params, words", [
    ({"w": "lb", "sw": "n1", "vwf": "0"}, "'0' is no value for vwf (lbfactor)"),
    ({"w": "lb", "sw": "n1", "vwf": "many"}, "'many' is no value for vwf (lbfactor); allowed: a number, from 1 to"),
    ({"w": "lb", "sw": "n1", "vwf": "3x"}, "'3x' is no value for vwf"),
    ({"w": "lb", "sw": "n1", "vwf": ""}, "'' is no value for vwf"),
    ({"w": "lb", "sw": "n1", "vwf": "99999999999"}, "'99999999999' is no value for vwf"),
    ({"w": "lb", "sw": "n1", "vwa": "x"}, "'x' is no value for vwa (activation); allowed: active, disabled or stopped"),
    ({"w": "lb", "sw": "n1", "vaprt": "99999"}, "'99999' is no value for vaprt (port); allowed: a number, from 0 to 65535"),
    ({"w": "lb", "sw": "n1", "vahst": "a b"}, "'a b' is no value for vahst (host): there is a character in it that no host's name has"),
    ({"w": "lb", "sw": "n1", "vahst": "no-such-host.invalid"}, "could not resolve address 'no-such-host.invalid:"),
    ({"w": "lb", "sw": "n1", "vahst": "x" * 300}, "a host's name has at most 255 bytes"),
    ({"w": "lb", "sw": "n1", "vwn": "n2"}, "sub workers 'n1' and 'n2' would share the same route 'n2'"),
    ({"w": "lb", "sw": "n*", "vwn": "same"}, "would share the same route 'same'"),
    ({"w": "lb", "sw": "n1", "vwn": "a;b"}, "'a;b' is no value for vwn (route)"),
    ({"w": "lb", "sw": "n1", "vwn": "a\r\nb"}, "is no value for vwn (route)"),
    ({"w": "lb", "sw": "n1", "vwn": ""}, "'' is no value for vwn (route)"),
    ({"w": "lb", "sw": "n1", "vwn": "x" * 256}, "the value of vwn (route) has 256 bytes; allowed: at most 255"),
    ({"w": "lb", "vlr": "0"}, "'0' is no value for vlr (retries)"),
    ({"w": "lb", "vls": "perhaps"}, "'perhaps' is no value for vls (sticky_session); allowed: true or false"),
    ({"w": "lb", "vlm": "q"}, "'q' is no value for vlm (method); allowed: Request, Traffic, Busyness, Sessions or Next"),
    ({"w": "lb", "vwf": "2"}, "'vwf' is no attribute of an lb worker"),
    ({"w": "lb", "sw": "n1", "vlr": "2"}, "'vlr' is no attribute of a sub worker"),
    ({"w": "single", "vwf": "2"}, "'vwf' is no attribute of an ajp worker"),
    ({"w": "single", "vamps": "100000"}, "'100000' is no value for vamps (max_packet_size)"),
    ({"w": "lb", "att": "vahst", "val0": "127.0.0.1"}, "'vahst' is no attribute that all sub workers have"),
    ({"w": "lb", "att": "nonsense", "val0": "1"}, "'nonsense' is no attribute that all sub workers have"),
    ({"w": "lb", "att": "vwf", "val0": "2", "val1": "x"}, "'x' is no value for vwf"),
], ids=lambda v: urllib.parse.urlencode(v)[:60] if isinstance(v, dict) else None)
def test_bad_values(page, params, words):
    """422 in words, and nothing was changed, not even what was right in the same request."""
    page.httpd.expect("Status worker 'status': Update failed")
    before = page.json()
    answer = page.post(cmd="update", **params, **({"varo": "1"} if "sw" in params else {}))
    assert answer.status == 422 and answer.text.startswith('Result: type=ERROR message="Update failed: ') and words in answer.text, answer.text
    after = page.json()
    for one in (before, after):
        for b in one["balancers"]:
            b.update(dict.fromkeys(("time_to_maintenance_min", "time_to_maintenance_max", "last_reset_ago", "good", "degraded", "bad")))
            b["members"] = [{k: v for k, v in m.items() if k not in MOVES and not k.startswith("pool_")} for m in b["members"]]
    assert before["balancers"] == after["balancers"]


def test_one_attribute_of_all_members(edited):
    """val counts from 0; who has none stays as it is."""
    edited.change(cmd="update", w="lb", att="vwf", val0="2", val1="3")
    assert [m["lbfactor"] for m in edited.lb()["members"]] == [2, 3]
    edited.change(cmd="update", w="lb", att="vwd", val1="5")
    assert [m["distance"] for m in edited.lb()["members"]] == [0, 5]
    assert [m["lbmult"] for m in edited.lb()["members"]] == [3, 2], "multipliers are worked out anew"


@pytest.mark.differs("a pattern that no member matches is no error")
def test_wildcards(edited):
    edited.change(cmd="update", w="lb", sw="n?", vabl="8")
    assert [m["busy_limit"] for m in edited.lb()["members"]] == [8, 8]
    edited.change(cmd="update", w="lb", sw="*1", vabl="9")
    assert [m["busy_limit"] for m in edited.lb()["members"]] == [9, 8]
    edited.httpd.expect("could not find sub worker")
    assert edited.post(cmd="update", w="lb", sw="x*", vabl="1").status == 404


def test_what_is_not_there_stays(edited):
    """A flag that the form does not send is not unset (bug 45610)."""
    edited.change(cmd="update", w="lb", vlf="1")
    edited.change(cmd="update", w="lb", vlt="61")
    assert edited.lb()["sticky_session_force"] is True and edited.lb()["sticky_session"] is True


@pytest.mark.differs("it does not show what differs from the file")
def test_nothing_to_change(edited):
    edited.change(cmd="update", w="lb", sw="n1", vwf="1", vahst="127.0.0.1")
    assert not [ln for ln in edited.httpd.jk_log.since_mark() if "changing" in ln] and edited.member("n1")["edits"] == []


@pytest.mark.differs("10ms is 10 MB")
def test_values_have_units(edited):
    edited.change(cmd="update", w="single", vart="2s", vacpt="3m", vamps="9k")
    one = edited.worker("single")
    assert (one["reply_timeout"], one["connection_pool_timeout"], one["max_packet_size"]) == (2000, 180, 9216)


@pytest.mark.differs("200 for everything")
def test_a_status_worker_has_no_values(page):
    for command, words in (("update", "Update failed"), ("reset", "Reset failed"), ("recover", "Marking worker for recovery failed")):
        page.httpd.expect(words)
        answer = page.post(cmd=command, w="status")
        assert (answer.status, answer.text) == (400, f'Result: type=ERROR message="{words}"\n')


# ---- seen in what happens ----

def answered_by(httpd, n=6, path="/lb/who", headers=()):
    return {re.search(r'"peer": "(\w+)"', client.get(httpd.port, path, headers).text).group(1) for _ in range(n)}


def test_activation_and_distance(edited):
    assert answered_by(edited.httpd) == {"one"}
    edited.change(cmd="update", w="lb", sw="n2", vwa="A")
    assert answered_by(edited.httpd) == {"one", "two"}
    edited.change(cmd="update", w="lb", sw="n1", vwd="1")
    assert answered_by(edited.httpd) == {"two"}
    edited.change(cmd="update", w="lb", sw="n1", vwd="0", vwa="S")
    assert answered_by(edited.httpd) == {"two"}


def test_shares_follow_lbfactor(edited):
    edited.change(cmd="update", w="lb", att="vwa", val0="A", val1="A")
    edited.change(cmd="update", w="lb", sw="n1", vwf="3")
    got = [re.search(r'"peer": "(\w+)"', client.get(edited.httpd.port, "/lb/y").text).group(1) for _ in range(16)]
    assert (got.count("one"), got.count("two")) == (12, 4)


def test_activation_resets_load_values(edited):
    answered_by(edited.httpd, 5)
    assert edited.member("n1")["lbvalue"] > 0
    edited.change(cmd="update", w="lb", sw="n2", vwa="A")
    assert [m["lbvalue"] for m in edited.lb()["members"]] == [0, 0]


@pytest.mark.differs("the names of cookies cannot be edited")
def test_route_and_session(edited):
    edited.change(cmd="update", w="lb", att="vwa", val0="A", val1="A")
    edited.change(cmd="update", w="lb", sw="n2", vwn="here")
    assert answered_by(edited.httpd, headers=[("Cookie", "JSESSIONID=x.here")]) == {"two"}
    edited.change(cmd="update", w="lb", vlsc="SID")
    assert answered_by(edited.httpd, headers=[("Cookie", "SID=x.here")]) == {"two"}
    edited.change(cmd="update", w="lb", vls="0")
    edited.change(cmd="reset", w="lb")
    assert answered_by(edited.httpd, headers=[("Cookie", "SID=x.here")]) == {"one", "two"}


def test_reply_timeout_and_busy_limit(edited, peers):
    peers[0].on("/s/slow", [SLEEP(0.6), CLOSE])
    edited.httpd.allow("Timeout with waiting reply", "Tomcat is down", "connecting to tomcat failed", "No response has been sent")
    edited.change(cmd="update", w="single", vart="100", var="1")
    assert client.get(edited.httpd.port, "/s/slow").status in (503, 504)


@pytest.mark.differs("host=name:port is not known")
def test_address(edited, peers):
    """The container moves: idle connections to the old place are closed at once, and the next request goes to the new one."""
    assert answered_by(edited.httpd, 2, "/s/who") == {"one"}
    before = proc.wait_until(lambda: peers[0].open_connections(), 2)
    edited.change(cmd="update", w="single", vaprt=str(peers[1].port))
    assert answered_by(edited.httpd, 3, "/s/who") == {"two"}
    assert edited.worker("single")["address"] == f"127.0.0.1:{peers[1].port}" and before
    assert proc.wait_until(lambda: not peers[0].open_connections(), 3), "what led to the old place is closed"
    edited.change(cmd="update", w="single", vahst=f"localhost:{peers[0].port}")
    assert answered_by(edited.httpd, 3, "/s/who") == {"one"} and edited.worker("single")["port"] == peers[0].port
    edited.httpd.graceful()
    assert answered_by(edited.httpd, 3, "/s/who") == {"one"} and edited.worker("single")["host"] == "localhost", "and stays there over a restart"


def test_a_provisioned_member(fresh_httpd, peers):
    """port=0 in the file: stopped, until it is told where its container is."""
    workers = text_of({"one": peers[0].port, "two": 0})
    edited = Page(fresh_httpd(MOUNTS, workers=workers))
    assert (edited.member("n2")["address"], edited.member("n2")["activation"]) == ("invalid", "STP")
    edited.change(cmd="update", w="lb", sw="n2", vaprt=str(peers[1].port), vwa="A")
    assert answered_by(edited.httpd) == {"one", "two"}


@pytest.mark.differs("an lb worker counts no requests")
def test_reset(edited):
    answered_by(edited.httpd, 4)
    client.get(edited.httpd.port, "/s/a")
    assert edited.member("n1")["elected"] == 4 and edited.worker("single")["used"] == 1
    edited.change(cmd="reset", w="lb", sw="n2")
    assert edited.member("n1")["elected"] == 4
    edited.change(cmd="reset", w="lb", sw="n1")
    now = edited.member("n1")
    assert [now[k] for k in ("elected", "sessions", "errors", "client_errors", "transferred", "read", "lbvalue", "max_busy", "reply_timeouts")] == [0] * 9
    assert edited.worker("single")["used"] == 1 and edited.lb()["requests"] == 4
    edited.change(cmd="reset", w="lb")
    edited.change(cmd="reset", w="single")
    assert edited.worker("single")["used"] == edited.lb()["requests"] == edited.worker("single")["transferred"] == 0
    assert edited.httpd.jk_lines("Status worker 'status' resetting sub worker 'n1' of lb worker 'lb' by somebody")


@pytest.mark.differs("200 for everything")
def test_recover(edited, peers):
    edited.httpd.allow("")
    assert edited.post(cmd="recover", w="lb", sw="n1").status == 409, "it is not in error"
    peers[0].on("/lb/broken", [CLOSE])
    client.get(edited.httpd.port, "/lb/broken")
    broken = edited.member("n1")
    assert broken["state"] == "ERR" and broken["time_to_recover_min"] > 0 and broken["error_time_ago"] >= 0 and broken["health"] == "bad"
    member = edited.xml().find(f"{JK}balancers/{JK}balancer/{JK}member")
    assert names(member)[-4:] == ERROR
    assert [k for k, _ in edited.prop() if "error_time" in k] == ["worker.lb.error_time_datetime", "worker.lb.error_time_tz",
                                                                  "worker.lb.error_time_unix seconds", "worker.lb.error_time_ago seconds"]
    edited.change(cmd="recover", w="lb", sw="n1")
    assert edited.member("n1")["state"] == "ERR/REC"
    assert answered_by(edited.httpd, 2) == {"one"} and edited.member("n1")["state"] == "OK"
    assert edited.post(cmd="recover", w="lb").status == 409, "a balancer is not recovered as a whole"


CHILDREN = "ServerLimit 3\nStartServers 3\nThreadsPerChild 5\nMaxRequestWorkers 15\nMinSpareThreads 15\nMaxSpareThreads 15\n"


@pytest.mark.differs("there is no token")
@pytest.mark.skipif(os.environ.get("JK_MPM") == "prefork", reason="its children are many")
def test_every_child_has_it(fresh_httpd, peers):
    """One child makes the change; all of them show it, and go by it."""
    edited = Page(fresh_httpd(CHILDREN + MOUNTS, workers=text_of({"one": peers[0].port, "two": peers[1].port})))
    children = proc.children_of(edited.httpd.pid)
    token, seen, tokens = edited.token(), set(), set()
    edited.change(cmd="update", token=token, w="lb", att="vwa", val0="S", val1="A")
    for _ in range(200):
        with client.Wire(edited.httpd.port) as held, client.Wire(edited.httpd.port) as more:
            shown = json.loads(held.get("/status?mime=json").body)
            assert {m["name"]: m["activation"] for m in shown["balancers"][0]["members"]} == {"n1": "STP", "n2": "ACT"}
            assert '"peer": "two"' in more.get("/lb/y").text
            seen.add(shown["process"]["pid"])
            tokens.add(shown["changes"]["token"])
        if len(seen) >= 3:
            break
    assert len(seen) >= 2 and seen <= children and tokens == {token}, "and one token is every child's"


@pytest.mark.differs("everything is forgotten")
def test_over_a_graceful_restart(edited):
    token = edited.token()
    edited.change(cmd="update", w="lb", sw="n1", vwf="7")
    edited.httpd.graceful()
    assert edited.member("n1")["lbfactor"] == 7 and edited.member("n1")["edits"] == [{"key": "lbfactor", "file": "1", "now": "7"}]
    assert edited.token() == token, "a page that was loaded before goes on"
    edited.httpd.write_workers(edited.httpd.workers + "worker.n1.lbfactor=2\n")
    edited.httpd.graceful()
    assert edited.member("n1")["lbfactor"] == 2 and edited.member("n1")["edits"] == [], "what was written in the file since wins"


# ---- who may ----

@pytest.mark.differs("a GET changes things")
def test_get_changes_nothing(page):
    page.httpd.expect("Changes need POST and a token")
    for params in ({"cmd": "update", "w": "lb", "sw": "n1", "vwf": "9"}, {"cmd": "reset", "w": "lb"}, {"cmd": "recover", "w": "lb", "sw": "n1"}):
        answer = page.get(mime="txt", **params)
        assert answer.status == 405 and "allow_get_changes=true" in answer.text and answer.header("Allow") == "POST"
    assert page.member("n1")["lbfactor"] == 1


@pytest.mark.differs("any site that an administrator visits can change things")
def test_get_changes_where_allowed(edited):
    """Old scripts: worker.old.allow_get_changes=true."""
    old = Page(edited.httpd, "/old")
    answer = old.get(cmd="update", w="lb", sw="n1", vwf="9", mime="xml")
    assert answer.status == 200 and 'message="Action finished"' in answer.text and edited.member("n1")["lbfactor"] == 9
    edited.httpd.expect("comes from another site", "no value")
    assert old.get([("Sec-Fetch-Site", "cross-site")], cmd="update", w="lb", sw="n1", vwf="8", mime="txt").status == 403
    assert old.get(cmd="update", w="lb", sw="n1", vwf="x", mime="txt").status == 422
    assert edited.member("n1")["lbfactor"] == 9


@pytest.mark.differs("any site that an administrator visits can change things")
@pytest.mark.parametrize("headers, token, words", [
    ([], "", "Changes need a token"),
    ([], "0" * 40, "The token is not valid"),
    ([], "x", "The token is not valid"),
    ([("Origin", "http://evil.example")], None, "comes from another site"),
    ([("Origin", "null")], None, "comes from another site"),
    ([("Sec-Fetch-Site", "cross-site")], None, "comes from another site"),
    ([("Sec-Fetch-Site", "same-site")], None, "comes from another site"),
], ids=["none", "wrong", "short", "origin", "null", "cross-site", "same-site"])
def test_forgery(page, headers, token, words):
    page.httpd.expect(words)
    answer = page.post(headers, token, cmd="update", w="lb", sw="n1", vwf="9")
    assert answer.status == 403 and words in answer.text and page.member("n1")["lbfactor"] == 1


@pytest.mark.differs("there is no token")
def test_a_token_of_another_page_or_in_the_query_is_none(page):
    page.httpd.expect("The token is not valid", "Changes need a token")
    other = Page(page.httpd, "/old").token()
    assert page.post((), other, cmd="update", w="lb", sw="n1", vwf="9").status == 403
    url = page.url(cmd="update", w="lb", sw="n1", vwf="9", token=page.token())
    assert client.ask(page.httpd.port, "POST", url).status == 403
    assert page.member("n1")["lbfactor"] == 1 and "changes" not in Page(page.httpd, "/reader").json(), "who may only read gets none"


@pytest.mark.differs("there is no token")
def test_own_origin_and_header(edited):
    """What a browser sends for our own form; and a script: parameters in the query, the token in a header."""
    port = edited.httpd.port
    answer = edited.post([("Origin", f"http://127.0.0.1:{port}"), ("Sec-Fetch-Site", "same-origin")], cmd="update", w="lb", sw="n1", vwf="3")
    assert answer.status == 200 and edited.member("n1")["lbfactor"] == 3
    answer = edited.post([("Origin", "https://public.example"), ("Sec-Fetch-Site", "same-origin")], cmd="update", w="lb", sw="n1", vwf="5")
    assert answer.status == 200, "behind a proxy that changes the Host"
    url = edited.url(cmd="update", w="lb", sw="n1", vwf="4", mime="json")
    answer = client.ask(port, "POST", url, [("X-JK-Token", edited.token())])
    assert answer.status == 200 and json.loads(answer.body)["result"]["type"] == "OK" and edited.member("n1")["lbfactor"] == 4


@pytest.mark.differs("the body is not looked at")
@pytest.mark.parametrize("body, kind, status", [(b"{}", "application/json", 415), (b"a=b&" * 20000, None, 413), (b"w=%zz&cmd=show", None, 400),
                                                (b"w=a\0b", None, 400)], ids=["json", "large", "escape", "NUL"])
@pytest.mark.parametrize("chunked", [False, True], ids=["length", "chunked"])
def test_bodies(page, body, kind, status, chunked):
    page.httpd.expect("Status worker 'status': ")
    answer = client.ask(page.httpd.port, "POST", "/status", [("Content-Type", kind or "application/x-www-form-urlencoded")], body, chunked=chunked)
    assert answer.status == status, answer


@pytest.mark.differs("every method is a GET")
def test_methods(page):
    for method in ("PUT", "DELETE", "PROPFIND"):
        answer = client.ask(page.httpd.port, method, "/status?cmd=reset&w=lb")
        assert answer.status == 405 and {"GET", "HEAD", "POST"} <= set(re.split(", *", answer.header("Allow"))), answer


@pytest.mark.differs("200 for everything")
def test_read_only(page):
    reader = Page(page.httpd, "/reader")
    page.httpd.expect("This command is not allowed in read only mode")
    token = page.token()
    for command in ("edit", "update", "reset", "recover"):
        answer = reader.post((), token, cmd=command, w="lb")
        assert (answer.status, answer.text) == (403, 'Result: type=ERROR message="This command is not allowed in read only mode."\n')
    text = reader.get().text
    assert "(read only)" in text and "<form" not in text and 'name="token"' not in text


USERS = """\
AuthType Basic
AuthName x
AuthUserFile conf/users
"""


@pytest.mark.differs("200 for everything")
@pytest.mark.parametrize("config, user, status", [
    ("worker.status.user=alice bob\n", "alice", 200), ("worker.status.user=alice\nworker.status.user=bob\n", "bob", 200),
    ("worker.status.user=alice\n", "bob", 403), ("worker.status.user=Alice\n", "alice", 403),
    ("worker.status.user=Alice\nworker.status.user_case_insensitive=true\n", "alice", 200), ("worker.status.user=alice\n", None, 403),
    ("", None, 200)], ids=["first", "repeated", "other", "case", "any case", "nobody", "no list"])
def test_users(fresh_httpd, config, user, status):
    """By the user's name as the container would be told: JK_REMOTE_USER counts."""
    httpd = fresh_httpd("JkMount /status status\nSetEnvIf X-User (.+) JK_REMOTE_USER=$1\n", workers="worker.list=status\nworker.status.type=status\n" + config)
    if status == 403:
        httpd.expect(f"Status worker 'status' service denied for user '{user or r'.null.'}'")
    answer = Page(httpd, headers=[("X-User", user)] if user else []).get(mime="txt")
    assert answer.status == status
    if status == 403:
        assert answer.text == 'Result: type=ERROR message="Access denied."\n'


@pytest.mark.differs("there is no token")
def test_a_token_is_one_users(fresh_httpd):
    httpd = fresh_httpd("JkMount /status status\nSetEnvIf X-User (.+) JK_REMOTE_USER=$1\n",
                        workers="worker.list=status,w\nworker.status.type=status\nworker.w.port=8009\n")
    alice, bob = (Page(httpd, headers=[("X-User", name)]) for name in ("alice", "bob"))
    httpd.expect("The token is not valid")
    assert bob.post((), alice.token(), cmd="update", w="w", vabl="1").status == 403
    alice.change(cmd="update", w="w", vabl="1")
    assert httpd.jk_lines(r"changing 'busy_limit' for ajp worker 'w' from '0' to '1' by user 'alice' at 127\.0\.0\.1")


# ---- hostile words ----

EVIL = "<script>alert(1)</script>\"'&%\\"


@pytest.mark.parametrize("mime", ["html", "xml", "txt", "prop", "json"])
@pytest.mark.parametrize("params", [{"w": EVIL, "cmd": "show"}, {"cmd": EVIL}, {"w": "lb", "sw": EVIL, "cmd": "show"}, {"x": EVIL}, {"re": EVIL}, {"opt": EVIL},
                                    {"from": EVIL, "psw": EVIL}], ids=lambda p: ",".join(p))
def test_hostile_parameters(page, mime, params):
    page.httpd.allow("Could not find given worker", "could not find sub worker", "Invalid command")
    answer = page.get(mime=mime, **params)
    assert b"<script" not in answer.body
    if mime == "xml" and shutil.which("xmllint"):
        assert subprocess.run(["xmllint", "--noout", "-"], input=answer.body).returncode == 0


@pytest.mark.differs("a quote is not escaped")
@pytest.mark.parametrize("path", ["/status/%22%3E%3Cscript%3E", "/status/'onx='", "/status/%0d%0aX-Evil:1"])
def test_hostile_paths(fresh_httpd, path):
    httpd = fresh_httpd("JkMount /status/* status", workers="worker.list=status,w\nworker.status.type=status\nworker.w.port=8009\n")
    answer = client.get(httpd.port, path)
    assert answer.status in (200, 404, 403) and b"<script" not in answer.body and b"'onx='" not in answer.body and answer.header("X-Evil") is None


@pytest.mark.differs("another page")
def test_links_stay_here(fresh_httpd):
    """A path with two slashes at its head, in the ways that leave them there: no link, no form leads to another host."""
    httpd = fresh_httpd("MergeSlashes Off\n<Location />\nSetHandler jakarta-servlet\nSetEnv JK_WORKER_NAME status\n</Location>\n",
                        workers="worker.list=status,w\nworker.status.type=status\nworker.w.port=8009\n")
    answer = client.get(httpd.port, "//evil.example/x?cmd=show&w=w")
    assert answer.status == 200 and "action='/evil.example/x'" in answer.text and "'//" not in answer.text


@pytest.mark.differs("not well-formed, and unescaped")
def test_hostile_names(fresh_httpd):
    """Names of workers and mounts, values of variables: all of it is text, in every format."""
    name = "<b>'&\"x"
    workers = (f"worker.list=status,{name}\nworker.status.type=status\nworker.{name}.port=8009\nworker.{name}.host=localhost\n"
               "evil=</jk:status>]]>&quot;<!--\nbytes=\x01\x7f\n1 odd$key:=x\n").encode() + b"latin=\xe9\xff\n"
    httpd = fresh_httpd(f"JkMount \"/a<b>&'\" \"{name.replace(chr(34), chr(92) + chr(34))}\"\nJkMount /status status\n", start=False)
    httpd.write("conf/workers.properties", workers)
    httpd.config = "JkWorkersFile conf/workers.properties\n" + httpd.config
    httpd.write_config()
    httpd.startup = ["mod_jk: "]
    httpd.start()
    page = Page(httpd)
    for params in ({}, {"cmd": "dump"}, {"cmd": "show", "w": name}):
        root = page.xml(**params)
        assert root.find(JK + "result").get("type") == "OK"
        assert page.json(**params)["result"]["type"] == "OK"
        lines = page.get(mime="txt", **params).body.split(b"\n")
        assert all(line == b"" or b"=" in line or line == b"Configuration:" for line in lines)
        text = page.get(**params).text
        assert "<b>'" not in text and "</jk" not in text and ET.fromstring(text).tag.endswith("html")
    assert [w["name"] for w in page.json()["ajp_workers"]] == [name]
    assert page.xml().find(f"{JK}ajp_workers/{JK}ajp").get("name") == name
    assert page.json(cmd="dump")["configuration"]["latin"] == "\ufffd\ufffd"


# ---- maps, check, and the rest ----

@pytest.mark.differs("no JSON")
def test_the_page_looks_at_rule_files(fresh_httpd):
    """Whatever JkMountFileReload says (gotcha 77)."""
    httpd = fresh_httpd("JkMount /status status\nJkMountFile conf/map\nJkMountFileReload 3600\n", files={"conf/map": "/a=w\n"},
                        workers="worker.list=status,w\nworker.status.type=status\nworker.w.port=8009\n")
    page = Page(httpd)
    assert [m["uri"] for m in page.worker("w")["maps"]] == ["/a"] and page.worker("w")["maps"][0]["source"] == "uriworkermap"
    httpd.write("conf/map", "/a=w\n-!/b*=w\n/c=w;path=/other\n")
    maps = page.worker("w")["maps"]
    assert [(m["uri"], m["type"]) for m in maps] == [("/b*", "Disabled Unmount Wildchar"), ("/a", "Exact"), ("/c", "Exact")]
    assert maps[2]["path"] == "/other" and maps[2]["place"].endswith("conf/map:3")


@pytest.mark.differs("the server died")
def test_a_broken_configuration_is_shown(fresh_httpd):
    httpd = fresh_httpd("JkMount /status status\n", workers="worker.list=status,w\nworker.status.type=status\nworker.w.port=8009\n")
    httpd.write_workers("worker.list=status,w\nworker.status.type=status\nworker.w.type=nonsense\n")
    httpd.allow("mod_jk: ", "JK0101")
    httpd.graceful()
    seen = Page(httpd).json()
    assert seen["process"]["config_stale"] is True
    assert [f["severity"] for f in seen["findings"]] == ["error"] and seen["findings"][0]["line"] == 3, seen["findings"]
    httpd.mark()


def test_namespace_and_prefix(fresh_httpd):
    keys = ("worker.status.ns=-\nworker.status.xmlns=-\nworker.status.doctype=<!DOCTYPE x>\nworker.status.prefix=jk\nworker.status.css=/x'.css\n")
    httpd = fresh_httpd("JkMount /status status\n", workers="worker.list=status\nworker.status.type=status\n" + keys)
    page = Page(httpd)
    assert page.get(mime="xml").text.startswith('<?xml version="1.0" encoding="UTF-8" ?>\n<!DOCTYPE x>\n<status\n>\n<server\n')
    assert page.prop()[0][0] == "jk.server_name"
    assert INCUMBENT or "<link rel='stylesheet' href='/x&#39;.css'/>" in page.get().text


@pytest.mark.parametrize("keys, counts", [("", (1, 1, 0)), ("worker.status.good=a\nworker.status.bad=d\n", (1, 0, 1)),
                                          ("worker.status.good=d.i\nworker.status.bad=e\n", (1, 1, 0))])
def test_good_and_bad(fresh_httpd, keys, counts):
    httpd = fresh_httpd("JkMount /status status\n", workers=text_of({"one": 8009, "two": 8010}) + keys)
    lb = Page(httpd).lb()
    assert (lb["good"], lb["degraded"], lb["bad"]) == counts


def test_request_log_and_notes(fresh_httpd):
    """A request of the status worker is one of ours: worker, time, status."""
    httpd = fresh_httpd('JkMount /status status\nJkRequestLogFormat "%w %s %T %V"\n', workers="worker.list=status\nworker.status.type=status\n")
    Page(httpd).get()
    assert httpd.jk_lines(r"status 200 0\.\d{6} ")


# ---- JkStateFile ----

STATE = "JkStateFile run/state\n" + MOUNTS


def restarted(page):
    page.httpd.stop()
    page.httpd.start()


@pytest.mark.differs("there is no JkStateFile")
def test_state_file(fresh_httpd, peers):
    """Over a full stop: what was changed, who did it; not what the file says otherwise by then."""
    page = Page(fresh_httpd(STATE, workers=text_of({"one": peers[0].port, "two": peers[1].port})))
    path = page.httpd.path("run/state")
    page.change(cmd="update", w="lb", sw="n1", vwf="7", vabl="3")
    page.change(cmd="update", w="single", vahst="localhost", vaprt=str(peers[1].port))
    page.change(cmd="update", w="lb", vlm="B")
    page.httpd.stop()
    assert os.stat(path).st_mode & 0o777 == 0o600 and not os.path.exists(path + ".new")
    kept = json.load(open(path))
    assert kept["workers"]["lb/n1"]["edits"] == {"lbfactor": {"value": "7", "file": "1"}, "busy_limit": {"value": "3", "file": "0"}}
    page.httpd.write_workers(page.httpd.workers + "worker.n1.lbfactor=2\n")
    page.httpd.start()
    assert page.httpd.jk_log.text().count("values that were changed at run time are in force again") == 1
    assert "lbfactor of 'lb/n1': the workers file says something else now, and wins" in page.httpd.jk_log.text()
    n1 = page.member("n1")
    assert (n1["lbfactor"], n1["busy_limit"], page.lb()["method"]) == (2, 3, "Busyness")
    assert answered_by(page.httpd, 2, "/s/who") == {"two"}, "the address holds in every child from its first request on"
    assert page.worker("single")["edited_at"] > 0 and page.worker("single")["edited_by"] == ""
    restarted(page)
    assert page.member("n1")["busy_limit"] == 3, "the values stay where nothing more is changed"
    page.change(cmd="update", w="lb", sw="n1", vabl="0")
    page.httpd.graceful()
    assert "busy_limit" not in open(path).read(), "written at a restart, too"


@pytest.mark.differs("there is no JkStateFile")
@pytest.mark.parametrize("text, said", [
    ("", None), ("{", "is broken: line 1"), ("[]", "it is no state file"), ('{"version": 2, "workers": {}}', "it is no state file"),
    ('{"version": 1, "workers": {"lb/n1": 5, "x": {}, "lb": {"edits": {"retries": 7, "host": {}, "no": {}}}}}', None),
    ('{"version": 1, "workers": {"lb/n1": {"edits": {"lbfactor": {"value": "many", "file": "1"}}}}}', None), ("\0\1", "is broken")])
def test_broken_state_file(fresh_httpd, text, said):
    httpd = fresh_httpd(STATE, workers=text_of({"one": 8009, "two": 8010}), start=False)
    httpd.write("run/state", text)
    httpd.startup = [said] if said else []
    httpd.start()
    page = Page(httpd)
    assert page.member("n1")["lbfactor"] == 1 and page.member("n1")["edits"] == []
    httpd.stop()
    assert open(httpd.path("run/state")).read() == text, "it is not touched before something is changed"


@pytest.mark.differs("there is no JkStateFile")
def test_state_file_that_cannot_be_read(fresh_httpd):
    """Told at the start, and at a restart: what it says of members without a place would be gone with the next change."""
    said = r"JkStateFile .*run/state could not be read: .*\[JK0105\]$"
    httpd = fresh_httpd(STATE, workers=text_of({"one": 8009, "two": 8010}), start=False)
    os.mkdir(httpd.path("run/state"))
    httpd.startup = [said]
    httpd.start()
    assert Page(httpd).member("n1")["edits"] == []
    httpd.expect(said)
    httpd.graceful()


@pytest.mark.differs("there is no JkStateFile")
def test_state_file_that_cannot_be_written(fresh_httpd):
    httpd = fresh_httpd("JkStateFile no/such/state\n" + MOUNTS, workers=text_of({"one": 8009, "two": 8010}), startup=["there is no directory"])
    Page(httpd).change(cmd="update", w="single", vabl="3")
    httpd.allow("there is no directory")
    httpd.expect(r"JkStateFile .*no/such/state could not be written: .*\[JK0107\]$")
    httpd.graceful()


@pytest.mark.differs("there is no JkStateFile")
@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
@pytest.mark.parametrize("path, mode, words", [
    ("run/state", 0o755, None), ("run/state", 0o777, r"every user of this machine can change what the server does: /tmp/\S*/run can be written by all"),
    ("none/state", 0o755, r"there is no directory /tmp/\S*/none/"), ("run/state", "user", r"the server's user \(\S+\) can write to /tmp/\S*/run/, and need not")])
def test_where_a_state_file_lies(fresh_httpd, path, mode, words):
    httpd = fresh_httpd(f"JkStateFile {path}\n" + MOUNTS, workers=text_of({"one": 8009, "two": 8010}), start=False)
    if mode == "user":
        shutil.chown(httpd.path("run"), server_user()[0])
    else:
        os.chmod(httpd.path("run"), mode)
    said = [line for line in httpd.configtest()[1].splitlines() if "JkStateFile" in line]
    assert len(said) == (words is not None) and all(re.search(r"warning: .*httpd\.conf:\d+: JkStateFile \S+: " + words, line) for line in said), said


@pytest.mark.differs("there is no JkStateFile")
def test_state_file_follows_no_link(fresh_httpd):
    httpd = fresh_httpd(STATE, workers=text_of({"one": 8009, "two": 8010}))
    target = httpd.write("run/target", "mine")
    os.symlink(target, httpd.path("run/state.new"))
    Page(httpd).change(cmd="update", w="single", vabl="3")
    httpd.stop()
    assert open(target).read() == "mine" and not os.path.islink(httpd.path("run/state"))
