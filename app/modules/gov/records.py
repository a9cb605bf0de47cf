"""What is known of proposals, deposits and votes, and what governance may be."""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple

from app.kernel.decimals import ONE
from app.kernel.errors import Rejected, require
from app.kernel.frozen import frozen
from app.kernel.packed import Packed
from app.kernel.record import U64, U128, Address, Duration, Time
from app.kernel.store import Reader
from app.kernel.table import Index, Singleton, Table
from app.kernel.tx import Coin
from app.modules import upgrade

GOVERNANCE = upgrade.AUTHORITY
DECIMALS = 18
DAY_MS = 86_400_000
MESSAGES_MAX = 16
TITLE_LENGTH_MAX = 255
SUMMARY_LENGTH_MAX = 10_200
METADATA_LENGTH_MAX = 255
DUE_PER_BLOCK_MAX = 5


@frozen
class Params:
    """How proposals are made and decided; decimals have a point and 18 places at most."""

    min_deposit: tuple[Coin, ...] = (Coin("uflt", U128(100_000_000)),)
    """With so much a proposal is voted on."""
    max_deposit_period: Duration = Duration(2 * DAY_MS)
    """In which that must be there."""
    voting_period: Duration = Duration(2 * DAY_MS)
    quorum: str = "0.334000000000000000"
    """Of all bonded stake, what must vote."""
    threshold: str = "0.500000000000000000"
    """Of those who don't abstain, more must say yes."""
    veto_threshold: str = "0.334000000000000000"
    """Of those who vote, more stop it by a veto."""
    min_initial_deposit_ratio: str = "0.000000000000000000"
    """Of the deposit, what the proposer brings."""
    proposal_cancel_ratio: str = "0.500000000000000000"
    """Of each deposit, what is lost when the proposer cancels."""
    proposal_cancel_dest: str = ""
    """Who gets that; nobody: it is burned."""
    expedited_voting_period: Duration = Duration(DAY_MS)
    """How long is voted on a proposal in a hurry; one that fails then is voted on for the rest."""
    expedited_threshold: str = "0.667000000000000000"
    """Of those who don't abstain on one, more must say yes."""
    expedited_min_deposit: tuple[Coin, ...] = (Coin("uflt", U128(500_000_000)),)
    """With so much one is voted on."""
    burn_vote_quorum: bool = False
    """Whether deposits are burned where too few vote."""
    burn_proposal_deposit_prevote: bool = False
    """Whether they are where the deposit isn't reached."""
    burn_vote_veto: bool = True
    """Whether they are after a veto."""
    min_deposit_ratio: str = "0.010000000000000000"
    """Of the deposit, the least that counts as one."""


class ProposalStatus(IntEnum):
    """How far a proposal is."""

    UNSPECIFIED = 0
    DEPOSIT_PERIOD = 1
    VOTING_PERIOD = 2
    PASSED = 3
    REJECTED = 4
    FAILED = 5
    """It passed, and its messages couldn't be run."""


OPEN = (ProposalStatus.DEPOSIT_PERIOD, ProposalStatus.VOTING_PERIOD)
"""Of a proposal that isn't decided."""


class VoteOption(IntEnum):
    """What is said of a proposal."""

    UNSPECIFIED = 0
    YES = 1
    ABSTAIN = 2
    NO = 3
    NO_WITH_VETO = 4


@frozen
class TallyResult:
    """How much stake says what, in uflt."""

    yes_count: U128 = U128(0)
    abstain_count: U128 = U128(0)
    no_count: U128 = U128(0)
    no_with_veto_count: U128 = U128(0)


@frozen
class Proposal:
    """Messages that governance runs if it is voted for."""

    id: U64
    messages: tuple[Packed, ...]
    status: ProposalStatus
    final_tally_result: TallyResult
    submit_time: Time
    deposit_end_time: Time
    total_deposit: tuple[Coin, ...]
    voting_start_time: Time
    voting_end_time: Time
    metadata: str
    title: str
    summary: str
    proposer: Address
    expedited: bool
    failed_reason: str


class Terms(NamedTuple):
    """On what terms a proposal is voted on."""

    deposit_uflt: int
    """What it needs to be voted on."""
    period_ms: int
    threshold: str


@frozen
class KeptProposal:
    """A proposal as the state has it."""

    proposal: Proposal
    due_clock_ms: U64
    """When its deposits or votes are over, by the chain's clock; 0: they are."""


@frozen
class Deposit:
    """What somebody has put in for a proposal."""

    proposal_id: U64
    depositor: Address
    amount: tuple[Coin, ...]


@frozen
class WeightedVoteOption:
    """Part of a vote."""

    option: VoteOption
    weight: str
    """A decimal; the weights of a vote sum to 1."""


@frozen
class Vote:
    """What somebody says of a proposal."""

    proposal_id: U64
    voter: Address
    options: tuple[WeightedVoteOption, ...]
    metadata: str


@frozen
class ProposalCount:
    """How many proposals there were."""

    count: U64 = U64(0)


class NoSuchProposal(Rejected):
    """A proposal that isn't there, or no more."""

    code = 2401
    text = "proposal_id {proposal_id}: no such proposal, the limit is {limit}; list them"


class WrongStatus(Rejected):
    """A proposal for which it is too early or too late."""

    code = 2402
    text = "proposal_id {proposal_id}: is {status}, the limit is {limit}; look at it first"


class InvalidNumber(Rejected):
    """A decimal number that is none, or not in its range."""

    code = 2403
    text = "{field} {value}: no decimal number as it must be, the limit is {limit}; write 0.5"


PARAMS = Singleton("gov/params", Params)
PROPOSALS = Table("gov/proposal", key=(U64,), record=KeptProposal)
DEPOSITS = Table("gov/deposit", key=(U64, Address), record=Deposit)
"""By proposal and depositor."""
VOTES = Table("gov/vote", key=(U64, Address), record=Vote)
"""By proposal and voter, while it is voted on."""
DUE = Index("gov/due", key=(U64, U64))
"""By clock and proposal."""
COUNT = Singleton("gov/count", ProposalCount)


def require_proposal(state: Reader, proposal_id: int, *statuses: ProposalStatus) -> KeptProposal:
    """Return a proposal that a user named, in one of these states, or refuse."""
    limit = f"1 to {COUNT.get(state).count}"
    kept = PROPOSALS.require(
        state, proposal_id, NoSuchProposal, proposal_id=proposal_id, limit=limit
    )
    status = kept.proposal.status
    names = " or ".join([each.name for each in statuses])
    is_right = not statuses or status in statuses
    require(is_right, WrongStatus, proposal_id=proposal_id, status=status.name, limit=names)
    return kept


def read_decimal(field: str, text: str, most: int = ONE) -> int:
    """Return a decimal number with 18 places as an integer, or refuse."""
    whole, point, places = text.partition(".")
    is_written = (whole + places).isdecimal() and (whole + places).isascii() and bool(whole)
    is_short = len(whole) <= 3 and len(places) <= DECIMALS and bool(places) == bool(point)
    value = int(whole + places.ljust(DECIMALS, "0")) if is_written and is_short else -1
    limit = f"0 to {most // ONE}, with at most {DECIMALS} places"
    require(0 <= value <= most, InvalidNumber, field=field, value=text[:60], limit=limit)
    return value


def find_terms(params: Params, proposal: Proposal) -> Terms:
    """Return on what terms a proposal is voted on."""
    if proposal.expedited:
        threshold = params.expedited_threshold
        return Terms(
            amount_of(params.expedited_min_deposit), params.expedited_voting_period, threshold
        )
    return Terms(amount_of(params.min_deposit), params.voting_period, params.threshold)


def amount_of(coins: tuple[Coin, ...]) -> int:
    """Return how many uflt coins are, the only ones that deposits are made of."""
    return sum([coin.amount for coin in coins])
