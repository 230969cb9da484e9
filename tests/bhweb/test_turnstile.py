"""One is served at a time, few wait, and nobody waits who has nothing hashed."""

from __future__ import annotations

import asyncio
from contextlib import nullcontext

import pytest
from django.http import HttpResponse

from access.forms import remember_device
from access.models import User
from bhweb.bodies import RefusedError
from bhweb.turnstile import LENGTH, Line, Turnstile

LOGIN = {"method": "POST", "path": "/login/", "headers": []}


def test_one_is_served_at_a_time_and_who_finds_the_line_full_is_sent_away() -> None:
    served, refused = [], []

    async def come(line: Line, done: asyncio.Event) -> None:
        try:
            async with line.turn():
                served.append("in")
                await done.wait()
                served.append("out")
        except RefusedError as error:
            refused.append(error.status)

    async def crowd() -> None:
        line, done = Line(), asyncio.Event()
        coming = [asyncio.create_task(come(line, done)) for _ in range(20)]
        await asyncio.sleep(0)
        assert (served, refused) == (["in"], [429] * (20 - LENGTH))
        # Who leaves gives up the place, whether waiting or served.
        coming[0].cancel(), coming[1].cancel()
        await asyncio.sleep(0.01)
        done.set()
        coming += [asyncio.create_task(come(line, done)) for _ in range(2)]
        await asyncio.gather(*coming, return_exceptions=True)
        async with line.turn():
            pass

    asyncio.run(crowd())
    assert served == ["in"] + ["in", "out"] * LENGTH
    assert len(refused) == 20 - LENGTH


def test_what_hashes_nothing_has_no_turn() -> None:
    others = [{**LOGIN, "path": path} for path in ("/", "/login/second-factor/", "/reset/", "/reset/sent/")]
    for scope in ({**LOGIN, "method": "GET"}, *others):
        assert isinstance(Turnstile().turn(scope), nullcontext)


@pytest.mark.parametrize("path", ["/login/", "/signup/", "/reset/1-c9-abcdef/", "/reset/1-set-password/"])
def test_strangers_do_not_fill_the_line_of_known_devices(path: str) -> None:
    marked = HttpResponse()
    remember_device(marked, User(email="owner@example.com"))
    cookie = f"theme=dark; device={marked.cookies['device'].value}".encode()
    known = {**LOGIN, "path": path, "headers": [(b"host", b"x"), (b"cookie", cookie)]}
    forged = {**known, "headers": [(b"cookie", cookie[:-3] + b"abc")]}

    async def crowd() -> None:
        turnstile, done = Turnstile(), asyncio.Event()

        async def stay() -> None:
            async with turnstile.turn(LOGIN):
                await done.wait()

        waiting = [asyncio.create_task(stay()) for _ in range(LENGTH)]
        await asyncio.sleep(0)
        for stranger in ({**LOGIN, "path": path}, forged):
            with pytest.raises(RefusedError):
                await turnstile.turn(stranger).__aenter__()
        async with turnstile.turn(known):
            done.set()
        await asyncio.gather(*waiting)

    asyncio.run(crowd())
