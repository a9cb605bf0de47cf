"""Accounts take a role and bond money, and jobs lock parts of the bonds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from enum import IntEnum

from app.kernel.bech32 import to_bech32
from app.kernel.context import Context
from app.kernel.crypto import module_address
from app.kernel.errors import Rejected, broken, require
from app.kernel.frozen import frozen
from app.kernel.record import U32, U64, Address
from app.kernel.store import Reader, State
from app.kernel.table import Index, Singleton, Table
from app.modules import bank, statistics

BONDS = module_address("bonds")
READER_KEY_BYTES = 32


@frozen
class Params:
    """What a bond must be and how it is taken out."""

    bond_min_uflt: U64 = U64(10_000_000)
    """The smallest bond."""
    unbonding_s: U64 = U64(7 * 24 * 3_600)
    """How long money stays after it was taken out."""
    unbondings_max: U32 = U32(16)
    """Unbondings of one account at a time."""
    endpoint_length_max: U32 = U32(256)
    """Characters of an endpoint."""
    releases_per_block_max: U32 = U32(200)
    """Unbondings paid out in one block; the rest waits for the next."""


class Role(IntEnum):
    """What a participant does on the chain; an account has one role."""

    UNSPECIFIED = 0
    WORKER = 1
    AGGREGATOR = 2
    EVALUATOR = 3


@frozen
class Registration:
    """A registered participant and its bond."""

    participant: Address
    role: Role
    payout_address: Address
    """Where pay goes; apart from the hot key that signs."""
    endpoint: str
    """The base URL at which a reader receives and serves bytes; empty for a worker."""
    reader_key: bytes
    """X25519 public key to which bytes for this reader are sealed; 32 bytes, or empty."""
    bonded_uflt: U64
    locked_uflt: U64
    """The part of the bond that jobs lock."""
    paused: bool
    """A paused participant is not drawn."""
    held: bool
    """A worker in its first settled rounds can't take its bond out."""


@frozen
class Lock:
    """What one job holds of one participant's bond."""

    seat_count: U64
    amount_uflt: U64
    lost_uflt: U64 = U64(0)
    """What was slashed of it: its seats are short of so much."""


@frozen
class Register:
    """Take a role and bond money for it."""

    participant: Address
    role: Role
    payout_address: Address
    endpoint: str
    reader_key: bytes
    bond_uflt: U64


@frozen
class EditRegistration:
    """Replace payout address, endpoint, reader's key and pause of a registration."""

    participant: Address
    payout_address: Address
    endpoint: str
    reader_key: bytes
    paused: bool


@frozen
class Bond:
    """Add to a bond."""

    participant: Address
    amount_uflt: U64


@frozen
class Registered:
    """An account took a role."""

    participant: Address
    role: Role
    bond_uflt: U64


@frozen
class RegistrationEdited:
    """A registration was replaced."""

    participant: Address
    paused: bool


@frozen
class Bonded:
    """A bond grew."""

    participant: Address
    amount_uflt: U64


class NotRegistered(Rejected):
    """An account without a role."""

    code = 301
    text = "participant {participant}: is not registered; register it in a role first"


class AlreadyRegistered(Rejected):
    """An account that has its one role."""

    code = 302
    text = (
        "participant {participant}: is registered as {role} already, the limit is one role an "
        "account; edit the registration, or use another account"
    )


class RoleMissing(Rejected):
    """A registration without a role."""

    code = 303
    text = "role {role}: is no role; choose WORKER, AGGREGATOR or EVALUATOR"


class InvalidPayoutAddress(Rejected):
    """Pay that would go nowhere, or to the rules' own money."""

    code = 304
    text = "payout_address {address}: is {fault}; give the pollen1… address of an account of yours"


class InvalidEndpoint(Rejected):
    """A reader that nobody can reach, or a worker that claims to be one."""

    code = 305
    text = (
        "endpoint {endpoint!r} of a {role}: {need}, at most {limit} characters; "
        "correct the endpoint"
    )


class InvalidReaderKey(Rejected):
    """A key that is no X25519 key."""

    code = 306
    text = "reader_key: has {length} bytes, the limit is {limit} or none; give an X25519 public key"


class BondTooSmall(Rejected):
    """A bond below the smallest."""

    code = 307
    text = "{field} {value}: leaves a bond below the smallest bond of {limit} uflt; {next_step}"


class NothingToBond(Rejected):
    """An amount of zero."""

    code = 308
    text = "amount_uflt {value}: is below the limit of 1; state how much"


PARAMS = Singleton("bonds/params", Params)
REGISTRATIONS = Table("bonds/registration", key=(Address,), record=Registration)
ROLES = Index("bonds/role", key=(U32, Address))
"""Everyone with a bond, by role."""
LOCKS = Table("bonds/lock", key=(Address, U64), record=Lock)
"""By participant and job."""


def find_registration(state: Reader, address: Address) -> Registration | None:
    """Return an account's registration, or None."""
    return REGISTRATIONS.get(state, address)


def participants(state: Reader, role: Role) -> Iterator[Registration]:
    """Walk everyone with a bond in a role, paused ones too, in key order."""
    for _, address in ROLES.keys(state, (role,)):
        yield REGISTRATIONS.must(state, address)


def free_uflt(registration: Registration) -> int:
    """Return the part of a bond that no job locks."""
    return registration.bonded_uflt - registration.locked_uflt


def find_lock(state: Reader, address: Address, job_id: int) -> Lock:
    """Return what a job holds of a participant's bond; nothing is a lock of zero seats."""
    return LOCKS.get(state, (address, job_id)) or Lock(U64(0), U64(0))


def lock(state: State, address: Address, job_id: int, amount_uflt: int) -> None:
    """Lock a part of a bond for one more seat of a job."""
    registration = REGISTRATIONS.must(state, address)
    if amount_uflt > free_uflt(registration):
        broken(f"job {job_id} locks no more than is free of the bond of {to_bech32(address)}")
    held = find_lock(state, address, job_id)
    count, amount = U64(held.seat_count + 1), U64(held.amount_uflt + amount_uflt)
    change_lock(state, registration, job_id, replace(held, seat_count=count, amount_uflt=amount))


def unlock(state: State, address: Address, job_id: int, amount_uflt: int) -> None:
    """Free the part of a bond that one seat of a job locked, less what was slashed of the lock."""
    registration = REGISTRATIONS.must(state, address)
    held = find_lock(state, address, job_id)
    lost = min(amount_uflt, held.lost_uflt)
    seat_count, left = held.seat_count - 1, held.amount_uflt - (amount_uflt - lost)
    if seat_count < 0 or left < 0 or (seat_count == 0 and left != 0):
        broken(f"job {job_id} frees of the bond of {to_bech32(address)} just what its seats lock")
    remaining = Lock(U64(seat_count), U64(left), U64(held.lost_uflt - lost))
    change_lock(state, registration, job_id, remaining)


def change_lock(state: State, registration: Registration, job_id: int, lock: Lock) -> None:
    """Write what a job holds of a bond; no seats is no row."""
    address = registration.participant
    grown = lock.amount_uflt - find_lock(state, address, job_id).amount_uflt
    if lock.seat_count:
        LOCKS.put(state, (address, job_id), lock)
    else:
        LOCKS.delete(state, (address, job_id))
    locked = U64(registration.locked_uflt + grown)
    REGISTRATIONS.put(state, address, replace(registration, locked_uflt=locked))


def hold(state: State, address: Address, is_held: bool) -> None:
    """Hold a worker's bond, or let it go; other roles are never held."""
    registration = REGISTRATIONS.must(state, address)
    if registration.role == Role.WORKER and registration.held != is_held:
        REGISTRATIONS.put(state, address, replace(registration, held=is_held))


def change_bond(state: State, registration: Registration, bonded_uflt: int) -> None:
    """Write a bond; who has none is not found by role."""
    statistics.count_bond(state, registration.bonded_uflt, bonded_uflt)
    key = (registration.role, registration.participant)
    if bonded_uflt:
        ROLES.add(state, key)
    else:
        ROLES.remove(state, key)
    changed = replace(registration, bonded_uflt=U64(bonded_uflt))
    REGISTRATIONS.put(state, registration.participant, changed)


def is_url(text: str) -> bool:
    """Whether a text is an http or https URL of a host and perhaps a path."""
    rest = text.removeprefix("https://").removeprefix("http://")
    plain = rest.isascii() and rest.isprintable() and not any(c in rest for c in ' "<>\\?#@')
    return rest != text and plain and rest[:1] not in ("", "/")


def check_contact(state: Reader, role: Role, contact: Register | EditRegistration) -> None:
    """Refuse a payout address, an endpoint or a reader's key that can't be used."""
    payout, endpoint = contact.payout_address, contact.endpoint
    require(bool(payout), InvalidPayoutAddress, address="", fault="empty")
    is_module = payout in bank.MODULE_ADDRESSES
    fault = "a module account"
    require(not is_module, InvalidPayoutAddress, address=to_bech32(payout), fault=fault)
    limit = PARAMS.get(state).endpoint_length_max
    is_worker = role == Role.WORKER
    right = endpoint == "" if is_worker else len(endpoint) <= limit and is_url(endpoint)
    need = "must be empty" if is_worker else "must be an http:// or https:// URL"
    shown = endpoint[: limit + 1]
    require(right, InvalidEndpoint, endpoint=shown, role=role.name, need=need, limit=limit)
    length = len(contact.reader_key)
    require(
        length in (0, READER_KEY_BYTES), InvalidReaderKey, length=length, limit=READER_KEY_BYTES
    )


def register(state: State, ctx: Context, msg: Register) -> None:
    """Take a role for good and bond money for it."""
    known = REGISTRATIONS.get(state, msg.participant)
    if known is not None:
        raise AlreadyRegistered(participant=to_bech32(msg.participant), role=known.role.name)
    require(msg.role != Role.UNSPECIFIED, RoleMissing, role=msg.role.name)
    check_contact(state, msg.role, msg)
    limit = PARAMS.get(state).bond_min_uflt
    step = "bond more"
    enough = msg.bond_uflt >= limit
    require(
        enough, BondTooSmall, field="bond_uflt", value=msg.bond_uflt, limit=limit, next_step=step
    )

    registration = Registration(
        participant=msg.participant,
        role=msg.role,
        payout_address=msg.payout_address,
        endpoint=msg.endpoint,
        reader_key=msg.reader_key,
        bonded_uflt=U64(0),
        locked_uflt=U64(0),
        paused=False,
        held=False,
    )
    bank.move(state, ctx, msg.participant, BONDS, msg.bond_uflt)
    change_bond(state, registration, msg.bond_uflt)
    statistics.count_registration(state)
    ctx.emit(Registered(msg.participant, msg.role, msg.bond_uflt))


def edit_registration(state: State, ctx: Context, msg: EditRegistration) -> None:
    """Replace payout address, endpoint, reader's key and pause."""
    registration = require_registration(state, msg.participant)
    check_contact(state, registration.role, msg)

    changed = replace(
        registration,
        payout_address=msg.payout_address,
        endpoint=msg.endpoint,
        reader_key=msg.reader_key,
        paused=msg.paused,
    )
    REGISTRATIONS.put(state, msg.participant, changed)
    ctx.emit(RegistrationEdited(msg.participant, msg.paused))


def bond(state: State, ctx: Context, msg: Bond) -> None:
    """Add to a bond."""
    registration = require_registration(state, msg.participant)
    require(msg.amount_uflt > 0, NothingToBond, value=msg.amount_uflt)
    bonded = registration.bonded_uflt + msg.amount_uflt
    check_remainder(state, bonded, msg.amount_uflt, "bond more")

    bank.move(state, ctx, msg.participant, BONDS, msg.amount_uflt)
    change_bond(state, registration, bonded)
    ctx.emit(Bonded(msg.participant, msg.amount_uflt))


def require_registration(state: Reader, participant: Address) -> Registration:
    """Return a registration that the user named, or refuse."""
    shown = to_bech32(participant)
    return REGISTRATIONS.require(state, participant, NotRegistered, participant=shown)


def check_remainder(state: Reader, bonded_uflt: int, amount_uflt: int, next_step: str) -> None:
    """Refuse to leave a bond between nothing and the smallest bond."""
    limit = PARAMS.get(state).bond_min_uflt
    right = bonded_uflt == 0 or bonded_uflt >= limit
    values = {"field": "amount_uflt", "value": amount_uflt, "limit": limit}
    require(right, BondTooSmall, **values, next_step=next_step)
