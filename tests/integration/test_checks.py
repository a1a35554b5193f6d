"""What the check finds beside the text of the files: rights, names that do not resolve, files that are none; where it is told, and how often;
and -D DUMP_JK."""
import os
import re
import socket
import subprocess

import pytest
from lib import client
from lib.checks import LIVED, check
from lib.httpd import TOP
from lib.workers import ajp13

pytestmark = pytest.mark.differs("there was no such check")

GOOD = "worker.list=w\nworker.w.type=ajp13\nworker.w.host=127.0.0.1\nworker.w.port=8009\n"
IS_ROOT = os.geteuid() == 0


@pytest.fixture
def httpd(fresh_httpd):
    """For -t alone."""
    return fresh_httpd(start=False)


def only(said, pattern):
    assert len(said.lines) == 1 and re.search(pattern, said.lines[0]), said


# ---- files ----

@pytest.mark.parametrize("directive, words", [("JkWorkersFile", "Can't find the workers file"), ("JkMountFile", "Failed to load uri_worker_map file")])
def test_a_pipe_for_a_file_does_not_hang(httpd, directive, words):
    """Nobody writes to it: who opens it waits for ever."""
    os.mkfifo(httpd.path("conf/pipe"))
    said = check(httpd, GOOD if directive == "JkMountFile" else None, f"{directive} conf/pipe")
    assert said.code == 1 and re.search(rf"error: conf/httpd\.conf:\d+: {words} conf/pipe: it is no regular file", said.lines[0]), said


@pytest.mark.parametrize("mode, told", [(0o600, False), (0o640, False), (0o644, True), (0o604, True)], ids=oct)
def test_a_secret_that_everybody_can_read(httpd, mode, told):
    said = check(httpd, GOOD + "worker.w.secret=sesame\n", "JkMount /* w")
    assert said.lines == []
    os.chmod(httpd.path("conf/workers.properties"), mode)
    code, text = httpd.configtest()
    assert code == 0 and ("every user of this machine can read it; chmod o-r" in text) == told and "sesame" not in text, text


def test_a_secret_in_httpd_conf(httpd):
    check(httpd, GOOD, "JkWorkerProperty worker.w.secret=sesame\nJkMount /* w")
    os.chmod(httpd.path("conf/httpd.conf"), 0o644)
    _, text = httpd.configtest()
    assert re.search(r"warning: \S+/conf/httpd\.conf: the file holds a secret", text) and "sesame" not in text, text


def test_no_secret_nothing_to_hide(httpd):
    check(httpd, GOOD, "JkMount /* w")
    os.chmod(httpd.path("conf/workers.properties"), 0o644)
    os.chmod(httpd.path("conf/httpd.conf"), 0o644)
    assert "mod_jk: warning" not in httpd.configtest()[1]


def test_a_secret_behind_a_closed_door(httpd):
    """The file's mode alone does not let anybody in."""
    check(httpd, GOOD + "worker.w.secret=sesame\n", "JkMount /* w")
    os.chmod(httpd.path("conf/workers.properties"), 0o644)
    os.chmod(httpd.path("conf"), 0o700)
    assert "holds a secret" not in httpd.configtest()[1]


@pytest.mark.parametrize("what", ["conf/workers.properties", "conf", "conf/rules"])
def test_files_that_everybody_can_change(httpd, what):
    httpd.write("conf/rules", "/x=w\n")
    assert check(httpd, GOOD, "JkMount /* w\nJkMountFile conf/rules").lines == []
    os.chmod(httpd.path(what), os.stat(httpd.path(what)).st_mode | 0o002)
    code, text = httpd.configtest()
    assert code == 0 and re.search(rf"every user of this machine can change what the server does: \S+/{what} can be written by all; chmod o-w", text), text
    if os.path.isdir(httpd.path(what)):
        os.chmod(httpd.path(what), 0o1777)
        assert "can be written by all" not in httpd.configtest()[1], "in a sticky directory nobody replaces another's file"


@pytest.mark.skipif(not IS_ROOT, reason="the children are who we are")
def test_a_socket_that_the_children_may_not_use(httpd):
    path = httpd.path("run/ajp.sock")
    with socket.socket(socket.AF_UNIX) as s:
        s.bind(path)
        os.chmod(path, 0o666)
        assert check(httpd, f"worker.list=w\nworker.w.host=unix:{path}\n", "JkMount /* w").lines == []
        os.chmod(path, 0o660)
        only(check(httpd, f"worker.list=w\nworker.w.host=unix:{path}\n", "JkMount /* w"), r"warning: \S+:2: the server's user \(\S+\) may not write to run/ajp\.sock")


# ---- names ----

SLOW = """
#define _GNU_SOURCE
#include <dlfcn.h>
#include <string.h>
#include <unistd.h>
int getaddrinfo(const char *n, const char *s, const void *h, void *r)
{
    int (*real)(const char *, const char *, const void *, void *) = (int (*)(const char *, const char *, const void *, void *))dlsym(RTLD_NEXT, "getaddrinfo");
    if (n && strncmp(n, "host", 4) == 0)
        sleep(600);
    return real(n, s, h, r);
}
"""


def test_a_dead_name_service_does_not_hold_it_up(httpd, monkeypatch):
    """A look-up that never comes back: it is given up, for all hosts together, and its processes with it."""
    if os.environ.get("JK_PRELOAD"):
        pytest.skip("something else is preloaded")
    httpd.write("slow.c", SLOW)
    if subprocess.run(["cc", "-shared", "-fPIC", "-o", httpd.path("slow.so"), httpd.path("slow.c"), "-ldl"]).returncode != 0:
        pytest.skip("no compiler")
    hosts = "".join(f"worker.list=w{i}\nworker.w{i}.host=host{i}\n" for i in range(100))
    httpd.write_workers(hosts)
    httpd.write_config("JkMount /* w0")
    monkeypatch.setenv("LD_PRELOAD", httpd.path("slow.so"))
    code, text = httpd.configtest()
    assert code == 0 and "Syntax OK" in text
    assert re.search(r"warning: \S+:2: can't resolve tomcat address 'host0': the name service has said nothing for 2 s; look for a slip", text), text
    left = subprocess.run(["pgrep", "-f", httpd.root], capture_output=True, text=True).stdout
    assert left == "", "processes are left"


def test_names_are_asked_for_in_the_check_alone(fresh_httpd, fresh_peer):
    """The start looks them up as requests need them, and does not wait."""
    httpd = fresh_httpd("JkMount /* w", workers=ajp13(w={"host": "nowhere.invalid", "port": 1}), startup=["can't resolve"])
    assert "mod_jk: warning" not in httpd.error_log.text()


# ---- where it is told ----

ODD = GOOD + "worker.w.cachesize=5\nworker.w.connection_pool_size=6\n"


def count(text, what):
    return len(re.findall(re.escape(what), text))


def test_a_start_tells_each_finding_once(fresh_httpd):
    """httpd reads its files twice when it starts."""
    httpd = fresh_httpd("JkMount /* w\nJkMount /y nobody", workers=ODD, startup=["nobody", "cachesize"])
    for what in ("there is no worker 'nobody'", "connection_pool_size is set too"):
        assert count(httpd.error_log.text() + httpd.stderr.text(), what) == 1


def test_a_refused_start_tells_each_finding_once(fresh_httpd):
    httpd = fresh_httpd("JkMount /* w", workers=ODD + "worker.w.prot=1\n", start=False)
    with pytest.raises(RuntimeError):
        httpd.start()
    said = httpd.error_log.text() + httpd.stderr.text()
    assert [count(said, w) for w in ("did you mean 'port'?", "connection_pool_size is set too", "the configuration is refused, because of the 1 line above")] == [1, 1, 1]
    httpd.mark()


def test_findings_stand_by_file_and_line(httpd):
    httpd.write("conf/a.conf", "JkMount /a nobody\nJkWorkerProperty worker.w.cachesize=5\nJkWorkerProperty worker.w.retries=x\n")
    said = check(httpd, ODD.replace("cachesize=5", "retries=2") + "nonsense\n", "JkMount /z nobody\nInclude conf/a.conf\nJkMount /* w")
    places = [re.search(r": (conf/\S+?):(\d+): ", ln).groups() for ln in said.lines]
    assert places == sorted(places, key=lambda at: (at[0], int(at[1]))) and {p[0] for p in places} == {"conf/a.conf", "conf/httpd.conf", "conf/workers.properties"}


def test_more_than_anybody_reads(httpd):
    """A file that is no configuration: 500 findings and the number of the others."""
    said = check(httpd, GOOD + "".join(f"worker.w.x{i}=1\n" for i in range(700)), "JkMount /* w")
    assert said.code == 1 and len(said.lines) == 501 and said.lines[-1] == "and 200 findings more" and "because of the 700 lines above" in said.end[0], said.lines[-1]


def test_htaccess_has_no_mounts(fresh_httpd):
    """httpd's own words: it is read with each request, and -t never sees it."""
    httpd = fresh_httpd("<Directory /tmp>\nAllowOverride All\n</Directory>", workers=GOOD, files={"htdocs/x/.htaccess": "JkMount /* w\n", "htdocs/x/y": "y"})
    httpd.allow("JkMount not allowed here")
    assert client.get(httpd.port, "/x/y").status == 500


# ---- directives whose form is wrong: httpd itself says where ----

FORMS = [
    ("JkWorkersFile twice", "JkWorkersFile conf/workers.properties", "JkWorkersFile: only allowed once"),
    ("JkWorkersFile without a name", "JkWorkersFile", "JkWorkersFile takes one argument"),
    ("JkWorkersFile in a virtual host", "<VirtualHost *:1>\nJkWorkersFile x\n</VirtualHost>", "JkWorkersFile cannot occur within <VirtualHost> section"),
    ("a mount without a path", "JkMount w", "JkMount needs a path when not defined in a location"),
    ("a mount with a path in a location", "<Location /x>\nJkMount /x w\n</Location>", "JkMount can not have a path when defined in a location"),
    ("a mount of three words", "JkMount /x w v", "JkMount takes 1-2 arguments"),
    ("a pattern without a '/'", "JkMount *.jsp w", "invalid context '\\*\\.jsp'"),
    ("an option that there is not", "JkOptions +ForwardUriProxi", "Illegal option '\\+ForwardUriProxi'"),
    ("JkStrict Perhaps", "JkStrict Perhaps", "JkStrict must be On or Off"),
    ("JkMountCopy All in a virtual host", "<VirtualHost *:1>\nJkMountCopy All\n</VirtualHost>", "JkMountCopy All: only allowed in the main server"),
    ("JkShmSize in words", "JkShmSize big", "JkShmSize: 'big' is not a number"),
    ("a directive with a slip", "JkMonut /* w", "Invalid command 'JkMonut'"),
]


@pytest.mark.parametrize("why, line, words", FORMS, ids=[f[0] for f in FORMS])
def test_forms(httpd, why, line, words):
    said = check(httpd, GOOD, "JkMount /* w\n" + line)
    assert said.code == 1 and re.search(r"Syntax error on line \d+ of conf/httpd\.conf", said.text) and re.search(words, said.text), said


# ---- -D DUMP_JK ----

DUMPED = """worker.list=lb,w
worker.t.port=8009
worker.t.secret=sesame
worker.lb.type=lb
worker.lb.balance_workers=a,b
worker.lb.secret=sesame
worker.a.reference=worker.t
worker.a.host=127.0.0.1
worker.a.route=tc1
worker.b.host=127.0.0.2
worker.b.cachesize=7
worker.b.ping_mode=CP
worker.w.host=$(hidden)
hidden=x
"""


def dump(httpd, *more):
    done = subprocess.run(httpd.argv("-t", "-D", "DUMP_JK", *more), capture_output=True, text=True, env=httpd.environment())
    return done.returncode, done.stdout.replace(httpd.root + "/", "")


@pytest.fixture
def dumped(fresh_httpd):
    httpd = fresh_httpd("JkMount /app/* lb;reply_timeout=5s\nJkMount /app|/x/* w\nJkUnMount /app/*.gif *\nJkMountFile conf/rules\nJkMount /lost nobody",
                        workers="", start=False, files={"conf/rules": "!/f/g=lb\n-/old=w\n/f=lb\n"},
                        vhosts={"one": "JkMount /v w\nJkMountCopy On", "two": "JkMount /u w", "three": ""})
    httpd.write_workers(DUMPED.replace("$(hidden)", "localhost"))
    return httpd


def of_worker(text, name):
    return re.search(rf"^worker {name}  .*?\n(.*?)(?=\n\n|\Z)", text, re.M | re.S)[1].split("\n")


def value(text, worker, key):
    return next(tuple(re.split(r"  +", ln.strip(), maxsplit=2)[1:]) if "  " in ln.strip() else None for ln in of_worker(text, worker) if ln.split()[0] == key)


def test_dump_of_workers(dumped):
    code, text = dump(dumped)
    assert code == 0 and "sesame" not in text
    assert value(text, "a", "port") == ("8009", "conf/workers.properties:2"), "from the template"
    assert value(text, "a", "secret") == ("(hidden)", "conf/workers.properties:3")
    assert value(text, "b", "secret") == ("-", "default")
    assert value(text, "b", "connection_pool_size") == ("7", "conf/workers.properties:11"), "by its old name"
    assert value(text, "b", "ping_mode") == ("C,P", "conf/workers.properties:12")
    assert value(text, "b", "connect_timeout") == ("10000 ms", "derived") and value(text, "a", "connect_timeout") == ("0 ms", "default")
    assert value(text, "lb", "error_escalation_time") == ("30 s", "derived")
    assert [ln for ln in of_worker(text, "lb") if ln.startswith("  member")] == [
        "  member a  route=tc1 domain=- lbfactor=1 distance=0 activation=active redirect=- secret=(hidden) address=127.0.0.1:8009",
        "  member b  route=b domain=- lbfactor=1 distance=0 activation=active redirect=- secret=(hidden) address=127.0.0.2:8009"]


def test_dump_has_every_key_in_the_tables_order(dumped):
    table = open(f"{TOP}/native/conf/keys.c").read().split("const jk_key jk_keys[]")[1].split("/* of old */")[0]
    rows = re.findall(r'^ *\{ "(\w+)", (?:NULL|"\w+"), .*?((?:AJP|LB|STATUS|ANY)(?: \| \w+)*), (?:IN_\w+\(\w+\)|NOWHERE), (\w+)', table, re.M | re.S)
    assert len(rows) > 50
    for worker, kind in (("w", "AJP"), ("lb", "LB")):
        wanted = [name for name, kinds, state in rows if state == "FORCE" and (kind in kinds or kinds == "ANY")]
        _, text = dump(dumped)
        assert [ln.split()[0] for ln in of_worker(text, worker) if not ln.startswith("  member")] == wanted


def test_dump_of_mounts(dumped):
    _, text = dump(dumped)
    parts = re.split(r"\nmounts of the ", text)[1:]
    assert [p.split("  ")[0].split(",")[0] for p in parts] == ["main server", "virtual host localhost", "virtual host one", "virtual host two", "virtual host three"]
    main, one, two, three = (re.sub(r"httpd\.conf:\d+", "httpd.conf:N", p).split("\n")[1:] for p in (parts[0], parts[2], parts[3], parts[4]))

    def lines(part):
        return [re.sub(" +", " ", ln.strip()) for ln in part if ln.strip()]
    assert lines(main) == ["JkMountFile conf/rules, looked at every 60 s", "/app/x/* w JkMount conf/httpd.conf:N", "!/app/*.gif * JkUnMount conf/httpd.conf:N",
                           "/app/* lb;reply_timeout=5s JkMount conf/httpd.conf:N", "!/f/g lb JkMountFile conf/rules:1",
                           "/lost nobody JkMount conf/httpd.conf:N (no such worker: 500)", "-/old w JkMountFile conf/rules:2", "/app w JkMount conf/httpd.conf:N",
                           "/f lb JkMountFile conf/rules:3"]
    assert "/app/x/* w JkMount conf/httpd.conf:N (copied)" in lines(one) and "/v w JkMount conf/httpd.conf:N" in lines(one)
    assert lines(two) == ["/u w JkMount conf/httpd.conf:N"] and lines(three) == ["none"]
    assert "JkMountCopy On" in parts[2] and "JkMountCopy Off" in parts[3]


def test_dumps_can_be_compared(dumped):
    """The same configuration, the same text; one value changed, one line changed."""
    before = dump(dumped)[1]
    assert dump(dumped)[1] == before
    dumped.write_workers(dumped.workers.replace("127.0.0.2", "127.0.0.3"))
    changed = [(a, b) for a, b in zip(before.split("\n"), dump(dumped)[1].split("\n")) if a != b]
    assert len(changed) == 2 and changed[1][1].startswith("  host "), "the member's line and its own"


@pytest.mark.parametrize("argv", [["-t"], ["-S"], ["-M"], ["-v"]], ids=" ".join)
def test_no_dump_unless_asked_for(dumped, argv):
    assert "worker w  ajp13" not in dumped.run(*argv)[1]


def test_no_dump_of_what_is_refused(dumped):
    dumped.write_workers(DUMPED + "worker.w.prot=1\n")
    code, text = dump(dumped)
    assert (code, text) == (1, "")


def test_a_start_prints_no_dump(fresh_httpd, fresh_peer):
    """-D DUMP_JK without -t is a name like any other."""
    httpd = fresh_httpd("JkMount /* w", workers=ajp13(w=fresh_peer().port), start=False)
    done = subprocess.run(httpd.argv("-D", "DUMP_JK", "-V"), capture_output=True, text=True)
    assert "worker w" not in done.stdout + done.stderr
