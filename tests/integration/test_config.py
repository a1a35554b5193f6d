"""The configuration: everything that is wrong is said at once, with file and line; and a typo kills no running server."""
import os
import re
import threading

import pytest
from lib import ajp, client, proc
from lib.httpd import INCUMBENT
from lib.workers import ajp13

GOOD = "worker.list=w\nworker.w.type=ajp13\nworker.w.host=127.0.0.1\nworker.w.port=8009\n"


@pytest.fixture(scope="module")
def httpd(make_httpd):
    """For -t alone: never started."""
    return make_httpd(workers=GOOD, start=False)


def check(httpd, workers=GOOD, config="JkMount /* w"):
    httpd.write_workers(workers)
    httpd.write_config(config)
    return httpd.configtest()


def test_a_good_configuration(httpd):
    code, said = check(httpd)
    assert code == 0 and "Syntax OK" in said and "mod_jk" not in said.replace(httpd.root, "")


def test_the_check_leaves_nothing(httpd):
    """-t opens no log, no pipe, makes no shared memory and touches no backend."""
    before = sorted(os.listdir(httpd.path("logs")) + os.listdir(httpd.path("run")))
    check(httpd)
    assert sorted(os.listdir(httpd.path("logs")) + os.listdir(httpd.path("run"))) == before


# Refused, whatever JkStrict says: (why, workers, directives, what is said).
REFUSED = [
    ("a slip of the finger", GOOD + "worker.w.prot=8009\n", "", [r"workers\.properties:5\b", "prot", "is not supported", "did you mean 'port'"]),
    ("a longer one", GOOD + "worker.w.socket_timout=1\n", "", [r":5\b", "socket_timout", "did you mean 'socket_timeout'"]),
    ("an attribute of nobody's making", GOOD + "worker.w.colour=red\n", "", [r":5\b", "colour", "is not supported"]),
    ("a worker type of nobody's making", "worker.list=w\nworker.w.type=ajp31\n", "", [r":2\b", "Unknown worker type ajp31 for worker w", "ajp13"]),
    ("ajp14 is gone", "worker.list=w\nworker.w.type=ajp14\n", "", [r":2\b", "ajp14", "ajp13"]),
    ("ajp12 is gone", "worker.list=w\nworker.w.type=ajp12\n", "", [r":2\b", "ajp12", "ajp13"]),
    ("a reference to nothing", GOOD + "worker.w.reference=worker.nobody\n", "", [r":5\b", "nobody"]),
    ("a reference to itself", GOOD + "worker.w.reference=worker.w\n", "", [r":5\b", "reference"]),
    ("a property line with a typo", None, "JkWorkerProperty worker.list=w\nJkWorkerProperty worker.w.prot=1", [r"httpd\.conf:\d+", "prot", "'port'"]),
    ("no such file", None, "JkWorkersFile conf/nowhere.properties", ["Can't find the workers file", "nowhere"]),
    ("two files", GOOD, "JkWorkersFile conf/workers.properties", ["JkWorkersFile", "only allowed once"]),
    ("an illegal option", GOOD, "JkOptions +ForwardURITypo", ["JkOptions", "Illegal option", "ForwardURITypo"]),
    ("an option that cannot be taken back", GOOD, "JkOptions -ForwardURIProxy", ["JkOptions", "ForwardURIProxy"]),
    ("a mount without a path", GOOD, "JkMount w", ["JkMount", "needs a path"]),
    ("a mount with a path in a location", GOOD, "<Location /x>\nJkMount /x w\n</Location>", ["JkMount", "can not have a path"]),
    ("a pattern without a slash", GOOD, "JkMount *.jsp w", [r"\*\.jsp", "'/'"]),
    ("a word that JkMountCopy does not know", GOOD, "JkMountCopy Perhaps", ["JkMountCopy must be All, On or Off"]),
    ("JkWorkersFile in a virtual host", GOOD, "<VirtualHost *:1>\nJkWorkersFile x\n</VirtualHost>", ["JkWorkersFile", "<VirtualHost>"]),
]


@pytest.mark.differs("other words, no line, no suggestion; or found only at the start")
@pytest.mark.parametrize("why, workers, directives, said", REFUSED, ids=[row[0] for row in REFUSED])
def test_refused(httpd, why, workers, directives, said):
    httpd.workers = workers
    code, text = check(httpd, workers, "JkMount /x w\n" + directives) if workers is not None else check_without_file(httpd, directives)
    assert code != 0, f"{why}: {text}"
    for word in said:
        assert re.search(word, text), f"{word!r} is not in: {text}"


def check_without_file(httpd, directives):
    httpd.workers = None
    httpd.write_config(directives)
    return httpd.configtest()


# Found and told, but lived with, as ever; JkStrict On refuses.
LENIENT = [
    ("a mount to a worker that is not there", GOOD, "JkMount /y nobdy", [r"httpd\.conf:\d+", "nobdy"]),
    ("a slip of the finger in a mount", "worker.list=tomcat\nworker.tomcat.port=8009\n", "JkMount /y tomact", ["tomact", "did you mean 'tomcat'"]),
    ("an exclusion for a worker that is not there", GOOD, "JkUnMount /y nobody", [r"httpd\.conf:\d+", "nobody"]),
    ("letters in a number", GOOD.replace("8009", "80x9"), "", [r":4\b", "80x9"]),
    ("a word for a number", GOOD + "worker.w.socket_timeout=soon\n", "", [r":5\b", "socket_timeout", "soon"]),
    ("a unit that there is not", GOOD + "worker.w.reply_timeout=10y\n", "", [r":5\b", "10y"]),
    ("a unit of another kind", GOOD + "worker.w.reply_timeout=10k\n", "", [r":5\b", "10k"]),
    ("a word for yes or no", GOOD + "worker.w.socket_keepalive=enable\n", "", [r":5\b", "enable"]),
    ("an attribute of another type", GOOD + "worker.w.sticky_session=true\n", "", [r":5\b", "sticky_session"]),
    ("a # inside a value", GOOD + "worker.w.route=a#b\n", "", [r":5\b", "#"]),
]


@pytest.mark.differs("nothing was said")
@pytest.mark.parametrize("why, workers, directives, said", LENIENT, ids=[row[0] for row in LENIENT])
def test_told_and_lived_with(httpd, why, workers, directives, said):
    name = "tomcat" if "tomcat" in workers else "w"
    for strict, code in (("", 0), ("JkStrict Off", 0), ("JkStrict On", 1)):
        got, text = check(httpd, workers, f"JkMount /x {name}\n{directives}\n{strict}")
        assert (got != 0) == (code != 0), f"{strict}: {why}: {text}"
        for word in said:
            assert re.search(word, text), f"{word!r} is not in: {text}"


# Fine, though it may look odd: nothing but "Syntax OK".
FINE = [
    ("units", GOOD + "worker.w.reply_timeout=10s\nworker.w.socket_timeout=1m\nworker.w.max_packet_size=16k\n"),
    ("no spaces needed, none hurt", "worker.list =  w \nworker.w.port\t=8009\n   worker.w.type = ajp13   \n"),
    ("comments", "# a comment\n  # another\nworker.list=w # and here\nworker.w.type=ajp13\n"),
    ("a # in a secret", GOOD + "worker.w.secret=a#b\n"),
    ("macros", "port=8009\nworker.list=w\nworker.w.port=$(port)\nworker.w.host=127.0.0.1\n"),
    ("a reference", "worker.list=w\nworker.tmpl.port=8009\nworker.tmpl.type=ajp13\nworker.w.reference=worker.tmpl\n"),
    ("the order does not matter", "worker.w.port=8009\nworker.w.type=ajp13\nworker.list=w\n"),
    ("address and port in one", "worker.list=w\nworker.w.host=localhost:8009\n"),
    ("IPv6", "worker.list=w\nworker.w.host=[::1]:8009\n"),
    ("a Unix socket", "worker.list=w\nworker.w.host=unix:/run/tomcat/ajp.sock\n"),
    ("no port, no type", "worker.list=w\nworker.w.host=localhost\n"),
    ("Windows line ends", GOOD.replace("\n", "\r\n")),
    ("no last newline", GOOD.rstrip("\n")),
    ("a name with a dot, a dash and digits", GOOD.replace("w.", "node-1.a.").replace("=w", "=w,node-1.a") + "worker.w.port=8009\n"),
]


@pytest.mark.differs("there was no JkStrict, no Unix socket, no comment in a secret")
@pytest.mark.parametrize("why, workers", FINE, ids=[row[0] for row in FINE])
def test_fine(httpd, why, workers):
    code, text = check(httpd, workers, "JkMount /* w\nJkStrict On")
    assert code == 0 and not re.search(r"mod_jk: (warning|error)", text), text


@pytest.mark.differs("the first one ended the check")
def test_all_findings_at_once(httpd):
    """One round for all mistakes, each with its line."""
    code, text = check(httpd, GOOD + "worker.w.prot=1\nworker.w.socket_timeout=soon\nworker.w.colour=red\n", "JkMount /* w\nJkMount /x nobody")
    assert code != 0
    for line, word in [(5, "prot"), (6, "soon"), (7, "colour")]:
        assert re.search(rf"workers\.properties:{line}\b.*{word}", text), text
    assert re.search(r"httpd\.conf:\d+.*nobody", text)


@pytest.mark.differs("the line was not named")
def test_duplicate_keys_are_told(httpd):
    """The last value wins, and both lines are named."""
    code, text = check(httpd, GOOD + "worker.w.port=8010\n")
    assert code == 0 and re.search(r":5\b.*Duplicate key.*worker\.w\.port.*:4\b", text), text


@pytest.mark.differs("found only at the start")
def test_duplicate_routes(httpd):
    """Two members of one balancer with the same route: sessions would go astray."""
    code, text = check(httpd, "worker.list=lb\nworker.lb.type=lb\nworker.lb.balance_workers=a,b\nworker.a.port=8009\nworker.a.route=x\n"
                       "worker.b.port=8010\nworker.b.route=x\n", "JkMount /* lb")
    if "not built yet" in text:
        pytest.skip("no balancer yet")
    assert code != 0 and re.search("share the same route", text) and "'x'" in text


def test_secrets_are_not_told(httpd):
    """A finding about a line with a secret does not repeat it."""
    _, text = check(httpd, GOOD + "worker.w.secrett=sesame\nworker.w.secret=sesame\nworker.w.secret=sesame2\n")
    assert "sesame" not in text


# ---- starts ----

@pytest.mark.parametrize("strict", ["", "JkStrict Off"], ids=["default", "off"])
def test_starts_with_an_unknown_worker(fresh_httpd, fresh_peer, strict):
    """As ever; the request gets 500, and the log has the line of the mount."""
    if INCUMBENT and strict:
        pytest.skip("no JkStrict")
    httpd = fresh_httpd(f"{strict}\nJkMount /a w\nJkMount /b nobody", workers=ajp13(w=fresh_peer().port), startup=["nobody"])
    assert client.get(httpd.port, "/a").status == 200
    httpd.allow("nobody")
    assert client.get(httpd.port, "/b").status == 500


@pytest.mark.differs("told nowhere but on a terminal")
def test_findings_of_a_start_are_in_a_log(fresh_httpd, fresh_peer):
    """Whoever starts httpd from an init system never sees its terminal: what was found stands in a log too."""
    httpd = fresh_httpd("JkMount /a w\nJkMount /b nobody", workers=ajp13(w=fresh_peer().port), startup=["nobody"])
    assert re.search(r"httpd\.conf:\d+.*nobody", httpd.error_log.text() + httpd.jk_log.text())


@pytest.mark.differs("there was no JkStrict")
def test_strict_refuses_an_unknown_worker(fresh_httpd):
    httpd = fresh_httpd("JkStrict On\nJkMount /b nobody", workers=GOOD, start=False)
    with pytest.raises(RuntimeError, match="nobody"):
        httpd.start()
    httpd.mark()


@pytest.mark.parametrize("workers", [GOOD + "worker.w.prot=8009\n", "worker.list=w\nworker.w.type=ajp31\n"], ids=["attribute", "type"])
def test_does_not_start_with_a_broken_file(fresh_httpd, workers):
    """There is no last good configuration yet."""
    httpd = fresh_httpd("JkMount /* w", workers=workers, start=False)
    with pytest.raises(RuntimeError):
        httpd.start()
    httpd.mark()


@pytest.mark.differs("Debian's build had a log file of its own outside of ServerRoot")
def test_no_worker_at_all(fresh_httpd):
    """The module loaded, and nothing configured: httpd serves its files."""
    httpd = fresh_httpd(defaults=False, files={"htdocs/x.txt": "x"})
    assert client.get(httpd.port, "/x.txt").text == "x"


def test_properties_in_the_configuration(fresh_httpd, fresh_peer):
    """JkWorkerProperty instead of a file; its # is no comment."""
    peer = fresh_peer()
    httpd = fresh_httpd(f"JkWorkerProperty worker.list=w\nJkWorkerProperty worker.w.port={peer.port}\n"
                        "JkWorkerProperty worker.w.host=127.0.0.1\nJkWorkerProperty worker.w.secret=a#b\nJkMount /* w")
    assert client.get(httpd.port, "/x").status == 200 and peer.last().attribute("secret") == "a#b"


def test_properties_and_a_file(fresh_httpd, fresh_peer):
    """Both count: first the directives, then the file."""
    peer = fresh_peer()
    httpd = fresh_httpd("JkWorkerProperty worker.list=w\nJkMount /* w\nJkMount /v v",
                        workers=f"worker.list=v\nworker.w.port={peer.port}\nworker.v.port={peer.port}\n")
    assert [client.get(httpd.port, p).status for p in ("/x", "/v")] == [200, 200]


@pytest.mark.parametrize("lines", ["JkShmFile run/shm", "JkShmFile run/shm\nJkShmSize 1024"], ids=["file", "size"])
def test_shared_memory_directives_are_accepted(fresh_httpd, fresh_peer, lines):
    httpd = fresh_httpd(lines + "\nJkMount /* w", workers=ajp13(w=fresh_peer().port), startup=[])
    assert client.get(httpd.port, "/x").status == 200


# ---- restarts ----

@pytest.fixture
def running(fresh_httpd, fresh_peer):
    one, two = fresh_peer(name="one"), fresh_peer(name="two")
    httpd = fresh_httpd("JkMount /* w", workers=ajp13(w=one.port))
    return httpd, one, two


def served_by(httpd):
    answer = client.get(httpd.port, "/x")
    return re.search('"peer": "(\\w+)"', answer.text)[1] if answer.status == 200 else answer.status


def test_a_good_restart(running):
    """A changed file is in force after it."""
    httpd, _, two = running
    httpd.write_workers(ajp13(w=two.port))
    httpd.graceful()
    assert served_by(httpd) == "two"


@pytest.mark.differs("the signal was sent, and the server died")
def test_graceful_with_a_broken_file_sends_no_signal(running):
    """`httpd -k graceful` checks first, says what is wrong and exits 1."""
    httpd, _, _ = running
    before = httpd.generations()
    httpd.write_workers(GOOD + "worker.w.prot=1\n")
    code, text = httpd.run("-k", "graceful")
    assert code == 1 and re.search(r"workers\.properties:5\b.*prot", text)
    assert httpd.generations() == before and httpd.child.poll() is None
    assert "Graceful restart requested" not in httpd.error_log.text()
    assert served_by(httpd) == "one"


BROKEN = {
    "a typo": lambda h: h.write_workers(GOOD + "worker.w.prot=1\n"),
    "no text": lambda h: h.write("conf/workers.properties", b"\0\0\xff\xfe garbage"),
    "gone": lambda h: os.unlink(h.path("conf/workers.properties")),
    "a directory": lambda h: (os.unlink(h.path("conf/workers.properties")), os.mkdir(h.path("conf/workers.properties"))),
    "an unknown type": lambda h: h.write_workers("worker.list=w\nworker.w.type=ajp31\n"),
}


@pytest.mark.differs("the server died")
@pytest.mark.parametrize("first", BROKEN)
def test_three_restarts_with_a_broken_file(running, first):
    """A signal checks nothing: the last good configuration stays in force, generation after generation, with loud words."""
    httpd, _, two = running
    BROKEN[first](httpd)
    for generation in range(3):
        httpd.mark()
        httpd.graceful()
        assert served_by(httpd) == "one", f"generation {generation}"
        assert httpd.error_lines("last good") or httpd.jk_lines("last good"), "it is said each time"
    httpd.allow(".")
    if os.path.isdir(httpd.path("conf/workers.properties")):
        os.rmdir(httpd.path("conf/workers.properties"))
    httpd.write_workers(ajp13(w=two.port))
    httpd.graceful()
    assert served_by(httpd) == "two", "repaired: the new one is in force"
    httpd.mark()
    httpd.graceful()
    assert not httpd.error_lines("last good", seconds=0.2), "and nobody complains any more"


@pytest.mark.differs("the server died")
def test_broken_then_mounts_change(running):
    """The mounts are new, the workers the last good ones: a mount to a worker that only the broken file defines gets 503."""
    httpd, one, _ = running
    httpd.write_workers(f"worker.list=w,v\nworker.w.port={one.port}\nworker.v.port={one.port}\nworker.v.prot=1\n")
    httpd.write_config("JkMount /* w\nJkMount /v/* v\nJkMount /new/* w")
    httpd.graceful()
    httpd.allow(".")
    assert served_by(httpd) == "one"
    assert client.get(httpd.port, "/new/x").status == 200
    assert client.get(httpd.port, "/v/x").status == 503


@pytest.mark.differs("the server died")
def test_properties_survive_too(fresh_httpd, fresh_peer):
    """JkWorkerProperty lines are part of the last good configuration."""
    peer = fresh_peer(name="one")
    lines = f"JkWorkerProperty worker.list=w\nJkWorkerProperty worker.w.host=127.0.0.1\nJkWorkerProperty worker.w.port={peer.port}\n"
    httpd = fresh_httpd(lines + "JkMount /* w")
    httpd.write_config(lines + "JkWorkerProperty worker.w.prot=1\nJkMount /* w")
    for _ in range(3):
        httpd.graceful()
        assert served_by(httpd) == "one"
    httpd.allow(".")


def test_requests_during_a_restart(running):
    """An answer that is under way is finished by the old generation."""
    httpd, one, _ = running
    go = threading.Event()
    one.on("/slow", lambda ex: (ex.wait(go), ex.send(ajp.answer("old"))))
    with client.Wire(httpd.port) as wire:
        wire.request("GET", "/slow")
        assert proc.wait_until(lambda: one.deliveries("/slow"))
        before = httpd.generations()
        os.kill(httpd.pid, 10)
        assert proc.wait_until(lambda: httpd.generations() > before)
        assert proc.wait_until(lambda: served_by(httpd) == "one"), "the new generation serves meanwhile"
        go.set()
        assert wire.answer().text == "old"
