"""Blobs over HTTP: fetched from any gateway that has them, pushed to every reader.

A participant whose store is an IPFS node asks that one too, last of all, since it looks for a block
at the nodes it knows for a while.

Nothing a gateway says is believed: a block counts when its bytes hash to its CID, and who sends
others is not asked again. What has arrived stays, so a transfer that is cut off goes on where it
stopped: whole blocks in the store, part of a block at the gateway that began it.
"""

import asyncio
import itertools
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Self, TypeVar

import aiohttp
from yarl import URL

from fl_worker.blobs.cids import (
    BLOCK_SIZE_BYTES,
    Blob,
    BlobFault,
    BlobTooLarge,
    WrongBytes,
    decode_manifest,
    verify,
)
from fl_worker.blobs.connect import (
    DEFAULT_LIMITS,
    AddressRefused,
    TransferLimits,
    block_url,
    open_session,
)
from fl_worker.blobs.permit import LIFE_S, Credentials, RoundTag, sign_permit
from fl_worker.blobs.store import Store

REDIRECTS_MAX = 3
REASON_LENGTH_MAX = 300
# From this size on, asking whether a reader has a block is cheaper than sending it again.
PROBED_SIZE_BYTES = 256 << 10
NETWORK_FAULTS = (aiohttp.ClientError, OSError, TimeoutError)
# Worth another attempt: too slow, too early, too many, or the gateway's own trouble.
PASSING_STATUSES = (404, 408, 416, 425, 429, 500, 502, 503, 504)
Item = TypeVar("Item")


class GatewayFault(BlobFault):
    """A gateway answered with a status that isn't success."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(f"HTTP {status}: {reason}")
        self.status = status


class WrongSize(BlobFault):
    """A blob's bytes are sound but not as many as declared."""


@dataclass(frozen=True, slots=True)
class FetchReport:
    """What a fetch took from the network, and what was wrong with which gateway."""

    fetched_bytes: int
    faults: dict[str, str]
    liars: tuple[str, ...]


class FetchFailed(BlobFault):
    """No gateway gave a block; `report` says what each did."""

    def __init__(self, cid: str, report: FetchReport) -> None:
        reasons = "; ".join(f"{gateway}: {fault}" for gateway, fault in report.faults.items())
        super().__init__(
            f"block {cid} can't be had ({reasons or 'no gateway given'}): try again later, or name "
            "another gateway"
        )
        self.report = report


@dataclass(frozen=True, slots=True)
class PushOutcome:
    """How a push to one reader ended; no error means that it holds the whole blob."""

    gateway: str
    sent_bytes: int
    error: str = ""


class Sources:
    """The gateways of one fetch, best first, and what was wrong with each.

    The store's own node, where it has one, counts as the last of them.
    """

    def __init__(self, gateways: Sequence[str], start: int, node: str) -> None:
        start %= max(1, len(gateways))
        self.node = node
        nodes = (node,) if node else ()
        self.usable = list(dict.fromkeys([*gateways[start:], *gateways[:start], *nodes]))
        self.faults: dict[str, str] = {}
        self.liars: list[str] = []
        self.fetched_bytes = 0

    def demote(self, gateway: str, fault: Exception) -> None:
        """Ask this gateway last from now on."""
        if gateway in self.usable:
            self.drop(gateway, fault)
            self.usable.append(gateway)

    def drop(self, gateway: str, fault: Exception) -> None:
        """Don't ask this gateway again."""
        self.faults[gateway] = describe(fault)
        if gateway in self.usable:
            self.usable.remove(gateway)

    def report(self) -> FetchReport:
        """What happened so far."""
        return FetchReport(self.fetched_bytes, dict(self.faults), tuple(dict.fromkeys(self.liars)))


class Transfer:
    """Fetches and pushes over one pool of connections; an asynchronous context manager."""

    def __init__(self, limits: TransferLimits = DEFAULT_LIMITS) -> None:
        self._limits = limits

    async def __aenter__(self) -> Self:
        self._session = open_session(self._limits)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._session.close()

    async def fetch(
        self, blob: Blob, gateways: Sequence[str], store: Store, tag: str, *, start: int = 0
    ) -> FetchReport:
        """Bring a blob into the store under a tag, gateways in turn from `start` on.

        FetchFailed when none gives a block, MalformedManifest and WrongSize when whoever declared
        the blob is wrong, BlobTooLarge, QuotaExceeded and DiskFull when it doesn't fit.
        """
        if blob.size_bytes > self._limits.size_bytes_max:
            raise BlobTooLarge(
                f"blob {blob.cid} has {blob.size_bytes} bytes, at most "
                f"{self._limits.size_bytes_max} are fetched: raise size_bytes_max if it is wanted"
            )
        sources = Sources(gateways, start, store.node)

        async def obtain(part: tuple[str, int | None]) -> bytes:
            cid, size_bytes = part
            held = await asyncio.to_thread(store.hold, cid, tag)
            block = await self._fetch_block(cid, sources, store) if held is None else held
            if size_bytes not in (None, len(block)):
                raise WrongSize(
                    f"block {cid} has {len(block)} bytes, not {size_bytes} as blob {blob.cid} "
                    "declares: whoever published the blob must publish it again"
                )
            if held is None:
                await asyncio.to_thread(store.put, cid, block, tag)
            return block

        if blob.is_large:
            manifest = decode_manifest(await obtain((blob.cid, None)), blob.size_bytes)
            parts = dict.fromkeys(manifest.parts())
            await run_bounded(obtain, parts, self._limits.blocks_at_once)
        else:
            await obtain((blob.cid, blob.size_bytes))
        return sources.report()

    async def _fetch_block(self, cid: str, sources: Sources, store: Store) -> bytes:
        """A verified block from the first gateway that has it; FetchFailed when none does."""
        partial: dict[str, bytearray] = {}
        for attempt in range(self._limits.attempts):
            if not sources.usable:
                break
            await back_off(attempt, self._limits)
            for gateway in tuple(sources.usable):
                received = partial.setdefault(gateway, bytearray())
                try:
                    if gateway == sources.node:
                        received[:] = await ask_node(cid, store)
                    else:
                        await self._receive(gateway, cid, received)
                    verify(cid, block := bytes(received))
                except WrongBytes as fault:
                    sources.liars.append(gateway)
                    sources.drop(gateway, fault)
                except (AddressRefused, BlobTooLarge) as fault:
                    sources.drop(gateway, fault)
                except (GatewayFault, *NETWORK_FAULTS) as fault:
                    (sources.demote if may_pass(fault) else sources.drop)(gateway, fault)
                else:
                    sources.fetched_bytes += len(block)
                    return block
        raise FetchFailed(cid, sources.report())

    async def _receive(self, gateway: str, cid: str, received: bytearray) -> None:
        """Add to what was received of a block until it is all there."""
        headers = {"Accept": "application/vnd.ipld.raw"}
        if received:
            headers["Range"] = f"bytes={len(received)}-"
        async with self._session.get(
            block_url(gateway, cid).with_query(format="raw"),
            headers=headers,
            max_redirects=REDIRECTS_MAX,
        ) as response:
            if response.status == 416:
                received.clear()
            if response.status not in (200, 206):
                raise await describe_refusal(response)
            content_range = response.headers.get("Content-Range", "")
            if response.status == 200 or not content_range.startswith(f"bytes {len(received)}-"):
                received.clear()
            async for chunk in response.content.iter_any():
                received += chunk
                if len(received) > BLOCK_SIZE_BYTES:
                    raise BlobTooLarge(f"more than {BLOCK_SIZE_BYTES} bytes came for block {cid}")

    async def push(
        self,
        blob: Blob,
        gateways: Sequence[str],
        store: Store,
        credentials: Credentials,
        tag: RoundTag,
    ) -> tuple[PushOutcome, ...]:
        """Send a blob of the store to each reader at once; outcomes in the order of the gateways.

        BlobAbsent when the blob isn't in the store.
        """
        cids = await asyncio.to_thread(store.cids, blob)
        permits = Permits(credentials, tag)
        pushes = [
            ReaderPush(self._session, self._limits, store, permits, gateway) for gateway in gateways
        ]
        return tuple(await asyncio.gather(*(push.send(blob, cids) for push in pushes)))


class Permits:
    """The permits of one push; each block's is signed once for all readers, and anew when stale."""

    def __init__(self, credentials: Credentials, tag: RoundTag) -> None:
        self._credentials = credentials
        self.tag = tag
        self._signed: dict[str, tuple[int, str]] = {}

    def header(self, cid: str) -> str:
        """The Authorization header of a block, good for half of LIFE_S at least."""
        now_unix_s = int(time.time())
        expires_unix_s, header = self._signed.get(cid, (0, ""))
        if expires_unix_s < now_unix_s + LIFE_S // 2:
            expires_unix_s = now_unix_s + LIFE_S
            header = sign_permit(self._credentials, cid, self.tag, expires_unix_s)
            self._signed[cid] = (expires_unix_s, header)
        return header


@dataclass(frozen=True, slots=True)
class ReaderPush:
    """The part of a push that goes to one reader."""

    session: aiohttp.ClientSession
    limits: TransferLimits
    store: Store
    permits: Permits
    gateway: str
    sent_bytes: list[int] = field(default_factory=list)

    async def send(self, blob: Blob, cids: tuple[str, ...]) -> PushOutcome:
        """Send the blocks, and last the manifest: who finds that finds the whole blob."""
        try:
            await run_bounded(self._send, dict.fromkeys(cids), self.limits.blocks_at_once)
            if blob.is_large:
                await self._send(blob.cid)
        except (BlobFault, *NETWORK_FAULTS) as fault:
            return PushOutcome(self.gateway, sum(self.sent_bytes), describe(fault))
        return PushOutcome(self.gateway, sum(self.sent_bytes))

    async def _send(self, cid: str) -> None:
        """Send one block, again while what goes wrong may pass."""
        for attempt in itertools.count():
            await back_off(attempt, self.limits)
            try:
                await self._put(cid)
                break
            except (GatewayFault, *NETWORK_FAULTS) as fault:
                if attempt + 1 >= self.limits.attempts or not may_pass(fault):
                    raise

    async def _put(self, cid: str) -> None:
        tag = self.permits.tag
        url = block_url(self.gateway, cid).with_query(
            format="raw", job=str(tag.job_id), round=str(tag.round)
        )
        block = await asyncio.to_thread(self.store.require, cid)
        if len(block) >= PROBED_SIZE_BYTES and await self._is_held(url):
            return
        async with self.session.put(
            url,
            data=block,
            headers={"Authorization": self.permits.header(cid)},
            allow_redirects=False,
        ) as response:
            if response.status not in (200, 201, 204):
                raise await describe_refusal(response)
        self.sent_bytes.append(len(block))

    async def _is_held(self, url: URL) -> bool:
        async with self.session.head(url, allow_redirects=False) as response:
            return response.status == 200


async def run_bounded(
    work: Callable[[Item], Awaitable[object]], items: Iterable[Item], at_once: int
) -> None:
    """Do the work for every item, so many at once; the first fault ends it all."""
    waiting = iter(items)

    async def take_turns() -> None:
        for item in waiting:
            await work(item)

    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(at_once):
                group.create_task(take_turns())
    except ExceptionGroup as faults:
        raise faults.exceptions[0] from None


async def ask_node(cid: str, store: Store) -> bytes:
    """What the store's own node gets from those it knows; GatewayFault when that is nothing."""
    block = await asyncio.to_thread(store.seek, cid)
    if block is None:
        raise GatewayFault(404, f"no IPFS node that it knows has block {cid}")
    return block


async def back_off(attempt: int, limits: TransferLimits) -> None:
    """Wait before a further attempt, twice as long each time."""
    if attempt:
        await asyncio.sleep(limits.backoff_s * 2 ** (attempt - 1))


async def describe_refusal(response: aiohttp.ClientResponse) -> GatewayFault:
    """What a gateway says of its refusal, cut short and made safe to print."""
    said = (await response.content.read(REASON_LENGTH_MAX)).decode(errors="replace")
    reason = "".join(letter for letter in said if letter.isprintable())
    return GatewayFault(response.status, reason or response.reason or "no reason given")


def may_pass(fault: Exception) -> bool:
    """Whether another attempt may find the fault gone."""
    return not isinstance(fault, GatewayFault) or fault.status in PASSING_STATUSES


def describe(fault: Exception) -> str:
    """A fault in words, also where the library gives it none."""
    return str(fault) or f"no answer in time ({type(fault).__name__})"
