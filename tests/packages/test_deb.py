"""Debian's packages: what is in them, and what an administrator meets who installs them, in a clean root (cleanroot.py)."""
import os
import random
import re
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request

import pytest
from cleanroot import Root, apt_fetch, missing

CONF, LOAD, WORKERS = "etc/apache2/mods-available/jk.conf", "etc/apache2/mods-available/jk.load", "etc/libapache2-mod-jk/workers.properties"
CONFFILES = {f"/{name}" for name in (CONF, LOAD, WORKERS)}
ALIAS = "etc/libapache2-mod-jk/httpd-jk.conf"
SITE = "/etc/apache2/sites-available/000-default.conf"
LOG = "/var/log/apache2/mod_jk.log"
KEEP = "-o Dpkg::Options::=--force-confold"


def free_port():
    for port in random.sample(range(20000, 32000), 100):
        with socket.socket() as s:
            if s.connect_ex(("127.0.0.1", port)) != 0:
                return port
    raise RuntimeError("no free port")


def until_it_listens(port):
    for _ in range(300):
        with socket.socket() as s:
            if s.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise AssertionError(f"nobody listens on {port}")


# ---- the files ----

def one_deb(debs, name):
    found, = debs.glob(f"{name}_*.deb")
    return found


@pytest.fixture(scope="session")
def module(debs):
    return one_deb(debs, "libapache2-mod-jk")


@pytest.fixture(scope="session")
def tools(debs):
    return one_deb(debs, "libapache2-mod-jk-tools")


@pytest.fixture(scope="session")
def incumbent(scratch):
    """The distribution's package."""
    where = scratch / "incumbent"
    where.mkdir()
    found = apt_fetch("libapache2-mod-jk", where) if shutil.which("apt-get") else None
    return found or pytest.skip("the distribution's libapache2-mod-jk cannot be fetched")


def listing(deb):
    """name -> (mode, owner, target of a link)"""
    done = subprocess.run(["dpkg-deb", "-c", deb], capture_output=True, text=True, check=True)
    rows = (ln.split(None, 5) for ln in done.stdout.splitlines())
    return {r[5].partition(" -> ")[0][2:]: (r[0], r[1], r[5].partition(" -> ")[2]) for r in rows if not r[5].endswith("/")}


def control(deb, field):
    return subprocess.run(["dpkg-deb", "-f", deb, field], capture_output=True, text=True, check=True).stdout.strip()


def control_file(deb, name):
    done = subprocess.run(["sh", "-c", 'dpkg-deb --ctrl-tarfile "$0" | tar -xO "./$1"', str(deb), name], capture_output=True, text=True, check=True)
    return done.stdout


def test_the_tarball_makes_itself(debs, tarball):
    """From the unpacked sources, by another user, elsewhere and later: the same bytes."""
    orig, = debs.glob("libapache-mod-jk_*.orig.tar.gz")
    assert orig.read_bytes() == tarball.read_bytes()


def test_the_modules_files(module):
    every = {n: row for n, row in listing(module).items() if not n.startswith("usr/share/")}
    assert set(every) == {CONF, LOAD, WORKERS, ALIAS, "usr/lib/apache2/modules/mod_jk.so"}
    assert every[ALIAS] == ("lrwxrwxrwx", "root/root", "../apache2/mods-available/jk.conf")
    assert {row[:2] for n, row in every.items() if n != ALIAS} == {("-rw-r--r--", "root/root")}
    assert set(control_file(module, "conffiles").split()) == CONFFILES


def test_where_the_distribution_has_them(module, incumbent):
    theirs = {n: row for n, row in listing(incumbent).items() if not n.startswith("usr/share/doc/")}
    assert {n: row for n, row in listing(module).items() if n in theirs} == theirs
    assert set(control_file(incumbent, "conffiles").split()) == CONFFILES
    for name in ("postinst", "prerm", "postrm"):
        done = [[ln.strip() for ln in control_file(deb, name).splitlines() if "mod $conf" in ln or "for conf in" in ln] for deb in (module, incumbent)]
        assert done[0] == done[1] != [], name


def test_the_modules_control(module):
    depends = control(module, "Depends")
    assert "apache2-api-20120211" in depends and "apache2-bin (>= 2.4.49~)" in depends and "libjansson4" in depends and "libcurl" not in depends
    assert control(module, "Version").startswith("1:")
    done = subprocess.run(["dpkg", "--compare-versions", control(module, "Version"), "gt", "1:1.2.99-9"])
    assert done.returncode == 0


def test_the_tools_files(tools, unpacked):
    names = set(listing(tools))
    men = {p.name for p in (unpacked / "tools").glob("*.1")}
    assert {n for n in names if not n.startswith("usr/share/doc/")} == {f"usr/bin/{m[:-2]}" for m in men} | {f"usr/share/man/man1/{m}.gz" for m in men}
    assert "apache2" not in control(tools, "Depends")


def test_pages_are_not_compressed_and_links_lead_somewhere(module):
    doc = "usr/share/doc/libapache2-mod-jk/"
    names = {n[len(doc):] for n in listing(module) if n.startswith(doc)}
    assert {"README.md", "docs/README.md", "docs/worker-keys.md", "examples/workers.properties", "README.Debian", "NEWS.Debian.gz", "copyright"} <= names
    assert [n for n in names if n.endswith(".md.gz")] == []
    readme = subprocess.run(["sh", "-c", f'dpkg-deb --fsys-tarfile "$0" | tar -xO "./{doc}README.md"', str(module)], capture_output=True, text=True).stdout
    links = {link for link in re.findall(r"\]\(([^)#]+)", readme) if ":" not in link}
    names |= {n.replace("examples/", "conf/") for n in names} | {"docs", "conf"}
    assert len(links) > 10 and links - names == set()


def test_lintian(module, tools):
    if not shutil.which("lintian"):
        pytest.skip("no lintian")
    done = subprocess.run(["lintian", "--allow-root", "--tag-display-limit", "0", "--fail-on", "error,warning", "--suppress-tags", "initial-upload-closes-no-bugs",
                           module, tools], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


# ---- a machine ----

@pytest.fixture(scope="session")
def bare(scratch, debs):
    why = missing()
    if why:
        pytest.skip(why)
    root = Root(scratch / "root", scratch)
    yield root
    root.remove()


@pytest.fixture(scope="session")
def machine(bare, tools):
    """httpd, listening on a port of 127.0.0.1, and the tools; no module."""
    if not bare.state("libapache2-mod-jk-tools"):
        bare.install(tools)
    bare.install("apache2", "logrotate")
    bare.port, bare.ajp = free_port(), free_port()
    bare.write("/etc/apache2/ports.conf", f"Listen 127.0.0.1:{bare.port}\n")
    bare.write("/etc/apache2/conf-enabled/name.conf", "ServerName localhost\n")
    bare.edit(SITE, "*:80", f"*:{bare.port}")
    bare.edit(SITE, "</VirtualHost>", "\tIncludeOptional mounts/*.conf\n</VirtualHost>")
    return bare


@pytest.fixture
def clean(machine):
    """Nothing of the module is left of the test before."""
    machine.stop()
    machine.sh("apt-get -qy purge libapache2-mod-jk; rm -rf /etc/apache2/mounts /etc/libapache2-mod-jk /var/log/apache2/*")
    yield machine
    machine.stop()


def findings(root):
    """What the check says, without httpd's own lines; it has nothing against the configuration."""
    code, text = root.run("apache2ctl", "configtest", check=False)
    assert code == 0 and "Syntax OK" in text, text
    return re.findall(r"mod_jk: ((?:error|warning)\b.*)", text)


def mount(root, text):
    root.write("/etc/apache2/mounts/test.conf", text)


def get(root, path):
    """(status, body)"""
    until_it_listens(root.port)
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{root.port}{path}", timeout=30) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as e:
        return e.code, e.read().decode()


def serve(root, ajp):
    root.start("jkbackend", "--port", ajp)
    until_it_listens(ajp)
    root.start("apache2ctl", "-D", "FOREGROUND", "-k", "start")


def served(root):
    """A request goes to the container and back; else it fails with what came."""
    status, body = get(root, "/app/json")
    assert status == 200 and '"/app/json"' in body, f"{status} {body}"
    return True


def is_ours(root):
    """A note that mod_jk 1.2 has not got."""
    return b"JK_T_TOTAL" in root.file("/usr/lib/apache2/modules/mod_jk.so").read_bytes()


def local(root):
    """The worker of the package's file, at the test's port."""
    root.edit(WORKERS, "port=8009", f"port={root.ajp}")


def test_the_tools_need_no_httpd(bare, tools):
    if bare.state("apache2"):
        pytest.skip("httpd is there already")
    bare.install(tools)
    assert bare.state("apache2-bin") == "" and bare.state("apache2") == ""
    for name in ("jkping", "jkctl", "jkbackend"):
        assert "usage: " + name in bare.run(name, "--help", check=False)[1].lower()
    code, text = bare.run("jkping", f"127.0.0.1:{free_port()}", check=False)
    assert code != 0 and "refused" in text, text


def test_a_first_installation(clean, module):
    text = clean.install(module)
    assert "able module jk" in text and clean.state("libapache2-mod-jk") == "ii"
    assert findings(clean) == []
    assert "jk_module" in clean.sh("apache2ctl -M")[1]
    local(clean)
    mount(clean, "JkMount /app|/* ajp13_worker\nJkMount /jk-status jk-status\n")
    assert findings(clean) == []
    serve(clean, clean.ajp)
    assert served(clean)
    status, page = get(clean, "/jk-status")
    assert status == 200 and "ajp13_worker" in page
    assert "mod_jk/" in clean.read(LOG)
    assert re.search(rf"considering log {LOG}\b", clean.sh("logrotate -d /etc/logrotate.d/apache2 2>&1")[1])


def test_an_upgrade_of_what_nobody_edited(clean, module):
    """dpkg asks nothing, and each file is the new one."""
    clean.install("libapache2-mod-jk")
    assert not is_ours(clean) and "ajp13_worker" in clean.read(WORKERS)
    clean.install(module)
    assert is_ours(clean) and findings(clean) == []
    assert "jk-manager.read_only=true" in clean.read(WORKERS) and clean.file(ALIAS).is_symlink()
    assert [p for p in clean.file("etc").rglob("*.dpkg-*") if "jk" in str(p)] == []
    assert clean.run("a2query", "-m", "jk")[0] == 0


def edit_all(root):
    """As an administrator of mod_jk 1.2 has them."""
    root.edit(WORKERS, "port=8009", f"port={root.ajp}")
    root.edit(WORKERS, "host=localhost", "host=127.0.0.1")  # mod_jk 1.2 takes the first address alone, and that is ::1
    root.edit(WORKERS, "worker.list=ajp13_worker", "worker.list=ajp13_worker,loadbalancer,jk-status\nworker.jk-status.type=status")
    root.edit(CONF, "JkLogLevel info", "JkLogLevel debug\n    JkMount /app|/* loadbalancer\n    JkMountCopy All")
    root.edit(LOAD, "LoadModule", "# ours\nLoadModule")
    return {name: root.read(name) for name in (CONF, LOAD, WORKERS)}


def test_an_upgrade_of_what_was_edited(clean, module):
    """Each file stays as it was, the new ones lie beside; what was mounted answers."""
    clean.install("libapache2-mod-jk")
    edited = edit_all(clean)
    clean.install(module, options=KEEP)
    assert is_ours(clean) and {name: clean.read(name) for name in edited} == edited
    assert "jk-manager" in clean.read(CONF + ".dpkg-dist") and "jk-manager" in clean.read(WORKERS + ".dpkg-dist")
    found = findings(clean)
    assert len(found) == 1 and "there is no worker 'jk-manager'" in found[0], found
    serve(clean, clean.ajp)
    assert served(clean) and get(clean, "/jk-status")[0] == 200


def test_an_upgrade_where_only_the_workers_were_edited(clean, module):
    """jk.conf becomes the new one; two workers are missing, as they were before."""
    clean.install("libapache2-mod-jk")
    clean.edit(WORKERS, "port=8009", f"port={clean.ajp}")
    mount(clean, "JkMount /app|/* ajp13_worker\n")
    clean.install(module, options=KEEP)
    assert f"port={clean.ajp}" in clean.read(WORKERS) and "docs/README.md" in clean.read(CONF)
    assert [re.search(r"there is no worker '([\w-]+)'", ln)[1] for ln in findings(clean)] == ["jk-status", "jk-manager"]
    serve(clean, clean.ajp)
    assert served(clean)


def test_an_upgrade_to_what_is_refused(clean, module):
    """A worker of a type that is no more: the package is installed, httpd is not restarted, and the reason stands there."""
    clean.install("libapache2-mod-jk")
    clean.edit(WORKERS, "type=ajp13", "type=ajp12")
    text = clean.install(module, options=KEEP)
    assert clean.state("libapache2-mod-jk") == "ii" and is_ours(clean)
    assert "Your configuration is broken. Not restarting Apache 2" in text and "the type ajp12 is not supported" in text, text
    clean.edit(WORKERS, "type=ajp12", "type=ajp13")
    assert "broken" not in clean.sh("dpkg-reconfigure libapache2-mod-jk")[1] and findings(clean)


def test_the_way_back(clean, module):
    clean.install("libapache2-mod-jk")
    edited, old = edit_all(clean), clean.version("libapache2-mod-jk")
    clean.install(module, options=KEEP)
    clean.install(f"libapache2-mod-jk={old}", options=KEEP + " --allow-downgrades")
    assert not is_ours(clean) and {name: clean.read(name) for name in edited} == edited
    assert clean.run("apache2ctl", "configtest")[0] == 0
    serve(clean, clean.ajp)
    assert served(clean)


def test_removed_installed_again_and_purged(clean, module):
    clean.install(module)
    clean.edit(WORKERS, "port=8009", f"port={clean.ajp}")
    edited = clean.read(WORKERS)
    clean.sh("apt-get -qy remove libapache2-mod-jk")
    assert clean.state("libapache2-mod-jk") == "rc" and clean.read(WORKERS) == edited
    assert clean.run("a2query", "-m", "jk", check=False)[0] != 0 and clean.run("apache2ctl", "configtest")[0] == 0
    clean.install(module)
    assert clean.read(WORKERS) == edited and clean.run("a2query", "-m", "jk")[0] == 0 and findings(clean) == []
    clean.sh("apt-get -qy purge libapache2-mod-jk")
    assert clean.state("libapache2-mod-jk") == ""
    assert [str(p) for p in clean.file("etc").rglob("*jk*") if "apache2/mods" in str(p) or "libapache2-mod-jk" in str(p)] == []
    assert not os.path.exists(clean.file("usr/lib/apache2/modules/mod_jk.so")) and clean.run("apache2ctl", "configtest")[0] == 0
