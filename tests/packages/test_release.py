"""Version, changelog and tarball: tools/packages/changelog and tools/release. The packages themselves: test_deb.py, test_rpm.py."""
import os
import re
import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parent.parent.parent
PAGE = """# Changes

Words.

## 3.1.0 (2027-02-03)

- A `key` that [a page](timeouts.md) explains, and that is so long that its line goes on in the next one, with a 5 % sign
  and more ([one](a.md),
  [two](b.md)).
- Second.

## 3.0.0 (2026-12-01)

- First.
"""
CONFIGURE = "AC_INIT([mod_jk], [3.1.0])\n"


@pytest.fixture
def tree(tmp_path):
    """A tree with a version, a changelog, and little else."""
    for name in ("docs", "tools/packages", "native"):
        (tmp_path / name).mkdir(parents=True)
    shutil.copy(TOP / "tools/packages/changelog", tmp_path / "tools/packages/changelog")
    (tmp_path / "configure.ac").write_text(CONFIGURE)
    (tmp_path / "docs/changelog.md").write_text(PAGE)
    return tmp_path


def ask(top, what, **env):
    clean = {k: v for k, v in os.environ.items() if k not in ("SOURCE_DATE_EPOCH", "DEBFULLNAME", "DEBEMAIL")}
    done = subprocess.run([top / "tools/packages/changelog", what], capture_output=True, text=True,
                          env={**clean, "LC_ALL": "C.UTF-8", "TZ": "Asia/Tokyo", "DEBFULLNAME": "A. Packager", "DEBEMAIL": "a@example.org", **env})
    return done.returncode, done.stdout + done.stderr


def test_the_sources_agree():
    code, text = ask(TOP, "check")
    assert code == 0, text


def test_a_good_tree_is_good(tree):
    assert ask(tree, "check")[0] == 0 and ask(tree, "released") == (0, "")


@pytest.mark.parametrize("name, old, new, words", [
    ("configure.ac", "3.1.0", "3.1.1", "configure.ac says 3.1.1, the first heading of docs/changelog.md 3.1.0"),
    ("configure.ac", "[mod_jk]", "[mod_kj]", "no AC_INIT"),
    ("docs/changelog.md", "## 3.1.0 (2027-02-03)", "## 3.1.0 (3 Feb 2027)", "'## 3.1.0 (3 Feb 2027)' is not '## VERSION"),
    ("docs/changelog.md", "## 3.1.0 (", "## 3.1.0, (", "is not '## VERSION"),
    ("docs/changelog.md", "3.0.0 (", "3.2.0 (", "the versions do not descend"),
    ("docs/changelog.md", "3.0.0 (", "3.1.0 (", "the versions do not descend"),
    ("docs/changelog.md", "2026-12-01", "2027-12-01", "the days do not descend"),
    ("docs/changelog.md", "2026-12-01", "not released yet", "the days do not descend"),
    ("docs/changelog.md", "- First.", "First.", "3.0.0 has no changes"),
    ("docs/changelog.md", "##", "#", "no '## VERSION"),
    ("native/x.c", "", '#define VERSION "3.1.0"\n', "native/x.c: says 3.1.0, too"),
    ("tools/t.1", "", '.TH T 1 "" "mod_jk 3.1.0"\n', "tools/t.1: says 3.1.0, too"),
], ids=["version", "init", "words", "comma", "order", "twice", "days", "unreleased", "bullet", "headings", "source", "man"])
def test_what_does_not_agree_is_found(tree, name, old, new, words):
    path = tree / name
    text = path.read_text() if path.exists() else ""
    assert old in text
    path.write_text(text.replace(old, new) if old else new)
    code, said = ask(tree, "check")
    assert code == 1 and words in said, said


@pytest.mark.parametrize("other", ["13.1.0", "3.1.0.1", "3.1.01", "v3.1.0", "3.1.0-rc1"])
def test_other_versions_may_stand_there(tree, other):
    (tree / "native/x.c").write_text(f"/* {other} */\n")
    assert ask(tree, "check")[0] == 0


def test_debians_changelog(tree):
    assert ask(tree, "deb") == (0, """\
libapache-mod-jk (1:3.1.0-1) unstable; urgency=medium

  * A key that a page explains, and that is so long that its line goes on in
    the next one, with a 5 % sign and more.
  * Second.

 -- A. Packager <a@example.org>  Wed, 03 Feb 2027 12:00:00 +0000

libapache-mod-jk (1:3.0.0-1) unstable; urgency=medium

  * First.

 -- A. Packager <a@example.org>  Tue, 01 Dec 2026 12:00:00 +0000

""")


def test_dpkg_reads_it(tree):
    if not shutil.which("dpkg-parsechangelog"):
        pytest.skip("no dpkg-parsechangelog")
    done = subprocess.run(["dpkg-parsechangelog", "-l-", "--all"], input=ask(tree, "deb")[1], capture_output=True, text=True)
    assert done.returncode == 0 and done.stderr == "" and "Version: 1:3.1.0-1\n" in done.stdout, done.stderr


def test_the_rpms_changelog(tree):
    assert ask(tree, "rpm") == (0, """\
* Wed Feb 03 2027 A. Packager <a@example.org> - 3.1.0-1
- A key that a page explains, and that is so long that its line goes on in the
  next one, with a 5 %% sign and more.
- Second.

* Tue Dec 01 2026 A. Packager <a@example.org> - 3.0.0-1
- First.

""")


def test_the_day_of_an_archive(tree):
    assert ask(tree, "epoch") == (0, "1801656000\n")  # 2027-02-03 12:00 UTC
    assert ask(tree, "epoch", SOURCE_DATE_EPOCH="86400") == (0, "86400\n")


def test_before_the_release(tree):
    """Of the last commit where there is git, else of the file; its packages are older than those of the release."""
    page = tree / "docs/changelog.md"
    page.write_text(page.read_text().replace("2027-02-03", "not released yet"))
    os.utime(page, (1800000000, 1800000000))
    assert ask(tree, "check")[0] == 0 and ask(tree, "released")[0] == 1
    assert ask(tree, "epoch") == (0, "1800000000\n")
    assert ask(tree, "revision") == (0, "0~20270115\n")
    assert "(1:3.1.0-0~20270115) unstable" in ask(tree, "deb")[1] and "> - 3.1.0-0.20270115\n" in ask(tree, "rpm")[1]
    if shutil.which("git"):
        git = ["git", "-C", tree, "-c", "user.name=x", "-c", "user.email=x@example.org", "-c", "commit.gpgsign=false"]
        for argv in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "x"]):
            subprocess.run([*git, *argv], check=True, env={**os.environ, "GIT_COMMITTER_DATE": "1700000000 +0100"})
        assert ask(tree, "epoch") == (0, "1700000000\n")


# ---- the tarball ----

def test_nothing_of_this_machine_is_in_it(tarball, epoch):
    version = ask(TOP, "version")[1].strip()
    with tarfile.open(tarball) as tar:
        every = tar.getmembers()
    assert tarball.name == f"mod_jk-{version}.tar.gz" and len(every) > 500
    assert {(m.uid, m.gid, m.uname, m.gname) for m in every} <= {(0, 0, "", ""), (0, 0, "root", "root")}
    assert {int(m.mtime) for m in every} == {epoch}
    assert {m.mode for m in every if m.isfile()} == {0o644, 0o755} and {m.mode for m in every if m.isdir()} == {0o755}
    assert {m.name.split("/")[0] for m in every} == {f"mod_jk-{version}"}
    assert tarball.read_bytes()[4:8] == b"\0\0\0\0"  # gzip's own time


def test_everything_is_in_it(tarball):
    """All that git tracks, but for what is git's own; and what buildconf.sh makes."""
    if not (TOP / ".git").exists():
        pytest.skip("not a git checkout")
    done = subprocess.run(["git", "-C", TOP, "ls-files"], capture_output=True, text=True, check=True)
    with tarfile.open(tarball) as tar:
        names = {m.name.partition("/")[2] for m in tar.getmembers() if m.isfile()}
    missing = {n for n in done.stdout.splitlines() if (TOP / n).exists()} - names
    assert {n for n in missing if not re.search(r"(^|/)\.git(ignore|attributes)$", n)} == set()
    assert {"configure", "Makefile.in", "build-aux/ltmain.sh"} <= names


# ---- what the packages consist of ----

def lines(name):
    return [ln for ln in (TOP / "tools/packages" / name).read_text().splitlines() if ln and not ln.startswith("#")]


def test_the_distributions_names_are_kept():
    """Those of Debian's libapache2-mod-jk 1:1.2.48: an upgrade finds each file where it was."""
    assert lines("debian/libapache2-mod-jk.apache2") == ["mod debian/jk.load", "mod debian/jk.conf"]
    assert lines("debian/libapache2-mod-jk.install") == ["usr/lib/apache2/modules/mod_jk.so", "tools/packages/workers.properties etc/libapache2-mod-jk"]
    assert "etc/apache2/mods-available/jk.conf etc/libapache2-mod-jk/httpd-jk.conf" in lines("debian/libapache2-mod-jk.links")
    assert lines("debian/jk.load") == ["LoadModule jk_module /usr/lib/apache2/modules/mod_jk.so"]
    assert "Rules-Requires-Root: no" in lines("debian/control")


def test_every_tool_is_in_a_package():
    """Each package's list takes all of them by their first letters."""
    men = sorted(p.stem for p in (TOP / "tools").glob("*.1"))
    assert len(men) >= 3 and all(name.startswith("jk") for name in men)
    spec = lines("rpm/mod_jk.spec.in")
    assert "%{_bindir}/jk*" in spec and "%{_mandir}/man1/jk*" in spec
    assert lines("debian/libapache2-mod-jk-tools.install") == ["usr/bin", "usr/share/man/man1"]


def test_both_say_the_same_about_configuration():
    """jk.conf and mod_jk.conf mount the same workers at the same places."""
    def mounts(name):
        return re.findall(r"<Location (\S+)>\s+JkMount (\S+)\s+Require (.*)", (TOP / "tools/packages" / name).read_text())
    assert mounts("debian/jk.conf") == mounts("rpm/mod_jk.conf") != []
    listed = set(re.search(r"^worker\.list=(.*)$", (TOP / "tools/packages/workers.properties").read_text(), re.M)[1].split(","))
    assert {worker for _, worker, _ in mounts("debian/jk.conf")} < listed
