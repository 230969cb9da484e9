"""What is answered where no view could answer: what cannot be read, is not done here, or finds no database."""

from __future__ import annotations

import sys
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from django.core.exceptions import BadRequest, SuspiciousOperation
from django.db import InterfaceError, OperationalError
from django.http import HttpResponse, HttpResponseNotAllowed, JsonResponse
from django.template.loader import render_to_string

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest, HttpResponseBase

# Lost and refused connections, and statements that waited or ran for too long.
AWAY: Final = (OperationalError, InterfaceError)
UNREADABLE: Final = (BadRequest, SuspiciousOperation)
RETRY_S: Final = 5
_WORDS: Final = {
    HTTPStatus.BAD_REQUEST: "This request could not be read.",
    HTTPStatus.INTERNAL_SERVER_ERROR: "Something broke on our side.",
    HTTPStatus.SERVICE_UNAVAILABLE: "The database does not answer at the moment. Try again shortly.",
}


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:  # noqa: ARG001  # Django's signature
    """Answer what cannot be read. Django's own handler would look for a token in it, and fail once more."""
    return _page(request, HTTPStatus.BAD_REQUEST)


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer an exception that nobody caught."""
    error = sys.exc_info()[1]
    if isinstance(error, AWAY):
        return _page(request, HTTPStatus.SERVICE_UNAVAILABLE)
    if isinstance(error, UNREADABLE):
        return _page(request, HTTPStatus.BAD_REQUEST)
    return _page(request, HTTPStatus.INTERNAL_SERVER_ERROR)


class SayNotAllowed:
    """The innermost middleware: Django refuses a method without a word, as where a form's address is typed."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Give a page to those who read pages."""
        response = self._get_response(request)
        if isinstance(response, HttpResponseNotAllowed) and request.accepts("text/html") and not response.content:
            page = render_to_string("405.html", {"is_read": request.method in {"GET", "HEAD"}}, request)
            response.content = page.encode()
        return response


def _page(request: HttpRequest, status: HTTPStatus) -> HttpResponse:
    headers = {"Cache-Control": "private, no-store"}
    if status is HTTPStatus.SERVICE_UNAVAILABLE:
        headers["Retry-After"] = str(RETRY_S)
    if request.path.startswith("/api/"):
        return JsonResponse({"detail": _WORDS[status]}, status=status, headers=headers)
    # Without the request itself: to ask who is logged in, the page would need the database.
    page = render_to_string(f"{status.value}.html", {"request": {"COOKIES": request.COOKIES}})
    return HttpResponse(page, status=status, headers=headers)
