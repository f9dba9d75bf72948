"""When a statement counts as known: from its filing, or an assumed lag after its period's end."""

import pandas as pd

REPORTING_LAG = 90  # days; a 10-K is due within 60 to 90 days of the fiscal year's end
OLDEST_FIGURE = 400  # days since its list was published
OLDEST_STATEMENT = 550  # days since the period's end: the next annual report is overdue
YEAR_APART = (300, 430)  # days between two statements that are a year apart


def known_from(statements: pd.DataFrame, lag: int = REPORTING_LAG) -> "pd.Series[pd.Timestamp]":
    """Return the day from which each row of the table ``statements`` is known.

    The first version of a period counts from its filing day, or ``lag`` days after the period's end
    where that is not given. A restatement, which is a later version of the same period, counts from
    its filing day, and without one from the day it was fetched. A filing day that is not after the
    period's end is not believed.

    Parameters
    ----------
    statements : of ``tilt.data.schema``: symbol, period_end, filed, fetched, in any order
    lag : days from the period's end
    """
    end = statements["period_end"]
    filed = statements["filed"].where(statements["filed"] > end)
    assumed = filed.fillna(end + pd.Timedelta(days=lag))
    order = statements.assign(known=assumed).sort_values(
        ["known", "fetched"], kind="stable", na_position="first"
    )
    later = order.duplicated(["symbol", "period_end"]).reindex(statements.index)
    fetched = statements["fetched"]
    restated = later & filed.isna() & fetched.notna()
    return assumed.mask(restated, assumed.where(assumed > fetched, fetched))
