"""A report as one page of HTML: no address in it, nothing to load, prints as it reads."""

import base64
import hashlib
import re
from collections.abc import Mapping
from html import escape
from importlib.resources import files

from tilt.report.charts import Chart
from tilt.report.layout import LONGEST_READ, Part, Sheet, Tiles, Words
from tilt.report.pack import Pack
from tilt.report.shown import shown_value
from tilt.report.style import SIGNED
from tilt.report.svg import svg_chart, svg_trend
from tilt.report.tables import Block, Formula, Link, header

_KEPT = 20
_UNFIT = re.compile(r"[^a-z0-9]+")


def write_html(report: Pack) -> str:
    """Return the page: every sheet a section, with the numbers of the workbook.

    A table of more than ``LONGEST_READ`` rows, or of a sheet of data, shows its last ones and says
    how many there are.
    """
    style = files("tilt.report").joinpath("page.css").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    ids = {sheet.name: f"s{i}-{_slug(sheet.name)}" for i, sheet in enumerate(report.sheets)}
    blocks = report.blocks()
    body = "".join(_section(sheet, ids, blocks) for sheet in report.sheets)
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; '
        f"style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'\">\n"
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(report.title)} · {escape(report.subtitle)}</title>\n"
        f"<style>{style}</style>\n</head>\n<body>\n"
        f"<main>{body}</main>\n<footer>{escape(report.footer)} · written "
        f"{report.created:%Y-%m-%d %H:%M} UTC</footer>\n</body>\n</html>\n"
    )


def _slug(text: str) -> str:
    return _UNFIT.sub("-", text.casefold()).strip("-")


def _section(sheet: Sheet, ids: Mapping[str, str], blocks: Mapping[str, Block]) -> str:
    name = ids[sheet.name]
    level = 1 if name.startswith("s0-") else 2
    parts = "".join(
        _part(part, f"{name}-{i}", ids, blocks, _KEPT if sheet.is_data else LONGEST_READ)
        for i, part in enumerate(sheet.parts)
    )
    return (
        f'<section id="{name}" aria-labelledby="{name}-h"><h{level} id="{name}-h">'
        f'{escape(sheet.title)}</h{level}><p class="sub">{escape(sheet.subtitle)}</p>'
        f"{parts}</section>\n"
    )


def _part(
    part: Part, name: str, ids: Mapping[str, str], blocks: Mapping[str, Block], most: int
) -> str:
    if isinstance(part, Chart):
        return f"<figure>{svg_chart(part, blocks[part.block], name)}</figure>"
    if isinstance(part, Tiles):
        tiles = "".join(
            f"<div><dt>{escape(t.label)}</dt><dd>{escape(shown_value(t.value, t.number_format))}"
            f"<small>{escape(t.remark)}</small></dd></div>"
            for t in part.tiles
        )
        return f'<dl class="tiles">{tiles}</dl>'
    if isinstance(part, Words):
        title = f"<h3>{escape(part.title)}</h3>" if part.title else ""
        return title + "".join(f"<p>{escape(s)}</p>" for s in part.sentences)
    return _table(part, ids, most)


def _table(block: Block, ids: Mapping[str, str], most: int) -> str:
    names = list(block.table.columns)
    count = len(block.table)
    rows = range(count) if count <= most else range(count - _KEPT, count)
    head = "".join(f'<th scope="col"{_class(block, c)}>{escape(header(c))}</th>' for c in names) + (
        '<th scope="col">Course</th>' if block.trend else ""
    )
    values = {c: block.table[c].tolist() for c in names}
    body = "".join(
        "<tr>"
        + "".join(_cell(block, row, c, values[c][row], ids) for c in names)
        + _trend(block, values, row)
        + "</tr>"
        for row in rows
    )
    foot = ""
    if block.totals:
        cells = [
            f"<td{_class(block, c)}>"
            + escape(shown_value(block.totals.get(c), block.formats.get(c, "text")))
            + "</td>"
            for c in names[1:]
        ]
        foot = f'<tfoot><tr><th scope="row">Total</th>{"".join(cells)}</tr></tfoot>'
    notes = [block.note] if block.note else []
    if count > most:
        notes.append(f"The last {_KEPT} of {count:,} rows; the workbook has them all.")
    return (
        f'<div class="wide" tabindex="0" role="region" aria-label="{escape(block.title)}">'
        f"<table><caption>{escape(block.title)}</caption><thead><tr>{head}</tr></thead>"
        f"<tbody>{body}</tbody>{foot}</table></div>"
        + "".join(f'<p class="note">{escape(note)}</p>' for note in notes)
    )


def _cell(block: Block, row: int, column: str, value: object, ids: Mapping[str, str]) -> str:
    text = escape(shown_value(value, block.number_format(row, column)))
    if isinstance(value, Link) and value.sheet in ids:
        text = f'<a href="#{ids[value.sheet]}">{text}</a>'
    return f"<td{_class(block, column, value)}>{text}</td>"


def _class(block: Block, column: str, value: object = None) -> str:
    """Return the class of a cell: numbers stand right, signs and states have a color as well."""
    now = value.value if isinstance(value, Formula) else value
    classes = [] if block.stands_left(column) else ["n"]
    least = SIGNED.get(block.formats.get(column, "text"))
    if least is not None and isinstance(now, float) and abs(now) >= least:
        classes.append("up" if now > 0 else "down")
    if now in {"OK", "CHECK"} if isinstance(now, str) else False:
        classes.append("up" if now == "OK" else "down")
    return f' class="{" ".join(classes)}"' if classes else ""


def _trend(block: Block, values: Mapping[str, list[object]], row: int) -> str:
    if not block.trend:
        return ""
    numbers = [values[c][row] for c in block.trend]
    return f"<td>{svg_trend([n if isinstance(n, float) else float('nan') for n in numbers])}</td>"
