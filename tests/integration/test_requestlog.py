"""JkRequestLogFormat (one line for each request that was a worker's), and where the log's lines go: JkLogFile in all its forms, a log
that cannot be opened or written, programs that are stuck."""
import os
import re
import signal

import pytest
from lib import ajp, client, proc
from lib.ajp_peer import RefusedPort
from lib.httpd import INCUMBENT, LogFile
from lib.workers import ajp13

STAMP = r"^\[[^]]+ \d\d:\d\d:\d\d\.\d{3} \d{4}\] "
DOWN = "connecting to backend failed"
REFUSED = ["a%%b", "100%", "%>s", "%{X}i", "%a", "%X%w"]


@pytest.fixture(scope="module")
def peer(make_peer):
    return make_peer()


FORMATS = {
    "bytes": "%b|%B", "protocol": "%H", "method": "%m", "port": "%p", "query": "%q", "line": "%r", "route": "%R", "status": "%s", "time": "%T",
    "path": "%U", "name": "%v", "canonical": "%V", "worker": "%w", "text": r"a\tb\nc\\d\qe", "adjacent": "%w%s%m", "end": "%w ",
}


@pytest.fixture(scope="module")
def httpd(make_httpd, peer):
    mount = "JkMount /w/* w\nJkMount /down/* down\nJkMount /lost/* nobody\n"
    vhosts = {name: f"{mount}JkLogFile logs/{name}.log\nJkRequestLogFormat \"{form}\"" for name, form in FORMATS.items()}
    for i, form in enumerate(REFUSED):
        vhosts[f"refused{i}"] = f"{mount}JkLogFile logs/refused{i}.log\nJkRequestLogFormat \"{form}\""
    vhosts["inherits"] = mount
    vhosts["stamp"] = f'{mount}JkLogFile logs/stamp.log\nJkLogStampFormat "%Y %q "\nJkRequestLogFormat "%U"'
    vhosts["quiet"] = f"{mount}JkLogFile logs/quiet.log\nJkLogLevel emerg\nJkRequestLogFormat \"%U\""
    vhosts["nojk"] = f'{mount}JkLogFile logs/nojk.log\nJkRequestLogFormat "%U %s"\nSetEnvIf X-No 1 no-jk\nRedirect /w/elsewhere /x\n' \
                     "<Location /w/denied>\nRequire all denied\n</Location>\nDirectoryIndex index.w\nJkMount /*.w w\nErrorDocument 503 /w/sorry"
    vhosts["handler"] = 'JkLogFile logs/handler.log\nJkRequestLogFormat "%w %s %U"\n<Location />\nSetHandler jakarta-servlet\n</Location>\n' \
                        'SetEnvIf X-W "(.+)" JK_WORKER_NAME=$1\nRewriteEngine off'
    down = RefusedPort()
    yield make_httpd(f'{mount}JkRequestLogFormat "%w %s %U%q"', workers=ajp13(w=peer.port, down=down.port), vhosts=vhosts,
                     files={"htdocs/f.txt": "x", "htdocs/d/x": "x"},
                     startup=["JkRequestLogFormat: '%.' is no escape", "JkRequestLogFormat: '%' is no escape", "there is no worker 'nobody'"])
    down.stop()


def lines_of(httpd, log):
    """The request lines of a log: those that have no pid and level."""
    httpd.wait_idle()
    text = LogFile(httpd.path(f"logs/{log}.log")).text()
    return [re.sub(STAMP, "", ln) for ln in text.split("\n") if ln and not re.search(r"\[\d+:\d+\] \[\w+\]", ln)]


def last_line(httpd, host, path="/w/x", method="GET", headers=(), **more):
    answer = client.ask(httpd.vport, method, path, [*headers, ("Connection", "close")], host=host, **more)
    return answer, lines_of(httpd, host)[-1]


# ---- the escapes ----

@pytest.mark.parametrize("host, path, expected", [
    ("protocol", "/w/x", "HTTP/1.1"), ("method", "/w/x", "GET"), ("port", "/w/x", "80"), ("query", "/w/x?a=%20b", "?a=%20b"), ("query", "/w/x", ""),
    ("query", "/w/x?", "?"), ("line", "/w/x;p=1?q", "GET /w/x;p=1?q HTTP/1.1"), ("route", "/w/x", "-"), ("status", "/w/x", "200"),
    ("path", "/w//a/./b;p=1/%41?q", "/w/a/b/A"), ("name", "/w/x", "name"), ("canonical", "/w/x", "canonical"), ("worker", "/w/x", "w"),
    ("adjacent", "/w/x", "w200GET"), ("end", "/w/x", "w "),
])
def test_each_escape(httpd, host, path, expected):
    assert last_line(httpd, host, path)[1] == expected


def test_the_duration(httpd):
    assert re.fullmatch(r"\d+\.\d{6}", last_line(httpd, "time")[1])


@pytest.mark.differs("%b of an empty body was 0", only="^-")
@pytest.mark.parametrize("body, expected", [(b"", "-|0"), (b"x" * 12345, "12345|12345")])
def test_bytes_sent(httpd, peer, body, expected):
    """Of the body; none is a dash or a nought."""
    peer.default = [ajp.answer(body)]
    assert last_line(httpd, "bytes")[1] == expected


def test_backslashes(httpd):
    """\\t, \\n and \\\\ are what they stand for, any other backslash stays."""
    client.get(httpd.vport, "/w/x", host="text")
    assert lines_of(httpd, "text")[-2:] == ["a\tb", r"c\d\qe"]


@pytest.mark.parametrize("i", range(len(REFUSED)))
def test_an_unknown_escape(httpd, i):
    """The whole format is refused, the rest works."""
    assert client.get(httpd.vport, "/w/x", host=f"refused{i}").status == 200
    assert lines_of(httpd, f"refused{i}") == []


@pytest.mark.differs("nothing was said in the check")
def test_an_unknown_escape_is_a_finding(httpd):
    code, words = httpd.configtest()
    assert code == 0
    for wrong in ("%%", "%", "%>", "%{", "%a", "%X"):
        assert f"JkRequestLogFormat: '{wrong}' is no escape; allowed: %b %B %H" in words
    assert re.search(r"httpd.conf:\d+: JkRequestLogFormat", words)


# ---- which requests ----

def test_it_is_inherited(httpd, peer):
    for port, host in ((httpd.port, None), (httpd.vport, "inherits")):
        client.get(port, "/w/here?q=1", host=host)
        assert lines_of(httpd, "mod_jk")[-1] == "w 200 /w/here?q=1"


def test_errors_are_logged_too(httpd, peer):
    httpd.allow("down", "nobody")
    peer.on("/w/teapot", [ajp.answer(b"no", 418, reason="teapot")])
    peer.on("/w/none", [ajp.send_headers(404) + ajp.end()])
    for path, status in (("/down/x", 503), ("/lost/x", 500), ("/w/teapot", 418), ("/w/none", 404)):
        assert client.get(httpd.port, path).status == status
        assert lines_of(httpd, "mod_jk")[-1].endswith(f" {status} {path}")


@pytest.mark.differs("an error page was glued on, and the answer looked complete")
def test_an_answer_that_broke_off(httpd, peer):
    httpd.allow("broke off", "Tomcat", "sending request", "\\(w\\)")
    peer.on("/w/cut", [ajp.send_headers(200), ajp.chunk(b"half"), ajp.FLUSH, lambda ex: ex.close()])
    assert not client.get(httpd.port, "/w/cut").complete
    assert lines_of(httpd, "mod_jk")[-1] == "w 200 /w/cut"


@pytest.mark.parametrize("path, headers, status, why", [
    ("/f.txt", [], 200, "not mapped"), ("/w/x", [("X-No", "1")], 404, "no-jk"), ("/w/denied/x", [], 403, "it never came to the handler"),
])
def test_what_is_not_ours(httpd, path, headers, status, why):
    before = lines_of(httpd, "nojk")
    httpd.allow("AH01630")
    assert client.get(httpd.vport, path, headers, host="nojk").status == status
    assert lines_of(httpd, "nojk") == before, why


@pytest.mark.differs("the status was the handler's, not that of the end")
def test_one_line_where_httpd_goes_on_by_itself(httpd, peer):
    """An index page below a directory; an error page that is a worker's too: one request of a client, one line."""
    httpd.allow("down")
    before = len(lines_of(httpd, "nojk"))
    assert client.get(httpd.vport, "/d/", host="nojk").status == 200
    assert lines_of(httpd, "nojk")[before:] == ["/d/ 200"]
    assert client.get(httpd.vport, "/down/x", host="nojk").status == 200, "the error page's own"
    assert lines_of(httpd, "nojk")[before + 1:] == ["/down/x 200"], "the status is that of the end"


@pytest.mark.parametrize("worker, line", [("w", "w 200 /h"), ("nobody", "nobody 500 /h")])
def test_sethandler(httpd, worker, line):
    httpd.allow("nobody")
    client.get(httpd.vport, "/h", [("X-W", worker)], host="handler")
    assert lines_of(httpd, "handler")[-1] == line


def test_sethandler_without_a_worker(httpd):
    before = lines_of(httpd, "handler")
    client.get(httpd.vport, "/h", host="handler")
    assert lines_of(httpd, "handler") == before


# ---- the line ----

def test_the_levels_do_not_matter(httpd):
    assert last_line(httpd, "quiet")[1] == "/w/x"


def test_its_stamp(httpd):
    """The server's own, and nothing else before the text."""
    client.get(httpd.vport, "/w/x", host="stamp")
    httpd.wait_idle()
    assert re.fullmatch(r"\d{4} \d{6} /w/x", LogFile(httpd.path("logs/stamp.log")).lines()[-1])


@pytest.mark.differs("it wrote its own lines")
@pytest.mark.parametrize("raw", ["%0Aforged", "%0D%0Aforged", "%1Bx", "%7Fx", "%09x"])
def test_a_client_writes_no_line(httpd, raw):
    _, line = last_line(httpd, "path", "/w/" + raw)
    assert re.fullmatch(r"/w/(\\x[0-9a-f]{2})+(forged|x)", line)


@pytest.mark.differs("1 KB")
def test_a_long_line(httpd):
    client.get(httpd.vport, "/w/" + "u" * 6000, host="path")
    httpd.wait_idle()
    line = LogFile(httpd.path("logs/path.log")).lines()[-1]
    assert len(line) + 1 == 4095 and line.endswith("u...")


def test_a_password_is_not_shown(httpd):
    """Of an absolute URI with user and password."""
    client.get(httpd.vport, "http://bob:secret@line/w/x", host="line")
    assert "secret" not in lines_of(httpd, "line")[-1]


# ---- JkLogFile ----

def lines_with(path, word):
    return [ln for ln in LogFile(path).lines() if word in ln]


@pytest.fixture
def down():
    one = RefusedPort()
    yield one
    one.stop()


def refused(httpd, host=None):
    httpd.allow(DOWN, "down", "Could not", "Service error")
    assert client.get(httpd.vport if host else httpd.port, "/x", host=host).status == 503


def test_paths_below_serverroot_and_absolute(fresh_httpd, down):
    httpd = fresh_httpd("JkMount /* down", workers=ajp13(down=down.port), start=False)
    os.mkdir(httpd.path("other"))
    httpd.vhosts = {"relative": "JkMount /* down\nJkLogFile other/jk.log", "absolute": f"JkMount /* down\nJkLogFile {httpd.root}/other/abs.log"}
    httpd.write_config()
    httpd.start()
    for host, log in (("relative", "other/jk.log"), ("absolute", "other/abs.log")):
        refused(httpd, host)
        assert proc.wait_until(lambda log=log: lines_with(httpd.path(log), DOWN))
        assert os.stat(httpd.path(log)).st_mode & 0o777 == 0o644


def fds_of(pid):
    found = []
    for fd in os.listdir(f"/proc/{pid}/fd"):
        try:
            found.append(os.readlink(f"/proc/{pid}/fd/{fd}"))
        except FileNotFoundError:
            pass
    return found


@pytest.mark.differs("the program was often started twice")
def test_one_name_one_descriptor(fresh_httpd, down):
    """In whatever virtual hosts, with whatever stamps; a program is started once."""
    httpd = fresh_httpd("JkMount /* down", workers=ajp13(down=down.port), defaults=False, start=False)
    pipe = '"|/bin/sh -c \'echo started >> %s; exec cat >> %s\'"' % (httpd.path("logs/count"), httpd.path("logs/piped"))
    httpd.vhosts = {f"h{i}": f"JkMount /* down\nJkLogFile {pipe}\nJkLogStampFormat \"%Y{i} \"" for i in range(3)}
    httpd.vhosts.update({f"f{i}": f"JkMount /* down\nJkLogFile logs/jk.log\nJkLogStampFormat \"%Y{i} \"" for i in range(3)})
    httpd.write_config("JkWorkersFile conf/workers.properties\nJkLogFile logs/jk.log\nJkMount /* down")
    httpd.start()
    for i in range(3):
        refused(httpd, f"h{i}")
        refused(httpd, f"f{i}")
        for log in ("piped", "jk.log"):
            assert proc.wait_until(lambda: [ln for ln in lines_with(httpd.path(f"logs/{log}"), DOWN) if re.match(rf"\d{{4}}{i} \[", ln)]), (log, i)
    assert fds_of(httpd.pid).count(httpd.path("logs/jk.log")) == 1
    assert LogFile(httpd.path("logs/count")).lines() == ["started"]


@pytest.mark.differs("the start failed")
@pytest.mark.parametrize("name, words", [("nowhere/jk.log", "there is no directory"), ("htdocs", "it is a directory"),
                                         ("conf/httpd.conf/x.log", "there is no directory")])
def test_a_log_that_cannot_be_opened(fresh_httpd, down, name, words):
    """-t says so. It is no reason not to serve: the lines go to httpd's error log, and JkStrict On refuses it."""
    httpd = fresh_httpd("JkMount /* down", workers=ajp13(down=down.port), defaults=False, start=False, startup=["could not open JkLog file"])
    main = f"JkWorkersFile conf/workers.properties\nJkLogFile {name}\nJkMount /* down"
    httpd.write_config(main)
    code, said = httpd.configtest()
    assert code == 0 and re.search(rf"httpd.conf:\d+: could not open JkLog file {httpd.root}/{name}: .*{words}", said)
    httpd.start()
    refused(httpd)
    assert httpd.error_lines(rf"\[jk:error\].*\[NO-ID\].*{DOWN}.*\[JK\d{{4}}\]")
    httpd.allow("could not open")
    httpd.graceful()
    refused(httpd)
    httpd.write_config(main + "\nJkStrict On")
    assert httpd.configtest()[0] != 0


def test_no_log_file_named(fresh_httpd):
    """The default is told, in httpd's log."""
    httpd = fresh_httpd(workers=ajp13(w=1), defaults=False, start=False)
    httpd.write_config("JkWorkersFile conf/workers.properties\nJkMount /* w\nLogLevel info")
    assert INCUMBENT or "no JkLogFile defined: using default logs/mod_jk.log" in httpd.configtest()[1]


@pytest.mark.differs("lines were lost")
def test_a_full_disk(fresh_httpd, down):
    """Every line at its own level in httpd's error log, without a stamp of ours."""
    httpd = fresh_httpd("JkMount /* down", workers=ajp13(down=down.port),
                        vhosts={"full": 'JkMount /* down\nJkLogFile /dev/full\nJkRequestLogFormat "line %U"'})
    refused(httpd, "full")
    assert httpd.error_lines(rf"\[jk:error\].* \[NO-ID\] \[\d+:\d+\] \[error\] .*{DOWN}")
    assert httpd.error_lines(r"\[jk:info\].*Service error=503") and httpd.error_lines(r"\[jk:info\].* line /x$")


@pytest.mark.parametrize("prefix", ["|", "||", "|$"])
def test_forms_of_a_pipe(fresh_httpd, down, prefix):
    """As CustomLog has them: a program, or with $ a line of a shell."""
    httpd = fresh_httpd("JkMount /* down", workers=ajp13(down=down.port), defaults=False, start=False)
    piped = httpd.path("logs/piped")
    command = f"exec cat >> {piped}" if prefix == "|$" else f"/usr/bin/tee -a {piped}"
    httpd.write_config(f'JkWorkersFile conf/workers.properties\nJkLogFile "{prefix}{command}"\nJkMount /* down')
    httpd.start()
    refused(httpd)
    assert proc.wait_until(lambda: lines_with(piped, DOWN))


@pytest.mark.differs("requests hung")
def test_a_stuck_program(fresh_httpd, down):
    """It reads nothing any more: requests go on, and what does not fit goes to httpd's error log."""
    httpd = fresh_httpd("JkMount /* down", workers=ajp13(down=down.port), defaults=False, start=False)
    pidfile = httpd.path("logs/pid")
    httpd.write_config("JkWorkersFile conf/workers.properties\nJkMount /* down\nJkLogLevel error\nJkRequestLogFormat \"%r\"\nLimitRequestLine 16000\n"
                       f"JkLogFile \"|/bin/sh -c 'echo $$ > {pidfile}; exec cat > /dev/null'\"")
    httpd.start()
    assert proc.wait_until(lambda: LogFile(pidfile).lines())
    pid = int(LogFile(pidfile).lines()[0])
    assert pid in proc.children_of(httpd.pid), "a program that we started"
    os.kill(pid, signal.SIGSTOP)
    try:
        for _ in range(24):  # a pipe holds 64 KB
            httpd.allow(DOWN, "down")
            assert client.get(httpd.port, "/" + "u" * 5000).status == 503
        assert httpd.error_lines(r"\[jk:info\].*GET /uuu")
    finally:
        os.kill(pid, signal.SIGCONT)


def test_a_program_that_died(fresh_httpd, down):
    """httpd starts it anew; no request fails meanwhile."""
    httpd = fresh_httpd("JkMount /* down", workers=ajp13(down=down.port), defaults=False, start=False)
    pidfile, piped = httpd.path("logs/pid"), httpd.path("logs/piped")
    httpd.write_config("JkWorkersFile conf/workers.properties\nJkMount /* down\n"
                       f"JkLogFile \"|/bin/sh -c 'echo $$ >> {pidfile}; exec cat >> {piped}'\"")
    httpd.start()
    assert proc.wait_until(lambda: LogFile(pidfile).lines())
    pid = int(LogFile(pidfile).lines()[0])
    assert pid in proc.children_of(httpd.pid)
    httpd.allow("AH00106|piped log program .* failed unexpectedly|AH0010\\d")
    os.kill(pid, signal.SIGKILL)
    refused(httpd)
    assert proc.wait_until(lambda: len(LogFile(pidfile).lines()) == 2), "started anew"
    before = len(lines_with(piped, DOWN))
    refused(httpd)
    assert proc.wait_until(lambda: len(lines_with(piped, DOWN)) > before)
