"""What a reader had to find out about a file, said so that its owner can object."""

from dataclasses import dataclass, field

import pandas as pd


@dataclass(frozen=True)
class Note:
    """One thing that was detected or done.

    origin : the file, with its sheet where it has sheets
    what   : ``format``, ``dates``, ``numbers``, ``columns``, ``rows``, ``cells``
    text   : a sentence
    """

    origin: str
    what: str
    text: str


@dataclass(frozen=True)
class Asked:
    """What the owner of a file says about it; blank is detected.

    kind      : prices, fundamentals, securities, weights, holdings or exposures
    field     : what the values of a wide table are, such as close
    sheet     : the sheet of a workbook
    dates     : ``day-first`` or ``month-first``
    decimal   : ``.`` or ``,``
    delimiter : between the cells of a line
    encoding  : of a text file
    """

    kind: str = ""
    field: str = ""
    sheet: str = ""
    dates: str = ""
    decimal: str = ""
    delimiter: str = ""
    encoding: str = ""


@dataclass(frozen=True, eq=False)
class Reading:
    """Tables by name, as ``tilt.data.schema`` has them, and how they were read.

    unreadable : file, row, column and text of each cell that was set aside, see
        ``tilt.data.reading.unreadable``
    """

    tables: dict[str, pd.DataFrame]
    notes: tuple[Note, ...] = ()
    unreadable: pd.DataFrame = field(default_factory=pd.DataFrame)
