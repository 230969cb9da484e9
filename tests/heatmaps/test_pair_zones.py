"""Zones of an asset pair: found on the sum, frozen with who was in it, and kept while a member is missing."""

from __future__ import annotations

import pytest

from heatmaps.models import Zone
from heatmaps.operations import track_zones
from heatmaps.operations.evidence import SCHEMA
from heatmaps.queries import list_zones, read_column
from market.canonical import digest
from market.series import STEP_MS, epoch_ms

from .markets import LATE
from .pairs import Made, add_up, the_pair, the_sum, three

pytestmark = pytest.mark.django_db
STEPS = 900


def follow(members: tuple[Made, ...], *, until: float | None = None) -> list[Zone]:
    for one in members:
        one.tell(until=until)
    add_up()
    track_zones(instrument_id=the_pair().pk, now=LATE)
    return list(Zone.objects.filter(heatmap=the_sum()).order_by("number"))


def test_zones_are_found_on_the_sum_and_name_the_members_that_were_in_it() -> None:
    zones = follow(three(STEPS))
    assert zones
    zone = zones[-1]
    assert zone.evidence_sha256 == digest(zone.evidence)
    assert (zone.evidence["schema"], zone.evidence["estimator"]) == (SCHEMA, "sum-open-interest")
    members = zone.evidence["members"]
    assert [one["instrument"] for one in members] == ["binance:BTCUSDT", "bybit:BTCUSDT", "okx:BTCUSDT"]
    assert {one["is_in"] for one in members} == {"yes"}
    assert sum(float(one["share_pct"]) for one in members) == pytest.approx(100.0, abs=1e-4)
    found = read_column(heatmap=the_sum(), period=epoch_ms(zone.born_at) // STEP_MS - 1)
    assert found is not None
    assert [float(one["open_interest_usd"]) for one in members] == pytest.approx(list(found[1]["open_interest"]))


def test_zones_of_one_instrument_name_no_members() -> None:
    members = three(STEPS)
    follow(members)
    track_zones(instrument_id=members[0].instrument.pk, now=LATE)
    zones = list_zones(heatmap=members[0].heatmap)
    assert zones
    assert all("members" not in zone.evidence for zone in zones)


def test_zone_born_without_a_member_says_who_was_missing() -> None:
    members = three(STEPS)
    follow(members, until=600)
    after = members[2].heatmap.built_through
    assert after is not None
    born = [zone for zone in follow(members[:2]) if zone.born_at > after]
    assert born
    missing = born[0].evidence["members"][2]
    assert missing == {"instrument": "okx:BTCUSDT", "is_in": "no", "share_pct": None, "open_interest_usd": None}


def test_no_zone_fades_because_the_largest_member_is_missing() -> None:
    """Without the leader less than half is left: what fades then fades for want of data."""
    members = three(STEPS)
    follow(members, until=700)
    before = the_sum().zones_through
    assert before is not None
    after = follow(members[1:], until=760)
    assert [zone.label for zone in after if zone.cause == "closed" and zone.ended_at and zone.ended_at > before] == []
    assert the_sum().zones_through != before
