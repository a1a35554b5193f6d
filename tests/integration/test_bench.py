"""tools/bench: its words, its figures and its picture, and that nothing of it is left. How fast anything is, is not asserted."""
import glob
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as xml

import pytest
from lib import proc, tools
from lib.httpd import INCUMBENT, TOP

BENCH = os.path.join(TOP, "tools", "bench")
sys.path.insert(0, os.path.dirname(BENCH))
from benchlib import chart, load, report, rows, servers  # noqa: E402

pytestmark = pytest.mark.skipif(INCUMBENT, reason="it measures this module")
TINY = ("--only", "small,lb", "--peers", "jk,proxy_ajp,static", "--rounds", "2", "--seconds", "0.4")


@pytest.fixture
def place():
    """A directory below /tmp where the user that httpd's children are can look, too; pytest's own are closed to others."""
    with tempfile.TemporaryDirectory(prefix="jk-it-") as path:
        os.chmod(path, 0o755)
        yield pathlib.Path(path)


def bench(place, *args, path=None):
    """Runs it with a private place for what it writes."""
    env = {**os.environ, "TMPDIR": str(place), **({"PATH": path} if path else {})}
    done = subprocess.run([sys.executable, BENCH, *map(str, args)], env=env, cwd=place, capture_output=True, text=True, timeout=60,
                          stdin=subprocess.DEVNULL)
    return tools.Said(done)


def built():
    """The options that take a build; skips where there is none, or nothing that makes load."""
    directory = os.path.dirname(os.path.dirname(tools.path_of("jkbackend")))
    try:
        load.find_tool()
    except servers.Failed as e:
        pytest.skip(str(e).splitlines()[0])
    return "--build", directory


def left(place):
    """Processes that it started, and private directories of its own."""
    found = glob.glob(f"{place}/jk-bench.*")
    for environ in glob.glob("/proc/[0-9]*/environ"):
        try:
            with open(environ, "rb") as f:
                if f"TMPDIR={place}\0".encode() in f.read():
                    found.append(environ)
        except OSError:
            pass  # it has ended
    return found


def path_without(place, *programs):
    """A PATH on which all is to be found but these."""
    shadow = place / "bin"
    shadow.mkdir()
    for directory in reversed(os.environ["PATH"].split(":") + ["/usr/sbin"]):
        for name in os.listdir(directory) if os.path.isdir(directory) else ():
            link = shadow / name
            if name not in programs:
                link.unlink(missing_ok=True)
                link.symlink_to(os.path.join(directory, name))
    return str(shadow)


# ---- words ----

def test_the_list(place):
    """Also where nothing can be measured."""
    said = bench(place, "--list", path=path_without(place, "wrk", "h2load", "nginx"))
    assert said.exit == 0, said
    for row in rows.SCENARIOS + rows.PEERS:
        assert re.search(rf"^  {row.name} +\S", said.out, re.M), row.name
    assert re.search(r"^  jk .*\(here\)$", said.out, re.M) and re.search(r"^  nginx .*\(not here: not installed\)$", said.out, re.M)
    assert not left(place)


def test_the_help(place):
    said = bench(place, "--help")
    assert said.exit == 0 and "examples:" in said.out and "exit status:" in said.out


@pytest.mark.parametrize("args, words", [
    (["--only", "smal"], ["no scenario 'smal'", "small, 64k, 1m"]),
    (["--only", ""], ["no scenario ''", "small, 64k, 1m"]),
    (["--peers", "jk,apache"], ["no peer 'apache'", "jk, mod_jk, proxy_ajp"]),
    (["--rounds", "0"], ["'0' is not a number between 1 and 1000"]),
    (["--rounds", "many"], ["'many' is not a number between 1 and 1000"]),
    (["--seconds", "0.01"], ["'0.01' is not a number between 0.1 and 600"]),
    (["--seconds", "nan"], ["'nan' is not a number between 0.1 and 600"]),
    (["--load", "ab"], ["'ab'", "wrk", "h2load"]),
    (["--fast"], ["--fast"]),
], ids=lambda v: " ".join(v) if v[0].startswith("--") else "")
def test_options_that_are_wrong(place, args, words):
    """What is wrong and what is allowed, before anything is built."""
    said = bench(place, *args)
    assert said.exit == 2 and not said.out and "Traceback" not in said.err and all(w in said.err for w in words), said


@pytest.mark.parametrize("args, words", [
    (["--peers", "mod_jk", "--mod-jk", "/not/there.so"], ["mod_jk", "/not/there.so is no file"]),
    (["--peers", "static", "--only", "lb"], ["none of these peers takes part"]),
    (["--out", "/dev/null/x"], ["/dev/null is no directory that may be written to"]),
    (["--build", "/not/there"], ["/not/there/mod_jk.so is not there"]),
], ids=["no module", "nobody to measure", "no place", "no build"])
def test_what_cannot_be_measured(place, args, words):
    said = bench(place, *built(), *args)
    assert said.exit == 2 and "Traceback" not in said.err and all(w in said.err for w in words), said


def test_without_a_load_generator(place):
    """It names the packages of both families, and builds nothing."""
    said = bench(place, "--quick", path=path_without(place, "wrk", "h2load"))
    assert said.exit == 2 and "apt install wrk" in said.err and "dnf install wrk" in said.err and "nghttp2" in said.err, said
    assert not left(place) and not os.path.exists(place / "bench-results")


def test_a_server_that_does_not_start(place):
    """Its own words are told."""
    (place / "mod_jk.so").write_text("no module\n")
    said = bench(place, *built(), "--only", "small", "--peers", "jk,mod_jk", "--mod-jk", place / "mod_jk.so", "--seconds", "0.1")
    assert said.exit == 1 and "mod_jk did not start" in said.err and "Cannot load" in said.err, said
    assert not left(place) and not os.path.exists(place / "bench-results")


# ---- a run ----

@pytest.mark.parametrize("tool", load.TOOLS)
def test_a_small_run(place, tool):
    """A table with a row for each that took part, a picture with a bar for each, and nothing else."""
    options = built()
    if not servers.shutil.which(tool):
        pytest.skip(f"{tool} is not installed")
    said = bench(place, *options, *TINY, "--load", tool, "--out", "new/out")
    assert said.exit == 0, said
    assert sorted(os.listdir(place / "new" / "out")) == ["bench.svg", "bench.txt"]
    text = (place / "new" / "out" / "bench.txt").read_text()
    assert text in said.out and "round 2 of 2" in said.err
    measured = re.findall(r"^  (this module|mod_proxy_ajp|httpd's own file) +([\d. ]+?) +([\d. ]+)-([\d. ]+?)  ", text, re.M)
    assert [m[0] for m in measured] == ["this module", "mod_proxy_ajp", "httpd's own file"] + ["this module", "mod_proxy_ajp"]
    for _, *figures in measured:
        middle, least, most = (float(f.replace(" ", "")) for f in figures)
        assert least <= middle <= most and most > 0
    svg = (place / "new" / "out" / "bench.svg").read_text()
    bars = [e for e in xml.fromstring(svg).iter() if (e.get("class") or "").startswith("b-")]
    assert len(bars) == len(measured)
    for secret in (str(place), TOP, os.uname().nodename):
        assert secret not in svg and secret not in text, "a name or a path of this machine"
    assert not left(place)


def test_the_slow_application(place):
    """The other visitor's time has a column, and CPU time that was not resolved has none."""
    said = bench(place, *built(), "--quick", "--only", "slow", "--peers", "jk")
    assert said.exit == 0 and re.search(r"^  this module +- +- +- +[\d.]+ +\d+ +[\d.]+$", said.out, re.M), said


def test_bodies(place):
    """The backend has counted each."""
    said = bench(place, *built(), "--only", "post", "--peers", "jk", "--rounds", "1", "--seconds", "1")
    assert said.exit == 0 and "POST of 1 MB" in said.out and "failed" not in said.out, said


@pytest.mark.parametrize("signo, status", [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["Ctrl-C", "TERM"])
def test_nothing_is_left_when_it_is_stopped(place, signo, status):
    env = {**os.environ, "TMPDIR": str(place)}
    child = subprocess.Popen([sys.executable, BENCH, *built(), "--only", "small", "--peers", "jk,proxy_ajp", "--seconds", "20"], env=env, cwd=place,
                             stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    try:
        assert any("small, round 1" in line for line in child.stderr)  # reads up to it
        proc.wait_until(lambda: len(left(place)) > 6)  # the servers' processes and the load
        assert len(left(place)) > 6
        child.send_signal(signo)
        rest = child.stderr.read()
        assert child.wait(20) == status and "nothing is left" in rest and "Traceback" not in rest, rest
        assert not left(place) and os.listdir(place) == []
    finally:
        child.kill()
        child.wait()
        child.stderr.close()


def test_stopped_while_it_builds(place):
    """The compiler ends too."""
    built()
    env = {**os.environ, "TMPDIR": str(place)}
    child = subprocess.Popen([sys.executable, BENCH, "--only", "small"], env=env, cwd=place, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                             stderr=subprocess.DEVNULL, text=True)
    try:
        assert proc.wait_until(lambda: glob.glob(f"{place}/jk-bench.*/build/*") or child.poll() is not None, 20)
        child.send_signal(signal.SIGINT)
        assert child.wait(20) == 130
        assert not left(place) and os.listdir(place) == []
    finally:
        child.kill()
        child.wait()
        child.stdout.close()


# ---- the reckoning ----

SMALL = rows.SCENARIOS[0]
JK, AJP = rows.PEERS[0], rows.named(rows.PEERS, "proxy_ajp")


def results_of(**cpu):
    """Results of one scenario: the CPU times of each peer's rounds."""
    results = report.Results()
    for name, values in cpu.items():
        results.labels[name] = name
        for value in values:
            results.add(SMALL, rows.named(rows.PEERS, name), load.Figure(1000, 0, 0, value, 5000.0, 1.5))
    return results


@pytest.mark.parametrize("value, text", [(0, "0.00"), (0.456, "0.46"), (9.994, "9.99"), (12.34, "12.3"), (99.94, "99.9"), (123.4, "123"),
                                         (9999.4, "9999"), (12345, "12 345"), (1234567, "1 234 567")])
def test_numbers(value, text):
    assert report.number(value) == text


def test_peers_are_compared_round_by_round():
    """The machine was three times slower in the last rounds: the ratio does not see it, the ratio of medians would."""
    results = results_of(jk=[10, 30, 30], proxy_ajp=[20, 20, 60])
    assert results.spread(SMALL, AJP, "cpu") == (20, 20, 60) and results.ratio(SMALL, AJP, "cpu") == 2


def test_without_this_module_there_is_no_ratio():
    results = results_of(proxy_ajp=[20, 21])
    assert results.ratio(SMALL, AJP, "cpu") is None and re.search(r"20\.5 +20\.0-21\.0 +- ", "\n".join(report.table(results, [AJP])))


def test_what_failed_is_noted():
    results = results_of(jk=[10])
    results.rounds["small", "jk"].append(load.Figure(1000, 3, 2, 10.0, 1.0, 1.0))
    results.count_errors([JK])
    assert results.notes == ["jk, small: of 2000 requests, 3 failed"]
    assert results.remarks == ["jk, small: beside 2000 answers, 2 kept connections were closed"]


def test_bars_are_as_long_as_their_figures():
    svg = xml.fromstring(chart.svg(results_of(jk=[10, 10, 10], proxy_ajp=[25, 25, 25]), [JK, AJP], ["a <machine> & more"]))
    wide = {e.get("class"): float(e.get("width")) for e in svg.iter() if (e.get("class") or "").startswith("b-")}
    assert wide["b-proxy_ajp"] / wide["b-jk"] == pytest.approx(2.5, rel=0.01) and wide["b-proxy_ajp"] == chart.BAR_MOST
    assert "a <machine> & more" in [e.text for e in svg.iter()]


def test_a_wild_round_does_not_make_all_bars_short():
    svg = xml.fromstring(chart.svg(results_of(jk=[10, 10, 10], proxy_ajp=[20, 20, 2000]), [JK, AJP], []))
    wide = [float(e.get("width")) for e in svg.iter() if (e.get("class") or "").startswith("b-")]
    assert max(wide) > chart.BAR_MOST / 2


def test_every_peer_has_a_look_of_its_own():
    assert set(chart.LOOKS) == {p.name for p in rows.PEERS}
    assert len({look[0] for look in chart.LOOKS.values()}) == len({look[2] for look in chart.LOOKS.values()}) == len(chart.LOOKS)


def test_our_module_is_not_taken_for_the_distributions(place):
    directory = os.path.dirname(os.path.dirname(tools.path_of("jkbackend")))
    other = place / "mod_jk.so"
    other.write_bytes(b"JkWorkersFile")
    assert servers.is_ours(os.path.join(directory, "mod_jk.so")) and not servers.is_ours(other)
