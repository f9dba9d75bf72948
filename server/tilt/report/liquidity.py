"""The section of liquidity: how long it takes to sell what is held."""

import numpy as np
import pandas as pd

from tilt.errors import DataError
from tilt.report.charts import Chart
from tilt.report.checks import Check
from tilt.report.layout import Sheet, Tile, Words
from tilt.report.pack import Section
from tilt.report.proofs import foots
from tilt.report.review import Review
from tilt.report.tables import Block, Formula, Lineage
from tilt.risk.liquidity import (
    ADV_DAYS,
    MILESTONES,
    PARTICIPATION,
    average_dollar_volume,
    days_to_exit,
    share_out,
)

CAPITAL = 1e8  # of the fund, in the currency of the prices, unless told
TITLE = "Liquidity"
HORIZONS = (*MILESTONES, 60)


def liquidity_section(review: Review, capital: float = CAPITAL) -> Section:
    """Return the days it takes to close each position of a fund of ``capital``."""
    panel = review.panel
    adv = average_dollar_volume(panel.close, panel.volume, review.date)
    try:
        table = days_to_exit(review.holdings.weights, adv, capital)
    except DataError as error:
        return _nothing(review, str(error))
    if table.empty:
        return _nothing(review, "Nothing is held, so nothing has to be sold.")
    lineage = Lineage(
        "tilt.risk.liquidity.days_to_exit",
        {
            "portfolio": review.portfolio,
            "date": f"{review.date:%Y-%m-%d}",
            "value": f"{capital:g}",
            "participation": f"{PARTICIPATION:g}",
        },
    )
    shares = Block(
        "liquidity_shares",
        "Share of the portfolio that is out",
        pd.DataFrame(
            {
                "within": [f"{days} day{'s' if days > 1 else ''}" for days in HORIZONS],
                "days": [float(days) for days in HORIZONS],
                "share": [share_out(table, days) for days in HORIZONS],
            }
        ),
        formats={"days": "count", "share": "percent1"},
        bars=("share",),
        note=f"At {PARTICIPATION:.0%} of the mean volume of {ADV_DAYS} days, all sold evenly.",
        lineage=lineage,
    )
    block = _positions(review, table, lineage)
    chart = Chart(
        "column",
        "Share out within so many days",
        shares.key,
        "within",
        ("share",),
        "Columns of the share of the portfolio that can be sold within each number of days",
        "percent1",
        beside=True,
        width=420,
        height=220,
    )
    subtitle = f"{review.subject.subtitle} · a fund of {_money(capital)}"
    return Section(
        "liquidity",
        TITLE,
        (
            Sheet(TITLE, "How long it takes to sell", subtitle, (shares, chart), one_page=True),
            Sheet("Days to exit", "Days to exit by position", subtitle, (block,),
                  freeze_header=True),
        ),
        checks=_checks(block, shares),
        findings=_findings(table, capital),
        tiles=(Tile("Out in 5 days", share_out(table, 5), "percent1", f"of {_money(capital)}"),),
        conventions=("liquidity",),
        assumptions=(("capital", _money(capital)),),
    )  # fmt: skip


def _positions(review: Review, table: pd.DataFrame, lineage: Lineage) -> Block:
    names = review.panel.securities["name"].reindex(pd.Index(table["ticker"])).fillna("")
    shown = table.copy()
    shown.insert(1, "name", names.to_numpy())
    size = shown["weight"].abs() / float(shown["weight"].abs().sum())
    done = [share_out(shown.iloc[[row]], 5) for row in range(len(shown))]
    shown["out_in_5_days"] = size * done
    return Block(
        "liquidity",
        "Positions, the slowest first",
        shown,
        formats={
            "weight": "percent",
            "days_to_exit": "number",
            "pct_adv": "percent1",
            "out_in_5_days": "percent1",
        },
        totals={"out_in_5_days": share_out(table, 5)},
        bars=("days_to_exit",),
        note="Position as a share of the mean daily volume, and days to close it. Blank: no volume "
        "is known, and it counts as stuck. Out in 5 days: as a share of the portfolio.",
        lineage=lineage,
    )


def _checks(block: Block, shares: Block) -> tuple[Check, ...]:
    """Return the checks that days are shares of volume, and that they give what is out."""
    table = block.table
    days, volume = block.ref("days_to_exit"), block.ref("pct_adv")
    left = (table["days_to_exit"] * PARTICIPATION - table["pct_adv"]).fillna(0.0).abs().sum()
    at = int(np.flatnonzero(shares.table["days"] == 5)[0])
    return (
        Check(
            "Days to exit are the share of volume at the participation",
            Formula(f"SUMPRODUCT(ABS({days}*{PARTICIPATION:g}-{volume}))", float(left)),
            "=",
            0.0,
        ),
        foots(
            "Positions give the share out in 5 days",
            block,
            "out_in_5_days",
            float(shares.table["share"].iloc[at]),
        ),
    )


def _findings(table: pd.DataFrame, capital: float) -> tuple[str, ...]:
    said = (
        f"A fund of {_money(capital)} is {share_out(table, 1):.0%} sold in a day and "
        f"{share_out(table, 5):.0%} in five"
    )
    known = table.dropna(subset=["days_to_exit"])
    slowest = known.iloc[0]
    told = [f"{said}; the slowest is {slowest['ticker']}, {slowest['days_to_exit']:.1f} days."]
    stuck = table["days_to_exit"].isna()
    if stuck.any():
        size = float(table.loc[stuck, "weight"].abs().sum())
        told.append(f"{int(stuck.sum())} positions ({size:.1%}) have no known volume.")
    return tuple(told)


def _money(capital: float) -> str:
    for size, word in ((1e9, "billion"), (1e6, "million"), (1e3, "thousand")):
        if capital >= size:
            return f"{capital / size:,.4g} {word}"
    return f"{capital:,.4g}"


def _nothing(review: Review, why: str) -> Section:
    sheet = Sheet(TITLE, TITLE, review.subject.subtitle, (Words((why,), "No figures"),),
                  one_page=True)  # fmt: skip
    return Section("liquidity", TITLE, (sheet,), findings=(f"Liquidity: {why}",))
