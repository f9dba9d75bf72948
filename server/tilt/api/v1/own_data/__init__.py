"""Own data in, numbers out: the engine without a store, under ``/api/v1/compute``.

Tables are pandas ``split`` objects. Every answer has ``result``, ``run_id``, ``conventions`` and
``notes``; the run id depends on what was sent and nothing else.
"""

from fastapi import APIRouter

from tilt.api.v1.own_data import backtest, factors, optimize, performance, risk

router = APIRouter(prefix="/compute", tags=["own data"])
for part in (performance, risk, factors, optimize, backtest):
    router.include_router(part.router)
