"""The lb worker: balance, stick, fail over, recover."""
import collections
import os
import threading
import time

import pytest
from lib import ajp, client, proc
from lib.ajp_peer import CLOSE, STALL, RefusedPort
from lib.httpd import INCUMBENT
from lib.workers import lb

QUICK = {"retry_interval": 1, "connection_acquire_timeout": 200}
NOTES = 'LogFormat "%U %{JK_LB_FIRST_NAME}n %{JK_LB_LAST_NAME}n %{JK_LB_LAST_STATE}n %{JK_LB_LAST_ACTIVATION}n %{JK_WORKER_ROUTE}n" lb\n' \
        "CustomLog logs/lb lb\n"


@pytest.fixture(scope="module")
def peers(make_peer):
    return [make_peer(name=f"m{i}") for i in (1, 2, 3)]


@pytest.fixture
def balanced(fresh_httpd, peers):
    """balanced(keys of the lb, m1={...}, ..) -> httpd with three members; those of `gone` are refused."""
    refused = []

    def make(keys=None, config="", gone=(), **own):
        members = {}
        for i, peer in enumerate(peers, 1):
            name = f"m{i}"
            port = peer.port
            if name in gone:
                refused.append(RefusedPort())
                port = refused[-1].port
            members[name] = {"port": port, **QUICK, **own.get(name, {})}
        return fresh_httpd(f"JkMount /* b\n{config}", workers=lb("b", members, keys))
    yield make
    for one in refused:
        one.stop()


def who(answer):
    """The member that answered, by its peer's name."""
    return answer.text.split('"peer": "')[1].split('"')[0] if '"peer"' in answer.text else None


def ask_all(httpd, n, path="/x", **more):
    with client.Wire(httpd.port) as wire:
        return [who(wire.get(f"{path}{i}", **more)) for i in range(n)]


# ---- balance ----

@pytest.mark.parametrize("method", ["Request", "Sessions", "Next"])
@pytest.mark.parametrize("factors, shares", [((1, 1, 1), (20, 20, 20)), ((1, 2, 3), (10, 20, 30)), ((4, 1, 1), (40, 10, 10))])
def test_shares(balanced, method, factors, shares):
    """By lbfactor, exactly."""
    httpd = balanced({"method": method}, **{f"m{i}": {"lbfactor": f} for i, f in enumerate(factors, 1)})
    got = collections.Counter(ask_all(httpd, 60))
    assert (got["m1"], got["m2"], got["m3"]) == shares


def test_traffic(balanced, peers):
    """Who has moved the fewest bytes is next: one that answers at length gets less."""
    peers[0].default = lambda ex: ex.send(ajp.answer("x" * 20000))
    for p in peers[1:]:
        p.default = lambda ex: ex.send(ajp.answer("x" * 1000))
    httpd = balanced({"method": "Traffic"})
    with client.Wire(httpd.port) as wire:
        for i in range(60):
            assert wire.get(f"/x{i}").status == 200
    assert len(peers[0].requests) < 10 and len(peers[1].requests) > 20 and len(peers[2].requests) > 20


def test_busyness(balanced, peers):
    """Requests that hang at one member keep others away from it."""
    httpd = balanced({"method": "Busyness"})
    go = threading.Event()
    for p in peers:
        p.on("/slow", lambda ex: (ex.wait(go), ex.send(ajp.answer())))
    threads = [threading.Thread(target=client.get, args=(httpd.port, "/slow")) for _ in range(6)]
    for t in threads:
        t.start()
        time.sleep(0.02)
    assert proc.wait_until(lambda: sum(len(p.requests) for p in peers) == 6)
    assert [len(p.requests) for p in peers] == [2, 2, 2]
    go.set()
    for t in threads:
        t.join(10)


@pytest.mark.parametrize("own, only", [({"m1": {"distance": 1}, "m3": {"distance": 2}}, {"m2"}),
                                       ({"m1": {"activation": "D"}, "m2": {"activation": "stopped"}}, {"m3"}),
                                       ({"m2": {"disabled": "1"}, "m3": {"stopped": "true"}}, {"m1"})])
def test_distance_and_activation(balanced, own, only):
    assert set(ask_all(balanced(**own), 12)) == only


# ---- stickiness ----

SESSIONS = [
    ([("Cookie", "JSESSIONID=abc.m2")], "/x", "m2", "a cookie"),
    ([("Cookie", "a=b; JSESSIONID=abc.m3; c=d")], "/x", "m3", "among others"),
    ([("Cookie", 'JSESSIONID="abc.m2"')], "/x", "m2", "quoted"),
    ([("Cookie", "JSESSIONID=old.gone; JSESSIONID=abc.m2")], "/x", "m2", "the second of two"),
    ([], "/x;jsessionid=abc.m3", "m3", "in the path"),
    ([], "/a;jsessionid=abc.m2/b", "m2", "in any segment"),
    ([("Cookie", "JSESSIONID=abc.m2")], "/x;jsessionid=abc.m3", "m3", "the path comes first"),
]


@pytest.mark.parametrize("headers, path, member, why", SESSIONS)
def test_sessions_stick(balanced, headers, path, member, why):
    httpd = balanced()
    with client.Wire(httpd.port) as wire:
        assert [who(wire.get(path, headers)) for _ in range(4)] == [member] * 4, why


@pytest.mark.parametrize("keys, headers", [({"sticky_session": "false"}, [("Cookie", "JSESSIONID=abc.m2")]),
                                           ({}, [("Cookie", "XJSESSIONID=abc.m2")]), ({}, [("Cookie", "JSESSIONID=abc")]),
                                           ({"session_cookie": "SID"}, [("Cookie", "JSESSIONID=abc.m2")])])
def test_no_session_is_spread(balanced, keys, headers):
    httpd = balanced(keys)
    assert set(ask_all(httpd, 9, headers=headers)) == {"m1", "m2", "m3"}


def test_other_names(balanced):
    httpd = balanced({"session_cookie": "SID", "session_path": ";sid"}, m2={"route": "r.two"})
    assert set(ask_all(httpd, 3, headers=[("Cookie", "SID=abc.r.two")])) == {"m2"}
    with client.Wire(httpd.port) as wire:
        assert who(wire.get("/x;sid=abc.m3")) == "m3"


@pytest.mark.parametrize("env, headers, member", [("SetEnvIf X-Go (.*) JK_ROUTE=$1", [("X-Go", "m3"), ("Cookie", "JSESSIONID=a.m1")], {"m3"}),
                                                  ("SetEnvIf X-Go . JK_STICKY_IGNORE", [("X-Go", "1"), ("Cookie", "JSESSIONID=a.m1")],
                                                   {"m1", "m2", "m3"}),
                                                  ("SetEnvIf X-Go . JK_STICKY_IGNORE=0", [("X-Go", "1"), ("Cookie", "JSESSIONID=a.m1")], {"m1"})])
def test_variables(balanced, env, headers, member):
    assert set(ask_all(balanced(config=env), 6, headers=headers)) == member


def test_what_the_container_sees(balanced, peers):
    """The route it is known by, and how it is activated."""
    httpd = balanced(m2={"activation": "D"})
    assert ask_all(httpd, 1, headers=[("Cookie", "JSESSIONID=abc.m2")]) == ["m2"]
    r = peers[1].last()
    assert r.attribute("route") == "m2" and r.attribute("JK_LB_ACTIVATION") == "DIS"
    assert set(ask_all(httpd, 4)) == {"m1", "m3"}
    assert peers[0].last().attribute("JK_LB_ACTIVATION") == "ACT" and peers[0].last().attribute("route") == "m1"


@pytest.mark.differs("there was no session_cookie_samesite: the start failed")
def test_set_session_cookie(balanced, peers):
    """Who has no session gets a cookie that leads back, on failover that of the member that answered, and only once."""
    httpd = balanced({"set_session_cookie": "1", "session_cookie": "ROUTE", "session_cookie_samesite": "Lax", "retry_budget": 0, "lb_retries": 3})
    with client.Wire(httpd.port) as wire:
        answer = wire.get("/x")
        (cookie,) = answer.all("Set-Cookie")
        assert cookie == f"ROUTE=.{who(answer)};PATH=/;HttpOnly;SameSite=Lax"
        again = wire.get("/x", [("Cookie", cookie.split(";")[0])])
        assert who(again) == who(answer) and not again.all("Set-Cookie")
    for p in peers[:2]:
        p.default = CLOSE
    httpd.allow("Tomcat is down", "connecting to tomcat failed")
    answer = client.get(httpd.port, "/y", [("Cookie", "ROUTE=.m1")])
    assert answer.status == 200 and answer.all("Set-Cookie") == ["ROUTE=.m3;PATH=/;HttpOnly;SameSite=Lax"]


# ---- failing over ----

def test_a_member_that_is_gone(balanced):
    """Refused: nobody notices, not even a POST, and it is left alone after two refusals in a row."""
    httpd = balanced(gone=("m2",))
    httpd.allow("connecting to backend failed", "connecting to tomcat failed")
    with client.Wire(httpd.port) as wire:
        for i in range(12):
            answer = wire.ask("POST", f"/x{i}", body=b"b" * 9000)
            assert answer.status == 200 and who(answer) in ("m1", "m3")
    assert len([line for line in httpd.jk_lines("connecting to backend failed")]) <= 2


@pytest.mark.parametrize("method, status, times", [("GET", 200, 2), ("HEAD", 200, 2), ("POST", 502, 1), ("PUT", 502, 1), ("DELETE", 502, 1)])
@pytest.mark.differs("every method was sent again", only="POST|PUT|DELETE")
def test_dropped_after_the_request(balanced, peers, method, status, times):
    """Once it was written, only GET and HEAD go elsewhere."""
    httpd = balanced({"lb_retries": 3}, m1={"retries": 1})
    httpd.allow("Tomcat is down", "connecting to tomcat failed", "All tomcat")
    peers[0].default = lambda ex: (ex.first_packet(), ex.close())
    body = b"b" if method in ("POST", "PUT") else None
    answer = client.ask(httpd.port, method, "/x", [("Cookie", "JSESSIONID=a.m1")], body=body)
    assert answer.status == status
    assert sum(p.deliveries("/x") for p in peers) == times and peers[0].deliveries("/x") == 1


@pytest.mark.differs("an answer that broke off looked complete")
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_broken_in_the_middle(balanced, peers, method):
    """What has begun is never begun again."""
    httpd = balanced()
    httpd.allow("Part of the response", "broke off")
    peers[0].default = lambda ex: (ex.read_body(), ex.send(ajp.send_headers() + ajp.chunk(b"half") + ajp.FLUSH), ex.close())
    answer = client.ask(httpd.port, method, "/x", [("Cookie", "JSESSIONID=a.m1")], body=b"b" if method == "POST" else None)
    assert not answer.complete and answer.text == "half"
    assert sum(p.deliveries("/x") for p in peers) == 1


HALF_SAID = ajp.send_headers(200, [("X-Half", "1"), ("Set-Cookie", "half=1"), ("Content-Type", "text/half"), ("Content-Length", "4"),
                                   ("Last-Modified", "Fri, 20 Nov 2026 20:20:20 GMT")])


@pytest.mark.parametrize("method, extensions, said, status, times", [
    pytest.param("GET", "", HALF_SAID, 200, 2, id="GET"),
    pytest.param("HEAD", "", HALF_SAID + ajp.chunk(b"half"), 200, 2, id="HEAD"),  # nobody sees its body
    pytest.param("GET", ";use_server_errors=500", ajp.send_headers(500, [("X-Half", "1")]) + ajp.chunk(b"half") + ajp.FLUSH, 200, 2, id="replaced"),
    pytest.param("POST", "", HALF_SAID, 502, 1, id="POST"),  # the head shows that it was done
    pytest.param("DELETE", "", HALF_SAID, 502, 1, id="DELETE"),
])
@pytest.mark.differs("every method was sent again, and the client got the headers of both", only="GET|HEAD|POST|DELETE")
def test_a_head_that_nobody_saw_is_forgotten(fresh_httpd, peers, method, extensions, said, status, times):
    """A container that dies behind its head, before anything of it was passed on: another one answers, and nothing of the first is seen."""
    keys = {"recovery_options": 0} if method == "DELETE" else {}  # every request may be sent again, it says
    members = {f"m{i}": {"port": peer.port, **QUICK, "retries": 1, **keys} for i, peer in enumerate(peers, 1)}
    httpd = fresh_httpd(f"JkMount /* b{extensions}\nHeader set X-Early here early",
                        workers=lb("b", members), modules=["headers"])
    httpd.expect("No response has been sent to the client")
    httpd.allow("connecting to tomcat failed", "All tomcat")

    def half(ex):
        ex.read_body()
        ex.send(said)
        time.sleep(0.05)  # the module has read it
        ex.close()
    peers[0].default = half
    answer = client.ask(httpd.port, method, "/x", [("Cookie", "JSESSIONID=a.m1")], body=b"b" if method == "POST" else None)
    assert answer.status == status
    assert answer.complete and not answer.header("X-Half") and not answer.header("Set-Cookie") and not answer.header("Last-Modified")
    assert "half" not in answer.header("Content-Type")
    assert status != 200 or answer.header("X-Early") == "here", "what stood there before is there again"
    assert sum(p.deliveries("/x") for p in peers) == times


def test_an_upload_goes_on_elsewhere_before_it_was_written(balanced, peers):
    """The first packet was read from the client; the member turned out dead; the next one gets every byte."""
    httpd = balanced(gone=("m1",), m2={"max_packet_size": 65536}, m3={"max_packet_size": 16384})
    httpd.allow("connecting to backend failed", "connecting to tomcat failed")
    for p in peers:
        p.max_packet = 65536
    body = os.urandom(200000)
    answer = client.ask(httpd.port, "POST", "/x", [("Cookie", "JSESSIONID=a.m1")], body=body)
    for p in peers:
        p.max_packet = ajp.MAX_PACKET
    assert answer.status == 200
    (r,) = [r for p in peers for r in p.requests]
    assert r.body == body


def test_all_are_gone(balanced):
    """503, with the reason; a member in error is tried again when nobody else is left."""
    httpd = balanced({"retries": 1}, gone=("m1", "m2", "m3"))
    httpd.expect("All tomcat instances.*JK0601")
    httpd.allow("connecting to backend failed", "connecting to tomcat failed")
    for i in range(4):
        assert client.get(httpd.port, f"/x{i}").status == 503
    assert httpd.jk_lines("Forcing recovery once for")


LAST = [
    ("dropped", CLOSE, {}, 502, "EOF"),
    ("silent", STALL, {"reply_timeout": 150}, 504, "silence"),
    ("status", [ajp.answer("no", status=500)], {"fail_on_status": "500"}, 503, "fail_on_status, whatever the number was"),
    ("soft", [ajp.answer("no", status=500)], {"fail_on_status": "-500"}, 503, "a negative one as well"),
]


@pytest.mark.parametrize("script, keys, status, why", [row[1:] for row in LAST], ids=[row[0] for row in LAST])
@pytest.mark.differs("503 for all")
def test_the_last_failure_is_told(balanced, peers, script, keys, status, why):
    """Where nobody answers: as without a balancer."""
    httpd = balanced({"retries": 1, "lb_retries": 3, "retry_budget": 0}, **{m: {"retries": 1, **keys} for m in ("m1", "m2", "m3")})
    httpd.expect("All tomcat instances failed, no more workers left.*3 members were tried.*JK0601")
    httpd.allow("Tomcat is down", "connecting to tomcat failed", "Timeout with waiting")
    for p in peers:
        p.default = script
    assert client.get(httpd.port, "/x").status == status, why
    assert [p.deliveries("/x") for p in peers] == [1, 1, 1]


def test_sticky_force(balanced):
    """No failover for a session whose member is gone."""
    httpd = balanced({"sticky_session_force": "1", "retries": 1}, gone=("m2",))
    httpd.allow("connecting to backend failed", "connecting to tomcat failed", "All tomcat instances")
    for i in range(3):
        assert client.get(httpd.port, f"/x{i}", [("Cookie", "JSESSIONID=a.m2")]).status == 503
    assert client.get(httpd.port, "/y").status == 200


def test_domain(balanced):
    """A session fails over inside its domain."""
    own = {"m1": {"domain": "d1"}, "m2": {"domain": "d2"}, "m3": {"domain": "d2"}}
    httpd = balanced(gone=("m2",), **own)
    httpd.allow("connecting to backend failed", "connecting to tomcat failed")
    assert set(ask_all(httpd, 8, headers=[("Cookie", "JSESSIONID=a.m2")])) == {"m3"}


def test_the_cookie_of_a_domain_names_the_member(balanced):
    """Not the domain: else the session would wander in it."""
    own = {"m1": {"domain": "d1"}, "m2": {"domain": "d2"}, "m3": {"domain": "d2"}}
    httpd = balanced({"set_session_cookie": 1, "session_cookie": "ROUTE"}, gone=("m2",), **own)
    httpd.allow("connecting to backend failed", "connecting to tomcat failed")
    assert client.get(httpd.port, "/x", [("Cookie", "ROUTE=.m2")]).all("Set-Cookie") == ["ROUTE=.m3;PATH=/;HttpOnly"]
    assert client.get(httpd.port, "/x", [("Cookie", "ROUTE=.m3")]).all("Set-Cookie") == []


def test_redirect_and_standby(balanced):
    """A disabled member is the stand-in of another; only it gets its sessions."""
    httpd = balanced(gone=("m1",), m1={"redirect": "m3"}, m3={"activation": "D"})
    httpd.allow("connecting to backend failed", "connecting to tomcat failed")
    assert set(ask_all(httpd, 6, headers=[("Cookie", "JSESSIONID=a.m1")])) == {"m3"}
    assert set(ask_all(httpd, 6)) == {"m2"}


def test_fail_on_status(balanced, peers):
    """An answer that counts as a failure is had from another member."""
    httpd = balanced(m1={"fail_on_status": "503", "retries": 1})
    httpd.allow("connecting to tomcat failed")
    peers[0].default = [ajp.answer("no", status=503)]
    for i in range(3):
        answer = client.get(httpd.port, f"/x{i}", [("Cookie", "JSESSIONID=a.m1")])
        assert answer.status == 200 and who(answer) in ("m2", "m3")
    assert len(peers[0].requests) == 1, "in error after the first"


def test_reply_timeout_goes_elsewhere(balanced, peers):
    httpd = balanced(m1={"reply_timeout": 200, "retries": 1})
    httpd.expect("Timeout with waiting reply")
    httpd.allow("connecting to tomcat failed")
    peers[0].default = STALL
    answer = client.get(httpd.port, "/x", [("Cookie", "JSESSIONID=a.m1")])
    assert answer.status == 200 and who(answer) in ("m2", "m3")


def test_busy_limit_goes_elsewhere(balanced, peers):
    httpd = balanced(m1={"busy_limit": 1})
    httpd.allow("busy limit")
    go = threading.Event()
    peers[0].on("/slow", lambda ex: (ex.wait(go), ex.send(ajp.answer())))
    with client.Wire(httpd.port) as wire:
        wire.request("GET", "/slow", [("Cookie", "JSESSIONID=a.m1")])
        assert proc.wait_until(lambda: peers[0].deliveries("/slow"))
        assert who(client.get(httpd.port, "/x", [("Cookie", "JSESSIONID=a.m1")])) in ("m2", "m3")
        go.set()
        assert wire.answer().status == 200
    assert who(client.get(httpd.port, "/x", [("Cookie", "JSESSIONID=a.m1")])) == "m1"


# ---- recovering ----

@pytest.mark.differs("other intervals")
def test_recovery(balanced, peers):
    """A member that was in error gets one request after recover_time, and all its share when that went well."""
    httpd = balanced({"recover_time": 1, "error_escalation_time": 0}, config="JkWatchdogInterval 1\nJkWorkerProperty worker.maintain=1",
                     m1={"retries": 1})
    httpd.allow("Tomcat is down", "connecting to tomcat failed")
    peers[0].default = CLOSE
    answers = ask_all(httpd, 6)
    assert "m1" not in answers and len(peers[0].requests) == 1
    peers[0].reset()
    assert proc.wait_until(lambda: httpd.jk_lines("worker m1 is ERR/REC now"), 10)
    assert proc.wait_until(lambda: "m1" in ask_all(httpd, 6), 10)


@pytest.mark.differs("a graceful restart forgot the states")
def test_states_survive_a_graceful_restart(balanced, peers):
    """And counters; the member in error is not asked again."""
    httpd = balanced({"error_escalation_time": 0}, config=NOTES, m1={"retries": 1})
    httpd.allow("Tomcat is down", "connecting to tomcat failed")
    peers[0].default = CLOSE
    ask_all(httpd, 6)
    before = len(peers[0].requests)
    assert before == 1
    httpd.graceful()
    assert "m1" not in ask_all(httpd, 9) and len(peers[0].requests) == before


# ---- what is told ----

def lines_of(httpd, path):
    return proc.wait_until(lambda: [line.split() for line in open(httpd.path("logs/lb")) if line.startswith(path)], 5)


@pytest.mark.differs("JK_WORKER_ROUTE named the first member")
def test_notes(balanced, peers):
    httpd = balanced({"error_escalation_time": 0}, config=NOTES, m1={"retries": 1})
    httpd.allow("Tomcat is down", "connecting to tomcat failed")
    assert client.get(httpd.port, "/a", [("Cookie", "JSESSIONID=a.m1")]).status == 200
    assert lines_of(httpd, "/a") == [["/a", "m1", "m1", "OK", "ACT", "m1"]]
    peers[0].default = CLOSE
    answer = client.get(httpd.port, "/b", [("Cookie", "JSESSIONID=a.m1")])
    assert lines_of(httpd, "/b") == [["/b", "m1", who(answer), "OK", "ACT", who(answer)]]


@pytest.mark.differs("the forced route stayed in the note")
def test_the_route_noted_is_that_of_who_answered(balanced, peers):
    """Also where another route had been forced, and it is told to the container as it was."""
    httpd = balanced({"error_escalation_time": 0}, config=NOTES + "SetEnv JK_ROUTE m1\n", m1={"retries": 1})
    httpd.allow("Tomcat is down", "connecting to tomcat failed")
    peers[0].default = CLOSE
    answer = client.get(httpd.port, "/b")
    assert who(answer) != "m1"
    assert lines_of(httpd, "/b") == [["/b", "m1", who(answer), "OK", "ACT", who(answer)]]


@pytest.mark.differs("JK_WORKER_ROUTE named the first member")
def test_notes_of_numbers(balanced, peers):
    """What the member had done when it was left. With JkNotes Off there is none, but its route is noted always."""
    names = "VALUE ACCESSED SESSIONS READ TRANSFERRED ERRORS BUSY".split()
    fmt = 'LogFormat "%U ' + " ".join(f"%{{JK_LB_{w}_{n}}}n" for w in ("FIRST", "LAST") for n in names) + ' %{JK_WORKER_ROUTE}n" lb\nCustomLog logs/lb lb\n'
    httpd = balanced({"error_escalation_time": 0}, config=fmt)
    httpd.allow("Tomcat is down", "connecting to tomcat failed")
    assert client.get(httpd.port, "/a").status == 200
    (line,) = lines_of(httpd, "/a")
    read, written = (int(line[i]) for i in (4, 5))
    assert read > 100 and written > 50
    assert line == ["/a", *2 * ["1", "1", "1", str(read), str(written), "0", "0"], "m1"]
    peers[0].default = CLOSE
    assert client.get(httpd.port, "/b", [("Cookie", "JSESSIONID=x.m1")]).status == 200
    (line,) = lines_of(httpd, "/b")
    assert line[1:4] == ["2", "2", "1"] and line[6:8] == ["1", "0"], "of the first: asked twice, failed once"
    assert line[8:11] == ["1", "1", "0"] and line[13:] == ["0", "0", "m2"], "of the last: asked once, no new session"


@pytest.mark.differs("there was no JkNotes")
def test_no_notes_where_nobody_wants_them(balanced):
    httpd = balanced(config="JkNotes Off\n" + NOTES)
    assert client.get(httpd.port, "/a", [("Cookie", "JSESSIONID=x.m2")]).status == 200
    assert lines_of(httpd, "/a") == [["/a", "-", "-", "-", "-", "m2"]]


@pytest.mark.skipif(INCUMBENT, reason="it did not look")
def test_another_route_is_told_once(balanced, peers):
    httpd = balanced()
    httpd.expect("issues sessions with the route 'tomcat1'.*set jvmRoute=\"m1\".*JK0604")
    peers[0].default = lambda ex: ex.send(ajp.answer("a", headers=[("Set-Cookie", "JSESSIONID=abc.tomcat1; Path=/")]))
    for i in range(3):
        assert client.get(httpd.port, f"/x{i}", [("Cookie", "JSESSIONID=a.m1")]).status == 200
    assert len(httpd.jk_lines("issues sessions")) == 1


def test_many_members(fresh_httpd, fresh_peer):
    """A thousand."""
    peer = fresh_peer()
    members = {f"n{i}": {"port": peer.port, "route": f"r{i}"} for i in range(1000)}
    httpd = fresh_httpd("JkMount /* b", workers=lb("b", members), startup=["are one container"])
    with client.Wire(httpd.port) as wire:
        for i in (0, 500, 999):
            assert wire.get("/x", [("Cookie", f"JSESSIONID=a.r{i}")]).status == 200
            assert peer.last().attribute("route") == f"r{i}"
