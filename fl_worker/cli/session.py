"""What a command works with: the keys, a line to the chain, its own folder and its bytes."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from app.sdk.client import Client
from app.sdk.keyring import Keyring, Protection
from app.sdk.protocol import Address
from app.sdk.signer import Signer
from app.sdk.text import to_bech32
from fl_worker.cli.settings import Misused, Settings
from fl_worker.posting.reading import read_address

if TYPE_CHECKING:
    from fl_worker.blobs.store import Store
    from fl_worker.roles.journal import Journal

KEYS_FOLDER = "keys"
JOURNAL_FILE = "journal.sqlite"
STORE_BYTES = 20 << 30
Result = TypeVar("Result")


def open_ring(settings: Settings) -> Keyring:
    """Return the keys in the home."""
    protection = Protection.TEST if settings.is_unencrypted else Protection.SEALED
    return Keyring(settings.home / KEYS_FOLDER, protection=protection)


def key_name(settings: Settings) -> str:
    """Return the key that signs: the one named, or the only one."""
    if settings.key:
        return settings.key
    names = [entry.name for entry in open_ring(settings).list()]
    if len(names) == 1:
        return names[0]
    if not names:
        raise Misused(f"no key in {settings.home}; make one: pollen keys add NAME")
    raise Misused(f"several keys ({', '.join(names)}); say which: --from NAME")


def open_signer(settings: Settings) -> Signer:
    """Return the key that signs, ready; asks for its passphrase."""
    return open_ring(settings).open(key_name(settings))


def own_folder(settings: Settings) -> Path:
    """Return where the participant with the signing key keeps its work."""
    return settings.home / key_name(settings)


def open_store(settings: Settings, quota_bytes: int = STORE_BYTES) -> Store:
    """Open the blocks of the signing key: in an IPFS node if one was named, else in its folder."""
    from fl_worker.blobs.folder import FolderBlocks
    from fl_worker.blobs.kubo import KuboBlocks
    from fl_worker.blobs.store import Store

    home = own_folder(settings)
    home.mkdir(parents=True, exist_ok=True)
    os.chmod(home, 0o700)
    path = home / ("ipfs" if settings.store else "blobs")
    blocks = KuboBlocks(settings.store, path) if settings.store else FolderBlocks(path)
    return Store(path, blocks, quota_bytes)


@contextmanager
def own_journal(settings: Settings) -> Iterator[Journal | None]:
    """Open the memory of the participant with the signing key for a while, if it has any."""
    from fl_worker.roles.journal import Journal

    path = own_folder(settings) / JOURNAL_FILE
    journal = Journal(path) if path.exists() else None
    try:
        yield journal
    finally:
        if journal is not None:
            journal.close()


def find_address(settings: Settings, who: str) -> Address:
    """Return the account that an address or a key's name stands for; empty: the signing key's."""
    if who.startswith("pollen1"):
        return read_address(who)
    return read_address(open_ring(settings).show(who or key_name(settings)).address)


def name_of(address: Address) -> str:
    """Return an account in a short form for tables."""
    text = to_bech32(address)
    return f"{text[:12]}…{text[-4:]}"


@asynccontextmanager
async def connected(settings: Settings) -> AsyncIterator[Client]:
    """Open a line to the chain for a while."""
    client = await Client.connect(*settings.nodes)
    try:
        if settings.fee_granter:
            client.fee_granter = find_address(settings, settings.fee_granter)
        yield client
    finally:
        await client.close()


def run(work: Coroutine[Any, Any, Result]) -> Result:
    """Run asynchronous work; Ctrl-C cancels it."""
    return asyncio.run(work)
