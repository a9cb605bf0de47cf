"""Sealed bytes open for those they were sealed for, unchanged, and for nobody else."""

from pathlib import Path

import pytest
from nacl.public import PrivateKey

from fl_worker.blobs.cids import BlobFault
from fl_worker.blobs.sealing import (
    BOX_BYTES,
    READER_KEY_FILE,
    Unopened,
    box_key,
    keep_reader_key,
    seal,
    unbox_key,
    unseal,
)

PLAIN = b"rows of the validation set " * 100


def test_what_is_sealed_opens_with_its_key_and_shows_nothing_before() -> None:
    sealed = seal(PLAIN)
    assert unseal(sealed.data, sealed.key) == PLAIN
    assert PLAIN[:16] not in sealed.data
    assert len(sealed.data) == len(PLAIN) + 24 + 16


def test_the_same_bytes_are_never_sealed_alike() -> None:
    first, second = seal(PLAIN), seal(PLAIN)
    assert first.key != second.key
    assert first.data != second.data


def test_another_key_opens_nothing() -> None:
    with pytest.raises(Unopened, match="don't open with the key"):
        unseal(seal(PLAIN).data, seal(PLAIN).key)
    with pytest.raises(Unopened):
        unseal(seal(PLAIN).data, b"short")


@pytest.mark.parametrize("place", [0, 24, 500, -1])
def test_a_changed_byte_is_seen(place: int) -> None:
    sealed = seal(PLAIN)
    changed = bytearray(sealed.data)
    changed[place] ^= 1
    with pytest.raises(Unopened):
        unseal(bytes(changed), sealed.key)


@pytest.mark.parametrize("length", [0, 10, 39, -1])
def test_a_cut_blob_does_not_open(length: int) -> None:
    sealed = seal(PLAIN)
    with pytest.raises(Unopened):
        unseal(sealed.data[:length], sealed.key)


def test_a_boxed_key_opens_for_its_reader_alone() -> None:
    key, mine, other = seal(PLAIN).key, PrivateKey.generate(), PrivateKey.generate()
    box = box_key(key, bytes(mine.public_key))
    assert len(box) == BOX_BYTES
    assert unbox_key(box, mine) == key
    with pytest.raises(Unopened):
        unbox_key(box, other)
    with pytest.raises(Unopened):
        unbox_key(box[:-1] + bytes([box[-1] ^ 1]), mine)
    with pytest.raises(Unopened):
        unbox_key(bytes(BOX_BYTES), mine)


def test_a_box_of_something_that_is_no_key_is_refused() -> None:
    mine = PrivateKey.generate()
    with pytest.raises(Unopened, match="exactly 32"):
        unbox_key(box_key(b"longer than any key may ever be....", bytes(mine.public_key)), mine)


@pytest.mark.parametrize("reader_key", [b"", b"short", bytes(32)])
def test_nothing_is_boxed_for_who_has_no_usable_key(reader_key: bytes) -> None:
    with pytest.raises(Unopened, match="must register an X25519 public key"):
        box_key(seal(PLAIN).key, reader_key)


def test_a_reader_key_is_made_once_and_readable_by_its_owner_alone(tmp_path: Path) -> None:
    first = keep_reader_key(tmp_path / "eva")
    assert bytes(keep_reader_key(tmp_path / "eva")) == bytes(first)
    assert bytes(keep_reader_key(tmp_path / "emil")) != bytes(first)
    assert (tmp_path / "eva" / READER_KEY_FILE).stat().st_mode & 0o777 == 0o600
    (tmp_path / "eva" / READER_KEY_FILE).write_bytes(b"damaged")
    with pytest.raises(BlobFault, match="exactly 32"):
        keep_reader_key(tmp_path / "eva")
