"""What the quality checks found: counted, filtered, a page at a time."""

from typing import Annotated, Literal

import pandas as pd
from fastapi import APIRouter, Query, Request

from tilt.api.frames import split
from tilt.api.running import Running
from tilt.api.v1.asking import StrictRoute, in_pool
from tilt.data.findings import SEVERITIES
from tilt.errors import did_you_mean

router = APIRouter(tags=["data"], route_class=StrictRoute)

Asked = Annotated[str | None, Query(max_length=200)]
Severity = Annotated[Literal["error", "warning", "info"] | None, Query()]


@router.get("/quality")
async def quality(
    request: Request,
    universe: Asked = None,
    severity: Severity = None,
    check: Annotated[str | None, Query(max_length=200, description="Of this check alone.")] = None,
    ticker: Annotated[str | None, Query(max_length=64, description="Of this ticker alone.")] = None,
    text: Annotated[
        str | None,
        Query(max_length=200, description="Words that all stand in ticker, check, detail, action."),
    ] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 50,
    offset: Annotated[int, Query(ge=0, le=10**9)] = 0,
) -> dict[str, object]:
    """List what the quality checks found, the newest first, a page at a time.

    ``counts`` has the findings by severity as the other filters leave them, ``checks`` those by
    check: so a client can say how many there are before it asks for them.
    """

    def work(tilt: Running) -> dict[str, object]:
        every = tilt.state.store.findings(universe).iloc[::-1].reset_index(drop=True)
        return page(
            every, severity=severity, check=check, ticker=ticker, text=text,
            limit=limit, offset=offset,
        )  # fmt: skip

    return await in_pool(request, work)


def page(
    findings: pd.DataFrame,
    *,
    severity: str | None = None,
    check: str | None = None,
    ticker: str | None = None,
    text: str | None = None,
    limit: int,
    offset: int,
) -> dict[str, object]:
    """Return a page of the findings that every given filter lets through, with their counts.

    Parameters
    ----------
    text : words in any case; a finding has all of them somewhere in its ticker, check, detail and
        action, in any order

    Returns
    -------
    ``counts`` by severity, ``checks`` (check, severity, count), ``total`` and ``findings``
    """
    found = findings[_of(findings, "ticker", ticker) & _has(findings, text)]
    of_severity = _of(found, "severity", severity)
    of_check = _of(found, "check", check)
    shown = found[of_severity & of_check]
    return {
        "counts": counts_by_severity(found[of_check]),
        "checks": split(counts_by_check(found[of_severity])),
        "total": len(shown),
        "findings": split(shown.iloc[offset : offset + limit].reset_index(drop=True)),
        "note": "" if len(shown) else _why_none(findings, ticker, check),
    }


def counts_by_severity(findings: pd.DataFrame) -> dict[str, int]:
    """Return how many findings there are of each severity, the severest first."""
    counted = findings["severity"].value_counts()
    return {name: int(counted.get(name, 0)) for name in SEVERITIES}


def counts_by_check(findings: pd.DataFrame) -> pd.DataFrame:
    """Return severity, check and count: the severest first, then the most frequent."""
    counted = findings.groupby(["severity", "check"], sort=True).size().reset_index(name="count")
    rank = counted["severity"].map({name: i for i, name in enumerate(SEVERITIES)})
    return (
        counted.assign(rank=rank)
        .sort_values(["rank", "count"], ascending=[True, False], kind="stable", ignore_index=True)
        .drop(columns="rank")
    )


def _of(findings: pd.DataFrame, column: str, value: str | None) -> "pd.Series[bool]":
    if not value or not value.strip():
        return pd.Series(data=True, index=findings.index)
    folded = findings[column].fillna("").astype("str").str.casefold()
    return folded == value.strip().casefold()


def _has(findings: pd.DataFrame, text: str | None) -> "pd.Series[bool]":
    columns = ["ticker", "check", "detail", "action"]
    parts = findings[columns].fillna("").astype("str")
    # a check is called displaced_row, and shown and looked for as displaced row too
    parts["words"] = parts["check"].str.replace("_", " ")
    whole = parts.agg(" ".join, axis=1) if len(parts) else pd.Series(dtype="str")
    folded = whole.astype("str").str.casefold()
    kept = pd.Series(data=True, index=findings.index)
    for word in (text or "").casefold().split():
        kept &= folded.str.contains(word, regex=False)
    return kept


def _why_none(findings: pd.DataFrame, ticker: str | None, check: str | None) -> str:
    """Return what may have been misspelt where nothing was found, or an empty text."""
    for column, given in (("ticker", ticker), ("check", check)):
        if given and not _of(findings, column, given).any():
            near = did_you_mean(given, findings[column].dropna().unique())
            return f"There is no finding of {column} '{given}'.{near}"
    return ""
