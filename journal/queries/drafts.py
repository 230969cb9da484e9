"""Read what was kept of unfinished forms."""

from __future__ import annotations

from journal.models import Unfinished


def get_unfinished(*, owner_id: int, zone_id: int, plan_number: int) -> Unfinished | None:
    """Return what the owner was writing about a zone, or of a draft; None for nothing."""
    return Unfinished.objects.owned_by(owner_id).filter(zone_id=zone_id, plan_number=plan_number).first()
