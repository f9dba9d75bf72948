"""A report as PDF, printed by LibreOffice where the machine has it."""

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

from tilt.errors import ArgumentError, BusyError

PROGRAMS = ("soffice", "libreoffice")
SECONDS = 180.0


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


def print_pdf(workbook: bytes, *, seconds: float = SECONDS) -> bytes:
    """Return a workbook as it prints.

    LibreOffice runs without a window, on a profile of its own that is deleted afterwards, so that
    neither a person's settings nor another print can meet it.

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
        )
        if not made.is_file():
            why = said or "it gives no reason"
            raise ArgumentError(f"LibreOffice could not print the report: {why}.")
        return made.read_bytes()


def _run(command: list[str], seconds: float) -> str:
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
        _, complaints = running.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        raise BusyError(
            f"LibreOffice did not print the report within {seconds:g} seconds. Try again, with "
            "fewer sections, or ask for xlsx."
        ) from None
    finally:
        _end(running)
    return " ".join(complaints.split())[-300:]


def _end(running: "subprocess.Popen[str]") -> None:
    if hasattr(os, "killpg"):  # Windows has no groups of processes
        with contextlib.suppress(ProcessLookupError):  # all of it has ended
            os.killpg(running.pid, signal.SIGKILL)
    else:
        running.kill()
    running.communicate()
