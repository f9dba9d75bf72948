"""The frame of every report: cover, summary, the sections asked for, checks, method, lineage."""

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import pandas as pd

from tilt.data import packs
from tilt.report.back_pages import disclaimers_sheet, lineage_sheet, method_sheet
from tilt.report.charts import Chart
from tilt.report.checks import Check, check_block, checks_sheet, checks_status, checks_summary
from tilt.report.distinct import distinct
from tilt.report.layout import Part, Sheet, Tile, Tiles, Words
from tilt.report.tables import Block, Link

ALWAYS = ("cover", "summary", "checks", "method", "lineage", "disclaimers")
_TILES_IN_A_ROW = 4


@dataclass(frozen=True)
class Subject:
    """What a part of a report is about.

    name         : of the portfolio, or of whatever it is about
    benchmark    : in words
    notes        : what had to be assumed to read it, one sentence each
    survivorship : what the data leaves out
    securities   : how many the universe has with risk data; 0 leaves it unsaid
    label        : what the name is a name of
    """

    name: str
    universe: str
    benchmark: str
    date: pd.Timestamp
    snapshot: str
    notes: tuple[str, ...] = ()
    survivorship: str = ""
    securities: int = 0
    label: str = "Portfolio"

    @property
    def subtitle(self) -> str:
        """Return the line under every sheet's title."""
        against = f" against {self.benchmark}" if self.benchmark else ""
        return f"{self.name}{against} · as of {self.date:%Y-%m-%d}"


@dataclass(frozen=True, eq=False)
class Section:
    """One part of a report, chosen by its key.

    checks      : claims over the blocks of its chapter, as native formulas
    findings    : what it shows, as sentences with their numbers
    tiles       : figures for the cover
    summary     : tables and charts for the sheet Summary; a chart over a table of a section that
                  is left out is left out too
    conventions : keys of ``method.CONVENTIONS`` its numbers rest on
    assumptions : item and value
    remarks     : number and convention: what its own estimates say about themselves
    cautions    : keys of ``method.DISCLAIMERS``
    data        : sheets behind those of all sections: rows by the hundred that charts draw
    complete    : False for a section that could not be made and says why
    """

    key: str
    title: str
    sheets: tuple[Sheet, ...]
    checks: tuple[Check, ...] = ()
    findings: tuple[str, ...] = ()
    tiles: tuple[Tile, ...] = ()
    summary: tuple[Part, ...] = ()
    conventions: tuple[str, ...] = ()
    assumptions: tuple[tuple[str, str], ...] = ()
    remarks: tuple[tuple[str, str], ...] = ()
    cautions: tuple[str, ...] = ()
    data: tuple[Sheet, ...] = ()
    complete: bool = True

    def blocks(self) -> Iterator[Block]:
        """Yield the tables of the section, those for the sheet Summary too."""
        for sheet in (*self.sheets, *self.data):
            yield from sheet.blocks()
        yield from (part for part in self.summary if isinstance(part, Block))


@dataclass(frozen=True, eq=False)
class Chapter:
    """All sections about one subject.

    held : what is written down of it once the report is made; None leaves nothing
    """

    subject: Subject
    sections: tuple[Section, ...]
    held: packs.Pack | None = None

    @property
    def tiles(self) -> tuple[Tile, ...]:
        """The figures of the cover."""
        return tuple(tile for section in self.sections for tile in section.tiles)

    @property
    def findings(self) -> tuple[str, ...]:
        """What the sections show, then what had to be assumed."""
        said = tuple(text for section in self.sections for text in section.findings)
        return (*said, *self.subject.notes)


@dataclass(frozen=True, eq=False)
class Pack:
    """A report, ready to be written as a workbook, a page or a printed document.

    footer   : of every printed page
    created  : when it was made, UTC without a zone
    findings : of all its subjects, as sentences
    """

    title: str
    subtitle: str
    footer: str
    created: dt.datetime
    sheets: tuple[Sheet, ...]
    findings: tuple[str, ...] = ()

    def blocks(self) -> dict[str, Block]:
        """Return the tables of all sheets by key."""
        return {block.key: block for sheet in self.sheets for block in sheet.blocks()}


def pack(title: str, chapters: Sequence[Chapter], *, created: dt.datetime) -> Pack:
    """Return the report of one subject or of several.

    Each subject of several has its own sheets, which begin with its name; cover, checks, method,
    lineage and disclaimers are common to all.

    Parameters
    ----------
    chapters : at least one; tables have keys that differ within a chapter

    Raises
    ------
    ValueError
        If there is no chapter, or a section names an unknown convention or disclaimer.
    """
    if not chapters:
        raise ValueError("a report needs a chapter")
    apart = distinct([_with_summary(chapter) for chapter in chapters])
    subtitle = _subtitle(chapters)
    several = len(apart) > 1
    body = [s for chapter in apart for section in chapter.sections for s in section.sheets]
    behind = [s for chapter in apart for section in chapter.sections for s in section.data]
    body += [replace(sheet, data=True) for sheet in behind]
    checks = check_block(
        [
            (f"{chapter.subject.name}: {check.claim}" if several else check.claim, check)
            for chapter in apart
            for section in chapter.sections
            for check in section.checks
        ]
    )
    if several:
        body.insert(0, _overview(apart, subtitle))
    body += [
        *([checks_sheet(subtitle, checks)] if len(checks.table) else []),
        method_sheet(apart, subtitle),
        lineage_sheet(apart, subtitle, created),
        disclaimers_sheet(apart, subtitle),
    ]
    names = ", ".join(dict.fromkeys(chapter.subject.name for chapter in chapters))
    return Pack(
        title=title,
        subtitle=subtitle,
        footer=f"Tilt · {names} · as of {chapters[0].subject.date:%Y-%m-%d}",
        created=created,
        sheets=(_cover(title, apart, body, checks, created), *body),
        findings=tuple(text for chapter in chapters for text in chapter.findings),
    )


def _subtitle(chapters: Sequence[Chapter]) -> str:
    if len(chapters) == 1:
        return chapters[0].subject.subtitle
    return f"{len(chapters)} portfolios · as of {chapters[0].subject.date:%Y-%m-%d}"


def _with_summary(chapter: Chapter) -> Chapter:
    """Return the chapter with its page of findings, for who reads only one, in front."""
    drawn = {block.key for section in chapter.sections for block in section.blocks()}
    parts: list[Part] = [
        part
        for section in chapter.sections
        for part in section.summary
        if not isinstance(part, Chart) or part.block in drawn
    ]
    if chapter.findings:
        parts.insert(0, Words(chapter.findings, "What this shows"))
    if not parts:
        return chapter
    sheet = Sheet("Summary", "Summary", chapter.subject.subtitle, tuple(parts), one_page=True)
    return replace(chapter, sections=(Section("summary", "Summary", (sheet,)), *chapter.sections))


def _cover(
    title: str,
    chapters: Sequence[Chapter],
    body: list[Sheet],
    checks: Block,
    created: dt.datetime,
) -> Sheet:
    """Return the first page: what it is about, the figures that matter, where to find what."""
    first = chapters[0].subject
    facts: list[tuple[str, object]] = [
        (first.label if len(chapters) == 1 else "Portfolios", ", ".join(_names(chapters))),
        ("As of", f"{first.date:%Y-%m-%d}"),
        *([("Benchmark", first.benchmark)] if first.benchmark else []),
        ("Universe", _universe(first)),
        ("Snapshot", first.snapshot),
        ("Written", f"{created:%Y-%m-%d %H:%M} UTC"),
    ]
    absent = [s.title for chapter in chapters for s in chapter.sections if not s.complete]
    if absent:
        facts.append(("Status", f"Incomplete: {', '.join(dict.fromkeys(absent))}"))
    elif len(checks.table):
        facts.append(("Status", checks_status(checks)))
    if len(checks.table):
        facts.append(("Checks", checks_summary(checks)))
    notes = sum(len(chapter.subject.notes) for chapter in chapters)
    if notes:
        facts.append(("Notes on the data", f"{notes}, on the sheet of the summary"))
    contents = pd.DataFrame(
        [(Link(sheet.name, sheet.name), sheet.title) for sheet in body], columns=["sheet", "shows"]
    )
    return Sheet(
        "Cover",
        title,
        _subtitle(chapters),
        (
            *_cover_tiles(chapters),
            Block(
                "report_facts",
                "This report",
                pd.DataFrame(facts, columns=["item", "value"], dtype=object),
            ),
            Block("contents", "Contents", contents),
        ),
        one_page=True,
        portrait=True,
        column_width=32,
    )


def _names(chapters: Sequence[Chapter]) -> list[str]:
    return [chapter.subject.name for chapter in chapters]


def _universe(subject: Subject) -> str:
    more = f", {subject.securities} securities" if subject.securities else ""
    return f"{subject.universe}{more}"


def _cover_tiles(chapters: Sequence[Chapter]) -> list[Part]:
    """Return the figures of one subject; those of several stand in the overview."""
    if len(chapters) > 1:
        return []
    tiles = chapters[0].tiles
    rows = range(0, len(tiles), _TILES_IN_A_ROW)
    return [Tiles(tiles[at : at + _TILES_IN_A_ROW]) for at in rows]


def _overview(chapters: Sequence[Chapter], subtitle: str) -> Sheet:
    """Return the figures of the subjects beside one another, and what each shows."""
    labels = list(dict.fromkeys(tile.label for chapter in chapters for tile in chapter.tiles))
    rows = []
    for chapter in chapters:
        figures = {tile.label: tile.value for tile in chapter.tiles}
        rows.append([chapter.subject.name, *[figures.get(label) for label in labels]])
    formats = {t.label: t.number_format for chapter in chapters for t in chapter.tiles}
    figures_block = Block(
        "overview",
        "Key figures",
        pd.DataFrame(rows, columns=["portfolio", *labels], dtype=object),
        formats={k: v for k, v in formats.items() if v != "text"},
    )
    said = [
        Words(chapter.findings, chapter.subject.name) for chapter in chapters if chapter.findings
    ]
    return Sheet(
        "Overview",
        "The portfolios beside one another",
        subtitle,
        (*([figures_block] if labels else []), *said),
        one_page=True,
    )
