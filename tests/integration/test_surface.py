"""What a request carries: each directive in each context, the indicators, JkEnvVar, notes, httpd's own limits."""
import os
import re

import pytest
from lib import client, directives
from lib.ajp import NAMED
from lib.httpd import INCUMBENT, LogFile
from lib.workers import ajp13

NEW = ("JkStrict", "JkNotes", "JkRequestIdIndicator", "JkStateFile", "JkPark", "JkParkAfter", "JkParkMax")  # mod_jk 1.2.48 has not got them
ROWS = [r for r in directives.rows() if not (INCUMBENT and r.name in NEW)]

# Words that each directive takes; those that are not here take a name.
WORDS = {"JkWorkersFile": "conf/workers.properties", "JkWorkerProperty": "worker.maintain=60", "JkMount": "/x w", "JkUnMount": "/x w",
         "JkMountCopy": "On", "JkStrict": "Off", "JkShmFile": "run/shm", "JkShmSize": "100", "JkWatchdogInterval": "60",
         "JkLogFile": "logs/other.log", "JkLogLevel": "info", "JkRequestLogFormat": "%w", "JkNotes": "On", "JkOptions": "+FlushPackets",
         "JkExtractSSL": "On", "JkEnvVar": "NAME value", "JkMountFile": "conf/rules", "JkMountFileReload": "30", "JkAutoAlias": "/var/empty",
         "JkStripSession": "On ;sid", "JkPark": "Auto", "JkParkAfter": "10", "JkParkMax": "20"}
IN_LOCATION = {"JkMount": "w", "JkUnMount": "w"}


def line_of(row, where=None):
    return f"{row.name} {IN_LOCATION.get(row.name) if where == 'location' and row.name in IN_LOCATION else WORDS.get(row.name, 'A_NAME')}"


# ---- contexts ----

@pytest.fixture(scope="module")
def idle(make_httpd):
    """Only ever asked with -t."""
    one = make_httpd(workers=ajp13(w=1), defaults=False, start=False)
    with open(os.path.join(one.root, "conf", "rules"), "w") as file:
        file.write("/ruled=w\n")
    return one


def check_of(httpd, main="", vhost=""):
    httpd.vhosts = {"v": vhost}
    httpd.write_config("JkWorkersFile conf/workers.properties\n" + main if "JkWorkersFile" not in main + vhost else main)
    return httpd.configtest()


def test_the_table_is_readable():
    """By a program that knows nothing of httpd: each row once, with one line of help."""
    every = directives.rows()
    assert len({r.name.lower() for r in every}) == len(every) >= 35
    assert all(r.help and "\n" not in r.help and r.args in ("TAKE1", "TAKE12", "FLAG", "RAW_ARGS") for r in every)
    assert {r.context for r in every} == {"GLOBAL", "SERVER", "LOCATION"} and {r.inherit for r in every} == {"WHOLE", "UNSET", "MERGED", "COPIED"}


def test_all_in_the_main_server(idle):
    code, words = check_of(idle, "\n".join(line_of(r) for r in ROWS))
    assert code == 0, words


def test_all_that_may_in_a_virtual_host(idle):
    code, words = check_of(idle, vhost="\n".join(line_of(r) for r in ROWS if r.context != "GLOBAL"))
    assert code == 0, words


@pytest.mark.parametrize("name", [r.name for r in ROWS if r.context == "GLOBAL"])
def test_global_ones_not_in_a_virtual_host(idle, name):
    row = next(r for r in ROWS if r.name == name)
    code, words = check_of(idle, vhost=line_of(row))
    assert code != 0 and re.search(rf"{name} cannot occur within <VirtualHost> section", words)


@pytest.mark.parametrize("name", [r.name for r in ROWS])
def test_sections(idle, name):
    """<Location> takes mounts alone."""
    row = next(r for r in ROWS if r.name == name)
    code, words = check_of(idle, f"<Location /l>\n{line_of(row, 'location')}\n</Location>")
    if row.context == "LOCATION":
        assert code == 0, words
    else:
        assert code != 0 and f"{name} not allowed in <Location> context" in words


def test_none_in_htaccess(fresh_httpd):
    files = {f"htdocs/{r.name}/.htaccess": line_of(r, "location") for r in ROWS}
    httpd = fresh_httpd("JkMount /never w\n<Directory \"htdocs\">\nAllowOverride All\nRequire all granted\n</Directory>", workers=ajp13(w=1),
                        files=files, start=False)
    httpd.write_config(httpd.config.replace('"htdocs"', f'"{httpd.root}/htdocs"'))
    httpd.start()
    httpd.allow("not allowed here")
    for r in ROWS:
        assert client.get(httpd.port, f"/{r.name}/").status == 500, r.name
        assert httpd.error_lines(rf"{r.name} not allowed here"), r.name


def test_names_are_taken_in_any_case(idle):
    assert check_of(idle, "jkloglevel INFO\nJKOPTIONS +flushpackets")[0] == 0


@pytest.mark.differs("the value, what is allowed, and what was meant were not told", only="JkOptions|JkMountCopy|JkNotes|JkRemoteAddr|JkShmSize")
@pytest.mark.parametrize("lines, words", [
    ("JkOptions +FlushPacket", ["Illegal option '+FlushPacket'", "did you mean 'FlushPackets'", "allowed", "RejectUnsafeURI"]),
    ("JkOptions -ForwardURIProxy", ["-ForwardURIProxy", "another ForwardURI form"]),
    ("JkMountCopy Of", ["JkMountCopy must be All, On or Off", "'Of'"]),
    ("JkNotes Outo", ["JkNotes", "On, Off, Auto", "did you mean 'Auto'"]),
    ("JkEnvVar A B C", ["JkEnvVar takes 1-2 arguments"]),
    ("JkRemoteAddrIndicator A B", ["JkRemoteAddrIndicator takes one argument", "replaces the client's address"]),
    ("JkExtractSSL maybe", ["JkExtractSSL must be On or Off"]),
    ("JkShmSize many", ["JkShmSize", "'many' is not a number"]),
])
def test_words_of_a_refusal(idle, lines, words):
    """What was wrong, what is allowed, and what was perhaps meant."""
    code, said = check_of(idle, lines)
    assert code != 0
    for word in words:
        assert word in said


@pytest.mark.differs("nothing was said")
@pytest.mark.parametrize("strict", [False, True])
def test_an_unknown_level_is_info(idle, strict):
    code, said = check_of(idle, "JkLogLevel wran" + ("\nJkStrict On" if strict else ""))
    assert (code != 0) == strict and "'wran' is no level, info is used; allowed: trace" in said and "did you mean 'warn'" in said


# ---- indicators ----

def setters(prefix=""):
    """A header X-JK_FOO: =value sets PREFIX + FOO to value, the empty one too."""
    names = [n.removeprefix("JK_") for n in INDICATORS.values()] + list(TLS.values())
    return "\n".join(f'SetEnvIf X-{prefix}{n} "^=(.*)$" {prefix}{n}=$1' for n in names)


INDICATORS = {f"Jk{n}Indicator": f"JK_{v}" for n, v in {
    "RemoteAddr": "REMOTE_ADDR", "RemotePort": "REMOTE_PORT", "RemoteHost": "REMOTE_HOST", "RemoteUser": "REMOTE_USER", "AuthType": "AUTH_TYPE",
    "LocalName": "LOCAL_NAME", "LocalAddr": "LOCAL_ADDR", "LocalPort": "LOCAL_PORT", "IgnoreCL": "IGNORE_CL"}.items()}
TLS = {"JkHTTPSIndicator": "HTTPS", "JkSSLPROTOCOLIndicator": "SSL_PROTOCOL", "JkCERTSIndicator": "SSL_CLIENT_CERT",
       "JkCIPHERIndicator": "SSL_CIPHER", "JkSESSIONIndicator": "SSL_SESSION_ID", "JkKEYSIZEIndicator": "SSL_CIPHER_USEKEYSIZE"}


def renamed(prefix):
    return "\n".join(f"{d} {prefix}{v.removeprefix('JK_')}" for d, v in {**INDICATORS, **TLS}.items()) + "\n" + setters(prefix)


@pytest.fixture(scope="module")
def peer(make_peer):
    return make_peer()


@pytest.fixture(scope="module")
def plain(make_httpd, peer):
    """The names as they are by default."""
    sets = setters("JK_").replace("X-JK_", "X-JK_") + "\n" + setters()
    vhosts = {
        "v": "JkMount /* w\n" + sets,
        "bare": f"JkMountCopy On\n{sets}",
        "noextract": f"JkMount /* w\nJkExtractSSL Off\n{sets}",
        "setenv": "JkMount /* w\nSetEnv JK_REMOTE_USER late",
        "cgi": "JkMount /* w\nJkRemoteUserIndicator HTTP_X_USER\nJkLocalNameIndicator SERVER_ADMIN\nServerAdmin me@here",
        "auth": "JkMount /* w\n<Location />\nAuthType Basic\nAuthName t\nAuthBasicProvider file\nAuthUserFile conf/users\n"
                f"Require valid-user\n</Location>\n{sets}",
        "route": 'JkMount /* w\nSetEnvIf X-Route "(.+)" JK_ROUTE=$1\nLogFormat "%{JK_WORKER_ROUTE}n" r\nCustomLog logs/routes r',
    }
    httpd = make_httpd(f"JkMount /* w\n{sets}", workers=ajp13(w=peer.port), vhosts=vhosts, modules=("auth_basic", "authn_file", "authz_user"),
                       start=False)
    httpd.write_users(alice="pw")
    return httpd.start()


@pytest.fixture(scope="module")
def own(make_httpd, peer):
    """The main server renames all of them; one virtual host inherits that, one renames them again."""
    vhosts = {"inherits": "JkMount /* w\n" + setters("M_") + "\n" + setters("JK_").replace("X-JK_", "X-JK_"),
              "overrides": "JkMount /* w\n" + setters("M_") + "\n" + renamed("V_")}
    return make_httpd("JkMount /* w\n" + renamed("M_"), workers=ajp13(w=peer.port), vhosts=vhosts)


def sent(httpd, peer, env=(), host=None, method="GET", **more):
    """What arrives where those variables are set."""
    headers = [(f"X-{name}", "=" + value) for name, value in env] + list(more.pop("headers", []))
    answer = client.ask(httpd.vport if host else httpd.port, method, "/i", headers, host=host, **more)
    assert answer.status == 200, answer
    return peer.last()


NOT_SENT = object()


def seen(r, what):
    if what in ("remote_addr", "remote_host", "server_name", "server_port", "is_ssl"):
        return getattr(r, what)
    return r.attribute(what) if r.has(what) else NOT_SENT


SEMANTICS = [
    ("REMOTE_ADDR", "192.0.2.7", "remote_addr", "192.0.2.7"), ("REMOTE_ADDR", "", "remote_addr", None),
    ("REMOTE_PORT", "4711", "AJP_REMOTE_PORT", "4711"), ("REMOTE_PORT", "", "AJP_REMOTE_PORT", None),
    ("REMOTE_HOST", "c.example", "remote_host", "c.example"), ("REMOTE_HOST", "", "remote_host", None),
    ("REMOTE_USER", "bob", "remote_user", "bob"), ("REMOTE_USER", "", "remote_user", NOT_SENT),
    ("AUTH_TYPE", "FORM", "auth_type", "FORM"), ("AUTH_TYPE", "", "auth_type", NOT_SENT),
    ("LOCAL_NAME", "front.example", "server_name", "front.example"), ("LOCAL_NAME", "", "server_name", ""),
    ("LOCAL_ADDR", "192.0.2.9", "AJP_LOCAL_ADDR", "192.0.2.9"), ("LOCAL_ADDR", "", "AJP_LOCAL_ADDR", ""),
    ("LOCAL_PORT", "8443", "server_port", 8443), ("LOCAL_PORT", "", "server_port", 0), ("LOCAL_PORT", "x", "server_port", 0),
]


@pytest.mark.differs("JkLocalAddrIndicator was not inherited by virtual hosts", only="^(v|bare)-LOCAL_ADDR")
@pytest.mark.parametrize("name, value, what, expected", SEMANTICS)
@pytest.mark.parametrize("host", [None, "v", "bare"])
def test_what_an_indicator_does(plain, peer, host, name, value, what, expected):
    """Replaced; set and empty: taken away, or sent empty where the server's own name and address are concerned."""
    assert seen(sent(plain, peer, [("JK_" + name, value)], host), what) == expected


@pytest.mark.differs("JkLocalAddrIndicator was not inherited by virtual hosts", only="^inherits.*LOCAL_ADDR")
@pytest.mark.parametrize("name, value, what, expected", SEMANTICS)
@pytest.mark.parametrize("host, prefix, dead", [(None, "M_", "JK_"), ("inherits", "M_", "JK_"), ("overrides", "V_", "M_")])
def test_indicators_are_inherited(own, peer, host, prefix, dead, name, value, what, expected):
    """Set in the main server, inherited, overridden - JkLocalAddrIndicator too - and the name that was replaced means nothing."""
    assert seen(sent(own, peer, [(prefix + name, value)], host), what) == expected
    without = seen(sent(own, peer, [], host), what)
    if name != "REMOTE_PORT" and host:
        assert seen(sent(own, peer, [(dead + name, value)], host), what) == without


@pytest.mark.differs("half of the number was sent, another port")
def test_a_port_beyond_all_ports_is_none(plain, peer):
    """AJP13 has 16 bits: half of a number would be another port."""
    assert sent(plain, peer, [("JK_LOCAL_PORT", "65544")]).server_port == plain.port
    assert sent(plain, peer, [("JK_LOCAL_PORT", "-1")]).server_port == plain.port


ALICE = ("Authorization", "Basic YWxpY2U6cHc=")


@pytest.mark.parametrize("env, user, kind", [
    ([], "alice", "Basic"), ([("JK_REMOTE_USER", "bob")], "bob", "Basic"), ([("JK_REMOTE_USER", ""), ("JK_AUTH_TYPE", "")], NOT_SENT, NOT_SENT),
])
def test_an_authenticated_user(plain, peer, env, user, kind):
    r = sent(plain, peer, env, "auth", headers=[ALICE])
    assert (seen(r, "remote_user"), seen(r, "auth_type")) == (user, kind)


def test_setenv_is_early_enough(plain, peer):
    assert sent(plain, peer, host="setenv").attribute("remote_user") == "late"


def test_a_client_sets_nothing(plain, peer):
    """Variables are the server's: headers of these names are headers."""
    r = sent(plain, peer, headers=[("JK_REMOTE_USER", "root"), ("JK-REMOTE-USER", "root"), ("REMOTE_USER", "root")], host="setenv")
    assert r.attribute("remote_user") == "late"
    assert not sent(plain, peer, headers=[("JK_REMOTE_USER", "root")]).has("remote_user")


@pytest.mark.differs("CGI variables were not there for an indicator")
def test_cgi_variables(plain, peer):
    """An indicator may name a CGI variable: httpd makes those only because it does."""
    r = sent(plain, peer, headers=[("X-User", "carol")], host="cgi")
    assert (r.attribute("remote_user"), r.server_name) == ("carol", "me@here")


@pytest.mark.parametrize("value", ["", "0", "yes"])
def test_ignore_content_length(plain, peer, value):
    """Whatever the value: the length is unknown, and read is until the end."""
    r = sent(plain, peer, [("JK_IGNORE_CL", value)], method="POST", body=b"x" * 5000)
    assert r.header("Content-Length") is None and r.body == b"x" * 5000


def test_ignore_content_length_without_a_body(plain, peer):
    """There is nothing to ignore."""
    assert sent(plain, peer, [("JK_IGNORE_CL", "1")], method="POST", body=b"").header("Content-Length") == "0"
    assert sent(plain, peer, [("JK_IGNORE_CL", "1")]).header("Content-Length") == "0"


# ---- TLS by hand, as behind an offloader ----

BY_HAND = [("HTTPS", "On"), ("SSL_PROTOCOL", "TLSv9"), ("SSL_CLIENT_CERT", "-----PEM-----"), ("SSL_CIPHER", "C"), ("SSL_SESSION_ID", "5E"),
           ("SSL_CIPHER_USEKEYSIZE", "256")]
ARRIVED = {"AJP_SSL_PROTOCOL": "TLSv9", "ssl_cert": "-----PEM-----", "ssl_cipher": "C", "ssl_session": "5E", "ssl_key_size": 256}


@pytest.mark.parametrize("host", [None, "v", "bare"])
def test_tls_by_hand(plain, peer, host):
    r = sent(plain, peer, BY_HAND, host)
    assert r.is_ssl is True and {n: seen(r, n) for n in ARRIVED} == ARRIVED


@pytest.mark.parametrize("host, prefix", [(None, "M_"), ("inherits", "M_"), ("overrides", "V_")])
def test_tls_by_hand_with_other_names(own, peer, host, prefix):
    r = sent(own, peer, [(prefix + n, v) for n, v in BY_HAND], host)
    assert r.is_ssl is True and {n: seen(r, n) for n in ARRIVED} == ARRIVED
    r = sent(own, peer, BY_HAND, host)
    assert r.is_ssl is False and all(seen(r, n) is NOT_SENT for n in ARRIVED)


@pytest.mark.parametrize("env, host, why", [
    ([("HTTPS", "off"), *BY_HAND[1:]], None, "only 'on' is on"),
    ([("HTTPS", ""), *BY_HAND[1:]], None, "empty is not"),
    (BY_HAND[1:], None, "without HTTPS the rest means nothing"),
    (BY_HAND, "noextract", "JkExtractSSL Off: not a word of TLS"),
])
def test_no_tls(plain, peer, env, host, why):
    r = sent(plain, peer, env, host)
    assert r.is_ssl is False and all(seen(r, n) is NOT_SENT for n in ARRIVED), why


@pytest.mark.differs("65536 was sent as 0", only="65536")
@pytest.mark.parametrize("bits, expected", [("0", 0), ("65535", 65535), ("65536", NOT_SENT), ("-1", NOT_SENT), ("x", 0)])
def test_key_sizes(plain, peer, bits, expected):
    assert seen(sent(plain, peer, [("HTTPS", "on"), ("SSL_CIPHER_USEKEYSIZE", bits)]), "ssl_key_size") == expected


def test_empty_facts_by_hand(plain, peer):
    """As they are; a certificate that is empty is none."""
    r = sent(plain, peer, [("HTTPS", "on"), ("SSL_CIPHER", ""), ("SSL_SESSION_ID", ""), ("SSL_CLIENT_CERT", ""), ("SSL_PROTOCOL", "")])
    assert [seen(r, n) for n in ("ssl_cipher", "ssl_session", "ssl_cert", "AJP_SSL_PROTOCOL")] == ["", "", NOT_SENT, NOT_SENT]


def test_https_alone(plain, peer):
    r = sent(plain, peer, [("HTTPS", "on")])
    assert r.is_ssl is True and all(seen(r, n) is NOT_SENT for n in ARRIVED)


# ---- JkEnvVar ----

ENV = {
    None: "JkMount /* w\nJkEnvVar WITH default\nJkEnvVar WITHOUT\nJkEnvVar EMPTY \"\"\nJkEnvVar TWICE first\nJkEnvVar TWICE second",
    "shares": "JkMount /* w",
    "bare": "JkMountCopy On",
    "adds": "JkMount /* w\nJkEnvVar MINE own\nJkEnvVar WITH other\nJkEnvVar twice",
    "cgi": "JkMount /* w\nJkEnvVar SERVER_ADDR\nJkEnvVar REMOTE_PORT\nJkEnvVar HTTP_X_ANY\nJkEnvVar REMOTE_USER none",
}
VARS = ("WITH", "WITHOUT", "EMPTY", "TWICE", "MINE")


@pytest.fixture(scope="module")
def env(make_httpd, peer):
    sets = "\n" + "\n".join(f'SetEnvIf X-{n} "^=(.*)$" {n}=$1' for n in VARS)
    return make_httpd(ENV[None] + sets, workers=ajp13(w=peer.port), vhosts={k: v + sets for k, v in ENV.items() if k})


def own_attributes(r):
    return [(n, v) for n, v in r.attributes if n not in NAMED]


DEFAULTS = [("WITH", "default"), ("TWICE", "second")]


@pytest.mark.parametrize("host, given, expected, why", [
    (None, [], DEFAULTS, "defaults; without one nothing - to httpd an empty default is none"),
    (None, [("WITH", "now"), ("WITHOUT", "set")], [("WITH", "now"), ("WITHOUT", "set"), DEFAULTS[1]], "in the order of the configuration"),
    (None, [("WITH", ""), ("WITHOUT", "")], [("WITH", ""), ("WITHOUT", ""), DEFAULTS[1]], "set and empty is set"),
    ("shares", [], DEFAULTS, "a virtual host without any has the main server's"),
    ("bare", [], DEFAULTS, "one without any of these directives too"),
    ("adds", [], [("MINE", "own"), ("WITH", "other")], "its own first; of the main server's what it does not name"),
    ("adds", [("TWICE", "t"), ("WITHOUT", "w")], [("MINE", "own"), ("WITH", "other"), ("twice", "t"), ("WITHOUT", "w")],
     "names of variables know no case"),
])
def test_env_vars(env, peer, host, given, expected, why):
    assert own_attributes(sent(env, peer, given, host)) == expected, why


def test_env_vars_of_cgi(env, peer):
    found = dict(own_attributes(sent(env, peer, headers=[("X-Any", "h")], host="cgi")))
    assert found["SERVER_ADDR"] == "127.0.0.1" and found["REMOTE_PORT"].isdigit() and found["HTTP_X_ANY"] == "h" and found["REMOTE_USER"] == "none"


@pytest.mark.differs("nothing was said")
def test_env_vars_that_tomcat_refuses_are_told(env):
    """With the line that lets them in. JkLogLevel info is enough to see it, once per list."""
    lines = [ln for ln in env.jk_log.lines() if "allowedRequestAttributesPattern" in ln]
    assert 'allowedRequestAttributesPattern="WITH|WITHOUT|EMPTY|TWICE"' in lines[0] and "403" in lines[0]
    assert len(lines) == 3, "the main server's, and the two that add some"


# ---- routes and notes ----

def test_a_route_without_a_balancer(plain, peer):
    """JK_ROUTE goes to the container, and into the note."""
    assert sent(plain, peer, host="route", headers=[("X-Route", "n7")]).attribute("route") == "n7"
    assert not sent(plain, peer, host="route").has("route")
    plain.wait_idle()
    assert sorted(LogFile(plain.path("logs/routes")).lines()) == ["-", "n7"]


def test_notes(fresh_httpd, peer):
    """For every request that was a worker's; nothing for others."""
    names = ("JK_WORKER_NAME", "JK_WORKER_TYPE", "JK_REQUEST_DURATION", "JK_WORKER_ROUTE")
    form = "|".join(f"%{{{n}}}n" for n in names)
    httpd = fresh_httpd(f'JkMount /w/* w\nLogFormat "{form}" n\nCustomLog logs/notes n', workers=ajp13(w=peer.port), files={"htdocs/f.txt": "x"})
    assert client.get(httpd.port, "/w/x").status == 200 and client.get(httpd.port, "/f.txt").status == 200
    httpd.wait_idle()
    other, ours = sorted(LogFile(httpd.path("logs/notes")).lines())
    assert re.fullmatch(r"w\|ajp13\|\d+\.\d{6}\|-", ours) and other == "-|-|-|-"


# ---- httpd's own limits ----

@pytest.fixture(scope="module")
def limits(make_httpd, peer):
    main = ("JkMount /* w\n<Location /small>\nLimitRequestBody 1000\n</Location>\n"
            "LimitRequestFieldSize 200\nLimitRequestFields 20\nLimitRequestLine 300")
    return make_httpd(main, workers=ajp13(w=peer.port))


@pytest.mark.differs("a chunked body that is too large: the connection closed without an answer", only="^chunked-.*413")
@pytest.mark.parametrize("size, status", [(999, 200), (1000, 200), (1001, 413), (200000, 413)])
@pytest.mark.parametrize("chunked", [False, True], ids=["length", "chunked"])
def test_limit_request_body(limits, peer, size, status, chunked):
    """413, with a length or without; what is refused by its length never reaches the container."""
    limits.allow("AH01588", "AH01592", "AH01590", "AH01591", "larger than the configured limit", "Error reading")
    mine = f"{chunked}-{size}"  # the line of the test before may be late
    a = client.ask(limits.port, "POST", "/small/x", [("X-Test", mine)], body=b"b" * size, chunked=chunked)
    assert a.status == status and limits.access_of(mine)["status"] == str(status), "what the client got, and what the log says"
    if status == 413 and not chunked:
        assert not peer.requests


@pytest.mark.parametrize("path, headers, status", [
    ("/x", [("X-A", "a" * 190)], 200), ("/x", [("X-A", "a" * 250)], 400), ("/x", [(f"X-{i}", "a") for i in range(30)], 400),
    ("/" + "u" * 400, [], 414),
])
def test_limits_of_the_head(limits, peer, path, headers, status):
    limits.allow("AH0056", "AH0134", "size|limit|too long")
    assert client.get(limits.port, path, headers).status == status
    assert bool(peer.requests) == (status == 200)
