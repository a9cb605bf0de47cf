"""The actors: requesters, workers, readers and people who send money, each with its whims.

Workers and readers decide as the real ones do (`fl_worker.roles.decide`); only the training is
made up.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

from app import chain
from app.kernel import vrf
from app.kernel.record import I64, NO_ADDRESS, U64, U128, Address, Duration, Time, encode
from app.kernel.tx import Coin
from app.learning import proof as proofs
from app.learning.commitment import UPDATE_COMMITMENT, commitment
from app.modules import auth, authz, beacon, bonds, committees, feegrant, jobs, payouts, rounds
from app.modules.bank import Send
from app.modules.bonds import Role
from app.modules.jobs import JobPhase
from app.sdk.signer import Signer
from app.wire.records import put_packed
from fl_worker.roles.decide import (
    Act,
    Intent,
    ReaderMemory,
    WorkerMemory,
    decide_reader,
    decide_worker,
    find_seat,
)
from tests.build import (
    a_blob,
    a_job,
    a_payout_address,
    a_registration,
    a_vrf_secret,
    an_address,
)
from tests.build_disputes import REAL_WORK
from tests.sim.liars import Models, Watcher, attests_anything, disputes_of, lies
from tests.sim.scorers import grants, grants_of_kept, measure, score
from tests.sim.stakers import Staker
from tests.sim.world import CHAIN_ID, FEE_UFLT, VALIDATORS, Faults, Submission, World

FLT = 1_000_000
SEND_URL = "/cosmos.bank.v1beta1.MsgSend"
PART_BYTES = 3_000
"""Short parts, so that proofs have several."""
SYBILS = ("worker 3", "worker 4", "worker 5")
"""Workers of one owner: they are paid at one address, and what one of them skips all skip."""
PHASES = {
    f"schedule.{name}_s": 3
    for name in ("commit", "reveal", "include", "aggregate", "score", "challenge")
}


@dataclass
class Actor:
    """Somebody with a key, and what it has on disk."""

    name: str
    signer: Signer
    role: Role | None = None
    asleep_until: int = 0
    trained: dict[int, set[int]] = field(default_factory=dict)
    checked: set[tuple[int, int, int]] = field(default_factory=set)
    combined: set[tuple[int, int]] = field(default_factory=set)
    shirked: dict[tuple[int, int, Act], bool] = field(default_factory=dict)

    @property
    def address(self) -> Address:
        """Its account."""
        return self.signer.address


def make_signer(name: str) -> Signer:
    """Return a key that belongs to a name."""
    return Signer(hashlib.sha256(name.encode()).digest())


def an_amount(uflt: int) -> tuple[Coin, ...]:
    """Return money as messages hold it."""
    return (Coin("uflt", U128(uflt)),)


def is_right(seat: rounds.Seat) -> bool:
    """Whether readers find an update right, as they do all but one in sixteen."""
    return seat.reveal.update_root[0] % 16 > 0


class Simulation:
    """A seed: genesis, actors, blocks."""

    def __init__(self, seed: int, path: Path, faults: Faults | None = None) -> None:
        roles = {"worker": Role.WORKER, "aggregator": Role.AGGREGATOR, "evaluator": Role.EVALUATOR}
        counts = {"worker": 6, "aggregator": 3, "evaluator": 8}
        self.owner, habits = a_payout_address(make_signer(SYBILS[0]).address), {}
        self.people = [Actor(f"person {i}", make_signer(f"person {i}")) for i in range(3)]
        self.participants = [
            Actor(f"{kind} {i}", make_signer(f"{kind} {i}"), roles[kind])
            for kind, count in counts.items()
            for i in range(count)
        ]
        for actor in self.participants:
            actor.shirked = habits if actor.name in SYBILS else actor.shirked
        self.stakers = [Actor(f"staker {i}", make_signer(f"staker {i}")) for i in range(4)]
        self.actors = self.people + self.participants
        self.watchers = [Actor(f"watcher {i}", make_signer(f"watcher {i}")) for i in range(3)]
        signers = {actor.name: actor.signer for actor in self.actors + self.watchers + self.stakers}
        self.world = World(seed, path, signers, faults or Faults())
        self.models = Models()
        self.challengers = [
            Watcher(each.address, CHAIN_ID, self.models, is_careful=number == 0)
            for number, each in enumerate(self.watchers)
        ]
        self.world.auditor.disputes.truths = [each.truths for each in self.challengers]
        self.random = self.world.random
        self.whims = [Staker(a.name, a.address, self.random) for a in self.people + self.stakers]
        self.pending: dict[Address, int] = {}
        self.views: dict[int, Any] = {}

    def run(self, blocks: int) -> None:
        """Register everyone, then let them live for so many blocks."""
        for actor in self.participants:
            assert actor.role is not None
            message = a_registration(actor.address, actor.role, bond_uflt=100_000 * FLT)
            if actor.name in SYBILS:
                message = replace(message, payout_address=self.owner)
            self.world.block([self.submit(actor, [message])], 0.1)
        for _ in range(blocks):
            submissions = [each for actor in self.actors for each in self.live(actor)]
            submissions += self.challenge() + self.stake()
            self.random.shuffle(submissions)
            submissions.sort(key=lambda each: self.random.random() < 0.1)
            is_halted = self.world.hits(self.world.faults.halt)
            seconds = self.random.uniform(61, 4_000) if is_halted else self.random.uniform(0.05, 2)
            with patch.object(proofs, "PART_BYTES_MAX", PART_BYTES):
                self.world.block(submissions, seconds)
            self.pending.clear()
            self.views.clear()
        self.world.stop()

    def count(self) -> Counter[str]:
        """Count what this seed has seen, by name: faults, verdicts, ends, lies that stood."""
        world, fees = self.world, self.world.auditor.grants
        seen = Counter({"proven": world.proven, "unproven": world.unproven})
        seen.update(world.auditor.seen)
        seen.update(world.tally.totals)
        seen["left_count"] = world.tally.left
        for what in ("used", "refused", "pruned", "executed"):
            seen[f"fees {what}"] = getattr(fees, what)
        seen.update(f"job {job.phase.name}" for _, job in jobs.JOBS.items(world.memory))
        for _, row in rounds.ROUNDS.items(world.memory):
            seen[f"round {row.phase.name}"] += 1
            is_settled = row.phase is rounds.RoundPhase.SETTLED
            seen["LIE SETTLED"] += is_settled and row.model_root in self.models.false
        return seen

    def stake(self) -> list[Submission]:
        """Return what people do about stake and governance in this block."""
        who = self.people + self.stakers
        return [
            self.submit(actor, [message])
            for actor, whim in zip(who, self.whims, strict=True)
            for message in whim.act(self.world.memory)
        ]

    def challenge(self) -> list[Submission]:
        """Return what those who challenge submit in this block."""
        found: list[Submission] = []
        for actor, watcher in zip(self.watchers, self.challengers, strict=True):
            for job_id, job in jobs.JOBS.items(self.world.memory):
                if job.phase != JobPhase.RUNNING:
                    continue
                for state in self.view(job_id).rounds:
                    known = disputes_of(self.world.memory, job_id, state.round.round)
                    is_eager = self.world.hits(2 if watcher.is_careful else 9)
                    with patch.object(proofs, "PART_BYTES_MAX", PART_BYTES):
                        messages = list(watcher.act(job, state, known, is_eager))
                    found += [self.submit(actor, [message]) for message in messages]
        return found

    def submit(self, actor: Actor, messages: list[Any], is_signed: bool = True) -> Submission:
        """Sign with the account's next sequence; now and then with a wrong one."""
        account = auth.find_account(self.world.memory, actor.address)
        known = 0 if account is None else account.sequence
        sequence = self.pending.get(actor.address, known)
        granter = self.find_granter(actor, messages)
        if self.world.hits(50):
            return self.world.sign(actor.signer, messages, sequence + 1, is_signed, granter)
        if is_signed:
            self.pending[actor.address] = sequence + 1
        return self.world.sign(actor.signer, messages, sequence, is_signed, granter)

    def find_granter(self, actor: Actor, messages: list[Any]) -> Address:
        """Return who pays an actor's fee: mostly itself, now and then somebody who may not."""
        rows = feegrant.ALLOWANCES.items(self.world.memory, (actor.address,))
        granters = [grant.granter for _, grant in rows]
        if granters and self.world.hits(2):
            return self.random.choice(granters)
        is_bold = isinstance(messages[0], feegrant.PruneAllowances) and self.world.hits(4)
        return self.people[-1].address if is_bold and actor is not self.people[-1] else NO_ADDRESS

    def live(self, actor: Actor) -> list[Submission]:
        """Return what an actor submits in this block."""
        if actor.role is None:
            return self.do_business(actor)
        if actor.asleep_until > self.world.height:
            return []
        if self.world.hits(80):
            actor.asleep_until = self.world.height + self.random.randint(2, 25)
            return []
        submissions = self.offer(actor) if self.world.hits(4) else []
        for job_id, job in jobs.JOBS.items(self.world.memory):
            if job.phase == JobPhase.RUNNING:
                submissions += self.work(actor, job_id)
            elif job.phase == JobPhase.REVIEW and job.rejected:
                found = self.committee_of(job_id)
                messages = found and measure(CHAIN_ID, actor.address, job, found)
                submissions += [self.submit(actor, [message]) for message in messages or ()]
        return submissions

    def committee_of(self, job_id: int) -> Any:
        """Return a job's committee and its members, or nothing."""
        found = committees.COMMITTEES.get(self.world.memory, job_id)
        return found and (found, committees.get_members(self.world.memory, job_id))

    def view(self, job_id: int) -> Any:
        """Return a job's state, asked for once a block."""
        if job_id not in self.views:
            request = rounds.JobStateRequest(U64(job_id))
            self.views[job_id] = chain.run_query(self.world.memory, request)
        return self.views[job_id]

    def work(self, actor: Actor, job_id: int) -> list[Submission]:
        """Do what the actor's role decides in a job."""
        view = self.view(job_id)
        messages = []
        if actor.role is Role.EVALUATOR:
            for state in view.rounds:
                messages += score(CHAIN_ID, actor.address, view.job, state)
        for intent in list(self.decide(actor, view)):
            state = next(s for s in view.rounds if s.round.round == intent.round)
            message = self.act(actor, view, state, intent)
            if message is not None:
                messages.append(message)
        return [self.submit(actor, [message]) for message in messages]

    def decide(self, actor: Actor, view: Any) -> Any:
        """Return the intents of a worker or a reader."""
        job_id = view.job.job_id
        if actor.role is Role.WORKER:
            trained = actor.trained.setdefault(job_id, set())
            open_rounds = {state.round.round for state in view.rounds}
            return decide_worker(view, actor.address, WorkerMemory(trained & open_rounds))
        memory = ReaderMemory(
            checked={(r, s) for j, r, s in actor.checked if j == job_id},
            combined={r for j, r in actor.combined if j == job_id},
        )
        return decide_reader(view, actor.address, memory)

    def act(self, actor: Actor, view: Any, state: Any, intent: Intent) -> Any:
        """Do one thing; return the message it submits, if it does."""
        job_id, number, me = view.job.job_id, intent.round, actor.address
        seat = find_seat(state, me)
        if self.shirks(actor, (job_id, number, intent.act)):
            return None
        if intent.act is Act.TRAIN and not self.world.hits(3):
            actor.trained[job_id].add(number)
        elif intent.act is Act.COMMIT:
            payload = encode(self.reveal(me, job_id, number))
            bound = commitment(
                UPDATE_COMMITMENT, CHAIN_ID, job_id, number, seat.attempt,
                account=me, payload=payload,
            )  # fmt: skip
            return rounds.CommitUpdate(me, job_id, number, bound)
        elif intent.act is Act.REVEAL:
            return rounds.RevealUpdate(me, job_id, number, self.reveal(me, job_id, number))
        elif intent.act is Act.COLLECT:
            held = [s.seat for s in state.seats if s.reveal.update_root]
            actor.checked |= {(job_id, number, s) for s in held if not self.world.hits(20)}
        elif intent.act is Act.VOTE:
            return rounds.VoteInclusion(me, job_id, number, self.bitmap(actor, state))
        elif intent.act is Act.COMBINE:
            actor.combined.add((job_id, number))
        elif intent.act is Act.POST:
            root = self.models.combine(view.job, state)
            root = self.models.falsify(root) if lies(state) else root
            blob = a_blob(root.hex(), 8 * view.job.spec.work.value_count)
            return rounds.PostAggregate(me, job_id, number, root, blob)
        elif intent.act is Act.ATTEST:
            root = state.round.model_root
            if root == self.models.combine(view.job, state) or attests_anything(me, state):
                return rounds.AttestAggregate(me, job_id, number, intent.attempt, root)
        return None

    def shirks(self, actor: Actor, duty: tuple[int, int, Act]) -> bool:
        """Whether an actor never does this; it makes up its mind once."""
        if duty[2] not in (Act.COMMIT, Act.REVEAL, Act.POST):
            return False
        return actor.shirked.setdefault(duty, self.world.hits(12))

    def reveal(self, me: Address, job_id: int, number: int) -> rounds.Reveal:
        """Return a made-up update; two of the workers always send the same."""
        twin = {self.participants[1].address: self.participants[0].address}.get(me, me)
        made = self.models.train(twin, job_id, number)
        digest = made.root
        return rounds.Reveal(
            update_root=digest,
            sum_squares=U128(made.sum_squares),
            sealed_root=b"",
            blob=a_blob(digest.hex(), 4 * REAL_WORK["work.value_count"]),
            example_count=1 + digest[0] * 100,
            metrics=(rounds.Metric("train_loss", 5),),
            salt=hashlib.sha256(digest).digest(),
        )

    def bitmap(self, actor: Actor, state: Any) -> bytes:
        """Return the revealed updates that a reader holds and finds right."""
        bits = bytearray((state.round.seat_count + 7) // 8)
        for seat in state.seats:
            place = (state.round.job_id, state.round.round, seat.seat)
            is_held = place in actor.checked and is_right(seat)
            if is_held and seat.state is rounds.SeatState.REVEALED:
                bits[seat.seat // 8] |= 1 << seat.seat % 8
        return bytes(bits)

    def offer(self, actor: Actor) -> list[Submission]:
        """Join a job, leave one, move some bond or all of it."""
        registration = bonds.find_registration(self.world.memory, actor.address)
        if registration is None:
            return []
        if not registration.bonded_uflt:
            return [self.submit(actor, [bonds.Bond(actor.address, U64(50_000 * FLT))])]
        if not registration.locked_uflt and self.world.hits(20):
            return [self.submit(actor, [bonds.Unbond(actor.address, registration.bonded_uflt)])]
        if self.world.hits(30):
            return [self.submit(actor, [bonds.Bond(actor.address, U64(5 * FLT))])]
        if self.world.hits(40):
            return [self.submit(actor, [bonds.Unbond(actor.address, U64(7 * FLT))])]
        if actor.role is not Role.WORKER:
            return []
        for job_id, job in jobs.JOBS.items(self.world.memory):
            known = jobs.CANDIDATES.get(self.world.memory, (job_id, actor.address))
            if job.phase in (JobPhase.OPEN, JobPhase.RUNNING) and known is None:
                return [self.submit(actor, [jobs.JoinJob(actor.address, U64(job_id))])]
            if job.phase == JobPhase.RUNNING and self.world.hits(80):
                return [self.submit(actor, [jobs.LeaveJob(actor.address, U64(job_id))])]
        return []

    def do_business(self, actor: Actor) -> list[Submission]:
        """Send money, post, fund, cancel, accept or reject; some of it makes no sense."""
        me = actor.address
        other = self.random.choice(self.actors).address
        mine = [j for _, j in jobs.JOBS.items(self.world.memory) if j.requester == me]
        messages: list[Any] = []
        if self.world.hits(4):
            amount = self.random.choice([1, 5 * FLT, 10**16])
            messages.append(Send(me, other, (Coin("uflt", amount),)))
        if self.world.hits(16) and not any(j.phase == JobPhase.OPEN for j in mine):
            messages.append(self.post(me))
        if actor is self.people[0] and self.world.hits(30):
            messages.append(self.register_key(me))
        if self.world.hits(5):
            messages.append(self.allow(me, other))
        if self.world.hits(5):
            messages.append(self.authorize(me, other))
        for job in mine:
            messages += self.manage(me, job)
        return [self.submit(actor, [m], is_signed=not self.world.hits(40)) for m in messages]

    def register_key(self, me: Address) -> beacon.RegisterVrfKey:
        """Return another key for one of the validators, which this person operates."""
        name = self.random.choice(VALIDATORS)
        secret = a_vrf_secret(self.random.choice([name, f"{name} again"]))
        return beacon.RegisterVrfKey(me, an_address(name), vrf.key_of(secret))

    def allow(self, me: Address, other: Address) -> Any:
        """Allow somebody to pay fees, take that back, or clear away what has ended."""
        if self.world.hits(6):
            return feegrant.RevokeAllowance(me, other)
        if self.world.hits(6):
            return feegrant.PruneAllowances(me)
        end = self.random.choice([0, self.world.time_ms + self.random.randint(-500, 60_000)])
        limit = self.random.choice([(), an_amount(FEE_UFLT * self.random.randint(1, 5) + 1)])
        allowance: Any = feegrant.BasicAllowance(limit, Time(end))
        if self.world.hits(2):
            period, own = Duration(self.random.randint(1, 9_000)), an_amount(2 * FEE_UFLT)
            reset = Time(self.world.time_ms + self.random.randint(-9_000, 9_000))
            allowance = feegrant.PeriodicAllowance(allowance, period, own, own, reset)
        if self.world.hits(3):
            urls = ("/cosmos.bank.v1beta1.MsgSend", "/pollen.rounds.v1.MsgCommitUpdate")
            allowance = feegrant.AllowedMsgAllowance(allowance, urls)
        return feegrant.GrantAllowance(me, other, allowance)

    def authorize(self, me: Address, other: Address) -> Any:
        """Let somebody send one's money, take that back, or send another's."""
        rows = [row for _, row in authz.GRANTS.items(self.world.memory)]
        mine = [row for row in rows if row.granter == me]
        granters = [row.granter for row in rows if row.grantee == me]
        if granters and self.world.hits(2):
            amounts = [1, 3 * FLT, 10**16 if self.world.hits(9) else 2]
            froms = [self.random.choice([*granters, me, other]) for _ in amounts]
            sends = [
                Send(who, other, an_amount(uflt)) for who, uflt in zip(froms, amounts, strict=True)
            ]
            chosen = sends[: self.random.randint(1, 3)]
            return authz.Exec(me, tuple([put_packed(send) for send in chosen]))
        if mine and self.world.hits(4):
            return authz.RevokeMessages(me, mine[0].grantee, SEND_URL)
        person = self.random.choice([each.address for each in self.people])
        limit = an_amount(self.random.randint(1, 9) * FLT)
        send = authz.SendAuthorization(limit, self.random.choice([(), (other,)]))
        end = self.random.choice([0, self.world.time_ms + self.random.randint(-500, 60_000)])
        chosen_one = self.random.choice([send, authz.GenericAuthorization(SEND_URL)])
        return authz.GrantMessages(me, person, authz.Grant(chosen_one, Time(end)))

    def post(self, me: Address) -> jobs.PostJob:
        """Return a job with odd numbers."""
        changes = {
            **PHASES,
            **REAL_WORK,
            "schedule.round_count": self.random.choice([1, 1, 2, 3]),
            "schedule.reserve_count": self.random.randint(0, 2),
            "schedule.quorum_ppm": self.random.choice([1_000_000, 600_000]),
            "schedule.open_s": 10,
            "schedule.review_s": 5,
            "schedule.grace_ms": 500,
            "pay.contribution": self.random.choice(list(jobs.ContributionRule)[1:]),
            "pay.held_back_ppm": self.random.choice([0, 200_000, 299_999]),
        }
        is_scored = changes["pay.contribution"] in jobs.SCORING
        if is_scored and self.world.hits(2):
            changes |= {"work.metric_direction": jobs.MetricDirection.HIGHER}
            changes |= {"acceptance": jobs.Acceptance(I64(500_000), I64(2_500_000))}
            changes |= {"pay.weighs_quality": True}
        return a_job(me, changes, self.random.randint(10, 1_000) * FLT + self.random.randrange(97))

    def manage(self, me: Address, job: Any) -> list[Any]:
        """Return what a requester does about one of its jobs."""
        if job.phase in (JobPhase.OPEN, JobPhase.RUNNING):
            if self.world.hits(60):
                return [jobs.FundJob(me, job.job_id, U64(3 * FLT + 1))]
            if self.world.hits(150):
                return [jobs.CancelJob(me, job.job_id)]
        if job.phase == JobPhase.RUNNING:
            return [grant for each in self.view(job.job_id).rounds for grant in grants(job, each)]
        if job.phase == JobPhase.REVIEW and job.rejected:
            found = self.committee_of(job.job_id)
            is_tired = self.world.hits(100)
            accepting = [payouts.AcceptJob(me, job.job_id)] if is_tired else []
            return accepting or [*(grants_of_kept(job, found) if found else ())]
        if job.phase == JobPhase.REVIEW:
            if self.world.hits(10):
                return [payouts.AcceptJob(me, job.job_id)]
            if self.world.hits(3):
                return [payouts.RejectJob(me, job.job_id, "the loss is too high")]
        return []
