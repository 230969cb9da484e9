"""What the environment's addresses become."""

from __future__ import annotations

import pytest
import redis
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from bhweb.celery import LIMITS, app
from bhweb.environment import mail, redis_py, site


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
    assert (redis_py(given), redis_py(given, further=1)) == (events, cache)


def test_redis_address_is_read_by_the_client() -> None:
    pool = redis.Redis.from_url(redis_py("redis+socket://:pw@/run/v.sock?virtual_host=3", further=1)).connection_pool
    found = pool.connection_kwargs
    assert (found["path"], found["password"], found["db"]) == ("/run/v.sock", "pw", 4)


@pytest.mark.parametrize("address", ["redis://h/x", "redis+socket:///run/v.sock?virtual_host=x"])
def test_redis_address_without_a_number_is_refused(address: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="by a number"):
        redis_py(address)


def test_limits_of_attempts_are_stated_once() -> None:
    assert not hasattr(settings, "CELERY_TASK_TIME_LIMIT")
    assert app.conf.task_time_limit is None
    assert app.conf.broker_transport_options["visibility_timeout"] > 2 * max(limit.hard for limit in LIMITS.values())


@pytest.mark.parametrize("url", ["terminal.example.org", "ftp://h", "https://h/path", "https://h/?a=1", "https://"])
def test_a_site_that_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="must look like"):
        site(url)
    assert site("https://terminal.example.org:8443/") == "https://terminal.example.org:8443"


def test_mail_stays_here_unless_a_way_out_is_named() -> None:
    assert mail(service="", keys="", smtp="")["EMAIL_BACKEND"] == "access.mail.local.LocalBackend"
    service = mail(service="postmark", keys='{"POSTMARK_SERVER_TOKEN": "t"}', smtp="")
    assert (service["EMAIL_BACKEND"], service["ANYMAIL"]["POSTMARK_SERVER_TOKEN"]) == (
        "anymail.backends.postmark.EmailBackend",
        "t",
    )
    smtp = mail(service="", keys="", smtp="smtps://me%40example.org:pw@mail.example.org")
    wanted = ("mail.example.org", 465, "me@example.org", "pw", True, False, 10)
    names = ("HOST", "PORT", "HOST_USER", "HOST_PASSWORD", "USE_SSL", "USE_TLS", "TIMEOUT")
    assert tuple(smtp[f"EMAIL_{name}"] for name in names) == wanted
    for wrong in (
        {"service": "postmark", "smtp": "smtp://h"},
        {"service": "a.b", "smtp": ""},
        {"service": "", "smtp": "h:25"},
    ):
        with pytest.raises(ImproperlyConfigured):
            mail(keys="", **wrong)
