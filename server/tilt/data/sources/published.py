"""Lists of key figures stay as they were published, whatever a vendor says of that day later.

A vendor that gives its figures as they stand today would otherwise move the past: a count of shares
that it dated back, or a statement that was restated, would change lists of before. What is known of
statements is kept by the refresh, for every source (``tilt.refresh.statements``).
"""

from collections.abc import Mapping

import pandas as pd

from tilt.data.schema import KEY_FIGURES, check_table


def as_published(
    fresh: Mapping[str, pd.DataFrame], held: Mapping[str, pd.DataFrame]
) -> dict[str, pd.DataFrame]:
    """Return fresh tables whose lists of held days are the held ones.

    Parameters
    ----------
    fresh : by name, as a vendor gives them today
    held : tables of the last snapshot of the same source; empty if there is none
    """
    if KEY_FIGURES.name not in held:
        return dict(fresh)
    new = check_table(fresh[KEY_FIGURES.name], KEY_FIGURES, origin=KEY_FIGURES.name)
    old = held[KEY_FIGURES.name].reindex(columns=new.columns).astype(new.dtypes)
    # the last held list may be of a month that was not over, and then it is not a list any more
    kept = old[old["date"].isin(new["date"]) & old["symbol"].isin(new["symbol"])]
    at = pd.MultiIndex.from_frame(kept[["date", "symbol"]])
    added = new[~pd.MultiIndex.from_frame(new[["date", "symbol"]]).isin(at)]
    return {**fresh, KEY_FIGURES.name: pd.concat([kept, added], ignore_index=True)}
