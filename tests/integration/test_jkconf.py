"""jkconf: what `check` says is what `httpd -t` says, of every mistake that its table has; what `explain` says is what the live request does; words,
exit statuses and JSON; the examples of docs/jkconf.md."""
import http.client
import json
import re
import shlex

import pytest

import test_broken_configs
import test_wild_configs
from lib import client, manual, proc, tools
from lib.checks import Said, check
from lib.httpd import INCUMBENT, TOP
from lib.workers import ajp13

pytestmark = pytest.mark.skipif(INCUMBENT, reason="it has no jkconf")

CLEAN, WARNED, REFUSED, CANNOT, USAGE = 0, 1, 2, 3, 64
VERDICTS = r"Error in reading|the server would start"


def jkconf(*args, **more):
    return tools.run("jkconf", *args, **more)


def said_by(httpd, *args):
    """(exit, findings, last line), without the root's path."""
    done = jkconf("check", *args, httpd.path("conf/httpd.conf"))
    lines = [ln for ln in done.out.replace(httpd.root + "/", "").splitlines() if not ln.startswith("not known: ")]
    return done.exit, [ln for ln in lines if not re.match(VERDICTS, ln)], [ln for ln in lines if re.match(VERDICTS, ln)], done.err


# ---- check ----

@pytest.fixture(scope="module")
def quiet(make_httpd):
    """For -t alone: never started."""
    return make_httpd(start=False, files={"conf/good.properties": test_broken_configs.GOOD})


@pytest.mark.parametrize("row", test_broken_configs.TABLE, ids=[row[0] for row in test_broken_configs.TABLE])
def test_it_says_what_httpd_says(quiet, row):
    said = check(quiet, row[1], row[3] if len(row) > 3 else "JkMount /* w")
    code, lines, end, err = said_by(quiet)
    assert (lines, end, err) == (said.lines, said.end, "")
    assert code == (REFUSED if said.code else CLEAN)


@pytest.mark.parametrize("row", test_broken_configs.TABLE, ids=[row[0] for row in test_broken_configs.TABLE])
def test_strict_refuses_what_could_be_lived_with(quiet, row):
    """The same table, without httpd."""
    config = row[3] if len(row) > 3 else "JkMount /* w"
    if row[1] is not None:
        quiet.write("conf/workers.properties", row[1])
        config = "JkWorkersFile conf/workers.properties\n" + config
    quiet.workers = None
    quiet.write_config(config)
    code, lines, end, _ = said_by(quiet, "--strict")
    expected = [p.replace(test_broken_configs.LIVED, "error") if p else p for p in row[2]]
    assert len(lines) == len(expected) and all(p is None or re.search(p, ln) for p, ln in zip(expected, lines)), lines
    refuses = any(p and p.startswith("^error: ") for p in expected)
    assert code == (REFUSED if refuses else WARNED if expected else CLEAN) and bool(end) == refuses


MAPS = {"conf/uriworkermap.properties": "# mounts\n/app/*=loadbalancer\n!/app/*.gif=loadbalancer\n-/old/*=loadbalancer\n"}


@pytest.mark.parametrize("why", test_wild_configs.WILD)
def test_of_what_is_right_it_says_nothing(quiet, why):
    workers, config = test_wild_configs.WILD[why]
    quiet.workers = None
    for name, text in {**MAPS, "conf/workers.properties": workers or ""}.items():
        quiet.write(name, text)
    quiet.write_config(("JkWorkersFile conf/workers.properties\n" if workers else "") + config)
    assert said_by(quiet, "--strict") == (CLEAN, [], [], "")


DOCS = [s for s in manual.all_sections() if {"apache", "properties"} & {kind for kind, _ in s.blocks} and s.said() is None]


def test_of_the_manual_it_says_nothing(quiet):
    """Every configuration of it, with JkStrict On."""
    wrong = []
    for section in DOCS:
        config, workers = manual.configuration(section, quiet)
        quiet.workers = None
        quiet.write_config(config + ("JkWorkersFile conf/workers.properties\n" if workers is not None else ""))
        if workers is not None:
            quiet.write("conf/workers.properties", workers)
        code, lines, _, err = said_by(quiet, "--strict")
        if code or lines or err:
            wrong.append((str(section), lines, err))
    assert len(DOCS) > 40 and wrong == []


SYNTAX = [
    "JkMount a b c", "JkMount", "JkMount x w", "JkMount /x", "JkStrict maybe", "JkStrict", "JkMountCopy Some", "JkOptions +ForwardURIEscapd",
    "JkLogFile", "JkParkMax many", "JkNotes Never", "JkStripSession Perhaps", "JkWorkersFile a\nJkWorkersFile b", "JkMountCopy All extra",
    "<Location /x>\nJkWorkersFile x\n</Location>", "<Location /x>\nJkMount /x w\n</Location>", "<Files x>\nJkMount w\n</Files>",
    "<VirtualHost *:80>\nJkWorkersFile x\n</VirtualHost>", "<VirtualHost *:80>\nJkMountCopy All\n</VirtualHost>",
    "<VirtualHost *:80>\nJkStateFile x\n</VirtualHost>", "<Directory /x>\nJkAutoAlias x\n</Directory>", "<If \"true\">\nJkMount w\n</If>",
    "JkMuont /x w", "<VirtualHost *:80>", "</VirtualHost>", "<VirtualHost *:80>\n</Location>", "Include conf/nowhere.conf", "Include conf/no*.conf",
    "JkMount \\\n  x \\\n  w", "JkAutoAlias", "<Location \"/a b\">\nJkMount /a w\n</Location>",
]


@pytest.mark.parametrize("lines", SYNTAX)
def test_syntax_errors_are_httpds(quiet, lines):
    """httpd ends with the first, jkconf goes on: its first is the same, at the same place."""
    quiet.write("conf/workers.properties", test_broken_configs.GOOD)
    quiet.write_config(lines)
    code, text = quiet.configtest()
    told = re.search(r"Syntax error on line (\d+) of (\S+):\s(.*)", text)
    assert code == 1 and told, text
    done, found, _, _ = said_by(quiet)
    words = re.sub(r"^\S+:\d+: (<\w+> was not closed)", r"\1", told[3]).strip().replace(quiet.root + "/", "")
    place = f"{told[2]}:{told[1]}".replace(quiet.root + "/", "")
    assert any(ln.startswith(f"error: {place}: {words}") for ln in found), (place, words, found)
    assert done == REFUSED


def test_a_slip_in_a_directive_is_seen(quiet):
    quiet.write_config("JkMuont /x w")
    assert "did you mean 'JkMount'?" in "\n".join(said_by(quiet)[1])


INCLUDES = {"conf/a/1.conf": "JkMount /1 w\n", "conf/a/2.conf": "JkMount /2 nobody\n", "conf/b.conf": "Include conf/a\n",
            "conf/c/x/m.conf": "JkMount /x nobody\n", "conf/c/y/m.conf": "JkMount /y nobody\n", "conf/c/y/.hidden.conf": "JkMount /h nobody\n",
            "conf/v.conf": "Define V nobody\n", "conf/rules": "/r=nobody\n"}
FOLLOWED = ["Include conf/b.conf", "Include conf/c/*/m.conf", "Include conf/c/y/*.conf", "IncludeOptional conf/none/*.conf",
            "Include conf/v.conf\nJkMount /v ${V}", "Define X 1\n<IfDefine X>\nJkMount /x nobody\n</IfDefine>", "<IfDefine X>\nJkMount /x nobody\n</IfDefine>",
            "<IfModule mod_rewrite.c>\nJkMount /x nobody\n</IfModule>", "<IfModule !rewrite_module>\nJkMount /x nobody\n</IfModule>",
            "<IfModule mod_jk.c>\nJkMount /x nobody\n</IfModule>", "<IfVersion >= 2.4>\nJkMount /x nobody\n</IfVersion>",
            "<IfFile conf/v.conf>\nJkMount /x nobody\n</IfFile>", "JkMount '/a b' nobody", "JkMount \"/a\\\"b\" nobody", "JkMount /a\\\\b nobody",
            "JkMountFile conf/rules", "<VirtualHost *:80>\nJkMountFile conf/rules\nJkMount /z nobody\n</VirtualHost>",
            "<VirtualHost *:80>\nJkMountCopy On\n</VirtualHost>\nJkMount /z nobody", "JkAutoAlias conf/nowhere", "JkRequestLogFormat %z", "JkLogLevel loud",
            "JkOptions +CollapseSlashesAll", "JkMount /u ${NOT_DEFINED_AT_ALL}", "JkMount /p/x* w;path=/y", "JkMount /e w;reply_timout=3",
            "JkMount /l w;active=a", "JkMount /a|/*|b nobody", "JkUnMount /a *", "<Location /loc>\nJkMount nobody\n</Location>",
            "<LocationMatch ^/x>\nSetHandler none\n</LocationMatch>\nJkMount /x nobody"]


@pytest.mark.parametrize("lines", FOLLOWED)
def test_files_and_sections_are_read_as_httpd_does(quiet, lines):
    for name, text in INCLUDES.items():
        quiet.write(name, text)
    said = check(quiet, test_broken_configs.GOOD, lines + "\nJkMount /* w")
    code, found, _, _ = said_by(quiet)
    places = [re.sub(r"^(conf/httpd.conf:\d+: JkLogLevel)", r"warning: \1", ln) for ln in re.findall(r"^conf/httpd.conf:\d+: JkLogLevel.*$", said.text, re.M)]
    others = [ln for ln in found if "Config variable" not in ln and "Deprecated CollapseSlashes" not in ln]
    assert sorted(others) == sorted([*said.lines, *places]) and code == CLEAN
    assert ("Config variable ${NOT_DEFINED_AT_ALL} is not defined" in "\n".join(found)) == ("Config variable" in said.text)
    assert any("Deprecated CollapseSlashes" in ln for ln in found) == ("Deprecated CollapseSlashes" in said.text)


def write(tmp_path, **files):
    for name, text in files.items():
        (tmp_path / name.replace("_", ".")).write_text(text)
    return [str(tmp_path / name.replace("_", ".")) for name in files]


def test_pieces_without_a_server(tmp_path):
    workers, rules = write(tmp_path, w_properties="worker.list=w\nworker.w.port=8009\n", map_txt="/a|/*=w\n/b=v\nc=w\n")
    done = jkconf("check", workers)
    assert (done.exit, done.out, done.err) == (CLEAN, "", "")
    done = jkconf("check", rules, workers)
    assert done.exit == CLEAN and f"{rules}:2: /b: there is no worker 'v' in worker.list" in done.out, done
    assert f"{rules}:3: " in done.out and jkconf("check", "-s", rules, workers).exit == REFUSED
    done = jkconf("check", rules)
    assert "no worker" not in done.out and f"{rules}:3: " in done.out


def test_two_workers_files_are_two_configurations(tmp_path):
    good, bad = write(tmp_path, good_properties="worker.list=w\nworker.w.port=8009\n", bad_properties="worker.list=w\nworker.w.prot=8009\n")
    done = jkconf("check", good, bad)
    assert done.exit == REFUSED and f"\nerror: {bad}:2: " in done.out and good not in done.out


def test_a_workers_file_for_a_piece_of_httpds(tmp_path):
    piece, workers = write(tmp_path, x_conf="JkMount /x w\nJkMount /y v\n", w_properties="worker.list=w\nworker.w.port=8009\n")
    done = jkconf("check", piece, workers)
    assert done.exit == CLEAN and [ln for ln in done.out.splitlines() if "JkMount /x" in ln] == [] and f"{piece}:2: JkMount /y" in done.out


@pytest.mark.parametrize("args, exit, words", [
    ((), USAGE, "which command?\njkconf --help says more.\n"), (("frob",), USAGE, "'frob' is no command"), (("check",), USAGE, "check needs FILE.."), (("check", "/no/where"), CANNOT, "No such file"),
    (("check", "/"), CANNOT, "no regular file"), (("check", "-k", "other", "x"), USAGE, "--kind is"), (("check", "--frob", "x"), USAGE, "no such option"),
    (("explain", "http://a/"), USAGE, "--conf FILE"), (("explain", "-c", "/no/where", "http://a/"), CANNOT, "/no/where: No such file"),
    (("explain",), USAGE, "explain takes one URL"), (("explain", "-c", "/dev/null", "http://a:0/"), USAGE, "the URL's host or port is not valid"),
    (("explain", "-c", "/bin/ls", "/"), CANNOT, "/bin/ls: it has NUL bytes, so it is no configuration"),
    (("explain", "-c", "/dev/null", "--address", "zz", "/"), USAGE, "--address is an IP address"),
    (("explain", "-c", "/dev/null", "--address", "1.2.3", "/"), USAGE, "--address is an IP address"),
    (("explain", "-c", "/dev/null", "a"), USAGE, "a URL begins"), (("explain", "-c", "/dev/null", "--port", "0", "/"), USAGE, "--port is"),
    (("keys", "frob"), WARNED, "no directive and no worker key 'frob'"), (("keys", "JkMuont"), WARNED, "did you mean 'JkMount'?"),
    (("keys", "worker.x.prepost_timout"), WARNED, "did you mean 'prepost_timeout'?"), (("--help",), CLEAN, ""), (("--version",), CLEAN, ""),
])
def test_words_and_statuses(args, exit, words):
    done = jkconf(*args)
    assert done.exit == exit and words in done.err, done


def test_a_kind_that_nobody_can_tell(tmp_path):
    path, = write(tmp_path, x_dat="hello\n")
    assert jkconf("check", path).exit == CANNOT
    assert "'hello' has no '='" in jkconf("check", "-k", "workers", path).out


def test_no_server_root(tmp_path):
    """What is not below httpd's own lies beside the configuration, as jkctl doctor has it; else the one or the other is said."""
    (tmp_path / "conf/d").mkdir(parents=True)
    (tmp_path / "conf/httpd.conf").write_text(f"JkLogFile {tmp_path}/jk.log\nJkWorkersFile conf/w.properties\nInclude conf/d/*.conf\n")
    (tmp_path / "conf/w.properties").write_text("worker.list=w\nworker.w.port=8009\n")
    (tmp_path / "conf/d/x.conf").write_text("JkMount /x w\nJkMount /y v\n")
    conf = str(tmp_path / "conf/httpd.conf")
    done = jkconf("check", conf)
    assert done.exit == CLEAN and "d/x.conf:2: JkMount /y" in done.out and "w.properties" not in done.out, done
    done = jkconf("check", "--root", "/nowhere", conf)
    assert done.exit == REFUSED and "/nowhere/conf/" in done.out, done


def test_bytes_that_are_no_configuration(tmp_path):
    (tmp_path / "random").write_bytes(b"\x8f\x01 \0\xfe\n")
    done = jkconf("check", "-k", "httpd", str(tmp_path / "random"))
    assert done.exit == REFUSED and "it has NUL bytes, so it is no configuration" in done.out, done


def test_json_of_check(tmp_path):
    path, = write(tmp_path, w_properties="worker.list=w\nworker.w.prot=1\nworker.w.port=8080\nworker.w.route=\udcff\n".encode("utf-8", "surrogateescape").decode("latin-1"))
    done = jkconf("check", "--json", path)
    found = json.loads(done.out)
    assert done.exit == REFUSED and found["refused"] and found["findings"][0]["severity"] in ("error", "warning")
    assert {"severity": "error", "file": path, "line": 2, "text": "attribute 'worker.w.prot' is not supported; did you mean 'port'?"} in found["findings"]


def test_keys_are_the_tables(tmp_path):
    every = {row["name"]: row for row in json.loads(jkconf("keys", "--json").out)}
    page = manual.read(f"{TOP}/docs/worker-keys.md") + manual.read(f"{TOP}/docs/directives.md")
    names = set(re.findall(r'<a id="(\w+)">', page))
    told = {name.rpartition(".")[2] for name in every} | {row["alias"] for row in every.values() if row["alias"]}
    assert told == names and all(row["meaning"] for row in every.values())
    done = jkconf("keys", "worker.x.socket_timeout", "jkmount", "cachesize")
    assert done.exit == CLEAN and "worker.NAME.socket_timeout" in done.out and "JkMount " in done.out


# ---- explain: what the live request does ----

@pytest.fixture(scope="module")
def peer(make_peer):
    return make_peer()


@pytest.fixture(scope="module")
def other(make_peer):
    """The second member of the balancer."""
    return make_peer()


RULES = [("/foo|/*", "w1"), ("/foo/bar", "w2"), ("/foo/*.jsp", "w3"), ("/*.do", "w4")]
UNDONE = [("/foo/static/*", "w1"), ("/*.png", "*")]
HOSTS = {
    "rules": "\n".join(f"JkMount {uri} {w}" for uri, w in RULES) + "\n" + "\n".join(f"JkUnMount {uri} {w}" for uri, w in UNDONE) + "\nServerAlias *.rules nick",
    "file": "JkMountFile conf/map.properties\nJkMount /foo/bar w9\nJkMount /off/x w5",
    "copy": "JkMountCopy On\nJkMount /main w6\nJkMount /own w5",
    "alone": "JkMount /own w5",
    "none": "# nothing",
    "tie": "JkMount /same w1\nJkMount /same w2\nJkMount /a?c w3\nJkMount /ab? w4\nJkMount /Case w5",
    "lb": "JkMount /lb|/* lb\nJkMount /lb/out/* lb;stopped=m1\nJkMount /lb/free/* lb;sticky_ignore=1\nJkMount /lb/sid/* lb;session_path=;sid",
    "escaped": "JkOptions +ForwardURIEscaped\nJkMount /* w7",
    "unparsed": "JkOptions +ForwardURICompatUnparsed\nJkMount /* w7",
    "compat": "JkOptions +ForwardURICompat\nJkMount /* w7",
    "unsafe": "JkOptions +RejectUnsafeURI\nJkMount /* w7",
    "slashes": "AllowEncodedSlashes On\nMergeSlashes Off\nJkMount /* w7\nJkMount /a/b/* w8",
    "kept": "AllowEncodedSlashes NoDecode\nJkMount /* w7",
    "path": "JkMount /pub|/* w8;path=/inner/app",
    "sh": "<Location /sh>\n  SetHandler jakarta-servlet\n  SetEnv JK_WORKER_NAME w5\n</Location>\nJkMount /sh/mounted w6\n"
          "<Location /sh/nobody>\n  UnsetEnv JK_WORKER_NAME\n</Location>",
    "off": "JkMount /* w7\nSetEnvIf Request_URI \"\\.(gif|css)$\" no-jk\n<Location /late>\n  SetEnv no-jk 1\n</Location>",
    "errors": "JkMount /* w7;use_server_errors=500",
    "gone": "JkMount /x nobody",
}
MAIN = "JkMount /main|/* w1\nJkMount /*.jsp w2\n<Location /located>\n  JkMount w3\n</Location>\n" \
       "JkOptions +RejectUnsafeURI -RejectUnsafeURI\n"
MAP = "".join(f"{uri}={w}\n" for uri, w in RULES) + "".join(f"!{uri}={w}\n" for uri, w in UNDONE) + "-/off/*=w1\n"


@pytest.fixture(scope="module")
def httpd(make_httpd, peer, other):
    workers = ajp13(**{f"w{i}": peer.port for i in range(1, 9)}, w9={"port": peer.port, "mount": "/wm/*"}) + (
        "worker.list=lb\nworker.lb.type=lb\nworker.lb.balance_workers=m1,m2\nworker.m1.host=127.0.0.1\nworker.m2.host=127.0.0.1\n"
        f"worker.m1.port={peer.port}\nworker.m2.port={other.port}\n")
    return make_httpd(MAIN, workers=workers, vhosts=HOSTS, files={"conf/map.properties": MAP, "htdocs/x.txt": "x"}, startup=["nobody"])


# why, host ("": the main server), target, Cookie
CASES = [
    ("the context alone", "rules", "/foo"), ("below it", "rules", "/foo/x"), ("the longer one", "rules", "/foo/bar"), ("a suffix", "rules", "/foo/x.jsp"),
    ("fewer slashes", "rules", "/x.do"), ("more slashes beat a suffix", "rules", "/foo/a/x.do"), ("an exclusion", "rules", "/foo/static/x.txt"),
    ("an exclusion of another worker", "rules", "/foo/static/x.jsp"), ("an exclusion of all", "rules", "/foo/x.png"), ("not even near", "rules", "/foobar"),
    ("a name with a star", "a.rules", "/foo"), ("an alias", "nick", "/foo"), ("a name that nobody has: the first", "nobody", "/foo"),
    ("a rule file", "file", "/foo/x.jsp"), ("its exclusion", "file", "/foo/static/y"), ("it goes before a directive", "file", "/foo/bar"),
    ("a rule that is off", "file", "/off/x"),
    ("the main server", "", "/main/x"), ("a Location is literal", "", "/located"), ("and not more", "", "/located/x"),
    ("minus beats plus", "", "/main/a%25b"), ("worker.NAME.mount", "", "/wm/x"), ("which is the main server's alone", "copy", "/wm/x"),
    ("copied", "copy", "/main/x"), ("its own goes before the copied one", "copy", "/main"), ("its own", "copy", "/own"), ("not copied", "alone", "/main/x"),
    ("no directive at all", "none", "/main/x"),
    ("the same twice: the last", "tie", "/same"), ("a full tie: the first", "tie", "/abc"), ("case", "tie", "/case"), ("a question mark", "tie", "/abd"),
    ("encoded", "rules", "/foo/%62ar"), ("a blank", "rules", "/foo/a%20b"), ("a semicolon in disguise", "rules", "/foo/a%3Bb=1/c"),
    ("parameters", "rules", "/foo;x=1/bar;y=2"), ("two slashes", "rules", "//foo///bar"), ("dots", "rules", "/x/../foo/./bar"),
    ("dots in disguise", "rules", "/x/%2e%2e/foo/bar"), ("twice encoded", "rules", "/foo/%252e%252e/bar"), ("a query", "rules", "/foo/bar?a=/b;c"),
    ("above the root", "rules", "/../x"), ("above it by a parameter", "rules", "/..;/x"), ("an encoded slash", "rules", "/foo%2Fbar"),
    ("let in", "slashes", "/a%2Fb/c"), ("slashes kept", "slashes", "/a//b/c"), ("or left", "kept", "/a%2Fb"),
    ("escaped", "escaped", "/a%20b%3Bc;d"), ("unparsed", "unparsed", "/a%20b//c/../d;e"), ("compat", "compat", "/a%20b"), ("unsafe", "unsafe", "/a%25b"),
    ("safe", "unsafe", "/ab"),
    ("another context", "path", "/pub/x;y=1?z"), ("and its root", "path", "/pub"), ("its dots", "path", "/pub/a;x/./b"),
    ("a session in the path", "lb", "/lb/x;jsessionid=1.m2"), ("the other", "lb", "/lb/x;jsessionid=1.m1"), ("in a cookie", "lb", "/lb/x", "JSESSIONID=1.m2"),
    ("the path beats it", "lb", "/lb/x;jsessionid=1.m1", "JSESSIONID=1.m2"), ("a stopped member", "lb", "/lb/out/x;jsessionid=1.m1"),
    ("another parameter", "lb", "/lb/sid/x;sid=1.m2"), ("two cookies", "lb", "/lb/x", "JSESSIONID=1.zz; JSESSIONID=2.m2"),
    ("sessions do not matter", "lb", "/lb/free/x;jsessionid=1.m2"), ("a route of nobody", "lb", "/lb/x;jsessionid=1.zz"),
    ("SetHandler", "sh", "/sh/x"), ("a mount beats it", "sh", "/sh/mounted"), ("nobody is named", "sh", "/sh/nobody/x"),
    ("no-jk", "off", "/x.gif"), ("not no-jk", "off", "/x.gifs"), ("it looks at the path as it was sent", "off", "/x.%67if"),
    ("no escape", "rules", "/foo/%zz"), ("half an escape", "rules", "/foo/%6"), ("NUL", "rules", "/foo/%00"), ("up at the end", "rules", "/foo/bar/.."),
    ("an empty segment is taken back", "slashes", "/a//../b/c"), ("dots behind a slash that is let in", "slashes", "/a/x%2F..%2Fb/c"),
    ("and that is left", "kept", "/x%2F..%2Fy"), ("a plus", "rules", "/foo/a+b"), ("other letters", "rules", "/foo/%C3%BC"),
    ("a Location with parameters is another", "sh", "/sh;x/y"), ("parameters below it", "sh", "/sh/a;b"), ("no-jk behind the mapping", "off", "/late/x"),
    ("httpd's own error page", "errors", "/x"), ("a worker that is not there", "gone", "/x"),
]


def explain(httpd, host, target, cookie=None):
    port = httpd.vport if host else httpd.port
    more = ["--cookie", cookie] if cookie else []
    done = jkconf("explain", "-c", httpd.path("conf/httpd.conf"), "--address", "127.0.0.1", "--json", *more, f"http://{host or '127.0.0.1'}:{port}{target}")
    assert done.err == "" and done.exit in (CLEAN, WARNED, REFUSED), done
    return done.exit, json.loads(done.out)


def live(httpd, peers, host, target, cookie=None):
    """(the note with the worker's name, what arrived, the member that it arrived at, the answer)"""
    for one in peers:
        one.reset()
    headers = [("X-Test", "live"), *([("Cookie", cookie)] if cookie else [])]
    httpd.access_log.mark()
    answer = client.get(httpd.vport if host else httpd.port, target, headers, host=host or None)
    access = httpd.access_of("live")
    reached = [p for p in peers if p.last()]
    return access, reached[0].last().uri if reached else None, peers.index(reached[0]) if reached else None, answer


@pytest.mark.parametrize("case", CASES, ids=[c[0] for c in CASES])
def test_the_live_request_does_what_is_said(httpd, peer, other, case):
    _, host, target, *cookie = case
    httpd.allow(r"Could not find a worker for worker name=nobody", r"sequence that tries to escape", r"AH10244", r"AH00026", r"AH10508")
    access, arrived, member, answer = live(httpd, [peer, other], host, target, *cookie)
    exit, told = explain(httpd, host, target, *cookie)
    worker = access["worker"] if access["worker"] != "-" else None
    if told.get("refused"):
        assert answer.status == told["refused"] and arrived is None and exit == REFUSED
        return
    assert told["mapped"] == (worker is not None) or host == "sh"
    if told["mapped"]:
        assert told["rule"]["worker"].partition(";")[0] == worker
    assert (exit == CLEAN) == (arrived is not None)
    if arrived is not None:
        assert (told["worker"], told["forwarded"]) == (worker, arrived)
    else:
        assert answer.status == (500 if exit == REFUSED else 404)
    if told.get("member"):
        assert ["m1", "m2"][member] == told["member"]
    if cookie or "jsessionid=1.m" in target and "/free/" not in target:
        assert told["member"] is not None


def test_there_are_cases():
    assert len(CASES) >= 60


# ---- virtual hosts: the address first, then the name ----

SECTIONS = {"named": [("*:{a}", "first", "*.wild"), ("*:{a}", "second", "x.wild"), ("127.0.0.2:{a}", "special", ""), ("127.0.0.2:{a} *:{b}", "both", "")],
            "any last": [("*:{a}", "first", ""), ("*:*", "rest", ""), ("127.0.0.2:*", "special", "")],
            "any first": [("_default_:*", "rest", ""), ("*:{a}", "first", ""), ("127.0.0.2", "special", ""), ("127.0.0.2:{b}", "both", "")],
            "any between": [("*:{a}", "first", ""), ("*", "rest", ""), ("*:{a}", "second", "")]}
NAMES = ("first", "second", "special", "both", "rest", "x.wild", "nobody")


@pytest.fixture(scope="module", params=SECTIONS)
def hosted(request, make_httpd, peer):
    """(httpd, its two ports): a worker for each virtual host, and one for the main server."""
    a, b = proc.free_port(), proc.free_port()
    config = "".join(f"Listen 127.0.0.{n}:{port}\n" for n in (1, 2) for port in (a, b)) + "JkMount /* main\n"
    for address, name, alias in SECTIONS[request.param]:
        config += f"<VirtualHost {address.format(a=a, b=b)}>\nServerName {name}\n{'ServerAlias ' + alias if alias else ''}\nJkMount /* {name}\n</VirtualHost>\n"
    return make_httpd(config, workers=ajp13(**{name: peer.port for name in ("main", *NAMES[:5])})), a, b


@pytest.mark.parametrize("address", ["127.0.0.1", "127.0.0.2"])
def test_the_virtual_host_is_the_live_one(hosted, address):
    httpd, *ports = hosted
    met, live_ones = [], []
    for port in ports:
        for name in NAMES:
            wire = http.client.HTTPConnection(address, port, timeout=10)
            wire.request("GET", f"/{name}", headers={"Host": f"{name}:{port}", "X-Test": f"{address}-{port}-{name}", "Connection": "close"})
            wire.getresponse().read()
            wire.close()
            live_ones.append((port, name, httpd.access_of(f"{address}-{port}-{name}")["worker"]))
            done = jkconf("explain", "-jc", httpd.path("conf/httpd.conf"), "--address", address, f"http://{name}:{port}/{name}")
            met.append((port, name, json.loads(done.out)["worker"]))
    assert met == live_ones


def steps(told):
    return [f"{s['step']} {s['text']}" for s in told["steps"]]


@pytest.mark.parametrize("host, target, words", [
    ("rules", "/foo/x.jsp", "beaten /foo/* w1"), ("rules", "/foo/x.jsp", "it is shorter: 6 characters, not 10"),
    ("rules", "/foo/static/x.txt", "exclusion !/foo/static/* w1"), ("rules", "/foo/static/x.jsp", "this exclusion is of another worker than the rule's, w3"),
    ("file", "/off/x", "it is switched off by the '-'"), ("file", "/foo/bar", "a rule file goes before directives"),
    ("alone", "/main/x", "it is the main server's, and this virtual host has no JkMountCopy On"), ("tie", "/case", "upper and lower case differ"),
    ("tie", "/abc", "it stands behind the other"), ("rules", "/foo/a/x.do", "it has fewer slashes: 1, not 2"), ("off", "/x.gif", "no-jk is set, by SetEnvIf"),
    ("errors", "/x", "from status 500 on the page is httpd's own"), ("gone", "/x", "there is no such worker in worker.list: 500"),
    ("rules", "/foo", "by its ServerName"), ("a.rules", "/foo", "by ServerAlias *.rules"), ("nobody", "/foo", "since no name there is nobody"),
    ("lb", "/lb/x;jsessionid=1.m2", "1.m2 of the path: member m2, if it is well"), ("sh", "/sh/nobody/x", "JK_WORKER_NAME is not set: nobody is asked"),
])
def test_it_says_why(httpd, host, target, words):
    assert words in "\n".join(steps(explain(httpd, host, target)[1]))


def test_text_is_for_people(httpd):
    done = jkconf("explain", "-c", httpd.path("conf/httpd.conf"), "--host", "lb", "--address", "127.0.0.1", "--port", httpd.vport, "/lb/x;jsessionid=1.m2")
    assert done.exit == CLEAN and [ln.split()[0] for ln in done.out.splitlines()] == \
        ["server", "path", "rule", "forwarded", "worker", "member", "member", "session"], done.out


@pytest.mark.parametrize("lines, words", [
    ("RewriteEngine On\nRewriteRule ^/x(.*) /y$1 [PT]", "RewriteRule"), ("RewriteEngine On\nRewriteRule ^/\\w+ /y [PT]", "RewriteRule"),
    ("ProxyPass /x http://127.0.0.1:1/", "mod_proxy looks before"), ("Redirect permanent /x /y", "may answer first"), ("RedirectMatch ^/x /y", "may answer first"),
    ("SetEnvIf User-Agent Bot no-jk", "depends on the request"), ("SetEnvIfExpr \"true\" no-jk", "an expression"),
    ("<Location /x>\nRequire ip 10.0.0.1\n</Location>", "who may ask"), ("<FilesMatch \"\\.y$\">\nSetHandler jakarta-servlet\n</FilesMatch>", "whether this section holds"),
    ("<IfModule mod_nowhere.c>\nJkMount /x/y w\n</IfModule>", "no LoadModule has brought it"),
])
def test_what_only_httpd_knows_is_named(tmp_path, lines, words):
    conf, = write(tmp_path, x_conf=f"JkWorkerProperty worker.list=w\nJkWorkerProperty worker.w.port=1\nJkMount /* w\n{lines}\n")
    assert words in [d for d in json.loads(jkconf("explain", "-jc", conf, "http://a/x/z.y").out)["depends"] if words in d][0]


@pytest.mark.parametrize("lines", ["RewriteEngine On\nRewriteRule ^/other /y", "RewriteRule ^/x /y", "ProxyPass /xx http://127.0.0.1:1/",
                                   "SetEnvIf Request_URI \\.gif$ no-jk", "<Location /other>\nRequire ip 1.2.3.4\n</Location>", "Require all granted",
                                   "<IfModule mod_nowhere.c>\nAlias /a /b\n</IfModule>"])
def test_what_does_not_matter_is_not_named(tmp_path, lines):
    conf, = write(tmp_path, x_conf=f"JkWorkerProperty worker.list=w\nJkWorkerProperty worker.w.port=1\nJkMount /* w\n{lines}\n")
    assert json.loads(jkconf("explain", "-jc", conf, "http://a/x/z.y").out)["depends"] == []


def test_a_broken_configuration_is_said(tmp_path):
    conf, = write(tmp_path, x_conf="JkWorkerProperty worker.list=w\nJkWorkerProperty worker.w.prot=1\nJkMount /* w\n")
    assert "httpd refuses this configuration" in jkconf("explain", "-c", conf, "http://a/x").out


def test_files_of_an_application(tmp_path):
    (tmp_path / "apps/shop/WEB-INF").mkdir(parents=True)
    conf, = write(tmp_path, x_conf=f"JkWorkerProperty worker.list=w\nJkWorkerProperty worker.w.port=1\nJkAutoAlias {tmp_path}/apps\nJkMount /*.jsp w\nJkStripSession On\n")
    assert f"{tmp_path}/apps/shop/a.gif, by JkAutoAlias" in jkconf("explain", "-c", conf, "http://a/shop/a.gif;jsessionid=1").out
    done = jkconf("explain", "-c", conf, "http://a/shop/WEB-INF/web.xml")
    assert done.exit == REFUSED and "404, by JkAutoAlias" in done.out
    assert "/other/a.gif, by JkStripSession" in jkconf("explain", "-c", conf, "http://a/other/a.gif;jsessionid=1").out


def test_other_letters(tmp_path):
    conf, = write(tmp_path, x_conf="JkWorkerProperty worker.list=w\nJkWorkerProperty worker.w.port=1\nJkMount /\u00fc/* w\n")
    done = jkconf("explain", "-c", conf, "http://a/%C3%BC/x")
    assert done.exit == CLEAN and "path       /\u00fc/x\n" in done.out
    assert json.loads(jkconf("explain", "-jc", conf, "http://a/%C3%BC/%FF%1b").out)["path"] == "/??/??"


# ---- Debian's way ----

def test_debians_configuration(tmp_path):
    """sites-enabled and its links, envvars, <IfModule> of what mods-enabled loads."""
    files = {"apache2.conf": "IncludeOptional mods-enabled/*.load\nIncludeOptional mods-enabled/*.conf\nErrorLog ${APACHE_LOG_DIR}/e\n"
                             "IncludeOptional sites-enabled/*.conf\n",
             "mods-available/jk.load": "LoadModule jk_module /usr/lib/apache2/modules/mod_jk.so\n",
             "mods-available/jk.conf": "<IfModule jk_module>\nJkWorkersFile workers.properties\nJkLogFile ${APACHE_LOG_DIR}/mod_jk.log\n</IfModule>\n",
             "sites-available/a.conf": "<VirtualHost *:80>\nServerName a\nJkMount /a|/* w\n</VirtualHost>\n", "workers.properties": "worker.list=w\nworker.w.port=8009\n"}
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    for kind, name in (("mods", "jk.load"), ("mods", "jk.conf"), ("sites", "a.conf")):
        (tmp_path / f"{kind}-enabled").mkdir(exist_ok=True)
        (tmp_path / f"{kind}-enabled/{name}").symlink_to(f"../{kind}-available/{name}")
    env = ["-D", f"APACHE_LOG_DIR={tmp_path}"]
    assert jkconf("check", "-s", "-d", tmp_path, *env, tmp_path / "apache2.conf").out == ""
    assert "APACHE_LOG_DIR" in jkconf("check", "-d", tmp_path, tmp_path / "apache2.conf").out
    assert jkconf("explain", "-d", tmp_path, *env, "-c", tmp_path / "apache2.conf", "http://a/a/b").exit == CLEAN


# ---- the page ----

PAGE = f"{TOP}/docs/jkconf.md"
EXAMPLES = [(s, text) for s in manual.sections(PAGE) for kind, text in s.blocks if kind == "console" and text.startswith("$ jkconf ")]


@pytest.mark.parametrize("section, text", EXAMPLES, ids=[str(s) for s, _ in EXAMPLES])
def test_examples_are_what_is_printed(tmp_path, section, text):
    """The files are the section's, or those of the one before it; they lie below /etc/httpd."""
    (tmp_path / "conf").mkdir()
    for one in manual.sections(PAGE):
        for kind, words in one.blocks:
            name = manual.file_of(kind, words) if kind == "properties" else "conf/httpd.conf" if kind == "apache" else None
            if name:
                (tmp_path / name).write_text(words)
        if str(one) == str(section):
            break
    command, *shown = text.splitlines()
    done = jkconf(*shlex.split(command.replace("/etc/httpd", str(tmp_path)))[2:], "-d", tmp_path)
    assert done.err == ""
    assert done.out.replace(str(tmp_path), "/etc/httpd").splitlines() == shown, done.out


def test_there_are_examples():
    assert len(EXAMPLES) >= 3
