"""What a command that makes a report leaves behind: its runs, and who took the file out."""

from collections.abc import Callable, Sequence
from contextvars import copy_context
from typing import ParamSpec, TypeVar, cast

from tilt import audit
from tilt.api.report_record import RunRecord
from tilt.api.state import State, enter, pin
from tilt.data import portfolios
from tilt.data.live import Board, LastClose
from tilt.data.store import Store
from tilt.frames import Panel
from tilt.jobs import Jobs
from tilt.report.making import Asked, Book
from tilt.security.deciding import LOCAL
from tilt.settings import Settings

A_FILE = "holdings of a file"
P = ParamSpec("P")
T = TypeVar("T")


def apart(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Return what ``work`` returns; whom it lets in is let in for nothing that comes after it."""
    return copy_context().run(work, *args, **kwargs)


class CommandRecord(RunRecord):
    """Records the runs of a report as the server does, for whoever works at its machine.

    Such a one may see everything, so it is made in what runs `apart`.

    every : ids of the runs of all portfolios, in order
    """

    def __init__(self, settings: Settings, store: Store, panel: Panel) -> None:
        no_jobs = cast("Jobs", None)  # a command computes at once
        board = Board(LastClose(store), seconds=settings.live_seconds)
        state = State(settings, store, {}, no_jobs, board)
        enter(state, LOCAL.id, LOCAL)
        pin(panel)
        super().__init__(state, panel)
        self.every: dict[str, None] = {}

    def note(self, run: str) -> str:
        if run:
            self.every[run] = None
        return super().note(run)


def took_out(store: Store, asked: Asked, record: CommandRecord) -> None:
    """Put on record that a report leaves the store for a file; called before it is written."""
    objects = [_named(store, book) for book in asked.books]
    told = {"objects": objects, "format": asked.format, "mode": asked.mode}
    audit.append(store.catalog, "exported", f"{asked.kind} report", told, tuple(record.every))


def _named(store: Store, book: Book) -> str:
    """Return a portfolio as the audit names it: an encrypted one by its id, a file not at all."""
    known: Sequence[str] = portfolios.saved_names(store.catalog)
    saved = isinstance(book.given, str) and book.given.casefold() in map(str.casefold, known)
    return portfolios.audit_name(store.catalog, str(book.given)) if saved else A_FILE
