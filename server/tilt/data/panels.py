"""Panels in memory, bounded in bytes; the one asked for last stays whatever its size."""

import threading
from collections import OrderedDict
from collections.abc import Callable

import pandas as pd

from tilt.data.packed import Packed
from tilt.frames import Panel


class Panels:
    """The panels used last, by snapshot.

    Parameters
    ----------
    most : bytes of all panels together
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._kept: OrderedDict[str, Panel] = OrderedDict()
        self._bytes: dict[str, int] = {}
        self._lock = threading.Lock()

    def get(self, key: str, load: Callable[[], Panel]) -> Panel:
        """Return the panel of a key, loaded if it is not there."""
        with self._lock:
            if key not in self._kept:
                self._kept[key] = load()
                self._bytes[key] = panel_bytes(self._kept[key])
            self._kept.move_to_end(key)
            while len(self._kept) > 1 and sum(self._bytes.values()) > self._most:
                old, _ = self._kept.popitem(last=False)
                del self._bytes[old]
            return self._kept[key]

    def forget(self, key: str) -> None:
        """Load a panel anew when it is asked for next."""
        with self._lock:
            self._kept.pop(key, None)
            self._bytes.pop(key, None)


def panel_bytes(panel: Panel) -> int:
    """Return how much memory the numbers of a panel take."""
    frames = [panel.close, panel.returns, panel.volume, panel.market_cap, panel.member]
    known = panel.fundamentals
    total = sum(_bytes(frame) for frame in frames)
    total += known.nbytes if isinstance(known, Packed) else sum(map(_bytes, known.values()))
    history = panel.factor_history
    if history is not None:
        more = (history.returns, history.t_stats, history.specific_returns, history.market_cap)
        total += history.styles.nbytes + history.imputed.nbytes + sum(map(_bytes, more))
    return total


def _bytes(frame: pd.DataFrame) -> int:
    return int(frame.to_numpy().nbytes)
