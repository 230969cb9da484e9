"""No page calls old data fresh: 300 random lives of the freshness logic, in the browser that runs it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

from tests.browser.conftest import script_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.browser.conftest import Visit
    from tests.world import World

    Open = Callable[..., Visit]

pytestmark = pytest.mark.django_db(transaction=False)
LIVES: Final = 300
HUNT: Final = Path(__file__).with_name("freshness_hunt.js").read_text()


def hunt(visit: Open, *, is_blind: bool) -> dict[str, Any]:
    """Live 300 lives; a blind clock does not see that it slept."""
    page = visit().go("/t/binance:BTCUSDT/")
    path = script_of("freshness")
    # The comment at the top of the script is no part of the function.
    script = HUNT[HUNT.index("async (") :]
    found: dict[str, Any] = page.evaluate(script, {"path": path, "lives": LIVES, "isBlind": is_blind})
    return found


def test_no_old_data_is_called_live_in_300_random_lives(visit: Open, world: World) -> None:
    found = hunt(visit, is_blind=False)
    assert (found["falseFresh"], found["first"]) == (0, None)
    # It is no page that never says live.
    assert found["live"] > found["judged"] / 2
    assert min(found["stale"], found["doubtful"]) > 0
    # One answer that took long does not make the page old for good.
    assert found["needless"] < found["judged"] / 1000


def test_the_hunt_finds_a_clock_that_does_not_see_its_sleep(visit: Open, world: World) -> None:
    assert hunt(visit, is_blind=True)["falseFresh"] > 0
