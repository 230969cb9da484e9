"""One run of a score: the span is checked, the figures are computed, and the run is kept."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from heatmaps.core.score.fits import FOLDS
from market.queries import list_instruments, stored_span

from .fitting import FIT, fit_prints
from .lives import score_lives
from .prints import score_liquidations
from .recording import Scored, record_score
from .spans import ScoreError, Span
from .totals import score_totals
from .touches import score_stated, score_touches
from .zones import score_zones

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Mapping, Sequence

    from heatmaps.models import ScoreRun
    from market.models import Instrument

AGAINST: Final[Mapping[str, Callable[[Span], Scored]]] = {
    FIT: fit_prints,
    "liquidations": score_liquidations,
    "hourly-totals": score_totals,
    "zones": score_zones,
    "lives": score_lives,
    "touches": score_touches,
    "stated": score_stated,
}


def score(  # noqa: PLR0913 -- the command's options
    *,
    key: str,
    against: str,
    now: dt.datetime,
    since: dt.datetime | None = None,
    until: dt.datetime | None = None,
    names: Sequence[str] = (),
    folds: str = FOLDS[0],
    maps: str = "registered",
    beside: Sequence[str] = (),
) -> ScoreRun:
    """Score an instrument's maps over [since, until) (all that is stored by default) and keep the run.

    Raises ScoreError where nothing can be scored.
    """
    if names and maps != "registered":
        raise ScoreError("Estimators are chosen from the registered ones: leave out --maps, or --estimator.")
    span = _span(_instrument(key), since, until, now)
    others = [_span(_instrument(other), span.since, span.until, now) for other in beside]
    span = replace(span, names=tuple(names), folds=folds, maps=maps, beside=others)
    scored = AGAINST[against](span)
    return record_score(
        subject=key,
        against=against,
        command=_command(span, against),
        scored=scored,
        now=now,
        instrument_id=span.instrument.pk,
        since=span.since,
        until=span.until,
    )


def _instrument(key: str) -> Instrument:
    known = {one.key: one for one in list_instruments() if not one.is_pair}
    if key not in known:
        names = ", ".join(sorted(known)) or "none yet; `manage.py import_history` brings some in"
        raise ScoreError(f"There is no instrument {key!r} that can be scored. Known: {names}.")
    return known[key]


def _span(instrument: Instrument, since: dt.datetime | None, until: dt.datetime | None, now: dt.datetime) -> Span:
    stored = stored_span(instrument_id=instrument.pk)
    if stored is None:
        raise ScoreError(f"Nothing is stored of {instrument.key}; `manage.py import_history` brings bars in.")
    first, last = max(since or stored[0], stored[0]), min(until or stored[1], stored[1], now)
    if first >= last:
        raise ScoreError(
            f"Nothing of {instrument.key} is stored in this span; it is from {stored[0]:%Y-%m-%d %H:%M}"
            f" to {stored[1]:%Y-%m-%d %H:%M} UTC."
        )
    return Span(instrument, first, last, stored[0])


def _command(span: Span, against: str) -> str:
    """The command that repeats the run over the same span."""
    parts = [
        f"python3 manage.py score {span.instrument.key}",
        f"--from {span.since:%Y-%m-%dT%H:%M} --to {span.until:%Y-%m-%dT%H:%M} --against {against}",
        *(f"--estimator {name}" for name in span.names),
        *([f"--maps {span.maps}"] if span.maps != "registered" else []),
        *(f"--beside {one.instrument.key}" for one in span.beside),
        *([f"--folds {span.folds}"] if span.folds != FOLDS[0] else []),
    ]
    return " ".join(parts)
