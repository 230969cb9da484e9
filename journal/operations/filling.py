"""Fills that a trader types, for trades of which there is no file, or not yet."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from django.db import transaction

from journal.models import Fill, Review, Trade
from journal.models.trades import BY_HAND
from journal.operations.trading import contract_of, lock_trades, rebuild

if TYPE_CHECKING:
    import uuid
    from collections.abc import Iterable
    from decimal import Decimal

    from market.models import Instrument

# A typed time may be so far from the venue's: people round to the minute.
NEAR: Final = dt.timedelta(minutes=1)


class FillRefusedError(ValueError):
    """A fill can not be added or taken away; the text says why."""


@dataclass(frozen=True, slots=True)
class TypedFill:
    """What a trader types. side: +1 bought, -1 sold; quantity in base units; fee in quote units, below 0: a rebate."""

    instrument: Instrument
    at: dt.datetime
    side: int
    price: Decimal
    quantity: Decimal
    fee: Decimal


@transaction.atomic
def add_fill(*, owner_id: int, typed: TypedFill, request_key: uuid.UUID, now: dt.datetime) -> Fill:
    """Keep a typed fill and make its trade; the same request again is the same fill.

    Raises FillRefusedError for one of the future, of a contract that counts in other units, or that a file brought.
    """
    if typed.at > now:
        raise FillRefusedError("The time lies ahead: a fill is something that happened.")
    if typed.instrument.contract_type != typed.instrument.ContractType.LINEAR or typed.instrument.is_pair:
        raise FillRefusedError("Choose a linear contract at a venue: others count in units that are not compared here.")
    lock_trades(owner_id)
    contract, key = contract_of(typed.instrument), f"{BY_HAND}{request_key}"
    mine = Fill.objects.owned_by(owner_id).filter(venue=typed.instrument.venue, symbol=typed.instrument.symbol)
    if known := mine.filter(venue_fill_id=key).first():
        return known
    near = mine.filter(at__range=(typed.at - NEAR, typed.at + NEAR)).exclude(venue_fill_id__startswith=BY_HAND)
    if near.filter(side=typed.side, price=typed.price, quantity=typed.quantity).exists():
        raise FillRefusedError("This fill is here already, from a file.")
    made = Fill(
        owner_id=owner_id, venue=typed.instrument.venue, symbol=typed.instrument.symbol,
        instrument_id=typed.instrument.pk, at=typed.at, side=typed.side, price=typed.price, quantity=typed.quantity,
        fee=typed.fee, fee_unit=contract.quote, venue_fill_id=key,
    )  # fmt: skip
    made.save(force_insert=True)
    rebuild(owner_id=owner_id, venue=made.venue, symbol=made.symbol, contract=contract)
    return made


@transaction.atomic
def drop_fill(*, owner_id: int, fill_id: int) -> None:
    """Take a typed fill away; raises Fill.DoesNotExist for any other, FillRefusedError where a review rests on it."""
    lock_trades(owner_id)
    mine = Fill.objects.owned_by(owner_id).filter(venue_fill_id__startswith=BY_HAND).select_related("instrument")
    fill = mine.get(pk=fill_id)
    opened = Trade.objects.owned_by(owner_id).filter(venue=fill.venue, symbol=fill.symbol, key=fill.venue_fill_id)
    if Review.objects.owned_by(owner_id).filter(trade__in=opened).exists():
        raise FillRefusedError("The trade that begins with this fill is reviewed: its fills stay.")
    fill.delete()
    contract = contract_of(fill.instrument) if fill.instrument else None
    rebuild(owner_id=owner_id, venue=fill.venue, symbol=fill.symbol, contract=contract)


def give_way(*, owner_id: int, venue: str, arriving: Iterable[Fill]) -> None:
    """Let the venue's word replace what was typed: a typed fill becomes the arriving one that it tells of.

    They are the same when side, price and quantity are equal and their times lie within a minute. The trade keeps
    its plan and review.
    """
    typed = list(Fill.objects.owned_by(owner_id).filter(venue=venue, venue_fill_id__startswith=BY_HAND).order_by("at"))
    known = set(Fill.objects.owned_by(owner_id).filter(venue=venue).values_list("symbol", "venue_fill_id"))
    for one in arriving if typed else ():
        if (one.symbol, one.venue_fill_id) in known:
            continue
        meant = next((each for each in typed if _is_same(each, one)), None)
        if meant is not None:
            typed.remove(meant)
            _become(meant, one)


def _is_same(typed: Fill, told: Fill) -> bool:
    sides = (typed.symbol, typed.side, typed.price, typed.quantity), (told.symbol, told.side, told.price, told.quantity)
    return sides[0] == sides[1] and abs(typed.at - told.at) <= NEAR


def _become(typed: Fill, told: Fill) -> None:
    trades = Trade.objects.owned_by(typed.owner_id).filter(venue=typed.venue, symbol=typed.symbol)
    trades.filter(key=typed.venue_fill_id).update(key=told.venue_fill_id)
    names = ("venue_fill_id", "file", "at", "fee", "fee_unit", "is_maker", "order_id")
    for name in names:
        setattr(typed, name, getattr(told, name))
    typed.save(update_fields=names)
