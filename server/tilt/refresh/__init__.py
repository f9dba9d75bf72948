"""One pass from a source to a complete snapshot; running it again does nothing."""

from tilt.refresh.identity import snapshot_id
from tilt.refresh.run import STAGES, Progress, refresh, silent
from tilt.refresh.sources import Due, due
from tilt.refresh.summary import Refreshed

__all__ = ["STAGES", "Due", "Progress", "Refreshed", "due", "refresh", "silent", "snapshot_id"]
