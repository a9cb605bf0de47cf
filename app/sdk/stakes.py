"""What an account has staked, earned and taken out, as Cosmos' queries show it."""

from __future__ import annotations

from typing import Any

from cosmpy.protos.cosmos.distribution.v1beta1 import query_pb2 as distribution_query
from cosmpy.protos.cosmos.staking.v1beta1 import query_pb2 as staking_query

from app.kernel.bech32 import to_bech32
from app.kernel.decimals import truncate
from app.kernel.frozen import frozen
from app.kernel.page import PAGE_MAX
from app.kernel.record import Address, Dec, Operator
from app.sdk.connection import Connection, QueryRefused
from app.wire.records import write_operator

STAKING, DISTRIBUTION = "cosmos.staking.v1beta1", "cosmos.distribution.v1beta1"
NO_VALIDATOR = (3, "staking")
"""The code and codespace of a question for a validator that isn't there."""


@frozen
class Stake:
    """What an account has with a validator, and what that has earned, in whole uflt."""

    validator: str
    """Its operator, as people see it."""
    amount_uflt: int
    reward_uflt: int


@frozen
class Unbonding:
    """What is on its way out of a validator since a height, and the second when it arrives."""

    validator: str
    amount_uflt: int
    height: int
    release_unix_s: int


@frozen
class Move:
    """What was moved from one validator to another, and until which second the first counts."""

    source: str
    destination: str
    amount_uflt: int
    release_unix_s: int


@frozen
class Stakes:
    """All that an account has staked, who gets its rewards, and what it earned as an operator."""

    stakes: tuple[Stake, ...]
    unbondings: tuple[Unbonding, ...]
    moves: tuple[Move, ...]
    recipient: str
    commission_uflt: int | None
    """None for who operates no validator."""


async def read_stakes(connection: Connection, account: Address) -> Stakes:
    """Return all that an account has to do with validators."""
    who = to_bech32(account)
    named = {"delegator_address": who}
    recipient = await ask(connection, DISTRIBUTION, "DelegatorWithdrawAddress", **named)
    commission = await read_commission(connection, Operator(account))
    return Stakes(
        stakes=await read_own(connection, who),
        unbondings=tuple(
            [
                Unbonding(
                    row.validator_address,
                    int(entry.balance),
                    entry.creation_height,
                    entry.completion_time.seconds,
                )
                for row in await walk(connection, "DelegatorUnbondingDelegations", who)
                for entry in row.entries
            ]
        ),
        moves=tuple(
            [
                Move(
                    row.redelegation.validator_src_address,
                    row.redelegation.validator_dst_address,
                    int(entry.balance),
                    entry.redelegation_entry.completion_time.seconds,
                )
                for row in await walk(connection, "Redelegations", who)
                for entry in row.entries
            ]
        ),
        recipient=recipient.withdraw_address,
        commission_uflt=commission,
    )


async def read_own(connection: Connection, who: str) -> tuple[Stake, ...]:
    """Return what an account has with each validator."""
    found = await ask(connection, DISTRIBUTION, "DelegationTotalRewards", delegator_address=who)
    rewards = {row.validator_address: whole_uflt(row.reward) for row in found.rewards}
    return tuple(
        [
            Stake(
                row.delegation.validator_address,
                int(row.balance.amount),
                rewards.get(row.delegation.validator_address, 0),
            )
            for row in await walk(connection, "DelegatorDelegations", who)
        ]
    )


async def read_commission(connection: Connection, operator: Operator) -> int | None:
    """Return the commission that waits for an operator in whole uflt, None if it is none."""
    named = {"validator_address": write_operator(operator)}
    try:
        found = await ask(connection, DISTRIBUTION, "ValidatorCommission", **named)
    except QueryRefused as refusal:
        if (refusal.code, refusal.codespace) != NO_VALIDATOR:
            raise
        return None
    return whole_uflt(found.commission.commission)


def whole_uflt(coins: Any) -> int:
    """Return an amount with decimals as it would be paid."""
    return sum(truncate(Dec(int(coin.amount))) for coin in coins)


async def walk(connection: Connection, name: str, who: str) -> list[Any]:
    """Return the rows on all pages of an answer about a delegator."""
    rows: list[Any] = []
    key = b""
    while True:
        page = {"key": key, "limit": PAGE_MAX}
        found = await ask(connection, STAKING, name, delegator_addr=who, pagination=page)
        rows += getattr(found, ROWS[name])
        key = found.pagination.next_key
        if not key:
            return rows


async def ask(connection: Connection, service: str, name: str, **fields: Any) -> Any:
    """Return a node's answer to one of Cosmos' questions."""
    file = staking_query if service == STAKING else distribution_query
    request = getattr(file, f"Query{name}Request")(**fields)
    response_class = getattr(file, f"Query{name}Response")
    return await connection.call(f"/{service}.Query/{name}", request, response_class)


ROWS = {
    "DelegatorDelegations": "delegation_responses",
    "DelegatorUnbondingDelegations": "unbonding_responses",
    "Redelegations": "redelegation_responses",
}
