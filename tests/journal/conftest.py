from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.factories import make_heatmap, make_user, make_zone
from tests.pages import client_of, light_services

if TYPE_CHECKING:
    import datetime as dt

    from django.test import Client

    from access.models import User
    from heatmaps.models import Zone

__all__ = ["light_services"]


@pytest.fixture
def owner() -> User:
    return make_user()


@pytest.fixture
def zone(now: dt.datetime) -> Zone:
    return make_zone(heatmap=make_heatmap(), born_at=now)


@pytest.fixture
def client(owner: User) -> Client:
    return client_of(owner)
