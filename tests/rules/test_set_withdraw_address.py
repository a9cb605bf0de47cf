"""SetWithdrawAddress: somebody's rewards go to another account."""

from dataclasses import replace

import pytest

from app.kernel.crypto import module_address
from app.kernel.record import NO_ADDRESS, Address
from app.modules.distribution import (
    PARAMS,
    RECIPIENTS,
    BadRecipient,
    RecipientsFixed,
    SetWithdrawAddress,
    WithdrawAddressSet,
    WithdrawDelegatorReward,
)
from tests.build import an_address
from tests.build_rewards import a_world_with_stake, pay_fees
from tests.build_staking import a_delegation, an_operator

ADA, OLGA = an_address("ada"), an_address("olga")


def test_rewards_go_elsewhere_and_back() -> None:
    world = a_world_with_stake()
    world.run(SetWithdrawAddress(ADA, OLGA))
    assert world.said(WithdrawAddressSet) == [WithdrawAddressSet(OLGA)]
    pay_fees(world, 5_000_000)
    world.run(WithdrawDelegatorReward(ADA, an_operator("vera")))
    assert world.balance(OLGA) == 1_764_000
    pay_fees(world, 5_000_000)
    world.run(a_delegation(ADA, "vera", 1))
    assert world.balance(OLGA) == 2 * 1_764_000
    world.run(SetWithdrawAddress(ADA, ADA))
    assert list(RECIPIENTS.items(world.state)) == []


@pytest.mark.parametrize("recipient", [NO_ADDRESS, module_address("escrow")])
def test_they_go_to_people(recipient: Address) -> None:
    message = SetWithdrawAddress(ADA, recipient)
    a_world_with_stake().refused(message, BadRecipient, "not allowed to receive", "no module's")


def test_the_params_can_forbid_it() -> None:
    world = a_world_with_stake()
    PARAMS.put(world.state, replace(PARAMS.get(world.state), withdraw_addr_enabled=False))
    world.refused(SetWithdrawAddress(ADA, OLGA), RecipientsFixed, "disabled", "withdraw and send")
