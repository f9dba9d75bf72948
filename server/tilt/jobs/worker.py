"""What happens inside a worker process: take a task, run it, answer.

The process is started afresh (spawn), so it has none of the server's sockets, locks or database
connections; its one link is a pipe, and it ends when the server at the other end does.
"""

import importlib
import os
import signal
import threading
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing import parent_process
from multiprocessing.connection import Connection
from pathlib import Path

from tilt import errors
from tilt.audit import ACTOR, Actor
from tilt.jobs.files import Files, result_file, task_file
from tilt.jobs.pieces import Pieces
from tilt.rounding import sum_in_one_order
from tilt.sealing import Seal

_EVERY = 0.05  # seconds between two reports of one stage


@dataclass(frozen=True)
class Task:
    """One attempt at a job; ``sha256`` is of the file with its function and arguments."""

    job: str
    attempt: int
    sha256: str


@dataclass(frozen=True)
class Report:
    """How far a task is: fraction from 0 to 1, and what it does now."""

    fraction: float
    stage: str


@dataclass(frozen=True)
class Done:
    """The result lies in the attempt's result file.

    pieces : whether it is none yet, but what is to be done in pieces
    """

    sha256: str
    pieces: bool = False


@dataclass(frozen=True)
class Failed:
    """The task raised: an error for the user, or a traceback for the log alone."""

    kind: str
    message: str
    trace: str = ""


@dataclass(frozen=True)
class Stop:
    """The server asks the task to stop; also the worker's word that it did."""


class StoppedError(BaseException):
    """Raised by ``Progress`` in a canceled task; no ``except Exception`` swallows it."""


class Progress:
    """How a job's function says how far it is: ``progress(0.4, "estimating risk")``.

    It only ever rises. In a canceled job the call raises ``StoppedError``, so that ``finally``
    clauses run before the process is killed.
    """

    def __init__(self, connection: "Connection[object, object]") -> None:
        self._connection = connection
        self._sent = Report(0.0, "")
        self._at = -_EVERY

    def __call__(self, fraction: float, stage: str = "") -> None:
        now = time.monotonic()
        stage = stage or self._sent.stage
        if stage == self._sent.stage and now - self._at < _EVERY:
            return
        if self._connection.poll():
            self._connection.recv()  # in mid-task the server sends one thing: stop
            raise StoppedError
        self._sent = Report(min(1.0, max(self._sent.fraction, float(fraction))), stage[:200])
        self._at = now
        self._connection.send(self._sent)


def work(
    connection: "Connection[object, object]", folder: Path, preload: Sequence[str], seal: Seal
) -> None:
    """Run tasks until the server closes its end; the target of a worker process."""
    _settle(preload)
    files = Files(folder, seal)
    while True:
        try:
            message = connection.recv()
            if isinstance(message, Task):  # else a stop that came after the task had ended
                connection.send(Report(0.0, "started"))
                connection.send(_answer(message, files, Progress(connection)))
        except (EOFError, ConnectionError):
            return


def _settle(preload: Sequence[str]) -> None:
    for end in (signal.SIGINT, signal.SIGTERM):  # sent to all by Ctrl-C and by service managers;
        signal.signal(end, signal.SIG_IGN)  # the server decides what becomes of its tasks
    if hasattr(os, "nice"):
        os.nice(10)  # cells come before jobs
    threading.Thread(target=_end_with_server, daemon=True).start()
    sum_in_one_order()
    for module in preload:
        importlib.import_module(module)


def _end_with_server() -> None:
    server = parent_process()
    if server is not None:
        server.join()
        os._exit(1)  # a task of a dead server is run again by another one


def _answer(task: Task, files: Files, progress: Progress) -> Done | Failed | Stop:
    try:
        function, arguments = _load(task, files)
        result = function(progress, *arguments)  # type: ignore[operator]
        name = result_file(task.job, task.attempt)
        if isinstance(result, Pieces):
            return Done(files.write(name, result.cut()), pieces=True)
        return Done(files.write(name, result))
    except StoppedError:
        return Stop()
    except errors.TiltError as error:
        return Failed(kind(error), str(error))
    except BaseException:  # noqa: BLE001 - whatever a job raises becomes its answer and is logged
        return Failed("", "", traceback.format_exc())


def _load(task: Task, files: Files) -> tuple[object, tuple[object, ...]]:
    loaded = files.read(task_file(task.job), task.sha256)
    if not (isinstance(loaded, tuple) and len(loaded) == 2 and isinstance(loaded[1], tuple)):
        raise TypeError(f"{task_file(task.job)} holds no function and arguments")
    return loaded


def run_as(
    progress: Progress,
    actor: Actor,
    function: Callable[..., object],
    arguments: tuple[object, ...],
) -> object:
    """Run a job's function in the name of whoever asked for it, as the audit is to tell."""
    before = ACTOR.set(actor)
    try:
        return function(progress, *arguments)
    finally:
        ACTOR.reset(before)


def kind(error: errors.TiltError) -> str:
    """Return the name of the error's nearest class in ``tilt.errors``."""
    return next(c.__name__ for c in type(error).__mro__ if c.__module__ == errors.__name__)
