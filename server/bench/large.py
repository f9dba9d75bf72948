"""A store of 3,000 names, twenty years and seventy factors, and what serving it takes of memory.

``python -m bench.large [--names 3000] [--years 20] [--folder FOLDER]``. The store is made up and
seeded; a process of its own writes it, another one reads it as a server does and answers exposures,
a risk model, a risk table, an optimization and a backtest. After each it says how much memory it
holds, and the most it has held. With ``--folder`` the store stays for another run.
"""

import argparse
import multiprocessing
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import numpy as np
import pandas as pd

from bench.measuring import memory
from tilt.backtest.run import backtest
from tilt.backtest.strategy import FixedWeights
from tilt.data.findings import findings_table
from tilt.data.record import Record
from tilt.data.sources.delivery import Delivery
from tilt.data.store import Store
from tilt.factors.groups import Groups
from tilt.factors.regression import MARKET, cross_sections
from tilt.factors.styles import STYLES
from tilt.frames import FactorHistory, Panel
from tilt.optimize.constraints import Rule
from tilt.optimize.solve import Problem, solve
from tilt.risk.measures import risk_table
from tilt.risk.model import estimate_model
from tilt.settings import Settings

T = TypeVar("T")
UNIVERSE = "LARGE"
SECTORS, STYLED, YEAR = 59, 10, 252  # with the market seventy factors


def made_up(names: int, years: int) -> Panel:
    """Return a panel with prices, caps, all fundamental fields and a factor history."""
    rng = np.random.default_rng(17)
    days = YEAR * years
    dates = pd.bdate_range("2000-01-03", periods=days, name="date").as_unit("us")
    assets = pd.Index([f"N{i:04d}" for i in range(names)], name="ticker", dtype="str")
    sector = np.array([f"Sector {i:02d}" for i in range(SECTORS)])[np.arange(names) % SECTORS]
    securities = pd.DataFrame({"name": assets, "sector": sector, "industry": sector}, index=assets)
    returns = rng.normal(0.0003, 0.02, (days, names))

    def frame(values: np.ndarray) -> pd.DataFrame:
        return pd.DataFrame(values, dates, assets, copy=False)

    close = 50 * np.cumprod(1 + returns, axis=0)
    caps = close * rng.lognormal(16, 1, names)
    panel = Panel(
        universe=UNIVERSE,
        snapshot="",
        securities=securities,
        close=frame(close),
        returns=frame(returns),
        volume=frame(rng.lognormal(13, 1, (days, names))),
        market_cap=frame(caps),
        member=frame(np.ones((days, names), dtype=bool)),
        fundamentals={f"field_{i}": frame(rng.standard_normal((days, names))) for i in range(17)},
        index_level=pd.Series(dtype=float),
        factor_history=None,
        survivorship="Made up.",
    )
    styles = rng.standard_normal((days, names, STYLED))
    history = _history(panel, styles, pd.Series(sector, assets), caps)
    return replace(panel, factor_history=history)


def _history(
    panel: Panel, styles: np.ndarray, sector: "pd.Series[str]", caps: np.ndarray
) -> FactorHistory:
    groups = Groups.of(sector)
    used = [style.name for style in STYLES[:STYLED]]
    fit = cross_sections(
        panel.returns.to_numpy()[1:],
        styles[:-1],
        caps[:-1],
        np.ones(styles.shape[:2], dtype=bool)[1:],
        groups,
        tuple(used),
    )
    factors = pd.DataFrame(
        {
            "group": ["market", *["sector"] * len(groups.names), *["style"] * len(used)],
            "description": "made up",
            "descriptors": "",
            "sign": 1.0,
            "source": "",
        },
        index=pd.Index([MARKET, *groups.names, *used], name="factor"),
    )
    later, nothing = panel.dates, np.full((1, len(factors)), np.nan)

    def by_factor(values: np.ndarray) -> pd.DataFrame:
        return pd.DataFrame(np.vstack([nothing, values]), later, factors.index)

    left = np.vstack([np.full((1, len(panel.assets)), np.nan), fit.specific_returns])
    return FactorHistory(
        factors=factors,
        dates=panel.dates,
        assets=panel.assets,
        styles=styles,
        imputed=np.zeros(styles.shape, dtype=bool),
        sector=sector,
        returns=by_factor(fit.factor_returns),
        t_stats=by_factor(fit.t_values),
        r2=pd.Series(np.concatenate([[np.nan], fit.r2]), later),
        specific_returns=pd.DataFrame(left, later, panel.assets),
        market_cap=panel.market_cap,
    )


def write(folder: str, names: int, years: int) -> None:
    """Publish the made-up store in a folder."""
    panel = made_up(names, years)
    store = Store.open(Settings(data_url=folder))
    level = pd.DataFrame({"date": panel.dates[:0], "level": np.zeros(0)})
    tables = {"index_level": level, "symbol_changes": panel.symbol_changes}
    delivery = Delivery("bench", UNIVERSE, "made up", tables)
    store.publish("bench0000001", delivery, Record(tables, panel, findings_table([])))
    store.close()


def serve(folder: str) -> None:
    """Answer from the store of a folder, and print what each answer took."""
    store = Store.open(Settings(data_url=folder, default_universe=UNIVERSE))
    panel = _told("the panel, read", lambda: store.panel(UNIVERSE))
    day = panel.as_of
    exposures = _told("exposures of a date", lambda: panel.factors.exposures(day))
    model = _told(
        "a risk model",
        lambda: estimate_model(panel.factors, day, universe=UNIVERSE, snapshot=panel.snapshot),
    )
    caps = panel.cap_weights(day)
    held = pd.Series(1 / 100, exposures.index[:100])
    _told("a risk table", lambda: risk_table(model, held, caps))
    problem = Problem(
        objective="min_te",
        model=model,
        securities=panel.securities,
        current=held,
        benchmark=caps,
        rules=(Rule("weight", "*", 0.0, 0.05),),
    )
    _told("an optimization", lambda: solve(problem))
    _told("a monthly backtest", lambda: backtest(panel, FixedWeights(caps), rebalance="M"))
    store.close()


def _told(what: str, work: Callable[[], T]) -> T:
    start = time.perf_counter()
    found = work()
    held, most = ((memory(key) or 0.0) / 1024 for key in ("VmRSS", "VmHWM"))
    print(
        f"{what:<24}{time.perf_counter() - start:8.2f} s "
        f"{held:6.2f} GB held {most:6.2f} GB at most",
        flush=True,
    )
    return found


def main() -> None:
    """Write the store where it is not there yet, and serve it."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--names", type=int, default=3000)
    asked.add_argument("--years", type=int, default=20)
    asked.add_argument("--folder", type=Path)
    given = asked.parse_args()
    spawn = multiprocessing.get_context("spawn")  # each begins with no memory of the other
    with tempfile.TemporaryDirectory() as temporary:
        folder = given.folder or Path(temporary)
        if not (folder / "snapshots").is_dir():
            _run(spawn.Process(target=write, args=(str(folder), given.names, given.years)))
        _run(spawn.Process(target=serve, args=(str(folder),)))


def _run(process: multiprocessing.context.SpawnProcess) -> None:
    process.start()
    process.join()
    if process.exitcode:
        raise SystemExit(process.exitcode)


if __name__ == "__main__":
    main()
