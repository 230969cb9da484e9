"""What the campaigns read of a product: that the queries keep up with its tables."""

from __future__ import annotations

import pytest
from django.db import connection

from heatmaps.models.zones import STATE_FIELDS
from tests.campaigns.content import QUERIES


@pytest.mark.django_db
@pytest.mark.parametrize("name", QUERIES)
def test_query_fits_the_tables_of_today(name: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(QUERIES[name], {"end_s": 0})
        assert cursor.fetchall() == []


def test_state_of_zones_is_compared_whole() -> None:
    for name in ("zones", "zone_events"):
        assert [field for field in STATE_FIELDS if f".{field}" not in QUERIES[name]] == []
