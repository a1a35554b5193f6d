"""Processes and ports that the tests own. Nothing started here outlives the test run."""
import atexit
import contextlib
import os
import random
import shutil
import signal
import socket
import subprocess
import time

_ours = set()
_ports = set()


def ephemeral_port(family=socket.AF_INET, address="127.0.0.1"):
    """A TCP port that nobody listens on now, and that was not handed out before; an outgoing connection may be given it."""
    while True:
        with socket.socket(family, socket.SOCK_STREAM) as s:
            s.bind((address, 0))
            port = s.getsockname()[1]
        if port not in _ports:
            _ports.add(port)
            return port


def free_port():
    """A free TCP port of 127.0.0.1 that was not handed out before, and that no outgoing connection is given: its server can
    start late, go away and come back to it. Runs side by side have ports of their own: JK_PORTS=0/2 is the first of two."""
    which, of = (int(n) for n in os.environ.get("JK_PORTS", "0/1").split("/"))
    try:
        with open("/proc/sys/net/ipv4/ip_local_port_range") as f:
            top = int(f.read().split()[0])
    except OSError:
        top = 32768
    for port in random.sample(range(top // 2 + which, top, of), 100):
        with socket.socket() as s, contextlib.suppress(OSError):
            s.bind(("127.0.0.1", port))
            if port not in _ports:
                _ports.add(port)
                return port
    return ephemeral_port()


def wait_until(what, seconds=10.0, pause=0.01):
    """The first true value of what(), or its last one when the time is over."""
    end = time.monotonic() + seconds
    while True:
        value = what()
        if value or time.monotonic() > end:
            return value
        time.sleep(pause)


def accepts(address):
    """Does somebody accept connections there? A tuple is TCP, a string is a Unix socket's path."""
    family = socket.AF_UNIX if isinstance(address, str) else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as s:
        s.settimeout(1)
        try:
            s.connect(address)
        except OSError:
            return False
    return True


def spawn(argv, **popen):
    """Starts argv as the leader of a process group of its own. It ends with this process, however that one ends."""
    if shutil.which("setpriv"):
        argv = ["setpriv", "--pdeathsig", "TERM", *argv]
    child = subprocess.Popen(argv, start_new_session=True, stdin=subprocess.DEVNULL, **popen)
    _ours.add(child)
    return child


def stop(child, seconds=15.0):
    """Asks the child to end, and insists where it does not. Returns whether it ended when asked."""
    if child is None or child not in _ours:
        return True
    willing = True
    if child.poll() is None:
        child.send_signal(signal.SIGTERM)
        try:
            child.wait(seconds)
        except subprocess.TimeoutExpired:
            willing = False
    _kill_group(child)
    child.wait()
    _ours.discard(child)
    return willing


def _kill_group(child):
    try:
        os.killpg(child.pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        pass


def children_of(pid):
    """The pids of a process's children."""
    try:
        with open(f"/proc/{pid}/task/{pid}/children") as f:
            return {int(word) for word in f.read().split()}
    except OSError:
        return set()


def limit_descriptors(pid, most):
    """The soft limit of another process, which may have another user. Returns what it was."""
    with open(f"/proc/{pid}/limits") as f:
        was = next(int(line.split()[3]) for line in f if line.startswith("Max open files"))
    with open(f"/proc/{pid}/status") as f:
        ids = {line.split()[0]: line.split()[1] for line in f if line.startswith(("Uid:", "Gid:"))}
    become = ["setpriv", "--reuid", ids["Uid:"], "--regid", ids["Gid:"], "--clear-groups"] if os.geteuid() == 0 else []
    subprocess.run([*become, "prlimit", "--pid", str(pid), f"--nofile={most}:"], check=True, capture_output=True)
    return was


@atexit.register
def _stop_all():
    for child in list(_ours):
        stop(child, seconds=2)
