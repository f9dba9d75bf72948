"""Saved portfolios, in the catalog."""

import numpy as np
import pandas as pd
from sqlalchemy import Engine, delete, func, insert, select

from tilt.data import catalog
from tilt.errors import ArgumentError, DataError, UnknownNameError, cut, did_you_mean
from tilt.frames import Weights

LONGEST_NAME = 200
CHANGES = "portfolios"  # the catalog counts every writing of them under this name


def listed(engine: Engine) -> pd.DataFrame:
    """Return name, as_of, names (how many are held) and source, by name."""
    saved, held = catalog.portfolios, catalog.positions
    count = select(func.count()).where(held.c.portfolio == saved.c.name).scalar_subquery()
    query = select(saved.c.name, saved.c.as_of, count, saved.c.source).order_by(saved.c.name)
    with catalog.reading(engine) as connection:
        rows = [tuple(row) for row in connection.execute(query)]
    table = pd.DataFrame(rows, columns=["name", "as_of", "names", "source"])
    return table.assign(as_of=pd.to_datetime(table["as_of"]))


def read(engine: Engine, name: str) -> Weights:
    """Return the weights of a saved portfolio, in the order they were given.

    Raises
    ------
    UnknownNameError
        If there is no portfolio of the name, whatever its case.
    """
    wanted = name.strip().casefold()
    held = catalog.positions
    with catalog.reading(engine) as connection:
        names = list(connection.execute(select(catalog.portfolios.c.name)).scalars())
        found = next((n for n in names if n.casefold() == wanted), None)
        query = select(held.c.ticker, held.c.weight).where(held.c.portfolio == found)
        rows = connection.execute(query.order_by(held.c.position)).all()
    if found is None:
        known = f" Saved are {', '.join(sorted(names))}." if names else " None is saved yet."
        raise UnknownNameError(f"No portfolio '{cut(name)}'.{did_you_mean(name, names)}{known}")
    tickers = pd.Index([r.ticker for r in rows], name="ticker", dtype="str")
    return pd.Series([r.weight for r in rows], index=tickers, name="weight", dtype=float)


def save(
    engine: Engine, name: str, weights: Weights, source: str, *, as_of: pd.Timestamp | None = None
) -> None:
    """Save weights under a name, in place of the portfolio that has the name, whatever its case.

    Raises
    ------
    ArgumentError
        If the name is empty or too long.
    DataError
        If a ticker is there twice, or a weight is missing.
    """
    kept = name.strip()
    if not 0 < len(kept) <= LONGEST_NAME:
        raise ArgumentError(f"A portfolio's name has 1 to {LONGEST_NAME} characters; got '{kept}'.")
    twice = weights.index[weights.index.duplicated()]
    if len(twice):
        raise DataError(f"{twice[0]} is in '{kept}' twice. Sum its weights first.")
    bad = weights.index[~np.isfinite(weights.to_numpy(dtype=float))]
    if len(bad):
        raise DataError(f"{bad[0]} in '{kept}' has no weight.")
    rows = [
        {"portfolio": kept, "ticker": str(ticker), "weight": float(weight), "position": i}
        for i, (ticker, weight) in enumerate(weights.items())
    ]
    day = None if as_of is None else as_of.date()
    with catalog.writing(engine) as connection:
        for old in list(connection.execute(select(catalog.portfolios.c.name)).scalars()):
            if old.casefold() == kept.casefold():
                mine = catalog.positions.c.portfolio == old
                connection.execute(delete(catalog.positions).where(mine))
                connection.execute(
                    delete(catalog.portfolios).where(catalog.portfolios.c.name == old)
                )
        connection.execute(insert(catalog.portfolios).values(name=kept, as_of=day, source=source))
        if rows:
            connection.execute(insert(catalog.positions), rows)
        catalog.count_change(connection, CHANGES)


def delete_saved(engine: Engine, name: str) -> None:
    """Delete the portfolio of a name, whatever its case.

    Raises
    ------
    UnknownNameError
        If there is none.
    """
    wanted = name.strip().casefold()
    with catalog.writing(engine) as connection:
        names = list(connection.execute(select(catalog.portfolios.c.name)).scalars())
        found = [n for n in names if n.casefold() == wanted]
        mine = catalog.positions.c.portfolio.in_(found)
        connection.execute(delete(catalog.positions).where(mine))
        connection.execute(delete(catalog.portfolios).where(catalog.portfolios.c.name.in_(found)))
        catalog.count_change(connection, CHANGES)
    if not found:
        raise UnknownNameError(f"No portfolio '{cut(name)}'.{did_you_mean(name, names)}")
