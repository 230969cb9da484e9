"""The admin of users and keys."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as BaseUserAdmin
from django.contrib.auth.forms import AdminUserCreationForm

from access import operations
from access.models import Act, ApiKey, Consent, Signup, User, Wave
from access.permissions.admin import ReadOnlyAdmin

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest


class UserCreationForm(AdminUserCreationForm):  # type: ignore[type-arg]  # not subscriptable at run time
    class Meta:
        model = User
        fields = ("email",)


@admin.register(User)
class UserAdmin(BaseUserAdmin):  # type: ignore[type-arg]  # not subscriptable at run time
    add_form = UserCreationForm
    ordering = ("email",)
    list_display = ("email", "is_active", "is_staff", "joined_at", "last_login")
    search_fields = ("email",)
    readonly_fields = ("joined_at", "last_login")
    fieldsets = (
        (None, {"fields": ["email", "password"]}),
        ("Rights", {"fields": ["is_active", "is_staff", "is_superuser", "groups", "user_permissions"]}),
        ("Times", {"fields": ["joined_at", "last_login"]}),
    )
    add_fieldsets = ((None, {"fields": ["email", "usable_password", "password1", "password2"]}),)

    def delete_model(self, request: HttpRequest, obj: User) -> None:  # noqa: ARG002  # Django's signature
        """Erase with all that is theirs; a plain delete stops at armed plans."""
        operations.erase_account(user_id=obj.pk)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        """Erase each of them."""
        for user in queryset.order_by("pk"):
            self.delete_model(request, user)


@admin.register(ApiKey)
class ApiKeyAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # not subscriptable at run time
    """Keys can be seen, not made: nobody but the owner sees a secret."""

    list_display = ("user", "name", "prefix", "created_at", "last_used_at", "revoked_at")
    list_select_related = ("user",)
    fields = ("user", "name", "prefix", "created_at", "last_used_at", "revoked_at")
    readonly_fields = fields

    def has_add_permission(self, request: HttpRequest) -> bool:  # noqa: ARG002  # Django's signature
        """Refuse."""
        return False


@admin.register(Signup)
class SignupAdmin(ReadOnlyAdmin):
    """Who asked for access; invitations go out in waves, never from here."""

    list_display = ("address", "state", "stop", "source", "requested_at", "confirmed_at", "invited_at", "accepted_at")
    list_filter = ("state", "stop", "is_suspect", "source")
    search_fields = ("address",)
    ordering = ("-pk",)


@admin.register(Consent)
class ConsentAdmin(ReadOnlyAdmin):
    """What was agreed to, word by word."""

    list_display = ("signup", "purpose", "act", "version", "at")
    list_filter = ("purpose", "act")
    ordering = ("-pk",)


@admin.register(Wave)
class WaveAdmin(ReadOnlyAdmin):
    """Waves; they are made, approved and paused on the page of early access."""

    list_display = ("name", "state", "size", "pick", "due_at", "approved_at", "done_at", "note")
    list_filter = ("state",)
    ordering = ("-pk",)


@admin.register(Act)
class ActAdmin(ReadOnlyAdmin):
    """What operators and the product itself did."""

    list_display = ("at", "actor_id", "kind", "subject", "reason")
    list_filter = ("kind",)
    ordering = ("-pk",)
