"""What every answer about a map says of it: where the estimate comes from and how old it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.core.exceptions import ObjectDoesNotExist
from django.utils import timezone
from rest_framework import serializers
from rest_framework.exceptions import NotFound

from heatmaps import queries
from market import queries as market_queries

if TYPE_CHECKING:
    import datetime as dt

    from heatmaps.models import Heatmap
    from market.queries import Freshness


class EstimatorSerializer(serializers.Serializer[Any]):
    slug = serializers.CharField()
    version = serializers.CharField()
    parameters_sha256 = serializers.CharField(help_text="SHA-256 of the frozen parameters as canonical JSON")


class EstimateSerializer(serializers.Serializer[Any]):
    """Where an estimate comes from and how old it is."""

    instrument = serializers.CharField(help_text="venue:symbol")
    venue = serializers.CharField()
    is_simulated = serializers.BooleanField(help_text="true: of a simulated market, not of an exchange")
    estimator = EstimatorSerializer()
    as_of = serializers.DateTimeField(
        allow_null=True, help_text="end of the newest data in the estimate, never later than the newest bar"
    )
    stale_after = serializers.DateTimeField(
        allow_null=True, help_text="when newer bars are due; null for history and for what is not live"
    )


class EstimatorQuery(serializers.Serializer[Any]):
    estimator = serializers.CharField(default=queries.DEFAULT_ESTIMATOR, max_length=40)


def find(key: str, estimator: str) -> Heatmap:
    """Return the map of an address; raise NotFound where there is none."""
    if not key.isprintable():  # PostgreSQL has no NUL
        raise NotFound
    try:
        instrument = market_queries.get_instrument(key=key)
    except ObjectDoesNotExist as absent:
        raise NotFound from absent
    found = queries.get_heatmap(instrument_id=instrument.pk, estimator=estimator)
    if found is None:
        raise NotFound("There is no heatmap of this instrument by this estimator.")
    return found


def describe(heatmap: Heatmap, at: dt.datetime | None, fresh: Freshness, *, ages: bool = True) -> dict[str, Any]:
    """Say where an estimate as of ``at`` comes from; with ``ages`` also when it is stale."""
    instrument, release = heatmap.instrument, heatmap.release
    # A step is named after its end; while it runs, its end is still to come.
    as_of = min(at, fresh.as_of) if at and fresh.as_of else at
    return {
        "instrument": instrument.key,
        "venue": instrument.venue,
        "is_simulated": instrument.is_simulated,
        "estimator": {"slug": release.slug, "version": release.version, "parameters_sha256": release.digest},
        "as_of": as_of,
        "stale_after": fresh.stale_after if as_of and ages else None,
    }


def freshness(heatmap: Heatmap) -> Freshness:
    """Say how fresh the bars of a map's instrument are."""
    return market_queries.freshness(instrument=heatmap.instrument, now=timezone.now())
