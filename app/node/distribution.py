"""What Cosmos' clients ask of rewards: `cosmos.distribution.v1beta1.Query`.

Amounts have 18 decimals and are uflt; none is shown where there is nothing.
"""

from __future__ import annotations

from typing import Any

from cosmpy.protos.cosmos.base.v1beta1.coin_pb2 import DecCoin
from cosmpy.protos.cosmos.distribution.v1beta1 import distribution_pb2, query_pb2

from app.kernel.bech32 import to_bech32
from app.kernel.decimals import to_dec
from app.kernel.record import Address, Operator
from app.kernel.store import Reader
from app.modules import bank, distribution
from app.node.question import Method, View
from app.node.staking import missing, read_address, read_operator
from app.wire.records import write_operator


def params(view: View, request: Any) -> Any:
    """Answer with the params; who proposes a block gets no more than others."""
    known = distribution.PARAMS.get(view.state)
    shown = distribution_pb2.Params(
        community_tax=str(known.community_tax),
        base_proposer_reward="0",
        bonus_proposer_reward="0",
        withdraw_addr_enabled=known.withdraw_addr_enabled,
    )
    return query_pb2.QueryParamsResponse(params=shown)


def validator_distribution_info(view: View, request: Any) -> Any:
    """Answer with a validator's commission, and what its operator's own stake has earned."""
    row = find_earner(view.state, request)
    own = Address(row.operator)
    reward = distribution.find_reward(view.state, own, row.operator)
    return query_pb2.QueryValidatorDistributionInfoResponse(
        operator_address=to_bech32(own),
        self_bond_rewards=write_coins(reward or 0),
        commission=write_coins(row.commission),
    )


def validator_outstanding_rewards(view: View, request: Any) -> Any:
    """Answer with all that is owed to a validator and those who have staked with it."""
    row = find_earner(view.state, request)
    rewards = distribution_pb2.ValidatorOutstandingRewards(rewards=write_coins(row.owed))
    return query_pb2.QueryValidatorOutstandingRewardsResponse(rewards=rewards)


def validator_commission(view: View, request: Any) -> Any:
    """Answer with a validator's commission."""
    row = find_earner(view.state, request)
    commission = distribution_pb2.ValidatorAccumulatedCommission(
        commission=write_coins(row.commission)
    )
    return query_pb2.QueryValidatorCommissionResponse(commission=commission)


def validator_slashes(view: View, request: Any) -> Any:
    """Answer with no slashes: rewards go by shares, which a slash leaves as they are."""
    find_earner(view.state, request)
    return query_pb2.QueryValidatorSlashesResponse(pagination={})


def delegation_rewards(view: View, request: Any) -> Any:
    """Answer with what an account's stake with a validator has earned."""
    place = read_delegator(request), read_validator(request)
    reward = distribution.find_reward(view.state, *place)
    if reward is None:
        raise missing(
            f"delegation of {request.delegator_address} with {request.validator_address} not found"
        )
    return query_pb2.QueryDelegationRewardsResponse(rewards=write_coins(reward))


def delegation_total_rewards(view: View, request: Any) -> Any:
    """Answer with what an account's stake has earned, by validator and together."""
    who = read_delegator(request)
    rewards = find_rewards(view.state, who)
    shown = [
        distribution_pb2.DelegationDelegatorReward(
            validator_address=write_operator(operator), reward=write_coins(reward)
        )
        for operator, reward in rewards.items()
    ]
    total = write_coins(sum(rewards.values()))
    return query_pb2.QueryDelegationTotalRewardsResponse(rewards=shown, total=total)


def delegator_validators(view: View, request: Any) -> Any:
    """Answer with the validators with which an account has staked."""
    who = read_delegator(request)
    names = [write_operator(operator) for operator in find_rewards(view.state, who)]
    return query_pb2.QueryDelegatorValidatorsResponse(validators=names)


def delegator_withdraw_address(view: View, request: Any) -> Any:
    """Answer with who gets an account's rewards."""
    recipient = distribution.recipient_of(view.state, read_delegator(request))
    return query_pb2.QueryDelegatorWithdrawAddressResponse(withdraw_address=to_bech32(recipient))


def community_pool(view: View, request: Any) -> Any:
    """Answer with what the treasury has."""
    held = bank.get_balance(view.state, distribution.TREASURY)
    return query_pb2.QueryCommunityPoolResponse(pool=write_coins(to_dec(held)))


def read_delegator(request: Any) -> Address:
    """Return the account that a question names."""
    return read_address(request.delegator_address, "delegator_address")


def read_validator(request: Any) -> Operator:
    """Return the operator that a question names."""
    return read_operator(request.validator_address, "validator_address")


def find_earner(state: Reader, request: Any) -> distribution.Earner:
    """Return what is known of the validator that a question names."""
    row = distribution.find_earner(state, read_validator(request))
    if row is None:
        text = f"validator {request.validator_address} does not exist"
        raise missing(f"{text}; the query Validators shows all")
    return row


def find_rewards(state: Reader, delegator: Address) -> dict[Operator, int]:
    """Return what an account's stake has earned, by validator."""
    operators = list(distribution.find_validators(state, delegator))
    return {each: distribution.find_reward(state, delegator, each) or 0 for each in operators}


def write_coins(amount: int) -> list[DecCoin]:
    """Return an amount of uflt with 18 decimals."""
    return [DecCoin(denom=bank.DENOM, amount=str(amount))] if amount else []


ANSWERS = {
    "Params": params,
    "ValidatorDistributionInfo": validator_distribution_info,
    "ValidatorOutstandingRewards": validator_outstanding_rewards,
    "ValidatorCommission": validator_commission,
    "ValidatorSlashes": validator_slashes,
    "DelegationRewards": delegation_rewards,
    "DelegationTotalRewards": delegation_total_rewards,
    "DelegatorValidators": delegator_validators,
    "DelegatorWithdrawAddress": delegator_withdraw_address,
    "CommunityPool": community_pool,
}
DISTRIBUTION_METHODS = {
    f"/cosmos.distribution.v1beta1.Query/{name}": Method(
        getattr(query_pb2, f"Query{name}Request"),
        getattr(query_pb2, f"Query{name}Response"),
        function,
    )
    for name, function in ANSWERS.items()
}
