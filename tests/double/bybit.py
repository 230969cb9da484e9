"""Bybit v5, linear perpetuals in USDT: public REST of api.bybit.com. Lists descend in time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Final

from tests.double.bybit_streams import BybitStreams
from tests.double.tape import CENT, DAY, MINUTE
from tests.double.venue import Answer, RefusalError, share, whole

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.double.market import Listing
    from tests.double.tape import Records

INTERVALS: Final = {
    "1": 1, "3": 3, "5": 5, "15": 15, "30": 30, "60": 60, "120": 120, "240": 240, "360": 360, "720": 720, "D": 1440,
}  # fmt: skip
PERIODS: Final = {"5min": 5, "15min": 15, "30min": 30, "1h": 60, "4h": 240, "1d": 1440}
KLINE: Final = {"time": 0, "open": 1, "high": 2, "low": 3, "close": 4, "volume": 5, "quote_volume": 6}
MARK_KLINE: Final = {"time": 0, "open": 1, "high": 2, "low": 3, "close": 4}
# (largest position in USDT, maintenance margin, initial margin, leverage)
RISK: Final = (
    ("2000000", "0.005", "0.01", "100.00"),
    ("10000000", "0.01", "0.02", "50.00"),
    ("50000000", "0.05", "0.1", "10.00"),
)


class Bybit(BybitStreams):
    """The linear category; the others are empty."""

    slug = "bybit"
    routes: ClassVar = {
        "v5/market/time": ("time", "server_time"),
        "v5/market/instruments-info": ("instruments", "instruments"),
        "v5/market/kline": ("bars", "klines"),
        "v5/market/mark-price-kline": ("marks", "mark_klines"),
        "v5/market/open-interest": ("interest", "open_interest"),
        "v5/market/funding/history": ("funding", "funding_history"),
        "v5/market/tickers": ("ticker", "tickers"),
        "v5/market/orderbook": ("depth", "order_book"),
        "v5/market/account-ratio": ("ratio", "account_ratio"),
        "v5/market/risk-limit": ("brackets", "risk_limit"),
    }

    def wrapped(self, result: dict[str, Any]) -> dict[str, Any]:
        """Put a result into the envelope."""
        return {"retCode": 0, "retMsg": "OK", "result": result, "retExtInfo": {}, "time": self.stamp}

    def refused(self, text: str) -> RefusalError:
        """Refuse as Bybit does: with status 200."""
        payload = {"retCode": 10001, "retMsg": text, "result": {}, "retExtInfo": {}, "time": self.stamp}
        return RefusalError(payload)

    def asked(self, query: Mapping[str, str]) -> Listing:
        """Return the contract that a query names."""
        listing = self.find(query.get("symbol", "")) if query.get("category") == "linear" else None
        if listing is None:
            raise self.refused("params error: Symbol Invalid")
        return listing

    def server_time(self, query: Mapping[str, str]) -> Answer:
        """Tell the time."""
        del query
        result = {"timeSecond": str(self.stamp // 1000), "timeNano": str(self.stamp * 1_000_000)}
        return Answer(self.wrapped(result), "time")

    def instruments(self, query: Mapping[str, str]) -> Answer:
        """List the contracts, 500 to a page; what no longer trades only by its status."""
        status, symbol = query.get("status", "Trading"), query.get("symbol")
        found = self.listed() if query.get("category") == "linear" else []
        states = {listing.symbol: "Trading" if listing.is_listed(self.now) else "Closed" for listing in found}
        found = [row for row in found if states[row.symbol] == status and symbol in {None, row.symbol}]
        limit, first = min(whole(query, "limit") or 500, 1000), whole(query, "cursor") or 0
        rows = [self.instrument(listing, states[listing.symbol]) for listing in found[first : first + limit]]
        cursor = str(first + limit) if first + limit < len(found) else ""
        result = {"category": query.get("category", ""), "list": rows, "nextPageCursor": cursor}
        fields = {"symbol": "symbol", "status": "status", "hours": "fundingInterval"}
        return Answer(self.wrapped(result), "instruments", rows=rows, fields=fields)

    def instrument(self, listing: Listing, status: str) -> dict[str, Any]:
        """Describe one contract."""
        terms = listing.tape.terms
        tick, lot = terms.tick, terms.lot
        return {
            "symbol": listing.symbol, "contractType": "LinearPerpetual", "status": status,
            "baseCoin": listing.base, "quoteCoin": "USDT", "settleCoin": "USDT",
            "launchTime": "1584230400000", "deliveryTime": "0" if status == "Trading" else str(listing.ended_ms),
            "deliveryFeeRate": "", "priceScale": str(tick.places),
            "leverageFilter": {"minLeverage": "1", "maxLeverage": "100.00", "leverageStep": "0.01"},
            "priceFilter": {"minPrice": tick.text(1), "maxPrice": tick.text(10**9), "tickSize": tick.text(1)},
            "lotSizeFilter": {
                "maxOrderQty": lot.text(10**6), "minOrderQty": lot.text(1), "qtyStep": lot.text(1),
                "postOnlyMaxOrderQty": lot.text(10**6), "maxMktOrderQty": lot.text(10**5), "minNotionalValue": "5",
            },
            "unifiedMarginTrade": True, "fundingInterval": listing.hours_at(self.now) * 60,
            "copyTrading": "both", "upperFundingRate": "0.005", "lowerFundingRate": "-0.005",
            "isPreListing": False, "preListingInfo": None, "symbolType": "",
        }  # fmt: skip

    def klines(self, query: Mapping[str, str]) -> Answer:
        """Return last-price bars."""
        listing = self.asked(query)
        minutes, found = self.page(listing, query, "bars")
        rows = [self.kline(listing, row) for row in found]
        return self.candles(listing, rows, minutes, "bars", KLINE)

    def mark_klines(self, query: Mapping[str, str]) -> Answer:
        """Return mark-price bars, without volume."""
        listing = self.asked(query)
        minutes, found = self.page(listing, query, "marks")
        tick = listing.tape.terms.mark_tick
        rows = [
            [str(row["time"]), *(tick.text(row[name]) for name in ("open", "high", "low", "close"))] for row in found
        ]
        return self.candles(listing, rows, minutes, "marks", MARK_KLINE)

    def candles(
        self, listing: Listing, rows: list[list[str]], minutes: int, series: str, fields: dict[str, int]
    ) -> Answer:
        """Wrap candles."""
        keys = [int(row[0]) for row in rows if int(row[0]) + minutes * MINUTE <= self.now]
        result = {"category": "linear", "symbol": listing.symbol, "list": rows}
        name = series if minutes == 1 else f"{series}{minutes}"
        return Answer(self.wrapped(result), name, listing.symbol, rows, keys, fields)

    def page(self, listing: Listing, query: Mapping[str, str], series: str) -> tuple[int, Records]:
        """Return a page, latest first; with ``start`` alone the earliest bars from there on."""
        minutes = INTERVALS.get(query.get("interval", ""))
        if minutes is None:
            raise self.refused("Invalid period!")
        limit, since, until = min(whole(query, "limit") or 200, 1000), whole(query, "start"), whole(query, "end")
        span = limit * minutes * MINUTE
        if until is None:
            until = self.now if since is None else min(self.now, since + span - 1)
        first = max(since or 0, min(until, self.now) - span - minutes * MINUTE)
        return minutes, self.window(listing, minutes, first, until + 1, series)[-limit:][::-1]

    def times(self, query: Mapping[str, str], name: str, most: int) -> tuple[int, int, int, int]:
        """Return period [ms], limit, since and until of statistics; the endpoint walks back from the end."""
        period = PERIODS.get(query.get(name, ""), 0) * MINUTE
        if not period:
            raise self.refused("Invalid period!")
        limit = min(whole(query, "limit") or 50, most)
        until = min(whole(query, "endTime") or self.now, self.now)
        if query.get("cursor"):
            until = min(until, int(query["cursor"]) - 1)
        return period, limit, max(whole(query, "startTime") or 0, until - limit * period), until

    def open_interest(self, query: Mapping[str, str]) -> Answer:
        """Return five-minute samples in base: of both sides, and of one."""
        listing = self.asked(query)
        period, limit, since, until = self.times(query, "intervalTime", 200)
        samples = listing.interest(since=since, until=until, now=self.now)
        found = [row for row in samples if row[0] % period == 0][::-1][:limit]
        amount = listing.tape.terms.amount
        rows = [
            {"openInterest": amount.text(row[1] * listing.sides), "singleOpenInterest": amount.text(row[1]),
             "timestamp": str(row[0])}
            for row in found
        ]  # fmt: skip
        cursor = str(found[-1][0]) if len(found) == limit else ""
        result = {"symbol": listing.symbol, "category": "linear", "list": rows, "nextPageCursor": cursor}
        fields = {"time": "timestamp", "amount": "singleOpenInterest", "both_sides": "openInterest"}
        return Answer(self.wrapped(result), "interest", listing.symbol, rows, [row[0] for row in found], fields)

    def funding_history(self, query: Mapping[str, str]) -> Answer:
        """Return settled rates; startTime needs an endTime."""
        listing = self.asked(query)
        since, until = whole(query, "startTime"), whole(query, "endTime")
        if since is not None and until is None:
            raise self.refused("params error: endTime is missing")
        limit, until = min(whole(query, "limit") or 200, 200), min(until or self.now, self.now)
        found = listing.funding(since=until - 120 * DAY if since is None else since, until=until)[::-1][:limit]
        rows = [
            {"symbol": listing.symbol, "fundingRate": CENT.text(rate), "fundingRateTimestamp": str(time)}
            for time, rate, _ in found
        ]
        result = {"category": "linear", "list": rows}
        fields = {"time": "fundingRateTimestamp", "rate": "fundingRate", "symbol": "symbol"}
        return Answer(self.wrapped(result), "funding", listing.symbol, rows, [row[0] for row in found], fields)

    def tickers(self, query: Mapping[str, str]) -> Answer:
        """Return the state of one contract or of all."""
        is_linear = query.get("category") == "linear"
        trading = [row for row in self.listed() if row.is_listed(self.now)] if is_linear else []
        listings = [self.asked(query)] if query.get("symbol") else trading
        rows = [self.state(listing) for listing in listings]
        result = {"category": query.get("category", ""), "list": rows}
        fields = {"price": "markPrice", "amount": "singleOpenInterest", "usd": "openInterestValue", "symbol": "symbol"}
        fields |= {"rate": "fundingRate", "both_sides": "openInterest"}
        return Answer(self.wrapped(result), "ticker", query.get("symbol", ""), rows, fields=fields)

    def order_book(self, query: Mapping[str, str]) -> Answer:
        """Return the book, 1000 levels at most."""
        listing = self.asked(query)
        terms = listing.tape.terms
        bids, asks = (
            [[terms.tick.text(price), terms.lot.text(lots)] for price, lots in side]
            for side in self.book(listing, min(whole(query, "limit") or 25, 1000))
        )
        result = {
            "s": listing.symbol,
            "a": asks,
            "b": bids,
            "ts": self.stamp,
            "u": self.now,
            "seq": self.now,
            "cts": self.stamp,
        }
        return Answer(self.wrapped(result), "depth", listing.symbol, [*bids, *asks], fields={"price": 0, "volume": 1})

    def account_ratio(self, query: Mapping[str, str]) -> Answer:
        """Return the share of accounts that are long (buyRatio)."""
        listing = self.asked(query)
        period, limit, since, until = self.times(query, "period", 500)
        found = [row for row in self.ratio(listing, since, until) if row[0] % period == 0][::-1][:limit]
        rows = [
            {
                "symbol": listing.symbol,
                "buyRatio": share(long),
                "sellRatio": share(10_000 - long),
                "timestamp": str(time),
            }
            for time, long in found
        ]
        result = {"list": rows, "nextPageCursor": ""}
        fields = {"time": "timestamp", "ratio": "buyRatio", "symbol": "symbol"}
        return Answer(self.wrapped(result), "ratio", listing.symbol, rows, [row[0] for row in found], fields)

    def risk_limit(self, query: Mapping[str, str]) -> Answer:
        """Return the leverage brackets."""
        listing = self.asked(query)
        rows = [
            {"id": number, "symbol": listing.symbol, "riskLimitValue": most, "maintenanceMargin": kept,
             "initialMargin": initial, "isLowestRisk": int(number == 1), "maxLeverage": leverage, "mmDeduction": ""}
            for number, (most, kept, initial, leverage) in enumerate(RISK, 1)
        ]  # fmt: skip
        result = {"category": "linear", "list": rows, "nextPageCursor": ""}
        return Answer(self.wrapped(result), "brackets", listing.symbol, rows, fields={"symbol": "symbol"})
