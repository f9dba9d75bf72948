"""A table as it stands in a file: headers and cells, before anything is known of their meaning."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from tilt.data.reading.notes import Note
from tilt.errors import DataError


class NoTableError(DataError):
    """What was read is no table that Tilt keeps, which is no fault among other files or sheets."""


@dataclass(frozen=True, eq=False)
class Raw:
    """One table of a file.

    origin    : the file, with its sheet where it has sheets, as messages call it
    label     : the file's or sheet's own name without endings, which may say what is in it
    headers   : the names of the columns as they are written
    columns   : one series a header: text of a text file, cells of a workbook, or typed
    row       : the row, as an editor or Excel counts it, of a place in the columns
    delimiter : between the cells of a text file; empty for others
    serial_shift : days by which a workbook counts its dates later than from 1900
    notes     : what was found out so far
    unreadable : cells that are not what their column holds, a table for each column
    unit      : by our column, of each row that is read, whether its cell says its unit itself
    """

    origin: str
    label: str
    headers: list[str]
    columns: "list[pd.Series[str]]"
    row: Callable[[int], int]
    delimiter: str = ""
    serial_shift: int = 0
    notes: list[Note] = field(default_factory=list)
    unreadable: list[pd.DataFrame] = field(default_factory=list)
    unit: dict[str, np.ndarray] = field(default_factory=dict)

    def trimmed(self) -> "Raw":
        """Return the table without columns that have neither a name nor anything in them."""
        kept = [i for i, h in enumerate(self.headers) if h or not _is_blank(self.columns[i])]
        if len(kept) == len(self.headers):
            return self
        return replace(
            self,
            headers=[self.headers[i] for i in kept],
            columns=[self.columns[i] for i in kept],
        )

    def note(self, what: str, text: str) -> None:
        """Keep what was found out."""
        self.notes.append(Note(self.origin, what, text))

    def wrong(self, place: int, column: int, problem: str, remedy: str) -> DataError:
        """Return the error about one cell."""
        header = self.headers[column]
        return DataError(
            f"{self.origin} row {self.row(place)}, column '{header}': {problem} {remedy}"
        )


def _is_blank(column: "pd.Series[str]") -> bool:
    return all(not str(cell).strip() for cell in column.dropna().unique())
