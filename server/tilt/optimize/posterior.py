"""Expected returns that the market implies, moved by views (Black, Litterman).

With the equilibrium ``π = δ S w_market`` and views ``P μ = q`` of uncertainty Ω:

    μ = π + τ S P' (P τ S P' + Ω)⁻¹ (q - P π)
    M = τ S - τ S P' (P τ S P' + Ω)⁻¹ P τ S

M is how uncertain μ is, and ``S + M`` the risk of a portfolio chosen by it. Both keep the factor
form: beside the factors only the own risk of the names in a view takes part.

References
----------
Black, Litterman (1992), Global Portfolio Optimization, Financial Analysts Journal 48(5); He,
Litterman (1999), The Intuition Behind Black-Litterman Model Portfolios; Idzorek (2005), A
Step-by-Step Guide to the Black-Litterman Model, with the closed form of Walters (2014).
"""

from dataclasses import dataclass

import numpy as np

from tilt.errors import ArgumentError
from tilt.optimize.terms import Array, Factors

MARKET_SHARPE = 0.5  # a year: long-run excess return of shares over their volatility


@dataclass(frozen=True, eq=False)
class Posterior:
    """What is believed after the views.

    implied : π, by asset, a year above cash
    mean    : μ, the same
    model   : ``S + M``, the factors of the risk model first
    """

    implied: Array
    mean: Array
    model: Factors


def market_price_of_risk(model: Factors, market: Array) -> float:
    """Return δ for a market whose Sharpe ratio is ``MARKET_SHARPE``.

    Raises
    ------
    ArgumentError
        If the market portfolio has no risk.
    """
    volatility = model.volatility(market)
    if volatility <= 0:
        raise ArgumentError("The benchmark has no risk, so it implies no returns. Give another.")
    return MARKET_SHARPE / volatility


def blend(
    model: Factors,
    market: Array,
    views: tuple[Array, Array, Array],
    *,
    delta: float,
    tau: float,
) -> Posterior:
    """Return the posterior of views.

    Parameters
    ----------
    market : weights of the market portfolio
    views : P (views × assets), q (a year), confidences. A confidence of one half gives a view the
        variance ``P τS P'`` of the prior's own, He and Litterman's choice; c gives it (1-c)/c
        times that, which is Idzorek's; one makes it certain
    delta : price of variance that the market pays
    tau : how uncertain the implied returns are, in units of S

    Raises
    ------
    ArgumentError
        If views held for certain contradict each other.
    """
    P, q, confidence = views
    implied = delta * model.apply(market)
    spread = (
        np.column_stack([model.apply(row) for row in P]) if len(P) else np.zeros((len(market), 0))
    )
    prior = tau * (P @ spread)
    uncertain = np.diag(prior) * (1 - confidence) / confidence
    inside = prior + np.diag(uncertain)
    if len(P) and np.linalg.cond(inside) > 1e12:
        raise ArgumentError(
            "The views contradict or repeat each other with a confidence of 1. "
            "Lower a confidence, or leave one out."
        )
    mean = implied + tau * spread @ np.linalg.solve(inside, q - P @ implied)
    return Posterior(implied, mean, _uncertain(model, P, inside, tau))


def _uncertain(model: Factors, P: Array, inside: Array, tau: float) -> Factors:
    """Return ``S + M`` in factor form.

    On the columns ``E = [B, unit vectors of the names in a view]`` the prior is ``E Φ E'`` plus
    the own risk of the other names, and the views take ``τΦJ'(...)⁻¹JΦτ`` away, with ``J = P E``.
    """
    n, k = model.exposures.shape
    touched = np.flatnonzero((P != 0).any(axis=0))
    t = len(touched)
    units = np.zeros((n, t))
    units[touched, np.arange(t)] = 1.0
    wide = np.hstack([model.exposures, units])
    inner = np.zeros((k + t, k + t))
    inner[:k, :k] = model.covariance
    inner[k:, k:] = np.diag(model.specific[touched])
    seen = P @ wide @ inner
    covariance = (1 + tau) * inner - tau**2 * seen.T @ np.linalg.solve(inside, seen)
    covariance = (covariance + covariance.T) / 2
    values, vectors = np.linalg.eigh(covariance)
    specific = (1 + tau) * model.specific
    specific[touched] = 0.0
    return Factors(wide, covariance, specific, vectors * np.sqrt(np.maximum(values, 0.0)))
