"""OKX's websockets ``/ws/v5/public`` and ``/ws/v5/business`` (candles)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from tests.double.tape import CENT, MINUTE
from tests.double.venue import Answer, Topic, Venue

if TYPE_CHECKING:
    from tests.double.market import Listing
    from tests.double.tape import Records

KINDS: Final = {
    "candle1m": "bars", "mark-price-candle1m": "marks", "liquidation-orders": "liquidations",
    "open-interest": "interest", "mark-price": "ticker", "funding-rate": "ticker",
}  # fmt: skip
WS_CANDLE: Final = {
    "time": 0, "open": 1, "high": 2, "low": 3, "close": 4, "contracts": 5, "volume": 6, "quote_volume": 7, "closed": 8,
}  # fmt: skip
WS_MARK: Final = {"time": 0, "open": 1, "high": 2, "low": 3, "close": 4, "closed": 5}
CONNECTION: Final = "a4d3ae55"


class OkxStreams(Venue):
    """Subscriptions, events and pushes."""

    def topic(self, argument: dict[str, Any]) -> Topic | None:
        """Read an argument of a subscription; None of one that is not spoken here."""
        kind = KINDS.get(argument.get("channel", ""))
        if kind == "liquidations":
            return Topic(kind, "*", json.dumps(argument)) if argument.get("instType") == "SWAP" else None
        listing = self.find(argument.get("instId", ""))
        if kind is None or listing is None or not listing.is_listed(self.now):
            return None
        return Topic(kind, listing.symbol, json.dumps(argument))

    def receive(self, message: Any, topics: dict[str, Topic]) -> list[Any]:  # noqa: ANN401 a client says anything
        """Take ping (a bare text), subscribe and unsubscribe; each argument is answered by an event of its own."""
        if message == "ping":
            return ["pong"]
        if not isinstance(message, dict) or message.get("op") not in {"subscribe", "unsubscribe"}:
            text = f"Illegal request: {json.dumps(message)}"
            return [{"event": "error", "code": "60012", "msg": text, "connId": CONNECTION}]
        return [self.event(message["op"], argument, topics) for argument in message.get("args", [])]

    def event(self, op: str, argument: dict[str, Any], topics: dict[str, Topic]) -> dict[str, Any]:
        """Change one subscription; return the event that tells."""
        topic = self.topic(argument)
        if topic is None:
            names = ",".join(f"{name}:{value}" for name, value in argument.items())
            text = f"Wrong URL or {names} doesn't exist. Please use the correct URL, channel and parameters."
            return {"event": "error", "code": "60018", "msg": text, "connId": CONNECTION}
        if op == "subscribe":
            topics[topic.wire] = topic
        else:
            topics.pop(topic.wire, None)
        return {"event": op, "arg": argument, "connId": CONNECTION}

    def push(self, topic: Topic, listing: Listing, rows: Records, *, closed: bool) -> list[Answer]:
        """Write the events of a topic."""
        argument = json.loads(topic.wire)
        if topic.kind in {"bars", "marks"}:
            return [self.candle_event(argument, listing, rows, closed=closed)] if len(rows) else []
        if topic.kind == "liquidations":
            return [self.liquidated(argument, listing, row) for row in rows]
        if topic.kind == "interest":
            return self.interest_event(argument, listing)
        return [self.ticker(argument, listing)]

    @staticmethod
    def candle(listing: Listing, row: Any, series: str, *, closed: bool) -> list[str]:  # noqa: ANN401 one record
        """Write one candle: volume in contracts, coins and USDT; a mark candle has none."""
        terms, names = listing.tape.terms, ("open", "high", "low", "close")
        if series == "marks":
            return [str(row["time"]), *(terms.mark_tick.text(row[name]) for name in names), str(int(closed))]
        size = listing.size_at(int(row["time"]))
        volumes = [
            size.text(row["volume"]),
            terms.lot.text(row["volume"]),
            terms.tick.times(terms.lot).text(row["value"]),
        ]
        return [str(row["time"]), *(terms.tick.text(row[name]) for name in names), *volumes, str(int(closed))]

    def candle_event(self, argument: dict[str, Any], listing: Listing, rows: Records, *, closed: bool) -> Answer:
        """Write a candle event of one row."""
        series, row = KINDS[argument["channel"]], rows[0]
        data = [self.candle(listing, row, series, closed=closed)]
        keys = [int(row["time"])] if closed else []
        fields = WS_CANDLE if series == "bars" else WS_MARK
        return Answer({"arg": argument, "data": data}, series, listing.symbol, data, keys, fields)

    def liquidated(self, argument: dict[str, Any], listing: Listing, row: Any) -> Answer:  # noqa: ANN401 one record
        """Write a liquidation: posSide is the side of the position, sz is in contracts, bkPx the bankruptcy price."""
        is_long = row["side"] > 0
        detail = {
            "bkLoss": "0", "bkPx": listing.tape.terms.tick.text(row["price"]), "ccy": "",
            "posSide": "long" if is_long else "short", "side": "sell" if is_long else "buy",
            "sz": listing.size_at(int(row["time"])).text(row["size"]), "ts": str(row["time"]),
        }  # fmt: skip
        family = f"{listing.base}-USDT"
        order = {
            "details": [detail], "instFamily": family, "instId": listing.symbol, "instType": "SWAP", "uly": family,
        }  # fmt: skip
        key = tuple(int(row[name]) for name in ("time", "side", "price", "size"))
        fields = {"time": "ts", "price": "bkPx", "volume": "sz", "side": "posSide"}
        return Answer({"arg": argument, "data": [order]}, "liquidations", listing.symbol, [detail], [key], fields)

    def amounts(self, listing: Listing, row: tuple[int, int, int]) -> list[str]:
        """Write open interest as contracts, coins and USD."""
        terms = listing.tape.terms
        base = terms.amount.step * row[1] * listing.sides
        contracts = base / listing.contract_at(row[0])
        return [f"{contracts:f}", terms.amount.text(row[1] * listing.sides), CENT.text(row[2] * listing.sides)]

    def interest_row(self, listing: Listing) -> dict[str, Any]:
        """Write what is open now."""
        sample = listing.interest_now(self.now) or (0, 0, 0)
        contracts, base, usd = self.amounts(listing, sample)
        return {
            "instId": listing.symbol, "instType": "SWAP", "oi": contracts, "oiCcy": base, "oiUsd": usd,
            "ts": str(self.stamp),
        }  # fmt: skip

    def interest_event(self, argument: dict[str, Any], listing: Listing) -> list[Answer]:
        """Write an event of open interest."""
        rows = [self.interest_row(listing)]
        fields = {"time": "ts", "contracts": "oi", "amount": "oiCcy", "usd": "oiUsd", "symbol": "instId"}
        return [Answer({"arg": argument, "data": rows}, "interest_now", listing.symbol, rows, [], fields)]

    def ticker(self, argument: dict[str, Any], listing: Listing) -> Answer:
        """Write mark price or running funding rate."""
        row: dict[str, Any] = {"instId": listing.symbol, "instType": "SWAP", "ts": str(self.stamp)}
        if argument["channel"] == "mark-price":
            row["markPx"] = self.mark_text(listing)
            fields = {"price": "markPx", "symbol": "instId"}
        else:
            due = listing.next_funding(self.now)
            row |= {"fundingRate": CENT.text(listing.tape.rate(due)[1]), "fundingTime": str(due), "nextFundingRate": "",
                    "nextFundingTime": str(due + listing.hours_at(due) * 60 * MINUTE)}  # fmt: skip
            fields = {"rate": "fundingRate", "symbol": "instId"}
        return Answer({"arg": argument, "data": [row]}, "ticker", listing.symbol, [row], [], fields)

    def mark_text(self, listing: Listing) -> str:
        """Return the mark price now."""
        marks = listing.bars(since=self.now - 2 * MINUTE, until=self.now + 1, now=self.now, series="marks")
        return listing.tape.terms.mark_tick.text(marks["close"][-1] if len(marks) else 0)
