"""From a source's tables to the panel of a universe, and what the checks found on the way."""

from dataclasses import dataclass

import pandas as pd

from tilt.data.figures import review_figures
from tilt.data.findings import Finding, findings_table, found
from tilt.data.fundamentals import (
    FIELDS,
    figure_fields,
    market_caps,
    membership,
    statement_fields,
)
from tilt.data.known import REPORTING_LAG
from tilt.data.quality import review_prices, review_tables, unique_prices
from tilt.data.quality.coverage import price_count_findings
from tilt.data.returns import market_of
from tilt.data.securities import known_columns, review_securities
from tilt.data.sessions import exchange_of, session_findings
from tilt.data.sources.delivery import Delivery
from tilt.data.survivorship import survivorship
from tilt.frames import Panel


@dataclass(frozen=True, eq=False)
class Built:
    """A panel without its snapshot's id and factor history, and the findings of the checks."""

    panel: Panel
    findings: pd.DataFrame


def build_panel(delivery: Delivery, *, reporting_lag: int = REPORTING_LAG) -> Built:
    """Check a delivery and align it into a panel.

    An asset is in the universe on a date if the last list names it, it has a close, and it has a
    market cap. Without lists every priced asset is in, and there are no caps.
    """
    tables = delivery.tables
    rows, repeated = unique_prices(tables["prices"])
    prices = review_prices(market_of(rows))
    close = prices.market.close
    securities, named = review_securities(
        tables["securities"], close.columns, prices.market.dates[-1]
    )
    exchange = exchange_of(tables["securities"], delivery.calendar)
    days = session_findings(prices.market.dates, exchange)
    figures = review_figures(
        tables["key_figures"], tables["symbol_changes"], securities["issuer"].dropna(), prices
    )
    caps = market_caps(figures.figures, prices)
    fields = figure_fields(figures.figures, caps, prices)
    fields |= statement_fields(
        tables["statements"], tables["symbol_changes"], close, lag=reporting_lag
    )
    checked = review_tables(tables["statements"], tables["securities"], close)
    left_out: list[Finding] = []
    if tables["key_figures"].empty:
        member = close.notna()
    else:
        listed = membership(figures.members, close) & close.notna()
        member = listed & caps.notna()
        left_out = _without_cap(listed & ~member)
    bias = survivorship(tables["key_figures"], tables["symbol_changes"], close)
    index = tables["index_level"].set_index("date")["level"]
    panel = Panel(
        universe=delivery.universe,
        snapshot="",
        securities=known_columns(securities),
        close=close,
        returns=prices.returns,
        volume=prices.market.volume,
        market_cap=caps,
        member=member,
        fundamentals={name: fields[name] for name in FIELDS},
        index_level=index.reindex(close.index).dropna(),
        factor_history=None,
        survivorship=f"{delivery.survivorship} {bias}".strip(),
        symbol_changes=tables["symbol_changes"],
    )
    findings = [
        *repeated, *prices.findings, *figures.findings, *left_out, *named, *checked, *days,
        *price_count_findings(close),
    ]  # fmt: skip
    return Built(panel, findings_table(findings))


def _without_cap(missing: pd.DataFrame) -> list[Finding]:
    """Return a finding for the first day of each time a listed company has no cap."""
    begins = missing & ~missing.shift(fill_value=False)
    return found(begins, "member_without_cap", "warning", {}, _WITHOUT_CAP)


_WITHOUT_CAP = (
    "It is on the list, but from this day there is no usable market cap. | "
    "Quarantined: until then it is left out of the universe and of its cap-weighted benchmark."
)
