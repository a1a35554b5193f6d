"""path=: a container's /store is known to the world as /shop (decisions.md). What is mapped and access-checked is the outer path."""
import json

import pytest
from lib import ajp, client
from lib.ajp_peer import normal
from lib.httpd import INCUMBENT
from lib.workers import ajp13

pytestmark = pytest.mark.skipif(INCUMBENT, reason="there was no path=")


@pytest.fixture(scope="module")
def peer(make_peer):
    return make_peer()


@pytest.fixture(scope="module")
def httpd(make_httpd, peer):
    main = """
JkMount /shop|/* w;path=/store
JkMount /root|/* w;path=/
JkMount /a/b/* w;path=/deep/er
JkMount /pages/*.jsp w;path=/jsp
JkMount /one.jsp w;path=/other/page.jsp
JkMount /plain/* w
<Location /shop/private>
  Require all denied
</Location>
<Location /store>
  Require all denied
</Location>
RewriteEngine On
RewriteRule ^/pretty/(.*)$ /shop/$1 [PT]
UseCanonicalName Off
AllowEncodedSlashes On
"""
    vhosts = {"all": "JkMount /* w;path=/store", "compat": "JkMount /shop/* w;path=/store\nJkOptions +ForwardURICompat",
              "escaped": "JkMount /shop/* w;path=/store\nJkOptions +ForwardURIEscaped",
              "unparsed": "JkMount /shop/* w;path=/store\nJkOptions +ForwardURICompatUnparsed\nRewriteEngine On\nRewriteRule ^/pre/(.*)$ /shop/$1 [PT]",
              "file": "JkMountFile conf/rules.properties"}
    return make_httpd(main, workers=ajp13(w=peer.port), vhosts=vhosts, files={"conf/rules.properties": "/shop|/*=w;path=/store\n"})


@pytest.mark.parametrize("path, forwarded, why", [
    ("/shop/x", "/store/x", "the head"),
    ("/shop", "/store", "alone"),
    ("/shop/", "/store/", "with its slash"),
    ("/shop/x?a=/shop/b", "/store/x", "the query stays"),
    ("/shop;jsessionid=1", "/store;jsessionid=1", "the session stays"),
    ("/shop/x;jsessionid=1.n1/y", "/store/x;jsessionid=1.n1/y", "anywhere"),
    ("/shop/a%20b", "/store/a%20b", "escapes stay"),
    ("/shop/a%3Bx=1/b", "/store/a%3Bx=1/b", "even where they need not be"),
    ("/shop/a%2Fb", "/store/a%2Fb", "even a slash's"),
    ("/%73hop/x", "/store/x", "the head may be escaped"),
    ("//shop//x", "/store/x", "empty segments go"),
    ("/x/../shop/y", "/store/y", "dots go"),
    ("/shop/x/..;a/y;b=1", "/store/y;b=1", "nothing can take the new head away"),
    ("/plain/..;/shop/x", "/store/x", "from elsewhere"),
    ("/shop/x/..;/..;/shop/y", "/store/y", "and back"),
    ("/root/x", "/x", "the root"),
    ("/root", "/", "the root alone"),
    ("/root;v=1/x", "/;v=1/x", "with a parameter"),
    ("/a/b/c", "/deep/er/c", "two segments for two"),
    ("/a;v=1/b/c", "/deep/er;v=1/c", "with a parameter of the first"),
    ("/pages/x.jsp", "/jsp/x.jsp", "before the first wildcard"),
    ("/one.jsp", "/other/page.jsp", "an exact one"),
    ("/pretty/x", "/store/x", "after a rewrite"),
    ("/plain/shop/x", "/plain/shop/x", "another rule"),
])
def test_forwarded(httpd, peer, path, forwarded, why):
    assert client.get(httpd.port, path).status == 200, why
    assert peer.last().uri == forwarded, why


@pytest.mark.parametrize("host, path, forwarded, why", [
    ("all", "/x", "/store/x", "everything"),
    ("all", "/", "/store/", "the root of it"),
    ("compat", "/shop/a%20b%3Bc", "/store/a b;c", "decoded"),
    ("compat", "/shop/a%2525", "/store/a%25", "a per cent sign"),
    ("compat", "//shop/../shop/x", "/store/x", "dots"),
    ("escaped", "/shop/a%20b%3Bc", "/store/a%20b;c", "escaped anew"),
    ("unparsed", "/shop/%61;v=1", "/store/%61;v=1", "as the client wrote it"),
    ("unparsed", "/%73hop/%61", "/store/%61", "the head too"),
    ("unparsed", "/pre/a%20b", "/store/a%20b", "what mod_rewrite changed is another path: escaped anew"),
    ("file", "/shop/x", "/store/x", "of a rule file"),
])
def test_forms_of_the_uri(httpd, peer, host, path, forwarded, why):
    assert client.get(httpd.vport, path, host=host).status == 200, why
    assert peer.last().uri == forwarded, why


@pytest.mark.parametrize("path", ["/shop/private/x", "/shop/private;a/x", "/shop//private/x", "/shop/x/..;/private/x", "/pretty/private/x"])
def test_access_is_the_outer_paths(httpd, peer, path):
    httpd.expect("AH01630")
    assert client.get(httpd.port, path).status == 403 and not peer.requests


def test_the_inner_path_is_not_checked(httpd, peer):
    """<Location /store> is denied, and has no say in what /shop leads to; /store itself is not mapped."""
    httpd.allow("AH01630")
    assert client.get(httpd.port, "/shop/x").status == 200
    assert client.get(httpd.port, "/store/x").status == 403 and len(peer.requests) == 1


BACK = [
    ("Location", "http://{host}/store/x", "http://{host}/shop/x"),
    ("Location", "https://{host}/store", "https://{host}/shop"),
    ("Location", "/store/x?a=/store", "/shop/x?a=/store"),
    ("Location", "http://elsewhere.example/store/x", None),
    ("Location", "//elsewhere.example/store/x", None),
    ("Location", "/storefront", None),
    ("Location", "x.jsp", None),
    ("Content-Location", "/store/x", "/shop/x"),
    ("Refresh", "5; url=/store/x", "5; url=/shop/x"),
    ("Refresh", "5; url=http://{host}/store/x", "5; url=http://{host}/shop/x"),
    ("Set-Cookie", "JSESSIONID=1; Path=/store; HttpOnly", "JSESSIONID=1; Path=/shop; HttpOnly"),
    ("Set-Cookie", "a=/store; Path=/", None),
    ("X-Other", "/store/x", None),
]


@pytest.mark.parametrize("name, value, mapped", BACK, ids=[f"{n} {v}" for n, v, _ in BACK])
def test_mapped_back(httpd, peer, name, value, mapped):
    host = f"127.0.0.1:{httpd.port}"
    sent = value.format(host=host)
    peer.on("/store/x", [ajp.answer("", status=302, headers=[(name, sent), ("X-Kept", "/store")])])
    answer = client.get(httpd.port, "/shop/x")
    assert answer.header(name) == (mapped or sent).format(host=host) if mapped else answer.header(name) == sent
    assert answer.header("X-Kept") == "/store"
    peer.on("/plain/x", [ajp.answer("", status=302, headers=[(name, sent)])])
    assert client.get(httpd.port, "/plain/x").header(name) == sent, "another rule's answers stay as they are"


def test_each_cookie_is_mapped_back(httpd, peer):
    peer.on("/store/x", [ajp.answer(headers=[("Set-Cookie", "a=1; Path=/store"), ("Set-Cookie", "b=2; Path=/store/x"), ("Set-Cookie", "c=3")])])
    assert client.get(httpd.port, "/shop/x").all("Set-Cookie") == ["a=1; Path=/shop", "b=2; Path=/shop/x", "c=3"]


def test_the_root_is_mapped_back(httpd, peer):
    peer.on("/x", [ajp.answer(status=302, headers=[("Location", "/y"), ("Set-Cookie", "a=1; Path=/")])])
    answer = client.get(httpd.port, "/root/x")
    assert (answer.header("Location"), answer.header("Set-Cookie")) == ("/root/y", "a=1; Path=/root")
    assert client.get(httpd.vport, "/", host="all").status == 200
    peer.on("/store/x", [ajp.answer(status=302, headers=[("Location", "/store"), ("Set-Cookie", "a=1; Path=/store")])])
    answer = client.get(httpd.vport, "/x", host="all")
    assert (answer.header("Location"), answer.header("Set-Cookie")) == ("/", "a=1; Path=/")


def test_a_redirect_can_be_followed(httpd, peer):
    """As a container does it: its own path with a slash, on the name that it was asked by."""
    def redirect(ex):
        if ex.request.uri == "/store":
            location = f"http://{ex.request.server_name}:{ex.request.server_port}/store/"
            ex.send(ajp.answer("", status=302, headers=[("Location", location)]))
        else:
            normal(ex)
    peer.default = redirect
    location = client.get(httpd.port, "/shop").header("Location")
    assert location == f"http://127.0.0.1:{httpd.port}/shop/"
    assert json.loads(client.get(httpd.port, location.split(str(httpd.port))[1]).text)["uri"] == "/store/"


def test_with_tomcat(fresh_httpd, tomcat):
    """A real one: its root application under a name; the session's cookie is for that."""
    httpd = fresh_httpd("JkMount /shown|/* w;path=/", workers=ajp13(w=tomcat.port))
    answer = client.get(httpd.port, "/shown/")
    assert answer.status == 200 and "path /" in answer.text
    cookie = answer.header("Set-Cookie")
    assert "JSESSIONID=" in cookie and "Path=/shown" in cookie and "Path=/shown/" not in cookie
    assert client.get(httpd.port, "/shown/WEB-INF/web.xml").status == 404, "the container keeps what is its own"
