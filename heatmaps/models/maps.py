"""Maps: the frozen estimator, what it built, and from where it goes on."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from django.db import models
from django.db.models.functions import Now

if TYPE_CHECKING:
    import datetime as dt


class EstimatorRelease(models.Model):
    """A named, frozen estimator: its parameters never change under the same version."""

    slug = models.CharField(max_length=40)
    version = models.CharField(max_length=20)
    parameters = models.JSONField()
    digest = models.CharField(max_length=64)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["slug", "version"], name="estimator_release_unique")]

    def __str__(self) -> str:
        return f"{self.slug} {self.version}"


class Heatmap(models.Model):
    """One instrument under one estimator; ``built_through`` is the only pointer readers trust."""

    instrument = models.ForeignKey("market.Instrument", on_delete=models.PROTECT, related_name="+")
    release = models.ForeignKey(EstimatorRelease, on_delete=models.PROTECT, related_name="+")
    # Width of a price bin in basis points of log price; bin j covers [j, j+1) * bin_bps * 1e-4 in ln(price).
    bin_bps = models.FloatField()
    # The value of code 1 in the tiles [USD per 0.1 % of price]; fixed at creation so that a colour keeps its meaning.
    code_floor_usd = models.FloatField(default=20_000.0)
    # The range of the colour scale [USD per 0.1 % of price]: measured once, when the map first holds a week, then kept.
    display_floor_usd = models.FloatField(null=True)
    display_ceiling_usd = models.FloatField(null=True)
    built_from = models.DateTimeField(null=True)
    built_through = models.DateTimeField(null=True, help_text="end of the newest committed step")
    # End of the provisional column beyond built_through, if one is stored.
    provisional_through = models.DateTimeField(null=True)
    # The farthest that built_through ever was, and how often tiles that had been closed by then were rewritten.
    shown_through = models.DateTimeField(null=True)
    revision = models.PositiveIntegerField(default=1, db_default=1)
    # The last change of the market behind its edge that is in the map.
    change_id = models.BigIntegerField(default=0, db_default=0)
    zones_through = models.DateTimeField(null=True)
    allocated_share = models.FloatField(null=True, help_text="share of open interest placed on the map")
    # Lowest and one-past-highest bin that ever held an estimate.
    bin_lo = models.IntegerField(null=True)
    bin_hi = models.IntegerField(null=True)
    input_digest = models.CharField(max_length=64, blank=True)
    updated_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["instrument", "release"], name="heatmap_unique")]

    def __str__(self) -> str:
        return f"{self.instrument} by {self.release}"

    def drawn_through(self, at: dt.datetime | None = None) -> dt.datetime | None:
        """Return the end of the newest column, provisional or not, or ``at`` where that came before; None without."""
        drawn = self.provisional_through or self.built_through
        return min(drawn, at) if drawn and at else drawn


class Snapshot(models.Model):
    """The estimator's state at a canonical boundary, from which a build goes on bit for bit."""

    heatmap = models.ForeignKey(Heatmap, on_delete=models.CASCADE, related_name="+")
    step_at = models.DateTimeField()
    body = models.BinaryField()
    input_digest = models.CharField(max_length=64)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["heatmap", "step_at"], name="snapshot_unique")]

    def __str__(self) -> str:
        return f"{self.heatmap_id} at {self.step_at:%Y-%m-%d %H:%M}"


class Head(models.Model):
    """The estimator's state at a map's newest step, to the bit: a hint that saves the way from the last snapshot.

    The table is not logged: after a crash of the server it is empty.
    """

    heatmap = models.OneToOneField(Heatmap, on_delete=models.CASCADE, primary_key=True, related_name="+")
    step_at = models.DateTimeField()
    body = models.BinaryField()

    def __str__(self) -> str:
        return f"{self.heatmap_id} at {self.step_at:%Y-%m-%d %H:%M}"


class Tile(models.Model):
    """256 columns by 256 price bins of codes: gzip, time-delta coded, price-major (docs/METHOD)."""

    pk = models.CompositePrimaryKey("heatmap_id", "level", "row", "col")
    heatmap = models.ForeignKey(Heatmap, on_delete=models.CASCADE, related_name="+")
    level = models.SmallIntegerField()
    row = models.IntegerField(help_text="floor(bin / 256)")
    col = models.IntegerField(help_text="floor(step / 256)")
    body = models.BinaryField()
    etag = models.CharField(max_length=32)

    def __str__(self) -> str:
        return f"{self.heatmap_id}/{self.level}/{self.row}/{self.col}"


class SummedStrip(models.Model):
    """One column of tiles of an asset pair's map: what it was summed from, and who is in each of its 256 columns."""

    pk = models.CompositePrimaryKey("heatmap_id", "col")
    heatmap = models.ForeignKey(Heatmap, on_delete=models.CASCADE, related_name="+")
    col = models.IntegerField(help_text="floor(step / 256)")
    inputs = models.CharField(max_length=64, help_text="SHA-256 of the members' tiles; empty while it is out of date")
    record = models.BinaryField(help_text="heatmaps.core.sums.RECORD[256], gzip")
    shares = models.BinaryField(help_text="heatmaps.core.sums.SHARE[256, member], gzip")

    def __str__(self) -> str:
        return f"{self.heatmap_id}/{self.col}"
