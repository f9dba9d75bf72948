"""The house style: one font, five colors, and the number formats of the trade."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import TypeAlias

from xlsxwriter.format import Format
from xlsxwriter.workbook import Workbook

FONT = "Arial"  # the same metrics on Windows, on a Mac and in LibreOffice
INK = "#1B2733"
NAVY = "#14365C"
TEAL = "#1F8A8C"
AMBER = "#C77700"
RED = "#B3261E"
GREEN = "#1B7F4B"
GRAY = "#6B7785"
RULE = "#C9D1DA"
WASH = "#F2F5F8"
SERIES = (NAVY, AMBER, TEAL, GRAY, RED)

NUMBER_FORMATS: Mapping[str, str] = MappingProxyType(
    {
        "text": "@",
        "percent": "0.00%",
        "percent1": "0.0%",
        "change": "+0.00%;-0.00%;0.00%",
        "number": "0.00",
        "signed": "+0.00;-0.00;0.00",
        "signed_fine": "+0.0000;-0.0000;0.0000",
        "fine": "0.0000",
        "tenths": "0.0",
        "count": "#,##0",
        "bp": "0.0",
        "change1": "+0.0%;-0.0%;0.0%",
        "cost": "0.000%",
        "digits": "0.0000000000",
        "date": "yyyy-mm-dd",
        "scientific": "0.0E+00",
    }
)
Property: TypeAlias = str | int | bool
SIGNED: Mapping[str, float] = MappingProxyType(  # the least size that is no zero when shown
    {"change": 5e-5, "change1": 5e-4, "signed": 5e-3, "signed_fine": 5e-5}
)
UNSIGNED: Mapping[str, str] = MappingProxyType(  # of what shows as zero: it is neither up nor down
    {name: ";".join([NUMBER_FORMATS[name].split(";")[2]] * 3) for name in SIGNED}
)
WIDTHS: Mapping[str, int] = MappingProxyType({"date": 11, "digits": 16})

_PLAIN = frozenset(
    {
        "beta",
        "effective_n",
        "sharpe",
        "sharpe_t_hac",
        "sortino",
        "calmar",
        "skew",
        "kurtosis",
        "information_ratio",
        "correlation",
        "up_capture",
        "down_capture",
        "risk_aversion",
        "objective",
    }
)
_COUNTS = frozenset({"names", "observations", "trades", "rebalances"})


def measure_format(measure: str) -> str:
    """Return the number format of a measure of risk or performance; most are percentages."""
    if measure in _COUNTS:
        return "count"
    return "number" if measure in _PLAIN else "percent"


class Styles:
    """Cell formats of one workbook, each made once."""

    def __init__(self, book: Workbook) -> None:
        self._book = book
        self._made: dict[tuple[tuple[str, Property], ...], Format] = {}

    def get(self, number: str = "text", /, **properties: Property) -> Format:
        """Return the format with the house font, a number format and other properties."""
        wanted: dict[str, Property] = {
            "font_name": FONT,
            "font_size": 10,
            "font_color": INK,
            "valign": "vcenter",
            **({} if number == "text" else {"num_format": NUMBER_FORMATS[number]}),
            **properties,
        }
        key = tuple(sorted(wanted.items()))
        if key not in self._made:
            self._made[key] = self._book.add_format(dict(wanted))
        return self._made[key]
