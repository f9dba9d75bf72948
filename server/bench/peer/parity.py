"""Equal risk contributions by the peers."""

import numpy as np
import pandas as pd
import riskfolio
from given import whole
from prior import Known
from skfolio.optimization import RiskBudgeting
from timing import Timed, main, timed


def skfolio(p: dict[str, np.ndarray]) -> Timed:
    """Solve its convex form of risk budgets."""
    covariance = whole(p["exposures"], p["covariance"], p["specific"])
    returns = pd.DataFrame(np.random.default_rng(1).normal(0, 0.01, (10, len(covariance))))
    return timed(lambda: RiskBudgeting(prior_estimator=Known(covariance)).fit(returns), "skfolio")


def riskfolio_lib(p: dict[str, np.ndarray]) -> Timed:
    """Solve its convex form of risk budgets."""
    covariance = whole(p["exposures"], p["covariance"], p["specific"])
    names = [f"N{i}" for i in range(len(covariance))]
    returns = pd.DataFrame(
        np.random.default_rng(1).normal(0, 0.01, (10, len(names))), columns=names
    )

    def solve() -> None:
        portfolio = riskfolio.Portfolio(returns=returns)
        portfolio.mu = pd.DataFrame(np.zeros((1, len(names))), columns=names)
        portfolio.cov = pd.DataFrame(covariance, names, names)
        portfolio.solvers = ["CLARABEL"]
        if portfolio.rp_optimization(model="Classic", rm="MV") is None:
            raise RuntimeError("Riskfolio-Lib found no weights.")

    return timed(solve, "riskfolio-lib")


if __name__ == "__main__":
    main({"skfolio": skfolio, "riskfolio": riskfolio_lib})
