"""Codes of securities with a check digit: ISIN, CUSIP, SEDOL, FIGI.

A code is told from another by its form, and believed only if its check digit is right.
"""

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from types import MappingProxyType

from stdnum import cusip, figi, isin
from stdnum.gb import sedol

_CHECKS: Mapping[str, Callable[[str], bool]] = MappingProxyType(
    {
        "isin": isin.is_valid,
        "cusip": cusip.is_valid,
        "sedol": sedol.is_valid,
        "figi": figi.is_valid,
    }
)
KINDS = tuple(_CHECKS)
# FIGI before ISIN: both have twelve signs, and every FIGI has a G in the third place
_FORMS = (
    ("figi", re.compile(r"(?!BS|BM|GG|GB|GH|KY|VG)[B-DF-HJ-NP-TV-Z]{2}G[B-DF-HJ-NP-TV-Z0-9]{8}\d")),
    ("isin", re.compile(r"[A-Z]{2}[A-Z0-9]{9}\d")),
    ("cusip", re.compile(r"[A-Z0-9*@#]{3}[A-Z0-9*@#]{5}\d")),
    ("sedol", re.compile(r"[B-DF-HJ-NP-TV-Z0-9]{6}\d")),
)
NATIONAL = frozenset({"US", "CA"})  # whose ISIN is the country, the CUSIP and a check digit


@lru_cache(16384)
def code_kind(text: str) -> str:
    """Return which kind of code a text has the form of, empty if none.

    Parameters
    ----------
    text : upper case, without spaces; the check digit need not be right

    Returns
    -------
    ``isin``, ``cusip``, ``sedol``, ``figi`` or an empty text. A word without a digit, or one that
    could be a ticker's length, is no code: each of them ends in a digit and has seven signs or more
    """
    return next((kind for kind, form in _FORMS if form.fullmatch(text)), "")


@lru_cache(16384)
def check_code(kind: str, text: str) -> bool:
    """Return whether a code of a kind has its form and the right check digit."""
    return _CHECKS[kind](text)


def full_cusip(first: str) -> str:
    """Return the nine signs of a CUSIP from its first eight.

    Raises
    ------
    ValueError
        If it is not eight signs that a CUSIP may have.
    """
    if not re.fullmatch(r"[A-Z0-9*@#]{8}", first):
        raise ValueError(f"'{first}' is not the first eight signs of a CUSIP")
    return first + str(cusip.calc_check_digit(first))


def cusip_of_isin(code: str) -> str:
    """Return the CUSIP inside a United States or Canadian ISIN, empty for any other."""
    return code[2:11] if code[:2] in NATIONAL and check_code("cusip", code[2:11]) else ""
