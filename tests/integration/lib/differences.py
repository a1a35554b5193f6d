"""Where the incumbent, mod_jk 1.2, differs: the marks `differs(why, only)` of the tests, and docs/differences.md, which is made of them.
It says nothing of whether a difference is wanted: that is decided where the mark is set."""
import inspect
import os
import re

from .httpd import TOP

PAGE = os.path.join(TOP, "docs", "differences.md")
FILES = os.path.join(TOP, "tests", "integration", "incumbent.txt")
HEAD = """# Where mod_jk 1.2 differs, test by test

Made by `tools/list-differences` from the marks `differs` in tests/integration: edit those, not this page. Each line is a test that
holds here and not with mod_jk 1.2.48. Files marked with * are run against it by `tools/test`; there, all that is not listed is alike.
"""


def of(item):
    """The mark that holds for this test, or this row of it; else None. The innermost one that names the row wins."""
    row = getattr(item, "callspec", None)
    for mark in item.iter_markers("differs"):
        only = mark.kwargs.get("only")
        if only is None or row and re.search(only, row.id):
            return mark
    return None


def compared():
    """The files that are run against the incumbent."""
    with open(FILES) as file:
        return [line.strip() for line in file if line.strip() and not line.startswith("#")]


def page(items):
    """The text of docs/differences.md for these tests."""
    found = {}
    for item in items:
        mark = of(item)
        if mark:
            rows = found.setdefault(item.path.name, {}).setdefault((item.originalname, mark.args[0]), [item, 0])
            rows[1] += 1
    out = [HEAD]
    for name in sorted(found):
        out.append(f"\n## {name}{' *' if name in compared() else ''}\n\n| test | mod_jk 1.2 | here |\n|---|---|---|")
        out += [line(test, why, item, rows, items) for (test, why), (item, rows) in found[name].items()]
    return "\n".join(out) + "\n"


def line(test, why, item, rows, items):
    of_all = sum(1 for other in items if other.path == item.path and other.originalname == test)
    some = f" ({rows} of {of_all} rows)" if rows < of_all else ""
    return f"| {test.removeprefix('test_')}{some} | {cell(why)} | {cell(first_sentence(item))} |"


def first_sentence(item):
    """What the test says of itself; where it says nothing its name does."""
    text = " ".join((inspect.getdoc(item.function) or item.originalname.removeprefix("test_").replace("_", " ")).split())
    return re.split(r"(?<=[.!?]) (?=[A-Z])", text)[0]


def cell(text):
    return text.replace("|", "\\|")
