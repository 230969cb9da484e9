"""Whether this process can answer: for supervisors and load balancers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.db import DatabaseError, InterfaceError, connection
from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from access.permissions import public

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http.response import HttpResponseBase

PATH: Final = "/healthz"


@public
@require_safe
@never_cache
def healthz(request: HttpRequest) -> HttpResponse:  # noqa: ARG001  # every view takes a request
    """Say ok when the database answers."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except (DatabaseError, InterfaceError):  # siblings: the second is of a lost connection
        return HttpResponse("the database does not answer\n", "text/plain", 503, headers={"Retry-After": "2"})
    return HttpResponse("ok\n", "text/plain")


class HealthFirst:
    """Middleware that answers for the health before anyone asks the database who is logged in."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Let everything else pass."""
        return healthz(request) if request.path == PATH else self._get_response(request)
