"""A kind of report: its name, its sections, and how the sections are made from the data."""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from tilt.data import packs
from tilt.data.store import Store
from tilt.errors import ArgumentError, StoppedError, TiltError, one_of
from tilt.frames import Panel
from tilt.optimize.constraints import Grid
from tilt.portfolio.holdings import Holdings
from tilt.report.absent import absent
from tilt.report.pack import ALWAYS, Chapter, Section, Subject
from tilt.report.record import Record

Said = Callable[[float, str], None]  # done, a fraction; and what is being done


@dataclass(frozen=True, eq=False)
class Material:
    """What one chapter of a report is made from.

    portfolio : what it is called in the report
    holdings  : None for a kind that is of no portfolio
    rules     : limits as typed in a sheet; empty takes the kind's own
    wanted    : keys of the sections that will be made
    options   : of the kind, by name, as typed
    record    : of the runs whose ids the report shows, and of earlier reports
    """

    store: Store
    panel: Panel
    portfolio: str
    holdings: Holdings | None
    rules: Grid
    wanted: tuple[str, ...]
    options: Mapping[str, str] = field(default_factory=dict)
    record: Record = field(default_factory=Record)

    @property
    def whose(self) -> packs.Whose:
        """Of which portfolio reports are looked for and written down."""
        name = self.holdings.name if self.holdings is not None else ""
        saved = {str(n).casefold() for n in self.store.portfolios()["name"]} if name else set()
        known = name.casefold() in saved
        return packs.Whose("", name if known else self.portfolio, saved=known)


@dataclass(frozen=True, eq=False)
class Study:
    """A subject, and what makes each of its sections; one not asked for costs nothing.

    figures : what the next report of the same portfolio needs to tell what changed, as JSON
    """

    subject: Subject
    makers: Mapping[str, Callable[[], Section]]
    figures: Callable[[], Mapping[str, object]] = dict


@dataclass(frozen=True, eq=False)
class Kind:
    """A kind of report.

    about        : one sentence for whoever chooses
    sections     : key and title, in the order they appear
    open         : reads what the sections share
    options      : further options and what they mean
    of_portfolio : False for a report that is of no portfolio
    """

    name: str
    title: str
    about: str
    sections: Mapping[str, str]
    open: Callable[[Material], Study]
    options: Mapping[str, str] = field(default_factory=dict)
    of_portfolio: bool = True

    def choose(self, names: Sequence[str]) -> tuple[str, ...]:
        """Return the keys of the sections that are named, in the report's order; none are all.

        Cover, summary and what else every report has may be named, and change nothing.

        Raises
        ------
        ArgumentError
            If a name is no section's; the nearest one is told.
        """
        known = (*self.sections, *ALWAYS)
        keys = {one_of(f"section of the {self.name} report", n.strip(), known) for n in names}
        return tuple(k for k in self.sections if k in keys) or tuple(self.sections)

    def check_options(self, options: Mapping[str, str]) -> dict[str, str]:
        """Return the options by their right names.

        Raises
        ------
        ArgumentError
            If the kind has no such option; the nearest one is told.
        """
        if options and not self.options:
            raise ArgumentError(f"The {self.name} report takes no option {next(iter(options))}.")
        what = f"option of the {self.name} report"
        return {one_of(what, name.strip(), self.options): v for name, v in options.items()}

    def chapter(self, material: Material, said: Said) -> Chapter:
        """Return the sections that are wanted, telling before each how much is done.

        A section that cannot be made says why; the others stay as they are.
        """
        said(0.0, f"reading {material.portfolio}" if material.portfolio else "reading")
        study = self.open(material)
        made = []
        for number, key in enumerate(material.wanted):
            said(number / len(material.wanted), self.sections[key].lower())
            try:
                made.append(study.makers[key]())
            except StoppedError:
                raise
            except TiltError as error:
                made.append(absent(key, self.sections[key], study.subject, error))
        return Chapter(study.subject, tuple(made), self._held(study, material))

    def _held(self, study: Study, material: Material) -> packs.Pack:
        """Return what is written down of the report."""
        try:
            figures = study.figures()
        except StoppedError:
            raise
        except TiltError:  # a section says why; the next report finds nothing to compare with
            figures = {}
        subject = study.subject
        whose = material.whose if self.of_portfolio else packs.Whose("", subject.name, saved=False)
        return packs.Pack(
            whose, self.name, subject.universe, subject.date, subject.snapshot,
            dt.datetime.now(dt.UTC), figures, material.record.runs,
        )  # fmt: skip
