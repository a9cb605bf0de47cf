"""Bytes that only some may read: a blob under a key of its own, and that key boxed for each reader.

A sealed blob is XChaCha20-Poly1305: a nonce of 24 bytes, the ciphertext, a tag of 16. A key is
boxed in an X25519 sealed box of 80 bytes, which says nothing of who made it.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from nacl.exceptions import CryptoError
from nacl.public import PrivateKey, PublicKey, SealedBox
from nacl.secret import Aead
from nacl.utils import random

from fl_worker.blobs.cids import BlobFault

KEY_BYTES = 32
BOX_BYTES = 80
READER_KEY_FILE = "reader.key"


class Unopened(BlobFault):
    """Sealed bytes or a boxed key that don't open."""


@dataclass(frozen=True, slots=True)
class Sealed:
    """A sealed blob, and the content key (32 bytes) that opens it."""

    data: bytes
    key: bytes


def seal(plain: bytes) -> Sealed:
    """Seal bytes under a new key."""
    key = random(KEY_BYTES)
    return Sealed(bytes(Aead(key).encrypt(plain)), key)


def unseal(data: bytes, key: bytes) -> bytes:
    """Return what was sealed; Unopened for another key or other bytes."""
    try:
        return Aead(key).decrypt(data)
    except (CryptoError, ValueError) as error:
        raise Unopened(
            f"{len(data)} sealed bytes don't open with the key given for them ({error}); "
            "ask who sealed them for the right key"
        ) from None


def box_key(key: bytes, reader_key: bytes) -> bytes:
    """Box a content key for the reader with this X25519 public key; Unopened if it is none."""
    try:
        return bytes(SealedBox(PublicKey(reader_key)).encrypt(key))
    except (CryptoError, ValueError, TypeError) as error:
        raise Unopened(
            f"reader key {reader_key.hex() or '(none)'}: nothing can be sealed for it ({error}); "
            "its owner must register an X25519 public key"
        ) from None


def unbox_key(box: bytes, secret: PrivateKey) -> bytes:
    """Return the content key in a box; Unopened if it was boxed for another, or changed."""
    try:
        key = SealedBox(secret).decrypt(box)
    except (CryptoError, ValueError, TypeError) as error:
        raise Unopened(f"a boxed key of {len(box)} bytes doesn't open ({error})") from None
    if len(key) != KEY_BYTES:
        raise Unopened(f"a boxed key has {len(key)} bytes, the limit is exactly {KEY_BYTES}")
    return key


def keep_reader_key(folder: Path) -> PrivateKey:
    """Return the key that opens what is boxed for a participant, made once and kept in a folder."""
    path = folder / READER_KEY_FILE
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        fresh = path.with_suffix(".new")
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(bytes(PrivateKey.generate()))
            file.flush()
            os.fsync(descriptor)
        fresh.rename(path)
    secret = path.read_bytes()
    if len(secret) != KEY_BYTES:
        raise BlobFault(
            f"{path}: has {len(secret)} bytes, the limit is exactly {KEY_BYTES}; put it back from "
            "a copy, or remove it and register a new one by starting the role again"
        )
    return PrivateKey(secret)
