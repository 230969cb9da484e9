"""Binance's futures websockets: ``/ws``, ``/stream``, and the same below ``/market`` and ``/public``."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from tests.double.market import INVERSE
from tests.double.tape import CENT, MINUTE
from tests.double.truth import inverse_contracts
from tests.double.venue import Answer, Topic, Venue

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.double.market import Listing
    from tests.double.tape import Records

STREAM: Final = re.compile(r"(!|[a-z0-9_]+@)(kline_1m|forceOrder|markPrice)(@arr)?(@1s)?")
KINDS: Final = {"kline_1m": "bars", "forceOrder": "liquidations", "markPrice": "ticker"}
WS_KLINE: Final = {
    "time": "t", "open": "o", "high": "h", "low": "l", "close": "c", "volume": "v", "end": "T", "closed": "x",
    "quote_volume": "q", "taker": "V", "symbol": "s",
}  # fmt: skip
FORCED: Final = {"time": "T", "price": "ap", "volume": "q", "side": "S", "symbol": "s"}
MARK_UPDATE: Final = {"time": "E", "price": "p", "rate": "r", "symbol": "s"}


class BinanceStreams(Venue):
    """The streams of both APIs; sizes of inverse contracts are contracts."""

    def topic(self, name: str) -> Topic | None:
        """Read a stream's name; None of one that is not spoken."""
        found = STREAM.fullmatch(name)
        if found is None:
            return None
        symbol = "*" if found[1] == "!" else found[1][:-1].upper()
        return Topic(KINDS[found[2]], symbol, name)

    def greet(self, path: str, query: Mapping[str, str]) -> list[Topic]:
        """Subscribe what the address names: /ws/btcusdt@kline_1m or /stream?streams=a/b."""
        names = query.get("streams", "").split("/") if path.endswith("stream") else path.split("/")
        return [topic for topic in map(self.topic, names) if topic]

    def receive(self, message: Any, topics: dict[str, Topic]) -> list[Any]:  # noqa: ANN401 a client says anything
        """Take SUBSCRIBE, UNSUBSCRIBE, LIST_SUBSCRIPTIONS; unknown streams are accepted and stay silent."""
        if not isinstance(message, dict) or message.get("method") not in {
            "SUBSCRIBE",
            "UNSUBSCRIBE",
            "LIST_SUBSCRIPTIONS",
        }:
            return [{"error": {"code": 2, "msg": "Invalid request: unknown variant"}, "id": None}]
        if message["method"] == "LIST_SUBSCRIPTIONS":
            return [{"result": list(topics), "id": message.get("id")}]
        for name in message.get("params", []):
            topic = self.topic(name) or Topic("", "", name)
            if message["method"] == "SUBSCRIBE":
                topics[name] = topic
            else:
                topics.pop(name, None)
        return [{"result": None, "id": message.get("id")}]

    def push(self, topic: Topic, listing: Listing, rows: Records, *, closed: bool) -> list[Answer]:
        """Write the events of a topic."""
        if topic.kind == "bars":
            return [self.kline_event(listing, row, closed=closed) for row in rows]
        if topic.kind == "liquidations":
            return [self.forced_order(listing, row) for row in rows]
        return [self.mark_update(listing)] if topic.kind == "ticker" else []

    def kline(self, listing: Listing, row: Any, minutes: int) -> list[Any]:  # noqa: ANN401 one record
        """Write one row of klines."""
        terms = listing.tape.terms
        time, volume, value, taker = (int(row[name]) for name in ("time", "volume", "value", "taker"))
        prices = [terms.tick.text(row[name]) for name in ("open", "high", "low", "close")]
        end, trades = time + minutes * MINUTE - 1, min(volume, 1 + volume % 997)
        if listing.is_inverse:
            bought = CENT.text(taker * value // max(volume, 1))
            return [time, *prices, str(volume), end, CENT.text(value), trades, str(taker), bought, "0"]
        worth = terms.tick.times(terms.lot)
        bought = worth.text(taker * (value // max(volume, 1)))
        return [
            time,
            *prices,
            terms.lot.text(volume),
            end,
            worth.text(value),
            trades,
            terms.lot.text(taker),
            bought,
            "0",
        ]

    def kline_event(self, listing: Listing, row: Any, *, closed: bool) -> Answer:  # noqa: ANN401 one record
        """Write a kline event; ``x`` tells whether the bar is closed."""
        time, opened, high, low, close, volume, end, value, trades, taker, bought, _ = self.kline(listing, row, 1)
        bar = {
            "t": time, "T": end, "s": listing.symbol, "i": "1m", "f": time // MINUTE, "L": time // MINUTE + trades,
            "o": opened, "c": close, "h": high, "l": low, "v": volume, "n": trades, "x": closed,
            "q": value, "V": taker, "Q": bought, "B": "0",
        }  # fmt: skip
        payload = {"e": "kline", "E": self.stamp, "s": listing.symbol, "k": bar}
        keys = [time] if closed else []
        return Answer(payload, "bars", listing.symbol, [bar], keys, WS_KLINE)

    def forced_order(self, listing: Listing, row: Any) -> Answer:  # noqa: ANN401 one record
        """Write a forced order: SELL closes a long; p is the limit (bankruptcy) price, ap the average fill."""
        terms = listing.tape.terms
        size = terms.lot.text(row["size"])
        if listing.is_inverse:
            size = str(inverse_contracts(listing, int(row["price"]), int(row["size"])))
        order = {
            "s": listing.symbol, "S": "SELL" if row["side"] > 0 else "BUY", "o": "LIMIT", "f": "IOC", "q": size,
            "p": terms.tick.text(int(row["price"] * (1 - 0.013 * int(row["side"])))),
            "ap": terms.tick.text(row["price"]),
            "X": "FILLED", "l": size, "z": size, "T": int(row["time"]),
        }  # fmt: skip
        order |= {"ps": f"{listing.base}USD"} if self.slug == INVERSE else {}
        key = (int(row["time"]), int(row["side"]), int(row["price"]), int(row["size"]))
        payload = {"e": "forceOrder", "E": self.stamp, "o": order}
        return Answer(payload, "liquidations", listing.symbol, [order], [key], FORCED)

    def mark_update(self, listing: Listing) -> Answer:
        """Write mark price and running funding rate."""
        due = listing.next_funding(self.now)
        mark = self.mark_text(listing, self.now)
        payload = {
            "e": "markPriceUpdate", "E": self.stamp, "s": listing.symbol, "p": mark, "i": mark, "P": mark,
            "r": CENT.text(listing.tape.rate(due)[1]), "T": due,
        }  # fmt: skip
        return Answer(payload, "ticker", listing.symbol, [payload], [], MARK_UPDATE)

    def mark_text(self, listing: Listing, now: int) -> str:
        """Return the mark price at a moment."""
        rows = listing.bars(since=now - 2 * MINUTE, until=now + 1, now=now, series="marks")
        return listing.tape.terms.mark_tick.text(rows["close"][-1] if len(rows) else 0)
