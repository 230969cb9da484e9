"""Passwords are hashed one at a time, and few wait for it: a flood of logins leaves the pages their processor."""

from __future__ import annotations

from contextlib import contextmanager
from functools import wraps
from http import HTTPStatus
from threading import BoundedSemaphore, Lock
from typing import TYPE_CHECKING, Final

from django.shortcuts import render

from access.forms import read_device

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.http import HttpRequest, HttpResponseBase

    from access.permissions import View

# How many of the web process's threads may be in a room: one hashes, the others wait for it.
PLACES: Final = 2
RETRY_S: Final = 3


class Room:
    """A room with few places, in which one works at a time."""

    def __init__(self, places: int = PLACES) -> None:
        self._places, self._work = BoundedSemaphore(places), Lock()

    @contextmanager
    def entered(self) -> Iterator[bool]:
        """Wait for the turn and yield True; yield False at once where the room is full."""
        if not self._places.acquire(blocking=False):
            yield False
            return
        try:
            with self._work:
                yield True
        finally:
            self._places.release()


# Who has logged in before is not kept waiting by strangers.
STRANGERS: Final = Room()
KNOWN: Final = Room()


def hashing(view: View) -> View:
    """Take its turn for what may hash a password; answer 429 at once where too many wait, before anything is read.

    Which room it is says the browser's own signed mark or session, never whether the address is known.
    """

    @wraps(view)
    def answered(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        if request.method != "POST":
            return view(request, *args, **kwargs)
        with _room_of(request).entered() as is_in:
            if is_in:
                return view(request, *args, **kwargs)
        refusal = render(request, "access/busy.html", status=HTTPStatus.TOO_MANY_REQUESTS)
        refusal.headers["Retry-After"] = f"{RETRY_S}"
        return refusal

    return answered


def _room_of(request: HttpRequest) -> Room:
    is_known = request.user.is_authenticated or read_device(request, request.POST.get("login", "").strip().lower())
    return KNOWN if is_known else STRANGERS
