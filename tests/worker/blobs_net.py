"""Gateways on the loopback interface, with real keys, that end with their test."""

import random
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web
from coincurve import PrivateKey

from app.kernel.bech32 import to_bech32
from app.kernel.crypto import address_of, verify_secp256k1
from fl_worker.blobs.cids import BLOCK_SIZE_BYTES, cid_of
from fl_worker.blobs.connect import TransferLimits
from fl_worker.blobs.folder import FolderBlocks
from fl_worker.blobs.gateway import Gateway, GatewayLimits
from fl_worker.blobs.kubo import KuboBlocks
from fl_worker.blobs.permit import Access, Credentials, PushRequest, RoundTag, Verdict
from fl_worker.blobs.store import Blocks, Store
from fl_worker.blobs.transfer import Transfer
from tests.worker.ipfs_net import IpfsNode

QUOTA_BYTES = 64 << 20
CHAIN_ID = "pollen-test"
TAG = RoundTag(7, 3)
SMALL = b"a small blob"
LARGE = random.Random(1).randbytes(5 * BLOCK_SIZE_BYTES + 8)
DEFAULT_LIMITS = GatewayLimits()
LIMITS = TransferLimits(allow_private=True, backoff_s=0.01, silence_timeout_s=5)


def credentials_of(name: str) -> Credentials:
    key = PrivateKey.from_hex(name.encode().hex().rjust(64, "0"))
    pubkey = key.public_key.format()
    return Credentials(
        chain_id=CHAIN_ID,
        account=to_bech32(address_of(pubkey)),
        pubkey=pubkey,
        sign=lambda digest: key.sign_recoverable(digest, hasher=None)[:64],
    )


WORKER = credentials_of("worker")


async def only_the_worker_in_its_round(request: PushRequest) -> Verdict:
    is_drawn = (request.account, request.tag) == (WORKER.account, TAG)
    return Verdict(is_drawn, "not drawn for that round")


ACCESS = Access(
    chain_id=CHAIN_ID,
    authorize=only_the_worker_in_its_round,
    verify=verify_secp256k1,
    address_of=lambda pubkey: to_bech32(address_of(pubkey)),
)


@dataclass(frozen=True)
class Place:
    """Where a store's bytes lie, a folder or an IPFS node, to be looked at behind its back."""

    path: Path
    node: IpfsNode | None = None

    def blocks(self) -> Blocks:
        """The bytes, without an index."""
        return KuboBlocks(self.node.url, self.path) if self.node else FolderBlocks(self.path)

    def open(self, quota_bytes: int = QUOTA_BYTES, **quotas: int) -> Store:
        """The store; for each call one, as for each process."""
        return Store(self.path, self.blocks(), quota_bytes, **quotas)

    def file_of(self, cid: str) -> Path:
        """The file that is a block."""
        return self.node.file_of(cid) if self.node else next(self.path.rglob(cid))


def put(store: Store, block: bytes, tag: str = "tag", owner: str = "") -> str:
    """Keep a block; its CID."""
    cid = cid_of(block)
    store.put(cid, block, tag, owner)
    return cid


@dataclass(frozen=True)
class Reader:
    """A running gateway and its store."""

    url: str
    store: Store


@dataclass(frozen=True)
class Net:
    """Starts gateways that end with the test."""

    path: Path
    stack: AsyncExitStack

    def store(self, name: str, node: IpfsNode | None = None, **quotas: int) -> Store:
        store = Place(self.path / name, node).open(**quotas)
        self.stack.callback(store.close)
        return store

    async def reader(
        self,
        name: str = "reader",
        access: Access | None = ACCESS,
        limits: GatewayLimits = DEFAULT_LIMITS,
        node: IpfsNode | None = None,
        **quotas: int,
    ) -> Reader:
        store = self.store(name, node, **quotas)
        gateway = Gateway(store, access, limits)
        port = await gateway.start("127.0.0.1", 0)
        self.stack.push_async_callback(gateway.stop)
        return Reader(f"http://127.0.0.1:{port}", store)

    async def fake(
        self,
        answer: Callable[[web.Request], Awaitable[web.StreamResponse]],
        path: str = "/ipfs/{cid}",
    ) -> str:
        """The URL of a gateway, or of a node, that answers as told."""
        app = web.Application(client_max_size=2 * BLOCK_SIZE_BYTES)
        app.router.add_route("*", path, answer)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        self.stack.push_async_callback(runner.cleanup)
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        return f"http://127.0.0.1:{runner.addresses[0][1]}"

    async def transfer(self, limits: TransferLimits = LIMITS) -> Transfer:
        return await self.stack.enter_async_context(Transfer(limits))


@asynccontextmanager
async def open_net(path: Path) -> AsyncIterator[Net]:
    """A net whose stores lie in this folder."""
    async with AsyncExitStack() as stack:
        yield Net(path, stack)


def unused_url() -> str:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{free.getsockname()[1]}"
