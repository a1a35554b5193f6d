"""The RPM: what is in it, installed into an empty root, with the configuration of httpd that Fedora has, and the httpd of this machine. A Fedora is
not needed, and not stood for: what only its tools do (debuginfo, its macros' values, SELinux) is not seen here."""
import os
import re
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

import pytest
from cleanroot import apt_fetch
from test_deb import free_port, get, served, until_it_listens

CONFIG = {"/etc/httpd/conf.d/mod_jk.conf", "/etc/httpd/conf.modules.d/10-mod_jk.conf", "/etc/httpd/conf/workers.properties"}
HTTPD = shutil.which("apache2") or shutil.which("httpd") or "/usr/sbin/apache2"


def rpm(*argv, check=True):
    done = subprocess.run(["rpm", *map(str, argv)], capture_output=True, text=True)
    assert not check or done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="session")
def module(rpms):
    found, = (p for p in rpms.glob("mod_jk-[0-9]*.rpm") if not p.name.endswith(".src.rpm"))
    return found


@pytest.fixture(scope="session")
def tools(rpms):
    found, = rpms.glob("mod_jk-tools-*.rpm")
    return found


def test_files(module, tools):
    names = set(rpm("-qlp", module).split())
    docs = {n for n in names if n.startswith(("/usr/share/doc/mod_jk", "/usr/share/licenses/mod_jk", "/usr/lib/.build-id"))}
    assert names - docs == CONFIG | {"/usr/lib64/httpd/modules/mod_jk.so"}
    assert {"/usr/share/doc/mod_jk/README.md", "/usr/share/doc/mod_jk/docs/README.md", "/usr/share/doc/mod_jk/conf/workers.properties",
            "/usr/share/licenses/mod_jk/LICENSE"} <= docs
    assert set(rpm("-qcp", module).split()) == CONFIG
    flags = dict(ln.rsplit(" ", 1) for ln in rpm("-qp", "--qf", "[%{FILENAMES} %{FILEFLAGS:fflags}\n]", module).splitlines())
    assert {flags[name] for name in CONFIG} == {"cn"}  # config, noreplace
    men = {f"/usr/share/man/man1/{Path(n).name}" for n in rpm("-qlp", tools).split() if "/man1/" in n}
    assert len(men) >= 3 and len([n for n in rpm("-qlp", tools).split() if n.startswith("/usr/bin/jk")]) == len(men)


def test_words(module, tools):
    assert rpm("-qp", "--scripts", module) == rpm("-qp", "--scripts", tools) == ""
    assert rpm("-qp", "--qf", "%{NAME} %{LICENSE}", module) == "mod_jk Apache-2.0"
    assert re.search(r"^httpd(-mmn)? ", rpm("-qp", "--requires", module), re.M)
    assert re.search(r"^\* \w{3} \w{3} \d\d \d{4} .* - \d", rpm("-qp", "--changelog", module))


# ---- installed ----

MODULES = ("mpm_event", "unixd", "authz_core", "authz_host", "watchdog")


class Place(type(Path())):
    """A directory with ports."""


@pytest.fixture
def root(scratch, module, tools):
    """Both are installed, httpd's own files are laid out as Fedora has them."""
    if os.geteuid() != 0:
        pytest.skip("rpm --root needs root")
    where = Place(tempfile.mkdtemp(dir=scratch))
    os.chmod(where, 0o755)
    for name in ("etc/httpd/conf.d", "etc/httpd/conf.modules.d", "etc/httpd/conf", "usr/lib64/httpd/modules", "var/log/httpd", "run/httpd", "var/www/html"):
        (where / name).mkdir(parents=True)
    for name, target in (("modules", "../../usr/lib64/httpd/modules"), ("logs", "../../var/log/httpd"), ("run", "../../run/httpd")):
        (where / "etc/httpd" / name).symlink_to(target)
    rpm("--root", where, "--nodeps", "-i", module, tools)
    own = Path(subprocess.run(["apxs", "-q", "LIBEXECDIR"], capture_output=True, text=True).stdout.strip())
    load = "".join(f"LoadModule {m}_module {own}/mod_{m}.so\n" for m in MODULES if (own / f"mod_{m}.so").exists())
    where.port, where.ajp = free_port(), free_port()
    (where / "etc/httpd/conf/httpd.conf").write_text(f"""\
ServerRoot "{where}/etc/httpd"
ServerName localhost
PidFile run/httpd.pid
{load}Listen 127.0.0.1:{where.port}
Include conf.modules.d/*.conf
User nobody
Group nogroup
DocumentRoot "{where}/var/www/html"
ErrorLog logs/error_log
IncludeOptional conf.d/*.conf
""")
    return where


def httpd(root, *argv):
    done = subprocess.run([HTTPD, "-d", root / "etc/httpd", "-f", "conf/httpd.conf", *argv], capture_output=True, text=True)
    return done.returncode, done.stdout + done.stderr


def edit(path, old, new):
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_it_loads_and_answers(root):
    code, text = httpd(root, "-t")
    assert code == 0 and "Syntax OK" in text and re.findall(r"mod_jk: (?!info: )(.*)", text) == [], text
    edit(root / "etc/httpd/conf/workers.properties", "port=8009", f"port={root.ajp}")
    edit(root / "etc/httpd/conf.d/mod_jk.conf", "#JkMount ", "JkMount ")
    running = [subprocess.Popen([root / "usr/bin/jkbackend", "--port", str(root.ajp)], stdout=subprocess.DEVNULL)]
    try:
        until_it_listens(root.ajp)
        running.append(subprocess.Popen([HTTPD, "-d", root / "etc/httpd", "-f", "conf/httpd.conf", "-D", "FOREGROUND"]))
        assert served(root)
        status, page = get(root, "/jk-status")
        assert status == 200 and "ajp13_worker" in page
        assert "mod_jk/" in (root / "var/log/httpd/mod_jk.log").read_text()
    finally:
        for process in running:
            process.send_signal(signal.SIGTERM)
        for process in running:
            process.wait(30)


def test_an_upgrade_keeps_what_was_edited(root, module):
    workers, conf = root / "etc/httpd/conf/workers.properties", root / "etc/httpd/conf.d/mod_jk.conf"
    edit(workers, "port=8009", "port=8010")
    edited = workers.read_text()
    rpm("--root", root, "--nodeps", "-U", "--force", module)
    assert workers.read_text() == edited and "JkStrict" in conf.read_text()
    rpm("--root", root, "--nodeps", "-e", "mod_jk")
    assert not conf.exists() and not (root / "usr/lib64/httpd/modules/mod_jk.so").exists()
    assert Path(f"{workers}.rpmsave").read_text() == edited


# What Fedora's httpd has for its logs, in the part that matters.
FEDORA = """{root}/var/log/httpd/*log {{
    missingok
    notifempty
    sharedscripts
    delaycompress
    postrotate
        true
    endscript
}}
"""


@pytest.fixture(scope="session")
def logrotate(scratch):
    """Installed, or unpacked from its package."""
    if shutil.which("logrotate") or not shutil.which("apt-get"):
        return shutil.which("logrotate") or pytest.skip("no logrotate")
    where = scratch / "logrotate"
    where.mkdir()
    deb = apt_fetch("logrotate", where)
    if not deb:
        pytest.skip("no logrotate")
    subprocess.run(["dpkg", "-x", deb, where], check=True)
    return where / "usr/sbin/logrotate"


def test_fedoras_logrotate_takes_the_log(root, logrotate):
    """And a file of our own would be refused as a duplicate: so there is none."""
    os.chmod(root / "var/log/httpd", 0o700)
    (root / "var/log/httpd/mod_jk.log").write_text("x\n")
    (root / "d").mkdir()
    (root / "d/httpd").write_text(FEDORA.format(root=root))
    done = subprocess.run([logrotate, "-d", "-s", root / "state", root / "d/httpd"], capture_output=True, text=True)
    assert done.returncode == 0 and f"considering log {root}/var/log/httpd/mod_jk.log" in done.stderr, done.stderr
    (root / "d/mod_jk").write_text(FEDORA.format(root=root).replace("*log", "mod_jk.log"))
    (root / "all").write_text(f"include {root}/d\n")
    done = subprocess.run([logrotate, "-d", "-s", root / "state", root / "all"], capture_output=True, text=True)
    assert done.returncode != 0 and "duplicate log entry" in done.stderr, done.stderr
    assert [n for n in rpm("--root", root, "-ql", "mod_jk").split() if "logrotate" in n] == []
