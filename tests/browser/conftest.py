"""A real browser on the real server with the test database."""

from __future__ import annotations

import datetime as dt
import json
import os
import shutil
import socket
import tempfile
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest
from django.core.management import call_command
from django.db import connection
from playwright.sync_api import sync_playwright

from tests.factories import make_user
from tests.pages import client_of
from tests.running import Broker, Programs, database_url, wait_for
from tests.world import World, lasting_world

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Browser, Page
    from pytest_django import DjangoDbBlocker

FLAGS: Final = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
NAMES: Final = ("chromium", "chromium-browser", "google-chrome")
END: Final = dt.datetime(2026, 1, 15, 12, 20, tzinfo=dt.UTC)
DESKTOP: Final = (1440, 900)
# Collected static files by their names in the source, once the server has them.
COLLECTED: Final[dict[str, str]] = {}
PHONE: Final = (390, 844)
# Contrast hangs on the theme and layout on the size, so two crossed looks see both; a campaign sees all four.
LOOKS: Final = [("dark", DESKTOP), ("light", PHONE)]
if os.environ.get("BH_CAMPAIGNS") == "1":
    LOOKS.extend([("light", DESKTOP), ("dark", PHONE)])


@dataclass
class Visit:
    """An open page and everything that went wrong or over the wire on it."""

    page: Page
    origin: str
    problems: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    # Bytes over the wire, headers and all, by address.
    weights: dict[str, int] = field(default_factory=dict)

    def go(self, path: str) -> Page:
        """Open a page of the product."""
        self.page.goto(self.origin + path)
        return self.page

    def terminal(self, key: str = "binance:BTCUSDT", query: str = "") -> Page:
        """Open a terminal and wait until its heat is drawn."""
        self.go(f"/t/{key}/{query}")
        self.page.locator('#terminal[data-drawn="true"]').wait_for(state="attached", timeout=20_000)
        return self.page

    @property
    def foreign(self) -> list[str]:
        """List requests that went elsewhere."""
        return [url for url in self.requests if not url.startswith((self.origin, "blob:", "data:"))]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Launch it for one module: while it runs, no other test in this process can run an event loop."""
    path = os.environ.get("BH_CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    if path is None:
        message = "no Chromium found: set BH_CHROMIUM to its path"
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(message)
    with sync_playwright() as playwright:
        yield playwright.chromium.launch(executable_path=path, args=list(FLAGS))


@pytest.fixture(scope="session")
def static_root() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="bh-data-") as directory:
        yield Path(directory)


@pytest.fixture(scope="session")
def server(django_db_setup: None, static_root: Path) -> Iterator[tuple[str, Broker]]:
    """Start the web process as it runs in production, with hashed and compressed static files."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory(prefix="bh") as directory:
        broker = Broker(Path(directory))
        broker.start()
        programs = Programs(Path(directory))
        env = {
            "DATABASE_URL": database_url(connection.settings_dict),
            "REDIS_URL": broker.celery_url,
            "DJANGO_SETTINGS_MODULE": "bhweb.settings",
            "BH_DATA_DIR": str(static_root),
        }
        collected = programs.start("-m", "django", "collectstatic", "--noinput", "-v0", env=env)
        assert collected.wait(120) == 0, programs.logs()
        COLLECTED.update(json.loads((static_root / "static/staticfiles.json").read_text())["paths"])
        programs.start("-m", "django", "web", f"--port={port}", env=env)
        origin = f"http://127.0.0.1:{port}"
        wait_for(lambda: answers(origin), what="the server")
        yield origin, broker
        programs.end()
        broker.stop()


def script_of(name: str) -> str:
    """Return the address of a module of the terminal by itself; pages get it joined with others."""
    return f"/static/{COLLECTED[f'js/terminal/{name}.js']}"


def answers(origin: str) -> bool:
    try:
        with urllib.request.urlopen(f"{origin}/healthz", timeout=5) as response:
            return bool(response.status == 200)
    except OSError:
        return False


@pytest.fixture(scope="module")
def world(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[World]:
    """Make one market for a module; members' sessions go with it."""
    with lasting_world(django_db_blocker, end=END) as made:
        yield made
    with django_db_blocker.unblock():
        call_command("flush", interactive=False, verbosity=0)


@pytest.fixture(scope="module")
def session_cookie(world: World, django_db_blocker: DjangoDbBlocker) -> str:
    with django_db_blocker.unblock():
        return str(client_of(make_user()).cookies["sessionid"].value)


@pytest.fixture
def visit(browser: Browser, server: tuple[str, Broker], session_cookie: str) -> Iterator[Callable[..., Visit]]:
    """Return a way to open a page as a member: size, theme, with or without scripts."""
    opened: list[Any] = []

    def start(*, size: tuple[int, int] = DESKTOP, theme: str = "dark", scripts: bool = True) -> Visit:
        origin = server[0]
        context = browser.new_context(
            viewport={"width": size[0], "height": size[1]}, java_script_enabled=scripts, has_touch=size == PHONE
        )
        opened.append(context)
        cookies = {"sessionid": session_cookie, "theme": theme}
        context.add_cookies([{"name": name, "value": value, "url": origin} for name, value in cookies.items() if value])
        context.add_init_script(REPORT_VIOLATIONS)
        visit = Visit(context.new_page(), origin)
        listen(visit)
        return visit

    yield start
    for context in opened:
        context.close()


# The browser tells the page of each breach of its policy; the page tells the console, which the test reads.
REPORT_VIOLATIONS: Final = (
    "document.addEventListener('securitypolicyviolation',"
    " (event) => console.error('CSP ' + event.violatedDirective + ' ' + event.blockedURI));"
)


def listen(visit: Visit) -> None:
    page = visit.page
    page.on("console", lambda said: visit.problems.append(said.text) if said.type in {"error", "warning"} else None)
    page.on("pageerror", lambda error: visit.problems.append(str(error)))
    page.on("request", lambda request: visit.requests.append(request.url))

    # Bytes as they came over the wire; the browser's own count also knows what was loaded ahead of its use.
    wire = page.context.new_cdp_session(page)
    wire.send("Network.enable")
    addresses: dict[str, str] = {}
    wire.on("Network.requestWillBeSent", lambda one: addresses.update({one["requestId"]: one["request"]["url"]}))
    wire.on(
        "Network.loadingFinished",
        lambda done: visit.weights.update({addresses.get(done["requestId"], ""): int(done["encodedDataLength"])}),
    )
