"""Who may look: users, the operator's one-time login links, and API keys. Secrets are stored as hashes only."""

from __future__ import annotations

from typing import ClassVar

from allauth.account.models import EmailAddress
from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Lower, Now


class UserManager(BaseUserManager["User"]):
    """Make users from an e-mail address."""

    def create_user(self, email: str, password: str | None = None, **extra: object) -> User:
        """Store a user; no password means one that cannot be used."""
        user = self.model(email=self.normalize_email(email).lower(), **extra)
        user.set_password(password)
        user.save(using=self._db)
        # Who is made here, by hand, is known to whoever made them.
        EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
        return user

    def create_superuser(self, email: str, password: str | None = None, **extra: object) -> User:
        """Store a user with every right."""
        return self.create_user(email, password, is_staff=True, is_superuser=True, **extra)


class User(AbstractBaseUser, PermissionsMixin):
    """A person, known by e-mail address."""

    email = models.EmailField(unique=True)
    is_active = models.BooleanField(default=True)
    is_staff = models.BooleanField(default=False)
    joined_at = models.DateTimeField(db_default=Now())

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(Lower("email"), name="user_email_unique_any_case")]

    def __str__(self) -> str:
        return self.email


class LoginLink(models.Model):
    """A single-use login for the local operator; the address carries the secret, the table its hash."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    digest = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField(db_default=Now())
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"login link of {self.user}"


class ApiKey(models.Model):
    """A token for the API; shown once, stored as a hash."""

    class Scope(models.TextChoices):
        """What a key may read; of plans also what it may write."""

        DATA = "data", "Market data, maps and scores"
        PLANS = "plans", "Your plans, trades and reviews, also to write them"

        @staticmethod
        def every() -> list[str]:
            """Return all of them: what keys may do that were made before there were scopes."""
            return ["data", "plans"]

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    name = models.CharField(max_length=60)
    prefix = models.CharField(max_length=12)
    digest = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField(db_default=Now())
    last_used_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)
    scopes = ArrayField(models.CharField(max_length=8, choices=Scope.choices), default=Scope.every)
    expires_at = models.DateTimeField(null=True, help_text="not set: it works until it is revoked")

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"


class Preferences(models.Model):
    """What a person has set for themselves."""

    class Theme(models.TextChoices):
        SYSTEM = "", "As the device"
        DARK = "dark", "Dark"
        LIGHT = "light", "Light"

    class Notation(models.TextChoices):
        POINT = "point", "1,234.5"
        COMMA = "comma", "1.234,5"

    user = models.OneToOneField(User, on_delete=models.CASCADE, related_name="preferences")
    theme = models.CharField(max_length=5, choices=Theme.choices, blank=True)
    risk_pct = models.DecimalField(
        max_digits=5, decimal_places=2, null=True, help_text="what a plan risks unless it says otherwise"
    )
    time_zone = models.CharField(max_length=64, db_default="UTC", default="UTC")
    notation = models.CharField(
        max_length=5, choices=Notation.choices, db_default=Notation.POINT, default=Notation.POINT
    )
    account = models.DecimalField(max_digits=20, decimal_places=8, null=True, help_text="of plans and calculators")
    entry_fee_pct = models.DecimalField(max_digits=6, decimal_places=4, null=True, help_text="below 0: a rebate")
    exit_fee_pct = models.DecimalField(max_digits=6, decimal_places=4, null=True, help_text="below 0: a rebate")
    venue = models.CharField(max_length=30, blank=True, db_default="", default="", help_text="whose fees hold")

    def __str__(self) -> str:
        return f"preferences of {self.user}"
