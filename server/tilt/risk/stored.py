"""A risk model as plain tables, and back: so that a snapshot can keep it."""

from collections.abc import Mapping, Sequence

import pandas as pd

from tilt.frames import FactorHistory
from tilt.risk.model import RiskModel
from tilt.risk.specific import shared_loadings

FACTORS, ASSETS, NOTES = "risk_factors", "risk_assets", "risk_notes"
MODEL = (FACTORS, ASSETS, NOTES)
PAST_FACTORS, PAST_ASSETS = "risk_past_factors", "risk_past_assets"
PAST = (PAST_FACTORS, PAST_ASSETS)
ISSUER = "issuer of several"
SPECIFIC = "specific variance"  # no factor is named so: factors are styles, sectors, the market


def tables_of_model(model: RiskModel) -> dict[str, pd.DataFrame]:
    """Return a model's covariance by factor, its exposures and specific variance by asset, notes.

    Universe and snapshot are left out: they are those of what keeps the tables.
    """
    factors = model.factor_cov.reset_index(names="factor")
    factors.insert(1, "group", model.groups.to_numpy())
    assets = model.exposures.reset_index(names="ticker")
    assets.insert(1, SPECIFIC, model.specific_var.to_numpy())
    assets.insert(2, ISSUER, _issuers(model))
    about = [("date", f"{model.date:%Y-%m-%d}"), ("horizon", model.horizon)]
    notes = pd.DataFrame([*about, *(("note", n) for n in model.notes)], columns=["what", "text"])
    return {FACTORS: factors, ASSETS: assets, NOTES: notes}


def model_of_tables(
    tables: Mapping[str, pd.DataFrame], *, universe: str, snapshot: str
) -> RiskModel:
    """Return the model that :func:`tables_of_model` made the tables of."""
    factors = tables[FACTORS].set_index("factor")
    assets = tables[ASSETS].set_index("ticker")
    notes = tables[NOTES]
    about = notes.drop_duplicates("what").set_index("what")["text"]
    variance = assets[SPECIFIC].rename(None)
    cov = factors.drop(columns="group")
    names = pd.Index(cov.columns, name="factor")
    return RiskModel(
        universe=universe,
        snapshot=snapshot,
        date=pd.Timestamp(about["date"]),
        horizon=about["horizon"],
        exposures=assets.drop(columns=[SPECIFIC, ISSUER]).set_axis(names, axis=1),
        factor_cov=cov.set_axis(names, axis=0).set_axis(names, axis=1),
        specific_var=variance,
        groups=factors["group"].set_axis(names),
        notes=tuple(notes.loc[notes["what"] == "note", "text"]),
        shared=shared_loadings(variance, assets[ISSUER]),
    )


def _issuers(model: RiskModel) -> list[str]:
    """Return by asset the company that it shares with others, or an empty text."""
    linked = model.links != 0
    return [str(model.shared.columns[row.argmax()]) if row.any() else "" for row in linked]


def tables_of_past(models: Sequence[RiskModel]) -> dict[str, pd.DataFrame]:
    """Return the covariances by date and factor, and the specific variances by date and asset.

    Exposures are left out: the factor history has them.
    """
    factors = [m.factor_cov.reset_index(names="factor").assign(date=m.date) for m in models]
    assets = [
        pd.DataFrame({"ticker": m.assets, SPECIFIC: m.specific_var.to_numpy(), "date": m.date})
        for m in models
    ]
    return {
        PAST_FACTORS: pd.concat(factors, ignore_index=True),
        PAST_ASSETS: pd.concat(assets, ignore_index=True),
    }


def past_of_tables(
    tables: Mapping[str, pd.DataFrame], history: FactorHistory, *, universe: str, snapshot: str
) -> tuple[RiskModel, ...]:
    """Return the models that :func:`tables_of_past` made the tables of, without their notes."""
    by_factor = dict(list(tables[PAST_FACTORS].groupby("date")))
    by_asset = dict(list(tables[PAST_ASSETS].groupby("date")))
    models = []
    for date, factors in by_factor.items():
        day = pd.Timestamp(str(date))
        names = pd.Index(factors["factor"], name="factor")
        cov = factors.set_index("factor")[list(names)].set_axis(names, axis=1)
        own = by_asset[date].set_index("ticker")[SPECIFIC].rename(None)
        models.append(
            RiskModel(
                universe=universe,
                snapshot=snapshot,
                date=day,
                horizon="short",
                exposures=history.exposures(day).loc[own.index, list(names)],
                factor_cov=cov,
                specific_var=own,
                groups=history.factors["group"].reindex(names),
                notes=(),
                shared=shared_loadings(own, history.issuer),
            )
        )
    return tuple(models)
