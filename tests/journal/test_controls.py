"""The control of closed plans: drawn once by the worker, shown behind the gates."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from django.urls import reverse

from journal import operations, queries
from journal.api.results import spell_results
from journal.models import Judgement
from journal.queries.controls import AROUND
from journal.statistics import Gate
from market import operations as market
from market import series as s
from tests.journal.terms import text
from tests.journal.test_results import closed
from tests.journal.test_settling import PATH, add, arm, first_minute, settle

if TYPE_CHECKING:
    from django.test import Client

    from access.models import User
    from heatmaps.models import Zone

pytestmark = pytest.mark.django_db


def weeks(zone: Zone, since: dt.datetime) -> None:
    """Four weeks of five-minute bars that swing by 6 % up and down."""
    count = 28 * 288
    bars = np.zeros(count, s.BAR)
    path = 60_000 * (1 - 0.03 * np.sin(np.arange(count + 1) / 40))
    bars["open_time"] = s.epoch_ms(since) // s.STEP_MS * s.STEP_MS + s.STEP_MS * np.arange(count)
    bars["open"], bars["close"] = path[:-1].round(1), path[1:].round(1)
    bars["high"], bars["low"] = np.maximum(bars["open"], bars["close"]), np.minimum(bars["open"], bars["close"])
    bars["volume"], bars["quote_volume"] = 1.0, 60_000.0
    market.store(
        instrument_id=zone.heatmap.instrument_id, series="bars", rows=bars, timeframe=300,
        now=since + dt.timedelta(days=40),
    )  # fmt: skip


def drawn(mean: float, entered: int = 150) -> dict[str, Any]:
    return {"version": "1", "mean": mean, "spread": 1.4, "entered": entered}


def test_a_closed_plan_is_drawn_once_when_its_weeks_are_over(owner: User, zone: Zone) -> None:
    now = dt.datetime.now(dt.UTC)
    plan = arm(owner, zone, now)
    assert plan.armed_at is not None
    key, over = zone.heatmap.instrument_id, plan.armed_at + AROUND
    add(zone, first_minute(plan), PATH)
    settle(zone, first_minute(plan) + dt.timedelta(minutes=10))
    assert not queries.control_due(instrument_ids=[key], now=over - dt.timedelta(minutes=1))
    assert queries.control_due(instrument_ids=[key], now=over)
    assert operations.draw_controls(instrument_id=key, now=over) == 1
    assert Judgement.objects.owned_by(owner.pk).get().control == {"version": "1", "why": "bars"}
    assert not queries.control_due(instrument_ids=[key], now=over)
    assert operations.draw_controls(instrument_id=key, now=over) == 0


def test_what_is_drawn_can_be_drawn_again(owner: User, zone: Zone) -> None:
    plan = arm(owner, zone, dt.datetime.now(dt.UTC))
    assert plan.armed_at is not None
    weeks(zone, plan.armed_at - AROUND)
    settle(zone, plan.armed_at + AROUND)
    judged = Judgement.objects.owned_by(owner.pk)
    assert judged.get().phase == "closed"
    told = []
    for _ in range(2):
        operations.draw_controls(instrument_id=zone.heatmap.instrument_id, now=plan.armed_at + AROUND)
        told.append(judged.get().control or {})
        judged.update(control=None)
    found = told[0]
    assert told[1] == found
    assert found["seed"] == plan.pk
    assert found["entered"] + found["unentered"] + found["lost"] == found["draws"] == 200
    assert found["entered"] > 50
    assert found["spread"] > 0


def test_few_are_counted_many_are_compared(owner: User, zone: Zone, client: Client) -> None:
    closed(owner, zone, [(2.0, 2.0), (-1.0, -1.0)] * 15, "retest")
    keys = list(Judgement.objects.owned_by(owner.pk).order_by("pk").values_list("pk", flat=True))
    rows = Judgement.objects.owned_by(owner.pk)
    rows.filter(pk__in=keys[:9]).update(control=drawn(-0.5))
    rows.filter(pk__in=keys[9:12]).update(control=drawn(-0.5, entered=19))
    found = queries.results(owner_id=owner.pk).controls
    assert (found.count, found.waiting, found.without, found.gate, found.found) == (9, 18, 3, Gate.COUNTS, None)
    page = text(client.get(reverse("journal:review")))
    assert "9 closed plans compared with the same plan at random moments; from ten on" in page
    assert "18 plans waiting" in page
    assert "3 plans without a comparison" in page
    assert "would have given" not in page
    sent = spell_results(queries.results(owner_id=owner.pk))["controls"]
    assert (sent["count"], sent["own"], sent["drawn"], sent["gain"], sent["as_high"]) == (9, None, None, None, None)
    rows.update(control=drawn(-0.5))
    found = queries.results(owner_id=owner.pk).controls
    assert found.found is not None
    assert (found.found.drawn, found.found.gain.value) == (-0.5, 1.0)
    page = text(client.get(reverse("journal:review")))
    for words in ("These plans made more than random moments would have", "; 30 plans are few.", "−0.50 R",
                  "What random entry at the same distances would have given", "less than 1 % of the time"):  # fmt: skip
        assert words in page
    rows.update(control=drawn(0.5))
    assert "It is not shown that place and moment" in text(client.get(reverse("journal:review")))
