"""Whether this process can answer: for supervisors and load balancers."""

from __future__ import annotations

from django.db import DatabaseError, InterfaceError, connection
from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from access.permissions import public


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
