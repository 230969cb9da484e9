from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from heatmaps.models import Zone
from market.models import Instrument
from tests.factories import make_user
from tests.pages import client_of, light_services
from tests.web.screened import make_line

if TYPE_CHECKING:
    import datetime as dt

    from django.test import Client

    from access.models import User

__all__ = ["light_services"]


@pytest.fixture
def owner() -> User:
    return make_user()


@pytest.fixture
def instrument(now: dt.datetime) -> Instrument:
    """Live, at 60,000, with a zone of longs whose near edge is 1.33 % below."""
    made: Instrument = make_line(symbol="BTCUSDT", now=now).instrument
    Instrument.objects.update(is_live=True)
    return Instrument.objects.get(pk=made.pk)


@pytest.fixture
def zone(instrument: Instrument) -> Zone:
    return Zone.objects.get(heatmap__instrument=instrument)


@pytest.fixture
def client(owner: User) -> Client:
    return client_of(owner)
