"""Inflation: money for who takes part in consensus, the more the less of all is staked.

Rate and amounts are those of the Cosmos SDK's mint, of which a block is here a period: so many to
a year, by the chain's own clock. At the end of each the rate moves towards what brings the staked
part of all money to its goal, and a period's part of a year's provisions joins the block's fees. So
a chain that makes a block a second or fifty mints alike, one that stands still mints nothing, and
the blocks between write nothing. With a greatest rate of zero nothing is minted, nor written, ever.
"""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

from app.kernel.context import Context
from app.kernel.decimals import ONE, dec_text, mul, quo
from app.kernel.errors import broken
from app.kernel.frozen import frozen
from app.kernel.module import Module, Query
from app.kernel.record import U64, Dec
from app.kernel.store import Reader, State
from app.kernel.table import Singleton
from app.modules import bank, fees, staking

YEAR_MS = 31_557_600_000
"""365.25 days."""


@frozen
class Params:
    """How much inflation there may be."""

    mint_denom: str = bank.DENOM
    inflation_rate_change: Dec = Dec(0)
    """By how much the rate changes in a year at most."""
    inflation_max: Dec = Dec(0)
    """The most it may be; zero: nothing is minted."""
    inflation_min: Dec = Dec(0)
    goal_bonded: Dec = Dec(67 * ONE // 100)
    """The part of all money that is best staked."""
    blocks_per_year: U64 = U64(8_766)
    """How often a year something is minted: every hour."""


@frozen
class Minter:
    """How much inflation there is."""

    inflation: Dec = Dec(0)
    """The rate of a year."""
    annual_provisions: Dec = Dec(0)
    """What a year brings at that rate."""
    due_clock_ms: U64 = U64(0)
    """When a period ends; 0: nothing is minted."""


@frozen
class Minted:
    """A period's provisions were made."""

    EVENT_TYPE: ClassVar[str] = "mint"
    bonded_ratio: str
    inflation: str
    annual_provisions: str
    amount: str


@frozen
class ParamsRequest:
    """Ask for the params of inflation."""


@frozen
class ParamsResponse:
    """The params of inflation."""

    params: Params


@frozen
class InflationRequest:
    """Ask for the rate of a year."""


@frozen
class InflationResponse:
    """The rate of a year."""

    inflation: Dec


@frozen
class AnnualProvisionsRequest:
    """Ask what a year brings."""


@frozen
class AnnualProvisionsResponse:
    """What a year brings at the present rate."""

    annual_provisions: Dec


PARAMS = Singleton("mint/params", Params)
MINTER = Singleton("mint/minter", Minter)


def compute_inflation(params: Params, inflation: int, bonded_ratio: int) -> Dec:
    """Return the rate after one period: x/mint's NextInflationRate, of decimals with 18 places."""
    ratio = quo(bonded_ratio, params.goal_bonded)
    change = quo(mul(abs(ONE - ratio), params.inflation_rate_change), params.blocks_per_year * ONE)
    moved = inflation + (change if ratio <= ONE else -change)
    return Dec(min(max(moved, params.inflation_min), params.inflation_max))


def mint_due(state: State, ctx: Context) -> None:
    """Mint for every period that has ended; one begins where inflation does."""
    params, minter, now = PARAMS.get(state), MINTER.get(state), ctx.block.clock_ms
    period_ms = YEAR_MS // params.blocks_per_year
    if not minter.due_clock_ms and params.inflation_max:
        MINTER.put(state, replace(minter, due_clock_ms=U64(now + period_ms)))
    while 0 < minter.due_clock_ms <= now:
        if params.inflation_max:
            minter = mint_period(state, ctx, params, minter)
            minter = replace(minter, due_clock_ms=U64(minter.due_clock_ms + period_ms))
        else:
            minter = Minter()
        MINTER.put(state, minter)


def mint_period(state: State, ctx: Context, params: Params, minter: Minter) -> Minter:
    """Mint one period's provisions, of the money that there is; return what inflation is now."""
    supply = bank.get_supply(state)
    ratio = quo(staking.bonded_uflt(state), supply) if supply else 0
    inflation = compute_inflation(params, minter.inflation, ratio)
    annual = Dec(inflation * supply)
    amount_uflt = annual // params.blocks_per_year // ONE
    if amount_uflt:
        bank.mint(state, fees.FEE_COLLECTOR, amount_uflt)
        ctx.emit(bank.CoinReceived(fees.FEE_COLLECTOR, f"{amount_uflt}{bank.DENOM}"))
    ctx.emit(Minted(dec_text(ratio), dec_text(inflation), dec_text(annual), str(amount_uflt)))
    return replace(minter, inflation=inflation, annual_provisions=annual)


def params(state: Reader, request: ParamsRequest) -> ParamsResponse:
    """Answer with the params."""
    return ParamsResponse(PARAMS.get(state))


def inflation(state: Reader, request: InflationRequest) -> InflationResponse:
    """Answer with the rate of a year."""
    return InflationResponse(MINTER.get(state).inflation)


def annual_provisions(state: Reader, request: AnnualProvisionsRequest) -> AnnualProvisionsResponse:
    """Answer with what a year brings."""
    return AnnualProvisionsResponse(MINTER.get(state).annual_provisions)


def nothing_is_minted_at_no_rate(state: Reader) -> None:
    """While nothing is minted there is no rate and no provisions, and no period ends."""
    minter = MINTER.get(state)
    if not minter.due_clock_ms and minter != Minter():
        broken("while nothing is minted there is no rate")


MODULE = Module(
    name="mint",
    package="cosmos.mint.v1beta1",
    tables=(MINTER,),
    params=PARAMS,
    queries={
        ParamsRequest: Query(params, ParamsResponse),
        InflationRequest: Query(inflation, InflationResponse),
        AnnualProvisionsRequest: Query(annual_provisions, AnnualProvisionsResponse),
    },
    events=(Minted,),
    begin_block=mint_due,
    invariants=(nothing_is_minted_at_no_rate,),
)
