"""The table of a bench as Markdown: what is printed and what the help shows are the same."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

SAID = {
    "stretch": "beyond",
    "reached": "reached",
    "time only": "in time, not by the ratio",
    "not": "**not reached**",
    "": "",
}
GROWTH = "N"  # has no rows of this table but a picture
TITLES = {
    "A": "Optimal weights",
    "B": "Equal risk contributions and worst days",
    "C": "Factor returns through time",
    "D": "What a factor was worth",
    "E": "Backtests",
    "F": "Risk of many portfolios",
    "G": "Reading data",
    "H": "Reports",
    "I": "Cells",
    "L": "Many users at once",
    "W": "The whole product",
}


@dataclass
class Found:
    """What a run of the bench measured; rows and points as they are written to JSON."""

    date: str
    machine: str
    versions: dict[str, str]
    rows: list[dict[str, Any]] = field(default_factory=list)
    growth: list[dict[str, Any]] = field(default_factory=list)
    peak: dict[str, Any] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0


def rendered(found: Found) -> str:
    """Return date, machine, versions and a table for each letter."""
    versions = ", ".join(f"{name} {number}" for name, number in found.versions.items())
    lines = [f"Measured on {found.date}: {found.machine}. {versions}.", ""]
    for letter, title in TITLES.items():
        rows = [row for row in found.rows if row["letter"] == letter]
        if rows:
            lines += [f"### {title}", "", *_table(rows), ""]
            if letter in found.peak and found.peak[letter] is not None:
                peak = float(found.peak[letter])
                lines += [f"The process that measured this held {peak:,.0f} MB at most.", ""]
        if letter in found.failed:
            lines += [f"### {title}", "", _not_measured(found.failed[letter]), ""]
    if GROWTH in found.failed:
        lines += [f"How times grow: {_not_measured(found.failed[GROWTH])}", ""]
    return "\n".join(lines)


def _not_measured(why: str) -> str:
    return f"Not measured: {why}."


def _table(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    return [
        "| work | Tilt | on top | beside | ratio | target |",
        "|---|---:|---:|---|---:|---|",
        *(_line(row) for row in rows),
    ]


def _line(row: Mapping[str, Any]) -> str:
    peers = [_peer(peer, row["seconds"]) for peer in row["peers"]]
    extra = "" if row["megabytes"] is None else f"{row['megabytes']:,.0f} MB"
    work = f"{row['work']}; {row['note']}" if row["note"] else row["work"]
    cells = [
        work,
        shown(row["seconds"]),
        extra,
        "; ".join(told for told, _ in peers),
        "; ".join(ratio for _, ratio in peers),
        _target(row),
    ]
    return "| " + " | ".join(cell.replace("|", "/") for cell in cells) + " |"


def _peer(peer: Mapping[str, Any], ours: float) -> tuple[str, str]:
    above = peer.get("above")  # a table measured before it was compared has none
    notes = [peer["note"], "" if above is None else f"objective {_apart(above)}"]
    note = f" ({', '.join(filter(None, notes))})" if any(notes) else ""
    if peer["seconds"] is None:
        return f"{peer['name']}: not timed, {peer['why']}", "–"
    ratio = peer["seconds"] / ours
    told = f"{ratio:,.0f}" if ratio >= 10 else f"{ratio:.1f}"
    return f"{peer['name']} {shown(peer['seconds'])}{note}", told


def _apart(above: float) -> str:
    """Return how far an objective lies above ours: the digits that matter, or that none does."""
    return "the same to 1e-8" if abs(above) < 1e-8 else f"{above:+.0e}"


def _target(row: Mapping[str, Any]) -> str:
    aim = row["target"]
    if aim is None:
        return ""
    beyond = "" if aim["stretch"] is None else f", {shown(aim['stretch'])}"
    return f"{shown(aim['seconds'])}{beyond}: {SAID[row['verdict']]}"


def shown(seconds: float) -> str:
    """Return a time as one reads it."""
    if seconds >= 100:
        return f"{seconds:,.0f} s"
    if seconds >= 1:
        return f"{seconds:.1f} s"
    if seconds >= 0.1:
        return f"{1e3 * seconds:.0f} ms"
    return f"{1e3 * seconds:.2g} ms" if seconds < 0.01 else f"{1e3 * seconds:.1f} ms"
