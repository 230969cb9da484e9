"""Binance's futures: open interest, funding, premium and account ratio."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tests.double.binance_streams import BinanceStreams
from tests.double.market import INVERSE
from tests.double.tape import CENT, DAY
from tests.double.venue import FIVE, Answer, RefusalError, share, whole

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.double.market import Listing

LATEST: Final = 1 << 52
MOST_HISTORY, MOST_FUNDING = 500, 1_000
HISTORY_DAYS: Final = 30


class BinanceStatistics(BinanceStreams):
    """What both APIs tell besides bars and book."""

    def asked(self, query: Mapping[str, str]) -> Listing:
        """Return the contract that a query names."""
        if not query.get("symbol"):
            raise RefusalError(
                {"code": -1102, "msg": "Mandatory parameter 'symbol' was not sent, was empty/null, or malformed."}, 400
            )
        listing = self.find(query["symbol"])
        if listing is None:
            raise RefusalError({"code": -1121, "msg": "Invalid symbol."}, 400)
        return listing

    @staticmethod
    def limits(query: Mapping[str, str], default: int, most: int) -> tuple[int, int | None, int]:
        """Return limit, startTime or None, and endTime."""
        limit = whole(query, "limit") or default
        if limit < 1:
            raise RefusalError({"code": -1130, "msg": "Data sent for parameter 'limit' is not valid."}, 400)
        until = whole(query, "endTime")
        return min(limit, most), whole(query, "startTime"), LATEST if until is None else until

    def open_interest(self, query: Mapping[str, str]) -> Answer:
        """Return what is open now."""
        listing = self.asked(query)
        found = listing.interest_now(self.now)
        if found is None:
            raise RefusalError(
                {"code": -4108, "msg": "Symbol is on delivering or delivered or settling or closed or pre-trading."},
                400,
            )
        row = {"symbol": listing.symbol, "openInterest": self.amount_text(listing, found), "time": self.stamp}
        row |= self.pair_names(listing)
        fields = {"time": "time", "amount": "openInterest", "symbol": "symbol"}
        return Answer(row, "interest_now", listing.symbol, [row], [found[0]], fields)

    def open_interest_history(self, query: Mapping[str, str]) -> Answer:
        """Return five-minute samples, ascending; of a window with more than ``limit`` the latest."""
        listing = self.sampled_listing(query)
        limit, since, until = self.history_limits(query)
        found = listing.interest(since=since, until=until, now=self.now)[-limit:]
        rows = [self.sample(listing, row) for row in found]
        fields = {"time": "timestamp", "amount": "sumOpenInterest", "usd": "sumOpenInterestValue"}
        fields |= {"symbol": "symbol"} if self.slug != INVERSE else {}
        return Answer(rows, "interest", listing.symbol, rows, [row[0] for row in found], fields)

    def sampled_listing(self, query: Mapping[str, str]) -> Listing:
        """Return the contract whose statistics are asked for."""
        return self.asked(query)

    def history_limits(self, query: Mapping[str, str]) -> tuple[int, int, int]:
        """Return limit, since and until of five-minute statistics, which are kept for thirty days."""
        if query.get("period") != "5m":
            raise RefusalError({"code": -1130, "msg": "parameter 'period' is invalid."}, 400)
        limit, since, until = self.limits(query, 30, MOST_HISTORY)
        if since is not None and since < self.now - HISTORY_DAYS * DAY:
            raise RefusalError({"code": -1130, "msg": "parameter 'startTime' is invalid."}, 400)
        until = min(until, self.now)
        return limit, until - limit * FIVE if since is None else since, until

    def sample(self, listing: Listing, found: tuple[int, int, int]) -> dict[str, Any]:
        """Write one sample of open interest."""
        time, _, usd = found
        amount = listing.tape.terms.amount.number(found[1] * listing.sides)
        return {
            "symbol": listing.symbol, "sumOpenInterest": f"{amount:.8f}",
            "sumOpenInterestValue": CENT.text(usd * listing.sides),
            "CMCCirculatingSupply": "19800000.00000000", "timestamp": time,
        }  # fmt: skip

    def amount_text(self, listing: Listing, found: tuple[int, int, int]) -> str:
        """Write open interest as the venue counts it."""
        return listing.tape.terms.amount.text(found[1] * listing.sides)

    def pair_names(self, listing: Listing) -> dict[str, Any]:
        """Return what only inverse contracts add to a row."""
        del listing
        return {}

    def funding_rate(self, query: Mapping[str, str]) -> Answer:
        """Return settled rates, ascending from startTime, the latest without it."""
        listing = self.asked(query)
        limit, since, until = self.limits(query, 100, MOST_FUNDING)
        until = min(until, self.now)
        found = listing.funding(since=until - 60 * DAY if since is None else since, until=until)
        found = found[-limit:] if since is None else found[:limit]
        rows = [
            {"symbol": listing.symbol, "fundingTime": time, "fundingRate": CENT.text(rate),
             "markPrice": self.mark_text(listing, time)}
            for time, rate, _ in found
        ]  # fmt: skip
        fields = {"time": "fundingTime", "rate": "fundingRate", "symbol": "symbol"}
        return Answer(rows, "funding", listing.symbol, rows, [row[0] for row in found], fields)

    def funding_info(self, query: Mapping[str, str]) -> Answer:
        """List the contracts whose terms of funding were adjusted: only those that don't settle each eight hours."""
        del query
        rows = [
            {"symbol": listing.symbol, "adjustedFundingRateCap": "0.02000000",
             "adjustedFundingRateFloor": "-0.02000000",
             "fundingIntervalHours": listing.hours_at(self.now), "disclaimer": False}
            for listing in self.listed()
            if listing.hours_at(self.now) != 8 and listing.is_listed(self.now)
        ]  # fmt: skip
        return Answer(rows, "funding_info", rows=rows, fields={"hours": "fundingIntervalHours", "symbol": "symbol"})

    def premium_index(self, query: Mapping[str, str]) -> Answer:
        """Return mark, index and the running funding rate of one contract or of all."""
        listings = (
            [self.asked(query)] if query.get("symbol") else [row for row in self.listed() if row.is_listed(self.now)]
        )
        rows = [self.premium(listing) for listing in listings]
        fields = {"time": "time", "rate": "lastFundingRate", "price": "markPrice", "symbol": "symbol"}
        payload = rows[0] if query.get("symbol") and self.slug != INVERSE else rows
        return Answer(payload, "funding_now", query.get("symbol", ""), rows, fields=fields)

    def premium(self, listing: Listing) -> dict[str, Any]:
        """Write the premium index of one contract."""
        due = listing.next_funding(self.now)
        mark = self.mark_text(listing, self.now)
        return {
            "symbol": listing.symbol, "markPrice": mark, "indexPrice": mark, "estimatedSettlePrice": mark,
            "lastFundingRate": CENT.text(listing.tape.rate(due)[1]), "interestRate": "0.00010000",
            "nextFundingTime": due, "time": self.stamp,
        } | self.pair_names(listing)  # fmt: skip

    def account_ratio(self, query: Mapping[str, str]) -> Answer:
        """Return the share of accounts that are long."""
        listing = self.sampled_listing(query)
        limit, since, until = self.history_limits(query)
        found = self.ratio(listing, since, until)[-limit:]
        rows = [
            {"symbol": listing.symbol, "longAccount": share(long), "shortAccount": share(10_000 - long),
             "longShortRatio": f"{long / (10_000 - long):.4f}", "timestamp": time}
            for time, long in found
        ]  # fmt: skip
        if self.slug == INVERSE:
            rows = [
                {"pair": f"{listing.base}USD"} | {name: row[name] for name in row if name != "symbol"} for row in rows
            ]
        return Answer(
            rows,
            "ratio",
            listing.symbol,
            rows,
            [row[0] for row in found],
            {"time": "timestamp", "ratio": "longAccount"},
        )
