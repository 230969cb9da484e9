"""Hyperliquid, perpetual contracts of its own exchange in USDC; one contract is one base unit.

Sources: hyperliquid.gitbook.io/hyperliquid-docs, the page named beside what rests on it. All is asked of one endpoint.
Not offered: bars of the mark price, shares of long and short accounts, liquidations (only an address's own are told).
"""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any, ClassVar, Final

from market.series import BAR, FUNDING, HOUR_MS, MINUTE_MS, OPEN_INTEREST

from . import stream
from .base import Budget, Channel, Heard, InstrumentFacts, LeverageBracket, Offer, Part, SourceError
from .question import MINUTE, PagedClient, Question, levels, readable
from .strict import Row, UnreadableError, part_of, row_of, rows_of
from .venue import NetworkVenue, in_groups

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping

    from market.series import SeriesName

    from .base import Access
    from .exchange import Answer

# How many sides of each position ``openInterest`` counts. The venue's own pages do not say; three independent sums over
# all positions found both. See docs/decisions/0011.
OI_SIDES: Final = 2
_PRICES: Final = ("o", "h", "l", "c")
# Info endpoint: "Only the most recent 5000 candles are available"; 500 rows of funding at most.
_BARS, _RATES = 5000, 500
_BARS_REACH_MS: Final = _BARS * MINUTE_MS
# Rate limits: "l2Book: 2"; "all other info requests: 20", and for what they return "candleSnapshot: per 60 items",
# "fundingHistory: per 20 items".
_BOOK_WEIGHT, _WEIGHT, _BARS_PER_WEIGHT, _RATES_PER_WEIGHT = 2, 20, 60, 20
# Tick and lot size: "up to 5 significant figures, but no more than MAX_DECIMALS - szDecimals decimal places where
# MAX_DECIMALS is 6 for perps". So the finest step is that of the decimal places; at a high price it gets coarser.
_MOST_DECIMALS: Final = 6
# Websocket limits: 1000 subscriptions and 10 connections of one address.
_SYMBOLS_PER_SOCKET: Final = 100
# A margin table below this number is not listed: it has one tier, and the number is its leverage.
_FIRST_TABLE: Final = 50
_OK, _UNPROCESSABLE, _SERVER_FAULT = 200, 422, 500
# A coin of a thousand is written with a small k: kPEPE.
_THOUSAND: Final = "k"
# Funding is paid at each full hour; rows bear the time of the block that paid, some milliseconds later.
_LATEST_PAYMENT_MS: Final = MINUTE_MS


def instrument(raw: object) -> InstrumentFacts:
    """Read one coin of the universe (Info endpoint, Perpetuals: meta)."""
    row = Row(raw)
    name, decimals = row.text("name"), row.whole("szDecimals")
    if decimals > _MOST_DECIMALS:
        raise UnreadableError(f"szDecimals is more than {_MOST_DECIMALS}")
    is_thousand = name.startswith(_THOUSAND) and name[1:].isupper()
    return InstrumentFacts(
        symbol=name,
        base=name,
        quote="USDC",
        contract_type="linear",
        contract_size=1.0,
        tick_size=_step(_MOST_DECIMALS - decimals),
        lot_size=_step(decimals),
        underlying=name[1:] if is_thousand else name,
        multiple=1000 if is_thousand else 1,
        is_trading=not row.fields.get("isDelisted"),
    )


def _step(decimals: int) -> str:
    return f"0.{'1'.zfill(decimals)}" if decimals else "1"


def bar(raw: object, symbol: str) -> tuple[float, ...]:
    """Read a candle: v is in base, what that was worth and what takers bought is not told."""
    row = Row(raw)
    row.only("s", symbol)
    row.only("i", "1m")
    return row.time("t"), *(row.decimal(name) for name in _PRICES), row.decimal("v"), math.nan, math.nan


def funding(raw: object, symbol: str) -> tuple[float, ...]:
    """Read a payment (fundingHistory). Trading, Funding: it is paid every hour."""
    row = Row(raw)
    row.only("coin", symbol)
    time = row.time("time")
    if time % HOUR_MS >= _LATEST_PAYMENT_MS:
        raise UnreadableError("time is not that of a full hour")
    return time // HOUR_MS * HOUR_MS, row.decimal("fundingRate"), HOUR_MS / 1000


def open_interest(raw: object, *, time_ms: int) -> tuple[float, ...]:
    """Read a coin's present state (metaAndAssetCtxs): openInterest in base, of both sides."""
    row = Row(raw)
    one_side, mark_price = row.decimal("openInterest") / OI_SIDES, row.decimal("markPx")
    return time_ms, one_side, one_side * mark_price, mark_price


def brackets(meta: Row, symbol: str) -> tuple[LeverageBracket, ...]:
    """Read a coin's margin table (meta), whose tiers begin at a position value [USDC].

    Trading, Margining: "The maintenance margin is half of the initial margin at max leverage".
    """
    row = Row(meta.rows("universe")[_index(meta, symbol)])
    number = row.whole("marginTableId")
    if number < _FIRST_TABLE:
        return (_bracket(0.0, float(number)),)
    tables = [Row(raw, ("id", "table")) for raw in meta.rows("marginTables")]
    table = next((table for table in tables if table.whole("id") == number), None)
    if table is None:
        raise UnreadableError(f"there is no margin table {number}")
    tiers = map(Row, table.row("table").rows("marginTiers"))
    return tuple(_bracket(tier.decimal("lowerBound"), tier.amount("maxLeverage")) for tier in tiers)


def _bracket(floor: float, leverage: float) -> LeverageBracket:
    if leverage < 1:
        raise UnreadableError("maxLeverage is less than 1")
    return LeverageBracket(floor, leverage, 1 / (2 * leverage))


def _index(meta: Row, symbol: str) -> int:
    names = [Row(raw).text("name") for raw in meta.rows("universe")]
    if symbol not in names:
        raise SourceError(f"hyperliquid knows no {symbol}", permanent=True)
    return names.index(symbol)


class _NothingError(SourceError):
    """The answer is "null": of a coin that does not exist it is, and of candles with status 500, as in a breakdown."""


class _Rest(PagedClient):
    exchange = "hyperliquid"
    slug = "hyperliquid"

    def instruments(self) -> tuple[InstrumentFacts, ...]:
        with readable("hyperliquid's universe"):
            return tuple(instrument(raw) for raw in self._meta().rows("universe"))

    def brackets(self, *, symbol: str) -> tuple[LeverageBracket, ...]:
        with readable(f"hyperliquid's margin table of {symbol}"):
            return brackets(self._meta(), symbol)

    def _meta(self) -> Row:
        return row_of(self._info({"type": "meta"}, _WEIGHT), "hyperliquid's answer")

    def _bars(self, question: Question) -> Part:
        page = question.page(step_ms=MINUTE_MS, rows=_BARS)
        asked = {"coin": page.symbol, "interval": "1m", "startTime": page.since_ms, "endTime": page.last_ms}
        rows = self._info_of(
            page.symbol, {"type": "candleSnapshot", "req": asked}, _weight(page, MINUTE_MS, _BARS_PER_WEIGHT)
        )
        return page.bars(rows_of(rows, "hyperliquid's candles"), lambda raw: bar(raw, page.symbol))

    def _funding(self, question: Question) -> Part:
        page = question.page(step_ms=HOUR_MS, rows=_RATES)
        asked = {"type": "fundingHistory", "coin": page.symbol, "startTime": page.since_ms, "endTime": page.last_ms}
        rows = self._info_of(page.symbol, asked, _weight(page, HOUR_MS, _RATES_PER_WEIGHT))
        return page.samples(rows_of(rows, "hyperliquid's funding"), FUNDING, lambda raw: funding(raw, page.symbol))

    def _open_interest(self, question: Question) -> Part:
        answer = rows_of(self._info({"type": "metaAndAssetCtxs"}, _WEIGHT), "hyperliquid's state")
        state = Row(answer, ("meta", "contexts"))
        meta, contexts = state.row("meta"), state.rows("contexts")
        if len(contexts) != len(meta.rows("universe")):
            raise UnreadableError("there are not as many states as coins")
        raw = contexts[_index(meta, question.symbol)]
        return question.snapshot(raw, lambda: open_interest(raw, time_ms=question.minute_ms), OPEN_INTEREST)

    def _depth(self, question: Question) -> Part:
        asked = {"type": "l2Book", "coin": question.symbol}
        book = row_of(self._info_of(question.symbol, asked, _BOOK_WEIGHT), "hyperliquid's book")
        book.only("coin", question.symbol)
        sides = Row(book.rows("levels"), ("bids", "asks"))
        return question.book(book.fields, lambda: (_levels(sides.rows("bids")), _levels(sides.rows("asks"))))

    def _info(self, asked: Mapping[str, object], weight: int) -> object:
        return self.ask("public_post_info", asked, weight=weight).body

    def _info_of(self, coin: str, asked: Mapping[str, object], weight: int) -> object:
        try:
            return self._info(asked, weight)
        except _NothingError as error:
            _index(self._meta(), coin)
            raise SourceError(f"hyperliquid tells nothing of {coin}, which it lists", is_outage=True) from error

    def refusal(self, answer: Answer) -> tuple[int, SourceError] | None:
        if answer.text.strip() == "null" and answer.status in {_OK, _SERVER_FAULT}:
            return _OK, _NothingError("hyperliquid answered null")
        if answer.status == _UNPROCESSABLE:
            return answer.status, SourceError(f"hyperliquid refuses: {answer.text[:160]}", permanent=True)
        return None

    readers: ClassVar = {"bars": _bars, "funding": _funding, "open_interest": _open_interest, "depth": _depth}


def _levels(raws: list[Any]) -> list[tuple[float, float]]:
    return levels(raws, ("px", "sz"), is_list=False)


def _weight(page: Question, step_ms: int, per_weight: int) -> int:
    return _WEIGHT + (page.until_ms - page.since_ms) // step_ms // per_weight


class Hyperliquid(NetworkVenue):
    """The venue."""

    slug = "hyperliquid"
    name = "Hyperliquid"
    offers: ClassVar[Mapping[SeriesName, Offer]] = {
        "bars": Offer(
            timeframe=MINUTE, page=_BARS, weight=_WEIGHT + _BARS // _BARS_PER_WEIGHT, reach_ms=_BARS_REACH_MS
        ),
        "funding": Offer(timeframe=3600, page=_RATES, weight=_WEIGHT + _RATES // _RATES_PER_WEIGHT),
        "open_interest": Offer(timeframe=300, page=1, weight=_WEIGHT, is_snapshot=True),
        "depth": Offer(timeframe=MINUTE, page=1, weight=_BOOK_WEIGHT, is_snapshot=True),
    }
    streams: ClassVar[frozenset[SeriesName]] = frozenset({"bars"})
    # Rate limits: "REST requests share an aggregated weight limit of 1200 per minute" from one IP.
    budget = Budget(weight=1200, window_s=60)
    liquidation_sampling = "none"

    def connect(self, access: Access) -> _Rest:
        """Open the REST side; costs no request."""
        return _Rest(access)

    def channels(self, sizes: Mapping[str, float]) -> tuple[Channel, ...]:
        """Share symbols out over websockets."""
        return tuple(_channel(group) for group in in_groups(sizes, _SYMBOLS_PER_SOCKET))

    def listen(self, channel: Channel, *, access: Access) -> AsyncGenerator[Heard, None]:
        """Open a websocket, subscribe, and yield what is heard until it ends."""
        return stream.listen(Listening(), channel, access=access)

    def heard(self, row: Row, channel: Channel) -> Heard:
        """Read a message; a candle on its own does not say whether it has closed, so it brings no bar."""
        kind = row.text("channel")
        if kind == "error":
            return Heard(refused=row.text("data"))
        if kind == "subscriptionResponse":
            return Heard(confirmed=frozenset({_topic(row.row("data").row("subscription").fields)}))
        return self.candle(row, channel) if kind == "candle" else Heard()

    def candle(self, row: Row, channel: Channel) -> Heard:
        """Read a candle, for its faults alone."""
        raw = row.row("data").fields
        symbol = Row(raw).text("s")
        if symbol not in channel.sizes:
            raise UnreadableError("nobody asked for this coin")
        part = part_of(raw, BAR, lambda raw: bar(raw, symbol), timeframe=MINUTE)
        return self.closed(symbol, part)

    def closed(self, symbol: str, part: Part) -> Heard:
        """Bring what has closed for certain."""
        return Heard(((symbol, "bars", Part(part.rows[:0], MINUTE, faults=part.faults)),) if part.faults else ())


class Listening(Hyperliquid):
    """One websocket of the venue, which remembers each coin's candle: it has closed once the next one has begun."""

    def __init__(self) -> None:
        self._open: dict[str, Part] = {}

    def closed(self, symbol: str, part: Part) -> Heard:
        """Bring the bar before, once."""
        before = self._open.get(symbol)
        if part.faults:
            # The last word on this bar is missing: what was said before it may not be the end.
            self._open.pop(symbol, None)
            return super().closed(symbol, part)
        time = part.rows["open_time"][0]
        if before is not None and time < before.rows["open_time"][0]:
            return Heard()
        self._open[symbol] = part
        if before is None or time == before.rows["open_time"][0]:
            return Heard()
        return Heard(((symbol, "bars", before),))


def _channel(sizes: Mapping[str, float]) -> Channel:
    subscriptions = [{"type": "candle", "coin": symbol, "interval": "1m"} for symbol in sizes]
    return Channel(
        url="wss://api.hyperliquid.xyz/ws",
        requests=tuple({"method": "subscribe", "subscription": one} for one in subscriptions),
        topics=frozenset(map(_topic, subscriptions)),
        sizes=sizes,
        ping={"method": "ping"},
    )


def _topic(subscription: Mapping[str, Any]) -> str:
    return json.dumps(subscription, sort_keys=True)


SOURCE: Final = Hyperliquid()
