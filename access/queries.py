"""Read what belongs to one user, and the mail that stayed here."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.apps import apps
from django.db.models import Q
from django.utils.module_loading import import_string

from access.models import ApiKey, LocalMail, Preferences, User
from access.owning import name_owner
from access.reading import UTC
from access.registry import BELONGINGS, Belonging


def account_at(*, address: str) -> User | None:
    """Return whose account an address in lower case opens, who has shown that it is theirs first.

    One question, whether the address is known or not: a second one for those that are not can be timed.
    """
    its_own = EmailAddress.objects.filter(Q(verified=True) | Q(primary=True), email=address)
    found = its_own.select_related("user").order_by("-verified", "pk").first()
    return found.user if found else None


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


def count_passkeys(*, user: User, kind: str) -> int:
    """Return how many second factors of a kind a user has."""
    return int(Authenticator.objects.filter(user=user, type=kind).count())


def has_second_factor(*, user: User) -> bool:
    """Tell whether a login to this account asks for more than a password."""
    return bool(Authenticator.objects.filter(user=user).exists())


def preferences_of(*, user: User) -> Preferences:
    """Return what a person has set for themselves, or what holds until they do."""
    try:
        return user.preferences
    except Preferences.DoesNotExist:
        return Preferences(user=user)


def own_time_zone(*, user_id: int) -> str:
    """Return the name of the time zone by which a person lives, UTC unless they chose another."""
    return Preferences.objects.filter(user_id=user_id).values_list("time_zone", flat=True).first() or UTC


def user_with_preferences(*, user_id: int) -> User | None:
    """Return who a session is of, together with what they have set: one question for each request."""
    return User.objects.select_related("preferences").filter(pk=user_id).first()


def first_terms(*, user: User) -> dict[str, str]:
    """Return what a person's plans and calculators begin with, by names of preferences; what is not set is left out."""
    own = preferences_of(user=user)
    numbers = {name: getattr(own, name) for name in ("risk_pct", "account", "entry_fee_pct", "exit_fee_pct")}
    terms = {name: f"{value.normalize():f}" for name, value in numbers.items() if value is not None}
    return terms | ({"venue": own.venue} if own.venue else {})


def everything_of(*, user: User) -> dict[str, list[dict[str, Any]]]:
    """Return every row that is a person's, by what each room calls it; secrets are left out, bytes become base64."""
    name_owner(user.pk)
    return {slug: _rows(belonging, user) for slug, belonging in sorted(BELONGINGS.items())}


def _rows(belonging: Belonging, user: User) -> list[dict[str, Any]]:
    model = apps.get_model(belonging.model)
    whose = {f"{belonging.owner}__iexact": user.email} if belonging.is_by_address else {belonging.owner: user.pk}
    # Not the default manager: that of private rows refuses whoever does not name an owner, as is done here.
    rows = list(model._base_manager.filter(**whose).order_by("pk").values())  # noqa: SLF001  # public to Django's users
    if belonging.opened_by:
        rows = import_string(belonging.opened_by)(user.pk, rows)
    return [{name: _said(value) for name, value in row.items() if name not in belonging.without} for row in rows]


def _said(value: Any) -> Any:  # noqa: ANN401  # whatever a column holds
    return b64encode(value).decode() if isinstance(value, bytes | memoryview) else value
