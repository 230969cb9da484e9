"""What one cell says: numbers, moments, sides and symbols, or the reason why it is not believed."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING

from .terms import BUY, SELL, RowRefusedError

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

MOST = Decimal("1e15")
LEAST = Decimal("1e-15")
SYMBOL = re.compile(r"[A-Za-z0-9@][A-Za-z0-9/_:.@-]{0,39}")
AMOUNT = re.compile(r"([+-]?[\d.,\u2212-]+)\s*([A-Za-z0-9]{2,12})?")
SIDES = {
    "buy": BUY, "b": BUY, "bid": BUY, "long": BUY, "open long": BUY, "close short": BUY,
    "sell": SELL, "s": SELL, "a": SELL, "ask": SELL, "short": SELL, "open short": SELL, "close long": SELL,
}  # fmt: skip
ORDERS = {
    "y": ("%Y-%m-%d %H:%M:%S", "%y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%Y/%m/%d %H:%M:%S"),
    "d": ("%d/%m/%Y %H:%M:%S", "%d.%m.%Y %H:%M:%S", "%d/%m/%Y %H:%M"),
    "m": ("%m/%d/%Y %H:%M:%S", "%m/%d/%Y %H:%M"),
}
EPOCH_SECONDS, EPOCH_MILLISECONDS = range(9, 11), range(12, 14)


@dataclass(frozen=True, slots=True)
class Style:
    """How a file writes things. zone: of its times; order: y, d or m comes first in a date; comma: decimal commas."""

    zone: dt.tzinfo | ZoneInfo
    order: str = "y"
    comma: bool = False


def number(text: str, style: Style, name: str) -> Decimal:
    """Return a number; raises RowRefusedError for anything else, infinities and absurd sizes included."""
    clean = text.strip().replace("\u2212", "-").replace("\u00a0", "").replace(" ", "")
    clean = clean.replace(".", "").replace(",", ".") if style.comma else re.sub(r",(?=\d{3}(\D|$))", "", clean)
    if not clean.isascii():
        raise RowRefusedError(f"{name} {text!r} is not a number.")
    try:
        value = Decimal(clean)
    except InvalidOperation as error:
        raise RowRefusedError(f"{name} {text!r} is not a number.") from error
    if not value.is_finite() or abs(value) > MOST or (value and abs(value) < LEAST):
        raise RowRefusedError(f"{name} {text!r} is no amount that anybody trades.")
    return value


def positive(text: str, style: Style, name: str) -> Decimal:
    """Return a number above 0."""
    value = number(text, style, name)
    if value <= 0:
        raise RowRefusedError(f"{name} has to be above 0, not {text.strip()}.")
    return value


def amount(text: str, style: Style, name: str) -> tuple[Decimal, str]:
    """Return a number and the unit behind it, "" where there is none: ``0.12693015 USDT``."""
    found = AMOUNT.fullmatch(text.strip())
    if not found:
        raise RowRefusedError(f"{name} {text!r} is no amount.")
    return number(found[1], style, name), (found[2] or "").upper()


def moment(text: str, style: Style, name: str = "time") -> dt.datetime:
    """Return a moment in UTC. Moments with a zone of their own keep it; seconds and milliseconds since 1970 do too."""
    clean = " ".join(text.replace(" - ", " ").split())
    if clean.isdecimal() and clean.isascii() and len(clean) in (*EPOCH_SECONDS, *EPOCH_MILLISECONDS):
        seconds = int(clean) / (1 if len(clean) in EPOCH_SECONDS else 1000)
        return dt.datetime.fromtimestamp(seconds, dt.UTC)
    try:
        value = dt.datetime.fromisoformat(clean) if style.order == "y" and len(clean) > len("2026-01-01") else None
    except ValueError:
        value = None
    for shape in ORDERS[style.order] if value is None else ():
        try:
            value = dt.datetime.strptime(clean.partition(".")[0] if style.order == "y" else clean, shape)  # noqa: DTZ007
            break
        except ValueError:
            continue
    if value is None:
        raise RowRefusedError(f"{name} {text!r} is no moment in the order {_named(style.order)}.")
    if value.tzinfo is None:
        value = _placed(value, style, text)
    return value.astimezone(dt.UTC)


def _placed(value: dt.datetime, style: Style, text: str) -> dt.datetime:
    """Return a local moment with its zone; refuse one that the zone's clock skipped or showed twice."""
    early, late = (value.replace(tzinfo=style.zone, fold=fold) for fold in (0, 1))
    if early.utcoffset() != late.utcoffset():
        raise RowRefusedError(f"{text!r} is not one moment: clocks were changed there. Export the file in UTC.")
    return early


def _named(order: str) -> str:
    return {"y": "year, month, day", "d": "day, month, year", "m": "month, day, year"}[order]


def side(text: str) -> int:
    """Return +1 for bought, -1 for sold."""
    found = SIDES.get(" ".join(text.lower().split()))
    if found is None:
        raise RowRefusedError(f"side {text!r} is neither a purchase nor a sale.")
    return found


def symbol(text: str) -> str:
    """Return the venue's own name of a contract, as it stands."""
    if not SYMBOL.fullmatch(text.strip()):
        raise RowRefusedError(f"{text!r} is no name of a contract.")
    return text.strip()
