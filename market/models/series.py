"""What exchanges report, row by row. Integrity lives in constraints; ids and timestamps carry no meaning."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from .instruments import Instrument


class Bar(models.Model):
    """One closed candle; a monthly partition holds it (see the first migration)."""

    class PriceKind(models.IntegerChoices):
        LAST = 0, "Last"
        MARK = 1, "Mark"

    pk = models.CompositePrimaryKey("instrument_id", "price_kind", "timeframe", "open_time")
    instrument = models.ForeignKey(Instrument, on_delete=models.PROTECT, db_constraint=False, related_name="+")
    price_kind = models.SmallIntegerField(choices=PriceKind.choices)
    timeframe = models.IntegerField(help_text="seconds")
    open_time = models.DateTimeField()
    open = models.FloatField()
    high = models.FloatField()
    low = models.FloatField()
    close = models.FloatField()
    volume = models.FloatField(null=True)
    quote_volume = models.FloatField(null=True)
    taker_buy_volume = models.FloatField(null=True)

    class Meta:
        managed = False
        db_table = "market_bar"

    def __str__(self) -> str:
        return f"{self.instrument_id} {self.timeframe} s {self.open_time:%Y-%m-%d %H:%M}"


class OpenInterest(models.Model):
    """Contracts open at a moment, one-sided, in base units."""

    pk = models.CompositePrimaryKey("instrument_id", "time")
    instrument = models.ForeignKey(Instrument, on_delete=models.PROTECT, related_name="+")
    time = models.DateTimeField()
    open_interest = models.FloatField()
    open_interest_value = models.FloatField(null=True)
    mark_price = models.FloatField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(open_interest__gte=0, open_interest__lt=1e15), name="open_interest_finite"
            )
        ]

    def __str__(self) -> str:
        return f"{self.instrument_id} {self.time:%Y-%m-%d %H:%M}"


class FundingRate(models.Model):
    """The rate paid at a moment, as a fraction of notional; positive when longs pay."""

    pk = models.CompositePrimaryKey("instrument_id", "time")
    instrument = models.ForeignKey(Instrument, on_delete=models.PROTECT, related_name="+")
    time = models.DateTimeField()
    rate = models.FloatField()
    interval_s = models.FloatField(null=True, help_text="what the rate is paid for, seconds")

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(rate__gt=-1, rate__lt=1), name="funding_rate_fraction")
        ]

    def __str__(self) -> str:
        return f"{self.instrument_id} {self.time:%Y-%m-%d %H:%M}"


class Liquidation(models.Model):
    """One observed forced close."""

    pk = models.CompositePrimaryKey("instrument_id", "time", "position_side", "price", "quantity", "ordinal")
    instrument = models.ForeignKey(Instrument, on_delete=models.PROTECT, related_name="+")
    time = models.DateTimeField()
    position_side = models.SmallIntegerField(choices=[(1, "Long"), (-1, "Short")])
    price = models.FloatField()
    quantity = models.FloatField()
    ordinal = models.IntegerField(default=0)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(position_side__in=[1, -1]), name="liquidation_side"),
            models.CheckConstraint(
                condition=Q(price__gt=0, price__lt=1e15, quantity__gt=0, quantity__lt=1e15),
                name="liquidation_finite",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.instrument_id} {self.time:%Y-%m-%d %H:%M:%S} {self.quantity} at {self.price}"


class LiquidationTotal(models.Model):
    """Observed liquidations summed per period and side; no price level is known."""

    pk = models.CompositePrimaryKey("instrument_id", "timeframe", "open_time")
    instrument = models.ForeignKey(Instrument, on_delete=models.PROTECT, related_name="+")
    timeframe = models.IntegerField(help_text="seconds")
    open_time = models.DateTimeField()
    long_usd = models.FloatField()
    short_usd = models.FloatField()

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(long_usd__gte=0, long_usd__lt=1e15, short_usd__gte=0, short_usd__lt=1e15),
                name="liquidation_total_finite",
            )
        ]

    def __str__(self) -> str:
        return f"{self.instrument_id} {self.timeframe} s {self.open_time:%Y-%m-%d %H:%M}"


class Depth(models.Model):
    """What rested in the order book near its middle at a moment [quote]; empty beyond what the venue showed."""

    pk = models.CompositePrimaryKey("instrument_id", "time")
    instrument = models.ForeignKey(Instrument, on_delete=models.PROTECT, related_name="+")
    time = models.DateTimeField()
    mid = models.FloatField()
    bid_10 = models.FloatField(null=True)
    bid_25 = models.FloatField(null=True)
    bid_50 = models.FloatField(null=True)
    bid_100 = models.FloatField(null=True)
    bid_200 = models.FloatField(null=True)
    bid_500 = models.FloatField(null=True)
    ask_10 = models.FloatField(null=True)
    ask_25 = models.FloatField(null=True)
    ask_50 = models.FloatField(null=True)
    ask_100 = models.FloatField(null=True)
    ask_200 = models.FloatField(null=True)
    ask_500 = models.FloatField(null=True)

    class Meta:
        constraints: ClassVar = [models.CheckConstraint(condition=Q(mid__gt=0, mid__lt=1e15), name="depth_mid_finite")]

    def __str__(self) -> str:
        return f"{self.instrument_id} {self.time:%Y-%m-%d %H:%M}"


class AccountRatio(models.Model):
    """Accounts that are net long over accounts that are net short, as the venue counts them."""

    pk = models.CompositePrimaryKey("instrument_id", "time")
    instrument = models.ForeignKey(Instrument, on_delete=models.PROTECT, related_name="+")
    time = models.DateTimeField()
    ratio = models.FloatField()

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(ratio__gt=0, ratio__lt=1e9), name="account_ratio_finite")
        ]

    def __str__(self) -> str:
        return f"{self.instrument_id} {self.time:%Y-%m-%d %H:%M}"


class Revision(models.Model):
    """The former values of a row that a venue corrected; nothing is overwritten without a trace."""

    instrument = models.ForeignKey(Instrument, on_delete=models.PROTECT, related_name="+")
    series = models.CharField(max_length=32)
    key_time = models.DateTimeField()
    former = models.JSONField()
    replaced_at = models.DateTimeField(db_default=Now())

    class Meta:
        indexes: ClassVar = [models.Index(fields=["instrument", "series", "key_time"], name="revision_by_key")]

    def __str__(self) -> str:
        return f"{self.series} {self.key_time:%Y-%m-%d %H:%M}"


class SourceCheckpoint(models.Model):
    """Opaque state a source needs to go on; for the simulated market it is the book of true positions."""

    instrument = models.ForeignKey(Instrument, on_delete=models.PROTECT, related_name="+")
    as_of = models.DateTimeField()
    body = models.BinaryField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["instrument", "as_of"], name="source_checkpoint_unique")
        ]

    def __str__(self) -> str:
        return f"{self.instrument_id} {self.as_of:%Y-%m-%d %H:%M}"
