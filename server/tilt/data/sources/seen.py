"""When a figure was first seen, carried from one refresh to the next.

A vendor gives its statements as they stand today. What was known earlier is kept here: a statement
that is as before keeps the day it was first fetched; one that was restated comes as a second row
beside the first; and a list of key figures that was published stays as it was.
"""

from collections.abc import Mapping

import pandas as pd

from tilt.data.schema import KEY_FIGURES, STATEMENTS, check_table

FETCHED = "fetched"


def as_first_seen(
    fresh: Mapping[str, pd.DataFrame], held: Mapping[str, pd.DataFrame]
) -> dict[str, pd.DataFrame]:
    """Return fresh tables with what the held ones knew earlier.

    Parameters
    ----------
    fresh : by name, as a vendor gives them today; statements with the column ``fetched``
    held : tables of the last snapshot of the same source; empty if there is none
    """
    tables = dict(fresh)
    if STATEMENTS.name in held and STATEMENTS.name in fresh:
        tables[STATEMENTS.name] = _versions(fresh[STATEMENTS.name], held[STATEMENTS.name])
    if KEY_FIGURES.name in held and KEY_FIGURES.name in fresh:
        tables[KEY_FIGURES.name] = _published(fresh[KEY_FIGURES.name], held[KEY_FIGURES.name])
    return tables


def _versions(fresh: pd.DataFrame, held: pd.DataFrame) -> pd.DataFrame:
    """Return all held versions, and the fresh ones that differ from the last held version."""
    new = check_table(fresh, STATEMENTS, origin="statements")
    old = held.reindex(columns=new.columns).astype(new.dtypes)
    last = old.sort_values(FETCHED, kind="stable", na_position="first")
    last = last.drop_duplicates(["symbol", "period_end"], keep="last")
    items = [c.name for c in STATEMENTS.columns if c.kind == "number"]
    pairs = new.merge(last, on=["symbol", "period_end"], how="left", suffixes=("", " held"))
    known = pd.MultiIndex.from_frame(new[["symbol", "period_end"]]).isin(
        pd.MultiIndex.from_frame(last[["symbol", "period_end"]])
    )
    now, then = pairs[items], pairs[[f"{i} held" for i in items]].set_axis(items, axis=1)
    same = ((now == then) | (now.isna() & then.isna())).all(axis=1).to_numpy() & known
    return pd.concat([old, new[~same]], ignore_index=True)


def _published(fresh: pd.DataFrame, held: pd.DataFrame) -> pd.DataFrame:
    """Return the fresh lists, those of held days as they were published then."""
    new = check_table(fresh, KEY_FIGURES, origin="key_figures")
    old = held.reindex(columns=new.columns).astype(new.dtypes)
    # the last held list may be of a month that was not over, and then it is not a list any more
    kept = old[old["date"].isin(new["date"]) & old["symbol"].isin(new["symbol"])]
    at = pd.MultiIndex.from_frame(kept[["date", "symbol"]])
    added = new[~pd.MultiIndex.from_frame(new[["date", "symbol"]]).isin(at)]
    return pd.concat([kept, added], ignore_index=True)
