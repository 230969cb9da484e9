"""Bybit, perpetual contracts of the v5 category "linear"; one contract is one base unit.

Sources: bybit-exchange.github.io/docs/v5, the page named beside what rests on it.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, ClassVar, Final

from market.series import ACCOUNT_RATIO, BAR, HOUR_MS, LIQUIDATION, MINUTE_MS, OPEN_INTEREST, STEP_MS

from .base import Budget, Channel, Heard, InstrumentFacts, LeverageBracket, Offer, Part, SourceError
from .exchange import BANNED
from .question import (
    LONGEST_INTERVAL_MS,
    MINUTE,
    Codes,
    PagedClient,
    Question,
    levels,
    multiple_of,
    readable,
    told_apart,
)
from .strict import Row, UnreadableError, records, row_of
from .venue import NetworkVenue, in_groups

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from market.series import SeriesName

    from .base import Access
    from .exchange import Answer

_QUOTES: Final = ("USDT", "USDC")
# market/kline, market/mark-kline: "[startTime, open, high, low, close, volume, turnover]", the latest first. Of linear
# contracts volume is in base, turnover in quote. What takers bought is not told.
_KLINE: Final = ("start", "open", "high", "low", "close", "volume", "turnover")
_PRICES: Final = _KLINE[1:5]
# Largest pages; of the book market/orderbook says: "linear&inverse: [1, 1000]".
_BARS, _SAMPLES, _RATIOS, _RATES, _LISTINGS, _LEVELS = 1000, 200, 500, 200, 1000, 1000
# ws/connect: "args" of one websocket may hold 21,000 letters; two topics of a symbol take about 60.
_SYMBOLS_PER_SOCKET: Final = 150
# error, rate-limit: "10006 Too many visits", "10018 Exceeded the IP Rate Limit"; who goes on is answered "403, access
# too frequent" and has to stay away for ten minutes. "10001 Request parameter error" also answers unknown symbols.
_CODES: Final = Codes(
    field="retCode",
    text="retMsg",
    fine=0,
    too_many=frozenset({10006, 10018}),
    unknown=frozenset({10001}),
    out_of_order=frozenset({10000, 10016}),
)
_FORBIDDEN, _TOO_FREQUENT = 403, "access too frequent"
_BAN_S: Final = 600.0
_RESET_HEADER: Final = "X-Bapi-Limit-Reset-Timestamp"
# websocket/public/all-liquidation: "Position side. Buy,Sell. When you receive a Buy update, this means that a long
# position has been liquidated". It is not the side of the order, as it is on Binance.
_POSITION_SIDES: Final = {"Buy": 1, "Sell": -1}


def instrument(raw: object) -> InstrumentFacts | None:
    """Read one listing (market/instrument); None of what is no perpetual in USDT or USDC."""
    row = Row(raw)
    if row.text("contractType") != "LinearPerpetual" or row.text("quoteCoin") not in _QUOTES:
        return None
    prices, lots = row.row("priceFilter"), row.row("lotSizeFilter")
    underlying, multiple = multiple_of(row.text("baseCoin"))
    return InstrumentFacts(
        symbol=row.text("symbol"),
        base=row.text("baseCoin"),
        quote=row.text("quoteCoin"),
        contract_type="linear",
        contract_size=1.0,
        tick_size=prices.step("tickSize"),
        lot_size=lots.step("qtyStep"),
        underlying=underlying,
        multiple=multiple,
        is_trading=row.text("status") == "Trading",
    )


def bar(row: Row) -> tuple[float, ...]:
    """Read a bar of a list or of a websocket."""
    volumes = row.decimal("volume"), row.decimal("turnover")
    return row.time("start"), *(row.decimal(name) for name in _PRICES), *volumes, math.nan


def mark_bar(row: Row) -> tuple[float, ...]:
    """Read a bar of the mark price, which has no volume."""
    return row.time("start"), *(row.decimal(name) for name in _PRICES), math.nan, math.nan, math.nan


def open_interest(raw: object) -> tuple[float, ...]:
    """Read a sample in base (market/open-interest): openInterest is "the sum of both sides", so it is not read.

    The single side is there since 11 June 2026, see docs/decisions/0011. No price comes with it.
    """
    row = Row(raw)
    return row.time("timestamp"), row.decimal("singleOpenInterest"), math.nan, math.nan


def account_ratio(raw: object, symbol: str) -> tuple[float, ...]:
    """Read a sample (market/long-short-ratio): which shares of the holders are net long and net short."""
    row = Row(raw)
    row.only("symbol", symbol)
    if (sellers := row.decimal("sellRatio")) <= 0:
        raise UnreadableError("sellRatio is zero or negative")
    return row.time("timestamp"), row.decimal("buyRatio") / sellers


def funding(raw: object, symbol: str) -> tuple[float, ...]:
    """Read a settlement (market/history-fund-rate), which does not tell its interval."""
    row = Row(raw)
    row.only("symbol", symbol)
    return row.time("fundingRateTimestamp"), row.decimal("fundingRate"), math.nan


def liquidation(raw: object, symbol: str) -> tuple[float, ...]:
    """Read a liquidation: p is the bankruptcy price, v the size in base."""
    row = Row(raw)
    row.only("s", symbol)
    return row.time("T"), row.choice("S", _POSITION_SIDES), row.decimal("p"), row.decimal("v"), 0


def brackets(raws: Iterable[object], symbol: str) -> tuple[LeverageBracket, ...]:
    """Read the risk limits (market/risk-limit); each row tells up to which value of a position [quote] it holds."""
    found = []
    for row in map(Row, raws):
        row.only("symbol", symbol)
        found.append(tuple(row.decimal(name) for name in ("riskLimitValue", "maxLeverage", "maintenanceMargin")))
    found.sort()
    floors = [0.0, *(most for most, _, _ in found)]
    return tuple(LeverageBracket(floor, top, rate) for floor, (_, top, rate) in zip(floors, found, strict=False))


class _Rest(PagedClient):
    exchange = "bybit"
    slug = "bybit"
    codes = _CODES

    def instruments(self) -> tuple[InstrumentFacts, ...]:
        found: list[InstrumentFacts] = []
        cursors = [""]
        with readable("bybit's list of instruments"):
            while True:
                result = self._result("instruments_info", {"limit": _LISTINGS, "cursor": cursors[-1]})
                found += [facts for raw in result.rows("list") if (facts := instrument(raw))]
                cursor = result.fields.get("nextPageCursor") or ""
                if not cursor:
                    return tuple(found)
                if cursor in cursors:
                    raise UnreadableError("it does not end")
                cursors.append(cursor)

    def brackets(self, *, symbol: str) -> tuple[LeverageBracket, ...]:
        with readable(f"bybit's risk limits of {symbol}"):
            return brackets(self._result("risk_limit", {"symbol": symbol}).rows("list"), symbol)

    def _bars(self, question: Question) -> Part:
        page = question.page(step_ms=MINUTE_MS, rows=_BARS)
        return page.bars(self._klines("kline", page), lambda raw: bar(Row(raw, _KLINE)))

    def _mark_bars(self, question: Question) -> Part:
        page = question.page(step_ms=MINUTE_MS, rows=_BARS)
        return page.bars(self._klines("mark_price_kline", page), lambda raw: mark_bar(Row(raw, _KLINE[:5])))

    def _klines(self, endpoint: str, page: Question) -> list[Any]:
        span = {"start": page.since_ms, "end": page.last_ms}
        result = self._result(endpoint, {"symbol": page.symbol, "interval": "1", "limit": _BARS, **span})
        result.only("symbol", page.symbol)
        return result.rows("list")

    def _open_interest(self, question: Question) -> Part:
        page = question.page(step_ms=STEP_MS, rows=_SAMPLES)
        result = self._samples("open_interest", page, {"intervalTime": "5min", "limit": _SAMPLES})
        result.only("symbol", page.symbol)
        return page.samples(result.rows("list"), OPEN_INTEREST, open_interest)

    def _account_ratio(self, question: Question) -> Part:
        page = question.page(step_ms=STEP_MS, rows=_RATIOS)
        result = self._samples("account_ratio", page, {"period": "5min", "limit": _RATIOS})
        return page.samples(result.rows("list"), ACCOUNT_RATIO, lambda raw: account_ratio(raw, page.symbol))

    def _funding(self, question: Question) -> Part:
        page = question.page(step_ms=HOUR_MS, rows=_RATES - LONGEST_INTERVAL_MS // HOUR_MS)
        earlier = {"startTime": page.since_ms - LONGEST_INTERVAL_MS, "limit": _RATES}
        result = self._samples("funding_history", page, earlier)
        return page.funding(result.rows("list"), lambda raw: funding(raw, page.symbol))

    def _samples(self, endpoint: str, page: Question, asked: Mapping[str, object]) -> Row:
        span = {"startTime": page.since_ms, "endTime": page.last_ms}
        return self._result(endpoint, {"symbol": page.symbol, **span, **asked})

    def _depth(self, question: Question) -> Part:
        book = self._result("orderbook", {"symbol": question.symbol, "limit": _LEVELS})
        book.only("s", question.symbol)
        return question.book(book.fields, lambda: (levels(book.rows("b")), levels(book.rows("a"))))

    def _result(self, endpoint: str, asked: Mapping[str, object]) -> Row:
        question = {name: value for name, value in asked.items() if value != ""}
        answer = self.ask(f"public_get_v5_market_{endpoint}", {"category": "linear", **question}, weight=1)
        return row_of(answer.body, "bybit's answer").row("result")

    def refusal(self, answer: Answer) -> tuple[int, SourceError] | None:
        if answer.status == _FORBIDDEN and _TOO_FREQUENT in answer.text.lower():
            return BANNED, SourceError("bybit: access too frequent", retry_after_s=_BAN_S)
        return super().refusal(answer)

    def wait_s(self, answer: Answer) -> float | None:
        reset = answer.headers.get(_RESET_HEADER, "")
        return answer.until(int(reset)) if reset.isascii() and reset.isdigit() else None

    readers: ClassVar = {
        "bars": _bars,
        "mark_bars": _mark_bars,
        "open_interest": _open_interest,
        "funding": _funding,
        "account_ratio": _account_ratio,
        "depth": _depth,
    }


class Bybit(NetworkVenue):
    """The venue."""

    slug = "bybit"
    name = "Bybit"
    offers: ClassVar[Mapping[SeriesName, Offer]] = {
        "bars": Offer(timeframe=MINUTE, page=_BARS, weight=1),
        "mark_bars": Offer(timeframe=MINUTE, page=_BARS, weight=1),
        "open_interest": Offer(timeframe=300, page=_SAMPLES, weight=1),
        "funding": Offer(timeframe=28_800, page=_RATES, weight=1),
        "account_ratio": Offer(timeframe=300, page=_RATIOS, weight=1),
        "depth": Offer(timeframe=MINUTE, page=1, weight=1, is_snapshot=True),
    }
    streams: ClassVar[frozenset[SeriesName]] = frozenset({"bars", "liquidations"})
    # rate-limit: "600 requests within a 5-second window by default" from one IP.
    budget = Budget(weight=600, window_s=5)
    # websocket/public/all-liquidation: "all liquidations that occur on Bybit", pushed every 500 ms.
    liquidation_sampling = "all"

    def connect(self, access: Access) -> _Rest:
        """Open the REST side; costs no request."""
        return _Rest(access)

    def channels(self, sizes: Mapping[str, float]) -> tuple[Channel, ...]:
        """Share symbols out over websockets; each symbol is subscribed to by a request that bears its name."""
        return tuple(_channel(group) for group in in_groups(sizes, _SYMBOLS_PER_SOCKET))

    def heard(self, row: Row, channel: Channel) -> Heard:
        """Read an acknowledgement or a push."""
        if "op" in row.fields:
            return _acknowledged(row, channel)
        topic = row.text("topic")
        if topic not in channel.topics:
            raise UnreadableError("nobody asked for this topic")
        kind, _, symbol = topic.rpartition(".")
        if kind == "allLiquidation":
            prints, faults = records(row.rows("data"), LIQUIDATION, lambda raw: liquidation(raw, symbol))
            return Heard(((symbol, "liquidations", Part(told_apart(prints), faults=faults)),))
        rows, faults = records(row.rows("data"), BAR, _closed_bar)
        return Heard(((symbol, "bars", Part(rows, MINUTE, faults=faults)),) if len(rows) or faults else ())


def _channel(sizes: Mapping[str, float]) -> Channel:
    requests = tuple({"op": "subscribe", "req_id": symbol, "args": _topics(symbol)} for symbol in sizes)
    topics = frozenset(topic for symbol in sizes for topic in _topics(symbol))
    return Channel(
        url="wss://stream.bybit.com/v5/public/linear",
        requests=requests,
        topics=topics,
        sizes=sizes,
        ping={"op": "ping"},
    )


def _topics(symbol: str) -> list[str]:
    return [f"kline.1.{symbol}", f"allLiquidation.{symbol}"]


def _closed_bar(raw: object) -> tuple[float, ...] | None:
    row = Row(raw)
    row.only("interval", "1")
    return bar(row) if row.flag("confirm") else None


def _acknowledged(row: Row, channel: Channel) -> Heard:
    if row.text("op") != "subscribe":
        return Heard()
    if not row.flag("success"):
        return Heard(refused=row.text("ret_msg"))
    symbol = row.text("req_id")
    return Heard(confirmed=channel.topics & set(_topics(symbol)))


SOURCE: Final = Bybit()
