"""The calculators by address; each is a form whose valid answers explain themselves."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from risk.forms.base import ToolForm
from risk.forms.outcomes import DrawdownForm, RecordForm, RuinForm
from risk.forms.positions import BreakEvenForm, LiquidationForm, RewardForm, SizeForm

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

__all__ = ["TOOLS", "ToolForm"]
