"""The command that makes reports."""

import datetime as dt
import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from tilt.cli.leaving_behind import CommandRecord, apart, took_out
from tilt.cli.portfolios import REPORT, ReportPath, print_review, read_grid
from tilt.cli.printing import AsJson
from tilt.cli.refreshing import bar
from tilt.data.store import Store
from tilt.errors import ArgumentError, DataError
from tilt.report.making import Asked, Book, Made, check_asked, make_reports
from tilt.report.outputs import FORMATS, place_of, save
from tilt.settings import Settings, read_settings

app = typer.Typer()


@app.command("report")
def report_command(
    portfolios: Annotated[
        list[str] | None,
        typer.Argument(help="Saved portfolios, or CSV or Excel files of holdings."),
    ] = None,
    *,
    kind: Annotated[str, typer.Option(help="portfolio, or another kind of report.")] = "portfolio",
    sections: Annotated[str, typer.Option(help="By name, with commas; all unless given.")] = "",
    format_: Annotated[
        str, typer.Option("--format", help="xlsx, pdf or html; the report's ending unless given.")
    ] = "",
    mode: Annotated[
        str, typer.Option(help="Of a workbook: formulas, frozen or live.")
    ] = "formulas",
    separate: Annotated[
        bool, typer.Option(help="A file for each portfolio, in the report's folder.")
    ] = False,
    template: Annotated[
        Path | None, typer.Option(help="A firm's own workbook whose named ranges are filled.")
    ] = None,
    option: Annotated[
        list[str] | None, typer.Option(help="Of the kind, as name=value; may come often.")
    ] = None,
    universe: Annotated[str, typer.Option(help="The default one unless given.")] = "",
    report: ReportPath = REPORT,
    as_json: AsJson = False,
) -> None:
    """Write the report of one portfolio or of several, with the sections that are named."""
    asked = check_asked(
        Asked(
            kind=kind,
            books=tuple(_book(given) for given in portfolios or []),
            sections=tuple(part for part in sections.split(",") if part.strip()),
            format=format_ or _ending(report),
            mode=mode,
            universe=universe,
            options=_options(option or []),
            separate=separate,
            template=_content(template),
        )
    )
    settings = read_settings()
    store = Store.open(settings)
    if len(asked.books) == 1 and asked.kind == "portfolio" and not sections and not universe:
        apart(print_review, settings, store, asked, report, as_json=as_json)
        return
    made = apart(_made, settings, store, asked)
    target = report.absolute()
    paths = [
        save(
            target.with_name(file.name) if separate else place_of(target, asked.format),
            file.content,
        )
        for file in made
    ]
    if as_json:
        typer.echo(
            json.dumps(
                {
                    "kind": asked.kind,
                    "portfolios": [book.name for book in asked.books],
                    "sections": list(asked.sections),
                    "reports": [str(path) for path in paths],
                }
            )
        )
    else:
        for path in paths:
            Console().print(path, markup=False, soft_wrap=True, highlight=False)


def _made(settings: Settings, store: Store, asked: Asked) -> list[Made]:
    """Return the files of a report; its runs are on record, and that they were taken out."""
    panel = store.panel(asked.universe or None)
    record = CommandRecord(settings, store, panel)
    now = dt.datetime.now(dt.UTC).replace(tzinfo=None, microsecond=0)
    with bar("Report") as told:
        made = make_reports(
            store,
            panel,
            asked,
            created=now,
            said=lambda done, stage: told(stage, done),
            record=record,
        )
    took_out(store, asked, record)
    return made


def _book(given: str) -> Book:
    """Return a saved portfolio by its name, or a file of holdings by the file's."""
    file = Path(given)
    if file.suffix and file.is_file():
        return Book(file.stem, read_grid(file))
    return Book(given, given)


def _ending(report: Path) -> str:
    kind = report.suffix.removeprefix(".").casefold()
    return kind if kind in FORMATS else ""


def _options(given: list[str]) -> dict[str, str]:
    options = {}
    for text in given:
        name, sign, value = text.partition("=")
        if not sign:
            raise ArgumentError(f"--option must be name=value; got '{text}'.")
        options[name.strip()] = value.strip()
    return options


def _content(template: Path | None) -> bytes:
    if template is None:
        return b""
    try:
        return template.read_bytes()
    except OSError as error:
        raise DataError(f"Cannot read the template {template}: {error.strerror}.") from None
