"""Whole blocks as others can check them: bytes in, results and application hash out.

Each scenario below is written to vectors/chain/<name>.json; vectors/README.md explains the form.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import pytest
from cosmpy.protos.tendermint.abci.types_pb2 import Event

from app import chain
from app.kernel import vrf
from app.kernel.context import Block
from app.kernel.crypto import module_address, verify_secp256k1
from app.kernel.record import U32, U64, U128, Address, Duration, Operator, Time
from app.kernel.store import MemoryStore, Overlay
from app.kernel.trie import Forest
from app.kernel.tx import Coin
from app.modules import bank, beacon, bonds, jobs, payouts, statistics
from app.modules.authz import (
    Exec,
    GenericAuthorization,
    Grant,
    GrantMessages,
    RevokeMessages,
    SendAuthorization,
)
from app.modules.bank import Send
from app.modules.bonds import Role
from app.modules.committees import GrantKeptSlices
from app.modules.disputes import DisputePhase
from app.modules.distribution import (
    REWARDS,
    FundCommunityPool,
    SetWithdrawAddress,
    WithdrawDelegatorReward,
    WithdrawValidatorCommission,
)
from app.modules.feegrant import (
    AllowedMsgAllowance,
    BasicAllowance,
    GrantAllowance,
    PeriodicAllowance,
    RevokeAllowance,
)
from app.modules.gov import (
    GOVERNANCE,
    CastVote,
    CommunityPoolSpend,
    ReplaceParams,
    SubmitProposal,
    VoteOption,
)
from app.modules.gov.records import PROPOSALS
from app.modules.jobs import JobPhase
from app.modules.rounds import RoundPhase, ScoreOutcome, Scores
from app.modules.staking import Delegate, Undelegate
from app.wire.events import block_events, result_data, tx_events
from app.wire.records import put_packed
from app.wire.tx import decode_block
from tests.build import FLT, a_job, a_payout_address, a_registration, a_vrf_secret, an_address
from tests.build_chain import Ledger, a_send
from tests.build_committees import a_measurement, commitment_of, revelation_of
from tests.build_disputes import REAL_WORK, Court
from tests.build_rounds import Play, a_score
from tests.build_scores import WITH_QUALITY
from tests.conftest import VECTORS

FOLDER = VECTORS / "chain"
SEND_URL = "/cosmos.bank.v1beta1.MsgSend"
SMALL_JOB = {
    "schedule.reserve_count": U32(0),
    "pay.reserve_ppm": U32(0),
    "pay.worker_ppm": U32(750_000),
}


def events_of(serialized: Sequence[bytes]) -> list[Any]:
    """Events as JSON: type and attributes."""
    events = [Event.FromString(event) for event in serialized]
    return [[event.type, {pair.key: pair.value for pair in event.attributes}] for event in events]


def result_of(result: chain.TxResult, messages: tuple[Any, ...]) -> dict[str, Any]:
    """What became of a transaction, as JSON."""
    return {
        "code": result.code,
        "codespace": result.codespace,
        "gas_wanted": result.gas_wanted,
        "gas_used": result.gas_used,
        "data": result_data(result, messages).hex(),
        "events": events_of(tx_events(result, messages)),
    }


def block_of(result: chain.BlockResult, raws: Sequence[bytes], app_hash: bytes) -> dict[str, Any]:
    """A block as JSON."""
    messages = [getattr(tx, "messages", ()) for tx in decode_block(raws)]
    return {
        "height": result.block.height,
        "time_ms": result.block.time_ms,
        "proposer": result.block.proposer.hex(),
        "txs": [raw.hex() for raw in raws],
        "results": [result_of(*pair) for pair in zip(result.tx_results, messages)],
        "events": events_of(block_events(result)),
        "app_hash": app_hash.hex(),
    }


class Chronicle:
    """A ledger of which every block is written down."""

    def __init__(self, *names: str, **options: Any) -> None:
        self.ledger = Ledger(*names, **options)
        self.genesis_app_hash = self.ledger.forest.root()
        self.blocks: list[dict[str, Any]] = []
        self.begun: list[Any] = []

    def add(self, *raws: bytes, seconds: int = 1) -> list[chain.TxResult]:
        """Run a block of transactions as bytes."""
        owed = self.ledger.owed()
        return self.add_as_it_is(*owed, *raws, seconds=seconds)[len(owed) :]

    def add_as_it_is(self, *raws: bytes, seconds: int = 1) -> list[chain.TxResult]:
        """Run a block of just these bytes."""
        result = self.ledger.execute(*decode_block(raws), seconds=seconds)
        self.begun += result.begin_events
        self.blocks.append(block_of(result, raws, self.ledger.forest.root()))
        return list(result.tx_results)

    def do(self, *messages: Any, seconds: int = 1) -> list[Any]:
        """Run a block in which each message is a transaction that succeeds; return the answers."""
        raws = [
            self.ledger.sign([message], gas_limit=5_000_000, fee_uflt=50_000)
            for message in messages
        ]
        results = self.add(*raws, seconds=seconds)
        assert [result.detail for result in results] == [""] * len(raws)
        return [result.responses[0] for result in results]

    def vector(self) -> dict[str, Any]:
        """All of it, as JSON."""
        return {
            "chain_id": self.ledger.block.chain_id,
            "app_state": self.ledger.app_state,
            "genesis_app_hash": self.genesis_app_hash.hex(),
            "blocks": self.blocks,
        }


def sends() -> Chronicle:
    """Money that moves and money that doesn't, a block that stands still in between."""
    chronicle = Chronicle("ada", "ben")
    ledger = chronicle.ledger
    ada, ben, eve = ledger.people("ada", "ben", "eve")
    sign = ledger.sign
    both = [a_send(ada, ben, 3), a_send(ben, ada, 2)]
    wrong = sign([a_send(ada, ben)], 3)
    codes = [
        chronicle.add(sign([a_send(ada, eve)]), sign([a_send(ben, ada, 7)])),
        chronicle.add(sign(both), sign([a_send(ada, ben), a_send(ada, ben, 10**12)], 1)),
        chronicle.add(sign([a_send(ada, ben)], 1), b"\x0a\x00", wrong[:-1] + b"\x00", wrong),
        chronicle.add(seconds=3_600),
        chronicle.add(
            sign([Send(ada, ben, ())], memo="nothing"),
            sign([a_send(ada, module_address("escrow"))], 1),
            sign([Send(ada, ben, (Coin("atom", U128(1)),))], 2),
            sign([a_send(ada, ben)], 3, gas_limit=30_000),
            sign([a_send(ada, ben)], 4, fee_uflt=9_999),
            sign([a_send(ada, ben)], 4, timeout_height=4),
            sign([a_send(ada, ben)], 4, timeout_height=5),
        ),
    ]
    assert [[result.code for result in block] for block in codes] == [
        [0, 0], [0, 101], [205, 2, 206, 0], [], [102, 103, 101, 804, 802, 207, 0],
    ]  # fmt: skip
    return chronicle


def allowances() -> Chronicle:
    """A fee at another's expense, one above what is left, one for the wrong message, revoking."""
    chronicle = Chronicle("rita", "wanda")
    ledger = chronicle.ledger
    rita, wanda = ledger.people("rita", "wanda")
    basic = BasicAllowance((Coin("uflt", U128(25_000)),), Time(0))
    chronicle.do(GrantAllowance(rita, wanda, AllowedMsgAllowance(basic, (SEND_URL,))))
    sends = [ledger.sign([a_send(wanda, rita, 1)], i, granter=rita) for i in range(3)]
    revoke = ledger.sign([RevokeAllowance(wanda, rita)], 2, granter=rita)
    codes = [[each.code for each in chronicle.add(*sends, revoke)]]
    chronicle.do(RevokeAllowance(rita, wanda))
    day = Duration(86_400_000)
    limit, reset = (Coin("uflt", U128(10_000)),), Time(ledger.block.time_ms + 5_000)
    chronicle.do(GrantAllowance(rita, wanda, PeriodicAllowance(basic, day, limit, limit, reset)))
    for seconds in (1, 1, 9):
        send = ledger.sign([a_send(wanda, rita, 1)], granter=rita)
        codes.append([each.code for each in chronicle.add(send, seconds=seconds)])
    assert codes == [[0, 0, 2005, 2006], [0], [2005], [0]]
    return chronicle


def authorized() -> Chronicle:
    """Sends in another's name within an authorization, one beyond it, all or none, one revoked."""
    chronicle = Chronicle("rita", "wanda", "olga")
    ledger = chronicle.ledger
    rita, wanda, olga = ledger.people("rita", "wanda", "olga")
    limit = SendAuthorization((Coin("uflt", U128(3)),), (olga,))
    chronicle.do(GrantMessages(rita, wanda, Grant(limit, Time(0))))
    codes = []
    for sends in ([(rita, 2), (wanda, 5)], [(wanda, 1), (rita, 2)], [(rita, 1)], [(rita, 1)]):
        packs = tuple([put_packed(a_send(who, olga, amount)) for who, amount in sends])
        (result,) = chronicle.add(ledger.sign([Exec(wanda, packs)]))
        codes.append(result.code)
    chronicle.do(GrantMessages(rita, wanda, Grant(GenericAuthorization(SEND_URL), Time(0))))
    chronicle.do(RevokeMessages(rita, wanda, SEND_URL))
    assert codes == [0, 2104, 0, 2101]
    return chronicle


def governed() -> Chronicle:
    """A proposal that replaces params, one that is vetoed, one that can't be run, one dropped."""
    quick = {"gov": {"voting_period": 5_000, "max_deposit_period": 5_000}}
    chronicle = Chronicle("rita", "olga", params=quick, validators=["vera", "vito"])
    rita, olga = chronicle.ledger.people("rita", "olga")
    deposit = (Coin("uflt", U128(100 * FLT)),)
    replace_params = ReplaceParams(GOVERNANCE, statistics.Params(U64(77)))
    spend = CommunityPoolSpend(GOVERNANCE, olga, (Coin("uflt", U128(FLT)),))
    for messages in ([replace_params], [], [replace_params, spend]):
        packs = tuple(map(put_packed, messages))
        chronicle.do(SubmitProposal(packs, deposit, rita, "", "title", "summary", False))
    chronicle.do(SubmitProposal((), (), olga, "", "title", "summary", False))
    for number, option in ((1, VoteOption.YES), (2, VoteOption.NO_WITH_VETO), (3, VoteOption.YES)):
        chronicle.do(CastVote(U64(number), rita, option, ""))
    chronicle.add(seconds=5)
    found = [row.proposal.status.name for _, row in PROPOSALS.items(chronicle.ledger.state)]
    assert found == ["PASSED", "REJECTED", "FAILED"]
    assert statistics.PARAMS.get(chronicle.ledger.state).epoch_s == 77
    return chronicle


def rewarded() -> Chronicle:
    """Fees that validators and a delegator share; all are paid, in part somewhere else."""
    chronicle = Chronicle("rita", "olga", "dora", validators=["vera", "vito"])
    rita, olga, dora = chronicle.ledger.people("rita", "olga", "dora")
    vera, vito = Operator(rita), Operator(olga)
    chronicle.do(Delegate(dora, vera, Coin("uflt", U128(7 * FLT))))
    chronicle.do(SetWithdrawAddress(dora, olga))
    chronicle.do(WithdrawDelegatorReward(dora, vera))
    chronicle.do(WithdrawValidatorCommission(vito))
    chronicle.do(FundCommunityPool((Coin("uflt", U128(5)),), olga))
    chronicle.do(Undelegate(dora, vera, Coin("uflt", U128(7 * FLT))))
    assert bank.get_balance(chronicle.ledger.state, REWARDS) > 0
    return chronicle


def bonding() -> Chronicle:
    """A registration, more bond, a change, and a bond that returns when its time has come."""
    chronicle = Chronicle("wanda", "erik", params={"bonds": {"unbonding_s": 60}})
    wanda, erik = chronicle.ledger.people("wanda", "erik")
    registration = a_registration(wanda)
    chronicle.do(registration, a_registration(erik, Role.EVALUATOR))
    chronicle.do(bonds.Bond(wanda, U64(50 * FLT)), bonds.Unbond(erik, U64(10 * FLT)))
    place = (registration.payout_address, registration.endpoint, registration.reader_key)
    chronicle.do(bonds.EditRegistration(wanda, *place, True))
    (again,) = chronicle.add(chronicle.ledger.sign([registration]))
    assert (again.code, again.codespace) == (302, "bonds")
    chronicle.add(seconds=57)
    chronicle.add()
    assert chronicle.ledger.balance("bonds") == 240 * FLT
    return chronicle


def job() -> Chronicle:
    """One round of three workers, three evaluators and an aggregator: posted, paid, accepted."""
    roles = [Role.WORKER] * 3 + [Role.EVALUATOR] * 3 + [Role.AGGREGATOR]
    names = ["rita", *[f"{role.name.lower()} {i}" for i, role in enumerate(roles)]]
    quick = {"rounds": {"deadline_blocks": 1}, "jobs": {"challenge_s_min": 5}}
    chronicle = Chronicle(*names, params=quick, uflt=10_000 * FLT)
    rita, *others = chronicle.ledger.people(*names)
    chronicle.do(
        *[a_registration(who, role, 1_000 * FLT) for who, role in zip(others, roles, strict=True)]
    )
    changes = {**SMALL_JOB, "schedule.round_count": U32(1), "schedule.challenge_s": U32(5)}
    (posted,) = chronicle.do(a_job(rita, changes, 30 * FLT))
    chronicle.do(*[jobs.JoinJob(who, posted.job_id) for who in others[:3]])
    chronicle.add()
    play = Play(chronicle.ledger, posted.job_id, others[:3], others[3:6], others[6:])  # type: ignore[arg-type]
    play_round(chronicle, play)
    assert jobs.JOBS.must(chronicle.ledger.state, posted.job_id).phase is JobPhase.REVIEW
    chronicle.do(payouts.AcceptJob(rita, posted.job_id))
    assert jobs.JOBS.must(chronicle.ledger.state, posted.job_id).phase is JobPhase.SETTLED
    assert [chronicle.ledger.balance(name) for name in ("escrow", "deposits")] == [0, 0]
    return chronicle


def scored() -> Chronicle:
    """Two scored rounds and a rejection: a redraw, quality and a cap, no quorum, half a release."""
    roles = [Role.WORKER] * 3 + [Role.EVALUATOR] * 6 + [Role.AGGREGATOR]
    names = ["rita", *[f"{role.name.lower()} {i}" for i, role in enumerate(roles)]]
    late = [f"evaluator {i}" for i in range(10, 13)]
    quick = {"deadline_blocks": 1}
    params = {"rounds": quick, "committees": quick, "jobs": {"challenge_s_min": 5}}
    chronicle = Chronicle(*names, *late, params=params, uflt=10_000 * FLT)
    ledger = chronicle.ledger
    rita, *others = ledger.people(*names)
    for who, role in zip(others, roles, strict=True):
        chronicle.do(a_registration(who, role, 1_000 * FLT))
    changes = {**SMALL_JOB, **WITH_QUALITY, "schedule.round_count": U32(2)}
    (posted,) = chronicle.do(a_job(rita, {**changes, "schedule.challenge_s": U32(5)}, 60 * FLT))
    chronicle.do(*[jobs.JoinJob(who, posted.job_id) for who in others[:3]])
    chronicle.add()
    play = Play(ledger, posted.job_id, others[:3], others[3:9], others[9:])  # type: ignore[arg-type]

    good = a_score([900, 0, 800, 900], [1_000_000, 800_000, 0])
    play_to_score(chronicle, play, 1)
    score(chronicle, play, 1, {play.scorers(1)[0].evaluator: good}, committing=1)
    chronicle.do(play.grant_of(1))
    score(chronicle, play, 1, {each.evaluator: good for each in play.scorers(1)}, committing=3)
    assert play.round(1).score_outcome is ScoreOutcome.SCORED
    play_to_score(chronicle, play, 2)
    score(chronicle, play, 2, {}, committing=0)
    chronicle.do(play.grant_of(2))
    three = {each.evaluator: good for each in play.scorers(2)}
    chronicle.do(*[play.scores_commitment(who, scores, 2) for who, scores in three.items()])
    chronicle.do(*[play.scores_revelation(who, scores, 2) for who, scores in [*three.items()][:2]])
    chronicle.add(seconds=20)
    assert play.round(2).score_outcome is ScoreOutcome.NO_QUORUM
    for seconds in (6, 6, 2):
        chronicle.add(seconds=seconds)
    reject(chronicle, play, ledger.people(*late))
    return chronicle


def play_to_score(chronicle: Chronicle, play: Play, number: int) -> None:
    """Let everyone do what a round asks of them, until the drawn slices are granted."""
    readers = [reader.participant for reader in play.readers(number)]
    evaluators = [reader.participant for reader in play.readers(number, is_aggregator=False)]
    chronicle.do(*[play.commitment(worker, number) for worker in play.asked(number)])
    chronicle.do(*[play.revelation(worker, number) for worker in play.workers])
    chronicle.do(*[play.vote_of(reader, number) for reader in readers])
    chronicle.do(play.aggregate_of(play.round(number).aggregator, number))
    chronicle.do(*[play.attestation_of(evaluator, number) for evaluator in evaluators])
    chronicle.add()
    chronicle.do(play.grant_of(number))


def score(
    chronicle: Chronicle,
    play: Play,
    number: int,
    given: Mapping[Address, Scores],
    *,
    committing: int,
) -> None:
    """Let evaluators commit and, if they are enough, reveal; else let others be drawn."""
    chronicle.do(*[play.scores_commitment(who, scores, number) for who, scores in given.items()])
    if committing < 3:
        chronicle.add(seconds=20)
        chronicle.add()
        return
    chronicle.do(*[play.scores_revelation(who, scores, number) for who, scores in given.items()])


def reject(chronicle: Chronicle, play: Play, evaluators: Sequence[Address]) -> None:
    """Reject a job's result, which evaluators who come for it find to be halfway there."""
    requester = jobs.JOBS.must(chronicle.ledger.state, play.job_id).requester
    chronicle.do(*[a_registration(who, Role.EVALUATOR, 100 * FLT) for who in evaluators])
    chronicle.do(payouts.RejectJob(requester, U64(play.job_id), "it learned too little"))
    chronicle.add()
    boxes = (bytes(80),) * (2 * len(evaluators))
    chronicle.do(GrantKeptSlices(requester, U64(play.job_id), boxes))
    halfway = a_measurement(500_000)
    chronicle.do(*[commitment_of(play, who, halfway) for who in evaluators])
    chronicle.do(*[revelation_of(who, halfway) for who in evaluators])
    chronicle.add()
    found = jobs.JOBS.must(chronicle.ledger.state, play.job_id)
    assert (found.phase, found.released_ppm) == (JobPhase.SETTLED, 500_000)
    assert [chronicle.ledger.balance(name) for name in ("escrow", "deposits")] == [0, 0]


def faults() -> Chronicle:
    """A round that fails: two workers and all readers miss deadlines, two workers are made good."""
    roles = [Role.WORKER] * 4 + [Role.EVALUATOR] * 3 + [Role.AGGREGATOR]
    names = ["rita", *[f"{role.name.lower()} {i}" for i, role in enumerate(roles)]]
    quick = {"rounds": {"deadline_blocks": 1}, "jobs": {"challenge_s_min": 5}}
    chronicle = Chronicle(*names, params=quick, uflt=10_000 * FLT)
    ledger = chronicle.ledger
    rita, *others = ledger.people(*names)
    chronicle.do(
        *[a_registration(who, role, 1_000 * FLT) for who, role in zip(others, roles, strict=True)]
    )
    four = {"schedule.cohort_size": U32(4), "schedule.reserve_count": U32(0)}
    (posted,) = chronicle.do(a_job(rita, four, 60 * FLT))
    chronicle.do(*[jobs.JoinJob(who, posted.job_id) for who in others[:4]])
    chronicle.add()
    play = Play(ledger, posted.job_id, others[:4], others[4:7], others[7:])  # type: ignore[arg-type]
    absent, closed, *honest = play.asked()
    chronicle.do(*[play.commitment(who) for who in (closed, *honest)])
    chronicle.add(seconds=31)
    chronicle.do(*[play.revelation(who) for who in honest], jobs.CancelJob(rita, posted.job_id))
    for _ in range(2):
        chronicle.add(seconds=21)
    chronicle.add()
    assert jobs.JOBS.must(ledger.state, posted.job_id).phase is JobPhase.CANCELLED
    lost = [1_000 * FLT - bonds.REGISTRATIONS.must(ledger.state, who).bonded_uflt for who in others]
    expected = dict.fromkeys(others, 0) | {absent: 5 * FLT, closed: 20 * FLT}
    assert lost == list(expected.values())
    made_good = [ledger.balance(a_payout_address(who)) for who in honest]
    assert made_good == [21 * FLT // 2, 21 * FLT // 2]
    assert [ledger.balance(name) for name in ("slashed", "escrow", "deposits")] == [0, 0, 0]
    return chronicle


def drawn() -> Chronicle:
    """A seed from each of two proposers, one from a new key, one that a block without proof made.

    A job that waits for readers asks for a draw every two seconds.
    """
    names = ["rita", *[f"worker {number}" for number in range(4)]]
    chronicle = Chronicle(*names, validators=["vera", "vito"], uflt=10_000 * FLT)
    ledger = chronicle.ledger
    rita, *workers = ledger.people(*names)
    chronicle.do(*[a_registration(who, Role.WORKER, 1_000 * FLT) for who in workers])
    (posted,) = chronicle.do(a_job(rita, budget_uflt=30 * FLT))
    chronicle.do(*[jobs.JoinJob(who, posted.job_id) for who in workers])
    secret = a_vrf_secret("vera again")
    ledger.vrf_secrets[vrf.key_of(secret)] = secret
    chronicle.do(beacon.RegisterVrfKey(rita, an_address("vera"), vrf.key_of(secret)))
    for _ in range(2):
        chronicle.add(seconds=3)
        chronicle.add()
        chronicle.add()
    chronicle.add(seconds=3)
    assert ledger.owed()
    chronicle.add_as_it_is()
    made = [event for event in chronicle.begun if isinstance(event, beacon.SeedMade)]
    vera, vito = an_address("vera"), an_address("vito")
    assert [event.proposer for event in made] == [vera, vera, vera, vito, vito, vera]
    assert [event.is_proven for event in made] == [True] * 5 + [False]
    return chronicle


def play_round(chronicle: Chronicle, play: Play) -> None:
    """Let everyone do what the first round asks of them, until it is settled."""
    readers = [reader.participant for reader in play.readers()]
    chronicle.do(*[play.commitment(worker) for worker in play.asked()])
    chronicle.do(*[play.revelation(worker) for worker in play.workers])
    chronicle.do(*[play.vote_of(reader) for reader in readers])
    chronicle.do(play.aggregate_of(play.round().aggregator))
    chronicle.do(*[play.attestation_of(evaluator) for evaluator in play.evaluators])
    chronicle.add(seconds=6)


def dispute() -> Chronicle:
    """A false aggregate, a challenge that isn't opened, one that is proven, and a new round."""
    roles = [Role.WORKER] * 3 + [Role.EVALUATOR] * 3 + [Role.AGGREGATOR] * 2
    names = ["rita", "sam", *[f"{role.name.lower()} {i}" for i, role in enumerate(roles)]]
    quick = {"rounds": {"deadline_blocks": 1}, "disputes": {"open_s": 5, "parts_s": 5}}
    chronicle = Chronicle(*names, params=quick, uflt=10_000 * FLT)
    rita, sam, *others = chronicle.ledger.people(*names)
    chronicle.do(
        *[a_registration(who, role, 1_000 * FLT) for who, role in zip(others, roles, strict=True)]
    )
    (posted,) = chronicle.do(a_job(rita, {**REAL_WORK, **SMALL_JOB}, 30 * FLT))
    chronicle.do(*[jobs.JoinJob(who, posted.job_id) for who in others[:3]])
    chronicle.add()
    play = Play(chronicle.ledger, posted.job_id, others[:3], others[3:6], others[6:])  # type: ignore[arg-type]
    court = Court(play, sam)
    lie_in_first_round(chronicle, court)
    chronicle.do(court.commitment(rita, b"nothing"))
    data = court.proof()
    (answer,) = chronicle.do(court.commitment(sam, data))
    court.proofs[answer.dispute_id] = data
    chronicle.do(court.opening(answer.dispute_id))
    assert court.phase(answer.dispute_id) is DisputePhase.PROVEN
    chronicle.add(seconds=5)
    assert court.phase(answer.dispute_id) is DisputePhase.UPHELD
    assert play.round().phase is RoundPhase.VOIDED
    chronicle.add()
    return chronicle


def lie_in_first_round(chronicle: Chronicle, court: Court) -> None:
    """Let a job's first round end in a false model that two of three evaluators attest."""
    play = court.play
    fields = {worker: court.reveal_of(worker, 1) for worker in play.workers}
    chronicle.do(*[play.commitment(worker, **fields[worker]) for worker in play.asked()])
    chronicle.do(*[play.revelation(worker, **fields[worker]) for worker in play.workers])
    chronicle.do(*[play.vote_of(reader.participant) for reader in play.readers()])
    chronicle.do(court.aggregate_of(lie=1))
    chronicle.do(*[court.attestation_of(evaluator) for evaluator in play.evaluators[:2]])


SCENARIOS: list[Callable[[], Chronicle]] = [
    sends,
    allowances,
    authorized,
    governed,
    rewarded,
    bonding,
    job,
    scored,
    faults,
    drawn,
    dispute,
]


def replay(vector: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """What the chain makes of a stored genesis and stored blocks."""
    state, forest = MemoryStore(), Forest()
    genesis = Overlay(state)
    chain.init_genesis(genesis, vector["app_state"])
    forest = forest.apply(genesis.changes)
    assert forest.root().hex() == vector["genesis_app_hash"]
    genesis.merge_into(state)
    previous_ms = 0
    for stored in vector["blocks"]:
        draft, raws = Overlay(state), [bytes.fromhex(tx) for tx in stored["txs"]]
        block = Block(
            vector["chain_id"],
            stored["height"],
            stored["time_ms"],
            previous_ms,
            previous_app_hash=forest.root(),
            proposer=bytes.fromhex(stored["proposer"]),
        )
        result = chain.execute_block(draft, block, decode_block(raws), verify_secp256k1)
        forest = forest.apply(draft.changes)
        draft.merge_into(state)
        previous_ms = block.time_ms
        yield block_of(result, raws, forest.root())


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.__name__)
def test_a_scenario_is_what_is_published(
    scenario: Callable[[], Chronicle], vectors: Callable[[str], Any]
) -> None:
    vectors(f"chain/{scenario.__name__}.json").check(scenario().vector())


def test_every_published_chain_replays() -> None:
    names = sorted(path.stem for path in FOLDER.glob("*.json"))
    assert names == sorted(scenario.__name__ for scenario in SCENARIOS)
    for name in names:
        vector = json.loads((FOLDER / f"{name}.json").read_text())
        assert list(replay(vector)) == vector["blocks"], name


@pytest.mark.parametrize("hash_seed", ["1", "2"])
def test_a_replay_does_not_depend_on_the_order_of_hashes(hash_seed: str) -> None:
    command = [sys.executable, "-m", "pytest", "-q", __file__, "-k", "replays"]
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
