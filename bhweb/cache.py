"""The cache is a hint: with its server away every look-up is a miss, and pages are made anew."""

from __future__ import annotations

import logging
from typing import Any

from django.core.cache.backends.redis import RedisCache
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)


class HintCache(RedisCache):
    """Redis, or nothing."""

    def get(self, key: Any, default: Any = None, version: int | None = None) -> Any:  # noqa: ANN401  # Django's signature
        """Return what is kept, or the default where the server does not answer."""
        try:
            return super().get(key, default, version)
        except (RedisError, OSError) as error:
            logger.warning("cache does not answer: %s", error)
            return default

    def set(self, key: Any, value: Any, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401  # Django's signature
        """Keep a value if the server answers."""
        try:
            super().set(key, value, *args, **kwargs)
        except (RedisError, OSError) as error:
            logger.warning("cache does not answer: %s", error)
