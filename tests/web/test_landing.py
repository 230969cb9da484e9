"""The landing page: figures of stored runs or none, the form; and the first steps of a new member."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from django.core.cache import cache
from django.test import Client

from access.models import Onboarding
from bhweb import front
from heatmaps.models import Zone
from heatmaps.pages import public
from market.models import Instrument
from tests.factories import make_heatmap, make_instrument, make_user, make_zone
from tests.pages import client_of
from tests.web.scored import keep, totals, touches

if TYPE_CHECKING:
    import datetime as dt

pytestmark = pytest.mark.django_db


def text() -> str:
    said = Client().get("/").content.decode()
    return " ".join(re.sub(r"<[^>]+>", " ", said).split())


def test_without_a_run_it_says_so_and_shows_no_figure() -> None:
    said = text()
    assert said.count("Not scored on this installation yet.") == 3
    assert "No map stands here yet" in said
    assert re.findall(r"[+−]\d\.\d+", said) == []


def test_that_there_is_nothing_to_show_is_not_kept(now: dt.datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    found = iter(["", "BTC-USDT"])
    monkeypatch.setattr(public, "_first", lambda _: next(found))
    shown = public.Shown("BTC-USDT", "", "", "", "")
    monkeypatch.setattr(public, "describe", lambda **_: shown)
    cache.clear()
    assert [public.first(now=now) for _ in range(3)] == [None, shown, shown]


def test_figures_are_those_of_stored_runs_of_the_worse_side() -> None:
    btc = make_instrument()
    keep(list(totals(wick=0.05, geometry=-0.004)), instrument=btc)
    keep(touches(), instrument=btc, against="touches")
    said = text()
    assert "longs: +0.070 explained beyond wick and volume, 95% interval [+0.050, +0.090] binance:BTCUSDT" in said
    assert "longs: +0.016 explained beyond the path of price alone, 95% interval [−0.004, +0.036]" in said
    assert re.search(r"Within 4 h: skill [+−]0\.\d{3} over the base rate, 95% interval", said)
    claim = front.claims()[1].figure
    assert (claim.low, claim.middle, claim.high) == (100.2, 149.1, 198.0)


def test_figures_of_made_up_markets_are_left_out() -> None:
    keep(totals(wick=0.05, geometry=0.01), instrument=make_instrument(is_simulated=True))
    assert text().count("Not scored on this installation yet.") == 3


def test_strangers_get_the_form_and_members_the_terminal() -> None:
    page = Client().get("/?utm_source=news&ref=abc")
    assert b'name="address"' in page.content
    assert set(page.cookies) == {"csrftoken"}
    member = client_of(make_user()).get("/").content
    assert (b'name="address"' in member, b"Open the terminal" in member) == (False, True)


@pytest.mark.parametrize(
    "path", ["/", "/tools/", "/tools/ruin/", "/research/", "/method/", "/early-access/", "/reset/"]
)
def test_strangers_find_the_way_in_on_every_page(path: str) -> None:
    link = b'href="/login/">Log in</a>'
    assert Client().get(path).content.count(link) == 1
    assert link not in client_of(make_user()).get(path).content
    login = Client().get("/login/").content
    assert (link in login, b"No account yet?" in login) == (False, True)


def test_the_first_steps_are_kept(now: dt.datetime) -> None:
    make_instrument(is_live=True, is_simulated=True)
    owner = make_user()
    client = client_of(owner)
    assert client.post("/welcome/", {"pair": "binance:NOPE"}).status_code == 422
    assert client.post("/welcome/", {"pair": ["binance:BTCUSDT", "binance:NOPE"]}).status_code == 302
    client.post("/welcome/read/")
    client.post("/welcome/done/")
    kept = Onboarding.objects.get(user=owner)
    assert (kept.pairs, kept.read_at is None, kept.done_at is None) == (["binance:BTCUSDT"], False, False)
    page = client.get("/welcome/").content
    assert (page.count(b'class="is-done"'), b"None of your markets has a map yet" in page) == (2, True)


def test_the_first_steps_lead_to_a_zone_that_lives(now: dt.datetime) -> None:
    """Markets with a map stand first; a chosen one without a map, or whose zones are over, is passed by."""
    for symbol in ("AAAUSDT", "BBBUSDT", "CCCUSDT", "DDDUSDT"):
        make_instrument(symbol=symbol, is_live=True, is_simulated=True)
    bare, over, alive = (Instrument.objects.get(symbol=symbol) for symbol in ("BBBUSDT", "CCCUSDT", "DDDUSDT"))
    make_zone(heatmap=make_heatmap(instrument=over, built_through=now), born_at=now)
    Zone.objects.update(state=Zone.State.SWEPT, ended_at=now)
    client = client_of(make_user())
    client.post("/welcome/", {"pair": [bare.key, over.key]})
    page = client.get("/welcome/").content.decode()
    assert f'href="/t/{over.key}/">Choose a zone on the terminal' in page
    assert re.findall(r'name="pair" value="binance:(\w+)"', page)[0] == "CCCUSDT"
    assert page.count("no map yet") == 3
    zone = make_zone(heatmap=make_heatmap(instrument=alive, built_through=now), born_at=now)
    client.post("/welcome/", {"pair": [bare.key, over.key, alive.key]})
    assert f"/plans/new/?zone={zone.pk}" in client.get("/welcome/").content.decode()
