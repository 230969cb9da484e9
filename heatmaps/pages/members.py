"""Where an asset pair's map comes from: each venue's share, how old its data is, and who is missing."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from heatmaps import queries
from heatmaps.pages import figures, naming

if TYPE_CHECKING:
    from heatmaps.models import Heatmap
    from heatmaps.queries import MemberShare, MemberShares

_DAY: Final = dt.timedelta(days=1)


@dataclass(frozen=True, slots=True)
class MemberRow:
    """One member, ready to print. ``kind`` is live, late, missing or history; ``share`` is a bar's width of 100."""

    key: str
    venue: str
    symbol: str
    kind: str
    state_text: str
    age_text: str
    share_text: str
    share: str
    longs_text: str
    shorts_text: str
    interest_text: str
    interest_note: str
    built_text: str
    # Up to when its data reaches and when it is late, for the page's stopwatch.
    as_of_ms: int | None
    stale_after_ms: int | None

    @property
    def counts(self) -> bool:
        """Tell whether its age goes on, and with it whether it is late."""
        return self.kind in {"live", "late"} and self.stale_after_ms is not None


@dataclass(frozen=True, slots=True)
class Members:
    """The table and what it comes to; ``partial_text`` is empty where nobody is missing."""

    rows: tuple[MemberRow, ...]
    at_text: str
    coverage_text: str
    leader_text: str
    candles_text: str
    partial_text: str


def load(*, heatmap: Heatmap, now: dt.datetime) -> Members | None:
    """Return what the newest column of a pair's map is made of; None of other maps and before there is one."""
    shares = queries.member_shares(heatmap=heatmap, now=now) if heatmap.instrument.is_pair else None
    if shares is None:
        return None
    coverage = f"{shares.coverage_pct:.0f}%" if shares.coverage_pct is not None else figures.DASH
    return Members(
        rows=tuple(_row(one, shares, now) for one in shares.members),
        at_text=figures.moment(shares.at),
        coverage_text=coverage,
        leader_text=naming.venue_label(shares.leader) if shares.leader else "",
        candles_text=_candles(shares),
        partial_text=_partial(shares, coverage),
    )


def _candles(shares: MemberShares) -> str:
    if shares.leader is None:
        return ""
    name = naming.venue_label(shares.leader)
    if shares.ranks_first:
        return f"Candles and their volume are of {name}, which had the largest open interest when the day began."
    return f"Candles and their volume are of {name} for now: the venue with the largest open interest is missing."


def _partial(shares: MemberShares, coverage: str) -> str:
    if not shares.missing:
        return ""
    said = [_said(one, shares) for one in shares.missing]
    return f"{_join(said)}. {coverage} of known open interest is in this map."


def _said(one: MemberShare, shares: MemberShares) -> str:
    name = _name(one, shares)
    if one.missing_since is not None:
        return f"{name} has been missing since {_since(one.missing_since, shares.at)}"
    return f"{name} has no map yet"


def _since(moment: dt.datetime, at: dt.datetime) -> str:
    return f"{moment:%H:%M} UTC" if at - moment < _DAY else f"{figures.moment(moment)} UTC"


def _join(said: list[str]) -> str:
    return said[0] if len(said) == 1 else f"{', '.join(said[:-1])} and {said[-1]}"


def _name(one: MemberShare, shares: MemberShares) -> str:
    """Name a member by its venue, and by its symbol, too, where the venue has several."""
    venue = naming.venue_label(one.instrument)
    of_venue = [other for other in shares.members if other.instrument.venue == one.instrument.venue]
    return venue if len(of_venue) == 1 else f"{venue} {one.instrument.symbol}"


def _row(one: MemberShare, shares: MemberShares, now: dt.datetime) -> MemberRow:
    kind, state = _state(one, shares)
    as_of = one.freshness.as_of
    return MemberRow(
        key=one.instrument.key,
        venue=naming.venue_label(one.instrument),
        symbol=one.instrument.symbol,
        kind=kind,
        state_text=state,
        age_text=figures.DASH if as_of is None else _age(as_of, now, is_live=one.freshness.is_live),
        share_text=figures.DASH if one.share_pct is None else f"{one.share_pct:.1f}%",
        share=f"{one.share_pct or 0.0:.1f}",
        longs_text=figures.usd(one.longs_usd),
        shorts_text=figures.usd(one.shorts_usd),
        interest_text=figures.usd(one.open_interest_usd),
        interest_note=_interest_note(one, shares),
        built_text=figures.moment(one.built_through),
        as_of_ms=figures.epoch_ms(as_of),
        stale_after_ms=figures.epoch_ms(one.freshness.stale_after),
    )


def _age(as_of: dt.datetime, now: dt.datetime, *, is_live: bool) -> str:
    return figures.age(now - as_of) if is_live else figures.day(as_of)


def _state(one: MemberShare, shares: MemberShares) -> tuple[str, str]:
    if one.is_missing:
        since = one.missing_since
        return "missing", f"Missing since {_since(since, shares.at)}" if since else "No map yet"
    if not one.instrument.is_fetched:
        return "history", "History, in this column" if one.is_in else "History, ended before"
    return ("late", "In, its data is late") if one.freshness.is_stale else ("live", "In")


def _interest_note(one: MemberShare, shares: MemberShares) -> str:
    """Say how old an open interest is that is not of this column, else which part it is of the known."""
    if one.open_interest_usd is None or one.open_interest_at is None:
        return "not known"
    if not one.is_in:
        return f"last known, {figures.moment(one.open_interest_at)}"
    whole = sum(other.open_interest_usd or 0.0 for other in shares.members if other.is_in or other.is_missing)
    return f"{100.0 * one.open_interest_usd / whole:.1f}%" if whole > 0 else ""
