"""Every process of one installation on one machine, from the database to the page."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import socket
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bhweb import datadir, embedded, services
from bhweb.embedded import clear_sockets
from bhweb.processes import NO_SPACE, ROOT, Household, Start, bound_log, ending, wait_for_exit
from bhweb.progress import StartError, say
from bhweb.readiness import Visitor, given_up_job

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

    from bhweb.datadir import DataDir
    from bhweb.processes import Child

HOST = "127.0.0.1"
APPLICATIONS = {
    "worker-live": ("worker", "--queue", "live", "mail"),
    "worker-backfill": ("worker", "--queue", "backfill"),
    "beat": ("beat",),
    "feed": ("feed",),
    "web": ("web", "--port"),
}
ROLES = {"web": embedded.WEB_USER, "worker": embedded.WORKER_USER}
EMBEDDED = {"DATABASE_URL": "PostgreSQL", "REDIS_URL": "Valkey"}
SETTLED_SECONDS = 60  # a child that ran so long starts its back-off anew
FALSE_STARTS = 3
LONGEST_DELAY = 30.0
CHORES_SECONDS = 2.0
WEB_SECONDS = 90
HEATMAP_SECONDS = 300


class StoppedError(Exception):
    """The person, or the machine, asked us to stop."""


@dataclass
class Service:
    """A child that is to run for as long as we do."""

    name: str
    begin: Callable[[], Child]
    child: Child | None = None
    failures: int = 0
    due_at: float = 0.0


class Supervisor:
    """Starts everything in order, keeps it running, stops it in reverse order."""

    def __init__(self, data: DataDir, *, port: int, demo: bool) -> None:
        self.data, self.port, self.demo = data, port, demo
        self.url = f"http://{HOST}:{port}"
        self.lock = datadir.Lock(data, holder=f"BH Terminal runs already at {self.url}/")
        self.household = Household()
        self.services: list[Service] = []
        self.visitor = Visitor(self.url)
        self.login = ""
        self._is_stopping = self._has_started = False
        self._chores_at = 0.0

    def start(self) -> None:
        """Bring everything up; returns when the site answers."""
        self.data.open()
        self.lock.acquire(pause=self.pause)
        require_free(self.port)
        given = services.given_addresses()
        if "DATABASE_URL" in given:
            services.check_database(given["DATABASE_URL"])
        if "REDIS_URL" in given:
            services.check_broker(given["REDIS_URL"])
        self.data.require_room()
        self.household.keep = (self.lock.descriptor,)
        self.environment = self._start_servers(given)
        self._prepare()
        services.publish_addresses(self.data, self.environment)
        self._start_applications()

    def _start_servers(self, given: dict[str, str]) -> dict[str, str]:
        own = [name for variable, name in EMBEDDED.items() if variable not in given]
        say(f"starting {' and '.join(own)}" if own else "using the servers of DATABASE_URL and REDIS_URL")
        environment, started = services.start_embedded(self.data, self.household, given=given, pause=self.pause)
        for child, server in started:
            self.services.append(
                Service(child.name, begin=lambda server=server: server.start(self.household), child=child)  # type: ignore[misc] # mypy cannot type a default of a lambda
            )
        site = {"BH_EMBEDDED": "1", "BH_SITE_URL": os.environ.get("BH_SITE_URL", self.url)}
        return {**os.environ, **environment, **site, "BH_BOOTSTRAP": "0", "PYTHONUNBUFFERED": "1"}

    def _prepare(self) -> None:
        """Run the one process that brings database, static files and operator up to date."""
        say("preparing the database and the static files")
        told = self.data.path / "run" / "prepare.json"
        what = Start(
            name="prepare",
            argv=self._manage("prepare", "--operator-link", "--venues", *(["--demo"] if self.demo else [])),
            log=self.data.logs / "prepare.log",
            env=self.environment,
            output=told,
        )
        child = self.household.start(what)
        code = wait_for_exit(child, pause=self.pause)
        self.household.release(child)
        if code:
            raise StartError(f"the database could not be prepared {ending(child)} ({what.log})")
        self.login = str(json.loads(told.read_text())["login"])
        told.unlink()

    def _start_applications(self) -> None:
        say("starting the workers, the clock and the web server")
        for name, command in APPLICATIONS.items():
            what = Start(
                name=name,
                argv=[*self._manage(*command), *([str(self.port)] if name == "web" else [])],
                log=self.data.logs / f"{name}.log",
                env=self._environment_of(name),
            )
            service = Service(name, begin=lambda what=what: self.household.start(what))  # type: ignore[misc] # as above
            service.child = service.begin()
            self.services.append(service)
        self.wait_until(self.visitor.is_healthy, seconds=WEB_SECONDS, every=0.1, what="the web server did not answer")
        self._has_started = True

    def _environment_of(self, name: str) -> dict[str, str]:
        """The web server and the workers reach our own PostgreSQL as roles that own nothing."""
        url, role = self.environment["DATABASE_URL"], ROLES.get(APPLICATIONS[name][0])
        if role is None or "DATABASE_URL" in services.given_addresses():
            return self.environment
        return {**self.environment, "DATABASE_URL": url.replace(f"//{embedded.USER}@", f"//{role}@", 1)}

    def wait_for_heatmap(self) -> None:
        """Wait until the terminal shows one; asking often would take time from those who draw it."""

        def is_drawn() -> bool:
            if reason := given_up_job(self.environment["DATABASE_URL"]):
                raise StartError(f"{reason} (see {self.data.logs})")
            return self.visitor.sees_heatmap()

        self.wait_until(is_drawn, seconds=HEATMAP_SECONDS, every=0.4, what="no heatmap was drawn")

    def _manage(self, *command: str) -> list[str]:
        return [sys.executable, str(ROOT / "manage.py"), *command]

    def wait_until(self, holds: Callable[[], bool], *, seconds: float, every: float, what: str) -> None:
        """Look after the children until something holds."""
        deadline = time.monotonic() + seconds
        while not holds():
            if time.monotonic() > deadline:
                raise StartError(f"{what} within {seconds:.0f} s; see {self.data.logs}.")
            self.pause(every)
            self.look_after()

    def look_after(self) -> None:
        """Restart who died, with growing delays; do the chores now and then."""
        for service in self.services:
            if service.child and service.child.exit_code is not None:
                self._bury(service, service.child)
            if service.child is None and time.monotonic() >= service.due_at:
                self._begin(service)
        if time.monotonic() >= self._chores_at:
            self._chores_at = time.monotonic() + CHORES_SECONDS
            self._do_chores()

    def _bury(self, service: Service, child: Child) -> None:
        self.household.release(child)
        service.child = None
        if time.monotonic() - child.started_at > SETTLED_SECONDS:
            service.failures = 0
        self._count_failure(service, f"{service.name} ended {ending(child)}")

    def _count_failure(self, service: Service, why: str) -> None:
        service.failures += 1
        self._require_disk()
        if NO_SPACE.search(why):
            raise StartError(self.data.full_line())
        if not self._has_started and service.failures >= FALSE_STARTS:
            raise StartError(f"{why} (see {self.data.logs})")
        delay = min(LONGEST_DELAY, 0.25 * 2.0**service.failures)
        service.due_at = time.monotonic() + delay
        say(f"{why}; starting it again in {delay:.1f} s")

    def _begin(self, service: Service) -> None:
        try:
            service.child = service.begin()
        except (StartError, OSError) as error:
            self._count_failure(service, str(error))

    def _do_chores(self) -> None:
        self._require_disk()
        for service in self.services:
            if service.child and service.child.log:
                bound_log(service.child.log)

    def _require_disk(self) -> None:
        if self.data.is_full():
            raise StartError(self.data.full_line())

    def pause(self, seconds: float) -> None:
        """Sleep, unless asked to stop."""
        if self._is_stopping:
            raise StoppedError
        time.sleep(seconds)

    def ask_to_stop(self, _signal: int, _frame: FrameType | None) -> None:
        """Remember that a signal came; the next pause ends the work."""
        self._is_stopping = True

    def stop(self) -> None:
        """Stop everything that was started, in reverse order."""
        began = time.monotonic()
        self.household.stop()
        if self.lock.is_held:
            self.data.addresses.unlink(missing_ok=True)
            clear_sockets(self.data.path)
            say(f"stopped in {time.monotonic() - began:.1f} s")
        self.lock.release()


def require_free(port: int) -> None:
    """Say in one line that another program has the port, before anything is started."""
    try:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((HOST, port))
    except OSError as error:
        if error.errno == errno.EACCES:
            raise StartError(
                f"port {port} needs more rights than this user has: choose another, as in --port 8000."
            ) from error
        raise StartError(
            f"port {port} is in use by another program: choose another, as in --port {free_port(port)}."
        ) from error


def free_port(near: int) -> int:
    """Return a port above a number that nobody uses now; 0 where there is none."""
    for port in range(near + 1, min(near + 50, 65_536)):
        with contextlib.suppress(OSError), socket.socket() as probe:
            probe.bind((HOST, port))
            return port
    return 0
