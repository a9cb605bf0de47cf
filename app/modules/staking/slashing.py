"""A validator that did wrong, and who staked with it then, lose a part; it may be kept out."""

from __future__ import annotations

from dataclasses import replace

from app.kernel.context import Context
from app.kernel.decimals import mul, truncate
from app.kernel.record import U128, Address, Operator
from app.kernel.store import State
from app.modules import bank
from app.modules.staking.queues import set_unbonding
from app.modules.staking.records import (
    BANNED,
    DELEGATIONS,
    LEAVING,
    MOVED_FROM,
    NOT_BONDED_POOL,
    POWER_UNIT_UFLT,
    REDELEGATIONS,
    UNBONDINGS,
    VALIDATORS,
    BondStatus,
    Redelegation,
    pool_of,
    store,
    with_tokens,
)
from app.modules.staking.stake import take_stake


def set_jailed(state: State, operator: Operator, jailed: bool) -> None:
    """Keep a validator out of consensus from the end of this block on, or no longer."""
    store(state, replace(VALIDATORS.must(state, operator), jailed=jailed))


def ban(state: State, address: bytes) -> None:
    """Let nobody be a validator again with the key of a consensus address."""
    BANNED.add(state, address)


def slash(
    state: State, ctx: Context, operator: Operator, *, height: int, power: int, fraction: int
) -> int:
    """Burn a part of what stood behind a validator's power at a height; return how much of it.

    What has been on its way out or was moved away since loses the same part as what is still
    there. `fraction` has 18 decimals.
    """
    validator = VALIDATORS.must(state, operator)
    if validator.status is BondStatus.UNBONDED:
        return 0
    lost = truncate(power * POWER_UNIT_UFLT * fraction)
    if height < ctx.block.height:
        for _, delegator in list(LEAVING.keys(state, (operator,))):
            lost -= slash_unbonding(state, ctx, (delegator, operator), height, fraction)
        for _, delegator, destination in list(MOVED_FROM.keys(state, (operator,))):
            moved = REDELEGATIONS.must(state, (delegator, operator, destination))
            lost -= slash_redelegation(state, ctx, moved, height, fraction)
    return burn_tokens(state, ctx, operator, lost)


def burn_tokens(state: State, ctx: Context, operator: Operator, lost_uflt: int) -> int:
    """Burn so much of a validator's tokens, as far as it has them; return how much."""
    validator = VALIDATORS.must(state, operator)
    burned = min(max(lost_uflt, 0), validator.tokens_uflt)
    if burned:
        tokens = validator.tokens_uflt - burned
        store(state, with_tokens(validator, tokens, validator.shares))
        bank.burn(state, ctx, pool_of(validator), burned)
    return burned


def slash_unbonding(
    state: State, ctx: Context, place: tuple[Address, Operator], height: int, fraction: int
) -> int:
    """Burn a part of what has begun its way out since a height; return what it should have been."""
    found = UNBONDINGS.must(state, place)
    entries, total, burned = [], 0, 0
    for entry in found.entries:
        is_due = entry.height >= height and entry.release_ms > ctx.block.clock_ms
        lost = truncate(entry.initial_uflt * fraction) if is_due else 0
        part = min(lost, entry.balance_uflt)
        entries.append(replace(entry, balance_uflt=U128(entry.balance_uflt - part)))
        total, burned = total + lost, burned + part
    if burned:
        set_unbonding(state, replace(found, entries=tuple(entries)))
        bank.burn(state, ctx, NOT_BONDED_POOL, burned)
    return total


def slash_redelegation(
    state: State, ctx: Context, moved: Redelegation, height: int, fraction: int
) -> int:
    """Burn a part of what was moved away since a height; return what it should have been."""
    total = 0
    for entry in moved.entries:
        if entry.height < height or entry.release_ms <= ctx.block.clock_ms:
            continue
        total += truncate(entry.initial_uflt * fraction)
        delegation = DELEGATIONS.get(state, (moved.delegator, moved.destination))
        if delegation is not None:
            shares = min(mul(entry.shares, fraction), delegation.shares)
            pool = pool_of(VALIDATORS.must(state, moved.destination))
            burned = take_stake(state, ctx, delegation, shares) if shares else 0
            if burned:
                bank.burn(state, ctx, pool, burned)
    return total
