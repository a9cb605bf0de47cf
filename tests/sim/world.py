"""A mock engine over the real application: it proposes, repeats, crashes and replays.

Every block goes through the node's own Application over LevelDB, and through the pure chain over a
store in memory. After each the two roots agree, the auditor agrees with the balances and the
tally with the statistics.
"""

from __future__ import annotations

import hashlib
import math
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path
from typing import Any
from unittest.mock import patch

from cosmpy.protos.tendermint.abci import types_pb2 as abci
from cosmpy.protos.tendermint.types.validator_pb2 import BLOCK_ID_FLAG_ABSENT, BLOCK_ID_FLAG_COMMIT
from google.protobuf.timestamp_pb2 import Timestamp

from app import chain
from app.kernel import vrf
from app.kernel.context import Block
from app.kernel.crypto import module_address, verify_secp256k1
from app.kernel.decimals import ONE
from app.kernel.packed import Nested
from app.kernel.record import NO_ADDRESS, Address, ConsensusKey
from app.kernel.store import MemoryStore, Overlay
from app.kernel.trie import Forest
from app.kernel.tx import Slot
from app.modules import authz, bank, beacon, bonds, disputes, feegrant, gov, jobs, staking
from app.modules.clock import previous_ms
from app.modules.rounds.lifecycle import ATTESTED, get_readers, get_seats
from app.modules.rounds.records import (
    ROUNDS,
    SCORERS,
    RoundDrawn,
    RoundPhase,
    ScoreStep,
    SeatKind,
    SeatState,
)
from app.modules.statistics import StatisticsRequest
from app.node import abci as abci_app
from app.node.abci import REFUSALS_PER_VALIDATOR, Application
from app.node.leveldb import LevelStore
from app.node.metrics import Metrics
from app.node.voters import find_absent, find_misbehaviour
from app.sdk.signer import Signer, Signing, Terms, sign_tx
from app.wire.tx import SLOT_BYTE, decode_block, decode_tx
from tests.build import a_validator, a_vrf_secret
from tests.sim.auditor import COLLECTOR, MINTS_PER_YEAR, Auditor
from tests.sim.books import Missed, Place, RoundFacts
from tests.sim.gov_auditor import Terms as VotingTerms
from tests.sim.stake_auditor import Now, Rules
from tests.sim.stakers import DEPOSIT_UFLT, HASTY_DEPOSIT_UFLT, LATECOMERS
from tests.sim.tally import Tally

CHAIN_ID = "pollen-sim"
FEE_UFLT = 100_000
GAS_LIMIT = 10_000_000
PARAMS: dict[str, dict[str, Any]] = {
    "bonds": {"unbonding_s": 700, "releases_per_block_max": 3},
    "jobs": {"deadline_s_min": 1, "challenge_s_min": 1, "due_per_block_max": 2},
    "rounds": {"deadline_blocks": 2, "candidate_wait_s": 20, "due_per_block_max": 3},
    "payouts": {"payments_per_block_max": 5},
    "committees": {"step_s": 8, "deadline_blocks": 2, "members": 3},
    "disputes": {"open_s": 5, "parts_s": 4, "due_per_block_max": 99},
    "statistics": {"epoch_s": 90},
    "staking": {"unbonding_s": 12, "max_validators": 4},
    "downtime": {
        "signed_blocks_window": 4,
        "sample_s": 2,
        "jail_s": 5,
        "min_signed_per_window": str(ONE // 2),
    },
    "gov": {
        "max_deposit_period": 6_000,
        "voting_period": 8_000,
        "expedited_voting_period": 4_000,
    },
}
RULES = Rules(12_000, 5_000, 4, 2_000, Fraction(1, 2), 4)
VOTING = VotingTerms(DEPOSIT_UFLT, HASTY_DEPOSIT_UFLT, 6_000, 8_000, 4_000)
"""The same, as the auditor knows it."""
STAKE_UFLT = 1_000_000_000
"""Of each validator of genesis."""
INFLATION: dict[str, dict[str, Any]] = {
    "mint": {
        "inflation_rate_change": str(ONE // 10),
        "inflation_max": str(ONE // 5),
        "inflation_min": str(7 * ONE // 100),
        "blocks_per_year": MINTS_PER_YEAR,
    }
}
"""Of every fourth chain."""
VALIDATORS = ("vera", "vito", "vida")
VRF_SECRETS = {
    vrf.key_of(secret): secret
    for name in (*VALIDATORS, *LATECOMERS.values())
    for secret in (a_vrf_secret(name), a_vrf_secret(f"{name} again"))
}
ACCEPT = abci.ResponseProcessProposal.ACCEPT
ENDS = (RoundPhase.SETTLED, RoundPhase.ABORTED, RoundPhase.VOIDED)


@dataclass(frozen=True)
class Submission:
    """A signed transaction, and what the auditor needs to judge it."""

    raw: bytes
    signer: Signer
    sequence: int
    messages: tuple[Any, ...]
    is_signed: bool = True
    granter: Address = NO_ADDRESS

    @property
    def source(self) -> Address:
        """Who pays its fee."""
        return self.granter or self.signer.address


@dataclass
class Faults:
    """How often the engine and the node misbehave, in one of so many blocks."""

    crash: int = 40
    restart: int = 40
    repeat: int = 6
    halt: int = 60
    keep_back: int = 8
    """Proposers that keep their proof back, and with it lose their turn."""
    break_keys: int = 50
    """Times at which nobody's key works."""
    absent: int = 25
    """Validators that stop voting for a while."""
    double_sign: int = 60


def stake_of(balances: Mapping[bytes, int], founders: Sequence[chain.Founder]) -> dict[bytes, int]:
    """What everybody has once the validators of genesis have staked."""
    left = {each.operator: balances[each.operator] - each.stake_uflt for each in founders}
    pool = {module_address("bonded_tokens_pool"): sum(each.stake_uflt for each in founders)}
    return {**balances, **left, **pool}


@dataclass
class World:
    """One seeded chain."""

    seed: int
    path: Path
    signers: dict[str, Signer]
    faults: Faults = field(default_factory=Faults)

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)
        self.height, self.time_ms, self.previous_ms = 0, 1_700_000_000_000, 0
        self.is_broken, self.proven, self.unproven = False, 0, 0
        balances = {signer.address: 5_000_000_000_000 for signer in self.signers.values()}
        pairs = zip(VALIDATORS, balances)
        validators = tuple([a_validator(name, who, STAKE_UFLT) for name, who in pairs])
        params = PARAMS if self.seed % 4 else PARAMS | INFLATION
        self.genesis = chain.make_genesis(chain.Genesis(balances, params, validators))
        self.auditor = Auditor(stake_of(balances, validators), replace(RULES), VOTING)
        for each in validators:
            self.auditor.stakes.found(each.operator, each.key, each.stake_uflt)
        self.sets = [{each.key: each.stake_uflt // 1_000_000 for each in validators}] * 3
        """Who votes at a height with what power, by consensus key."""
        self.absent_until: dict[bytes, int] = {}
        self.tally = Tally(PARAMS["statistics"]["epoch_s"], sum(balances.values()))
        self.memory, self.forest = MemoryStore(), Forest()
        self.log: list[tuple[int, Submission, chain.TxResult]] = []
        self.start()
        self.init_chain()

    def start(self) -> None:
        """Start the node on whatever its disk holds."""
        self.store = LevelStore(self.path / "state")
        self.app = Application(self.store, Metrics(), self.prove, check_invariants=True)

    def prove(self, key: bytes, alpha: bytes) -> bytes | None:
        """Prove for each validator that has a key, as all run this node, unless keys are broken."""
        is_there = key in VRF_SECRETS and not self.is_broken
        return vrf.prove(VRF_SECRETS[key], alpha) if is_there else None

    def stop(self) -> None:
        """End the node, however it was: what it had in memory is gone."""
        self.store.close()

    def init_chain(self) -> None:
        """Begin the chain, sometimes twice."""
        import json

        request = abci.RequestInitChain(
            chain_id=CHAIN_ID, initial_height=1, app_state_bytes=json.dumps(self.genesis).encode()
        )
        draft = Overlay(self.memory)
        chain.init_genesis(draft, self.genesis)
        draft.merge_into(self.memory)
        self.forest = self.forest.apply(draft.changes)
        for _ in range(self.random.randint(1, 2)):
            assert self.app.init_chain(request).app_hash == self.forest.root()
        self.init_request = request

    def block(self, submissions: Sequence[Submission], seconds: float) -> None:
        """Propose, decide and commit one block, through whatever faults the seed brings."""
        self.height += 1
        self.previous_ms, self.time_ms = self.time_ms, self.time_ms + int(seconds * 1_000)
        if self.height == 1:
            self.previous_ms = 0
        header = {
            "height": self.height,
            "time": Timestamp(
                seconds=self.time_ms // 1_000, nanos=self.time_ms % 1_000 * 1_000_000
            ),
            "hash": hashlib.sha256(b"%d/%d" % (self.seed, self.height)).digest(),
            "misbehavior": self.find_misbehaviour(),
        }
        self.votes = self.collect_votes()
        header |= self.find_proposal(header, [each.raw for each in submissions])
        if self.random.random() < 0.8:
            self.process(header)
        response = self.decide(header)
        self.verify({each.raw: each for each in submissions}, header, response)

    def voters_at(self, height: int) -> dict[bytes, int]:
        """Return who votes at a height with what power, by consensus address."""
        voters = self.sets[max(height, 0)].items()
        return {staking.consensus_address(ConsensusKey(key)): power for key, power in voters}

    def collect_votes(self) -> abci.CommitInfo:
        """Return the votes for the block before, of which some validators' are missing for long."""
        votes = []
        for address, power in self.voters_at(self.height - 1).items() if self.height > 1 else ():
            if self.hits(self.faults.absent):
                self.absent_until[address] = self.height + self.random.randint(1, 20)
            is_absent = self.absent_until.get(address, 0) > self.height
            flag = BLOCK_ID_FLAG_ABSENT if is_absent else BLOCK_ID_FLAG_COMMIT
            validator = abci.Validator(address=address, power=power)
            votes.append(abci.VoteInfo(validator=validator, block_id_flag=flag))
        return abci.CommitInfo(votes=votes)

    def find_misbehaviour(self) -> list[abci.Misbehavior]:
        """Return what the engine caught a validator at that voted twice, lately or long ago."""
        if self.height < 3 or not self.hits(self.faults.double_sign):
            return []
        height = self.random.randint(max(1, self.height - 12), self.height - 1)
        address, power = self.random.choice(list(self.voters_at(height).items()))
        return [
            abci.Misbehavior(
                type=abci.DUPLICATE_VOTE,
                validator=abci.Validator(address=address, power=power),
                height=height,
                total_voting_power=sum(self.sets[height].values()),
            )
        ]

    def find_proposal(self, header: dict[str, Any], raws: list[bytes]) -> dict[str, Any]:
        """Let validators propose until one has what its block must have, or nobody's key works."""
        is_due, refusals = beacon.is_proof_due(self.memory), 0
        self.is_broken = is_due and self.hits(self.faults.break_keys)
        while True:
            voters = list(self.voters_at(self.height))
            proposer = voters[(self.height + refusals) % len(voters)]
            slot, txs = self.propose(raws, proposer)
            row = beacon.VALIDATORS.get(self.memory, proposer)
            has_key = row is not None and bool(beacon.key_at(row, self.height))
            assert len(slot) == (is_due and has_key and not self.is_broken)
            if not is_due or (slot and not self.hits(self.faults.keep_back)):
                return {"txs": slot + txs, "proposer_address": proposer}
            proposal = {"txs": txs, "proposer_address": proposer}
            request = self.to_process(header | proposal)
            is_accepted = self.app.process_proposal(request).status == ACCEPT
            count = sum(1 for _ in staking.bonded_validators(self.memory))
            assert is_accepted == (refusals == REFUSALS_PER_VALIDATOR * count)
            if is_accepted:
                return proposal
            refusals += 1

    def propose(self, raws: list[bytes], proposer: bytes) -> tuple[list[bytes], list[bytes]]:
        """Let the node choose, however long it takes, so that a seed comes out alike everywhere.

        Now and then a byzantine proposer takes everything as it came.
        """
        request = abci.RequestPrepareProposal(
            txs=raws,
            max_tx_bytes=1 << 20,
            height=self.height,
            time=Timestamp(seconds=1),
            proposer_address=proposer,
        )
        with patch.object(abci_app, "PREPARE_S_MAX", math.inf):
            chosen = list(self.app.prepare_proposal(request).txs)
        slot = [raw for raw in chosen if raw.startswith(SLOT_BYTE)]
        if self.random.random() < 0.3:
            return slot, [raw for raw in raws if is_tx(raw)]
        return slot, chosen[len(slot) :]

    def process(self, header: dict[str, Any]) -> None:
        """Show the node the proposal, sometimes twice, sometimes another one too."""
        if self.hits(self.faults.repeat):
            other = {**header, "hash": b"other"}
            if other["txs"] and not other["txs"][-1].startswith(SLOT_BYTE):
                other["txs"] = other["txs"][:-1]
            assert self.app.process_proposal(self.to_process(other)).status == ACCEPT
        for _ in range(1 + self.hits(self.faults.repeat)):
            assert self.app.process_proposal(self.to_process(header)).status == ACCEPT

    def to_process(self, header: dict[str, Any]) -> abci.RequestProcessProposal:
        """Return a proposal as the engine shows it to the node."""
        return abci.RequestProcessProposal(**header, proposed_last_commit=self.votes)

    def decide(self, header: dict[str, Any]) -> abci.ResponseFinalizeBlock:
        """Finalize and commit; a crash in between is followed by a replay with the same answer."""
        request = abci.RequestFinalizeBlock(**header, decided_last_commit=self.votes)
        response = self.app.finalize_block(request)
        if self.hits(self.faults.crash):
            self.auditor.seen["CRASH"] += 1
            self.restart()
            if self.app.info(abci.RequestInfo()).last_block_height == 0:
                self.app.init_chain(self.init_request)
            assert self.app.finalize_block(request) == response
        if self.hits(self.faults.repeat):
            assert self.app.finalize_block(request) == response
        self.app.commit(abci.RequestCommit())
        if self.hits(self.faults.restart):
            self.auditor.seen["RESTART"] += 1
            self.restart()
        info = self.app.info(abci.RequestInfo())
        assert (info.last_block_height, info.last_block_app_hash) == (
            self.height,
            response.app_hash,
        )
        return response

    def restart(self) -> None:
        """Kill the node and start it again."""
        self.stop()
        self.start()

    def hits(self, one_in: int) -> bool:
        """Whether a fault strikes now."""
        return self.random.randrange(one_in) == 0

    def verify(
        self, submissions: Mapping[bytes, Submission], header: dict[str, Any], response: Any
    ) -> None:
        """Run the block on the pure chain, and let the auditor look at every result."""
        draft = Overlay(self.memory)
        block = Block(
            CHAIN_ID,
            self.height,
            self.time_ms,
            self.previous_ms,
            previous_app_hash=self.forest.root(),
            proposer=header["proposer_address"],
            misbehaviour=find_misbehaviour(abci.RequestFinalizeBlock(**header)),
            absent=find_absent(abci.RequestFinalizeBlock(decided_last_commit=self.votes)),
        )
        before = {(r.job_id, r.round): r for _, r in ROUNDS.items(self.memory)}
        seated = {place: get_seats(self.memory, r) for place, r in before.items()}
        txs = decode_block(header["txs"])
        result = chain.execute_block(draft, block, txs, verify_secp256k1)
        self.check_seed(chain.find_slot(txs), result.begin_events)
        self.forest = self.forest.apply(draft.changes)
        assert self.forest.root() == response.app_hash, f"height {self.height}"
        assert [r.code for r in result.tx_results] == [r.code for r in response.tx_results]
        self.tally.begin(result.block.clock_ms)
        locked = {(r.job_id, r.aggregator): self.locked(r) for r in before.values()}
        self.auditor.disputes.begin(result.block.clock_ms, self.height, locked)
        self.follow(result.begin_events, {})
        stakes, motions = self.auditor.stakes, self.auditor.motions
        now = result.block
        clocks = (now.clock_ms, previous_ms(now))
        stakes.begin(Now(self.height, self.time_ms, *clocks), now.misbehaviour, now.absent)
        stakes.settle()
        for raw, outcome in zip(header["txs"], result.tx_results, strict=True):
            if not raw.startswith(SLOT_BYTE):
                self.audit_tx(submissions[raw], outcome)
        draft.merge_into(self.memory)
        missed = [*self.missed_deadlines(before, seated), *self.missed_turns(before)]
        missed += self.missed_scores(before)
        self.auditor.disputes.expect()
        fees_uflt = self.auditor.balances[COLLECTOR]
        self.follow(result.end_events, self.ended_rounds(before), missed)
        stakes.end(fees_uflt)
        motions.end()
        stakes.settle()
        self.check_stakes(result.powers)
        self.auditor.check(self.balances(), self.escrows())
        self.check_models()
        rows = disputes.DISPUTES.items(self.memory)
        self.auditor.disputes.check({row.dispute_id: row.phase.name for _, row in rows})
        authorizations = [row for _, row in authz.GRANTS.items(self.memory)]
        self.auditor.grants.check(self.allowances(), authorizations)
        self.tally.check(chain.run_query(self.memory, StatisticsRequest()), self.balances())

    def check_stakes(self, powers: Mapping[bytes, int]) -> None:
        """Hold validators, stakes and proposals against the auditors', and tell the engine."""
        tables = {
            "validators": staking.records.VALIDATORS,
            "shares": staking.records.DELEGATIONS,
            "unbonding": staking.records.UNBONDINGS,
            "moved": staking.records.REDELEGATIONS,
        }
        rows = {name: [r for _, r in table.items(self.memory)] for name, table in tables.items()}
        self.auditor.stakes.check(rows, powers)
        kept = gov.records.PROPOSALS.items(self.memory)
        held = self.auditor.balances[gov.GOVERNANCE]
        self.auditor.motions.check({number: row.proposal for number, row in kept}, held)
        after = {k: power for k, power in {**self.sets[-1], **powers}.items() if power}
        assert after, "a chain has validators"
        self.sets.append(after)

    def check_models(self) -> None:
        """Follow each job's models through the rounds that stand: no voided one is built on."""
        rows = [job for _, job in jobs.JOBS.items(self.memory)]
        models = {job.job_id: job.spec.work.base_root for job in rows}
        for _, round in ROUNDS.items(self.memory):
            if round.phase in (*ATTESTED, RoundPhase.SETTLED):
                assert round.base_root == models[round.job_id]
                models[round.job_id] = round.model_root
        assert models == {job.job_id: job.model_root for job in rows}

    def follow(
        self, events: Sequence[Any], ended: dict[Place, RoundFacts], missed: Sequence[Missed] = ()
    ) -> None:
        """Show events, in order, to who has an opinion of them."""
        self.auditor.follow(events, ended, missed)
        self.tally.follow(events, {place: facts.late_count for place, facts in ended.items()})
        self.tally.look(self.auditor.bonded)

    def check_seed(self, slot: Slot | None, events: Sequence[Any]) -> None:
        """Work out the seed that a block made, if one was asked for; all is drawn from that."""
        known = beacon.BEACON.get(self.memory)
        if slot is None:
            content = b"pollen/beacon/fallback" + known.seed + self.forest.root()
        else:
            content = b"pollen/beacon/seed" + known.seed + vrf.proof_to_hash(slot.proof)
        expected = [hashlib.sha256(content).digest()] if known.asked_height else []
        assert [each.seed for each in events if isinstance(each, beacon.SeedMade)] == expected
        drawn = [each.seed for each in events if isinstance(each, RoundDrawn)]
        assert drawn == expected * len(drawn)
        self.proven += slot is not None
        self.unproven += bool(expected) and slot is None

    def audit_tx(self, submission: Submission, outcome: chain.TxResult) -> None:
        """Let the auditor judge one transaction."""
        self.log.append((self.height, submission, outcome))
        assert outcome.code != chain.INTERNAL, (submission.messages, outcome.detail)
        admitted = self.auditor.expect_admission(submission, FEE_UFLT, self.time_ms)
        assert admitted == bool(outcome.events), (submission, outcome)
        events = [event for _, event in outcome.events]
        self.follow([e.event if isinstance(e, Nested) else e for e in events], {})
        if outcome.code == chain.OK:
            for message, response in zip(submission.messages, outcome.responses, strict=True):
                self.auditor.hear(message, response)
                self.auditor.grants.hear(message, self.time_ms)
                self.tally.hear(message, response)
                self.tally.look(self.auditor.bonded)
        self.auditor.stakes.settle()

    def ended_rounds(self, before: dict[Any, Any]) -> dict[tuple[int, int], RoundFacts]:
        """Return the facts of the rounds that ended in this block, in which some began too."""
        phases = {place: round.phase for place, round in before.items()}
        ended = {(r.job_id, r.round): r for _, r in ROUNDS.items(self.memory) if r.phase in ENDS}
        return {
            place: self.facts(round, phases.get(place))
            for place, round in ended.items()
            if phases.get(place) not in ENDS
        }

    def missed_deadlines(self, before: Any, seated: dict[Place, Any]) -> Iterator[Missed]:
        """Walk the workers' deadlines that some missed in this block."""
        for place, was in before.items():
            known = {seat.seat for seat in seated[place] if seat.state is SeatState.MISSED}
            seats = [s for s in get_seats(self.memory, was) if s.seat not in known]
            people = tuple(seat.worker for seat in seats if seat.state is SeatState.MISSED)
            if people and was.phase is RoundPhase.COMMIT:
                asked = [seat for seat in seats if 0 < seat.attempt <= was.commit_attempt]
                yield Missed(place, "MISSED_COMMIT", people, len(asked))
            elif people:
                asked = [seat for seat in seats if seat.commitment]
                yield Missed(place, "UNREVEALED_UPDATE", people, len(asked))

    def missed_turns(self, before: Any) -> Iterator[Missed]:
        """Walk the aggregators' turns that ended in this block without a model."""
        for place, was in before.items():
            now = ROUNDS.must(self.memory, place)
            is_ended = now.phase not in (was.phase, RoundPhase.VOIDED)
            is_over = is_ended or now.aggregate_attempt != was.aggregate_attempt
            is_posted = was.aggregate_attempt in self.auditor.posted[place]
            if was.phase is RoundPhase.AGGREGATE and is_over and not is_posted:
                yield Missed(place, "NO_AGGREGATE", (was.aggregator,), 1)

    def missed_scores(self, before: Any) -> Iterator[Missed]:
        """Walk the deadlines that ended in this block with scores committed and not revealed."""
        for place, was in before.items():
            now = ROUNDS.must(self.memory, place)
            is_over = (now.score_step, now.score_attempt) != (was.score_step, was.score_attempt)
            if was.score_step is ScoreStep.REVEAL and is_over:
                scorers = [row for _, row in SCORERS.items(self.memory, place)]
                asked = [each for each in scorers if each.attempt == was.score_attempt]
                closed = [each for each in asked if each.commitment and not each.scores.salt]
                people = tuple(each.evaluator for each in closed)
                yield Missed(place, "UNREVEALED_SCORES", people, len(asked))

    def locked(self, round: Any) -> int:
        """Return what a round's aggregator has locked in its job."""
        return bonds.find_lock(self.memory, round.aggregator, round.job_id).amount_uflt

    def facts(self, ended: Any, before: RoundPhase | None) -> RoundFacts:
        """Return what people did in a round that was in a phase before this block."""
        seats, readers = get_seats(self.memory, ended), get_readers(self.memory, ended)
        delivered = [seat for seat in seats if seat.state is SeatState.INCLUDED]
        delivered = delivered or [seat for seat in seats if seat.state is SeatState.REVEALED]
        evaluators = [reader for reader in readers if not reader.is_aggregator]
        did = [r for r in evaluators if r.voted and has_attested(r, ended)]
        return RoundFacts(
            phase=ended.phase.name,
            reached_reveal=before in (RoundPhase.INCLUDE, RoundPhase.AGGREGATE),
            pool=ended.pool_uflt,
            delivered={s.worker: (s.reveal.update_root, s.reveal.example_count) for s in delivered},
            reserves=tuple(s.worker for s in seats if s.kind is SeatKind.RESERVE),
            aggregator=ended.aggregator,
            evaluators=tuple(r.participant for r in evaluators),
            attesters=tuple(r.participant for r in did),
            attested=tuple(r.participant for r in evaluators if has_attested(r, ended)),
            voted=tuple(r.participant for r in evaluators if r.voted),
            is_decided=any(seat.state is SeatState.INCLUDED for seat in seats),
            committed_count=ended.committed_count,
            late_count=sum(seat.state is SeatState.LATE for seat in seats),
        )

    def balances(self) -> dict[bytes, int]:
        """Return every account's uflt as the chain has it."""
        return {who: row.amount for (who, _), row in bank.BALANCES.items(self.memory)}

    def allowances(self) -> dict[tuple[bytes, bytes], Any]:
        """Return what the chain has of allowances, by granter and grantee."""
        rows = feegrant.ALLOWANCES.items(self.memory)
        return {(grant.granter, grant.grantee): grant.allowance for _, grant in rows}

    def escrows(self) -> dict[int, int]:
        """Return what each job has in escrow."""
        return {job_id: job.escrow_uflt for job_id, job in jobs.JOBS.items(self.memory)}

    def sign(
        self,
        signer: Signer,
        messages: Sequence[Any],
        sequence: int,
        is_signed: bool = True,
        granter: Address = NO_ADDRESS,
    ) -> Submission:
        """Return a signed transaction; a badly signed one is signed for another chain."""
        from app.modules import auth

        account = auth.find_account(self.memory, signer.address)
        number = 0 if account is None else account.number
        chain_id = CHAIN_ID if is_signed else "another-chain"
        terms = Terms(chain_id=chain_id, gas_limit=GAS_LIMIT, fee_uflt=FEE_UFLT, granter=granter)
        raw = sign_tx(messages, [Signing(signer, number, sequence)], terms)
        return Submission(raw, signer, sequence, tuple(messages), is_signed, granter)


def has_attested(reader: Any, round: Any) -> bool:
    """Whether a reader has attested a round's model."""
    return bool(reader.attested_attempt == round.aggregate_attempt)


def is_tx(raw: bytes) -> bool:
    """Whether bytes decode, as no proposal may hold others."""
    return hasattr(decode_tx(raw), "messages")
