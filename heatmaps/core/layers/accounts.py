"""Accounts: how many are net long for each that is net short."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from .base import Hours, Kind, Need, Reading, gauge

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Accounts:
    """As the venue counts them: accounts, not positions; every contract has a long and a short."""

    slug: ClassVar[str] = "accounts"
    title: ClassVar[str] = "Long accounts"
    kind: ClassVar[Kind] = "gauge"
    unit: ClassVar[str] = ""
    note: ClassVar[str] = "for each short"
    digits: ClassVar[int] = 2
    is_signed: ClassVar[bool] = False
    rule: ClassVar[str] = "Accounts, not positions: every contract has a long and a short."
    needs: ClassVar[tuple[Need, ...]] = ("account_ratio",)
    rests_on: ClassVar[tuple[str, ...]] = ()
    states: ClassVar[tuple[str, ...]] = ()

    def compute(self, hours: Hours, known: Mapping[str, Reading]) -> Reading:  # noqa: ARG002  # it rests on nothing
        """Return the ratio of each hour."""
        return gauge(hours.account_ratio, reason="not reported in the last hour")
