"""Rows on their way into a table: COPY into a temporary one, then one statement that writes what is new or changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from django.db import connection

from market.queries.wire import encode
from market.series import by_field, epoch_ms, moment

if TYPE_CHECKING:
    import datetime as dt

    from market.series import Fields, Records, SeriesName

    from .ledger import Interval
    from .schema import Table


class Stored(NamedTuple):
    """How many rows were not there before, were there with these values, and replaced other values."""

    new: int
    unchanged: int
    revised: int


def open_staging(table: Table) -> str:
    """Make this session's empty staging table, in one way to the server and back, and return its name."""
    name = f"staging_{table.name}"
    columns = ", ".join(f"{field} {_sql_type(table, field)} NOT NULL" for field in (*table.fields, "line"))
    with connection.cursor() as cursor:
        cursor.execute(
            f"CREATE TEMPORARY TABLE IF NOT EXISTS {name} ({columns}) ON COMMIT DELETE ROWS; TRUNCATE {name}"
        )
    return name


def _sql_type(table: Table, field: str) -> str:
    if field == table.time:
        return "timestamptz"
    return "float8" if field in (table.dtype.names or ()) and table.dtype[field].kind == "f" else "int8"


def stage(table: Table, rows: Records, lines: np.ndarray[tuple[int], np.dtype[np.int64]] | None = None) -> None:
    """COPY rows into the staging table, each with the line that it came from (0 when it came from no file)."""
    lined = np.empty(len(rows), dtype=np.dtype([*table.dtype.descr, ("line", "<i8")]))
    for field in table.fields:
        lined[field] = rows[field]
    lined["line"] = 0 if lines is None else lines
    fields = (*table.fields, "line")
    statement = f"COPY staging_{table.name} ({', '.join(fields)}) FROM STDIN (FORMAT binary)"
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        copy.write(encode(lined, fields))


class Conflict(NamedTuple):
    """A staged row whose key came before with other values: its line, that of the first one, and the row by field."""

    line: int
    first_line: int
    row: Fields | None


def drop_duplicates(table: Table) -> tuple[int, list[Conflict]]:
    """Keep the first staged row of each key; return how many went, and those whose values differed."""
    key = ", ".join((table.time, *table.extra_key))
    values = "(ROW({}) IS DISTINCT FROM ROW({}))".format(
        ", ".join(f"s.{value}" for value in table.values), ", ".join(f"f.{value}" for value in table.values)
    )
    name, fields = f"staging_{table.name}", ", ".join(f"s.{field}" for field in table.fields)
    with connection.cursor() as cursor:
        cursor.execute(f"""
            WITH first AS (SELECT DISTINCT ON ({key}) ctid AS place, * FROM {name} ORDER BY {key}, line),
            later AS (
                SELECT s.ctid AS place, s.line, f.line AS first_line, {values} AS differs, {fields}
                FROM {name} s JOIN first f USING ({key}) WHERE s.ctid <> f.place
            ), gone AS (DELETE FROM {name} WHERE ctid IN (SELECT place FROM later) RETURNING 1)
            SELECT line, first_line, differs, {", ".join(table.fields)} FROM later ORDER BY line""")  # noqa: S608 names come from schema.py
        later = cursor.fetchall()
    return len(later), [
        Conflict(line, first_line, _by_field(table, values)) for line, first_line, differs, *values in later if differs
    ]


def _by_field(table: Table, values: list[Any]) -> Fields | None:
    fields = dict(zip(table.fields, values, strict=True))
    fields[table.time] = epoch_ms(fields[table.time])
    return by_field(np.array([tuple(fields[name] for name in table.dtype.names or ())], dtype=table.dtype)[0])


def number_equal_prints(table: Table) -> None:
    """Number staged prints that are equal in all but their line: 0, 1, … in the file's order."""
    key = ", ".join(name for name in table.fields if name != "ordinal")
    name = f"staging_{table.name}"
    with connection.cursor() as cursor:
        cursor.execute(f"""
            UPDATE {name} SET ordinal = numbered.ordinal FROM (
                SELECT ctid AS place, row_number() OVER (PARTITION BY {key} ORDER BY line) - 1 AS ordinal FROM {name}
            ) numbered WHERE {name}.ctid = numbered.place""")  # noqa: S608 names come from schema.py


class Merged(NamedTuple):
    """What a merge did, and the time of the earliest row that it added or changed."""

    stored: Stored
    changed_from: dt.datetime | None


def merge(  # noqa: PLR0913 a series' key, and what is staged of it
    table: Table, *, series: SeriesName, instrument_id: int, timeframe: int, staged: int, span: Interval | None
) -> Merged:
    """Write what staging holds, from the first to the last time [ms] of ``span``, and the table doesn't.

    Former values of changed rows become revisions.

    A value that was not reported (NaN) never erases one that was.

    The caller holds the instrument's lock, as all writers do: a row that isn't there when a statement begins is not
    there when it inserts, and ON CONFLICT would only halve the speed. Should anyone write without the lock, the
    primary key stops the transaction.
    """
    if staged == 0 or span is None:
        return Merged(Stored(0, 0, 0), None)
    params = {
        "id": instrument_id,
        "series": series,
        "timeframe": timeframe,
        "kind": table.price_kind,
        "first": moment(span[0]),
        "last": moment(span[1]),
    }
    with connection.cursor() as cursor:
        cursor.execute(_add_statement(table), params)
        new, revised, changed_from = cursor.fetchone() or (0, 0, None)
        if revised:
            cursor.execute(_replace_statement(table), params)
    return Merged(Stored(new=new, unchanged=staged - new - revised, revised=revised), changed_from)


def _constants(table: Table) -> dict[str, str]:
    """Key columns that are the same for all rows of a merge, with the parameter that each is bound to."""
    constants = {"instrument_id": "%(id)s"}
    if table.price_kind is not None:
        constants["price_kind"] = "%(kind)s"
    if table.has_timeframe:
        constants["timeframe"] = "%(timeframe)s"
    return constants


def _match(table: Table) -> str:
    """Say when a stored row ``b`` and a staged row ``s`` are the same; the bounds spare the other months."""
    return " AND ".join(
        (
            *(f"b.{name} = {value}" for name, value in _constants(table).items()),
            *(f"b.{key} = s.{key}" for key in (table.time, *table.extra_key)),
            f"b.{table.time} BETWEEN %(first)s AND %(last)s",
        )
    )


def _given(table: Table) -> dict[str, str]:
    """Return what each value is to be: what was reported, else what is stored."""
    return {value: f"coalesce(nullif(s.{value}, 'NaN'), b.{value})" for value in table.values}


def _differs(table: Table) -> str:
    stored = ", ".join(f"b.{value}" for value in table.values)
    return f"ROW({', '.join(_given(table).values())}) IS DISTINCT FROM ROW({stored})"


def _add_statement(table: Table) -> str:
    """Insert rows that are new, and what changed rows hold now into the revisions; count both, find the earliest."""
    constants, keys = _constants(table), (table.time, *table.extra_key)
    insert = f"INSERT INTO {table.name} ({', '.join((*constants, *keys, *table.values))})"
    select = f"SELECT {', '.join((*constants.values(), *keys, *table.values))}"
    if not table.values:
        return f"""
            WITH added AS ({insert} {select} FROM staging_{table.name} ON CONFLICT DO NOTHING RETURNING {table.time})
            SELECT count(*), 0, min({table.time}) FROM added"""  # noqa: S608 names come from schema.py, values are bound
    columns = [f"s.{key}" for key in keys] + [f"{given} AS {value}" for value, given in _given(table).items()]
    former = ", ".join(f"'{value}', b.{value}" for value in table.values)
    return f"""
        WITH fresh AS MATERIALIZED (
            SELECT {", ".join(columns)}, CASE WHEN b.instrument_id IS NOT NULL
                THEN jsonb_build_object('timeframe', %(timeframe)s::int, {former}) END AS former
            FROM staging_{table.name} s LEFT JOIN {table.name} b ON {_match(table)}
            WHERE b.instrument_id IS NULL OR {_differs(table)}
        ), added AS ({insert} {select} FROM fresh WHERE former IS NULL), revised AS (
            INSERT INTO market_revision (instrument_id, series, key_time, former)
            SELECT %(id)s, %(series)s, {table.time}, former FROM fresh WHERE former IS NOT NULL
        )
        SELECT count(*) FILTER (WHERE former IS NULL), count(former), min({table.time}) FROM fresh"""  # noqa: S608 names come from schema.py, values are bound


def _replace_statement(table: Table) -> str:
    """Bring stored rows to the staged values."""
    update = ", ".join(f"{value} = {given}" for value, given in _given(table).items())
    return f"UPDATE {table.name} b SET {update} FROM staging_{table.name} s WHERE {_match(table)} AND {_differs(table)}"  # noqa: S608 names come from schema.py, values are bound
