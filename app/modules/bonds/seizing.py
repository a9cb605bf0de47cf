"""A bond shrinks against its owner's will: what leaves goes first, other jobs' locks never."""

from __future__ import annotations

from dataclasses import replace

from app.kernel.record import U64, Address
from app.kernel.store import Reader, State
from app.modules.bonds.bonding import (
    REGISTRATIONS,
    change_bond,
    change_lock,
    find_lock,
    free_uflt,
)
from app.modules.bonds.unbonding import DUE, UNBONDINGS


def whole_uflt(state: Reader, address: Address) -> int:
    """Return a participant's bond with what is on its way out of it."""
    leaving = sum(row.amount_uflt for _, row in UNBONDINGS.items(state, (address,)))
    return REGISTRATIONS.must(state, address).bonded_uflt + leaving


def seize(state: State, address: Address, job_id: int, amount_uflt: int) -> int:
    """Take money of a participant for what it did in a job; return how much there was.

    First what is on its way out, the newest first, then what is free, last what the job locks. The
    caller moves it out of the account `bonds`.
    """
    taken = seize_unbondings(state, address, amount_uflt)
    registration = REGISTRATIONS.must(state, address)
    free = min(amount_uflt - taken, free_uflt(registration))
    change_bond(state, registration, registration.bonded_uflt - free)
    taken += free
    return taken + seize_lock(state, address, job_id, amount_uflt - taken)


def seize_unbondings(state: State, address: Address, amount_uflt: int) -> int:
    """Take money that is on its way out of a bond, the newest first; return how much there was."""
    taken = 0
    rows = [row for _, row in UNBONDINGS.items(state, (address,))] if amount_uflt else []
    for row in reversed(rows):
        part = min(amount_uflt - taken, row.amount_uflt)
        taken += part
        key = (address, row.unbonding_id)
        if part < row.amount_uflt:
            UNBONDINGS.put(state, key, replace(row, amount_uflt=U64(row.amount_uflt - part)))
            break
        UNBONDINGS.delete(state, key)
        DUE.remove(state, (row.release_clock_ms, *key))
    return taken


def seize_lock(state: State, address: Address, job_id: int, amount_uflt: int) -> int:
    """Take money that a job locks, so that its seats are short of it; return how much there was."""
    held = find_lock(state, address, job_id)
    taken = min(amount_uflt, held.amount_uflt)
    if not taken:
        return 0
    left, lost = U64(held.amount_uflt - taken), U64(held.lost_uflt + taken)
    registration = REGISTRATIONS.must(state, address)
    change_lock(state, registration, job_id, replace(held, amount_uflt=left, lost_uflt=lost))
    registration = REGISTRATIONS.must(state, address)
    change_bond(state, registration, registration.bonded_uflt - taken)
    return taken
