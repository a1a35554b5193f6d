"""From rounds to a table. A figure is the median of its rounds, with the least and the most. Peers are compared round by round - a
round's peers ran one after the other, so what else the machine did then falls on all of them - and the median of these ratios counts."""
import datetime
import os
import platform
import statistics

CAVEAT = ("CPU: user and system time of all the server's processes per request. x: that of a peer divided by this module's, compared "
          "round by round. Each peer ran in turn in each round, on the same machine as the load and the "
          "backend. Compare within one run; another machine has other figures.")


class Results:
    """rounds[scenario, peer]: its Figures, in the order of the rounds, so that figures of the same index belong together."""

    def __init__(self):
        self.rounds, self.scenarios, self.labels = {}, [], {}
        self.notes, self.remarks = [], []  # remarks: for the text alone

    def add(self, scenario, peer, figure):
        if scenario not in self.scenarios:
            self.scenarios.append(scenario)
        self.rounds.setdefault((scenario.name, peer.name), []).append(figure)

    def peers(self, scenario, peers):
        return [peer for peer in peers if (scenario.name, peer.name) in self.rounds]

    def spread(self, scenario, peer, field):
        """(median, least, most)"""
        values = [getattr(f, field) for f in self.rounds[scenario.name, peer.name]]
        return statistics.median(values), min(values), max(values)

    def ratio(self, scenario, peer, field):
        """The median of the rounds' ratios to this module; None without it."""
        ours = self.rounds.get((scenario.name, "jk"))
        if not ours:
            return None
        pairs = zip(self.rounds[scenario.name, peer.name], ours)
        return statistics.median(getattr(a, field) / max(getattr(b, field), 1e-9) for a, b in pairs)

    def count_errors(self, peers):
        """A note of each that failed; a remark of each that was turned away, as httpd does with kept connections when it is short of threads."""
        for scenario in self.scenarios:
            for peer in self.peers(scenario, peers):
                figures = self.rounds[scenario.name, peer.name]
                every = sum(f.requests for f in figures)
                who = f"{self.labels[peer.name]}, {scenario.name}"
                if bad := sum(f.errors for f in figures):
                    self.notes.append(f"{who}: of {every} requests, {bad} failed")
                if bad := sum(f.broken for f in figures):
                    self.remarks.append(f"{who}: beside {every} answers, {bad} kept connections were closed")


def number(value):
    """Three digits, as a person would write them."""
    if value >= 10000:
        return f"{value:,.0f}".replace(",", " ")
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def row_of(results, scenario, peer):
    cells = [number(results.spread(scenario, peer, field)[0]) for field in ("rate", "p99")]
    if scenario.slow:  # so few requests that the clock's ticks do not resolve their CPU time
        return [results.labels[peer.name], "-", "-", "-", *cells, number(results.spread(scenario, peer, "visitor")[2])]
    cpu, least, most = results.spread(scenario, peer, "cpu")
    ratio = results.ratio(scenario, peer, "cpu")
    return [results.labels[peer.name], number(cpu), f"{number(least)}-{number(most)}", f"{ratio:.2f}" if ratio else "-", *cells, ""]


HEAD = ["", "CPU us/request", "least-most", "x", "requests/s", "p99 ms", "other visitor's worst ms"]


def table(results, peers):
    """The lines of a table for people."""
    blocks = [(s, [row_of(results, s, p) for p in results.peers(s, peers)]) for s in results.scenarios]
    slow = any(s.slow for s, _ in blocks)
    head = HEAD if slow else HEAD[:-1]
    every = [head] + [row for _, rows in blocks for row in rows]
    widths = [max(len(row[i]) for row in every) for i in range(len(head))]

    def line(cells):
        first = cells[0].ljust(widths[0] + 2)
        return ("  " + first + "  ".join(c.rjust(w) for c, w in zip(cells[1:], widths[1:]))).rstrip()
    lines = [line(head)]
    for scenario, rows in blocks:
        lines += ["", f"{scenario.name}: {scenario.title}"] + [line(row) for row in rows]
    return lines


def wrapped(text, width):
    lines, line = [], ""
    for word in text.split():
        if line and len(line) + 1 + len(word) > width:
            lines.append(line)
            line = word
        else:
            line = f"{line} {word}".strip()
    return lines + [line]


def page(results, peers, facts):
    """The whole text: the machine, the table, the notes."""
    lines = [*facts, "", *table(results, peers), ""]
    lines += [f"Note: {note}" for note in results.notes + results.remarks]
    return "\n".join(lines + wrapped(CAVEAT, 110)) + "\n"


# ---- the machine ----

def cpu_model():
    try:
        with open("/proc/cpuinfo") as f:
            return next((line.split(":", 1)[1].strip() for line in f if line.startswith("model name")), platform.machine())
    except OSError:
        return platform.machine()


def facts(httpd_version, tool, lasting):
    """Sentences about the machine and the run; no name of the machine, no path of it. lasting: how many rounds of how many seconds."""
    cores = len(os.sched_getaffinity(0))
    return [f"{datetime.date.today().isoformat()}, {cores} core{'s' if cores != 1 else ''} ({cpu_model()}), {platform.system()} "
            f"{platform.release()}", f"httpd {httpd_version}, mpm_event; load by {tool}, load average before {os.getloadavg()[0]:.1f}",
            f"{lasting}, peers in turn"]
