"""Take an exported journal in: kept first, looked at, and then taken in whole or not at all."""

from __future__ import annotations

import datetime as dt
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from django.db import transaction

from journal.imports.own import read_own
from journal.models import Fill, MovedJournal, Plan, Trade
from journal.operations.arriving import Arrival, weigh
from journal.operations.drafting import lock_owner
from journal.operations.files import contracts_of
from journal.operations.noting import keep_week_note
from journal.operations.reviewing import write_review
from journal.operations.trading import lock_trades, rebuild

if TYPE_CHECKING:
    from journal.operations.trading import Contract

_WAITING: Final = dt.timedelta(days=1)
_BATCH: Final = 2_000


def keep_journal(*, owner_id: int, content: bytes, now: dt.datetime) -> MovedJournal:
    """Keep an export until it is taken in; raises FileRefusedError for one that is none or does not hold together.

    The same bytes are the same journal. What has waited for a day is dropped.
    """
    read_own(content)
    mine = MovedJournal.objects.owned_by(owner_id)
    mine.filter(taken_at=None, sent_at__lt=now - _WAITING).delete()
    kept, _ = mine.get_or_create(
        owner_id=owner_id, sha256=sha256(content).hexdigest(), defaults={"content": content, "sent_at": now}
    )
    return kept


def look_at_journal(*, journal: MovedJournal, now: dt.datetime) -> Arrival:
    """Return what would come in of a waiting journal."""
    return weigh(owner_id=journal.owner_id, moved=read_own(bytes(journal.content or b"")), now=now)


@transaction.atomic
def take_in_journal(*, owner_id: int, journal_id: int, now: dt.datetime) -> MovedJournal:
    """Take a waiting journal in: its chains to be read only, all else as rows of one's own. A second time is nothing.

    What was armed elsewhere is no plan here: nothing can be locked at a moment that has passed.
    """
    lock_owner(owner_id)
    lock_trades(owner_id)
    journal = MovedJournal.objects.owned_by(owner_id).select_for_update().get(pk=journal_id)
    if journal.taken_at is not None:
        return journal
    arrival = look_at_journal(journal=journal, now=now)
    executed: list[Fill | Trade] = [*arrival.fills, *arrival.trades]
    contracts = {name: contracts_of(name) for name in {one.venue for one in executed}}
    _write_drafts(owner_id, arrival)
    for one in executed:
        known = contracts[one.venue].get(one.symbol)
        one.instrument_id = known.instrument_id if known else None
    Fill.objects.owned_by(owner_id).bulk_create(arrival.fills, batch_size=_BATCH)
    Trade.objects.owned_by(owner_id).bulk_create(arrival.trades, batch_size=_BATCH)
    _rebuild(owner_id, arrival, contracts)
    _write_answers(owner_id, arrival)
    for monday, note in arrival.weeks:
        keep_week_note(owner_id=owner_id, monday=monday, words=note, now=now)
    journal.parts, journal.counts, journal.refused = arrival.parts, arrival.counts, arrival.refused
    journal.content, journal.taken_at = None, now
    journal.save()
    return journal


def _write_drafts(owner_id: int, arrival: Arrival) -> None:
    plans = Plan.objects.owned_by(owner_id)
    newest = plans.order_by("-number").values_list("number", flat=True).first() or 0
    for number, (zone_id, terms) in enumerate(arrival.drafts, start=newest + 1):
        values = {name: getattr(terms, name) for name in terms.__slots__}
        Plan(owner_id=owner_id, zone_id=zone_id, number=number, **values).save(force_insert=True)


def _rebuild(owner_id: int, arrival: Arrival, contracts: dict[str, dict[str, Contract]]) -> None:
    for venue, symbol in sorted({(one.venue, one.symbol) for one in arrival.fills}):
        rebuild(owner_id=owner_id, venue=venue, symbol=symbol, contract=contracts[venue].get(symbol))


def _write_answers(owner_id: int, arrival: Arrival) -> None:
    """Say of trades what the file says of them, and keep their reviews."""
    mine = {(one.venue, one.symbol, one.key): one for one in Trade.objects.owned_by(owner_id)}
    changed = []
    for key, matched in arrival.answers.items():
        if (trade := mine.get(key)) and not trade.matched and matched in {"none", "moved"}:
            trade.matched = matched
            changed.append(trade)
    Trade.objects.owned_by(owner_id).bulk_update(changed, ["matched"], batch_size=_BATCH)
    for key, review in arrival.reviews:
        if trade := mine.get(key):
            review.trade = trade
            write_review(review, review.words)
        else:
            arrival.refused.append(("review", f"Its trade {key[2]} did not come in."))
