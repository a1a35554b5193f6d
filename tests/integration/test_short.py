"""A process of httpd that is short of something: that is its own fault, and no container's."""
import shutil

import pytest
from lib import client, proc
from lib.httpd import INCUMBENT
from lib.statuspage import Page
from lib.workers import ajp13, lb

pytestmark = [pytest.mark.skipif(INCUMBENT, reason="what mod_jk 1.2 does then is not compared"),
              pytest.mark.skipif(not (shutil.which("prlimit") and shutil.which("setpriv")), reason="prlimit or setpriv is not installed")]

ONE_CHILD = "StartServers 1\nServerLimit 1\nThreadsPerChild 8\nMaxRequestWorkers 8\nMinSpareThreads 1\nMaxSpareThreads 8\nJkWatchdogInterval 0\n"


class Without:
    """with Without(httpd): its child gets no descriptor more."""

    def __init__(self, httpd):
        (self.pid,) = proc.children_of(httpd.pid)

    def __enter__(self):
        self.limit = proc.limit_descriptors(self.pid, 3)

    def __exit__(self, *what):
        proc.limit_descriptors(self.pid, self.limit)


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_without_descriptors_no_member_is_blamed(fresh_httpd, fresh_peer, method):
    """The members live, and other processes reach them: they stay as they are, for all."""
    members = {name: fresh_peer(name=name).port for name in ("m1", "m2")}
    httpd = fresh_httpd(ONE_CHILD + "JkMount /* b\nJkMount /status status\n", workers=lb("b", members) +
                        "worker.list=status\nworker.status.type=status\n")
    httpd.expect(r"out of file descriptors.*\[JK0212\]")
    httpd.allow("connecting to tomcat failed", "All tomcat instances")
    with client.Wire(httpd.port) as wire:
        assert wire.get("/status").status == 200  # the connection is httpd's now
        with Without(httpd):
            assert wire.ask(method, "/x", body=b"x" if method == "POST" else None).status == 503
        assert [m["state"] for m in Page(httpd).lb("b")["members"]] == ["OK/IDLE", "OK/IDLE"]
        assert [m["errors"] for m in Page(httpd).lb("b")["members"]] == [0, 0]
    assert client.get(httpd.port, "/y").status == 200
    assert not [ln for ln in httpd.jk_log.since_mark() if "Tomcat is probably not started" in ln]


def test_without_descriptors_a_pooled_connection_serves(fresh_httpd, fresh_peer):
    """The member that has an idle connection is found."""
    peers = [fresh_peer(name=name) for name in ("m1", "m2")]
    httpd = fresh_httpd(ONE_CHILD + "JkMount /* b\n", workers=lb("b", {p.name: p.port for p in peers}, {"method": "Sessions"}))
    httpd.allow("out of file descriptors", "connecting to tomcat failed")
    with client.Wire(httpd.port) as wire:
        assert wire.get("/x", [("Cookie", "JSESSIONID=a.m2")]).status == 200
        with Without(httpd):
            for i in range(4):
                assert wire.get(f"/y{i}").status == 200
    assert peers[1].deliveries("/y0") + peers[1].deliveries("/y1") == 2


def test_without_descriptors_a_worker_alone(fresh_httpd, fresh_peer):
    """What it has it uses; then it says what is missing."""
    peer = fresh_peer()
    httpd = fresh_httpd(ONE_CHILD + "JkMount /* w\n", workers=ajp13(w=peer.port))
    httpd.expect(r"\(w\) no connection to 127.0.0.1:\d+ .*out of file descriptors.*LimitNOFILE.*\[JK0212\]")
    httpd.allow("connecting to tomcat failed")
    with client.Wire(httpd.port) as wire:
        assert wire.get("/x").status == 200
        with Without(httpd):
            assert wire.get("/y").status == 200
            peer.close_idle()
            assert wire.get("/z").status == 503
    assert client.get(httpd.port, "/z").status == 200
