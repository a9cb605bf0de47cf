"""Bonds: who takes part, in which role, and the money each may lose.

An account registers once and keeps its role. Its bond sits in the module account `bonds`. A job
locks a part of it for each seat; what no job locks is free and may be taken out, which takes the
unbonding time. A bond is nothing or at least the smallest bond. A worker that has begun and is
still a newcomer is held: it takes nothing out, whatever is free. Pay goes to the payout address, a
bond that is taken out to the account it came from.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import IntEnum

from app.kernel.bech32 import to_bech32
from app.kernel.context import Context
from app.kernel.crypto import module_address
from app.kernel.errors import Rejected, broken, require
from app.kernel.module import Message, Module, Query
from app.kernel.record import U32, U64, Address
from app.kernel.store import Reader, State
from app.kernel.table import Index, Singleton, Table
from app.modules import bank

BONDS = module_address("bonds")
READER_KEY_BYTES = 32
PAGE_DEFAULT = 100
PAGE_MAX = 1_000


@dataclass(frozen=True, slots=True)
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


@dataclass(frozen=True, slots=True)
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


@dataclass(frozen=True, slots=True)
class Lock:
    """What one job holds of one participant's bond."""

    seat_count: U64
    amount_uflt: U64


@dataclass(frozen=True, slots=True)
class Unbonding:
    """Money on its way out of a bond."""

    participant: Address
    unbonding_id: U64
    amount_uflt: U64
    release_clock_ms: U64


@dataclass(frozen=True, slots=True)
class UnbondingCount:
    """How many unbondings were begun."""

    count: U64 = U64(0)


@dataclass(frozen=True, slots=True)
class Register:
    """Take a role and bond money for it."""

    participant: Address
    role: Role
    payout_address: Address
    endpoint: str
    reader_key: bytes
    bond_uflt: U64


@dataclass(frozen=True, slots=True)
class EditRegistration:
    """Replace payout address, endpoint, reader's key and pause of a registration."""

    participant: Address
    payout_address: Address
    endpoint: str
    reader_key: bytes
    paused: bool


@dataclass(frozen=True, slots=True)
class Bond:
    """Add to a bond."""

    participant: Address
    amount_uflt: U64


@dataclass(frozen=True, slots=True)
class Unbond:
    """Begin to take free money out of a bond; it arrives after the unbonding time."""

    participant: Address
    amount_uflt: U64


@dataclass(frozen=True, slots=True)
class UnbondResponse:
    """Which unbonding was begun and when it is paid."""

    unbonding_id: U64
    release_clock_ms: U64


@dataclass(frozen=True, slots=True)
class ParamsRequest:
    """Ask for the params of bonds."""


@dataclass(frozen=True, slots=True)
class ParamsResponse:
    """The params of bonds."""

    params: Params


@dataclass(frozen=True, slots=True)
class RegistrationRequest:
    """Ask for one registration."""

    participant: Address


@dataclass(frozen=True, slots=True)
class RegistrationResponse:
    """One registration."""

    registration: Registration


@dataclass(frozen=True, slots=True)
class RegistrationsRequest:
    """Ask for everyone with a bond in a role, a page at a time."""

    role: Role
    after: Address
    limit: U32


@dataclass(frozen=True, slots=True)
class RegistrationsResponse:
    """A page of registrations."""

    registrations: tuple[Registration, ...]


@dataclass(frozen=True, slots=True)
class UnbondingsRequest:
    """Ask for what a participant is taking out."""

    participant: Address


@dataclass(frozen=True, slots=True)
class UnbondingsResponse:
    """What a participant is taking out."""

    unbondings: tuple[Unbonding, ...]


@dataclass(frozen=True, slots=True)
class Registered:
    """An account took a role."""

    participant: Address
    role: Role
    bond_uflt: U64


@dataclass(frozen=True, slots=True)
class RegistrationEdited:
    """A registration was replaced."""

    participant: Address
    paused: bool


@dataclass(frozen=True, slots=True)
class Bonded:
    """A bond grew."""

    participant: Address
    amount_uflt: U64


@dataclass(frozen=True, slots=True)
class UnbondingBegun:
    """Money began its way out of a bond."""

    participant: Address
    unbonding_id: U64
    amount_uflt: U64
    release_clock_ms: U64


@dataclass(frozen=True, slots=True)
class Unbonded:
    """Money of a bond was paid out."""

    participant: Address
    unbonding_id: U64
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


class BondNotFree(Rejected):
    """More asked for than jobs leave free."""

    code = 309
    text = (
        "amount_uflt {value}: only {limit} uflt of the bond are free; "
        "ask for less or wait until the jobs that lock the rest have settled"
    )


class BondHeld(Rejected):
    """A newcomer that wants its bond back."""

    code = 310
    text = (
        "amount_uflt {value}: the limit is 0 while a worker is in its first settled rounds; "
        "take part in more rounds first"
    )


class TooManyUnbondings(Rejected):
    """More unbondings at a time than are kept."""

    code = 311
    text = "unbondings {value}: the limit is {limit} at a time; wait until one is paid out"


PARAMS = Singleton("bonds/params", Params)
COUNT = Singleton("bonds/count", UnbondingCount)
REGISTRATIONS = Table("bonds/registration", key=(Address,), record=Registration)
ROLES = Index("bonds/role", key=(U32, Address))
"""Everyone with a bond, by role."""
LOCKS = Table("bonds/lock", key=(Address, U64), record=Lock)
"""By participant and job."""
UNBONDINGS = Table("bonds/unbonding", key=(Address, U64), record=Unbonding)
DUE = Index("bonds/due", key=(U64, Address, U64))
"""Unbondings by the clock at which they are paid."""


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
    change_lock(state, registration, job_id, held.seat_count + 1, held.amount_uflt + amount_uflt)


def unlock(state: State, address: Address, job_id: int, amount_uflt: int) -> None:
    """Free the part of a bond that one seat of a job locked."""
    registration = REGISTRATIONS.must(state, address)
    held = find_lock(state, address, job_id)
    seat_count, left = held.seat_count - 1, held.amount_uflt - amount_uflt
    if seat_count < 0 or left < 0 or (seat_count == 0 and left != 0):
        broken(f"job {job_id} frees of the bond of {to_bech32(address)} just what its seats lock")
    change_lock(state, registration, job_id, seat_count, left)


def change_lock(
    state: State, registration: Registration, job_id: int, seat_count: int, amount_uflt: int
) -> None:
    """Write what a job holds of a bond; no seats is no row."""
    address = registration.participant
    grown = amount_uflt - find_lock(state, address, job_id).amount_uflt
    if seat_count:
        LOCKS.put(state, (address, job_id), Lock(U64(seat_count), U64(amount_uflt)))
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


def unbond(state: State, ctx: Context, msg: Unbond) -> UnbondResponse:
    """Begin to take free money out of a bond."""
    params = PARAMS.get(state)
    registration = require_registration(state, msg.participant)
    require(msg.amount_uflt > 0, NothingToBond, value=msg.amount_uflt)
    require(not registration.held, BondHeld, value=msg.amount_uflt)
    free = free_uflt(registration)
    require(msg.amount_uflt <= free, BondNotFree, value=msg.amount_uflt, limit=free)
    bonded = registration.bonded_uflt - msg.amount_uflt
    check_remainder(state, bonded, msg.amount_uflt, "take out less, or all of it")
    pending = sum(1 for _ in UNBONDINGS.items(state, (msg.participant,)))
    limit = params.unbondings_max
    require(pending < limit, TooManyUnbondings, value=pending + 1, limit=limit)

    unbonding_id = U64(COUNT.get(state).count + 1)
    release = U64(ctx.block.clock_ms + params.unbonding_s * 1_000)
    unbonding = Unbonding(msg.participant, unbonding_id, msg.amount_uflt, release)
    COUNT.put(state, UnbondingCount(unbonding_id))
    UNBONDINGS.put(state, (msg.participant, unbonding_id), unbonding)
    DUE.add(state, (release, msg.participant, unbonding_id))
    change_bond(state, registration, bonded)
    ctx.emit(UnbondingBegun(msg.participant, unbonding_id, msg.amount_uflt, release))
    return UnbondResponse(unbonding_id, release)


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


def release_unbonded(state: State, ctx: Context) -> None:
    """Pay out the unbondings whose time has come, a limited number a block."""
    limit = PARAMS.get(state).releases_per_block_max
    due = DUE.keys(state, up_to=ctx.block.clock_ms, limit=limit)
    for release_clock_ms, participant, unbonding_id in list(due):
        amount = UNBONDINGS.must(state, (participant, unbonding_id)).amount_uflt
        DUE.remove(state, (release_clock_ms, participant, unbonding_id))
        UNBONDINGS.delete(state, (participant, unbonding_id))
        bank.move(state, ctx, BONDS, participant, amount)
        ctx.emit(Unbonded(participant, unbonding_id, amount))


def params(state: Reader, request: ParamsRequest) -> ParamsResponse:
    """Answer with the params."""
    return ParamsResponse(PARAMS.get(state))


def registration(state: Reader, request: RegistrationRequest) -> RegistrationResponse:
    """Answer with one registration."""
    return RegistrationResponse(require_registration(state, request.participant))


def registrations(state: Reader, request: RegistrationsRequest) -> RegistrationsResponse:
    """Answer with a page of those who have a bond in a role."""
    everyone = list(participants(state, request.role))
    after = [i for i, each in enumerate(everyone) if each.participant == request.after]
    start = after[0] + 1 if after else 0
    limit = min(request.limit or PAGE_DEFAULT, PAGE_MAX)
    return RegistrationsResponse(tuple(everyone[start : start + limit]))


def unbondings(state: Reader, request: UnbondingsRequest) -> UnbondingsResponse:
    """Answer with what a participant is taking out."""
    rows = UNBONDINGS.items(state, (request.participant,))
    return UnbondingsResponse(tuple(row for _, row in rows))


def the_bonds_account_is_all_bonds_and_unbondings(state: Reader) -> None:
    """The account `bonds` holds all bonds and all that is on its way out of one."""
    bonded = sum(row.bonded_uflt for _, row in REGISTRATIONS.items(state))
    leaving = sum(row.amount_uflt for _, row in UNBONDINGS.items(state))
    if bank.get_balance(state, BONDS) != bonded + leaving:
        broken(f"the account bonds holds all bonds ({bonded}) and unbondings ({leaving})")


def what_is_locked_is_the_sum_of_the_locks(state: Reader) -> None:
    """What jobs lock of a bond is the sum of their locks, and no more than the bond."""
    for address, row in REGISTRATIONS.items(state):
        locks = sum(lock.amount_uflt for _, lock in LOCKS.items(state, (address,)))
        if not row.locked_uflt == locks <= row.bonded_uflt:
            broken(f"{to_bech32(address)} has {row.locked_uflt} locked, the sum of its locks")


def everyone_with_a_bond_is_found_by_role(state: Reader) -> None:
    """Everyone with a bond is found by role, once, and nobody else is."""
    bonded = [(row.role, address) for address, row in REGISTRATIONS.items(state) if row.bonded_uflt]
    if sorted(bonded) != sorted(ROLES.keys(state)):
        broken("everyone with a bond is found by role, once, and nobody else is")


def every_unbonding_is_due_once(state: Reader) -> None:
    """Every unbonding is due once, at its own time."""
    rows = [
        (row.release_clock_ms, row.participant, row.unbonding_id)
        for _, row in UNBONDINGS.items(state)
    ]
    if sorted(rows) != sorted(DUE.keys(state)):
        broken("every unbonding is due once, at its own time")


MODULE = Module(
    name="bonds",
    package="pollen.bonds.v1",
    tables=(REGISTRATIONS, ROLES, LOCKS, UNBONDINGS, DUE, COUNT),
    params=PARAMS,
    messages={
        Register: Message(register, gas=40_000, amino_name="pollen/Register"),
        EditRegistration: Message(
            edit_registration, gas=20_000, amino_name="pollen/EditRegistration"
        ),
        Bond: Message(bond, gas=20_000, amino_name="pollen/Bond"),
        Unbond: Message(unbond, gas=30_000, amino_name="pollen/Unbond", response=UnbondResponse),
    },
    queries={
        ParamsRequest: Query(params, ParamsResponse),
        RegistrationRequest: Query(registration, RegistrationResponse),
        RegistrationsRequest: Query(registrations, RegistrationsResponse),
        UnbondingsRequest: Query(unbondings, UnbondingsResponse),
    },
    events=(Registered, RegistrationEdited, Bonded, UnbondingBegun, Unbonded),
    end_block=release_unbonded,
    invariants=(
        the_bonds_account_is_all_bonds_and_unbondings,
        what_is_locked_is_the_sum_of_the_locks,
        everyone_with_a_bond_is_found_by_role,
        every_unbonding_is_due_once,
    ),
)
