"""What changed since an earlier date: in words, the most important first, and in numbers."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from tilt.optimize.constraints import kind_of
from tilt.report.checks import Check
from tilt.report.kinds.figures import Figures, beside, larger_first, total_moved
from tilt.report.kinds.since import Since, restated_block, restated_words
from tilt.report.layout import Sheet, Tile, Words
from tilt.report.pack import Section, Subject
from tilt.report.proofs import difference, foots
from tilt.report.style import measure_format
from tilt.report.tables import BY_ROW, Block, Formula, Lineage, header
from tilt.risk.model import CASH

ROUNDING = 1e-9  # a smaller change of a weight is none
SAID = 12  # sentences
NEW = "new"  # of a limit that the earlier report did not have
# a change that is worth one sentence: of a weight, an exposure, a share of risk, a yearly risk
WORTH = {"weight": 0.01, "exposure": 0.1, "contribution": 0.001, "risk": 0.001, "beta": 0.05}


@dataclass(frozen=True)
class Change:
    """One thing that changed, in words, and how much it matters: 1 is worth a sentence."""

    words: str
    weight: float


def changes_section(since_what: Since, after: Figures, subject: Subject) -> Section:
    """Return what is different between a report and the one it is compared with.

    Parameters
    ----------
    after : of the same universe and portfolio
    """
    before = since_what.before
    told = important(before, after)
    since = f"Since {before.date:%Y-%m-%d}"
    said = (
        tuple(change.words for change in told[:SAID])
        if told
        else (f"{since} nothing changed that is worth a sentence.",)
    )
    lineage = Lineage(
        "tilt.report.kinds.figures.figures_of",
        {
            "portfolio": subject.name,
            "before": f"{before.date:%Y-%m-%d}",
            "after": f"{after.date:%Y-%m-%d}",
            **({"earlier_report": since_what.pack} if since_what.pack else {}),
        },
    )
    restated = [
        part
        for part in (restated_words(since_what), restated_block(since_what, after, lineage))
        if part is not None
    ]
    risk, styles = _risk_block(before, after, lineage), _styles_block(before, after, lineage)
    parts = _contributions_block(before, after, lineage)
    limits = _limits_block(before, after, lineage)
    held = _holdings_block(before, after, lineage)
    subtitle = f"{subject.name} · {before.date:%Y-%m-%d} to {after.date:%Y-%m-%d}"
    te = "tracking_error"
    return Section(
        "changes",
        "What changed",
        (
            Sheet("Changes", f"What changed since {before.date:%Y-%m-%d}", subtitle,
                  (Words(since_what.words, "Compared with"),
                   Words(said, "The most important first"), *restated, risk, styles,
                   *([limits] if limits is not None else [])), one_page=True, portrait=True),
            Sheet("Changes of risk", "Where the change of the tracking error comes from",
                  subtitle, (parts,), one_page=True, portrait=True),
            Sheet("Changes held", "What is held more and less", subtitle, (held,),
                  freeze_header=True, portrait=True),
        ),
        checks=(
            foots("Weights and cash of the earlier date are the whole", held, "before", 1.0),
            foots("Weights and cash of this date are the whole", held, "after", 1.0),
            difference("Changes of weights are after less before", held, "change",
                       ("after", "before")),
            *_risk_checks(parts, before, after),
        ),
        findings=(f"{since}: {said[0]}", *said[1:4], *since_what.words)
        if told
        else (*said, *since_what.words),
        tiles=(
            Tile("Change of tracking error", float(after.measures[te] - before.measures[te]),
                 "change", since.lower()),
        ),
        conventions=("tracking_error", "turnover"),
    )  # fmt: skip


def important(before: Figures, after: Figures) -> list[Change]:
    """Return what changed in words, the most important first."""
    found = [
        *_limits_changed(before, after),
        *_risk_changed(before, after),
        *_holdings_changed(before, after),
    ]
    for one, two, size, unit in (
        (before.exposures, after.exposures, WORTH["exposure"], "exposure"),
        (before.contributions, after.contributions, WORTH["contribution"], "contribution"),
    ):
        for row in beside(one, two, "name").itertuples():
            said = (
                f"Active exposure to {row.name} went from {row.before:+.2f} to {row.after:+.2f}."
                if unit == "exposure"
                else f"{row.name} contributes {row.after:+.2%} to the tracking error, "
                f"{row.before:+.2%} before."
            )
            found.append(Change(said, abs(float(str(row.change))) / size))
    kept = [change for change in found if change.weight >= 1.0]
    return sorted(kept, key=lambda change: -change.weight)


def _limits_changed(before: Figures, after: Figures) -> list[Change]:
    """Return the limits that are broken or kept now and were not: nothing matters more."""
    both = _limits_beside(before, after)
    found = []
    for row in both.itertuples():
        was, now = str(row.status_before), str(row.status_after)
        if was == now or (was == NEW and now != "violated"):
            continue
        name = f"{row.rule} {row.who}".strip().removesuffix(" *")
        broken, mended = now == "violated", was == "violated"
        how = "is broken" if broken else "is kept again" if mended else f"is {now}"
        percent = kind_of(str(row.rule)).percent
        then, here = (_amount(value, percent=percent) for value in (row.before, row.after))
        earlier = "it is new" if was == NEW else f"{then} before"
        shown = f"{here}, {earlier}; it may be {_bounds(row.min, row.max, percent=percent)}"
        found.append(Change(f"The limit on {name} {how}: {shown}.",
                            1000.0 if broken else 100.0 if mended else 1.0))  # fmt: skip
    return found


def _amount(value: object, *, percent: bool) -> str:
    number = float(str(value))
    return f"{number:.2%}" if percent else f"{number:.3g}"


def _bounds(low: object, high: object, *, percent: bool) -> str:
    """Return 'at most 5.00%', 'at least 0.2' or 'from -3.00% to 3.00%'."""
    least, most = (_amount(bound, percent=percent) for bound in (low, high))
    if not np.isfinite(float(str(low))):
        return f"at most {most}"
    return f"at least {least}" if not np.isfinite(float(str(high))) else f"from {least} to {most}"


def _limits_beside(before: Figures, after: Figures) -> pd.DataFrame:
    keys = ["rule", "who", "min", "max"]
    one, two = (f.limits[[*keys, "value", "slack", "status"]] for f in (before, after))
    both = two.merge(one, on=keys, how="left", suffixes=("_after", "_before"))
    named = both.rename(columns={"value_before": "before", "value_after": "after"})
    return named.assign(status_before=named["status_before"].fillna(NEW))


def _risk_changed(before: Figures, after: Figures) -> list[Change]:
    found = []
    for name in ("tracking_error", "volatility", "active_share", "beta"):
        a, b = float(before.measures[name]), float(after.measures[name])
        if not np.isfinite([a, b]).all():
            continue
        verb = "rose" if b > a else "fell"
        plain = name == "beta"
        shown = f"{a:.2f} to {b:.2f}" if plain else f"{a:.2%} to {b:.2%}"
        size = WORTH["beta"] if plain else WORTH["risk"] * (5 if name != "tracking_error" else 1)
        found.append(Change(f"{header(name)} {verb} from {shown}.", abs(b - a) / size))
    return found


def _holdings_changed(before: Figures, after: Figures) -> list[Change]:
    table = _weights(before, after)
    found = []
    for row in table.itertuples():
        a, b = float(str(row.before)), float(str(row.after))
        if row.ticker == CASH:
            said = f"Cash went from {a:.2%} to {b:.2%}."
        elif abs(a) <= ROUNDING:
            said = f"{row.ticker} is new, at {b:.2%}."
        elif abs(b) <= ROUNDING:
            said = f"{row.ticker} is gone, from {a:.2%}."
        else:
            said = f"{row.ticker} went from {a:.2%} to {b:.2%}."
        found.append(Change(said, abs(b - a) / WORTH["weight"]))
    return found


def _weights(before: Figures, after: Figures) -> pd.DataFrame:
    """Return ticker, before, after, change, the largest changes first, then cash."""
    table = larger_first(beside(before.weights, after.weights, "ticker"), 0.0)
    cash = [CASH, before.cash, after.cash, after.cash - before.cash]
    return pd.concat([table, pd.DataFrame([cash], columns=table.columns)], ignore_index=True)


def _holdings_block(before: Figures, after: Figures, lineage: Lineage) -> Block:
    table = _weights(before, after)
    table["what"] = [
        "" if t == CASH
        else "new" if abs(a) <= ROUNDING < abs(b)
        else "gone" if abs(b) <= ROUNDING < abs(a)
        else "more" if b - a > ROUNDING
        else "less" if a - b > ROUNDING
        else "same"
        for t, a, b in zip(table["ticker"], table["before"], table["after"], strict=True)
    ]  # fmt: skip
    moved = total_moved(table[table["ticker"] != CASH])
    return Block(
        "changes_held",
        "Holdings, the largest changes first",
        table,
        formats={"before": "percent", "after": "percent", "change": "change"},
        totals={c: float(table[c].sum()) for c in ("before", "after", "change")},
        bars=("change",),
        note=f"One-way turnover between the two dates: {moved:.2%}, drift included.",
        lineage=lineage,
    )


def _risk_block(before: Figures, after: Figures, lineage: Lineage) -> Block:
    table = pd.DataFrame({"before": before.measures, "after": after.measures})
    table = table.rename_axis("measure").reset_index()
    table["change"] = table["after"] - table["before"]
    return Block(
        "changes_risk",
        "Risk",
        table.assign(measure=[header(str(m)) for m in table["measure"]]),
        formats=dict.fromkeys(("before", "after", "change"), BY_ROW),
        row_formats=tuple(measure_format(str(m)) for m in table["measure"]),
        lineage=lineage,
    )


def _styles_block(before: Figures, after: Figures, lineage: Lineage) -> Block:
    return Block(
        "changes_exposures",
        "Active exposure to styles",
        beside(before.exposures, after.exposures, "style"),
        formats=dict.fromkeys(("before", "after", "change"), "signed"),
        bars=("change",),
        lineage=lineage,
    )


def _contributions_block(before: Figures, after: Figures, lineage: Lineage) -> Block:
    table = larger_first(beside(before.contributions, after.contributions, "name"), 0.0)
    return Block(
        "changes_contributions",
        "Contribution to the tracking error, the largest changes first",
        table,
        formats=dict.fromkeys(("before", "after", "change"), "change"),
        totals={c: float(table[c].sum()) for c in ("before", "after", "change")},
        bars=("change",),
        lineage=lineage,
    )


def _limits_block(before: Figures, after: Figures, lineage: Lineage) -> Block | None:
    if not len(after.limits):
        return None
    both = _limits_beside(before, after)
    columns = ["rule", "who", "min", "max", "before", "after", "status_before", "status_after"]
    return Block(
        "changes_limits",
        "Limits",
        both[columns],
        formats=dict.fromkeys(("min", "max", "before", "after"), BY_ROW),
        row_formats=tuple(
            "percent" if kind_of(str(rule)).percent else "number" for rule in both["rule"]
        ),
        note="Violated: the holdings break it. Binding: at its bound.",
        lineage=lineage,
    )


def _risk_checks(parts: Block, before: Figures, after: Figures) -> list[Check]:
    """Return the checks that contributions foot to the tracking error of each date."""
    found = []
    for column, figures in (("before", before), ("after", after)):
        expected = float(figures.measures["tracking_error"])
        value = float(parts.table[column].sum())
        claim = f"Contributions {column} foot to the tracking error"
        found.append(Check(claim, Formula(f"SUM({parts.ref(column)})", value), "=", expected))
    return found
