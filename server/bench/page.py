"""Put what a bench measured into the help: ``make bench-page``.

The page's table, its picture and the file that both come from are written together, so that no
number of the page is written by hand.
"""

import argparse
import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.peers import ROOT
from bench.plot import drawn, slope
from bench.table import Found, rendered

HELP = ROOT / "addin" / "help"
PAGE, FILE, PICTURE = HELP / "speed.md", HELP / "speed.json", HELP / "pictures" / "growth.svg"
TABLE, AFTER = "## The table\n", "## What is fast, and why\n"
GROWTH, LAST = "## How it grows\n", "## Measuring it yourself\n"

SLOPE = (
    "A slope of 1 means: twice the size takes twice the time. Small sizes are mostly overhead, so "
    "the slope is that of the three largest."
)


def page_of(text: str, found: Found) -> str:
    """Return the page with its two measured parts as a run of the bench says."""
    text = _between(text, TABLE, AFTER, rendered(found))
    return _between(text, GROWTH, LAST, grown(found.growth))


def grown(points: Sequence[Mapping[str, Any]]) -> str:
    """Return the slopes as a table, and the picture."""
    if not points:
        return "Not measured in this run.\n"
    lines = [
        SLOPE,
        "",
        "![Times by size, in logarithms, with the slope of each](pictures/growth.svg)",
        "",
        "| work | grows with | from | to | slope | its algorithm promises at most |",
        "|---|---|---:|---:|---:|---:|",
    ]
    for work, axis in dict.fromkeys((p["work"], p["axis"]) for p in points):
        here = [p for p in points if (p["work"], p["axis"]) == (work, axis)]
        ends = f"{here[0]['size']:,} | {here[-1]['size']:,}"
        lines.append(
            f"| {work} | {axis} | {ends} | {slope(here):.1f} | {here[0]['promised']:.1f} |"
        )
    return "\n".join(lines) + "\n"


def _between(text: str, start: str, end: str, new: str) -> str:
    head, mark, rest = text.partition(start)
    _, after, tail = rest.partition(end)
    if not mark or not after:
        raise ValueError(f"speed.md has no headings '{start.strip()}' and '{end.strip()}'.")
    return f"{head}{mark}\n{new.strip()}\n\n{after}{tail}"


def read(file: Path) -> Found:
    """Return what a run of the bench wrote."""
    return Found(**json.loads(file.read_text(encoding="utf-8")))


def main() -> None:
    """Write the file, the page and the picture of the help."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path, nargs="?", default=ROOT / "build/bench/speed.json")
    given = parser.parse_args()
    found = read(given.file)
    if given.file != FILE:
        shutil.copyfile(given.file, FILE)
    if found.growth:  # else the page does not show it
        PICTURE.write_text(drawn(found.growth), encoding="utf-8")
    PAGE.write_text(page_of(PAGE.read_text(encoding="utf-8"), found), encoding="utf-8")


if __name__ == "__main__":
    main()
