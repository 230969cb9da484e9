"""What every answer about a series carries: where it comes from, how old and how complete it is. Unknown is null."""

from __future__ import annotations

import datetime as dt
import math
from typing import TYPE_CHECKING, Any, Final

from django.core.exceptions import ObjectDoesNotExist
from rest_framework import serializers
from rest_framework.exceptions import NotFound

from market import queries

if TYPE_CHECKING:
    from market.models import Instrument
    from market.queries.completeness import Completeness, Span

# Holes that one answer tells; the rest is counted.
HOLES_MOST: Final = 200
STATES: Final = ("waiting", "absent", "lost", "unknown")


class HoleSerializer(serializers.Serializer[Any]):
    start_at = serializers.DateTimeField()
    end_at = serializers.DateTimeField()
    state = serializers.ChoiceField(
        choices=list(STATES),
        help_text="waiting to be fetched, absent at the source, lost for good, or unknown: not asked for",
    )
    reason = serializers.CharField(allow_blank=True)


class CompletenessSerializer(serializers.Serializer[Any]):
    """How much of a span is stored."""

    since = serializers.DateTimeField()
    until = serializers.DateTimeField()
    share = serializers.FloatField(help_text="of the span that is present, 0 to 1")
    hole_count = serializers.IntegerField()
    holes = HoleSerializer(many=True, help_text=f"ascending; the first {HOLES_MOST}")


class SourceSerializer(serializers.Serializer[Any]):
    """Where values come from, how old and how complete they are."""

    instrument = serializers.CharField(help_text="venue:symbol")
    venue = serializers.CharField()
    is_simulated = serializers.BooleanField(help_text="true: invented by a simulation, not reported by an exchange")
    as_of = serializers.DateTimeField(allow_null=True, help_text="up to when it is stored")
    stale_after = serializers.DateTimeField(allow_null=True, help_text="null for what is not fetched live")
    completeness = CompletenessSerializer(allow_null=True, help_text="null where no span was asked for")


def find(key: str) -> Instrument:
    """Return an instrument; raise NotFound."""
    try:
        return queries.get_instrument(key=key)
    except ObjectDoesNotExist as absent:
        raise NotFound from absent


def describe_source(
    instrument: Instrument,
    *,
    as_of: dt.datetime | None,
    stale_after: dt.datetime | None,
    completeness: Any = None,  # noqa: ANN401  # what the serializer takes
) -> dict[str, Any]:
    """Return the part that every answer carries."""
    return {
        "instrument": instrument.key,
        "venue": instrument.venue,
        "is_simulated": instrument.is_simulated,
        "as_of": as_of,
        "stale_after": stale_after,
        "completeness": completeness,
    }


def describe_completeness(judged: Completeness, span: Span) -> dict[str, Any]:
    """Return how complete a span is, as the serializer takes it."""
    return {
        "since": span[0],
        "until": span[1],
        "share": judged.share,
        "hole_count": len(judged.missing),
        "holes": judged.missing[:HOLES_MOST],
    }


def known(value: float) -> float | None:
    """Return a number, or None for what was not reported."""
    return value if math.isfinite(value) else None


def moment(ms: int) -> dt.datetime:
    """Return a time of a record."""
    return dt.datetime.fromtimestamp(ms / 1000, tz=dt.UTC)
