"""The page of alerts: what was told, what is asked for, and the watch list."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from access.reading import localised
from alerts import queries
from alerts.pages import words
from heatmaps import queries as heatmaps

if TYPE_CHECKING:
    import datetime as dt

    from alerts.models import Notice, Rule
    from heatmaps.queries import Line, Near


@dataclass(frozen=True, slots=True)
class NoticeRow:
    """Something that was told."""

    notice: Notice
    at_text: str
    is_new: bool


@dataclass(frozen=True, slots=True)
class RuleRow:
    """Something that is asked for, with when it was looked at last."""

    rule: Rule
    name: str
    text: str
    looked_text: str


@dataclass(frozen=True, slots=True)
class WatchRow:
    """An instrument of the watch list; ``reason`` says why its figures are not current."""

    key: str
    name: str
    last_text: str
    change_text: str
    below_text: str
    below_interval: str
    above_text: str
    above_interval: str
    crowding_text: str
    reason: str


@dataclass(frozen=True, slots=True)
class Alerts:
    """All of it, for one member."""

    notices: tuple[NoticeRow, ...]
    rules: tuple[RuleRow, ...]
    watched: tuple[WatchRow, ...]
    unread: int
    newest_id: int
    older: int | None


def load(*, owner_id: int, before: int | None, now: dt.datetime) -> Alerts:
    """Read the owner's page."""
    found = queries.list_notices(owner_id=owner_id, before=before, limit=queries.PAGE + 1)
    shown = found[: queries.PAGE]
    return Alerts(
        notices=tuple(NoticeRow(one, f"{localised(one.at):%d %b %H:%M}", one.read_at is None) for one in shown),
        rules=tuple(_rule(one) for one in queries.list_rules(owner_id=owner_id)),
        watched=_watched(owner_id, now),
        unread=queries.count_unread(owner_id=owner_id),
        newest_id=shown[0].pk if shown else 0,
        older=shown[-1].pk if len(found) > queries.PAGE else None,
    )


def _rule(one: Rule) -> RuleRow:
    looked = f"{localised(one.seen_at):%d %b %H:%M}" if one.seen_at else "not yet"
    return RuleRow(one, words.name(one.instrument), words.rule(one), looked)


def _watched(owner_id: int, now: dt.datetime) -> tuple[WatchRow, ...]:
    pks = queries.list_watched(owner_id=owner_id)
    if not pks:
        return ()
    lines = {line.instrument.pk: line for line in heatmaps.screen(choice=heatmaps.Choice(), now=now)}
    return tuple(_watch_row(lines[pk]) for pk in pks if pk in lines)


def _watch_row(line: Line) -> WatchRow:
    crowding = line.standing.crowding.capitalize() if line.standing and line.standing.crowding else words.DASH
    return WatchRow(
        key=line.instrument.key,
        name=words.name(line.instrument),
        last_text=words.price(line.last),
        change_text=words.signed(line.change_pct),
        below_text=_near(line.below),
        below_interval=_interval(line, line.below),
        above_text=_near(line.above),
        above_interval=_interval(line, line.above),
        crowding_text=crowding,
        reason=line.reason,
    )


def _near(near: Near | None) -> str:
    if near is None:
        return words.DASH
    away = words.signed(near.away_pct) if near.away_pct else "inside"
    return f"{away}, {words.usd(near.zone.usd)}"


def _interval(line: Line, near: Near | None) -> str:
    if near is None:
        return line.nothing_near
    return f"80%: {words.usd(near.zone.usd_low)} to {words.usd(near.zone.usd_high)}"
