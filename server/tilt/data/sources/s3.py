"""The files under a prefix of a bucket, read as those of a folder are."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

import pyarrow as pa
from pyarrow import fs

from tilt.data.bucket import open_client
from tilt.data.reading.door import read_files
from tilt.data.reading.opening import MOST_BYTES, Content, is_readable, open_bytes
from tilt.data.schema import SCHEMAS
from tilt.data.sources.delivery import Delivery, Progress, Source, Vendor, quiet
from tilt.data.sources.files import deliver, without_twins
from tilt.errors import ArgumentError, BusyError, DataError
from tilt.settings import Settings


@dataclass(frozen=True)
class S3Prefix:
    """Files in a bucket: CSV, Excel or Parquet, directly under one prefix.

    path     : bucket and prefix, without ``s3://``
    universe : the name cells will know the universe by
    settings : say the endpoint; keys and region are in the ``AWS_`` variables
    """

    path: str
    universe: str
    settings: Settings

    @property
    def name(self) -> str:
        return f"s3://{self.path}"

    def fetch(self, progress: Progress = quiet) -> Delivery:
        """Return the tables under the prefix; how the files were read is in the findings.

        Raises
        ------
        BusyError
            If the bucket cannot be reached.
        DataError
            If there is no such bucket or prefix, it may not be read, or a file cannot be read.
        """
        try:
            client = open_client(self.settings, self.path.split("/", maxsplit=1)[0])
            chosen = fs.FileSelector(self.path, allow_not_found=False, recursive=False)
            infos = client.get_file_info(chosen)
            found = {i.path: i for i in infos if i.type == fs.FileType.File}
            names = {PurePosixPath(p).name: p for p in sorted(found)}
            kept = without_twins([n for n in names if is_readable(n)])
            if not kept:
                raise DataError(
                    f"{self.name} holds no file that can be read. Put prices.csv, .xlsx or "
                    ".parquet there."
                )
            wanted = [found[names[n]] for n in kept]
            reading = read_files(_opened(client, wanted, progress), lenient=True)
        except (OSError, pa.ArrowInvalid) as error:
            raise self._in_words(str(error)) from None
        return deliver(
            reading,
            source=self.name,
            universe=self.universe,
            description=f"Files under {self.name}",
        )

    def _in_words(self, said: str) -> DataError | BusyError:
        folded = said.casefold()
        if "access_denied" in folded or "access denied" in folded or "http status 403" in folded:
            return DataError(
                f"{self.name} may not be read with these keys. Check AWS_ACCESS_KEY_ID and the "
                "rights of its user: list the bucket, get its objects."
            )
        bucket = self.path.split("/", maxsplit=1)[0]
        if "no_such_bucket" in folded or "nosuchbucket" in folded or "bucket does not" in folded:
            return DataError(f"There is no bucket '{bucket}'. Check its name and TILT_S3_ENDPOINT.")
        if "path does not exist" in folded or "not found" in folded or "status 404" in folded:
            return DataError(
                f"There is nothing under {self.name}. Check the bucket's name and the prefix."
            )
        return BusyError(
            f"{self.name} cannot be reached ({said.splitlines()[0][:200]}). Check the network, "
            "TILT_S3_ENDPOINT and the region in AWS_REGION, then try again."
        )


def _opened(
    client: fs.FileSystem, found: list[fs.FileInfo], progress: Progress
) -> Iterator[Content]:
    for done, info in enumerate(found):
        progress(done / len(found))
        name = PurePosixPath(info.path).name
        if info.size > MOST_BYTES:
            raise DataError(
                f"{name} has {info.size / 2**20:,.0f} MiB; at most {MOST_BYTES // 2**20} MiB are "
                "read. Split it, or save it as Parquet."
            )
        with client.open_input_file(info.path) as stream:
            data: bytes = stream.read()
        yield open_bytes(name, data)
    progress(1.0)


def open_s3(asked: str, settings: Settings) -> Source:
    """Return the source of ``//bucket/prefix``.

    Raises
    ------
    ArgumentError
        If no bucket is named.
    """
    path = asked.strip("/")
    if not asked.startswith("//") or not path:
        raise ArgumentError(f"'s3:{asked}' names no bucket. Write s3://bucket/prefix.")
    universe = path.rsplit("/", maxsplit=1)[-1].upper()
    return S3Prefix(path, universe, settings)


VENDOR = Vendor(
    title="Files in a bucket (S3)",
    kind="files",
    gives=tuple(SCHEMAS),
    example="s3://bucket/prefix",
    open=open_s3,
)
