"""The embedded sample, looked at as a risk manager would."""

import re

import numpy as np
import pandas as pd
import pytest

from tilt.data.store import Store
from tilt.factors.descriptors import market_return
from tilt.factors.history import estimate_history
from tilt.factors.styles import STYLES
from tilt.frames import FactorHistory, Panel
from tilt.refresh.estimates import kept_past
from tilt.risk.health import forecast_health, least_variance
from tilt.risk.measures import GROUPINGS, exposure_table, risk_measure, risk_table
from tilt.risk.model import RiskModel, estimate_model
from tilt.settings import addin_path

ORTHOGONAL = {s.name for s in STYLES if s.orthogonal_to}


@pytest.fixture(scope="module")
def history(panel: Panel) -> FactorHistory:
    return panel.factors


@pytest.fixture(scope="module")
def model(history: FactorHistory) -> RiskModel:
    return estimate_model(history, history.dates[-1])


def test_market_factor_is_the_cap_weighted_market_and_moves_with_the_index(panel, history):
    market = history.returns["Market"]
    assert market.corr(market_return(panel).reindex(history.dates)) > 0.995
    assert market.corr(panel.index_level.pct_change().reindex(history.dates)) > 0.99


def test_factors_explain_what_they_do_in_published_models(history):
    # USE4 reports 0.3 to 0.5 for daily returns of large caps, more in a crisis
    assert 0.3 < history.r2.mean() < 0.55
    assert history.r2.iloc[1:].between(0, 1).all()


def test_history_of_the_first_years_is_the_same_without_the_later_ones(panel, history):
    date = panel.trading_day(pd.Timestamp("2014-06-30"))
    cut = estimate_history(panel.until(date))
    known = history.until(date)
    np.testing.assert_array_equal(cut.styles, known.styles)
    np.testing.assert_array_equal(cut.returns, known.returns)
    np.testing.assert_array_equal(cut.t_stats, known.t_stats)
    np.testing.assert_array_equal(cut.specific_returns, known.specific_returns)


def test_every_day_has_every_factor_return_from_the_first_statements_on(history):
    late = ["Leverage", "Investment"]  # from annual statements, which begin in spring 2013
    assert history.returns.drop(columns=late).iloc[1:].notna().all(axis=None)
    assert history.returns.loc["2013-07-01":].notna().all(axis=None)
    assert history.returns.loc[:"2013-03-31", late].isna().all(axis=None)
    vol = history.returns.std() * np.sqrt(252)
    assert 0.08 < vol["Market"] < 0.2
    assert vol[history.style_names].between(0.01, 0.06).all()


def test_every_member_has_exposures_and_few_are_imputed(panel, history):
    x = history.exposures(history.dates[-1])
    members = panel.assets[panel.member.iloc[-1].to_numpy()]
    assert len(members) > 350
    assert set(members) <= set(x.index)
    inside = panel.assets.isin(members)
    share = pd.Series(history.imputed[-1, inside].mean(axis=0), history.style_names)
    assert share.drop(["Leverage", "Investment"]).max() < 0.05
    assert share.max() < 0.2  # statements are there for 448 of 493 tickers


def test_observed_scores_are_standard_in_the_universe_at_every_year_end(panel, history):
    ends = history.dates.to_series().groupby(history.dates.year).last()
    for t in history.dates.get_indexer(ends):
        cap = panel.market_cap.loc[history.dates[t]].to_numpy()
        estu = panel.member.loc[history.dates[t]].to_numpy() & np.isfinite(cap)
        for i, name in enumerate(history.style_names):
            # what is left after other styles are taken out is scored with the imputed names in
            imputed = history.imputed[t, :, i] & (name not in ORTHOGONAL)
            seen = estu & ~imputed & np.isfinite(history.styles[t, :, i])
            if not seen.any():  # Leverage and Investment in 2012
                continue
            z = history.styles[t, seen, i]
            assert np.average(z, weights=cap[seen]) == pytest.approx(0, abs=1e-9)
            assert z.std(ddof=1) == pytest.approx(1, abs=1e-9)


def test_risk_model_has_no_hole_and_plausible_sizes(model):
    assert np.isfinite(model.exposures.to_numpy()).all()
    assert np.isfinite(model.factor_cov.to_numpy()).all()
    sigma = np.sqrt(252 * model.specific_var)
    assert sigma.between(0.03, 0.8).all()
    assert 0.1 < sigma.median() < 0.25
    assert (np.linalg.eigvalsh(model.factor_cov) > 0).all()
    assert model.sector.ne("").all()


def test_cap_weighted_benchmark_has_beta_one_and_no_style(panel, model):
    b = panel.cap_weights(model.date)
    table = exposure_table(model, b, None).set_index("factor")
    assert table.loc["Market", "portfolio"] == pytest.approx(1)
    assert table.loc[model.groups == "style", "portfolio"].abs().max() < 0.02  # imputed names
    realized = market_return(panel).iloc[-84:].std() * np.sqrt(252)
    assert risk_measure(model, b, None, "volatility") == pytest.approx(realized, rel=0.35)


@pytest.mark.parametrize("by", GROUPINGS)
def test_tracking_error_of_ten_large_names_adds_up(panel, model, by):
    b = panel.cap_weights(model.date)
    w = b.nlargest(10) / b.nlargest(10).sum()
    te = risk_measure(model, w, b, "tracking_error")
    assert 0.03 < te < 0.12
    table = risk_table(model, w, b, by=by)
    assert table["ctr"].iloc[:-1].sum() == pytest.approx(te, rel=1e-10)
    assert table["ctr"].iloc[-1] == pytest.approx(te, rel=1e-12)


@pytest.fixture(scope="module")
def health(panel: Panel, history: FactorHistory, store: Store) -> pd.DataFrame:
    """How the forecasts of every month turned out, by name."""
    chosen = np.random.default_rng(0).choice(panel.assets, 60, replace=False)

    def portfolios(model: RiskModel) -> dict[str, "pd.Series[float]"]:
        b = panel.cap_weights(model.date)
        b = b[b.index.isin(model.assets)]
        b = b / b.sum()
        held = b.index.intersection(chosen)
        seed = model.date.toordinal()
        alpha = np.random.default_rng(seed).standard_normal(len(b))
        return {
            "universe": b,
            "60 names against it": pd.Series(1 / len(held), held).sub(b, fill_value=0),
            "equal weights against it": 1 / len(b) - b,
            "least variance": least_variance(model, pd.Series(1.0, b.index)),
            "optimized for random alphas": least_variance(
                model, pd.Series(alpha - alpha.mean(), b.index)
            ),
        }

    models = kept_past(store, panel)
    return forecast_health(models, history, panel.returns, portfolios).set_index("name")


def test_forecasts_of_portfolios_came_true(health):
    found = health[~health.index.str.startswith("factor ")]
    assert (found["days"] == 1009).all()
    # 0.045 for a perfect forecast of normal returns; these have fat tails
    assert found["bias"].drop("equal weights against it").between(0.88, 1.12).all()
    assert found["bias"]["equal weights against it"] == pytest.approx(0.86, abs=0.06)


def test_guide_says_what_was_measured(health):
    guide = (addin_path() / "help" / "model-findings.md").read_text(encoding="utf-8")
    said = dict(re.findall(r"^\| ([^|]+) \| ([0-9.]+) \|$", guide, re.MULTILINE))
    factor = health.index.str.startswith("factor ")
    found = {
        "factors, on average": health["bias"][factor].mean(),
        **health["bias"][~factor],
    }
    assert said == {name: f"{bias:.2f}" for name, bias in found.items()}
    assert "0.96 to 1.04" in guide
    assert health.loc["universe", ["low", "high"]].tolist() == pytest.approx(
        [0.96, 1.04], abs=0.005
    )
