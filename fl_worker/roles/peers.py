"""Where a participant gets bytes from and sends them to: the readers' registered endpoints."""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections.abc import Sequence

from app.sdk.client import Client
from app.sdk.protocol import (
    U32,
    Address,
    JobStateResponse,
    RegistrationsRequest,
    Role,
    RoundState,
)
from app.sdk.protocol import Blob as ChainBlob
from app.sdk.signer import Signer
from app.sdk.text import to_bech32
from fl_worker.blobs.cids import Blob
from fl_worker.blobs.permit import Credentials, RoundTag
from fl_worker.blobs.store import BlobAbsent, Store
from fl_worker.blobs.transfer import FetchFailed, Transfer

log = logging.getLogger("pollen")

READER_ROLES = (Role.AGGREGATOR, Role.EVALUATOR)
STRAGGLERS_S_MIN = 1.0
READERS_MAX = U32(1_000)


class Peers:
    """Fetches into one store and pushes from it."""

    def __init__(self, client: Client, store: Store, transfer: Transfer, signer: Signer) -> None:
        self._client = client
        self._store = store
        self._transfer = transfer
        self._me = signer.address
        self._credentials = Credentials(
            chain_id=client.chain_id,
            account=to_bech32(signer.address),
            pubkey=signer.pubkey,
            sign=signer.sign_digest,
        )

    def endpoints(self, view: JobStateResponse, state: RoundState) -> list[str]:
        """Return the endpoints of a round's other readers, in the round's order."""
        registered = {each.participant: each.endpoint for each in view.readers}
        others = [each.participant for each in state.readers if each.participant != self._me]
        return [registered[participant] for participant in others]

    def last_endpoints(self, view: JobStateResponse) -> list[str]:
        """Return the endpoints of a job's last readers, of those rounds that its state shows."""
        return self.endpoints(view, view.rounds[-1]) if view.rounds else []

    async def all_endpoints(self) -> list[str]:
        """Return the endpoints of everyone else who is registered to read."""
        found = []
        for role in READER_ROLES:
            request = RegistrationsRequest(role, Address(b""), READERS_MAX)
            response = await self._client.query(request)
            readers = [each for each in response.registrations if not each.paused]
            found += [each.endpoint for each in readers if each.participant != self._me]
        return found

    async def read(self, shown: ChainBlob, tag: RoundTag, endpoints: Sequence[str] = ()) -> bytes:
        """Return a blob's bytes: from the store, else from these readers, else from any reader."""
        blob = Blob(shown.cid, shown.size_bytes)
        try:
            return await asyncio.to_thread(self._store.read, blob)
        except BlobAbsent:
            await self._fetch(blob, tag, endpoints)
            return await asyncio.to_thread(self._store.read, blob)

    async def _fetch(self, blob: Blob, tag: RoundTag, endpoints: Sequence[str]) -> None:
        """Bring a blob into the store, from these readers or, where they fail, from any other."""
        try:
            await self._fetch_from(blob, tag, endpoints or await self.all_endpoints())
        except FetchFailed:
            others = [each for each in await self.all_endpoints() if each not in endpoints]
            if not endpoints or not others:
                raise
            await self._fetch_from(blob, tag, others)

    async def _fetch_from(self, blob: Blob, tag: RoundTag, gateways: Sequence[str]) -> None:
        start = secrets.randbelow(len(gateways)) if gateways else 0
        report = await self._transfer.fetch(blob, gateways, self._store, str(tag), start=start)
        for liar in report.liars:
            log.warning("%s served wrong bytes for %s", liar, blob.cid)

    async def push(self, shown: ChainBlob, tag: RoundTag, endpoints: Sequence[str]) -> int:
        """Push a blob to readers at once; return how many hold it now.

        Once a majority does, who can hand it on, the others have as long again.
        """
        blob, began_s = Blob(shown.cid, shown.size_bytes), time.monotonic()
        pushes = [asyncio.create_task(self._push_to(blob, tag, each)) for each in endpoints]
        reached = 0
        try:
            for push in asyncio.as_completed(pushes):
                reached += await push
                if 2 * reached > len(pushes):
                    break
            took_s = time.monotonic() - began_s
            await asyncio.wait(pushes, timeout=max(took_s, STRAGGLERS_S_MIN))
        finally:
            for push in pushes:
                push.cancel()
            outcomes = await asyncio.gather(*pushes, return_exceptions=True)
        return outcomes.count(True)

    async def _push_to(self, blob: Blob, tag: RoundTag, endpoint: str) -> bool:
        """Push a blob to one reader; whether it holds it."""
        (outcome,) = await self._transfer.push(
            blob, [endpoint], self._store, self._credentials, tag
        )
        if outcome.error:
            log.warning("%s took nothing: %s", endpoint, outcome.error)
        return not outcome.error
