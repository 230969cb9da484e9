"""Limits of the API, counted in PostgreSQL: emptying or losing Redis opens nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from django.core.cache import BaseCache, caches
from django.utils.connection import ConnectionProxy
from rest_framework.throttling import AnonRateThrottle, UserRateThrottle

from access.forms import client_address

if TYPE_CHECKING:
    from django.http import HttpRequest
    from rest_framework.request import Request
    from rest_framework.views import APIView

# The cache of the thread that asks.
_LIMITS = cast("BaseCache", ConnectionProxy(caches, "limits"))


class StrangerThrottle(AnonRateThrottle):
    """The limit of an address that shows no working key."""

    cache = _LIMITS

    def get_ident(self, request: Request) -> str:
        """Count networks as the login does: who holds an IPv6 network holds more addresses than can be counted."""
        return client_address(cast("HttpRequest", request))

    def require(self, request: Request, view: APIView) -> None:
        """Count one request that was refused; raise Throttled when the address has had its share."""
        if not self.allow_request(request, view):
            view.throttled(request, self.wait() or 0.0)


class MemberThrottle(UserRateThrottle):
    """The limit of an account."""

    cache = _LIMITS
