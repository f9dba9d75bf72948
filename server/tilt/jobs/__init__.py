"""Work that may take over two seconds: run off the request, with progress and cancellation.

A request submits a job and answers at once; the catalog knows its state, whichever server runs it.
A job's function may return ``Pieces`` for others to do its work side by side.
"""

from tilt.jobs.desk import Jobs
from tilt.jobs.ledger import Job, JobError
from tilt.jobs.pieces import Pieces
from tilt.jobs.worker import Progress

__all__ = ["Job", "JobError", "Jobs", "Pieces", "Progress"]
