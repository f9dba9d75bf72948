"""Tables on their way to a sheet: sorted, cut and headed as the options ask."""

import pandas as pd

from custom_functions._inputs import Options
from tilt.api.values import Table
from tilt.errors import UnknownNameError, one_of


def arrange(frame: pd.DataFrame, options: Options, *, totals: int = 0) -> Table:
    """Return a frame as its reader wants it.

    Parameters
    ----------
    totals : rows at the end that stay at the end

    Raises
    ------
    ArgumentError
        If there is no column of the name to sort by.
    UnknownNameError
        If nothing would be shown at all.
    """
    end = len(frame) - totals
    body, last = frame.iloc[:end], frame.iloc[end:]
    if options.sort:
        column = one_of("option sort", options.sort.lstrip("-"), [str(c) for c in frame.columns])
        body = body.sort_values(column, ascending=not options.sort.startswith("-"), kind="stable")
    body = body.head(options.top) if options.top is not None else body
    shown = pd.concat([body, last]) if totals else body
    if shown.empty and not options.headers:
        raise UnknownNameError("There is nothing to show: the table has no rows.")
    return Table(shown, headers=options.headers, missing=options.missing)
