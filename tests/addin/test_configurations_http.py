"""Configurations over HTTP: saved, listed, read back, deleted, refused in words."""

ROUTE = "/api/v1/configurations"
GIVEN = {"optimization": {"objective": "min_risk"}}


def test_a_configuration_is_saved_listed_read_and_deleted(excel):
    saved = excel.http.put(f"{ROUTE}/Core book", json=GIVEN)
    assert saved.status_code == 200, saved.text
    made = saved.json()["id"]
    listed = excel.http.get(ROUTE).json()
    assert listed["total"] == 1
    assert listed["configurations"]["data"][0][:2] == ["Core book", made]
    found = excel.http.get(f"{ROUTE}/core book").json()
    assert found["id"] == made
    assert found["configuration"]["optimization"]["objective"] == "min_risk"
    again = excel.http.put(f"{ROUTE}/Second", json=found["configuration"])
    assert again.json()["id"] == made  # the id is of the content, not of the name
    for name in ("Core book", "Second"):
        assert excel.http.delete(f"{ROUTE}/{name}").status_code == 204
    assert excel.http.get(ROUTE).json()["total"] == 0


def test_a_misspelt_key_and_an_unknown_name_are_told(excel):
    refused = excel.http.put(f"{ROUTE}/x", json={"optimisation": {}})
    assert refused.status_code == 400
    assert "Did you mean 'optimization'?" in refused.json()["detail"]
    missing = excel.http.get(f"{ROUTE}/nothing")
    assert missing.status_code == 404
    assert "No configuration 'nothing'" in missing.json()["detail"]


def test_the_schema_is_served(excel):
    schema = excel.http.get("/api/v1/configurations-schema").json()
    assert set(schema["properties"]) == {"model", "optimization"}
