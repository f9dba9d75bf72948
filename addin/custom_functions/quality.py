"""The cell about what is wrong with the data."""

from typing import Annotated, Literal

import pandas as pd

from custom_functions._arguments import Universe
from custom_functions._edge import udf
from custom_functions._inputs import NO_OPTIONS, Options, text
from tilt.api.lookup import tickers
from tilt.api.state import current
from tilt.calendar import calendar_day, parse_date
from tilt.data.findings import chosen
from tilt.data.quality import CHECKS
from tilt.errors import UnknownNameError, cut, one_of
from tilt.frames import Panel


@udf(
    result="date, ticker, check, severity, detail, action",
    example='=TILT.QUALITY(,"error","top=20")',
    keys={
        "check": "only findings of one check, such as unbooked_split; several with commas between",
        "ticker": "only findings about one ticker; several with commas between",
        "start": "only findings from this date on: 2026-01-31, or relative such as -1M",
        "end": "only findings up to this date",
    },
)
def quality(
    universe: Universe = None,
    severity: Annotated[
        Literal["all", "error", "warning", "info"], text("How bad: all, error, warning or info.")
    ] = "all",
    options: Options = NO_OPTIONS,
) -> pd.DataFrame:
    """List what the quality checks found wrong with the data, the newest first.

    An error is a number that was left out or replaced, a warning one that may be wrong, an info
    one that is only unusual. The action says what was done: kept, repaired or quarantined; the raw
    value stays in the record in every case.
    """
    store, panel = current().store, current().panel(universe)
    found = store.findings(universe, None if severity == "all" else severity)
    checks = [one_of("option check", c, CHECKS) for c in _several(options, "check")]
    kept = chosen(
        found,
        checks=checks,
        tickers=_tickers(_several(options, "ticker"), found, panel),
        start=_day(options, "start", panel),
        end=_day(options, "end", panel),
    )
    return kept.iloc[::-1].reset_index(drop=True)


def _several(options: Options, key: str) -> list[str]:
    given = options.text(key, "")
    return [part.strip() for part in given.split(",") if part.strip()]


def _tickers(given: list[str], found: pd.DataFrame, panel: Panel) -> list[str]:
    """Return tickers of the universe, or of a finding about one that is not in it."""
    known = tickers(current(), panel)
    about = {str(t).casefold(): str(t) for t in found["ticker"] if t}
    result = []
    for name in given:
        match = known.find(name)
        ticker = about.get(name.casefold()) or (match.ticker if match else "")
        if not ticker:
            near = known.suggest(name)
            raise UnknownNameError(f"Unknown ticker '{cut(name)}' (option ticker).{near}")
        result.append(ticker)
    return result


def _day(options: Options, key: str, panel: Panel) -> pd.Timestamp | None:
    given = options.own.get(key)
    if given is None or given == "":
        return None
    day = calendar_day(given)
    return parse_date(given, panel.dates, f"option {key}") if day is None else day
