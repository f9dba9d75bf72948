"""Returns explained by factor returns: least squares with honest errors."""

import numpy as np
import pandas as pd

from tilt.errors import ArgumentError, DataError, one_of
from tilt.frames import PERIODS_PER_YEAR

ERRORS = ("hac", "ols", "hc1")
LEAST = 20  # observations
ALPHA = "alpha"


def regress(
    returns: "pd.Series[float]",
    factors: pd.DataFrame,
    *,
    frequency: str = "D",
    errors: str = "hac",
    lags: int | None = None,
) -> pd.DataFrame:
    """Regress returns on factor returns and a constant.

    Parameters
    ----------
    returns : by date, simple per period
    factors : dates × factors, per period; rows that miss a value on either side are left out
    frequency : of the returns: D W M Q Y
    errors : "hac" (Newey, West 1987, with the small-sample factor T/(T-K)), "ols" or "hc1"
    lags : of hac; left out: floor(4 (T/100)^(2/9)), as Newey and West suggest

    Returns
    -------
    name, coefficient, std_error, t_stat, p_value: a row per factor; then ``alpha``, annualized
    arithmetically; then ``r_squared``, ``adjusted_r_squared``, ``observations`` and
    ``residual_volatility`` (annualized) with a coefficient only. P-values are two-sided Student t.

    Raises
    ------
    ArgumentError
        If an option is unknown or lags are negative.
    DataError
        If under 20 rows are complete, there are fewer than two more rows than factors, or a factor
        is a combination of the others.
    """
    kind = one_of("errors", errors, ERRORS)
    year = PERIODS_PER_YEAR[one_of("frequency", frequency, PERIODS_PER_YEAR)]
    both = factors.assign(**{_OURS: returns}).dropna()
    y, x = both[_OURS].to_numpy(dtype=float), both.drop(columns=_OURS).to_numpy(dtype=float)
    _check(both.drop(columns=_OURS), y)
    given = _default_lags(len(y)) if lags is None else lags
    if given < 0:
        raise ArgumentError(f"lags must be 0 or more; got {given}.")
    fitted = _fit(y, x, kind, given)
    rows = [
        (str(name), fitted.params[i], fitted.bse[i], fitted.tvalues[i], fitted.pvalues[i])
        for i, name in enumerate(factors.columns, start=1)
    ]
    rows.append(
        (ALPHA, year * fitted.params[0], year * fitted.bse[0], fitted.tvalues[0], fitted.pvalues[0])
    )
    left = np.sqrt(fitted.ssr / fitted.df_resid * year)
    for name, value in (
        ("r_squared", fitted.rsquared),
        ("adjusted_r_squared", fitted.rsquared_adj),
        ("observations", float(len(y))),
        ("residual_volatility", left),
    ):
        rows.append((name, float(value), np.nan, np.nan, np.nan))
    table = pd.DataFrame(rows, columns=["name", "coefficient", "std_error", "t_stat", "p_value"])
    table.attrs["notes"] = _notes(len(factors), len(both), kind, given)
    return table


_OURS = "returns\x00"  # no factor has this name


def _fit(y: np.ndarray, x: np.ndarray, kind: str, lags: int):  # type: ignore[no-untyped-def]  # noqa: ANN202 - statsmodels has no types
    import statsmodels.api as sm  # half a second, for those who regress only

    model = sm.OLS(y, sm.add_constant(x, has_constant="add"))
    if kind == "ols":
        return model.fit()
    if kind == "hc1":
        return model.fit(cov_type="HC1", use_t=True)
    return model.fit(cov_type="HAC", cov_kwds={"maxlags": lags, "use_correction": True}, use_t=True)


def _default_lags(observations: int) -> int:
    return int(4 * (observations / 100) ** (2 / 9))


def _check(x: pd.DataFrame, y: np.ndarray) -> None:
    if len(y) < max(LEAST, x.shape[1] + 3):
        raise DataError(
            f"{len(y)} dates have all returns; at least {max(LEAST, x.shape[1] + 3)} are needed. "
            "Check that the dates are the same."
        )
    values = np.column_stack([np.ones(len(y)), x.to_numpy(dtype=float)])
    for i in range(1, values.shape[1]):
        scaled = values[:, : i + 1] / np.linalg.norm(values[:, : i + 1], axis=0).clip(1e-300)
        if np.linalg.matrix_rank(scaled, tol=1e-10) <= i:
            raise DataError(
                f"{x.columns[i - 1]} is constant or a combination of the factors before it. "
                "Leave it out."
            )


def _notes(given: int, used: int, kind: str, lags: int) -> tuple[str, ...]:
    said = {"hac": f"Newey-West errors, {lags} lags.", "ols": "Classical errors.", "hc1": "HC1."}
    left = (f"{given - used} dates miss a return and are left out.",) if used < given else ()
    return (said[kind], *left)
