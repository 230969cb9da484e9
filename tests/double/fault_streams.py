"""Faults of websockets and of the venue's clock: F-007, F-024 to F-026."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tests.double.faults import Fault
from tests.double.venue import Answer

if TYPE_CHECKING:
    from tests.double.market import Market

CUT: Final = Answer(None)
SKEWS_MS: Final = (-420_000, -90_000, 90_000, 420_000)


class SilentStall(Fault):
    """The connection stays open and nothing comes: no event, no reply, no pong."""

    name, default_on, default_times, mutes = "silent_stall", ("ws.*",), None, True


class QuietMarket(Fault):
    """Nothing happens: no liquidation, no ticker, no update of an open bar; pongs and closing bars still come."""

    name, default_on, default_times = "quiet_market", ("ws.*",), None

    def frames(self, answers: list[Answer]) -> list[Answer] | None:
        kept = [answer for answer in answers if answer.keys and answer.series in {"bars", "marks"}]
        return kept if len(kept) != len(answers) else None


class AckMissing(Fault):
    """A subscription is neither acknowledged nor in force."""

    name, default_on, mutes = "ack_missing", ("ws.subscribe",), True


class DisconnectMidBatch(Fault):
    """The websocket is cut after half of a batch of pushes."""

    name, default_on = "disconnect_mid_batch", ("ws.bars", "ws.liquidations")

    def frames(self, answers: list[Answer]) -> list[Answer] | None:
        return [*answers[: len(answers) // 2], CUT] if answers[0].keys else None


class ClockSkew(Fault):
    """The venue's clock is minutes wrong: its time endpoint and its stamps, not the times of bars."""

    name, default_on, default_times = "clock_skew", ("time",), None

    def __init__(self, **options: Any) -> None:  # noqa: ANN401 handed on
        super().__init__(**options)
        self.skew_ms = self.random.choice(SKEWS_MS)

    def begin(self, market: Market, now: int) -> None:
        super().begin(market, now)
        self.happened += 1


STREAM_FAULTS: Final = (SilentStall, QuietMarket, AckMissing, DisconnectMidBatch, ClockSkew)
