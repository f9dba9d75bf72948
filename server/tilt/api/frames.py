"""Frames as JSON: pandas ``split`` objects, dates as ISO text, what is missing as null."""

import datetime as dt

import numpy as np
import pandas as pd


def split(frame: pd.DataFrame) -> dict[str, object]:
    """Return a frame as ``{"index": [...], "columns": [...], "data": [[...]]}``."""
    columns = [[plain(v) for v in frame.iloc[:, i].tolist()] for i in range(frame.shape[1])]
    rows = [list(row) for row in zip(*columns, strict=True)]
    return {
        "index": [plain(v) for v in frame.index.tolist()],
        "columns": [str(c) for c in frame.columns],
        "data": rows or [[] for _ in frame.index],
    }


def plain(value: object) -> object:
    """Return a value that JSON knows."""
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or value is pd.NaT:
        return None
    if isinstance(value, dt.datetime):
        midnight = value.time() == dt.time()
        return f"{value:%Y-%m-%d}" if midnight else value.isoformat()
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, float) and not np.isfinite(value):
        return None
    return value
