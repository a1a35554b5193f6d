"""The status worker's page for people (mime=html): well-formed, escaped, without a script; its forms do in live service what they say, as a browser
would send them; it fits a phone. What is behind it is test_status.py's."""
import base64
import hashlib
import os
import re
import threading
import time
import xml.etree.ElementTree as ET

import pytest

from lib import ajp, browser, client, proc
from lib.ajp_peer import SLEEP, normal
from lib.statuspage import Form, Page, forms

X = "{http://www.w3.org/1999/xhtml}"

WORKERS = """\
worker.list=lb,single,status,reader,styled
worker.lb.type=lb
worker.lb.balance_workers=n1,n2
worker.n1.host=127.0.0.1
worker.n1.port={one}
worker.n1.retries=1
worker.n2.host=127.0.0.1
worker.n2.port={two}
worker.n2.retries=1
worker.single.host=127.0.0.1
worker.single.port={one}
worker.status.type=status
worker.reader.type=status
worker.reader.read_only=true
worker.styled.type=status
worker.styled.css=https://styles.example/jk.css
"""
MOUNTS = """\
JkMount /status status
JkMount /reader reader
JkMount /styled styled
JkMount /lb/* lb
JkMount /s/* single
"""


@pytest.fixture(scope="module")
def peers(make_peer):
    return [make_peer(name="one"), make_peer(name="two")]


def text_of(peers):
    return WORKERS.format(one=peers[0].port, two=peers[1].port)


@pytest.fixture(scope="module")
def httpd(make_httpd, peers):
    httpd = make_httpd(MOUNTS, workers=text_of(peers))
    client.get(httpd.port, "/lb/a")
    return httpd


@pytest.fixture
def page(httpd):
    return Page(httpd)


@pytest.fixture
def edited(fresh_httpd, peers):
    return Page(fresh_httpd(MOUNTS, workers=text_of(peers)))


def tree(answer):
    """The page as XML: whatever is not well-formed fails here."""
    return ET.fromstring(answer.body)


def words(element):
    return re.sub(r"\s+", " ", " ".join(element.itertext())).strip()


def find(root, tag, **attributes):
    return [e for e in root.iter(X + tag) if all(e.get(k.rstrip("_")) == v for k, v in attributes.items())]


def row_of(root, name):
    """A member's or worker's row: heading of the column -> words."""
    for tr in find(root, "tr"):
        cells = list(tr)
        if cells[0].tag == X + "th" and cells[0].get("scope") == "row" and words(cells[0]).startswith(name):
            return {td.get("data-label"): words(td) for td in cells[1:]}
    raise AssertionError(f"no row of {name}")


PAGES = [{}, {"cmd": "list", "opt": "511"}, {"cmd": "show", "w": "lb"}, {"cmd": "show", "w": "lb", "sw": "n1"}, {"cmd": "show", "w": "single"}, {"cmd": "show", "w": "status"},
         {"cmd": "edit", "w": "lb"}, {"cmd": "edit", "w": "lb", "sw": "n1"}, {"cmd": "edit", "w": "single"}, {"cmd": "edit", "w": "lb", "att": "vwf"},
         {"cmd": "edit", "w": "lb", "att": "vwa"}, {"cmd": "edit", "w": "lb", "att": "none"}, {"cmd": "dump"}, {"cmd": "version"}, {"re": "7"}]
REFUSED = [{"cmd": "show", "w": "<b>'\"&"}, {"cmd": "nothing"}, {"cmd": "show"}, {"cmd": "edit", "w": "lb", "sw": "<i>"}, {"w": "%zz", "cmd": "show"},
           {"cmd": "update", "w": "lb"}, {"cmd": "reset", "w": "lb"}]


def check_page(root):
    """What holds for every page."""
    assert find(root, "script") == [] and [e for e in root.iter() if any(a.startswith("on") or a in ("style", "src") for a in e.keys())] == []
    ids = [e.get("id") for e in root.iter() if e.get("id")]
    assert len(ids) == len(set(ids)), "ids are unique"
    for label in find(root, "label"):
        assert label.get("for") in ids
    labelled = {label.get("for") for label in find(root, "label")}
    for control in [*find(root, "input"), *find(root, "select")]:
        assert control.get("type") == "hidden" or control.get("id") in labelled
    for section in root.iter():
        for reference in (section.get("aria-labelledby"), (section.get("href") or "")[1:] if (section.get("href") or "").startswith("#") else None):
            assert reference is None or reference in ids, reference
    levels = [int(e.tag[-1]) for e in root.iter() if re.fullmatch(re.escape(X) + "h[1-6]", e.tag)]
    assert levels[0] == 1 and levels.count(1) == 1 and all(b - a <= 1 for a, b in zip(levels, levels[1:]))
    for table in find(root, "table"):
        assert find(table, "caption") and all(th.get("scope") in ("col", "row") for th in find(table, "th"))
    for form in find(root, "form"):
        assert form.get("method") == "post" and form.get("action") == "/status"


# ---- every page ----

@pytest.mark.parametrize("params", PAGES, ids=str)
def test_pages_are_well_formed(page, params):
    answer = page.get(**params)
    assert answer.status == 200 and answer.header("Content-Type") == "text/html; charset=utf-8"
    check_page(tree(answer))


@pytest.mark.parametrize("params", REFUSED, ids=str)
def test_refusals_are_pages_too(page, params):
    page.httpd.allow(r"\[JK0801\]$")
    answer = page.get(**params)
    assert 400 <= answer.status < 500
    root = tree(answer)
    check_page(root)
    assert words(find(root, "div", role="alert")[0]).startswith("Result: ERROR - ")


def test_the_policy_fits_the_page(page):
    answer = page.get()
    style = re.search(rb"<style>(.*?)</style>", answer.body, re.S).group(1)
    digest = base64.b64encode(hashlib.sha256(style).digest()).decode()
    policy = answer.header("Content-Security-Policy")
    assert f"'sha256-{digest}'" in policy, "JK_STYLE_HASH (include/jk/status/style.h) must be this"
    assert "default-src 'none'" in policy and "unsafe" not in policy and "script" not in policy
    assert not re.search(rb"(https?:)?//(?!www\.w3\.org/1999/xhtml)[a-z]|@import|url\(", re.sub(rb"mod_jk/|</?\w+|/\w+>", b"", answer.body)), "nothing comes from elsewhere"


def test_css(httpd):
    answer = Page(httpd, "/styled").get()
    link, = find(tree(answer), "link")
    assert (link.get("rel"), link.get("href")) == ("stylesheet", "https://styles.example/jk.css")
    assert "https://styles.example;" in answer.header("Content-Security-Policy") and find(tree(answer), "div", class_="footer")


def test_parameters_stay_in_links(page):
    """Bookmarks of mod_jk 1.2 work, and what was chosen stays: cmd, w, sw, re, opt."""
    root = tree(page.get(cmd="show", w="lb", re="30", opt="2", **{"from": "list"}))
    assert find(root, "meta", **{"http-equiv": "refresh"})[0].get("content") == "30"
    links = [a.get("href") for a in find(root, "a") if a.get("href").startswith("/")]
    assert "/status?cmd=show&w=lb&sw=n1&re=30&opt=2" in links and "/status?cmd=edit&w=lb&sw=n2&from=show&re=30&opt=2" in links
    assert "/status?cmd=show&w=lb&re=30&opt=34" in links, "read only"
    assert "/status?cmd=show&w=lb&opt=2" in links, "no refresh"
    assert [one for one in links if "opt=" not in one] == ["/status?cmd=show&w=lb&re=30"], "mounts are shown again by one link"


HIDDEN = [(1, "Members of lb", "lb"), (2, "/lb/*", "lb"), (4, "What the words mean", "lb"), (8, "Balancer lb", "n1"), (16, "Workers of their own", "lb")]


@pytest.mark.parametrize("bit, gone, stays", HIDDEN)
def test_opt_hides(page, bit, gone, stays):
    text, less = page.get().text, page.get(opt=str(bit)).text
    assert gone in text and gone not in less and stays in less


def test_read_only(httpd):
    for where, opt in (("/reader", "0"), ("/status", "32")):
        answer = Page(httpd, where).get(opt=opt)
        assert "(read only)" in answer.text and forms(answer.text) == [] and "cmd=edit" not in answer.text


# ---- names that want to be markup ----

HOSTILE = "a<b>&\"'%41"


def test_values_are_escaped(fresh_httpd, peers):
    """Whoever may write a mount or a value may not write into the page."""
    httpd = fresh_httpd("JkMount /status status\nJkMount \"/x<script>alert(1)</script>'&*\" lb\nJkMount \"/y/*\" \"no<i>body'\"\n",
                        workers=text_of(peers) + "worker.n1.route=r<u>'&\n", start=False)
    httpd.startup = [r"there is no worker 'no<i>body'' in worker\.list"]
    httpd.start()
    page = Page(httpd)
    for params in ({}, {"cmd": "show", "w": "lb"}, {"cmd": "show", "w": "lb", "sw": "n1"}, {"cmd": "edit", "w": "lb", "sw": "n1"}, {"cmd": "dump"}):
        answer = page.get(**params)
        root = tree(answer)
        assert find(root, "script") == [] and find(root, "i") == [] and find(root, "u") == []
    assert "/x<script>alert(1)</script>'&*" in words(tree(page.get()))
    assert "r<u>'&" in [e.get("value") for e in find(tree(page.get(cmd="edit", w="lb", sw="n1")), "input")]
    assert "no<i>body'" in words(find(tree(page.get()), "ul", class_="problems")[0]), "a mount to nobody is a problem"


def test_a_refused_value_is_shown_again(page):
    page.httpd.expect(r"is no value for vwf \(lbfactor\).*\[JK0801\]$")
    form = Form.of(page.get(cmd="edit", w="lb", sw="n1").text, "vwf")
    answer = form.send(page, vwf=HOSTILE)
    assert answer.status == 422 and page.member("n1")["lbfactor"] == 1
    root = tree(answer)
    assert find(root, "input", name="vwf")[0].get("value") == HOSTILE and find(root, "meta", **{"http-equiv": "refresh"}) == []
    assert HOSTILE in words(find(root, "div", role="alert")[0])


# ---- forms ----

MEMBER = [("vwa", "disabled", "activation", "DIS"), ("vwf", "7", "lbfactor", 7), ("vwn", "other", "route", "other"), ("vwr", "n2", "redirect", "n2"),
          ("vwc", "east", "domain", "east"), ("vwd", "3", "distance", 3), ("vact", "1500", "connect_timeout", 1500), ("vapt", "1500", "prepost_timeout", 1500),
          ("vapng", "1500", "ping_timeout", 1500), ("vart", "9000", "reply_timeout", 9000), ("var", "4", "retries", 4), ("vari", "50", "retry_interval", 50),
          ("vacpt", "60", "connection_pool_timeout", 60), ("vacpi", "60", "connection_ping_interval", 60), ("varo", "3", "recovery_options", 3),
          ("vabl", "9", "busy_limit", 9), ("vamps", "16384", "max_packet_size", 16384), ("vamc", "77", "max_connections", 77),
          ("vacat", "250", "connection_acquire_timeout", 250)]
LB = [("vlr", "4", "retries", 4), ("vlri", "50", "retry_interval", 50), ("vlt", "90", "recover_time", 90), ("vlee", "10", "error_escalation_time", 10),
      ("vlx", "5", "max_reply_timeouts", 5), ("vls", "false", "sticky_session", False), ("vlf", "true", "sticky_session_force", True),
      ("vlm", "Busyness", "method", "Busyness"), ("vlb", "50", "retry_budget", 50), ("vlsc", "SID", "session_cookie", "SID"), ("vlsp", ";sid", "session_path", ";sid")]


def test_every_field_of_a_member(edited):
    """Each alone, with all others sent as the form has them: what was not touched stays."""
    for param, value, key, shown in MEMBER:
        form = Form.of(edited.get(cmd="edit", w="lb", sw="n1").text, param)
        before = edited.member("n1")
        assert form.send(edited, **{param: value}).status == 200, param
        after = edited.member("n1")
        changed = {k for k in before if before[k] != after[k]} - {"edits", "edited_at", "edited_by", "health", "safe_to_stop", "lbmult", "lbvalue", "last_reset_ago"}
        assert (changed, after[key]) == ({key}, shown), param


def test_every_field_of_a_balancer_and_of_a_worker(edited):
    for param, value, key, shown in LB:
        assert Form.of(edited.get(cmd="edit", w="lb").text, param).send(edited, **{param: value}).status == 200, param
        assert edited.lb()[key] == shown
    assert Form.of(edited.get(cmd="edit", w="single").text, "vabl").send(edited, vabl="6", vart="800").status == 200
    assert (edited.worker("single")["busy_limit"], edited.worker("single")["reply_timeout"]) == (6, 800)


def test_the_form_offers_what_can_be_edited(page):
    names = set(Form.of(page.get(cmd="edit", w="lb", sw="n1").text, "vwf").fields)
    assert {param for param, *_ in MEMBER} | {"vahst", "vaprt"} == {n for n in names if n.startswith("v")}
    assert {param for param, *_ in LB} | {"vll"} == {n for n in Form.of(page.get(cmd="edit", w="lb").text, "vlr").fields if n.startswith("v")}


def test_a_member_comes_and_goes(page):
    """By the form on its balancer's page, and by the button on its own; one of the file has no such button."""
    page.httpd.expect(r"is no value for vahst.*\[JK0801\]$")
    form = Form.of(page.get(cmd="edit", w="lb").text, "vahst")
    refused = form.send(page, sw="n9", vahst="", vaprt="8123")
    assert refused.status == 422 and Form.of(refused.text, "vahst").fields["vaprt"] == "8123" and Form.of(refused.text, "vahst").fields["sw"] == "n9"
    done = form.send(page, sw="n9", vahst="127.0.0.1", vaprt="8123", vwf="3")
    check_page(tree(done))
    assert done.status == 200 and (page.member("n9")["port"], page.member("n9")["lbfactor"]) == (8123, 3)
    own = next(f for f in forms(page.get(cmd="show", w="lb", sw="n9").text) if f.fields.get("cmd") == "remove")
    gone = own.send(page)
    check_page(tree(gone))
    assert gone.status == 200 and "n9" not in [m["name"] for m in page.lb()["members"]]
    assert not [f for f in forms(page.get(cmd="show", w="lb", sw="n1").text) if f.fields.get("cmd") == "remove"]


def test_one_attribute_of_all_members(edited):
    form = Form.of(edited.get(cmd="edit", w="lb", att="vwf").text, "val1")
    assert form.send(edited, val1="5").status == 200
    assert (edited.member("n1")["lbfactor"], edited.member("n2")["lbfactor"]) == (1, 5)
    form = Form.of(edited.get(cmd="edit", w="lb", att="vwa").text, "sw")
    assert form.send(edited, sw="n?", vwa="disabled").status == 200
    assert (edited.member("n1")["activation"], edited.member("n2")["activation"]) == ("DIS", "DIS")


def test_live_behaviour(edited, peers):
    """Stopped by a button of the page: nobody comes there any more; activated: they come again."""
    def answered():
        before = [p.deliveries("/lb/x") for p in peers]
        for _ in range(4):
            assert client.get(edited.httpd.port, "/lb/x").status == 200
        return [p.deliveries("/lb/x") - n for p, n in zip(peers, before)]

    assert answered() == [2, 2]
    answer = Form.button(edited.get(cmd="show", w="lb", sw="n2").text, "Stop: no requests").send(edited)
    root = tree(answer)
    assert words(find(root, "div", role="status")[0]).startswith("Result: OK - ")
    assert find(root, "meta", **{"http-equiv": "refresh"})[0].get("content") == "3;url=/status?cmd=show&w=lb&sw=n2", "back to where the button was"
    assert answered() == [4, 0]
    Form.button(edited.get(cmd="show", w="lb", sw="n2").text, "Activate").send(edited)
    assert 0 not in answered()


def test_reset_and_recover(edited, peers):
    edited.httpd.allow(r"\[JK02\d\d\]$", r"\[JK06\d\d\]$")
    for _ in range(4):
        client.get(edited.httpd.port, "/lb/x")
    Form.button(edited.get(cmd="show", w="lb", sw="n1").text, "Reset counters and state").send(edited)
    assert (edited.member("n1")["elected"], edited.member("n2")["elected"]) == (0, 2)
    Form.button(edited.get().text, "Reset counters").send(edited)
    assert edited.member("n2")["elected"] == 0 and edited.lb()["requests"] == 0
    edited.change(cmd="update", w="lb", sw="n2", vaprt=str(proc.free_port()))
    for _ in range(6):
        client.get(edited.httpd.port, "/lb/x")
    root = tree(edited.get())
    assert row_of(root, "n2")["State"].startswith("error ")
    problem = words(find(root, "ul", class_="problems")[0])
    assert "n2 of lb is in error first " in problem and "connection refused: Tomcat is not started" in problem and "It is tried again in " in problem
    edited.change(cmd="update", w="lb", sw="n2", vaprt=str(peers[1].port))
    Form.button(edited.get().text, "Try now").send(edited)
    assert row_of(tree(edited.get()), "n2")["State"] == "recovering"
    for _ in range(3):
        client.get(edited.httpd.port, "/lb/x")
    assert row_of(tree(edited.get()), "n2")["State"] == "ok" and "n2 of lb is in error" not in edited.get().text


def test_a_form_of_yesterday(page):
    page.httpd.expect(r"The token is not valid.*\[JK0801\]$")
    form = Form.of(page.get(cmd="edit", w="lb", sw="n1").text, "vwf")
    answer = form.send(page, token="0" * 40, vwf="3")
    assert answer.status == 403 and page.member("n1")["lbfactor"] == 1
    check_page(tree(answer))


# ---- taking a member out of service ----

def test_draining(edited, peers):
    """In flight, sessions that came back, safe to stop: as they are."""
    def drain():
        box, = find(tree(edited.get(cmd="show", w="lb", sw="n2")), "dl", class_="drain")
        return [words(dd) for dd in find(box, "dd")]

    def state():
        return row_of(tree(edited.get()), "n2")["State"]

    port, mine = edited.httpd.port, [("Cookie", "JSESSIONID=abc.n2")]
    assert drain()[2].startswith("no: it is active")
    assert client.get(port, "/lb/x", mine).status == 200
    edited.change(cmd="update", w="lb", sw="n2", vwa="d")
    assert drain()[0] == "0" and drain()[1].startswith("1 Sticky requests in each of the last 15 minutes")
    assert drain()[2] == "not yet: 1 request of a session came in the last 5 minutes" and state() == "draining 1 sticky"
    peers[1].on("/lb/slow", [SLEEP(1.5), ajp.answer()])
    with client.Wire(port) as wire:
        wire.request("GET", "/lb/slow", mine)
        assert proc.wait_until(lambda: drain()[0] == "1")
        assert drain()[2] == "not yet: 1 request is under way, and 2 requests of sessions came in the last 5 minutes"
        assert wire.answer().status == 200
    assert client.get(port, "/lb/x").status == 200 and edited.json()["balancers"][0]["members"][1]["sticky_recent"] == 2, "one without a session does not count"
    assert edited.member("n2")["safe_to_stop"] is False


def test_drained_when_nobody_came(edited):
    edited.change(cmd="update", w="lb", sw="n2", vwa="d")
    root = tree(edited.get())
    assert row_of(root, "n2")["State"] == "disabled safe to stop" and edited.member("n2")["safe_to_stop"] is True
    assert "n2 of lb is disabled" in words(find(root, "ul", class_="problems")[0])
    edited.change(cmd="update", w="lb", sw="n?", vwa="s")
    text = words(find(tree(edited.get()), "ul", class_="problems")[0])
    assert "lb has no member that can take a request" in text and "n1 of lb is stopped" in text


# ---- what is wrong, and what is not there ----

@pytest.mark.skipif(os.environ.get("JK_MPM", "event") != "event", reason="only event can let a request wait without a thread")
def test_requests_that_wait(page, peers):
    """What they wait for, and how many kept their threads, of all processes; in JSON too."""
    go = threading.Event()
    peers[0].on("/lb/slow", lambda ex: (ex.wait(go), normal(ex)))
    with client.Wire(page.httpd.port) as wire:
        wire.request("GET", "/lb/slow", [("Cookie", "JSESSIONID=a.n1")])
        assert proc.wait_until(lambda: page.json()["parked"]["waiting_backend"] == 1, 5)
        card = find(tree(page.get()), "section", **{"aria-labelledby": "waits"})
        assert card and "1 now" in words(card[0]) and "1 for the container" in words(card[0])
        go.set()
        assert wire.answer().status == 200
    parked = page.json()["parked"]
    assert (parked["waiting"], parked["waiting_backend"]) == (0, 0) and parked["total"] >= 1


def test_all_is_well(page):
    assert words(find(tree(page.get()), "h2", id="now")[0]) == "Nothing is wrong"


def test_what_differs_from_the_file(edited):
    assert find(tree(edited.get()), "h2", id="edits") == []
    edited.change(cmd="update", w="lb", sw="n1", vwf="3")
    table, = [t for t in find(tree(edited.get()), "table") if words(find(t, "caption")[0]) == "Values that differ from the file"]
    assert re.fullmatch(r"n1 lb lbfactor 1 3 \d+ s ago", " ".join(words(c) for c in list(find(table, "tr")[1])))


def test_a_stale_configuration(fresh_httpd, peers):
    httpd = fresh_httpd("JkStrict On\n" + MOUNTS, workers=text_of(peers))
    httpd.write_workers(text_of(peers) + "worker.n1.port=none\n")
    httpd.allow(r"'none' is no value for worker\.n1\.port", r"the workers' configuration is broken.*\[JK0101\]$", r"the new configuration of the workers is broken", r"Duplicate key 'worker\.n1\.port'")
    httpd.graceful()
    root = tree(Page(httpd).get())
    assert "The configuration on disk is broken; the last good one is in force" in words(find(root, "ul", class_="problems")[0])


def test_nothing_is_there(fresh_httpd):
    httpd = fresh_httpd("<Location /status>\nSetHandler jakarta-servlet\nSetEnv JK_WORKER_NAME status\n</Location>\n", workers="worker.list=status\nworker.status.type=status\n")
    answer = Page(httpd).get()
    root = tree(answer)
    check_page(root)
    assert "no worker of worker.list has type=lb" in words(root) and find(root, "table") == []


# ---- many, and long ----

def crowd(lbs, members):
    """Nobody asks them anything."""
    text, names = "", []
    for b in range(lbs):
        name = f"balancer{b}" if b else "b" * 63
        names.append(name)
        mine = [f"{name[:40]}-{i:03d}" if i else f"{b}" + "m" * 62 for i in range(members)]
        text += f"worker.{name}.type=lb\nworker.{name}.balance_workers={','.join(mine)}\n"
        text += "".join(f"worker.{m}.host=127.0.0.1\nworker.{m}.port={10000 + 100 * b + i}\nworker.{m}.route={m}\n" for i, m in enumerate(mine))
    return f"worker.list={','.join(names)},status\nworker.status.type=status\n" + text


@pytest.fixture(scope="module")
def crowded(make_httpd):
    return Page(make_httpd("JkMount /status status\n" + "".join(f"JkMount /m{i}/* balancer1\n" for i in range(60)), workers=crowd(5, 40)))


def test_200_members(crowded):
    crowded.get()
    t0 = time.monotonic()
    json_took = crowded.get(mime="json") and time.monotonic() - t0
    answer = crowded.get()
    html_took = time.monotonic() - t0 - json_took
    root = tree(answer)
    check_page(root)
    assert len([t for t in find(root, "th", scope="row") if t[0].tag == X + "a"]) >= 200
    assert len(answer.body) < 1200000, len(answer.body)
    print(f"200 members: {len(answer.body)} bytes, {html_took * 1000:.0f} ms (json: {json_took * 1000:.0f} ms)")
    assert html_took < 20 * json_took + 1, "as quick as the other formats, roughly"


# ---- a browser ----

NO_BROWSER = pytest.mark.skipif(browser.program() is None, reason="no Chromium")


@pytest.fixture(scope="module")
def chromium():
    with browser.Browser() as b:
        yield b


@NO_BROWSER
@pytest.mark.parametrize("params", [p for p in PAGES if p.get("cmd") != "version"], ids=str)
def test_fits_a_phone(httpd, chromium, params):
    page = chromium.open(f"http://localhost:{httpd.port}{Page(httpd).url(**params)}", width=390)
    assert (page.overflow(), page.wide(), page.complaints()) == (0, [], [])


@NO_BROWSER
@pytest.mark.parametrize("width", [390, 1400])
def test_long_names_and_many_members_fit(crowded, chromium, width):
    for params in ({}, {"cmd": "show", "w": "b" * 63}, {"cmd": "show", "w": "b" * 63, "sw": "0" + "m" * 62}, {"cmd": "edit", "w": "b" * 63, "att": "vwf"}):
        page = chromium.open(f"http://localhost:{crowded.httpd.port}{crowded.url(**params)}", width=width)
        assert (page.overflow(), page.wide(), page.complaints()) == (0, [], []), params


@NO_BROWSER
def test_dark_and_light(httpd, chromium):
    def colours(dark):
        page = chromium.open(f"http://localhost:{httpd.port}/status", dark=dark)
        return page.value("[getComputedStyle(document.body).backgroundColor, getComputedStyle(document.body).color]")

    light, dark = colours(False), colours(True)
    assert light[0] != dark[0] and sum(map(int, re.findall(r"\d+", light[0]))) > 600 and sum(map(int, re.findall(r"\d+", dark[0]))) < 150


@NO_BROWSER
def test_the_browser_sends_the_form(edited, chromium):
    """The policy and the origin's check let a browser's own form through."""
    page = chromium.open(f"http://localhost:{edited.httpd.port}/status?cmd=edit&w=lb&sw=n1")
    page.value("document.querySelector('#vwf').value = '9'; document.querySelector('form.fields').submit()")
    page.browser.wait("Page.loadEventFired", page.session)
    assert edited.member("n1")["lbfactor"] == 9 and "Result: OK" in page.value("document.body.innerText")


# ---- the manual ----

def test_the_manuals_configuration(fresh_httpd):
    """docs/status-worker.md: what it shows is loaded, and nothing is said of it."""
    with open(os.path.join(os.path.dirname(__file__), "../../docs/status-worker.md")) as file:
        block = re.search(r"```properties\n(.*?)```\n\n```apache\n(.*?)```", file.read(), re.S)
    workers, config = block[1], re.sub("^LoadModule .*\n", "", block[2], flags=re.M)
    httpd = fresh_httpd("JkStrict On\n" + config, workers=workers, modules=("authn_file", "auth_basic", "authz_user"), start=False)
    httpd.write_users(alice="secret", carol="secret")
    httpd.start()
    assert "(read only)" in Page(httpd, "/jk-status").get().text
    assert client.get(httpd.port, "/jk-admin").status == 401
    alice = Page(httpd, "/jk-admin", [("Authorization", "Basic " + base64.b64encode(b"alice:secret").decode())])
    assert "(read only)" not in alice.get().text and alice.change(cmd="update", w="shop", sw="node1", vwa="disabled")
    assert "disabled" in row_of(tree(alice.get()), "node1")["State"] and "by alice" in alice.get().text
    httpd.expect(r"service denied for user 'carol'.*\[JK0802\]$")
    carol = Page(httpd, "/jk-admin", [("Authorization", "Basic " + base64.b64encode(b"carol:secret").decode())])
    assert carol.get().status == 403
    check_page(tree(carol.get()))
