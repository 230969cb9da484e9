"""Bybit's public websocket ``/v5/public/linear``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tests.double.tape import CENT, MINUTE
from tests.double.venue import Answer, Topic, Venue

if TYPE_CHECKING:
    from tests.double.market import Listing
    from tests.double.tape import Records

KINDS: Final = {"kline.1": "bars", "allLiquidation": "liquidations", "tickers": "ticker"}
WS_KLINE: Final = {
    "time": "start", "open": "open", "high": "high", "low": "low", "close": "close", "volume": "volume", "end": "end",
    "closed": "confirm", "quote_volume": "turnover",
}  # fmt: skip
LIQUIDATION: Final = {"time": "T", "price": "p", "volume": "v", "side": "S", "symbol": "s"}
TICKER: Final = {
    "price": "markPrice", "amount": "singleOpenInterest", "both_sides": "openInterest", "usd": "openInterestValue",
    "symbol": "symbol",
}  # fmt: skip
CONNECTION: Final = "double-0001"


class BybitStreams(Venue):
    """Subscriptions, acknowledgements and pushes."""

    def topic(self, name: str) -> Topic | None:
        """Read a topic; None of one that is not spoken here or names no contract."""
        kind, _, symbol = name.rpartition(".")
        listing = self.find(symbol)
        if kind not in KINDS or listing is None or not listing.is_listed(self.now):
            return None
        return Topic(KINDS[kind], symbol, name)

    def receive(self, message: Any, topics: dict[str, Topic]) -> list[Any]:  # noqa: ANN401 a client says anything
        """Take ping, subscribe and unsubscribe; one unknown topic refuses the whole request."""
        op = message.get("op") if isinstance(message, dict) else None
        if not isinstance(message, dict) or op not in {"ping", "subscribe", "unsubscribe"}:
            return [{"success": False, "ret_msg": "error:invalid op", "conn_id": CONNECTION, "op": ""}]
        name = {"req_id": message["req_id"]} if "req_id" in message else {}
        if op == "ping":
            return [{"success": True, "ret_msg": "pong", "conn_id": CONNECTION, **name, "op": "ping"}]
        asked = {wire: self.topic(wire) for wire in message.get("args", [])}
        if op == "unsubscribe":
            for wire in asked:
                topics.pop(wire, None)
            return [{"success": True, "ret_msg": "", "conn_id": CONNECTION, **name, "op": op}]
        bad = [wire for wire, topic in asked.items() if topic is None]
        if bad:
            text = f"error:handler not found,topic:{bad[0]}"
            return [{"success": False, "ret_msg": text, "conn_id": CONNECTION, **name, "op": op}]
        topics |= {wire: topic for wire, topic in asked.items() if topic}
        first = [self.ticker(self.market.listing(self.slug, topic.symbol), "snapshot").payload
                 for topic in asked.values() if topic and topic.kind == "ticker"]  # fmt: skip
        return [{"success": True, "ret_msg": "", "conn_id": CONNECTION, **name, "op": op}, *first]

    def push(self, topic: Topic, listing: Listing, rows: Records, *, closed: bool) -> list[Answer]:
        """Write the events of a topic; liquidations come in one batch."""
        if topic.kind == "bars":
            return [self.kline_event(listing, row, closed=closed) for row in rows]
        if topic.kind == "liquidations":
            return [self.liquidated(listing, rows)] if len(rows) else []
        return [self.ticker(listing, "delta")] if topic.kind == "ticker" else []

    @staticmethod
    def kline(listing: Listing, row: Any) -> list[str]:  # noqa: ANN401 one record
        """Write one row of klines."""
        terms = listing.tape.terms
        prices = [terms.tick.text(row[name]) for name in ("open", "high", "low", "close")]
        return [
            str(row["time"]),
            *prices,
            terms.lot.text(row["volume"]),
            terms.tick.times(terms.lot).text(row["value"]),
        ]

    def kline_event(self, listing: Listing, row: Any, *, closed: bool) -> Answer:  # noqa: ANN401 one record
        """Write a kline event; ``confirm`` tells whether the bar is closed."""
        _, opened, high, low, close, volume, value = self.kline(listing, row)
        time = int(row["time"])
        bar = {
            "start": time, "end": time + MINUTE - 1, "interval": "1", "open": opened, "close": close, "high": high,
            "low": low, "volume": volume, "turnover": value, "confirm": closed, "timestamp": self.stamp,
        }  # fmt: skip
        data = [bar]
        payload = {"topic": f"kline.1.{listing.symbol}", "data": data, "ts": self.stamp, "type": "snapshot"}
        return Answer(payload, "bars", listing.symbol, data, [time] if closed else [], WS_KLINE)

    def liquidated(self, listing: Listing, rows: Records) -> Answer:
        """Write a batch of liquidations: S is the side of the position (Buy: a long was liquidated)."""
        terms = listing.tape.terms
        data = [
            {"T": int(row["time"]), "s": listing.symbol, "S": "Buy" if row["side"] > 0 else "Sell",
             "v": terms.lot.text(row["size"]), "p": terms.tick.text(row["price"])}
            for row in rows
        ]  # fmt: skip
        payload = {"topic": f"allLiquidation.{listing.symbol}", "type": "snapshot", "ts": self.stamp, "data": data}
        keys = [tuple(int(row[name]) for name in ("time", "side", "price", "size")) for row in rows]
        return Answer(payload, "liquidations", listing.symbol, data, keys, LIQUIDATION)

    def ticker(self, listing: Listing, kind: str) -> Answer:
        """Write a ticker, all of it or only what moves."""
        state = self.state(listing)
        moving = ("symbol", "lastPrice", "markPrice", "indexPrice", "openInterest", "openInterestValue", "fundingRate")
        data = state if kind == "snapshot" else {name: state[name] for name in moving}
        payload = {"topic": f"tickers.{listing.symbol}", "type": kind, "data": data, "cs": self.now, "ts": self.stamp}
        return Answer(payload, "ticker", listing.symbol, [data], [], TICKER)

    def state(self, listing: Listing) -> dict[str, Any]:
        """Return what a ticker tells of a contract."""
        terms, sample = listing.tape.terms, listing.interest_now(self.now)
        bids, asks = self.book(listing, 1)
        bars = listing.bars(since=self.now - 2 * MINUTE, until=self.now + 1, now=self.now)
        marks = listing.bars(since=self.now - 2 * MINUTE, until=self.now + 1, now=self.now, series="marks")
        last = terms.tick.text(bars["close"][-1] if len(bars) else 0)
        mark = terms.mark_tick.text(marks["close"][-1] if len(marks) else 0)
        due = listing.next_funding(self.now)
        return {
            "symbol": listing.symbol, "lastPrice": last, "indexPrice": mark, "markPrice": mark, "prevPrice24h": last,
            "price24hPcnt": "0", "highPrice24h": last, "lowPrice24h": last, "prevPrice1h": last,
            "openInterest": terms.amount.text(sample[1] * listing.sides) if sample else "",
            "openInterestValue": CENT.text(sample[2] * listing.sides) if sample else "",
            "singleOpenInterest": terms.amount.text(sample[1]) if sample else "",
            "singleOpenInterestValue": CENT.text(sample[2]) if sample else "",
            "turnover24h": "0", "volume24h": "0", "fundingRate": CENT.text(listing.tape.rate(due)[1]),
            "nextFundingTime": str(due), "predictedDeliveryPrice": "", "basisRate": "", "deliveryFeeRate": "",
            "deliveryTime": "0", "ask1Size": terms.lot.text(asks[0][1]), "bid1Price": terms.tick.text(bids[0][0]),
            "ask1Price": terms.tick.text(asks[0][0]), "bid1Size": terms.lot.text(bids[0][1]), "basis": "",
            "fundingIntervalHour": str(listing.hours_at(self.now)),
        }  # fmt: skip
