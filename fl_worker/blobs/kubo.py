"""Blocks in an IPFS node (kubo), through its RPC.

A node keeps a block for as long as something pinned leads to it. Several participants, and their
owner's own pins, may share a node, where a block has one pin and no count; so a store pins, for
each block, a *holder* of its own: DAG-CBOR that links to the block, with the store's number, all
written out in its CID (an identity hash), so that it takes no space. `ipfs dag get` shows it, and
its pin is called `pollen-<number>`. To give a block back is to unpin its holder; the node deletes
the bytes when it next collects garbage.

A node is believed no more than a gateway is: the store hashes what it gives.
"""

import base64
import json
import os
import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from pathlib import Path
from urllib.parse import SplitResult, urlencode, urlsplit

from fl_worker.blobs.cids import BLOCK_SIZE_BYTES, CID_PREFIX, BlobFault, parse_cid, spell_cid
from fl_worker.blobs.store import DiskFull, StoreUnusable, faults_named

TIMEOUT_S = 20.0
SEEK_S = 2.0
# A node says that it gives up before we do.
SLACK_S = 5.0
ANSWER_BYTES_MAX = 64 << 10
NUMBER_BYTES = 16
# {"block": <link>, "holder": <16 bytes>} in DAG-CBOR is 72 bytes, named by CIDv1, identity.
HOLDER_BEGIN = bytes((0x01, 0x71, 0x00, 72)) + b"\xa2\x65block\xd8\x2a\x58\x25\x00" + CID_PREFIX
HOLDER_MIDDLE = b"\x66holder\x50"
# What a node says of a block that it hasn't.
ABSENT = ("could not find", "not found")
BOUNDARY = "pollen"
PART_BEGIN = (
    f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="data"; filename="data"\r\n'
    "Content-Type: application/octet-stream\r\n\r\n"
).encode()
PART_END = f"\r\n--{BOUNDARY}--\r\n".encode()


class NotANode(BlobFault):
    """A text is no address that an IPFS node's RPC can have."""


class Refused(StoreUnusable):
    """A node says that it can't do what it was asked."""


class KuboBlocks:
    """The blocks of a store in an IPFS node, which also gets those of the nodes it knows."""

    reaches_others = True

    def __init__(self, url: str, path: Path) -> None:
        self._url = parse_node(url)
        self.name = url
        with faults_named(path):
            path.mkdir(parents=True, exist_ok=True)
            self._number = read_number(path / "number")
        self._pin_name = f"pollen-{self._number.hex()}"

    def read(self, cid: str) -> bytes | None:
        """The bytes that the node itself has, one more than a block may have at most."""
        return self._get(cid, ABSENT, TIMEOUT_S, offline="true")

    def write(self, cid: str, block: bytes) -> None:
        """Give the node a block, and pin its holder."""
        body = PART_BEGIN + block + PART_END
        options = {"cid-codec": "raw", "mhtype": "sha2-256"}
        with self._asking("block/put", options, body=body) as answer:
            kept = json.loads(answer.read(ANSWER_BYTES_MAX))["Key"]
        if kept != cid:
            raise StoreUnusable(
                f"the IPFS node at {self.name} keeps block {cid} as {kept}: update kubo there"
            )
        with self._asking("pin/add", {"arg": self._holder(cid), "name": self._pin_name}):
            pass

    def remove(self, cids: Iterable[str]) -> None:
        """Unpin the holders; the node frees the space when it next collects garbage."""
        for cid in cids:
            try:
                with self._asking("pin/rm", {"arg": self._holder(cid)}):
                    pass
            except Refused as refusal:
                if "not pinned" not in str(refusal):
                    raise

    def discard(self, cid: str) -> None:
        """Unpin a holder, and delete the bytes unless something else pins them."""
        self.remove([cid])
        with self._asking("block/rm", {"arg": cid, "force": "true"}):
            pass

    def cids(self) -> set[str]:
        """The blocks whose holders are pinned."""
        options = {"type": "recursive", "name": self._pin_name, "stream": "true"}
        with self._asking("pin/ls", options) as answer:
            found = [self._find_block(json.loads(line)["Cid"]) for line in answer]
        return {cid for cid in found if cid}

    def seek(self, cid: str) -> bytes | None:
        """Ask the nodes that the node knows, for `SEEK_S` seconds."""
        return self._get(cid, (*ABSENT, "deadline exceeded"), SEEK_S)

    def _get(
        self, cid: str, absent: tuple[str, ...], timeout_s: float, **options: str
    ) -> bytes | None:
        try:
            with self._asking("block/get", {"arg": cid, **options}, timeout_s=timeout_s) as answer:
                return answer.read(BLOCK_SIZE_BYTES + 1)
        except Refused as refusal:
            if any(words in str(refusal) for words in absent):
                return None
            raise

    def _holder(self, cid: str) -> str:
        """The CID that pins a block for this store, and is its holder."""
        binary = HOLDER_BEGIN + parse_cid(cid) + HOLDER_MIDDLE + self._number
        return "b" + base64.b32encode(binary).decode().rstrip("=").lower()

    def _find_block(self, pin: str) -> str:
        """The block for which this store pinned a CID; empty for any other pin."""
        padding = "=" * (-(len(pin) - 1) % 8)
        digest = base64.b32decode(pin[1:].upper() + padding)[len(HOLDER_BEGIN) :][:32]
        cid = spell_cid(digest)
        return cid if len(digest) == 32 and self._holder(cid) == pin else ""

    @contextmanager
    def _asking(
        self,
        command: str,
        options: dict[str, str],
        *,
        body: bytes = b"",
        timeout_s: float = TIMEOUT_S,
    ) -> Iterator[HTTPResponse]:
        """The node's answer while it is read; Refused, DiskFull or StoreUnusable without one."""
        connect = HTTPSConnection if self._url.scheme == "https" else HTTPConnection
        connection = connect(str(self._url.hostname), self._url.port, timeout=timeout_s + SLACK_S)
        query = urlencode({**options, "timeout": f"{timeout_s:g}s"})
        headers = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"} if body else {}
        try:
            connection.request("POST", f"/api/v0/{command}?{query}", body, headers)
            answer = connection.getresponse()
            if answer.status != 200:
                message = json.loads(answer.read(ANSWER_BYTES_MAX))["Message"]
                raise self._name_refusal(command, message)
            yield answer
        except (OSError, HTTPException) as fault:
            raise StoreUnusable(
                f"the IPFS node at {self.name} doesn't answer ({describe(fault)}): start it "
                "(ipfs daemon), or name another with --store"
            ) from fault
        except (ValueError, LookupError, TypeError) as fault:
            raise StoreUnusable(
                f"{self.name} answers {command}, but not as an IPFS node's RPC does: give the "
                "address that `ipfs config Addresses.API` shows, such as http://127.0.0.1:5001"
            ) from fault
        finally:
            connection.close()

    def _name_refusal(self, command: str, message: str) -> BlobFault:
        if "no space left" in message:
            return DiskFull(f"the disk of the IPFS node at {self.name} is full: make room on it")
        return Refused(
            f"the IPFS node at {self.name} can't do {command} ({message[:300]}): look at what it "
            "says itself, and start it again"
        )


def parse_node(url: str) -> SplitResult:
    """Read the address of a node's RPC; NotANode for any other text."""
    try:
        parts = urlsplit(url)
        is_plain = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_plain = False
    if not is_plain or parts.netloc.count("@") or parts.path.strip("/") or parts.query:
        raise NotANode(
            f"{url[:200]!r} is not the address of an IPFS node's RPC: give one such as "
            "http://127.0.0.1:5001"
        )
    return parts


def read_number(file: Path) -> bytes:
    """The number that tells a store from all others, drawn when it is first asked for."""
    if not file.exists():
        drawn = file.with_name(secrets.token_hex(NUMBER_BYTES))
        drawn.write_bytes(secrets.token_bytes(NUMBER_BYTES))
        try:
            os.link(drawn, file)
        except FileExistsError:
            pass  # another process was first
        finally:
            drawn.unlink()
    number = file.read_bytes()
    if len(number) != NUMBER_BYTES:
        raise OSError(f"{file} has {len(number)} bytes, not {NUMBER_BYTES}")
    return number


def describe(fault: Exception) -> str:
    """A fault in words, also where the library gives it none."""
    return str(fault) or type(fault).__name__
