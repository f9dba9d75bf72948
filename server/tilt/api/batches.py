"""A batch of calls: read from what a client sends, and answered in the same order."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tilt.api.alike import Alike, part
from tilt.api.calls import Answer, Call, read_call
from tilt.api.cell_jobs import RunningError
from tilt.api.cells import Cell
from tilt.api.problems import INTERNAL, RefusedError, cell_of, status_of
from tilt.api.values import Shared
from tilt.errors import TiltError
from tilt.jobs import JobError

MOST_CALLS = 1000  # as many as the client keeps in flight
_LASTING = frozenset({400, 404, 422})  # errors that lie in the call, not in the hour

Entry = dict[str, object]


@dataclass(frozen=True, eq=False)
class Batch:
    """Calls as a client sent them together; each is in one of three parts.

    alike   : those taken by column, in groups
    calls   : those taken one by one, by their places in the batch
    refused : why others cannot be read, by place
    """

    alike: Sequence[Alike]
    calls: Mapping[int, Call]
    refused: Mapping[int, TiltError]

    @property
    def counts(self) -> Counter[str]:
        """How many of the calls that were read are of each function."""
        counts = Counter(call.cell.name for call in self.calls.values())
        for group in self.alike:
            counts[group.cell.name] += len(group.places)
        return counts

    def entries(self, single: Sequence[Answer], alike: Sequence[Sequence[Answer]]) -> list[Entry]:
        """Return what the client is told of each call.

        Parameters
        ----------
        single : answers to ``calls``
        alike : answers to each group of ``alike``
        """
        size = len(self.calls) + len(self.refused) + sum(len(group.places) for group in self.alike)
        entries: list[Entry] = [{}] * size
        for place, error in self.refused.items():
            entries[place] = _entry(error)
        for (place, call), answer in zip(self.calls.items(), single, strict=True):
            entries[place] = _entry(answer, lasting=call.cell.lasting)
        for group, answers in zip(self.alike, alike, strict=True):
            for place, answer in zip(group.places, answers, strict=True):
                entries[place] = _entry(answer, lasting=group.cell.lasting)
        return entries


def read_batch(
    cells: Mapping[str, Cell], body: Mapping[str, object], shared: Sequence[Shared]
) -> Batch:
    """Return the calls that a client's message describes.

    Raises
    ------
    RefusedError
        If the message is not of the right shape, or too long; a call that is not of the right
        shape is refused alone.
    """
    calls, base = body.get("calls"), body.get("base", {})
    if not isinstance(calls, list) or not isinstance(base, dict):
        raise RefusedError(
            "A batch is an object with a list 'calls' and an optional object 'base'."
        )
    if len(calls) > MOST_CALLS:
        raise RefusedError(
            f"{len(calls):,} calls in one batch; the most is {MOST_CALLS:,}. Send them in parts.",
            413,
        )
    alike, others = part(cells, calls, base)
    read: dict[int, Call] = {}
    refused: dict[int, TiltError] = {}
    for place in others:
        try:
            read[place] = read_call(cells, calls[place], base=base, shared=shared)
        except TiltError as error:
            refused[place] = error
    return Batch(alike, read, refused)


def _entry(result: Answer, *, lasting: bool = True) -> Entry:
    """Return the answer to a call of a batch; ``cacheable`` is there where it is false."""
    if not isinstance(result, BaseException):
        return {"result": result} if lasting else {"result": result, "cacheable": False}
    if isinstance(result, RunningError):
        lasting = False
        entry: Entry = {
            "error": str(result),
            "status": 503,
            "cell": "#N/A",
            "job": result.state,
        }
    elif isinstance(result, TiltError):
        lasting = lasting and status_of(result) in _LASTING and not isinstance(result, JobError)
        entry = {"error": str(result), "status": status_of(result), "cell": cell_of(result)}
    else:
        lasting = False
        entry = {"error": INTERNAL, "status": 500, "cell": "#VALUE!"}
    return entry if lasting else {**entry, "cacheable": False}
