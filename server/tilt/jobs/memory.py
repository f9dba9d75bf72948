"""How much memory a process has to itself, where the system tells: on Linux."""

import os
from pathlib import Path


def own_bytes(pid: int) -> int:
    """Return the memory that a process alone holds; 0 where it cannot be told.

    Pages that it shares, such as those of files it reads, would be there without it.
    """
    try:
        fields = Path(f"/proc/{pid}/statm").read_text().split()
    except OSError:  # another system, or the process has ended
        return 0
    return (int(fields[1]) - int(fields[2])) * os.sysconf("SC_PAGE_SIZE")
