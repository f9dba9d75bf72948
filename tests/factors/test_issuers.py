import pandas as pd
import pytest

from tilt.factors.issuers import issuers_of


def linked(**columns: list[str | None]) -> list[list[str]]:
    """Return the tickers that share an issuer."""
    table = pd.DataFrame(columns, index=[f"T{i}" for i in range(len(next(iter(columns.values()))))])
    found = issuers_of(table)
    return sorted(list(g.index) for key, g in found.groupby(found) if key and len(g) > 1)


def test_column_issuer_comes_before_everything_else():
    assert linked(issuer=["7", "7", "8"], name=["One", "Two", "Two"]) == [["T0", "T1"]]


def test_first_six_signs_of_a_cusip_are_the_issuer():
    # the two classes of Alphabet, and Apple
    assert linked(cusip=["02079K305", "02079K107", "037833100"]) == [["T0", "T1"]]


def test_american_isin_holds_the_cusip_and_others_say_nothing_of_the_issuer():
    isin = ["US02079K3059", "US02079K1079", "DE0007664005", "DE0007664039"]
    assert linked(isin=isin) == [["T0", "T1"]]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("News Corp. Class A", "News Corp. Class B"),
        ("Discovery Communications-A", "Discovery Communications-C"),
        ("Alphabet Inc Class A", "Alphabet Inc Class C Capital Stock"),
        ("Berkshire Hathaway (A)", "Berkshire Hathaway (B)"),
        ("Under Armour", "Under Armour"),
    ],
)
def test_names_that_differ_by_their_class_are_one_company(one, other):
    found = linked(name=[one, other, "Vitamin A Corp"])
    assert found == ([["T0", "T1"]] if "Capital" not in other else [])


def test_names_of_two_companies_are_two():
    assert linked(name=["Royal Dutch Shell", "Royal Caribbean", "Vitamin C", "Vitamin A"]) == []


def test_nothing_known_links_nothing():
    assert linked(sector=["Energy", "Energy"]) == []
    assert linked(issuer=[None, None], name=[None, None]) == []
