"""The section of stress: what the past and single shocks would do to the portfolio of today."""

import numpy as np
import pandas as pd

from tilt.errors import UnknownNameError
from tilt.factors.regression import MARKET
from tilt.report.charts import Chart
from tilt.report.layout import Part, Sheet, Tile, Words
from tilt.report.pack import Section
from tilt.report.picked import lowest
from tilt.report.proofs import difference
from tilt.report.review import Review
from tilt.report.tables import Block, Lineage
from tilt.risk.measures import DAYS
from tilt.risk.stress import replay_library, stress

FALL = -0.2  # of the market
SIGMAS = 3  # of a year's volatility, down, that a style is shocked by
LEGS = ("portfolio_pnl", "benchmark_pnl")


def stress_section(review: Review) -> Section:
    """Return the windows of the past replayed, and one shock after another."""
    shocks = shocks_block(review)
    worst = lowest(shocks.table, "pnl")
    found: list[Part] = [shocks]
    checks = [difference("Shocks: active is portfolio less benchmark", shocks, "pnl", LEGS)]
    said = [
        (
            f"Of single shocks, {worst['shocked']} ({worst['shock']:+.1%}) costs most against the "
            f"benchmark: {worst['pnl']:+.2%}."
        )
    ]
    tiles: tuple[Tile, ...] = ()
    try:
        table, absent = replay_library(
            review.model, review.panel.factors, review.held, review.benchmark
        )
    except UnknownNameError as error:
        found.insert(0, Words((str(error),), "The past replayed"))
    else:
        past = windows_block(review, table, absent)
        found = [past, _windows_chart(past), shocks]
        checks.insert(0, difference("Windows: active is portfolio less benchmark", past, "pnl",
                                    LEGS))  # fmt: skip
        low = lowest(table, "portfolio_pnl")
        said.insert(
            0,
            f"Of the windows of the past, {_in_words(low['name'])} would cost the portfolio most: "
            f"{low['portfolio_pnl']:+.1%}, the benchmark {low['benchmark_pnl']:+.1%}.",
        )
        tiles = (
            Tile(
                "Worst window",
                float(table["portfolio_pnl"].min()),
                "change1",
                _in_words(low["name"]),
            ),
        )
    sheet = Sheet("Stress", "What stress would do", review.subject.subtitle, tuple(found),
                  one_page=True)  # fmt: skip
    return Section(
        "stress",
        "Stress",
        (sheet,),
        checks=tuple(checks),
        findings=tuple(said),
        tiles=tiles,
        conventions=("stress",),
        cautions=("forecasts",),
    )


def windows_block(review: Review, table: pd.DataFrame, absent: list[str]) -> Block:
    """Return what each window of the library would do today."""
    order = ["name", "start", "end", *LEGS, "pnl", "description"]
    missing = f" Not in the data: {len(absent)} windows." if absent else ""
    return Block(
        "stress_windows",
        "The past replayed on today's exposures",
        table.assign(name=[_in_words(n) for n in table["name"]])[order],
        formats={"start": "date", "end": "date"}
        | dict.fromkeys(("pnl", "portfolio_pnl", "benchmark_pnl"), "change"),
        bars=("pnl",),
        note="Every factor returns what it returned then; what was specific to single names is "
        f"left out.{missing}",
        lineage=Lineage("tilt.risk.stress.replay_library", _about(review)),
    )


def shocks_block(review: Review) -> Block:
    """Return what the market's fall, and a shock to one style after another, would do."""
    model = review.model
    rows = []
    for name in model.factor_cov.index:
        if name != MARKET and model.groups[name] != "style":
            continue
        sd = float(np.sqrt(DAYS * model.factor_cov.loc[name, name]))
        size = FALL if name == MARKET else -SIGMAS * sd
        found = stress(model, review.held, review.benchmark, {str(name): size})
        total = found.iloc[-1]
        rows.append((str(name), size, *[float(total[c]) for c in (*LEGS, "pnl")]))
    table = pd.DataFrame(rows, columns=["shocked", "shock", *LEGS, "pnl"])
    return Block(
        "stress_shocks",
        "One shock at a time",
        table,
        formats={"shock": "change1"} | dict.fromkeys(("pnl", *LEGS), "change"),
        bars=("pnl",),
        note=f"The market falls by {-FALL:.0%}, a style by {SIGMAS} standard deviations of a year; "
        "the other factors move as the model expects of them then.",
        lineage=Lineage("tilt.risk.stress.stress", _about(review)),
    )


def _windows_chart(past: Block) -> Chart:
    return Chart(
        "bar",
        "Windows of the past",
        past.key,
        "name",
        LEGS,
        "Bars of what each window would do to the portfolio and to the benchmark",
        "percent1",
        width=1000,
        height=max(220, 40 * len(past.table)),
    )


def _about(review: Review) -> dict[str, str]:
    return {
        "portfolio": review.portfolio,
        "benchmark": review.panel.universe,
        "date": f"{review.date:%Y-%m-%d}",
    }


def _in_words(name: object) -> str:
    text = str(name).replace("_", " ")
    return text[:1].upper() + text[1:]
