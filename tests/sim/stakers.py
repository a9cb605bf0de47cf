"""People who stake, operate validators and govern; some of what they do makes no sense."""

from __future__ import annotations

import random
from typing import Any

from app.kernel import vrf
from app.kernel.decimals import ONE
from app.kernel.record import I64, U32, U64, U128, Address, Dec, Duration
from app.kernel.store import Reader
from app.kernel.tx import Coin
from app.modules import beacon, distribution, downtime, gov, payouts, staking
from app.modules.gov import cosmos_params
from app.modules.gov.records import PROPOSALS
from app.modules.staking.records import DELEGATIONS, UNBONDINGS, VALIDATORS
from app.wire.records import put_packed
from tests.build import a_vrf_secret
from tests.build_staking import DESCRIPTION, a_consensus_key, a_creation
from tests.sim.stake_auditor import PLACES

FLT = 1_000_000
LATECOMERS = {"staker 0": "vala", "staker 1": "vale"}
"""Stakers who become validators, and what their validators are called."""
LEAST_UFLT = 20 * FLT
DEPOSIT_UFLT, HASTY_DEPOSIT_UFLT = 100 * FLT, 500 * FLT


def coins(amount: int) -> tuple[Coin, ...]:
    """Return money as messages hold it."""
    return (Coin("uflt", U128(amount)),)


class Staker:
    """What one account does about stake and governance."""

    def __init__(self, name: str, me: Address, chance: random.Random) -> None:
        self.name, self.me, self.random = name, me, chance
        self.operator = staking.operator_of(me)

    def act(self, state: Reader) -> list[Any]:
        """Return what the account submits in this block, at most one message."""
        if self.name in LATECOMERS and not VALIDATORS.has(state, self.operator):
            return [self.create()] if self.random.random() < 0.2 else []
        own = VALIDATORS.get(state, self.operator)
        if self.name in LATECOMERS and self.random.random() < 0.3:
            name, address = LATECOMERS[self.name], staking.consensus_address(own.key)
            if not beacon.VALIDATORS.has(state, address):
                return [beacon.RegisterVrfKey(self.me, address, vrf.key_of(a_vrf_secret(name)))]
        if own is not None and own.jailed and self.random.random() < 0.4:
            return [downtime.Unjail(self.operator)]
        acts = [self.stake, self.stake, self.unstake, self.move, self.withdraw, self.govern]
        return self.random.choice(acts)(state) if self.random.random() < 0.4 else []

    def create(self) -> Any:
        """Become a validator."""
        amount = self.random.choice([3 * FLT // 2, LEAST_UFLT, 1_500 * FLT])
        key = a_consensus_key(LATECOMERS[self.name])
        changes = {"validator_address": self.operator, "pubkey": key}
        return a_creation(self.name, amount, changes)

    def any_validator(self, state: Reader) -> Any:
        """Return one of the validators."""
        return self.random.choice([row for _, row in VALIDATORS.items(state)])

    def amount(self) -> Coin:
        """Return an odd amount."""
        amounts = [1, 7, self.random.randint(1, 10**6), self.random.randint(1, 900) * FLT]
        return Coin("uflt", U128(self.random.choice(amounts)))

    def part_of(self, delegation: Any, validator: Any) -> Coin:
        """Return a part of a delegation, all of it, or more."""
        worth = staking.records.whole_tokens_of(validator, delegation.shares)
        part = self.random.choice(
            [worth, worth, worth + 1, worth // 2, self.random.randint(0, worth)]
        )
        return Coin("uflt", U128(part))

    def stake(self, state: Reader) -> list[Any]:
        """Stake more with a validator, or keep in what is on its way out."""
        leaving = [row for _, row in UNBONDINGS.items(state, (self.me,))]
        if leaving and self.random.random() < 0.5:
            row = self.random.choice(leaving)
            entry = self.random.choice(row.entries)
            part = self.random.choice([entry.balance_uflt, entry.balance_uflt // 3, 1])
            amount = Coin("uflt", U128(part))
            height = I64(entry.height)
            return [staking.CancelUnbondingDelegation(self.me, row.operator, amount, height)]
        return [staking.Delegate(self.me, self.any_validator(state).operator, self.amount())]

    def unstake(self, state: Reader) -> list[Any]:
        """Take stake out."""
        found = list(staking.find_stakes(state, self.me))
        if not found:
            return []
        delegation, validator = self.random.choice(found)
        is_own = validator.operator == self.operator
        if is_own and self.random.random() < 0.4:
            return []
        amount = (
            self.part_of(delegation, validator) if self.random.random() < 0.7 else self.amount()
        )
        return [staking.Undelegate(self.me, validator.operator, amount)]

    def move(self, state: Reader) -> list[Any]:
        """Move stake to another validator."""
        found = list(staking.find_stakes(state, self.me))
        if not found:
            return []
        delegation, source = self.random.choice(found)
        amount, target = self.part_of(delegation, source), self.any_validator(state).operator
        return [staking.BeginRedelegate(self.me, source.operator, target, amount)]

    def withdraw(self, state: Reader) -> list[Any]:
        """Take rewards, say who gets them, give to the treasury, or change what one is."""
        others = [row.delegator for _, row in DELEGATIONS.items(state)]
        target = self.random.choice([self.me, *others, payouts.TREASURY])
        rate = Dec(self.random.randrange(12) * ONE // 100)
        edit = staking.EditValidator(DESCRIPTION, self.operator, str(rate), "")
        promise = staking.EditValidator(DESCRIPTION, self.operator, "", str(FLT))
        collect = distribution.WithdrawDelegatorReward
        choices = [
            *[collect(self.me, row.operator) for row, _ in staking.find_stakes(state, self.me)],
            distribution.WithdrawValidatorCommission(self.operator),
            distribution.SetWithdrawAddress(self.me, target),
            distribution.FundCommunityPool(coins(self.random.randint(1, 5 * FLT)), self.me),
            *([edit, promise] if VALIDATORS.has(state, self.operator) else []),
        ]
        return [self.random.choice(choices)]

    def govern(self, state: Reader) -> list[Any]:
        """Propose, pay in, vote, or take a proposal back."""
        motions = [kept.proposal for _, kept in PROPOSALS.items(state)]
        open_ones = [each for each in motions if each.status in gov.records.OPEN]
        if not open_ones or (len(open_ones) < 3 and self.random.random() < 0.15):
            return [self.propose(state)]
        motion = self.random.choice(open_ones)
        if motion.status is gov.records.ProposalStatus.DEPOSIT_PERIOD:
            amount = self.random.choice([DEPOSIT_UFLT, HASTY_DEPOSIT_UFLT, 3 * FLT, 1])
            return [gov.proposing.AddDeposit(motion.id, self.me, coins(amount))]
        if motion.proposer == self.me and self.random.random() < 0.05:
            return [gov.proposing.CancelProposal(motion.id, self.me)]
        return [self.vote(motion.id)]

    def vote(self, number: U64) -> Any:
        """Say something of a proposal, mostly yes."""
        options = list(gov.VoteOption)[1:]
        weights = (6, 1, 1, 1) if number % 3 else (1, 2, 2, 4)
        if self.random.random() < 0.7:
            return gov.CastVote(number, self.me, self.random.choices(options, weights)[0], "")
        first, second = self.random.sample(options, 2)
        part = self.random.randint(1, PLACES - 1)
        parts = [
            gov.records.WeightedVoteOption(option, f"0.{weight:018d}")
            for option, weight in ((first, part), (second, PLACES - part))
        ]
        return gov.voting.CastWeightedVote(number, self.me, tuple(parts), "")

    def propose(self, state: Reader) -> Any:
        """Propose other params, to spend from the treasury, or nothing but words."""
        choices = [self.spending(), self.staking_params(state), self.fractions(state), self.tax()]
        messages = self.random.sample(choices, self.random.choice([0, 1, 1, 2]))
        is_hasty = self.random.random() < 0.3
        deposit = HASTY_DEPOSIT_UFLT if is_hasty else DEPOSIT_UFLT
        deposit = self.random.choice([deposit, deposit, deposit // 5])
        return gov.SubmitProposal(
            messages=tuple(map(put_packed, messages)),
            initial_deposit=coins(deposit),
            proposer=self.me,
            metadata="",
            title="a title",
            summary="a summary",
            expedited=is_hasty,
        )

    def spending(self) -> Any:
        """Return a spending from the treasury, now and then of more than it has."""
        amount = self.random.choice([1, FLT // 10, 10**15])
        return gov.running.CommunityPoolSpend(gov.GOVERNANCE, self.me, coins(amount))

    def staking_params(self, state: Reader) -> Any:
        """Return other limits for validators and unbonding."""
        now = staking.records.PARAMS.get(state)
        params = cosmos_params.StakingParams(
            unbonding_time=Duration(self.random.randint(8, 20) * 1_000),
            max_validators=U32(self.random.randint(2, 5)),
            max_entries=now.max_entries,
            historical_entries=U32(staking.records.HISTORICAL_ENTRIES),
            bond_denom="uflt",
            min_commission_rate=now.min_commission_rate,
        )
        return cosmos_params.UpdateStakingParams(gov.GOVERNANCE, params)

    def fractions(self, state: Reader) -> Any:
        """Return other fractions to slash."""
        now = downtime.PARAMS.get(state)
        params = cosmos_params.SlashingParams(
            signed_blocks_window=I64(now.signed_blocks_window),
            min_signed_per_window=now.min_signed_per_window,
            downtime_jail_duration=Duration(now.jail_s * 1_000),
            slash_fraction_double_sign=Dec(self.random.choice([ONE // 20, ONE // 3, ONE])),
            slash_fraction_downtime=Dec(self.random.choice([ONE // 10_000, ONE // 7])),
        )
        return cosmos_params.UpdateSlashingParams(gov.GOVERNANCE, params)

    def tax(self) -> Any:
        """Return another part for the community."""
        tax = Dec(self.random.randint(0, 10) * ONE // 100)
        zero = Dec(0)
        params = cosmos_params.DistributionParams(tax, zero, zero, True)
        return cosmos_params.UpdateDistributionParams(gov.GOVERNANCE, params)
