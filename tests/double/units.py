"""Whole numbers of a step, and the decimal text that a venue writes for them."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Unit:
    """One step, ``factor * 10**-places``: a tick, a lot, a contract."""

    factor: int
    places: int

    @classmethod
    def of(cls, step: Decimal | str) -> Unit:
        """Read a positive decimal step such as 0.001 or 1000."""
        sign, digits, exponent = Decimal(step).normalize().as_tuple()
        assert not sign
        assert isinstance(exponent, int)
        factor = int("".join(map(str, digits)))
        return cls(factor * 10**exponent, 0) if exponent >= 0 else cls(factor, -exponent)

    @property
    def step(self) -> Decimal:
        """The step itself."""
        return Decimal(self.factor).scaleb(-self.places)

    def text(self, count: int) -> str:
        """Write ``count`` steps with all the places of the step: Unit.of("0.10").text(5) is 0.5."""
        whole = int(count) * self.factor
        if not self.places:
            return str(whole)
        digits = f"{abs(whole):0{self.places + 1}d}"
        return f"{'-' if whole < 0 else ''}{digits[: -self.places]}.{digits[-self.places :]}"

    def number(self, count: int) -> float:
        """Return the double nearest to ``count`` steps, as a reader of the text gets it."""
        return float(self.text(count))

    def times(self, other: Unit) -> Unit:
        """Return the step of products, such as quote volume in ticks times lots."""
        return Unit(self.factor * other.factor, self.places + other.places)

    def count(self, text: str) -> int:
        """Read a decimal text as a whole number of steps; ValueError where it is none."""
        steps = Decimal(text) / self.step
        if steps != steps.to_integral_value():
            raise ValueError(f"{text} is no whole number of {self.step}")
        return int(steps)
