"""The scripts of the ribbon: what is not listed here cannot be run."""

from custom_scripts.analyze import factor_analysis, risk
from custom_scripts.attribution import attribution
from custom_scripts.backtest import backtest
from custom_scripts.compare import compare
from custom_scripts.data import as_of, quality
from custom_scripts.factors import pure_factor, what_if
from custom_scripts.optimize import optimize, tracking_error
from custom_scripts.portfolio import check, load_holdings, save
from custom_scripts.report import export_report, share_as_values, starter_workbook

__all__ = [
    "as_of",
    "attribution",
    "backtest",
    "check",
    "compare",
    "export_report",
    "factor_analysis",
    "load_holdings",
    "optimize",
    "pure_factor",
    "quality",
    "risk",
    "save",
    "share_as_values",
    "starter_workbook",
    "tracking_error",
    "what_if",
]
