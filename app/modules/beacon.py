"""Beacon: the seed of every draw, made of what nobody could know when the draw was asked for.

Who needs chance asks for a seed in one block, when what the chance decides on is fixed; the next
block makes it before anything else happens. Its proposer must put into the block's first place the
output of its verifiable random function (RFC 9381) over a domain, the seed before and the
application hash of the state after the block that asked:

    alpha = "pollen/beacon/alpha" ‖ seed ‖ application hash
    seed' = SHA-256("pollen/beacon/seed" ‖ seed ‖ output)

A proposer has exactly one output, and can only keep it back by not proposing. Validators refuse a
block without the proof or with a wrong one. Nothing is put into a block for which nobody asked.

The key is the validator's own and made for this alone. Genesis names a key for each validator it
begins with; whoever operates a validator registers its first or another one, which counts two
blocks later, when the state it would be used on can't be known yet. A validator without a key only
loses its turns.

Where there is no proof the seed follows from the state alone, so that no proposer has a choice:

    seed' = SHA-256("pollen/beacon/fallback" ‖ seed ‖ application hash)

That is so on a chain whose validators have no keys, and where validators decide on a block without
a proof, as they do once so many proposals were refused at a height that no key can be working.
"""

from __future__ import annotations

from dataclasses import replace

from app.kernel import vrf
from app.kernel.bech32 import to_bech32
from app.kernel.context import Block, Context
from app.kernel.crypto import sha256
from app.kernel.errors import Rejected, broken, require
from app.kernel.frozen import frozen
from app.kernel.module import Message, Module, Query
from app.kernel.record import ADDRESS_BYTES, U64, Address
from app.kernel.store import Reader, State
from app.kernel.table import Singleton, Table
from app.modules import staking

ALPHA = b"pollen/beacon/alpha"
SEED = b"pollen/beacon/seed"
FALLBACK = b"pollen/beacon/fallback"
SEED_BYTES = 32
KEY_DELAY_BLOCKS = 2


@frozen
class Beacon:
    """The last seed, and whether another is asked for."""

    seed: bytes = bytes(SEED_BYTES)
    seed_height: U64 = U64(0)
    """The block that made it; 0: none did, and it is 32 zeros."""
    asked_height: U64 = U64(0)
    """The block that asked for the next, which the block after makes; 0: none is asked for."""


@frozen
class Validator:
    """A validator's key for the beacon, and who may change it."""

    validator: bytes
    """Its consensus address, 20 bytes, as it stands in block headers."""
    operator: Address
    vrf_key: bytes
    """Empty until the first one that was registered counts."""
    next_vrf_key: bytes = b""
    """Takes the key's place at `next_height`; empty: none does."""
    next_height: U64 = U64(0)


@frozen
class RegisterVrfKey:
    """Give a validator a key for the beacon, which counts two blocks later."""

    operator: Address
    validator: bytes
    vrf_key: bytes


@frozen
class BeaconRequest:
    """Ask for the last seed."""


@frozen
class BeaconResponse:
    """The last seed."""

    beacon: Beacon


@frozen
class ValidatorsRequest:
    """Ask for the validators' keys for the beacon."""


@frozen
class ValidatorsResponse:
    """The validators' keys for the beacon."""

    validators: tuple[Validator, ...]


@frozen
class SeedMade:
    """A block made a seed, of its proposer's proof or, where it had none, of the state alone."""

    seed: bytes
    proposer: bytes
    is_proven: bool


@frozen
class VrfKeyRegistered:
    """A validator has another key for the beacon from a height on."""

    validator: bytes
    vrf_key: bytes
    from_height: U64


class NoSuchValidator(Rejected):
    """A consensus address that is no validator's."""

    code = 901
    text = (
        "validator {validator}: none of those staked with, of whom {limit} have a key; give the 20 "
        "bytes of its consensus address, which `pollend vrf show` prints"
    )


class NotTheOperator(Rejected):
    """A key that somebody else than the validator's operator registers."""

    code = 902
    text = "operator {operator}: not the one of validator {validator}; sign with {limit}"


class BadVrfKey(Rejected):
    """Bytes that are no key."""

    code = 903
    text = (
        "vrf_key {vrf_key}: no point of edwards25519 in the group of prime order, {limit} bytes; "
        "take the key that `pollend vrf show` prints"
    )


BEACON = Singleton("beacon/beacon", Beacon)
VALIDATORS = Table("beacon/validator", key=(bytes,), record=Validator)


def ask(state: State, ctx: Context) -> None:
    """Have the next block make a seed; asked for twice in a block, it is one."""
    known = BEACON.get(state)
    if not known.asked_height:
        BEACON.put(state, replace(known, asked_height=U64(ctx.block.height)))


def get_seed(state: Reader, ctx: Context) -> bytes:
    """Return the seed that this block made, since the one before asked for it."""
    known = BEACON.get(state)
    if known.seed_height != ctx.block.height:
        broken("a seed is used in the block that made it")
    return known.seed


def count_validators(state: Reader) -> int:
    """Return how many of those who take part in consensus have a key."""
    keys = [each.key for each in staking.bonded_validators(state)]
    return sum(1 for key in keys if VALIDATORS.has(state, staking.consensus_address(key)))


def is_proof_due(state: Reader) -> bool:
    """Whether the next block must begin with its proposer's proof."""
    return bool(BEACON.get(state).asked_height) and count_validators(state) > 0


def find_key(state: Reader, block: Block) -> bytes | None:
    """Return the key that counts for a block's proposer at its height, or None."""
    row = VALIDATORS.get(state, block.proposer)
    return None if row is None else key_at(row, block.height)


def key_at(row: Validator, height: int) -> bytes:
    """Return a validator's key that counts at a height."""
    return row.next_vrf_key if row.next_vrf_key and height >= row.next_height else row.vrf_key


def compute_alpha(state: Reader, block: Block) -> bytes:
    """Return what a block's proposer must prove its output for."""
    return ALPHA + BEACON.get(state).seed + block.previous_app_hash


def find_output(state: Reader, block: Block) -> bytes | None:
    """Return the output that a block's slot proves, or None if it proves none of its proposer."""
    slot, key = block.slot, find_key(state, block)
    if slot is None or not key or slot.proposer != block.proposer:
        return None
    return vrf.verify(key, compute_alpha(state, block), slot.proof)


def register_vrf_key(state: State, ctx: Context, msg: RegisterVrfKey) -> None:
    """Let a key of a validator count from two blocks later on."""
    shown = msg.validator.hex()
    validator = staking.find_validator(state, msg.validator)
    if validator is None:
        raise NoSuchValidator(validator=shown, limit=count_validators(state))
    operator = staking.account_of(validator.operator)
    signer, limit = to_bech32(msg.operator), to_bech32(operator)
    require(msg.operator == operator, NotTheOperator, operator=signer, validator=shown, limit=limit)
    is_key = vrf.is_point(msg.vrf_key)
    require(is_key, BadVrfKey, vrf_key=msg.vrf_key.hex(), limit=vrf.KEY_BYTES)

    height = U64(ctx.block.height + KEY_DELAY_BLOCKS)
    row = VALIDATORS.get(state, msg.validator)
    key = b"" if row is None else key_at(row, ctx.block.height)
    after = Validator(msg.validator, operator, key, msg.vrf_key, height)
    VALIDATORS.put(state, msg.validator, after)
    ctx.emit(VrfKeyRegistered(msg.validator, msg.vrf_key, height))


def make_seed(state: State, ctx: Context) -> None:
    """Make the seed that the block before asked for."""
    known = BEACON.get(state)
    if not known.asked_height:
        return
    output = find_output(state, ctx.block)
    if output is None:
        seed = sha256(FALLBACK + known.seed + ctx.block.previous_app_hash)
    else:
        seed = sha256(SEED + known.seed + output)
    BEACON.put(state, Beacon(seed, U64(ctx.block.height)))
    ctx.emit(SeedMade(seed, ctx.block.proposer, is_proven=output is not None))


def beacon(state: Reader, request: BeaconRequest) -> BeaconResponse:
    """Answer with the last seed."""
    return BeaconResponse(BEACON.get(state))


def validators(state: Reader, request: ValidatorsRequest) -> ValidatorsResponse:
    """Answer with the validators' keys for the beacon, by consensus address."""
    rows = sorted([row for _, row in VALIDATORS.items(state)], key=lambda row: row.validator)
    return ValidatorsResponse(tuple(rows))


def every_validator_has_a_key(state: Reader) -> None:
    """Every validator has 20 bytes of address, an operator and a key, and perhaps the next one."""
    for address, row in VALIDATORS.items(state):
        is_named = address == row.validator and len(row.validator) == ADDRESS_BYTES
        keys = [key for key in (row.vrf_key, row.next_vrf_key) if key]
        has_next = bool(row.next_vrf_key) == bool(row.next_height)
        if not (is_named and row.operator and keys and has_next and all(map(vrf.is_point, keys))):
            broken(f"validator {address.hex()} has an address, an operator and a key")


def a_seed_is_asked_for_after_the_last_was_made(state: Reader) -> None:
    """A seed has 32 bytes, and the next one is asked for in the block that made it or later."""
    known = BEACON.get(state)
    is_later = not known.asked_height or known.asked_height >= known.seed_height
    if len(known.seed) != SEED_BYTES or not is_later:
        broken("a seed has 32 bytes, and another is asked for when it was made or later")


MODULE = Module(
    name="beacon",
    package="pollen.beacon.v1",
    tables=(BEACON, VALIDATORS),
    messages={
        RegisterVrfKey: Message(register_vrf_key, gas=50_000, amino_name="pollen/RegisterVrfKey")
    },
    queries={
        BeaconRequest: Query(beacon, BeaconResponse),
        ValidatorsRequest: Query(validators, ValidatorsResponse),
    },
    events=(SeedMade, VrfKeyRegistered),
    begin_block=make_seed,
    invariants=(every_validator_has_a_key, a_seed_is_asked_for_after_the_last_was_made),
)
