"""A last price, as every live source gives it."""

import datetime as dt
import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Quote:
    """The last price of a security.

    price    : in the currency of its listing
    time     : when it was made, UTC
    change   : against the close before, a fraction; NaN if it is not known
    currency : of the price; empty if it is not known
    """

    price: float
    time: dt.datetime
    change: float = math.nan
    currency: str = ""
