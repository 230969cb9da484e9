"""Things that happen to a contract: true, but hard on a reader. F-010, F-016 to F-018, F-027, F-028, F-031."""

from __future__ import annotations

from fnmatch import fnmatch
from typing import TYPE_CHECKING, Any, ClassVar, Final

from tests.double.fault_rows import scale_interest
from tests.double.faults import Fault
from tests.double.market import SLUGS, Revision
from tests.double.tape import HOUR, MINUTE

if TYPE_CHECKING:
    from tests.double.market import Listing, Market
    from tests.double.venue import Answer

SOON_MS: Final = 2 * MINUTE
BURST: Final = 50
SAME: Final = 4


class MarketFault(Fault):
    """Changes one contract (of coin ``base``) of each venue it reaches, once, when it comes into force."""

    default_on: ClassVar[tuple[str, ...]] = ()
    which: ClassVar[int] = 0

    def __init__(self, *, base: str = "", **options: Any) -> None:  # noqa: ANN401 handed on
        super().__init__(**options)
        self.base = base

    def begin(self, market: Market, now: int) -> None:
        super().begin(market, now)
        for slug in SLUGS:
            listings = [row for row in market.listings[slug].values() if self.base in {"", row.base}]
            if listings and fnmatch(slug, self.slug):
                self.change(market, listings[self.which % len(listings)], now)
                self.happened += 1

    def change(self, market: Market, listing: Listing, now: int) -> None:
        """Change one contract."""
        raise NotImplementedError


class RevisedBar(MarketFault):
    """A bar that closed minutes ago is corrected: at once, and another soon."""

    name = "revised_bar"

    def change(self, market: Market, listing: Listing, now: int) -> None:
        del market
        minute = now // MINUTE * MINUTE
        listing.revisions.append(Revision(minute - 3 * MINUTE, now, 2, 5))
        listing.revisions.append(Revision(minute - MINUTE, now + SOON_MS, 1, 3))


class LiquidationBurst(MarketFault):
    """Fifty liquidations in each of three seconds."""

    name = "liquidation_burst"

    def change(self, market: Market, listing: Listing, now: int) -> None:
        del market
        spread(listing, now // 1000 * 1000 + 2_000, 3 * BURST, step=20)


class SameMillisecond(MarketFault):
    """Several liquidations in one millisecond, the last of a second and the first of the next."""

    name = "same_millisecond"

    def change(self, market: Market, listing: Listing, now: int) -> None:
        del market
        second = now // 1000 * 1000 + 2_000
        for at in (second - 1, second, second + 999):
            spread(listing, at, SAME, step=0)


def spread(listing: Listing, start: int, count: int, *, step: int) -> None:
    """Add liquidations, ``step`` ms apart, all of different sizes."""
    bars = listing.tape.rows("bars", start - 2 * MINUTE, start + 1)
    price = int(bars["close"][-1])
    listing.bursts += [(start + step * number, 1 - number % 2 * 2, price, 10 + number) for number in range(count)]


class MultiplierChange(MarketFault):
    """The contract becomes ten times as large and sizes in contracts a tenth, as the list of contracts announces.

    Where a venue counts in coins nothing is announced: its open interest is told ten times too large.
    """

    name, default_times = "multiplier_change", None
    default_on: ClassVar[tuple[str, ...]] = ("interest", "interest_now", "ticker", "ws.interest", "ws.ticker")

    def alter(self, answer: Answer) -> bool:
        is_told = answer.slug not in {"okx", "binance-coin-m"} and scale_interest(answer, 10)
        answer.spoilt = is_told or answer.spoilt
        return is_told

    def change(self, market: Market, listing: Listing, now: int) -> None:
        del market
        listing.multipliers.append((now + SOON_MS, listing.contract_at(now) * 10))


class IntervalChange(MarketFault):
    """Funding settles each hour where it settled each eight, or each four where it was hourly."""

    name = "interval_change"

    def change(self, market: Market, listing: Listing, now: int) -> None:
        del market
        hours = 1 if listing.hours_at(now) > 1 else 4
        listing.intervals.append((now // HOUR * HOUR + HOUR, hours))


class Delisting(MarketFault):
    """The contract ends in two minutes."""

    name, which = "delisting", -1

    def change(self, market: Market, listing: Listing, now: int) -> None:
        del market
        listing.ended_ms = now // MINUTE * MINUTE + SOON_MS


class Rename(MarketFault):
    """The contract goes on under another name in two minutes."""

    name, which = "rename", -1

    def change(self, market: Market, listing: Listing, now: int) -> None:
        at_ms = now // MINUTE * MINUTE + SOON_MS
        market.rename(listing.slug, listing.symbol, coin=f"N{listing.base}", at_ms=at_ms)


MARKET_FAULTS: Final = (
    RevisedBar, LiquidationBurst, SameMillisecond, MultiplierChange, IntervalChange, Delisting, Rename,
)  # fmt: skip
