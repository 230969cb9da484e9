"""OKX v5, perpetual swaps in USDT: public REST of www.okx.com. Lists descend in time; cursors exclude their row."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Final

from tests.double.okx_streams import OkxStreams
from tests.double.tape import CENT, DAY, HOUR, MINUTE
from tests.double.venue import FIVE, Answer, RefusalError, whole

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.double.market import Listing

INTERVALS: Final = {"1m": 1, "3m": 3, "5m": 5, "15m": 15, "30m": 30, "1H": 60, "2H": 120, "4H": 240, "1Dutc": 1440}
CANDLE: Final = {
    "time": 0, "open": 1, "high": 2, "low": 3, "close": 4, "contracts": 5, "volume": 6, "quote_volume": 7, "closed": 8,
}  # fmt: skip
MARK_CANDLE: Final = {"time": 0, "open": 1, "high": 2, "low": 3, "close": 4, "closed": 5}
RECENT_BARS: Final = 1_440
# (smallest, largest position in contracts, maintenance, initial margin, leverage)
TIERS: Final = (
    ("0", "5000", "0.004", "0.01", "100"),
    ("5001", "20000", "0.01", "0.02", "50"),
    ("20001", "90000", "0.05", "0.1", "10"),
)


class Okx(OkxStreams):
    """The swaps; other types of instrument are empty."""

    slug = "okx"
    routes: ClassVar = {
        "api/v5/public/time": ("time", "server_time"),
        "api/v5/public/instruments": ("instruments", "instruments"),
        "api/v5/public/open-interest": ("interest_now", "open_interest"),
        "api/v5/public/funding-rate": ("funding_now", "funding_rate"),
        "api/v5/public/funding-rate-history": ("funding", "funding_history"),
        "api/v5/public/mark-price": ("ticker", "mark_price"),
        "api/v5/public/position-tiers": ("brackets", "position_tiers"),
        "api/v5/market/candles": ("bars", "candles"),
        "api/v5/market/history-candles": ("bars", "history_candles"),
        "api/v5/market/mark-price-candles": ("marks", "mark_candles"),
        "api/v5/market/history-mark-price-candles": ("marks", "history_mark_candles"),
        "api/v5/market/books": ("depth", "books"),
        "api/v5/market/books-full": ("depth", "books"),
        "api/v5/rubik/stat/contracts/open-interest-history": ("interest", "open_interest_history"),
        "api/v5/rubik/stat/contracts/long-short-account-ratio-contract": ("ratio", "account_ratio"),
    }

    @staticmethod
    def wrapped(rows: list[Any]) -> dict[str, Any]:
        """Put rows into the envelope."""
        return {"code": "0", "msg": "", "data": rows}

    def asked(self, query: Mapping[str, str]) -> Listing:
        """Return the contract that a query names."""
        if not query.get("instId"):
            raise RefusalError({"code": "50014", "msg": "Parameter instId can not be empty.", "data": []}, 400)
        listing = self.find(query["instId"])
        if listing is None:
            raise RefusalError({"code": "51001", "msg": "Instrument ID doesn't exist.", "data": []})
        return listing

    def server_time(self, query: Mapping[str, str]) -> Answer:
        """Tell the time."""
        del query
        rows = [{"ts": str(self.stamp)}]
        return Answer(self.wrapped(rows), "time", rows=rows, fields={"time": "ts"})

    def instruments(self, query: Mapping[str, str]) -> Answer:
        """List the contracts; what has ended is shown as suspended for a day."""
        found = [row for row in self.listed() if row.ended_ms > self.now - DAY and query.get("instType") == "SWAP"]
        found = [row for row in found if query.get("instId") in {None, row.symbol}]
        rows = [self.instrument(listing) for listing in found]
        return Answer(self.wrapped(rows), "instruments", rows=rows, fields={"symbol": "instId", "contract": "ctVal"})

    def instrument(self, listing: Listing) -> dict[str, Any]:
        """Describe one contract; sizes are in contracts of ctVal coins."""
        lot, family = listing.size_at(self.now).text(1), f"{listing.base}-USDT"
        return {
            "alias": "", "auctionEndTime": "", "baseCcy": "", "category": "1", "contTdSwTime": "", "ctMult": "1",
            "ctType": "linear", "ctVal": f"{listing.contract_at(self.now).normalize():f}", "ctValCcy": listing.base,
            "expTime": "",
            "futureSettlement": False, "groupId": "1", "instFamily": family, "instId": listing.symbol,
            "instIdCode": 10_000 + len(listing.base), "instType": "SWAP", "lever": "100", "listTime": "1573557408000",
            "lotSz": lot, "maxIcebergSz": "100000000", "maxLmtAmt": "20000000", "maxLmtSz": "100000000",
            "maxMktAmt": "", "maxMktSz": "20000", "maxStopSz": "20000", "maxTriggerSz": "100000000",
            "maxTwapSz": "100000000", "minSz": lot, "openType": "", "optType": "", "quoteCcy": "",
            "ruleType": "normal", "settleCcy": "USDT", "state": "live" if listing.is_listed(self.now) else "suspend",
            "stk": "", "tickSz": listing.tape.terms.tick.text(1), "tradeQuoteCcyList": [], "uly": family,
        }  # fmt: skip

    def candles(self, query: Mapping[str, str]) -> Answer:
        """Return the recent bars, the open one with confirm 0."""
        return self.page(query, "bars", recent=True, most=300)

    def history_candles(self, query: Mapping[str, str]) -> Answer:
        """Return closed bars of any age."""
        return self.page(query, "bars", recent=False, most=300)

    def mark_candles(self, query: Mapping[str, str]) -> Answer:
        """Return the recent mark bars."""
        return self.page(query, "marks", recent=True, most=100)

    def history_mark_candles(self, query: Mapping[str, str]) -> Answer:
        """Return closed mark bars of any age."""
        return self.page(query, "marks", recent=False, most=100)

    def page(self, query: Mapping[str, str], series: str, *, recent: bool, most: int) -> Answer:
        """Return a page, latest first: rows after ``before`` and before ``after``, both excluded."""
        listing = self.asked(query)
        minutes = INTERVALS.get(query.get("bar", "1m"))
        if minutes is None:
            raise RefusalError({"code": "51000", "msg": "Parameter bar error", "data": []}, 400)
        limit, length = min(whole(query, "limit") or 100, most), minutes * MINUTE
        after, before = whole(query, "after") or self.now + 1, whole(query, "before")
        until = min(after, self.now + 1 if recent else self.now // length * length)
        since = max(until - (limit + 1) * length, -1 if before is None else before + 1)
        if recent:
            since = max(since, self.now - RECENT_BARS * length)
        found = self.window(listing, minutes, since, until, series)[-limit:][::-1]
        rows = [self.candle(listing, row, series, closed=row["time"] + length <= self.now) for row in found]
        keys = [int(row["time"]) for row in found if row["time"] + length <= self.now]
        fields = CANDLE if series == "bars" else MARK_CANDLE
        name = series if minutes == 1 else f"{series}{minutes}"
        return Answer(self.wrapped(rows), name, listing.symbol, rows, keys, fields)

    def open_interest(self, query: Mapping[str, str]) -> Answer:
        """Return what is open now: contracts, coins, USD."""
        if query.get("instType") != "SWAP":
            raise RefusalError({"code": "51000", "msg": "Parameter instType error", "data": []}, 400)
        trading = [row for row in self.listed() if row.is_listed(self.now)]
        listings = [self.asked(query)] if query.get("instId") else trading
        rows = [self.interest_row(listing) for listing in listings if listing.interest_now(self.now)]
        fields = {"time": "ts", "contracts": "oi", "amount": "oiCcy", "usd": "oiUsd", "symbol": "instId"}
        return Answer(self.wrapped(rows), "interest_now", query.get("instId", ""), rows, fields=fields)

    def funding_rate(self, query: Mapping[str, str]) -> Answer:
        """Return the running rate with the times of this settlement and the next."""
        listing = self.asked(query)
        due = listing.next_funding(self.now)
        hours = listing.hours_at(due)
        rows = [{
            "formulaType": "withRate", "fundingRate": CENT.text(listing.tape.rate(due)[1]), "fundingTime": str(due),
            "impactValue": "20000", "instId": listing.symbol, "instType": "SWAP", "interestRate": "0.0001",
            "maxFundingRate": "0.00375", "method": "current_period", "minFundingRate": "-0.00375",
            "nextFundingRate": "", "nextFundingTime": str(due + hours * HOUR), "premium": "0.0001",
            "prevFundingTime": str(due - hours * HOUR), "settFundingRate": "0.0001", "settState": "settled",
            "ts": str(self.stamp),
        }]  # fmt: skip
        fields = {"time": "fundingTime", "rate": "fundingRate", "symbol": "instId"}
        return Answer(self.wrapped(rows), "funding_now", listing.symbol, rows, fields=fields)

    def funding_history(self, query: Mapping[str, str]) -> Answer:
        """Return settled rates; realizedRate is what was paid."""
        listing = self.asked(query)
        limit, before = min(whole(query, "limit") or 400, 400), whole(query, "before")
        until = min((whole(query, "after") or self.now + 1) - 1, self.now)
        since = max(until - 90 * DAY, -1 if before is None else before + 1)
        found = listing.funding(since=since, until=until)[::-1][:limit]
        rows = [
            {"formulaType": "withRate", "fundingRate": CENT.text(rate), "fundingTime": str(time),
             "instId": listing.symbol, "instType": "SWAP", "method": "current_period", "realizedRate": CENT.text(rate)}
            for time, rate, _ in found
        ]  # fmt: skip
        fields = {"time": "fundingTime", "rate": "realizedRate", "symbol": "instId"}
        return Answer(self.wrapped(rows), "funding", listing.symbol, rows, [row[0] for row in found], fields)

    def mark_price(self, query: Mapping[str, str]) -> Answer:
        """Return the mark price now."""
        listings = [self.asked(query)] if query.get("instId") else self.listed()
        rows = [
            {"instType": "SWAP", "instId": row.symbol, "markPx": self.mark_text(row), "ts": str(self.stamp)}
            for row in listings
        ]
        fields = {"price": "markPx", "symbol": "instId"}
        return Answer(self.wrapped(rows), "ticker", query.get("instId", ""), rows, fields=fields)

    def position_tiers(self, query: Mapping[str, str]) -> Answer:
        """Return the leverage brackets; sizes are contracts."""
        family = query.get("instFamily") or query.get("uly", "")
        rows = [
            {"baseMaxLoan": "", "imr": initial, "instFamily": family, "instId": "", "maxLever": leverage,
             "maxSz": most, "minSz": least, "mmr": kept, "optMgnFactor": "0", "quoteMaxLoan": "", "tier": str(number),
             "uly": family}
            for number, (least, most, kept, initial, leverage) in enumerate(TIERS, 1)
            if self.find(f"{family}-SWAP")
        ]  # fmt: skip
        return Answer(self.wrapped(rows), "brackets", f"{family}-SWAP", rows, fields={"symbol": "uly"})

    def books(self, query: Mapping[str, str]) -> Answer:
        """Return the book in contracts, 400 levels (5000 of the full one) at most."""
        listing = self.asked(query)
        tick, size = listing.tape.terms.tick, listing.size_at(self.now)
        bids, asks = (
            [[tick.text(price), size.text(lots), "0", "3"] for price, lots in side]
            for side in self.book(listing, min(whole(query, "sz") or 1, 5000))
        )
        rows = [{"asks": asks, "bids": bids, "ts": str(self.stamp), "seqId": self.now}]
        return Answer(self.wrapped(rows), "depth", listing.symbol, [*bids, *asks], fields={"price": 0, "volume": 1})

    def statistics(self, query: Mapping[str, str]) -> tuple[Listing, int, int, int]:
        """Return contract, limit, since and until of five-minute statistics; begin and end are excluded."""
        listing = self.asked(query)
        if query.get("period", "5m") != "5m":
            raise RefusalError({"code": "51000", "msg": "Parameter period error", "data": []}, 400)
        limit, begin = min(whole(query, "limit") or 100, 100), whole(query, "begin")
        until = min((whole(query, "end") or self.now + 1) - 1, self.now)
        return listing, limit, max(until - limit * FIVE, -1 if begin is None else begin + 1), until

    def open_interest_history(self, query: Mapping[str, str]) -> Answer:
        """Return five-minute samples: time, contracts, coins, USD."""
        listing, limit, since, until = self.statistics(query)
        found = listing.interest(since=since, until=until, now=self.now)[::-1][:limit]
        rows = [[str(row[0]), *self.amounts(listing, row)] for row in found]
        fields = {"time": 0, "contracts": 1, "amount": 2, "usd": 3}
        return Answer(self.wrapped(rows), "interest", listing.symbol, rows, [row[0] for row in found], fields)

    def account_ratio(self, query: Mapping[str, str]) -> Answer:
        """Return how many accounts are long for each that is short."""
        listing, limit, since, until = self.statistics(query)
        found = self.ratio(listing, since, until)[::-1][:limit]
        rows = [[str(time), str(long / (10_000 - long))] for time, long in found]
        keys = [row[0] for row in found]
        return Answer(self.wrapped(rows), "ratio", listing.symbol, rows, keys, {"time": 0, "ratio": 1})
