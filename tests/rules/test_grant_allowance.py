"""GrantAllowance: somebody may pay fees with the signer's money."""

from typing import Any

import pytest

from app.kernel.bech32 import to_bech32
from app.kernel.page import PageRequest
from app.kernel.record import NO_ADDRESS, U64, U128, Address, Duration, Time
from app.kernel.tx import Coin
from app.modules import auth, feegrant
from app.modules.feegrant import (
    ALLOWANCES,
    AllowanceExists,
    AllowanceRequest,
    AllowancesByGranterRequest,
    AllowanceSet,
    AllowancesRequest,
    AllowedMsgAllowance,
    BasicAllowance,
    Grant,
    GrantAllowance,
    InvalidAllowance,
    NoSuchAllowance,
    OwnAllowance,
    PeriodicAllowance,
)
from tests.build import FLT, MONEY, World, an_address

RITA, WANDA = an_address("rita"), an_address("wanda")
NOW_MS = 1_000_000
DAY_MS = Duration(86_400_000)
FIRST = PageRequest(b"", U64(0), U64(0), count_total=False, reverse=False)


def coins(uflt: int, denom: str = "uflt") -> tuple[Coin, ...]:
    return (Coin(denom, U128(uflt)),) if uflt else ()


def basic(uflt: int = FLT, until_ms: int = 0) -> BasicAllowance:
    """One FLT for ever unless told."""
    return BasicAllowance(coins(uflt), Time(until_ms))


def periodic(**fields: Any) -> PeriodicAllowance:
    """A tenth of an FLT a day, one in all unless told."""
    given = {
        "basic": basic(),
        "period": DAY_MS,
        "period_spend_limit": coins(FLT // 10),
        "period_can_spend": coins(FLT // 10),
        "period_reset": Time(NOW_MS + DAY_MS),
    }
    return PeriodicAllowance(**{**given, **fields})


def a_world() -> World:
    world = World(modules=MONEY)
    world.account("rita")
    return world


def test_an_allowance_is_kept_and_its_grantee_has_an_account() -> None:
    world = a_world()
    for allowance in (basic(), periodic(), AllowedMsgAllowance(basic(), ("/x.Msg",))):
        grantee = an_address(type(allowance).__name__)
        assert auth.find_account(world.state, grantee) is None

        world.run(GrantAllowance(RITA, grantee, allowance))

        assert ALLOWANCES.get(world.state, (grantee, RITA)) == Grant(RITA, grantee, allowance)
        assert world.said(AllowanceSet)[-1] == AllowanceSet(RITA, grantee)
        account = auth.find_account(world.state, grantee)
        assert account is not None
        assert (account.sequence, account.pubkey) == (0, b"")
        assert world.balance(grantee) == 0


def test_an_account_that_is_there_stays_as_it_is() -> None:
    world = a_world()
    wanda = world.account("wanda")
    before = auth.find_account(world.state, wanda)
    world.run(GrantAllowance(RITA, wanda, basic()))
    assert auth.find_account(world.state, wanda) == before


def test_there_is_one_allowance_of_each_granter_at_a_time() -> None:
    world = a_world()
    world.run(GrantAllowance(RITA, WANDA, basic(until_ms=NOW_MS)))
    words = (to_bech32(WANDA), "already exists", "revoke it")
    world.refused(GrantAllowance(RITA, WANDA, basic()), AllowanceExists, *words)
    world.run(GrantAllowance(world.account("olga"), WANDA, basic()))
    world.pass_block()
    world.run(GrantAllowance(RITA, WANDA, basic(7)))
    assert ALLOWANCES.must(world.state, (WANDA, RITA)).allowance == basic(7)


def test_nobody_allows_itself_or_nobody() -> None:
    world = a_world()
    world.refused(GrantAllowance(RITA, RITA, basic()), OwnAllowance, to_bech32(RITA), "self-grant")
    words = ("grantee", "pollen1")
    world.refused(GrantAllowance(RITA, NO_ADDRESS, basic()), InvalidAllowance, *words)


DOUBLE = (*coins(1), *coins(2))
INVALID: list[tuple[feegrant.Allowance, tuple[object, ...]]] = [
    (BasicAllowance(DOUBLE, Time(0)), ("spend_limit", "1uflt,2uflt", "each denom once")),
    (BasicAllowance((Coin("uflt", U128(0)),), Time(0)), ("spend_limit", "0uflt", "positive")),
    (basic(until_ms=NOW_MS - 1), ("expiration", NOW_MS - 1, f"{NOW_MS} (milliseconds")),
    (periodic(basic=basic(until_ms=1)), ("expiration 1",)),
    (periodic(period=Duration(0)), ("period 0", "1 to 3153600000000 milliseconds")),
    (periodic(period=Duration(3_153_600_000_001)), ("period 3153600000001", "3153600000000")),
    (periodic(period_spend_limit=()), ("period_spend_limit none", "positive")),
    (periodic(period_can_spend=DOUBLE), ("period_can_spend 1uflt,2uflt",)),
    (periodic(period_spend_limit=coins(5, "atom")), ("period_spend_limit atom", "of spend_limit")),
    (AllowedMsgAllowance(basic(), ()), ("allowed_messages", "1 to 64 type URLs")),
    (AllowedMsgAllowance(basic(), ("",)), ("allowed_messages", "1 to 64 type URLs")),
    (AllowedMsgAllowance(basic(), ("/x",) * 65), ("allowed_messages /x", "1 to 64")),
    (AllowedMsgAllowance(basic(until_ms=1), ("/x",)), ("expiration 1",)),
]


@pytest.mark.parametrize(("allowance", "words"), INVALID)
def test_an_allowance_that_makes_no_sense_is_refused(
    allowance: feegrant.Allowance, words: tuple[object, ...]
) -> None:
    a_world().refused(GrantAllowance(RITA, WANDA, allowance), InvalidAllowance, *words)


def test_limits_may_be_left_out_where_that_means_none() -> None:
    world = a_world()
    world.run(GrantAllowance(RITA, WANDA, basic(0)))
    open_ended = periodic(basic=basic(0), period_can_spend=(), period_spend_limit=coins(5, "atom"))
    world.run(GrantAllowance(RITA, an_address("willi"), open_ended))


def asked(world: World, request: Any) -> list[Address]:
    """Who has an allowance, by an answer."""
    query = next(m.queries[type(request)] for m in MONEY if type(request) in m.queries)
    return [grant.grantee for grant in query.function(world.state, request).allowances]


def test_allowances_are_found_by_either_side() -> None:
    world = a_world()
    willi, olga = an_address("willi"), world.account("olga")
    for granter, grantee in ((RITA, WANDA), (RITA, willi), (olga, WANDA)):
        world.run(GrantAllowance(granter, grantee, basic()))
    found = feegrant.allowance(world.state, AllowanceRequest(RITA, WANDA))
    assert found.allowance == Grant(RITA, WANDA, basic())
    with pytest.raises(NoSuchAllowance, match="not found"):
        feegrant.allowance(world.state, AllowanceRequest(WANDA, RITA))
    assert asked(world, AllowancesRequest(WANDA, FIRST)) == [WANDA, WANDA]
    assert sorted(asked(world, AllowancesByGranterRequest(RITA, FIRST))) == sorted([WANDA, willi])
    assert asked(world, AllowancesByGranterRequest(WANDA, FIRST)) == []
