"""Faults of fields: schema drift and numbers that are none. F-006, F-020, F-021, F-023."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, ClassVar, Final

from tests.double.faults import ROWS, WS_ROWS, Fault

if TYPE_CHECKING:
    from tests.double.venue import Answer

PRICES: Final = ("open", "high", "low", "close", "price")
NUMBERS: Final = (*PRICES, "volume", "amount", "rate", "ratio", "contracts", "usd", "quote_volume")
FULL_WIDTH: Final = str.maketrans("0123456789", "".join(chr(0xFF10 + digit) for digit in range(10)))


class FieldFault(Fault):
    """Something wrong with one field; the answer is no longer true."""

    default_on: ClassVar[tuple[str, ...]] = (*ROWS, *WS_ROWS)

    def alter(self, answer: Answer) -> bool:
        """Change the answer where it has rows and the field."""
        answer.spoilt = (bool(answer.rows) and self.spoil(answer)) or answer.spoilt
        return answer.spoilt

    def spoil(self, answer: Answer) -> bool:
        """Change it; tell whether it could."""
        raise NotImplementedError

    def pick(self, answer: Answer, names: tuple[str, ...] = NUMBERS) -> tuple[Any, Any] | None:
        """Choose a row and the place of a field that it has."""
        found = [answer.fields[name] for name in names if name in answer.fields]
        return (self.random.choice(answer.rows), self.random.choice(found)) if found else None


class FieldRenamed(FieldFault):
    """A field has another name; in a row without names one field has moved to the end."""

    name = "field_renamed"

    def spoil(self, answer: Answer) -> bool:
        place = (self.pick(answer) or (None, None))[1]
        if place is None:
            return False
        for row in answer.rows:
            if isinstance(row, dict):
                row[f"{place}New"] = row.pop(place)
            else:
                row.append(row.pop(place))
        return True


class FieldMissing(FieldFault):
    """A field is gone from every row."""

    name = "field_missing"

    def spoil(self, answer: Answer) -> bool:
        place = (self.pick(answer) or (None, None))[1]
        if place is None:
            return False
        for row in answer.rows:
            row.pop(place)
        return True


class ValueFault(FieldFault):
    """One value of one row is replaced."""

    names: ClassVar[tuple[str, ...]] = NUMBERS

    def spoil(self, answer: Answer) -> bool:
        picked = self.pick(answer, self.names)
        if picked is None:
            return False
        row, place = picked
        row[place] = self.value(row[place])
        return True

    def value(self, was: Any) -> Any:  # noqa: ANN401 whatever JSON holds
        """Return what stands there instead."""
        raise NotImplementedError


class FieldRetyped(ValueFault):
    """null, a list, a truth, an object or an empty text in place of a number."""

    name = "field_retyped"

    def value(self, was: Any) -> Any:  # noqa: ANN401 as above
        return self.random.choice((None, [was], True, {"value": was}, ""))


class NotANumber(ValueFault):
    """NaN, as text where the venue writes text, else as the bare token that Python's JSON accepts."""

    name = "not_a_number"

    def value(self, was: Any) -> Any:  # noqa: ANN401 as above
        return "NaN" if isinstance(was, str) else math.nan


class Infinite(ValueFault):
    """Infinity."""

    name = "infinite"

    def value(self, was: Any) -> Any:  # noqa: ANN401 as above
        text = self.random.choice(("Infinity", "-Infinity", "inf", "1e999"))
        return text if isinstance(was, str) else math.inf


class Enormous(ValueFault):
    """1e308, or as small."""

    name = "enormous"

    def value(self, was: Any) -> Any:  # noqa: ANN401 as above
        text = self.random.choice(("1e308", "1e-320"))
        return text if isinstance(was, str) else float(text)


class FullWidthDigits(ValueFault):
    """Digits that Python's float reads and nobody else."""

    name = "full_width_digits"

    def value(self, was: Any) -> Any:  # noqa: ANN401 as above
        return str(was).translate(FULL_WIDTH)


class Underscored(ValueFault):
    """1_000: a number to Python alone."""

    name = "underscored"

    def value(self, was: Any) -> Any:  # noqa: ANN401 as above
        del was
        return "1_000"


class ThirtyDigits(ValueFault):
    """A decimal of thirty digits more than the truth has; its value is another."""

    name = "thirty_digits"

    def value(self, was: Any) -> Any:  # noqa: ANN401 as above
        return f"{was if '.' in str(was) else f'{was}.0'}123456789012345678901234567890"


class ZeroPrice(ValueFault):
    """A price of nothing."""

    name, names = "zero_price", PRICES

    def value(self, was: Any) -> Any:  # noqa: ANN401 as above
        return "0" if isinstance(was, str) else 0


class Negative(ValueFault):
    """A negative price, volume or amount."""

    name, names = "negative", (*PRICES, "volume", "amount")

    def value(self, was: Any) -> Any:  # noqa: ANN401 as above
        return f"-{was}" if isinstance(was, str) else -was


class HighBelowLow(FieldFault):
    """High and low have changed places."""

    name, default_on = "high_below_low", ("bars", "marks", "ws.bars", "ws.marks")

    def spoil(self, answer: Answer) -> bool:
        high, low = answer.fields.get("high"), answer.fields.get("low")
        rows = [row for row in answer.rows if high is not None and low is not None and row[high] != row[low]]  # type: ignore[index]
        if not rows:
            return False
        row = self.random.choice(rows)
        row[high], row[low] = row[low], row[high]
        return True


FIELD_FAULTS: Final = (
    FieldRenamed, FieldMissing, FieldRetyped, NotANumber, Infinite, Enormous, FullWidthDigits, Underscored,
    ThirtyDigits, ZeroPrice, Negative, HighBelowLow,
)  # fmt: skip
