"""Text files: their encoding and what divides their cells, then the cells as text."""

import csv
import io
from array import array
from collections import Counter
from collections.abc import Iterator

import charset_normalizer
import pandas as pd
import pyarrow as pa
import pyarrow.csv as pc

from tilt.data.reading.guarding import unguarded, unguarded_names
from tilt.data.reading.headers import names_rows
from tilt.data.reading.notes import Asked
from tilt.data.reading.opening import Content
from tilt.data.reading.raw import NoTableError, Raw
from tilt.errors import DataError, cut

DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
_SAMPLE = 200  # lines that the delimiter is looked for in
_LOOKED_AT = 1 << 18  # bytes that an unknown encoding is looked for in
_BLOCK = 16 << 20
_BOMS = (
    (b"\xef\xbb\xbf", "utf-8-sig", "UTF-8 with a mark"),
    (b"\xff\xfe\x00\x00", "utf-32", "UTF-32"),
    (b"\xff\xfe", "utf-16", "UTF-16"),
    (b"\xfe\xff", "utf-16", "UTF-16"),
)
_WESTERN = "cp1252"


def read_text(content: Content, asked: Asked) -> Raw:
    """Return the table of a text file, every cell a text as it stands.

    Raises
    ------
    DataError
        If the encoding or the delimiter is not clear, or a line has too many or too few cells.
    """
    data, encoding = _decoded(content, asked.encoding)
    sample = _first_lines(data)
    delimiter = _delimiter(sample, content.name, asked.delimiter)
    headers, lines = _header(sample, delimiter, content.name)
    columns = _columns(data, delimiter, lines, headers, content.name)
    raw = Raw(
        origin=content.name,
        label=content.stem,
        headers=headers,
        columns=columns,
        row=Lines(data, delimiter, lines),
        delimiter=delimiter,
    )
    raw.note("format", f"text in {encoding}, divided by {DELIMITERS.get(delimiter, delimiter)}")
    if lines > 1:
        raw.note("rows", f"the header is row {lines}; what stands above it is left out")
    return raw


class Lines:
    """Where the records below the header end: lines counted from 1, read as far as was asked."""

    def __init__(self, data: bytes, delimiter: str, skipped: int) -> None:
        self._known = array("q")
        self._ends = _ends(data, delimiter, skipped)

    def __call__(self, place: int) -> int:
        """Return the line where the record at ``place`` ends."""
        while len(self._known) <= place:
            self._known.append(next(self._ends))
        return self._known[place]


def _ends(data: bytes, delimiter: str, skipped: int) -> Iterator[int]:
    reader = csv.reader(_lines(data, skipped), delimiter=delimiter)
    for row in reader:
        if len(row) > 1 or "".join(row).strip():
            yield skipped + reader.line_num


def _lines(data: bytes, skipped: int) -> io.TextIOWrapper:
    lines = io.TextIOWrapper(io.BytesIO(data), "utf-8", newline="")
    for _ in range(skipped):
        lines.readline()
    return lines


def _decoded(content: Content, asked: str) -> tuple[bytes, str]:
    """Return the text in UTF-8, and the encoding it was in."""
    data = content.data
    if asked:
        try:
            return data.decode(asked).lstrip("\ufeff").encode(), asked
        except (LookupError, UnicodeError) as error:
            raise DataError(f"{content.name} cannot be read as {asked}: {error}.") from None
    for mark, code, said in _BOMS:
        if data.startswith(mark):
            try:
                return data.decode(code).encode(), said
            except UnicodeError as error:
                raise DataError(f"{content.name} is damaged: {error}. Save it again.") from None
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return _guessed(content)
    return data, "UTF-8"


def _guessed(content: Content) -> tuple[bytes, str]:
    """Return text of an unknown encoding; a Western one where nothing speaks against it."""
    odd = [line for line in content.data.splitlines() if not line.isascii()]
    looked_at = b"\n".join(odd)[:_LOOKED_AT]
    found = charset_normalizer.from_bytes(looked_at)
    best = found.best()
    if best is None:
        raise DataError(
            f"The encoding of {content.name} cannot be told. Save it as UTF-8, or say "
            "--encoding, such as cp1252."
        )
    plausible = {m.encoding for m in found if m.chaos <= best.chaos} | set(
        best.could_be_from_charset
    )
    code = _WESTERN if _WESTERN in plausible or _decodes(looked_at, _WESTERN) else best.encoding
    try:
        text = content.data.decode(code)
    except UnicodeDecodeError as error:
        raise DataError(
            f"{content.name} is partly in another encoding than {code}: {error}. Save it as UTF-8."
        ) from None
    word = next(line for line in text.splitlines() if not line.isascii())
    return text.encode(), f"{code} (not marked; a line reads '{cut(word)}'; else say --encoding)"


def _decodes(data: bytes, code: str) -> bool:
    """Return whether bytes are text in a code, all of it letters and signs that print."""
    try:
        text = data.decode(code)
    except UnicodeDecodeError:
        return False
    odd = [c for c in text if not c.isascii()]
    return bool(odd) and sum(c.isalpha() for c in odd) >= len(odd) / 2


def _first_lines(data: bytes) -> list[str]:
    text = io.TextIOWrapper(io.BytesIO(data[: 1 << 22]), "utf-8", newline="", errors="replace")
    return [line for _, line in zip(range(_SAMPLE), text, strict=False)]


def _rows(sample: list[str], delimiter: str) -> list[list[str]]:
    return [row for row in csv.reader(sample, delimiter=delimiter) if row]


def _delimiter(sample: list[str], name: str, asked: str) -> str:
    """Return the sign that divides all lines into the same number of cells, two or more."""
    if asked:
        return {"tab": "\t", "\\t": "\t"}.get(asked, asked)
    scores: dict[str, tuple[float, int]] = {}
    for sign in DELIMITERS:
        widths = Counter(len(row) for row in _rows(sample, sign))
        width, count = widths.most_common(1)[0] if widths else (0, 0)
        if width >= 2:
            scores[sign] = (count / widths.total(), width)
    if not scores:
        raise NoTableError(
            f"{name} has one column only: no comma, semicolon, tab or bar divides its lines. "
            "Say --delimiter if it is another sign."
        )
    best = max(scores, key=lambda sign: scores[sign])
    rivals = [s for s in scores if s != best and scores[s] == scores[best]]
    if rivals:
        both = " and ".join(DELIMITERS[s] for s in (best, *rivals))
        raise DataError(
            f"{name} may be divided by {both}: each gives {scores[best][1]} columns. "
            "Say --delimiter."
        )
    return best


def _header(sample: list[str], delimiter: str, name: str) -> tuple[list[str], int]:
    """Return the header's cells and how many lines end with it; titles above it are narrower."""
    reader = csv.reader(sample, delimiter=delimiter)
    rows = [(row, reader.line_num) for row in reader if row]
    width = Counter(len(row) for row, _ in rows).most_common(1)[0][0]
    for row, line in rows:
        if len(row) == width and sum(bool(c.strip()) for c in row) >= min(2, width):
            return unguarded_names([c.strip() for c in row]), line
    raise DataError(f"{name} has no header: name its columns in the first row.")


def _columns(
    data: bytes, delimiter: str, skipped: int, headers: list[str], name: str
) -> "list[pd.Series[str]]":
    """Return the cells below the header as text, a column each."""
    width = len(headers)
    names = [str(i) for i in range(width)]
    ragged: list[pc.InvalidRow] = []

    def skip(row: pc.InvalidRow) -> str:
        if row.text.strip():
            ragged.append(row)
        return "skip"

    try:
        table = pc.read_csv(
            pa.BufferReader(data),
            read_options=pc.ReadOptions(column_names=names, skip_rows=skipped, block_size=_BLOCK),
            parse_options=pc.ParseOptions(
                delimiter=delimiter,
                newlines_in_values=b'"' in data,
                invalid_row_handler=skip,
            ),
            convert_options=pc.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()),
                strings_can_be_null=False,
                check_utf8=False,
            ),
        )
    except pa.ArrowInvalid as error:
        if "Empty CSV" in str(error):
            return [pd.Series([], dtype="str") for _ in names]
        raise DataError(f"{name} is no readable text table: {error}.") from None
    if ragged:
        uneven = _too_wide(data, delimiter, skipped, width, name)
        raise uneven if names_rows(headers) else NoTableError(str(uneven))
    return [unguarded(table.column(i)).to_pandas() for i in range(width)]


def _too_wide(data: bytes, delimiter: str, skipped: int, width: int, name: str) -> DataError:
    reader = csv.reader(_lines(data, skipped), delimiter=delimiter)
    for row in reader:
        if len(row) != width and "".join(row).strip():
            return DataError(
                f"{name} row {skipped + reader.line_num} has {len(row)} cells, the header has "
                f"{width}. Put a cell that holds the {DELIMITERS.get(delimiter, delimiter)} "
                "in quotation marks."
            )
    return DataError(f"{name} has rows that do not fit its header of {width} cells.")
