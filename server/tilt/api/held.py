"""How much memory a kept result takes."""

import sys
from collections.abc import Mapping
from dataclasses import fields, is_dataclass

import numpy as np
import pandas as pd

from tilt.frames import Panel

NUMBER = 8  # bytes
_DEEP = 6  # of what lies in what: a table in a result in a tuple


def bytes_of(value: object, *, deep: int = _DEEP) -> int:
    """Return about how many bytes a result takes, by its arrays and tables.

    A panel counts nothing: it is kept, and counted, elsewhere. Of a list of alike things the first
    stands for all.
    """
    if isinstance(value, Panel) or deep == 0:
        return 0
    if isinstance(value, np.ndarray):
        return value.nbytes
    if isinstance(value, pd.DataFrame | pd.Series):
        return NUMBER * value.size
    if isinstance(value, Mapping):
        return sys.getsizeof(value) + sum(bytes_of(v, deep=deep - 1) for v in value.values())
    if isinstance(value, list):
        each = bytes_of(value[0], deep=deep - 1) if value else 0
        return sys.getsizeof(value) + len(value) * each
    if isinstance(value, tuple):
        return sys.getsizeof(value) + sum(bytes_of(v, deep=deep - 1) for v in value)
    if is_dataclass(value) and not isinstance(value, type):
        return sum(bytes_of(getattr(value, f.name), deep=deep - 1) for f in fields(value))
    return sys.getsizeof(value)
