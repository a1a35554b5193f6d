"""The results as an SVG: horizontal bars, a group for each scenario. Written by hand, so that it reads in the light and in the dark, on
a phone, and without colours: each peer has a pattern, a name and its number at the bar. It holds no script and no link."""
from xml.sax.saxutils import escape

from .report import number, wrapped

WIDTH, MARGIN = 460, 18
BAR_FROM, BAR_MOST, BAR_HIGH, BAR_STEP = 142, 180, 14, 21

# Of each peer: colour in the light, in the dark, and what its bars are filled with.
LOOKS = {
    "jk": ("#1d4ed8", "#7aa7ff", '<rect width="6" height="6" class="f-{0}"/>'),
    "mod_jk": ("#b45309", "#f5a94b", '<path d="M0 8 8 0M-2 2 2 -2M6 10 10 6" class="s-{0}"/>'),
    "proxy_ajp": ("#15803d", "#5fd38a", '<circle cx="2" cy="2" r="1.4" class="f-{0}"/><circle cx="6" cy="6" r="1.4" class="f-{0}"/>'),
    "proxy_http": ("#7e22ce", "#c79bff", '<path d="M0 0 8 8M8 0 0 8" class="s-{0}"/>'),
    "static": ("#52606d", "#a9b4c0", '<path d="M2 0V8M6 0V8" class="s-{0}"/>'),
    "nginx": ("#be185d", "#ff8cc0", '<path d="M0 2H8M0 6H8" class="s-{0}"/>'),
}

BASE = """text{font-family:system-ui,-apple-system,"Segoe UI",Roboto,Helvetica,Arial,sans-serif;font-size:13px;fill:var(--ink)}
.back{fill:var(--paper);stroke:var(--edge)}.h1{font-size:18px;font-weight:700}.h2{font-weight:700}.ours{font-weight:700}
.mute{fill:var(--mute);font-size:12px}.axis{stroke:var(--edge)}
.halo{stroke:var(--paper);stroke-width:3.2;fill:none}.span{stroke:var(--ink);stroke-width:1.2;fill:none}"""


def style():
    light = "".join(f"--{name}:{look[0]};" for name, look in LOOKS.items())
    dark = "".join(f"--{name}:{look[1]};" for name, look in LOOKS.items())
    peers = "".join(f".f-{n}{{fill:var(--{n})}}.s-{n}{{stroke:var(--{n});stroke-width:1.6;fill:none}}"
                    f".b-{n}{{fill:url(#p-{n});stroke:var(--{n})}}\n" for n in LOOKS)
    return (f":root{{--ink:#1b1f24;--mute:#57606a;--paper:#ffffff;--edge:#d0d7de;{light}}}\n"
            f"@media(prefers-color-scheme:dark){{:root{{--ink:#e6edf3;--mute:#9aa4af;--paper:#0d1117;--edge:#3d444d;{dark}}}}}\n{BASE}\n{peers}")


def patterns(names):
    return "".join(f'<pattern id="p-{n}" width="8" height="8" patternUnits="userSpaceOnUse">{LOOKS[n][2].format(n)}</pattern>\n'
                   if n != "jk" else f'<pattern id="p-{n}" width="6" height="6" patternUnits="userSpaceOnUse">{LOOKS[n][2].format(n)}</pattern>\n'
                   for n in names)


class Sheet:
    """Lines of SVG and how far down they have come."""

    def __init__(self):
        self.parts, self.y = [], MARGIN

    def text(self, words, high, kind="", x=MARGIN):
        self.y += high
        self.parts.append(f'<text x="{x}" y="{self.y:g}"{f" class={chr(34)}{kind}{chr(34)}" if kind else ""}>{escape(words)}</text>')

    def paragraph(self, words, high, kind, width):
        for line in wrapped(words, width):
            self.text(line, high, kind)


class Bar:
    """name: of the peer. most, least: of the rounds. note: behind the number."""

    def __init__(self, name, label, spread, shown, note=""):
        self.name, self.label, self.note, self.shown = name, label, note, shown
        self.value, self.least, self.most = spread


def micro(value):
    return f"{number(value / 1000)} ms" if value >= 1000 else f"{number(value)} µs"


def milli(value):
    return f"{number(value / 1000)} s" if value >= 1000 else f"{number(value)} ms"


def draw_bar(sheet, bar, scale):
    y = sheet.y
    wide = max(bar.value * scale, 1.5)
    kind = ' class="ours"' if bar.name == "jk" else ""
    sheet.parts.append(f'<text x="{MARGIN}" y="{y + 11.5:g}"{kind}>{escape(bar.label)}</text>'
                       f'<rect x="{BAR_FROM}" y="{y:g}" width="{wide:.1f}" height="{BAR_HIGH}" class="b-{bar.name}"/>')
    end = wide
    if bar.most > bar.least:
        least, end = bar.least * scale, max(wide, min(bar.most * scale, BAR_MOST))
        middle = y + BAR_HIGH / 2
        line = f"M{BAR_FROM + least:.1f} {middle - 3:g}v6m0-3H{BAR_FROM + end:.1f}m0-3v6"
        sheet.parts.append(f'<path d="{line}" class="halo"/><path d="{line}" class="span"/>')
    note = f' <tspan class="mute">{escape(bar.note)}</tspan>' if bar.note else ""
    sheet.parts.append(f'<text x="{BAR_FROM + end + 7:.1f}" y="{y + 11.5:g}"{kind}>{escape(bar.shown)}{note}</text>')
    sheet.y += BAR_STEP


def draw_group(sheet, title, better, bars):
    sheet.y += 12
    sheet.paragraph(title, 17, "h2", 54)
    if better:
        sheet.text(better, 16, "mute")
    sheet.y += 8
    # One wild round must not make all the bars short: a span is cut at half as much again as the longest bar.
    most = max(min(max(b.most for b in bars), 1.5 * max(b.value for b in bars)), 1e-9)
    top = sheet.y
    for bar in bars:
        draw_bar(sheet, bar, BAR_MOST / most)
    sheet.parts.append(f'<path d="M{BAR_FROM - .5} {top - 3:g}V{sheet.y - 4:g}" class="axis"/>')


def times(ratio):
    return f"×{ratio:.2f}" if ratio else ""


def groups(results, peers):
    """(title, what is better, bars) of each group."""
    def bars(scenario, field, shown, pick=lambda spread: spread, ratio=True):
        for peer in results.peers(scenario, peers):
            spread = pick(results.spread(scenario, peer, field))
            note = times(results.ratio(scenario, peer, field)) if ratio and peer.name != "jk" else ""
            yield Bar(peer.name, results.labels[peer.name], spread, shown(spread[0]), note)
    for scenario in results.scenarios:
        if not scenario.slow:
            yield scenario.title, "", list(bars(scenario, "cpu", micro))
            continue
        yield (scenario.title, "answered per second; longer is better",
               list(bars(scenario, "rate", lambda v: f"{number(v)} /s", ratio=False)))
        yield ("Meanwhile, somebody else asks for a small file", "the longest wait; shorter is better",
               list(bars(scenario, "visitor", milli, lambda s: (s[2],) * 3, ratio=False)))


def svg(results, peers, facts):
    """The whole picture, as text."""
    sheet, used = Sheet(), [p.name for p in peers if any(key[1] == p.name for key in results.rounds)]
    sheet.text("What a request costs httpd", 14, "h1")
    sheet.y += 4
    for line in ("CPU time of all of httpd's processes per request; shorter is better.",
                 "Bar: median of the rounds. Line: the least and the most.") + \
            (("×: as many times this module's time, compared round by round.",) if "jk" in used and len(used) > 1 else ()):
        sheet.text(line, 16, "mute")
    for title, better, bars in groups(results, peers):
        draw_group(sheet, title, better, bars)
    sheet.y += 10
    for fact in (*facts, *results.notes, "Compare within this picture; another machine has other figures."):
        sheet.paragraph(fact, 15, "mute", 66)
    high = sheet.y + MARGIN
    told = "; ".join(f"{title}: " + ", ".join(f"{b.label} {b.shown}" for b in bars) for title, _, bars in groups(results, peers))
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {high:g}" width="{WIDTH}" height="{high:g}" role="img" '
            f'aria-labelledby="t d">\n<title id="t">What a request costs httpd</title>\n<desc id="d">{escape(told)}</desc>\n'
            f"<style>{style()}</style>\n<defs>{patterns(used)}</defs>\n"
            f'<rect x=".5" y=".5" width="{WIDTH - 1}" height="{high - 1:g}" rx="8" class="back"/>\n' + "\n".join(sheet.parts) + "\n</svg>\n")
