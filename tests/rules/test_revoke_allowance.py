"""RevokeAllowance: who let somebody pay fees with its money does so no more."""

import pytest

from app.kernel.bech32 import to_bech32
from app.kernel.errors import InvariantBroken
from app.modules import feegrant
from app.modules.feegrant import (
    ALLOWANCES,
    BY_GRANTER,
    ENDS,
    AllowanceRevoked,
    GrantAllowance,
    NoSuchAllowance,
    RevokeAllowance,
)
from tests.build import World
from tests.rules.test_grant_allowance import NOW_MS, RITA, WANDA, a_world, basic


def a_granted_world() -> World:
    """A world in which Rita lets Wanda pay fees, until soon."""
    world = a_world()
    world.run(GrantAllowance(RITA, WANDA, basic(until_ms=NOW_MS + 5)))
    return world


def test_nothing_is_left_of_a_revoked_allowance() -> None:
    world = a_granted_world()
    world.run(RevokeAllowance(RITA, WANDA))
    assert world.said(AllowanceRevoked) == [AllowanceRevoked(RITA, WANDA)]
    for table in (ALLOWANCES, BY_GRANTER, ENDS):
        assert list(world.state.items(table.key.prefix)) == []


def test_only_who_granted_can_revoke() -> None:
    world = a_granted_world()
    words = (to_bech32(WANDA), "fee allowance", "not found")
    world.refused(RevokeAllowance(WANDA, RITA), NoSuchAllowance, *words)
    world.refused(RevokeAllowance(world.account("olga"), WANDA), NoSuchAllowance, *words)


def test_an_allowance_that_is_not_found_by_its_granter_or_its_end_is_noticed() -> None:
    check = feegrant.every_allowance_is_found_by_its_granter_and_its_end
    for spoil, words in (
        (lambda state: BY_GRANTER.remove(state, (RITA, WANDA)), "found by its granter"),
        (lambda state: ENDS.remove(state, (NOW_MS + 5, WANDA, RITA)), "found by its end"),
        (
            lambda state: ALLOWANCES.put(
                state, (RITA, WANDA), ALLOWANCES.must(state, (WANDA, RITA))
            ),
            "stands under its two accounts",
        ),
    ):
        world = a_granted_world()
        spoil(world.state)
        with pytest.raises(InvariantBroken, match=words):
            check(world.state)
