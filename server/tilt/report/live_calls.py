"""Which cell gives the numbers of which table of a report, and why no cell gives the others."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from tilt.frames import Panel
from tilt.optimize.constraints import Grid
from tilt.report.charts import Place
from tilt.report.kinds.backtest_sheets import KEY_FIGURES
from tilt.report.layout import Part, Sheet
from tilt.report.liquidity import CAPITAL
from tilt.report.live import filled
from tilt.report.pack import Section
from tilt.report.performance import STATISTICS
from tilt.report.record import BacktestAsked, ExplainedAsked, Record
from tilt.report.review import HOUSE_RULES, OBJECTIVE
from tilt.report.tables import Block, Live, header
from tilt.report.typed import is_too_long, typed_array, typed_day, typed_text
from tilt.risk.liquidity import PARTICIPATION

SENT = "the holdings were sent with the report: save them, and a cell can name them"
ELSEWHERE = "that cell knows the default universe alone"
ELSEWHERE_IN_CELLS = frozenset({"pearson_ic", "pearson_t", "half_life"})  # of other views
LETTERS = "abcde"  # of the factors that a report looks at one by one
COMBINED = "put together from several results: no one cell gives it"
LENGTHY = "what that cell would be told is longer than Excel lets a formula be"
TODAY = "a cell gives the latest state of the portfolio, the report two of them"
_FAR = 1_000_000, 16_000  # row and column
MEASURES = {header(m): m for m in (*KEY_FIGURES, *(m for g in STATISTICS.values() for m in g))}


@dataclass(frozen=True, eq=False)
class Calls:
    """What the calls of a chapter say: whose portfolio, when, within which rules.

    portfolio : as it is saved; empty for holdings that were only sent
    rules     : as typed in a sheet; empty takes the house's
    is_default : whether the universe is the one of cells that name none
    """

    portfolio: str
    panel: Panel
    rules: Grid
    options: Mapping[str, str]
    record: Record
    is_default: bool

    @property
    def day(self) -> str:
        return typed_day(self.panel.as_of)

    @property
    def universe(self) -> str:
        return typed_text(self.panel.universe)

    @property
    def in_universe(self) -> str:
        return typed_text(f"universe={self.panel.universe}")

    @property
    def held(self) -> str:
        return typed_text(self.portfolio)


Call = Callable[[Calls, Block], "tuple[Live, ...] | str"]


def with_live(section: Section, calls: Calls) -> Section:
    """Return a section whose tables say which cell gives their numbers, or why none does."""

    def sheet(given: Sheet) -> Sheet:
        return replace(given, parts=tuple(part(p) for p in given.parts))

    def part(given: Part) -> Part:
        return _block(given, calls) if isinstance(given, Block) else given

    return replace(
        section,
        sheets=tuple(map(sheet, section.sheets)),
        data=tuple(map(sheet, section.data)),
        summary=tuple(map(part, section.summary)),
    )


def _block(block: Block, calls: Calls) -> Block:
    if block.lineage is None or block.live or block.not_live or not len(block.table):
        return block
    found = _found(block, calls)
    if isinstance(found, str):
        return replace(block, not_live=found)
    far = Place(block, "", *_FAR)  # where the formula is at its longest
    if any(is_too_long(fill.text) for live in found for fill in filled(block, live, far)):
        return replace(block, not_live=LENGTHY)
    return replace(block, live=found)


def _found(block: Block, calls: Calls) -> "tuple[Live, ...] | str":
    if block.key in OF_PORTFOLIO:
        return OF_PORTFOLIO[block.key](calls, block) if calls.portfolio else SENT
    if block.key.startswith("changes_"):
        return TODAY
    if block.lineage is not None and block.lineage.run_id in calls.record.tests:
        asked = calls.record.tests[block.lineage.run_id]
        return _tested(asked, block) if calls.is_default else ELSEWHERE
    if block.key in EXPLAINED:
        return _explained(calls, block)
    return OTHERS[block.key](calls, block) if block.key in OTHERS else COMBINED


# --- which columns and rows ----------------------------------------------------------------------


def _same(columns: tuple[str, ...]) -> dict[str, str]:
    return {name: name for name in columns}


def _leading(block: Block, key: str, known: set[str] | None) -> int | None:
    """Return how many rows from the first on have a name that is known; None for all."""
    if known is None:
        return None
    inside = block.table[key].isin(known).to_numpy()
    return int(inside.argmin()) if not inside.all() else None


# --- of a portfolio ----------------------------------------------------------------------------

_OF_RISK = ("exposure", "volatility", "correlation", "mctr", "ctr", "pct")
_OF_EXPOSURE = ("portfolio", "benchmark", "active")


def _risk(by: str) -> Call:
    def call(calls: Calls, block: Block) -> tuple[Live, ...]:
        text = f"TILT.RISK_TABLE({calls.held},{typed_text(by)},{calls.day},,{calls.universe})"
        known = set(calls.panel.assets) if by == "position" else None
        return (Live(text, _same(_OF_RISK), "name", rows=_leading(block, "name", known)),)

    return call


def _exposures(calls: Calls, _: Block) -> tuple[Live, ...]:
    text = f"TILT.EXPOSURES({calls.held},,{calls.day},{calls.universe})"
    return (Live(text, _same(_OF_EXPOSURE), "factor"),)


def _holdings(calls: Calls, block: Block) -> tuple[Live, ...]:
    rows = _leading(block, "ticker", set(calls.panel.assets))
    both = (f"TILT.COMPARE({calls.held},{calls.universe},\"position\",{calls.day},"
            f"{calls.in_universe})")  # fmt: skip
    risk = f'TILT.RISK_TABLE({calls.held},"position",{calls.day},,{calls.universe})'
    weights = {"weight": "a", "benchmark": "b", "active": "difference"}
    shown = {mine: theirs for mine, theirs in weights.items() if mine in block.table}
    return (
        Live(both, shown, "ticker", "name", rows=rows),
        Live(risk, {"ctr": "ctr"}, "ticker", "name", rows=rows),
    )


def _liquidity(calls: Calls, _: Block) -> tuple[Live, ...]:
    text = (f"TILT.LIQUIDITY({calls.held},{CAPITAL:.0f},{PARTICIPATION:g},{calls.day},"
            f"{calls.in_universe})")  # fmt: skip
    return (Live(text, _same(("weight", "days_to_exit", "pct_adv")), "ticker"),)


def _windows(calls: Calls, _: Block) -> tuple[Live, ...]:
    text = f"TILT.SCENARIOS({calls.held},{calls.day},,{calls.in_universe})"
    return (Live(text, _same(("portfolio_pnl", "benchmark_pnl", "pnl"))),)


def _optimized(view: str, columns: Mapping[str, str], key: str = "") -> Call:
    def call(calls: Calls, block: Block) -> "tuple[Live, ...] | str":
        if not calls.is_default:
            return ELSEWHERE
        text = _optimize(calls, view)
        shown = {mine: theirs for mine, theirs in columns.items() if mine in block.table}
        known = set(calls.panel.assets) if key == "ticker" else None
        return (Live(text, shown, key, rows=_leading(block, key, known)),)

    return call


def _optimize(calls: Calls, view: str) -> str:
    options = calls.options
    objective = options.get("objective", "").strip() or OBJECTIVE
    rules = typed_array(calls.rules or HOUSE_RULES)
    alpha = options.get("alpha", "").strip()
    passed = {k: v.strip() for k, v in options.items() if k in PASSED and v.strip()}
    told = typed_text(";".join(f"{k}={v}" for k, v in passed.items())) if passed else ""
    text = (
        f"TILT.OPTIMIZE({typed_text(objective)},{calls.held},{rules},{calls.universe},"
        f"{typed_text(alpha) if alpha else ''},{calls.day},{typed_text(view)}"
    )
    return f"{text},{told})" if told else f"{text})"


PASSED = ("risk_aversion", "risk_free", "long_short", "cash", "pin", "exclude", "factor",
          "budgets", "time_limit", "cost_bps")  # fmt: skip
_LIMITS = ("min", "max", "value", "slack", "shadow_price", "step", "gain_if_looser",
           "gain_if_tighter")  # fmt: skip
_WEIGHTS = {"current": "current", "optimal": "weight", "weight": "weight",
            "benchmark": "benchmark", "active": "active"}  # fmt: skip
OF_PORTFOLIO: Mapping[str, Call] = {
    "risk_by_factor": _risk("factor"),
    "risk_by_sector": _risk("sector"),
    "risk_by_position": _risk("position"),
    "style_exposures": _exposures,
    "sector_exposures": _exposures,
    "holdings": _holdings,
    "liquidity": _liquidity,
    "stress_windows": _windows,
    "limits": _optimized("constraints", _same(_LIMITS)),
    "solution_rules": _optimized("constraints", _same(_LIMITS)),
    "trades": _optimized("trades", _same(("current", "optimal", "trade")), "ticker"),
    "solution_trades": _optimized("trades", _same(("current", "optimal", "trade")), "ticker"),
    "solution_summary": _optimized("summary", _same(("before", "after"))),
    "optimal_weights": _optimized("weights", _WEIGHTS, "ticker"),
    "solution_weights": _optimized("weights", _WEIGHTS, "ticker"),
}


# --- through time --------------------------------------------------------------------------------

EXPLAINED = {  # method and key of the cell ATTRIBUTION
    "attribution_by_group": ("brinson", "group"),
    "attribution_by_factor": ("factor", "name"),
    "attribution_by_position": ("position", "name"),
}


def _explained(calls: Calls, block: Block) -> "tuple[Live, ...] | str":
    method, key = EXPLAINED[block.key]
    asked = calls.record.explanations.get(method)
    if asked is None:
        return COMBINED
    given = _of_explained(calls, asked)
    if not given:
        return SENT
    known = set(calls.panel.assets) if method == "position" else None
    numbers = tuple(c for c in block.formats if c in block.table)
    return (Live(given, _same(numbers), key, rows=_leading(block, key, known)),)


def _of_explained(calls: Calls, asked: ExplainedAsked) -> str:
    of_run = asked.start is None
    whose = str(asked.holdings[0][0]) if of_run else calls.portfolio
    if not whose:
        return ""
    days = "," if of_run else f"{typed_day(asked.start)},{typed_day(asked.end)}"
    how = f"{typed_text(asked.method)},{typed_text(asked.by)}"
    link = typed_text(f"link={asked.link}")
    return f"TILT.ATTRIBUTION({typed_text(whose)},,{days},{how},{calls.universe},{link})"


def _tested(asked: BacktestAsked, block: Block) -> "tuple[Live, ...] | str":
    columns = tuple(c for c in ("portfolio", "benchmark", "active") if c in block.table)
    if block.key == "backtest_key_figures" or block.key.startswith("statistics_"):
        names = tuple(MEASURES.get(str(word), "") for word in block.table["measure"])
        if "" in names:
            return COMBINED
        return (Live(_backtest(asked, "stats"), _same(columns), "measure", names=names),)
    view = {"monthly_returns": "monthly", "deepest_falls": "drawdowns",
            "backtest_costs": "costs"}.get(block.key)  # fmt: skip
    if view is None:
        return COMBINED
    dates = {"date", "peak", "trough", "recovery", "turnover"}
    numbers = tuple(c for c in block.formats if c not in dates)
    return (Live(_backtest(asked, view), _same(numbers)),)


def _backtest(asked: BacktestAsked, view: str) -> str:
    options = ";".join(f"{key}={value}" for key, value in asked.options.items())
    days = f"{typed_day(asked.start)},{typed_day(asked.end)}"
    rules = typed_array(asked.rules) if asked.rules else ""
    text = (
        f"TILT.BACKTEST({typed_text(asked.strategy)},{days},{typed_text(asked.rebalance or 'M')},"
        f"{rules},,{typed_text(view)}"
    )
    return f"{text},{typed_text(options)})" if options else f"{text})"


# --- of factors --------------------------------------------------------------------------------


def _one_factor(function: str, *more: str) -> Call:
    """Return the call of a table of one factor.

    Parameters
    ----------
    more : arguments beside the factor: names of the lineage's, ``universe``, or texts
    """

    def call(calls: Calls, block: Block) -> "tuple[Live, ...] | str":
        if block.lineage is None or "," in block.lineage.arguments["factors"]:
            return COMBINED
        told = {**block.lineage.arguments, "universe": calls.panel.universe}
        told["factors"] = told["factors"].replace("; ", ",")
        told["quantiles"] = calls.options.get("quantiles", "").strip() or "5"
        numbers = tuple(c for c in block.formats if c not in ELSEWHERE_IN_CELLS)
        words = [told.get(name, name) for name in ("factors", *more)]
        given = [word if word.isdecimal() else typed_text(word) for word in words]
        return (Live(f"TILT.{function}({','.join(given)})", _same(numbers)),)

    return call


def _factors(function: str) -> Call:
    def call(calls: Calls, block: Block) -> "tuple[Live, ...] | str":
        lineage = block.lineage
        if lineage is None or any("," in str(n) for n in block.table.iloc[:, 0]):
            return COMBINED
        told = lineage.arguments
        key = "factor" if "factor" in block.table else "with"
        names = ",".join(str(name) for name in block.table[key])
        days = f"{typed_text(told['start'])},{typed_text(told['end'])}"
        text = f"TILT.{function}({typed_text(names)},{days},{calls.universe})"
        numbers = tuple(c for c in block.formats if block.formats[c] != "date")
        return (Live(text, _same(numbers), key, "factor"),)

    return call


OTHERS: Mapping[str, Call] = {
    "factor_statistics": _factors("FACTOR_STATS"),
    "factor_correlation": _factors("FACTOR_CORRELATION"),
    "factor_ic": _one_factor("FACTOR_IC", "horizon", "start", "end", "universe", "view=factors"),
    **{
        f"factor_quantiles_{letter}": _one_factor(
            "FACTOR_QUANTILES", "quantiles", "horizon", "start", "end", "universe"
        )
        for letter in LETTERS
    },
    **{
        f"factor_shape_{letter}": _one_factor("FACTOR_SHAPE", "end", "universe")
        for letter in LETTERS
    },
}
