"""Tiles and snapshots on their way into PostgreSQL, and what a build needs back from there."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from hashlib import sha256
from typing import TYPE_CHECKING, Final, TypeAlias

from django.db import connection

from heatmaps.models import Head, Heatmap, Snapshot
from market.queries import binary_cursor
from market.series import epoch_ms, moment

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from heatmaps.core.estimators.base import Kept

# Level, row, column and new body of a tile; without one it is deleted.
Change: TypeAlias = tuple[int, int, int, bytes | None]
# What is stored by tile row, of each column of tiles (level, col).
Bodies: TypeAlias = dict[tuple[int, int], dict[int, bytes]]

# Snapshots are thinned with age: all of a week, then one a day, then one a week.
_WEEK: Final = dt.timedelta(days=7)
_QUARTER: Final = dt.timedelta(days=90)

_STAGING: Final = """CREATE TEMPORARY TABLE IF NOT EXISTS staging_tile
    (level smallint, "row" int, col int, body bytea, etag text) ON COMMIT DELETE ROWS"""
_COPY: Final = 'COPY staging_tile (level, "row", col, body, etag) FROM STDIN (FORMAT BINARY)'
_MERGE: Final = """INSERT INTO heatmaps_tile (heatmap_id, level, "row", col, body, etag)
    SELECT %s, level, "row", col, body, etag FROM staging_tile WHERE body IS NOT NULL
    ON CONFLICT (heatmap_id, level, "row", col) DO UPDATE SET body = EXCLUDED.body, etag = EXCLUDED.etag
    WHERE heatmaps_tile.etag <> EXCLUDED.etag"""
_UPSERT: Final = """INSERT INTO heatmaps_tile (heatmap_id, level, "row", col, body, etag)
    SELECT %s, * FROM unnest(%s::smallint[], %s::int[], %s::int[], %s::bytea[], %s::text[])
    ON CONFLICT (heatmap_id, level, "row", col) DO UPDATE SET body = EXCLUDED.body, etag = EXCLUDED.etag
    WHERE heatmaps_tile.etag <> EXCLUDED.etag"""
_STRIPS: Final = """SELECT level, "row", col, body FROM heatmaps_tile
    JOIN unnest(%s::smallint[], %s::int[]) AS wanted(level, col) USING (level, col) WHERE heatmap_id = %s"""
_HEAD: Final = """INSERT INTO heatmaps_head (heatmap_id, step_at, body) VALUES (%s, %s, %s)
    ON CONFLICT (heatmap_id) DO UPDATE SET step_at = EXCLUDED.step_at, body = EXCLUDED.body"""
_TRACKING: Final = """INSERT INTO heatmaps_zonetracking (heatmap_id, body) VALUES (%s, %s)
    ON CONFLICT (heatmap_id) DO UPDATE SET body = EXCLUDED.body"""
# So many tiles are written without a table in between.
_FEW: Final = 64
_DROP: Final = """DELETE FROM heatmaps_tile AS tile USING staging_tile AS staged
    WHERE tile.heatmap_id = %s AND staged.body IS NULL
      AND (tile.level, tile."row", tile.col) = (staged.level, staged."row", staged.col)"""


def lock(*, purpose: str, instrument_id: int) -> None:
    """Wait until nobody else does this to this instrument; held to the end of the transaction."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s), %s::int)", [f"heatmaps.{purpose}", instrument_id])


def load_strips(heatmap_id: int, at: Collection[tuple[int, int]]) -> Bodies:
    """The stored bodies of columns of tiles (level, col), by tile row; one without any is left out."""
    levels, cols = zip(*at, strict=True)
    found: Bodies = defaultdict(dict)
    with binary_cursor() as cursor:
        for level, row, col, body in cursor.execute(_STRIPS, [list(levels), list(cols), heatmap_id]):
            found[level, col][row] = body
    return found


def store_tiles(*, heatmap_id: int, changes: Sequence[Change]) -> tuple[int, int]:
    """Write changed tiles, many of them by COPY; return how many and their bytes."""
    if len(changes) <= _FEW and all(body is not None for *_, body in changes):
        return _store_few(heatmap_id, changes)
    count = size = 0
    with connection.cursor() as cursor:
        cursor.execute(_STAGING)
        cursor.execute("TRUNCATE staging_tile")
        with cursor.copy(_COPY) as copy:
            copy.set_types(("int2", "int4", "int4", "bytea", "text"))
            for level, row, col, body in changes:
                copy.write_row((level, row, col, body, None if body is None else _etag(body)))
                count, size = count + 1, size + len(body or b"")
        cursor.execute(_MERGE, [heatmap_id])
        cursor.execute(_DROP, [heatmap_id])
    return count, size


def _store_few(heatmap_id: int, changes: Sequence[Change]) -> tuple[int, int]:
    """Write tiles in one statement: what a minute changes is not worth a table in between."""
    if not changes:
        return 0, 0
    levels, rows, cols, bodies = zip(*changes, strict=True)
    etags = [_etag(body) for body in bodies]
    with binary_cursor() as cursor:
        cursor.execute(_UPSERT, [heatmap_id, list(levels), list(rows), list(cols), list(bodies), etags])
    return len(changes), sum(map(len, bodies))


def _etag(body: bytes) -> str:
    return sha256(body).hexdigest()[:32]


def load_head(*, heatmap: Heatmap) -> bytes | None:
    """The state at the map's newest step, if it was kept."""
    if heatmap.built_through is None:
        return None
    kept = Head.objects.filter(heatmap=heatmap, step_at=heatmap.built_through)
    body = kept.values_list("body", flat=True).first()
    return None if body is None else bytes(body)


def store_head(*, heatmap: Heatmap, body: bytes) -> None:
    """Keep the state at the map's newest step in the place of the one before."""
    with binary_cursor() as cursor:
        cursor.execute(_HEAD, [heatmap.pk, heatmap.built_through, body])


def store_tracking(*, heatmap: Heatmap, body: str) -> None:
    """Keep where following the map's zones stopped in the place of the one before."""
    with binary_cursor() as cursor:
        cursor.execute(_TRACKING, [heatmap.pk, body])


def store_snapshots(*, heatmap: Heatmap, kept: Iterable[Kept]) -> None:
    """Keep canonical states; one that is there already is replaced."""
    rows = [
        Snapshot(heatmap=heatmap, step_at=moment(one.through_ms), body=one.body, input_digest=one.digest.hex())
        for one in kept
    ]
    Snapshot.objects.bulk_create(
        rows, update_conflicts=True, unique_fields=["heatmap", "step_at"], update_fields=["body", "input_digest"]
    )


def thin_snapshots(*, heatmap: Heatmap) -> None:
    """Drop what no restart will need, judged from the newest step and not from a clock."""
    if heatmap.built_through is None:
        return
    old = Snapshot.objects.filter(heatmap=heatmap, step_at__lt=heatmap.built_through - _WEEK)
    extra = []
    for pk, step_at in old.values_list("pk", "step_at"):
        days = epoch_ms(step_at) / 86_400_000
        is_ancient = step_at < heatmap.built_through - _QUARTER
        if days % (7 if is_ancient else 1) != 0:
            extra.append(pk)
    if extra:
        Snapshot.objects.filter(pk__in=extra).delete()
