"""Texts, days and ranges as one types them into a formula."""

import re

import pandas as pd

from tilt.optimize.constraints import Grid

LONGEST_FORMULA, LONGEST_TEXT = 8192, 255  # characters that Excel takes, the latter of each text
_TEXT = re.compile(r'"((?:[^"]|"")*)"')


def is_too_long(formula: str) -> bool:
    """Return whether Excel would refuse a formula, and with it the file: it, or a text in it."""
    texts = (text.replace('""', '"') for text in _TEXT.findall(formula))
    return len(formula) >= LONGEST_FORMULA or any(len(text) > LONGEST_TEXT for text in texts)


def typed_text(text: str) -> str:
    """Return a text between quotes, with its own quotes doubled."""
    return '"' + text.replace('"', '""') + '"'


def typed_day(date: pd.Timestamp | None) -> str:
    """Return a day as the cells read it; None is an argument that is left out."""
    return "" if date is None else typed_text(f"{date:%Y-%m-%d}")


def typed_array(grid: Grid) -> str:
    """Return cells as an array constant; a blank is an empty text, which the cells read as one."""
    width = max(map(len, grid))
    rows = [[*row, *[""] * (width - len(row))] for row in grid]
    return "{" + ";".join(",".join(map(_constant, row)) for row in rows) + "}"


def _constant(value: object) -> str:
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, int | float):
        return repr(float(value)) if value == value else '""'
    return typed_text("" if value is None else str(value))
