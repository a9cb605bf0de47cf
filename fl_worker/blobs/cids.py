"""Names of bytes: a blob is a CID and a size.

A block is at most 1 MiB and named by its CIDv1 (raw, sha2-256, base32: `bafkrei…`, 59 characters).
A blob of at most 1 MiB is one block and has its CID. A larger one is cut into blocks of 1 MiB and a
shorter last one; its CID is that of its manifest, canonical JSON in one block of its own:
`{"blocks":["bafkrei…",…],"size":N}`. The size alone tells which of the two a blob is.
"""

import base64
import hashlib
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

BLOCK_SIZE_BYTES = 1 << 20
# 16 GiB: the manifest of a larger blob would not fit into one block.
BLOB_SIZE_BYTES_MAX = 1 << 34
CID_LENGTH = 59
# CIDv1, raw, sha2-256, 32 bytes of digest. Spelled here since the library takes 0.3 ms a CID, this
# 0.01 ms, and a manifest may hold 16,384 of them; tests hold the two equal.
CID_PREFIX = bytes((0x01, 0x55, 0x12, 0x20))


class BlobFault(Exception):
    """What can go wrong with blobs; the text says what, the limit and what to do next."""


class MalformedCid(BlobFault):
    """A text is not the name of a block."""


class MalformedManifest(BlobFault):
    """A block is not the manifest of the blob it should list."""


class WrongBytes(BlobFault):
    """Bytes don't hash to the CID they were given under."""


class BlobTooLarge(BlobFault):
    """A size is beyond a limit."""


def cid_of(block: bytes) -> str:
    """Name one block."""
    return spell_cid(hashlib.sha256(block).digest())


def spell_cid(digest: bytes) -> str:
    """Write a SHA-256 digest of 32 bytes as a CID."""
    return "b" + base64.b32encode(CID_PREFIX + digest).decode().rstrip("=").lower()


def parse_cid(cid: str) -> bytes:
    """Return the SHA-256 digest in a CID; MalformedCid for every other spelling or kind."""
    try:
        digest = base64.b32decode(cid[1:].upper() + "======")[len(CID_PREFIX) :]
    except ValueError:
        digest = b""
    if len(cid) != CID_LENGTH or spell_cid(digest) != cid:
        raise MalformedCid(
            f"CID {cid[:80]!r} is not CIDv1, raw, sha2-256, base32: give the {CID_LENGTH} "
            "lower-case characters that begin with bafkrei"
        )
    return digest


def verify(cid: str, block: bytes) -> None:
    """Hold bytes against their name; WrongBytes when they differ, BlobTooLarge over 1 MiB."""
    if len(block) > BLOCK_SIZE_BYTES:
        raise BlobTooLarge(
            f"block {cid} has {len(block)} bytes, at most {BLOCK_SIZE_BYTES}: cut it into blocks"
        )
    if hashlib.sha256(block).digest() != parse_cid(cid):
        raise WrongBytes(f"{len(block)} bytes are not block {cid} but {cid_of(block)}: drop them")


@dataclass(frozen=True, slots=True)
class Blob:
    """The name and the length of some bytes, as the chain records them."""

    cid: str
    size_bytes: int

    def __post_init__(self) -> None:
        parse_cid(self.cid)
        if not 0 <= self.size_bytes <= BLOB_SIZE_BYTES_MAX:
            raise BlobTooLarge(
                f"size_bytes {self.size_bytes} of blob {self.cid} is not within 0 and "
                f"{BLOB_SIZE_BYTES_MAX}: split what is larger"
            )

    @property
    def is_large(self) -> bool:
        """Whether the CID names a manifest rather than the bytes themselves."""
        return self.size_bytes > BLOCK_SIZE_BYTES


@dataclass(frozen=True, slots=True)
class Manifest:
    """The blocks of a blob in order, and the length of the whole."""

    blocks: tuple[str, ...]
    size_bytes: int

    def encode(self) -> bytes:
        """The manifest's one encoding."""
        blocks = ",".join(f'"{cid}"' for cid in self.blocks)
        return f'{{"blocks":[{blocks}],"size":{self.size_bytes}}}'.encode()

    def blob(self) -> Blob:
        """The blob it describes; one block needs no manifest."""
        is_large = self.size_bytes > BLOCK_SIZE_BYTES
        return Blob(cid_of(self.encode()) if is_large else self.blocks[0], self.size_bytes)

    def parts(self) -> Iterator[tuple[str, int]]:
        """Each block's CID and size in bytes, in order."""
        for index, cid in enumerate(self.blocks):
            yield cid, min(BLOCK_SIZE_BYTES, self.size_bytes - index * BLOCK_SIZE_BYTES)


def decode_manifest(data: bytes, size_bytes: int) -> Manifest:
    """Read the manifest of a blob of this size; MalformedManifest for any other bytes."""
    cids = re.findall(r'"(bafkrei[a-z2-7]{52})"', data.decode("ascii", errors="replace"))
    manifest = Manifest(tuple(cids), size_bytes)
    block_count = -(-size_bytes // BLOCK_SIZE_BYTES)
    if len(cids) != block_count or manifest.encode() != data:
        raise MalformedManifest(
            f"block {cid_of(data)} is not the manifest of {block_count} blocks and {size_bytes} "
            "bytes that it should be: whoever published the blob must publish it again"
        )
    for cid in cids:
        parse_cid(cid)
    return manifest


def blocks_of(source: bytes | Path) -> Iterator[bytes]:
    """Cut bytes, or a file, into blocks in order; nothing is one empty block."""
    with io.BytesIO(source) if isinstance(source, bytes) else source.open("rb") as stream:
        block = stream.read(BLOCK_SIZE_BYTES)
        yield block
        while len(block) == BLOCK_SIZE_BYTES and (block := stream.read(BLOCK_SIZE_BYTES)):
            yield block


def blob_of(source: bytes | Path) -> Blob:
    """Name bytes, or a file, without keeping them."""
    cids, size_bytes = [], 0
    for block in blocks_of(source):
        cids.append(cid_of(block))
        size_bytes += len(block)
    return Manifest(tuple(cids), size_bytes).blob()
