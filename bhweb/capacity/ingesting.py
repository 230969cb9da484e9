"""``manage.py bench ingest``: the herd of a minute, and the way back after half an hour without anybody."""

from __future__ import annotations

import datetime as dt
import os
import statistics
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from .ledgers import MINUTE, STEP, Ledgers, Stretch, floor
from .stage import opened

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bhweb.clock import Clock

    from .stage import Stage

BACKLOG: Final = dt.timedelta(minutes=30)
SHARES: Final = 2
# So long before a five-minute mark that the backlog is gone by then, and even a short run meets one.
START: Final = "2026-03-03T12:02:18"
# The way back begins so far into a minute [s] that a large one sees the minute end, and a small one is over by then.
_BEGIN_S: Final = 38
# The whole bench ends within eight minutes, whatever becomes of it [s].
MOST_S: Final = 440.0
_LOOK_S: Final = 0.1


def run(*, options: Mapping[str, Any]) -> dict[str, Any]:
    """Measure ``options["instruments"]`` instruments for ``options["minutes"]`` minutes after the backlog is gone.

    Returns figures by name [s where it says so], None for what did not come about in time. Raises StartError.
    """
    load = os.getloadavg()[0]
    until = time.monotonic() + MOST_S
    with opened() as stage:
        clock = stage.open_venues(contracts=options["instruments"], start=START)
        stage.run("instruments", "sync", "binance")
        ledgers = Ledgers.at(stage.database_url)
        if options["unmetered"]:
            ledgers.lift_budget()
        time.sleep((_BEGIN_S - clock.now().second) % 60)
        begun_at = clock.now()
        start_at, end_at = begun_at - 3 * BACKLOG, begun_at - BACKLOG
        count = ledgers.begin(start_at=start_at, end_at=end_at)
        watch = Watch(count, begun_at, start_at)
        stage.begin("feed", "feed")
        for share in range(SHARES):
            stage.begin(f"worker-{share}", "bench_worker", str(share), str(SHARES))
        _look(watch, stage, ledgers, clock, options["minutes"], until)
    of = {"instruments": count, "is_unmetered": options["unmetered"]}
    return {**of, **watch.figures(), "load_before": round(load, 2), "cores": os.cpu_count()}


def _look(  # noqa: PLR0913, PLR0917 what is looked at, and for how long
    watch: Watch, stage: Stage, ledgers: Ledgers, clock: Clock, minutes: int, until: float
) -> None:
    """Watch until enough minutes have gone by since the backlog was gone, or the time is over."""
    while time.monotonic() < until and not watch.has_seen(minutes):
        stage.require_alive()
        watch.note(ledgers.stretches(), clock.now())
        time.sleep(_LOOK_S)


@dataclass
class Watch:
    """What has been reached, and when."""

    count: int
    begun_at: dt.datetime
    start_at: dt.datetime
    drained_at: dict[str, dt.datetime] = field(default_factory=dict)
    # (series, end of a minute or of five) -> seconds until all instruments had it.
    lags: dict[tuple[str, dt.datetime], float] = field(default_factory=dict)

    def has_seen(self, minutes: int) -> bool:
        """Tell whether so many minutes are committed, with the five-minute samples of the same time."""
        bars = self._herds("bars")
        is_due = any(floor(mark, STEP) == mark for mark in bars)
        return len(bars) >= minutes and (not is_due or bool(self._herds("open_interest")))

    def _herds(self, series: str) -> dict[dt.datetime, float]:
        """Return the lags of what ended after the backlog was gone, by its end."""
        gone_at = self._gone_at()
        return {mark: lag for (name, mark), lag in self.lags.items() if name == series and gone_at and mark > gone_at}

    def _gone_at(self) -> dt.datetime | None:
        return max(self.drained_at.values()) if len(self.drained_at) == len(_DISTANCES) else None

    def note(self, stretches: Sequence[Stretch], now: dt.datetime) -> None:
        """Take down what is new."""
        for series, distance in _DISTANCES.items():
            mine = [one for one in stretches if one.series == series]
            whole = [one for one in mine if one.start_at == floor(self.start_at, distance)]
            if _reaching(whole, floor(self.begun_at, distance)) == self.count:
                self.drained_at.setdefault(series, now)
            mark = floor(self.begun_at, distance) + distance
            while mark <= now:
                if (series, mark) not in self.lags and _reaching(mine, mark) == self.count:
                    self.lags[series, mark] = (now - mark).total_seconds()
                mark += distance

    def figures(self) -> dict[str, Any]:
        """Sum up."""
        gone_at = self._gone_at()
        bars, samples = self._herds("bars"), self._herds("open_interest")
        meanwhile = [lag for (series, mark), lag in self.lags.items() if series == "bars" and mark not in bars]
        seconds = (gone_at - self.begun_at).total_seconds() if gone_at else None
        return {
            "herd_minutes": len(bars),
            "herd_bars_median_s": _rounded(statistics.median(bars.values()) if bars else None),
            "herd_bars_worst_s": _rounded(max(bars.values(), default=None)),
            "herd_open_interest_worst_s": _rounded(max(samples.values(), default=None)),
            "drain_s": _rounded(seconds),
            "drained_minutes_per_minute": _rounded(BACKLOG.total_seconds() / seconds if seconds else None),
            "live_lag_while_draining_worst_s": _rounded(max(meanwhile, default=None)),
        }


_DISTANCES: Final = {"bars": MINUTE, "open_interest": STEP}


def _reaching(stretches: Sequence[Stretch], mark: dt.datetime) -> int:
    return sum(one.instruments for one in stretches if one.end_at >= mark)


def _rounded(figure: float | None) -> float | None:
    return None if figure is None else round(figure, 1)
