"""Thin and broken inputs through command, page and API: flagged or refused with the reason, never a guess."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import pytest
from django.core.management import call_command
from django.urls import reverse

from heatmaps.models import Heatmap
from heatmaps.pages import conditions
from heatmaps.queries import get_heatmap
from tests.core.windows import START_MS, STEP_MS, make_window, with_marks, without_samples
from tests.factories import make_instrument, make_user
from tests.heatmaps.markets import at_step, put
from tests.pages import client_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from market.series import Window

pytestmark = pytest.mark.django_db
STEPS: Final = 340


def _no_open_interest() -> Window:
    return without_samples(
        make_window(steps=STEPS), since_ms=START_MS + 40 * STEP_MS, until_ms=START_MS + 328 * STEP_MS
    )


def _untraded() -> Window:
    window = make_window(steps=STEPS)
    for name in ("volume", "quote_volume"):
        window.bars[name][330] *= 1e-6
    return window


def _no_mark() -> Window:
    return with_marks(make_window(steps=STEPS), but=tuple(range(300, 330)))


def _flat() -> Window:
    window, flat = make_window(steps=STEPS), slice(320, 332)
    for name in ("open", "high", "low", "close"):
        window.bars[name][flat] = window.bars["close"][319]
    for name in ("volume", "quote_volume"):
        window.bars[name][flat] = 0.0
    window.open_interest["open_interest"][flat] = window.open_interest["open_interest"][319]
    return window


def _one_bar() -> Window:
    return make_window(steps=1)


def _tenfold() -> Window:
    window = make_window(steps=STEPS)
    window.open_interest["open_interest"][320:326] *= 10.0
    return window


@pytest.mark.parametrize(
    ("make", "flag", "text", "count", "of"),
    [
        (_no_open_interest, "no_open_interest", "No estimate: open interest is missing", 276, "288 columns"),
        (_untraded, "untraded", "Open interest changed by more than was traded", 1, "288 steps"),
        (_no_mark, "last_price", "Swept by the last price: no mark price for the step", 30, "288 steps"),
        (_flat, "still", "Nothing was traded", 12, "288 steps"),
        (_one_bar, "unplaced", "Less than 90 % of open interest is on the map", 1, "1 steps"),
        (
            _tenfold,
            "disbelieved",
            "No estimate: open interest jumped further than trading can explain",
            6,
            "288 columns",
        ),
    ],
)
def test_each_is_told_on_the_terminal_and_by_the_api(
    make: Callable[[], Window], flag: str, text: str, count: int, of: str
) -> None:
    instrument = make_instrument()
    put(instrument, make())
    call_command("build_heatmap", instrument.key)
    member = client_of(make_user())
    page = member.get(reverse("heatmaps:terminal", args=[instrument.key]))
    assert page.status_code == 200
    words = " ".join(re.sub(r"<[^>]+>", " ", page.content.decode()).split())
    assert f"{text} {count} of {of}" in words
    answer: Any = member.get(reverse("api-heatmap", args=[instrument.key])).json()
    [row] = [one for one in answer["quality"]["last_day"] if one["flag"] == flag]
    assert (row["text"], row["count"], row["total"]) == (text, count, int(of.split(maxsplit=1)[0]))


def test_a_market_without_any_open_interest_says_that_there_is_no_estimate() -> None:
    instrument = make_instrument()
    put(instrument, without_samples(make_window(steps=30), since_ms=0, until_ms=2**60))
    call_command("build_heatmap", instrument.key)
    assert not Heatmap.objects.exists()
    page = client_of(make_user()).get(reverse("heatmaps:terminal", args=[instrument.key]))
    assert "No estimate yet" in page.content.decode()


def test_spans_tell_the_reason_of_a_gap_and_widen_what_came_after() -> None:
    instrument = make_instrument()
    put(instrument, _no_open_interest())
    call_command("build_heatmap", instrument.key, "--estimator", "open-interest")
    heatmap = get_heatmap(instrument_id=instrument.pk)
    found = conditions.for_client(heatmap=heatmap, seconds=300, since=at_step(0), until=at_step(STEPS))
    assert found is not None
    gap = next(one for one in found["spans"] if "open interest missing" in one["words"])
    assert (gap["from_ms"], gap["until_ms"]) == (START_MS + 40 * STEP_MS, START_MS + 328 * STEP_MS)
    after = next(one for one in found["spans"] if one["from_ms"] == gap["until_ms"])
    assert "longer step" in after["words"]
    assert after["longs"][3][1] > heatmap.release.parameters["bands"]["high"][0][3]  # type: ignore[union-attr]  # there is one
