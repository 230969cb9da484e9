"""The REST side of Binance's two futures APIs.

Sources: developers.binance.com/docs/derivatives, the page named beside what rests on it.
"""

from __future__ import annotations

import re
from abc import abstractmethod
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Final

from market.series import ACCOUNT_RATIO, DAY_MS, HOUR_MS, MINUTE_MS, OPEN_INTEREST, STEP_MS

from ..base import Budget, Offer
from ..exchange import BANNED, TOO_MANY
from ..question import BEFORE_MS, MINUTE, Codes, PagedClient, Question, levels, readable
from ..strict import Row, row_of, rows_of
from .rows import KLINE, about, account_ratio, bar, funding, mark_bar

if TYPE_CHECKING:
    from collections.abc import Mapping

    from market.series import SeriesName

    from ..base import InstrumentFacts, Part
    from ..exchange import Answer

_BARS, _SAMPLES, _RATES, _LEVELS = 1000, 500, 1000, 1000
# Weight of a page of klines, by its limit, and of a book of a thousand levels.
_KLINE_WEIGHTS: Final = ((99, 1), (499, 2), (_BARS, 5))
_BOOK_WEIGHT: Final = 20
# Open-Interest-Statistics, Long-Short-Ratio: "IP rate limit 1000 requests/5min"; Get-Funding-Rate-History, -Info:
# "share 500/5min/IP rate limit". None of them weighs anything beside that.
STATISTICS, FUNDING_RATES = "statistics", "funding"
APART: Final = {STATISTICS: Budget(weight=1000, window_s=300), FUNDING_RATES: Budget(weight=500, window_s=300)}
# market-data/Open-Interest-Statistics, Long-Short-Ratio: "Only the data of the latest 30 days is available"; what is
# older is refused, so this stays clear of it.
_REACH_MS: Final = 30 * DAY_MS - HOUR_MS
# error-code: "-1121 BAD_SYMBOL"; "-1000 UNKNOWN", "-1001 DISCONNECTED", "-1016 SERVICE_SHUTTING_DOWN". Too many
# requests are told by status 429, a ban by 418.
_CODES: Final = Codes(
    field="code",
    text="msg",
    fine=None,
    too_many=frozenset(),
    unknown=frozenset({-1121}),
    out_of_order=frozenset({-1000, -1001, -1016}),
)
# FAQ, Introduction to Binance Futures Funding Rates: "every eight hours by default".
_USUAL_HOURS: Final = 8
_CLOCK_STEP_MS: Final = 1000  # the header tells whole seconds
_BANNED_UNTIL: Final = re.compile(r"until ([0-9]{13})", re.ASCII)
OFFERS: Final[Mapping[SeriesName, Offer]] = {
    "bars": Offer(timeframe=MINUTE, page=_BARS, weight=5),
    "mark_bars": Offer(timeframe=MINUTE, page=_BARS, weight=5),
    "open_interest": Offer(timeframe=300, page=_SAMPLES, weight=1, reach_ms=_REACH_MS),
    "funding": Offer(timeframe=28_800, page=_RATES, weight=1),
    "account_ratio": Offer(timeframe=300, page=_SAMPLES, weight=1, reach_ms=_REACH_MS),
    "depth": Offer(timeframe=MINUTE, page=1, weight=_BOOK_WEIGHT, is_snapshot=True),
}


class FuturesClient(PagedClient):
    """The REST side of one of the two APIs."""

    codes = _CODES
    used_header = "X-MBX-USED-WEIGHT-1M"
    api: ClassVar[str]
    is_inverse: ClassVar[bool]

    @abstractmethod
    def terms(self, row: Row) -> InstrumentFacts | None:
        """Read one contract of exchangeInfo; None of what this house does not follow."""

    @abstractmethod
    def whom(self, symbol: str) -> dict[str, str]:
        """Return by what names statistics are asked for."""

    @abstractmethod
    def open_interest(self, row: Row, contract_size: float) -> tuple[float, ...]:
        """Read a sample of open interest."""

    def instruments(self) -> tuple[InstrumentFacts, ...]:
        """List the perpetual contracts."""
        answer = self.ask(f"{self.api}PublicGetExchangeInfo", {}, weight=1)
        with readable(f"{self.slug}'s list of instruments"):
            symbols = row_of(answer.body, f"{self.slug}'s answer").rows("symbols")
            return tuple(facts for raw in symbols if (facts := self.terms(Row(raw))))

    def _bars(self, question: Question) -> Part:
        page, rows = self._klines("PublicGetKlines", question)
        size, is_inverse = question.contract_size, self.is_inverse
        return page.bars(rows, lambda raw: bar(Row(raw, KLINE), size, is_inverse=is_inverse))

    def _mark_bars(self, question: Question) -> Part:
        page, rows = self._klines("PublicGetMarkPriceKlines", question)
        return page.bars(rows, lambda raw: mark_bar(Row(raw, KLINE)))

    def _klines(self, endpoint: str, question: Question) -> tuple[Question, list[Any]]:
        page = question.page(step_ms=MINUTE_MS, rows=_BARS)
        limit = min(_BARS, 1 + (page.until_ms - page.since_ms) // MINUTE_MS)
        weight = next(weight for most, weight in _KLINE_WEIGHTS if limit <= most)
        return self._page(endpoint, page, {"symbol": page.symbol, "interval": "1m", "limit": limit}, weight)

    def _open_interest(self, question: Question) -> Part:
        page, rows = self._statistics("DataGetOpenInterestHist", question)

        def read(raw: object) -> tuple[float, ...]:
            row = Row(raw)
            about(row, self.whom(question.symbol))
            return self.open_interest(row, question.contract_size)

        return page.samples(rows, OPEN_INTEREST, read)

    def _account_ratio(self, question: Question) -> Part:
        page, rows = self._statistics("DataGetGlobalLongShortAccountRatio", question)
        return page.samples(rows, ACCOUNT_RATIO, lambda raw: account_ratio(raw, self.whom(question.symbol)))

    def _statistics(self, endpoint: str, question: Question) -> tuple[Question, list[Any]]:
        # Of a span with more samples than the limit the latest would come: a page never holds more.
        page = question.page(step_ms=STEP_MS, rows=_SAMPLES)
        asked = {**self.whom(page.symbol), "period": "5m", "limit": _SAMPLES}
        return self._page(endpoint, page, asked, apart=STATISTICS)

    def _funding(self, question: Question) -> Part:
        page = question.page(step_ms=HOUR_MS, rows=_RATES - BEFORE_MS // HOUR_MS)
        asked = {"symbol": page.symbol, "startTime": page.since_ms - BEFORE_MS, "limit": _RATES}
        page, rows = self._page("PublicGetFundingRate", page, asked, apart=FUNDING_RATES)
        return page.funding(rows, lambda raw: funding(raw, page.symbol), partial(self._interval_s, page.symbol))

    def _interval_s(self, symbol: str) -> float:
        """Return a contract's interval (market-data/Get-Funding-Rate-Info): it lists "symbols that had adjustment"."""
        answer = self.ask(f"{self.api}PublicGetFundingInfo", {}, weight=1, apart=FUNDING_RATES)
        rows = map(Row, rows_of(answer.body, f"{self.slug}'s intervals"))
        hours = next((row.whole("fundingIntervalHours") for row in rows if row.text("symbol") == symbol), _USUAL_HOURS)
        return hours * HOUR_MS / 1000

    def _depth(self, question: Question) -> Part:
        asked = {"symbol": question.symbol, "limit": _LEVELS}
        answer = self.ask(f"{self.api}PublicGetDepth", asked, weight=_BOOK_WEIGHT)
        book = row_of(answer.body, f"{self.slug}'s book")
        if "symbol" in book.fields:
            book.only("symbol", question.symbol)
        return question.book(book.fields, lambda: (self._side(book, "bids"), self._side(book, "asks")))

    def _side(self, book: Row, name: str) -> list[tuple[float, float]]:
        side = levels(book.rows(name))
        # A contract is worth its size in USD whatever the price is; the value of a level is price times quantity.
        return [(price, amount / price if self.is_inverse and price > 0 else amount) for price, amount in side]

    def _page(
        self, endpoint: str, page: Question, asked: Mapping[str, object], weight: int = 1, *, apart: str = ""
    ) -> tuple[Question, list[Any]]:
        span = {"startTime": page.since_ms, "endTime": page.last_ms}
        answer = self.ask(f"{self.api}{endpoint}", {**span, **asked}, weight=weight, apart=apart)
        # What has closed is a matter of the venue's clock where ours is ahead of it, by whole minutes: half a bar that
        # counts as answered would never be asked for again.
        clock_ms = answer.date_ms if answer.date_ms is not None else page.now_ms
        is_behind = clock_ms + _CLOCK_STEP_MS <= page.now_ms
        now_ms = clock_ms // MINUTE_MS * MINUTE_MS if is_behind else page.now_ms
        return replace(page, now_ms=now_ms), rows_of(answer.body, f"{self.slug}'s {endpoint}")

    def wait_s(self, answer: Answer) -> float | None:
        """Return how long to stay away, by the header or by "banned until 1573487232000", whichever is longer [s]."""
        until = _BANNED_UNTIL.search(answer.text) if answer.status in {TOO_MANY, BANNED} else None
        waits = (answer.wait_s(), answer.until(int(until[1])) if until else None)
        return max((wait for wait in waits if wait is not None), default=None)

    readers: ClassVar = {
        "bars": _bars,
        "mark_bars": _mark_bars,
        "open_interest": _open_interest,
        "funding": _funding,
        "account_ratio": _account_ratio,
        "depth": _depth,
    }
