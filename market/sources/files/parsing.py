"""Lines of a table into numbers: a whole block at once when nothing is wrong with it, else line by line."""

from __future__ import annotations

import datetime as dt
import math
import re
import warnings
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from market.series import epoch_ms

from .layouts import NUMERIC, Layout

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt

    from market.series import Fields

# ASCII digits only: float() also reads "1_000", other alphabets' digits and "nan".
_NUMBER: Final = re.compile(rb"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_DATETIME: Final = re.compile(rb"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}")
_NUMERIC_BYTES: Final = b"0123456789.,+-eE\n"
_LONGEST_NUMBER: Final = 40
_LARGEST_TIME: Final = 2.0**53
_COMMA, _NEWLINE = ord(","), ord("\n")
_SIDES: Final = {b"SELL": 1.0, b"BUY": -1.0}


class Fault(NamedTuple):
    """A line that was not believed; ``row`` by field where it could be read as one."""

    line: int
    reason: str
    raw: str
    row: Fields | None = None


class Table(NamedTuple):
    """float64[n, columns], the line of each row, and the lines that could not be read."""

    values: npt.NDArray[np.float64]
    lines: npt.NDArray[np.int64]
    faults: list[Fault]


def parse(block: bytes, layout: Layout, width: int, first_line: int, symbol: str) -> Table:
    """Read a block of whole lines; ``width`` columns are expected in each."""
    if b"\r" in block:
        block = block.replace(b"\r\n", b"\n")
    if all(layout.kind(column) in NUMERIC for column in range(width)):
        values = _at_once(block, layout, width)
        if values is not None:
            return Table(values, np.arange(first_line, first_line + len(values), dtype=np.int64), [])
    return line_by_line(block, layout, width, first_line, symbol)


def _at_once(block: bytes, layout: Layout, width: int) -> npt.NDArray[np.float64] | None:
    """Read a block of plain numbers; None when anything in it is unusual."""
    count = _count_regular(block, width)
    if not count:
        return None
    with warnings.catch_warnings():
        # numpy warns (and one day will raise) where a number is malformed.
        warnings.simplefilter("error", DeprecationWarning)
        try:
            numbers = np.fromstring(block.replace(b"\n", b",").decode("ascii"), dtype=np.float64, sep=",")
        except (DeprecationWarning, ValueError):
            return None
    if len(numbers) != count * width:
        return None
    values = numbers.reshape(count, width)
    times = values[:, [column for column in range(width) if layout.kind(column) == "time_ms"]]
    # Lines with a broken time or a number beyond float64 are told by the slow reader.
    plain = np.isfinite(values).all() and (times == np.floor(times)).all() and (np.abs(times) < _LARGEST_TIME).all()
    return values if plain else None


def _count_regular(block: bytes, width: int) -> int:
    """Count the lines of a block in which each has ``width`` short fields of number characters; 0 if any has not."""
    if block.translate(None, _NUMERIC_BYTES):
        return 0
    view = np.frombuffer(block, dtype=np.uint8)
    places = np.flatnonzero((view == _COMMA) | (view == _NEWLINE))
    if not len(places) or len(places) % width:
        return 0
    ends_line = (view[places] == _NEWLINE).reshape(-1, width)
    lengths = np.diff(places, prepend=-1) - 1
    is_regular = ends_line[:, -1].all() and not ends_line[:, :-1].any()
    return len(ends_line) if is_regular and lengths.min() > 0 and lengths.max() <= _LONGEST_NUMBER else 0


def line_by_line(block: bytes, layout: Layout, width: int, first_line: int, symbol: str) -> Table:
    """Read a block one line after the other; say which lines can not be read, and why."""
    rows: list[list[float]] = []
    lines: list[int] = []
    faults: list[Fault] = []
    kinds = [(column, layout.kind(column)) for column in range(width)]
    readers = [(column, _READERS[kind]) for column, kind in kinds if kind != "skip"]
    expected = symbol.encode()
    for line, raw in enumerate(block.split(b"\n")[:-1], start=first_line):
        if not raw.strip():
            continue
        fields = raw.split(b",")
        try:
            if len(fields) != width:
                raise ValueError(f"{len(fields)} fields instead of {width}")  # noqa: TRY301 caught with the readers' own
            rows.append([read(fields[column], expected) for column, read in readers])
            lines.append(line)
        except ValueError as error:
            faults.append(Fault(line, str(error), show(raw)))
    values = np.zeros((len(rows), width))
    values[:, [column for column, _ in readers]] = np.array(rows, dtype=np.float64).reshape(len(rows), len(readers))
    return Table(values, np.array(lines, dtype=np.int64), faults)


def show(raw: bytes) -> str:
    """Return a line as it can be stored and shown."""
    return raw[:1000].decode("utf-8", "backslashreplace").replace("\x00", "\\x00")[:1000]


def show_text(text: str) -> str:
    """Return a name or a sentence as it can be stored and shown: what is not printable, or no UTF-8, is escaped."""
    return "".join(
        letter if letter.isprintable() or letter == "\n" else letter.encode("unicode_escape").decode()
        for letter in text
    )


def show_name(name: str) -> str:
    """Return a file's name on one line, escaped as ``show_text`` does."""
    return show_text(name).replace("\n", "\\n")


def _unquote(text: bytes) -> bytes:
    text = text.strip(b" \t")
    return text[1:-1] if len(text) > 1 and text[:1] == text[-1:] == b'"' else text


def _number(text: bytes, _symbol: bytes) -> float:
    text = _unquote(text)
    if len(text) > _LONGEST_NUMBER or not _NUMBER.fullmatch(text):
        raise ValueError(f"{show(text[:_LONGEST_NUMBER])!r} is not a number")
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{show(text)!r} is beyond belief")
    return value


def _optional(text: bytes, symbol: bytes) -> float:
    return _number(text, symbol) if _unquote(text) else float("nan")


def _time_ms(text: bytes, symbol: bytes) -> float:
    value = _number(text, symbol)
    if value != int(value) or abs(value) >= _LARGEST_TIME:
        raise ValueError(f"{show(text)!r} is not a time in milliseconds")
    return value


def _datetime(text: bytes, _symbol: bytes) -> float:
    text = _unquote(text)
    try:
        # The pattern first: fromisoformat takes many more forms than a venue writes.
        moment = dt.datetime.fromisoformat(text.decode()) if _DATETIME.fullmatch(text) else None
    except ValueError:
        moment = None
    if moment is None:
        raise ValueError(f"{show(text[:_LONGEST_NUMBER])!r} is not a time like 2026-01-31 23:55:00")
    return float(epoch_ms(moment.replace(tzinfo=dt.UTC)))


def _symbol(text: bytes, symbol: bytes) -> float:
    if _unquote(text) != symbol:
        raise ValueError(f"the symbol is {show(text[:_LONGEST_NUMBER])!r}, not {symbol.decode()!r}")
    return 0.0


def _side(text: bytes, _symbol: bytes) -> float:
    side = _SIDES.get(_unquote(text))
    if side is None:
        raise ValueError(f"the side {show(text[:_LONGEST_NUMBER])!r} is neither BUY nor SELL")
    return side


_READERS: Final[dict[str, Callable[[bytes, bytes], float]]] = {
    "number": _number,
    "optional": _optional,
    "time_ms": _time_ms,
    "datetime": _datetime,
    "symbol": _symbol,
    "side": _side,
}
