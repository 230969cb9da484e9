"""What the calculators may know of an instrument, each fact with its date."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

import numpy as np
from django.core.exceptions import ObjectDoesNotExist

from market.contracts import Brackets
from market.queries import get_instrument, list_followed, venue_name
from market.queries.brackets import find_brackets
from risk.contracts import STANDARD_FEES, Fees
from risk.formulas import Bracket

if TYPE_CHECKING:
    import datetime as dt

    from market.models import Instrument
    from market.models import LeverageBracket as Row


@dataclass(frozen=True, slots=True)
class Preset:
    """An instrument's terms: steps in base (inverse: contracts), brackets of its venue (quote, inverse: coin).

    brackets, as_of: empty and None where the venue publishes none to the public; fees: None for an unknown venue.
    """

    key: str
    venue: str
    base: str
    quote: str
    is_inverse: bool
    tick: Decimal
    step: Decimal
    contract_usd: Decimal
    brackets: tuple[Bracket, ...]
    leverages: tuple[Decimal, ...]
    as_of: dt.date | None
    fees: Fees | None


def choices() -> list[tuple[str, str]]:
    """List the instruments that are followed, as choices: key and name."""
    followed = [one for one in list_followed() if not one.is_pair and one.ended_at is None]
    return [(one.key, f"{one.symbol} · {venue_name(one.venue)}") for one in followed]


def preset(key: str) -> Preset | None:
    """Return the terms of ``venue:symbol``; None for an instrument that is not known or is an asset pair."""
    try:
        found: Instrument = get_instrument(key=key)
    except ObjectDoesNotExist:
        return None
    if found.is_pair:
        return None
    day, rows = find_brackets(instrument_id=found.pk)
    brackets, leverages = _brackets(rows)
    return Preset(
        key=found.key,
        venue=venue_name(found.venue),
        base=found.base,
        quote=found.quote,
        is_inverse=found.contract_type == found.ContractType.INVERSE,
        tick=found.tick_size.normalize(),
        step=_step(found),
        contract_usd=Decimal(repr(found.contract_size)),
        brackets=brackets,
        leverages=leverages,
        as_of=day,
        fees=STANDARD_FEES.get(found.venue),
    )


def _step(found: Instrument) -> Decimal:
    """A venue counts lots in contracts; of a linear contract they are so many units of base."""
    is_inverse = found.contract_type == found.ContractType.INVERSE
    return (found.lot_size * (1 if is_inverse else Decimal(repr(found.contract_size)))).normalize()


def _brackets(rows: list[Row]) -> tuple[tuple[Bracket, ...], tuple[Decimal, ...]]:
    """Turn a venue's table into brackets with caps and deductions; the last one has no cap."""
    if not rows:
        return (), ()
    floors, leverages, rates = (
        np.array([getattr(row, name) for row in rows]) for name in ("floor", "max_leverage", "maintenance_rate")
    )
    deductions = Brackets(floors, leverages, rates).deduction
    caps = [Decimal(repr(float(floor))) for floor in floors[1:]] + [None]
    made = tuple(
        Bracket(Decimal(repr(float(rate))), cap, Decimal(repr(round(float(deduction), 9))))
        for rate, cap, deduction in zip(rates, caps, deductions, strict=True)
    )
    return made, tuple(Decimal(repr(float(leverage))) for leverage in leverages)
