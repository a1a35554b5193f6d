"""Processes and servers: everything that is started lies below one private directory, listens on 127.0.0.1, and ends with the run."""
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time

TOOLS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
OURS = b"JkParkAfter"  # a directive that no other mod_jk has


class Failed(Exception):
    """A sentence for the person at the terminal. status: what the program ends with."""

    def __init__(self, sentence, status=1):
        super().__init__(sentence)
        self.status = status


class Stopped(BaseException):
    """A signal came."""

    def __init__(self, signo):
        super().__init__(signo)
        self.signo = signo


class Run:
    """with Run() as run: a private directory and the processes that were started; both are gone afterwards, whatever happens."""

    def __enter__(self):
        self.children, self.starting, self.signal = [], False, None
        for signo in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(signo, self._on_signal)
        self.dir = tempfile.mkdtemp(prefix="jk-bench.")
        os.chmod(self.dir, 0o755)
        return self

    def __exit__(self, *_):
        for signo in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(signo, signal.SIG_IGN)
        for child in reversed(list(self.children)):
            self.stop(child)
        shutil.rmtree(self.dir, ignore_errors=True)

    def _on_signal(self, signo, _):
        self.signal = signo
        if not self.starting:
            raise Stopped(signo)

    def spawn(self, argv, **popen):
        """A process that ends with this one. A signal cannot come between its start and its entry into the list."""
        if shutil.which("setpriv"):
            argv = ["setpriv", "--pdeathsig", "TERM", *argv]
        self.starting = True
        try:
            child = subprocess.Popen(argv, stdin=subprocess.DEVNULL, start_new_session=True, **popen)
            self.children.append(child)
        finally:
            self.starting = False
        if self.signal:
            raise Stopped(self.signal)
        return child

    def stop(self, child, seconds=8):
        """Asks more than once: httpd loses a signal that comes while it reads its configuration for the second time."""
        end = time.monotonic() + seconds
        while child.poll() is None and time.monotonic() < end:
            child.terminate()
            try:
                child.wait(0.5)
            except subprocess.TimeoutExpired:
                pass
        try:
            os.killpg(child.pid, signal.SIGKILL)  # its children too
        except (ProcessLookupError, PermissionError):
            pass
        child.wait()
        if child.stdout:
            child.stdout.close()
        self.children.remove(child)

    def finish(self, argv, seconds, **popen):
        """Runs it to its end; (exit status, what it printed). One that takes longer than that is ended: status None."""
        child = self.spawn(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", **popen)
        try:
            out = child.communicate(timeout=seconds)[0]
            return child.returncode, out
        except subprocess.TimeoutExpired:
            return None, ""
        finally:
            self.stop(child)

    def shell(self, script, *words, show=False, seconds=60):
        """A piece of shell with tools/lib.sh and find_httpd's names; what it prints. show: people see it instead."""
        text = f'me=bench work=$1 lib=$2; shift 2; . "$lib"; {script}'
        argv = ["bash", "-uc", text, "bench", self.dir, os.path.join(TOOLS, "lib.sh"), *map(str, words)]
        if show:
            child = self.spawn(argv)
            child.wait()
            status, out = child.returncode, ""
            self.stop(child)
        else:
            status, out = self.finish(argv, seconds)
        if status:
            raise Failed(out.strip().removeprefix("bench: ") or "it ends here", status)
        return out

    def install(self):
        """What a build needs; where it may not install, it says how to."""
        self.shell('install "$build_need" "$build_need_dnf"', show=True)

    def build(self):
        """Builds mod_jk.so and jkbackend; the directory they lie in."""
        self.shell("build", show=True)
        return os.path.join(self.dir, "build")


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def accepts(port):
    with socket.socket() as s:
        s.settimeout(1)
        return s.connect_ex(("127.0.0.1", port)) == 0


def wait_for(child, port, what, log, seconds=60):
    end = time.monotonic() + seconds
    while not accepts(port):
        if child.poll() is not None or time.monotonic() > end:
            raise Failed(f"{what} did not start:\n{tail(log)}")
        time.sleep(0.02)


def tail(path, lines=20):
    try:
        with open(path, errors="replace") as f:
            return "".join(f.readlines()[-lines:])
    except OSError:
        return ""


def is_ours(path):
    with open(path, "rb") as f:
        return OURS in f.read()


# ---- backends ----

class Backends:
    """Two of the project's own, and a Tomcat if it is wanted. ajp: their ports; tomcat_ajp, tomcat_http: its ports, or None."""

    def __init__(self, run, program):
        self.run, self.program = run, program
        self.ajp = [self._own(name) for name in ("one", "two")]
        self.tomcat_ajp = self.tomcat_http = None

    def _own(self, name):
        child = self.run.spawn([self.program, "--port", "0", "--route", name, "--threads", "2000"], stdout=subprocess.PIPE, text=True)
        words = child.stdout.readline().split()
        if words[:2] != ["listening", "on"]:
            raise Failed(f"{self.program} does not start")
        return int(words[-1].rsplit(":", 1)[1])

    def want_tomcat(self):
        if self.tomcat_ajp:
            return
        base, log = os.path.join(self.run.dir, "tomcat"), os.path.join(self.run.dir, "tomcat.log")
        ajp, http = free_port(), free_port()
        self.run.shell('write_tomcat "$@"', base, ajp, http)
        with open(os.path.join(base, "webapps", "app", "small.txt"), "w") as f:
            f.write("x" * 99 + "\n")
        os.rename(os.path.join(base, "webapps", "app"), os.path.join(base, "webapps", "cat"))
        with open(log, "w") as out:
            child = self.run.spawn(["bash", "-uc", 'me=bench work=/; . "$1"; run_tomcat "$2"', "bench", os.path.join(TOOLS, "lib.sh"), base],
                                   stdout=out, stderr=out)
        for port in (ajp, http):
            wait_for(child, port, "Tomcat", log)
        self.tomcat_ajp, self.tomcat_http = ajp, http


def no_tomcat():
    """Why there is no Tomcat, or None."""
    if not shutil.which("java"):
        return "java is not installed"
    if not os.path.exists("/usr/share/tomcat10/bin/bootstrap.jar"):
        return "Tomcat 10 is not installed in /usr/share/tomcat10 (Debian: tomcat10-common libtomcat10-java)"
    return None


# ---- httpd and nginx ----

SHAPES = {  # processes x threads
    False: "ServerLimit 2\nStartServers 2\nThreadsPerChild 64\nThreadLimit 64\nMaxRequestWorkers 128\nMaxSpareThreads 128\n",
    True: "ServerLimit 1\nStartServers 1\nThreadsPerChild 25\nThreadLimit 25\nMaxRequestWorkers 25\nMaxSpareThreads 25\n"
          "AsyncRequestWorkerFactor 8\n",
}
COMMON = """MinSpareThreads 1
MaxKeepAliveRequests 0
KeepAliveTimeout 60
Timeout 120
LogLevel warn
ErrorLog logs/error_log
DefaultRuntimeDir run
DocumentRoot {htdocs}
"""
JK = """LoadModule jk_module {so}
JkWorkersFile workers.properties
JkLogFile logs/mod_jk.log
JkLogLevel warn
JkShmFile run/jk.shm
JkMount /app/* app
JkMount /lb/* lb
"""
WORKERS = """worker.list=app,lb{cat}
worker.app.type=ajp13
worker.app.host=127.0.0.1
worker.app.port={0}
worker.lb.type=lb
worker.lb.balance_workers=one,two
worker.one.type=ajp13
worker.one.host=127.0.0.1
worker.one.port={0}
worker.two.type=ajp13
worker.two.host=127.0.0.1
worker.two.port={1}
"""
NGINX = """daemon off;
worker_processes 2;
pid nginx.pid;
error_log stderr;
events {{ worker_connections 1024; }}
http {{
    access_log off; keepalive_requests 100000000;
    client_body_temp_path t1; proxy_temp_path t2; fastcgi_temp_path t3; uwsgi_temp_path t4; scgi_temp_path t5;
    upstream cat {{ server 127.0.0.1:{http}; keepalive 64; keepalive_requests 100000000; }}
    server {{ listen 127.0.0.1:{port}; location / {{ proxy_pass http://cat; proxy_http_version 1.1; proxy_set_header Connection ""; }} }}
}}
"""


def jk_lines(so, ours, backends, slow):
    lines = JK.format(so=so)
    if backends.tomcat_ajp:
        lines += "JkMount /cat/* cat\n"
    return lines + ("JkParkMax 200\n" if ours and slow else "")


def jk_workers(backends):
    cat = backends.tomcat_ajp
    text = WORKERS.format(*backends.ajp, cat=",cat" if cat else "")
    return text + (f"worker.cat.type=ajp13\nworker.cat.host=127.0.0.1\nworker.cat.port={cat}\n" if cat else "")


def proxy_lines(scheme, backends):
    if scheme == "http":
        return f"ProxyPass /cat/ http://127.0.0.1:{backends.tomcat_http}/cat/\n"
    one, two = (f"ajp://127.0.0.1:{port}" for port in backends.ajp)
    lines = f"ProxyPass /app/ {one}/app/\n<Proxy balancer://lb>\nBalancerMember {one}\nBalancerMember {two}\n</Proxy>\n" \
            "ProxyPass /lb/ balancer://lb/lb/\n"
    return lines + (f"ProxyPass /cat/ ajp://127.0.0.1:{backends.tomcat_ajp}/cat/\n" if backends.tomcat_ajp else "")


class Server:
    """One peer as a running server of its own. so: the file of its mod_jk, if it is one."""

    def __init__(self, run, peer, scenario, backends, so=None):
        self.run, self.peer, self.port = run, peer, free_port()
        self.root = os.path.join(run.dir, f"{peer.name}-{scenario.name}")
        for sub in ("", "logs", "run"):
            os.mkdir(os.path.join(self.root, sub))
            os.chmod(os.path.join(self.root, sub), 0o777 if sub else 0o755)
        argv = self._nginx(backends) if peer.name == "nginx" else self._httpd(scenario, backends, so)
        log = os.path.join(self.root, "logs", "start.log")
        with open(log, "w") as out:
            self.child = run.spawn(argv, stdout=out, stderr=out)
        wait_for(self.child, self.port, peer.label, log)

    def _write(self, name, text):
        path = os.path.join(self.root, name)
        with open(path, "w") as f:
            f.write(text)
        return path

    def _httpd(self, scenario, backends, so):
        peer = self.peer
        basics = self.run.shell('find_httpd; say "$httpd"; httpd_basics "$@"', self.root, self.port, *peer.modules)
        program, lines = basics.split("\n", 1)
        lines += SHAPES[scenario.slow] + COMMON.format(htdocs=make_files(self.run))
        if peer.jk:
            lines += jk_lines(so, peer.name == "jk", backends, scenario.slow)
            self._write("workers.properties", jk_workers(backends))
        elif peer.scheme:
            lines += proxy_lines(peer.scheme, backends)
        return [program, "-d", self.root, "-f", self._write("httpd.conf", lines), "-DFOREGROUND"]

    def _nginx(self, backends):
        conf = self._write("nginx.conf", NGINX.format(port=self.port, http=backends.tomcat_http))
        return ["nginx", "-p", self.root, "-c", conf]

    def cpu_seconds(self):
        """What all its processes have used since the start; those that have ended count too."""
        return sum(ticks_of(pid) for pid in (self.child.pid, *children_of(self.child.pid))) / os.sysconf("SC_CLK_TCK")

    def words(self):
        """The last lines of its logs."""
        logs = os.path.join(self.root, "logs")
        return "".join(tail(os.path.join(logs, name), 5) for name in sorted(os.listdir(logs)))

    def stop(self):
        self.run.stop(self.child)


def children_of(pid):
    with open(f"/proc/{pid}/task/{pid}/children") as f:
        return [int(word) for word in f.read().split()]


def ticks_of(pid):
    """User and system time of a process and of its children that have ended, in clock ticks."""
    try:
        with open(f"/proc/{pid}/stat") as f:
            fields = f.read().rpartition(")")[2].split()
    except OSError:
        return 0
    return sum(map(int, fields[11:15]))


def file_of(scenario):
    """The path of the same bytes as a file of httpd."""
    return f"/files/{scenario.reply}"


def make_files(run):
    """What httpd serves itself; the directory."""
    htdocs = os.path.join(run.dir, "htdocs")
    if not os.path.isdir(htdocs):
        from .rows import SCENARIOS
        os.makedirs(os.path.join(htdocs, "files"))
        for scenario in SCENARIOS:
            if scenario.file:
                with open(htdocs + file_of(scenario), "wb") as f:
                    f.write(b"x" * scenario.reply)
    return htdocs
