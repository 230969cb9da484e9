"""A market with a hole of twelve hours: the chart and the picture hatch it, and say so under the crosshair."""

from __future__ import annotations

import datetime as dt
import io
import os
from typing import TYPE_CHECKING

import numpy as np
import pytest
from django.core.management import call_command
from django.db import connection
from PIL import Image

from heatmaps import operations as heatmaps
from heatmaps import palette, picture
from heatmaps.queries import get_heatmap
from market.models import Bar, OpenInterest
from tests.browser.conftest import END
from tests.factories import make_instrument
from tests.world import World, add_bars

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Page
    from pytest_django import DjangoDbBlocker

    from tests.browser.conftest import Visit

    Open = Callable[..., Visit]

pytestmark = pytest.mark.django_db(transaction=False)
HOLE = (END - dt.timedelta(hours=40), END - dt.timedelta(hours=28))


@pytest.fixture(scope="module")
def world(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[World]:
    """Make three days without the bars and samples of twelve hours."""
    assert str(connection.settings_dict["NAME"]).startswith("test_")
    with django_db_blocker.unblock():
        instrument = make_instrument()
        add_bars(instrument=instrument, end=END, hours=72)
        for model, moment in ((Bar, "open_time"), (OpenInterest, "time")):
            model.objects.filter(**{f"{moment}__gte": HOLE[0], f"{moment}__lt": HOLE[1]}).delete()
        heatmaps.advance(instrument_id=instrument.pk, now=END)
        heatmap = get_heatmap(instrument_id=instrument.pk)
        assert heatmap is not None
        yield World(instrument, heatmap)
        with connection.cursor() as cursor:
            cursor.execute("TRUNCATE market_instrument, market_bar, heatmaps_estimatorrelease CASCADE")
        call_command("flush", interactive=False, verbosity=0)


def pixels(body: bytes) -> np.ndarray:  # type: ignore[type-arg]  # uint8
    return np.asarray(Image.open(io.BytesIO(body)).convert("RGB")).astype(int)


def hatched(image: np.ndarray, theme: str) -> np.ndarray:  # type: ignore[type-arg]
    """Return for each column of pixels the share that has the colour of the hatching."""
    share: np.ndarray = (abs(image - list(picture.INKS[theme].hatch)) <= 5).all(axis=2).mean(axis=0)  # type: ignore[type-arg]
    return share


def keep(page: Page, name: str) -> None:
    """Leave a screenshot where the environment names a place for it."""
    if place := os.environ.get("BH_SCREENS"):
        page.screenshot(path=f"{place}/{name}.png")


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_the_chart_hatches_the_hole_and_nothing_else(theme: str, visit: Open, world: World) -> None:
    opened = visit(theme=theme)
    page = opened.terminal(query="?tf=15m")
    page.wait_for_timeout(500)
    keep(page, f"gap_{theme}")
    plot = pixels(page.locator("#chart").screenshot())[60:400]
    lines = hatched(plot, theme) > 0.05
    # The volume profile at the left edge, as wide at most, has shades of its own.
    lines[:112] = False
    inside = np.flatnonzero(lines)
    # Twelve of the seventy-five hours in view, in one piece.
    assert 0.11 < lines[: plot.shape[1] - 80].mean() < 0.2
    assert lines[inside[0] : inside[-1]].mean() > 0.9
    # The line of open interest does not cross the hole either, in the pane that bears its name.
    whole = pixels(page.locator("#chart").screenshot())
    box, label = page.locator("#chart").bounding_box(), page.locator(".pane-label").first.bounding_box()
    assert box is not None
    assert label is not None
    top = round(label["y"] - box["y"])
    pane = whole[top : top + 50, inside[0] + 8 : inside[-1] - 8]
    assert (abs(pane - palette.GROUND[theme]).max(axis=2) <= 2).all()
    page.mouse.move(box["x"] + float(inside.mean()), box["y"] + 200)
    page.wait_for_timeout(300)
    assert "no estimate for this column: no price bars" in page.locator("#read-heat").inner_text()
    assert opened.problems == []


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_the_picture_hatches_it_too(theme: str, visit: Open, world: World) -> None:
    opened = visit(theme=theme, scripts=False)
    page = opened.go(f"/t/{world.instrument.key}/?tf=15m")
    keep(page, f"gap_picture_{theme}")
    answer = page.request.get(opened.origin + f"/t/{world.instrument.key}/picture.png?tf=15m&theme={theme}&width=1052")
    lines = hatched(pixels(answer.body())[20:300], theme) > 0.05
    inside = np.flatnonzero(lines[:900])
    assert lines[inside[0] : inside[-1]].mean() > 0.9
    assert 0.1 < (inside[-1] - inside[0]) / 978 < 0.2
