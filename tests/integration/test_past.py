"""What has once gone wrong with connectors of this kind, thrown at a live server: a test for each vulnerability, and for each weakness that was
found by reading. docs/security.md has the table; tools/break-past takes each fix out and sees the test go red.

Other files test the same rules at more length; here stands the input that once worked."""
import glob
import itertools
import os
import re
import socket
import threading

import pytest
from lib import ajp, client, proc
from lib.ajp_peer import CLOSE
from lib.workers import ajp13, lb

MARK = "ANOTHER-CLIENTS-ANSWER"


@pytest.fixture(scope="module")
def peer(make_peer):
    return make_peer()


@pytest.fixture(scope="module")
def wide(make_peer):
    """Takes packets of the largest size."""
    return make_peer(max_packet=65536, name="wide")


@pytest.fixture(scope="module")
def httpd(make_httpd, peer, wide):
    main = """
MergeSlashes Off
LimitRequestLine 70000
LimitRequestFieldSize 200000
LimitRequestFields 1000
JkMount /app/* w
JkUnMount /app/private/* w
JkMount /pages/sub/*.jsp w
JkMount /once/* once
JkMount /wide/* wide
JkMount /jkstatus w
<Location /jkstatus>
  Require all denied
</Location>
JkOptions +ForwardDirectories
<Location /handled>
  SetHandler jakarta-servlet
</Location>
"""
    workers = ajp13(first=peer.port, w=peer.port, once={"port": peer.port, "retries": 1}, wide={"port": wide.port, "max_packet_size": 65536})
    files = {"htdocs/pages/sub/x.jsp": "<% the source %>", "htdocs/app/private/x": "private", "htdocs/dir/x": "x", "htdocs/handled/x.txt": "s"}
    return make_httpd(main, workers=workers, files=files, vhosts={"a-name-that-is-rather-long." * 9 + "example": "JkMount /app/* w"})


serial = itertools.count()


def served(httpd, path, host=None):
    """The answer, and the worker that the access log names."""
    name = f"past{next(serial)}"
    answer = client.get(httpd.vport if host else httpd.port, path, [("X-Test", name)], host=host)
    return answer, httpd.access_of(name)["worker"]


def broken(httpd, peer, data, path="/once/x"):
    """What comes of an answer of these bytes: it must be refused, the connection must go, and the log must say why."""
    closed = []
    httpd.expect(r"\[(warn|error)\].*\(once\)")
    httpd.allow(".")
    peer.on(path, lambda ex: (ex.send(data), closed.append(ex.module_closes(3))))
    answer = client.get(httpd.port, path)
    assert proc.wait_until(lambda: closed == [True]), "the connection is not used again"
    assert peer.deliveries(path) == 1
    return answer


# ---- which request goes where ----

@pytest.mark.parametrize("path", ["/jkstatus;", "/jkstatus;a=b?cmd=list", "//jkstatus", "/./jkstatus", "/x/..;/jkstatus", "/;/jkstatus",
                                  "/x/;a/..;b/jkstatus", "/%6Akstatus;"])
def test_cve_2018_11759(httpd, peer, path):
    """Mapping and access control saw different paths (and CVE-2018-1323: the same of IIS)."""
    httpd.expect("AH01630")
    assert served(httpd, path)[0].status == 403 and not peer.requests


@pytest.mark.parametrize("path", ["/..;/x", "/app/..;/..;/x", "/..;/..;/jkstatus"])
def test_cve_2018_11759_above_the_root(httpd, peer, path):
    httpd.expect("escape above the root")
    assert served(httpd, path)[0].status == 400 and not peer.requests


@pytest.mark.parametrize("path", ["/app//private/x", "/app/./private/x", "/app/x/../private/x", "/app/;/private/x", "/app/x/..;z/private/x"])
def test_cve_2014_8111(httpd, peer, path):
    """An exclusion was walked around by slashes."""
    assert served(httpd, path)[1] == "-" and not peer.requests


def test_source_of_jsp(httpd, peer):
    """1.2.4: //pages/x.jsp was not mapped, and httpd served the file."""
    for path in ("//pages/sub/x.jsp", "/pages//sub/x.jsp", "/pages/;a/sub/x.jsp", "/pages/sub//x.jsp"):
        answer, worker = served(httpd, path)
        assert worker == "w" and "the source" not in answer.text, path


@pytest.mark.parametrize("path", ["/dir/", "/handled/x.txt", "/handled/"])
def test_cve_2023_41081(httpd, peer, path):
    """Nobody is named, and the first of worker.list got it."""
    httpd.allow("AH01276", "AH01630")
    served(httpd, path)
    assert not peer.requests


@pytest.mark.parametrize("uri, forwarded", [
    ("/app/%252e%252e/secret", "/app/%252e%252e/secret"), ("/app/%5C../secret", None), ("/app/a%255C..%255Cb", "/app/a%255C..%255Cb"),
    ("/app/a%5Cb", "/app/a%5Cb"), ("/app/%25252e/x", "/app/%25252e/x"),
])
def test_cve_2007_0450(httpd, peer, uri, forwarded):
    """And CVE-2007-1860: what httpd had decoded once, the container decoded again."""
    served(httpd, uri)
    if forwarded is None:
        assert peer.last() is None or "\\" not in peer.last().uri
    else:
        assert peer.last().uri == forwarded


@pytest.mark.parametrize("length", [4094, 4095, 4096, 4097, 5000, 7500, 8190, 10000, 65000])
@pytest.mark.parametrize("named", [False, True], ids=["main", "vhost"])
def test_cve_2007_0774(httpd, peer, length, named):
    """A URI over 4095 bytes ran over a buffer (CVE-2016-6808: together with the virtual host's name)."""
    host = next(iter(httpd.vhosts)) if named else None
    if length >= 8190:
        httpd.allow("check max_packet_size", "AH")
    answer, _ = served(httpd, "/app/" + "u" * (length - 5), host)
    assert answer.status == (200 if length < 7900 else 414), "mapped, or refused in words"
    assert client.get(httpd.port, "/app/after").status == 200


# ---- what a container may do to us ----

@pytest.mark.parametrize("why, chunk", [
    ("the advisory's", b"\x03\x1f\xffA"), ("all of 16 bits", b"\x03\xff\xffA"), ("one too many", b"\x03\0\x04abc"), ("no length", b"\x03"),
    ("half a length", b"\x03\0"),
])
def test_cve_2006_7197(httpd, peer, why, chunk):
    """A chunk that says more than its packet holds: the rest came from our memory."""
    answer = broken(httpd, peer, ajp.send_headers(200, [("X-A", "1")]) + ajp.packet(chunk) + ajp.end())
    assert answer.status == 500 and b"\0" not in answer.body


HEAD = b"\x04\0\xc8\0\2OK\0"


@pytest.mark.parametrize("why, payload", [
    ("headers that end after their type", b"\x04"), ("a count without its headers", HEAD + b"\0\x02"), ("no count", HEAD),
    ("a name's length alone", HEAD + b"\0\1\0\5"), ("a value that is cut", HEAD + b"\0\1\xa0\1\0\5ab"),
    ("a wish without its size", b"\x06"), ("half a size", b"\x06\x1f"), ("an unknown type", b"\x63"),
])
def test_truncated_messages(httpd, peer, why, payload):
    """1.2.49: a byte behind the message was read."""
    assert broken(httpd, peer, ajp.packet(payload)).status == 500


def test_an_end_without_its_flag(httpd, peer):
    assert broken(httpd, peer, ajp.send_headers(200, []) + ajp.packet(b"\x05")).status == 500


@pytest.mark.parametrize("code", [0xA000, 0xA00C, 0xA0FF])
def test_header_code_a000(httpd, peer, code):
    """A code without a name: the child crashed."""
    assert broken(httpd, peer, ajp.send_headers(200, [(code, "x")]) + ajp.end()).status == 500


@pytest.mark.parametrize("value", [b"\0\1x", b"\0\1xy", b"\x1f\xf0x\0"], ids=["at the payload's end", "another byte", "longer than the packet"])
def test_strings_without_their_end(httpd, peer, value):
    """The buffer was asked, not the payload: bytes of an earlier packet came out."""
    peer.on("/app/before", [ajp.answer(MARK * 200)])
    client.get(httpd.port, "/app/before")
    answer = broken(httpd, peer, ajp.packet(HEAD + b"\0\1\xa0\1" + value))
    assert answer.status == 500 and MARK not in answer.text and not any(MARK in v for _, v in answer.headers)


def test_a_left_over_is_nobodys_answer(httpd, peer):
    """Unread bytes on an idle connection counted as health, and were the next client's answer."""
    peer.on("/app/first", [ajp.answer("first")])
    peer.on("/app/second", [ajp.answer("second")])
    httpd.allow("(?i)waiting|unread|left")
    with client.Wire(httpd.port) as wire:
        assert wire.get("/app/first").text == "first"
        conn = peer.last().connection
        conn.send(ajp.answer(MARK))
        assert wire.get("/app/second").text == "second"
    assert proc.wait_until(conn.closed_by_module.is_set)


def test_a_left_over_before_the_cpong(fresh_httpd, fresh_peer):
    """An answer that comes in the place of a CPong: the connection is closed and the answer is nobody's."""
    peer = fresh_peer()
    httpd = fresh_httpd("JkMount /* w", workers=ajp13(w={"port": peer.port, "prepost_timeout": 2000, "ping_mode": "P", "retries": 1}))
    first = []
    peer.on_ping = lambda c: c.send(ajp.answer(MARK) + ajp.CPONG) if c in first or not first.append(c) else c.send(ajp.CPONG)
    httpd.allow(".")
    for _ in range(3):
        assert MARK not in client.get(httpd.port, "/x").text
    assert proc.wait_until(first[0].closed_by_module.is_set)


def test_a_cut_answer_is_seen_to_be_cut(httpd, peer):
    """It looked complete."""
    httpd.allow(".")
    peer.on("/app/cut", [ajp.send_headers(200), ajp.chunk(b"half"), ajp.FLUSH, CLOSE])
    answer = client.get(httpd.port, "/app/cut")
    assert answer.body == b"half" and not answer.complete


def test_transfer_encoding_of_the_container(httpd, peer):
    """Response smuggling: it was passed on before a body that httpd frames itself."""
    peer.on("/app/te", [ajp.answer("5\r\nhello\r\n0\r\n\r\n", headers=[("Transfer-Encoding", "chunked"), ("Connection", "X-B"), ("Keep-Alive", "9")])])
    with client.Wire(httpd.port) as wire:
        answer = wire.get("/app/te")
        assert answer.text == "5\r\nhello\r\n0\r\n\r\n" and answer.header("Transfer-Encoding") is None
        assert wire.get("/app/after").status == 200, "the connection is in step"


# ---- what a client may do to others ----

def test_cve_2008_5519_before_the_request(httpd, peer):
    """A body that does not come: the container waited for it on a connection that others used. Nothing is written at all."""
    client.get(httpd.port, "/app/warm")
    with client.Wire(httpd.port) as wire:
        wire.send("POST /app/gone HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc")
        wire.half_close()
        assert wire.answer().status == 400
    assert peer.deliveries("/app/gone") == 0


def test_cve_2008_5519_later(httpd, peer):
    """The container gets the empty packet, 12 34 00 02 00 00 or 12 34 00 00, and the connection ends."""
    seen, done = [], threading.Event()

    def script(ex):
        try:
            ex.first_packet()
            while ex.get_body():
                pass
            seen.append("empty packet")
        finally:
            seen.append(ex.module_closes())
            done.set()

    peer.on("/app/later", script)
    with client.Wire(httpd.port) as wire:
        wire.send("POST /app/later HTTP/1.1\r\nHost: x\r\nContent-Length: 20000\r\n\r\n" + "x" * 10000)
        wire.half_close()
        wire.answer()
    assert done.wait(10) and seen == ["empty packet", True]


def test_a_chunked_body_sends_nothing_unasked(httpd, peer):
    """Bug 14282: a packet that the container had not asked for was its next request."""
    early = []

    def script(ex):
        ex.conn.sock.settimeout(0.3)
        try:
            early.append(ex.conn.sock.recv(1, socket.MSG_PEEK))
        except TimeoutError:
            early.append(b"")
        ex.conn.sock.settimeout(None)
        ex.send(ajp.answer("done"))

    peer.on("/app/chunked", script)
    assert client.ask(httpd.port, "POST", "/app/chunked", body=b"x" * 100, chunked=True).text == "done"
    assert early == [b""]


@pytest.mark.parametrize("headers", [
    [("Transfer-Encoding", "chunked")], [("Connection", "close, X-Secret"), ("X-Secret", "1")], [("TE", "trailers")], [("Upgrade", "h2c")],
    [("Keep-Alive", "5")], [("Proxy-Authorization", "x")], [("Trailer", "X")],
], ids=lambda h: h[0][0])
def test_hop_by_hop_headers(httpd, peer, headers):
    """Request smuggling: Transfer-Encoding went on though the body was no longer chunked."""
    chunked = headers[0][0] == "Transfer-Encoding"
    client.ask(httpd.port, "POST", "/app/x", [] if chunked else headers, body=b"body", chunked=chunked)
    sent = {name.lower() for name, _ in peer.last().headers}
    assert not sent & {name.lower() for name, _ in headers} and "connection" not in sent


@pytest.mark.parametrize("size", [65400, 65533, 65534, 65535, 65536, 65540, 131072 + 10])
def test_strings_beyond_16_bits(httpd, wide, size):
    """The length was cut to 16 bits before it was checked: what followed was a packet of the client's own."""
    httpd.allow("check max_packet_size")
    inside = "y" * (size - 6) + "inside"
    answer = client.get(httpd.port, "/wide/x", [("X-Long", inside)])
    if answer.status == 200:
        assert wide.last().header("X-Long") == inside
    else:
        assert answer.status == 431 and not wide.requests
    assert (answer.status == 431) == (size + 200 > 65536)


def test_cve_2009_0033(fresh_httpd, fresh_peer):
    """One request that the container hangs up on took the member from everybody, for recover_time."""
    peer, other = fresh_peer(name="m1"), fresh_peer(name="m2")
    httpd = fresh_httpd("JkMount /* b", workers=lb("b", {"m1": peer.port, "m2": other.port}, {"sticky_session_force": 1}))
    httpd.allow(".")
    go = threading.Event()
    session = [("Cookie", "JSESSIONID=1.m1")]
    peer.on("/slow", lambda ex: (ex.wait(go), ex.send(ajp.answer("slow"))))
    peer.on("/bad", [CLOSE])
    with client.Wire(httpd.port) as wire:
        wire.request("GET", "/slow", session)
        assert proc.wait_until(lambda: peer.deliveries("/slow") == 1)
        client.ask(httpd.port, "POST", "/bad", session, body=b"x")
        assert '"peer": "m1"' in client.get(httpd.port, "/x", session).text
        go.set()
        assert wire.answer().text == "slow"


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_nothing_is_done_twice(httpd, peer, method):
    """recovery_options=0 sent a request again that the container may have worked on."""
    httpd.allow(".")
    peer.on("/app/twice", [CLOSE])
    assert client.ask(httpd.port, method, "/app/twice", body=b"x").status == 502
    assert peer.deliveries("/app/twice") == 1


def test_a_client_sets_no_attribute(httpd, peer):
    """Headers make no variables of the server's and no attributes of AJP's."""
    names = ("JK_WORKER_NAME", "JK_REMOTE_USER", "no-jk", "JK_ROUTE", "AJP_REMOTE_PORT", "remote_user", "secret", "REMOTE_USER", "AJP_SSL_PROTOCOL")
    _, worker = served(httpd, "/app/x")
    client.get(httpd.port, "/app/x", [(name, "evil") for name in names] + [("X-Test", "past")])
    sent = peer.last().attributes
    assert worker == "w" and not any(value == "evil" for _, value in sent)


# ---- logs ----

@pytest.mark.parametrize("text", ["%25n%25s%25n%25s", "%25s" * 50, "%257$n", "%25.9999d"])
def test_format_strings(httpd, peer, text):
    """Bug 37322: a message was a format."""
    httpd.allow(".")
    peer.on("/app/" + text.replace("%25", "%"), [CLOSE])
    peer.default = [CLOSE]
    answer = client.get(httpd.port, "/app/" + text)
    assert answer.status == 502
    served(httpd, "/..;/" + text)
    assert [ln for ln in httpd.jk_lines("escape above the root") if text.replace("%25", "%")[:4] in ln]


def test_control_characters_in_the_log(httpd, peer):
    """%0A in a URI wrote a line of its own."""
    httpd.allow("escape above the root")
    forged = "[Sat Jan 01 00:00:00.000 2028] [X] [1:1] [error] forged::x.c (1): all is lost"
    served(httpd, "/..;/" + (f"\r\n{forged}\x1b[2J".replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A").replace("\x1b", "%1B")
                             .replace(" ", "%20").replace("[", "%5B").replace("]", "%5D")))
    assert not [ln for ln in httpd.jk_log.since_mark() if ln.startswith("[Sat Jan 01 00:00:00.000 2028]")]
    assert not any("\x1b" in ln or "\r" in ln for ln in httpd.jk_log.since_mark())


# ---- other users of the machine ----

def test_cve_2024_46544(fresh_httpd, fresh_peer):
    """Shared memory and its lock were files of mode 666 where the umask let them be, and a long name ran over a buffer. Here there is no file."""
    peer = fresh_peer()
    name = "run/" + "s" * 200 + "/" + "m" * 200
    httpd = fresh_httpd(f"JkMount /* w\nJkShmFile {name}", workers=ajp13(w=peer.port), start=False)
    old = os.umask(0)
    try:
        httpd.start()
    finally:
        os.umask(old)
    assert client.get(httpd.port, "/x").status == 200
    assert not [path for path in glob.glob(httpd.root + "/**", recursive=True) if "sss" in path[len(httpd.root):]]
    for pid in {httpd.pid, *proc.children_of(httpd.pid)}:
        with open(f"/proc/{pid}/maps") as maps:
            lines = [line.split(maxsplit=5) for line in maps]
        named = [line for line in lines if line[1].endswith("s") and len(line) > 5 and not line[5].startswith(("/dev/zero", "/SYSV"))]
        assert not named, "shared memory that other users can name"


def test_descriptors_do_not_leak(httpd, peer):
    """Bug 48169: a program that httpd starts held the container's connections."""
    client.get(httpd.port, "/app/warm")
    for pid in proc.children_of(httpd.pid):
        for fd in os.listdir(f"/proc/{pid}/fd"):
            try:
                target = os.readlink(f"/proc/{pid}/fd/{fd}")
                flags = int(next(line for line in open(f"/proc/{pid}/fdinfo/{fd}") if line.startswith("flags")).split()[1], 8)
            except (FileNotFoundError, PermissionError):
                continue
            if target.startswith("socket:") and inode_port(pid, target) == peer.port:
                assert flags & os.O_CLOEXEC, f"{target} of {pid}"


def inode_port(pid, target):
    inode = target[8:-1]
    with open(f"/proc/{pid}/net/tcp") as f:
        for line in f:
            word = line.split()
            if len(word) > 9 and word[9] == inode:
                return int(word[2].split(":")[1], 16)
    return None


# ---- secrets ----

def test_cve_2020_1938(fresh_httpd, fresh_peer):
    """A container asks for a secret: it goes with each request, of a balancer to its members, and never anywhere else."""
    peer = fresh_peer()
    workers = lb("b", {"m": peer.port}, {"secret": "s3cret-of-b"}) + \
        f"worker.list=o\nworker.o.type=ajp13\nworker.o.host=127.0.0.1\nworker.o.port={peer.port}\nworker.o.secret=s3cret-of-o\n"
    httpd = fresh_httpd("JkMount /b/* b\nJkMount /o/* o\nJkLogLevel trace", workers=workers)
    for path, secret in ("/b/x", "s3cret-of-b"), ("/o/x", "s3cret-of-o"):
        answer = client.get(httpd.port, path)
        assert peer.last().attribute("secret") == secret
        assert "s3cret" not in "".join(f"{name}{value}" for name, value in answer.headers)
    assert not any("s3cret" in log.text() for log in httpd.logs())
    _, said = httpd.run("-t", "-D", "DUMP_JK")
    assert "worker o " in said and "s3cret" not in said


def test_secrets_are_dumped_by_no_way_round(fresh_httpd):
    """secretkey, and the variable that a secret was made of, were shown."""
    workers = ajp13(w={"port": 8009, "secretkey": "s3cret-key", "secret": "$(made)x"}).replace("worker.list", "made=s3cret-part\nworker.list") + \
        "worker.list=v\nworker.v.host=$(made).invalid\nworker.v.retries=$(made)\nworker.v.route=$(made)\n"
    httpd = fresh_httpd("JkMount /* w", workers=workers, start=False)
    _, said = httpd.run("-t", "-D", "DUMP_JK")
    assert "worker w " in said and "s3cret" not in said


# ---- configuration ----

@pytest.mark.parametrize("mount, key", [
    ("w;use_server_errors=70000", ""), ("w;use_server_errors=-5", ""), ("w;fail_on_status=99999", ""), ("w", "fail_on_status=99999"),
    ("w", "fail_on_status=-7x"), ("w", "fail_on_status=0"),
])
def test_statuses_are_checked(fresh_httpd, mount, key):
    """Any number was one."""
    httpd = fresh_httpd("JkMount /* " + mount, workers=ajp13(w=8009) + (f"worker.w.{key}\n" if key else ""), start=False)
    assert re.search(r"(use_server_errors|fail_on_status)", httpd.configtest()[1])


def test_a_broken_reload_keeps_the_map(fresh_httpd, fresh_peer):
    """It switched to a map whose memory had been given back."""
    peer = fresh_peer()
    httpd = fresh_httpd("JkMountFile conf/uri.properties\nJkMountFileReload 1", workers=ajp13(w=peer.port), files={"conf/uri.properties": "/kept/*=w\n"})
    assert served(httpd, "/kept/x")[1] == "w"
    httpd.allow(".")
    httpd.write("conf/uri.properties", b"/other=w\n\0\n")
    assert proc.wait_until(lambda: served(httpd, "/kept/x") and httpd.jk_lines("stays in force", seconds=0.1), 8)
    assert {served(httpd, "/kept/x")[1] for _ in range(10)} == {"w"}
    os.unlink(httpd.path("conf/uri.properties"))
    assert proc.wait_until(lambda: served(httpd, "/kept/x") and httpd.jk_lines("uri.properties.*(gone|not there|No such file|cannot)", seconds=0.1), 8)
    assert {served(httpd, "/kept/x")[1] for _ in range(10)} == {"w"}


def test_equal_rules_have_an_order(fresh_httpd, fresh_peer):
    """qsort decided."""
    peer = fresh_peer()
    mounts = "\n".join(f"JkMount /{name}*/x w{i}" for i, name in enumerate("abcdefghij"))
    httpd = fresh_httpd(mounts + "\nJkMount /*a/x w0\nJkMount /*b/x w1\nJkMount /*/?x w2\nJkMount /*/x? w3",
                        workers=ajp13(**{f"w{i}": peer.port for i in range(10)}))
    assert [served(httpd, path)[1] for path in ("/ab/x", "/aa/x", "/q/xx", "/ja/x")] == ["w0", "w0", "w2", "w9"]


@pytest.mark.parametrize("path", ["/app/WEB-INF/web.xml", "/app/web-inf/web.xml", "/app/deep/er/Web-Inf/web.xml", "/app/META-INF/x", "/app/deep/meta-inf/x",
                                  "/app//WEB-INF/web.xml", "/app/./WEB-INF/web.xml", "/app/;a/WEB-INF/web.xml", "/app/%57EB-INF/web.xml", "/app.war"])
def test_jk_auto_alias_hides_what_is_inside(aliased, path):
    """Only the second segment was looked at."""
    aliased.allow("AH")
    answer = client.get(aliased.port, path)
    assert answer.status in (403, 404) and "inside" not in answer.text


@pytest.fixture(scope="module")
def aliased(make_httpd):
    files = {"webapps/" + name: "inside" for name in ("app/WEB-INF/web.xml", "app/web-inf/web.xml", "app/deep/er/Web-Inf/web.xml", "app/META-INF/x",
                                                      "app/deep/meta-inf/x", "app.war")}
    httpd = make_httpd("JkAutoAlias webapps", workers=ajp13(w=8009), files=files, start=False)
    httpd.write_config(f'JkAutoAlias {httpd.root}/webapps\n<Directory "{httpd.root}/webapps">\n  Require all granted\n</Directory>')
    return httpd.start()


def test_a_forged_session_leads_to_members_alone(fresh_httpd, fresh_peer):
    """A session's id is text that anybody can write: what is no member's route chooses nobody, and nothing of it is shown or stored."""
    one, two = fresh_peer(name="one"), fresh_peer(name="two")
    httpd = fresh_httpd("JkMount /* b", workers=lb("b", {"m1": one.port, "m2": two.port}))
    for path, cookie in (("/x;jsessionid=1.../../m1", ""), ("/x", "JSESSIONID=1." + "m" * 4000), ("/x", 'JSESSIONID="1.m1%00"; JSESSIONID=;'),
                         ("/a;jsessionid=1.nobody;jsessionid=2.m1/b", "")):
        assert client.get(httpd.port, path, [("Cookie", cookie)] if cookie else []).status == 200
    assert len(one.requests) + len(two.requests) == 4
