"""A universe by its name wherever a function takes holdings, a benchmark or a universe."""

import httpx
import pandas as pd
import pytest
from serving import PATIENCE

from tilt.data.rules import Rule, Universe

HOLDINGS = {  # every cell that takes holdings or a benchmark, with a universe's name for each
    "exposure": ["LARGEST", "Size"],
    "exposures": ["LARGEST", "SMALLER"],
    "risk": ["LARGEST", "tracking_error", None, "SMALLER"],
    "risk_table": ["LARGEST", None, None, "SMALLER"],
    "var": ["LARGEST"],
    "stress": ["LARGEST", [["Market", -0.1]], None, "SMALLER"],
    "liquidity": ["LARGEST", 1e9],
    "whatif": ["LARGEST", [["AAPL", 0.01]], "SMALLER"],
    "compare": ["LARGEST", "SMALLER"],
    "summary": ["LARGEST", "SMALLER"],
    "optimize": ["min_te", "LARGEST", None, "SMALLER", None, None, "summary"],
    "backtest": ["LARGEST", "2016-01-04", "2016-06-30", "M", None, "SMALLER"],
}
UNIVERSES = {  # every cell that takes a universe
    "members": ["LARGEST"],
    "security": ["AAPL", "name", None, "LARGEST"],
    "asof": ["LARGEST"],
    "exposures": ["SAMPLE", None, None, "LARGEST"],
    "factor_returns": ["Value", "2017-01-03", None, None, "LARGEST"],
    "risk": ["SAMPLE", "volatility", None, None, "LARGEST"],
    "risk_table": ["SAMPLE", None, None, None, "LARGEST"],
    "covariance": ["AAPL,MSFT", None, "LARGEST"],
    "check": ["SAMPLE", "LARGEST"],
    "quality": ["LARGEST"],
}


@pytest.fixture(scope="module")
def universes(pane_store):
    """Two universes made by rules."""
    for name, top in (("LARGEST", 50), ("SMALLER", 100)):
        pane_store.save_universe(
            Universe(name=name, parent="US_LARGE_CAP", rule=Rule(top=top, rebalance="Q"))
        )
    yield ["LARGEST", "SMALLER"]
    for name in ("LARGEST", "SMALLER"):
        pane_store.delete_universe(name)


@pytest.fixture
def ask(pane_address, universes):
    """Return a function that calls a cell, and waits for what takes long."""
    assert universes

    def cell(name, arguments):
        given = [a if a is None or isinstance(a, list) else [[a]] for a in arguments]
        calls = [{"func_name": name, "args": given, "runtime": "1.4"}]
        answer = httpx.post(
            f"{pane_address}/xlwings/custom-functions-batch",
            json={"calls": calls, "wait": 60},
            headers={"X-Tilt-Client": "tests"},
            timeout=PATIENCE,
        )
        (said,) = answer.json()["results"]
        assert "result" in said, said
        return said["result"]

    return cell


@pytest.mark.parametrize("name", HOLDINGS)
def test_a_universe_made_by_a_rule_is_holdings_and_benchmark_everywhere(ask, name):
    shown = ask(name, HOLDINGS[name])
    numbers = [c for row in shown for c in row if isinstance(c, float) and c == c]
    assert any(numbers), "not one number that is not zero"


@pytest.mark.parametrize("name", UNIVERSES)
def test_a_universe_made_by_a_rule_is_a_universe_everywhere(ask, name):
    assert len(ask(name, UNIVERSES[name])) >= 1


def test_a_back_test_of_a_universe_is_that_universe_through_time(ask, pane_store):
    same = ask("backtest", ["SMALLER", "2016-01-04", "2016-06-30", "D", None, "SMALLER", None,
                            "cost_bps=0;lag=0"])  # fmt: skip
    stats = {row[0]: row[1:4] for row in same}
    assert stats["total_return"][0] == pytest.approx(stats["total_return"][1], abs=2e-4)
    smaller = pane_store.panel("SMALLER")
    first = smaller.trading_day(pd.Timestamp("2016-01-04"))
    bought = {
        row[1]: row[2]
        for row in ask("backtest", ["SMALLER", "2016-01-04", "2016-02-29", "Q", None, "SMALLER",
                                    "weights", "cost_bps=0;lag=0"])[1:]
    }  # fmt: skip
    members = smaller.cap_weights(first)
    assert set(bought) == set(members[members > 0].index)
    assert sum(bought.values()) == pytest.approx(1)


def test_the_assumptions_of_a_back_test_name_its_universes(ask):
    said = {
        row[0]: row[1]
        for row in ask(
            "backtest", ["LARGEST", "2016-01-04", "2016-03-31", "M", None, "SMALLER", "assumptions"]
        )
    }
    assert said["strategy"] == "cap_weight of 'LARGEST'"
    assert said["benchmark"].startswith("cap-weighted 'SMALLER'")
