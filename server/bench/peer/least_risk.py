"""Least tracking error within a name cap, bands and turnover, by the peers."""

import cvxportfolio as cvx
import cvxpy as cp
import numpy as np
import pandas as pd
from given import whole
from pypfopt import EfficientFrontier, objective_functions
from timing import Timed, main, timed


def bands(p: dict[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the columns whose active exposure is bounded, and their bounds."""
    return p["exposures"][:, p["banded"]], p["center"], p["band"]


def pyportfolioopt(p: dict[str, np.ndarray]) -> Timed:
    """Solve with the whole matrix, which is all it takes."""
    cov = whole(p["exposures"], p["covariance"], p["specific"])
    columns, center, band = bands(p)
    cap, turnover = float(p["cap"]), float(p["turnover"])

    def solve() -> np.ndarray:
        problem = EfficientFrontier(None, cov, weight_bounds=(0, cap), solver="CLARABEL")
        problem.add_constraint(lambda w: columns.T @ (w - center) <= band)
        problem.add_constraint(lambda w: columns.T @ (w - center) >= -band)
        problem.add_constraint(lambda w: cp.norm1(w - p["current"]) <= 2 * turnover)
        problem.convex_objective(
            objective_functions.ex_ante_tracking_error, cov_matrix=cov, benchmark_weights=center
        )
        return np.array(problem.weights)

    return timed(solve, "pyportfolioopt")


def cvxportfolio(p: dict[str, np.ndarray]) -> Timed:
    """Solve with its factor model, one rule for each band."""
    names = [f"N{i}" for i in range(len(p["center"]))]
    columns, center, band = bands(p)
    factors = [f"F{i}" for i in range(p["exposures"].shape[1])]
    root = pd.DataFrame(p["exposures"].T, factors, names)
    benchmark = pd.Series([*center, 0.0], [*names, "cash"])
    held = pd.Series([*p["current"], 0.0], [*names, "cash"])
    reached = columns.T @ center
    limited = [pd.Series(columns[:, i], names) for i in range(columns.shape[1])]
    risk = cvx.FactorModelCovariance(
        F=root,
        Sigma_F=pd.DataFrame(p["covariance"], factors, factors),
        d=pd.Series(p["specific"], names),
    )

    def solve() -> np.ndarray:
        policy = cvx.SinglePeriodOptimization(
            -1.0 * risk,
            [
                cvx.LongOnly(),
                cvx.MaxWeights(float(p["cap"])),
                cvx.LeverageLimit(1.0),
                cvx.MinCashBalance(0.0),
                cvx.TurnoverLimit(float(p["turnover"])),
                *(
                    cvx.FactorMaxLimit(c, r + b)
                    for c, r, b in zip(limited, reached, band, strict=True)
                ),
                *(
                    cvx.FactorMinLimit(c, r - b)
                    for c, r, b in zip(limited, reached, band, strict=True)
                ),
            ],
            benchmark=benchmark,
            include_cash_return=False,
            solver="CLARABEL",
        )
        trades, _, _ = policy.execute(held * 1e6, market_data=None, t=pd.Timestamp("2016-06-30"))
        return (held + trades / 1e6)[names].to_numpy()

    return timed(solve, "cvxportfolio")


def plain(p: dict[str, np.ndarray]) -> Timed:
    """Solve in factor form, written down by hand."""
    _, center, band = bands(p)
    factor = np.linalg.cholesky(p["covariance"])

    def solve() -> np.ndarray:
        w, f = cp.Variable(len(center)), cp.Variable(p["exposures"].shape[1])
        active = w - center
        risk = cp.sum_squares(factor.T @ f) + cp.sum_squares(
            cp.multiply(np.sqrt(p["specific"]), active)
        )
        problem = cp.Problem(
            cp.Minimize(risk * 1e4),
            [
                f == p["exposures"].T @ active,
                cp.sum(w) == 1,
                w >= 0,
                w <= float(p["cap"]),
                f[p["banded"]] <= band,
                f[p["banded"]] >= -band,
                cp.norm1(w - p["current"]) <= 2 * float(p["turnover"]),
            ],
        )
        problem.solve(solver=cp.CLARABEL)
        return np.array(w.value)

    return timed(solve, "cvxpy", runs=5)


if __name__ == "__main__":
    main({"pyportfolioopt": pyportfolioopt, "cvxportfolio": cvxportfolio, "cvxpy": plain})
