"""Sheets of what is held and what it risks: positions, exposures, decompositions."""

import pandas as pd

from tilt.report.charts import Chart
from tilt.report.layout import Sheet
from tilt.report.origin import exposure_lineage, risk_lineage, subtitle
from tilt.report.review import Review
from tilt.report.tables import Block, Lineage

TOP_POSITIONS = 25


def holdings_sheet(review: Review) -> Sheet:
    """Return positions with weight, benchmark, active weight and contribution to risk."""
    table = holdings_table(review)
    risk = review.risk["position"]
    block = Block(
        "holdings",
        "Positions",
        table,
        formats={
            "weight": "percent",
            "benchmark": "percent",
            "active": "change",
            "ctr": "change",
        },
        totals={
            "weight": 1.0,
            "benchmark": 1.0,
            "active": 0.0,
            "ctr": float(risk["ctr"].iloc[-1]),
        },
        bars=("ctr",),
        note="CTR: contribution to the yearly tracking error. The column sums to it.",
        lineage=Lineage("tilt.portfolio.holdings.parse_holdings", {"holdings": review.portfolio}),
    )
    return Sheet(
        "Holdings",
        "Holdings and their contribution to risk",
        subtitle(review),
        (block,),
        freeze_header=True,
    )


def holdings_table(review: Review) -> pd.DataFrame:
    """Return a row per position, one for cash, one for all of the benchmark that is not held."""
    weights = review.holdings.weights.sort_values(ascending=False)
    names = review.panel.securities.reindex(weights.index)
    ctr = review.risk["position"].iloc[:-1].set_index("name")["ctr"]
    benchmark = review.benchmark.reindex(weights.index).fillna(0.0)
    table = pd.DataFrame(
        {
            "ticker": weights.index,
            "name": names["name"].to_numpy(),
            "sector": names["sector"].to_numpy(),
            "weight": weights.to_numpy(),
            "benchmark": benchmark.to_numpy(),
            "ctr": ctr.reindex(weights.index).fillna(0.0).to_numpy(),
        }
    )
    rest = review.benchmark.index.difference(weights.index)
    others = [
        ("CASH", "Cash", "", review.holdings.cash, 0.0, 0.0),
        (
            "",
            f"{len(rest)} names of the benchmark not held",
            "",
            0.0,
            float(review.benchmark[rest].sum()),
            float(ctr.drop(weights.index, errors="ignore").sum()),
        ),
    ]
    table = pd.concat([table, pd.DataFrame(others, columns=table.columns)], ignore_index=True)
    table.insert(5, "active", table["weight"] - table["benchmark"])
    return table


def exposures_sheet(review: Review) -> Sheet:
    """Return exposures to styles and sectors, portfolio against benchmark, now and after."""
    formats = {
        "portfolio": "number",
        "benchmark": "number",
        "active": "signed",
        "optimal": "number",
        "optimal_active": "signed",
    }
    percent = {c: {"number": "percent", "signed": "change"}[f] for c, f in formats.items()}
    lineage = exposure_lineage(review)
    groups = {g: t.drop(columns="group") for g, t in review.exposures.groupby("group")}
    chart = Chart(
        "bar",
        "Style exposure",
        "style_exposures",
        "factor",
        ("portfolio", "benchmark", "optimal"),
        "Bars of the exposure to each style: portfolio, benchmark, optimal",
        beside=True,
        width=520,
        height=340,
    )
    sectors = Chart(
        "bar",
        "Active sector weight",
        "sector_exposures",
        "factor",
        ("active", "optimal_active"),
        "Bars of the active weight in each sector, now and after the rebalance",
        "percent1",
        beside=True,
        width=520,
        height=380,
    )
    return Sheet(
        "Exposures",
        "Exposures against the benchmark",
        subtitle(review),
        (
            Block(
                "style_exposures",
                "Styles, in cross-sectional standard deviations",
                groups["style"],
                formats=formats,
                bars=("active",),
                note="0 is the cap-weighted market. Optimal: after the rebalance.",
                lineage=lineage,
            ),
            chart,
            Block(
                "sector_exposures",
                "Sectors, in shares of capital",
                groups["sector"],
                formats=percent,
                bars=("active",),
                totals={c: float(groups["sector"][c].sum()) for c in percent},
                note="Portfolio sums to the invested share; the rest is cash.",
                lineage=lineage,
            ),
            sectors,
        ),
        one_page=True,
    )


def risk_sheet(review: Review) -> Sheet:
    """Return the tracking error by factor and by sector; each sums to the total."""
    factors = risk_block(review, "factor", "By factor", "risk_by_factor")
    drivers = Chart(
        "bar",
        "Contribution to tracking error by factor, specific left out",
        "risk_by_factor",
        "name",
        ("ctr",),
        "Bars of each factor's contribution to tracking error",
        "percent",
        beside=True,
        rows=(0, len(factors.table) - 2),  # specific is last, and dwarfs the rest
        width=520,
        height=500,
    )
    return Sheet(
        "Risk",
        "Where the tracking error comes from",
        subtitle(review),
        (
            factors,
            drivers,
            risk_block(review, "sector", "By sector", "risk_by_sector"),
        ),
        one_page=True,
    )


def positions_sheet(review: Review) -> Sheet:
    """Return the positions that matter most for the tracking error, held or not."""
    block = risk_block(review, "position", "Largest contributions", "risk_by_position")
    return Sheet(
        "Positions",
        "Positions that drive the risk",
        subtitle(review),
        (block,),
        freeze_header=True,
        one_page=True,
    )


def risk_block(review: Review, by: str, title: str, key: str) -> Block:
    """Return one decomposition of the tracking error with its total under it."""
    table = review.risk[by]
    total = table.iloc[-1]
    rows = table.iloc[:-1].reset_index(drop=True)
    if by == "position":
        rows = largest(rows, TOP_POSITIONS)
    exposure = "number" if by == "factor" else "change"
    return Block(
        key,
        title,
        rows,
        formats={
            "exposure": exposure,
            "volatility": "percent",
            "correlation": "number",
            "mctr": "fine",
            "ctr": "change",
            "pct": "percent1",
        },
        totals={"ctr": float(total["ctr"]), "pct": float(total["pct"])},
        bars=("ctr",),
        note="CTR = exposure × volatility × correlation, a year; it sums to the tracking error.",
        lineage=risk_lineage(review, by),
    )


def largest(rows: pd.DataFrame, count: int) -> pd.DataFrame:
    """Return the rows with the largest contributions, and one for the sum of all others."""
    order = rows["ctr"].abs().sort_values(ascending=False).index
    if len(order) <= count:
        return rows.loc[order].reset_index(drop=True)
    top, rest = rows.loc[order[:count]], rows.loc[order[count:]]
    other = {"name": f"{len(rest)} others", "ctr": rest["ctr"].sum(), "pct": rest["pct"].sum()}
    return pd.concat([top, pd.DataFrame([other])], ignore_index=True)
