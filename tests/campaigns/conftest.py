"""The lives of the product with faults are played beside a double of its venues, one for each file of tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.campaigns.faults import World, open_world

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_django import Settings


@pytest.fixture(scope="module")
def served() -> Iterator[World]:
    yield from open_world()


@pytest.fixture
def world(served: World, settings: Settings, db: None) -> World:
    settings.VENUES_URL = served.double.address
    del db
    served.furnish()
    return served
