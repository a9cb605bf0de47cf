"""GrantMessages: somebody may run messages of a type in the signer's name."""

from typing import Any

import pytest

from app.kernel.bech32 import to_bech32
from app.kernel.page import PageRequest
from app.kernel.record import NO_ADDRESS, U64, U128, Address, Time
from app.kernel.tx import Coin
from app.modules import authz, lower
from app.modules.authz import (
    GRANTS,
    GenericAuthorization,
    Grant,
    GrantAuthorization,
    GranteeGrantsRequest,
    GranterGrantsRequest,
    GrantMessages,
    GrantsRequest,
    InvalidAuthorization,
    MessagesGranted,
    NoSuchAuthorization,
    SendAuthorization,
)
from tests.build import FLT, World, an_address

RITA, WANDA = an_address("rita"), an_address("wanda")
NOW_MS = 1_000_000
SEND_URL, JOIN_URL = "/cosmos.bank.v1beta1.MsgSend", "/pollen.jobs.v1.MsgJoinJob"
FIRST = PageRequest(b"", U64(0), U64(0), count_total=False, reverse=False)
GENERIC = GenericAuthorization(JOIN_URL)


def coins(uflt: int, denom: str = "uflt") -> tuple[Coin, ...]:
    return (Coin(denom, U128(uflt)),)


def a_grant(
    authorization: Any = GENERIC,
    until_ms: int = 0,
    granter: Address = RITA,
    grantee: Address = WANDA,
) -> GrantMessages:
    """Rita lets Wanda join jobs for ever unless told."""
    return GrantMessages(granter, grantee, Grant(authorization, Time(until_ms)))


def a_world() -> World:
    return World(modules=(*lower.MODULES, authz.MODULE))


def test_an_authorization_is_kept_by_its_messages() -> None:
    world = a_world()
    send = SendAuthorization(coins(FLT), (WANDA,))
    for authorization in (GENERIC, send):
        world.run(a_grant(authorization))
    for url, authorization in ((JOIN_URL, GENERIC), (SEND_URL, send)):
        row = GRANTS.get(world.state, (RITA, WANDA, url))
        assert row == GrantAuthorization(RITA, WANDA, authorization, Time(0))
        assert MessagesGranted(url, RITA, WANDA) in world.events


def test_another_authorization_takes_the_place_of_the_one_before() -> None:
    world = a_world()
    world.run(a_grant(SendAuthorization(coins(FLT), ())))
    world.run(a_grant(GenericAuthorization(SEND_URL), NOW_MS + 1))
    row = GRANTS.must(world.state, (RITA, WANDA, SEND_URL))
    assert (row.authorization, row.expiration) == (GenericAuthorization(SEND_URL), NOW_MS + 1)


WRONG: list[tuple[GrantMessages, tuple[object, ...]]] = [
    (a_grant(grantee=RITA), ("grantee", to_bech32(RITA), "other than the granter")),
    (a_grant(grantee=NO_ADDRESS), ("grantee empty",)),
    (a_grant(until_ms=NOW_MS), ("expiration 1000000", "after 1000000")),
    (a_grant(GenericAuthorization("/x.Msg")), ("msg /x.Msg", "may be run")),
    (a_grant(GenericAuthorization("/cosmos.authz.v1beta1.MsgExec")), ("MsgExec", "may be run")),
    (a_grant(SendAuthorization((), ())), ("spend_limit none", "positive")),
    (a_grant(SendAuthorization(coins(0), ())), ("spend_limit 0uflt", "positive")),
    (a_grant(SendAuthorization(coins(1), (WANDA, WANDA))), ("allow_list 2", "each once")),
    (a_grant(SendAuthorization(coins(1), (NO_ADDRESS,))), ("allow_list 1",)),
    (
        a_grant(SendAuthorization(coins(1), tuple([an_address(f"{n}") for n in range(65)]))),
        ("allow_list 65", "64 addresses"),
    ),
]


@pytest.mark.parametrize(("message", "words"), WRONG)
def test_an_authorization_that_makes_no_sense_is_refused(
    message: GrantMessages, words: tuple[object, ...]
) -> None:
    a_world().refused(message, InvalidAuthorization, *words)


def test_authorizations_are_found_by_either_side() -> None:
    world = a_world()
    willi = an_address("willi")
    for message in (
        a_grant(),
        a_grant(GenericAuthorization(SEND_URL)),
        a_grant(grantee=willi),
        a_grant(granter=willi),
    ):
        world.run(message)
    between = authz.grants(world.state, GrantsRequest(RITA, WANDA, "", FIRST)).grants
    assert sorted(row.authorization.msg for row in between) == [SEND_URL, JOIN_URL]
    (one,) = authz.grants(world.state, GrantsRequest(RITA, WANDA, SEND_URL, FIRST)).grants
    assert one == Grant(GenericAuthorization(SEND_URL), Time(0))
    with pytest.raises(NoSuchAuthorization, match="authorization not found"):
        authz.grants(world.state, GrantsRequest(WANDA, RITA, SEND_URL, FIRST))
    given = authz.granter_grants(world.state, GranterGrantsRequest(RITA, FIRST)).grants
    assert sorted(row.grantee for row in given) == sorted([WANDA, WANDA, willi])
    had = authz.grantee_grants(world.state, GranteeGrantsRequest(WANDA, FIRST)).grants
    assert sorted(row.granter for row in had) == sorted([RITA, RITA, willi])
