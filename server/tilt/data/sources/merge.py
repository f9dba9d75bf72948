"""Several sources for one universe: ``merge:NAME``, as ``[merge.NAME]`` of the settings says.

All sources are asked; what each gave stays in the record, as ``raw.1.prices`` and so on, numbered
in the table ``sources``. The merged value of a field is that of the first source that has one, in
the order the settings state for the field, the table, or the whole. ``provenance`` says where each
value came from; ``disagreements`` holds every pair that differs by more than the tolerance.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from tilt.data.findings import Finding
from tilt.data.schema import SCHEMAS
from tilt.data.sources.delivery import (
    Delivery,
    Missing,
    Progress,
    Source,
    Vendor,
    check_tables,
    quiet,
)
from tilt.data.sources.merging import Order, merged, one_spelling
from tilt.data.sources.registry import fetch, find_source
from tilt.errors import ArgumentError, TiltError, UnknownNameError, did_you_mean, one_of
from tilt.settings import MergeSettings, Settings

PREFIX = "merge:"
RAW = "raw.{number}.{table}"
SOURCES = "sources"


@dataclass(frozen=True)
class Merge:
    """Several sources for one universe.

    universe : the name cells will know the universe by
    parts    : in order of precedence
    rules    : of the settings
    """

    universe: str
    parts: tuple[Source, ...]
    rules: MergeSettings

    @property
    def name(self) -> str:
        return f"{PREFIX}{self.universe}"

    def fetch(self, progress: Progress = quiet) -> Delivery:
        """Return the merged tables, and those of each source beside them.

        Raises
        ------
        TiltError
            If a source cannot deliver: nothing is merged without it.
        """
        return self._merged({}, progress)

    def fetch_since(self, held: Mapping[str, pd.DataFrame], progress: Progress = quiet) -> Delivery:
        """Return what :meth:`fetch` would, each source asked only for what it lacks."""
        return self._merged(held, progress)

    def _merged(self, held: Mapping[str, pd.DataFrame], progress: Progress) -> Delivery:
        given: dict[str, Delivery] = {}
        for number, part in enumerate(self.parts):
            done = number / len(self.parts)

            def within(fraction: float, done: float = done) -> None:
                progress(done + fraction / len(self.parts))

            before = _held_of(held, part.name)
            try:
                given[part.name] = fetch(part, held=before, progress=within)
            except TiltError as error:
                raise type(error)(f"{part.name}: {error}") from None
        progress(1.0)
        return self._joined(given)

    def _joined(self, given: Mapping[str, Delivery]) -> Delivery:
        tables = one_spelling({name: dict(d.tables) for name, d in given.items()})
        order = Order(tuple(given), self.rules.precedence, self.rules.tolerance)
        found = merged(tables, order)
        raw = {
            RAW.format(number=number, table=table): rows
            for number, delivery in enumerate(given.values(), start=1)
            for table, rows in delivery.tables.items()
            if len(rows)
        }
        numbered = pd.DataFrame({"number": range(1, len(given) + 1), "source": list(given)})
        extra = {
            SOURCES: numbered,
            "provenance": found.provenance,
            "disagreements": found.disagreements,
        }
        return Delivery(
            source=self.name,
            universe=self.universe,
            description=self.rules.description or f"Merged from {', '.join(given)}",
            tables={**check_tables(found.tables), **extra, **raw},
            survivorship=" ".join(dict.fromkeys(d.survivorship for d in given.values())),
            portfolios={
                k: w for d in reversed(list(given.values())) for k, w in d.portfolios.items()
            },
            findings=(*_told(given), *found.findings),
        )


def kept_of_source(table: str) -> bool:
    """Return whether a table of the record is one that the next merge has to be given."""
    return table == SOURCES or table.startswith("raw.")


def _told(given: Mapping[str, Delivery]) -> list[Finding]:
    """Return the findings of the sources themselves, with the name of each."""
    return [
        finding._replace(detail=f"{name}: {finding.detail}")
        for name, delivery in given.items()
        for finding in delivery.findings
    ]


def _held_of(held: Mapping[str, pd.DataFrame], source: str) -> dict[str, pd.DataFrame] | None:
    """Return what a source gave to the last snapshot of the merge; None if it gave nothing."""
    if SOURCES not in held:
        return None
    numbers = held[SOURCES].set_index("source")["number"]
    if source not in numbers.index:
        return None
    prefix = RAW.format(number=numbers[source], table="")
    return {k.removeprefix(prefix): t for k, t in held.items() if k.startswith(prefix)}


def open_merge(asked: str, settings: Settings) -> Merge:
    """Return the merge that the settings name.

    Raises
    ------
    UnknownNameError
        If the settings have none of that name.
    ArgumentError
        If a rule names a table, a column or a source that there is not.
    """
    names = {name.casefold(): name for name in settings.merge}
    if asked.casefold() not in names:
        raise UnknownNameError(
            f"There is no [merge.{asked or 'NAME'}] in tilt.toml."
            f"{did_you_mean(asked, settings.merge)}"
        )
    name = names[asked.casefold()]
    rules = settings.merge[name]
    _check(rules, name)
    parts = tuple(find_source(source, settings) for source in rules.sources)
    found = tuple(part.name for part in parts)
    if len(set(found)) < len(found):
        raise ArgumentError(f"[merge.{name}] names a source twice: {', '.join(found)}.")
    return Merge(name.upper(), parts, rules)


def _check(rules: MergeSettings, name: str) -> None:
    """Refuse rules about what is not there: a dropped rule is a wrong price."""
    for source in rules.sources:
        if source.strip().casefold().startswith(PREFIX):
            raise ArgumentError(f"[merge.{name}] cannot merge a merge: '{source}'.")
    fields = [
        *SCHEMAS,
        *(f"{t}.{c.name}" for t, s in SCHEMAS.items() for c in s.columns if c.name not in s.key),
    ]
    for rule in (*rules.precedence, *rules.tolerance):
        one_of(f"[merge.{name}] a rule", rule, fields)
    for sources in rules.precedence.values():
        for source in sources:
            one_of(f"[merge.{name}] precedence", source, rules.sources)


def _missing(settings: Settings) -> Missing | None:
    if settings.merge:
        return None
    return Missing("No merge is set up.", "Write [merge.NAME] with sources = [...] in tilt.toml.")


VENDOR = Vendor(
    title="Several sources, merged",
    kind="merge",
    gives=tuple(SCHEMAS),
    example="merge:NAME",
    open=open_merge,
    missing=_missing,
)
