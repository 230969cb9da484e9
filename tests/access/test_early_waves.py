"""Waves and the operator's page: two steps, pauses, an audit that only grows, CSV without formulas."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError, transaction

from access.early import asking, listing, sheets, waves
from access.mail import outbox, suppress
from access.mail.sending import send_due
from access.mails import EARLY_INVITE
from access.models import Act, LocalMail, Mail, Signup, Wave
from tests.access.early import START, ask, confirmed, make_wave, secret, signup_of
from tests.factories import make_user
from tests.pages import client_of

if TYPE_CHECKING:
    from django.test import Client

pytestmark = pytest.mark.django_db
OPERATOR = "/early-access/operator/"


@pytest.fixture
def operator() -> Client:
    return client_of(make_user(email="staff@example.com", is_staff=True))


def crowd(count: int, *, source: str = "news", first: int = 0) -> None:
    """Store confirmed signups, one a minute."""
    Signup.objects.bulk_create(
        Signup(
            address=f"{source}{number}@example.com",
            digest=f"{number:05}{source}".ljust(64, "0"),
            alias_digest=f"{source}{number}",
            state="confirmed",
            source=source,
            code=f"{source}{number}",
            requested_at=START,
            confirmed_at=START + dt.timedelta(minutes=number),
        )
        for number in range(first, first + count)
    )


def test_a_wave_goes_out_only_after_the_second_step_with_the_right_number() -> None:
    crowd(5)
    wave = make_wave(size=3, approved=False)
    assert waves.preview(wave=wave) == waves.Preview(3, {"news": 3})
    assert waves.advance(now=START) == 0
    with pytest.raises(waves.WaveError, match="Now 3 would be invited, not 4"):
        waves.approve(wave_id=wave.pk, actor_id=1, count=4, reason="x", now=START)
    waves.approve(wave_id=wave.pk, actor_id=1, count=3, reason="x", now=START)
    assert waves.advance(now=START) == 3
    assert list(Signup.objects.filter(state="invited").order_by("pk").values_list("address", flat=True)) == [
        f"news{number}@example.com" for number in range(3)
    ]
    assert waves.advance(now=START) == 0
    assert Wave.objects.get().state == "done"
    with pytest.raises(IntegrityError), transaction.atomic():
        Wave.objects.create(name="x", size=1, due_at=START, state="sending")


def test_a_wave_waits_for_its_time_and_goes_bit_by_bit() -> None:
    crowd(5)
    make_wave(size=5, due_at=START + dt.timedelta(hours=1))
    assert waves.advance(now=START) == 0
    later = START + dt.timedelta(hours=1)
    assert [waves.advance(now=later, most=2) for _ in range(4)] == [2, 2, 1, 0]


def test_even_waves_take_from_each_source_in_proportion() -> None:
    crowd(8, source="news")
    crowd(4, source="talk", first=100)
    wave = make_wave(size=6, pick="strata", approved=False)
    assert waves.preview(wave=wave).by_source == {"news": 4, "talk": 2}
    only = make_wave(size=6, only={"source": "talk", "since": "2026-01-16"}, approved=False)
    assert waves.preview(wave=only).by_source == {}


def test_nobody_is_invited_who_did_not_confirm_or_wants_no_mail(operator: Client) -> None:
    ask("pending@example.com")
    suppress(digest=confirmed("gone@example.com").digest, reason="unsubscribed")
    suppress(digest=confirmed("bounced@example.com").digest, reason="bounce")
    confirmed("ready@example.com")
    make_wave(size=10)
    waves.advance(now=START)
    assert [signup.address for signup in Signup.objects.filter(state="invited")] == ["ready@example.com"]
    for signup in Signup.objects.order_by("pk"):
        operator.post(f"/admin/access/signup/{signup.pk}/change/", {"state": "invited"})
    assert Mail.objects.filter(notice=EARLY_INVITE.slug).count() == 1


def test_who_unsubscribes_between_the_outbox_and_the_mail_gets_none() -> None:
    signup = confirmed("a@example.com")
    make_wave()
    waves.advance(now=START)
    suppress(digest=signup.digest, reason="unsubscribed")
    send_due()
    assert Mail.objects.get(notice=EARLY_INVITE.slug).state == "withheld"


@pytest.mark.parametrize(
    ("outcome", "count", "state"), [("bounced", 1, "sending"), ("bounced", 2, "paused"), ("complained", 1, "paused")]
)
def test_a_wave_pauses_when_mail_bounces(outcome: str, count: int, state: str) -> None:
    crowd(60)
    wave = make_wave(size=60)
    waves.advance(now=START, most=40)
    Mail.objects.update(state="sent")
    keys = list(Mail.objects.values_list("pk", flat=True)[:count])
    Mail.objects.filter(pk__in=keys).update(outcome=outcome)
    waves.advance(now=START, most=10)
    wave.refresh_from_db()
    assert wave.state == state
    assert (Signup.objects.filter(state="invited").count() == 40) is (state == "paused")
    if state == "paused":
        act = Act.objects.order_by("-pk")[0]
        assert (act.actor_id, act.kind, act.before, act.after["state"]) == (
            None,
            "wave paused by itself",
            {"state": "sending"},
            "paused",
        )
        waves.resume(wave_id=wave.pk, actor_id=1, reason="looked at", now=START + dt.timedelta(days=3650))
        assert waves.advance(now=START) == 20


def test_one_invitation_each_when_workers_die() -> None:
    crowd(30)
    make_wave(size=30)
    waves.advance(now=START)
    for _ in range(10):
        send_due(most=2)
        mail = outbox.claim()  # this worker dies before it sends
        assert mail is not None
        Mail.objects.filter(pk=mail.pk).update(lease_until=START)
    send_due(most=100)
    assert Mail.objects.exclude(state="sent").count() == 0
    addresses = list(LocalMail.objects.values_list("address", flat=True))
    assert (len(addresses), len(set(addresses))) == (30, 30)


def test_the_operators_way_through_the_pages(operator: Client) -> None:
    crowd(3)
    confirmed("reader@example.com", note="=1+1")
    page = operator.get(OPERATOR)
    assert page.status_code == 200
    assert b"reader@example.com" in page.content
    made = operator.post(f"{OPERATOR}waves/", {"name": "first", "size": "2", "pick": "order"})
    address = made["Location"]
    assert b"Would invite now: 2" in operator.get(address).content
    refused = operator.post(address, {"count": "3", "reason": "go"})
    assert (refused.status_code, b"Now 2 would be invited, not 3" in refused.content) == (422, True)
    assert operator.post(address, {"count": "2", "reason": "go"}).status_code == 302
    assert operator.post(f"{address}pause/", {"reason": ""}).status_code == 302
    assert Wave.objects.get().state == "scheduled"
    for step, state in (("pause", "paused"), ("resume", "sending"), ("stop", "stopped"), ("resume", "stopped")):
        operator.post(f"{address}{step}/", {"reason": "because"})
        assert Wave.objects.get().state == state
    kinds = list(Act.objects.order_by("pk").values_list("kind", "reason"))
    assert kinds == [
        ("wave drafted", ""), ("wave approved", "go"), ("wave paused", "because"), ("wave resumed", "because"),
        ("wave stopped", "because"),
    ]  # fmt: skip
    shown = operator.get(f"{OPERATOR}?state=confirmed&source=direct").content
    assert (b"reader@example.com" in shown, b"news0@example.com" in shown) == (True, False)


def test_what_was_done_cannot_be_changed() -> None:
    make_wave(approved=False)
    for change in (lambda: Act.objects.update(reason="x"), lambda: Act.objects.all().delete()):
        with pytest.raises(IntegrityError), transaction.atomic():
            change()


def test_csv_goes_out_and_in(operator: Client) -> None:
    confirmed("reader@example.com", note="=cmd()")
    out = operator.post(f"{OPERATOR}export/", {"reason": "audit"})
    lines = b"".join(out.streaming_content).decode().splitlines()  # type: ignore[attr-defined]
    assert lines[1].startswith("reader@example.com,confirmed,,direct,'=cmd(),0,0,2026-01-15 12:00:00+00:00")
    sheet = SimpleUploadedFile("a.csv", b"address,source,priority\nnew@example.com,talk,7\n")
    assert operator.post(f"{OPERATOR}import/", {"sheet": sheet, "reason": "talk"}).status_code == 302
    asking.answer(now=START)
    signup = signup_of("new@example.com")
    assert (signup.state, signup.source, signup.priority) == ("requested", "talk", 7)
    assert listing.confirm(secret=secret("new@example.com"), now=START) is not None
    assert [act.kind for act in Act.objects.order_by("pk")] == ["list exported", "list imported"]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"address\n", "The file has no row below its header."),
        (b"mail\na@b.co\n", "The first line names the columns: address, and if wanted source, note, priority."),
        (b"address\nnobody\n", "Line 2: 'nobody' is no e-mail address."),
        (b"address,priority\na@b.co,1e9\n", "Line 2: priority is a whole number from 0 to 100."),
        (b"address\n\xff\n", "The file is not UTF-8 text. Save it as CSV UTF-8."),
        (b"address\n\x00\n", "The file holds NUL bytes. Save it as CSV UTF-8."),
        (b"address,note\na@b.co," + b"x" * 9000 + b"\n", "Line 2: field larger than field limit (8192)."),
        (b"address\n" + b"a@b.co\n" * 50_001, "The file has more than 50,000 rows. Split it."),
        (b"x" * (sheets.BYTES_MOST + 1), "The file has more than 5 MB. Split it."),
    ],
)
def test_wrong_sheets_are_refused_with_their_reason(content: bytes, reason: str) -> None:
    with pytest.raises(sheets.SheetError) as refused:
        sheets.read(content=content, actor_id=1, reason="x", now=START)
    assert str(refused.value) == reason
