"""tools/demo: what it prints is there, and nothing of it is left when it has ended. That it can also build is shown by whoever runs it as the README says."""
import glob
import os
import re
import signal
import subprocess
import tempfile
import urllib.parse

import pytest
from lib import client, proc, tools
from lib.httpd import INCUMBENT, TOP

DEMO = os.path.join(TOP, "tools", "demo")
pytestmark = pytest.mark.skipif(INCUMBENT, reason="it starts this module")


@pytest.fixture
def place():
    """A directory below /tmp where the user that httpd's children are can look, too; pytest's own are closed to others."""
    with tempfile.TemporaryDirectory(prefix="jk-it-") as path:
        os.chmod(path, 0o755)
        yield path


def hears_ctrl_c():
    """Who was started in the background ignores SIGINT, and so would a shell that he starts, whatever it traps."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def start(place, *args):
    """The demo, and what it printed until it was ready."""
    built = os.path.dirname(os.path.dirname(tools.path_of("jkbackend")))
    port = proc.free_port()
    demo = proc.spawn(["bash", DEMO, "--build", built, "--port", str(port), *args], env={**os.environ, "TMPDIR": str(place)},
                      stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, preexec_fn=hears_ctrl_c)
    said = ""
    for line in demo.stdout:
        said += line
        if line.startswith("Ctrl-C"):
            break
    return demo, port, said


def end(demo, place, how):
    demo.send_signal(how)
    try:
        rest = demo.communicate(timeout=30)[0]
    finally:
        proc.stop(demo)
    assert demo.returncode == 0, rest
    assert "nothing is left" in rest and not glob.glob(f"{place}/jk-demo.*")


def pages(said, port):
    """{words of the line: path} of the addresses that it prints."""
    found = dict(re.findall(rf"^  (\S.*?)  +http://127\.0\.0\.1:{port}(\S+)$", said, re.M))
    assert found, said
    return found


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_what_it_prints_is_there(place, how):
    demo, port, said = start(place)
    try:
        shown = pages(said, port)
        assert {"static, from httpd", "from the backend", "the status page", "for Prometheus", "a session", "1 MB", "a slow answer"} == set(shown), said
        answers = {words: client.get(port, path) for words, path in shown.items()}
        assert {words: a.status for words, a in answers.items()} == dict.fromkeys(shown, 200), said
        assert "httpd's own" in answers["static, from httpd"].text and len(answers["1 MB"].body) == 1 << 20
        assert "worker1" in answers["the status page"].text and "jk_worker_requests_total" in answers["for Prometheus"].text
        log = re.search(r"^  log +(\S+)$", said, re.M)[1]
        with open(log) as f:
            assert "[warn" not in (text := f.read()) and "[error" not in text, text
    finally:
        end(demo, place, how)
    assert not proc.accepts(("127.0.0.1", port)), "httpd has ended with it"


def test_the_advice_works(place):
    """"Try: stop the backend, load the page again, and read the log"."""
    demo, port, said = start(place)
    try:
        os.kill(int(re.search(r"stop the backend \(kill (\d+)\)", said)[1]), signal.SIGTERM)
        path = urllib.parse.urlsplit(re.search(r"from the backend +(\S+)", said)[1]).path
        assert proc.wait_until(lambda: client.get(port, path).status == 503)
        with open(re.search(r"^  log +(\S+)$", said, re.M)[1]) as f:
            assert re.search(r"worker1.*connection refused: Tomcat is not started.*\[JK0202\]", f.read())
    finally:
        end(demo, place, signal.SIGINT)


@pytest.mark.parametrize("args, word", [(("--port", "0"), "--port needs"), (("--port",), "--port needs"), (("--build", "/nowhere"), "--build needs"),
                                        (("--bild",), "tools/demo")])
def test_wrong_options(args, word):
    done = subprocess.run(["bash", DEMO, *args], capture_output=True, text=True, timeout=20)
    assert done.returncode in (1, 2) and word in done.stderr + done.stdout
