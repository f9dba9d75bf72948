"""Every check there is: what it looks for, and how badly it is taken."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from tilt.data.findings import Severity


@dataclass(frozen=True)
class Check:
    """One kind of finding: the worst severity it has, and what it looks for."""

    severity: Severity
    about: str


CHECKS: Mapping[str, Check] = MappingProxyType(
    {
        # prices
        "price_not_positive": Check("error", "a close that is zero or negative"),
        "missing_price": Check("warning", "a day without a price between two that have one"),
        "missing_session": Check("warning", "a day on which the exchange was open and none traded"),
        "unexpected_session": Check("warning", "prices on a day on which the exchange was closed"),
        "no_calendar": Check("info", "dates that are held against no exchange's calendar"),
        "duplicate_row": Check("error", "several rows of one ticker and day"),
        "zero_volume": Check("warning", "a close on a day without trade"),
        "repeated_day": Check("warning", "close and volume of the day before"),
        "stale_price": Check("warning", "a close that does not move for five days"),
        "thin_large_move": Check("warning", "a large move on a fraction of the usual volume"),
        "large_move": Check("info", "a return beyond 25 % against the market, without an event"),
        # dividends and splits
        "adjusted_close_disagrees": Check(
            "error",
            "a return of close, dividend and split that differs from the adjusted close's by over "
            "one percentage point",
        ),
        "unbooked_split": Check(
            "error", "a move by the ratio of a split on ordinary trading, with no split booked"
        ),
        "near_split_ratio": Check(
            "info", "a move by the ratio of a split that heavy trading or wild days explain"
        ),
        "event_denied_by_price": Check(
            "error", "a booked split or large dividend that the price does not follow"
        ),
        "doubled_event": Check("error", "one event booked as a split and as a dividend"),
        "doubled_dividend": Check("warning", "the same dividend twice within days"),
        "large_dividend": Check(
            "info", "a dividend above a tenth of the price: a spin-off or a special dividend"
        ),
        "odd_split": Check("warning", "a split that is no ratio of small numbers"),
        "reverted_jump": Check("error", "a jump that the next day takes back"),
        # key figures and shares outstanding
        "displaced_row": Check("error", "a row of key figures whose columns are displaced"),
        "no_price": Check("warning", "a row of key figures without a price or a close beside it"),
        "price_mismatch": Check("error", "a price of key figures that was no close"),
        "no_market_cap": Check("warning", "a row of key figures without a market cap"),
        "cap_off_scale": Check("error", "a market cap that a few days' trading would exceed"),
        "wrong_basis": Check("error", "shares outstanding on the basis before a split, or past it"),
        "share_jump": Check("info", "a jump in shares outstanding that no split explains"),
        "per_share_basis": Check("warning", "a figure per share that its own ratio contradicts"),
        "share_classes": Check("info", "share classes that each show the cap of the company"),
        "stale_list": Check("warning", "a list of key figures with prices of long before"),
        "repeated_list": Check("warning", "a list of key figures that repeats the one before"),
        "two_symbols": Check("info", "a company that the files know by two symbols"),
        "member_without_cap": Check("warning", "a listed company without a usable market cap"),
        # statements
        "unbalanced_statement": Check(
            "warning", "total assets that are not liabilities and equity, within 1 %"
        ),
        "late_filing": Check("info", "a statement filed over 120 days after its period's end"),
        "future_filing": Check("error", "a filing day or period's end that cannot be"),
        "overdue_statement": Check("warning", "a traded company whose next statement is overdue"),
        "sources_disagree": Check("warning", "two sources that differ beyond the tolerance"),
        # securities
        "same_company": Check("warning", "tickers that share an issuer, a name or their closes"),
        "missing_sector": Check("warning", "a security without a sector"),
        "wrong_check_digit": Check("error", "an identifier whose check digit is wrong"),
        "same_identifier": Check("warning", "an identifier that two securities share"),
        "delisted_first": Check("warning", "a security delisted before it was listed"),
        # coverage and factors
        "low_coverage": Check("warning", "a factor that is known for too few members on a date"),
        "fewer_prices": Check("warning", "a day on which many fewer securities have a price"),
        "style_left_out": Check("warning", "a style that the data has nothing for"),
        "no_factor_model": Check("error", "a universe that no factor model can be had for"),
        # what a source could not give
        "unreadable_value": Check("warning", "a cell of a file that is not what its column holds"),
        "read_as": Check("info", "how a file was read: delimiter, decimals, order of dates"),
        "not_at_yahoo": Check("error", "a name that Yahoo has no prices for"),
        "not_at_bloomberg": Check("error", "a name that Bloomberg has no prices for"),
        "not_fetched": Check("error", "a name whose prices did not come"),
        "no_shares": Check("warning", "a name whose past shares outstanding did not come"),
        "no_statements": Check("warning", "a name whose statements did not come"),
        "no_profile": Check("warning", "a name whose profile did not come"),
        "no_sector": Check("warning", "a name that Yahoo has no sector for"),
        "no_past_shares": Check("warning", "a name that Yahoo has no past shares outstanding for"),
        "other_currency": Check("error", "a name whose prices are in another currency"),
        "prices_end": Check("warning", "a name whose prices end before the others'"),
        "statement_currency": Check("warning", "statements in another currency than the prices"),
        "restated": Check("warning", "past prices that the source has changed since it was asked"),
        "no_field": Check("warning", "a field that Bloomberg does not give for a name"),
        "corporate_action": Check(
            "warning", "an event at Bloomberg that is neither cash nor split"
        ),
        "caps_begin": Check("info", "the day from which there are market caps"),
    }
)
