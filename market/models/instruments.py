"""Contracts at venues, what their terms were and when, and the symbols that they went by."""

from __future__ import annotations

from typing import ClassVar, Final

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

# The venue of instruments that are asset pairs: sums over venues, fetched from none.
PAIR: Final = "pair"


class Instrument(models.Model):
    """A contract at one venue, or an asset pair; ``key`` (``venue:symbol``) is its public name."""

    class ContractType(models.TextChoices):
        LINEAR = "linear", "Linear"
        INVERSE = "inverse", "Inverse"

    venue = models.CharField(max_length=32)
    symbol = models.CharField(max_length=64)
    base = models.CharField(max_length=32)
    quote = models.CharField(max_length=32)
    contract_type = models.CharField(max_length=8, choices=ContractType.choices, default=ContractType.LINEAR)
    contract_size = models.FloatField(default=1.0)
    tick_size = models.DecimalField(max_digits=20, decimal_places=10)
    lot_size = models.DecimalField(max_digits=20, decimal_places=10)
    # The asset that a contract on a multiple is about, and the multiple: PEPE and 1000 for 1000PEPE.
    underlying = models.CharField(max_length=32, blank=True)
    multiple = models.IntegerField(default=1)
    # How the venue thins out its public liquidations; "all" where it doesn't, empty where nobody knows.
    liquidation_sampling = models.CharField(max_length=32, blank=True)
    is_simulated = models.BooleanField(default=False)
    # Live instruments are fetched every minute; the others hold what was imported.
    is_live = models.BooleanField(default=False)
    ended_at = models.DateTimeField(null=True, help_text="delisted or settled: nothing comes after it")
    missing_since = models.DateTimeField(null=True, help_text="since when its venue's list lacks it, unconfirmed")
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["venue", "symbol"], name="instrument_venue_symbol_unique"),
            models.CheckConstraint(
                condition=Q(tick_size__gt=0) & Q(lot_size__gt=0) & Q(contract_size__gt=0),
                name="instrument_sizes_positive",
            ),
        ]

    def __str__(self) -> str:
        return self.key

    @property
    def key(self) -> str:
        """``venue:symbol``, as written in addresses and commands."""
        return f"{self.venue}:{self.symbol}"

    @property
    def is_pair(self) -> bool:
        """Whether it is the same asset across venues rather than a contract at one."""
        return self.venue == PAIR

    @property
    def is_fetched(self) -> bool:
        """Whether more of it is to come: enabled, and not delisted."""
        return self.is_live and self.ended_at is None


class ContractTerms(models.Model):
    """What a contract's terms were from a moment on; a changed size never rewrites what came before."""

    instrument = models.ForeignKey(Instrument, on_delete=models.PROTECT, related_name="+")
    valid_from = models.DateTimeField()
    contract_size = models.FloatField()
    multiple = models.IntegerField(default=1)
    tick_size = models.DecimalField(max_digits=20, decimal_places=10)
    lot_size = models.DecimalField(max_digits=20, decimal_places=10)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["instrument", "valid_from"], name="contract_terms_unique"),
            models.CheckConstraint(
                condition=Q(tick_size__gt=0) & Q(lot_size__gt=0) & Q(contract_size__gt=0),
                name="contract_terms_positive",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.instrument_id} from {self.valid_from:%Y-%m-%d %H:%M}"


class Alias(models.Model):
    """A symbol under which an instrument traded before it was renamed."""

    instrument = models.ForeignKey(Instrument, on_delete=models.PROTECT, related_name="+")
    symbol = models.CharField(max_length=64)
    valid_until = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["instrument", "symbol", "valid_until"], name="alias_unique")
        ]

    def __str__(self) -> str:
        return f"{self.symbol} until {self.valid_until:%Y-%m-%d %H:%M}"


class LeverageBracket(models.Model):
    """One row of an instrument's table of leverage brackets, as its venue showed it on a day."""

    instrument = models.ForeignKey(Instrument, on_delete=models.PROTECT, related_name="+")
    as_of_date = models.DateField()
    floor = models.FloatField(help_text="notional from which it holds: quote, of inverse contracts base")
    max_leverage = models.FloatField()
    maintenance_rate = models.FloatField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["instrument", "as_of_date", "floor"], name="leverage_bracket_unique"),
            models.CheckConstraint(
                condition=Q(floor__gte=0, max_leverage__gte=1, maintenance_rate__gt=0, maintenance_rate__lt=1),
                name="leverage_bracket_sane",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.instrument_id} from {self.floor:,.0f}: {self.max_leverage:g}x"
