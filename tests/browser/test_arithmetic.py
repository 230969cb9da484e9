"""What the scripts reckon by themselves, against what Python reckons."""

from __future__ import annotations

import base64
import math
from typing import TYPE_CHECKING, Literal

import numpy as np
import pytest

from heatmaps import queries
from heatmaps.core.tile import codes_from_usd
from tests.browser.conftest import script_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Page

    from tests.browser.conftest import Visit
    from tests.world import World

    Open = Callable[..., Visit]

pytestmark = pytest.mark.django_db(transaction=False)


def run(page: Page, name: str, body: str, *arguments: object) -> list[float]:
    """Run a function body with one of the page's modules as ``m`` and arguments ``a``."""
    script = script_of(name)
    found: list[float] = page.evaluate(
        f"async ([path, a]) => {{ const m = await import(path); {body} }}", [script, list(arguments)]
    )
    return found


def test_distance_below_the_price_ends_at_a_hundred_percent(visit: Open, world: World) -> None:
    page = visit().terminal()
    body = "const g = new m.Grid({ bin_bps: 5 }); return [g.distancePct('longs', a[0]), g.distancePct('shorts', a[0])];"
    longs, shorts = run(page, "grid", body, 400)
    assert longs == pytest.approx((1 - math.exp(-0.2)) * 100)
    assert shorts == pytest.approx((math.exp(0.2) - 1) * 100)


SUMS = """
    const heat = { bin_bps: 5, code_floor_usd: a[0] };
    const { Grid } = await import(a[4]);
    const { Bands } = await import(a[5]);
    const slice = { codes: a[1], bin_lo: a[2], close: a[3] };
    const read = m.readSlice(slice, new Grid(heat), new Bands(null));
    return [read.total[0], read.total[read.total.length - 1]];
"""


@pytest.mark.parametrize("place", [0.1, 0.49, 0.51, 0.9])
def test_the_bin_across_the_close_is_on_the_side_of_its_centre(place: float, visit: Open, world: World) -> None:
    page = visit().terminal()
    bin_lo, width, floor = 22_000, 5e-4, 20_000.0
    close = math.exp((bin_lo + 3 + place) * width)
    usd = np.array([1, 2, 4, 8, 16, 32, 64]) * 1e6
    codes = codes_from_usd(usd * 2, floor)
    text = base64.b64encode(codes.tobytes()).decode()
    drawn = run(page, "side", SUMS, floor, text, bin_lo, close, script_of("grid"), script_of("bands"))
    newest = queries.latest_slice(heatmap=world.heatmap)
    assert newest is not None
    slice_ = queries.Slice(newest.at, bin_lo, usd, close, provisional=False, bin_bps=5.0, factors=newest.factors)
    expected = [side.usd for side in queries.within_distance(slice=slice_, close=close, pct=5.0)]
    # Codes keep an amount to within 2.2 %.
    assert drawn == pytest.approx(expected, rel=0.03)


@pytest.mark.parametrize("scheme", ["dark", "light"])
@pytest.mark.parametrize("scripts", [True, False])
def test_without_a_choice_the_system_decides(
    scheme: Literal["dark", "light"], scripts: bool, visit: Open, world: World
) -> None:
    opened = visit(theme="", scripts=scripts)
    page = opened.page
    page.emulate_media(color_scheme=scheme)
    opened.terminal() if scripts else opened.go(f"/t/{world.instrument.key}/")
    ground = {"dark": "rgb(9, 11, 14)", "light": "rgb(244, 245, 247)"}
    body = page.locator("body")
    assert body.evaluate("(body) => getComputedStyle(body).backgroundColor") == ground[scheme]
    if not scripts:
        assert f"theme={scheme}" in page.locator(".still img").evaluate("(image) => image.currentSrc")
        return
    other: Literal["dark", "light"] = "light" if scheme == "dark" else "dark"
    brightness = page.locator("#chart").screenshot()
    page.emulate_media(color_scheme=other)
    page.wait_for_timeout(400)
    assert body.evaluate("(body) => getComputedStyle(body).backgroundColor") == ground[other]
    assert page.locator("#chart").screenshot() != brightness
    page.get_by_role("button", name="Switch between dark and light").click()
    assert page.locator("html").get_attribute("data-theme") == scheme
    assert opened.problems == []


def test_chances_between_distances_are_those_of_a_straight_line(visit: Open, world: World) -> None:
    page = visit().terminal()
    touches = {"distances": [0.0, 0.01, 0.04], "down": {"4h": [1, 0.5, 0.1]}, "up": {"4h": [1, 0.4, 0.004]}}
    body = "return a[0].map((away) => new m.Touches(a[1]).describe(100 * Math.exp(away), 100, ['4h', '24h']));"
    said = run(page, "touches", body, [0.0, -0.005, 0.01, 0.05, -0.025], touches)
    assert [str(one) for one in said] == [f"touch in 4 h {one}" for one in (">99%", "75%", "40%", "<1%", "30%")]
