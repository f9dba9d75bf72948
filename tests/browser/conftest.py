"""A session of the add-in's page in Chromium, on a real server over the sample data."""

import json
from pathlib import Path

import pytest
from serving import run_node

HERE = Path(__file__).parent


@pytest.fixture(scope="session")
def seen(store, served, tmp_path_factory):
    """What a session of the add-in in Chromium saw; every test looks at its own part."""
    weights = store.portfolio("SAMPLE")
    held = [[ticker, weight] for ticker, weight in weights.items()]
    given = {"holdings": held, "tickers": sorted(store.panel().close.columns)}
    file = tmp_path_factory.mktemp("seen") / "given.json"
    file.write_text(json.dumps(given))
    return {**run_node(HERE / "addin.mjs", served, str(file)), **given}


@pytest.fixture(scope="session")
def signing_in(locked):
    """What somebody saw who opened the add-in without a key, gave a wrong one, then a right one."""
    return run_node(HERE / "sign_in.mjs", *locked)
