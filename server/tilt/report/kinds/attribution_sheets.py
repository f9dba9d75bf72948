"""Sections of an attribution: by month, by group, by factor and by position."""

from dataclasses import replace

import numpy as np
import pandas as pd

from tilt.portfolio.attribution import COSTS, EFFECTS, RESIDUAL, TOTAL
from tilt.portfolio.factor_attribution import KINDS, SPECIFIC, UNMODELED
from tilt.portfolio.period_attribution import PeriodEffects
from tilt.portfolio.track import CASH_GROUP
from tilt.report.charts import Chart
from tilt.report.checks import Check
from tilt.report.kinds.explained import Performance
from tilt.report.layout import Sheet, Tile
from tilt.report.pack import Section, Subject
from tilt.report.picked import highest, lowest, place_of
from tilt.report.proofs import compounds, foots, rows_close, weighted
from tilt.report.tables import Block, Formula, Lineage, number_at

MOST_MONTHS = 13  # side by side on a page; of more, years are shown
SHOWN = 12  # positions at either end
NOTHING = 5e-5  # rounds to 0.00 %
CONVENTIONS = ("returns", "attribution", "linking")


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
    )


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
                _subtitle(performance, subject),
                (block, chart, grown),
                one_page=len(block.table) <= 2 * MOST_MONTHS,
            ),
        ),
        checks=_months_checks(performance, block),
        findings=_months_findings(performance, months),
        tiles=(
            Tile("Return", rp, "change", _span(performance)),
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
    table.insert(0, "month", _labels(months, "M"))
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
    over = _over_time(performance, _by_group_lines(performance), "attribution_groups_in_time")
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
                _subtitle(performance, subject),
                (block, chart),
                one_page=held <= 2 * SHOWN,
            ),
            Sheet(
                f"{performance.by.capitalize()} in time",
                f"What each {performance.by} contributed in each period",
                _subtitle(performance, subject),
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
    periods = performance.effects_by(_frequency(performance))
    effects = periods.effects
    names = list(performance.effects.weights.columns)
    lines = pd.DataFrame(
        {name: sum((effects[e, name] for e in EFFECTS), 0.0 * periods.active) for name in names}
    )
    if COSTS in effects:
        lines[COSTS] = effects[COSTS, ""]
    return replace(periods, effects=lines)


def _frequency(performance: Performance) -> str:
    months = performance.dates.to_period("M").nunique()
    return "M" if months <= MOST_MONTHS else "Y"


def _over_time(performance: Performance, periods: PeriodEffects, key: str) -> Block:
    """Return a row per line and a column per period, with the linked sum at the end."""
    frequency = _frequency(performance)
    table = periods.effects.T.set_axis(_labels(periods, frequency), axis=1)
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
            **dict(zip(_labels(periods, frequency), periods.active.to_numpy(), strict=True)),
            "linked": periods.total,
        },
        note=f"Each {told} sums to its active return; linked over all of them in the last column.",
        lineage=lineage(performance, "period_attribution.by_period"),
    )


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
    over = _over_time(performance, _factor_lines(performance), "attribution_factors_in_time")
    return Section(
        "factors",
        "Attribution by factor",
        (
            Sheet(
                "By factor",
                "Attribution by factor",
                _subtitle(performance, subject),
                (block, chart),
                one_page=True,
            ),
            Sheet(
                "Factors in time",
                "What factors contributed in each period",
                _subtitle(performance, subject),
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
    periods = performance.factors_by(_frequency(performance))
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
                _subtitle(performance, subject),
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


def _labels(periods: PeriodEffects, frequency: str) -> list[str]:
    pattern = "%Y-%m" if frequency == "M" else "%Y"
    return [end.strftime(pattern) for end in pd.DatetimeIndex(periods.effects.index)]


def _span(performance: Performance) -> str:
    return f"{performance.dates[0]:%Y-%m-%d} to {performance.dates[-1]:%Y-%m-%d}"


def _subtitle(performance: Performance, subject: Subject) -> str:
    return f"{subject.name} against {subject.benchmark} · {_span(performance)}"
