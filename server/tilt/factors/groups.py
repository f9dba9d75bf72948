"""Sums and means of one cross-section per row, by group of assets."""

from dataclasses import dataclass

import numpy as np
import pandas as pd


@dataclass(frozen=True, eq=False)
class Groups:
    """A partition of assets, for arrays whose last axis is the assets.

    names : of the groups, sorted
    codes : by asset, its group's position in ``names``; -1 where it has none
    """

    names: tuple[str, ...]
    codes: np.ndarray
    _order: np.ndarray
    _starts: np.ndarray

    @classmethod
    def of(cls, labels: "pd.Series[str]") -> "Groups":
        """Group assets by label; a missing or blank label is no group."""
        known = labels.where(labels.notna() & (labels.astype(str).str.strip() != ""))
        codes, names = pd.factorize(known, sort=True)
        order = np.argsort(codes, kind="stable")
        order = order[codes[order] >= 0]
        starts = np.searchsorted(codes[order], np.arange(len(names)))
        return cls(tuple(str(n) for n in names), np.asarray(codes), order, starts)

    def sums(self, x: np.ndarray) -> np.ndarray:
        """Return ... × groups: the sum over each group's assets of ``x``, ... × assets."""
        if not self.names:
            return np.zeros((*x.shape[:-1], 0))
        # a row's sum must not depend on how many rows there are, so no matrix product here
        return np.add.reduceat(np.take(x, self._order, axis=-1), self._starts, axis=-1)

    def spread(self, values: np.ndarray, *, outside: float = np.nan) -> np.ndarray:
        """Return ... × assets: each asset's group value, ``outside`` where it has no group."""
        edge = np.full((*values.shape[:-1], 1), outside)
        return np.take(np.concatenate([values, edge], axis=-1), self.codes, axis=-1)
