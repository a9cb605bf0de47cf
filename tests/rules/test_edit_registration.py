from dataclasses import replace
from typing import Any

import pytest

from app.kernel.errors import Rejected
from app.kernel.record import Address
from app.modules.bonds import EditRegistration, Role, bonding
from tests.build import World, an_address

EDIT = EditRegistration(
    participant=an_address("emma"),
    payout_address=an_address("safe"),
    endpoint="https://reader.example/blobs",
    reader_key=b"",
    paused=True,
)


def test_editing_replaces_what_others_need_to_know_and_keeps_role_and_bond() -> None:
    world = World()
    emma = world.participant("emma", Role.EVALUATOR)
    before = world.registration(emma)

    world.run(EDIT)

    assert world.registration(emma) == replace(
        before,
        payout_address=an_address("safe"),
        endpoint="https://reader.example/blobs",
        reader_key=b"",
        paused=True,
    )
    assert world.said(bonding.RegistrationEdited) == [bonding.RegistrationEdited(emma, True)]


@pytest.mark.parametrize(
    ("changes", "rejection", "word"),
    [
        ({"participant": an_address("nobody")}, bonding.NotRegistered, "participant pollen1"),
        ({"payout_address": Address(b"")}, bonding.InvalidPayoutAddress, "payout_address"),
        ({"endpoint": "reader.example"}, bonding.InvalidEndpoint, "endpoint 'reader.example'"),
        ({"reader_key": b"1"}, bonding.InvalidReaderKey, "reader_key: has 1 bytes"),
    ],
)
def test_what_cannot_be_edited_is_refused(
    changes: dict[str, Any], rejection: type[Rejected], word: str
) -> None:
    world = World()
    world.participant("emma", Role.EVALUATOR)

    world.refused(replace(EDIT, **changes), rejection, word)
