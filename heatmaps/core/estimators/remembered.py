"""Two baselines made of our own map: its average by distance, and what it was at the end of yesterday."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

import numpy as np

from heatmaps.core.grid import GRID_BINS, Floats, bin_coordinate
from market.series import DAY_MS

from . import base
from .open_interest import OpenInterest
from .rule import RuleState, pack, unpack

if TYPE_CHECKING:
    from collections.abc import Mapping

    from market.series import Window
    from market.terms import Terms

_LENGTH: Final = struct.Struct("<q")
_MIDDLE: Final = GRID_BINS // 2
_COMMON: Final = {"bin_bps": OpenInterest.bin_bps, "of": f"{OpenInterest.slug} {OpenInterest.version}"}


@dataclass(slots=True)
class Remembering:
    """Our estimator's state, and what is remembered of its maps."""

    ours: base.State
    past: RuleState

    @property
    def through_ms(self) -> int:
        """End of the newest step."""
        return self.ours.through_ms

    @property
    def digest(self) -> bytes:
        """SHA-256 of all input so far."""
        return self.ours.digest

    def copy(self) -> Remembering:
        """An independent copy that may run ahead."""
        return Remembering(self.ours.copy(), self.past.copy())


class RememberedMap:
    """Runs our estimator and shows what a subclass makes of its columns."""

    slug: str
    version = f"1.{OpenInterest.version}"
    parameters: Mapping[str, object]
    bin_bps = OpenInterest.bin_bps

    def __init__(self, *, terms: Terms) -> None:
        self.ours = OpenInterest(terms=terms)

    def remember(self, past: RuleState, column: Floats, anchor: int, above: float, end_ms: int) -> Floats:
        """Take in one column of ours (``above``: its close in bins of the grid) and return the column to show."""
        raise NotImplementedError

    def estimate(self, window: Window, state: Remembering | None) -> base.Drawn:
        """Go on from ``state`` (None: from nothing) through every complete step; ``state`` is used up."""
        found = self.ours.estimate(window, None if state is None else state.ours)
        past = RuleState(np.zeros((1, GRID_BINS)), np.full(2, np.nan), 0, 0, 0, 0.0) if state is None else state.past
        columns, kept = np.empty_like(found.columns), {one.through_ms: one for one in found.kept}
        closes = bin_coordinate(found.steps.close, self.ours.width) - 0.5
        states = []
        for index, end_ms in enumerate(found.steps.end_ms.tolist()):
            anchor, column = int(found.anchor[index]), found.columns[index].astype(np.float64)
            columns[index] = self.remember(past, column, anchor, float(closes[index]) - anchor, end_ms)
            if end_ms in kept:
                body = kept[end_ms].body
                states.append(base.Kept(end_ms, _LENGTH.pack(len(body)) + body + pack(past), kept[end_ms].digest))
        new = None if found.state is None else Remembering(found.state, past)
        return base.Drawn(self.slug, self.version, found.steps, found.anchor, columns, tuple(states), new)

    def resume(self, body: bytes) -> Remembering:
        """Rebuild a state from bytes that this estimator kept; ValueError if they are not."""
        if len(body) < _LENGTH.size:
            raise ValueError("the snapshot is cut short")
        end = _LENGTH.size + _LENGTH.unpack_from(body)[0]
        return Remembering(self.ours.resume(body[_LENGTH.size : end]), unpack(body[end:]))


class Climatology(RememberedMap):
    """The mean of all our columns so far by distance from the close, in bins: what is always there.

    The one row of ``past`` sums columns with the close in its middle; ``memory[0]`` counts them.
    """

    slug = "climatology"
    parameters: Mapping[str, object] = MappingProxyType({"rule": "climatology", **_COMMON})

    def remember(self, past: RuleState, column: Floats, anchor: int, above: float, end_ms: int) -> Floats:  # noqa: ARG002
        """Add this column and show the mean around its close."""
        shift = int(np.floor(above)) - _MIDDLE
        past.rows[0] += _shifted(column, -shift)
        past.memory[0] = 1.0 if np.isnan(past.memory[0]) else past.memory[0] + 1.0
        return np.asarray(_shifted(past.rows[0], shift) / past.memory[0])


class Yesterday(RememberedMap):
    """Our map of the last UTC midnight, unchanged since: what price has passed by then lies on no side.

    ``memory`` holds the close of that midnight in absolute bins. Nothing is shown before the first one.
    """

    slug = "yesterday"
    parameters: Mapping[str, object] = MappingProxyType({"rule": "yesterday", **_COMMON})

    def remember(self, past: RuleState, column: Floats, anchor: int, above: float, end_ms: int) -> Floats:
        """Show what was kept; keep this column if a day ends with it."""
        shown = _shifted(past.rows[0], past.anchor - anchor)
        places, before = np.arange(GRID_BINS), past.memory[0] - anchor
        was_long, is_long = places < before, places < above
        shown[was_long != is_long] = 0.0
        if end_ms % DAY_MS == 0:
            past.rows[0], past.anchor, past.memory[0] = column, anchor, above + anchor
            return column
        return shown


def _shifted(row: Floats, shift: int) -> Floats:
    """The row moved up by ``shift`` bins; what falls off is left out."""
    moved = np.zeros(GRID_BINS)
    if abs(shift) < GRID_BINS:
        source = slice(max(-shift, 0), GRID_BINS - max(shift, 0))
        moved[max(shift, 0) : GRID_BINS - max(-shift, 0)] = row[source]
    return moved
