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
    normal = "\n".join(f"JkMount {path} w" for path in ("/", "/a/b", "/a/d", "/a", "/a/", "/b", "/a/...", "/a/..b", "/a/b/", "/a/%2e%2e/b"))
    example = "\n".join(f"JkMount {uri} {worker}" for uri, worker in EXAMPLE) + "\nJkUnMount /foo/static/* w1\nJkUnMount /*.gif *"
    vhosts = {
        "normal": normal,
        "example": example,
        "examplefile": "JkMountFile conf/example.properties",
        "none": "# no Jk directive at all",
        "own": "JkMount /own w",
        "copy": "JkMountCopy On\nJkMount /own w",
        "onlycopy": "JkMountCopy On",
        "unsafe": "JkMount /* w\nJkOptions +RejectUnsafeURI",
        "last": "JkMount /same w1\nJkMount /same w2",
    }
    files = {"htdocs/app/x.gif": "a static picture", "htdocs/page.shtml": '<p><!--#include virtual="/app/fragment" --></p>',
             "htdocs/dir/x.txt": "x", "htdocs/app/private/x": "static", "htdocs/static.txt": "static\n", "htdocs/sh-nobody/x.txt": "s",
             "htdocs/both/index.html": "html wins",
             "conf/example.properties": "".join(f"{uri}={worker}\n" for uri, worker in EXAMPLE) + "!/foo/static/*=w1\n!/*.gif=*\n"}
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
    ("/.", "/"), ("/a/..", "/"), ("/a/%252e%252e/b", "/a/%2e%2e/b"), ("/a;x=1/../b;y", "/b"),
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

@pytest.mark.parametrize("host", ["example", "examplefile"])
@pytest.mark.parametrize("path, worker", [
    ("/foo", "w1"), ("/foo/bar", "w2"), ("/foo/x.jsp", "w3"), ("/foo/static/x.jsp", "w3"), ("/foo/static/x.txt", "-"),
    ("/foo/x.gif", "-"), ("/x.do", "w4"), ("/foo/a/x.do", "w1"), ("/foobar", "-"),
])
def test_order_of_rules(httpd, peer, path, worker, host):
    """The worked example, in directives and in a rule file: slashes, then length; exclusions remove the mapping altogether, for their worker or
    for all."""
    _, access = ask(httpd, path, host=host)
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


@pytest.mark.differs("URIs beyond 4095 bytes were not mapped", only="^(5000|7500|10000)")
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


@pytest.mark.differs("the denied location was passed", only=r"/sh/;x/(private|auth)|/a/\.\.;")
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


# ---- where a mount may stand ----

@pytest.fixture(scope="module")
def sections(make_httpd, peer):
    """Mounts inside of sections: the section's own text is the pattern, or the name of the path."""
    main = """
<Location "/wild/*">
  JkMount w
</Location>
<LocationMatch "/match/.*x">
  JkMount w
</LocationMatch>
<Directory "/some/dir">
  JkMount w
</Directory>
<Files "/a.do">
  JkMount w
</Files>
<Location /un>
  JkUnMount w
</Location>
JkMount /un* w
<Location "/piped|/*">
  JkMount w
</Location>
"""
    return make_httpd(main, workers=ajp13(w=peer.port), vhosts={"own": "<Location /here>\nJkMount w\n</Location>", "none": "<Location /x>\n</Location>"})


@pytest.mark.parametrize("path, worker, why", [
    ("/wild/x", "w", "a wildcard in the section's path is one"), ("/wild", "-", "as in any pattern"),
    ("/match/.ax", "w", "no regular expression: '.' is a dot, and '*' anything"), ("/match/ax", "-", "which a regular expression would match"),
    ("/some/dir/", "w", "a directory's path, to which httpd adds a slash"), ("/some/dir/x", "-", "alone"), ("/a.do", "w", "a file's name that begins with a slash"),
    ("/un", "-", "JkUnMount too"), ("/unx", "w", "and only that"), ("/piped", "w", "a pipe"), ("/piped/x", "w", "of two rules"),
])
def test_mounts_in_sections(sections, peer, path, worker, why):
    assert ask(sections, path)[1]["worker"] == worker, why


@pytest.mark.parametrize("host, path, worker", [("own", "/here", "w"), ("own", "/wild/x", "-"), ("none", "/here", "-"), (None, "/here", "-")])
def test_mounts_in_sections_belong_to_their_server(sections, peer, host, path, worker):
    assert ask(sections, path, host=host)[1]["worker"] == worker


@pytest.mark.differs("found at the start alone")
def test_a_mount_in_a_section_without_a_slash(fresh_httpd):
    """<Files "*.do">: its text is no pattern."""
    httpd = fresh_httpd('<Files "*.do">\nJkMount w\n</Files>', workers=ajp13(w=8009), start=False)
    code, text = httpd.configtest()
    assert code != 0 and "does not begin with '/'" in text


@pytest.mark.differs("JkMountFileReload took any word")
def test_wrong_scopes(fresh_httpd):
    """JkMountCopy All, and directives of a whole server, where they may not stand."""
    httpd = fresh_httpd("", workers=ajp13(w=8009), start=False)
    for config, said in [("<VirtualHost *:1>\nJkMountCopy All\n</VirtualHost>", "only allowed in the main server"),
                         ("<Location /x>\nJkMountFile x\n</Location>", "not allowed"), ("<Location /x>\nJkAutoAlias /x\n</Location>", "not allowed"),
                         ("JkStripSession Perhaps", "allowed: On or Off"), ("JkMountFileReload x", "is not a number")]:
        httpd.write_config(config)
        code, text = httpd.configtest()
        assert code != 0 and said in text, config


# ---- copies ----

def test_a_copy_does_not_replace_what_is_there(fresh_httpd, peer):
    """The same literal text is the virtual host's own; '!' and '|' are a part of it. Other rules come along, exclusions too."""
    httpd = fresh_httpd("JkMount /same w\nJkMount /pipe|/* w\nJkMount /ex/* w\nJkUnMount /ex/no w\nJkMount /both w", workers=ajp13(w=peer.port, v=peer.port),
                        vhosts={"copy": "JkMountCopy On\nJkMount /same v\nJkMount /pipe v\nJkUnMount /both w", "exact": "JkMountCopy On\nJkMount /pipe|/* v"})
    got = {path: ask(httpd, path, host="copy")[1]["worker"] for path in ("/same", "/pipe", "/pipe/x", "/ex/x", "/ex/no", "/both") if not httpd.mark()}
    assert got == {"/same": "v", "/pipe": "v", "/pipe/x": "w", "/ex/x": "w", "/ex/no": "-", "/both": "-"}
    httpd.mark()
    assert ask(httpd, "/pipe/x", host="exact")[1]["worker"] == "v"


def test_copy_on_in_the_main_server_means_nothing(fresh_httpd, peer):
    httpd = fresh_httpd("JkMount /main w\nJkMountCopy On", workers=ajp13(w=peer.port), vhosts={"silent": ""})
    assert ask(httpd, "/main", host="silent")[1]["worker"] == "-"


# ---- what is told ----

def told(httpd, pattern):
    import re
    return [ln for ln in httpd.jk_log.lines() if re.search(pattern, ln)]


@pytest.mark.differs("nothing was said")
def test_a_context_without_its_slash_is_told(fresh_httpd, peer):
    """A bare /app/*: /app itself goes nowhere. Not where anything maps it, or where somebody excluded it."""
    httpd = fresh_httpd("JkMount /app/* w\nJkMount /piped|/* w\nJkMount /two/* w\nJkMount /two w\nJkMount /out/* w\nJkMount /out w\nJkUnMount /out w\n"
                        "JkMount /* w2\nJkUnMount /x/* *", workers=ajp13(w=peer.port, w2=peer.port), vhosts={"own": "JkMount /a/b/* w\nJkMount /c/* w"})
    lines = told(httpd, "leave out their own context")
    assert len(lines) == 1 and "[info]" in lines[0] and "2 mounts" in lines[0], lines
    assert "/a/b|/* (" in lines[0] and "/c|/* (" in lines[0] and "httpd.conf:" in lines[0]
    other = fresh_httpd("JkMount /app/* w\nJkMount /piped|/* w\nJkMount /two/* w\nJkMount /two w\nJkMount /out/* w\nJkMount /out w\nJkUnMount /out w",
                        workers=ajp13(w=peer.port), vhosts={"shares": "JkMountCopy On"})
    lines = told(other, "leaves? out")
    assert len(lines) == 1 and "1 mounts" in lines[0] and "/app|/* (" in lines[0]


@pytest.mark.differs("nothing was said")
def test_a_rewrite_without_pt_is_told_once(fresh_httpd, peer):
    """mod_rewrite makes a file of it, no mount sees it: the log says what is missing, once."""
    httpd = fresh_httpd("JkMount /app/* w\nRewriteEngine On\nRewriteRule ^/lost/(.*)$ /app/$1\nRewriteRule ^/found/(.*)$ /app/$1 [PT]\n"
                        "RewriteRule ^/file$ /static.txt", workers=ajp13(w=peer.port), files={"htdocs/static.txt": "s"})
    assert client.get(httpd.port, "/file").text == "s"
    assert client.get(httpd.port, "/found/x").status == 200
    assert not told(httpd, "PT")
    httpd.allow("AH")
    for _ in range(2):
        assert client.get(httpd.port, "/lost/x").status == 404
    lines = httpd.jk_lines("without the flag \\[PT\\]")
    assert (len(lines) == 1 or httpd.mpm == "prefork") and "[info]" in lines[0] and "/lost/x" in lines[0] and "Add PT" in lines[0]


# ---- JkWorkerIndicator ----

def test_worker_indicator(fresh_httpd, peer):
    """Another variable names the worker, in the virtual hosts too; the usual one means nothing then."""
    section = "<Location /sh>\nSetHandler jakarta-servlet\nSetEnvIf Request_URI . NAMED=w\nSetEnvIf Request_URI . JK_WORKER_NAME=v\n</Location>"
    httpd = fresh_httpd(f"JkWorkerIndicator NAMED\n{section}", workers=ajp13(w=peer.port, v=peer.port),
                        vhosts={"inherits": section, "own": f"JkWorkerIndicator JK_WORKER_NAME\n{section}"})
    assert ask(httpd, "/sh/x")[1]["worker"] == "w"
    for host, worker in (("inherits", "w"), ("own", "v")):
        httpd.mark()
        assert ask(httpd, "/sh/x", host=host)[1]["worker"] == worker, host


# ---- JkStripSession ----

@pytest.fixture(scope="module")
def strip(make_httpd, peer):
    files = {"htdocs/a/b.txt": "b", "htdocs/a.txt": "a", "htdocs/a;x=2.txt": "odd", "htdocs/a;sid=1.txt": "sid", "htdocs/a/;jsessionid=2.txt": "second"}
    return make_httpd("JkMount /app/* w\nJkStripSession On", workers=ajp13(w=peer.port), files=files, vhosts={
        "inherits": "JkMount /app/* w", "off": "JkStripSession Off", "other": "JkStripSession On ;sid", "silent": "# none"})


@pytest.mark.parametrize("host, path, text, why", [
    (None, "/a.txt;jsessionid=1.n1", "a", "at the end"),
    (None, "/a;jsessionid=1/b.txt", "b", "in the middle"),
    (None, "/a/b.txt;jsessionidXX=1", "b", "a name that begins alike"),
    (None, "/a;x=2.txt;jsessionid=1", "odd", "other parameters stay"),
    (None, "/a;jsessionid=1/;jsessionid=2.txt", "second", "the first alone"),
    (None, "/a.txt;JSESSIONID=1", None, "in its case"),
    ("inherits", "/a.txt;jsessionid=1", "a", "a virtual host"),
    ("silent", "/a.txt;jsessionid=1", "a", "one without any Jk directive, and without a mount"),
    ("off", "/a.txt;jsessionid=1", None, "switched off"),
    ("other", "/a.txt;sid=1", "a", "another name"),
    ("other", "/a.txt;jsessionid=1", None, "not the usual one"),
])
@pytest.mark.differs("not in a server without mounts", only="^silent|another name")
def test_strip_session(strip, peer, host, path, text, why):
    strip.allow("AH")
    answer, access = ask(strip, path, host=host)
    assert (answer.status, answer.text) == (200, text) if text else answer.status == 404, why
    assert not peer.requests


def test_strip_session_leaves_mapped_ones_alone(strip, peer):
    ask(strip, "/app/x;jsessionid=1")
    assert peer.last().uri == "/app/x;jsessionid=1"


# ---- JkAutoAlias ----

@pytest.fixture(scope="module")
def alias(make_httpd, peer):
    files = {
        "apps/app/x.gif": "picture", "apps/app/a b.txt": "blank", "apps/app/sub/y.txt": "y", "apps/app/WEB-INF/web.xml": "secret",
        "apps/app/META-INF/context.xml": "secret", "apps/app/sub/web-inf/z": "secret", "apps/app/page.jsp": "source", "apps/packed.war": "archive",
        "apps/UPPER.WAR": "archive", "apps/dir.war/x.txt": "a directory", "apps/app/private/p.txt": "private", "apps/file.txt": "no application's",
        "outside/o.txt": "outside", "htdocs/app/x.gif": "httpd's own", "htdocs/static.txt": "static", "apps/app/idx/index.jsp": "source",
        "apps/app/noidx/other.txt": "o", "apps/app/web-information/w.txt": "w",
    }
    httpd = make_httpd("", workers=ajp13(w=peer.port), files=files, start=False, vhosts={
        "inherits": "JkMountCopy On", "copies": "JkMountCopy On\nJkMount /mine w", "off": "JkMount /mine w", "none": "",
        "own": "JkAutoAlias other", "odd": "JkMountCopy On\n<Directory \"{root}/apps\">\n</Directory>"})
    import os
    os.symlink(httpd.path("outside"), httpd.path("apps/app/link"))
    os.symlink(httpd.path("outside"), httpd.path("apps/linked"))
    httpd.vhosts = {name: text.replace("{root}", httpd.root) for name, text in httpd.vhosts.items()}
    httpd.write("other/app/x.gif", "another")
    httpd.write_config(f"""
JkAutoAlias {httpd.root}/apps
JkMount /*.jsp w
DirectoryIndex index.jsp index.html
<Directory "{httpd.root}/apps">
  Options None
  Require all granted
</Directory>
<Directory "{httpd.root}/other">
  Require all granted
</Directory>
<Location /app/private>
  Require all denied
</Location>
""")
    return httpd.start()


@pytest.mark.parametrize("path, status, text, why", [
    ("/app/x.gif", 200, "picture", "a file of the application; it goes before httpd's own"),
    ("/app/sub/y.txt", 200, "y", "deeper"),
    ("/app/a%20b.txt", 200, "blank", "with a blank"),
    ("/app/x.gif;jsessionid=1", 200, "picture", "parameters are no part of a file's name"),
    ("//app//sub/./y.txt", 200, "y", "in any spelling"),
    ("/app/sub/..;/x.gif", 200, "picture", "dots"),
    ("/app/none", 404, None, "not there"),
    ("/app/WEB-INF/web.xml", 404, None, "private"),
    ("/app/web-inf/web.xml", 404, None, "in any case"),
    ("/app/META-INF/context.xml", 404, None, "private too"),
    ("/app/WEB-INF", 404, None, "the directory itself"),
    ("/app/WEB-INF;x/web.xml", 404, None, "with a parameter"),
    ("/app//WEB-INF/web.xml", 404, None, "behind two slashes"),
    ("/app/./WEB-INF/web.xml", 404, None, "behind a dot"),
    ("/app/sub/web-inf/z", 404, None, "at any depth"),
    ("/app/sub/..;/WEB-INF/web.xml", 404, None, "by way of dots"),
    ("/app/%57EB-INF/web.xml", 404, None, "escaped"),
    ("/WEB-INF/x", 404, None, "even as an application"),
    ("/app/web-information/w.txt", 200, "w", "a name that begins alike"),
    ("/packed.war", 403, None, "an archive"), ("/UPPER.WAR", 403, None, "in any case"), ("/packed.war/WEB-INF/x", 404, None, "and below it"),
    ("/packed.war/x", 403, None, "and below it"), ("/packed.war;x", 403, None, "with a parameter"), ("/absent.war", 403, None, "one that is not there"),
    ("/dir.war/x.txt", 200, "a directory", "an application of that name"),
    ("/file.txt", 404, None, "a file beside the applications is none of them"),
    ("/static.txt", 200, "static", "httpd's own files"),
    ("/app/link/o.txt", 403, None, "a link out of the directory: httpd's <Directory> there says no"),
    ("/linked/o.txt", 403, None, "an application that is a link: the same"),
    ("/app/private/p.txt", 403, None, "a denied location"), ("/app/;x/private/p.txt", 403, None, "in any spelling"),
    ("/app//private/p.txt", 403, None, "in any spelling"), ("/app/x/..;/private/p.txt", 403, None, "in any spelling"),
    ("/app/..%2fapp/x.gif", 404, None, "an escaped slash is httpd's to refuse"),
    ("/app/x.gif%00.txt", 404, None, "a NUL is httpd's to refuse"),
])
@pytest.mark.differs("WEB-INF in the second segment alone; a denied location was passed", only="any depth|;/?x?/?private")
def test_auto_alias(alias, peer, path, status, text, why):
    alias.allow("AH")
    answer, access = ask(alias, path)
    assert answer.status == status or (status == 404 and answer.status == 400), why
    assert text is None or answer.text == text, why
    assert "secret" not in answer.text and "archive" not in answer.text and not peer.requests


def test_auto_alias_and_mounts(alias, peer):
    """A mount goes before the file."""
    assert ask(alias, "/app/page.jsp")[1]["worker"] == "w" and peer.last().uri == "/app/page.jsp"


@pytest.mark.parametrize("host, text, why", [
    ("inherits", "picture", "with JkMountCopy"), ("copies", "picture", "and mounts of its own"), ("off", "httpd's own", "not without"),
    ("none", "httpd's own", "nor where there is no Jk directive"), ("own", "another", "its own; below ServerRoot"),
])
@pytest.mark.differs("not below ServerRoot", only="^own")
def test_auto_alias_in_virtual_hosts(alias, peer, host, text, why):
    assert ask(alias, "/app/x.gif", host=host)[0].text == text, why


def test_auto_alias_and_index_pages(alias, peer):
    """A directory of an application: its index.jsp is asked for only where the file is."""
    alias.allow("AH01276")
    answer, access = ask(alias, "/app/idx/")
    assert (answer.status, access["worker"]) == (200, "w") and len(peer.requests) == 1
    alias.mark()
    answer, access = ask(alias, "/app/noidx/")
    assert answer.status in (403, 404) and len(peer.requests) == 1, "there is none: nobody is asked"


@pytest.mark.differs("nothing was said")
def test_auto_alias_that_is_no_directory(fresh_httpd):
    httpd = fresh_httpd("JkMount /x w\nJkAutoAlias conf/httpd.conf\nJkStrict On", workers=ajp13(w=8009), start=False)
    code, text = httpd.configtest()
    assert code == 0 and "httpd.conf is no directory" in text


# ---- index pages, sub-requests ----

@pytest.mark.parametrize("path, uri, why", [
    ("/dir/?q", "/dir/", "no file of that name: the directory itself is forwarded, and the container's welcome file answers"),
    ("/real/?q", None, "the file is there"),
])
def test_directory_index_with_and_without_a_file(fresh_httpd, fresh_peer, path, uri, why):
    """DirectoryIndex index.jsp, mounted."""
    peer = fresh_peer()
    httpd = fresh_httpd("JkMount /*.jsp w\nDirectoryIndex index.jsp", workers=ajp13(w=peer.port),
                        files={"htdocs/dir/x.txt": "x", "htdocs/real/index.jsp": "source"})
    answer, access = ask(httpd, path)
    assert (answer.status, access["worker"], len(peer.requests)) == (200, "w", 1), why
    assert peer.last().uri in ((uri,) if uri else ("/real/", "/real/index.jsp"))
    assert peer.last().attribute("query_string") == "q"


@pytest.mark.differs("the request itself was mapped")
def test_looking_ahead_does_not_map(fresh_httpd, fresh_peer):
    """RewriteCond -U asks by a sub-request whether another path would be allowed: the request itself is not mapped by it."""
    peer = fresh_peer()
    httpd = fresh_httpd("JkMount /app/* w\nRewriteEngine On\nRewriteCond /app/x -U\nRewriteRule ^/never$ -", workers=ajp13(w=peer.port),
                        files={"htdocs/never": "httpd's own"})
    answer, access = ask(httpd, "/never")
    assert (answer.text, access["worker"]) == ("httpd's own", "-") and not peer.requests


@pytest.mark.differs("the note named a worker")
def test_a_listing_with_mounted_names(fresh_httpd, fresh_peer):
    """mod_autoindex looks at every name in the directory; those that are mounted are listed, and the page is httpd's."""
    peer = fresh_peer()
    httpd = fresh_httpd("JkMount /*.jsp w\nDirectoryIndex disabled", workers=ajp13(w=peer.port), modules=("autoindex",), start=False,
                        files={"htdocs/list/a.jsp": "a", "htdocs/list/b.txt": "b"})
    httpd.write_config(httpd.config + f'\n<Directory "{httpd.root}/htdocs/list">\n  Options +Indexes\n  IndexOptions FancyIndexing\n</Directory>')
    httpd.start()
    answer, access = ask(httpd, "/list/")
    assert answer.status == 200 and "b.txt" in answer.text and access["worker"] == "-" and not peer.requests


@pytest.mark.parametrize("file, mapped", [("part.txt", True), ("sub/part.txt", False)])
def test_ssi_of_a_file(fresh_httpd, fresh_peer, file, mapped):
    """<!--#include file -->: one beside the page has a URI, which is mapped; one elsewhere has none, and is no error."""
    peer = fresh_peer()
    peer.on("/part.txt", [ajp.answer("from the container")])
    httpd = fresh_httpd("JkMount /part.txt w\nJkMount /sub/part.txt w\nAddOutputFilter INCLUDES .shtml", workers=ajp13(w=peer.port), start=False,
                        files={"htdocs/p.shtml": f'[<!--#include file="{file}" -->]', f"htdocs/{file}": "from a file"})
    httpd.write_config(httpd.config + f'\n<Directory "{httpd.root}/htdocs">\n  Options +Includes\n</Directory>')
    httpd.start()
    answer, _ = ask(httpd, "/p.shtml")
    assert (answer.status, answer.text) == (200, "[from the container]" if mapped else "[from a file]")


def test_no_jk_at_fixup_time(fresh_httpd, fresh_peer):
    """SetEnv comes too late for the mapping, and in time for the handler: nobody answers, the container is not asked."""
    peer = fresh_peer()
    httpd = fresh_httpd("JkMount /app/* w\n<Location /app>\nSetEnv no-jk 1\n</Location>", workers=ajp13(w=peer.port))
    httpd.allow("AH")
    answer, _ = ask(httpd, "/app/x")
    assert answer.status in (404, 500) and not peer.requests


@pytest.mark.parametrize("value", ["1", "0", ""])
def test_no_jk_whatever_its_value(fresh_httpd, fresh_peer, value):
    peer = fresh_peer()
    httpd = fresh_httpd(f'JkMount /app/* w\nSetEnvIf Request_URI "^/app/s" no-jk={value}', workers=ajp13(w=peer.port), files={"htdocs/app/s.txt": "s"})
    assert ask(httpd, "/app/s.txt")[0].text == "s" and not peer.requests


def test_a_proxied_request_is_not_mapped(fresh_httpd, fresh_peer):
    """What mod_proxy has taken is its own; with SetHandler too."""
    peer = fresh_peer()
    httpd = fresh_httpd("JkMount /* w\nRewriteEngine On\nRewriteRule ^/p$ http://127.0.0.1:1/ [P]", workers=ajp13(w=peer.port),
                        modules=("proxy", "proxy_http"))
    httpd.allow("AH")
    assert ask(httpd, "/p")[0].status in (500, 502, 503) and not peer.requests


def test_many_mounts(fresh_httpd, fresh_peer):
    """Two hundred: the right ones."""
    peer = fresh_peer()
    mounts = "\n".join(f"JkMount /app{i}|/* {'wv'[i % 2]}" for i in range(200))
    httpd = fresh_httpd(mounts, workers=ajp13(w=peer.port, v=peer.port))
    for i in (0, 1, 57, 198, 199):
        httpd.mark()
        assert ask(httpd, f"/app{i}/x")[1]["worker"] == "wv"[i % 2]
    httpd.mark()
    assert ask(httpd, "/app200/x")[1]["worker"] == "-"
