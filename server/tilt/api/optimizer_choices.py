"""What may be chosen of the optimizer, as the pane lists it: from the engine's own tables.

A new objective, option or rule of the engine appears by itself; only its title is looked up here.
"""

import types
from collections.abc import Mapping
from dataclasses import MISSING, fields
from typing import Union, get_args, get_origin

from tilt.frames import Panel
from tilt.optimize.constraints import KINDS
from tilt.optimize.options import (
    ESTIMATED,
    OPTIONS,
    OPTIONS_OF,
    POSTERIORS,
    SOLVERS,
    Options,
)
from tilt.optimize.sums import TERMS
from tilt.optimize.terms import OBJECTIVES, SHOWN

TITLES: Mapping[str, str] = {
    "min_te": "Lowest tracking error",
    "min_risk": "Lowest volatility",
    "max_utility": "Best return for its risk",
    "max_return": "Highest return",
    "max_sharpe": "Highest Sharpe ratio",
    "equal_weight": "Equal weights",
    "pure_factor": "Pure factor",
    "risk_parity": "Equal risk from each name",
    "risk_budget": "Risk by budget",
    "max_diversification": "Best diversified",
    "min_cvar": "Smallest mean loss of bad days",
    "hrp": "Hierarchical risk parity",
    "black_litterman": "Black-Litterman views",
    "min_cost": "Cheapest repair of the rules",
}
FRACTIONS = frozenset({"cash", "confidence", "risk_free", "spread", "borrow"})  # typed in per cent
GROUPED = "group"  # members of a rule by any column
MOST_GROUPS = 60  # of a column that is offered as one
# Options that have a place of their own in the pane, or that only a cell can use.
ELSEWHERE = frozenset({"pin", "exclude", "why", "schedule", "dates", "start", "end", "views"})


def optimizer_choices(panel: Panel) -> dict[str, object]:
    """Return objectives, options and rules with what a form needs of each, and whom rules name.

    An option is ``{name, description, kind, default, percent, choices, own, form}``: ``kind`` is
    flag, number or text; ``own`` says that it belongs to some objectives alone, which name it;
    ``form`` is false where it is not to be typed in a list of options.
    """
    choices = {
        "solver": SOLVERS,
        "estimator": ESTIMATED,
        "posterior": POSTERIORS,
        "factor": _members(panel)["factor"],
    }
    own = {name for names in OPTIONS_OF.values() for name in names}
    return {
        "objectives": [
            {
                "name": name,
                "title": TITLES.get(name, name.replace("_", " ").capitalize()),
                "description": description,
                "percent": SHOWN[name].percent,
                "smaller_is_better": SHOWN[name].smaller_is_better,
                "options": [o for o in OPTIONS_OF.get(name, ()) if o in OPTIONS],
            }
            for name, description in OBJECTIVES.items()
        ],
        "terms": dict(TERMS),
        "options": [
            {
                "name": n,
                "description": d,
                "own": n in own,
                "form": n not in ELSEWHERE,
                **_typed(n),
                "choices": choices.get(n, ()),
            }
            for n, d in OPTIONS.items()
        ],
        "rules": _rules(panel),
        "members": _members(panel),
        "names": {
            **dict.fromkeys(_named(panel, "sector"), "sector"),
            **{str(t): str(n) for t, n in panel.securities["name"].dropna().items()},
        },
    }


def _typed(name: str) -> dict[str, object]:
    """Return kind, default and choices of an option, as the engine's dataclass declares them."""
    found = next((f for f in fields(Options) if f.name == name), None)
    if found is None:
        return {"kind": "text", "default": None, "percent": False}
    declared = found.type
    split = get_origin(declared) in (Union, types.UnionType)
    kinds = set(get_args(declared)) if split else {declared}
    kind = "flag" if bool in kinds else "number" if kinds & {float, int} else "text"
    default = None if found.default is MISSING else found.default
    return {
        "kind": kind,
        "default": default if isinstance(default, str | bool | int | float) else None,
        "percent": kind == "number" and name in FRACTIONS,
    }


def _rules(panel: Panel) -> list[dict[str, object]]:
    """Return the rules that can be used; the one by a column once for each that groups names."""
    found, members = [], _members(panel)
    for name, kind in KINDS.items():
        if kind.members not in (GROUPED, "") and not members.get(kind.members):
            continue  # such as countries, where the data know none
        plain = {f.name: getattr(kind, f.name) for f in fields(kind)}
        if kind.members != GROUPED:
            found.append({"name": name, **plain})
            continue
        found += [
            {"name": f"{name}:{column}", **plain, "members": column} for column in _columns(panel)
        ]
    return found


def _columns(panel: Panel) -> list[str]:
    """Return the columns of the securities that put names into groups and have no rule yet."""
    columns = [str(c) for c in panel.securities.columns if str(c) not in (*KINDS, "name")]
    return [c for c in columns if 1 < len(_named(panel, c)) <= MOST_GROUPS]


def _members(panel: Panel) -> dict[str, list[str]]:
    """Return whom rules may name, by the ``members`` of a rule."""
    tickers = [str(t) for t in panel.assets]
    by_column = {
        c: _named(panel, c)
        for c in ("sector", "industry", "country", *_columns(panel))
        if c in panel.securities.columns
    }
    factors = [] if panel.factor_history is None else [str(f) for f in panel.factors.factors.index]
    sectors = by_column["sector"]
    return {
        **by_column,
        "factor": factors,
        "asset": [*sectors, *tickers],
        "risk": [*sectors, *(f for f in factors if f not in sectors), *tickers],
    }


def _named(panel: Panel, column: str) -> list[str]:
    values = panel.securities[column].dropna()
    return sorted({v for v in values if isinstance(v, str) and v})
