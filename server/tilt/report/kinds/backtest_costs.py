"""The section of what trading cost in a backtest."""

import numpy as np
import pandas as pd

from tilt.report.charts import Chart
from tilt.report.layout import Sheet
from tilt.report.pack import Section
from tilt.report.performance import (
    Tested,
)
from tilt.report.proofs import foots, rows_close
from tilt.report.tables import Block

KINDS = ("linear", "spread", "impact", "borrow")


def costs_section(tested: Tested) -> Section:
    """Return what trading cost, by kind and year, and each rebalance."""
    costs = tested.result.view("costs")
    years = costs.groupby(pd.DatetimeIndex(costs["date"]).year)[[*KINDS, "total"]].sum()
    years = years.rename_axis("year").reset_index().assign(year=lambda t: t["year"].astype(str))
    by_year = Block(
        "backtest_costs_by_year",
        "Costs by kind and year",
        years,
        formats=dict.fromkeys((*KINDS, "total"), "cost"),
        totals={c: float(years[c].sum()) for c in (*KINDS, "total")},
        note="Fractions of the capital of the day before.",
        lineage=tested.lineage,
    )
    series = tested.result.series
    turnover = series["turnover"].reindex(pd.DatetimeIndex(costs["date"])).to_numpy()
    each = Block(
        "backtest_costs",
        "Each rebalance",
        costs.assign(turnover=turnover)[["date", "turnover", *KINDS, "total"]],
        formats={"date": "date", "turnover": "percent"} | dict.fromkeys((*KINDS, "total"), "cost"),
        note="Turnover is one way. The first row is the opening.",
        lineage=tested.lineage,
    )
    paid = tuple(k for k in KINDS if bool((years[k] != 0).any()))
    chart = Chart(
        "column",
        "Costs by kind",
        by_year.key,
        "year",
        paid,
        "Columns of what each kind of cost took in each year",
        "percent",
        beside=True,
        width=560,
        height=260,
    )
    value = tested.statistic
    said = f"Trading cost {value('cost_total'):.2%} of capital in all"
    if np.isfinite(value("cost_per_year")):
        said += (
            f", {value('cost_per_year'):.2%} a year, for a one-way turnover of "
            f"{value('turnover_per_year'):.0%} a year"
        )
    return Section(
        "costs",
        "Costs and turnover",
        (
            Sheet(
                "Costs",
                "What trading cost",
                tested.subtitle,
                (by_year, *([chart] if paid else [])),
                one_page=True,
            ),
        ),
        data=(Sheet("Rebalances", "What each rebalance traded and cost", tested.subtitle, (each,),
                    freeze_header=True),),
        checks=(
            rows_close("Costs by kind are the total of each rebalance", each, "total", KINDS),
            foots("Costs of the years are those of the backtest", by_year, "total",
                  float(series["cost"].sum())),
            foots("Costs of the rebalances too", each, "total", value("cost_total")),
        ),
        findings=(f"{said}.",),
        conventions=("backtest", "turnover"),
        cautions=("hypothetical",),
    )  # fmt: skip
