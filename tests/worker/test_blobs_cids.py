"""A blob has one name, and other spellings, sizes and manifests are refused."""

import hashlib
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from multiformats import CID

from fl_worker.blobs.cids import (
    BLOB_SIZE_BYTES_MAX,
    BLOCK_SIZE_BYTES,
    Blob,
    BlobTooLarge,
    MalformedCid,
    MalformedManifest,
    Manifest,
    WrongBytes,
    blob_of,
    blocks_of,
    cid_of,
    decode_manifest,
    parse_cid,
    verify,
)

LARGE = b"".join(bytes([i]) * BLOCK_SIZE_BYTES for i in range(2)) + b"the rest"


@given(st.binary(max_size=100))
def test_a_name_is_the_one_the_library_gives(block: bytes) -> None:
    digest = hashlib.sha256(block).digest()
    assert cid_of(block) == str(CID("base32", 1, "raw", ("sha2-256", digest)))
    assert parse_cid(cid_of(block)) == CID.decode(cid_of(block)).raw_digest == digest


def other_names(block: bytes) -> list[str]:
    cid = CID.decode(cid_of(block))
    last = "abcdefghijklmnopqrstuvwxyz234567"
    return [
        "",
        "bafkrei",
        str(cid).upper(),
        str(cid)[:-1],
        str(cid) + "a",
        str(cid)[:-1] + last[last.index(str(cid)[-1]) | 1],  # a bit no digest has
        str(cid)[:-1] + "ü",
        "../" + str(cid)[3:],
        str(cid.set(base="base58btc")),
        str(cid.set(codec="dag-pb")),
        str(cid.set(codec="dag-pb").set(version=0, base="base58btc")),
        str(CID("base32", 1, "raw", ("sha2-512", hashlib.sha512(block).digest()))),
    ]


@pytest.mark.parametrize("name", other_names(b"a block"))
def test_every_other_spelling_is_refused(name: str) -> None:
    with pytest.raises(MalformedCid, match="CIDv1, raw, sha2-256, base32"):
        parse_cid(name)


def test_bytes_under_another_name_are_refused() -> None:
    verify(cid_of(b"one"), b"one")
    with pytest.raises(WrongBytes, match="drop them"):
        verify(cid_of(b"one"), b"two")
    with pytest.raises(BlobTooLarge, match=str(BLOCK_SIZE_BYTES)):
        verify(cid_of(LARGE), LARGE)


@pytest.mark.parametrize("size_bytes", [0, 1, BLOCK_SIZE_BYTES])
def test_a_small_blob_is_its_block(size_bytes: int) -> None:
    data = bytes(size_bytes)
    assert list(blocks_of(data)) == [data]
    assert blob_of(data) == Blob(cid_of(data), size_bytes)


def test_a_large_blob_is_named_by_its_manifest(tmp_path: Path) -> None:
    blocks = list(blocks_of(LARGE))
    assert [len(block) for block in blocks] == [BLOCK_SIZE_BYTES, BLOCK_SIZE_BYTES, 8]
    cids = [cid_of(block) for block in blocks]
    data = json.dumps({"blocks": cids, "size": len(LARGE)}, separators=(",", ":")).encode()
    assert blob_of(LARGE) == Blob(cid_of(data), len(LARGE))

    manifest = decode_manifest(data, len(LARGE))
    assert manifest.encode() == data
    assert list(manifest.parts()) == list(zip(cids, map(len, blocks)))

    (tmp_path / "file").write_bytes(LARGE)
    assert blob_of(tmp_path / "file") == blob_of(LARGE)


def test_a_manifest_in_any_other_form_is_refused() -> None:
    cids = [cid_of(bytes([i])) for i in range(3)]
    size_bytes = 2 * BLOCK_SIZE_BYTES + 1
    good = Manifest(tuple(cids), size_bytes).encode()
    assert decode_manifest(good, size_bytes).blocks == tuple(cids)
    others = [
        b"",
        b"[" * 100_000,
        good + b"\n",
        good.replace(b",", b", "),
        good.replace(str(size_bytes).encode(), str(size_bytes + 1).encode()),
        Manifest(tuple(cids[:2]), size_bytes).encode(),
        Manifest((*cids, cids[0]), size_bytes).encode(),
        json.dumps({"size": size_bytes, "blocks": cids}, separators=(",", ":")).encode(),
    ]
    for data in others:
        with pytest.raises(MalformedManifest, match="publish it again"):
            decode_manifest(data, size_bytes)


def test_the_largest_blob_has_a_manifest_of_one_block() -> None:
    blocks = (cid_of(b""),) * (BLOB_SIZE_BYTES_MAX // BLOCK_SIZE_BYTES)
    assert len(Manifest(blocks, BLOB_SIZE_BYTES_MAX).encode()) <= BLOCK_SIZE_BYTES
    for size_bytes in (-1, BLOB_SIZE_BYTES_MAX + 1):
        with pytest.raises(BlobTooLarge, match=str(BLOB_SIZE_BYTES_MAX)):
            Blob(cid_of(b""), size_bytes)
