"""What the tests run in workers; importable there, as a job's function must be."""

import os
import signal
import stat
import time
from pathlib import Path

import numpy as np

from tilt.errors import NoSolutionError, UnknownNameError
from tilt.jobs import Pieces


class NearlyUnknownError(UnknownNameError):
    """A class that only this module knows."""


def give_back(progress, value):
    progress(1.0, "giving back")
    return value


def note(_progress, path, text):
    with Path(path).open("a") as file:
        file.write(text)
    return text


def process_id(_progress):
    return os.getpid()


def wait_for(path):
    deadline = time.monotonic() + 60
    while not Path(path).exists():
        if time.monotonic() > deadline:
            raise RuntimeError(f"no {path} within 60 s")
        time.sleep(0.01)


def announce_and_wait(_progress, folder):
    Path(folder, f"pid{os.getpid()}").touch()
    wait_for(Path(folder, "go"))
    return os.getpid()


def step_by_step(progress, folder, steps):
    for number, (fraction, stage) in enumerate(steps):
        progress(fraction, stage)
        wait_for(Path(folder, f"go{number}"))
    return len(steps)


def take_memory_without_end(_progress):
    """Hold more and more of it."""
    held = []
    while True:
        held.append(b"x" * (8 * 2**20))
        time.sleep(0.005)


def write_without_end(_progress, path):
    """Never report, so that nothing but a kill ends it."""
    Path(path).with_suffix(".pid").write_text(str(os.getpid()))
    with Path(path).open("a") as file:
        while True:
            file.write("x")
            file.flush()


def report_without_end(progress, folder):
    Path(folder, f"pid{os.getpid()}").touch()
    try:
        while True:
            progress(0.5, "turning")
    finally:
        Path(folder, "tidied").touch()


def many_stages(progress, count):
    for number in range(count):
        progress(number / count, f"stage {number}")
    return count


def no_solution(_progress):
    raise NoSolutionError("No solution: 'names at most 2' allows 40 % invested at most.")


def nearly_unknown(_progress):
    raise NearlyUnknownError("Unknown ticker 'APPL'.")


def break_down(_progress):
    secret = {"salary": 1}
    return secret["password-of-the-vault"]


def leave(_progress):
    raise SystemExit(3)


def not_picklable(_progress):
    return lambda: None


def die(_progress, path, times):
    """Be killed, as by a system short of memory, the first so many times."""
    with Path(path).open("a") as file:
        file.write("x")
    if Path(path).stat().st_size <= times:
        os.kill(os.getpid(), signal.SIGKILL)
    return Path(path).stat().st_size


def sockets(_progress):
    found = []
    for descriptor in range(3, 256):
        try:
            status = os.fstat(descriptor)
        except OSError:
            continue
        if stat.S_ISSOCK(status.st_mode):
            found.append(status.st_ino)
    return found


def linear_algebra_threads(_progress):
    import numpy  # noqa: F401, ICN001 - loads the library whose threads are counted
    from threadpoolctl import threadpool_info

    return [library["num_threads"] for library in threadpool_info()]


def draw_in_pieces(progress, folder, seeds, drawn="drawn"):
    """Ask for a piece for each seed, and for what they drew in one list."""
    progress(0.1, "cutting")
    each = [(folder, number, seed) for number, seed in enumerate(seeds)]
    return Pieces(draw_one, each, gather, (drawn,), stage="drawing")


def draw_one(progress, folder, number, seed):
    progress(0.5, "drawing one")
    with Path(folder, f"runs{number}").open("a") as file:
        file.write("x")
    return np.random.default_rng(seed).standard_normal(3)


def gather(_progress, parts, drawn):
    return {drawn: np.concatenate(parts), "process": os.getpid()}


def wait_in_pieces(_progress, folders, gate=None):
    if gate is not None:
        wait_for(gate)
    return Pieces(announce_and_wait, [(folder,) for folder in folders], count_parts)


def count_parts(_progress, parts):
    return len(parts)


def cut_twice(_progress, folder, seeds):
    """Cut again what the first pieces gave."""
    return Pieces(draw_one, [(folder, 9, seeds[0])], cut_again, (folder, seeds[1:]))


def cut_again(progress, parts, folder, seeds):
    return draw_in_pieces(progress, folder, seeds, f"after {len(parts)}")


def die_in_a_piece(_progress, folder, times):
    each = [(str(Path(folder, name)), n) for name, n in (("a", 0), ("b", times), ("c", 0))]
    return Pieces(die, each, give_parts)


def give_parts(_progress, parts):
    return parts


def fail_in_a_piece(_progress, folder):
    each = [(folder, "wait"), (folder, "fail"), (folder, "wait")]
    return Pieces(fail_or_wait, each, give_parts)


def fail_or_wait(progress, folder, what):
    if what == "fail":
        no_solution(progress)
    report_without_end(progress, folder)
