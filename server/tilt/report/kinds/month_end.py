"""The month-end pack: what changed, the portfolio, its attribution, the rebalance, the factors."""

from collections.abc import Callable
from dataclasses import replace
from functools import cached_property

import pandas as pd

from tilt.calendar import parse_date
from tilt.errors import ArgumentError, DataError
from tilt.frames import Panel, Weights
from tilt.portfolio.holdings import Holdings
from tilt.report.kind import Kind, Material, Study
from tilt.report.kinds.attribution import ATTRIBUTION
from tilt.report.kinds.backtest import BACKTEST
from tilt.report.kinds.changes import changes_section
from tilt.report.kinds.factor import FACTOR
from tilt.report.kinds.figures import Figures, figures_of, to_json
from tilt.report.kinds.optimization import OPTIMIZATION
from tilt.report.kinds.since import SinceAsked, find_since
from tilt.report.pack import Section, Subject
from tilt.report.portfolio import SECTIONS as OF_PORTFOLIO
from tilt.report.portfolio import portfolio_makers
from tilt.report.review import HOUSE_RULES, Review, review_portfolio

OF_REVIEW = ("holdings", "exposures", "risk", "liquidity", "stress")
# of the other kinds: their sections here, by the names they have there
PARTS = {
    "attribution": (ATTRIBUTION, ("months", "groups", "factors", "positions", "forecast")),
    "optimization": (OPTIMIZATION, ("problem", "rules", "trades")),
    "factor": (FACTOR, ("returns", "correlation")),
    "backtest": (BACKTEST, ("tear_sheet",)),
}
SECTIONS = {
    "changes": "What changed since the last report",
    **{key: OF_PORTFOLIO[key] for key in OF_REVIEW},
    **{
        f"{name}_{key}": f"{kind.title}: {kind.sections[key].lower()}"
        for name, (kind, keys) in PARTS.items()
        for key in keys
    },
}
OPTIONS = {
    "since": "date of the report to compare with, as a date or -1ME; the last one on record "
    "unless given, else a month's end before",
    "start": "close before the first day attributed; a year back unless given",
    "objective": "of the rebalance, as in OPTIMIZE; min_te unless given",
    "strategy": "adds the tear sheet of a backtest, as in BACKTEST; none unless given",
}
BACK = "-1ME"


class _Month:
    """One portfolio at its date and at that of the last report; each is read when needed."""

    def __init__(self, material: Material) -> None:
        self._material = material

    @cached_property
    def review(self) -> Review:
        return self._review(self._material.panel, self._holdings)

    @property
    def _holdings(self) -> Holdings:
        if self._material.holdings is None:
            raise ArgumentError("A month-end pack needs a portfolio. Name one, or give holdings.")
        return self._material.holdings

    def changes(self, subject: Subject) -> Section:
        """Return what changed since the earlier date."""
        material, panel = self._material, self._material.panel
        given = material.options.get("since", "").strip()
        date = parse_date(given or BACK, panel.dates, "option since")
        if date > panel.as_of or (date == panel.as_of and not given):
            raise DataError(f"{date:%Y-%m-%d} is not before {panel.as_of:%Y-%m-%d}.")
        asked = SinceAsked(
            material.whose, MONTH_END.name, MONTH_END.title.lower(), panel.universe,
            panel.snapshot, date if given else None, date, self.figures,
        )  # fmt: skip
        since = find_since(material.record, asked, self._again)
        return changes_section(since, self.figures, subject)

    @cached_property
    def figures(self) -> Figures:
        """What the portfolio holds and risks."""
        return figures_of(self.review)

    def _again(self, date: pd.Timestamp, weights: Weights | None) -> Figures:
        """Return figures on an earlier date by the data of today.

        Parameters
        ----------
        weights : held then; None takes those saved for the date, or the same as today
        """
        material, held = self._material, self._holdings
        if weights is None and _dates(material) is not None:
            weights = material.store.portfolio(held.name, date)
        if weights is not None:
            held = replace(held, weights=weights, cash=1.0 - float(weights.sum()))
        return figures_of(self._review(material.panel.until(date), held))

    def _review(self, panel: Panel, holdings: Holdings) -> Review:
        return review_portfolio(
            panel,
            holdings,
            portfolio=self._material.portfolio,
            rules=self._material.rules or HOUSE_RULES,
            strategy_rules=[],
            rebalanced=False,
        )


def _dates(material: Material) -> pd.DatetimeIndex | None:
    """Return the dates of a saved portfolio that has several; None for any other."""
    name = material.holdings.name if material.holdings is not None else ""
    saved = {str(n).casefold() for n in material.store.portfolios()["name"]}
    if name.casefold() not in saved:
        return None
    dates = material.store.portfolio_dates(name)
    return dates if len(dates) > 1 else None


def open_month_end(material: Material) -> Study:
    """Read what the sections of a month-end pack share.

    Raises
    ------
    ArgumentError
        If there is no portfolio, or an option is wrong.
    """
    month = _Month(material)
    subject = month.review.subject
    of_portfolio = portfolio_makers(month.review)
    makers: dict[str, Callable[[], Section]] = {key: of_portfolio[key] for key in OF_REVIEW}
    makers["changes"] = lambda: month.changes(subject)
    tested = bool(material.options.get("strategy", "").strip())
    for name, (kind, keys) in PARTS.items():
        if name == "backtest" and not tested:
            makers |= {f"{name}_{key}": _nothing(f"{name}_{key}") for key in keys}
            continue
        given = {k: v for k, v in material.options.items() if k in kind.options}
        if name in ("factor", "backtest"):
            given.pop("start", None)  # that of the attribution
        study = _Lazy(kind, replace(material, options=given))
        makers |= {f"{name}_{key}": study.maker(key, f"{name}_{key}") for key in keys}
    return Study(subject, makers, lambda: to_json(month.figures))


class _Lazy:
    """A study of another kind, opened when the first of its sections is needed."""

    def __init__(self, kind: Kind, material: Material) -> None:
        self._kind = kind
        self._material = material

    @cached_property
    def _study(self) -> Study:
        return self._kind.open(self._material)

    def maker(self, key: str, here: str) -> Callable[[], Section]:
        """Return what makes a section under the name it has here."""

        def make() -> Section:
            made = self._study.makers[key]()
            return replace(made, key=here, title=SECTIONS[here], tiles=())

        return make


def _nothing(key: str) -> Callable[[], Section]:
    return lambda: Section(key, SECTIONS[key], ())


MONTH_END = Kind(
    "month_end",
    "Month-end pack",
    "What changed since the last report, holdings, risk, liquidity, stress, attribution, the "
    "rebalance and the factors, for one portfolio.",
    SECTIONS,
    open_month_end,
    OPTIONS,
)
