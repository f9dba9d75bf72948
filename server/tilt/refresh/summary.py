"""What a refresh did."""

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from tilt.data.difference import Difference, difference
from tilt.data.findings import SEVERITIES
from tilt.data.store import Snapshot
from tilt.frames import Panel
from tilt.refresh.estimates import Before


@dataclass(frozen=True, eq=False)
class Refreshed:
    """One refresh of one universe.

    snapshot : the current one from now on
    parent   : id of the one before; empty if there was none
    changed  : how it differs from the one before; None where there was none, or it is the same one
    findings : of the checks, all that the snapshot has
    days     : how many days the snapshot has
    seconds  : by stage
    """

    snapshot: Snapshot
    parent: str
    changed: Difference | None
    findings: pd.DataFrame
    days: int
    seconds: Mapping[str, float]

    @property
    def nothing_new(self) -> bool:
        """Whether the snapshot was the current one already."""
        return self.snapshot.id == self.parent

    @property
    def findings_new(self) -> pd.DataFrame:
        if self.changed is not None:
            return self.changed.findings_new
        return self.findings.iloc[:0] if self.parent else self.findings

    @property
    def findings_gone(self) -> pd.DataFrame:
        return self.findings.iloc[:0] if self.changed is None else self.changed.findings_gone

    def as_json(self) -> dict[str, object]:
        """Return counts and names that machines can read."""
        first, changed = not self.parent, self.changed
        added = len(changed.days_added) if changed else self.days if first else 0
        return {
            "universe": self.snapshot.universe,
            "source": self.snapshot.source,
            "snapshot": self.snapshot.id,
            "parent": self.parent,
            "as_of": f"{self.snapshot.as_of:%Y-%m-%d}",
            "nothing_new": self.nothing_new,
            "days_added": added,
            "days_removed": len(changed.days_removed) if changed else 0,
            "securities": self.snapshot.securities,
            "securities_added": list(changed.added) if changed else [],
            "securities_gone": list(changed.removed) if changed else [],
            "values_changed": changed.values_changed if changed else 0,
            "findings": _counts(self.findings),
            "findings_new": _counts(self.findings_new),
            "findings_gone": _counts(self.findings_gone),
            "seconds": {stage: round(taken, 3) for stage, taken in self.seconds.items()},
        }


def compare(before: Before | None, panel: Panel, findings: pd.DataFrame) -> Difference | None:
    """Return how a panel and its findings differ from those before; None if there are none."""
    if before is None:
        return None
    return difference(before.panel, panel, before.findings, findings)


def _counts(findings: pd.DataFrame) -> dict[str, int]:
    counted = findings["severity"].value_counts()
    return {severity: int(counted.get(severity, 0)) for severity in SEVERITIES}
