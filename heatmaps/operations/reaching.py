"""Chances of a touch: learn them once a day, state them each hour, judge them when their horizon is over.

Each writes rows that are never written again; repeating it at once adds nothing.
"""

from __future__ import annotations

import datetime as dt
from hashlib import sha256
from typing import TYPE_CHECKING, Final

import numpy as np
from django.db import transaction

from heatmaps.core.reach import HORIZONS, PARAMETERS, SLUG, VERSION, Path, fit
from heatmaps.core.touches import distances
from heatmaps.models import Outcome, Reach, Statement
from heatmaps.queries import (
    MOST_LEARNT,
    Reachability,
    get_heatmap,
    get_reach,
    has_grown,
    load_path_bars,
    near_edge,
    reachability,
    stating_due,
    zones_between,
)
from market.queries import stored_span
from market.series import DAY_MS, STEP_MS, epoch_ms, moment

from . import storing
from .publishing import freeze_release

if TYPE_CHECKING:
    from market.series import Records

HOUR: Final = dt.timedelta(hours=1)
# Windows of days overlap so much that each hour's would say the same.
EVERY_HOURS: Final = {"4h": 1, "24h": 1, "3d": 6, "7d": 6}
# So long a bar that is missing may still be filled in before an outcome is judged without it.
PATIENCE: Final = dt.timedelta(days=1)
# Horizons that are over, per call: a day's of them.
MOST_JUDGED: Final = 64
# Zones that were followed no farther than this behind the price are not stated.
_ZONE_LAG: Final = HOUR


def learn_reach(*, instrument_id: int, now: dt.datetime) -> Reach | None:
    """Learn from the bars up to the beginning of the newest day, once; None where no bar is stored.

    It is learnt again where history has grown backwards by a week.
    """
    span = stored_span(instrument_id=instrument_id)
    if span is None:
        return None
    through = moment(epoch_ms(min(now, span[1])) // DAY_MS * DAY_MS)
    with transaction.atomic():
        storing.lock(purpose="learn", instrument_id=instrument_id)
        found = get_reach(instrument_id=instrument_id, at=through)
        if found is not None and found.learnt_through == through and not has_grown(found, span[0]):
            return found
        return _learn(instrument_id, through)


def _learn(instrument_id: int, through: dt.datetime) -> Reach:
    release = freeze_release(slug=SLUG, version=VERSION, parameters=PARAMETERS)
    bars = load_path_bars(instrument_id=instrument_id, since=through - MOST_LEARNT, until=through)
    learnt = fit(Path.of(bars))
    values = {
        "learnt_from": moment(int(bars["open_time"][0])) if len(bars) else None,
        "body": learnt.pack(),
        "refused": dict(learnt.refused),
    }
    key = {"instrument_id": instrument_id, "release": release, "learnt_through": through}
    reach, _ = Reach.objects.get_or_create(**key, input_digest=_digest(bars), defaults=values)
    return reach


def _digest(bars: Records) -> str:
    """SHA-256 of what is learnt from: open time, low, high and close of each bar."""
    rows = np.column_stack([bars[name].astype("<f8") for name in ("open_time", "low", "high", "close")])
    return sha256(rows.tobytes()).hexdigest()


def state_chances(*, instrument_id: int, now: dt.datetime) -> list[Statement]:
    """State the hour's chances, unless they are stated, and judge those whose horizon is over.

    They are stated as of the end of the newest five-minute bar, with the zones as they are then: never afterwards.
    """
    with transaction.atomic():
        storing.lock(purpose="reach", instrument_id=instrument_id)
        stated = _state(instrument_id, now)
        judge(instrument_id=instrument_id, now=now)
    return stated


def _state(instrument_id: int, now: dt.datetime) -> list[Statement]:
    span = stored_span(instrument_id=instrument_id)
    if span is None or not stating_due(instrument_ids=[instrument_id], now=now):
        return []
    found = reachability(instrument_id=instrument_id, at=min(now, span[1]))
    if found.at is None:
        return []
    zones = _zone_levels(instrument_id, found)
    wanted = [name for name, every in EVERY_HOURS.items() if found.at.hour % every == 0]
    rows = [_statement(instrument_id, found, name, zones) for name in wanted]
    return Statement.objects.bulk_create(rows)


def _zone_levels(instrument_id: int, found: Reachability) -> dict[int, float]:
    """The nearest edge of each active zone that the price is not in."""
    heatmap = get_heatmap(instrument_id=instrument_id)
    if heatmap is None or found.at is None or found.price is None:
        return {}
    if heatmap.zones_through is None or heatmap.zones_through < found.at - _ZONE_LAG:
        return {}
    alive = [zone for zone in zones_between(heatmap=heatmap, since=found.at, until=found.at) if zone.ended_at is None]
    edges = {zone.pk: near_edge(zone, found.price) for zone in alive}
    return {pk: edge for pk, edge in edges.items() if edge is not None}


def _statement(instrument_id: int, found: Reachability, name: str, zones: dict[int, float]) -> Statement:
    assert found.at is not None
    assert found.reach is not None
    steps, reason = HORIZONS[name], found.refused.get(name, "")
    row = Statement(
        reach=found.reach,
        instrument_id=instrument_id,
        horizon=name,
        stated_at=found.at,
        due_at=found.at + dt.timedelta(milliseconds=steps * STEP_MS),
        price=found.price,
        refused=reason,
        levels=[],
        zones=[],
        chances=[],
        base=[],
    )
    if not reason and found.price is not None:
        away = distances(steps)
        fixed = [*(found.price * np.exp(-away)).tolist(), *(found.price * np.exp(away)).tolist()]
        row.levels = [*fixed, *zones.values()]
        row.zones = [*(0 for _ in fixed), *zones]
        row.chances, row.base = found.chances(row.levels)[name], found.base(row.levels)[name]
    return row


def judge(*, instrument_id: int, now: dt.datetime) -> int:
    """Write down how far the price went within each horizon that is over; return how many were judged.

    Where bars are missing it waits a day for them.
    """
    span = stored_span(instrument_id=instrument_id)
    if span is None:
        return 0
    due = Statement.objects.filter(instrument_id=instrument_id, refused="", outcome=None, due_at__lte=min(now, span[1]))
    outcomes = [_outcome(one, now) for one in due.order_by("due_at", "pk")[:MOST_JUDGED]]
    judged = [one for one in outcomes if one.missing == 0 or now - one.statement.due_at >= PATIENCE]
    Outcome.objects.bulk_create(judged)
    return len(judged)


def _outcome(statement: Statement, now: dt.datetime) -> Outcome:
    bars = load_path_bars(instrument_id=statement.instrument_id, since=statement.stated_at, until=statement.due_at)
    return Outcome(
        statement=statement,
        low=float(bars["low"].min()) if len(bars) else None,
        high=float(bars["high"].max()) if len(bars) else None,
        missing=HORIZONS[statement.horizon] - len(bars),
        judged_at=now,
    )
