"""What the terminal asks of the database and what it weighs over the wire."""

from __future__ import annotations

import datetime as dt
import gzip
import json
import re
from typing import TYPE_CHECKING

import pytest
from django.core.cache import cache

from tests.asked import statements
from tests.factories import make_user
from tests.pages import client_of
from tests.web.test_pages_terminal import count_queries, terminal
from tests.world import World, lasting_world

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.test import Client
    from pytest_django import DjangoDbBlocker

pytestmark = pytest.mark.django_db
END = dt.datetime(2026, 1, 15, 12, 0, tzinfo=dt.UTC)


@pytest.fixture(scope="module")
def world(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[World]:
    with lasting_world(django_db_blocker, end=END) as made:
        yield made


@pytest.fixture
def member() -> Client:
    return client_of(make_user())


ASKED = {terminal(): 3, "/t/binance:BTCUSDT/live/": 3, "/t/binance:BTCUSDT/chart.json": 3, "/tick/binance:BTCUSDT/": 3}


@pytest.mark.parametrize("address", ASKED)
def test_hot_page_asks_who_it_is_and_one_question_more(address: str, world: World, member: Client) -> None:
    assert count_queries(member, address) == ASKED[address]


def test_cold_page_asks_six_questions(world: World, member: Client) -> None:
    """Who it is (2), the map, all rows that it and the market have, its zones, and what was scored."""
    for kept, asked in ((False, 6), (True, 3)):
        if not kept:
            cache.clear()
        with statements() as found:
            member.get(terminal())
        assert len(found) == asked, found


def test_parts_that_the_page_has_are_not_sent_again(world: World, member: Client) -> None:
    live = "/t/binance:BTCUSDT/live/"
    parts = member.get(live)["X-Parts"].split(",")
    assert len({*parts}) == len(parts) == 9
    same = member.get(live, headers={"X-Parts": ",".join(parts)})
    assert (same.content, same["X-Parts"]) == (b"", ",".join(parts))
    again = member.get(live, headers={"X-Parts": ",".join(parts[1:])}).content.decode()
    assert re.findall(r'id="([a-z-]+)"[^>]* hx-swap-oob="true"', again) == ["strip"]


def test_tick_weighs_five_kilobytes_at_most(world: World, member: Client) -> None:
    live, chart = "/t/binance:BTCUSDT/live/", "/t/binance:BTCUSDT/chart.json"
    whole = member.get(chart).json()
    since = whole["start_ms"] + (len(whole["bars"]["close"]) - 1) * whole["step_ms"]
    first = member.get(chart, {"since": since, "known": ",".join(whole["digests"].values())}).json()
    known = ",".join(first["digests"].values())
    newer = member.get(chart, {"since": since, "known": known}, headers={"Accept-Encoding": "gzip"})
    left_out = {"slice", "leverage", "zones", "touches", "levels"}
    assert (left_out <= {*whole}, left_out & {*json.loads(gzip.decompress(newer.content))}) == (True, set())
    # What the hour says stays, what stands beside the price changes.
    parts = member.get(live)["X-Parts"].split(",")
    moved = member.get(live, headers={"X-Parts": ",".join(parts[3:8]), "Accept-Encoding": "gzip"})
    assert len(moved.content) + len(newer.content) <= 5_000


def test_terminal_costs_the_same_for_one_zone_and_for_many(world: World, member: Client) -> None:
    many = count_queries(member, terminal())
    type(world.zone).objects.exclude(pk=world.zone.pk).delete()
    assert count_queries(member, terminal()) == many
