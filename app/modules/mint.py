"""Inflation: money for who takes part in consensus, the more the less of all is staked.

Rates and provisions are those of the Cosmos SDK's mint, of which a block is here a period: so many
to a year, by the chain's own clock. At the end of each the rate moves towards what brings the
staked part of all money to its goal, and of a year's provisions as much joins the block's fees as
the period is of a year. So a chain that makes a block a second or fifty mints alike, one that
stands still mints nothing, and the blocks between write nothing. Other params end a period at once:
the time until then is paid for by the old ones. With a greatest rate of zero nothing is minted, nor
written.
"""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

from app.kernel.context import Context
from app.kernel.decimals import ONE, dec_text, mul, quo, truncate
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
    since_clock_ms: U64 = U64(0)
    """When the period at hand began; 0: nothing is minted."""


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
    """Mint for every period that has ended; the first begins where inflation does."""
    params, minter, now = PARAMS.get(state), MINTER.get(state), ctx.block.clock_ms
    if not minter.since_clock_ms and params.inflation_max:
        MINTER.put(state, replace(minter, since_clock_ms=U64(now)))
    period_ms = YEAR_MS // params.blocks_per_year
    while minter.since_clock_ms and minter.since_clock_ms + period_ms <= now:
        minter = mint_for(state, ctx, period_ms)


def mint_for(state: State, ctx: Context, elapsed_ms: int) -> Minter:
    """End a period after so long, and mint its part of a year's provisions."""
    params, minter, supply = PARAMS.get(state), MINTER.get(state), bank.get_supply(state)
    ratio = quo(staking.bonded_uflt(state), supply) if supply else 0
    inflation = compute_inflation(params, minter.inflation, ratio)
    annual = Dec(inflation * supply)
    amount_uflt = truncate(annual * elapsed_ms // YEAR_MS)
    if amount_uflt:
        bank.mint(state, fees.FEE_COLLECTOR, amount_uflt)
        ctx.emit(bank.CoinReceived(fees.FEE_COLLECTOR, f"{amount_uflt}{bank.DENOM}"))
    ctx.emit(Minted(dec_text(ratio), dec_text(inflation), dec_text(annual), str(amount_uflt)))
    after = Minter(inflation, annual, U64(minter.since_clock_ms + elapsed_ms))
    MINTER.put(state, after)
    return after


def set_params(state: State, ctx: Context, params: Params) -> None:
    """Mint by the old params until now, and by these from now on."""
    since_ms = MINTER.get(state).since_clock_ms
    if since_ms:
        mint_for(state, ctx, ctx.block.clock_ms - since_ms)
    if not params.inflation_max:
        MINTER.put(state, Minter())
    PARAMS.put(state, params)


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
    if not minter.since_clock_ms and minter != Minter():
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
