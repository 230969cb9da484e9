"""From bytes to rows. A file that is too big, not a table or not text is refused whole, with what to change."""

from __future__ import annotations

import csv
import io
import zipfile
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .terms import FileRefusedError

if TYPE_CHECKING:
    from collections.abc import Iterator

MOST_BYTES = 32 * 1024 * 1024
MOST_ROWS = 200_000
MOST_COLUMNS = 100
MOST_CHARACTERS = 20_000  # of one line
HEADER_WITHIN = 20  # lines that may stand above the header
DELIMITERS = (",", ";", "\t")
MARKS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))


@dataclass(frozen=True, slots=True)
class Table:
    """A table of text. above: the lines before its header, where venues tell zone and account."""

    above: tuple[str, ...]
    header: tuple[str, ...]
    delimiter: str
    lines: tuple[tuple[int, str], ...]

    def rows(self) -> Iterator[tuple[int, list[str]]]:
        """Yield the number of a line and its cells; empty lines are left out."""
        for number, line in self.lines:
            yield number, next(csv.reader([line], delimiter=self.delimiter), [])


def read_table(content: bytes) -> Table:
    """Return the table in a CSV file, or in a zip archive that holds one.

    Raises FileRefusedError, which says what to change.
    """
    text = _decoded(_unpacked(content))
    lines = [(number, line) for number, line in enumerate(_lines(text), start=1) if line.strip()]
    place, delimiter = _find_header(lines)
    header = _cells(lines[place][1], delimiter)
    twice = sorted({name for name in header if name and header.count(name) > 1})
    if twice:
        raise FileRefusedError(f"Two columns are named {twice[0]!r}: rename one of them and send the file again.")
    if len(header) > MOST_COLUMNS:
        raise FileRefusedError(f"The file has {len(header)} columns; at most {MOST_COLUMNS} are read.")
    if len(lines) - place - 1 > MOST_ROWS:
        raise FileRefusedError(f"The file has over {MOST_ROWS:,} rows: split it and send the parts one by one.")
    above = tuple(line for _, line in lines[:place])
    return Table(above, tuple(header), delimiter, tuple(lines[place + 1 :]))


def _unpacked(content: bytes) -> bytes:
    if len(content) > MOST_BYTES:
        raise FileRefusedError(_too_big(len(content)))
    if not content.startswith(b"PK\x03\x04"):
        return content
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = [one for one in archive.infolist() if not one.is_dir()]
            if len(members) != 1:
                raise FileRefusedError(f"The archive holds {len(members)} files: send one CSV file at a time.")
            with archive.open(members[0]) as packed:
                # The size that an archive tells of itself may lie: read at most one byte too many.
                inside = packed.read(MOST_BYTES + 1)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError) as error:
        raise FileRefusedError("The archive cannot be opened: unpack it and send the CSV file in it.") from error
    if len(inside) > MOST_BYTES:
        raise FileRefusedError(_too_big(len(inside)))
    return inside


def _too_big(size: int) -> str:
    return f"The file has over {size // 1024 // 1024} MB; at most {MOST_BYTES // 1024 // 1024} MB are read: split it."


def _decoded(content: bytes) -> str:
    encoding = next((name for mark, name in MARKS if content.startswith(mark)), "utf-8")
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        raise FileRefusedError(
            "The file is not UTF-8 text. If it is a spreadsheet, save it as CSV (UTF-8) and send that."
        ) from error
    if "\x00" in text:
        raise FileRefusedError("The file holds bytes that no text has: save it as CSV (UTF-8) and send that.")
    return text


def _lines(text: str) -> list[str]:
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    for number, line in enumerate(lines, start=1):
        if len(line) > MOST_CHARACTERS:
            raise FileRefusedError(f"Line {number} has {len(line):,} characters; no venue writes such a line.")
    return lines


def _find_header(lines: list[tuple[int, str]]) -> tuple[int, str]:
    """Return where the header stands and what parts its cells: the first line that has the most cells."""
    best = (0, 1, DELIMITERS[0])
    for place, (_, line) in enumerate(lines[:HEADER_WITHIN]):
        for delimiter in DELIMITERS:
            named = sum(bool(cell) and not cell[0].isdigit() for cell in _cells(line, delimiter))
            if named > best[1]:
                best = (place, named, delimiter)
    if best[1] < 3:  # noqa: PLR2004 # time, price and quantity are the least
        raise FileRefusedError("No header was found: the first lines name fewer than three columns.")
    return best[0], best[2]


def _cells(line: str, delimiter: str) -> list[str]:
    try:
        return [cell.strip() for cell in next(csv.reader([line], delimiter=delimiter), [])]
    except csv.Error as error:
        raise FileRefusedError(f"A line cannot be read as CSV: {error}.") from error
