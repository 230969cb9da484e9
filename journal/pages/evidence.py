"""What was frozen into a plan, as a reader looks for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from journal.pages.words import DASH, digits_of, number_text, share_text, usd_text

if TYPE_CHECKING:
    from journal.models import Plan

Figure = tuple[str, str, str]


def describe_evidence(found: Plan) -> list[Figure]:
    """Pick from the evidence what a reader looks for first: label, value, remark. The download has the rest."""
    if not found.evidence:
        return []
    zone, market = found.evidence["zone"], found.evidence["market"]
    digits = digits_of(found.zone.heatmap.instrument.tick_size)
    now, born = zone.get("now", {}), zone.get("at_formation", {})
    edges = [number_text(now.get(name), digits) for name in ("price_low", "price_high")]
    tested = now.get("tested_at")
    return [
        ("Zone at arming", " to ".join(edges), now.get("state", "")),
        ("Estimate at arming", usd_text(now.get("usd")), _interval(now)),
        ("Last price at arming", number_text(market["last_price"], digits), "stale" if market["is_stale"] else ""),
        ("Zone formed", _time(born.get("formed_at")), "UTC"),
        ("Estimate at formation", usd_text(born.get("usd")), _interval(born)),
        ("Price at formation", number_text(born.get("price_at_formation"), digits), ""),
        ("Distance at formation", number_text(born.get("distance_pct"), 2), "% of price"),
        ("First tested", _time(tested) if tested else "not yet", "UTC" if tested else ""),
        ("Open interest then", number_text(born.get("open_interest"), 0), found.zone.heatmap.instrument.base),
        ("Share on the map", share_text(born.get("allocated_share")), ""),
        ("Estimator", born.get("estimator") or DASH, born.get("version") or ""),
        (
            "Interval",
            (born.get("interval") or DASH).partition(",")[0],
            (born.get("interval") or "").partition(", ")[2],
        ),
    ]


def describe_layers(context: dict[str, Any] | None) -> list[Figure]:
    """Say what each context layer said: title, value, and its percentile or why there is none."""
    if not context:
        return []
    rows = []
    for layer in context["layers"].values():
        rank = layer["percentile"]
        remark = f"percentile {number_text(rank, 0)} of 90 d" if rank else layer["reason"]
        rows.append((layer["title"], _value(layer), remark))
    return sorted(rows)


def _value(layer: dict[str, Any]) -> str:
    value = layer["value"]
    if value is None:
        return DASH
    try:
        # Plans of before there were notes lack them.
        words = (number_text(value, layer.get("digits", 2)), layer["unit"], layer.get("note", ""))
        return " ".join(filter(None, words))
    except ArithmeticError:  # a word
        return str(value)


def _interval(zone: dict[str, str]) -> str:
    return f"80 %: {usd_text(zone['usd_low'])} to {usd_text(zone['usd_high'])}" if "usd_low" in zone else ""


def _time(text: str | None) -> str:
    return (text or DASH)[:16].replace("T", " ")
