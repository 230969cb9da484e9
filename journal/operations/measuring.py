"""Measure how far the price went while a plan was open, once it has closed, on the bars that it was judged on."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Final

from journal.models import Judgement
from journal.operations.judging import read_terms
from journal.operations.reading import MarketSpan
from journal.operations.rejudging import newest_telling
from journal.verdict import Edge, Event, Phase, excursion, excursion_of
from journal.verdict.keeping import from_plain
from market.queries import load_bars
from market.series import epoch_ms, moment

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    import numpy.typing as npt

    from journal.comparison import Trade
    from journal.verdict import Branch, Excursion, Terms
    from market.queries.completeness import Span

_MINUTE_MS: Final = 60_000
_WIDEST: Final = dt.timedelta(days=7)


def measure_closed(*, instrument_id: int) -> int:
    """Measure every closed plan that is not measured; return how many. What its bars do not tell stays empty."""
    waiting = Judgement.objects.unmeasured(instrument_id).select_for_update(skip_locked=True, of=("self",))
    found = list(waiting)
    spans = [_span_of(one) for one in found]
    for one, span, (bars, step_ms) in zip(found, spans, _bars_of(instrument_id, spans), strict=True):
        one.excursion = _measured(one, span, bars, step_ms)
    Judgement.objects.save_all(found, ("excursion",))
    return len(found)


def _span_of(one: Judgement) -> Span:
    """Return from the bar of the entry to the last one that was read."""
    opened = min(branch.opened_ms or 0 for branch in _closed(one))
    assert one.through_at is not None
    return moment(opened - _MINUTE_MS), one.through_at


def _closed(one: Judgement) -> list[Branch]:
    return [branch for branch in from_plain(one.state).branches if branch.phase is Phase.CLOSED]


def _bars_of(instrument_id: int, spans: list[Span]) -> Iterator[tuple[npt.NDArray[np.void], int]]:
    """Return the bars of each span with their length [ms]; read once where all are of one length."""
    since, until = min((span[0] for span in spans), default=None), max((span[1] for span in spans), default=None)
    wide = MarketSpan(instrument_id, since, until) if since and until and until - since <= _WIDEST else None
    for span in spans:
        if wide is None or not wide.is_plain:
            one = MarketSpan(instrument_id, *span)
            yield one.bars, one.step_s * 1000
            continue
        step_ms, opened = wide.step_s * 1000, wide.bars["open_time"]
        first, last = epoch_ms(span[0]) // step_ms * step_ms, epoch_ms(span[1]) - step_ms
        yield wide.bars[(opened >= first) & (opened <= last)], step_ms


def _measured(one: Judgement, span: Span, bars: npt.NDArray[np.void], step_ms: int) -> dict[str, list[float]]:
    branches = _closed(one)
    closed = max(branch.closed_ms or 0 for branch in branches)
    if len(bars) * step_ms < closed - epoch_ms(span[0]) - _MINUTE_MS:
        return {}
    events = [Event(epoch_ms(event.at), event.kind, event.branch) for event in newest_telling(one.pk)]
    return spell(excursion(read_terms(one.terms), branches, events, bars, step_ms=step_ms))


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
