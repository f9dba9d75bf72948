"""The page on scale says what was measured, and its model is the one that it describes."""

from types import SimpleNamespace

import pytest
from serving import ROOT

from bench import scale

MEMORY = {"server": 1024.0, "worker": 2048.0}
COSTS = {kind: scale.Cost(0.01, 0.01, 1) for kind in scale.DAY}


def need(users, **changed):
    return scale.need(users, {**COSTS, **changed}, MEMORY, 20)


def test_the_page_holds_the_figures_of_the_file():
    page = (ROOT / "addin" / "help" / "scale.md").read_text()
    assert scale.with_figures(page, scale.read()) == page


def test_a_page_whose_figures_are_others_would_be_noticed():
    page = (ROOT / "addin" / "help" / "scale.md").read_text()
    content = scale.read()
    costs = {**content["costs"], "risk": {"seconds": 1.0, "processor_seconds": 1.0, "times": 1}}
    assert scale.with_figures(page, {**content, "costs": costs}) != page


def test_the_file_tells_machine_date_and_load_of_each_kind():
    content = scale.read()
    assert {"date", "machine", "python", "load_before_and_after"} <= set(content)
    assert set(content["costs"]) == set(scale.KINDS)
    assert all(c["processor_seconds"] > 0 for c in content["costs"].values())


def test_the_needs_of_one_kind_are_those_of_paper_and_pencil(monkeypatch):
    monkeypatch.setattr(scale, "DAY", {"risk": 288.0, "backtest": 2.88})
    monkeypatch.setattr(scale, "COMMITS", {"backtest": 8})
    costs = {"risk": SimpleNamespace(processor=0.1), "backtest": SimpleNamespace(processor=5.0)}
    found = scale.need(600, costs, MEMORY, 20)
    # 600 users x 288 x 5 / 28,800 s = 30 a second, each a tenth of a core, busy 60 % of the time
    assert found.requests == pytest.approx(30.3)
    assert (found.cores, found.servers) == (pytest.approx(3.0), 5)
    assert (found.worker_cores, found.workers) == (pytest.approx(1.5), 3)
    assert found.memory == pytest.approx(5 * 1 + 3 * 2)
    assert found.connections == 75
    assert found.commits == pytest.approx(0.3 * 8)
    assert found.reads == 20 * 8


def test_twice_the_users_need_twice_the_cores():
    one, two = need(1_000), need(2_000)
    assert two.cores == pytest.approx(2 * one.cores)
    assert two.commits == pytest.approx(2 * one.commits)


def test_even_one_user_needs_a_server_and_a_worker():
    assert (need(1).servers, need(1).workers) == (1, 1)
