"""The terminal's pages as HTML: what they say, in which state, and what they cost."""

from __future__ import annotations

import datetime as dt
import re
from typing import TYPE_CHECKING, Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from heatmaps.core.bands import OPEN_INTEREST_FACTORS_1
from heatmaps.core.doubts import Doubt
from heatmaps.core.groups import OTHER_PRIORS
from heatmaps.core.leverage import GROUP_LABELS
from heatmaps.pages import figures
from heatmaps.queries import aged, get_zone
from tests.factories import make_instrument, make_user
from tests.pages import client_of
from tests.web.scored import keep, totals
from tests.world import World, add_bars, lasting_world, make_world

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.test import Client
    from django.test.client import _MonkeyPatchedWSGIResponse as Response
    from pytest_django import DjangoDbBlocker

pytestmark = pytest.mark.django_db
CONTEXT = ("context-at", "context-gauge", "context-state", "context-levels")
END = dt.datetime(2026, 1, 15, 12, 0, tzinfo=dt.UTC)


@pytest.fixture(scope="module")
def world(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[World]:
    with lasting_world(django_db_blocker, end=END) as made:
        yield made


@pytest.fixture
def member() -> Client:
    return client_of(make_user())


def text_of(response: Response) -> str:
    """Return the words of a page, its blanks folded."""
    assert response.status_code == 200
    return " ".join(re.sub(r"<[^>]+>", " ", response.content.decode()).split())


def terminal(key: str = "binance:BTCUSDT") -> str:
    return reverse("heatmaps:terminal", kwargs={"key": key})


def test_terminal_shows_the_stored_figures(world: World, member: Client) -> None:
    words = text_of(member.get(terminal()))
    for expected in (
        "BTC-USDT perpetual",
        "Estimate, not exchange data",
        "What this does not say",
        "not yet scored on real liquidations",
        "History: ends 15 Jan 2026",
        "open-interest 2",
        world.zone.label,
    ):
        assert expected in words, expected
    assert "Simulated market " not in words


def test_terminal_marks_its_map_ready_and_its_zones_as_links(world: World, member: Client) -> None:
    page = member.get(terminal()).content.decode()
    assert 'data-heatmap="ready"' in page
    assert f'href="{reverse("heatmaps:zone", kwargs={"pk": world.zone.pk})}"' in page
    assert f'href="{reverse("journal:plan-new")}?zone={world.zone.pk}"' in page


def test_simulated_market_says_so(member: Client) -> None:
    make_world(end=END, venue="simulated", symbol="SIMBTC-USDT", is_simulated=True, hours=30)
    assert "Simulated market" in text_of(member.get(terminal("simulated:SIMBTC-USDT")))


def test_instrument_without_bars_shows_dashes_with_reasons(member: Client) -> None:
    make_instrument(symbol="ETHUSDT")
    page = member.get(terminal("binance:ETHUSDT"))
    words = text_of(page)
    assert 'data-heatmap="none"' in page.content.decode()
    assert "No data yet" in words
    assert "— nothing stored yet" in words
    assert "$0" not in words


def test_bars_without_a_map_show_candles_and_say_what_is_missing(member: Client) -> None:
    add_bars(instrument=make_instrument(symbol="ETHUSDT"), end=END, hours=30)
    page = member.get(terminal("binance:ETHUSDT"))
    words = text_of(page)
    assert 'data-heatmap="none"' in page.content.decode()
    assert "No estimate yet" in words
    assert "— no estimate yet" in words
    assert "No estimate yet: the map of this instrument has not been built." in words
    assert "stands out" not in words
    assert "No zones" not in words


def hidden_banner(page: str) -> bool:
    found = re.search(r'<p class="[^"]*" id="stale"[^>]*>', page)
    assert found
    return " hidden" in found.group()


def test_live_instrument_is_stale_once_its_grace_is_over(member: Client) -> None:
    now = dt.datetime.now(dt.UTC)
    make_world(end=now - dt.timedelta(minutes=10), hours=1, is_live=True, symbol="ETHUSDT")
    page = member.get(terminal("binance:ETHUSDT")).content.decode()
    assert not hidden_banner(page)
    assert re.search(r"data-stale-age>Data is 1\d min old<", page)
    # What is shown last is the newest that there is, and no live edge.
    assert ("Newest data" in page, "Live edge" in page) == (True, False)


def test_history_is_never_called_stale(world: World, member: Client) -> None:
    page = member.get(terminal()).content.decode()
    assert hidden_banner(page)
    assert 'data-kind="history"' in page


def test_live_fragment_swaps_each_block_by_its_name(world: World, member: Client) -> None:
    page = member.get(reverse("heatmaps:live", kwargs={"key": "binance:BTCUSDT"})).content.decode()
    swapped = re.findall(r'id="([a-z-]+)"[^>]* hx-swap-oob="true"', page)
    assert swapped == ["strip", "outages", "clusters", *CONTEXT, "record", "zone-list"]


def test_zone_page_shows_what_was_frozen(world: World, member: Client) -> None:
    zone = world.zone
    page = member.get(reverse("heatmaps:zone", kwargs={"pk": zone.pk}))
    assert f'href="{reverse("journal:plans")}?zone={zone.pk}"' in page.content.decode()
    words = text_of(page)
    assert "% below the price. Alive for" in words
    assert f"sha256 {zone.evidence_sha256}" in words
    assert "Price at formation" in words
    assert "This picture does not change" in words


def test_unknown_instruments_and_zones_are_not_found(member: Client) -> None:
    assert member.get(terminal("binance:NOPE")).status_code == 404
    assert member.get("/zones/999999999999999999/").status_code == 404
    assert member.get("/t/a%00b:c/").status_code == 404


def count_queries(client: Client, address: str) -> int:
    client.get(address)
    with CaptureQueriesContext(connection) as captured:
        assert client.get(address).status_code == 200
    return len(captured)


def test_instruments_page_costs_the_same_for_one_and_for_three(world: World, member: Client) -> None:
    address = reverse("heatmaps:instruments")
    one = count_queries(member, address)
    for symbol in ("ETHUSDT", "SOLUSDT"):
        make_world(end=END, hours=30, symbol=symbol)
    words = text_of(member.get(address))
    assert [name in words for name in ("BTC-USDT", "ETH-USDT", "SOL-USDT")] == [True] * 3
    assert count_queries(member, address) == one


def test_instruments_page_says_what_is_missing(member: Client) -> None:
    make_instrument(symbol="ETHUSDT", is_live=True)
    words = text_of(member.get(reverse("heatmaps:instruments")))
    assert "No data yet" in words
    assert "no estimate yet" in words


def test_summary_tells_bands_and_amounts_with_their_interval(world: World, member: Client) -> None:
    page = member.get(terminal()).content.decode()
    summary = re.search(r'id="zone-summary">([^<]+)<', page)
    assert summary
    place = r"[\d,]+–[\d,]+ \([+−][\d.]+%\), \$[\d.]+[KMB]?, 80% interval \$[\d.]+[KMB]?–[\d.]+[KMB]?"  # noqa: RUF001
    assert re.search(rf"nearest (above|below) is {place}", summary[1]), summary[1]
    assert re.findall(r'class="i">80%: \$', page)


def test_pages_say_what_was_shown_of_which_instrument(world: World, member: Client) -> None:
    zone = reverse("heatmaps:zone", args=[world.zone.pk])
    for page in (terminal(), zone):
        words = text_of(member.get(page))
        assert "Nothing is scored yet." in words
        assert "python3 manage.py score binance:BTCUSDT --against hourly-totals" in words
    run = keep(totals(wick=0.05, geometry=-0.002), instrument=world.instrument)
    cache.clear()  # pages may be half a minute late with it
    for page in (terminal(), zone):
        words = text_of(member.get(page))
        assert "Locates liquidations beyond the wick: shown. longs +0.070 [0.050, 0.090] explained" in words
        assert "Sizes beyond geometry: not shown." in words
        assert f"run {run.pk}" in words
    make_world(end=END, hours=30, symbol="ETHUSDT")
    cache.clear()
    other = text_of(member.get(terminal("binance:ETHUSDT")))
    assert "This instrument has not been scored. What follows is of binance:BTCUSDT." in other


def test_a_zone_tells_its_leverage_and_how_much_the_prior_matters_apart_from_its_interval(
    world: World, member: Client
) -> None:
    zone = world.zone
    words = text_of(member.get(reverse("heatmaps:zone", args=[zone.pk])))
    assert "By leverage &lt;8x $" in words
    assert "Under other leverage priors Lower leverage $" in words
    assert "It is no interval and is not in the 80% interval." in words
    found: Any = member.get(reverse("api-zone", args=[zone.pk])).json()["leverage"]
    assert [one["leverage"] for one in found["groups"]] == list(GROUP_LABELS)
    # Tiles round by 2 %, and the band's edges lie on bins.
    assert sum(one["usd"] for one in found["groups"]) == pytest.approx(zone.usd, rel=0.03)
    assert [one["prior"] for one in found["prior_sensitivity"]] == list(OTHER_PRIORS)


def test_an_old_map_says_so_and_has_wider_intervals(world: World, member: Client) -> None:
    zone = world.zone
    heatmap, later = zone.heatmap, END + dt.timedelta(hours=12)
    add_bars(instrument=world.instrument, end=later, hours=12)
    words = text_of(member.get(terminal()))
    assert "Intervals are wider than usual:" in words
    assert "the newest column is 12 h old" in words
    page = text_of(member.get(reverse("heatmaps:zone", args=[zone.pk])))
    wider = aged(zones=[get_zone(zone_id=zone.pk)], age=Doubt(age_hours=12.0))[0]
    assert (wider.usd_low < zone.usd_low, wider.usd_high > zone.usd_high) == (True, True)
    assert f"80% interval {figures.usd_range(wider.usd_low, wider.usd_high)}" in page
    assert heatmap.built_through == END


def test_an_interval_that_ends_at_the_estimate_is_explained(world: World, member: Client) -> None:
    sentence = "there the estimate is the upper end"
    assert sentence not in text_of(member.get(terminal()))
    zone = world.zone
    release = zone.heatmap.release
    release.parameters, release.digest = {**release.parameters, "bands": OPEN_INTEREST_FACTORS_1}, "f" * 64
    release.save(update_fields=["parameters", "digest"])
    assert sentence in text_of(member.get(terminal()))
    for usd_high, times in ((zone.usd, 1), (zone.usd * 1.2, 0)):
        type(zone).objects.filter(pk=zone.pk).update(usd_high=usd_high)
        page = text_of(member.get(reverse("heatmaps:zone", args=[zone.pk])))
        assert page.count(sentence) == times


@pytest.mark.parametrize("name", ["landing"])
def test_front_page_says_what_it_is_not(name: str) -> None:
    words = text_of(client_of(None).get(reverse(name)))
    assert "Not exchange data" in words
    assert "Log in" in words


def test_unknown_page_is_in_our_look() -> None:
    response = client_of(None).get("/nowhere/")
    assert response.status_code == 404
    assert "There is nothing here" in response.content.decode()


def test_theme_comes_from_the_cookie_and_else_from_the_system(world: World, member: Client) -> None:
    page = member.get(terminal()).content.decode()
    assert "data-theme" not in page
    assert 'id="light" media="(prefers-color-scheme: light)"' in page
    assert page.count("and (prefers-color-scheme: light)") == 2
    for theme, media in (("light", "all"), ("dark", "not all")):
        member.cookies["theme"] = theme
        page = member.get(terminal()).content.decode()
        assert f'data-theme="{theme}"' in page
        assert f'id="light" media="{media}"' in page
        assert "prefers-color-scheme" not in page
        assert page.count(f"?theme={theme}") == 2


def test_map_that_fell_behind_is_told(member: Client) -> None:
    behind = make_world(end=END - dt.timedelta(hours=2), hours=1, symbol="ETHUSDT")
    add_bars(instrument=behind.instrument, end=END, hours=2)
    assert "The map is 2 h behind the bars" in text_of(member.get(terminal("binance:ETHUSDT")))
