"""A world that is governed: people who have staked, proposals, votes, and the time they take.

world = a_governed_world()
proposal_id = propose(world, replace_params(fees.Params(gas_per_row=U64(7))))
vote(world, proposal_id, vera=VoteOption.YES)
pass_vote(world)
"""

from collections.abc import Mapping
from typing import Any

from app.kernel.packed import Packed
from app.kernel.record import U64, U128, Address
from app.kernel.tx import Coin
from app.modules import gov, lower
from app.modules.gov import (
    GOVERNANCE,
    CastVote,
    Proposal,
    ReplaceParams,
    SubmitProposal,
    VoteOption,
)
from app.modules.gov.records import PROPOSALS
from app.wire.records import put_packed
from tests.build import FLT, World, an_address
from tests.build_staking import a_creation, a_delegation

DEPOSIT_UFLT = 100 * FLT
PERIOD_S = 2 * 86_400
MODULES = (*lower.MODULES, gov.MODULE)
STAKES = {"vera": {"vera": 600, "dora": 300, "dirk": 100}, "vito": {"vito": 500}}
"""In FLT: by validator's operator, who has staked with it."""


def a_governed_world(stakes: Mapping[str, Mapping[str, int]] = STAKES) -> World:
    """A world with validators and their delegators, in which Rita makes proposals."""
    world = World(modules=MODULES)
    world.account("rita")
    stake(world, stakes)
    return world


def coins(uflt: int, denom: str = "uflt") -> tuple[Coin, ...]:
    """Money as messages hold it."""
    return (Coin(denom, U128(uflt)),) if uflt else ()


def replace_params(params: Any, authority: Address = GOVERNANCE) -> ReplaceParams:
    """A message that replaces a module's params."""
    return ReplaceParams(authority, params)


def a_proposal(*messages: Any, deposit_uflt: int = DEPOSIT_UFLT, **fields: Any) -> SubmitProposal:
    """Rita's proposal, with the deposit that it needs unless told."""
    given = {
        "messages": tuple(map(put_packed, messages)),
        "initial_deposit": coins(deposit_uflt),
        "proposer": an_address("rita"),
        "metadata": "",
        "title": "a title",
        "summary": "a summary",
        "expedited": False,
    }
    return SubmitProposal(**{**given, **fields})


def propose(world: World, *messages: Any, deposit_uflt: int = DEPOSIT_UFLT) -> int:
    """Let Rita propose messages; return the proposal's number."""
    return int(world.run(a_proposal(*messages, deposit_uflt=deposit_uflt)).proposal_id)


def vote(world: World, proposal_id: int, **votes: VoteOption) -> None:
    """Let people say one thing each."""
    for name, option in votes.items():
        world.run(CastVote(U64(proposal_id), an_address(name), option, ""))


def find(world: World, proposal_id: int) -> Proposal | None:
    """A proposal as it is now."""
    kept = PROPOSALS.get(world.state, proposal_id)
    return kept.proposal if kept else None


def pass_vote(world: World) -> None:
    """Let the time go by in which proposals are voted on or their deposits brought."""
    world.wait(PERIOD_S)


def packed_bytes(type_url: str, data: bytes = b"") -> Packed:
    """A message within another that may be none."""
    return Packed(type_url, data)


def stake(world: World, stakes: Mapping[str, Mapping[str, int]]) -> None:
    """Let people stake so many FLT with validators, who take part in consensus from then on."""
    for operator, parts in stakes.items():
        world.account(operator)
        world.run(a_creation(operator, parts[operator] * FLT))
        for who in parts:
            if who != operator:
                world.run(a_delegation(world.account(who), operator, parts[who] * FLT))
    world.pass_block()
