"""Limits of the API, counted in PostgreSQL: emptying or losing Redis opens nothing."""

from __future__ import annotations

from typing import cast

from django.core.cache import BaseCache, caches
from django.utils.connection import ConnectionProxy
from rest_framework.throttling import AnonRateThrottle, UserRateThrottle

# The cache of the thread that asks.
_LIMITS = cast("BaseCache", ConnectionProxy(caches, "limits"))


class StrangerThrottle(AnonRateThrottle):
    """The limit of an address that shows no key."""

    cache = _LIMITS


class MemberThrottle(UserRateThrottle):
    """The limit of an account."""

    cache = _LIMITS
