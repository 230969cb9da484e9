"""Early access: who asked, what they agreed to, their links, waves of invitations, and what operators did."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now


class Ask(models.Model):
    """A sent request form; what became of it is decided later, so that the answer takes as long for any address."""

    address = models.EmailField()
    data = models.JSONField(default=dict, help_text="note, consents, touches, referral code")
    is_suspect = models.BooleanField(default=False)
    asked_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"ask {self.pk}"


class Wave(models.Model):
    """Invitations that go out together: how many, to whom, when; sent only after a second step."""

    class State(models.TextChoices):
        DRAFT = "draft", "Draft"
        SCHEDULED = "scheduled", "Scheduled"
        SENDING = "sending", "Sending"
        PAUSED = "paused", "Paused"
        DONE = "done", "Done"
        STOPPED = "stopped", "Stopped"

    class Pick(models.TextChoices):
        ORDER = "order", "In order of the list"
        STRATA = "strata", "Even over sources"

    name = models.CharField(max_length=60)
    size = models.PositiveIntegerField()
    only = models.JSONField(default=dict, help_text="the filter: source, since, until")
    pick = models.CharField(max_length=6, choices=Pick.choices, default=Pick.ORDER)
    due_at = models.DateTimeField()
    state = models.CharField(max_length=9, choices=State.choices, default=State.DRAFT)
    note = models.CharField(max_length=200, blank=True, help_text="why it was paused or stopped")
    created_at = models.DateTimeField(db_default=Now())
    approved_at = models.DateTimeField(null=True)
    done_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(size__gte=1, size__lte=10_000), name="wave_size_bounded"),
            models.CheckConstraint(
                condition=Q(state__in=("draft", "stopped")) | Q(approved_at__isnull=False),
                name="wave_sent_in_two_steps",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Signup(models.Model):
    """An address that asked for access, and how far it has come. The place in the list is computed, never stored."""

    class State(models.TextChoices):
        REQUESTED = "requested", "Requested"
        CONFIRMED = "confirmed", "Confirmed"
        INVITED = "invited", "Invited"
        ACCEPTED = "accepted", "Accepted"
        # The invitation ran out unused; asking again brings them back.
        LAPSED = "lapsed", "Lapsed"
        DECLINED = "declined", "Declined"

    class Stop(models.TextChoices):
        NONE = "", "No"
        UNSUBSCRIBED = "unsubscribed", "Unsubscribed"
        BOUNCE = "bounce", "Bounced"
        COMPLAINT = "complaint", "Complained"

    address = models.EmailField()
    digest = models.CharField(max_length=64, unique=True, help_text="keyed hash of the address")
    alias_digest = models.CharField(max_length=64, help_text="the same without aliases; against abuse, not delivery")
    state = models.CharField(max_length=9, choices=State.choices, default=State.REQUESTED)
    stop = models.CharField(max_length=12, choices=Stop.choices, default=Stop.NONE, blank=True)
    note = models.CharField(max_length=500, blank=True, help_text="what it would be used for")
    source = models.CharField(max_length=60, default="direct")
    first_touch = models.JSONField(default=dict)
    last_touch = models.JSONField(default=dict)
    code = models.CharField(max_length=16, unique=True, help_text="for referring others")
    referrer = models.ForeignKey("self", on_delete=models.SET_NULL, null=True, related_name="+")
    credit = models.PositiveSmallIntegerField(default=0, help_text="confirmed referrals that count")
    priority = models.SmallIntegerField(default=0)
    is_suspect = models.BooleanField(default=False, help_text="to be looked at; nothing is blocked")
    wave = models.ForeignKey(Wave, on_delete=models.SET_NULL, null=True, related_name="+")
    user = models.OneToOneField("access.User", on_delete=models.CASCADE, null=True, related_name="+")
    requested_at = models.DateTimeField()
    confirmed_at = models.DateTimeField(null=True)
    invited_at = models.DateTimeField(null=True)
    accepted_at = models.DateTimeField(null=True)

    class Meta:
        indexes: ClassVar = [models.Index(fields=["state", "confirmed_at"], name="signup_by_state")]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(state__in=("requested", "declined")) | Q(confirmed_at__isnull=False),
                name="signup_confirmed_before_invited",
            ),
            models.CheckConstraint(
                condition=~Q(state="invited") | Q(stop="", invited_at__isnull=False), name="signup_invited_wants_mail"
            ),
            models.CheckConstraint(condition=Q(credit__lte=5), name="signup_credit_capped"),
        ]

    def __str__(self) -> str:
        return f"signup {self.pk}"


class Consent(models.Model):
    """What was agreed to, word by word. Rows are added; the database refuses to change one."""

    class Purpose(models.TextChoices):
        ACCESS = "access", "Invitation to early access"
        LETTER = "letter", "Research letter"

    class Act(models.TextChoices):
        ASKED = "asked", "Asked"
        CONFIRMED = "confirmed", "Confirmed"

    signup = models.ForeignKey(Signup, on_delete=models.CASCADE, related_name="consents")
    purpose = models.CharField(max_length=6, choices=Purpose.choices)
    act = models.CharField(max_length=9, choices=Act.choices)
    text = models.TextField()
    version = models.CharField(max_length=64, help_text="SHA-256 of the text")
    form = models.CharField(max_length=40)
    source = models.CharField(max_length=60)
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.purpose} {self.act}"


class Token(models.Model):
    """A link's secret as its hash: for one purpose, one signup, one use."""

    class Purpose(models.TextChoices):
        CONFIRM = "confirm", "Confirm"
        INVITE = "invite", "Invite"
        MANAGE = "manage", "Manage"

    class End(models.TextChoices):
        SUPERSEDED = "superseded", "Superseded"
        REVOKED = "revoked", "Revoked"
        EXPIRED = "expired", "Expired"

    signup = models.ForeignKey(Signup, on_delete=models.CASCADE, related_name="tokens")
    purpose = models.CharField(max_length=7, choices=Purpose.choices)
    digest = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)
    end = models.CharField(max_length=10, choices=End.choices, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["signup", "purpose"],
                condition=Q(used_at__isnull=True, end="", purpose__in=("confirm", "invite")),
                name="token_one_live",
            )
        ]

    def __str__(self) -> str:
        return f"{self.purpose} {self.pk}"


class Act(models.Model):
    """What an operator or the product itself did, with the reason. Rows are added; the database refuses all else."""

    actor_id = models.BigIntegerField(null=True, help_text="the user; none: the product itself")
    kind = models.CharField(max_length=40)
    subject = models.CharField(max_length=60)
    before = models.JSONField(default=dict)
    after = models.JSONField(default=dict)
    reason = models.CharField(max_length=200, blank=True)
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.kind} {self.subject}"


class Allowance(models.Model):
    """How many more a source may send now: a token bucket that every process shares and no cache loses."""

    digest = models.CharField(max_length=64, unique=True)
    tokens = models.FloatField()
    updated_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.tokens:g} left"


class SpentProof(models.Model):
    """A proof of work that was used; it is good once."""

    digest = models.CharField(max_length=64, unique=True)
    expires_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.digest[:8]


class Tally(models.Model):
    """How many had come how far when their rows went: a number, and nothing about anyone."""

    source = models.CharField(max_length=60)
    step = models.CharField(max_length=9)
    count = models.PositiveIntegerField(default=0)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["source", "step"], name="tally_once")]

    def __str__(self) -> str:
        return f"{self.source} {self.step}: {self.count}"


class Onboarding(models.Model):
    """How far a new member has come."""

    user = models.OneToOneField("access.User", on_delete=models.CASCADE, primary_key=True, related_name="+")
    pairs = models.JSONField(default=list, help_text="keys of the instruments they chose")
    read_at = models.DateTimeField(null=True, help_text="when they had read how to read the map")
    done_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"onboarding of {self.user_id}"
