"""Risk budgets as a user states them: by name, by sector or by what is held."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from tilt.errors import ArgumentError, UnknownNameError, cut, did_you_mean
from tilt.optimize.terms import Array

BUDGETED = ("risk_parity", "risk_budget")  # objectives
EQUAL, HELD, BY_SECTOR = "equal", "holdings", "sector"


@dataclass(frozen=True, eq=False)
class Budgets:
    """Shares of the risk.

    by_name : by asset, summing to one; a group's budget is shared equally by its names
    groups  : names of what was given a budget
    inside  : by asset, the position of its group, or one beyond the last for none
    notes   : what had to be assumed
    """

    by_name: Array
    groups: tuple[str, ...]
    inside: Array
    notes: tuple[str, ...] = ()

    def of(self, shares: Array) -> Array:
        """Return the sum of some shares over each group."""
        return np.bincount(self.inside, shares, minlength=len(self.groups) + 1)[:-1]


def read_budgets(text: str, *, assets: Array, sectors: Mapping[str, Array], held: Array) -> Budgets:
    """Return the budgets that a text states.

    Parameters
    ----------
    text : ``equal``, ``holdings``, ``sector``, or names and shares as in ``Energy=0.3, AAPL=0.1``;
        names are tickers or sectors
    held : whether each asset is held now

    Raises
    ------
    ArgumentError, UnknownNameError
        If it is none of these, a share is not a positive number, or a name is not known.
    """
    word = text.strip().casefold()
    everything = np.arange(len(assets))
    if word in ("", EQUAL):
        return _shared(assets, everything, np.ones(len(assets)))
    if word == HELD:
        if not held.any():
            raise ArgumentError("budgets=holdings needs holdings; all is cash.")
        inside = np.where(held, np.cumsum(held) - 1, held.sum())
        return _shared(assets[held], inside, np.ones(held.sum()))
    if word == BY_SECTOR:
        if not sectors:
            raise ArgumentError("budgets=sector needs sectors, and none is known.")
        return _shared(sectors, _inside(sectors, len(assets)), np.ones(len(sectors)))
    return _listed(text, assets, sectors)


def _inside(groups: Mapping[str, Array], size: int) -> Array:
    inside = np.full(size, len(groups))
    for n, at in enumerate(groups.values()):
        inside[at] = n
    return inside


def _shared(names: Iterable[object], inside: Array, budgets: Array) -> Budgets:
    """Return budgets that are shared equally within their groups."""
    counts = np.bincount(inside, minlength=len(budgets) + 1)[:-1]
    each = np.append(budgets / budgets.sum() / counts, 0.0)
    return Budgets(each[inside], tuple(map(str, names)), inside)


def _listed(text: str, assets: Array, sectors: Mapping[str, Array]) -> Budgets:
    known = {str(a).casefold(): np.array([n]) for n, a in enumerate(assets)}
    groups: dict[str, Array] = {}
    of: dict[str, float] = {}
    by_fold = {name.casefold(): name for name in sectors}
    for name, number in _pairs(text):
        if name.casefold() in known:
            at = known[name.casefold()]
            name = str(assets[at[0]])
        elif name.casefold() in by_fold:
            name = by_fold[name.casefold()]
            at = sectors[name]
        else:
            raise UnknownNameError(
                f"option budgets: '{cut(name)}' is no ticker or sector with risk data."
                f"{did_you_mean(name, [*map(str, assets), *sectors])}"
            )
        if name in groups:
            raise ArgumentError(f"option budgets: '{name}' is given twice. Keep one.")
        groups[name], of[name] = at, _share(number, name)
    total = sum(of.values())
    if not groups or total <= 0:
        raise ArgumentError("option budgets gives no share. Write Energy=0.3, Health=0.7.")
    seen = np.concatenate(list(groups.values()))
    if len(np.unique(seen)) < len(seen):
        raise ArgumentError("option budgets names a sector and a ticker of it. Give one of them.")
    shared = _shared(groups, _inside(groups, len(assets)), np.array(list(of.values())))
    notes: tuple[str, ...] = ()
    if abs(total - 1) > 1e-6 and abs(total - 100) > 1e-4:
        notes = (f"The budgets add up to {total:g}; each was divided by it.",)
    return replace(shared, notes=notes)


def _pairs(text: str) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for part in (p for p in text.replace(";", ",").split(",") if p.strip()):
        name, sign, number = part.rpartition("=")
        if not sign:
            raise ArgumentError(
                f"option budgets: '{cut(part.strip())}' is not of the form name=share. "
                "Write Energy=0.3, Health=0.7, or equal, holdings or sector."
            )
        found.append((name.strip(), number))
    return found


def factor_budgets(
    text: str, *, factors: Iterable[object], others: Collection[str]
) -> dict[str, float]:
    """Return the shares of the active factor risk that a text states; empty where it names none.

    Parameters
    ----------
    others : tickers and sectors; a name that is one of them and a factor too is no factor here,
        unless another name is a factor alone

    Raises
    ------
    ArgumentError
        If some of the names are factors and others are not, or a share is not positive.
    """
    by_fold = {str(f).casefold(): str(f) for f in factors}
    folded = {name.casefold() for name in others}
    if text.strip().casefold() in ("", EQUAL, HELD, BY_SECTOR):
        return {}
    pairs = _pairs(text)
    alone = [n for n, _ in pairs if n.casefold() in by_fold and n.casefold() not in folded]
    if not alone:
        return {}
    wrong = [n for n, _ in pairs if n.casefold() not in by_fold]
    if wrong:
        raise ArgumentError(
            f"option budgets: '{cut(alone[0])}' is a factor but '{cut(wrong[0])}' is not. "
            "Give budgets of factors, or of tickers and sectors."
        )
    shares = {by_fold[n.casefold()]: _share(number, n) for n, number in pairs}
    total = sum(shares.values())
    return {name: share / total for name, share in shares.items()}


def _share(text: str, name: str) -> float:
    given = text.strip()
    try:
        share = float(given.removesuffix("%")) / (100 if given.endswith("%") else 1)
    except ValueError:
        share = np.nan
    if not share > 0 or not np.isfinite(share):
        raise ArgumentError(
            f"option budgets: the share of {name} must be above zero; got '{cut(given)}'. "
            "A name without a budget is not held."
        )
    return share
