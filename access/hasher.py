"""The program that hashes passwords, one after the other, after everybody else: see hashing.py."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
from hashlib import pbkdf2_hmac
from typing import Final

# A tenth of the weight where there is no processor to spare.
NICE: Final = 10


def main() -> None:
    """Answer each line with the hash of what it says, until nobody asks any more."""
    # Whoever stops the site stops who asks.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with contextlib.suppress(OSError):
        os.nice(NICE)
    for line in sys.stdin:
        digest, password, salt, iterations = json.loads(line)
        sys.stdout.write(pbkdf2_hmac(digest, bytes.fromhex(password), bytes.fromhex(salt), iterations).hex() + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
