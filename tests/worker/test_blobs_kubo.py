"""Blobs in real IPFS nodes: shared, handed on, given back, and what goes wrong with a node."""

import asyncio
import random
import signal
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from aiohttp import ClientSession, web

from fl_worker.blobs import kubo
from fl_worker.blobs.cids import BLOCK_SIZE_BYTES, Blob, blob_of, cid_of
from fl_worker.blobs.kubo import NotANode
from fl_worker.blobs.store import Store, StoreUnusable
from fl_worker.blobs.transfer import FetchFailed
from tests.worker.blobs_net import (
    LIMITS,
    TAG,
    WORKER,
    Net,
    Place,
    open_net,
    put,
    unused_url,
)
from tests.worker.ipfs_net import IpfsNode, running_node

CHANCE = random.Random(7)
ONCE = replace(LIMITS, attempts=1)
Nodes = tuple[IpfsNode, IpfsNode]


@pytest.fixture
async def net(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Net]:
    monkeypatch.setattr(kubo, "SEEK_S", 0.5)
    async with open_net(tmp_path) as net:
        yield net


def fresh(size_bytes: int) -> bytes:
    """Bytes that no node has yet."""
    return CHANCE.randbytes(size_bytes)


def all_cids(store: Store, blob: Blob) -> set[str]:
    return {blob.cid, *store.cids(blob)}


# What one pins, another reads.


async def test_another_reads_through_its_own_node_what_one_pins(
    net: Net, ipfs_nodes: Nodes
) -> None:
    one, other = ipfs_nodes
    data = fresh(2 * BLOCK_SIZE_BYTES + 8)
    mine, theirs = net.store("mine", one), net.store("theirs", other)
    blob = mine.put_blob(data, "tag")
    assert blob == blob_of(data) == net.store("folder").put_blob(data, "tag")
    assert all_cids(mine, blob) <= one.pinned()

    report = await (await net.transfer()).fetch(blob, [], theirs, "tag")
    assert theirs.read(blob) == data
    assert (report.liars, report.faults) == ((), {})
    assert all_cids(mine, blob) <= other.pinned()


async def test_another_reads_through_our_gateway_what_one_pins(net: Net, ipfs_nodes: Nodes) -> None:
    reader, folder = await net.reader(node=ipfs_nodes[0]), net.store("folder")
    data = fresh(BLOCK_SIZE_BYTES + 8)
    blob = reader.store.put_blob(data, "tag")
    await (await net.transfer()).fetch(blob, [reader.url], folder, "tag")
    assert folder.read(blob) == data


async def test_a_gateway_serves_nothing_of_its_node_but_what_it_was_given(
    net: Net, ipfs_nodes: Nodes, tmp_path: Path
) -> None:
    own = tmp_path / "own"
    own.write_bytes(fresh(1000))
    cid = ipfs_nodes[0].ipfs("block", "put", "--pin", str(own)).strip()
    assert cid == cid_of(own.read_bytes())
    reader = await net.reader(node=ipfs_nodes[0])
    async with ClientSession() as session, session.get(f"{reader.url}/ipfs/{cid}?format=raw") as no:
        assert no.status == 404


async def test_a_push_into_a_node_and_on_to_a_folder_keeps_the_cids(
    net: Net, ipfs_nodes: Nodes
) -> None:
    one, other = ipfs_nodes
    worker, reader = net.store("worker", one), await net.reader(node=other)
    data = fresh(BLOCK_SIZE_BYTES + 8)
    blob = worker.put_blob(data, str(TAG))
    (outcome,) = await (await net.transfer()).push(blob, [reader.url], worker, WORKER, TAG)
    assert outcome.error == ""
    assert reader.store.read(blob) == data
    assert reader.store.used_bytes(WORKER.account) == reader.store.used_bytes()
    assert all_cids(worker, blob) <= other.pinned()


async def test_any_ipfs_gateway_is_good_for_reading(net: Net, ipfs_nodes: Nodes) -> None:
    blob = net.store("mine", ipfs_nodes[0]).put_blob(data := fresh(BLOCK_SIZE_BYTES + 8), "tag")
    folder = net.store("folder")
    await (await net.transfer()).fetch(blob, [ipfs_nodes[0].gateway_url], folder, "tag")
    assert folder.read(blob) == data


async def test_a_fetch_that_was_cut_off_goes_on_where_it_stopped(
    net: Net, ipfs_nodes: Nodes
) -> None:
    source, store, transfer = await net.reader(), net.store("own", ipfs_nodes[0]), net.transfer
    blob = source.store.put_blob(data := fresh(3 * BLOCK_SIZE_BYTES + 8), "tag")
    *_, last = source.store.cids(blob)
    Place(source.store._path).file_of(last).write_bytes(b"damaged")
    with pytest.raises(FetchFailed, match=f"{last} can't be had.*no IPFS node that it knows"):
        await (await transfer(ONCE)).fetch(blob, [source.url], store, "tag")
    put(source.store, data[-8:])
    report = await (await transfer()).fetch(blob, [source.url], store, "tag")
    assert report.fetched_bytes == 8
    assert store.read(blob) == data


# Damaged and false bytes.


async def test_bytes_that_were_damaged_in_a_node_get_nowhere(net: Net, ipfs_nodes: Nodes) -> None:
    one, other = ipfs_nodes
    reader, folder, theirs = await net.reader(node=one), net.store("f"), net.store("t", other)
    blob = reader.store.put_blob(fresh(5000), "tag")
    transfer = await net.transfer(ONCE)
    one.file_of(blob.cid).write_bytes(b"damaged")
    with pytest.raises(FetchFailed, match=r"HTTP 404.*is not here"):
        await transfer.fetch(blob, [reader.url], folder, "tag")
    with pytest.raises(FetchFailed, match="no IPFS node that it knows has block"):
        await transfer.fetch(blob, [], theirs, "tag")
    assert (reader.store.tags(), reader.store.used_bytes()) == ([], 0)


async def test_a_node_that_lies_is_not_believed(net: Net) -> None:
    async def lie(request: web.Request) -> web.StreamResponse:
        return web.Response(body=b"lie" if request.path.endswith("/block/get") else b"")

    url = await net.fake(lie, "/api/v0/{command:.*}")
    blocks = kubo.KuboBlocks(url, net.path / "own")
    store = await asyncio.to_thread(Store, net.path / "own", blocks, 1 << 20)
    net.stack.callback(store.close)
    with pytest.raises(FetchFailed, match="3 bytes are not block"):
        await (await net.transfer()).fetch(blob_of(b"truth"), [], store, "tag")
    with pytest.raises(StoreUnusable, match="not as an IPFS node's RPC does"):
        await asyncio.to_thread(put, store, b"truth")
    assert (store.tags(), store.used_bytes()) == ([], 0)


# Giving back.


def test_what_is_dropped_is_unpinned_and_collected(ipfs_nodes: Nodes, tmp_path: Path) -> None:
    node, _ = ipfs_nodes
    store = Place(tmp_path, node).open()
    gone, kept = fresh(1000), fresh(1000)
    put(store, gone, "job/7/round/1")
    put(store, kept, "job/7/round/1")
    put(store, kept, "job/7/round/2")
    store.drop("job/7/round/1")
    assert {cid_of(gone), cid_of(kept)} & node.pinned() == {cid_of(kept)}
    node.ipfs("repo", "gc", "--quiet")
    assert (node.has(cid_of(gone)), store.get(cid_of(kept))) == (False, kept)
    store.drop("job/7/round/2")
    assert cid_of(kept) not in node.pinned()


def test_who_shares_a_node_loses_nothing_that_another_gives_back(
    ipfs_nodes: Nodes, tmp_path: Path
) -> None:
    node, _ = ipfs_nodes
    mine, theirs = (Place(tmp_path / name, node).open() for name in ("mine", "theirs"))
    (tmp_path / "owner's").write_bytes(owners := fresh(1000))
    node.ipfs("block", "put", "--pin", str(tmp_path / "owner's"))
    for block in (shared := fresh(1000), owners):
        put(mine, block)
    put(theirs, shared)
    mine.drop("tag")
    node.ipfs("repo", "gc", "--quiet")
    assert theirs.get(cid_of(shared)) == shared
    assert node.has(cid_of(owners))


def test_a_start_forgets_what_was_unpinned_and_unpins_what_was_forgotten(
    ipfs_nodes: Nodes, tmp_path: Path
) -> None:
    node, _ = ipfs_nodes
    place = Place(tmp_path, node)
    store = place.open()
    kept, lost = put(store, fresh(1000)), put(store, fresh(1000))
    blocks = place.blocks()
    blocks.write(stray := cid_of(b"stray"), b"stray")
    blocks.remove([lost])
    store.close()
    again = place.open()
    assert (again.used_bytes(), place.blocks().cids()) == (4096, {kept})
    assert again.get(lost) is None
    assert stray not in node.pinned()


def test_pins_say_whose_they_are(ipfs_nodes: Nodes, tmp_path: Path) -> None:
    node, _ = ipfs_nodes
    cid = put(Place(tmp_path, node).open(), fresh(1000))
    name = f"pollen-{(tmp_path / 'number').read_bytes().hex()}"
    (pin,) = node.ipfs("pin", "ls", "--type=recursive", f"--name={name}").splitlines()
    assert cid in node.ipfs("dag", "get", pin.split()[0])


# A node that is away, or isn't one.


async def test_a_node_that_is_down_is_named_and_may_come_back(net: Net, tmp_path: Path) -> None:
    with running_node(tmp_path / "node") as node:
        reader = await net.reader(node=node)
        store, block = reader.store, fresh(1000)
        cid = put(store, block)
        node.stop()
        advice = rf"node at {node.url} doesn't answer \(.*refused\): start it \(ipfs daemon\)"
        for attempt in (lambda: put(store, b"more"), lambda: store.get(cid)):
            with pytest.raises(StoreUnusable, match=advice):
                attempt()
        with pytest.raises(StoreUnusable, match=advice):
            store.drop("tag")
        with pytest.raises(StoreUnusable, match=advice):
            Place(tmp_path / "new", node).open()
        wanted = f"{reader.url}/ipfs/{cid}?format=raw"
        async with ClientSession() as session, session.get(wanted) as answer:
            assert answer.status == 503
            assert await answer.text() == "out of order: try another gateway"
        node.start()
        assert (store.tags(), store.get(cid)) == (["tag"], block)
        store.drop("tag")
        assert cid not in node.pinned()


def test_a_node_that_hangs_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with running_node(tmp_path / "node") as node:
        store = Place(tmp_path, node).open()
        cid = put(store, block := fresh(1000))
        assert node.daemon
        node.daemon.send_signal(signal.SIGSTOP)
        with monkeypatch.context() as patch:
            patch.setattr(kubo, "TIMEOUT_S", 0.1)
            patch.setattr(kubo, "SLACK_S", 0.1)
            with pytest.raises(StoreUnusable, match=r"doesn't answer \(timed out\)"):
                store.get(cid)
        node.daemon.send_signal(signal.SIGCONT)
        assert store.get(cid) == block


async def test_what_a_slow_node_has_is_not_forgotten(net: Net) -> None:
    async def be_slow(request: web.Request) -> web.StreamResponse:
        return web.json_response({"Message": "context deadline exceeded"}, status=500)

    blocks = kubo.KuboBlocks(await net.fake(be_slow, "/api/v0/{command:.*}"), net.path)
    with pytest.raises(StoreUnusable, match=r"can't do block/get \(context deadline exceeded\)"):
        await asyncio.to_thread(blocks.read, cid_of(b"slow"))
    assert await asyncio.to_thread(blocks.seek, cid_of(b"slow")) is None


def test_what_is_no_node_is_said_to_be_none(ipfs_nodes: Nodes, tmp_path: Path) -> None:
    url = ipfs_nodes[0].gateway_url
    with pytest.raises(StoreUnusable, match=rf"{url} answers pin/ls, but.*ipfs config Addresses"):
        Store(tmp_path, kubo.KuboBlocks(url, tmp_path), 1 << 20)
    for text in ("/ip4/127.0.0.1/tcp/5001", "127.0.0.1:5001", "ftp://node", "http://", "x"):
        with pytest.raises(NotANode, match=r"give one such as http://127\.0\.0\.1:5001"):
            kubo.parse_node(text)
    for text in ("http://a:b@node", "http://node/api/v0", "http://node:99999", "http://node?x=1"):
        with pytest.raises(NotANode, match="is not the address of an IPFS node's RPC"):
            kubo.parse_node(text)
    assert kubo.parse_node("https://node.example:5001/").port == 5001
    (tmp_path / "number").write_bytes(b"odd")
    with pytest.raises(StoreUnusable, match="number has 3 bytes"):
        kubo.KuboBlocks(unused_url(), tmp_path)
