"""What venues that speak JSON over a network have in common; each derives from ``NetworkVenue``."""

from __future__ import annotations

from abc import ABC, abstractmethod
from itertools import islice
from typing import TYPE_CHECKING

from market.series import DAY_MS

from . import stream
from .base import Heard
from .strict import Row, UnreadableError, fault_of

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterator, Mapping
    from typing import ClassVar

    from market.series import SeriesName

    from .base import Access, Budget, Channel, Connection, Offer


class NetworkVenue(ABC):
    """See ``market.sources.base.Venue``; a venue's file says what is its own."""

    is_simulated = False
    history_ms = 14 * DAY_MS
    slug: ClassVar[str]
    name: ClassVar[str]
    offers: ClassVar[Mapping[SeriesName, Offer]]
    streams: ClassVar[frozenset[SeriesName]]
    budget: ClassVar[Budget]
    liquidation_sampling: ClassVar[str]
    counted: ClassVar[frozenset[SeriesName]] = frozenset()

    @abstractmethod
    def connect(self, access: Access) -> Connection:
        """Open the REST side; costs no request."""

    @abstractmethod
    def channels(self, sizes: Mapping[str, float]) -> tuple[Channel, ...]:
        """Share symbols out over as many websockets as the venue's limits ask for."""

    @abstractmethod
    def heard(self, row: Row, channel: Channel) -> Heard:
        """Read one object of a channel; raise UnreadableError where even its topic can't be read."""

    def hear(self, message: object, *, channel: Channel) -> Heard:
        """Read one message of a channel."""
        try:
            return self.heard(Row(message), channel)
        except UnreadableError as error:
            return Heard(faults=(fault_of(message, str(error)),))

    def listen(self, channel: Channel, *, access: Access) -> AsyncGenerator[Heard, None]:
        """Open a websocket, subscribe, and yield what is heard until it ends."""
        return stream.listen(self, channel, access=access)


def in_groups(sizes: Mapping[str, float], most: int) -> Iterator[Mapping[str, float]]:
    """Share symbols out into groups of ``most``."""
    left = iter(sizes.items())
    while group := dict(islice(left, most)):
        yield group
