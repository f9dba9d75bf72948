"""The checks of what a source delivers: what looks wrong, how badly, and what is done about it.

Nothing is repaired in silence and the record keeps the raw value. What a finding says was done
begins with one of three words. *Kept*: the number is used as it came. *Repaired*: it is replaced,
and the finding says by what. *Quarantined*: it is left out. Whatever changes a number looks at its
own day and the days before, so a later row never changes an earlier return.
"""

from tilt.data.quality.checks import CHECKS, Check
from tilt.data.quality.prices import PriceReview, review_prices
from tilt.data.quality.rows import unique_prices
from tilt.data.quality.tables import review_tables

__all__ = ["CHECKS", "Check", "PriceReview", "review_prices", "review_tables", "unique_prices"]
