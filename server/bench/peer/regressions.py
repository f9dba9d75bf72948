"""Daily weighted regressions on industries and styles by the peers, on some of the days."""

import numpy as np
import polars as pl
import statsmodels.api as sm
from timing import Timed, main, timed
from toraniko.model import estimate_factor_returns


def _told(p: dict[str, np.ndarray]) -> tuple[int, float, str]:
    some = len(p["returns"])
    return some, float(p["days"]) / some, f"{some} of {int(p['days'])} days, scaled up"


def statsmodels(p: dict[str, np.ndarray]) -> Timed:
    """Fit day by day, with robust standard errors."""
    days, whole, note = _told(p)

    def fit() -> None:
        for day in range(days):
            design = np.hstack([p["dummies"], p["scores"][day]])
            model = sm.WLS(p["returns"][day], design, weights=np.sqrt(p["caps"][day]))
            model.fit(cov_type="HC1").bse  # noqa: B018

    return timed(fit, "statsmodels", whole=whole, note=note)


def toraniko(p: dict[str, np.ndarray]) -> Timed:
    """Estimate sectors first and then styles, as it does."""
    days, whole, note = _told(p)
    n, industries = p["dummies"].shape
    styles = p["scores"].shape[2]
    keys = {
        "date": np.repeat(np.arange(days), n),
        "symbol": np.tile([f"N{i:04d}" for i in range(n)], days),
    }
    returns = pl.DataFrame({**keys, "asset_returns": p["returns"].ravel()})
    caps = pl.DataFrame({**keys, "market_cap": p["caps"].ravel()})
    dummies = np.tile(p["dummies"], (days, 1))
    sectors = pl.DataFrame({**keys, **{f"I{i:02d}": dummies[:, i] for i in range(industries)}})
    scores = p["scores"].reshape(-1, styles).astype(float)
    style = pl.DataFrame({**keys, **{f"S{i:02d}": scores[:, i] for i in range(styles)}})
    return timed(
        lambda: estimate_factor_returns(returns, caps, sectors, style, winsor_factor=None),
        "toraniko",
        whole=whole,
        note=f"{note}, without t-values",
    )


def lstsq(p: dict[str, np.ndarray]) -> Timed:
    """Solve least squares day by day."""
    days, whole, note = _told(p)

    def fit() -> None:
        for day in range(days):
            root = p["caps"][day] ** 0.25
            design = np.hstack([p["dummies"], p["scores"][day]]) * root[:, None]
            np.linalg.lstsq(design, p["returns"][day] * root, rcond=None)

    return timed(fit, "numpy", whole=whole, note=f"{note}, without t-values")


if __name__ == "__main__":
    main({"statsmodels": statsmodels, "toraniko": toraniko, "lstsq": lstsq})
