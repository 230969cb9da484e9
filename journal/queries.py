"""Read plans. Every question names the owner; there is no other way to a plan."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Final, TypeAlias

from journal.models import Plan

if TYPE_CHECKING:
    from django.db.models import QuerySet

Json: TypeAlias = bool | int | str | list["Json"] | dict[str, "Json"] | None

PAGE: Final = 50
# The largest whole number that every reader of JSON keeps exactly (RFC 8785 refers to RFC 7493).
_EXACT: Final = 2**53 - 1


class InexactError(ValueError):
    """A value has more than one spelling in JSON and can not be hashed."""


def list_plans(*, owner_id: int, before: int | None = None, limit: int = PAGE) -> list[Plan]:
    """Return the owner's plans, newest first, those numbered below ``before``."""
    plans = _plans(owner_id)
    if before is not None:
        plans = plans.filter(number__lt=before)
    return list(plans.order_by("-number")[:limit])


def get_plan(*, owner_id: int, number: int) -> Plan:
    """Return one plan of the owner; raises Plan.DoesNotExist for any other."""
    return _plans(owner_id).get(number=number)


def _plans(owner_id: int) -> QuerySet[Plan]:
    return Plan.objects.owned_by(owner_id).select_related("zone__heatmap__instrument", "zone__heatmap__release")


def canonical_json(value: Json) -> bytes:
    """Spell a value in the one way of RFC 8785; numbers other than exact integers are refused.

    Decimals belong into strings. Keys are ASCII, for which code points and UTF-16 units sort alike.
    """
    _require_exact(value)
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode()


def digest_evidence(evidence: Json) -> str:
    """Return the SHA-256 of the canonical spelling."""
    return hashlib.sha256(canonical_json(evidence)).hexdigest()


def _require_exact(value: object) -> None:
    if isinstance(value, dict):
        for key, item in value.items():
            if not (isinstance(key, str) and key.isascii()):
                raise InexactError(f"The key {key!r} is not ASCII text.")
            _require_exact(item)
    elif isinstance(value, list):
        for item in value:
            _require_exact(item)
    elif not (value is None or isinstance(value, str) or (isinstance(value, int) and abs(value) <= _EXACT)):
        raise InexactError(f"{value!r} has no exact spelling. Write it as text.")
