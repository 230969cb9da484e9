"""The hash is Django's own, made one at a time by a program that yields to all others."""

from __future__ import annotations

import os
import signal
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from django.contrib.auth.hashers import PBKDF2PasswordHasher

from access.hasher import NICE
from access.hashing import YieldingHasher
from bhweb import settings
from tests.running import children

FEW = 1000
PHRASE = "a long enough phrase"


def programs() -> list[int]:
    """List the programs of this process that hash."""
    told = {pid: Path(f"/proc/{pid}/cmdline").read_bytes() for pid in children(os.getpid())}
    return [pid for pid, command in told.items() if b"hasher.py" in command]


def test_hash_is_djangos_own() -> None:
    known = PBKDF2PasswordHasher().encode(PHRASE, "a-salt", FEW)
    assert YieldingHasher().encode(PHRASE, "a-salt", FEW) == known
    assert YieldingHasher().verify(PHRASE, known)
    assert not YieldingHasher().verify("another phrase", known)
    assert settings.PASSWORD_HASHERS == ["access.hashing.YieldingHasher"]


def test_all_hashes_of_a_process_are_made_by_one_program_that_yields() -> None:
    before = os.getpriority(os.PRIO_PROCESS, 0)
    with ThreadPoolExecutor(8) as visitors:
        hashes = list(visitors.map(lambda number: YieldingHasher().encode(PHRASE, f"salt{number}", FEW), range(40)))
    assert hashes == [PBKDF2PasswordHasher().encode(PHRASE, f"salt{number}", FEW) for number in range(40)]
    (program,) = programs()
    assert os.getpriority(os.PRIO_PROCESS, program) == before + NICE
    assert os.getpriority(os.PRIO_PROCESS, 0) == before


def test_a_program_that_was_killed_is_started_anew() -> None:
    YieldingHasher().encode(PHRASE, "salt", FEW)
    (killed,) = programs()
    os.kill(killed, signal.SIGKILL)
    assert YieldingHasher().encode(PHRASE, "salt", FEW) == PBKDF2PasswordHasher().encode(PHRASE, "salt", FEW)
    assert killed not in programs()


def test_bytes_and_strange_letters_are_hashed_as_django_does() -> None:
    phrases: tuple[Any, ...] = (b"bytes", "käse\n\0\u202e")
    for phrase in phrases:
        assert YieldingHasher().encode(phrase, "s", FEW) == PBKDF2PasswordHasher().encode(phrase, "s", FEW)


def test_a_forked_child_hashes_too() -> None:
    YieldingHasher().encode(PHRASE, "salt", FEW)
    child = os.fork()
    if child == 0:
        os._exit(0 if YieldingHasher().encode(PHRASE, "salt", FEW) else 1)
    assert os.waitpid(child, 0)[1] == 0
