"""What one snapshot has that another one has not: securities, days, values, findings."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from tilt.frames import Panel

FIELDS = ("close", "returns", "volume", "market_cap", "member")
COUNTS = ("changed", "appeared", "vanished")


@dataclass(frozen=True, eq=False)
class Difference:
    """How a universe's data changed from one snapshot to another one.

    added, removed : securities that are in one of the two alone
    days_added, days_removed : sessions that are in one of the two alone
    fields : field, changed, appeared, vanished: how many values of the securities and days that
        both have are others, were missing before, are missing now; fields without a change are
        left out
    findings_new, findings_gone : of the checks, with the columns of the findings
    """

    added: tuple[str, ...]
    removed: tuple[str, ...]
    days_added: pd.DatetimeIndex
    days_removed: pd.DatetimeIndex
    fields: pd.DataFrame
    findings_new: pd.DataFrame
    findings_gone: pd.DataFrame

    @property
    def values_changed(self) -> int:
        """How many values of the common securities and days are not what they were."""
        return int(self.fields[list(COUNTS)].to_numpy().sum())

    @property
    def nothing(self) -> bool:
        """Whether the two are the same."""
        sides = (self.added, self.removed, self.days_added, self.days_removed)
        tables = (self.fields, self.findings_new, self.findings_gone)
        return not any(len(part) for part in (*sides, *tables))


def difference(
    before: Panel,
    after: Panel,
    findings_before: pd.DataFrame,
    findings_after: pd.DataFrame,
) -> Difference:
    """Compare two snapshots of a universe.

    Parameters
    ----------
    before, after : panels, of any dates and securities
    findings_before, findings_after : what the checks found in each
    """
    dates, assets = before.dates.intersection(after.dates), before.assets.intersection(after.assets)
    nothing = pd.DataFrame(index=dates, columns=assets, dtype=float)
    old, new = _fields(before), _fields(after)
    counted = [
        (
            name,
            *_counts(
                old.get(name, nothing).reindex(index=dates, columns=assets),
                new.get(name, nothing).reindex(index=dates, columns=assets),
            ),
        )
        for name in dict.fromkeys([*old, *new])
    ]
    table = pd.DataFrame(counted, columns=["field", *COUNTS])
    return Difference(
        added=tuple(str(t) for t in after.assets.difference(before.assets)),
        removed=tuple(str(t) for t in before.assets.difference(after.assets)),
        days_added=pd.DatetimeIndex(after.dates.difference(before.dates)),
        days_removed=pd.DatetimeIndex(before.dates.difference(after.dates)),
        fields=table[table[list(COUNTS)].any(axis=1)].reset_index(drop=True),
        findings_new=_without(findings_after, findings_before),
        findings_gone=_without(findings_before, findings_after),
    )


def _fields(panel: Panel) -> dict[str, pd.DataFrame]:
    return {**{name: getattr(panel, name) for name in FIELDS}, **panel.fundamentals}


def _counts(old: pd.DataFrame, new: pd.DataFrame) -> tuple[int, int, int]:
    """Return how many values changed, appeared and vanished; missing in both is no change."""
    a, b = old.to_numpy(dtype=float), new.to_numpy(dtype=float)
    had, has = ~np.isnan(a), ~np.isnan(b)
    return int((had & has & (a != b)).sum()), int((~had & has).sum()), int((had & ~has).sum())


def _without(findings: pd.DataFrame, others: pd.DataFrame) -> pd.DataFrame:
    """Return the findings that are not among the others."""
    keys = list(findings.columns)
    marked = findings.merge(others[keys].drop_duplicates(), on=keys, how="left", indicator="side")
    return findings[(marked["side"] == "left_only").to_numpy()].reset_index(drop=True)
