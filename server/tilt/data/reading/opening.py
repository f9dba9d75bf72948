"""Files as bytes, refused before anything parses them if they are not what they say.

The limits are stated in each refusal: a file of up to ``MOST_BYTES``, text that unpacks to no more
than ``MOST_TEXT``, a workbook that unpacks to no more than ``MOST_SHEETS``, nothing that unpacks to
more than ``MOST_RATIO`` times its size.
"""

import gzip
import io
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path

from tilt.errors import DataError, did_you_mean

MOST_BYTES = 512 * 2**20
MOST_TEXT = 1024 * 2**20
MOST_SHEETS = 512 * 2**20
MOST_RATIO = 200
SMALL = 8 * 2**20  # what unpacks to less does no harm, whatever its ratio
CHUNK = 1 << 20

TEXT, WORKBOOK, PARQUET = "text", "workbook", "parquet"
SUFFIXES = {
    ".csv": TEXT,
    ".tsv": TEXT,
    ".txt": TEXT,
    ".xlsx": WORKBOOK,
    ".xlsm": WORKBOOK,
    ".parquet": PARQUET,
}
_ZIP, _GZIP, _OLE, _PARQUET = b"PK\x03\x04", b"\x1f\x8b", b"\xd0\xcf\x11\xe0", b"PAR1"
_MAGIC = {_ZIP: "an Excel workbook or a zip file", _GZIP: "a gzip file", _PARQUET: "Parquet"}
_NAMES = {TEXT: "text", WORKBOOK: "an Excel workbook", PARQUET: "Parquet"}
_DECLARATIONS = tuple(
    word.encode(code)
    for word in ("<!DOCTYPE", "<!ENTITY")
    for code in ("ascii", "utf-16-le", "utf-16-be")
)


@dataclass(frozen=True, eq=False)
class Content:
    """The bytes of a file, unpacked if it was a ``.gz``, and what kind of file it is.

    name : as the messages call it, without the folder
    kind : text, workbook or parquet
    """

    name: str
    kind: str
    data: bytes

    @property
    def stem(self) -> str:
        """The name without its endings: ``close`` of ``close.csv.gz``."""
        return stem_of(self.name)


def stem_of(name: str) -> str:
    """Return a file's name without its endings."""
    bare = name[:-3] if name.casefold().endswith(".gz") else name
    return Path(bare).stem


def is_readable(name: str) -> bool:
    """Return whether a file's name is one of a kind that can be read."""
    return _kind(name) is not None and not name.startswith(("~$", ".", "_"))


def open_path(path: Path) -> Content:
    """Return the content of a file.

    Raises
    ------
    DataError
        If there is none, or it is refused as :func:`open_bytes` says.
    """
    try:
        size = path.stat().st_size
        if not path.is_file():
            raise DataError(f"{path} is a folder, not a file.")
        _check_size(path.name, size)
        data = path.read_bytes()
    except FileNotFoundError:
        near = did_you_mean(path.name, [p.name for p in _siblings(path)])
        raise DataError(f"There is no file {path}.{near}") from None
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}.") from None
    return open_bytes(path.name, data)


def open_bytes(name: str, data: bytes) -> Content:
    """Return the content of a file whose bytes are here.

    Raises
    ------
    DataError
        If its kind cannot be read, it is not what its name says, it is too large, it unpacks to
        too much, or its XML declares entities.
    """
    kind = _kind(name)
    if kind is None:
        raise DataError(
            f"{name} is of no kind that can be read. "
            "Save it as .csv, .tsv, .txt (also .gz), .xlsx, .xlsm or .parquet."
        )
    _check_size(name, len(data))
    if not data:
        raise DataError(f"{name} is empty. Save it again from where it came.")
    if name.casefold().endswith(".gz"):
        data = _unpack(name, data)
    _check_kind(name, kind, data)
    if kind == WORKBOOK:
        _check_workbook(name, data)
    return Content(name, kind, data)


def _kind(name: str) -> str | None:
    folded = name.casefold()
    packed = folded.endswith(".gz")
    kind = SUFFIXES.get(Path(folded[:-3] if packed else folded).suffix)
    return kind if not packed or kind == TEXT else None


def _siblings(path: Path) -> list[Path]:
    return list(path.parent.iterdir()) if path.parent.is_dir() else []


def _check_size(name: str, size: int) -> None:
    if size > MOST_BYTES:
        raise DataError(
            f"{name} has {size / 2**20:,.0f} MiB; at most {MOST_BYTES // 2**20} MiB are read. "
            "Split it, or save it as Parquet."
        )


def _check_kind(name: str, kind: str, data: bytes) -> None:
    """Raise ``DataError`` if the first bytes are not those of the kind that the name says."""
    if data.startswith(_OLE):
        raise DataError(
            f"{name} is an old or encrypted Excel file. Save it as .xlsx without a password."
        )
    begins = {TEXT: b"", WORKBOOK: _ZIP, PARQUET: _PARQUET}[kind]
    other = next((m for m in _MAGIC if data.startswith(m) and m != begins), None)
    if other is not None:
        raise DataError(
            f"{name} is {_MAGIC[other]} by its content, not {_NAMES[kind]}. "
            "Give it the ending of what it is."
        )
    if not data.startswith(begins):
        raise DataError(
            f"{name} is not {_NAMES[kind]} by its content. Save it again, or mend its ending."
        )
    wide_text = data.startswith((b"\xff\xfe", b"\xfe\xff"))
    if kind == TEXT and not wide_text and b"\x00" in data[:CHUNK]:
        raise DataError(f"{name} holds bytes that no text has. Save it again as text (UTF-8).")


def _unpack(name: str, data: bytes) -> bytes:
    """Return what a gzip file holds, stopping where it holds too much."""
    parts: list[bytes] = []
    size = 0
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(data)) as packed:
            while part := packed.read(CHUNK):
                size += len(part)
                _check_unpacked(name, len(data), size, MOST_TEXT)
                parts.append(part)
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise DataError(f"{name} is no whole gzip file ({error}). Copy it again.") from None
    return b"".join(parts)


def _check_unpacked(name: str, packed: int, unpacked: int, most: int) -> None:
    if unpacked > most:
        raise DataError(f"{name} unpacks to more than {most // 2**20} MiB, which is the limit.")
    if unpacked > SMALL and unpacked > MOST_RATIO * packed:
        raise DataError(
            f"{name} unpacks to more than {MOST_RATIO} times its size, as no table does. "
            "It was not read."
        )


def _check_workbook(name: str, data: bytes) -> None:
    """Refuse a workbook that unpacks to too much, or whose XML declares types or entities.

    The sizes are counted while unpacking: what a zip file says of itself may be false.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as book:
            declared = sum(part.file_size for part in book.infolist())
            _check_unpacked(name, len(data), declared, MOST_SHEETS)
            if "[Content_Types].xml" not in book.namelist():
                raise DataError(f"{name} is a zip file but no Excel workbook.")
            size = 0
            for part in book.infolist():
                if part.filename.casefold().endswith((".xml", ".rels")):
                    size += _scan(book, part, name, most=MOST_SHEETS - size)
    except (zipfile.BadZipFile, zlib.error, RuntimeError, EOFError) as error:
        raise DataError(f"{name} is no whole Excel workbook ({error}). Save it again.") from None


def _scan(book: zipfile.ZipFile, part: zipfile.ZipInfo, name: str, *, most: int) -> int:
    """Return the unpacked size of a part; refuse it if it declares what no workbook needs."""
    size, before = 0, b""
    with book.open(part) as file:
        while chunk := file.read(CHUNK):
            size += len(chunk)
            if size > most:
                raise DataError(f"{name} unpacks to more than {MOST_SHEETS // 2**20} MiB.")
            seen = before + chunk
            if any(word in seen for word in _DECLARATIONS):
                raise DataError(
                    f"{name} declares entities in {part.filename}, as Excel never does. "
                    "It was not read."
                )
            before = chunk[-32:]
    return size
