"""UpdateParams: governance replaces its own params, with which it can go on."""

from dataclasses import replace
from typing import Any

import pytest

from app.kernel.errors import Rejected
from app.kernel.record import Duration
from app.modules import gov
from app.modules.gov import GOVERNANCE, PARAMS, Params, UpdateParams
from app.modules.gov.cosmos_params import InvalidParams
from app.modules.gov.records import InvalidNumber
from app.modules.upgrade import NotGovernance
from tests.build import an_address
from tests.build_gov import a_governed_world, coins


def test_governance_goes_on_with_its_new_params() -> None:
    world = a_governed_world()
    new = replace(Params(), quorum="0.1", min_deposit=coins(5), voting_period=Duration(1_000))
    world.run(UpdateParams(GOVERNANCE, new))
    assert PARAMS.get(world.state) == new
    shown = gov.params(world.state, gov.ParamsRequest("voting"))
    assert (shown.params, shown.voting_params.voting_period) == (new, 1_000)
    assert (shown.tally_params.quorum, shown.deposit_params.min_deposit) == ("0.1", coins(5))


WRONG: list[tuple[dict[str, Any], type[Rejected], tuple[object, ...]]] = [
    ({"min_deposit": ()}, InvalidParams, ("min_deposit none", "uflt")),
    ({"min_deposit": coins(5, "atom")}, InvalidParams, ("min_deposit 5atom",)),
    ({"voting_period": Duration(0)}, InvalidParams, ("voting_period 0", "1 to")),
    ({"max_deposit_period": Duration(1 << 60)}, InvalidParams, ("max_deposit_period",)),
    ({"quorum": "2"}, InvalidNumber, ("quorum 2", "0 to 1")),
    ({"veto_threshold": ""}, InvalidNumber, ("veto_threshold",)),
    ({"proposal_cancel_dest": "nobody"}, InvalidParams, ("proposal_cancel_dest nobody", "address")),
    ({"min_deposit_ratio": "x"}, InvalidNumber, ("min_deposit_ratio x",)),
]


@pytest.mark.parametrize(("fields", "rejection", "words"), WRONG)
def test_params_without_which_nothing_is_decided_are_refused(
    fields: dict[str, Any], rejection: type[Rejected], words: tuple[object, ...]
) -> None:
    message = UpdateParams(GOVERNANCE, replace(Params(), **fields))
    a_governed_world().refused(message, rejection, *words)


def test_only_governance_does_so() -> None:
    message = UpdateParams(an_address("rita"), Params())
    a_governed_world().refused(message, NotGovernance, "let a proposal hold")
