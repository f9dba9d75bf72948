"""Names for the figures of a workbook, so that others can refer to them."""

import re
from collections.abc import Sequence

from xlsxwriter.utility import xl_rowcol_to_cell

from tilt.report.layout import Layout, Sheet, Tiles

PREFIX = "tilt_"
_UNFIT = re.compile(r"[^a-z0-9]+")


def figure_name(label: str) -> str:
    """Return the name of a figure: ``Tracking error now`` is ``tilt_tracking_error_now``."""
    return PREFIX + _UNFIT.sub("_", label.casefold()).strip("_")


def figure_names(sheets: Sequence[Sheet], layouts: Sequence[Layout]) -> dict[str, str]:
    """Return the place of each figure by its name; of two with the same name, the first."""
    found: dict[str, str] = {}
    for sheet, layout in zip(sheets, layouts, strict=True):
        for part, (row, column) in zip(sheet.parts, layout.rows, strict=True):
            if not isinstance(part, Tiles):
                continue
            page = sheet.name.replace("'", "''")
            for offset, tile in enumerate(part.tiles):
                cell = xl_rowcol_to_cell(row + 1, column + offset, row_abs=True, col_abs=True)
                found.setdefault(figure_name(tile.label), f"='{page}'!{cell}")
    return found
