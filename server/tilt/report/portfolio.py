"""The portfolio report: what is held, its risk, better weights, and how an idea did."""

import datetime as dt
from pathlib import Path

import pandas as pd

from tilt.report.analysis import exposures_sheet, holdings_sheet, positions_sheet, risk_sheet
from tilt.report.charts import Chart
from tilt.report.checks import check_block, checks_sheet, checks_summary
from tilt.report.layout import Sheet, Tile, Tiles, Words
from tilt.report.method import disclaimers_sheet, method_sheet
from tilt.report.origin import risk_lineage, subtitle
from tilt.report.performance import backtest_sheet, series_sheet, statistics_sheet
from tilt.report.rebalance import limits_sheet, optimal_sheet, trades_sheet
from tilt.report.review import Review
from tilt.report.style import measure_format
from tilt.report.tables import BY_ROW, Block, Link, in_words, number_at
from tilt.report.workbook import write_workbook


def write_portfolio_report(path: Path, review: Review, *, created: dt.datetime) -> Path:
    """Write the report of a review to an Excel file and return its path."""
    return write_workbook(
        path,
        portfolio_report(review, created=created),
        title=f"Portfolio review {review.portfolio}",
        footer=f"Tilt · {review.portfolio} · as of {review.date:%Y-%m-%d}",
        created=created,
    )


def portfolio_report(review: Review, *, created: dt.datetime) -> list[Sheet]:
    """Return the sheets of the report, cover first."""
    body = [
        summary_sheet(review),
        holdings_sheet(review),
        exposures_sheet(review),
        risk_sheet(review),
        positions_sheet(review),
        optimal_sheet(review),
        limits_sheet(review),
        trades_sheet(review),
        backtest_sheet(review),
        statistics_sheet(review),
        series_sheet(review),
    ]
    checks = check_block(review, {b.key: b for sheet in body for b in sheet.blocks()})
    body += [
        checks_sheet(review, checks),
        method_sheet(review),
        lineage_sheet(review, body, created),
        disclaimers_sheet(review),
    ]
    return [cover_sheet(review, body, checks, created), *body]


def cover_sheet(review: Review, body: list[Sheet], checks: Block, created: dt.datetime) -> Sheet:
    """Return the first page: what it is about, the figures that matter, where to find what."""
    facts = pd.DataFrame(
        [
            ("Portfolio", review.portfolio),
            ("As of", f"{review.date:%Y-%m-%d}"),
            ("Benchmark", f"{review.panel.universe}, cap weighted"),
            ("Universe", f"{review.panel.universe}, {len(review.model.exposures)} securities"),
            ("Snapshot", review.panel.snapshot),
            ("Written", f"{created:%Y-%m-%d %H:%M} UTC"),
            ("Checks", checks_summary(checks)),
        ],
        columns=["item", "value"],
        dtype=object,
    )
    contents = pd.DataFrame(
        [(Link(sheet.name, sheet.name), sheet.title) for sheet in body],
        columns=["sheet", "shows"],
    )
    after = number_at(review.measures, "tracking_error", "after")
    cagr = number_at(review.backtest.view("stats"), "cagr", "portfolio")
    tiles = Tiles(
        (
            Tile("Tracking error now", review.tracking_error, "percent", "a year, ex ante"),
            Tile("After the rebalance", after, "percent", "least within the rules"),
            Tile("Turnover", review.turnover, "percent1", "one way"),
            Tile("Backtest return", cagr, "percent", "a year after costs"),
        )
    )
    return Sheet(
        "Cover",
        "Portfolio review",
        subtitle(review),
        (
            tiles,
            Block(
                "report_facts",
                "This report",
                facts,
            ),
            Block("contents", "Contents", contents),
        ),
        one_page=True,
        column_width=32,
    )


def summary_sheet(review: Review) -> Sheet:
    """Return the page for who reads only one."""
    table = review.summary
    formats = tuple(measure_format(m) for m in table["measure"])
    block = Block(
        "summary",
        "Before and after the rebalance",
        in_words(table, "measure"),
        formats=dict.fromkeys(("before", "after", "change"), BY_ROW),
        row_formats=formats,
        lineage=risk_lineage(review, "measures"),
    )
    chart = Chart(
        "bar",
        "Active style exposure, now and after the rebalance",
        "style_exposures",
        "factor",
        ("active", "optimal_active"),
        "Bars of the active exposure to each style before and after the rebalance",
        beside=True,
        width=560,
        height=360,
    )
    return Sheet(
        "Summary",
        "Summary",
        subtitle(review),
        (Words(findings(review), "What this shows"), block, chart),
        one_page=True,
    )


def findings(review: Review) -> tuple[str, ...]:
    """Return the report's findings as sentences with their numbers."""
    after = number_at(review.measures, "tracking_error", "after")
    factor = review.risk["factor"].iloc[:-1]
    main = int(factor["ctr"].abs().to_numpy().argmax())
    styles = review.exposures[review.exposures["group"] == "style"].reset_index(drop=True)
    widest = int(styles["active"].abs().to_numpy().argmax())
    tilt, then = styles["active"].iloc[widest], styles["optimal_active"].iloc[widest]
    trades = len(review.solution.view("trades"))
    limits = review.solution.view("constraints")
    binding = int((limits["status"] == "binding").sum())
    stats = review.backtest.view("stats")
    said = (
        (
            f"Tracking error is {review.tracking_error:.2%} a year and falls to {after:.2%} "
            f"with {review.turnover:.1%} one-way turnover in {trades} trades."
        ),
        (
            f"The widest active style exposure is {styles['factor'].iloc[widest]}, {tilt:+.2f} "
            f"standard deviations, {then:+.2f} after the rebalance."
        ),
        (
            f"The largest contribution is {factor['name'].iloc[main]}: "
            f"{factor['ctr'].iloc[main]:.2%} of {review.tracking_error:.2%}."
        ),
        f"{binding} of {len(limits)} limits bind; sheet Limits shows what each of them costs.",
        (
            f"Backtested, {review.idea} returned {number_at(stats, 'cagr', 'portfolio'):.1%} a "
            f"year after costs, the benchmark {number_at(stats, 'cagr', 'benchmark'):.1%}."
        ),
    )
    return (*said, *review.notes)


def lineage_sheet(review: Review, body: list[Sheet], created: dt.datetime) -> Sheet:
    """Return the origin of every block: enough to compute it again."""
    rows = [
        (
            sheet.name,
            block.title,
            block.lineage.function,
            "; ".join(f"{k}={v}" for k, v in block.lineage.arguments.items()),
            review.panel.snapshot,
            block.lineage.run_id,
            f"{created:%Y-%m-%d %H:%M}",
        )
        for sheet in body
        for block in sheet.blocks()
        if block.lineage is not None
    ]
    table = pd.DataFrame(
        rows, columns=["sheet", "block", "function", "arguments", "snapshot", "run", "time_utc"]
    )
    return Sheet(
        "Lineage",
        "Where each number comes from",
        subtitle(review),
        (
            Block(
                "lineage",
                "Blocks",
                table,
                widths={"arguments": 60, "block": 24},
                note="The same arguments on the same snapshot give the same numbers.",
            ),
        ),
    )
