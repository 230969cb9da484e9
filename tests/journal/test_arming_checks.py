"""What arming refuses beyond what a draft needs."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from journal import operations, queries
from market.operations import store
from market.series import BAR, epoch_ms
from tests.factories import make_plan
from tests.journal.terms import NOW, SOON

if TYPE_CHECKING:
    from access.models import User
    from heatmaps.models import Zone

pytestmark = pytest.mark.django_db
HOUR = dt.timedelta(hours=1)


@pytest.fixture(autouse=True)
def market(zone: Zone) -> None:
    """A day of minutes at 60,000, up to now."""
    bars = np.zeros(24 * 60, BAR)
    bars["open_time"] = epoch_ms(NOW - 24 * HOUR) + 60_000 * np.arange(len(bars))
    for name, price in (("open", 60_000), ("high", 60_010), ("low", 59_990), ("close", 60_000)):
        bars[name] = price
    store(instrument_id=zone.heatmap.instrument_id, series="bars", rows=bars, timeframe=60, now=NOW)


def arm(owner: User, zone: Zone, **changes: Any) -> dict[str, str]:  # noqa: ANN401  # terms by name
    plan = make_plan(owner=owner, zone=zone, expires_at=SOON)
    for name, value in changes.items():
        setattr(plan, name, value)
    plan.save()
    try:
        operations.arm_plan(owner_id=owner.pk, number=1, now=NOW)
    except operations.UnfitError as refusal:
        assert queries.get_plan(owner_id=owner.pk, number=1).armed_at is None
        return refusal.problems
    return {}


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"entry_kind": "stop"}, "entry", "A breakout of a long lies above the last price, 60000."),
        ({"entry": Decimal(60_100)}, "entry", "A resting order of a long lies below the last price, 60000."),
        (
            {"direction": "short", "invalidation": Decimal(59_900), "targets": [["58000", "1"]]},
            "entry",
            "A resting order of a short lies above the last price",
        ),
        ({"entry_kind": "edge", "entry": Decimal(59_000)}, "entry", "The zone's near edge is 59200.1 now."),
        ({"invalidation": Decimal("59199.8")}, "invalidation", "Put the invalidation at least 41.44 from the entry"),
        ({"targets": [["59210", "1"]]}, "targets", "The target does not cover the costs."),
        ({"leverage": Decimal(80), "equity": Decimal(10_000)}, "leverage", "liquidated before the invalidation"),
        ({"equity": Decimal(1)}, "equity", "The smallest tradable size risks"),
        ({"management": "trail", "trail_atr": Decimal(2)}, "", ""),
        ({"entry_kind": "stop", "entry": Decimal(60_100)}, "", ""),
        ({"entry_kind": "edge", "entry": Decimal("59200.1")}, "", ""),
        ({}, "", ""),
    ],
)
def test_arming_says_what_to_change(changes: dict[str, Any], field: str, words: str, owner: User, zone: Zone) -> None:
    problems = arm(owner, zone, **changes)
    assert list(problems) == ([field] if field else [])
    assert words in "".join(problems.values())


def test_stop_can_not_trail_by_what_is_not_known(owner: User, zone: Zone) -> None:
    bare = make_plan(owner=owner, zone=zone, expires_at=SOON, number=2)
    context = queries.read_context(plan=bare, now=NOW - 25 * HOUR)
    assert context.layers["atr"] is None
    bare.management, bare.trail_atr = "trail", Decimal(2)
    problems = operations.find_obstacles(plan=bare, context=context, now=NOW)
    assert list(problems) == ["trail_atr"]


def test_old_map_is_not_what_a_live_market_looks_like(owner: User, zone: Zone) -> None:
    zone.heatmap.built_from, zone.heatmap.built_through = NOW - 2 * HOUR, NOW - HOUR
    zone.heatmap.save()
    zone.heatmap.instrument.is_live = True
    zone.heatmap.instrument.save()
    assert list(arm(owner, zone)) == ["zone"]


def test_page_names_other_plans_on_the_instrument(owner: User, zone: Zone) -> None:
    assert arm(owner, zone) == {}
    other = make_plan(owner=owner, zone=zone, expires_at=SOON, number=2)
    assert queries.find_neighbours(plan=other) == ["P-1 is armed on the same instrument, the same way."]
    other.direction = "short"
    assert queries.find_neighbours(plan=other) == ["P-1 is armed on the same instrument, the other way."]


def test_picture_is_frozen(owner: User, zone: Zone) -> None:
    assert arm(owner, zone) == {}
    evidence = queries.get_plan(owner_id=owner.pk, number=1).evidence or {}
    assert len(evidence["picture"]["closes"]) in {96, 97}
    assert evidence["context"]["atr"] == "20"
