"""Campaigns take minutes and want the machine for themselves: they run when BH_CAMPAIGNS=1 asks for them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from tests.campaigns.faults import World, open_world

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_django import Settings


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip what is long, unless it is asked for."""
    skip = pytest.mark.skip(reason="a campaign: set BH_CAMPAIGNS=1")
    for item in items:
        if "campaigns" in item.path.parts and os.environ.get("BH_CAMPAIGNS") != "1":
            item.add_marker(skip)


@pytest.fixture(scope="module")
def served() -> Iterator[World]:
    yield from open_world()


@pytest.fixture
def world(served: World, settings: Settings, db: None) -> World:
    settings.VENUES_URL = served.double.address
    del db
    served.furnish()
    return served
