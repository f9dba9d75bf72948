"""The trials of a workbook: each backtest that a cell or button runs is counted once."""

import re
from contextvars import ContextVar
from dataclasses import fields, replace

import numpy as np
import pandas as pd

from tilt.api.backtests import Asked, read_number_option
from tilt.api.state import USER, State
from tilt.backtest.costs import DAYS
from tilt.backtest.result import BacktestResult
from tilt.data import trials
from tilt.errors import ArgumentError
from tilt.frames import content_id
from tilt.portfolio.honesty import Trials, sharpe_ratio
from tilt.portfolio.measures import per_period

WORKBOOK: ContextVar[str] = ContextVar("workbook", default="")
TRIALS = "trials"  # the option: how many were tried in all, where the ledger cannot know
MOST_TRIALS = 1_000_000
_BOOK = re.compile(r"^'?\[([^\]]+)\]")
_NOT_OF_A_TRIAL = frozenset({"benchmark", "configured"})


def enter_workbook(caller: object) -> None:
    """Note which workbook asks, from the address of the cell, ``[Book1.xlsx]Sheet1!A1``."""
    found = _BOOK.match(caller) if isinstance(caller, str) else None
    WORKBOOK.set(found[1] if found else "")


def without_count(asked: Asked) -> tuple[Asked, int]:
    """Return a backtest without the option ``trials``, and that option; 0 if it is not given.

    Raises
    ------
    ArgumentError
        If it is no whole number from 1.
    """
    given = asked.options.get(TRIALS)
    if given is None:
        return asked, 0
    count = read_number_option(TRIALS, given)
    if count != int(count) or not 1 <= count <= MOST_TRIALS:
        raise ArgumentError(
            f"option trials must be a whole number from 1 to {MOST_TRIALS:,}; got {count:g}."
        )
    left = {k: v for k, v in asked.options.items() if k != TRIALS}
    return replace(asked, options=left), int(count)


def count_trial(
    state: State,
    asked: Asked,
    strategy: str,
    returns: "pd.Series[float]",
    *,
    risk_free: float,
    run_id: str,
) -> None:
    """Write a backtest into the ledger of the workbook that asks, unless it is there.

    Parameters
    ----------
    returns : net, by session
    risk_free : a year
    run_id : of the result
    """
    owner, workbook = USER.get() or "local", WORKBOOK.get()
    panel = state.panel(asked.universe or None)
    run = _id_of(asked, panel.universe)
    excess = np.asarray(returns - per_period(risk_free, DAYS), dtype=np.float64)
    trial = trials.Trial(run, panel.universe, strategy, sharpe_ratio(excess), returns)
    state.once(
        ("trial", owner, workbook, run, run_id),
        lambda: trials.record(state.store.catalog, owner, workbook, trial),
    )


def with_trials(state: State, asked: Asked, result: BacktestResult, count: int) -> BacktestResult:
    """Return a result that knows what else was tried from the workbook.

    Parameters
    ----------
    count : how many were tried, as the user says; 0 for what the ledger has
    """
    owner, workbook = USER.get() or "local", WORKBOOK.get()
    panel = state.panel(asked.universe or None)
    catalog = state.store.catalog
    known = trials.tried(catalog, owner, workbook, panel.universe)
    dates = pd.DatetimeIndex(result.returns.index)
    returns = trials.returns_of(catalog, owner, workbook, panel.universe, dates)
    found = Trials(
        count=max(count or len(known), 1),
        sharpes=tuple(known["sharpe"].dropna()),
        returns=returns,
    )
    return replace(result, trials=found)


def listed_trials(state: State, asked: Asked) -> pd.DataFrame:
    """Return run, strategy, first, last, sharpe (a year), at: the workbook's ledger."""
    panel = state.panel(asked.universe or None)
    known = trials.tried(state.store.catalog, USER.get() or "local", WORKBOOK.get(), panel.universe)
    dated = {c: pd.to_datetime(known[c]) for c in ("first", "last")}
    when = pd.to_datetime(known["at"], utc=True).dt.tz_localize(None)
    return known.assign(**dated, at=when, sharpe=known["sharpe"] * DAYS**0.5)


def _id_of(asked: Asked, universe: str) -> str:
    """Return what is the same for the same trial, whatever the data and the benchmark."""
    given = [getattr(asked, f.name) for f in fields(asked) if f.name not in _NOT_OF_A_TRIAL]
    return content_id(universe, *given)
