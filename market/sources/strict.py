"""Strict reading of what venues send: a field is there, of its type and within belief, or it is named in a fault.

Fields that nobody asked for are let through: venues add them. Nothing is rounded, filled in or guessed.
"""

from __future__ import annotations

import json
import math
import re
from typing import TYPE_CHECKING, Any, Final, NoReturn, TypeVar

import numpy as np

from .base import Fault, Part, SourceError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from market.series import Records

_Meaning = TypeVar("_Meaning")

RAW_LETTERS: Final = 1000
# Python's own float() also takes "1_000", digits of other scripts, "nan", blanks and powers of ten.
_DECIMAL: Final = re.compile(r"-?[0-9]{1,18}(?:\.[0-9]{1,18})?", re.ASCII)
_WHOLE: Final = re.compile(r"[0-9]{1,15}", re.ASCII)
_LARGEST: Final = 1e18
_SMALLEST: Final = 1e-18
_LATEST_MS: Final = 10**14


class UnreadableError(ValueError):
    """A field is missing, of another type, or no number that could be meant."""


class Row:
    """One object that a venue sent, or one array whose places have names; every reading of a field can refuse it."""

    __slots__ = ("fields",)

    def __init__(self, raw: object, names: Sequence[str] = ()) -> None:
        """Take an object, or with ``names`` an array that has at least as many places."""
        if names:
            if not isinstance(raw, list):
                raise UnreadableError(f"not a list but {_kind(raw)}")
            self.fields: Mapping[str, Any] = dict(zip(names, raw, strict=False))
        elif isinstance(raw, dict):
            self.fields = raw
        else:
            raise UnreadableError(f"not an object but {_kind(raw)}")

    def _take(self, name: str) -> Any:  # noqa: ANN401 JSON may hold anything
        if name not in self.fields:
            raise UnreadableError(f"{name} is missing")
        return self.fields[name]

    def _refuse(self, name: str, wanted: str) -> NoReturn:
        found = self.fields[name]
        shown = f"{found!r:.40}" if isinstance(found, str | int | float) else _kind(found)
        raise UnreadableError(f"{name} is not {wanted} but {shown}")

    def decimal(self, name: str) -> float:
        """Read a number that the venue writes as text."""
        text = self._take(name)
        if not isinstance(text, str) or not _DECIMAL.fullmatch(text):
            self._refuse(name, "a decimal number in quotes")
        number = float(text)
        if number == 0 and text.startswith("-"):
            self._refuse(name, "a decimal number in quotes")
        return number

    def amount(self, name: str) -> float:
        """Read a number that the venue writes as a JSON number."""
        number = self._take(name)
        if isinstance(number, bool) or not isinstance(number, int | float):
            self._refuse(name, "a number")
        size = abs(number)
        if not (_SMALLEST <= size < _LARGEST or (size == 0 and math.copysign(1, number) > 0)):
            self._refuse(name, "a number within belief")
        return float(number)

    def time(self, name: str) -> int:
        """Read a moment [ms], a whole number or its digits in quotes: venues' pages and answers differ in that."""
        value = self._take(name)
        if isinstance(value, str) and _WHOLE.fullmatch(value):
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < _LATEST_MS:
            self._refuse(name, "a time in ms")
        return value

    def whole(self, name: str) -> int:
        """Read a whole number that is not negative."""
        value = self._take(name)
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < _LARGEST:
            self._refuse(name, "a whole number")
        return value

    def text(self, name: str, *, may_be_empty: bool = False) -> str:
        """Read a text, which is not empty unless that says something."""
        value = self._take(name)
        if not isinstance(value, str) or not (value or may_be_empty):
            self._refuse(name, "a text")
        return value

    def step(self, name: str) -> str:
        """Read a step of prices or sizes, a number above zero that stays as it was written."""
        if self.decimal(name) <= 0:
            self._refuse(name, "a step above zero")
        return self.text(name)

    def choice(self, name: str, meanings: Mapping[str, _Meaning]) -> _Meaning:
        """Read one of several words and return what it means."""
        word = self.text(name)
        if word not in meanings:
            self._refuse(name, f"one of {', '.join(meanings)}")
        return meanings[word]

    def flag(self, name: str) -> bool:
        """Read true or false."""
        value = self._take(name)
        if not isinstance(value, bool):
            self._refuse(name, "true or false")
        return value

    def row(self, name: str) -> Row:
        """Read an object within."""
        value = self._take(name)
        try:
            return Row(value)
        except UnreadableError as error:
            raise UnreadableError(f"{name}: {error}") from error

    def rows(self, name: str) -> list[Any]:
        """Read a list within, its items still unread."""
        value = self._take(name)
        if not isinstance(value, list):
            self._refuse(name, "a list")
        return value

    def nothing(self, name: str) -> None:
        """Make sure that a field is there and null."""
        if self._take(name) is not None:
            self._refuse(name, "null")

    def only(self, name: str, wanted: str) -> None:
        """Make sure that a text is the one asked for, such as the symbol of an answer."""
        if self.text(name) != wanted:
            self._refuse(name, repr(wanted))


def rows_of(answer: object, what: str) -> list[Any]:
    """Return an answer that must be a list; raise SourceError for any other shape."""
    if not isinstance(answer, list):
        raise SourceError(f"{what} came as {_kind(answer)} instead of a list")
    return answer


def row_of(answer: object, what: str) -> Row:
    """Return an answer that must be an object; raise SourceError for any other shape."""
    try:
        return Row(answer)
    except UnreadableError as error:
        raise SourceError(f"{what}: {error}") from error


def records(
    raws: Iterable[object],
    dtype: np.dtype[np.void],
    read: Callable[[Any], tuple[float, ...] | None],
) -> tuple[Records, tuple[Fault, ...]]:
    """Read each row into a record; what ``read`` can't read is a fault, what it returns None for is left out.

    The records come back ascending in time, equal times in the order they had.
    """
    found: list[tuple[float, ...]] = []
    faults: list[Fault] = []
    for raw in raws:
        try:
            record = read(raw)
        except UnreadableError as error:
            faults.append(fault_of(raw, str(error)))
        else:
            if record is not None:
                found.append(record)
    rows = np.array(found, dtype=dtype)
    time = (dtype.names or ())[0]
    return rows[np.argsort(rows[time], kind="stable")], tuple(faults)


def fault_of(raw: object, reason: str) -> Fault:
    """Keep something that can't be read, the first thousand letters of it."""
    text = raw if isinstance(raw, str) else json.dumps(raw, ensure_ascii=False, default=str)
    return Fault(text[:RAW_LETTERS], reason)


def part_of(
    raw: object, dtype: np.dtype[np.void], read: Callable[[Any], tuple[float, ...] | None], *, timeframe: int = 0
) -> Part:
    """Read a single row, such as a websocket brings; silence says nothing, so nothing is covered."""
    rows, faults = records([raw], dtype, read)
    return Part(rows, timeframe, None, faults)


def parse(text: str | bytes) -> object:
    """Decode JSON; raise ValueError for anything else, NaN and Infinity among it."""
    try:
        return json.loads(text, parse_constant=_no_constant)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


def _kind(value: object) -> str:
    if value is None:
        return "null"
    kinds = {
        dict: "an object",
        list: "a list",
        str: "a text",
        bool: "true or false",
        int: "a number",
        float: "a number",
    }
    return kinds.get(type(value), type(value).__name__)
