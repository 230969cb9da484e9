"""Addresses of the API, its schema and its pages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.urls import path, re_path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from access.permissions import public
from access.permissions.api import CountedApi
from alerts.api import NoticeListApi, RuleListApi
from heatmaps.api import HeatmapApi, LayersApi, ReachApi, TileApi, ZoneApi, ZoneEventListApi, ZoneListApi
from heatmaps.api.scorecard import MissListApi, RunListApi, ScorecardApi
from heatmaps.api.screener import ScreenerApi
from journal.api import (
    FillApi,
    FillListApi,
    PlanApi,
    PlanArmApi,
    PlanEntryListApi,
    PlanEventApi,
    PlanEventListApi,
    PlanListApi,
    PlanUndoApi,
    RemarkListApi,
    ResultsApi,
    ReviewApi,
    ReviewListApi,
    TradeApi,
    TradeListApi,
)
from market.api import (
    AccountRatioApi,
    BarsApi,
    BracketsApi,
    CoverageApi,
    DepthApi,
    FundingApi,
    InstrumentApi,
    InstrumentListApi,
    LiquidationsApi,
    OpenInterestApi,
)
from risk.api import ToolApi

if TYPE_CHECKING:
    from rest_framework.request import Request

INSTRUMENT = "v1/instruments/<str:key>"
# Prices below one unit have negative bins.
TILE = r"^v1/instruments/(?P<key>[^/]+)/tiles/(?P<level>[0-3])/(?P<row>-?\d{1,8})/(?P<col>-?\d{1,8})/$"


class SchemaApi(CountedApi, SpectacularAPIView):
    """The schema. There is one version; what a request says of versions would reach the name of the file."""

    def _get_version_parameter(self, request: Request) -> None:  # noqa: ARG002  # the signature is the package's
        return None


urlpatterns = [
    path("v1/instruments/", InstrumentListApi.as_view(), name="api-instruments"),
    path(f"{INSTRUMENT}/", InstrumentApi.as_view(), name="api-instrument"),
    path(f"{INSTRUMENT}/bars/", BarsApi.as_view(), name="api-bars"),
    path(f"{INSTRUMENT}/open-interest/", OpenInterestApi.as_view(), name="api-open-interest"),
    path(f"{INSTRUMENT}/funding/", FundingApi.as_view(), name="api-funding"),
    path(f"{INSTRUMENT}/liquidations/", LiquidationsApi.as_view(), name="api-liquidations"),
    path(f"{INSTRUMENT}/depth/", DepthApi.as_view(), name="api-depth"),
    path(f"{INSTRUMENT}/account-ratio/", AccountRatioApi.as_view(), name="api-account-ratio"),
    path(f"{INSTRUMENT}/coverage/", CoverageApi.as_view(), name="api-coverage"),
    path(f"{INSTRUMENT}/brackets/", BracketsApi.as_view(), name="api-brackets"),
    path(f"{INSTRUMENT}/heatmap/", HeatmapApi.as_view(), name="api-heatmap"),
    path(f"{INSTRUMENT}/layers/", LayersApi.as_view(), name="api-layers"),
    path(f"{INSTRUMENT}/zones/", ZoneListApi.as_view(), name="api-zones"),
    path(f"{INSTRUMENT}/reach/", ReachApi.as_view(), name="api-reach"),
    re_path(TILE, TileApi.as_view(), name="api-tile"),
    path("v1/zones/<int:zone_id>/", ZoneApi.as_view(), name="api-zone"),
    path("v1/screener/", ScreenerApi.as_view(), name="api-screener"),
    path("v1/zones/<int:zone_id>/events/", ZoneEventListApi.as_view(), name="api-zone-events"),
    path("v1/scorecard/", ScorecardApi.as_view(), name="api-scorecard"),
    path("v1/scorecard/runs/", RunListApi.as_view(), name="api-scorecard-runs"),
    path("v1/scorecard/misses/", MissListApi.as_view(), name="api-scorecard-misses"),
    path("v1/alerts/", RuleListApi.as_view(), name="api-alerts"),
    path("v1/alerts/notices/", NoticeListApi.as_view(), name="api-notices"),
    path("v1/plans/", PlanListApi.as_view(), name="api-plans"),
    path("v1/plans/<int:number>/", PlanApi.as_view(), name="api-plan"),
    path("v1/plans/<int:number>/arm/", PlanArmApi.as_view(), name="api-plan-arm"),
    path("v1/plans/<int:number>/undo/", PlanUndoApi.as_view(), name="api-plan-undo"),
    path("v1/plans/<int:number>/entries/", PlanEntryListApi.as_view(), name="api-plan-entries"),
    path("v1/plans/<int:number>/events/", PlanEventListApi.as_view(), name="api-plan-events"),
    path("v1/plans/<int:number>/events/<int:event>/", PlanEventApi.as_view(), name="api-plan-event"),
    path("v1/fills/", FillListApi.as_view(), name="api-fills"),
    path("v1/fills/<row_id:fill_id>/", FillApi.as_view(), name="api-fill"),
    path("v1/trades/", TradeListApi.as_view(), name="api-trades"),
    path("v1/trades/<row_id:trade_id>/", TradeApi.as_view(), name="api-trade"),
    path("v1/reviews/", ReviewListApi.as_view(), name="api-reviews"),
    path("v1/reviews/<row_id:review_id>/", ReviewApi.as_view(), name="api-review"),
    path("v1/reviews/<row_id:review_id>/remarks/", RemarkListApi.as_view(), name="api-review-remarks"),
    path("v1/results/", ResultsApi.as_view(), name="api-results"),
    path("v1/tools/<slug:slug>/", ToolApi.as_view(), name="api-tool"),
    path("schema/", public(SchemaApi.as_view()), name="schema"),
    path(
        "docs/",
        public(SpectacularSwaggerSplitView.as_view(template_name="api/docs.html")),
        name="api-docs",
    ),
]
