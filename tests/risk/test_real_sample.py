"""The embedded sample, looked at as a risk manager would."""

import itertools

import numpy as np
import pandas as pd
import pytest

from tilt.data.store import Store
from tilt.factors.build import pure_at
from tilt.factors.descriptors import market_return
from tilt.factors.groups import Groups
from tilt.factors.history import estimate_history
from tilt.factors.regression import cross_sections, merge_thin
from tilt.factors.styles import STYLES
from tilt.frames import FactorHistory, Panel
from tilt.refresh.estimates import kept_past
from tilt.risk.health import forecast_health, least_variance
from tilt.risk.measures import GROUPINGS, exposure_table, risk_measure, risk_table
from tilt.risk.model import RiskModel, estimate_model
from tilt.settings import addin_path

GUIDE = addin_path() / "help" / "model-findings.md"
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
def models(panel: Panel, store: Store) -> tuple[RiskModel, ...]:
    kept = kept_past(store, panel)
    assert kept is not None
    return kept


def portfolios_of(panel: Panel, model: RiskModel) -> dict[str, "pd.Series[float]"]:
    chosen = np.random.default_rng(0).choice(panel.assets, 60, replace=False)
    b = panel.cap_weights(model.date)
    b = b[b.index.isin(model.assets)]
    b = b / b.sum()
    held = b.index.intersection(chosen)
    alpha = np.random.default_rng(model.date.toordinal()).standard_normal(len(b))
    return {
        "universe": b,
        "60 names against it": pd.Series(1 / len(held), held).sub(b, fill_value=0),
        "equal weights against it": 1 / len(b) - b,
        "least variance": least_variance(model, pd.Series(1.0, b.index)),
        "optimized for random alphas": least_variance(
            model, pd.Series(alpha - alpha.mean(), b.index)
        ),
    }


@pytest.fixture(scope="module")
def health(panel: Panel, history: FactorHistory, models: tuple[RiskModel, ...]) -> pd.DataFrame:
    """How the forecasts of every month turned out, by name."""
    return forecast_health(
        models, history, panel.returns, lambda model: portfolios_of(panel, model)
    ).set_index("name")


def test_forecasts_of_portfolios_came_true(health):
    found = health[~health.index.str.startswith("factor ")]
    assert (found["days"] == 1009).all()
    # 0.045 for a perfect forecast of normal returns; these have fat tails
    assert found["bias"].drop("equal weights against it").between(0.88, 1.12).all()
    assert found["bias"]["equal weights against it"] == pytest.approx(0.86, abs=0.06)


def said(first: str) -> dict[str, list[str]]:
    """Return the rows of the guide's table whose heading starts so, by their first cell."""
    lines = GUIDE.read_text(encoding="utf-8").splitlines()
    begin = next(i for i, line in enumerate(lines) if line.startswith(first)) + 2
    rows = itertools.takewhile(lambda line: line.startswith("|"), lines[begin:])
    cells = ([cell.strip() for cell in row.strip("|").split("|")] for row in rows)
    return {name: rest for name, *rest in cells}


def test_guide_says_what_was_measured(health):
    factor = health.index.str.startswith("factor ")
    found = {
        "factors, on average": health["bias"][factor].mean(),
        **health["bias"][~factor],
    }
    assert said("| portfolio | bias |") == {n: [f"{bias:.2f}"] for n, bias in found.items()}
    assert "0.96 to 1.04" in GUIDE.read_text(encoding="utf-8")
    assert health.loc["universe", ["low", "high"]].tolist() == pytest.approx(
        [0.96, 1.04], abs=0.005
    )
    alone = health[factor]
    right = int(alone["bias"].between(alone["low"], alone["high"]).sum())
    assert f"{right} of {len(alone)} factors" in plain_guide()


def plain_guide() -> str:
    return " ".join(GUIDE.read_text(encoding="utf-8").split())


def test_guide_says_why_active_portfolios_were_forecast_too_high(panel, history, models):
    """Their own part, once more without what pure factor portfolios carry of it already."""
    parts: dict[str, list[np.ndarray]] = {}
    ends = [*(m.date for m in models[1:]), history.dates[-1]]
    for model, end in zip(models, ends, strict=True):
        after = history.dates[(history.dates > model.date) & (history.dates <= end)]
        x, f = model.exposures.to_numpy(), model.factor_cov.to_numpy()
        row = history.dates.get_loc(model.date)
        rows = history.factors.index.get_indexer(model.exposures.columns)
        place = history.assets.get_indexer(model.assets)
        pure = pure_at(panel, history, row)[np.ix_(rows, place)]
        returns = history.returns.loc[after, model.exposures.columns].to_numpy()
        u = history.specific_returns.loc[after, model.assets].fillna(0.0).to_numpy()
        r = panel.returns.loc[after, model.assets].fillna(0.0).to_numpy()
        for name, weights in portfolios_of(panel, model).items():
            w = weights.reindex(model.assets).fillna(0.0).to_numpy()
            y = x.T @ w
            left = w - pure.T @ y
            factor = y @ f @ y
            own, less = w @ model.specific_times(w), left @ model.specific_times(left)
            squares = [
                (returns @ y) ** 2 / factor,
                (u @ w) ** 2 / own,
                np.full(len(after), own / (factor + own)),
                (r @ w) ** 2 / (factor + less),
            ]
            parts.setdefault(name, []).append(np.column_stack(squares))
    found = {}
    for name, blocks in parts.items():
        by_factor, own, share, once = np.vstack(blocks).mean(axis=0)
        found[name] = [
            f"{np.sqrt(by_factor):.2f}",
            f"{np.sqrt(own):.2f}",
            f"{100 * share:.0f} %",
            f"{np.sqrt(once):.2f}",
        ]
    assert said("| portfolio | factors' part |") == found


def test_guide_says_how_much_of_a_styles_variance_is_the_noise_of_its_names(history):
    error = (history.returns / history.t_stats) ** 2
    noise = (error.mean() / (history.returns**2).mean())[history.style_names]
    assert f"more than half of the variance of {(noise > 0.5).sum()} of the" in plain_guide()
    least, most = noise.idxmin(), noise.idxmax()
    assert f"from {100 * noise[least]:.0f} % of {least} to {100 * noise[most]:.0f} % of {most}" in (
        plain_guide()
    )


def test_guide_says_how_alike_share_classes_are(history):
    company = history.issuer[history.issuer.duplicated(keep=False) & history.issuer.ne("")]
    pairs = [list(g.index) for _, g in company.groupby(company)]
    found = sorted(history.specific_returns[p].corr().iloc[0, 1] for p in pairs)
    assert len(found) == 4
    assert f"{found[0]:.2f} to {found[-1]:.2f}" in plain_guide()


def test_guide_says_what_industries_would_explain_beyond_sectors(panel, history):
    first = panel.dates.get_loc(history.dates[0])
    securities = panel.securities.reindex(panel.assets)
    cap = history.market_cap.to_numpy()[:-1]
    member = panel.member.to_numpy(dtype=bool)[first:-1]
    inside = member & (cap > 0) & securities["sector"].notna().to_numpy()
    caps = pd.Series(cap[0], panel.assets)[inside[0]]  # thin by what is known at the beginning
    kept = merge_thin(
        securities["industry"][caps.index], securities["sector"][caps.index], caps
    ).unique()
    industry = securities["industry"]
    finer = industry.where(industry.isin(kept), securities["sector"])
    found = []
    for labels in (securities["sector"], finer):
        fit = cross_sections(
            panel.returns.to_numpy()[first + 1 :],
            history.styles[:-1],
            cap,
            inside,
            Groups.of(labels),
            tuple(history.style_names),
        )
        u = np.nan_to_num(fit.specific_returns)
        same = (industry.to_numpy()[:, None] == industry.to_numpy()[None, :]) & (
            industry.notna().to_numpy()[:, None]
        )
        whole = np.isfinite(fit.specific_returns).mean(axis=0) > 0.9
        same &= whole[:, None] & whole[None, :]
        np.fill_diagonal(same, val=False)
        z = u / np.where(u.std(axis=0) > 0, u.std(axis=0), 1.0)
        found.append((np.nanmean(fit.r2), ((z.T @ z) / len(z))[same].mean()))
    (plain, together), (more, apart) = found
    assert f"from {plain:.2f} to {more:.2f}" in plain_guide()
    assert f"from {together:.2f} to {abs(apart):.2f}" in plain_guide()
    assert f"{len({*finer.dropna()})} groups" in plain_guide()
