"""SetHandler jk-metrics: both formats, to the letter of promtool and of a real Prometheus; numbers that are the containers' own; counters that never
go back; the dashboard and the manual that belong to it."""
import contextlib
import json
import os
import random
import re
import subprocess
import time

import pytest
from lib import ajp, client, proc
from lib.ajp_peer import RefusedPort
from lib.counting_peer import CountingPeer
from lib.httpd import INCUMBENT, TOP
from lib.metrics import LOCATIONS, OPEN, Prometheus, Samples, program, scrape
from lib.tools import path_of
from lib.workers import ajp13, lb

pytestmark = pytest.mark.skipif(INCUMBENT, reason="it has none")

needs_promtool = pytest.mark.skipif(not program("promtool"), reason="promtool is not there (JK_PROMETHEUS names a directory)")
needs_prometheus = pytest.mark.skipif(not program("prometheus"), reason="prometheus is not there (JK_PROMETHEUS names a directory)")
CHILDREN = "StartServers 3\nServerLimit 3\nThreadsPerChild 8\nMaxRequestWorkers 24\nMinSpareThreads 1\nMaxSpareThreads 24\n"
EXACT = pytest.mark.skipif(os.environ.get("JK_MPM") == "prefork", reason="the settings are for threads")


@pytest.fixture(scope="module")
def members():
    made = {name: CountingPeer(name) for name in ("m1", "m2")}
    yield made
    for peer in made.values():
        peer.stop()


@pytest.fixture(scope="module")
def httpd(make_httpd, members, make_peer):
    """A balancer, a container of its own, one that is down; some requests to each have been there."""
    down, peer = RefusedPort(), make_peer()
    workers = lb("b", {n: p.port for n, p in members.items()}) + ajp13(own=peer.port, down={"port": down.port, "retries": 1})
    workers = workers.replace("worker.list=own,down", "worker.list=b,own,down").replace("worker.list=b\n", "")
    httpd = make_httpd(LOCATIONS + "JkMount /b/* b\nJkMount /own/* own\nJkMount /down/* down\n", workers=workers)
    httpd.peer = peer
    yield httpd
    down.stop()


@pytest.fixture
def busy(httpd):
    """Some of everything has happened."""
    httpd.allow("connecting to backend failed", "connecting to tomcat failed")
    httpd.peer.on("/own/odd", [ajp.send_headers(500), ajp.chunk(b"oh"), ajp.end()])
    for i in range(6):
        assert client.get(httpd.port, f"/b/{i}").status == 200
    assert client.get(httpd.port, "/own/x").status == 200
    assert client.get(httpd.port, "/own/odd").status == 500
    assert client.get(httpd.port, "/down/x").status == 503
    return httpd


# ---- the formats ----

def test_both_formats_say_the_same(busy):
    text, opened = scrape(busy), scrape(busy, OPEN)
    assert set(text.values) == set(opened.values)
    assert len(text.values) > 400
    assert text.get("jk_build_info") == 1


@pytest.mark.parametrize("accept,type", [
    (None, "text/plain; version=0.0.4; charset=utf-8"),
    ("*/*", "text/plain; version=0.0.4; charset=utf-8"),
    ("text/html,application/xhtml+xml,*/*;q=0.8", "text/plain; version=0.0.4; charset=utf-8"),
    ("application/openmetrics-text", "application/openmetrics-text; version=1.0.0; charset=utf-8"),
    ("application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
     "application/openmetrics-text; version=1.0.0; charset=utf-8"),
    ("application/openmetrics-text; version=1.0.0; q=0.2, text/plain; q=0.9", "text/plain; version=0.0.4; charset=utf-8"),
    ("application/openmetrics-text;q=0", "text/plain; version=0.0.4; charset=utf-8"),
    ("application/openmetrics-text;version=0.0.1", "text/plain; version=0.0.4; charset=utf-8"),
])
def test_who_asks_for_what_gets_it(httpd, accept, type):
    answer = client.get(httpd.port, "/jk-metrics", [("Accept", accept)] if accept else [])
    assert answer.header("Content-Type") == type and answer.header("Vary") == "Accept"
    assert answer.body.endswith(b"# EOF\n") == ("openmetrics" in type)
    assert (b"# UNIT " in answer.body) == ("openmetrics" in type)


def test_methods(httpd):
    head = client.ask(httpd.port, "HEAD", "/jk-metrics", [("Connection", "close")])
    assert head.status == 200 and head.body == b"" and int(head.header("Content-Length")) > 1000
    post = client.ask(httpd.port, "POST", "/jk-metrics", [("Content-Length", "0"), ("Connection", "close")])
    assert post.status == 405 and "GET" in post.header("Allow")


def test_without_workers(fresh_httpd):
    httpd = fresh_httpd(LOCATIONS, defaults=False)
    seen = scrape(httpd)
    assert seen.get("jk_build_info") == 1 and seen.get("jk_config_stale") == 0
    assert not [k for k in seen.values if k[0].startswith(("jk_worker", "jk_balancer"))]


def test_names_are_escaped(fresh_httpd, members):
    httpd = fresh_httpd(LOCATIONS, workers=ajp13(**{'quo"te': members["m1"].port, "b\u00e4ck\\\\slash": members["m1"].port}), startup=[".*"])
    names = {dict(k[1])["worker"] for k in scrape(httpd).values if k[0] == "jk_worker_requests_total"}
    assert names == {'quo\\"te', "b\u00e4ck\\\\\\\\slash"}, "as they stand in the text"


@needs_promtool
def test_promtool_has_nothing_to_say(busy):
    text = client.get(busy.port, "/jk-text").body
    done = subprocess.run([program("promtool"), "check", "metrics"], input=text, capture_output=True, timeout=30)
    assert (done.returncode, done.stdout + done.stderr) == (0, b"")
    broken = text.replace(b"# HELP jk_config_stale", b"# HALP jk_config_stale")
    assert subprocess.run([program("promtool"), "check", "metrics"], input=broken, capture_output=True, timeout=30).returncode != 0


def test_by_a_status_worker(fresh_httpd, members):
    """The same, under its own rules: who may not look sees nothing."""
    workers = ajp13(w=members["m1"].port).replace("worker.list=w", "worker.list=w,open,closed") + \
        "worker.open.type=status\nworker.closed.type=status\nworker.closed.user=nobody\n"
    httpd = fresh_httpd(LOCATIONS + "JkMount /w/* w\nJkMount /open open\nJkMount /closed closed\n", workers=workers)
    httpd.allow("service denied for user|Access denied|denied|Status worker", "Invalid|NULL or EMPTY")
    assert client.get(httpd.port, "/w/x").status == 200
    answer = client.get(httpd.port, "/open?mime=openmetrics")
    assert (answer.status, answer.header("Content-Type")) == (200, "application/openmetrics-text; version=1.0.0; charset=utf-8")
    assert Samples(answer.body.decode()).values == scrape(httpd, OPEN).values
    answer = client.get(httpd.port, "/closed?mime=openmetrics")
    assert (answer.status, answer.body) == (403, b"# EOF\n")
    answer = client.get(httpd.port, "/open?mime=openmetrics&cmd=show")
    assert answer.status >= 400 and answer.body == b"# EOF\n"


def test_a_broken_configuration_shows(fresh_httpd, members):
    httpd = fresh_httpd(LOCATIONS + "JkStrict On\nJkMount /w/* w\n", workers=ajp13(w=members["m1"].port))
    assert (scrape(httpd).get("jk_config_stale"), scrape(httpd).get("jk_config_generation")) == (0, 0)
    good = httpd.workers
    httpd.write_workers(good + "worker.w.prot=1\n")
    httpd.allow("prot", "the last good one stays in force")
    httpd.graceful()
    assert (scrape(httpd).get("jk_config_stale"), scrape(httpd).get("jk_config_generation")) == (1, 1)
    httpd.write_workers(good)
    httpd.graceful()
    assert (scrape(httpd).get("jk_config_stale"), scrape(httpd).get("jk_config_generation")) == (0, 2)


# ---- the numbers ----

def test_numbers_are_the_containers_own(fresh_httpd, members):
    before = {name: peer.counts() for name, peer in members.items()}
    httpd = fresh_httpd(CHILDREN + LOCATIONS + "JkMount /* b\nJkUnMount /jk-* b\n", workers=lb("b", {n: p.port for n, p in members.items()}))
    for i in range(200):
        assert client.get(httpd.port, f"/{i}", [("Cookie", "JSESSIONID=a.m1")] if i % 4 == 0 else []).status == 200
    seen = scrape(httpd)
    for name, peer in members.items():
        there = {k: v - before[name][k] for k, v in peer.counts().items()}
        of = {"worker": name, "balancer": "b"}
        assert seen.get("jk_worker_requests_total", **of) == there["requests"] > 50
        assert seen.get("jk_worker_answers_total", code="2xx", **of) == there["requests"] == seen.get("jk_worker_answers_total", **of)
        assert seen.get("jk_worker_sent_bytes_total", **of) == there["received"]
        assert seen.get("jk_worker_received_bytes_total", **of) == there["sent"]
        assert seen.get("jk_worker_sessions_total", **of) == there["sessions"]
        assert seen.get("jk_worker_duration_seconds_count", **of) == seen.get("jk_worker_first_byte_seconds_count", **of) == there["requests"]
        assert seen.get("jk_worker_connect_seconds_count", **of) == seen.get("jk_worker_connections_created_total", **of)
        assert 0 < seen.get("jk_worker_first_byte_seconds_sum", **of) <= seen.get("jk_worker_duration_seconds_sum", **of)
        assert seen.get("jk_worker_connections_open", **of) == seen.get("jk_worker_connections_idle", **of) > 0
        assert seen.get("jk_worker_connections_open", **of) == \
            seen.get("jk_worker_connections_created_total", **of) - seen.get("jk_worker_connections_closed_total", **of)
        assert seen.get("jk_worker_failures_total", **of) == seen.get("jk_worker_requests_in_progress", **of) == 0
        assert seen.get("jk_worker_state", jk_worker_state="ok", **of) == 1 == seen.get("jk_worker_state", **of)
        assert seen.get("jk_worker_activation", jk_worker_activation="active", **of) == 1 == seen.get("jk_worker_activation", **of)
    assert seen.get("jk_balancer_requests_total", balancer="b") == seen.get("jk_balancer_duration_seconds_count", balancer="b") == 200
    assert seen.get("jk_balancer_failures_total") == 0


def test_failures_by_kind(fresh_httpd, make_peer):
    peer, refused = make_peer(), RefusedPort()
    peer.on("/w/drop", lambda ex: ex.conn.close())
    peer.on("/w/slow", lambda ex: time.sleep(0.6))
    peer.on("/w/late", [lambda ex: time.sleep(0.12), ajp.answer("x")])
    httpd = fresh_httpd(LOCATIONS + "JkMount /w/* w\nJkMount /down/* down\n", workers=ajp13(
        w={"port": peer.port, "retries": 2, "retry_interval": 1, "reply_timeout": 300}, down={"port": refused.port, "retries": 3, "retry_interval": 1}))
    httpd.allow("connecting to backend failed", "connecting to tomcat failed", "Tomcat is down", "Timeout with waiting reply")
    client.get(httpd.port, "/down/x")
    client.get(httpd.port, "/w/drop")
    client.ask(httpd.port, "POST", "/w/slow", [("Content-Length", "0"), ("Connection", "close")])
    assert client.get(httpd.port, "/w/late").status == 200
    seen = scrape(httpd)
    assert seen.get("jk_worker_failures_total", worker="down", kind="connect") == 3 == seen.get("jk_worker_failures_total", worker="down")
    assert seen.get("jk_worker_retries_total", worker="down") == 2
    assert seen.get("jk_worker_connections_open", worker="down") == 0
    assert seen.get("jk_worker_failures_total", worker="w", kind="receive") == 2
    assert seen.get("jk_worker_resends_total", worker="w") == 1
    assert seen.get("jk_worker_failures_total", worker="w", kind="reply_timeout") == 1
    assert seen.get("jk_worker_connections_closed_total", worker="w", reason="failed") == 3
    assert seen.get("jk_worker_last_error_timestamp_seconds", worker="down") > 1e9
    fast = seen.get("jk_worker_first_byte_seconds_bucket", worker="w", le="0.1")
    assert seen.get("jk_worker_first_byte_seconds_bucket", worker="w", le="0.5") == fast + 1 == seen.get("jk_worker_first_byte_seconds_count", worker="w")
    refused.stop()


def test_what_is_under_way(fresh_httpd, members):
    httpd = fresh_httpd(LOCATIONS + "JkMount /* w\nJkUnMount /jk-* w\n", workers=ajp13(
        w={"port": members["m1"].port, "connection_pool_size": 2, "connection_acquire_timeout": 20000}))
    wires = [client.Wire(httpd.port) for _ in range(5)]
    try:
        for i, wire in enumerate(wires):
            wire.request("GET", f"/hold{i}")
        assert proc.wait_until(lambda: members["m1"].counts()["held"] == 2)
        assert proc.wait_until(lambda: scrape(httpd).get("jk_worker_requests_queued", worker="w") == 3)
        seen = scrape(httpd)
        assert seen.get("jk_worker_requests_in_progress", worker="w") == 5
        assert (seen.get("jk_worker_connections_open", worker="w"), seen.get("jk_worker_connections_idle", worker="w")) == (2, 0)
        for _ in range(3):
            members["m1"].release()
            time.sleep(0.1)
        for wire in wires:
            proc.wait_until(lambda: members["m1"].release() or True)
            assert wire.answer().status == 200
    finally:
        for wire in wires:
            wire.close()
    seen = scrape(httpd)
    assert [seen.get(f"jk_worker_requests_{n}", worker="w") for n in ("queued", "in_progress", "in_progress_max")] == [0, 0, 5]
    assert seen.get("jk_worker_connections_idle", worker="w") == 2


# ---- mounts ----

def of_mounts(httpd, name="jk_mount_requests_total", **labels):
    """(vhost, mount, worker) -> value, of those that have the labels."""
    found = {}
    for (metric, have), value in scrape(httpd).values.items():
        have = dict(have)
        if metric == name and all(have.get(k) == v for k, v in labels.items()):
            found[(have["vhost"], have["mount"], have["worker"])] = value
    return found


def two_hosts(members, down):
    """Mounts of each kind, in two virtual hosts; the second one takes over what the main server has."""
    text = LOCATIONS + "JkMount /m|/* w\nJkMount /fail/* down\nJkMount /gone/* nobody\nJkUnMount /m/not w\nJkMount /st st\n"
    vhosts = {"one.example": "JkMount /a/* w\nJkMount /a/* b\nJkMount /a/b/* b", "two.example": "JkMountCopy On\nJkMount /a/* w",
              "three.example": "JkMountCopy On"}
    workers = lb("b", {n: p.port for n, p in members.items()}) + ajp13(w=members["m1"].port, down={"port": down.port, "retries": 1}) + \
        "worker.st.type=status\n"
    return text, vhosts, workers.replace("worker.list=b\n", "").replace("worker.list=w,down", "worker.list=b,w,down,st")


def test_each_mount_counts_its_requests(fresh_httpd, members):
    down = RefusedPort()
    text, vhosts, workers = two_hosts(members, down)
    httpd = fresh_httpd(text, workers=workers, vhosts=vhosts, startup=["there is no worker 'nobody'"])
    httpd.allow("connecting to", "Could not find a worker", "Tomcat is down")
    one, two, three = ([("Host", f"{n}.example")] for n in ("one", "two", "three"))
    for path, host, status, times in (("/a/x", one, 200, 3), ("/a/b/x", one, 200, 2), ("/a/x", two, 200, 4), ("/m", two, 200, 1), ("/m/x", two, 200, 1),
                                      ("/m/x", three, 200, 1), ("/fail/x", two, 503, 2), ("/gone/x", three, 500, 1), ("/m/not", three, 404, 1),
                                      ("/st", two, 200, 1)):
        for _ in range(times):
            assert client.get(httpd.vport, path, host).status == status, path
    seen = of_mounts(httpd)
    main = "localhost"
    hosts = {n: f"{n}.example [127.0.0.1:{httpd.vport}]" for n in ("one", "two")}
    assert seen == {(main, "/m|/*", "w"): 3, (main, "/fail/*", "down"): 2, (main, "/gone/*", "nobody"): 1, (hosts["one"], "/a/*", "b"): 3,
                    (hosts["one"], "/a/b/*", "b"): 2, (hosts["two"], "/a/*", "w"): 4}, "what is taken over is counted where it is written"
    assert of_mounts(httpd, "jk_mount_errors_total", mount="/fail/*") == {(main, "/fail/*", "down"): 2}
    assert of_mounts(httpd, "jk_mount_failures_total", mount="/fail/*", kind="connect") == {(main, "/fail/*", "down"): 2}
    assert of_mounts(httpd, "jk_mount_failures_total", mount="/gone/*", kind="configuration") == {(main, "/gone/*", "nobody"): 1}
    assert of_mounts(httpd, "jk_mount_answers_total", mount="/m|/*", code="2xx") == {(main, "/m|/*", "w"): 3}
    now = scrape(httpd)
    assert now.get("jk_mount_sent_bytes_total", worker="w") == now.get("jk_worker_sent_bytes_total", worker="w")
    assert now.get("jk_mount_received_bytes_total", worker="w") == now.get("jk_worker_received_bytes_total", worker="w")
    assert now.get("jk_mount_duration_seconds_count", mount="/m|/*") == 3 and now.get("jk_mount_duration_seconds_sum", mount="/m|/*") > 0
    down.stop()


def test_a_mount_in_json_and_on_the_page(fresh_httpd, members):
    workers = ajp13(w=members["m1"].port).replace("worker.list=w", "worker.list=w,st") + "worker.st.type=status\n"
    httpd = fresh_httpd(LOCATIONS + "JkMount /m|/* w\nJkMount /st st\nJkUnMount /m/not w\n", workers=workers)
    for path in ("/m", "/m/x", "/m/y"):
        assert client.get(httpd.port, path).status == 200
    maps = {m["uri"]: m for m in json.loads(client.get(httpd.port, "/st?mime=json").body)["ajp_workers"][0]["maps"]}
    assert {u: (m.get("requests"), m.get("errors"), m.get("busy"), m["mount"]) for u, m in maps.items()} == {
        "/m": (3, 0, 0, "/m|/*"), "/m/*": (3, 0, 0, "/m|/*"), "/m/not": (None, None, None, "/m/not")}
    assert maps["/m"]["counted"] == maps["/m/*"]["counted"] > 0 and maps["/m"]["transferred"] > 0 < maps["/m"]["read"]
    page = client.get(httpd.port, "/st").text
    rows = re.findall(r"<tr><th scope='row'><code class='name'>(/m[^<]*)</code>.*?data-label='Requests' class='n(?: none)?'>(.*?)</td>", page)
    assert [(u, re.sub("<.*?>", "", n)) for u, n in rows] == [("/m/not", "-"), ("/m/*", "3"), ("/m", "&#8593; /m|/*")]


def test_what_is_under_way_at_a_mount(fresh_httpd, members):
    httpd = fresh_httpd(LOCATIONS + "JkMount /h/* w\n", workers=ajp13(w=members["m2"].port))
    wire = client.Wire(httpd.port)
    try:
        wire.request("GET", "/h/hold")
        assert proc.wait_until(lambda: sum(of_mounts(httpd, "jk_mount_requests_in_progress").values()) == 1)
        assert sum(of_mounts(httpd).values()) == 0
        assert proc.wait_until(lambda: members["m2"].release() or True)
        assert wire.answer().status == 200
    finally:
        wire.close()
    assert (sum(of_mounts(httpd).values()), sum(of_mounts(httpd, "jk_mount_requests_in_progress").values())) == (1, 0)


def test_a_client_that_leaves_is_no_error_of_the_mount(fresh_httpd, members):
    httpd = fresh_httpd(LOCATIONS + "JkMount /h/* w\n", workers=ajp13(w=members["m2"].port))
    wire = client.Wire(httpd.port)
    wire.request("GET", "/h/hold")
    assert proc.wait_until(lambda: members["m2"].counts()["held"] > 0)
    wire.close()
    members["m2"].release()
    assert proc.wait_until(lambda: sum(of_mounts(httpd).values()) == 1)
    assert sum(of_mounts(httpd, "jk_mount_errors_total").values()) == 0


@EXACT
def test_mounts_of_a_rule_file_go_on_where_they_were(fresh_httpd, members):
    """In every child, whatever is written meanwhile, whoever is killed, whatever restarts."""
    httpd = fresh_httpd(CHILDREN + LOCATIONS + "JkMountFile conf/uriworkermap.properties\nJkMountFileReload 1\n",
                        workers=ajp13(w=members["m1"].port), files={"conf/uriworkermap.properties": "/x/*=w\n/y/*=w\n"})
    path = os.path.join(httpd.root, "conf", "uriworkermap.properties")

    def ask(uri, times):
        for _ in range(times):
            with contextlib.suppress(OSError, ValueError, IndexError):
                assert client.get(httpd.port, uri).status == 200

    def numbers():
        return {m: v for (_, m, _), v in of_mounts(httpd).items()}

    def write(text):
        with open(path, "w") as f:
            f.write(text)

    ask("/x/1", 5)
    ask("/y/1", 3)
    assert numbers() == {"/x/*": 5, "/y/*": 3}
    write("/y/*=w\n/z/*=w\n")
    assert proc.wait_until(lambda: client.get(httpd.port, "/z/1").status == 200 and all(
        client.get(httpd.port, "/z/1").status == 200 for _ in range(6)), 10)
    z = numbers()["/z/*"]
    assert numbers() == {"/y/*": 3, "/z/*": z} and z >= 7
    os.kill(sorted(proc.children_of(httpd.pid))[0], 9)
    write("/x/*=w\n/z/*=w\n")
    assert proc.wait_until(lambda: all(client.get(httpd.port, "/x/1").status == 200 for _ in range(6)), 10)
    x = numbers()["/x/*"]
    assert x >= 11
    httpd.graceful()
    assert numbers() == {"/x/*": x, "/z/*": z}
    ask("/z/1", 1)
    assert numbers() == {"/x/*": x, "/z/*": z + 1}


def test_more_mounts_than_places(fresh_httpd, members):
    lines = "".join(f"JkMount /p{i}/* w\n" for i in range(515))
    httpd = fresh_httpd(LOCATIONS + lines, workers=ajp13(w=members["m1"].port))
    for i in range(515):
        assert client.get(httpd.port, f"/p{i}/x").status == 200
    seen = of_mounts(httpd)
    assert len(seen) == 513 and seen[("", "other", "")] == 3
    assert sum(seen.values()) == 515 and set(seen.values()) == {1, 3}
    assert "there are 515 mounts: 512 of them have numbers of their own" in httpd.error_log.text()


# ---- never back ----

def grown(before, after):
    for key, value in before.items():
        assert after.get(key, -1) >= value, f"{key} went back from {value} to {after.get(key)}"


@EXACT
def test_counters_never_go_back(fresh_httpd, members):
    """Children are killed, the server restarts, a child ends in good order: all the while it is scraped."""
    httpd = fresh_httpd(CHILDREN + "MaxConnectionsPerChild 40\n" + LOCATIONS + "JkMount /* b\nJkUnMount /jk-* b\n",
                        workers=lb("b", {n: p.port for n, p in members.items()}))
    last, asked = scrape(httpd).counters(), 0
    for turn in range(12):
        for _ in range(20):
            with contextlib.suppress(OSError, ValueError, AssertionError, IndexError):  # its child was killed
                asked += client.get(httpd.port, "/x").status == 200
        if turn % 4 == 1:
            os.kill(random.choice(sorted(proc.children_of(httpd.pid))), 9)
        if turn % 4 == 3:
            httpd.graceful()
        for _ in range(3):
            try:
                now = scrape(httpd).counters()
            except (OSError, ValueError, IndexError):
                continue
            grown(last, now)
            last = now
    assert scrape(httpd).get("jk_balancer_requests_total") >= asked > 150
    assert scrape(httpd).get("jk_config_generation") == 3
    seen = scrape(httpd)
    assert proc.wait_until(lambda: [scrape(httpd).get("jk_worker_requests_in_progress"), scrape(httpd).get("jk_worker_requests_queued")] == [0, 0])
    assert seen.get("jk_worker_connections_closed_total", reason="process_ended") > 0


# ---- Prometheus ----

@pytest.fixture(scope="module")
def prometheus(httpd):
    made = Prometheus({"open": (httpd.port, "/jk-metrics"), "text": (httpd.port, "/jk-text")})
    yield made
    made.stop()


@needs_prometheus
def test_prometheus_takes_both(busy, prometheus):
    assert proc.wait_until(lambda: prometheus.value("sum(up)") == 2, 30, pause=0.1), prometheus.ask("targets")
    for job in ("open", "text"):
        assert proc.wait_until(lambda: prometheus.value(f'jk_worker_requests_total{{job="{job}",worker="own"}}'), 10)
        assert prometheus.value(f'scrape_samples_scraped{{job="{job}"}}') == len(scrape(busy).values)
        assert prometheus.targets()[job]["lastError"] == ""
    meta = {name: rows[0] for name, rows in prometheus.ask("metadata").items()}
    assert meta["jk_worker_duration_seconds"]["type"] == "histogram"


def expressions(node):
    """Every query of the dashboard."""
    if isinstance(node, dict):
        for key, value in node.items():
            if key in ("expr", "query") and isinstance(value, str):
                yield value
            else:
                yield from expressions(value)
    elif isinstance(node, list):
        for one in node:
            yield from expressions(one)


def dashboard():
    with open(os.path.join(TOP, "conf", "grafana-dashboard.json")) as f:
        return json.load(f)


def plain(expr):
    """Without Grafana's own words."""
    for word, value in (("$__rate_interval", "10s"), ("$job", ".*"), ("$balancer", ".*"), ("$worker", ".*")):
        expr = expr.replace(word, value)
    assert "$" not in expr, expr
    return expr


@needs_prometheus
def test_every_query_of_the_dashboard_has_data(busy, prometheus):
    assert proc.wait_until(lambda: prometheus.value("sum(up)") == 2, 30, pause=0.1)
    wanted = [e for e in expressions(dashboard()) if not e.startswith("label_values(") and e != "prometheus"]
    assert len(wanted) > 15
    for expr in wanted:
        assert proc.wait_until(lambda: prometheus.query(plain(expr)), 15, pause=0.2), f"no data: {expr}"


def test_the_dashboard_names_only_metrics_that_there_are(busy):
    there = {key[0] for key in scrape(busy).values}
    for expr in expressions(dashboard()):
        for name in re.findall(r"\bjk_[a-z_]+\b", re.sub(r"\{[^}]*\}|by ?\([^)]*\)", "", expr)):
            assert name in there, f"{name} in {expr}"


# ---- size and documents ----

def took(httpd, times=15):
    all_ = []
    for _ in range(times):
        begin = time.perf_counter()
        body = client.get(httpd.port, "/jk-metrics").body
        all_.append(time.perf_counter() - begin)
    return sorted(all_)[times // 2], len(body)


def test_a_hundred_members(fresh_httpd):
    """As many samples, ten times the time or a bit more: nothing is walked twice."""
    servers = [fresh_httpd(LOCATIONS + "JkMount /b/* b\n", workers=lb("b", {f"m{i}": {"port": 20000 + i} for i in range(n)}))
               for n in (10, 100)]
    few, many = took(servers[0]), took(servers[1])
    print(f"10 members: {few[0] * 1000:.2f} ms, {few[1]} bytes; 100 members: {many[0] * 1000:.2f} ms, {many[1]} bytes")
    assert many[0] < 40 * few[0]


def test_the_manual_is_of_today():
    made = subprocess.run([path_of("list-metrics")], capture_output=True, text=True, check=True).stdout
    with open(os.path.join(TOP, "docs", "metrics.md")) as f:
        assert f.read() == made, "docs/metrics.md is stale: run tools/list-metrics > docs/metrics.md"


# ---- the pools of all processes, on the status page ----

@EXACT
def test_pools_of_all_processes(fresh_httpd, members):
    """Which process answers does not matter; each has its line."""
    workers = ajp13(w={"port": members["m2"].port, "connection_pool_size": 2, "connection_acquire_timeout": 20000}).replace("worker.list=w", "worker.list=w,st")
    settings = CHILDREN.replace("ThreadsPerChild 8", "ThreadsPerChild 4").replace("Workers 24", "Workers 12").replace("Threads 24", "Threads 12")
    httpd = fresh_httpd(settings + LOCATIONS + "JkMount /w/* w\nJkMount /st st\nJkPark Off\n", workers=workers + "worker.st.type=status\n")
    wires = [client.Wire(httpd.port) for _ in range(8)]

    def seen():
        return json.loads(client.get(httpd.port, "/st?mime=json").body)["ajp_workers"][0]

    try:
        for i, wire in enumerate(wires):
            wire.request("GET", f"/w/hold{i}")
            time.sleep(0.05)
        assert proc.wait_until(lambda: seen()["busy"] == 8)
        now = seen()
        held = members["m2"].counts()["held"]
        assert now["connected"] == sum(p["connected"] for p in now["processes"]) == held and now["idle"] == 0
        assert now["waiting"] == sum(p["waiting"] for p in now["processes"]) == 8 - held
        assert sum(p["busy"] for p in now["processes"]) == 8 and len(now["processes"]) >= 2, "a process alone has not so many threads"
        assert {p["pid"] for p in now["processes"]} <= set(proc.children_of(httpd.pid))
        assert (now["opened"], now["closed_failed"]) == (held, 0)
        page = client.get(httpd.port, "/st").text
        assert f"{8 - held} requests wait for a connection to w" in page
        assert all(f"{p['pid']}: {p['connected']}" in page for p in now["processes"])
        wires[0].close()
        for _ in range(20):
            members["m2"].release()
            time.sleep(0.05)
    finally:
        for wire in wires:
            wire.close()
    assert proc.wait_until(lambda: seen()["busy"] == 0)
    now, metrics = seen(), scrape(httpd)
    closed = {k[7:]: v for k, v in now.items() if k.startswith("closed_")}
    assert {k: metrics.get("jk_worker_connections_closed_total", worker="w", reason=k) for k in closed} == closed
    assert now["opened"] - sum(closed.values()) == now["connected"] == now["idle"]
