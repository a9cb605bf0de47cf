"""Validators and those who stake with them: messages to vary, and a world that has some."""

from collections.abc import Sequence
from typing import Any

from app.kernel.crypto import sha256
from app.kernel.decimals import ONE
from app.kernel.record import I64, NO_ADDRESS, U128, Address, ConsensusKey, Dec, Operator
from app.kernel.tx import Coin
from app.modules import staking
from app.modules.staking import CommissionRates, Description, Validator
from tests.build import FLT, MONEY, World, an_address, changed

DAY_S = 24 * 3_600
DESCRIPTION = Description("vera's", "", "https://vera.example", "", "A validator.")
RATES = CommissionRates(Dec(ONE // 10), Dec(ONE // 5), Dec(ONE // 100))


def a_stake(amount_uflt: int) -> Coin:
    """An amount to stake."""
    return Coin("uflt", U128(amount_uflt))


def a_consensus_key(name: str) -> ConsensusKey:
    """A key for consensus that belongs to a name."""
    return ConsensusKey(sha256(b"consensus " + name.encode()))


def an_operator(name: str) -> Operator:
    """The account that belongs to a name, as an operator."""
    return Operator(an_address(name))


def a_creation(
    name: str, amount_uflt: int = 10 * FLT, changes: dict[str, Any] | None = None
) -> staking.CreateValidator:
    """A message by which an account becomes a validator, with changes at dotted paths."""
    message = staking.CreateValidator(
        description=DESCRIPTION,
        commission=RATES,
        min_self_delegation=U128(1),
        delegator_address=NO_ADDRESS,
        validator_address=an_operator(name),
        pubkey=a_consensus_key(name),
        value=a_stake(amount_uflt),
    )
    return changed(message, changes or {})


def a_delegation(who: Address, name: str, amount_uflt: int) -> staking.Delegate:
    """A message that stakes money with a validator."""
    return staking.Delegate(who, an_operator(name), a_stake(amount_uflt))


def an_undelegation(who: Address, name: str, amount_uflt: int) -> staking.Undelegate:
    """A message that takes staked money out."""
    return staking.Undelegate(who, an_operator(name), a_stake(amount_uflt))


def a_redelegation(
    who: Address, source: str, destination: str, amount_uflt: int
) -> staking.BeginRedelegate:
    """A message that moves staked money to another validator."""
    places = (an_operator(source), an_operator(destination))
    return staking.BeginRedelegate(who, *places, a_stake(amount_uflt))


def a_cancellation(
    who: Address, name: str, amount_uflt: int, height: int
) -> staking.CancelUnbondingDelegation:
    """A message that stakes money again which began its way out at a height."""
    stake = a_stake(amount_uflt)
    return staking.CancelUnbondingDelegation(who, an_operator(name), stake, I64(height))


class StakingWorld(World):
    """A world with validators of genesis, and what the engine was told so far."""

    def __init__(self, names: Sequence[str] = ("vera", "vito"), **options: Any) -> None:
        super().__init__(modules=MONEY, **options)
        for name in names:
            self.validator(name)

    def row(self, name: str) -> Validator:
        """A validator as it is now."""
        return staking.VALIDATORS.must(self.state, an_operator(name))

    def powers(self) -> dict[str, int]:
        """The powers of those who take part in consensus, by moniker."""
        rows = staking.bonded_validators(self.state)
        return {row.description.moniker: row.power for row in rows}

    def shares(self, who: Address, name: str) -> int:
        """An account's shares in a validator."""
        place = (who, an_operator(name))
        found = staking.records.DELEGATIONS.get(self.state, place)
        return 0 if found is None else found.shares

    def slash(self, name: str, fraction: int, height: int | None = None) -> int:
        """Slash a validator for what it did at a height, with the power it has."""
        row = self.row(name)
        at = self.block.height if height is None else height
        return self.do(staking.slash, row.operator, height=at, power=row.power, fraction=fraction)
