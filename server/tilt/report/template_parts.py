"""Cells written into the parts of a workbook's file, so that all else in it stays as it is.

A program that reads a workbook and writes it again drops what it does not know: charts, pictures,
pivot tables, sparklines, comments. Here only the rows of a sheet and the list of formats change.
"""

import io
import re
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape, quoteattr

from defusedxml import ElementTree
from openpyxl.styles.numbers import builtin_format_id
from openpyxl.utils import coordinate_to_tuple, get_column_letter

from tilt.errors import ArgumentError

WORKBOOK, STYLES, CHAIN = "xl/workbook.xml", "xl/styles.xml", "xl/calcChain.xml"
_MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_RELATION = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
_OURS = re.compile(  # the parts that are read; any other may have whatever encoding
    r"\[Content_Types\]\.xml|xl/_rels/workbook\.xml\.rels|xl/(workbook|styles|calcChain)\.xml"
    r"|xl/(worksheets/[^/]+|pivotCache/pivotCacheDefinition[^/]*)\.xml"
)
_FIRST_OWN_FORMAT = 164  # below are Excel's own
_DATA = re.compile(r"<sheetData\s*/>|<sheetData\s*>(.*?)</sheetData>", re.DOTALL)
_ROW = re.compile(r"<row\b([^>]*?)(?:/>|>(.*?)</row>)", re.DOTALL)
_CELL = re.compile(r"<c\b([^>]*?)(?:/>|>(.*?)</c>)", re.DOTALL)
_COLUMN = re.compile(r"<col\b[^>]*/>")
_XFS = re.compile(r"<cellXfs\b[^>]*>(.*?)</cellXfs>", re.DOTALL)
_XF = re.compile(r"<xf\b[^>]*?(?:/>|>.*?</xf>)", re.DOTALL)


@dataclass(frozen=True)
class Written:
    """A cell and what it is to hold.

    row, column : from 1
    value       : a number, True or False, a text, or None for a blank
    like        : row and column of the cell whose look it has
    pattern     : number format in place of that cell's; empty keeps it
    quoted      : text that a spreadsheet would take for a formula if it were typed
    """

    sheet: str
    row: int
    column: int
    value: "float | bool | str | None"
    like: tuple[int, int]
    pattern: str = ""
    quoted: bool = False


def write_cells(workbook: bytes, cells: Sequence[Written]) -> bytes:
    """Return a workbook with the cells written, everything else as it was.

    What formulas showed is forgotten, as it may not be true any more: programs that open the file
    calculate anew, charts draw what the cells hold, and pivot tables read their source again.

    Raises
    ------
    ArgumentError
        If a cell is part of a formula that spans several, or the file is not as Excel writes it.
    """
    with zipfile.ZipFile(io.BytesIO(workbook)) as archive:
        entries = archive.infolist()
        parts = {entry.filename: archive.read(entry) for entry in entries}
    texts = {n: parts[n].decode("utf-8-sig") for n in parts if _OURS.fullmatch(n)}
    styles = _Styles(texts.get(STYLES, ""))
    pages = _pages(texts)
    lost = sorted({cell.sheet for cell in cells} - pages.keys())
    if lost:
        raise ArgumentError(f"The sheet {lost[0]} of the template is not as Excel writes it.")
    for name, part in pages.items():
        mine = [cell for cell in cells if cell.sheet == name]
        texts[part] = _page(texts[part], name, mine, styles)
    texts[STYLES] = styles.text()
    texts[WORKBOOK] = _calculated_anew(texts[WORKBOOK])
    dropped = _without_chain(texts)
    _refreshed(texts)
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for entry in entries:
            if entry.filename not in dropped:
                changed = texts.get(entry.filename)
                content = parts[entry.filename] if changed is None else changed.encode()
                archive.writestr(entry, content, zipfile.ZIP_DEFLATED)
    return file.getvalue()


def _pages(texts: Mapping[str, str]) -> dict[str, str]:
    """Return the part of each sheet of cells by the sheet's name."""
    links = ElementTree.fromstring(texts["xl/_rels/workbook.xml.rels"])
    targets = {link.get("Id"): str(link.get("Target")) for link in links}
    found = {}
    for sheet in ElementTree.fromstring(texts[WORKBOOK]).iter(f"{_MAIN}sheet"):
        target = targets.get(sheet.get(_RELATION), "")
        part = target.lstrip("/") if target.startswith("/") else f"xl/{target}"
        if _DATA.search(texts.get(part, "")):
            found[str(sheet.get("name"))] = part
    return found


def _page(text: str, name: str, cells: Sequence[Written], styles: "_Styles") -> str:
    """Return a sheet's part with the cells in it, and formulas without what they showed."""
    data = _DATA.search(text)
    if data is None:
        raise ValueError("a page has cells")
    if not cells:
        rows = re.sub(r"(<c\b[^>]*?)(>)(<f\b.*?)</c>", _forgotten, data[0], flags=re.DOTALL)
        return text[: data.start()] + rows + text[data.end() :]
    page = _Rows(data[1] or "", _column_looks(text), name)
    looks = {cell.like: page.look(*cell.like) for cell in cells}  # before anything is written
    for cell in cells:
        look = styles.like(looks[cell.like], cell.pattern, quoted=cell.quoted)
        page.put(cell.row, cell.column, _element(cell, look))
    rows = re.sub(r"(<c\b[^>]*?)(>)(<f\b.*?)</c>", _forgotten, page.text(), flags=re.DOTALL)
    changed = f"{text[: data.start()]}<sheetData>{rows}</sheetData>{text[data.end() :]}"
    return re.sub(r"<dimension\b[^>]*/>", "", changed, count=1)


def _forgotten(found: "re.Match[str]") -> str:
    """Return a cell's formula without its value."""
    head = re.sub(r'\st="[^"]*"', "", found[1])
    inside = re.sub(r"<v\b[^>]*?(?:/>|>.*?</v>)", "", found[3], flags=re.DOTALL)
    return f"{head}{found[2]}{inside}</c>"


def _element(cell: Written, look: int) -> str:
    place = f'r="{get_column_letter(cell.column)}{cell.row}" s="{look}"'
    value = cell.value
    if value is None:
        return f"<c {place}/>"
    if isinstance(value, str):
        text = f'<t xml:space="preserve">{escape(value)}</t>'
        return f'<c {place} t="inlineStr"><is>{text}</is></c>'
    if isinstance(value, bool):
        return f'<c {place} t="b"><v>{int(value)}</v></c>'
    return f"<c {place}><v>{value!r}</v></c>"


def _column_looks(text: str) -> dict[int, int]:
    """Return the look of whole columns."""
    found: dict[int, int] = {}
    for element in _COLUMN.findall(text):
        look = _attribute(element, "style")
        if look:
            first, last = int(_attribute(element, "min")), int(_attribute(element, "max"))
            found |= dict.fromkeys(range(first, min(last, 16_384) + 1), int(look))
    return found


class _Rows:
    """The rows of a sheet: the text of each cell by row and column."""

    def __init__(self, text: str, columns: Mapping[int, int], name: str) -> None:
        self._heads: dict[int, str] = {}
        self._cells: dict[int, dict[int, str]] = {}
        self._columns = columns
        self._name = name
        row = 0
        for found in _ROW.finditer(text):
            row = int(_attribute(found[1], "r") or row + 1)
            self._heads[row] = re.sub(r'\s(?:spans|r)="[^"]*"', "", found[1])
            self._cells[row] = dict(_cells_of(found[2] or ""))

    def look(self, row: int, column: int) -> int:
        """Return the number of a cell's look."""
        own = self._cells.get(row, {}).get(column)
        if own is not None:
            return int(_attribute(_head(own), "s") or 0)
        of_row = _attribute(self._heads.get(row, ""), "s")
        return int(of_row) if of_row else self._columns.get(column, 0)

    def put(self, row: int, column: int, element: str) -> None:
        """Write a cell.

        Raises
        ------
        ArgumentError
            If a formula over several cells would lose its first one.
        """
        old = self._cells.get(row, {}).get(column, "")
        if re.search(r"<f\b[^>]*\bref=", old):
            raise ArgumentError(
                f"{self._name}!{get_column_letter(column)}{row} of the template has a formula that "
                "other cells share. Take it out of the named range."
            )
        self._heads.setdefault(row, "")
        self._cells.setdefault(row, {})[column] = element

    def text(self) -> str:
        """Return the rows in order."""
        return "".join(
            f'<row r="{row}"{self._heads[row]}>'
            + "".join(cells[column] for column in sorted(cells))
            + "</row>"
            for row, cells in sorted(self._cells.items())
        )


def _cells_of(text: str) -> Iterator[tuple[int, str]]:
    column = 0
    for found in _CELL.finditer(text):
        place = _attribute(found[1], "r")
        column = coordinate_to_tuple(place)[1] if place else column + 1
        yield column, found[0]


class _Styles:
    """The looks of a workbook's cells; more are added at the end."""

    def __init__(self, text: str) -> None:
        found = _XFS.search(text)
        if found is None:
            raise ArgumentError("The formats of the template are not as Excel writes them.")
        self._text = text
        self._looks: list[str] = _XF.findall(found[1])
        self._formats: dict[str, int] = {}
        ids = [int(n) for n in re.findall(r'<numFmt\b[^>]*\bnumFmtId="(\d+)"', text)]
        self._next = max([_FIRST_OWN_FORMAT - 1, *ids]) + 1
        self._known: dict[tuple[int, str, bool], int] = {}

    def like(self, look: int, pattern: str, *, quoted: bool) -> int:
        """Return the number of a look like another, with a number format of its own."""
        if not pattern and not quoted:
            return look
        key = (look, pattern, quoted)
        if key not in self._known:
            element = self._looks[look]
            if pattern:
                element = _with(element, "numFmtId", str(self._format(pattern)))
                element = _with(element, "applyNumberFormat", "1")
            if quoted:
                element = _with(element, "quotePrefix", "1")
            self._known[key] = len(self._looks)
            self._looks.append(element)
        return self._known[key]

    def _format(self, pattern: str) -> int:
        known = builtin_format_id(pattern)
        if known is not None:
            return int(known)
        if pattern not in self._formats:
            self._formats[pattern] = self._next + len(self._formats)
        return self._formats[pattern]

    def text(self) -> str:
        """Return the part."""
        looks = f'<cellXfs count="{len(self._looks)}">{"".join(self._looks)}</cellXfs>'
        text = _XFS.sub(lambda _: looks, self._text, count=1)
        if not self._formats:
            return text
        more = "".join(
            f'<numFmt numFmtId="{number}" formatCode={quoteattr(pattern)}/>'
            for pattern, number in self._formats.items()
        )
        old = re.search(r"<numFmts\b[^>]*?(?:/>|>(.*?)</numFmts>)", text, re.DOTALL)
        inside = (old[1] or "" if old else "") + more
        count = len(re.findall(r"<numFmt\b", inside))
        made = f'<numFmts count="{count}">{inside}</numFmts>'
        if old:
            return text[: old.start()] + made + text[old.end() :]
        root = re.search(r"<styleSheet\b[^>]*>", text)
        if root is None:
            raise ArgumentError("The formats of the template are not as Excel writes them.")
        return text[: root.end()] + made + text[root.end() :]


def _calculated_anew(text: str) -> str:
    """Return the workbook's part so that programs calculate when they open the file."""
    found = re.search(r"<calcPr\b[^>]*/>", text)
    if found:
        return text[: found.start()] + _with(found[0], "fullCalcOnLoad", "1") + text[found.end() :]
    return text.replace("</definedNames>", '</definedNames><calcPr fullCalcOnLoad="1"/>', 1)


def _without_chain(texts: dict[str, str]) -> set[str]:
    """Take out the order of calculation, which Excel makes anew; return the parts that go."""
    if CHAIN not in texts:
        return set()
    types, links = "[Content_Types].xml", "xl/_rels/workbook.xml.rels"
    texts[types] = re.sub(r'<Override\b[^>]*"/xl/calcChain\.xml"[^>]*/>', "", texts[types])
    texts[links] = re.sub(r'<Relationship\b[^>]*calcChain\.xml"[^>]*/>', "", texts[links])
    return {CHAIN}


def _refreshed(texts: dict[str, str]) -> None:
    """Let pivot tables read their source again when the file is opened."""
    for name in texts:
        if name.startswith("xl/pivotCache/pivotCacheDefinition"):
            root = re.search(r"<pivotCacheDefinition\b[^>]*>", texts[name])
            if root:
                fresh = _with(root[0], "refreshOnLoad", "1")
                texts[name] = texts[name].replace(root[0], fresh, 1)


def _head(element: str) -> str:
    return element[: element.index(">") + 1]


def _attribute(element: str, name: str) -> str:
    found = re.search(rf'\s{name}="([^"]*)"', element)
    return found[1] if found else ""


def _with(element: str, name: str, value: str) -> str:
    """Return an element with an attribute of its first tag set."""
    head = _head(element)
    if _attribute(head, name):
        changed = re.sub(rf'(\s{name}=")[^"]*"', rf'\g<1>{value}"', head, count=1)
    else:
        changed = re.sub(r"\s*(/?)>$", rf' {name}="{value}"\1>', head, count=1)
    return changed + element[len(head) :]
