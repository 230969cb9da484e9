"""Links in mails: opening one changes nothing, each works once and for its purpose; erasure leaves nothing."""

from __future__ import annotations

import datetime as dt
import json
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.contrib.sessions.backends.db import SessionStore
from django.db import connection, transaction
from django.test import Client
from django.utils import timezone

from access.early import gate, listing, tokens
from access.mail import suppress
from access.mail.sending import send_due
from access.mails import EARLY_INVITE
from access.models import LocalMail, Mail, Signup, Suppression, Tally, Token
from tests.access.early import START, ask, confirmed, invited, links, secret, signup_of
from tests.factories import make_user

pytestmark = pytest.mark.django_db
ADDRESS = "a@example.com"


@pytest.fixture(autouse=True)
def today(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the doors see the day on which the links were made."""
    monkeypatch.setattr(timezone, "now", lambda: START + dt.timedelta(minutes=1))


def paths_of_every_mail() -> list[str]:
    ask("pending@example.com")
    confirmed("listed@example.com")
    found = [*links("pending@example.com")]
    ask("listed@example.com", now=START + dt.timedelta(hours=1))
    found += links("listed@example.com")
    invited(ADDRESS)
    mail = Mail.objects.get(address=ADDRESS, notice=EARLY_INVITE.slug)
    found += [str(path) for path in mail.context.values()]
    ask(ADDRESS, now=START + dt.timedelta(hours=1))
    return found + links(ADDRESS)


def test_opening_any_link_of_any_mail_changes_nothing() -> None:
    paths = paths_of_every_mail()
    assert len(paths) == 8
    for path in paths:
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION READ ONLY")
            response = Client().get(path)
            assert (path, response.status_code) == (path, 200)
            transaction.set_rollback(True)


def test_a_link_works_once_for_its_purpose_and_in_its_time() -> None:
    ask(ADDRESS)
    ask("b@example.com")
    first = secret(ADDRESS)
    for prefix in ("invite", "yours"):
        assert tokens.find(secret=first, purpose=Token.Purpose(prefix.replace("yours", "manage")), now=START) is None
    assert Client().post(f"/early-access/invite/{first}/").status_code == 410
    assert listing.confirm(secret=first, now=START + dt.timedelta(hours=72)) is None
    assert Client().post(f"/early-access/confirm/{first}/").status_code == 200
    again = Client().post(f"/early-access/confirm/{first}/")
    assert (again.status_code, b"If you have confirmed before, all is well" in again.content) == (410, True)
    assert [signup_of(one).state for one in (ADDRESS, "b@example.com")] == ["confirmed", "requested"]


def test_a_newer_mail_replaces_the_link_of_the_older() -> None:
    ask(ADDRESS)
    old = secret(ADDRESS)
    ask(ADDRESS, now=START + dt.timedelta(minutes=20))
    assert listing.confirm(secret=old, now=START) is None
    assert listing.confirm(secret=secret(ADDRESS), now=START) is not None


def test_secrets_are_stored_as_hashes_and_leave_the_outbox_when_sent() -> None:
    ask(ADDRESS)
    word = secret(ADDRESS)
    assert len(word) == 43
    assert not Token.objects.filter(digest=word).exists()
    send_due()
    assert Mail.objects.get().context == {}


@pytest.mark.django_db(transaction=True)
def test_of_two_clicks_at_once_one_wins() -> None:
    ask(ADDRESS)
    word = secret(ADDRESS)

    def click(_: int) -> int:
        try:
            return Client().post(f"/early-access/confirm/{word}/").status_code
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as clicks:
        assert sorted(clicks.map(click, range(4))) == [200, 410, 410, 410]


def test_invitation_is_for_its_address_and_used_up_by_the_account() -> None:
    invited(ADDRESS)
    word = secret(ADDRESS)
    client = Client()
    assert client.post(f"/early-access/invite/{word}/")["Location"] == "/signup/"
    session = client.session
    held = gate.held(session=session, now=START)
    assert held is not None
    assert held.address == ADDRESS
    assert not gate.accept(session=session, user=make_user(email="other@example.com"), now=START)
    member = make_user(email=ADDRESS)
    assert gate.accept(session=session, user=member, now=START)
    assert not gate.accept(session=session, user=member, now=START)
    assert gate.held(session=session, now=START) is None
    assert (signup_of(ADDRESS).state, signup_of(ADDRESS).user) == ("accepted", member)
    assert Client().post(f"/early-access/invite/{word}/").status_code == 410


def test_a_stranger_holds_no_invitation() -> None:
    assert gate.held(session=SessionStore(), now=START) is None
    assert gate.hold(session=SessionStore(), secret="nonsense", now=START) is None


@pytest.mark.django_db(transaction=True)  # as requests are: none is one transaction
def test_unsubscribing_needs_no_cookie_and_ends_the_invitation() -> None:
    invited(ADDRESS)
    send_due()
    letter = LocalMail.objects.filter(address=ADDRESS).order_by("-pk")[0]
    assert letter.headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    link = letter.headers["List-Unsubscribe"].strip("<>").removeprefix("https://terminal.example.org")
    client = Client(enforce_csrf_checks=True)
    response = client.post(link, {"List-Unsubscribe": "One-Click"})
    assert (response.status_code, dict(response.cookies)) == (200, {})
    assert (signup_of(ADDRESS).state, signup_of(ADDRESS).stop) == ("declined", "unsubscribed")
    assert Token.objects.get(purpose="invite").end == "revoked"


def test_export_holds_everything() -> None:
    confirmed(ADDRESS, note="for research", letter=True, touch={"source": "news"})
    ask(ADDRESS, now=START + dt.timedelta(hours=1))
    yours = links(ADDRESS)[1]
    response = Client().post(f"{yours}export/")
    told = json.loads(response.content)
    assert (told["address"], told["note"], told["first_touch"]) == (ADDRESS, "for research", {"source": "news"})
    assert len(told["consents"]) == 4
    assert Client().post("/early-access/yours/nonsense/export/").status_code == 410


@pytest.mark.django_db(transaction=True)
def test_erasure_leaves_no_trace_in_a_dump() -> None:
    canaries = [f"Canary{number:02}.bird@nest{number:02}.example" for number in range(20)]
    for address in canaries:
        confirmed(address, note=f"note of {address}", letter=True, touch={"referrer": "nest.example"})
    send_due(most=100)
    for address in canaries:
        ask(address, now=START + dt.timedelta(hours=1))
        assert Client().post(f"{links(address)[1]}erase/").status_code == 200
    assert Signup.objects.count() == 0
    assert dict(Tally.objects.values_list("step", "count")) == {"requested": 20, "confirmed": 20}
    dump = dumped()
    assert "access_tally" in dump
    assert "nest.example" in dump  # the source, which is nobody's name
    assert [address for address in canaries if address.lower().split("@")[0] in dump.lower()] == []


def dumped() -> str:
    """Return all rows of the database as text."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename")
        tables = [name for (name,) in cursor.fetchall()]
        found = []
        for table in tables:
            cursor.execute(f'SELECT row_to_json(one)::text FROM "{table}" AS one')
            found += [f"{table} {row}" for (row,) in cursor.fetchall()]
    return "\n".join(found)


def test_a_bounce_keeps_an_address_out_also_after_erasure() -> None:
    signup = confirmed(ADDRESS)
    suppress(digest=signup.digest, reason="bounce")
    listing.forget_address(address=ADDRESS)
    ask(ADDRESS, now=START + dt.timedelta(hours=1))
    send_due()
    assert Mail.objects.get(address=ADDRESS).state == "withheld"
    assert Suppression.objects.count() == 1
