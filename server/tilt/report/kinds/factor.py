"""The factor report: what factors earned and foretold, their shape, and what holding them costs."""

from tilt.calendar import parse_date
from tilt.errors import ArgumentError, cut
from tilt.report.kind import Kind, Material, Study
from tilt.report.kinds import asked
from tilt.report.kinds import factor_sheets as sheets
from tilt.report.kinds.factor_foretold import ic_section
from tilt.report.kinds.factor_pages import pure_section, quantiles_section, shape_section
from tilt.report.kinds.factors_seen import MONTH, Factors
from tilt.report.pack import Subject

SECTIONS = {
    "returns": "What factors earned",
    "ic": "What scores foretold",
    "quantiles": "Portfolios by score",
    "shape": "Shape",
    "correlation": "Correlation",
    "pure": "Pure portfolios",
    "coverage": "Coverage",
}
OPTIONS = {
    "factors": "factors, fields or expressions, with semicolons between: Value; rank(accruals)",
    "start": "first day, as a date or -3Y; all there is unless given",
    "end": "last day; the last one with data unless given",
    "horizon": "trading days ahead that scores are judged by, 21 unless given",
    "quantiles": "portfolios by score, 5 unless given",
    "cost_bps": "cost of what pure portfolios trade in basis points; 10 unless given",
}
MOST_FACTORS = 5  # looked at one by one; more are not told apart in a chart


def open_factors(material: Material) -> Study:
    """Read what the sections of a factor report share.

    Raises
    ------
    ArgumentError, UnknownNameError
        If an option is wrong, or the universe has no factor model.
    """
    panel, options = material.panel, material.options
    sessions = panel.factors.dates
    last = parse_date(options.get("end", ""), sessions, "option end")
    known = sessions[sessions <= last]
    first = parse_date(options.get("start", ""), known, "option start", default=known[0])
    names = asked.names(options, "factors", ";")
    if len(names) > MOST_FACTORS:
        raise ArgumentError(
            f"option factors names {len(names)}; at most {MOST_FACTORS} are looked at one by one. "
            "Leave it out to see all styles together."
        )
    factors = Factors(
        panel,
        first,
        last,
        names,
        asked.whole(options, "horizon", MONTH, 1, 252),
        asked.whole(options, "quantiles", 5, 2, 20),
        asked.number(options, "cost_bps", 10.0) / 1e4,
    )
    subject = Subject(
        name=", ".join(cut(f.name) for f in factors.named) or f"Styles of {panel.universe}",
        universe=panel.universe,
        benchmark="",
        date=last,
        snapshot=panel.snapshot,
        survivorship=panel.survivorship,
        securities=int(panel.member.loc[last].to_numpy(dtype=bool).sum()),
        label="Factors",
    )
    return Study(
        subject,
        {
            "returns": lambda: sheets.returns_section(factors, subject),
            "ic": lambda: ic_section(factors, subject),
            "quantiles": lambda: quantiles_section(factors, subject),
            "shape": lambda: shape_section(factors, subject),
            "correlation": lambda: sheets.correlation_section(factors, subject),
            "pure": lambda: pure_section(factors, subject),
            "coverage": lambda: sheets.coverage_section(factors, subject),
        },
    )


FACTOR = Kind(
    "factor",
    "Factors",
    "What factors earned and foretold, portfolios by score, shape, correlation, pure portfolios.",
    SECTIONS,
    open_factors,
    OPTIONS,
    of_portfolio=False,
)
