"""The one rule of private rows: no question without an owner."""

from __future__ import annotations


class OwnerScopeError(RuntimeError):
    """Private rows were asked for without saying whose."""
