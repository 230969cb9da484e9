"""Notes are sealed: not in a dump, not for the worker's role, not without the owner's key."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.urls import reverse

from access.operations import erase_account
from access.queries import everything_of
from journal import operations, queries
from journal.models import NoteKey, Plan, Review, WeekNote
from journal.queries.sealing import unseal
from tests.factories import make_user
from tests.journal.terms import text
from tests.journal.test_results import closed

if TYPE_CHECKING:
    from django.test import Client

    from access.models import User
    from heatmaps.models import Zone

pytestmark = pytest.mark.django_db
MONDAY = dt.date(2026, 11, 23)
NOW = dt.datetime(2026, 11, 29, tzinfo=dt.UTC)
CANARY = "canary-that-nobody-else-reads"


@pytest.fixture
def noted(owner: User) -> User:
    operations.keep_week_note(owner_id=owner.pk, monday=MONDAY, words=CANARY, now=NOW)
    return owner


def note_of(user: User) -> str:
    return queries.read_week(owner_id=user.pk, monday=MONDAY).note


def test_a_week_is_walked_through_and_noted(owner: User, zone: Zone, client: Client) -> None:
    closed(owner, zone, [(2.0, 2.0)], "retest")
    address = reverse("journal:week")
    page = text(client.get(address))
    assert "0 of 1 reviewed." in page
    assert "Review P-1" in page
    assert client.post(address, {"note": ""}).status_code == 422
    assert client.post(address, {"note": "Waited for the close."}).status_code == 302
    today = dt.datetime.now(dt.UTC).date()
    said = {"what_happened": "It held.", "lesson": "Wait.", "mistakes": "hurry"}
    after = client.post(f"{reverse('journal:plan-review', args=[1])}?week={today}", said)
    assert (after.status_code, after["Location"]) == (302, f"{address}?monday={today}")
    page = text(client.get(after["Location"]))
    for words in ("The only plan is reviewed.", "Wait.", "hurry", "+2.00 R", "Waited for the close."):
        assert words in page
    assert "No plan ended in this week." in text(client.get(address, {"monday": "2020-01-01"}))
    for wrong in ("x", "9999-01-01", "1999-01-01"):
        assert client.get(address, {"monday": wrong}).status_code == 404


def test_what_is_stored_is_noise_and_opens_for_its_owner_only(noted: User) -> None:
    assert note_of(noted) == CANARY
    told = queries.export_journal(owner_id=noted.pk)["week_notes"]
    assert told == [{"monday": "2026-11-23", "note": CANARY}]
    with connection.cursor() as cursor:
        for table in ("journal_notekey", "journal_weeknote"):
            cursor.execute(f"SELECT {table}::text FROM {table}")
            assert CANARY.encode().hex() not in (dump := str(cursor.fetchall()))
            assert CANARY not in dump
    operations.keep_week_note(owner_id=noted.pk, monday=MONDAY, words="second", now=NOW)
    assert note_of(noted) == "second"
    other = make_user(email="other@example.com")
    operations.keep_week_note(owner_id=other.pk, monday=MONDAY, words="mine", now=NOW)
    stolen = WeekNote.objects.owned_by(noted.pk).get().sealed
    WeekNote.objects.owned_by(other.pk).update(sealed=stolen)
    with pytest.raises(queries.SealedError, match="changed, moved"):
        note_of(other)
    with pytest.raises(queries.SealedError, match="changed, moved"):
        unseal(owner_id=noted.pk, place="week 2026-11-16", sealed=stolen)
    with pytest.raises(ValueError, match="begins on a Monday"):
        operations.keep_week_note(owner_id=noted.pk, monday=dt.date(2026, 11, 24), words="x", now=NOW)


def test_the_words_of_a_review_are_noise_for_all_others(owner: User, zone: Zone, client: Client) -> None:
    closed(owner, zone, [(2.0, 2.0), (2.0, 2.0)], "retest")
    said = operations.Said(f"It held: {CANARY}.", CANARY, CANARY, [CANARY])
    review = operations.review_plan(owner_id=owner.pk, number=1, said=said, now=NOW)
    operations.add_remark(owner_id=owner.pk, review_id=review.pk, text=CANARY, now=NOW)
    sent = {"plan": 2, "what_happened": CANARY, "lesson": CANARY}
    for _ in range(2):
        answer = client.post("/api/v1/reviews/", sent, "application/json", headers={"Idempotency-Key": "k"})
        assert (answer.status_code, answer.json()["lesson"]) == (201, CANARY)
    with connection.cursor() as cursor:
        for table in ("journal_review", "journal_sentanswer"):
            cursor.execute(f"SELECT {table}::text FROM {table}")
            assert CANARY.encode().hex() not in (dump := str(cursor.fetchall()))
            assert CANARY not in dump
    kept = queries.get_review(owner_id=owner.pk, plan_id=review.plan_id)
    assert kept is not None
    assert kept.words.remarks == ((NOW.isoformat(timespec="seconds"), CANARY),)
    other = queries.get_review(owner_id=owner.pk, plan_id=Plan.objects.owned_by(owner.pk).get(number=2).pk)
    assert other is not None
    Review.objects.owned_by(owner.pk).filter(pk=other.pk).update(sealed=kept.sealed)
    with pytest.raises(queries.SealedError, match="changed, moved"):
        queries.list_reviews(owner_id=owner.pk)
    with pytest.raises(ValueError, match="at most 300"):
        operations.review_plan(owner_id=owner.pk, number=1, said=operations.Said("x", "y" * 301), now=NOW)


def test_the_accounts_export_opens_what_is_sealed(noted: User, zone: Zone) -> None:
    closed(noted, zone, [(2.0, 2.0)], "retest")
    operations.review_plan(
        owner_id=noted.pk, number=1, said=operations.Said("It held.", "Wait.", "", ["hurry"]), now=NOW
    )
    told = everything_of(user=noted)
    ((review,), (week,)) = told["reviews"], told["notes-weeks"]
    assert (review["what_happened"], review["lesson"], review["mistakes"]) == ("It held.", "Wait.", ["hurry"])
    assert (week["monday"], week["note"]) == (MONDAY, CANARY)
    assert not any("sealed" in row for rows in told.values() for row in rows)


def test_keys_are_wrapped_anew(noted: User, settings: Any, capsys: pytest.CaptureFixture[str]) -> None:  # noqa: ANN401  # pytest-django's
    old, new = settings.NOTES_KEYS, ["n" * 40]
    before = bytes(NoteKey.objects.owned_by(noted.pk).get().wrapped)
    settings.NOTES_KEYS = new
    with pytest.raises(queries.SealedError, match="No key of BH_NOTES_KEYS"):
        note_of(noted)
    settings.NOTES_KEYS = [*new, *old]
    call_command("rewrap_notes")
    assert "1 keys are wrapped" in capsys.readouterr().out
    settings.NOTES_KEYS = new
    assert note_of(noted) == CANARY
    assert bytes(NoteKey.objects.owned_by(noted.pk).get().wrapped) != before


def test_erasing_an_account_destroys_its_key(noted: User) -> None:
    key = noted.pk
    sealed = WeekNote.objects.owned_by(key).get().sealed
    erase_account(user_id=key)
    assert NoteKey.objects.to_rewrap().count() == 0
    with pytest.raises(NoteKey.DoesNotExist):
        unseal(owner_id=key, place=queries.place_of_week(MONDAY), sealed=sealed)
