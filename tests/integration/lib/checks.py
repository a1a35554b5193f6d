"""What `httpd -t` says, taken apart."""
import re

LIVED = r"error \(lived with\)"


class Said:
    """code; lines: what mod_jk found, without the root's path, worse than info; hints: what is info; text: all of it."""

    def __init__(self, httpd, code, text):
        self.code, self.text = code, text.replace(httpd.root + "/", "")
        found = [m[1] for m in re.finditer(r"^(?:\[.*?\] \[jk:\w+\] .*?)?mod_jk: (.*)$", self.text, re.M)]
        self.hints = [ln for ln in found if ln.startswith("info: ")]
        self.end = [ln for ln in found if re.match("Error in reading|the server would start", ln)]
        self.lines = [ln for ln in found if ln not in self.hints and ln not in self.end]

    def __repr__(self):
        return f"<{self.code}\n{self.text}>"


def check(httpd, workers, config):
    """workers: text, bytes, or None: no JkWorkersFile."""
    httpd.workers = None
    if workers is not None:
        httpd.write("conf/workers.properties", workers)
        config = "JkWorkersFile conf/workers.properties\n" + config
    httpd.write_config(config)
    return Said(httpd, *httpd.configtest())
