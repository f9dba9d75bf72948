"""What the doctor finds, and how it is printed."""

from collections.abc import Sequence
from dataclasses import dataclass

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

OK = "ok"
WARNING = "warning"
PROBLEM = "problem"
_STYLES = {OK: "green", WARNING: "yellow", PROBLEM: "bold red"}


@dataclass(frozen=True)
class Finding:
    """One check: what was looked at, how it stands, what to do about it.

    status : ok, warning (Tilt works, but not as it should) or problem
    cure   : empty when there is nothing to do
    """

    check: str
    status: str
    detail: str
    cure: str = ""


def print_findings(found: Sequence[Finding]) -> None:
    """Print a row per check, and the cure below where there is one."""
    table = Table("check", "status", "found", box=None, pad_edge=False)
    for finding in found:
        said = Text(finding.detail)
        if finding.cure:
            said.append(f"\n-> {finding.cure}", style="bold")
        table.add_row(finding.check, Text(finding.status, _STYLES[finding.status]), said)
    Console().print(table, markup=False)
    counted = [(sum(f.status == s for f in found), s) for s in (PROBLEM, WARNING)]
    typer.echo(", ".join(f"{n} {s}{'' if n == 1 else 's'}" for n, s in counted) + ".")
