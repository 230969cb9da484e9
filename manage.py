#!/usr/bin/env python3
"""The only door for people: `up`, `test`, and every Django command.

This file alone must run on any Python 3, so that an old one is told apart from a broken one.
"""

import os
import sys


def main() -> None:
    """Enter the project's own environment, then run the command."""
    if sys.version_info < (3, 11):  # noqa: UP036 # this line is the check
        version = ".".join(str(part) for part in sys.version_info[:2])
        sys.exit(
            "error: BH Terminal needs Python 3.11 or newer; this is "
            + version
            + ". Run it with a newer one, for example: python3.11 manage.py up"
        )
    if os.name != "posix":
        sys.exit("error: BH Terminal runs on Linux and macOS; on Windows run it inside WSL.")
    sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))  # noqa: PTH100, PTH120 # as above
    from bhweb import door  # noqa: PLC0415 # only after the check above

    sys.exit(door.main(sys.argv))


if __name__ == "__main__":
    main()
