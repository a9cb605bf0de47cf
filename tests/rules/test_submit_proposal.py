"""SubmitProposal: somebody proposes that governance runs messages."""

from dataclasses import replace
from typing import Any

import pytest

from app.kernel.record import U64
from app.modules import bank, fees, gov, upgrade
from app.modules.gov import GOVERNANCE, PARAMS, ProposalStatus, SubmitProposal
from app.modules.gov.proposing import (
    InvalidDeposit,
    InvalidProposal,
    ProposalDeposited,
    ProposalSubmitted,
    VotingBegun,
)
from app.modules.gov.records import InvalidNumber
from tests.build import FLT, an_address
from tests.build_chain import a_send
from tests.build_gov import (
    DEPOSIT_UFLT,
    PERIOD_S,
    a_governed_world,
    a_proposal,
    coins,
    find,
    packed_bytes,
    replace_params,
)

RITA = an_address("rita")
CHEAPER = fees.Params(gas_per_row=U64(7))
URL = "/pollen.gov.v1.MsgReplaceParams"


def test_a_proposal_with_its_deposit_is_voted_on() -> None:
    world = a_governed_world()
    before = world.balance(RITA)

    proposal_id = world.run(a_proposal(replace_params(CHEAPER))).proposal_id

    found = find(world, proposal_id)
    assert found is not None
    assert (proposal_id, found.status) == (1, ProposalStatus.VOTING_PERIOD)
    assert (world.balance(RITA), world.balance("gov")) == (before - DEPOSIT_UFLT, DEPOSIT_UFLT)
    assert found.total_deposit == coins(DEPOSIT_UFLT)
    assert found.voting_end_time - found.voting_start_time == PERIOD_S * 1_000
    assert world.said(ProposalSubmitted) == [ProposalSubmitted(U64(1), RITA, f",{URL}")]
    assert world.said(ProposalDeposited) == [ProposalDeposited(RITA, "100000000uflt", U64(1))]
    assert world.said(VotingBegun) == [VotingBegun(U64(1))]


def test_a_proposal_without_its_deposit_waits_for_it() -> None:
    world = a_governed_world()
    for deposit_uflt in (0, DEPOSIT_UFLT - 1):
        proposal_id = world.run(a_proposal(deposit_uflt=deposit_uflt)).proposal_id
        found = find(world, proposal_id)
        assert found is not None
        assert (found.status, found.voting_end_time) == (ProposalStatus.DEPOSIT_PERIOD, 0)
        assert found.deposit_end_time - found.submit_time == PERIOD_S * 1_000
    assert world.said(VotingBegun) == []


WRONG: list[tuple[SubmitProposal, tuple[object, ...]]] = [
    (a_proposal(title=""), ("title of 0 letters", "1 to 255")),
    (a_proposal(title="t" * 256), ("title of 256 letters",)),
    (a_proposal(summary=""), ("summary of 0 letters", "1 to 10200")),
    (a_proposal(summary="s" * 10_201), ("summary of 10201 letters",)),
    (a_proposal(metadata="m" * 256), ("metadata of 256 letters", "0 to 255")),
    (a_proposal(*[upgrade.CancelUpgrade(GOVERNANCE)] * 17), ("messages 17", "16")),
    (a_proposal(messages=(packed_bytes("/x.Msg"),)), ("/x.Msg", "governance can run")),
    (a_proposal(a_send(RITA, RITA)), ("MsgSend of pollen1", "those of governance")),
    (a_proposal(replace_params(CHEAPER, RITA)), ("MsgReplaceParams of pollen1",)),
]


@pytest.mark.parametrize(("message", "words"), WRONG)
def test_a_proposal_that_cannot_be_is_refused(
    message: SubmitProposal, words: tuple[object, ...]
) -> None:
    a_governed_world().refused(message, InvalidProposal, *words)


def test_governance_may_run_what_others_may() -> None:
    world = a_governed_world()
    assert world.run(a_proposal(a_send(GOVERNANCE, RITA))).proposal_id == 1


def test_a_proposer_brings_the_part_that_the_params_ask_for() -> None:
    world = a_governed_world()
    params = replace(PARAMS.get(world.state), min_initial_deposit_ratio="0.25")
    PARAMS.put(world.state, params)
    quarter = DEPOSIT_UFLT // 4
    for uflt in (0, quarter - 1):
        message = a_proposal(deposit_uflt=uflt)
        world.refused(message, InvalidDeposit, f"the limit is {quarter}uflt")
    world.run(a_proposal(deposit_uflt=quarter))


def test_a_deposit_is_in_uflt_and_there() -> None:
    world = a_governed_world()
    for amount in (coins(5, "atom"), (*coins(5, "atom"), *coins(DEPOSIT_UFLT)), coins(1) * 2):
        world.refused(a_proposal(initial_deposit=amount), InvalidDeposit, "in uflt")
    poor = a_proposal(proposer=world.account("poor", FLT))
    world.refused(poor, bank.InsufficientFunds, "insufficient funds")


@pytest.mark.parametrize("text", ["", ".5", "1.", "1.1", "-0.5", "1e3", "0." + "1" * 19, "²"])
def test_a_decimal_number_has_digits_and_a_point(text: str) -> None:
    with pytest.raises(InvalidNumber, match=r"write 0\.5"):
        gov.records.read_decimal("quorum", text)


def test_a_decimal_number_is_read_to_its_last_place() -> None:
    read: Any = gov.records.read_decimal
    assert [read("x", text) for text in ("0", "1", "0.5")] == [0, 10**18, 5 * 10**17]
    assert read("x", "0.000000000000000001") == 1
