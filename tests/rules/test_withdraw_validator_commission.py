"""WithdrawValidatorCommission: an operator is paid what its validator keeps of rewards."""

from app.kernel.decimals import ONE
from app.kernel.tx import Coin
from app.modules.distribution import (
    CommissionWithdrawn,
    NoCommission,
    SetWithdrawAddress,
    WithdrawValidatorCommission,
)
from tests.build import RICH, an_address
from tests.build_rewards import a_world_with_stake, commission, pay_fees, reward
from tests.build_staking import an_operator

MESSAGE = WithdrawValidatorCommission(an_operator("vera"))
VERA, OLGA = an_address("vera"), an_address("olga")


def test_the_commission_is_paid_and_nothing_else() -> None:
    world = a_world_with_stake()
    pay_fees(world, 5_000_000)
    before = world.balance(VERA)
    assert world.run(MESSAGE).amount == (Coin("uflt", 392_000),)  # type: ignore[arg-type]
    assert world.balance(VERA) == before + 392_000
    assert (commission(world, "vera"), reward(world, VERA, "vera")) == (0, 882_000 * ONE)
    assert world.said(CommissionWithdrawn) == [
        CommissionWithdrawn("392000uflt", an_operator("vera"))
    ]


def test_it_goes_where_the_operator_s_rewards_go() -> None:
    world = a_world_with_stake()
    world.run(SetWithdrawAddress(VERA, OLGA))
    pay_fees(world, 5_000_000)
    world.run(MESSAGE)
    assert world.balance(OLGA) == 392_000


def test_less_than_a_uflt_is_refused() -> None:
    world = a_world_with_stake()
    world.refused(MESSAGE, NoCommission, "no validator commission", "pollenvaloper1", "0uflt")
    pay_fees(world, 12)
    assert 0 < commission(world, "vera") < ONE
    world.refused(MESSAGE, NoCommission, "the limit is 1uflt")
    nobody = WithdrawValidatorCommission(an_operator("eve"))
    world.refused(nobody, NoCommission, "no validator commission")
    assert world.balance(an_address("ada")) < RICH
