"""A store keeps what a tag holds, within its quota, through restarts and damage, wherever it is."""

import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from fl_worker.blobs.cids import Blob, BlobFault, WrongBytes, cid_of
from fl_worker.blobs.store import PAGE_BYTES, BlobAbsent, QuotaExceeded, Store
from tests.worker.blobs_net import LARGE, Place, put
from tests.worker.ipfs_net import IpfsNode


@pytest.fixture(params=["folder", "ipfs"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    node: IpfsNode | None = None
    if request.param == "ipfs":
        node, _ = request.getfixturevalue("ipfs_nodes")
    return Place(tmp_path / "store", node)


@pytest.fixture
def store(place: Place) -> Iterator[Store]:
    store = place.open(peer_quota_bytes=3 * PAGE_BYTES)
    yield store
    store.close()


def test_a_blob_comes_back_whole(store: Store, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(LARGE)
    for source in (b"", b"small", LARGE, tmp_path / "file"):
        blob = store.put_blob(source, "tag")
        assert store.read(blob) == (LARGE if isinstance(source, Path) else source)


def test_a_blob_of_a_false_size_is_not_read(store: Store) -> None:
    blob = store.put_blob(b"small", "tag")
    with pytest.raises(BlobFault, match="not the 6 declared"):
        store.read(Blob(blob.cid, 6))


def test_an_absent_block_is_named(store: Store) -> None:
    assert store.get(cid_of(b"no")) is None
    assert store.hold(cid_of(b"no"), "tag") is None
    with pytest.raises(BlobAbsent, match=cid_of(b"no")):
        store.read(Blob(cid_of(b"no"), 2))


def test_bytes_under_another_name_are_not_kept(store: Store) -> None:
    with pytest.raises(WrongBytes):
        store.put(cid_of(b"one"), b"two", "tag")
    assert store.used_bytes() == 0
    assert store.tags() == []


def test_dropping_a_tag_gives_back_what_no_other_tag_holds(store: Store) -> None:
    shared, own = put(store, b"shared", "job/7/round/1"), put(store, b"own", "job/7/round/1")
    assert store.hold(shared, "job/7/round/2") == b"shared"
    assert store.used_bytes() == 2 * PAGE_BYTES
    assert store.tags() == ["job/7/round/1", "job/7/round/2"]

    assert store.drop("job/7/round/1") == PAGE_BYTES
    assert (store.get(shared), store.get(own)) == (b"shared", None)
    assert not store.is_held(shared, "job/7/round/1")
    assert store.is_held(shared, "job/7/round/2")

    assert store.drop("job/7/round/2") == PAGE_BYTES
    assert store.drop("job/7/round/2") == 0
    assert store.used_bytes() == 0
    assert store.get(shared) is None


def test_the_quota_of_all_is_named_when_it_is_reached(place: Place) -> None:
    store = place.open(2 * PAGE_BYTES)
    put(store, b"1")
    put(store, bytes(PAGE_BYTES))
    with pytest.raises(QuotaExceeded, match=f"at most {2 * PAGE_BYTES} bytes"):
        put(store, b"3")
    put(store, b"1", "another tag")
    store.drop("tag")
    put(store, b"3")
    assert store.used_bytes() == 2 * PAGE_BYTES


def test_the_quota_of_a_peer_is_its_own(store: Store) -> None:
    for block in (b"1", b"2", b"3"):
        put(store, block, owner="pollen1a")
    with pytest.raises(QuotaExceeded, match=r"pollen1a holds 12288 of at most 12288 bytes"):
        put(store, b"4", owner="pollen1a")
    assert store.get(cid_of(b"4")) is None
    put(store, b"3", owner="pollen1a")
    put(store, b"4", owner="pollen1b")
    put(store, bytes(5 * PAGE_BYTES))
    assert [store.used_bytes(owner) for owner in ("pollen1a", "pollen1b")] == [12288, 4096]
    store.drop("tag")
    assert store.used_bytes("pollen1a") == 0


def test_a_restart_keeps_what_was_put(store: Store, place: Place) -> None:
    blob = store.put_blob(LARGE, "tag")
    put(store, b"peer's", owner="pollen1a")
    before = store.used_bytes(), store.used_bytes("pollen1a"), store.tags()
    store.close()
    again = place.open()
    assert again.read(blob) == LARGE
    assert (again.used_bytes(), again.used_bytes("pollen1a"), again.tags()) == before
    again.drop("tag")
    assert again.used_bytes() == 0


def test_a_damaged_block_is_removed_and_absent(store: Store, place: Place) -> None:
    for damage in (b"", b"damaged", LARGE):
        cid = put(store, b"sound")
        place.file_of(cid).write_bytes(damage)
        assert not store.is_held(cid, "tag")
        assert store.get(cid) is None
        assert place.blocks().cids() == set()
        assert store.used_bytes() == 0


def test_a_put_mends_a_damaged_block(store: Store, place: Place) -> None:
    cid = put(store, b"sound")
    place.file_of(cid).write_bytes(b"damaged")
    put(store, b"sound")
    assert store.get(cid) == b"sound"
    assert store.used_bytes() == PAGE_BYTES


def test_a_kill_at_any_moment_leaves_a_sound_store(place: Place) -> None:
    program = """
import os, sys, threading
from pathlib import Path
from fl_worker.blobs.cids import cid_of
from tests.worker.blobs_net import Place, put
from tests.worker.ipfs_net import IpfsNode
delay_s, path, *node = sys.argv[1:]
store = Place(Path(path), IpfsNode(*node) if node else None).open()
threading.Timer(float(delay_s), lambda: os._exit(9)).start()
number = 0
while True:
    number += 1
    put(store, number.to_bytes(4, "big") * 1000, str(number % 7))
    if number % 5 == 0:
        store.drop(str(number % 7))
"""
    node = (str(place.node.path), place.node.api) if place.node else ()
    for delay_s in ("0.02", "0.05", "0.08"):
        command = [sys.executable, "-c", program, delay_s, str(place.path), *node]
        assert subprocess.run(command, check=False).returncode == 9
        store = place.open()
        found = place.blocks().cids()
        assert store.used_bytes() == PAGE_BYTES * len(found)
        assert all(store.get(cid) is not None for cid in found)
        store.close()


def test_two_processes_with_one_store_see_one_another(store: Store, place: Place) -> None:
    other = place.open()
    cid = put(other, b"block")
    assert store.is_held(cid, "tag")
    assert store.used_bytes() == PAGE_BYTES
    store.drop("tag")
    assert other.get(cid) is None


def test_threads_put_and_drop_at_once(store: Store) -> None:
    def work(number: int) -> None:
        for step in range(10):
            put(store, f"{step % 5}".encode(), f"tag {number}")
            put(store, f"{number} {step}".encode(), f"tag {number}")
        store.drop(f"tag {number}")

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(work, range(8)))
    assert (store.used_bytes(), store.tags()) == (0, [])
