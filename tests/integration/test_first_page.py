"""The first page: what the tutorials and distributions write, with a real Tomcat behind."""
import hashlib
import json
import os
import ssl

import pytest
from lib import client
from lib.httpd import INCUMBENT
from lib.tomcat import PAGES, Tomcat
from lib.workers import ajp13

# As every tutorial has it.
TUTORIAL = """
JkWorkersFile conf/workers.properties
JkLogFile logs/mod_jk.log
JkLogLevel info
JkLogStampFormat "[%a %b %d %H:%M:%S %Y]"
JkMount /*.jsp worker1
DirectoryIndex index.html index.jsp
"""
TUTORIAL_WORKERS = """
# Define 1 real worker using ajp13
worker.list=worker1
# Set properties for worker1 (ajp13)
worker.worker1.type=ajp13
worker.worker1.host=localhost
worker.worker1.port={port}
"""

# Debian's jk.conf and workers.properties, without their comments. The mounts name workers that the file does not define.
DEBIAN = """
<IfModule jk_module>
    JkWorkersFile {root}/conf/workers.properties
    JkLogFile {root}/logs/mod_jk.log
    JkLogLevel info
    JkShmFile {root}/run/jk-runtime-status
    JkWatchdogInterval 60
    <Location /jk-status>
        # Inside Location we can omit the URL in JkMount
        JkMount jk-status
        Require ip 127.0.0.1
    </Location>
    <Location /jk-manager>
        # Inside Location we can omit the URL in JkMount
        JkMount jk-manager
        Require ip 127.0.0.1
    </Location>
</IfModule>
"""
DEBIAN_WORKERS = """
workers.tomcat_home=/usr/share/tomcat8
workers.java_home=/usr/lib/jvm/default-java
ps=/
worker.list=ajp13_worker
worker.ajp13_worker.port={port}
worker.ajp13_worker.host=localhost
worker.ajp13_worker.type=ajp13
worker.ajp13_worker.lbfactor=1
#worker.ajp13_worker.cachesize
worker.loadbalancer.type=lb
worker.loadbalancer.balance_workers=ajp13_worker
"""


# ---- the tutorial ----

@pytest.fixture(scope="module")
def tutorial(make_httpd, tomcat):
    return make_httpd(TUTORIAL, workers=TUTORIAL_WORKERS.format(port=tomcat.port), defaults=False,
                      files={"htdocs/static.html": "<p>a file of httpd</p>\n", "htdocs/sub/index.html": "<p>httpd's index</p>\n"})


def test_a_page_of_tomcat(tutorial):
    """The whole way and back: the page was computed by the container."""
    answer = client.get(tutorial.port, "/index.jsp")
    assert answer.status == 200 and "two and two is 4" in answer.text
    assert answer.header("Content-Type").lower() == "text/html;charset=utf-8"


def test_a_static_file_of_httpd(tutorial):
    answer = client.get(tutorial.port, "/static.html")
    assert (answer.status, answer.text) == (200, "<p>a file of httpd</p>\n")


def test_slash_is_the_index_page_of_tomcat(tutorial):
    """`/` with DirectoryIndex index.jsp and JkMount /*.jsp: there is no file index.jsp at httpd's side."""
    answer = client.get(tutorial.port, "/")
    assert answer.status == 200 and "two and two is 4" in answer.text


def test_an_index_of_httpd_comes_first(tutorial):
    assert client.get(tutorial.port, "/sub/").text == "<p>httpd's index</p>\n"


def test_a_page_that_is_not_there(tutorial):
    """404 of the container, with its own page."""
    answer = client.get(tutorial.port, "/nothing.jsp")
    assert answer.status == 404 and "Tomcat" in answer.text


def test_the_log_has_the_tutorials_stamp(tutorial):
    assert tutorial.jk_log.text().startswith("[") and "initialized" in tutorial.jk_log.text()


def test_the_server_names_the_module(tutorial):
    """ServerTokens: httpd's header names the module."""
    assert "mod_jk/" in client.get(tutorial.port, "/static.html").header("Server")


def test_a_session_comes_back(tutorial):
    """The container's cookie reaches the client, and the client's reaches the container."""
    answer = client.get(tutorial.port, "/echo.jsp?session=1")
    cookie = answer.header("Set-Cookie").split(";")[0]
    again = json.loads(client.get(tutorial.port, "/echo.jsp", [("Cookie", cookie)]).text)
    assert cookie == "JSESSIONID=" + again["sessionId"]
    inpath = json.loads(client.get(tutorial.port, "/echo.jsp;jsessionid=" + again["sessionId"]).text)
    assert inpath["sessionId"] == again["sessionId"]


# ---- everything through a servlet ----

@pytest.fixture(scope="module")
def whole(make_httpd, tomcat):
    config = """
JkMount /* w
<Location /user.jsp>
  AuthType Basic
  AuthName test
  AuthBasicProvider file
  AuthUserFile conf/users
  Require valid-user
</Location>
"""
    vhosts = {
        "secret": "JkMount /* right", "wrong": "JkMount /* wrong", "missing": "JkMount /* missing", "unix": "JkMount /* unix",
    }
    workers = ajp13(w=tomcat.port, right={"port": tomcat.secret_port, "secret": Tomcat.SECRET},
                    wrong={"port": tomcat.secret_port, "secret": "guessed"}, missing=tomcat.secret_port,
                    **({} if INCUMBENT else {"unix": {"host": f"unix:{tomcat.unix}"}}))
    if INCUMBENT:
        vhosts.pop("unix")
    httpd = make_httpd(config, workers=workers, vhosts=vhosts, modules=("auth_basic", "authn_file", "authz_user"),
                       tls="JkMount /* w", start=False)
    httpd.write_users(alice="pw")
    return httpd.start()


def echo(httpd, path="/echo.jsp", method="GET", port=None, **more):
    answer = client.ask(port or httpd.port, method, path, **more)
    assert answer.status == 200, answer
    return json.loads(answer.text)


def test_what_the_container_sees(whole):
    told = echo(whole, "/echo.jsp?a=b%20c&d", headers=[("X-Own", "1"), ("Cookie", "a=b")])
    assert (told["method"], told["uri"], told["query"], told["protocol"]) == ("GET", "/echo.jsp", "a=b%20c&d", "HTTP/1.1")
    assert (told["scheme"], told["secure"], told["serverName"], told["serverPort"]) == ("http", False, "127.0.0.1", whole.port)
    assert told["remoteAddr"] == "127.0.0.1" and told["remotePort"] > 0 and told["remoteUser"] is None
    headers = {n.lower(): v for n, v in told["headers"]}
    assert headers["x-own"] == "1" and headers["cookie"] == "a=b"
    assert told["attributes"]["JK_LB_ACTIVATION"] == "ACT"


def test_a_servlet(whole, tomcat):
    if not tomcat.has_servlet:
        pytest.skip("no javac")
    assert echo(whole, "/echo/more/path;x=y?q")["uri"] == "/echo/more/path;x=y"


@pytest.mark.parametrize("size", [0, 1, 8186, 8187, 300000])
@pytest.mark.parametrize("chunked", [False, True], ids=["length", "chunked"])
def test_bodies_reach_the_container(whole, size, chunked):
    body = os.urandom(size)
    told = echo(whole, method="POST", body=body, chunked=chunked)
    assert (told["length"], told["sha256"]) == (size, hashlib.sha256(body).hexdigest())


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND", "FOO"])
def test_methods_reach_the_container(whole, tomcat, method):
    if not tomcat.has_servlet:
        pytest.skip("no javac")
    assert echo(whole, "/echo", method=method)["method"] == method


def test_head(whole):
    answer = client.ask(whole.port, "HEAD", "/hello.txt")
    assert (answer.status, answer.header("Content-Length"), answer.body) == (200, str(len(PAGES["hello.txt"])), b"")


def test_a_user_of_httpd(whole):
    """Whom httpd has let in the container knows (tomcatAuthentication="false")."""
    told = echo(whole, "/user.jsp?x=1", headers=[("Authorization", "Basic YWxpY2U6cHc=")])
    assert (told["remoteUser"], told["query"]) == ("alice", "x=1")


def test_without_credentials_nothing_gets_through(whole):
    assert client.get(whole.port, "/user.jsp?x=1").status == 401


def test_a_long_page(whole):
    """More than any buffer, in pieces as the container likes."""
    answer = client.ask(whole.port, "GET", "/big.jsp")
    lines = [ln for ln in answer.text.splitlines() if ln]
    assert answer.complete and len(lines) == 20000 and lines[-1] == "line 19999 of a long page"


@pytest.mark.parametrize("status", [400, 403, 404, 500, 503])
def test_errors_of_the_application(whole, status):
    """The application's own errors are no refusals, and nothing to complain of."""
    answer = client.get(whole.port, f"/error.jsp?status={status}")
    assert answer.status == status and "Tomcat" in answer.text


@pytest.mark.differs("TLS facts needed SSLOptions +StdEnvVars")
def test_tls(whole):
    """The container knows the request as secure, with cipher, key size and protocol."""
    with client.Wire(whole.tls_port, tls=ssl._create_unverified_context()) as wire:
        told = json.loads(wire.get("/echo.jsp").text)
        cipher, protocol, bits = wire.sock.cipher()
    assert (told["scheme"], told["secure"]) == ("https", True)
    facts = told["attributes"]
    assert facts["jakarta.servlet.request.cipher_suite"] == cipher and facts["jakarta.servlet.request.key_size"] == str(bits)


# ---- secrets ----

@pytest.mark.parametrize("host", ["wrong", "missing"])
def test_a_secret_that_is_not_right(whole, host):
    """403 from the connector, which no application saw: the log says so, and names the secret as a cause."""
    whole.expect(rf"\({host}\).*refused.*403.*secret")
    assert client.get(whole.vport, "/index.jsp", host=host).status == 403


def test_the_right_secret(whole):
    assert "two and two is 4" in client.get(whole.vport, "/index.jsp", host="secret").text


@pytest.mark.differs("there were no Unix sockets")
def test_tomcat_on_a_unix_socket(whole):
    assert "two and two is 4" in client.get(whole.vport, "/index.jsp", host="unix").text


# ---- Debian ----

@pytest.fixture(scope="module")
def debian(make_httpd, tomcat):
    httpd = make_httpd("", workers=DEBIAN_WORKERS.format(port=tomcat.port), defaults=False, start=False,
                       startup=["jk-status", "jk-manager"])
    httpd.write_config(DEBIAN.format(root=httpd.root) + "\nJkMount /*.jsp ajp13_worker")
    return httpd.start()


def test_debians_stock_configuration_starts(debian):
    """As it is packaged, with mounts in <Location> that name workers which its own file does not define."""
    assert "two and two is 4" in client.get(debian.port, "/index.jsp").text


@pytest.mark.parametrize("path", ["/jk-status", "/jk-manager"])
def test_debians_undefined_workers(debian, path):
    debian.allow("jk-status", "jk-manager")
    assert client.get(debian.port, path).status == 500
    assert debian.jk_lines("Could not find a worker for worker name=" + path[1:])


def test_debians_stock_configuration_passes_the_check(debian):
    """-t says what is odd about it, and that it is fine."""
    code, text = debian.configtest()
    assert code == 0 and "Syntax OK" in text
    assert INCUMBENT or ("jk-status" in text and "jk-manager" in text)
