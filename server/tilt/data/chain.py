"""The audit's chain checked, and the anchors that tell when its end was cut off.

An anchor is number and MAC of the entry that was the last one at a moment. Who can write the
database can remove the last entries of the log; who has an anchor sees that they were there. So
anchors lie elsewhere: in a file, best on another machine, and in the servers' log.
"""

import errno
import json
import logging
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Engine, select

from tilt import audit
from tilt.data import catalog
from tilt.errors import ArgumentError, DataError

MOST_TOLD = 20  # problems; one that is damaged spoils those after it
_LOG = logging.getLogger("tilt.audit")
_AT_ONCE = 5_000


@dataclass(frozen=True)
class Anchor:
    """The last entry of a moment."""

    number: int
    mac: str

    def __str__(self) -> str:
        return f"{self.number}:{self.mac}"


@dataclass(frozen=True)
class Checked:
    """What a check of the chain found.

    entries  : how many there are
    signed   : how many of them have a keyed MAC whose key is here
    head     : the last one; None of an empty log
    anchors  : how many anchors were held against it
    problems : in words, the first ones
    """

    entries: int
    signed: int
    head: Anchor | None
    anchors: int
    problems: tuple[str, ...]


def head(engine: Engine) -> Anchor | None:
    """Return the last entry; None of an empty log."""
    with catalog.reading(engine) as connection:
        number, mac = audit.head(connection)
    return Anchor(number, mac) if number else None


def note_anchor(engine: Engine, file: Path, last: Anchor | None = None) -> Anchor | None:
    """Note the last entry in the file of anchors and in the log, unless it is ``last``; return it.

    Raises
    ------
    DataError
        If the file cannot be written.
    """
    there = head(engine)
    if there is None or there == last:
        return there
    line = json.dumps({"number": there.number, "mac": there.mac}) + "\n"
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        _append(file, f"\n{line}" if _is_cut_off(file) else line)
    except OSError as error:
        raise DataError(
            f"The audit's anchor cannot be written to {file} ({error.strerror}). Set "
            "TILT_AUDIT_ANCHOR to a file that can be written."
        ) from None
    _LOG.info("audit", extra={"fields": {"number": there.number, "mac": there.mac}})
    return there


def _append(file: Path, line: str) -> None:
    content = line.encode()
    handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        if os.write(handle, content) < len(content):  # one call: lines of several stay whole
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        os.fsync(handle)
    finally:
        os.close(handle)


def _is_cut_off(file: Path) -> bool:
    """Return whether a file's last line has no end, as after a crash."""
    if not file.exists() or file.stat().st_size == 0:
        return False
    with file.open("rb") as content:
        content.seek(-1, os.SEEK_END)
        return content.read(1) != b"\n"


def read_anchors(file: Path) -> list[Anchor]:
    """Return the anchors of a file, none if it is not there; a line that was cut off is left out.

    Raises
    ------
    DataError
        If it cannot be read.
    """
    try:
        lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
    except FileNotFoundError:
        return []
    except OSError as error:
        raise DataError(
            f"The anchors in {file} cannot be read ({error.strerror}). Let this user read "
            "the file, or set TILT_AUDIT_ANCHOR to another one."
        ) from None
    found = []
    for line in lines:
        try:
            row = json.loads(line)
            found.append(Anchor(int(row["number"]), str(row["mac"])))
        except (ValueError, KeyError, TypeError):
            continue
    return found


def read_anchor(text: str) -> Anchor:
    """Return an anchor as ``tilt audit export`` shows it.

    Raises
    ------
    ArgumentError
        If it is none.
    """
    number, _, mac = text.strip().partition(":")
    if not number.isdecimal() or len(mac) != 64:
        raise ArgumentError(
            f"'{text[:80]}' is no anchor: one is the number of an entry, a colon and its MAC, as "
            "'tilt audit export' shows it."
        )
    return Anchor(int(number), mac)


def check(engine: Engine, anchors: Iterable[Anchor] = ()) -> Checked:
    """Check every entry of the log, that none is missing, and that it reaches every anchor."""
    keys = audit.keys_of(engine)
    wanted: dict[int, set[str]] = {}
    for anchor in anchors:
        wanted.setdefault(anchor.number, set()).add(anchor.mac)
    problems: list[str] = []
    entries = signed = last = 0
    before, keyed = "", False
    for row in _rows(engine):
        number, stored, mac = int(str(row["number"])), str(row["mac"]), keys.mac(row, before)
        said = _gap(last, number) or _fault(row, mac, keyed=keyed)
        if not said and stored not in wanted.get(number, {stored}):
            said = f"entry {number} is not the one that an anchor has: the log was written anew"
        if said:
            problems.append(said)
        entries += 1
        signed += bool(row["key"] and mac)
        last, before, keyed = number, stored, keyed or bool(row["key"])
    cut = [n for n in wanted if n > last]
    if cut:
        problems.append(
            f"entries {last + 1} to {max(cut)} are missing: an anchor has them, and the end of "
            "the log was cut off"
        )
    end = Anchor(last, before) if entries else None
    count = sum(len(macs) for macs in wanted.values())
    return Checked(entries, signed, end, count, tuple(problems[:MOST_TOLD]))


def _gap(before: int, number: int) -> str:
    if number == before + 1:
        return ""
    return f"entries {before + 1} to {number - 1} are missing"


def _fault(row: Mapping[str, object], mac: str, *, keyed: bool) -> str:
    """Return what is wrong with an entry by itself; empty if nothing is.

    Parameters
    ----------
    mac   : that it must have; empty if its key is not here
    keyed : whether an earlier one is signed
    """
    number, key = row["number"], row["key"]
    if keyed and not key:
        return f"entry {number} is not signed, though earlier ones are: somebody added it"
    if not mac:
        return (
            f"entry {number} is signed with the key {key}, which is not here: set "
            "TILT_AUDIT_KEY or TILT_AUDIT_KEYS_OLD"
        )
    if mac != row["mac"]:
        return f"entry {number} is not what was written, or one before it is missing"
    return ""


def _rows(engine: Engine) -> Iterator[dict[str, object]]:
    after = 0
    while True:
        query = select(audit.LOG).where(audit.LOG.c.number > after)
        with catalog.reading(engine) as connection:
            some = connection.execute(query.order_by(audit.LOG.c.number).limit(_AT_ONCE))
            rows = [dict(row) for row in some.mappings()]
        yield from rows
        if len(rows) < _AT_ONCE:
            return
        after = rows[-1]["number"]
