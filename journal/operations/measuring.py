"""Measure how far the price went while a plan was open, once it has closed, on the bars that it was judged on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from journal.models import Judgement
from journal.operations.judging import read_terms
from journal.operations.reading import MarketSpan
from journal.operations.rejudging import newest_telling
from journal.verdict import Edge, Event, Phase, excursion, excursion_of
from journal.verdict.keeping import from_plain
from market.queries import load_bars
from market.series import epoch_ms, moment

if TYPE_CHECKING:
    from journal.comparison import Trade
    from journal.verdict import Excursion, Terms

_MINUTE_MS = 60_000


def measure_closed(*, instrument_id: int) -> int:
    """Measure every closed plan that is not measured; return how many. What its bars do not tell stays empty."""
    waiting = Judgement.objects.unmeasured(instrument_id).select_for_update(skip_locked=True, of=("self",))
    found = list(waiting)
    for one in found:
        one.excursion = _measured(one)
    Judgement.objects.save_all(found, ("excursion",))
    return len(found)


def _measured(one: Judgement) -> dict[str, list[float]]:
    branches = [branch for branch in from_plain(one.state).branches if branch.phase is Phase.CLOSED]
    opened = min(branch.opened_ms or 0 for branch in branches)
    closed = max(branch.closed_ms or 0 for branch in branches)
    market = MarketSpan(one.instrument_id, moment(opened - _MINUTE_MS), one.through_at or moment(closed))
    step_ms = market.step_s * 1000
    if len(market.bars) * step_ms < closed - opened:
        return {}
    events = [Event(epoch_ms(event.at), event.kind, event.branch) for event in newest_telling(one.pk)]
    return spell(excursion(read_terms(one.terms), branches, events, market.bars, step_ms=step_ms))


def spell(found: Excursion | None) -> dict[str, list[float]]:
    """Return bounds as JSON [R]; empty for none."""
    return {} if found is None else {"adverse": list(found.adverse), "favourable": list(found.favourable)}


def measure_trade(terms: Terms, position: Trade, *, instrument_id: int) -> Excursion | None:
    """Return how far the price went while a trade was open, in R of its plan; None if open, or bars are missing.

    The minutes of its first and last fill were lived through in part.
    """
    if position.closed_ms is None:
        return None
    first, last = (at - at % _MINUTE_MS for at in (position.opened_ms, position.closed_ms))
    until = moment(last + _MINUTE_MS)
    bars = load_bars(instrument_id=instrument_id, since=moment(first), until=until, timeframe=_MINUTE_MS // 1000)
    if len(bars) * _MINUTE_MS < last - first + _MINUTE_MS:
        return None
    return excursion_of(
        bars,
        side=terms.side,
        entry=float(terms.side * position.entry),
        marks=[float(terms.side * one.price) for one in (*position.opens, *position.closes)],
        whole=(first + _MINUTE_MS, last),
        edges=[Edge(first), Edge(last)],
        unit=float(terms.unit),
    )
