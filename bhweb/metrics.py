"""`/metrics`: what a Prometheus reads, taken from PostgreSQL at that moment, so that any web process tells the same."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final

from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

from access.permissions import machine
from bhweb.models import Job
from market.queries.metrics import ledger_amounts, series_lags
from market.queries.quarantine import held_reasons
from market.queries.venues import list_feeds, spent_at, venue_health

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Iterator

    from prometheus_client.core import Metric

# Reasons for quarantine that have a series of their own; the rest is counted together.
REASONS_MOST: Final = 30


@machine
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:  # noqa: ARG001  # every view takes a request
    """Write all metrics as text."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Snapshot(timezone.now()))
    return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


class _Snapshot:
    """Everything at one moment."""

    def __init__(self, now: dt.datetime) -> None:
        self.now = now

    def collect(self) -> Iterator[Metric]:
        """Read it family by family."""
        yield from self._venues()
        yield from _feeds()
        yield from self._series()
        yield _quarantine()
        yield _jobs()

    def _venues(self) -> Iterator[Metric]:
        reachable = _gauge("bh_venue_reachable", "1 while the venue answers.", "venue")
        banned = _gauge("bh_venue_banned", "1 while the venue has banned us.", "venue")
        retry = _gauge("bh_venue_retry_seconds", "Time until the venue may be asked again.", "venue")
        spent = _gauge("bh_venue_budget_spent_ratio", "Share of the allowed budget that is spent.", "venue")
        refused = CounterMetricFamily("bh_venue_refusals", "Answers 418 and 429.", labels=["venue"])
        for slug, health in venue_health(now=self.now).items():
            reachable.add_metric([slug], float(not health.is_away))
            banned.add_metric([slug], float(health.is_banned))
            retry.add_metric([slug], (health.retry_at - self.now).total_seconds() if health.retry_at else 0.0)
            refused.add_metric([slug], health.refused_count)
            budget = spent_at(slug=slug, health=health, now=self.now)
            if budget is not None:
                spent.add_metric([slug], budget.weight / budget.allowed)
        yield from (reachable, banned, retry, spent, refused)

    def _series(self) -> Iterator[Metric]:
        lag = _gauge("bh_series_lag_seconds", "Age of the newest rows of fetched instruments.", "venue", "series", "of")
        count = _gauge("bh_series_instruments", "Fetched instruments that have rows.", "venue", "series")
        ledger = _gauge("bh_series_seconds", "Time that is present, or missing in a state.", "venue", "series", "state")
        for one in series_lags(now=self.now):
            lag.add_metric([one.venue, one.series, "worst"], one.worst_s)
            lag.add_metric([one.venue, one.series, "p95"], one.p95_s)
            count.add_metric([one.venue, one.series], one.instruments)
        for amount in ledger_amounts():
            ledger.add_metric([amount.venue, amount.series, amount.state], amount.seconds)
        yield from (lag, count, ledger)


def _gauge(name: str, text: str, *labels: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, text, labels=labels)


def _feeds() -> Iterator[Metric]:
    """Sum websockets up by venue; of lags the worst counts."""
    connected, reconnects, rows = defaultdict[str, int](int), defaultdict[str, int](int), defaultdict[str, int](int)
    lags = defaultdict[tuple[str, str], float](float)
    for feed in list_feeds():
        connected[feed.venue] += feed.connected_at is not None
        reconnects[feed.venue] += feed.reconnects
        rows[feed.venue] += feed.rows
        for quantile, lag in (("0.5", feed.lag_p50), ("0.95", feed.lag_p95)):
            if lag is not None:
                lags[feed.venue, quantile] = max(lags[feed.venue, quantile], lag)
    connected_now = _gauge("bh_feed_connected", "Websockets that are connected.", "venue")
    reconnect_count = CounterMetricFamily("bh_feed_reconnects", "Reconnects of the running feed.", labels=["venue"])
    row_count = CounterMetricFamily("bh_feed_rows", "Rows that websockets brought.", labels=["venue"])
    lag_now = _gauge("bh_feed_lag_seconds", "From a bar's end to its commit, newest thousand.", "venue", "quantile")
    _fill(connected_now, connected.items())
    _fill(reconnect_count, reconnects.items())
    _fill(row_count, rows.items())
    for (venue, quantile), lag in lags.items():
        lag_now.add_metric([venue, quantile], lag)
    yield from (connected_now, reconnect_count, row_count, lag_now)


def _fill(family: GaugeMetricFamily | CounterMetricFamily, values: Iterable[tuple[str, float]]) -> None:
    for venue, value in values:
        family.add_metric([venue], value)


def _quarantine() -> Metric:
    held = _gauge("bh_quarantine_held_rows", "Rows that nobody has decided about.", "venue", "series", "reason")
    groups = held_reasons()
    for venue, series, reason, count in groups[:REASONS_MOST]:
        held.add_metric([venue, series, reason], count)
    if others := sum(count for *_, count in groups[REASONS_MOST:]):
        held.add_metric(["", "", "other"], others)
    return held


def _jobs() -> Metric:
    jobs = _gauge("bh_jobs", "Job rows of the last day; dead ones of the last month.", "stage", "state")
    counted = Job.objects.values_list("stage", "state").annotate(count=Count("pk")).order_by("stage", "state")
    for stage, state, count in counted:
        jobs.add_metric([stage, state], count)
    return jobs
