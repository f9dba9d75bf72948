"""What a vendor has answered, kept in the data folder until the next day's.

A fetch that is stopped, refused or killed goes on where it was; and the next day's need only ask
for what is new.
"""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

import pandas as pd
from pydantic import TypeAdapter, ValidationError

T = TypeVar("T")


@dataclass(frozen=True)
class Gap:
    """Why a part is missing; ``final`` if asking again on the same day would not help."""

    reason: str
    final: bool


@dataclass(frozen=True)
class Kept(Generic[T]):
    """Answers by name, one file for each, in one folder for each day.

    folder : of the vendor
    day    : last day of the data
    first  : first day of the data
    kind   : how an answer is written and read
    """

    folder: Path
    day: pd.Timestamp
    first: pd.Timestamp
    kind: TypeAdapter[T]

    @property
    def here(self) -> Path:
        return self.folder / f"{self.day:%Y-%m-%d}{self._from}"

    @property
    def _from(self) -> str:
        return f" from {self.first:%Y-%m-%d}"

    def read(self, name: str) -> T | None:
        """Return the day's answer; None if there is none, or it was cut off."""
        return self._read(self.here, name)

    def before(self, name: str) -> T | None:
        """Return the last answer of an earlier day that begins on the same first day."""
        for folder in sorted(self.folder.glob(f"*{self._from}"), reverse=True):
            if folder.name < self.here.name:
                found = self._read(folder, name)
                if found is not None:
                    return found
        return None

    def write(self, name: str, answer: T) -> None:
        """Keep an answer."""
        self.here.mkdir(parents=True, exist_ok=True)
        path = _path(self.here, name)
        part = path.with_suffix(".part")
        part.write_bytes(self.kind.dump_json(answer))
        os.replace(part, path)  # noqa: PTH105 - the one that also replaces on Windows

    def forget_others(self) -> None:
        """Remove the answers of other days."""
        self.here.mkdir(parents=True, exist_ok=True)
        for other in self.folder.iterdir():
            if other.is_dir() and not other.name.startswith(f"{self.day:%Y-%m-%d}"):
                shutil.rmtree(other, ignore_errors=True)

    def _read(self, folder: Path, name: str) -> T | None:
        try:
            return self.kind.validate_json(_path(folder, name).read_bytes())
        except (FileNotFoundError, ValidationError):
            return None


def _path(folder: Path, name: str) -> Path:
    # with a prefix: Windows can have no file named CON or PRN
    return folder / f"t {name.replace('/', '-')}.json"
