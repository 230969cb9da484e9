from __future__ import annotations

import datetime as dt

import pytest


@pytest.fixture
def now() -> dt.datetime:
    """One fixed moment for every test."""
    return dt.datetime(2026, 1, 15, 12, 0, tzinfo=dt.UTC)
