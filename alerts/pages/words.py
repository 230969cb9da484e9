"""The words of notices and rules: what is, how sure, as of when; never what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from access.reading import MOMENT
from market.queries import venue_name

if TYPE_CHECKING:
    import datetime as dt
    from decimal import Decimal

    from alerts.models import Rule
    from heatmaps.models import Zone
    from market.models import Instrument

DASH: Final = "—"
MINUS: Final = "−"
_STEPS: Final = ((1e9, "B"), (1e6, "M"), (1e3, "K"))
HORIZON_WORDS: Final = {"4h": "4 h", "24h": "24 h", "3d": "3 d", "7d": "7 d"}


def name(instrument: Instrument) -> str:
    """Call an instrument by its pair, and by its venue where it is at one."""
    pair = f"{instrument.base}-{instrument.quote}"
    if instrument.is_simulated:
        return f"{pair} (simulated)"
    return pair if instrument.is_pair else f"{pair} at {venue_name(instrument.venue)}"


def rule(one: Rule) -> str:
    """Say what a rule is for."""
    if one.kind == one.Kind.NEAR:
        return f"Price within {number(one.threshold_pct)}% of a zone"
    if one.kind == one.Kind.CHANCE:
        return f"Chance of a touch within {HORIZON_WORDS[one.horizon]} of {number(one.threshold_pct)}% or more"
    return one.get_kind_display()


def near(instrument: Instrument, zone: Zone, away_pct: float) -> str:
    """Say that the price is near a zone."""
    where = "Price is inside" if away_pct == 0 else f"Price is {abs(away_pct):.2f}% from"
    return f"{name(instrument)}: {where.lower()} {_zone(zone)}."


def chance(instrument: Instrument, zone: Zone, stated: float, horizon: str) -> str:
    """Say how likely a touch is."""
    likely = f"{min(99, round(stated * 100))}%"
    return (
        f"{name(instrument)}: chance of a touch within {HORIZON_WORDS[horizon]} is {likely}, by volatility alone, "
        f"of {_zone(zone)}."
    )


def swept(instrument: Instrument, zone: Zone) -> str:
    """Say that a zone was swept."""
    return f"{name(instrument)}: price swept {_zone(zone, is_over=True)}."


def crowding(instrument: Instrument, before: str, now: str) -> str:
    """Say that the crowding state changed."""
    return f"{name(instrument)}: crowding went from “{before}” to “{now}”. It names percentiles; it is no forecast."


def stale(instrument: Instrument, as_of: dt.datetime | None) -> str:
    """Say that data stopped coming; since when is the moment of the sentence."""
    since = f"the newest bar ended {MOMENT}" if as_of else "no bar has come yet"
    return f"{name(instrument)}: data is stale, {since}."


def _zone(zone: Zone, *, is_over: bool = False) -> str:
    side = "longs" if zone.position_side == 1 else "shorts"
    estimate = "last estimate" if is_over else "estimate"
    return (
        f"{zone.label}, {side} at {price(zone.price_low)} to {price(zone.price_high)}, "
        f"{estimate} {usd(zone.usd)} (80% interval {usd(zone.usd_low)} to {usd(zone.usd_high)})"
    )


def number(value: Decimal) -> str:
    """Write a threshold without needless zeros."""
    return format(value.normalize(), "f")


def price(value: float | None) -> str:
    """Write a price with five significant digits or whole units."""
    if value is None:
        return DASH
    return f"{value:,.0f}" if abs(value) >= 10_000 else f"{value:,.5g}"  # noqa: PLR2004  # five digits before the point


def signed(value: float | None) -> str:
    """Write a change [%] with its sign."""
    return DASH if value is None else f"{MINUS if value < 0 else '+'}{abs(value):.2f}%"


def usd(value: float | None) -> str:
    """Write an amount with three significant digits, such as $1.39B."""
    if value is None:
        return DASH
    for step, letter in _STEPS:
        if abs(value) >= step * 0.9995:
            scaled = value / step
            digits = 0 if scaled >= 99.95 else 1 if scaled >= 9.995 else 2  # noqa: PLR2004  # three digits in all
            return f"${scaled:.{digits}f}{letter}"
    return f"${value:.0f}"
