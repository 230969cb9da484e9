"""The processes of ``bench advance`` beside the workers: one asks for a minute's maps, others read layers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bhweb import jobs
from bhweb.celery import LIVE
from bhweb.pipeline import STAGES
from heatmaps.queries import read_layers
from market.queries import list_fetched

if TYPE_CHECKING:
    import datetime as dt


def ask(*, slot_at: dt.datetime) -> None:
    """Ask for the stage after the ingest of every live instrument."""
    for one in list_fetched(with_venues=True):
        jobs.put(stage=STAGES[1].slug, instrument_id=one.pk, slot_at=slot_at, queue=LIVE)


def read(*, slot_at: dt.datetime, share: int, shares: int) -> None:
    """Read the layers of every ``shares``-th live instrument as its page does."""
    for one in list_fetched(with_venues=True):
        if one.pk % shares == share:
            read_layers(instrument=one, at=slot_at)
