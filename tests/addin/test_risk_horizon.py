"""The horizon of the risk model, chosen in a cell."""

import numpy as np
import pytest
from cell_tables import frame

from tilt.portfolio.holdings import parse_holdings
from tilt.risk.measures import risk_measure
from tilt.risk.model import estimate_model

RANGE = [["ticker", "weight"], ["AAPL", 0.4], ["XOM", 0.35], ["JPM", 0.25]]


def test_long_horizon_is_the_model_of_the_long_memory(excel, panel, store):
    held = parse_holdings(RANGE, panel, panel.as_of, saved=store.portfolio).weights
    asked = (RANGE, "volatility", None, "NONE")
    found = {
        horizon: float(excel("risk", *asked, None, f"horizon={horizon}")[0][0])
        for horizon in ("short", "long")
    }
    for horizon, value in found.items():
        model = estimate_model(panel.factors, panel.as_of, horizon=horizon)
        assert value == pytest.approx(risk_measure(model, held, None, "volatility"), rel=1e-9)
    assert found["short"] == pytest.approx(float(excel("risk", *asked)[0][0]), rel=1e-12)
    assert not np.isclose(found["short"], found["long"])
    table = frame(excel("risk_table", RANGE, "summary", None, "NONE", None, "horizon=long"))
    assert float(table["ctr"].iloc[-1]) == pytest.approx(found["long"], rel=1e-9)


def test_unknown_horizon_names_the_known_ones(excel):
    _, message = excel.error("risk", RANGE, "volatility", None, None, None, "horizon=lnog")
    assert "short, long" in message
