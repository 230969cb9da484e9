"""The outbox: what is posted goes out once, however often a worker is killed."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import pytest
from anymail.signals import AnymailTrackingEvent, EventType, tracking
from django.db import transaction
from django.test import Client

from access.mail import address_digest, forget, post, suppress, unsubscribe_path
from access.mail.rendering import render
from access.mail.sending import compose, send_due
from access.mails import TRIAL
from access.models import LocalMail, Mail, Suppression, User
from tests.access.letters import TO, put
from tests.factories import make_user
from tests.pages import client_of

if TYPE_CHECKING:
    from pytest_django import Settings

    from access.mail import Notice


@pytest.mark.django_db
def test_a_mail_is_sent_once_and_its_content_forgotten(letter: Notice) -> None:
    pk = post(letter, to=TO, context={"name": "Ada", "link": "/news/"})
    assert (send_due(), send_due()) == (1, 0)
    row, local = Mail.objects.get(), LocalMail.objects.get()
    assert (row.pk, row.state, row.context, row.attempt) == (pk, "sent", {}, 1)
    assert (local.message_id, local.address, local.subject) == (row.message_id, TO, "News for Ada")
    assert local.text == (
        "Hello Ada.\nA second line.\n\nRead it:\nhttps://terminal.example.org/news/\n\n"
        "-- \nBH Terminal · https://terminal.example.org\n"
        f"No more of these letters: https://terminal.example.org{unsubscribe_path(row.digest)}\n"
    )
    assert "<p>Hello Ada.<br>A second line.</p>" in local.html


@pytest.mark.django_db
def test_a_mail_of_a_transaction_that_fails_was_never_posted() -> None:
    with transaction.atomic():
        put()
        transaction.set_rollback(True)
    assert Mail.objects.count() == 0


@pytest.mark.django_db
def test_a_key_is_posted_once() -> None:
    assert [put(key="a") is None, put(key="a") is None, put(key="b") is None] == [False, True, False]
    assert Mail.objects.count() == 2


@pytest.mark.django_db
@pytest.mark.parametrize("to", ["", "no address", "a@example.com\nBcc: b@example.com", "a@example.com, b@example.com"])
def test_an_address_that_is_none_is_refused(to: str) -> None:
    with pytest.raises(ValueError, match="one e-mail address"):
        post(TRIAL, to=to, context={})


@pytest.mark.django_db
def test_nothing_typed_makes_headers_links_or_markup(letter: Notice) -> None:
    name = "Eve\r\nBcc: x@example.com\x02Click\x02https://evil.example\x02<b>"
    post(letter, to=TO, context={"name": name, "link": "/news/"})
    message = compose(Mail.objects.get())
    wire = message.message()
    assert wire["Bcc"] is None
    assert wire["Subject"].startswith("News for Eve Bcc")
    html = str(message.alternatives[0][0])
    assert "<b>Click" not in html
    assert 'href="https://evil' not in html
    assert "&lt;b&gt;" in html


@pytest.mark.parametrize("link", ["https://evil.example/", "//evil.example/", "javascript:alert(1)"])
def test_links_of_mails_stay_on_the_site(link: str, letter: Notice) -> None:
    with pytest.raises(ValueError, match="path of this site"):
        render(letter, context={"name": "a", "link": link})


@pytest.mark.django_db
def test_letters_say_how_to_end_them_and_account_mail_does_not(letter: Notice, settings: Settings) -> None:
    settings.UNSUBSCRIBE_MAILBOX = "stop@example.org"
    post(letter, to=TO, context={"name": "a", "link": "/"})
    put()
    sent, plain = (compose(mail).message() for mail in Mail.objects.order_by("pk"))
    way = f"<https://terminal.example.org{unsubscribe_path(address_digest(TO))}>"
    assert sent["List-Unsubscribe"] == f"{way}, <mailto:stop@example.org?subject=unsubscribe>"
    assert sent["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert plain["List-Unsubscribe"] is None
    assert plain["Message-ID"] == Mail.objects.get(notice="access/trial").message_id


@pytest.mark.django_db
def test_one_click_ends_letters_without_cookie_and_account_mail_still_goes(letter: Notice) -> None:
    path = unsubscribe_path(address_digest(TO))
    assert Client(enforce_csrf_checks=True).get(path).status_code == 200
    assert Suppression.objects.count() == 0
    body = {"List-Unsubscribe": "One-Click"}
    assert [Client(enforce_csrf_checks=True).post(path, body).status_code for _ in range(2)] == [200, 200]
    post(letter, to=TO.upper(), context={"name": "a", "link": "/"})
    put()
    send_due()
    assert dict(Mail.objects.values_list("notice", "state")) == {"tests/letter": "withheld", "access/trial": "sent"}


@pytest.mark.django_db
def test_a_forged_unsubscribe_link_does_nothing() -> None:
    forged = unsubscribe_path(address_digest(TO)).replace(address_digest(TO), address_digest("other@example.com"))
    assert Client().post(forged).status_code == 410
    assert Suppression.objects.count() == 0


def report(event_type: str, **more: object) -> None:
    event = AnymailTrackingEvent(event_type=event_type, recipient=TO, **more)
    tracking.send(sender=None, event=event, esp_name="Test")


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("event", "reason", "expected"),
    [
        (EventType.BOUNCED, "bounced", {"bounce"}),
        (EventType.REJECTED, "invalid", {"bounce"}),
        (EventType.BOUNCED, "timed_out", set()),
        (EventType.COMPLAINED, None, {"complaint", "unsubscribed"}),
        (EventType.UNSUBSCRIBED, None, {"unsubscribed"}),
        (EventType.DELIVERED, None, set()),
        (EventType.OPENED, None, set()),
    ],
)
def test_what_services_report_decides_who_is_written_to(event: str, reason: str | None, expected: set[str]) -> None:
    pk = put()
    report(event, reject_reason=reason, metadata={"mail": str(pk)})
    assert set(Suppression.objects.values_list("reason", flat=True)) == expected
    put()
    send_due()
    is_stopped = bool(expected & {"bounce", "complaint"})
    assert Mail.objects.latest("pk").state == ("withheld" if is_stopped else "sent")


@pytest.mark.django_db
def test_three_late_mails_within_a_week_end_it_and_one_late_thrice_does_not() -> None:
    first = put()
    for _ in range(3):
        report(EventType.DEFERRED, metadata={"mail": str(first)})
    assert Suppression.objects.count() == 0
    old, second, third = put(), put(), put()
    report(EventType.DEFERRED, metadata={"mail": str(old)})
    Mail.objects.filter(pk=old or 0).update(outcome_at=dt.datetime(2026, 1, 1, tzinfo=dt.UTC))
    report(EventType.DEFERRED, metadata={"mail": str(second)})
    assert Suppression.objects.count() == 0
    report(EventType.DEFERRED, metadata={"mail": str(third)})
    assert list(Suppression.objects.values_list("reason", flat=True)) == ["bounce"]


@pytest.mark.django_db
@pytest.mark.parametrize("metadata", [{}, {"mail": "x"}, {"mail": "²"}, {"mail": "-1"}, {"mail": None}])
def test_reports_of_unknown_mail_are_no_errors(metadata: dict[str, str]) -> None:
    report(EventType.BOUNCED, metadata=metadata)
    assert Suppression.objects.get().reason == "bounce"


@pytest.mark.django_db
def test_forgetting_leaves_no_trace_of_the_address() -> None:
    suppress(digest=address_digest(TO), reason="bounce")
    put()
    post(TRIAL, to="other@example.com", context={})
    send_due()
    forget(address=TO.upper())
    assert list(Mail.objects.values_list("address", flat=True)) == ["other@example.com"]
    assert LocalMail.objects.filter(address=TO).count() == 0
    assert Suppression.objects.count() == 1


@pytest.mark.django_db
def test_the_operator_reads_the_outbox_and_nobody_else() -> None:
    boss = make_user(email="boss@example.com", is_staff=True)
    assert client_of(boss).post("/mails/").status_code == 302
    send_due()
    mail = LocalMail.objects.get()
    pages = ["/outbox/", f"/outbox/{mail.pk}/", f"/outbox/{mail.pk}/html/", "/mails/", "/mails/access/trial/"]
    assert all(mail.subject in client_of(boss).get(page).content.decode() for page in pages if page != "/mails/")
    clerk = make_user(email="clerk@example.com")
    User.objects.filter(email=clerk.email).update(is_staff=True)
    for user in (None, make_user(), clerk):
        assert {client_of(user).get(page).status_code for page in pages} == {404}


@pytest.mark.django_db
def test_there_is_no_outbox_page_where_mail_goes_out(settings: Settings) -> None:
    settings.MAIL_IS_LOCAL = False
    assert client_of(make_user(is_staff=True)).get("/outbox/").status_code == 404
