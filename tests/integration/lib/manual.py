"""The pages of docs/ and the README as the tests see them: sections, their fenced blocks, links, anchors. docs/authors.md tells the rules."""
import os
import re
import socket
from dataclasses import dataclass, field
from glob import glob

from .httpd import STANDARD, TOP, find_modules

PAGES = sorted(glob(f"{TOP}/docs/*.md")) + [f"{TOP}/README.md"]
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.M | re.S)


@dataclass
class Section:
    """One configuration of a page."""
    page: str
    title: str
    blocks: list = field(default_factory=list)  # (kind, text)

    def text(self, kind):
        return "".join(text for k, text in self.blocks if k == kind and file_of(k, text) == "conf/workers.properties")

    def files(self):
        return {file_of(k, text): text for k, text in self.blocks if file_of(k, text) != "conf/workers.properties"}

    def said(self):
        """The lines that the page shows; None: it shows nothing."""
        shown = [text for k, text in self.blocks if k == "console" and text.startswith("$ httpd -t\n")]
        return shown[0].splitlines()[1:] if shown else None

    def __str__(self):
        return f"{self.page}-{self.title}".replace(" ", "_")


def file_of(kind, text):
    named = re.match(r"# (conf/\S+)\n", text) if kind == "properties" else None
    return named[1] if named else "conf/workers.properties"


def read(path):
    with open(path) as file:
        return file.read()


def name_of(path):
    return os.path.relpath(path, TOP)


def sections(path):
    """Those with fenced blocks, in order."""
    found, text = [], read(path)
    for m in re.finditer(r"^#+ ([^\n]*)$|^<!-- apart -->$|^```(\w*)\n(.*?)^```$", text, re.M | re.S):
        if m[1] is not None or not found:
            found.append(Section(name_of(path), m[1] or ""))
        if m[0] == "<!-- apart -->":
            found.append(Section(name_of(path), found[-1].title + "'"))
        if m[3] is not None:
            found[-1].blocks.append((m[2], m[3]))
    return [s for s in found if s.blocks]


def all_sections():
    return [s for page in PAGES for s in sections(page)]


def prose(path):
    """Without what stands in fences and between backticks."""
    return re.sub(r"`[^`\n]*`", "", FENCE.sub("", read(path)))


def anchors(path):
    """As the usual viewers make them of headings, and those that are written out."""
    text = FENCE.sub("", read(path))
    slugs = [re.sub(r"[^\w\- ]", "", h.lower()).strip().replace(" ", "-") for h in re.findall(r"^#+ (.*)$", text, re.M)]
    return set(slugs) | set(re.findall(r'<a id="([^"]+)"', text))


def links(path):
    return re.findall(r"\]\(([^)\s]+)\)", FENCE.sub("", read(path)))


# ---- a section as a configuration of the harness ----

def workers_of(config, files):
    """Names of workers that the directives and rule files of a section use."""
    names = re.findall(r"^\s*Jk(?:Un)?Mount\s+(?:/\S*\s+)?([\w.-]+)(?:;\S*)?\s*$", config, re.M)
    names += re.findall(r"SetEnv JK_WORKER_NAME (\S+)", config)
    names += [m for text in files.values() for m in re.findall(r"^[^#=\n]+=([\w.-]+)", text, re.M)]
    return list(dict.fromkeys(names))


def fill_workers(config, files):
    names = workers_of(config, files) or ["filled"]
    lines = [f"worker.list={','.join(names)}"]
    for i, name in enumerate(names):
        lines += [f"worker.{name}.type=ajp13", f"worker.{name}.host=10.0.0.{i + 1}", f"worker.{name}.port=8009"]
    return "\n".join(lines) + "\n"


def fill_mounts(workers):
    lists = re.findall(r"^worker\.list=(.*)$", workers, re.M)
    return "".join(f"JkMount /{name}/* {name}\nJkMount /{name} {name}\n" for name in re.split(r"[ ,]+", ",".join(lists)) if name)


def module_line(m):
    """The harness loads most of them, from wherever they are."""
    return "#" + m[0] if m[1] in ("jk", *STANDARD) else f"LoadModule {m[1]}_module {find_modules()}/mod_{m[2]}.so"


def rooted(text, root):
    """/srv and /run are below the test's own root, and there."""
    def own(m):
        path = root + m[0]
        os.makedirs(path if m[0].startswith("/srv") else os.path.dirname(path), exist_ok=True)
        return path
    return re.sub(r"(?<![\w/.])/(?:srv|run)/[\w/.-]+", own, text)


def listen_on_sockets(workers):
    for path in re.findall(r"\.host=unix:(\S+)", workers):
        if not os.path.exists(path):
            with socket.socket(socket.AF_UNIX) as s:
                s.bind(path)
            os.chmod(path, 0o666)


def configuration(section, httpd):
    """(directives, workers or None): the section's with all that it leaves out; its other files are written."""
    config, workers, files = section.text("apache"), section.text("properties"), section.files()
    for name, text in files.items():
        httpd.write(name, text)
    inline = "JkWorkerProperty" in config
    if "JkMount" not in config:
        config += fill_mounts(workers)
    if not workers and not inline:
        workers = fill_workers(config, files)
    if "JkStrict" not in config:
        config += "JkStrict On\n"
    config = re.sub(r"^LoadModule\s+(\w+)_module\s+modules/mod_(\w+)\.so", module_line, config, flags=re.M)
    config = re.sub(r"^JkWorkersFile conf/workers.properties$", "#", config, flags=re.M)
    config, workers = rooted(config, httpd.root), rooted(workers, httpd.root)
    listen_on_sockets(workers)
    return config, workers if workers else None


# ---- what proves a promise ----

def proof_rows(path):
    """The rows of the tables whose head has the column "tests" or "how it is tested": (the promise, that cell)."""
    rows, column = [], None
    for line in read(path).splitlines():
        cells = [c.strip() for c in re.split(r"(?<!\\)\|", line)[1:-1]] if line.startswith("|") else []
        heads = [c for c in cells if c in ("tests", "how it is tested")]
        column = cells.index(heads[0]) if heads else column if cells else None
        if cells and column is not None and not heads and not set(cells[0]) <= set("-"):
            rows.append((cells[0], cells[column]))
    return rows


def missing_proofs(cell):
    """Names in it that are of nothing: of unit tests, targets, scripts, and behind an integration test's those of its tests, between backticks, with
    wildcards. None: it names nothing at all."""
    bad, found, file = [], 0, None
    for name, quoted, path in re.findall(r"\b((?:test|fuzz|stress)_\w+)|`([\w.*]+)`|\b((?:tools|tests)/[\w/.-]+)", cell):
        if quoted and file:
            pattern = "^def test_" + re.escape(quoted).replace(r"\*", r"\w*") + r"\("
            found, there = found + 1, re.search(pattern, read(file), re.M)
        elif quoted:
            continue
        else:
            here = [f"{TOP}/{path.rstrip('.')}"] if path else [f"{TOP}/tests/{d}/{name}.{e}" for d, e in (("unit", "c"), ("integration", "py"),
                                                                                                       ("fuzz", "c"), ("stress", "c"))]
            there = next((f for f in here if os.path.exists(f)), None)
            file = there if there and there.endswith(".py") else None
            found += 1
        if not there:
            bad.append(name or quoted or path)
    return bad if found else None
