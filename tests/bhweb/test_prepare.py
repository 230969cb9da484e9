"""What one release needs, and what only one machine wants."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING

import pytest
from django.core.management import call_command
from django.db import connection

from access.models import LoginLink, User
from bhweb.management.commands import prepare
from market.models import Instrument
from tests.market.listed import ListedVenue, register

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_django import Settings

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def unlocked(db: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Leave the static files alone, and free the lock that ends with the process."""
    monkeypatch.setattr(prepare, "collect_static", lambda: None)
    yield
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_unlock_all()")


def told(*options: str) -> str:
    out = io.StringIO()
    call_command("prepare", *options, stdout=out)
    return out.getvalue()


def test_prepare_lets_nobody_in_and_invents_nothing() -> None:
    assert told() == ""
    assert (User.objects.count(), LoginLink.objects.count(), Instrument.objects.count()) == (0, 0, 0)


def test_prepare_makes_the_default_set_where_venues_are_wanted(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    register(monkeypatch, bybit=ListedVenue("bybit"))
    told("--demo")
    settings.VENUES = False
    told("--venues")
    assert Instrument.objects.filter(is_simulated=False).count() == 0
    settings.VENUES = True
    told("--venues")
    made = Instrument.objects.filter(is_simulated=False).order_by("symbol")
    assert [(row.key, row.is_live) for row in made] == [
        ("bybit:BTCUSDT", True),
        ("bybit:ETHUSDT", True),
        ("bybit:SOLUSDT", True),
    ]


def test_prepare_makes_the_demo_and_the_operator_on_request() -> None:
    path = json.loads(told("--demo", "--operator-link"))["login"]
    assert path.startswith("/enter/")
    assert list(User.objects.values_list("email", flat=True)) == ["operator@localhost"]
    assert list(Instrument.objects.values_list("is_simulated", flat=True)) == [True, True]
