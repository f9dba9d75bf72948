"""Holdings as people give them: a range, a name or ``CASH``; every problem found, then raised."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from math import isfinite
from typing import TypeAlias

import pandas as pd

from tilt.errors import ArgumentError, DataError, TiltError, UnknownNameError, cut, did_you_mean
from tilt.frames import Panel, Weights
from tilt.portfolio.cells import Grid, Problem, is_blank, is_error, read_number, shown
from tilt.portfolio.findings import ERROR, FIXED, WARNING, Finding, first_error, table
from tilt.portfolio.identifiers import Tickers, is_cash, is_total
from tilt.portfolio.layout import WEIGHT, BadLayout, Layout, Row, read_layout
from tilt.portfolio.weighing import FRACTIONS, PER_CENT, Entry, Weighed, no_weights, weigh

Saved: TypeAlias = Callable[[str], Weights] | Mapping[str, Weights]

CASH, NO_BENCHMARK = "CASH", "NONE"
MOST_NOTES = 20
TOTAL_ROUNDING = 1e-9


@dataclass(frozen=True, eq=False)
class Holdings:
    """A portfolio at one date, and what had to be noted to read it.

    name     : of the saved portfolio or universe; empty for a range
    weights  : by ticker, fraction of capital, cash left out
    cash     : fraction of capital; with the weights it makes one
    findings : row (as numbered in the range; 0 is the range as a whole), severity (error,
               warning, fixed), problem, fix
    notes    : the findings that change what the numbers mean, one sentence each
    error    : what ``require`` raises; None for holdings that can be used
    """

    name: str
    weights: Weights
    cash: float
    findings: pd.DataFrame
    notes: tuple[str, ...] = ()
    error: TiltError | None = None

    def require(self) -> "Holdings":
        """Return these holdings, or raise the first of their errors."""
        if self.error is not None:
            raise self.error
        return self


def parse_holdings(
    given: object,
    panel: Panel,
    date: pd.Timestamp,
    *,
    saved: Saved,
    long_short: bool = False,
    argument: str = "holdings",
) -> Holdings:
    """Return the holdings that a range or a name means.

    Parameters
    ----------
    given : cells by row, identifier and one of weight, shares, market value; or the name of a
        saved portfolio; or the universe's name, its cap-weighted portfolio; or ``CASH``, ``NONE``
    date : trading day; shares are valued at its close
    saved : saved portfolios by name; a function raises ``UnknownNameError``
    long_short : allow weights of any sum
    argument : what messages call the holdings

    Raises
    ------
    DataError
        If a cell is an error, blank or no number, or the weights have an odd sum.
    UnknownNameError
        If the name is not known, or tickers of more than 20 % of the weight are not.
    ArgumentError
        If nothing is given, or the range has no column of weights.
    """
    return inspect_holdings(
        given, panel, date, saved=saved, long_short=long_short, argument=argument
    ).require()


def inspect_holdings(
    given: object,
    panel: Panel,
    date: pd.Timestamp,
    *,
    saved: Saved,
    long_short: bool = False,
    argument: str = "holdings",
) -> Holdings:
    """Return the holdings with all their problems; ``error`` is set where they cannot be used.

    Parameters are those of ``parse_holdings``. Only a name that is not known raises.
    """
    given = _unwrap(given)
    if is_blank(given) or given == []:
        raise ArgumentError(
            f"{argument} is missing. Give a range of tickers and weights, or a portfolio's name."
        )
    if isinstance(given, list):
        return _from_range(given, panel, date, long_short=long_short, argument=argument)
    if is_error(given):
        raise DataError(f"{argument} is {shown(given)}. Mend the cell it comes from.")
    if not isinstance(given, str):
        raise ArgumentError(
            f"{argument} is {shown(given)}. "
            "Give a range of two columns, tickers and weights, or a portfolio's name."
        )
    return _from_name(given.strip(), panel, date, saved, argument)


def parse_benchmark(
    given: object,
    panel: Panel,
    date: pd.Timestamp,
    saved: Saved,
    *,
    long_short: bool = False,
) -> "Weights | None":
    """Return a benchmark's weights, or None for risk that is not relative to one.

    A benchmark left out is the universe's cap-weighted portfolio; ``CASH`` and ``NONE`` mean none.
    """
    given = _unwrap(given)
    if is_blank(given) or given == []:
        return panel.cap_weights(date)
    if isinstance(given, str) and given.strip().upper() in {CASH, NO_BENCHMARK}:
        return None
    return parse_holdings(
        given, panel, date, saved=saved, long_short=long_short, argument="benchmark"
    ).weights


def parse_who(
    given: object,
    panel: Panel,
    date: pd.Timestamp,
    *,
    saved: Saved,
    argument: str = "who",
) -> Holdings:
    """Return holdings for what is a ticker, held whole, or anything that holdings may be."""
    given = _unwrap(given)
    if isinstance(given, int | float):
        given = _spelled(given, Tickers(panel, date), argument)
    if isinstance(given, str) and not (is_blank(given) or is_cash(given) or is_error(given)):
        tickers = Tickers(panel, date)
        match = tickers.find(given.strip())
        if match:
            fixed = [Finding(1, FIXED, match.note, "Type it so.")] if match.note else []
            whole = pd.Series({match.ticker: 1.0}, name="weight")
            return Holdings(match.ticker, whole, 0.0, table(fixed))
        try:
            return parse_holdings(given, panel, date, saved=saved, argument=argument)
        except UnknownNameError as error:
            hint = tickers.nearest(given, most=1)  # a name one letter off comes before others
            if not hint and "Did you mean" not in str(error):
                hint = tickers.suggest(given)
            if not hint:
                raise
            raise UnknownNameError(f"Unknown ticker '{cut(given)}'.{hint}") from None
    return parse_holdings(given, panel, date, saved=saved, argument=argument)


def _spelled(cell: float, tickers: Tickers, argument: str) -> str:
    """Return the ticker that a number or a logical value is, as Excel takes some for these."""
    read = tickers.read(cell)
    if isinstance(read, Problem):
        raise DataError(f"{argument}: {read.problem}. {read.fix}")
    return read


def check_table(holdings: Holdings) -> pd.DataFrame:
    """Return every problem of a range, errors first: row, severity, problem, fix."""
    order = {ERROR: 0, WARNING: 1, FIXED: 2}
    return holdings.findings.sort_values(
        "severity", key=lambda s: s.map(order), kind="stable", ignore_index=True
    )


def _unwrap(given: object) -> object:
    """Return the cell of a range of one cell: Excel sends ``A1`` and ``"SAMPLE"`` alike."""
    if isinstance(given, list) and len(given) == 1 and len(given[0]) == 1:
        return None if is_blank(given[0][0]) else given[0][0]
    return given


def _from_name(
    given: str, panel: Panel, date: pd.Timestamp, saved: Saved, argument: str
) -> Holdings:
    if given.upper() in {CASH, NO_BENCHMARK}:
        return Holdings(CASH, no_weights(), 1.0, table([]), ("All of it is cash.",))
    if given.casefold() == panel.universe.casefold():
        return Holdings(panel.universe, panel.cap_weights(date).rename("weight"), 0.0, table([]))
    name, weights = _find_saved(given, panel, date, saved, argument)
    grid: Grid = [[ticker, float(weight)] for ticker, weight in weights.items()]
    found = _from_range(grid, panel, date, long_short=True, argument=f"'{name}'")
    return replace(found, name=name)


def _find_saved(
    given: str, panel: Panel, date: pd.Timestamp, saved: Saved, argument: str
) -> tuple[str, Weights]:
    names = [panel.universe, CASH, NO_BENCHMARK]
    detail = ""
    if isinstance(saved, Mapping):
        by_fold = {name.casefold(): name for name in saved}
        names += list(saved)
        if given.casefold() in by_fold:
            name = by_fold[given.casefold()]
            return name, saved[name]
    else:
        try:
            return given, saved(given)
        except UnknownNameError as error:
            detail = f" {error}"
    match = Tickers(panel, date).find(given)
    hint = did_you_mean(given, names)
    if match and not hint:
        hint = f" To hold only {match.ticker}, give a range: {match.ticker} and 1."
    raise UnknownNameError(
        f"{argument} '{cut(given)}' is neither a saved portfolio nor a universe.{hint or detail}"
    )


def _from_range(
    grid: Grid, panel: Panel, date: pd.Timestamp, *, long_short: bool, argument: str
) -> Holdings:
    layout = read_layout(grid)
    if isinstance(layout, BadLayout):
        found = Finding(layout.row, ERROR, layout.problem, layout.fix, raises=ArgumentError)
        return _unusable([found], argument)
    return weigh_rows(layout, panel, date, long_short=long_short, argument=argument)


def weigh_rows(
    layout: Layout, panel: Panel, date: pd.Timestamp, *, long_short: bool, argument: str
) -> Holdings:
    """Return the holdings of rows whose columns are known."""
    tickers = Tickers(panel, date)
    entries, findings = _read_rows(layout, tickers)
    if layout.note:
        findings.append(Finding(0, WARNING, layout.note, "Select one of these columns."))
    if any(f.severity == ERROR for f in findings):
        return _unusable(findings, argument)
    weighed: Weighed = weigh(
        entries,
        layout,
        panel,
        date,
        long_short=long_short,
        argument=argument,
        suggest=tickers.suggest,
    )
    findings += weighed.findings
    error = first_error(findings, argument)
    return Holdings("", weighed.weights, weighed.cash, table(findings), _notes(findings), error)


def _notes(findings: list[Finding]) -> tuple[str, ...]:
    noted = [f for f in findings if f.note]
    shown = tuple(f.sentence() for f in noted[:MOST_NOTES])
    more = len(noted) - MOST_NOTES
    return (*shown, f"{more:,} more notes: see CHECK.") if more > 0 else shown


def _unusable(findings: list[Finding], argument: str) -> Holdings:
    return Holdings(
        "", no_weights(), float("nan"), table(findings), (), first_error(findings, argument)
    )


def _read_rows(layout: Layout, tickers: Tickers) -> tuple[list[Entry], list[Finding]]:
    findings = [Finding(r.number, FIXED, f"it {r.problem}", "Left out.") for r in layout.skipped]
    entries: list[Entry] = []
    every = tickers.every
    for row in layout.rows:
        number, ticker, amount, _ = row
        if isinstance(amount, float) and ticker in every and isfinite(amount):  # as most are
            entries.append(Entry(number, str(ticker), str(ticker), amount))
        elif _is_total_row(row, entries, tickers, last=row is layout.rows[-1], kind=layout.kind):
            label = "it" if is_blank(row.identifier) else shown(row.identifier)
            problem = f"{label} is the sum of the others"
            findings.append(Finding(row.number, FIXED, problem, "Left out."))
        else:
            entry = _read_row(row, layout.kind, tickers, findings)
            if entry:
                entries.append(entry)
    return entries, findings


def _is_total_row(row: Row, above: list[Entry], tickers: Tickers, *, last: bool, kind: str) -> bool:
    """Return whether a row is a total: by its label, or as a last one without ticker that adds up.

    A blank ticker beside any other number is an error: it may be a holding of merged cells. So is
    one that adds up where the weights could sum to the whole with it.
    """
    if isinstance(row.identifier, str) and not is_blank(row.identifier):
        return is_total(row.identifier) and tickers.find(row.identifier) is None
    if not last or not is_blank(row.identifier) or len(above) < 2:
        return False
    if isinstance(row.amount, bool) or not isinstance(row.amount, float | int):
        return False
    total = sum(entry.amount for entry in above)
    if kind == WEIGHT and any(low <= 2 * total <= high for low, high in (FRACTIONS, PER_CENT)):
        return False
    return abs(row.amount - total) <= TOTAL_ROUNDING * abs(total)


def _read_row(row: Row, kind: str, tickers: Tickers, findings: list[Finding]) -> Entry | None:
    """Return one row's entry, or None with what is wrong among the findings."""
    text = ""
    if is_blank(row.identifier):
        findings.append(
            Finding(
                row.number,
                ERROR,
                f"{kind} is {shown(row.amount)} but the ticker is blank",
                "Type the ticker or clear the row. Merged cells hold theirs in the first row only.",
            )
        )
    else:
        read = tickers.read(row.identifier)
        if isinstance(read, str):
            text = read
        else:
            findings.append(Finding(row.number, ERROR, read.problem, read.fix))
    whose = f"{kind} of {text}" if text else kind
    if is_blank(row.amount):
        fix = f"Type the {kind}, or 0, or clear the row."
        findings.append(Finding(row.number, ERROR, f"{whose} is blank", fix))
        return None
    number = read_number(row.amount, point_is_decimal=kind == WEIGHT)
    if isinstance(number, Problem):
        findings.append(Finding(row.number, ERROR, f"{kind} {number.problem}", number.fix))
        return None
    if number.note:
        fix = "Type it as a number."
        findings.append(Finding(row.number, FIXED, f"{kind} {number.note}", fix))
    if not text:
        return None
    if is_cash(text):
        return Entry(row.number, text, None, number.value, is_cash=True)
    match = tickers.find(text)
    if match is None:
        return Entry(row.number, text, None, number.value)
    if match.note:
        fix = f"Type {match.ticker}."
        findings.append(Finding(row.number, FIXED, match.note, fix))
    return Entry(row.number, text, match.ticker, number.value)
