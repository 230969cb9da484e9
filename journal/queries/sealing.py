"""Words sealed for one owner: AES-256-GCM under the owner's key, which is wrapped by a key of the environment.

Both are bound to their owner, and words to their place, so that nothing sealed can be moved elsewhere. Where the
owner's key is gone, the words are gone.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

from journal.models import NoteKey

if TYPE_CHECKING:
    from collections.abc import Sequence

_NONCE: Final = 12
_BITS: Final = 256


class SealedError(ValueError):
    """No key that is known opens it."""


def new_key(owner_id: int) -> bytes:
    """Return a fresh key of an owner, wrapped."""
    return _seal(_wrapping()[0], AESGCM.generate_key(_BITS), _owner(owner_id))


def wrap_anew(owner_id: int, wrapped: bytes) -> bytes:
    """Return an owner's key wrapped by the environment's first key; raises SealedError where none opens it."""
    return _seal(_wrapping()[0], _unwrapped(owner_id, wrapped), _owner(owner_id))


def seal(key: NoteKey, place: str, words: str) -> bytes:
    """Seal an owner's words for one place, such as the week that they are about."""
    return _seal(_unwrapped(key.owner_id, bytes(key.wrapped)), words.encode(), _owner(key.owner_id) + place.encode())


def unseal(*, owner_id: int, place: str, sealed: bytes | memoryview) -> str:
    """Return the owner's words; raises NoteKey.DoesNotExist where the key is gone, SealedError for anything else."""
    return unseal_with(NoteKey.objects.owned_by(owner_id).get(pk=owner_id), [(place, sealed)])[0]


def unseal_with(key: NoteKey, sealed: Sequence[tuple[str, bytes | memoryview]]) -> list[str]:
    """Return the words of several (place, sealed) of one owner; raises SealedError at the first that does not open."""
    plain, owner = _unwrapped(key.owner_id, bytes(key.wrapped)), _owner(key.owner_id)
    return [_open(plain, bytes(one), owner + place.encode()).decode() for place, one in sealed]


def _wrapping() -> list[bytes]:
    """Return the keys that wrap, the one for new ones first."""
    return [
        HKDF(SHA256(), 32, salt=None, info=b"bh-terminal notes").derive(secret.encode())
        for secret in settings.NOTES_KEYS
    ]  # fmt: skip


def _unwrapped(owner_id: int, wrapped: bytes) -> bytes:
    for key in _wrapping():
        try:
            return _open(key, wrapped, _owner(owner_id))
        except SealedError:
            continue
    raise SealedError("No key of BH_NOTES_KEYS opens this owner's key: put the one back that was taken out.")


def _owner(owner_id: int) -> bytes:
    return f"owner {owner_id} ".encode()


def _seal(key: bytes, words: bytes, bound_to: bytes) -> bytes:
    nonce = os.urandom(_NONCE)
    return nonce + AESGCM(key).encrypt(nonce, words, bound_to)


def _open(key: bytes, sealed: bytes, bound_to: bytes) -> bytes:
    try:
        return AESGCM(key).decrypt(sealed[:_NONCE], sealed[_NONCE:], bound_to)
    except InvalidTag as wrong:
        raise SealedError("What was sealed was changed, moved, or sealed by another key.") from wrong
