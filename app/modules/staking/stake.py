"""Stake is added to a validator and taken from it: tokens, shares, and whose they are."""

from __future__ import annotations

from dataclasses import replace

from app.kernel.context import Context
from app.kernel.errors import broken, require
from app.kernel.record import Address, Dec, Operator
from app.kernel.store import Reader, State
from app.modules import bank, distribution
from app.modules.staking.records import (
    DELEGATIONS,
    DELEGATORS,
    VALIDATORS,
    BondStatus,
    Delegation,
    NoExchangeRate,
    Validator,
    account_of,
    operator_text,
    pool_of,
    remove,
    shares_for,
    store,
    whole_tokens_of,
    with_tokens,
)


def add_stake(
    state: State, ctx: Context, delegation: Delegation, amount_uflt: int, source: Address
) -> Dec:
    """Stake money from an account with a validator for a delegator; return the new shares.

    The delegation is the one that there is, or one without shares.
    """
    validator = VALIDATORS.must(state, delegation.operator)
    has_rate = validator.tokens_uflt > 0 or not validator.shares
    require(has_rate, NoExchangeRate, operator=operator_text(validator.operator))
    shift(state, ctx, source, pool_of(validator), amount_uflt)

    shares = shares_for(validator, amount_uflt)
    tokens = validator.tokens_uflt + amount_uflt
    store(state, with_tokens(validator, tokens, validator.shares + shares))
    set_shares(state, ctx, replace(delegation, shares=Dec(delegation.shares + shares)))
    return shares


def shift(
    state: State, ctx: Context, source: Address, destination: Address, amount_uflt: int
) -> None:
    """Move money unless it is there already."""
    if source != destination:
        bank.move(state, ctx, source, destination, amount_uflt)


def find_or_begin(state: State, delegator: Address, operator: Operator) -> Delegation:
    """Return an account's delegation with a validator, without shares if there is none."""
    found = DELEGATIONS.get(state, (delegator, operator))
    return Delegation(delegator, operator, Dec(0)) if found is None else found


def take_stake(state: State, ctx: Context, delegation: Delegation, shares: int) -> int:
    """Take shares of a delegation; return what they were worth, in whole uflt.

    The money stays in the account that holds the validator's tokens, as its status was before.
    """
    validator = VALIDATORS.must(state, delegation.operator)
    if not 0 < shares <= delegation.shares:
        broken("no more shares are taken than there are")
    set_shares(state, ctx, replace(delegation, shares=Dec(delegation.shares - shares)))
    left = validator.shares - shares
    amount = whole_tokens_of(validator, shares) if left else validator.tokens_uflt
    validator = with_tokens(validator, validator.tokens_uflt - amount, left)
    if is_self_too_small(validator, delegation, shares):
        validator = replace(validator, jailed=True)
    if validator.shares or validator.status is not BondStatus.UNBONDED:
        store(state, validator)
    else:
        remove(state, ctx, validator)
    return amount


def is_self_too_small(validator: Validator, delegation: Delegation, shares: int) -> bool:
    """Whether an operator takes so much that less is left of its own than it promised."""
    if delegation.delegator != account_of(validator.operator):
        return False
    left = delegation.shares - shares
    return not left or whole_tokens_of(validator, left) < validator.self_min_uflt


def own_uflt(state: Reader, validator: Validator) -> int:
    """Return what a validator's operator has staked with it of its own, in whole uflt."""
    own = DELEGATIONS.get(state, (account_of(validator.operator), validator.operator))
    return 0 if own is None else whole_tokens_of(validator, own.shares)


def set_shares(state: State, ctx: Context, delegation: Delegation) -> None:
    """Write a delegation; one without shares is none. What it has earned is paid first."""
    place = (delegation.delegator, delegation.operator)
    distribution.set_stake(state, ctx, *place, delegation.shares)
    if delegation.shares:
        DELEGATIONS.put(state, place, delegation)
        DELEGATORS.add(state, place[::-1])
    else:
        DELEGATIONS.delete(state, place)
        DELEGATORS.remove(state, place[::-1])
