"""Leave to push one block to a reader for one round, signed by the account that pushes.

It travels as `Authorization: Pollen <base64 of JSON>` with account, pubkey, cid, job, round,
expires_unix_s and signature (bytes in base64). Signed is the SHA-256 of six lines: domain, chain
id, account, cid, tag, expiry; so it serves for no other chain, account, block, round or time.
"""

import base64
import hashlib
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from fl_worker.blobs.cids import BlobFault

DOMAIN = "pollen/blob/push/v1"
SCHEME = "Pollen"
LIFE_S = 3600
LIFE_S_MAX = 24 * 3600
PUBKEY_LENGTH = 33
SIGNATURE_LENGTH = 64
JOB_ID_MAX = (1 << 64) - 1
ROUND_MAX = (1 << 32) - 1
FIELDS = {
    "account": str, "pubkey": str, "cid": str, "job": int, "round": int,
    "expires_unix_s": int, "signature": str,
}  # fmt: skip


class BadPermit(BlobFault):
    """A push carries no permit, or one that doesn't cover it."""


class MalformedTag(BlobFault):
    """A job or round isn't a number that one can have."""


@dataclass(frozen=True, slots=True)
class RoundTag:
    """The round for which bytes are kept; as text the tag they are kept under."""

    job_id: int
    round: int

    def __post_init__(self) -> None:
        if not (0 <= self.job_id <= JOB_ID_MAX and 0 <= self.round <= ROUND_MAX):
            raise MalformedTag(
                f"job {self.job_id} is not within 0 and {JOB_ID_MAX}, or round {self.round} not "
                f"within 0 and {ROUND_MAX}: give the numbers of an existing round"
            )

    def __str__(self) -> str:
        return f"job/{self.job_id}/round/{self.round}"


def parse_tag(query: Mapping[str, str]) -> RoundTag:
    """Read `job` and `round` of a URL's query; MalformedTag when either is no decimal number."""
    texts = query.get("job", ""), query.get("round", "")
    if not all(text.isascii() and text.isdecimal() and len(text) <= 20 for text in texts):
        raise MalformedTag("job and round must be decimal numbers: add ?job=7&round=3 to the URL")
    return RoundTag(*map(int, texts))


@dataclass(frozen=True, slots=True)
class PushRequest:
    """Who wants to push which block for which round."""

    account: str
    cid: str
    tag: RoundTag
    expires_unix_s: int


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a push is allowed, and if not, why."""

    is_allowed: bool
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """Who pushes: `sign` makes 64 bytes of secp256k1 signature over a digest of 32."""

    chain_id: str
    account: str
    pubkey: bytes
    sign: Callable[[bytes], bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """Who may push: `authorize` rules by the chain's state, once the signature is found right."""

    chain_id: str
    authorize: Callable[[PushRequest], Awaitable[Verdict]]
    verify: Callable[[bytes, bytes, bytes], bool]
    address_of: Callable[[bytes], str]


def compute_digest(chain_id: str, request: PushRequest) -> bytes:
    """What is signed: 32 bytes."""
    lines = (DOMAIN, chain_id, request.account, request.cid, request.tag, request.expires_unix_s)
    return hashlib.sha256("\n".join(map(str, lines)).encode()).digest()


def sign_permit(credentials: Credentials, cid: str, tag: RoundTag, expires_unix_s: int) -> str:
    """The Authorization header that lets one block through."""
    request = PushRequest(credentials.account, cid, tag, expires_unix_s)
    signature = credentials.sign(compute_digest(credentials.chain_id, request))
    fields = {
        "account": credentials.account,
        "pubkey": base64.b64encode(credentials.pubkey).decode(),
        "cid": cid,
        "job": tag.job_id,
        "round": tag.round,
        "expires_unix_s": expires_unix_s,
        "signature": base64.b64encode(signature).decode(),
    }
    return f"{SCHEME} {base64.b64encode(json.dumps(fields).encode()).decode()}"


def check_permit(
    header: str, cid: str, tag: RoundTag, access: Access, now_unix_s: float
) -> PushRequest:
    """Return the request that a header proves, `authorize` not yet asked; BadPermit otherwise."""
    fields = parse_header(header)
    if (fields["cid"], fields["job"], fields["round"]) != (cid, tag.job_id, tag.round):
        raise BadPermit(f"the permit is not for block {cid} of {tag}: sign one for each block")
    request = PushRequest(fields["account"], cid, tag, fields["expires_unix_s"])
    if not now_unix_s < request.expires_unix_s <= now_unix_s + LIFE_S_MAX:
        raise BadPermit(
            f"the permit's expires_unix_s {request.expires_unix_s} is not within {LIFE_S_MAX} s "
            f"after {int(now_unix_s)}: sign a new one, and see that the clock is right"
        )
    pubkey, signature = decode_base64(fields["pubkey"]), decode_base64(fields["signature"])
    if len(pubkey) != PUBKEY_LENGTH or len(signature) != SIGNATURE_LENGTH:
        raise BadPermit(
            f"the permit's pubkey and signature have {len(pubkey)} and {len(signature)} bytes, not "
            f"{PUBKEY_LENGTH} and {SIGNATURE_LENGTH}: sign with a secp256k1 key, compressed"
        )
    try:
        is_owner = access.address_of(pubkey) == request.account
        is_signed = access.verify(pubkey, compute_digest(access.chain_id, request), signature)
    except ValueError:
        is_owner = is_signed = False
    if not (is_owner and is_signed):
        raise BadPermit(
            f"the permit is not signed by {request.account!r} on chain {access.chain_id}: sign it "
            "with that account's key, for this chain"
        )
    return request


def parse_header(header: str) -> dict[str, Any]:
    """The fields of a permit, each of its right type."""
    scheme, _, body = header.partition(" ")
    try:
        fields = json.loads(decode_base64(body)) if scheme == SCHEME else None
    except (ValueError, RecursionError):
        fields = None
    if not isinstance(fields, dict) or {k: type(v) for k, v in fields.items()} != FIELDS:
        raise BadPermit(f"no permit: send Authorization: {SCHEME} <base64 of {', '.join(FIELDS)}>")
    return fields


def decode_base64(text: str) -> bytes:
    """The bytes of a base64 text; BadPermit for any other."""
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        raise BadPermit("the permit holds a text that isn't base64: encode its bytes so") from None
