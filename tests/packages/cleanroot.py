"""A clean Debian in a directory: what an administrator's machine is before the package comes. Nothing in it can start a service, and what is
started in it is in a process namespace of its own, which ends with the process that was started."""
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

FORBID = "#!/bin/sh\nexit 101\n"  # policy-rc.d: no service is started
ENV = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8", "DEBIAN_FRONTEND": "noninteractive", "HOME": "/root"}


def missing():
    """Why there can be none here; None: there can."""
    if os.geteuid() != 0:
        return "a clean root needs root"
    for tool in ("apt-get", "dpkg", "unshare", "chroot"):
        if not shutil.which(tool):
            return f"no {tool}"
    if subprocess.run(["unshare", "--mount", "--pid", "--fork", "true"], capture_output=True).returncode != 0:
        return "no namespaces here"
    return None


def debian_sources():
    """(uri, suite) of this machine's Debian; the first is the release."""
    done = subprocess.run(["apt-get", "indextargets", "--format", "$(ORIGIN) $(REPO_URI) $(RELEASE) $(COMPONENT)", "Created-By: Packages"],
                          capture_output=True, text=True)
    rows = [ln.split() for ln in done.stdout.splitlines()]
    found = list(dict.fromkeys((r[1], r[2]) for r in rows if len(r) == 4 and r[0] == "Debian" and r[3] == "main"))
    return sorted(found, key=lambda f: len(f[1]))


def debootstrap(scratch):
    """The command; where it is not installed the package is unpacked and not installed."""
    if shutil.which("debootstrap"):
        return ["debootstrap"], {}
    where = Path(scratch) / "debootstrap"
    where.mkdir()
    os.chmod(where, 0o777)  # apt-get download drops root's rights
    subprocess.run(["apt-get", "-q", "download", "debootstrap"], cwd=where, check=True, capture_output=True)
    package, = where.glob("debootstrap_*.deb")
    subprocess.run(["dpkg", "-x", package, where], check=True)
    return [str(where / "usr/sbin/debootstrap")], {"DEBOOTSTRAP_DIR": str(where / "usr/share/debootstrap")}


class Root:
    def __init__(self, path, scratch):
        self.path = Path(path)
        self.running = []
        if os.environ.get("JK_ROOT"):
            subprocess.run(["cp", "-a", os.environ["JK_ROOT"], self.path], check=True)
        else:
            self.make(scratch)
        self.write("etc/hosts", "127.0.0.1 localhost\n::1 localhost\n")  # which Debian's installer writes

    def make(self, scratch):
        sources = debian_sources()
        if not sources:
            raise RuntimeError("this machine's apt has no Debian")
        argv, env = debootstrap(scratch)
        uri, suite = sources[0]
        done = subprocess.run([*argv, "--variant=minbase", suite, str(self.path), uri], capture_output=True, text=True, env={**os.environ, **env})
        if done.returncode != 0:
            raise RuntimeError("debootstrap: " + done.stdout[-2000:] + done.stderr[-2000:])
        self.write("usr/sbin/policy-rc.d", FORBID, 0o755)
        self.write("etc/apt/sources.list", "".join(f"deb {u} {s} main\n" for u, s in sources))
        self.write("etc/apt/apt.conf.d/90test", 'APT::Install-Recommends "false";\nAcquire::Languages "none";\n')
        self.sh("apt-get -q update")

    def file(self, name):
        return self.path / str(name).lstrip("/")

    def write(self, name, text, mode=0o644):
        self.file(name).parent.mkdir(parents=True, exist_ok=True)
        self.file(name).write_text(text)
        os.chmod(self.file(name), mode)

    def read(self, name):
        return self.file(name).read_text()

    def edit(self, name, old, new):
        text = self.read(name)
        assert old in text, f"{name}: {old}"
        self.file(name).write_text(text.replace(old, new))

    def argv(self, *argv):
        inside = 'mount -t proc proc "$0/proc" && exec chroot "$0" "$@"'
        return ["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c", inside, str(self.path), *map(str, argv)]

    def run(self, *argv, check=True):
        """(status, standard output and error)"""
        done = subprocess.run(self.argv(*argv), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=ENV, timeout=600)
        assert not check or done.returncode == 0, f"{argv}: {done.returncode}\n{done.stdout[-4000:]}"
        return done.returncode, done.stdout

    def sh(self, script, check=True):
        return self.run("sh", "-c", script, check=check)

    def install(self, *what, options=""):
        """Files of this machine are copied into the root first."""
        names = []
        for one in what:
            if os.path.sep in str(one):
                self.file("/packages").mkdir(exist_ok=True)
                shutil.copy(one, self.file("/packages"))
                one = "/packages/" + os.path.basename(one)
            names.append(one)
        return self.sh(f"apt-get -qy {options} install {' '.join(names)}")[1]

    def state(self, package):
        """Installed: ii; removed, its configuration is there: rc; not there: empty."""
        done = self.run("dpkg-query", "-W", "-f", "${db:Status-Abbrev}", package, check=False)
        return done[1].strip() if done[0] == 0 and not done[1].startswith("un") else ""

    def version(self, package):
        return self.run("dpkg-query", "-W", "-f", "${Version}", package)[1]

    def start(self, *argv):
        log = open(self.path.parent / f"{len(self.running)}.log", "wb")
        one = subprocess.Popen(self.argv(*argv), stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, env=ENV)
        self.running.append(one)
        return one

    def stop(self):
        """All of it: the death of unshare kills what is in the namespace."""
        for one in self.running:
            one.send_signal(signal.SIGKILL)
            one.wait()
        self.running.clear()

    def remove(self):
        self.stop()
        for _ in range(50):
            shutil.rmtree(self.path, ignore_errors=True)
            if not self.path.exists():
                return
            time.sleep(0.1)
        raise RuntimeError(f"{self.path} does not go away")


def apt_fetch(package, scratch):
    """The distribution's .deb, not installed."""
    os.chmod(scratch, 0o777)
    done = subprocess.run(["apt-get", "-q", "download", package], cwd=scratch, capture_output=True, text=True)
    found = list(Path(scratch).glob(f"{package}_*.deb"))
    return found[0] if done.returncode == 0 and found else None

