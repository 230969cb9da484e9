"""Which files an import takes for which instrument, and the instrument itself."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from django.db import transaction

from market.models import Instrument, Quarantine
from market.sources import SOURCES, load_source
from market.sources.files import belongs, read_sizes, show_name

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_SUFFIXES: Final = (".csv", ".gz", ".zip")
_KEY: Final = re.compile(r"([a-z0-9_-]{1,32}):([A-Za-z0-9._/-]{1,64})")
_LINEAR: Final = re.compile(r"([A-Z0-9]+?)[-/]?(USDT|USDC|BUSD|FDUSD|TUSD|USDE)")
# Finer than any venue's: a step that is too small rounds nothing away.
_FINEST: Final = Decimal("0.00000001")


class ImportRequestError(ValueError):
    """The import can't begin; the message says what to change."""


@dataclass(frozen=True, slots=True)
class Target:
    """The instrument that is asked for, before it need exist."""

    venue: str
    symbol: str
    base: str
    quote: str

    @property
    def key(self) -> str:
        """``venue:symbol``."""
        return f"{self.venue}:{self.symbol}"


@dataclass(frozen=True, slots=True)
class Sizes:
    """Price and quantity steps, where the caller knows better than the data."""

    tick: Decimal | None = None
    lot: Decimal | None = None


def target(key: str) -> Target:
    """Read ``venue:symbol``; raise ImportRequestError for what isn't one."""
    parts = _KEY.fullmatch(key)
    if parts is None:
        raise ImportRequestError(f"{key!r} names no instrument; write venue:symbol, for example binance:BTCUSDT.")
    pair = _LINEAR.fullmatch(parts[2])
    if pair is None:
        raise ImportRequestError(
            f"{key!r}: base and quote can not be told from the symbol; files hold linear contracts"
            " that are quoted in a dollar coin, for example BTCUSDT."
        )
    return Target(venue=parts[1], symbol=parts[2], base=pair[1], quote=pair[2])


def require_open(wanted: Target, *, may_be_live: bool) -> None:
    """Raise ImportRequestError where files have no place: in a simulated market, or, unasked, in a live one."""
    existing = Instrument.objects.filter(venue=wanted.venue, symbol=wanted.symbol).first()
    is_simulated = existing is not None and existing.is_simulated
    if is_simulated or (wanted.venue in SOURCES and load_source(wanted.venue).is_simulated):
        raise ImportRequestError(
            f"{wanted.key} is a simulated market; real data has no place in it."
            " Give the venue that the files are from, for example binance:BTCUSDT."
        )
    if existing is not None and existing.is_live and not may_be_live:
        raise ImportRequestError(
            f"{wanted.key} is fetched live; files would change what is stored of it. If that is meant, add --live."
        )


def files_of(wanted: Target, paths: Sequence[Path], *, is_only: bool) -> list[Path]:
    """List the files for an instrument: named ones, and those of directories that carry its name.

    A named file of another instrument's name is left to the others; when there are none (``is_only``) it stays in,
    for the import to refuse it aloud. Raises ImportRequestError for a path that isn't there or yields nothing.
    """
    chosen: list[Path] = []
    for path in paths:
        if path.is_dir():
            inside = (file for file in sorted(path.rglob("*")) if file.is_file() and file.name.endswith(_SUFFIXES))
            chosen += [file for file in inside if belongs(file.name, symbol=wanted.symbol, base=wanted.base)]
        elif not path.is_file():
            raise ImportRequestError(f"{show_name(str(path))} does not exist; give a file or a directory of files.")
        elif is_only or belongs(path.name, symbol=wanted.symbol, base=wanted.base):
            chosen.append(path)
    if not chosen:
        raise ImportRequestError(
            f"No file for {wanted.key}: names must begin with {wanted.symbol}, or with {wanted.base}-,"
            f" and end with {', '.join(_SUFFIXES)}."
        )
    return list(dict.fromkeys(chosen))


def find_or_make(wanted: Target, files: Sequence[Path], sizes: Sizes) -> tuple[Instrument, bool]:
    """Return the instrument, and whether it was made now: with steps as fine as its own prices and volumes."""
    existing = Instrument.objects.filter(venue=wanted.venue, symbol=wanted.symbol).first()
    if existing is not None:
        return existing, False
    tick, lot = _FINEST, _FINEST
    if sizes.tick is None or sizes.lot is None:
        tick, lot = _sizes_in(files)
    return Instrument.objects.get_or_create(
        venue=wanted.venue,
        symbol=wanted.symbol,
        defaults={
            "base": wanted.base,
            "quote": wanted.quote,
            "tick_size": sizes.tick or tick,
            "lot_size": sizes.lot or lot,
        },
    )


def withdraw(instrument: Instrument) -> None:
    """Take back an instrument of which nothing could be imported; what was refused stays in quarantine."""
    with transaction.atomic():
        Quarantine.objects.filter(instrument=instrument).update(instrument=None)
        instrument.delete()


def _sizes_in(files: Sequence[Path]) -> tuple[Decimal, Decimal]:
    for file in files:
        try:
            decimals = read_sizes(file)
        except Exception:  # noqa: BLE001, S112  # the import itself will say why
            continue
        if decimals is not None:
            return Decimal(1).scaleb(-decimals[0]), Decimal(1).scaleb(-decimals[1])
    return _FINEST, _FINEST
