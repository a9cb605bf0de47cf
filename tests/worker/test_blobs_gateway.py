"""A gateway over real HTTP: what it serves, whom it lets push, and what it bears."""

import asyncio
import base64
import errno
import json
import logging
import socket
import threading
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path

import aiohttp
import pytest

from fl_worker.blobs.cids import BLOCK_SIZE_BYTES, cid_of
from fl_worker.blobs.gateway import Gateway, GatewayLimits
from fl_worker.blobs.permit import (
    LIFE_S_MAX,
    Credentials,
    PushRequest,
    RoundTag,
    Verdict,
    sign_permit,
)
from tests.worker.blobs_net import (
    ACCESS,
    SMALL,
    TAG,
    WORKER,
    Net,
    Reader,
    credentials_of,
    open_net,
)


@pytest.fixture
async def net(tmp_path: Path) -> AsyncIterator[Net]:
    async with open_net(tmp_path) as net:
        yield net


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(auto_decompress=False) as session:
        yield session


# What a trustless gateway answers.


async def test_a_block_is_served_as_a_trustless_gateway_serves_it(
    net: Net, http: aiohttp.ClientSession
) -> None:
    reader = await net.reader()
    cid = reader.store.put_blob(SMALL, "tag").cid
    asked = [("?format=raw", {}), ("", {"Accept": "application/vnd.ipld.raw"})]
    for query, accept in asked:
        for method in ("GET", "HEAD"):
            url = f"{reader.url}/ipfs/{cid}{query}"
            async with http.request(method, url, headers=accept) as response:
                assert response.status == 200
                assert await response.read() == (SMALL if method == "GET" else b"")
                headers = response.headers
    assert headers["Content-Length"] == str(len(SMALL))
    assert headers["Content-Type"] == "application/vnd.ipld.raw"
    assert headers["ETag"] == f'"{cid}.raw"'
    assert headers["Cache-Control"] == "public, max-age=29030400, immutable"
    assert headers["X-Ipfs-Path"] == f"/ipfs/{cid}"
    assert headers["X-Content-Type-Options"] == "nosniff"
    async with http.get(f"{reader.url}/healthz") as response:
        assert await response.json() == {"status": "ok"}


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        (f"/ipfs/{cid_of(SMALL)}", {}, 406),
        (f"/ipfs/{cid_of(SMALL)}?format=car", {}, 406),
        (f"/ipfs/{cid_of(SMALL)}?format=raw", {"If-None-Match": f'"{cid_of(SMALL)}.raw"'}, 304),
        (f"/ipfs/{cid_of(SMALL)}?format=raw&job=7&round=3", {}, 404),
        (f"/ipfs/{cid_of(SMALL)}?format=raw&job=7&round=-3", {}, 400),
        (f"/ipfs/{cid_of(SMALL)}?format=raw&job=7&round=99999999999", {}, 400),
        (f"/ipfs/{cid_of(b'other')}?format=raw", {}, 404),
        (f"/ipfs/{cid_of(SMALL).upper()}?format=raw", {}, 400),
        ("/ipfs/QmYwAPJzv5CZsnA625s3Xf2nemtYgPpHdWEz79ojWnPbdG?format=raw", {}, 400),
        ("/ipfs/..%2f..%2findex.sqlite?format=raw", {}, 400),
        ("/", {}, 404),
    ],
)
async def test_every_other_question_has_its_status(
    net: Net, http: aiohttp.ClientSession, path: str, headers: dict[str, str], status: int
) -> None:
    reader = await net.reader()
    reader.store.put_blob(SMALL, "tag")
    async with http.get(reader.url + path, headers=headers) as response:
        assert response.status == status


@pytest.mark.parametrize(
    ("asked", "status", "span"),
    [
        ("bytes=2-", 206, slice(2, None)),
        ("bytes=2-4", 206, slice(2, 5)),
        ("bytes=-4", 206, slice(-4, None)),
        ("bytes=0-999", 206, slice(None)),
        ("bytes=12-", 416, slice(0, 0)),
        ("bytes=2-4,6-8", 200, slice(None)),
        ("lines=1-2", 200, slice(None)),
    ],
)
async def test_a_range_of_a_block_is_served(
    net: Net, http: aiohttp.ClientSession, asked: str, status: int, span: slice
) -> None:
    reader = await net.reader()
    url = f"{reader.url}/ipfs/{reader.store.put_blob(SMALL, 'tag').cid}?format=raw"
    async with http.get(url, headers={"Range": asked}) as response:
        assert response.status == status
        assert await response.read() == SMALL[span]
        if status == 206:
            start, stop, _ = span.indices(len(SMALL))
            assert response.headers["Content-Range"] == f"bytes {start}-{stop - 1}/{len(SMALL)}"


# Who may push what.


def put_url(reader: Reader, block: bytes, query: str = "job=7&round=3") -> str:
    return f"{reader.url}/ipfs/{cid_of(block)}?{query}"


def permit(credentials: Credentials = WORKER, block: bytes = SMALL, **other: int) -> dict[str, str]:
    tag = RoundTag(other.get("job", TAG.job_id), other.get("round", TAG.round))
    expires_unix_s = int(time.time()) + other.get("life_s", 60)
    return {"Authorization": sign_permit(credentials, cid_of(block), tag, expires_unix_s)}


def tampered(**fields: object) -> dict[str, str]:
    signed = json.loads(base64.b64decode(permit()["Authorization"].split()[1]))
    return {
        "Authorization": "Pollen " + base64.b64encode(json.dumps(signed | fields).encode()).decode()
    }


async def test_a_push_with_a_permit_is_kept_under_its_round(
    net: Net, http: aiohttp.ClientSession
) -> None:
    reader = await net.reader()
    for _ in range(2):
        async with http.put(put_url(reader, SMALL), data=SMALL, headers=permit()) as response:
            assert response.status == 201
    assert reader.store.is_held(cid_of(SMALL), "job/7/round/3")
    assert reader.store.used_bytes(WORKER.account) == 4096
    async with http.head(put_url(reader, SMALL, "format=raw&job=7&round=3")) as response:
        assert response.status == 200
    async with http.head(put_url(reader, SMALL, "format=raw&job=7&round=4")) as response:
        assert response.status == 404


OTHER_CHAIN = replace(WORKER, chain_id="pollen-other")
OTHERS_ACCOUNT = replace(credentials_of("thief"), account=WORKER.account)


@pytest.mark.parametrize(
    ("make_headers", "status", "reason"),
    [
        (dict, 401, "no permit"),
        (lambda: {"Authorization": "Basic dXNlcjpwYXNz"}, 401, "no permit"),
        (lambda: {"Authorization": "Pollen ünicode"}, 401, "isn't base64"),
        (
            lambda: {"Authorization": "Pollen " + base64.b64encode(b"[" * 3000).decode()},
            401,
            "no permit",
        ),
        (lambda: tampered(job=True), 401, "no permit"),
        (lambda: tampered(extra=1), 401, "no permit"),
        (lambda: tampered(expires_unix_s=int(time.time()) + 3000), 401, "not signed by"),
        (lambda: tampered(pubkey="AAAA"), 401, "have 3 and 64 bytes"),
        (lambda: tampered(pubkey=base64.b64encode(bytes(33)).decode()), 401, "not signed by"),
        (lambda: permit(OTHER_CHAIN), 401, "not signed by"),
        (lambda: permit(OTHERS_ACCOUNT), 401, "not signed by"),
        (lambda: permit(block=b"another block"), 401, "sign one for each block"),
        (lambda: permit(round=4), 401, "sign one for each block"),
        (lambda: permit(life_s=0), 401, "sign a new one"),
        (lambda: permit(life_s=LIFE_S_MAX + 60), 401, "sign a new one"),
        (lambda: permit(credentials_of("stranger")), 403, "not drawn for that round"),
    ],
)
async def test_a_push_without_the_right_permit_is_refused(
    net: Net,
    http: aiohttp.ClientSession,
    make_headers: Callable[[], dict[str, str]],
    status: int,
    reason: str,
) -> None:
    reader = await net.reader()
    headers = make_headers()
    async with http.put(put_url(reader, SMALL), data=SMALL, headers=headers) as response:
        assert response.status == status
        assert reason in await response.text()
        assert ("WWW-Authenticate" in response.headers) == (status == 401)
    assert reader.store.used_bytes() == 0


async def test_only_the_bytes_that_were_named_are_kept(
    net: Net, http: aiohttp.ClientSession
) -> None:
    reader = await net.reader()
    long = bytes(BLOCK_SIZE_BYTES + 1)
    whole = bytes(BLOCK_SIZE_BYTES)

    async def chunked() -> AsyncIterator[bytes]:
        yield SMALL

    cases = [
        (SMALL, b"other bytes", 400),
        (SMALL, chunked(), 411),
        (long, long, 413),
        (whole, whole, 201),
    ]
    for block, data, status in cases:
        headers = permit(block=block)
        async with http.put(put_url(reader, block), data=data, headers=headers) as response:
            assert response.status == status, await response.text()
    assert reader.store.used_bytes() == BLOCK_SIZE_BYTES


async def test_a_gateway_without_access_only_serves(net: Net, http: aiohttp.ClientSession) -> None:
    reader = await net.reader(access=None)
    async with http.put(put_url(reader, SMALL), data=SMALL, headers=permit()) as response:
        assert response.status == 403


# Slow and greedy peers.


async def test_a_peer_that_sends_too_slowly_is_cut_off(net: Net) -> None:
    reader = await net.reader(limits=GatewayLimits(request_timeout_s=0.2, idle_timeout_s=0.2))
    port = int(reader.url.rsplit(":", 1)[1])
    header = permit()["Authorization"]
    starts = [
        (b"GET /healthz HTT", b""),
        (
            f"PUT /ipfs/{cid_of(SMALL)}?job=7&round=3 HTTP/1.1\r\nHost: reader\r\nAuthorization: "
            f"{header}\r\nContent-Length: {len(SMALL)}\r\n\r\na sm".encode(),
            b"HTTP/1.1 408",
        ),
    ]
    for sent, answer in starts:
        incoming, outgoing = await asyncio.open_connection("127.0.0.1", port)
        outgoing.write(sent)
        assert (await asyncio.wait_for(incoming.read(12), 5)) == answer
        outgoing.close()
    assert reader.store.used_bytes() == 0


async def test_a_peer_that_reads_too_slowly_is_cut_off(net: Net) -> None:
    reader = await net.reader(limits=GatewayLimits(request_timeout_s=0.3))
    cid = reader.store.put_blob(bytes(BLOCK_SIZE_BYTES), "tag").cid
    with socket.socket() as slow:
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        slow.setblocking(False)
        loop = asyncio.get_running_loop()
        await loop.sock_connect(slow, ("127.0.0.1", int(reader.url.rsplit(":", 1)[1])))
        # Answers that nobody reads fill the buffers of the system, and then the gateway waits.
        ask = f"GET /ipfs/{cid}?format=raw HTTP/1.1\r\nHost: reader\r\n\r\n".encode()
        await loop.sock_sendall(slow, ask * 16)
        await asyncio.sleep(0.8)
        await loop.sock_sendall(slow, b"to a gateway that has hung up")
        await asyncio.sleep(0.2)
        assert slow.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == errno.ECONNRESET


async def test_a_peer_that_has_gone_is_no_fault(
    net: Net, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    reader = await net.reader()
    cid = reader.store.put_blob(SMALL, "tag").cid
    is_asked, may_answer, find = threading.Event(), threading.Event(), reader.store.get

    def find_slowly(cid: str) -> bytes | None:
        is_asked.set()
        may_answer.wait(5)
        return find(cid)

    monkeypatch.setattr(reader.store, "get", find_slowly)
    _, outgoing = await asyncio.open_connection("127.0.0.1", int(reader.url.rsplit(":", 1)[1]))
    outgoing.write(f"GET /ipfs/{cid}?format=raw HTTP/1.1\r\nHost: reader\r\n\r\n".encode())
    await asyncio.to_thread(is_asked.wait, 5)
    outgoing.transport.abort()
    await asyncio.sleep(0.1)
    may_answer.set()
    await asyncio.sleep(0.2)
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []


async def test_a_peer_has_only_so_many_requests_at_once(
    net: Net, http: aiohttp.ClientSession
) -> None:
    may_end = asyncio.Event()

    async def slow(request: PushRequest) -> Verdict:
        await may_end.wait()
        return Verdict(True)

    limits = GatewayLimits(requests_per_peer_max=2)
    reader = await net.reader(access=replace(ACCESS, authorize=slow), limits=limits)

    async def push() -> int:
        async with http.put(put_url(reader, SMALL), data=SMALL, headers=permit()) as response:
            return response.status

    pushes = [asyncio.create_task(push()) for _ in range(2)]
    await asyncio.sleep(0.2)
    async with http.get(f"{reader.url}/healthz") as response:
        assert response.status == 429
        assert response.headers["Retry-After"] == "1"
    may_end.set()
    assert await asyncio.gather(*pushes) == [201, 201]
    async with http.get(f"{reader.url}/healthz") as response:
        assert response.status == 200


# Where it listens.


async def test_an_address_that_somebody_has_is_refused_with_words(net: Net) -> None:
    reader = await net.reader()
    host, port = reader.url.removeprefix("http://").split(":")
    gateway = Gateway(reader.store, ACCESS)
    with pytest.raises(
        OSError, match=f"^listen on 127.0.0.1:{port}: address already in use; choose"
    ):
        await gateway.start(host, int(port))
    await gateway.stop()
