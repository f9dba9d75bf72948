"""The last pages of every report: how the numbers are computed, where from, and what it is not."""

import datetime as dt
from collections.abc import Sequence
from typing import TYPE_CHECKING

import pandas as pd

from tilt.report.layout import Sheet
from tilt.report.method import assumptions_block, conventions_block, disclaimers_block
from tilt.report.tables import Block

if TYPE_CHECKING:
    from tilt.report.pack import Chapter


def method_sheet(chapters: "Sequence[Chapter]", subtitle: str) -> Sheet:
    """Return the conventions behind the numbers, and only those."""
    sections = [section for chapter in chapters for section in chapter.sections]
    used = {key for section in sections for key in section.conventions}
    remarks = list(dict.fromkeys(r for section in sections for r in section.remarks))
    assumed = list(
        dict.fromkeys((s.title, item, value) for s in sections for item, value in s.assumptions)
    )
    blocks = [conventions_block(used, remarks)]
    if assumed:
        blocks.append(assumptions_block(assumed))
    return Sheet("Method", "How the numbers are computed", subtitle, tuple(blocks))


def lineage_sheet(chapters: "Sequence[Chapter]", subtitle: str, created: dt.datetime) -> Sheet:
    """Return the origin of every table: enough to compute it again."""
    rows = [
        (
            sheet.name,
            block.title,
            block.lineage.function,
            "; ".join(f"{k}={v}" for k, v in block.lineage.arguments.items()),
            chapter.subject.snapshot,
            block.lineage.run_id,
            f"{created:%Y-%m-%d %H:%M}",
            _cells(block),
        )
        for chapter in chapters
        for section in chapter.sections
        for sheet in (*section.sheets, *section.data)
        for block in sheet.blocks()
        if block.lineage is not None
    ]
    columns = ["sheet", "block", "function", "arguments", "snapshot", "run", "time_utc", "cell"]
    block = Block(
        "lineage",
        "Blocks",
        pd.DataFrame(rows, columns=columns, dtype=object),
        widths={"arguments": 60, "block": 24, "cell": 60},
        note="The same arguments on the same snapshot give the same numbers. Cell: what gives them "
        "in a sheet; a workbook with live TILT formulas has it in the table itself.",
    )
    title = "Where each number comes from"
    return Sheet("Lineage", title, subtitle, (block,), freeze_header=True)


def _cells(block: Block) -> str:
    """Return the calls that give a table's numbers, or why there are none."""
    calls = "; ".join(dict.fromkeys(live.call.replace(",", ", ") for live in block.live))
    return calls or (f"None: {block.not_live}." if block.not_live else "")


def disclaimers_sheet(chapters: "Sequence[Chapter]", subtitle: str) -> Sheet:
    """Return what a reader must know before relying on the report."""
    cautions = {c for chapter in chapters for section in chapter.sections for c in section.cautions}
    survivorship = list(
        dict.fromkeys(c.subject.survivorship for c in chapters if c.subject.survivorship)
    )
    return Sheet(
        "Disclaimers",
        "What this report is not",
        subtitle,
        (disclaimers_block(cautions, survivorship),),
    )
