"""Who takes part in consensus with what power, decided at the end of a block."""

from __future__ import annotations

from dataclasses import replace

from app.kernel.context import Context
from app.kernel.record import U64, Operator
from app.kernel.store import State
from app.modules import bank
from app.modules.staking.queues import release
from app.modules.staking.records import (
    BONDED,
    BONDED_POOL,
    NOT_BONDED_POOL,
    PARAMS,
    RANKS,
    VALIDATORS,
    VALIDATORS_DUE,
    BondStatus,
    Validator,
    potential_power,
    store,
    unbonding_end_ms,
)


def end_block(state: State, ctx: Context) -> None:
    """Tell the engine of other validators and powers, then end what is due."""
    choose_validators(state, ctx)
    release(state, ctx)


def choose_validators(state: State, ctx: Context) -> None:
    """Let the most powerful take part in consensus, and nobody else.

    A chain can't be without validators: while nobody may take part, all stays as it is.
    """
    limit = PARAMS.get(state).max_validators
    chosen = [operator for _, operator in RANKS.keys(state, limit=limit)]
    if not chosen:
        return
    for operator in [each for each in BONDED.keys(state) if each not in chosen]:
        leave(state, ctx, VALIDATORS.must(state, operator))
    for operator in chosen:
        join_or_update(state, ctx, operator)


def join_or_update(state: State, ctx: Context, operator: Operator) -> None:
    """Let a validator take part with the power that its tokens give it."""
    validator = VALIDATORS.must(state, operator)
    power = U64(potential_power(validator))
    if validator.status is not BondStatus.BONDED:
        if validator.status is BondStatus.UNBONDING:
            VALIDATORS_DUE.remove(state, (validator.unbonding_ms, operator))
        bank.move(state, ctx, NOT_BONDED_POOL, BONDED_POOL, validator.tokens_uflt)
        validator = replace(
            validator,
            status=BondStatus.BONDED,
            unbonding_height=U64(0),
            unbonding_ms=U64(0),
        )
    if validator.power != power:
        store(state, replace(validator, power=power))
        ctx.powers[validator.key] = power


def leave(state: State, ctx: Context, validator: Validator) -> None:
    """Let a validator take no more part; it may be slashed for a while yet."""
    end_ms = unbonding_end_ms(state, ctx)
    bank.move(state, ctx, BONDED_POOL, NOT_BONDED_POOL, validator.tokens_uflt)
    VALIDATORS_DUE.add(state, (end_ms, validator.operator))
    after = replace(
        validator,
        status=BondStatus.UNBONDING,
        power=U64(0),
        unbonding_height=U64(ctx.block.height),
        unbonding_ms=end_ms,
    )
    store(state, after)
    ctx.powers[validator.key] = 0
