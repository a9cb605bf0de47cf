"""Downtime and double signing: what a validator loses that doesn't vote, or votes twice.

It is `cosmos.slashing` for other chains' clients; the participants' faults are the module slashing.

Time by the chain's clock is cut into samples. The first block of each shows by the votes in it who
was absent; a miss is remembered, nothing else is. So a chain that makes a block a second or fifty
counts alike, and one on which everybody votes writes nothing. Who missed more samples of the window
than it may is slashed a little and jailed for a while, once the window has passed since its first
miss. Who is proven to have voted twice at a height is slashed and jailed for good, and so are those
who moved stake away since.
"""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

from app.kernel.bech32 import CONSENSUS_PREFIX, to_bech32
from app.kernel.context import Context, Misbehaviour
from app.kernel.decimals import ONE, truncate
from app.kernel.errors import Rejected, broken, require
from app.kernel.frozen import frozen
from app.kernel.module import Message, Module
from app.kernel.record import U64, Dec, Operator
from app.kernel.store import Reader, State
from app.kernel.table import Singleton, Table
from app.modules import bank, clock, staking
from app.modules.staking import BondStatus, Validator

UPDATE_DELAY_BLOCKS = 1
"""A validator's power counts a block later than the one after it changed."""
VOTE_DELAY_BLOCKS = 1
"""Votes for a block stand in the next."""
FOREVER_MS = 253_402_300_799_000
DOUBLE_SIGN, MISSING_SIGNATURE = "double_sign", "missing_signature"


@frozen
class Params:
    """How much may be missed, and what it costs."""

    signed_blocks_window: U64 = U64(1_000)
    """How many samples are looked back on."""
    sample_s: U64 = U64(10)
    """How long a sample is."""
    min_signed_per_window: Dec = Dec(ONE // 20)
    """Of how many a vote must be there; late votes aren't in a block, so most may be missed."""
    jail_s: U64 = U64(600)
    slash_fraction_double_sign: Dec = Dec(ONE // 20)
    slash_fraction_downtime: Dec = Dec(ONE // 10_000)


@frozen
class Run:
    """Samples one after the other, all of them missed."""

    first: U64
    last: U64


@frozen
class SigningInfo:
    """What a validator has missed or done wrong."""

    validator: bytes
    """Its consensus address."""
    start_height: U64
    """Of its first miss, or the first since it was jailed."""
    start_sample: U64
    missed: tuple[Run, ...]
    jailed_until_ms: U64
    """By the chain's clock."""
    tombstoned: bool
    """Whether it voted twice, and is jailed for good."""


@frozen
class Unjail:
    """Take part in consensus again, once the time in jail is over."""

    validator_addr: Operator


@frozen
class Missed:
    """A validator's vote was missing."""

    EVENT_TYPE: ClassVar[str] = "liveness"
    address: str
    missed_blocks: str
    height: str


@frozen
class Slashed:
    """A validator lost stake, and was jailed."""

    EVENT_TYPE: ClassVar[str] = "slash"
    address: str
    power: str
    reason: str
    jailed: str
    burned_coins: str


class NotJailed(Rejected):
    """A validator that is free."""

    code = 3101
    text = (
        "validator_addr {operator}: validator not jailed; cannot be unjailed; the limit is those "
        "that are: see the query Validator"
    )


class StillJailed(Rejected):
    """A validator whose time isn't over."""

    code = 3102
    text = (
        "validator_addr {operator}: validator still jailed; cannot be unjailed before {limit}; "
        "wait until then"
    )


class SelfDelegationTooLow(Rejected):
    """An operator that has less staked of its own than it promised."""

    code = 3103
    text = (
        "validator_addr {operator}: validator's self delegation {value}uflt less than min self "
        "delegation, the limit is {limit}uflt; delegate more first"
    )


PARAMS = Singleton("downtime/params", Params)
SIGNING_INFOS = Table("downtime/signing_info", key=(bytes,), record=SigningInfo)


def consensus_text(address: bytes) -> str:
    """Return a consensus address as people see it."""
    return to_bech32(address, CONSENSUS_PREFIX)


def sample_at(params: Params, clock_ms: int) -> int:
    """Return the sample that a time of the chain's clock lies in."""
    return clock_ms // (params.sample_s * 1_000)


def find_info(state: Reader, address: bytes) -> SigningInfo:
    """Return what a validator has missed or done wrong, nothing if there is no row."""
    found = SIGNING_INFOS.get(state, address)
    zero = U64(0)
    return SigningInfo(address, zero, zero, (), zero, False) if found is None else found


def count_missed(params: Params, info: SigningInfo, sample: int) -> int:
    """Return how many samples of the window that ends with one were missed."""
    first = max(0, sample - params.signed_blocks_window + 1)
    return sum([max(0, run.last - max(run.first, first) + 1) for run in info.missed])


def note_miss(state: State, ctx: Context, validator: Validator) -> None:
    """Remember that a validator's vote is missing; too many and it is jailed."""
    params, block = PARAMS.get(state), ctx.block
    address, sample = staking.consensus_address(validator.key), sample_at(params, block.clock_ms)
    info = find_info(state, address)
    if not info.missed:
        info = replace(info, start_height=U64(block.height), start_sample=U64(sample))
    oldest = sample - params.signed_blocks_window
    runs = tuple([run for run in info.missed if run.last > oldest])
    info = replace(info, missed=add_to(runs, U64(sample)))
    missed = count_missed(params, info, sample)
    SIGNING_INFOS.put(state, address, info)
    ctx.emit(Missed(consensus_text(address), str(missed), str(block.height)))
    most = params.signed_blocks_window - truncate(
        params.min_signed_per_window * params.signed_blocks_window
    )
    is_old = sample - info.start_sample + 1 >= params.signed_blocks_window
    if is_old and missed > most:
        jail_for_downtime(state, ctx, validator, info)


def add_to(runs: tuple[Run, ...], sample: U64) -> tuple[Run, ...]:
    """Return runs with one sample more."""
    if runs and runs[-1].last == sample - 1:
        return (*runs[:-1], replace(runs[-1], last=sample))
    return (*runs, Run(sample, sample))


def jail_for_downtime(state: State, ctx: Context, validator: Validator, info: SigningInfo) -> None:
    """Slash a validator that was absent too often, and keep it out for a while."""
    params = PARAMS.get(state)
    height = max(0, ctx.block.height - UPDATE_DELAY_BLOCKS - VOTE_DELAY_BLOCKS)
    until = U64(ctx.block.clock_ms + params.jail_s * 1_000)
    SIGNING_INFOS.put(state, info.validator, replace(info, missed=(), jailed_until_ms=until))
    fault = MISSING_SIGNATURE, height, validator.power
    punish(state, ctx, validator, fault, params.slash_fraction_downtime)


def convict(state: State, ctx: Context, found: Misbehaviour) -> None:
    """Slash a validator that voted twice at a height, and keep it out for good."""
    validator = staking.find_validator(state, found.validator)
    info = find_info(state, found.validator)
    if validator is None or validator.status is BondStatus.UNBONDED or info.tombstoned:
        return
    info = replace(info, tombstoned=True, jailed_until_ms=U64(FOREVER_MS))
    SIGNING_INFOS.put(state, found.validator, info)
    staking.ban(state, found.validator)
    fault = DOUBLE_SIGN, max(0, found.height - UPDATE_DELAY_BLOCKS), found.power
    punish(state, ctx, validator, fault, PARAMS.get(state).slash_fraction_double_sign)


def punish(
    state: State, ctx: Context, validator: Validator, fault: tuple[str, int, int], fraction: int
) -> None:
    """Slash a validator for a fault: its name, its height, the power then; and jail it."""
    reason, height, power = fault
    operator = validator.operator
    burned = staking.slash(state, ctx, operator, height=height, power=power, fraction=fraction)
    staking.set_jailed(state, operator, True)
    address = consensus_text(staking.consensus_address(validator.key))
    ctx.emit(Slashed(address, str(power), reason, address, f"{burned}{bank.DENOM}"))


def unjail(state: State, ctx: Context, msg: Unjail) -> None:
    """Let a validator take part again, if its time in jail is over and its stake is enough."""
    validator = staking.require_validator(state, msg.validator_addr)
    shown = staking.operator_text(validator.operator)
    require(validator.jailed, NotJailed, operator=shown)
    own = staking.own_uflt(state, validator)
    least = validator.self_min_uflt
    require(own >= least, SelfDelegationTooLow, operator=shown, value=own, limit=least)
    info = find_info(state, staking.consensus_address(validator.key))
    is_over = not info.tombstoned and ctx.block.clock_ms >= info.jailed_until_ms
    end_s = staking.to_date(state, info.jailed_until_ms) // 1_000
    limit = "ever" if info.tombstoned else f"{end_s} s after 1970"
    require(is_over, StillJailed, operator=shown, limit=limit)

    staking.set_jailed(state, validator.operator, False)


def judge(state: State, ctx: Context) -> None:
    """Punish who is proven to have voted twice; in a sample's first block see who is absent."""
    for found in ctx.block.misbehaviour:
        convict(state, ctx, found)
    params = PARAMS.get(state)
    now, before = ctx.block.clock_ms, clock.previous_ms(ctx.block)
    if not ctx.block.absent or sample_at(params, now) == sample_at(params, before):
        return
    for address in sorted(ctx.block.absent):
        validator = staking.find_validator(state, address)
        if validator is not None and not validator.jailed and validator.power:
            note_miss(state, ctx, validator)


def misses_are_in_order(state: Reader) -> None:
    """A validator's runs of missed samples are in order and apart."""
    for address, info in SIGNING_INFOS.items(state):
        after = 0
        for run in info.missed:
            if not after <= run.first <= run.last:
                broken(f"the misses of {address.hex()} are in order and apart")
            after = run.last + 2


def who_voted_twice_is_jailed(state: Reader) -> None:
    """Who voted twice is jailed as long as it is a validator."""
    for address, info in SIGNING_INFOS.items(state):
        validator = staking.find_validator(state, address)
        if info.tombstoned and validator is not None and not validator.jailed:
            broken(f"{address.hex()} voted twice and is jailed")


MODULE = Module(
    name="downtime",
    package="cosmos.slashing.v1beta1",
    tables=(SIGNING_INFOS,),
    params=PARAMS,
    messages={Unjail: Message(unjail, gas=30_000, amino_name="cosmos-sdk/MsgUnjail")},
    events=(Missed, Slashed),
    begin_block=judge,
    invariants=(misses_are_in_order, who_voted_twice_is_jailed),
)
