"""Score maps against what happened and keep every run as it was measured."""

from .recording import record_score

__all__ = ["record_score"]
