"""Many workers in one round: this process plays them and the readers, through the SDK."""

from __future__ import annotations

import asyncio
import itertools
import statistics
import time
import urllib.request
from collections import defaultdict
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any

from app.kernel.crypto import sha256
from app.sdk.client import Client, TxOutcome
from app.sdk.protocol import (
    I64,
    U32,
    U64,
    U128,
    UPDATE_COMMITMENT,
    AcceptJob,
    Address,
    AggregatePosted,
    AttestAggregate,
    CommitUpdate,
    JobPhase,
    JobSpec,
    JobStateRequest,
    JobStateResponse,
    JoinJob,
    Metric,
    PostAggregate,
    PostJob,
    Register,
    Reveal,
    RevealUpdate,
    Role,
    RoundPhase,
    RoundState,
    VoteInclusion,
    bitmap_bytes,
    commitment,
    encode,
)
from app.sdk.signer import Signer
from app.wire.records import to_protobuf
from fl_worker.posting.choices import read_defaults
from fl_worker.posting.spec import blob_on_chain, build, derive
from scripts.bench_rounds.network import (
    AGGREGATORS,
    BOND_UFLT,
    BUDGET_UFLT,
    EVALUATORS,
    PHASES,
    POLL_S,
    QUICK,
    RICH_UFLT,
    TIMEOUT_S,
    Acts,
    Entered,
    Figures,
    follow,
    network,
    phases_s,
)

ROUNDS = 2
EXECUTION = "pollen_block_execution_seconds"


@dataclass
class Notes:
    """What one job was seen to take."""

    latency_s: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    gas: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    looks: list[tuple[float, int]] = field(default_factory=list)
    """Of each question for the job's state: seconds, bytes."""
    execution: list[tuple[float, int]] = field(default_factory=list)
    """From time to time: for how long the first node has executed blocks, and how many."""
    at_s: dict[str, float] = field(default_factory=dict)

    def mark(self, name: str) -> None:
        """Keep the time of now."""
        self.at_s[name] = time.monotonic()


@dataclass
class Crowd:
    """The workers and readers that use one node, played by this process."""

    client: Client
    roles: dict[Signer, Role]
    notes: Notes

    async def submit(self, signer: Signer, message: Any) -> TxOutcome:
        """Submit one message, and note how long that took and what it used."""
        started_s, name = time.monotonic(), type(message).__name__
        outcome = await self.client.submit(signer, [message], timeout_s=TIMEOUT_S)
        self.notes.latency_s[name].append(time.monotonic() - started_s)
        self.notes.gas[name].append(outcome.gas_used)
        return outcome

    async def submit_all(self, make: Callable[[Signer], Any], *roles: Role) -> None:
        """Let everyone in these roles, or simply everyone, submit what is made for them."""
        signers = [each for each, role in self.roles.items() if not roles or role in roles]
        messages = [(signer, make(signer)) for signer in signers]
        await asyncio.gather(*[self.submit(*pair) for pair in messages if pair[1] is not None])

    async def register(self) -> None:
        """Register everyone."""
        await self.submit_all(lambda signer: registration(signer, self.roles[signer]))

    async def join(self, job_id: int) -> None:
        """Let every worker join."""
        await self.submit_all(lambda each: JoinJob(each.address, U64(job_id)), Role.WORKER)

    async def look(self, job_id: int, number: int) -> RoundState:
        """Ask for the job's state, as each participant would."""
        started_s = time.monotonic()
        view: JobStateResponse = await self.client.query(JobStateRequest(U64(job_id)))
        self.notes.looks.append((time.monotonic() - started_s, to_protobuf(view).ByteSize()))
        return next(state for state in view.rounds if state.round.round == number)

    async def commit(self, job_id: int, number: int) -> None:
        """Let every worker commit."""
        state = await self.look(job_id, number)
        place = self.client.chain_id, U64(job_id), U32(number)
        attempts = {seat.worker: seat.attempt for seat in state.seats}

        def make(signer: Signer) -> CommitUpdate:
            me, payload = signer.address, encode(made_up_reveal(signer, number))
            bound = commitment(UPDATE_COMMITMENT, *place, attempts[me], account=me, payload=payload)
            return CommitUpdate(me, *place[1:], bound)

        await self.submit_all(make, Role.WORKER)

    async def reveal(self, job_id: int, number: int) -> None:
        """Let every worker reveal."""
        await self.look(job_id, number)
        place = U64(job_id), U32(number)
        await self.submit_all(
            lambda each: RevealUpdate(each.address, *place, made_up_reveal(each, number)),
            Role.WORKER,
        )

    async def vote(self, job_id: int, number: int) -> None:
        """Let every reader vote for every update."""
        count = (await self.look(job_id, number)).round.seat_count
        bitmap = ((1 << count) - 1).to_bytes(bitmap_bytes(count), "little")
        await self.submit_all(
            lambda each: VoteInclusion(each.address, U64(job_id), U32(number), bitmap),
            *(Role.AGGREGATOR, Role.EVALUATOR),
        )

    async def post(self, job_id: int, number: int) -> None:
        """Let the aggregator whose turn it is post."""
        on_turn = (await self.look(job_id, number)).round.aggregator
        place, model = (U64(job_id), U32(number)), blob_on_chain(made_up_model(number))
        for each in self.roles:
            if each.address == on_turn:
                root = sha256(made_up_model(number))
                await self.submit(each, PostAggregate(each.address, *place, root, model))

    async def attest(self, job_id: int, number: int) -> None:
        """Let every evaluator attest."""
        place, root = (U64(job_id), U32(number), U32(1)), sha256(made_up_model(number))
        await self.submit_all(
            lambda each: AttestAggregate(each.address, *place, root), Role.EVALUATOR
        )

    def acts(self) -> Acts:
        """Return what is done when."""
        return {
            RoundPhase.COMMIT: self.commit,
            RoundPhase.REVEAL: self.reveal,
            RoundPhase.INCLUDE: self.vote,
            RoundPhase.AGGREGATE: self.post,
            AggregatePosted: self.attest,
        }


def registration(signer: Signer, role: Role) -> Register:
    """Return how someone registers; pay goes elsewhere, so that the account shows its fees."""
    payout = Address(sha256(b"payout" + signer.address)[:20])
    endpoint = "" if role is Role.WORKER else "http://127.0.0.1:1"
    return Register(signer.address, role, payout, endpoint, b"", U64(BOND_UFLT))


def made_up_model(number: int) -> bytes:
    """Return the model after a round."""
    return number.to_bytes(8, "little")


def made_up_reveal(signer: Signer, number: int) -> Reveal:
    """Return what a worker says of an update that doesn't exist."""
    digest = sha256(signer.address + made_up_model(number))
    blob, metrics = blob_on_chain(digest[:4]), (Metric("train_loss", I64(500_000)),)
    return Reveal(digest, U128(1), b"", blob, U64(100), metrics, digest)


def made_up_spec(workers: int) -> JobSpec:
    """Return a job with so many workers in each round."""
    work = blob_on_chain(b"bench")
    values = {
        **read_defaults(),
        **QUICK,
        "title": "bench",
        "schedule.round_count": ROUNDS,
        "schedule.cohort_size": workers,
        "schedule.cohort_size_min": workers,
        "schedule.reserve_count": 0,
        **dict.fromkeys(["work.fab", "work.layout"], work),
        "work.base": blob_on_chain(made_up_model(0)),
        **dict.fromkeys(["work.fab_hash", "work.layout_hash", "work.base_root"], sha256(b"bench")),
        "work.value_count": 1,
        **dict.fromkeys(["work.run_config", "work.train_config", "work.evaluate_config"], "{}"),
        "work.message_type": "train",
        **{f"work.{name}_key": name for name in ("arrays", "config", "weight")},
    }
    spec: JobSpec = build(JobSpec, {**values, **derive(values)})
    return spec


async def measure_many(workers: int, validators: int) -> Figures:
    """Return what a job with so many workers in a round takes."""
    kinds = [Role.WORKER] * workers + [Role.AGGREGATOR] * AGGREGATORS
    kinds += [Role.EVALUATOR] * EVALUATORS
    requester, *others = [Signer(sha256(b"%d" % i)) for i in range(1 + len(kinds))]
    roles, notes = list(zip(others, kinds)), Notes()
    async with AsyncExitStack() as stack:
        accounts = [each.address for each in (requester, *others)]
        net, _ = stack.enter_context(network(validators, accounts))
        crowds = [
            Crowd(
                await stack.enter_async_context(await Client.connect(node.grpc)),
                dict(roles[at::validators]),
                notes,
            )
            for at, node in enumerate(net.nodes)
        ]
        client = crowds[0].client
        watcher = asyncio.create_task(watch_execution(net.nodes[0].metrics, notes.execution))
        notes.mark("began")
        await asyncio.gather(*[crowd.register() for crowd in crowds])
        notes.mark("registered")
        job = PostJob(requester.address, made_up_spec(workers), U64(BUDGET_UFLT * ROUNDS))
        posted = await crowds[0].submit(requester, job)
        job_id = posted.responses[0].job_id
        _, [entered_s, *_] = await asyncio.gather(
            asyncio.gather(*[crowd.join(job_id) for crowd in crowds]),
            asyncio.gather(*[follow(each.client, job_id, each.acts()) for each in crowds]),
        )
        notes.mark("reviewed")
        await crowds[0].submit(requester, AcceptJob(requester.address, job_id))
        while (view := await client.query(JobStateRequest(job_id))).job.escrow_uflt:
            await asyncio.sleep(POLL_S)
        notes.mark("paid")
        watcher.cancel()
        broken = (await client.check_invariants()).broken
        left = [await client.balance(each.address) for each in others[:workers]]
    if broken or view.job.phase is not JobPhase.SETTLED:
        raise RuntimeError(f"the job is {view.job.phase.name}, broken: {list(broken)}")
    fees_uflt = RICH_UFLT - BOND_UFLT - statistics.mean(left)
    return many_figures(notes, entered_s, workers, fees_uflt)


def many_figures(notes: Notes, entered_s: Entered, workers: int, fees_uflt: float) -> Figures:
    """Return the figures of one job, for a table; phases and rounds are means."""
    phases = [phases_s(entered_s, number) for number in range(1, ROUNDS + 1)]
    round_s = statistics.mean(sum(each.values()) for each in phases)
    latencies = [*notes.latency_s["CommitUpdate"], *notes.latency_s["RevealUpdate"]]
    at_s = notes.at_s
    elapsed_s, blocks = zip(*notes.execution)
    return {
        "register s": at_s["registered"] - at_s["began"],
        "post, join, draw s": entered_s[1, "COMMIT"] - at_s["registered"],
        **{f"{name} s": statistics.mean(each[name] for each in phases) for name in PHASES[:-1]},
        "round s": round_s,
        "round ms per worker": 1000 * round_s / workers,
        "CHALLENGE to SETTLED s": entered_s[1, "SETTLED"] - entered_s[1, "CHALLENGE"],
        "accept to all paid s": at_s["paid"] - at_s["reviewed"],
        "slowest block at most s": max(b - a for a, b in itertools.pairwise(elapsed_s)),
        "blocks": blocks[-1] - blocks[0],
        "transactions": sum(map(len, notes.gas.values())),
        "transaction median s": statistics.median(latencies),
        "transaction slowest s": max(latencies),
        "gas per worker and round": sum(max(notes.gas[f"{n}Update"]) for n in ("Commit", "Reveal")),
        "fees per worker, whole job uflt": fees_uflt,
        "job state kB": max(size for _, size in notes.looks) / 1000,
        "job state query, slowest ms": 1000 * max(elapsed_s for elapsed_s, _ in notes.looks),
    }


async def watch_execution(address: str, found: list[tuple[float, int]]) -> None:
    """Note from time to time how long a node has executed blocks in all, and how many."""
    while True:
        url = f"http://{address}/metrics"
        text = (await asyncio.to_thread(urllib.request.urlopen, url)).read().decode()
        lines = dict(line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
        elapsed_s, count = (float(lines[f"{EXECUTION}_{name}"]) for name in ("sum", "count"))
        found.append((elapsed_s, int(count)))
        await asyncio.sleep(POLL_S)
