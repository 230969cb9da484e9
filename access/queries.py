"""Read what belongs to one user, and the mail that stayed here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from access.models import ApiKey, LocalMail

if TYPE_CHECKING:
    from access.models import User


def list_api_keys(*, user: User) -> list[ApiKey]:
    """Return the user's keys, working ones first, newest first."""
    keys = ApiKey.objects.filter(user=user).order_by("-pk")[:200]
    return sorted(keys, key=lambda key: key.revoked_at is not None)


def list_local_mail() -> list[LocalMail]:
    """Return the mails that stayed here, the newest first."""
    return list(LocalMail.objects.order_by("-pk")[:200])


def get_local_mail(*, pk: int) -> LocalMail | None:
    """Return one of them, if it is still kept."""
    return LocalMail.objects.filter(pk=pk).first()
