"""Blobs fetched and pushed over real HTTP, whatever the network and the peers do."""

import asyncio
import random
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from aiohttp import web

from fl_worker.blobs.cids import (
    BLOCK_SIZE_BYTES,
    Blob,
    BlobTooLarge,
    MalformedManifest,
    blob_of,
    cid_of,
)
from fl_worker.blobs.connect import AddressRefused, block_url, is_private
from fl_worker.blobs.gateway import respond
from fl_worker.blobs.permit import PushRequest, Verdict
from fl_worker.blobs.store import BlobAbsent
from fl_worker.blobs.transfer import FetchFailed, WrongSize
from tests.worker.blobs_net import (
    ACCESS,
    LARGE,
    LIMITS,
    SMALL,
    TAG,
    WORKER,
    Net,
    credentials_of,
    open_net,
    unused_url,
)


@pytest.fixture
async def net(tmp_path: Path) -> AsyncIterator[Net]:
    async with open_net(tmp_path) as net:
        yield net


# Fetching.


@pytest.mark.parametrize("data", [b"", SMALL, bytes(BLOCK_SIZE_BYTES), LARGE])
async def test_a_blob_is_fetched_whole(net: Net, data: bytes) -> None:
    reader, store, transfer = await net.reader(), net.store("own"), await net.transfer()
    blob = reader.store.put_blob(data, "tag")
    report = await transfer.fetch(blob, [reader.url], store, "tag")
    assert store.read(blob) == data
    assert report.fetched_bytes >= len(data)
    assert (await transfer.fetch(blob, [], store, "other tag")).fetched_bytes == 0
    assert store.drop("tag") == 0
    assert store.read(blob) == data


async def test_a_cut_connection_goes_on_where_it_stopped(net: Net) -> None:
    block, asked = bytes(range(256)) * 2000, []

    async def cut(request: web.Request) -> web.StreamResponse:
        asked.append(request.headers.get("Range"))
        if len(asked) > 1:
            return respond(request, cid_of(block), block)
        response = web.StreamResponse(headers={"Content-Length": str(len(block))})
        await response.prepare(request)
        await response.write(block[:200_000])
        await asyncio.sleep(0.1)
        assert request.transport
        request.transport.close()
        return response

    store, transfer = net.store("own"), await net.transfer()
    report = await transfer.fetch(blob_of(block), [await net.fake(cut)], store, "tag")
    assert asked == [None, "bytes=200000-"]
    assert store.read(blob_of(block)) == block
    assert report.liars == ()


async def test_a_fetch_that_failed_fetches_only_what_is_missing(net: Net) -> None:
    reader, store, transfer = await net.reader(), net.store("own"), await net.transfer()
    blob = reader.store.put_blob(LARGE, "tag")
    missing = reader.store.cids(blob)[3]
    kept = reader.store.require(missing)
    next(reader.store._path.rglob(missing)).unlink()
    with pytest.raises(FetchFailed, match=missing) as failed:
        await transfer.fetch(blob, [reader.url], store, "tag")
    assert "HTTP 404" in failed.value.report.faults[reader.url]

    reader.store.put(missing, kept, "tag")
    report = await transfer.fetch(blob, [reader.url], store, "tag")
    assert report.fetched_bytes <= len(LARGE) - 2 * BLOCK_SIZE_BYTES
    assert store.read(blob) == LARGE


async def test_a_gateway_that_lies_is_named_and_left(net: Net) -> None:
    asked = []

    async def lie(request: web.Request) -> web.StreamResponse:
        asked.append(request.path)
        return web.Response(body=b"not the bytes")

    liar, reader = await net.fake(lie), await net.reader()
    store, transfer = net.store("own"), await net.transfer()
    blob = reader.store.put_blob(LARGE, "tag")
    report = await transfer.fetch(blob, [liar, reader.url], store, "tag")
    assert report.liars == (liar,)
    assert "are not block" in report.faults[liar]
    assert len(asked) == 1
    assert store.read(blob) == LARGE
    with pytest.raises(FetchFailed) as failed:
        await transfer.fetch(blob_of(b"other"), [liar], store, "tag")
    assert failed.value.report.liars == (liar,)


async def test_a_gateway_that_never_ends_is_left(net: Net) -> None:
    sent = 0

    async def flood(request: web.Request) -> web.StreamResponse:
        nonlocal sent
        response = web.StreamResponse()
        await response.prepare(request)
        while sent < 50 << 20:
            await response.write(bytes(1 << 16))
            sent += 1 << 16
        return response

    store, transfer = net.store("own"), await net.transfer()
    with pytest.raises(FetchFailed, match=f"more than {BLOCK_SIZE_BYTES} bytes"):
        await transfer.fetch(blob_of(SMALL), [await net.fake(flood)], store, "tag")
    assert sent < 40 << 20
    assert store.used_bytes() == 0


async def test_the_next_gateway_is_asked_from_a_start_that_is_given(net: Net) -> None:
    readers = [await net.reader(str(number)) for number in range(3)]
    urls = [unused_url(), *(reader.url for reader in readers)]
    blob = readers[1].store.put_blob(LARGE, "tag")
    transfer = await net.transfer()
    for start, failed in [(0, {0, 1}), (1, {1}), (2, set()), (3, {3, 0, 1}), (6, set())]:
        store = net.store(f"own {start}")
        report = await transfer.fetch(blob, urls, store, "tag", start=start)
        assert set(report.faults) == {urls[number] for number in failed}
        assert report.liars == ()
        assert store.read(blob) == LARGE


async def test_a_gateway_in_passing_trouble_is_asked_again(net: Net) -> None:
    statuses = iter([503, 429, 404])

    async def hesitate(request: web.Request) -> web.StreamResponse:
        status = next(statuses, 200)
        if status == 200:
            return respond(request, cid_of(SMALL), SMALL)
        return web.Response(status=status, text="wait\x1b[2J")

    store, transfer = net.store("own"), await net.transfer()
    report = await transfer.fetch(blob_of(SMALL), [url := await net.fake(hesitate)], store, "tag")
    assert report.faults == {url: "HTTP 404: wait[2J"}
    assert store.read(blob_of(SMALL)) == SMALL


async def test_a_gateway_that_stays_silent_is_left(net: Net) -> None:
    async def wait(request: web.Request) -> web.StreamResponse:
        await asyncio.sleep(3)
        return web.Response()

    limits = replace(LIMITS, silence_timeout_s=0.1, attempts=2)
    transfer = await net.transfer(limits)
    with pytest.raises(FetchFailed, match="imeout"):
        await transfer.fetch(blob_of(SMALL), [await net.fake(wait)], net.store("own"), "tag")


async def test_a_blob_declared_wrongly_is_refused(net: Net) -> None:
    reader, store = await net.reader(), net.store("own")
    transfer = await net.transfer(replace(LIMITS, size_bytes_max=len(LARGE)))
    small, large = reader.store.put_blob(SMALL, "tag"), reader.store.put_blob(LARGE, "tag")
    cases: list[tuple[Blob, type[Exception]]] = [
        (replace(small, size_bytes=len(SMALL) + 1), WrongSize),
        (replace(large, size_bytes=100), WrongSize),
        (replace(small, size_bytes=len(LARGE)), MalformedManifest),
        (replace(large, size_bytes=len(LARGE) - 1), MalformedManifest),
        (replace(large, size_bytes=len(LARGE) + 1), BlobTooLarge),
    ]
    for blob, fault in cases:
        with pytest.raises(fault):
            await transfer.fetch(blob, [reader.url], store, "tag")
    assert not store.is_held(small.cid, "other")


async def test_packed_bytes_are_never_unpacked(net: Net) -> None:
    async def pack(request: web.Request) -> web.StreamResponse:
        response = web.Response(body=bytes(100 << 20))
        response.enable_compression(web.ContentCoding.gzip)
        return response

    transfer = await net.transfer()
    url = await net.fake(pack)
    with pytest.raises(FetchFailed) as failed:
        await transfer.fetch(blob_of(SMALL), [url], net.store("own"), "tag")
    assert failed.value.report.liars == (url,)


# Pushing.


async def test_a_blob_is_pushed_to_every_reader(net: Net) -> None:
    readers = [await net.reader(str(number)) for number in range(6)]
    store, transfer = net.store("own"), await net.transfer()
    for data in (SMALL, LARGE):
        blob = store.put_blob(data, "tag")
        outcomes = await transfer.push(blob, [r.url for r in readers], store, WORKER, TAG)
        assert [(o.gateway, o.error) for o in outcomes] == [(r.url, "") for r in readers]
        assert all(outcome.sent_bytes >= len(data) for outcome in outcomes)
        assert all(reader.store.read(blob) == data for reader in readers)
    assert all(reader.store.tags() == [str(TAG)] for reader in readers)
    for reader in readers:
        reader.store.drop(str(TAG))
        assert reader.store.used_bytes() == 0


async def test_a_push_sends_only_what_is_missing(net: Net) -> None:
    reader, store, transfer = await net.reader(), net.store("own"), await net.transfer()
    blob = store.put_blob(LARGE, "tag")
    await transfer.push(blob, [reader.url], store, WORKER, TAG)
    missing = reader.store.cids(blob)[2]
    next(reader.store._path.rglob(missing)).write_bytes(b"damaged")
    (outcome,) = await transfer.push(blob, [reader.url], store, WORKER, TAG)
    assert outcome.error == ""
    assert BLOCK_SIZE_BYTES < outcome.sent_bytes < BLOCK_SIZE_BYTES + 1000
    assert reader.store.read(blob) == LARGE


async def test_each_reader_has_its_own_outcome(net: Net) -> None:
    async def refuse(request: web.Request) -> web.StreamResponse:
        assert request.headers["Authorization"]
        raise web.HTTPFound("http://elsewhere.example/")

    good, small = await net.reader("good"), await net.reader("small", quota_bytes=4096)
    strict = await net.reader("strict", peer_quota_bytes=2 * BLOCK_SIZE_BYTES)
    closed, dead, redirect = (
        await net.reader("c", access=None),
        unused_url(),
        await net.fake(refuse),
    )
    urls = [good.url, small.url, strict.url, closed.url, dead, redirect, "ftp://reader"]
    store, transfer = net.store("own"), await net.transfer()
    outcomes = await transfer.push(store.put_blob(LARGE, "tag"), urls, store, WORKER, TAG)
    reasons = ["", "HTTP 507", f"{WORKER.account} holds", "HTTP 403", "Cannot connect"]
    for outcome, reason in zip(outcomes, [*reasons, "HTTP 302", "no plain URL"]):
        assert reason in outcome.error
        assert bool(outcome.error) == bool(reason)


async def test_many_workers_push_at_once(net: Net) -> None:
    async def anyone(request: PushRequest) -> Verdict:
        return Verdict(True)

    reader = await net.reader(access=replace(ACCESS, authorize=anyone))
    store, transfer = net.store("own"), await net.transfer(replace(LIMITS, blocks_at_once=16))
    workers = [credentials_of(f"worker {number}") for number in range(16)]
    blobs = [store.put_blob(random.Random(n).randbytes(80_000), "tag") for n in range(16)]
    outcomes = await asyncio.gather(
        *(transfer.push(b, [reader.url], store, w, TAG) for b, w in zip(blobs, workers))
    )
    assert [outcome.error for (outcome,) in outcomes] == [""] * 16
    assert all(reader.store.read(blob) == store.read(blob) for blob in blobs)
    assert {reader.store.used_bytes(worker.account) for worker in workers} == {81_920}


async def test_a_push_of_what_is_not_here_is_refused(net: Net) -> None:
    store, transfer = net.store("own"), await net.transfer()
    with pytest.raises(BlobAbsent, match="fetch its blob again"):
        await transfer.push(blob_of(LARGE), [unused_url()], store, WORKER, TAG)


# Private addresses.


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "0.0.0.0", "10.1.2.3"])
async def test_nobody_connects_to_a_private_address_unless_told_to(net: Net, host: str) -> None:
    reader, store = await net.reader(), net.store("own")
    url = f"http://{host}:{reader.url.rsplit(':', 1)[1]}"
    transfer = await net.transfer(replace(LIMITS, allow_private=False, attempts=1))
    with pytest.raises(FetchFailed, match="is private: set allow_private"):
        await transfer.fetch(reader.store.put_blob(SMALL, "tag"), [url], store, "tag")
    (outcome,) = await transfer.push(store.put_blob(SMALL, "tag"), [url], store, WORKER, TAG)
    assert "is private: set allow_private" in outcome.error
    assert reader.store.tags() == ["tag"]


@pytest.mark.parametrize("spelling", ["2130706433", "127.1", "0x7f.1"])
async def test_a_number_that_means_a_private_address_is_refused(net: Net, spelling: str) -> None:
    reader = await net.reader()
    blob = reader.store.put_blob(SMALL, "tag")
    url = reader.url.replace("127.0.0.1", spelling)
    transfer = await net.transfer(replace(LIMITS, allow_private=False, attempts=1))
    with pytest.raises(FetchFailed):
        await transfer.fetch(blob, [url], net.store("own"), "tag")


PRIVATE = """127.0.0.1 127.9.9.9 10.0.0.1 172.16.0.1 192.168.1.1 169.254.169.254 100.64.0.1
    0.0.0.0 224.0.0.1 255.255.255.255 192.0.2.1 ::1 :: fe80::1 fe80::1%eth0 fc00::1 ff02::1
    ::ffff:127.0.0.1 ::ffff:10.0.0.1 ::127.0.0.1 2002:7f00:1:: 64:ff9b::7f00:1"""
PUBLIC = "8.8.8.8 1.1.1.1 2606:4700::1111 ::ffff:8.8.8.8 64:ff9b::808:808"


def test_private_is_whatever_is_not_the_public_internet() -> None:
    assert [address for address in PRIVATE.split() if not is_private(address)] == []
    assert [address for address in PUBLIC.split() if is_private(address)] == []


NO_PLAIN_URLS = """reader ftp://reader file:///etc http:// http://a:b@reader http://r?x=1 http://r#f
    http://reader:99999 http://[::1"""


@pytest.mark.parametrize("gateway", ["", *NO_PLAIN_URLS.split()])
def test_a_gateway_is_a_plain_url(gateway: str) -> None:
    with pytest.raises(AddressRefused, match="no plain URL"):
        block_url(gateway, cid_of(SMALL))


def test_a_gateway_may_lie_under_a_path() -> None:
    for gateway in ("https://reader.example/blobs", "https://reader.example/blobs/"):
        expected = f"https://reader.example/blobs/ipfs/{cid_of(SMALL)}"
        assert str(block_url(gateway, cid_of(SMALL))) == expected
