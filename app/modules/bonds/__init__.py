"""Bonds: who takes part, in which role, and the money each may lose.

An account registers once and keeps its role. Its bond sits in the module account `bonds`. A job
locks a part of it for each seat; what no job locks is free and may be taken out, which takes the
unbonding time. A bond is nothing or at least the smallest bond, unless it was slashed. A worker
that has begun and is still a newcomer is held: it takes nothing out, whatever is free. Pay goes to
the payout address, a bond that is taken out to the account it came from.

bonding     Register, EditRegistration, Bond, locks
unbonding   Unbond, payment after the unbonding time
seizing     what is slashed
"""

from __future__ import annotations

from app.kernel.bech32 import to_bech32
from app.kernel.errors import broken
from app.kernel.frozen import frozen
from app.kernel.module import Message, Module, Query
from app.kernel.record import U32, Address
from app.kernel.store import Reader
from app.modules import bank, statistics
from app.modules.bonds.bonding import (
    BONDS,
    LOCKS,
    PARAMS,
    REGISTRATIONS,
    ROLES,
    Bond,
    Bonded,
    EditRegistration,
    Lock,
    NotRegistered,
    Params,
    Register,
    Registered,
    Registration,
    RegistrationEdited,
    Role,
    bond,
    edit_registration,
    find_lock,
    find_registration,
    free_uflt,
    hold,
    lock,
    participants,
    register,
    require_registration,
    unlock,
)
from app.modules.bonds.seizing import seize, seize_lock, whole_uflt
from app.modules.bonds.unbonding import (
    COUNT,
    DUE,
    UNBONDINGS,
    Unbond,
    Unbonded,
    Unbonding,
    UnbondingBegun,
    UnbondResponse,
    release_unbonded,
    unbond,
)

__all__ = [
    "BONDS",
    "LOCKS",
    "PARAMS",
    "REGISTRATIONS",
    "Bond",
    "EditRegistration",
    "Lock",
    "NotRegistered",
    "Params",
    "Register",
    "Registration",
    "Role",
    "Unbond",
    "UnbondResponse",
    "Unbonding",
    "find_lock",
    "find_registration",
    "free_uflt",
    "hold",
    "lock",
    "participants",
    "require_registration",
    "seize",
    "seize_lock",
    "unlock",
    "whole_uflt",
]

PAGE_DEFAULT = 100
PAGE_MAX = 1_000


@frozen
class ParamsRequest:
    """Ask for the params of bonds."""


@frozen
class ParamsResponse:
    """The params of bonds."""

    params: Params


@frozen
class RegistrationRequest:
    """Ask for one registration."""

    participant: Address


@frozen
class RegistrationResponse:
    """One registration."""

    registration: Registration


@frozen
class RegistrationsRequest:
    """Ask for everyone with a bond in a role, a page at a time."""

    role: Role
    after: Address
    limit: U32


@frozen
class RegistrationsResponse:
    """A page of registrations."""

    registrations: tuple[Registration, ...]


@frozen
class UnbondingsRequest:
    """Ask for what a participant is taking out."""

    participant: Address


@frozen
class UnbondingsResponse:
    """What a participant is taking out."""

    unbondings: tuple[Unbonding, ...]


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


def statistics_count_who_is_registered_and_who_has_a_bond(state: Reader) -> None:
    """As many are registered, and as many have a bond, as statistics say."""
    found = statistics.PARTICIPANTS.get(state)
    registered, active = len(list(REGISTRATIONS.items(state))), len(list(ROLES.keys(state)))
    if (found.registered_count, found.active_count) != (registered, active):
        broken(f"statistics count {registered} registered, {active} of them with a bond")


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
        statistics_count_who_is_registered_and_who_has_a_bond,
        every_unbonding_is_due_once,
    ),
)
