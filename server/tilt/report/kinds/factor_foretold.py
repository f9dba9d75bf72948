"""The section of what scores foretold: correlations with the returns that followed."""

import numpy as np
import pandas as pd

from tilt.errors import cut
from tilt.factors.evaluate import half_life, ic_summary
from tilt.factors.inference import benjamini_hochberg, p_values
from tilt.report.charts import Chart
from tilt.report.checks import Check
from tilt.report.kinds.factor_origin import DRAWN, WIDE, distinct_columns, lineage
from tilt.report.kinds.factors_seen import Factors
from tilt.report.layout import Part, Sheet
from tilt.report.pack import Section, Subject
from tilt.report.picked import place_of, textual
from tilt.report.tables import Block, Formula


def ic_section(factors: Factors, subject: Subject) -> Section:
    """Return the correlation of scores with later returns: by rank, plain, and ever later."""
    rows = []
    decays: dict[str, pd.DataFrame] = {}
    for name, judged in factors.judged.items():
        rank = ic_summary(judged.ic(), horizon=factors.horizon)
        plain = ic_summary(judged.ic("pearson"), horizon=factors.horizon)
        half = np.nan
        if factors.named:  # of all styles together it would take too long
            decay = decays[name] = judged.decay()
            middle = (decay["first_day"] + decay["last_day"]).to_numpy(dtype=float) / 2
            half = half_life(middle, decay["mean_ic"].to_numpy(dtype=float))
        rows.append({"factor": name, **rank, "pearson_ic": plain["mean_ic"],
                     "pearson_t": plain["t_hac"], "half_life": half})  # fmt: skip
    table = pd.DataFrame(rows)
    p = p_values(table["t_hac"].to_numpy(), table["observations"].to_numpy())
    table["p_value_bh"] = benjamini_hochberg(p)
    block = Block(
        "factor_ic",
        f"Information coefficient over {factors.horizon} days",
        table.assign(factor=[cut(str(f)) for f in table["factor"]]),
        formats={"mean_ic": "signed_fine", "sd_ic": "fine", "icir": "signed",
                 "icir_annual": "signed", "t_hac": "signed", "hit_rate": "percent1",
                 "observations": "count", "pearson_ic": "signed_fine", "pearson_t": "signed",
                 "half_life": "tenths", "p_value_bh": "fine"},
        bars=("mean_ic",),
        note="Rank correlation (Spearman) first, then the plain one (Pearson); half-life in days.",
        lineage=lineage(factors, "factors.evaluate.information_coefficients"),
    )  # fmt: skip
    months = _monthly_ic(factors)
    series = tuple(textual(months.table, "month"))[:DRAWN]
    so_far = Chart(
        "line",
        "Rank IC, summed over the months",
        months.key,
        "month",
        series,
        "Lines of the monthly mean rank correlation, added up",
        "number",
        width=WIDE,
        height=280,
    )
    product = f"{block.ref('icir')}*{block.ref('sd_ic')}"
    left = float((table["icir"] * table["sd_ic"] - table["mean_ic"]).abs().sum())
    ratios = Formula(f"SUMPRODUCT(ABS({product}-{block.ref('mean_ic')}))", left)
    return Section(
        "ic",
        "What scores foretold",
        (
            Sheet("IC", "What scores foretold", subject.subtitle,
                  (block, *_decay(factors, decays), so_far), one_page=True),
        ),
        data=(
            Sheet("IC by month", "Rank IC by month, summed", subject.subtitle, (months,),
                  freeze_header=True),
        ),
        checks=(Check("ICIR times deviation is the mean IC", ratios, "=", 0.0),),
        findings=_ic_findings(table, factors.horizon),
        conventions=("ic", "factor_inference"),
    )  # fmt: skip


def _ic_findings(table: pd.DataFrame, horizon: int) -> tuple[str, ...]:
    told = [
        f"{cut(str(row.factor))}: the mean rank IC over {horizon} days is {row.mean_ic:+.4f} "
        f"(t-value {row.t_hac:.1f}), above zero on {row.hit_rate:.0%} of the days."
        for row in table.itertuples()
    ]
    if len(table) <= DRAWN:
        return tuple(told)
    return ("The surest: " + told[place_of(table["t_hac"], size=True)],)


def _decay(factors: Factors, decays: dict[str, pd.DataFrame]) -> tuple[Part, ...]:
    """Return the ICs on later and later windows with their chart; nothing of no factor."""
    if not decays:
        return ()
    first = next(iter(decays.values()))
    values = pd.DataFrame({name: found["mean_ic"] for name, found in decays.items()})
    values = values.set_axis(distinct_columns(values), axis=1)
    table = pd.concat([first[["window", "first_day", "last_day"]], values], axis=1)
    block = Block(
        "factor_ic_decay",
        "Mean rank IC on disjoint windows",
        table,
        formats=dict.fromkeys(("window", "first_day", "last_day"), "count")
        | dict.fromkeys(values.columns, "signed_fine"),
        note="Days after the score is known.",
        lineage=lineage(factors, "factors.evaluate.ic_decay"),
    )
    chart = Chart(
        "column",
        "Rank IC on windows ever further ahead",
        block.key,
        "last_day",
        tuple(values.columns),
        "Columns of the mean rank correlation with returns of later and later windows",
        "fine",
        width=WIDE,
        height=280,
    )
    return chart, block


def _monthly_ic(factors: Factors) -> Block:
    daily = pd.DataFrame({name: j.ic() for name, j in factors.judged.items()})
    daily.index = next(iter(factors.judged.values())).dates
    month = pd.DatetimeIndex(daily.index).to_period("M")
    summed = daily.groupby(month).mean().fillna(0.0).cumsum()
    table = summed.set_axis(distinct_columns(daily), axis=1)
    table.insert(0, "month", [str(m) for m in summed.index])
    return Block(
        "factor_ic_months",
        "Monthly mean of the rank IC, summed",
        table.reset_index(drop=True),
        formats=dict.fromkeys(textual(table, "month"), "signed_fine"),
        note="By the month of the score; a month whose returns are not over yet adds nothing.",
        lineage=lineage(factors, "factors.evaluate.information_coefficients"),
    )
