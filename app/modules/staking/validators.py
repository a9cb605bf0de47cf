"""A validator is created by the account that operates it, and says another thing of itself."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

from app.kernel.bech32 import to_bech32
from app.kernel.context import Block, Context
from app.kernel.decimals import ONE, dec_text, to_dec
from app.kernel.errors import Rejected, require
from app.kernel.frozen import frozen
from app.kernel.record import U64, U128, Address, ConsensusKey, Dec, Operator
from app.kernel.store import State
from app.kernel.tx import Coin
from app.modules import bank
from app.modules.staking.records import (
    BANNED,
    OPERATORS,
    PARAMS,
    POWER_UNIT_UFLT,
    VALIDATORS,
    BondStatus,
    CommissionRates,
    Delegation,
    Description,
    Operated,
    Validator,
    account_of,
    consensus_address,
    operator_text,
    require_validator,
    stake_uflt,
    store,
)
from app.modules.staking.stake import add_stake

KEEP = "[do-not-modify]"
"""What says in an edit that a text stays as it is, as in Cosmos."""
LENGTHS_MAX = {
    "moniker": 70,
    "identity": 3_000,
    "website": 140,
    "security_contact": 140,
    "details": 280,
}
KEY_BYTES = 32
DAY_MS = 24 * 3_600 * 1_000
AMOUNT_LENGTH_MAX = 39


@frozen
class Founder:
    """A validator that a chain begins with."""

    operator: Operator
    key: ConsensusKey
    moniker: str
    stake_uflt: U64
    """What its operator stakes of its own."""
    rates: CommissionRates = CommissionRates(Dec(ONE // 10), Dec(ONE // 5), Dec(ONE // 100))


@frozen
class CreateValidator:
    """Become a validator, with a first delegation of one's own."""

    description: Description
    commission: CommissionRates
    min_self_delegation: U128
    delegator_address: Address
    """The operator again, or empty."""
    validator_address: Operator
    pubkey: ConsensusKey
    value: Coin


@frozen
class EditValidator:
    """Change what a validator says of itself, its commission, or what it promises to stake."""

    description: Description
    validator_address: Operator
    commission_rate: str
    """Times 10^18; empty: as it is."""
    min_self_delegation: str
    """In uflt; empty: as it is."""


@frozen
class ValidatorCreated:
    """There is another validator."""

    EVENT_TYPE: ClassVar[str] = "create_validator"
    validator: Operator
    amount: str


@frozen
class ValidatorEdited:
    """A validator says another thing of itself."""

    EVENT_TYPE: ClassVar[str] = "edit_validator"
    commission_rate: str
    min_self_delegation: str


class OperatorTaken(Rejected):
    """An account that operates a validator already."""

    code = 3010
    text = (
        "validator_address {operator}: validator already exist for this operator address; must "
        "use new validator operator address, the limit is {limit} for each account"
    )


class ConsensusKeyTaken(Rejected):
    """A key that another validator signs with."""

    code = 3011
    text = (
        "pubkey {key}: validator already exist for this pubkey; must use new validator pubkey: "
        "{limit} has this one"
    )


class BadConsensusKey(Rejected):
    """Bytes that are no key."""

    code = 3012
    text = "pubkey {key}: not the {limit} bytes of an ed25519 key; take that of the node"


class OtherDelegator(Rejected):
    """A first delegation that is somebody else's."""

    code = 3013
    text = (
        "delegator_address {delegator}: not the operator {limit}; leave it empty and delegate from "
        "the other account afterwards"
    )


class BadDescription(Rejected):
    """A text that is missing or too long."""

    code = 3014
    text = "description.{field}: {value} letters, invalid length; it takes from {least} to {limit}"


class BadCommission(Rejected):
    """Commission rates that fit neither each other nor the params."""

    code = 3015
    text = "commission {field} {value}: {words} {limit}; choose another"


class CommissionChangedToday(Rejected):
    """A second change of commission within a day."""

    code = 3016
    text = (
        "commission_rate {value}: commission cannot be changed more than once in {limit} h; wait "
        "for {left_s} s"
    )


class BadSelfDelegation(Rejected):
    """A promise to stake that can't be kept, or is less than before."""

    code = 3017
    text = "min_self_delegation {value}: {words} {limit}; choose another"


class BadNumber(Rejected):
    """A text that is no number."""

    code = 3018
    text = "{field} {value!r}: no whole number of up to {limit} digits; write one or leave it empty"


class KeyBanned(Rejected):
    """A key that has signed two votes at a height."""

    code = 3019
    text = (
        "pubkey {key}: has voted twice at a height, the limit is {limit}; it is kept out for good, "
        "make the node another key"
    )


def create_validator(state: State, ctx: Context, msg: CreateValidator) -> None:
    """Become a validator, with a first delegation of one's own."""
    operator, amount = msg.validator_address, stake_uflt(msg.value)
    own = account_of(operator)
    is_own = not msg.delegator_address or msg.delegator_address == own
    delegator = to_bech32(msg.delegator_address)
    require(is_own, OtherDelegator, delegator=delegator, limit=to_bech32(own))
    check_description(msg.description)
    check_rates(msg.commission)
    check_rate_min(state, msg.commission.rate)
    check_self_min(msg.min_self_delegation, amount)
    check_key(state, msg.pubkey)
    is_new = not VALIDATORS.has(state, operator)
    require(is_new, OperatorTaken, operator=operator_text(operator), limit=1)

    validator = Validator(
        operator=operator,
        key=msg.pubkey,
        jailed=False,
        status=BondStatus.UNBONDED,
        power=U64(0),
        tokens_uflt=U128(0),
        shares=Dec(0),
        description=msg.description,
        rates=msg.commission,
        rate_changed_ms=U64(ctx.block.clock_ms),
        self_min_uflt=msg.min_self_delegation,
        unbonding_height=U64(0),
        unbonding_ms=U64(0),
    )
    begin_validator(state, ctx, validator, amount)
    ctx.emit(ValidatorCreated(operator, f"{amount}{bank.DENOM}"))


def begin_validator(state: State, ctx: Context, validator: Validator, amount_uflt: int) -> None:
    """Write a new validator, with a first delegation of its operator's own."""
    store(state, validator)
    OPERATORS.put(state, consensus_address(validator.key), Operated(validator.operator))
    own = account_of(validator.operator)
    add_stake(state, ctx, Delegation(own, validator.operator, Dec(0)), amount_uflt, own)


def edit_validator(state: State, ctx: Context, msg: EditValidator) -> None:
    """Change what a validator says of itself, its commission, or what it promises to stake."""
    validator = require_validator(state, msg.validator_address)
    description = keep_texts(validator.description, msg.description)
    check_description(description)
    validator = replace(validator, description=description)
    if msg.commission_rate:
        rate = read_number("commission_rate", msg.commission_rate)
        validator = with_rate(state, ctx, validator, Dec(rate))
    if msg.min_self_delegation:
        amount = read_number("min_self_delegation", msg.min_self_delegation)
        check_raise(validator, amount)
        validator = replace(validator, self_min_uflt=U128(amount))

    store(state, validator)
    rate_text = dec_text(validator.rates.rate)
    ctx.emit(ValidatorEdited(rate_text, str(validator.self_min_uflt)))


def keep_texts(known: Description, given: Description) -> Description:
    """Return a description in which what an edit leaves alone is as it was."""
    texts = {name: getattr(given, name) for name in LENGTHS_MAX}
    return replace(known, **{name: text for name, text in texts.items() if text != KEEP})


def check_description(description: Description) -> None:
    """Refuse texts that are too long, and a validator without a name."""
    for field, limit in LENGTHS_MAX.items():
        length, least = len(getattr(description, field)), int(field == "moniker")
        is_right = least <= length <= limit
        require(is_right, BadDescription, field=field, value=length, least=least, limit=limit)


def check_rates(rates: CommissionRates) -> None:
    """Refuse commission rates that don't fit each other."""
    for field, limit, words in (
        ("max_rate", to_dec(1), "cannot be greater than 100%, that is"),
        ("rate", rates.max_rate, "cannot be more than the max rate"),
        ("max_change_rate", rates.max_rate, "cannot be more than the max rate"),
    ):
        check_rate(field, getattr(rates, field), words, limit)


def check_rate(field: str, value: int, words: str, limit: int) -> None:
    """Refuse a rate above a limit."""
    shown = {"field": field, "value": dec_text(value), "words": words, "limit": dec_text(limit)}
    require(value <= limit, BadCommission, **shown)


def check_rate_min(state: State, rate: int) -> None:
    """Refuse a commission below the least that there may be."""
    least = PARAMS.get(state).min_commission_rate
    shown = {"value": dec_text(rate), "limit": dec_text(least)}
    require(rate >= least, BadCommission, field="rate", words="cannot be less than", **shown)


def check_self_min(self_min_uflt: int, amount_uflt: int) -> None:
    """Refuse to promise nothing, or more than is staked."""
    shown = {"value": self_min_uflt}
    require(self_min_uflt > 0, BadSelfDelegation, words="must be more than", limit=0, **shown)
    words = "validator's self delegation must be greater than their minimum self delegation, it is"
    is_kept = amount_uflt >= self_min_uflt
    require(is_kept, BadSelfDelegation, words=words, limit=amount_uflt, **shown)


def check_key(state: State, key: ConsensusKey) -> None:
    """Refuse bytes that are no key, one that voted twice, and one that another validator has."""
    require(len(key) == KEY_BYTES, BadConsensusKey, key=key.hex(), limit=KEY_BYTES)
    address = consensus_address(key)
    require(not BANNED.has(state, address), KeyBanned, key=key.hex(), limit="once")
    known = OPERATORS.get(state, address)
    if known is not None:
        raise ConsensusKeyTaken(key=key.hex(), limit=operator_text(known.operator))


def check_raise(validator: Validator, amount_uflt: int) -> None:
    """Refuse to promise less than before, or more than is staked with the validator."""
    least, most = validator.self_min_uflt, validator.tokens_uflt
    words = "minimum self delegation must be increased above"
    is_more = amount_uflt > least
    require(is_more, BadSelfDelegation, value=amount_uflt, words=words, limit=least)
    words = "must not be more than the validator's tokens"
    is_there = amount_uflt <= most
    require(is_there, BadSelfDelegation, value=amount_uflt, words=words, limit=most)


def with_rate(state: State, ctx: Context, validator: Validator, rate: Dec) -> Validator:
    """Return a validator with another commission, if it may change so now."""
    left_ms = validator.rate_changed_ms + DAY_MS - ctx.block.clock_ms
    shown = dec_text(rate)
    is_time = left_ms <= 0
    require(is_time, CommissionChangedToday, value=shown, limit=24, left_s=left_ms // 1_000 + 1)
    rates = validator.rates
    check_rate("rate", rate, "cannot be more than the max rate", rates.max_rate)
    change = abs(rate - rates.rate)
    words = "cannot be changed more than max change rate"
    check_rate("rate change", change, words, rates.max_change_rate)
    check_rate_min(state, rate)
    changed = replace(rates, rate=rate)
    return replace(validator, rates=changed, rate_changed_ms=U64(ctx.block.clock_ms))


def read_number(field: str, text: str) -> int:
    """Return the whole number that a field shows."""
    is_number = text.isdecimal() and text.isascii() and len(text) < AMOUNT_LENGTH_MAX
    require(is_number, BadNumber, field=field, value=text[:60], limit=AMOUNT_LENGTH_MAX - 1)
    return int(text)


def found(state: State, founder: Founder) -> None:
    """Let a validator of genesis take part from the first block on, with money of its operator."""
    validator = Validator(
        operator=founder.operator,
        key=founder.key,
        jailed=False,
        status=BondStatus.BONDED,
        power=U64(founder.stake_uflt // POWER_UNIT_UFLT),
        tokens_uflt=U128(0),
        shares=Dec(0),
        description=Description(founder.moniker, "", "", "", ""),
        rates=founder.rates,
        rate_changed_ms=U64(0),
        self_min_uflt=U128(1),
        unbonding_height=U64(0),
        unbonding_ms=U64(0),
    )
    begin_validator(state, Context(Block("", 0, 0, 0)), validator, founder.stake_uflt)
