"""What people write wrong, and what `httpd -t` says about it: one table. A row names every finding that comes of a configuration, in its
order, and no other may appear. Under JkStrict On what could be lived with refuses."""
import re

import pytest
from lib.checks import LIVED, check

pytestmark = pytest.mark.differs("other words, or none")

GOOD = "worker.list=w\nworker.w.type=ajp13\nworker.w.host=127.0.0.1\nworker.w.port=8009\n"  # four lines: what is added is the fifth
LB = ("worker.list=lb\nworker.lb.type=lb\nworker.lb.balance_workers=a,b\nworker.a.host=127.0.0.1\nworker.a.port=8009\n"
      "worker.b.host=127.0.0.1\nworker.b.port=8010\n")  # seven lines
W = r"conf/workers\.properties"
NO_LIST = "there is no worker.list: no worker is there but 'ajp13' at localhost:8009; add worker.list="
NO_WORKER = "there is no worker '{}' in worker.list; its requests are answered with 500"


def finding(word, where, text):
    where = f"{W}:{where}" if isinstance(where, int) else where
    return rf"^{word}: {where}: {re.escape(text)}$"


def error(where, text):
    """Refuses, whatever JkStrict says."""
    return finding("error", where, text)


def lived(where, text):
    """Refuses under JkStrict On."""
    return finding(LIVED, where, text)


def warning(where, text):
    return finding("warning", where, text)


def mount(text, name="w", what="JkMount"):
    """A finding of a JkMount line."""
    return finding(LIVED, r"conf/httpd\.conf:\d+", f"{what} {text}: " + NO_WORKER.format(name))


def garbage(line, value, key, allowed, used):
    return lived(line, f"'{value}' is no value for {key}; allowed: {allowed}; {used} is used")


def out_of_range(line, key, value, least, most, used):
    return lived(line, f"{key}={value} is out of range; allowed: {least} to {most}; {used} is used")


def no_equals(line, key, more=True):
    return lived(line, f"'{key}' has no '=' and is ignored; allowed: KEY=VALUE" + (", neither a ':' nor a blank in place of the '='" if more else ""))


def variable(line, key, meant):
    return lived(line, f"'{key}' is no key of mod_jk but a variable, and nothing uses it; did you mean '{meant}'?")


def no_host(line, value, why, key="worker.w.host"):
    return lived(line, f"'{value}' is no value for {key}: {why}")


TIME, SIZE, BOOL = "a number with ms, s, m or h", "a number with k, m or g", "true or false"
HOSTS = "allowed: name, name:port, [v6]:port, unix:/path"
LONG = "x" * 70000

# (why, the workers file, findings, directives in place of "JkMount /* w"). None among the findings: a name that is none resolves to nothing.
TABLE = [
    # ---- keys ----
    ("a slip in an attribute", GOOD + "worker.w.prot=1\n", [error(5, "attribute 'worker.w.prot' is not supported; did you mean 'port'?")]),
    ("letters swapped", GOOD + "worker.w.socket_timeuot=1\n", [error(5, "attribute 'worker.w.socket_timeuot' is not supported; did you mean 'socket_timeout'?")]),
    ("an attribute of nobody", GOOD + "worker.w.colour=red\n",
     [error(5, "attribute 'worker.w.colour' is not supported; correct or remove the line: the manual lists all attributes")]),
    ("an attribute in upper case", GOOD + "worker.w.Port=1\n", [error(5, "attribute 'worker.w.Port' is not supported; did you mean 'port'?")]),
    ("a blank in an attribute", GOOD + "worker.w.socket timeout=1\n", [error(5, "attribute 'worker.w.socket timeout' is not supported; did you mean 'socket_timeout'?")]),
    ("all at once", GOOD + "worker.w.prot=1\nworker.w.socket_timeout=soon\nworker.w.hots=x\n",
     [error(5, "attribute 'worker.w.prot' is not supported; did you mean 'port'?"), garbage(6, "soon", "worker.w.socket_timeout", TIME, 0),
      error(7, "attribute 'worker.w.hots' is not supported; did you mean 'host'?")]),
    ("balance_worker", LB.replace("balance_workers", "balance_worker"),
     [error(2, "worker 'lb' is of type lb and has no members; allowed: worker.lb.balance_workers=NAME,NAME"),
      error(3, "attribute 'worker.lb.balance_worker' is not supported; did you mean 'balance_workers'?")], "JkMount /* lb"),
    ("wokers.list", GOOD.replace("worker.list", "wokers.list"),
     [mount("/*"), lived(W, NO_LIST + "w"), variable(1, "wokers.list", "worker.list")]),
    ("Worker.list", GOOD.replace("worker.list", "Worker.List"), [mount("/*"), lived(W, NO_LIST + "w"), variable(1, "Worker.List", "worker.list")]),
    ("workers.w.port", GOOD.replace("worker.w.port", "workers.w.port"), [variable(4, "workers.w.port", "worker.w.port")]),
    ("a blank from a web page before a key", GOOD + "\u00a0worker.w.retries=3\n", [variable(5, r"\xc2\xa0worker.w.retries", "worker.w.retries")]),
    ("worker.lists", GOOD.replace("worker.list", "worker.lists"),
     [mount("/*"), lived(W, NO_LIST + "w"), error(1, "attribute 'worker.lists' is not supported; allowed: worker.list, worker.maintain or "
                                                     "worker.NAME.ATTRIBUTE; did you mean 'worker.list'?")]),
    ("worker. alone", GOOD + "worker.=1\n",
     [error(5, "attribute 'worker.' is not supported; allowed: worker.list, worker.maintain or worker.NAME.ATTRIBUTE")]),
    ("worker..host", GOOD + "worker..host=x\n",
     [error(5, "attribute 'worker..host' is not supported; allowed: worker.list, worker.maintain or worker.NAME.ATTRIBUTE; did you mean 'worker.NAME.host'?")]),
    ("no name", GOOD + "worker.port=8010\n", [error(5, "attribute 'worker.port' is not supported; allowed: worker.list, worker.maintain or "
                                                       "worker.NAME.ATTRIBUTE; did you mean 'worker.NAME.port'?")]),
    ("no worker before the attribute", GOOD + "port=8010\n",
     [warning(5, "'port' is a variable, and nothing uses it; an attribute is written worker.NAME.port")]),
    ("a slip in a worker's name", GOOD.replace("worker.w.port", "worker.ww.port"),
     [warning(4, "worker 'ww' is neither in worker.list nor a member of an lb: 'worker.ww.port' has no effect; did you mean 'w'?")]),
    ("another line for a key", GOOD + "worker.w.port=8010\n", [warning(5, "Duplicate key 'worker.w.port' detected: it overrides the value of conf/workers.properties:4")]),
    ("the old name and the new one", GOOD + "worker.w.cachesize=1\nworker.w.connection_pool_size=2\n",
     [warning(5, "'worker.w.cachesize' is ignored: connection_pool_size is set too")]),
    ("an attribute of JNI workers", GOOD + "worker.w.jvm_lib=/x\n", [warning(5, "'worker.w.jvm_lib' is accepted and ignored: of JNI workers")]),
    # ---- the form of lines ----
    ("':' in place of '='", GOOD.replace("port=", "port: "), [no_equals(4, "worker.w.port")]),
    ("a blank in place of '='", GOOD.replace("port=", "port "), [no_equals(4, "worker.w.port")]),
    ("no value and no '='", GOOD + "worker.w.retries\n", [no_equals(5, "worker.w.retries", more=False)]),
    ("a word", GOOD + "nonsense\n", [warning(5, "'nonsense' has no '=' and is ignored; allowed: KEY=VALUE")]),
    ("nothing before the '='", GOOD + "=8009\n", [warning(5, "there is nothing before the '=': the line is ignored; allowed: KEY=VALUE")]),
    ("nothing behind it", GOOD + "worker.w.retries=\n",
     [warning(5, "'worker.w.retries' has no value and is ignored, as if the line were not there; write a value or remove the line")]),
    ("an empty list", GOOD.replace("list=w", "list="),
     [mount("/*"), lived(W, NO_LIST + "w"),
      warning(1, "'worker.list' has no value and is ignored, as if the line were not there; write a value or remove the line")]),
    ("a line that goes on", GOOD + "worker.w.fail_on_status=500,\\\n  503\n",
     [lived(5, r"'\\' in worker.w.fail_on_status is no status; allowed: 100 to 999, with or without a minus; it is left out"),
      warning(6, r"the line has no '=' and is ignored: a '\\' at the end of a line joins no lines here")]),
    ("a # in a value", GOOD + "worker.w.route=a#b\n",
     [lived(5, "'#' inside the value of 'worker.w.route' begins a comment: what follows it is cut off; put a blank before a comment")]),
    ("an old Mac's line ends", GOOD.replace("\n", "\r").encode(),
     [mount("/*"), warning(W, "no line begins with 'worker.', and no worker is there but 'ajp13' at localhost:8009; is this the workers file?"),
      lived(1, "there is a carriage return inside the line, and it is ignored; allowed at the end of a line: LF or CR LF")]),
    ("UTF-16", GOOD.encode("utf-16"), [mount("/*"), error(1, "the file is in UTF-16; allowed: UTF-8 or ASCII")]),
    ("UTF-16 without a mark", GOOD.encode("utf-16-le"),
     [mount("/*"), *[error(n, "the line holds a NUL byte: this is no text file, or it is in UTF-16") for n in (1, 2, 3, 4, 5)]]),
    ("a NUL byte", GOOD.encode() + b"worker.w.ro\0ute=x\n", [error(5, "the line holds a NUL byte: this is no text file, or it is in UTF-16")]),
    ("a control character", GOOD + "worker.w.route=a\x07b\n", [lived(5, "there is a control character (0x07) in the value of 'worker.w.route'; remove it")]),
    ("a line that is too long", GOOD + f"worker.w.route={LONG}\n", [error(5, "the line has 70015 bytes; allowed: at most 65536")]),
    ("a name that is too long", GOOD + f"worker.w.route={LONG[:300]}\n", [error(5, "the value of 'worker.w.route' has 300 bytes; allowed: at most 255")]),
    # ---- macros ----
    ("a variable that is not there", GOOD.replace("8009", "$(AJP_PORT)"),
     [warning(4, "$(AJP_PORT) in the value of 'worker.w.port' is defined neither above nor in the environment: it stays as it is"),
      garbage(4, "$(AJP_PORT)", "worker.w.port", "a number", 8009)]),
    ("a variable that comes later", GOOD.replace("127.0.0.1", "$(h)") + "h=127.0.0.1\n",
     [warning(3, "$(h) in the value of 'worker.w.host' is defined neither above nor in the environment: it stays as it is")]),
    ("variables in a circle", "a=$(b)\nb=$(a)\n" + GOOD + "worker.w.route=$(a)\n",
     [warning(1, "$(b) in the value of 'a' is defined neither above nor in the environment: it stays as it is")]),
    # ---- values ----
    ("letters in a number", GOOD.replace("8009", "80x9"), [garbage(4, "80x9", "worker.w.port", "a number", 80)]),
    ("a word for a number", GOOD + "worker.w.retries=often\n", [garbage(5, "often", "worker.w.retries", "a number", 2)]),
    ("a unit of another kind", GOOD + "worker.w.reply_timeout=10k\n", [garbage(5, "10k", "worker.w.reply_timeout", TIME, 10)]),
    ("a unit that there is not", GOOD + "worker.w.max_packet_size=16kb\n", [garbage(5, "16kb", "worker.w.max_packet_size", SIZE, 8192)]),
    ("a format of printf", GOOD + "worker.w.retries=%n%s%s\n", [garbage(5, "%n%s%s", "worker.w.retries", "a number", 2)]),
    ("a fraction", GOOD + "worker.w.socket_timeout=1.5\n", [garbage(5, "1.5", "worker.w.socket_timeout", TIME, 1)]),
    ("a negative number", GOOD + "worker.w.busy_limit=-1\n", [out_of_range(5, "worker.w.busy_limit", -1, 0, 2147483647, 0)]),
    ("a port that there is not", GOOD.replace("8009", "80090"), [out_of_range(4, "worker.w.port", 80090, 0, 65535, 65535)]),
    ("more than a number holds", GOOD + "worker.w.reply_timeout=99999999999\n", [garbage(5, "99999999999", "worker.w.reply_timeout", TIME, 0)]),
    ("no share", LB + "worker.a.lbfactor=0\n", [out_of_range(8, "worker.a.lbfactor", 0, 1, 2147483647, 1)], "JkMount /* lb"),
    ("a word for yes or no", GOOD + "worker.w.socket_keepalive=enable\n", [garbage(5, "enable", "worker.w.socket_keepalive", BOOL, "false")]),
    ("a method that there is not", LB + "worker.lb.method=random\n",
     [garbage(8, "random", "worker.lb.method", "Request, Traffic, Busyness, Sessions or Next", "Request")], "JkMount /* lb"),
    ("letters of pings", GOOD + "worker.w.ping_mode=X\n", [garbage(5, "X", "worker.w.ping_mode", "letters of C, P, I or A", "none")]),
    ("a status that is none", GOOD + "worker.w.fail_on_status=500-503\n",
     [lived(5, "'500-503' in worker.w.fail_on_status is no status; allowed: 100 to 999, with or without a minus; it is taken by its digits")]),
    ("a packet of odd size", GOOD + "worker.w.max_packet_size=10000\n",
     [warning(5, "worker.w.max_packet_size is rounded up to 10240, a multiple of 1024: the connector's packetSize must be the same")]),
    ("quotes around a name", GOOD.replace("list=w", 'list="w"'),
     [mount("/*"), lived(1, "the quotes around the value of 'worker.list' belong to it: write it without them"),
      lived(1, "nothing is written about worker '\"w\"': it is an ajp13 worker at localhost:8009")]),
    ("quotes around a host", GOOD.replace("127.0.0.1", '"127.0.0.1"'), [no_host(3, '"127.0.0.1"', "there is a quote in it: write it without"), None]),
    ("quotes around a number", GOOD.replace("8009", '"8009"'), [garbage(4, '"8009"', "worker.w.port", "a number", 8009)]),
    ("an umlaut in a name", GOOD.replace(".w.", ".m\u00fc.").replace("=w", "=m\u00fc"),
     [warning(1, r"the worker's name 'm\xc3\xbc' holds a byte that is no ASCII (0xc3); allowed: letters, digits, '-', '_' and '.'")], "JkMount /* m\u00fc"),
    ("';' between names", "worker.list=a;b\nworker.a.port=8009\nworker.b.port=8010\n",
     [mount("/*", "a"), lived(1, "nothing is written about worker 'a;b': it is an ajp13 worker at localhost:8009"),
      lived(1, "'a;b' is one name here; allowed between names: ',' or a blank")], "JkMount /* a"),
    # ---- hosts ----
    ("a URL", GOOD.replace("127.0.0.1", "http://127.0.0.1:8009"), [no_host(3, "http://127.0.0.1:8009", "it is no URL; " + HOSTS), None]),
    ("two hosts", GOOD.replace("127.0.0.1", "127.0.0.1,127.0.0.2"),
     [no_host(3, "127.0.0.1,127.0.0.2", "there is a character in it that no host's name has; allowed: one name or address"), None]),
    ("a port that is none in a host", GOOD.replace("127.0.0.1", "127.0.0.1:ajp"), [no_host(3, "127.0.0.1:ajp", "what follows the ':' is no port; allowed: 0 to 65535")]),
    ("two ports", GOOD.replace("127.0.0.1", "127.0.0.1:8010"),
     [warning(3, "the port in worker.w.host=127.0.0.1:8010 is used, and not worker.w.port; remove one of them")]),
    ("IPv6 with one ':' too many", GOOD.replace("127.0.0.1", "::1::2"),
     [no_host(3, "::1::2", "there is more than one ':' in it, and it is no IPv6 address; " + HOSTS), None]),
    ("a socket below no directory", GOOD.replace("127.0.0.1", "unix:ajp.sock"), [error(3, "'unix:ajp.sock' is no value for worker.w.host: a Unix socket's path begins with a '/'")]),
    ("a socket that is none", GOOD.replace("127.0.0.1", "unix:/etc/passwd"), [warning(3, "/etc/passwd is no socket; allowed: unix: and Tomcat's unixDomainSocketPath")]),
    ("a host that nobody knows", GOOD.replace("127.0.0.1", "nowhere.invalid"), [rf"^warning: {W}:3: can't resolve tomcat address 'nowhere\.invalid': .*; look for a slip"]),
    ("Tomcat's HTTP port", GOOD.replace("8009", "8080"),
     [warning(4, "port 8080 is as a rule not Tomcat's AJP connector, but HTTP; its port stands in server.xml, in <Connector protocol=\"AJP/1.3\" "
                 "port=\"8009\" ../>")]),
    # ---- types ----
    ("ajp12", GOOD.replace("ajp13", "ajp12"), [error(2, "worker 'w': the type ajp12 is not supported any more; use ajp13")]),
    ("ajp14", GOOD.replace("ajp13", "ajp14"), [error(2, "worker 'w': the type ajp14 is not supported any more; use ajp13")]),
    ("jni", GOOD.replace("ajp13", "jni"), [error(2, "Unknown worker type jni for worker w; allowed: ajp13, lb, status")]),
    ("AJP13", GOOD.replace("ajp13", "AJP13"), [error(2, "Unknown worker type AJP13 for worker w; allowed: ajp13, lb, status; did you mean 'ajp13'?")]),
    ("a balancer without its type", LB.replace("worker.lb.type=lb\n", ""),
     [lived(2, "'worker.lb.balance_workers' is ignored: worker 'lb' is of type ajp13, since no type is written; did you mean worker.lb.type=lb?")],
     "JkMount /* lb"),
    ("an attribute of another type", GOOD + "worker.w.sticky_session=1\n", [lived(5, "'worker.w.sticky_session' has no meaning for a worker of type ajp13 and is ignored")]),
    # ---- references between workers ----
    ("a worker that nobody describes", "worker.list=w,v\n" + GOOD[14:],
     [lived(1, "nothing is written about worker 'v': it is an ajp13 worker at localhost:8009")]),
    ("a reference to nothing", GOOD + "worker.w.reference=worker.tmpl\n",
     [error(5, "'worker.w.reference=worker.tmpl': there are no such properties; allowed: worker.NAME of a worker in this file")]),
    ("a reference without its prefix", GOOD + "worker.t.retries=3\nworker.w.reference=t\n",
     [error(6, "'worker.w.reference=t': there are no such properties; allowed: worker.NAME of a worker in this file")]),
    ("a reference to itself", GOOD + "worker.w.reference=worker.w\n", [error(5, "'worker.w.reference' refers to itself, or through more than 20 workers")]),
    ("no member", "worker.list=lb\nworker.lb.type=lb\n", [error(2, "worker 'lb' is of type lb and has no members; allowed: worker.lb.balance_workers=NAME,NAME")],
     "JkMount /* lb"),
    ("a balancer in a balancer", LB.replace("list=lb", "list=lb,top") + "worker.top.type=lb\nworker.top.balance_workers=lb\n",
     [error(9, "worker 'lb' is of type lb and cannot be a member of 'top'; allowed: ajp13")], "JkMount /* lb"),
    ("the balancer in itself", LB.replace("=a,b", "=a,b,lb"), [error(3, "worker 'lb' is of type lb and cannot be a member of 'lb'; allowed: ajp13")], "JkMount /* lb"),
    ("a member twice", LB.replace("=a,b", "=a,b,a"), [lived(3, "worker 'a' is a member of 'lb' twice; once counts")], "JkMount /* lb"),
    ("a route for two", LB + "worker.a.route=x\nworker.b.route=x\n",
     [error(9, "balanced workers 'a' and 'b' of 'lb' share the same route 'x'; allowed: a route for each member")], "JkMount /* lb"),
    ("a container for two", LB.replace("8010", "8009"),
     [warning(7, "members 'a' and 'b' of 'lb' are one container, 127.0.0.1:8009: nothing is balanced between them; give each its own host or port")], "JkMount /* lb"),
    ("a stand-in that is not there", LB + "worker.a.redirect=c\n", [lived(8, "member 'a' of 'lb' redirects to 'c', which is no member's route")],
     "JkMount /* lb"),
    ("a stand-in by its name", LB + "worker.b.route=tc2\nworker.a.redirect=b\n",
     [lived(9, "member 'a' of 'lb' redirects to 'b', which is no member's route; did you mean 'tc2', the route of that worker?")], "JkMount /* lb"),
    ("a stand-in by its domain", LB + "worker.b.domain=north\nworker.a.redirect=north\n",
     [lived(9, "member 'a' of 'lb' redirects to 'north', which is no member's route, but a domain; allowed: the route of one member")], "JkMount /* lb"),
    ("nobody is active", LB + "worker.a.activation=disabled\nworker.b.activation=stopped\n", [warning(3, "no member of 'lb' is active")], "JkMount /* lb"),
    ("a mount of a member", LB + "worker.a.mount=/x\n", [warning(8, "worker.a.mount has no effect: worker 'a' is not in worker.list")], "JkMount /* lb"),
    # ---- numbers that contradict one another ----
    ("milliseconds for seconds", GOOD + "worker.w.socket_timeout=10000\n",
     [warning(5, "worker.w.socket_timeout=10000 means 10000 s; did you mean 10000ms? If not, write 10000s")]),
    ("seconds for milliseconds", GOOD + "worker.w.reply_timeout=60\n",
     [warning(5, "worker.w.reply_timeout=60 means 60 ms; did you mean 60s? If not, write 60ms")]),
    ("a ping that is slower than an answer", GOOD + "worker.w.prepost_timeout=10s\nworker.w.reply_timeout=5s\n",
     [warning(5, "worker.w.prepost_timeout=10000 is longer than reply_timeout=5000: the container gets less time for an answer than for a ping; "
                 "make the one shorter or the other longer")]),
    ("more idle ones than there may be", GOOD + "worker.w.connection_pool_size=5\nworker.w.connection_pool_minsize=6\n",
     [lived(6, "worker.w.connection_pool_minsize is larger than connection_pool_size, which is used")]),
    ("pings that wait for nothing", GOOD + "worker.w.ping_mode=A\nworker.w.ping_timeout=0\n", [warning(5, "worker.w.ping_mode has no effect where ping_timeout is 0")]),
    ("force without sessions", LB + "worker.lb.sticky_session=0\nworker.lb.sticky_session_force=1\n",
     [warning(9, "worker.lb.sticky_session_force has no effect where sticky_session is false")], "JkMount /* lb"),
    # ---- mounts ----
    ("a mount of nobody", GOOD, [mount("/y", "nobody")], "JkMount /* w\nJkMount /y nobody"),
    ("a slip in a mount", GOOD.replace(".w.", ".tomcat.").replace("=w", "=tomcat"),
     [finding(LIVED, r"conf/httpd\.conf:\d+", "JkMount /*: " + NO_WORKER.format("tomact") + "; did you mean 'tomcat'?")], "JkMount /* tomact"),
    ("a mount of a balancer's member", LB,
     [finding(LIVED, r"conf/httpd\.conf:\d+", "JkMount /a: " + NO_WORKER.format("a") + "; it is a member of a balancer: mount that one, or add it to worker.list")],
     "JkMount /* lb\nJkMount /a a"),
    ("a file from the other system", ("\ufeff" + GOOD).replace("\n", "\r\n").replace("8009", "8009;"), [garbage(4, "8009;", "worker.w.port", "a number", 8009)]),
    ("a value for two", GOOD.replace("8009", "8009,8010"), [garbage(4, "8009,8010", "worker.w.port", "a number", 8009)]),
    ("a mount before its file", None, [mount("/y", "nobody")],
     "JkMount /* w\nJkMount /y nobody\nJkWorkersFile conf/good.properties"),
    ("a file of another kind", "<Server port=\"8005\">\n  <Connector protocol=\"AJP/1.3\"/>\n</Server>\n",
     [mount("/*"), warning(W, "no line begins with 'worker.', and no worker is there but 'ajp13' at localhost:8009; is this the workers file?"),
      warning(3, "'</Server>' has no '=' and is ignored; allowed: KEY=VALUE")]),
    ("an empty file", "", [mount("/*"), warning(W, "no line begins with 'worker.', and no worker is there but 'ajp13' at localhost:8009; is this the workers file?")]),
    ("an exclusion for nobody", GOOD, [finding(LIVED, r"conf/httpd\.conf:\d+", "JkUnMount /y: there is no worker 'nobody' in worker.list")],
     "JkMount /* w\nJkUnMount /y nobody"),
    ("no file at all", None, [r"^warning: there is neither JkWorkersFile nor JkWorkerProperty: no worker is there but 'ajp13' at localhost:8009; add JkWorkersFile", mount("/*")]),
    ("a file that is not there", None, [error(r"conf/httpd\.conf:\d+", "Can't find the workers file conf/nowhere.properties: No such file or directory"), mount("/*")],
     "JkWorkersFile conf/nowhere.properties\nJkMount /* w"),
    ("a directory for a file", None, [error(r"conf/httpd\.conf:\d+", "Can't find the workers file conf: it is no regular file"), mount("/*")],
     "JkWorkersFile conf\nJkMount /* w"),
    ("a device for a file", None, [error(r"conf/httpd\.conf:\d+", "Can't find the workers file /dev/zero: it is no regular file"), mount("/*")],
     "JkWorkersFile /dev/zero\nJkMount /* w"),
    ("a property with a slip", None, [error(r"conf/httpd\.conf:\d+", "attribute 'worker.w.prot' is not supported; did you mean 'port'?")],
     "JkWorkerProperty worker.list=w\nJkWorkerProperty worker.w.host=127.0.0.1\nJkWorkerProperty worker.w.prot=1\nJkMount /* w"),
    ("a comment behind a property", None, [garbage(0, "8009 # ajp", "worker.w.port", "a number", 8009).replace(f"{W}:0", r"conf/httpd\.conf:\d+")],
     "JkWorkerProperty worker.list=w\nJkWorkerProperty worker.w.host=127.0.0.1\nJkWorkerProperty worker.w.port=8009 # ajp\nJkMount /* w"),
    ("a log in a directory that is not there", GOOD,
     [finding(LIVED, r"conf/httpd\.conf:\d+", "could not open JkLog file nowhere/mod_jk.log: there is no directory nowhere/; make it, else the lines go to "
                                              "httpd's error log")], "JkMount /* w\nJkLogFile nowhere/mod_jk.log"),
    # ---- rule files ----
    ("a rule file that is not there", GOOD, [error(r"conf/httpd\.conf:\d+", "Failed to load uri_worker_map file conf/nowhere: No such file or directory")],
     "JkMount /* w\nJkMountFile conf/nowhere"),
]


@pytest.fixture(scope="module")
def httpd(make_httpd):
    """For -t alone: never started."""
    return make_httpd(start=False, files={"conf/good.properties": GOOD})


def judge(row, said, strict):
    """Every line is expected, in its order, and each that is expected is there. None: one line more, of what the mistake does to the value."""
    expected = [p.replace(LIVED, "error") if p and strict else p for p in row[2]]
    assert len(said.lines) == len(expected) and all(p is None or re.search(p, ln) for p, ln in zip(expected, said.lines)), \
        "expected:\n" + "\n".join(map(str, expected)) + "\nsaid:\n" + "\n".join(said.lines)
    refuses = any(p and p.startswith("^error: ") for p in expected)
    assert said.code == int(refuses), said
    assert ("Syntax OK" in said.text) != refuses
    assert bool(said.end) == any(p and "error" in p for p in expected), said.end


@pytest.mark.parametrize("strict", [False, True], ids=["lenient", "strict"])
@pytest.mark.parametrize("row", TABLE, ids=[row[0] for row in TABLE])
def test_each_mistake_is_seen(httpd, row, strict):
    config = row[3] if len(row) > 3 else "JkMount /* w"
    judge(row, check(httpd, row[1], config + ("\nJkStrict On" if strict else "")), strict)
