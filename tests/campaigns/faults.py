"""Lives of the product at one venue while one fault is in force, and what must hold after each, whatever went wrong.

A scenario begins with an instrument that is stored up to ten minutes before midnight. The product asks a double of
its venue through its real client, gate and storage; the fault happens; it ends; the product asks again. Only time is
made: the double's clock, and the time that pauses and bans go by.
"""

from __future__ import annotations

import os
import random
from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final
from unittest import mock

from django.db import connection, transaction

from market.models import Instrument
from market.operations import ingest, polling, store, sync_venue
from market.series import DAY_MS, HOUR_MS, MINUTE_MS, moment
from market.sources import exchange
from market.sources.base import SourceError
from tests.campaigns.judging import SERIES, Judge, told
from tests.double import ManualClock, serve, synthetic_market
from tests.double.catalogue import FAULTS
from tests.double.fault_fields import NUMBERS, PRICES
from tests.double.fault_market import MarketFault
from tests.double.fault_rows import RowFault
from tests.double.ledger import wall_ms
from tests.double.market import symbol_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from market.series import SeriesName
    from tests.double import Double
    from tests.double.faults import Fault

SLUGS: Final = ("binance", "bybit", "okx")
BARS: Final = ("bars", "mark_bars")
SAMPLED: Final = (*BARS, "open_interest", "account_ratio")
MIDNIGHT: Final = 20_440 * DAY_MS
START: Final = MIDNIGHT + 30_000
STORED_UNTIL: Final = MIDNIGHT - 10 * MINUTE_MS
COIN: Final = "BTC"
# Their lives cost real time: an answer that is waited for, a body that is large.
UNANSWERED: Final = frozenset({"no_answer", "slow_drip"})
SLOW: Final = UNANSWERED | {"huge_json", "gzip_bomb"}
# In which turn an instrument's newest bars are read again.
READ_AGAIN_MINUTES: Final = 5
# How long an answer is waited for that does not come: so long that even a machine under load has taken the question.
PATIENCES_S: Final = tuple(0.04 * 2**number for number in range(9))
LONGEST_PAUSE_S: Final = 601.0  # Bybit turns an address away for ten minutes
ENDPOINTS: Final = {"bars": "bars", "mark_bars": "marks", "open_interest": "interest", "funding": "funding",
                    "account_ratio": "ratio"}  # fmt: skip
NAMED: Final[Mapping[str, Sequence[SeriesName]]] = {
    "binance": ("open_interest",), "bybit": ("bars", "mark_bars", "open_interest"), "okx": ("funding",),
}  # fmt: skip
CHANGED: Final[Mapping[str, Sequence[SeriesName]]] = {
    "multiplier_change": ("bars", "open_interest"), "interval_change": ("funding",),
}  # fmt: skip
# What no reader may take for its answer, wherever it reads it; OKX tells sizes in contracts, too, unread.
UNBELIEVABLE: Final = frozenset(
    {"not_a_number", "infinite", "full_width_digits", "underscored", "thirty_digits", "wrong_symbol"}
)
HALF_READ: Final = frozenset({("okx", "bars"), ("okx", "open_interest")})
# How many lives there are in all, and in one test; a whole round of faults and venues is less than a batch.
SCENARIOS: Final = int(os.environ.get("BH_SCENARIOS", "800"))
BATCH: Final = 100


@dataclass(frozen=True, slots=True)
class Scenario:
    """One draw. ``series`` is what the product asks for, and where the fault lies in wait."""

    fault: str
    slug: str
    seed: int
    series: SeriesName

    def __str__(self) -> str:
        return f"{self.fault} at {self.slug} in {self.series}, seed {self.seed}"


def draw(count: int, *, names: Sequence[str], seed: int, within: Sequence[SeriesName] = ()) -> list[Scenario]:
    """Draw a round of each fault at each venue and more of the quick ones, so many in all, in random order.

    In the round of each a fault lies where it can not but happen, in bars where it needs many rows.
    """
    dice = random.Random(seed)
    pairs = [(name, slug) for name in names for slug in SLUGS]
    quick = [pair for pair in pairs if pair[0] not in SLOW]
    more = dice.choices(quick, k=count - len(pairs))
    chosen = [
        Scenario(
            name, slug, dice.randrange(1 << 30), dice.choice(within or series_of(FAULTS[name], slug, is_sure=is_sure))
        )
        for is_sure, some in ((True, pairs), (False, more))
        for name, slug in some
    ]
    dice.shuffle(chosen)
    return chosen


def batches(*, share: float, size: int = BATCH) -> range:
    """Return the numbers of a file's batches, which is its share of all."""
    return range(-(-round(SCENARIOS * share) // size))


def series_of(kind: Any, slug: str, *, is_sure: bool) -> Sequence[SeriesName]:  # noqa: ANN401 a kind of fault
    """Return in which series a fault can happen at a venue, or does so for sure."""
    if kind.name == "wrong_symbol":  # the others name nobody
        return NAMED[slug]
    if issubclass(kind, MarketFault):
        return CHANGED.get(kind.name, ("bars",))
    found = [series for series in SERIES if ENDPOINTS[series] in kind.default_on]
    if issubclass(kind, RowFault):  # of rows that are many enough
        found = [series for series in found if series in (BARS if is_sure else SAMPLED)]
    if getattr(kind, "names", ())[:1] == PRICES[:1] and len(kind.names) < len(NUMBERS):
        found = [series for series in found if series in {"bars", "mark_bars"}]
    return found or SERIES


class World:
    """One double of the venues, and how the product lives beside it."""

    def __init__(self, double: Double, clock: ManualClock) -> None:
        self.double, self.clock = double, clock
        self.passed_ms = 0
        self.scenarios = 0
        self.happened: Counter[tuple[str, str]] = Counter()
        self._listings = double.market.listings
        self._instruments: dict[str, Instrument] = {}

    def ban_ms(self) -> int:
        """Return the time that the double's bans go by."""
        return wall_ms() + self.passed_ms

    def furnish(self) -> None:
        """Store an instrument of each venue, as a life before the scenario has left it."""
        self.clock.at_ms = START
        self.happened.clear()
        for slug in SLUGS:
            sync_venue(slug=slug, now=moment(START - DAY_MS), with_brackets=False)
            instrument = self._instruments[slug] = Instrument.objects.get(venue=slug, symbol=symbol_of(slug, COIN))
            instrument.is_live = True
            instrument.save(update_fields=["is_live"])
            listing = self.double.market.listing(slug, instrument.symbol)
            for series in SERIES:
                since = MIDNIGHT - 24 * HOUR_MS if series == "funding" else STORED_UNTIL - 10 * MINUTE_MS
                rows = told(self.double, listing, series, (since, STORED_UNTIL), now=START)
                timeframe = 60 if series in {"bars", "mark_bars"} else 0
                store(instrument_id=instrument.pk, series=series, rows=rows, timeframe=timeframe, now=moment(START))

    def instrument(self, slug: str) -> Instrument:
        """Return what a scenario follows."""
        return self._instruments[slug]

    def play(self, scenario: Scenario, live: Callable[[Scenario], list[str]] | None = None) -> list[str]:
        """Live through a scenario and undo what it stored; return what must not be."""
        self._begin(scenario)
        with transaction.atomic(), mock.patch.object(polling, "CADENCE", {scenario.series: 1}):
            try:
                return (live or self._live)(scenario)
            except Exception as error:  # noqa: BLE001 whatever it is, it is what the campaign looks for
                return [f"{type(error).__name__}: {error}"]
            finally:
                transaction.set_rollback(True)

    def _begin(self, scenario: Scenario) -> None:
        self.scenarios += 1
        self.clock.at_ms = START
        self.double.forget()
        fresh = {
            slug: {
                symbol: replace(row, intervals=[], multipliers=[], revisions=[], bursts=[])
                for symbol, row in rows.items()
            }
            for slug, rows in self._listings.items()
        }
        self.double.market.listings = fresh
        with connection.cursor() as cursor:  # how long a venue is left alone after a failure is drawn in the database
            cursor.execute("SELECT setseed(%s)", [scenario.seed / (1 << 30)])

    def _live(self, scenario: Scenario) -> list[str]:
        fault = fault_of(scenario)
        judge = Judge(self.double, self.instrument(scenario.slug), scenario.series, STORED_UNTIL)
        self.double.inject(fault)
        self._meet(fault, judge)
        self.pass_time(seconds=max(1.0, getattr(fault, "seconds", 3) - 2.0))
        self.clock.advance(minutes=1)
        self.ask(judge)
        self.note(scenario, fault)
        self.double.clear()
        turn = self.until_a_turn(judge.instrument, after=4)
        for minutes in (2, turn) if isinstance(fault, MarketFault) else (2 + turn,):
            self.pass_time(seconds=LONGEST_PAUSE_S)
            self.clock.advance(minutes=minutes)
            if isinstance(fault, MarketFault):
                sync_venue(slug=scenario.slug, now=moment(self.clock.at_ms), with_brackets=False)
            self.ask(judge)
        is_read = (scenario.slug, scenario.series) not in HALF_READ
        must_hold = scenario.fault in UNBELIEVABLE and is_read and fault.happened > 0
        return judge.findings(now=self.clock.at_ms, must_hold=must_hold, fault=scenario.fault)

    def note(self, scenario: Scenario, fault: Fault) -> None:
        """Count how often a fault has happened at a venue."""
        self.happened[scenario.fault, scenario.slug] += fault.happened

    def _meet(self, fault: Fault, judge: Judge) -> None:
        """Ask while a fault is in force; where nothing is answered in time, as impatiently as reaches it."""
        if fault.name not in UNANSWERED:
            self.ask(judge)
        for seconds in PATIENCES_S if fault.name in UNANSWERED else ():
            with mock.patch.multiple(exchange, READ_S=seconds, TOTAL_S=1.5 * seconds):
                self.ask(judge)
            if fault.happened:
                break
            self.pass_time(seconds=LONGEST_PAUSE_S)

    def ask(self, judge: Judge) -> None:
        """Let the product ask its venue for what is due."""
        now = self.clock.at_ms
        judge.look(now)
        try:
            ingest(instrument_id=judge.instrument.pk, now=moment(now))
        except SourceError as error:
            if not error.permanent:
                raise

    def until_a_turn(self, instrument: Instrument, *, after: int = 2) -> int:
        """Return in how many minutes after so many, two at least, an instrument's newest bars are read again."""
        return 2 + -(self.clock.at_ms // MINUTE_MS + after + instrument.pk) % READ_AGAIN_MINUTES

    def pass_time(self, *, seconds: float) -> None:
        """Let pauses, bans and budgets grow older, at the double and in the gate."""
        self.passed_ms += round(seconds * 1000)
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE market_venuestate SET retry_at = retry_at - make_interval(secs => %(s)s),"
                " window_at = window_at - make_interval(secs => %(s)s)",
                {"s": seconds},
            )


def fault_of(scenario: Scenario) -> Fault:
    """Make the fault of a scenario, in wait for what the product asks."""
    kind = FAULTS[scenario.fault]
    options: dict[str, Any] = {"slug": scenario.slug, "seed": scenario.seed}
    if issubclass(kind, MarketFault):  # type: ignore[arg-type]
        return kind(**options, base=COIN)
    reached = [pattern for pattern in kind.default_on if pattern == ENDPOINTS[scenario.series]]  # type: ignore[attr-defined]
    return kind(**options, on=tuple(reached))


def open_world() -> Iterator[World]:
    """Serve a double whose bans go by made time."""
    clock = ManualClock(START)
    worlds: list[World] = []
    with serve(
        market=synthetic_market(2, slugs=SLUGS, prints_per_day=20_000),
        clock=clock,
        ban_ms=lambda: worlds[0].ban_ms() if worlds else wall_ms(),
    ) as double:
        worlds.append(World(double, clock))
        yield worlds[0]
