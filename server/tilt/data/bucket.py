"""Objects in a bucket that speaks S3, through the client that pyarrow brings."""

import os
from dataclasses import dataclass
from urllib.parse import urlsplit

import pyarrow as pa
from pyarrow import fs

from tilt.errors import DataError
from tilt.settings import Settings

ATTEMPTS = 3
CONNECT_SECONDS = 5.0
REQUEST_SECONDS = 60.0


@dataclass(frozen=True)
class Object:
    """An object by its key within the prefix, and when it was written, seconds of the epoch."""

    key: str
    written: float


class Bucket:
    """The objects under one prefix of a bucket.

    Every failure is an ``OSError``, one that is not there a ``FileNotFoundError``.
    """

    def __init__(self, client: fs.FileSystem, path: str) -> None:
        self._client = client
        self._path = path

    @property
    def url(self) -> str:
        return f"s3://{self._path}"

    def write(self, key: str, content: bytes | memoryview) -> None:
        """Write an object; it is there whole, or as it was before."""
        with self._client.open_output_stream(f"{self._path}/{key}") as stream:
            stream.write(content)

    def read(self, key: str) -> bytes:
        with self._client.open_input_file(f"{self._path}/{key}") as stream:
            content: bytes = stream.read()
        return content

    def size(self, key: str) -> int | None:
        """Return the bytes of an object; None if it is not there."""
        found = self._client.get_file_info(f"{self._path}/{key}")
        return None if found.type != fs.FileType.File else int(found.size)

    def listed(self, prefix: str) -> list[Object]:
        """Return the objects under a prefix, by key."""
        chosen = fs.FileSelector(f"{self._path}/{prefix}", allow_not_found=True, recursive=True)
        found = [f for f in self._client.get_file_info(chosen) if f.type == fs.FileType.File]
        start = len(self._path) + 1
        return sorted(
            (Object(f.path[start:], f.mtime.timestamp()) for f in found), key=lambda o: o.key
        )

    def remove(self, key: str) -> None:
        self._client.delete_file(f"{self._path}/{key}")


def open_bucket(settings: Settings) -> Bucket:
    """Return the objects of the settings' bucket and prefix.

    Raises
    ------
    DataError
        If there is no such bucket, or it may not be used.
    """
    name = settings.bucket.split("/", maxsplit=1)[0]
    where = f"TILT_DATA_URL=s3://{settings.bucket}"
    try:
        client = open_client(settings, name)
        there = client.get_file_info(name).type == fs.FileType.Directory
    except (OSError, pa.ArrowInvalid) as error:
        raise DataError(
            f"{where} cannot be reached ({error}). Check the network, TILT_S3_ENDPOINT, and the "
            "region and keys in the AWS_ variables."
        ) from None
    if not there:
        raise DataError(f"{where}: there is no bucket '{name}', or these keys may not see it.")
    return Bucket(client, settings.bucket)


def open_client(settings: Settings, bucket: str) -> fs.FileSystem:
    """Return the client of a bucket; its region is asked for where no variable says it."""
    endpoint = urlsplit(settings.s3_endpoint)
    region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
    if region is None:
        region = "us-east-1" if settings.s3_endpoint else fs.resolve_s3_region(bucket)
    other = {"endpoint_override": endpoint.netloc, "scheme": endpoint.scheme}
    return fs.S3FileSystem(
        region=region,
        connect_timeout=CONNECT_SECONDS,
        request_timeout=REQUEST_SECONDS,
        retry_strategy=fs.AwsStandardS3RetryStrategy(max_attempts=ATTEMPTS),
        allow_delayed_open=True,  # a small object is one request, not three
        background_writes=False,
        **(other if settings.s3_endpoint else {}),
    )
