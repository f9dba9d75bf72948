"""The buttons of the portfolio: Load holdings, Check and Save."""

from collections.abc import Mapping

import xlwings as xw
import xlwings.server

from custom_scripts import _inputs as inputs
from custom_scripts import _sheets as sheets
from custom_scripts._sheets import Output
from tilt.api.books import date_of
from tilt.api.state import State, current
from tilt.api.v1.portfolios import checked_name
from tilt.errors import UnknownNameError
from tilt.frames import Weights
from tilt.portfolio.holdings import check_table, inspect_holdings, parse_holdings

CHECK = "Tilt Check"


@xlwings.server.script
def load_holdings(book: xw.Book) -> None:
    """Load a saved portfolio, or the sample, into the table of holdings."""
    state = current()
    settings = inputs.read_settings(book)
    name, weights = _saved(book, state, settings)
    held = f"{inputs.counted(len(weights), 'holding')} of {name}"
    if sheets.read_table(book, inputs.HOLDINGS) is not None:
        output = Output(inputs.HOLDINGS, inputs.as_table(weights), percent=("weight",))
        written = sheets.replace_rows(book, output)
        sheets.say(book, f"Loaded {held} into the table {inputs.HOLDINGS}, sheet {written}.")
        return
    holdings = Output(inputs.HOLDINGS, inputs.as_table(weights), percent=("weight",))
    tables = [holdings, *inputs.example_tables(state)[1:]]
    missing = [t for t in tables if sheets.read_table(book, t.name) is None]
    words = ["Tilt inputs", f"{held}. Change these tables; the buttons read them."]
    written = sheets.write_sheet(book, inputs.INPUTS, words, missing)
    sheets.say(book, f"Loaded {held} into a new table {inputs.HOLDINGS}, sheet {written}.")


@xlwings.server.script
def check(book: xw.Book) -> None:
    """List what is wrong or assumed in the marked holdings, row by row."""
    state = current()
    marked = inputs.read_marked(book, state)
    panel = state.panel(marked.universe)
    date = date_of(marked.settings.get("date"), panel)
    held = inspect_holdings(
        marked.holdings,
        panel,
        date,
        saved=state.store.named(date),
        long_short=marked.long_short,
        argument=inputs.HOLDINGS,
    )
    findings = check_table(held)
    counts = findings["severity"].value_counts().to_dict()
    result = ", ".join(
        inputs.counted(counts[s], s) for s in ("error", "warning", "fixed") if s in counts
    )
    held_names = inputs.counted(len(held.weights), "name")
    words = [
        "Check of the holdings",
        f"{result or 'Nothing to mend'}; row 1 is the header of {inputs.HOLDINGS}",
        f"As of {date:%Y-%m-%d}, {panel.universe}, snapshot {panel.snapshot}",
        ""
        if held.error is not None
        else f"{held_names}, {held.weights.sum():.2%} invested, {held.cash:.2%} cash",
    ]
    written = sheets.write_sheet(book, CHECK, words, [Output("TiltCheck", findings)])
    said = f"{result or 'Nothing to mend'}: wrote the check to the sheet {written}."
    sheets.say(book, inputs.sentences(marked.said, said[:1].upper() + said[1:]))


@xlwings.server.script
def save(book: xw.Book) -> None:
    """Save the marked holdings under the name of the settings, or the workbook's."""
    state = current()
    marked = inputs.read_marked(book, state)
    if marked.said:
        sheets.say(book, f"{marked.said} Nothing is saved: press Save again to save it.")
        return
    name = checked_name(inputs.portfolio_name(book, marked.settings), state)
    panel = state.panel(marked.universe)
    date = date_of(marked.settings.get("date"), panel)
    held = parse_holdings(
        marked.holdings,
        panel,
        date,
        saved=state.store.named(date),
        long_short=marked.long_short,
        argument=inputs.HOLDINGS,
    )
    count = inputs.counted(len(held.weights), "holding")
    state.store.save_portfolio(name, held.weights, f"workbook {book.name}", as_of=date)
    sheets.say(
        book,
        inputs.sentences(
            f"Saved {count} as '{name}', {held.cash:.2%} cash.",
            *held.notes,
        ),
    )


def _saved(book: xw.Book, state: State, settings: Mapping[str, object]) -> tuple[str, Weights]:
    """Return the portfolio of the settings; without one, the workbook's own, or the sample."""
    name = inputs.portfolio_name(book, settings)
    try:
        return name, state.store.portfolio(name)
    except UnknownNameError:
        if "portfolio" in settings:
            raise
    return inputs.SAMPLE, state.store.portfolio(inputs.SAMPLE)
