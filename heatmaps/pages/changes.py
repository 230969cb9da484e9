"""What became of an instrument's zones in a span: formed, grown, swept, faded; with reasons from their events."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from heatmaps import queries
from heatmaps.models import ZoneEvent
from heatmaps.pages import figures, life, naming, replay
from market import queries as market
from market.series import moment

if TYPE_CHECKING:
    from collections.abc import Sequence

_DAY: Final = dt.timedelta(days=1)
# A visit is over when so long nothing was opened.
_VISIT: Final = dt.timedelta(minutes=30)
_ROWS: Final = 16
# A change of the estimate by less is left to the zone's own page.
_NOTABLE: Final = 0.1
_REASONS: Final = {
    "deposited": "new positions",
    "closed": "closed by their holders",
    "swept": "swept in part",
    "moved": "band drawn anew or zones merged",
}
_LONGEST: Final = 13


@dataclass(frozen=True, slots=True)
class Row:
    """One zone's change, ready to print."""

    pk: int
    label: str
    is_long: bool
    band_text: str
    what: str
    why: str
    usd_text: str
    interval_text: str
    when: str


@dataclass(frozen=True, slots=True)
class Changes:
    """All of a span; ``left_out`` counts rows that are not listed."""

    key: str
    title: str
    since_text: str
    until_text: str
    summary: str
    rows: tuple[Row, ...]
    left_out: int
    is_visit: bool


def note_visit(*, cookie: str, now: dt.datetime) -> str:
    """Return the cookie that remembers this visit and the end of the one before [ms.ms]; a broken one begins anew."""
    before, last = _read(cookie)
    this = figures.epoch_ms(now) or 0
    if last and moment(last) < now - _VISIT:
        before = last
    return f"{before}.{this}"


def last_visit(*, cookie: str) -> dt.datetime | None:
    """Return when the visit before this one ended; None where there was none."""
    before, _ = _read(cookie)
    return moment(before) if before else None


def _read(cookie: str) -> tuple[int, int]:
    parts = cookie.split(".")
    if len(parts) == 2 and all(part.isascii() and part.isdigit() and len(part) <= _LONGEST for part in parts):  # noqa: PLR2004  # two times
        return int(parts[0]), int(parts[1])
    return 0, 0


def load(*, key: str, now: dt.datetime, since: dt.datetime | None = None, at: dt.datetime | None = None) -> Changes:
    """Return what changed since a moment, or in the day up to the newest bar, or up to ``at``."""
    instrument = market.get_instrument(key=key)
    newest = market.freshness(instrument=instrument, now=now).as_of
    until = replay.known_at(at=at, newest=newest) or newest or now
    begin = min(since, until) if since else until - _DAY
    heatmap = queries.get_heatmap(instrument_id=instrument.pk)
    rows: list[Row] = []
    if heatmap is not None:
        events, former = queries.events_between(heatmap=heatmap, since=begin, until=until)
        rows = _rows(events, former, max(0, figures.decimals(instrument.tick_size) - 1))
    return Changes(
        key=instrument.key,
        title=naming.title(instrument),
        since_text=figures.moment(begin),
        until_text=figures.moment(until),
        summary=_summary(rows),
        rows=tuple(rows[:_ROWS]),
        left_out=max(0, len(rows) - _ROWS),
        is_visit=since is not None,
    )


def _rows(events: Sequence[ZoneEvent], former: dict[int, ZoneEvent], digits: int) -> list[Row]:
    newest = {event.zone_id: event for event in events}
    told = ((_words(event, former.get(pk)), event) for pk, event in newest.items())
    rows = [(event.at, _row(event, what, why, digits)) for (what, why), event in told if what]
    return [row for _, row in sorted(rows, key=lambda one: one[0], reverse=True)]


def _row(event: ZoneEvent, what: str, why: str, digits: int) -> Row:
    return Row(
        pk=event.zone_id,
        label=event.zone.label,
        is_long=event.zone.position_side == 1,
        band_text=figures.price_range(event.price_low, event.price_high, digits),
        what=what,
        why=why,
        usd_text=figures.usd(event.usd),
        interval_text=figures.usd_range(event.usd_low, event.usd_high),
        when=figures.moment(event.at),
    )


def _words(event: ZoneEvent, before: ZoneEvent | None) -> tuple[str, str]:
    """Say what became of a zone by its newest event, and why; nothing where it hardly changed."""
    if event.kind == ZoneEvent.Kind.ENDED:
        return event.get_state_display(), life.ending(event)
    if before is None:
        return "Formed", ""
    change = event.usd - before.usd
    if abs(change) >= _NOTABLE * before.usd:
        flows = {name: life.signed_flow(name, getattr(event, name) - getattr(before, name)) for name in _REASONS}
        most = max(flows, key=lambda name: flows[name] * change)
        return ("Grew" if change > 0 else "Shrank"), f"{life.flow_text(change)}, most of it {_REASONS[most]}"
    if event.tested_at is not None and before.tested_at is None:
        return "Touched", "price came into the band"
    return (event.get_state_display(), "") if event.state != before.state else ("", "")


def _summary(rows: Sequence[Row]) -> str:
    if not rows:
        return "No zone formed, ended, or changed by a tenth of its estimate."
    counts: dict[str, int] = {}
    for row in rows:
        counts[row.what] = counts.get(row.what, 0) + 1
    return ", ".join(f"{count} {what.lower()}" for what, count in counts.items()).capitalize() + "."
