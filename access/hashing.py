"""Passwords are hashed by one program that yields to all others, so that pages keep their processor.

It is no thread of ours: all others would wait for one of low priority whenever it has asked for the interpreter.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from base64 import b64encode
from functools import cache
from pathlib import Path
from typing import Final

from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.utils.encoding import force_bytes

_PROGRAM: Final = Path(__file__).with_name("hasher.py")


class YieldingHasher(PBKDF2PasswordHasher):
    """Django's own hash, one at a time for each process."""

    def encode(self, password: str, salt: str, iterations: int | None = None) -> str:
        """Have it hashed, and wait for it."""
        self._check_encode_args(password, salt)  # type: ignore[attr-defined]  # the stubs lack it
        rounds = iterations or self.iterations
        words = (force_bytes(word).hex() for word in (password, salt))
        digest = _helper(os.getpid()).derive(self.digest().name, *words, rounds)
        return f"{self.algorithm}${rounds}${salt}${b64encode(digest).decode()}"


class Helper:
    """The program beside us; it ends when we do."""

    def __init__(self) -> None:
        self._turn = threading.Lock()
        self._program = self._start()

    def derive(self, *what: str | int) -> bytes:
        """Return the hash of what hasher.py is told; a helper that was killed is started anew, once."""
        question = f"{json.dumps(what)}\n"
        with self._turn:
            answer = self._ask(question)
            if not answer:
                self._program = self._start()
                answer = self._ask(question)
        if not answer:
            message = "the program that hashes passwords ended twice"
            raise OSError(message)
        return bytes.fromhex(answer)

    def _ask(self, question: str) -> str:
        asked, told = self._program.stdin, self._program.stdout
        assert asked is not None
        assert told is not None
        try:
            asked.write(question)
            asked.flush()
        except BrokenPipeError:
            return ""
        return str(told.readline())

    @staticmethod
    def _start() -> subprocess.Popen[str]:
        # Without site packages it starts in 20 ms and needs few megabytes.
        return subprocess.Popen(  # noqa: S603  # own interpreter, own file
            [sys.executable, "-I", "-S", _PROGRAM], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )


@cache
def _helper(_process: int) -> Helper:
    # A child that was forked asks a helper of its own.
    return Helper()
