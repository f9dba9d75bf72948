"""Names that are fixed by hand: pinned at a weight, or left out."""

from collections.abc import Iterable

from tilt.errors import ArgumentError, UnknownNameError, did_you_mean
from tilt.optimize.constraints import Rule
from tilt.optimize.terms import Array

MOST_WEIGHT = 4.0  # times the capital: beyond it per cent were typed as whole numbers


def pin_rules(
    pin: str, exclude: str, assets: Array, current: Array, sectors: Iterable[str]
) -> tuple[Rule, ...]:
    """Return pins and exclusions as rules on single weights, to be kept beside the others.

    Parameters
    ----------
    pin : ``AAPL=0.05, MSFT``: a name at a weight, or as it is held now
    exclude : ``XOM, Energy``: names and sectors that are not to be held
    current : weights held now, by asset

    Raises
    ------
    ArgumentError
        If a weight is no number, or a name is given twice.
    UnknownNameError
        If a name is none of the assets, nor a sector that is left out.
    """
    if not pin and not exclude:
        return ()
    place = {str(name).casefold(): at for at, name in enumerate(assets)}
    groups = {str(name).casefold(): str(name) for name in sectors}
    rules: list[Rule] = []
    seen: set[str] = set()
    for part in _parts(pin):
        name, given, text = (piece.strip() for piece in part.partition("="))
        at = place.get(name.casefold())
        if at is None:
            raise _unknown("pin", name, assets)
        weight = _weight(name, text) if given else float(current[at])
        rules.append(Rule("weight", _once(str(assets[at]), seen), weight, weight))
    for name in _parts(exclude):
        key = name.casefold()
        if key not in place and key not in groups:
            raise _unknown("exclude", name, [*assets, *groups.values()])
        who = str(assets[place[key]]) if key in place else groups[key]
        rules.append(Rule("weight", _once(who, seen), 0.0, 0.0))
    return tuple(rules)


def _parts(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _once(name: str, seen: set[str]) -> str:
    if name in seen:
        raise ArgumentError(f"'{name}' is pinned or excluded twice. Keep one.")
    seen.add(name)
    return name


def _weight(name: str, text: str) -> float:
    per_cent = text.endswith("%")
    try:
        weight = float(text.rstrip("% ")) / (100 if per_cent else 1)
    except ValueError:
        weight = float("nan")
    if not abs(weight) <= MOST_WEIGHT:
        raise ArgumentError(
            f"option pin: the weight of {name} must be a fraction of capital, 0.05 for 5 %; "
            f"got '{text}'."
        )
    return weight


def _unknown(option: str, name: str, known: Iterable[object]) -> UnknownNameError:
    names = [str(n) for n in known]
    return UnknownNameError(
        f"option {option}: '{name}' has no risk data at this date.{did_you_mean(name, names)}"
    )
