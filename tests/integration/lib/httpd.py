"""A private httpd: its configuration, its life and its logs.

    httpd = Httpd("JkMount /* w", workers="worker.list=w\\nworker.w.port=8009")
    httpd.start()
    ...
    httpd.stop()

Everything lies in a directory of its own and listens on loopback only. Four ports: `port` is the main server, `vport` the
virtual hosts (by name), `tls` one virtual host with TLS (only where asked for), and a control port with server-status
that the harness itself uses to know when the server is at rest.
"""
import base64
import glob
import grp
import hashlib
import os
import pwd
import re
import shutil
import subprocess
import tempfile
import time
import urllib.request

from . import proc

INCUMBENT = os.environ.get("JK_INCUMBENT") == "1"
VALGRIND = os.environ.get("JK_VALGRIND") == "1"  # httpd under memcheck: its findings fail the test
TOP = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", "..", ".."))
ACCESS_FORMAT = r"%{X-Test}i|%>s|%m|%U|%q|%{JK_WORKER_NAME}n|%X"

STANDARD = ("authz_core authz_host authn_core log_config mime dir alias env setenvif rewrite headers filter deflate include "
            "status socache_shmcb ssl http2 unixd access_compat version").split()
OPTIONAL = ("access_compat", "version", "ssl", "socache_shmcb", "http2")

MPM_SETTINGS = {
    "event": "StartServers 1\nServerLimit 4\nThreadsPerChild 25\nMinSpareThreads 1\nMaxSpareThreads 25\nMaxRequestWorkers 25",
    "worker": "StartServers 1\nServerLimit 4\nThreadsPerChild 25\nMinSpareThreads 1\nMaxSpareThreads 25\nMaxRequestWorkers 25",
    "prefork": "StartServers 8\nMinSpareServers 8\nMaxSpareServers 24\nMaxRequestWorkers 24",
}

# Lines of httpd that mean nothing here.
BENIGN = [
    r"AH00484",              # a burst keeps all threads busy for a moment: tests have few of them
    r"AH00488",              # a child of the generation before, seen late by a restart
    r"AH00558",              # no fully qualified domain name
    r"AH0166[0-9]", r"AH01906", r"AH01909", r"AH01873",  # a test's certificate, no shared session cache
    r"AH02292",              # init of the session cache
    r"AH10034",              # the MPM does not suit HTTP/2 (prefork)
    r"AH00045",              # a child is slow to exit and gets a second SIGTERM
    r"AH00469", r"AH00167", r"AH00291",  # "long lost child came home": a piped log's program of the generation before
]

JK_LINE = re.compile(r"^.*\[\d+:\d+\] \[(trace|debug|info|warn|error|emerg)\] (\w+::[\w.]+) \((\d+)\): (.*)$")
ERROR_LINE = re.compile(r"^\[[^\]]+\] \[(\w*):(\w+)\] ")
LOUD = ("warn", "error", "crit", "alert", "emerg")
JK_ID = re.compile(r" \[JK\d{4}\]$")
STARTUP_LINE = re.compile(r"^(\S+: )?mod_jk: ")  # before the logs are open httpd writes no level


PRIVATE = ("conf/httpd.conf", "conf/workers.properties")  # they may hold a secret, and httpd's children never read them


UNPACKED = os.environ.get("JK_HTTPD_ROOT")  # a directory of unpacked packages: another httpd than the system's (tools/other-httpd)


def find_binary():
    if UNPACKED:
        return shutil.which("apache2", path=f"{UNPACKED}/usr/sbin")
    for name in ("apache2", "httpd"):
        path = shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin:/usr/local/apache2/bin")
        if path:
            return path
    return None


def find_modules():
    if UNPACKED:
        return f"{UNPACKED}/usr/lib/apache2/modules"
    for path in ("/usr/lib/apache2/modules", "/usr/lib64/httpd/modules", "/usr/lib/httpd/modules", "/usr/local/apache2/modules"):
        if os.path.isdir(path):
            return path
    return None


def with_libraries(env):
    """Those that lie beside another httpd are its own."""
    if UNPACKED:
        env["LD_LIBRARY_PATH"] = ":".join(glob.glob(f"{UNPACKED}/usr/lib/*-linux-gnu*"))
    return env


def static_modules(binary):
    out = subprocess.run([binary, "-l"], capture_output=True, text=True, check=True, env=with_libraries(dict(os.environ))).stdout
    return {m.group(1) for m in re.finditer(r"^\s+(?:mod_)?(\w+)\.c$", out, re.M)}


def version():
    """(2, 4, 71)"""
    out = subprocess.run([find_binary(), "-v"], capture_output=True, text=True, check=True, env=with_libraries(dict(os.environ))).stdout
    return tuple(int(n) for n in re.search(r"Apache/(\d+)\.(\d+)\.(\d+)", out).groups())


def module_under_test():
    """JK_MODULE; else the build's module (JK_BUILD: a build directory elsewhere)."""
    named = os.environ.get("JK_MODULE")
    return os.path.abspath(named) if named else os.path.join(os.environ.get("JK_BUILD", TOP), "mod_jk.so")


def server_user():
    """A user and a group without rights, as httpd's own words. None: we are not root and they are not ours to set."""
    if os.geteuid() != 0:
        return None
    user = next((u.pw_name for u in pwd.getpwall() if u.pw_name in ("nobody", "www-data", "apache")), "#65534")
    groups = {g.gr_name for g in grp.getgrall()}
    group = next((g for g in ("nogroup", "nobody", "www-data", "apache") if g in groups), "#65534")
    return user, group


class LogFile:
    """A log that grows: lines as they are now, and lines since a mark."""

    def __init__(self, path):
        self.path = path
        self.marked = 0

    def text(self, start=0):
        try:
            with open(self.path, "rb") as f:
                f.seek(start)
                return f.read().decode("utf-8", "backslashreplace")
        except FileNotFoundError:
            return ""

    def lines(self, start=0):
        return self.text(start).split("\n")[:-1]

    def since_mark(self):
        return self.lines(self.marked)

    def mark(self):
        self.marked = os.path.getsize(self.path) if os.path.exists(self.path) else 0

    def __repr__(self):
        return f"<{self.path}>"


class Httpd:
    """See the head of this file.

    config    lines of the main server
    workers   the text of conf/workers.properties; None: no JkWorkersFile
    vhosts    name -> lines, on `vport`
    files     path below the server's root -> text, e.g. "htdocs/index.html"
    modules   more modules to load, e.g. "unique_id"
    tls       lines of the virtual host with TLS; None: no TLS
    defaults  write JkWorkersFile, JkLogFile and JkLogLevel info
    startup   patterns of log lines that the start itself may write (see expect)
    defines   words for -D; JK_TEST_PARK_COMPAT: parking in the way of httpd before 2.4.63
    """

    def __init__(self, config="", *, workers=None, vhosts=None, files=None, modules=(), tls=None, defaults=True, startup=(),
                 mpm=None, timeout=20, defines=()):
        self.binary = find_binary()
        self.module_dir = find_modules()
        self.mpm = mpm or os.environ.get("JK_MPM", "event")
        self.root = tempfile.mkdtemp(prefix="jk-it-", dir="/tmp")
        self.port, self.vport, self.ctl = proc.free_port(), proc.free_port(), proc.free_port()
        self.tls_port = proc.free_port() if tls is not None else None
        self.config, self.workers, self.vhosts = config, workers, dict(vhosts or {})
        self.modules, self.tls, self.defaults, self.timeout = tuple(modules), tls, defaults, timeout
        self.child = None
        self.startup, self.defines = list(startup), tuple(defines)
        self._expected, self._allowed = [], []
        self._prepare_root()
        for path, text in (files or {}).items():
            self.write(path, text)
        self.error_log = LogFile(self.path("logs/error_log"))
        self.access_log = LogFile(self.path("logs/access_log"))
        self.jk_log = LogFile(self.path("logs/mod_jk.log"))
        self.stderr = LogFile(self.path("logs/stderr"))
        self.write_config()

    # ---- files ----

    def path(self, relative):
        return os.path.join(self.root, relative)

    def _prepare_root(self):
        os.chmod(self.root, 0o755)
        for d in ("conf", "logs", "htdocs", "run"):
            os.mkdir(self.path(d))
            os.chmod(self.path(d), 0o755)

    def write(self, relative, text):
        path = self.path(relative)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as f:
            f.write(text if isinstance(text, bytes) else text.encode())
        os.chmod(path, 0o600 if relative in PRIVATE else 0o644)
        return path

    def write_workers(self, text):
        self.workers = text
        self.write("conf/workers.properties", text)

    def write_config(self, config=None):
        """Writes the configuration files; config replaces the main server's lines."""
        if config is not None:
            self.config = config
        if self.workers is not None:
            self.write("conf/workers.properties", self.workers)
        if self.tls is not None and not os.path.exists(self.path("conf/server.crt")):
            self.make_certificate()
        self.write("conf/httpd.conf", "\n".join(self._config_lines()) + "\n")

    def _config_lines(self):
        yield f'ServerRoot "{self.root}"'
        yield f'PidFile "{self.root}/run/httpd.pid"'
        yield 'DefaultRuntimeDir "run"'
        yield "ServerName localhost"
        for port in filter(None, (self.port, self.vport, self.ctl, self.tls_port)):
            yield f"Listen 127.0.0.1:{port}"
        yield from self._load_lines()
        user = server_user()
        if user:
            yield f"User {user[0]}\nGroup {user[1]}"
        yield MPM_SETTINGS[self.mpm]
        yield "GracefulShutdownTimeout 5"
        yield f"Timeout {self.timeout}\nKeepAliveTimeout 15\nMaxKeepAliveRequests 0"
        yield 'DocumentRoot "htdocs"\nErrorLog "logs/error_log"\nLogLevel info'
        yield f'LogFormat "{ACCESS_FORMAT}" test\nCustomLog "logs/access_log" test'
        yield 'TypesConfig /dev/null\nAddType text/html .html .shtml\nAddType text/plain .txt'
        yield '<Directory "/">\n  AllowOverride None\n  Require all denied\n</Directory>'
        yield f'<Directory "{self.root}/htdocs">\n  Options +FollowSymLinks\n  Require all granted\n</Directory>'
        if self.defaults:
            if self.workers is not None:
                yield "JkWorkersFile conf/workers.properties"
            yield "JkLogFile logs/mod_jk.log\nJkLogLevel info"
        if INCUMBENT and "JkShmFile" not in self.config:
            yield "JkShmFile run/shm"  # its default lies outside of our directory
        yield self.config
        yield f"<VirtualHost 127.0.0.1:{self.ctl}>\n  CustomLog /dev/null test\n  ErrorLog logs/control_log\n" + \
              "  <IfModule jk_module>\n    JkMountCopy Off\n  </IfModule>\n" + \
              "  <Location />\n    SetHandler server-status\n    Require all granted\n  </Location>\n</VirtualHost>"
        for name, lines in self.vhosts.items():
            yield f'<VirtualHost 127.0.0.1:{self.vport}>\n  ServerName {name}\n  CustomLog "logs/access_log" test\n{lines}\n</VirtualHost>'
        if self.tls is not None:
            yield f'<VirtualHost 127.0.0.1:{self.tls_port}>\n  ServerName localhost\n  CustomLog "logs/access_log" test\n' + \
                  f'  SSLEngine on\n  SSLCertificateFile conf/server.crt\n  SSLCertificateKeyFile conf/server.key\n{self.tls}\n</VirtualHost>'

    def _load_lines(self):
        built_in = static_modules(self.binary)
        if not any(m in built_in for m in ("event", "worker", "prefork")):
            yield f"LoadModule mpm_{self.mpm}_module {self.module_dir}/mod_mpm_{self.mpm}.so"
        for name in dict.fromkeys((*STANDARD, *self.modules)):
            path = f"{self.module_dir}/mod_{name}.so"
            if name in built_in or (name in OPTIONAL and not os.path.exists(path)):
                continue
            yield f"LoadModule {name}_module {path}"
        yield f"LoadModule jk_module {module_under_test()}"

    def make_certificate(self, name="server"):
        """conf/NAME.crt and .key, self-signed."""
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={'localhost' if name == 'server' else name}",
                        "-keyout", self.path(f"conf/{name}.key"), "-out", self.path(f"conf/{name}.crt")],
                       check=True, capture_output=True)

    def write_users(self, **users):
        """conf/users for mod_authn_file."""
        hashed = {u: "{SHA}" + base64.b64encode(hashlib.sha1(p.encode()).digest()).decode() for u, p in users.items()}
        self.write("conf/users", "".join(f"{u}:{h}\n" for u, h in hashed.items()))

    # ---- life ----

    def argv(self, *more):
        return [self.binary, "-d", self.root, "-f", self.path("conf/httpd.conf"), *(f"-D{word}" for word in self.defines), *more]

    def _under_valgrind(self, argv):
        """Its children are forked, so they are watched too, each with a log of its own."""
        return ["valgrind", "--quiet", "--error-limit=no", "--num-callers=24", f"--log-file={self.root}/logs/valgrind.%p",
                f"--suppressions={TOP}/tests/integration/valgrind.supp", *argv]

    def environment(self):
        env = {k: v for k, v in os.environ.items() if not k.startswith(("JK_", "APACHE_"))}
        preload = os.environ.get("JK_PRELOAD")
        if preload:
            env["LD_PRELOAD"] = preload
            env["ASAN_OPTIONS"] = f"detect_leaks=0:abort_on_error=0:log_path={self.root}/logs/asan:" + env.get("ASAN_OPTIONS", "")
            env["UBSAN_OPTIONS"] = "print_stacktrace=1:" + env.get("UBSAN_OPTIONS", "")
        return with_libraries(env)

    def start(self, seconds=20.0):
        with open(self.stderr.path, "ab") as err:
            argv = self.argv("-DFOREGROUND")
            if VALGRIND:
                argv, seconds = self._under_valgrind(argv), 10 * seconds
            self.child = proc.spawn(argv, stdout=err, stderr=err, env=self.environment())
        up = proc.wait_until(lambda: self.child.poll() is not None or self.generations() and proc.accepts(("127.0.0.1", self.ctl)), seconds)
        if not up or not self.wait_idle(seconds):
            words = self.stderr.text() + self.error_log.text()
            self.stop()
            raise RuntimeError(f"httpd does not start:\n{words[-4000:]}")
        self._check_since_mark([re.compile(p) for p in self.startup], [])
        return self

    def stop(self):
        """A moment of quiet first: event's main thread looks, at a stop, at sockets that its workers may be closing, and crashes now and then."""
        if self.child is not None:
            time.sleep(0.05)
        willing = proc.stop(self.child)
        self.child = None
        return willing

    def remove(self):
        """Stops it, looks at what it said meanwhile, and takes its directory away."""
        try:
            if self.child is not None:
                assert self.stop() or INCUMBENT, "httpd did not stop when asked"
                self._check_since_mark(self._allowed, [])
        finally:
            self.stop()
            shutil.rmtree(self.root, ignore_errors=True)

    def graceful(self, seconds=20.0, under_load=False):
        """SIGUSR1, and back when the new generation alone serves. under_load: there will be no moment of rest to wait for."""
        old = proc.children_of(self.pid)
        before = self.generations()
        os.kill(self.pid, 10)
        assert proc.wait_until(lambda: self.generations() > before or self.child.poll() is not None, seconds), "no new generation"
        assert self.child.poll() is None, "httpd died of a restart:\n" + self.error_log.text()[-3000:]
        assert proc.wait_until(lambda: not old & proc.children_of(self.pid), seconds), "old children do not leave"
        if not under_load:
            self.wait_idle()

    def generations(self):
        return self.error_log.text().count("resuming normal operations")

    @property
    def pid(self):
        return self.child.pid

    def run(self, *more):
        """httpd as a command (-t, -k graceful): (exit code, all that it said)."""
        done = subprocess.run(self.argv(*more), capture_output=True, text=True, timeout=60, env=self.environment(),
                              errors="backslashreplace")
        return done.returncode, done.stderr + done.stdout

    def configtest(self):
        return self.run("-t")

    def wait_idle(self, seconds=5.0):
        """Back when no request is being worked on: what the logs are going to say has been said."""
        if self.child is None or self.child.poll() is not None:
            return False
        return proc.wait_until(self._idle, seconds, pause=0.02) is True

    def _idle(self):
        if self.child.poll() is not None:
            return "dead"
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.ctl}/?auto", timeout=5) as f:
                text = f.read().decode()
        except OSError:
            return False
        board = re.search(r"^Scoreboard: (.*)$", text, re.M).group(1)
        return sum(board.count(c) for c in "RWDLS") <= 1  # nor is a thread just starting: event closes idle clients where none is free

    # ---- logs ----

    def expect(self, *patterns):
        """Each must match a loud line (warn or worse) of this test's logs; such lines are then no failure."""
        self._expected += [re.compile(p) for p in patterns]

    def allow(self, *patterns):
        """Loud lines that match may be there."""
        self._allowed += [re.compile(p) for p in patterns]

    def access(self):
        """The access log's records since the test began, as dicts."""
        keys = ("test", "status", "method", "path", "query", "worker", "end")
        return [dict(zip(keys, line.split("|"))) for line in self.access_log.since_mark()]

    def access_of(self, test):
        """The record of the request whose header X-Test says so. It is written after the answer: waits for it."""
        return proc.wait_until(lambda: next((a for a in self.access() if a["test"] == test), None), 5)

    def jk_lines(self, pattern="", seconds=3.0, log=None):
        """mod_jk.log's lines of this test that match. Waits for one: it may be written after the answer."""
        log = log or self.jk_log
        return proc.wait_until(lambda: [ln for ln in log.since_mark() if re.search(pattern, ln)], seconds)

    def error_lines(self, pattern="", seconds=3.0):
        return proc.wait_until(lambda: [ln for ln in self.error_log.since_mark() if re.search(pattern, ln)], seconds)

    def logs(self):
        names = sorted(os.listdir(self.path("logs")))
        return [LogFile(self.path("logs/" + n)) for n in names if n not in ("access_log",) and not n.endswith(".pid")]

    def begin_test(self):
        self._expected, self._allowed = [], []
        self.mark()

    def mark(self):
        self._marks = {log.path: os.path.getsize(log.path) for log in self.logs()}
        for log in (self.error_log, self.access_log, self.jk_log, self.stderr):
            log.mark()

    def end_test(self):
        """Fails for a loud line that nobody expected, or an expected one that did not come."""
        self.wait_idle()
        if self.child is not None:
            assert self.child.poll() is None, f"httpd ended by itself ({self.child.returncode}):\n{self.error_log.text()[-3000:]}"
        self._check_since_mark(self._allowed, self._expected)

    _marks = {}

    def _check_since_mark(self, allowed, expected):
        if not INCUMBENT:
            proc.wait_until(lambda: all(any(p.search(ln) for ln in self._loud()) for p in expected), 3 if expected else 0)
        loud = self._loud()
        self.mark()
        missing = [p.pattern for p in expected if not any(p.search(ln) for ln in loud)]
        wild = [ln for ln in loud if not any(p.search(ln) for p in [*allowed, *expected])]
        fatal = [ln for ln in loud if is_fatal(ln)]
        if INCUMBENT:
            assert not fatal, "in the logs: " + "\n".join(fatal)
            return
        assert not fatal and not wild, "lines nobody expected in the logs:\n" + "\n".join(fatal or wild)
        assert not missing, f"expected in the logs, but not there: {missing}; loud lines:\n" + "\n".join(loud)

    def _loud(self):
        lines = []
        for log in self.logs():
            lines += [ln for ln in log.lines(self._marks.get(log.path, 0)) if is_loud(ln)]
        return lines


def is_fatal(line):
    if VALGRIND and re.search(r"^==\d+== (Invalid|Conditional jump|Use of uninit|Syscall param|Process terminating|Source and dest|Mismatched)", line):
        return True
    return bool(re.search(r"Segmentation fault|exit signal|Sanitizer|runtime error:|Assertion .* failed|AH00051|AH00052", line))


def is_loud(line):
    if is_fatal(line):
        return True
    jk = JK_LINE.match(line)
    if jk:
        return jk.group(1) in LOUD or bool(JK_ID.search(line))
    err = ERROR_LINE.match(line)
    if err:
        return err.group(2) in LOUD and not any(re.search(b, line) for b in BENIGN)
    return bool(STARTUP_LINE.match(line) or JK_ID.search(line))
