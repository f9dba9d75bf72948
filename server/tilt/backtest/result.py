"""What a backtest found, in the tables that people look at."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType

import numpy as np
import pandas as pd

from tilt.backtest.costs import DAYS, as_table
from tilt.backtest.ledger import Ledger
from tilt.backtest.market import Market
from tilt.backtest.trades import DELISTED
from tilt.errors import one_of
from tilt.frames import Panel
from tilt.portfolio.honesty import ONE_TRIAL, Trials, honest_table
from tilt.portfolio.measures import MEASURES, per_period, underwater
from tilt.portfolio.performance import ONE_YEAR, drawdowns, monthly_table, statistics

VIEWS: Mapping[str, str] = MappingProxyType(
    {
        "stats": "measure, portfolio, benchmark, active",
        "series": "date, nav, return, benchmark_nav, active, drawdown, turnover and more, by day",
        "weights": "date, ticker, weight after each rebalance",
        "trades": "each trade: date, ticker, weight before and after, price, cost, reason",
        "costs": "date, linear, spread, impact, borrow, total as fractions of capital",
        "monthly": "returns by year and month",
        "drawdowns": "the deepest falls",
        "overfitting": "how sure one may be of the Sharpe ratio, given what else was tried",
        "assumptions": "what the numbers rest on",
    }
)
TOOK = (
    "gross_total_return", "gross_cagr", "cost_total", "cost_per_year", "turnover_per_year",
    "turnover_per_rebalance", "rebalances", "names", "cash",
)  # fmt: skip
STATS = (*MEASURES, *TOOK)  # the measures of every backtest


@dataclass(frozen=True, eq=False)
class BacktestResult:
    """A finished backtest.

    run_id      : depends on the data's snapshot and every argument
    strategy    : its name
    market, ledger : the window and the book through it
    benchmark   : returns over the window, zero on the day of the first fill; or None
    close       : dates × assets, prices for the trades' table
    assumptions : item, value
    trials      : what else was tried before this one was chosen
    """

    run_id: str
    strategy: str
    market: Market
    ledger: Ledger
    benchmark: "pd.Series[float] | None"
    close: pd.DataFrame
    assumptions: pd.DataFrame
    risk_free: float = 0.0
    trials: Trials = ONE_TRIAL

    def view(self, name: str) -> pd.DataFrame:
        """Return one of ``VIEWS``."""
        tables = {
            "stats": lambda: self.stats,
            "series": lambda: self.series.reset_index(),
            "weights": lambda: self.weights,
            "trades": lambda: self.trades,
            "costs": lambda: self.costs,
            "monthly": lambda: monthly_table(self.returns),
            "drawdowns": lambda: drawdowns(self.returns),
            "overfitting": lambda: self.overfitting,
            "assumptions": lambda: self.assumptions,
        }
        return tables[one_of("view", name, VIEWS)]()

    @cached_property
    def series(self) -> pd.DataFrame:
        """Every day from the first fill: nav, return, ... and what it is made of.

        The first row is the close of the first fill: its nav is 1 less the costs of the opening.
        ``gross_return`` is the return had the day's costs not been paid.
        """
        nav = self.ledger.nav
        before = np.concatenate([[1.0], nav[:-1]])
        net = nav / before - 1.0
        table = pd.DataFrame({"nav": nav, "return": net}, index=self.market.dates)
        table.index.name = "date"
        base = np.full(len(nav), np.nan)
        if self.benchmark is not None:
            base = self.benchmark.to_numpy(dtype=np.float64)
        table["benchmark_nav"] = np.cumprod(1.0 + base)
        table["active"] = net - base
        table["drawdown"] = underwater(net)
        table["turnover"] = self.ledger.turnover
        table["benchmark_return"] = base
        table["cost"] = self.ledger.charged.sum(axis=1) / before
        table["gross_return"] = net + table["cost"]
        table["cash"] = self.ledger.cash / nav
        table["names"] = np.count_nonzero(self.ledger.positions, axis=1)
        return table

    @cached_property
    def returns(self) -> "pd.Series[float]":
        """Net returns by day; the costs of the opening count with the first day."""
        return self._days("return")

    def _days(self, column: str) -> "pd.Series[float]":
        values = self.series[column]
        days = values.iloc[1:].copy()
        days.iloc[0] = (1.0 + values.iloc[0]) * (1.0 + values.iloc[1]) - 1.0
        return days

    @cached_property
    def stats(self) -> pd.DataFrame:
        """Performance by the measures of ``STATS``; those in ``TOOK`` are the portfolio's alone."""
        benchmark = None if self.benchmark is None else self.benchmark.iloc[1:]
        table = statistics(self.returns, benchmark, risk_free=self.risk_free)
        gross = statistics(self._days("gross_return")).set_index("measure")["portfolio"]
        days = len(self.returns)
        yearly = DAYS / days if days >= ONE_YEAR["D"] else float("nan")
        later = self.series.iloc[1:]
        fills = self.ledger.fills
        rows = {
            "gross_total_return": gross["total_return"],
            "gross_cagr": gross["cagr"],
            "cost_total": float(self.series["cost"].sum()),
            "cost_per_year": float(self.series["cost"].sum()) * yearly,
            "turnover_per_year": float(later["turnover"].sum()) * yearly,
            "turnover_per_rebalance": float(later["turnover"].sum()) / max(len(fills) - 1, 1),
            "rebalances": float(len(fills)),
            "names": float(later["names"].mean()),
            "cash": float(later["cash"].mean()),
        }
        more = pd.DataFrame({"measure": list(rows), "portfolio": list(rows.values())})
        notes = table.attrs["notes"]
        table = pd.concat([table, more.reindex(columns=table.columns)], ignore_index=True)
        table.attrs["notes"] = notes
        return table

    @cached_property
    def overfitting(self) -> pd.DataFrame:
        """Measure, value, meaning: inference on the Sharpe ratio, deflated by the trials."""
        rate = per_period(self.risk_free, DAYS)
        return honest_table(self.returns, self.trials, per_year=DAYS, risk_free=rate)

    @cached_property
    def weights(self) -> pd.DataFrame:
        """Weights after each fill, in the form in which dated weights are given: long."""
        fills = sorted(self.ledger.targets)
        held = self.ledger.positions[fills] / self.ledger.nav[fills, None]
        row, asset = np.nonzero(held)
        return pd.DataFrame(
            {
                "date": self.market.dates[np.array(fills)[row]],
                "ticker": self.market.assets[asset],
                "weight": held[row, asset],
            }
        )

    @cached_property
    def trades(self) -> pd.DataFrame:
        """Every trade, as fractions of the capital of its day before costs."""
        trades = self.ledger.trades
        sizes = [len(t.asset) for t in trades]
        row = np.repeat([t.row for t in trades], sizes)
        asset = np.concatenate([t.asset for t in trades])
        nav = np.repeat([t.nav for t in trades], sizes)
        before = np.concatenate([t.before for t in trades]) / nav
        trade = np.concatenate([t.trade for t in trades]) / nav
        delisted = np.repeat([t.reason == DELISTED for t in trades], sizes)
        price = self.close.ffill().to_numpy()[row, asset]
        return pd.DataFrame(
            {
                "date": self.market.dates[row],
                "ticker": self.market.assets[asset],
                "before": before,
                "after": before + trade,
                "trade": trade,
                "price": price,
                "cost": np.concatenate([t.cost for t in trades]) / nav,
                "reason": np.where(delisted, "delisted", "rebalance"),
            }
        )

    @cached_property
    def costs(self) -> pd.DataFrame:
        """Costs of each day that has any, as fractions of the capital of the day before."""
        before = np.concatenate([[1.0], self.ledger.nav[:-1]])
        table = as_table(self.market.dates, self.ledger.charged / before[:, None])
        table.index.name = "date"
        return table[table["total"] > 0].reset_index()


def close_prices(panel: Panel, first: int, last: int) -> pd.DataFrame:
    """Return the closes of a window."""
    return panel.close.iloc[first : last + 1]
