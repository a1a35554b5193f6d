"""What the tests build once: the tarball, and packages out of the unpacked tarball, by a user that is not root. JK_DEBS and JK_RPMS name directories
with packages that are to be tested instead: those that are about to be published."""
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parent.parent.parent
EVERYTHING = os.environ.get("JK_TEST_ALL") == "1"
NOBODY = {"user": 65534, "group": 65534, "extra_groups": []} if os.geteuid() == 0 else {}


@pytest.fixture(scope="session")
def scratch():
    """A directory that others may enter, too."""
    path = Path(tempfile.mkdtemp(prefix="jk-packages.", dir=os.environ.get("TMPDIR")))
    os.chmod(path, 0o755)
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture(scope="session")
def epoch():
    """The second that the tarball's files are of, asked before it is made: a commit changes it."""
    return int(subprocess.run([TOP / "tools/packages/changelog", "epoch"], capture_output=True, text=True, check=True).stdout)


@pytest.fixture(scope="session")
def tarball(scratch, epoch):
    out = scratch / "release"
    done = subprocess.run([TOP / "tools/release", "tarball", "--out", out], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    found, = out.iterdir()
    return found


@pytest.fixture(scope="session")
def unpacked(scratch, tarball):
    """The sources as they are released; they belong to nobody."""
    where = scratch / "unpacked"
    where.mkdir()
    if NOBODY:
        os.chown(where, 65534, 65534)
    subprocess.run(["tar", "-xf", tarball, "--no-same-owner"], cwd=where, check=True, **NOBODY)
    found, = where.iterdir()
    return found


def package(unpacked, kind):
    """tools/package of the unpacked sources -> the directory of what it made."""
    out = unpacked.parent / kind
    done = subprocess.run([unpacked / "tools/package", kind, "--out", out], capture_output=True, text=True, cwd="/",
                          env={**os.environ, "HOME": str(unpacked.parent), "DEB_BUILD_OPTIONS": "noautodbgsym"}, **NOBODY)
    assert done.returncode == 0, done.stdout + done.stderr
    return out


def packages(request, kind, ready, *commands):
    """The directory that the variable `ready` names, else what is built here."""
    if not EVERYTHING:
        pytest.skip("takes long: JK_TEST_ALL=1")
    if os.environ.get(ready):
        return Path(os.environ[ready])
    for one in commands:
        if not shutil.which(one):
            pytest.skip(f"no {one}")
    return package(request.getfixturevalue("unpacked"), kind)


@pytest.fixture(scope="session")
def debs(request):
    return packages(request, "deb", "JK_DEBS", "dpkg-buildpackage", "dh_apache2")


@pytest.fixture(scope="session")
def rpms(request):
    return packages(request, "rpm", "JK_RPMS", "rpmbuild", "rpm")
