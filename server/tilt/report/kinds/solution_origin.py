"""Where the tables of an optimization come from."""

from tilt.optimize.solve import Solution
from tilt.report.pack import Subject
from tilt.report.tables import Lineage


def lineage(solution: Solution, subject: Subject, view: str) -> Lineage:
    """Return the origin of a table of the solution."""
    problem = solution.problem
    told = {
        "objective": problem.objective,
        "portfolio": subject.name,
        "benchmark": subject.benchmark,
        "rules": "; ".join(rule.words() for rule in problem.rules),
        **{key: str(value) for key, value in problem.options.items()},
        "view": view,
    }
    return Lineage("tilt.optimize.solve.solve", told, solution.run_id)
