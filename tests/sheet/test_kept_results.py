"""Results that are kept in memory, and how much of it they may take."""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import pytest

from tilt.api.held import bytes_of
from tilt.api.state import Memo
from tilt.backtest.costs import Costs

MEGABYTE = 2**20


@dataclass(frozen=True, eq=False)
class Window:
    returns: np.ndarray


def table(megabytes: int) -> pd.DataFrame:
    return pd.DataFrame(np.zeros((megabytes * MEGABYTE // 80, 10)))


@pytest.mark.parametrize(
    "kept",
    [
        table(2),
        {"a": table(1), "b": table(1)},
        (table(1), [table(1)]),
        [np.zeros(MEGABYTE // 8)] * 2,
        pd.Series(np.zeros(2 * MEGABYTE // 8)),
    ],
)
def test_a_result_counts_by_the_numbers_in_it(kept):
    assert bytes_of(kept) == pytest.approx(2 * MEGABYTE, rel=0.01)


def test_what_is_there_once_counts_once_however_often_it_is_named():
    market = Window(np.zeros((MEGABYTE // 80, 10)))
    assert bytes_of((market, market)) == pytest.approx(MEGABYTE, rel=0.01)
    assert bytes_of((market, replace(market))) == pytest.approx(2 * MEGABYTE, rel=0.01)
    assert bytes_of(np.broadcast_to(np.True_, (MEGABYTE, 10))) == 1


def test_what_has_no_tables_counts_next_to_nothing():
    assert bytes_of(Costs()) + bytes_of("text") + bytes_of(None) < 1000


def test_the_oldest_results_go_when_all_of_them_are_too_large():
    memo: Memo[pd.DataFrame] = Memo(64, most_bytes=3 * MEGABYTE)
    computed = []

    def ask(name: str, megabytes: int) -> None:
        memo.get(name, lambda: computed.append(name) or table(megabytes))

    for name in ("a", "b", "c", "a", "d", "b"):  # a is asked again, so b is the oldest
        ask(name, 1)
    assert computed == ["a", "b", "c", "d", "b"]
    ask("larger than the bound", 5)
    assert len(memo) == 1
    ask("larger than the bound", 5)
    assert computed[-1] == "larger than the bound"
    assert computed.count("larger than the bound") == 1
