"""A folder of blocks is safe to cut off at any point, and says what is wrong with it."""

import errno
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from fl_worker.blobs.cids import cid_of
from fl_worker.blobs.store import PAGE_BYTES, DiskFull, Store, StoreUnusable
from tests.worker.blobs_net import LARGE, Place, put


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Place(tmp_path / "store").open()
    yield store
    store.close()


def test_a_dropped_blob_leaves_no_file(store: Store, tmp_path: Path) -> None:
    store.put_blob(LARGE, "tag")
    assert store.drop("tag") > len(LARGE)
    assert not [path for path in (tmp_path / "store/blocks").rglob("*") if path.is_file()]


def test_a_start_sweeps_up_what_a_crash_left(store: Store, tmp_path: Path) -> None:
    place = Place(tmp_path / "store")
    kept, lost = put(store, b"kept"), put(store, b"lost")
    place.file_of(lost).unlink()
    stray = place.file_of(kept).with_name(cid_of(b"stray"))
    stray.write_bytes(b"stray")
    (tmp_path / "store/incoming").write_bytes(b"half a blo")
    store.close()

    again = place.open()
    assert again.used_bytes() == PAGE_BYTES
    assert (again.get(kept), again.get(lost)) == (b"kept", None)
    assert not stray.exists()
    put(again, b"lost")
    assert not (tmp_path / "store/incoming").exists()


def test_a_full_disk_is_said_before_anything_is_written(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=1000))
    with pytest.raises(DiskFull, match="has 1000 bytes free"):
        put(store, b"block")
    assert not list(tmp_path.rglob(cid_of(b"block")))
    assert store.tags() == []


def test_a_disk_that_fills_up_leaves_nothing_half_written(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
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
        Place(tmp_path / "file").open()
    (tmp_path / "index.sqlite").write_bytes(b"no database" * 100)
    with pytest.raises(StoreUnusable, match="move it away"):
        Place(tmp_path).open()
