"""Numbers as Excel shows them, for where there is no Excel."""

import datetime as dt
import math
import re
from decimal import ROUND_HALF_UP, Decimal

import numpy as np
import pandas as pd

from tilt.report.style import NUMBER_FORMATS
from tilt.report.tables import Formula, Link

_DIGITS = 15  # that Excel keeps of a number
_PLACES = re.compile(r"0\.(0+)")


def shown_value(value: object, number_format: str = "text") -> str:
    """Return the text of a cell under one of ``style.NUMBER_FORMATS``; a missing value is empty.

    Numbers round half away from zero, from the fifteen digits that Excel keeps.
    """
    if isinstance(value, Formula):
        value = value.value
    if isinstance(value, Link):
        return value.text
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or value is pd.NaT or value is pd.NA:
        return ""
    if isinstance(value, dt.datetime | dt.date):
        return f"{value:%Y-%m-%d}"
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, int | float):
        return _number(float(value), number_format) if math.isfinite(value) else ""
    return str(value)


def _number(value: float, name: str) -> str:
    if name == "text":
        return f"{value:.{_DIGITS}g}"
    if name == "scientific":
        return f"{value:.1E}"
    if name == "date":
        raise TypeError("a date is needed, not a number")
    pattern = NUMBER_FORMATS[name].split(";")[0]
    percent = pattern.endswith("%")
    found = _PLACES.search(pattern)
    places = len(found[1]) if found else 0
    exact = Decimal(f"{value:.{_DIGITS}g}") * (100 if percent else 1)
    rounded = exact.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)
    sign = "" if rounded == 0 else "-" if value < 0 else "+" if pattern.startswith("+") else ""
    grouped = "," if "#,##" in pattern else ""
    return f"{sign}{abs(rounded):{grouped}.{places}f}{'%' if percent else ''}"
