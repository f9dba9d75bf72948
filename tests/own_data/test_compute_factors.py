"""Own descriptors, exposures and scores in, factors out: each route against other code."""

import httpx
import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy import stats
from serving import PATIENCE, listening

from tilt.api.app import create_app
from tilt.settings import Settings

RNG = np.random.default_rng(17)
NAMES = [f"N{i:02d}" for i in range(80)]
DAYS = pd.bdate_range("2021-01-04", periods=3)
CAPS = pd.Series(np.exp(RNG.normal(9, 1, 80)), NAMES)
INDUSTRY = pd.Series([("Energy", "Tech", "Banks")[i % 3] for i in range(80)], NAMES)
STYLES = pd.DataFrame(RNG.standard_normal((80, 2)), NAMES, ["Size", "Value"])
RETURNS = pd.DataFrame(0.02 * RNG.standard_normal((3, 80)), DAYS, NAMES)


@pytest.fixture(scope="module")
def ask(tmp_path_factory):
    """Ask a server whose store is empty: these routes need none."""
    folder = tmp_path_factory.mktemp("own")
    with (
        listening(create_app(Settings(data_url=str(folder)))) as address,
        httpx.Client(
            base_url=address, headers={"X-Tilt-Client": "tests"}, timeout=PATIENCE
        ) as http,
    ):
        yield lambda path, **body: http.post(f"/api/v1/compute/{path}", json=body)


@pytest.fixture(scope="module")
def ok(ask):
    def asked(path, **body):
        answer = ask(path, **body)
        assert answer.status_code == 200, answer.text
        assert set(answer.json()) == {"result", "run_id", "conventions", "notes"}
        return answer.json()["result"]

    return asked


def split(frame):
    labels = [f"{i:%Y-%m-%d}" if isinstance(i, pd.Timestamp) else str(i) for i in frame.index]
    values = [[None if np.isnan(v) else float(v) for v in row] for row in frame.to_numpy()]
    return {"index": labels, "columns": list(frame.columns), "data": values}


def series(values):
    return {"index": list(values.index), "data": [float(v) for v in values]}


def table(body):
    return pd.DataFrame(body["data"], body["index"], body["columns"], dtype=float)


def regress(**more):
    return {
        "returns": split(RETURNS), "exposures": split(STYLES), "caps": series(CAPS),
        "industries": dict(INDUSTRY), **more,
    }  # fmt: skip


def test_exposures_have_cap_weighted_mean_zero_and_deviation_one(ok):
    raw = STYLES.copy()
    raw.iloc[3, 0] = np.nan
    found = ok("exposures", descriptors=split(raw), caps=series(CAPS))
    z = table(found["exposures"])
    np.testing.assert_allclose(CAPS @ z["Value"], 0, atol=1e-8)
    assert z["Value"].std() == pytest.approx(1)
    assert np.isnan(z.loc["N03", "Size"])
    assert found["coverage"]["Size"] == pytest.approx(79 / 80)
    assert found["vif"]["Value"] >= 1


def test_composites_neutral_and_orthogonal_scores_are_options(ok):
    options = {
        "composites": {"A": {"Size": 1.0}, "B": {"Size": 0.5, "Value": 0.5}},
        "orthogonal": {"B": ["A"]},
        "neutral": True,
        "winsorize": "percentile",
    }
    found = ok(
        "exposures", descriptors=split(STYLES), caps=series(CAPS), groups=dict(INDUSTRY),
        options=options,
    )  # fmt: skip
    z = table(found["exposures"])
    fit = sm.WLS(z["B"], sm.add_constant(z["A"]), weights=np.sqrt(CAPS)).fit()
    assert fit.params["A"] == pytest.approx(0, abs=1e-10)


def test_factor_returns_are_those_of_statsmodels(ok):
    found = ok("factor-returns", **regress())
    design = pd.concat([pd.get_dummies(INDUSTRY).astype(float), STYLES], axis=1)
    returns, t = table(found["factor_returns"]), table(found["t_values"])
    for day in DAYS:
        fit = sm.WLS(RETURNS.loc[day], design, weights=np.sqrt(CAPS)).fit(cov_type="HC1")
        name = f"{day:%Y-%m-%d}"
        np.testing.assert_allclose(
            returns.loc[name, ["Size", "Value"]], fit.params[["Size", "Value"]]
        )
        np.testing.assert_allclose(t.loc[name, ["Size", "Value"]], fit.tvalues[["Size", "Value"]])
    pure = table(found["pure"]["2021-01-04"])
    np.testing.assert_allclose(pure.loc["Value"] @ STYLES, [0, 1], atol=1e-10)


def test_asset_without_a_return_is_left_out_of_its_date(ok):
    holed = RETURNS.copy()
    holed.iloc[1, 5] = np.nan
    found = ok("factor-returns", **regress(returns=split(holed)))
    u = table(found["specific_returns"])
    assert np.isnan(u.loc["2021-01-05", "N05"])
    assert u.drop(columns="N05").notna().all(axis=None)


def test_exposures_and_caps_may_change_by_date(ok):
    tables = {f"{d:%Y-%m-%d}": split(STYLES * (i + 1)) for i, d in enumerate(DAYS)}
    caps = pd.DataFrame([CAPS] * 3, DAYS)
    one = table(ok("factor-returns", **regress())["factor_returns"])
    found = ok("factor-returns", **regress(exposures=tables, caps=split(caps)))
    many = table(found["factor_returns"])
    np.testing.assert_allclose(many["Value"], one["Value"] / [1, 2, 3])


def test_robust_and_thin_industries_are_options(ok):
    wild = RETURNS.copy()
    wild.iloc[0, 7] = 3.0
    plain = table(ok("factor-returns", **regress(returns=split(wild)))["factor_returns"])
    calm = table(
        ok("factor-returns", **regress(returns=split(wild), options={"robust": True}))[
            "factor_returns"
        ]
    )
    quiet = table(ok("factor-returns", **regress())["factor_returns"])
    off = [(x.iloc[0] - quiet.iloc[0]).abs().sum() for x in (calm, plain)]
    assert off[0] < off[1]
    split_up = INDUSTRY.copy()
    split_up.iloc[:2] = "Gold"
    parents = dict.fromkeys(NAMES, "Energy")
    found = ok("factor-returns", **regress(industries=dict(split_up), options={"parents": parents}))
    assert "Gold" not in found["factor_returns"]["columns"]


def test_evaluation_agrees_with_scipy(ok):
    days = pd.bdate_range("2021-01-04", periods=30)
    x = pd.DataFrame(RNG.standard_normal((30, 80)), days, NAMES)
    y = pd.DataFrame(RNG.standard_normal((30, 80)), days, NAMES[::-1])
    found = ok("evaluate", exposure=split(x), forward_returns=split(y), quantiles=4)
    expected = [stats.spearmanr(x.loc[d], y.loc[d, NAMES]).statistic for d in days]
    np.testing.assert_allclose(found["rank_ic"]["data"], expected, atol=1e-12)
    assert found["summary"]["rank_ic"]["observations"] == 30
    q = table(found["quantile_returns"])
    np.testing.assert_allclose(q["spread"], q["4"] - q["1"])
    top = x.iloc[0].rank() > 60
    assert q["4"].iloc[0] == pytest.approx(y.iloc[0][NAMES][top.to_numpy()].mean())


@pytest.mark.parametrize(
    ("path", "body", "message"),
    [
        ("exposures", {"descriptors": split(STYLES), "caps": series(CAPS[1:])}, "for N00"),
        (
            "exposures",
            {
                "descriptors": split(STYLES), "caps": series(CAPS),
                "options": {"composites": {"F": {"Valeu": 1}}},
            },
            "Did you mean 'Value'",
        ),
        (
            "exposures",
            {"descriptors": split(STYLES), "caps": series(CAPS), "options": {"neutral": True}},
            "groups is missing",
        ),
        ("factor-returns", regress(exposures=split(STYLES[:20])), "20 assets are too few"),
        ("factor-returns", regress(exposures={"2021-01-04": split(STYLES)}), "2021-01-05"),
        ("factor-returns", regress(options={"robuts": True}), "robuts"),
        (
            "evaluate",
            {"exposure": split(RETURNS), "forward_returns": split(RETURNS[NAMES[1:]])},
            "forward_returns has no 'N00'",
        ),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(ask, path, body, message):
    answer = ask(path, **body)
    assert answer.status_code in (400, 422), answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert message in answer.text
