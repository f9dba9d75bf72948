"""Factors of the user's own, scored as the model's styles are.

A factor comes from an expression over fields and factors, or from values by date and ticker. Either
way: outliers out, clipped, z-scored over the estimation universe of each date. `beside` makes one a
factor like the model's, with returns of its own.
"""

from dataclasses import replace

import numpy as np
import pandas as pd

from tilt.errors import DataError
from tilt.factors import standardize
from tilt.factors.descriptors import LEAST_SHARE, array
from tilt.factors.groups import Groups
from tilt.factors.regression import cross_sections
from tilt.frames import FactorHistory, Panel

LEAST_NAMES = 10


def score(panel: Panel, raw: np.ndarray, name: str) -> pd.DataFrame:
    """Return the z-scores of raw values, dates × assets; missing where a value is.

    Raises
    ------
    DataError
        If no date has ten members with different values.
    """
    cap = array(panel.market_cap)
    priced = np.isfinite(array(panel.close)) & np.isfinite(cap) & (cap > 0)
    estu = priced & panel.member.to_numpy(dtype=bool)
    x = np.where(priced, raw, np.nan)
    z = standardize.standardize(x, cap, estu)
    if not ((np.isfinite(z) & estu).sum(axis=1) >= LEAST_NAMES).any():
        raise DataError(
            f"'{name}' has no date on which {LEAST_NAMES} members have a value and the values "
            "differ. It cannot be scored."
        )
    return pd.DataFrame(z, index=panel.dates, columns=panel.assets)


def beside(panel: Panel, history: FactorHistory, name: str, raw: np.ndarray) -> FactorHistory:
    """Return the history with one more style: scored, filled and regressed as the others are.

    Each day's returns are regressed on the model's factors and this one; its return is that of a
    portfolio with exposure 1 to it and 0 to all of the model's. The others' returns stay those of
    the model. What is missing is fitted from sector and size; on dates on which it is known for
    under half of the members it has no scores and no return.

    Parameters
    ----------
    panel : the universe's, with the dates of ``history``
    raw : panel dates × assets, of any scale, high for what is wanted

    Raises
    ------
    DataError
        If it is never known for half of the members, or repeats the model's factors.
    """
    rows = panel.dates.get_indexer(history.dates)
    cap = array(panel.market_cap)[rows]
    priced = np.isfinite(array(panel.close)[rows]) & np.isfinite(cap) & (cap > 0)
    sectors = Groups.of(history.sector.reindex(history.assets))
    estu = priced & panel.member.to_numpy(dtype=bool)[rows] & (sectors.codes >= 0)
    z = standardize.standardize(np.where(priced, raw[rows], np.nan), cap, estu)
    members = estu.sum(axis=1)
    begun = (members > 0) & ((np.isfinite(z) & estu).sum(axis=1) >= LEAST_SHARE * members)
    if not begun.any():
        raise DataError(
            f"'{name}' is known for under half of the members on every date, which is too little "
            "for returns of its own. Give it more values, or ask what it foretold (FACTOR_IC)."
        )
    size = standardize.standardize(np.where(priced, np.log(cap), np.nan), cap, estu)
    z, imputed = standardize.impute(z, size, cap, estu, sectors, scored=priced)
    z[~begun], imputed[~begun] = np.nan, False
    styles = np.concatenate([history.styles, z[:, :, None]], axis=2)
    before = slice(None, -1)
    names = (*history.style_names, name)
    returns = array(panel.returns)[rows][1:]
    try:
        fit = cross_sections(returns, styles[before], cap[before], estu[before], sectors, names)
    except DataError as error:
        alike = _most_alike(styles[begun & estu.any(axis=1)][-1], history.style_names)
        raise DataError(
            f"'{name}' repeats the model's factors on a date, most of all {alike}, so it has no "
            f"returns of its own. Ask for {alike}."
        ) from error
    return replace(
        history,
        factors=_described(history.factors, name),
        styles=styles,
        imputed=np.concatenate([history.imputed, imputed[:, :, None]], axis=2),
        returns=history.returns.assign(**{name: np.append(np.nan, fit.factor_returns[:, -1])}),
        t_stats=history.t_stats.assign(**{name: np.append(np.nan, fit.t_values[:, -1])}),
    )


def _most_alike(scores: np.ndarray, styles: list[str]) -> str:
    """Return the style whose scores are most like those of the last column."""
    known = scores[np.isfinite(scores).all(axis=1)]
    alike = np.abs(np.corrcoef(known.T)[-1, :-1]) if len(known) > 2 else np.zeros(len(styles))
    return styles[int(np.nan_to_num(alike).argmax())]


def _described(factors: pd.DataFrame, name: str) -> pd.DataFrame:
    row = ("style", "A factor of your own", name, 0, "your own")
    columns = ["group", "description", "descriptors", "sign", "source"]
    added = pd.DataFrame([row], columns=columns, index=pd.Index([name], name="factor"))
    return pd.concat([factors, added])
