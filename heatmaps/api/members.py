"""What an asset pair's map is made of, for the answers of the API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django.utils import timezone
from rest_framework import serializers

from heatmaps import queries

if TYPE_CHECKING:
    import datetime as dt

    from heatmaps.models import Heatmap

_OWN: Final = (
    "is_in", "is_missing", "missing_since", "share_pct", "longs_usd", "shorts_usd", "open_interest_usd",
    "open_interest_at", "built_through",
)  # fmt: skip


class MemberSerializer(serializers.Serializer[Any]):
    """What one instrument brings to an asset pair's map."""

    instrument = serializers.CharField(help_text="venue:symbol")
    venue = serializers.CharField()
    as_of = serializers.DateTimeField(allow_null=True, help_text="end of the member's newest bar")
    stale_after = serializers.DateTimeField(allow_null=True, help_text="null for a member that is not live")
    is_in = serializers.BooleanField(help_text="false: its map has no column here")
    is_missing = serializers.BooleanField(help_text="true: it ought to be in and is not, so the sum is partial")
    missing_since = serializers.DateTimeField(allow_null=True, help_text="end of the last column that it was in")
    share_pct = serializers.FloatField(allow_null=True, help_text="of the heat within 10 % of the price, 0 to 100")
    longs_usd = serializers.FloatField(allow_null=True, help_text="its heat within 10 % below the price [USD]")
    shorts_usd = serializers.FloatField(allow_null=True, help_text="its heat within 10 % above the price [USD]")
    open_interest_usd = serializers.FloatField(
        allow_null=True, help_text="of this column; of a member that is not in: the last known one"
    )
    open_interest_at = serializers.DateTimeField(allow_null=True)
    built_through = serializers.DateTimeField(allow_null=True)


def describe_members(heatmap: Heatmap, at: dt.datetime | None) -> dict[str, Any]:
    """Say what an asset pair's column at a moment is made of; of one instrument there is nothing to say."""
    shares = None
    if heatmap.instrument.is_pair:
        shares = queries.member_shares(heatmap=heatmap, now=timezone.now(), at=at)
    if shares is None:
        return {"is_partial": False, "coverage_pct": None, "members": None}
    return {
        "is_partial": bool(shares.missing),
        "coverage_pct": shares.coverage_pct,
        "members": [_describe_member(one) for one in shares.members],
    }


def _describe_member(one: queries.MemberShare) -> dict[str, Any]:
    return {name: getattr(one, name) for name in _OWN} | {
        "instrument": one.instrument.key,
        "venue": one.instrument.venue,
        "as_of": one.freshness.as_of,
        "stale_after": one.freshness.stale_after,
    }
