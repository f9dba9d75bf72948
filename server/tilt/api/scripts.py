"""The registry of ribbon scripts, and the workbook a client posts to one."""

import re
from types import ModuleType

from tilt.api.problems import RefusedError

MARK = "__xlscript__"
_ADDRESS = re.compile(r"\$?[A-Z]{1,3}\$?[0-9]{1,7}(:\$?[A-Z]{1,3}\$?[0-9]{1,7})?")
_TABLE_ADDRESSES = (
    "range_address",
    "header_row_range_address",
    "data_body_range_address",
    "total_row_range_address",
)


def registry(module: ModuleType) -> frozenset[str]:
    """Return the names of the scripts that ``module`` lists in ``__all__``.

    Raises
    ------
    RuntimeError
        If a listed name is no registered script.
    """
    for name in module.__all__:
        if not hasattr(getattr(module, name), MARK):
            raise RuntimeError(f"custom_scripts lists '{name}', which is no registered script.")
    return frozenset(module.__all__)


def check_name(name: str, known: frozenset[str]) -> None:
    """Refuse a name that is no registered script, whatever else the module holds."""
    if name not in known:
        raise RefusedError(f"Tilt has no script '{name[:40]}'.", 404, "#N/A")


def check_workbook(body: dict[str, object], most: int) -> dict[str, object]:
    """Return the workbook in a body, its shape checked as far as xlwings relies on it.

    Parameters
    ----------
    most : cells it may hold
    """
    book, sheets, names = body.get("book"), body.get("sheets"), body.get("names", [])
    if body.get("client") != "Office.js" or not isinstance(body.get("version"), str):
        raise RefusedError("The workbook does not come from the add-in: no client and version.")
    if not (isinstance(book, dict) and isinstance(book.get("name"), str)):
        raise RefusedError("The workbook has no name.")
    if not (isinstance(sheets, list) and sheets and all(isinstance(s, dict) for s in sheets)):
        raise RefusedError("The workbook has no sheets.")
    if not (isinstance(names, list) and all(isinstance(n, dict) for n in names)):
        raise RefusedError("The names of the workbook are not a list of objects.")
    if body.get("args"):
        raise RefusedError("The scripts of Tilt take no arguments.")
    active = book.get("active_sheet_index")
    if type(active) is not int or not 0 <= active < len(sheets):
        raise RefusedError("The workbook has no active sheet.")
    cells = sum(_check_sheet(sheet) for sheet in sheets)
    if cells > most:
        raise RefusedError(
            f"The workbook has {cells:,} cells; the most is {most:,}. Raise TILT_MAX_CELLS.", 413
        )
    return {
        "client": "Office.js",
        "version": body["version"],
        "book": book,
        "names": names,
        "sheets": sheets,
    }


def _check_sheet(sheet: dict[str, object]) -> int:
    name, values, tables = sheet.get("name"), sheet.get("values"), sheet.setdefault("tables", [])
    if not isinstance(name, str):
        raise RefusedError("A sheet has no name.")
    if not (isinstance(values, list) and values and all(isinstance(r, list) for r in values)):
        raise RefusedError(f"Sheet '{name}' has no rows of values.")
    width = len(values[0])
    for row in values:
        if len(row) != width or any(isinstance(v, list | dict) for v in row):
            raise RefusedError(f"Sheet '{name}' is not a rectangle of plain values.")
    if not (isinstance(tables, list) and all(_is_table(t) for t in tables)):
        raise RefusedError(f"A table of sheet '{name}' has no name or no address.")
    return len(values) * width


def _is_table(table: object) -> bool:
    return (
        isinstance(table, dict)
        and isinstance(table.get("name"), str)
        and isinstance(table.get("range_address"), str)
        and all(_is_address(table.setdefault(key, None)) for key in _TABLE_ADDRESSES)
    )


def _is_address(address: object) -> bool:
    return address is None or (isinstance(address, str) and _ADDRESS.fullmatch(address) is not None)
