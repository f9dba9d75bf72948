"""The buttons As-of and Quality; Refresh starts a job, which ribbon.js asks for itself."""

import pandas as pd
import xlwings as xw
import xlwings.server

from custom_scripts import _inputs as inputs
from custom_scripts import _sheets as sheets
from custom_scripts._sheets import Output
from tilt.api.state import State, current
from tilt.data.store import Snapshot
from tilt.errors import ArgumentError

DATA, QUALITY = "Tilt Data", "Tilt Quality"
NOUNS = {"error": "error", "warning": "warning", "info": "remark"}


@xlwings.server.script
def as_of(book: xw.Book) -> None:
    """Write which universes there are, from when to when, and of which snapshot."""
    state = current()
    table = state.store.universes()
    snapshots = [state.store.snapshot(str(name)) for name in table["name"]]
    table = table.assign(
        snapshot=[s.id for s in snapshots],
        refreshed=[pd.Timestamp(s.created).tz_localize(None).normalize() for s in snapshots],
    )
    found = _chosen(book, state)
    said = f"Data as of {found.as_of:%Y-%m-%d}"
    words = [said, f"Universe {found.universe}, snapshot {found.id}", found.survivorship]
    written = sheets.write_sheet(book, DATA, words, [Output("TiltUniverses", table)])
    sheets.say(book, f"{said}, universe {found.universe}, snapshot {found.id}: sheet {written}.")


@xlwings.server.script
def quality(book: xw.Book) -> None:
    """Write what the checks found in the data, counted and one by one."""
    state = current()
    found = _chosen(book, state)
    findings = state.store.findings(found.universe)
    counts = (
        findings.groupby(["severity", "check"], sort=True)
        .size()
        .reset_index(name="count")
        .sort_values(["severity", "count"], ascending=[True, False], ignore_index=True)
    )
    severities = findings["severity"].value_counts().to_dict()
    shown = ", ".join(
        inputs.counted(severities[s], word) for s, word in NOUNS.items() if s in severities
    )
    words = [
        "Data quality",
        f"{inputs.counted(len(findings), 'finding')}: {shown}" if len(findings) else "No findings",
        f"As of {found.as_of:%Y-%m-%d}, {found.universe}, snapshot {found.id}",
    ]
    parts = [Output("TiltQualityCounts", counts), Output("TiltQuality", findings)]
    written = sheets.write_sheet(book, QUALITY, words, parts)
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
