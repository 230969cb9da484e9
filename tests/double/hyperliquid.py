"""Hyperliquid perpetuals: ``POST /info`` and the websocket ``/ws``. No liquidations are public."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from tests.double.tape import CENT, DAY, MINUTE
from tests.double.venue import INTERVALS, Answer, RefusalError, Topic, Venue

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.double.market import Listing
    from tests.double.tape import Records

CANDLE: Final = {
    "time": "t",
    "open": "o",
    "high": "h",
    "low": "l",
    "close": "c",
    "volume": "v",
    "end": "T",
    "symbol": "s",
}
CONTEXT: Final = {"rate": "funding", "amount": "openInterest", "price": "markPx"}
TRADE: Final = {"time": "time", "price": "px", "volume": "sz", "symbol": "coin"}
KINDS: Final = {"candle": "bars", "trades": "trades", "activeAssetCtx": "ticker"}
TYPES: Final = {
    "meta": "instruments", "metaAndAssetCtxs": "ticker", "candleSnapshot": "bars", "fundingHistory": "funding",
    "l2Book": "depth", "spotMeta": "spot", "perpDexs": "spot", "spotMetaAndAssetCtxs": "spot",
}  # fmt: skip
MOST_CANDLES, MOST_FUNDING, BOOK_LEVELS = 5_000, 500, 20
MOST_LEVERAGE: Final = 40


class Hyperliquid(Venue):
    """Everything is asked of one address; the body says what."""

    slug = "hyperliquid"

    def endpoint(self, path: str, body: Mapping[str, Any]) -> str:
        """Name the series by the body's type."""
        return TYPES.get(str(body.get("type")), "unreadable") if path == "info" else ""

    def rest(self, path: str, query: Mapping[str, str], body: Mapping[str, Any]) -> Answer:
        """Answer ``/info``."""
        del path, query
        answers = {
            "meta": self.meta, "metaAndAssetCtxs": self.contexts, "candleSnapshot": self.candles,
            "fundingHistory": self.funding_history, "l2Book": self.l2_book,
        }  # fmt: skip
        spot: dict[str, Any] = {"perpDexs": [None], "spotMeta": {"tokens": [], "universe": []}}
        spot["spotMetaAndAssetCtxs"] = [spot["spotMeta"], []]
        kind = str(body.get("type"))
        if kind in spot:
            return Answer(spot[kind])
        if kind not in answers:
            raise RefusalError("Failed to deserialize the JSON body into the target type", 422)
        return answers[kind](body)

    def asked(self, name: object) -> Listing:
        """Return a contract; an unknown coin is a server error with an empty body."""
        listing = self.find(str(name))
        if listing is None:
            raise RefusalError(None, 500)
        return listing

    def universe(self) -> list[dict[str, Any]]:
        """Describe all contracts; what is gone stays in the list."""
        return [
            {"szDecimals": listing.tape.terms.lot.places, "name": listing.symbol, "maxLeverage": MOST_LEVERAGE,
             "marginTableId": 56} | ({} if listing.is_listed(self.now) else {"isDelisted": True})
            for listing in self.listed()
        ]  # fmt: skip

    def meta_payload(self, rows: list[dict[str, Any]]) -> dict[str, Any]:
        """Put the universe into its envelope, with its margin tables."""
        tiers = [{"lowerBound": "0.0", "maxLeverage": 40}, {"lowerBound": "150000000.0", "maxLeverage": 20}]
        tables = [[56, {"description": "tiered 40x", "marginTiers": tiers}]]
        return {"universe": rows, "marginTables": tables, "collateralToken": 0}

    def meta(self, body: Mapping[str, Any]) -> Answer:
        """List the contracts."""
        del body
        rows = self.universe()
        return Answer(self.meta_payload(rows), "instruments", rows=rows, fields={"symbol": "name"})

    def contexts(self, body: Mapping[str, Any]) -> Answer:
        """List the contracts and the state of each, in one order."""
        del body
        rows = [self.context(listing) for listing in self.listed()]
        return Answer([self.meta_payload(self.universe()), rows], "ticker", rows=rows, fields=CONTEXT)

    def context(self, listing: Listing) -> dict[str, Any]:
        """Return the state of one contract: open interest in coins, the running hourly rate."""
        terms, sample = listing.tape.terms, listing.interest_now(self.now)
        marks = listing.bars(since=self.now - 2 * MINUTE, until=self.now + 1, now=self.now, series="marks")
        mark = terms.mark_tick.text(marks["close"][-1] if len(marks) else 0)
        bids, asks = self.book(listing, 1)
        best = [terms.tick.text(bids[0][0]), terms.tick.text(asks[0][0])]
        return {
            "funding": CENT.text(listing.tape.rate(listing.next_funding(self.now))[1]),
            "openInterest": terms.amount.text(sample[1] * listing.sides) if sample else "0.0",
            "prevDayPx": mark, "dayNtlVlm": "0.0", "premium": "0.00031774", "oraclePx": mark, "markPx": mark,
            "midPx": best[0], "impactPxs": best, "dayBaseVlm": "0.0",
        }  # fmt: skip

    def candles(self, body: Mapping[str, Any]) -> Answer:
        """Return bars, ascending, both ends inclusive, the open one last; only the latest 5000 exist."""
        asked = body.get("req") or {}
        listing, minutes = self.asked(asked.get("coin")), INTERVALS.get(asked.get("interval", ""))
        if minutes is None:
            raise RefusalError("Failed to deserialize the JSON body into the target type", 422)
        length, end = minutes * MINUTE, asked.get("endTime")
        until = self.now if end is None else min(int(end), self.now)
        since = max(int(asked.get("startTime", 0)), self.now - MOST_CANDLES * length)
        found = self.window(listing, minutes, since, until + 1)
        rows = [self.candle(listing, row, minutes) for row in found]
        keys = [row["t"] for row in rows if row["T"] < self.now]
        name = "bars" if minutes == 1 else f"bars{minutes}"
        return Answer(rows, name, listing.symbol, rows, keys, CANDLE)

    @staticmethod
    def candle(listing: Listing, row: Any, minutes: int) -> dict[str, Any]:  # noqa: ANN401 one record
        """Write one candle; volume in coins, no quote volume."""
        terms, time = listing.tape.terms, int(row["time"])
        volume = int(row["volume"])
        return {
            "t": time, "T": time + minutes * MINUTE - 1, "s": listing.symbol,
            "i": next(name for name, length in INTERVALS.items() if length == minutes),
            "o": terms.tick.text(row["open"]), "c": terms.tick.text(row["close"]), "h": terms.tick.text(row["high"]),
            "l": terms.tick.text(row["low"]), "v": terms.lot.text(volume), "n": min(volume, 1 + volume % 997),
        }  # fmt: skip

    def funding_history(self, body: Mapping[str, Any]) -> Answer:
        """Return settled hourly rates, ascending, 500 at most."""
        listing = self.asked(body.get("coin"))
        end = body.get("endTime")
        until = self.now if end is None else min(int(end), self.now)
        found = listing.funding(since=int(body.get("startTime", self.now - DAY)), until=until)[:MOST_FUNDING]
        rows = [
            {"coin": listing.symbol, "fundingRate": CENT.text(rate), "premium": "0.00031774", "time": time}
            for time, rate, _ in found
        ]
        fields = {"time": "time", "rate": "fundingRate", "symbol": "coin"}
        return Answer(rows, "funding", listing.symbol, rows, [row[0] for row in found], fields)

    def l2_book(self, body: Mapping[str, Any]) -> Answer:
        """Return the book, twenty levels a side."""
        listing = self.asked(body.get("coin"))
        terms = listing.tape.terms
        sides = [
            [{"px": terms.tick.text(price), "sz": terms.lot.text(lots), "n": 1 + lots % 9} for price, lots in side]
            for side in self.book(listing, BOOK_LEVELS)
        ]
        payload = {"coin": listing.symbol, "time": self.stamp, "levels": sides}
        rows = [*sides[0], *sides[1]]
        return Answer(payload, "depth", listing.symbol, rows, fields={"price": "px", "volume": "sz"})

    def receive(self, message: Any, topics: dict[str, Topic]) -> list[Any]:  # noqa: ANN401 a client says anything
        """Take ping, subscribe and unsubscribe."""
        method = message.get("method") if isinstance(message, dict) else None
        if method == "ping":
            return [{"channel": "pong"}]
        asked = message.get("subscription") if isinstance(message, dict) else None
        topic = self.topic(asked) if isinstance(asked, dict) else None
        if method not in {"subscribe", "unsubscribe"} or topic is None:
            return [
                {"channel": "error", "data": f"Error parsing JSON into valid websocket request: {json.dumps(message)}"}
            ]
        if method == "subscribe" and topic.wire in topics:
            return [{"channel": "error", "data": f"Already subscribed: {json.dumps(asked)}"}]
        if method == "subscribe":
            topics[topic.wire] = topic
        else:
            topics.pop(topic.wire, None)
        return [{"channel": "subscriptionResponse", "data": {"method": method, "subscription": asked}}]

    def topic(self, asked: Mapping[str, Any]) -> Topic | None:
        """Read a subscription; None of one that is not spoken here."""
        kind, listing = KINDS.get(str(asked.get("type"))), self.find(str(asked.get("coin")))
        if kind is None or listing is None or (kind == "bars" and asked.get("interval") != "1m"):
            return None
        return Topic(kind, listing.symbol, json.dumps(asked, sort_keys=True))

    def push(self, topic: Topic, listing: Listing, rows: Records, *, closed: bool) -> list[Answer]:
        """Write the events of a topic; a candle does not tell whether it is closed."""
        if topic.kind == "bars":
            return [self.candle_event(listing, row, closed=closed) for row in rows]
        if topic.kind == "trades":
            return [self.trades(listing)]
        context = self.context(listing)
        payload = {"channel": "activeAssetCtx", "data": {"coin": listing.symbol, "ctx": context}}
        return [Answer(payload, "ticker", listing.symbol, [context], [], CONTEXT)]

    def candle_event(self, listing: Listing, row: Any, *, closed: bool) -> Answer:  # noqa: ANN401 one record
        """Write a candle event."""
        data = self.candle(listing, row, 1)
        keys = [data["t"]] if closed else []
        return Answer({"channel": "candle", "data": data}, "bars", listing.symbol, [data], keys, CANDLE)

    def trades(self, listing: Listing) -> Answer:
        """Write a trade at each side of the book."""
        terms = listing.tape.terms
        data = [
            {"coin": listing.symbol, "side": side, "px": terms.tick.text(levels[0][0]),
             "sz": terms.lot.text(1 + levels[0][1] % 50), "hash": f"0x{self.now:064x}", "time": self.stamp,
             "tid": self.now * 2 + number, "users": ["0x" + "a" * 40, "0x" + "b" * 40]}
            for number, (side, levels) in enumerate(zip("AB", self.book(listing, 1), strict=True))
        ]  # fmt: skip
        return Answer({"channel": "trades", "data": data}, "trades", listing.symbol, data, [], TRADE)
