"""Reports as jobs: made in a worker process, kept for whoever asked."""

import datetime as dt

from tilt.api import files
from tilt.api.places import Place
from tilt.api.report_record import RunRecord
from tilt.api.seen import look_at
from tilt.api.state import State, pin
from tilt.frames import content_id
from tilt.jobs import Job, Progress
from tilt.report.kinds import KINDS
from tilt.report.making import Asked, check_asked, make_reports
from tilt.report.outputs import FORMATS
from tilt.report.pdf import office
from tilt.report.sheet_writer import MODES

_FORMATS_IN_WORDS = {"xlsx": "Excel workbook", "pdf": "PDF", "html": "web page (HTML)"}
_MODES_IN_WORDS = {
    "formulas": "native formulas",
    "frozen": "values alone",
    "live": "live TILT formulas",
}


def choices() -> dict[str, object]:
    """Return what a report can be: kinds with their sections and options, formats, modes."""
    formats = [name for name in FORMATS if name != "pdf" or office() is not None]
    return {
        "kinds": [
            {
                "name": kind.name,
                "title": kind.title,
                "about": kind.about,
                "of_portfolio": kind.of_portfolio,
                "sections": [{"key": k, "title": t} for k, t in kind.sections.items()],
                "options": [{"name": n, "about": words} for n, words in kind.options.items()],
            }
            for kind in KINDS.values()
        ],
        "formats": [{"name": n, "title": _FORMATS_IN_WORDS[n]} for n in formats],
        "modes": [{"name": n, "title": _MODES_IN_WORDS[n]} for n in MODES],
        "note": ""
        if "pdf" in formats
        else "PDF is printed by LibreOffice, which this server does not have.",
    }


def submit_report(state: State, asked: Asked, owner: str) -> Job:
    """Return the job that makes a report; what is wrong with the question is said at once."""
    right = check_asked(asked)
    panel = state.panel(right.universe or None)
    named = [book.given for book in right.books if isinstance(book.given, str)]
    look_at(state.store, [*named, *right.options.values()])
    place = Place.of(state, panel, right.universe)
    created = dt.datetime.now(dt.UTC).replace(tzinfo=None, microsecond=0)
    names = ", ".join(book.name for book in right.books) or panel.universe
    return state.jobs.submit(
        report_job,
        place,
        created,
        right,
        owner=owner,
        key=f"report {content_id(state.edition(), panel.snapshot, created.isoformat(), right)}",
        title=f"{KINDS[right.kind].title} of {names}",
        snapshot=place.snapshot,
    )


def report_job(
    progress: Progress, place: Place, created: dt.datetime, asked: Asked
) -> dict[str, object]:
    """Make a report in a worker process; return the ids of its files and how they are named."""
    progress(0.0, "reading the data")
    state, panel = place.open()
    pin(panel)
    made = make_reports(
        state.store,
        panel,
        asked,
        created=created,
        said=progress,
        record=RunRecord(state, panel),
    )
    folder = state.settings.data_path
    return {
        "kind": asked.kind,
        "created": created.isoformat(),
        "as_of": f"{panel.as_of:%Y-%m-%d}",
        "snapshot": panel.snapshot,
        "sections": list(asked.sections),
        "files": [
            {
                "file": files.keep(folder, place.user, file.content, file.format),
                "name": file.name,
                "format": file.format,
                "bytes": len(file.content),
            }
            for file in made
        ],
    }
