"""Instruments come into being when their first data does, or when their venue lists them; people switch them on."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from django.core.exceptions import ObjectDoesNotExist
from django.db import transaction
from django.db.models import ProtectedError

from market.models import Alias, ContractTerms, Coverage, Hole, Instrument, LeverageBracket, Quarantine
from market.queries import get_instrument
from market.sources import SOURCES, load_source, load_venue
from market.sources.base import SourceError, is_venue

from .defaults import DEFAULT_SET

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    from market.sources.base import InstrumentFacts

# What is taken over from the contract under a new name.
_TERMS = ("contract_type", "contract_size", "tick_size", "lot_size", "liquidation_sampling")


class InstrumentRequestError(ValueError):
    """What is asked for an instrument makes no sense; the message says what to change."""


def ensure_instruments(*, slug: str) -> list[Instrument]:
    """Make or update every instrument that a source offers, live from now on; raise SourceError."""
    source = load_source(slug)
    if is_venue(source):
        raise SourceError(f"{slug} lists hundreds of instruments; use `instruments sync {slug}`.", permanent=True)
    return [
        ensure_instrument(venue=source.slug, facts=facts, is_simulated=source.is_simulated, is_live=True)
        for facts in source.instruments()
    ]


def ensure_instrument(*, venue: str, facts: InstrumentFacts, is_simulated: bool, is_live: bool) -> Instrument:
    """Return the instrument, made or brought up to date from the venue's own facts."""
    instrument, _ = Instrument.objects.update_or_create(
        venue=venue,
        symbol=facts.symbol,
        defaults={
            "base": facts.base,
            "quote": facts.quote,
            "contract_type": facts.contract_type,
            "contract_size": facts.contract_size,
            "tick_size": Decimal(facts.tick_size),
            "lot_size": Decimal(facts.lot_size),
            # A simulation hides none of its liquidations.
            "liquidation_sampling": "all" if is_simulated else "",
            "is_simulated": is_simulated,
            "is_live": is_live,
        },
    )
    return instrument


def ensure_default_set() -> list[Instrument]:
    """Make the instruments that are followed from the first start on; what is there stays as people left it."""
    made = []
    for venue, facts in DEFAULT_SET:
        if venue not in SOURCES:
            continue
        instrument, is_new = Instrument.objects.get_or_create(
            venue=venue,
            symbol=facts.symbol,
            defaults={
                "base": facts.base,
                "quote": facts.quote,
                "contract_type": facts.contract_type,
                "contract_size": facts.contract_size,
                "tick_size": Decimal(facts.tick_size),
                "lot_size": Decimal(facts.lot_size),
                "underlying": facts.base,
                "liquidation_sampling": load_venue(venue).liquidation_sampling,
                "is_live": True,
            },
        )
        made += [instrument] if is_new else []
    return made


def enable(*, keys: Sequence[str]) -> list[Instrument]:
    """Have instruments fetched from now on, all of them or none; raise InstrumentRequestError."""
    found = [_find(key) for key in keys]
    for instrument in found:
        if instrument.ended_at is not None:
            raise InstrumentRequestError(f"{instrument.key} ended at {instrument.ended_at:%Y-%m-%d %H:%M} UTC.")
        if instrument.venue not in SOURCES:
            raise InstrumentRequestError(
                f"{instrument.key}: nothing is fetched from {instrument.venue}; known: {', '.join(SOURCES)}."
            )
    return _switch(found, is_live=True)


def disable(*, keys: Sequence[str]) -> list[Instrument]:
    """Have instruments fetched no longer; what is stored stays. Raises InstrumentRequestError."""
    return _switch([_find(key) for key in keys], is_live=False)


def _switch(found: Sequence[Instrument], *, is_live: bool) -> list[Instrument]:
    Instrument.objects.filter(pk__in=[instrument.pk for instrument in found]).update(is_live=is_live)
    return list(Instrument.objects.filter(pk__in=[instrument.pk for instrument in found]).order_by("venue", "symbol"))


def _find(key: str) -> Instrument:
    try:
        return get_instrument(key=key)
    except ObjectDoesNotExist as absent:
        raise InstrumentRequestError(
            f"There is no instrument {key!r}; `instruments list` shows all, `instruments sync` asks the venues."
        ) from absent


def rename(*, old: str, new: str, now: dt.datetime) -> Instrument:
    """Go on with ``old`` under the symbol of ``new``, which its venue lists now; raise InstrumentRequestError.

    The former symbol stays known as an alias. A contract on another multiple, type or quote is no continuation.
    """
    with transaction.atomic():
        kept, successor = _find(old), _find(new)
        _require_continuation(kept, successor)
        terms = list(ContractTerms.objects.filter(instrument=successor).order_by("valid_from"))
        _dissolve(successor)
        Alias.objects.create(instrument=kept, symbol=kept.symbol, valid_until=now)
        for name in ("symbol", "base", "underlying", *_TERMS):
            setattr(kept, name, getattr(successor, name))
        kept.ended_at = kept.missing_since = None
        kept.save()
        for one in terms:
            one.pk, one.instrument = None, kept
        ContractTerms.objects.bulk_create(terms, ignore_conflicts=True)
    return kept


def _require_continuation(kept: Instrument, successor: Instrument) -> None:
    if kept.pk == successor.pk or kept.venue != successor.venue:
        raise InstrumentRequestError(f"{successor.key} is no other contract of {kept.venue}; give two of one venue.")
    for name in ("contract_type", "quote", "multiple"):
        before, after = getattr(kept, name), getattr(successor, name)
        if before != after:
            raise InstrumentRequestError(
                f"{successor.key} is no continuation of {kept.key}: its {name.replace('_', ' ')} is {after},"
                f" not {before}. Prices would be on two scales; keep them apart."
            )
    if Coverage.objects.filter(instrument=successor).exists():
        raise InstrumentRequestError(f"{successor.key} has data of its own already; two histories can't be one.")


def _dissolve(successor: Instrument) -> None:
    """Take away an instrument that has no data, with what is known of it."""
    for model in (ContractTerms, LeverageBracket, Alias, Hole):
        model.objects.filter(instrument=successor).delete()
    Quarantine.objects.filter(instrument=successor).update(instrument=None)
    try:
        Instrument.objects.filter(pk=successor.pk).delete()
    except ProtectedError as error:
        raise InstrumentRequestError(f"{successor.key} is in use; two histories can't be one.") from error
