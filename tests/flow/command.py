"""A Django command in a house that also knows the loopback venue."""

from __future__ import annotations

import sys

from django.core.management import execute_from_command_line

from market import sources

sources.SOURCES = {**sources.SOURCES, "loopback": "tests.flow.loopback:SOURCE"}  # type: ignore[misc]

if __name__ == "__main__":
    execute_from_command_line(["manage.py", *sys.argv[1:]])
