"""What the arguments of cell functions mean: dates, lists, options, each parsed here alone."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from tilt.api.cells import NOTHING
from tilt.api.values import Grid
from tilt.errors import ArgumentError, DataError, UnknownNameError, cut, did_you_mean, one_of
from tilt.portfolio.cells import Number, Problem, is_blank, is_error, is_zero, read_number, shown
from tilt.portfolio.identifiers import Tickers

TABLE_OPTIONS: Mapping[str, str] = MappingProxyType(
    {
        "headers": "on (default) or off: whether the first row names the columns",
        "top": "how many rows to show; a total stays the last row",
        "sort": "a column to sort by; -column for largest first",
        "na": "what stands for a missing number: error (default, #N/A), blank or zero",
    }
)
_MISSING = ("error", "blank", "zero")


@dataclass(frozen=True)
class Input:
    """How an argument is read, and the sentence Excel's function wizard shows for it."""

    doc: str
    read: Callable[[Grid, str], object]


@dataclass(frozen=True)
class Options:
    """The options of a call.

    own : of the function itself, by key, as given
    headers, top, sort, missing : of every table
    """

    own: Mapping[str, object] = field(default_factory=dict)
    headers: bool = True
    top: int | None = None
    sort: str = ""
    missing: str = "error"

    def number(self, key: str, default: float) -> float:
        """Return a number."""
        value = self.own.get(key)
        return default if value is None else _number(value, f"option {key}")

    def count(self, key: str, default: int) -> int:
        """Return a whole number from 1."""
        value = self.own.get(key)
        return default if value is None else _count(value, f"option {key}")

    def text(self, key: str, default: str) -> str:
        """Return a text."""
        value = self.own.get(key)
        return default if value is None else str(value).strip()

    def flag(self, key: str) -> bool:
        """Return whether a switch is on; left out, it is off."""
        value = self.own.get(key)
        return False if value is None else _switch(value, f"option {key}")


NO_OPTIONS = Options()


class Name(str):
    """One name of a list, which knows where it stands: ``row 3``, or nothing for a single one."""

    __slots__ = ("place",)
    place: str

    def __new__(cls, text: str, place: str = "") -> "Name":
        made = super().__new__(cls, text)
        made.place = place
        return made


def cells(doc: str) -> Input:
    """Describe an argument that takes a range as it is."""
    return Input(doc, lambda grid, _: NOTHING if _is_zero(grid) else grid)


def one(doc: str) -> Input:
    """Describe an argument of one cell, whatever it holds: a date, for example."""
    return Input(doc, _one)


def text(doc: str) -> Input:
    """Describe an argument that is a text."""
    return Input(doc, lambda grid, name: NOTHING if _is_zero(grid) else _text(grid, name))


def number(doc: str) -> Input:
    """Describe an argument that is a number."""
    return Input(doc, lambda grid, name: _number(_one(grid, name), name))


def names(doc: str) -> Input:
    """Describe a list of names: a range, one text, or texts with commas between."""
    return Input(doc, lambda grid, name: NOTHING if _is_zero(grid) else read_names(grid, name))


def choice(doc: str, known: tuple[str, ...]) -> Input:
    """Describe an argument that is one of a few names."""
    return Input(
        doc,
        lambda grid, name: NOTHING if _is_zero(grid) else one_of(name, _text(grid, name), known),
    )


def options(known: Mapping[str, str], *, table: bool) -> Input:
    """Describe options: a range of key and value, or ``"key=value;key=value"``."""
    every = {**known, **(TABLE_OPTIONS if table else {})}
    doc = "Key and value in two columns, or a text such as " + '"' + _example(every) + '".'
    return Input(
        doc,
        lambda grid, name: NOTHING if _is_zero(grid) else read_options(grid, name, known=every),
    )


def tickers_of(given: tuple[str, ...], known: Tickers, argument: str = "tickers") -> list[str]:
    """Return the tickers that a list means.

    Raises
    ------
    UnknownNameError
        If one is not known; the message tells its row and the nearest ticker.
    DataError
        If Excel made something else of one: a date, a logical value.
    """
    return [_ticker(name, known, argument) for name in given]


def _ticker(name: str, known: Tickers, argument: str) -> str:
    match = known.find(name)
    if match is not None:
        return match.ticker
    place = name.place if isinstance(name, Name) else ""
    read = known.read(_before_it_was_a_name(name))
    if isinstance(read, Problem):
        where = f"{argument} {place}".strip()
        raise DataError(f"{where}: {read.problem}. {read.fix}")
    where = f" ({argument} {place})" if place else ""
    raise UnknownNameError(f"Unknown ticker '{cut(name)}'{where}.{known.suggest(name)}")


def _before_it_was_a_name(name: str) -> object:
    """Return the logical value or the number that a name was in its cell."""
    if name in ("TRUE", "FALSE"):
        return name == "TRUE"
    return float(name) if name.isascii() and name.isdigit() and len(name) < 16 else str(name)


def read_options(grid: Grid, argument: str, *, known: Mapping[str, str]) -> Options:
    """Return the options that a range or a text holds.

    Raises
    ------
    ArgumentError
        If a key is not known (with the nearest one) or given twice, or a value is not what it
        must be.
    """
    own: dict[str, object] = {}
    for given, value in _pairs(grid, argument):
        key = given.strip().casefold().replace(" ", "_")
        if key not in known:
            raise ArgumentError(
                f"{argument}: there is no option '{cut(given)}'.{did_you_mean(key, known)} "
                f"The options are {', '.join(known)}."
            )
        if key in own:
            raise ArgumentError(f"{argument}: '{key}' is given twice. Keep one.")
        own[key] = _as_number(value)
    shared = {k: own.pop(k) for k in TABLE_OPTIONS if k in own}
    top = shared.get("top")
    return Options(
        own=own,
        headers=_switch(shared.get("headers", "on"), "option headers"),
        top=None if top is None else _count(top, "option top"),
        sort=str(shared.get("sort", "")).strip(),
        missing=one_of("option na", str(shared.get("na", "error")), _MISSING),
    )


def _pairs(grid: Grid, argument: str) -> list[tuple[str, object]]:
    """Return key and value of each option; a blank value leaves the option out."""
    if len(grid[0]) == 1:
        texts = [_text([row], argument) for row in grid if not _is_nothing(row[0])]
        parts = [part for text in texts for part in text.split(";")]
        return [_pair(part, argument) for part in parts if part.strip()]
    if len(grid[0]) != 2:
        raise ArgumentError(f'{argument} must be two columns, key and value, or "key=value".')
    pairs: list[tuple[str, object]] = []
    for row, (key, value) in enumerate(grid, start=1):
        for cell in (key, value):
            if is_error(cell):
                raise DataError(f"{argument} row {row} is {shown(cell)}.")
        if (row == 1 and _is_options_header(key, value)) or is_blank(value):
            continue
        if is_blank(key) or is_zero(key):
            if is_zero(value):
                continue
            raise ArgumentError(
                f"{argument} row {row}: the value is {shown(value)} but the key is blank. "
                "Type the key, or clear the row."
            )
        pairs.append((key if isinstance(key, str) else shown(key), value))
    return pairs


def _is_options_header(key: object, value: object) -> bool:
    words = [str(cell).strip().casefold() for cell in (key, value)]
    return words[0] in {"key", "option", "name"} and words[1] == "value"


def _pair(part: str, argument: str) -> tuple[str, object]:
    key, sign, value = part.partition("=")
    if not sign or not key.strip() or not value.strip():
        raise ArgumentError(f"{argument}: '{cut(part)}' is not of the form key=value.")
    return key, value.strip()


def _as_number(value: object) -> object:
    """Return the number that a text means, so that a range and a text say the same."""
    read = read_number(value, point_is_decimal=True) if isinstance(value, str) else None
    if not isinstance(read, Number):
        return value
    return int(read.value) if read.value.is_integer() else read.value


def _one(grid: Grid, name: str) -> object:
    filled = [cell for row in grid for cell in row if not is_blank(cell)]
    if len(filled) > 1:  # one alone may be a merged cell
        raise ArgumentError(
            f"{name} must be one cell; got {len(grid)} rows and {len(grid[0])} columns."
        )
    if filled and is_error(filled[0]):
        raise DataError(f"{name} is {shown(filled[0])}.")
    return filled[0] if filled else None


def _text(grid: Grid, name: str) -> str:
    value = _one(grid, name)
    if value is None:
        raise ArgumentError(f"{name} is blank. Type it, or leave the argument out.")
    if not isinstance(value, str):
        raise ArgumentError(f"{name} must be a text; got {shown(value)}.")
    return value.strip()


def _is_nothing(cell: object) -> bool:
    return is_blank(cell) or is_zero(cell)


def _is_zero(grid: Grid) -> bool:
    """Return whether an argument of text is a zero: how Excel may send a blank cell."""
    return len(grid) == len(grid[0]) == 1 and is_zero(grid[0][0])


def read_names(grid: Grid, name: str) -> tuple[str, ...]:
    """Return the names of a range, or of a text with commas; those in brackets do not divide.

    Raises
    ------
    ArgumentError
        If there is none.
    """
    wide = len(grid[0]) > 1
    found: list[Name] = []
    for row, cells_ in enumerate(grid, start=1):
        for column, cell in enumerate(cells_, start=1):
            if _is_nothing(cell):
                continue
            place = _place(grid, row, column) if wide or len(grid) > 1 else ""
            parts = _parts(_name(cell, f"{name} {place}".strip()))
            found += [Name(part, place) for part in parts]
    if not found:
        raise ArgumentError(f"{name} is empty. Give a range of names, or names with commas.")
    if len(found) > 1 and not found[0].place:  # names with commas in one cell
        found = [Name(part, f"name {n}") for n, part in enumerate(found, start=1)]
    return tuple(found)


def _parts(text: str) -> list[str]:
    """Return what commas or semicolons divide, but for those in the brackets of ``min(x, y)``."""
    if not any(sign in text for sign in ",;\n"):
        return [text.strip()] if text.strip() else []
    depth, letters = 0, []
    for letter in text:
        depth += (letter == "(") - (letter == ")")
        letters.append("\n" if letter in ",;" and depth <= 0 else letter)
    divided = "".join(letters) if depth == 0 else text.replace(";", ",").replace(",", "\n")
    return [part.strip() for part in divided.split("\n") if part.strip()]


def _place(grid: Grid, row: int, column: int) -> str:
    if len(grid[0]) == 1:
        return f"row {row}"
    return f"column {column}" if len(grid) == 1 else f"row {row} column {column}"


def _name(value: object, where: str) -> str:
    if is_error(value):
        raise DataError(f"{where} is {shown(value)}.")
    if isinstance(value, str):
        return value.strip().removeprefix("'")
    if isinstance(value, bool):
        return str(value).upper()  # Excel takes the ticker TRUE for a logical value
    if isinstance(value, float | int) and float(value).is_integer() and abs(value) < 1e15:
        return str(int(value))  # and 8306 for a number
    raise ArgumentError(f"{where} is {shown(value)}, which is no name.")


def _number(value: object, name: str) -> float:
    if is_error(value):
        raise DataError(f"{name} is {shown(value)}.")
    read = None if is_blank(value) else read_number(value, point_is_decimal=True)
    if not isinstance(read, Number):
        raise ArgumentError(f"{name} must be a number; got {shown(value)}.")
    return read.value


def _count(value: object, name: str) -> int:
    given = _number(value, name)
    if not 1 <= given <= 1_048_576 or given != int(given):
        raise ArgumentError(f"{name} must be a whole number from 1; got {given:g}.")
    return int(given)


def _switch(value: object, name: str) -> bool:
    word = str(value).strip().casefold()
    if word in {"on", "yes", "true", "1", "1.0"}:
        return True
    if word in {"off", "no", "false", "0", "0.0"}:
        return False
    raise ArgumentError(f"{name} must be on or off; got {shown(value)}.")


def _example(known: Mapping[str, str]) -> str:
    values = {"headers": "off", "top": "10", "na": "blank", "long_short": "yes"}
    pairs = [f"{k}={values[k]}" for k in known if k in values]
    return ";".join(pairs[:2]) or f"{next(iter(known))}=1"
