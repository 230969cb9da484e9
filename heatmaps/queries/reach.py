"""The chance that a price of this volatility touches a level: what was learnt, and what it says at a moment."""

from __future__ import annotations

import datetime as dt
import json
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from django.db.models import F, TextField
from django.db.models.functions import Cast

from heatmaps.core.reach import GAPS, HORIZONS, MEMORIES, MOST_DAYS, SLUG, VERSION, Fit, Path, UnusableHistoryError
from heatmaps.models import Reach, Statement
from market import queries as market
from market.queries.completeness import completeness
from market.series import DAY_MS, HOUR_MS, STEP_MS, epoch_ms, moment

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from django.db.models import QuerySet

    from heatmaps.core.grid import Floats
    from heatmaps.models import Zone
    from heatmaps.queries.around import Around
    from market.models import Instrument
    from market.queries import Question
    from market.series import Records

STEP: Final = dt.timedelta(milliseconds=STEP_MS)
NOT_LEARNT: Final = "not learnt yet: that is done once a day"
MOST_LEARNT: Final = dt.timedelta(days=MOST_DAYS)
MEMORY: Final = MEMORIES[-1] * STEP
_WEEK: Final = dt.timedelta(days=7)
_LEARNT: Final = np.dtype([("reach", "<i8"), ("body", "O"), ("why", "O")])


@dataclass(frozen=True, slots=True)
class Reachability:
    """What can be stated of one instrument as of the end of a five-minute bar.

    price: the close of that bar; refused: the reason by horizon for which nothing can be stated.
    """

    reach: Reach | None
    at: dt.datetime | None
    price: float | None
    fitted: Fit
    log_variances: Floats | None
    refused: dict[str, str]

    def chances(self, levels: Sequence[float], *, price: float | None = None) -> dict[str, list[float]]:
        """P(touch) of each price level by horizon, seen from the close or from another price."""
        start = price or self.price
        if self.log_variances is None or start is None or not levels:
            return {name: [] for name in self.fitted.horizons} if self.log_variances is not None else {}
        away, is_up = _away(levels, start)
        sides = [self.fitted.chances(self.log_variances, away, is_up=side) for side in (False, True)]
        return {name: np.where(is_up, sides[1][name], sides[0][name]).tolist() for name in self.fitted.horizons}

    def sigma(self, horizon: str) -> float | None:
        """The forecast standard deviation over a horizon [ln]; None where nothing can be stated."""
        past = self.fitted.horizons.get(horizon)
        return None if past is None or self.log_variances is None else float(past.sigma(self.log_variances))

    def base(self, levels: Sequence[float]) -> dict[str, list[float]]:
        """The base rate of each price level by horizon."""
        if self.price is None:
            return {}
        away, is_up = _away(levels, self.price)
        return {
            name: np.where(is_up, past.base(away, is_up=True), past.base(away, is_up=False)).tolist()
            for name, past in self.fitted.horizons.items()
        }


def _away(levels: Sequence[float], price: float) -> tuple[Floats, np.ndarray[tuple[int, ...], np.dtype[np.bool_]]]:
    distance = np.log(np.asarray(levels, dtype=np.float64) / price)
    return np.abs(distance), distance > 0.0


def get_reach(*, instrument_id: int, at: dt.datetime) -> Reach | None:
    """Return what had been learnt by a moment, by the version in use; None where nothing had."""
    return _learnt_by(instrument_id, at).select_related("release").first()


def _learnt_by(instrument_id: int, at: dt.datetime) -> QuerySet[Reach]:
    learnt = Reach.objects.filter(instrument_id=instrument_id, release__slug=SLUG, release__version=VERSION)
    return learnt.filter(learnt_through__lte=at).order_by("-learnt_through", "-pk")


def ask_learnt(*, instrument_id: int, at: dt.datetime) -> Question:
    """Ask for what ``get_reach`` returns, of which only what it says is read."""
    wanted = _learnt_by(instrument_id, at).annotate(reach=F("pk"), why=Cast("refused", TextField()))
    return market.ask_queryset(wanted.values("reach", "body", "why")[:1], _LEARNT)


def learnt_in(rows: Records) -> Reach | None:
    """Make of the answer what was learnt; the other fields would be read when asked for."""
    for pk, body, why in rows.tolist():
        return Reach.from_db(None, ["id", "body", "refused"], [pk, body, json.loads(why)])
    return None


def share_learnt(*, instrument: Instrument, reach: Reach | None) -> float | None:
    """Of which share of the time that was learnt from five-minute bars, or finer, are stored now [fraction]."""
    if reach is None or reach.learnt_from is None or reach.learnt_from >= reach.learnt_through:
        return None
    span = (reach.learnt_from, reach.learnt_through)
    return completeness(instrument=instrument, series="bars", span=span, timeframe=STEP_MS // 1000).share


def has_grown(reach: Reach, first: dt.datetime) -> bool:
    """Tell whether bars of a week or more lie before those that were learnt from, as far back as it goes."""
    earliest = max(first, reach.learnt_through - MOST_LEARNT)
    return earliest <= (reach.learnt_from or reach.learnt_through) - _WEEK


def _spans_learnt(instrument_ids: Collection[int], at: dt.datetime) -> dict[int, Reach]:
    """What had been learnt by a moment, by instrument id, without what it says: from when, and up to when."""
    learnt = Reach.objects.filter(release__slug=SLUG, release__version=VERSION, learnt_through__lte=at)
    wanted = learnt.filter(instrument__in=instrument_ids).only("instrument_id", "learnt_from", "learnt_through")
    newest = wanted.order_by("instrument_id", "-learnt_through", "-pk").distinct("instrument_id")
    return {one.instrument_id: one for one in newest}


def learning_due(*, instrument_ids: Sequence[int], now: dt.datetime) -> set[int]:
    """Return the instruments of which this day's bars, or a longer history, wait to be learnt from."""
    spans = market.stored_spans(instrument_ids=instrument_ids)
    days: defaultdict[dt.datetime, list[int]] = defaultdict(list)
    for pk, span in spans.items():
        days[moment(epoch_ms(min(now, span[1])) // DAY_MS * DAY_MS)].append(pk)
    due = set()
    for through, pks in days.items():
        learnt = _spans_learnt(pks, through)
        for pk in pks:
            reach = learnt.get(pk)
            if reach is None or reach.learnt_through < through or has_grown(reach, spans[pk][0]):
                due.add(pk)
    return due


def stating_due(*, instrument_ids: Sequence[int], now: dt.datetime) -> set[int]:
    """Return those of which something is learnt, this hour's bars are there, and no chances are stated yet."""
    hour = moment(epoch_ms(now) // HOUR_MS * HOUR_MS)
    spans = market.stored_spans(instrument_ids=instrument_ids)
    waiting = {pk for pk, span in spans.items() if min(now, span[1]) >= hour}
    stated = Statement.objects.filter(instrument__in=waiting, stated_at__gte=hour)
    waiting -= set(stated.values_list("instrument_id", flat=True)) if waiting else set()
    return set(_spans_learnt(waiting, now)) if waiting else set()


def load_path_bars(*, instrument_id: int, since: dt.datetime, until: dt.datetime) -> Records:
    """Return BAR[n] of five minutes that are over at ``until``."""
    edge = moment(epoch_ms(until) // STEP_MS * STEP_MS)
    return market.load_bars(instrument_id=instrument_id, since=since, until=edge, timeframe=STEP_MS // 1000)


def reachability(*, instrument_id: int, at: dt.datetime, around: Around | None = None) -> Reachability:
    """Say what can be stated at a moment, from a week of bars and what had been learnt by then.

    around: both of that moment, where somebody has read them.
    """
    reach = around.reach if around else get_reach(instrument_id=instrument_id, at=at)
    if reach is None:
        return Reachability(None, None, None, Fit({}, {}), None, dict.fromkeys(HORIZONS, NOT_LEARNT))
    fitted = Fit.unpack(bytes(reach.body), reach.refused)
    edge = moment(epoch_ms(at) // STEP_MS * STEP_MS)
    since = edge - MEMORY
    week = around.week if around else load_path_bars(instrument_id=instrument_id, since=since, until=edge)
    opened = week["open_time"]
    bars = week[(opened >= epoch_ms(since)) & (opened < epoch_ms(edge))]
    price = float(bars["close"][-1]) if len(bars) else None
    try:
        log_variances = _log_variances(bars, edge)
    except UnusableHistoryError as error:
        return Reachability(reach, edge, price, fitted, None, dict.fromkeys(HORIZONS, str(error)))
    return Reachability(reach, edge, price, fitted, log_variances, dict(reach.refused))


def _log_variances(bars: Records, edge: dt.datetime) -> Floats:
    if len(bars) == 0 or int(bars["open_time"][-1]) != epoch_ms(edge) - STEP_MS:
        raise UnusableHistoryError(GAPS)
    return Path.of(bars).now()


def chances_of(*, zones: Iterable[Zone], found: Reachability, price: float) -> dict[int, dict[str, float]]:
    """Return the chances of a touch of each zone's near edge by horizon, seen from a price.

    A zone that the price is in is left out: there is nothing to touch.
    """
    edges = {zone.pk: near_edge(zone, price) for zone in zones}
    outside = {pk: edge for pk, edge in edges.items() if edge is not None}
    rows = found.chances(list(outside.values()), price=price)
    return {pk: {name: row[at] for name, row in rows.items() if row} for at, pk in enumerate(outside)}


def near_edge(zone: Zone, price: float) -> float | None:
    """Return the edge of a zone that the price would touch first; None where it is inside."""
    if zone.price_low <= price <= zone.price_high:
        return None
    return zone.price_low if price < zone.price_low else zone.price_high
