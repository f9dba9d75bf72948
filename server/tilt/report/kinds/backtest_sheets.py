"""Sections of a backtest: its tear sheet, its years and its rolling figures."""

import numpy as np
import pandas as pd

from tilt.calendar import period_ends
from tilt.errors import DataError
from tilt.portfolio.measures import underwater
from tilt.portfolio.rolling import rolling_figures
from tilt.report.charts import Chart
from tilt.report.layout import Sheet, Tile
from tilt.report.pack import Section
from tilt.report.performance import (
    CONVENTIONS,
    WIDE,
    Tested,
    backtest_checks,
    series_sheet,
    statistics_sheet,
    tear_sheet,
)
from tilt.report.picked import highest, lowest
from tilt.report.proofs import compounds, difference
from tilt.report.style import measure_format
from tilt.report.tables import BY_ROW, Block, Lineage, header, in_words

WINDOWS = (252, 126, 63, 20)  # sessions; the longest of which there are two is taken


def tear_section(tested: Tested) -> Section:
    """Return the tear sheet with its figures, and the series behind it."""
    series = series_sheet(tested)
    return Section(
        "tear_sheet",
        "Tear sheet",
        (tear_sheet(tested, "Tear sheet", key_figures(tested)),),
        checks=backtest_checks(tested, next(series.blocks())),
        findings=_tear_findings(tested),
        tiles=_tiles(tested),
        conventions=CONVENTIONS,
        assumptions=tested.assumed,
        cautions=("hypothetical",),
        data=(series,),
    )


KEY_FIGURES = ("total_return", "cagr", "volatility", "sharpe", "max_drawdown", "tracking_error",
               "information_ratio", "beta", "up_capture", "down_capture", "turnover_per_year",
               "cost_per_year")  # fmt: skip


def key_figures(tested: Tested) -> Block:
    """Return the figures that a reader looks for first, with the benchmark's."""
    columns = ("portfolio", "benchmark", "active") if tested.compared else ("portfolio",)
    table = tested.result.stats.set_index("measure").reindex(KEY_FIGURES)[list(columns)]
    table = table.dropna(subset=["portfolio"])
    return Block(
        "backtest_key_figures",
        "Key figures, after costs",
        in_words(table.reset_index(), "measure"),
        formats=dict.fromkeys(columns, BY_ROW),
        row_formats=tuple(measure_format(str(m)) for m in table.index),
        lineage=tested.lineage,
    )


def _tiles(tested: Tested) -> tuple[Tile, ...]:
    """Return four figures for the cover, with the benchmark's beside them."""
    annual = tested.yearly
    told = [
        ("Annual return" if annual else "Total return", "cagr" if annual else "total_return"),
        ("Volatility a year" if annual else "Volatility a day",
         "volatility" if annual else "volatility_period"),
        ("Sharpe ratio", "sharpe"),
        ("Maximum drawdown", "max_drawdown"),
    ]  # fmt: skip
    return tuple(
        Tile(label, tested.statistic(m), measure_format(m), _against(tested, m))
        for label, m in told
        if np.isfinite(tested.statistic(m))
    )


def _against(tested: Tested, measure: str) -> str:
    value = tested.statistic(measure, "benchmark") if tested.compared else np.nan
    shown = f"{value:.2f}" if measure_format(measure) == "number" else f"{value:.2%}"
    return f"benchmark {shown}" if np.isfinite(value) else ""


def _tear_findings(tested: Tested) -> tuple[str, ...]:
    dates, value = tested.result.market.dates, tested.statistic
    name, per = tested.returned
    said = (
        f"From {dates[0]:%Y-%m-%d} to {dates[-1]:%Y-%m-%d}, simulated, {tested.idea} returned "
        f"{value(name):+.2%}{per} after costs"
    )
    if tested.compared:
        said += f", the benchmark {value(name, 'benchmark'):+.2%}"
    fall = f"Its deepest fall was {value('max_drawdown'):.1%}"
    if tested.compared:
        fall += f", the benchmark's {value('max_drawdown', 'benchmark'):.1%}"
    told = [f"{said}.", f"{fall}."]
    if np.isfinite(value("up_capture")) and np.isfinite(value("down_capture")):
        told.append(
            f"It took {value('up_capture'):.0%} of the benchmark's rises and "
            f"{value('down_capture'):.0%} of its falls."
        )
    return (*told, *[badge for badge in tested.badges if badge.startswith(("SHORT", "HIND"))])


def statistics_section(tested: Tested) -> Section:
    """Return the statistics by subject, the deepest falls, and the years."""
    years = years_block(tested)
    total = float(np.prod(1 + tested.result.returns.to_numpy(dtype=float)) - 1)
    checks = [compounds("Years compound to the total return", years, "portfolio", total)]
    sides = ("portfolio", "benchmark") if tested.compared else ("portfolio",)
    if tested.compared:
        claim = "Active return of each year is portfolio less benchmark"
        checks.append(difference(claim, years, "active", ("portfolio", "benchmark")))
    chart = Chart(
        "column",
        "Return by year",
        years.key,
        "year",
        sides,
        "Columns of the return of each year",
        "change1",
        width=WIDE,
        height=260,
    )
    sheet = Sheet("Years", "Year by year", tested.subtitle, (years, chart), one_page=True)
    return Section(
        "statistics",
        "Statistics",
        (statistics_sheet(tested), sheet),
        checks=tuple(checks),
        findings=_years_findings(tested, years.table),
        conventions=CONVENTIONS,
        cautions=("hypothetical",),
    )


def years_block(tested: Tested) -> Block:
    """Return a row per year: returns, volatility, drawdown within the year, turnover and costs."""
    daily = tested.result.returns
    series = tested.result.series.reindex(daily.index)
    dates = pd.DatetimeIndex(daily.index)
    rows = []
    for year in sorted(set(dates.year)):
        inside = dates.year == year
        r = daily[inside].to_numpy(dtype=float)
        whole = float(np.prod(1 + r) - 1)
        row: dict[str, object] = {"year": str(year), "portfolio": whole}
        if tested.compared:
            base = series["benchmark_return"][inside].to_numpy(dtype=float)
            row["benchmark"] = float(np.prod(1 + base) - 1)
            row["active"] = whole - float(np.prod(1 + base) - 1)
        row |= {
            "volatility": np.sqrt(252) * r.std(ddof=1) if len(r) > 1 else np.nan,
            "max_drawdown": float(underwater(np.asarray(r, dtype=np.float64)).min()),
            "turnover": float(series["turnover"][inside].sum()),
            "cost": float(series["cost"][inside].sum()),
            "names": float(series["names"][inside].mean()),
            "days": float(len(r)),
        }
        rows.append(row)
    table = pd.DataFrame(rows)
    changes = [c for c in ("portfolio", "benchmark", "active") if c in table]
    percents = ("volatility", "max_drawdown", "turnover")
    return Block(
        "backtest_years",
        "Years",
        table,
        formats=dict.fromkeys(changes, "change")
        | dict.fromkeys(percents, "percent")
        | {"cost": "cost", "names": "tenths", "days": "count"},
        note="After costs. Drawdown within the year; the first and the last may be broken.",
        lineage=tested.lineage,
    )


def _years_findings(tested: Tested, years: pd.DataFrame) -> tuple[str, ...]:
    best, worst = highest(years, "portfolio"), lowest(years, "portfolio")
    said = (
        f"The best year was {best['year']} ({best['portfolio']:+.1%}), the worst {worst['year']} "
        f"({worst['portfolio']:+.1%})."
    )
    if not tested.compared:
        return (said,)
    ahead = int((years["active"] > 0).sum())
    return (f"{said} It was ahead of the benchmark in {ahead} of {len(years)} years.",)


def rolling_section(tested: Tested) -> Section:
    """Return figures of a moving window at each month's end.

    Raises
    ------
    DataError
        If the backtest is too short for them.
    """
    returns = tested.result.returns
    window = next((w for w in WINDOWS if len(returns) >= 2 * w), 0)
    if not window:
        raise DataError(
            f"{len(returns)} days are too few for rolling figures; {2 * WINDOWS[-1]} are needed."
        )
    base = None if tested.result.benchmark is None else tested.result.benchmark.iloc[1:]
    table = rolling_figures(returns, base, window=window, risk_free=tested.result.risk_free)
    ends = period_ends(pd.DatetimeIndex(table["date"]), "M")
    table = table[table["date"].isin(ends)].reset_index(drop=True)
    percents = ("return", "active_return")
    risks = ("volatility", "tracking_error", "max_drawdown")
    formats = {"date": "date"} | dict.fromkeys(percents, "change") | dict.fromkeys(risks, "percent")
    formats |= dict.fromkeys(("sharpe", "information_ratio", "beta"), "number")
    arguments = {**tested.lineage.arguments, "window": f"{window} days"}
    block = Block(
        "backtest_rolling",
        f"The last {window} sessions, at the end of each month",
        table,
        formats={c: f for c, f in formats.items() if c in table},
        lineage=Lineage("tilt.portfolio.rolling.rolling_figures", arguments, tested.lineage.run_id),
    )
    charts = [
        _rolled(block, title, columns, number_format)
        for title, columns, number_format in (
            ("Return", percents, "change1"),
            ("Volatility and tracking error", risks[:2], "percent1"),
            ("Sharpe and information ratio", ("sharpe", "information_ratio"), "number"),
        )
    ]
    return Section(
        "rolling",
        "Rolling figures",
        (
            Sheet(
                "Rolling",
                f"Rolling figures over {window} sessions",
                tested.subtitle,
                tuple(charts),
                one_page=True,
            ),
        ),
        data=(
            Sheet(
                "Rolling data",
                "Rolling figures by month",
                tested.subtitle,
                (block,),
                freeze_header=True,
            ),
        ),
        findings=_rolling_findings(table, window),
        conventions=("returns", "annual"),
        cautions=("hypothetical",),
    )


def _rolled(block: Block, title: str, columns: tuple[str, ...], number_format: str) -> Chart:
    drawn = tuple(c for c in columns if c in block.table and bool(block.table[c].notna().any()))
    return Chart(
        "line",
        title,
        block.key,
        "date",
        drawn,
        f"Lines of {', '.join(header(c).lower() for c in drawn)} over the window",
        number_format,
        width=WIDE,
        height=230,
    )


def _rolling_findings(table: pd.DataFrame, window: int) -> tuple[str, ...]:
    if "active_return" not in table:
        return ()
    active = table["active_return"]
    return (
        (
            f"Over windows of {window} sessions it was ahead of the benchmark at "
            f"{int((active > 0).sum())} of {len(active)} month ends, by {active.max():+.1%} at "
            f"best and {active.min():+.1%} at worst."
        ),
    )
