"""Stored minutes decide what happened inside longer stored bars; without them both courses are followed."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import numpy as np
import pytest

from journal import queries
from journal.verdict import Phase
from market import operations as market
from market import series as s
from tests.journal.test_settling import MINUTE as MINUTES
from tests.journal.test_settling import arm, first_minute, settle, told

if TYPE_CHECKING:
    from access.models import User
    from heatmaps.models import Zone


def keep(zone: Zone, first: dt.datetime, rows: list[tuple[float, ...]], minutes: int) -> None:
    made = np.zeros(len(rows), s.BAR)
    for i, prices in enumerate(rows):
        made[i] = (s.epoch_ms(first + i * minutes * MINUTES), *prices, 1.0, prices[0], 0.5)
    later = first + dt.timedelta(hours=1)
    instrument_id = zone.heatmap.instrument_id
    market.store(instrument_id=instrument_id, series="bars", rows=made, timeframe=60 * minutes, now=later)


@pytest.mark.django_db
@pytest.mark.parametrize("has_minutes", [True, False])
def test_stored_minutes_decide_inside_five(owner: User, zone: Zone, has_minutes: bool) -> None:
    now = dt.datetime.now(dt.UTC)
    plan = arm(owner, zone, now)
    first = s.moment(-(-s.epoch_ms(first_minute(plan)) // 300_000) * 300_000)
    fives = [(60_000.0, 60_000.0, 59_100.0, 59_300.0), (59_300.0, 61_100.0, 58_500.0, 58_600.0)]
    keep(zone, first, [*fives, (58_600.0, 58_700.0, 58_600.0, 58_650.0)], 5)
    if has_minutes:
        tops = (60_000.0, 61_100.0, 60_500.0, 59_000.0, 58_600.0)
        starts = (59_300.0, *tops[:-1])
        minutes = [(a, max(a, b), min(a, b), b) for a, b in zip(starts, tops, strict=True)]
        keep(zone, first + 5 * MINUTES, [*minutes[:-1], (59_000.0, 59_000.0, 58_500.0, 58_600.0)], 1)
    assert settle(zone, first + 20 * MINUTES) == 1
    judgement = queries.judgements_of(owner_id=owner.pk, plan_ids=[plan.pk])[plan.pk]
    happened = [kind for kind, _ in told(owner, plan)]
    assert (judgement.phase, judgement.is_done) == (Phase.CLOSED.value, True)
    if has_minutes:
        assert happened == ["touched", "triggered", "drilled", "target", "judged"]
        assert judgement.result_low == judgement.result_high
        assert queries.list_events(owner_id=owner.pk, plan_id=plan.pk)[2].note == "in bars of 60 s"
        assert judgement.excursion is not None
        assert sorted(judgement.excursion) == ["adverse", "favourable"]
    else:
        assert happened[2] == "forked"
        assert judgement.result_low is not None
        assert judgement.result_high is not None
        assert judgement.result_low < judgement.result_high
