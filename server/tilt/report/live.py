"""Tables that the add-in fills: its formulas in a file, and native formulas over what they fill."""

import re
from collections.abc import Mapping

from xlsxwriter.utility import xl_range_abs

from tilt.report.charts import Place
from tilt.report.tables import Block, header

UDF = "_xldudf_"  # how Excel writes an add-in's function in a file, its dots as underscores
_CALL = re.compile(r"\b(TILT(?:_[A-Z]+)?)\.([A-Z_]+)(?=\()")
_COLUMN = re.compile(r"\b([a-z_]+(?:_\d+)*)\[([^\[\]]+)\]")


def live_formula(block: Block) -> str:
    """Return the add-in's formula of a table as a file has it."""
    return f"={_CALL.sub(lambda m: f'{UDF}{m[1]}_{m[2]}', block.live)}"


def without_live_tables(text: str, places: Mapping[str, Place]) -> str:
    """Return a native formula that names the cells of tables that are none in the live workbook.

    A formula's spill cannot be an Excel table.
    """

    def cells(found: re.Match[str]) -> str:
        place = places.get(found[1])
        if place is None or not place.block.live:
            return found[0]
        names = [header(column) for column in place.block.table.columns]
        at = place.column + names.index(found[2])
        area = xl_range_abs(place.row + 1, at, place.row + len(place.block.table), at)
        sheet = place.sheet.replace("'", "''")
        return f"'{sheet}'!{area}"

    return _COLUMN.sub(cells, text)
