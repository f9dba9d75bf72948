"""The buttons that make a file: Export report, Share as values, Starter workbook."""

import re
from pathlib import PurePath

import xlwings as xw
import xlwings.server

from custom_scripts import _inputs as inputs
from custom_scripts import _sheets as sheets
from tilt.api import files
from tilt.api.reports import submit_report
from tilt.api.runs import owner_now
from tilt.api.starter import starter
from tilt.api.starter_values import calculated
from tilt.api.state import USER, State, current
from tilt.api.workbook_files import write_xlsx
from tilt.portfolio.holdings import parse_holdings
from tilt.report.kinds.portfolio import PORTFOLIO
from tilt.report.making import Asked, Book
from tilt.report.values import SheetValues, values_workbook

_UNFIT = re.compile(r"[^\w .()-]+")


@xlwings.server.script
def export_report(book: xw.Book) -> None:
    """Have the report of the marked holdings made: risk, better weights, a backtest."""
    state = current()
    marked = inputs.read_marked(book, state)
    panel = state.panel(marked.universe)
    parse_holdings(  # what cannot be used is said at once, not by a job
        marked.holdings,
        panel,
        panel.as_of,
        saved=state.store.named(panel.as_of),
        long_short=marked.long_short,
        argument=inputs.HOLDINGS,
    )
    name = inputs.portfolio_name(book, marked.settings)
    asked = Asked(
        kind=marked.text("report", PORTFOLIO.name),
        books=(Book(name, marked.holdings),),
        rules=marked.constraints or [],
        universe=marked.universe or "",
        long_short=marked.long_short,
    )
    job = submit_report(state, asked, owner_now())
    sheets.follow(book, job.id, job.title)
    sheets.say(
        book,
        inputs.sentences(
            marked.said,
            f"Ordered: {job.title}. The pane shows how far it is, and offers the file when it is "
            "ready.",
        ),
    )


@xlwings.server.script
def share_as_values(book: xw.Book) -> None:
    """Copy the workbook with every formula as its value, for people without the add-in."""
    posted = book.impl.api["sheets"]
    shown = [s for s in posted if str(s.get("visibility", "Visible")) == "Visible"]
    copied = [
        SheetValues(str(s["name"]), s["values"], s.get("number_formats") or []) for s in shown
    ]
    charts = sum(len(s.get("charts") or []) for s in shown)
    hidden = [str(s["name"]) for s in posted if s not in shown]
    left_out = [
        "conditional formats, colors and tables",
        *([inputs.counted(charts, "chart")] if charts else []),
        *([f"hidden sheets ({', '.join(hidden)})"] if hidden else []),
    ]
    content = values_workbook(copied, title=PurePath(book.name).stem)
    name = f"{PurePath(book.name).stem} values.xlsx"
    _offer(book, current(), content, name)
    cells = sum(len(s.values) * len(s.values[0]) for s in copied)
    sheets.say(
        book,
        f"Copied {inputs.counted(len(copied), 'sheet')}, {cells:,} cells, as values. "
        f"Left out: formulas, {', '.join(left_out)}.",
    )


@xlwings.server.script
def starter_workbook(book: xw.Book) -> None:
    """Make a workbook with the sample portfolio, its rules, a backtest and the data, all live."""
    state = current()
    made = starter(state)
    _offer(book, state, write_xlsx(calculated(made, state)), made.name)
    names = ", ".join(sheet.name for sheet in made.sheets)
    sheets.say(book, f"Made the starter workbook with live formulas: sheets {names}.")


def _offer(book: xw.Book, state: State, content: bytes, name: str) -> None:
    file = files.keep(state.settings.data_path, USER.get(), content)
    sheets.offer(book, file, _UNFIT.sub("_", name))
