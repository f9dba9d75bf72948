"""How long operations take, and logs that a machine can read and nobody can forge."""

import json
import logging
import sys
import threading
import time
from collections import defaultdict, deque
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import numpy as np
import pandas as pd

REQUEST_ID: ContextVar[str] = ContextVar("request_id", default="")
KEPT = 1024  # durations kept per operation


class Durations:
    """The latest durations of each operation."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._count: dict[str, int] = defaultdict(int)
        self._total: dict[str, float] = defaultdict(float)
        self._seconds: dict[str, deque[float]] = defaultdict(lambda: deque(maxlen=KEPT))

    def record(self, operation: str, seconds: float, *, calls: int = 1) -> None:
        """Add one duration that answered ``calls`` calls."""
        with self._lock:
            self._count[operation] += calls
            self._total[operation] += seconds
            self._seconds[operation].append(seconds)

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
        with self._lock:
            return {name: (self._count[name], self._total[name]) for name in sorted(self._count)}

    def summary(self) -> pd.DataFrame:
        """Return by operation: calls, and avg, max, min, p99 of the latest durations in seconds."""
        with self._lock:
            kept = {name: np.array(seconds) for name, seconds in sorted(self._seconds.items())}
            counts = dict(self._count)
        rows = [
            (name, counts[name], s.mean(), s.max(), s.min(), np.quantile(s, 0.99))
            for name, s in kept.items()
        ]
        columns = ["operation", "calls", "avg", "max", "min", "p99"]
        return pd.DataFrame(rows, columns=columns).set_index("operation")


class JsonFormatter(logging.Formatter):
    """One JSON object a line; line breaks of a message are escaped by JSON itself."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "time": self.formatTime(record, "%Y-%m-%dT%H:%M:%S%z"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if REQUEST_ID.get():
            line["request_id"] = REQUEST_ID.get()
        extra = getattr(record, "fields", None)
        if isinstance(extra, dict):
            line.update(extra)
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=True, default=str)


class JsonHandler(logging.Handler):
    """Writes JSON lines to whatever standard error is at the time."""

    def __init__(self) -> None:
        super().__init__()
        self.setFormatter(JsonFormatter())

    def emit(self, record: logging.LogRecord) -> None:
        sys.stderr.write(f"{self.format(record)}\n")
        sys.stderr.flush()


def log_as_json(level: int = logging.INFO) -> None:
    """Send every log line of the process to standard error as JSON."""
    root = logging.getLogger()
    for handler in root.handlers[:]:
        if type(handler) is logging.StreamHandler:  # xlwings-server sets one up when imported
            root.removeHandler(handler)
    if not any(isinstance(h, JsonHandler) for h in root.handlers):
        root.addHandler(JsonHandler())
    root.setLevel(level)
    logging.getLogger("httpx").setLevel(logging.WARNING)
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = name != "uvicorn.access"  # our own line says more, and no query strings
