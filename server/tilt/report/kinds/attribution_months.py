"""The section of an attribution by month."""

import pandas as pd

from tilt.portfolio.attribution import COSTS, EFFECTS, RESIDUAL, TOTAL
from tilt.portfolio.period_attribution import PeriodEffects
from tilt.report.charts import Chart
from tilt.report.checks import Check
from tilt.report.kinds.attribution_origin import (
    CONVENTIONS,
    MOST_MONTHS,
    labels_of,
    lineage,
    span_of,
    subtitle_of,
)
from tilt.report.kinds.explained import Performance
from tilt.report.layout import Sheet, Tile
from tilt.report.pack import Section, Subject
from tilt.report.picked import place_of
from tilt.report.proofs import compounds, foots, rows_close, weighted
from tilt.report.tables import Block, number_at

NOTHING = 5e-5  # rounds to 0.00 %


def months_section(performance: Performance, subject: Subject) -> Section:
    """Return each month's active return with its effects, and what it counts for in the whole."""
    months = performance.effects_by("M")
    block = months_block(performance, months)
    chart = Chart(
        "column",
        "Active return by month",
        block.key,
        "month",
        ("active",),
        "Columns of the return above the benchmark's in each month",
        "change1",
        width=1060,
        height=260,
    )
    grown = Chart(
        "line",
        "Linked active return so far",
        block.key,
        "month",
        ("cumulative",),
        "Line of the linked active return from the beginning to the end of each month",
        "change1",
        width=1060,
        height=220,
    )
    rp, rb = performance.earned
    return Section(
        "months",
        "Attribution by month",
        (
            Sheet(
                "By month",
                "Active return by month",
                subtitle_of(performance, subject),
                (block, chart, grown),
                one_page=len(block.table) <= 2 * MOST_MONTHS,
            ),
        ),
        checks=_months_checks(performance, block),
        findings=_months_findings(performance, months),
        tiles=(
            Tile("Return", rp, "change", span_of(performance)),
            Tile("Benchmark", rb, "change", subject.benchmark),
            Tile("Active return", performance.active, "change", "portfolio less benchmark"),
        ),
        conventions=CONVENTIONS,
    )


def months_block(performance: Performance, months: PeriodEffects) -> Block:
    """Return a row per month: returns, effects, residual, and its linked active return."""
    sums = {e: pd.DataFrame(months.effects[e]).sum(axis=1) for e in EFFECTS}
    table = pd.DataFrame(
        {
            "portfolio": months.portfolio,
            "benchmark": months.benchmark,
            "active": months.active,
            **sums,
            "costs": months.effects[COSTS, ""] if COSTS in months.effects else 0.0,
            "residual": months.residual,
            "linking": months.rates,
            "linked": months.rates * months.active,
        }
    )
    table["cumulative"] = table["linked"].cumsum()
    table.insert(0, "month", labels_of(months, "M"))
    changes = [c for c in table.columns if c not in ("month", "linking")]
    return Block(
        "attribution_by_month",
        "By month",
        table.reset_index(drop=True),
        formats=dict.fromkeys(changes, "change") | {"linking": "fine"},
        totals={"linked": float(table["linked"].sum())},
        note="Linked = active × linking; it sums to the compounded active return.",
        lineage=lineage(performance, "period_attribution.by_period"),
    )


def _months_checks(performance: Performance, block: Block) -> tuple[Check, ...]:
    rp, rb = performance.earned
    table = performance.by_group
    parts = (*EFFECTS, "costs", "residual")
    return (
        rows_close("Effects of each month close to its active return", block, "active", parts),
        compounds("Months compound to the portfolio's return", block, "portfolio", rp),
        compounds("Months compound to the benchmark's return", block, "benchmark", rb),
        foots("Linked months sum to the active return", block, "linked", performance.active),
        *(
            weighted(
                f"Months link to the {effect} of the groups",
                block,
                (effect, "linking"),
                number_at(table, TOTAL, effect),
            )
            for effect in EFFECTS
        ),
    )


def _months_findings(performance: Performance, months: PeriodEffects) -> tuple[str, ...]:
    rp, rb = performance.earned
    verb = "ahead of" if performance.active >= 0 else "behind"
    said = [
        (
            f"From {performance.dates[0]:%Y-%m-%d} to {performance.dates[-1]:%Y-%m-%d} the "
            f"portfolio returned {rp:+.2%}, {abs(performance.active):.2%} {verb} the benchmark's "
            f"{rb:+.2%}."
        )
    ]
    active = months.active
    if len(active) > 1:
        ends = pd.DatetimeIndex(active.index)
        top, low = place_of(active), place_of(-active)
        said.append(
            f"It was ahead in {int((active > 0).sum())} of {len(active)} months; the best was "
            f"{ends[top]:%Y-%m} ({active.iloc[top]:+.2%}), the worst {ends[low]:%Y-%m} "
            f"({active.iloc[low]:+.2%})."
        )
    left = performance.line(RESIDUAL)
    if abs(left) >= NOTHING:
        said.append(f"{left:+.2%} of the active return is not explained by the effects.")
    return tuple(said)
