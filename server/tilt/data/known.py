"""When a statement counts as known: from its filing, or an assumed lag after its period's end."""

import pandas as pd

REPORTING_LAG = 90  # days; a 10-K is due within 60 to 90 days of the fiscal year's end
OLDEST_FIGURE = 400  # days since its list was published
OLDEST_STATEMENT = 550  # days since the period's end: the next annual report is overdue
YEAR_APART = (300, 430)  # days between two statements that are a year apart


def known_from(statements: pd.DataFrame, lag: int = REPORTING_LAG) -> "pd.Series[pd.Timestamp]":
    """Return the day from which each row of the table ``statements`` is known.

    The version of a period that was seen first counts from its filing day, or ``lag`` days after
    the period's end where that is not given. A restatement, which was seen later, counts from the
    day it was seen at the earliest. A filing day that is not after the period's end is not
    believed.

    Parameters
    ----------
    statements : of ``tilt.data.schema``: symbol, period_end, filed, fetched, in any order
    lag : days from the period's end
    """
    end, fetched = statements["period_end"], statements["fetched"]
    filed = statements["filed"].where(statements["filed"] > end)
    known = filed.fillna(end + pd.Timedelta(days=lag))
    restated = ~first_versions(statements) & (fetched > known)
    return known.mask(restated, fetched)


def first_versions(statements: pd.DataFrame) -> "pd.Series[bool]":
    """Return which rows are what was seen first of their period; the others are restatements."""
    fetched = statements["fetched"]
    first = fetched.groupby([statements["symbol"], statements["period_end"]]).transform("min")
    return fetched.isna() | (fetched == first)
