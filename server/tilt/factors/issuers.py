"""Which securities are shares of one company."""

import re

import pandas as pd

_CLASS = re.compile(r"\b(?:class|cl|series|ser)\.?\s+[a-z]\b|\s*[-(]\s*[a-z]\)?\s*$", re.IGNORECASE)
_WORDS = re.compile(r"[^a-z0-9]+")
CUSIP_COUNTRIES = ("US", "CA")  # whose ISIN holds a CUSIP, the first six signs of which are issuer


def issuers_of(securities: pd.DataFrame) -> "pd.Series[str]":
    """Return by ticker a text that is the same for all shares of one company; "" if not known.

    The column ``issuer`` says it where there is one; else the issuer's part of the CUSIP, or of an
    American ISIN; else the name without the words for a class. One security may be known by one of
    these and its other class by another, and then the two are not linked.

    Parameters
    ----------
    securities : by ticker; of its columns issuer, cusip, isin and name are looked at
    """
    found = pd.Series("", index=securities.index, dtype=object)
    for label, read in (("issuer", str.strip), ("cusip", _cusip), ("isin", _isin), ("name", _name)):
        if label not in securities.columns:
            continue
        given = securities[label].astype(object)
        told = given.map(lambda text, read=read: read(text) if isinstance(text, str) else "")
        keyed = told.map(lambda text, label=label: f"{label} {text}" if text else "")
        found = found.where(found != "", keyed)
    return found.astype("str")


def _cusip(text: str) -> str:
    plain = text.strip().upper()
    return plain[:6] if len(plain) in (8, 9) else ""


def _isin(text: str) -> str:
    plain = text.strip().upper()
    return plain[2:8] if len(plain) == 12 and plain[:2] in CUSIP_COUNTRIES else ""


def _name(text: str) -> str:
    return _WORDS.sub(" ", _CLASS.sub("", text.strip()).casefold()).strip()
