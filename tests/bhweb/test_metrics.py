"""/metrics: what it tells, to whom, and that it stays small."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families

from bhweb import metrics
from bhweb.environment import secret
from bhweb.models import Job
from market.models import Instrument
from market.operations.quarantine import Doubt, hold
from tests.factories import make_instrument, make_user
from tests.market.states import cover, make_states
from tests.pages import use_light_services

if TYPE_CHECKING:
    from pytest_django import Settings

pytestmark = pytest.mark.django_db
TOKEN = "a-token-that-is-long-enough"
AWAY = "192.0.2.7"
LABELS = ("venue", "series", "stage", "state", "of", "reason", "quantile")


def told() -> dict[tuple[str, ...], float]:
    """Return all values by name and labels."""
    answer = Client().get("/metrics")
    assert answer.status_code == 200
    assert answer["Content-Type"].startswith("text/plain; version=")
    return {
        (sample.name, *(sample.labels[label] for label in LABELS if label in sample.labels)): sample.value
        for family in text_string_to_metric_families(answer.content.decode())
        for sample in family.samples
    }


def test_metrics_tell_of_venues_and_websockets() -> None:
    make_states(now=timezone.now())
    values = told()
    assert [values["bh_venue_reachable", venue] for venue in ("binance", "bybit", "okx", "hyperliquid")] == [1, 0, 0, 1]
    assert [values["bh_venue_banned", venue] for venue in ("binance", "okx")] == [0, 1]
    assert values["bh_venue_retry_seconds", "okx"] == pytest.approx(7200, abs=10)
    assert values["bh_venue_retry_seconds", "binance"] == 0
    assert values["bh_venue_refusals_total", "okx"] == 3
    assert (values["bh_feed_connected", "binance"], values["bh_feed_connected", "bybit"]) == (1, 0)
    assert (values["bh_feed_reconnects_total", "bybit"], values["bh_feed_rows_total", "binance"]) == (41, 183_204)
    assert (values["bh_feed_lag_seconds", "binance", "0.95"], ("bh_feed_lag_seconds", "bybit", "0.5") in values) == (
        1.3,
        False,
    )


def test_metrics_tell_how_old_and_how_complete_series_are() -> None:
    make_states(now=timezone.now())
    values = told()
    assert values["bh_series_lag_seconds", "binance", "bars", "worst"] == pytest.approx(60, abs=10)
    assert values["bh_series_lag_seconds", "okx", "bars", "p95"] == pytest.approx(3600, abs=10)
    assert values["bh_series_instruments", "binance", "bars"] == 1  # what has ended is not waited for
    hour = 3600
    assert values["bh_series_seconds", "binance", "bars", "absent"] == 2 * hour
    assert values["bh_series_seconds", "binance", "bars", "waiting"] == 3 * hour
    assert values["bh_series_seconds", "binance", "liquidations", "lost"] == 5 * hour
    assert values["bh_series_seconds", "okx", "bars", "present"] == 47 * hour


def test_worst_and_p95_are_over_instruments() -> None:
    now = timezone.now()
    for minutes in range(1, 102):
        made = make_instrument(symbol=f"X{minutes}USDT", is_live=True)
        at = now - dt.timedelta(minutes=minutes)
        cover(made, "bars", at - dt.timedelta(hours=1), at)
    values = told()
    assert values["bh_series_lag_seconds", "binance", "bars", "worst"] == pytest.approx(101 * 60, abs=10)
    assert values["bh_series_lag_seconds", "binance", "bars", "p95"] == pytest.approx(96 * 60, abs=10)


def test_metrics_tell_of_quarantine_and_jobs(monkeypatch: pytest.MonkeyPatch) -> None:
    now = timezone.now()
    make_states(now=now)
    instrument = Instrument.objects.get(venue="bybit")
    for minute, state in enumerate(("done", "done", "dead")):
        slot_at = now - dt.timedelta(minutes=minute)
        Job.objects.create(stage="ingest", instrument=instrument, slot_at=slot_at, queue="live", state=state)
    hold(instrument=None, series="websocket", origin="okx", doubts=[Doubt("x", 'a "quoted"\nreason')])
    values = told()
    assert values["bh_quarantine_held_rows", "binance", "bars", "the price leaps"] == 3
    assert values["bh_quarantine_held_rows", "", "websocket", 'a "quoted"\nreason'] == 1
    assert (values["bh_jobs", "ingest", "done"], values["bh_jobs", "ingest", "dead"]) == (2, 1)
    monkeypatch.setattr(metrics, "REASONS_MOST", 1)
    held = {key[1:]: value for key, value in told().items() if key[0] == "bh_quarantine_held_rows"}
    assert held == {("binance", "bars", "the price leaps"): 3, ("", "", "other"): 3}


def test_metrics_do_not_grow_with_instruments() -> None:
    sizes = []
    for more in (3, 40):
        for number in range(more):
            made = make_instrument(symbol=f"X{more}N{number}", is_live=True)
            cover(made, "bars", timezone.now() - dt.timedelta(days=1), timezone.now())
        with CaptureQueriesContext(connection) as queries:
            values = told()
        sizes.append((len(values), len(queries)))
    assert sizes[0] == sizes[1]
    assert sizes[0][1] <= 6


@pytest.mark.parametrize(
    ("address", "headers", "status"),
    [
        ("127.0.0.1", {}, 200),
        ("::1", {}, 200),
        (AWAY, {}, 404),
        (AWAY, {"Authorization": f"Bearer {TOKEN}"}, 200),
        (AWAY, {"Authorization": f"bearer  {TOKEN}"}, 200),
        (AWAY, {"Authorization": "Bearer another-token-of-this-length"}, 404),
        (AWAY, {"Authorization": "Bearer \u00e9"}, 404),
        (AWAY, {"Authorization": f"Basic {TOKEN}"}, 404),
        (AWAY, {"X-Forwarded-For": "127.0.0.1"}, 404),
        # A proxy on this machine hands on what came from elsewhere.
        ("127.0.0.1", {"X-Forwarded-For": "127.0.0.1"}, 404),
        ("127.0.0.1", {"X-Real-IP": "192.0.2.7"}, 404),
        ("127.0.0.1", {"X-Forwarded-For": "192.0.2.7", "Authorization": f"Bearer {TOKEN}"}, 200),
        ("", {}, 404),
    ],
)
def test_metrics_are_for_this_machine_or_the_token(
    address: str, headers: dict[str, str], status: int, settings: Settings
) -> None:
    use_light_services(settings)
    settings.METRICS_TOKEN = TOKEN
    assert Client(headers=headers, REMOTE_ADDR=address).get("/metrics").status_code == status


def test_without_a_token_nobody_guesses_the_empty_one(settings: Settings) -> None:
    use_light_services(settings)
    settings.METRICS_TOKEN = ""
    for header in ("Bearer ", "Bearer", ""):
        assert Client(headers={"Authorization": header}, REMOTE_ADDR=AWAY).get("/metrics").status_code == 404
    staff = Client(REMOTE_ADDR=AWAY)
    staff.force_login(make_user(is_staff=True))
    assert staff.get("/metrics").status_code == 404


def test_a_short_token_is_refused_at_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BH_METRICS_TOKEN", "x" * 19)
    with pytest.raises(ImproperlyConfigured, match="at least 20 characters"):
        secret("BH_METRICS_TOKEN")
    monkeypatch.setenv("BH_METRICS_TOKEN", "x" * 20)
    assert secret("BH_METRICS_TOKEN") == "x" * 20
