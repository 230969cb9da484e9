"""How far people came: counts by step and source, with the median time of each step. Erased people still count."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from django.db import connection
from django.db.models import Count, OuterRef, Subquery, Sum

from access.models import Act, Signup, Tally, User, Wave

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping

    from django.db.models import QuerySet

STEPS: Final = ("requested", "confirmed", "invited", "accepted")
_MEDIANS: Final = """
SELECT percentile_cont(.5) WITHIN GROUP (ORDER BY EXTRACT(EPOCH FROM confirmed_at - requested_at)),
       percentile_cont(.5) WITHIN GROUP (ORDER BY EXTRACT(EPOCH FROM invited_at - confirmed_at)),
       percentile_cont(.5) WITHIN GROUP (ORDER BY EXTRACT(EPOCH FROM accepted_at - invited_at))
FROM access_signup
"""
_MINUTE, _HOUR, _DAY = 60, 3_600, 86_400
_SOURCES: Final = 12
_ACTS: Final = 60
# Of the pictures [units].
_WIDTH: Final = 200.0
_ROW: Final = 30


@dataclass(frozen=True, slots=True)
class Bar:
    """One row of a picture."""

    label: str
    count: int
    width: float
    y: int
    note: str = ""


@dataclass(frozen=True, slots=True)
class Picture:
    """Bars below each other."""

    title: str
    bars: tuple[Bar, ...]
    height: int


def read_funnel() -> Picture:
    """Return how many came to each step, with the median time that it took them."""
    kept = dict(Tally.objects.values_list("step").annotate(n=Sum("count")).order_by())
    there = {step: Signup.objects.filter(**{f"{step}_at__isnull": False}).count() for step in STEPS}
    counts = {step: there[step] + int(kept.get(step) or 0) for step in STEPS}
    with connection.cursor() as cursor:
        cursor.execute(_MEDIANS)
        medians = (None, *cursor.fetchone())
    notes = {step: _span(seconds) for step, seconds in zip(STEPS, medians, strict=True)}
    return _draw("How far they came", counts, notes)


def read_sources() -> Picture:
    """Return where those who are on record came from."""
    found = Signup.objects.values_list("source").annotate(n=Count("pk")).order_by("-n", "source")[:_SOURCES]
    confirmed = Signup.objects.filter(confirmed_at__isnull=False)
    shares = dict(confirmed.values_list("source").annotate(n=Count("pk")).order_by())
    return _draw("Where they came from", dict(found), {name: f"{shares.get(name, 0)} confirmed" for name, _ in found})


def _draw(title: str, counts: Mapping[str, int], notes: Mapping[str, str]) -> Picture:
    most = max(counts.values(), default=0) or 1
    bars = [
        Bar(label, count, round(_WIDTH * count / most, 1), number * _ROW, notes.get(label, ""))
        for number, (label, count) in enumerate(counts.items())
    ]
    return Picture(title, tuple(bars), max(1, len(bars)) * _ROW)


def _span(seconds: float | None) -> str:
    if seconds is None:
        return ""
    if seconds < _HOUR:
        return f"median {seconds / _MINUTE:.0f} min"
    return f"median {seconds / _HOUR:.1f} h" if seconds < 2 * _DAY else f"median {seconds / _DAY:.1f} d"


def list_signups(*, state: str = "", source: str = "", most: int = 100) -> QuerySet[Signup]:
    """Return signups, the newest first."""
    found = Signup.objects.select_related("wave").order_by("-pk")
    if state:
        found = found.filter(state=state)
    if source:
        found = found.filter(source=source)
    return found[:most]


def list_waves() -> list[Wave]:
    """Return the waves, the newest first."""
    return list(Wave.objects.order_by("-pk")[:_ACTS])


def list_acts() -> list[Act]:
    """Return what was done, the newest first."""
    actors = User.objects.filter(pk=OuterRef("actor_id")).values("email")
    return list(Act.objects.annotate(actor=Subquery(actors)).order_by("-pk")[:_ACTS])


def note_act(*, actor_id: int, kind: str, after: Mapping[str, object], reason: str, now: dt.datetime) -> None:
    """Keep what an operator did that changes no wave."""
    Act.objects.create(actor_id=actor_id, kind=kind, subject="early access", after=dict(after), reason=reason, at=now)
