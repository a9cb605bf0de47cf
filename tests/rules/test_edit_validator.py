"""EditValidator: a validator says another thing of itself."""

from typing import Any

import pytest

from app.kernel.decimals import ONE
from app.kernel.errors import Rejected
from app.modules.staking import Description, EditValidator
from app.modules.staking.records import NoSuchValidator
from app.modules.staking.validators import (
    KEEP,
    BadCommission,
    BadDescription,
    BadNumber,
    BadSelfDelegation,
    CommissionChangedToday,
    ValidatorEdited,
)
from tests.build import FLT, changed
from tests.build_staking import DAY_S, DESCRIPTION, StakingWorld, a_creation, an_operator

AS_IT_IS = EditValidator(Description(KEEP, KEEP, KEEP, KEEP, KEEP), an_operator("vito"), "", "")


def a_world() -> StakingWorld:
    """A world in which vito became a validator a day ago."""
    world = StakingWorld(["vera"])
    world.account("vito")
    world.run(a_creation("vito"))
    world.pass_block(seconds=DAY_S)
    return world


def test_texts_change_and_what_an_edit_leaves_alone_stays() -> None:
    world = a_world()
    edit = changed(AS_IT_IS, {"description.moniker": "new", "description.website": ""})
    world.run(edit)
    row = world.row("vito")
    assert row.description == changed(DESCRIPTION, {"moniker": "new", "website": ""})
    assert world.said(ValidatorEdited) == [ValidatorEdited("0.100000000000000000", "1")]


def test_the_commission_changes_once_a_day() -> None:
    world = a_world()
    edit = changed(AS_IT_IS, {"commission_rate": str(ONE * 11 // 100)})
    world.run(edit)
    assert world.row("vito").rates.rate == ONE * 11 // 100
    world.refused(edit, CommissionChangedToday, "24 h", f"{DAY_S + 1} s")
    world.pass_block(seconds=DAY_S)
    world.run(edit)


def test_the_promise_to_stake_only_grows() -> None:
    world = a_world()
    world.run(changed(AS_IT_IS, {"min_self_delegation": str(7 * FLT)}))
    assert world.row("vito").self_min_uflt == 7 * FLT
    less = changed(AS_IT_IS, {"min_self_delegation": str(7 * FLT)})
    world.refused(less, BadSelfDelegation, "increased", 7 * FLT)


CASES: list[tuple[dict[str, Any], type[Rejected], tuple[object, ...]]] = [
    ({"validator_address": an_operator("eve")}, NoSuchValidator, ("does not exist", "of the 2")),
    ({"description.moniker": ""}, BadDescription, ("moniker",)),
    ({"description.identity": "i" * 3_001}, BadDescription, (3_001, 3_000)),
    ({"commission_rate": str(ONE // 4)}, BadCommission, ("0.250000000000000000", "max rate")),
    ({"commission_rate": str(ONE // 8)}, BadCommission, ("0.025000000000000000", "max change")),
    ({"commission_rate": "-1"}, BadNumber, ("commission_rate", "'-1'", 38)),
    ({"commission_rate": "0.1"}, BadNumber, ("'0.1'",)),
    ({"min_self_delegation": "9" * 39}, BadNumber, ("min_self_delegation",)),
    ({"min_self_delegation": "0"}, BadSelfDelegation, ("increased",)),
    ({"min_self_delegation": str(11 * FLT)}, BadSelfDelegation, ("tokens", 10 * FLT)),
]


@pytest.mark.parametrize(("changes", "rejection", "words"), CASES)
def test_an_edit_that_may_not_be_is_refused(
    changes: dict[str, Any], rejection: type[Rejected], words: tuple[object, ...]
) -> None:
    world = a_world()
    before = world.row("vito")
    world.refused(changed(AS_IT_IS, changes), rejection, *words)
    assert world.row("vito") == before
