"""Configurations as tutorials, distributions and people write them, host names aside. They work, and so `httpd -t` has nothing to say of them
that is more than a hint."""
import re

import pytest
from lib.checks import LIVED, check
from lib.httpd import TOP
from test_first_page import DEBIAN_WORKERS, TUTORIAL, TUTORIAL_WORKERS

pytestmark = pytest.mark.differs("the incumbent says other things")

LOG = "JkLogFile logs/mod_jk.log\nJkLogLevel info\nJkLogStampFormat \"[%a %b %d %H:%M:%S %Y] \"\n"

# why -> (the workers file, directives)
WILD = {
    "the first tutorial": (TUTORIAL_WORKERS.format(port=8009), TUTORIAL.replace("JkWorkersFile conf/workers.properties\n", "")),

    "the manual's quick start": (
        "# Define 1 real worker using ajp13\nworker.list=worker1\n# Set properties for worker1 (ajp13)\nworker.worker1.type=ajp13\n"
        "worker.worker1.host=localhost\nworker.worker1.port=8009\n",
        LOG + "JkShmFile logs/mod_jk.shm\nJkMount /examples/* worker1\n"),

    "a request log and all options": (
        "worker.list=ajp13\nworker.ajp13.port=8009\nworker.ajp13.host=localhost\nworker.ajp13.type=ajp13\n",
        LOG + "JkOptions +ForwardKeySize +ForwardURICompat -ForwardDirectories\nJkRequestLogFormat \"%w %V %T\"\n"
        "JkMount /servlet/* ajp13\nJkMount /*.jsp ajp13\nJkMount /examples/*.jsp ajp13\n"),

    "CentOS with two Tomcats": (
        "worker.list=loadbalancer\nworker.node1.port=8009\nworker.node1.host=127.0.0.1\nworker.node1.type=ajp13\nworker.node1.lbfactor=1\n"
        "worker.node1.cachesize=10\nworker.node2.port=8009\nworker.node2.host=127.0.0.2\nworker.node2.type=ajp13\nworker.node2.lbfactor=1\n"
        "worker.node2.cachesize=10\nworker.loadbalancer.type=lb\nworker.loadbalancer.balanced_workers=node1,node2\n"
        "worker.loadbalancer.sticky_session=1\n",
        LOG + "JkMount /* loadbalancer\n"),

    "one machine, two ports, macros": (
        "tomcat_host=127.0.0.1\nfirst=8109\nworkers.tomcat_home=/opt/tomcat\nJAVA=/usr\nworkers.java_home=$(JAVA)/jre\nps=/\n"
        "worker.list=router\nworker.a.type=ajp13\nworker.a.host=$(tomcat_host)\nworker.a.port=$(first)\nworker.b.type=ajp13\n"
        "worker.b.host=$(tomcat_host)\nworker.b.port=8209\nworker.router.type=lb\nworker.router.balance_workers=a\nworker.router.balance_workers=b\n"
        "worker.router.method=B\n",
        "JkMount /app router\nJkMount /app/* router\nJkUnMount /app/static/* router\n"),

    "templates and status": (
        "worker.list=jk-status,jk-manager,balancer\nworker.jk-status.type=status\nworker.jk-status.read_only=true\nworker.jk-manager.type=status\n"
        "worker.balancer.type=lb\nworker.balancer.error_escalation_time=0\nworker.balancer.max_reply_timeouts=10\nworker.balancer.balance_workers=node1\n"
        "worker.node1.reference=worker.template\nworker.node1.host=localhost\nworker.node1.port=8109\nworker.node1.activation=A\n"
        "worker.balancer.balance_workers=node2\nworker.node2.reference=worker.template\nworker.node2.host=localhost\nworker.node2.port=8209\n"
        "worker.node2.activation=A\nworker.template.type=ajp13\nworker.template.socket_connect_timeout=5000\nworker.template.socket_keepalive=true\n"
        "worker.template.ping_mode=A\nworker.template.ping_timeout=10000\nworker.template.connection_pool_minsize=0\n"
        "worker.template.connection_pool_timeout=600\nworker.template.reply_timeout=300000\nworker.template.recovery_options=3\n",
        LOG + "JkWatchdogInterval 60\n<Location /jk-status>\n  JkMount jk-status\n  Require ip 127.0.0.1\n</Location>\n"
        "<Location /jk-manager>\n  JkMount jk-manager\n  Require ip 127.0.0.1\n</Location>\nJkMount /* balancer\n"),

    "a status page beside": (
        "worker.list=ajp13w,jkstatus\nworker.ajp13w.type=ajp13\nworker.ajp13w.host=localhost\nworker.ajp13w.port=8009\nworker.jkstatus.type=status\n",
        "JkMount /*.do ajp13w\nJkMount /jkstatus/* jkstatus\n"),

    "virtual hosts": (
        "worker.list=app1, app2\nworker.app1.type=ajp13\nworker.app1.host=localhost\nworker.app1.port=8009\nworker.app2.type=ajp13\n"
        "worker.app2.host=localhost\nworker.app2.port=8010\n",
        LOG + "<VirtualHost *:18080>\n  ServerName one\n  JkMount / app1\n  JkMount /* app1\n</VirtualHost>\n"
        "<VirtualHost *:18080>\n  ServerName two\n  JkMount /* app2\n  JkUnMount /images/* app2\n  <Location /private>\n    Require ip 127.0.0.1\n"
        "  </Location>\n</VirtualHost>\n"),

    "JkMountCopy for all": (
        "worker.list=w1\nworker.w1.type=ajp13\nworker.w1.host=localhost\nworker.w1.port=8009\nworker.w1.connection_pool_timeout=600\n"
        "worker.w1.socket_keepalive=1\nworker.w1.socket_timeout=300\n",
        "JkMountCopy All\nJkMount /shop|/* w1\n<VirtualHost *:18081>\n  ServerName one\n  JkLogFile logs/one.log\n</VirtualHost>\n"),

    "a rule file": (
        "worker.list=loadbalancer\nworker.loadbalancer.type=lb\nworker.loadbalancer.balance_workers=s1,s2\nworker.s1.host=127.0.0.1\n"
        "worker.s1.port=8009\nworker.s1.domain=left\nworker.s2.host=127.0.0.2\nworker.s2.port=8009\nworker.s2.domain=right\n"
        "worker.s2.distance=1\nworker.loadbalancer.sticky_session=True\nworker.loadbalancer.method=Session\n",
        "JkMountFile conf/uriworkermap.properties\nJkMountFileReload 60\n"),

    "a hot standby": (
        "worker.list=router\nworker.worker1.type=ajp13\nworker.worker1.host=127.0.0.1\nworker.worker1.port=8009\nworker.worker1.lbfactor=1\n"
        "worker.worker1.redirect=worker2\nworker.worker2.type=ajp13\nworker.worker2.host=127.0.0.2\nworker.worker2.port=8009\n"
        "worker.worker2.lbfactor=1\nworker.worker2.activation=disabled\nworker.router.type=lb\nworker.router.balance_workers=worker1,worker2\n"
        "worker.maintain=30\n",
        "JkMount /* router\n"),

    "after Ghostcat": (
        "worker.list=tomcat\nworker.tomcat.type=ajp13\nworker.tomcat.host=127.0.0.1\nworker.tomcat.port=8009\nworker.tomcat.secret=Wq#8!=zz9;(x)\n"
        "worker.tomcat.max_packet_size=65536\n",
        "JkMount /* tomcat\nJkEnvVar SHIB_user none\nJkEnvVar REMOTE_USER\n"),

    "all in httpd.conf": (
        None,
        "JkWorkerProperty worker.list=w\nJkWorkerProperty worker.w.type=ajp13\nJkWorkerProperty worker.w.host=localhost\n"
        "JkWorkerProperty worker.w.port=8009\nJkMount /* w\n"),

    "SetHandler": (
        "worker.list=w\nworker.w.type=ajp13\nworker.w.host=localhost\nworker.w.port=8009\n",
        "<Location /app>\n  SetHandler jakarta-servlet\n  SetEnv JK_WORKER_NAME w\n</Location>\nJkMount /other/* w\n"),

    "from Windows": (
        "\ufeff# workers\r\nworker.list=ajp13w\r\n\r\nworker.ajp13w.port=8009\r\nworker.ajp13w.host=localhost\r\nworker.ajp13w.type=ajp13\r\n"
        "workers.tomcat_home=\"C:\\Program Files\\Tomcat\"\r\nworkers.java_home=C:\\j2sdk\r\nps=\\\r\n",
        "JkMount /*.jsp ajp13w\n"),

    "timeouts as the manual recommends": (
        "worker.list=node1\nworker.node1.type=ajp13\nworker.node1.host=localhost\nworker.node1.port=8009\nworker.node1.connect_timeout=10000\n"
        "worker.node1.prepost_timeout=10000\nworker.node1.socket_connect_timeout=10000\nworker.node1.connection_pool_timeout=600\n"
        "worker.node1.connection_ping_interval=100\nworker.node1.reply_timeout=60000\nworker.node1.fail_on_status=503,-404\nworker.node1.retries=2\n",
        "JkMount /* node1;use_server_errors=500\n"),

    "umlauts in comments": (
        "# f\u00fcr die Anwendung \u00fc\u00e4\u00f6 = nichts\nworker.list=w\nworker.w.host=localhost # der Rechner f\u00fcr alle\nworker.w.port=8009\nworker.w.type=ajp13\n",
        "JkMount /* w\n"),
}


@pytest.fixture(scope="module")
def httpd(make_httpd):
    return make_httpd(start=False, modules=("authz_host",), files={
        "conf/uriworkermap.properties": "# mounts\n/app/*=loadbalancer\n/app|/x/*=loadbalancer;reply_timeout=120000\n!/app/*.gif=loadbalancer\n-/old/*=loadbalancer\n"})


@pytest.mark.parametrize("strict", ["", "\nJkStrict On"], ids=["lenient", "strict"])
@pytest.mark.parametrize("why", WILD)
def test_nothing_to_say(httpd, why, strict):
    workers, config = WILD[why]
    said = check(httpd, workers, config + strict)
    assert (said.code, said.lines, said.end) == (0, [], []), said


def test_debians_own(httpd):
    """It mounts two workers that its file does not define: that is said, and nothing else; and it starts."""
    said = check(httpd, DEBIAN_WORKERS.format(port=8009), "<Location /jk-status>\nJkMount jk-status\n</Location>\n<Location /jk-manager>\nJkMount jk-manager\n"
                 "</Location>\nJkMount /*.jsp ajp13_worker\nJkShmFile run/x\nJkWatchdogInterval 60\n")
    assert said.code == 0 and len(said.lines) == 2, said
    for line, name in zip(said.lines, ("jk-status", "jk-manager")):
        assert re.match(rf"{LIVED}: conf/httpd\.conf:\d+: JkMount /{name}: there is no worker '{name}' in worker\.list", line), said


def test_our_own_sample(httpd):
    """conf/ of the source, with JkStrict On as it has it."""
    lines = open(f"{TOP}/conf/httpd-jk.conf").read().replace("LoadModule", "#").replace("JkWorkersFile", "#")
    said = check(httpd, open(f"{TOP}/conf/workers.properties").read(), lines)
    assert (said.code, said.lines) == (0, []), said


def packaged(name):
    """A file of tools/packages; its paths become those of the test."""
    text = open(f"{TOP}/tools/packages/{name}").read().replace("/var/log/apache2/", "logs/")
    return re.sub(r"^(.*JkWorkersFile|LoadModule )", r"#\1", text, flags=re.M)


@pytest.mark.parametrize("name, strict", [("debian/jk.conf", ""), ("debian/jk.conf", "JkStrict On\n"), ("rpm/mod_jk.conf", "")])
def test_the_packages_own(httpd, name, strict):
    said = check(httpd, packaged("workers.properties"), packaged(name) + strict + "JkMount /app|/* ajp13_worker\n")
    assert (said.code, said.lines) == (0, []), said


def test_debians_workers_with_the_packages_jk_conf(httpd):
    """An upgrade where the workers were edited and jk.conf was not: two workers are missing, as they were before, and it starts."""
    said = check(httpd, DEBIAN_WORKERS.format(port=8009), packaged("debian/jk.conf"))
    assert said.code == 0 and [re.search(r"there is no worker '([\w-]+)'", ln)[1] for ln in said.lines] == ["jk-status", "jk-manager"], said
