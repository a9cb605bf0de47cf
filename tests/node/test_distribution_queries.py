"""What Cosmos' clients see of rewards."""

from typing import Any

import pytest
from cosmpy.protos.cosmos.distribution.v1beta1 import query_pb2

from app.kernel.bech32 import to_bech32
from app.kernel.decimals import ONE
from app.kernel.trie import Forest
from app.modules.distribution import FundCommunityPool, SetWithdrawAddress
from app.node.question import Refusal, View
from app.node.rest_json import to_json
from app.node.views import answer
from app.wire.records import write_operator
from tests.build import World, an_address
from tests.build_gov import coins
from tests.build_rewards import a_world_with_stake, pay_fees
from tests.build_staking import a_delegation, an_operator

ADA = to_bech32(an_address("ada"))


def a_world() -> World:
    """A world in which fees were paid and Ben has staked with both validators."""
    world = a_world_with_stake()
    pay_fees(world, 5_000_000)
    world.run(a_delegation(an_address("ben"), "vito", 10))
    return world


def ask(world: World, name: str, **fields: Any) -> Any:
    """The answer to a question."""
    request = getattr(query_pb2, f"Query{name}Request")(**fields)
    path = f"/cosmos.distribution.v1beta1.Query/{name}"
    data = answer(View(world.state, world.block, Forest()), path, request.SerializeToString())
    return getattr(query_pb2, f"Query{name}Response").FromString(data)


def text(name: str) -> str:
    """A validator as it is named."""
    return write_operator(an_operator(name))


def amounts(found: Any) -> list[tuple[str, str]]:
    """Amounts as they are shown."""
    return [(coin.denom, coin.amount) for coin in found]


def uflt(amount: int) -> list[tuple[str, str]]:
    """So many uflt as they are shown."""
    return [("uflt", str(amount * ONE))]


def test_a_validator_s_rewards_and_commission_are_shown() -> None:
    world = a_world()
    vera = {"validator_address": text("vera")}
    assert amounts(ask(world, "ValidatorCommission", **vera).commission.commission) == uflt(392_000)
    owed = ask(world, "ValidatorOutstandingRewards", **vera).rewards.rewards
    assert amounts(owed) == uflt(3_920_000)
    info = ask(world, "ValidatorDistributionInfo", **vera)
    assert info.operator_address == to_bech32(an_address("vera"))
    assert amounts(info.self_bond_rewards) == uflt(882_000)
    assert amounts(info.commission) == uflt(392_000)
    assert list(ask(world, "ValidatorSlashes", **vera).slashes) == []


def test_a_delegator_s_rewards_are_shown_by_validator_and_together() -> None:
    world = a_world()
    one = ask(world, "DelegationRewards", delegator_address=ADA, validator_address=text("vera"))
    assert amounts(one.rewards) == uflt(1_764_000)
    ben = to_bech32(an_address("ben"))
    found = ask(world, "DelegationTotalRewards", delegator_address=ben)
    shown = {each.validator_address: amounts(each.reward) for each in found.rewards}
    assert shown == {text("vera"): uflt(882_000), text("vito"): []}
    assert amounts(found.total) == uflt(882_000)
    names = ask(world, "DelegatorValidators", delegator_address=ben).validators
    assert sorted(names) == sorted([text("vera"), text("vito")])
    json = to_json(one)
    assert json == {"rewards": [{"denom": "uflt", "amount": "1764000.000000000000000000"}]}


def test_who_is_paid_and_what_the_community_has_is_shown() -> None:
    world = a_world()
    request = {"delegator_address": ADA}
    assert ask(world, "DelegatorWithdrawAddress", **request).withdraw_address == ADA
    world.run(SetWithdrawAddress(an_address("ada"), an_address("olga")))
    olga = to_bech32(an_address("olga"))
    assert ask(world, "DelegatorWithdrawAddress", **request).withdraw_address == olga
    world.run(FundCommunityPool(coins(7), an_address("eve")))
    assert amounts(ask(world, "CommunityPool").pool) == uflt(100_007)


def test_the_params_are_shown() -> None:
    shown = to_json(ask(a_world(), "Params"))["params"]
    assert shown == {
        "community_tax": "0.020000000000000000",
        "base_proposer_reward": "0.000000000000000000",
        "bonus_proposer_reward": "0.000000000000000000",
        "withdraw_addr_enabled": True,
    }


def test_what_is_not_there_is_said_to_be_missing() -> None:
    world = a_world()
    for name, fields in (
        ("ValidatorCommission", {"validator_address": text("eve")}),
        ("DelegationRewards", {"delegator_address": ADA, "validator_address": text("vito")}),
    ):
        with pytest.raises(Refusal, match=r"does not exist|not found") as caught:
            ask(world, name, **fields)
        assert caught.value.is_missing
    with pytest.raises(Refusal, match="validator_address: address"):
        ask(world, "ValidatorSlashes", validator_address=ADA)
