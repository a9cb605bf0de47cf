"""SubmitProposal, Deposit, CancelProposal, and what becomes of deposits."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import ClassVar

from app.kernel import packed
from app.kernel.bech32 import from_bech32, to_bech32
from app.kernel.context import Context
from app.kernel.decimals import ONE, truncate
from app.kernel.errors import Rejected, require
from app.kernel.frozen import frozen
from app.kernel.packed import Packed
from app.kernel.record import U64, U128, Address, Time
from app.kernel.store import State
from app.kernel.tx import Coin
from app.modules import bank
from app.modules.gov.records import (
    COUNT,
    DEPOSITS,
    DUE,
    GOVERNANCE,
    MESSAGES_MAX,
    METADATA_LENGTH_MAX,
    OPEN,
    PARAMS,
    PROPOSALS,
    SUMMARY_LENGTH_MAX,
    TITLE_LENGTH_MAX,
    VOTES,
    KeptProposal,
    Proposal,
    ProposalCount,
    ProposalStatus,
    TallyResult,
    Terms,
    amount_of,
    find_terms,
    read_decimal,
    require_proposal,
)
from app.modules.gov.records import Deposit as DepositRow
from app.modules.gov.running import KNOWN


@frozen
class SubmitProposal:
    """Propose that governance runs messages."""

    messages: tuple[Packed, ...]
    initial_deposit: tuple[Coin, ...]
    proposer: Address
    metadata: str
    title: str
    summary: str
    expedited: bool


@frozen
class SubmitProposalResponse:
    """The proposal's number."""

    proposal_id: U64


@frozen
class AddDeposit:
    """Put money in for a proposal."""

    proposal_id: U64
    depositor: Address
    amount: tuple[Coin, ...]


@frozen
class CancelProposal:
    """Take one's proposal back before it is decided."""

    proposal_id: U64
    proposer: Address


@frozen
class CancelProposalResponse:
    """That the proposal is no more."""

    proposal_id: U64
    canceled_time: Time
    canceled_height: U64


@frozen
class ProposalCancelled:
    """A proposal was taken back."""

    EVENT_TYPE: ClassVar[str] = "cancel_proposal"
    sender: Address
    proposal_id: U64


@frozen
class ProposalSubmitted:
    """There is another proposal."""

    EVENT_TYPE: ClassVar[str] = "submit_proposal"
    proposal_id: U64
    proposal_proposer: Address
    proposal_messages: str


@frozen
class ProposalDeposited:
    """Somebody put money in for a proposal."""

    EVENT_TYPE: ClassVar[str] = "proposal_deposit"
    depositor: Address
    amount: str
    proposal_id: U64


@frozen
class VotingBegun:
    """A proposal has its deposit and is voted on."""

    EVENT_TYPE: ClassVar[str] = "proposal_deposit"
    voting_period_start: U64


class InvalidProposal(Rejected):
    """A proposal that can't be."""

    code = 2404
    text = "{field} {value}: no valid proposal, the limit is {limit}; change it"


class InvalidDeposit(Rejected):
    """A deposit that is too small, or of the wrong coins."""

    code = 2405
    text = "amount {coins}: no valid deposit, the limit is {limit}uflt or more, in uflt; raise it"


class NotTheProposer(Rejected):
    """A proposal of somebody else."""

    code = 2410
    text = (
        "proposer {proposer}: didn't make the proposal, the limit is {limit}; let that one cancel"
    )


def submit_proposal(state: State, ctx: Context, msg: SubmitProposal) -> SubmitProposalResponse:
    """Propose that governance runs messages, against a deposit."""
    params = PARAMS.get(state)
    check_texts(msg)
    check_messages(msg.messages)
    proposal_id = U64(COUNT.get(state).count + 1)
    now_ms, period_ms = ctx.block.time_ms, params.max_deposit_period
    proposal = Proposal(
        id=proposal_id,
        messages=msg.messages,
        status=ProposalStatus.DEPOSIT_PERIOD,
        final_tally_result=TallyResult(),
        submit_time=Time(now_ms),
        deposit_end_time=Time(now_ms + period_ms),
        total_deposit=(),
        voting_start_time=Time(0),
        voting_end_time=Time(0),
        metadata=msg.metadata,
        title=msg.title,
        summary=msg.summary,
        proposer=msg.proposer,
        expedited=msg.expedited,
        failed_reason="",
    )
    ratio = read_decimal("min_initial_deposit_ratio", params.min_initial_deposit_ratio)
    if msg.initial_deposit or ratio:
        check_deposit(msg.initial_deposit, share(find_terms(params, proposal), ratio))
    COUNT.put(state, ProposalCount(proposal_id))
    set_due(state, KeptProposal(proposal, U64(0)), ctx.block.clock_ms + period_ms)
    names = "".join([f",{each.type_url}" for each in msg.messages])
    ctx.emit(ProposalSubmitted(proposal_id, msg.proposer, names))
    if msg.initial_deposit:
        put_in(state, ctx, proposal_id, msg.proposer, amount_of(msg.initial_deposit))
    return SubmitProposalResponse(proposal_id)


def add_deposit(state: State, ctx: Context, msg: AddDeposit) -> None:
    """Put money in for a proposal; with enough it is voted on."""
    params = PARAMS.get(state)
    proposal = require_proposal(state, msg.proposal_id, *OPEN).proposal
    ratio = read_decimal("min_deposit_ratio", params.min_deposit_ratio)
    check_deposit(msg.amount, share(find_terms(params, proposal), ratio))

    put_in(state, ctx, msg.proposal_id, msg.depositor, amount_of(msg.amount))


def cancel_proposal(state: State, ctx: Context, msg: CancelProposal) -> CancelProposalResponse:
    """Take one's proposal back; the deposits return, less the part that this costs."""
    proposal = require_proposal(state, msg.proposal_id, *OPEN).proposal
    proposer = to_bech32(proposal.proposer)
    is_own = msg.proposer == proposal.proposer
    require(is_own, NotTheProposer, proposer=to_bech32(msg.proposer), limit=proposer)

    params = PARAMS.get(state)
    ratio = read_decimal("proposal_cancel_ratio", params.proposal_cancel_ratio)
    lost_uflt = 0
    for depositor, amount_uflt in take_deposits(state, proposal.id):
        part_uflt = truncate(amount_uflt * ratio)
        lost_uflt += part_uflt
        bank.move(state, ctx, GOVERNANCE, depositor, amount_uflt - part_uflt)
    if params.proposal_cancel_dest:
        bank.move(state, ctx, GOVERNANCE, from_bech32(params.proposal_cancel_dest), lost_uflt)
    elif lost_uflt:
        bank.burn(state, ctx, GOVERNANCE, lost_uflt)
    forget(state, proposal.id)
    ctx.emit(ProposalCancelled(msg.proposer, proposal.id))
    return CancelProposalResponse(proposal.id, Time(ctx.block.time_ms), U64(ctx.block.height))


def forget(state: State, proposal_id: int) -> None:
    """Remove a proposal that was never decided, and what was said of it."""
    set_due(state, PROPOSALS.must(state, proposal_id), 0)
    PROPOSALS.delete(state, proposal_id)
    drop_votes(state, proposal_id)


def drop_votes(state: State, proposal_id: int) -> None:
    """Remove what was said of a proposal."""
    for place, _ in list(VOTES.items(state, (proposal_id,))):
        VOTES.delete(state, place)


def share(terms: Terms, ratio: int) -> int:
    """Return a part of the deposit that a proposal needs, at least one unit."""
    return max(-(-terms.deposit_uflt * ratio // ONE), 1)


def check_deposit(coins: tuple[Coin, ...], least: int) -> None:
    """Refuse a deposit that is too small or not in uflt."""
    is_uflt = [coin.denom for coin in coins] == [bank.DENOM]
    is_enough = is_uflt and amount_of(coins) >= least
    require(is_enough, InvalidDeposit, coins=bank.coins_text(coins), limit=least)


def check_texts(msg: SubmitProposal) -> None:
    """Refuse a proposal whose texts are missing or too long."""
    for field, value, least, most in (
        ("title", msg.title, 1, TITLE_LENGTH_MAX),
        ("summary", msg.summary, 1, SUMMARY_LENGTH_MAX),
        ("metadata", msg.metadata, 0, METADATA_LENGTH_MAX),
    ):
        is_right = least <= len(value) <= most
        check(field, f"of {len(value)} letters", is_right, f"{least} to {most} letters")


def check_messages(messages: tuple[Packed, ...]) -> None:
    """Refuse messages that governance can't run, or can't in its own name."""
    check("messages", len(messages), len(messages) <= MESSAGES_MAX, f"{MESSAGES_MAX}")
    for each in messages:
        found = packed.unpack(KNOWN, each)
        if found is None:
            check("messages", each.type_url, False, "messages that governance can run")
        else:
            signer = f"{each.type_url} of {to_bech32(found.signer)}"
            own = f"those of governance, {to_bech32(GOVERNANCE)}"
            check("messages", signer, found.signer == GOVERNANCE, own)


def check(field: str, value: object, is_valid: bool, limit: str) -> None:
    """Refuse a field of a proposal that isn't as it must be."""
    require(is_valid, InvalidProposal, field=field, value=value, limit=limit)


def set_due(state: State, kept: KeptProposal, due_clock_ms: int) -> None:
    """Write a proposal, with the time at which it goes on; 0: never."""
    proposal_id = kept.proposal.id
    if kept.due_clock_ms:
        DUE.remove(state, (kept.due_clock_ms, proposal_id))
    if due_clock_ms:
        DUE.add(state, (due_clock_ms, proposal_id))
    PROPOSALS.put(state, proposal_id, replace(kept, due_clock_ms=U64(due_clock_ms)))


def put_in(
    state: State, ctx: Context, proposal_id: U64, depositor: Address, amount_uflt: int
) -> None:
    """Take a deposit, and begin the vote if that is enough."""
    bank.move(state, ctx, depositor, GOVERNANCE, amount_uflt)
    row = DEPOSITS.get(state, (proposal_id, depositor))
    had_uflt = amount_of(row.amount) if row else 0
    coins = (Coin(bank.DENOM, U128(had_uflt + amount_uflt)),)
    DEPOSITS.put(state, (proposal_id, depositor), DepositRow(proposal_id, depositor, coins))
    ctx.emit(ProposalDeposited(depositor, f"{amount_uflt}{bank.DENOM}", proposal_id))

    kept = PROPOSALS.must(state, proposal_id)
    terms = find_terms(PARAMS.get(state), kept.proposal)
    total_uflt = amount_of(kept.proposal.total_deposit) + amount_uflt
    total = (Coin(bank.DENOM, U128(total_uflt)),)
    kept = replace(kept, proposal=replace(kept.proposal, total_deposit=total))
    is_waiting = kept.proposal.status is ProposalStatus.DEPOSIT_PERIOD
    if not is_waiting or total_uflt < terms.deposit_uflt:
        PROPOSALS.put(state, proposal_id, kept)
        return
    now_ms, period_ms = ctx.block.time_ms, terms.period_ms
    voted = replace(
        kept.proposal,
        status=ProposalStatus.VOTING_PERIOD,
        voting_start_time=Time(now_ms),
        voting_end_time=Time(now_ms + period_ms),
    )
    set_due(state, replace(kept, proposal=voted), ctx.block.clock_ms + period_ms)
    ctx.emit(VotingBegun(proposal_id))


def close_deposits(state: State, ctx: Context, proposal_id: int, *, burns: bool) -> None:
    """Give every deposit back, or burn all."""
    for depositor, amount_uflt in take_deposits(state, proposal_id):
        if burns:
            bank.burn(state, ctx, GOVERNANCE, amount_uflt)
        else:
            bank.move(state, ctx, GOVERNANCE, depositor, amount_uflt)


def take_deposits(state: State, proposal_id: int) -> Iterator[tuple[Address, int]]:
    """Remove a proposal's deposits; walk who put how many uflt in."""
    for place, row in list(DEPOSITS.items(state, (proposal_id,))):
        DEPOSITS.delete(state, place)
        yield row.depositor, amount_of(row.amount)
