"""The files of a snapshot as bytes: hashed when written, checked when read."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.parquet as pq

from tilt.data.places import Draft, Place, Stored
from tilt.data.record import Record, encode
from tilt.errors import DataError

CURE = "Run 'tilt refresh' to write it again."


@dataclass(frozen=True)
class Contents:
    """The files of one snapshot, by name, and where they lie."""

    snapshot: str
    place: Place
    files: Iterable[Stored]

    def has(self, name: str) -> bool:
        """Return whether the snapshot has a file."""
        return any(file.name == name for file in self.files)

    def table(self, name: str, columns: Sequence[str] | None = None) -> pa.Table:
        """Return a file's table, or some of its columns.

        Raises
        ------
        DataError
            If the file is missing, or is not what was written.
        """
        file = next((f for f in self.files if f.name == name), None)
        if file is None:
            raise DataError(f"Snapshot {self.snapshot} has no file {name}. {CURE}")
        return self._table(file, columns)

    def damage(self) -> dict[str, str]:
        """Return what is wrong, by the name of each file that is not what was written.

        The hash of the whole file and the checksum of each page are checked.
        """
        wrong = {}
        for file in self.files:
            try:
                self._table(file, None)
            except DataError as error:
                wrong[file.name] = str(error)
        return wrong

    def intact(self) -> bool:
        """Return whether there are files, each with the hash of what was written."""
        try:
            return bool([self.content(file) for file in self.files])
        except DataError:
            return False

    def _table(self, file: Stored, columns: Sequence[str] | None) -> pa.Table:
        content = pa.BufferReader(self.content(file))
        try:
            return pq.read_table(content, columns=columns, page_checksum_verification=True)
        except (pa.ArrowException, OSError) as error:
            raise self._damaged(file, str(error)) from None

    def content(self, file: Stored) -> bytes:
        """Return the bytes of a file.

        Raises
        ------
        DataError
            If the file is missing, or is not what was written.
        """
        try:
            content = self.place.read(file)
        except OSError as error:
            said = "No such file" if isinstance(error, FileNotFoundError) else str(error)
            raise DataError(
                f"{file.name} of snapshot {self.snapshot} cannot be read: "
                f"{error.strerror or said} ({self.place.where}). {CURE}"
            ) from None
        if hashlib.sha256(content).hexdigest() != file.sha256:
            raise self._damaged(file, "its content is not what was written")
        return content

    def _damaged(self, file: Stored, why: str) -> DataError:
        return DataError(
            f"{file.name} of snapshot {self.snapshot} is damaged: {why} "
            f"({self.place.where}). {CURE}"
        )


def write(draft: Draft, snapshot: str, record: Record) -> list[Stored]:
    """Write the files of a record, and return what the catalog lists of them."""
    written = []
    for name, content in encode(record).items():
        file = Stored(snapshot, name, hashlib.sha256(content).hexdigest(), content.size)
        draft.write(file, memoryview(content))
        written.append(file)
    return written
