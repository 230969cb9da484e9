"""What every formula starts from: sides, costs, brackets, exact arithmetic, and the refusal of bad numbers."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, Context, Decimal, localcontext
from functools import wraps
from typing import TYPE_CHECKING, Final, Literal, ParamSpec, TypeAlias, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

Side: TypeAlias = Literal[1, -1]
Direction: TypeAlias = Literal["up", "down", "nearest"]
_P = ParamSpec("_P")
_R = TypeVar("_R")

ZERO: Final = Decimal(0)
ONE: Final = Decimal(1)
# Twice what any venue states; sums and products of stated values stay exact.
_WIDE: Final = Context(prec=60)
_LARGEST: Final = Decimal("1e15")
_SMALLEST: Final = Decimal("1e-15")
_ROUNDING: Final = {"up": ROUND_CEILING, "down": ROUND_FLOOR, "nearest": ROUND_HALF_EVEN}


@dataclass(frozen=True, slots=True)
class Costs:
    """Fees at entry and exit and slippage of the stop [fraction]; funding paid by the holder [quote per base]."""

    entry_fee: Decimal = ZERO
    exit_fee: Decimal = ZERO
    slippage: Decimal = ZERO
    funding: Decimal = ZERO

    def __post_init__(self) -> None:
        """Refuse rates that are no fractions; a maker rebate is a negative fee."""
        for name in ("entry_fee", "exit_fee", "slippage"):
            value = getattr(self, name)
            if not value.is_finite() or abs(value) >= ONE:
                raise ValueError(f"Give {name} as a fraction below 1, like 0.0005 for 0.05 %.")
        if self.slippage < ZERO:
            raise ValueError("Slippage makes a stop worse, so it can not be negative.")
        if not self.funding.is_finite() or abs(self.funding) > _LARGEST:
            raise ValueError("Give funding as a finite amount per unit of base.")


FREE: Final = Costs()


@dataclass(frozen=True, slots=True)
class Bracket:
    """A venue's maintenance terms up to a notional ``cap`` (None: no end); ``deduction`` is in margin currency."""

    maintenance_rate: Decimal
    cap: Decimal | None = None
    deduction: Decimal = ZERO


def exact(function: Callable[_P, _R]) -> Callable[_P, _R]:
    """Compute with 60 digits, whatever the caller's decimal context is."""

    @wraps(function)
    def wrapped(*args: _P.args, **kwargs: _P.kwargs) -> _R:
        with localcontext(_WIDE):
            return function(*args, **kwargs)

    return wrapped


def require_positive(**values: Decimal) -> None:
    """Refuse what is not a finite number above zero, before any arithmetic is done with it."""
    for name, value in values.items():
        if not value.is_finite() or not _SMALLEST <= value <= _LARGEST:
            raise ValueError(f"Give {name.replace('_', ' ')} as a number above 0.")


def require_order(*, side: Side, entry: Decimal, stop: Decimal, target: Decimal | None = None) -> None:
    """Refuse a stop or a target on the wrong side of the entry: s(E - X) > 0 and s(T - E) > 0."""
    require_positive(entry=entry, stop=stop)
    word, beyond, other = ("long", "below", "above") if side > 0 else ("short", "above", "below")
    if side * (entry - stop) <= 0:
        raise ValueError(f"The invalidation of a {word} plan lies {beyond} its entry. Change one of them.")
    if target is not None:
        require_positive(target=target)
        if side * (target - entry) <= 0:
            raise ValueError(f"The target of a {word} plan lies {other} its entry. Change one of them.")


@exact
def snap(*, price: Decimal, tick: Decimal, to: Direction) -> Decimal:
    """Return the multiple of ``tick`` at or next to ``price``."""
    require_positive(price=price, tick=tick)
    return (price / tick).to_integral_value(rounding=_ROUNDING[to]) * tick
