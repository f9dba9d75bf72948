"""What a report is compared with: the last one on record, or the model on an earlier date."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from tilt.data.packs import Pack, Whose
from tilt.frames import Weights
from tilt.report.kinds.figures import MEASURES, Figures, from_json
from tilt.report.layout import Words
from tilt.report.record import Record
from tilt.report.style import measure_format
from tilt.report.tables import BY_ROW, Block, Lineage, header

SAME = 1e-9  # a smaller difference is none

Again = Callable[[pd.Timestamp, Weights | None], Figures]
"""Figures on a date by the data of today; weights as given, or those of the date."""


@dataclass(frozen=True, eq=False)
class Since:
    """What a report is compared with.

    before   : figures by the data of today, so that what changed since is no change of the data
    reported : figures as the earlier report had them; None where there was none, or the data of
               its date has not changed since
    words    : what it is compared with, a sentence each
    pack     : id of the earlier report; empty where there is none
    """

    before: Figures
    words: tuple[str, ...]
    reported: Figures | None = None
    pack: str = ""


@dataclass(frozen=True, eq=False)
class SinceAsked:
    """A report that looks for what to be compared with.

    title : of its kind, in a sentence
    since : the date of the last report where it is given
    usual : the date that is compared with where no report is on record
    now   : its own figures
    """

    whose: Whose
    kind: str
    title: str
    universe: str
    snapshot: str
    since: pd.Timestamp | None
    usual: pd.Timestamp
    now: Figures


def find_since(record: Record, asked: SinceAsked, again: Again) -> Since:
    """Return the last report on record that has something to be compared with, else the model."""
    found = _last(record, asked)
    if found is None:
        date = asked.since or asked.usual
        missing = f"of {date:%Y-%m-%d} " if asked.since is not None else ""
        fallback = (
            f"No earlier {asked.title} {missing}is on record: compared with the model on "
            f"{date:%Y-%m-%d}."
        )
        return Since(again(date, None), (fallback,))
    reported = from_json(found.figures)
    words = (f"Compared with the {asked.title} {_told(found)}.",)
    if found.snapshot == asked.snapshot:
        return Since(reported, words, pack=found.id)
    before = again(reported.date, reported.weights)
    moved = _differs(reported, before)
    said = (
        f"The data of {reported.date:%Y-%m-%d} has changed since: what is below compares with the "
        "same holdings on the same date by the data of today; what the data changed stands apart."
        if moved
        else f"The data of {reported.date:%Y-%m-%d} has not changed since."
    )
    told = (*words, said, *_made_before(record, asked, found))
    return Since(before, told, reported if moved else None, found.id)


def _last(record: Record, asked: SinceAsked) -> Pack | None:
    """Return the report that is compared with; one of the same date only if there is no other."""
    given = asked.whose, asked.kind, asked.universe
    if asked.since is not None:
        return record.last_of_day(*given, asked.since)
    found = record.last(*given, asked.now.date)
    if found is not None:
        return found
    same = record.last_of_day(*given, asked.now.date)
    if same is None or (
        same.snapshot == asked.snapshot and not _differs(from_json(same.figures), asked.now)
    ):
        return None
    return same


def _made_before(record: Record, asked: SinceAsked, compared: Pack) -> tuple[str, ...]:
    """Return what is to be said of a report of this very date from other data."""
    same = record.last_of_day(asked.whose, asked.kind, asked.universe, asked.now.date)
    if same is None or same.id == compared.id or same.snapshot == asked.snapshot:
        return ()
    then = from_json(same.figures)
    if not _differs(then, asked.now):
        return ()
    te = "tracking_error"
    said = (
        f"Same date, data changed: a {asked.title} {_told(same)} had a tracking error of "
        f"{then.measures[te]:.2%}; it is {asked.now.measures[te]:.2%} now."
    )
    return (said,)


def _told(pack: Pack) -> str:
    by = "" if pack.whose.owner in {"", "local"} else f" by {pack.whose.owner}"
    when = f"made {pack.made:%Y-%m-%d %H:%M} UTC{by}"
    return f"of {pack.as_of:%Y-%m-%d}, {when} from snapshot {pack.snapshot} (report {pack.id})"


def _differs(one: Figures, other: Figures) -> bool:
    """Return whether figures of one date differ by more than rounding."""
    pairs = (
        (one.weights, other.weights),
        (one.exposures, other.exposures),
        (one.contributions, other.contributions),
        (one.measures, other.measures),
    )
    return any(
        float(np.abs(a.sub(b, fill_value=0.0).to_numpy()).max(initial=0.0)) > SAME for a, b in pairs
    )


def restated_words(since: Since) -> Words | None:
    """Return what the data changed in figures that were reported, the most important first."""
    if since.reported is None:
        return None
    then, now = since.reported, since.before
    said = [
        f"{header(name)} of {then.date:%Y-%m-%d} was reported as {a:.2%} and is {b:.2%} by the "
        "data of today."
        for name in ("tracking_error", "volatility")
        if abs((b := float(now.measures[name])) - (a := float(then.measures[name]))) >= 5e-5
    ]
    shifts = now.exposures.sub(then.exposures, fill_value=0.0)
    said += [
        f"Active exposure to {name} of {then.date:%Y-%m-%d} was reported as "
        f"{then.exposures.get(name, 0.0):+.2f} and is {now.exposures.get(name, 0.0):+.2f}."
        for name in shifts.abs().sort_values(ascending=False).index[:3]
        if abs(shifts[name]) >= 0.005
    ]
    nothing = "What the data changed is too small for a sentence: the table below has it."
    return Words(tuple(said) or (nothing,), "Same holdings, same date: the data changed")


def restated_block(since: Since, now: Figures, lineage: Lineage) -> Block | None:
    """Return what was reported, what it is by the data of today, and what came since.

    The columns: reported + by_data = restated; restated + by_book = now.
    """
    if since.reported is None:
        return None
    rows, formats = [], []
    for name in MEASURES:
        rows.append((header(name), *(float(f.measures[name]) for f in _three(since, now))))
        formats.append(measure_format(name))
    for name in since.before.exposures.index:
        found = (float(f.exposures.get(name, 0.0)) for f in _three(since, now))
        rows.append((f"Exposure to {name}", *found))
        formats.append("signed")
    table = pd.DataFrame(rows, columns=["figure", "reported", "restated", "now"])
    table["by_data"] = table["restated"] - table["reported"]
    table["by_book"] = table["now"] - table["restated"]
    numbers = [c for c in table.columns if c != "figure"]
    return Block(
        "changes_restated",
        "What the data changed, and what the book and the market did",
        table,
        formats=dict.fromkeys(numbers, BY_ROW),
        row_formats=tuple(formats),
        note="Restated: the holdings of the earlier report on its date, by the data of today.",
        lineage=lineage,
    )


def _three(since: Since, now: Figures) -> tuple[Figures, Figures, Figures]:
    if since.reported is None:
        raise ValueError("nothing was reported")
    return since.reported, since.before, now
