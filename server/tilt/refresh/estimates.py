"""The factor history and the risk model of a panel, taken over from before where nothing changed.

Everything that is estimated of a day looks at that day and those before it. So where a new panel
has the past of the one before, value for value, the history of that past is the same, and only the
new days are estimated. A single value that changed in the past, or another program, and the whole
history is estimated anew.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from tilt.data.contents import Contents
from tilt.data.findings import Finding, noted
from tilt.data.quality.coverage import coverage_findings
from tilt.data.record import decode_table
from tilt.data.store import Store
from tilt.errors import DataError, UnknownNameError
from tilt.factors.history import estimate_history, left_out
from tilt.factors.styles import STYLES
from tilt.frames import FactorHistory, Panel
from tilt.refresh.identity import engine_id
from tilt.risk.health import model_dates, past_models
from tilt.risk.model import RiskModel, estimate_model
from tilt.risk.stored import (
    MODEL,
    PAST,
    model_of_tables,
    past_of_tables,
    tables_of_model,
    tables_of_past,
)

ENGINE = "engine"
_NO_MODEL = "no_factor_model"
_NO_FACTORS = "Kept: published without factors; exposures, risk and optimization need them."
_NO_CAPS = f"There are no market caps. | {_NO_FACTORS}"
_NO_STYLE = "{}: {}. | Kept: the factor model goes without it."


@dataclass(frozen=True, eq=False)
class Before:
    """The snapshot that a refresh begins from.

    panel : with its factor history where it has one
    engine : id of the program that made it
    findings : of the checks
    """

    panel: Panel
    engine: str
    findings: pd.DataFrame


def with_factors(panel: Panel, before: Before | None) -> tuple[Panel, list[Finding]]:
    """Return the panel with its factor history, and findings where that or a style cannot be had.

    Prices and caps are worth having without factors, so a universe too small or too young for them
    is published all the same.
    """
    if not panel.market_cap.notna().to_numpy().any():
        return panel, [noted(panel.as_of, _NO_MODEL, _NO_CAPS, severity="info")]
    try:
        history = estimate_history(panel, earlier=_usable(panel, before))
    except DataError as error:
        return panel, [noted(panel.as_of, _NO_MODEL, f"{error} | {_NO_FACTORS}", severity="error")]
    complete = replace(panel, factor_history=history)
    return complete, [*_left_out(complete), *coverage_findings(complete)]


def _left_out(panel: Panel) -> list[Finding]:
    if len(panel.factors.style_names) == len(STYLES):
        return []
    return [
        noted(panel.as_of, "style_left_out", _NO_STYLE.format(style, reason))
        for style, reason in left_out(panel).items()
    ]


def estimated_tables(panel: Panel, earlier: Sequence[RiskModel] = ()) -> dict[str, pd.DataFrame]:
    """Return what a snapshot keeps beside its panel: the program's id, and its risk models.

    Parameters
    ----------
    earlier : the models of the past that the snapshot before kept, as `usable_models` gives them
    """
    tables = {ENGINE: pd.DataFrame({"id": [engine_id()]})}
    if panel.factor_history is None:
        return tables
    try:
        model = estimate_model(
            panel.factors, panel.as_of, universe=panel.universe, snapshot=panel.snapshot
        )
    except UnknownNameError:  # too few days of factor returns; the cells say so when asked
        return tables
    tables |= tables_of_model(model)
    if len(model_dates(panel.factors)):
        tables |= tables_of_past(past_models(panel.factors, earlier=earlier))
    return tables


def usable_models(store: Store, panel: Panel, before: Before | None) -> tuple[RiskModel, ...]:
    """Return the models of the past that the snapshot before kept, if its past is the panel's."""
    if before is None or _usable(panel, before) is None:
        return ()
    return kept_past(store, before.panel) or ()


def kept_past(store: Store, panel: Panel) -> tuple[RiskModel, ...] | None:
    """Return the models of the past that the panel's snapshot keeps, or None if it has none.

    Those that another program has estimated are not returned: their numbers may be others.
    """
    tables = _kept(store, panel, PAST)
    if tables is None:
        return None
    return past_of_tables(tables, panel.factors, universe=panel.universe, snapshot=panel.snapshot)


def kept_model(store: Store, panel: Panel, date: pd.Timestamp) -> RiskModel | None:
    """Return the risk model that the panel's snapshot keeps of a date, or None if it has none.

    One that another program has estimated is not returned: its numbers may be others.
    """
    tables = _kept(store, panel, MODEL) if date == panel.as_of else None
    if tables is None:
        return None
    return model_of_tables(tables, universe=panel.universe, snapshot=panel.snapshot)


def _kept(store: Store, panel: Panel, names: tuple[str, ...]) -> dict[str, pd.DataFrame] | None:
    files = store.contents(panel.snapshot)
    if not files.has(f"{names[0]}.parquet") or engine_of(files) != engine_id():
        return None
    return {name: decode_table(files.table(f"{name}.parquet")) for name in names}


def engine_of(files: Contents) -> str:
    """Return the id of the program that made a snapshot; empty if it does not say."""
    if not files.has(f"{ENGINE}.parquet"):
        return ""
    return str(decode_table(files.table(f"{ENGINE}.parquet"))["id"].iloc[0])


def _usable(panel: Panel, before: Before | None) -> FactorHistory | None:
    """Return the history of before if it is that of the panel's past."""
    if before is None or before.engine != engine_id() or before.panel.factor_history is None:
        return None
    return before.panel.factor_history if same_past(before.panel, panel) else None


def same_past(before: Panel, after: Panel) -> bool:
    """Return whether a panel has all of an earlier one, value for value, and later days at most."""
    days = len(before.dates)
    if not after.assets.equals(before.assets) or not after.dates[:days].equals(before.dates):
        return False
    if not after.securities["sector"].equals(before.securities["sector"]):
        return False
    old, new = _frames(before), _frames(after)
    return old.keys() == new.keys() and all(
        np.array_equal(
            old[name].to_numpy(dtype=float), new[name].iloc[:days].to_numpy(dtype=float),
            equal_nan=True,
        )
        for name in old
    )  # fmt: skip


def _frames(panel: Panel) -> dict[str, pd.DataFrame]:
    own = ("close", "returns", "volume", "market_cap", "member")
    return {**{name: getattr(panel, name) for name in own}, **panel.fundamentals}
