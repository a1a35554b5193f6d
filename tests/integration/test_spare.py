"""Members that come and go at run time: cmd=add and cmd=remove, in the spare places of a balancer (worker.lb.spare_members)."""
import json
import os
import re
import threading
import time

import pytest

from lib import client, proc
from lib.ajp_peer import SLEEP, normal
from lib.statuspage import Page

pytestmark = pytest.mark.differs("members cannot be added at run time")

WORKERS = """\
worker.list=lb,other,single,status,reader
worker.lb.type=lb
worker.lb.balance_workers=n1,n2
worker.lb.spare_members=2
worker.n1.host=127.0.0.1
worker.n1.port={one}
worker.n1.reply_timeout=20000
worker.n2.host=127.0.0.1
worker.n2.port={two}
worker.other.type=lb
worker.other.balance_workers=o1
worker.o1.host=127.0.0.1
worker.o1.port={one}
worker.other.spare_members=0
worker.single.host=127.0.0.1
worker.single.port={one}
worker.status.type=status
worker.reader.type=status
worker.reader.read_only=true
"""
CHILDREN = "StartServers 3\nServerLimit 3\nThreadsPerChild 8\nMaxRequestWorkers 24\nMinSpareThreads 1\nMaxSpareThreads 24\n"
MOUNTS = "JkMount /status status\nJkMount /reader reader\nJkMount /lb/* lb\nJkMount /lb/ruled/* lb;disabled=n1\nJkMount /o/* other\n"


@pytest.fixture(scope="module")
def peers(make_peer):
    return [make_peer(name="one"), make_peer(name="two"), make_peer(name="three"), make_peer(name="four")]


@pytest.fixture
def page(fresh_httpd, peers):
    return Page(fresh_httpd(MOUNTS, workers=WORKERS.format(one=peers[0].port, two=peers[1].port)))


def add(page, name, peer, **more):
    return page.change(cmd="add", w="lb", sw=name, vahst="127.0.0.1", vaprt=str(peer.port), **more)


def who(httpd, path="/lb/who", cookie=None):
    return json.loads(client.get(httpd.port, path, [("Cookie", "JSESSIONID=" + cookie)] if cookie else []).body)["peer"]


def members(page, lb="lb"):
    return [m["name"] for m in page.lb(lb)["members"]]


def refused(page, status, words, **params):
    page.httpd.expect(r"Status worker '\w+': ")
    before = [(m["name"], m["edits"]) for m in page.lb()["members"]]
    answer = page.post(mime="json", **params)
    assert answer.status == status and words in json.loads(answer.body)["result"]["message"], answer
    assert [(m["name"], m["edits"]) for m in page.lb()["members"]] == before, "nothing was changed"


def test_added_and_removed(page, peers):
    add(page, "n3", peers[2], vwf="2")
    n3 = page.member("n3")
    assert (n3["host"], n3["port"], n3["route"], n3["lbfactor"], n3["activation"], n3["added"]) == ("127.0.0.1", peers[2].port, "n3", 2, "ACT", True)
    assert n3["reply_timeout"] == 20000, "as the balancer's first member"
    assert page.lb()["member_count"] == 3 and page.member("n1")["added"] is False
    assert sorted(who(page.httpd) for _ in range(8)) == ["one"] * 2 + ["three"] * 4 + ["two"] * 2, "its share"
    assert {who(page.httpd, cookie="x.n3") for _ in range(4)} == {"three"}, "its sessions"
    assert page.member("n3")["elected"] == 8 and page.member("n3")["state"] == "OK"
    assert {who(page.httpd, "/lb/ruled/x") for _ in range(6)} == {"two", "three"}, "a rule that names others knows nothing of it"
    page.change(cmd="update", w="lb", sw="n3", vwf="1")
    assert page.member("n3")["lbfactor"] == 1
    page.change(cmd="remove", w="lb", sw="n3")
    assert members(page) == ["n1", "n2"] and page.lb()["member_count"] == 2
    assert {who(page.httpd) for _ in range(8)} == {"one", "two"} and who(page.httpd, cookie="x.n3") != "three"
    lines = page.httpd.jk_lines(r"\[info\] .*Status worker 'status' (adding|removing) sub worker 'n3' of lb worker 'lb'")
    assert len(lines) == 2 and "by somebody at 127.0.0.1" in lines[0] + lines[1], lines
    add(page, "n4", peers[3], vwn="its.route")
    assert members(page) == ["n1", "n2", "n4"] and page.member("n4")["elected"] == 0 and page.member("n4")["domain"] == "its"
    assert who(page.httpd, cookie="x.its.route") == "four"
    assert page.member("n4")["lbfactor"] == 1, "nothing of who was there before"


def test_every_format_shows_it(page, peers):
    add(page, "n3", peers[2])
    who(page.httpd, cookie="x.n3")
    assert 'name="n3"' in page.get(mime="xml").text and "name=n3 " in page.get(mime="txt").text.replace('"', "")
    assert ("worker.lb.balance_workers", "n3") in page.prop() and ">n3<" in page.get().text.replace("Member ", ">").replace("</h4", "<")
    metrics = page.get(mime="openmetrics").text
    assert 'jk_worker_requests_total{worker="n3",balancer="lb"} 1\n' in metrics
    assert [c for c in page.json(cmd="dump")["configuration"].items() if "n3" in c[0]] != [], "the dump says who was added"


@pytest.mark.parametrize("status, words, params", [
    (409, "there is a worker 'n1' already", {"sw": "n1"}),
    (409, "there is a worker 'o1' already", {"sw": "o1"}),
    (409, "there is a worker 'single' already", {"sw": "single"}),
    (409, "there is a worker 'lb' already", {"sw": "lb"}),
    (422, "is no name for a worker", {"sw": "a b"}),
    (422, "is no name for a worker", {"sw": "<script>"}),
    (422, "is no name for a worker", {"sw": "a,b"}),
    (422, "is no name for a worker", {"sw": "a\nb"}),
    (422, "is no name for a worker", {"sw": "ä"}),
    (422, "is no name for a worker", {"sw": "../x"}),
    (422, "is no name for a worker", {"sw": "x" * 256}),
    (400, "wildcard not allowed", {"sw": "n*"}),
    (400, "sub worker param", {"sw": ""}),
    (422, "is no value for vahst", {"vahst": "a//b"}),
    (422, "vahst is needed", {"vahst": None}),
    (422, "is no value for vaprt", {"vaprt": "99999"}),
    (422, "could not resolve", {"vahst": "no.such.host.invalid"}),
    (422, "share the same route", {"vwn": "n1"}),
    (422, "is no attribute", {"vlr": "3"}),
    (404, "Could not find given worker", {"w": "nobody"}),
    (400, "no sub workers", {"w": "single"}),
    (409, "no spare place", {"w": "other"}),
], ids=lambda v: ",".join(f"{k}={str(x)[:12]}" for k, x in v.items()).replace("\n", " ") if isinstance(v, dict) else None)
def test_refused(page, status, words, params):
    refused(page, status, words, **{k: v for k, v in {"cmd": "add", "w": "lb", "sw": "n3", "vahst": "127.0.0.1", **params}.items() if v is not None})
    said = page.httpd.jk_lines(r"\[JK0801\]")[-1]
    assert "Update failed" not in said and ("Adding failed: " in said or status in (400, 404)), said


def test_who_may(page, peers):
    page.httpd.expect("Changes need a token", "Changes need POST", "read only", r"Status worker '\w+': ")
    asked = {"cmd": "add", "w": "lb", "sw": "n3", "vahst": "127.0.0.1"}
    assert page.post(token="", **asked).status == 403 and page.post(token="x", **asked).status == 403
    assert page.get(mime="txt", **asked).status == 405
    assert Page(page.httpd, "/reader").post(token=page.token(), **asked).status == 403
    assert members(page) == ["n1", "n2"]
    add(page, "n3", peers[2])
    assert page.post(token="", cmd="remove", w="lb", sw="n3").status == 403 and members(page) == ["n1", "n2", "n3"]


def test_places(page, peers):
    """Two: each name once, each place once; a place that was left is there again."""
    add(page, "n3", peers[2])
    refused(page, 409, "there is a worker 'n3' already", cmd="add", w="lb", sw="n3", vahst="127.0.0.1")
    add(page, "n4", peers[3])
    refused(page, 409, "no spare place is left", cmd="add", w="lb", sw="n5", vahst="127.0.0.1")
    refused(page, 409, "is named by the workers file: it can be stopped", cmd="remove", w="lb", sw="n1")
    refused(page, 404, "could not find sub worker", cmd="remove", w="lb", sw="n9")
    refused(page, 400, "sub worker param", cmd="remove", w="lb")
    page.change(cmd="remove", w="lb", sw="n3")
    assert members(page) == ["n1", "n2", "n4"]
    assert {who(page.httpd, cookie="x.n4") for _ in range(3)} == {"four"}, "the place between is empty"
    page.change(cmd="update", w="lb", att="vwf", val0="1", val1="1", val2="3")
    assert page.member("n4")["lbfactor"] == 3, "values in the order in which they are shown"
    page.change(cmd="reset", w="lb")
    add(page, "n5", peers[2])
    assert members(page) == ["n1", "n2", "n5", "n4"] and who(page.httpd, cookie="x.n5") == "three"


def test_removed_with_a_request_under_way(page, peers):
    """It comes to its end; its place is nobody's until then."""
    peers[2].on("/lb/slow", [SLEEP(1.5), normal])
    add(page, "n3", peers[2])
    add(page, "n4", peers[3])
    got = []
    asking = threading.Thread(target=lambda: got.append(client.get(page.httpd.port, "/lb/slow", [("Cookie", "JSESSIONID=x.n3")])))
    asking.start()
    wait_for(lambda: page.member("n3")["busy"] == 1)
    page.change(cmd="remove", w="lb", sw="n3")
    refused(page, 409, "wait until its last request is over", cmd="add", w="lb", sw="n5", vahst="127.0.0.1")
    assert who(page.httpd, cookie="x.n3") in ("one", "two", "four")
    asking.join()
    assert got[0].status == 200, got
    wait_for(lambda: page.post(cmd="add", w="lb", sw="n5", vahst="127.0.0.1", vaprt=str(peers[2].port)).status == 200)


def wait_for(what, seconds=15):
    end = time.time() + seconds
    while not what():
        assert time.time() < end, what
        time.sleep(0.05)


@pytest.mark.skipif(os.environ.get("JK_MPM") == "prefork", reason="its children are many")
def test_under_load_in_every_child(fresh_httpd, peers):
    """Added and removed again and again: nobody's request is lost, and its sessions find it in every child at once."""
    page = Page(fresh_httpd(CHILDREN + MOUNTS, workers=WORKERS.format(one=peers[0].port, two=peers[1].port)))
    over, lost, n = threading.Event(), [], [0]

    def user(i):
        while not over.is_set():
            answer = client.get(page.httpd.port, f"/lb/u{i}", [("Cookie", f"JSESSIONID=s.n{i % 3 + 1}")])
            n[0] += 1
            if answer.status != 200:
                lost.append(answer)

    users = [threading.Thread(target=user, args=(i,)) for i in range(6)]
    for one in users:
        one.start()
    try:
        token, seen = page.token(), set()
        for turn in range(6):
            page.change(token=token, cmd="add", w="lb", sw="n3", vahst="127.0.0.1", vaprt=str(peers[2 + turn % 2].port))
            for _ in range(15):
                with client.Wire(page.httpd.port) as held, client.Wire(page.httpd.port) as more:
                    shown = json.loads(held.get("/status?mime=json").body)
                    seen.add(shown["process"]["pid"])
                    assert [m["name"] for m in shown["balancers"][0]["members"]] == ["n1", "n2", "n3"]
                    assert json.loads(more.get("/lb/y", [("Cookie", "JSESSIONID=x.n3")]).body)["peer"] == ["three", "four"][turn % 2]
            page.change(token=token, cmd="remove", w="lb", sw="n3")
    finally:
        over.set()
        for one in users:
            one.join()
    assert not lost and n[0] > 100, (lost[:3], n)
    assert len(seen) >= 2 and seen <= proc.children_of(page.httpd.pid)


def test_over_a_graceful_restart(page, peers):
    add(page, "n3", peers[2], vwf="3")
    add(page, "n4", peers[3])
    page.change(cmd="remove", w="lb", sw="n3")
    add(page, "n3", peers[2], vwf="3")
    page.httpd.graceful()
    assert sorted(members(page)) == ["n1", "n2", "n3", "n4"] and page.member("n3")["lbfactor"] == 3
    assert (who(page.httpd, cookie="x.n3"), who(page.httpd, cookie="x.n4")) == ("three", "four")
    page.change(cmd="remove", w="lb", sw="n4")
    page.httpd.graceful()
    assert members(page) == ["n1", "n2", "n3"]


def test_why_connections_were_closed(page, peers):
    """Those to an old address, and of a member that was removed, were neither dead nor old."""
    def closed(name):
        text = page.get(mime="openmetrics").text
        found = [line.rsplit(" ", 1) for line in text.splitlines() if line.startswith("jk_worker_connections_closed_total") and f'"{name}"' in line]
        return {key.split('reason="')[1][:-2]: int(n) for key, n in found if int(n)}

    add(page, "n3", peers[2])
    for cookie in ("x.n1", "x.n3"):
        who(page.httpd, cookie=cookie)
    assert (closed("n1"), closed("n3")) == ({}, {})
    page.change(cmd="update", w="lb", sw="n1", vaprt=str(peers[3].port))
    assert who(page.httpd, cookie="x.n1") == "four"
    assert closed("n1") == {"no_reuse": 1}
    page.change(cmd="update", w="lb", sw="n3", vaprt=str(peers[3].port))
    wait_for(lambda: closed("n3") == {"no_reuse": 1})


def places(page, n):
    page.httpd.write_workers(re.sub(r"lb.spare_members=\d+", f"lb.spare_members={n}", page.httpd.workers))
    page.httpd.graceful()


def test_fewer_places_at_a_restart(page, peers):
    """Who is there stays, wherever his place was; who finds none is named, and comes back as he was."""
    places(page, 3)
    for name, peer in (("n3", peers[2]), ("n4", peers[3]), ("n5", peers[2])):
        add(page, name, peer, vwf="2")
    assert who(page.httpd, cookie="x.n5") == "three"
    page.change(cmd="remove", w="lb", sw="n3")
    places(page, 2)
    assert sorted(members(page)) == ["n1", "n2", "n4", "n5"] and not page.httpd.jk_lines(r"\[JK0605\]", seconds=0)
    assert (page.member("n5")["elected"], page.member("n5")["lbfactor"], who(page.httpd, cookie="x.n5")) == (1, 2, "three")
    page.httpd.expect(r"\[JK0605\]")
    places(page, 1)
    line = page.httpd.jk_lines(r"\[JK0605\]")[-1]
    left = next(n for n in ("n4", "n5") if n in members(page))
    gone = {"n4": "n5", "n5": "n4"}[left]
    assert f"(lb) spare_members=1 leaves no place for {gone}, added at run time" in line and "worker.lb.spare_members=2" in line
    page.httpd.expect(r"\[JK0605\]")
    places(page, 0)
    assert members(page) == ["n1", "n2"]
    assert all(n in page.httpd.jk_lines(r"\[JK0605\]")[-1] for n in ("n4", "n5", "worker.lb.spare_members=2"))
    places(page, 3)
    assert sorted(members(page)) == ["n1", "n2", "n4", "n5"]
    assert (page.member("n5")["elected"], page.member("n5")["lbfactor"], who(page.httpd, cookie="x.n5")) == (2, 2, "three")


def test_fewer_places_at_a_start(fresh_httpd, peers):
    page = Page(fresh_httpd("JkStateFile run/state\n" + MOUNTS, workers=WORKERS.format(one=peers[0].port, two=peers[1].port)))
    add(page, "n3", peers[2])
    add(page, "n4", peers[3], vwf="4")
    page.change(cmd="remove", w="lb", sw="n3")
    page.httpd.stop()
    page.httpd.write_workers(page.httpd.workers.replace("lb.spare_members=2", "lb.spare_members=1"))
    page.httpd.start()
    assert members(page) == ["n1", "n2", "n4"] and (page.member("n4")["lbfactor"], who(page.httpd, cookie="x.n4")) == (4, "four")
    page.httpd.stop()
    page.httpd.write_workers(page.httpd.workers.replace("lb.spare_members=1", "lb.spare_members=0"))
    page.httpd.start()
    assert members(page) == ["n1", "n2"] and \
        "left out: n4 of 'lb/spare 2': no place is left for it: raise spare_members" in page.httpd.jk_log.text()


def kept(page):
    """Who was added, as the state file has it."""
    return sorted(w["name"] for w in json.load(open(page.httpd.path("run/state")))["workers"].values() if "name" in w)


@pytest.mark.parametrize("graceful", [False, True], ids=["stop", "graceful"])
def test_who_has_no_place_stays_in_the_state_file(fresh_httpd, peers, graceful):
    """Whatever is changed meanwhile, and however often it starts."""
    page = Page(fresh_httpd("JkStateFile run/state\n" + MOUNTS, workers=WORKERS.format(one=peers[0].port, two=peers[1].port), startup=[r"\[JK0605\]"]))

    def start_with(n, stop=True):
        workers = re.sub(r"lb.spare_members=\d+", f"lb.spare_members={n}", page.httpd.workers)
        if stop:
            page.httpd.stop()
            page.httpd.write_workers(workers)
            page.httpd.start()
        else:
            page.httpd.write_workers(workers)
            page.httpd.expect(r"\[JK0605\]")
            page.httpd.graceful()
    add(page, "n3", peers[2])
    add(page, "n4", peers[3], vwf="4")
    page.change(cmd="update", w="lb", sw="n4", vwa="D")
    start_with(1, stop=not graceful)
    gone = next(n for n in ("n3", "n4") if n not in members(page))
    for factor in ("2", "3"):
        page.change(cmd="update", w="lb", sw="n1", vwf=factor)
        start_with(1)
        assert kept(page) == ["n3", "n4"] and gone not in members(page) and page.member("n1")["lbfactor"] == int(factor)
    start_with(2)
    assert sorted(members(page)) == ["n1", "n2", "n3", "n4"]
    assert (page.member("n4")["lbfactor"], page.member("n4")["activation"]) == (4, "DIS")
    page.change(cmd="remove", w="lb", sw=gone)
    page.httpd.stop()
    assert gone not in kept(page) and len(kept(page)) == 1, "who was removed is not there again"


def test_who_is_named_by_the_file_leaves_the_state_file(fresh_httpd, peers):
    page = Page(fresh_httpd("JkStateFile run/state\n" + MOUNTS, workers=WORKERS.format(one=peers[0].port, two=peers[1].port)))
    add(page, "n3", peers[2])
    page.httpd.stop()
    page.httpd.write_workers(page.httpd.workers.replace("lb.spare_members=2", "lb.spare_members=0").replace(
        "balance_workers=n1,n2\n", "balance_workers=n1,n2,n3\n") + f"worker.n3.host=127.0.0.1\nworker.n3.port={peers[2].port}\n")
    page.httpd.start()
    page.change(cmd="update", w="lb", sw="n1", vwf="2")
    page.httpd.stop()
    assert kept(page) == []


@pytest.mark.parametrize("more, words", [
    ("worker.list=n3\nworker.n3.host=127.0.0.1\nworker.n3.port={port}\n", "in worker.list"),
    ("worker.other.balance_workers=n3\nworker.n3.host=127.0.0.1\nworker.n3.port={port}\n", "a member of another balancer"),
])
def test_the_file_has_another_worker_of_that_name(page, peers, more, words):
    """Both go on, and the log says so."""
    add(page, "n3", peers[2], vwf="2")
    page.httpd.write_workers(page.httpd.workers + more.format(port=peers[3].port))
    page.httpd.expect(r"\[JK0606\]")
    page.httpd.graceful()
    line = page.httpd.jk_lines(r"\[JK0606\]")[-1]
    assert "(lb) worker n3 was added at run time, and the workers file has another worker of that name now, " + words in line
    assert page.member("n3")["lbfactor"] == 2 and who(page.httpd, cookie="x.n3") == "three"
    page.change(cmd="remove", w="lb", sw="n3")
    page.httpd.graceful()
    assert members(page) == ["n1", "n2"]


def test_the_file_names_it(page, peers):
    """What the file says counts, what it says nothing of stays as it was changed."""
    add(page, "n3", peers[2], vwf="3", vwr="n1")
    page.change(cmd="update", w="lb", sw="n3", vwa="D")
    page.httpd.write_workers(page.httpd.workers.replace("balance_workers=n1,n2\n", "balance_workers=n1,n2,n3\n") +
                             f"worker.n3.host=127.0.0.1\nworker.n3.port={peers[3].port}\nworker.n3.lbfactor=5\n")
    page.httpd.graceful()
    n3 = page.member("n3")
    assert members(page) == ["n1", "n2", "n3"] and n3["added"] is False and page.httpd.jk_lines("is named by the workers file now")
    assert (n3["lbfactor"], n3["port"], n3["activation"], n3["redirect"]) == (5, peers[3].port, "DIS", "n1")
    assert {e["key"] for e in n3["edits"]} == {"activation", "redirect"}
    assert who(page.httpd, cookie="x.n3") == "four"
    add(page, "n4", peers[2])
    assert members(page) == ["n1", "n2", "n3", "n4"]


def test_the_file_names_one_whose_place_is_gone(page, peers):
    add(page, "n3", peers[2])
    add(page, "n4", peers[3])
    page.change(cmd="update", w="lb", sw="n4", vwa="D")
    page.change(cmd="remove", w="lb", sw="n3")
    page.httpd.write_workers(page.httpd.workers.replace("lb.spare_members=2", "lb.spare_members=1").replace(
        "balance_workers=n1,n2\n", "balance_workers=n1,n2,n4\n") + f"worker.n4.host=127.0.0.1\nworker.n4.port={peers[3].port}\n")
    page.httpd.graceful()
    assert members(page) == ["n1", "n2", "n4"] and page.httpd.jk_lines("is named by the workers file now")
    assert (page.member("n4")["added"], page.member("n4")["activation"]) == (False, "DIS"), "who was drained stays so"
    add(page, "n5", peers[2])
    assert members(page) == ["n1", "n2", "n4", "n5"], "his place is free"


def test_over_a_stop_and_start(fresh_httpd, peers):
    page = Page(fresh_httpd("JkStateFile run/state\n" + MOUNTS, workers=WORKERS.format(one=peers[0].port, two=peers[1].port)))
    add(page, "n3", peers[2])
    add(page, "n4", peers[3], vwf="2")
    page.change(cmd="remove", w="lb", sw="n3")
    page.httpd.stop()
    assert [w.get("name") for w in json.load(open(page.httpd.path("run/state")))["workers"].values()] == ["n4"]
    page.httpd.start()
    n4 = page.member("n4")
    assert members(page) == ["n1", "n2", "n4"] and (n4["lbfactor"], n4["added"], n4["activation"]) == (2, True, "ACT")
    assert who(page.httpd, cookie="x.n4") == "four"
    page.httpd.stop()
    page.httpd.write_workers(page.httpd.workers + f"worker.lb.balance_workers=n4\nworker.n4.host=127.0.0.1\nworker.n4.port={peers[2].port}\n")
    page.httpd.start()
    assert members(page) == ["n1", "n2", "n4"] and page.member("n4")["added"] is False
    assert "n4 of 'lb/spare 2': the workers file names a member so now" in page.httpd.jk_log.text()
