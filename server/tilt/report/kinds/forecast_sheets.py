"""The section that holds the risk model to account: what it foresaw, and what came."""

import numpy as np
import pandas as pd

from tilt.errors import ArgumentError
from tilt.frames import Panel
from tilt.portfolio.forecast_risk import ALL, forecast_table
from tilt.report.charts import Chart
from tilt.report.checks import Check
from tilt.report.kinds.explained import Performance
from tilt.report.layout import Sheet
from tilt.report.pack import Section, Subject
from tilt.report.tables import Block, Formula, Lineage
from tilt.risk.model import LEAST_DAYS, RiskModel, estimate_model

STEP = 21  # sessions from model to model
MOST_MODELS = 36  # beyond it the steps are longer
RISKS = ("volatility", "realized_volatility", "tracking_error", "realized_tracking_error")


def models_through(panel: Panel, dates: pd.DatetimeIndex) -> list[RiskModel]:
    """Return the risk models of every 21st session, each of what was known then.

    Parameters
    ----------
    dates : the days that are judged; the first model is of the session before them

    Raises
    ------
    ArgumentError
        If the universe has no factor model.
    """
    known = panel.factors.dates
    first = max(int(known.searchsorted(dates[0], side="left")) - 1, 0)
    last = int(known.searchsorted(dates[-1], side="left"))
    step = STEP * max(-(-(last - first) // (STEP * MOST_MODELS)), 1)
    history = panel.factors
    began = history.returns.dropna(how="all").index
    if len(began) < LEAST_DAYS:
        raise ArgumentError(f"The factor model has {len(began)} days of returns, too few.")
    ready = began[LEAST_DAYS - 1]
    places = [row for row in range(first, last, step) if known[row] >= ready]
    return [
        estimate_model(
            history.until(known[row]), known[row], universe=panel.universe, snapshot=panel.snapshot
        )
        for row in places
    ]


def forecast_section(performance: Performance, panel: Panel, subject: Subject) -> Section:
    """Return forecast beside realized risk, period by period and over all.

    Raises
    ------
    ArgumentError, DataError, UnknownNameError
        If there is no factor model, or too little of it before the days.
    """
    models = models_through(panel, performance.dates)
    table, notes = forecast_table(performance.portfolio, performance.benchmark, models)
    periods = table[table["period"] != ALL].reset_index(drop=True)
    whole = table[table["period"] == ALL].iloc[0]
    block = Block(
        "forecast_risk",
        "Forecast and realized risk",
        table,
        formats={"model": "date", "last": "date", "days": "count"}
        | dict.fromkeys(RISKS, "percent")
        | dict.fromkeys(("bias", "low", "high", "active_bias"), "number"),
        note="A year. Bias: deviation of daily returns over their forecast; between low and high "
        "19 times of 20 where the forecast is right. Above 1 risk was forecast too low.",
        lineage=Lineage(
            "tilt.portfolio.forecast_risk.forecast_table",
            {
                "portfolio": performance.name,
                "benchmark": performance.benchmark.words,
                "first_day": f"{performance.dates[0]:%Y-%m-%d}",
                "last_day": f"{performance.dates[-1]:%Y-%m-%d}",
                "models": str(len(models)),
            },
        ),
    )
    charts = [
        Chart(
            "column",
            title,
            block.key,
            "period",
            columns,
            "Columns of the risk forecast at the beginning of each period and of what came",
            "percent1",
            rows=(0, len(periods) - 1),
            width=1060,
            height=230,
        )
        for title, columns in (("Volatility", RISKS[:2]), ("Tracking error", RISKS[2:]))
    ]
    days = Formula(
        f"SUM({block.ref('days')})-2*INDEX({block.ref('days')},ROWS({block.ref('days')}))",
        float(periods["days"].sum()) - float(whole["days"]),
    )
    bias, active = float(whole["bias"]), float(whole["active_bias"])
    told = f"The bias statistic of the volatility is {bias:.2f}"
    if np.isfinite(active):
        told += f", of the tracking error {active:.2f}"
    told += f"; a right forecast lies between {whole['low']:.2f} and {whole['high']:.2f}."
    return Section(
        "forecast",
        "Risk foreseen and realized",
        (
            Sheet(
                "Forecast risk",
                "What the risk model foresaw, and what came",
                f"{subject.name} · {performance.dates[0]:%Y-%m-%d} to "
                f"{performance.dates[-1]:%Y-%m-%d}",
                (*charts, block),
                one_page=True,
            ),
        ),
        checks=(Check("Days of the periods are those of the whole", days, "=", 0.0),),
        findings=(told,),
        conventions=("tracking_error", "factor_covariance", "specific_risk"),
        remarks=tuple(("Forecast risk", note) for note in notes),
        cautions=("forecasts",),
    )
