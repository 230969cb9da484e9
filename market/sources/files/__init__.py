"""Market data from files: plain CSV and the venues' public archives, recognised by their columns.

Nothing is guessed: a file of unknown columns, a damaged archive or a timeframe that can't be told is refused whole;
a line that can't be true is handed back with its number and the reason.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from market.series import by_field, validate

from . import layouts
from .archives import LIMITS, FileRefusedError, Limits, Member, members
from .parsing import Fault, Table, parse, show, show_name, show_text

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import numpy.typing as npt

    from market.series import Records

    from .layouts import Layout

__all__ = [
    "LIMITS",
    "Fault",
    "FileRefusedError",
    "Limits",
    "Piece",
    "belongs",
    "lines_of",
    "read_file",
    "read_sizes",
    "show_name",
    "show_text",
]

TIMEFRAMES: Final = (60, 180, 300, 900, 1800, 3600, 7200, 14400, 21600, 28800, 43200, 86400)
_NAMED_TIMEFRAME: Final = re.compile(r"[-_.](\d{1,2})([mhd])(?=[-_.])")
_UNIT_SECONDS: Final = {"m": 60, "h": 3600, "d": 86400}
_CLAIM: Final = re.compile(r"(?=[0-9]*[A-Z])[A-Z0-9]{2,}(?:_[A-Z0-9]+)*(?=[-.])")
_MARK_FOLDER: Final = "markPriceKlines"
_OTHER_FOLDERS: Final = frozenset({"indexPriceKlines", "premiumIndexKlines"})
_SIZE_LINES: Final = 5_000


@dataclass(frozen=True, slots=True)
class Piece:
    """Some lines of a file: rows that are believed with their lines, and those that are not.

    rows: records of the series' dtype; lines: int64[n]; timeframe [s], 0 for samples and events, and while no row
    could be read; member and number: the CSV inside an archive.
    """

    series: str
    timeframe: int
    rows: Records
    lines: npt.NDArray[np.int64]
    faults: tuple[Fault, ...]
    member: str
    number: int


def belongs(name: str, *, symbol: str, base: str) -> bool | None:
    """Tell whether a file's name says that it is this instrument's; None when it says nothing."""
    if name.startswith(symbol) and not re.match(r"[A-Z0-9_]", name[len(symbol) :]):
        return True
    claim = _CLAIM.match(name)
    return None if claim is None else claim[0] == base and name.startswith(f"{base}-")


def read_file(path: Path, *, symbol: str, base: str, now_ms: int, limits: Limits = LIMITS) -> Iterator[Piece]:
    """Yield a file's rows piece by piece. Raises FileRefusedError, at any piece: keep all or nothing."""
    fault_count = 0
    for member in members(path, limits):
        if belongs(member.name, symbol=symbol, base=base) is False:
            raise FileRefusedError(
                f"{path.name}: holds {member.name}, which is named for another symbol than {symbol}."
            )
        for piece in _read_member(path, member, symbol, now_ms):
            fault_count += len(piece.faults)
            if fault_count > limits.faults:
                first = piece.faults[0]
                raise FileRefusedError(
                    f"{path.name}: more than {limits.faults:,} lines are not believed"
                    f" (line {first.line}: {first.reason}); this is not the table it looks like."
                )
            yield piece


def _read_member(path: Path, member: Member, symbol: str, now_ms: int) -> Iterator[Piece]:
    layout, width, timeframe, line, is_bare = None, 0, 0, 1, True
    for whole in member.blocks:
        block = whole
        if layout is None:
            block = block.removeprefix(b"\xef\xbb\xbf")
            layout, width, has_header = _recognise(path, member, block.split(b"\n", 1)[0])
            if has_header:
                block, line = block.split(b"\n", 1)[1], 2
        table = parse(block, layout, width, line, symbol)
        rows = layout.build(table.values)
        is_bare = is_bare and not len(rows) and not table.faults
        if not timeframe and layout.dtype.names and layout.dtype.names[0] == "open_time" and len(rows):
            timeframe = _timeframe(path, member, layout, rows, table)
        yield _piece(member, layout, timeframe, table, rows, block, line, now_ms)
        line += block.count(b"\n")
    if layout is None:
        raise FileRefusedError(f"{path.name}: {member.name} is empty.")
    if is_bare:
        raise FileRefusedError(f"{path.name}: {member.name} has no rows after the header.")


def _recognise(path: Path, member: Member, first: bytes) -> tuple[Layout, int, bool]:
    """Tell a table from its first line: the layout, how many columns, whether that line is a header."""
    columns = tuple(show(text).strip().strip('"').lower() for text in first.rstrip(b"\r").split(b","))
    layout = layouts.recognise(columns)
    has_header = layout is not None
    if layout is None and len(columns) == len(layouts.KLINES.header) and columns[0].isdecimal():
        layout = layouts.KLINES
    if layout is None:
        raise FileRefusedError(
            f"{path.name}: the columns of {member.name} are not known: {','.join(columns)[:200]}\n"
            f"Tables that are understood:\n{layouts.describe()}"
        )
    if layout is layouts.KLINES and not _OTHER_FOLDERS.isdisjoint(path.parts):
        raise FileRefusedError(f"{path.name}: index and premium index candles have no place here; give klines.")
    if layout is layouts.KLINES and _MARK_FOLDER in path.parts:
        layout = layouts.MARK_KLINES
    return layout, len(columns), has_header


def _timeframe(path: Path, member: Member, layout: Layout, rows: Records, table: Table) -> int:
    """Tell the length of a bar [s] from its close time, else from the name, which the bars' distance must bear out."""
    if layout.header == layouts.KLINES.header:
        seconds = _most_common(_close_times(layout, table) + 1 - rows["open_time"])
    else:
        apart = _most_common(np.diff(rows["open_time"]))
        match = _NAMED_TIMEFRAME.search(member.name) or _NAMED_TIMEFRAME.search(path.name)
        named = int(match[1]) * _UNIT_SECONDS[match[2]] if match else 0
        seconds = named or apart
        if named and apart % named:
            raise FileRefusedError(
                f"{path.name}: {member.name} is named for bars of {named} s, but they lie {apart:g} s apart; rename it."
            )
    if seconds not in TIMEFRAMES:
        raise FileRefusedError(
            f"{path.name}: the timeframe can not be told from {member.name};"
            " bars must be 1 minute to 1 day long, and a file of one bar must name it (BTCUSDT-5m-….csv)."
        )
    return int(seconds)


def _most_common(distances_ms: npt.NDArray[np.int64]) -> float:
    """Return the most common positive distance [s]; 0 when there is none."""
    values, counts = np.unique(distances_ms[distances_ms > 0], return_counts=True)
    return float(values[np.argmax(counts)]) / 1000 if len(values) else 0.0


def _close_times(layout: Layout, table: Table) -> npt.NDArray[np.int64]:
    return layouts.milliseconds(table.values[:, layout.header.index("close_time")].astype(np.int64), 0)


def _piece(  # noqa: PLR0913, PLR0917 one step of the loop above
    member: Member,
    layout: Layout,
    timeframe: int,
    table: Table,
    rows: Records,
    block: bytes,
    first_line: int,
    now_ms: int,
) -> Piece:
    if len(rows) == 0:
        return Piece(layout.series, timeframe, rows, table.lines, tuple(table.faults), member.name, member.number)
    checked = validate(rows, now_ms=now_ms, timeframe=timeframe, is_mark=layout.series == "mark_bars")
    kept, rejected = checked.index, list(checked.rejected)
    if layout.header == layouts.KLINES.header:
        fits = _close_times(layout, table)[kept] == rows["open_time"][kept] + timeframe * 1000 - 1
        rejected += [(int(i), "close_time does not fit open_time and the timeframe") for i in kept[~fits]]
        kept = kept[fits]
    faults = list(table.faults)
    if rejected:
        raws = block.split(b"\n")
        lines = [(int(table.lines[i]), reason, by_field(rows[i])) for i, reason in rejected]
        faults += [Fault(line, reason, show(raws[line - first_line].rstrip(b"\r")), row) for line, reason, row in lines]
        faults.sort(key=lambda fault: fault.line)
    return Piece(layout.series, timeframe, rows[kept], table.lines[kept], tuple(faults), member.name, member.number)


def lines_of(path: Path, wanted: set[tuple[int, int]]) -> dict[tuple[int, int], str]:
    """Return single lines of a file as they stand, by (member number, line)."""
    found = {}
    for member in members(path):
        line = 1
        for block in member.blocks:
            count = block.count(b"\n")
            here = [key for key in wanted if key[0] == member.number and line <= key[1] < line + count]
            raws = block.split(b"\n") if here else []
            found.update({key: show(raws[key[1] - line].rstrip(b"\r")) for key in here})
            line += count
    return found


def read_sizes(path: Path) -> tuple[int, int] | None:
    """Return how many decimals prices and volumes have at the start of a file; None when it holds no candles."""
    for member in members(path):
        for block in member.blocks:
            first, *lines = block.removeprefix(b"\xef\xbb\xbf").split(b"\n")[:_SIZE_LINES]
            layout, width, has_header = _recognise(path, member, first)
            if layout.series != "bars":
                return None
            fields = [line.split(b",") for line in (lines if has_header else [first, *lines])]
            rows = [row for row in fields if len(row) == width]
            prices = {text for row in rows for text in row[1:5]}
            return _decimals(prices), _decimals({row[5] for row in rows})
    return None


def _decimals(texts: set[bytes]) -> int:
    plain = [text.partition(b".")[2].rstrip(b"0") for text in texts if re.fullmatch(rb"[0-9]+\.[0-9]+", text)]
    return min(max(map(len, plain), default=0), 10)
