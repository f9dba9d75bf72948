"""What every entrance does to what it names; one that is not listed here lets nobody in.

A verb lets in whose role has it. ``OPEN`` is for everybody, before anybody has signed in, and shows
no data. ``SIGNED_IN`` is for whoever has signed in, whatever they may.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

from fastapi import Request

from tilt.api import permission
from tilt.api.routes import whole_path
from tilt.api.running import running
from tilt.errors import AccessError, NotAllowedError
from tilt.security import NOT_SIGNED_IN
from tilt.security.deciding import LOCAL, Verb

OPEN: Literal["open"] = "open"
SIGNED_IN: Literal["signed in"] = "signed in"
Access = Verb | Literal["open", "signed in"]

_READING_CELLS = """
    asof attribution backtest check compare covariance drawdowns exposure exposures
    factor_correlation factor_ic factor_quantiles factor_returns factor_shape factor_stats factors
    history liquidity live match members portfolio portfolios pure_factor quality regime_risk
    regimes regress risk risk_table scenarios security stat stats stress summary sweep trace
    universes var whatif
"""
_READING_BUTTONS = """
    as_of attribution backtest check compare export_report factor_analysis load_holdings
    pure_factor quality risk share_as_values starter_workbook what_if
"""
_BEFORE_SIGNING_IN = """
    /health /health/live /health/ready /help /help/index.json /help/{page} /help/pictures/{name}
    /docs /manifest /manifest.xml /manifest/download /workbench /workbench/pane
    /api/v1/sign-in /xlwings/custom-functions-meta /xlwings/custom-functions-meta.json
    /xlwings/custom-functions-code /xlwings/custom-functions-code.js
"""
_READ_BY_GET = """
    choices configurations configurations-schema configurations/{name} data factor-returns
    factor-statistics factors jobs jobs/{job} members packs portfolios portfolios/{name} quality
    reports reports/{file} runs runs/{run} securities snapshots snapshots/compare sources universes
    universes/{name} workbooks/starter
"""
_READ_BY_POST = """
    attribution backtest compare compute/attribution compute/backtest compute/covariance
    compute/evaluate compute/exposures compute/factor-returns compute/optimize
    compute/regression compute/risk compute/statistics exposures factor-research/{view} live
    match optimize/check pure-factor pure-factor/history pure-factor/{kind} reports risk
    risk/health risk/liquidity risk/regime risk/scenarios risk/stress risk/tail risk/what-if
    runs/{run}/verify sweep universes/preview uploads
"""
_TRADE_BY_POST = "frontier optimize optimize/through-time tracking-error"


def _each(names: str, access: Access) -> dict[str, Access]:
    return dict.fromkeys(names.split(), access)


def _under(method: str, names: str, access: Access) -> dict[tuple[str, str], Access]:
    return {(method, f"/api/v1/{name}"): access for name in names.split()}


CELLS: Mapping[str, Access] = MappingProxyType(
    {
        **_each(_READING_CELLS, "read"),
        **_each("help status version", SIGNED_IN),
        **_each("optimize frontier", "trade"),
    }
)
BUTTONS: Mapping[str, Access] = MappingProxyType(
    {
        **_each(_READING_BUTTONS, "read"),
        **_each("save", "write"),
        **_each("optimize tracking_error", "trade"),
    }
)
ROUTES: Mapping[tuple[str, str], Access] = MappingProxyType(
    {
        **{("GET", path): access for path, access in _each(_BEFORE_SIGNING_IN, OPEN).items()},
        # each cell and button of such a request is asked for by itself
        ("POST", "/xlwings/custom-functions-call"): SIGNED_IN,
        ("POST", "/xlwings/custom-functions-batch"): SIGNED_IN,
        ("POST", "/xlwings/custom-scripts-call/{name}"): SIGNED_IN,
        ("GET", "/xlwings/edition"): SIGNED_IN,
        ("GET", "/metrics"): SIGNED_IN,  # and a grant on the server's metrics
        **_under("GET", "status me", SIGNED_IN),
        **_under("POST", "workbooks/open workbooks/save", SIGNED_IN),  # a file of one's own
        **_under("GET", _READ_BY_GET, "read"),
        **_under("POST", _READ_BY_POST, "read"),
        **_under("DELETE", "jobs/{job} packs/{pack}", "read"),
        **_under("POST", _TRADE_BY_POST, "trade"),
        **_under("PUT", "configurations/{name} portfolios/{name} universes/{name}", "write"),
        **_under("DELETE", "configurations/{name} portfolios/{name} universes/{name}", "write"),
        **_under("POST", "data/refresh", "write"),  # of the universe it names
        **_under("POST", "uploads/data data/import", "administer"),
        **_under("GET", "audit audit/verify", "administer"),
        **_under("GET", "people", "administer"),
        **_under("PUT", "people/{person}", "administer"),
        **_under("DELETE", "people/{person}", "administer"),
        **_under("GET", "grants", "share"),  # on what one may share; an administrator's are all
        **_under("PUT", "grants", "share"),
    }
)


async def enter_route(request: Request) -> None:
    """Let a request through the route that it found, before anything of it is read.

    Raises
    ------
    AccessError, NotAllowedError
        If the caller may not use it, or it is not listed.
    """
    running(request)
    path = whole_path(request.scope)
    enter(ROUTES.get((request.method, path)), f"{request.method} {path}")


def enter(access: Access | None, name: str) -> None:
    """Let the caller through an entrance.

    Parameters
    ----------
    access : what it needs; None if it is not listed
    name : as the caller knows it

    Raises
    ------
    AccessError, NotAllowedError
        If they may not use it, or it is not listed; with authentication off there are no others.
    """
    somebody = permission.who()
    if access is None and somebody != LOCAL:
        raise NotAllowedError(f"Nobody may use {name}: it does not say what it does.")
    if access in (None, OPEN):
        return
    if access == SIGNED_IN:
        if not somebody.id:
            raise AccessError(NOT_SIGNED_IN)
        return
    permission.enter_entrance(access, name)
