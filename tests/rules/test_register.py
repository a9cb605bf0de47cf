from dataclasses import replace
from typing import Any

import pytest

from app.kernel.crypto import module_address
from app.kernel.errors import Rejected
from app.kernel.record import Address
from app.modules.bank import InsufficientFunds
from app.modules.bonds import (
    RegistrationRequest,
    RegistrationsRequest,
    Role,
    bonding,
    find_registration,
    participants,
    registration,
    registrations,
)
from tests.build import FLT, World, a_payout_address, a_registration


def test_registering_bonds_money_and_takes_a_role() -> None:
    world = World()
    emma = world.account("emma", 50 * FLT)

    world.run(a_registration(emma, Role.EVALUATOR, 30 * FLT))

    row = world.registration(emma)
    assert (row.role, row.bonded_uflt, row.locked_uflt, row.paused) == (
        Role.EVALUATOR,
        30 * FLT,
        0,
        False,
    )
    assert row.payout_address == a_payout_address(emma)
    assert (world.balance(emma), world.balance("bonds")) == (20 * FLT, 30 * FLT)
    assert world.said(bonding.Registered) == [bonding.Registered(emma, Role.EVALUATOR, 30 * FLT)]
    assert [each.participant for each in participants(world.state, Role.EVALUATOR)] == [emma]
    assert list(participants(world.state, Role.WORKER)) == []


REFUSED: list[tuple[dict[str, Any], type[Rejected], tuple[object, ...]]] = [
    ({"role": Role.UNSPECIFIED}, bonding.RoleMissing, ("role", "UNSPECIFIED")),
    ({"payout_address": Address(b"")}, bonding.InvalidPayoutAddress, ("payout_address", "empty")),
    (
        {"payout_address": module_address("escrow")},
        bonding.InvalidPayoutAddress,
        ("payout_address pollen1", "a module account"),
    ),
    ({"endpoint": ""}, bonding.InvalidEndpoint, ("endpoint ''", "EVALUATOR", 256)),
    ({"endpoint": "ftp://host"}, bonding.InvalidEndpoint, ("ftp://host", "http://", 256)),
    ({"endpoint": "https://"}, bonding.InvalidEndpoint, ("https://", 256)),
    ({"endpoint": "http:///path"}, bonding.InvalidEndpoint, ("http:///path", 256)),
    ({"endpoint": "http://me@host"}, bonding.InvalidEndpoint, ("http://me@host", 256)),
    ({"endpoint": "http://a b"}, bonding.InvalidEndpoint, ("http://a b", 256)),
    ({"endpoint": "http://" + "a" * 250}, bonding.InvalidEndpoint, ("http://aaa", 256)),
    ({"role": Role.WORKER}, bonding.InvalidEndpoint, ("WORKER", "must be empty")),
    ({"reader_key": b"short"}, bonding.InvalidReaderKey, ("reader_key", 5, 32)),
    ({"bond_uflt": 9_999_999}, bonding.BondTooSmall, ("bond_uflt", 9_999_999, 10_000_000)),
]


@pytest.mark.parametrize(("changes", "rejection", "words"), REFUSED)
def test_what_cannot_be_registered_is_refused(
    changes: dict[str, Any], rejection: type[Rejected], words: tuple[object, ...]
) -> None:
    world = World()
    message = a_registration(world.account("emma"), Role.EVALUATOR)

    world.refused(replace(message, **changes), rejection, *words)


def test_an_account_has_one_role() -> None:
    world = World()
    wanda = world.participant("wanda")

    message = a_registration(wanda, Role.AGGREGATOR)

    world.refused(message, bonding.AlreadyRegistered, "participant pollen1", "WORKER", "one role")


def test_a_bond_must_be_there() -> None:
    world = World()
    poor = world.account("poor", 5 * FLT)

    world.refused(a_registration(poor), InsufficientFunds, "has only 5000000uflt")


def test_registrations_are_listed_by_role_a_page_at_a_time() -> None:
    world = World()
    everyone = [world.participant(f"worker {i}") for i in range(5)]
    world.participant("emma", Role.EVALUATOR)

    first = registrations(world.state, RegistrationsRequest(Role.WORKER, Address(b""), 3))
    last = first.registrations[-1].participant
    second = registrations(world.state, RegistrationsRequest(Role.WORKER, last, 3))

    found = [row.participant for row in first.registrations + second.registrations]
    assert (len(first.registrations), sorted(found)) == (3, sorted(everyone))


def test_a_question_for_who_is_not_registered_is_refused() -> None:
    world = World()
    wanda = world.participant("wanda")

    assert registration(world.state, RegistrationRequest(wanda)).registration.role == Role.WORKER
    assert find_registration(world.state, world.account("nobody")) is None
    with pytest.raises(bonding.NotRegistered, match=r"participant pollen1.*register it"):
        registration(world.state, RegistrationRequest(world.account("nobody")))
