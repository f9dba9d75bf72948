"""A risk model times positions, with sectors as the lists of members that they are."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from tilt.factors.cores import on_every_core
from tilt.rounding import one_thread

AT_ONCE = 16  # portfolios: what is made of them stays in the processor's cache
NO_VARIANCE = 1e-22  # per day; what rounding leaves of a portfolio that is its benchmark


@dataclass(frozen=True, eq=False)
class Loadings:
    """V = X F X' + L L' + D for products: membership in a sector is a sum, not a product.

    Factors are in an order of their own: first those that are multiplied, then the sectors.

    dense  : assets × the factors that are multiplied
    cov    : F in that order, and a last column of zeros: what is covered by no sector
    sector : by asset, its sector; -1 where it has none
    order  : the assets that have a sector, by sector
    starts : of each sector in ``order``
    links  : L, assets × sources
    alone  : D, by asset
    """

    dense: np.ndarray
    cov: np.ndarray
    sector: np.ndarray
    order: np.ndarray
    starts: np.ndarray
    links: np.ndarray
    alone: np.ndarray

    @classmethod
    def of(
        cls,
        x: np.ndarray,
        cov: np.ndarray,
        sectors: np.ndarray,
        links: np.ndarray,
        alone: np.ndarray,
    ) -> "Loadings":
        """Return loadings of X, assets × factors, F, L and D.

        ``sectors`` says by factor which are sectors. Those that are not plain membership (1 in at
        most one, else 0) are multiplied as the rest.
        """
        member = x[:, sectors]
        plain = bool(((member == 0) | (member == 1)).all() and (member.sum(axis=1) <= 1).all())
        listed = sectors & plain & (x != 0).any(axis=0)
        places = np.concatenate([np.flatnonzero(~listed), np.flatnonzero(listed)])
        asset, position = np.nonzero(x[:, listed])
        sector = np.full(len(x), -1)
        sector[asset] = position
        order = asset[np.argsort(position, kind="stable")]
        starts = np.searchsorted(sector[order], np.arange(listed.sum()))
        padded = np.hstack([cov[np.ix_(places, places)], np.zeros((len(cov), 1))])
        return cls(x[:, ~listed], padded, sector, order, starts, links, alone)

    def times(self, a: np.ndarray, out: np.ndarray) -> None:
        """Write ``V a`` to ``out``; both are portfolios × assets."""
        dense, sectors = self.dense.shape[1], len(self.starts)
        y = np.empty((len(a), dense + sectors))
        np.matmul(a, self.dense, out=y[:, :dense])
        if sectors:
            members = a.take(self.order, axis=1)
            np.add.reduceat(members, self.starts, axis=1, out=y[:, dense:])
        z = y @ self.cov
        np.matmul(z[:, :dense], self.dense.T, out=out)
        if sectors:
            out += z[:, dense:].take(self.sector, axis=1, mode="wrap")  # -1 is the last
        if self.links.shape[1]:
            out += (a @ self.links) @ self.links.T
        out += self.alone * a

    def shares(self, w: np.ndarray, b: np.ndarray | float) -> tuple[np.ndarray, np.ndarray]:
        """Return variances by portfolio and each asset's share of them, portfolios × assets.

        Of ``w - b``; ``w`` is portfolios × assets, NaN where nothing is held, ``b`` by asset. The
        shares of a portfolio without variance are NaN.
        """
        variance, shares = np.empty(len(w)), np.empty(w.shape)

        def some(starts: Iterable[int]) -> None:
            for start in starts:
                part = slice(start, start + AT_ONCE)
                variance[part] = self._share_out(w[part] - b, shares[part])
                if np.isnan(variance[part]).any():
                    held = np.where(np.isnan(w[part]), 0.0, w[part])
                    variance[part] = self._share_out(held - b, shares[part])

        if len(w) <= AT_ONCE:
            some((0,))
        else:
            with one_thread():  # of a product, as they are small: threads take portfolios
                on_every_core(some, range(0, len(w), AT_ONCE))
        return variance, shares

    def _share_out(self, a: np.ndarray, shares: np.ndarray) -> np.ndarray:
        """Return the variances of ``a``; write the shares of them."""
        self.times(a, shares)
        shares *= a
        variance = np.asarray(shares.sum(axis=1))
        shares /= np.where(variance > NO_VARIANCE, variance, np.nan)[:, None]
        return variance
