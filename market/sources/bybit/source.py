"""How Bybit is asked and listened to: perpetual contracts of the v5 category "linear".

Sources: bybit-exchange.github.io/docs/v5, the page named beside what rests on it.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Final

from market.series import ACCOUNT_RATIO, BAR, HOUR_MS, LIQUIDATION, MINUTE_MS, OPEN_INTEREST, STEP_MS
from market.sources.base import Budget, Channel, Heard, InstrumentFacts, LeverageBracket, Offer, Part, SourceError
from market.sources.exchange import BANNED
from market.sources.question import (
    BEFORE_MS,
    MINUTE,
    Codes,
    PagedClient,
    Question,
    levels,
    readable,
    told_apart,
)
from market.sources.strict import Row, UnreadableError, records, row_of
from market.sources.venue import NetworkVenue, in_groups

from . import reading

if TYPE_CHECKING:
    from collections.abc import Mapping

    from market.series import SeriesName
    from market.sources.base import Access
    from market.sources.exchange import Answer

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
                found += [facts for raw in result.rows("list") if (facts := reading.instrument(raw))]
                cursor = result.fields.get("nextPageCursor") or ""
                if not cursor:
                    return tuple(found)
                if cursor in cursors:
                    raise UnreadableError("it does not end")
                cursors.append(cursor)

    def brackets(self, *, symbol: str) -> tuple[LeverageBracket, ...]:
        with readable(f"bybit's risk limits of {symbol}"):
            return reading.brackets(self._result("risk_limit", {"symbol": symbol}).rows("list"), symbol)

    def _bars(self, question: Question) -> Part:
        page = question.page(step_ms=MINUTE_MS, rows=_BARS)
        return page.bars(self._klines("kline", page), lambda raw: reading.bar(Row(raw, reading.KLINE)))

    def _mark_bars(self, question: Question) -> Part:
        page = question.page(step_ms=MINUTE_MS, rows=_BARS)
        return page.bars(
            self._klines("mark_price_kline", page), lambda raw: reading.mark_bar(Row(raw, reading.KLINE[:5]))
        )

    def _klines(self, endpoint: str, page: Question) -> list[Any]:
        span = {"start": page.since_ms, "end": page.last_ms}
        result = self._result(endpoint, {"symbol": page.symbol, "interval": "1", "limit": _BARS, **span})
        result.only("symbol", page.symbol)
        return result.rows("list")

    def _open_interest(self, question: Question) -> Part:
        page = question.page(step_ms=STEP_MS, rows=_SAMPLES)
        result = self._samples("open_interest", page, {"intervalTime": "5min", "limit": _SAMPLES})
        result.only("symbol", page.symbol)
        return page.samples(result.rows("list"), OPEN_INTEREST, reading.open_interest)

    def _account_ratio(self, question: Question) -> Part:
        page = question.page(step_ms=STEP_MS, rows=_RATIOS)
        result = self._samples("account_ratio", page, {"period": "5min", "limit": _RATIOS})
        return page.samples(result.rows("list"), ACCOUNT_RATIO, lambda raw: reading.account_ratio(raw, page.symbol))

    def _funding(self, question: Question) -> Part:
        page = question.page(step_ms=HOUR_MS, rows=_RATES - BEFORE_MS // HOUR_MS)
        result = self._samples("funding_history", page, {"startTime": page.since_ms - BEFORE_MS, "limit": _RATES})
        read = partial(reading.funding, symbol=page.symbol)
        return page.funding(result.rows("list"), read, partial(self._interval_s, page.symbol))

    def _interval_s(self, symbol: str) -> float | None:
        """Return a contract's interval (market/instrument: fundingInterval in minutes)."""
        rows = map(Row, self._result("instruments_info", {"symbol": symbol}).rows("list"))
        return next((60.0 * row.whole("fundingInterval") for row in rows if row.text("symbol") == symbol), None)

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
            prints, faults = records(row.rows("data"), LIQUIDATION, lambda raw: reading.liquidation(raw, symbol))
            return Heard(((symbol, "liquidations", Part(told_apart(prints), faults=faults)),))
        said_ms = row.time("ts")
        rows, faults = records(row.rows("data"), BAR, lambda raw: reading.closed_bar(raw, said_ms))
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


def _acknowledged(row: Row, channel: Channel) -> Heard:
    if row.text("op") != "subscribe":
        return Heard()
    if not row.flag("success"):
        return Heard(refused=row.text("ret_msg"))
    symbol = row.text("req_id")
    return Heard(confirmed=channel.topics & set(_topics(symbol)))


SOURCE: Final = Bybit()
