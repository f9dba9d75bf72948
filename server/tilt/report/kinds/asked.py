"""Options of a report as they arrive, text, read as what they mean."""

from collections.abc import Mapping

from tilt.errors import ArgumentError, one_of
from tilt.portfolio.cells import Number, read_number

_WORDS = {"yes": True, "on": True, "true": True, "no": False, "off": False, "false": False}


def number(options: Mapping[str, str], name: str, default: float) -> float:
    """Return an option that is a number; ``default`` where it is left out.

    Raises
    ------
    ArgumentError
        If it is none.
    """
    given = options.get(name, "").strip()
    if not given:
        return default
    read = read_number(given, point_is_decimal=True)
    if not isinstance(read, Number):
        raise ArgumentError(f"option {name} must be a number; got '{given}'.")
    return read.value


def whole(options: Mapping[str, str], name: str, default: int, least: int, most: int) -> int:
    """Return an option that is a whole number within bounds.

    Raises
    ------
    ArgumentError
        If it is none, or outside.
    """
    value = number(options, name, default)
    if value != int(value) or not least <= value <= most:
        raise ArgumentError(
            f"option {name} must be a whole number from {least} to {most}; got {value:g}."
        )
    return int(value)


def flag(options: Mapping[str, str], name: str) -> bool:
    """Return an option that is yes or no; left out it is no.

    Raises
    ------
    ArgumentError
        If it is neither.
    """
    given = options.get(name, "").strip() or "no"
    return _WORDS[one_of(f"option {name}", given, tuple(_WORDS))]


def names(options: Mapping[str, str], name: str, separator: str) -> tuple[str, ...]:
    """Return the parts of an option that is a list, each once."""
    parts = (part.strip() for part in options.get(name, "").split(separator))
    return tuple(dict.fromkeys(part for part in parts if part))
