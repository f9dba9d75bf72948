"""Sections of what factors earned, how alike they are, and for how many names they are known."""

import numpy as np
import pandas as pd

from tilt.calendar import period_ends
from tilt.errors import cut
from tilt.factors.series import compounded, correlation, factor_statistics
from tilt.report.charts import Chart
from tilt.report.checks import Check
from tilt.report.kinds.factor_origin import DRAWN, WIDE, distinct_columns, lineage
from tilt.report.kinds.factors_seen import Factor, Factors
from tilt.report.layout import Part, Sheet, Tile
from tilt.report.pack import Section, Subject
from tilt.report.picked import lowest, place_of, textual
from tilt.report.tables import Block, Formula


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
    table = (1 + monthly).cumprod().set_axis(distinct_columns(daily), axis=1)
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


def correlation_section(factors: Factors, subject: Subject) -> Section:
    """Return the correlation of daily returns with each other and the model's other styles."""
    model = factors.panel.factors
    others = model.returns[["Market", *model.style_names]] if "Market" in model.returns else (
        model.returns[model.style_names]
    )  # fmt: skip
    own = factors.returns
    more = others.drop(columns=[c for c in others if c in own])
    both = pd.concat([own, more], axis=1, sort=True)
    found = correlation(both.loc[factors.first : factors.last])[list(own.columns)]
    table = found.set_axis(distinct_columns(own), axis=1)
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
                tuple(distinct_columns(own)),
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
