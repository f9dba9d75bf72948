"""The buttons As-of and Quality; Refresh starts a job, which ribbon.js asks for itself."""

import datetime as dt

import pandas as pd
import xlwings as xw
import xlwings.server

from custom_scripts import _inputs as inputs
from custom_scripts import _sheets as sheets
from custom_scripts._sheets import Output
from tilt.api.state import State, current
from tilt.api.v1.quality import counts_by_check, counts_by_severity
from tilt.data.store import Snapshot
from tilt.errors import ArgumentError

DATA, QUALITY = "Tilt Data", "Tilt Quality"
VERSION_COLUMNS = (
    "snapshot", "first_date", "as_of", "securities", "source", "written", "state",
)  # fmt: skip
NOUNS = {"error": "error", "warning": "warning", "info": "remark"}


@xlwings.server.script
def as_of(book: xw.Book) -> None:
    """Write which universes there are, from when to when, and every snapshot of the chosen one."""
    state = current()
    found = _chosen(book, state)
    said = f"Data as of {found.as_of:%Y-%m-%d}"
    words = [said, f"Universe {found.universe}, snapshot {found.id}", found.survivorship]
    versions = _versions(state, found)
    parts = [Output("TiltUniverses", _universes(state)), Output("TiltSnapshots", versions)]
    written = sheets.write_sheet(book, DATA, words, parts)
    sheets.say(
        book,
        f"{said}, universe {found.universe}, snapshot {found.id} of "
        f"{inputs.counted(len(versions), 'snapshot')}: sheet {written}.",
    )


def _universes(state: State) -> pd.DataFrame:
    """Return the universes with the snapshot that each one is of now."""
    table = state.store.universes()
    newest = [state.store.snapshot(str(name)) for name in table["name"]]
    return table.assign(
        snapshot=[s.id for s in newest], refreshed=[_day(s.published) for s in newest]
    )


def _versions(state: State, chosen: Snapshot) -> pd.DataFrame:
    """Return snapshot, first_date, as_of, securities, source, written, state; the newest first."""
    rows = [
        (
            s.id, pd.Timestamp(s.first_date), pd.Timestamp(s.as_of), s.securities, s.source,
            _day(s.created), "current" if s.id == chosen.id else "earlier",
        )
        for s in state.store.snapshots(chosen.universe)
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=list(VERSION_COLUMNS))


def _day(moment: dt.datetime) -> pd.Timestamp:
    return pd.Timestamp(moment).tz_localize(None).normalize()


@xlwings.server.script
def quality(book: xw.Book) -> None:
    """Write what the checks found in the data, counted and one by one."""
    state = current()
    found = _chosen(book, state)
    findings = state.store.findings(found.universe).iloc[::-1].reset_index(drop=True)
    severities = counts_by_severity(findings)
    shown = ", ".join(
        inputs.counted(count, NOUNS[name]) for name, count in severities.items() if count
    )
    words = [
        "Data quality",
        f"{inputs.counted(len(findings), 'finding')}: {shown}" if len(findings) else "No findings",
        f"As of {found.as_of:%Y-%m-%d}, {found.universe}, snapshot {found.id}",
        found.survivorship,
    ]
    counts = Output("TiltQualityCounts", counts_by_check(findings))
    written = sheets.write_sheet(book, QUALITY, words, [counts, Output("TiltQuality", findings)])
    sheets.say(book, f"Wrote {words[1].lower()} to the sheet {written}.")


def _chosen(book: xw.Book, state: State) -> Snapshot:
    """Return the snapshot of the universe that the settings name, or of the default one.

    Raises
    ------
    ArgumentError
        If the setting is no text.
    """
    name = inputs.read_settings(book).get("universe")
    if name is not None and not isinstance(name, str):
        raise ArgumentError(f"universe in {inputs.SETTINGS} must be a name; got {name}.")
    return state.store.snapshot(name)
