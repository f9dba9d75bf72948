"""A strategy through time: asked with what was known, filled later, drifting, paying."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd

from tilt.backtest.assumptions import Facts, assumptions
from tilt.backtest.benchmark import compare_with
from tilt.backtest.costs import DAYS, Array, Costs, Liquidity, liquidity
from tilt.backtest.deciding import Progress, blind, decider, given_targets, teller
from tilt.backtest.execution import AS_WANTED, Execution
from tilt.backtest.ledger import (
    Asked,
    Decide,
    Ledger,
    keep_books,
    keep_books_daily,
    keep_given_books,
)
from tilt.backtest.market import Market, window
from tilt.backtest.result import BacktestResult, close_prices
from tilt.backtest.schedule import (
    Plan,
    Rebalance,
    check_lag,
    decision_rows,
    parse_rebalance,
)
from tilt.backtest.strategy import (
    DatedWeights,
    FixedWeights,
    Strategy,
    check_held,
    first_caps,
    identified,
)
from tilt.backtest.walk_forward import Optimal
from tilt.errors import ArgumentError, UnknownNameError
from tilt.frames import Panel, Weights, content_id
from tilt.optimize.constraints import Rule
from tilt.portfolio.measures import per_period
from tilt.rounding import one_thread

LEAST_SESSIONS = 2


def backtest(
    panel: Panel,
    strategy: Strategy,
    *,
    start: pd.Timestamp | None = None,
    end: pd.Timestamp | None = None,
    rebalance: str = "M",
    rules: tuple[Rule, ...] = (),
    benchmark: "str | Weights | Panel" = "universe",
    costs: Costs | None = None,
    lag: int = 1,
    cash_rate: float = 0.0,
    execution: Execution = AS_WANTED,
    progress: Progress | None = None,
    stop: Callable[[], bool] | None = None,
) -> BacktestResult:
    """Return what a strategy would have earned.

    Parameters
    ----------
    start : trading day of the first fill; the strategy decides ``lag`` sessions before it. The
        first day that the strategy and the benchmark allow, unless given
    end : last trading day, the panel's last unless given
    rebalance : D W M Q Y: decided at the close of the period's last session; or ``drift:0.05``
    rules : of an optimizer's objective; other strategies take none
    benchmark : ``universe`` (cap-weighted), ``index`` (published level), ``none``, another
        universe (cap-weighted), or weights
    costs : 10 basis points of what is traded unless given
    lag : sessions from decision to fill; 0 looks ahead and is marked so
    cash_rate : yearly, as a decimal; negative cash pays it
    execution : the smallest trade, and whether shares are whole
    progress : called with the part done and what is being done
    stop : asked before each decision; True ends the run with ``StoppedError``

    Raises
    ------
    ArgumentError, UnknownNameError
        If an argument is wrong, or there is no data for the window.
    NoSolutionError
        If the optimizer finds no portfolio at a decision; the message names the date.
    """
    check_lag(lag)
    if not -0.5 < cash_rate < 1.0:
        raise ArgumentError(f"cash must be a yearly rate such as 0.03; got {cash_rate:g}.")
    costs = costs or Costs()
    strategy = _ready(strategy, panel, rules, benchmark)
    schedule = _schedule(strategy, rebalance)
    liquid = liquidity(panel, costs)
    plan = _plan(panel, strategy, start, end, schedule, benchmark, lag, liquid)
    daily_rate = per_period(cash_rate, DAYS)
    tell = teller(panel, plan, progress, stop)
    with one_thread():  # the same to the last bit, and a second one would mostly wait
        market = window(panel, plan.first, plan.last, liquid)
        given = given_targets(panel, strategy, plan, tell)
        ledger = _simulate(
            market,
            plan,
            schedule,
            decider(panel, strategy, plan, tell) if given is None else blind(given),
            given,
            lag=lag,
            cash_rate=daily_rate,
            costs=costs,
            execution=execution,
        )
        compared = compare_with(
            benchmark,
            panel,
            first=plan.first,
            decisions=plan.decisions,
            lag=lag,
            cash_rate=daily_rate,
            market=market,
        )
    facts = Facts(
        strategy=strategy.name,
        rebalance="on the dates given" if _own_dates(strategy) is not None else schedule.words(),
        lag=lag,
        cash_rate=cash_rate,
        costs=costs,
        execution=execution,
        benchmark=compared.words,
        given=_given(strategy),
        notes=strategy.notes,
    )
    identity = [strategy.identity, rebalance, lag, cash_rate, costs, identified(benchmark)]
    if execution != AS_WANTED:
        identity.append(execution)
    return BacktestResult(
        run_id=content_id(panel.universe, panel.snapshot, market.dates[[0, -1]], *identity),
        strategy=strategy.name,
        market=market,
        ledger=ledger,
        benchmark=compared.returns,
        close=close_prices(panel, plan.first, plan.last),
        assumptions=assumptions(facts, panel, market, ledger),
        risk_free=cash_rate,
    )


def decision_dates(
    panel: Panel,
    strategy: Strategy,
    *,
    start: pd.Timestamp | None,
    end: pd.Timestamp | None,
    rebalance: str,
    benchmark: "str | Weights | Panel",
    costs: Costs,
    lag: int,
) -> pd.DatetimeIndex:
    """Return the dates at which a backtest will ask its strategy, arguments as in ``backtest``.

    Where weights that drift decide, only the first is known beforehand.
    """
    strategy = _ready(strategy, panel, (), benchmark)
    schedule = _schedule(strategy, rebalance)
    liquid = liquidity(panel, costs)
    plan = _plan(panel, strategy, start, end, schedule, benchmark, lag, liquid)
    known = plan.decisions if schedule.drift is None else plan.decisions[:1]
    return panel.dates[[plan.first + row for row in known]]


def _ready(
    strategy: Strategy, panel: Panel, rules: tuple[Rule, ...], benchmark: "str | Weights | Panel"
) -> Strategy:
    """Return the strategy bound to the panel's dates, the rules and the benchmark."""
    if isinstance(strategy, FixedWeights):
        check_held(strategy.given, panel, "the weights")
    if isinstance(strategy, DatedWeights):
        check_held(strategy.given.iloc[0], panel, "the weights")
        strategy = strategy.on_sessions(panel.dates)
    if isinstance(strategy, Optimal):
        if isinstance(benchmark, str):
            strategy = replace(strategy, benchmark=None if benchmark == "none" else "universe")
        else:
            strategy = replace(strategy, benchmark=benchmark)
        return replace(strategy, rules=rules) if rules else strategy
    if rules:
        raise ArgumentError(
            f"Constraints bind an optimizer's objective; '{strategy.name}' is none. "
            "Leave them out, or use an objective such as min_te."
        )
    return strategy


def _schedule(strategy: Strategy, rebalance: str) -> Rebalance:
    """Return when to rebalance; a strategy with dates of its own trades on them alone."""
    asked = parse_rebalance(rebalance)
    return asked if _own_dates(strategy) is None else Rebalance()


def _given(strategy: Strategy) -> str:
    """Return what of a strategy was given once for the whole window, by someone who can look back.

    Weights by date are taken to be as they were decided then.
    """
    if isinstance(strategy, FixedWeights):
        return "weights"
    return "alpha" if isinstance(strategy, Optimal) and strategy.alpha is not None else ""


def _own_dates(strategy: Strategy) -> pd.DatetimeIndex | None:
    return pd.DatetimeIndex(strategy.given.index) if isinstance(strategy, DatedWeights) else None


def _plan(
    panel: Panel,
    strategy: Strategy,
    start: pd.Timestamp | None,
    end: pd.Timestamp | None,
    schedule: Rebalance,
    benchmark: "str | Weights | Panel",
    lag: int,
    liquid: Liquidity | None,
) -> Plan:
    sessions = panel.dates
    last = len(sessions) - 1 if end is None else _row(panel, end)
    earliest = strategy.earliest(panel)
    if isinstance(benchmark, str) and benchmark == "universe":
        earliest = max(earliest, first_caps(panel))
    if isinstance(benchmark, Panel):
        earliest = max(earliest, first_caps(benchmark))
    liquid_from = 0 if liquid is None else liquid.first
    possible = max(_row(panel, earliest) + lag, liquid_from)
    first = possible if start is None else max(_row(panel, start), lag)
    # Fixed weights may begin before their youngest name does: it waits in cash.
    allowed = liquid_from if isinstance(strategy, FixedWeights) else possible
    if first < allowed:
        raise UnknownNameError(
            f"'{strategy.name}' cannot start on {sessions[first]:%Y-%m-%d}: it has what it needs, "
            f"with its benchmark and costs, from {sessions[min(allowed, last)]:%Y-%m-%d} on."
        )
    if last - first + 1 < LEAST_SESSIONS:
        began = sessions[min(first, len(sessions) - 1)]
        raise ArgumentError(
            f"The backtest would run from {began:%Y-%m-%d} to {sessions[last]:%Y-%m-%d}, "
            f"fewer than {LEAST_SESSIONS} sessions. Choose an earlier start or a later end."
        )
    rows = decision_rows(
        sessions, first, last, rebalance=schedule, lag=lag, given=_own_dates(strategy)
    )
    return Plan(first, last, rows)


def _row(panel: Panel, date: pd.Timestamp) -> int:
    return int(panel.dates.get_indexer(pd.DatetimeIndex([panel.trading_day(date)]))[0])


def _simulate(
    market: Market,
    plan: Plan,
    schedule: Rebalance,
    ask: Decide,
    given: Asked | None,
    *,
    lag: int,
    cash_rate: float,
    costs: Costs,
    execution: Execution,
) -> Ledger:
    if schedule.drift is None and given is not None:
        return keep_given_books(
            market,
            plan.decisions,
            given,
            lag=lag,
            cash_rate=cash_rate,
            costs=costs,
            execution=execution,
        )
    if schedule.drift is None:
        return keep_books(
            market,
            plan.decisions,
            ask,
            lag=lag,
            cash_rate=cash_rate,
            costs=costs,
            execution=execution,
        )
    most = schedule.drift

    def has_drifted(row: int, held: Array, target: Array | None) -> bool:
        if target is None or row + max(lag, 1) >= market.days:
            return False
        wanted = np.where(market.priced[row], target, held)  # what cannot be traded cannot drift
        return bool(np.abs(held - wanted).max() > most)

    return keep_books_daily(
        market,
        has_drifted,
        ask,
        lag=lag,
        cash_rate=cash_rate,
        costs=costs,
        execution=execution,
    )
