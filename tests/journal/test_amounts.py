"""Amounts of frozen evidence as a plan's page writes them."""

from __future__ import annotations

from decimal import Decimal

import pytest

from journal.pages.words import signed, usd_text


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        (None, "—"),
        ("0", "$0"),
        ("999.4", "$999"),
        ("999.6", "$1.00K"),
        ("4200000", "$4.20M"),
        ("42000000", "$42.0M"),
        ("99960000", "$100M"),
        ("999400000", "$999M"),
        ("999600000", "$1.00B"),
        ("1234567890", "$1.23B"),
        ("4200000000000", "$4200B"),
    ],
)
def test_amounts_keep_three_digits_and_no_exponent(amount: str | None, text: str) -> None:
    assert usd_text(amount) == text


@pytest.mark.parametrize(("value", "text"), [(-0.001, "0.00"), (0, "0.00"), (-1.5, "−1.50"), (Decimal("0.2"), "+0.20")])
def test_what_rounds_to_nothing_has_no_sign(value: float | Decimal, text: str) -> None:
    assert signed(value) == text
