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
from heatmaps.core.structure import Place
from heatmaps.pages import places, touches
from market import queries as market_queries
from market.series import moment

if TYPE_CHECKING:
    from rest_framework.request import Request

    from heatmaps.core.grid import Floats
    from heatmaps.core.layers import Reading
    from heatmaps.models import Zone
    from heatmaps.pages.places import Where
    from heatmaps.queries import LayerView
    from market.models import Instrument

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
    completeness = serializers.FloatField(help_text=f"share of the newest {HISTORY} hours that have a value, 0 to 1")
    numbers = serializers.DictField(child=serializers.FloatField(allow_null=True), help_text="what it rests on")
    levels = LayerLevelSerializer(many=True)
    series = LayerHourSerializer(many=True, help_text="the newest hours, ascending; a hole is null")


class PlaceSerializer(serializers.Serializer[Any]):
    """Where a living zone lies in the structure, and what rests in the book on the way to it."""

    zone = serializers.IntegerField(help_text="id")
    label = serializers.CharField()  # type: ignore[assignment]  # as above
    place = serializers.ChoiceField(choices=[one.value for one in Place], allow_null=True)
    reason = serializers.CharField(allow_blank=True, help_text="why there is no place")
    distance_pct = serializers.FloatField(help_text="from the price to the near edge, in ln(price) times 100")
    sigmas = serializers.FloatField(allow_null=True, help_text="that over the standard deviation of four hours")
    past_pct = serializers.FloatField(allow_null=True, help_text="beyond the nearer boundary; below 0: short of it")
    epsilon_pct = serializers.FloatField(allow_null=True, help_text="half of the boundary's width")
    is_clean = serializers.BooleanField(allow_null=True, help_text="whether that boundary is clean")
    depth_usd = serializers.FloatField(allow_null=True, help_text="rests on the way, in proportion between two steps")
    depth_usd_low = serializers.FloatField(allow_null=True, help_text="surely rests there")
    depth_usd_high = serializers.FloatField(allow_null=True, help_text="at most; null beyond the last step shown")
    depth_reason = serializers.CharField(allow_blank=True)
    low_volume_node = serializers.FloatField(allow_null=True, help_text="price of the nearest one on the way")


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
    zones = PlaceSerializer(many=True, allow_null=True, help_text="that live now; null as of an earlier moment")


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
            "zones": _places(instrument, as_of) if at is None else None,
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
        "completeness": float(np.isfinite(reading.values[-HISTORY:]).sum()) / HISTORY,
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


def _places(instrument: Instrument, as_of: dt.datetime | None) -> list[dict[str, Any]]:
    heatmap = queries.get_heatmap(instrument_id=instrument.pk)
    zones = queries.list_zones(heatmap=heatmap) if heatmap is not None else []
    touching = touches.load(instrument_id=instrument.pk, zones=zones, last=None, as_of=as_of)
    found = places.load(instrument=instrument, zones=zones, touching=touching, as_of=as_of)
    return [_place(zone, found[zone.pk]) for zone in zones if zone.pk in found]


def _place(zone: Zone, where: Where) -> dict[str, Any]:
    placed, resting = where.placed, where.resting
    return {
        "zone": zone.pk,
        "label": zone.label,
        "place": placed.place.value if placed.place else None,
        "reason": where.reason,
        "distance_pct": 100.0 * placed.distance,
        "sigmas": placed.sigmas,
        "past_pct": None if placed.past is None else 100.0 * placed.past,
        "epsilon_pct": None if placed.epsilon is None else 100.0 * placed.epsilon,
        "is_clean": placed.is_clean,
        "depth_usd": resting.usd if resting else None,
        "depth_usd_low": resting.low if resting else None,
        "depth_usd_high": resting.high if resting else None,
        "depth_reason": where.book_reason,
        "low_volume_node": where.node,
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
