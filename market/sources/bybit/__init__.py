"""Bybit: the file of the venue, in two halves."""

from .source import SOURCE

__all__ = ["SOURCE"]
