"""Signing in to the pane by the account that Office has, against a stand-in of Entra ID."""

import shutil
from pathlib import Path

import pytest
from entra_stand_in import ANNA, CLIENT, TENANT, entra
from serving import listening, run_node

from tilt.api.app import create_app
from tilt.data.store import Store
from tilt.security.people import Grant, grant
from tilt.settings import Settings

HERE = Path(__file__).parent
pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def session(store, sample_settings, tmp_path_factory):
    """What Anna saw, an analyst who may read one portfolio and its universe; and her token."""
    assert store.snapshot()
    folder = tmp_path_factory.mktemp("microsoft") / "data"
    shutil.copytree(sample_settings.data_url, folder)
    with entra() as tenant:
        settings = Settings(
            data_url=str(folder),
            auth="entra",
            entra_tenant=TENANT,
            entra_client=CLIENT,
            entra_authority=tenant.address,
        )
        own = Store.open(settings)
        for kind, name in (("universe", "US_LARGE_CAP"), ("portfolio", "SAMPLE")):
            grant(own.catalog, Grant.of("user", ANNA, kind, name, ["read"]), by="test")
        own.close()
        token = tenant.token(roles=["Tilt.Analyst"])
        with listening(create_app(settings)) as address:
            yield {**run_node(HERE / "sign_in_microsoft.mjs", address, token), "token": token,
                   "tenant": tenant.address}  # fmt: skip


def test_the_pane_offers_microsoft_and_no_key_where_the_server_takes_none(session):
    assert session["before"] == {"form": True, "scan": [], "key": False}


def test_one_click_signs_in_for_this_tenant_application_and_scope(session):
    asked = session["after"]["asked"]
    assert session["after"]["connection"] == "Connected"
    assert asked["client"] == CLIENT
    assert asked["authority"] == f"{session['tenant']}/{TENANT}"
    assert asked["scopes"] == [f"api://{CLIENT}/access_as_user"]
    assert asked["popups"] == 1


def test_the_pane_says_who_one_is_and_what_one_may(session):
    after = session["after"]
    assert after["who"] == "anna@firm.example"
    assert after["roles"].startswith("Role: analyst. You may read, write, share")
    assert after["objects"] == "US_LARGE_CAPuniversereadSAMPLEportfolioread"
    assert after["scan"] == []


def test_the_token_is_kept_nowhere_but_in_memory(session):
    assert session["token"] not in session["after"]["stored"]


def test_who_signs_out_stays_signed_out_whatever_answer_still_comes(session):
    assert session["left"] == {"connection": "Not signed in", "form": True, "askedAgain": 0}
