"""The attribution report: why a portfolio did better or worse, by sector, factor and position."""

import pandas as pd

from tilt.backtest.held import track_of_universe, track_of_weights
from tilt.calendar import parse_date
from tilt.errors import ArgumentError, DataError, one_of
from tilt.frames import Panel, Weights
from tilt.optimize.constraints import Grid
from tilt.portfolio.period_attribution import CHAINING
from tilt.report.kind import Kind, Material, Study
from tilt.report.kinds import attribution_sheets as sheets
from tilt.report.kinds.attribution_months import months_section
from tilt.report.kinds.explained import Performance
from tilt.report.kinds.forecast_sheets import forecast_section
from tilt.report.pack import Subject
from tilt.report.record import ExplainedAsked

SECTIONS = {
    "months": "Attribution by month",
    "groups": "Attribution by sector",
    "factors": "Attribution by factor",
    "positions": "Attribution by position",
    "forecast": "Risk foreseen and realized",
}
COLUMNS = ("sector", "industry")
OPTIONS = {
    "start": "close before the first day explained, as a date or -1Y; a year back unless given",
    "end": "last day explained; the report's date unless given",
    "link": "carino (default), grap or frongello: how days and months are linked",
    "by": "sector (default) or industry",
}
YEAR = pd.DateOffset(years=1)


def open_attribution(material: Material) -> Study:
    """Read what the sections of an attribution share.

    Raises
    ------
    ArgumentError
        If an option is wrong, or there are no holdings.
    DataError
        If there is no day between start and end.
    """
    performance, remarks = held_through(material)
    panel = material.panel
    subject = Subject(
        name=material.portfolio,
        universe=panel.universe,
        benchmark=f"{panel.universe}, cap weighted",
        date=performance.dates[-1],
        snapshot=panel.snapshot,
        notes=(*remarks, *performance.notes),
        survivorship=panel.survivorship,
    )
    return Study(
        subject,
        {
            "months": lambda: months_section(performance, subject),
            "groups": lambda: sheets.groups_section(performance, subject),
            "factors": lambda: sheets.factors_section(performance, subject),
            "positions": lambda: sheets.positions_section(performance, subject),
            "forecast": lambda: forecast_section(performance, panel, subject),
        },
    )


def held_through(material: Material) -> tuple[Performance, tuple[str, ...]]:
    """Return how the holdings did between the dates of the options, and what is to be noted."""
    panel, options = material.panel, material.options
    if material.holdings is None:
        raise ArgumentError("An attribution needs a portfolio. Name one, or give its holdings.")
    by = one_of("option by", options.get("by") or COLUMNS[0], COLUMNS)
    link = one_of("option link", options.get("link") or CHAINING[0], CHAINING)
    first, last = _window(panel, options.get("start", ""), options.get("end", ""))
    given = _dated(material, last)
    remarks = material.holdings.notes
    if given:
        first = max(first, min(given))
    else:
        given = {first: material.holdings.weights}
        said = (
            f"The holdings have no dates: they count as bought at the close of {first:%Y-%m-%d} "
            "and held since, which is hypothetical."
        )
        remarks = (*remarks, said)
    performance = Performance(
        name=material.portfolio,
        portfolio=track_of_weights(panel, given, first, last),
        benchmark=track_of_universe(panel, first, last),
        groups=groups_of(panel, by),
        by=by,
        link=link,
        history=panel.factor_history,
        asked=ExplainedAsked(
            _cells(material, dated=len(given) > 1),
            first,
            last,
            "brinson",
            long_short=bool((material.holdings.weights < 0).any()),
        ),
        record=material.record,
    )
    return performance, remarks


def _cells(material: Material, *, dated: bool) -> Grid:
    """Return the holdings as a cell takes them: by name if saved by dates, else one by one."""
    if material.holdings is None:
        raise ValueError("an attribution is of holdings")
    if dated:
        return [[material.holdings.name]]
    weights = material.holdings.weights
    return [["ticker", "weight"], *[[str(t), float(w)] for t, w in weights.items()]]


def groups_of(panel: Panel, by: str) -> "pd.Series[str]":
    """Return each asset's sector or industry."""
    named = panel.securities[by]
    return named.astype(object).where(named.notna(), "").astype(str)


def _window(panel: Panel, start: str, end: str) -> tuple[pd.Timestamp, pd.Timestamp]:
    """Return the close before the first day, and the last day."""
    last = parse_date(end, panel.dates, "option end")
    sessions = panel.dates[panel.dates <= last]
    back = sessions[max(int(sessions.searchsorted(last - YEAR, side="right")) - 1, 0)]
    first = parse_date(start, sessions, "option start", default=back)
    if first >= last:
        raise DataError(
            f"There is no day after {first:%Y-%m-%d} and until {last:%Y-%m-%d}. "
            "Choose an earlier start or a later end."
        )
    return first, last


def _dated(material: Material, last: pd.Timestamp) -> dict[pd.Timestamp, Weights]:
    """Return a saved portfolio's holdings by date before ``last``, where it has several dates."""
    name = material.holdings.name if material.holdings is not None else ""
    saved = {str(n).casefold() for n in material.store.portfolios()["name"]}
    if name.casefold() not in saved:
        return {}
    dates = material.store.portfolio_dates(name)
    panel = material.panel
    if len(dates) < 2:
        return {}
    known = [d for d in map(pd.Timestamp, dates) if panel.dates[0] <= d < last]
    return {panel.trading_day(d): material.store.portfolio(name, d) for d in known}


ATTRIBUTION = Kind(
    "attribution",
    "Attribution",
    "Why a portfolio did better or worse than its benchmark: by month, sector, factor, position.",
    SECTIONS,
    open_attribution,
    OPTIONS,
)
