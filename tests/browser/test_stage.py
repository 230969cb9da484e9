"""How the stage is laid out: what stands beside the chart rather than over it, and what is there when a part is not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.browser.conftest import DESKTOP, END, PHONE, script_of
from tests.factories import make_instrument
from tests.world import add_bars

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import FloatRect, Page
    from pytest_django import DjangoDbBlocker

    from tests.browser.conftest import Visit
    from tests.world import World

    Open = Callable[..., Visit]

pytestmark = pytest.mark.django_db(transaction=False)
ONE_LINE = 34


def box_of(page: Page, name: str) -> FloatRect:
    box = page.locator(name).bounding_box()
    assert box is not None, name
    return box


def test_on_a_phone_the_read_out_stands_above_the_chart_and_moves_nothing(visit: Open, world: World) -> None:
    opened = visit(size=PHONE)
    page = opened.terminal()
    chart = box_of(page, "#chart")
    page.locator("#chart").focus()
    for key in ("ArrowLeft", "Shift+ArrowDown", "Shift+ArrowDown"):
        page.keyboard.press(key)
    page.locator("#read-more", has_text="From the newest close").wait_for()
    readout, more = box_of(page, "#readout"), box_of(page, "#read-more")
    assert box_of(page, "#chart") == chart
    assert readout["y"] + readout["height"] <= chart["y"]
    assert more["y"] >= chart["y"] + chart["height"]
    assert "80%:" in page.locator("#read-heat").inner_text()
    widths = page.evaluate(
        "[...document.querySelectorAll('#readout > div')].map((one) => one.scrollWidth - one.clientWidth)"
    )
    assert widths == [0, 0]
    page.wait_for_timeout(600)
    assert "From the newest close" in page.locator("#spoken").inner_text()
    page.keyboard.press("Escape")
    assert not page.locator("#read-more").is_visible()
    assert opened.problems == []


@pytest.fixture(scope="module")
def bare(world: World, django_db_blocker: DjangoDbBlocker) -> str:
    """Make an instrument that has bars and no map."""
    with django_db_blocker.unblock():
        add_bars(instrument=make_instrument(symbol="XRPUSDT"), end=END, hours=30)
    return "binance:XRPUSDT"


@pytest.mark.parametrize("size", [DESKTOP, PHONE])
def test_without_a_map_there_is_no_side_map_but_a_notice(size: tuple[int, int], visit: Open, bare: str) -> None:
    opened = visit(size=size)
    page = opened.go(f"/t/{bare}/")
    page.locator('#terminal[data-chart="ready"]').wait_for(state="attached")
    assert (page.locator(".side-map").is_visible(), page.get_by_text("No estimate yet").first.is_visible()) == (
        False,
        True,
    )
    assert opened.problems == []


REASONS = """async (path) => {
  const { SideMap } = await import(path);
  const grid = { bin: (price) => Math.round(price) };
  const slice = (...amounts) => ({ close: 100, lo: 80, amounts });
  const of = (found, view) =>
    SideMap.prototype.reason.call({ slice: found, view: { grid, bars: { at: '' }, ...view } });
  const [near, far] = [Array(40).fill(1), [1, ...Array(38).fill(0), 1]];
  return [
    of(null, { narrow: true, bars: { at: 5 } }), of(slice(...far), { narrow: true }),
    of(slice(...near), { narrow: true }), of(slice(...far), { narrow: false }),
  ];
}"""


def test_an_empty_side_map_says_why_in_a_line(visit: Open, world: World) -> None:
    page = visit(size=PHONE).terminal()
    past, far = "nothing had been built by this moment", "nothing is estimated within 8% of the last price"
    assert page.evaluate(REASONS, script_of("side")) == [past, far, "", ""]
    page.evaluate("document.querySelector('.side-map').classList.add('is-empty')")
    page.evaluate("document.querySelector('#side-empty').textContent = 'Side map: one line.'")
    assert box_of(page, ".side-map")["height"] <= ONE_LINE


def test_a_side_map_that_is_there_keeps_its_room(visit: Open, world: World) -> None:
    page = visit(size=PHONE).terminal()
    assert (box_of(page, ".side-map")["height"], page.locator("#side-empty").is_visible()) == (250, False)


# The names that the chart's axis bears, of levels as the server tells them.
TAGS = """async ([path, levels, layers]) => {
  const { StructureLayer } = await import(path);
  const view = {
    levels, layers, css: { text1: 'white', axisTag: 'black' },
    bars: { count: 100, index: () => 10 },
  };
  const layer = new StructureLayer(view);
  layer.attached({
    chart: {
      timeScale: () => ({ logicalToCoordinate: (index) => index, width: () => 100 }),
      panes: () => [{ getHeight: () => 200 }],
    },
    series: { priceToCoordinate: (price) => price },
    requestUpdate: () => {},
  });
  const tags = layer.priceAxisViews();
  return [tags.filter((tag) => tag.visible()).map((tag) => tag.text().trim()), tags === layer.priceAxisViews()];
}"""


def level(label: str, low: float, **more: Any) -> dict[str, Any]:  # noqa: ANN401  # as JSON
    return {
        "label": label,
        "low": low,
        "high": low,
        "style": "line",
        "strong": True,
        "layer": "range",
        "from_ms": 0,
    } | more


def test_names_of_levels_stand_on_the_axis_and_over_no_candle(visit: Open, world: World) -> None:
    page = visit().terminal()
    levels = [
        level("Point of control", 10, layer="value-area"),
        level("Low-volume node", 20, layer="value-area", strong=False),
        level("Range high, clean", 30),
        level("Range low", 400, strong=False),
        level("High", 50, style="point"),
    ]
    told = page.evaluate(TAGS, [script_of("structure"), levels, {"range": True, "value-area": True}])
    assert told == [["PoC", "R. high"], True]
    assert page.evaluate(TAGS, [script_of("structure"), levels, {"range": False, "value-area": True}])[0] == ["PoC"]


def test_the_rail_fades_where_it_goes_on_and_ends_whole(visit: Open, world: World) -> None:
    page = visit().terminal()
    rail = page.locator(".rail")
    after = "(rail) => getComputedStyle(rail, '::after')"
    assert rail.evaluate(f"(rail) => [({after})(rail).position, ({after})(rail).height]") == ["sticky", "40px"]
    # At its end the fade lies below the last part.
    rail.evaluate("(rail) => rail.scrollTo(0, rail.scrollHeight)")
    last, whole = box_of(page, ".rail > :last-child"), box_of(page, ".rail")
    assert last["y"] + last["height"] <= whole["y"] + whole["height"] - 40
