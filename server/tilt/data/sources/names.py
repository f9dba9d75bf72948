"""A list of names as a user writes it: between commas, or in a file, and a first day."""

import datetime as dt
import re
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo

import pandas as pd

from tilt.errors import ArgumentError, DataError, cut

LISTS = (".txt", ".csv")
HEADERS = frozenset({"ticker", "symbol", "tickers", "symbols", "security", "securities"})
LONGEST = 180  # letters of a source's name, as the catalog keeps it
YEARS = 10


@dataclass(frozen=True)
class Asked:
    """What a user asks a vendor for.

    text     : as it was written, for the record
    names    : in capitals, each once
    universe : the name of the file; empty without one
    start    : first day; None: the vendor's own
    """

    text: str
    names: tuple[str, ...]
    universe: str
    start: pd.Timestamp | None


def read_names(text: str, data_path: Path, *, prefix: str) -> Asked:
    """Return what ``AAPL,MSFT``, ``list.txt`` or ``AAPL@2015-01-01`` asks for.

    Parameters
    ----------
    text : names between commas, or a file (``.txt``, ``.csv``) that is here or in the data folder;
        and then, if wanted, ``@`` and the first day
    prefix : of the vendor, for the messages

    Raises
    ------
    ArgumentError
        If there is no such file, no name, or the day is no date.
    DataError
        If the file cannot be read.
    """
    asked = text.strip()
    listed, _, since = asked.partition("@")
    universe = ""
    if listed.strip().casefold().endswith(LISTS):
        path = _file(listed.strip(), data_path)
        given, universe = _listed(path), path.stem.upper()
    else:
        given = listed.split(",")
    if len(asked) > LONGEST:
        raise ArgumentError(
            f"The list of tickers is {len(asked)} characters long. Write it to a file, one ticker "
            f"a line, and name that: {prefix}:list.txt."
        )
    names = tuple(dict.fromkeys(t.strip().upper() for t in given if t.strip()))
    if not names:
        raise ArgumentError(
            f"There is no ticker to ask {prefix.title()} for. Write {prefix}:AAPL,MSFT."
        )
    return Asked(asked, names, universe, _first_day(since) if since else None)


def _first_day(text: str) -> pd.Timestamp:
    try:
        return pd.Timestamp(dt.date.fromisoformat(text.strip()))
    except ValueError:
        raise ArgumentError(
            f"The first day must be a date such as 2015-01-01; got '{cut(text)}'."
        ) from None


def _file(name: str, data_path: Path) -> Path:
    for path in (Path(name).expanduser(), data_path / name):
        if path.is_file():
            return path
    raise ArgumentError(f"There is no file '{name}' with tickers, here or in the data folder.")


def _listed(path: Path) -> list[str]:
    """Return the first column of a file, without a header and without comments."""
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (UnicodeDecodeError, OSError) as error:
        raise DataError(f"{path.name} is not a readable text file: {error}.") from None
    first = [re.split(r"[,;\t]", line.partition("#")[0])[0].strip(" \"'") for line in lines]
    some = [ticker for ticker in first if ticker]
    headed = some and some[0].casefold() in HEADERS
    return some[1:] if headed else some


def last_day(now: dt.datetime) -> pd.Timestamp:
    """Return the last calendar day whose closes are final everywhere: that ends at 17:00 New York.

    Parameters
    ----------
    now : with a time zone
    """
    there = now.astimezone(ZoneInfo("America/New_York")).replace(tzinfo=None)
    return pd.Timestamp(there - dt.timedelta(hours=17)).normalize()


def today() -> pd.Timestamp:
    """Return the last day that can be asked for."""
    return last_day(dt.datetime.now(dt.UTC))


def first_day(start: pd.Timestamp | None, day: pd.Timestamp) -> pd.Timestamp:
    """Return the first day to ask for: January 1, ten years before ``day``, if none is wanted."""
    return start or pd.Timestamp(day.year - YEARS, 1, 1)
