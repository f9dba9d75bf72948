"""What every table of a factor report has: where it comes from, and headings that differ."""

import pandas as pd

from tilt.errors import cut
from tilt.report.kinds.factors_seen import Factor, Factors
from tilt.report.tables import Lineage, header

WIDE = 1060  # pixels of a chart as wide as the page
DRAWN = 5  # lines that a chart tells apart


def lineage(factors: Factors, function: str, factor: Factor | None = None) -> Lineage:
    """Return the origin of a table."""
    names = [factor.name] if factor is not None else [f.name for f in factors.shown]
    return Lineage(
        f"tilt.{function}",
        {
            "universe": factors.panel.universe,
            "factors": "; ".join(names),
            "start": f"{factors.first:%Y-%m-%d}",
            "end": f"{factors.last:%Y-%m-%d}",
            "horizon": f"{factors.horizon}",
        },
    )


def distinct_columns(frame: pd.DataFrame) -> list[str]:
    """Return the factors' names as columns whose headings differ, whatever people call them."""
    found: list[str] = []
    for name in frame.columns:
        text, number = cut(str(name)), 2
        while header(text).casefold() in {header(f).casefold() for f in [*found, "date", "month"]}:
            text, number = f"{cut(str(name))} ({number})", number + 1
        found.append(text)
    return found
