"""How fast plans are judged and a chain is verified: on a stored instrument with a zone, all of it rolled back."""

from __future__ import annotations

import datetime as dt
import time
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from django.contrib.auth import get_user_model
from django.core.exceptions import ObjectDoesNotExist
from django.db import transaction

from heatmaps import queries as heatmap_queries
from journal import operations, queries
from journal.models import JournalEntry, Judgement, Plan
from journal.operations.judging import kept, write_terms
from journal.verdict import ENGINE_VERSION, Branch, Kind, Phase, State, Target, Terms
from market import queries as market_queries
from market.series import epoch_ms
from risk.formulas import Costs

if TYPE_CHECKING:
    from market.models import Instrument

PLANS: Final = 10_000
_MINUTE: Final = dt.timedelta(minutes=1)
_COSTS: Final = Costs(Decimal("0.0002"), Decimal("0.0005"), Decimal("0.0002"))
_SEED: Final = 20251201
_ENTRIES: Final = 500


def measure(*, count: int, key: str | None, now: dt.datetime) -> dict[str, Any]:
    """Advance ``count`` plans by the newest stored minute and say how long it took; nothing is kept.

    Half of the plans wait for their entry, half are open; levels lie .05 to 5 % from the price, so that some are met.
    Raises ObjectDoesNotExist where no instrument with bars and a zone is stored.
    """
    instrument, zone_id = _choose(key)
    end = market_queries.freshness(instrument=instrument, now=now).as_of
    assert end is not None
    bars = market_queries.load_bars(instrument_id=instrument.pk, since=end - _MINUTE, until=end, timeframe=60)
    price = Decimal(repr(float(bars["open"][0])))
    with transaction.atomic():
        _fill(count, instrument, zone_id, end, price)
        begun = time.perf_counter()
        changed = operations.settle(instrument_id=instrument.pk, now=end)
        took = time.perf_counter() - begun
        transaction.set_rollback(True)
    return {
        "plans": count, "instrument": instrument.key, "seconds": round(took, 3),
        "microseconds_a_plan": round(took / count * 1e6), "plans_with_events": changed,
    }  # fmt: skip


def measure_chain(*, count: int, key: str | None) -> dict[str, Any]:
    """Verify a chain of ``count`` notes and say how long it took; nothing is kept. Raises ObjectDoesNotExist."""
    instrument, zone_id = _choose(key)
    with transaction.atomic():
        user = get_user_model()._base_manager.create(email="bench@invalid.example")  # noqa: SLF001  # no other door
        observed = {"direction": "observe", "thesis": "bench", "expires_at": dt.datetime(2100, 1, 1, tzinfo=dt.UTC)}
        plan = Plan.objects.owned_by(user.pk).create(owner_id=user.pk, number=1, zone_id=zone_id, **observed)
        operations.lock_chain(user.pk)
        begun = time.perf_counter()
        previous = ""
        for first in range(1, count + 1, _ENTRIES):
            # The database takes an entry of the present only, so each batch has its own moment.
            moment, entries = operations.database_clock(), []
            for number in range(first, min(first + _ENTRIES, count + 1)):
                said = {"schema": "bench", "text": "x" * 200}
                after = (number - 1, previous)
                entry = operations.next_entry(plan=plan, kind="noted", at=moment, content=said, after=after)
                entries.append(entry)
                previous = entry.sha256
            JournalEntry.objects.owned_by(user.pk).bulk_create(entries, batch_size=_ENTRIES)
        stored = time.perf_counter()
        found, findings = queries.verify_chain(owner_id=user.pk)
        took = time.perf_counter() - stored
        transaction.set_rollback(True)
    return {
        "entries": found, "findings": len(findings), "instrument": instrument.key,
        "verify_seconds": round(took, 3), "store_seconds": round(stored - begun, 3),
    }  # fmt: skip


def measure_trades(*, rows: int, now: dt.datetime) -> dict[str, Any]:
    """Take a venue's file of ``rows`` fills in, in two contracts, and say how long each step took; nothing is kept."""
    content = _file(rows)
    with transaction.atomic():
        user = get_user_model()._base_manager.create(email="bench@invalid.example")  # noqa: SLF001  # no other door
        marks = [time.perf_counter()]
        kept_file = operations.keep_file(owner_id=user.pk, name="bench.csv", content=content, now=now)
        operations.describe(owner_id=user.pk, file_id=kept_file.pk, choices=operations.Choices(zone="UTC"))
        marks.append(time.perf_counter())
        kept_file.refresh_from_db()
        operations.look(file=kept_file, now=now)
        marks.append(time.perf_counter())
        taken = operations.take_in(owner_id=user.pk, file_id=kept_file.pk, now=now)
        marks.append(time.perf_counter())
        transaction.set_rollback(True)
    names = ("keep_seconds", "look_seconds", "take_in_seconds")
    steps = {name: round(end - begin, 3) for name, begin, end in zip(names, marks, marks[1:], strict=False)}
    return {
        "rows": taken.row_count, "new": taken.new_count, "refused": taken.refused_count, "bytes": len(content),
        **steps, "seconds": round(marks[-1] - marks[0], 3),
    }  # fmt: skip


def _file(rows: int) -> bytes:
    """Return a file as Binance writes it: buying and selling in turn, flat after every fourth fill."""
    begun, lines = dt.datetime(2025, 1, 1, tzinfo=dt.UTC), []
    for i in range(rows):
        at, symbol = begun + i * dt.timedelta(seconds=30), ("BTCUSDT", "ETHUSDT")[i // 4 % 2]
        side, price = ("BUY", "BUY", "SELL", "SELL")[i % 4], 60_000 + i % 997
        lines.append(f"{at:%Y-%m-%d %H:%M:%S},{symbol},{side},{price}.5,0.002,120,0.048 USDT,0,true,false,{i},{i}\n")
    header = "Time,Symbol,Side,Price,Quantity,Amount,Fee,Realized Profit,Buyer,Maker,Trade ID,Order ID\n"
    return (header + "".join(lines)).encode()


def _choose(key: str | None) -> tuple[Instrument, int]:
    found = [market_queries.get_instrument(key=key)] if key else market_queries.list_followed()
    for instrument in found:
        heatmap = heatmap_queries.get_heatmap(instrument_id=instrument.pk)
        zones = heatmap_queries.list_zones(heatmap=heatmap, limit=1) if heatmap else []
        if zones and market_queries.stored_span(instrument_id=instrument.pk):
            return instrument, zones[0].pk
    raise ObjectDoesNotExist("No instrument with bars and a zone is stored.")


def _fill(count: int, instrument: Instrument, zone_id: int, end: dt.datetime, price: Decimal) -> None:
    user = get_user_model()._base_manager.create(email="bench@invalid.example")  # noqa: SLF001  # no other door
    generator = np.random.default_rng(_SEED)
    shares = [Decimal(repr(round(float(share), 6))) for share in generator.uniform(0.0005, 0.05, count)]
    terms = [_terms(i, price, share, instrument.tick_size, end) for i, share in enumerate(shares)]
    plans = Plan.objects.owned_by(user.pk).bulk_create(
        [
            Plan(
                owner_id=user.pk,
                number=i,
                zone_id=zone_id,
                direction="long",
                thesis="bench",
                entry=one.entry,
                invalidation=one.stop,
                targets=[["1", "1"]],
                risk_pct=Decimal(1),
                expires_at=end + dt.timedelta(days=9),
            )
            for i, one in enumerate(terms)
        ],
        batch_size=1000,
    )
    Judgement.objects.owned_by(user.pk).bulk_create(
        [
            Judgement(
                plan=plan,
                instrument=instrument,
                terms=write_terms(one),
                engine=ENGINE_VERSION,
                **kept(one, _state(i, one, end, price)),
                through_at=end - _MINUTE,
                last_price=price,
            )
            for i, (plan, one) in enumerate(zip(plans, terms, strict=True))
        ],
        batch_size=1000,
    )


def _terms(i: int, price: Decimal, share: Decimal, tick: Decimal, end: dt.datetime) -> Terms:
    """A long below the price: its entry where it waits, its stop where it is open; odd ones trail."""
    entry = price * (1 - share) if i % 2 else price
    return Terms(
        side=1, kind=Kind.LIMIT, entry=round(entry, 8), stop=round(entry * (1 - share), 8), tick=tick, costs=_COSTS,
        targets=tuple(Target(round(price * (1 + i * share), 8), Decimal("0.5")) for i in (1, 2)),
        armed_ms=epoch_ms(end) - 3_600_000, expires_ms=epoch_ms(end) + 86_400_000, breakeven=i % 3 == 0,
    )  # fmt: skip


def _state(i: int, terms: Terms, end: dt.datetime, price: Decimal) -> State:
    phase = Phase.ARMED if i % 2 else Phase.OPEN
    entry = None if i % 2 else terms.entry
    branch = Branch("", phase, terms.stop, entry, opened_ms=None if i % 2 else epoch_ms(end) - 600_000)
    return State((branch,), epoch_ms(end) - 60_000, price)
