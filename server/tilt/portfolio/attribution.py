"""Why a portfolio did better or worse than its benchmark: Brinson and Fachler, linked through time.

Per period and group, with weights at its start (Brinson, Fachler 1985):
allocation ``(wp - wb)(rb - Rb)``, selection ``wb (rp - rb)``, interaction ``(wp - wb)(rp - rb)``.
They sum to the period's active return. Active returns of periods do not add up to the compounded
one, so each period's effects are scaled or carried on by one of four methods, all of them exact.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import pandas as pd

from tilt.errors import DataError, one_of

EFFECTS = ("allocation", "selection", "interaction")
WHOLE = 1e-6  # how far the weights of a period may be from summing to one
NOTHING = 1e-12  # a weight that has no return of its own: long and short cancel, or none is held
COSTS, RESIDUAL, TOTAL = "Trading and costs", "Residual", "Total"
Array = np.ndarray


@dataclass(frozen=True, eq=False)
class Brinson:
    """Effects by period and group.

    allocation, selection, interaction : periods × groups, as fractions of the period's capital
    portfolio, benchmark : return of each period
    weights, benchmark_weights, returns, benchmark_returns : what it was computed from
    costs : what the portfolio earned beyond its holdings, by period; None for nothing
    """

    allocation: pd.DataFrame
    selection: pd.DataFrame
    interaction: pd.DataFrame
    portfolio: "pd.Series[float]"
    benchmark: "pd.Series[float]"
    weights: pd.DataFrame
    benchmark_weights: pd.DataFrame
    returns: pd.DataFrame
    benchmark_returns: pd.DataFrame
    costs: "pd.Series[float] | None" = None


def brinson(
    weights: pd.DataFrame,
    benchmark_weights: pd.DataFrame,
    returns: pd.DataFrame,
    benchmark_returns: pd.DataFrame,
) -> Brinson:
    """Split each period's active return.

    Parameters
    ----------
    weights, benchmark_weights : periods × groups, at the start of the period; each row sums to one
        (cash is a group)
    returns, benchmark_returns : periods × groups, simple, of the period. A group's return may be
        missing where it has no weight: it then counts as that of the other side, so that holding
        nothing of a group selects nothing in it

    Raises
    ------
    DataError
        If labels differ, weights are missing or do not sum to one, or a held group has no return.
    """
    named = {
        "portfolio_weights": weights,
        "benchmark_weights": benchmark_weights,
        "portfolio_returns": returns,
        "benchmark_returns": benchmark_returns,
    }
    _check_labels(named)
    wp, wb = (_weights(named[n], n) for n in ("portfolio_weights", "benchmark_weights"))
    rp = _returns(returns, "portfolio_returns", wp)
    rb = _returns(benchmark_returns, "benchmark_returns", wb)
    return split_active(
        weights,
        benchmark_weights,
        weights * np.where(wp == 0.0, 0.0, rp),
        benchmark_weights * np.where(wb == 0.0, 0.0, rb),
        known=(rp, rb),
    )


def split_active(
    weights: pd.DataFrame,
    benchmark_weights: pd.DataFrame,
    contributions: pd.DataFrame,
    benchmark_contributions: pd.DataFrame,
    *,
    known: tuple[Array, Array] | None = None,
    costs: "pd.Series[float] | None" = None,
) -> Brinson:
    """Split each period's active return by what the groups contributed.

    Parameters
    ----------
    weights, benchmark_weights : periods × groups, at the start of the period; rows sum to one
    contributions, benchmark_contributions : likewise, of the group to the period's return
    known : the groups' returns of both sides; contribution over weight where left out. Where a
        side has no weight and no return it counts as the other one. What a group of no net weight
        still earns, long against short, is interaction
    costs : what the portfolio earned beyond its holdings, by period, mostly below zero
    """
    wp, wb = weights.to_numpy(dtype=float), benchmark_weights.to_numpy(dtype=float)
    cp, cb = contributions.to_numpy(dtype=float), benchmark_contributions.to_numpy(dtype=float)
    rp, rb = known or (_quotient(cp, wp), _quotient(cb, wb))
    rp, rb = np.where(np.isnan(rp), rb, rp), np.where(np.isnan(rb), rp, rb)
    rp, rb = np.nan_to_num(rp), np.nan_to_num(rb)  # a group that neither holds
    total_p, total_b = cp.sum(axis=1), cb.sum(axis=1)
    selection = wb * (rp - rb)

    def labelled(values: Array) -> pd.DataFrame:
        return pd.DataFrame(values, index=weights.index, columns=weights.columns)

    own = np.zeros(len(cp)) if costs is None else costs.to_numpy(dtype=float)
    return Brinson(
        allocation=labelled((wp - wb) * (rb - total_b[:, None])),
        selection=labelled(selection),
        interaction=labelled(cp - cb - (wp - wb) * rb - selection),
        portfolio=pd.Series(total_p + own, weights.index),
        benchmark=pd.Series(total_b, weights.index),
        weights=weights,
        benchmark_weights=benchmark_weights,
        returns=labelled(rp),
        benchmark_returns=labelled(rb),
        costs=costs,
    )


def _quotient(contribution: Array, weight: Array) -> Array:
    held = np.abs(weight) > NOTHING
    return np.where(held, contribution / np.where(held, weight, 1.0), np.nan)


def brinson_table(found: Brinson, *, link: str = "carino", merge: bool = False) -> pd.DataFrame:
    """Return the effects of all periods by group, linked.

    Parameters
    ----------
    merge : count the interaction with the selection

    Returns
    -------
    group, weight, benchmark_weight (means over the periods), return, benchmark_return (compounded
    over the periods; NaN for a group that is never held, or of which long and short cancel),
    allocation, selection, interaction, total; then rows for trading and costs where there are any,
    a row ``Residual``, what the effects leave of the active return, and a row ``Total``, whose
    total is that return.

    Raises
    ------
    ArgumentError
        If the method of linking is unknown.
    """
    parts = {effect: linked(found, effect, link=link) for effect in EFFECTS}
    if merge:
        parts["selection"] = parts["selection"] + parts["interaction"]
        parts["interaction"] = 0.0 * parts["interaction"]
    table = pd.DataFrame(
        {
            "weight": found.weights.mean(),
            "benchmark_weight": found.benchmark_weights.mean(),
            "return": _compounded(found.returns, found.weights),
            "benchmark_return": _compounded(found.benchmark_returns, found.benchmark_weights),
            **parts,
        }
    ).rename_axis("group")
    table["total"] = table[list(EFFECTS)].sum(axis=1)
    held = table[["weight", "benchmark_weight"]].sum()
    rp, rb = (compound(r) for r in (found.portfolio, found.benchmark))
    sums = table[list(EFFECTS)].sum()
    explained = float(sums.sum())
    if found.costs is not None:
        rates = linking(found.portfolio, found.benchmark, link=link)
        table.loc[COSTS, "total"] = float(rates @ found.costs.to_numpy(dtype=float))
        explained += float(table["total"][COSTS])
    table.loc[RESIDUAL, "total"] = rp - rb - explained
    table.loc[TOTAL] = [*held, rp, rb, *sums, rp - rb]
    return table.reset_index()


def linked(found: Brinson, effect: str, *, link: str = "carino") -> "pd.Series[float]":
    """Return one effect over all periods by group; the three effects sum to the active return."""
    values: pd.DataFrame = getattr(found, one_of("effect", effect, EFFECTS))
    rates = linking(found.portfolio, found.benchmark, link=link)
    return pd.Series(rates @ values.to_numpy(dtype=float), index=values.columns)


def linking(
    portfolio: "pd.Series[float]", benchmark: "pd.Series[float]", *, link: str = "carino"
) -> Array:
    """Return by what each period's effects count, so that they sum to the compounded active return.

    Parameters
    ----------
    portfolio, benchmark : returns by period
    link : a name of ``LINKS``

    Raises
    ------
    ArgumentError
        If the method is unknown.
    """
    method = LINKS[one_of("link", link, tuple(LINKS))]
    return method(portfolio.to_numpy(dtype=float), benchmark.to_numpy(dtype=float))


def add_rows(table: pd.DataFrame, rows: Mapping[str, list[object]]) -> pd.DataFrame:
    """Return a table, whose index has a name, with labelled rows at its end."""
    more = pd.DataFrame.from_dict(dict(rows), orient="index", columns=table.columns)
    return pd.concat([table, more]).rename_axis(index=str(table.index.name))


def compound(returns: "pd.Series[float]") -> float:
    """Return what periods make together."""
    return float(np.prod(1 + returns.to_numpy(dtype=float)) - 1)


def _carino(rp: Array, rb: Array) -> Array:
    """Carino (1999): each period counts by how logarithms share out the compounded return."""
    total_p, total_b = np.prod(1 + rp) - 1, np.prod(1 + rb) - 1
    whole = _log_ratio(np.array([total_p]), np.array([total_b]))
    return np.asarray(_log_ratio(rp, rb) / whole)


def _log_ratio(rp: Array, rb: Array) -> Array:
    apart = rp - rb
    same = np.abs(apart) < 1e-9
    gap = np.log1p(rp) - np.log1p(rb)
    middle = 1 / (1 + (rp + rb) / 2)  # the limit as the two meet, exact to the third order
    return np.asarray(np.where(same, middle, gap / np.where(same, 1.0, apart)))


def _menchero(rp: Array, rb: Array) -> Array:
    """Menchero (2000): one natural scale, and the least correction that makes the sum exact."""
    periods = len(rp)
    total_p, total_b = np.prod(1 + rp) - 1, np.prod(1 + rb) - 1
    apart = total_p - total_b
    if abs(apart) < 1e-12:
        scale = (1 + total_p) ** ((periods - 1) / periods)
    else:
        roots = (1 + total_p) ** (1 / periods) - (1 + total_b) ** (1 / periods)
        scale = apart / periods / roots
    active = rp - rb
    squares = (active**2).sum()
    left = apart - scale * active.sum()
    correction = active * (left / squares) if squares > 0 else np.zeros(periods)
    return np.asarray(scale + correction)


def _grap(rp: Array, rb: Array) -> Array:
    """GRAP (1997): grown by the portfolio before the period and by the benchmark after it."""
    before = np.concatenate([[1.0], np.cumprod(1 + rp)[:-1]])
    after = np.concatenate([np.cumprod((1 + rb)[::-1])[::-1][1:], [1.0]])
    return np.asarray(before * after)


def _frongello(rp: Array, rb: Array) -> Array:
    """Frongello (2002): earlier effects earn the benchmark, new ones start from the portfolio."""
    rates = np.zeros(len(rp))
    grown = 1.0
    for period, (p, b) in enumerate(zip(rp, rb, strict=True)):
        rates[:period] *= 1 + b
        rates[period] = grown
        grown *= 1 + p
    return rates


LINKS: Mapping[str, Callable[[Array, Array], Array]] = MappingProxyType(
    {"carino": _carino, "menchero": _menchero, "grap": _grap, "frongello": _frongello}
)


def _check_labels(named: Mapping[str, pd.DataFrame]) -> None:
    first, *others = named
    for other in others:
        if not named[first].index.equals(named[other].index):
            raise DataError(f"{first} and {other} have different periods. Give the same for both.")
        extra = named[first].columns.symmetric_difference(named[other].columns)
        if len(extra) or not named[first].columns.equals(named[other].columns):
            which = f": '{extra[0]}' is only in one of them" if len(extra) else ""
            raise DataError(f"{first} and {other} have different groups{which}.")
    if not len(named[first]):
        raise DataError("There is no period. Give at least one.")


def _weights(table: pd.DataFrame, name: str) -> Array:
    values = table.to_numpy(dtype=float)
    if not np.isfinite(values).all():
        row, column = np.argwhere(~np.isfinite(values))[0]
        raise DataError(
            f"{name}: {table.columns[column]} has no weight in {_shown(table.index[row])}. Use 0."
        )
    off = np.abs(values.sum(axis=1) - 1)
    if (off > WHOLE).any():
        row = int(np.argmax(off > WHOLE))
        raise DataError(
            f"{name} of {_shown(table.index[row])} sum to {values[row].sum():.4%}, not 100 %. "
            "Add the rest as a group such as Cash."
        )
    return values


def _returns(table: pd.DataFrame, name: str, weights: Array) -> Array:
    values = table.to_numpy(dtype=float)
    bad = (~np.isfinite(values) & (weights != 0)) | (values <= -1 - 1e-12)
    if bad.any():
        row, column = np.argwhere(bad)[0]
        what = f"{values[row, column]:g}" if np.isfinite(values[row, column]) else "missing"
        raise DataError(
            f"{name} of {table.columns[column]} in {_shown(table.index[row])} is {what}. "
            "Give a simple return as a decimal."
        )
    return np.where(np.isfinite(values), values, np.nan)


def _shown(label: object) -> str:
    return f"{label:%Y-%m-%d}" if isinstance(label, pd.Timestamp) else str(label)


def _compounded(returns: pd.DataFrame, weights: pd.DataFrame) -> "pd.Series[float]":
    whole: pd.Series[float] = (1 + returns).prod() - 1
    held = (weights.abs() > NOTHING).any() & (returns > -1).all()
    return whole.where(held)
