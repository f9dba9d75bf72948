"""Commands on portfolios: demo, check; and the review that the report shares with the demo."""

import csv
import datetime as dt
import json
import re
import zipfile
from pathlib import Path
from typing import Annotated

import openpyxl
import typer
from rich.console import Console

from tilt.cli.leaving_behind import CommandRecord, apart, took_out
from tilt.cli.printing import AsJson, print_table
from tilt.cli.refreshing import with_bar
from tilt.cli.serving import require_free_port, start, with_tls
from tilt.data.store import Store
from tilt.errors import DataError
from tilt.portfolio.cells import Grid
from tilt.portfolio.holdings import check_table, inspect_holdings, parse_holdings
from tilt.refresh import Due
from tilt.report.making import Asked, Book
from tilt.report.outputs import place_of, render, save
from tilt.report.portfolio import portfolio_report
from tilt.report.review import Review, review_portfolio
from tilt.report.tables import number_at
from tilt.settings import Settings, read_settings

SAMPLE = "SAMPLE"
REPORT = Path("tilt-report.xlsx")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")

app = typer.Typer()
ReportPath = Annotated[Path, typer.Option("--report", help="Where the workbook goes.")]


@app.command()
def demo(
    *,
    serve: Annotated[bool, typer.Option(help="Serve the add-in afterwards.")] = True,
    report: ReportPath = REPORT,
    as_json: AsJson = False,
) -> None:
    """Build the embedded data if absent, run the main job on it, write its report, serve."""
    settings = read_settings()
    if serve:
        settings = with_tls(settings, wanted=False)
        require_free_port(settings)
    store = Store.open(settings)
    with_bar(store, settings, Due("sample"))  # does nothing where the store has just this sample
    asked = Asked(books=(Book(SAMPLE, SAMPLE),))
    apart(print_review, settings, store, asked, report, as_json=as_json)
    if serve:
        start(settings)


@app.command()
def check(
    file: Annotated[Path, typer.Argument(help="Holdings: CSV or Excel, the first sheet.")],
    *,
    as_json: AsJson = False,
) -> None:
    """Say what is wrong with a file of holdings, row by row; exit 1 if it cannot be used."""
    store = Store.open(read_settings())
    panel = store.panel()
    holdings = inspect_holdings(
        read_grid(file), panel, panel.as_of, saved=store.named(panel.as_of), argument=file.name
    )
    table = check_table(holdings)
    if as_json:
        typer.echo(table.to_json(orient="records"))
    elif table.empty:
        typer.echo(f"{len(holdings.weights)} positions, nothing to report.")
    else:
        print_table(table)
    if holdings.error is not None:
        raise typer.Exit(1)


def read_grid(path: Path) -> Grid:
    """Return the cells of a CSV file, or of the first sheet of a workbook.

    Raises
    ------
    DataError
        If the file cannot be read as what its name says.
    """
    if not path.is_file():
        raise DataError(f"There is no file {path}.")
    try:
        if path.suffix.casefold() in {".xlsx", ".xlsm"}:
            book = openpyxl.load_workbook(path, data_only=True)
            return [list(row) for row in book.worksheets[0].iter_rows(values_only=True)]
        with path.open(newline="", encoding="utf-8-sig") as file:
            return [[_typed(cell) for cell in row] for row in csv.reader(file)]
    except (zipfile.BadZipFile, UnicodeDecodeError, csv.Error, KeyError, OSError) as error:
        raise DataError(f"{path} is no readable CSV or Excel file: {error}.") from None


def _typed(cell: str) -> object:
    """Return a CSV cell as a sheet would hold it: a number where it is one."""
    return float(cell) if _NUMBER.fullmatch(cell.strip()) else cell


def print_review(
    settings: Settings, store: Store, asked: Asked, path: Path, *, as_json: bool
) -> None:
    """Run the main job on the portfolio that is asked for, write its report, print what it found.

    Its runs are on record, and that its file was taken out.
    """
    (book,) = asked.books
    panel = store.panel()
    holdings = parse_holdings(book.given, panel, panel.as_of, saved=store.named(panel.as_of))
    record = CommandRecord(settings, store, panel)
    now = dt.datetime.now(dt.UTC).replace(tzinfo=None)  # Excel has no time zones
    with Console(stderr=True).status("Exposures, risk, optimal weights, backtest"):
        review = review_portfolio(panel, holdings, portfolio=book.name, record=record)
        report = portfolio_report(review, created=now)
        content = render(report, asked.format, asked.mode, template=asked.template)
    took_out(store, asked, record)
    print_summary(review, save(place_of(path.absolute(), asked.format), content), as_json=as_json)


def print_summary(review: Review, path: Path, *, as_json: bool) -> None:
    """Print what a review found, and where its report is."""
    after = number_at(review.measures, "tracking_error", "after")
    names = [int(number_at(review.measures, "names", c)) for c in ("before", "after")]
    stats = review.backtest.view("stats")
    cagr = [number_at(stats, "cagr", c) for c in ("portfolio", "benchmark")]
    if as_json:
        result = {
            "portfolio": review.portfolio,
            "as_of": f"{review.date:%Y-%m-%d}",
            "universe": review.panel.universe,
            "snapshot": review.panel.snapshot,
            "tracking_error_before": review.tracking_error,
            "tracking_error_after": after,
            "turnover": review.turnover,
            "names_before": names[0],
            "names_after": names[1],
            "strategy": review.idea,
            "backtest_return": cagr[0],
            "backtest_benchmark_return": cagr[1],
            "report": str(path),
        }
        typer.echo(json.dumps(result))
        return
    for item, value in {
        "Portfolio": f"{review.portfolio} against {review.panel.universe}, cap weighted",
        "As of": f"{review.date:%Y-%m-%d}, snapshot {review.panel.snapshot}",
        "Tracking error": f"{review.tracking_error:.2%} now, {after:.2%} after the rebalance",
        "Turnover": f"{review.turnover:.1%} one way",
        "Names": f"{names[0]} now, {names[1]} after",
        "Backtest": f"{review.idea}, {cagr[0]:.1%} a year after costs, benchmark {cagr[1]:.1%}",
        "Report": str(path),
    }.items():
        typer.echo(f"{item:<16}{value}")
