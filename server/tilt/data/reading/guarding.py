"""Text that a spreadsheet would run as a formula: an apostrophe keeps it text, there and back.

A text that begins with ``=``, ``+``, ``-``, ``@``, a tab or a carriage return gets an apostrophe
before it, and so does one that has that apostrophe already, so that reading undoes writing exactly.
"""

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

_RUNS = r"^('*[=+\-@\t\r])"
_GUARDED = r"^'('*[=+\-@\t\r])"


def guarded(text: "pd.Series[str]") -> "pd.Series[str]":
    """Return texts with an apostrophe before each that a spreadsheet would run."""
    return text.str.replace(_RUNS, r"'\1", regex=True)


def unguarded(text: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return texts as they were before :func:`guarded`."""
    if not pc.any(pc.starts_with(text, "'")).as_py():
        return text
    return pc.replace_substring_regex(text, _GUARDED, r"\1")


def unguarded_names(names: list[str]) -> list[str]:
    """Return the names of columns as they were."""
    made: list[str] = unguarded(pa.chunked_array([names], pa.string())).to_pylist()
    return made
