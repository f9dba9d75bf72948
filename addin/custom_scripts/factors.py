"""The buttons Pure factor and What-if: portfolios of one factor; trades that are not made yet."""

import pandas as pd
import xlwings as xw
import xlwings.server

from custom_scripts import _inputs as inputs
from custom_scripts import _sheets as sheets
from custom_scripts._inputs import Marked
from custom_scripts._sheets import Chart, Output, Part
from tilt.api.books import Book
from tilt.api.formulas import table_of
from tilt.api.pairs import read_pairs, ticker_in
from tilt.api.state import State, current
from tilt.api.values import Grid
from tilt.errors import ArgumentError
from tilt.optimize.pure import KINDS
from tilt.portfolio import compare as side_by_side
from tilt.portfolio.identifiers import Tickers

PURE, WHAT_IF = "Tilt Pure Factor", "Tilt What-if"
TRADES = "TiltPlannedTrades"
LIMITS = ("exposure", "long_only", "max_weight", "max_turnover", "cost_bps")
PLAIN = ("exposure", "largest_other_style", "correlation_with_pure", "effective_names")
BARS = 15  # of a chart that one can still read
EXAMPLE_TRADE = 0.01


@xlwings.server.script
def pure_factor(book: xw.Book) -> None:
    """Make the four portfolios of the factor that the settings name, side by side."""
    state = current()
    settings = inputs.read_settings(book)
    marked = Marked([], None, settings)
    panel = state.panel(marked.universe)
    styles = panel.factors.factors.query("group == 'style'").index
    factor = marked.text("factor", str(styles[0]) if len(styles) else "")
    if not factor:
        raise ArgumentError(
            f"{panel.universe} has no style factor. Give factor in {inputs.SETTINGS} an expression."
        )
    date = settings.get("date")
    if date is not None and not isinstance(date, str | float | int):
        raise ArgumentError(f"date in {inputs.SETTINGS} is no date.")
    given = (factor, date, marked.universe)
    rules = [f"{key}={settings[key]}" for key in LIMITS if key in settings]
    compared = table_of(state, "pure_factor", (*given, ";".join(["view=compare", *rules])))
    weights = _weights(state, given, [r for r in rules if not r.startswith("cost_bps")])
    measures = compared.set_index("measure")
    line = (
        f"Investable: exposure {measures['investable']['exposure']:.2f}, "
        f"volatility {measures['investable']['volatility']:.2%}; "
        f"pure: volatility {measures['pure']['volatility']:.2%}"
    )
    words = [
        f"Portfolios of {factor}",
        line,
        f"{panel.universe}, snapshot {panel.snapshot}",
        f"The factor and its limits stand in {inputs.SETTINGS}: factor, {', '.join(LIMITS)}.",
    ]
    parts: list[Part] = [
        Output("TiltPureCompare", compared.drop(columns="note", errors="ignore"), plain=PLAIN),
        Chart("TiltPureChart", f"Pure {factor}, largest weights", "bar_clustered", "TiltPureBars"),
        Output("TiltPureWeights", weights, percent=KINDS),
        Output("TiltPureBars", _bars(weights), percent=("pure",)),
    ]
    written = sheets.write_sheet(book, PURE, words, parts)
    done = f"Wrote four portfolios of {factor} to the sheet {written}. {line}."
    sheets.say(book, done)


def _weights(
    state: State, given: tuple[str, str | float | None, str | None], rules: list[str]
) -> pd.DataFrame:
    """Return ticker and the weight in each kind, the largest pure ones first."""
    of_kind = {}
    for kind in KINDS:
        options = [f"kind={kind}", *(rules if kind == "investable" else [])]
        table = table_of(state, "pure_factor", (*given, ";".join(options)))
        of_kind[kind] = table.set_index("ticker")["weight"]
    frame = pd.DataFrame(of_kind).fillna(0.0).rename_axis("ticker")
    order = frame["pure"].abs().sort_values(ascending=False, kind="stable").index
    return frame.loc[order].reset_index()


def _bars(weights: pd.DataFrame) -> pd.DataFrame:
    """Return the largest pure weights, the largest last: a bar chart shows it on top."""
    return weights[["ticker", "pure"]].head(BARS).sort_values("pure", ignore_index=True)


@xlwings.server.script
def what_if(book: xw.Book) -> None:
    """Show the marked holdings before and after the marked trades."""
    state = current()
    marked = inputs.read_marked(book, state)
    found = marked.open(state)
    cells = sheets.read_table(book, TRADES)
    said = ""
    if cells is None:
        example = _example(found)
        at = sheets.write_beside(book, inputs.INPUTS, Output(TRADES, example, percent=("trade",)))
        said = f"There was no table {TRADES}: an example stands on the sheet {at}."
        cells = [[str(c) for c in example.columns], *example.to_numpy().tolist()]
    trades = _read(cells, found)
    fund = marked.text("fund", side_by_side.FUNDING[0])
    table = side_by_side.what_if(found.model, found.weights, trades, found.benchmark, fund=fund)
    styles = tuple(str(s) for s in found.model.groups.index[found.model.groups == "style"])
    line = _figures(table)
    words = [
        f"What if: {inputs.counted(len(trades), 'trade')}",
        line,
        inputs.origin(found),
        inputs.sentences(*found.notes),
    ]
    written = sheets.write_sheet(book, WHAT_IF, words, [Output("TiltWhatIf", table, plain=styles)])
    done = f"Wrote the holdings before and after the trades to the sheet {written}. {line}."
    sheets.say(book, inputs.sentences(marked.said, said, done))


def _read(cells: Grid, book: Book) -> dict[str, float]:
    known = ticker_in(Tickers(book.panel, book.date))
    trades = read_pairs(cells, TRADES, "trade", known)
    if not any(trades.values()):
        raise ArgumentError(f"{TRADES} has no trade. Type tickers and changes of weight: 1%, -2%.")
    return trades


def _example(book: Book) -> pd.DataFrame:
    """Return one per cent from the largest holding to the largest of the universe not held."""
    held = book.weights[book.weights > 0]
    caps = book.panel.cap_weights(book.date)
    known = caps[caps.index.isin(book.model.assets) & ~caps.index.isin(held.index)]
    sold = held[held.index.isin(book.model.assets)]
    rows = [(str(sold.idxmax()), -min(EXAMPLE_TRADE, float(sold.max())))] if len(sold) else []
    rows += [(str(known.idxmax()), EXAMPLE_TRADE)] if len(known) else []
    return pd.DataFrame(rows, columns=["ticker", "trade"])


def _figures(table: pd.DataFrame) -> str:
    """Return the change of risk in words."""
    rows = table.set_index("measure").astype(float)
    before, after = rows["before"].to_dict(), rows["after"].to_dict()
    name = "tracking_error" if "tracking_error" in after else "volatility"
    words = name.replace("_", " ").capitalize()
    return f"{words} {before[name]:.2%} to {after[name]:.2%}; turnover {after['turnover']:.2%}"
