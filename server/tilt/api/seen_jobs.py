"""The jobs as one user sees them: theirs, as long as they may see all that a job rests on."""

from collections.abc import Callable

from sqlalchemy import Engine

from tilt.api import permission
from tilt.jobs import Job, Jobs
from tilt.jobs.ledger import unknown_job
from tilt.security.deciding import Thing

MOST_NOTED = 10_000  # jobs of which a server knows what they rest on without asking


class SeenJobs(Jobs):
    """Jobs that write down what each rests on, and ask before they show it.

    whole : the jobs themselves, for what concerns no user
    """

    def __init__(self, whole: Jobs, catalog: Engine) -> None:
        self.whole = whole
        self._catalog = catalog
        self._noted: dict[str, frozenset[Thing]] = {}  # by job; a cell submits it again and again

    def submit(
        self,
        function: Callable[..., object],
        *args: object,
        owner: str,
        key: str,
        title: str,
        snapshot: str = "",
    ) -> Job:
        job = self.whole.submit(
            function, *args, owner=owner, key=key, title=title, snapshot=snapshot
        )
        self._note(job.id, owner)
        return job

    def get(self, job: str, owner: str) -> Job:
        found = self.whole.get(job, owner)
        self._require(job, owner)
        return found

    def listed(self, owner: str, *, most: int = 100) -> list[Job]:
        found = self.whole.listed(owner, most=most)
        things = {job.id: Thing("job", job.id, owner) for job in found}
        seen = permission.still_seen(self._catalog, things.values())
        return [job for job in found if things[job.id] in seen]

    def cancel(self, job: str, owner: str) -> Job:
        self._require(job, owner)
        return self.whole.cancel(job, owner)

    def wait(self, job: str, owner: str, *, seconds: float) -> Job:
        self._require(job, owner)
        return self.whole.wait(job, owner, seconds=seconds)

    def result(self, job: str, owner: str) -> object:
        self._require(job, owner)
        return self.whole.result(job, owner)

    def warm(self) -> None:
        self.whole.warm()

    def counts(self) -> dict[str, int]:
        return self.whole.counts()

    @property
    def alive(self) -> bool:
        return self.whole.alive

    def ask(self, job: Job) -> None:
        self.whole.ask(job)

    def asked(self) -> dict[str, int]:
        return self.whole.asked()

    def abandon(self, job: str) -> None:
        self.whole.abandon(job)

    def close(self) -> None:
        self.whole.close()

    def _note(self, job: str, owner: str) -> None:
        """Write down what a job rests on, unless it is on record from the last time."""
        on = permission.touched()
        if self._noted.get(job) == on:
            return
        permission.remember(self._catalog, Thing("job", job, owner))
        if len(self._noted) >= MOST_NOTED:
            self._noted.clear()
        self._noted[job] = on

    def _require(self, job: str, owner: str) -> None:
        permission.require_rests(self._catalog, Thing("job", job, owner), lambda: unknown_job(job))
