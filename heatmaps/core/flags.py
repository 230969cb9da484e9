"""What is unusual about a step or a gap, as bits: stored beside each column, told in words on pages and in the API."""

from __future__ import annotations

from enum import IntFlag
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping


class Flag(IntFlag):
    """A step's flags; the last three say why there is no column. Values are stored: add, never renumber."""

    LAST_PRICE = 1
    DEFAULT_BRACKETS = 2
    LONG_STEP = 4
    UNTRADED = 8
    JUMP = 16
    STILL = 32
    TYPICAL_PRICE = 64
    NO_TILT = 128
    UNPLACED = 256
    NO_BARS = 512
    NO_OPEN_INTEREST = 1024
    DISBELIEVED = 2048


WORDS: Final[Mapping[Flag, str]] = MappingProxyType(
    {
        Flag.LAST_PRICE: "swept by the last price: no mark price for the step",
        Flag.DEFAULT_BRACKETS: "maintenance by the default table: the venue's brackets of that day are not known",
        Flag.LONG_STEP: "a longer step: open interest was missing before it",
        Flag.UNTRADED: "open interest changed by more than was traded",
        Flag.JUMP: "open interest doubled or halved within the step",
        Flag.STILL: "nothing was traded",
        Flag.TYPICAL_PRICE: "entries around (high + low + close) / 3: no volume-weighted price",
        Flag.NO_TILT: "an input of the sides' leverage is missing",
        Flag.UNPLACED: "less than 90 % of open interest is on the map",
        Flag.NO_BARS: "no estimate: there are no price bars",
        Flag.NO_OPEN_INTEREST: "no estimate: open interest is missing",
        Flag.DISBELIEVED: "no estimate: open interest jumped further than trading can explain",
    }
)

# The same for where there is room for a few words only.
SHORT: Final[Mapping[Flag, str]] = MappingProxyType(
    {
        Flag.LAST_PRICE: "swept by the last price",
        Flag.DEFAULT_BRACKETS: "default margin table",
        Flag.LONG_STEP: "longer step",
        Flag.UNTRADED: "more open interest than trades",
        Flag.JUMP: "open interest jumped",
        Flag.STILL: "nothing traded",
        Flag.TYPICAL_PRICE: "no volume-weighted price",
        Flag.NO_TILT: "an input missing",
        Flag.UNPLACED: "under 90% placed",
        Flag.NO_BARS: "no price bars",
        Flag.NO_OPEN_INTEREST: "open interest missing",
        Flag.DISBELIEVED: "open interest not believed",
    }
)


def names(bits: int) -> list[str]:
    """The flags in a set of bits as the API names them, lowest first: ["last_price", ...]."""
    return [(flag.name or "").lower() for flag in Flag if bits & flag]


def short(bits: int) -> list[str]:
    """The flags in a set of bits in a few words, lowest first."""
    return [SHORT[flag] for flag in Flag if bits & flag]


def words(bits: int) -> list[str]:
    """The flags in a set of bits in words, lowest first."""
    return [WORDS[flag] for flag in Flag if bits & flag]
