"""A report as PDF, printed by LibreOffice where the machine has it."""

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tilt.errors import ArgumentError, BusyError

PROGRAMS = ("soffice", "libreoffice")
SECONDS = 180.0
_LOOK = 0.2  # seconds between two looks at a print that runs

Alive = Callable[[], object]  # called while a print runs; what it raises ends the print


def unwatched() -> None:
    """Let a print run to its end."""


def office() -> str | None:
    """Return the path of LibreOffice, None where there is none."""
    return next((path for name in PROGRAMS if (path := shutil.which(name))), None)


def require_office() -> str:
    """Return the path of LibreOffice.

    Raises
    ------
    ArgumentError
        If there is none.
    """
    found = office()
    if found is None:
        raise ArgumentError(
            "A PDF is printed by LibreOffice, which this machine does not have. Ask for xlsx or "
            "html, or install it: apt install libreoffice-calc."
        )
    return found


def print_pdf(workbook: bytes, *, seconds: float = SECONDS, alive: Alive = unwatched) -> bytes:
    """Return a workbook as it prints.

    LibreOffice runs without a window, on a profile of its own that is deleted afterwards, so that
    neither a person's settings nor another print can meet it.

    Parameters
    ----------
    alive : called several times a second; what it raises ends LibreOffice and is raised here, so
        that a job that is canceled does not print on

    Raises
    ------
    ArgumentError
        If LibreOffice is absent, or cannot print the workbook.
    BusyError
        If it takes longer than ``seconds``.
    """
    program = require_office()
    with tempfile.TemporaryDirectory(prefix="tilt-print-") as name:
        folder = Path(name)
        (folder / "report.xlsx").write_bytes(workbook)
        made = folder / "report.pdf"
        said = _run(
            [
                program,
                f"-env:UserInstallation={(folder / 'profile').as_uri()}",
                "--headless",
                "--nologo",
                "--norestore",
                "--convert-to",
                "pdf:calc_pdf_Export",
                "--outdir",
                name,
                str(folder / "report.xlsx"),
            ],
            seconds,
            alive,
        )
        if not made.is_file():
            why = said or "it gives no reason"
            raise ArgumentError(f"LibreOffice could not print the report: {why}.")
        return made.read_bytes()


def _run(command: list[str], seconds: float, alive: Alive) -> str:
    """Run a program and end it in time, with all that it starts; return its complaints."""
    running = subprocess.Popen(  # noqa: S603 - a program found on the path, and files of ours
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        start_new_session=True,
        text=True,
        errors="replace",
    )
    try:
        complaints = _watched(running, time.monotonic() + seconds, alive)
    finally:
        _end(running)
    if complaints is None:
        raise BusyError(
            f"LibreOffice did not print the report within {seconds:g} seconds. Try again, with "
            "fewer sections, or ask for xlsx."
        )
    return " ".join(complaints.split())[-300:]


def _watched(running: "subprocess.Popen[str]", until: float, alive: Alive) -> str | None:
    """Return what a program complains of when it has ended; None if its time is over first."""
    while (left := until - time.monotonic()) > 0:
        alive()
        with contextlib.suppress(subprocess.TimeoutExpired):
            return running.communicate(timeout=min(_LOOK, left))[1]
    return None


def _end(running: "subprocess.Popen[str]") -> None:
    if hasattr(os, "killpg"):  # Windows has no groups of processes
        with contextlib.suppress(ProcessLookupError):  # all of it has ended
            os.killpg(running.pid, signal.SIGKILL)
    else:
        running.kill()
    running.communicate()
