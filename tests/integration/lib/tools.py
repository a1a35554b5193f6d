"""The build's own programs: jkping, jkbackend."""
import os
import subprocess

import pytest

from . import proc
from .httpd import TOP


def path_of(name):
    """A program of the build (JK_BUILD, else the source tree); skips the test where it was not built."""
    path = os.path.join(os.path.abspath(os.environ.get("JK_BUILD", TOP)), "tools", name)
    if not os.access(path, os.X_OK):
        pytest.skip(f"{path} is not there: name a build directory in JK_BUILD")
    return path


class Said:
    """What a program said: exit, out, err."""

    def __init__(self, done):
        self.exit, self.out, self.err = done.returncode, done.stdout, done.stderr

    def __repr__(self):
        return f"<exit {self.exit}\n{self.out}{self.err}>"


def run(name, *args, seconds=30, before=()):
    """Runs it to its end. before: words to begin with instead of the program."""
    argv = [*(before or [path_of(name)]), *map(str, args)]
    return Said(subprocess.run(argv, capture_output=True, text=True, timeout=seconds, stdin=subprocess.DEVNULL, errors="backslashreplace"))


class Backend:
    """A jkbackend at a free port."""

    def __init__(self, *args):
        self.child = proc.spawn([path_of("jkbackend"), *args], stdout=subprocess.PIPE, text=True)
        line = self.child.stdout.readline()
        if not line.startswith("listening on "):
            self.stop()
            raise RuntimeError(f"jkbackend does not start: {line!r}")
        self.address = line.split()[-1]
        self.port = None if self.address.startswith("/") else int(self.address.rsplit(":", 1)[1])

    def stop(self):
        proc.stop(self.child)
        self.child.stdout.close()
