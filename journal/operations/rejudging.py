"""Judge again what rested on bars that were corrected since; what was said before stays, with what became of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from journal.models import Judgement, PlanEvent
from journal.operations.judging import BAND, kept, read_terms
from journal.operations.reading import MarketSpan, armed_minute, event_rows, presses_of
from journal.verdict import ENGINE_VERSION, judge, start
from market.queries.changes import changes

if TYPE_CHECKING:
    from journal.verdict import Judged, Terms

REVISED: Final = "revised"
_FIELDS: Final = (
    "state", "phase", "is_done", "result_low", "result_high", "excursion", *BAND, "event_count", "change_id",
    "engine",
)  # fmt: skip


def rejudge(*, instrument_id: int) -> int:
    """Look at every correction once; return how many verdicts came out differently.

    A verdict that changes is followed by a ``revised`` event that says from what to what, and by the events of the new
    course of things. One that was reviewed keeps its verdict; the event beside it says what it would be.
    """
    newest = changes(instrument_id=instrument_id, after_id=0).last_id
    changed = 0
    for one in Judgement.objects.outdated(instrument_id, newest).select_for_update(skip_locked=True, of=("self",)):
        since = changes(instrument_id=instrument_id, after_id=one.change_id).since
        one.change_id = newest
        if since is not None and one.through_at is not None and since < one.through_at:
            changed += _judge_again(one)
        Judgement.objects.save_all([one], _FIELDS)
    return changed


def _judge_again(one: Judgement) -> bool:
    assert one.through_at is not None
    terms = read_terms(one.terms)
    market = MarketSpan(one.instrument_id, armed_minute(one), one.through_at)
    again = judge(
        terms, start(terms), market.bars, step_ms=market.step_s * 1000, funding=market.funding,
        signals=market.signals(terms, presses_of([one]).get(one.pk, [])), lost=market.lost,
        finer=market.finer,
    )  # fmt: skip
    fresh = event_rows(one, again.events, first=one.event_count + 2)
    if _told(newest_telling(one.pk)) == _told(fresh):
        return False
    revision = PlanEvent(
        plan_id=one.pk, number=one.event_count + 1, kind=REVISED, at=one.through_at, engine=ENGINE_VERSION,
        note=f"{_outcome(one)} → {_outcome_of(terms, again)}"[:60],
    )  # fmt: skip
    is_kept = one.reviewed_at is not None
    rows = [revision] if is_kept else [revision, *fresh]
    PlanEvent.objects.append(rows)
    one.event_count += len(rows)
    if not is_kept:
        one.engine = ENGINE_VERSION
        for name, value in kept(terms, again.state).items():
            setattr(one, name, value)
    return True


def newest_telling(plan_id: int) -> list[PlanEvent]:
    """Return what was said since the last revision."""
    events = list(PlanEvent.objects.of_judgement(plan_id))
    last = max((i for i, event in enumerate(events) if event.kind == REVISED), default=-1)
    return events[last + 1 :]


def _told(events: list[PlanEvent]) -> list[tuple[object, ...]]:
    return [(one.kind, one.at, one.branch, one.price, one.result, one.note) for one in events]


def _outcome(one: Judgement) -> str:
    return one.phase if one.result_low is None else f"{one.phase} {one.result_low:+.2f} R"


def _outcome_of(terms: Terms, again: Judged) -> str:
    made = kept(terms, again.state)
    low = made["result_low"]
    return str(made["phase"]) if low is None else f"{made['phase']} {low:+.2f} R"
