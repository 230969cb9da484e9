"""What the price path made of armed plans: judged by the pipeline, event by event."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, cast

from django.db import connection, models
from django.db.models import F, Q
from django.db.models.functions import Now

from access.owning import OwnedManager

from .plans import Plan

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence
    from decimal import Decimal


class JudgementManager(OwnedManager["Judgement"]):
    """The doors to judgements: of an owner, or for the judge, who reads no notes."""

    owner_path = "plan__owner_id"

    def judged(self, instrument_ids: Sequence[int]) -> set[int]:
        """Return those of some instruments of which there are any, for the judge."""
        found = self._of_everybody().filter(instrument_id__in=instrument_ids)
        return set(found.values_list("instrument_id", flat=True).distinct())

    def being_judged(self, instrument_id: int) -> models.QuerySet[Judgement]:
        """Return what is still to be judged of an instrument, for the judge."""
        return self._of_everybody().filter(instrument_id=instrument_id, is_done=False)

    def quiet(
        self, instrument_id: int, since: dt.datetime, until: dt.datetime, prices: tuple[Decimal, Decimal]
    ) -> models.QuerySet[Judgement]:
        """Return what was read up to ``since`` and to which prices from low to high can not matter by ``until``."""
        low, high = prices
        calm = self.being_judged(instrument_id).filter(
            through_at=since, quiet_low__lt=low, quiet_high__gt=high, quiet_until__gte=until,
            last_price__gt=F("quiet_low"), last_price__lt=F("quiet_high"),
        )  # fmt: skip
        return self.by_key(calm.order_by("pk").select_for_update(skip_locked=True, of=("self",)).values("pk"))

    def outdated(self, instrument_id: int, change_id: int) -> models.QuerySet[Judgement]:
        """Return what was judged before a correction of an instrument, for the judge."""
        found = self._of_everybody().filter(instrument_id=instrument_id, change_id__lt=change_id)
        return found.filter(through_at__isnull=False)

    def for_news(self, keys: list[int]) -> models.QuerySet[Judgement]:
        """Return judgements with what news of them say: neither terms nor words of the plan."""
        wanted = ("phase", "is_done", "result_low", "result_high", "through_at")
        named = ("plan__owner_id", "plan__number", "plan__armed_at", "plan__expires_at")
        contract = ("instrument__symbol", "instrument__venue", "instrument__is_simulated", "instrument__tick_size")
        found = self._of_everybody().select_related("plan", "instrument").only(*wanted, *named, *contract)
        return found.filter(pk__in=keys).order_by("pk")

    def expiring(self, instrument_id: int, since: dt.datetime, until: dt.datetime) -> models.QuerySet[Judgement]:
        """Return what waits for its entry, expires within a span, and was not told of."""
        waiting = self.being_judged(instrument_id).filter(phase="armed", expiry_told_at=None)
        return waiting.filter(plan__expires_at__range=(since, until))

    def review_due(self, instrument_id: int, since: dt.datetime, until: dt.datetime) -> models.QuerySet[Judgement]:
        """Return what ended within a span, is not reviewed, and was not told of."""
        ended = self._of_everybody().filter(instrument_id=instrument_id, is_done=True, through_at__range=(since, until))
        return ended.filter(reviewed_at=None, review_told_at=None)

    def unmeasured(self, instrument_id: int) -> models.QuerySet[Judgement]:
        """Return what closed and was not measured yet, for the judge."""
        closed = self._of_everybody().filter(instrument_id=instrument_id, is_done=True, phase="closed")
        return closed.filter(excursion__isnull=True).order_by("pk")

    def uncontrolled(self, instrument_id: int, armed_by: dt.datetime) -> models.QuerySet[Judgement]:
        """Return what closed, was armed by a moment and was not yet set beside random moments, for the judge."""
        closed = self._of_everybody().filter(instrument_id=instrument_id, is_done=True, phase="closed")
        return closed.filter(control__isnull=True, plan__armed_at__lte=armed_by).order_by("pk")

    def by_key(self, keys: list[int] | models.QuerySet[Judgement, Any]) -> models.QuerySet[Judgement]:
        """Return judgements that the judge holds."""
        return self._of_everybody().filter(pk__in=keys)

    def save_all(self, judgements: list[Judgement], fields: tuple[str, ...]) -> None:
        """Write fields of judgements that the judge holds; one statement, sent once with all rows."""
        known = self.model._meta  # noqa: SLF001  # Django's name for it
        columns = [cast("models.Field[Any, Any]", known.get_field(name)) for name in fields]
        sets = ", ".join(f"{column.column} = %s" for column in columns)
        rows = [
            [*(column.get_db_prep_save(getattr(one, column.attname), connection) for column in columns), one.pk]
            for one in judgements
        ]
        with connection.cursor() as cursor:
            cursor.executemany(f"UPDATE journal_judgement SET {sets} WHERE plan_id = %s", rows)  # noqa: S608  # our own names


class Judgement(models.Model):
    """Where the verdict on an armed plan stands; what it goes by is fixed at arming."""

    plan = models.OneToOneField(Plan, on_delete=models.CASCADE, primary_key=True, related_name="+")
    instrument = models.ForeignKey("market.Instrument", on_delete=models.PROTECT, related_name="+")
    terms = models.JSONField(help_text="journal.verdict.Terms")
    state = models.JSONField(help_text="journal.verdict.State")
    # Of the verdict as it stands: an open plan goes on by the engine that runs, and each event names its own.
    engine = models.CharField(max_length=10)
    # Of the worst course; the results in R are known once every course has ended.
    phase = models.CharField(max_length=12)
    is_done = models.BooleanField(default=False)
    result_low = models.DecimalField(max_digits=20, decimal_places=8, null=True)
    result_high = models.DecimalField(max_digits=20, decimal_places=8, null=True)
    # How far the price went against it and for it [R], each from least to most; empty where bars are missing.
    excursion = models.JSONField(null=True, help_text="journal.verdict.Excursion")
    # What the same plan made at random moments; with a reason in place of figures where that can not be told.
    control = models.JSONField(null=True, help_text="journal.operations.controlling")
    through_at = models.DateTimeField(null=True, help_text="end of the last bar that was read")
    last_price = models.DecimalField(max_digits=30, decimal_places=15, null=True)
    # journal.verdict.Quiet: between these prices and up to this moment it need not be judged; empty: each minute.
    quiet_low = models.DecimalField(max_digits=30, decimal_places=15, null=True)
    quiet_high = models.DecimalField(max_digits=30, decimal_places=15, null=True)
    quiet_until = models.DateTimeField(null=True)
    event_count = models.IntegerField(default=0)
    # The last correction of market data that was looked at; a verdict that was reviewed is not replaced by one.
    change_id = models.BigIntegerField(default=0)
    reviewed_at = models.DateTimeField(null=True)
    # When its owner was told that it expires soon, and that its review is due.
    expiry_told_at = models.DateTimeField(null=True)
    review_told_at = models.DateTimeField(null=True)

    objects: ClassVar[JudgementManager] = JudgementManager()

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["instrument"], condition=Q(is_done=False), name="judgement_waiting"),
            models.Index(
                fields=["instrument", "through_at"],
                condition=Q(is_done=True, reviewed_at=None, review_told_at=None),
                name="judgement_to_review",
            ),
            models.Index(
                fields=["instrument"],
                condition=Q(is_done=True, phase="closed", excursion__isnull=True),
                name="judgement_to_measure",
            ),
            models.Index(
                fields=["instrument"],
                condition=Q(is_done=True, phase="closed", control__isnull=True),
                name="judgement_to_control",
            ),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(is_done=False, result_low__isnull=True, result_high__isnull=True)
                | Q(is_done=True, result_low__isnull=False, result_high__isnull=False),
                name="judgement_results_when_done",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.plan_id}: {self.phase}"


class PlanEventManager(OwnedManager["PlanEvent"]):
    """The doors to what happened to plans."""

    owner_path = "plan__owner_id"

    def of_judgement(self, plan_id: int) -> models.QuerySet[PlanEvent]:
        """Return what was said of a plan, for the judge."""
        return self._of_everybody().filter(plan_id=plan_id).order_by("number")

    def append(self, events: list[PlanEvent]) -> None:
        """Add events at the end of their plans."""
        self._of_everybody().bulk_create(events)


class PlanEvent(models.Model):
    """Something that happened to an armed plan on the price path. The database refuses to change one."""

    plan = models.ForeignKey(Plan, on_delete=models.CASCADE, related_name="+")
    number = models.IntegerField()
    kind = models.CharField(max_length=12)
    at = models.DateTimeField(help_text="end of the bar")
    branch = models.CharField(max_length=30, blank=True, help_text="which of the possible courses")
    price = models.DecimalField(max_digits=30, decimal_places=15, null=True)
    result = models.DecimalField(max_digits=20, decimal_places=8, null=True, help_text="R")
    note = models.CharField(max_length=60, blank=True)
    engine = models.CharField(max_length=10)
    created_at = models.DateTimeField(db_default=Now())

    objects: ClassVar[PlanEventManager] = PlanEventManager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["plan", "number"], name="plan_event_number_unique"),
        ]

    def __str__(self) -> str:
        return f"{self.plan_id}.{self.number} {self.kind}"
