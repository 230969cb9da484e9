"""A zone's life in words and one drawing: its stations, its ledger, its events, how long such zones lived."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from heatmaps import queries
from heatmaps.models import Zone, ZoneEvent
from heatmaps.pages import figures

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

# The drawing's box [SVG units]; labels stand at the right.
WIDTH: Final = 640.0
HEIGHT: Final = 200.0
_PLOT: Final = 560.0
_TOP, _BOTTOM = 12.0, 176.0
# From the middle of a digit to the line it stands on, and what two labels need between them.
_TEXT, _ROOM = 4.0, 20.0
_LISTED: Final = 40
_NOT_YET: Final = "not yet"
_FLOWS: Final = ("deposited", "closed", "swept", "moved")
_SIGNS: Final = {"deposited": 1.0, "closed": -1.0, "swept": -1.0, "moved": 1.0}
_KINDS: Final = {
    "formed": "Formed",
    "changed": "Estimate noted",
    "touched": "Price came into the band",
    "absorbed": "Took in",
}
_CAUSES: Final = {
    "through": "price traded through it",
    "eaten": "price took most of it",
    "closed": "closing left less than half",
    "levelled": "no longer stands out",
    "joined": "became part of",
}


@dataclass(frozen=True, slots=True)
class Step:
    """One station of a zone's life; ``when`` says so where it has not come."""

    label: str
    when: str
    is_reached: bool


@dataclass(frozen=True, slots=True)
class Amount:
    """One line of the ledger since the zone formed."""

    label: str
    text: str
    note: str


@dataclass(frozen=True, slots=True)
class Line:
    """One event, ready to print; ``flows`` since the event before."""

    when: str
    text: str
    usd_text: str
    interval_text: str
    flows: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Trail:
    """The estimate over time with its interval [SVG units]; end_y: where the newest one stands, if there is room."""

    band: str
    line: str
    end_y: str
    top_text: str
    start_text: str
    end_text: str
    marks: tuple[tuple[str, str], ...]
    box: str = f"0 0 {WIDTH:.0f} {HEIGHT:.0f}"


@dataclass(frozen=True, slots=True)
class Life:
    """All of it."""

    steps: tuple[Step, ...]
    amounts: tuple[Amount, ...]
    lines: tuple[Line, ...]
    earlier: int
    trail: Trail | None
    half_life: str


def load(*, zone: Zone, at: dt.datetime | None = None) -> Life:
    """Read the life of a zone; by a moment, if one is given."""
    events = queries.zone_events(zone=zone, at=at)
    lines = [_line(event, before) for before, event in zip([None, *events], events, strict=False)]
    return Life(
        steps=_steps(zone, events),
        amounts=_amounts(zone, events),
        lines=tuple(reversed(lines[-_LISTED:])),
        earlier=max(0, len(lines) - _LISTED),
        trail=_trail(events),
        half_life=_half_life(queries.half_life(zone=zone, at=at), zone),
    )


def ending(zone: Zone | ZoneEvent) -> str:
    """Say what a zone ended by; empty while it lives."""
    words = _CAUSES.get(zone.cause, "")
    return f"{words} Z-{zone.other_number}" if zone.cause == Zone.Cause.JOINED else words


def _steps(zone: Zone, events: Sequence[ZoneEvent]) -> tuple[Step, ...]:
    first = {state: event.at for event in reversed(events) for state in (event.state,)}
    end = zone.get_state_display() if not zone.is_alive else "Ended"
    stations = (
        ("Formed", zone.born_at),
        ("Active", first.get(Zone.State.ACTIVE)),
        ("Approached", first.get(Zone.State.APPROACHED)),
        ("Touched", zone.tested_at),
        ("Partly swept", first.get(Zone.State.PARTLY_SWEPT)),
        (end, zone.ended_at),
    )
    missed = _NOT_YET if zone.is_alive else figures.DASH
    return tuple(Step(label, figures.moment(when) if when else missed, when is not None) for label, when in stations)


def _amounts(zone: Zone, events: Sequence[ZoneEvent]) -> tuple[Amount, ...]:
    if not events:
        return ()
    notes = {
        "deposited": "opened at prices that are liquidated here",
        "closed": "closed by their holders",
        "swept": "in bins that price traded through",
        "moved": "band drawn anew, zones merged, data corrected",
    }
    flows = (Amount(name.capitalize(), _flow(name, getattr(zone, name)), notes[name]) for name in _FLOWS)
    formed = Amount("As it formed", figures.usd(events[0].usd), figures.moment(events[0].at))
    return (formed, *flows, Amount("Estimate", figures.usd(zone.usd), figures.moment(zone.last_seen_at)))


def signed_flow(name: str, amount: float) -> float:
    """Return an amount of the ledger with the sign by which it counts [USD]."""
    return _SIGNS[name] * amount


def flow_text(value: float) -> str:
    """Write an amount with its sign; what rounds to nothing has none."""
    if abs(value) < 0.5:  # noqa: PLR2004  # half a dollar
        return figures.usd(0.0)
    return f"{'+' if value > 0 else figures.MINUS}{figures.usd(abs(value))}"


def _flow(name: str, amount: float) -> str:
    return flow_text(signed_flow(name, amount))


def _line(event: ZoneEvent, before: ZoneEvent | None) -> Line:
    since = {name: getattr(event, name) - (getattr(before, name) if before else 0.0) for name in _FLOWS}
    return Line(
        when=figures.moment(event.at),
        text=_words(event),
        usd_text=figures.usd(event.usd),
        interval_text=figures.usd_range(event.usd_low, event.usd_high),
        flows=tuple(_flow(name, since[name]) for name in _FLOWS) if before else (figures.DASH,) * len(_FLOWS),
    )


def _words(event: ZoneEvent) -> str:
    if event.kind == ZoneEvent.Kind.ENDED:
        other = f" Z-{event.other_number}" if event.cause == Zone.Cause.JOINED else ""
        return f"{event.get_state_display()}: {_CAUSES[event.cause]}{other}"
    if event.kind == ZoneEvent.Kind.STATE:
        return event.get_state_display()
    other = f" Z-{event.other_number}" if event.kind == ZoneEvent.Kind.ABSORBED else ""
    return f"{_KINDS[event.kind]}{other}"


def _trail(events: Sequence[ZoneEvent]) -> Trail | None:
    """Draw steps: an estimate holds until another one is noted."""
    if len(events) < 2:  # noqa: PLR2004  # a line has two ends
        return None
    first, last = events[0].at, events[-1].at
    span = (last - first).total_seconds()
    top = max(event.usd_high for event in events) or 1.0

    def x(when: dt.datetime) -> float:
        return _PLOT * (when - first).total_seconds() / span

    def path(name: str) -> list[tuple[float, float]]:
        points: list[tuple[float, float]] = []
        for event in events:
            y = _BOTTOM - (_BOTTOM - _TOP) * getattr(event, name) / top
            points += [(x(event.at), points[-1][1])] if points else []
            points.append((x(event.at), y))
        return points

    line = path("usd")
    end_y = line[-1][1] + _TEXT
    shape = [*path("usd_high"), *reversed(path("usd_low"))]
    marks = [(f"{x(event.at):.1f}", _words(event)) for event in events if event.kind not in {"changed", "formed"}]
    return Trail(
        band=_points(shape),
        line=_points(line),
        end_y=f"{end_y:.1f}" if _TOP + _ROOM < end_y < _BOTTOM - _ROOM else "",
        top_text=figures.usd(top),
        start_text=figures.moment(first),
        end_text=figures.moment(last),
        marks=tuple(marks),
    )


def _points(points: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in points)


def _half_life(found: queries.HalfLife, zone: Zone) -> str:
    side = "long" if zone.position_side == 1 else "short"
    kind = f"{side} zones of this instrument that formed {found.label.replace(' %', '%')}"
    if not found.is_enough:
        return f"Half-life: not enough zones yet ({found.count} {kind}; {queries.LEAST} are needed)."
    if found.hours is None:
        return f"Half-life: more than half of {found.count} {kind} have not ended."
    high = "open" if found.high is None else _hours(found.high)
    low = "open" if found.low is None else _hours(found.low)
    seen = f"n = {found.count}, {found.ended} seen to end"
    return f"Half of the {kind} had ended after {_hours(found.hours)} (95% interval {low} to {high}; {seen})."


def _hours(hours: float) -> str:
    return f"{hours:.0f} h" if hours < 48 else f"{hours / 24:.1f} d"  # noqa: PLR2004  # two days
