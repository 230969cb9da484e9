"""Read what PostgreSQL keeps in its pid file, and tell its process from others that got the same number."""

from __future__ import annotations

import contextlib
import subprocess
from pathlib import Path


def leader(pid_file: Path) -> int | None:
    """Return the process that the file names, if it names one."""
    try:
        return int(pid_file.read_text().splitlines()[0])
    except (OSError, IndexError, ValueError):
        return None


def is_our_postgres(pid: int, cluster: Path) -> bool:
    """Tell a server over this cluster from a foreign process, or a zombie, that got its number."""
    if Path("/proc/self/exe").exists():
        with contextlib.suppress(OSError):
            is_postgres = Path(f"/proc/{pid}/exe").readlink().name.startswith("postgres")
            return is_postgres and Path(f"/proc/{pid}/cwd").readlink() == cluster
        return False
    said = subprocess.run(["ps", "-o", "comm=", "-p", str(pid)], capture_output=True, text=True, check=False).stdout  # noqa: S607 # macOS
    return said.strip().endswith("postgres")


def says_ready(pid_file: Path) -> bool:
    """Read the status line that the server keeps at the end of its pid file."""
    try:
        lines = pid_file.read_text().splitlines()
    except OSError:
        return False
    return len(lines) > 7 and lines[7].strip() == "ready"  # noqa: PLR2004 # PostgreSQL's LOCK_FILE_LINE_PM_STATUS
