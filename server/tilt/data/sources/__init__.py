"""Where data comes from: one module for each vendor, each of them a ``fetch``.

What stands here is all that a package with a source of its own needs.
"""

from tilt.data.findings import Finding
from tilt.data.sources.delivery import (
    Delivery,
    Incremental,
    Missing,
    Progress,
    Source,
    Vendor,
    check_tables,
    quiet,
)

__all__ = [
    "Delivery",
    "Finding",
    "Incremental",
    "Missing",
    "Progress",
    "Source",
    "Vendor",
    "check_tables",
    "quiet",
]
