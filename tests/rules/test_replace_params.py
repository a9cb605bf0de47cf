"""ReplaceParams: governance replaces a module's params, all of them."""

from dataclasses import replace

import pytest

from app.kernel.errors import Rejected
from app.kernel.record import U32, U64
from app.modules import bonds, fees, jobs, lower, statistics
from app.modules.gov import VoteOption
from app.modules.gov.cosmos_params import InvalidParams, ParamsReplaced
from app.modules.gov.running import PARAMS_OF
from app.modules.upgrade import NotGovernance
from app.wire.records import parse, serialize
from tests.build import an_address
from tests.build_gov import a_governed_world, pass_vote, propose, replace_params, vote


def test_params_are_replaced_from_the_next_block_on() -> None:
    world = a_governed_world()
    new = [replace(bonds.Params(), unbonding_s=U64(77)), statistics.Params(U64(5_000))]
    proposal_id = propose(world, *map(replace_params, new))
    vote(world, proposal_id, vera=VoteOption.YES)
    pass_vote(world)
    assert [bonds.PARAMS.get(world.state), statistics.PARAMS.get(world.state)] == new
    said = [ParamsReplaced("bonds"), ParamsReplaced("statistics")]
    assert world.said(ParamsReplaced) == said


def test_each_module_of_pollen_can_have_others() -> None:
    known = [m.params.record for m in lower.MODULES if m.params and m.package.startswith("pollen.")]
    assert list(PARAMS_OF) == known
    for record in known:
        message = replace_params(record())
        assert parse(type(message), serialize(message)) == message


def test_only_governance_replaces_params() -> None:
    world = a_governed_world()
    message = replace_params(fees.Params(), an_address("rita"))
    world.refused(message, NotGovernance, "let a proposal hold the message")


@pytest.mark.parametrize(
    ("params", "field"),
    [
        (replace(statistics.Params(), epoch_s=U64(0)), "epoch_s"),
        (replace(fees.Params(), tx_messages_max=U32(0)), "tx_messages_max"),
        (replace(jobs.Params(), due_per_block_max=U32(0)), "due_per_block_max"),
    ],
)
def test_a_limit_or_a_time_stays_something(params: object, field: str) -> None:
    world = a_governed_world()
    rejection: type[Rejected] = InvalidParams
    world.refused(replace_params(params), rejection, f"params.{field} 0", "1 or more")


def test_what_may_be_nothing_may_become_so() -> None:
    world = a_governed_world()
    world.run(replace_params(replace(fees.Params(), uflt_per_million_gas_min=U64(0))))
    assert fees.PARAMS.get(world.state).uflt_per_million_gas_min == 0
