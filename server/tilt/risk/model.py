"""The factor risk model of one date, in factor form."""

from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
import pandas as pd

from tilt.errors import UnknownNameError, one_of
from tilt.frames import FactorHistory, Weights, listed, spread
from tilt.risk.covariance import HORIZONS, Horizon, ewma_weights, factor_covariance
from tilt.risk.eigenfactor import SampleLength, adjust_eigenfactors, effective_length
from tilt.risk.loadings import Loadings
from tilt.risk.regime_adjustment import Regime, volatility_regime
from tilt.risk.specific import SpecificRisk, shared_loadings, specific_risk
from tilt.rounding import one_thread

CASH = "CASH"
FACTOR = "factor"  # the estimator of a model with market, sectors and styles
LEAST_DAYS = 63  # of factor returns
THIN_SECTOR = 5  # names under which a sector's factor is its largest names' own story


@dataclass(frozen=True)
class Adjustments:
    """What is done to a covariance beyond estimating it.

    eigenfactor : scale of the eigenfactor adjustment: 1, or 1.4 to allow for fat tails; 0 is none
    regime      : whether volatilities follow how the latest forecasts turned out
    """

    eigenfactor: float = 1.0
    regime: bool = True


ADJUSTED = Adjustments()
PLAIN = Adjustments(eigenfactor=0.0, regime=False)


@dataclass(frozen=True, eq=False)
class RiskModel:
    """V = X F X' + S, per day; S = L L' + diag(D), whose diagonal is Δ.

    universe, snapshot : what it was estimated from
    date, horizon      : known at the close of ``date``; "short" or "long"
    exposures          : X, assets × factors
    factor_cov         : F, factors × factors
    specific_var       : Δ, by asset, the whole variance that no factor explains
    groups             : by factor: market, sector or style
    notes              : what the reader of a number should know, one sentence each
    shared             : L, assets × sources: what specific risks have in common, such as those of
                         two share classes of one company; no columns where nothing is shared
    estimator          : factor, or an estimator of returns alone
    sectors            : by asset; None where the sector factors tell
    """

    universe: str
    snapshot: str
    date: pd.Timestamp
    horizon: str
    exposures: pd.DataFrame
    factor_cov: pd.DataFrame
    specific_var: "pd.Series[float]"
    groups: "pd.Series[str]"
    notes: tuple[str, ...]
    shared: pd.DataFrame = field(default_factory=pd.DataFrame)
    estimator: str = FACTOR
    sectors: "pd.Series[str] | None" = None

    @property
    def assets(self) -> "pd.Index[str]":
        return self.exposures.index

    @cached_property
    def links(self) -> np.ndarray:
        """L in the order of the assets; an asset that shares nothing has zeros."""
        if self.shared.empty:
            return np.zeros((len(self.assets), 0))
        aligned = self.shared.reindex(self.assets, fill_value=0.0)
        return aligned.to_numpy(dtype=float)

    @cached_property
    def loadings(self) -> Loadings:
        """V, for products with portfolios."""
        return Loadings.of(
            self.exposures.to_numpy(dtype=float),
            self.factor_cov.to_numpy(dtype=float),
            (self.groups == "sector").to_numpy(),
            self.links,
            self.unshared_var.to_numpy(dtype=float),
        )

    @cached_property
    def unshared_var(self) -> "pd.Series[float]":
        """D: what of the specific variance is an asset's alone."""
        common = (self.links**2).sum(axis=1)
        alone: pd.Series[float] = (self.specific_var - common).clip(lower=0.0)
        return alone

    def specific_times(self, w: np.ndarray) -> np.ndarray:
        """Return S w; ``w`` is by asset, or assets × portfolios."""
        alone = self.unshared_var.to_numpy(dtype=float)
        own = (alone if w.ndim == 1 else alone[:, None]) * w
        links = self.links
        return np.asarray(own + links @ (links.T @ w) if links.shape[1] else own)

    def only(self, assets: "pd.Index[str]") -> "RiskModel":
        """Return the model of some of its assets."""
        return replace(
            self,
            exposures=self.exposures.loc[assets],
            specific_var=self.specific_var.loc[assets],
            sectors=None if self.sectors is None else self.sectors.loc[assets],
        )

    def variance(self, weights: Weights) -> float:
        """Return the variance per day of a portfolio; cash has none."""
        w = self.vector(weights, "weights")
        y = self.exposures.to_numpy().T @ w
        factor = y @ self.factor_cov.to_numpy() @ y
        return float(factor + w @ self.specific_times(w))

    def covariance(self, assets: "pd.Index[str] | list[str]") -> pd.DataFrame:
        """Return the covariance per day of the given assets, asset × asset."""
        names = pd.Index(assets)
        place = self.assets.get_indexer(names)
        outside = names[place < 0]
        if len(outside):
            raise UnknownNameError(
                f"{listed(outside)} has no risk data on {self.date:%Y-%m-%d}. "
                "Leave it out or choose another date."
            )
        x = self.exposures.to_numpy()[place]
        cov = x @ self.factor_cov.to_numpy() @ x.T
        common = self.links[place]
        cov = cov + common @ common.T
        cov[np.diag_indices(len(names))] += self.unshared_var.to_numpy()[place]
        return pd.DataFrame(cov, index=names, columns=names)

    def positions(self, weights: Weights, name: str) -> Weights:
        """Return ``weights`` over all assets, without cash."""
        values = weights.to_numpy(dtype=float)
        if self._is_whole(weights, values):
            return weights
        held = weights.drop(index=CASH) if CASH in weights.index else weights
        return spread(held, self.assets, name)

    def vector(self, weights: Weights, name: str) -> np.ndarray:
        """Return ``weights`` over all assets, without cash, as an array."""
        values = weights.to_numpy(dtype=float)
        if self._is_whole(weights, values):
            return values
        return self.positions(weights, name).to_numpy(dtype=float)

    def _is_whole(self, weights: Weights, values: np.ndarray) -> bool:
        """Return whether weights are of all assets in their order, and none is missing."""
        squares = values.dot(values)  # no number only where one of them is none
        return weights.index.equals(self.assets) and not np.isnan(squares)

    @property
    def sector(self) -> "pd.Series[str]":
        """Each asset's sector; blank where it has none."""
        if self.sectors is not None:
            return self.sectors
        dummies = self.exposures.loc[:, (self.groups == "sector").to_numpy()]
        if dummies.empty:
            return pd.Series("", index=self.assets)
        return dummies.idxmax(axis=1).where(dummies.any(axis=1), "")


def estimate_model(
    history: FactorHistory,
    date: pd.Timestamp,
    *,
    universe: str = "",
    snapshot: str = "",
    horizon: str = "short",
    adjustments: Adjustments = ADJUSTED,
) -> RiskModel:
    """Estimate the risk model of ``date`` from what was known at its close.

    Parameters
    ----------
    history : exposures and factor returns; later dates are not looked at
    date : one of the history's
    horizon : "short" (volatilities halve in 84 days) or "long" (252)
    adjustments : eigenfactors and volatility regime, both by default

    Raises
    ------
    ArgumentError
        If the horizon is neither.
    UnknownNameError
        If there are no exposures on the date, or under 63 days of factor returns by then.
    """
    with one_thread():  # the same to the last bit, however many threads there are
        horizon = one_of("horizon", horizon, HORIZONS)
        memory = HORIZONS[horizon]
        _check_days(history, date)
        exposures = history.exposures(date)
        if exposures.empty:
            raise UnknownNameError(
                f"No asset has exposures on {date:%Y-%m-%d}. Choose another date."
            )
        past = history.until(date)
        returns = past.returns
        # a factor that is new has no risk to forecast yet; its assets keep the rest of theirs
        young = returns.columns[returns.notna().sum().to_numpy() < LEAST_DAYS]
        notes = _factor_notes(exposures, history.factors["group"], young)
        unknown = exposures.columns[exposures.isna().all().to_numpy()].difference(young)
        notes += [f"{f} is not known on the date and is left out of the model." for f in unknown]
        gone = young.union(unknown)
        exposures = exposures.drop(columns=gone)
        known = returns.drop(columns=gone).dropna(how="all")
        fitted = factor_covariance(known, memory)
        if fitted.raised:
            notes.append(
                f"{fitted.raised} eigenvalues of the factor covariance were raised to keep it "
                "positive."
            )
        caps = pd.Series(np.nan, index=exposures.index)
        if past.market_cap.columns.size:
            caps = past.market_cap.iloc[-1].reindex(exposures.index)
        own = specific_risk(
            past.specific_returns,
            exposures,
            caps,
            half_life=memory.volatility_half_life,
            lags=memory.volatility_lags,
        )
        notes += _specific_notes(own, caps)
        cov, variance = fitted.cov, own.variance
        if adjustments.eigenfactor:
            cov = _repaired(cov, len(known), memory, adjustments.eigenfactor)
        if adjustments.regime:
            by_factor, by_asset = _regimes(past, known, exposures.index, memory)
            cov, variance = by_factor.scaled(cov), by_asset.scaled(variance)
            notes += [*by_factor.notes, *by_asset.notes]
        return RiskModel(
            universe=universe,
            snapshot=snapshot,
            date=date,
            horizon=horizon,
            exposures=exposures,
            factor_cov=cov,
            specific_var=variance,
            groups=history.factors["group"].reindex(exposures.columns),
            notes=tuple(notes),
            shared=shared_loadings(variance, history.issuer),
        )


def _repaired(cov: pd.DataFrame, days: int, memory: Horizon, scale: float) -> pd.DataFrame:
    """Return the covariance with its eigenfactors adjusted for the length of its sample."""
    length = SampleLength(
        effective_length(ewma_weights(days, memory.volatility_half_life)),
        effective_length(ewma_weights(days, memory.correlation_half_life)),
    )
    adjusted, _ = adjust_eigenfactors(cov.to_numpy(), length, scale=scale)
    return pd.DataFrame(adjusted, index=cov.index, columns=cov.columns)


def _regimes(
    past: FactorHistory, returns: pd.DataFrame, assets: "pd.Index[str]", memory: Horizon
) -> tuple[Regime, Regime]:
    """Return the volatility regimes of the factors and of the assets' own returns."""
    by_factor = volatility_regime("factors", returns.to_numpy(dtype=float), None, memory)
    caps = None
    if past.market_cap.columns.size:
        caps = past.market_cap.reindex(columns=assets).shift(1).to_numpy(dtype=float)
    own = past.specific_returns.reindex(columns=assets).to_numpy(dtype=float)
    return by_factor, volatility_regime("single names", own, caps, memory)


def _check_days(history: FactorHistory, date: pd.Timestamp) -> None:
    known = history.returns.index[history.returns.notna().any(axis=1)]
    if len(known) < LEAST_DAYS:
        raise UnknownNameError(
            f"A risk model needs {LEAST_DAYS} days of factor returns; there are {len(known)}."
        )
    first = known[LEAST_DAYS - 1]
    if date < first:
        raise UnknownNameError(
            f"No risk model on {date:%Y-%m-%d}: it needs {LEAST_DAYS} days of factor returns. "
            f"The first possible date is {first:%Y-%m-%d}."
        )


def _factor_notes(
    exposures: pd.DataFrame, groups: "pd.Series[str]", young: "pd.Index[str]"
) -> list[str]:
    notes = [f"{f} has under {LEAST_DAYS} returns and is left out of the model." for f in young]
    sectors = groups.index[(groups == "sector") & ~groups.index.isin(young)]
    for sector, names in exposures[sectors].sum().items():
        if 0 < names < THIN_SECTOR:
            notes.append(
                f"{sector} has only {int(names)} names; much of its factor is their own risk."
            )
    return notes


def _specific_notes(own: SpecificRisk, caps: Weights) -> list[str]:
    notes = []
    unknown = int(caps.isna().sum())
    if unknown:
        notes.append(f"{unknown} assets without a market cap keep their own specific risk.")
    if len(own.structural):
        notes.append(
            f"{listed(own.structural)}: history too short, specific risk is that of similar assets."
        )
    if len(own.blended):
        notes.append(
            f"{listed(own.blended)}: short history, specific risk is blended with similar assets'."
        )
    return notes
