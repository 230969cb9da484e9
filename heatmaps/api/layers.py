"""The API of the context layers: what each says of an hour, what that rests on, its newest hours; unknown is null."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from django.core.exceptions import ObjectDoesNotExist
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.response import Response

from access.permissions.api import MemberApi
from heatmaps import queries
from heatmaps.core.layers import LAYERS, load_layer
from heatmaps.core.layers.base import HISTORY
from market import queries as market_queries
from market.series import moment

if TYPE_CHECKING:
    from rest_framework.request import Request

    from heatmaps.core.grid import Floats
    from heatmaps.core.layers import Reading
    from heatmaps.queries import LayerView

# An hour's samples are on their way for some minutes; then the next hour is due.
_DUE: Final = dt.timedelta(hours=1, minutes=5)
_FIRST_YEAR: Final = 2009


class LayerLevelSerializer(serializers.Serializer[Any]):
    label = serializers.CharField()  # type: ignore[assignment]  # DRF collects declared fields elsewhere
    style = serializers.ChoiceField(choices=["line", "band", "point"])  # type: ignore[assignment]  # as above
    since = serializers.DateTimeField(help_text="from when on it is drawn; of a point, when it was")
    price_low = serializers.FloatField()
    price_high = serializers.FloatField(help_text="of a line and a point: the same price")
    is_strong = serializers.BooleanField(help_text="a clean boundary, a point of control; of a point, a high")


class LayerHourSerializer(serializers.Serializer[Any]):
    at = serializers.DateTimeField(help_text="end of the hour")
    value = serializers.FloatField(allow_null=True)
    percentile = serializers.FloatField(allow_null=True)


class LayerSerializer(serializers.Serializer[Any]):
    slug = serializers.CharField()
    title = serializers.CharField()
    kind = serializers.ChoiceField(choices=["gauge", "state", "levels"])
    unit = serializers.CharField(allow_blank=True)
    note = serializers.CharField(allow_blank=True)
    rule = serializers.CharField(help_text="what it means, with its thresholds")
    value = serializers.FloatField(allow_null=True, help_text="of the newest hour; of a state, its place in `states`")
    state = serializers.CharField(allow_null=True)
    states = serializers.ListField(child=serializers.CharField())
    percentile = serializers.FloatField(allow_null=True, help_text="0 to 100, ties count half")
    percentile_hours = serializers.IntegerField(help_text="known hours that the percentile is over, of 2160 at most")
    reason = serializers.CharField(allow_blank=True, help_text="why the newest hour has no value")
    numbers = serializers.DictField(child=serializers.FloatField(allow_null=True), help_text="what it rests on")
    levels = LayerLevelSerializer(many=True)
    series = LayerHourSerializer(many=True, help_text="the newest hours, ascending; a hole is null")


class LayersSerializer(serializers.Serializer[Any]):
    """The layers of an instrument as of the end of a complete hour."""

    instrument = serializers.CharField(help_text="venue:symbol")
    venue = serializers.CharField()
    is_simulated = serializers.BooleanField(help_text="true: of a simulated market, not of an exchange")
    as_of = serializers.DateTimeField(allow_null=True, help_text="end of the newest complete hour")
    stale_after = serializers.DateTimeField(
        allow_null=True, help_text="when the next hour is due; null for history and for what is not live"
    )
    layers = LayerSerializer(many=True)


class LayersQuery(serializers.Serializer[Any]):
    at = serializers.DateTimeField(required=False, help_text="as of then; default: the newest bar")
    slug = serializers.MultipleChoiceField(choices=list(LAYERS), default=set, help_text="default: all")
    hours = serializers.IntegerField(default=24, min_value=0, max_value=HISTORY, help_text="of `series`")

    def validate_at(self, at: dt.datetime) -> dt.datetime:
        """Refuse what no market is as old as."""
        if at.year < _FIRST_YEAR:
            raise serializers.ValidationError(f"at is a time from {_FIRST_YEAR} on")
        return at


class LayersApi(MemberApi):
    """Structure and context beside the heat."""

    @extend_schema(operation_id="layers_read", parameters=[LayersQuery], responses=LayersSerializer)
    def get(self, request: Request, key: str) -> Response:
        """Return each layer's newest hour and the hours before it."""
        asked = LayersQuery(data=request.query_params)
        asked.is_valid(raise_exception=True)
        if not key.isprintable():  # PostgreSQL has no NUL
            raise NotFound
        try:
            instrument = market_queries.get_instrument(key=key)
        except ObjectDoesNotExist as absent:
            raise NotFound from absent
        now, wanted = timezone.now(), asked.validated_data
        fresh, at = market_queries.freshness(instrument=instrument, now=now), wanted.get("at")
        as_of = min(at, fresh.as_of) if at and fresh.as_of else fresh.as_of
        view = queries.read_layers(instrument=instrument, at=as_of) if as_of else None
        slugs = [slug for slug in LAYERS if slug in wanted["slug"] or not wanted["slug"]]
        body = {
            "instrument": instrument.key,
            "venue": instrument.venue,
            "is_simulated": instrument.is_simulated,
            "as_of": view.at if view else None,
            "stale_after": view.at + _DUE if view and fresh.is_live and at is None else None,
            "layers": [_describe(slug, view, wanted["hours"]) for slug in slugs] if view else [],
        }
        return Response(LayersSerializer(body).data)


def _describe(slug: str, view: LayerView, hours: int) -> dict[str, Any]:
    layer, reading = load_layer(slug), view.readings[slug]
    value = _number(float(reading.values[-1]))
    return {
        **{name: getattr(layer, name) for name in ("slug", "title", "kind", "unit", "note", "rule", "states")},
        "value": value,
        "state": layer.states[int(value)] if layer.states and value is not None else None,
        "percentile": _number(float(reading.percentiles[-1])),
        "percentile_hours": int(reading.known[-1]),
        "reason": reading.reason,
        "numbers": {name: _number(one) for name, one in reading.numbers.items()},
        "levels": [
            {
                "label": one.label,
                "style": one.style,
                "since": moment(one.from_ms),
                "price_low": one.low,
                "price_high": one.high,
                "is_strong": one.is_strong,
            }
            for one in reading.levels
        ],
        "series": _series(view, reading, hours),
    }


def _series(view: LayerView, reading: Reading, hours: int) -> list[dict[str, Any]]:
    if hours == 0:
        return []
    ends, values, ranks = view.hours.ends[-hours:].tolist(), reading.values[-hours:], reading.percentiles[-hours:]
    rows = zip(ends, _numbers(values), _numbers(ranks), strict=True)
    return [{"at": moment(end), "value": value, "percentile": rank} for end, value, rank in rows]


def _numbers(values: Floats) -> list[float | None]:
    return [_number(one) for one in values.tolist()]


def _number(value: float) -> float | None:
    return value if np.isfinite(value) else None
