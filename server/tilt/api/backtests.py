"""Backtests as a sheet asks for them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from functools import partial
from types import MappingProxyType

import pandas as pd

from tilt.api.books import date_of, named_content
from tilt.api.cell_jobs import work_out
from tilt.api.places import Place
from tilt.api.prepared import Prepared
from tilt.api.state import State
from tilt.api.values import Grid
from tilt.backtest.benchmark import KINDS
from tilt.backtest.costs import Costs
from tilt.backtest.execution import Execution
from tilt.backtest.parse import parse_strategy
from tilt.backtest.result import BacktestResult
from tilt.backtest.strategy import CapWeight, Strategy
from tilt.backtest.walk_forward import Optimal
from tilt.configuration import Configuration
from tilt.errors import ArgumentError, one_of
from tilt.frames import Panel, Weights, content_id
from tilt.jobs import Pieces, Progress
from tilt.jobs.pieces import runs
from tilt.optimize.constraints import parse_rules
from tilt.optimize.options import OPTIONS as SOLVED_BY
from tilt.portfolio.cells import DECIMAL_SIGN, Number, is_blank, is_zero, read_number, shown
from tilt.portfolio.holdings import parse_benchmark
from tilt.risk.model import FACTOR, RiskModel

OF_OBJECTIVES = (
    "risk_free", "budgets", "factor", "confidence", "estimator", "views", "tau", "delta",
    "posterior",
)  # fmt: skip
OPTIONS: Mapping[str, str] = MappingProxyType(
    {
        "cost_bps": "cost of what is traded in basis points; 10 unless given",
        "spread": "bid-ask spread as a fraction of the price; 0 unless given",
        "impact": "c of the impact c sigma |x|^1.5 / sqrt(ADV); 0 leaves it out",
        "borrow": "yearly fee on shorts as a decimal; 0 unless given",
        "capital": "money of the book, for the impact and for whole shares; 100 million",
        "min_trade": "smallest trade as a fraction of capital; 0 unless given",
        "whole_shares": "yes trades whole shares at the unadjusted close",
        "lag": "sessions from decision to fill; 1 unless given",
        "cash": "yearly rate that cash earns, as a decimal; 0 unless given",
        "lookback": "sessions of inverse_vol, 252 unless given; of min_cvar and estimator, 504",
        "risk_aversion": "price of yearly variance in max_utility",
        "long_short": "yes lets weights be negative or sum to more than one",
        **{name: SOLVED_BY[name] for name in OF_OBJECTIVES},
    }
)
LEAST_SHARED = 24  # risk models: fewer are not worth the trip to other workers
MODEL_RUNS = 16
SOLVER_OPTIONS = frozenset({"lookback", "risk_aversion", "long_short", *OF_OBJECTIVES})
MONTHLY = "M"
WHOLE = "whole_shares"
SWITCH: Mapping[str, bool] = MappingProxyType(
    {"yes": True, "no": False, "on": True, "off": False, "true": True, "false": False}
    | {"1": True, "0": False}
)


@dataclass(frozen=True)
class Asked:
    """A backtest as it is asked for.

    rebalance  : empty for each month
    options    : by the names of ``OPTIONS``
    long_short : the option of that name, read
    solver     : further options of an objective, by the optimizer's names
    universe   : empty for the default one
    horizon    : of an objective's risk model
    configuration : the one that states a part of it
    configured : which one that is, in words
    """

    strategy: Grid
    start: object
    end: object
    rebalance: str
    constraints: Grid | None
    benchmark: Grid | None
    options: Mapping[str, object]
    long_short: bool = False
    solver: Mapping[str, object] = field(default_factory=dict)
    universe: str = ""
    horizon: str = "short"
    configuration: Configuration | None = None
    configured: str = ""


def run_backtest(state: State, asked: Asked, panel: Panel | None = None) -> BacktestResult:
    """Return a backtest; the same asked again, in another view, is not run again.

    Parameters
    ----------
    panel : of the snapshot that it is over; the latest one unless given
    """
    panel = panel or state.panel(asked.universe or None)
    prepared = _prepare(state, panel, asked)
    return state.once(("job", asked_id(state, panel, asked)), prepared.run)


def ask_backtest(state: State, asked: Asked, panel: Panel | None = None) -> BacktestResult:
    """Return a backtest that a job computes; what is wrong with the question is said at once.

    Parameters
    ----------
    panel : of the snapshot that it is over; the latest one unless given

    Raises
    ------
    RunningError
        If it is not done yet.
    """
    panel = panel or state.panel(asked.universe or None)
    _prepare(state, panel, asked)
    place = Place.of(state, panel, asked.universe)
    return work_out(
        state,
        backtest_job,
        place,
        asked,
        key=asked_id(state, panel, asked),
        title=f"Backtest of {title_of(asked)}",
        snapshot=place.snapshot,
    )


def backtest_job(
    progress: Progress, place: Place, asked: Asked
) -> BacktestResult | Pieces[BacktestResult]:
    """Compute a backtest in a worker process.

    The decisions of an objective follow from one another; the risk models that they rest on do
    not, and are most of the work: they are estimated in pieces.
    """
    progress(0.0, "reading the data")
    state, panel = place.open()
    prepared = _prepare(state, panel, asked)
    dates = prepared.model_dates
    if len(dates) < LEAST_SHARED:
        return prepared.run(progress)
    each = [(place, asked.horizon, tuple(run)) for run in runs(dates, most=MODEL_RUNS)]
    stage = f"estimating {len(dates)} risk models"
    return Pieces(models_part, each, backtest_with_models, (place, asked), stage)


def models_part(
    progress: Progress, place: Place, horizon: str, dates: Sequence[pd.Timestamp]
) -> list[RiskModel]:
    """Estimate the factor models of some dates in a worker process."""
    progress(0.0, "reading the data")
    state, panel = place.open()
    models = []
    for number, date in enumerate(dates):
        progress(number / len(dates), f"risk model of {date:%Y-%m-%d}")
        models.append(_model_of(state, panel, horizon, date))
    return models


def backtest_with_models(
    progress: Progress, parts: Sequence[Sequence[RiskModel]], place: Place, asked: Asked
) -> BacktestResult:
    """Compute a backtest in a worker process, the risk models of its decisions given."""
    progress(0.0, "reading the data")
    state, panel = place.open()
    prepared = _prepare(state, panel, asked)
    known = {model.date: model for part in parts for model in part}
    if not isinstance(prepared.strategy, Optimal):
        raise TypeError(f"{prepared.strategy.name} needs no risk models")
    strategy = replace(prepared.strategy, model_of=known.__getitem__)
    return replace(prepared, strategy=strategy).run(progress)


def run_prepared(
    state: State, panel: Panel, asked: Asked, progress: Callable[[float, str], None] | None = None
) -> BacktestResult:
    """Return a backtest over a panel, computed here and now."""
    return _prepare(state, panel, asked).run(progress)


def check_backtest(state: State, panel: Panel, asked: Asked) -> None:
    """Raise what is wrong with a backtest as it is asked for, without running it."""
    _prepare(state, panel, asked)


def asked_id(state: State, panel: Panel, asked: Asked) -> str:
    """Return an id of a backtest as it is asked for, over this data."""
    given = [getattr(asked, f.name) for f in fields(asked)]
    named = [named_content(state, grid) for grid in (asked.strategy, asked.benchmark)]
    own = content_id(state.program(), panel.snapshot, DECIMAL_SIGN.get(), *named, *given)
    return f"backtest {own}"


def title_of(asked: Asked) -> str:
    """Return what a backtest is of, in a word."""
    first = asked.strategy[0][0]
    return str(first) if len(asked.strategy) == len(asked.strategy[0]) == 1 else "holdings"


def _prepare(state: State, panel: Panel, asked: Asked) -> Prepared:
    """Return a backtest with every argument read.

    Raises
    ------
    TiltError
        If an argument is wrong.
    """
    options, start, end = asked.options, asked.start, asked.end
    solver = {**asked.solver, **{k: v for k, v in options.items() if k in SOLVER_OPTIONS}}
    apart = SOLVER_OPTIONS | {WHOLE}
    numbers = {k: read_number_option(k, v) for k, v in options.items() if k not in apart}
    lag = numbers.pop("lag", 1.0)
    if lag != int(lag):
        raise ArgumentError(f"option lag must be a whole number of sessions; got {lag:g}.")
    cash_rate = numbers.pop("cash", 0.0)
    whole = one_of("option whole_shares", str(options.get(WHOLE, "no")).strip(), SWITCH)
    execution = Execution(numbers.pop("min_trade", 0.0), SWITCH[whole])
    first = None if is_blank(start) or is_zero(start) else date_of(start, panel, "start")
    last = None if is_blank(end) or is_zero(end) else date_of(end, panel, "end")
    rules = parse_rules(
        asked.constraints or [],
        securities=panel.securities,
        factors=panel.factors.factors.index,
        long_short=asked.long_short,
    )
    of_universe = _other_universe(state, panel, asked.strategy)
    strategy: Strategy = CapWeight(of_universe)
    if of_universe is None:
        strategy = parse_strategy(
            asked.strategy,
            panel,
            saved=state.store.portfolio,
            date=first,
            long_short=asked.long_short,
            options=solver,
        )
    if isinstance(strategy, Optimal):
        model_of = partial(_model_of, state, panel, asked.horizon)
        strategy = replace(strategy, horizon=asked.horizon, model_of=model_of)
    return Prepared(
        panel,
        strategy,
        first,
        last,
        int(lag),
        rules,
        read_benchmark(state, panel, asked.benchmark, last),
        Costs(**{k: v for k, v in numbers.items() if k in _COSTS}),
        cash_rate,
        execution,
        asked.rebalance or MONTHLY,
        asked.configuration,
        asked.configured,
    )


def _model_of(state: State, panel: Panel, horizon: str, date: pd.Timestamp) -> RiskModel:
    """Return the factor model of a date, estimated once by a server or a worker."""
    return state.model(panel, date, horizon, FACTOR)


def _other_universe(state: State, panel: Panel, given: Grid) -> Panel | None:
    """Return the universe that a single cell names, unless it is the backtest's own."""
    text = given[0][0] if len(given) == len(given[0]) == 1 else None
    if not isinstance(text, str) or text.strip().casefold() in {"", panel.universe.casefold()}:
        return None
    return state.store.panel(text) if state.store.is_universe(text) else None


_COSTS = frozenset(f.name for f in fields(Costs))


def read_number_option(key: str, value: object) -> float:
    """Return the number that an option must be."""
    read = read_number(value, point_is_decimal=True)
    if not isinstance(read, Number):
        raise ArgumentError(f"option {key} must be a number; got {shown(value)}.")
    return read.value


def read_benchmark(
    state: State, panel: Panel, given: Grid | None, last: pd.Timestamp | None
) -> "str | Weights | Panel":
    """Return what a backtest is compared with: a word of ``KINDS``, weights, another universe."""
    if given is None:
        return "universe"
    word = str(given[0][0]).strip().casefold() if len(given) == len(given[0]) == 1 else ""
    if word in KINDS:
        return word
    if word in {"cash", panel.universe.casefold()}:
        return "none" if word == "cash" else "universe"
    other = _other_universe(state, panel, given)
    if other is not None:
        return other
    weights = parse_benchmark(given, panel, last or panel.as_of, state.store.portfolio)
    return "none" if weights is None else weights
