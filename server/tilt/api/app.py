"""The application: our routes first, the add-in of xlwings-server mounted behind them."""

import asyncio
import gc
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import Depends, FastAPI
from sqlalchemy.exc import SQLAlchemyError
from starlette.types import ASGIApp, Receive, Scope, Send

import tilt
from tilt.api import bridge, buttons, cells, excel, live, manifest, pages, problems, scripts, status
from tilt.api.audited import Audited
from tilt.api.cell_jobs import FORGOTTEN_SECONDS, Forgotten
from tilt.api.entrances import enter_route
from tilt.api.guard import READS, Authenticate, Guard
from tilt.api.headers import OuterLayer
from tilt.api.idempotency import Idempotency
from tilt.api.leaving import Leaving
from tilt.api.memory import keep_given_back
from tilt.api.metrics import Metrics
from tilt.api.pool import Pool
from tilt.api.problems import problem
from tilt.api.rates import Rates
from tilt.api.running import Running
from tilt.api.seen import SeenStore
from tilt.api.seen_jobs import SeenJobs
from tilt.api.state import State
from tilt.api.trail import Trail
from tilt.api.v1 import router as v1
from tilt.api.workbench import router as workbench
from tilt.api.workbooks import router as workbooks
from tilt.data.live import open_board
from tilt.data.store import Store
from tilt.errors import TiltError
from tilt.jobs import Jobs
from tilt.jobs.repeats import Repeats
from tilt.jobs.where import workers
from tilt.monitoring import Processes, log_as_json
from tilt.rounding import sum_in_one_order
from tilt.security.deciding import Who
from tilt.security.sign_in import SignIn
from tilt.settings import Settings

log = logging.getLogger(__name__)


class Tilt(FastAPI):
    """An application whose outermost layer also sees the answers to failures inside."""

    def build_middleware_stack(self) -> ASGIApp:
        running: Running = self.state.tilt
        inside, settings = super().build_middleware_stack(), running.state.settings
        sign_in = settings.entra_authority if "entra" in settings.auth else ""
        return OuterLayer(inside, running.metrics.answered, running.state.leaving, sign_in)


def create_app(settings: Settings, processes: Processes | None = None) -> FastAPI:
    """Return the server of one installation, its store opened.

    Parameters
    ----------
    settings : of the installation; they were refused already if they would let in anybody from
        the network
    processes : what this one counts, and those beside it; None if it is the only one
    """
    log_as_json()
    processes = processes or Processes()
    sum_in_one_order()
    shipped = bridge.load(settings)
    store = Store.open(settings)
    trail = Trail(store.catalog, settings.anchor_file)
    rates = Rates(settings)
    pool = Pool(
        threads=settings.threads,
        seconds=settings.cell_seconds,
        most=settings.max_waiting,
        spare=0 if settings.auth == "off" else min(1, settings.threads - 1),
    )
    jobs = Jobs(
        store.catalog,
        settings.data_path / "jobs",
        processes=-(-settings.processes // settings.workers),
        seconds=settings.job_seconds,
        queued=settings.max_jobs_waiting,
        memory=settings.job_bytes,
        preload=("tilt.api.tasks", "tilt.api.backtests", "tilt.api.optimizations"),
        cluster=workers(settings),
    )
    asking = settings.auth != "off"
    state = State(
        settings,
        SeenStore(store) if asking else store,
        cells.registry(shipped.functions),
        SeenJobs(jobs, store.catalog) if asking else jobs,
        open_board(settings, store),
        pending=lambda: pool.waiting + pool.running + processes.beside("pending"),
        leaving=Leaving(settings.drain_seconds),
        durations=processes.durations,
    )
    metrics = Metrics(state, pool, rates, processes)
    running = Running(
        state=state,
        pool=pool,
        scripts=scripts.registry(shipped.scripts),
        shipped=shipped,
        metrics=metrics,
    )

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        forgetting = asyncio.create_task(_cancel_forgotten(jobs))
        noting = asyncio.create_task(metrics.keep_noted())
        giving = asyncio.create_task(keep_given_back())
        async with shipped.lifespan():
            with state.leaving.heard():
                yield
        forgetting.cancel()
        noting.cancel()
        giving.cancel()
        pool.close()
        await rates.close()
        await asyncio.to_thread(jobs.close)
        await asyncio.to_thread(trail.close)
        store.close()

    app = Tilt(
        title="Tilt",
        version=tilt.__version__,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        dependencies=[Depends(enter_route)],
    )
    app.state.tilt = running
    problems.install(app)
    ours = (excel.router, buttons.router, status.router, v1, manifest.router, pages.router)
    for router in (*ours, live.router, workbooks, workbench):
        app.include_router(router)
    app.add_middleware(Idempotency, repeats=Repeats(store.catalog), catalog=store.catalog)
    authenticate = _authenticate(settings, store)
    app.add_middleware(Guard, settings=settings, authenticate=authenticate, rates=rates)
    app.add_middleware(Audited, trail=trail, catalog=store.catalog)
    app.mount("/", _ReadOnly(shipped.app))
    return app


def spare_collector() -> None:
    """Have the garbage collector leave alone what the program itself is made of.

    A batch makes tens of thousands of short-lived lists. Each of its full collections would walk
    through every module, class and function too: half of the time of a batch.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 100)


async def _cancel_forgotten(jobs: Jobs) -> None:
    forgotten = Forgotten()
    while True:
        await asyncio.sleep(FORGOTTEN_SECONDS / 6)
        try:
            await asyncio.to_thread(forgotten.cancel, jobs)
        except (SQLAlchemyError, OSError, TiltError) as error:
            log.warning("Jobs that nobody asks for cannot be found, trying on: %s", error)


class _ReadOnly:
    """The stock add-in without the routes that compute: ours stand before them."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            path, reads = scope["path"], scope["method"] in READS
            if not reads or path.startswith("/api/"):
                words = f"There is nothing to {'read' if reads else 'send to'} here."
                await problem(path, words, status=404, cell="#N/A")(scope, receive, send)
                return
        await self.app(scope, receive, send)


def _authenticate(settings: Settings, store: Store) -> Authenticate | None:
    if settings.auth == "off":
        return None
    signed_in = SignIn.of(settings, store.catalog)

    async def authenticate(authorization: str) -> Who:
        return await asyncio.to_thread(signed_in.who, authorization)

    return authenticate
