"""The websockets of Binance's two futures APIs, and what both venues share.

Sources: developers.binance.com/docs/derivatives, the page named beside what rests on it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

from market.series import BAR, LIQUIDATION

from ..base import Budget, Channel, Heard
from ..question import MINUTE
from ..strict import Row, UnreadableError, part_of
from ..venue import NetworkVenue, in_groups
from .rest import APART, OFFERS
from .rows import closed_bar, forced_order

if TYPE_CHECKING:
    from collections.abc import Mapping

    from market.series import SeriesName

# websocket-market-streams: 1,024 streams a connection, ten requests a second; 50 names stay far below the longest
# request that is read.
_SYMBOLS_PER_SOCKET: Final = 200
_TOPICS_PER_REQUEST: Final = 50


class FuturesVenue(NetworkVenue):
    """One of the two APIs as a venue."""

    offers = OFFERS
    streams: ClassVar[frozenset[SeriesName]] = frozenset({"bars", "liquidations"})
    # general-info: "REQUEST_WEIGHT 2400" a minute from one IP, of each of the two APIs.
    budget = Budget(weight=2400, window_s=60, apart=APART)
    # websocket-market-streams/Liquidation-Order-Streams: "only the latest one liquidation order within 1000ms".
    liquidation_sampling = "latest per second"
    stream_url: ClassVar[str]
    is_inverse: ClassVar[bool]

    def channels(self, sizes: Mapping[str, float]) -> tuple[Channel, ...]:
        """Share symbols out over websockets."""
        return tuple(self._channel(group) for group in in_groups(sizes, _SYMBOLS_PER_SOCKET))

    def _channel(self, sizes: Mapping[str, float]) -> Channel:
        topics = [f"{symbol.lower()}@{kind}" for symbol in sizes for kind in ("kline_1m", "forceOrder")]
        groups = (topics[start : start + _TOPICS_PER_REQUEST] for start in range(0, len(topics), _TOPICS_PER_REQUEST))
        requests = tuple({"method": "SUBSCRIBE", "params": group, "id": n} for n, group in enumerate(groups, start=1))
        return Channel(url=self.stream_url, requests=requests, topics=frozenset(topics), sizes=sizes)

    def heard(self, row: Row, channel: Channel) -> Heard:
        """Read an acknowledgement, a kline or a forced order."""
        if "e" not in row.fields:
            return _acknowledged(row, channel)
        event = row.text("e")
        if event == "kline":
            symbol, size = _sized(row.row("k"), channel)
            part = part_of(
                row.fields, BAR, lambda raw: closed_bar(Row(raw), size, is_inverse=self.is_inverse), timeframe=MINUTE
            )
            return Heard(((symbol, "bars", part),) if len(part.rows) or part.faults else ())
        if event == "forceOrder":
            symbol, size = _sized(row.row("o"), channel)
            order = row.fields["o"]
            part = part_of(order, LIQUIDATION, lambda raw: forced_order(Row(raw), size, is_inverse=self.is_inverse))
            return Heard(((symbol, "liquidations", part),))
        raise UnreadableError(f"nobody asked for {event:.40}")


def _sized(row: Row, channel: Channel) -> tuple[str, float]:
    symbol = row.text("s")
    if symbol not in channel.sizes:
        raise UnreadableError(f"nobody asked for {symbol:.40}")
    return symbol, channel.sizes[symbol]


def _acknowledged(row: Row, channel: Channel) -> Heard:
    """Read {"result": null, "id": 1} or {"error": {"code": 2, "msg": "Invalid request"}, "id": 1}."""
    if "error" in row.fields:
        return Heard(refused=f"{row.fields['error']!r:.200}")
    row.nothing("result")
    topics = (request["params"] for request in channel.requests if request["id"] == row.whole("id"))
    return Heard(confirmed=frozenset(topic for group in topics for topic in group))
