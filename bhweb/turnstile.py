"""Passwords are hashed one at a time, and who waits for it holds no thread: a flood of logins leaves pages alone."""

from __future__ import annotations

import asyncio
import re
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from access.permissions.devices import has_logged_in_before
from bhweb.bodies import RefusedError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from bhweb.streams import Scope

# How many may be in a line, the first of whom is served.
LENGTH: Final = 8
# Where strangers have a password hashed: login, sign-up, a new password.
_HASHES: Final = re.compile(r"/(login|signup|reset/[0-9A-Za-z]+-[^/]+)/")


class Line:
    """One is served at a time; whoever finds the line full is sent away at once."""

    def __init__(self, length: int = LENGTH) -> None:
        self._length, self._count, self._turn = length, 0, asyncio.Lock()

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Wait for the turn; raise RefusedError where the line is full."""
        if self._count >= self._length:
            raise RefusedError(HTTPStatus.TOO_MANY_REQUESTS)
        self._count += 1
        try:
            async with self._turn:
                yield
        finally:
            self._count -= 1


class Turnstile:
    """Two lines, so that a flood of strangers does not keep those waiting who have logged in before.

    Which one it is says the browser's own signed mark, never whether an address is known.
    """

    def __init__(self) -> None:
        self._known, self._strangers = Line(), Line()

    def turn(self, scope: Scope) -> AbstractAsyncContextManager[None]:
        """Return the turn of a request that may hash; for all others there is none to wait for."""
        if scope["method"] != "POST" or not _HASHES.fullmatch(scope["path"]):
            return nullcontext()
        cookies = "; ".join(value.decode("latin-1") for name, value in scope["headers"] if name == b"cookie")
        return (self._known if has_logged_in_before(cookies) else self._strangers).turn()
