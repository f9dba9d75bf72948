"""Sections of an optimization; of a problem without a solution, why there is none."""

import numpy as np
import pandas as pd

from tilt.optimize.constraints import IMPLICIT, kind_of
from tilt.optimize.explain import objective_name, shown_objective
from tilt.optimize.solve import OBJECTIVES, Solution
from tilt.optimize.terms import SHOWN
from tilt.report.checks import KEPT, UNLISTED, Check
from tilt.report.kinds.solution_origin import lineage
from tilt.report.layout import Part, Sheet, Tile, Words
from tilt.report.pack import Section, Subject
from tilt.report.picked import farthest, place_of
from tilt.report.proofs import difference, foots
from tilt.report.rebalance import trades_block
from tilt.report.style import measure_format
from tilt.report.tables import BY_ROW, Block, Formula, in_words, number_at
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
    block = trades_block("solution_trades", table, lineage(solution, subject, "trades"))
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
