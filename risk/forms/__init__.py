"""The calculators by address; each is a form whose valid answers explain themselves."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from risk.contracts import STANDARD_FEES
from risk.forms.base import ToolForm
from risk.forms.outcomes import DrawdownForm, RecordForm, RuinForm
from risk.forms.positions import BreakEvenForm, LiquidationForm, PositionForm, RewardForm, SizeForm
from risk.pages.words import plain

if TYPE_CHECKING:
    from collections.abc import Mapping

_FORMS: Final[tuple[type[ToolForm], ...]] = (
    SizeForm,
    LiquidationForm,
    BreakEvenForm,
    RewardForm,
    RecordForm,
    RuinForm,
    DrawdownForm,
)
TOOLS: Final[Mapping[str, type[ToolForm]]] = MappingProxyType({form.slug: form for form in _FORMS})

# What people set, and the field that begins with it.
_OWN: Final = {"account": "account", "risk_pct": "risk", "entry_fee_pct": "entry_fee", "exit_fee_pct": "exit_fee"}


def own_fields(own: Mapping[str, str]) -> dict[str, str]:
    """Return what fields begin with for who has set this; fees left open are the standard ones of the own venue."""
    fees = STANDARD_FEES.get(own.get("venue", ""))
    start = {} if fees is None else {"entry_fee": plain(fees.maker * 100), "exit_fee": plain(fees.taker * 100)}
    return start | {field: own[name] for name, field in _OWN.items() if name in own}


__all__ = ["TOOLS", "PositionForm", "ToolForm", "own_fields"]
