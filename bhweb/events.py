"""News for open pages: who may listen, what is said, and how a worker lets the web processes know.

A message in Redis only says that something changed; what changed is read from the database.
"""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass
from functools import cache
from http import HTTPStatus
from importlib import import_module
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qs

import redis
from django.conf import settings
from django.contrib.auth import get_user
from django.core.exceptions import ObjectDoesNotExist
from django.db import DatabaseError, close_old_connections
from django.http import HttpRequest, parse_cookie
from django.http.request import split_domain_port, validate_host
from django.utils import timezone

from heatmaps.tasks import tick
from market.queries import get_instrument

if TYPE_CHECKING:
    import datetime as dt

logger = logging.getLogger(__name__)

CHANNEL: Final = "bh:events"
PATIENCE_S: Final = 2


def publish(*, instrument: str, stage: str, at: dt.datetime) -> None:
    """Tell every web process that a stage is through. Nothing depends on being heard."""
    news = json.dumps({"instrument": instrument, "stage": stage, "v": int(at.timestamp() * 1000)})
    try:
        _redis().publish(CHANNEL, news)
    except (redis.RedisError, OSError) as error:
        logger.warning("nobody hears of %s, Redis is away: %s", news, error)


@cache
def _redis() -> redis.Redis:
    return redis.Redis.from_url(settings.EVENTS_URL, socket_timeout=PATIENCE_S, socket_connect_timeout=PATIENCE_S)


def current_tick(key: str) -> dict[str, object]:
    """Read the tick now, from a thread that keeps its database session between calls."""
    close_old_connections()
    try:
        return tick(key=key, now=timezone.now())
    finally:
        close_old_connections()


@dataclass(frozen=True, slots=True)
class Refusal(Exception):  # noqa: N818  # an answer, not a fault
    """Why a stream is not opened."""

    status: HTTPStatus
    reason: str


def admit(method: str, headers: dict[str, str], query: str) -> tuple[int, str]:
    """Return (user id, instrument key) of a request for a stream; raise Refusal. Django's middleware is not asked."""
    if method != "GET":
        raise Refusal(HTTPStatus.METHOD_NOT_ALLOWED, "Only GET.")
    _check_host(headers)
    close_old_connections()
    try:
        user_id = _user_id(headers.get("cookie", ""))
        return user_id, _instrument_key(query)
    except DatabaseError:
        raise Refusal(HTTPStatus.SERVICE_UNAVAILABLE, "The database does not answer.") from None
    finally:
        close_old_connections()


def _check_host(headers: dict[str, str]) -> None:
    host = headers.get("host", "")
    if not validate_host(split_domain_port(host)[0], settings.ALLOWED_HOSTS):
        raise Refusal(HTTPStatus.BAD_REQUEST, "This host is not served here.")
    own = {f"http://{host}", f"https://{host}", *settings.CSRF_TRUSTED_ORIGINS}
    is_foreign = headers.get("origin", f"http://{host}") not in own
    if is_foreign or headers.get("sec-fetch-site", "same-origin") in {"cross-site", "same-site"}:
        raise Refusal(HTTPStatus.FORBIDDEN, "Another site may not listen.")


def _user_id(cookies: str) -> int:
    request = HttpRequest()
    session_key = parse_cookie(cookies).get(settings.SESSION_COOKIE_NAME)
    request.session = import_module(settings.SESSION_ENGINE).SessionStore(session_key)
    user = get_user(request)
    if not user.is_authenticated or user.pk is None:
        raise Refusal(HTTPStatus.UNAUTHORIZED, "Log in to listen.")
    return int(user.pk)


def _instrument_key(query: str) -> str:
    try:
        asked = parse_qs(query, max_num_fields=8).get("instrument", [])
        is_name = len(asked) == 1 and asked[0].isprintable()
        return get_instrument(key=asked[0]).key if is_name else _unknown()
    except (ObjectDoesNotExist, ValueError):
        return _unknown()


def _unknown() -> str:
    raise Refusal(HTTPStatus.NOT_FOUND, "There is no such instrument.")
