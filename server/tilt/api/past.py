"""The past, with today's holdings in it."""

import pandas as pd

from tilt.api.books import Book
from tilt.frames import Weights
from tilt.risk.tail import replayed_returns


def replayed(book: Book, weights: Weights, days: int) -> "pd.Series[float]":
    """Return what weights of a book's date would have returned on each of the days up to it."""
    past = book.panel.returns.loc[: book.date].tail(days)
    history = book.panel.factor_history
    factors = pd.DataFrame(index=past.index) if history is None else history.returns
    return replayed_returns(book.model, past, factors, weights)
