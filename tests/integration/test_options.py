"""JkOptions: what each does from end to end, and the rules by which several of them come to one (directives.md 3)."""
import random
import threading
import urllib.parse

import pytest
from lib import ajp, client, proc
from lib.httpd import INCUMBENT
from lib.workers import ajp13

SETS = 'SetEnv HTTPS on\nSetEnv SSL_CIPHER_USEKEYSIZE 128\n'
MOUNT = f"JkMount /* w\n{SETS}"
KEEP = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789$-_.+!*'(),:;@&=/~"


@pytest.fixture(scope="module")
def peer(make_peer):
    return make_peer()


def effect(r):
    """Which options a request went through: form, address, key size."""
    kept = "/%C3;x~y" if INCUMBENT else "/%C3;x%7Ey"  # what the client wrote as %7E
    form = {kept: "proxy", "/\xc3;x~y": "compat", "/%c3;x%7ey": "unparsed", "/%c3;x~y": "escaped"}[r.uri]
    return form, "local" if r.attribute("AJP_REMOTE_PORT") == "0" else "client", "key" if r.has("ssl_key_size") else "none"


PROBE = "/%c3;x%7ey"
STANDARD = ("proxy", "client", "key")


# ---- what several come to ----

# main server's JkOptions lines, virtual host's -> what holds in the main server, in the virtual host
RULES = [
    ([], [], STANDARD, STANDARD, "the defaults, inherited"),
    (["+ForwardURICompat"], [], ("compat", "client", "key"), ("compat", "client", "key"), "inherited"),
    (["ForwardURICompat"], [], ("compat", "client", "key"), ("compat", "client", "key"), "no sign is a plus"),
    (["forwarduricompat FORWARDLOCALADDRESS"], [], ("compat", "local", "key"), ("compat", "local", "key"), "any case, several words"),
    (["+ForwardURICompat +ForwardURIEscaped"], [], ("escaped",) + STANDARD[1:], ("escaped",) + STANDARD[1:], "forms replace one another"),
    (["+ForwardURICompat", "+ForwardURICompatUnparsed"], [], ("unparsed",) + STANDARD[1:], ("unparsed",) + STANDARD[1:], "on two lines too"),
    (["+ForwardURICompat"], ["+ForwardURIEscaped"], ("compat",) + STANDARD[1:], ("escaped",) + STANDARD[1:], "the virtual host's form (bug 44738)"),
    (["+ForwardURICompat"], ["+ForwardURIProxy"], ("compat",) + STANDARD[1:], STANDARD, "also where that is the default"),
    (["+ForwardURICompat"], ["+FlushPackets"], ("compat",) + STANDARD[1:], ("compat",) + STANDARD[1:], "another option keeps the form"),
    (["-ForwardKeySize"], [], ("proxy", "client", "none"), ("proxy", "client", "none"), "minus takes a default away"),
    (["-ForwardKeySize +ForwardKeySize"], [], ("proxy", "client", "none"), ("proxy", "client", "none"), "minus beats plus"),
    (["+ForwardKeySize -ForwardKeySize"], [], ("proxy", "client", "none"), ("proxy", "client", "none"), "in whatever order"),
    (["-ForwardKeySize"], ["+ForwardKeySize"], ("proxy", "client", "none"), STANDARD,
     "the main server's minus comes before the virtual host's plus"),
    ([], ["-ForwardKeySize"], STANDARD, ("proxy", "client", "none"), "in the virtual host alone"),
    (["+ForwardLocalAddress"], [], ("proxy", "local", "key"), ("proxy", "local", "key"), "inherited"),
    (["+ForwardLocalAddress"], ["-ForwardLocalAddress"], ("proxy", "local", "key"), STANDARD, "taken back"),
    (["+ForwardLocalAddress +ForwardPhysicalAddress"], [], STANDARD, STANDARD, "in one server the last of the addresses counts"),
    (["+ForwardPhysicalAddress +ForwardLocalAddress"], [], ("proxy", "local", "key"), ("proxy", "local", "key"), "whichever it is"),
    (["+ForwardLocalAddress -ForwardPhysicalAddress"], [], STANDARD, STANDARD, "a minus clears both"),
    (["+ForwardLocalAddress"], ["+ForwardPhysicalAddress"], ("proxy", "local", "key"), ("proxy", "local", "key"),
     "merged, both hold, and the local one wins"),
    (["+ForwardPhysicalAddress"], ["+ForwardLocalAddress"], STANDARD, ("proxy", "local", "key"), "the other way round too"),
]


@pytest.mark.parametrize("n", range(len(RULES)), ids=[r[-1] for r in RULES])
def test_rules(fresh_httpd, peer, n):
    main, vhost, in_main, in_vhost, why = RULES[n]
    lines = "".join(f"JkOptions {x}\n" for x in main)
    own = "".join(f"JkOptions {x}\n" for x in vhost)
    httpd = fresh_httpd(lines + MOUNT, workers=ajp13(w=peer.port), vhosts={"v": own + MOUNT, "bare": "JkMountCopy On\n" + SETS})
    found = []
    for port, host in ((httpd.port, None), (httpd.vport, "v"), (httpd.vport, "bare")):
        assert client.get(port, PROBE, host=host).status == 200
        found.append(effect(peer.last()))
    assert found == [in_main, in_vhost, in_main], why


@pytest.mark.differs("the same words, to another place")
@pytest.mark.parametrize("word", ["CollapseSlashesAll", "+CollapseSlashesNone", "CollapseSlashesUnmount"])
def test_what_is_ignored(fresh_httpd, word):
    httpd = fresh_httpd(f"JkMount /* w\nJkOptions {word}", workers=ajp13(w=1), start=False)
    code, words = httpd.configtest()
    assert code == 0 and "Deprecated CollapseSlashes setting ignored" in words


# ---- addresses ----

@pytest.fixture(scope="module")
def addresses(make_httpd, peer):
    hosts = {"logical": "", "physical": "JkOptions +ForwardPhysicalAddress", "local": "JkOptions +ForwardLocalAddress"}
    return make_httpd("RemoteIPHeader X-Forwarded-For\nRemoteIPInternalProxy 127.0.0.1\nHostnameLookups Off", workers=ajp13(w=peer.port),
                      vhosts={k: f"JkMount /* w\n{v}" for k, v in hosts.items()}, modules=("remoteip",))


@pytest.mark.parametrize("host, addr, port", [("logical", "192.0.2.44", None), ("physical", "127.0.0.1", "own"), ("local", "127.0.0.1", "0")])
def test_addresses_behind_mod_remoteip(addresses, peer, host, addr, port):
    """The client that mod_remoteip found; the peer of the connection; or this server itself."""
    with client.Wire(addresses.vport) as wire:
        wire.get("/x", [("X-Forwarded-For", "192.0.2.44")], host=host)
        own = str(wire.sock.getsockname()[1])
    r = peer.last()
    assert r.remote_addr == addr
    if port:
        assert r.attribute("AJP_REMOTE_PORT") == (own if port == "own" else port)


# ---- flushing, reuse, unsafe paths: in each context ----

FLUSH_HEAD, FLUSH_PACKET = ajp.send_headers(200, [("X-Head", "here")]), ajp.send_headers() + ajp.chunk(b"first,")
PARK_OFF = "" if INCUMBENT else "JkPark Off\n"  # a request that gives its thread back passes on what is pending
CONTEXTS = {  # main server's options, virtual host's, does it hold there?
    "none": ("", "", False), "own": ("", "+{}", True), "inherited": ("+{}", "", True), "taken back": ("+{}", "-{}", False),
    "main": ("+{}", None, True),
}


def served(fresh_httpd, peer, option, context):
    """(httpd, port, host, does the option hold there?)"""
    main, vhost, holds = CONTEXTS[context]
    line = PARK_OFF + "JkMount /* w\nJkOptions "
    httpd = fresh_httpd(line + (main or "+ForwardURIProxy").format(option), workers=ajp13(w=peer.port),
                        vhosts={"v": line + (vhost or "+ForwardURIProxy").format(option)})
    return httpd, httpd.port if vhost is None else httpd.vport, None if vhost is None else "v", holds


@pytest.mark.parametrize("context", CONTEXTS)
@pytest.mark.parametrize("option, first, mark", [("FlushPackets", FLUSH_PACKET, b"first,"), ("FlushHeader", FLUSH_HEAD, b"X-Head: here")])
def test_flushing(fresh_httpd, peer, option, first, mark, context):
    """What the container has sent reaches the client while it is silent. Where the option does not hold it comes with what follows."""
    if INCUMBENT and context in ("none", "taken back"):
        pytest.skip("when it passes something on is its own affair")
    httpd, port, host, holds = served(fresh_httpd, peer, option, context)
    read = threading.Event()
    peer.on("/flush", [first, lambda ex: ex.wait(read), ajp.chunk(b"second") + ajp.end()])
    with client.Wire(port) as wire:
        wire.request("GET", "/flush", host=host)
        if holds:
            while mark not in wire.held:
                wire._more()
        else:
            wire.sock.settimeout(0.2)
            with pytest.raises(TimeoutError):
                wire._more()
            wire.sock.settimeout(10)
        read.set()
        assert wire.answer().text.endswith("second")


@pytest.mark.parametrize("context", CONTEXTS)
def test_disable_reuse(fresh_httpd, peer, context):
    httpd, port, host, holds = served(fresh_httpd, peer, "DisableReuse", context)
    with client.Wire(port) as wire:
        assert [wire.get(f"/{i}", host=host).status for i in range(3)] == [200] * 3
    assert len(peer.used_connections()) == (3 if holds else 1)
    assert not holds or proc.wait_until(lambda: all(c.closed_by_module.is_set() for c in peer.used_connections()))


@pytest.mark.parametrize("context", CONTEXTS)
def test_reject_unsafe_uri(fresh_httpd, peer, context):
    """A path with % or \\ after decoding is mapped by nobody."""
    httpd, port, host, holds = served(fresh_httpd, peer, "RejectUnsafeURI", context)
    for path in ("/a%25b", "/a%5Cb"):
        assert client.get(port, path, host=host).status == (404 if holds else 200)
        if holds and not INCUMBENT:
            assert httpd.jk_lines("Potentially unsafe request url '/a.b' rejected")
    assert client.get(port, "/a%20b", host=host).status == 200


# ---- the forms of the URI ----

FORMS = ("ForwardURIProxy", "ForwardURICompat", "ForwardURICompatUnparsed", "ForwardURIEscaped")


@pytest.fixture(scope="module")
def forms(make_httpd, peer):
    vhosts = {f: f"JkMount /* w\nJkOptions +{f}" for f in FORMS}
    vhosts["rewrite"] = "JkMount /* w\nRewriteEngine On\nRewriteRule ^/old/(.*)$ /new/$1 [PT]"
    vhosts["slashes"] = "JkMount /* w\nAllowEncodedSlashes On"
    return make_httpd(workers=ajp13(w=peer.port), vhosts=vhosts)


def table(text, upper):
    """The table of directives.md 3; only the case of the digits differs."""
    return "".join(c if c in KEEP else ("%%%02X" if upper else "%%%02x") % ord(c) for c in text)


def expected(form, byte, written):
    """What /b?e becomes, ? being the byte, as the client wrote it."""
    plain = f"/b{chr(byte)}e"
    return {"ForwardURIProxy": f"/b%{byte:02X}e" if len(written) == 3 and not INCUMBENT else table(plain, True), "ForwardURICompat": plain,
            "ForwardURICompatUnparsed": f"/b{written}e", "ForwardURIEscaped": table(plain, False)}[form]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("how", ["%{:02X}", "%{:02x}"])
def test_every_encoded_byte(forms, peer, form, how):
    """0x01 to 0xff through a live server."""
    with client.Wire(forms.vport) as wire:
        for byte in range(1, 256):
            written = how.format(byte)
            status = wire.get(f"/b{written}e", host=form).status
            if byte == ord("/"):
                assert status == 404, "httpd's AllowEncodedSlashes"
            else:
                assert (status, peer.last().uri) == (200, expected(form, byte, written)), hex(byte)


@pytest.mark.parametrize("form", FORMS)
def test_every_bare_byte(forms, peer, form):
    """Those that httpd lets through; the rest never reaches the container."""
    passed = 0
    for byte in range(1, 256):
        if chr(byte) in " ?%#/\r\n":
            continue
        peer.reset()
        status = client.get(forms.vport, f"/b{chr(byte)}e", host=form).status
        assert status in (200, 400), hex(byte)
        assert bool(peer.requests) == (status == 200), hex(byte)
        if status == 200:
            assert peer.last().uri == expected(form, byte, chr(byte)), hex(byte)
            passed += 1
    assert passed >= 66, "letters, digits and the rest of the URI's own characters"


def test_unparsed_ends_at_the_query(forms, peer):
    for target, uri in (("/a?b?c", "/a"), ("/a%3Fb?c", "/a%3Fb"), ("/?", "/"), ("http://x/a%20b?q", "http://x/a%20b")):
        assert client.get(forms.vport, target, [("Host", "ForwardURICompatUnparsed")]).status == 200 or target.startswith("http")
        if not target.startswith("http"):
            assert peer.last().uri == uri


SEGMENTS = ["a", "b%20c", ";x=1", "%3Bx", "%2B+", ".", "..", "", "%2e%2E", "%C3%A9", "\xe9".encode().decode("latin-1"), "%25",
            "%5c", "~$%7e", "%41", "c%0Ad"]


def test_the_proxy_form_always_means_the_same(forms, peer):
    """Decoding it once gives the path that httpd decoded, mapped and checked - whatever httpd did to it."""
    forms.allow("AH10244")  # above the root
    chance, asked = random.Random(7), 0
    with client.Wire(forms.vport) as wire:
        for _ in range(400):
            target = "/" + "/".join(chance.choice(SEGMENTS) for _ in range(chance.randrange(1, 6)))
            host = chance.choice(["ForwardURIProxy", "slashes"])
            headers = [("X-Test", "t")]
            decoded = httpd_decodes(target)
            answer = wire.get(target, headers, host=host)
            if answer.status != 200:
                assert answer.status in (400, 404), target
                if answer.header("Connection") == "close":
                    wire = client.Wire(forms.vport)
                continue
            asked += 1
            assert urllib.parse.unquote_to_bytes(peer.last().uri.encode("latin-1")) == decoded, target
    assert asked > 200


def httpd_decodes(target):
    """%XX once, then httpd's merging of slashes and dot segments."""
    out = []
    path = urllib.parse.unquote_to_bytes(target.encode("latin-1"))
    parts = path.split(b"/")[1:]
    for i, part in enumerate(parts):
        last = i == len(parts) - 1
        if part == b"" and not last:
            continue
        if part in (b".", b".."):
            if part == b".." and out:
                out.pop()
            if last:
                out.append(b"")
            continue
        out.append(part)
    return b"/" + b"/".join(out)


@pytest.mark.parametrize("target, uri, why", [
    ("/old/a%3Bb", "/new/a;b", "rewritten: what the client wrote is no guide any more"), ("/old/a%20b", "/new/a%20b", "the table alone"),
    ("/same/a%3Bb", "/same/a%3Bb", "not rewritten"),
])
def test_the_proxy_form_after_mod_rewrite(forms, peer, target, uri, why):
    assert client.get(forms.vport, target, host="rewrite").status == 200
    assert INCUMBENT or peer.last().uri == uri, why
