"""Every fit to liquidations that is kept: what it found, and whether the rule lets it replace the prior."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from heatmaps.pages import figures

from .wording import OURS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .reading import Run, Value

FIT: Final = "fit"
_FEEDS: Final = {"all": "complete", "latest per second": "thinned"}


@dataclass(frozen=True, slots=True)
class FitRow:
    """One fit, ready to print; ``verdict`` follows from its held-out gain alone."""

    run: int
    subject: str
    span: str
    made_text: str
    feed: str
    scale_text: str
    capture_text: str
    share_text: str
    turnover_text: str
    weights: tuple[tuple[str, str], ...]
    gain_text: str
    is_promotable: bool
    verdict: str
    data: str


def fits(runs: Sequence[Run]) -> list[FitRow]:
    """Put fits into words, the newest first."""
    return [_row(run) for run in runs if run.row.against == FIT]


def _row(run: Run) -> FitRow:
    gain = run.one(measure="deviance-gain", map=OURS)
    is_promotable = gain is not None and gain.is_above
    sampling = str(run.row.settings.get("sampling") or "")
    return FitRow(
        run=run.pk,
        subject=run.subject,
        span=run.span,
        made_text=f"{figures.moment(run.row.created_at)} UTC",
        feed=_FEEDS.get(sampling, sampling or "not known"),
        scale_text=_plain(run.one(measure="scale")),
        capture_text=_plain(run.one(measure="capture")),
        share_text=_plain(run.one(measure="liquidated-share")),
        turnover_text=_plain(run.one(measure="turnover"), 2),
        weights=tuple((one.mode, _plain(one, 2)) for one in run.all(measure="weight")),
        gain_text=figures.DASH if gain is None else gain.text(4),
        is_promotable=is_promotable,
        verdict="may become a version" if is_promotable else "scale alone: no gain is shown",
        data=run.row.data_sha256,
    )


def _plain(one: Value | None, digits: int = 3) -> str:
    return figures.DASH if one is None else one.plain(digits)
