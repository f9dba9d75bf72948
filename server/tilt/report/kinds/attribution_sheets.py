"""Sections of an attribution by group, by factor and by position."""

from dataclasses import replace

import numpy as np
import pandas as pd

from tilt.portfolio.attribution import COSTS, EFFECTS, RESIDUAL, TOTAL
from tilt.portfolio.factor_attribution import KINDS, SPECIFIC, UNMODELED
from tilt.portfolio.period_attribution import PeriodEffects
from tilt.portfolio.track import CASH_GROUP
from tilt.report.charts import Chart
from tilt.report.checks import Check
from tilt.report.kinds.attribution_origin import (
    CONVENTIONS,
    frequency_of,
    lineage,
    over_time,
    subtitle_of,
)
from tilt.report.kinds.explained import Performance
from tilt.report.layout import Sheet
from tilt.report.pack import Section, Subject
from tilt.report.picked import highest, lowest, place_of
from tilt.report.proofs import foots
from tilt.report.tables import Block, Formula

SHOWN = 12  # positions at either end


def groups_section(performance: Performance, subject: Subject) -> Section:
    """Return allocation, selection and interaction by group, linked, and by period."""
    table = performance.by_group
    rows = table[table["group"] != TOTAL].reset_index(drop=True)
    total = table[table["group"] == TOTAL].iloc[0]
    percents = ("weight", "benchmark_weight")
    changes = ("return", "benchmark_return", *EFFECTS, "total")
    block = Block(
        "attribution_by_group",
        f"Brinson-Fachler by {performance.by}, linked",
        rows,
        formats=dict.fromkeys(percents, "percent") | dict.fromkeys(changes, "change"),
        totals={c: float(total[c]) for c in (*percents, *EFFECTS)} | {"total": performance.active},
        bars=("total",),
        note="Weights are means over the days, returns are compounded.",
        lineage=lineage(performance, "attribution.brinson_table"),
    )
    held = len(rows) - int((rows["group"].isin([COSTS, RESIDUAL])).sum())
    chart = Chart(
        "bar",
        f"Effects by {performance.by}",
        block.key,
        "group",
        EFFECTS,
        f"Bars of allocation, selection and interaction of each {performance.by}",
        "change1",
        rows=(0, held - 1),
        width=1060,
        height=max(260, 34 * held),
    )
    over = over_time(performance, _by_group_lines(performance), "attribution_groups_in_time")
    checks = (
        beyond(block, performance.line(COSTS) + performance.line(RESIDUAL)),
        foots("Effects, costs and residual close to the active return", block, "total",
              performance.active),
        foots("Weights are the whole", block, "weight", 1.0),
        foots("Weights of the benchmark are the whole", block, "benchmark_weight", 1.0),
        foots("Groups in time link to the active return", over, "linked", performance.active),
    )  # fmt: skip
    return Section(
        "groups",
        f"Attribution by {performance.by}",
        (
            Sheet(
                f"By {performance.by}",
                f"Attribution by {performance.by}",
                subtitle_of(performance, subject),
                (block, chart),
                one_page=held <= 2 * SHOWN,
            ),
            Sheet(
                f"{performance.by.capitalize()} in time",
                f"What each {performance.by} contributed in each period",
                subtitle_of(performance, subject),
                (over,),
                one_page=held <= 2 * SHOWN,
            ),
        ),
        checks=checks,
        findings=_groups_findings(performance, rows.head(held)),
        conventions=CONVENTIONS,
    )


def beyond(block: Block, expected: float) -> Check:
    """Return the check that totals exceed the effects by costs and residual alone."""
    total = float(block.table["total"].sum())
    effects = float(block.table[list(EFFECTS)].sum().sum())
    text = f"SUM({block.ref('total')})" + "".join(f"-SUM({block.ref(e)})" for e in EFFECTS)
    claim = "Beyond the effects there are costs and residual only"
    return Check(claim, Formula(text, total - effects), "=", expected)


def _groups_findings(performance: Performance, rows: pd.DataFrame) -> tuple[str, ...]:
    sums = rows[list(EFFECTS)].sum()
    told = ", ".join(f"{effect} {sums[effect]:+.2%}" for effect in EFFECTS)
    costs = performance.line(COSTS)
    more = f", trading and costs {costs:+.2%}" if costs else ""
    best, worst = highest(rows, "total"), lowest(rows, "total")
    return (
        f"By {performance.by}: {told}{more}.",
        (
            f"{best['group']} helped most ({best['total']:+.2%}), {worst['group']} least "
            f"({worst['total']:+.2%})."
        ),
    )


def _by_group_lines(performance: Performance) -> PeriodEffects:
    """Return the total effect of each group by period, with costs."""
    periods = performance.effects_by(frequency_of(performance))
    effects = periods.effects
    names = list(performance.effects.weights.columns)
    lines = pd.DataFrame(
        {name: sum((effects[e, name] for e in EFFECTS), 0.0 * periods.active) for name in names}
    )
    if COSTS in effects:
        lines[COSTS] = effects[COSTS, ""]
    return replace(periods, effects=lines)


def factors_section(performance: Performance, subject: Subject) -> Section:
    """Return what each factor contributed, with specific return, trading and costs.

    Raises
    ------
    ArgumentError, UnknownNameError
        If there is no factor model, or no day has exposures.
    """
    table = performance.by_factor
    rows = table[table["name"] != TOTAL].reset_index(drop=True)
    block = Block(
        "attribution_by_factor",
        "By factor, linked",
        rows,
        formats={"exposure": "signed", "factor_return": "change", "contribution": "change"},
        totals={"contribution": performance.active},
        bars=("contribution",),
        note="Mean active exposure, the factor's compounded return, and what they made together.",
        lineage=lineage(performance, "factor_attribution.factor_table"),
    )
    chart = Chart(
        "bar",
        "Contribution to the active return",
        block.key,
        "name",
        ("contribution",),
        "Bars of what each factor and the rest contributed to the active return",
        "change1",
        beside=True,
        width=560,
        height=max(320, 22 * len(rows)),
    )
    over = over_time(performance, _factor_lines(performance), "attribution_factors_in_time")
    return Section(
        "factors",
        "Attribution by factor",
        (
            Sheet(
                "By factor",
                "Attribution by factor",
                subtitle_of(performance, subject),
                (block, chart),
                one_page=True,
            ),
            Sheet(
                "Factors in time",
                "What factors contributed in each period",
                subtitle_of(performance, subject),
                (over,),
                one_page=True,
            ),
        ),
        checks=(
            foots("Factors, specific, costs and residual close to the active return", block,
                  "contribution", performance.active),
            foots("Factors in time link to the active return", over, "linked",
                  performance.active),
        ),
        findings=_factors_findings(rows),
        conventions=("factor_attribution", "factor_returns", "linking"),
        remarks=tuple(("Attribution by factor", note) for note in performance.factors.notes),
    )  # fmt: skip


def _factors_findings(rows: pd.DataFrame) -> tuple[str, ...]:
    by = rows.set_index("name")["contribution"]
    others = by.drop([n for n in (*KINDS, RESIDUAL) if n in by.index])
    top, low = place_of(others), place_of(-others)
    unmodeled = f", names without exposures {by[UNMODELED]:+.2%}" if UNMODELED in by.index else ""
    return (
        (
            f"Factors together contributed {others.sum():+.2%} and single names "
            f"{by[SPECIFIC]:+.2%}{unmodeled}; "
            f"{others.index[top]} helped most ({others.iloc[top]:+.2%}), {others.index[low]} "
            f"least ({others.iloc[low]:+.2%})."
        ),
    )


def _factor_lines(performance: Performance) -> PeriodEffects:
    """Return factors and the rest by period; what is nought throughout is left out."""
    periods = performance.factors_by(frequency_of(performance))
    effects = periods.effects
    kept = [c for c in effects if c == SPECIFIC or bool((effects[c] != 0.0).any())]
    return replace(periods, effects=effects[kept])


def positions_section(performance: Performance, subject: Subject) -> Section:
    """Return what the positions contributed: the best, the worst, and all others together."""
    table = performance.by_position
    lines = table["name"].isin([CASH_GROUP, COSTS, RESIDUAL, TOTAL])
    rows = extremes(table[~lines], SHOWN)
    shown = pd.concat([rows, table[lines & (table["name"] != TOTAL)]], ignore_index=True)
    rp, rb = performance.earned
    expected = {
        "contribution": rp,
        "benchmark_contribution": rb,
        "active_contribution": performance.active,
    }
    block = Block(
        "attribution_by_position",
        f"The {SHOWN} best and the {SHOWN} worst against the benchmark",
        shown,
        formats={"weight": "percent", "benchmark_weight": "percent", "return": "change1"}
        | dict.fromkeys(expected, "change"),
        totals={"weight": 1.0, "benchmark_weight": 1.0, **expected},
        bars=("active_contribution",),
        note="Mean weights; each side's contributions are linked to its own return.",
        lineage=lineage(performance, "daily_attribution.positions_table"),
    )
    named = table[~lines]
    best, worst = (pick(named, "active_contribution") for pick in (highest, lowest))
    said = (
        f"Against the benchmark {best['name']} contributed most "
        f"({best['active_contribution']:+.2%}), {worst['name']} least "
        f"({worst['active_contribution']:+.2%})."
    )
    return Section(
        "positions",
        "Attribution by position",
        (
            Sheet(
                "By position",
                "What positions contributed",
                subtitle_of(performance, subject),
                (block,),
                freeze_header=True,
                one_page=True,
            ),
        ),
        checks=tuple(
            foots(f"{words} of the positions close", block, column, expected[column])
            for column, words in (
                ("contribution", "Contributions"),
                ("benchmark_contribution", "Benchmark contributions"),
                ("active_contribution", "Active contributions"),
            )
        ),
        findings=(said,),
        conventions=("returns", "linking"),
    )


def extremes(table: pd.DataFrame, count: int) -> pd.DataFrame:
    """Return the first and the last ``count`` rows by active contribution, the rest as one row."""
    order = table["active_contribution"].sort_values(ascending=False, kind="stable").index
    if len(order) <= 2 * count:
        return table.loc[order].reset_index(drop=True)
    rest = table.loc[order[count:-count]]
    other: dict[str, object] = {str(c): rest[c].sum() for c in rest.select_dtypes("number")}
    other |= {"name": f"{len(rest)} others", "group": "", "return": np.nan}
    middle = pd.DataFrame([other], columns=table.columns)
    return pd.concat([table.loc[order[:count]], middle, table.loc[order[-count:]]],
                     ignore_index=True)  # fmt: skip
