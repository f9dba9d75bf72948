"""Own data in, numbers out: each route against a computation of its own."""

import cvxpy as cp
import httpx
import numpy as np
import pandas as pd
import pytest
from serving import PATIENCE, listening

from tilt.api.app import create_app
from tilt.settings import Settings

RNG = np.random.default_rng(4)
DAYS = pd.bdate_range("2020-01-01", periods=600)
NAMES = ["AA", "BB", "CC", "DD", "EE", "FF"]
RETURNS = pd.DataFrame(
    RNG.normal(0.0004, 0.01, (600, 1)) + RNG.normal(0, 0.012, (600, 6)), DAYS, NAMES
)
COV = RETURNS.cov()
EQUAL = pd.Series(1 / 6, NAMES)


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


@pytest.fixture(scope="module")
def refused(ask):
    def asked(path, **body):
        answer = ask(path, **body)
        assert answer.status_code in (400, 404, 422), answer.text
        assert answer.headers["content-type"] == "application/problem+json"
        return answer.text

    return asked


def split(frame):
    labels = [f"{i:%Y-%m-%d}" if isinstance(i, pd.Timestamp) else str(i) for i in frame.index]
    values = [[None if np.isnan(v) else float(v) for v in row] for row in frame.to_numpy()]
    return {"index": labels, "columns": list(frame.columns), "data": values}


def column(series):
    index = [f"{i:%Y-%m-%d}" if isinstance(i, pd.Timestamp) else str(i) for i in series.index]
    return {"index": index, "data": [float(v) for v in series]}


def frame(body):
    return pd.DataFrame(body["data"], index=body["index"], columns=body["columns"])


def test_statistics_by_plain_formulas(ok):
    r, b = RETURNS["AA"], RETURNS["BB"]
    found = ok("statistics", returns=column(r), benchmark=column(b), risk_free=0.02)["measures"]
    rf = 1.02 ** (1 / 252) - 1
    assert found["volatility"] == pytest.approx(r.std() * np.sqrt(252))
    assert found["sharpe"] == pytest.approx(np.sqrt(252) * (r - rf).mean() / r.std())
    assert found["cagr"] == pytest.approx(float(np.prod(1 + r)) ** (252 / 600) - 1)
    assert found["tracking_error"] == pytest.approx((r - b).std() * np.sqrt(252))
    level = np.concatenate([[1.0], np.cumprod(1 + r)])
    assert found["max_drawdown"] == pytest.approx((level / np.maximum.accumulate(level) - 1).min())


@pytest.mark.parametrize("estimator", ["sample", "ewma", "ledoit_wolf", "oas", "pca"])
def test_covariance_is_per_period(ok, estimator):
    found = frame(ok("covariance", returns=split(RETURNS), estimator=estimator)["covariance"])
    assert list(found.index) == NAMES
    if estimator == "sample":
        np.testing.assert_allclose(found, COV, rtol=1e-9)
    assert np.linalg.eigvalsh(found).min() > 0
    assert np.diag(found) == pytest.approx(np.diag(COV), rel=0.5)


def test_risk_by_the_full_matrix(ok):
    w = pd.Series([0.5, 0.3, 0.1], NAMES[:3])
    found = ok("risk", weights=column(w), benchmark=column(EQUAL), covariance=split(COV))
    a = w.reindex(NAMES, fill_value=0) - EQUAL
    te = np.sqrt(252 * a @ COV @ a)
    assert found["totals"]["tracking_error"] == pytest.approx(te)
    assert found["totals"]["volatility"] == pytest.approx(
        np.sqrt(252 * w @ COV.loc[w.index, w.index] @ w)
    )
    beta = w @ COV.loc[w.index] @ EQUAL / (EQUAL @ COV @ EQUAL)
    assert found["totals"]["beta"] == pytest.approx(beta)
    table = frame(found["by_name"])
    mctr = 252 * (COV @ a) / te
    np.testing.assert_allclose(table.loc[NAMES, "mctr"].astype(float), mctr, rtol=1e-7)
    np.testing.assert_allclose(table.loc[NAMES, "ctr"].astype(float), mctr * a, rtol=1e-7)
    assert table["pct"].astype(float)[NAMES].sum() == pytest.approx(1.0)


def test_risk_of_months_is_annualized_with_twelve(ok):
    daily = ok("risk", weights=column(EQUAL), covariance=split(COV))["totals"]
    monthly = ok(
        "risk", weights=column(EQUAL), covariance=split(COV), periods_per_year=12
    )["totals"]  # fmt: skip
    assert monthly["volatility"] == pytest.approx(daily["volatility"] * np.sqrt(12 / 252))
    assert monthly["var95"] == pytest.approx(1.6448536 * np.sqrt(EQUAL @ COV @ EQUAL), rel=1e-6)


def factor_model():
    x = pd.DataFrame(RNG.normal(0, 1, (6, 2)), NAMES, ["Value", "Size"])
    f = pd.DataFrame([[4e-5, 1e-5], [1e-5, 9e-5]], x.columns, x.columns)
    d = pd.Series(np.linspace(1e-4, 2e-4, 6), NAMES)
    return x, f, d


def test_risk_by_a_factor_model_is_that_of_its_full_matrix(ok):
    x, f, d = factor_model()
    sent = {"exposures": split(x), "factor_cov": split(f), "specific_var": column(d)}
    full = x @ f @ x.T + np.diag(d)
    by_model = ok("risk", weights=column(EQUAL), **sent)
    by_matrix = ok("risk", weights=column(EQUAL), covariance=split(full))
    assert by_model["totals"]["volatility"] == pytest.approx(by_matrix["totals"]["volatility"])
    table = frame(by_model["by_factor"])
    y = x.T @ EQUAL
    vol = np.sqrt(252 * EQUAL @ full @ EQUAL)
    for name in x.columns:
        assert table.loc[name, "ctr"] == pytest.approx(252 * y[name] * (f @ y)[name] / vol)
    assert table.loc["Specific", "ctr"] == pytest.approx(252 * (EQUAL**2 @ d) / vol)
    assert by_matrix["by_factor"] is None


def test_optimize_agrees_with_a_model_written_in_cvxpy(ok):
    rules = [
        {"rule": "weight", "who": "*", "min": 0, "max": 0.3},
        {"rule": "sector", "who": "Tech", "max": 0.4},
    ]
    sectors = {"AA": "Tech", "BB": "Tech", "CC": "Oil", "DD": "Oil", "EE": "Oil", "FF": "Tech"}
    found = ok(
        "optimize", objective="min_risk", covariance=split(COV), constraints=rules,
        groups={"sector": sectors},
    )  # fmt: skip
    w = cp.Variable(6)
    tech = [0, 1, 5]
    cp.Problem(
        cp.Minimize(cp.quad_form(w, 252 * COV.to_numpy())),
        [cp.sum(w) == 1, w >= 0, w <= 0.3, cp.sum(w[tech]) <= 0.4],
    ).solve(solver=cp.CLARABEL)
    assert found["status"] == "optimal"
    got = pd.Series(found["weights"]["data"], found["weights"]["index"])
    np.testing.assert_allclose(got.reindex(NAMES).fillna(0), w.value, atol=1e-4)
    least = float(np.sqrt(252 * w.value @ COV.to_numpy() @ w.value))
    assert found["objective"] == pytest.approx(least, rel=1e-6)


def test_an_impossible_problem_is_answered_with_its_conflict(ok):
    rules = [["rule", "who", "min", "max"], ["weight", "*", 0, 0.1]]
    found = ok("optimize", objective="min_risk", covariance=split(COV), constraints=rules)
    assert found["status"] == "infeasible"
    assert found["weights"] is None
    assert found["conflict"]
    assert any("60" in line for line in found["explanation"])  # six names of 10 % hold 60 %


def test_optimize_takes_a_benchmark_and_expected_returns(ok):
    alpha = pd.Series([0.1, 0, 0, 0, 0, 0], NAMES)
    found = ok(
        "optimize", objective="max_return", covariance=split(COV), benchmark=column(EQUAL),
        expected_returns=column(alpha), current=column(EQUAL),
        constraints=[{"rule": "tracking_error", "max": 0.02}],
    )  # fmt: skip
    got = pd.Series(found["weights"]["data"], found["weights"]["index"]).reindex(NAMES).fillna(0)
    a = got - EQUAL
    assert np.sqrt(252 * a @ COV @ a) == pytest.approx(0.02, rel=1e-4)
    assert got["AA"] > EQUAL["AA"]


def test_backtest_of_rebalanced_weights_by_hand(ok):
    prices = 100 * (1 + RETURNS.iloc[:60]).cumprod()
    found = ok(
        "backtest", prices=split(prices), weights=column(pd.Series([0.6, 0.4], NAMES[:2])),
        costs_bps=0, rebalance="D", lag=1,
    )  # fmt: skip
    series = frame(found["series"])
    expected = 0.6 * RETURNS["AA"] + 0.4 * RETURNS["BB"]
    dates = pd.to_datetime(series["date"]).iloc[1:]
    held = RETURNS.index.get_indexer(dates)
    np.testing.assert_allclose(
        series["return"].iloc[1:].astype(float), expected.iloc[held], rtol=1e-9, atol=1e-12
    )


def test_a_backtest_of_returns_is_that_of_their_prices(ok):
    window = RETURNS.iloc[:80]
    prices = 100 * (1 + window).cumprod()
    first = pd.DataFrame(100.0, [window.index[0] - pd.Timedelta(days=1)], NAMES)
    sent = {"strategy": "equal_weight", "rebalance": "M"}
    by_returns = ok("backtest", returns=split(window), **sent)
    by_prices = ok("backtest", prices=split(pd.concat([first, prices])), **sent)
    a, b = (frame(found["series"])["nav"].astype(float) for found in (by_returns, by_prices))
    np.testing.assert_allclose(a, b, rtol=1e-9)


def test_dated_weights_trade_on_their_dates_alone(ok):
    weights = pd.DataFrame([[0.5, 0.5], [1.0, 0.0]], [DAYS[5], DAYS[25]], columns=NAMES[:2])
    prices = 100 * (1 + RETURNS.iloc[:60]).cumprod()
    found = ok("backtest", prices=split(prices), weights=split(weights), costs_bps=10)
    traded = sorted(set(frame(found["trades"])["date"]))
    assert traded == [f"{DAYS[6]:%Y-%m-%d}", f"{DAYS[26]:%Y-%m-%d}"]


def test_attribution_sums_to_the_compounded_active_return(ok):
    months = pd.date_range("2020-01-31", periods=6, freq="ME")

    def weights():
        w = RNG.random((6, 3))
        return pd.DataFrame(w / w.sum(axis=1, keepdims=True), months, ["A", "B", "C"])

    def returns():
        return pd.DataFrame(RNG.normal(0.01, 0.03, (6, 3)), months, ["A", "B", "C"])

    wp, wb, rp, rb = weights(), weights(), returns(), returns()
    for link in ("carino", "menchero", "grap", "frongello"):
        found = ok(
            "attribution", portfolio_weights=split(wp), benchmark_weights=split(wb),
            portfolio_returns=split(rp), benchmark_returns=split(rb), link=link,
        )  # fmt: skip
        active = np.prod(1 + (wp * rp).sum(axis=1)) - np.prod(1 + (wb * rb).sum(axis=1))
        assert frame(found["groups"]).loc["Total", "total"] == pytest.approx(active, abs=1e-12)
        assert frame(found["groups"]).loc["Residual", "total"] == pytest.approx(0, abs=1e-12)


def test_regression_solves_least_squares(ok):
    factors = RETURNS[["BB", "CC"]]
    found = frame(ok("regression", returns=column(RETURNS["AA"]), factors=split(factors))
                  ["coefficients"])  # fmt: skip
    x = np.column_stack([np.ones(600), factors])
    b = np.linalg.lstsq(x, RETURNS["AA"], rcond=None)[0]
    assert found.loc["BB", "coefficient"] == pytest.approx(b[1])
    assert found.loc["alpha", "coefficient"] == pytest.approx(252 * b[0])


def test_the_same_question_has_the_same_id_and_another_has_another(ask):
    asked = [ask("risk", weights=column(EQUAL), covariance=split(c)).json()["run_id"]
             for c in (COV, COV, 2 * COV)]  # fmt: skip
    assert asked[0] == asked[1] != asked[2]


def wrong(name, value):
    changed = COV.copy()
    changed.loc[name] = value
    return split(changed)


@pytest.mark.parametrize(
    ("path", "body", "words"),
    [
        ("risk", {"weights": column(EQUAL)}, "Send either covariance"),
        ("risk", {"weights": column(EQUAL), "covariance": wrong("AA", 1.0)}, "not symmetric: "),
        ("risk", {"weights": column(EQUAL), "covariance": split(-COV)}, "negative risk"),
        ("risk", {"weights": column(EQUAL), "covariance": split(COV * np.nan)}, "is missing"),
        (
            "risk",
            {"weights": column(pd.Series({"ZZ": 1.0})), "covariance": split(COV)},
            "weights has 'ZZ', which the risk model has not",
        ),
        (
            "risk",
            {"weights": column(EQUAL), "covariance": split(COV.iloc[:5])},
            "covariance.index has no 'FF'",
        ),
        ("risk", {"weights": column(EQUAL), "covariance": split(COV), "cov": 1}, "cov"),
        ("covariance", {"returns": split(RETURNS.iloc[:10])}, "at least 20"),
        ("covariance", {"returns": split(RETURNS), "estimator": "garch"}, "estimator"),
        (
            "covariance",
            {"returns": {"index": ["x"], "columns": ["A"], "data": [[0.1]]}},
            "'x' is no date",
        ),
        (
            "covariance",
            {"returns": {"index": ["2020-01-01"], "columns": ["A", "A"], "data": [[0, 0]]}},
            "'A' is there twice",
        ),
        (
            "covariance",
            {"returns": {"index": ["2020-01-01"], "columns": ["A", "B"], "data": [[0]]}},
            "row 1 has 1 values for 2 columns",
        ),
        (
            "exposures",
            {
                "descriptors": {"index": [], "columns": ["value"], "data": []},
                "caps": column(pd.Series({"AA": 1.0})),
            },
            "descriptors.index is empty",
        ),
        ("backtest", {"prices": split(-RETURNS), "strategy": "equal_weight"}, "above zero"),
        ("backtest", {"prices": split(1 + RETURNS)}, "either weights or strategy"),
        (
            "backtest",
            {"prices": split(1 + RETURNS), "weights": column(pd.Series({"ZZ": 1.0}))},
            "weights has 'ZZ', which has no price",
        ),
        (
            "optimize",
            {"objective": "min_rsk", "covariance": split(COV)},
            "min_risk",
        ),
        (
            "optimize",
            {"objective": "min_risk", "covariance": split(COV), "constraints": [{"role": 1}]},
            "'role'",
        ),
        (
            "optimize",
            {"objective": "min_risk", "covariance": split(COV), "groups": {"secter": {}}},
            "secter",
        ),
    ],
)
def test_what_does_not_fit_is_named(refused, path, body, words):
    assert words in refused(path, **body)
