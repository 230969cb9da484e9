"""What the trader did: files, fills, the trades that they make, and what a trader says of them afterwards."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from access.owning import OwnedManager

from .plans import Plan

if TYPE_CHECKING:
    from .words import ReviewWords

# What the key of a typed fill begins with; no venue's does.
BY_HAND: Final = "by-hand:"


class TradeFile(models.Model):
    """A file that somebody sent. Until it is taken in its bytes wait here; afterwards they are gone."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    name = models.CharField(max_length=120)
    sha256 = models.CharField(max_length=64)
    header_sha256 = models.CharField(max_length=64, blank=True)
    content = models.BinaryField(null=True)
    # What the trader said of it.
    venue = models.CharField(max_length=20, blank=True)
    zone = models.CharField(max_length=60, blank=True)
    date_order = models.CharField(max_length=1, blank=True)
    decimal_comma = models.BooleanField(null=True)
    columns = models.JSONField(default=dict, help_text="from a field to the column that holds it, where mapped")
    # What became of it.
    layout = models.CharField(max_length=30, blank=True)
    row_count = models.IntegerField(default=0)
    new_count = models.IntegerField(default=0)
    known_count = models.IntegerField(default=0, help_text="rows that were here before")
    refused_count = models.IntegerField(default=0)
    passed_over = models.JSONField(default=dict, help_text="rows that are no trades, by kind")
    sent_at = models.DateTimeField(db_default=Now())
    taken_at = models.DateTimeField(null=True)

    objects = OwnedManager["TradeFile"]()

    def __str__(self) -> str:
        return self.name


class RefusedRow(models.Model):
    """A row of a file that was not believed, kept with its reason."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    file = models.ForeignKey(TradeFile, on_delete=models.CASCADE, related_name="+")
    line = models.IntegerField()
    reason = models.TextField()
    row = models.JSONField()

    objects = OwnedManager["RefusedRow"]()

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["file", "line"], name="refused_row_once")]

    def __str__(self) -> str:
        return f"line {self.line}: {self.reason}"


class Fill(models.Model):
    """One execution. side: +1 bought, -1 sold; quantity in base units; fee in ``fee_unit``, below 0 for a rebate."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    file = models.ForeignKey(TradeFile, on_delete=models.SET_NULL, null=True, related_name="+")
    venue = models.CharField(max_length=20)
    symbol = models.CharField(max_length=40)
    instrument = models.ForeignKey("market.Instrument", on_delete=models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField()
    side = models.SmallIntegerField()
    price = models.DecimalField(max_digits=38, decimal_places=18)
    quantity = models.DecimalField(max_digits=38, decimal_places=18)
    fee = models.DecimalField(max_digits=38, decimal_places=18)
    fee_unit = models.CharField(max_length=12, blank=True)
    is_maker = models.BooleanField(null=True)
    venue_fill_id = models.CharField(max_length=130)
    order_id = models.CharField(max_length=80, blank=True)

    objects = OwnedManager["Fill"]()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["owner", "venue", "symbol", "venue_fill_id"], name="fill_once"),
            models.CheckConstraint(condition=Q(price__gt=0, quantity__gt=0, side__in=(1, -1)), name="fill_amounts"),
        ]
        indexes: ClassVar = [models.Index(fields=["owner", "venue", "symbol", "at"], name="fill_by_contract")]

    def __str__(self) -> str:
        return f"{self.symbol} {self.side:+d} {self.quantity} at {self.price}"

    @property
    def is_typed(self) -> bool:
        """Whether it was typed, and no file has brought it since."""
        return self.venue_fill_id.startswith(BY_HAND)


class Trade(models.Model):
    """A position from flat to flat, made of fills or summed up by its venue. Fees and results are in quote units.

    key: the first fill's, so that a trade keeps its plan and review when more fills come. fees: None where a fee was
    paid in something whose price is not known here.
    """

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    venue = models.CharField(max_length=20)
    symbol = models.CharField(max_length=40)
    instrument = models.ForeignKey("market.Instrument", on_delete=models.PROTECT, null=True, related_name="+")
    key = models.CharField(max_length=130)
    side = models.SmallIntegerField()
    size = models.DecimalField(max_digits=38, decimal_places=18)
    left = models.DecimalField(max_digits=38, decimal_places=18, default=0)
    entry = models.DecimalField(max_digits=38, decimal_places=18)
    exit = models.DecimalField(max_digits=38, decimal_places=18, null=True)
    fees = models.DecimalField(max_digits=38, decimal_places=18, null=True)
    result = models.DecimalField(
        max_digits=38, decimal_places=18, null=True, help_text="after fees, where they are known"
    )
    opened_at = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)
    plan = models.ForeignKey(Plan, on_delete=models.SET_NULL, null=True, related_name="+")
    # How it found its plan: "sure", "chosen", "none" (the trader says that it had no plan), "" (to be asked).
    matched = models.CharField(max_length=6, blank=True)

    objects = OwnedManager["Trade"]()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["owner", "venue", "symbol", "key"], name="trade_once"),
        ]
        indexes: ClassVar = [models.Index(fields=["owner", "-closed_at"], name="trade_by_end")]

    def __str__(self) -> str:
        return f"{self.symbol} {self.side:+d} {self.size}"


class Review(models.Model):
    """What a trader takes from a plan or an unplanned trade. It is written once; later remarks are added."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    plan = models.OneToOneField(Plan, on_delete=models.CASCADE, null=True, related_name="+")
    trade = models.OneToOneField(Trade, on_delete=models.CASCADE, null=True, related_name="+")
    sealed = models.BinaryField(help_text="journal.models.ReviewWords, for the owner's key only")
    # The verdict as it was when it was reviewed; a later verdict is shown beside it.
    seen = models.JSONField(default=dict)
    reviewed_at = models.DateTimeField(db_default=Now())

    objects = OwnedManager["Review"]()

    # Opened by ``queries.open_reviews``, and set by whoever writes one; no column.
    words: ReviewWords

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(plan__isnull=False, trade__isnull=True) | Q(plan__isnull=True, trade__isnull=False),
                name="review_of_one",
            ),
        ]

    def __str__(self) -> str:
        return f"review {self.pk}"
