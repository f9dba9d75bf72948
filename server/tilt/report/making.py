"""Reports as they are asked for: portfolios, a kind, sections and a form; files come out."""

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

import pandas as pd

from tilt.data.store import Store
from tilt.errors import ArgumentError, StoppedError, TiltError, one_of
from tilt.frames import Panel
from tilt.optimize.constraints import Grid, parse_rules
from tilt.portfolio.holdings import Holdings, check_table, inspect_holdings
from tilt.report.absent import absent
from tilt.report.kind import Kind, Material, Said
from tilt.report.kinds import KINDS
from tilt.report.live_calls import Calls, with_live
from tilt.report.outputs import check_output, render
from tilt.report.pack import Chapter, Pack, Subject, pack
from tilt.report.pdf import Alive
from tilt.report.record import Record
from tilt.report.tables import Block

MOST_PORTFOLIOS = 20
_UNFIT = re.compile(r"[^\w .()-]+")
PRINTING = "printing with LibreOffice"
_COMPUTED = 0.9  # of a report's time; the rest is writing


@dataclass(frozen=True)
class Book:
    """A portfolio of a report: its name there, and holdings as ``parse_holdings`` takes them."""

    name: str
    given: "str | Grid"


@dataclass(frozen=True)
class Asked:
    """A report as it is asked for; what is empty is usual.

    books    : portfolios, each one a chapter
    rules    : limits as typed in a sheet
    options  : of the kind, by name
    separate : a file for each portfolio instead of one for all
    template : a firm's own workbook to be filled
    """

    kind: str = "portfolio"
    books: tuple[Book, ...] = ()
    sections: tuple[str, ...] = ()
    format: str = "xlsx"
    mode: str = "formulas"
    universe: str = ""
    rules: Grid = field(default_factory=list)
    options: Mapping[str, str] = field(default_factory=dict)
    long_short: bool = False
    separate: bool = False
    template: bytes = b""


@dataclass(frozen=True)
class Made:
    """A file of a report, by the name it should be saved under."""

    name: str
    format: str
    content: bytes


def check_asked(asked: Asked) -> Asked:
    """Return what is asked for with everything by its right name, before anything is computed.

    Raises
    ------
    ArgumentError
        If a kind, section, option, format or mode is not known, or portfolios are too few, too
        many, or two share a name.
    """
    kind = KINDS[one_of("kind of report", asked.kind, KINDS)]
    format_, mode = check_output(asked.format, asked.mode, template=bool(asked.template))
    if kind.of_portfolio and not asked.books:
        raise ArgumentError(f"The {kind.name} report is of portfolios. Name one, such as SAMPLE.")
    if len(asked.books) > MOST_PORTFOLIOS:
        raise ArgumentError(
            f"A report has at most {MOST_PORTFOLIOS} portfolios; {len(asked.books)} are asked for."
        )
    names = [book.name.casefold() for book in asked.books]
    twice = next((b.name for b in asked.books if names.count(b.name.casefold()) > 1), None)
    if twice is not None:
        raise ArgumentError(f"The portfolio {twice} is asked for twice. Name it once.")
    return replace(
        asked,
        kind=kind.name,
        sections=kind.choose(asked.sections),
        options=kind.check_options(asked.options),
        format=format_,
        mode=mode,
        books=asked.books if kind.of_portfolio else (),
    )


def make_reports(
    store: Store,
    panel: Panel,
    asked: Asked,
    *,
    created: dt.datetime,
    said: Said,
    record: Record | None = None,
) -> list[Made]:
    """Return the files of a report.

    Parameters
    ----------
    asked : as :func:`check_asked` returns it
    created : UTC without a zone
    said : is told how much is done, and what is being done
    record : of the runs whose ids the report shows, and of earlier reports; nothing is left
        behind unless given

    Raises
    ------
    TiltError
        If a rule is wrong, a template does not fit, the file cannot be made, or no chapter can: of
        several portfolios one that fails has a chapter that says why.
    """
    kind = KINDS[asked.kind]
    if asked.rules:  # a wrong rule is not a portfolio's problem
        factors = panel.factors.factors.index
        parse_rules(asked.rules, securities=panel.securities, factors=factors)
    record = record or Record()
    chapters = _chapters(kind, store, panel, asked, said, record)
    apart = [[chapter] for chapter in chapters] if asked.separate else [chapters]
    files = []
    for number, together in enumerate(apart):
        done = _COMPUTED + (1 - _COMPUTED) * number / len(apart)
        said(done, f"writing {asked.format}")
        report = pack(kind.title, together, created=created)
        files.append(_written(kind, report, together, asked, partial(said, done, PRINTING)))
    for chapter in chapters:
        if chapter.held is not None:
            record.made(chapter.held)
    said(1.0, "done")
    return _distinct(files)


def _distinct(files: list[Made]) -> list[Made]:
    """Return the files with names that differ, also where a folder knows no case."""
    taken: set[str] = set()
    apart = []
    for file in files:
        stem, dot, ending = file.name.rpartition(".")
        name, number = file.name, 2
        while name.casefold() in taken:
            name, number = f"{stem} {number}{dot}{ending}", number + 1
        taken.add(name.casefold())
        apart.append(replace(file, name=name))
    return apart


def _chapters(
    kind: Kind, store: Store, panel: Panel, asked: Asked, said: Said, record: Record
) -> list[Chapter]:
    """Return a chapter of each portfolio; of several, one that fails says why.

    Raises
    ------
    TiltError
        Of the first, if all of them fail.
    """
    books: Sequence[Book | None] = asked.books or (None,)
    chapters: list[Chapter] = []
    failed: list[TiltError] = []
    for number, book in enumerate(books):

        def told(fraction: float, stage: str, at: int = number, of: Book | None = book) -> None:
            whose = f"{of.name}: {stage}" if of is not None and len(books) > 1 else stage
            said(_COMPUTED * (at + fraction) / len(books), whose)

        try:
            chapters.append(_chapter(kind, store, panel, asked, book, told, record))
        except StoppedError:
            raise
        except TiltError as error:
            failed.append(error)
            if book is not None:
                chapters.append(_failed(kind, book.name, panel, error))
    if len(failed) == len(books):
        raise failed[0]
    return chapters


def _chapter(
    kind: Kind,
    store: Store,
    panel: Panel,
    asked: Asked,
    book: Book | None,
    said: Said,
    record: Record,
) -> Chapter:
    holdings = None
    record.begin()
    if book is not None:
        holdings = inspect_holdings(
            book.given,
            panel,
            panel.as_of,
            saved=store.named(panel.as_of),
            long_short=asked.long_short,
            argument=book.name,
        )
        if holdings.error is not None:
            return _unread(book.name, panel, holdings)
    material = Material(
        store=store,
        panel=panel,
        portfolio=book.name if book is not None else "",
        holdings=holdings,
        rules=asked.rules,
        wanted=asked.sections,
        options=asked.options,
        record=record,
    )
    chapter = kind.chapter(material, said)
    calls = Calls(
        material.whose.portfolio if material.whose.saved else "",
        panel,
        asked.rules,
        asked.options,
        record,
        panel.universe == store.default,
    )
    return replace(chapter, sections=tuple(with_live(s, calls) for s in chapter.sections))


def _failed(kind: Kind, name: str, panel: Panel, error: TiltError) -> Chapter:
    """Return a chapter that says why a portfolio's part of the report could not be made."""
    subject = Subject(name, panel.universe, "", panel.as_of, panel.snapshot)
    return Chapter(subject, (absent(kind.name, kind.title, subject, error),))


def _unread(name: str, panel: Panel, holdings: Holdings) -> Chapter:
    """Return a chapter that says why a portfolio cannot be used, row by row."""
    if holdings.error is None:
        raise ValueError("these holdings can be used")
    subject = Subject(name, panel.universe, "", panel.as_of, panel.snapshot)
    section = absent("holdings", "Holdings", subject, holdings.error)
    found = check_table(holdings).astype(object)
    table = found.where(found.notna(), None)
    block = Block(
        "unmatched", "Rows that need a look", pd.DataFrame(table), widths=_wide(table.columns)
    )
    sheet = replace(section.sheets[0], parts=(*section.sheets[0].parts, block))
    return Chapter(subject, (replace(section, sheets=(sheet,)),))


def _wide(columns: "pd.Index[str]") -> dict[str, int]:
    return {name: 50 for name in ("problem", "fix") if name in columns}


def _written(
    kind: Kind, report: Pack, chapters: Sequence[Chapter], asked: Asked, alive: Alive
) -> Made:
    names = [c.subject.name for c in chapters]
    whose = names[0] if len(names) == 1 else f"{len(names)} portfolios"
    day = f"{chapters[0].subject.date:%Y-%m-%d}"
    stem = _UNFIT.sub("_", f"{whose} {kind.name.replace('_', '-')} report {day}")
    content = render(report, asked.format, asked.mode, template=asked.template, alive=alive)
    return Made(f"{stem}.{asked.format}", asked.format, content)
