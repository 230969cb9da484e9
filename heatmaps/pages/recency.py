"""Whether a series' newest sample still speaks for now, judged by how far apart its samples usually are."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Final

import numpy as np

from heatmaps.pages import figures

if TYPE_CHECKING:
    import numpy.typing as npt

# How long a sample may be on its way to us.
_GRACE: Final = dt.timedelta(minutes=10)
_RECENT: Final = 24
# Sampling may have become denser; a rate of the sparser times holds as long as it did then.
_SPARSE: Final = 0.9


def spacing(times: npt.NDArray[np.int64]) -> dt.timedelta | None:
    """Return the usual distance of the newest samples; None where there is only one."""
    if times.size < 2:  # noqa: PLR2004  # a distance has two ends
        return None
    return dt.timedelta(milliseconds=float(np.median(np.diff(times[-_RECENT - 1 :]))))


def longest_hold(times: npt.NDArray[np.int64], otherwise: dt.timedelta) -> dt.timedelta:
    """Return how long a sample holds at most before a missing successor makes it a gap."""
    if times.size < 2:  # noqa: PLR2004  # a distance has two ends
        return otherwise + _GRACE
    return dt.timedelta(milliseconds=float(np.quantile(np.diff(times), _SPARSE, method="lower"))) + _GRACE


def age_reason(
    *, times: npt.NDArray[np.int64], as_of: dt.datetime, otherwise: dt.timedelta, is_sum: bool = False
) -> str:
    """Return why the newest sample does not speak for ``as_of``; empty where it does.

    ``otherwise`` is the distance taken where there are too few samples to tell; a sum has a sample where all that it
    counts have one.
    """
    if times.size == 0:
        return "not reported"
    age = as_of - dt.datetime.fromtimestamp(int(times[-1]) / 1000, tz=dt.UTC)
    if age <= (spacing(times) or otherwise) + _GRACE:
        return ""
    return f"last {'complete' if is_sum else 'reported'} {figures.age(age)} ago"


def interval_text(interval: dt.timedelta | None) -> str:
    """Write what a rate is for, such as ``per 8 h``."""
    if interval is None:
        return "per interval"
    return f"per {interval.total_seconds() / 3600:g} h"
