"""Which asset pairs there are: made from what is live, and never mixed with the simulated market."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final, NamedTuple

from django.db import transaction
from django.db.models import Max, Min

from market.models import Coverage, Instrument, PairMember
from market.models.instruments import PAIR

from .storing import lock

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Mapping, Sequence

# Coins that stand for a dollar count as one: their rates differ by less than the estimate knows.
DOLLARS: Final = frozenset({"USDT", "USDC", "USD"})
_QUOTE: Final = "USDT"
_LEAST: Final = 2


class _Asset(NamedTuple):
    """What members of one pair have in common; prices of another multiple lie on another scale."""

    underlying: str
    multiple: int

    @property
    def base(self) -> str:
        return self.underlying if self.multiple == 1 else f"{self.multiple}{self.underlying}"


def ensure_pairs() -> list[Instrument]:
    """Make a pair of each asset that is live at a venue and known at another one, too, and take in new members.

    Real instruments quoted in dollars count; one that is not live where what is stored of it overlaps with another.
    A member stays one when it is no longer fetched: what it brought stays in the past. A pair is live while any of
    its members is. Safe to repeat.
    """
    groups = defaultdict(list)
    for one in Instrument.objects.filter(is_simulated=False, quote__in=DOLLARS).exclude(venue=PAIR).order_by("pk"):
        groups[_Asset(one.underlying or one.base, one.multiple)].append(one)
    wanted = {asset: found for asset, found in groups.items() if len(found) >= _LEAST}
    candidates = [one for found in wanted.values() for one in found]
    # Only what is not live has to overlap.
    spans = {} if all(one.is_fetched for one in candidates) else _spans([one.pk for one in candidates])
    members = {asset: [one for one in found if _belongs(one, found, spans)] for asset, found in wanted.items()}
    known = {pair.symbol: pair for pair in Instrument.objects.filter(venue=PAIR)}
    joined = set(PairMember.objects.values_list("pair_id", "instrument_id"))
    pairs = [_ensure(asset, found, known, joined) for asset, found in members.items()]
    return [pair for pair in pairs if pair is not None]


def _spans(instrument_ids: Sequence[int]) -> dict[int, tuple[dt.datetime, dt.datetime]]:
    rows = Coverage.objects.filter(instrument__in=instrument_ids, series="bars").values_list("instrument_id")
    return {pk: (start, end) for pk, start, end in rows.annotate(start=Min("start_at"), end=Max("end_at"))}


def _belongs(
    one: Instrument, others: Iterable[Instrument], spans: Mapping[int, tuple[dt.datetime, dt.datetime]]
) -> bool:
    if one.is_fetched:
        return True
    mine = spans.get(one.pk)
    theirs = [spans[other.pk] for other in others if other.pk != one.pk and other.pk in spans]
    return mine is not None and any(start < mine[1] and mine[0] < end for start, end in theirs)


def _ensure(
    asset: _Asset, found: Sequence[Instrument], known: Mapping[str, Instrument], joined: set[tuple[int, int]]
) -> Instrument | None:
    symbol, is_live = f"{asset.base}-{_QUOTE}", any(one.is_fetched for one in found)
    pair = known.get(symbol)
    if pair is None and not (is_live and len(found) >= _LEAST):
        return None
    is_known = pair is not None and pair.is_live == is_live
    if pair is not None and is_known and all((pair.pk, one.pk) in joined for one in found):
        return pair
    if not found:
        Instrument.objects.filter(venue=PAIR, symbol=symbol).update(is_live=False)
        return None
    with transaction.atomic():
        lock(f"pair:{symbol}")
        return _join(asset, symbol, found, is_live=is_live)


def _join(asset: _Asset, symbol: str, found: Sequence[Instrument], *, is_live: bool) -> Instrument:
    # As fine as the finest of them: what is summed is not rounded.
    sizes = {name: min(getattr(one, name) for one in found) for name in ("tick_size", "lot_size")}
    named = {"base": asset.base, "quote": _QUOTE, "underlying": asset.underlying, "multiple": asset.multiple}
    pair, _ = Instrument.objects.update_or_create(
        venue=PAIR, symbol=symbol, defaults={**named, **sizes, "is_live": is_live, "is_simulated": False}
    )
    members = PairMember.objects.filter(pair=pair)
    newest = members.aggregate(newest=Max("number"))["newest"]
    new = [one for one in found if not members.filter(instrument=one).exists()]
    PairMember.objects.bulk_create(
        PairMember(pair=pair, instrument=one, number=number)
        for number, one in enumerate(new, start=0 if newest is None else newest + 1)
    )
    return pair
