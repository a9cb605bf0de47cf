"""Validators, what is staked with them, and their power in consensus, as in the Cosmos SDK.

Whoever delegates gets shares in a validator's tokens; slashing takes tokens and leaves the shares.
The most powerful take part in consensus; the engine hears of every change at the end of the block
in which it happens, and acts on it two blocks later. What is taken out arrives after the unbonding
time, what is moved to another validator may be slashed as long for the former one. Times are the
chain's clock, shown as dates. Nothing is written at the end of a block in which nothing is due.

records      what is known of validators and delegations
stake        tokens and shares come and go
queues       what ends when its time has come
powers       who takes part in consensus
slashing     what a fault costs
validators   CreateValidator, EditValidator, the validators of genesis
delegating   Delegate, Undelegate, BeginRedelegate, CancelUnbondingDelegation
"""

from __future__ import annotations

from app.kernel.errors import broken
from app.kernel.module import Message, Module
from app.kernel.store import Reader
from app.modules import bank, distribution
from app.modules.staking.delegating import (
    BeginRedelegate,
    BeginRedelegateResponse,
    CancelUnbondingDelegation,
    Delegate,
    Delegated,
    Redelegated,
    UnbondingCancelled,
    Undelegate,
    Undelegated,
    UndelegateResponse,
    begin_redelegate,
    cancel_unbonding_delegation,
    delegate,
    undelegate,
)
from app.modules.staking.powers import end_block
from app.modules.staking.queues import NO_OPERATOR, RedelegationCompleted, UnbondingCompleted
from app.modules.staking.records import (
    BANNED,
    BONDED,
    BONDED_POOL,
    DELEGATIONS,
    DELEGATORS,
    ENTRIES_DUE,
    ENTRY_COUNT,
    HISTORICAL_ENTRIES,
    LEAVING,
    MOVED_FROM,
    MOVED_TO,
    NOT_BONDED_POOL,
    OPERATORS,
    PARAMS,
    POWER_UNIT_UFLT,
    RANKS,
    REDELEGATIONS,
    UNBONDINGS,
    VALIDATORS,
    VALIDATORS_DUE,
    BondStatus,
    CommissionRates,
    Delegation,
    Description,
    NoSuchDelegation,
    NoSuchValidator,
    Params,
    Validator,
    account_of,
    bonded_uflt,
    bonded_validators,
    consensus_address,
    find_delegations,
    find_stakes,
    find_validator,
    is_ranked,
    operator_of,
    operator_text,
    rank_of,
    require_delegation,
    require_validator,
    to_date,
    tokens_of,
    whole_tokens_of,
)
from app.modules.staking.slashing import ban, set_jailed, slash
from app.modules.staking.stake import own_uflt
from app.modules.staking.validators import (
    CreateValidator,
    EditValidator,
    Founder,
    ValidatorCreated,
    ValidatorEdited,
    create_validator,
    edit_validator,
    found,
)

__all__ = [
    "HISTORICAL_ENTRIES",
    "PARAMS",
    "POWER_UNIT_UFLT",
    "REDELEGATIONS",
    "UNBONDINGS",
    "VALIDATORS",
    "BeginRedelegate",
    "BeginRedelegateResponse",
    "BondStatus",
    "CancelUnbondingDelegation",
    "CommissionRates",
    "CreateValidator",
    "Delegate",
    "Delegation",
    "Description",
    "EditValidator",
    "Founder",
    "NoSuchDelegation",
    "NoSuchValidator",
    "Params",
    "Undelegate",
    "UndelegateResponse",
    "Validator",
    "account_of",
    "ban",
    "bonded_uflt",
    "bonded_validators",
    "consensus_address",
    "find_delegations",
    "find_stakes",
    "find_validator",
    "found",
    "operator_of",
    "operator_text",
    "own_uflt",
    "require_delegation",
    "require_validator",
    "set_jailed",
    "slash",
    "to_date",
    "tokens_of",
    "whole_tokens_of",
]


def the_pools_hold_what_is_staked(state: Reader) -> None:
    """One account holds the tokens of bonded validators, another all other stake and unbondings."""
    sums = {BONDED_POOL: 0, NOT_BONDED_POOL: 0}
    for _, row in VALIDATORS.items(state):
        is_bonded = row.status is BondStatus.BONDED
        sums[BONDED_POOL if is_bonded else NOT_BONDED_POOL] += row.tokens_uflt
    for _, unbonding in UNBONDINGS.items(state):
        sums[NOT_BONDED_POOL] += sum([entry.balance_uflt for entry in unbonding.entries])
    if any(bank.get_balance(state, pool) != total for pool, total in sums.items()):
        broken(f"the pools hold what is staked: {list(sums.values())}")


def a_validator_s_shares_are_its_delegations(state: Reader) -> None:
    """A validator's shares are the sum of those of its delegations, none of which is empty."""
    sums = {operator: 0 for operator, _ in VALIDATORS.items(state)}
    for (_, operator), row in DELEGATIONS.items(state):
        if operator not in sums or not row.shares:
            broken("every delegation has shares in a validator that there is")
        sums[operator] += row.shares
    if any(row.shares != sums[operator] for operator, row in VALIDATORS.items(state)):
        broken("a validator's shares are the sum of those of its delegations")


def every_validator_is_found(state: Reader) -> None:
    """Every validator is found by its key, by its rank if it has one, and by being bonded."""
    rows = [row for _, row in VALIDATORS.items(state)]
    keys = sorted([(consensus_address(row.key), row.operator) for row in rows])
    known = sorted([(key, row.operator) for key, row in OPERATORS.items(state)])
    ranks = sorted([rank_of(row) for row in rows if is_ranked(row)])
    bonded = sorted([row.operator for row in rows if row.status is BondStatus.BONDED])
    if not (
        keys == known
        and ranks == sorted(RANKS.keys(state))
        and bonded == sorted(BONDED.keys(state))
    ):
        broken("every validator is found by its key, by its rank, and by being bonded")


def a_validator_has_power_if_it_is_bonded(state: Reader) -> None:
    """A validator has power if it is bonded, and an end to its unbonding if it is unbonding."""
    due = sorted(VALIDATORS_DUE.keys(state))
    unbonding = []
    for _, row in VALIDATORS.items(state):
        if (row.power > 0) != (row.status is BondStatus.BONDED):
            broken(f"{operator_text(row.operator)} has power if it is bonded")
        if row.status is BondStatus.UNBONDING:
            unbonding.append((row.unbonding_ms, row.operator))
    if sorted(unbonding) != due:
        broken("every unbonding validator is due once, at its own time")


def every_delegation_is_found_by_validator(state: Reader) -> None:
    """Every delegation, unbonding and redelegation is found by its validators, and none else."""
    moved = list(REDELEGATIONS.items(state))
    for index, wanted in (
        (DELEGATORS, [(to, who) for (who, to), _ in DELEGATIONS.items(state)]),
        (LEAVING, [(source, who) for (who, source), _ in UNBONDINGS.items(state)]),
        (MOVED_FROM, [(source, who, to) for (who, source, to), _ in moved]),
        (MOVED_TO, [(who, to, source) for (who, source, to), _ in moved]),
    ):
        if sorted(index.keys(state)) != sorted(wanted):
            broken(f"{index.name} finds every row by its validator, and none else")


def every_entry_is_due_once(state: Reader) -> None:
    """Every entry of an unbonding or a redelegation is due at its own time, and nothing else is."""
    wanted: dict[tuple[object, ...], None] = {}
    for (who, source), unbonding in UNBONDINGS.items(state):
        for entry in unbonding.entries:
            wanted[entry.release_ms, who, source, NO_OPERATOR] = None
    for (who, source, to), moved in REDELEGATIONS.items(state):
        for each in moved.entries:
            wanted[each.release_ms, who, source, to] = None
    if sorted(wanted) != sorted(ENTRIES_DUE.keys(state)):
        broken("every entry is due at its own time, and nothing else is")


def what_earns_is_what_is_staked(state: Reader) -> None:
    """Rewards go by the power, the commission and the shares that there are."""
    rows = {operator: (row.power, row.rates.rate) for operator, row in VALIDATORS.items(state)}
    shares = {place: row.shares for place, row in DELEGATIONS.items(state)}
    earners = {key: (row.power, row.rate) for key, row in distribution.EARNERS.items(state)}
    stakes = {place: row.shares for place, row in distribution.STAKES.items(state)}
    if rows != earners or shares != stakes:
        broken("rewards go by the power, the commission and the shares that there are")


MODULE = Module(
    name="staking",
    package="cosmos.staking.v1beta1",
    tables=(
        VALIDATORS,
        OPERATORS,
        BANNED,
        BONDED,
        RANKS,
        VALIDATORS_DUE,
        DELEGATIONS,
        DELEGATORS,
        UNBONDINGS,
        LEAVING,
        REDELEGATIONS,
        MOVED_FROM,
        MOVED_TO,
        ENTRIES_DUE,
        ENTRY_COUNT,
    ),
    params=PARAMS,
    messages={
        CreateValidator: Message(
            create_validator,
            gas=100_000,
            amino_name="cosmos-sdk/MsgCreateValidator",
            signer="validator_address",
        ),
        EditValidator: Message(
            edit_validator,
            gas=30_000,
            amino_name="cosmos-sdk/MsgEditValidator",
            signer="validator_address",
        ),
        Delegate: Message(delegate, gas=40_000, amino_name="cosmos-sdk/MsgDelegate"),
        Undelegate: Message(
            undelegate,
            gas=50_000,
            amino_name="cosmos-sdk/MsgUndelegate",
            response=UndelegateResponse,
        ),
        BeginRedelegate: Message(
            begin_redelegate,
            gas=60_000,
            amino_name="cosmos-sdk/MsgBeginRedelegate",
            response=BeginRedelegateResponse,
        ),
        CancelUnbondingDelegation: Message(
            cancel_unbonding_delegation,
            gas=40_000,
            amino_name="cosmos-sdk/MsgCancelUnbondingDelegation",
        ),
    },
    events=(
        ValidatorCreated,
        ValidatorEdited,
        Delegated,
        Undelegated,
        Redelegated,
        UnbondingCancelled,
        UnbondingCompleted,
        RedelegationCompleted,
    ),
    end_block=end_block,
    invariants=(
        the_pools_hold_what_is_staked,
        a_validator_s_shares_are_its_delegations,
        every_validator_is_found,
        a_validator_has_power_if_it_is_bonded,
        every_delegation_is_found_by_validator,
        every_entry_is_due_once,
        what_earns_is_what_is_staked,
    ),
)
