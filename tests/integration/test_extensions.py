"""Rule extensions: what a mount says of its requests behind the worker's name (spec: uri_map.md 5), wherever a mount may stand, and the
environment that beats them."""
import re

import pytest
from lib import ajp, client, proc
from lib.ajp_peer import STALL
from lib.httpd import INCUMBENT
from lib.workers import ajp13, lb

MEMBERS = ("m1", "m2", "m3")


@pytest.fixture(scope="module")
def peers(make_peer):
    return [make_peer(name=name) for name in MEMBERS]


@pytest.fixture(scope="module")
def httpd(make_httpd, peers):
    members = {name: {"port": peer.port, "retries": 1} for name, peer in zip(MEMBERS, peers)}
    workers = lb("b", members, {"recover_time": 1, "error_escalation_time": 0}) + \
        lb("single", {"alone": {"port": peers[0].port}}) + "worker.list=w\nworker.w.mount=/by/worker/*\n" + \
        f"worker.w.host=127.0.0.1\nworker.w.port={peers[0].port}\nworker.w.retries=1\n"
    main = """
JkMount /timeout/* w;reply_timeout=200
JkMount /patient/* w;reply_timeout=20000
JkMount /plain/* b
JkMount /ignore/* b;sticky_ignore=1
JkMount /stateless/* b;stateless=1
JkMount /stopped/* "b;stopped=m1,m2"
JkMount /disabled/* "b;disabled=m1 m2"
JkMount /fail/* b;fail_on_status=500
JkMount /soft/* w;fail_on_status=-404
JkMount /errors/* w;use_server_errors=400
JkMount /errors5/* w;use_server_errors=500
JkMount /cookie/* b;session_cookie=SID
JkMount /path/* b;session_path=;sid
JkMount /path2/* "b;session_path=;sid;sticky_ignore=0"
JkMount /setcookie/* b;set_session_cookie=1
JkMount /setcookie2/* b;set_session_cookie=1;session_cookie=SID;session_cookie_path=/app
JkMount /alone/* single;set_session_cookie=1
ErrorDocument 404 "httpd's own page"
ErrorDocument 500 "httpd's own page"
ErrorDocument 401 "httpd's own page"
SetEnvIf X-Reply-Timeout "(.+)" JK_REPLY_TIMEOUT=$1
SetEnvIf X-Sticky-Ignore "^v(.*)$" JK_STICKY_IGNORE=$1
SetEnvIf X-Stateless "^v(.*)$" JK_STATELESS=$1
SetEnvIf X-Route "(.+)" JK_ROUTE=$1
<Location /named>
  SetHandler jakarta-servlet
  SetEnv JK_WORKER_NAME "b;stopped=m1,m2"
</Location>
<Location /named/timeout>
  SetEnv JK_WORKER_NAME w;reply_timeout=200
</Location>
<Location /named/wrong>
  SetEnv JK_WORKER_NAME w;statless=1;path=/x
</Location>
<VirtualHost *:1>
  ServerName other
</VirtualHost>
CustomLog logs/notes "%U %{JK_WORKER_NAME}n %{JK_WORKER_ROUTE}n %{JK_LB_LAST_SESSIONS}n %{JK_LB_LAST_NAME}n"
"""
    files = {"conf/rules.properties": "/file/*=b;stopped=m1,m2\n!/file/static/*=b;stopped=m1\n"}
    return make_httpd("JkMountFile conf/rules.properties\nJkWatchdogInterval 1\nJkWorkerProperty worker.maintain=1\n" + main, workers=workers, files=files)


def who(answer):
    return re.search('"peer": "(\\w+)"', answer.text)[1] if answer.status == 200 else answer.status


def ask_all(httpd, path, n=9, headers=()):
    with client.Wire(httpd.port) as wire:
        return [who(wire.get(f"{path}/{i}", list(headers))) for i in range(n)]


def sticky(member, cookie="JSESSIONID"):
    return [("Cookie", f"{cookie}=a.{member}")]


# ---- reply_timeout ----

def test_reply_timeout(httpd, peers):
    httpd.expect("Timeout with waiting reply")
    httpd.allow("connecting to tomcat failed")
    peers[0].on("/timeout/x", STALL)
    assert client.get(httpd.port, "/timeout/x").status == 504


@pytest.mark.parametrize("rule, value, status, why", [
    ("patient", "200", 504, "shorter than the rule's"),
    ("plain", "200", 504, "where the rule has none"),
    ("timeout", "20000", 200, "longer than the rule's"),
    ("timeout", "0", 200, "0: none"),
    ("timeout", "-1", 504, "a negative one does not count"),
])
def test_the_environment_beats_reply_timeout(httpd, peers, rule, value, status, why):
    """JK_REPLY_TIMEOUT. "plain" is a balancer's: every member is asked, and none answers."""
    httpd.allow("Timeout with waiting reply", "connecting to tomcat failed", "All tomcat instances", "error state", "retry_budget")

    def script(ex):
        if status == 504:
            return STALL(ex)
        ex.conn.drained(0.6)
        ex.send(ajp.answer("late"))
    for peer in peers:
        peer.on(f"/{rule}/x", script)
    answer = client.get(httpd.port, f"/{rule}/x", [("X-Reply-Timeout", value), *(sticky("m1") if rule == "plain" else [])])
    assert answer.status == status, why
    if rule == "plain":
        assert proc.wait_until(lambda: set(ask_all(httpd, "/plain", 12)) == set(MEMBERS), 15), "they recover"


# ---- balancers ----

def test_without_extensions(httpd):
    """What the others are compared with."""
    assert len(set(ask_all(httpd, "/plain"))) > 1
    assert set(ask_all(httpd, "/plain", headers=sticky("m2"))) == {"m2"}


def test_sticky_ignore(httpd):
    assert set(ask_all(httpd, "/ignore", headers=sticky("m2"))) != {"m2"}


@pytest.mark.parametrize("rule, value, sticks, why", [
    ("ignore", "0", True, "switched off for a request"),
    ("ignore", "no", True, "text is 0"),
    ("plain", "1", False, "switched on"),
    ("plain", "", False, "empty is on"),
    ("plain", "0", True, "0 is off"),
])
def test_the_environment_beats_sticky_ignore(httpd, rule, value, sticks, why):
    assert (set(ask_all(httpd, "/" + rule, headers=[*sticky("m2"), ("X-Sticky-Ignore", "v" + value)])) == {"m2"}) == sticks, why


def test_stateless(httpd, peers):
    """Requests that are no sessions do not count as new ones."""
    def count(path, headers=()):
        path_before, path_after = path + "/before", path + "/after"
        totals = []
        for at in (path_before, path_after):
            for member in MEMBERS:
                client.get(httpd.port, f"{at}/{member}", sticky(member))
            lines = proc.wait_until(lambda at=at: [ln.split() for ln in open(httpd.path("logs/notes")) if ln.startswith(at + "/m3 ")], 5)
            assert lines
            recent = {ln.split()[4]: int(ln.split()[3]) for ln in open(httpd.path("logs/notes")) if ln.startswith(at + "/")}
            totals.append(sum(recent.values()))
            if at == path_before:
                ask_all(httpd, path, 6, headers)
        return totals[1] - totals[0]
    assert count("/plain") == 6
    assert count("/stateless") == 0
    assert count("/stateless/on", [("X-Stateless", "v0")]) == 6, "the environment beats the rule"
    assert count("/plain/off", [("X-Stateless", "v1")]) == 0
    assert count("/plain/empty", [("X-Stateless", "v")]) == 0, "empty is on"


def test_stopped_members(httpd):
    """The rule's own activations: sessions too go elsewhere."""
    assert set(ask_all(httpd, "/stopped")) == {"m3"}
    assert set(ask_all(httpd, "/stopped", headers=sticky("m1"))) == {"m3"}
    assert set(ask_all(httpd, "/plain")) != {"m3"}, "only for that rule"


def test_disabled_members(httpd):
    """New requests elsewhere; sessions stay."""
    assert set(ask_all(httpd, "/disabled")) == {"m3"}
    assert set(ask_all(httpd, "/disabled", headers=sticky("m1"))) == {"m1"}


def test_fail_on_status(httpd, peers):
    httpd.allow("connecting to tomcat failed", "error state")
    peers[0].default = [ajp.answer("no", status=500)]
    answer = client.get(httpd.port, "/fail/x", sticky("m1"))
    assert answer.status == 200 and who(answer) in ("m2", "m3")
    peers[0].reset()
    assert proc.wait_until(lambda: set(ask_all(httpd, "/plain", 12)) == set(MEMBERS), 15), "it recovers"


def test_fail_on_status_is_the_rules(httpd, peers):
    """The worker has none: another rule passes the answer on."""
    peers[0].on("/plain/x", [ajp.answer("its own", status=500)])
    answer = client.get(httpd.port, "/plain/x", sticky("m1"))
    assert (answer.status, answer.text) == (500, "its own")


def test_soft_status_of_a_plain_worker(httpd, peers):
    httpd.allow("connecting to tomcat failed")
    peers[0].on("/soft/x", [ajp.answer("no", status=404)])
    assert client.get(httpd.port, "/soft/x").status == 503


# ---- use_server_errors ----

@pytest.mark.parametrize("path, status, text, why", [
    ("/errors/x", 404, "httpd's own page", "at the limit"),
    ("/errors/x", 500, "httpd's own page", "above it"),
    ("/errors/x", 399, "its own", "below it"),
    ("/errors5/x", 404, "its own", "below another"),
    ("/errors5/x", 500, "httpd's own page", "at another"),
    ("/plain/x", 404, "its own", "no limit"),
])
def test_use_server_errors(httpd, peers, path, status, text, why):
    for peer in peers:
        peer.on(path, [ajp.answer("its own", status=status, headers=[("X-Own", "1"), ("Set-Cookie", "a=b")])])
    answer = client.get(httpd.port, path)
    assert (answer.status, answer.text) == (status, text), why
    assert (answer.header("X-Own") is None) == (text != "its own"), "its headers go with it"


def test_use_server_errors_keeps_the_challenge(httpd, peers):
    peers[0].on("/errors/x", [ajp.answer("its own", status=401, headers=[("WWW-Authenticate", 'Basic realm="r"')])])
    answer = client.get(httpd.port, "/errors/x")
    assert (answer.status, answer.text, answer.header("WWW-Authenticate")) == (401, "httpd's own page", 'Basic realm="r"')


def test_use_server_errors_of_a_long_answer(httpd, peers):
    """A body that comes in many packets, with flushes: nothing of it is seen, and the connection stays in use."""
    peers[0].on("/errors/x", [ajp.send_headers(500, [("X-Own", "1")]), ajp.FLUSH, ajp.chunks(b"x" * 100000), ajp.FLUSH, ajp.end()])
    for _ in range(3):
        answer = client.get(httpd.port, "/errors/x")
        assert (answer.status, answer.text, answer.header("X-Own")) == (500, "httpd's own page", None)
    assert len(peers[0].used_connections()) == 1


def test_use_server_errors_of_head(httpd, peers):
    peers[0].on("/errors/x", [ajp.send_headers(404, [("Content-Length", "7")]), ajp.end()])
    with client.Wire(httpd.port) as wire:
        assert wire.ask("HEAD", "/errors/x").status == 404
        assert wire.get("/plain/x").status == 200, "the connection is in step"


# ---- sessions ----

def test_session_cookie(httpd):
    assert set(ask_all(httpd, "/cookie", headers=sticky("m2", "SID"))) == {"m2"}
    assert set(ask_all(httpd, "/cookie", headers=sticky("m2"))) != {"m2"}, "the usual name means nothing here"


@pytest.mark.differs("the ';' was eaten, and any name that ends in sid matched")
@pytest.mark.parametrize("path, sticks, why", [
    ("/path/x;sid=a.m2", True, "the rule's own"),
    ("/path/x;jsessionid=a.m2", False, "the usual one means nothing here"),
    ("/path/x;paysid=a.m2", False, "the ';' is a part of the name"),
    ("/path2/x;sid=a.m2", True, "with another extension behind it"),
])
def test_session_path(httpd, path, sticks, why):
    with client.Wire(httpd.port) as wire:
        assert ({who(wire.get(path)) for _ in range(9)} == {"m2"}) == sticks, why


@pytest.mark.parametrize("path, cookie, why", [
    ("/setcookie/x", r"JSESSIONID=\.(m\d);PATH=/;HttpOnly", "names and path of the balancer"),
    ("/setcookie2/x", r"SID=\.(m\d);PATH=/app;HttpOnly", "the rule's"),
    ("/alone/x", r"JSESSIONID=\.(alone);PATH=/;HttpOnly", "of the only member"),
])
@pytest.mark.differs("name and path of the rule were ignored, as was a balancer of one member")
def test_set_session_cookie(httpd, path, cookie, why):
    answer = client.get(httpd.port, path)
    match = re.fullmatch(cookie, answer.header("Set-Cookie") or "")
    assert match, f"{why}: {answer.headers}"
    again = client.get(httpd.port, path, [("Cookie", answer.header("Set-Cookie").split(";")[0])])
    assert again.status == 200 and again.header("Set-Cookie") is None, "it leads back, and no second one is set"
    if path != "/alone/x":
        assert who(again) == match[1]


def test_no_session_cookie_elsewhere(httpd):
    assert client.get(httpd.port, "/plain/x").header("Set-Cookie") is None


def test_route_of_the_environment(httpd, peers):
    """JK_ROUTE: the balancer's member, and the route that a plain worker's container is told."""
    assert set(ask_all(httpd, "/plain", headers=[("X-Route", "m2")])) == {"m2"}
    assert client.get(httpd.port, "/soft/x", [("X-Route", "r7")]).status == 200
    assert peers[0].last("/soft/x").attribute("route") == "r7"
    assert client.get(httpd.port, "/soft/y").status == 200
    assert not peers[0].last("/soft/y").has("route")


# ---- where a mount may stand ----

def test_in_a_rule_file(httpd):
    assert set(ask_all(httpd, "/file")) == {"m3"}
    assert client.get(httpd.port, "/file/static/x").status == 404, "an exclusion with extensions excludes its worker"


def test_worker_mount(httpd, peers):
    assert who(client.get(httpd.port, "/by/worker/x")) == "m1"


def test_in_the_environment(httpd):
    assert set(ask_all(httpd, "/named")) == {"m3"}


def test_reply_timeout_in_the_environment(httpd, peers):
    httpd.expect("Timeout with waiting reply")
    httpd.allow("connecting to tomcat failed")
    peers[0].on("/named/timeout/x", STALL)
    assert client.get(httpd.port, "/named/timeout/x").status == 504


@pytest.mark.skipif(INCUMBENT, reason="it wrote other words, each time")
def test_wrong_ones_in_the_environment_are_told_once(httpd, peers):
    httpd.expect("unknown rule extension 'statless' is ignored; did you mean 'stateless'.*JK0407", "path= needs a mount.*JK0407")
    for _ in range(3):
        assert client.get(httpd.port, "/named/wrong/x").status == 200
    assert len(httpd.jk_lines("unknown rule extension")) == 1
    assert peers[0].last().uri == "/named/wrong/x"


def test_the_note_has_the_name_alone(httpd):
    client.get(httpd.port, "/named/note")
    client.get(httpd.port, "/stopped/note")
    for path in ("/named/note", "/stopped/note"):
        lines = proc.wait_until(lambda path=path: [ln.split() for ln in open(httpd.path("logs/notes")) if ln.startswith(path + " ")], 5)
        assert lines[0][1] == "b"


# ---- findings ----

FINDINGS = [
    ("JkMount /x b;statless=1", r"httpd\.conf:\d+: unknown rule extension 'statless' is ignored; did you mean 'stateless'\?"),
    ("JkMount /x w;reply_timeout=soon", r"httpd\.conf:\d+: 'soon' is no value for reply_timeout; allowed: a number with ms, s, m or h"),
    ("JkMount /x b;stopped=m4", r"httpd\.conf:\d+: stopped=m4: 'b' has no such member; did you mean 'm1'\?"),
    ("JkMount /x w;stopped=m1", r"httpd\.conf:\d+: rule extension 'stopped' is ignored: it is for workers of type lb, and 'w' is none"),
    ("JkMount /x w;path=shop", r"httpd\.conf:\d+: path=shop is ignored; allowed: a path as in /store"),
    ("JkMount /x nobody;stateless=1", r"httpd\.conf:\d+: JkMount /x: there is no worker 'nobody' in worker\.list"),
    ("JkUnMount /x w;statless=1", r"httpd\.conf:\d+: unknown rule extension 'statless'"),
    ("<VirtualHost *:2>\nJkMount /x b;statless=1\n</VirtualHost>", r"httpd\.conf:\d+: unknown rule extension 'statless'"),
    ("<Location /x>\nJkMount b;statless=1\n</Location>", r"httpd\.conf:\d+: unknown rule extension 'statless'"),
]
TOLD = [  # refuse nothing, not even strictly
    ("JkMount /x b;stopped=m1;stopped=m2", r"httpd\.conf:\d+: rule extension 'stopped' stands there twice: the first counts"),
    ("JkMount /x b;stopped=m1;active=m1", r"httpd\.conf:\d+: member 'm1' stands in active and in stopped: stopped counts"),
    ("JkMount /x w;use_server_errors=1", r"httpd\.conf:\d+: use_server_errors=1: httpd has pages from status 400 on"),
    ("JkMount /x* w;path=/store", r"httpd\.conf:\d+: path=/store takes the place of '/' alone.*; write /x\|/\* for all below it"),
]


@pytest.fixture(scope="module")
def unstarted(make_httpd):
    return make_httpd(workers=lb("b", {"m1": 8009, "m2": 8010, "m3": 8011}) + "worker.list=w\nworker.w.port=8012\n", start=False)


@pytest.mark.skipif(INCUMBENT, reason="it said other words, in its own log")
@pytest.mark.parametrize("line, said", FINDINGS + TOLD, ids=[row[0].replace("\n", " ") for row in FINDINGS + TOLD])
def test_findings(unstarted, line, said):
    unstarted.write_config(line)
    code, text = unstarted.configtest()
    assert code == 0 and re.search(said, text), text
    unstarted.write_config(line + "\nJkStrict On")
    code, text = unstarted.configtest()
    assert (code != 0) == ((line, said) in FINDINGS) and re.search(said, text), text


@pytest.mark.skipif(INCUMBENT, reason="it said other words, in its own log")
def test_findings_of_a_rule_file(unstarted):
    unstarted.write("conf/rules", "# a\n/x=b;statless=1\n/y=nobdy\n*.jsp=w\n")
    unstarted.write_config("JkMountFile conf/rules")
    code, text = unstarted.configtest()
    assert code == 0
    for said in (r"rules:2: unknown rule extension 'statless'", r"rules:3: /y: there is no worker 'nobdy'",
                 r"rules:4: invalid context '\*\.jsp': it does not begin with '/'; did you mean '/\*\.jsp'"):
        assert re.search(said, text), text
