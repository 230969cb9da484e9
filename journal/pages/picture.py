"""The frozen picture of a plan's zone as a drawing: the price of the day before, and the estimate around it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from journal.models import Plan

WIDTH: Final = 640
HEIGHT: Final = 220
_SIDE: Final = 120  # of the profile on the right
_GUTTER: Final = 110  # of the labels on the left, as wide as a phone needs them
_PAD: Final = 8
_LABEL: Final = 20.0  # height of a label as a phone needs it


@dataclass(frozen=True, slots=True)
class Picture:
    """Coordinates in a box of WIDTH by HEIGHT: a line of closes, bars of the profile, a band, lines of the plan.

    marks: name, height of its line, and of its label, which stands apart from the others.
    """

    line: str
    bars: tuple[tuple[float, float, float], ...]
    band: tuple[float, float]
    marks: tuple[tuple[str, float, float], ...]


def draw_picture(plan: Plan) -> Picture | None:
    """Draw what was frozen at arming; None where nothing was."""
    evidence = plan.evidence or {}
    frozen, zone = evidence.get("picture") or {}, (evidence.get("zone") or {}).get("now") or {}
    closes = [float(close) for _, close in frozen.get("closes", [])]
    if len(closes) < 2 or "price_low" not in zone:  # noqa: PLR2004  # a line has two ends
        return None
    bins = [(float(price), float(usd)) for price, usd in frozen["bins"]]
    marks = [("entry", plan.entry), ("invalidation", plan.invalidation)]
    marks += [("target", price) for price, _ in plan.target_prices]
    prices = [(name, float(price)) for name, price in marks if price is not None]
    low_high = [*closes, float(zone["price_low"]), float(zone["price_high"]), *(price for _, price in prices)]
    low, high = min(low_high), max(low_high)

    def y(price: float) -> float:
        return round(_PAD + (high - price) / ((high - low) or 1) * (HEIGHT - 2 * _PAD), 1)

    step = (WIDTH - _SIDE - _GUTTER) / (len(closes) - 1)
    most = max((usd for _, usd in bins), default=1.0)
    return Picture(
        line=" ".join(f"{_GUTTER + i * step:.1f},{y(close)}" for i, close in enumerate(closes)),
        bars=tuple(
            (y(price), round(usd / most * (_SIDE - 10), 1), WIDTH - round(usd / most * (_SIDE - 10), 1))
            for price, usd in bins
            if low <= price <= high
        ),
        band=(y(float(zone["price_high"])), round(y(float(zone["price_low"])) - y(float(zone["price_high"])), 1)),
        marks=tuple(
            (name, y(price), at) for (name, price), at in zip(prices, _apart([y(p) for _, p in prices]), strict=True)
        ),
    )


def _apart(heights: list[float]) -> list[float]:
    """Return heights of labels near their lines, in the same order from top to bottom, none over another."""
    placed: dict[int, float] = {}
    floor = _LABEL
    for i in sorted(range(len(heights)), key=heights.__getitem__):
        placed[i] = floor = max(heights[i] - 3, floor)
        floor += _LABEL
    ceiling = HEIGHT - 4.0
    for i in sorted(placed, key=placed.__getitem__, reverse=True):
        placed[i] = ceiling = min(placed[i], ceiling)
        ceiling -= _LABEL
    return [round(placed[i], 1) for i in range(len(heights))]
