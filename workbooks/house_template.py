"""A one-page template that ``tilt report --template`` fills: copy it and make it your house's."""

import datetime as dt
from pathlib import Path

import openpyxl
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.workbook.defined_name import DefinedName

NAME = "Tilt house template.xlsx"
SHEET = "One page"
NAVY, GRAY, WASH = "FF14365C", "FF55616E", "FFF2F5F8"
FIGURES = {  # the cell's label, the name that is filled, the number format
    "Tracking error now": ("tilt_tracking_error_now", "0.00%"),
    "After the rebalance": ("tilt_after_the_rebalance", "0.00%"),
    "Turnover": ("tilt_turnover", "0.0%"),
}
FINDINGS_ROW, TABLES_ROW, STYLES, POSITIONS = 9, 24, 14, 26


def write_house_template(path: Path) -> Path:
    """Write the template and return its path; the same call gives the same cells."""
    book = openpyxl.Workbook()
    made = dt.datetime(2024, 1, 1, tzinfo=dt.UTC).replace(tzinfo=None)
    book.properties.creator, book.properties.created = "Tilt", made
    sheet = book.active
    sheet.title = SHEET
    sheet.sheet_view.showGridLines = False
    for column, width in zip("ABCDEFGH", (2, 26, 14, 14, 4, 26, 14, 14), strict=True):
        sheet.column_dimensions[column].width = width
    big = Font(name="Arial", size=20, bold=True, color=NAVY)
    small = Font(name="Arial", size=10, color=GRAY)
    text = Font(name="Arial", size=10)
    heading = Font(name="Arial", size=10, bold=True, color="FFFFFFFF")
    for at, font, name in (("B2", big, "tilt_portfolio"), ("B3", small, "tilt_subtitle")):
        sheet[at].font = font
        _name(book, name, at)
    for column, (label, (name, number)) in zip("BCD", FIGURES.items(), strict=True):
        sheet[f"{column}5"], sheet[f"{column}5"].font = label, small
        figure = sheet[f"{column}6"]
        figure.font, figure.number_format = big, number
        figure.alignment = Alignment(horizontal="left")
        figure.fill = PatternFill("solid", fgColor=WASH)
        _name(book, name, f"{column}6")
    sheet.row_dimensions[2].height = sheet.row_dimensions[6].height = 30
    sheet[f"B{FINDINGS_ROW - 1}"] = "What this shows"
    sheet[f"B{FINDINGS_ROW - 1}"].font = Font(name="Arial", size=12, bold=True, color=NAVY)
    _name(book, "tilt_findings", f"B{FINDINGS_ROW}:B{TABLES_ROW - 3}")
    for row in range(FINDINGS_ROW, TABLES_ROW - 2):
        sheet[f"B{row}"].font = text
    styles = ("B", "CD", "tilt_style_exposures", ("Factor", "Portfolio", "Active"), STYLES)
    positions = ("F", "GH", "tilt_risk_by_position", ("Name", "Exposure", "CTR"), POSITIONS)
    line = Border(bottom=Side("thin", color="FFC9D1DA"))
    for first, rest, name, headings, rows in (styles, positions):
        for column, words in zip(first + rest, headings, strict=True):
            cell = sheet[f"{column}{TABLES_ROW}"]
            cell.value, cell.font = words, heading
            cell.alignment = Alignment(horizontal="right" if column in rest else "left")
            cell.fill = PatternFill("solid", fgColor=NAVY)
            for row in range(TABLES_ROW + 1, TABLES_ROW + 1 + rows):
                below = sheet[f"{column}{row}"]
                below.font, below.border = text, line
                if column in rest:
                    below.number_format = "0.00" if name.startswith("tilt_style") else "0.00%"
        _name(book, name, f"{first}{TABLES_ROW}:{rest[-1]}{TABLES_ROW + rows}")
    sheet.page_setup.orientation, sheet.page_setup.paperSize = "portrait", 9
    sheet.sheet_properties.pageSetUpPr.fitToPage = True
    sheet.print_area = f"A1:H{TABLES_ROW + POSITIONS + 1}"
    book.save(path)
    return path


def _name(book: openpyxl.Workbook, name: str, area: str) -> None:
    corners = ":".join(f"${c.rstrip('0123456789')}${c.lstrip('ABCDEFGH')}" for c in area.split(":"))
    book.defined_names[name] = DefinedName(name, attr_text=f"'{SHEET}'!{corners}")
