"""What is asked of Bloomberg for a batch of names, and the answer for each."""

import datetime as dt
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import pandas as pd

from tilt.data.known import OLDEST_STATEMENT
from tilt.data.sources import bloomberg_tables as tabled
from tilt.data.sources.bloomberg_tables import Answer
from tilt.data.sources.bloomberg_terminal import (
    DAILY,
    FISCAL_YEARS,
    Reply,
    Row,
    Terminal,
)
from tilt.data.sources.bloomberg_xbbg import XbbgTerminal
from tilt.data.sources.kept import Gap

BATCH = 25  # securities in one request
OVERLAP = 14  # days asked for again, to notice a past that was changed
SAME = 1e-6
ADJUSTMENTS = {"CORPORATE_ACTIONS_FILTER": "NORMAL_CASH|ABNORMAL_CASH|CAPITAL_CHANGE"}
_KEY = re.compile(r" EQUITY$", re.IGNORECASE)


def known_as(name: str) -> str:
    """Return what a name is known as: without the word Equity, and without US."""
    return _KEY.sub("", name).removesuffix(" US")


def security(ticker: str) -> str:
    """Return how Bloomberg writes a ticker: ``BRK.B`` is ``BRK/B US Equity``."""
    name, _, exchange = _KEY.sub("", ticker.strip()).partition(" ")
    return f"{re.sub('[.-]', '/', name)} {exchange.strip() or 'US'} Equity"


def batches(tickers: Sequence[str], known: set[str]) -> Iterator[list[str]]:
    """Yield the names of each request: those that are known apart from those that are new."""
    for some in ([t for t in tickers if t in known], [t for t in tickers if t not in known]):
        for first in range(0, len(some), BATCH):
            yield some[first : first + BATCH]


@dataclass(frozen=True)
class Asking:
    """The four requests for a batch of names."""

    terminal: "Terminal | XbbgTerminal"
    first: pd.Timestamp
    day: pd.Timestamp

    def answers(self, tickers: list[str], before: Mapping[str, Answer]) -> dict[str, Answer]:
        names = {t: security(t) for t in tickers}
        asked = list(names.values())
        ends = [pd.Timestamp(str(before[t].history[-1]["date"])) for t in tickers if t in before]
        since = max(min(ends) - pd.Timedelta(days=OVERLAP), self.first) if ends else self.first
        history = self._history(asked, since)
        fields = [*tabled.PROFILE.values(), tabled.STATEMENT_CURRENCY, tabled.DIVIDENDS]
        profile = self.terminal.reference(asked, fields)
        factors = self.terminal.reference(asked, [tabled.FACTORS], ADJUSTMENTS)
        items = [*tabled.ITEMS.values(), tabled.EBITDA, tabled.ANNOUNCED]
        known = self.first - pd.Timedelta(days=OLDEST_STATEMENT)  # what the first list can know
        years = self.terminal.history(asked, items, (known.date(), self.day.date()), FISCAL_YEARS)
        found = {
            t: _answer(s, self.day, history[s], profile.get(s), factors.get(s), years.get(s))
            for t, s in names.items()
        }
        return {t: self._with_past(a, before.get(t)) for t, a in found.items()}

    def _history(self, securities: list[str], since: pd.Timestamp) -> dict[str, Reply]:
        days = since.date(), self.day.date()
        found = self.terminal.history(securities, tabled.PRICE_FIELDS, days, DAILY)
        return {s: found.get(s, Reply(problem="no answer")) for s in securities}

    def _with_past(self, answer: Answer, before: Answer | None) -> Answer:
        """Return the answer with the days before it; all days anew where the two disagree."""
        if before is None or not answer.history:
            return answer
        then = {str(r["date"]): tabled.number(r.get("PX_LAST")) for r in before.history}
        now = {str(r["date"]): tabled.number(r.get("PX_LAST")) for r in answer.history}
        common = [d for d in now if d in then]
        changed = [d for d in common if abs(now[d] - then[d]) > SAME * abs(then[d])]
        if common and not changed:
            past = [r for r in before.history if str(r["date"]) < min(now)]
            return replace(answer, history=past + answer.history)
        reply = self._history([answer.security], self.first)[answer.security]
        words = ""
        if changed:
            d = changed[0]
            words = f"close of {d} {now[d]:g} and not {then[d]:g}; {len(changed)} changed"
        return replace(answer, history=_rows(reply), restated=words)


def _answer(
    name: str,
    day: pd.Timestamp,
    history: Reply,
    profile: Reply | None,
    factors: Reply | None,
    years: Reply | None,
) -> Answer:
    gaps = (
        {} if history.rows else {"prices": Gap(history.problem or "none in this time", final=True)}
    )
    about = dict(_only(profile))
    dividends = about.pop(tabled.DIVIDENDS, None)
    if not gaps and profile is not None and profile.problem:
        gaps["profile"] = Gap(profile.problem, final=True)
    refused = {**history.fields, **(profile.fields if profile else {})}
    refused |= years.fields if years else {}
    gaps |= {f"field {name}": Gap(why, final=True) for name, why in sorted(refused.items())}
    return Answer(
        security=name,
        history=_rows(history),
        statements=[] if years is None else _rows(years),
        profile=_scalars(about),
        dividends=_bulk(dividends),
        factors=_bulk(_only(factors).get(tabled.FACTORS)),
        gaps=gaps,
        asked=f"{day:%Y-%m-%d}",
    )


def _only(reply: Reply | None) -> Row:
    return reply.rows[0] if reply is not None and reply.rows else {}


def _rows(reply: Reply) -> list[dict[str, str | float]]:
    rows = [_scalars(row) for row in reply.rows]
    return sorted((r for r in rows if "date" in r), key=lambda r: str(r["date"]))


def _bulk(value: object) -> list[dict[str, str | float]]:
    return [_scalars(r) for r in value if isinstance(r, dict)] if isinstance(value, list) else []


def _scalars(row: Mapping[str, object]) -> dict[str, str | float]:
    """Return the values that are there, days as ISO texts."""
    found: dict[str, str | float] = {}
    for name, value in row.items():
        if isinstance(value, dt.datetime):
            found[name] = value.date().isoformat()
        elif isinstance(value, dt.date):
            found[name] = value.isoformat()
        elif isinstance(value, int):  # an issuer's number is a name, not an amount
            found[name] = str(value)
        elif isinstance(value, str | float) and not pd.isna(value):
            found[name] = value
    return found
