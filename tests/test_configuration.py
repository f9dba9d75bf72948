"""A configuration says what it does not understand, keeps what it is given, and has a stable id."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tilt.configuration import Configuration, json_schema, read_configuration, saved
from tilt.data.store import Store
from tilt.errors import ArgumentError, UnknownNameError
from tilt.factors.styles import STYLES
from tilt.optimize.constraints import KINDS, parse_rules
from tilt.optimize.options import read_options
from tilt.optimize.terms import OBJECTIVES
from tilt.settings import Settings

FULL = {
    "model": {
        "params": {"universe": "US_LARGE_CAP", "factors": ["Value", "Momentum"], "horizon": "long"},
        "backtest": {"start": "2013-01-02", "rebalance": "drift:0.05", "cost_bps": 5.0, "lag": 0},
        "regime": {"series": "Market", "states": 3},
        "export": {"format": "csv", "name": "monthly review"},
    },
    "optimization": {
        "objective": "max_utility",
        "constraints": [
            {"rule": "weight", "who": "*", "min": 0.0, "max": 0.05},
            {"rule": "sector", "who": "*", "min": -0.03, "max": 0.03, "relative": True},
            {"rule": "turnover", "max": 0.2, "priority": 10.0},
        ],
        "solver_settings": {"risk_aversion": 8.0, "time_limit": 30.0},
        "performance_targets": {"tracking_error": 0.02, "max_drawdown": -0.25},
    },
}


def refused(given) -> str:
    with pytest.raises(ArgumentError) as caught:
        read_configuration(given)
    return str(caught.value)


@pytest.fixture
def catalog(tmp_path):
    store = Store.open(Settings(data_url=str(tmp_path)))
    yield store.catalog
    store.close()


def test_a_configuration_comes_back_from_its_json_as_it_was():
    made = read_configuration(FULL)
    assert read_configuration(made.model_dump_json()) == made
    assert made.model.params.factors == ("Value", "Momentum")
    assert made.optimization.constraints[1].relative


def test_nothing_given_is_the_engines_defaults():
    made = read_configuration({})
    assert made.model.params.factors == tuple(s.name for s in STYLES)
    assert made.optimization.objective in OBJECTIVES
    assert read_options(made.optimization.options()) == read_options({})


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"modle": {}}, "'modle' is no key. Did you mean 'model'?"),
        (
            {"model": {"params": {"factrs": []}}},
            "'factrs' is no key of model.params. Did you mean 'factors'?",
        ),
        (
            {"optimization": {"constraints": [{"rule": "weight", "max": 1, "whom": "*"}]}},
            "'whom' is no key of optimization.constraints.0. Did you mean 'who'?",
        ),
        ({"optimization": {"objective": "min_tee"}}, "Did you mean 'min_te'?"),
        ({"model": {"params": {"factors": ["Valu"]}}}, "Did you mean 'Value'?"),
        ({"model": {"params": {"horizon": "shrt"}}}, "Did you mean 'short'?"),
        (
            {"optimization": {"constraints": [{"rule": "weigth", "max": 1}]}},
            "Did you mean 'weight'?",
        ),
        ({"optimization": {"constraints": [{"rule": "weight"}]}}, "has neither min nor max"),
        (
            {"optimization": {"constraints": [{"rule": "weight", "min": 0.2, "max": 0.1}]}},
            "min 0.2 of 'weight' is above max 0.1",
        ),
        ({"optimization": {"solver_settings": {"solver": "piq"}}}, "Did you mean 'piqp'?"),
        ({"model": {"backtest": {"rebalance": "fortnight"}}}, "model.backtest.rebalance"),
        (
            {"model": {"backtest": {"start": "2020-01-01", "end": "2019-01-01"}}},
            "start 2020-01-01 is after end 2019-01-01",
        ),
        ({"optimization": {"performance_targets": {"max_drawdown": 0.2}}}, "less than or equal"),
        ("{", "The configuration is no JSON"),
    ],
)
def test_what_is_not_understood_is_refused_with_its_place_and_the_nearest_name(given, said):
    assert said in refused(given)


def test_the_constraints_are_read_as_the_rules_of_the_engine(panel):
    grid = read_configuration(FULL).optimization.grid()
    rules = parse_rules(
        grid, securities=panel.securities, factors=panel.factors.factors.index, long_short=False
    )
    assert [(r.rule, r.high, r.relative) for r in rules] == [
        ("weight", 0.05, False),
        ("sector", 0.03, True),
        ("turnover", 0.2, False),
    ]
    assert rules[2].priority == 10.0


def test_the_id_depends_on_the_content_and_not_on_its_order_or_on_defaults_spelled_out():
    made = read_configuration(FULL)
    turned = {k: dict(reversed(v.items())) for k, v in reversed(FULL.items())}
    assert read_configuration(turned).id == made.id
    assert read_configuration(made.model_dump(mode="json")).id == made.id
    assert len(made.id) == 12
    assert made.id != read_configuration({}).id
    assert made.result_id("snapshot") != made.result_id("another")


@given(
    cap=st.floats(0.001, 1.0),
    objective=st.sampled_from(sorted(OBJECTIVES)),
    rule=st.sampled_from([*sorted(set(KINDS) - {"group"}), "group:desk"]),
)
def test_two_configurations_have_one_id_only_if_they_are_the_same(cap, objective, rule):
    given = {"objective": objective, "constraints": [{"rule": rule, "max": cap}]}
    made = read_configuration({"optimization": given})
    assert read_configuration(made.model_dump_json()).id == made.id
    other = {**given, "constraints": [{"rule": rule, "max": cap + 1e-9}]}
    assert read_configuration({"optimization": other}).id != made.id


def test_a_configuration_never_changes():
    with pytest.raises(ValueError, match="frozen"):
        read_configuration({}).model.params.horizon = "long"


def test_a_saved_configuration_is_found_whatever_the_case_and_replaced_by_its_name(catalog):
    first = saved.save(catalog, " Core ", read_configuration({}))
    second = saved.save(catalog, "CORE", read_configuration(FULL))
    assert first != second
    table = saved.listed(catalog)
    assert table[["name", "id"]].to_numpy().tolist() == [["CORE", second]]
    assert saved.read(catalog, "core") == read_configuration(FULL)
    saved.delete_saved(catalog, "core")
    assert saved.listed(catalog).empty


def test_an_unknown_configuration_is_refused_with_the_nearest_name(catalog):
    with pytest.raises(UnknownNameError, match="None is saved yet"):
        saved.read(catalog, "core")
    saved.save(catalog, "Core", Configuration())
    with pytest.raises(UnknownNameError, match=r"No configuration 'Coer'. Did you mean 'Core'?"):
        saved.delete_saved(catalog, "Coer")
    with pytest.raises(ArgumentError, match="1 to 200 characters"):
        saved.save(catalog, " ", Configuration())


def test_the_schema_names_every_part_and_describes_every_key():
    schema = json_schema()
    parts = schema["$defs"]
    assert {"ModelInput", "OptimizationConfig", "Backtest", "Regime", "Export"} <= set(parts)
    for name in ("Params", "Backtest", "Regime", "Export", "Constraint", "SolverSettings"):
        for key, told in parts[name]["properties"].items():
            assert told.get("description"), (name, key)
        assert parts[name]["additionalProperties"] is False
