"""Sections of a factor report."""

from collections.abc import Callable
from dataclasses import dataclass
from string import ascii_lowercase

import numpy as np
import pandas as pd

from tilt.calendar import period_ends
from tilt.errors import DataError, NoSolutionError, TiltError, UnknownNameError, cut
from tilt.factors.evaluate import half_life, ic_summary
from tilt.factors.inference import benjamini_hochberg, p_values
from tilt.factors.judged import quantile_table
from tilt.factors.series import compounded, correlation, factor_statistics
from tilt.report.charts import Chart
from tilt.report.checks import Check
from tilt.report.kinds.factors_seen import Factor, Factors
from tilt.report.layout import Part, Sheet, Tile, Words
from tilt.report.pack import Section, Subject
from tilt.report.picked import lowest, place_of, textual
from tilt.report.tables import BY_ROW, Block, Formula, Lineage, header, in_words, number_at

WIDE = 1060
DRAWN = 5  # lines that a chart tells apart
SURE = 2.0  # a t-value that is worth a word


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


def returns_section(factors: Factors, subject: Subject) -> Section:
    """Return what each factor earned, how surely, and by year."""
    table = factor_statistics(factors.returns, factors.t_stats)
    shown = table.assign(factor=[cut(str(f)) for f in table["factor"]])
    block = Block(
        "factor_statistics",
        "What each factor earned",
        shown,
        formats={"mean": "change", "volatility": "percent", "ir": "number", "t_stat": "signed",
                 "max_drawdown": "percent", "mean_abs_t": "number", "share_t_over_2": "percent1",
                 "autocorrelation": "signed", "p_value_bh": "fine", "observations": "count"},
        bars=("mean",),
        note="A year, arithmetic, before costs; of portfolios with exposure 1 to the factor alone.",
        lineage=lineage(factors, "factors.series.factor_statistics"),
    )  # fmt: skip
    grown = growth_block(factors)
    years = years_block(factors)
    drawn = tuple(textual(grown.table, "date"))[:DRAWN]
    chart = Chart(
        "line",
        "Growth of 1" + ("" if len(drawn) == len(factors.shown) else ", the first five"),
        grown.key,
        "date",
        drawn,
        "Lines of compounded factor returns, at the end of each month",
        "number",
        width=WIDE,
        height=320,
    )
    product = f"{block.ref('ir')}*{block.ref('volatility')}"
    left = float((table["ir"] * table["volatility"] - table["mean"]).abs().sum())
    ratios = Formula(f"SUMPRODUCT(ABS({product}-{block.ref('mean')}))", left)
    surest = place_of(table["t_stat"], size=True)
    best = table.iloc[surest]
    return Section(
        "returns",
        "What factors earned",
        (
            Sheet("Returns", "What factors earned", subject.subtitle, (block, chart, years),
                  one_page=True),
        ),
        data=(
            Sheet("Growth", "Compounded factor returns by month", subject.subtitle, (grown,),
                  freeze_header=True),
        ),
        checks=(Check("IR times volatility is the mean", ratios, "=", 0.0),),
        findings=_returns_findings(table),
        tiles=(
            Tile("Factors", float(len(table)), "count", "in this report"),
            Tile(f"{cut(str(best['factor']))}, mean", float(table["mean"].iloc[surest]), "change",
                 f"t-value {best['t_stat']:.1f}"),
        ),
        conventions=("factor_returns", "annual", "factor_inference"),
    )  # fmt: skip


def _returns_findings(table: pd.DataFrame) -> tuple[str, ...]:
    sure = table[table["p_value_bh"] < 0.05]
    told = [
        f"{row.factor} earned {row.mean:+.2%} a year with a volatility of {row.volatility:.2%} "
        f"(t-value {row.t_stat:.1f})."
        for row in table.itertuples()
    ]
    count = (
        f"{len(sure)} of {len(table)} means differ from zero at 5 %, allowing for how many are "
        "looked at."
    )
    return (*told, count) if len(table) <= DRAWN else (count,)


def growth_block(factors: Factors) -> Block:
    """Return compounded wealth of each factor at the end of each month."""
    daily = factors.returns
    ends = period_ends(pd.DatetimeIndex(daily.index), "M")
    monthly = compounded(daily, ends).fillna(0.0)
    table = (1 + monthly).cumprod().set_axis(_columns(daily), axis=1)
    table = table.rename_axis("date").reset_index()
    return Block(
        "factor_growth",
        "Growth of 1",
        table,
        formats={"date": "date"} | dict.fromkeys(textual(table, "date"), "fine"),
        lineage=lineage(factors, "factors.series.compounded"),
    )


def years_block(factors: Factors) -> Block:
    """Return a row per factor and a column per year."""
    daily = factors.returns
    ends = period_ends(pd.DatetimeIndex(daily.index), "Y")
    table = compounded(daily, ends).T
    table.columns = [f"{end:%Y}" for end in ends]
    years = tuple(table.columns)
    table.insert(0, "factor", [cut(str(name)) for name in table.index])
    return Block(
        "factor_years",
        "Returns by year",
        table.reset_index(drop=True),
        formats=dict.fromkeys(years, "change"),
        note="Compounded; the first and the last year may be broken.",
        lineage=lineage(factors, "factors.series.compounded"),
    )


def _columns(frame: pd.DataFrame) -> list[str]:
    """Return the factors' names as columns whose headings differ, whatever people call them."""
    found: list[str] = []
    for name in frame.columns:
        text, number = cut(str(name)), 2
        while header(text).casefold() in {header(f).casefold() for f in [*found, "date", "month"]}:
            text, number = f"{cut(str(name))} ({number})", number + 1
        found.append(text)
    return found


def ic_section(factors: Factors, subject: Subject) -> Section:
    """Return the correlation of scores with later returns: by rank, plain, and ever later."""
    rows = []
    decays: dict[str, pd.DataFrame] = {}
    for name, judged in factors.judged.items():
        rank = ic_summary(judged.ic(), horizon=factors.horizon)
        plain = ic_summary(judged.ic("pearson"), horizon=factors.horizon)
        half = np.nan
        if factors.named:  # of all styles together it would take too long
            decay = decays[name] = judged.decay()
            middle = (decay["first_day"] + decay["last_day"]).to_numpy(dtype=float) / 2
            half = half_life(middle, decay["mean_ic"].to_numpy(dtype=float))
        rows.append({"factor": name, **rank, "pearson_ic": plain["mean_ic"],
                     "pearson_t": plain["t_hac"], "half_life": half})  # fmt: skip
    table = pd.DataFrame(rows)
    p = p_values(table["t_hac"].to_numpy(), table["observations"].to_numpy())
    table["p_value_bh"] = benjamini_hochberg(p)
    block = Block(
        "factor_ic",
        f"Information coefficient over {factors.horizon} days",
        table.assign(factor=[cut(str(f)) for f in table["factor"]]),
        formats={"mean_ic": "signed_fine", "sd_ic": "fine", "icir": "signed",
                 "icir_annual": "signed", "t_hac": "signed", "hit_rate": "percent1",
                 "observations": "count", "pearson_ic": "signed_fine", "pearson_t": "signed",
                 "half_life": "tenths", "p_value_bh": "fine"},
        bars=("mean_ic",),
        note="Rank correlation (Spearman) first, then the plain one (Pearson); half-life in days.",
        lineage=lineage(factors, "factors.evaluate.information_coefficients"),
    )  # fmt: skip
    months = _monthly_ic(factors)
    series = tuple(textual(months.table, "month"))[:DRAWN]
    so_far = Chart(
        "line",
        "Rank IC, summed over the months",
        months.key,
        "month",
        series,
        "Lines of the monthly mean rank correlation, added up",
        "number",
        width=WIDE,
        height=280,
    )
    product = f"{block.ref('icir')}*{block.ref('sd_ic')}"
    left = float((table["icir"] * table["sd_ic"] - table["mean_ic"]).abs().sum())
    ratios = Formula(f"SUMPRODUCT(ABS({product}-{block.ref('mean_ic')}))", left)
    return Section(
        "ic",
        "What scores foretold",
        (
            Sheet("IC", "What scores foretold", subject.subtitle,
                  (block, *_decay(factors, decays), so_far), one_page=True),
        ),
        data=(
            Sheet("IC by month", "Rank IC by month, summed", subject.subtitle, (months,),
                  freeze_header=True),
        ),
        checks=(Check("ICIR times deviation is the mean IC", ratios, "=", 0.0),),
        findings=_ic_findings(table, factors.horizon),
        conventions=("ic", "factor_inference"),
    )  # fmt: skip


def _ic_findings(table: pd.DataFrame, horizon: int) -> tuple[str, ...]:
    told = [
        f"{cut(str(row.factor))}: the mean rank IC over {horizon} days is {row.mean_ic:+.4f} "
        f"(t-value {row.t_hac:.1f}), above zero on {row.hit_rate:.0%} of the days."
        for row in table.itertuples()
    ]
    if len(table) <= DRAWN:
        return tuple(told)
    return ("The surest: " + told[place_of(table["t_hac"], size=True)],)


def _decay(factors: Factors, decays: dict[str, pd.DataFrame]) -> tuple[Part, ...]:
    """Return the ICs on later and later windows with their chart; nothing of no factor."""
    if not decays:
        return ()
    first = next(iter(decays.values()))
    values = pd.DataFrame({name: found["mean_ic"] for name, found in decays.items()})
    values = values.set_axis(_columns(values), axis=1)
    table = pd.concat([first[["window", "first_day", "last_day"]], values], axis=1)
    block = Block(
        "factor_ic_decay",
        "Mean rank IC on disjoint windows",
        table,
        formats=dict.fromkeys(("window", "first_day", "last_day"), "count")
        | dict.fromkeys(values.columns, "signed_fine"),
        note="Days after the score is known.",
        lineage=lineage(factors, "factors.evaluate.ic_decay"),
    )
    chart = Chart(
        "column",
        "Rank IC on windows ever further ahead",
        block.key,
        "last_day",
        tuple(values.columns),
        "Columns of the mean rank correlation with returns of later and later windows",
        "fine",
        width=WIDE,
        height=280,
    )
    return chart, block


def _monthly_ic(factors: Factors) -> Block:
    daily = pd.DataFrame({name: j.ic() for name, j in factors.judged.items()})
    daily.index = next(iter(factors.judged.values())).dates
    month = pd.DatetimeIndex(daily.index).to_period("M")
    summed = daily.groupby(month).mean().fillna(0.0).cumsum()
    table = summed.set_axis(_columns(daily), axis=1)
    table.insert(0, "month", [str(m) for m in summed.index])
    return Block(
        "factor_ic_months",
        "Monthly mean of the rank IC, summed",
        table.reset_index(drop=True),
        formats=dict.fromkeys(textual(table, "month"), "signed_fine"),
        note="By the month of the score; a month whose returns are not over yet adds nothing.",
        lineage=lineage(factors, "factors.evaluate.information_coefficients"),
    )


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
        f"{header(str(row.measure)).lower()} {row.value:.3g} (percentile {row.percentile:.0%})"
        for row in odd.iloc[::-1].itertuples()
    )
    ref = block.ref("percentile")
    inside = Formula(f"MAX({ref})", float(table["percentile"].max()))
    check = Check(f"No percentile of {cut(factor.name)} is above 100 %", inside, "≤", 1.0)
    said = f"{cut(factor.name)}, most unusual for itself: {told}."
    return Made((block, chart), (check,), said)


def correlation_section(factors: Factors, subject: Subject) -> Section:
    """Return the correlation of daily returns with each other and the model's other styles."""
    model = factors.panel.factors
    others = model.returns[["Market", *model.style_names]] if "Market" in model.returns else (
        model.returns[model.style_names]
    )  # fmt: skip
    own = factors.returns
    both = pd.concat([own, others.drop(columns=[c for c in others if c in own])], axis=1)
    found = correlation(both.loc[factors.first : factors.last])[list(own.columns)]
    table = found.set_axis(_columns(own), axis=1)
    table.insert(0, "with", [cut(str(name)) for name in found.index])
    block = Block(
        "factor_correlation",
        "Correlation of daily factor returns",
        table.reset_index(drop=True),
        formats=dict.fromkeys(textual(table, "with"), "signed"),
        note="Over the days that both have, at least 20.",
        lineage=lineage(factors, "factors.series.correlation"),
    )
    apart = found.copy()
    for name in own.columns:
        apart.loc[name, name] = np.nan
    size = np.nan_to_num(apart.abs().to_numpy(dtype=float))
    parts: list[Part] = [block]
    if len(own.columns) <= DRAWN:
        parts.append(
            Chart(
                "bar",
                "Correlation with the other factors",
                block.key,
                "with",
                tuple(_columns(own)),
                "Bars of the correlation of each factor with the others",
                "number",
                width=WIDE,
                height=max(320, 26 * len(table)),
            )
        )
    said: tuple[str, ...] = ()
    if size.max() > 0:
        row, column = divmod(int(size.argmax()), size.shape[1])
        one, other = cut(str(apart.index[row])), cut(str(apart.columns[column]))
        said = (
            (
                f"The closest kin is {one} and {other}, with a correlation of "
                f"{apart.to_numpy(dtype=float)[row, column]:+.2f}."
            ),
        )
    sheet = Sheet("Correlation", "How alike factors are", subject.subtitle, tuple(parts),
                  one_page=True)  # fmt: skip
    return Section("correlation", "Correlation", (sheet,), findings=said,
                   conventions=("factor_returns",))  # fmt: skip


def pure_section(factors: Factors, subject: Subject) -> Section:
    """Return the four portfolios of each named factor and what they cost."""
    conventions = ("pure", "tracking_error", "turnover")
    return _each(factors, subject, "pure", "Pure portfolios", _pure, conventions)


_PLAIN = frozenset({"exposure", "largest_other_style", "correlation_with_pure"})
_SIZES = frozenset({"names", "effective_names"})


def _pure(factors: Factors, factor: Factor, letter: str) -> Made:
    table = factors.compared(factor)
    kinds = textual(table, "measure")
    block = Block(
        f"factor_pure_{letter}",
        "Four portfolios of the factor",
        in_words(table, "measure"),
        formats=dict.fromkeys(kinds, BY_ROW),
        row_formats=tuple(
            "number" if m in _PLAIN else "tenths" if m in _SIZES else "percent"
            for m in table["measure"]
        ),
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


def coverage_section(factors: Factors, subject: Subject) -> Section:
    """Return for how many members each factor is known, at the end of each year."""
    dates = factors.panel.dates
    window = dates[(dates >= factors.first) & (dates <= factors.last)]
    ends = period_ends(window, "Y")
    table = pd.DataFrame(
        [_covered(factors, factor, date) for factor in factors.shown for date in ends]
    )
    block = Block(
        "factor_coverage",
        "Members with an observed score",
        table,
        formats={"date": "date", "members": "count", "scored": "count", "observed": "count",
                 "share": "percent1", "cap_share": "percent1"},
        note="Scored: with a z-score. Observed: not fitted from sector and size.",
        lineage=lineage(factors, "frames.FactorHistory"),
    )  # fmt: skip
    most = Formula(f"MAX({block.ref('share')})", float(table["share"].max()))
    latest = table[table["date"] == table["date"].max()]
    low = lowest(latest, "share")
    return Section(
        "coverage",
        "Coverage",
        (Sheet("Coverage", "For how many names scores are known", subject.subtitle, (block,),
               freeze_header=True, one_page=len(table) <= 60),),
        checks=(Check("No more names are observed than there are members", most, "≤", 1.0),),
        findings=(
            (
                f"On {low['date']:%Y-%m-%d} {low['factor']} is observed for {low['observed']:.0f} "
                f"of {low['members']:.0f} members, {low['cap_share']:.0%} of the market cap"
                f"{', the least of all' if len(latest) > 1 else ''}."
            ),
        ),
        conventions=("exposures", "fundamentals"),
    )  # fmt: skip


def _covered(factors: Factors, factor: Factor, date: pd.Timestamp) -> dict[str, object]:
    panel, history = factors.panel, factor.history
    member = panel.member.loc[date].to_numpy(dtype=bool)
    scores = factor.scores.reindex(index=[date], columns=panel.assets).to_numpy(dtype=float)[0]
    scored = member & np.isfinite(scores)
    observed = scored
    if factor.raw is None:
        row = int(history.dates.get_indexer(pd.DatetimeIndex([date]))[0])
        fitted = pd.Series(
            history.imputed[row, :, history.style_names.index(factor.name)], history.assets
        )
        observed = scored & ~fitted.reindex(panel.assets, fill_value=True).to_numpy(dtype=bool)
    cap = np.nan_to_num(panel.market_cap.loc[date].to_numpy(dtype=float))
    whole = float(cap[member].sum())
    return {
        "factor": cut(factor.name),
        "date": date,
        "members": float(member.sum()),
        "scored": float(scored.sum()),
        "observed": float(observed.sum()),
        "share": float(observed.sum()) / max(float(member.sum()), 1.0),
        "cap_share": float(cap[observed].sum()) / whole if whole > 0 else np.nan,
    }
