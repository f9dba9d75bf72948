"""Views on returns as a portfolio manager writes them, and what each says of the names."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from tilt.errors import ArgumentError, DataError, UnknownNameError, cut, did_you_mean
from tilt.optimize.terms import Array

Grid: TypeAlias = Sequence[Sequence[object]]
COLUMNS = ("name", "minus", "view", "confidence")
MEANT = {"ticker": "name", "long": "name", "short": "minus", "against": "minus", "return": "view"}
_ORDER = {2: ("name", "view"), 3: ("name", "view", "confidence"), 4: COLUMNS}


@dataclass(frozen=True)
class View:
    """What somebody expects, a year: of some names, or of some names above others.

    long, short : tickers or sectors, each side held by market weight; short is empty for a view
                  that is absolute
    value       : expected return, or expected difference, a decimal a year
    confidence  : above zero, up to one; one half leaves the view as uncertain as the prior
    row         : its row in the range, counted from 1; zero where it has none
    """

    long: tuple[str, ...]
    short: tuple[str, ...]
    value: float
    confidence: float = 0.5
    row: int = 0

    def words(self) -> str:
        """Return 'AAPL above MSFT by 2 % a year'."""
        names = " + ".join(self.long)
        if self.short:
            return f"{names} above {' + '.join(self.short)} by {100 * self.value:.4g} % a year"
        return f"{names} returns {100 * self.value:.4g} % a year"


def parse_views(
    grid: Grid, known: Callable[[str], str | None], names: Sequence[str], argument: str = "views"
) -> tuple[View, ...]:
    """Read the views of a range.

    Parameters
    ----------
    grid : rows of name, view; name, view, confidence; or name, minus, view, confidence. A header
        may put the columns in another order. ``A + B`` is several names, ``A - B`` one above
        another, with blanks around the signs. Blank rows count only for the row numbers.
    known : returns the ticker or sector that a name means, or None
    names : all that may be meant, for the nearest one in a message

    Raises
    ------
    ArgumentError
        If a column, number or confidence is not what it must be, or a view was typed in per cent.
    DataError
        If a cell holds an error, or a number is missing.
    UnknownNameError
        If a name is not known.
    """
    rows = [(n, row) for n, row in enumerate(grid, start=1) if not all(map(_blank, row))]
    if not rows:
        return ()
    place = _header(rows[0][1], argument)
    if place is None:
        width = max(len(row) for _, row in rows)
        if width not in _ORDER:
            raise ArgumentError(
                f"{argument} must have the columns name, view, confidence, or name, minus, view, "
                f"confidence; got {width} column{'s' if width > 1 else ''}."
            )
        place = {name: at for at, name in enumerate(_ORDER[width])}
    else:
        rows = rows[1:]
    return tuple(_view(row, place, f"{argument} row {n}", n, known, names) for n, row in rows)


def parse_text(
    text: str, known: Callable[[str], str | None], names: Sequence[str]
) -> tuple[View, ...]:
    """Read views such as ``AAPL=0.08@0.6, AAPL - MSFT=0.02``.

    Raises
    ------
    ArgumentError, UnknownNameError
        As ``parse_views``.
    """
    found: list[View] = []
    for number, part in enumerate((p for p in text.split(",") if p.strip()), start=1):
        name, sign, rest = part.partition("=")
        value, at, confidence = rest.partition("@")
        where = f"option views: '{cut(part.strip())}'"
        if not sign:
            raise ArgumentError(f"{where} is not of the form AAPL=0.08 or AAPL - MSFT=0.02@0.6.")
        row = [name, _written(value, where), _written(confidence, where) if at else None]
        place = {column: n for n, column in enumerate(_ORDER[3])}
        found.append(_view(row, place, where, number, known, names))
    return tuple(found)


def _written(text: str, where: str) -> float:
    given = text.strip()
    try:
        return float(given.removesuffix("%")) / (100 if given.endswith("%") else 1)
    except ValueError:
        raise ArgumentError(f"{where}: '{cut(given)}' is not a number.") from None


def _blank(cell: object) -> bool:
    return cell is None or cell == 0 or (isinstance(cell, str) and not cell.strip())


def _header(row: Sequence[object], argument: str) -> dict[str, int] | None:
    """Return where each column stands, or None where the first row is no header."""
    words = [str(cell or "").strip().casefold() for cell in row]
    if "view" not in words:
        return None
    place: dict[str, int] = {}
    for at, word in enumerate(words):
        if not word:
            continue
        name = MEANT.get(word, word)
        if name not in COLUMNS:
            raise ArgumentError(
                f"{argument}: the header '{cut(word)}' is not one of {', '.join(COLUMNS)}."
                f"{did_you_mean(word, COLUMNS)}"
            )
        if name in place:
            raise ArgumentError(f"{argument}: the header '{name}' is there twice.")
        place[name] = at
    if "name" not in place:
        raise ArgumentError(f"{argument}: the header has no column 'name'.")
    return place


def _view(
    row: Sequence[object],
    place: Mapping[str, int],
    where: str,
    number: int,
    known: Callable[[str], str | None],
    names: Sequence[str],
) -> View:
    cells = {column: row[at] if at < len(row) else None for column, at in place.items()}
    for column, cell in cells.items():
        if isinstance(cell, str) and cell.strip().startswith("#"):
            raise DataError(f"{where}: {column} is {cut(cell.strip())}.")
    sides = _text(cells["name"]).split(" - ")
    minus = _text(cells.get("minus"))
    if len(sides) > 2 or (len(sides) == 2 and minus):
        raise ArgumentError(f"{where}: write one name, or A - B, or B in the column minus.")
    if len(sides) == 2:
        sides, minus = sides[:1], sides[1]
    long = _names(sides[0], where, known, names)
    short = _names(minus, where, known, names) if minus else ()
    if not long:
        raise ArgumentError(f"{where}: name is blank. Type a ticker or a sector.")
    if set(long) & set(short):
        raise ArgumentError(f"{where}: '{sorted(set(long) & set(short))[0]}' is on both sides.")
    value, confidence = _figures(cells, where)
    return View(long, short, value, confidence, number)


def _figures(cells: Mapping[str, object], where: str) -> tuple[float, float]:
    """Return the view and its confidence."""
    value = _number(cells.get("view"), f"{where}: view")
    if value is None:
        raise DataError(f"{where}: view is blank. Type a yearly return, 0.02 for 2 %.")
    if abs(value) > 1:
        raise ArgumentError(
            f"{where}: view {value:g} means {100 * value:g} % a year. "
            f"Type {value:g} % as {value / 100:g}."
        )
    confidence = _number(cells.get("confidence"), f"{where}: confidence")
    if confidence is None:
        confidence = 0.5
    if not 0 < confidence <= 1:
        raise ArgumentError(
            f"{where}: confidence must be above 0 and at most 1, 0.6 for 60 %; got {confidence:g}."
        )
    return value, confidence


def _text(cell: object) -> str:
    if isinstance(cell, float) and cell.is_integer():  # a ticker such as 8306
        return str(int(cell))
    return "" if cell is None else str(cell).strip()


def _names(
    text: str, where: str, known: Callable[[str], str | None], names: Sequence[str]
) -> tuple[str, ...]:
    found: list[str] = []
    for part in (p.strip() for p in text.split(" + ")):
        if not part:
            continue
        name = known(part)
        if name is None:
            raise UnknownNameError(
                f"{where}: '{cut(part)}' is no ticker or sector with risk data."
                f"{did_you_mean(part, names)}"
            )
        if name in found:
            raise ArgumentError(f"{where}: '{name}' is there twice.")
        found.append(name)
    return tuple(found)


def _number(cell: object, where: str) -> float | None:
    if cell is None or (isinstance(cell, str) and not cell.strip()):
        return None
    if isinstance(cell, bool) or not isinstance(cell, int | float | np.number):
        raise DataError(f"{where} is '{cut(str(cell))}'. Type it as a number.")
    if not np.isfinite(float(cell)):
        raise DataError(f"{where} is not a number.")
    return float(cell)


def pick(
    views: Sequence[View], assets: Array, sectors: Mapping[str, Array], market: Array
) -> tuple[Array, Array, Array]:
    """Return the views as arrays: P (views × assets), q (a year) and confidences.

    Each side of a view is held by market weight, equally where none of its names has one; the
    sides of a difference sum to one and minus one.

    Raises
    ------
    UnknownNameError
        If a view is about a name without risk data.
    """
    at = {str(a): np.array([n]) for n, a in enumerate(assets)}
    rows = np.zeros((len(views), len(assets)))
    for n, view in enumerate(views):
        for sign, side in ((1.0, view.long), (-1.0, view.short)):
            if side:
                missing = [s for s in side if s not in at and s not in sectors]
                if missing:
                    raise UnknownNameError(
                        f"'{missing[0]}' of the view '{view.words()}' has no risk data."
                        f"{did_you_mean(missing[0], [*at, *sectors])}"
                    )
                where = np.unique(np.concatenate([at.get(s, sectors.get(s)) for s in side]))
                held = market[where]
                share = held / held.sum() if held.sum() > 0 else np.full(len(where), 1 / len(where))
                rows[n, where] += sign * share
    return rows, np.array([v.value for v in views]), np.array([v.confidence for v in views])
