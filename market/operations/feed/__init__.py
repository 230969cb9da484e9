"""The feed: one process that listens to the venues' websockets and hands what it hears to the database."""

from .process import Timing, run_feed

__all__ = ["Timing", "run_feed"]
