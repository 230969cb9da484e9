"""`manage.py test`: find a browser, then hand over to pytest, whose last line is the last line."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from bhweb.processes import ROOT
from bhweb.progress import say

if TYPE_CHECKING:
    from collections.abc import Sequence

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
MAC_BROWSERS = (
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
)
DEBIAN = Path("/etc/debian_version")
IN_PARALLEL = ("-n", "2", "--dist", "loadfile")


def main(arguments: Sequence[str]) -> None:
    """Become pytest."""
    if browser := find_browser() or install_browser():
        os.environ["BH_CHROMIUM"] = browser
    else:
        say("no Chromium or Chrome here: the browser tests will be skipped (set BH_CHROMIUM to one)")
    os.environ["BH_BOOTSTRAP"] = "0"
    parallel = () if _says_how_many(arguments) else IN_PARALLEL
    os.chdir(ROOT)
    os.execv(sys.executable, [sys.executable, "-m", "pytest", *parallel, *arguments])  # noqa: S606 # our own interpreter


def _says_how_many(arguments: Sequence[str]) -> bool:
    return any(
        one.startswith(("-n", "--numprocesses")) or one in {"--pdb", "--co", "--collect-only"} for one in arguments
    )


def find_browser() -> str | None:
    """Return BH_CHROMIUM, else a browser of this machine."""
    if chosen := os.environ.get("BH_CHROMIUM"):
        return chosen
    found = [shutil.which(name) for name in BROWSERS] + [path for path in MAC_BROWSERS if Path(path).exists()]
    return next((path for path in found if path), None)


def install_browser() -> str | None:
    """Install Debian's Chromium where we may."""
    if os.geteuid() != 0 or not DEBIAN.exists() or not shutil.which("apt-get"):
        return None
    say("installing Chromium for the browser tests (apt-get)")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    try:
        for step in (["update"], ["install", "--yes", "--no-install-recommends", "chromium"]):
            subprocess.run(["apt-get", "-q", *step], env=environment, check=True, capture_output=True, timeout=600)  # noqa: S607 # Debian's
    except (OSError, subprocess.SubprocessError) as error:
        say(f"Chromium could not be installed: {error}")
    return find_browser()
