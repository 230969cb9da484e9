"""What members are told of their plans, in words: what is, as of when; never what to do in the market."""

from __future__ import annotations

from typing import TYPE_CHECKING

from access.reading import MOMENT
from journal.pages.verdict import PHASES, write_result
from journal.pages.words import digits_of, price_text
from market.queries import venue_name

if TYPE_CHECKING:
    from journal.models import Judgement, PlanEvent


def name(one: Judgement) -> str:
    """Call a plan by its number and contract."""
    simulated = " (simulated)" if one.instrument.is_simulated else ""
    return f"P-{one.plan.number}, {one.instrument.symbol} at {venue_name(one.instrument.venue)}{simulated}"


def entered(one: Judgement, event: PlanEvent) -> str:
    """Say that the price path entered a plan."""
    return f"{name(one)}: entered at {price_text(event.price, digits_of(one.instrument.tick_size))} on the price path."


def ended(one: Judgement) -> str:
    """Say how a plan ended; a result is that of its worst course."""
    low, high = one.result_low, one.result_high
    if one.phase != "closed" or low is None or high is None:
        return f"{name(one)}: {PHASES[one.phase]}, without a result."
    best = "" if high == low else f" on its worst course, {write_result(high)} on its best"
    return f"{name(one)}: closed on the price path, {write_result(low)}{best}."


def near_expiry(one: Judgement) -> str:
    """Say that a plan that was not entered expires soon; when, is the moment of the sentence."""
    return f"{name(one)}: not entered so far, expires {MOMENT}."


def review_due(one: Judgement) -> str:
    """Say that a plan has ended and is not reviewed; when, is the moment of the sentence."""
    return f"{name(one)}: ended {MOMENT}, its review is not written yet."
