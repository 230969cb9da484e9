from __future__ import annotations

from tests.pages import light_services

__all__ = ["light_services"]
