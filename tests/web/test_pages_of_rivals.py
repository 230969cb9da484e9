"""Rival assumptions: two rules over the same hours, as a picture and in figures, without a script."""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from heatmaps.core.estimators import ESTIMATORS
from heatmaps.pages import rivals
from tests.factories import make_instrument, make_user
from tests.heatmaps.markets import make_market
from tests.pages import client_of

if TYPE_CHECKING:
    from django.test import Client

    from heatmaps.palette import Theme

pytestmark = pytest.mark.django_db
PAGE = "/t/binance:BTCUSDT/rivals/"
PICTURE = "/t/binance:BTCUSDT/rivals.png"


@pytest.fixture
def client() -> Client:
    make_market(steps=288 * 4)
    return client_of(make_user())


def text_of(client: Client, address: str) -> str:
    response = client.get(address)
    assert response.status_code == 200
    return " ".join(re.sub(r"<[^>]+>", " ", response.content.decode()).split())


def test_every_estimator_has_a_name_to_choose_it_by() -> None:
    assert list(rivals.CHOICES) == list(ESTIMATORS)


def test_page_compares_two_rules_in_words_and_figures(client: Client) -> None:
    said = text_of(client, f"{PAGE}?a=open-interest&b=uniform&from=2026-01-02T00:00Z")
    assert "Open interest (ours) holds more" in said
    assert "The newest column, 04 Jan 00:00 UTC" in said
    assert re.search(r"On average [1-9]\d? ?% of one map would have to move", said)
    assert len(re.findall(r"(?:Longs, below|Shorts, above) \d+ to \d+%", said)) == 10
    assert "no difference" in text_of(client, f"{PAGE}?a=uniform&b=uniform")


def test_picture_is_drawn_once_and_known_again(client: Client) -> None:
    first = client.get(PICTURE, {"a": "open-interest", "b": "uniform", "theme": "light", "width": "390"})
    assert (first.status_code, first["Content-Type"]) == (200, "image/png")
    assert Image.open(io.BytesIO(first.content)).size == (390, 440)
    again = client.get(PICTURE, {"a": "open-interest", "b": "uniform", "theme": "light", "width": "390"},
                       headers={"If-None-Match": first["ETag"]})  # fmt: skip
    assert again.status_code == 304
    tags = {client.get(PICTURE, {"width": "540", "show": show})["ETag"] for show in rivals.SHOWS}
    assert len(tags) == len(rivals.SHOWS)
    swapped = client.get(PICTURE, {"a": "uniform", "b": "open-interest", "theme": "light", "width": "390"})
    assert swapped["ETag"] != first["ETag"]


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_colours_part_the_two_rules_around_the_ground(theme: Theme) -> None:
    table = rivals.colour_table(theme).astype(int)
    assert (table[128] == table[0]).all()
    assert (np.abs(np.diff(table[128:255], axis=0)).max(axis=1) <= 6).all()
    assert table[254, 1] > table[254, 0]
    assert table[2, 1] < table[2, 0]


@pytest.mark.parametrize(
    ("address", "status"),
    [
        (f"{PAGE}?a=oracle", 400),
        (f"{PAGE}?from=soon", 400),
        (f"{PICTURE}?width=1", 400),
        (f"{PICTURE}?show=all", 400),
        ("/t/binance:NONE/rivals/", 404),
        ("/t/binance:NONE/rivals.png", 404),
    ],
)
def test_bad_addresses_are_refused(client: Client, address: str, status: int) -> None:
    assert client.get(address).status_code == status


def test_instrument_without_history_says_what_is_missing() -> None:
    make_instrument()
    client = client_of(make_user())
    assert "Nothing to compare" in text_of(client, PAGE)
    assert client.get(PICTURE).status_code == 404


def test_terminal_leads_there(client: Client) -> None:
    assert f'href="{PAGE}"' in client.get("/t/binance:BTCUSDT/").content.decode()
