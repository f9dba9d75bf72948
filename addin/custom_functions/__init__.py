"""The functions of the sheet: what is not listed here is not in Excel."""

from custom_functions.attribution import attribution
from custom_functions.backtest import backtest
from custom_functions.comparing import compare, summary, whatif
from custom_functions.covariances import covariance
from custom_functions.data import asof, history, match, members, security, universes
from custom_functions.factors import exposure, exposures, factors
from custom_functions.frontier import frontier
from custom_functions.live import live
from custom_functions.losses import liquidity, stress, var
from custom_functions.optimize import optimize
from custom_functions.performance import drawdowns, regress, stat, stats
from custom_functions.portfolio import check, portfolio, portfolios
from custom_functions.pure import pure_factor
from custom_functions.quality import quality
from custom_functions.regime_risk import regime_risk
from custom_functions.regimes import regimes
from custom_functions.research import (
    factor_correlation,
    factor_ic,
    factor_quantiles,
    factor_returns,
    factor_stats,
)
from custom_functions.risk import risk, risk_table
from custom_functions.scenarios import scenarios
from custom_functions.shape import factor_shape
from custom_functions.sweep import sweep
from custom_functions.system import help, status, trace, version  # noqa: A004 - Excel's name for it

__all__ = [
    "asof",
    "attribution",
    "backtest",
    "check",
    "compare",
    "covariance",
    "drawdowns",
    "exposure",
    "exposures",
    "factor_correlation",
    "factor_ic",
    "factor_quantiles",
    "factor_returns",
    "factor_shape",
    "factor_stats",
    "factors",
    "frontier",
    "help",
    "history",
    "liquidity",
    "live",
    "match",
    "members",
    "optimize",
    "portfolio",
    "portfolios",
    "pure_factor",
    "quality",
    "regime_risk",
    "regimes",
    "regress",
    "risk",
    "risk_table",
    "scenarios",
    "security",
    "stat",
    "stats",
    "status",
    "stress",
    "summary",
    "sweep",
    "trace",
    "universes",
    "var",
    "version",
    "whatif",
]
