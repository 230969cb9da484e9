"""The hash is Django's own, made one at a time by a thread that yields to the others."""

from __future__ import annotations

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from django.contrib.auth.hashers import PBKDF2PasswordHasher

from access.hashing import NICE, YieldingHasher
from bhweb import settings

if TYPE_CHECKING:
    import pytest

FEW = 1000
PHRASE = "a long enough phrase"


def test_hash_is_djangos_own() -> None:
    known = PBKDF2PasswordHasher().encode(PHRASE, "a-salt", FEW)
    assert YieldingHasher().encode(PHRASE, "a-salt", FEW) == known
    assert YieldingHasher().verify(PHRASE, known)
    assert not YieldingHasher().verify("another phrase", known)
    assert settings.PASSWORD_HASHERS == ["access.hashing.YieldingHasher"]


def test_all_hashes_are_made_in_one_thread_that_yields(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: set[tuple[int, int]] = set()
    plain = PBKDF2PasswordHasher.encode

    def noting(self: PBKDF2PasswordHasher, password: str, salt: str, iterations: int | None = None) -> str:
        thread = threading.get_native_id()
        seen.add((thread, os.getpriority(os.PRIO_PROCESS, thread)))
        return plain(self, password, salt, iterations)

    before = os.getpriority(os.PRIO_PROCESS, 0)
    monkeypatch.setattr(PBKDF2PasswordHasher, "encode", noting)
    with ThreadPoolExecutor(8) as visitors:
        hashes = list(visitors.map(lambda number: YieldingHasher().encode(PHRASE, f"salt{number}", FEW), range(40)))
    assert len(set(hashes)) == 40
    ((thread, priority),) = seen
    assert thread != threading.get_native_id()
    assert priority == NICE
    assert os.getpriority(os.PRIO_PROCESS, 0) == before


def test_a_forked_child_hashes_too() -> None:
    YieldingHasher().encode(PHRASE, "salt", FEW)
    child = os.fork()
    if child == 0:
        os._exit(0 if YieldingHasher().encode(PHRASE, "salt", FEW) else 1)
    assert os.waitpid(child, 0)[1] == 0
