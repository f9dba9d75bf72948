"""Which security an identifier means: real spellings, codes Excel has spoilt, and laws."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tilt.codes import check_code, code_kind, cusip_of_isin, full_cusip
from tilt.errors import ArgumentError, DataError
from tilt.frames import Panel
from tilt.portfolio.company_names import CompanyNames
from tilt.portfolio.holdings import parse_holdings
from tilt.portfolio.identifiers import Tickers
from tilt.portfolio.match_table import match_table
from tilt.portfolio.matching import CONFIDENCE, Matcher, matcher_of

# Published codes of real companies; 23304E104 was made up, with an E that Excel reads as a power.
MASTER = pd.DataFrame(
    [
        ("AAPL", "Apple Inc.", "US0378331005", None, "2046251", "BBG000B9XRY4"),
        ("MSFT", "Microsoft Corp.", None, "594918104", "2588173", None),
        ("AMZN", "Amazon.com Inc", None, "023135106", None, None),
        ("CSCO", "Cisco Systems", None, "17275R102", None, None),
        ("BRK.B", "Berkshire Hathaway", "US0846707026", None, None, None),
        ("GOOG", "Alphabet Inc Class C", None, "02079K107", None, None),
        ("GOOGL", "Alphabet Inc Class A", None, "02079K305", None, None),
        ("META", "Meta Platforms", None, "30303M102", None, None),
        ("IBM", "International Business Machines", None, "459200101", None, None),
        ("PG", "Procter & Gamble", None, None, None, None),
        ("JPM", "JPMorgan Chase & Co.", None, None, None, None),
        ("WRB", "W. R. Berkley Corporation", None, None, None, None),
        ("UNH", "United Health Group Inc.", None, None, None, None),
        ("UAL", "United Continental Holdings", None, None, None, None),
        ("TWX", "Time Warner Inc.", None, None, None, None),
        ("SAP.DE", "SAP SE", "DE0007164600", None, None, None),
        ("ODD", "Odd Lots", None, "23304E104", None, None),
        ("TRUE", "TrueCar Inc.", None, None, None, None),
    ],
    columns=["ticker", "name", "isin", "cusip", "sedol", "figi"],
).set_index("ticker")
CHANGES = pd.DataFrame(
    [
        ("FB", "META", "2022-06-08", "Facebook became Meta Platforms"),
        ("GOOG", "GOOGL", "2014-04-02", "class A gave its symbol to the new class C"),
        ("CB", None, "2016-01-14", "the old Chubb is not priced"),
    ],
    columns=["symbol", "ticker", "until", "note"],
).astype({"until": "datetime64[us]"})
DATES = pd.bdate_range("2023-01-02", periods=30)


def make_panel(master: pd.DataFrame = MASTER) -> Panel:
    close = pd.DataFrame(10.0, index=DATES, columns=master.index)
    if "TWX" in close:
        close.loc[DATES[20] :, "TWX"] = np.nan  # taken over
    return Panel(
        universe="BOOK",
        snapshot="test",
        securities=master.assign(sector="Any", industry="Any"),
        close=close,
        returns=close * 0.0,
        volume=close,
        market_cap=close * 1e9,
        member=close.notna(),
        fundamentals={},
        index_level=pd.Series(dtype=float),
        factor_history=None,
        survivorship="Made up.",
        symbol_changes=CHANGES,
    )


PANEL = make_panel()


def match(text, *, panel=PANEL, **more):
    return matcher_of(panel).match(text, **more)


@pytest.mark.parametrize(
    ("given", "ticker", "kind"),
    [
        ("AAPL", "AAPL", "ticker"),
        (" aapl\u00a0", "AAPL", "spelling"),
        ("a\u200bapl", "AAPL", "spelling"),
        ("ＡＡＰＬ", "AAPL", "spelling"),
        ("BRK/B", "BRK.B", "spelling"),
        ("BRK-B", "BRK.B", "spelling"),
        ("brk b", "BRK.B", "spelling"),
        ("BRKB", "BRK.B", "spelling"),
        ("BRK B US Equity", "BRK.B", "suffix"),
        ("BRKb.N", "BRK.B", "suffix"),
        ("AAPL.O", "AAPL", "suffix"),
        ("AAPL US", "AAPL", "suffix"),
        ("AAPL UW Equity", "AAPL", "suffix"),
        ("NASDAQ:AAPL", "AAPL", "suffix"),
        ("AAPL:US", "AAPL", "suffix"),
        ("SAP GY Equity", "SAP.DE", "suffix"),
        ("FB", "META", "former"),
        ("FB US Equity", "META", "former"),
        ("US0378331005", "AAPL", "isin"),
        ("us03 7833 1005", "AAPL", "isin"),
        ("US5949181045", "MSFT", "isin"),  # the master has the CUSIP inside it
        ("037833100", "AAPL", "cusip"),  # and here the ISIN around it
        ("17275r102", "CSCO", "cusip"),
        ("2046251", "AAPL", "sedol"),
        ("BBG000B9XRY4", "AAPL", "figi"),
        ("59491810", "MSFT", "cusip8"),
        ("17275R10", "CSCO", "cusip8"),
        ("37833100", "AAPL", "zeros"),
        ("23135106", "AMZN", "zeros"),
        ("5.94918104E+08", "MSFT", "scientific"),
        ("5.9E+08", "MSFT", "scientific"),
        ("2.3304E+108", "ODD", "scientific"),
        ("Apple", "AAPL", "name"),
        ("Amazon.com, Inc.", "AMZN", "name"),
        ("CISCO SYS INC", "CSCO", "name"),
        ("INTL BUSINESS MACHS CORP", "IBM", "name"),
        ("The Procter and Gamble Company", "PG", "name"),
        ("W.R. Berkley Corp", "WRB", "name"),
        ("Alphabet Inc. Class A", "GOOGL", "name"),
        ("Alphabet Inc Cl C", "GOOG", "name"),
        ("Berkshire Hathaway Inc Class B", "BRK.B", "name"),
        ("Proctor & Gamble", "PG", "similar_name"),
        ("JP Morgan Chase & Co", "JPM", "similar_name"),
        ("Apple Inc (AAPL)", "AAPL", "ticker"),
        ("AAPL - Apple Inc", "AAPL", "ticker"),
    ],
)
def test_what_people_paste_is_found(given, ticker, kind):
    found = match(given)
    assert (found.ticker, found.kind) == (ticker, kind)
    assert found.confidence == pytest.approx(CONFIDENCE.get(kind, found.confidence))
    assert found.kind == "ticker" or found.note


@pytest.mark.parametrize(
    ("given", "note"),
    [
        ("US0378331006", "US0378331006 has the form of ISIN, but its check digit is wrong"),
        ("594918105", "has the form of CUSIP, but its check digit is wrong"),
        ("US88160R1014", "is right as ISIN, but of no security in 'BOOK'"),
        ("AAPL.L", "is listed on another exchange (.L); 'BOOK' has AAPL"),
        ("Alphabet Inc", "fits 2 securities: GOOG, GOOGL"),
        ("United", "fits 2 securities: UAL, UNH"),
        ("XYZZY", "Unknown ticker 'XYZZY'"),
        ("Umbrella Biotech", "is like 'Umbrella Biotech'"),
        ("CB", "Until 2016-01-14 CB was a company without prices here"),
    ],
)
def test_what_is_wrong_unknown_or_of_two_meanings_is_left_unmatched_with_the_reason(given, note):
    found = match(given)
    assert (found.ticker, found.kind, found.confidence) == ("", "none", 0.0)
    assert note in found.note


def test_a_symbol_means_the_company_that_had_it_on_the_day():
    then = match("GOOG", asof=pd.Timestamp("2013-06-28"))
    assert (then.ticker, then.kind) == ("GOOGL", "former")
    assert "Until 2014-04-02" in then.note
    assert match("GOOG", asof=pd.Timestamp("2014-04-03")).ticker == "GOOG"
    assert match("GOOG").ticker == "GOOG"
    assert match("CB", asof=pd.Timestamp("2015-01-02")).ticker == ""


def test_two_codes_that_excel_shows_alike_are_never_chosen_between():
    master = MASTER.copy()
    master.loc["PG", "cusip"] = full_cusip("59491899")
    panel = make_panel(master)
    assert match("5.9E+08", panel=panel).candidates == ("MSFT", "PG")
    assert match("5.94918104E+08", panel=panel).ticker == "MSFT"


def test_holdings_take_codes_and_former_symbols_but_nothing_that_rests_on_likeness():
    tickers = Tickers(PANEL, DATES[-1])
    assert {tickers.find(t).ticker for t in ("037833100", "FB", "BRKB")} == {
        "AAPL",
        "META",
        "BRK.B",
    }
    assert tickers.find("5.9E+08") is None
    assert tickers.find("Apple") is None
    held = parse_holdings([["FB", 0.5], [37833100.0, 0.5]], PANEL, DATES[-1], saved={})
    assert held.weights.to_dict() == {"META": 0.5, "AAPL": 0.5}
    assert "Facebook became Meta Platforms" in " ".join(held.findings["problem"])


def test_a_name_beside_the_identifier_decides_confirms_and_warns():
    assert match("", name="Procter & Gamble Co").ticker == "PG"
    assert match("Alphabet", name="Alphabet Class C").ticker == ""
    sure = match("AAPL", name="APPLE INC")
    doubtful = match("AAPL", name="Microsoft Corp")
    assert sure.confidence == 1.0
    assert doubtful.ticker == "AAPL"
    assert doubtful.confidence == sure.confidence / 2
    assert "The name given, 'Microsoft Corp', is not Apple Inc." in doubtful.note
    by_name = match("US0378331006", name="Apple Inc")
    assert (by_name.ticker, by_name.kind) == ("AAPL", "name")
    assert "check digit is wrong" in by_name.note


def test_the_last_price_of_a_delisted_name_is_said():
    assert f"Its last price is of {DATES[19]:%Y-%m-%d}" in match("TWX").note


def test_a_share_class_that_is_not_there_halves_the_confidence():
    found = match("Berkshire Hathaway Class A")
    assert found.ticker == "BRK.B"
    assert found.confidence == CONFIDENCE["name"] / 2
    assert "whose class is B, not A" in found.note


def test_a_table_keeps_the_order_of_the_cells_with_blanks_numbers_totals_and_cash():
    table = match_table(PANEL, ["AAPL", None, 37833100.0, "Total", "USD", 2.3304e108, True, 44986])
    assert table["given"].tolist()[:2] == ["AAPL", ""]
    assert table["ticker"].fillna("").tolist() == [
        "AAPL",
        "",
        "AAPL",
        "",
        "CASH",
        "ODD",
        "TRUE",
        "",
    ]
    assert table["kind"].tolist()[3:6] == ["none", "cash", "scientific"]
    assert "the date 2023-03-01" in table["note"].iloc[-1]
    assert list(table.columns) == ["given", "ticker", "name", "kind", "confidence", "note"]


def test_a_match_below_the_least_confidence_stays_in_the_note():
    table = match_table(PANEL, ["Proctor & Gamble"], min_confidence=0.95)
    assert table["ticker"].isna().all()
    assert table["note"][0].startswith("PG at a confidence of 0.")


def test_wrong_arguments_say_what_to_do():
    with pytest.raises(DataError, match=r"ids row 2 is #REF!\. Mend the cell"):
        match_table(PANEL, ["AAPL", "#REF!"])
    with pytest.raises(ArgumentError, match="names has 1 cells and ids has 2"):
        match_table(PANEL, ["AAPL", "MSFT"], ["Apple"])
    with pytest.raises(ArgumentError, match="min_confidence must be from 0 to 1; got 90"):
        match_table(PANEL, ["AAPL"], min_confidence=90)


def test_a_misspelt_ticker_is_suggested_not_taken():
    (row,) = match_table(PANEL, ["AAPK"]).to_dict("records")
    assert pd.isna(row["ticker"])
    assert "Did you mean 'AAPL'?" in row["note"]


BASES = st.text("0123456789ABCDEFGHJKLMNPQRSTUVWXYZ", min_size=8, max_size=8)


@given(first=BASES, other=st.integers(1, 9))
def test_a_cusip_with_another_check_digit_is_never_right(first, other):
    code = full_cusip(first)
    wrong = code[:8] + str((int(code[8]) + other) % 10)
    assert check_code("cusip", code)
    assert not check_code("cusip", wrong)


@given(number=st.integers(1, 99_999_999))
def test_a_cusip_that_lost_its_zeros_is_the_one_it_was(number):
    code = full_cusip(f"{number:08d}")
    master = MASTER[["name"]].assign(isin=None, cusip=None, sedol=None, figi=None)
    master.loc["PG", "cusip"] = code
    panel = replace(PANEL, securities=master)
    as_number = float(int(code))
    found = match_table(panel, [as_number])
    if as_number >= 1e5:  # fewer digits may be a date
        assert found["ticker"][0] == "PG"
    assert Matcher(panel).match(code).kind == "cusip"


@given(st.text(max_size=30))
def test_any_text_gets_an_answer_whose_confidence_fits_its_kind(text):
    found = match(text)
    assert 0 <= found.confidence <= 1
    assert (found.ticker == "") == (found.kind == "none") == (found.confidence == 0)
    assert found.ticker == "" or found.ticker in PANEL.assets


@given(st.sampled_from(sorted(MASTER.index)), st.sampled_from([" US", ".O", " US Equity", ""]))
def test_a_ticker_is_itself_in_any_case_with_any_exchange_of_its_country(ticker, suffix):
    assert match(ticker.lower() + suffix).ticker == ticker


@given(st.permutations(["Procter", "&", "Gamble", "Co"]))
def test_the_order_of_a_names_words_does_not_matter(words):
    assert match(" ".join(words)).ticker == "PG"


@given(st.sampled_from(MASTER["name"].to_list()), st.sampled_from(MASTER["name"].to_list()))
def test_likeness_is_from_zero_to_one_the_same_both_ways_and_one_for_itself(a, b):
    names = CompanyNames({"A": a, "B": b, **MASTER["name"].to_dict()})
    assert names.similarity(a, "A") == pytest.approx(1.0)
    assert names.similarity(a, "B") == pytest.approx(names.similarity(b, "A"))
    assert 0 <= names.similarity(a, "B") <= 1


def test_codes_are_known_by_their_form():
    kinds = [code_kind(c) for c in ("US0378331005", "BBG000B9XRY4", "037833100", "2046251", "AAPL")]
    assert kinds == ["isin", "figi", "cusip", "sedol", ""]
    assert cusip_of_isin("US0378331005") == "037833100"
    assert cusip_of_isin("DE0007164600") == ""
