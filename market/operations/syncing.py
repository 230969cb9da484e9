"""What venues list: new contracts come in switched off, changed terms hold from now on, what is gone has ended."""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from django.db import transaction
from django.db.models import F

from market.contracts import Brackets
from market.models import ContractTerms, Instrument, LeverageBracket, VenueState
from market.series import EPOCH
from market.sources import load_venue
from market.sources.base import SourceError

from .access import connection_to
from .quarantine import Doubt, hold
from .resizing import changed_at, withdraw
from .storing import lock

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from market.sources.base import Connection, InstrumentFacts, Venue
    from market.sources.base import LeverageBracket as BracketFacts

_TERMS: Final = ("contract_size", "multiple", "tick_size", "lot_size")
_BRACKET: Final = ("floor", "max_leverage", "maintenance_rate")
# What the columns hold: ten digits before the point and ten behind it.
_LARGEST_STEP: Final = Decimal(10) ** 10
_DECIMALS: Final = 10
# A list may be cut short: what it lacks has ended once one that is read so much later lacks it, too.
_CONFIRM_MINUTES: Final = 5


@dataclass(slots=True)
class Synced:
    """What became of one venue's list; ``refused`` says what could not be asked, and why."""

    venue: str
    listed: int = 0
    added: int = 0
    changed: int = 0
    missing: int = 0
    ended: int = 0
    held: int = 0
    withdrawn: int = 0
    recounted: int = 0
    brackets: int = 0
    refused: str = ""

    def __str__(self) -> str:
        counts = (
            f"{self.listed} listed, {self.added} new, {self.changed} changed, {self.ended} ended,"
            f" {self.brackets} bracket tables, {self.held} in quarantine"
            f"{f', {self.missing} missing: ended if still so in {_CONFIRM_MINUTES} minutes' if self.missing else ''}"
        )
        resized = f"{self.withdrawn} rows of contracts that changed size withdrawn, {self.recounted} counted anew"
        told = [counts] * bool(self.listed) + [resized] * bool(self.withdrawn or self.recounted)
        return f"{self.venue}: " + "; ".join([*told, *([self.refused] if self.refused else [])])


def sync_venue(*, slug: str, now: dt.datetime, with_brackets: bool = True) -> Synced:
    """Bring a venue's instruments in line with what it lists; for enabled ones also their leverage brackets.

    A venue that does not answer changes nothing and is no error: the answer says why. Raises SourceError for a venue
    that there isn't.
    """
    venue = load_venue(slug)
    synced = Synced(slug)
    connection = connection_to(venue)
    try:
        listed = {facts.symbol: facts for facts in connection.instruments()}
    except SourceError as error:
        synced.refused = str(error)
        return synced
    if not listed:
        synced.refused = "it lists no contract at all; nothing was changed"
        return synced
    with transaction.atomic():
        lock(f"instruments:{slug}")
        _take(venue, listed, synced, now)
    if with_brackets:
        _read_brackets(connection, synced, now)
    return synced


def _take(venue: Venue, listed: Mapping[str, InstrumentFacts], synced: Synced, now: dt.datetime) -> None:
    synced.listed = len(listed)
    state, _ = VenueState.objects.get_or_create(venue=venue.slug)
    known = {row.symbol: row for row in Instrument.objects.filter(venue=venue.slug)}
    for facts in listed.values():
        instrument, values = known.get(facts.symbol), _values(venue, facts)
        if values is None:
            synced.held += 1
            doubt = Doubt(repr(facts), "the terms of the contract can not be true")
            hold(instrument=instrument, series="terms", origin=f"{venue.slug} list", doubts=[doubt])
        elif instrument is not None:
            _correct(instrument, values, facts, synced, state.listed_at, now)
        elif facts.is_trading:
            Instrument.objects.create(venue=venue.slug, symbol=facts.symbol, **values)
            synced.added += 1
    gone = [row for symbol, row in known.items() if symbol not in listed and row.ended_at is None]
    _miss(gone, synced, now)
    _note_terms(venue.slug, state.listed_at, now)
    VenueState.objects.filter(venue=venue.slug).update(listed_at=now)


def _miss(gone: Sequence[Instrument], synced: Synced, now: dt.datetime) -> None:
    """End what two lists have lacked, some minutes apart; remember what one has."""
    first = [row.pk for row in gone if row.missing_since is None]
    Instrument.objects.filter(pk__in=first).update(missing_since=now)
    before = now - dt.timedelta(minutes=_CONFIRM_MINUTES)
    over = [row.pk for row in gone if row.missing_since is not None and row.missing_since <= before]
    synced.ended += Instrument.objects.filter(pk__in=over).update(ended_at=F("missing_since"), missing_since=None)
    synced.missing = len(gone) - len(over)


def _correct(  # noqa: PLR0913, PLR0917 what is known, what is listed, and as of when
    instrument: Instrument,
    values: dict[str, Any],
    facts: InstrumentFacts,
    synced: Synced,
    listed_at: dt.datetime | None,
    now: dt.datetime,
) -> None:
    """Write what differs of an instrument that is known."""
    names = [name for name, value in values.items() if getattr(instrument, name) != value]
    synced.changed += bool(names)
    if "contract_size" in names:
        size = values["contract_size"]
        withdrawn, recounted = withdraw(instrument=instrument, since=listed_at or EPOCH, now=now, size=size)
        synced.withdrawn, synced.recounted = synced.withdrawn + withdrawn, synced.recounted + recounted
    ended_at = None if facts.is_trading else instrument.ended_at or now
    synced.ended += instrument.ended_at is None and ended_at is not None
    for name in names:
        setattr(instrument, name, values[name])
    if (instrument.ended_at, instrument.missing_since) != (ended_at, None):
        instrument.ended_at, instrument.missing_since = ended_at, None
        names += ["ended_at", "missing_since"]
    if names:
        instrument.save(update_fields=names)


def _note_terms(venue: str, listed_at: dt.datetime | None, now: dt.datetime) -> None:
    """Write down the terms that hold from now on, or from when rows say, where they are not the newest written down."""
    newest: dict[int, ContractTerms] = {}
    for terms in ContractTerms.objects.filter(instrument__venue=venue).order_by("valid_from"):
        newest[terms.instrument_id] = terms
    ContractTerms.objects.bulk_create(
        (
            ContractTerms(
                instrument=row,
                valid_from=_valid_from(row, newest.get(row.pk), listed_at, now),
                **{name: getattr(row, name) for name in _TERMS},
            )
            for row in Instrument.objects.filter(venue=venue).order_by("pk")
            if row.pk not in newest or any(getattr(newest[row.pk], name) != getattr(row, name) for name in _TERMS)
        ),
        ignore_conflicts=True,
    )


def _valid_from(
    row: Instrument, before: ContractTerms | None, listed_at: dt.datetime | None, now: dt.datetime
) -> dt.datetime:
    if before is None or listed_at is None or before.contract_size == row.contract_size:
        return now
    return changed_at(instrument=row, since=listed_at, now=now)


def _values(venue: Venue, facts: InstrumentFacts) -> dict[str, Any] | None:
    """Return a contract's terms as columns; None where they can't be true."""
    tick, lot = _step(facts.tick_size), _step(facts.lot_size)
    is_sized = math.isfinite(facts.contract_size) and facts.contract_size > 0 and facts.multiple >= 1
    if tick is None or lot is None or not is_sized or not (facts.symbol and facts.base and facts.quote):
        return None
    return {
        "base": facts.base,
        "quote": facts.quote,
        "contract_type": facts.contract_type,
        "contract_size": facts.contract_size,
        "tick_size": tick,
        "lot_size": lot,
        "underlying": facts.underlying or facts.base,
        "multiple": facts.multiple,
        "liquidation_sampling": venue.liquidation_sampling,
    }


def _step(text: str) -> Decimal | None:
    try:
        step = Decimal(text) if text.isascii() and "_" not in text else Decimal(0)
    except InvalidOperation:
        return None
    if not step.is_finite() or not 0 < step < _LARGEST_STEP:
        return None
    exponent = step.normalize().as_tuple().exponent
    return step if isinstance(exponent, int) and -exponent <= _DECIMALS else None


def _read_brackets(connection: Connection, synced: Synced, now: dt.datetime) -> None:
    """Read the brackets of enabled instruments; what fails for one does not stop the others, unless nobody answers."""
    enabled = Instrument.objects.filter(venue=synced.venue, is_live=True, ended_at=None).order_by("symbol")
    for instrument in enabled:
        try:
            rows = connection.brackets(symbol=instrument.symbol)
        except SourceError as error:
            synced.refused = f"leverage brackets of {instrument.symbol}: {error}"
            if error.is_outage or error.retry_after_s is not None:
                return
            continue
        if rows and not _are_sane(rows):
            synced.held += 1
            doubt = Doubt(repr(rows), "the leverage brackets can not be true")
            hold(instrument=instrument, series="brackets", origin=f"{synced.venue} list", doubts=[doubt])
        elif rows:
            synced.brackets += store_brackets(instrument=instrument, rows=rows, now=now)


def _are_sane(rows: Sequence[BracketFacts]) -> bool:
    columns = [np.array([getattr(row, name) for row in rows], dtype=np.float64) for name in _BRACKET]
    if not np.isfinite(columns).all():
        return False
    try:
        Brackets(*columns)
    except ValueError:
        return False
    return True


def store_brackets(*, instrument: Instrument, rows: Sequence[BracketFacts], now: dt.datetime) -> bool:
    """Store a table of leverage brackets under its day where it differs from the newest one; tell whether it did."""
    day = rows[0].as_of or now.date()
    given = [tuple(float(getattr(row, name)) for name in _BRACKET) for row in rows]
    with transaction.atomic():
        lock(f"instrument:{instrument.pk}")
        brackets = LeverageBracket.objects.filter(instrument=instrument)
        newest = brackets.order_by("-as_of_date").values_list("as_of_date", flat=True).first()
        if newest and given == list(brackets.filter(as_of_date=newest).order_by("floor").values_list(*_BRACKET)):
            return False
        brackets.filter(as_of_date=day).delete()
        LeverageBracket.objects.bulk_create(
            LeverageBracket(instrument=instrument, as_of_date=day, **dict(zip(_BRACKET, row, strict=True)))
            for row in given
        )
    return True
