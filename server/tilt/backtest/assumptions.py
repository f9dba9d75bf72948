"""What a backtest's numbers rest on, said beside them."""

from dataclasses import dataclass

import pandas as pd

from tilt.backtest.costs import Costs
from tilt.backtest.events import events
from tilt.backtest.execution import AS_WANTED, Execution
from tilt.backtest.ledger import Ledger
from tilt.backtest.market import Market
from tilt.frames import Panel, listed

FEW_YEARS = 3
YEAR_DAYS = 365.25


@dataclass(frozen=True)
class Facts:
    """What was asked for, in words."""

    strategy: str
    rebalance: str
    lag: int
    cash_rate: float
    costs: Costs
    benchmark: str
    execution: Execution = AS_WANTED
    given: str = ""  # what the user gave once for the whole window: "weights", "alpha" or nothing
    notes: tuple[str, ...] = ()


def assumptions(facts: Facts, panel: Panel, market: Market, ledger: Ledger) -> pd.DataFrame:
    """Return item, value; warnings are the items in capitals."""
    dates = market.dates
    rows = [
        ("strategy", facts.strategy),
        ("universe", f"{panel.universe}, snapshot {panel.snapshot}"),
        ("window", f"{dates[0]:%Y-%m-%d} to {dates[-1]:%Y-%m-%d}, {len(dates)} sessions"),
        ("rebalance", facts.rebalance),
        ("fill", _fill(facts.lag)),
        ("costs", facts.costs.words()),
        *([("trades", facts.execution.words())] if facts.execution.words() else []),
        ("cash", f"earns {100 * facts.cash_rate:g} % a year, the riskless rate of the ratios"),
        ("returns", "total returns: a dividend is reinvested in its name on the ex-date"),
        ("benchmark", facts.benchmark),
        ("HYPOTHETICAL", "Simulated, not earned; past results say little about future ones."),
        ("SURVIVORSHIP", panel.survivorship),
    ]
    if facts.given:
        chosen = f"The same {facts.given} for the whole window: chosen today, with what came known."
        rows.append(("HINDSIGHT", chosen))
    if facts.lag == 0:
        rows.append(("LOOK-AHEAD", "A trade is filled at the close that decided it (lag=0)."))
    years = (dates[-1] - dates[0]).days / YEAR_DAYS
    if years < FEW_YEARS:
        rows.append(("SHORT HISTORY", f"{years:.1f} years, fewer than {FEW_YEARS}."))
    rows += _events(market, ledger)
    rows += [("note", note) for note in facts.notes]
    return pd.DataFrame(rows, columns=["item", "value"])


def _fill(lag: int) -> str:
    if lag == 0:
        return "at the close of the decision"
    return f"at the close, {lag} session{'s' if lag > 1 else ''} after the decision"


def _events(market: Market, ledger: Ledger) -> list[tuple[str, str]]:
    """Return what had to be dealt with on the way: holes, delistings, trades without a price."""
    found = events(market, ledger)
    rows = []
    if found.holes:
        rows.append(("missing returns", f"{found.holes} counted as zero, of {listed(found.holed)}"))
    if found.delisted:
        sold = [name for _, names in found.delisted for name in names]
        rows.append(("delisted", f"{listed(sold)} sold at the last price, without costs"))
    if found.unfilled:
        names = listed(found.unpriced)
        rows.append(("not filled", f"{names} had no price at {found.unfilled} fills; left in cash"))
    return rows
