"""The screener in words: each line with its doubt, its age, and the reason where something is missing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

from django.core.paginator import Paginator

from heatmaps import queries
from heatmaps.core.layers import load_layer
from heatmaps.pages import figures, naming, outages, state, touches

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping

    from heatmaps.models import Standing
    from heatmaps.queries import Choice, Lean, Line, Near

PER_PAGE: Final = 100
PICTURES_PER_PAGE: Final = 24
CROWDING: Final = load_layer("crowding").states
# Width of the marks in cells [SVG units].
_BAR: Final = 72.0
# Sort key, head, and whether the largest comes first.
_COLUMNS: Final = (
    ("name", "Instrument", False),
    ("age", "Data", False),
    ("change", "Last, 24h", True),
    ("interest", "Open interest", True),
    ("interest-percentile", "OI percentile", True),
    ("funding-percentile", "Funding", True),
    ("below", "Longs below", False),
    ("above", "Shorts above", False),
    ("lean", "Lean within 5%", True),
    ("", "Crowding", False),
)


@dataclass(frozen=True, slots=True)
class Head:
    """A column's head: where a click leads, and how the table is sorted by it now (ascending, descending, or empty)."""

    key: str
    title: str
    query: str
    sorted: str


@dataclass(frozen=True, slots=True)
class Rank:
    """A value with its percentile, or the reason why there is none; ``x``: the marker's place on 72 units."""

    text: str
    percentile_text: str
    x: str
    reason: str


@dataclass(frozen=True, slots=True)
class NearCell:
    """The nearest zone on a side."""

    pk: int
    label: str
    is_long: bool
    price_text: str
    distance_text: str
    usd_text: str
    interval_text: str
    chance_text: str
    chance_reason: str


@dataclass(frozen=True, slots=True)
class LeanCell:
    """Which way the estimates lean, on 72 units with the middle at 36."""

    text: str
    interval_text: str
    x: str
    low_x: str
    width: str
    is_shorts: bool


@dataclass(frozen=True, slots=True)
class Row:
    """One instrument, ready to print."""

    key: str
    title: str
    venue: str
    is_pair: bool
    is_simulated: bool
    symbol: str
    status: state.Status
    note: str
    coverage_text: str
    last_text: str
    change_text: str
    interest_text: str
    interest: Rank
    funding: Rank
    below: NearCell | None
    above: NearCell | None
    nothing_near: str
    lean: LeanCell | None
    crowding_text: str
    crowding_reason: str
    # Why it is greyed; empty where it is not.
    reason: str


@dataclass(frozen=True, slots=True)
class Screener:
    """A page of lines, and the way to the others."""

    rows: tuple[Row, ...]
    heads: tuple[Head, ...]
    count: int
    thin_count: int
    horizon_text: str
    previous_query: str
    next_query: str
    page_text: str
    is_pictures: bool
    other_view_query: str


def load(*, choice: Choice, query: Mapping[str, str], page: int, now: dt.datetime) -> Screener:
    """Read a page. ``query``: what the address said, for the links; raises EmptyPage beyond the last."""
    lines = queries.screen(choice=choice, now=now)
    is_pictures = query.get("view") == "pictures"
    part = Paginator(lines, PICTURES_PER_PAGE if is_pictures else PER_PAGE).page(page)
    kept = {name: text for name, text in query.items() if text and name != "page"}
    return Screener(
        rows=tuple(_row(line, choice.horizon, now) for line in part.object_list),
        heads=tuple(_head(column, choice.sort, kept) for column in _COLUMNS),
        count=len(lines),
        thin_count=sum(bool(line.reason) for line in lines),
        horizon_text=touches.WORDS[choice.horizon],
        previous_query=urlencode({**kept, "page": page - 1}) if part.has_previous() else "",
        next_query=urlencode({**kept, "page": page + 1}) if part.has_next() else "",
        page_text=f"{part.start_index()}{figures.EN_DASH}{part.end_index()} of {len(lines)}",
        is_pictures=is_pictures,
        other_view_query=urlencode({**kept, "view": "" if is_pictures else "pictures"}),
    )


def _head(column: tuple[str, str, bool], sort: str, kept: Mapping[str, str]) -> Head:
    key, title, is_down_first = column
    is_now = bool(key) and sort.removeprefix("-") == key
    is_down = sort.startswith("-")
    turned = not is_down if is_now else is_down_first
    query = urlencode({**kept, "sort": f"-{key}" if turned else key}) if key else ""
    return Head(key, title, query, ("descending" if is_down else "ascending") if is_now else "")


def _row(line: Line, horizon: str, now: dt.datetime) -> Row:
    instrument, standing = line.instrument, line.standing
    digits = figures.decimals(instrument.tick_size)
    return Row(
        key=instrument.key,
        title=f"{instrument.base}-{instrument.quote}",
        venue=naming.venue_label(instrument),
        is_pair=instrument.is_pair,
        is_simulated=instrument.is_simulated,
        symbol=instrument.symbol,
        status=state.describe(freshness=line.freshness, now=now),
        note=f"venue {outages.say(line.outage)}" if line.outage else "",
        coverage_text=_coverage(standing, is_pair=instrument.is_pair),
        last_text=figures.price(line.last, digits),
        change_text=figures.signed(line.change_pct),
        interest_text=figures.usd(line.interest_usd),
        interest=_interest(standing),
        funding=_funding(standing),
        below=_near(line.below, digits, horizon),
        above=_near(line.above, digits, horizon),
        nothing_near=line.nothing_near,
        lean=_lean(line.lean),
        crowding_text=standing.crowding.capitalize() if standing and standing.crowding else figures.DASH,
        crowding_reason=standing.crowding_reason if standing else "",
        reason=line.reason,
    )


def _coverage(standing: Standing | None, *, is_pair: bool) -> str:
    if standing is None or standing.coverage_pct is None:
        return ""
    return f"{standing.coverage_pct:.0f}% of {'open interest' if is_pair else 'a week'}"


def _interest(standing: Standing | None) -> Rank:
    if standing is None:
        return Rank("", "", "", "")
    return _rank("", standing.interest_percentile, standing.interest_days, standing.interest_reason)


def _funding(standing: Standing | None) -> Rank:
    if standing is None:
        return Rank(figures.DASH, "", "", "")
    text = figures.signed(standing.funding_pct, digits=4)
    return _rank(text, standing.funding_percentile, standing.funding_days, standing.funding_reason)


def _rank(text: str, percentile: float | None, days: int, reason: str) -> Rank:
    if percentile is None:
        return Rank(text, "", "", reason or "too little is stored to compare with")
    return Rank(text, f"P{percentile:.0f} of {days} d", f"{percentile / 100.0 * (_BAR - 3.0):.1f}", "")


def _near(near: Near | None, digits: int, horizon: str) -> NearCell | None:
    if near is None:
        return None
    zone, chance = near.zone, near.chances.get(horizon)
    return NearCell(
        pk=zone.pk,
        label=zone.label,
        is_long=zone.position_side == 1,
        price_text=figures.price_range(zone.price_low, zone.price_high, max(0, digits - 1)),
        distance_text="inside" if near.away_pct == 0 else figures.signed(near.away_pct),
        usd_text=figures.usd(zone.usd),
        interval_text=figures.usd_range(zone.usd_low, zone.usd_high),
        chance_text=touches.percent(chance),
        chance_reason="" if chance is not None else near.refused.get(horizon, queries.NOT_LEARNT),
    )


def _lean(lean: Lean | None) -> LeanCell | None:
    if lean is None:
        return None
    side = "shorts" if lean.share >= 0 else "longs"
    return LeanCell(
        text=f"{abs(lean.share) * 100:.0f}% to {side}",
        interval_text=f"{_end(lean.low)} to {_end(lean.high)}",
        x=_place(lean.share),
        low_x=_place(lean.low),
        width=f"{(lean.high - lean.low) / 2.0 * _BAR:.1f}",
        is_shorts=lean.share >= 0,
    )


def _end(share: float) -> str:
    return f"{abs(share) * 100:.0f}% {'shorts' if share >= 0 else 'longs'}"


def _place(share: float) -> str:
    return f"{(share + 1.0) / 2.0 * _BAR:.1f}"
