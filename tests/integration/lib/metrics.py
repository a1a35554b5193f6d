"""Numbers of `SetHandler jk-metrics`, and the real programs that read them: promtool and Prometheus. They are looked for in the PATH and in the
directory JK_PROMETHEUS; the package must not be installed for that, since it starts a service."""
import json
import os
import re
import shutil
import subprocess
import tempfile
import urllib.error
import urllib.parse
import urllib.request

from . import client, proc

LOCATIONS = "<Location /jk-metrics>\nSetHandler jk-metrics\n</Location>\n" \
            "<Location /jk-text>\nSetHandler jk-metrics\nRequestHeader unset Accept\n</Location>\n"
OPEN = ("Accept", "application/openmetrics-text;version=1.0.0")
SAMPLE = re.compile(r'^(\w+)(?:\{((?:[^"}]|"(?:[^"\\]|\\.)*")*)\})? (\S+)$')
LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"(?:,|$)')


def program(name):
    """None: it is not there."""
    return shutil.which(name, path=os.environ.get("JK_PROMETHEUS", "") + ":" + os.environ.get("PATH", ""))


class Samples:
    """What one scrape gave: strictly read."""

    def __init__(self, text):
        self.values, self.types, self.helped = {}, {}, set()
        for line in text.split("\n")[:-1]:
            if line.startswith("# "):
                self._meta(line)
                continue
            m = SAMPLE.match(line)
            assert m, f"no sample: {line}"
            labels = LABEL.findall(m.group(2) or "")
            assert ",".join(f'{k}="{v}"' for k, v in labels) == (m.group(2) or ""), line
            key = (m.group(1), tuple(sorted(labels)))
            assert key not in self.values, f"twice: {line}"
            self.values[key] = float(m.group(3))
        assert text.endswith("\n")

    def _meta(self, line):
        words = line.split(" ", 3)
        if words[1] == "TYPE":
            assert words[2] not in self.types, line
            self.types[words[2]] = words[3]
        elif words[1] == "HELP":
            self.helped.add(words[2])

    def get(self, name, **labels):
        """The sum of all samples of a name that have these labels."""
        want = set(labels.items())
        found = [v for (n, have), v in self.values.items() if n == name and want <= set(have)]
        assert found, f"there is no {name} with {labels}"
        return sum(found)

    def counters(self):
        return {k: v for k, v in self.values.items() if k[0].endswith(("_total", "_bucket", "_count", "_sum"))}


def scrape(httpd, *headers, path="/jk-metrics"):
    answer = client.get(httpd.port, path, list(headers))
    assert answer.status == 200, answer
    return Samples(answer.body.decode())


class Prometheus:
    """A real one on loopback that scrapes so often that a test need not wait for it."""

    def __init__(self, targets):
        """targets: name -> (port, path)"""
        self.root = tempfile.mkdtemp(prefix="jk-prom-", dir="/tmp")
        self.port = proc.free_port()
        jobs = "".join(f"  - job_name: {name}\n    metrics_path: {path}\n    static_configs: [{{targets: ['127.0.0.1:{port}']}}]\n"
                       for name, (port, path) in targets.items())
        config = os.path.join(self.root, "prometheus.yml")
        with open(config, "w") as f:
            f.write("global: {scrape_interval: 200ms, scrape_timeout: 200ms}\nscrape_configs:\n" + jobs)
        with open(os.path.join(self.root, "log"), "w") as log:
            self.child = proc.spawn([program("prometheus"), f"--config.file={config}", f"--storage.tsdb.path={self.root}/data",
                                     f"--web.listen-address=127.0.0.1:{self.port}", "--storage.tsdb.retention.size=100MB"],
                                    stdout=log, stderr=subprocess.STDOUT)

    def ask(self, what, **parameters):
        url = f"http://127.0.0.1:{self.port}/api/v1/{what}?" + urllib.parse.urlencode(parameters)
        try:
            with urllib.request.urlopen(url, timeout=10) as answer:
                return json.load(answer)["data"]
        except urllib.error.HTTPError as e:
            if e.code == 503:  # it is not ready yet
                raise OSError("not ready") from None
            raise AssertionError(f"{parameters}: {e.read().decode()}") from None

    def query(self, expr):
        return self.ask("query", query=expr)["result"]

    def value(self, expr):
        """Of the one sample there is, as a number; None: there is none yet."""
        try:
            found = self.query(expr)
        except OSError:
            return None
        return float(found[0]["value"][1]) if found else None

    def targets(self):
        return {t["labels"]["job"]: t for t in self.ask("targets")["activeTargets"]}

    def stop(self):
        proc.stop(self.child)
        shutil.rmtree(self.root, ignore_errors=True)
