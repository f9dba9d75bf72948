"""Least tracking error month after month by the peers."""

import cvxportfolio as cvx
import cvxpy as cp
import numpy as np
import pandas as pd
from given import whole
from prior import Known
from skfolio.optimization import MeanRisk
from timing import Timed, main, timed


def parameters(p: dict[str, np.ndarray]) -> Timed:
    """Solve every month by one problem whose numbers are parameters, compiled once (DPP)."""
    n, k = p["exposures"].shape
    months, banded = len(p["covariances"]), p["banded"]
    root, center, current = cp.Parameter((k, k)), cp.Parameter(n), cp.Parameter(n)
    shift = cp.Parameter(k)
    w, f = cp.Variable(n), cp.Variable(k)
    problem = cp.Problem(
        cp.Minimize(
            cp.sum_squares(root.T @ f)
            + cp.sum_squares(cp.multiply(100 * np.sqrt(p["specific"]), w - center))
        ),
        [
            f == p["exposures"].T @ w - shift,
            cp.sum(w) == 1,
            w >= 0,
            w <= float(p["cap"]),
            f[banded] <= p["band"],
            f[banded] >= -p["band"],
            cp.norm1(w - current) <= 2 * float(p["turnover"]),
        ],
    )

    def run() -> None:
        held = p["current"]
        for month in range(months):
            root.value = 100 * np.linalg.cholesky(p["covariances"][month])
            center.value, current.value = p["centers"][month], held
            shift.value = p["exposures"].T @ p["centers"][month]
            problem.solve(solver=cp.CLARABEL)
            held = w.value

    return timed(run, "cvxpy", note="one problem with parameters (DPP)")


def cvxportfolio(p: dict[str, np.ndarray]) -> Timed:
    """Solve month after month with a policy of its own."""
    n, k = p["exposures"].shape
    some = int(p["some"])
    names, factors = [f"N{i}" for i in range(n)], [f"F{i}" for i in range(k)]
    root = pd.DataFrame(p["exposures"].T, factors, names)
    columns = p["exposures"][:, p["banded"]]
    limited = [pd.Series(columns[:, i], names) for i in range(columns.shape[1])]

    def run() -> None:
        held = pd.Series([*p["current"], 0.0], [*names, "cash"])
        for month in range(some):
            center = p["centers"][month]
            reached = columns.T @ center
            policy = cvx.SinglePeriodOptimization(
                -1.0
                * cvx.FactorModelCovariance(
                    F=root,
                    Sigma_F=pd.DataFrame(p["covariances"][month], factors, factors),
                    d=pd.Series(p["specific"], names),
                ),
                [
                    cvx.LongOnly(),
                    cvx.MaxWeights(float(p["cap"])),
                    cvx.MinCashBalance(0.0),
                    cvx.TurnoverLimit(float(p["turnover"])),
                    *(
                        limit(c, r + sign * b)
                        for c, r, b in zip(limited, reached, p["band"], strict=True)
                        for limit, sign in ((cvx.FactorMaxLimit, 1), (cvx.FactorMinLimit, -1))
                    ),
                ],
                benchmark=pd.Series([*center, 0.0], held.index),
                include_cash_return=False,
                solver="CLARABEL",
            )
            trade = policy.execute(held, market_data=None, t=pd.Timestamp("2016-06-30"))[0]
            held = held + trade

    months = len(p["covariances"])
    told = f"{some} of {months} months, scaled up"
    return timed(run, "cvxportfolio", whole=months / some, note=told)


def skfolio(p: dict[str, np.ndarray]) -> Timed:
    """Minimize the variance instead: it measures tracking error on past returns only."""
    some, months = int(p["some"]), len(p["covariances"])
    columns, band = p["exposures"][:, p["banded"]], p["band"]
    returns = pd.DataFrame(np.random.default_rng(1).normal(0, 0.01, (10, len(columns))))

    def run() -> None:
        held = p["current"]
        for month in range(some):
            covariance = whole(p["exposures"], p["covariances"][month], p["specific"])
            reached = columns.T @ p["centers"][month]
            model = MeanRisk(
                prior_estimator=Known(covariance),
                max_weights=float(p["cap"]),
                previous_weights=held,
                max_turnover=float(p["turnover"]),
                left_inequality=np.vstack([columns.T, -columns.T]),
                right_inequality=np.concatenate([reached + band, band - reached]),
            )
            held = model.fit(returns).weights_

    told = f"least variance, {some} of {months} months, scaled up"
    return timed(run, "skfolio", whole=months / some, note=told, once=True)


if __name__ == "__main__":
    main({"cvxpy": parameters, "cvxportfolio": cvxportfolio, "skfolio": skfolio})
