"""Asset pairs with made-up members whose maps are built, and what their sum holds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from heatmaps.core.sums import is_partial
from heatmaps.core.tile import DENSITY_BPS, usd_from_code
from heatmaps.models import Heatmap, SummedStrip
from heatmaps.operations import build, sum_members
from heatmaps.queries import read_codes, read_records, read_strip
from market.models import Instrument
from market.operations import ensure_pairs, ingest
from market.series import STEP_MS, epoch_ms
from tests.core.windows import START_MS, make_window, scaled
from tests.factories import make_instrument

from .markets import LATE, built, put

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from market.series import Window

SLUG = "open-interest"
FIRST = START_MS // STEP_MS
# What the members of ``three`` hold, the leader 1: no powers of two, whose codes would be sums of no rounding.
SIZES = (1.0, 0.61, 0.23)
# Rows of tiles at the finest level that hold everything; whole rows at the coarsest, too.
ROWS = (80, 95)


@dataclass(frozen=True)
class Made:
    """A member and the market that its venue has."""

    instrument: Instrument
    window: Window

    def tell(self, *, until: float | None = None) -> None:
        """Report what has happened until a step, and build the map."""
        put(self.instrument, self.window, until=until)
        build(instrument_id=self.instrument.pk, estimator=SLUG, now=LATE)

    @property
    def heatmap(self) -> Heatmap:
        """Its map."""
        return Heatmap.objects.get(instrument=self.instrument)


def make_member(
    venue: str, *, steps: int, contracts: float = 1.0, price: float = 1.0, contract_usd: float | None = None
) -> Made:
    """A live member whose prices and sizes are multiples of one made-up market's; nothing is told of it yet."""
    instrument = make_instrument(venue=venue, contract_usd=contract_usd, is_live=True)
    window = scaled(make_window(steps=steps), price=price, contracts=contracts)
    window.open_interest["open_interest_value"] = window.open_interest["mark_price"] = np.nan
    return Made(instrument, window)


def three(steps: int) -> tuple[Made, Made, Made]:
    """Binance leads; the others are smaller and a little dearer and cheaper."""
    sizes = (("binance", 1.0, 1.0), ("bybit", SIZES[1], 1.0004), ("okx", SIZES[2], 0.9997))
    made = tuple(make_member(venue, steps=steps, contracts=size, price=price) for venue, size, price in sizes)
    ensure_pairs()
    return made[0], made[1], made[2]


def all_of(members: Sequence[Made], steps: range) -> npt.NDArray[np.float64]:
    """What their maps hold together [USD per bin]."""
    total: npt.NDArray[np.float64] = np.sum([usd_of(one.heatmap, steps) for one in members], axis=0)
    return total


def the_pair() -> Instrument:
    return Instrument.objects.get(venue="pair")


def add_up() -> Heatmap:
    """Bring the pair and its map up to date."""
    ingest(instrument_id=the_pair().pk, now=LATE)
    sum_members(instrument_id=the_pair().pk, now=LATE)
    return the_sum()


def the_sum() -> Heatmap:
    return Heatmap.objects.get(instrument=the_pair())


def usd_of(heatmap: Heatmap, steps: range) -> npt.NDArray[np.float64]:
    """USD per bin [bin, step] over a range of bins that holds every map of these tests."""
    cols = (FIRST + steps.start) // 256, (FIRST + steps.stop - 1) // 256
    codes = read_codes(heatmap=heatmap, level=0, rows=ROWS, cols=cols)
    chosen = codes[:, FIRST + np.array(steps) - cols[0] * 256]
    return usd_from_code(chosen, heatmap.code_floor_usd) * (heatmap.bin_bps / DENSITY_BPS)


def total_at(heatmap: Heatmap, step: int) -> float:
    """All that a map holds at a step [USD]."""
    return float(usd_of(heatmap, range(step - 1, step)).sum())


def status_at(heatmap: Heatmap, step: int) -> int:
    """The status of the column that ends so many steps after the start."""
    strip = read_strip(heatmap=heatmap, col=(FIRST + step - 1) // 256)
    return int(strip.spine["status"][(FIRST + step - 1) % 256])


def summed() -> dict[str, object]:
    """All that a sum stores but its id and the time of writing."""
    rows = SummedStrip.objects.filter(heatmap=the_sum()).order_by("col")
    strips = [(row.col, row.inputs, bytes(row.record), bytes(row.shares)) for row in rows]
    return built(the_pair(), slug="sum-open-interest") | {"strips": strips}


def partial_steps() -> list[int]:
    """The steps at which somebody is missing from what is drawn of the pair."""
    heatmap = the_sum()
    first, last = (int(step) for step in steps_of(heatmap))
    records = read_records(heatmap=heatmap, cols=range((FIRST + first) // 256, (FIRST + last - 1) // 256 + 1))
    return [
        step
        for step in range(first + 1, last + 1)
        if is_partial(records[(FIRST + step - 1) // 256])[(FIRST + step - 1) % 256]
    ]


def steps_of(heatmap: Heatmap) -> tuple[float, float]:
    """From which step to which a map is built."""
    assert heatmap.built_from
    assert heatmap.built_through
    first, last = ((epoch_ms(edge) - START_MS) / STEP_MS for edge in (heatmap.built_from, heatmap.built_through))
    return first, last
