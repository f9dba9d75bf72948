"""How the risk forecasts of the past turned out, for cells, routes and the pane."""

import pandas as pd

from tilt.api.books import Book
from tilt.api.state import State
from tilt.errors import ArgumentError, UnknownNameError
from tilt.frames import Panel, Weights
from tilt.refresh.estimates import kept_past
from tilt.risk.health import forecast_health, model_dates, past_models
from tilt.risk.health_table import OWN, health_table, held_throughout, standard_portfolios
from tilt.risk.model import FACTOR, RiskModel


def judged(
    state: State,
    panel: Panel,
    date: pd.Timestamp,
    *,
    horizon: str = "short",
    own: "Weights | None" = None,
) -> pd.DataFrame:
    """Return name, days, bias, low, high, qlike of the forecasts made before a date.

    Parameters
    ----------
    own : a portfolio held as it is through the past, active against a benchmark where there is one

    Raises
    ------
    UnknownNameError
        If no forecast was made before the date.
    """
    history = panel.factors.until(date)
    models = [m for m in models_of_past(state, panel, horizon) if m.date < date]
    if not models:
        first = model_dates(panel.factors)[:1]
        known = f"; the first was made on {first[0]:%Y-%m-%d}" if len(first) else ""
        raise UnknownNameError(f"No forecast to judge on {date:%Y-%m-%d}{known}.")

    def standard() -> pd.DataFrame:
        made = standard_portfolios(panel.cap_weights)
        return forecast_health(models, history, panel.returns, made)

    key = ("forecasts judged", panel.universe, panel.snapshot, date, horizon)
    found = state.once(key, standard)
    if own is None:
        return found
    alone = forecast_health(models, history, panel.returns, held_throughout(own))
    return pd.concat([found, alone[alone["name"] == OWN]], ignore_index=True)


def health(state: State, book: Book) -> tuple[pd.DataFrame, str]:
    """Return measure, value, low, high, verdict of a portfolio's forecasts, and their dates.

    Raises
    ------
    ArgumentError
        If the book's risk is not of the factor model.
    """
    model, panel = book.model, book.panel
    if model.estimator != FACTOR:
        raise ArgumentError(
            f"by=health judges the factor model, and estimator is {model.estimator}. "
            "Leave estimator out."
        )
    active = book.weights
    if book.benchmark is not None:
        active = book.weights.sub(book.benchmark, fill_value=0.0)
    own = active if (active != 0).any() else None
    found = judged(state, panel, book.date, horizon=model.horizon, own=own)
    days = int(panel.factors.until(book.date).returns.notna().any(axis=1).sum())
    first = model_dates(panel.factors)[0]
    judged_days = int(found["days"].max())
    note = (
        f"Forecasts made every 21 days from {first:%Y-%m-%d} against the {judged_days} days to "
        f"{book.date:%Y-%m-%d}; bias_portfolio is that of today's weights."
    )
    return health_table(found, model, days), note


def models_of_past(state: State, panel: Panel, horizon: str) -> tuple[RiskModel, ...]:
    """Return the models that the snapshot keeps of the past, or estimate them."""

    def made() -> tuple[RiskModel, ...]:
        kept = kept_past(state.store, panel) if horizon == "short" else None
        return past_models(panel.factors, horizon=horizon) if kept is None else kept

    return state.once(("past models", panel.universe, panel.snapshot, horizon), made)
