"""Short expressions over fields and factors, such as ``rank(roe) - rank(leverage)``.

An expression is read with Python's own parser and only what is listed here is obeyed: numbers,
names, + - * / and powers, and the functions below. Nothing is executed. Every function looks at
one date or at earlier ones, so an expression cannot see the future.
"""

import ast
import warnings
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import cast

import numpy as np

from tilt.errors import ArgumentError, UnknownNameError, cut, did_you_mean
from tilt.factors.descriptors import window_sum
from tilt.factors.ranking import shares

LONGEST = 500  # characters
DEEPEST = 40
FARTHEST = 1260  # days back
OTHER_NAMES: Mapping[str, str] = MappingProxyType(
    {
        "roe": "return_on_equity",
        "btp": "book_to_price",
        "etp": "earnings_to_price",
        "stp": "sales_to_price",
        "cap": "market_cap",
    }
)
_NUMBERS = (int, float)  # and no bool, which is an int to Python
Read = Callable[[str], np.ndarray]  # from a name to dates × assets


def rank(x: np.ndarray) -> np.ndarray:
    """Return the rank across assets as a share of their number: a half is the median."""
    return shares(np.where(np.isfinite(x), x, np.nan))


def zscore(x: np.ndarray) -> np.ndarray:
    """Return x less its mean across assets, by its deviation."""
    mean, sd = _moments(x)
    return np.asarray((x - mean) / np.where(sd > 0, sd, np.nan))


def winsorize(x: np.ndarray) -> np.ndarray:
    """Return x clipped to three deviations from its mean across assets."""
    mean, sd = _moments(x)
    return np.asarray(np.clip(x, mean - 3 * sd, mean + 3 * sd))


def log(x: np.ndarray) -> np.ndarray:
    """Return the natural logarithm; missing where x is not positive."""
    return np.asarray(np.log(np.where(x > 0, x, np.nan)))


def sqrt(x: np.ndarray) -> np.ndarray:
    """Return the square root; missing where x is negative."""
    return np.asarray(np.sqrt(np.where(x >= 0, x, np.nan)))


def lag(x: np.ndarray, days: int) -> np.ndarray:
    """Return x of so many trading days before."""
    out = np.full(x.shape, np.nan)
    if days < len(x):
        out[days:] = x[: len(x) - days]
    return out


def delta(x: np.ndarray, days: int) -> np.ndarray:
    """Return x less x of so many trading days before."""
    return np.asarray(x - lag(x, days))


def total(x: np.ndarray, days: int) -> np.ndarray:
    """Return the sum over the last days; missing where one of them is."""
    seen = np.isfinite(x)
    whole = window_sum(seen.astype(float), days) == days
    return np.where(whole, window_sum(np.where(seen, x, 0.0), days), np.nan)


def mean(x: np.ndarray, days: int) -> np.ndarray:
    """Return the mean over the last days, half of which must be there."""
    seen = np.isfinite(x)
    count = window_sum(seen.astype(float), days)
    added = window_sum(np.where(seen, x, 0.0), days)
    return np.where(count >= days / 2, added / np.maximum(count, 1), np.nan)


def std(x: np.ndarray, days: int) -> np.ndarray:
    """Return the deviation over the last days, half of which must be there."""
    level = mean(x, days)
    return np.asarray(np.sqrt(np.maximum(mean(x * x, days) - level**2, 0.0)))


PLAIN: Mapping[str, Callable[[np.ndarray], np.ndarray]] = MappingProxyType(
    {
        "rank": rank,
        "zscore": zscore,
        "winsorize": winsorize,
        "log": log,
        "sqrt": sqrt,
        "abs": np.abs,
        "sign": np.sign,
    }
)
WINDOWED: Mapping[str, Callable[[np.ndarray, int], np.ndarray]] = MappingProxyType(
    {"lag": lag, "delta": delta, "sum": total, "mean": mean, "std": std}
)
PAIRED: Mapping[str, Callable[[np.ndarray, np.ndarray], np.ndarray]] = MappingProxyType(
    {"min": np.minimum, "max": np.maximum}
)
FUNCTIONS = (*PLAIN, *WINDOWED, *PAIRED)


def is_expression(text: str) -> bool:
    """Return whether a text has a sign or a bracket that no plain name has."""
    return any(sign in text for sign in "()+*/^") or " - " in text or text.lstrip().startswith("-")


def evaluate(text: str, names: Mapping[str, str], read: Read) -> np.ndarray:
    """Return the value of an expression, dates × assets.

    Parameters
    ----------
    names : what may be named: from a name as it is typed to the field or factor it means
    read : gives the values of a field or a factor, dates × assets

    Raises
    ------
    ArgumentError
        If it is no expression, or calls what is no function here.
    UnknownNameError
        If it names what is not known; the message gives the nearest name.
    """
    return _Reader(text, names, read).value()


def spelled(known: list[str]) -> dict[str, str]:
    """Return how each known name may be typed: any case, ``_`` for a space or a hyphen."""
    names = {_fold(name): name for name in reversed(known)}
    return {**{o: n for o, n in OTHER_NAMES.items() if n in known}, **names}


def _fold(name: str) -> str:
    return "".join(c if c.isalnum() else "_" for c in name.casefold())


class _Reader:
    """One expression, read from its tree."""

    def __init__(self, text: str, names: Mapping[str, str], read: Read) -> None:
        self._text = text.strip().replace("^", "**")  # Excel's sign for a power
        self._names, self._read = names, read

    def value(self) -> np.ndarray:
        tree = self._parse()
        try:
            with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
                found = self._of(tree, 0)
        except (OverflowError, ZeroDivisionError):
            raise ArgumentError(f"'{cut(self._text)}' has a number that is too large.") from None
        if not isinstance(found, np.ndarray):
            raise ArgumentError(
                f"'{cut(self._text)}' is a number. Name a field or a factor in the expression."
            )
        return np.where(np.isfinite(found), found, np.nan)

    def _parse(self) -> ast.expr:
        if len(self._text) > LONGEST:
            raise ArgumentError(
                f"The expression has {len(self._text)} characters; {LONGEST} are the most."
            )
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", SyntaxWarning)
                return ast.parse(self._text, mode="eval").body
        except SyntaxError as error:
            near = self._text[max((error.offset or 1) - 1, 0) :][:12].strip()
            where = f" near '{cut(near)}'" if near else " at its end"
            raise ArgumentError(
                f"'{cut(self._text)}' is not an expression{where}. "
                "Write it as rank(roe) - rank(leverage)."
            ) from None
        except (ValueError, RecursionError, MemoryError):
            raise ArgumentError(f"'{cut(self._text)}' is not an expression.") from None

    def _of(self, node: ast.expr, depth: int) -> "np.ndarray | float":
        if depth > DEEPEST:
            raise ArgumentError(f"The expression is nested more than {DEEPEST} deep. Split it.")
        if isinstance(node, ast.Constant) and type(node.value) in _NUMBERS:
            return float(cast("float", node.value))
        if isinstance(node, ast.Name):
            return self._named(node.id)
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.UAdd):
            inner = self._of(node.operand, depth + 1)
            return -inner if isinstance(node.op, ast.USub) else inner
        if isinstance(node, ast.BinOp):
            return self._pair(node, depth)
        if isinstance(node, ast.Call):
            return self._call(node, depth)
        raise ArgumentError(
            f"'{cut(self._source(node))}' may not stand in an expression. "
            "Use names, numbers, + - * / ^ and functions."
        )

    def _pair(self, node: ast.BinOp, depth: int) -> "np.ndarray | float":
        a, b = self._of(node.left, depth + 1), self._of(node.right, depth + 1)
        if isinstance(node.op, ast.Add):
            return a + b
        if isinstance(node.op, ast.Sub):
            return a - b
        if isinstance(node.op, ast.Mult):
            return a * b
        if isinstance(node.op, ast.Div):
            if isinstance(b, float) and b == 0:
                raise ArgumentError(f"'{cut(self._source(node))}' divides by zero.")
            return a / b
        if isinstance(node.op, ast.Pow):
            if not isinstance(b, float) or abs(b) > 10:
                raise ArgumentError(
                    f"'{cut(self._source(node))}': the power must be a number up to 10."
                )
            return np.asarray(np.power(a, b)) if isinstance(a, np.ndarray) else float(a**b)
        raise ArgumentError(f"'{cut(self._source(node))}' has a sign that is not one of + - * / ^.")

    def _call(self, node: ast.Call, depth: int) -> np.ndarray:
        name = node.func.id.casefold() if isinstance(node.func, ast.Name) else ""
        if name not in FUNCTIONS:
            given = self._source(node.func)
            raise ArgumentError(
                f"There is no function '{cut(given)}'.{did_you_mean(given, FUNCTIONS)} "
                f"The functions are {', '.join(FUNCTIONS)}."
            )
        needed = 1 if name in PLAIN else 2
        if len(node.args) != needed or node.keywords:
            example = f"{name}(x)" if needed == 1 else f"{name}(x, {'y' if name in PAIRED else 21})"
            raise ArgumentError(f"{name} takes {needed} arguments: {example}.")
        x = self._values(node.args[0], depth + 1)
        if name in PLAIN:
            return np.asarray(PLAIN[name](x))
        if name in PAIRED:
            return np.asarray(PAIRED[name](x, self._values(node.args[1], depth + 1)))
        return np.asarray(WINDOWED[name](x, self._days(name, node.args[1])))

    def _values(self, node: ast.expr, depth: int) -> np.ndarray:
        found = self._of(node, depth)
        if not isinstance(found, np.ndarray):
            raise ArgumentError(f"'{cut(self._source(node))}' is a number; a field is needed here.")
        return found

    def _days(self, name: str, node: ast.expr) -> int:
        days = node.value if isinstance(node, ast.Constant) else None
        if not isinstance(days, int) or isinstance(days, bool) or not 1 <= days <= FARTHEST:
            raise ArgumentError(
                f"The days of {name} are '{cut(self._source(node))}'; they must be a whole number "
                f"from 1 to {FARTHEST}, and look back only."
            )
        return days

    def _named(self, given: str) -> np.ndarray:
        meant = self._names.get(_fold(given))
        if meant is None:
            near = did_you_mean(given, self._names)
            raise UnknownNameError(
                f"Unknown name '{cut(given)}' in the expression.{near} "
                "Fields and factors may be named."
            )
        return self._read(meant)

    def _source(self, node: ast.AST) -> str:
        return ast.get_source_segment(self._text, node) or self._text


def _moments(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    seen = np.isfinite(x)
    n = seen.sum(axis=1, keepdims=True)
    level = np.where(seen, x, 0.0).sum(axis=1, keepdims=True) / np.maximum(n, 1)
    squares = np.where(seen, (x - level) ** 2, 0.0).sum(axis=1, keepdims=True)
    sd = np.sqrt(squares / np.maximum(n - 1, 1))
    return np.where(n > 1, level, np.nan), np.where(n > 1, sd, np.nan)
