"""`pollen gov`: propose what the chain shall do in its own name, and vote on it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from app.sdk.client import TxOutcome
from app.sdk.cosmos import (
    AddDeposit,
    CancelProposal,
    CastVote,
    CastWeightedVote,
    GovParamsRequest,
    PageRequest,
    Proposal,
    ProposalRequest,
    ProposalsRequest,
    ProposalStatus,
    SubmitProposal,
    TallyResultRequest,
    VoteOption,
    WeightedVoteOption,
    open_packed,
    read_messages,
)
from app.sdk.protocol import DENOM, U64, U128, Address, Coin
from app.sdk.text import to_bech32
from fl_worker.cli.output import date, facts, money, show, table, to_json, waiting
from fl_worker.cli.session import connected, open_signer, run
from fl_worker.cli.settings import Misused, Settings, current, make_noun
from fl_worker.cli.typed import AmountArgument, amount_option

app = make_noun()

SHOWN = 50
ProposalArgument = Annotated[
    int, typer.Argument(metavar="PROPOSAL", min=1, help="The proposal's number.")
]


@app.callback()
def about() -> None:
    """Propose what the chain shall do in its own name, and vote on it."""


@app.command()
def propose(
    file: Annotated[
        Path | None,
        typer.Argument(metavar="FILE", help='JSON: {"messages": [{"@type": …, …}]}, or a list.'),
    ] = None,
    *,
    title: Annotated[str, typer.Option(help="In a few words.")] = "",
    summary: Annotated[str, typer.Option(help="In a few sentences.")] = "",
    deposit: Annotated[
        int | None, amount_option("(default: as much as it needs to be voted on)")
    ] = None,
    hurry: Annotated[
        bool, typer.Option("--expedited", help="Less time, a larger deposit, more votes needed.")
    ] = False,
) -> None:
    """Propose messages, in whose `authority` governance is filled in; none: only words."""
    settings = current()
    content = read_content(file)
    hurry = hurry or content.get("expedited") is True
    given = {name: text for name, text in (("title", title), ("summary", summary)) if text}
    words = {name: str((content | given).get(name, "")) for name in ("title", "summary")}
    missing = [name for name, text in words.items() if not text]
    if missing:
        raise Misused(f"no {missing[0]}; give --{missing[0]}, or write it into the file")
    messages = read_messages(content.get("messages", []))
    outcome = run(submit_proposal(settings, messages, words, deposit, hurry=hurry))
    (answer,) = outcome.responses
    number = answer.proposal_id
    value = {"tx_hash": outcome.hash, "height": outcome.height, "proposal_id": number}
    show(settings, value, f"Proposal {number}. Vote: pollen gov vote {number} yes")


def read_content(file: Path | None) -> dict[str, Any]:
    """Return what a file proposes."""
    if file is None:
        return {}
    try:
        content = json.loads(file.read_text())
    except json.JSONDecodeError as error:
        raise Misused(f"{file}: is no JSON: {error}") from None
    found = {"messages": content} if isinstance(content, list) else content
    if not isinstance(found, dict):
        raise Misused(f"{file}: is neither an object with messages nor a list of them")
    return found


async def submit_proposal(
    settings: Settings,
    messages: tuple[Any, ...],
    words: dict[str, str],
    deposit: int | None,
    *,
    hurry: bool,
) -> TxOutcome:
    """Submit a proposal, with the deposit that it needs unless told."""
    signer = open_signer(settings)
    async with connected(settings) as client:
        if deposit is None:
            params = (await client.query(GovParamsRequest(""))).params
            needed = params.expedited_min_deposit if hurry else params.min_deposit
            deposit = sum(coin.amount for coin in needed)
        message = SubmitProposal(
            messages=messages,
            initial_deposit=(Coin(DENOM, U128(deposit)),) if deposit else (),
            proposer=signer.address,
            metadata="",
            title=words["title"],
            summary=words["summary"],
            expedited=hurry,
        )
        with waiting(settings, "Waiting for a block…"):
            return await client.submit(signer, [message])


@app.command("deposit")
def add_deposit(proposal: ProposalArgument, amount: AmountArgument) -> None:
    """Put money in for a proposal; with enough of it it is voted on."""
    coins = (Coin(DENOM, U128(amount)),)
    submit(lambda me: AddDeposit(U64(proposal), me, coins), f"{money(amount)} for {proposal}.")


@app.command()
def cancel(proposal: ProposalArgument) -> None:
    """Take your proposal back before it is decided; a part of the deposits is lost."""
    submit(lambda me: CancelProposal(U64(proposal), me), f"Proposal {proposal} is no more.")


@app.command()
def vote(
    proposal: ProposalArgument,
    option: Annotated[
        str, typer.Argument(help="yes, no, abstain, no_with_veto; or parts: yes=0.6,no=0.4")
    ],
) -> None:
    """Say what you think of a proposal, with what you have staked; the last word counts."""
    parts = [part.partition("=") for part in option.split(",")]
    names = [name.upper().replace("-", "_") for name, _, _ in parts]
    known = [each.name for each in VoteOption if each]
    for name in names:
        if name not in known:
            raise Misused(f"{name.lower()}: none of {', '.join(known).lower()}")
    weights = [weight for _, _, weight in parts]
    if weights == [""]:
        one = VoteOption[names[0]]
        submit(lambda me: CastVote(U64(proposal), me, one, ""), f"Voted {option}.")
        return
    options = tuple(
        [WeightedVoteOption(VoteOption[n], w) for n, w in zip(names, weights, strict=True)]
    )
    submit(lambda me: CastWeightedVote(U64(proposal), me, options, ""), f"Voted {option}.")


def submit(make: Any, words: str) -> None:
    """Submit a message of the signing key."""
    settings = current()
    signer = open_signer(settings)

    async def send() -> TxOutcome:
        async with connected(settings) as client:
            with waiting(settings, "Waiting for a block…"):
                return await client.submit(signer, [make(signer.address)])

    outcome = run(send())
    show(settings, {"tx_hash": outcome.hash, "height": outcome.height}, words)


@app.command("list")
def list_proposals(
    is_open: Annotated[bool, typer.Option("--voting", help="Only those voted on.")] = False,
) -> None:
    """Show the newest proposals."""
    settings = current()
    status = ProposalStatus.VOTING_PERIOD if is_open else ProposalStatus.UNSPECIFIED
    page = PageRequest(b"", U64(0), U64(SHOWN), count_total=False, reverse=True)
    request = ProposalsRequest(status, Address(b""), Address(b""), page)

    async def ask() -> Any:
        async with connected(settings) as client:
            return (await client.query(request)).proposals

    found = run(ask())
    rows = [[each.id, each.title, each.status.name, until(each)] for each in found]
    columns = ["proposal", "title", "state", "until"]
    value = [describe(each) for each in found]
    show(settings, value, table("", columns, rows))


@app.command("show")
def show_proposal(proposal: ProposalArgument) -> None:
    """Show a proposal, its messages, and how the votes stand."""
    settings = current()

    async def ask() -> tuple[Any, Any]:
        async with connected(settings) as client:
            found = (await client.query(ProposalRequest(U64(proposal)))).proposal
            return found, (await client.query(TallyResultRequest(U64(proposal)))).tally

    found, tally = run(ask())
    value = {**describe(found), "tally": to_json(tally)}
    pairs = {
        "state": found.status.name + (f", until {until(found)}" if until(found) else ""),
        "proposer": to_bech32(found.proposer),
        "deposit": money(sum(coin.amount for coin in found.total_deposit)),
        "summary": found.summary,
        "yes": money(tally.yes_count),
        "no": money(tally.no_count),
        "no with veto": money(tally.no_with_veto_count),
        "abstain": money(tally.abstain_count),
    }
    if found.failed_reason:
        pairs["failed"] = found.failed_reason
    for each in value["messages"]:
        pairs[each["@type"]] = json.dumps({k: v for k, v in each.items() if k != "@type"})
    show(settings, value, facts(f"Proposal {found.id}: {found.title}", pairs))


def describe(proposal: Proposal) -> dict[str, Any]:
    """Return a proposal as plain values, its messages opened."""
    opened = [{"@type": each.type_url, **to_json(open_packed(each))} for each in proposal.messages]
    return {**to_json(proposal), "messages": opened}


def until(proposal: Proposal) -> str:
    """Return when deposits or votes are over, if they aren't."""
    ends = {
        ProposalStatus.DEPOSIT_PERIOD: proposal.deposit_end_time,
        ProposalStatus.VOTING_PERIOD: proposal.voting_end_time,
    }
    end_ms = ends.get(proposal.status, 0)
    return date(end_ms / 1_000) if end_ms else ""
