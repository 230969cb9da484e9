"""Trades from fills, and the plan that each belongs to: found when it is sure, asked for when it is not."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from django.db import connection, transaction

from journal.comparison import Candidate, Execution, match, trades_of
from journal.comparison import Trade as Position
from journal.models import Fill, Judgement, Plan, Trade
from journal.operations.judging import read_terms
from market.series import epoch_ms, moment

if TYPE_CHECKING:
    from collections.abc import Sequence

    from market.models import Instrument

_LOCK: Final = 0x54524144  # "TRAD": one change of an owner's trades at a time
_GRAIN: Final = Decimal("1e-18")
_DOLLARS: Final = frozenset({"USD", "USDT", "USDC", "FDUSD", "BUSD"})


@dataclass(frozen=True, slots=True)
class Contract:
    """What a fill's contract is: its instrument, assets, and the size of one contract [base]."""

    instrument_id: int
    base: str
    quote: str
    size: Decimal


def contract_of(one: Instrument) -> Contract:
    """Return what the fills of an instrument count in."""
    return Contract(one.pk, one.base, one.quote, Decimal(str(one.contract_size)))


def lock_trades(owner_id: int) -> None:
    """Wait until nobody else changes the owner's fills and trades, to the end of the transaction."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [_LOCK, owner_id % 2**31])


class NoSuchPlanError(ValueError):
    """The plan that a trade shall belong to is not one of the owner's armed plans of the same contract and side."""


def rebuild(*, owner_id: int, venue: str, symbol: str, contract: Contract | None = None) -> None:
    """Make the trades of one contract from all its fills; each keeps its plan by its first fill."""
    fills = list(Fill.objects.owned_by(owner_id).filter(venue=venue, symbol=symbol).order_by("at", "pk"))
    by_key = {one.pk: one for one in fills}
    fees = {one.pk: _fee(one, contract) for one in fills}
    executions = [_execution(one, fees[one.pk] or Decimal(0)) for one in fills]
    unpriced = {key for key, fee in fees.items() if fee is None}
    made = [_row(by_key[one.opens[0].key], one, unpriced) for one in trades_of(executions)]
    mine = Trade.objects.owned_by(owner_id).filter(venue=venue, symbol=symbol)
    # Trades that a venue summed up have no fills here, and no opening time.
    mine.filter(opened_at__isnull=False).exclude(key__in=[one.key for one in made]).delete()
    values = ("side", "size", "left", "entry", "exit", "fees", "result", "opened_at", "closed_at", "instrument")
    Trade.objects.owned_by(owner_id).bulk_create(
        made, update_conflicts=True, update_fields=values, unique_fields=("owner", "venue", "symbol", "key"),
        batch_size=1_000,
    )  # fmt: skip
    _match(
        owner_id, list(mine.filter(matched="", plan=None, opened_at__isnull=False)), contract.base if contract else ""
    )


def _execution(one: Fill, fee: Decimal) -> Execution:
    return Execution(epoch_ms(one.at), one.side, one.price, one.quantity, fee, one.pk)


def _fee(one: Fill, contract: Contract | None) -> Decimal | None:
    """Return a fee in quote units; None where it was paid in something else."""
    if not one.fee or not one.fee_unit:
        return one.fee
    if one.fee_unit in _DOLLARS or (contract and one.fee_unit == contract.quote):
        return one.fee
    return one.fee * one.price if contract and one.fee_unit == contract.base else None


def _row(first: Fill, position: Position, unpriced: set[int]) -> Trade:
    """Return a trade as a row. unpriced: fills whose fee is of a worth that is not known here."""
    has_fees = not any(one.key in unpriced for one in (*position.opens, *position.closes))
    paid = position.fees if has_fees else Decimal(0)
    return Trade(
        owner_id=first.owner_id,
        venue=first.venue,
        symbol=first.symbol,
        instrument_id=first.instrument_id,
        key=first.venue_fill_id,
        side=position.side,
        size=position.size.quantize(_GRAIN),
        left=position.left.quantize(_GRAIN),
        entry=position.entry.quantize(_GRAIN),
        exit=None if position.exit is None else position.exit.quantize(_GRAIN),
        fees=paid.quantize(_GRAIN) if has_fees else None,
        result=(position.gross - paid).quantize(_GRAIN) if position.is_closed else None,
        opened_at=moment(position.opened_ms),
        closed_at=None if position.closed_ms is None else moment(position.closed_ms),
    )


@transaction.atomic
def choose_plan(*, owner_id: int, trade_id: int, number: int | None) -> Trade:
    """Say which plan a trade belongs to, None for no plan; raises NoSuchPlanError, Trade.DoesNotExist."""
    trade = Trade.objects.owned_by(owner_id).select_for_update().get(pk=trade_id)
    if number is None:
        trade.plan, trade.matched = None, "none"
    else:
        plan = Plan.objects.owned_by(owner_id).filter(number=number, armed_at__isnull=False).first()
        if plan is None or plan.side != trade.side or not _is_same_base(plan, trade):
            raise NoSuchPlanError("Choose one of your armed plans of the same contract and side.")
        trade.plan, trade.matched = plan, "chosen"
    trade.save(update_fields=["plan", "matched"])
    return trade


def _is_same_base(plan: Plan, trade: Trade) -> bool:
    return trade.instrument is not None and plan.zone.heatmap.instrument.base == trade.instrument.base


def _candidates(owner_id: int, base: str) -> list[Candidate]:
    """Return the owner's armed plans on a base asset, at whatever venue or pair, as a match takes them."""
    found = []
    for one in Judgement.objects.owned_by(owner_id).filter(instrument__base=base):
        terms = read_terms(one.terms)
        until = epoch_ms(one.through_at) if one.is_done and one.through_at else terms.expires_ms
        found.append(Candidate(one.plan_id, terms, until))
    return found


def _match(owner_id: int, trades: Sequence[Trade], base: str) -> None:
    known = _candidates(owner_id, base) if base and trades else []
    taken = set(Trade.objects.owned_by(owner_id).filter(plan__isnull=False).values_list("plan_id", flat=True))
    for trade in trades if known else ():
        meant = match(_opening(trade), [one for one in known if one.key not in taken]).key
        if meant is not None:
            trade.plan_id, trade.matched = meant, "sure"
            taken.add(meant)
            trade.save(update_fields=["plan", "matched"])


def _opening(trade: Trade) -> Position:
    """Return what a match looks at: side, time and mean price of the entry."""
    assert trade.opened_at is not None
    first = Execution(epoch_ms(trade.opened_at), trade.side, trade.entry, trade.size, Decimal(0))
    return Position(trade.side, (first,))
