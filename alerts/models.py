"""What a member asked to be told, and what was told. Private rows: every question names the owner."""

from __future__ import annotations

from typing import ClassVar, Final

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from access.owning import OwnedManager
from access.reading import with_moment

HORIZONS = (("4h", "4 h"), ("24h", "24 h"), ("3d", "3 d"), ("7d", "7 d"))


class RuleManager(OwnedManager["Rule"]):
    """The doors to rules: of an owner, or for the watch, which reads no more than what to look for."""

    def watching(self, instrument_id: int) -> models.QuerySet[Rule]:
        """Return the rules about an instrument, for the watch."""
        return self._of_everybody().filter(instrument_id=instrument_id)

    def watched(self) -> models.QuerySet[Rule]:
        """Return all rules, for the watch to learn which instruments they are about."""
        return self._of_everybody()


class Rule(models.Model):
    """One thing that a member wants to be told of one instrument."""

    class Kind(models.TextChoices):
        NEAR = "near", "Price comes near a zone"
        CHANCE = "chance", "Chance of a touch"
        SWEPT = "swept", "A zone is swept"
        CROWDING = "crowding", "Crowding state changes"
        STALE = "stale", "Data becomes stale"

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    instrument = models.ForeignKey("market.Instrument", on_delete=models.CASCADE, related_name="+")
    kind = models.CharField(max_length=8, choices=Kind.choices)
    # Price within so much of the near edge [%]; or a chance of at least so much [%] within the horizon; else 0.
    threshold_pct = models.DecimalField(max_digits=5, decimal_places=2, default=0)
    horizon = models.CharField(max_length=4, choices=HORIZONS, blank=True)
    by_mail = models.BooleanField(default=False)
    created_at = models.DateTimeField(db_default=Now())
    # What held when it was looked at last, so that only a change is told.
    seen = models.JSONField(default=dict)
    seen_at = models.DateTimeField(null=True)

    objects: ClassVar[RuleManager] = RuleManager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["owner", "instrument", "kind", "threshold_pct", "horizon"], name="alert_rule_once"
            ),
            models.CheckConstraint(
                condition=Q(kind="near", threshold_pct__gt=0, horizon="")
                | (Q(kind="chance", threshold_pct__gt=0, threshold_pct__lt=100) & ~Q(horizon=""))
                | Q(kind__in=["swept", "crowding", "stale"], threshold_pct=0, horizon=""),
                name="alert_rule_fits_its_kind",
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["instrument"], name="alert_rule_by_instrument")]

    def __str__(self) -> str:
        return f"{self.kind} of {self.instrument_id}"


NOTICE_KINDS: Final = (*Rule.Kind.choices, ("plan", "What became of a plan"))


class NoticeManager(OwnedManager["Notice"]):
    """The doors to notices."""

    def append(self, notices: list[Notice]) -> None:
        """Add notices; one that was told before is left as it is."""
        self._of_everybody().bulk_create(notices, ignore_conflicts=True)

    def waiting(self) -> models.QuerySet[Notice]:
        """Return what is still to be sent by e-mail, for the mail."""
        return self._of_everybody().filter(by_mail=True, mailed_at=None)


class Notice(models.Model):
    """Something that was told; what it says never changes."""

    PLAN: ClassVar = "plan"

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    instrument = models.ForeignKey("market.Instrument", on_delete=models.CASCADE, related_name="+")
    kind = models.CharField(max_length=8, choices=NOTICE_KINDS)
    # What makes it the same as one that was told: the rule, what it is about, and the moment.
    subject = models.CharField(max_length=80)
    at = models.DateTimeField(help_text="the moment that it is of")
    text = models.CharField(max_length=300, help_text="with access.reading.MOMENT where a moment stands")
    moment = models.DateTimeField(null=True, help_text="which stands in the text, by each reader's clock")
    zone_id = models.BigIntegerField(null=True, help_text="whose page it leads to")
    plan_number = models.IntegerField(null=True, help_text="of the owner's plan that it leads to")
    made_at = models.DateTimeField(db_default=Now())
    read_at = models.DateTimeField(null=True)
    by_mail = models.BooleanField(default=False)
    mailed_at = models.DateTimeField(null=True)

    objects: ClassVar[NoticeManager] = NoticeManager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["owner", "subject", "at"], name="alert_notice_once"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["owner", "-id"], name="alert_notice_by_owner"),
            models.Index(fields=["owner"], condition=Q(read_at=None), name="alert_notice_unread"),
            models.Index(fields=["owner"], condition=Q(by_mail=True, mailed_at=None), name="alert_notice_to_mail"),
        ]

    def __str__(self) -> str:
        return with_moment(self.text, self.moment)

    @property
    def is_review_due(self) -> bool:
        """Whether it leads to the review of a plan rather than to the plan; the journal names the subject so."""
        return self.kind == self.PLAN and self.subject.endswith(":review")


class Preferences(models.Model):
    """When a member may be written to: not in quiet hours by their own clock, and one e-mail in so many minutes."""

    owner = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, primary_key=True, related_name="+")
    quiet_from = models.TimeField(null=True)
    quiet_until = models.TimeField(null=True)
    digest_minutes = models.PositiveIntegerField(default=60)
    plans_by_mail = models.BooleanField(default=False)
    mailed_at = models.DateTimeField(null=True, help_text="when the last digest was written")

    objects = OwnedManager["Preferences"]()

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(quiet_from__isnull=True, quiet_until__isnull=True)
                | (Q(quiet_from__isnull=False, quiet_until__isnull=False) & ~Q(quiet_from=F("quiet_until"))),
                name="alert_quiet_hours_whole",
            ),
            models.CheckConstraint(
                condition=Q(digest_minutes__gte=5, digest_minutes__lte=1440), name="alert_digest_minutes"
            ),
        ]

    def __str__(self) -> str:
        return f"of {self.owner_id}"


class Watched(models.Model):
    """An instrument on a member's watch list."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    instrument = models.ForeignKey("market.Instrument", on_delete=models.CASCADE, related_name="+")
    added_at = models.DateTimeField(db_default=Now())

    objects = OwnedManager["Watched"]()

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["owner", "instrument"], name="watched_once")]

    def __str__(self) -> str:
        return f"{self.instrument_id} of {self.owner_id}"
