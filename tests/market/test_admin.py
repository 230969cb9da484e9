from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.contrib.auth.models import Permission
from django.urls import reverse

from market.models import Coverage, Hole, Instrument, LeverageBracket, Quarantine, Revision
from market.sources.base import SourceError
from tests.factories import make_instrument, make_user
from tests.pages import client_of, use_light_services

from .listed import ListedVenue, facts, register
from .rows import after

if TYPE_CHECKING:
    from django.test import Client
    from pytest_django.fixtures import Settings

MODELS = ["instrument", "coverage", "hole", "leveragebracket", "quarantine", "revision"]


@pytest.fixture
def rows(db: None, settings: Settings) -> None:
    use_light_services(settings)
    instrument = make_instrument()
    Coverage.objects.create(instrument=instrument, series="bars", timeframe=300, start_at=after(0), end_at=after(5))
    Quarantine.objects.create(
        instrument=instrument, series="bars", origin="BTCUSDT-5m.csv", line=7, reason="why", raw="<b>x", digest="d"
    )
    Hole.objects.create(instrument=instrument, series="bars", timeframe=300, start_at=after(5), end_at=after(9))
    LeverageBracket.objects.create(
        instrument=instrument, as_of_date=after(0).date(), floor=0, max_leverage=125, maintenance_rate=0.004
    )
    Revision.objects.create(instrument=instrument, series="bars", key_time=after(0), former={"close": 1})


@pytest.mark.usefixtures("rows")
@pytest.mark.parametrize("model", MODELS)
def test_admin_lists_what_is_stored(admin_client: Client, model: str) -> None:
    page = admin_client.get(reverse(f"admin:market_{model}_changelist"))
    assert page.status_code == 200
    assert page.context["cl"].result_count == 1


@pytest.mark.usefixtures("rows")
@pytest.mark.parametrize("model", MODELS)
def test_admin_lets_nobody_edit(admin_client: Client, model: str) -> None:
    assert admin_client.get(reverse(f"admin:market_{model}_add")).status_code == 403
    page = admin_client.get(reverse(f"admin:market_{model}_changelist"))
    pk = page.context["cl"].result_list[0].pk
    assert admin_client.post(reverse(f"admin:market_{model}_change", args=[pk]), {}).status_code == 403
    assert admin_client.post(reverse(f"admin:market_{model}_delete", args=[pk]), {"post": "yes"}).status_code == 403


def act(client: Client, action: str) -> list[str]:
    chosen = Instrument.objects.values_list("pk", flat=True)
    answer = client.post(
        reverse("admin:market_instrument_changelist"), {"action": action, "_selected_action": list(chosen)}, follow=True
    )
    return [str(message) for message in answer.context["messages"]]


@pytest.fixture
def listed(rows: None, monkeypatch: pytest.MonkeyPatch) -> ListedVenue:
    venue = ListedVenue("binance", listed=[facts(tick_size="0.5"), facts("ETHUSDT")])
    register(monkeypatch, binance=venue)
    return venue


def test_admin_switches_instruments(listed: ListedVenue, admin_client: Client) -> None:
    assert act(admin_client, "enable") == ["1 instruments are fetched from now on."]
    assert Instrument.objects.get().is_live is True
    assert act(admin_client, "disable") == ["1 instruments are fetched no longer."]
    assert Instrument.objects.get().is_live is False


def test_admin_syncs_the_venues_of_what_is_chosen(listed: ListedVenue, admin_client: Client) -> None:
    counts = "2 listed, 1 new, 1 changed, 0 ended, 0 bracket tables, 0 in quarantine"
    assert act(admin_client, "sync") == [f"binance: {counts}"]
    assert listed.asked == []
    listed.error = SourceError("binance does not answer", is_outage=True)
    assert act(admin_client, "sync") == ["binance: binance does not answer"]


def test_admin_says_what_can_not_be_enabled(rows: None, monkeypatch: pytest.MonkeyPatch, admin_client: Client) -> None:
    register(monkeypatch)
    (refused,) = act(admin_client, "enable")
    assert refused == "binance:BTCUSDT: nothing is fetched from binance; known: simulated."
    assert act(admin_client, "sync") == ["There is no source called 'binance'; known: simulated."]


def test_admin_offers_no_action_to_staff_who_may_only_look(rows: None) -> None:
    user = make_user(is_staff=True)
    user.is_superuser = False
    user.save()
    user.user_permissions.add(Permission.objects.get(codename="view_instrument"))
    client = client_of(user)
    assert act(client, "enable") == []
    assert Instrument.objects.get().is_live is False
    assert "Fetch from now on" not in client.get(reverse("admin:market_instrument_changelist")).content.decode()
