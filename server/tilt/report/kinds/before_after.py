"""The section of exposures and risk before and after an optimization."""

import pandas as pd

from tilt.errors import ZeroDenominatorError
from tilt.frames import Weights
from tilt.optimize.solve import Solution
from tilt.report.charts import Chart
from tilt.report.checks import FOOTS, Check
from tilt.report.kinds.solution_origin import lineage
from tilt.report.layout import Sheet
from tilt.report.pack import Section, Subject
from tilt.report.picked import place_of
from tilt.report.proofs import difference
from tilt.report.tables import Block, Formula, number_at
from tilt.risk.measures import exposure_table, risk_table


def exposures_section(solution: Solution, subject: Subject) -> Section:
    """Return exposures and contributions to risk before and after; nothing without an answer."""
    if not solution.solved:
        return Section("exposures", "Exposures and risk", ())
    blocks = {group: exposures_block(solution, subject, group) for group in ("style", "sector")}
    risk = risk_block(solution, subject)
    charts = {
        group: Chart(
            "bar",
            f"Active {group} {'exposure' if group == 'style' else 'weight'}, before and after",
            block.key,
            "factor",
            ("before_active", "after_active"),
            f"Bars of the active exposure to each {group} before and after",
            "number" if group == "style" else "percent1",
            beside=True,
            width=520,
            height=max(260, 26 * len(block.table)),
        )
        for group, block in blocks.items()
    }
    totals = {c: float(risk.table[c].sum()) for c in ("before", "after")}
    summary = solution.view("summary")
    expected = {
        c: number_at(summary, "tracking_error", c) if "tracking_error" in set(summary["measure"])
        else totals[c]
        for c in totals
    }  # fmt: skip
    return Section(
        "exposures",
        "Exposures and risk",
        (
            Sheet(
                "Exposures",
                "Exposures before and after",
                subject.subtitle,
                tuple(p for g, block in blocks.items() for p in (block, charts[g])),
                one_page=True,
            ),
            Sheet("Risk", "Where the tracking error comes from", subject.subtitle, (risk,),
                  one_page=True),
        ),
        checks=(
            *(
                difference(f"Active {g} exposure after is after less benchmark", b, "after_active",
                           ("after", "benchmark"))
                for g, b in blocks.items()
            ),
            *(
                Check(f"Contributions {c} foot to the tracking error", Formula(
                    f"SUM({risk.ref(c)})", totals[c]), "=", expected[c], FOOTS)
                for c in totals
            ),
        ),
        findings=_exposure_findings(blocks["style"].table),
        conventions=("exposures", "tracking_error"),
        cautions=("forecasts",),
    )  # fmt: skip


def _exposure_findings(styles: pd.DataFrame) -> tuple[str, ...]:
    moved = styles["after"] - styles["before"]
    if not (moved != 0).any():
        return ()
    row = styles.iloc[place_of(moved, size=True)]
    return (
        (
            f"The exposure that changes most is {row['factor']}, from {row['before_active']:+.2f} "
            f"to {row['after_active']:+.2f} against the benchmark."
        ),
    )


def exposures_block(solution: Solution, subject: Subject, group: str) -> Block:
    """Return the exposures of a group of factors before and after, and against the benchmark."""
    problem = solution.problem
    before = exposure_table(problem.model, problem.current, problem.benchmark)
    after = exposure_table(problem.model, solution.weights, problem.benchmark)
    table = pd.DataFrame(
        {
            "factor": before["factor"],
            "before": before["portfolio"],
            "after": after["portfolio"],
            "benchmark": before["benchmark"],
            "before_active": before["active"],
            "after_active": after["active"],
        }
    )[(before["group"] == group).to_numpy()].reset_index(drop=True)
    plain, signed = ("number", "signed") if group == "style" else ("percent", "change")
    return Block(
        f"solution_{group}_exposures",
        "Styles, in standard deviations" if group == "style" else "Sectors, fractions of capital",
        table,
        formats=dict.fromkeys(("before", "after", "benchmark"), plain)
        | dict.fromkeys(("before_active", "after_active"), signed),
        lineage=lineage(solution, subject, "exposures"),
    )


def risk_block(solution: Solution, subject: Subject) -> Block:
    """Return what each factor contributes to the tracking error before and after."""
    problem = solution.problem
    sides = {"before": problem.current, "after": solution.weights}
    found = {name: _contributions(solution, weights) for name, weights in sides.items()}
    table = pd.DataFrame(found).fillna(0.0).rename_axis("name").reset_index()
    table["change"] = table["after"] - table["before"]
    return Block(
        "solution_risk",
        "Contribution to the tracking error, a year",
        table,
        formats=dict.fromkeys(("before", "after", "change"), "change"),
        totals={c: float(table[c].sum()) for c in ("before", "after", "change")},
        bars=("after",),
        lineage=lineage(solution, subject, "risk"),
    )


def _contributions(solution: Solution, weights: Weights) -> "pd.Series[float]":
    problem = solution.problem
    try:
        table = risk_table(problem.model, weights, problem.benchmark)
    except ZeroDenominatorError:  # it is its benchmark: nothing contributes to no risk
        return pd.Series(dtype=float)
    return table.iloc[:-1].set_index("name")["ctr"]
