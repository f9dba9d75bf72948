"""Statements through time: what was seen first stays, a restatement stands beside it."""

from collections.abc import Mapping

import pandas as pd

from tilt.data.schema import STATEMENTS, check_table

PERIOD = ["symbol", "period_end"]
ITEMS = [c.name for c in STATEMENTS.columns if c.kind == "number"]


def with_versions(
    tables: Mapping[str, pd.DataFrame],
    held: Mapping[str, pd.DataFrame] | None,
    today: pd.Timestamp,
) -> dict[str, pd.DataFrame]:
    """Return the tables with every version of the statements that was ever seen.

    A statement that is held already keeps the day it was first seen. One whose amounts are others
    than those held is a restatement: it is first seen today, and the earlier versions stay. A
    second restatement on the same day replaces the first one. A period that the source no longer
    delivers goes, as every row that a source takes back.

    Parameters
    ----------
    tables : as delivered, by name
    held : those of the last snapshot of the same source; None if there is none
    """
    given = tables[STATEMENTS.name]
    if given.empty:
        return dict(tables)
    mine = given.assign(fetched=given["fetched"].fillna(today))
    if held is not None and not held[STATEMENTS.name].empty:
        mine = _beside(held[STATEMENTS.name], mine)
    checked = check_table(mine, STATEMENTS, origin=STATEMENTS.name)
    return {**tables, STATEMENTS.name: checked}


def _beside(held: pd.DataFrame, given: pd.DataFrame) -> pd.DataFrame:
    """Return what is held of the given periods, and what is given that differs from it."""
    known = held.merge(given[PERIOD].drop_duplicates(), on=PERIOD)
    latest = known.sort_values([*PERIOD, "fetched", "filed"], na_position="first").drop_duplicates(
        PERIOD, keep="last"
    )
    several = given.duplicated(PERIOD, keep=False)  # the source keeps versions itself
    pairs = given[~several].merge(latest, on=PERIOD, how="left", suffixes=("", "_held"))
    same = pairs["fetched_held"].notna()
    for name in [*ITEMS, "filed"]:
        now, then = pairs[name], pairs[f"{name}_held"]
        same &= (now == then) | (now.isna() & then.isna())
    changed = pairs.loc[~same, list(given.columns)]
    parts = [known[~known.set_index(PERIOD).index.isin(given[several].set_index(PERIOD).index)]]
    parts += [given[several], changed]
    both = pd.concat([p for p in parts if len(p)], ignore_index=True)
    replaced = both.duplicated(list(STATEMENTS.key), keep="last")
    return both[~replaced]
