"""Binance USD-M and COIN-M futures: the public REST of fapi.binance.com and dapi.binance.com."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Final

from tests.double.binance_statistics import BinanceStatistics
from tests.double.market import INVERSE
from tests.double.tape import CENT, MINUTE
from tests.double.units import Unit
from tests.double.venue import INTERVALS, Answer, RefusalError, whole

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.double.market import Listing
    from tests.double.tape import Records

LATEST: Final = 1 << 52
KLINE: Final = {
    "time": 0,
    "open": 1,
    "high": 2,
    "low": 3,
    "close": 4,
    "volume": 5,
    "end": 6,
    "quote_volume": 7,
    "taker": 9,
}
MARK_KLINE: Final = {"time": 0, "open": 1, "high": 2, "low": 3, "close": 4, "end": 6}
MOST_KLINES, MOST_HISTORY, MOST_FUNDING = 1_500, 500, 1_000
HISTORY_DAYS: Final = 30
DEPTHS: Final = (5, 10, 20, 50, 100, 500, 1_000)


def routes(prefix: str) -> dict[str, tuple[str, str]]:
    """Return the paths of one of the two APIs."""
    return {
        f"{prefix}/exchangeInfo": ("instruments", "exchange_info"),
        f"{prefix}/time": ("time", "server_time"),
        f"{prefix}/ping": ("time", "ping"),
        f"{prefix}/klines": ("bars", "klines"),
        f"{prefix}/markPriceKlines": ("marks", "mark_klines"),
        f"{prefix}/openInterest": ("interest_now", "open_interest"),
        f"{prefix}/fundingRate": ("funding", "funding_rate"),
        f"{prefix}/fundingInfo": ("funding_info", "funding_info"),
        f"{prefix}/premiumIndex": ("funding_now", "premium_index"),
        f"{prefix}/depth": ("depth", "depth"),
        "futures/data/openInterestHist": ("interest", "open_interest_history"),
        "futures/data/globalLongShortAccountRatio": ("ratio", "account_ratio"),
    }


def filters(tick: Unit, lot: Unit) -> list[dict[str, Any]]:
    """Return the rules of prices and sizes."""
    sizes = {"minQty": lot.text(1), "maxQty": lot.text(10**6), "stepSize": lot.text(1)}
    prices = {"minPrice": tick.text(1), "maxPrice": tick.text(10**9), "tickSize": tick.text(1)}
    return [
        {"filterType": "PRICE_FILTER"} | prices,
        {"filterType": "LOT_SIZE"} | sizes,
        {"filterType": "MARKET_LOT_SIZE"} | sizes,
        {"filterType": "MAX_NUM_ORDERS", "limit": 200},
        {"filterType": "MIN_NOTIONAL", "notional": "5"},
    ]


class UsdM(BinanceStatistics):
    """Linear perpetuals in USDT."""

    slug = "binance"
    routes: ClassVar = routes("fapi/v1")

    def ping(self, query: Mapping[str, str]) -> Answer:
        """Answer nothing."""
        del query
        return Answer({})

    def server_time(self, query: Mapping[str, str]) -> Answer:
        """Tell the time."""
        del query
        row = {"serverTime": self.stamp}
        return Answer(row, "time", rows=[row], fields={"time": "serverTime"})

    def exchange_info(self, query: Mapping[str, str]) -> Answer:
        """List the contracts."""
        del query
        rows = [self.instrument(listing) for listing in self.listed()]
        payload = {
            "timezone": "UTC", "serverTime": self.stamp, "futuresType": "U_MARGINED",
            "rateLimits": [
                {"rateLimitType": "REQUEST_WEIGHT", "interval": "MINUTE", "intervalNum": 1, "limit": 2400},
                {"rateLimitType": "ORDERS", "interval": "MINUTE", "intervalNum": 1, "limit": 1200},
            ],
            "exchangeFilters": [], "assets": [], "symbols": rows,
        }  # fmt: skip
        return Answer(payload, "instruments", rows=rows, fields={"symbol": "symbol", "status": "status"})

    def instrument(self, listing: Listing) -> dict[str, Any]:
        """Describe one contract."""
        terms = listing.tape.terms
        lot = Unit.of("1") if listing.is_inverse else terms.lot
        quote, is_trading = listing.quote, listing.is_listed(self.now)
        return {
            "symbol": listing.symbol, "pair": f"{listing.base}{quote}", "contractType": "PERPETUAL",
            "deliveryDate": 4133404800000 if is_trading else listing.ended_ms, "onboardDate": 1569398400000,
            self.status_name: "TRADING" if is_trading else "SETTLING",
            "maintMarginPercent": "2.5000", "requiredMarginPercent": "5.0000",
            "baseAsset": listing.base, "quoteAsset": quote,
            "marginAsset": listing.base if listing.is_inverse else quote,
            "pricePrecision": terms.tick.places, "quantityPrecision": lot.places,
            "baseAssetPrecision": 8, "quotePrecision": 8, "underlyingType": "COIN", "underlyingSubType": ["PoW"],
            "triggerProtect": "0.0500", "liquidationFee": "0.012500", "marketTakeBound": "0.05",
            "filters": filters(terms.tick, lot),
            "orderTypes": ["LIMIT", "MARKET"], "timeInForce": ["GTC", "IOC", "FOK", "GTX"],
        } | self.extra_terms(listing)  # fmt: skip

    status_name = "status"

    def extra_terms(self, listing: Listing) -> dict[str, Any]:
        """Return what only inverse contracts have."""
        del listing
        return {}

    def klines(self, query: Mapping[str, str]) -> Answer:
        """Return last-price bars, ascending, both ends inclusive."""
        listing = self.asked(query)
        minutes, rows = self.page(listing, query, "bars")
        written = [self.kline(listing, row, minutes) for row in rows]
        series = "bars" if minutes == 1 else f"bars{minutes}"
        return Answer(written, series, listing.symbol, written, self.finished(written), KLINE)

    def mark_klines(self, query: Mapping[str, str]) -> Answer:
        """Return mark-price bars."""
        listing = self.asked(query)
        minutes, rows = self.page(listing, query, "marks")
        tick = listing.tape.terms.mark_tick
        written = [
            [int(row["time"]), *(tick.text(row[name]) for name in ("open", "high", "low", "close")), "0",
             int(row["time"]) + minutes * MINUTE - 1, "0", 60, "0", "0", "0"]
            for row in rows
        ]  # fmt: skip
        series = "marks" if minutes == 1 else f"marks{minutes}"
        return Answer(written, series, listing.symbol, written, self.finished(written), MARK_KLINE)

    def finished(self, rows: list[list[Any]]) -> list[int]:
        """Return the opening times of the rows whose time is over."""
        return [row[0] for row in rows if row[6] < self.now]

    def page(self, listing: Listing, query: Mapping[str, str], series: str) -> tuple[int, Records]:
        """Return the asked interval in minutes and the rows of a page."""
        minutes = INTERVALS.get(query.get("interval", ""))
        if minutes is None:
            raise RefusalError({"code": -1120, "msg": "Invalid interval."}, 400)
        limit, since, until = self.limits(query, 500, MOST_KLINES)
        span = limit * minutes * MINUTE
        if since is None:
            last = min(until, self.now)
            rows = self.window(listing, minutes, last - span - minutes * MINUTE, last + 1, series)
            return minutes, rows[-limit:]
        return minutes, self.window(listing, minutes, since, min(until + 1, since + span + minutes * MINUTE), series)[
            :limit
        ]

    def depth(self, query: Mapping[str, str]) -> Answer:
        """Return the book."""
        listing = self.asked(query)
        limit = whole(query, "limit") or 500
        if limit not in DEPTHS:
            raise RefusalError({"code": -4021, "msg": f"{limit} is not valid depth limit."}, 400)
        terms = listing.tape.terms
        size = Unit.of("1") if listing.is_inverse else terms.lot
        bids, asks = (
            [[terms.tick.text(price), size.text(lots)] for price, lots in side] for side in self.book(listing, limit)
        )
        payload = {"lastUpdateId": self.now, "E": self.stamp, "T": self.stamp - 4, "bids": bids, "asks": asks}
        payload |= {"symbol": listing.symbol} | self.pair_names(listing) if listing.is_inverse else {}
        return Answer(payload, "depth", listing.symbol, [*bids, *asks], fields={"price": 0, "volume": 1})


class CoinM(UsdM):
    """Inverse perpetuals in the coin: sizes are contracts of 100 or 10 USD."""

    slug = INVERSE
    routes: ClassVar = routes("dapi/v1")
    status_name = "contractStatus"

    def extra_terms(self, listing: Listing) -> dict[str, Any]:
        """Add the contract size."""
        return {"contractSize": int(listing.contract_at(self.now)), "equalQtyPrecision": 4}

    def pair_names(self, listing: Listing) -> dict[str, Any]:
        """Add the pair."""
        return {"pair": f"{listing.base}USD"}

    def sampled_listing(self, query: Mapping[str, str]) -> Listing:
        """Statistics are asked for by pair."""
        if query.get("contractType", "PERPETUAL") not in {"PERPETUAL", "ALL"}:
            raise RefusalError({"code": -1130, "msg": "parameter 'contractType' is invalid."}, 400)
        return self.asked({"symbol": f"{query.get('pair', '')}_PERP"})

    def contracts(self, listing: Listing, usd: int, at: int) -> int:
        """Return open interest in USD (1e-8) as contracts."""
        return round(CENT.number(usd) * listing.sides / float(listing.contract_at(at)))

    def amount_text(self, listing: Listing, found: tuple[int, int, int]) -> str:
        """Open interest is in contracts."""
        return str(self.contracts(listing, found[2], found[0]))

    def sample(self, listing: Listing, found: tuple[int, int, int]) -> dict[str, Any]:
        """Write contracts, and as their value the coins."""
        time, amount, usd = found
        contracts = self.contracts(listing, usd, time)
        price = CENT.number(usd) / max(listing.tape.terms.amount.number(amount), 1e-9)
        coins = contracts * float(listing.contract_at(time)) / price
        return {
            "pair": f"{listing.base}USD", "contractType": "PERPETUAL", "sumOpenInterest": f"{contracts:.8f}",
            "sumOpenInterestValue": f"{coins:.8f}", "timestamp": time,
        }  # fmt: skip
