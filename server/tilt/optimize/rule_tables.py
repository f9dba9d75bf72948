"""The rules of a problem as a table: solved and priced, or in conflict."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from tilt.optimize.case import Case
from tilt.optimize.check import read_implicit, read_rules
from tilt.optimize.constraints import Rule
from tilt.optimize.explain import Priced

COLUMNS = [
    "rule", "who", "min", "max", "value", "slack", "status", "shadow_price", "gain_if_looser",
    "gain_if_tighter", "step", "relative", "note", "before",
]  # fmt: skip


def _typed(table: pd.DataFrame) -> pd.DataFrame:
    text = ("rule", "who", "status", "relative", "note")
    return table.astype({c: float for c in COLUMNS if c not in text})


def _note(priced: Priced) -> str:
    reading = priced.reading
    if reading.status == "given up":
        return f"soft: gave up {reading.rule.shown(-reading.slack)}"
    if reading.status == "binding" and len(reading.touching) > 1:
        shown = ", ".join(str(n) for n in reading.touching[:3])
        more = f" and {len(reading.touching) - 3} more" if len(reading.touching) > 3 else ""
        return f"{shown}{more}"
    return ""


def rule_table(case: Case, priced: Sequence[Priced]) -> pd.DataFrame:
    """Return a row for each rule: its value, slack, status and prices.

    ``before`` is the value that the holdings have as they are.
    """
    readings = read_rules(case, case.current, case.rules) + read_implicit(case, case.current)
    before = {(r.rule.rule, r.who, r.rule.relative): r.value for r in readings}
    rows = [
        {
            "rule": p.reading.rule.rule,
            "who": p.reading.who,
            "min": p.reading.low,
            "max": p.reading.high,
            "value": p.reading.value,
            "slack": p.reading.slack,
            "status": p.reading.status,
            "shadow_price": p.shadow_price,
            "gain_if_looser": p.looser,
            "gain_if_tighter": p.tighter,
            "step": p.step,
            "relative": "yes" if p.reading.rule.relative else "no",
            "note": _note(p),
            "before": before.get(
                (p.reading.rule.rule, p.reading.who, p.reading.rule.relative), np.nan
            ),
        }
        for p in priced
    ]
    return _typed(pd.DataFrame(rows, columns=COLUMNS))


def conflict_table(case: Case, conflict: Sequence[Rule]) -> pd.DataFrame:
    """Return a row for each rule of a problem without an answer: whether it is in the conflict."""
    guilty = {(r.rule, r.who, r.relative) for r in conflict}
    implicit = [reading.rule for reading in read_implicit(case, case.current)]
    rows = [
        {
            "rule": r.rule,
            "who": r.who,
            "min": r.low,
            "max": r.high,
            "status": "conflict" if (r.rule, r.who, r.relative) in guilty else "not solved",
            "relative": "yes" if r.relative else "no",
            "note": "",
        }
        for r in [*case.rules, *implicit]
    ]
    return _typed(pd.DataFrame(rows, columns=COLUMNS))
