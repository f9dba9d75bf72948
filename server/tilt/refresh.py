"""One pass from a source to a complete snapshot; running it again does nothing.

The id of a snapshot is that of its content: of the tables as delivered, and of the code that makes
the panel and the factors. The same data after an upgrade of the engine is another snapshot.
"""

import hashlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pandas as pd

from tilt import data, factors, frames
from tilt.data.findings import Finding, findings_table, noted
from tilt.data.panel import build_panel
from tilt.data.record import Record
from tilt.data.sources.delivery import Delivery
from tilt.data.sources.registry import fetch, find_source
from tilt.data.store import Snapshot, Store
from tilt.errors import DataError
from tilt.factors.history import estimate_history, left_out
from tilt.factors.styles import STYLES
from tilt.frames import Panel, content_id
from tilt.settings import Settings

Progress = Callable[[str, float], None]


def silent(stage: str, fraction: float) -> None:
    """Report nothing."""


def refresh(
    store: Store, settings: Settings, *, source: str = "sample", progress: Progress = silent
) -> Snapshot:
    """Fetch, check, record and estimate one source, and make the result visible.

    Parameters
    ----------
    source : ``sample``; a folder of files as in ``tilt.data.schema``, here or in the data folder;
        or names at Yahoo, as :func:`tilt.data.sources.yahoo.read_yahoo` reads them
    progress : told the stage's name and the fraction of the whole that is done, up to 1

    Returns
    -------
    the snapshot; the one that is there already if neither the data nor the engine has changed

    Raises
    ------
    UnknownNameError
        If there is no such source.
    DataError
        If a table does not fit its schema.
    BusyError
        If the source is on the network and does not answer; nothing has changed then.
    """
    progress("fetch", 0.0)
    delivery = fetch(
        find_source(source, settings), progress=lambda done: progress("fetch", 0.2 * done)
    )
    progress("compare", 0.2)
    snapshot = snapshot_id(delivery)
    if store.holds(snapshot):
        kept = store.make_current(snapshot)
    else:
        kept = _publish(store, snapshot, delivery, progress)
    saved = {name.casefold() for name in store.portfolios()["name"]}
    for name, weights in delivery.portfolios.items():
        if name.casefold() not in saved:  # a portfolio that the user has changed stays as it is
            store.save_portfolio(name, weights, delivery.source)
    progress("done", 1.0)
    return kept


def _publish(store: Store, snapshot: str, delivery: Delivery, progress: Progress) -> Snapshot:
    progress("check", 0.3)
    built = build_panel(delivery)
    progress("factors", 0.5)
    panel, more = _with_factors(replace(built.panel, snapshot=snapshot))
    progress("write", 0.7)
    found = pd.concat(
        [built.findings, findings_table([*delivery.findings, *more])], ignore_index=True
    )
    findings = found.sort_values(["date", "ticker", "check"], kind="stable", ignore_index=True)
    return store.publish(snapshot, delivery, Record(delivery.tables, panel, findings))


def _with_factors(panel: Panel) -> tuple[Panel, list[Finding]]:
    """Return the panel with its factor history, and findings where that or a style cannot be had.

    Prices and caps are worth having without factors, so a universe too small or too young for them
    is published all the same.
    """
    if not panel.market_cap.notna().to_numpy().any():
        return panel, [noted(panel.as_of, NO_MODEL, _NO_CAPS, severity="info")]
    try:
        history = estimate_history(panel)
    except DataError as error:
        return panel, [noted(panel.as_of, NO_MODEL, f"{error} | {_NO_FACTORS}", severity="error")]
    whole = len(history.style_names) == len(STYLES)
    return replace(panel, factor_history=history), [
        noted(panel.as_of, "style_left_out", _NO_STYLE.format(name, why))
        for name, why in ({} if whole else left_out(panel)).items()
    ]


NO_MODEL = "no_factor_model"
_NO_FACTORS = "Published without factors: exposures, risk and optimization need them."
_NO_CAPS = f"There are no market caps. | {_NO_FACTORS}"
_NO_STYLE = "{}: {}. | The factor model goes without it."


def snapshot_id(delivery: Delivery) -> str:
    """Return the id of the snapshot that a delivery becomes."""
    about = [delivery.source, delivery.universe, delivery.description, delivery.survivorship]
    return content_id(about, delivery.findings, delivery.tables, _engine_id())


def _engine_id() -> str:
    """Return the hash of the code whose results a snapshot keeps."""
    digest = hashlib.sha256(Path(frames.__file__).read_bytes() + Path(__file__).read_bytes())
    for package in (data, factors):
        for folder in package.__path__:
            for module in sorted(Path(folder).rglob("*.py")):
                digest.update(module.name.encode() + b"\x00" + module.read_bytes())
    return digest.hexdigest()
