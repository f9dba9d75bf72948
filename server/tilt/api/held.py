"""How much memory a kept result takes."""

import math
import sys
from collections.abc import Mapping
from dataclasses import fields, is_dataclass

import numpy as np
import pandas as pd

from tilt.frames import Panel

NUMBER = 8  # bytes
_DEEP = 6  # of what lies in what: a table in a result in a tuple


def bytes_of(value: object) -> int:
    """Return about how many bytes a result takes, by its arrays and tables.

    A panel counts nothing: it is kept, and counted, elsewhere. Of a list of alike things the first
    stands for all, and what lies in a result twice counts once.
    """
    return _bytes(value, _DEEP, set())


def _bytes(value: object, deep: int, counted: set[int]) -> int:
    if isinstance(value, Panel) or deep == 0:
        return 0
    if isinstance(value, np.ndarray):
        steps = zip(value.shape, value.strides, strict=True)
        there: int = math.prod(n for n, step in steps if step)  # along no step it is the same
        return there * int(value.itemsize)
    if isinstance(value, pd.DataFrame | pd.Series):
        return NUMBER * value.size
    if isinstance(value, Mapping):
        return sys.getsizeof(value) + sum(_bytes(v, deep - 1, counted) for v in value.values())
    if isinstance(value, list):
        each = _bytes(value[0], deep - 1, counted) if value else 0
        return sys.getsizeof(value) + len(value) * each
    if isinstance(value, tuple):
        return sys.getsizeof(value) + sum(_bytes(v, deep - 1, counted) for v in value)
    if is_dataclass(value) and not isinstance(value, type):
        if id(value) in counted:
            return 0
        counted.add(id(value))
        return sum(_bytes(getattr(value, f.name), deep - 1, counted) for f in fields(value))
    return sys.getsizeof(value)
