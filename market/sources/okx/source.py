"""How OKX is asked and listened to: perpetual swaps with USDT as margin.

Sources: okx.com/docs-v5/en. Lists come the latest first; their cursors ("before", "after", "begin", "end") exclude the
moment that they name.
"""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Final

from market.series import ACCOUNT_RATIO, BAR, DAY_MS, HOUR_MS, LIQUIDATION, MINUTE_MS, OPEN_INTEREST, STEP_MS
from market.sources.base import Budget, Channel, Heard, InstrumentFacts, LeverageBracket, Offer, Part
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
    from collections.abc import Callable, Mapping

    from market.series import SeriesName
    from market.sources.base import Access

_BARS, _MARKS, _SAMPLES, _RATES, _LEVELS = 300, 100, 100, 100, 5000
# "This endpoint can retrieve the latest 1,440 data entries"; what is older is asked of the history.
_RECENT_MS: Final = 20 * HOUR_MS
_SAMPLES_REACH_MS: Final = 1440 * STEP_MS
# Get funding rate history: the last three months.
_RATES_REACH_MS: Final = 90 * DAY_MS
# Each endpoint has a limit of its own, from 40 down to 5 requests within 2 s. The budget is 20, and a request weighs as
# much of it as it does of its own limit.
_EVERY_TENTH, _EVERY_FIFTH = 2, 4
# A subscription may hold 64 KB and a connection any number of channels (Websocket, Overview).
_SYMBOLS_PER_SOCKET: Final = 100
_CODES: Final = Codes(
    field="code",
    text="msg",
    fine="0",
    too_many=frozenset({"50011", "50061"}),
    unknown=frozenset({"51001", "51000", "50014"}),
    out_of_order=frozenset({"50001", "50004", "50013", "50026"}),
)


class _Rest(PagedClient):
    exchange = "okx"
    slug = "okx"
    codes = _CODES

    def instruments(self) -> tuple[InstrumentFacts, ...]:
        with readable("okx's list of instruments"):
            rows = self._rows("public_instruments", {"instType": "SWAP"})
            return tuple(facts for raw in rows if (facts := reading.instrument(raw)))

    def brackets(self, *, symbol: str) -> tuple[LeverageBracket, ...]:
        family = symbol.removesuffix("-SWAP")
        with readable(f"okx's tiers of {symbol}"):
            asked = {"instType": "SWAP", "tdMode": "isolated", "instFamily": family}
            tiers = self._rows("public_position_tiers", asked, weight=_EVERY_TENTH)
            return reading.brackets(tiers, family=family, contract_value=self._contract_value(symbol))

    def _contract_value(self, symbol: str) -> float:
        """Return what one contract is worth now [quote], for tiers are told in contracts."""
        asked = {"instType": "SWAP", "instId": symbol}
        listed = self._one(self._rows("public_instruments", asked), symbol)
        marked = self._one(self._rows("public_mark_price", asked, weight=_EVERY_TENTH), symbol)
        return listed.decimal("ctVal") * listed.decimal("ctMult") * marked.decimal("markPx")

    @staticmethod
    def _one(rows: list[Any], symbol: str) -> Row:
        if len(rows) != 1:
            raise UnreadableError(f"{len(rows)} answers instead of one")
        row = Row(rows[0])
        row.only("instId", symbol)
        return row

    def _bars(self, question: Question) -> Part:
        page = question.page(step_ms=MINUTE_MS, rows=_BARS)
        return page.bars(self._candles("candles", page, _BARS), reading.bar)

    def _mark_bars(self, question: Question) -> Part:
        page = question.page(step_ms=MINUTE_MS, rows=_MARKS)
        return page.bars(self._candles("mark_price_candles", page, _MARKS), reading.mark_bar)

    def _candles(self, endpoint: str, page: Question, rows: int) -> list[Any]:
        is_recent = page.since_ms > page.now_ms - _RECENT_MS
        span = {"before": page.since_ms - 1, "after": page.until_ms}
        asked = {"instId": page.symbol, "bar": "1m", "limit": rows, **span}
        return self._rows(f"market_{endpoint if is_recent else f'history_{endpoint}'}", asked)

    def _open_interest(self, question: Question) -> Part:
        page = question.page(step_ms=STEP_MS, rows=_SAMPLES)
        rows = self._samples("open_interest_history", page, weight=_EVERY_TENTH)
        return page.samples(rows, OPEN_INTEREST, reading.open_interest)

    def _account_ratio(self, question: Question) -> Part:
        page = question.page(step_ms=STEP_MS, rows=_SAMPLES)
        rows = self._samples("long_short_account_ratio_contract", page, weight=_EVERY_FIFTH)
        return page.samples(rows, ACCOUNT_RATIO, reading.account_ratio)

    def _samples(self, endpoint: str, page: Question, *, weight: int) -> list[Any]:
        span = {"begin": page.since_ms - 1, "end": page.until_ms}
        asked = {"instId": page.symbol, "period": "5m", "limit": _SAMPLES, **span}
        return self._rows(f"rubik_stat_contracts_{endpoint}", asked, weight=weight)

    def _funding(self, question: Question) -> Part:
        page = question.page(step_ms=HOUR_MS, rows=_RATES - BEFORE_MS // HOUR_MS)
        span = {"before": page.since_ms - BEFORE_MS - 1, "after": page.until_ms}
        asked = {"instId": page.symbol, "limit": _RATES, **span}
        rows = self._rows("public_funding_rate_history", asked, weight=_EVERY_TENTH)
        read = partial(reading.funding, symbol=page.symbol)
        return page.funding(rows, read, partial(self._interval_s, page.symbol))

    def _interval_s(self, symbol: str) -> float:
        """Return a contract's interval (Get funding rate): from the payment that is due to the one after."""
        row = self._one(self._rows("public_funding_rate", {"instId": symbol}, weight=_EVERY_TENTH), symbol)
        return (row.time("nextFundingTime") - row.time("fundingTime")) / 1000

    def _depth(self, question: Question) -> Part:
        asked = {"instId": question.symbol, "sz": _LEVELS}
        rows = self._rows("market_books_full", asked, weight=_EVERY_TENTH)
        if len(rows) != 1:
            raise UnreadableError(f"{len(rows)} books instead of one")
        book = Row(rows[0])
        return question.book(rows[0], lambda: (levels(book.rows("bids")), levels(book.rows("asks"))))

    def _rows(self, endpoint: str, asked: Mapping[str, object], *, weight: int = 1) -> list[Any]:
        answer = self.ask(f"public_get_{endpoint}", asked, weight=weight)
        return row_of(answer.body, "okx's answer").rows("data")

    readers: ClassVar = {
        "bars": _bars,
        "mark_bars": _mark_bars,
        "open_interest": _open_interest,
        "funding": _funding,
        "account_ratio": _account_ratio,
        "depth": _depth,
    }


class Okx(NetworkVenue):
    """The venue."""

    slug = "okx"
    name = "OKX"
    offers: ClassVar[Mapping[SeriesName, Offer]] = {
        "bars": Offer(timeframe=MINUTE, page=_BARS, weight=1),
        "mark_bars": Offer(timeframe=MINUTE, page=_MARKS, weight=1),
        "open_interest": Offer(timeframe=300, page=_SAMPLES, weight=_EVERY_TENTH, reach_ms=_SAMPLES_REACH_MS),
        "funding": Offer(timeframe=28_800, page=_RATES, weight=_EVERY_TENTH, reach_ms=_RATES_REACH_MS),
        "account_ratio": Offer(timeframe=300, page=_SAMPLES, weight=_EVERY_FIFTH, reach_ms=_SAMPLES_REACH_MS),
        "depth": Offer(timeframe=MINUTE, page=1, weight=_EVERY_TENTH, is_snapshot=True),
    }
    streams: ClassVar[frozenset[SeriesName]] = frozenset({"bars", "mark_bars", "liquidations"})
    # Bars and open interest are told in coins, too.
    counted: ClassVar[frozenset[SeriesName]] = frozenset({"liquidations", "depth"})
    budget = Budget(weight=20, window_s=2)
    # Liquidation orders channel: "This data doesn't represent the total number of liquidations on OKX." Earlier
    # editions also said: "each contract will only show a maximum of one order per one-second period".
    liquidation_sampling = "a part, at most 1 per second"

    def connect(self, access: Access) -> _Rest:
        """Open the REST side; costs no request."""
        return _Rest(access)

    def channels(self, sizes: Mapping[str, float]) -> tuple[Channel, ...]:
        """Share candles out over websockets; liquidations of all swaps come on one, whatever is asked for."""
        if not sizes:
            return ()
        everything = {"channel": "liquidation-orders", "instType": "SWAP"}
        groups = in_groups(sizes, _SYMBOLS_PER_SOCKET)
        return (
            _channel("public", sizes, [everything], "liquidations"),
            *(_channel("business", group, _candles_of(group), "bars", "mark_bars") for group in groups),
        )

    def hear(self, message: object, *, channel: Channel) -> Heard:
        """Read one message of a channel; a ping is answered by a bare word."""
        return Heard() if message == "pong" else super().hear(message, channel=channel)

    def heard(self, row: Row, channel: Channel) -> Heard:
        """Read an event or a push."""
        if "event" in row.fields:
            return _told(row)
        argument = row.row("arg")
        if _topic(argument.fields) not in channel.topics:
            raise UnreadableError("nobody asked for this channel")
        kind = argument.text("channel")
        if kind == "liquidation-orders":
            return _liquidations(row, channel)
        series, read = _CANDLES[kind]
        symbol = argument.text("instId")
        rows, faults = records(row.rows("data"), BAR, read)
        return Heard(((symbol, series, Part(rows, MINUTE, faults=faults)),) if len(rows) or faults else ())


_CANDLES: Final[Mapping[str, tuple[SeriesName, Callable[[Any], tuple[float, ...] | None]]]] = {
    "candle1m": ("bars", reading.bar),
    "mark-price-candle1m": ("mark_bars", reading.mark_bar),
}


def _candles_of(sizes: Mapping[str, float]) -> list[dict[str, str]]:
    return [{"channel": kind, "instId": symbol} for symbol in sizes for kind in _CANDLES]


def _channel(path: str, sizes: Mapping[str, float], arguments: list[dict[str, str]], *series: SeriesName) -> Channel:
    return Channel(
        url=f"wss://ws.okx.com:8443/ws/v5/{path}",
        requests=({"op": "subscribe", "args": arguments},),
        topics=frozenset(map(_topic, arguments)),
        sizes=sizes,
        ping="ping",
        series=frozenset(series),
    )


def _topic(argument: Mapping[str, Any]) -> str:
    """Name a topic by its argument without what is not part of the name, such as a family that OKX drops."""
    names = ("channel", "instType", "instId")
    return json.dumps({name: argument[name] for name in names if name in argument})


def _told(row: Row) -> Heard:
    event = row.text("event")
    if event == "error":
        return Heard(refused=row.text("msg"))
    return Heard(confirmed=frozenset({_topic(row.row("arg").fields)}) if event == "subscribe" else frozenset())


def _liquidations(row: Row, channel: Channel) -> Heard:
    parts: list[tuple[str, SeriesName, Part]] = []
    for raw in row.rows("data"):
        one = Row(raw)
        symbol = one.text("instId")
        if symbol in channel.sizes:
            read = partial(reading.liquidation, size=channel.sizes[symbol])
            prints, faults = records(one.rows("details"), LIQUIDATION, read)
            parts.append((symbol, "liquidations", Part(told_apart(prints), faults=faults)))
    return Heard(tuple(parts))


SOURCE: Final = Okx()
