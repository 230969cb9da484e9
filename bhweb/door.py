"""What `manage.py` does with its arguments."""

from __future__ import annotations

import os
import signal
import sys
from typing import TYPE_CHECKING, NoReturn

from bhweb import bootstrap, datadir, services
from bhweb.progress import StartError, fail

if TYPE_CHECKING:
    from types import FrameType

# These run on as many machines as needed and never start servers of their own.
SCALED = {"web", "worker", "beat", "feed"}
# These need no servers; the settings still ask for addresses.
OFFLINE = {
    "help",
    "version",
    "check",
    "collectstatic",
    "findstatic",
    "diffsettings",
    "spectacular",
    "startapp",
    "venue_double",
}
# These look at the migrations themselves.
SCHEMA = {
    "migrate",
    "makemigrations",
    "showmigrations",
    "sqlmigrate",
    "squashmigrations",
    "optimizemigration",
    "prepare",
}
NOWHERE = {
    "DATABASE_URL": "postgresql://bh@/bh",
    "REDIS_URL": "redis+socket:///run/none.sock?virtual_host=0",
    "BH_SECRET_KEY": "no-server-is-used",
}
INTERRUPTED = 130
TERMINATED = 143


def main(argv: list[str]) -> int:
    """Run one command; return its exit code."""
    command = argv[1] if len(argv) > 1 else "help"
    signal.signal(signal.SIGTERM, _leave)
    try:
        requirements = "requirements-dev.txt" if command == "test" else "requirements.txt"
        bootstrap.enter(argv, requirements=requirements)
        return _run(command, argv)
    except StartError as error:
        return _refuse(str(error), argv)
    except KeyboardInterrupt:
        return INTERRUPTED


def _leave(_signal: int, _frame: FrameType | None) -> NoReturn:
    """Turn SIGTERM into an orderly way out, so that what was started is stopped."""
    sys.exit(TERMINATED)


def _refuse(reason: str, argv: list[str]) -> int:
    from bhweb import up  # noqa: PLC0415 # loads only what is needed

    return up.refuse(reason, is_check=argv[1:2] == ["up"] and "--check" in argv)


def _run(command: str, argv: list[str]) -> int:
    if command == "up":
        from bhweb import up  # noqa: PLC0415 # loads only what is needed

        return up.main(argv[2:])
    if command == "test":
        from bhweb import suite  # noqa: PLC0415 # loads only what is needed

        suite.main(argv[2:])
    if command in SCALED and (missing := [name for name in services.SHARED if not os.environ.get(name)]):
        return fail(
            f"`manage.py {command}` is for installations of several machines and needs {', '.join(missing)};"
            " on one machine `python3 manage.py up` starts everything."
        )
    return _run_django(command, argv)


def _run_django(command: str, argv: list[str]) -> int:
    is_offline = command in OFFLINE or command.startswith("-") or bool({"--help", "-h", "--version"} & set(argv))
    if is_offline:
        for name, value in NOWHERE.items():
            os.environ.setdefault(name, value)
    if is_offline or command in SCALED:
        return _execute(argv)
    if address := os.environ.get("DATABASE_URL"):
        services.check_database(address)
    with services.borrowed(datadir.choose(), command=command) as is_own:
        if is_own and command not in SCHEMA:
            _execute([argv[0], "migrate", "--verbosity=0", "--no-input"])
        return _execute(argv)


def _execute(argv: list[str]) -> int:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bhweb.settings")
    from django.core.management import execute_from_command_line  # noqa: PLC0415 # not there while .venv is being built

    execute_from_command_line(argv)
    return 0
