"""How a strategy is asked: for its answer to what it sees, or for targets given beforehand."""

from collections.abc import Callable

import numpy as np
import pandas as pd

from tilt.backtest.costs import Array
from tilt.backtest.ledger import Asked, Decide
from tilt.backtest.market import turn
from tilt.backtest.schedule import Plan
from tilt.backtest.strategy import DatedWeights, FixedWeights, Strategy
from tilt.errors import ArgumentError, StoppedError, UnknownNameError
from tilt.frames import Panel, Weights

Progress = Callable[[float, str], None]
Tell = Callable[[int], None]


def teller(
    panel: Panel, plan: Plan, progress: Progress | None, stop: Callable[[], bool] | None
) -> Tell:
    """Return what hears of each decision before it is made, and may end the run."""
    days, dates = plan.last - plan.first + 1, panel.dates

    def tell(row: int) -> None:
        if stop is not None and stop():
            raise StoppedError(f"The backtest was stopped at {dates[plan.first + row]:%Y-%m-%d}.")
        if progress is not None:
            progress(max(row, 0) / days, f"Deciding on {dates[plan.first + row]:%Y-%m-%d}")

    return tell


def given_targets(panel: Panel, strategy: Strategy, plan: Plan, tell: Tell) -> Asked | None:
    """Return what gives the targets of a strategy that needs no view, over all assets.

    None for one that decides from what it sees.
    """
    if isinstance(strategy, FixedWeights):
        targets = _over_assets(panel, strategy.given.to_frame().T)
        place = np.zeros(len(panel.dates), dtype=int)
    elif isinstance(strategy, DatedWeights):
        targets = _over_assets(panel, strategy.given)
        strategy.row(panel.dates[plan.first + plan.decisions[0]])  # says if it begins too late
        place = strategy.given.index.searchsorted(panel.dates, side="right") - 1
    else:
        return None
    with np.errstate(over="ignore", invalid="ignore"):
        sound = np.isfinite(targets @ np.ones(targets.shape[1]))  # less work than a look at each
    sound[~sound] = np.isfinite(targets[~sound]).all(axis=1)
    places, numbers = place.tolist(), sound.tolist()

    def asked(row: int) -> Array:
        tell(row)
        at = places[plan.first + row]
        if not numbers[at]:
            raise _no_number(panel.dates[plan.first + row])
        target: Array = targets[at]
        return target

    return asked


def blind(asked: Asked) -> Decide:
    """Return what decides without a look at the book."""
    return lambda row, _held: asked(row)


def decider(panel: Panel, strategy: Strategy, plan: Plan, tell: Tell) -> Decide:
    """Return what asks the strategy with the view of a decision's date, over all assets."""

    def ask(row: int, held: Array) -> Array:
        tell(row)
        date = panel.dates[plan.first + row]
        current = pd.Series(held, index=panel.assets)
        target = strategy.weights(panel.until(date), current[held != 0.0])
        return _on_assets(panel, target, date)

    return ask


def _on_assets(panel: Panel, target: Weights, date: pd.Timestamp) -> Array:
    """Return the weights of a date over all assets."""
    place = panel.assets.get_indexer(target.index)
    if (place < 0).any():
        raise UnknownNameError(
            f"The strategy holds {target.index[place < 0][0]} on {date:%Y-%m-%d}, "
            f"which is not in '{panel.universe}'."
        )
    given = np.asarray(target, dtype=np.float64)
    if not np.isfinite(given).all():
        raise _no_number(date)
    found: Array = np.bincount(place, given, minlength=len(panel.assets)).astype(np.float64)
    return found


def _over_assets(panel: Panel, given: pd.DataFrame) -> Array:
    """Return weights of known names by date, dates × assets, those of a date side by side."""
    place = panel.assets.get_indexer(given.columns)
    values = given.to_numpy(dtype=np.float64)
    if np.array_equal(place, np.arange(len(panel.assets))):
        copied = np.empty(values.shape)
        turn(values, copied)
        return copied
    found = np.zeros((len(given), len(panel.assets)))
    if given.columns.is_unique:
        found[:, place] = values
    else:
        np.add.at(found.T, place, values.T)
    return found


def _no_number(date: pd.Timestamp) -> ArgumentError:
    return ArgumentError(f"The strategy gives a weight that is no number on {date:%Y-%m-%d}.")
