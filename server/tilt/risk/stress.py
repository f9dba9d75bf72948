"""What a portfolio gains or loses when something happens.

A scenario shocks some factors or single names; the others move as the model expects of them given
the shocks: ``E[f | s] = F A'(A F A' + Ψ)⁻¹ s`` where the rows of ``A`` are what was shocked (a unit
row for a factor, its exposures for a name) and Ψ holds the specific covariance of shocked names
(Kupiec 1998; Mina, Xiao 2001, RiskMetrics, section 5.2). Or a window of the past is replayed: each
factor returns what it returned then.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from tilt.errors import ArgumentError, DataError, UnknownNameError, did_you_mean, one_of
from tilt.frames import FactorHistory, Weights
from tilt.risk.model import RiskModel

OTHERS = ("expected", "zero")
COLUMNS = ["name", "shock", "exposure", "pnl", "kind", "portfolio_pnl", "benchmark_pnl"]
LIBRARY_COLUMNS = [
    "name", "start", "end", "description", "pnl", "portfolio_pnl", "benchmark_pnl",
]  # fmt: skip
LARGEST = 5.0  # a return of 500 %; beyond it per cent was meant
_DATES = re.compile(r"(\d{4}-\d\d-\d\d) *(?:to|:) *(\d{4}-\d\d-\d\d)")


@dataclass(frozen=True)
class Window:
    """A stretch of the past: returns from the close of ``start`` to the close of ``end``."""

    name: str
    start: str
    end: str
    description: str


WINDOWS = (
    Window("black_monday", "1987-10-13", "1987-10-19", "the crash of October 1987"),
    Window("asian_crisis", "1997-10-21", "1997-10-27", "the Asian crisis reaches New York"),
    Window("ltcm", "1998-07-17", "1998-08-31", "Russia's default and LTCM"),
    Window("dotcom", "2000-03-24", "2001-04-04", "the first year of the dot-com bust"),
    Window(
        "september_11", "2001-09-10", "2001-09-21", "the first week of trading after the attacks"
    ),
    Window("quant_quake", "2007-08-01", "2007-08-09", "quantitative books unwind together"),
    Window("lehman", "2008-09-12", "2008-11-20", "from Lehman's last close to the November low"),
    Window("momentum_crash", "2009-03-09", "2009-05-08", "the rebound of what had fallen most"),
    Window("us_downgrade", "2011-07-22", "2011-08-08", "debt ceiling and the downgrade of the US"),
    Window("euro_crisis", "2011-09-16", "2011-10-03", "the low of the euro crisis"),
    Window("taper_tantrum", "2013-05-21", "2013-06-24", "the Fed speaks of buying less"),
    Window("growth_scare", "2014-09-18", "2014-10-15", "the growth scare of October 2014"),
    Window("china_devaluation", "2015-08-17", "2015-08-25", "the yuan is devalued"),
    Window("early_2016", "2015-12-29", "2016-02-11", "oil and China, the sell-off of early 2016"),
    Window("brexit", "2016-06-23", "2016-06-27", "the two days after the referendum"),
    Window("us_election_2016", "2016-11-08", "2016-12-13", "the rotation after the election"),
    Window("volmageddon", "2018-01-26", "2018-02-08", "short volatility unwinds"),
    Window("late_2018", "2018-10-03", "2018-12-24", "the fourth quarter of 2018"),
    Window("covid_crash", "2020-02-19", "2020-03-23", "the pandemic's crash"),
    Window("vaccine_rotation", "2020-11-06", "2020-11-16", "the rotation after the vaccine news"),
    Window("rates_2022", "2022-01-03", "2022-06-16", "inflation and the first rate rises"),
    Window("regional_banks", "2023-03-06", "2023-03-13", "runs on regional banks"),
)


def stress(
    model: RiskModel,
    weights: Weights,
    benchmark: "Weights | None",
    shocks: Mapping[str, float],
    *,
    others: str = "expected",
) -> pd.DataFrame:
    """Return what shocks do to a portfolio, factor by factor.

    Parameters
    ----------
    weights, benchmark : by asset, fractions of capital; no benchmark means absolute
    shocks : return by factor or ticker over the scenario, decimal: -0.2 is minus 20 %
    others : "expected" moves the factors that were not shocked as the model expects of them given
        the shocks, "zero" leaves them where they are

    Returns
    -------
    name, shock, exposure, pnl, kind, portfolio_pnl, benchmark_pnl: a row per factor that moves
    (kind "given" or "expected"), one for the specific return of shocked names, the last the
    ``Total``. The exposure is active, pnl = exposure × shock = portfolio_pnl - benchmark_pnl. The
    specific row has no one shock or exposure: they are NaN.

    Raises
    ------
    ArgumentError
        If there is no shock, one is no plausible return, or ``others`` is unknown.
    UnknownNameError
        If a name is neither a factor of the model nor an asset with risk data.
    DataError
        If the shocks cannot all happen at once, as two shocks for the same thing.
    """
    mode = one_of("option others", others, OTHERS)
    _check(model, shocks)
    factors = model.factor_cov.index
    given = [str(name) for name in factors if name in shocks]
    names = [name for name in shocks if name not in factors]
    if mode == "zero":
        moves = pd.Series({name: shocks.get(name, 0.0) for name in factors}, index=factors)
        at_names = model.exposures.loc[names].to_numpy() @ moves.to_numpy()
        own = {n: shocks[n] - float(at) for n, at in zip(names, at_names, strict=True)}
    else:
        moves, own = _expected(model, shocks, given, names)
    kinds = pd.Series("expected", index=factors).mask(factors.isin(given), "given")
    return _table(model, weights, benchmark, moves, kinds, own)


def replay(
    model: RiskModel,
    history: FactorHistory,
    weights: Weights,
    benchmark: "Weights | None",
    window: Window,
) -> pd.DataFrame:
    """Return what a window of the past would do to a portfolio of today.

    Every factor returns what it returned then, compounded; today's exposures meet them. What was
    specific to single names then says nothing about today's and is left out.

    Returns
    -------
    as :func:`stress`, every factor's kind "replayed"

    Raises
    ------
    UnknownNameError
        If the history does not hold the whole window.
    """
    moves = window_returns(history, window).reindex(model.factor_cov.index)
    lacking = moves.index[moves.isna().to_numpy()]
    if len(lacking):
        raise UnknownNameError(
            f"{lacking[0]} has no return in the window '{window.name}' ({window.start} to "
            f"{window.end}). Choose a later window."
        )
    return _table(model, weights, benchmark, moves, pd.Series("replayed", index=moves.index), {})


def window_returns(history: FactorHistory, window: Window) -> "pd.Series[float]":
    """Return each factor's compounded return over a window, NaN where a day is missing."""
    start, end = pd.Timestamp(window.start), pd.Timestamp(window.end)
    known = history.returns.index[history.returns.notna().any(axis=1)]
    if len(known) == 0 or history.dates[0] > start or history.dates[-1] < end or known[0] > end:
        held = f"{history.dates[0]:%Y-%m-%d} to {history.dates[-1]:%Y-%m-%d}"
        raise UnknownNameError(
            f"The window '{window.name}' ({window.start} to {window.end}) is not in the data "
            f"({held}). Choose another one, or import a longer history."
        )
    inside = history.returns[(history.returns.index > start) & (history.returns.index <= end)]
    return (1 + inside).prod(skipna=False) - 1


def replay_library(
    model: RiskModel, history: FactorHistory, weights: Weights, benchmark: "Weights | None"
) -> tuple[pd.DataFrame, list[str]]:
    """Return what each window of the library would do to a portfolio of today.

    Returns
    -------
    name, start, end (dates), description, pnl (active), portfolio_pnl, benchmark_pnl, oldest first;
    and the names of the windows that the history does not hold

    Raises
    ------
    UnknownNameError
        If it holds none.
    """
    rows, absent = [], []
    for window in WINDOWS:
        try:
            total = replay(model, history, weights, benchmark, window).iloc[-1]
        except UnknownNameError:
            absent.append(window.name)
            continue
        dates = [pd.Timestamp(window.start), pd.Timestamp(window.end)]
        pnl = [total["pnl"], total["portfolio_pnl"], total["benchmark_pnl"]]
        rows.append([window.name, *dates, window.description, *pnl])
    if not rows:
        raise UnknownNameError(
            f"No window of the library is in the data ({history.dates[0]:%Y-%m-%d} to "
            f"{history.dates[-1]:%Y-%m-%d}). Replay a window of your own: 2016-01-04 to 2016-02-11."
        )
    return pd.DataFrame(rows, columns=LIBRARY_COLUMNS), absent


def named_window(name: str) -> Window:
    """Return the window of a name, or of two dates: 2016-01-04 to 2016-02-11.

    Raises
    ------
    ArgumentError
        If the name is misspelt (with the nearest one), a date is none, or the first is not before
        the last.
    """
    given = _DATES.fullmatch(name.strip())
    if given:
        return _window_of(*given.groups())
    by_name = {window.name: window for window in WINDOWS}
    return by_name[one_of("scenario", name.strip().replace(" ", "_"), tuple(by_name))]


def _window_of(start: str, end: str) -> Window:
    for text in (start, end):
        if pd.isna(pd.to_datetime(text, format="%Y-%m-%d", errors="coerce")):
            raise ArgumentError(f"scenario: {text} is no date. Type two, as 2016-01-04.")
    if start >= end:
        raise ArgumentError(f"scenario: {start} is not before {end}. Turn them round.")
    return Window(f"{start} to {end}", start, end, "a window of your own")


def _check(model: RiskModel, shocks: Mapping[str, float]) -> None:
    if not shocks:
        raise ArgumentError("There is no shock. Give a factor, sector or ticker and a return.")
    known = [*model.factor_cov.index, *model.assets]
    for name, value in shocks.items():
        if name not in model.factor_cov.index and name not in model.assets:
            raise UnknownNameError(
                f"shocks: '{name}' is neither a factor nor a name with risk data on "
                f"{model.date:%Y-%m-%d}.{did_you_mean(name, known)}"
            )
        if not np.isfinite(value) or abs(value) > LARGEST:
            raise ArgumentError(
                f"The shock of {name} is {value:g}, or {100 * value:g} %. "
                "A shock is a return: minus 20 % is -0.2."
            )


def _expected(
    model: RiskModel, shocks: Mapping[str, float], given: list[str], names: list[str]
) -> tuple["pd.Series[float]", dict[str, float]]:
    """Return every factor's expected move, and the specific returns of names.

    They are those of the shocked names, and of other shares of their companies.
    """
    factors = model.factor_cov.index
    f = model.factor_cov.to_numpy()
    rows = np.vstack(
        [np.eye(len(factors))[factors.isin(given)], model.exposures.loc[names].to_numpy()]
    )
    places = model.assets.get_indexer(pd.Index(names))
    picked = np.eye(len(model.assets))[:, places]
    linked = model.specific_times(picked)  # with each shocked name: of shares of one company
    seen = rows @ f @ rows.T
    seen[len(given) :, len(given) :] += linked[places]
    wanted = np.array([shocks[name] for name in (*given, *names)])
    scale = np.sqrt(np.diag(seen))
    correlation = seen / np.outer(scale, scale)
    if np.linalg.cond(correlation) > 1e12:
        raise DataError(
            "The shocks contradict or repeat each other in the model: leave one of "
            f"{', '.join((*given, *names))} out."
        )
    pull = np.linalg.solve(correlation, wanted / scale) / scale
    moved = f @ rows.T @ pull
    moved[factors.isin(given)] = wanted[: len(given)]  # as they were given, without rounding
    own = linked @ pull[len(given) :]
    return pd.Series(moved, index=factors), {
        str(name): float(value) for name, value in zip(model.assets, own, strict=True) if value
    }


def _table(
    model: RiskModel,
    weights: Weights,
    benchmark: "Weights | None",
    moves: "pd.Series[float]",
    kinds: "pd.Series[str]",
    own: Mapping[str, float],
) -> pd.DataFrame:
    x = model.exposures.to_numpy(dtype=float)
    w = model.positions(weights, "the portfolio")
    b = 0.0 * w if benchmark is None else model.positions(benchmark, "benchmark")
    held, base = x.T @ w.to_numpy(dtype=float), x.T @ b.to_numpy(dtype=float)
    move = moves.to_numpy(dtype=float)
    rows = pd.DataFrame(
        {
            "name": moves.index.to_numpy(),
            "shock": move,
            "exposure": held - base,
            "pnl": (held - base) * move,
            "kind": kinds.to_numpy(),
            "portfolio_pnl": held * move,
            "benchmark_pnl": base * move,
        }
    )
    rows = rows[(rows["shock"] != 0) | (rows["kind"] == "given")]
    if own:
        mine = sum(shock * float(w[name]) for name, shock in own.items())
        its = sum(shock * float(b[name]) for name, shock in own.items())
        rows = pd.concat([rows, _line("Specific", "specific", mine, its)], ignore_index=True)
    mine, its = float(rows["portfolio_pnl"].sum()), float(rows["benchmark_pnl"].sum())
    return pd.concat([rows, _line("Total", "total", mine, its)], ignore_index=True)


def _line(name: str, kind: str, mine: float, its: float) -> pd.DataFrame:
    values = [name, np.nan, np.nan, mine - its, kind, mine, its]
    return pd.DataFrame([dict(zip(COLUMNS, values, strict=True))])
