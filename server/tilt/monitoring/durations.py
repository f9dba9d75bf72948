"""How long operations took: in this process, and in the others that serve the same port."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import pandas as pd

from tilt.monitoring.named import Named, Rows, used

KEPT = 1024  # durations kept per operation
OPERATION = np.dtype(
    [
        ("name", "S64"),
        ("calls", "i8"),
        ("total", "f8"),  # seconds
        ("measured", "i8"),  # durations, of which the latest are kept
        ("seconds", "f8", (KEPT,)),
    ]
)
MOST = 256  # operations


class Durations:
    """The latest durations of each operation.

    Parameters
    ----------
    rows : of `OPERATION`, where this process keeps them; what they hold already is added to
    others : those of the other processes, as they are now
    """

    def __init__(
        self, rows: Rows | None = None, others: Callable[[], Sequence[Rows]] = lambda: ()
    ) -> None:
        self._lock = threading.Lock()
        self._own = Named(np.zeros(MOST, OPERATION) if rows is None else rows)
        self._others = others

    def record(self, operation: str, seconds: float, *, calls: int = 1) -> None:
        """Add one duration that answered ``calls`` calls."""
        with self._lock:
            row = self._own.row(operation)
            row["calls"] += calls
            row["total"] += seconds
            row["seconds"][row["measured"] % KEPT] = seconds
            row["measured"] += 1

    @contextmanager
    def timing(self, operation: str, *, calls: int = 1) -> Iterator[None]:
        """Record how long the block takes, also when it fails."""
        start = time.perf_counter()
        try:
            yield
        finally:
            self.record(operation, time.perf_counter() - start, calls=calls)

    def totals(self) -> dict[str, tuple[int, float]]:
        """Return by operation: calls, and the seconds they took in all, since the start."""
        return {
            name: (sum(int(r["calls"]) for r in rows), sum(float(r["total"]) for r in rows))
            for name, rows in self._by_name().items()
        }

    def summary(self) -> pd.DataFrame:
        """Return by operation: calls, and avg, max, min, p99 of the latest durations in seconds."""
        found = []
        for name, rows in self._by_name().items():
            s = np.concatenate([r["seconds"][: min(int(r["measured"]), KEPT)] for r in rows])
            if s.size:
                calls = sum(int(r["calls"]) for r in rows)
                found.append((name, calls, s.mean(), s.max(), s.min(), np.quantile(s, 0.99)))
        columns = ["operation", "calls", "avg", "max", "min", "p99"]
        return pd.DataFrame(found, columns=columns).set_index("operation")

    def _by_name(self) -> dict[str, list[np.void]]:
        """Return the rows of each operation, of all processes, as they are now."""
        with self._lock:
            own = self._own.rows[: len(self._own)].copy()
        found: dict[str, list[np.void]] = {}
        for rows in (own, *self._others()):
            for name, row in used(rows):
                found.setdefault(name, []).append(row)
        return dict(sorted(found.items()))
