"""What an answer settles, and what of it can not have happened."""

from __future__ import annotations

from market.series import MINUTE_MS
from market.sources.question import Question

from .rows import T0
from .scripted_venue import minute_bars


def test_what_only_one_of_two_clocks_calls_future_is_left_for_the_next_question() -> None:
    """The venue's clock, by which ``now_ms`` is set where it is behind, lies four minutes behind ours."""
    question = Question("BTCUSDT", 1.0, T0, T0 + 5 * MINUTE_MS, now_ms=T0 + MINUTE_MS)
    part = question.part(minute_bars(T0, 5), (), timeframe=60)
    assert (len(part.rows), part.faults, part.covered) == (1, (), (T0, T0 + MINUTE_MS))
    part = question.part(minute_bars(T0, 8), (), timeframe=60)
    assert ([fault.reason for fault in part.faults], part.covered) == (["it lies in the future"], None)
