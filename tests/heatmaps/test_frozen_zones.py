from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.db import DatabaseError, connection, transaction

from heatmaps.models import Zone
from tests.factories import make_heatmap, make_zone

if TYPE_CHECKING:
    import datetime as dt

pytestmark = pytest.mark.django_db


@pytest.fixture
def zone(now: dt.datetime) -> Zone:
    return make_zone(heatmap=make_heatmap(), born_at=now)


@pytest.mark.parametrize(
    "change",
    [
        """evidence = '{"usd": "1"}'""",
        "evidence_sha256 = ''",
        "input_digest = 'f'",
        "born_at = born_at - interval '1 ms'",
        "number = 2",
        "position_side = -1",
        "heatmap_id = heatmap_id + 1",
    ],
)
def test_database_keeps_a_zone_as_it_formed(change: str, zone: Zone) -> None:
    with connection.cursor() as cursor:
        with pytest.raises(DatabaseError, match="is frozen as it formed"), transaction.atomic():
            cursor.execute(f"UPDATE heatmaps_zone SET state = 'expired', ended_at = now(), {change}")
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    zone.refresh_from_db()
    assert (zone.number, zone.position_side, zone.state) == (1, 1, "active")


def test_database_lets_a_zone_live_and_go(zone: Zone, now: dt.datetime) -> None:
    assert Zone.objects.update(usd=1.0, tested_at=now, state="swept", ended_at=now) == 1
    assert Zone.objects.all().delete()[0] == 1
