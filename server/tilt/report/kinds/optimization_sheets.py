"""Sections of an optimization; of a problem without a solution, why there is none."""

import numpy as np
import pandas as pd

from tilt.errors import ZeroDenominatorError
from tilt.frames import Weights
from tilt.optimize.constraints import IMPLICIT, kind_of
from tilt.optimize.explain import objective_name, shown_objective
from tilt.optimize.frontier import Frontier
from tilt.optimize.solve import OBJECTIVES, Solution
from tilt.optimize.terms import SHOWN
from tilt.report.charts import Chart
from tilt.report.checks import FOOTS, KEPT, UNLISTED, Check
from tilt.report.layout import Part, Sheet, Tile, Words
from tilt.report.pack import Section, Subject
from tilt.report.picked import farthest, highest, place_of
from tilt.report.proofs import difference, foots
from tilt.report.style import measure_format
from tilt.report.tables import BY_ROW, Block, Formula, Lineage, in_words, number_at
from tilt.risk.measures import exposure_table, risk_table
from tilt.risk.model import CASH

TOP = 15  # trades drawn
CONVENTIONS = ("tracking_error", "turnover", "limits")
STATUS = {
    "optimal": "solved",
    "optimal_inaccurate": "solved, less exactly than usual",
    "infeasible": "no weights keep all the rules",
    "unbounded": "nothing limits the objective",
    "time_limit": "stopped at the time limit",
}


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


def problem_section(solution: Solution, subject: Subject) -> Section:
    """Return the problem in words, and the figures before and after; or the conflict."""
    asked_for = Words(problem_words(solution, subject), "The problem", wide=150)
    if not solution.solved:
        return _conflict_section(solution, subject, asked_for)
    table = solution.view("summary")
    table = table.assign(change=table["after"] - table["before"])
    numbers = [c for c in table.columns if c != "measure"]
    block = Block(
        "solution_summary",
        "Before and after",
        in_words(table, "measure"),
        formats=dict.fromkeys(numbers, BY_ROW),
        row_formats=tuple(measure_format(m) for m in table["measure"]),
        lineage=lineage(solution, subject, "summary"),
    )
    told = tuple(solution.view("explain")["explanation"])
    name = objective_name(solution.case)
    reached = shown_objective(solution.case, solution.objective)
    start = shown_objective(solution.case, solution.case.headline(solution.case.current))
    turnover = number_at(table, "turnover", "after")
    trades = len(solution.view("trades"))
    said = [
        (
            f"{name[0].upper()}{name[1:]} goes from {start} to {reached}, the best within the "
            f"rules, with {turnover:.1%} one-way turnover in {trades} trades."
        ),
        *solution.warnings,
    ]
    tiles = (
        Tile(f"{name[0].upper()}{name[1:]}", solution.objective, _objective_format(solution),
             f"now {start}"),
        Tile("Turnover", turnover, "percent1", "one way"),
        Tile("Trades", float(trades), "count", STATUS.get(solution.status, solution.status)),
    )  # fmt: skip
    return Section(
        "problem",
        "Problem and answer",
        (
            Sheet(
                "Problem",
                "The problem and its answer",
                subject.subtitle,
                (asked_for, block, Words(told, "In words", wide=150)),
                one_page=True,
            ),
        ),
        checks=(difference("Change is after less before", block, "change", ("after", "before")),),
        findings=tuple(said),
        tiles=tiles,
        conventions=CONVENTIONS,
        assumptions=tuple(("note", text) for text in solution.messages),
        remarks=tuple(("Risk model", note) for note in solution.problem.model.notes),
        cautions=("no_advice", "forecasts"),
    )


def _objective_format(solution: Solution) -> str:
    shown = SHOWN.get(solution.case.objective)
    return "percent" if shown is None or shown.percent else "number"


def _in_percent(rule: object) -> bool:
    return str(rule) in IMPLICIT or kind_of(str(rule)).percent


def problem_words(solution: Solution, subject: Subject) -> tuple[str, ...]:
    """Return what was asked: objective, start, benchmark, options, and each rule."""
    problem, case = solution.problem, solution.case
    text = problem.objective.strip()
    meaning = OBJECTIVES.get(text.casefold())
    names = int((problem.current != 0).sum())
    cash = 1.0 - float(case.current.sum())
    given = "; ".join(f"{key} {value}" for key, value in problem.options.items())
    hard = [rule.words() for rule in problem.rules if rule.priority is None]
    soft = [
        f"{rule.words()} (soft, priority {rule.priority:g})"
        for rule in problem.rules
        if rule.priority is not None
    ]
    return (
        f"Objective: {text}{f', the {meaning}' if meaning else ''}.",
        f"From: {subject.name}, {names} names and {cash:.1%} cash, against {subject.benchmark}.",
        *([f"Options: {given}."] if given else []),
        *[f"Rule: {words}." for words in (*hard, *soft)],
        *([] if problem.rules else ["There are no rules."]),
        (
            f"Risk: the {problem.model.horizon}-horizon {problem.model.estimator} model of "
            f"{problem.model.date:%Y-%m-%d}, {len(case.assets)} names."
        ),
    )


def _conflict_section(solution: Solution, subject: Subject, asked_for: Words) -> Section:
    """Return why there is no solution, and what would make one."""
    parts: list[Part] = [
        asked_for,
        Words((solution.refusal,), "There is no solution", wide=150),
    ]
    trouble = solution.trouble
    said = [solution.refusal]
    if trouble is not None:
        parts.append(Words(tuple(trouble.sentences()[1:]), "Why, and what repairs it", wide=150))
        alone = [r for r in trouble.repairs if r.to is not None]
        if alone:
            cheapest = min(alone, key=lambda repair: repair.steps)
            said.append(f"The cheapest repair is to {cheapest.words()}, and nothing else.")
    if len(solution.repairs):
        parts.append(repairs_block(solution, subject))
    return Section(
        "problem",
        "Problem and answer",
        (
            Sheet(
                "Problem",
                "The problem has no solution",
                subject.subtitle,
                tuple(parts),
                one_page=True,
            ),
        ),
        findings=tuple(said),
        tiles=(
            Tile("Answer", "none", "text", STATUS.get(solution.status, solution.status)),
            Tile("Rules in conflict", float(len(solution.conflict)), "count",
                 f"of {len(solution.problem.rules)}"),
        ),
        conventions=("limits", "conflict"),
        cautions=("no_advice",),
    )  # fmt: skip


def repairs_block(solution: Solution, subject: Subject) -> Block:
    """Return each bound that may move, and to where."""
    table = solution.repairs
    table = table.assign(
        alone=table["alone"].map({"yes": "enough alone", "together": "with the others"})
    )
    table["change"] = table["to"] - table["bound"]
    table = table[["rule", "who", "side", "bound", "to", "change", "alone"]]
    numbers = ("bound", "to", "change")
    unit = tuple("percent" if _in_percent(r) else "number" for r in table["rule"])
    return Block(
        "solution_repairs",
        "Repairs",
        table,
        formats=dict.fromkeys(numbers, BY_ROW),
        row_formats=unit,
        note="A blank bound: moving this rule alone repairs nothing.",
        lineage=lineage(solution, subject, "repairs"),
    )


def rules_section(solution: Solution, subject: Subject) -> Section:
    """Return every rule with its value, slack, status, shadow price and the gain of one step."""
    block = rules_block(solution, subject)
    sheet = Sheet(
        "Rules",
        "Rules, and what each of them costs",
        subject.subtitle,
        (block,),
        freeze_header=True,
        one_page=len(block.table) <= 2 * TOP,
    )
    if not solution.solved:
        return Section("rules", "Rules", (sheet,), conventions=("conflict",))
    table = solution.view("constraints")
    binding = table[table["status"] == "binding"]
    dearest = binding["gain_if_looser"].fillna(0.0)
    said = [f"{len(binding)} of {len(table)} rules bind."]
    if len(dearest) and float(dearest.max()) > 0:
        row = binding.iloc[place_of(dearest)]
        name = objective_name(solution.case)
        who = f" {row['who']}" if row["who"] not in ("", "*") else ""
        gain = float(row["gain_if_looser"])
        step = f"{row['step']:.2%}" if _in_percent(row["rule"]) else f"{row['step']:g}"
        told = f"{gain:.3%}" if _objective_format(solution) == "percent" else f"{gain:.4f}"
        said.append(
            f"The dearest rule is {row['rule']}{who}: one step looser ({step}) improves the "
            f"{name} by {told}."
        )
    least = Formula(f"-MIN({block.ref('slack')})", -float(table["slack"].min()))
    hard = not any(rule.priority is not None for rule in solution.problem.rules)
    return Section(
        "rules",
        "Rules",
        (sheet,),
        checks=(Check("No rule is broken", least, "≤", 0.0, KEPT),) if hard else (),
        findings=tuple(said),
        conventions=("limits",),
    )


def rules_block(solution: Solution, subject: Subject) -> Block:
    """Return the table of rules; without a solution, which of them conflict."""
    levels = ["min", "max", "before", "value", "slack", "step"]
    gains = ["gain_if_looser", "gain_if_tighter"]
    table = solution.view("constraints")
    columns = ["rule", "who", "relative", "min", "max", "before", "value", "slack", "status",
               "shadow_price", "step", *gains, "note"]  # fmt: skip
    if not solution.solved:
        columns = ["rule", "who", "relative", "min", "max", "status"]
    table = table[columns]
    unit = tuple("percent" if _in_percent(r) else "number" for r in table["rule"])
    gain = "cost" if _objective_format(solution) == "percent" else "fine"
    formats = dict.fromkeys([c for c in levels if c in columns], BY_ROW)
    if solution.solved:
        formats |= {"shadow_price": "fine"} | dict.fromkeys(gains, gain)
    return Block(
        "solution_rules",
        "Rules",
        table,
        formats=formats,
        row_formats=unit,
        note="Gain: by how much the objective improves if the bound moves by one step.",
        lineage=lineage(solution, subject, "constraints"),
    )


def trades_section(solution: Solution, subject: Subject) -> Section:
    """Return each trade with what pays for it, and the weights after; nothing without an answer."""
    if not solution.solved:
        return Section("trades", "Trades", ())
    table = solution.view("trades")
    block = Block(
        "solution_trades",
        "Trades",
        table,
        formats={"current": "percent", "optimal": "percent", "trade": "change"},
        totals={"trade": float(table["trade"].sum())},
        bars=("trade",),
        widths={"reason": 70},
        note="Fractions of capital, the largest first. Turnover is half the sum of the trades.",
        lineage=lineage(solution, subject, "trades"),
    )
    bought = float(table["trade"].clip(lower=0.0).sum())
    turnover = number_at(solution.view("summary"), "turnover", "after")
    checks = [
        difference("Trades lead from current to optimal", block, "trade", ("optimal", "current")),
        Check("Purchases are the turnover",
              Formula(f'SUMIF({block.ref("trade")},">0")', bought), "=", turnover, UNLISTED),
    ]  # fmt: skip
    weights = weights_block(solution, subject)
    checks.append(foots("Weights and cash are the whole", weights, "weight", 1.0))
    checks.append(foots("Weights now and cash are the whole", weights, "current", 1.0))
    sheet = Sheet("Trades", "Trades and what pays for them", subject.subtitle, (block,),
                  freeze_header=True)  # fmt: skip
    after = Sheet("Weights", "Weights before and after", subject.subtitle, (weights,),
                  freeze_header=True)  # fmt: skip
    return Section(
        "trades",
        "Trades",
        (sheet,),
        data=(after,),
        checks=tuple(checks),
        findings=_trades_findings(table),
        conventions=("turnover",),
        cautions=("no_advice",),
    )


def _trades_findings(table: pd.DataFrame) -> tuple[str, ...]:
    named = table[table["ticker"] != CASH]
    if not len(named):
        return ("There is nothing to trade: the holdings are the best within the rules.",)
    bought, sold = named[named["trade"] > 0], named[named["trade"] < 0]
    told = [
        f"{verb} is {farthest(rows, 'trade')['ticker']} ({rows['trade'].abs().max():.2%})"
        for verb, rows in (("the largest purchase", bought), ("the largest sale", sold))
        if len(rows)
    ]
    return (f"{len(bought)} names are bought and {len(sold)} sold; {', '.join(told)}.",)


def weights_block(solution: Solution, subject: Subject) -> Block:
    """Return the names held before or after, one row for cash, one for what neither holds."""
    table = solution.view("weights")[["ticker", "name", "current", "weight", "benchmark", "active"]]
    sums = table[["current", "weight"]].sum()
    others = float(np.sum(solution.case.center)) - float(table["benchmark"].sum())
    after = 1.0 - float(sums["weight"])
    cash = [CASH, "Cash", 1.0 - float(sums["current"]), after, 0.0, after]
    rest = ["", "Names of the benchmark that neither holds", 0.0, 0.0, others, -others]
    more = pd.DataFrame([cash, rest], columns=table.columns)
    table = pd.concat([table, more], ignore_index=True)
    percents = ("current", "weight", "benchmark")
    return Block(
        "solution_weights",
        "Weights",
        table,
        formats=dict.fromkeys(percents, "percent") | {"active": "change"},
        totals={c: float(table[c].sum()) for c in (*percents, "active")},
        bars=("active",),
        lineage=lineage(solution, subject, "weights"),
    )


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


def frontier_section(frontier: Frontier | None, solution: Solution, subject: Subject) -> Section:
    """Return the efficient frontier; nothing where it was not asked for."""
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
                        dict(lineage(solution, subject, "frontier").arguments), solution.run_id),
    )  # fmt: skip
    chart = Chart(
        "line",
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
