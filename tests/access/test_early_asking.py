"""Requests: one answer for every address, one mail each, and limits that hold under a crowd."""

from __future__ import annotations

import datetime as dt
import html
import json
import re
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import altcha
import pytest
from django.core.cache import cache
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.utils import timezone

from access.early import asking, limits, listing, proof, touches
from access.mail import suppress
from access.models import Ask, Consent, Mail, Signup, SpentProof, Token
from tests.access.early import FORM, START, ask, confirmed, fill_in, invited, secret, signup_of
from tests.factories import make_user

if TYPE_CHECKING:
    from django.http import HttpResponse
    from django.test import RequestFactory
    from pytest_django import Settings

pytestmark = pytest.mark.django_db
LATER = START + dt.timedelta(hours=1)


def opened(seconds: float = 5) -> str:
    return proof.stamp(now=timezone.now() - dt.timedelta(seconds=seconds))


def people() -> dict[str, str]:
    """Make one address at each stage, and one that nobody knows."""
    ask("pending@example.com")
    confirmed("confirmed@example.com")
    invited("invited@example.com")
    suppress(digest=confirmed("gone@example.com").digest, reason="unsubscribed")
    # The wave of the invited one took the confirmed one along; a place of its own again.
    confirmed("waiting@example.com")
    make_user(email="member@example.com")
    names = ("new", "pending", "confirmed", "invited", "gone", "waiting", "member")
    return {name: f"{name}@example.com" for name in names}


def told(response: Any) -> tuple[Any, ...]:  # noqa: ANN401  # the client's answers have a type of their own
    # ``Expires`` is the second of the answer: seven answers may well lie in two.
    headers = {name: value for name, value in response.items() if name not in {"Date", "Expires"}}
    cookies = {name: (cookie["path"], cookie["httponly"]) for name, cookie in response.cookies.items()}
    body = re.sub(rb'name="(csrfmiddlewaretoken|opened)" value="[^"]*"', b"", response.content)
    return response.status_code, headers, cookies, body


def test_every_address_gets_the_same_answer_and_one_mail() -> None:
    addresses = people()
    mark = opened()
    answers = {}
    for number, (name, address) in enumerate(addresses.items()):
        client = Client(REMOTE_ADDR=f"192.0.{number}.1")
        first = fill_in(client, address, opened=mark)
        answers[name] = (told(first), told(client.get(first["Location"])))
    assert len({repr(answer) for answer in answers.values()}) == 1
    assert answers["new"][0][0] == 302
    before = Mail.objects.count()
    asking.answer(now=LATER)
    sent = Mail.objects.order_by("pk")[before:]
    assert [(mail.address, mail.notice.rpartition("-")[0] + "-" + mail.notice.rpartition("-")[2]) for mail in sent] == [
        ("new@example.com", "access/early-confirm"),
        ("pending@example.com", "access/early-confirm"),
        ("confirmed@example.com", "access/early-invite-again"),
        ("invited@example.com", "access/early-invite-again"),
        ("gone@example.com", "access/early-confirm"),
        ("waiting@example.com", "access/early-listed"),
        ("member@example.com", "access/early-member"),
    ]
    assert {mail.is_letter for mail in sent} == {False}


def test_wrong_fields_are_answered_alike_for_every_address() -> None:
    addresses = people()
    answers = {
        told(Client(REMOTE_ADDR="192.0.2.1").post(FORM, {"address": address, "opened": "x"}))[0]
        for address in addresses.values()
    }
    assert answers == {422}
    assert Ask.objects.count() == 0


def test_an_address_gets_one_mail_in_fifteen_minutes_and_five_a_day() -> None:
    for minute in range(0, 16 * 60, 5):
        ask("a@example.com", now=START + dt.timedelta(minutes=minute))
    times = Mail.objects.filter(address="a@example.com").count()
    # Five at once are saved up, one more is earned every 4.8 hours.
    assert times == 5 + 16 * 60 // 288


def test_a_second_request_takes_nothing_over_from_a_stranger() -> None:
    confirmed("a@example.com", note="mine")
    ask("A@Example.com", now=LATER, note="theirs", letter=True)
    assert (Signup.objects.count(), signup_of("a@example.com").note) == (1, "mine")
    assert Consent.objects.filter(purpose="letter").count() == 0


def test_consent_is_kept_with_its_text_and_cannot_be_changed() -> None:
    signup = confirmed("a@example.com", letter=True)
    kept = list(Consent.objects.filter(signup=signup).order_by("pk").values_list("purpose", "act", "form"))
    assert kept == [
        ("access", "asked", "request-1"), ("letter", "asked", "request-1"),
        ("letter", "confirmed", "request-1"), ("access", "confirmed", "request-1"),
    ]  # fmt: skip
    with pytest.raises(IntegrityError), transaction.atomic():
        Consent.objects.update(text="something else")


def test_referral_is_credited_when_the_other_confirms_and_never_to_oneself() -> None:
    code = confirmed("owner@gmail.com").code
    for number in range(7):
        ask(f"friend{number}@example.com", touch={"ref": code})
    assert signup_of("owner@gmail.com").credit == 0
    for number in range(7):
        listing.confirm(secret=secret(f"friend{number}@example.com"), now=START)
    ask("o.w.ner+2@googlemail.com", touch={"ref": code})
    assert signup_of("o.w.ner+2@googlemail.com").referrer is None
    assert signup_of("owner@gmail.com").credit == 5


def test_no_row_can_be_invited_that_is_not_confirmed_or_wants_no_mail() -> None:
    ask("a@example.com")
    stopped = confirmed("b@example.com")
    suppress(digest=stopped.digest, reason="unsubscribed")
    for change in ({"state": "invited", "invited_at": START}, {"state": "confirmed"}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Signup.objects.filter(address="a@example.com").update(**change)
    with pytest.raises(IntegrityError), transaction.atomic():
        Signup.objects.filter(pk=stopped.pk).update(state="invited", invited_at=START)


def test_trap_and_haste_stop_programs_not_people() -> None:
    client = Client()
    trapped = fill_in(client, "a@example.com", opened=opened(), website="https://example.com")
    assert (trapped.status_code, Ask.objects.count()) == (302, 0)
    for mark in (opened(0), opened(3 * 3600), "", "1:forged"):
        hasty = fill_in(client, "a@example.com", opened=mark)
        assert (hasty.status_code, b"One more step" in hasty.content, Ask.objects.count()) == (422, True, 0)
    again = re.search(rb'name="opened" value="([^"]+)"', hasty.content)
    assert again is not None
    assert again[1].decode() != "1:forged"


def solve(page: HttpResponse) -> str:
    found = re.search(r'challenge="([^"]+)"', page.content.decode())
    assert found is not None
    challenge = altcha.Challenge.from_dict(json.loads(html.unescape(found[1])))
    solution = altcha.solve_challenge(challenge)
    assert solution is not None
    return altcha.Payload(challenge, solution).to_base64()


def test_a_busy_network_has_to_work_and_each_proof_counts_once() -> None:
    client = Client(REMOTE_ADDR="192.0.2.9")
    for number in range(int(limits.CALM_NETWORK.most)):
        assert fill_in(client, f"{number}@example.com", opened=opened()).status_code == 302
    page = fill_in(client, "x@example.com", opened=opened())
    assert (page.status_code, b"work" in page.content) == (422, True)
    solved = solve(page)
    assert fill_in(client, "x@example.com", opened=opened(), altcha=solved).status_code == 302
    assert Ask.objects.get(address="x@example.com").is_suspect
    assert SpentProof.objects.count() == 1
    for payload in (solved, solved[:-8], "e30=", "x" * 9000):
        assert fill_in(client, "y@example.com", opened=opened(), altcha=payload).status_code == 422


def test_limits_are_silent() -> None:
    client = Client(REMOTE_ADDR="192.0.2.7")
    now = timezone.now()
    while limits.take("ask:address:192.0.2.7/32", limits.ADDRESS, now=now):
        pass
    assert fill_in(client, "a@example.com", opened=opened()).status_code == 302
    assert Ask.objects.count() == 0


@pytest.mark.django_db(transaction=True)
def test_limits_are_exact_under_sixteen_clients() -> None:
    def take(_: int) -> bool:
        try:
            return limits.take("crowd", limits.Bucket(50, 3600), now=START)
        finally:
            connection.close()

    with ThreadPoolExecutor(16) as crowd:
        assert sum(crowd.map(take, range(160))) == 50
    cache.clear()
    assert not take(0)
    assert limits.take("crowd", limits.Bucket(50, 3600), now=START + dt.timedelta(hours=1))
    assert not limits.take("crowd", limits.Bucket(50, 3600), now=START + dt.timedelta(hours=1))


@pytest.mark.parametrize(
    ("meta", "hops", "nets"),
    [
        ({"HTTP_X_FORWARDED_FOR": "203.0.113.9"}, 0, ("192.0.2.5/32", "192.0.2.0/24")),
        ({"HTTP_X_FORWARDED_FOR": "198.51.100.1, 203.0.113.9"}, 1, ("203.0.113.9/32", "203.0.113.0/24")),
        ({"REMOTE_ADDR": "2001:db8:1:2:3::1"}, 0, ("2001:db8:1:2::/64", "2001:db8:1::/48")),
        ({"HTTP_X_FORWARDED_FOR": "forged"}, 1, ("unknown", "unknown")),
    ],
)
def test_networks_are_those_that_our_proxy_saw(
    meta: dict[str, str], hops: int, nets: tuple[str, str], settings: Settings, rf: RequestFactory
) -> None:
    settings.TRUSTED_PROXY_COUNT = hops
    request = rf.get("/")
    request.META.update({"REMOTE_ADDR": "192.0.2.5", **meta})
    assert limits.networks(request) == nets


def test_touches_come_from_the_address_alone() -> None:
    query = {"utm_source": "news<b>", "utm_campaign": "x" * 99, "ref": "ab-c_1!", "other": "no"}
    found = touches.read(query=query, referrer="https://example.org/secret?token=1", host="here", path="/")
    assert found == {"source": "newsb", "campaign": "x" * 60, "referrer": "example.org", "path": "/", "ref": "ab-c_1"}
    assert touches.unpack(touches.pack(found)) == found
    assert touches.unpack("forged") == {}
    assert [touches.source_of(one) for one in (found, {"referrer": "a.org"}, {})] == ["referral", "a.org", "direct"]
    page = Client().get("/early-access/?utm_source=news", headers={"Referer": "https://example.org/a"})
    assert set(page.cookies) == {"csrftoken"}


@pytest.mark.parametrize(
    "address", ["\uff41@example.com", "a@ex\u0430mple.com", "a@example.com\u202e", "a b@example.com", ""]
)
def test_addresses_that_only_look_like_others_are_refused(address: str) -> None:
    assert fill_in(Client(), address, opened=opened()).status_code == 422
    assert Ask.objects.count() == 0


def test_house_is_kept() -> None:
    ask("never@example.com")
    invited("late@example.com")
    listing.keep_house(now=START + dt.timedelta(days=14, minutes=1))
    assert not Signup.objects.filter(address="never@example.com").exists()
    assert not Mail.objects.filter(address="never@example.com").exists()
    assert signup_of("late@example.com").state == "lapsed"
    assert Token.objects.get(purpose="invite").end == "expired"
    ask("late@example.com", now=START + dt.timedelta(days=15))
    listing.confirm(secret=secret("late@example.com"), now=START + dt.timedelta(days=15))
    assert signup_of("late@example.com").state == "confirmed"
