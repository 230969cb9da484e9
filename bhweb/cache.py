"""The cache is a hint: with its server away every look-up is a miss, and pages are made anew."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Any, ClassVar, Final

from django.core.cache.backends.redis import RedisCache
from redis.exceptions import RedisError

if TYPE_CHECKING:
    from collections.abc import Callable

logger = logging.getLogger(__name__)

# A server that failed is left alone for so long: one that hangs would cost every page its patience [s].
PAUSE_S: Final = 10.0


class HintCache(RedisCache):
    """Redis, or nothing."""

    # By address: each thread has a cache object of its own, and all of them shall know.
    _away_until: ClassVar[dict[str, float]] = {}

    def __init__(self, server: str, params: dict[str, Any]) -> None:
        super().__init__(server, params)
        self._address = server

    def get(self, key: Any, default: Any = None, version: int | None = None) -> Any:  # noqa: ANN401  # Django's signature
        """Return what is kept, or the default where the server does not answer."""
        return self._unless_away(default, super().get, key, default, version)

    def set(self, key: Any, value: Any, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401  # Django's signature
        """Keep a value if the server answers."""
        self._unless_away(None, super().set, key, value, *args, **kwargs)

    def add(self, key: Any, value: Any, *args: Any, **kwargs: Any) -> bool:  # noqa: ANN401  # Django's signature
        """Keep a value unless there is one; who finds no server finds no value. Nothing may hang on being the first."""
        return bool(self._unless_away(True, super().add, key, value, *args, **kwargs))  # an answer

    def delete(self, key: Any, version: int | None = None) -> bool:  # noqa: ANN401  # Django's signature
        """Forget a value if the server answers."""
        return bool(self._unless_away(False, super().delete, key, version))  # an answer

    def _unless_away(self, otherwise: Any, act: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401  # of any kind
        if time.monotonic() < self._away_until.get(self._address, 0.0):
            return otherwise
        try:
            return act(*args, **kwargs)
        except (RedisError, OSError) as error:
            self._leave_alone(error)
            return otherwise

    def _leave_alone(self, error: Exception) -> None:
        self._away_until[self._address] = time.monotonic() + PAUSE_S
        logger.warning("cache does not answer, pages do without it for %.0f s: %s", PAUSE_S, error)
