"""A passkey in a real browser: made in the account, then used instead of the password."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.urls import reverse

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.browser.conftest import Visit
    from tests.world import World

    Open = Callable[..., Visit]

pytestmark = pytest.mark.django_db
DEVICE = {
    "protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True,
    "isUserVerified": True, "automaticPresenceSimulation": True,
}  # fmt: skip


def test_a_passkey_is_made_and_logs_in(visit: Open, world: World) -> None:
    opened = visit()
    page = opened.page
    session = next(one["value"] for one in page.context.cookies() if one["name"] == "sessionid")
    # A passkey is for a name, not for a number.
    opened.origin = opened.origin.replace("127.0.0.1", "localhost")
    page.context.add_cookies([{"name": "sessionid", "value": session, "url": opened.origin}])
    wire = page.context.new_cdp_session(page)
    wire.send("WebAuthn.enable")
    wire.send("WebAuthn.addVirtualAuthenticator", {"options": DEVICE})
    opened.go(reverse("mfa_add_webauthn"))
    page.get_by_label("Log in with it alone").check()
    page.locator("#mfa_webauthn_add").click()
    page.wait_for_url(lambda url: reverse("mfa_add_webauthn") not in url)
    page.context.clear_cookies()
    opened.go("/account/")
    assert "/login/" in page.url
    page.locator("#mfa_login button, #passkey_login").first.click()
    page.wait_for_url(lambda url: "/login/" not in url)
    assert "owner@example.com" in page.locator("main").inner_text()
    assert (opened.problems, opened.foreign) == ([], [])
