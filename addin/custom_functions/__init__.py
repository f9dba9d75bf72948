"""The functions of the sheet: what is not listed here is not in Excel."""

from custom_functions.backtest import backtest, stats
from custom_functions.data import asof, history, members, security, universes
from custom_functions.factors import exposure, exposures, factors
from custom_functions.live import live
from custom_functions.optimize import optimize
from custom_functions.portfolio import check
from custom_functions.risk import risk, risk_table
from custom_functions.system import help, status, version  # noqa: A004 - Excel's name for it

__all__ = [
    "asof",
    "backtest",
    "check",
    "exposure",
    "exposures",
    "factors",
    "help",
    "history",
    "live",
    "members",
    "optimize",
    "risk",
    "risk_table",
    "security",
    "stats",
    "status",
    "universes",
    "version",
]
