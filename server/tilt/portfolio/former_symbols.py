"""What symbols meant before they changed."""

from dataclasses import dataclass

import pandas as pd

from tilt.portfolio.spelling import fold


@dataclass(frozen=True)
class Change:
    """Which ticker a symbol meant, and to which day; ``ticker`` is empty for one without prices."""

    symbol: str
    ticker: str
    until: pd.Timestamp | None
    why: str

    def words(self) -> str:
        """Return what a symbol was, and why it changed."""
        when = "" if self.until is None else f"Until {self.until:%Y-%m-%d} "
        if not self.ticker:
            return f"{when}{self.symbol} was a company without prices here{self._because()}"
        return f"{when}{self.symbol} was what is now {self.ticker}{self._because()}"

    def _because(self) -> str:
        return f" ({self.why})" if self.why else ""


def former_symbols(table: pd.DataFrame) -> dict[str, list[Change]]:
    """Return the changes of each symbol, folded; the earliest first, one without a day last."""
    found: dict[str, list[Change]] = {}
    for row in table.sort_values("until", na_position="last", kind="stable").to_dict("records"):
        ticker, until, why = row["ticker"], row["until"], row["note"]
        change = Change(
            symbol=str(row["symbol"]),
            ticker="" if pd.isna(ticker) else str(ticker),
            until=None if pd.isna(until) else pd.Timestamp(until),
            why="" if pd.isna(why) else str(why),
        )
        found.setdefault(fold(change.symbol), []).append(change)
    return found
