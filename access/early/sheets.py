"""CSV out and in. No cell of an export is a formula; an import only asks for confirmations, as the form does."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Final

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction

from access.early import funnel
from access.models import Ask, Signup
from access.sheets import lines

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator

BYTES_MOST: Final = 5 * 1024 * 1024
ROWS_MOST: Final = 50_000
_COLUMNS_MOST: Final = 64
_CELL_MOST: Final = 8 * 1024
_OUT: Final = (
    "address", "state", "stop", "source", "note", "priority", "credit", "requested_at", "confirmed_at", "invited_at",
    "accepted_at",
)  # fmt: skip
_IN: Final = {"address", "source", "note", "priority"}
_PRIORITY_MOST: Final = 100


class SheetError(Exception):
    """A file that is not taken; the text says what to change."""


def write(*, actor_id: int, reason: str, now: dt.datetime) -> Iterator[str]:
    """Return all signups line by line; that they were taken out is kept."""
    funnel.note_act(
        actor_id=actor_id, kind="list exported", after={"rows": Signup.objects.count()}, reason=reason, now=now
    )
    return _lines()


def _lines() -> Iterator[str]:
    yield from lines([_OUT])
    yield from lines(Signup.objects.order_by("pk").values_list(*_OUT).iterator(chunk_size=500))


@transaction.atomic
def read(*, content: bytes, actor_id: int, reason: str, now: dt.datetime) -> int:
    """Take addresses in as requests, all or none; each gets a mail to confirm. Return how many."""
    asks = [_ask(number, row, now) for number, row in enumerate(_rows(content), start=2)]
    if not asks:
        raise SheetError("The file has no row below its header.")
    Ask.objects.bulk_create(asks, batch_size=1_000)
    funnel.note_act(actor_id=actor_id, kind="list imported", after={"rows": len(asks)}, reason=reason, now=now)
    return len(asks)


def _rows(content: bytes) -> Iterator[dict[str, str]]:
    if len(content) > BYTES_MOST:
        raise SheetError("The file has more than 5 MB. Split it.")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise SheetError("The file is not UTF-8 text. Save it as CSV UTF-8.") from None
    if "\x00" in text:
        raise SheetError("The file holds NUL bytes. Save it as CSV UTF-8.")
    csv.field_size_limit(_CELL_MOST)
    reader = csv.DictReader(io.StringIO(text), strict=True)
    try:
        yield from _checked(reader)
    except csv.Error as error:
        raise SheetError(f"Line {reader.line_num + 1}: {error}.") from None


def _checked(reader: csv.DictReader[str]) -> Iterator[dict[str, str]]:
    names = set(reader.fieldnames or ())
    if len(names) > _COLUMNS_MOST or "address" not in names or names - _IN:
        raise SheetError("The first line names the columns: address, and if wanted source, note, priority.")
    for number, row in enumerate(reader, start=1):
        if number > ROWS_MOST:
            raise SheetError("The file has more than 50,000 rows. Split it.")
        yield {name: value or "" for name, value in row.items() if name is not None}


def _ask(number: int, row: dict[str, str], now: dt.datetime) -> Ask:
    address = row["address"].strip().removeprefix("'")
    try:
        validate_email(address)
    except ValidationError:
        raise SheetError(f"Line {number}: {address[:60]!r} is no e-mail address.") from None
    priority = row.get("priority", "").strip() or "0"
    if not priority.isdecimal() or int(priority) > _PRIORITY_MOST:
        raise SheetError(f"Line {number}: priority is a whole number from 0 to {_PRIORITY_MOST}.")
    touch = {"source": row.get("source", "").strip()[:60] or "import"}
    data = {"note": row.get("note", "")[:500], "touch": touch, "priority": int(priority)}
    return Ask(address=address, data=data, asked_at=now)
