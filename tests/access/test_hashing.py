"""A flood of passwords finds a full room; pages, and who has logged in before, do not notice."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from django.contrib.auth import hashers
from django.test import Client

from access.models import LoginAllowance
from access.permissions.hashing import PLACES, STRANGERS, Room
from tests.access.test_login import PASSWORD, log_in, without_tokens
from tests.factories import make_user
from tests.running import wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def crowded(room: Room) -> Iterator[None]:
    """Fill a room: one works in it, the others wait for their turn."""
    done, inside = threading.Event(), []

    def stay() -> None:
        inside.append("come")
        with room.entered() as is_in:
            assert is_in
            done.wait(30)

    with ThreadPoolExecutor(PLACES) as crowd:
        stays = [crowd.submit(stay) for _ in range(PLACES)]
        try:
            wait_for(lambda: not free(room), what="a full room")
            yield
        finally:
            done.set()
        for one in stays:
            one.result()


def free(room: Room) -> bool:
    """Tell whether a place is free, without waiting for a turn."""
    found = room._places.acquire(blocking=False)
    if found:
        room._places.release()
    return found


@pytest.mark.django_db
def test_a_full_room_answers_everyone_alike_and_costs_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    make_user(password=PASSWORD)
    device = Client(REMOTE_ADDR="192.0.2.7")
    log_in(device, "owner@example.com", PASSWORD)
    device.post("/logout/")
    LoginAllowance.objects.all().delete()
    with crowded(STRANGERS):
        assert log_in(device, "owner@example.com", PASSWORD).status_code == 302
        counted = LoginAllowance.objects.count()
        monkeypatch.setattr(hashers.MD5PasswordHasher, "encode", lambda *_: pytest.fail("hashed"))
        answers = [log_in(Client(), f"{name}@example.com", PASSWORD) for name in ("owner", "other")]
        assert [(one.status_code, one["Retry-After"]) for one in answers] == [(429, "3")] * 2
        assert without_tokens(answers[0]) == without_tokens(answers[1])
        assert "try again in a few seconds" in answers[0].content.decode()
        for path in ("/signup/", "/reset/1-nonsense/"):
            assert Client().post(path, {}).status_code == 429
        assert Client().get("/login/").status_code == 200
        assert LoginAllowance.objects.count() == counted
    assert free(STRANGERS)


def test_one_works_at_a_time_and_no_more_than_fit_wait() -> None:
    room, working, most, refused = Room(3), [], [], []

    def enter() -> None:
        with room.entered() as is_in:
            if not is_in:
                refused.append(1)
                return
            working.append(1)
            most.append(len(working))
            wait_for(lambda: len(refused) == 13, what="the refusals")
            working.pop()

    with ThreadPoolExecutor(16) as crowd:
        for one in [crowd.submit(enter) for _ in range(16)]:
            one.result()
    assert most == [1, 1, 1]
    with pytest.raises(KeyError), room.entered():
        raise KeyError
    with room.entered() as is_in:
        assert is_in
