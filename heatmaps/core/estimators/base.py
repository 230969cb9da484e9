"""What an estimator promises: a name, a version, frozen parameters, and a map that never looks ahead."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol

import numpy as np

from heatmaps.core.grid import GRID_BINS
from heatmaps.core.inventory import Deposits, Inventory
from heatmaps.core.strips import Columns
from heatmaps.core.tile import DIGEST_MS, SPINE
from market.canonical import digest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy.typing as npt

    from heatmaps.core.grid import Floats, Ints
    from heatmaps.core.steps import Steps
    from market.series import Window

# Every run makes its state canonical at these boundaries of the epoch, so that a restart there changes no bit.
BLOCK_MS: Final = 6 * 3_600_000
START_DIGEST: Final = bytes(32)

_HEAD: Final = struct.Struct("<4sqqqdd4d2q32s")
_MAGIC: Final = b"BHS1"
_EXACT_MAGIC: Final = b"BHX1"
_SCALES: Final = struct.Struct("<2d")
_SPAN: Final = struct.Struct("<2i")


@dataclass(slots=True)
class State:
    """Where an estimate stands after the step that ended at ``through_ms``.

    last_open_interest, reference_open_interest: at that step and at the very first one [contracts];
    first_ms: end of the very first step; digest: SHA-256 over all input so far.
    """

    inventory: Inventory
    through_ms: int
    first_ms: int
    last_open_interest: float
    reference_open_interest: float
    digest: bytes

    def copy(self) -> State:
        """An independent copy that may run ahead."""
        held = self.last_open_interest, self.reference_open_interest
        return State(self.inventory.copy(), self.through_ms, self.first_ms, *held, self.digest)


@dataclass(frozen=True, slots=True)
class Kept:
    """A canonical state as bytes, from which a run goes on bit for bit."""

    through_ms: int
    body: bytes
    digest: bytes


@dataclass(frozen=True, slots=True)
class Estimate:
    """The map over a window. Arrays are [step] unless said otherwise.

    slug, version: which estimator said so; steps: what it read; anchor: first bin of each column;
    columns: float32[step, GRID_BINS] contracts per bin at the end of the step; ledger: float64[step, side, 4]
    (swept, kept, opened, lost); total: contracts on either side; kept: canonical states passed; state: the newest;
    flags: bits of ``flags.Flag``.
    """

    slug: str
    version: str
    steps: Steps
    anchor: Ints
    columns: npt.NDArray[np.float32]
    ledger: Floats
    total: Floats
    kept: tuple[Kept, ...]
    state: State | None
    flags: npt.NDArray[np.uint16]

    def painted(self, status: int) -> Columns:
        """The columns as they are painted into tiles, each with the step that it rests on."""
        spine = np.zeros(len(self.steps), SPINE)
        for name in ("low", "high", "close", "open_interest"):
            spine[name] = getattr(self.steps, name)
        spine["total"], spine["status"], spine["flags"] = self.total, status, self.flags
        spine["kept"] = self.ledger[:, :, 1]
        spine["swept"][:, 0] = np.minimum(self.steps.sweeps.low, self.steps.close)
        spine["swept"][:, 1] = np.maximum(self.steps.sweeps.high, self.steps.close)
        for index in np.flatnonzero(self.steps.end_ms % DIGEST_MS == 0).tolist():
            spine["digest"][index] = np.frombuffer(self.steps.digests[index], np.uint8)
        return Columns(self.steps.end_ms, self.anchor, self.columns, spine, self.steps.gap)


@dataclass(frozen=True, slots=True)
class Drawn:
    """The map of a rule that keeps no ledger of flows; the fields are those of an estimate.

    swept: for each step what was swept [contracts], float64[side, part], of a rule that keeps parts apart, else None.
    """

    slug: str
    version: str
    steps: Steps
    anchor: Ints
    columns: npt.NDArray[np.float32]
    kept: tuple[Kept, ...]
    state: Any
    swept: Sequence[Floats | None] = ()


class Map(Protocol):
    """What every estimate is: columns of contracts per bin at the ends of steps, and states to go on from."""

    @property
    def slug(self) -> str: ...
    @property
    def version(self) -> str: ...
    @property
    def steps(self) -> Steps: ...
    @property
    def anchor(self) -> Ints: ...
    @property
    def columns(self) -> npt.NDArray[np.float32]: ...
    @property
    def kept(self) -> tuple[Kept, ...]: ...
    @property
    def state(self) -> Any: ...  # noqa: ANN401 -- each estimator has its own


class Estimator(Protocol):
    """An entry of ESTIMATORS. Parameters are frozen: another value is another version."""

    slug: str
    version: str
    parameters: Mapping[str, object]
    bin_bps: float

    def estimate(self, window: Window, state: Any) -> Map:  # noqa: ANN401 -- each estimator has its own
        """Go on from ``state`` (None: from nothing) through every complete step of the window."""
        ...

    def resume(self, body: bytes) -> Any:  # noqa: ANN401 -- each estimator has its own
        """Rebuild a state from bytes that this estimator kept; ValueError if they are not."""
        ...


class BuiltEstimator(Estimator, Protocol):
    """An estimator whose map is built for every instrument, into tiles.

    ``bands`` are the factors of its 80 % intervals (``heatmaps.core.bands``), frozen as ``parameters["bands"]``: no
    estimate is shown without an interval. ``reads`` are the series that its window must hold beside bars and open
    interest.
    """

    tracks_zones: bool
    bands: Mapping[str, list[list[float]]]
    reads: frozenset[str]

    def estimate(self, window: Window, state: State | None) -> Estimate:
        """Go on from ``state`` (None: from nothing) through every complete step of the window."""
        ...

    def provisional(self, window: Window, state: State, *, limit: int) -> Estimate:
        """Show up to ``limit`` unfinished steps after ``state`` as if open interest stood still; ``state`` is kept."""
        ...

    def digests(self, window: Window, state: State) -> dict[int, bytes]:
        """The input digest at the end of each step after ``state``, without estimating."""
        ...

    def resume(self, body: bytes) -> State:
        """Rebuild a state from bytes that this estimator kept; ValueError if they are not."""
        ...

    def resume_exactly(self, body: bytes) -> State:
        """Rebuild a state from the bytes of ``freeze``; ValueError if they are not."""
        ...


def parameters_digest(parameters: Mapping[str, object]) -> str:
    """SHA-256 of the parameters as canonical JSON, floats as Python spells them."""
    return digest(dict(parameters), is_exact=False)


def pack(state: State) -> bytes:
    """A canonical state as bytes: a head, then for each row the part that is not zero, as float32."""
    return _write(state, _MAGIC, np.dtype("<f4"))


def unpack(body: bytes, deposits: Deposits) -> State:
    """Undo ``pack``; ValueError for bytes of another kind or length."""
    state, _ = _read(body, deposits, _MAGIC, np.dtype("<f4"))
    return state


def freeze(state: State) -> bytes:
    """A state between canonical ones as bytes, to the bit: its scales, then as ``pack`` but float64."""
    return _SCALES.pack(*state.inventory.scale) + _write(state, _EXACT_MAGIC, np.dtype("<f8"))


def thaw(body: bytes, deposits: Deposits) -> State:
    """Undo ``freeze``; ValueError for bytes of another kind or length."""
    state, scales = _read(body, deposits, _EXACT_MAGIC, np.dtype("<f8"), _SCALES.size)
    state.inventory.scale = list(_SCALES.unpack(scales))
    return state


def _write(state: State, magic: bytes, dtype: np.dtype[np.floating[Any]]) -> bytes:
    inventory = state.inventory
    head = _HEAD.pack(
        magic,
        inventory.grid_start,
        state.through_ms,
        state.first_ms,
        state.last_open_interest,
        state.reference_open_interest,
        *inventory.total,
        *inventory.hidden,
        *inventory.edge,
        state.digest,
    )
    parts = [head]
    for row in inventory.rows.reshape(-1, GRID_BINS).astype(dtype):
        used = np.flatnonzero(row)
        start, stop = (int(used[0]), int(used[-1]) + 1) if len(used) else (0, 0)
        parts += [_SPAN.pack(start, stop), row[start:stop].tobytes()]
    return b"".join(parts)


def _read(
    body: bytes, deposits: Deposits, magic: bytes, dtype: np.dtype[np.floating[Any]], lead: int = 0
) -> tuple[State, bytes]:
    """A state, and the ``lead`` bytes before its head."""
    try:
        found, anchor, through, first, last, reference, *numbers, digest = _HEAD.unpack_from(body, lead)
        if found != magic:
            raise ValueError("not a snapshot of this estimator")
        inventory = Inventory(deposits, anchor=anchor)
        inventory.total, inventory.hidden, inventory.edge = numbers[:2], numbers[2:4], numbers[4:6]
        _read_rows(body, inventory.rows.reshape(-1, GRID_BINS), lead + _HEAD.size, dtype)
    except struct.error as error:
        raise ValueError("the snapshot is cut short") from error
    return State(inventory, through, first, last, reference, digest), body[:lead]


def _read_rows(body: bytes, rows: Floats, place: int, dtype: np.dtype[np.floating[Any]]) -> None:
    for row in rows:
        start, stop = _SPAN.unpack_from(body, place)
        place += _SPAN.size
        row[start:stop] = np.frombuffer(body, dtype, stop - start, place)
        place += dtype.itemsize * (stop - start)
    if place != len(body):
        raise ValueError("the snapshot has bytes left over")
