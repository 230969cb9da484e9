"""What the environment's addresses become."""

from __future__ import annotations

import pytest
import redis
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from bhweb.celery import LIMITS, app
from bhweb.settings import _redis_py


@pytest.mark.parametrize(
    ("given", "events", "cache"),
    [
        ("redis://h", "redis://h/0", "redis://h/1"),
        ("redis://h:6379/", "redis://h:6379/0", "redis://h:6379/1"),
        ("redis://h/2", "redis://h/2", "redis://h/3"),
        ("redis://h?db=4", "redis://h/4", "redis://h/5"),
        (
            "rediss://:p%40@h:6/0?ssl_cert_reqs=required&timeout=3",
            "rediss://:p%40@h:6/0?ssl_cert_reqs=required&timeout=3",
            "rediss://:p%40@h:6/1?ssl_cert_reqs=required&timeout=3",
        ),
        ("redis+socket:///run/v.sock", "unix:///run/v.sock?db=0", "unix:///run/v.sock?db=1"),
        ("redis+socket:///run/v.sock?virtual_host=3", "unix:///run/v.sock?db=3", "unix:///run/v.sock?db=4"),
        (
            "redis+socket://:pw@/run/v.sock?virtual_host=/3",
            "unix://:pw@/run/v.sock?db=3",
            "unix://:pw@/run/v.sock?db=4",
        ),
    ],
)
def test_redis_address_keeps_all_but_its_database(given: str, events: str, cache: str) -> None:
    assert (_redis_py(given), _redis_py(given, further=1)) == (events, cache)


def test_redis_address_is_read_by_the_client() -> None:
    pool = redis.Redis.from_url(_redis_py("redis+socket://:pw@/run/v.sock?virtual_host=3", further=1)).connection_pool
    found = pool.connection_kwargs
    assert (found["path"], found["password"], found["db"]) == ("/run/v.sock", "pw", 4)


@pytest.mark.parametrize("address", ["redis://h/x", "redis+socket:///run/v.sock?virtual_host=x"])
def test_redis_address_without_a_number_is_refused(address: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="by a number"):
        _redis_py(address)


def test_limits_of_attempts_are_stated_once() -> None:
    assert not hasattr(settings, "CELERY_TASK_TIME_LIMIT")
    assert app.conf.task_time_limit is None
    assert app.conf.broker_transport_options["visibility_timeout"] > 2 * max(limit.hard for limit in LIMITS.values())
