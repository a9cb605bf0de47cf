"""What is known of validators and of what is staked with them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from enum import IntEnum

from app.kernel.bech32 import OPERATOR_PREFIX, to_bech32
from app.kernel.context import Context
from app.kernel.crypto import module_address, sha256
from app.kernel.decimals import quo, to_dec, truncate
from app.kernel.errors import Rejected, require
from app.kernel.frozen import frozen
from app.kernel.record import (
    ADDRESS_BYTES,
    U32,
    U64,
    U128,
    Address,
    ConsensusKey,
    Dec,
    Operator,
    Time,
)
from app.kernel.store import Reader, State
from app.kernel.table import Index, Singleton, Table
from app.kernel.tx import Coin
from app.modules import bank, clock, distribution

BONDED_POOL = module_address("bonded_tokens_pool")
NOT_BONDED_POOL = module_address("not_bonded_tokens_pool")
POWER_UNIT_UFLT = 1_000_000
"""What a unit of a validator's power stands for."""
POWER_MAX = (1 << 63) // 8 - 1
"""What the powers of all validators may sum up to in the engine."""


HISTORICAL_ENTRIES = 1
"""As Cosmos' clients see it: a header stands in its block alone."""


@frozen
class Params:
    """How many validators there are, and what may be staked how."""

    unbonding_s: U64 = U64(7 * 24 * 3600)
    """How long what is taken out, and who drops out, may still be slashed."""
    max_validators: U32 = U32(100)
    max_entries: U32 = U32(7)
    """Unbondings or redelegations at a time of one delegator between the same validators."""
    min_commission_rate: Dec = Dec(0)
    releases_per_block_max: U32 = U32(100)
    """Unbondings and redelegations that end in one block; the rest waits for the next."""


class BondStatus(IntEnum):
    """Whether a validator takes part in consensus."""

    UNSPECIFIED = 0
    UNBONDED = 1
    UNBONDING = 2
    BONDED = 3


@frozen
class Description:
    """What a validator says of itself."""

    moniker: str
    identity: str
    website: str
    security_contact: str
    details: str


@frozen
class CommissionRates:
    """What part of its delegators' rewards a validator keeps, and how that may change."""

    rate: Dec
    max_rate: Dec
    max_change_rate: Dec
    """By how much it may change in a day."""


@frozen
class Validator:
    """One validator."""

    operator: Operator
    key: ConsensusKey
    jailed: bool
    status: BondStatus
    power: U64
    """What the engine was told that its vote weighs; 0 unless it is bonded."""
    tokens_uflt: U128
    shares: Dec
    """How many shares its delegators hold of these tokens."""
    description: Description
    rates: CommissionRates
    rate_changed_ms: U64
    """By the chain's clock."""
    self_min_uflt: U128
    """Below this the operator's own delegation has the validator jailed."""
    unbonding_height: U64
    unbonding_ms: U64
    """When it is no longer unbonding, by the chain's clock."""


@frozen
class Operated:
    """Whose consensus key it is."""

    operator: Operator


@frozen
class Delegation:
    """A delegator's shares in a validator."""

    delegator: Address
    operator: Operator
    shares: Dec


@frozen
class UnbondingEntry:
    """Some money on its way back to a delegator."""

    entry_id: U64
    height: U64
    release_ms: U64
    """By the chain's clock."""
    initial_uflt: U128
    balance_uflt: U128
    """What slashing has left of it."""


@frozen
class Unbonding:
    """All money on its way from a validator back to a delegator."""

    delegator: Address
    operator: Operator
    entries: tuple[UnbondingEntry, ...]


@frozen
class RedelegationEntry:
    """Some stake that was moved, and may still be slashed for its former validator."""

    entry_id: U64
    height: U64
    release_ms: U64
    initial_uflt: U128
    shares: Dec
    """What it became at the validator it was moved to."""


@frozen
class Redelegation:
    """All stake that a delegator has moved lately from one validator to another."""

    delegator: Address
    source: Operator
    destination: Operator
    entries: tuple[RedelegationEntry, ...]


@frozen
class EntryCount:
    """How many unbondings and redelegations were begun."""

    count: U64 = U64(0)


class NoSuchValidator(Rejected):
    """A validator that isn't there."""

    code = 3001
    text = (
        "validator_address {operator}: validator does not exist; choose one of the {limit} that "
        "the query Validators shows"
    )


class NoSuchDelegation(Rejected):
    """A delegation that isn't there."""

    code = 3002
    text = (
        "delegation of {delegator} with {operator}: key not found: no delegation for "
        "(address, validator) tuple; the query DelegatorDelegations shows what there is"
    )


class WrongStakeDenom(Rejected):
    """Stake in something else than uflt, or none."""

    code = 3003
    text = (
        "amount {coin}: invalid request: invalid coin denomination or amount, expected a positive "
        "amount of {limit}; state it so"
    )


class NoExchangeRate(Rejected):
    """A validator that has lost everything, though it has delegators."""

    code = 3004
    text = (
        "validator_address {operator}: cannot delegate to validators with invalid (zero) ex-rate: "
        "its tokens are 0, the limit is above that; choose another"
    )


PARAMS = Singleton("staking/params", Params)
VALIDATORS = Table("staking/validator", key=(Operator,), record=Validator)
OPERATORS = Table("staking/operator", key=(bytes,), record=Operated)
"""Whose key it is, by consensus address."""
BANNED = Index("staking/banned", key=(bytes,))
"""Consensus addresses whose keys nobody may be a validator with again."""
BONDED = Index("staking/bonded", key=(Operator,))
RANKS = Index("staking/rank", key=(U64, Operator))
"""Those who may take part in consensus, the most powerful first: by what power lacks to 2^64."""
VALIDATORS_DUE = Index("staking/validator_due", key=(U64, Operator))
"""Unbonding validators by the clock at which they no longer are."""
DELEGATIONS = Table("staking/delegation", key=(Address, Operator), record=Delegation)
DELEGATORS = Index("staking/delegator", key=(Operator, Address))
UNBONDINGS = Table("staking/unbonding", key=(Address, Operator), record=Unbonding)
LEAVING = Index("staking/leaving", key=(Operator, Address))
"""Who has money on its way out of a validator."""
REDELEGATIONS = Table(
    "staking/redelegation", key=(Address, Operator, Operator), record=Redelegation
)
MOVED_FROM = Index("staking/moved_from", key=(Operator, Address, Operator))
MOVED_TO = Index("staking/moved_to", key=(Address, Operator, Operator))
"""By delegator, then where to, then where from."""
ENTRIES_DUE = Index("staking/entry_due", key=(U64, Address, Operator, Operator))
"""Entries by the clock at which they end; those of unbondings name no destination."""
ENTRY_COUNT = Singleton("staking/entry_count", EntryCount)


def operator_of(address: Address) -> Operator:
    """Return an account as the operator of its validator."""
    return Operator(address)


def account_of(operator: Operator) -> Address:
    """Return the account of an operator."""
    return Address(operator)


def operator_text(operator: bytes) -> str:
    """Return an operator as people see it."""
    return to_bech32(operator, OPERATOR_PREFIX)


def consensus_address(key: ConsensusKey) -> bytes:
    """Return the address of a consensus key, as it stands in block headers (CometBFT)."""
    return sha256(key)[:ADDRESS_BYTES]


def find_validator(state: Reader, address: bytes) -> Validator | None:
    """Return the validator with a consensus address, or None."""
    found = OPERATORS.get(state, address)
    return None if found is None else VALIDATORS.must(state, found.operator)


def require_validator(state: Reader, operator: Operator) -> Validator:
    """Return a validator that the user named."""
    found = VALIDATORS.get(state, operator)
    if found is None:
        count = sum(1 for _ in VALIDATORS.items(state))
        raise NoSuchValidator(operator=operator_text(operator), limit=count)
    return found


def require_delegation(state: Reader, delegator: Address, operator: Operator) -> Delegation:
    """Return a delegation that the user named."""
    found = DELEGATIONS.get(state, (delegator, operator))
    if found is None:
        raise NoSuchDelegation(delegator=to_bech32(delegator), operator=operator_text(operator))
    return found


def bonded_validators(state: Reader) -> Iterator[Validator]:
    """Walk the validators that take part in consensus."""
    for operator in BONDED.keys(state):
        yield VALIDATORS.must(state, operator)


def bonded_uflt(state: Reader) -> int:
    """Return how much is staked with validators that take part in consensus."""
    return bank.get_balance(state, BONDED_POOL)


def find_stakes(state: Reader, delegator: Address) -> Iterator[tuple[Delegation, Validator]]:
    """Walk an account's delegations with their validators."""
    for (_, operator), delegation in DELEGATIONS.items(state, (delegator,)):
        yield delegation, VALIDATORS.must(state, operator)


def find_delegations(state: Reader, operator: Operator) -> Iterator[Delegation]:
    """Walk the delegations with a validator."""
    for _, delegator in DELEGATORS.keys(state, (operator,)):
        yield DELEGATIONS.must(state, (delegator, operator))


def pool_of(validator: Validator) -> Address:
    """Return the account that holds a validator's tokens."""
    return BONDED_POOL if validator.status is BondStatus.BONDED else NOT_BONDED_POOL


def potential_power(validator: Validator) -> int:
    """Return what a validator's vote would weigh."""
    return min(validator.tokens_uflt // POWER_UNIT_UFLT, POWER_MAX)


def tokens_of(validator: Validator, shares: int) -> Dec:
    """Return what shares in a validator are worth, in uflt with 18 decimals."""
    return quo(shares * validator.tokens_uflt, validator.shares)


def whole_tokens_of(validator: Validator, shares: int) -> int:
    """Return what shares in a validator are worth, in whole uflt."""
    return truncate(tokens_of(validator, shares))


def shares_for(validator: Validator, amount_uflt: int) -> Dec:
    """Return the shares in a validator that are worth so much, rounded down."""
    if not validator.shares:
        return to_dec(amount_uflt)
    return Dec(validator.shares * amount_uflt // validator.tokens_uflt)


def stake_uflt(coin: Coin) -> int:
    """Return an amount that may be staked."""
    is_stake = coin.denom == bank.DENOM and coin.amount > 0
    require(is_stake, WrongStakeDenom, coin=f"{coin.amount}{coin.denom}", limit=bank.DENOM)
    return coin.amount


def store(state: State, validator: Validator) -> None:
    """Write a validator, and where it is found."""
    before = VALIDATORS.get(state, validator.operator)
    remove_places(state, before)
    VALIDATORS.put(state, validator.operator, validator)
    distribution.set_validator(state, validator.operator, validator.power, validator.rates.rate)
    if validator.status is BondStatus.BONDED:
        BONDED.add(state, validator.operator)
    if is_ranked(validator):
        RANKS.add(state, rank_of(validator))


def remove(state: State, ctx: Context, validator: Validator) -> None:
    """Forget a validator in which nobody has a share."""
    remove_places(state, VALIDATORS.must(state, validator.operator))
    VALIDATORS.delete(state, validator.operator)
    OPERATORS.delete(state, consensus_address(validator.key))
    distribution.remove_validator(state, ctx, validator.operator)


def remove_places(state: State, validator: Validator | None) -> None:
    """Take a validator out of the indexes that find it."""
    if validator is not None and validator.status is BondStatus.BONDED:
        BONDED.remove(state, validator.operator)
    if validator is not None and is_ranked(validator):
        RANKS.remove(state, rank_of(validator))


def is_ranked(validator: Validator) -> bool:
    """Whether a validator may take part in consensus."""
    return not validator.jailed and potential_power(validator) > 0


def rank_of(validator: Validator) -> tuple[U64, Operator]:
    """Return a validator's place among those who may take part in consensus."""
    return U64((1 << 64) - 1 - potential_power(validator)), validator.operator


def next_entry_id(state: State) -> U64:
    """Return the number of another unbonding or redelegation."""
    count = U64(ENTRY_COUNT.get(state).count + 1)
    ENTRY_COUNT.put(state, EntryCount(count))
    return count


def to_date(state: Reader, clock_ms: int) -> Time:
    """Return the date at which the chain's clock shows a time, if it doesn't stand still before."""
    return Time(clock_ms + clock.HALTS.get(state).total_ms)


def unbonding_end_ms(state: Reader, ctx: Context) -> U64:
    """Return when an unbonding that begins now ends, by the chain's clock."""
    return U64(ctx.block.clock_ms + PARAMS.get(state).unbonding_s * 1_000)


def with_tokens(validator: Validator, tokens_uflt: int, shares: int) -> Validator:
    """Return a validator with other tokens and shares."""
    return replace(validator, tokens_uflt=U128(tokens_uflt), shares=Dec(shares))
