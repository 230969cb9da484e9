from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.urls import reverse

from market.models import Coverage, Quarantine, Revision
from tests.factories import make_instrument
from tests.pages import use_light_services

from .rows import after

if TYPE_CHECKING:
    from django.test import Client
    from pytest_django.fixtures import Settings

MODELS = ["instrument", "coverage", "quarantine", "revision"]


@pytest.fixture
def rows(db: None, settings: Settings) -> None:
    use_light_services(settings)
    instrument = make_instrument()
    Coverage.objects.create(instrument=instrument, series="bars", timeframe=300, start_at=after(0), end_at=after(5))
    Quarantine.objects.create(
        instrument=instrument, series="bars", origin="BTCUSDT-5m.csv", line=7, reason="why", raw="<b>x", digest="d"
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
