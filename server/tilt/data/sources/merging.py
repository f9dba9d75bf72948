"""One table from several: the first value in order, where it came from, and who disagrees."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import pandas as pd

from tilt.data.findings import Finding, noted
from tilt.data.schema import KEY_FIGURES, PRICES, SCHEMAS, SYMBOL_CHANGES, Schema, empty

Tables = Mapping[str, pd.DataFrame]
DISAGREE = "sources_disagree"
TOLERANCE = 0.01
# what vendors count differently: the shares of all exchanges or of one, sales before or after tax
LOOSER: Mapping[str, float] = MappingProxyType({"prices.volume": 0.25})
UNCOMPARED = frozenset({"filed", "fetched"})  # of a version, not of the company
NAMES = ("ticker", "symbol")
DAYS = ("date", "period_end")
PROVENANCE = ["table", "field", "name", "first", "last", "source", "values"]
DISAGREEMENTS = ["table", "field", "name", "date", "source", "value", "other", "other_value"]


@dataclass(frozen=True)
class Order:
    """Who is believed.

    sources    : by name, the first one wins
    precedence : by table or table.column, sources that come before that order
    tolerance  : by table or table.column, the difference that is none, a fraction
    """

    sources: tuple[str, ...]
    precedence: Mapping[str, tuple[str, ...]]
    tolerance: Mapping[str, float]

    def of(self, table: str, field: str) -> list[str]:
        """Return all sources in the order that holds for a field."""
        first = self.precedence.get(f"{table}.{field}", self.precedence.get(table, ()))
        return list(dict.fromkeys([*first, *self.sources]))

    def beyond(self, table: str, field: str) -> float:
        """Return the tolerance that holds for a field."""
        name = f"{table}.{field}"
        usual = self.tolerance.get(table, LOOSER.get(name, TOLERANCE))
        return self.tolerance.get(name, usual)


@dataclass(frozen=True, eq=False)
class Merged:
    """One set of tables.

    provenance    : table, field, name (ticker or symbol), first and last day, source, and how many
        values in a row came from it
    disagreements : each pair of values beyond the tolerance
    """

    tables: dict[str, pd.DataFrame]
    provenance: pd.DataFrame
    disagreements: pd.DataFrame
    findings: list[Finding]


def one_spelling(given: Mapping[str, Tables]) -> dict[str, dict[str, pd.DataFrame]]:
    """Return the tables with every ticker as the first source that has it writes it.

    ``BRK.B``, ``BRK/B`` and ``BRK-B`` are one.
    """
    spelled: dict[str, str] = {}
    for tables in given.values():
        for table in tables.values():
            for column in NAMES:
                for ticker in table.get(column, pd.Series(dtype="str")).dropna().unique():
                    spelled.setdefault(_plain(ticker), ticker)
    return {
        source: {name: _respelled(table, spelled) for name, table in tables.items()}
        for source, tables in given.items()
    }


def _plain(ticker: str) -> str:
    return re.sub(r"[./ -]", ".", ticker).upper()


def _respelled(table: pd.DataFrame, spelled: Mapping[str, str]) -> pd.DataFrame:
    columns = [c for c in NAMES if c in table.columns]
    changed = {
        c: table[c].map({t: spelled[_plain(t)] for t in table[c].dropna().unique()})
        for c in columns
    }
    return table.assign(**changed)


def merged(given: Mapping[str, Tables], order: Order) -> Merged:
    """Return the tables of several sources as one.

    Parameters
    ----------
    given : by source, its tables as ``schema.check_table`` returns them
    order : of all the sources
    """
    tables, origins, pairs = {}, [], []
    for name, schema in SCHEMAS.items():
        rows = {s: t[name] for s, t in given.items() if name in t and len(t[name])}
        table, origin, differ = _one_table(schema, rows, order)
        tables[name] = table
        origins += origin
        pairs += differ
    provenance = pd.concat(origins, ignore_index=True) if origins else pd.DataFrame()
    differing = pd.concat(pairs, ignore_index=True) if pairs else pd.DataFrame()
    differing = differing.reindex(columns=DISAGREEMENTS)
    last = tables[PRICES.name]["date"].max()
    return Merged(tables, provenance.reindex(columns=PROVENANCE), differing, told(differing, last))


def _one_table(
    schema: Schema, rows: Mapping[str, pd.DataFrame], order: Order
) -> tuple[pd.DataFrame, list[pd.DataFrame], list[pd.DataFrame]]:
    if not rows:
        return empty(schema), [], []
    first = next(s for s in order.of(schema.name, "") if s in rows)
    if schema is SYMBOL_CHANGES:  # one source's list of them is a whole
        rows = {first: rows[first]}
    key = [k for k in schema.key if k not in UNCOMPARED]
    fields = [c for c in schema.columns if c.name not in key]
    aligned = {s: _aligned(table, key) for s, table in rows.items()}
    index = aligned[first].index
    if schema is not KEY_FIGURES:  # a list of its members is a whole: others only fill its blanks
        for table in aligned.values():
            index = index.union(table.index)
    at = {s: table.reindex(index) for s, table in aligned.items()}
    columns, origins, pairs = {}, [], []
    labels = index.to_frame(index=False)
    for field in fields:
        ordered = [s for s in order.of(schema.name, field.name) if s in rows]
        values = [at[s][field.name].reset_index(drop=True) for s in ordered]
        chosen, origin = _first(values)
        columns[field.name] = chosen
        origins.append(_runs(schema, field.name, labels, origin, ordered))
        if field.name not in UNCOMPARED and field.kind != "date":
            beyond = order.beyond(schema.name, field.name)
            pairs.append(_pairs(schema, field.name, labels, values, ordered, beyond))
    table = pd.concat([labels[key], pd.DataFrame(columns)], axis=1)[schema.names]
    return table, origins, [p for p in pairs if len(p)]


def _aligned(table: pd.DataFrame, key: list[str]) -> pd.DataFrame:
    """Return a table by its key and the number of the row among those of the same key."""
    number = table.groupby(key, dropna=False, sort=False).cumcount().rename("number")
    return table.assign(number=number).set_index([*key, "number"])


def _first(values: "list[pd.Series[float]]") -> "tuple[pd.Series[float], np.ndarray]":
    """Return the first value of each row that is there, and whose it is; -1 where none is."""
    chosen = values[0]
    origin = np.where(chosen.notna(), 0, -1)
    for number, other in enumerate(values[1:], start=1):
        takes = (chosen.isna() & other.notna()).to_numpy()
        chosen = chosen.where(~takes, other)
        origin[takes] = number
    return chosen, origin


def _runs(
    schema: Schema, field: str, labels: pd.DataFrame, origin: np.ndarray, sources: list[str]
) -> pd.DataFrame:
    """Return who gave a field: a row for each stretch of days of one name from one source."""
    table = pd.DataFrame({"name": _names(labels), "day": _days(labels), "origin": origin})
    table = table[origin >= 0].sort_values(["name", "day"], kind="stable")
    new = (table["name"] != table["name"].shift()) | (table["origin"] != table["origin"].shift())
    runs = table.groupby(new.cumsum()).agg(
        name=("name", "first"),
        first=("day", "first"),
        last=("day", "last"),
        origin=("origin", "first"),
        values=("origin", "size"),
    )
    return runs.assign(table=schema.name, field=field, source=[sources[i] for i in runs["origin"]])[
        PROVENANCE
    ]


def _names(labels: pd.DataFrame) -> "pd.Series[str]":
    there = [c for c in NAMES if c in labels.columns]
    return labels[there[0]] if there else pd.Series("", index=labels.index)


def _days(labels: pd.DataFrame) -> "pd.Series[pd.Timestamp]":
    there = [c for c in DAYS if c in labels.columns]
    if there:
        return labels[there[0]]
    return pd.Series(pd.NaT, index=labels.index, dtype="datetime64[us]")


def _pairs(
    schema: Schema,
    field: str,
    labels: pd.DataFrame,
    values: "list[pd.Series[float]]",
    sources: list[str],
    beyond: float,
) -> pd.DataFrame:
    """Return the rows where a source differs from the first one that has a value."""
    found = []
    for i, mine in enumerate(values):
        for j in range(i + 1, len(values)):
            other = values[j]
            both = mine.notna() & other.notna()
            for earlier in values[:i]:  # the pair with the value that is used says it already
                both &= earlier.isna()
            differ = (both & _differs(mine, other, beyond)).to_numpy()
            if differ.any():
                at = labels[differ]
                found.append(
                    pd.DataFrame(
                        {
                            "table": schema.name,
                            "field": field,
                            "name": _names(at).to_numpy(),
                            "date": _days(at).to_numpy(),
                            "source": sources[i],
                            "value": mine[differ].astype("str").to_numpy(),
                            "other": sources[j],
                            "other_value": other[differ].astype("str").to_numpy(),
                        }
                    )
                )
    return pd.concat(found, ignore_index=True) if found else pd.DataFrame()


def _differs(
    mine: "pd.Series[float]", other: "pd.Series[float]", beyond: float
) -> "pd.Series[bool]":
    if pd.api.types.is_numeric_dtype(mine):
        largest = np.maximum(mine.abs(), other.abs())
        return (mine - other).abs() > beyond * largest
    texts = (mine.astype("str").str.strip().str.casefold() for mine in (mine, other))
    return next(texts) != next(texts)


def told(disagreements: pd.DataFrame, day: pd.Timestamp) -> list[Finding]:
    """Return a finding for each field, name and pair of sources, with the largest difference.

    A text, such as a sector, differs for many names at once when two vendors have other words: it
    is one finding for each pair of sources.

    Parameters
    ----------
    disagreements : of :class:`Merged`
    day : of a finding about what has no date
    """
    if disagreements.empty:
        return []
    numeric = {f"{t}.{c.name}" for t, s in SCHEMAS.items() for c in s.columns if c.kind == "number"}
    field = disagreements["table"] + "." + disagreements["field"]
    number = field.isin(numeric)
    each = disagreements["name"].where(number, "")
    by = [field, each, disagreements["source"], disagreements["other"]]
    return [
        _number_told(str(labels[0]), rows, day)
        if number[rows.index[0]]
        else _text_told(str(labels[0]), rows, day)
        for labels, rows in disagreements.groupby(by)
    ]


def _number_told(field: str, rows: pd.DataFrame, day: pd.Timestamp) -> Finding:
    mine, other = rows["value"].astype(float), rows["other_value"].astype(float)
    largest = np.maximum(mine.abs().to_numpy(), other.abs().to_numpy())
    worst = rows.iloc[int(np.argmax((mine - other).abs().to_numpy() / largest))].to_dict()
    on = pd.Timestamp(worst["date"])
    dated = "" if pd.isna(on) else f" on {on:%Y-%m-%d}"
    times = "" if len(rows) == 1 else f" {len(rows)} times, most{dated}"
    words = (
        f"{field} differs{times or dated}: {worst['source']} has {float(worst['value']):.6g}, "
        f"{worst['other']} {float(worst['other_value']):.6g}. "
        f"| Kept that of {worst['source']}; both stay in the record."
    )
    at = day if pd.isna(on) else on
    return noted(at, DISAGREE, words, ticker=str(worst["name"]))


def _text_told(field: str, rows: pd.DataFrame, day: pd.Timestamp) -> Finding:
    first = rows.iloc[0].to_dict()
    words = (
        f"{field} differs for {rows['name'].nunique()} names, such as {first['name']}: "
        f"{first['source']} has '{first['value']}', {first['other']} '{first['other_value']}'. "
        f"| Kept that of {first['source']}; both stay in the record."
    )
    return noted(day, DISAGREE, words, severity="info")
