"""RevokeMessages: who let somebody run messages in its name does so no more."""

import pytest

from app.kernel.bech32 import to_bech32
from app.kernel.errors import InvariantBroken
from app.modules import authz
from app.modules.authz import (
    BY_GRANTEE,
    GRANTS,
    MessagesRevoked,
    NoSuchAuthorization,
    RevokeMessages,
)
from tests.rules.test_grant_messages import JOIN_URL, RITA, SEND_URL, WANDA, a_grant, a_world


def test_nothing_is_left_of_a_revoked_authorization() -> None:
    world = a_world()
    world.run(a_grant())
    world.run(RevokeMessages(RITA, WANDA, JOIN_URL))
    assert world.said(MessagesRevoked) == [MessagesRevoked(JOIN_URL, RITA, WANDA)]
    for table in (GRANTS, BY_GRANTEE):
        assert list(world.state.items(table.key.prefix)) == []


def test_only_what_was_granted_is_revoked_by_who_granted_it() -> None:
    world = a_world()
    world.run(a_grant())
    for message in (RevokeMessages(RITA, WANDA, SEND_URL), RevokeMessages(WANDA, RITA, JOIN_URL)):
        world.refused(message, NoSuchAuthorization, to_bech32(RITA), "not found")


def test_an_authorization_that_is_not_found_by_its_grantee_is_noticed() -> None:
    world = a_world()
    world.run(a_grant())
    BY_GRANTEE.remove(world.state, (WANDA, RITA, JOIN_URL))
    with pytest.raises(InvariantBroken, match="found by its grantee"):
        authz.every_authorization_is_found_by_its_grantee(world.state)
    GRANTS.put(world.state, (WANDA, RITA, JOIN_URL), next(GRANTS.items(world.state))[1])
    with pytest.raises(InvariantBroken, match="stands under its accounts"):
        authz.every_authorization_is_found_by_its_grantee(world.state)
