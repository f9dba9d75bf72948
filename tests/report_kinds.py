"""Chapters of every kind of report on a made-up market whose names are what an attacker writes."""

import datetime as dt
from dataclasses import replace

import pandas as pd

from tilt.factors.history import estimate_history
from tilt.frames import Panel
from tilt.portfolio.holdings import parse_holdings
from tilt.report.kind import Material
from tilt.report.kinds import KINDS
from tilt.report.pack import Chapter
from tilt.report.portfolio import portfolio_makers
from tilt.report.review import Review

CREATED = dt.datetime(2017, 6, 30, 18, 0, tzinfo=dt.UTC).replace(tzinfo=None)
RULES = [["weight", "*", 0.0, 0.08], ["sector", "*", -0.05, 0.05, "yes"], ["turnover", "", "", 0.2]]
OPTIONS = {
    "factor": {"factors": "Momentum; rank(book_to_price)", "horizon": "10", "quantiles": "3"},
    "optimization": {"alpha": "Momentum", "frontier": "yes", "points": "3"},
    "backtest": {"strategy": "quantile:Momentum:3:3", "tried": "equal_weight"},
    "attribution": {"start": "-6M"},
    "month_end": {"start": "-3M", "since": "-1ME"},
}
NASTY = (
    "=1+1",
    "=cmd|' /C calc'!A0",
    '=HYPERLINK("http://example.invalid","x")',
    "+1+1",
    "-2+3",
    "@SUM(A1:A2)",
    "\t=1+1",
    "{=1+1}",
    "http://example.invalid/",
    "internal:Cover!A1",
    "<script>alert(1)</script>",
    "<r><t>=1+1</t></r>",
    "a & b \"c\" 'd' %s {0}",
    "a/b\\c[d]e:f*g?h",
    "\x00\x0b\x1f\ufffe",
    "_x000D_",
    "עברית \N{ROCKET}",
)
SECTOR = "=Sector/[x]'#"  # what a structured reference would have to escape
FUND = "=A/fund & [co]:\x07 of a name far longer than a sheet's"


class NothingSaved:
    """A store in which nobody saved a portfolio."""

    default = "MADE_UP"

    def portfolios(self):
        return pd.DataFrame({"name": []})

    def named(self, _date):
        return {}


def nasty(panel: Panel) -> Panel:
    """Return the market with companies and sectors named as an attacker would."""
    names = [NASTY[i % len(NASTY)] for i in range(len(panel.assets))]
    securities = panel.securities.assign(name=names).replace({"Utilities": SECTOR})
    named = replace(panel, securities=securities, factor_history=None)
    return replace(named, factor_history=estimate_history(named))


def chapter_of(kind, panel, grid=None, *, rules=(), wanted=None, name="A fund", **options):
    """Return a chapter made without a store."""
    made = KINDS[kind]
    held = None
    if made.of_portfolio:
        held = parse_holdings(grid, panel, panel.as_of, saved={})
    material = Material(
        NothingSaved(), panel, name if held else "", held, list(rules),
        tuple(wanted or made.sections), options,
    )  # fmt: skip
    return made.chapter(material, lambda _done, _what: None)


def chapter_of_review(review: Review) -> Chapter:
    """Return the portfolio report's chapter over a review that is there."""
    return Chapter(review.subject, tuple(make() for make in portfolio_makers(review).values()))
