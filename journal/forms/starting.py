"""What a plan's form starts with: a zone, what came along in the address, what the draft has."""

from __future__ import annotations

import datetime as dt
import uuid
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from journal.models import Plan
from journal.operations import Terms
from journal.queries.zones import near_edge

if TYPE_CHECKING:
    from collections.abc import Mapping

_SHORT: Final = dt.timedelta(days=7)
_TAKEN_OVER: Final = (
    "direction", "entry", "invalidation", "target", "target_2", "target_3", "share", "share_2", "risk_pct",
    "equity", "leverage", "entry_kind", "thesis",
)  # fmt: skip
_TARGETS: Final = (("target", "share"), ("target_2", "share_2"), ("target_3", ""))


def suggest(*, zone: Any, now: dt.datetime, given: Mapping[str, str] | None = None) -> dict[str, Any]:  # noqa: ANN401  # another room's row
    """Return what a new form starts with: the edge of the zone that price meets first, and a week.

    ``given``: terms that come along in the address, as from a calculator; the form checks them like any other.
    """
    return {
        "entry": plain_price(near_edge(zone)),
        "entry_kind": Plan.EntryKind.LIMIT.value,
        "expires_at": (now + _SHORT).replace(minute=0, second=0, microsecond=0),
        "request_key": uuid.uuid4(),
        **{name: given[name] for name in _TAKEN_OVER if given and given.get(name)},
    }


def plain_price(price: Decimal) -> str:
    """Write a price as people type it."""
    return format(price.normalize(), "f")


def initial_of(plan: Plan) -> dict[str, Any]:
    """Return what the form of a draft starts with."""
    values = {name: getattr(plan, name) for name in Terms.__slots__}
    made = {name: plain_price(v) if isinstance(v, Decimal) else v for name, v in values.items()}
    for i, (price, weight) in enumerate(plan.target_prices[: len(_TARGETS)]):
        name, share = _TARGETS[i]
        made[name] = plain_price(price)
        if share and i < len(plan.target_prices) - 1:
            made[share] = plain_price(weight * 100)
    rule = plan.confirmation
    if rule:
        made |= {"confirm_rule": rule["rule"], "confirm_minutes": str(rule["candle_s"] // 60)}
        made |= {f"confirm_{name}": rule[name] for name in ("price", "amount") if name in rule}
    return made | {"setups": ", ".join(plan.setups)}
