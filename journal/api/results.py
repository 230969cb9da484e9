"""What own plans add up to. A figure that its count does not carry is not sent."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.response import Response

from journal import queries
from journal.api.base import JournalApi, owner_of
from journal.statistics import LEAST, Gate

if TYPE_CHECKING:
    from rest_framework.request import Request

    from journal.queries import Cell, Controls, Results
    from journal.statistics import Interval

_GATES = [(one.value, one.value) for one in Gate]


class IntervalSerializer(serializers.Serializer[Any]):
    """A figure with its 95 % interval."""

    value = serializers.FloatField(allow_null=True, help_text="null: without bound, as a ratio to no loss is")
    low = serializers.FloatField(allow_null=True)
    high = serializers.FloatField(allow_null=True)
    method = serializers.CharField()
    count = serializers.IntegerField(help_text="independent groups behind it")


class CountSerializer(serializers.Serializer[Any]):
    name = serializers.CharField()
    count = serializers.IntegerField()


class CellSerializer(serializers.Serializer[Any]):
    """Closed plans that share something; below ten nothing but their count."""

    name = serializers.CharField()
    count = serializers.IntegerField()
    gate = serializers.ChoiceField(choices=_GATES)
    hits = IntervalSerializer(allow_null=True)
    mean = IntervalSerializer(allow_null=True, help_text="R, on the worst course of each plan")
    pulled = serializers.FloatField(allow_null=True, help_text="the mean after shrinkage [R]")
    holds = serializers.BooleanField(help_text="other than 0, decided among all groups at once")


class TableSerializer(serializers.Serializer[Any]):
    title = serializers.CharField()
    cells = CellSerializer(many=True)


class ControlsSerializer(serializers.Serializer[Any]):
    """Closed plans beside the same plans at random moments; below ten nothing but counts."""

    count = serializers.IntegerField(help_text="plans that are compared")
    waiting = serializers.IntegerField(help_text="plans whose two weeks are not over, or that are not drawn yet")
    without = serializers.IntegerField(help_text="plans that can not be compared")
    gate = serializers.ChoiceField(choices=_GATES)
    own = serializers.FloatField(allow_null=True, help_text="mean result of the compared plans [R]")
    drawn = serializers.FloatField(allow_null=True, help_text="mean that random moments would have given [R]")
    gain = IntervalSerializer(allow_null=True, help_text="own less drawn [R]; 0 where moments add nothing")
    as_high = serializers.FloatField(
        allow_null=True, help_text="share of replays of all these plans whose mean is as high or higher"
    )


class ResultsSerializer(serializers.Serializer[Any]):
    """What own plans add up to, each figure with its interval; null is not said, for too few plans."""

    funnel = CountSerializer(many=True)
    whole = CellSerializer()
    best_mean = serializers.FloatField(allow_null=True, help_text="of the best courses [R]")
    ambiguous = IntervalSerializer(allow_null=True, help_text="share of closed plans whose course the bars leave open")
    median = IntervalSerializer(allow_null=True, help_text="R")
    factor = IntervalSerializer(allow_null=True, help_text="won over lost")
    drawdown = IntervalSerializer(allow_null=True, help_text="R")
    controls = ControlsSerializer()
    more_needed = serializers.IntegerField(allow_null=True, help_text="results until a mean of 0.2 R would show")
    tables = TableSerializer(many=True)


def _interval(found: Interval | None) -> dict[str, Any] | None:
    if found is None:
        return None
    figures = {name: getattr(found, name) for name in ("value", "low", "high")}
    return {
        **{name: value if math.isfinite(value) else None for name, value in figures.items()},
        "method": found.method,
        "count": found.count,
    }


def _cell(cell: Cell) -> dict[str, Any]:
    is_said = cell.gate is not Gate.COUNTS
    return {
        "name": cell.name,
        "count": cell.count,
        "gate": cell.gate.value,
        "hits": _interval(cell.hits) if is_said else None,
        "mean": _interval(cell.mean) if is_said else None,
        "pulled": cell.pulled if is_said else None,
        "holds": cell.holds and cell.gate not in {Gate.COUNTS, Gate.FEW},
    }


def _controls(found: Controls) -> dict[str, Any]:
    counts = {name: getattr(found, name) for name in ("count", "waiting", "without")}
    told = found.found
    return {
        **counts,
        "gate": found.gate.value,
        "own": told and told.own,
        "drawn": told and told.drawn,
        "gain": _interval(told.gain) if told else None,
        "as_high": told and told.as_high,
    }


def spell_results(found: Results) -> dict[str, Any]:
    """Return what may be said: below ten closed plans counts only, as on the page."""
    is_said = found.whole.gate is not Gate.COUNTS and found.whole.count >= LEAST
    figures = {name: _interval(getattr(found, name)) for name in ("ambiguous", "median", "factor", "drawdown")}
    return {
        "funnel": [{"name": name, "count": count} for name, count in found.funnel],
        "whole": _cell(found.whole),
        "best_mean": found.best_mean if is_said else None,
        **{name: told if is_said else None for name, told in figures.items()},
        "controls": _controls(found.controls),
        "more_needed": found.more if is_said else None,
        "tables": [{"title": title, "cells": [_cell(one) for one in cells]} for title, cells in found.tables],
    }


class ResultsApi(JournalApi):
    """What own plans add up to."""

    @extend_schema(operation_id="results_read", responses=ResultsSerializer)
    def get(self, request: Request) -> Response:
        """Return counts, and figures as far as the counts carry them."""
        return Response(ResultsSerializer(spell_results(queries.results(owner_id=owner_of(request)))).data)
