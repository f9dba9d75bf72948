"""What a problem believes of returns: its views on those that the market implies."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from tilt.errors import ArgumentError
from tilt.frames import Weights
from tilt.optimize.constraints import amount
from tilt.optimize.options import Options
from tilt.optimize.posterior import MARKET_SHARPE, blend, market_price_of_risk
from tilt.optimize.terms import Array, Factors
from tilt.optimize.views import View, pick

TOLD = 8  # views that are reported one by one


@dataclass(frozen=True, eq=False)
class Belief:
    """Expected returns above cash after the views, the risk they are to be held with, and why."""

    mean: Array
    model: Factors
    delta: float
    notes: tuple[str, ...]


def alpha_views(alpha: Weights) -> tuple[View, ...]:
    """Return each expected return as a view on one name."""
    return tuple(View((str(name),), (), float(value)) for name, value in alpha.items())


def believe(
    model: Factors,
    market: Array | None,
    views: tuple[View, ...],
    options: Options,
    *,
    assets: Array,
    sectors: Mapping[str, Array],
) -> Belief:
    """Return the posterior of some views.

    Raises
    ------
    ArgumentError
        If there is no benchmark to imply returns, or certain views contradict each other.
    UnknownNameError
        If a view is about a name without risk data.
    """
    if market is None or not np.any(market):
        raise ArgumentError(
            "black_litterman and views need a benchmark: the market portfolio that implies returns."
        )
    notes = []
    delta = options.delta
    if delta is None:
        delta = market_price_of_risk(model, market)
        notes.append(
            f"Returns are implied with delta {delta:.3g}, a Sharpe ratio of {MARKET_SHARPE:g} for "
            "the benchmark."
        )
    chosen = pick(views, assets, sectors, market)
    posterior = blend(model, market, chosen, delta=delta, tau=options.tau)
    for view, row, value in list(zip(views, chosen[0], chosen[1], strict=True))[:TOLD]:
        notes.append(
            f"View '{view.words()}': the market implies {amount(float(row @ posterior.implied))}, "
            f"the view says {amount(float(value))}, {amount(float(row @ posterior.mean))} remains."
        )
    if len(views) > TOLD:
        notes.append(f"{len(views) - TOLD} more views are taken in the same way.")
    if not views:
        notes.append("No views are given: the returns are those that the benchmark implies.")
    return Belief(
        posterior.mean,
        model if options.posterior == "S" else posterior.model,
        delta,
        tuple(notes),
    )
