"""What the pages say is so: every configuration on them loads, every link leads somewhere, every name is one. The rules: docs/authors.md."""
import os
import re
import shutil
import subprocess
import sys
import xml.dom.minidom
from glob import glob

import pytest
from lib import directives, manual
from lib.checks import Said
from lib.httpd import BENIGN, INCUMBENT, TOP

pytestmark = pytest.mark.skipif(INCUMBENT, reason="it has other manuals")

SECTIONS = manual.all_sections()
CONFIGURATIONS = [s for s in SECTIONS if {"apache", "properties"} & {kind for kind, _ in s.blocks}]
BUILD = os.environ.get("JK_BUILD", TOP)
KEYS = f"{TOP}/docs/worker-keys.md"


# ---- configurations ----

@pytest.fixture(scope="module")
def httpd(make_httpd):
    one = make_httpd(start=False)
    one.make_certificate()
    shutil.copy(one.path("conf/server.crt"), one.path("conf/ca.crt"))
    return one


def check(httpd, section):
    """What -t says of it; lines of httpd.conf are counted from the section's first."""
    config, workers = manual.configuration(section, httpd)
    httpd.workers = None
    if workers is not None:
        httpd.write("conf/workers.properties", workers)
        config += "JkWorkersFile conf/workers.properties\n"
    httpd.write_config(config)
    before = manual.read(httpd.path("conf/httpd.conf")).index(config)
    first = manual.read(httpd.path("conf/httpd.conf"))[:before].count("\n")
    code, text = httpd.configtest()
    return Said(httpd, code, re.sub(r"(conf/httpd\.conf):(\d+)", lambda m: f"{m[1]}:{int(m[2]) - first}", text))


def others(said):
    """Lines that are httpd's own."""
    lines = [ln for ln in said.text.splitlines() if "mod_jk: " not in ln and ln.strip() not in ("", "Syntax OK")]
    return [ln for ln in lines if not any(re.search(p, ln) for p in BENIGN)]


@pytest.mark.parametrize("section", CONFIGURATIONS, ids=str)
def test_configurations_load(httpd, section):
    """With JkStrict On, and without a word but those that the page shows."""
    said = check(httpd, section)
    if "is not built yet in this version" in said.text:
        pytest.skip("the type status is not built yet")
    shown = section.said()
    if shown is None:
        assert (said.code, said.lines, others(said)) == (0, [], []), said
    else:
        found = [ln for ln in re.findall(r"mod_jk: (.*)$", said.text, re.M) if not ln.startswith("info: ")]
        assert found == shown, "\n".join(found)


def test_there_are_configurations():
    """Were the fences not found, nothing would be tested."""
    assert len(CONFIGURATIONS) > 40 and any(s.said() for s in CONFIGURATIONS)


@pytest.mark.parametrize("path", manual.PAGES, ids=manual.name_of)
def test_configurations_are_in_fences(path):
    """An indented one would not be loaded (a formula or a line of output may be)."""
    text = manual.FENCE.sub("", manual.read(path))
    assert re.findall(r"^ {4}(?:JkMount|JkWorkersFile|LoadModule|worker\.[\w.]+=).*$", text, re.M) == []
    assert {kind for kind, _ in manual.FENCE.findall(manual.read(path))} <= {"apache", "properties", "xml", "console"}


XML = [(s, text) for s in SECTIONS for kind, text in s.blocks if kind == "xml"]


@pytest.mark.parametrize("section, text", XML, ids=[str(s) for s, _ in XML])
def test_xml_is_well_formed(section, text):
    xml.dom.minidom.parseString(f"<fragment>{text}</fragment>")


# ---- links and names ----

@pytest.mark.parametrize("path", manual.PAGES, ids=manual.name_of)
def test_links_lead_somewhere(path):
    bad = []
    for link in manual.links(path):
        file, _, anchor = link.partition("#")
        target = os.path.normpath(os.path.join(os.path.dirname(path), file)) if file else path
        if re.match(r"https?:", link):
            continue
        if not os.path.exists(target) or anchor and anchor not in manual.anchors(target):
            bad.append(link)
    assert bad == []


def test_the_map_has_every_page():
    linked = {os.path.normpath(link.partition("#")[0]) for link in manual.links(f"{TOP}/docs/README.md")}
    linked |= {link for link in manual.links(f"{TOP}/docs/README.md")}
    missing = [os.path.basename(p) for p in manual.PAGES if p.startswith(f"{TOP}/docs/") and os.path.basename(p) not in {*linked, "README.md"}]
    assert missing == []


@pytest.mark.parametrize("path", manual.PAGES, ids=manual.name_of)
def test_tables_are_whole(path):
    """A row with a cell too many loses it: a '|' inside of a cell is written with a '\\'."""
    for table in re.findall(r"(?:^\|.*\n)+", manual.FENCE.sub("", manual.read(path)), re.M):
        assert len({len(re.findall(r"(?<!\\)\|", row)) for row in table.splitlines()}) == 1, table


def test_names_in_the_pictures():
    words = [w for f in glob(f"{TOP}/docs/*.svg") for w in re.findall(r'class="key[^>]*>([a-z_]+)<', manual.read(f))]
    assert len(words) > 8 and set(words) <= keys()


OWN_NAMES = ("fast.md", "metrics.md", "proof.md", "security.md", "status-worker.md")  # pages with names between backticks that are no keys


def keys():
    return set(re.findall(r'<a id="(\w+)">', manual.read(KEYS)))


def extensions():
    return set(re.findall(r'^    \{ "(\w+)", [A-Z]+, (?:true|false)', manual.read(f"{TOP}/native/conf/extension.c"), re.M))


def options():
    return set(re.findall(r'^    \{ "(\w+)", (?:JK_OPT_\w+|0), ', manual.read(f"{TOP}/native/httpd/directives.c"), re.M))


@pytest.mark.parametrize("path", manual.PAGES, ids=manual.name_of)
def test_directives_are_rows(path):
    every = {row.name for row in directives.rows()}
    assert {w for w in re.findall(r"\bJk[A-Z]\w+", manual.read(path)) if w not in every} == set()


@pytest.mark.parametrize("path", manual.PAGES, ids=manual.name_of)
def test_keys_are_rows(path):
    """worker.NAME.KEY, and whatever looks like a key between backticks."""
    text, every = manual.read(path), keys()
    for slips in (s for s in manual.sections(path) if s.said()):
        for words in (slips.text("properties"), *(t for kind, t in slips.blocks if kind == "console")):
            text = text.replace(words, "")
    written = {k for k in re.findall(r"\bworker\.[\w-]+\.(\w+)", text) if k.islower()}
    named = {k for k in re.findall(r"`([a-z]+(?:_[a-z0-9]+)+)(?:=[^`]*)?`", text) if not k.startswith(("mod_", "jk_"))}
    if os.path.basename(path) in OWN_NAMES:
        named = set()
    assert every and (written | named) - every - extensions() - {"optional_no_ca"} == set()
    assert {k for k in re.findall(r"(?<!reference=)(?<!-)\bworker\.([a-z]+)\b(?!\.)", text) if k not in every | {"properties"}} == set()


@pytest.mark.parametrize("path", manual.PAGES, ids=manual.name_of)
def test_ids_are_of_messages(path):
    every = set(re.findall(r"^## (JK\d{4})$", manual.read(f"{TOP}/docs/messages.md"), re.M))
    assert every and {w for w in re.findall(r"\bJK\d{4}\b", manual.read(path)) if w not in every} == set()


def sources():
    return "".join(manual.read(os.path.join(d, f)) for d, _, files in os.walk(f"{TOP}/native") for f in files if f.endswith((".c", ".h")))


@pytest.mark.parametrize("path", manual.PAGES, ids=manual.name_of)
def test_variables_and_notes_are_known(path):
    source = sources()
    words = {w for w in re.findall(r"\bJK_[A-Z_]*[A-Z]\b", manual.read(path)) if not re.match(r"JK_LB_(FIRST|LAST)_|JK_BUILD|JK_VALGRIND", w)}
    assert {w for w in words if f'"{w}"' not in source and f", {w}," not in source} <= {"JK_LB_ACTIVATION"}


def test_all_options_and_extensions_stand_there():
    requests, mapping, logs = (manual.read(f"{TOP}/docs/{p}.md") for p in ("requests", "mapping", "logs"))
    assert len(options()) > 10 and {o for o in options() if f"`{o}`" not in requests} == set()
    assert len(extensions()) > 10 and {e for e in extensions() if f"`{e}`" not in mapping} == set()
    row = next(r for r in directives.rows() if r.name == "JkRequestLogFormat")
    assert {e for e in re.findall(r"%\w", row.help) if f"`{e}`" not in logs} == set()


# ---- what proves the promises ----

PROOFS = [(os.path.basename(path), *row) for path in (f"{TOP}/docs/security.md", f"{TOP}/docs/proof.md") for row in manual.proof_rows(path)]


@pytest.mark.parametrize("page, promise, cell", PROOFS, ids=[f"{page}-{promise[:40]}" for page, promise, _ in PROOFS])
def test_what_proves_a_promise_is_there(page, promise, cell):
    assert manual.missing_proofs(cell) == [] or "to be filled in" in cell, cell


def test_missing_proofs_are_found():
    assert len(PROOFS) > 30
    assert manual.missing_proofs("test_faults; test_past `cve_2018_11759*`, unit test_match, fuzz_path, tools/analyse, tests/fuzz/run") == []
    assert manual.missing_proofs("test_nothing, test_past `cve_1999_1`, fuzz_nothing, tools/nothing") == ["test_nothing", "cve_1999_1", "fuzz_nothing",
                                                                                                  "tools/nothing"]
    assert manual.missing_proofs("read carefully") is None


# ---- pages that are made ----

def test_the_references_are_not_stale():
    """Else: tools/check-reference --write."""
    if not os.path.exists(f"{BUILD}/tools/jkreference"):
        pytest.skip("tools/jkreference is not built")
    done = subprocess.run([sys.executable, f"{TOP}/tools/check-reference"], capture_output=True, text=True, cwd=BUILD,
                          env={**os.environ, "JK_BUILD": BUILD, "srcdir": TOP})
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture
def copy(tmp_path):
    """A tree in which pages may be spoilt."""
    if not os.path.exists(f"{BUILD}/tools/jkreference"):
        pytest.skip("tools/jkreference is not built")
    for name in ("docs", "native"):
        shutil.copytree(f"{TOP}/{name}", tmp_path / name)
    return tmp_path


def spoil(copy, name, old, new):
    text = (copy / name).read_text()
    assert old in text
    (copy / name).write_text(text.replace(old, new, 1))


@pytest.mark.parametrize("name, old, new, words", [
    ("docs/directives.md", "`JkStrict`", "`JkStrickt`", "docs/directives.md is stale"),
    ("docs/worker-keys.md", "| <a id=\"port\">", "| <a id=\"sport\">", "docs/worker-keys.md is stale"),
    ("docs/messages.md", "## JK0202", "## JK0999", "JK0999 is no longer in the source"),
    ("docs/messages.md", "Failed opening socket", "Failed opening", "docs/messages.md is stale"),
    ("native/worker/complain.c", "Failed opening socket", "Failed opening", "docs/messages.md is stale"),
    ("native/worker/complain.c", "JK_ERROR(run->log, 202,", "JK_ERROR(run->log, 998,", "JK0998 (native/worker/complain.c) has no words"),
], ids=["directive", "key", "id", "text", "source", "new"])
def test_what_is_stale_is_found(copy, name, old, new, words):
    spoil(copy, name, old, new)
    done = subprocess.run([sys.executable, f"{TOP}/tools/check-reference"], capture_output=True, text=True,
                          env={**os.environ, "JK_BUILD": BUILD, "srcdir": str(copy)})
    assert done.returncode == 1 and words in done.stdout, done.stdout + done.stderr


# ---- manual pages ----

MEN = [f"{TOP}/tools/{name}.1" for name in ("jkping", "jkbackend", "jkctl", "jkconf")]


@pytest.mark.parametrize("path", MEN, ids=os.path.basename)
def test_manual_pages_are_clean(path):
    ran = False
    for argv in (["groff", "-man", "-ww", "-Tutf8", path], ["mandoc", "-Tlint", "-Wwarning", path]):
        if shutil.which(argv[0]):
            done, ran = subprocess.run(argv, capture_output=True, text=True), True
            assert (done.returncode, done.stderr) == (0, "") and (argv[0] == "groff" or done.stdout == "")
    if not ran:
        pytest.skip("neither groff nor mandoc")


def test_the_backends_pages_stand_there():
    names = re.findall(r'^    \{ "(\w+)", \d, ', manual.read(f"{TOP}/tools/jkbackend_pages.c"), re.M)
    page = manual.read(f"{TOP}/tools/jkbackend.1")
    assert len(names) >= 8 and [n for n in names if not re.search(rf"^\.BI? {n}(?:/|$)", page, re.M)] == []


@pytest.mark.parametrize("path", MEN, ids=os.path.basename)
def test_manual_pages_have_every_option(path):
    tool = f"{BUILD}/tools/{os.path.basename(path)[:-2]}"
    if not os.path.exists(tool):
        pytest.skip("the tool is not built")
    done = subprocess.run([tool, "--help"], capture_output=True, text=True)
    told = set(re.findall(r"--[\w-]+", done.stdout + done.stderr))
    page = set(re.findall(r"--[\w-]+", manual.read(path).replace("\\-", "-")))
    assert len(told) >= 6 and told | {"--help"} == page | {"--help"}
