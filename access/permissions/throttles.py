"""Limits of the API, in token buckets in PostgreSQL: exact under many processes, and no matter of the cache."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from django.utils import timezone
from rest_framework.throttling import AnonRateThrottle, SimpleRateThrottle, UserRateThrottle

from access.forms import client_address
from access.operations import allow_api_request

if TYPE_CHECKING:
    from django.http import HttpRequest
    from rest_framework.request import Request
    from rest_framework.views import APIView


class _Counted(SimpleRateThrottle):
    """So many requests at once, and as many again over the rate's time."""

    num_requests: int
    duration: int

    def allow_request(self, request: Request, view: APIView) -> bool:
        """Take one out of the bucket; DRF's own way reads and writes, and loses what others count in between."""
        source = self.get_cache_key(request, view)
        return source is None or allow_api_request(
            source=source, most=self.num_requests, seconds=self.duration / self.num_requests, now=timezone.now()
        )

    def wait(self) -> float:
        """Return when there is one more [s]."""
        return max(1.0, self.duration / self.num_requests)


class StrangerThrottle(_Counted, AnonRateThrottle):
    """The limit of an address that shows no working key."""

    def get_ident(self, request: Request) -> str:
        """Count networks as the login does: who holds an IPv6 network holds more addresses than can be counted."""
        return client_address(cast("HttpRequest", request))

    def require(self, request: Request, view: APIView) -> None:
        """Count one request that was refused; raise Throttled when the address has had its share."""
        if not self.allow_request(request, view):
            view.throttled(request, self.wait())


class MemberThrottle(_Counted, UserRateThrottle):
    """The limit of an account."""
