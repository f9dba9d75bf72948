"""Equal risk contributions by the peers."""

import numpy as np
import pandas as pd
import riskfolio
from skfolio.optimization import RiskBudgeting
from skfolio.prior import BasePrior, ReturnDistribution
from timing import Timed, main, timed


class Known(BasePrior):
    """A prior that is given, so that no estimation is timed."""

    def __init__(self, covariance: np.ndarray) -> None:
        self.covariance = covariance

    def fit(self, X: np.ndarray, y: None = None, **rest: object) -> "Known":  # noqa: N803
        n = len(self.covariance)
        self.return_distribution_ = ReturnDistribution(
            mu=np.zeros(n), covariance=self.covariance, returns=np.asarray(X)
        )
        return self


def _covariance(p: dict[str, np.ndarray]) -> np.ndarray:
    return p["exposures"] @ p["covariance"] @ p["exposures"].T + np.diag(p["specific"])


def skfolio(p: dict[str, np.ndarray]) -> Timed:
    """Solve its convex form of risk budgets."""
    covariance = _covariance(p)
    returns = pd.DataFrame(np.random.default_rng(1).normal(0, 0.01, (10, len(covariance))))
    return timed(lambda: RiskBudgeting(prior_estimator=Known(covariance)).fit(returns), "skfolio")


def riskfolio_lib(p: dict[str, np.ndarray]) -> Timed:
    """Solve its convex form of risk budgets."""
    covariance = _covariance(p)
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
