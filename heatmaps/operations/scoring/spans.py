"""What a score reads: an instrument, a span, and everything stored before it that estimators may learn from."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from heatmaps.core.score.hours import hours_of
from market.contracts import in_contracts
from market.queries import load_terms, load_window
from market.series import epoch_ms

if TYPE_CHECKING:
    from collections.abc import Sequence

    from heatmaps.core.grid import Ints
    from heatmaps.core.score.hours import Hours
    from market.models import Instrument
    from market.series import Records, Window
    from market.terms import Terms

# Estimators start at most this long before what is scored: older positions are closed by then.
WARM_UP: Final = dt.timedelta(days=60)


class ScoreError(Exception):
    """A score can not be computed; the message says what to change."""

    permanent = True


@dataclass(frozen=True, slots=True)
class Span:
    """What is scored: hours or bars that begin in [since, until); ``first`` is where stored bars begin.

    names: estimators, all of ESTIMATORS where there are none; folds: one of FOLDS; maps: one of SETS; beside: other
    instruments over the same span, for maps that read several.
    """

    instrument: Instrument
    since: dt.datetime
    until: dt.datetime
    first: dt.datetime
    names: Sequence[str] = ()
    folds: str = "weeks"
    maps: str = "registered"
    beside: Sequence[Span] = ()
    _hash: list[bytes] = field(default_factory=list)

    @property
    def terms(self) -> Terms:
        """How the venue liquidates, and its brackets."""
        return load_terms(instrument=self.instrument)

    @property
    def days(self) -> float:
        """Length in days."""
        return (self.until - self.since) / dt.timedelta(days=1)

    @property
    def wanted_ms(self) -> tuple[int, int]:
        """Both ends in milliseconds."""
        return epoch_ms(self.since), epoch_ms(self.until)

    def window(self) -> Window:
        """Bars, mark bars and open interest of the span and of what comes before it, in contracts."""
        since = max(self.first, self.since - WARM_UP)
        window = load_window(instrument_id=self.instrument.pk, since=since, until=self.until, beside=("mark_bars",))
        self.took(window.bars, window.open_interest, *([window.mark_bars] if len(window.mark_bars) else []))
        if self.instrument.contract_type == "inverse":
            return in_contracts(window, self.instrument.contract_size)
        return window

    def hours(self, window: Window, wanted_ms: Ints) -> Hours:
        """The hours of a window; those that are incomplete at its end count as they are."""
        return hours_of(window.bars, wanted_ms)

    def took(self, *records: Records) -> None:
        """Note input, in the order in which it is read."""
        self._hash.extend(sha256(one.tobytes()).digest() for one in records)

    def data_sha256(self) -> str:
        """SHA-256 over the SHA-256 of all input."""
        hashes = [*self._hash, *(bytes.fromhex(one.data_sha256()) for one in self.beside)]
        return sha256(b"".join(hashes)).hexdigest()
