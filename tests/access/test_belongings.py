"""Everything of a person: as a file, and gone once they go. The tables tell by themselves whether one was forgotten."""

from __future__ import annotations

import datetime as dt
import io
import json
import os
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from allauth.account.models import EmailAddress
from django.apps import apps
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.db import connection, models
from django.test import Client
from django.utils import timezone
from redis import Redis

from access.mail.sending import send_due
from access.models import Ask, User
from access.operations import create_api_key, erase_account
from access.registry import BELONGINGS
from alerts.models import Notice, Rule, Watched
from bhweb import environment
from bhweb.settings import CACHES, REDIS_URL
from journal import operations
from tests.access.early import ask, confirmed
from tests.factories import make_heatmap, make_plan, make_user, make_zone
from tests.journal.test_trades import SOLD, take

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_django import Settings

    from heatmaps.models import Zone

pytestmark = pytest.mark.django_db
PASSWORD = "a long enough phrase"
TRACED = {
    "access_apikey", "access_ask", "access_localmail", "access_mail", "access_signup", "access_user",
    "account_emailaddress", "alerts_notice", "django_session", "journal_plan", "journal_tradefile",
}  # fmt: skip
CANARIES = [f"canary{number:02d}@example.com" for number in range(20)]


@pytest.fixture(autouse=True)
def here(settings: Settings) -> None:
    settings.SIGN_UP = "open"
    settings.EMAIL_BACKEND = "access.mail.local.LocalBackend"


def log_in(email: str) -> Client:
    client = Client()
    assert client.post("/login/", {"login": email, "password": PASSWORD}).status_code == 302
    return client


def again(client: Client) -> None:
    assert client.post("/account/again/", {"password": PASSWORD}).status_code == 302


def member() -> Client:
    make_user(password=PASSWORD)
    return log_in("owner@example.com")


def test_everything_is_handed_out_but_secrets_and_nothing_of_others() -> None:
    make_user(email="canary@example.com", password=PASSWORD)
    client = member()
    assert client.get("/account/export/")["Location"].startswith("/account/again/")
    again(client)
    bundle = zipfile.ZipFile(io.BytesIO(client.get("/account/export/").content))
    files = {name: json.loads(bundle.read(name)) for name in bundle.namelist()}
    assert set(files) == {f"{slug}.json" for slug in BELONGINGS}
    assert files["account.json"][0]["email"] == "owner@example.com"
    told = json.dumps(files)
    assert "canary" not in told
    for secret in (User.objects.get(email="owner@example.com").password, client.session.session_key):
        assert str(secret) not in told


def test_every_model_that_points_to_a_user_is_declared() -> None:
    known = {belonging.model.lower() for belonging in BELONGINGS.values()}
    exempt = {"admin.logentry"}
    pointing = {
        model._meta.label_lower
        for model in apps.get_models(include_auto_created=False)
        for field in model._meta.get_fields()
        if getattr(field, "related_model", None) is User and field.concrete and not field.many_to_many
    }
    assert pointing - known - exempt == set()


def test_erasure_asks_for_the_address_and_leaves_nothing() -> None:
    client = member()
    again(client)
    make_user(email="other@example.com")
    assert client.post("/account/erase/", {"email": "other@example.com"}).status_code == 422
    assert client.post("/account/erase/", {"email": "Owner@example.com"}).status_code == 200
    assert [user.email for user in User.objects.all()] == ["other@example.com"]
    assert client.get("/account/").status_code == 302
    assert EmailAddress.objects.filter(email="owner@example.com").count() == 0


def test_every_model_that_holds_an_address_is_declared() -> None:
    known = {belonging.model.lower() for belonging in BELONGINGS.values()}
    holding = {
        model._meta.label_lower
        for model in apps.get_models()
        for field in model._meta.get_fields()
        if isinstance(field, models.EmailField) or getattr(field, "name", "") == "address"
    }
    assert holding - known == set()


def live(email: str, zone: Zone) -> Client:
    """Leave a trace of an address wherever one can be left: list, mail, plans, trades, alerts, sessions."""
    confirmed(email, now=timezone.now(), note=f"I am {email}")
    user = make_user(email=email, password=PASSWORD)
    ask(email, now=timezone.now())
    Ask.objects.create(address=email.upper(), asked_at=timezone.now())
    create_api_key(user=user, name=email)
    expires_at = timezone.now() + dt.timedelta(days=1)
    make_plan(owner=user, zone=zone, expires_at=expires_at, thesis=email)
    operations.arm_plan(owner_id=user.pk, number=1, now=timezone.now())
    take(user, SOLD, timezone.now())
    operations.keep_file(owner_id=user.pk, name=f"{email}.csv", content=SOLD, now=timezone.now())
    Rule.objects.owned_by(user.pk).create(owner=user, instrument=zone.heatmap.instrument, kind="swept")
    Watched.objects.owned_by(user.pk).create(owner=user, instrument=zone.heatmap.instrument)
    Notice.objects.append([Notice(owner=user, instrument=zone.heatmap.instrument, kind="swept", subject=email,
                                  at=timezone.now(), text=email)])  # fmt: skip
    client = log_in(email)
    client.post("/reset/", {"email": email})
    send_due()
    return client


def traces() -> dict[str, int]:
    """Return in how many rows of each table a canary stands, in whatever column; sessions are opened."""
    found: dict[str, int] = {}
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(
                f"SELECT count(*) FROM {connection.ops.quote_name(table)} AS t WHERE t::text ILIKE '%canary%'"
            )
            found[table] = cursor.fetchone()[0]
    opened = [json.dumps(session.get_decoded(), default=str) for session in Session.objects.all()]
    found["django_session"] += sum("canary" in one for one in opened)
    return {table: count for table, count in found.items() if count}


def broker() -> list[bytes]:
    """Return everything that Valkey holds in any of its databases: keys, and values of whatever kind."""
    held = []
    with Redis.from_url(environment.redis_py(REDIS_URL)) as store:
        count = int(store.config_get("databases")["databases"])
    for number in range(count):
        with Redis.from_url(environment.redis_py(REDIS_URL, further=number)) as store:
            for key in store.scan_iter(count=1000):
                kind = store.type(key)
                held += [key, repr(_READ[kind](store, key)).encode()]
    return held


_READ: dict[bytes, Callable[[Redis, bytes], Any]] = {
    b"string": lambda store, key: store.get(key),
    b"list": lambda store, key: store.lrange(key, 0, -1),
    b"hash": lambda store, key: store.hgetall(key),
    b"set": lambda store, key: store.smembers(key),
    b"zset": lambda store, key: store.zrange(key, 0, -1),
    b"stream": lambda store, key: store.xrange(key),
}


def logs() -> list[bytes]:
    """Return what the database and the broker of this run have written into their files."""
    found = [path.read_bytes() for path in Path(os.environ["BH_DATA_DIR"]).rglob("*.log")]
    return found or [b""]


def test_erasure_leaves_no_trace_of_twenty_canaries_anywhere(
    caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str], settings: Settings
) -> None:
    # The cache of the product, in the broker's server, instead of the tests' own.
    settings.CACHES = {**settings.CACHES, "default": CACHES["default"]}
    cache.set("bh:canary-control", "canary")
    assert any(b"canary" in one for one in broker())
    cache.delete("bh:canary-control")
    zone = make_zone(heatmap=make_heatmap(), born_at=timezone.now())
    clients = [live(email, zone) for email in CANARIES]
    before = traces()
    assert set(before) >= TRACED
    for client, email in zip(clients[:10], CANARIES, strict=False):
        again(client)
        assert client.post("/account/erase/", {"email": email}).status_code == 200
    for user in User.objects.filter(email__in=CANARIES):
        erase_account(user_id=user.pk)
    assert traces() == {}
    told = [*broker(), *logs(), *(text.encode() for text in (caplog.text, *capfd.readouterr()))]
    assert [one for one in told if b"canary" in one.lower()] == []
