"""Browsers that have logged in before, told by the signed mark that they hold."""

from __future__ import annotations

from django.http.cookie import parse_cookie

from access.forms import DEVICE_COOKIE, mark_of


def has_logged_in_before(cookies: str) -> bool:
    """Tell whether a request's cookies hold the mark of any account; nothing is looked up."""
    return mark_of(parse_cookie(cookies).get(DEVICE_COOKIE, "")) is not None
