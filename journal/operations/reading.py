"""What the judge reads: the bars, settlements and lost spans of one instrument, and how it writes what happened."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Final

from journal.models import JournalEntry, PlanEvent
from journal.operations.signalling import read_signals
from journal.verdict import ENGINE_VERSION, Rule, Rung
from market.queries import load_bars, load_funding
from market.queries.completeness import ABSENT, LOST, WAITING, judge, load_ledgers
from market.series import epoch_ms, moment

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping, Sequence

    import numpy as np
    import numpy.typing as npt

    from journal.models import Judgement
    from journal.verdict import Confirmation, Event, Terms
    from market.queries.completeness import Ledger, Span

# By minutes a plan is judged; what is finer decides where the order inside one is unknown.
_MINUTE_S: Final = 60


class MarketSpan:
    """The bars, settlements and lost spans of one instrument, read once for all plans."""

    def __init__(self, instrument_id: int, since: dt.datetime, until: dt.datetime) -> None:
        span = (since, until)
        ledgers = {
            key.timeframe: ledger
            for key, ledger in load_ledgers(instrument_ids=[instrument_id], span=span).items()
            if key.series == "bars" and key.timeframe > 0
        }
        steps = sorted(step for step, ledger in ledgers.items() if ledger.present) or [_MINUTE_S]
        self.is_plain = len(steps) == 1
        self.step_s = _choose(ledgers, [step for step in steps if step >= _MINUTE_S] or steps, span)
        read = partial(load_bars, instrument_id=instrument_id, since=since, until=until)
        self.bars: npt.NDArray[np.void] = read(timeframe=self.step_s)
        # A bar that is still open has no verdict.
        self.bars = self.bars[self.bars["open_time"] + self.step_s * 1000 <= epoch_ms(until)]
        below = [step for step in reversed(steps) if step < self.step_s]
        if below:
            self.bars = _whole(self.bars, self.step_s, [ledgers[step] for step in (self.step_s, *below)])
        self.finer = [Rung(step * 1000, read(timeframe=step)) for step in below]
        paid = load_funding(instrument_id=instrument_id, since=since, until=until)
        self.funding = [(int(row["time"]), Decimal(repr(float(row["rate"])))) for row in paid]
        self.span = (instrument_id, since, until)
        self.known: dict[Confirmation, list[int]] = {}
        self.lost = [
            (epoch_ms(hole.start_at), epoch_ms(hole.end_at))
            for ledger in ledgers.values()
            for hole in ledger.holes
            if hole.state in {ABSENT, LOST}
        ]

    def signals(self, terms: Terms, presses: list[int]) -> list[int]:
        """Return when a rule that is not about a level held; read once for all plans that have it."""
        rule = terms.confirmation
        if rule is None or rule.rule.needs_price:
            return []
        if rule.rule is Rule.MANUAL:
            return presses
        if rule not in self.known:
            self.known[rule] = read_signals(*self.span, rule=rule)
        return self.known[rule]


def _choose(ledgers: Mapping[int, Ledger], steps: list[int], span: Span) -> int:
    """Return the length [s] of the bars that cover most of a span, the finest of equals.

    As long as the finest may still come they are waited for.
    """
    if len(steps) == 1 or any(hole.state == WAITING for hole in ledgers[steps[0]].holes):
        return steps[0]
    return max(steps, key=lambda step: (judge(span=span, present=ledgers[step].present, holes=()).share, -step))


def _whole(bars: npt.NDArray[np.void], step_s: int, ledgers: list[Ledger]) -> npt.NDArray[np.void]:
    """Leave out bars that are built from a part of their finer ones."""
    present = [stretch for ledger in ledgers for stretch in ledger.present]
    spans = [(moment(at), moment(at + step_s * 1000)) for at in bars["open_time"].tolist()]
    return bars[[judge(span=span, present=present, holes=()).share == 1.0 for span in spans]]


def armed_minute(judgement: Judgement) -> dt.datetime:
    """Return the start of the minute in which a plan was armed."""
    return moment(judgement.terms["armed_ms"]).replace(second=0, microsecond=0)


def presses_of(judgements: Sequence[Judgement]) -> dict[int, list[int]]:
    """Return when authors confirmed their plans by hand [ms], by plan."""
    by_hand = [one.pk for one in judgements if (one.terms.get("confirmation") or {}).get("rule") == Rule.MANUAL.value]
    found: defaultdict[int, list[int]] = defaultdict(list)
    for press in JournalEntry.objects.presses(by_hand) if by_hand else ():
        found[press.plan_id].append(epoch_ms(press.at))
    return found


def event_rows(judgement: Judgement, events: Sequence[Event], *, first: int) -> list[PlanEvent]:
    """Number what happened, from ``first`` on; each names the engine that says so, whichever began."""
    return [
        PlanEvent(
            plan_id=judgement.pk,
            number=number,
            kind=event.kind,
            at=moment(event.at_ms),
            branch=event.branch,
            price=event.price,
            result=None if event.result is None else round(event.result, 8),
            note=event.note,
            engine=ENGINE_VERSION,
        )
        for number, event in enumerate(events, first)
    ]
