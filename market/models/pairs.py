"""Asset pairs: which instruments make one up, and whose candles it shows on which day."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q

from .instruments import Instrument

# Places in a record of one bit for each member.
MOST_MEMBERS = 64


class PairMember(models.Model):
    """An instrument that an asset pair is made of; it stays one, and so its number keeps its meaning in old records."""

    pair = models.ForeignKey(Instrument, on_delete=models.PROTECT, related_name="+")
    instrument = models.ForeignKey(Instrument, on_delete=models.PROTECT, related_name="+")
    number = models.SmallIntegerField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["pair", "instrument"], name="pair_member_once"),
            models.UniqueConstraint(fields=["pair", "number"], name="pair_member_number_unique"),
            models.CheckConstraint(condition=Q(number__gte=0, number__lt=MOST_MEMBERS), name="pair_member_number_fits"),
        ]

    def __str__(self) -> str:
        return f"{self.instrument_id} in {self.pair_id}"


class PairDay(models.Model):
    """How a day of a pair was put together: its members by open interest, the largest first, and from what."""

    pair = models.ForeignKey(Instrument, on_delete=models.PROTECT, related_name="+")
    day = models.DateField()
    ranking = models.JSONField(help_text="ids of the members' instruments; the first lends its candles")
    inputs = models.CharField(max_length=64, help_text="SHA-256 of what the ledger says of the members that day")

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["pair", "day"], name="pair_day_unique")]

    def __str__(self) -> str:
        return f"{self.pair_id} on {self.day}"
