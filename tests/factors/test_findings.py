"""The help page's tables are what the engine finds in the sample, and the finding is right."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tilt.factors.findings import r2_by_year, strength_and_bias
from tilt.factors.series import factor_statistics

PAGE = Path(__file__).parents[2] / "addin" / "help" / "model-findings.md"


def table(first: str) -> list[list[str]]:
    """Return the rows of the page's table whose first heading is ``first``."""
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    begin = next(i for i, line in enumerate(lines) if line.startswith(f"| {first} |")) + 2
    rows = []
    for line in lines[begin:]:
        if not line.startswith("|"):
            break
        rows.append([cell.strip() for cell in line.strip("|").split("|")])
    return rows


def test_page_shows_the_r2_of_each_year(panel):
    found = r2_by_year(panel.factors)
    expected = [[f"{y}", f"{d}", f"{r:.2f}"] for y, d, r in found.itertuples(index=False)]
    assert table("year") == expected


def test_page_shows_strength_and_bias_of_each_factor(panel):
    found = strength_and_bias(panel.factors)
    expected = [
        [r.factor, f"{r.mean_abs_t:.2f}", f"{100 * r.share_t_over_2:.0f} %", f"{r.bias:.2f}",
         "yes" if r.inside else "no"]
        for r in found.itertuples(index=False)
    ]  # fmt: skip
    assert table("factor") == expected


def test_page_tells_the_band_and_how_many_keep_it(panel):
    found = strength_and_bias(panel.factors)
    text = " ".join(PAGE.read_text(encoding="utf-8").split())
    assert f"within {found['band'].max():.2f} of 1" in text
    assert f"The bias of {found['inside'].sum()} of {len(found)} factors is in the band." in text


def test_reversal_alone_has_a_mean_that_is_told_from_zero_as_the_page_says(panel):
    history = panel.factors
    found = factor_statistics(history.returns, history.t_stats).set_index("factor")["p_value_bh"]
    assert list(found.index[(found < 0.05) & found.index.isin(history.style_names)]) == ["Reversal"]


def test_bias_is_one_where_the_deviation_is_steady_and_more_where_it_doubles(panel):
    history = panel.factors
    drawn = 0.01 * np.random.default_rng(0).standard_normal(history.returns.shape)

    def bias(values):
        frame = pd.DataFrame(values, history.returns.index, history.returns.columns)
        return strength_and_bias(replace(history, returns=frame))["bias"].mean()

    assert bias(drawn) == pytest.approx(1.0, abs=0.02)
    drawn[1::2] *= 3  # calm and wild days in turn, which no memory of 84 days can tell apart
    assert bias(drawn) == pytest.approx(1.0, abs=0.05)
    drawn[700:] *= 4
    assert bias(drawn) > 1.05


def test_a_factor_that_never_was_has_no_strength_and_is_not_inside(panel):
    history = panel.factors
    gone = history.returns.assign(Value=np.nan)
    found = strength_and_bias(
        replace(history, returns=gone, t_stats=history.t_stats.assign(Value=np.nan))
    ).set_index("factor")
    assert np.isnan(found.loc["Value", ["mean_abs_t", "bias"]].astype(float)).all()
    assert not found.loc["Value", "inside"]
    assert found.loc["Size", "bias"] > 0
