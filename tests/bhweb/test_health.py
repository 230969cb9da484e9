from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.db import InterfaceError, OperationalError, connection
from django.urls import reverse

from bhweb.models import Job
from tests.factories import make_user
from tests.pages import client_of, use_light_services

if TYPE_CHECKING:
    import datetime as dt

    from django.test import Client
    from pytest_django import Settings

    from market.models import Instrument


def test_healthz_is_ok_for_anyone(client: Client, db: None) -> None:
    answer = client.get("/healthz")
    assert (answer.status_code, answer.content) == (200, b"ok\n")


@pytest.mark.parametrize("error", [OperationalError, InterfaceError])
def test_healthz_without_database_is_503(
    error: type[Exception], client: Client, db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def _refuse() -> None:
        raise error("gone")

    with monkeypatch.context() as broken:
        broken.setattr(connection, "cursor", _refuse)
        answer = client.get("/healthz")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "2")


def test_dead_jobs_are_shown_to_staff_with_their_reason(
    instrument: Instrument, now: dt.datetime, settings: Settings
) -> None:
    use_light_services(settings)
    job = Job.objects.create(
        stage="ingest", instrument=instrument, slot_at=now, queue="live", state="dead", error="ValueError: no price"
    )
    staff = client_of(make_user(email="staff@example.com", is_staff=True))
    assert "ValueError: no price" in staff.get(reverse("admin:bhweb_job_changelist")).content.decode()
    page = reverse("admin:bhweb_job_change", args=[job.pk])
    assert [staff.get(page).status_code, staff.post(page, {"state": "done"}).status_code] == [200, 403]
    assert staff.get(reverse("admin:bhweb_job_add")).status_code == 403
    assert staff.post(reverse("admin:bhweb_job_delete", args=[job.pk]), {"post": "yes"}).status_code == 403


@pytest.mark.parametrize("email", [None, "member@example.com"])
def test_jobs_are_hidden_from_others(db: None, settings: Settings, email: str | None) -> None:
    use_light_services(settings)
    client = client_of(make_user(email=email) if email else None)
    assert client.get(reverse("admin:bhweb_job_changelist")).status_code == 404
