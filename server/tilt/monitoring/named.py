"""Rows of figures by name, in memory that may be a file which other processes read."""

from collections.abc import Iterator
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Rows: TypeAlias = npt.NDArray[np.void]  # with a field "name"; the first row without one ends them
REST = "other"


class Named:
    """Rows, of which each belongs to a name from when it is first asked for.

    Parameters
    ----------
    rows : those in use already stay what they are; names that find no row share the last one
    """

    def __init__(self, rows: Rows) -> None:
        self.rows = rows
        self._places = {name: place for place, (name, _) in enumerate(used(rows))}

    def __len__(self) -> int:
        return len(self._places)

    def row(self, name: str) -> np.void:
        """Return the row of a name, to be written to."""
        place = self._places.get(name)
        if place is None:
            given = name if len(self._places) < len(self.rows) - 1 else REST
            place = self._places.setdefault(given, len(self._places))
            self.rows[place]["name"] = given.encode()
        row: np.void = self.rows[place]
        return row


def used(rows: Rows) -> Iterator[tuple[str, np.void]]:
    """Yield the name and the row of each that is in use."""
    for row in rows:
        name = bytes(row["name"])
        if not name:
            return
        yield name.decode(errors="replace"), row
