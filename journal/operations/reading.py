"""What the judge reads: the bars, settlements and lost spans of one instrument, and how it writes what happened."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from journal.models import JournalEntry, PlanEvent
from journal.operations.signalling import read_signals
from journal.verdict import Rule
from market.queries import load_bars, load_funding
from market.queries.completeness import ABSENT, LOST, load_ledgers
from market.series import epoch_ms, moment

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    import numpy as np
    import numpy.typing as npt

    from journal.models import Judgement
    from journal.verdict import Confirmation, Event, Terms

_FINEST_S: Final = 60


class MarketSpan:
    """The bars, settlements and lost spans of one instrument, read once for all plans."""

    def __init__(self, instrument_id: int, since: dt.datetime, until: dt.datetime) -> None:
        span = (since, until)
        ledgers = {
            key: ledger
            for key, ledger in load_ledgers(instrument_ids=[instrument_id], span=span).items()
            if key.series == "bars" and key.timeframe > 0
        }
        self.step_s = min((key.timeframe for key, ledger in ledgers.items() if ledger.present), default=_FINEST_S)
        self.bars: npt.NDArray[np.void] = load_bars(
            instrument_id=instrument_id, since=since, until=until, timeframe=self.step_s
        )
        # A bar that is still open has no verdict.
        self.bars = self.bars[self.bars["open_time"] + self.step_s * 1000 <= epoch_ms(until)]
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
    """Number what happened, from ``first`` on."""
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
            engine=judgement.engine,
        )
        for number, event in enumerate(events, first)
    ]
