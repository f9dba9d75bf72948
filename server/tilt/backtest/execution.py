"""What of a wanted trade is done: none that is too small, and whole shares only."""

from dataclasses import dataclass

import numpy as np

from tilt.backtest.costs import Array
from tilt.errors import ArgumentError

ROUNDING = 1e-9  # of a share: 99.9999999999 are 100


@dataclass(frozen=True)
class Execution:
    """How trades are rounded.

    min_trade    : fraction of capital; a smaller trade is left out, unless it closes a position
    whole_shares : trade whole shares at the unadjusted close, for the money of the book in
        ``Costs.capital``: buy one less rather than a part, sell one more. A position is closed
        whole, whatever it is. With total returns a reinvested dividend makes fractions of shares,
        which stay until then
    """

    min_trade: float = 0.0
    whole_shares: bool = False

    def __post_init__(self) -> None:
        if not 0.0 <= self.min_trade < 1.0:
            raise ArgumentError(
                f"min_trade must be a fraction of capital from 0 to 1; got {self.min_trade:g}. "
                "0.001 leaves trades under 0.1 % out."
            )

    def words(self) -> str:
        """Return the convention in one sentence; empty for trades as they are wanted."""
        parts = []
        if self.min_trade:
            parts.append(f"no trade under {100 * self.min_trade:g} % of capital, but to close")
        if self.whole_shares:
            parts.append("whole shares at the unadjusted close")
        return "; ".join(parts)

    def done(self, wanted: Array, held: Array, share: Array | None, nav: float) -> Array:
        """Return the trades that are done, in the units of the arguments.

        Parameters
        ----------
        wanted : trade of each name
        held : what is held before
        share : what one share is worth; None where shares are divisible
        nav : what the book is worth
        """
        if not self.min_trade and not self.whole_shares:
            return wanted
        closes = (held != 0.0) & (wanted == -held)
        trade = wanted
        if self.whole_shares and share is not None:
            # down, so that a purchase never needs more cash than there is, and a sale brings enough
            count = np.floor(wanted / share + ROUNDING)
            trade = np.where(closes, wanted, np.where(np.isfinite(count), count * share, 0.0))
            crosses = (held > 0.0) & (trade < -held) & (wanted > -held)
            trade = np.where(crosses, -held, trade)
        small = (np.abs(trade) < self.min_trade * nav) & ~closes
        return np.where(small, 0.0, trade)


AS_WANTED = Execution()
