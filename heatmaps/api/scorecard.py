"""The API of the scorecard, open to everyone: claims, score runs with every figure, and every miss."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.response import Response

from access.permissions.api import PublicApi
from heatmaps import queries
from heatmaps.core.reach import HORIZONS
from heatmaps.pages import scorecard

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rest_framework.request import Request

    from heatmaps.models import ScoreRun

_LARGEST: Final = 2**63 - 1
_RUN: Final = (
    "id", "subject", "against", "since", "until", "command", "estimators", "settings", "data_sha256", "rows",
    "created_at",
)  # fmt: skip


class ClaimSerializer(serializers.Serializer[Any]):
    claim = serializers.CharField()
    subject = serializers.CharField(help_text="venue:symbol; empty where nothing was scored")
    verdict = serializers.CharField(help_text="decided by the intervals of the run and by nothing else")
    figures = serializers.ListField(child=serializers.CharField())
    runs = serializers.ListField(child=serializers.IntegerField())
    command = serializers.CharField(help_text="scores it where nothing has yet")


class ReleaseSerializer(serializers.Serializer[Any]):
    """A frozen estimator."""

    slug = serializers.CharField()
    version = serializers.CharField()
    digest = serializers.CharField(help_text="SHA-256 of its parameters")
    created_at = serializers.DateTimeField()


class ScorecardSerializer(serializers.Serializer[Any]):
    claims = ClaimSerializer(many=True)
    releases = ReleaseSerializer(many=True)


class ScoreFigureSerializer(serializers.Serializer[Any]):
    """One number; low and high are its 95 % interval, null where there is none."""

    measure = serializers.CharField()
    map = serializers.CharField()
    side = serializers.CharField()
    mode = serializers.CharField()
    versus = serializers.CharField(allow_blank=True, help_text="what the value is a gain over; empty for the value")
    value = serializers.FloatField(allow_null=True)
    low = serializers.FloatField(allow_null=True)
    high = serializers.FloatField(allow_null=True)
    n = serializers.IntegerField()
    days = serializers.IntegerField(help_text="blocks that were resampled")


class RunSerializer(serializers.Serializer[Any]):
    """One run of a score, as it was measured."""

    id = serializers.IntegerField()
    subject = serializers.CharField(help_text="venue:symbol, or simulator")
    is_simulated = serializers.BooleanField(help_text="true: on made-up data")
    against = serializers.CharField()
    since = serializers.DateTimeField(allow_null=True)
    until = serializers.DateTimeField(allow_null=True)
    command = serializers.CharField(help_text="repeats the run")
    estimators = serializers.ListField(child=serializers.DictField(child=serializers.CharField()))
    settings = serializers.JSONField()
    data_sha256 = serializers.CharField()
    rows = ScoreFigureSerializer(many=True)
    created_at = serializers.DateTimeField()


class RunPageSerializer(serializers.Serializer[Any]):
    next = serializers.IntegerField(allow_null=True, help_text="pass as `before` for the next page; null at the end")
    results = RunSerializer(many=True)


class MissSerializer(serializers.Serializer[Any]):
    """A level that had been given less than one chance in ten and was touched, or more than nine and was not."""

    instrument = serializers.CharField(help_text="venue:symbol")
    is_simulated = serializers.BooleanField()
    statement_id = serializers.IntegerField()
    horizon = serializers.ChoiceField(choices=list(HORIZONS))
    stated_at = serializers.DateTimeField()
    due_at = serializers.DateTimeField()
    price = serializers.FloatField(help_text="the close it was stated from")
    level = serializers.FloatField()
    zone_id = serializers.IntegerField(allow_null=True)
    chance = serializers.FloatField()
    is_touched = serializers.BooleanField()
    low = serializers.FloatField(help_text="the lowest price within the horizon")
    high = serializers.FloatField(help_text="the highest price within the horizon")


class MissPageSerializer(serializers.Serializer[Any]):
    next = serializers.IntegerField(allow_null=True, help_text="pass as `before` for the next page; null at the end")
    results = MissSerializer(many=True)


class RunQuery(serializers.Serializer[Any]):
    before = serializers.IntegerField(required=False, min_value=1, max_value=_LARGEST)
    limit = serializers.IntegerField(default=10, min_value=1, max_value=50)


class MissQuery(serializers.Serializer[Any]):
    before = serializers.IntegerField(required=False, min_value=1, max_value=_LARGEST, help_text="a statement's id")
    limit = serializers.IntegerField(default=50, min_value=1, max_value=200, help_text="statements, not levels")


class ScorecardApi(PublicApi):
    """What is shown and what is not."""

    @extend_schema(operation_id="scorecard_read", responses=ScorecardSerializer)
    def get(self, request: Request) -> Response:  # noqa: ARG002  # DRF's signature
        """Return claims with their verdicts, and frozen estimators."""
        claims = [
            {
                "claim": one.text,
                "subject": one.subject,
                "verdict": one.verdict,
                "figures": one.figures,
                "runs": one.runs,
                "command": one.command,
            }
            for one in scorecard.load_claims()
        ]
        return Response(ScorecardSerializer({"claims": claims, "releases": queries.list_releases()}).data)


class RunListApi(PublicApi):
    """Score runs, newest first."""

    @extend_schema(operation_id="scorecard_runs_list", parameters=[RunQuery], responses=RunPageSerializer)
    def get(self, request: Request) -> Response:
        """List runs with all their figures."""
        asked = _asked(RunQuery, request)
        found, following = queries.page_scores(before=asked.get("before"), limit=asked["limit"])
        body = {"next": following, "results": [_run(one) for one in found]}
        return Response(RunPageSerializer(body).data)


class MissListApi(PublicApi):
    """Misses, those of the newest statements first."""

    @extend_schema(operation_id="scorecard_misses_list", parameters=[MissQuery], responses=MissPageSerializer)
    def get(self, request: Request) -> Response:
        """List misses of so many statements."""
        asked = _asked(MissQuery, request)
        found, following = queries.page_misses(before=asked.get("before"), limit=asked["limit"])
        return Response(MissPageSerializer({"next": following, "results": found}).data)


def _asked(query: type[serializers.Serializer[Any]], request: Request) -> Mapping[str, Any]:
    asked = query(data=request.query_params)
    asked.is_valid(raise_exception=True)
    found: Mapping[str, Any] = asked.validated_data
    return found


def _run(run: ScoreRun) -> dict[str, Any]:
    is_real = run.instrument is not None and not run.instrument.is_simulated
    return {name: getattr(run, name) for name in _RUN} | {"is_simulated": not is_real}
