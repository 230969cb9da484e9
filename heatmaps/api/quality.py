"""What a map rests on, and what a zone holds by leverage, for the answers of the API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django.utils import timezone
from rest_framework import serializers

from heatmaps import queries
from heatmaps.core.doubts import NAME
from heatmaps.pages import conditions

if TYPE_CHECKING:
    import datetime as dt

    from heatmaps.models import Heatmap, Zone
    from market.queries import Freshness

_SHARE: Final = ("flag", "text", "count", "total")


class ShareSerializer(serializers.Serializer[Any]):
    """Steps of the last day that bear a flag, or columns that are missing for a reason."""

    flag = serializers.CharField()
    text = serializers.CharField()
    count = serializers.IntegerField()
    total = serializers.IntegerField()


class QualitySerializer(serializers.Serializer[Any]):
    """What is unusual about a column and the day before it, and what makes its intervals wider."""

    flags = serializers.ListField(child=serializers.CharField(), help_text="of the column")
    last_day = ShareSerializer(many=True)
    widening = serializers.CharField(help_text="the rule by which intervals are widened")
    mean_step_minutes = serializers.FloatField(help_text="of the last day; 5 where every sample came")
    last_price_share = serializers.FloatField(help_text="of the last day's steps, 0 to 1")
    share_on_the_map = serializers.FloatField(help_text="of the open interest that is known, 0 to 1")
    age_hours = serializers.FloatField(help_text="since the newest column")
    spread = serializers.FloatField(help_text="all causes together [ln]")
    stretch = serializers.FloatField(help_text="what the upper end is multiplied by for what is not on the map")


def describe_quality(heatmap: Heatmap, at: dt.datetime | None, fresh: Freshness) -> dict[str, Any] | None:
    """Say what a column rests on; None before there is one."""
    drawn = queries.newest_day(heatmap=heatmap, at=at)
    if drawn is None:
        return None
    age = queries.age_doubt(heatmap=heatmap, freshness=fresh, now=timezone.now(), at=at)
    found = conditions.quality(day=drawn.day, age=age)
    doubt = found.doubt
    return {
        "flags": list(found.flags),
        "last_day": [{name: getattr(one, name) for name in _SHARE} for one in found.shares],
        "widening": NAME,
        "mean_step_minutes": 5.0 * doubt.slots,
        "last_price_share": doubt.last_price,
        "share_on_the_map": doubt.whole,
        "age_hours": doubt.age_hours,
        "spread": doubt.spread,
        "stretch": doubt.stretch,
    }


class GroupSerializer(serializers.Serializer[Any]):
    leverage = serializers.CharField(help_text="effective leverage, as the prior assumes it")
    usd = serializers.FloatField()


class OtherPriorSerializer(serializers.Serializer[Any]):
    prior = serializers.CharField()
    usd = serializers.FloatField(help_text="the estimate if new positions had these leverages; no interval")


class LeverageSerializer(serializers.Serializer[Any]):
    """The six leverage groups of a living zone, and its prior sensitivity, which is in no interval."""

    as_of = serializers.DateTimeField()
    groups = GroupSerializer(many=True)
    prior_sensitivity = OtherPriorSerializer(many=True)


def describe_leverage(zone: Zone) -> dict[str, Any] | None:
    """Say what a zone holds by leverage; None of one that ended, or where the state is not kept."""
    found = queries.attribution(zone=zone)
    if found is None:
        return None
    return {
        "as_of": found.at,
        "groups": [{"leverage": label, "usd": usd} for label, usd in found.groups],
        "prior_sensitivity": [{"prior": name, "usd": usd} for name, usd in found.others],
    }
