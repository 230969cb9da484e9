"""Tiles and snapshots on their way into PostgreSQL, and what a build needs back from there."""

from __future__ import annotations

from collections import defaultdict
from hashlib import sha256
from typing import TYPE_CHECKING, Final, TypeAlias

from django.db import connection

from heatmaps.models import STATE_FIELDS, Head, Heatmap
from market.queries import binary_cursor
from market.series import moment

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from django.db.models import Model

    from heatmaps.core.estimators.base import Kept
    from heatmaps.models import Zone, ZoneEvent

# Level, row, column and new body of a tile; without one it is deleted.
Change: TypeAlias = tuple[int, int, int, bytes | None]
# What is stored by tile row, of each column of tiles (level, col).
Bodies: TypeAlias = dict[tuple[int, int], dict[int, bytes]]

_LOCK: Final = """SELECT pg_advisory_xact_lock(hashtext('heatmaps.' || purpose), of::int)
    FROM unnest(%s::text[], %s::bigint[]) AS held(purpose, of)"""
_STAGING: Final = """CREATE TEMPORARY TABLE IF NOT EXISTS staging_tile
    (heatmap_id bigint, level smallint, "row" int, col int, body bytea, etag text) ON COMMIT DELETE ROWS"""
_COPY: Final = 'COPY staging_tile (heatmap_id, level, "row", col, body, etag) FROM STDIN (FORMAT BINARY)'
_MERGE: Final = """INSERT INTO heatmaps_tile (heatmap_id, level, "row", col, body, etag)
    SELECT heatmap_id, level, "row", col, body, etag FROM staging_tile WHERE body IS NOT NULL
    ON CONFLICT (heatmap_id, level, "row", col) DO UPDATE SET body = EXCLUDED.body, etag = EXCLUDED.etag
    WHERE heatmaps_tile.etag <> EXCLUDED.etag"""
_UPSERT: Final = """INSERT INTO heatmaps_tile (heatmap_id, level, "row", col, body, etag)
    SELECT * FROM unnest(%s::bigint[], %s::smallint[], %s::int[], %s::int[], %b::bytea[], %s::text[])
    ON CONFLICT (heatmap_id, level, "row", col) DO UPDATE SET body = EXCLUDED.body, etag = EXCLUDED.etag
    WHERE heatmaps_tile.etag <> EXCLUDED.etag"""
_STRIPS: Final = """SELECT heatmap_id, level, col, "row", body FROM heatmaps_tile
    JOIN unnest(%s::bigint[], %s::smallint[], %s::int[]) AS wanted(heatmap_id, level, col)
    USING (heatmap_id, level, col)"""
_HEAD: Final = """INSERT INTO heatmaps_head (heatmap_id, step_at, body)
    SELECT * FROM unnest(%s::bigint[], %s::timestamptz[], %b::bytea[])
    ON CONFLICT (heatmap_id) DO UPDATE SET step_at = EXCLUDED.step_at, body = EXCLUDED.body"""
_SNAPSHOTS: Final = """INSERT INTO heatmaps_snapshot (heatmap_id, step_at, body, input_digest)
    SELECT * FROM unnest(%s::bigint[], %s::timestamptz[], %b::bytea[], %s::text[])
    ON CONFLICT (heatmap_id, step_at) DO UPDATE SET body = EXCLUDED.body, input_digest = EXCLUDED.input_digest"""
# They are thinned with age: all of a week, then one a day, then, beyond 90 days, one a week.
_THIN: Final = """DELETE FROM heatmaps_snapshot USING unnest(%s::bigint[], %s::timestamptz[]) AS map(of, through)
    WHERE heatmap_id = of AND step_at < through - interval '168 hours' AND 0 <> extract(epoch FROM step_at)::bigint
        %% CASE WHEN step_at < through - interval '2160 hours' THEN 604800 ELSE 86400 END"""
_TRACKING: Final = """INSERT INTO heatmaps_zonetracking (heatmap_id, body) VALUES (%s, %s)
    ON CONFLICT (heatmap_id) DO UPDATE SET body = EXCLUDED.body"""
# So many tiles are written without a table in between.
_FEW: Final = 64
_DROP: Final = """DELETE FROM heatmaps_tile AS tile USING staging_tile AS staged
    WHERE staged.body IS NULL AND (tile.heatmap_id, tile.level, tile."row", tile.col)
        = (staged.heatmap_id, staged.level, staged."row", staged.col)"""
# All that a build moves of a map, with the types of the columns.
_POINTER: Final = {
    "built_from": "timestamptz",
    "built_through": "timestamptz",
    "provisional_through": "timestamptz",
    "shown_through": "timestamptz",
    "revision": "int",
    "allocated_share": "float8",
    "bin_lo": "int",
    "bin_hi": "int",
    "input_digest": "text",
    "change_id": "bigint",
    "updated_at": "timestamptz",
}
_POINT: Final = (
    f"UPDATE heatmaps_heatmap AS map SET {', '.join(f'{name} = moved.{name}' for name in _POINTER)}"  # noqa: S608  # constants
    f" FROM unnest(%s::bigint[], {', '.join(f'%s::{kind}[]' for kind in _POINTER.values())})"
    f" AS moved(id, {', '.join(_POINTER)}) WHERE map.id = moved.id"
)


def lock(*, purpose: str, instrument_id: int) -> None:
    """Wait until nobody else does this to this instrument; held to the end of the transaction."""
    lock_all([(purpose, instrument_id)])


def lock_all(held: Sequence[tuple[str, int]]) -> None:
    """Wait for (purpose, instrument id) each, in one order for all, so that no two wait for each other."""
    purposes, instrument_ids = zip(*sorted(held, key=lambda one: one[::-1]), strict=True)
    with connection.cursor() as cursor:
        cursor.execute(_LOCK, [list(purposes), list(instrument_ids)])


def load_strips(at: Mapping[int, Collection[tuple[int, int]]]) -> dict[tuple[int, int, int], dict[int, bytes]]:
    """The stored bodies of some maps' columns of tiles (level, col), by (map, level, col) and tile row.

    at: by map; a column without any is left out.
    """
    found: defaultdict[tuple[int, int, int], dict[int, bytes]] = defaultdict(dict)
    wanted = [(heatmap_id, level, col) for heatmap_id, keys in at.items() for level, col in keys]
    if wanted:
        with binary_cursor() as cursor:
            columns = [list(column) for column in zip(*wanted, strict=True)]
            for heatmap_id, level, col, row, body in cursor.execute(_STRIPS, columns):
                found[heatmap_id, level, col][row] = body
    return found


def store_tiles(changes: Sequence[tuple[int, Sequence[Change]]]) -> None:
    """Write maps' changed tiles, many of them by COPY."""
    rows = [(heatmap_id, *change) for heatmap_id, changed in changes for change in changed]
    if not rows:
        return
    # What a minute changes is not worth a table in between.
    if len(rows) <= _FEW * len(changes) and all(body is not None for *_, body in rows):
        with binary_cursor() as cursor:
            columns = [list(column) for column in zip(*rows, strict=True)]
            cursor.execute(_UPSERT, [*columns, [_etag(body) for *_, body in rows if body is not None]])
        return
    with connection.cursor() as cursor:
        cursor.execute(_STAGING)
        cursor.execute("TRUNCATE staging_tile")
        with cursor.copy(_COPY) as copy:
            copy.set_types(("int8", "int2", "int4", "int4", "bytea", "text"))
            for *place, body in rows:
                copy.write_row((*place, body, None if body is None else _etag(body)))
        cursor.execute(_MERGE)
        cursor.execute(_DROP)


def _etag(body: bytes) -> str:
    return sha256(body).hexdigest()[:32]


def load_head(*, heatmap: Heatmap) -> bytes | None:
    """The state at the map's newest step, if it was kept."""
    if heatmap.built_through is None:
        return None
    kept = Head.objects.filter(heatmap=heatmap, step_at=heatmap.built_through)
    body = kept.values_list("body", flat=True).first()
    return None if body is None else bytes(body)


def store_heads(states: Sequence[tuple[Heatmap, bytes]]) -> None:
    """Keep the states at the maps' newest steps in the place of those before."""
    if states:
        with binary_cursor() as cursor:
            maps = [heatmap for heatmap, _ in states]
            steps = [heatmap.built_through for heatmap in maps]
            cursor.execute(_HEAD, [[one.pk for one in maps], steps, [body for _, body in states]])


def store_pointers(heatmaps: Sequence[Heatmap]) -> None:
    """Write where the maps' pointers stand: readers believe them, so that all they point at is written before."""
    if heatmaps:
        columns = [[getattr(one, name) for one in heatmaps] for name in ("pk", *_POINTER)]
        with connection.cursor() as cursor:
            cursor.execute(_POINT, columns)


def store_tracking(*, heatmap: Heatmap, body: str) -> None:
    """Keep where following the map's zones stopped in the place of the one before."""
    with binary_cursor() as cursor:
        cursor.execute(_TRACKING, [heatmap.pk, body])


def store_zones(zones: Sequence[Zone]) -> None:
    """Write zones that are stored already as their newest events told them."""
    names = (*STATE_FIELDS, "last_seen_at", "ended_at")
    if zones:
        moved = ", ".join(f"{name} = moved.{name}" for name in names)
        update = f"UPDATE heatmaps_zone AS zone SET {moved} FROM {{}} WHERE zone.id = moved.id"  # noqa: S608  # constants
        _write_columns(update, zones, ("id", *names))


def store_events(events: Sequence[ZoneEvent]) -> None:
    """Write down what was told of zones."""
    names = ("zone_id", "number", "at", "kind", *STATE_FIELDS)
    if events:
        listed = ", ".join(names)
        _write_columns(f"INSERT INTO heatmaps_zoneevent ({listed}) SELECT {listed} FROM {{}}", events, names)  # noqa: S608


def _write_columns(statement: str, rows: Sequence[Model], names: Sequence[str]) -> None:
    """Run a statement over the columns of rows as a table ``moved``: no expression is built for any value."""
    kinds = {field.attname: field.rel_db_type(connection) for field in rows[0]._meta.concrete_fields}  # noqa: SLF001  # Django's name for it
    table = f"unnest({', '.join(f'%s::{kinds[name]}[]' for name in names)}) AS moved({', '.join(names)})"
    with binary_cursor() as cursor:
        cursor.execute(statement.format(table).encode(), [[getattr(row, name) for row in rows] for name in names])


def store_snapshots(kept: Sequence[tuple[Heatmap, Kept]]) -> None:
    """Keep canonical states of maps; one that is there already is replaced."""
    if kept:
        rows = [(heatmap.pk, moment(one.through_ms), one.body, one.digest.hex()) for heatmap, one in kept]
        with binary_cursor() as cursor:
            cursor.execute(_SNAPSHOTS, [list(column) for column in zip(*rows, strict=True)])


def thin_snapshots(heatmaps: Sequence[Heatmap]) -> None:
    """Drop what no restart will need of maps, judged from their newest steps and not from a clock."""
    if heatmaps:
        with connection.cursor() as cursor:
            through = [one.built_through for one in heatmaps]
            cursor.execute(_THIN, [[one.pk for one in heatmaps], through])
