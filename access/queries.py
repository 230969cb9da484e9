"""Read what belongs to one user."""

from __future__ import annotations

from typing import TYPE_CHECKING

from access.models import ApiKey

if TYPE_CHECKING:
    from access.models import User


def list_api_keys(*, user: User) -> list[ApiKey]:
    """Return the user's keys, working ones first, newest first."""
    keys = ApiKey.objects.filter(user=user).order_by("-pk")[:200]
    return sorted(keys, key=lambda key: key.revoked_at is not None)
