"""Read the environment: every value that differs between places, with a clear word where it cannot be used."""

from __future__ import annotations

import json
import os
from typing import Any, Final
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit, urlunsplit

from django.core.exceptions import ImproperlyConfigured

_SHORTEST_SECRET: Final = 20


def text(name: str, default: str | None = None) -> str:
    """Return a value; without a default it must be set."""
    value = os.environ.get(name, default)
    if value is None:
        raise ImproperlyConfigured(f"{name} is not set. `python3 manage.py up` sets it; see docs/OPERATIONS.md.")
    return value


def flag(name: str, *, default: bool = False) -> bool:
    """Return whether a switch is on."""
    value = os.environ.get(name, "1" if default else "0")
    if value not in {"0", "1"}:
        raise ImproperlyConfigured(f"{name} must be 0 or 1, not {value!r}.")
    return value == "1"


def choice(name: str, choices: tuple[str, ...]) -> str:
    """Return one of a few words; the first is the default."""
    value = os.environ.get(name, choices[0])
    if value not in choices:
        raise ImproperlyConfigured(f"{name} must be one of {', '.join(choices)}, not {value!r}.")
    return value


def secret(name: str) -> str:
    """Return a secret that may be left out, but not be guessed."""
    value = os.environ.get(name, "")
    if value and len(value) < _SHORTEST_SECRET:
        raise ImproperlyConfigured(f"{name} must have at least {_SHORTEST_SECRET} characters, or be left out.")
    return value


def secrets(name: str) -> list[str]:
    """Return secrets, comma-separated, that may be left out, but not be guessed."""
    values = [value for value in os.environ.get(name, "").split(",") if value]
    if any(len(value) < _SHORTEST_SECRET for value in values):
        raise ImproperlyConfigured(f"Each of {name} must have at least {_SHORTEST_SECRET} characters.")
    return values


def mail(*, service: str, keys: str, smtp: str) -> dict[str, Any]:
    """Return how mail is sent: through a mail service, over SMTP, or not at all: then it stays here to be read."""
    if service and smtp:
        raise ImproperlyConfigured("Set BH_MAIL_SERVICE or BH_SMTP_URL, not both.")
    if service:
        if not service.replace("_", "").isalnum():
            raise ImproperlyConfigured(f"BH_MAIL_SERVICE must name a service such as postmark, not {service!r}.")
        backend = f"anymail.backends.{service}.EmailBackend"
        return {"EMAIL_BACKEND": backend, "ANYMAIL": {"REQUESTS_TIMEOUT": (5, 20), **json.loads(keys or "{}")}}
    if not smtp:
        return {"EMAIL_BACKEND": "access.mail.local.LocalBackend", "ANYMAIL": {}}
    parts = urlsplit(smtp)
    if parts.scheme not in {"smtp", "smtps"} or not parts.hostname:
        raise ImproperlyConfigured("BH_SMTP_URL must look like smtp://user:password@host:587 (smtps:// for port 465).")
    return {
        "EMAIL_BACKEND": "django.core.mail.backends.smtp.EmailBackend",
        "ANYMAIL": {},
        "EMAIL_HOST": parts.hostname,
        "EMAIL_PORT": parts.port or (465 if parts.scheme == "smtps" else 587),
        "EMAIL_HOST_USER": unquote(parts.username or ""),
        "EMAIL_HOST_PASSWORD": unquote(parts.password or ""),
        "EMAIL_USE_SSL": parts.scheme == "smtps",
        "EMAIL_USE_TLS": parts.scheme == "smtp" and parts.query != "tls=0",
        "EMAIL_TIMEOUT": 10,
    }


def site(url: str) -> str:
    """Return the site's address without a trailing slash."""
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.path.strip("/") or parts.query:
        raise ImproperlyConfigured(f"BH_SITE_URL must look like https://terminal.example.org, not {url!r}.")
    return f"{parts.scheme}://{parts.netloc}"


def database(url: str) -> dict[str, Any]:
    """Translate the address of PostgreSQL into Django's settings."""
    parts = urlsplit(url)
    if parts.scheme not in {"postgres", "postgresql"} or not parts.path.strip("/"):
        raise ImproperlyConfigured(
            f"DATABASE_URL must look like postgresql://user:password@host:5432/name, not {url!r}."
        )
    options: dict[str, Any] = dict(parse_qsl(parts.query))
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.lstrip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": options.pop("host", parts.hostname or ""),
        "PORT": str(options.pop("port", parts.port or "")),
        "CONN_MAX_AGE": 300,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {"connect_timeout": 5, **options},
    }


def redis_py(url: str, *, further: int = 0) -> str:
    """Translate Celery's address into redis-py's, the database so many numbers further; all options stay."""
    parts = urlsplit(url)
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    is_socket = parts.scheme in {"redis+socket", "unix"}
    named = options.pop("virtual_host", "") or options.pop("db", "") or ("" if is_socket else parts.path)
    if not (named.strip("/") or "0").isdecimal():
        raise ImproperlyConfigured(f"REDIS_URL must name its database by a number, not {named!r}.")
    database = int(named.strip("/") or 0) + further
    if is_socket:
        return f"unix://{parts.netloc}{parts.path}?{urlencode({**options, 'db': database})}"
    return urlunsplit(parts._replace(path=f"/{database}", query=urlencode(options)))
