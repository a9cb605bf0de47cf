"""Handing a posted job's bytes to the readers, from whom workers fetch them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from app.sdk.protocol import Work
from fl_worker.blobs.cids import Blob
from fl_worker.blobs.permit import Credentials, RoundTag
from fl_worker.blobs.store import Store
from fl_worker.blobs.transfer import Transfer
from fl_worker.posting.bundle import Bundle

POSTED_TAG = "posted/{fab_hash}"
BASE_ROUND = 0
"""The round for which readers keep what a job begins with."""


@dataclass(frozen=True, slots=True)
class Reached:
    """What came of pushing to one reader; no error: it holds everything."""

    endpoint: str
    sent_bytes: int
    error: str = ""


@dataclass(frozen=True, slots=True)
class Pusher:
    """Who pushes: from which store, over which connections, in whose name."""

    store: Store
    transfer: Transfer
    credentials: Credentials


def keep_bundle(bundle: Bundle, sealed: Sequence[bytes], store: Store) -> None:
    """Keep what is to be pushed, sealed slices too, so that it can be pushed again."""
    tag = POSTED_TAG.format(fab_hash=bundle.fab.sha256.hex())
    for data in (*bundle.blobs, *sealed):
        store.put_blob(data, tag)


async def push_work(
    work: Work, job_id: int, endpoints: Sequence[str], pusher: Pusher
) -> list[Reached]:
    """Push what a job begins with to readers, all at once; BlobAbsent without it.

    That is its app, its layout, its first model and its sealed slices.
    """
    tag = RoundTag(job_id, BASE_ROUND)
    sent, errors = dict.fromkeys(endpoints, 0), dict.fromkeys(endpoints, "")
    slices = [each.sealed for each in work.validation_slices]
    for shown in (work.fab, work.layout, work.base, *slices):
        blob = Blob(shown.cid, shown.size_bytes)
        left = [endpoint for endpoint in sent if not errors[endpoint]]
        for outcome in await pusher.transfer.push(
            blob, left, pusher.store, pusher.credentials, tag
        ):
            sent[outcome.gateway] += outcome.sent_bytes
            errors[outcome.gateway] = outcome.error
    return [Reached(endpoint, sent[endpoint], errors[endpoint]) for endpoint in sent]
