"""JkMountFile: its grammar live, who inherits it, what a changed, broken or missing file does - at a reload, in the check, and at a restart."""
import os
import re
import threading
import time

import pytest
from lib import ajp, client, proc
from lib.httpd import INCUMBENT, server_user
from lib.workers import ajp13

FILE = "conf/rules.properties"


@pytest.fixture(scope="module")
def peer(make_peer):
    return make_peer()


def workers(peer):
    return ajp13(w=peer.port, v=peer.port)


def worker_of(httpd, path, host=None):
    """Who was asked; None: nobody."""
    answer = client.get(httpd.vport if host else httpd.port, path, [("X-Test", path)], host=host)
    name = httpd.access_of(path)["worker"]
    assert (answer.status == 200) == (name != "-"), f"{path}: {answer.status}"
    httpd.mark()
    return None if name == "-" else name


# ---- what the file says ----

GRAMMAR = """# a comment
  /a = w    # behind a rule
/bar|/* = w
!/bar/no/* = w
/off = w
-/off2 = w
-!/bar/yes = w
!/all/secret = *
/all/* = w
name = v
/macro = $(name)
/twice = w
/twice = v
/*.do=w
/x=w
/x/*/y=v
"""


@pytest.fixture(scope="module")
def grammar(make_httpd, peer):
    return make_httpd(f"JkMountFile {FILE}\nJkMount /x v\nJkMount /mine w\nJkUnMount /all/mine w", workers=workers(peer), files={FILE: GRAMMAR},
                      startup=["rules.properties:10: invalid context 'name'", "Duplicate key '/twice'"])


@pytest.mark.parametrize("path, worker, why", [
    ("/a", "w", "blanks and comments"), ("/bar", "w", "a pipe: two rules"), ("/bar/x", "w", "the second"), ("/bar/no/x", None, "excluded"),
    ("/bar/yes", "w", "a disabled exclusion"), ("/off2", None, "a disabled rule"), ("/off", "w", "its neighbour"),
    ("/all/x", "w", "mounted"), ("/all/secret", None, "excluded for all"), ("/macro", "v", "a macro"), ("/twice", "v", "the last of two"),
    ("/p.do", "w", "a suffix"), ("/x", "w", "the file's rule goes before JkMount's of the same pattern"),
    ("/x/1/y", "v", "a wildcard inside"), ("/mine", "w", "directives beside the file"), ("/all/mine", None, "JkUnMount takes away what the file mounts"),
])
def test_grammar(grammar, path, worker, why):
    assert worker_of(grammar, path) == worker, why


# ---- virtual hosts ----

def test_who_inherits_it(fresh_httpd, peer):
    vhosts = {
        "none": "", "off": "JkMount /own w", "on": "JkMountCopy On\nJkMount /own w", "shared": "JkMountCopy On",
        "other": "JkMountCopy On\nJkMountFile conf/other", "alone": "JkMountFile conf/other", "both": "JkMountFile conf/other\nJkMount /own v",
    }
    httpd = fresh_httpd(f"JkMountFile {FILE}\nJkMount /main w\nJkWorkerProperty worker.w.mount=/worker", workers=workers(peer), vhosts=vhosts,
                        files={FILE: "/file=w\n", "conf/other": "/other=v\n"})
    table = {  # host: what of /main /file /worker /own /other it maps
        None: "w w w - -", "none": "- - - - -", "off": "- - - w -", "on": "w w - w -", "shared": "w w w - -",
        "other": "w - - - v", "alone": "- - - - v", "both": "- - - v v",
    }
    for host, row in table.items():
        got = " ".join(worker_of(httpd, path, host) or "-" for path in ("/main", "/file", "/worker", "/own", "/other"))
        assert got == row, host


def test_mount_copy_all_takes_it_along(fresh_httpd, peer):
    httpd = fresh_httpd(f"JkMountFile {FILE}\nJkMountCopy All", workers=workers(peer), files={FILE: "/file=w\n"},
                        vhosts={"silent": "", "own": "JkMount /own v", "off": "JkMountCopy Off"})
    assert [worker_of(httpd, "/file", host) for host in ("silent", "own", "off")] == ["w", "w", None]


def test_worker_mount(fresh_httpd, peer):
    """worker.X.mount: lists, several lines, modifiers; the main server's alone, behind the other sources."""
    text = workers(peer) + "worker.w.mount=/m1 /m2,/m3/*\nworker.w.mount=/m4\nworker.w.mount=!/m3/no -/m5 /tie\nworker.v.mount=/a|b\n"
    httpd = fresh_httpd("JkMount /tie v", workers=text, vhosts={"own": "JkMountCopy On\nJkMount /own w"})
    got = {path: worker_of(httpd, path) for path in ("/m1", "/m2", "/m3/x", "/m4", "/m3/no", "/m5", "/tie", "/a")}
    assert got == {"/m1": "w", "/m2": "w", "/m3/x": "w", "/m4": "w", "/m3/no": None, "/m5": None, "/tie": "v", "/a": None}
    assert client.get(httpd.port, "/a%7Cb").status == 200, "a pipe is a character there"
    assert worker_of(httpd, "/m1", "own") is None


# ---- reload ----

@pytest.fixture
def reloading(fresh_httpd, peer):
    """A look each second."""
    return fresh_httpd(f"JkMountFile {FILE}\nJkMountFileReload 1\nJkMount /mine w", workers=workers(peer), files={FILE: "/a=w\n!/mine/x=w\n"},
                       vhosts={"shared": "JkMountCopy On", "own": "JkMountCopy On\nJkMount /own v"})


def replace(httpd, text, name=FILE):
    """As an editor does it: a new file takes the place of the old one."""
    httpd.write(name + ".new", text)
    os.rename(httpd.path(name + ".new"), httpd.path(name))


def per_process(httpd, pattern):
    """How often each process said it: {pid: times}."""
    pids = [re.search(r"\[(\d+):\d+\]", line)[1] for line in httpd.jk_log.lines() if re.search(pattern, line)]
    return {pid: pids.count(pid) for pid in pids}


one_process = pytest.mark.skipif(os.environ.get("JK_MPM") == "prefork", reason="each process looks for itself: what one has seen, another has not yet")


def until(httpd, path, worker, host=None):
    assert proc.wait_until(lambda: worker_of(httpd, path, host) == worker, 10), f"{path} goes to {worker_of(httpd, path, host)}, not to {worker}"


@pytest.mark.differs("a change within the second of the last load was missed, and path= unknown")
def test_a_changed_file(reloading):
    """Rules come, go and change; those of directives stay; each virtual host follows."""
    replace(reloading, "/a=v\n/b=w\n")
    until(reloading, "/b", "w")
    until(reloading, "/a", "v")
    assert worker_of(reloading, "/mine") == "w"
    until(reloading, "/b", "w", "shared")
    until(reloading, "/b", "w", "own")
    assert worker_of(reloading, "/own", "own") == "v"
    assert "Reloaded urimaps from" in reloading.jk_log.text()
    replace(reloading, "/b=w\n")
    until(reloading, "/a", None)


@one_process
@pytest.mark.differs("a change within the second of the last load was missed, and path= unknown")
def test_it_is_read_once(reloading):
    """Not with every look: one line for each change and map."""
    replace(reloading, "/a=v\n")
    until(reloading, "/a", "v")
    for _ in range(5):
        time.sleep(0.3)
        assert worker_of(reloading, "/a") == "v"
    assert set(per_process(reloading, "Reloaded urimaps").values()) == {1}


@pytest.mark.differs("a change within the second of the last load was missed, and path= unknown")
def test_an_edit_within_the_same_second(reloading):
    """The same length, the same time: another inode is another file. (mtime alone would miss it.)"""
    path = reloading.path(FILE)
    replace(reloading, "/a=w\n/c=w\n")
    until(reloading, "/c", "w")
    st = os.stat(path)
    reloading.write(FILE + ".new", "/a=v\n/c=w\n")
    os.utime(path + ".new", ns=(st.st_atime_ns, st.st_mtime_ns))
    os.rename(path + ".new", path)
    assert os.stat(path).st_size == st.st_size and os.stat(path).st_mtime_ns == st.st_mtime_ns
    until(reloading, "/a", "v")


@pytest.mark.differs("a change within the second of the last load was missed, and path= unknown")
def test_a_file_that_is_written_in_place(reloading):
    with open(reloading.path(FILE), "w") as f:
        f.write("/a=v\n")
    until(reloading, "/a", "v")


def test_all_rules_gone(reloading):
    replace(reloading, "# nothing\n")
    until(reloading, "/a", None)
    assert worker_of(reloading, "/mine") == "w"
    replace(reloading, "/a=v\n")
    until(reloading, "/a", "v")


@pytest.mark.differs("a change within the second of the last load was missed, and path= unknown")
def test_an_empty_map_follows_too(fresh_httpd, peer):
    httpd = fresh_httpd(f"JkMountFile {FILE}\nJkMountFileReload 1", workers=workers(peer), files={FILE: ""})
    assert worker_of(httpd, "/a") is None
    replace(httpd, "/a=w\n")
    until(httpd, "/a", "w")
    replace(httpd, "")
    until(httpd, "/a", None)
    assert "No worker maps defined for" in httpd.jk_log.text()


def spoil(httpd, how):
    path = httpd.path(FILE)
    if how == "removed":
        os.unlink(path)
    elif how == "a directory":
        os.unlink(path)
        os.mkdir(path)
    elif how == "a pipe":
        os.unlink(path)
        os.mkfifo(path)
    elif how == "unreadable":
        replace(httpd, "/a=v\n")
        os.chmod(path, 0o600)
        os.chown(path, 0, 0)
    else:
        replace(httpd, {"binary": b"/a=v\n\0\0\0", "a line too long": b"/a=v\n/" + b"b" * 70000 + b"=w\n"}[how])


def mend(httpd, text):
    path = httpd.path(FILE)
    if os.path.isdir(path):
        os.rmdir(path)
    replace(httpd, text)


@pytest.mark.differs("an older generation of the map could become active, and nothing was said, or with each look")
@pytest.mark.parametrize("how", ["removed", "a directory", "a pipe", "unreadable", "binary", "a line too long"])
def test_a_failed_reload_keeps_the_map(reloading, how):
    """And says so once per change; a good file is in force again."""
    if how == "unreadable" and not server_user():
        pytest.skip("needs root: the children are another user then")
    spoil(reloading, how)
    reloading.mark()
    reloading.allow("the map from before", "the map before", "stays in force", r"rules\.properties:\d")
    assert proc.wait_until(lambda: client.get(reloading.port, "/a").status == 200 and
                           "stays in force" in "\n".join(reloading.jk_log.lines()), 10)
    for _ in range(5):
        time.sleep(0.3)
        assert client.get(reloading.port, "/a").status == 200
    said = per_process(reloading, r"\[error\].*stays in force.*JK040[56]")
    assert set(said.values()) == {1}, said
    mend(reloading, "/a=v\n")
    assert proc.wait_until(lambda: client.get(reloading.port, "/a", [("X-Test", "m")]) and reloading.access_of("m")["worker"] == "v" or reloading.mark(), 10)


@pytest.mark.differs("the rule was kept, and its requests got 500")
def test_an_unknown_worker_at_a_reload(reloading):
    """Its rule is left out, the rest loads."""
    reloading.allow("there is no worker 'nobdy'.*the rule is left out.*JK0404")
    replace(reloading, "/a=v\n/b=nobdy\n/c=w\n")
    assert proc.wait_until(lambda: client.get(reloading.port, "/c").status == 200, 10)
    assert client.get(reloading.port, "/b").status == 404
    assert set(per_process(reloading, "there is no worker 'nobdy'").values()) == {1}


@pytest.mark.parametrize("strict", [False, True], ids=["lenient", "strict"])
@pytest.mark.differs("there was no JkStrict")
def test_a_slip_of_the_finger_at_a_reload(fresh_httpd, peer, strict):
    """What only JkStrict refuses: told, and lived with - or not."""
    httpd = fresh_httpd(f"JkMountFile {FILE}\nJkMountFileReload 1\nJkStrict {'On' if strict else 'Off'}", workers=workers(peer), files={FILE: "/a=w\n"})
    httpd.allow(r"rules\.properties:1: unknown rule extension 'statless'.*JK0403", "stays in force.*JK0405")
    replace(httpd, "/a=v;statless=1\n")
    assert proc.wait_until(lambda: client.get(httpd.port, "/a").status == 200 and "unknown rule extension" in httpd.jk_log.text(), 10)
    client.get(httpd.port, "/a", [("X-Test", "after")])
    assert httpd.access_of("after")["worker"] == ("w" if strict else "v")


def test_no_reload(fresh_httpd, peer):
    """JkMountFileReload 0: the file is read at the start, and never again. A graceful restart reads it."""
    httpd = fresh_httpd(f"JkMountFile {FILE}\nJkMountFileReload 0", workers=workers(peer), files={FILE: "/a=w\n"})
    replace(httpd, "/a=v\n")
    for _ in range(4):
        time.sleep(0.4)
        assert worker_of(httpd, "/a") == "w"
    httpd.graceful()
    assert worker_of(httpd, "/a") == "v"


@pytest.mark.differs("a change within the second of the last load was missed, and path= unknown")
def test_a_child_that_is_born_later(fresh_httpd, peer):
    """It looks at the file with its first request, however long the interval is: children agree as soon as they can."""
    httpd = fresh_httpd(f"JkMountFile {FILE}\nJkMountFileReload 3600\nMaxConnectionsPerChild 5", workers=workers(peer), files={FILE: "/a=w\n"})
    httpd.allow("AH00046")  # a child that is leaving by itself while httpd stops
    assert client.get(httpd.port, "/a").status == 200
    replace(httpd, "/a=v\n")

    def asked():
        httpd.mark()
        client.get(httpd.port, "/a", [("X-Test", "later")])
        return httpd.access_of("later")["worker"] == "v"
    assert proc.wait_until(asked, 20)


@one_process
@pytest.mark.parametrize("interval", [1, 3600])
@pytest.mark.differs("a change within the second of the last load was missed, and path= unknown")
def test_one_look_per_interval(fresh_httpd, peer, interval, monkeypatch):
    """No stat with every request: the file is replaced right after a look, and the requests of the next moments do not see it."""
    httpd = fresh_httpd(f"JkMountFile {FILE}\nJkMountFileReload {interval}", workers=workers(peer), files={FILE: "/a=w\n"})
    assert worker_of(httpd, "/a") == "w"
    replace(httpd, "/a=v\n")
    if interval == 1:
        until(httpd, "/a", "v")
        return
    for _ in range(20):
        assert worker_of(httpd, "/a") == "w"


def test_reload_under_load(fresh_httpd, fresh_peer):
    """Requests without end while the file changes again and again, replaced and broken by turns: each is answered by one of the two workers that
    the file has named, and those that another rule maps never go astray."""
    one, two = fresh_peer(name="one"), fresh_peer(name="two")
    httpd = fresh_httpd(f"JkMountFile {FILE}\nJkMountFileReload 1\nJkMount /fixed/* w", workers=ajp13(w=one.port, v=two.port),
                        files={FILE: "/turn/*=w\n"})
    httpd.allow("stays in force", r"rules\.properties:\d")
    stop, wrong, count = threading.Event(), [], [0]

    def ask():
        with client.Wire(httpd.port) as wire:
            while not stop.is_set():
                for path, names in (("/turn/x", ("one", "two")), ("/fixed/x", ("one",))):
                    answer = wire.get(path)
                    count[0] += 1
                    if answer.status != 200 or not any(f'"peer": "{name}"' in answer.text for name in names):
                        wrong.append((path, answer))
                        return
    threads = [threading.Thread(target=ask) for _ in range(8)]
    for t in threads:
        t.start()
    filler = "".join(f"/filler{i}/*=w\n" for i in range(300))
    end = time.monotonic() + 8
    turn = 0
    while time.monotonic() < end and not wrong:
        turn += 1
        text = f"/turn/*={'wv'[turn % 2]}\n{filler}"
        replace(httpd, text if turn % 5 else text + "\0")
        time.sleep(0.15)
    stop.set()
    for t in threads:
        t.join()
    assert not wrong, wrong[:3]
    assert count[0] > 500
    reloads = httpd.jk_log.text().count("Reloaded urimaps")
    assert reloads >= 3, reloads


@pytest.mark.differs("a change within the second of the last load was missed, and path= unknown")
def test_a_request_outlives_its_map(fresh_httpd, fresh_peer):
    """A request that is under way while the map it came by is replaced, more than once: its rule stays as long as it does."""
    peer = fresh_peer()
    httpd = fresh_httpd(f"JkMountFile {FILE}\nJkMountFileReload 1", workers=workers(peer),
                        files={FILE: "/slow=w;use_server_errors=500;path=/slowly\n/a=w\n"})
    replace(httpd, "/slow=w;use_server_errors=500;path=/slowly\n/a=v\n")
    until(httpd, "/a", "v")
    go = threading.Event()
    peer.on("/slowly", lambda ex: (ex.wait(go), ex.send(ajp.answer("x", headers=[("Set-Cookie", "a=1; Path=/slowly")]))))
    with client.Wire(httpd.port) as wire:
        wire.request("GET", "/slow", [("X-Test", "slow")])
        assert proc.wait_until(lambda: peer.deliveries("/slowly"))
        for worker in ("w", "v", "w"):
            replace(httpd, f"/a={worker}\n# {worker}\n")
            until(httpd, "/a", worker)
        httpd.mark()
        go.set()
        answer = wire.answer()
    assert answer.header("Set-Cookie") == "a=1; Path=/slow"
    assert httpd.access_of("slow")["worker"] == "w"


# ---- the check, and restarts ----

CHECKS = [
    ("no such file", None, "JkMountFile conf/nowhere", r"httpd\.conf:\d+: Failed to load uri_worker_map file .*nowhere: No such file"),
    ("a directory", None, "JkMountFile conf", r"it is no regular file"),
    ("binary", b"\0\1\2", f"JkMountFile {FILE}", r"rules\.properties:1: the line holds a NUL byte"),
    ("UTF-16", b"\xff\xfe/\0a\0", f"JkMountFile {FILE}", r"rules\.properties:1: the file is in UTF-16"),
    ("in a virtual host", b"\0", f"<VirtualHost *:1>\nJkMountFile {FILE}\n</VirtualHost>", r"rules\.properties:1: the line holds a NUL byte"),
    ("no number", b"", f"JkMountFile {FILE}\nJkMountFileReload soon", "JkMountFileReload: 'soon' is not a number"),
]


@pytest.fixture(scope="module")
def unstarted(make_httpd, peer):
    return make_httpd(workers=workers(peer), start=False)


@pytest.mark.differs("other words, or only at the start")
@pytest.mark.parametrize("why, text, config, said", CHECKS, ids=[row[0] for row in CHECKS])
def test_refused(unstarted, why, text, config, said):
    if text is not None:
        unstarted.write(FILE, text)
    unstarted.write_config(config)
    code, words = unstarted.configtest()
    assert code != 0 and re.search(said, words), words


LENIENT = [
    ("an unknown worker", "/a=nobdy\n", r"rules\.properties:1: /a: there is no worker 'nobdy' in worker\.list; its requests are answered with 500"),
    ("no slash", "*.jsp=w\n", r"rules\.properties:1: invalid context '\*\.jsp': it does not begin with '/'; did you mean '/\*\.jsp'\?"),
    ("modifiers in the wrong order", "!-/a=w\n", r"rules\.properties:1: invalid context '!-/a'"),
    ("an unknown extension", "/a=w;statless=1\n", r"rules\.properties:1: unknown rule extension 'statless'"),
    ("an exclusion of an unknown worker", "!/a=nobdy\n", r"rules\.properties:1: !/a: there is no worker 'nobdy'"),
]


@pytest.mark.differs("nothing was said in the check")
@pytest.mark.parametrize("why, text, said", LENIENT, ids=[row[0] for row in LENIENT])
def test_told_and_lived_with(unstarted, why, text, said):
    unstarted.write(FILE, text)
    for strict in ("", "\nJkStrict On"):
        unstarted.write_config(f"JkMountFile {FILE}{strict}")
        code, words = unstarted.configtest()
        assert (code != 0) == (strict != "") and re.search(said, words), words


@pytest.mark.differs("nothing was said")
@pytest.mark.parametrize("how, reload, told", [("file", 60, True), ("directory", 60, True), ("file", 0, False), ("fine", 60, False)])
def test_children_must_be_able_to_read_it(unstarted, how, reload, told):
    """Who starts httpd reads it; the reload is a child's, and another user."""
    if not server_user():
        pytest.skip("needs root")
    unstarted.write("rules/of/file", "/a=w\n")
    os.chmod(unstarted.path("rules/of"), 0o700 if how == "directory" else 0o755)
    os.chmod(unstarted.path("rules/of/file"), 0o600 if how == "file" else 0o644)
    unstarted.write_config(f"JkMountFile rules/of/file\nJkMountFileReload {reload}\nJkStrict On")
    code, words = unstarted.configtest()
    assert code == 0
    assert bool(re.search(r"httpd\.conf:\d+: .*rules/of/file.*cannot be read by the User", words)) == told, words


def test_the_old_child_and_a_file_that_nobody_reads(fresh_httpd, peer):
    """An unknown worker in the file at the start: kept, and answered with 500, as ever."""
    httpd = fresh_httpd(f"JkMountFile {FILE}", workers=workers(peer), files={FILE: "/a=nobody\n/b=w\n"}, startup=["nobody"])
    httpd.allow("nobody")
    assert client.get(httpd.port, "/a").status == 500 and client.get(httpd.port, "/b").status == 200


@pytest.mark.differs("the server died, or the map was empty")
@pytest.mark.parametrize("how", ["binary", "removed", "a directory"])
def test_restarts_with_a_broken_rule_file(fresh_httpd, peer, how):
    """The last good text stays in force, generation after generation; that of the other files too. A mended one is in force again."""
    httpd = fresh_httpd(f"JkMountFile {FILE}\nJkMountFileReload 1", workers=workers(peer), files={FILE: "/a=w\n"},
                        vhosts={"own": "JkMountFile conf/other"}, start=False)
    httpd.write("conf/other", "/other=w\n")
    httpd.start()
    replace(httpd, "/other=v\n", "conf/other")
    spoil(httpd, how)
    for _ in range(3):
        httpd.graceful()
        httpd.allow(".")
        assert httpd.error_lines("last good")
        httpd.mark()
        for _ in range(3):
            time.sleep(0.5)
            assert client.get(httpd.port, "/a").status == 200
        assert not httpd.jk_lines("JK040[56]", seconds=0.1), "the file is as it was at the check: nobody reads it again"
    mend(httpd, "/a=v\n")
    httpd.graceful()
    httpd.mark()
    assert worker_of(httpd, "/a") == "v" and worker_of(httpd, "/other", "own") == "v"


@pytest.mark.differs("the signal was sent, and the server died")
def test_graceful_with_a_broken_rule_file_sends_no_signal(fresh_httpd, peer):
    httpd = fresh_httpd(f"JkMountFile {FILE}\nJkMountFileReload 0", workers=workers(peer), files={FILE: "/a=w\n"})
    before = httpd.generations()
    httpd.write(FILE, b"\0")
    code, words = httpd.run("-k", "graceful")
    assert code == 1 and "rules.properties:1" in words and httpd.generations() == before
    assert worker_of(httpd, "/a") == "w"


def test_a_rule_file_that_was_broken_is_reloaded_once_mended(fresh_httpd, peer):
    """The last good text is in force after a restart, and the children still follow the file."""
    httpd = fresh_httpd(f"JkMountFile {FILE}\nJkMountFileReload 1", workers=workers(peer), files={FILE: "/a=w\n"})
    httpd.write(FILE, b"/a=v\n\0")
    httpd.graceful()
    httpd.allow(".")
    assert client.get(httpd.port, "/a").status == 200
    replace(httpd, "/a=v\n")

    def mended():
        httpd.mark()
        client.get(httpd.port, "/a", [("X-Test", "mended")])
        return httpd.access_of("mended")["worker"] == "v"
    assert proc.wait_until(mended, 10)


def test_the_file_alone(fresh_httpd, peer):
    """No JkMount anywhere."""
    httpd = fresh_httpd("", workers=workers(peer), vhosts={"one": f"JkMountFile {FILE}"}, files={FILE: "/a=w\n"})
    assert worker_of(httpd, "/a", "one") == "w" and worker_of(httpd, "/a") is None


