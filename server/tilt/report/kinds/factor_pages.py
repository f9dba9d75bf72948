"""Sections with a page for each factor: portfolios by score, shape, and what holding it costs."""

from collections.abc import Callable
from dataclasses import dataclass
from string import ascii_lowercase

import numpy as np
import pandas as pd

from tilt.errors import DataError, NoSolutionError, TiltError, UnknownNameError, cut
from tilt.factors.judged import quantile_table
from tilt.report.charts import Chart
from tilt.report.checks import Check
from tilt.report.kinds.factor_origin import DRAWN, WIDE, lineage
from tilt.report.kinds.factors_seen import Factor, Factors
from tilt.report.layout import Part, Sheet, Words
from tilt.report.pack import Section, Subject
from tilt.report.picked import textual
from tilt.report.tables import BY_ROW, Block, Formula, header, in_words, number_at


def quantiles_section(factors: Factors, subject: Subject) -> Section:
    """Return what portfolios by score earned, for each factor that is named."""
    return _each(factors, subject, "quantiles", "Portfolios by score", _quantiles)


@dataclass(frozen=True, eq=False)
class Made:
    """What one factor's page shows, claims and says, and the rows that its charts draw."""

    parts: tuple[Part, ...]
    checks: tuple[Check, ...]
    said: str
    data: tuple[Block, ...] = ()


def _each(
    factors: Factors,
    subject: Subject,
    key: str,
    title: str,
    make: Callable[[Factors, Factor, str], Made],
    conventions: tuple[str, ...] = ("ic", "factor_inference"),
    *,
    portrait: bool = False,
) -> Section:
    """Return a sheet for each named factor; one that cannot be made says why."""
    sheets: list[Sheet] = []
    data: list[Sheet] = []
    made: list[Made] = []
    for factor, letter in zip(factors.named, ascii_lowercase, strict=False):
        try:
            page = make(factors, factor, letter)
        except (DataError, NoSolutionError, UnknownNameError) as error:
            page = Made(_absent(error), (), f"{title} of {cut(factor.name)}: {error}")
        made.append(page)
        several = f" {letter.upper()}" if len(factors.named) > 1 else ""
        heading = f"{title} of {cut(factor.name)}"
        sheets.append(
            Sheet(
                f"{title}{several}",
                heading,
                subject.subtitle,
                page.parts,
                one_page=True,
                portrait=portrait,
            )
        )
        if page.data:
            data.append(Sheet(f"{title} data{several}", heading, subject.subtitle, page.data))
    return Section(
        key,
        title,
        tuple(sheets),
        checks=tuple(check for page in made for check in page.checks),
        findings=tuple(page.said for page in made),
        conventions=conventions if made else (),
        data=tuple(data),
    )  # fmt: skip


def _absent(error: TiltError) -> tuple[Part, ...]:
    return (Words((f"There are no figures here: {error}",), "Not available"),)


def _quantiles(factors: Factors, factor: Factor, letter: str) -> Made:
    found = factors.judged[factor.name].buckets(factors.quantiles)
    table = quantile_table(found, factors.horizon)
    table = table.assign(quantile=[str(q) for q in table["quantile"]])
    block = Block(
        f"factor_quantiles_{letter}",
        f"{factors.quantiles} portfolios, the lowest scores first",
        table,
        formats={"mean_return": "change", "volatility": "percent", "sharpe": "number",
                 "turnover": "percent1", "count": "tenths", "t_hac": "signed",
                 "monotonicity": "signed", "p_value": "fine"},
        bars=("mean_return",),
        note=f"Made anew every {factors.horizon} sessions, equally weighted, a year, before costs.",
        lineage=lineage(factors, "factors.judged.quantile_table", factor),
    )  # fmt: skip
    last = len(table) - 1
    means = Chart(
        "column",
        "Mean return by portfolio",
        block.key,
        "quantile",
        ("mean_return",),
        "Columns of the mean return of each portfolio by score",
        "percent1",
        rows=(0, last - 1),
        width=WIDE,
        height=240,
    )
    wealth = (1 + found.returns.fillna(0.0)).cumprod()
    grown = wealth.set_axis([f"Q{c}" for c in wealth], axis=1)
    grown = grown.assign(spread=(1 + pd.Series(found.spread, wealth.index).fillna(0.0)).cumprod())
    grown = grown.rename_axis("date").reset_index()
    lines = textual(grown, "date", "spread")
    picked = [lines[i] for i in np.unique(np.linspace(0, len(lines) - 1, DRAWN - 1).astype(int))]
    growth = Block(
        f"factor_quantile_growth_{letter}",
        "Growth of 1 by portfolio",
        grown,
        formats={"date": "date"} | dict.fromkeys(textual(grown, "date"), "fine"),
        note="By the date of the scores; what the next window earned is in the next row's place.",
        lineage=lineage(factors, "factors.evaluate.quantile_returns", factor),
    )
    chart = Chart(
        "line",
        "Growth of 1 by portfolio",
        growth.key,
        "date",
        (*picked, "spread"),
        "Lines of the wealth of portfolios by score, and of the highest less the lowest",
        "number",
        width=WIDE,
        height=280,
    )
    top, bottom = table["mean_return"].iloc[last - 1], table["mean_return"].iloc[0]
    spread = float(table["mean_return"].iloc[last])
    ref = block.ref("mean_return")
    text = f"INDEX({ref},ROWS({ref}))-(INDEX({ref},ROWS({ref})-1)-INDEX({ref},1))"
    check = Check(
        f"Spread of {cut(factor.name)} is the highest less the lowest",
        Formula(text, spread - (float(top) - float(bottom))),
        "=",
        0.0,
    )
    order = table.iloc[last]
    said = (
        f"{cut(factor.name)}: the highest fifth earned {spread:+.2%} a year more than the lowest "
        if factors.quantiles == 5
        else f"{cut(factor.name)}: the highest portfolio earned {spread:+.2%} a year more than the "
        "lowest "
    )
    said += (
        f"(t-value {order['t_hac']:.1f}); the order of the means has a rank correlation of "
        f"{order['monotonicity']:+.2f} (p-value {order['p_value']:.2f})."
    )
    return Made((block, means, chart), (check,), said, (growth,))


def shape_section(factors: Factors, subject: Subject) -> Section:
    """Return the measurements of each named factor, and how unusual they are for it."""
    return _each(factors, subject, "shape", "Shape", _shape, ("shape",), portrait=True)


def _shape(factors: Factors, factor: Factor, letter: str) -> Made:
    table = factors.shape(factor)
    block = Block(
        f"factor_shape_{letter}",
        "Measurements, against its own past and the other factors",
        in_words(table, "measure"),
        formats={"value": "fine", "three_year": "fine", "percentile": "percent1", "rank": "count"},
        bars=("percentile",),
        widths={"meaning": 62},
        note="Value over a year. Percentile among its own values, a month apart; rank 1 is the "
        "largest of its group.",
        lineage=lineage(factors, "factors.shape.factor_shape", factor),
    )
    chart = Chart(
        "bar",
        "Growth chart: percentile in its own past",
        block.key,
        "measure",
        ("percentile",),
        "Bars of how high each measurement is among the factor's own past values",
        "percent1",
        width=WIDE,
        height=max(320, 19 * len(table)),
    )
    ranked = table.dropna(subset=["percentile"])
    odd = ranked.loc[(ranked["percentile"] - 0.5).abs().sort_values(kind="stable").index[-3:]]
    told = ", ".join(
        f"{header(measure).lower()} {_briefly(value)} (percentile {percentile:.0%})"
        for measure, value, percentile in zip(
            odd["measure"][::-1], odd["value"][::-1], odd["percentile"][::-1], strict=True
        )
    )
    ref = block.ref("percentile")
    inside = Formula(f"MAX({ref})", float(table["percentile"].max()))
    check = Check(f"No percentile of {cut(factor.name)} is above 100 %", inside, "≤", 1.0)
    said = f"{cut(factor.name)}, most unusual for itself: {told}."
    return Made((block, chart), (check,), said)


def _briefly(value: float) -> str:
    """Return a number with three digits, or all of those before the point."""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def pure_section(factors: Factors, subject: Subject) -> Section:
    """Return the four portfolios of each named factor and what they cost."""
    conventions = ("pure", "tracking_error", "turnover")
    return _each(factors, subject, "pure", "Pure portfolios", _pure, conventions)


_FORMATS = {  # of measures that are no percentages
    "exposure": "number",
    "largest_other_style": "number",
    "correlation_with_pure": "number",
    "names": "count",
    "effective_names": "tenths",
}


def _pure(factors: Factors, factor: Factor, letter: str) -> Made:
    table = factors.compared(factor)
    kinds = textual(table, "measure")
    block = Block(
        f"factor_pure_{letter}",
        "Four portfolios of the factor",
        in_words(table, "measure"),
        formats=dict.fromkeys(kinds, BY_ROW),
        row_formats=tuple(_FORMATS.get(m, "percent") for m in table["measure"]),
        note=f"Cost at {factors.cost * 1e4:g} basis points of what is traded. The investable "
        "portfolio is long-only and counts against the benchmark.",
        lineage=lineage(factors, "optimize.pure.compare", factor),
    )
    chart = Chart(
        "column",
        "Volatility, and its two sources",
        block.key,
        "measure",
        tuple(kinds),
        "Columns of volatility, that of factors and that of single names, by portfolio",
        "percent1",
        rows=(2, 4),
        width=WIDE,
        height=260,
    )
    checks = tuple(_risk_closes(block, table, factor, kind) for kind in kinds)
    exposure, cost = (number_at(table, m, "investable") for m in ("exposure", "cost_a_year"))
    said = (
        f"{cut(factor.name)}: the pure portfolio has a volatility of "
        f"{number_at(table, 'volatility', 'pure'):.2%} and trades "
        f"{number_at(table, 'turnover_a_month', 'pure'):.1%} a month; a long-only fund reaches an "
        f"exposure of {exposure:+.2f} for {cost:.2%} a year."
    )
    return Made((block, chart), checks, said)


def _risk_closes(block: Block, table: pd.DataFrame, factor: Factor, kind: str) -> Check:
    """Return the check that the variances of factors and names make the whole."""
    measures = ("volatility", "factor_volatility", "specific_volatility")
    whole, shared, own = (number_at(table, m, kind) for m in measures)
    at = [
        f'INDEX({block.ref(kind)},MATCH("{header(m)}",{block.ref("measure")},0))^2'
        for m in measures
    ]
    value = whole**2 - shared**2 - own**2
    claim = f"Variance of {cut(factor.name)}, {header(kind).lower()}, is of factors and names"
    return Check(claim, Formula(f"{at[0]}-{at[1]}-{at[2]}", value), "=", 0.0)
