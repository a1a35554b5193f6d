"""Two Tomcats with replicated sessions behind the balancer: one is killed under load, comes back, and httpd restarts gracefully
meanwhile.

What is asked of the module: no GET or HEAD fails whose answer had not begun, no POST is delivered twice, only what was under way at
the killed Tomcat may fail at all, and everybody's session goes on at the other. What the Tomcats give for it: a session's change is at
the other one before its request is answered (lib/cluster.py).
"""
import itertools
import time

import pytest
from lib import client, proc, tomcat
from lib.cluster import Cluster
from lib.httpd import INCUMBENT, is_loud
from lib.load import Load
from lib.workers import lb

NOTES = 'LogFormat "%q|%{UNIQUE_ID}e|%{JK_LB_FIRST_NAME}n|%{JK_LB_FIRST_STATE}n|%{JK_LB_LAST_NAME}n|%{JK_LB_LAST_STATE}n|%{JK_LB_LAST_ACTIVATION}n|' \
        '%{JK_LB_LAST_ACCESSED}n" lb\nCustomLog logs/lb lb\n' + ("" if INCUMBENT else "JkNotes On\n")
NOTED = ("query", "unique", "first", "first_state", "last", "last_state", "activation", "accessed")
SITE = "JkMount /*.jsp b\nSetEnvIf X-Route (.+) JK_ROUTE=$1\n" + NOTES
# Room for all users and the tests' own requests, where a kept connection holds a thread, too.
THREADS = "<IfModule !mpm_prefork_module>\nStartServers {children}\nServerLimit 10\nThreadsPerChild {threads}\nMinSpareThreads 1\n" \
          "MaxSpareThreads 60\nMaxRequestWorkers {most}\n</IfModule>\n" \
          "<IfModule mpm_prefork_module>\nServerLimit 40\nMaxRequestWorkers 40\n</IfModule>\n"
CHILDREN = pytest.mark.parametrize("children", [THREADS.format(children=1, threads=40, most=40), THREADS.format(children=6, threads=6, most=60)],
                                   ids=["one child", "many children"])


@pytest.fixture(scope="module")
def two_tomcats():
    why = tomcat.missing()
    if why:
        pytest.skip("no Tomcat: " + why)
    one = Cluster()
    try:
        one.start()
        yield one
    finally:
        one.remove()


@pytest.fixture
def cluster(two_tomcats):
    """Both run."""
    two_tomcats.start()
    return two_tomcats


@pytest.fixture
def site(fresh_httpd, cluster):
    """site(keys of the lb, more members) -> httpd before both, whose sessions reach each other."""
    def make(keys, config="", **more):
        members = {node.route: {"port": node.port} for node in cluster.nodes}
        keys = keys if INCUMBENT else {"retry_budget": 0, **keys}
        httpd = fresh_httpd(SITE + config, workers=lb("b", {**members, **more}, keys) + "worker.maintain=1\n", modules=("unique_id",))
        cluster.settle(httpd.port)
        return httpd
    return make


def notes(httpd):
    """A request's id -> what the module noted of it, as far as it is written."""
    with open(httpd.path("logs/lb")) as f:
        lines = [dict(zip(NOTED, line.strip().split("|"))) for line in f]
    return {line["query"].removeprefix("?id="): line for line in lines}


class Books:
    """What the clients saw, beside what the Tomcats received and what the log says."""

    def __init__(self, load, cluster, httpd):
        httpd.wait_idle()
        self.load, self.received, self.notes = load, cluster.received(), notes(httpd)
        self.log = httpd.jk_log.since_mark()
        self.shots = [s for s in load.shots() if not s.turned_away]
        self.turned_away = [s for s in load.shots() if s.turned_away]
        self.failed = [s for s in self.shots if not s.good]

    def came(self, shot):
        return self.received[(shot.method, shot.id)]

    def told(self, shot):
        """The loud lines of this request."""
        unique = self.notes[shot.id]["unique"]
        return [line for line in self.log if f"[{unique}]" in line and is_loud(line)]

    def broke_off(self, shot):
        """A part of its answer was passed on: so says the log. It is visibly broken."""
        return any("JK0307" in line for line in self.told(shot)) and shot.status == 200 and not shot.answer.complete

    def check(self):
        assert not [s for s in self.turned_away if self.came(s) or s.id in self.notes], "the server closed a connection, and had read its request"
        assert not [s for s in self.shots if s.method == "POST" and self.came(s) > 1], "doubled"
        assert not [s for s in self.shots if s.good and not self.came(s)], "answered, and nobody had it"
        assert not [s for s in self.failed if s.method != "POST" and not self.broke_off(s)], "GET or HEAD failed"
        assert not [s for s in self.failed if s.method == "POST" and s.status != 502 and not self.broke_off(s)], "a POST failed in another way"
        assert not [s for s in self.failed if not self.told(s)], "failed, and the log says nothing of it"

    def strayed(self, node, before):
        """Requests of sessions at this node that another answered."""
        return [s for s in self.shots if s.good and s.ended < before and s.home == node.route != s.node]

    def sessions(self):
        """Each user's sessions: (the last count, had it another node before?). Fails where one did not go on as it must: what is not
        known to have been answered may have been counted, nothing else."""
        for user in self.load.users:
            count, slack, nodes = 0, 0, set()
            for s in user.shots:
                if s.asked is None:
                    if count:
                        yield count, nodes
                    count, slack, nodes = 0, 0, set()
                slack += max(self.came(s) - (1 if s.count else 0), 0)
                if not s.count:
                    continue
                assert count < s.count <= count + 1 + slack, f"the session did not go on after {count} (+{slack} at most): {s}"
                count, slack = s.count, 0
                nodes.add(s.node)
            if count:
                yield count, nodes

    def figures(self):
        sent_again = [s for s in self.shots if self.came(s) > 1]
        moved = [count for count, nodes in self.sessions() if len(nodes) > 1]
        broke_off = [s for s in self.failed if self.broke_off(s)]
        failed = [s for s in self.failed if not self.broke_off(s)]
        by = {m: sum(s.method == m for s in self.shots) for m in ("GET", "HEAD", "POST")}
        return {"sent": len(self.shots), **by, "broke off": len(broke_off), "failed POST": sum(s.method == "POST" for s in failed),
                "failed GET, HEAD": sum(s.method != "POST" for s in failed),
                "sent again": len(sent_again), "doubled POST": sum(s.method == "POST" for s in sent_again), "turned away": len(self.turned_away),
                "sessions": len(list(self.sessions())), "that moved": len(moved), "their counts": sum(moved)}


def has_all_kinds(load, node):
    """At this node a GET, a HEAD and a POST are being worked on, and an answer has begun: none of them will be done in a moment."""
    recent = [s for s in load.under_way(seconds=0.2) if s.home == node.route]
    came = set(node.received())
    under_way = {(s.page, s.method) for s in recent if (s.method, s.id) in came}
    return {("slow.jsp", "GET"), ("slow.jsp", "HEAD"), ("slow.jsp", "POST"), ("begun.jsp", "GET")} <= under_way


def kill_in_the_middle(load, node):
    """-> before it, and the moment by which the node was gone: what began later found nothing of it."""
    assert proc.wait_until(lambda: has_all_kinds(load, node), 60), "the load never had all kinds under way at once"
    before = time.monotonic()
    node.kill()
    return before, time.monotonic()


def serve(load, more):
    """Back when so many more were answered."""
    asked = len(load.shots())
    assert proc.wait_until(lambda: len(load.shots()) >= asked + more, 60), "nobody is served any more"


def new_sessions(load, node, since):
    """Good answers of this node in sessions that it began, to what was asked later than that."""
    return [s for s in load.shots() if s.began > since and s.good and s.node == node.route and s.asked is None and s.count]


def loud(httpd, start=0):
    return [line for line in httpd.jk_log.since_mark()[start:] if is_loud(line)]


def trouble_with(node):
    """All that the log may say when this one dies under load, and of no other: requests broke off before or after their answer had begun, or in
    the middle of their body, and connects are refused until it is back."""
    why = ["Tomcat is down or refused connection. No response.*JK0306", "Tomcat is down or network problems. Part of the response.*JK0307",
           "went away in the middle of the request.*JK0313", "Failed opening socket.*JK0202", "connecting to tomcat failed.*JK0204"]
    return [rf"\({node.route}\) .*{words}" for words in why] + [r"\(b\) the answer to /\w+.jsp broke off after \d+ body bytes.*JK0502"]


def tell(title, figures):
    print(f"{title}: " + ", ".join(f"{name} {value}" for name, value in figures.items()))


# ---- killed, and back ----

@CHILDREN
@pytest.mark.parametrize("victim", [0, 1], ids=["node1", "node2"])
@pytest.mark.differs("POSTs are delivered twice")
def test_killed_under_load(site, cluster, children, victim):
    httpd = site({"recover_time": 1}, children)
    dying = cluster.nodes[victim]
    living = cluster.other(dying)
    httpd.expect(rf"\({dying.route}\) Tomcat is down or refused connection\. No response.*JK0306")
    httpd.allow(*trouble_with(dying))
    with Load(httpd.port) as load:
        before, gone = kill_in_the_middle(load, dying)
        serve(load, 500)
        cluster.start()
        assert proc.wait_until(lambda: new_sessions(load, dying, gone), 60), "no new session at the one that is back"
        back = len(httpd.jk_log.since_mark())
        serve(load, 500)
    books = Books(load, cluster, httpd)
    tell(f"{dying.route} killed", books.figures())
    books.check()
    assert not [s for s in books.failed if s.began > gone], "failed, and began after the kill"
    assert {s.home for s in books.failed} <= {dying.route, ""}, "failed at the one that lived"
    assert not books.strayed(living, before=float("inf")) and not books.strayed(dying, before=before), "a session left its member"
    moved = [nodes for _, nodes in books.sessions() if dying.route in nodes and living.route in nodes]
    assert moved, "the kill met nobody's session"
    assert {s.method for s in books.shots if books.came(s) == 2} == {"GET", "HEAD"}, "nothing was sent again: the kill met nobody"
    assert not loud(httpd, back), "it is back, and yet there is trouble"


# ---- httpd restarts ----

@CHILDREN
@pytest.mark.differs("POSTs are delivered twice")
def test_graceful_restarts_under_load(site, cluster, children):
    """Nothing is lost; who is in error stays in error, who is disabled stays disabled, and the counters go on."""
    living, dying = cluster.nodes
    # long enough that only a lost state makes node2 be asked again
    httpd = site({"recover_time": 600, "error_escalation_time": 0}, children, spare={"port": living.port, "route": "spare", "activation": "D"})
    httpd.allow(*trouble_with(dying))
    with Load(httpd.port) as load:
        serve(load, 200)
        httpd.graceful(under_load=True)
        serve(load, 200)
        before, gone = kill_in_the_middle(load, dying)
        serve(load, 200)
        for _ in range(2):
            accessed = probe(httpd, "JSESSIONID=x.node2")["accessed"]
            told = len(loud(httpd))
            httpd.graceful(under_load=True)
            noted = probe(httpd, "JSESSIONID=x.node2")
            assert (noted["first"], noted["last"]) == (living.route, living.route), "the one in error was asked"
            assert int(noted["accessed"]) > int(accessed), "the counters began anew"
            noted = probe(httpd, "JSESSIONID=x.spare")
            assert (noted["last"], noted["activation"]) == ("spare", "DIS")
            serve(load, 200)
            assert not loud(httpd)[told:], "the one in error was asked"
    books = Books(load, cluster, httpd)
    tell("graceful restarts", books.figures())
    books.check()
    assert not [s for s in books.failed if s.began > gone], "failed, and began after the kill"
    assert not [s for s in books.failed if s.ended < before], "lost at a restart while both were up"
    assert not [s for s in books.shots if s.began > gone and books.notes[s.id]["first"] == "spare"], "the disabled one got what was not its own"
    known = min((s.ended for s in books.failed), default=gone)  # the first failure was booked: all processes know that it is in error
    late = [s for s in books.shots if s.began > known and books.notes[s.id]["first"] == dying.route]
    assert len(late) <= 2, "the one in error was asked by processes that did not know"  # a success that was under way may have been booked later
    assert {n["first_state"] for n in books.notes.values() if n["first"] == "node2"} >= {"OK", "ERR"}


_probes = itertools.count()


def probe(httpd, cookie):
    """A request in this session -> what was noted of it."""
    name = f"probe{next(_probes)}"
    assert client.get(httpd.port, f"/sum.jsp?id={name}", [("Cookie", cookie)]).status == 200
    return proc.wait_until(lambda: notes(httpd).get(name), 5)


# ---- as it is written everywhere ----

TUTORIAL = """
JkWorkersFile conf/workers.properties
JkLogFile logs/mod_jk.log
JkLogLevel info
JkLogStampFormat "[%a %b %d %H:%M:%S %Y] "
JkOptions +ForwardKeySize +ForwardURICompat -ForwardDirectories
JkMount /* loadbalancer
"""
TUTORIAL_WORKERS = """
# Define list of workers that will be used
# for mapping requests
worker.list=loadbalancer

# Define Node1
# modify the host as your host IP or DNS name.
worker.node1.port={0}
worker.node1.host=localhost
worker.node1.type=ajp13
worker.node1.lbfactor=1
worker.node1.cachesize=10

# Define Node2
# modify the host as your host IP or DNS name.
worker.node2.port={1}
worker.node2.host=localhost
worker.node2.type=ajp13
worker.node2.lbfactor=1
worker.node2.cachesize=10

# Load-balancing behaviour
worker.loadbalancer.type=lb
worker.loadbalancer.balanced_workers=node1,node2
worker.loadbalancer.sticky_session=1
#worker.list=loadbalancer
"""


@pytest.mark.parametrize("victim", [0, 1], ids=["node1", "node2"])
def test_the_tutorials_configuration(fresh_httpd, cluster, victim):
    """Unchanged: sessions are shared out, stay, and go on at the other Tomcat."""
    httpd = fresh_httpd("SetEnvIf X-Route (.+) JK_ROUTE=$1" + TUTORIAL, defaults=False,
                        workers=TUTORIAL_WORKERS.format(*(node.port for node in cluster.nodes)))
    cluster.settle(httpd.port)
    dying = cluster.nodes[victim]
    living = cluster.other(dying)
    cookies = {}
    for i in range(6):
        answer = client.get(httpd.port, f"/count.jsp?id=t{i}")
        cookies.setdefault(answer.header("X-Node"), []).append(answer.header("Set-Cookie").split(";")[0])
    assert sorted(map(len, cookies.values())) == [3, 3]
    for node, mine in cookies.items():
        for cookie in mine:
            answer = client.get(httpd.port, "/count.jsp?id=again", [("Cookie", cookie)])
            assert (answer.header("X-Node"), answer.header("X-Count")) == (node, "2") and cookie.endswith("." + node)
    dying.kill()
    httpd.expect(rf"\({dying.route}\) Failed opening socket.*JK0202")
    httpd.allow(rf"\({dying.route}\) connecting to tomcat failed.*JK0204")
    for cookie in cookies[dying.route]:
        answer = client.ask(httpd.port, "POST", "/count.jsp?id=moved", [("Cookie", cookie)], body=b"b")
        assert (answer.status, answer.header("X-Node"), answer.header("X-Count")) == (200, living.route, "3")
        assert answer.header("Set-Cookie").startswith(cookie.replace("." + dying.route, "." + living.route))
