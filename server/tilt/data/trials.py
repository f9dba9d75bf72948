"""The ledger of trials: which backtests were run from a workbook, each counted once.

Who tries a hundred strategies and keeps the best has found something by chance; the count and the
returns of all of them are what a deflated Sharpe ratio and a probability of overfitting need.
"""

import datetime as dt
from dataclasses import dataclass

import numpy as np
import pandas as pd
from sqlalchemy import ColumnElement, Engine, insert, select, update

from tilt.data import catalog
from tilt.data.tables import trials
from tilt.sealing import seal_of

LONGEST = 200  # characters of a workbook's name
STRATEGY = "trials/strategy"  # what an encrypted one is bound to
MOST_SHOWN = 500  # trials whose returns are read at once


@dataclass(frozen=True, eq=False)
class Trial:
    """A backtest that was run.

    run     : its id; the same one is not counted again
    sharpe  : per period; NaN where returns do not vary
    returns : net, by session
    """

    run: str
    universe: str
    strategy: str
    sharpe: float
    returns: "pd.Series[float]"


def record(engine: Engine, owner: str, workbook: str, trial: Trial) -> bool:
    """Write a trial into the ledger; return whether it is a new one.

    One that is there keeps its time and gets the returns of the latest data.
    """
    place = {"owner": owner, "workbook": workbook[:LONGEST], "run": trial.run}
    mine = [trials.c[name] == value for name, value in place.items()]
    dates = pd.DatetimeIndex(trial.returns.index)
    row = {
        "universe": trial.universe,
        "strategy": seal_of(engine).keep_text(trial.strategy, STRATEGY),
        "first": dates[0].date(),
        "last": dates[-1].date(),
        "sharpe": trial.sharpe if np.isfinite(trial.sharpe) else None,
        "returns": seal_of(engine).keep(
            trial.returns.to_numpy(dtype="<f8").tobytes(), place_of(owner, workbook, trial.run)
        ),
    }
    now = dt.datetime.now(dt.UTC)
    with catalog.writing(engine) as connection:
        if connection.execute(update(trials).where(*mine).values(row)).rowcount:
            return False
        connection.execute(insert(trials).values(**place, **row, at=now))
        return True


def tried(engine: Engine, owner: str, workbook: str, universe: str) -> pd.DataFrame:
    """Return run, strategy, first, last, sharpe, at of a workbook's trials, the earliest first."""
    shown = (trials.c.run, trials.c.strategy, trials.c.first, trials.c.last, trials.c.sharpe)
    query = select(*shown, trials.c.at).where(*_of(owner, workbook, universe))
    with catalog.reading(engine) as connection:
        rows = connection.execute(query.order_by(trials.c.at, trials.c.run)).all()
    columns = ["run", "strategy", "first", "last", "sharpe", "at"]
    found = pd.DataFrame(rows, columns=columns).astype({"sharpe": float})
    seal = seal_of(engine)
    found["strategy"] = [seal.open_text(text, STRATEGY) for text in found["strategy"]]
    return found


def returns_of(
    engine: Engine, owner: str, workbook: str, universe: str, dates: pd.DatetimeIndex
) -> pd.DataFrame:
    """Return the returns of the trials over exactly these sessions, dates × runs."""
    query = (
        select(trials.c.run, trials.c.returns)
        .where(
            *_of(owner, workbook, universe),
            trials.c.first == dates[0].date(),
            trials.c.last == dates[-1].date(),
        )
        .order_by(trials.c.at.desc(), trials.c.run)
        .limit(MOST_SHOWN)
    )
    with catalog.reading(engine) as connection:
        rows = connection.execute(query).all()
    seal = seal_of(engine)
    opened = {r.run: seal.open(r.returns, place_of(owner, workbook, r.run)) for r in rows}
    known = {run: np.frombuffer(returns, dtype="<f8") for run, returns in opened.items()}
    same = {run: values for run, values in known.items() if len(values) == len(dates)}
    return pd.DataFrame(same, index=dates, dtype=float)


def place_of(owner: str, workbook: str, run: str) -> str:
    """Return what encrypted returns are bound to."""
    return f"trials/{owner}/{workbook[:LONGEST]}/{run}"


def _of(owner: str, workbook: str, universe: str) -> "tuple[ColumnElement[bool], ...]":
    return (
        trials.c.owner == owner,
        trials.c.workbook == workbook[:LONGEST],
        trials.c.universe == universe,
    )
