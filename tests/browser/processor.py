"""What a page's main thread works for each frame, in processor time: it tells frames apart on a busy machine, too."""

from __future__ import annotations

import bisect
from collections import Counter
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from playwright.sync_api import Page

CATEGORIES: Final = ("devtools.timeline", "disabled-by-default-devtools.timeline")
# Callbacks of one frame follow each other closer than this [us].
ONE_FRAME_US: Final = 5000
# A frame with less work than this draws nothing [ms].
DRAWN_MS: Final = 3.0


def traced(page: Page, act: Callable[[], Any]) -> tuple[Any, list[dict[str, Any]]]:
    """Do something and return what it returned, and the browser's events meanwhile."""
    browser = page.context.browser
    assert browser is not None
    wire = browser.new_browser_cdp_session()
    events: list[dict[str, Any]] = []
    ends: list[Any] = []
    wire.on("Tracing.dataCollected", lambda told: events.extend(told["value"]))
    wire.on("Tracing.tracingComplete", lambda told: ends.append(told))  # noqa: PLW0108  # it wraps plain functions only
    wire.send(
        "Tracing.start",
        {"transferMode": "ReportEvents", "traceConfig": {"includedCategories": list(CATEGORIES)}},
    )
    found = act()
    wire.send("Tracing.end")
    while not ends:
        page.wait_for_timeout(50)
    wire.detach()
    return found, events


def drawn_frames(events: Sequence[dict[str, Any]]) -> list[float]:
    """Return the main thread's processor time of each frame that drew something, from its callbacks on [ms]."""
    frames = [event for event in events if event["name"] == "FireAnimationFrame"]
    ((main, _),) = Counter((event["pid"], event["tid"]) for event in frames).most_common(1)
    starts: list[int] = []
    for at in sorted(event["ts"] for event in frames if (event["pid"], event["tid"]) == main):
        if not starts or at - starts[-1] > ONE_FRAME_US:
            starts.append(at)
    worked = [0.0] * len(starts)
    for task in (event for event in events if event["name"] == "RunTask" and (event["pid"], event["tid"]) == main):
        frame = bisect.bisect_right(starts, task["ts"] + task.get("dur", 0) / 2) - 1
        if frame >= 0:
            worked[frame] += task.get("tdur", 0) / 1000
    return [time for time in worked if time > DRAWN_MS]
