"""How many members a factor is known for, and how many securities have a price, by date."""

import numpy as np
import pandas as pd

from tilt.data.findings import Finding, Severity, noted
from tilt.frames import Panel, Prices

LEAST_COVERAGE = 0.8  # of the members, with a score of their own data
POOR_COVERAGE = 0.5
FEWER = 0.1  # part of the prices that are gone from one day to the next


def coverage_findings(panel: Panel) -> list[Finding]:
    """Return the days from which a factor is known for too few members.

    A score that was imputed from sector and size does not count as known. One finding a spell.
    """
    history = panel.factors
    member = panel.member.reindex(index=history.dates, columns=history.assets).to_numpy(dtype=bool)
    members = member.sum(axis=1)
    findings: list[Finding] = []
    for i, style in enumerate(history.style_names):
        own = np.isfinite(history.styles[:, :, i]) & ~history.imputed[:, :, i] & member
        begun = np.maximum.accumulate(own.any(axis=1)) & (members > 0)
        share = np.divide(own.sum(axis=1), members, out=np.ones(len(members)), where=begun)
        low = (share < LEAST_COVERAGE) & begun
        for begin, end in _spells(low):
            least = float(share[begin:end].min())
            words = _LOW.format(
                style=style, share=share[begin], least=least, last=history.dates[end - 1]
            )
            severity: Severity = "warning" if least < POOR_COVERAGE else "info"
            findings.append(noted(history.dates[begin], "low_coverage", words, severity=severity))
    return findings


def price_count_findings(close: Prices) -> list[Finding]:
    """Return the days on which many fewer securities have a price than the day before."""
    count = close.notna().to_numpy().sum(axis=1)
    fell = np.flatnonzero(count[1:] < (1 - FEWER) * count[:-1]) + 1
    return [
        noted(
            pd.Timestamp(close.index[row]),
            "fewer_prices",
            _FEWER.format(now=count[row], before=count[row - 1]),
        )
        for row in fell.tolist()
    ]


def _spells(where: np.ndarray) -> list[tuple[int, int]]:
    """Return the first row of each run of True, and the row after its last."""
    edges = np.diff(np.concatenate([[0], where.astype("int8"), [0]]))
    begins, ends = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)
    return [(int(b), int(e)) for b, e in zip(begins, ends, strict=True)]


_LOW = (
    "{style} is known for {share:.0%} of the members, and for {least:.0%} at the least until "
    "{last:%Y-%m-%d}. | Kept: the others' scores are fitted from sector and size."
)
_FEWER = "{now} securities have a price, {before} the day before. | Kept."
