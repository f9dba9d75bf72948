"""The table of sources, with packages installed on a path of their own."""

import re
import sys
import tomllib
from pathlib import Path

import pandas as pd
import pytest

from tilt.data.sources.delivery import Delivery, Incremental
from tilt.data.sources.registry import BUILT_IN, fetch, find_source, listed
from tilt.errors import ArgumentError, DataError, UnknownNameError
from tilt.settings import Settings

GUIDE = Path(__file__).parents[2] / "addin" / "help" / "data-sources.md"


@pytest.fixture
def settings(tmp_path):
    return Settings(data_url=str(tmp_path / "store"))


@pytest.fixture
def install(tmp_path, monkeypatch):
    """Install a package as pip leaves it: its modules, and its dist-info with the entry points."""
    site = tmp_path / "site"
    site.mkdir()
    monkeypatch.syspath_prepend(str(site))

    def add(name, text, entries):
        (site / f"{name}.py").write_text(text)
        monkeypatch.delitem(sys.modules, name, raising=False)
        info = site / f"{name}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        lines = "".join(f"{k} = {v}\n" for k, v in entries.items())
        (info / "entry_points.txt").write_text(f"[tilt.sources]\n{lines}")

    return add


OWN = """
import pandas as pd
from tilt.data.sources import Delivery, Missing, Vendor, check_tables, quiet

class Acme:
    def __init__(self, asked):
        self.name = f"acme:{asked}"
        self.asked = asked

    def fetch(self, progress=quiet):
        days = pd.bdate_range("2024-01-01", periods=3)
        rows = {"date": days, "ticker": self.asked, "close": 10.0, "volume": 1.0}
        tables = check_tables({"prices": pd.DataFrame(rows)})
        return Delivery(self.name, "ACME", "Prices of Acme", tables)

    def fetch_since(self, held, progress=quiet):
        return Delivery(self.name, "ACME", "Only what is new", held)

VENDOR = Vendor("Acme", "vendor", ("prices",), "acme:A", lambda asked, settings: Acme(asked))
GONE = Vendor("Gone", "vendor", (), "gone:A", lambda asked, settings: Acme(asked),
              lambda settings: Missing("The license has ended.", "Renew it."))
NOTHING = 5
"""


def rows(settings):
    return listed(settings).set_index("name")


def test_the_sources_that_come_with_tilt_all_load(settings):
    table = rows(settings)
    assert list(table.index) == list(BUILT_IN)
    assert not table["reason"].str.contains("does not load").any()
    assert table.loc[["sample", "files", "yahoo"], "available"].all()
    assert not table.loc["bloomberg", "available"]
    assert table.loc["bloomberg", "cure"].startswith("Install blpapi")
    assert "prices" in table.loc["yahoo", "gives"]


def test_a_package_adds_its_own_source_without_touching_tilt(settings, install):
    install("acme_tilt", OWN, {"acme": "acme_tilt:VENDOR"})
    row = rows(settings).loc["acme"]
    assert (row["title"], row["available"], row["gives"]) == ("Acme", True, "prices")
    source = find_source("ACME: XYZ ", settings)
    assert source.name == "acme:XYZ"
    assert set(source.fetch().tables["prices"]["ticker"]) == {"XYZ"}


def test_a_source_that_can_is_asked_for_what_is_new(settings, install):
    install("acme_tilt", OWN, {"acme": "acme_tilt:VENDOR"})
    source = find_source("acme:A", settings)
    assert isinstance(source, Incremental)
    held = source.fetch().tables
    assert fetch(source, held=held).description == "Only what is new"
    assert fetch(source).description == "Prices of Acme"
    told = []
    assert isinstance(
        fetch(find_source("sample", settings), held=held, progress=told.append), Delivery
    )


def test_a_package_that_does_not_load_is_listed_and_the_others_work(settings, install):
    install("broken_tilt", "raise RuntimeError('no driver')", {"broken": "broken_tilt:VENDOR"})
    install("acme_tilt", OWN, {"acme": "acme_tilt:VENDOR", "odd": "acme_tilt:NOTHING"})
    table = rows(settings)
    assert table.loc["broken", "reason"] == "It does not load: RuntimeError: no driver."
    assert table.loc["broken", "cure"] == "Repair or remove the package 'broken_tilt'."
    assert "acme_tilt:NOTHING is a int, not a Vendor" in table.loc["odd", "reason"]
    assert table.loc[["acme", "sample"], "available"].all()
    with pytest.raises(DataError, match=r"'broken' cannot be used: It does not load.*no driver"):
        find_source("broken:x", settings)
    assert find_source("acme:A", settings).name == "acme:A"


def test_a_vendor_that_cannot_be_used_says_why_and_what_to_do(settings, install):
    install("acme_tilt", OWN, {"gone": "acme_tilt:GONE"})
    row = rows(settings).loc["gone"]
    assert (row["available"], row["reason"], row["cure"]) == (
        False, "The license has ended.", "Renew it.",
    )  # fmt: skip
    with pytest.raises(DataError, match=r"'gone' cannot be used: The license has ended. Renew it."):
        find_source("gone:A", settings)


def test_a_name_that_is_taken_stays_with_the_first_and_the_second_is_listed(settings, install):
    install("acme_tilt", OWN, {"yahoo": "acme_tilt:VENDOR"})
    table = rows(settings)
    assert table.loc["yahoo", "title"] == "Yahoo Finance"
    assert "registers 'yahoo' already" in table.loc["yahoo (again)", "reason"]
    assert find_source("yahoo:AAPL", settings).name == "yahoo:AAPL"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("yaho:AAPL", "Unknown source 'yaho:AAPL'. Did you mean 'yahoo'?"),
        ("", "Unknown source ''"),
        ("merge", "Unknown source 'merge'"),
    ],
)
def test_an_unknown_source_is_refused_with_the_nearest(settings, name, said):
    if name == "merge":
        settings = settings.model_copy(
            update={"merge": Settings(merge={"X": {"sources": ["a", "b"]}}).merge}
        )
    with pytest.raises(UnknownNameError, match=re.escape(said)):
        find_source(name, settings)


def test_the_sample_has_nothing_behind_its_name(settings):
    with pytest.raises(ArgumentError, match="with nothing behind it; got 'x'"):
        find_source("sample:x", settings)


def test_the_example_of_the_guide_is_a_source(settings, install, tmp_path):
    module, entry = re.findall(
        r"```(?:python|toml)\n(.*?)```", section("Write your own source"), re.S
    )
    (name, value) = re.search(
        r'^(\w+) = "(.+)"$', entry.split("[project.entry-points")[1], re.M
    ).groups()
    install(value.partition(":")[0], module, {name: value})
    folder = tmp_path / "desk"
    folder.mkdir()
    days = pd.bdate_range("2024-01-01", periods=3)
    closes = pd.DataFrame({"date": days, "ticker": "A", "close": [1.0, 2.0, 3.0], "volume": 5})
    closes.to_csv(folder / "closes.csv", index=False)
    row = rows(settings).loc[name]
    assert row["available"], row["reason"]
    given = find_source(f"{name}:{folder}", settings).fetch()
    assert given.universe == "DESK"
    assert given.tables["prices"]["close"].tolist() == [1.0, 2.0, 3.0]


def test_the_merge_of_the_guide_is_one_that_the_settings_take():
    (example,) = re.findall(r"```toml\n(.*?)```", section("Several sources for one universe"), re.S)
    merge = Settings(**tomllib.loads(example)).merge
    assert [m.sources[0] for m in merge.values()] == ["bloomberg:members.txt"]


def section(title):
    text = GUIDE.read_text(encoding="utf-8")
    return text.split(f"## {title}\n")[1].split("\n## ")[0]
