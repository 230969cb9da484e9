"""Limits of the doors hold exactly where sixteen processes knock at once, and where the cache is emptied meanwhile."""

from __future__ import annotations

import multiprocessing
import re
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from typing import TYPE_CHECKING

import pytest
from allauth.mfa.app_settings import TOTP_PERIOD
from django.core.cache import cache
from django.db import connections
from django.test import Client
from django.utils import timezone

from access.early import limits
from access.models import Allowance, Ask, Mail
from access.operations import ACCOUNT_ALLOWANCE, ADDRESS_ALLOWANCE, DOOR_ALLOWANCES, MAIL_ALLOWANCE
from tests.access.test_accounts import again, code_of, hold_time_of_codes, log_in, member, turn_totp_on
from tests.access.test_one_answer import PASSWORD, REQUEST, knock
from tests.factories import make_user

if TYPE_CHECKING:
    from collections.abc import Iterator
    from multiprocessing.synchronize import Barrier

    from pytest_django import Settings

CLIENTS, ROUNDS = 16, 4
ALL = CLIENTS * ROUNDS
# What each process of the crowd is born with.
_TOGETHER: list[Barrier] = []
HERE, EACH_ELSEWHERE = "192.0.2.1", "10.1.{client}.{turn}"


@pytest.fixture
def crowd(monkeypatch: pytest.MonkeyPatch, settings: Settings, transactional_db: None) -> Iterator[ProcessPoolExecutor]:
    """Sixteen processes with connections of their own, for whom no time passes: nothing is earned back."""
    moment = timezone.now()
    monkeypatch.setattr(timezone, "now", lambda: moment)
    settings.SIGN_UP = "open"
    context = multiprocessing.get_context("fork")
    with ProcessPoolExecutor(CLIENTS, context, initializer=_begin, initargs=(context.Barrier(CLIENTS),)) as crowd:
        yield crowd


def _begin(barrier: Barrier) -> None:
    _TOGETHER.append(barrier)


def _knock(client: int, door: str, address: str, origin: str) -> list[int]:
    """Knock with all others at once, empty the cache halfway, and return the answers."""
    _TOGETHER[0].wait(30)
    statuses = []
    for turn in range(ROUNDS):
        visitor = Client(REMOTE_ADDR=origin.format(client=client, turn=turn))
        is_api = door.startswith("/api/")
        answer = visitor.get(door) if is_api else knock(door, address.format(client=client, turn=turn), client=visitor)
        statuses.append(answer.status_code)
        if turn == ROUNDS // 2 - 1:
            cache.clear()
    return statuses


def knock_all(crowd: ProcessPoolExecutor, door: str, address: str, origin: str) -> Counter[int]:
    # The crowd is born at the first errand: it shall inherit no connection.
    connections.close_all()
    answers = [crowd.submit(_knock, client, door, address, origin) for client in range(CLIENTS)]
    return Counter(status for answer in answers for status in answer.result(60))


def test_each_limit_holds_exactly(crowd: ProcessPoolExecutor) -> None:
    make_user(email="member@example.com", password=PASSWORD + ".")
    calm, most = limits.CALM_NETWORK.most, limits.ADDRESS.most
    each, member, nobody = "u{client}.{turn}@example.com", "member@example.com", "nobody@example.com"
    cases: tuple[tuple[str, str, str, dict[int, int], int], ...] = (
        # One network, many addresses.
        ("/login/", each, HERE, {422: ADDRESS_ALLOWANCE[0]}, 429),
        ("/signup/", each, HERE, {302: DOOR_ALLOWANCES["sign-up"][0]}, 429),
        ("/reset/", each, HERE, {302: DOOR_ALLOWANCES["reset"][0]}, 429),
        ("/api/v1/plans/", "", HERE, {401: 30}, 429),
        # The calm ones are taken in, further ones have to prove work; beyond that all are dropped with the one answer.
        (REQUEST, each, HERE, {422: most - calm}, 302),
        # Many networks, one address.
        ("/login/", member, EACH_ELSEWHERE, {422: ACCOUNT_ALLOWANCE[0]}, 429),
        ("/reset/", member, EACH_ELSEWHERE, {}, 302),
        ("/reset/", nobody, EACH_ELSEWHERE, {}, 302),
    )
    for door, address, origin, accepted, rest in cases:
        counts = knock_all(crowd, door, address, origin)
        assert counts == {**accepted, rest: ALL - sum(accepted.values())}, (door, address)
    assert Ask.objects.count() == calm
    for address in (member, nobody):
        assert Mail.objects.filter(address=address).count() == MAIL_ALLOWANCE[0]


@pytest.mark.django_db
def test_codes_of_a_second_factor_are_not_guessed_for_long() -> None:
    """Nor does who knows the password and guesses keep the owner's own browser out."""
    owner = member()
    again(owner)
    turn_totp_on(owner)
    (code, *_) = re.findall(r"<li>(\d+)</li>", owner.get("/account/security/codes/").content.decode())
    stranger, most = Client(), DOOR_ALLOWANCES["second-factor"][0]
    for _ in range(most):
        log_in(stranger)
        assert stranger.post("/login/second-factor/", {"code": "000000"}).status_code == 422
        cache.clear()
    log_in(stranger)
    assert stranger.post("/login/second-factor/", {"code": code}).status_code == 429
    owner.post("/logout/")
    log_in(owner)
    assert owner.post("/login/second-factor/", {"code": code}).status_code == 302
    # Who found the browser open guesses no longer than that, either.
    answers = [owner.post("/account/security/again/", {"code": "000000"}).status_code for _ in range(most + 1)]
    assert answers == [422] * most + [429]


def _spend(cookies: dict[str, str], code: str) -> int:
    """Send a code with all others at once, to a cache that has just been emptied."""
    visitor = Client()
    visitor.cookies.load(cookies)
    _TOGETHER[0].wait(30)
    cache.clear()
    return visitor.post("/login/second-factor/", {"code": code}).status_code


def test_a_code_is_good_once_whatever_the_cache_forgets(
    crowd: ProcessPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner = member()
    again(owner)
    # The code's time does not end meanwhile, and nobody is held up by the count of tries.
    moment = time.time()
    hold_time_of_codes(monkeypatch, moment)
    secret = turn_totp_on(owner)
    moment += TOTP_PERIOD
    hold_time_of_codes(monkeypatch, moment)
    monkeypatch.setitem(DOOR_ALLOWANCES, "second-factor", (1000, 1))
    halfway = []
    for _ in range(2 * CLIENTS):
        Allowance.objects.all().delete()
        visitor = Client()
        log_in(visitor)
        halfway.append({name: cookie.value for name, cookie in visitor.cookies.items()})
    connections.close_all()
    for crowd_of, winners in ((halfway[:CLIENTS], 1), (halfway[CLIENTS:], 0)):
        answers = [crowd.submit(_spend, cookies, code_of(secret)) for cookies in crowd_of]
        counts = Counter(answer.result(60) for answer in answers)
        assert counts == Counter({302: winners, 422: CLIENTS - winners})
    # Nor does an earlier one work any more, while the next one does.
    visitor = Client()
    Allowance.objects.all().delete()
    log_in(visitor)
    statuses = []
    for later in (-TOTP_PERIOD, TOTP_PERIOD):
        hold_time_of_codes(monkeypatch, moment + later)
        statuses.append(visitor.post("/login/second-factor/", {"code": code_of(secret)}).status_code)
    assert statuses == [422, 302]


@pytest.mark.django_db
def test_the_code_that_switches_a_second_factor_on_is_spent(monkeypatch: pytest.MonkeyPatch) -> None:
    moment = time.time()
    hold_time_of_codes(monkeypatch, moment)
    owner = member()
    again(owner)
    secret = turn_totp_on(owner)
    cache.clear()
    statuses = []
    for later in (0, 0, TOTP_PERIOD):
        hold_time_of_codes(monkeypatch, moment + later)
        visitor = Client()
        log_in(visitor)
        statuses.append(visitor.post("/login/second-factor/", {"code": code_of(secret)}).status_code)
    assert statuses == [422, 422, 302]
