"""Files, trades and comparisons as pages show them."""

from __future__ import annotations

from decimal import Decimal
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from access.reading import written
from journal.pages.paths import range_text
from journal.pages.words import DASH, short_text, signed, whole_text
from market.queries import venue_name

if TYPE_CHECKING:
    from journal.comparison import Waterfall
    from journal.imports import Layout, Reading, Table
    from journal.models import Fill, Trade

_SHOWN: Final = 10
_REFUSED: Final = 20
# The picture of a waterfall, in its own units.
_WIDTH, _LEFT, _ROW, _BAR = 460, 126, 30, 16
_STEPS: Final = (
    ("model", "Plan on its own"), ("entry", "Own entry"), ("size", "Own size"), ("management", "Own exits"),
    ("costs", "Own costs"), ("actual", "What was made"),
)  # fmt: skip
_MEANWHILE: Final = (("The price went against it by", "adverse"), ("and for it by", "favourable"))
_PARTS: Final = {
    "plan": "had a plan", "entry": "entry within 0.1 R", "size": "size within 10 %", "stop": "stop kept",
    "widening": "stop not widened", "exit": "exit at a level of the plan",
}  # fmt: skip


def describe_trade(one: Trade) -> dict[str, Any]:
    """Write a trade's numbers as a list shows them."""
    return {
        "trade": one,
        "venue": venue_name(one.venue),
        "side": "Long" if one.side > 0 else "Short",
        "size": short_text(one.size),
        "entry": short_text(one.entry, 8),
        "exit": DASH if one.exit is None else short_text(one.exit, 8),
        "result": DASH if one.result is None else signed(one.result, 2),
        "fees": DASH if one.fees is None else written(f"{one.fees:,.2f}"),
        "is_open": one.closed_at is None,
        "plan": _plan(one),
        "asks": one.plan is None and not one.matched,
    }


def _plan(one: Trade) -> str:
    if one.plan is not None:
        return one.plan.label
    return {"none": "no plan", "moved": "in an imported journal"}.get(one.matched, "not said yet")


def describe_file(table: Table, layout: Layout | None, reading: Reading | None) -> dict[str, Any]:
    """Say what a file holds before it is taken in."""
    if reading is None:
        rows = [cells for _, cells in islice(table.rows(), _SHOWN)]
        return {"header": table.header, "sample": rows, "layout": layout.title if layout else ""}
    fills = [
        {"at": one.at, "symbol": one.symbol, "side": "bought" if one.side > 0 else "sold",
         "price": short_text(one.price, 12),
         "quantity": short_text(one.quantity) + (" contracts" if one.in_contracts else ""),
         "fee": f"{whole_text(one.fee)} {one.fee_unit}".strip()}
        for one in reading.fills[:_SHOWN]
    ]  # fmt: skip
    closed = [
        {"at": one.closed_at, "symbol": one.symbol, "side": "long closed" if one.side > 0 else "short closed",
         "price": short_text(one.exit, 12), "quantity": short_text(one.quantity), "fee": signed(one.result, 2)}
        for one in reading.closed[:_SHOWN]
    ]  # fmt: skip
    return {
        "layout": layout.title if layout else "",
        "rows": [*fills, *closed],
        "has_closed": bool(reading.closed),
        "count": len(reading.fills) + len(reading.closed),
        "row_count": reading.row_count,
        "refused": reading.refused[:_REFUSED],
        "refused_count": len(reading.refused),
        "passed_over": sorted(reading.passed_over.items()),
    }


def describe_fill(one: Fill) -> dict[str, Any]:
    """Say what was filled, to the last digit."""
    return {
        "pk": one.pk,
        "at": one.at,
        "side": "bought" if one.side > 0 else "sold",
        "price": whole_text(one.price),
        "quantity": whole_text(one.quantity),
        "fee": f"{whole_text(one.fee)} {one.fee_unit}".strip(),
        "is_typed": one.is_typed,
    }


def describe_comparison(one: Any) -> dict[str, Any]:  # noqa: ANN401  # journal.operations.Comparison, a floor above
    """Say how a trade lies to its plan."""
    late = one.late
    return {
        "trade": describe_trade(one.trade),
        "missing": one.missing,
        "steps": _bars(one.steps) if one.steps else [],
        "height": _ROW * len(_STEPS),
        "zero": _zero(one.steps) if one.steps else 0,
        "of_fill": None if one.of_fill is None else signed(one.of_fill, 2),
        "label": late.label if late else "",
        "delay": _delay(late.delay_ms) if late else "",
        "chase": signed(late.chase, 2) if late else DASH,
        "move_used": f"{late.move_used * 100:.0f} %".replace("-", "−") if late else DASH,
        "reward": written(f"{late.reward:.2f}") if late and late.reward is not None else DASH,
        "meanwhile": [(name, range_text(getattr(one.meanwhile, field))) for name, field in _MEANWHILE]
        if one.meanwhile
        else [],
        "score": None if one.kept is None or one.kept.score is None else f"{one.kept.score:.0f}",
        "parts": [
            (_PARTS[part.name], "not known" if part.share is None else _of_one(part.share, part.weight))
            for part in (one.kept.parts if one.kept else ())
        ],
    }  # fmt: skip


def _of_one(share: Decimal, weight: int) -> str:
    return f"{written(format(share, '.1f'))} of 1, weight {weight}"


def _delay(delay_ms: int | None) -> str:
    if delay_ms is None:
        return "the plan was not triggered"
    minutes = abs(delay_ms) // 60_000
    if delay_ms < 0 and not minutes:
        return "in the minute of the plan's trigger"
    length = f"{written(format(minutes, ','))} min" if minutes else "less than a minute"
    return f"{length} {'after' if delay_ms >= 0 else 'before'} the plan's trigger"


def _edges(steps: Waterfall) -> list[tuple[Decimal, Decimal]]:
    """Return where each bar begins and ends [R]: the first and last from 0, each step from where the last one ended."""
    edges, at = [(Decimal(0), steps.model)], steps.model
    for name, _ in _STEPS[1:-1]:
        after = at + getattr(steps, name)
        edges.append((at, after))
        at = after
    return [*edges, (Decimal(0), steps.actual)]


def _scale(steps: Waterfall) -> tuple[Decimal, Decimal]:
    """Return the least value and what one R is wide."""
    ends = [end for pair in _edges(steps) for end in pair]
    low, high = min(ends), max(ends)
    return low, (_WIDTH - _LEFT - 70) / max(high - low, Decimal("0.01"))


def _zero(steps: Waterfall) -> str:
    low, unit = _scale(steps)
    return f"{_LEFT - low * unit:.1f}"


def _bars(steps: Waterfall) -> list[dict[str, Any]]:
    low, unit = _scale(steps)
    rows = []
    for place, ((name, title), (begin, end)) in enumerate(zip(_STEPS, _edges(steps), strict=True)):
        left, right = min(begin, end), max(begin, end)
        rows.append({
            "title": title,
            "text": f"{signed(getattr(steps, name), 2)} R",
            "x": f"{_LEFT + (left - low) * unit:.1f}",
            "width": f"{max((right - left) * unit, Decimal(1)):.1f}",
            "y": place * _ROW + (_ROW - _BAR) // 2,
            "middle": place * _ROW + _ROW // 2,
            "end": f"{_LEFT + (right - low) * unit + 6:.1f}",
            "kind": "whole" if name in {"model", "actual"} else "up" if end >= begin else "down",
        })  # fmt: skip
    return rows
