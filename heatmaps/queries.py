"""What other rooms and the pages may ask about heatmaps. Nothing here writes."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final

import numpy as np
from django.db.models import Case, Count, IntegerField, Q, Sum, Value, When
from django.db.models.functions import Length

from heatmaps.core.bands import Banded, Factors
from heatmaps.core.estimators import ESTIMATORS
from heatmaps.core.grid import Floats, bin_price, bin_width
from heatmaps.core.strips import SPINE_ROW, Strip
from heatmaps.core.tile import DENSITY_BPS, GAP, LEVELS, NO_DATA, PROVISIONAL, TILE, encode, usd_from_code
from heatmaps.models import Heatmap, Tile, Zone

DEFAULT_ESTIMATOR: Final = next(iter(ESTIMATORS))
_EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


@dataclass(frozen=True, slots=True)
class StoredTile:
    """A tile's bytes (gzip, see heatmaps.core.tile); a closed one does not change any more."""

    body: bytes
    etag: str
    is_closed: bool


@dataclass(frozen=True, slots=True)
class Slice:
    """One column: usd float64[n] per bin from ``bin_lo`` up [USD]; longs lie below the close, shorts above."""

    at: dt.datetime
    bin_lo: int
    usd: Floats
    close: float
    provisional: bool
    bin_bps: float
    factors: Factors


@dataclass(frozen=True, slots=True)
class MapSize:
    """How many tiles a map has and what they take [bytes]."""

    tiles: int
    tile_bytes: int


def epoch_ms(moment: dt.datetime) -> int:
    """Milliseconds since the epoch."""
    return (moment - _EPOCH) // dt.timedelta(milliseconds=1)


def moment(ms: int) -> dt.datetime:
    """Undo ``epoch_ms``."""
    return _EPOCH + dt.timedelta(milliseconds=ms)


def get_heatmap(*, instrument_id: int, estimator: str = DEFAULT_ESTIMATOR) -> Heatmap | None:
    """Return the map of the newest release of that estimator, with its release and instrument."""
    maps = Heatmap.objects.select_related("release", "instrument")
    return maps.filter(instrument_id=instrument_id, release__slug=estimator).order_by("-release_id").first()


def read_tile(*, heatmap: Heatmap, level: int, row: int, col: int) -> StoredTile | None:
    """Return one tile; one that holds nothing is made up inside the built span, None stands for outside."""
    return read_tiles(heatmap=heatmap, level=level, rows=range(row, row + 1), cols=range(col, col + 1)).get((row, col))


def read_tiles(*, heatmap: Heatmap, level: int, rows: range, cols: range) -> dict[tuple[int, int], StoredTile]:
    """Return the tiles of a rectangle by (row, col); what lies outside the built span is left out."""
    places = _built_places(heatmap, level, rows, cols)
    if not places:
        return {}
    columns = {col for _, col in places}
    wanted = Tile.objects.filter(heatmap=heatmap, level=level, col__in=columns)
    found = {
        (row, col): (bytes(body), etag)
        for row, col, body, etag in wanted.filter(Q(row__in={row for row, _ in places}) | Q(row=SPINE_ROW)).values_list(
            "row", "col", "body", "etag"
        )
    }
    closed_before = epoch_ms(heatmap.built_through or _EPOCH) // (LEVELS[level].step_ms * TILE)
    return {
        (row, col): StoredTile(*(found.get((row, col)) or _empty(found.get((SPINE_ROW, col)))), col < closed_before)
        for row, col in places
    }


def _built_places(heatmap: Heatmap, level: int, rows: range, cols: range) -> list[tuple[int, int]]:
    if not 0 <= level < len(LEVELS) or heatmap.built_from is None or heatmap.built_through is None:
        return []
    if heatmap.bin_lo is None or heatmap.bin_hi is None:
        return []
    size, factor = LEVELS[level].step_ms * TILE, LEVELS[level].factor * TILE
    end = max(heatmap.built_through, heatmap.provisional_through or heatmap.built_through)
    built_cols = range(epoch_ms(heatmap.built_from) // size, (epoch_ms(end) - 1) // size + 1)
    built_rows = range(heatmap.bin_lo // factor, (heatmap.bin_hi - 1) // factor + 1)
    return [(row, col) for row in _common(rows, built_rows) for col in _common(cols, built_cols)]


def _common(one: range, other: range) -> range:
    return range(max(one.start, other.start), min(one.stop, other.stop))


def _empty(spine: tuple[bytes, str] | None) -> tuple[bytes, str]:
    codes = np.zeros((TILE, TILE), np.uint8)
    if spine is not None:
        codes[:, Strip.read({SPINE_ROW: spine[0]}).spine["status"] == NO_DATA] = GAP
    body = encode(codes)
    return body, sha256(body).hexdigest()[:32]


def map_size(*, heatmap: Heatmap) -> MapSize:
    """Count a map's stored tiles and their bytes."""
    size = Tile.objects.filter(heatmap=heatmap).aggregate(count=Count("row"), total=Sum(Length("body")))
    return MapSize(size["count"], size["total"] or 0)


def latest_slice(*, heatmap: Heatmap, at: dt.datetime | None = None) -> Slice | None:
    """Return the column that ended last (by ``at``, if given), provisional or not; None in a gap or outside."""
    if heatmap.built_from is None or heatmap.built_through is None:
        return None
    end = heatmap.provisional_through or heatmap.built_through
    step_ms = LEVELS[0].step_ms
    period = epoch_ms(min(end, at) if at else end) // step_ms - 1
    strip = read_strip(heatmap=heatmap, col=period // TILE)
    return slice_of(heatmap=heatmap, strip=strip, period=period)


def read_strip(*, heatmap: Heatmap, col: int) -> Strip:
    """Return all that is stored of one column of tiles at the finest level."""
    rows = Tile.objects.filter(heatmap=heatmap, level=0, col=col).values_list("row", "body")
    return Strip.read({row: bytes(body) for row, body in rows})


def slice_of(*, heatmap: Heatmap, strip: Strip, period: int) -> Slice | None:
    """Return the column ``period`` of a strip that was read; None where it has none."""
    place = period % TILE
    rests_on = strip.spine[place]
    if rests_on["status"] in {0, NO_DATA}:
        return None
    bin_lo, codes = strip.column(place)
    return Slice(
        at=moment((period + 1) * LEVELS[0].step_ms),
        bin_lo=bin_lo,
        usd=usd_from_code(codes, heatmap.code_floor_usd) * (heatmap.bin_bps / DENSITY_BPS),
        close=float(rests_on["close"]),
        provisional=bool(rests_on["status"] == PROVISIONAL),
        bin_bps=heatmap.bin_bps,
        factors=Factors.of(heatmap.release.parameters),
    )


def within_distance(*, slice: Slice, close: float, pct: float) -> tuple[Banded, Banded]:  # noqa: A002 -- agreed name
    """Sum longs within ``pct`` % below and shorts within ``pct`` % above the close, each with its 80 % interval."""
    prices = bin_price(np.arange(slice.bin_lo, slice.bin_lo + len(slice.usd)), bin_width(slice.bin_bps))
    away = (prices / close - 1.0) * 100.0
    longs = (prices < slice.close) & (away <= 0.0) & (away >= -pct)
    shorts = (prices >= slice.close) & (away >= 0.0) & (away <= pct)
    return (
        slice.factors.band_sum(slice.usd[longs], 1, away[longs]),
        slice.factors.band_sum(slice.usd[shorts], -1, away[shorts]),
    )


def list_zones(*, heatmap: Heatmap, limit: int = 40) -> list[Zone]:
    """List active zones, largest first, then those that ended, newest first."""
    is_over = Case(When(state=Zone.State.ACTIVE, then=Value(0)), default=Value(1), output_field=IntegerField())
    zones = Zone.objects.filter(heatmap=heatmap).annotate(is_over=is_over)
    return list(zones.order_by("is_over", "-ended_at", "-usd", "number")[:limit])


def zones_between(*, heatmap: Heatmap, since: dt.datetime, until: dt.datetime) -> list[Zone]:
    """List the zones that were alive at some moment of a span, in order of birth."""
    alive = Q(ended_at__isnull=True) | Q(ended_at__gte=since)
    return list(Zone.objects.filter(alive, heatmap=heatmap, born_at__lte=until).order_by("number"))


def get_zone(*, zone_id: int) -> Zone:
    """Return a zone with its map, release and instrument; raise Zone.DoesNotExist."""
    return Zone.objects.select_related("heatmap__release", "heatmap__instrument").get(pk=zone_id)


def zone_evidence(*, zone: Zone) -> dict[str, Any]:
    """Return what a zone was at formation and is now, in values that canonical JSON keeps: strings, integers, None."""
    return {
        "number": zone.number,
        "at_formation": zone.evidence,
        "at_formation_sha256": zone.evidence_sha256,
        "now": {
            "state": str(zone.state),
            "price_low": decimal_text(zone.price_low),
            "price_high": decimal_text(zone.price_high),
            "price_peak": decimal_text(zone.price_peak),
            "usd": decimal_text(zone.usd),
            "usd_low": decimal_text(zone.usd_low),
            "usd_high": decimal_text(zone.usd_high),
            "seen_at": zone.last_seen_at.isoformat(),
            "tested_at": zone.tested_at.isoformat() if zone.tested_at else None,
        },
    }


def decimal_text(value: float) -> str:
    """A number as text that every reader hashes alike: ten significant digits, no exponent."""
    return f"{np.format_float_positional(float(f'{value:.10g}'), trim='-')}"
