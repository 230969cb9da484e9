"""How fast the terminal is in a browser: ``.venv/bin/python -m tests.browser.measure URL LOGIN-LINK VENUE:SYMBOL``.

With ``--live VENUE:SYMBOL MINUTES`` it stays on a live instrument instead: heap, shifts of the layout and the main
thread's long tasks while ticks come in. With ``--pan VENUE:SYMBOL PAGES`` it moves so many freshly opened pages with
10,000 bars, each twice: the first run and the second are told apart, over all pages together; with ``--wide`` behind
them 10,000 bars and 2,000 bins are in the window, farther out than a visitor can zoom. Needs a running
``manage.py up``, one unused login link and an instrument with history. Prints one JSON object; times in milliseconds.
The pages of the server are asked for in turns with a trivial page of a member, so that both see the same machine.
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import sys
from typing import TYPE_CHECKING, Any, Final

from playwright.sync_api import sync_playwright

from tests.browser import processor, wide

if TYPE_CHECKING:
    from collections.abc import Sequence

    from playwright.sync_api import Browser, BrowserContext, Page, StorageState

FLAGS: Final = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--enable-precise-memory-info")
NAMES: Final = ("chromium", "chromium-browser", "google-chrome")
BARS: Final = 10_000
TURNS: Final = 40
# A task of the main thread from this on counts as long [ms]; browsers do not tell of shorter ones.
LONG_MS: Final = 50
# A frame from this on is late [ms]: the second picture of a screen has passed.
LATE_MS: Final = 35
# Notes from the first moment on: shifts of the layout, and each frame while it is asked to.
WATCH: Final = """
window.bench = { shift: 0, frames: null, long: [] };
new PerformanceObserver((list) => bench.long.push(...list.getEntries().map((one) => one.duration)))
  .observe({ type: 'longtask' });
new PerformanceObserver((list) => {
  for (const one of list.getEntries()) if (!one.hadRecentInput) bench.shift += one.value;
}).observe({ type: 'layout-shift', buffered: true });
let former = 0;
const tick = (now) => { bench.frames?.push(now - former); former = now; requestAnimationFrame(tick); };
requestAnimationFrame(tick);
"""
# Time of each pass over the heat's pixels, and how many bars and bins it shows.
TIME_RASTERS: Final = """
async (path) => {
  const { HeatLayer } = await import(path);
  const whole = HeatLayer.prototype.raster;
  bench.rasters = [];
  HeatLayer.prototype.raster = function (...all) {
    const [{ top, bottom }, { bars, chart, grid }] = [all[0], this.view];
    const { from, to } = chart.timeScale().getVisibleLogicalRange();
    const shown = Math.min(bars.count, to) - Math.max(0, from);
    bench.inView = { bars: Math.round(shown), bins: grid.bin(top) - grid.bin(Math.max(bottom, top / 50)) };
    const start = performance.now();
    whole.apply(this, all);
    bench.rasters.push(performance.now() - start);
  };
}
"""
ASK: Final = """
async ([paths, turns]) => {
  const found = Object.fromEntries(paths.map((path) => [path, []]));
  for (let turn = 0; turn < turns; turn += 1) for (const path of paths) {
    const start = performance.now();
    await (await fetch(path, { cache: 'no-store' })).arrayBuffer();
    found[path].push(performance.now() - start);
  }
  return found;
}
"""


def spread(times: Sequence[float]) -> dict[str, float]:
    """Return median and 95th percentile, and of how many."""
    ordered = sorted(times)
    p95 = ordered[int(0.95 * (len(ordered) - 1))]
    return {"p50": round(statistics.median(ordered), 1), "p95": round(p95, 1), "n": len(ordered)}


def open_page(page: Page, url: str, key: str, timeframe: str) -> None:
    """Open a terminal and wait until its heat is drawn."""
    page.goto(f"{url}/t/{key}/?tf={timeframe}")
    page.locator('#terminal[data-drawn="true"]').wait_for(state="attached", timeout=60_000)


def first_view(page: Page, url: str, key: str) -> dict[str, Any]:
    """Open the page cold and tell what it took."""
    weights: dict[str, int] = {}
    wire = page.context.new_cdp_session(page)
    wire.send("Network.enable")
    addresses: dict[str, str] = {}
    wire.on("Network.requestWillBeSent", lambda one: addresses.update({one["requestId"]: one["request"]["url"]}))
    wire.on("Network.loadingFinished", lambda one: weights.update({one["requestId"]: int(one["encodedDataLength"])}))
    open_page(page, url, key, "1h")
    page.wait_for_timeout(1500)
    tiles = sum(weight for name, weight in weights.items() if "/tiles/" in addresses.get(name, ""))
    fcp = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? null")
    ready = page.evaluate("bench.ready ?? null")
    return {
        "first_contentful_paint_ms": fcp,
        "chart_ready_ms": ready,
        "bytes_without_tiles": sum(weights.values()) - tiles,
        "bytes_of_tiles": tiles,
        "layout_shift": round(page.evaluate("bench.shift"), 4),
    }


def load_all(page: Page) -> int:
    """Zoom out and pull the past in until as many bars are loaded as are asked for, or all there are."""
    box = page.locator("#chart").bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 10, box["y"] + box["height"] / 3
    page.mouse.move(x, y)
    for _ in range(60):
        page.mouse.wheel(0, 240)
    count = 0
    for _ in range(60):
        page.mouse.move(x, y)
        page.mouse.down()
        page.mouse.move(x + box["width"] * 0.7, y, steps=4)
        page.mouse.up()
        page.wait_for_timeout(300)
        count = int(page.locator("#terminal").get_attribute("data-bars") or 0)
        if count >= BARS:
            break
    # Away from the oldest bar, or moving would pull more of the past in meanwhile.
    page.mouse.move(x + box["width"] * 0.7, y)
    page.mouse.down()
    page.mouse.move(x, y, steps=4)
    page.mouse.up()
    page.wait_for_timeout(3000)
    return count


def movement(page: Page) -> dict[str, list[float]]:
    """Drag and zoom with the pointer, and tell how long frames and passes over the heat were [ms]."""
    box = page.locator("#chart").bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 3
    found = {}
    page.evaluate("bench.frames = []; bench.rasters = []")
    page.mouse.move(x, y)
    page.mouse.down()
    for step in range(90):
        page.mouse.move(x + 3 * (step if step < 45 else 90 - step), y)
    page.mouse.up()
    found["pan_frame_ms"] = page.evaluate("bench.frames")
    page.evaluate("bench.frames = []")
    for step in range(60):
        page.mouse.wheel(0, -60 if step % 20 < 10 else 60)
        page.wait_for_timeout(8)
    found["zoom_frame_ms"] = page.evaluate("bench.frames")
    found["heat_raster_ms"] = page.evaluate("bench.rasters") or [0.0]
    return found


def watched(page: Page) -> dict[str, list[float]]:
    """Move and tell also what the main thread worked for each drawn frame, in processor time [ms]."""
    found, events = processor.traced(page, lambda: movement(page))
    return {**found, "main_thread_ms": processor.drawn_frames(events)}


def spreads(runs: Sequence[dict[str, list[float]]]) -> dict[str, Any]:
    """Return median and 95th percentile of runs together, and of each the 95th percentile and how many are late."""
    found: dict[str, Any] = {}
    for name in runs[0]:
        each = [run[name] for run in runs]
        found[name] = spread([time for times in each for time in times])
        found[name]["p95_of_each"] = [spread(times)["p95"] for times in each]
        found[name][f"over_{LATE_MS}"] = [sum(time > LATE_MS for time in times) for times in each]
    return found


def script_of(page: Page) -> str | None:
    """Return the address of the chart's script."""
    return page.locator('link[rel="modulepreload"][href*="terminal/app"]').get_attribute("href")


def fresh_pages(context: BrowserContext, url: str, key: str, pages: int, *, is_wide: bool) -> dict[str, Any]:
    """Open pages one after the other, load all bars in each, and move it twice."""
    views, firsts, seconds = [], [], []
    for _ in range(pages):
        page = context.new_page()
        if is_wide:
            wide.let_narrow(page)
        open_page(page, url, key, "5m")
        page.evaluate(TIME_RASTERS, script_of(page))
        count = load_all(page)
        if is_wide:
            wide.widen(page)
        firsts.append(watched(page))
        views.append({"loaded": count, **page.evaluate("bench.inView")})
        seconds.append(watched(page))
        page.close()
    return {"in_view": views, "first_run": spreads(firsts), "second_run": spreads(seconds)}


def server(page: Page, key: str) -> dict[str, Any]:
    """Ask for pages in turns with a trivial one."""
    paths = ["/account/", f"/t/{key}/", f"/t/{key}/live/", f"/t/{key}/chart.json?tf=1h", f"/tick/{key}/"]
    page.evaluate(ASK, [paths, 3])
    found = {path: spread(times) for path, times in page.evaluate(ASK, [paths, TURNS]).items()}
    trivial = found["/account/"]["p50"]
    return {path: times | {"over_trivial": round(times["p50"] / trivial, 2)} for path, times in found.items()}


def living(page: Page, url: str, key: str, minutes: float) -> dict[str, Any]:
    """Stay on a page and tell what ticks cost it: its heap each minute, after collecting garbage [MB]."""
    open_page(page, url, key, "5m")
    page.wait_for_timeout(5000)
    page.evaluate("bench.long = []")
    wire = page.context.new_cdp_session(page)
    heaps = []
    for _ in range(round(minutes) + 1):
        wire.send("HeapProfiler.collectGarbage")
        heaps.append(round(wire.send("Runtime.getHeapUsage")["usedSize"] / 1e6, 2))
        page.wait_for_timeout(60_000)
    return {
        "heap_mb": heaps,
        "ticks": int(page.locator("#terminal").get_attribute("data-refreshed") or 0),
        f"tasks_over_{LONG_MS}_ms": [round(one) for one in page.evaluate("bench.long")],
        "layout_shift": round(page.evaluate("bench.shift"), 4),
    }


def signed_in(browser: Browser, login: str) -> StorageState:
    """Log in once and return what a context needs to be logged in."""
    page = browser.new_page()
    page.goto(login)
    page.locator("main form button").first.click()
    page.wait_for_load_state()
    return page.context.storage_state()


def main(url: str, login: str, *asked: str) -> None:
    """Measure and print."""
    path = os.environ.get("BH_CHROMIUM") or next(filter(None, map(shutil.which, NAMES)))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(FLAGS))
        state = signed_in(browser, login)
        context = browser.new_context(viewport={"width": 1440, "height": 900}, storage_state=state)
        context.add_init_script(WATCH)
        context.add_init_script(READY)
        if asked[0] == "--live":
            found = living(context.new_page(), url, asked[1], float(asked[2]))
        elif asked[0] == "--pan":
            found = fresh_pages(context, url, asked[1], int(asked[2]), is_wide="--wide" in asked)
        else:
            found = measured(context.new_page(), url, asked[0])
        browser.close()
    sys.stdout.write(json.dumps(found, indent=1) + "\n")


def measured(page: Page, url: str, key: str) -> dict[str, Any]:
    """Measure the first view, movement, and the server's answers."""
    found: dict[str, Any] = {"first_view": first_view(page, url, key)}
    open_page(page, url, key, "5m")
    script = script_of(page)
    page.evaluate(TIME_RASTERS, script)
    found["bars_loaded"] = load_all(page)
    found["all_in_view"] = spreads([movement(page)])
    open_page(page, url, key, "1h")
    page.evaluate(TIME_RASTERS, script)
    found["usual_view"] = spreads([movement(page)])
    found["server"] = server(page, key)
    return found


# When the chart stood.
READY: Final = """
new MutationObserver((_, watch) => {
  if (!document.querySelector('#terminal[data-chart="ready"]')) return;
  bench.ready = performance.now();
  watch.disconnect();
}).observe(document, { subtree: true, childList: true, attributes: true, attributeFilter: ['data-chart'] });
"""

if __name__ == "__main__":
    main(*sys.argv[1:])
