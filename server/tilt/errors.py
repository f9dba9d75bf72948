"""What a user can mend, and how each kind shows: as an Excel error value and an HTTP status."""

from collections.abc import Iterable
from difflib import get_close_matches
from typing import ClassVar

_COMPARED = 60  # letters of a name that are held against the known ones


class TiltError(Exception):
    """Something the user can mend; the message says what is wrong and what to do.

    The first 120 characters stand alone: a cell shows little more.
    """

    cell: ClassVar[str] = "#VALUE!"
    status: ClassVar[int] = 400


class ArgumentError(TiltError):
    """An argument, a shape or an option is wrong."""


class DataError(TiltError):
    """A value in a range or a table is not what it must be."""


class UnknownNameError(TiltError):
    """A name that is not known, or that has no data at the date."""

    cell = "#N/A"
    status = 404


class NoSolutionError(TiltError):
    """A problem that is infeasible or unbounded."""

    cell = "#N/A"
    status = 422


class AccessError(TiltError):
    """The caller is not signed in."""

    cell = "#N/A"
    status = 401


class NotAllowedError(TiltError):
    """The caller is signed in, and may not do this."""

    cell = "#N/A"
    status = 403


class BusyError(TiltError):
    """The server cannot take the work now; the same call may go through later."""

    cell = "#N/A"
    status = 503


class ConflictError(BusyError):
    """Somebody else changed the same thing meanwhile; begun anew, the call may go through."""

    status = 409


class StoppedError(TiltError):
    """A long computation that the user stopped."""

    cell = "#N/A"
    status = 409


class ZeroDenominatorError(TiltError):
    """A ratio whose denominator is zero."""

    cell = "#DIV/0!"
    status = 422


def cut(text: str, most: int = 40) -> str:
    """Return a text as a message may quote it: one line, printable, its end left out if long."""
    line = " ".join(text.split()) if text.isprintable() else _one_line(text)
    return line if len(line) <= most else f"{line[: most - 3]}..."


def _one_line(text: str) -> str:
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return `` Did you mean 'x'?`` for the nearest known name, or an empty text.

    Where no name is near as a whole, the first one with the same three letters at its start counts.
    """
    by_fold = {k.casefold(): k for k in known}
    given = name[:_COMPARED].casefold()
    near = get_close_matches(given, by_fold, n=1, cutoff=0.6) or [
        k for k in by_fold if len(given) >= 3 and k.startswith(given[:3])
    ]
    return f" Did you mean '{by_fold[near[0]]}'?" if near else ""


def name_taken(name: str) -> ArgumentError:
    """Return the error of a name that cannot be had; it does not tell why."""
    words = f"'{cut(name.strip())}' means something else in formulas. Choose another name."
    return ArgumentError(words)


def one_of(what: str, given: str, known: Iterable[str]) -> str:
    """Return the known name that ``given`` spells, whatever its case.

    Raises
    ------
    ArgumentError
        If there is none; the message lists the known names (two of many) and the nearest one.
    """
    names = list(known)
    by_fold = {n.casefold(): n for n in names}
    found = by_fold.get(given.strip().casefold())
    if found is None:
        listed = names if len(", ".join(names)) <= 60 else [*names[:2], "..."]
        raise ArgumentError(
            f"{what} must be one of {', '.join(listed)}; got '{cut(given)}'."
            f"{did_you_mean(given, names)}"
        )
    return found
