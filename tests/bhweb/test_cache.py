"""Redis away: pages and the API still answer, and limits still hold."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.core.cache import caches

from bhweb.cache import HintCache

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def absent(tmp_path: Path) -> HintCache:
    return HintCache(f"unix://{tmp_path}/none.sock?db=1", {})


def test_absent_cache_is_a_miss(absent: HintCache) -> None:
    absent.set("key", "value", 60)
    assert absent.get("key", "made anew") == "made anew"


@pytest.mark.django_db
def test_limits_are_counted_in_the_database() -> None:
    caches["limits"].set("key", [1.0, 2.0], 60)
    assert caches["limits"].get("key") == [1.0, 2.0]
    assert type(caches["limits"]).__name__ == "DatabaseCache"
