"""Where the key figures and the annual statements of one source disagree about the same company.

Both tell of a year's net income and of the equity at its end: the one per share on the day of a
list, the other in money at the end of a fiscal year. They are held against each other on the first
list that can know the statement and before the next quarter is out, so that both are of the same
period as nearly as the data allows.
"""

from collections.abc import Hashable, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd

from tilt.data.findings import Finding, noted
from tilt.data.schema import KEY_FIGURES, STATEMENTS, SYMBOL_CHANGES
from tilt.data.symbols import priced_tickers

KNOWN = (60, 150)  # days from the period's end in which a list tells of that fiscal year
TOLERANCE = 0.10
DISAGREE = "sources_disagree"
PAIRS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "earnings": ("net_income", "earnings a share × shares"),
        "book_value": ("total_equity", "book value a share × shares"),
        "sales": ("revenue", "market cap / price to sales"),
    }
)


def figures_against_statements(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Return each figure beside the amount of the statement.

    Parameters
    ----------
    tables : of a delivery: key_figures, statements, symbol_changes

    Returns
    -------
    ticker, period_end, date (of the list), field, figure, statement (both in currency units) and
    difference, the figure over the statement less 1; rows where one of them is missing are left out
    """
    changes = tables[SYMBOL_CHANGES.name]
    figures, statements = tables[KEY_FIGURES.name].copy(), tables[STATEMENTS.name].copy()
    always = changes[changes["until"].isna()]
    figures["ticker"] = priced_tickers(figures["symbol"], figures["date"], changes)
    statements["ticker"] = priced_tickers(statements["symbol"], statements["period_end"], always)
    first = statements.drop_duplicates(["ticker", "period_end"])  # as it was first reported
    pairs = first.merge(figures.dropna(subset=["ticker"]), on="ticker", suffixes=("", " figure"))
    days = (pairs["date"] - pairs["period_end"]).dt.days
    pairs = pairs[days.between(*KNOWN)].sort_values("date", kind="stable")
    pairs = pairs.drop_duplicates(["ticker", "period_end"])
    shares = pairs["market_cap"] / pairs["price"]
    told = {
        "earnings": pairs["earnings"] * shares,
        "book_value": pairs["book_value"] * shares,
        "sales": pairs["market_cap"] / pairs["price_to_sales"],
    }
    beside = [
        pairs[["ticker", "period_end", "date"]].assign(
            field=field, figure=told[field], statement=pairs[item]
        )
        for field, (item, _) in PAIRS.items()
    ]
    table = pd.concat(beside, ignore_index=True).replace([np.inf, -np.inf], np.nan).dropna()
    table = table[table["statement"] != 0]
    return table.assign(difference=table["figure"] / table["statement"] - 1).reset_index(drop=True)


def statement_disagreements(
    tables: Mapping[str, pd.DataFrame], *, tolerance: float = TOLERANCE
) -> list[Finding]:
    """Return a finding for each figure that is off the statement by more than the tolerance.

    Parameters
    ----------
    tolerance : a fraction; a figure of the trailing twelve months is not exactly of the fiscal year
    """
    table = figures_against_statements(tables)
    rows = table[table["difference"].abs() > tolerance]
    return [_told(row) for row in rows.to_dict("records")]


def _told(row: Mapping[Hashable, Any]) -> Finding:
    words = (
        f"{row['field']}: the key figures say {row['figure']:.4g} ({PAIRS[row['field']][1]}), the "
        f"statement of {row['period_end']:%Y-%m-%d} {row['statement']:.4g}. "
        "| Kept both: each is used where it belongs."
    )
    return noted(row["date"], DISAGREE, words, ticker=row["ticker"], severity="warning")
