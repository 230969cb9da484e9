"""Arm closed plans again at random moments of their own weeks: the control that their results are held against."""

from __future__ import annotations

import statistics
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from django.db import transaction

from journal.models import Judgement
from journal.operations.judging import read_terms
from journal.operations.reading import MarketSpan
from journal.queries.controls import AROUND
from journal.verdict import REPLAY_VERSION, Market, Rule, replay
from market.series import epoch_ms, moment

if TYPE_CHECKING:
    import datetime as dt

    import numpy.typing as npt

    from journal.verdict import Terms

DRAWS: Final = 200
# One turn takes so many plans; the others wait for the next minute.
_MOST: Final = 5
# Of the bars of the four weeks at least so many are stored, or nothing is drawn.
_LEAST_STORED: Final = 0.5


@transaction.atomic
def draw_controls(*, instrument_id: int, now: dt.datetime) -> int:
    """Draw the control of plans whose weeks are over, a few at a time; return how many. Each is drawn once."""
    waiting = Judgement.objects.uncontrolled(instrument_id, now - AROUND)
    found = list(waiting.select_for_update(skip_locked=True, of=("self",))[:_MOST])
    for one in found:
        one.control = {"version": REPLAY_VERSION} | _drawn(one)
    Judgement.objects.save_all(found, ("control",))
    return len(found)


def _drawn(one: Judgement) -> dict[str, Any]:
    """Return the figures of a plan's replays, with what repeats them; or why there are none."""
    terms = read_terms(one.terms)
    if terms.confirmation is not None and terms.confirmation.rule is Rule.MANUAL:
        return {"why": "by hand"}
    armed = moment(terms.armed_ms)
    span = MarketSpan(one.instrument_id, armed - AROUND, armed + AROUND)
    step_ms = span.step_s * 1000
    price = _last_price(span.bars, step_ms, terms.armed_ms)
    if price is None or len(span.bars) * step_ms < _LEAST_STORED * 2 * AROUND.total_seconds() * 1000:
        return {"why": "bars"}
    market = Market(span.bars, step_ms, span.funding, _signals(span, terms), tuple(span.lost))
    found = replay(terms, market, price=price, generator=np.random.default_rng(one.pk), count=DRAWS)
    if found is None:
        return {"why": "bars"}
    results = found.results
    return {
        "seed": one.pk, "draws": DRAWS, "since_ms": epoch_ms(armed - AROUND), "until_ms": epoch_ms(armed + AROUND),
        "entered": len(results), "cut": found.cut, "unentered": found.unentered, "lost": found.lost,
        "mean": round(statistics.fmean(results), 6) if results else None,
        "spread": round(statistics.pstdev(results), 6) if results else None,
    }  # fmt: skip


def _signals(span: MarketSpan, terms: Terms) -> list[int]:
    return sorted(span.signals(terms, []))


def _last_price(bars: npt.NDArray[np.void], step_ms: int, armed_ms: int) -> Decimal | None:
    """Return the close of the last bar that had ended when the plan was armed; None where it is not stored."""
    place = int(np.searchsorted(bars["open_time"], armed_ms - step_ms, side="right")) - 1
    if place < 0 or armed_ms - int(bars["open_time"][place]) > 2 * step_ms:
        return None
    return Decimal(repr(float(bars["close"][place])))
