"""A venue's source beside the double's truth of what it reads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from market.sources import SOURCES, load_source, load_venue
from market.sources.base import Access, is_venue
from tests.double.market import symbol_of
from tests.double.tape import DAY, HOUR
from tests.market.venues.canned import OpenGate

if TYPE_CHECKING:
    from collections.abc import Sequence

    from market.series import Records, SeriesName
    from market.sources.base import Connection, Part
    from tests.double import Double
    from tests.double.market import Listing

NOON: Final = 20_440 * DAY + 12 * HOUR
NOW: Final = NOON + 30_000
SLUGS: Final = [slug for slug in SOURCES if is_venue(load_source(slug))]


class Side:
    """One venue's source, and the truth behind what it reads."""

    def __init__(self, double: Double, slug: str) -> None:
        self.double, self.slug, self.venue = double, slug, load_venue(slug)
        self.symbol = symbol_of(slug, "BTC")
        self.listing: Listing = double.market.listing(slug, self.symbol)
        self.size = float(self.listing.contract)
        self.gate = OpenGate()
        self.access = Access(self.gate, double.address)
        self.connection: Connection = self.venue.connect(self.access)

    def read(self, series: SeriesName, since_ms: int, until_ms: int, symbol: str = "") -> Part:
        """Ask once."""
        return self.connection.read(
            series=series,
            symbol=symbol or self.symbol,
            contract_size=self.size,
            since_ms=since_ms,
            until_ms=until_ms,
            now_ms=NOW,
        )

    def read_all(self, series: SeriesName, since_ms: int, until_ms: int) -> Records:
        """Ask page by page, each where the one before has ended."""
        pages: list[Records] = []
        while since_ms < until_ms:
            part = self.read(series, since_ms, until_ms)
            assert part.faults == ()
            assert part.covered is not None
            assert part.covered[0] <= since_ms < part.covered[1] <= until_ms
            since_ms = part.covered[1]
            pages.append(part.rows)
        return np.concatenate(pages)


def same(rows: Records, expected: Sequence[tuple[float, ...]]) -> None:
    """Compare rows with tuples of the truth, in which NaN is what the venue does not tell."""
    names = rows.dtype.names or ()
    assert len(rows) == len(expected) > 0
    told = np.array([row[: len(names)] for row in expected], dtype=rows.dtype)
    for name in names:
        np.testing.assert_allclose(rows[name], told[name], rtol=1e-12, err_msg=name)
