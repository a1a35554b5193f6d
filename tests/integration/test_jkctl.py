"""jkctl: each command before a living httpd, its words and exit statuses, what is wrong with an answer; draining and a rolling restart under
load. What the status worker itself does is test_status.py's."""
import contextlib
import http.server
import json
import os
import pty
import re
import select
import signal
import socket
import subprocess
import threading
import time

import pytest

from lib import ajp, client, proc, tomcat, tools
from lib.ajp_peer import RefusedPort
from lib.cluster import Cluster
from lib.fakehttp import FakeHttp
from lib.httpd import TOP
from lib.load import Load
from lib.statuspage import Page
from lib.workers import lb

GOOD, DEGRADED, BAD, CANNOT_ASK, NOT_DONE, REFUSED, USAGE = 0, 1, 2, 3, 4, 5, 64

WORKERS = """\
worker.list=shop,blog,single,status,reader,private
worker.shop.type=lb
worker.shop.balance_workers=n1,n2,both
worker.blog.type=lb
worker.blog.balance_workers=both,b2
worker.n1.host=127.0.0.1
worker.n1.port={0}
worker.n2.host=127.0.0.1
worker.n2.port={1}
worker.both.host=127.0.0.1
worker.both.port={2}
worker.b2.host=127.0.0.1
worker.b2.port={0}
worker.single.host=127.0.0.1
worker.single.port={0}
worker.status.type=status
worker.reader.type=status
worker.reader.read_only=true
worker.private.type=status
worker.private.user=alice
"""
MOUNTS = """\
JkMount /status status
JkMount /reader reader
JkMount /private private
JkMount /shop/* shop
JkMount /blog/* blog
JkMount /single/* single
SetEnvIf X-User (.+) JK_REMOTE_USER=$1
<Location /locked>
  AuthType Basic
  AuthName x
  AuthUserFile conf/users
  Require valid-user
</Location>
<Location /closed>
  Require all denied
</Location>
JkMount /locked status
JkMount /closed status
"""


@pytest.fixture(scope="module", autouse=True)
def built():
    tools.path_of("jkctl")


@pytest.fixture(scope="module")
def peers(make_peer):
    return [make_peer(name="one"), make_peer(name="two"), make_peer(name="three")]


@pytest.fixture
def httpd(fresh_httpd, peers):
    users = subprocess.run(["openssl", "passwd", "-apr1", "se:cret"], capture_output=True, text=True, check=True).stdout
    return fresh_httpd(MOUNTS, workers=WORKERS.format(*(p.port for p in peers)), modules=("auth_basic", "authn_file", "authz_user"),
                       files={"conf/users": "alice:" + users})


@pytest.fixture
def page(httpd):
    return Page(httpd)


def url_of(httpd, path="/status"):
    return f"http://127.0.0.1:{httpd.port}{path}"


def environment(**more):
    keep = {k: v for k, v in os.environ.items() if not k.startswith("JKCTL_")}
    return {**keep, "HOME": "/nonexistent", **more}


def ctl(where, *args, seconds=60, env=None):
    """Of a httpd, or of a URL."""
    url = where if isinstance(where, str) else url_of(where)
    argv = [tools.path_of("jkctl"), "--url", url, *map(str, args)]
    return tools.Said(subprocess.run(argv, capture_output=True, text=True, timeout=seconds, stdin=subprocess.DEVNULL, errors="backslashreplace",
                                     env=environment(**(env or {}))))


def check(said, status, *words, err=()):
    assert said.exit == status, said
    assert "Sanitizer" not in said.err and "runtime error" not in said.err, said
    for word in words:
        assert re.search(word, said.out, re.M), f"{word!r} is missing: {said}"
    for word in err:
        assert re.search(word, said.err, re.M), f"{word!r} is missing: {said}"
    if not err and status in (GOOD, DEGRADED, BAD):
        assert said.err == "", said


# ---- status ----

def test_status(httpd, peers):
    client.get(httpd.port, "/shop/a")
    said = ctl(httpd, "status")
    check(said, GOOD, r"^http://127\.0\.0\.1:\d+/status  mod_jk/3\.\S+  \d{4}-\d\d-\d\d \d\d:\d\d:\d\d$",
          r"^balancer shop: 3 good, 0 degraded, 0 bad; 0 under way$", r"^  MEMBER  ACTIVATION  ADDRESS +STATE +HEALTH +BUSY",
          rf"^  n1      active      127\.0\.0\.1:{peers[0].port} +OK\S* +good +0 +1 +1 +0 +1$", "^workers without a balancer$", "^  single +127")
    assert "\033" not in said.out, "it is no terminal"
    assert not [line for line in said.out.splitlines() if line.endswith(" ")]


def test_status_columns_stand_below_each_other(httpd, page):
    page.change(cmd="update", w="shop", sw="n1", vwf="3")
    said = ctl(httpd, "status", "shop")
    head, *rows = [line for line in said.out.splitlines() if line.startswith("  ")]
    assert {row.index("127.0.0.1") for row in rows} == {head.index("ADDRESS")}
    assert {row.index("good") for row in rows} == {head.index("HEALTH")}
    check(said, GOOD, r"CHANGED$", r"^  n1 .*  lbfactor=3 \(file: 1\)$")
    assert "blog" not in said.out and "single" not in said.out


@pytest.mark.parametrize("activation, status", [("d", DEGRADED), ("s", BAD)])
def test_status_says_how_it_is(httpd, page, activation, status):
    """As the status worker's good and bad have it."""
    page.change(cmd="update", w="shop", sw="n1", vwa=activation)
    check(ctl(httpd, "status"), status)
    check(ctl(httpd, "status", "shop"), status)
    check(ctl(httpd, "status", "n1"), status, "^  n1 +(disabled|stopped)")
    check(ctl(httpd, "--json", "status", "shop"), status, '"balancers"')
    check(ctl(httpd, "status", "blog"), GOOD)


def test_status_of_one_in_error(fresh_httpd):
    down = RefusedPort()
    httpd = fresh_httpd("JkMount /status status\nJkMount /w/* w\n",
                        workers=f"worker.list=w,status\nworker.status.type=status\nworker.w.type=lb\nworker.w.balance_workers=m\n"
                                f"worker.m.host=127.0.0.1\nworker.m.port={down.port}\nworker.w.retries=1\n")
    httpd.allow("")
    for _ in range(2):
        client.get(httpd.port, "/w/a")
    check(ctl(httpd, "status"), BAD, "^  m +active .* ERR +bad")
    down.stop()


def test_json_is_the_servers(httpd, page):
    said = ctl(httpd, "status", "--json")
    check(said, GOOD)
    got, own = json.loads(said.out), page.json()
    assert list(got) == list(own) and [b["name"] for b in got["balancers"]] == ["shop", "blog"] and got["balancers"][0]["maps"]


# ---- the address ----

def test_url_from_the_environment(httpd):
    def run(*args, **env):
        return tools.Said(subprocess.run([tools.path_of("jkctl"), *args], capture_output=True, text=True, timeout=30, env=environment(**env)))
    check(run("status", JKCTL_URL=url_of(httpd)), GOOD, "^balancer shop")
    check(run("--url", url_of(httpd), "status", JKCTL_URL="http://127.0.0.1:1/x"), GOOD)


def test_no_proxy_is_asked(httpd):
    check(ctl(httpd, "status", env={"http_proxy": "http://127.0.0.1:1", "ALL_PROXY": "http://127.0.0.1:1"}), GOOD)


def test_passwords(httpd, tmp_path):
    locked = url_of(httpd, "/locked")
    check(ctl(locked, "status"), CANNOT_ASK, err=["a user and a password.*401", "--user"])
    check(ctl(locked, "--user", "alice:wrong", "status"), CANNOT_ASK, err=["another user or password"])
    check(ctl(locked, "--user", "alice:se:cret", "status"), GOOD)
    check(ctl(locked, "--user", "alice", "status", env={"JKCTL_PASSWORD": "se:cret"}), GOOD)
    check(ctl(locked, "--user", "alice:se:cret", "disable", "n1"), GOOD)
    check(ctl(locked, "--user", "alice", "status"), USAGE, err=["JKCTL_PASSWORD"])
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login alice password se:cret\n")
    check(ctl(locked, "--netrc-file", netrc, "status"), DEGRADED)
    check(ctl(locked.replace("//", "//alice:se%3acret@"), "status"), DEGRADED)
    said = ctl(locked.replace("//", "//alice:hush@"), "status")
    check(said, CANNOT_ASK)
    assert "hush" not in said.err and "alice" not in said.err
    httpd.allow("AH01617")


def test_passwords_are_not_in_ps(httpd, peers):
    with FakeHttp(body=lambda _: time.sleep(1.5) or b"{}") as fake:
        child = subprocess.Popen([tools.path_of("jkctl"), "--url", fake.url, "--user", "alice:hush", "status"], stdout=subprocess.DEVNULL,
                                 stderr=subprocess.DEVNULL, env=environment())
        assert proc.wait_until(lambda: fake.asked, 10)
        with open(f"/proc/{child.pid}/cmdline") as f:
            assert "alice:****" in f.read()
        assert child.wait(20) == CANNOT_ASK
    assert fake.asked[0][2]["User-Agent"].startswith("jkctl/")


def test_tls(fresh_httpd, peers):
    httpd = fresh_httpd("", workers="worker.list=status\nworker.status.type=status\n", tls="JkMount /status status")
    url = f"https://localhost:{httpd.tls_port}/status"
    check(ctl(url, "status"), CANNOT_ASK, err=["not to be trusted", "--cacert"])
    check(ctl(url, "--insecure", "status"), GOOD)
    check(ctl(url, "--cacert", httpd.path("conf/server.crt"), "status"), GOOD, "There are no workers")


# ---- what cannot be asked ----

def test_nothing_there():
    down = RefusedPort()
    check(ctl(f"http://127.0.0.1:{down.port}/x", "status"), CANNOT_ASK, err=[rf"^jkctl: http://127\.0\.0\.1:{down.port}/x: nothing answers", "--url"])
    down.stop()


def test_other_pages(httpd):
    check(ctl(url_of(httpd, "/none"), "status"), CANNOT_ASK, err=["no such page .404.", "JkMount"])
    check(ctl(url_of(httpd, "/closed"), "status"), CANNOT_ASK, err=["httpd denies access .403.", "Require"])
    check(ctl(url_of(httpd, "/shop/a"), "status"), CANNOT_ASK, err=["no JSON of a status worker"])
    httpd.expect("service denied for user")
    httpd.allow("AH01630")
    check(ctl(url_of(httpd, "/private"), "status"), CANNOT_ASK, err=["denies access .403.: its key `user`"])


@pytest.mark.parametrize("status, body, kind, headers, words", [
    (200, b"<html>it works", "text/html", [], r'but text/html: "<html>it works"'),
    (200, b"\033]0;owned\007 \xff", "text/plain", [], r'"\\x1b\]0;owned\\x07 \\xff"'),
    (200, b"", "text/plain", [], "no JSON"), (200, b"[]", "application/json", [], "no JSON"), (200, b"[" * 100000, "application/json", [], "no JSON"),
    (200, b'{"version":2,"result":{"type":"OK"}}', "application/json", [], "version 2, and this jkctl reads 1"),
    (302, b"", "text/html", [("Location", "https://x.example/s")], r"redirects \(302\) to https://x\.example/s"),
    (405, b"no", "text/html", [], "405"), (500, b"oh", "text/html", [], "HTTP status 500"), (503, b"", "text/html", [], "HTTP status 503"),
    (404, b'{"result":{"message":"a\\u001b[2Jb"}}', "application/json", [], r"a\\x1b\[2Jb"),
], ids=range(11))
def test_strange_answers(status, body, kind, headers, words):
    with FakeHttp(status, body, kind, headers) as fake:
        said = ctl(fake.url, "status")
    check(said, CANNOT_ASK, err=[words, "^jkctl: http://127"])
    assert "\033" not in said.err and "\007" not in said.err and len(said.err) < 2000


def test_no_answer_in_time():
    with socket.create_server(("127.0.0.1", 0)) as s:
        check(ctl(f"http://127.0.0.1:{s.getsockname()[1]}/x", "--timeout", "300ms", "status"), CANNOT_ASK, err=["no whole answer", "--timeout"])


HOSTILE = {"version": 1, "result": {"type": "OK", "message": ""}, "changes": {"token": "t", "lb": {}, "ajp": {}, "member": {"a\033[31mb": "vwf"}},
           "balancers": [{"name": "lb\033[2J", "good": 1, "members": [
               {"name": "m\r\n\u009b31m\u202egood", "address": "\033[1mx", "state": "OK\x08", "activation": "ACT\033", "health": "good",
                "busy": "many", "edits": [{"key": "\033", "now": 3}, 7]}, None, 5, {}]}, None], "ajp_workers": {"x": 1}}


def test_hostile_names_do_not_reach_the_terminal():
    with FakeHttp(body=json.dumps(HOSTILE).encode()) as fake:
        said = ctl(fake.url, "status")
        check(said, GOOD, r"^balancer lb\\x1b\[2J: 1 good", r"^  m\\x0d\\x0a\\xc2\\x9b31m\\xe2\\x80\\xaegood +unknown")
        others = [ctl(fake.url, "set", "lb\033[2J:m\r\n\u009b31m\u202egood", "ab=1"), ctl(fake.url, "stop", "none\033"), ctl(fake.url, "enable", "m"),
                  ctl(fake.url, "watch", "--count", 2, "--every", "10ms"),
                  ctl(fake.url, "--json", "status")]
    assert [o.exit for o in others[:3]] == [REFUSED] * 3, others
    for one in [said, *others]:
        assert not re.search(r"[^\x20-\x7e\n]", one.out + one.err), one


# ---- names ----

def test_names(httpd, page):
    check(ctl(httpd, "disable", "shop:n1"), GOOD, "^shop:n1: disabled, was active$")
    assert page.member("n1", "shop")["activation"] == "DIS"
    check(ctl(httpd, "enable", "n1"), GOOD, "^shop:n1: active, was disabled$")
    check(ctl(httpd, "enable", "n1"), GOOD, "^shop:n1: is active, as it was$")
    assert page.member("n1", "shop")["activation"] == "ACT"


def test_ambiguous_names(httpd, page):
    check(ctl(httpd, "disable", "both"), REFUSED, err=["'both' is more than one", "there are: shop:both, blog:both", r"\*:both"])
    assert {page.member("both", b)["activation"] for b in ("shop", "blog")} == {"ACT"}
    check(ctl(httpd, "disable", "blog:both"), GOOD)
    assert [page.member("both", b)["activation"] for b in ("shop", "blog")] == ["ACT", "DIS"]
    check(ctl(httpd, "disable", "*:both"), GOOD, "^shop:both: disabled", "^blog:both: is disabled, as it was")
    assert [page.member("both", b)["activation"] for b in ("shop", "blog")] == ["DIS", "DIS"]


def test_unknown_names(httpd):
    check(ctl(httpd, "disable", "n3"), REFUSED,
          err=["no member of a balancer 'n3'; did you mean 'n1'", "there are: shop:n1, shop:n2, shop:both, blog:both"])
    check(ctl(httpd, "status", "shpo"), REFUSED, err=["no worker 'shpo'; did you mean 'shop'", ":single"])
    check(ctl(httpd, "stop", "single"), REFUSED, err=["no member of a balancer 'single'"])
    check(ctl(httpd, "stop", "shop"), REFUSED, err=["no member of a balancer 'shop'"])


# ---- changes ----

def test_stop_and_enable(httpd, page, peers):
    check(ctl(httpd, "stop", "n1"), GOOD, "^shop:n1: stopped, was active$")
    check(ctl(httpd, "stop", "n2"), GOOD)
    check(ctl(httpd, "stop", "shop:both"), REFUSED, err=["stays as it is: no other member", "--last"])
    assert page.member("both", "shop")["activation"] == "ACT"
    check(ctl(httpd, "--last", "stop", "shop:both"), GOOD)
    assert {m["activation"] for m in page.lb("shop")["members"]} == {"STP"}
    check(ctl(httpd, "enable", "n1", "--wait", "5s"), GOOD)
    assert client.get(httpd.port, "/shop/a").status == 200 and peers[0].deliveries("/shop/a")


def test_set(httpd, page):
    check(ctl(httpd, "set", "n1", "lbfactor=3", "busy_limit=40"), GOOD, "^shop:n1: lbfactor=3$", "^shop:n1: busy_limit=40$")
    assert [page.member("n1", "shop")[k] for k in ("lbfactor", "busy_limit")] == [3, 40]
    check(ctl(httpd, "set", "shop", "sticky_session_force=true", "retries=3"), GOOD)
    assert page.lb("shop")["sticky_session_force"] is True and page.lb("shop")["retries"] == 3
    check(ctl(httpd, "set", "single", "busy_limit=7"), GOOD, "^single: busy_limit=7")
    assert page.worker("single")["busy_limit"] == 7
    check(ctl(httpd, "set", "n1", "redirect="), GOOD)
    check(ctl(httpd, "set", "n1", "route=a&vwf=9"), GOOD), "it is one value"
    assert (page.member("n1", "shop")["route"], page.member("n1", "shop")["lbfactor"]) == ("a&vwf=9", 3)


@pytest.mark.parametrize("name, values, words", [
    ("n1", ["lbfactr=3"], "'lbfactr' cannot be changed.*did you mean 'lbfactor'"),
    ("n1", ["lbfactor=2", "xyzzyxy=1"], "what can be: .*activation.*host"),
    ("n1", ["lbfactor=many"], "422.*'many' is no value for vwf .lbfactor."), ("n1", ["lbfactor=2", "busy_limit=x"], "422"),
    ("shop", ["lbfactor=2"], "'lbfactor' cannot be changed"), ("single", ["method=B"], "'method' cannot be changed"),
    ("n1", ["host=no.such.invalid"], "resolve"),
])
def test_set_what_cannot_be(httpd, page, name, values, words):
    httpd.allow("Update failed")
    before = page.json()["balancers"]
    check(ctl(httpd, "set", name, *values), REFUSED, err=[words])
    after = page.json()["balancers"]
    assert [[m["edits"] for m in b["members"]] for b in before] == [[m["edits"] for m in b["members"]] for b in after]


def test_reset_and_recover(httpd, page):
    client.get(httpd.port, "/shop/a")
    check(ctl(httpd, "reset", "shop"), GOOD, "^shop: counters begin anew")
    assert sum(m["elected"] for m in page.lb("shop")["members"]) == 0
    httpd.expect("Marking worker for recovery failed")
    check(ctl(httpd, "recover", "n1"), REFUSED, err=["409.*Marking worker for recovery failed"])


def test_recover_one_in_error(fresh_httpd, fresh_peer):
    down = RefusedPort()
    peer = fresh_peer()
    httpd = fresh_httpd("JkMount /status status\nJkMount /* b\n", workers="worker.list=status\nworker.status.type=status\n" +
                        lb("b", {"m": down.port, "n": peer.port}).replace("worker.list=b", "worker.list=b"))
    httpd.allow("")
    for _ in range(6):
        client.get(httpd.port, "/a")
    check(ctl(httpd, "status"), BAD)
    said = ctl(httpd, "enable", "m", "--wait", "300ms")
    check(said, NOT_DONE, err=["it is in error", "jkctl recover", "in error still"])
    check(ctl(httpd, "recover", "m"), GOOD, "^b:m: will be tried again")
    assert Page(httpd).member("m", "b")["state"] == "ERR/REC"
    check(ctl(httpd, "disable", "n"), REFUSED, err=["no other member"]), "who is to be tried again is no help"
    down.stop()


def test_json_of_changes(httpd):
    said = ctl(httpd, "--json", "set", "n1", "lbfactor=3", "distance=1")
    check(said, GOOD)
    assert json.loads(said.out)["result"] == {"type": "OK", "message": "Action finished"}


def test_read_only(httpd, page):
    for command in (["stop", "n1"], ["drain", "n1"], ["set", "n1", "lbfactor=2"], ["reset", "n1"], ["recover", "n1"]):
        check(ctl(url_of(httpd, "/reader"), *command), REFUSED, err=["read_only"])
    check(ctl(url_of(httpd, "/reader"), "status"), GOOD)
    assert page.member("n1", "shop")["activation"] == "ACT"


def test_a_token_that_is_not_taken():
    look = {"version": 1, "result": {"type": "OK"}, "changes": {"token": "a b&c"}, "balancers": [
        {"name": "b", "members": [{"name": "x", "activation": "ACT", "state": "OK"}, {"name": "y", "activation": "ACT", "state": "OK"}]}]}
    with FakeHttp(body=lambda asked: json.dumps(look if asked[0] == "GET" else {"result": {"type": "ERROR", "message": "no"}}).encode()) as fake:
        check(ctl(fake.url, "stop", "x"), REFUSED, err=["says no .*: no"])
    assert fake.asked[1][0] == "POST" and fake.asked[1][1] == "/jk-status", "nothing in the query: that stands in logs"
    assert fake.asked[1][3] == b"cmd=update&vwa=stopped&w=b&sw=x&mime=json&token=a%20b%26c"


# ---- usage ----

@pytest.mark.parametrize("args, words", [
    ([], "a command is missing"), (["stauts"], "did you mean 'status'"), (["drain"], "an argument is missing"), (["stop", "a", "b"], "too many"),
    (["set", "n1"], "missing"), (["set", "n1", "lbfactor"], "KEY=VALUE"), (["--wait", "soon", "drain", "x"], "jkctl: --wait: soon is no time: a number with ms"),
    (["--wait", "5 weeks", "drain", "x"], "--wait: 5 weeks is no time"), (["--idle", "-1", "drain", "x"], "--idle: -1 is no time"), (["--bad"], "unrecognized"),
    (["--url", "http://x/?a", "status"], "no query"), (["--url", "ftp://x/", "status"], "http://"), (["--count", "2x", "watch"], "--count: 2x is no number"),
    (["--timeout", "abc", "doctor"], "--timeout: abc is no time"),
])
def test_usage(args, words):
    said = tools.run("jkctl", *args)
    check(said, USAGE, err=[words, "jkctl --help says more"])
    assert said.out == ""


def test_help():
    said = tools.run("jkctl", "--help")
    check(said, GOOD, "(?s)drain MEMBER.*--force.*Exit status: 0 good")
    assert all(len(line) <= 150 for line in said.out.splitlines())
    check(tools.run("jkctl", "--version"), GOOD, "^jkctl of mod_jk 3")
    with open(os.path.join(TOP, "tools/jkctl.1")) as f:
        manual = f.read().replace("\\-", "-")
    assert not [o for o in re.findall(r"--[a-z-]+", said.out) if o not in manual], "the manual page has all options"


def test_output_that_cannot_be_written(httpd):
    with open("/dev/full", "w") as full:
        done = subprocess.run([tools.path_of("jkctl"), "--url", url_of(httpd), "status"], stdout=full, stderr=subprocess.PIPE, text=True,
                              env=environment())
    assert done.returncode == CANNOT_ASK and "could not be written" in done.stderr


# ---- watch ----

def test_watch_without_a_terminal(httpd):
    said = ctl(httpd, "watch", "shop", "--every", "50ms", "--count", 3)
    check(said, GOOD, r"PER S", r"^  n1 .* 0\.0$")
    assert len(re.findall("^balancer shop", said.out, re.M)) == 3 and "\033" not in said.out


def test_watch_at_a_terminal(httpd):
    ctl(httpd, "disable", "n1")  # Ctrl-C is a good end whatever was seen
    ours, theirs = pty.openpty()
    child = subprocess.Popen([tools.path_of("jkctl"), "--url", url_of(httpd), "watch", "--every", "50ms"], stdout=theirs, stderr=theirs, stdin=theirs,
                             env=environment(TERM="xterm"), start_new_session=True)
    os.close(theirs)
    seen, end = b"", time.monotonic() + 20
    while seen.count(b"\033[H\033[2J") < 3 and time.monotonic() < end:
        if select.select([ours], [], [], 0.5)[0]:
            seen += os.read(ours, 65536)
    child.send_signal(signal.SIGINT)
    with contextlib.suppress(OSError):
        while select.select([ours], [], [], 2)[0] and (more := os.read(ours, 65536)):
            seen += more
    assert child.wait(10) == GOOD
    os.close(ours)
    assert seen.count(b"\033[H\033[2J") >= 3 and b"\033[32mgood" in seen and seen.endswith(b"\n")


def test_watch_goes_on_when_httpd_is_away():
    answers = iter([b"oh", json.dumps({"version": 1, "result": {}, "balancers": [], "ajp_workers": []}).encode()])
    with FakeHttp(body=lambda _: next(answers)) as fake:
        check(ctl(fake.url, "watch", "--count", 2, "--every", "10ms"), GOOD, "There are no workers", err=["no JSON"])


# ---- drain ----

class Steady:
    """Requests of sessions and without, one behind the other, on some threads; `sticky` may be switched off. answers: (route, status, node)"""

    def __init__(self, httpd, path="/shop/a", threads=4):
        self.httpd, self.path, self.over, self.answers, self.sticky = httpd, path, threading.Event(), [], True
        self.threads = [threading.Thread(target=self.run, args=(i,), daemon=True) for i in range(threads)]

    def run(self, i):
        with client.Wire(self.httpd.port) as wire:
            n = 0
            while not self.over.is_set():
                n += 1
                route = ("", "n1", "n2")[(n + i) % 3] if self.sticky else ""
                cookie = [("Cookie", f"JSESSIONID=x.{route}")] if route else []
                answer = wire.ask("POST" if n % 2 else "GET", self.path, cookie, body=b"b" if n % 2 else None)
                self.answers.append((route, answer.status, answer.body.decode(), time.monotonic()))
                time.sleep(0.01)

    def __enter__(self):
        for one in self.threads:
            one.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        for one in self.threads:
            one.join(20)


def says(name):
    return lambda ex: (ex.read_body() if ex.request.method == "POST" else None, time.sleep(0.02), ex.send(ajp.answer(name)))


@pytest.fixture
def shop(httpd, peers):
    peers[0].on("/shop/a", says("one"))
    peers[1].on("/shop/a", says("two"))
    return httpd


def test_drain_at_rest(shop, page):
    said = ctl(shop, "drain", "n1", "--idle", "300ms", "--every", "50ms")
    check(said, GOOD, "^n1: disabled: only sessions", "^n1: stopped: nothing goes there any more; 0 under way",
          "^n1: drained: its container may be stopped")
    assert page.member("n1", "shop")["activation"] == "STP"
    said = ctl(shop, "--json", "drain", "n2", "--idle", "0", "--every", "50ms")
    check(said, GOOD)
    check(ctl(shop, "drain", "n1", "--idle", "0", "--every", "50ms"), GOOD, "^n1: stopped, as it was", "^n1: drained")
    assert {**json.loads(said.out), "seconds": 0} == {"member": "n2", "drained": True, "activation": "stopped", "busy": 0, "seconds": 0}


def test_drain_waits_for_what_is_under_way(shop, page, peers):
    let = threading.Event()
    peers[0].on("/shop/slow", lambda ex: (let.wait(20), ex.send(ajp.answer("one"))))
    with client.Wire(shop.port) as wire:
        wire.request("GET", "/shop/slow", [("Cookie", "JSESSIONID=x.n1")])
        assert proc.wait_until(lambda: page.member("n1", "shop")["busy"] == 1)
        said = ctl(shop, "drain", "n1", "--wait", "500ms", "--idle", "0", "--every", "50ms")
        check(said, NOT_DONE, "^n1: disabled", err=["the time is over, and it is in use still .1 under way.: it stays disabled. .*--force"])
        assert page.member("n1", "shop")["activation"] == "DIS"
        said = ctl(shop, "drain", "n1", "--wait", "500ms", "--idle", "0", "--every", "50ms", "--force")
        check(said, NOT_DONE, "its sessions go to other members", "^n1: stopped", err=["it stays stopped"])
        assert page.member("n1", "shop")["activation"] == "STP"
        threading.Timer(0.5, let.set).start()
        check(ctl(shop, "drain", "n1", "--idle", "0", "--every", "50ms"), GOOD, "drained")
        assert wire.answer().body == b"one"


def test_drain_under_load(shop, page):
    """Sessions go on while it is disabled, and go to others when it is stopped; nothing fails, and the last answer came before the end."""
    with Steady(shop) as load:
        assert proc.wait_until(lambda: len(load.answers) > 60, 20)
        began = time.monotonic()
        said = ctl(shop, "drain", "n1", "--wait", "1500ms", "--idle", "500ms", "--every", "100ms", "--force")
        ended = time.monotonic()
        check(said, GOOD, "sessions go to other members", "drained")
        assert proc.wait_until(lambda: sum(a[3] > ended + 0.5 for a in list(load.answers)) > 60, 20)
    assert {a[1] for a in load.answers} == {200}
    assert [a for a in load.answers if a[0] == "n1" and a[2] == "one" and began < a[3] < ended], "its sessions went on"
    late = [a for a in load.answers if a[3] > ended]
    assert not [a for a in late if a[2] == "one"], "something was there when it was said to be drained"
    print(f"drain under load: {len(load.answers)} answers, {len(late)} after the end")


def test_drain_sees_that_sessions_end(shop, page):
    """Without --force: when nobody asks with a session any more it is drained before the time is over."""
    with Steady(shop) as load:
        assert proc.wait_until(lambda: len(load.answers) > 30, 20)
        threading.Timer(1, setattr, (load, "sticky", False)).start()
        check(ctl(shop, "drain", "n1", "--wait", "40s", "--idle", "500ms", "--every", "100ms"), GOOD, "drained")
    assert {a[1] for a in load.answers} == {200}
    assert page.member("n1", "shop")["activation"] == "STP"


def drained_by(looks, *args):
    """jkctl drain x before a server whose looks say (busy, elected) of x, one after the other; the last is said for good."""
    def answer(asked):
        if asked[0] == "POST":
            return b'{"result": {"type": "OK"}}'
        busy, elected = looks.pop(0) if len(looks) > 1 else looks[0]
        x = {"name": "x", "activation": "ACT", "state": "OK", "busy": busy, "elected": elected}
        return json.dumps({"version": 1, "result": {"type": "OK"}, "changes": {"token": "t"}, "balancers": [
            {"name": "b", "members": [x, {**x, "name": "y"}]}]}).encode()
    with FakeHttp(body=answer) as fake:
        said = ctl(fake.url, "drain", "x", "--every", "20ms", *args)
    return said, [re.search(rb"vwa=(\w+)", a[3]).group(1).decode() for a in fake.asked if a[0] == "POST"]


def test_drain_sees_requests_between_looks():
    """None is under way whenever it looks, and yet they come."""
    said, changes = drained_by([(0, n) for n in range(10000)], "--idle", "200ms", "--wait", "800ms")
    check(said, NOT_DONE, err=["in use still .0 under way."])
    assert changes == ["disabled"]
    said, changes = drained_by([(0, n) for n in range(30)], "--idle", "200ms", "--wait", "30s")
    check(said, GOOD, "drained")
    assert changes == ["disabled", "stopped"]


def test_drain_waits_behind_the_stop():
    """What was on its way when it was stopped."""
    said, changes = drained_by([(0, 1)] * 3 + [(2, 1)] * 8 + [(0, 3)], "--idle", "0", "--wait", "30s")
    check(said, GOOD, "drained: .*; 0 under way")
    assert changes == ["disabled", "stopped"]


def test_drain_of_the_last(shop, page):
    ctl(shop, "disable", "n1"), ctl(shop, "disable", "n2")
    check(ctl(shop, "drain", "shop:both"), REFUSED, err=["stays as it is"])
    assert page.member("both", "shop")["activation"] == "ACT"


def test_drain_warns_of_forced_sessions(shop, page):
    page.change(cmd="update", w="shop", vlf="1")
    check(ctl(shop, "drain", "n1", "--idle", "0", "--every", "50ms"), GOOD, err=["shop:n1: sticky_session_force is on"])


def test_drain_interrupted(shop, page):
    child = subprocess.Popen([tools.path_of("jkctl"), "--url", url_of(shop), "drain", "n1", "--idle", "30s"], stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE, text=True, env=environment())
    assert child.stdout.readline().startswith("n1: disabled")
    time.sleep(0.3)
    child.send_signal(signal.SIGINT)
    _, err = child.communicate(timeout=20)
    assert child.returncode == NOT_DONE and "interrupted: it stays disabled; jkctl enable takes it back" in err
    assert page.member("n1", "shop")["activation"] == "DIS"


def test_drain_over_a_graceful_restart(shop, page):
    child = subprocess.Popen([tools.path_of("jkctl"), "--url", url_of(shop), "drain", "n1", "--idle", "2s", "--every", "100ms"],
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment())
    assert child.stdout.readline().startswith("n1: disabled")
    shop.graceful()
    out, err = child.communicate(timeout=60)
    assert (child.returncode, "drained" in out, err) == (GOOD, True, "")
    assert page.member("n1", "shop")["activation"] == "STP"


# ---- a rolling restart ----

RATE = int(os.environ.get("JK_TEST_RATE", 200))
LONG = os.environ.get("JK_TEST_ALL") == "1"
THREADS = "<IfModule !mpm_prefork_module>\nServerLimit 3\nThreadsPerChild 40\nMaxRequestWorkers 80\nMaxSpareThreads 80\n</IfModule>\n"


@pytest.fixture(scope="module")
def three_tomcats():
    why = tomcat.missing()
    if why:
        pytest.skip("no Tomcat: " + why)
    one = Cluster(3)
    try:
        one.start()
        yield one
    finally:
        one.remove()


class Operator:
    """What the script's STOP and START reach by curl: /stop/node1, /start/node1."""

    def __init__(self, cluster):
        nodes = {node.route: node for node in cluster.nodes}

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                _, what, name = self.path.split("/")
                nodes[name].stop() if what == "stop" else nodes[name].restart()
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self.thread.start()

    def command(self, what):
        return f'curl -fsS "http://127.0.0.1:{self.server.server_port}/{what}/$1"'

    def close(self):
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def roll(three_tomcats):
    """roll(httpd, options of drain, rounds) -> what conf/rolling-restart.sh said"""
    operator = Operator(three_tomcats)
    ports = " ".join(f"{n.route}) port={n.port} ;;" for n in three_tomcats.nodes)
    ready = f'case $1 in {ports} esac; {tools.path_of("jkping")} "127.0.0.1:$port" --get "/sum.jsp?id=ready"'

    def run(httpd, drain, rounds):
        env = environment(JKCTL_URL=url_of(httpd), JKCTL=tools.path_of("jkctl"), DRAIN=drain, STOP=operator.command("stop"),
                          START=operator.command("start"), READY=ready)
        argv = [os.path.join(TOP, "conf/rolling-restart.sh"), *([n.route for n in three_tomcats.nodes] * rounds)]
        return tools.Said(subprocess.run(argv, capture_output=True, text=True, timeout=300 * rounds, env=env))
    yield run
    operator.close()


def went_on(user):
    """A user's sessions, each request of it counted where the one before was."""
    before = 0
    for shot in user.shots:
        before = 0 if shot.asked is None else before
        if shot.count:
            assert shot.count == before + 1, f"the session did not go on after {before}: {shot}"
            before = shot.count
    return True


def test_rolling_restart(fresh_httpd, three_tomcats, roll):
    """Each Tomcat is drained, stopped, started and enabled under a steady load: no request fails, none is delivered twice or nowhere, and all
    sessions go on with what they had."""
    tools.path_of("jkping")
    httpd = fresh_httpd("SetEnvIf X-Route (.+) JK_ROUTE=$1\nJkMount /*.jsp b\nJkMount /jk status\nJkMount /status status\n" + THREADS,
                        workers="worker.list=status\nworker.status.type=status\n" +
                                lb("b", {n.route: {"port": n.port, "route": n.route} for n in three_tomcats.nodes}))
    three_tomcats.settle(httpd.port)
    drain, rounds = ("--wait 20s --idle 5s --force", 3) if LONG else ("--wait 3s --idle 1s --every 200ms --force", 1)
    with Load(httpd.port, rate=RATE) as load:
        assert proc.wait_until(lambda: len(load.shots()) > 300, 60)
        said = roll(httpd, drain, rounds)
        more = len(load.shots())
        assert proc.wait_until(lambda: len(load.shots()) > more + 100, 60)
    assert said.exit == 0, said
    shots, received = load.shots(), three_tomcats.received()
    posts = [s for s in shots if s.method == "POST"]
    seconds = max(s.ended for s in shots) - min(s.began for s in shots)
    nodes = {n.route: sum(s.node == n.route for s in shots) for n in three_tomcats.nodes}
    moved = sum(1 for s in shots if s.home and s.node != s.home)
    print(f"rolling restart: {len(shots)} requests in {seconds:.0f} s, {len(shots) / seconds:.0f}/s of {RATE}/s asked for, {len(posts)} POST, "
          f"{sum(not s.good for s in shots)} failed, {sum(received[('POST', s.id)] > 1 for s in posts)} POST doubled, "
          f"{sum(received[(s.method, s.id)] != 1 for s in shots)} not delivered once, {moved} moved, per node {nodes}")
    assert not [s for s in shots if not s.good], "failed"
    assert not [s for s in shots if received[(s.method, s.id)] != 1], "not delivered once"
    assert all(went_on(user) for user in load.users)
    assert all(node.starts() > rounds for node in three_tomcats.nodes) and moved, "nothing was restarted, or nobody had to move"


def test_the_script_ends_where_something_is_wrong(httpd, page):
    script = os.path.join(TOP, "conf/rolling-restart.sh")
    env = environment(JKCTL_URL=url_of(httpd), JKCTL=tools.path_of("jkctl"), DRAIN="--idle 0 --every 50ms", STOP="true",
                      START="exit 7", READY="false")

    def run(*args, **more):
        return tools.Said(subprocess.run([script, *args], capture_output=True, text=True, timeout=60, env={**env, **more}))
    assert run().exit == USAGE
    said = run("n1", "n2")
    assert said.exit == 1 and "n1: did not start" in said.err
    said = run("n1", "n2", START="true", PATIENCE="0")
    assert said.exit == 1 and "n1: does not answer; it stays out of service" in said.err
    assert [page.member(m, "shop")["activation"] for m in ("n1", "n2")] == ["STP", "ACT"]
    assert run("n1", START="true", READY="true").exit == 0 and page.member("n1", "shop")["activation"] == "ACT"
    said = run("nn", START="true", READY="true")
    assert said.exit == 1 and "nn: is not drained" in said.err
