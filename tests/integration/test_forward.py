"""What a FORWARD_REQUEST says: every field, header and attribute, against a scripted peer that decodes it strictly."""
import ssl

import pytest
from lib import ajp, client
from lib.httpd import INCUMBENT
from lib.workers import ajp13

MOUNT = "JkMount /* w"
# The forms of the forwarded URI, each in a virtual host.
FORMS = {
    "proxy": "JkOptions +ForwardURIProxy",
    "compat": "JkOptions +ForwardURICompat",
    "unparsed": "JkOptions +ForwardURICompatUnparsed",
    "escaped": "JkOptions +ForwardURIEscaped",
}


@pytest.fixture(scope="module")
def peer(make_peer):
    return make_peer()


@pytest.fixture(scope="module")
def httpd(make_httpd, peer):
    vhosts = {name: f"{MOUNT}\n{options}" for name, options in FORMS.items()}
    vhosts["secret"] = "JkMount /* s"
    vhosts["local"] = f"{MOUNT}\nJkOptions +ForwardLocalAddress"
    vhosts["canonical"] = f"{MOUNT}\nUseCanonicalName On"
    vhosts["auth"] = (f"{MOUNT}\n<Location />\nAuthType Basic\nAuthName test\nAuthBasicProvider file\n"
                      "AuthUserFile conf/users\nRequire valid-user\n</Location>")
    vhosts["strip"] = f"{MOUNT}\nRequestHeader set X-User alice\nRequestHeader set X-Kept late"
    vhosts["twice"] = f"{MOUNT}\nRequestHeader add X-Twice second"
    vhosts["https"] = f"{MOUNT}\nSetEnvIf X-Scheme https HTTPS=on"
    httpd = make_httpd(MOUNT, workers=ajp13(w=peer.port, s={"port": peer.port, "secret": "a#secret with blanks"}), vhosts=vhosts,
                       modules=("auth_basic", "authn_file", "authz_user"), tls=f"{MOUNT}\nProtocols h2 http/1.1", start=False)
    httpd.write_users(alice="pw")
    return httpd.start()


def sent(httpd, peer, path="/", headers=(), method="GET", host=None, **more):
    """The decoded request that a client's request becomes."""
    port = httpd.vport if host else httpd.port
    answer = client.ask(port, method, path, headers, host=host, **more)
    assert answer.status == 200, answer
    return peer.last()


def test_a_plain_get(httpd, peer):
    """Every field of the simplest request."""
    r = sent(httpd, peer, "/a/b")
    assert (r.method_code, r.method, r.protocol, r.uri) == (2, "GET", "HTTP/1.1", "/a/b")
    assert r.remote_addr == "127.0.0.1"
    assert r.remote_host is None, "no HostnameLookups: a null string, not an empty one"
    assert (r.server_name, r.server_port) == ("127.0.0.1", httpd.port)
    assert r.is_ssl is False


def test_attributes_of_a_plain_get(httpd, peer):
    """Only what there is, in order; nothing is written for what is absent."""
    r = sent(httpd, peer, "/a")
    assert [n for n, _ in r.attributes] == ["AJP_REMOTE_PORT", "AJP_LOCAL_ADDR", "JK_LB_ACTIVATION"]
    assert r.attribute("AJP_REMOTE_PORT").isdigit()
    assert r.attribute("AJP_LOCAL_ADDR") == "127.0.0.1"
    assert r.attribute("JK_LB_ACTIVATION") == "ACT", "without a balancer a worker is active"


def test_the_remote_port_is_the_clients(httpd, peer):
    with client.Wire(httpd.port) as wire:
        wire.get("/port")
        own = wire.sock.getsockname()[1]
    assert peer.last().attribute("AJP_REMOTE_PORT") == str(own)


def test_all_attributes_in_order(httpd, peer):
    """Secret, user, authentication and query at once: the peer checks the order of codes."""
    r = sent(httpd, peer, "/q?a=b", host="secret")
    assert [n for n, _ in r.attributes][:2] == ["secret", "query_string"]
    r = sent(httpd, peer, "/q?a=b", [("Authorization", "Basic YWxpY2U6cHc=")], host="auth")
    assert r.attributes[:3] == [("remote_user", "alice"), ("auth_type", "Basic"), ("query_string", "a=b")]


@pytest.mark.differs("a '#' in a secret began a comment")
def test_a_secret_is_sent_as_it_was_written(httpd, peer):
    assert sent(httpd, peer, host="secret").attribute("secret") == "a#secret with blanks"


@pytest.mark.parametrize("target, query, why", [
    ("/q", None, "no query: no attribute"),
    ("/q?", "", "an empty query is not the same as none"),
    ("/q?a=b", "a=b", "as it is"),
    ("/q?a=%20%3f&b=?;x", "a=%20%3f&b=?;x", "never decoded or encoded"),
])
def test_query(httpd, peer, target, query, why):
    r = sent(httpd, peer, target)
    assert r.attribute("query_string") == query and r.has("query_string") == (query is not None), why


# ---- methods ----

@pytest.mark.parametrize("method", [m for m in ajp.METHODS if m != "TRACE"])  # httpd answers TRACE itself
def test_method_codes(httpd, peer, method):
    """Each known method goes as its code."""
    r = sent(httpd, peer, "/m", method=method)
    assert (r.method_code, r.has("stored_method")) == (ajp.METHOD_CODES[method], False)


@pytest.mark.parametrize("method, why", [
    ("PATCH", "has no code"),
    ("FOO", "of nobody's making"),
    ("get", "methods are case-sensitive"),
    ("M-SEARCH", "a dash is no reason to look for SEARCH"),
])
def test_stored_methods(httpd, peer, method, why):
    r = sent(httpd, peer, "/m", method=method)
    assert (r.method_code, r.attribute("stored_method")) == (ajp.STORED_METHOD, method), why


# ---- headers ----

@pytest.mark.differs("some names that have a code were written as strings")
def test_header_names_have_codes(httpd, peer):
    """All names with a code, in the client's order and in any case; a name that only begins like one is a string."""
    names = [n for n in ajp.REQUEST_HEADERS.values() if n not in ("Connection", "Content-Length", "Host")]
    given = [("X-First", "0"), *((n.upper(), f"v{i}") for i, n in enumerate(names)), ("Accept-Foo", "x"), ("Cookies", "y")]
    r = sent(httpd, peer, "/h", given)
    got = {n.lower(): v for n, v in r.headers}
    assert all(got[n.lower()] == v for n, v in given)
    order = [n.lower() for n, _ in r.headers if n.lower() in {g.lower() for g, _ in given}]
    assert order == [n.lower() for n, _ in given], "the client's order"
    coded = {n for (n, _), code in zip(r.headers, r.codes) if code}
    assert coded >= set(names) and "Accept-Foo" not in coded and "Cookies" not in coded


def test_duplicates_are_kept(httpd, peer):
    """Two headers of one name are two headers. (What a client sends twice httpd itself has merged already.)"""
    r = sent(httpd, peer, "/h", [("X-Twice", "first")], host="twice")
    assert r.all("X-Twice") == ["first", "second"]


def test_values_go_as_they_are(httpd, peer):
    """Blanks inside, empty values, bytes beyond ASCII, long ones."""
    given = [("X-Empty", ""), ("X-Blanks", "a  b\tc"), ("X-Latin", "caf\xe9"), ("X-Long", "v" * 6000)]
    r = sent(httpd, peer, "/h", given)
    assert [(n, v) for n, v in r.headers if n.startswith("X-")] == given


HOP_BY_HOP = [("Keep-Alive", "timeout=5"), ("TE", "trailers"), ("Trailer", "X-T"), ("Upgrade", "foo/2"), ("X-Hop", "named"),
              ("Proxy-Connection", "keep-alive"), ("Proxy-Authorization", "Basic eA=="), ("Proxy-Anything", "x")]


@pytest.mark.differs("hop-by-hop headers were forwarded")
def test_hop_by_hop_headers_stay_here(httpd, peer):
    """Connection and what it names, Keep-Alive, TE, Trailer, Upgrade, Proxy-*: they speak of this connection alone."""
    r = sent(httpd, peer, "/h", [("Connection", "keep-alive, X-Hop ,close"), *HOP_BY_HOP, ("X-Hop2", "stays"), ("Proxied", "stays")])
    names = {n.lower() for n, _ in r.headers}
    assert not names & {"connection", *(n.lower() for n, _ in HOP_BY_HOP)}
    assert {"x-hop2", "proxied"} <= names, "only whole names are named"


@pytest.mark.differs("hop-by-hop headers were forwarded")
def test_connection_takes_away_what_the_client_sent_alone(httpd, peer):
    """A header that the administrator sets is not the client's to drop (compare CVE-2022-31813); one it adds to is."""
    given = [("Connection", "X-User, X-Mine, X-Kept"), ("X-User", "forged"), ("X-Mine", "1")]
    r = sent(httpd, peer, "/h", given, host="strip")
    assert [v for n, v in r.headers if n == "X-User"] == ["alice"] and r.header("X-Mine") is None and r.header("X-Kept") == "late"


@pytest.mark.differs("Transfer-Encoding was forwarded")
def test_transfer_encoding_stays_here(httpd, peer):
    """httpd takes the chunks apart: a container that saw Transfer-Encoding too would take them apart again."""
    r = sent(httpd, peer, "/h", method="POST", body=b"abc", chunked=True)
    assert r.header("Transfer-Encoding") is None and r.length is None and r.body == b"abc"


def test_expect_is_forwarded(httpd, peer):
    """Expect is end to end."""
    with client.Wire(httpd.port) as wire:
        answer = wire.ask("POST", "/h", [("Expect", "100-continue")], body=b"abc")
    assert answer.status == 200 and peer.last().header("Expect") == "100-continue"


@pytest.mark.parametrize("headers, method, why", [
    ([], "GET", "no body: without this header its length would be unknown to the container"),
    ([], "POST", "a POST without a body likewise"),
    ([("Content-Length", "0")], "POST", "what the client wrote is not doubled"),
    ([("CONTENT-LENGTH", "0")], "GET", "in any case"),
])
def test_content_length_zero(httpd, peer, headers, method, why):
    assert sent(httpd, peer, "/h", headers, method=method).all("Content-Length") == ["0"], why


# ---- where from, where to ----

def test_server_name_and_port_follow_host(httpd, peer):
    r = sent(httpd, peer, host="proxy:8123")
    assert (r.server_name, r.server_port) == ("proxy", 8123)
    assert r.header("Host") == "proxy:8123"


def test_use_canonical_name(httpd, peer):
    """With UseCanonicalName the ServerName counts, and the Host header stays what the client sent."""
    r = sent(httpd, peer, host="canonical:8123")
    assert (r.server_name, r.header("Host")) == ("canonical", "canonical:8123")
    assert r.server_port != 8123


def test_forward_local_address(httpd, peer):
    r = sent(httpd, peer, host="local")
    assert (r.remote_addr, r.attribute("AJP_REMOTE_PORT")) == ("127.0.0.1", "0")


def test_http10_is_told(httpd, peer):
    r = sent(httpd, peer, "/old", version="1.0", headers=[("Host", "x")])
    assert r.protocol == "HTTP/1.0"


def test_https_by_variable(httpd, peer):
    """A balancer in front that ends TLS: HTTPS=on makes the request secure."""
    assert sent(httpd, peer, "/s", [("X-Scheme", "https")], host="https").is_ssl is True
    assert sent(httpd, peer, "/s", [("X-Scheme", "http")], host="https").is_ssl is False


@pytest.mark.differs("TLS facts needed SSLOptions +StdEnvVars")
def test_tls_facts(httpd, peer):
    """Cipher, key size and protocol are looked up through httpd: no SSLOptions are needed."""
    context = ssl._create_unverified_context()
    with client.Wire(httpd.tls_port, tls=context) as wire:
        answer = wire.get("/tls")
        cipher, protocol, bits = wire.sock.cipher()
    assert answer.status == 200
    r = peer.last()
    assert r.is_ssl is True and r.server_port == httpd.tls_port
    assert (r.attribute("ssl_cipher"), r.attribute("ssl_key_size")) == (cipher, bits)
    assert r.attribute("AJP_SSL_PROTOCOL") == protocol
    assert not r.has("ssl_cert"), "no client certificate, no attribute"


def test_tls_facts_on_http2(httpd, peer):
    """The facts belong to the connection that the stream came on."""
    if not client.has_curl_h2():
        pytest.skip("no curl with HTTP/2")
    code, _, words = client.curl("-k", "--http2", f"https://localhost:{httpd.tls_port}/tls2", "--resolve", f"localhost:{httpd.tls_port}:127.0.0.1")
    assert code == 0, words
    r = peer.last()
    assert r.protocol == "HTTP/2.0" and r.is_ssl is True
    if not INCUMBENT:
        assert r.attribute("ssl_cipher") and r.attribute("AJP_SSL_PROTOCOL") == "TLSv1.3"


CLIENT_CERTIFICATES = {
    "verified": ("SSLVerifyClient require\nSSLCACertificateFile conf/client.crt", True),
    "not verified": ("SSLVerifyClient optional_no_ca", False),
    "not verified, but exported": ("SSLVerifyClient optional_no_ca\nSSLOptions +StdEnvVars +ExportCertData", True),
}


@pytest.mark.differs("nothing without SSLOptions", only="^(?!not verified)")
@pytest.mark.parametrize("how", CLIENT_CERTIFICATES)
def test_client_certificates(fresh_httpd, peer, how):
    """A certificate is an identity only where httpd has verified it, or where the administrator hands it out."""
    lines, forwarded = CLIENT_CERTIFICATES[how]
    httpd = fresh_httpd(workers=ajp13(w=peer.port), tls=f"JkMount /* w\n{lines}", start=False)
    httpd.make_certificate("client")
    httpd.start()
    context = ssl._create_unverified_context()
    context.load_cert_chain(httpd.path("conf/client.crt"), httpd.path("conf/client.key"))
    httpd.allow("AH02040")  # the certificate is its own issuer
    assert client.get(httpd.tls_port, "/cert", tls=context).status == 200
    with open(httpd.path("conf/client.crt")) as f:
        pem = f.read()
    assert (peer.last().attribute("ssl_cert") or "").strip() == (pem.strip() if forwarded else "")


# ---- the forms of the URI ----

@pytest.mark.parametrize("form, target, uri, why", [
    ("proxy", "/a/b.html", "/a/b.html", "nothing to do"),
    ("proxy", "/a%20b", "/a%20b", "a blank stays encoded"),
    ("proxy", "/a;jsessionid=1.n1", "/a;jsessionid=1.n1", "path parameters reach the container"),
    ("proxy", "/a;x=1/b;y=2", "/a;x=1/b;y=2", "in every segment"),
    ("proxy", "/app/%252e%252e/secret", "/app/%252e%252e/secret", "decoding once more would climb (CVE-2007-0450)"),
    ("proxy", "/app/%5C../x", "/app/%5C../x", "a backslash is no separator here, but may be one there"),
    ("proxy", "/%C3%A9%c3%a9", "/%C3%A9%C3%A9", "bytes beyond ASCII; upper-case hex"),
    ("proxy", "/a%22%3C%3E%23%7Cb", "/a%22%3C%3E%23%7Cb", "delimiters stay encoded"),
    ("proxy", "/a%3Fb?c=d", "/a%3Fb", "an encoded question mark begins no query"),
    ("proxy", "/x%0Ay", "/x%0Ay", "a newline stays encoded"),
    ("proxy", "/a%5Bb%5D%7Bc%7D", "/a%5Bb%5D%7Bc%7D", "brackets"),
    ("proxy", "/$-_.+!*'(),;:@&=~", "/$-_.+!*'(),;:@&=~", "what may stand as it is does"),
    ("proxy", "/a/../b", "/b", "httpd has resolved dot segments already"),
    ("proxy", "/a/%2e%2e/b", "/b", "encoded ones too"),
    ("compat", "/a%20b", "/a b", "the decoded path"),
    ("compat", "/app/%252e", "/app/%2e", "the decoded path: what made this form dangerous"),
    ("compat", "/a;x=1", "/a;x=1", "parameters stay"),
    ("unparsed", "/a%20b%3bx%7e?q=1", "/a%20b%3bx%7e", "as the client wrote it, up to the query"),
    ("unparsed", "/a/../b", "/a/../b", "as the client wrote it: dot segments too"),
    ("escaped", "/a%20b", "/a%20b", "a blank stays encoded"),
    ("escaped", "/%C3%A9", "/%c3%a9", "lower-case hex"),
    ("escaped", "/a;x=1", "/a;x=1", "parameters stay"),
    ("escaped", "/app/%252e", "/app/%252e", "a literal per cent sign is encoded again"),
])
def test_forwarded_uri(httpd, peer, form, target, uri, why):
    assert sent(httpd, peer, target, host=form).uri == uri, why


@pytest.mark.differs("was forwarded decoded")
@pytest.mark.parametrize("target, uri, why", [
    ("/a%3Bx=1/b", "/a%3Bx=1/b", "an encoded semicolon is no parameter"),
    ("/a%3bx", "/a%3Bx", "upper-case hex"),
    ("/a%2Bb%2bc+d", "/a%2Bb%2Bc+d", "each byte as it was written"),
    ("/%41%62c", "/%41%62c", "even letters"),
    ("/a%3B;b", "/a%3B;b", "both kinds in one segment"),
])
def test_what_the_client_encoded_stays_encoded(httpd, peer, target, uri, why):
    assert sent(httpd, peer, target, host="proxy").uri == uri, why
