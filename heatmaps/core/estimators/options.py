"""What the engine can believe beyond the first version: frozen with a release, each off until it earns its place."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Final

from heatmaps.core.closing import PROPORTIONAL, Closing
from heatmaps.core.steps import Reading
from heatmaps.core.tilts import NO_TILT, Tilt

if TYPE_CHECKING:
    from heatmaps.core.leverage import LeveragePrior


@dataclass(frozen=True, slots=True)
class Options:
    """Choices of an estimator of the inventory family.

    by_mark_price: sweep by the mark price where it is stored; wick: where it is not, the share of a bin that is swept
    where only a wick of the last price touched it; by_brackets: maintenance by the venue's brackets of the day;
    headroom: see ``leverage.Margins``; never_share_short: None where it is the longs'; most_jump: the factor beyond
    which a sample of open interest must be explained by volume, None to believe all.
    """

    by_mark_price: bool = False
    wick: float = 1.0
    by_brackets: bool = False
    headroom: float = 1.0
    never_share_short: float | None = None
    most_jump: float | None = None
    tilt: Tilt = NO_TILT
    closing: Closing = PROPORTIONAL

    @property
    def reading(self) -> Reading:
        """What goes into a step."""
        return Reading(by_mark_price=self.by_mark_price, tilt=self.tilt)

    def prior(self, prior: LeveragePrior) -> LeveragePrior:
        """The prior with what the options change of it."""
        return prior if self.never_share_short is None else replace(prior, never_share_short=self.never_share_short)

    def as_parameters(self) -> dict[str, object]:
        """The options as JSON-able parameters of a release."""
        return asdict(self)


# As everything was in the first versions of both estimators.
FIRST: Final = Options()
# Since version 2. The wick's share and the headroom: docs/decisions/0017.
SECOND: Final = Options(by_mark_price=True, wick=0.85, by_brackets=True, headroom=8.0, most_jump=2.0)
