"""The way to venues: what its budget is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from market.operations.access import access_for
from market.operations.budget import SharedGate
from market.sources import load_venue
from market.sources.base import Budget

if TYPE_CHECKING:
    from pytest_django import Settings


def test_budget_is_the_venues_own(settings: Settings) -> None:
    gate = access_for(load_venue("binance")).gate
    assert isinstance(gate, SharedGate)
    assert (gate.budget.weight, gate.budget.window_s) == (2400, 60)


def test_budget_grows_with_the_speed_of_a_replay(settings: Settings) -> None:
    settings.CLOCK_SPEED = 60.0
    gate = access_for(load_venue("binance")).gate
    assert isinstance(gate, SharedGate)
    assert (gate.budget.weight, gate.budget.window_s) == (144_000, 60)
    assert gate.budget.apart["statistics"] == Budget(60_000, 300)


def test_budget_of_a_slow_replay_is_no_less_than_the_venues(settings: Settings) -> None:
    settings.CLOCK_SPEED = 0.001
    gate = access_for(load_venue("okx")).gate
    assert isinstance(gate, SharedGate)
    assert gate.budget.weight == 20
