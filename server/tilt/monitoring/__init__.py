"""How long operations take, what a server's processes count, and logs that a machine can read."""

from tilt.monitoring.durations import Durations
from tilt.monitoring.logs import REQUEST_ID, JsonFormatter, JsonHandler, log_as_json
from tilt.monitoring.processes import Processes

__all__ = [
    "REQUEST_ID",
    "Durations",
    "JsonFormatter",
    "JsonHandler",
    "Processes",
    "log_as_json",
]
