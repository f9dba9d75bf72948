"""Time the main kernels beside a plain peer: ``server/bench/run.py [--out FILE] [ROW ...]``.

Run by hand, never a gate: absolute times move with whatever else the machine does, so look at the
ratio to the peer of the same run. Each figure is the median of several runs after a first one.
"""

import argparse
import importlib.metadata
import json
import os
import platform
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import statsmodels.api as sm
from scipy.optimize import minimize
from threadpoolctl import threadpool_limits

from bench.ingest import ingest
from bench.measuring import Row, median_seconds
from bench.optimum import market, optimum
from bench.reads import reads
from bench.sheet import browser, sheet
from tilt.data.store import Store
from tilt.factors.evaluate import information_coefficients, quantile_returns
from tilt.factors.groups import Groups
from tilt.factors.regression import cross_sections
from tilt.optimize.constraints import Rule
from tilt.optimize.parity import meet_budgets
from tilt.optimize.posing import open_case
from tilt.optimize.solve import Problem, solve
from tilt.optimize.terms import Factors
from tilt.refresh import refresh
from tilt.risk.measures import risk_measure_many
from tilt.settings import Settings

START_SECONDS = 60
PEER_DAYS = 20  # of a peer that would take minutes
VERSIONS = ("tilt", "numpy", "pandas", "cvxpy", "piqp", "clarabel")


def parities() -> Iterator[Row]:
    """Equal risk contributions: the weights alone, and a whole problem to a checked solution."""
    for n, sectors, styles in ((500, 31, 8), (3000, 60, 10)):
        model, securities = market(n, sectors, styles)
        problem = Problem("risk_parity", model, securities, pd.Series(dtype=float))
        factors = open_case(problem).model
        equal = np.full(n, 1 / n)
        told = "the same function by scipy's L-BFGS, in logarithms"
        peer = median_seconds(lambda f=factors, b=equal: _by_scipy(f, b), 3)
        what = f"equal risk contribution, {n} names, {1 + sectors + styles} factors"
        weights = median_seconds(lambda f=factors, b=equal: meet_budgets(f, b))
        yield Row(f"{what}: weights, to 1e-11", weights, told, peer)
        solved = median_seconds(lambda p=problem: solve(p))
        yield Row(f"{what}: to a checked solution", solved, told, peer)


def _by_scipy(model: Factors, budgets: np.ndarray) -> None:
    def spinu(z: np.ndarray) -> tuple[float, np.ndarray]:
        x = np.exp(z)
        pull = x * model.apply(x)
        return pull.sum() / 2 - budgets @ z, pull - budgets

    start = np.log(budgets) - np.log(model.volatility(budgets))
    minimize(spinu, start, jac=True, method="L-BFGS-B", options={"ftol": 1e-16, "gtol": 1e-10})


def worst_days(n: int = 500, days: int = 750) -> Iterator[Row]:
    """Least CVaR over past days, within a name cap."""
    model, securities = market(n, 31, 8)
    rng = np.random.default_rng(14)
    common = rng.normal(0, 0.01, (days, 1)) * rng.uniform(0.5, 1.5, n)
    scenarios = common + 0.012 * rng.standard_t(4, (days, n))
    problem = Problem(
        objective="min_cvar",
        model=model,
        securities=securities,
        current=pd.Series(dtype=float),
        rules=(Rule("weight", "*", None, 0.05),),
        scenarios=pd.DataFrame(scenarios, columns=model.assets),
    )
    peer = replace(problem, options={"solver": "cvxpy"})
    yield Row(
        f"least mean loss of the worst days, {n} names, {days} days",
        median_seconds(lambda: solve(problem), 3),
        "our own route through cvxpy and Clarabel",
        median_seconds(lambda: solve(peer), runs=1),
    )


def regressions(
    days: int = 2520, n: int = 3000, industries: int = 60, styles: int = 10
) -> Iterator[Row]:
    """Daily weighted regressions on industries and styles, in either precision."""
    rng = np.random.default_rng(9)
    names = np.array([f"I{i:02d}" for i in range(industries)])[np.arange(n) % industries]
    returns = rng.normal(0, 0.02, (days, n))
    scores = rng.standard_normal((days, n, styles), dtype=np.float32)
    caps = rng.lognormal(sigma=1.0, size=(days, n))
    groups = Groups.of(pd.Series(names))
    inside = np.ones((days, n), dtype=bool)
    labels = tuple(f"S{i}" for i in range(styles))
    dummies = (names[:, None] == np.unique(names)).astype(float)
    some = range(0, days, -(-days // PEER_DAYS))

    def ours(precise: type) -> float:
        x = scores.astype(precise)
        return median_seconds(lambda: cross_sections(returns, x, caps, inside, groups, labels), 3)

    def peer() -> None:
        for day in some:
            design = np.hstack([dummies, scores[day]])
            weights = np.sqrt(caps[day])
            sm.WLS(returns[day], design, weights=weights).fit(cov_type="HC1").bse  # noqa: B018

    scaled = median_seconds(peer, runs=1) * days / len(some)
    what = f"{days} days x {n} names x {industries + styles} factors, with HC1 t-values"
    told = f"statsmodels WLS, {len(some)} of the days, scaled up"
    yield Row(f"regressions, {what}, double precision", ours(np.float64), told, scaled)
    yield Row(f"regressions, {what}, single precision", ours(np.float32), told, scaled)


def evaluations(days: int = 2520, n: int = 3000) -> Iterator[Row]:
    """Information coefficients, deciles and turnover of a factor."""
    rng = np.random.default_rng(12)
    scores, forward = rng.normal(size=(days, n)), rng.normal(0, 0.02, (days, n))
    dates = pd.bdate_range("2010-01-04", periods=days)

    def ours() -> None:
        information_coefficients(scores, forward)
        quantile_returns(scores, forward, dates, quantiles=10)

    def plain() -> None:
        for x, r in zip(pd.DataFrame(scores).iterrows(), forward, strict=True):
            x[1].corr(pd.Series(r), method="spearman")
            pd.Series(r).groupby(pd.qcut(x[1], 10, labels=False)).mean()

    yield Row(
        f"rank IC, deciles and turnover, {days} days x {n} names",
        median_seconds(ours, runs=3),
        "pandas by day, without turnover",
        median_seconds(plain, runs=1),
    )


def risks(n: int = 3000, portfolios: int = 1000) -> Iterator[Row]:
    """Tracking error of many portfolios."""
    model, _ = market(n, 60, 9)
    rng = np.random.default_rng(10)
    weights = pd.DataFrame(rng.dirichlet(np.ones(n), portfolios).T, index=model.assets)
    benchmark = pd.Series(1 / n, model.assets)
    dense = model.covariance(model.assets).to_numpy()
    active = weights.to_numpy() - benchmark.to_numpy()[:, None]
    yield Row(
        f"tracking error of {portfolios} portfolios, {n} names",
        median_seconds(lambda: risk_measure_many(model, weights, benchmark, "tracking_error")),
        "numpy, full matrix",
        median_seconds(lambda: np.sqrt(np.einsum("np,np->p", active, dense @ active))),
    )


def product() -> Iterator[Row]:
    """Time the store and the cells as a user meets them, over the embedded sample."""
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(data_url=folder)
        store = Store.open(settings)
        start = time.perf_counter()
        refresh(store, settings)
        yield Row("first refresh of the embedded data", time.perf_counter() - start)
        yield Row("refresh when nothing is new", median_seconds(lambda: refresh(store, settings)))

        def load() -> None:
            opened = Store.open(settings)
            opened.panel()
            opened.close()

        yield Row("open the store and load the panel", median_seconds(load))
        tickers = [str(t) for t in store.panel().cap_weights(store.panel().as_of).index]
        store.close()
        yield from cells(folder, tickers)


def cells(folder: str, tickers: list[str]) -> Iterator[Row]:
    """Batches of cells through HTTP on loopback."""
    styles = ("Size", "Value", "Momentum", "Volatility", "Beta", "Quality")
    calls = [
        {"func_name": "exposure", "args": [[[t]], [[f]]]}
        for t in tickers
        for f in (*styles, "Market")
    ]
    many = [calls[i % len(calls)] for i in range(10_000)]
    wide = [[t, 1 / 50_000] for t in tickers for _ in range(50_000 // len(tickers) + 1)][:50_000]
    with serving(folder) as ask:
        answers = ask({"calls": calls[:1000]})["results"]
        assert all("result" in a for a in answers), answers[0]  # noqa: S101
        batches = [{"calls": many[i : i + 500]} for i in range(0, len(many), 500)]
        yield Row(
            "10,000 EXPOSURE cells, 20 batches one after the other",
            median_seconds(lambda: [ask(b) for b in batches], runs=3),
        )
        check = {"calls": [{"func_name": "check", "args": [wide]}]}
        yield Row("CHECK of a range of 100,000 cells", median_seconds(lambda: ask(check), runs=3))


@contextmanager
def serving(
    folder: str,
) -> Iterator[Callable[[dict[str, object]], dict[str, list[dict[str, object]]]]]:
    """Serve a data folder from a process of its own; gives a function that posts a batch."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    environment = {**os.environ, "TILT_DATA_URL": folder, "TILT_PORT": str(port)}
    command = [sys.executable, "-c", "from tilt.cli import main; main()", "serve"]
    server = subprocess.Popen(  # noqa: S603
        command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )

    def ask(body: dict[str, object]) -> dict[str, list[dict[str, object]]]:
        request = urllib.request.Request(  # noqa: S310
            f"{address}/xlwings/custom-functions-batch",
            data=json.dumps(body).encode(),
            headers={"Content-Type": "application/json", "X-Tilt-Client": "bench"},
        )
        with urllib.request.urlopen(request, timeout=120) as answer:  # noqa: S310
            found: dict[str, list[dict[str, object]]] = json.load(answer)
            return found

    try:
        until = time.monotonic() + START_SECONDS
        while True:
            try:
                urllib.request.urlopen(f"{address}/health/ready", timeout=5).close()  # noqa: S310
                break
            except OSError:
                if time.monotonic() > until:
                    raise
                time.sleep(0.2)
        yield ask
    finally:
        server.terminate()
        server.wait(timeout=20)


ROWS: dict[str, Callable[[], Iterator[Row]]] = {
    "optimum": optimum,
    "parities": parities,
    "worst_days": worst_days,
    "regressions": regressions,
    "evaluations": evaluations,
    "risks": risks,
    "reads": reads,
    "product": product,
    "ingest": ingest,
    "sheet": sheet,
    "browser": browser,
}


def written(rows: list[Row]) -> str:
    """Return the table as text, with machine and versions above it."""
    versions = ", ".join(f"{p} {importlib.metadata.version(p)}" for p in VERSIONS)
    lines = [
        (
            f"{platform.machine()}, {os.cpu_count()} cores, "
            f"Python {platform.python_version()}, {versions}"
        ),
        "",
        "| work | time | peer | peer's time | ratio |",
        "|---|---|---|---|---|",
    ]
    for row in rows:
        theirs = "" if row.peer_seconds is None else f"{1e3 * row.peer_seconds:,.1f} ms"
        ratio = "" if row.peer_seconds is None else f"{row.peer_seconds / row.seconds:.1f}"
        lines.append(
            f"| {row.work} | {1e3 * row.seconds:,.1f} ms | {row.peer} | {theirs} | {ratio} |"
        )
    return "\n".join(lines) + "\n"


def main() -> None:
    """Run the rows asked for and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("rows", nargs="*", choices=[*ROWS, []], help="all when left out")
    parser.add_argument("--out", type=Path, help="also write the table to this file")
    given = parser.parse_args()
    rows: list[Row] = []
    with threadpool_limits(1):
        for name in given.rows or ROWS:
            for row in ROWS[name]():
                rows.append(row)
                print(f"{1e3 * row.seconds:10,.1f} ms  {row.work}", file=sys.stderr)
    table = written(rows)
    print(table)
    if given.out:
        given.out.write_text(table, encoding="utf-8")


if __name__ == "__main__":
    main()
