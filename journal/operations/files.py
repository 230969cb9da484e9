"""Take in a venue's file: kept first, looked at, and then read whole or not at all."""

from __future__ import annotations

import datetime as dt
import hashlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.db import transaction

from journal.imports import (
    FIELDS,
    Layout,
    Reading,
    Refused,
    Table,
    find_layout,
    find_style,
    mapped,
    read_rows,
    read_table,
)
from journal.imports import Fill as ReadFill
from journal.models import Fill, RefusedRow, Trade, TradeFile
from journal.operations.filling import give_way
from journal.operations.trading import Contract, contract_of, lock_trades, rebuild
from market.queries import list_instruments

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_WAITING: Final = dt.timedelta(days=1)
_MOST_WAITING: Final = 5
_NAME: Final = 120
_BATCH: Final = 2_000


class UnreadableError(ValueError):
    """A file can not be read as it is, or as it was described; the text says what to change."""


@dataclass(frozen=True, slots=True)
class Choices:
    """What the trader says of a file; what is empty is taken from the file or asked for."""

    zone: str = ""
    date_order: str = ""
    decimal_comma: bool | None = None
    venue: str = ""
    columns: Mapping[str, str] | None = None


def keep_file(*, owner_id: int, name: str, content: bytes, now: dt.datetime) -> TradeFile:
    """Keep a file until it is taken in; raises FileRefusedError for one that is no table.

    The same bytes, sent again, are the same file. What has waited for a day is dropped, and all but the last five.
    """
    table = read_table(content)
    mine = TradeFile.objects.owned_by(owner_id)
    mine.filter(taken_at=None, sent_at__lt=now - _WAITING).delete()
    sha256, header = hashlib.sha256(content).hexdigest(), _header_sha256(table)
    known = mine.filter(sha256=sha256, taken_at=None).first()
    if known:
        return known
    before = mine.filter(header_sha256=header, taken_at__isnull=False).order_by("-taken_at").first()
    kept = mine.create(
        owner_id=owner_id,
        name=(name.strip() or "trades.csv")[-_NAME:],
        sha256=sha256,
        header_sha256=header,
        content=content,
        sent_at=now,
        **(_said(before) if before else {}),
    )
    _drop_oldest(owner_id)
    return kept


def _drop_oldest(owner_id: int) -> None:
    waiting = TradeFile.objects.owned_by(owner_id).filter(taken_at=None)
    waiting.filter(pk__in=list(waiting.order_by("-pk").values_list("pk", flat=True)[_MOST_WAITING:])).delete()


def _said(before: TradeFile) -> dict[str, object]:
    """Return what was said of the last file with the same header."""
    names = ("venue", "zone", "date_order", "decimal_comma", "columns")
    return {name: getattr(before, name) for name in names}


def _header_sha256(table: Table) -> str:
    return hashlib.sha256("\x1f".join(table.header).encode()).hexdigest()


def describe(*, owner_id: int, file_id: int, choices: Choices) -> None:
    """Note what the trader says of a waiting file."""
    TradeFile.objects.owned_by(owner_id).filter(pk=file_id, taken_at=None).update(
        venue=choices.venue,
        zone=choices.zone,
        date_order=choices.date_order,
        decimal_comma=choices.decimal_comma,
        columns={name: column for name, column in (choices.columns or {}).items() if name in FIELDS and column},
    )


class Look(NamedTuple):
    """A file before it is taken in: its table, layout and rows as far as they are known, and what is missing."""

    table: Table
    layout: Layout | None
    reading: Reading | None
    problem: str


def look(*, file: TradeFile, now: dt.datetime) -> Look:
    """Read a waiting file without taking it in."""
    table = read_table(bytes(file.content or b""))
    try:
        layout = layout_of(file, table)
        if layout is None:
            return Look(table, None, None, "This file is of no layout that is known here: name its columns.")
        style = find_style(
            table, layout, zone=_zone(file.zone), order=file.date_order or None, comma=file.decimal_comma
        )
    except ValueError as refusal:
        return Look(table, None, None, str(refusal))
    return Look(table, layout, read_rows(table, layout, style, now=now), "")


def is_known(table: Table) -> bool:
    """Tell whether a file's layout is known, so that its columns need no names."""
    return find_layout(table) is not None


def layout_of(file: TradeFile, table: Table) -> Layout | None:
    """Return how the file is laid out: as a venue writes it, else as the trader mapped it."""
    known = find_layout(table)
    if known is not None or not file.columns:
        return known
    if not file.venue:
        raise UnreadableError("Say which venue the trades were made at.")
    return mapped(file.columns, venue=file.venue)


def _zone(name: str) -> dt.tzinfo | None:
    if not name:
        return None
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as unknown:
        raise UnreadableError(f"{name} is no time zone: write it like Europe/Berlin or UTC.") from unknown


@transaction.atomic
def take_in(
    *, owner_id: int, file_id: int, now: dt.datetime, tell: Callable[[int, int], None] = lambda _done, _all: None
) -> TradeFile:
    """Read a waiting file into fills and trades: all of it, once; raises UnreadableError when something is missing.

    Rows that were here before are counted and left. Refused rows are kept with their reasons. tell: is told how many
    rows are stored, and of how many; nothing counts before the end.
    """
    lock_trades(owner_id)
    file = TradeFile.objects.owned_by(owner_id).select_for_update().get(pk=file_id)
    if file.taken_at is not None:
        return file
    _, layout, reading, problem = look(file=file, now=now)
    if layout is None or reading is None:
        raise UnreadableError(problem)
    contracts = contracts_of(layout.venue)
    reading.fills = [known for one in reading.fills if (known := _in_base(one, contracts, reading)) is not None]
    rows = [_fill(file, layout.venue, one, contracts) for one in reading.fills]
    give_way(owner_id=owner_id, venue=layout.venue, arriving=rows)
    mine = Fill.objects.owned_by(owner_id)
    before = mine.count()
    for first in range(0, len(rows), _BATCH):
        tell(first, len(rows))
        mine.bulk_create(rows[first : first + _BATCH], ignore_conflicts=True)
    tell(len(rows), len(rows))
    new = mine.count() - before + _take_closed(file, layout.venue, reading, contracts)
    RefusedRow.objects.owned_by(owner_id).bulk_create(
        [
            RefusedRow(owner_id=owner_id, file=file, line=one.line, reason=one.reason, row=one.row)
            for one in reading.refused
        ],
        batch_size=_BATCH,
    )
    file.layout, file.row_count, file.new_count = layout.slug, reading.row_count, new
    file.refused_count, file.passed_over = len(reading.refused), reading.passed_over
    file.known_count = len(rows) + len(reading.closed) - new
    file.content, file.taken_at = None, now
    file.save()
    for symbol in sorted({one.symbol for one in rows}):
        rebuild(owner_id=owner_id, venue=layout.venue, symbol=symbol, contract=contracts.get(symbol))
    return file


def contracts_of(venue: str) -> dict[str, Contract]:
    """Return the venue's linear instruments by symbol; coin-margined ones count in other units."""
    found: dict[str, Contract] = {}
    for one in list_instruments():
        if one.venue == venue and one.contract_type == one.ContractType.LINEAR:
            found[one.symbol] = contract_of(one)
    return found


def _in_base(one: ReadFill, contracts: Mapping[str, Contract], reading: Reading) -> ReadFill | None:
    """Return a fill in base units; one whose contract size is not known joins the refused."""
    if not one.in_contracts:
        return one
    contract = contracts.get(one.symbol)
    if contract is None:
        reason = f"Counted in contracts of {one.symbol}, whose size is not known here: enable the instrument first."
        reading.refused.append(Refused(one.line, reason, {"symbol": one.symbol, "quantity": str(one.quantity)}))
        return None
    return replace(one, quantity=one.quantity * contract.size, in_contracts=False)


def _fill(file: TradeFile, venue: str, one: ReadFill, contracts: Mapping[str, Contract]) -> Fill:
    contract = contracts.get(one.symbol)
    return Fill(
        owner_id=file.owner_id,
        file=file,
        venue=venue,
        instrument_id=contract.instrument_id if contract else None,
        symbol=one.symbol,
        at=one.at,
        side=one.side,
        price=one.price,
        quantity=one.quantity,
        fee=one.fee,
        fee_unit=one.fee_unit,
        is_maker=one.is_maker,
        venue_fill_id=one.venue_fill_id,
        order_id=one.order_id,
    )


def _take_closed(file: TradeFile, venue: str, reading: Reading, contracts: Mapping[str, Contract]) -> int:
    """Store trades that the venue summed up; return how many are new."""
    mine = Trade.objects.owned_by(file.owner_id)
    before = mine.count()
    mine.bulk_create(
        [
            Trade(
                owner_id=file.owner_id,
                venue=venue,
                symbol=one.symbol,
                instrument_id=contracts[one.symbol].instrument_id if one.symbol in contracts else None,
                key=one.venue_fill_id,
                side=one.side,
                size=one.quantity,
                entry=one.entry,
                exit=one.exit,
                fees=None,
                result=one.result,
                opened_at=one.opened_at,
                closed_at=one.closed_at,
            )
            for one in sorted(reading.closed, key=lambda one: one.closed_at)  # exports begin with the newest
        ],
        batch_size=_BATCH,
        ignore_conflicts=True,
    )
    return mine.count() - before
