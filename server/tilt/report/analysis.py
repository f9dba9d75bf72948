"""Sections of what is held and what it risks: positions, exposures, decompositions."""

import pandas as pd

from tilt.report.charts import Chart
from tilt.report.checks import Check, sum_of
from tilt.report.layout import Sheet, Tile
from tilt.report.origin import exposure_lineage, risk_lineage
from tilt.report.pack import Section
from tilt.report.review import Review
from tilt.report.style import measure_format
from tilt.report.tables import BY_ROW, Block, Formula, Lineage, in_words

TOP_POSITIONS = 25
SHOWN = ("name", "group", "exposure", "volatility", "correlation", "mctr", "ctr", "pct")


def holdings_section(review: Review) -> Section:
    """Return what is held, and that it is the whole."""
    sheet = holdings_sheet(review)
    held = next(sheet.blocks())
    return Section(
        "holdings",
        "Holdings",
        (sheet,),
        checks=(
            Check("Weights and cash are the whole", sum_of(held, "weight"), "=", 1.0),
            Check("Benchmark weights are the whole", sum_of(held, "benchmark"), "=", 1.0),
            Check("Active weights cancel", sum_of(held, "active"), "=", 0.0),
            Check(
                "Contributions of holdings foot too",
                sum_of(held, "ctr"),
                "=",
                review.tracking_error,
            ),
        ),
        conventions=("tracking_error",),
    )


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
        review.subject.subtitle,
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


def exposures_section(review: Review) -> Section:
    """Return the exposures, and that active is the difference."""
    sheet = exposures_sheet(review)
    styles = next(sheet.blocks())
    return Section(
        "exposures",
        "Exposures",
        (sheet,),
        checks=(active_exposures(styles),),
        findings=(widest_style(review),),
        conventions=("exposures", "fundamentals"),
    )


def widest_style(review: Review) -> str:
    """Return the style that the portfolio departs most in, as a sentence."""
    styles = review.exposures[review.exposures["group"] == "style"].reset_index(drop=True)
    row = styles.iloc[int(styles["active"].abs().to_numpy().argmax())]
    after = f", {row['optimal_active']:+.2f} after the rebalance" if review.rebalanced else ""
    return (
        f"The widest active style exposure is {row['factor']}, {row['active']:+.2f} "
        f"standard deviations{after}."
    )


def active_exposures(block: Block) -> Check:
    """Return the check that active is portfolio minus benchmark, row by row."""
    t = block.table
    text = (
        f"SUMPRODUCT(ABS({block.ref('portfolio')}-{block.ref('benchmark')}-{block.ref('active')}))"
    )
    value = float((t["portfolio"] - t["benchmark"] - t["active"]).abs().sum())
    return Check("Active exposure is portfolio less benchmark", Formula(text, value), "=", 0.0)


def exposures_sheet(review: Review) -> Sheet:
    """Return exposures to styles and sectors, portfolio against benchmark, now and after."""
    formats = {"portfolio": "number", "benchmark": "number", "active": "signed"}
    if review.rebalanced:
        formats |= {"optimal": "number", "optimal_active": "signed"}
    after = ", optimal" if review.rebalanced else ""
    meaning = " Optimal: after the rebalance." if review.rebalanced else ""
    percent = {c: {"number": "percent", "signed": "change"}[f] for c, f in formats.items()}
    lineage = exposure_lineage(review)
    groups = {g: t.drop(columns="group") for g, t in review.exposures.groupby("group")}
    chart = Chart(
        "bar",
        "Style exposure",
        "style_exposures",
        "factor",
        tuple(c for c in formats if "active" not in c),
        f"Bars of the exposure to each style: portfolio, benchmark{after}",
        beside=True,
        width=520,
        height=340,
    )
    sectors = Chart(
        "bar",
        "Active sector weight",
        "sector_exposures",
        "factor",
        tuple(c for c in formats if "active" in c),
        f"Bars of the active weight in each sector, now{' and after the rebalance' * bool(after)}",
        "percent1",
        beside=True,
        width=520,
        height=380,
    )
    return Sheet(
        "Exposures",
        "Exposures against the benchmark",
        review.subject.subtitle,
        (
            Block(
                "style_exposures",
                "Styles, in cross-sectional standard deviations",
                groups["style"],
                formats=formats,
                bars=("active",),
                note=f"0 is the cap-weighted market.{meaning}",
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


def risk_section(review: Review) -> Section:
    """Return the decompositions of the tracking error, and that each of them foots."""
    sheets = (risk_sheet(review), positions_sheet(review))
    risk = review.tracking_error
    checks = []
    for block in (block for sheet in sheets for block in sheet.blocks()):
        by = block.key.removeprefix("risk_by_")
        claim = f"Contributions by {by} foot to the tracking error"
        checks.append(Check(claim, sum_of(block, "ctr"), "=", risk))
        checks.append(Check(f"Shares by {by} are the whole", sum_of(block, "pct"), "=", 1.0))
    return Section(
        "risk",
        "Risk",
        sheets,
        checks=tuple(checks),
        findings=(largest_contribution(review),),
        tiles=(Tile("Tracking error now", risk, "percent", "a year, ex ante"),),
        summary=() if review.rebalanced else (measures_block(review),),
        conventions=("factor_returns", "factor_covariance", "specific_risk", "tracking_error"),
        remarks=tuple(("Risk model", note) for note in review.model.notes),
        cautions=("forecasts",),
    )


def largest_contribution(review: Review) -> str:
    """Return what contributes most to the tracking error, as a sentence."""
    factor = review.risk["factor"].iloc[:-1]
    main = factor.iloc[int(factor["ctr"].abs().to_numpy().argmax())]
    return (
        f"The largest contribution is {main['name']}: "
        f"{main['ctr']:.2%} of {review.tracking_error:.2%}."
    )


def measures_block(review: Review) -> Block:
    """Return the figures of risk as they are now."""
    table = review.measures.rename(columns={"before": "value"})
    return Block(
        "measures",
        "Risk in figures",
        in_words(table, "measure"),
        formats={"value": BY_ROW},
        row_formats=tuple(measure_format(m) for m in table["measure"]),
        lineage=risk_lineage(review, "measures"),
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
        review.subject.subtitle,
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
        review.subject.subtitle,
        (block,),
        freeze_header=True,
        one_page=True,
    )


def risk_block(review: Review, by: str, title: str, key: str) -> Block:
    """Return one decomposition of the tracking error with its total under it."""
    table = review.risk[by][[*SHOWN]]
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
