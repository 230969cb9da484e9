"""Chances of a touch against what came: over stored history, walking forward, and as they were stated at the time."""

from __future__ import annotations

import datetime as dt
from hashlib import sha256
from typing import TYPE_CHECKING, Final

import numpy as np

from heatmaps.core.reach import DAY, MOST_DAYS, PARAMETERS, SLUG, VERSION, Path, release_digest
from heatmaps.core.score.chances import DRAWS
from heatmaps.core.touches import Touches, figures, walk
from heatmaps.queries import load_path_bars, stated_touches
from market.series import DAY_MS, epoch_ms, moment

from .recording import Scored
from .spans import ScoreError

if TYPE_CHECKING:
    from .spans import Span

# What a running product learns each day is learnt each week here: a seventh of the work, and no luckier.
EVERY_DAYS: Final = 7
_LEAST: Final = dt.timedelta(days=21)


def score_touches(span: Span) -> Scored:
    """State chances every half hour of the span, each by what had been learnt before its week, and hold them to it."""
    day = dt.timedelta(days=1)
    start = moment(-(-epoch_ms(span.since) // DAY_MS) * DAY_MS)
    first = max(moment(-(-epoch_ms(span.first) // DAY_MS) * DAY_MS), start - MOST_DAYS * day)
    if start - first < _LEAST:
        raise ScoreError(
            f"Chances of a touch are learnt from {_LEAST.days} days or more before the span."
            f" Give a --from of {first + _LEAST:%Y-%m-%d} or later."
        )
    bars = load_path_bars(instrument_id=span.instrument.pk, since=first, until=span.until)
    span.took(bars)
    found = walk(Path.of(bars), split=(start - first) // day * DAY, every=EVERY_DAYS * DAY)
    known = {name: touches for name, touches in found.items() if len(touches.days)}
    if not known:
        raise ScoreError(
            f"Nothing can be scored of {span.instrument.key} from {start:%Y-%m-%d}: bars are missing, or no horizon"
            " is over by its end. Give an earlier --from or a later --to."
        )
    rows = figures(known, lambda number: f"{first + number * day:%Y-%m}")
    return Scored(rows, _releases(), span.data_sha256(), _settings() | {"learnt_every_days": EVERY_DAYS})


def score_stated(span: Span) -> Scored:
    """Hold the chances that were stated in the span, and whose horizon is over by its end, to what came."""
    stated = stated_touches(instrument_id=span.instrument.pk, since=span.since, until=span.until)
    if not stated:
        raise ScoreError(
            f"No chance that was stated of {span.instrument.key} in this span has come due."
            " They are stated each hour while `manage.py up` runs."
        )
    rows = figures(stated, lambda number: f"{moment(number * DAY_MS):%Y-%m}")
    return Scored(rows, _releases(), _digest(stated), _settings())


def _digest(stated: dict[str, Touches]) -> str:
    parts = [np.column_stack([one.chances, one.base, one.outcomes, one.days]).tobytes() for one in stated.values()]
    return sha256(b"".join(parts)).hexdigest()


def _releases() -> list[dict[str, str]]:
    return [{"slug": SLUG, "version": VERSION, "digest": release_digest()}]


def _settings() -> dict[str, object]:
    return {"draws": DRAWS, "seed": 1, "stride_bars": PARAMETERS["stride"]}
