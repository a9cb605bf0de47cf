"""The watcher: recomputes what rounds post, proves what is false, and earns by it.

Nothing false is ever challenged by it: a proof is checked against the chain's own claim, as the
chain will check it, before it costs money. Proof and salt are in the journal before the commitment
is submitted; what comes next follows from the round's disputes alone.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from app.sdk.protocol import (
    CHALLENGE_COMMITMENT,
    U32,
    U64,
    AddProofPart,
    ChallengeCommitted,
    CommitChallenge,
    Dispute,
    DisputePhase,
    DisputePhaseChanged,
    DisputesParamsRequest,
    DisputesRequest,
    Job,
    JobPhaseChanged,
    JobStateResponse,
    OpenChallenge,
    Profile,
    ProofRefused,
    ProverPaid,
    RoundPhaseChanged,
    RoundRequest,
    RoundState,
    claim_of,
    commitment,
    is_proven_false,
    proof_hash,
    split_proof,
)
from app.sdk.protocol import Blob as ChainBlob
from app.sdk.text import to_bech32
from fl_worker.blobs.cids import BlobFault
from fl_worker.blobs.permit import RoundTag
from fl_worker.blobs.store import Store
from fl_worker.posting.reading import show_amount
from fl_worker.roles.agent import Chain
from fl_worker.roles.decide import (
    ATTESTED,
    UNSETTLED,
    Act,
    Intent,
    WatcherMemory,
    decide_watcher,
    find_own,
    find_step,
)
from fl_worker.roles.journal import JOINED, Challenge
from fl_worker.roles.peers import Peers
from fl_worker.roles.reader import drop_tags
from fl_worker.roles.updates import counted_seats
from fl_worker.update.proof import prove_false

log = logging.getLogger("pollen")

SALT_BYTES = 32
DISPUTES_PER_PAGE = U32(1_000)
GAS_UNLIMITED = 1 << 62
REPLAY_TIMEOUT_S = 30.0
UNPROVEN, WITHDRAWN = "unproven", "withdrawn"
OUTCOMES = {
    UNPROVEN: "not committed: the proof doesn't hold against what the chain has",
    WITHDRAWN: "not committed: the round has ended, or another's proof came first",
    "upheld": "the proof is right and the earliest",
    "returned": "another proof voided the round; the deposit has returned",
    "expired": "not opened in time; the deposit is lost",
    "refuted": "the chain calls the proof wrong; the deposit is lost",
}
"""What each end of a challenge means; the last four are the chain's."""


class MoneyMissing(ValueError):
    """Too little money, or leave to risk it, for a challenge."""


@dataclass(frozen=True, slots=True)
class WatcherConfig:
    """What to watch, and how much money may be at stake at once."""

    deposit_max_uflt: int
    job_ids: frozenset[int] = frozenset()
    """Empty: every public job."""


class Watcher:
    """What a watcher does."""

    name = "watcher"

    def __init__(self, chain: Chain, store: Store, peers: Peers, config: WatcherConfig) -> None:
        self._chain = chain
        self._store = store
        self._peers = peers
        self._config = config
        self._checked: set[tuple[int, int]] = set()
        self._challenges = {(c.job_id, c.round): c for c in chain.journal.challenges()}
        self._money = asyncio.Lock()

    async def wants(self, job: Job) -> bool:
        """Follow the public jobs, or those that were named, and where a challenge goes on."""
        is_named = not self._config.job_ids or job.job_id in self._config.job_ids
        is_public = job.spec.profile == Profile.PUBLIC
        is_wanted = bool((is_named and is_public) or self.memory(job.job_id).disputed)
        if is_wanted:
            self._chain.journal.decide_job(job.job_id, JOINED)
        return is_wanted

    def memory(self, job_id: int) -> WatcherMemory:
        """Return what it has for a job."""
        places = [place for place in self._challenges if place[0] == job_id]
        checked = {number for job, number in self._checked if job == job_id}
        return WatcherMemory(
            checked={*checked, *[number for _, number in places]},
            disputed={place[1] for place in places if not self._challenges[place].outcome},
        )

    def is_news(self, event: Any) -> bool:
        """Whether a model is attested, a dispute goes on, or something has ended."""
        if isinstance(event, RoundPhaseChanged):
            return event.phase in ATTESTED or event.phase not in UNSETTLED
        return isinstance(event, JobPhaseChanged | ChallengeCommitted | DisputePhaseChanged)

    def decide(self, view: JobStateResponse) -> Iterator[Intent]:
        """Walk what the watcher may do."""
        return decide_watcher(view, self.memory(view.job.job_id))

    async def act(self, view: JobStateResponse, state: RoundState | None, intent: Intent) -> None:
        """Check, dispute, or report what came of it."""
        if intent.act is Act.FORGET:
            await self._conclude(self._challenges[view.job.job_id, intent.round])
        elif state is not None and intent.act is Act.CHECK:
            await self._check(view, state)
        elif state is not None:
            await self._dispute(view.job, intent)

    async def finish(self, job: Job) -> None:
        """Report what isn't yet, and drop an ended job's bytes."""
        for number in self.memory(job.job_id).disputed:
            await self._conclude(self._challenges[job.job_id, number])
        await drop_tags(self._store, f"job/{job.job_id}/")
        self._chain.journal.forget_job(job.job_id)
        self._chain.journal.decide_job(job.job_id, f"over {int(time.time())}")

    async def require_money(self, proof_bytes: bytes = b"", *, staked_uflt: int = 0) -> int:
        """Return the deposit of a challenge; MoneyMissing if it, or what follows, can't be paid.

        The fees are the most that the transactions of such a proof can cost.
        """
        client, me = self._chain.client, self._chain.address
        deposit = (await client.query(DisputesParamsRequest())).params.deposit_uflt
        limit = self._config.deposit_max_uflt
        if staked_uflt + deposit > limit:
            raise MoneyMissing(
                f"a challenge takes a deposit of {show_amount(deposit)}; with the "
                f"{show_amount(staked_uflt)} at stake that is more than the limit of "
                f"{show_amount(limit)}: raise --deposit-max, or wait until a challenge has ended"
            )
        fee = (await client.find_fee(GAS_UNLIMITED)).amount_uflt
        fees = fee * (1 + max(1, len(split_proof(proof_bytes))))
        balance = await client.balance(me)
        if balance < deposit + fees:
            raise MoneyMissing(
                f"{to_bech32(me)} holds {show_amount(balance)}, a challenge needs "
                f"{show_amount(deposit + fees)}: a deposit of {show_amount(deposit)} and fees of "
                f"at most {show_amount(fees)}; send it money"
            )
        return int(deposit)

    async def _check(self, view: JobStateResponse, state: RoundState) -> None:
        """Recompute a posted model, and keep the proof if it is false."""
        job, current, seats = view.job, state.round, counted_seats(state)
        tag, readers = RoundTag(job.job_id, current.round), self._peers.endpoints(view, state)
        wanted = {"the base model": current.base, "the posted model": current.model}
        wanted |= {f"the update of seat {seat.seat}": seat.reveal.blob for seat in seats}

        async def fetch(name: str, blob: ChainBlob) -> bytes:
            try:
                return await self._peers.read(blob, tag, readers)
            except BlobFault as fault:
                raise BlobFault(f"{name}: {fault}") from None

        fetched = await asyncio.gather(
            *[fetch(*each) for each in wanted.items()], return_exceptions=True
        )
        for each in fetched:
            if isinstance(each, BaseException):
                raise each
        base, posted, *updates = [each for each in fetched if isinstance(each, bytes)]
        workers = [seat.worker for seat in seats]
        place = f"job {job.job_id} round {current.round}"
        try:
            proof = await asyncio.to_thread(
                prove_false,
                claim_of(job, current, state.seats),
                base,
                dict(zip(workers, updates, strict=True)),
                posted,
            )
        except ValueError as error:  # nor will it be: their CIDs bind the bytes
            log.warning("%s: the model can't be checked: %s", place, error)
        else:
            if proof is None:
                log.info("%s: the model is right", place)
            else:
                log.warning("%s: the model is FALSE; a proof of %d bytes", place, len(proof))
                salt = secrets.token_bytes(SALT_BYTES)
                self._keep(Challenge(job.job_id, current.round, proof, salt))
        self._checked.add((job.job_id, current.round))
        await asyncio.to_thread(self._store.drop, str(tag))

    async def _dispute(self, job: Job, intent: Intent) -> None:
        """Take the steps towards a proof, until there is none to take now."""
        number, me = intent.round, self._chain.address
        challenge = self._challenges[job.job_id, number]
        while not challenge.outcome:
            disputes = await self._disputes(job.job_id, number)
            act, own = find_step(disputes, me), find_own(disputes, me)
            if act is Act.CHALLENGE:
                challenge = await self._commit(job, challenge)
            elif act is not None and own is not None:
                message = make_step(challenge, own, act)
                await self._chain.submit(job.job_id, replace(intent, act=act), message)
            else:
                return

    async def _commit(self, job: Job, challenge: Challenge) -> Challenge:
        """Stake the deposit on a proof, if the chain will find it right; return what is kept."""
        chain, number = self._chain, U32(challenge.round)
        state = (await chain.client.query(RoundRequest(job.job_id, number))).state
        try:
            fault = "its chunk is right"
            is_false = is_proven_false(claim_of(job, state.round, state.seats), challenge.proof)
        except ProofRefused as refusal:
            fault, is_false = str(refusal), False
        if not is_false:
            log.error("job %d round %d: the proof shows nothing: %s", job.job_id, number, fault)
            return self._end(challenge, UNPROVEN)
        async with self._money:
            others = [c for c in self._challenges.values() if c.salt != challenge.salt]
            staked = sum(c.deposit_uflt for c in others if not c.outcome)
            deposit = await self.require_money(challenge.proof, staked_uflt=staked)
            height = (await chain.client.status()).height
            challenge = self._keep(replace(challenge, height=height, deposit_uflt=deposit))
            bound = commitment(
                CHALLENGE_COMMITMENT,
                chain.client.chain_id,
                job.job_id,
                number,
                state.round.aggregate_attempt,
                account=chain.address,
                payload=proof_hash(challenge.proof) + challenge.salt,
            )
            message = CommitChallenge(chain.address, job.job_id, number, bound)
            await chain.submit(job.job_id, Intent(Act.CHALLENGE, number), message)
        return challenge

    async def _conclude(self, challenge: Challenge) -> None:
        """Report how a challenge of an ended round ended, and what it earned."""
        number = U32(challenge.round)
        own = find_own(await self._disputes(challenge.job_id, number), self._chain.address)
        if own is None:
            self._end(challenge, WITHDRAWN)
        elif own.phase is DisputePhase.UPHELD:
            self._end(challenge, "upheld", await self._find_reward(challenge))
        else:
            self._end(challenge, own.phase.name.lower())

    async def _find_reward(self, challenge: Challenge) -> int:
        """Return what the chain has paid for a proof, as the block that upheld it says."""
        me, number = self._chain.address, challenge.round
        async with asyncio.timeout(REPLAY_TIMEOUT_S):
            updates = self._chain.client.watch_job(challenge.job_id, max(challenge.height, 1))
            async for update in updates:
                ours = [event for event in update.events if getattr(event, "round", 0) == number]
                ends = [each for each in ours if isinstance(each, DisputePhaseChanged)]
                if (me, DisputePhase.UPHELD) in [(each.challenger, each.phase) for each in ends]:
                    paid = [each for each in ours if isinstance(each, ProverPaid)]
                    return sum(each.amount_uflt for each in paid)
        return 0

    async def _disputes(self, job_id: int, number: U32) -> list[Dispute]:
        """Return a round's disputes, the earliest commitment first."""
        found: list[Dispute] = []
        while True:
            after = found[-1].dispute_id if found else U64(0)
            request = DisputesRequest(U64(job_id), number, after, DISPUTES_PER_PAGE)
            page = (await self._chain.client.query(request)).disputes
            found += page
            if len(page) < DISPUTES_PER_PAGE:
                return found

    def _end(self, challenge: Challenge, outcome: str, earned_uflt: int = 0) -> Challenge:
        """Keep how a challenge has ended, and say it."""
        log.info(
            "job %d round %d: challenge %s, %s: earned %s",
            challenge.job_id,
            challenge.round,
            outcome,
            OUTCOMES[outcome],
            show_amount(earned_uflt),
        )
        ended = replace(challenge, proof=b"", outcome=outcome, earned_uflt=earned_uflt)
        return self._keep(ended)

    def _keep(self, challenge: Challenge) -> Challenge:
        self._chain.journal.save_challenge(challenge)
        self._challenges[challenge.job_id, challenge.round] = challenge
        return challenge


def make_step(challenge: Challenge, own: Dispute, act: Act) -> OpenChallenge | AddProofPart:
    """Return the message that opens a challenge, or adds the next part of its proof."""
    place = own.challenger, own.job_id, own.round, own.dispute_id
    parts = split_proof(challenge.proof)
    if act is Act.OPEN:
        count, proof = U32(len(parts)), challenge.proof
        return OpenChallenge(*place, proof_hash(proof), challenge.salt, count, parts[0])
    return AddProofPart(*place, own.received_count, parts[own.received_count])
