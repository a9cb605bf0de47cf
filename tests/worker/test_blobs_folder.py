"""A folder of blocks keeps what a tag holds, within its quota, through restarts and damage."""

import errno
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import pytest

from fl_worker.blobs.cids import BLOCK_SIZE_BYTES, Blob, BlobFault, WrongBytes, cid_of
from fl_worker.blobs.folder import (
    PAGE_BYTES,
    BlobAbsent,
    DiskFull,
    FolderStore,
    QuotaExceeded,
    StoreUnusable,
)

QUOTA_BYTES = 64 << 20
LARGE = random.Random(1).randbytes(5 * BLOCK_SIZE_BYTES + 8)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[FolderStore]:
    store = FolderStore(tmp_path / "store", QUOTA_BYTES, peer_quota_bytes=3 * PAGE_BYTES)
    yield store
    store.close()


def put(store: FolderStore, block: bytes, tag: str = "tag", owner: str = "") -> str:
    cid = cid_of(block)
    store.put(cid, block, tag, owner)
    return cid


def block_file(path: Path, cid: str) -> Path:
    return next(path.rglob(cid))


def test_a_blob_comes_back_whole(store: FolderStore, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(LARGE)
    for source in (b"", b"small", LARGE, tmp_path / "file"):
        blob = store.put_blob(source, "tag")
        assert store.read(blob) == (LARGE if isinstance(source, Path) else source)


def test_a_blob_of_a_false_size_is_not_read(store: FolderStore) -> None:
    blob = store.put_blob(b"small", "tag")
    with pytest.raises(BlobFault, match="not the 6 declared"):
        store.read(Blob(blob.cid, 6))


def test_an_absent_block_is_named(store: FolderStore) -> None:
    assert store.get(cid_of(b"no")) is None
    assert store.hold(cid_of(b"no"), "tag") is None
    with pytest.raises(BlobAbsent, match=cid_of(b"no")):
        store.read(Blob(cid_of(b"no"), 2))


def test_bytes_under_another_name_are_not_kept(store: FolderStore) -> None:
    with pytest.raises(WrongBytes):
        store.put(cid_of(b"one"), b"two", "tag")
    assert store.used_bytes() == 0
    assert store.tags() == []


def test_dropping_a_tag_gives_back_what_no_other_tag_holds(store: FolderStore) -> None:
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


def test_a_dropped_blob_leaves_no_file(store: FolderStore, tmp_path: Path) -> None:
    store.put_blob(LARGE, "tag")
    assert store.drop("tag") > len(LARGE)
    assert not [path for path in (tmp_path / "store/blocks").rglob("*") if path.is_file()]


def test_the_quota_of_all_is_named_when_it_is_reached(tmp_path: Path) -> None:
    store = FolderStore(tmp_path, 2 * PAGE_BYTES)
    put(store, b"1")
    put(store, bytes(PAGE_BYTES))
    with pytest.raises(QuotaExceeded, match=f"at most {2 * PAGE_BYTES} bytes"):
        put(store, b"3")
    put(store, b"1", "another tag")
    store.drop("tag")
    put(store, b"3")
    assert store.used_bytes() == 2 * PAGE_BYTES


def test_the_quota_of_a_peer_is_its_own(store: FolderStore) -> None:
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


def test_a_restart_keeps_what_was_put(store: FolderStore, tmp_path: Path) -> None:
    blob = store.put_blob(LARGE, "tag")
    put(store, b"peer's", owner="pollen1a")
    before = store.used_bytes(), store.used_bytes("pollen1a"), store.tags()
    store.close()
    again = FolderStore(tmp_path / "store", QUOTA_BYTES)
    assert again.read(blob) == LARGE
    assert (again.used_bytes(), again.used_bytes("pollen1a"), again.tags()) == before
    again.drop("tag")
    assert again.used_bytes() == 0


def test_a_damaged_block_is_removed_and_absent(store: FolderStore, tmp_path: Path) -> None:
    for damage in (b"", b"damaged", LARGE):
        cid = put(store, b"sound")
        block_file(tmp_path, cid).write_bytes(damage)
        assert not store.is_held(cid, "tag")
        assert store.get(cid) is None
        assert not list(tmp_path.rglob(cid))
        assert store.used_bytes() == 0


def test_a_put_mends_a_damaged_block(store: FolderStore, tmp_path: Path) -> None:
    cid = put(store, b"sound")
    block_file(tmp_path, cid).write_bytes(b"damaged")
    put(store, b"sound")
    assert store.get(cid) == b"sound"
    assert store.used_bytes() == PAGE_BYTES


def test_a_start_sweeps_up_what_a_crash_left(store: FolderStore, tmp_path: Path) -> None:
    kept, lost = put(store, b"kept"), put(store, b"lost")
    block_file(tmp_path, lost).unlink()
    stray = block_file(tmp_path, kept).with_name(cid_of(b"stray"))
    stray.write_bytes(b"stray")
    (tmp_path / "store/incoming").write_bytes(b"half a blo")
    store.close()

    again = FolderStore(tmp_path / "store", QUOTA_BYTES)
    assert again.used_bytes() == PAGE_BYTES
    assert (again.get(kept), again.get(lost)) == (b"kept", None)
    assert not stray.exists()
    put(again, b"lost")
    assert not (tmp_path / "store/incoming").exists()


def test_a_kill_at_any_moment_leaves_a_sound_store(tmp_path: Path) -> None:
    program = f"""
import os, threading
from pathlib import Path
from fl_worker.blobs.cids import cid_of
from fl_worker.blobs.folder import FolderStore
store = FolderStore(Path({str(tmp_path)!r}), {QUOTA_BYTES})
threading.Timer(float({{delay}}), lambda: os._exit(9)).start()
number = 0
while True:
    number += 1
    block = number.to_bytes(4, "big") * 1000
    store.put(cid_of(block), block, str(number % 7))
    if number % 5 == 0:
        store.drop(str(number % 7))
"""
    for delay in (0.02, 0.05, 0.08):
        done = subprocess.run(
            [sys.executable, "-c", program.replace("{delay}", str(delay))], check=False
        )
        assert done.returncode == 9
        store = FolderStore(tmp_path, QUOTA_BYTES)
        found = [path for path in (tmp_path / "blocks").rglob("b*") if path.is_file()]
        assert store.used_bytes() == PAGE_BYTES * len(found)
        assert all(store.get(path.name) is not None for path in found)
        store.close()


def test_a_full_disk_is_said_before_anything_is_written(
    store: FolderStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=1000))
    with pytest.raises(DiskFull, match="has 1000 bytes free"):
        put(store, b"block")
    assert not list(tmp_path.rglob(cid_of(b"block")))
    assert store.tags() == []


def test_a_disk_that_fills_up_leaves_nothing_half_written(
    store: FolderStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", fail)
        with pytest.raises(DiskFull, match="make room"):
            put(store, b"block")
    assert not list(tmp_path.rglob(cid_of(b"block")))
    assert not (tmp_path / "store/incoming").exists()
    assert (store.tags(), store.used_bytes()) == ([], 0)
    put(store, b"block")


def test_a_folder_that_is_no_store_is_said_to_be_unusable(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StoreUnusable, match="move it away"):
        FolderStore(tmp_path / "file", QUOTA_BYTES)
    (tmp_path / "index.sqlite").write_bytes(b"no database" * 100)
    with pytest.raises(StoreUnusable, match="move it away"):
        FolderStore(tmp_path, QUOTA_BYTES)


def test_two_stores_on_one_folder_see_one_another(store: FolderStore, tmp_path: Path) -> None:
    other = FolderStore(tmp_path / "store", QUOTA_BYTES)
    cid = put(other, b"block")
    assert store.is_held(cid, "tag")
    assert store.used_bytes() == PAGE_BYTES
    store.drop("tag")
    assert other.get(cid) is None


def test_threads_put_and_drop_at_once(store: FolderStore) -> None:
    def work(number: int) -> None:
        for step in range(10):
            put(store, f"{step % 5}".encode(), f"tag {number}")
            put(store, f"{number} {step}".encode(), f"tag {number}")
        store.drop(f"tag {number}")

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(work, range(8)))
    assert (store.used_bytes(), store.tags()) == (0, [])
