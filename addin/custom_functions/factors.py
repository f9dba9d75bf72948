"""Cells about factors: what they are, and what portfolios and securities have of them."""

from collections.abc import Iterable, Sequence
from typing import Annotated, cast

import pandas as pd

from custom_functions._arguments import Benchmark, Date, Holdings, Universe
from custom_functions._edge import attempt, udf
from custom_functions._inputs import NO_OPTIONS, Options, cells, names, read_names
from tilt.api import lookup
from tilt.api.books import date_of, open_book, with_notes
from tilt.api.research import is_own, own_exposure, own_exposures
from tilt.api.state import State, current
from tilt.api.values import Grid, Result, Scalar
from tilt.errors import TiltError, one_of
from tilt.frames import Panel, spread
from tilt.portfolio.holdings import parse_who
from tilt.risk.measures import exposure_table

LONG_SHORT = {"long_short": "yes lets weights be negative or sum to more than one"}


@udf(
    result="factor, group, description, descriptors, sign, source",
    example="=TILT.FACTORS()",
)
def factors() -> pd.DataFrame:
    """List the factors of the risk model: what each measures and where it comes from."""
    known = current().panel(None).factors.factors
    columns = ["group", "description", "descriptors", "sign", "source"]
    return known[columns].rename_axis(index="factor").reset_index()


Who = Annotated[Grid, cells("A ticker, or holdings: a range, or the name of a portfolio.")]
Factors = Annotated[
    tuple[str, ...], names("A factor, such as Value; a range of factors gives a row.")
]
_Call = tuple[Grid, tuple[str, ...], object, "str | None"]


def _exposure_many(calls: Sequence[tuple[object, ...]]) -> Sequence[Result | TiltError]:
    """Answer all calls of a batch: the scores of a date are looked up once."""
    state = current()
    days: dict[tuple[object, ...], Result | TiltError] = {}
    answers: list[Result | TiltError] = []
    for who, wanted, date, universe in cast("Sequence[_Call]", calls):
        key = (type(date), date, universe)
        day = days.get(key)
        if day is None:
            day = days[key] = attempt(_Day, state, date, universe)
        try:
            answers.append(day.show(who, wanted) if isinstance(day, _Day) else day)
        except TiltError as error:
            answers.append(error)
    return answers


class _Day:
    """Exposures of one universe on one date, each security and portfolio read once."""

    def __init__(self, state: State, date: object, universe: str | None) -> None:
        self._state = state
        self._panel: Panel = state.panel(universe)
        self._date = date_of(date, self._panel)
        self._scores = lookup.Scores(state, self._panel, self._date)
        self._rows: dict[object, list[float] | TiltError] = {}
        self._places: dict[tuple[str, ...], list[int | None]] = {}

    def show(self, who: Grid, wanted: tuple[str, ...]) -> Sequence[Sequence[Scalar]]:
        """Return a row with one number per factor."""
        name = who[0][0] if len(who) == len(who[0]) == 1 else None
        key = name if type(name) is str else id(who)  # a batch reads what is shared once
        row = self._rows.get(key)
        if row is None:
            row = self._rows[key] = self._attempt(who, name)
        if isinstance(row, TiltError):
            raise row
        places = self._places.get(wanted)
        if places is None:
            places = self._places[wanted] = [self._place(factor) for factor in wanted]
        if len(places) == 1 and (place := places[0]) is not None:
            return [[row[place]]]
        return [
            [
                self._own(who, factor) if place is None else row[place]
                for place, factor in zip(places, wanted, strict=True)
            ]
        ]

    def _place(self, factor: str) -> int | None:
        """Return where a factor of the model stands; None for one of the user's own."""
        factors = self._scores.factors
        by_fold = {name.casefold(): i for i, name in enumerate(factors)}
        place = by_fold.get(factor.strip().casefold())
        if place is None and not is_own(self._state, self._panel, factor):
            one_of("factor", factor, factors)  # says which is the nearest
        return place

    def _own(self, who: Grid, factor: str) -> float:
        saved = self._state.store.named(self._date)
        held = parse_who(who, self._panel, self._date, saved=saved).weights
        return own_exposure(self._state, self._panel, self._date, factor, held)

    def _attempt(self, who: Grid, name: object) -> list[float] | TiltError:
        try:
            return self._row(who, name)
        except TiltError as error:
            return error

    def _row(self, who: Grid, name: object) -> list[float]:
        own = self._scores.of(name) if isinstance(name, str) else None
        if own is not None:
            return own
        frame = lookup.exposures(self._state, self._panel, self._date)
        if isinstance(name, str) and name in self._panel.assets:
            spread(pd.Series({name: 1.0}), frame.index, "who")  # says that it has no score
        saved = self._state.store.named(self._date)
        held = parse_who(who, self._panel, self._date, saved=saved).weights
        weights = spread(held, frame.index, "who").to_numpy(dtype=float)
        return list(weights @ frame.to_numpy())


def _factor(name: str, known: Iterable[str]) -> str:
    return one_of("factor", name, known)


@udf(
    result="one number, or a row for a range of factors",
    example='=TILT.EXPOSURE("AAPL","Value")',
    many=_exposure_many,
)
def exposure(
    who: Who, factor: Factors, date: Date = None, universe: Universe = None
) -> Sequence[Sequence[Scalar]]:
    """Return the exposure of a security or a portfolio to a factor.

    A style is a score across the universe: 0 is the average by market cap, 1 is one standard
    deviation above it. The exposure of a portfolio is the sum of weight times score. A factor may
    be imported, or an expression such as rank(roe) - rank(leverage).
    """
    state = current()
    panel = state.panel(universe)
    day = date_of(date, panel)
    scores = lookup.exposures(state, panel, day)
    held = parse_who(who, panel, day, saved=state.store.named(day)).weights

    def of(name: str) -> float:
        if name.strip().casefold() not in scores.columns.str.casefold() and is_own(
            state, panel, name
        ):
            return own_exposure(state, panel, day, name, held)
        column = scores[_factor(name, scores.columns)]
        return float(spread(held, scores.index, "who").to_numpy() @ column.to_numpy())

    return [[of(name) for name in factor]]


@udf(
    result="factor, group, portfolio, benchmark, active",
    example="=TILT.EXPOSURES(A2:B40)",
    keys={**LONG_SHORT, "factors": "of your own, with commas, to be shown beneath the model's"},
)
def exposures(
    holdings: Holdings,
    benchmark: Benchmark = None,
    date: Date = None,
    universe: Universe = None,
    options: Options = NO_OPTIONS,
) -> pd.DataFrame:
    """Compare the factor exposures of a portfolio with its benchmark's.

    The option factors adds factors that were imported, fields and expressions such as rank(roe). A
    name that has no value of one counts as average there, and the note says how much that is.
    """
    long_short = options.flag("long_short")
    state = current()
    book = open_book(state, holdings, benchmark, date, universe, long_short=long_short)
    found = exposure_table(book.model, book.weights, book.benchmark)
    wanted = options.text("factors", "")
    if not wanted:
        return with_notes(found, book.notes)
    own, notes = own_exposures(
        state,
        book.panel,
        book.date,
        (book.weights, book.benchmark),
        read_names([[wanted]], "option factors"),
    )
    return with_notes(pd.concat([found, own], ignore_index=True), (*book.notes, *notes))
