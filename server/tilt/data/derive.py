"""From a parent's panel and a rule to a universe's membership and weights, point in time.

Whoever is in on a day was chosen with what was known at the close of the session before the last
review. So what comes later, even later the same day, changes no membership.

Weights are set at a review and drift with market caps until the next, as an index's do: each
member has a factor that makes its cap the weight the rule gives it at the review.
"""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pandas as pd

from tilt.data.rules import Rule, Universe
from tilt.data.securities import FREE_FLOAT
from tilt.errors import DataError, UnknownNameError, did_you_mean
from tilt.frames import Panel, listed


def data_snapshot(snapshot: str) -> str:
    """Return the snapshot that has the data: that of the parent for a universe made by a rule."""
    return snapshot.partition(".")[0]


def derive(parent: Panel, universe: Universe) -> Panel:
    """Return the panel of a universe that a rule makes out of its parent.

    Prices, factor model and index level are the parent's; membership and weights are its own. Its
    ``snapshot`` is the parent's with the rule's id.

    Raises
    ------
    UnknownNameError
        If the rule names a ticker, sector, industry or country that the parent does not have.
    DataError
        If it needs market caps, countries or free floats and there are none.
    """
    rule = universe.rule
    check_rule(parent, rule)
    member = np.zeros(parent.close.shape, dtype=bool)
    factor = np.full(parent.close.shape, np.nan)
    weights = _Weights(parent, rule)
    uncapped = 0
    chosen = np.zeros(len(parent.assets), dtype=bool)
    for row, beyond, eligible in _reviews(parent, rule):
        chosen = _choose(eligible, weights.size[row - 1], chosen, rule)
        member[row:beyond] = chosen
        factor[row:beyond], held = weights.factors(row - 1, chosen)
        uncapped += not held
    inside = parent.member.to_numpy(dtype=bool) & member
    return replace(
        parent,
        universe=universe.name,
        snapshot=f"{parent.snapshot}.{rule.id}",
        member=_like(parent, inside),
        index_weight=_like(parent, weights.base * factor) if weights.known else None,
        survivorship=" ".join([parent.survivorship, *_notes(parent, rule, inside, uncapped)]),
    )


def check_rule(parent: Panel, rule: Rule) -> None:
    """Raise the error of a rule that cannot be applied to a parent."""
    for ticker in (*rule.tickers, *rule.exclude):
        if ticker not in parent.assets:
            near = did_you_mean(ticker, [str(t) for t in parent.assets])
            raise UnknownNameError(f"Unknown ticker '{ticker}' in '{parent.universe}'.{near}")
    for column, names in _groups(rule):
        if column not in parent.securities.columns:
            raise DataError(
                f"'{parent.universe}' has no {column}: its source gives none. Import a table of "
                f"securities with the column '{column}', or leave {column} out of the rule."
            )
        known = sorted({str(v) for v in parent.securities[column].dropna()})
        for name in names:
            if name not in known:
                near = did_you_mean(name, known)
                raise UnknownNameError(f"No {column} '{name}' in '{parent.universe}'.{near}")
    if (rule.top or rule.cap or rule.weighting != "cap") and not _has_caps(parent):
        raise DataError(
            f"'{parent.universe}' has no market caps; a rule by size, by weight or with a cap "
            "needs them."
        )
    if rule.weighting == "float" and FREE_FLOAT not in parent.securities.columns:
        raise DataError(
            f"'{parent.universe}' has no free float: its source gives none. Use weighting cap, or "
            f"import a table of securities with the column '{FREE_FLOAT}'."
        )


def capped(weights: np.ndarray, cap: float) -> np.ndarray:
    """Return weights of which none is above ``cap``; what is cut goes to the others in proportion.

    Parameters
    ----------
    weights : not negative, some positive
    cap : fraction of the whole

    Returns
    -------
    weights that sum to one; equal ones if there are too few names for the cap
    """
    share = weights / weights.sum()
    if cap * np.count_nonzero(share > 0) <= 1:
        equal: np.ndarray = (share > 0) / np.count_nonzero(share > 0)
        return equal
    full = np.zeros(len(share), dtype=bool)
    while True:
        rest = 1 - cap * full.sum()
        scaled: np.ndarray = np.where(full, cap, share * rest / share[~full].sum())
        over = (scaled > cap) & ~full
        if not over.any():
            return scaled
        full |= over


class _Weights:
    """Market caps, and what makes them the weights of a rule at a review."""

    def __init__(self, parent: Panel, rule: Rule) -> None:
        self.size = parent.market_cap.to_numpy(dtype=float)
        self.known = _has_caps(parent)
        self.base = self.size
        if rule.weighting == "float":
            free = parent.securities[FREE_FLOAT].reindex(parent.assets).astype(float).fillna(1.0)
            self.base = self.size * free.to_numpy()[None, :]
        self._rule = rule

    def factors(self, row: int, chosen: np.ndarray) -> tuple[np.ndarray, bool]:
        """Return each member's factor from a review on, and whether the cap could be held."""
        base = self.base[row]
        inside = chosen & (base > 0)
        factor = np.where(chosen, 1.0, np.nan)
        if not inside.any() or (self._rule.cap is None and self._rule.weighting != "equal"):
            return factor, True
        plain = np.where(inside, base, 0.0)
        wanted = np.where(inside, 1.0, 0.0) if self._rule.weighting == "equal" else plain
        cap = self._rule.cap
        target = wanted / wanted.sum() if cap is None else capped(wanted, cap)
        share = plain / plain.sum()
        factor[inside] = target[inside] / share[inside]
        return factor, cap is None or cap * int(inside.sum()) >= 1 - 1e-12


def _reviews(parent: Panel, rule: Rule) -> Iterator[tuple[int, int, np.ndarray]]:
    """Give for each review its row, the row of the next, and who is eligible."""
    inside = parent.member.to_numpy(dtype=bool)
    some = inside.any(axis=1)
    if not some.any():
        return
    first = int(some.argmax()) + 1  # the parent's members are known at a close
    period = parent.dates.to_period(rule.rebalance).asi8
    starts = 1 + np.flatnonzero(np.diff(period))
    rows = [r for r in sorted({first, *starts.tolist()}) if first <= r < len(inside)]
    always = _always(parent, rule)
    tests = _tests(parent, rule)
    for row, beyond in zip(rows, [*rows[1:], len(inside)], strict=True):
        yield row, beyond, inside[row - 1] & always & tests[row - 1]


def _always(parent: Panel, rule: Rule) -> np.ndarray:
    """Return who fits what does not change with time: lists, sectors, countries."""
    fits = np.ones(len(parent.assets), dtype=bool)
    if rule.tickers:
        fits &= parent.assets.isin(rule.tickers)
    fits &= ~parent.assets.isin(rule.exclude)
    for column, names in _groups(rule):
        fits &= parent.securities[column].reindex(parent.assets).isin(names).to_numpy()
    return fits


def _tests(parent: Panel, rule: Rule) -> np.ndarray:
    """Return dates × assets: who passes at each close what is measured then."""
    passed = np.ones(parent.close.shape, dtype=bool)
    if rule.min_price is not None:
        passed &= (parent.close >= rule.min_price).to_numpy()
    if rule.min_adv is not None:
        money = (parent.close * parent.volume).fillna(0.0)
        passed &= (money.rolling(rule.adv_days).mean() >= rule.min_adv).to_numpy()
    if rule.min_history is not None:
        passed &= (parent.close.notna().cumsum() >= rule.min_history).to_numpy()
    return passed


def _choose(eligible: np.ndarray, size: np.ndarray, before: np.ndarray, rule: Rule) -> np.ndarray:
    """Return who is in after a review: the largest of the eligible, members with some advantage."""
    if rule.top is None:
        return eligible
    usable = np.flatnonzero(eligible & (size > 0))
    order = usable[np.argsort(-size[usable], kind="stable")]
    rank = np.arange(1, len(order) + 1)
    kept = before[order] & (rank <= rule.top * (1 + rule.buffer))
    sure = rank <= rule.top * (1 - rule.buffer)
    # first who is in for certain, then members in the buffer, then by size until there are enough
    preference = np.lexsort((rank, ~kept, ~sure))
    chosen = np.zeros(len(eligible), dtype=bool)
    chosen[order[preference[: rule.top]]] = True
    return chosen


def _notes(parent: Panel, rule: Rule, inside: np.ndarray, uncapped: int) -> Iterator[str]:
    if rule.sector or rule.industry or rule.country:
        yield "Sector, industry and country are those of the last data, not of their day."
    if uncapped:
        yield (
            f"At {uncapped} reviews there were too few members for a cap of {rule.cap:g}; they "
            "were weighted equally."
        )
    if rule.weighting == "float":
        held = parent.close.columns[np.flatnonzero(inside.any(axis=0))]
        free = parent.securities[FREE_FLOAT].reindex(held)
        gone = free.index[free.isna()]
        yield "Free floats are those of the last data, not of their day."
        if len(gone):
            yield f"{listed(gone)}: no free float; it counts as all of the shares."


def _groups(rule: Rule) -> list[tuple[str, tuple[str, ...]]]:
    given = (("sector", rule.sector), ("industry", rule.industry), ("country", rule.country))
    return [(column, names) for column, names in given if names]


def _has_caps(parent: Panel) -> bool:
    return bool(parent.market_cap.notna().to_numpy().any())


def _like(parent: Panel, values: np.ndarray) -> pd.DataFrame:
    return pd.DataFrame(values, index=parent.close.index, columns=parent.close.columns)
