"""How much of a backtest is luck: its days redrawn, and its weights dealt out at random.

Each is a job in pieces. A piece has seeds of its own, so the figures are the same to the last bit
whoever draws them, and in however many pieces.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np
import pandas as pd
from numpy.random import SeedSequence

from tilt.api.backtests import Asked, read_number_option
from tilt.api.books import with_notes
from tilt.api.cell_jobs import work_out
from tilt.api.places import Place
from tilt.api.state import State
from tilt.backtest import permutation
from tilt.backtest.costs import DAYS, Array
from tilt.backtest.permutation import Dealt, deal, dealt_by, permutation_table
from tilt.backtest.result import BacktestResult
from tilt.errors import ArgumentError
from tilt.frames import content_id
from tilt.jobs import Pieces, Progress
from tilt.jobs.pieces import runs
from tilt.portfolio import bootstrap
from tilt.portfolio.bootstrap import (
    Drawn,
    Record,
    chunks,
    draw,
    horizon_table,
    interval_table,
    record_of,
    together,
)
from tilt.portfolio.measures import per_period

OPTIONS: Mapping[str, str] = MappingProxyType(
    {
        "draws": f"of monte_carlo, {bootstrap.DRAWS} unless given; of permutation, "
        f"{permutation.DRAWS}",
        "seed": "of the draws, a whole number; 0 unless given",
        "block": "mean length of the blocks that monte_carlo draws, in sessions; automatic",
    }
)
MONTE_CARLO, HORIZONS, PERMUTATION = "monte_carlo", "horizons", "permutation"
VIEWS: Mapping[str, str] = MappingProxyType(
    {
        MONTE_CARLO: "measure, observed, p05, ..., p95, error: had its days come in another order",
        HORIZONS: "periods, years, p05, ..., p95, loss, underperformance: so far ahead",
        PERMUTATION: "measure, observed, p05, ..., p95, p_value: its weights on random names",
    }
)
MOST_SEED = 2**32 - 1
PARTS = 16  # of the draws: a part is worth the trip
PERMUTED_MOST = 5_000


@dataclass(frozen=True)
class Luck:
    """How often to draw, and from which seed; None for what is left to Tilt."""

    draws: int | None = None
    seed: int = 0
    block: float | None = None


AS_USUAL = Luck()


def without_luck(asked: Asked) -> tuple[Asked, Luck]:
    """Return a backtest without the options of the draws, and those.

    Raises
    ------
    ArgumentError
        If one is no number, or none that can be used.
    """
    given = {k: read_number_option(k, asked.options[k]) for k in OPTIONS if k in asked.options}
    for key in ("draws", "seed"):
        value = given.get(key, 0.0)
        if value != int(value) or not 0 <= value <= MOST_SEED:
            raise ArgumentError(f"option {key} must be a whole number from 0; got {value:g}.")
    draws = int(given["draws"]) if "draws" in given else None
    left = {k: v for k, v in asked.options.items() if k not in OPTIONS}
    luck = Luck(draws, int(given.get("seed", 0)), given.get("block"))
    return replace(asked, options=left), luck


def ask_luck(
    state: State, asked: Asked, result: BacktestResult, view: str, luck: Luck
) -> pd.DataFrame:
    """Return one of ``VIEWS`` of a backtest, from a job.

    Raises
    ------
    RunningError
        If it is not done yet.
    TiltError
        If there is too little to draw from.
    """
    if view == PERMUTATION:
        return _permuted(state, asked, result, luck)
    record = record_of_result(result, luck)
    draws = luck.draws or bootstrap.DRAWS
    chunks(draws, luck.seed)  # what is wrong with the number is said at once
    drawn: Drawn = work_out(
        state,
        monte_carlo_job,
        record,
        draws,
        luck.seed,
        key=f"monte carlo {content_id(result.run_id, record.block, draws, luck.seed)}",
        title=f"{draws:,} draws of {result.strategy}",
    )
    return luck_table(record, drawn, view)


def luck_table(record: Record, drawn: Drawn, view: str) -> pd.DataFrame:
    """Return the view ``monte_carlo`` or ``horizons``, with what the reader should know."""
    table = (interval_table if view == MONTE_CARLO else horizon_table)(record, drawn)
    words = (
        f"{len(drawn.measures):,} draws of {len(record.returns)} sessions in blocks of "
        f"{record.block:.1f} on average (stationary bootstrap, Politis, Romano 1994)."
    )
    return with_notes(table, (words,))


def tables_here(result: BacktestResult, luck: Luck) -> Mapping[str, pd.DataFrame]:
    """Return the views ``monte_carlo`` and ``horizons``, drawn here and now."""
    record = record_of_result(result, luck)
    drawn = draw(record, chunks(luck.draws or bootstrap.DRAWS, luck.seed))
    return {view: luck_table(record, drawn, view) for view in (MONTE_CARLO, HORIZONS)}


def record_of_result(result: BacktestResult, luck: Luck) -> Record:
    """Return the net returns of a backtest to draw from."""
    benchmark = None if result.benchmark is None else result.benchmark.iloc[1:]
    rate = per_period(result.risk_free, DAYS)
    return record_of(result.returns, benchmark, risk_free=rate, per_year=DAYS, block=luck.block)


def monte_carlo_job(
    _progress: Progress, record: Record, draws: int, seed: int
) -> Drawn | Pieces[Drawn]:
    """Cut the draws into parts."""
    each = [(record, tuple(part)) for part in runs(chunks(draws, seed), most=PARTS)]
    return Pieces(draw_part, each, draws_together, stage=f"drawing {draws:,} times")


def draw_part(
    progress: Progress, record: Record, part: Sequence[tuple[SeedSequence, int]]
) -> Drawn:
    """Draw a part in a worker process."""
    return draw(record, part, lambda done: progress(done, "drawing"))


def draws_together(_progress: Progress, parts: Sequence[Drawn]) -> Drawn:
    """Return the draws of all parts, in order."""
    return together(parts)


def _permuted(state: State, asked: Asked, result: BacktestResult, luck: Luck) -> pd.DataFrame:
    panel = state.panel(asked.universe or None)
    dealt = dealt_by(result, panel)
    draws = luck.draws or permutation.DRAWS
    if draws > PERMUTED_MOST:
        raise ArgumentError(f"option draws of permutation is at most {PERMUTED_MOST}; got {draws}.")
    chunks(draws, luck.seed)
    place = Place.of(state, panel, asked.universe)
    drawn: Array = work_out(
        state,
        permutation_job,
        place,
        dealt,
        draws,
        luck.seed,
        key=f"permutation {content_id(result.run_id, draws, luck.seed)}",
        title=f"{draws:,} random books beside {result.strategy}",
        snapshot=place.snapshot,
    )
    words = (
        f"{draws:,} books with the weights of each rebalance on random members; without costs. "
        "p_value is the share of them, its own among them, that do as well."
    )
    return with_notes(permutation_table(panel, dealt, drawn), (words,))


def permutation_job(
    _progress: Progress, place: Place, dealt: Dealt, draws: int, seed: int
) -> Pieces[Array]:
    """Cut the random books into parts."""
    seeds = chunks(draws, seed, size=permutation.SIZE)
    each = [(place, dealt, tuple(part)) for part in runs(seeds, most=PARTS)]
    return Pieces(deal_part, each, deals_together, stage=f"dealing {draws:,} random books")


def deal_part(
    progress: Progress, place: Place, dealt: Dealt, part: Sequence[tuple[SeedSequence, int]]
) -> Array:
    """Follow some random books in a worker process."""
    progress(0.0, "reading the data")
    _, panel = place.open()
    return deal(panel, dealt, part, lambda done: progress(done, "dealing"))


def deals_together(_progress: Progress, parts: Sequence[Array]) -> Array:
    """Return the books of all parts, in order."""
    return np.concatenate(parts)
