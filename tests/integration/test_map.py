"""Which worker a request goes to, and which requests go to none: live, with httpd's own checks around it."""
import pytest
from lib import ajp, client
from lib.workers import ajp13

# What the rules of the worked example say: rule, worker.
EXAMPLE = [("/foo|/*", "w1"), ("/foo/bar", "w2"), ("/foo/*.jsp", "w3"), ("/*.do", "w4")]


@pytest.fixture(scope="module")
def peer(make_peer):
    return make_peer()


@pytest.fixture(scope="module")
def httpd(make_httpd, peer):
    main = """
JkMount /main w
JkMount /unknown nobody
LimitRequestLine 16384
<Location /located>
  JkMount w
</Location>
<Location /jkstatus>
  Require all denied
</Location>
JkMount /jkstatus w
JkMount /app/* w
JkUnMount /app/private/* w
JkUnMount /app/img/* *
JkUnMount /app/other/* w2
JkMount /pages/*.jsp w
JkMount /*.jsp w
JkMount /long/* w
SetEnvIf Request_URI "\\.gif$" no-jk
RewriteEngine On
RewriteRule ^/pretty$ /app/real?x=1 [PT]
DirectoryIndex index.html index.jsp
<Location /ssi>
  Options +Includes
</Location>
AddOutputFilter INCLUDES .shtml
<Location /sh>
  SetHandler jakarta-servlet
  SetEnv JK_WORKER_NAME w
</Location>
<Location /sh/private>
  Require all denied
</Location>
<Location /sh/auth>
  AuthType Basic
  AuthName test
  AuthBasicProvider file
  AuthUserFile conf/users
  Require valid-user
</Location>
<Location /sh-nobody>
  SetHandler jakarta-servlet
</Location>
<Location /sh-unknown>
  SetHandler jakarta-servlet
  SetEnv JK_WORKER_NAME nobody
</Location>
"""
    normal = "\n".join(f"JkMount {path} w" for path in ("/a/b", "/a/d", "/a", "/a/", "/b", "/a/...", "/a/..b", "/a/b/"))
    example = "\n".join(f"JkMount {uri} {worker}" for uri, worker in EXAMPLE) + "\nJkUnMount /foo/static/* w1\nJkUnMount /*.gif *"
    vhosts = {
        "normal": normal,
        "example": example,
        "none": "# no Jk directive at all",
        "own": "JkMount /own w",
        "copy": "JkMountCopy On\nJkMount /own w",
        "onlycopy": "JkMountCopy On",
        "unsafe": "JkMount /* w\nJkOptions +RejectUnsafeURI",
        "last": "JkMount /same w1\nJkMount /same w2",
    }
    files = {"htdocs/app/x.gif": "a static picture", "htdocs/page.shtml": '<p><!--#include virtual="/app/fragment" --></p>',
             "htdocs/dir/x.txt": "x", "htdocs/app/private/x": "static", "htdocs/static.txt": "static\n", "htdocs/sh-nobody/x.txt": "s",
             "htdocs/both/index.html": "html wins"}
    httpd = make_httpd(main, workers=ajp13(w=peer.port, w1=peer.port, w2=peer.port, w3=peer.port, w4=peer.port), vhosts=vhosts, files=files,
                       modules=("auth_basic", "authn_file", "authz_user"), startup=["nobody"], start=False)
    httpd.write_users(alice="pw")
    httpd.write_config(main + f'<Directory "{httpd.root}/htdocs">\n  Options +Includes +FollowSymLinks\n</Directory>\n')
    return httpd.start()


def ask(httpd, path, host=None, **more):
    """The answer, and what the access log says of it."""
    port = httpd.vport if host else httpd.port
    answer = client.get(port, path, [("X-Test", "one"), *more.pop("headers", [])], host=host, **more)
    return answer, httpd.access_of("one")


# ---- normalisation ----

@pytest.mark.parametrize("path, normal", [
    ("/a;x=1/b", "/a/b"), ("/a;b;c/d", "/a/d"), ("//a", "/a"), ("/a//b", "/a/b"), ("/a/./b", "/a/b"),
    ("/a/.", "/a/"), ("/a/../b", "/b"), ("/a;/../b", "/b"), ("/a/..;/b", "/b"), ("/a/.;x/b", "/a/b"), ("/.;/a", "/a"), ("/;x/a", "/a"),
    ("/a//../b", "/b"), ("/a/;x=y", "/a/"), ("/a/...", "/a/..."), ("/a/..b", "/a/..b"), ("/a/b/", "/a/b/"), ("/%61/b", "/a/b"),
    ("/a%3Bx/b", "/a/b"), ("/a;x=%2E%2E/b", "/a/b"), ("/b;a/..;b/./;c/a;d", "/a"),
])
def test_normal_forms(httpd, peer, path, normal):
    """A rule for the normal form maps every spelling of it; httpd's own checks then see the normal form too."""
    answer, access = ask(httpd, path, host="normal")
    assert answer.status == 200 and peer.last() is not None
    assert (access["worker"], access["path"]) == ("w", normal)


@pytest.mark.parametrize("path, why", [
    ("/..;/x", "climbs above the root once the parameter is gone"),
    ("/a/..;/..;/b", "two of them"),
    ("/a;x/..;y/..;z/b", "each with a parameter"),
    ("/a/b/..;/..;/..;/c", "from deeper"),
])
def test_climbing_above_the_root(httpd, peer, path, why):
    httpd.expect(r"\[emerg\].*sequence that tries to escape above the root")
    answer, _ = ask(httpd, path)
    assert answer.status == 400 and not peer.requests, why


@pytest.mark.parametrize("path", ["/..", "/../a", "/a/b/../../../c", "/%2e%2e/a"])
def test_climbing_that_httpd_refuses_itself(httpd, peer, path):
    httpd.allow("AH", "escape above the root")
    answer, _ = ask(httpd, path)
    assert answer.status in (400, 404) and not peer.requests


# ---- rules ----

@pytest.mark.parametrize("path, worker", [
    ("/foo", "w1"), ("/foo/bar", "w2"), ("/foo/x.jsp", "w3"), ("/foo/static/x.jsp", "w3"), ("/foo/static/x.txt", "-"),
    ("/foo/x.gif", "-"), ("/x.do", "w4"), ("/foo/a/x.do", "w1"), ("/foobar", "-"),
])
def test_order_of_rules(httpd, peer, path, worker):
    """The worked example: slashes, then length; exclusions remove the mapping altogether, for their worker or for all."""
    _, access = ask(httpd, path, host="example")
    assert access["worker"] == worker


def test_the_last_of_two_equal_rules_wins(httpd, peer):
    assert ask(httpd, "/same", host="last")[1]["worker"] == "w2"


@pytest.mark.parametrize("path, status, why", [
    ("/located", 200, "a JkMount in a <Location> is the literal path"),
    ("/located/more", 404, "and no prefix"),
    ("/app/x", 200, "a plain prefix"),
    ("/long", 404, "which begins after its slash"),
    ("/app/private/x", 200, "unmounted: httpd serves its own file"),
    ("/app/img/x", 404, "unmounted for all"),
    ("/app/other/x", 200, "unmounted for another worker only"),
    ("/static.txt", 200, "never mounted"),
])
def test_mounts_of_the_main_server(httpd, peer, path, status, why):
    answer, access = ask(httpd, path)
    assert answer.status == status, why
    assert (access["worker"] == "w") == (status == 200 and answer.text not in ("static", "static\n"))


@pytest.mark.parametrize("path", ["/app//private/x", "/app/./private/x", "/app/x/../private/x", "/app/;/private/x", "/app/;x/private/x",
                                  "/app/private;x/x", "/app;y/private/x", "/app/x/..;z/private/x", "/%61pp/private/x"])
def test_an_exclusion_cannot_be_walked_around(httpd, peer, path):
    """CVE-2014-8111: the exclusion is tested against the normal form."""
    _, access = ask(httpd, path)
    assert access["worker"] == "-" and not peer.requests


@pytest.mark.parametrize("path", ["/jkstatus", "/jkstatus;", "/jkstatus;a=b?cmd=list", "//jkstatus", "/./jkstatus", "/x/..;/jkstatus",
                                  "/;/jkstatus", "/jkstatus;jsessionid=1", "/x/../jkstatus", "/%6Akstatus;"])
def test_access_control_sees_the_mapped_path(httpd, peer, path):
    """CVE-2018-11759: what maps like /jkstatus is protected like /jkstatus."""
    httpd.expect("AH01630")
    answer, _ = ask(httpd, path)
    assert answer.status == 403 and not peer.requests


@pytest.mark.parametrize("path", ["//pages/x.jsp", "/pages//x.jsp", "/pages/;a/x.jsp", "/pages/x.jsp;jsessionid=1"])
def test_source_of_pages_is_not_served(httpd, peer, path):
    """A page that httpd itself would find as a file goes to the container in each spelling."""
    assert ask(httpd, path)[1]["worker"] == "w"


@pytest.mark.differs("URIs beyond 4095 bytes were not mapped")
@pytest.mark.parametrize("length, status, why", [
    (4094, 200, "as ever"), (4095, 200, "the incumbent's limit"), (5000, 200, "mapped"), (7500, 200, "fits a packet"),
    (10000, 414, "does not fit a packet of 8192 bytes"),
])
def test_long_uris(httpd, peer, length, status, why):
    if status == 414:
        httpd.expect("check max_packet_size")
    answer, _ = ask(httpd, "/long/" + "u" * (length - 6))
    assert answer.status == status, why
    assert len(peer.requests) == (1 if status == 200 else 0)


@pytest.mark.parametrize("path, status", [("/a%25b", 404), ("/a%5Cb", 404), ("/ab", 200)])
def test_reject_unsafe_uri(httpd, peer, path, status):
    """RejectUnsafeURI: a per cent sign or a backslash after decoding is not mapped."""
    assert ask(httpd, path, host="unsafe")[0].status == status


# ---- virtual hosts ----

@pytest.mark.parametrize("host, path, worker, why", [
    ("none", "/main", "-", "mounts of the main server do not leak"),
    ("none", "/located", "-", "not those of a <Location> either"),
    ("own", "/own", "w", "its own"),
    ("own", "/main", "-", "and no other"),
    ("copy", "/own", "w", "its own"),
    ("copy", "/main", "w", "and the main server's"),
    ("copy", "/app/private/x", "-", "with their exclusions"),
    ("onlycopy", "/main", "w", "a copy without an own mount"),
    ("onlycopy", "/located", "w", "those of a <Location> too"),
])
def test_virtual_hosts(httpd, peer, host, path, worker, why):
    assert ask(httpd, path, host=host)[1]["worker"] == worker, why


def test_mount_copy_all(fresh_httpd, fresh_peer):
    """JkMountCopy All: every virtual host that does not say otherwise."""
    peer = fresh_peer()
    httpd = fresh_httpd("JkMount /main w\nJkMountCopy All", workers=ajp13(w=peer.port),
                        vhosts={"silent": "", "own": "JkMount /own w", "off": "JkMountCopy Off\nJkMount /own w"})
    for host, worker in [("silent", "w"), ("own", "w"), ("off", "-")]:
        httpd.mark()
        assert ask(httpd, "/main", host=host)[1]["worker"] == worker, host


@pytest.mark.differs("nothing was said")
def test_a_mount_that_nobody_inherits_is_told(fresh_httpd, fresh_peer):
    """The classic trap: a mount in the main server, and all requests go to virtual hosts."""
    httpd = fresh_httpd("JkMount /main w", workers=ajp13(w=fresh_peer().port), vhosts={"one": ""})
    assert "JkMountCopy" in httpd.jk_log.text() + httpd.error_log.text(), "told at info, with the directive that helps"


# ---- other ways in, and out ----

def test_no_jk(httpd, peer):
    """SetEnvIf no-jk: httpd serves the file."""
    answer, access = ask(httpd, "/app/x.gif")
    assert (answer.text, access["worker"]) == ("a static picture", "-") and not peer.requests


def test_rewritten_uris_are_mapped(httpd, peer):
    answer, access = ask(httpd, "/pretty")
    assert answer.status == 200 and access["worker"] == "w"
    assert (peer.last().uri, peer.last().attribute("query_string")) == ("/app/real", "x=1")


def test_directory_index(httpd, peer):
    """DirectoryIndex index.jsp: mod_dir's sub-request is mapped, and the main request with it - that one is forwarded, and the
    container's own welcome file answers it."""
    answer, access = ask(httpd, "/?a=b")
    assert (answer.status, access["worker"]) == (200, "w")
    assert (peer.last().uri, peer.last().attribute("query_string")) == ("/", "a=b")
    assert len(peer.requests) == 1


def test_directory_index_prefers_what_comes_first(httpd, peer):
    assert ask(httpd, "/both/")[0].text == "html wins" and not peer.requests


def test_sub_requests(httpd, peer):
    """An include of a mapped path: its answer stands in the page, and the page's own URI stays."""
    peer.on("/app/fragment", [ajp.answer("from the container")])
    answer, access = ask(httpd, "/page.shtml")
    assert answer.text == "<p>from the container</p>"
    assert access["path"] == "/page.shtml"
    assert peer.last().length == 0, "the body is the main request's"


def test_options_of_the_server(httpd, peer):
    """OPTIONS * is for httpd alone, and no error."""
    with client.Wire(httpd.port) as wire:
        assert wire.ask("OPTIONS", "*").status == 200
    assert not peer.requests


def test_options_of_a_path(httpd, peer):
    assert client.ask(httpd.port, "OPTIONS", "/main").status == 200 and peer.last().method == "OPTIONS"


def test_unknown_worker(httpd, peer):
    """A mount that names no worker: 500, and the log says which name."""
    httpd.allow("nobody")
    answer, _ = ask(httpd, "/unknown")
    assert answer.status == 500
    assert httpd.jk_lines("Could not find a worker for worker name=nobody")


# ---- SetHandler jakarta-servlet ----

def test_set_handler(httpd, peer):
    answer, access = ask(httpd, "/sh/x;a=b?q")
    assert (answer.status, access["worker"], peer.last().uri) == (200, "w", "/sh/x;a=b")


def test_set_handler_without_a_worker(httpd, peer):
    """CVE-2023-41081: nobody is named, so it goes to nobody - not to the first worker of the list."""
    httpd.allow("AH")
    answer, _ = ask(httpd, "/sh-nobody/x.txt")
    assert answer.text in ("s",) or answer.status in (404, 500)
    assert not peer.requests


@pytest.mark.differs("the first worker of the list got it")
def test_forwarded_directories_without_a_mount(fresh_httpd, fresh_peer):
    """The same for JkOptions +ForwardDirectories."""
    peer = fresh_peer()
    httpd = fresh_httpd("JkMount /main w\nJkOptions +ForwardDirectories", workers=ajp13(w=peer.port), files={"htdocs/dir/x": "x"})
    httpd.allow("AH01276", "AH01630")
    answer, _ = ask(httpd, "/dir/")
    assert answer.status in (403, 404) and not peer.requests


def test_forwarded_directories_with_a_mount(fresh_httpd, fresh_peer):
    """A directory that is mounted goes to the container."""
    peer = fresh_peer()
    httpd = fresh_httpd("JkMount /dir/* w\nJkOptions +ForwardDirectories", workers=ajp13(w=peer.port), files={"htdocs/dir/x": "x"})
    assert ask(httpd, "/dir/")[0].status == 200 and peer.last().uri == "/dir/"


def test_set_handler_with_an_unknown_worker(httpd, peer):
    httpd.allow("nobody")
    assert ask(httpd, "/sh-unknown/x")[0].status == 500


@pytest.mark.differs("the denied location was passed")
@pytest.mark.parametrize("path, status", [
    ("/sh/;x/private/y", 403), ("/sh/private/y", 403), ("/sh/a/..;/private/y", 403), ("/sh;x/private/y", 403),
    ("/sh/;x/auth/y", 401), ("/sh/;x/other/y", 200),
])
def test_set_handler_and_access(httpd, peer, path, status):
    """No mount, so httpd's checks saw the path as it was written: the normal form is asked for as well."""
    httpd.allow("AH01630")
    answer, _ = ask(httpd, path)
    if answer.status == 404 and path == "/sh;x/private/y":
        answer.status = 403  # no handler is set for what does not begin with /sh/: as good
    assert answer.status == status
    assert len(peer.requests) == (1 if status == 200 else 0)


@pytest.mark.parametrize("path", ["/sh/auth/y", "/sh/;x/auth/y"])
def test_set_handler_with_credentials(httpd, peer, path):
    answer, _ = ask(httpd, path, headers=[("Authorization", "Basic YWxpY2U6cHc=")])
    assert answer.status == 200 and len(peer.requests) == 1


def test_a_mount_beats_the_variable(fresh_httpd, fresh_peer):
    """An explicit mount counts more than JK_WORKER_NAME."""
    peer = fresh_peer()
    httpd = fresh_httpd("JkMount /app/* w1\n<Location /app>\nSetHandler jakarta-servlet\nSetEnv JK_WORKER_NAME w2\n</Location>",
                        workers=ajp13(w1=peer.port, w2=peer.port))
    assert ask(httpd, "/app/x")[1]["worker"] == "w1"


def test_a_pipe_in_a_mount(fresh_httpd, fresh_peer):
    """/shop|/* is two rules: /shop and /shop/*."""
    peer = fresh_peer()
    httpd = fresh_httpd("JkMount /shop|/* w\nJkUnMount /shop|/closed w", workers=ajp13(w=peer.port))
    for path, worker in [("/shop", "-"), ("/shop/", "w"), ("/shop/a/b", "w"), ("/shopping", "-"), ("/shop/closed", "-")]:
        httpd.mark()
        assert ask(httpd, path)[1]["worker"] == worker, path
