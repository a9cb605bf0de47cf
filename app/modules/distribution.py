"""Distribution: fees become the rewards of validators and of those who have staked with them.

At the end of a block its fees leave the account `fee_collector`: a part, the community tax, goes to
the treasury, the rest to who takes part in consensus, in proportion to power. Of a validator's part
it keeps its commission, the rest belongs to its shares. Nobody's row is written for that: a sum for
each unit of power, and one for each share, only grow, and a row says where they stood when it was
last looked at (F1, Ojha and Goes 2019). So a block costs the same whatever the number of
validators, and one without fees writes nothing. A slash leaves shares as they are, so it needs no
record here. All amounts have 18 decimals; what no division reaches waits for the next one, and
whole uflt are paid: to the delegator itself, or where it says. Who changes its stake is paid first.

Staking says what power and shares there are; it stands above.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import ClassVar

from app.kernel.bech32 import OPERATOR_PREFIX, to_bech32
from app.kernel.context import Context
from app.kernel.crypto import module_address
from app.kernel.decimals import ONE, mul_truncate, to_dec, truncate
from app.kernel.errors import Rejected, broken, require
from app.kernel.frozen import frozen
from app.kernel.module import Message, Module
from app.kernel.record import U64, U128, Address, Dec, Operator
from app.kernel.store import Reader, State
from app.kernel.table import Singleton, Table
from app.kernel.tx import Coin
from app.modules import bank, fees

REWARDS = module_address("distribution")
TREASURY = module_address("treasury")


@frozen
class Params:
    """What the community takes, and whether rewards may go elsewhere."""

    community_tax: Dec = Dec(ONE // 50)
    """The part of all fees that goes to the treasury."""
    withdraw_addr_enabled: bool = True
    """Whether a delegator may say where its rewards go."""


@frozen
class Pot:
    """What all validators have earned."""

    power: U64 = U64(0)
    """Of all who take part in consensus."""
    per_power: Dec = Dec(0)
    """Earned by a unit of power since the chain began."""
    undivided: Dec = Dec(0)
    """What couldn't be divided yet."""


@frozen
class Earner:
    """What a validator and those who have staked with it have earned and not been paid."""

    operator: Operator
    power: U64
    """0 unless it takes part in consensus."""
    rate: Dec
    """Its commission."""
    shares: Dec
    per_power: Dec
    """Of the pot, when this row was last looked at."""
    per_share: Dec
    """Earned by a share since the validator began."""
    undivided: Dec
    """What couldn't be divided among shares yet."""
    commission: Dec
    """Of what is owed, what is the operator's."""
    owed: Dec
    """To all, what isn't divided included."""


@frozen
class Stake:
    """A delegator's shares, and what they have earned."""

    shares: Dec
    per_share: Dec
    """Of the validator, when the delegator was last paid."""
    rest: Dec
    """Less than a uflt, which couldn't be paid then."""


@frozen
class Recipient:
    """Who gets a delegator's rewards in its place."""

    address: Address


@frozen
class SetWithdrawAddress:
    """Say who gets one's rewards."""

    delegator_address: Address
    withdraw_address: Address


@frozen
class WithdrawDelegatorReward:
    """Be paid what one's stake with a validator has earned."""

    delegator_address: Address
    validator_address: Operator


@frozen
class WithdrawDelegatorRewardResponse:
    """What was paid."""

    amount: tuple[Coin, ...]


@frozen
class WithdrawValidatorCommission:
    """Be paid one's commission."""

    validator_address: Operator


@frozen
class WithdrawValidatorCommissionResponse:
    """What was paid."""

    amount: tuple[Coin, ...]


@frozen
class FundCommunityPool:
    """Give money to the treasury."""

    amount: tuple[Coin, ...]
    depositor: Address


@frozen
class WithdrawAddressSet:
    """Somebody's rewards go elsewhere."""

    EVENT_TYPE: ClassVar[str] = "set_withdraw_address"
    withdraw_address: Address


@frozen
class RewardsWithdrawn:
    """A delegator was paid."""

    EVENT_TYPE: ClassVar[str] = "withdraw_rewards"
    amount: str
    validator: Operator
    delegator: Address


@frozen
class CommissionWithdrawn:
    """A validator's operator was paid its commission."""

    EVENT_TYPE: ClassVar[str] = "withdraw_commission"
    amount: str
    validator: Operator


class NothingStaked(Rejected):
    """Rewards of stake that isn't there."""

    code = 3201
    text = (
        "validator_address {operator}: no delegation distribution info of {delegator}, the limit "
        "is those it has staked with; the query DelegatorValidators shows them"
    )


class NoCommission(Rejected):
    """A commission of less than a uflt."""

    code = 3202
    text = (
        "validator_address {operator}: no validator commission to withdraw: it is {value}uflt, "
        "the limit is 1uflt; wait for more"
    )


class BadRecipient(Rejected):
    """Rewards for nobody, or for an account of a module."""

    code = 3203
    text = (
        "withdraw_address {value}: is not allowed to receive external funds, the limit is an "
        "account that is no module's; name another"
    )


class RecipientsFixed(Rejected):
    """Rewards that the params let go to the delegators alone."""

    code = 3204
    text = (
        "withdraw_address {value}: set withdraw address disabled by the params, the limit is "
        "{limit}; withdraw and send"
    )


class InvalidGift(Rejected):
    """Something else than uflt for the treasury, or nothing."""

    code = 3205
    text = "amount {value}: invalid coins, the limit is an amount of uflt; state it so"


PARAMS = Singleton("distribution/params", Params)
POT = Singleton("distribution/pot", Pot)
EARNERS = Table("distribution/earner", key=(Operator,), record=Earner)
STAKES = Table("distribution/stake", key=(Address, Operator), record=Stake)
RECIPIENTS = Table("distribution/recipient", key=(Address,), record=Recipient)


def find_earner(state: Reader, operator: Operator) -> Earner | None:
    """Return a validator's row as it is once all that was earned until now has reached it."""
    found = EARNERS.get(state, operator)
    return None if found is None else bring_up(POT.get(state), found)


def bring_up(pot: Pot, row: Earner) -> Earner:
    """Return a row with what its power has earned since it was last looked at.

    Of a validator in which nobody has a share, all is commission.
    """
    earned = (pot.per_power - row.per_power) * row.power
    commission = mul_truncate(earned, row.rate) if row.shares else earned
    ready = row.undivided + earned - commission
    per_share = ready * ONE // row.shares if row.shares else 0
    divided = -(-per_share * row.shares // ONE)
    return replace(
        row,
        per_power=pot.per_power,
        per_share=Dec(row.per_share + per_share),
        undivided=Dec(ready - divided),
        commission=Dec(row.commission + commission),
        owed=Dec(row.owed + earned),
    )


def find_reward(state: Reader, delegator: Address, operator: Operator) -> Dec | None:
    """Return what an account's stake with a validator has earned; None if there is no stake."""
    row, stake = find_earner(state, operator), STAKES.get(state, (delegator, operator))
    return None if row is None or stake is None else reward_of(row, stake)


def find_validators(state: Reader, delegator: Address) -> Iterator[Operator]:
    """Walk the validators with which an account has staked."""
    for (_, operator), _ in STAKES.items(state, (delegator,)):
        yield operator


def reward_of(row: Earner, stake: Stake) -> Dec:
    """Return what a stake has earned and not been paid."""
    return Dec(stake.rest + mul_truncate(stake.shares, row.per_share - stake.per_share))


def recipient_of(state: Reader, delegator: Address) -> Address:
    """Return who gets an account's rewards."""
    found = RECIPIENTS.get(state, delegator)
    return delegator if found is None else found.address


def coins_of(amount_uflt: int) -> tuple[Coin, ...]:
    """Return an amount as messages hold it."""
    return (Coin(bank.DENOM, U128(amount_uflt)),) if amount_uflt else ()


def set_validator(state: State, operator: Operator, power: int, rate: int) -> None:
    """Note what a validator's vote weighs and what commission it takes, from now on."""
    pot, known = POT.get(state), EARNERS.get(state, operator)
    if known is not None and (known.power, known.rate) == (power, rate):
        return
    zero = Dec(0)
    new = Earner(operator, U64(0), zero, zero, pot.per_power, zero, zero, zero, zero)
    row = bring_up(pot, known or new)
    if power != row.power:
        POT.put(state, replace(pot, power=U64(pot.power - row.power + power)))
    EARNERS.put(state, operator, replace(row, power=U64(power), rate=Dec(rate)))


def set_stake(
    state: State, ctx: Context, delegator: Address, operator: Operator, shares: int
) -> None:
    """Note how many shares in a validator an account has from now on; pay for those it had."""
    place = (delegator, operator)
    before = STAKES.get(state, place)
    if before is not None:
        pay_reward(state, ctx, delegator, operator)
    row = find_earner(state, operator) or broken("who stakes does so with a validator")
    paid, had = STAKES.get(state, place), 0 if before is None else before.shares
    EARNERS.put(state, operator, replace(row, shares=Dec(row.shares - had + shares)))
    if shares:
        rest = Dec(0) if paid is None else paid.rest
        STAKES.put(state, place, Stake(Dec(shares), row.per_share, rest))
    else:
        STAKES.delete(state, place)


def remove_validator(state: State, ctx: Context, operator: Operator) -> None:
    """Pay a validator that is none any more its commission; what is left is for the others."""
    row = find_earner(state, operator) or broken("who was a validator has a row")
    if row.power or row.shares:
        broken("who has power or shares is a validator")
    if truncate(row.commission):
        pay_commission(state, ctx, row)
        row = EARNERS.must(state, operator)
    pot = POT.get(state)
    if row.owed:
        POT.put(state, replace(pot, undivided=Dec(pot.undivided + row.owed)))
    EARNERS.delete(state, operator)


def pay_reward(state: State, ctx: Context, delegator: Address, operator: Operator) -> int:
    """Pay an account what its stake with a validator has earned; return the whole uflt."""
    row = find_earner(state, operator) or broken("who stakes does so with a validator")
    stake = STAKES.must(state, (delegator, operator))
    reward = reward_of(row, stake)
    amount = truncate(reward)
    rest = Dec(reward - to_dec(amount))
    bank.move(state, ctx, REWARDS, recipient_of(state, delegator), amount)
    EARNERS.put(state, operator, replace(row, owed=Dec(row.owed - to_dec(amount))))
    STAKES.put(state, (delegator, operator), Stake(stake.shares, row.per_share, rest))
    ctx.emit(RewardsWithdrawn(f"{amount}{bank.DENOM}", operator, delegator))
    return amount


def pay_commission(state: State, ctx: Context, row: Earner) -> int:
    """Pay a validator's operator its commission; return the whole uflt."""
    amount = truncate(row.commission)
    paid = to_dec(amount)
    left = replace(row, commission=Dec(row.commission - paid), owed=Dec(row.owed - paid))
    bank.move(state, ctx, REWARDS, recipient_of(state, Address(row.operator)), amount)
    EARNERS.put(state, row.operator, left)
    ctx.emit(CommissionWithdrawn(f"{amount}{bank.DENOM}", row.operator))
    return amount


def set_withdraw_address(state: State, ctx: Context, msg: SetWithdrawAddress) -> None:
    """Let somebody's rewards go to another account, or to itself again."""
    delegator, recipient = msg.delegator_address, msg.withdraw_address
    shown = to_bech32(recipient) or "empty"
    is_free = PARAMS.get(state).withdraw_addr_enabled
    require(is_free, RecipientsFixed, value=shown, limit=to_bech32(delegator))
    is_person = bool(recipient) and recipient not in bank.MODULE_ADDRESSES
    require(is_person, BadRecipient, value=shown)

    if recipient == delegator:
        RECIPIENTS.delete(state, delegator)
    else:
        RECIPIENTS.put(state, delegator, Recipient(recipient))
    ctx.emit(WithdrawAddressSet(recipient))


def withdraw_delegator_reward(
    state: State, ctx: Context, msg: WithdrawDelegatorReward
) -> WithdrawDelegatorRewardResponse:
    """Pay a delegator what its stake with a validator has earned, be it nothing."""
    delegator, operator = msg.delegator_address, msg.validator_address
    shown = to_bech32(operator, OPERATOR_PREFIX)
    is_there = STAKES.has(state, (delegator, operator))
    require(is_there, NothingStaked, operator=shown, delegator=to_bech32(delegator))

    amount = pay_reward(state, ctx, delegator, operator)
    return WithdrawDelegatorRewardResponse(coins_of(amount))


def withdraw_validator_commission(
    state: State, ctx: Context, msg: WithdrawValidatorCommission
) -> WithdrawValidatorCommissionResponse:
    """Pay a validator's operator its commission."""
    row = find_earner(state, msg.validator_address)
    amount = 0 if row is None else truncate(row.commission)
    shown = to_bech32(msg.validator_address, OPERATOR_PREFIX)
    if row is None or not amount:
        raise NoCommission(operator=shown, value=amount)

    return WithdrawValidatorCommissionResponse(coins_of(pay_commission(state, ctx, row)))


def fund_community_pool(state: State, ctx: Context, msg: FundCommunityPool) -> None:
    """Give money to the treasury, from which governance pays."""
    is_uflt = bank.are_valid_coins(msg.amount) and [c.denom for c in msg.amount] == [bank.DENOM]
    require(is_uflt, InvalidGift, value=bank.coins_text(msg.amount))

    bank.move(state, ctx, msg.depositor, TREASURY, msg.amount[0].amount)


def share_fees(state: State, ctx: Context) -> None:
    """Share the block's fees; while nobody takes part in consensus they wait."""
    amount, pot = bank.get_balance(state, fees.FEE_COLLECTOR), POT.get(state)
    if not amount or not pot.power:
        return
    tax = truncate(amount * PARAMS.get(state).community_tax)
    bank.move(state, ctx, fees.FEE_COLLECTOR, TREASURY, tax)
    bank.move(state, ctx, fees.FEE_COLLECTOR, REWARDS, amount - tax)
    per_power, undivided = divmod(to_dec(amount - tax) + pot.undivided, pot.power)
    total = Dec(pot.per_power + per_power)
    POT.put(state, replace(pot, per_power=total, undivided=Dec(undivided)))


def the_account_of_rewards_is_what_is_owed(state: Reader) -> None:
    """The account `distribution` holds what is owed to all, to the last decimal."""
    pot = POT.get(state)
    owed = sum([bring_up(pot, row).owed for _, row in EARNERS.items(state)])
    if to_dec(bank.get_balance(state, REWARDS)) != pot.undivided + owed:
        broken(f"the account distribution holds what is owed: {pot.undivided + owed}")


def what_is_owed_covers_everybody(state: Reader) -> None:
    """What a validator's row owes covers its commission and what each delegator has earned."""
    pot = POT.get(state)
    rows = {operator: bring_up(pot, row) for operator, row in EARNERS.items(state)}
    sums = {operator: row.commission + row.undivided for operator, row in rows.items()}
    shares = dict.fromkeys(rows, 0)
    for (_, operator), stake in STAKES.items(state):
        sums[operator] += reward_of(rows[operator], stake)
        shares[operator] += stake.shares
    for operator, row in rows.items():
        if row.owed < sums[operator] or row.shares != shares[operator]:
            broken(f"{to_bech32(operator, OPERATOR_PREFIX)} owes what was earned with it")
    if pot.power != sum([row.power for row in rows.values()]):
        broken("the pot is shared among all who have power")


MODULE = Module(
    name="distribution",
    package="cosmos.distribution.v1beta1",
    tables=(POT, EARNERS, STAKES, RECIPIENTS),
    params=PARAMS,
    messages={
        SetWithdrawAddress: Message(
            set_withdraw_address, gas=20_000, amino_name="cosmos-sdk/MsgModifyWithdrawAddress"
        ),
        WithdrawDelegatorReward: Message(
            withdraw_delegator_reward,
            gas=40_000,
            amino_name="cosmos-sdk/MsgWithdrawDelegationReward",
            response=WithdrawDelegatorRewardResponse,
        ),
        WithdrawValidatorCommission: Message(
            withdraw_validator_commission,
            gas=40_000,
            amino_name="cosmos-sdk/MsgWithdrawValCommission",
            response=WithdrawValidatorCommissionResponse,
        ),
        FundCommunityPool: Message(
            fund_community_pool,
            gas=20_000,
            amino_name="cosmos-sdk/MsgFundCommunityPool",
            signer="depositor",
        ),
    },
    events=(WithdrawAddressSet, RewardsWithdrawn, CommissionWithdrawn),
    end_block=share_fees,
    invariants=(
        the_account_of_rewards_is_what_is_owed,
        what_is_owed_covers_everybody,
    ),
)
