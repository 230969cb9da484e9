"""Numbers as people write them."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Final

PLAIN: Final = "Write a number with a point, like 60123.5."
NO_COMMA: Final = f"Leave out the comma. {PLAIN}"
# ASCII digits only: Decimal also reads "1_000", full-width digits and those of other alphabets.
_PLAIN: Final = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")


def read_number(text: str) -> Decimal:
    """Read a number in plain digits with a point; every other way to write one is refused with a ValueError."""
    text = text.strip()
    if "," in text:
        raise ValueError(NO_COMMA)
    if not _PLAIN.fullmatch(text):
        raise ValueError(PLAIN)
    return Decimal(text)
