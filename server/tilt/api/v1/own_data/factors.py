"""Own exposures, factor returns and evaluations of factors."""

from collections.abc import Mapping
from typing import Literal

import numpy as np
import pandas as pd
from fastapi import APIRouter, Request
from pydantic import Field

from tilt.api.frames import plain
from tilt.api.v1.asking import Body, StrictRoute, in_pool
from tilt.api.v1.own_data.tables import (
    Column,
    Table,
    answer,
    check_size,
    frame_of,
    labelled,
    same_labels,
    series_body,
    series_of,
    table_body,
)
from tilt.errors import ArgumentError, DataError, one_of
from tilt.factors import evaluate as judging
from tilt.factors import standardize
from tilt.factors.groups import Groups
from tilt.factors.regression import (
    CrossSection,
    cross_section,
    merge_thin,
    robust_section,
)

router = APIRouter(route_class=StrictRoute)
Labels = Mapping[str, str]


class Scoring(Body):
    """How descriptors become scores."""

    winsorize: Literal["sd", "percentile"] = Field(
        default="sd", description="Clip at 3 deviations, or at the 1st and 99th percentile."
    )
    neutral: bool = Field(default=False, description="Score within the groups.")
    orthogonal: dict[str, list[str]] = Field(
        default={}, description="By factor, those declared before it whose part is taken out."
    )
    composites: dict[str, dict[str, float]] = Field(
        default={}, description="By factor, descriptors and weights; left out: each by itself."
    )


class ExposuresBody(Body):
    """Descriptors of one date."""

    descriptors: Table = Field(description="Assets × descriptors.")
    caps: Column = Field(description="Market caps by asset.")
    groups: Labels | None = Field(default=None, description="Industry by asset.")
    parents: Labels | None = Field(default=None, description="Sector by asset.")
    estimation_universe: list[str] | None = Field(default=None, description="All if left out.")
    options: Scoring = Scoring()


class Regressing(Body):
    """How factor returns are estimated."""

    robust: bool = Field(default=False, description="Less weight on extreme returns (Huber).")
    parents: Labels | None = Field(
        default=None, description="Sector by asset; a thin industry is merged into it."
    )


class FactorReturnsBody(Body):
    """Returns over (t-1, t] and exposures known at t-1, of one date or of several."""

    returns: Table = Field(description="Dates × assets.")
    exposures: Table | dict[str, Table] = Field(
        description="Assets × styles: one table for all dates, or a table by date of the returns."
    )
    caps: Column = Field(description="By asset, or dates × assets.")
    industries: Labels | None = Field(default=None, description="Industry by asset.")
    options: Regressing = Regressing()


class EvaluateBody(Body):
    """Scores and the returns that followed them, dates × assets."""

    exposure: Table
    forward_returns: Table
    quantiles: int = Field(default=5, ge=2, le=50)
    horizon: int = Field(default=1, ge=1, le=756, description="Days that a return covers.")


@router.post("/exposures")
async def exposures(body: ExposuresBody, request: Request) -> dict[str, object]:
    """Standardize descriptors into exposures, and say how much of each is known."""
    return await in_pool(request, lambda _: _exposures(body))


def _exposures(body: ExposuresBody) -> dict[str, object]:
    check_size(body.descriptors)
    raw = frame_of(body.descriptors, "descriptors")
    caps = series_of(body.caps, "caps").reindex(raw.index)
    if not (caps > 0).all():
        raise DataError(f"caps has no market cap above zero for {raw.index[~(caps > 0)][0]}.")
    cap = caps.to_numpy()[None]
    members = raw.index if body.estimation_universe is None else body.estimation_universe
    estu = raw.index.isin(list(members))[None]
    given = body.options.composites or {str(d): {str(d): 1.0} for d in raw.columns}
    found: dict[str, np.ndarray] = {}
    for factor, weights in given.items():
        parts = []
        for name in weights:
            x = raw[one_of("descriptor", name, map(str, raw.columns))].to_numpy()[None]
            x = standardize.reject_outliers(x, estu)
            sd = body.options.winsorize == "sd"
            x = standardize.clip(x, estu) if sd else standardize.winsorize(x, estu)
            parts.append(standardize.zscore(x, cap, estu))
        z = standardize.composite(parts, list(weights.values()), cap, estu)
        if body.options.neutral:
            z = standardize.neutralize(
                z, cap, estu, _groups(body.groups, raw.index, "groups"),
                None if body.parents is None else _groups(body.parents, raw.index, "parents"),
            )  # fmt: skip
        others = body.options.orthogonal.get(factor, [])
        if others:
            before = [found[one_of("option orthogonal", o, found)] for o in others]
            z = standardize.orthogonalize(z, before, cap, estu)
        found[factor] = z
    scores = pd.DataFrame({f: z[0] for f, z in found.items()}, index=raw.index)
    inside = scores[estu[0]]
    inflation = standardize.variance_inflation(inside.to_numpy())
    result = {
        "exposures": table_body(scores),
        "coverage": {str(f): plain(float(v)) for f, v in inside.notna().mean().items()},
        "vif": {str(f): plain(float(v)) for f, v in zip(scores, inflation, strict=True)},
    }
    return answer(
        result,
        body,
        [
            "over ten robust deviations from the median is missing; then clipped",
            "less the cap-weighted mean, by the equal-weighted deviation, of the members",
            "a composite needs half of its weight, and is scored again",
        ],
    )


def _groups(labels: Labels | None, assets: "pd.Index[str]", name: str) -> Groups:
    if labels is None:
        raise ArgumentError(f"{name} is missing: neutral=true needs a group for each asset.")
    return Groups.of(pd.Series(dict(labels), dtype="str").reindex(assets))


@router.post("/factor-returns")
async def factor_returns(body: FactorReturnsBody, request: Request) -> dict[str, object]:
    """Regress returns on market, industries and styles; one date or many."""
    return await in_pool(request, lambda _: _factor_returns(body))


def _factor_returns(body: FactorReturnsBody) -> dict[str, object]:
    check_size(body.returns)
    returns = frame_of(body.returns, "returns", dated=True)
    fits: dict[pd.Timestamp, CrossSection] = {}
    for day in returns.index:
        name = f"{day:%Y-%m-%d}"
        if isinstance(body.exposures, dict):
            if name not in body.exposures:
                raise DataError(f"exposures has no table for {name}, a date of returns.")
            styles = frame_of(body.exposures[name], f"exposures[{name}]")
        else:
            styles = frame_of(body.exposures, "exposures")
        r = returns.T[day].reindex(styles.index)
        kept = styles.index[r.notna().to_numpy()]
        fits[day] = _fit(body, r[kept], styles.loc[kept], _caps(body, day, kept))
    shown = {f"{d:%Y-%m-%d}": fit for d, fit in fits.items()}
    result = {
        "factor_returns": table_body(
            pd.DataFrame({d: f.factor_returns for d, f in shown.items()}).T
        ),
        "t_values": table_body(pd.DataFrame({d: f.t_values for d, f in shown.items()}).T),
        "r2": series_body(pd.Series({d: f.r2 for d, f in shown.items()})),
        "specific_returns": table_body(
            pd.DataFrame({d: f.specific_returns for d, f in shown.items()}).T
        ),
        "pure": {d: table_body(f.pure) for d, f in shown.items()},
    }
    return answer(
        result,
        body,
        [
            "weights √cap; industry returns weighted by cap sum to zero",
            "t-values HC1; R2 uncentered",
            "an asset without a return on a date is left out of it",
        ],
    )


def _caps(
    body: FactorReturnsBody, day: pd.Timestamp, assets: "pd.Index[str]"
) -> "pd.Series[float]":
    columns = body.caps.columns or []
    if len(columns) > 1:
        rows = [v if isinstance(v, list) else [v] for v in body.caps.data]
        wide = Table(index=body.caps.index, columns=columns, data=rows)
        caps = frame_of(wide, "caps", dated=True)
        if day not in caps.index:
            raise DataError(f"caps has no row for {day:%Y-%m-%d}, a date of returns.")
        return caps.T[day].reindex(assets)
    return series_of(body.caps, "caps").reindex(assets)


def _fit(
    body: FactorReturnsBody,
    returns: "pd.Series[float]",
    styles: pd.DataFrame,
    caps: "pd.Series[float]",
) -> CrossSection:
    labels = pd.Series("All", index=styles.index)
    if body.industries is not None:
        labels = pd.Series(dict(body.industries), dtype="str").reindex(styles.index)
    if body.options.parents is not None:
        parents = pd.Series(dict(body.options.parents), dtype="str")
        labels = merge_thin(labels, parents, caps)
    fit = robust_section if body.options.robust else cross_section
    return fit(returns, styles, caps, labels)


@router.post("/evaluate")
async def evaluate(body: EvaluateBody, request: Request) -> dict[str, object]:
    """Hold scores against the returns that followed: ICs, quantile returns, turnover."""
    return await in_pool(request, lambda _: _evaluate(body))


def _evaluate(body: EvaluateBody) -> dict[str, object]:
    check_size(body.exposure, body.forward_returns)
    scores = frame_of(body.exposure, "exposure", dated=True)
    forward = frame_of(body.forward_returns, "forward_returns", dated=True)
    forward = labelled(forward.T, scores.columns, "forward_returns", "exposure").T
    same_labels(
        forward.index.astype("str"), scores.index.astype("str"), "forward_returns", "exposure"
    )
    x, y = scores.to_numpy(), forward.to_numpy()
    days = pd.DatetimeIndex(scores.index)
    plain_ic = judging.information_coefficients(x, y, method="pearson")
    rank_ic = judging.information_coefficients(x, y)
    buckets = judging.quantile_returns(x, y, days, quantiles=body.quantiles)
    shown = buckets.returns.assign(spread=buckets.spread)
    order = buckets.order
    summaries = {
        name: {k: plain(v) for k, v in judging.ic_summary(ic, horizon=body.horizon).items()}
        for name, ic in (("ic", plain_ic), ("rank_ic", rank_ic))
    }
    result = {
        "ic": series_body(pd.Series(plain_ic, days)),
        "rank_ic": series_body(pd.Series(rank_ic, days)),
        "summary": summaries,
        "quantile_returns": table_body(shown),
        "mean_quantile_returns": {str(k): plain(float(v)) for k, v in shown.mean().items()},
        "turnover": {
            **{
                str(k): plain(float(v))
                for k, v in zip(buckets.returns, buckets.turnover, strict=True)
            },
            "factor": plain(buckets.factor_turnover),
        },
        "monotonicity": {"spearman": plain(order.spearman), "p_value": plain(order.p_value)},
    }
    return answer(
        result,
        body,
        [
            "rank_ic: Spearman, average ranks on ties; ic: Pearson; t_hac with at least h-1 lags",
            "quantile = ceil(Q rank / n), equal-weighted",
            "turnover one way from date to date; factor: scores less their mean, gross weight 1",
        ],
    )
