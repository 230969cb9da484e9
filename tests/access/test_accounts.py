"""Sign-up, verification, second factors, change of password and address, and the mails that go with them."""

from __future__ import annotations

import json
import re
import time
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal import auth as totp
from django.test import Client
from django.utils import timezone

from access.mail.notices import NOTICES
from access.mail.rendering import render
from access.mail.sending import compose, send_due
from access.mails import BY_ALLAUTH
from access.models import ApiKey, LocalMail, Mail, Preferences, Signup, User
from tests.access.early import invited, links
from tests.factories import make_heatmap, make_user, make_zone
from tests.pages import client_of

if TYPE_CHECKING:
    from django.test.client import _MonkeyPatchedWSGIResponse as TestResponse
    from pytest_django import Settings

pytestmark = pytest.mark.django_db
PASSWORD = "a long enough phrase"
OTHER = "another long phrase"


@pytest.fixture(autouse=True)
def open_door(settings: Settings) -> None:
    settings.SIGN_UP = "open"
    settings.EMAIL_BACKEND = "access.mail.local.LocalBackend"


def log_in(client: Client, email: str = "owner@example.com", password: str = PASSWORD) -> TestResponse:
    return client.post("/login/", {"login": email, "password": password})


def member() -> Client:
    make_user(password=PASSWORD)
    client = Client()
    assert log_in(client).status_code == 302
    return client


def again(client: Client) -> None:
    assert client.post("/account/again/", {"password": PASSWORD}).status_code == 302


def posted(slug: str) -> Mail:
    return Mail.objects.get(notice=f"access/{slug}")


def test_sign_up_confirm_and_log_in() -> None:
    client = Client()
    answer = client.post("/signup/", {"email": "New@Example.com", "password1": PASSWORD})
    assert (answer.status_code, answer["Location"]) == (302, "/confirm/")
    assert client.get("/account/").status_code == 302
    link = posted("welcome").context["activate_url"]
    assert "Confirm the address" in Client().get(link).content.decode()
    assert not EmailAddress.objects.get().verified  # looking changed nothing
    assert Client().post(link).status_code == 302
    assert EmailAddress.objects.get().verified
    assert log_in(Client(), "new@example.com")["Location"] == "/instruments/"
    assert Client().post(link).status_code in {302, 404}


@pytest.mark.parametrize("setting", ["closed", "invited"])
def test_nobody_signs_up_uninvited(setting: str, settings: Settings) -> None:
    settings.SIGN_UP = setting
    for client in (Client(), Client()):
        answer = client.post("/signup/", {"email": "new@example.com", "password1": PASSWORD})
        assert "by invitation" in answer.content.decode()
    assert (User.objects.count(), Mail.objects.count()) == (0, 0)


def test_an_invitation_opens_the_door_for_its_address_once(settings: Settings) -> None:
    settings.SIGN_UP = "invited"
    invited("new@example.com", now=timezone.now())
    client = Client()
    assert client.post(links("new@example.com")[0])["Location"] == "/signup/"
    assert 'value="new@example.com"' in client.get("/signup/").content.decode()
    refused = client.post("/signup/", {"email": "other@example.com", "password1": PASSWORD})
    assert (refused.status_code, User.objects.count()) == (422, 0)
    taken = client.post("/signup/", {"email": "New@example.com", "password1": PASSWORD})
    assert (taken.status_code, taken["Location"]) == (302, "/welcome/")  # the link came by mail: it is verified
    assert EmailAddress.objects.get().verified
    signup = Signup.objects.get()
    assert (signup.state, signup.user) == ("accepted", User.objects.get())
    assert "by invitation" in Client().get("/signup/").content.decode()
    assert client.get("/account/").status_code == 200


def test_a_weak_password_is_refused_with_its_reason() -> None:
    answer = Client().post("/signup/", {"email": "new@example.com", "password1": "password"})
    assert answer.status_code == 422
    page = answer.content.decode()
    assert "too common" in page
    # Our words stand on a page that was refused, too; a list of rules would break out of its sentence.
    assert ">E-mail</label>" in page
    assert "Eight characters or more" in page
    assert "<li>Your password" not in page


def test_reset_by_mail_ends_other_sessions_and_keeps_the_second_factor(monkeypatch: pytest.MonkeyPatch) -> None:
    old = member()
    again(old)
    secret = turn_totp_on(old)
    Client().post("/reset/", {"email": "owner@example.com"})
    link = posted("reset").context["password_reset_url"]
    client = Client()
    form = client.get(link)["Location"]
    assert client.post(form, {"password1": OTHER, "password2": OTHER}).status_code == 302
    assert old.get("/account/").status_code == 302
    assert "used already" in Client().get(link, follow=True).content.decode()
    assert log_in(client, password=OTHER)["Location"].startswith("/login/second-factor/")
    assert client.get("/account/").status_code == 302
    hold_time_of_codes(monkeypatch, time.time() + 2 * totp.app_settings.TOTP_PERIOD)
    assert client.post("/login/second-factor/", {"code": code_of(secret)}).status_code == 302
    assert posted("password-reset").address == "owner@example.com"


def test_a_link_of_one_purpose_is_good_for_no_other() -> None:
    make_user(password=PASSWORD)
    Client().post("/reset/", {"email": "owner@example.com"})
    link = posted("reset").context["password_reset_url"]
    key = link.removeprefix("/reset/").rstrip("/")
    assert Client().post(f"/confirm/{key.replace('-', ':')}/").status_code == 404
    assert Client().post(f"/enter/{key}/").status_code == 410


def hold_time_of_codes(monkeypatch: pytest.MonkeyPatch, moment: float) -> None:
    monkeypatch.setattr(totp, "time", SimpleNamespace(time=lambda: moment))


def code_of(secret: str) -> str:
    return f"{totp.hotp_value(secret, next(totp.yield_hotp_counters_from_time())):06d}"


def turn_totp_on(client: Client) -> str:
    page = client.get("/account/security/totp/").content.decode()
    secret = re.search(r'id="totp-secret">([A-Z2-7]+)<', page)
    assert secret is not None
    answer = client.post("/account/security/totp/", {"code": code_of(secret[1])})
    assert answer.status_code == 302, answer.content.decode()[:2000]
    return secret[1]


def test_a_second_factor_is_asked_for_and_its_secret_is_not_stored_in_the_clear() -> None:
    client = member()
    assert client.get("/account/security/totp/")["Location"].startswith("/account/again/")
    again(client)
    secret = turn_totp_on(client)
    stored = Authenticator.objects.get(type="totp")
    assert secret not in json.dumps(stored.data)
    assert isinstance(stored.wrap(), totp.TOTP)
    visitor = Client()
    log_in(visitor)
    assert visitor.get("/account/").status_code == 302
    assert visitor.post("/login/second-factor/", {"code": "000000"}).status_code == 422
    assert Authenticator.objects.filter(type="recovery_codes").exists()
    shown = client.get("/account/security/codes/").content.decode()
    (first, *_) = re.findall(r"<li>(\d+)</li>", shown)
    assert visitor.post("/login/second-factor/", {"code": first}).status_code == 302
    assert visitor.get("/account/").status_code == 200
    late = Client()
    log_in(late)
    assert late.post("/login/second-factor/", {"code": first}).status_code == 422  # each works once


def test_every_field_has_a_label_that_is_a_word() -> None:
    client = member()
    again(client)
    page = client.get("/account/security/passkeys/new/").content.decode()
    labels = re.findall(r"<label[^>]*>\s*([^<]+?)\s*</label>", page)
    assert labels == ["Name", "Log in with it alone"]


def test_a_change_of_address_tells_the_old_one() -> None:
    client = member()
    again(client)
    assert client.post("/account/email/", {"email": "new@example.com", "action_add": ""}).status_code == 302
    assert User.objects.get().email == "owner@example.com"
    link = posted("confirm").context["activate_url"]
    client.post(link)
    assert User.objects.get().email == "new@example.com"
    notice = posted("email-changed")
    assert (notice.address, notice.context) == (
        "owner@example.com",
        {"from_email": "owner@example.com", "to_email": "new@example.com"},
    )


def test_a_change_of_password_tells_and_ends_other_sessions() -> None:
    client, other = member(), Client()
    log_in(other)
    form = {"oldpassword": PASSWORD, "password1": OTHER, "password2": OTHER}
    again(client)
    assert client.post("/account/password/", form).status_code == 302
    assert client.get("/account/").status_code == 200
    assert other.get("/account/").status_code == 302
    assert posted("password-changed").address == "owner@example.com"


def test_sessions_are_listed_and_ended() -> None:
    client, other = member(), Client()
    log_in(other)
    assert client.get("/account/sessions/").content.decode().count(">127.0.0.1</td>") == 2
    assert client.post("/account/sessions/").status_code == 302
    assert (client.get("/account/").status_code, other.get("/account/").status_code) == (200, 302)


def test_links_in_mails_ignore_the_host_of_the_request(settings: Settings) -> None:
    settings.ALLOWED_HOSTS = ["*"]
    settings.SITE_URL = "https://terminal.example.org"
    make_user(password=PASSWORD)
    Client(headers={"Host": "evil.example", "X-Forwarded-Host": "evil.example"}).post(
        "/reset/", {"email": "owner@example.com"}
    )
    send_due()
    mail = LocalMail.objects.get()
    assert "evil" not in mail.text + mail.html
    assert "https://terminal.example.org/reset/" in mail.text


@pytest.mark.parametrize("slug", sorted(NOTICES))
def test_every_mail_can_be_shown(slug: str) -> None:
    shown = render(NOTICES[slug], context=NOTICES[slug].sample)
    assert shown.subject
    assert len(shown.text) < 1500
    assert "{{" not in shown.text + shown.html


def test_every_mail_of_the_library_has_one_of_ours() -> None:
    assert len({notice.slug for notice in BY_ALLAUTH.values()}) == len(BY_ALLAUTH)
    assert all(
        compose(Mail(notice=notice.slug, address="a@example.com", context=dict(notice.sample)))
        for notice in BY_ALLAUTH.values()
    )


def test_a_key_reads_what_it_was_made_for() -> None:
    client = member()
    page = client.post("/account/", {"name": "a", "scopes": ["data"], "days": "30"}).content.decode()
    secret = re.search(r"bh_[\w-]{43}", page)
    assert secret is not None
    program = Client(headers={"Authorization": f"Bearer {secret[0]}"})
    assert program.get("/api/v1/instruments/").status_code == 200
    assert program.get("/api/v1/plans/").status_code == 403
    key = ApiKey.objects.get()
    assert key.expires_at is not None
    assert 29 < (key.expires_at - key.created_at).days + 1 <= 31
    ApiKey.objects.update(expires_at=key.created_at)
    assert program.get("/api/v1/instruments/").status_code == 401


def test_preferences_are_kept_and_the_theme_is_the_browsers() -> None:
    client = member()
    assert client.post("/account/preferences/", {"theme": "light", "risk_pct": "200"}).status_code == 422
    assert client.post("/account/preferences/", {"theme": "light", "risk_pct": "0.5"}).status_code == 302
    assert client.cookies["theme"].value == "light"
    assert str(Preferences.objects.get().risk_pct) == "0.50"
    zone = make_zone(heatmap=make_heatmap(), born_at=timezone.now())
    for query, risk in (("", "0.5"), ("&risk_pct=2", "2")):
        page = client.get(f"/plans/new/?zone={zone.pk}{query}").content.decode()
        assert re.search(f'name="risk_pct" value="{risk}"', page), query


def test_staff_need_a_second_factor_where_the_setting_says_so(settings: Settings) -> None:
    staff = client_of(make_user(is_staff=True))
    assert staff.get("/admin/").status_code == 200
    settings.STAFF_NEEDS_SECOND_FACTOR = True
    for page in ("/admin/", "/admin/access/user/", "/outbox/", "/data/"):
        assert staff.get(page)["Location"] == "/account/security/"
    assert client_of(None).get("/admin/").status_code == 404
