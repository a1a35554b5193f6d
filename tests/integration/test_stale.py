"""Restarts by signal with a configuration that is broken, under load: the last good one stays in force, one loud error in each log says so, no
request is lost; and what is repaired is in force at the next restart."""
import os
import re
import signal
import threading

import pytest
from lib import client, proc
from lib.workers import ajp13

pytestmark = pytest.mark.differs("the server died")

STAYS = "the new configuration of the workers is broken .* the last good one stays in force"
JK = r"the workers' configuration is broken: the last good one stays in force.*JK0101"


class Load:
    """Users that ask on and on, each request on a connection of its own; answers: (status, peer) -> how often."""

    def __init__(self, httpd, paths=("/x",), users=3):
        self.httpd, self.paths, self.answers, self.over = httpd, paths, [], threading.Event()
        self.users = [threading.Thread(target=self.ask, daemon=True) for _ in range(users)]

    def ask(self):
        while not self.over.is_set():
            for path in self.paths:
                try:
                    answer = client.get(self.httpd.port, path)
                    self.answers.append((answer.status, peer_of(answer), answer.complete))
                except OSError as e:
                    self.answers.append((0, repr(e), False))

    def __enter__(self):
        for user in self.users:
            user.start()
        assert self.wait_for_more(10)
        return self

    def __exit__(self, *_):
        self.over.set()
        for user in self.users:
            user.join(10)

    def wait_for_more(self, n):
        seen = len(self.answers)
        return proc.wait_until(lambda: len(self.answers) >= seen + n)

    def kinds(self):
        return set(self.answers)


def peer_of(answer):
    found = re.search('"peer": "(\\w+)"', answer.text)
    return found[1] if found else ""


class Site:
    """One httpd whose workers lead to `one`; `two` is what a repaired file leads to. Rules come from a file, a property from an included one."""

    def __init__(self, fresh_httpd, fresh_peer, strict=False):
        self.one, self.two = fresh_peer(name="one"), fresh_peer(name="two")
        self.httpd = fresh_httpd("Include conf/more.conf\nJkMount /x w\nJkMountFile conf/rules" + ("\nJkStrict On" if strict else ""),
                                 workers=self.workers(self.one), start=False, files={"conf/rules": "/r=w\n", "conf/more.conf": self.property("retries=2")})
        self.httpd.start()

    @staticmethod
    def workers(peer):
        return ajp13(w=peer.port)

    @staticmethod
    def property(text):
        return f"JkWorkerProperty worker.w.{text}\n"

    def restart(self, under_load=True):
        self.httpd.mark()
        self.httpd.graceful(under_load=under_load)

    def repair(self):
        """Everything anew, and to the other peer."""
        for name in ("workers.properties", "rules", "more.conf"):
            path = self.httpd.path("conf/" + name)
            if os.path.isdir(path):
                os.rmdir(path)
            elif os.path.lexists(path):
                os.unlink(path)
        self.httpd.write_workers(self.workers(self.two))
        self.httpd.write("conf/rules", "/r=w\n")
        self.httpd.write("conf/more.conf", self.property("retries=3"))

    def told(self):
        """How often each log says that the last good one stays."""
        return (len(self.httpd.error_lines(STAYS, seconds=2) or []), len(self.httpd.jk_lines(JK, seconds=2) or []))


def replace(name, make):
    """The file goes, and make(path) puts something else there."""
    def act(site):
        path = site.httpd.path("conf/" + name)
        os.unlink(path)
        make(path)
    return act


def nothing(_):
    pass


def loop(path):
    os.symlink(path, path)


WORKERS = "workers.properties"
# How it is broken -> what the error log names.
BROKEN = {
    "no workers file": (replace(WORKERS, nothing), r"Can't find the workers file .*No such file"),
    "a workers file that cannot be opened": (replace(WORKERS, loop), r"Can't find the workers file .*symbolic links"),
    "a directory": (replace(WORKERS, os.mkdir), "it is no regular file"),
    "a pipe": (replace(WORKERS, os.mkfifo), "it is no regular file"),
    "garbage": (lambda s: s.httpd.write("conf/" + WORKERS, os.urandom(50) + b"\0\0\n\0"), "holds a NUL byte|UTF-16"),
    "an attribute with a slip": (lambda s: s.httpd.write_workers(s.workers(s.two) + "worker.w.prot=1\n"), "did you mean 'port'"),
    "a balancer without members": (lambda s: s.httpd.write_workers(s.workers(s.two) + "worker.list=lb\nworker.lb.type=lb\n"), "has no members"),
    "a route for two": (lambda s: s.httpd.write_workers(s.workers(s.two) + "worker.list=lb\nworker.lb.type=lb\nworker.lb.balance_workers=a,b\n"
                        "worker.a.route=x\nworker.b.route=x\nworker.b.port=1\n"), "share the same route"),
    "no rule file": (replace("rules", nothing), r"Failed to load uri_worker_map file .*No such file"),
    "a directory for a rule file": (replace("rules", os.mkdir), "it is no regular file"),
    "garbage in a rule file": (lambda s: s.httpd.write("conf/rules", b"/r=w\n\0\0"), r"rules:2: the line holds a NUL byte"),
    "a property in an included file": (lambda s: s.httpd.write("conf/more.conf", s.property("retires=3")), r"more\.conf:1: .*did you mean 'retries'"),
}


@pytest.mark.parametrize("how", BROKEN)
def test_the_last_good_one_stays(fresh_httpd, fresh_peer, how):
    """Twice in a row, under load; then it is repaired."""
    site = Site(fresh_httpd, fresh_peer)
    act, words = BROKEN[how]
    with Load(site.httpd, ("/x", "/r")) as load:
        act(site)
        for _ in range(2):
            site.restart()
            assert load.wait_for_more(20)
            assert site.told() == (1, 1) and site.httpd.error_lines(words), "one loud error in each log, and its reason"
        assert load.kinds() == {(200, "one", True)}
        site.repair()
        site.restart()
        assert load.wait_for_more(20)
        assert not site.httpd.error_lines(STAYS, seconds=0.1) and not site.httpd.jk_lines(JK, seconds=0.1)
    assert load.kinds() == {(200, "one", True), (200, "two", True)} and load.answers[-1] == (200, "two", True)
    site.httpd.allow(".")


LENIENT = {
    "a number": (lambda s: s.httpd.write_workers(s.workers(s.two) + "worker.w.retries=often\n"), "'often' is no value"),
    "a rule for nobody": (lambda s: s.httpd.write("conf/rules", "/r=nobody\n"), "there is no worker 'nobody'"),
}


@pytest.mark.parametrize("how", LENIENT)
def test_under_jkstrict_it_takes_less(fresh_httpd, fresh_peer, how):
    site = Site(fresh_httpd, fresh_peer, strict=True)
    act, words = LENIENT[how]
    act(site)
    site.restart(under_load=False)
    assert site.told() == (1, 1) and site.httpd.error_lines(words)
    assert [peer_of(client.get(site.httpd.port, p)) for p in ("/x", "/r")] == ["one", "one"]
    site.httpd.allow(".")


def test_right_after_the_start_and_often(fresh_httpd, fresh_peer):
    """Signals one after another, before the generation that one made is up."""
    site = Site(fresh_httpd, fresh_peer)
    site.httpd.write_workers(site.workers(site.two) + "worker.w.prot=1\n")
    for _ in range(5):
        os.kill(site.httpd.pid, signal.SIGUSR1)
    site.restart(under_load=False)
    assert proc.wait_until(lambda: client.get(site.httpd.port, "/x").status == 200) and peer_of(client.get(site.httpd.port, "/x")) == "one"
    site.repair()
    site.restart(under_load=False)
    assert peer_of(client.get(site.httpd.port, "/x")) == "two"
    site.httpd.allow(".")


def test_a_hard_restart(fresh_httpd, fresh_peer):
    """SIGHUP reads the files, too."""
    site = Site(fresh_httpd, fresh_peer)
    site.httpd.write_workers("worker.list=w\nworker.w.type=lb\n")
    site.httpd.mark()
    before = site.httpd.generations()
    os.kill(site.httpd.pid, signal.SIGHUP)
    assert proc.wait_until(lambda: site.httpd.generations() > before) and site.httpd.wait_idle()
    assert peer_of(client.get(site.httpd.port, "/x")) == "one" and site.told() == (1, 1)
    site.httpd.allow(".")


def test_a_stop_while_it_is_stale(fresh_httpd, fresh_peer):
    """It ends when asked, and does not start again before it is repaired: nothing of what was good lasts longer than the server."""
    site = Site(fresh_httpd, fresh_peer)
    site.httpd.write_workers(site.workers(site.two) + "worker.w.prot=1\n")
    site.restart(under_load=False)
    site.httpd.allow(".")
    assert site.httpd.stop()
    with pytest.raises(RuntimeError, match="did you mean 'port'"):
        site.httpd.start()
    site.httpd.mark()
    site.repair()
    site.httpd.start()
    assert peer_of(client.get(site.httpd.port, "/x")) == "two"


@pytest.mark.parametrize("place", ["a directive", "a rule file"])
def test_workers_that_only_the_broken_file_has(fresh_httpd, fresh_peer, place):
    """503, and no 500: the worker is known to the administrator, and comes with the repair. What nobody has ever heard of is 500."""
    site = Site(fresh_httpd, fresh_peer)
    site.httpd.write_workers(ajp13(w=site.one.port, v=site.one.port) + "worker.v.prot=1\n")
    if place == "a directive":
        site.httpd.write_config(site.httpd.config + "\nJkMount /v v\nJkMount /n nobody")
    else:
        site.httpd.write_config(site.httpd.config.replace("conf/rules", "conf/others"))
        site.httpd.write("conf/others", "/v=v\n/n=nobody\n/r=w\n")
    site.restart(under_load=False)
    assert client.get(site.httpd.port, "/x").status == 200
    assert client.get(site.httpd.port, "/v").status == 503
    site.repair()
    site.httpd.write_workers(ajp13(w=site.two.port, v=site.two.port))
    site.restart(under_load=False)
    assert [client.get(site.httpd.port, p).status for p in ("/x", "/v", "/n")] == [200, 200, 500]
    site.httpd.allow(".")


def test_what_is_good_is_replaced(fresh_httpd, fresh_peer):
    """Good, good, broken: the second stays, not the first."""
    site = Site(fresh_httpd, fresh_peer)
    site.repair()
    site.restart(under_load=False)
    site.httpd.write_workers(site.workers(site.one) + "worker.w.prot=1\n")
    site.restart(under_load=False)
    assert peer_of(client.get(site.httpd.port, "/x")) == "two"
    site.httpd.allow(".")


def test_graceful_by_command_says_why_and_sends_nothing(fresh_httpd, fresh_peer):
    """`httpd -k graceful` checks before it signals: all findings, exit status 1, and the server does not notice."""
    site = Site(fresh_httpd, fresh_peer)
    before = site.httpd.generations()
    site.httpd.write_workers(site.workers(site.two) + "worker.w.prot=1\nworker.w.hots=x\n")
    code, text = site.httpd.run("-k", "graceful")
    assert code == 1 and "did you mean 'port'" in text and "did you mean 'host'" in text and "because of the 2 lines above" in text
    assert site.httpd.generations() == before and peer_of(client.get(site.httpd.port, "/x")) == "one"
