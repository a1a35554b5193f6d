"""What the container hears of TLS: looked up through httpd without any SSLOptions, from the environment where that says something, a
client's certificate only where it was verified."""
import shutil
import ssl
import subprocess

import pytest
from lib import client
from lib.httpd import LogFile
from lib.workers import ajp13

pytestmark = pytest.mark.skipif(not shutil.which("openssl"), reason="openssl is not installed")

VERIFY = "SSLVerifyClient optional\nSSLVerifyDepth 3\nSSLCACertificateFile conf/ca.crt"
HOSTS = {
    "plain": VERIFY,
    "chain": f"{VERIFY}\nJkOptions +ForwardSSLCertChain",
    "nokey": f"{VERIFY}\nJkOptions -ForwardKeySize",
    "off": f"{VERIFY}\nJkExtractSSL Off\nSSLOptions +StdEnvVars +ExportCertData",
    "exported": f"{VERIFY}\nSSLOptions +StdEnvVars +ExportCertData",
    "exported-chain": f"{VERIFY}\nSSLOptions +StdEnvVars +ExportCertData\nJkOptions +ForwardSSLCertChain\nJkCERTCHAINPrefix ssl_Client_cert_chain_",
    "noca": "SSLVerifyClient optional_no_ca\nSSLVerifyDepth 3\nSSLCACertificateFile conf/ca.crt\nJkOptions +ForwardSSLCertChain",
    "noca-exported": "SSLVerifyClient optional_no_ca\nSSLCACertificateFile conf/ca.crt\nSSLOptions +ExportCertData",
    "hand": "SetEnv SSL_CIPHER MINE\nSetEnv SSL_CIPHER_USEKEYSIZE 7\nSetEnv SSL_CLIENT_CERT PEM\nSetEnv SSL_PROTOCOL P\nSetEnv SSL_SESSION_ID S",
    "own-https": "JkHTTPSIndicator FRONT_HTTPS\nSetEnvIf X-Front (.+) FRONT_HTTPS=$1",
    "own-prefix": f"{VERIFY}\nJkCERTCHAINPrefix MY_CHAIN_\nJkOptions +ForwardSSLCertChain\n"
                  'SetEnvIf X-C "^(.)(.)$" My_Chain_B=$1\nSetEnvIf X-C "^(.)(.)$" my_chain_A=$2',
    "other-fact": "JkCIPHERIndicator SSL_SERVER_S_DN_CN\nJkSESSIONIndicator TIME_YEAR\nJkSSLPROTOCOLIndicator HTTP_USER_AGENT",
    "user": f"{VERIFY}\nSSLUserName SSL_CLIENT_S_DN_CN",
    "cgi": "JkEnvVar REMOTE_PORT",
    "h2": f"{VERIFY}\nProtocols h2 http/1.1\nJkOptions +ForwardSSLCertChain",
}
TLS = ("ssl_cert", "ssl_cipher", "ssl_session", "ssl_key_size", "AJP_SSL_PROTOCOL")


def openssl(httpd, *args):
    subprocess.run(["openssl", *args], cwd=httpd.path("conf"), check=True, capture_output=True)


def sign(httpd, name, issuer, extensions="basicConstraints=CA:FALSE"):
    """conf/NAME.key and .crt; issuer None: by itself."""
    httpd.write(f"conf/{name}.ext", extensions)
    openssl(httpd, "req", "-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={name}", "-keyout", f"{name}.key", "-out", f"{name}.csr")
    by = ["-CA", f"{issuer}.crt", "-CAkey", f"{issuer}.key", "-CAcreateserial"] if issuer else ["-signkey", f"{name}.key"]
    openssl(httpd, "x509", "-req", "-days", "2", "-in", f"{name}.csr", "-extfile", f"{name}.ext", "-out", f"{name}.crt", *by)


@pytest.fixture(scope="module")
def peer(make_peer):
    return make_peer()


@pytest.fixture(scope="module")
def httpd(make_httpd, peer):
    httpd = make_httpd("", workers=ajp13(w=peer.port), tls="JkMount /* w", start=False)
    log = 'LogFormat "%{HTTP_HOST}e" c\n'
    blocks = [f"<VirtualHost 127.0.0.1:{httpd.tls_port}>\nServerName {name}\nSSLEngine on\nSSLCertificateFile conf/server.crt\n"
              f"SSLCertificateKeyFile conf/server.key\nCustomLog logs/access_log test\nCustomLog logs/common-{name} c\n"
              f"JkMount /* w\n{lines}\n</VirtualHost>"
              for name, lines in HOSTS.items()]
    sign(httpd, "ca", None, "basicConstraints=critical,CA:TRUE")
    sign(httpd, "middle", "ca", "basicConstraints=critical,CA:TRUE")
    sign(httpd, "alice", "middle")
    sign(httpd, "mallory", None)
    httpd.write("conf/alice.pem", pem(httpd, "alice") + pem(httpd, "middle"))
    httpd.write_config(log + "\n".join(blocks))
    return httpd.start()


def pem(httpd, name):
    with open(httpd.path(f"conf/{name}.crt")) as f:
        return f.read()


class Sni:
    """A context that asks for a virtual host by name, with a certificate or without."""

    def __init__(self, httpd, host, who):
        self.context = ssl._create_unverified_context()
        self.host = host
        if who:
            chain = f"conf/{who}.pem" if who == "alice" else f"conf/{who}.crt"
            self.context.load_cert_chain(httpd.path(chain), httpd.path(f"conf/{who}.key"))

    def wrap_socket(self, sock, server_hostname=None):
        return self.context.wrap_socket(sock, server_hostname=self.host)


def sent(httpd, peer, host, who=None, headers=(), status=200):
    answer = client.get(httpd.tls_port, "/t", headers, host=host, tls=Sni(httpd, host, who))
    assert answer.status == status, answer
    return peer.last()


def facts(r):
    return {n: v for n, v in r.attributes if n in TLS}


@pytest.mark.differs("no facts of TLS without SSLOptions +StdEnvVars")
def test_facts_without_options(httpd, peer):
    r = sent(httpd, peer, "plain")
    found = facts(r)
    assert r.is_ssl is True and set(found) == set(TLS) - {"ssl_cert"}
    assert found["AJP_SSL_PROTOCOL"].startswith("TLSv1") and found["ssl_key_size"] in (128, 256)
    assert found["ssl_cipher"].startswith(("TLS_", "ECDHE")) and set(found["ssl_session"]) <= set("0123456789ABCDEFabcdef")


@pytest.mark.differs("no certificate without SSLOptions +ExportCertData")
def test_a_verified_certificate(httpd, peer):
    """Without its chain by default."""
    assert facts(sent(httpd, peer, "plain", "alice"))["ssl_cert"] == pem(httpd, "alice")


@pytest.mark.differs("no certificate without SSLOptions +ExportCertData")
def test_its_chain(httpd, peer):
    """What the client sent after it, in that order, one after the other. The CA was not in it."""
    assert facts(sent(httpd, peer, "chain", "alice"))["ssl_cert"] == pem(httpd, "alice") + pem(httpd, "middle")


@pytest.mark.differs("no facts of TLS without SSLOptions +StdEnvVars")
def test_without_a_key_size(httpd, peer):
    found = facts(sent(httpd, peer, "nokey"))
    assert "ssl_key_size" not in found and "ssl_cipher" in found


def test_nothing_where_it_is_off(httpd, peer):
    """JkExtractSSL Off: even of what is exported."""
    r = sent(httpd, peer, "off", "alice")
    assert r.is_ssl is False and facts(r) == {}


@pytest.mark.parametrize("host, chain", [("exported", False), ("exported-chain", True)])
def test_the_exported_environment(httpd, peer, host, chain):
    """The same, by SSLOptions; a prefix in another case is the same prefix."""
    found = facts(sent(httpd, peer, host, "alice"))
    assert set(found) == set(TLS)
    assert found["ssl_cert"] == pem(httpd, "alice") + (pem(httpd, "middle") if chain else "")


@pytest.mark.differs("no facts of TLS without SSLOptions +StdEnvVars")
def test_exported_and_looked_up_are_alike(httpd, peer):
    exported, looked_up = facts(sent(httpd, peer, "exported", "alice")), facts(sent(httpd, peer, "plain", "alice"))
    del exported["ssl_session"], looked_up["ssl_session"]
    assert exported == looked_up


@pytest.mark.differs("no facts of TLS without SSLOptions +StdEnvVars")
@pytest.mark.parametrize("who, why", [("mallory", "signed by herself"), (None, "none")])
def test_an_unverified_certificate_is_no_identity(httpd, peer, who, why):
    """optional_no_ca lets anybody in: nothing is looked up for them."""
    found = facts(sent(httpd, peer, "noca", who))
    assert "ssl_cert" not in found and "ssl_cipher" in found, why


@pytest.mark.differs("no certificate without SSLOptions +ExportCertData")
def test_the_same_where_it_is_verified(httpd, peer):
    """The chain, too."""
    assert facts(sent(httpd, peer, "noca", "alice"))["ssl_cert"] == pem(httpd, "alice") + pem(httpd, "middle")


def test_an_unverified_certificate_that_is_exported(httpd, peer):
    """Then the administrator has said so, as ever."""
    assert facts(sent(httpd, peer, "noca-exported", "mallory"))["ssl_cert"] == pem(httpd, "mallory")


def test_values_by_hand_win(httpd, peer):
    expected = {"ssl_cert": "PEM", "ssl_cipher": "MINE", "ssl_session": "S", "ssl_key_size": 7, "AJP_SSL_PROTOCOL": "P"}
    assert facts(sent(httpd, peer, "hand")) == expected


@pytest.mark.differs("no facts of TLS without SSLOptions +StdEnvVars", only="True")
@pytest.mark.parametrize("front, expected", [("on", True), ("ON", True), ("off", False), (None, False)])
def test_another_name_for_https(httpd, peer, front, expected):
    """It alone tells, as the administrator wished."""
    r = sent(httpd, peer, "own-https", headers=[("X-Front", front)] if front else [])
    assert r.is_ssl is expected and bool(facts(r)) is expected


@pytest.mark.differs("no certificate without SSLOptions +ExportCertData")
def test_another_prefix(httpd, peer):
    """Every variable whose name begins with it, in the table's order, whatever the case."""
    assert facts(sent(httpd, peer, "own-prefix", "alice", [("X-C", "12")]))["ssl_cert"] == pem(httpd, "alice") + "12"
    assert facts(sent(httpd, peer, "own-prefix", "alice"))["ssl_cert"] == pem(httpd, "alice")


@pytest.mark.differs("no facts of TLS without SSLOptions +StdEnvVars")
def test_other_names_of_facts(httpd, peer):
    """Another variable of mod_ssl is looked up; what mod_ssl would also look up, but is none of TLS, is none; a client's header is never taken for a fact."""
    found = facts(sent(httpd, peer, "other-fact", headers=[("User-Agent", "TLSv9")]))
    assert found["ssl_cipher"] == "localhost" and "ssl_session" not in found
    assert found["AJP_SSL_PROTOCOL"] == "TLSv9", "named by the administrator: a CGI variable"


def test_the_user_of_a_certificate(httpd, peer):
    assert sent(httpd, peer, "user", "alice").attribute("remote_user") == "alice"


@pytest.mark.differs("they were made for every request of TLS")
def test_cgi_variables_are_made_only_where_they_are_asked_for(httpd, peer):
    """ap_add_common_vars() is dear."""
    sent(httpd, peer, "plain")
    sent(httpd, peer, "cgi")
    httpd.wait_idle()
    assert LogFile(httpd.path("logs/common-plain")).lines()[-1] == "-"
    assert LogFile(httpd.path("logs/common-cgi")).lines()[-1] == "cgi"


@pytest.mark.differs("no certificate without SSLOptions +ExportCertData")
@pytest.mark.skipif(not client.has_curl_h2(), reason="curl without HTTP/2")
def test_http2(httpd, peer):
    """A stream's connection is not the client's: the facts and the certificate are found all the same."""
    code, _, words = client.curl("-k", "--http2", "--cert", httpd.path("conf/alice.pem"), "--key", httpd.path("conf/alice.key"),
                                 "--resolve", f"h2:{httpd.tls_port}:127.0.0.1", f"https://h2:{httpd.tls_port}/t")
    r = peer.last()
    assert code == 0 and r.protocol == "HTTP/2.0", words
    assert r.is_ssl is True and facts(r)["ssl_cert"] == pem(httpd, "alice") + pem(httpd, "middle") and set(facts(r)) == set(TLS)
