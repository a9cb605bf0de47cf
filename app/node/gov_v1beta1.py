"""Governance as older clients ask for it: `cosmos.gov.v1beta1.Query`, answered by v1's methods.

Requests, deposits and tallies have the same bytes in both. A proposal's content is its title and
summary: what it would run has no place there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from cosmpy.protos.cosmos.gov.v1beta1 import gov_pb2, query_pb2
from google.protobuf.any_pb2 import Any as AnyMessage

from app.kernel.decimals import ONE
from app.modules.gov.records import read_decimal
from app.node.question import Method, View

PATH, V1_PATH = "/cosmos.gov.v1beta1.Query", "/cosmos.gov.v1.Query"
TEXT_URL = "/cosmos.gov.v1beta1.TextProposal"
PARTS = {"voting": "voting_params", "deposit": "deposit_params", "tallying": "tally_params"}

Convert = Callable[[Any, Any], Any]
"""Makes the older answer of the older request and v1's answer."""


def proposal(request: Any, found: Any) -> Any:
    """Answer with one proposal."""
    return query_pb2.QueryProposalResponse(proposal=write_proposal(found.proposal))


def proposals(request: Any, found: Any) -> Any:
    """Answer with proposals."""
    shown = map(write_proposal, found.proposals)
    return query_pb2.QueryProposalsResponse(proposals=shown, pagination=found.pagination)


def vote(request: Any, found: Any) -> Any:
    """Answer with one vote."""
    return query_pb2.QueryVoteResponse(vote=write_vote(found.vote))


def votes(request: Any, found: Any) -> Any:
    """Answer with the votes on a proposal."""
    shown = map(write_vote, found.votes)
    return query_pb2.QueryVotesResponse(votes=shown, pagination=found.pagination)


def params(request: Any, found: Any) -> Any:
    """Answer with the part of the params that is named, or with all."""
    tally = found.tally_params
    parts = {
        "voting_params": gov_pb2.VotingParams(voting_period=found.voting_params.voting_period),
        "deposit_params": gov_pb2.DepositParams(
            min_deposit=found.deposit_params.min_deposit,
            max_deposit_period=found.deposit_params.max_deposit_period,
        ),
        "tally_params": gov_pb2.TallyParams(
            quorum=write_part(tally.quorum).encode(),
            threshold=write_part(tally.threshold).encode(),
            veto_threshold=write_part(tally.veto_threshold).encode(),
        ),
    }
    asked = PARTS.get(request.params_type)
    return query_pb2.QueryParamsResponse(**({asked: parts[asked]} if asked else parts))


def deposit(request: Any, found: Any) -> Any:
    """Answer with one deposit."""
    return query_pb2.QueryDepositResponse.FromString(found.SerializeToString())


def deposits(request: Any, found: Any) -> Any:
    """Answer with the deposits of a proposal."""
    return query_pb2.QueryDepositsResponse.FromString(found.SerializeToString())


def tally_result(request: Any, found: Any) -> Any:
    """Answer with how the votes stand."""
    return query_pb2.QueryTallyResultResponse.FromString(found.SerializeToString())


def write_proposal(found: Any) -> Any:
    """Return a proposal as it was in v1beta1."""
    text = gov_pb2.TextProposal(title=found.title, description=found.summary)
    shown = gov_pb2.Proposal(
        proposal_id=found.id,
        content=AnyMessage(type_url=TEXT_URL, value=text.SerializeToString()),
        status=found.status,
        final_tally_result=gov_pb2.TallyResult.FromString(
            found.final_tally_result.SerializeToString()
        ),
        total_deposit=found.total_deposit,
    )
    for name in ("submit_time", "deposit_end_time", "voting_start_time", "voting_end_time"):
        if found.HasField(name):
            getattr(shown, name).CopyFrom(getattr(found, name))
    return shown


def write_vote(found: Any) -> Any:
    """Return a vote as it was in v1beta1; one for a single option names that too."""
    options = [
        gov_pb2.WeightedVoteOption(option=each.option, weight=write_part(each.weight))
        for each in found.options
    ]
    shown = gov_pb2.Vote(proposal_id=found.proposal_id, voter=found.voter, options=options)
    if [each.weight for each in options] == [str(ONE)]:
        shown.option = options[0].option
    return shown


def write_part(text: str) -> str:
    """Return a decimal number without its point, with 18 places."""
    return str(read_decimal("", text))


ANSWERS: dict[str, Convert] = {
    "Proposal": proposal,
    "Proposals": proposals,
    "Vote": vote,
    "Votes": votes,
    "Params": params,
    "Deposit": deposit,
    "Deposits": deposits,
    "TallyResult": tally_result,
}


def older_methods(known: Mapping[str, Method]) -> dict[str, Method]:
    """Return the methods of v1beta1, made of v1's."""
    return {
        f"{PATH}/{name}": older_method(name, known[f"{V1_PATH}/{name}"], convert)
        for name, convert in ANSWERS.items()
    }


def older_method(name: str, v1: Method, convert: Convert) -> Method:
    """Return how a question of v1beta1 is answered."""

    def answer(view: View, request: Any) -> Any:
        asked = v1.request.FromString(request.SerializeToString())
        return convert(request, v1.answer(view, asked))

    request, response = [getattr(query_pb2, f"Query{name}{end}") for end in ("Request", "Response")]
    return Method(request, response, answer)
