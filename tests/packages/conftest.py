"""What both files of tests build once: the tarball, and packages out of the unpacked tarball, by a user that is not root."""
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
def tarball(scratch):
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


def package(unpacked, kind, *more):
    """tools/package of the unpacked sources -> the directory of what it made."""
    out = unpacked.parent / kind
    done = subprocess.run([unpacked / "tools/package", kind, "--out", out, *more], capture_output=True, text=True, cwd="/",
                          env={**os.environ, "HOME": str(unpacked.parent), "DEB_BUILD_OPTIONS": "noautodbgsym"}, **NOBODY)
    assert done.returncode == 0, done.stdout + done.stderr
    return out


@pytest.fixture(scope="session")
def debs(unpacked):
    if not EVERYTHING:
        pytest.skip("takes long: JK_TEST_ALL=1")
    for tool in ("dpkg-buildpackage", "dh_apache2"):
        if not shutil.which(tool):
            pytest.skip(f"no {tool}")
    return package(unpacked, "deb")


@pytest.fixture(scope="session")
def rpms(unpacked, tarball):
    if not EVERYTHING:
        pytest.skip("takes long: JK_TEST_ALL=1")
    if not shutil.which("rpmbuild"):
        pytest.skip("no rpmbuild")
    return package(unpacked, "rpm", "--tarball", tarball)
