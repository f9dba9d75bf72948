"""The button Attribution: why the marked holdings did better or worse than their benchmark."""

from dataclasses import replace

import pandas as pd
import xlwings as xw
import xlwings.server

from custom_scripts import _inputs as inputs
from custom_scripts import _sheets as sheets
from custom_scripts._inputs import Marked
from custom_scripts._sheets import Chart, Output, Part
from tilt.api.attributions import OPTIONS, AttributionAsked, Explained, explain
from tilt.api.state import State, current
from tilt.api.tracks import is_run
from tilt.errors import one_of
from tilt.portfolio.attribution import RESIDUAL, TOTAL

ATTRIBUTION = "Tilt Attribution"
BARS, DRIVERS = 25, 15  # rows of a chart that one can still read
OF = ("holdings", "strategy")
OF_TABLE = ("link", "interaction")
EFFECTS = ("allocation", "selection", "interaction")


@xlwings.server.script
def attribution(book: xw.Book) -> None:
    """Explain the active return of the marked holdings by group, by factor and by position."""
    state = current()
    marked = inputs.read_marked(book, state)
    asked = _asked(state, marked)
    found = _explained(state, asked)
    first, last = found["brinson"].portfolio.dates[[0, -1]]
    figures = _figures(found["brinson"])
    notes = dict.fromkeys(note for one in found.values() for note in one.notes)
    words = [
        f"Attribution: {found['brinson'].portfolio.words}",
        figures,
        f"{first:%Y-%m-%d} to {last:%Y-%m-%d}, against {found['brinson'].benchmark.words}",
        inputs.sentences(*notes),
    ]
    written = sheets.write_sheet(book, ATTRIBUTION, words, _parts(found))
    sheets.say(book, inputs.sentences(marked.said, f"Wrote why to the sheet {written}. {figures}."))


def _asked(state: State, marked: Marked) -> AttributionAsked:
    given = marked.text("attribute", OF[0])
    if is_run(state, given):
        # what the settings say of costs and fills is of another backtest
        return AttributionAsked(
            [[given]],
            marked.cell("benchmark"),
            marked.settings.get("start"),
            marked.settings.get("end"),
            by=marked.text("by", ""),
            options=marked.options(OF_TABLE),
        )
    of = one_of("attribute", given, OF)
    strategy = marked.cell("strategy") if of == "strategy" else None
    return AttributionAsked(
        strategy or marked.holdings,
        marked.cell("benchmark"),
        marked.settings.get("start"),
        marked.settings.get("end"),
        by=marked.text("by", ""),
        universe=marked.universe or "",
        options=marked.options(OPTIONS),
        long_short=marked.long_short,
    )


def _explained(state: State, asked: AttributionAsked) -> dict[str, Explained]:
    """Return the attribution by group, factor and position; without a factor model no factors."""
    methods = ["brinson", "position"]
    if state.panel(asked.universe or None).factor_history is not None:
        methods.insert(1, "factor")
    return {
        method: explain(
            state,
            replace(asked, method=method, by=asked.by if method == "brinson" else ""),
            wait=True,
        )
        for method in methods
    }


def _figures(found: Explained) -> str:
    total = found.table.loc[found.table["group"] == TOTAL]
    rp, rb, active = (float(total[c].iloc[0]) for c in ("return", "benchmark_return", "total"))
    return f"Return {rp:.2%}, benchmark {rb:.2%}, active {active:+.2%}"


def _parts(found: dict[str, Explained]) -> list[Part]:
    groups = found["brinson"].table
    parts: list[Part] = [
        Output("TiltAttribution", groups, percent=tuple(groups.columns[1:])),
        Chart(
            "TiltAttributionChart",
            "Allocation, selection and interaction",
            "bar_clustered",
            "TiltAttributionBars",
            4,
        ),
    ]
    charted = [Output("TiltAttributionBars", effect_bars(groups), percent=EFFECTS)]
    if "factor" in found:
        factors = found["factor"].table
        parts += [
            Output("TiltAttributionFactors", factors, percent=("factor_return", "contribution")),
            Chart(
                "TiltAttributionFactorChart",
                "Contribution of factors",
                "bar_clustered",
                "TiltAttributionFactorBars",
            ),
        ]
        charted.append(
            Output("TiltAttributionFactorBars", factor_bars(factors), percent=("contribution",))
        )
    positions = found["position"].table
    return [
        *parts,
        Output("TiltAttributionPositions", positions, percent=tuple(positions.columns[2:])),
        *charted,
    ]


def effect_bars(groups: pd.DataFrame) -> pd.DataFrame:
    """Return the groups' effects, the largest total last: a bar chart shows it on top."""
    rows = groups[groups["allocation"].notna() & (groups["group"] != TOTAL)]
    chosen = rows.loc[rows["total"].abs().nlargest(BARS).index].sort_values("total")
    return chosen[["group", *EFFECTS]].reset_index(drop=True)


def factor_bars(factors: pd.DataFrame) -> pd.DataFrame:
    """Return what contributes most, the largest last, without residual and total."""
    rows = factors[~factors["name"].isin((RESIDUAL, TOTAL))]
    largest = rows.loc[rows["contribution"].abs().nlargest(DRIVERS).index]
    return largest[["name", "contribution"]].sort_values("contribution", ignore_index=True)
