"""The answer to a portfolio problem as JSON: every view of it, and repairs that can be applied."""

from collections.abc import Iterable

from tilt.api.frames import plain, split
from tilt.optimize.conflict import Repair
from tilt.optimize.solve import Solution


def solution_body(solution: Solution) -> dict[str, object]:
    """Return what a reader of a solution wants to see, with or without an answer.

    ``repairs`` is a list of ``{"words", "alone", "changes": [{rule, who, relative, side, to}],
    "options": {name: value}}``; each of them makes the rules hold together.
    """
    body: dict[str, object] = {
        "run_id": solution.run_id,
        "objective": solution.problem.objective,
        "status": solution.status,
        "solved": solution.solved,
        "value": plain(solution.objective),
        "solver": solution.solver,
        "seconds": solution.seconds,
        "refusal": solution.refusal,
        "messages": list(solution.messages),
        "warnings": solution.warnings,
        "summary": split(solution.view("summary")),
        "constraints": split(solution.view("constraints")),
        "explain": [str(line) for line in solution.view("explain")["explanation"]],
        "conflict": [rule.words() for rule in solution.conflict],
        "conflict_rows": [
            {"row": r.row, "side": "min" if r.high is None else "max"} for r in solution.conflict
        ],
        "repairs": _repairs(solution),
        "trades": None,
        "weights": None,
    }
    if solution.solved:
        body["trades"] = split(solution.view("trades"))
        body["weights"] = split(solution.view("weights"))
    return body


def _repairs(solution: Solution) -> list[dict[str, object]]:
    conflict = solution.trouble
    if conflict is None:
        return []
    alone = sorted((r for r in conflict.repairs if r.to is not None), key=lambda r: r.steps)
    ways = [_way([repair], alone=True) for repair in alone]
    together = [r for r in conflict.least if r.to is not None]
    if len(together) > 1 and len(together) == len(conflict.least):
        ways.append(_way(together, alone=False))
    for release in conflict.releases:
        options = {release.option: release.to}
        said = _sentence(release.words())
        ways.append({"words": said, "alone": True, "changes": [], "options": options})
    return ways


def _sentence(words: str) -> str:
    return words[0].upper() + words[1:]


def _way(repairs: Iterable[Repair], *, alone: bool) -> dict[str, object]:
    found = list(repairs)
    words = " and ".join(repair.words() for repair in found)
    return {
        "words": _sentence(words),
        "alone": alone,
        "changes": [
            {
                "rule": repair.rule.rule,
                "who": repair.rule.who,
                "relative": repair.rule.relative,
                "side": repair.side,
                "to": repair.to,
            }
            for repair in found
        ],
        "options": {},
    }
