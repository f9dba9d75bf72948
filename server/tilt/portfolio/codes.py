"""Which security a code means: ISIN, CUSIP, SEDOL, FIGI, and CUSIPs that Excel took for numbers.

Excel drops the leading zeros of 037833100, and shows 594918104 as 5.9E+08 in a narrow column and
23304E106 as 2.3304E+110 in any. What is left of the digits is held against the codes of the
universe; only a code that is there, its check digit right, is ever given back.
"""

import re
from collections.abc import Iterable, Mapping

import pandas as pd

from tilt.codes import KINDS, check_code, code_kind, cusip_of_isin, full_cusip

LEAST_DIGITS = 6  # of a code that lost its zeros; fewer may be a date's serial number
_SCIENTIFIC = re.compile(r"^(\d)(?:[.,](\d{1,16}))?E\+?(\d{1,3})$")
_EIGHT = re.compile(r"[0-9][A-Z0-9*@#]{7}|[A-Z][0-9][A-Z0-9*@#]{6}")


class Codes:
    """The codes of a universe's securities, by kind."""

    def __init__(self, securities: pd.DataFrame) -> None:
        """Take the columns isin, cusip, sedol, figi, those that are there."""
        self._tickers: dict[str, dict[str, str]] = {kind: {} for kind in KINDS}
        for kind in KINDS:
            if kind in securities.columns:
                given = securities[kind].dropna()
                self._tickers[kind] = {str(c): str(t) for t, c in given.items()}
        inside = {cusip_of_isin(c): t for c, t in self._tickers["isin"].items()}
        inside.pop("", None)
        self._tickers["cusip"] = {**inside, **self._tickers["cusip"]}
        self._shown: dict[str, list[str]] | None = None

    def known(self, kind: str) -> bool:
        """Return whether any security has a code of the kind."""
        return bool(self._tickers[kind])

    def find(self, kind: str, code: str) -> str:
        """Return the ticker of a code with the right check digit, empty if none has it."""
        found = self._tickers[kind].get(code, "")
        if not found and kind == "isin":
            return self._tickers["cusip"].get(cusip_of_isin(code), "")
        return found

    def without_check_digit(self, text: str) -> str:
        """Return the ticker whose CUSIP begins with the eight signs of ``text``, empty if none."""
        if not _EIGHT.fullmatch(text):
            return ""
        return self._tickers["cusip"].get(full_cusip(text), "")

    def with_zeros(self, digits: str) -> Mapping[str, str]:
        """Return the tickers by code that digits mean once their leading zeros are back."""
        if not digits.isascii() or not digits.isdigit() or not LEAST_DIGITS <= len(digits) <= 9:
            return {}
        tries = [("cusip", digits.zfill(9)), ("sedol", digits.zfill(7))]
        if len(digits) <= 8:
            tries.append(("cusip", full_cusip(digits.zfill(8))))
        return self._present(tries)

    def from_scientific(self, text: str) -> Mapping[str, str]:
        """Return the tickers by CUSIP that a number such as 5.9E+08 may have been."""
        parts = _SCIENTIFIC.match(text)
        if not parts:
            return {}
        digits, power = parts[1] + (parts[2] or ""), int(parts[3])
        shown = f"{digits[0]}.{digits[1:]}E{power}"
        found = {c: self._tickers["cusip"][c] for c in self._by_shown().get(shown, [])}
        return found or self._present(("cusip", c) for c in _with_an_e(digits, power))

    def _present(self, tries: Iterable[tuple[str, str]]) -> dict[str, str]:
        return {
            code: self._tickers[kind][code] for kind, code in tries if code in self._tickers[kind]
        }

    def _by_shown(self) -> dict[str, list[str]]:
        """Return the CUSIPs without a letter by how Excel may show them, at every precision."""
        if self._shown is None:
            self._shown = {}
            for code in self._tickers["cusip"]:
                if code.isdigit():
                    for places in range(9):
                        first, _, power = f"{int(code):.{places}E}".partition("E")
                        digits = first.replace(".", "")
                        key = f"{digits[0]}.{digits[1:]}E{int(power)}"
                        self._shown.setdefault(key, []).append(code)
        return self._shown


def _with_an_e(digits: str, power: int) -> list[str]:
    """Return the CUSIPs of digits, an E and digits that Excel reads as this number."""
    kept = digits.rstrip("0") or "0"
    found = []
    for before in range(len(kept), 8):  # signs before the E, zeros that were lost among them
        for width in range(len(kept), before + 1):
            exponent = str(power - (width - 1)).zfill(8 - before)
            if len(exponent) == 8 - before and exponent.isdigit():
                found.append(kept.ljust(width, "0").zfill(before) + "E" + exponent)
    return [code for code in found if check_code("cusip", code)]


def read_code(text: str) -> tuple[str, str, bool]:
    """Return the kind of a code, the code without spaces, and whether its check digit is right.

    The kind is empty for what has the form of no code. Letters and digits in fours, as ISINs are
    printed, are put together.
    """
    code = re.sub(r"[\s-]", "", text).upper()
    kind = code_kind(code)
    return kind, code, bool(kind) and check_code(kind, code)
