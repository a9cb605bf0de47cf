"""Inflation: what is minted when, and that nothing is where there is none."""

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest

from app.kernel.decimals import ONE, dec_text
from app.kernel.errors import InvariantBroken
from app.kernel.record import U64, Dec
from app.modules import bank, distribution, mint
from app.modules.mint import MINTER, PARAMS, Minted, Minter, Params, compute_inflation
from tests.build import FLT, World
from tests.build_gov import a_governed_world

PERCENT = ONE // 100
YEARLY = Params(
    "uflt", Dec(13 * PERCENT), Dec(20 * PERCENT), Dec(7 * PERCENT), Dec(67 * PERCENT), U64(8_766)
)
HOUR_S = 3_600


def an_inflated_world(params: Params = YEARLY) -> World:
    """A world with validators in which a first period has begun."""
    world = a_governed_world()
    PARAMS.put(world.state, params)
    world.pass_block()
    return world


def test_without_inflation_nothing_is_written() -> None:
    world = a_governed_world()
    supply, rows = bank.get_supply(world.state), list(world.state.items(b"mint/"))
    world.wait(400 * 86_400)
    assert bank.get_supply(world.state) == supply
    assert list(world.state.items(b"mint/")) == rows
    assert (MINTER.get(world.state), world.said(Minted)) == (Minter(), [])


def test_a_period_s_provisions_go_to_who_takes_part_and_to_the_treasury() -> None:
    world = an_inflated_world()
    supply, treasury = bank.get_supply(world.state), world.balance("treasury")
    rewards = world.balance("distribution")
    world.wait(HOUR_S)
    minted = bank.get_supply(world.state) - supply
    rate = MINTER.get(world.state).inflation
    assert rate == 7 * PERCENT  # the least, from none
    assert minted == rate * supply * HOUR_S * 1_000 // mint.YEAR_MS // ONE
    tax = minted * distribution.PARAMS.get(world.state).community_tax // ONE
    assert world.balance("treasury") == treasury + tax
    assert world.balance("distribution") == rewards + minted - tax
    ratio = Dec(int(Fraction(1_500 * FLT, supply) * ONE + Fraction(1, 2)))
    texts = dec_text(ratio), dec_text(rate), dec_text(rate * supply), str(minted)
    assert world.said(Minted) == [Minted(*texts)]


def test_between_two_ends_of_a_period_nothing_is_written() -> None:
    world = an_inflated_world()
    before = MINTER.get(world.state)
    world.wait(HOUR_S - 2)
    assert (MINTER.get(world.state), world.said(Minted)) == (before, [])


def test_what_is_missed_is_minted_for_each_period() -> None:
    world = an_inflated_world(replace(YEARLY, blocks_per_year=U64(525_960)))  # every minute
    world.wait(59)
    assert len(world.said(Minted)) == 1
    world.wait(179)
    assert len(world.said(Minted)) == 4


def test_a_year_brings_what_its_rate_says() -> None:
    world = an_inflated_world(replace(YEARLY, inflation_max=Dec(7 * PERCENT)))
    supply = bank.get_supply(world.state)
    for _ in range(24):
        world.wait(HOUR_S)
    grown = Fraction(bank.get_supply(world.state), supply)
    expected = (1 + Fraction(7, 100) / 8_766) ** 24
    assert abs(grown / expected - 1) < Fraction(1, 10**9)


def changed(params: Params) -> tuple[World, int]:
    """A world whose params change in the middle of an hour, and what that mints."""
    world = an_inflated_world()
    world.wait(HOUR_S)
    world.wait(HOUR_S // 2 - 1)
    supply = bank.get_supply(world.state)
    elapsed_ms = world.block.clock_ms - MINTER.get(world.state).since_clock_ms
    world.do(mint.set_params, params)
    minted = bank.get_supply(world.state) - supply
    rate = world.said(Minted)[-1].inflation
    assert minted == int(Fraction(rate) * supply * elapsed_ms / mint.YEAR_MS)
    return world, minted


@pytest.mark.parametrize(
    "params",
    [
        replace(YEARLY, blocks_per_year=U64(1)),
        replace(YEARLY, inflation_max=Dec(ONE), inflation_min=Dec(ONE)),
    ],
)
def test_until_its_params_change_it_is_minted_by_the_old_ones(params: Params) -> None:
    world, minted = changed(params)
    assert 0 < minted < bank.get_supply(world.state) * YEARLY.inflation_max // ONE // 8_766
    assert MINTER.get(world.state).since_clock_ms == world.block.clock_ms
    supply = bank.get_supply(world.state)
    world.wait(HOUR_S // 2)
    assert bank.get_supply(world.state) == supply  # A new period has begun.


def test_where_inflation_ends_its_rate_is_none_again() -> None:
    world, minted = changed(Params())
    supply = bank.get_supply(world.state)
    assert (MINTER.get(world.state), minted > 0) == (Minter(), True)
    world.wait(10 * HOUR_S)
    assert (MINTER.get(world.state), bank.get_supply(world.state)) == (Minter(), supply)


def test_a_rate_without_a_period_is_noticed() -> None:
    world = a_governed_world()
    MINTER.put(world.state, Minter(Dec(1)))
    with pytest.raises(InvariantBroken, match="while nothing is minted"):
        mint.nothing_is_minted_at_no_rate(world.state)


RATES = [
    (rate, ratio, year)
    for rate in (0, 7 * PERCENT, 13 * PERCENT + 1, 20 * PERCENT)
    for ratio in (0, 1, 33 * PERCENT, 67 * PERCENT, 67 * PERCENT + 1, 90 * PERCENT, ONE)
    for year in (1, 8_766, 525_960)
]


def test_the_rates_are_the_published_ones(vectors: Callable[[str], Any]) -> None:
    rows = []
    for rate, ratio, periods in RATES:
        params = replace(YEARLY, blocks_per_year=U64(periods))
        after = compute_inflation(params, rate, ratio)
        rows.append({
            "inflation": str(rate),
            "bonded_ratio": str(ratio),
            "blocks_per_year": str(periods),
            "after": str(after),
        })  # fmt: skip
        exact = rate + (1 - Fraction(ratio, 67 * PERCENT)) * 13 * PERCENT / periods
        bounded = min(max(exact, Fraction(7 * PERCENT)), Fraction(20 * PERCENT))
        assert abs(after - bounded) <= 2
    vectors("mint/inflation.json").check(rows)
