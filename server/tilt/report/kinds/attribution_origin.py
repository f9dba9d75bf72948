"""What the sections of an attribution share: origin, window, and lines through time."""

import pandas as pd

from tilt.portfolio.attribution import RESIDUAL
from tilt.portfolio.period_attribution import PeriodEffects
from tilt.report.kinds.explained import Performance
from tilt.report.pack import Subject
from tilt.report.tables import Block, Lineage

MOST_MONTHS = 13  # side by side on a page; of more, years are shown
CONVENTIONS = ("returns", "attribution", "linking")
METHODS = {  # of the cell ATTRIBUTION that gives the same table
    "attribution.brinson_table": "brinson",
    "factor_attribution.factor_table": "factor",
    "daily_attribution.positions_table": "position",
}


def lineage(performance: Performance, function: str) -> Lineage:
    """Return the origin of a table of the attribution."""
    days = performance.dates
    return Lineage(
        f"tilt.portfolio.{function}",
        {
            "portfolio": performance.name,
            "benchmark": performance.benchmark.words,
            "first_day": f"{days[0]:%Y-%m-%d}",
            "last_day": f"{days[-1]:%Y-%m-%d}",
            "by": performance.by,
            "link": performance.link,
        },
        performance.run_of(METHODS[function]) if function in METHODS else "",
    )


def frequency_of(performance: Performance) -> str:
    """Return M where all months fit side by side, Y where they do not."""
    months = performance.dates.to_period("M").nunique()
    return "M" if months <= MOST_MONTHS else "Y"


def over_time(performance: Performance, periods: PeriodEffects, key: str) -> Block:
    """Return a row per line and a column per period, with the linked sum at the end."""
    frequency = frequency_of(performance)
    table = periods.effects.T.set_axis(labels_of(periods, frequency), axis=1)
    table.loc[RESIDUAL] = periods.residual.to_numpy()
    table["linked"] = table.to_numpy(dtype=float) @ periods.rates.to_numpy()
    # the years' numbers are linked apart from one another: what is left of all goes to residual
    table.loc[RESIDUAL, "linked"] = periods.total - float(periods.linked.sum())
    table.insert(0, "line", [str(name) for name in table.index])
    numbers = [c for c in table.columns if c != "line"]
    told = "month" if frequency == "M" else "year"
    return Block(
        key,
        f"Contribution to the active return by {told}",
        table.reset_index(drop=True),
        formats=dict.fromkeys(numbers, "change"),
        totals={
            **dict(zip(labels_of(periods, frequency), periods.active.to_numpy(), strict=True)),
            "linked": periods.total,
        },
        note=f"Each {told} sums to its active return; linked over all of them in the last column.",
        lineage=lineage(performance, "period_attribution.by_period"),
    )


def labels_of(periods: PeriodEffects, frequency: str) -> list[str]:
    """Return the periods as headings: 2017-06 or 2017."""
    pattern = "%Y-%m" if frequency == "M" else "%Y"
    return [end.strftime(pattern) for end in pd.DatetimeIndex(periods.effects.index)]


def span_of(performance: Performance) -> str:
    """Return the first and the last day in words."""
    return f"{performance.dates[0]:%Y-%m-%d} to {performance.dates[-1]:%Y-%m-%d}"


def subtitle_of(performance: Performance, subject: Subject) -> str:
    """Return the line under the title of each sheet."""
    return f"{subject.name} against {subject.benchmark} · {span_of(performance)}"
