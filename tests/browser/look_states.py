"""How each page and state is reached that ``tests.browser.looks`` draws, by the name of its picture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from playwright.sync_api import Page

    State = Callable[[Page], None]

# Until a page that has nothing to wait for stands, until the server's picture takes the chart's place, and until at
# the latest a page that hears nothing is stale [ms].
PAUSE_MS, LATE_MS, LOST_MS = 700, 7000, 300_000
HOUR_MS: Final = 3_600_000


@dataclass(frozen=True)
class Look:
    """An address and what is done there; of a member and with scripts, as a whole page, unless told otherwise."""

    address: str
    reach: State
    scripts: bool = True
    member: bool = True
    whole: bool = True


def nothing(page: Page) -> None:
    """Leave a page as it opens."""
    page.wait_for_timeout(PAUSE_MS)


def drawn(page: Page) -> None:
    """Wait for a terminal's heat."""
    page.locator('#terminal[data-drawn="true"]').wait_for(state="attached", timeout=60_000)
    page.wait_for_timeout(PAUSE_MS)


def menu(name: str) -> State:
    """Return what opens a menu of the terminal."""

    def do(page: Page) -> None:
        drawn(page)
        page.get_by_role("button", name=name, exact=True).click()

    return do


def chosen(name: str, path: str) -> State:
    """Return what ticks a box of a menu and closes it."""

    def do(page: Page) -> None:
        menu(name)(page)
        page.locator(path).check()
        page.keyboard.press("Escape")
        page.wait_for_timeout(PAUSE_MS)

    return do


def mode(name: str) -> State:
    """Return what chooses another map."""
    return chosen("Map", f'[name="map-mode"][value="{name}"]')


def scale(name: str) -> State:
    """Return what ticks a box of the menu of scales."""
    return chosen("Scale", f"#scale-{name}")


def layer(name: str) -> State:
    """Return what switches a layer to its other state."""

    def do(page: Page) -> None:
        drawn(page)
        page.locator(f'[data-layer="{name}"]').click()
        page.wait_for_timeout(PAUSE_MS)

    return do


def panes(page: Page) -> None:
    """Show every pane."""
    menu("Panes")(page)
    for pane in page.locator("[data-pane]").all():
        pane.check()
    page.keyboard.press("Escape")
    page.wait_for_timeout(PAUSE_MS)


def stepped_back(page: Page) -> None:
    """Go two bars back on the chart, and wait for the page of that moment."""
    keys("[", "[")(page)
    page.locator("#replay.is-past").wait_for()
    page.wait_for_load_state("networkidle")
    page.wait_for_timeout(PAUSE_MS)


def keys(*pressed: str) -> State:
    """Return what presses keys on the chart."""

    def do(page: Page) -> None:
        drawn(page)
        page.locator("#chart").focus()
        for key in pressed:
            page.keyboard.press(key)
        page.wait_for_timeout(PAUSE_MS)

    return do


def without(pattern: str, wait_ms: int = LATE_MS) -> State:
    """Return what opens a page again while some of what it asks for never comes."""

    def do(page: Page) -> None:
        page.route(pattern, lambda _: None)
        page.reload(wait_until="domcontentloaded")
        page.wait_for_timeout(wait_ms)

    return do


def broken(page: Page) -> None:
    """Open a terminal again without the chart's library."""
    page.route("**/lightweight-charts*", lambda route: route.abort())
    page.reload()
    page.locator("#chart-error").wait_for()
    page.wait_for_timeout(PAUSE_MS)


def lost(page: Page) -> None:
    """Let an open terminal hear nothing more until it calls itself stale."""
    for pattern in ("**/events*", "**/tick/**"):
        page.route(pattern, lambda route: route.abort())
    page.reload()
    drawn(page)
    page.locator("#stale").wait_for(timeout=LOST_MS)


def opened(summary: str) -> State:
    """Return what opens a fold and brings it into view."""

    def do(page: Page) -> None:
        page.wait_for_timeout(PAUSE_MS)
        fold = page.locator("summary", has_text=summary).first
        fold.click()
        page.locator("details[open]", has=fold).first.scroll_into_view_if_needed()
        page.wait_for_timeout(PAUSE_MS)

    return do


def layers(terminal: str, names: Sequence[str]) -> Mapping[str, Look]:
    """Return every layer in its other state."""
    return {f"layer-{name}": Look(terminal, layer(name), whole=False) for name in names}


def terminals(key: str, at_ms: int, names: Sequence[str]) -> Mapping[str, Look]:
    """Return the states of one terminal. ``at_ms`` is a moment of its past, names those of its layers."""
    terminal = f"/t/{key}/"
    return {
        "terminal": Look(terminal, drawn), "terminal-top": Look(terminal, drawn, whole=False),
        "plain": Look(terminal, nothing, scripts=False), "plain-at": Look(f"{terminal}?at={at_ms}", nothing, False),
        "at": Look(f"{terminal}?at={at_ms}", drawn), "replay": Look(terminal, stepped_back, whole=False),
        "5m": Look(f"{terminal}?tf=5m", drawn, whole=False), "4h": Look(f"{terminal}?tf=4h", drawn, whole=False),
        **layers(terminal, names), "log": Look(terminal, scale("log"), whole=False),
        "hue": Look(terminal, scale("hue"), whole=False), "panes": Look(terminal, panes, whole=False),
        "readout": Look(terminal, keys(*["ArrowLeft"] * 9, *["ArrowUp"] * 5), whole=False),
        "help": Look(terminal, keys("?"), whole=False), "other": Look(terminal, mode("other"), whole=False),
        "difference": Look(terminal, mode("difference"), whole=False),
        "menu-map": Look(terminal, menu("Map"), whole=False), "menu-panes": Look(terminal, menu("Panes"), whole=False),
        "menu-scale": Look(terminal, menu("Scale"), whole=False),
        "export": Look(terminal, opened("Export"), whole=False),
        "loading": Look(terminal, without("**/chart.json*", PAUSE_MS), whole=False),
        "slow": Look(terminal, without("**/chart.json*"), whole=False), "error": Look(terminal, broken, whole=False),
        "lost": Look(terminal, lost, whole=False),
        "rivals": Look(f"{terminal}rivals/", nothing),
        "rivals-same": Look(f"{terminal}rivals/?b=open-interest", nothing),
        "rivals-none": Look(f"{terminal}rivals/?from=2020-01-01T00:00Z", nothing),
        "changes": Look(f"{terminal}changes/", nothing), "table": Look(f"{terminal}table/", nothing),
    }  # fmt: skip


def screens() -> Mapping[str, Look]:
    """Return the pages over all instruments."""
    return {
        "screener": Look("/screener/", nothing), "pictures": Look("/screener/?view=pictures", nothing),
        "none": Look("/screener/?text=nothing", nothing), "refused": Look("/screener/?within=x&page=x", nothing),
        "zones": Look("/zones/", nothing), "zones-past": Look("/zones/?state=past", nothing),
        "zones-none": Look("/zones/?text=nothing", nothing), "scorecard": Look("/scorecard/", nothing),
        "alerts": Look("/alerts/", nothing), "instruments": Look("/instruments/", nothing),
        "data": Look("/data/", nothing), "missing": Look("/t/binance:NOPE/", nothing),
        "landing": Look("/", nothing, member=False), "scorecard-public": Look("/scorecard/", nothing, member=False),
    }  # fmt: skip


def public(symbol: str) -> Mapping[str, Look]:
    """Return what others may show of an instrument's map."""
    return {
        "embed": Look(f"/embed/{symbol}/", nothing, member=False),
        "embed-light": Look(f"/embed/{symbol}/?theme=light", nothing, member=False),
        "public-picture": Look(f"/public/{symbol}.png", nothing, member=False, whole=False),
    }
