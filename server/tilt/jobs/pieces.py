"""A job whose work is cut into pieces, each of which runs as a task of its own."""

import pickle
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Generic, TypeVar

T = TypeVar("T")
U = TypeVar("U")
V = TypeVar("V")

MOST = 64  # pieces of a job: enough for as many workers, few enough to cost nothing


@dataclass(frozen=True, eq=False)
class Pieces(Generic[T]):
    """What a job's function returns where others are to do its work, instead of a result.

    The job holds no worker while it waits for its pieces, so it may wait in the pool that runs
    them. They go wherever jobs go: another process, another server, a cluster. One that dies is
    run again elsewhere, and what the others have done is kept. Their parts come back in the order
    of ``each``, whoever is done first.

    function : of the top level of a module; ``function(progress, *arguments)`` gives a part
    each     : arguments of each piece
    join     : of the top level of a module; ``join(progress, parts, *given)`` gives the result of
               the job, or cuts what is left into pieces again
    given    : further arguments of ``join``
    stage    : what the pieces do, as the user reads it
    """

    function: Callable[..., object]
    each: Sequence[tuple[object, ...]]
    join: "Callable[..., T | Pieces[T]]"
    given: tuple[object, ...] = ()
    stage: str = "computing"

    def __post_init__(self) -> None:
        if not self.each:
            raise ValueError("work that is cut into pieces has at least one")

    def then(self, function: "Callable[..., U]", *given: object) -> "Pieces[U]":
        """Return the same work, and ``function(progress, result, *given)`` of its result."""
        then = (self.join, self.given, function, given)
        return Pieces(self.function, self.each, join_and_then, then, self.stage)

    def cut(self) -> "Cut":
        """Return it as a server keeps it."""
        tasks = tuple(_pickled((self.function, tuple(one))) for one in self.each)
        return Cut(tasks, _pickled((self.join, self.given)), self.stage)


@dataclass(frozen=True)
class Cut:
    """Work in pieces as a server keeps it: pickles, of which it loads none.

    tasks : of each piece, as a task file has it
    join  : what puts the parts together, and its further arguments
    """

    tasks: tuple[bytes, ...]
    join: bytes
    stage: str


def join_and_then(
    progress: Callable[..., None],
    parts: Sequence[object],
    join: "Callable[..., T | Pieces[T]]",
    own: tuple[object, ...],
    function: Callable[..., U],
    given: tuple[object, ...],
) -> "U | Pieces[U]":
    """Put parts together and do more with the result."""
    result = join(progress, parts, *own)
    if isinstance(result, Pieces):
        return result.then(function, *given)
    return function(progress, result, *given)


def put_together(progress: Callable[..., None], join: bytes, parts: Sequence[bytes]) -> object:
    """Put the parts of pieces together, as the job of their job that runs last."""
    function, given = pickle.loads(join)  # noqa: S301 - as all of a job's files
    return function(progress, [pickle.loads(part) for part in parts], *given)  # noqa: S301


def _pickled(value: object) -> bytes:
    return pickle.dumps(value, protocol=pickle.HIGHEST_PROTOCOL)


def runs(items: Sequence[V], *, most: int = MOST) -> Iterator[Sequence[V]]:
    """Give the items in order, cut into at most ``most`` runs of about equal length."""
    count = min(most, len(items))
    edges = [len(items) * place // count for place in range(count + 1)] if count else [0]
    for start, end in pairwise(edges):
        yield items[start:end]


def _silent(fraction: float, stage: str = "") -> None:
    """Tell nobody."""


def finish_here(result: "T | Pieces[T]", progress: Callable[[float, str], None] = _silent) -> T:
    """Return what a job's function gives once its pieces are done, all of them here and now."""
    while isinstance(result, Pieces):
        parts = [finish_here(result.function(_silent, *one)) for one in result.each]
        result = result.join(progress, parts, *result.given)
    return result
