"""Which servers a command uses: those given, those of the running `up`, or embedded ones of its own."""

from __future__ import annotations

import contextlib
import json
import os
import re
import time
from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

from bhweb.datadir import InUseError, Lock, write_private
from bhweb.embedded import Postgres, Valkey, clear_sockets
from bhweb.processes import Household
from bhweb.progress import StartError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from bhweb.datadir import DataDir
    from bhweb.processes import Child

SHARED = ("DATABASE_URL", "REDIS_URL", "BH_SECRET_KEY")
# What libpq would mix into every address.
LIBPQ = ("HOST", "HOSTADDR", "PORT", "DATABASE", "USER", "PASSWORD", "SERVICE", "OPTIONS", "SSLMODE", "TZ", "DATESTYLE")
CONNECT_SECONDS = 5
OLDEST_POSTGRES = 14


def start_embedded(
    data: DataDir, household: Household, *, given: Mapping[str, str], pause: Callable[[float], None] = time.sleep
) -> tuple[dict[str, str], list[tuple[Child, Postgres | Valkey]]]:
    """Start the servers whose addresses are not given; return the environment and what was started."""
    environment = {"BH_SECRET_KEY": given.get("BH_SECRET_KEY") or data.secret_key(), "BH_DATA_DIR": str(data.path)}
    started: list[tuple[Child, Postgres | Valkey]] = []
    for variable, kind in (("DATABASE_URL", Postgres), ("REDIS_URL", Valkey)):
        if variable in given:
            environment[variable] = given[variable]
            continue
        for name in LIBPQ:  # meant for somebody else's server
            os.environ.pop(f"PG{name}", None)
        server = kind(data.path, data.logs, pause=pause)
        started.append((server.start(household), server))
        environment[variable] = server.url
    return environment, started


def given_addresses() -> dict[str, str]:
    """Return what the environment says about servers, empty values left out."""
    return {name: os.environ[name] for name in SHARED if os.environ.get(name)}


def publish_addresses(data: DataDir, environment: Mapping[str, str]) -> None:
    """Tell other commands of this user where the servers are."""
    write_private(data.addresses, json.dumps({name: environment[name] for name in SHARED}))


@contextlib.contextmanager
def borrowed(data: DataDir, *, command: str) -> Iterator[bool]:
    """Put the addresses of servers into this process's environment for the time of one command.

    Yields whether they were started for it: then nobody has prepared their database for this release yet.
    """
    given = given_addresses()
    if all(name in given for name in SHARED):
        yield False
        return
    data.open()
    lock = Lock(data, holder=f"`manage.py {command}` runs servers over {data.path}")
    try:
        lock.acquire()
    except InUseError as error:
        os.environ.update({**_of_running(data, error), **given, "BH_DATA_DIR": str(data.path)})
        yield False
        return
    household = Household()
    household.keep = (lock.descriptor,)
    try:
        environment, _ = start_embedded(data, household, given=given)
        os.environ.update(environment)
        yield "DATABASE_URL" not in given
    finally:
        household.stop()
        clear_sockets(data.path)
        lock.release()


def _of_running(data: DataDir, error: InUseError) -> dict[str, str]:
    """Read the addresses that the running `up` published."""
    try:
        told = json.loads(data.addresses.read_text())
        return {name: str(told[name]) for name in SHARED}
    except (OSError, ValueError, KeyError):
        raise StartError(f"{error} Its servers cannot be shared yet: try again when it is done.") from error


def check_database(url: str) -> None:
    """Say in one line what is wrong with DATABASE_URL, if anything."""
    import psycopg  # noqa: PLC0415 # not there while .venv is being built

    _require_syntax(url)
    shown = masked(url)
    try:
        with psycopg.connect(url, connect_timeout=CONNECT_SECONDS) as connection:
            version = connection.info.server_version // 10_000
    except psycopg.ProgrammingError as error:
        raise StartError(f"DATABASE_URL ({shown}) cannot be understood: {_last_line(error)}.") from error
    except psycopg.OperationalError as error:
        raise StartError(f"DATABASE_URL ({shown}): {_why_unreachable(str(error))}") from error
    if version < OLDEST_POSTGRES:
        raise StartError(f"DATABASE_URL ({shown}) is PostgreSQL {version}: {OLDEST_POSTGRES} or newer is needed.")


def _require_syntax(url: str) -> None:
    example = "it must look like postgresql://user:password@host:5432/name."
    try:
        parts = urlsplit(url)
        number = parts.port
    except ValueError as error:
        raise StartError(f"DATABASE_URL cannot be understood ({error}): {example}") from error
    if parts.scheme not in {"postgres", "postgresql"} or not parts.path.strip("/") or number == 0:
        raise StartError(f"DATABASE_URL ({masked(url)}) cannot be understood: {example}")


def _why_unreachable(said: str) -> str:
    causes = {
        r"password authentication|no password|authentication failed|role .* does not exist": (
            "the server refuses this user: check user and password"
        ),
        r"no pg_hba.conf entry": "the server refuses this user from here: add a line to its pg_hba.conf",
        r"database .* does not exist": "the server has no such database: create it with createdb",
        r"refused|No such file": "nothing answers there: start the server, or check host and port",
        r"timeout|timed out": "no answer in time: check host, port and firewall",
        r"resolve|Name or service|nodename|translate host": "no such host: check its name",
    }
    for pattern, advice in causes.items():
        if found := re.search(f"[^:\\n]*(?:{pattern})[^\\n]*", said, re.IGNORECASE):
            return f"{advice} ({found[0].strip()})."
    return f"the connection failed ({' '.join(said.split())[:300]})."


def check_broker(url: str) -> None:
    """Say in one line what is wrong with REDIS_URL, if anything."""
    import redis  # noqa: PLC0415 # not there while .venv is being built

    shown = masked(url)
    plain = f"unix://{urlsplit(url).path}" if url.startswith("redis+socket://") else url
    try:
        with redis.Redis.from_url(plain, socket_connect_timeout=CONNECT_SECONDS, socket_timeout=5) as client:
            client.ping()
    except ValueError as error:
        raise StartError(f"REDIS_URL ({shown}) cannot be understood: {_last_line(error)}.") from error
    except (redis.RedisError, OSError) as error:
        raise StartError(f"REDIS_URL ({shown}): no answer from the server ({_last_line(error)}).") from error


def masked(url: str) -> str:
    """Return an address without its password."""
    try:
        parts = urlsplit(url)
        if parts.password is None:
            return url
        return urlunsplit(parts._replace(netloc=parts.netloc.replace(f":{parts.password}@", ":***@")))
    except ValueError:
        return "unreadable"


def _last_line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1].rstrip(".").removeprefix("FATAL:").strip() if lines else type(error).__name__
