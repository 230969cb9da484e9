"""One keyword-only maker per model."""

from __future__ import annotations

import hashlib
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from access.models import User
from heatmaps.core.estimators import registered_version
from heatmaps.models import EstimatorRelease, Heatmap, Zone
from journal.models import Plan
from market.models import Instrument

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping


def make_instrument(
    *,
    venue: str = "binance",
    symbol: str = "BTCUSDT",
    quote: str = "USDT",
    contract_usd: float | None = None,
    is_live: bool = False,
    is_simulated: bool = False,
) -> Instrument:
    """Store an instrument; an inverse one where a contract is worth so many dollars."""
    return Instrument.objects.create(
        venue=venue,
        symbol=symbol,
        base=symbol[:3],
        quote=quote,
        contract_type="linear" if contract_usd is None else "inverse",
        contract_size=contract_usd or 1.0,
        tick_size=Decimal("0.1"),
        lot_size=Decimal("0.001"),
        is_live=is_live,
        is_simulated=is_simulated,
    )


def make_user(*, email: str = "owner@example.com", password: str | None = None, is_staff: bool = False) -> User:
    """Store a user; without a password the login form can not be passed."""
    return User.objects.create_user(email, password, is_staff=is_staff, is_superuser=is_staff)


def make_heatmap(
    *, instrument: Instrument | None = None, slug: str = "open-interest", built_through: dt.datetime | None = None
) -> Heatmap:
    """Store an empty heatmap of an instrument under the version of the estimator that is built now."""
    version = registered_version(slug) or "1"
    release, _ = EstimatorRelease.objects.get_or_create(
        slug=slug, version=version, defaults={"parameters": {}, "digest": "0" * 64}
    )
    return Heatmap.objects.create(
        instrument=instrument or make_instrument(), release=release, bin_bps=5, built_through=built_through
    )


def make_zone(
    *,
    heatmap: Heatmap,
    born_at: dt.datetime,
    number: int = 1,
    position_side: int = 1,
    evidence: Mapping[str, Any] | None = None,
) -> Zone:
    """Store an active zone from 59,000.04 to 59,200.06."""
    return Zone.objects.create(
        heatmap=heatmap,
        number=number,
        position_side=position_side,
        state=Zone.State.ACTIVE,
        born_at=born_at,
        last_seen_at=born_at,
        price_low=59_000.04,
        price_high=59_200.06,
        price_peak=59_100.0,
        usd=4.2e6,
        usd_low=2.1e6,
        usd_high=8.4e6,
        usd_peak=4.2e6,
        evidence=dict(evidence or {"usd": "4200000", "estimator": "open-interest 2"}),
        evidence_sha256=hashlib.sha256(b"{}").hexdigest(),
        input_digest="0" * 64,
    )


def make_plan(*, owner: User, zone: Zone, expires_at: dt.datetime, number: int = 1, thesis: str = "Why not?") -> Plan:
    """Store a draft: long from 59,200 to 61,000, wrong at 58,600."""
    plan = Plan(
        owner_id=owner.pk,
        zone=zone,
        number=number,
        direction="long",
        entry=Decimal(59_200),
        invalidation=Decimal(58_600),
        targets=[["61000", "1"]],
        risk_pct=Decimal("0.5"),
        thesis=thesis,
        expires_at=expires_at,
    )
    plan.save()
    return plan
