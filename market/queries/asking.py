"""Questions about stored rows, and their answers: one statement however many are asked together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from market import series as s

from .driver import binary_cursor
from .wire import from_arrays

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    import numpy as np
    from django.db.models import QuerySet

    from market.series import Records

BARS: Final = (
    "instrument_id = %(id)s AND price_kind = %(kind)s AND timeframe = %(timeframe)s"
    " AND open_time >= %(since)s AND open_time <= %(until)s - make_interval(secs => %(timeframe)s)"
)
SAMPLES: Final = "instrument_id = %(id)s AND time > %(since)s AND time <= %(until)s"
EVENTS: Final = "instrument_id = %(id)s AND time >= %(since)s AND time < %(until)s"
_NULLABLE: Final = frozenset({"volume", *s.OPTIONAL})


class Question(NamedTuple):
    """One read: its statement, the values bound in it, the rows that it gives, and what is made of them."""

    query: str
    params: Mapping[str, object]
    dtype: np.dtype[np.void]
    finish: Callable[[Records], Records] = lambda rows: rows


def answer(*questions: Question) -> list[Records]:
    """Return the records that each question asks for, all as of one moment."""
    parts = ", ".join(f"({_as_arrays(one, number)}) AS part_{number}" for number, one in enumerate(questions))
    params = {f"p{number}_{name}": value for number, one in enumerate(questions) for name, value in one.params.items()}
    with binary_cursor() as cursor:
        row = cursor.execute(f"SELECT * FROM {parts}".encode(), params).fetchone()  # noqa: S608 -- of questions
    assert row is not None  # each part is an aggregate, whose answer is one row
    found, first = [], 0
    for one in questions:
        stop = first + len(one.dtype.names or ())
        found.append(one.finish(from_arrays(row[first:stop], one.dtype)))
        first = stop
    return found


def _as_arrays(question: Question, number: int) -> str:
    """Write a question as one row of arrays, its parameters under names of its own."""
    arrays = ", ".join(_array(field, question.dtype) for field in question.dtype.names or ())
    query = question.query.replace("%(", f"%(p{number}_")
    # An aggregate takes its input in the order of the subquery, as nothing stands between them.
    return f"SELECT {arrays} FROM ({query}) AS rows"  # noqa: S608 -- names of dtypes


def _array(field: str, dtype: np.dtype[np.void]) -> str:
    return f"array_agg({field})" if dtype[field].hasobject else f"array_send(array_agg({field}))"


def ask_queryset(rows: QuerySet[Any, Any], dtype: np.dtype[np.void]) -> Question:
    """Ask what a queryset's ``values`` would: integers, and objects (bytes, text) as the driver gives them.

    The fields of ``dtype`` are those of ``values``, none of them NULL.
    """
    query, values = rows.query.sql_with_params()
    params = {f"v{number}": value for number, value in enumerate(values)}
    # Integers may be shorter where they are stored.
    fields = ", ".join(field if dtype[field].hasobject else f"{field}::int8" for field in dtype.names or ())
    named = query.replace("%%", "%%%%") % tuple(f"%({name})s" for name in params)
    return Question(f"SELECT {fields} FROM ({named}) AS found", params, dtype)  # noqa: S608 of a queryset


def stored_rows(
    table: str, dtype: np.dtype[np.void], where: str, params: Mapping[str, object], *, most: int | None = None
) -> Question:
    """Ask for rows of a table in order of time; ``most``: the first ones, with all of the last one's moment."""
    # Names come from the dtypes of market.series, values are bound.
    first = f" FETCH FIRST {most:d} ROWS WITH TIES" if most is not None else ""
    time = (dtype.names or ())[0]
    query = f"SELECT {columns_of(dtype)} FROM {table} WHERE {where} ORDER BY {time}{first}"  # noqa: S608 of constants
    return Question(query, params, dtype)


def columns_of(dtype: np.dtype[np.void]) -> str:
    """Name the columns of a dtype: of eight bytes each, and NaN for what the venue did not report."""
    return ", ".join(_column(field, dtype) for field in dtype.names or ())


def _column(field: str, dtype: np.dtype[np.void]) -> str:
    if field in _NULLABLE:
        return f"coalesce({field}, 'NaN') AS {field}"
    is_small = dtype[field].kind == "i" and field not in {"time", "open_time"}
    return f"{field}::int8 AS {field}" if is_small else field
