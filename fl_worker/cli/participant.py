"""A participant at work: its line to the chain, its memory, its bytes, and whom it talks to."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from app.sdk.client import Client
from app.sdk.protocol import U64, Job, JobRequest, JobStateRequest
from app.sdk.signer import Signer
from app.sdk.text import to_bech32
from fl_worker.blobs.connect import TransferLimits
from fl_worker.blobs.permit import Credentials, RoundTag
from fl_worker.blobs.store import Store
from fl_worker.blobs.transfer import Transfer
from fl_worker.cli.session import (
    JOURNAL_FILE,
    STORE_BYTES,
    connected,
    open_signer,
    open_store,
    own_folder,
)
from fl_worker.cli.settings import Settings
from fl_worker.flower.fab import install_fab
from fl_worker.flower.sandbox import Limits
from fl_worker.local import LocalApp
from fl_worker.posting.push import BASE_ROUND, Pusher
from fl_worker.roles.agent import Chain
from fl_worker.roles.journal import Journal
from fl_worker.roles.peers import Peers
from fl_worker.update.layout import Layout

APPS_FOLDER = "apps"


@dataclass(frozen=True, slots=True)
class Participant:
    """Everything that a key's owner works with; open while its context is."""

    client: Client
    signer: Signer
    chain: Chain
    store: Store
    peers: Peers
    pusher: Pusher
    folder: Path


@asynccontextmanager
async def open_participant(
    settings: Settings, store_bytes: int = STORE_BYTES
) -> AsyncIterator[Participant]:
    """Open the signing key's line to the chain and its folder for a while."""
    signer, folder = open_signer(settings), own_folder(settings)
    limits = TransferLimits(allow_private=settings.allow_private)
    async with AsyncExitStack() as stack:
        client = await stack.enter_async_context(connected(settings))
        transfer = await stack.enter_async_context(Transfer(limits))
        store = open_store(settings, store_bytes)
        stack.callback(store.close)
        journal = Journal(folder / JOURNAL_FILE)
        stack.callback(journal.close)
        credentials = Credentials(
            chain_id=client.chain_id,
            account=to_bech32(signer.address),
            pubkey=signer.pubkey,
            sign=signer.sign_digest,
        )
        yield Participant(
            client=client,
            signer=signer,
            chain=Chain(client, signer, journal),
            store=store,
            peers=Peers(client, store, transfer, signer),
            pusher=Pusher(store, transfer, credentials),
            folder=folder,
        )


async def find_job(client: Client, job_id: int) -> Job:
    """Return a job as the chain has it."""
    job: Job = (await client.query(JobRequest(U64(job_id)))).job
    return job


async def read_model(participant: Participant, job: Job) -> tuple[bytes, Layout]:
    """Return a job's newest model, the bytes that its CID names, and the layout to read it by."""
    tag, work = RoundTag(job.job_id, BASE_ROUND), job.spec.work
    view = await participant.client.query(JobStateRequest(job.job_id))
    endpoints: Sequence[str] = [reader.endpoint for reader in view.readers]
    layout = Layout.from_bytes(await participant.peers.read(work.layout, tag, endpoints))
    return await participant.peers.read(job.model, tag, endpoints), layout


async def fetch_app(
    participant: Participant, job: Job, node_config: dict[str, bool | int | float | str]
) -> tuple[LocalApp, bytes]:
    """Fetch and install a job's app, ready to be tried on one's own data; and its newest model."""
    tag = RoundTag(job.job_id, BASE_ROUND)
    model, layout = await read_model(participant, job)
    fab = await participant.peers.read(job.spec.work.fab, tag)
    app_dir = install_fab(fab, participant.folder / APPS_FOLDER)
    return LocalApp(app_dir, job.spec, layout, (node_config,), Limits()), model
