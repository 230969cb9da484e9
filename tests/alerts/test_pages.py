"""The page of alerts: what is asked for, what was told, and nobody else's."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from alerts.models import Notice, Preferences, Rule, Watched
from alerts.operations import look
from market.models import Instrument
from tests.factories import make_user
from tests.pages import client_of
from tests.web.published import body, client_with_key

if TYPE_CHECKING:
    from django.test import Client

    from access.models import User

pytestmark = pytest.mark.django_db
NEAR = {"instrument": "binance:BTCUSDT", "kind": "near", "threshold_pct": "2", "horizon": "24h"}


def test_a_member_asks_and_is_told(client: Client, owner: User, instrument: Instrument, now: dt.datetime) -> None:
    assert client.post("/alerts/", {**NEAR, "by_mail": "on"}).status_code == 302
    (rule,) = Rule.objects.owned_by(owner.pk)
    assert (rule.kind, f"{rule.threshold_pct}", rule.horizon, rule.by_mail) == ("near", "2.00", "", True)
    look(instrument_id=instrument.pk, now=now)
    html = client.get("/alerts/").content.decode()
    assert "price is 1.33% from Z-1" in html
    assert "Price within 2% of a zone" in html
    assert "1 unread" in html
    assert '1<span class="vh"> unread</span>' in client.get("/alerts/unread/").content.decode()
    newest = Notice.objects.owned_by(owner.pk).get().pk
    client.post("/alerts/read/", {"through": newest})
    assert client.get("/alerts/unread/").content.decode().strip() == ""
    client.post(f"/alerts/{rule.pk}/drop/")
    assert list(Rule.objects.owned_by(owner.pk)) == []
    assert Notice.objects.owned_by(owner.pk).count() == 1


def test_nobody_sees_or_changes_anothers(client: Client, owner: User, instrument: Instrument, now: dt.datetime) -> None:
    client.post("/alerts/", NEAR)
    look(instrument_id=instrument.pk, now=now)
    rule, notice = Rule.objects.owned_by(owner.pk).get(), Notice.objects.owned_by(owner.pk).get()
    other = client_of(make_user(email="other@example.com"))
    html = other.get("/alerts/").content.decode()
    assert "No alert yet" in html
    assert "Nothing told yet" in html
    assert other.post(f"/alerts/{rule.pk}/drop/").status_code == 404
    other.post("/alerts/read/", {"through": notice.pk})
    assert Notice.objects.owned_by(owner.pk).filter(read_at=None).count() == 1


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"threshold_pct": ""}, "Give a number from 0.05 to 50."),
        ({"threshold_pct": "0"}, "Give a number from 0.05 to 50."),
        ({"threshold_pct": "1,5"}, "Write a number with a point, like 1.5."),
        ({"kind": "chance", "threshold_pct": "100"}, "Give a number from 1 to 99."),
        ({"instrument": "binance:ETHUSDT"}, "Choose an instrument that is fetched"),
        ({"kind": "nonsense"}, "Select a valid choice"),
    ],
)
def test_a_mistake_says_what_to_change(
    wrong: dict[str, str], said: str, client: Client, owner: User, instrument: Instrument
) -> None:
    response = client.post("/alerts/", NEAR | wrong)
    assert (response.status_code, said in response.content.decode()) == (422, True)
    assert list(Rule.objects.owned_by(owner.pk)) == []


def test_history_is_not_offered(client: Client, instrument: Instrument) -> None:
    Instrument.objects.update(is_live=False)
    assert client.post("/alerts/", NEAR).status_code == 422


def test_quiet_hours_are_kept(client: Client, owner: User) -> None:
    sent = {"quiet_from": "23:00", "quiet_until": "06:30", "digest_minutes": "30"}
    assert client.post("/alerts/preferences/", sent).status_code == 302
    kept = Preferences.objects.owned_by(owner.pk).get()
    assert (kept.quiet_from, kept.quiet_until, kept.digest_minutes) == (dt.time(23), dt.time(6, 30), 30)
    for wrong in ({"quiet_until": ""}, {"quiet_until": "23:00"}, {"digest_minutes": "1"}):
        assert client.post("/alerts/preferences/", sent | wrong).status_code == 422


def test_the_watch_list(client: Client, owner: User, instrument: Instrument) -> None:
    for _ in range(2):
        assert client.post("/alerts/watch/", {"instrument": "binance:BTCUSDT"}).status_code == 302
    told = "−1.33%, $4.20M<br><small>80%: $2.10M to $8.40M</small>"
    # By the real clock the map of a live instrument is months old, and its intervals are wider than they were.
    assert told not in client.get("/alerts/").content.decode()
    Instrument.objects.update(is_live=False)
    assert told in client.get("/alerts/").content.decode()
    client.post("/alerts/watch/", {"instrument": "binance:BTCUSDT", "remove": "1"})
    assert list(Watched.objects.owned_by(owner.pk)) == []
    assert client.post("/alerts/watch/", {"instrument": "binance:NOUSDT"}).status_code == 404


def test_as_many_statements_for_many_notices_as_for_one(client: Client, owner: User, instrument: Instrument) -> None:
    counts = []
    for number in range(60):
        row = Notice(
            owner=owner, instrument=instrument, kind="near", subject=f"{number}", at="2026-01-01T00:00Z", text="a"
        )
        Notice.objects.append([row])
        if number in {0, 59}:
            with CaptureQueriesContext(connection) as asked:
                html = client.get("/alerts/").content.decode()
            counts.append(len(asked))
    assert counts[0] == counts[1]
    assert "Older" in html
    assert client.get("/alerts/?before=x").status_code == 400


def test_programs_read_own_alerts(client: Client, owner: User, instrument: Instrument, now: dt.datetime) -> None:
    client.post("/alerts/", NEAR)
    look(instrument_id=instrument.pk, now=now)
    program = client_with_key(owner)
    (rule,) = body(program, "/api/v1/alerts/")["results"]
    assert (rule["instrument"], rule["kind"], rule["threshold_pct"]) == ("binance:BTCUSDT", "near", "2.00")
    told = body(program, "/api/v1/alerts/notices/?limit=1")
    assert (told["unread"], told["next"], [row["kind"] for row in told["results"]]) == (1, None, ["near"])
    other = client_with_key(make_user(email="other@example.com"))
    assert body(other, "/api/v1/alerts/notices/")["results"] == body(other, "/api/v1/alerts/")["results"] == []
