"""A folder of named keys, each in a file of its own, sealed by a passphrase.

A file holds JSON: the public half in clear, the 32-byte private key in an XChaCha20-Poly1305 box
whose key comes from the passphrase by Argon2id; name and public key are bound into the box. Folder
and files are closed to other users. A ring opened with `Protection.TEST` stores keys in clear.
"""

from __future__ import annotations

import getpass
import json
import os
import re
from base64 import b64decode, b64encode
from collections.abc import Callable
from enum import Enum
from pathlib import Path
from typing import Any

from nacl import pwhash
from nacl.bindings import (
    crypto_aead_xchacha20poly1305_ietf_decrypt,
    crypto_aead_xchacha20poly1305_ietf_encrypt,
)
from nacl.exceptions import CryptoError
from nacl.utils import random

from app.kernel.bech32 import to_bech32
from app.kernel.crypto import address_of
from app.kernel.frozen import frozen
from app.sdk.derive import derive_secret, generate_mnemonic
from app.sdk.signer import Signer

PASSPHRASE_VARIABLE = "POLLEN_PASSPHRASE"
PASSPHRASE_LENGTH_MIN = 8
NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
SALT_BYTES = pwhash.argon2id.SALTBYTES
NONCE_BYTES = 24
KEY_BYTES = 32
KDF_OPERATIONS = 3
KDF_MEMORY_BYTES = 64 << 20
KDF_OPERATIONS_MAX = 16
KDF_MEMORY_BYTES_MAX = 1 << 30


class KeyringError(Exception):
    """A key that can't be stored, found or opened; the text says what to do."""


class Protection(Enum):
    """How a ring stores private keys."""

    SEALED = "argon2id+xchacha20poly1305"
    TEST = "none"


@frozen
class Entry:
    """The public half of a stored key."""

    name: str
    address: str
    pubkey: bytes


def ask_passphrase(*, is_new: bool = False) -> str:
    """Return the passphrase from POLLEN_PASSPHRASE or the terminal; a new one is asked twice."""
    given = os.environ.get(PASSPHRASE_VARIABLE)
    passphrase = getpass.getpass("Passphrase: ") if given is None else given
    if is_new and len(passphrase) < PASSPHRASE_LENGTH_MIN:
        raise KeyringError(
            f"the passphrase has {len(passphrase)} characters and needs at least "
            f"{PASSPHRASE_LENGTH_MIN}; choose a longer one"
        )
    if is_new and given is None and getpass.getpass("The same again: ") != passphrase:
        raise KeyringError("the two passphrases differ; try again")
    return passphrase


class Keyring:
    """Named keys in a folder."""

    def __init__(
        self,
        folder: Path,
        *,
        protection: Protection = Protection.SEALED,
        ask: Callable[..., str] = ask_passphrase,
    ) -> None:
        self.folder = folder
        self.protection = protection
        self._ask = ask

    def add(self, name: str) -> tuple[Entry, str]:
        """Make and store a new key; returns it with the 24 words that bring it back."""
        mnemonic = generate_mnemonic()
        return self.import_mnemonic(name, mnemonic), mnemonic

    def import_mnemonic(self, name: str, mnemonic: str) -> Entry:
        """Store the key that the words give at Cosmos' path; `BadMnemonic` if they are none."""
        return self.import_secret(name, derive_secret(mnemonic))

    def import_secret(self, name: str, secret: bytes) -> Entry:
        """Store a 32-byte private key under a free name."""
        path = self._free_path(name)
        pubkey = Signer(secret).pubkey
        if self.protection is Protection.SEALED:
            box = seal(secret, self._ask(is_new=True), bound(name, pubkey))
        else:
            box = {"secret": secret.hex()}
        write_private(
            path, {"protection": self.protection.value, **public_part(name, pubkey), **box}
        )
        return self.show(name)

    def import_file(self, name: str, text: str) -> Entry:
        """Store what `export` gave, under a free name; asks its passphrase, then the new one."""
        return self.import_secret(name, self._secret(parse(text, "the exported key")))

    def export(self, name: str) -> str:
        """Return a key's file, as sealed as it is stored."""
        return json.dumps(self._read(name), indent=2)

    def list(self) -> tuple[Entry, ...]:
        """Return the stored keys by name."""
        names = sorted(path.stem for path in self.folder.glob("*.json"))
        return tuple(self.show(name) for name in names)

    def show(self, name: str) -> Entry:
        """Return the public half of a key."""
        stored = self._read(name)
        pubkey = bytes.fromhex(stored["pubkey"])
        return Entry(name, to_bech32(address_of(pubkey)), pubkey)

    def open(self, name: str) -> Signer:
        """Return a key ready to sign; asks for its passphrase."""
        stored = self._read(name)
        is_clear = stored["protection"] == Protection.TEST.value
        if is_clear and self.protection is not Protection.TEST:
            raise KeyringError(
                f"key {name!r} lies unsealed in {self.folder}; with --unencrypted it is used as it "
                "is (in code: Protection.TEST), or import it into another ring"
            )
        return Signer(self._secret(stored))

    def _secret(self, stored: dict[str, Any]) -> bytes:
        if stored["protection"] == Protection.TEST.value:
            return bytes.fromhex(stored["secret"])
        context = bound(stored["name"], bytes.fromhex(stored["pubkey"]))
        return unseal(stored, self._ask(), context)

    def _read(self, name: str) -> dict[str, Any]:
        path = self._path(name)
        if not path.exists():
            known = ", ".join(sorted(each.stem for each in self.folder.glob("*.json"))) or "none"
            raise KeyringError(
                f"no key {name!r} in {self.folder} (there: {known}); "
                f"make one: pollen keys add {name}"
            )
        if path.stat().st_mode & 0o077:
            raise KeyringError(f"{path} is open to other users; run: chmod 600 {path}")
        return parse(path.read_text(), str(path))

    def _path(self, name: str) -> Path:
        if not NAME.fullmatch(name):
            raise KeyringError(
                f"key name {name!r}: 1 to 64 of a-z 0-9 . _ -, beginning with a letter or digit"
            )
        return self.folder / f"{name}.json"

    def _free_path(self, name: str) -> Path:
        path = self._path(name)
        if path.exists():
            raise KeyringError(f"a key {name!r} exists in {self.folder}; choose another name")
        return path


def public_part(name: str, pubkey: bytes) -> dict[str, str]:
    """Return what a key's file says in clear."""
    return {"name": name, "address": to_bech32(address_of(pubkey)), "pubkey": pubkey.hex()}


def bound(name: str, pubkey: bytes) -> bytes:
    """Return what a box is bound to: it opens under no other name or key."""
    return b"pollen/keyring\x00" + pubkey + name.encode()


def seal(secret: bytes, passphrase: str, context: bytes) -> dict[str, Any]:
    """Return a box that holds a private key."""
    salt, nonce = random(SALT_BYTES), random(NONCE_BYTES)
    key = stretch(passphrase, salt, KDF_OPERATIONS, KDF_MEMORY_BYTES)
    box = crypto_aead_xchacha20poly1305_ietf_encrypt(secret, context, nonce, key)
    return {
        "kdf_operations": KDF_OPERATIONS,
        "kdf_memory_bytes": KDF_MEMORY_BYTES,
        "salt": b64encode(salt).decode(),
        "nonce": b64encode(nonce).decode(),
        "box": b64encode(box).decode(),
    }


def unseal(stored: dict[str, Any], passphrase: str, context: bytes) -> bytes:
    """Return the private key in a box; the wrong passphrase is a `KeyringError`."""
    operations, memory_bytes = stored["kdf_operations"], stored["kdf_memory_bytes"]
    if operations > KDF_OPERATIONS_MAX or memory_bytes > KDF_MEMORY_BYTES_MAX:
        raise KeyringError(
            f"key {stored['name']!r} asks for {operations} passes over {memory_bytes} bytes, "
            f"at most {KDF_OPERATIONS_MAX} over {KDF_MEMORY_BYTES_MAX} are done; "
            "Pollen didn't write this file"
        )
    key = stretch(passphrase, b64decode(stored["salt"]), operations, memory_bytes)
    try:
        return crypto_aead_xchacha20poly1305_ietf_decrypt(
            b64decode(stored["box"]), context, b64decode(stored["nonce"]), key
        )
    except CryptoError:
        raise KeyringError(
            f"the passphrase doesn't open key {stored['name']!r}; try again, or set "
            f"{PASSPHRASE_VARIABLE}"
        ) from None


def stretch(passphrase: str, salt: bytes, operations: int, memory_bytes: int) -> bytes:
    """Return the key that a passphrase gives (Argon2id, RFC 9106)."""
    return pwhash.argon2id.kdf(
        KEY_BYTES, passphrase.encode(), salt, opslimit=operations, memlimit=memory_bytes
    )


def parse(text: str, source: str) -> dict[str, Any]:
    """Return a key file's content."""
    try:
        stored = json.loads(text)
        public_part(stored["name"], bytes.fromhex(stored["pubkey"]))
        Protection(stored["protection"])
    except (ValueError, KeyError, TypeError):
        raise KeyringError(f"{source} is no Pollen key file") from None
    return dict(stored)


def write_private(path: Path, content: dict[str, Any]) -> None:
    """Write a new file that only its owner may read; the folder likewise."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(content, file, indent=2)
        file.flush()
        os.fsync(file.fileno())
