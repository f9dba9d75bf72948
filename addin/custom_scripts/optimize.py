"""The buttons Optimize and Tracking error: marked tables in, weights, trades and a summary out."""

import xlwings as xw
import xlwings.server

from custom_scripts import _inputs as inputs
from custom_scripts import _sheets as sheets
from custom_scripts._inputs import Marked
from custom_scripts._sheets import Output
from tilt.api.books import Book
from tilt.api.configured import CONFIG, Posed, open_posed, pose, posed_problem
from tilt.api.optimizations import solve_once
from tilt.api.runs import keep_solution
from tilt.api.state import State, current
from tilt.api.values import Grid
from tilt.errors import ArgumentError
from tilt.optimize.solve import OPTIONS, Solution

OPTIMIZE, TRACKING_ERROR = "Tilt Optimize", "Tilt Tracking Error"
MIN_TE = "min_te"
ALPHA = "TiltAlpha"  # a table of tickers and expected yearly returns


@xlwings.server.script
def optimize(book: xw.Book) -> None:
    """Find the best weights for the marked holdings within the marked rules."""
    state = current()
    marked = inputs.read_marked(book, state)
    named = CONFIG in marked.settings
    objective = marked.text("objective", CONFIG if named else inputs.OBJECTIVE)
    found, solution = _solve(state, book, marked, objective)
    words = _words(f"Optimal weights: {solution.problem.objective}", found, solution)
    written = sheets.write_sheet(book, OPTIMIZE, words, _tables(solution, "Tilt"))
    _say(book, marked, words[1], written)


@xlwings.server.script
def tracking_error(book: xw.Book) -> None:
    """Find the weights of least tracking error within the marked rules."""
    state = current()
    marked = inputs.read_marked(book, state)
    found, solution = _solve(state, book, marked, MIN_TE)
    words = _words("Least tracking error", found, solution)
    written = sheets.write_sheet(book, TRACKING_ERROR, words, _tables(solution, "TiltTe"))
    _say(book, marked, words[1], written)


def _solve(state: State, book: xw.Book, marked: Marked, objective: str) -> tuple[Book, Solution]:
    """Return the holdings and the solution.

    Raises
    ------
    ArgumentError
        If the settings name a table of expected returns that is not there.
    NoSolutionError
        If no weights keep all the rules.
    """
    given = Posed(
        objective,
        marked.constraints,
        marked.cell("benchmark"),
        marked.universe,
        marked.options(OPTIONS),
        marked.long_short,
    )
    posed = pose(state, marked.settings.get(CONFIG), given)
    found = open_posed(state, marked.holdings, posed, marked.settings.get("date"))
    problem = posed_problem(state, found, posed, _alpha(book, marked))
    solution = solve_once(state, problem)
    keep_solution(state, solution)
    return found, solution.require()


def _alpha(book: xw.Book, marked: Marked) -> Grid | None:
    """Return the expected returns that the settings name: a factor, or the marked table of them."""
    if marked.text("alpha", "").casefold() != ALPHA.casefold():
        return marked.cell("alpha")
    table = sheets.read_table(book, ALPHA)
    if table is None:
        raise ArgumentError(
            f"There is no table {ALPHA}. Make one of tickers and expected yearly returns, or "
            "set alpha to a factor."
        )
    return table


def _words(title: str, book: Book, solution: Solution) -> list[str]:
    summary = solution.view("summary").set_index("measure").astype(float)
    before, after = summary["before"].to_dict(), summary["after"].to_dict()
    figures = [
        f"{name.replace('_', ' ')} {before[name]:.2%} to {after[name]:.2%}"
        for name in ("tracking_error", "volatility")
        if name in after
    ]
    line = f"{'; '.join(figures)}; turnover {after['turnover']:.2%}"
    return [
        title,
        line[:1].upper() + line[1:],
        inputs.origin(book, solution.run_id),
        inputs.sentences(*book.notes, *solution.messages),
    ]


def _tables(solution: Solution, prefix: str) -> list[Output]:
    return [
        Output(f"{prefix}Summary", solution.view("summary")),
        Output(f"{prefix}Trades", solution.view("trades"), percent=("current", "optimal", "trade")),
        Output(
            f"{prefix}Weights",
            solution.view("weights"),
            percent=("weight", "benchmark", "active", "current"),
        ),
        Output(f"{prefix}Limits", solution.view("constraints")),
    ]


def _say(book: xw.Book, marked: Marked, figures: str, written: str) -> None:
    done = f"Wrote weights, trades and limits to the sheet {written}. {figures}."
    sheets.say(book, inputs.sentences(marked.said, done))
