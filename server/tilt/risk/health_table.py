"""Whether a risk model deserves trust, on one page: its forecasts of the past against what came."""

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd
from scipy.special import bdtr

from tilt.frames import Weights
from tilt.risk.covariance import HORIZONS, ewma_weights
from tilt.risk.eigenfactor import effective_length
from tilt.risk.health import FACTOR, Portfolios, least_variances
from tilt.risk.model import RiskModel

COLUMNS = ["measure", "value", "low", "high", "verdict"]
DRAWS = 10  # portfolios of each random kind
HELD = 60  # names of a random portfolio
LEAST_HELD = 0.5  # of a portfolio's gross weight that a model of the past must know
MOST_FACTORS = 0.2  # for each effective day: under five days a factor, correlations are noise
MOST_CONDITION = 1e8  # where the floor under the eigenvalues begins
UNIVERSE, EQUAL, LEAST, OWN = "universe", "equal weights", "least variance", "portfolio"
SECTOR, RANDOM, OPTIMIZED = "sector ", "random ", "optimized "


def standard_portfolios(universe: Callable[[pd.Timestamp], Weights]) -> Portfolios:
    """Return what forecasts are judged by, made anew from each model.

    The cap-weighted universe; against it: its sectors, equal weights, portfolios of names chosen at
    random. From the model: the fully invested portfolio of least variance, and those optimized for
    alphas drawn at random. The draws are the same every time for a date.

    Parameters
    ----------
    universe : cap weights by date
    """

    def made(model: RiskModel) -> pd.DataFrame:
        caps = universe(model.date)
        place = model.assets.get_indexer(caps.index)
        names = caps.index[place >= 0]
        b = caps.to_numpy(dtype=float)[place >= 0]
        b = b / b.sum()
        columns = {UNIVERSE: b, EQUAL: 1 / len(b) - b}
        sector = model.sector.to_numpy(dtype=object)[place[place >= 0]]
        for name in sorted({*sector} - {""}):
            inside = np.where(sector == name, b, 0.0)
            columns[f"{SECTOR}{name}"] = inside / inside.sum() - b
        rng = np.random.default_rng(model.date.toordinal())
        for i in range(1, DRAWS + 1):
            held = np.zeros(len(b))
            held[rng.choice(len(b), min(HELD, len(b) // 2), replace=False)] = 1.0
            columns[f"{RANDOM}{i}"] = held / held.sum() - b
        alphas = rng.standard_normal((len(b), DRAWS))
        aims = np.column_stack([alphas - alphas.mean(axis=0), np.ones(len(b))])
        labels = [*(f"{OPTIMIZED}{i}" for i in range(1, DRAWS + 1)), LEAST]
        safest = least_variances(model, pd.DataFrame(aims, names, labels)).to_numpy()
        values = np.column_stack([*columns.values(), safest])
        return pd.DataFrame(values, names, [*columns, *labels])

    return made


def held_throughout(own: Weights) -> Portfolios:
    """Return a portfolio as it is today, whatever the date; active weights with a benchmark.

    A model that knows less than half of its gross weight does not judge it.
    """

    def made(model: RiskModel) -> Mapping[str, Weights]:
        known = own[model.assets.get_indexer(own.index) >= 0]
        return {OWN: known} if known.abs().sum() > LEAST_HELD * own.abs().sum() else {}

    return made


def health_table(found: pd.DataFrame, model: RiskModel, days: int) -> pd.DataFrame:
    """Return measure, value, low, high, verdict; the last row counts what is in its band.

    Biases of several portfolios are their mean, and their band that of one of them, which is wider
    than that of the mean. A verdict says how far a volatility was off.

    Parameters
    ----------
    found : of `forecast_health`, for `standard_portfolios` and one of `held_throughout`
    model : today's
    days : of factor returns that it was estimated from
    """
    table = found.set_index("name")
    names = table.index
    factor = table[names.str.startswith(FACTOR)]
    kinds = [
        ("bias_factors", factor),
        ("bias_universe", table.loc[[UNIVERSE]]),
        ("bias_sectors", table[names.str.startswith(SECTOR)]),
        ("bias_random", table[names.str.startswith(RANDOM)]),
        ("bias_equal_weights", table.loc[[EQUAL]]),
        ("bias_least_variance", table.loc[[LEAST]]),
        ("bias_optimized", table[names.str.startswith(OPTIMIZED)]),
        ("bias_portfolio", table[names == OWN]),
    ]
    rows = [_bias(name, part) for name, part in kinds if len(part)]
    good = sum(row["verdict"] == RIGHT for row in rows)
    biases = len(rows)
    inside = float(factor["bias"].between(factor["low"], factor["high"]).mean())
    chance = bdtr(np.arange(len(factor) + 1), len(factor), 0.95)
    least = int(np.argmax(chance >= 0.025)) / len(factor)
    rows.append(_row("factors_in_band", inside, least, None, few="fewer than chance allows"))
    rows += [
        {**_row(f"qlike_{name}", float(table["qlike"][key]), None, None), "verdict": LOWER}
        for name, key in (("universe", UNIVERSE), ("portfolio", OWN))
        if key in names
    ]
    k = len(model.factor_cov)
    length = effective_length(ewma_weights(days, HORIZONS[model.horizon].correlation_half_life))
    values = np.linalg.eigvalsh(model.factor_cov.to_numpy())
    rows += [
        _row("factors_per_day", k / length, None, MOST_FACTORS, many="too few days"),
        _row(
            "condition", float(values[-1] / values[0]), 1.0, MOST_CONDITION, many="nearly singular"
        ),
        {
            **_row("biases_in_band", good / biases, None, None),
            "verdict": f"{good} of {biases} biases are in their band",
        },
    ]
    return pd.DataFrame(rows, columns=COLUMNS)


RIGHT = "in the band"
LOWER = "of two forecasts the lower is better"


def _bias(measure: str, part: pd.DataFrame) -> dict[str, object]:
    value = float(part["bias"].mean())
    low, high = float(part["low"].mean()), float(part["high"].mean())
    # a bias is realized over forecast volatility
    few = f"forecast {1 / value - 1:.0%} too high"
    return _row(measure, value, low, high, few=few, many=f"forecast {1 - 1 / value:.0%} too low")


def _row(
    measure: str,
    value: float,
    low: float | None,
    high: float | None,
    *,
    few: str = "",
    many: str = "",
) -> dict[str, object]:
    verdict = few if low is not None and value < low else RIGHT
    verdict = many if high is not None and value > high else verdict
    return {"measure": measure, "value": value, "low": low, "high": high, "verdict": verdict}
