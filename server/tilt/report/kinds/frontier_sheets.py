"""The section of the efficient frontier."""

from tilt.optimize.frontier import Frontier
from tilt.optimize.solve import Solution
from tilt.report.charts import Chart
from tilt.report.kinds.optimization_sheets import CONVENTIONS
from tilt.report.kinds.solution_origin import lineage
from tilt.report.layout import Sheet, Words
from tilt.report.pack import Section, Subject
from tilt.report.picked import highest
from tilt.report.tables import Block, Lineage


def frontier_section(
    frontier: Frontier | None, solution: Solution, subject: Subject, run: str
) -> Section:
    """Return the efficient frontier, a run of its own; nothing where it was not asked for."""
    if frontier is None or not solution.solved:
        return Section("frontier", "Frontier", ())
    if frontier.refusal:
        words = Words((frontier.refusal,), "There is no frontier")
        sheet = Sheet("Frontier", "Frontier", subject.subtitle, (words,), one_page=True)
        return Section("frontier", "Frontier", (sheet,), findings=(frontier.refusal,))
    table = frontier.table.reset_index(drop=True)
    table.insert(0, "point", [str(n) for n in range(1, len(table) + 1)])
    block = Block(
        "solution_frontier",
        "Points of equal steps in return",
        table,
        formats={"risk": "percent", "return": "percent", "ratio": "number",
                 "turnover": "percent1", "names": "count"},
        widths={"entering": 40, "leaving": 40},
        lineage=Lineage("tilt.optimize.frontier.trace_frontier",
                        dict(lineage(solution, subject, "frontier").arguments), run),
    )  # fmt: skip
    chart = Chart(
        "scatter",
        f"{frontier.return_name[:1].upper()}{frontier.return_name[1:]} for each "
        f"{frontier.risk_name}",
        block.key,
        "risk",
        ("return",),
        "Line of the return for each risk, from the least risk to the largest return",
        "percent1",
        width=1060,
        height=280,
    )
    first, last = table.iloc[0], table.iloc[-1]
    best = highest(table, "ratio")
    return Section(
        "frontier",
        "Frontier",
        (Sheet("Frontier", "Efficient frontier", subject.subtitle, (chart, block), one_page=True),),
        findings=(
            (
                f"On the frontier {frontier.risk_name} runs from {first['risk']:.2%} to "
                f"{last['risk']:.2%} and {frontier.return_name} from {first['return']:.2%} to "
                f"{last['return']:.2%}; their ratio is best at point {best['point']} "
                f"({best['risk']:.2%} for {best['return']:.2%})."
            ),
        ),
        conventions=CONVENTIONS,
        assumptions=tuple(("frontier", text) for text in frontier.messages),
    )
