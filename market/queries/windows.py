"""The windows that estimators build from: bars by step and samples, of one span or of many in one statement each."""

from __future__ import annotations

import datetime as dt
import itertools
from dataclasses import replace
from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np

from market import series as s

from .asking import SAMPLES, Question, answer, columns_of, stored_rows

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from market.series import Records

_REACHED_BACK: Final = dt.timedelta(days=1)
Span: TypeAlias = tuple[int, dt.datetime, dt.datetime]


def load_window(
    *, instrument_id: int, since: dt.datetime, until: dt.datetime, beside: Collection[str] = ()
) -> s.Window:
    """Return the bars and open interest from which an estimator builds.

    For each five-minute step: five one-minute bars if all exist, else the five-minute bar, else what one-minute bars
    there are. Open interest as in ``load_open_interest``. ``beside``: of "mark_bars", "funding" and "account_ratio"
    those to load, too; samples reach back a day, so that the one that held at the first bar is among them.
    """
    span = (instrument_id, since, until)
    return load_windows(spans=[span], beside=beside)[span]


def load_windows(*, spans: Sequence[Span], beside: Collection[str] = ()) -> dict[Span, s.Window]:
    """Return the same for (instrument id, since, until) each: one question for all bars, one for all open interest."""
    kinds = (0, 1) if "mark_bars" in beside else (0,)
    bars = _spans_of("market_bar", s.BAR, _SPAN_BARS, spans, ("price_kind", "timeframe"), {"kinds": list(kinds)})
    interest = _spans_of("market_openinterest", s.OPEN_INTEREST, _SPAN_SAMPLES, spans)
    found = {}
    for place, span in enumerate(spans):
        steps = [_merged(bars, place, kind) for kind in kinds]
        window = s.Window(*steps[0], interest[place,])
        if "mark_bars" in beside:
            window = replace(window, mark_bars=steps[1][0], mark_ms=steps[1][1])
        if "funding" in beside:
            window = replace(window, funding=_samples("market_fundingrate", s.FUNDING, span))
        if "account_ratio" in beside:
            window = replace(window, account_ratio=_samples("market_accountratio", s.ACCOUNT_RATIO, span))
        found[span] = window
    return found


def _samples(table: str, dtype: np.dtype[np.void], span: Span) -> Records:
    of = {"id": span[0], "since": span[1] - _REACHED_BACK, "until": span[2]}
    return answer(stored_rows(table, dtype, SAMPLES, of))[0]


_SPAN_SAMPLES: Final = "time > asked.since AND time <= asked.until"
# The bounds of all spans are constants, so that no partition beside them is looked into.
_SPAN_BARS: Final = """price_kind = ANY(%(kinds)s) AND timeframe = ANY('{60,300}')
    AND open_time >= asked.since AND open_time <= asked.until - make_interval(secs => timeframe)
    AND open_time >= %(first)s AND open_time <= %(last)s"""


class _Split(dict[tuple[int, ...], "Records"]):
    """Records by (place, ...); none where there are none."""

    def __init__(self, dtype: np.dtype[np.void]) -> None:
        super().__init__()
        self._none = np.empty(0, dtype)

    def __missing__(self, key: tuple[int, ...]) -> Records:
        return self._none


def _spans_of(  # noqa: PLR0913, PLR0917 -- a table, what of it, and by what it is told apart
    table: str,
    dtype: np.dtype[np.void],
    where: str,
    spans: Sequence[Span],
    keys: Sequence[str] = (),
    params: Mapping[str, object] | None = None,
) -> _Split:
    """Return the rows of each span, ascending in time, by (place in ``spans``, *keys)."""
    names = dtype.names or ()
    by = ", ".join(("place", *keys))
    query = f"""SELECT place, {"".join(f"{key}::int8 AS {key}, " for key in keys)}{columns_of(dtype)}
        FROM unnest(%(ids)s::bigint[], %(sinces)s::timestamptz[], %(untils)s::timestamptz[])
            WITH ORDINALITY AS asked(of, since, until, place)
        CROSS JOIN LATERAL (SELECT * FROM {table} WHERE instrument_id = asked.of AND {where}) AS found
        ORDER BY {by}, {names[0]}"""  # noqa: S608 -- names of dtypes and constants
    ids, sinces, untils = ([span[i] for span in spans] for i in range(3))
    bound = {"ids": ids, "sinces": sinces, "untils": untils, "first": min(sinces), "last": max(untils)}
    whole = np.dtype([(name, "<i8") for name in ("place", *keys)] + [(name, dtype[name]) for name in names])
    rows = answer(Question(query, {**bound, **(params or {})}, whole))[0]
    split = _Split(dtype)
    if len(rows):
        told = np.stack([rows[name] for name in ("place", *keys)], axis=1)
        starts = np.flatnonzero(np.append(True, (np.diff(told, axis=0) != 0).any(axis=1)))
        plain = np.empty(len(rows), dtype)
        for name in names:
            plain[name] = rows[name]
        for start, stop in itertools.pairwise([*starts.tolist(), len(rows)]):
            place, *rest = told[start].tolist()
            split[place - 1, *rest] = plain[start:stop]
    return split


def _merged(bars: _Split, place: int, kind: int) -> tuple[Records, np.ndarray[tuple[int], np.dtype[np.int64]]]:
    return merge_steps(bars[place, kind, 60], bars[place, kind, 300])


def merge_steps(minutes: Records, fives: Records) -> tuple[Records, np.ndarray[tuple[int], np.dtype[np.int64]]]:
    """Choose for each five-minute step between its one-minute bars and its five-minute bar."""
    steps, inverse, counts = np.unique(minutes["open_time"] // s.STEP_MS, return_inverse=True, return_counts=True)
    five_steps = fives["open_time"] // s.STEP_MS
    complete = steps[counts == s.STEP_MS // s.MINUTE_MS]
    use_minutes = np.isin(steps, complete) | ~np.isin(steps, five_steps)
    kept = (minutes[use_minutes[inverse]], fives[~np.isin(five_steps, complete)])
    bars = np.concatenate(kept)
    bar_ms = np.repeat(np.array([s.MINUTE_MS, s.STEP_MS], dtype=np.int64), [len(part) for part in kept])
    order = np.argsort(bars["open_time"], kind="stable")
    return bars[order], bar_ms[order]
