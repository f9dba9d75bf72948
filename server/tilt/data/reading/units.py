"""Key figures in whole currency units and fractions, whatever the vendor counts in; it is said.

Nobody types a market cap in full. What a bare number counts follows from the company: a cap over
its price is the shares outstanding, and no market of ten companies has fewer than millions. Cells
that say their unit themselves, such as 7.5B, stay as they are.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from tilt.data.schema import KEY_FIGURES

LEAST = 10  # numbers that a unit is concluded from
USUAL_SHARES = 1e8
LEAST_SHARES = 3e6  # the median company's
USUAL_MULTIPLE = 10.0  # of a cap over its ebitda
MOST_MULTIPLE = 1000.0
MOST_YIELD = 0.2  # the median payer's, as a fraction
_WORDS = {1e3: "thousands", 1e6: "millions", 1e9: "billions"}


def in_whole_units(
    name: str, table: pd.DataFrame, unit: Mapping[str, np.ndarray]
) -> tuple[pd.DataFrame, list[str]]:
    """Return a table in the units of ``tilt.data.schema``, and a phrase for each that was another.

    Parameters
    ----------
    name : of the table; only key figures are changed
    unit : by column, of each row, whether the cell said its unit itself
    """
    if name != KEY_FIGURES.name:
        return table, []
    said: list[str] = []
    made = table.copy(deep=False)
    never = np.zeros(len(table), dtype=bool)

    def replaced(column: str, values: "pd.Series[float]", words: str) -> None:
        made[column] = made[column].where(unit.get(column, never), values)
        said.append(words)

    if {"market_cap", "price"} <= set(made.columns):
        shares = _median(made["market_cap"] / made["price"], unit.get("market_cap"))
        factor = _nearest(USUAL_SHARES / shares) if shares < LEAST_SHARES else 1.0
        if factor > 1:
            words = _COUNTS.format("market_cap", _WORDS[factor], "shares")
            replaced("market_cap", made["market_cap"] * factor, words)
    if {"market_cap", "ebitda"} <= set(made.columns):
        multiple = _median(made["market_cap"] / made["ebitda"].abs(), unit.get("ebitda"))
        factor = _nearest(multiple / USUAL_MULTIPLE) if multiple > MOST_MULTIPLE else 1.0
        if factor > 1:
            words = _COUNTS.format("ebitda", _WORDS[factor], "market caps")
            replaced("ebitda", made["ebitda"] * factor, words)
    if "dividend_yield" in made.columns:
        paid = made["dividend_yield"].where(made["dividend_yield"] > 0)
        if _median(paid, unit.get("dividend_yield")) > MOST_YIELD:
            words = "dividend_yield is in per cent: 2.5 is read as 0.025"
            replaced("dividend_yield", made["dividend_yield"] / 100, words)
    return made, said


def _median(ratio: "pd.Series[float]", unit: np.ndarray | None) -> float:
    """Return the median of the finite positive numbers that say no unit; NaN of too few."""
    values = ratio.to_numpy(dtype=float)
    use = np.isfinite(values) & (values > 0)
    if unit is not None:
        use &= ~unit
    return float(np.median(values[use])) if use.sum() >= LEAST else float("nan")


def _nearest(factor: float) -> float:
    """Return 1, a thousand, a million or a billion, whichever is nearest in the logarithm."""
    steps = float(np.clip(np.round(np.log10(factor) / 3), 0, 3))
    return float(10.0 ** (3 * steps))


_COUNTS = "{0} counts {1} where no unit stands beside the number; the {2} say so"
