"""What of an exported journal would come in, row by row, or why not. Nothing is written here."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ObjectDoesNotExist, ValidationError
from django.db.models import JSONField

from heatmaps import queries as heatmap_queries
from journal.models import Fill, JournalEntry, Plan, Review, ReviewWords, Trade
from journal.operations.drafting import require_zones
from journal.operations.noting import MOST_NOTE
from journal.operations.terms import NAMES, Terms, UnfitError, require_fit, terms_of
from journal.queries.moved import moved_parts
from journal.queries.weeks import list_week_notes
from journal.verdict import from_data, to_data
from market.series import epoch_ms, moment

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from django.db.models import Model

    from journal.imports.own import Moved, Part, Row

_BROKEN: Final = (KeyError, TypeError, ValueError, ArithmeticError, AttributeError, ValidationError)
_FILL: Final = (
    "venue",
    "symbol",
    "side",
    "price",
    "quantity",
    "fee",
    "fee_unit",
    "is_maker",
    "venue_fill_id",
    "order_id",
)
_TRADE: Final = ("venue", "symbol", "key", "side", "size", "left", "entry", "exit", "fees", "result")
_SAID: Final = ("what_happened", "early_interest", "lesson")
Key = tuple[str, str, str]


@dataclass(slots=True)
class Arrival:
    """What would come in. known: rows that are here already; refused: where and why.

    reviews: with the key of their trade; answers: how a trade found its plan, by its key; weeks: Mondays with notes.
    """

    parts: list[Part] = field(default_factory=list)
    drafts: list[tuple[int, Terms]] = field(default_factory=list)
    fills: list[Fill] = field(default_factory=list)
    trades: list[Trade] = field(default_factory=list)
    reviews: list[tuple[Key, Review]] = field(default_factory=list)
    answers: dict[Key, str] = field(default_factory=dict)
    weeks: list[tuple[dt.date, str]] = field(default_factory=list)
    known: int = 0
    refused: list[tuple[str, str]] = field(default_factory=list)

    @property
    def counts(self) -> dict[str, int]:
        """How many of each come in, are here already, or are refused."""
        new = {name: len(getattr(self, name)) for name in ("drafts", "fills", "trades", "reviews", "weeks")}
        locked = {"plans": sum(len(part["plans"]) for part in self.parts)}
        entries = {"entries": sum(len(part["entries"]) for part in self.parts)}
        return {**locked, **entries, **new, "known": self.known, "refused": len(self.refused)}


def weigh(*, owner_id: int, moved: Moved, now: dt.datetime) -> Arrival:
    """Return what of a journal comes in for an owner, and what does not, with the reason."""
    arrival = Arrival(refused=[("plans", reason) for reason in moved.unproven])
    _weigh_parts(owner_id, moved.parts, arrival)
    _weigh_drafts(owner_id, moved.drafts, arrival)
    _weigh_fills(owner_id, moved.fills, arrival, now)
    _weigh_trades(owner_id, moved.trades, arrival, now)
    _weigh_reviews(owner_id, moved, arrival, now)
    _weigh_weeks(owner_id, moved.weeks, arrival, now)
    return arrival


def _weigh_parts(owner_id: int, parts: Iterable[Part], arrival: Arrival) -> None:
    own = JournalEntry.objects.owned_by(owner_id)
    known = set(own.values_list("sha256", flat=True)) | {
        entry["sha256"] for part in moved_parts(owner_id=owner_id) for entry in part["entries"]
    }
    for part in parts:
        first, last = (part["entries"][i]["sha256"] for i in (0, -1))
        if last in known:
            arrival.known += len(part["plans"])
        elif first in known:
            reason = "An earlier state of this journal is here, and what is locked can not be added to."
            arrival.refused.append((f"chain of {len(part['entries'])} entries", reason))
        else:
            arrival.parts.append(part)


def _weigh_drafts(owner_id: int, rows: Iterable[Row], arrival: Arrival) -> None:
    mine = [(one.zone_id, terms_of(one)) for one in Plan.objects.owned_by(owner_id).filter(armed_at=None)]
    for row in rows:
        place = f"draft P-{row.get('number')}"
        try:
            draft = _draft(owner_id, row)
        except UnfitError as refusal:
            arrival.refused.append((place, str(refusal)))
        except ObjectDoesNotExist:
            arrival.refused.append((place, "Its zone is not known here."))
        except _BROKEN as error:
            arrival.refused.append((place, _why(error)))
        else:
            _add(arrival.drafts, draft, arrival, is_known=draft in mine)


def _draft(owner_id: int, row: Row) -> tuple[int, Terms]:
    zone = heatmap_queries.get_zone(zone_id=int(row["zone"]))
    if (zone.heatmap.instrument.key, epoch_ms(zone.born_at)) != (row.get("instrument"), row.get("zone_born_at_ms")):
        raise ValueError("The zone of this number is another one here")
    values = {name: row[name] for name in NAMES} | {"expires_at": moment(int(row["expires_at"]))}
    plan = Plan(owner_id=owner_id, zone_id=zone.pk, number=1, **values)
    plan.confirmation = _rule(plan.confirmation)
    _require_columns(plan)
    terms = terms_of(plan)
    # A draft may lie until it has expired; it is arming that asks for the present.
    require_fit(terms, terms.expires_at - dt.timedelta(minutes=1))
    require_zones(zone, terms)
    return zone.pk, terms


def _rule(data: Any) -> dict[str, Any]:  # noqa: ANN401  # what a file holds
    rule = from_data(data)
    amounts = [one for one in (rule.price, rule.amount) if one is not None] if rule else []
    if rule and not (rule.candle_ms > 0 and all(one.is_finite() for one in amounts)):
        raise ValueError("This is no rule of confirmation")
    return to_data(rule)


def _weigh_fills(owner_id: int, rows: Iterable[Row], arrival: Arrival, now: dt.datetime) -> None:
    names = ("venue", "symbol", "venue_fill_id")
    known = set(Fill.objects.owned_by(owner_id).values_list(*names))
    for number, row in enumerate(rows, start=1):
        try:
            fill = Fill(owner_id=owner_id, at=_past(row["at"], now), **{name: row[name] for name in _FILL})
            _require_columns(fill)
            if not (fill.price > 0 and fill.quantity > 0 and fill.side in {1, -1}):
                raise ValueError("Price and quantity lie above 0, and the side is 1 or -1")
        except _BROKEN as error:
            arrival.refused.append((f"fill {number}", _why(error)))
            continue
        key = (fill.venue, fill.symbol, fill.venue_fill_id)
        _add(arrival.fills, fill, arrival, is_known=key in known)
        known.add(key)


def _weigh_trades(owner_id: int, rows: Sequence[Row], arrival: Arrival, now: dt.datetime) -> None:
    """Trades are made from fills; those that a venue summed up come as they are."""
    known = set(Trade.objects.owned_by(owner_id).values_list("venue", "symbol", "key"))
    for number, row in enumerate(rows, start=1):
        try:
            key = (str(row["venue"]), str(row["symbol"]), str(row["key"]))
            arrival.answers[key] = "moved" if row["plan"] is not None else str(row["matched"])
            if row["opened_at"] is not None:
                continue
            made = Trade(
                owner_id=owner_id, closed_at=_past(row["closed_at"], now), **{name: row[name] for name in _TRADE}
            )
            _require_columns(made)
        except _BROKEN as error:
            arrival.refused.append((f"trade {number}", _why(error)))
            continue
        _add(arrival.trades, made, arrival, is_known=key in known)
        known.add(key)


def _weigh_reviews(owner_id: int, moved: Moved, arrival: Arrival, now: dt.datetime) -> None:
    keys = {
        str(row.get("id")): tuple(str(row.get(name)) for name in ("venue", "symbol", "key")) for row in moved.trades
    }
    reviewed = set(
        Review.objects.owned_by(owner_id)
        .filter(trade__isnull=False)
        .values_list("trade__venue", "trade__symbol", "trade__key")
    )
    for number, row in enumerate(moved.reviews, start=1):
        try:
            key: Any = keys[str(row["trade"])]
            if not (isinstance(row["seen"], dict) and all(_is_remark(one) for one in row["remarks"])):
                raise ValueError("What was seen or remarked is not as an export writes it")
            review = Review(owner_id=owner_id, reviewed_at=_past(row["reviewed_at"], now), seen=row["seen"])
            review.words = ReviewWords(
                **{name: row[name] for name in _SAID},
                mistakes=tuple(row["mistakes"]),
                remarks=tuple((at, text) for at, text in row["remarks"]),
            )
        except _BROKEN as error:
            arrival.refused.append((f"review {number}", _why(error)))
            continue
        _add(arrival.reviews, (key, review), arrival, is_known=key in reviewed)
        reviewed.add(key)


def _weigh_weeks(owner_id: int, rows: Iterable[Row], arrival: Arrival, now: dt.datetime) -> None:
    """Weigh notes on weeks: one that is kept here is never replaced."""
    kept = dict(list_week_notes(owner_id=owner_id))
    for number, row in enumerate(rows, start=1):
        try:
            monday, note = dt.date.fromisoformat(row["monday"]), row["note"]
            if monday.weekday() or monday > now.date() or not (isinstance(note, str) and 0 < len(note) <= MOST_NOTE):
                raise ValueError(f"A week has the date of a past Monday, and a note of up to {MOST_NOTE} characters")
            if kept.get(monday, note) != note:
                raise ValueError("Another note on this week is kept here")
        except _BROKEN as error:
            arrival.refused.append((f"week note {number}", _why(error)))
            continue
        _add(arrival.weeks, (monday, note), arrival, is_known=monday in kept)
        kept[monday] = note


def _add(rows: list[Any], row: object, arrival: Arrival, *, is_known: bool) -> None:
    if is_known:
        arrival.known += 1
    else:
        rows.append(row)


def _is_remark(one: Any) -> bool:  # noqa: ANN401  # what a file holds
    return isinstance(one, list) and [type(part) for part in one] == [str, str]


def _past(at_ms: Any, now: dt.datetime) -> dt.datetime:  # noqa: ANN401  # what a file holds
    if moment(at_ms) > now:
        raise ValueError("It lies in the future")
    return moment(at_ms)


def _require_columns(row: Model) -> None:
    """Hold every value to its column; what a file brings is text and has to become what the column holds."""
    fields = [one for one in row._meta.concrete_fields if not one.is_relation]  # noqa: SLF001  # Django's name for it
    empty = [
        one.name
        for one in fields
        if (one.null and getattr(row, one.attname) is None)
        or (isinstance(one, ArrayField | JSONField) and getattr(row, one.attname) in ([], {}))
    ]
    unset = [one.name for one in fields if one.has_db_default() or one.primary_key]
    related = [one.name for one in row._meta.concrete_fields if one.is_relation]  # noqa: SLF001
    row.clean_fields(exclude={*empty, *unset, *related} - {"reviewed_at"})


def _why(error: Exception) -> str:
    if isinstance(error, ValidationError):
        told = error.message_dict if hasattr(error, "error_dict") else {"": error.messages}
        return " ".join(f"{name}: {' '.join(sentences)}" for name, sentences in told.items()).strip()
    said = f"{error}." if isinstance(error, ValueError) and not isinstance(error, UnicodeError) else ""
    return said or "The row is not as an export writes it."
