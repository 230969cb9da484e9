"""Judge armed plans on the bars that have come since; the same after a minute as after a month of standing still."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from django.db import transaction
from django.db.models import Max

from journal.models import Judgement, PlanEvent
from journal.operations.judging import BAND, band, kept, read_terms
from journal.operations.measuring import measure_closed
from journal.operations.reading import MarketSpan, armed_minute, event_rows, presses_of
from journal.operations.rejudging import rejudge
from journal.verdict import ENGINE_VERSION, judge
from journal.verdict.keeping import from_plain
from market.series import epoch_ms, moment

if TYPE_CHECKING:
    from journal.verdict import Event, State, Terms

# A catch-up reads so much at once.
_PART: Final = dt.timedelta(days=7)
_SLOTS: Final = (
    "state",
    "phase",
    "is_done",
    "result_low",
    "result_high",
    "excursion",
    *BAND,
    "through_at",
    "last_price",
    "event_count",
    "engine",
)


@transaction.atomic
def settle(*, instrument_id: int, now: dt.datetime, heard: list[PlanEvent] | None = None) -> int:
    """Judge every armed plan of an instrument on its closed bars up to ``now``; return how many plans changed.

    Plans that another process is judging are left to it. heard: takes what happened.
    """
    waiting = Judgement.objects.being_judged(instrument_id).select_for_update(skip_locked=True, of=("self",))
    if (reached := pass_over(instrument_id=instrument_id, now=now)) is not None:
        waiting = waiting.exclude(through_at__gte=reached)
    judgements = list(waiting.order_by("pk"))
    changed = 0
    while judgements:
        since = min(_since(one) for one in judgements)
        until = min(now, since + _PART)
        behind = {one: _since(one) for one in judgements if _since(one) < until}
        changed += _settle_part(list(behind), MarketSpan(instrument_id, since, until), heard)
        if until >= now:
            break
        # One that did not come on waits for a bar that is missing.
        judgements = [one for one in judgements if not one.is_done and _since(one) != behind.get(one)]
    changed += rejudge(instrument_id=instrument_id)
    measure_closed(instrument_id=instrument_id)
    return changed


@transaction.atomic
def pass_over(*, instrument_id: int, now: dt.datetime) -> dt.datetime | None:
    """Move plans on, all in one statement, whose price stayed where nothing can happen; as judging each of them would.

    Returns the end of the last bar, so that who stands there needs no more; None where that can not be said: after a
    hole, after long, and where funding is paid.
    """
    since: dt.datetime | None = Judgement.objects.being_judged(instrument_id).aggregate(at=Max("through_at"))["at"]
    if since is None or not since < now <= since + _PART:
        return None
    market = MarketSpan(instrument_id, since, now)
    bars, step_ms = market.bars[market.bars["open_time"] >= epoch_ms(since)], market.step_s * 1000
    follows = bars["open_time"] == epoch_ms(since) + step_ms * np.arange(len(bars))
    if market.funding or not follows.all():
        return None
    if not len(bars):
        return since
    until = moment(int(bars["open_time"][-1]) + step_ms)
    low, high, close = (Decimal(repr(float(x))) for x in (bars["low"].min(), bars["high"].max(), bars["close"][-1]))
    calm = Judgement.objects.quiet(instrument_id, since, until, (low, high))
    calm.update(through_at=until, last_price=close)
    return until


def _since(judgement: Judgement) -> dt.datetime:
    return judgement.through_at or armed_minute(judgement)


def _settle_part(judgements: list[Judgement], market: MarketSpan, heard: list[PlanEvent] | None) -> int:
    events: list[PlanEvent] = []
    moved: list[Judgement] = []
    idle: defaultdict[tuple[dt.datetime, Decimal], list[int]] = defaultdict(list)
    wider: list[Judgement] = []
    presses = presses_of(judgements)
    for one in judgements:
        terms = read_terms(one.terms)
        before = _state(one, terms)
        judged = judge(
            terms,
            before,
            market.bars,
            step_ms=market.step_s * 1000,
            funding=market.funding,
            signals=market.signals(terms, presses.get(one.pk, [])),
            lost=market.lost,
            finer=market.finer,
        )
        _place(one, terms, judged.state)
        if judged.events or replace(judged.state, through_ms=before.through_ms, last=before.last) != before:
            _set(one, kept(terms, judged.state))
            one.engine = ENGINE_VERSION
            events += _rows(one, judged.events)
            moved.append(one)
        elif judged.state.through_ms != before.through_ms and one.through_at and one.last_price is not None:
            if _set(one, band(terms, judged.state)):
                wider.append(one)
            else:
                idle[one.through_at, one.last_price].append(one.pk)
    for (through_at, last_price), keys in idle.items():
        Judgement.objects.by_key(keys).update(through_at=through_at, last_price=last_price)
    Judgement.objects.save_all(wider, (*BAND, "through_at", "last_price"))
    Judgement.objects.save_all(moved, _SLOTS)
    PlanEvent.objects.append(events)
    if heard is not None:
        heard += events
    return len(moved)


def _set(judgement: Judgement, columns: dict[str, Any]) -> bool:
    """Set columns; return whether one became another."""
    before = [getattr(judgement, name) for name in columns]
    for name, value in columns.items():
        setattr(judgement, name, value)
    return before != list(columns.values())


def _state(judgement: Judgement, terms: Terms) -> State:
    """Return the kept state; where it stands is in columns of its own, which change each minute."""
    last = judgement.last_price
    return replace(
        from_plain(judgement.state),
        through_ms=None if judgement.through_at is None else epoch_ms(judgement.through_at),
        last=None if last is None else terms.side * last,
    )


def _place(judgement: Judgement, terms: Terms, state: State) -> None:
    judgement.through_at = None if state.through_ms is None else moment(state.through_ms)
    judgement.last_price = None if state.last is None else terms.side * state.last


def _rows(judgement: Judgement, events: tuple[Event, ...]) -> list[PlanEvent]:
    """Number what happened, after what is there."""
    rows = event_rows(judgement, events, first=judgement.event_count + 1)
    judgement.event_count += len(rows)
    return rows
