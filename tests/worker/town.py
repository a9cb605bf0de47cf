"""A whole job in one process: a real chain, real roles over loopback, and an app that is a toy.

async with open_town(path, app) as town:
    await town.post({"schedule.round_count": U32(1)})
    await town.until_phase(RoundPhase.CHALLENGE)

Blocks come by themselves; the chain's clock hardly moves unless a test lets time pass, so nobody
is late because a machine is slow. A person who is killed keeps its folder and may be started again.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import cycle
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pytest
from nacl.public import PrivateKey

from app.chain import find_broken_invariants
from app.modules import bank, jobs, rounds
from app.modules.bonds import Register, Role
from app.modules.rounds import Round, RoundPhase, RoundState, Seat
from app.modules.rounds.queries import get_round_state
from app.sdk.client import Client
from app.sdk.protocol import (
    I64,
    MODEL_WIDTH,
    SCORING,
    U32,
    U64,
    Acceptance,
    AcceptJob,
    Blob,
    RejectJob,
    address_of,
    tree_root,
    verify_secp256k1,
)
from app.sdk.signer import Signer
from app.sdk.text import to_bech32
from fl_worker.blobs.connect import TransferLimits
from fl_worker.blobs.gateway import Gateway
from fl_worker.blobs.permit import Access, Credentials
from fl_worker.blobs.transfer import Transfer
from fl_worker.flower.trainer import TrainerConfig, TrainReply, node_id_of
from fl_worker.posting.push import Pusher, push_work
from fl_worker.posting.validation import Validation, seal_validation
from fl_worker.roles import worker
from fl_worker.roles.agent import Chain, follow_all
from fl_worker.roles.decide import Act, Intent
from fl_worker.roles.journal import Journal
from fl_worker.roles.opener import Opener, OpenerConfig
from fl_worker.roles.peers import Peers
from fl_worker.roles.reader import ReaderConfig, ReaderRole
from fl_worker.roles.requester import Requester
from fl_worker.roles.standing import StandingOrder
from fl_worker.roles.watcher import Watcher, WatcherConfig
from fl_worker.roles.worker import Worker, WorkerConfig
from fl_worker.scoring.slices import SLICE_COUNT
from fl_worker.update.layout import Layout
from fl_worker.update.quantize import to_model
from tests.build import FLT, a_job, an_address
from tests.node.fake_engine import Node
from tests.worker.blobs_net import Place
from tests.worker.flower_apps import write_aims
from tests.worker.ipfs_net import IpfsNode

BLOCK_S = 0.02
WAIT_S = 60.0
PHASE_S = 600
GAP_S = 50
"""As long as the chain's clock moves from one block to the next; a longer gap is a halt."""
BOND_FLT = 10_000
LIMITS = TransferLimits(allow_private=True, backoff_s=0.02)
BASE = {"weight": np.linspace(-1, 1, 600, dtype=np.float32).reshape(20, 30)}
FAB = b"a Flower app"


class ToyApp:
    """What runs in place of Flower: adds a little more to the model at each training."""

    clientapp = "toy"
    run_config: Mapping[str, Any] = MappingProxyType({})

    def __init__(self) -> None:
        self.calls: defaultdict[int, list[tuple[int, bytes]]] = defaultdict(list)
        self.steps: dict[tuple[int, int], float] = {}
        self.closed_count = 0
        self.before_warm: Callable[[int], Awaitable[Any]] = do_nothing
        self.before_train: Callable[[int], Awaitable[Any]] = do_nothing
        self.spoil: Callable[[Mapping[str, Any]], Mapping[str, Any]] = dict

    async def start(self, config: TrainerConfig) -> ToyTrainer:
        """Start it for one worker."""
        return ToyTrainer(self, config)

    def calls_of(self, person: Person) -> list[tuple[int, bytes]]:
        """The rounds that a worker trained, each with the app's state before it."""
        return self.calls[node_id_of(person.signer.address)]


def put_in_place(app: ToyApp, monkeypatch: pytest.MonkeyPatch) -> ToyApp:
    """Let workers run the toy app instead of Flower's."""
    monkeypatch.setattr(worker, "Trainer", app)
    monkeypatch.setattr(worker, "install_fab", lambda fab, folder: folder)
    monkeypatch.setattr(worker, "app_config", lambda folder, overrides: app)
    return app


async def do_nothing(node_id: int) -> None:
    """Hold nothing up."""


@dataclass
class ToyTrainer:
    """One worker's hand on the toy app; what it gives is never the same twice."""

    app: ToyApp
    config: TrainerConfig
    warning = ""

    async def warm(self) -> float:
        """Be there, unless held up."""
        await self.app.before_warm(self.config.node_id)
        return 0.0

    async def train(
        self, arrays: Mapping[str, Any], config: Mapping[str, Any], number: int, state: bytes
    ) -> TrainReply:
        """Move every value by the same step."""
        me = self.config.node_id
        self.app.calls[me].append((number, state))
        step = sum(map(len, self.app.calls.values())) / 64
        await self.app.before_train(me)
        self.app.steps[me, number] = step
        trained = {name: array + np.float32(step) for name, array in arrays.items()}
        metrics = {"train_loss": 0.5}
        return TrainReply(self.app.spoil(trained), metrics, 100, state + bytes([number]), 0.01)

    async def close(self) -> None:
        """End."""
        self.app.closed_count += 1


@dataclass
class Person:
    """A participant: its key and folder, which outlast it, and what runs while it is up."""

    name: str
    role: Role
    node: Node
    folder: Path
    port: int = 0
    order: StandingOrder = StandingOrder(anyone=True)
    watch: WatcherConfig = WatcherConfig(100 * FLT)
    ipfs: IpfsNode | None = None
    stack: AsyncExitStack = field(default_factory=AsyncExitStack)

    def __post_init__(self) -> None:
        self.signer = Signer(sha256(self.name.encode()).digest())
        self.payout = an_address(f"payout of {self.name}")
        self.secret = PrivateKey(sha256(self.name.encode()).digest())

    @property
    def is_worker(self) -> bool:
        """Whether it trains."""
        return self.role is Role.WORKER

    @property
    def is_watcher(self) -> bool:
        """Whether it recomputes what others post."""
        return self.name.startswith("watcher")

    @property
    def is_reader(self) -> bool:
        """Whether it collects, checks and serves."""
        return self.role in (Role.AGGREGATOR, Role.EVALUATOR)

    async def start(self) -> None:
        """Come up, or come back: register, and follow every job."""
        self.stack = AsyncExitStack()
        self.client = await self.stack.enter_async_context(await Client.connect(self.node.address))
        transfer = await self.stack.enter_async_context(Transfer(LIMITS))
        self.store = Place(self.folder / "blobs", self.ipfs).open()
        self.stack.callback(self.store.close)
        self.journal = Journal(self.folder / "journal.sqlite")
        self.stack.callback(self.journal.close)
        self.peers = Peers(self.client, self.store, transfer, self.signer)
        self.chain = Chain(self.client, self.signer, self.journal)
        self.pusher = Pusher(self.store, transfer, self.credentials())
        if self.is_worker:
            config = WorkerConfig(self.folder, {}, self.order)
            self.worker = Worker(self.chain, self.store, self.peers, config)
            self.stack.push_async_callback(self.worker.close)
        if self.is_reader:
            config = ReaderConfig(self.role.name.lower())
            opener = None
            if self.role is Role.EVALUATOR:
                opener = Opener(self.peers, OpenerConfig(self.folder, self.secret))
                self.stack.push_async_callback(opener.close)
            self.reader = ReaderRole(self.chain, self.store, self.peers, config, opener)
            await self.open_gateway()
        if self.is_watcher:
            self.watcher = Watcher(self.chain, self.store, self.peers, self.watch)

    def follow(self) -> None:
        """Follow every job from now on."""
        role: Any = self.watcher if self.is_watcher else Requester(self.chain)
        if self.role is not Role.UNSPECIFIED:
            role = self.worker if self.is_worker else self.reader
        self.following = asyncio.create_task(follow_all(self.chain, role))
        self.stack.push_async_callback(end, self.following)

    async def open_gateway(self) -> None:
        """Serve, at the same address as before."""
        access = Access(
            chain_id=self.client.chain_id,
            authorize=self.reader.authorize,
            verify=verify_secp256k1,
            address_of=lambda pubkey: to_bech32(address_of(pubkey)),
        )
        self.gateway = Gateway(self.store, access)
        self.port = await self.gateway.start("127.0.0.1", self.port)
        self.stack.push_async_callback(self.gateway.stop)

    async def register(self) -> None:
        """Take its role on the chain."""
        endpoint = f"http://127.0.0.1:{self.port}" if self.is_reader else ""
        bond = U64(BOND_FLT * FLT)
        key = bytes(self.secret.public_key) if self.is_reader else b""
        message = Register(self.signer.address, self.role, self.payout, endpoint, key, bond)
        await self.client.submit(self.signer, [message])

    def credentials(self) -> Credentials:
        """As whom it pushes."""
        return Credentials(
            chain_id=self.client.chain_id,
            account=to_bech32(self.signer.address),
            pubkey=self.signer.pubkey,
            sign=self.signer.sign_digest,
        )

    def keep_validation(self) -> Validation:
        """Seal a validation set, and keep it and its keys, as one who posts a job."""
        names = range(SLICE_COUNT)
        validation = seal_validation(write_aims(self.folder / "validation", *map(float, names)))
        for each in validation.sealed:
            self.store.put_blob(each.data, "posted")
        self.journal.save_slice_keys(validation.keys)
        return validation

    async def kill(self) -> None:
        """End it in the middle of whatever it does."""
        await self.stack.aclose()

    async def restart(self) -> None:
        """Kill it and start it again on the same folder."""
        await self.kill()
        await self.start()
        self.follow()

    def stop_at(self, act: Act, *, is_sent: bool) -> asyncio.Event:
        """Let it get no further than submitting an act, or than its block; set when it is there."""
        submit, reached = self.chain.submit, asyncio.Event()

        async def stop(job_id: U64, intent: Intent, message: Any) -> None:
            if intent.act is act and not is_sent:
                await hang(reached)
            if intent.act is act:
                await self.client.submit(self.signer, [message])
                await hang(reached)
            await submit(job_id, intent, message)

        self.chain.submit = stop  # type: ignore[method-assign]
        return reached


async def hang(reached: asyncio.Event) -> None:
    """Say where one is, and stay there."""
    reached.set()
    await asyncio.Event().wait()


async def end(task: asyncio.Task[Any]) -> None:
    """Cancel a task; a fault of its own is raised."""
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


@dataclass
class Town:
    """The chain, its requester, and everyone with a role, by name."""

    node: Node
    app: ToyApp
    path: Path
    people: dict[str, Person]
    makes_blocks: bool = True

    def of(self, role: Role) -> list[Person]:
        """Everyone in a role."""
        return [each for each in self.people.values() if each.role is role]

    @property
    def workers(self) -> list[Person]:
        """Everyone who trains."""
        return self.of(Role.WORKER)

    @property
    def readers(self) -> list[Person]:
        """Everyone who reads."""
        return [each for each in self.people.values() if each.is_reader]

    def person(self, address: bytes) -> Person:
        """Whose address this is."""
        return next(each for each in self.people.values() if each.signer.address == address)

    async def settle_in(self) -> None:
        """Let everyone come up, register, and follow."""
        for person in self.people.values():
            await person.start()
        takers = [each for each in self.people.values() if each.role is not Role.UNSPECIFIED]
        await asyncio.gather(*[person.register() for person in takers])
        for person in self.people.values():
            if not person.is_watcher:
                person.follow()

    async def make_blocks(self) -> None:
        """Make a block every so often, for ever."""
        while True:
            if self.makes_blocks:
                self.node.engine.make_block()
            await asyncio.sleep(BLOCK_S)

    def pass_time(self, seconds: int = PHASE_S) -> None:
        """Let the chain's clock move on, through blocks in which nobody does anything."""
        for _ in range(seconds // GAP_S + 1):
            self.node.engine.make_block(GAP_S * 1_000)

    async def until(self, condition: Callable[[], Any]) -> None:
        """Return once a condition holds."""
        try:
            async with asyncio.timeout(WAIT_S):
                while not condition():
                    await asyncio.sleep(0.01)
        except TimeoutError:
            raise AssertionError(f"not after {WAIT_S} s; {self.describe()}") from None

    async def until_phase(self, phase: RoundPhase, number: int = 1) -> None:
        """Return once a round is in a phase."""
        await self.until(lambda: self.has_round(number) and self.round(number).phase is phase)

    def describe(self) -> str:
        """Where every round is."""
        shown = [
            f"round {row.round} {row.phase.name} {row.reason} "
            f"{[seat.state.name for seat in self.state(row.round).seats]}"
            for row in self.rounds()
        ]
        return "; ".join(shown) or "no round was drawn"

    async def post(self, changes: Mapping[str, Any] | None = None) -> None:
        """Post the toy app as job 1, and hand its bytes to the readers."""
        requester = self.people["requester"]
        layout = Layout.from_arrays(BASE)
        base = to_model(BASE, layout)
        blobs = [
            requester.store.put_blob(each, "posted") for each in (FAB, layout.to_bytes(), base)
        ]
        fab, laid_out, model = [Blob(each.cid, U64(each.size_bytes)) for each in blobs]
        work = {
            "validation_slices": (),
            "fab_hash": sha256(FAB).digest(),
            "fab": fab,
            "base": model,
            "base_root": tree_root(base, MODEL_WIDTH, layout.hash).root,
            "layout": laid_out,
            "layout_hash": layout.hash,
            "value_count": U64(layout.value_count),
            "run_config": "{}",
        }
        phases = ("open", "commit", "reveal", "include", "aggregate", "score", "challenge")
        phases += ("review",)
        terms = {f"schedule.{phase}_s": U32(PHASE_S) for phase in phases}
        terms |= {f"work.{name}": value for name, value in work.items()}
        terms |= {"acceptance": Acceptance(I64(0), I64(0))} | dict(changes or {})
        if terms.get("pay.contribution") in SCORING or "acceptance" in (changes or {}):
            terms["work.validation_slices"] = requester.keep_validation().slices
        message = a_job(requester.signer.address, terms, 24 * FLT)
        await requester.client.submit(requester.signer, [message])
        endpoints = await requester.peers.all_endpoints()
        reached = await push_work(self.job().spec.work, 1, endpoints, requester.pusher)
        assert not all(each.error for each in reached)

    async def post_and_draw(self, changes: Mapping[str, Any]) -> asyncio.Event:
        """Post it and return once round 1 is drawn; nobody trains before the event is set.

        A round waits for no push: without this it may be over before whoever is to be stopped in it
        is known.
        """
        may_train = asyncio.Event()
        self.app.before_train = lambda node_id: may_train.wait()
        await self.post(changes)
        await self.until(lambda: self.has_round(1) and self.round().reader_count)
        return may_train

    async def settle(self) -> None:
        """Let every evaluator attest every round, and let them settle."""
        await self.until(lambda: all(row.attested_count == 3 for row in self.rounds()))
        self.pass_time()

    async def accept(self) -> None:
        """Accept the result, as the requester, and wait until all is paid."""
        me = self.people["requester"]
        await me.client.submit(me.signer, [AcceptJob(me.signer.address, U64(1))])
        await self.until(lambda: not self.job().escrow_uflt)

    async def reject(self) -> None:
        """Reject the result, as the requester."""
        me = self.people["requester"]
        message = RejectJob(me.signer.address, U64(1), "worse than promised")
        await me.client.submit(me.signer, [message])

    # ---- what the chain says

    def rounds(self) -> list[Round]:
        """All rounds, as committed."""
        return [row for _, row in rounds.ROUNDS.items(self.node.application.state)]

    def job(self) -> jobs.Job:
        """The one job, as committed."""
        return jobs.JOBS.must(self.node.application.state, 1)

    def has_round(self, number: int) -> bool:
        """Whether a round was drawn."""
        return rounds.ROUNDS.has(self.node.application.state, (1, number))

    def round(self, number: int = 1) -> Round:
        """A round, as committed."""
        return rounds.ROUNDS.must(self.node.application.state, (1, number))

    def seat(self, person: Person, number: int = 1) -> Seat:
        """A worker's seat in a round."""
        me = person.signer.address
        return next(seat for seat in self.state(number).seats if seat.worker == me)

    def earned_flt(self, person: Person) -> float:
        """What has arrived where a person is paid."""
        return bank.get_balance(self.node.application.state, person.payout) / FLT

    def state(self, number: int = 1) -> RoundState:
        """A round with its seats and readers."""
        return get_round_state(self.node.application.state, self.round(number))


ROLES = {
    "requester": Role.UNSPECIFIED,
    "worker": Role.WORKER,
    "aggregator": Role.AGGREGATOR,
    "evaluator": Role.EVALUATOR,
    "watcher": Role.UNSPECIFIED,
}
COUNTS = {"worker": 4, "aggregator": 3, "evaluator": 3, "watcher": 2}
"""A cohort of three, a reserve, as many readers as a round has, and who watches if told to."""
PEOPLE = ("requester", *[f"{role} {i}" for role, count in COUNTS.items() for i in range(count)])


@asynccontextmanager
async def open_town(
    path: Path, app: ToyApp, *ipfs: IpfsNode, more: Sequence[str] = ()
) -> AsyncIterator[Town]:
    """A town in which a job can be done, with more people; the chain's promises hold at the end.

    Where there are IPFS nodes, all keep their bytes in these, by turns.
    """
    node = Node(path / "state")
    node.engine.commits_at_once = False
    people = {
        name: Person(name, ROLES[name.partition(" ")[0]], node, path / name)
        for name in (*PEOPLE, *more)
    }
    for person, its_node in zip(people.values(), cycle(ipfs)):
        person.ipfs = its_node
    node.engine.begin(*[person.signer for person in people.values()])
    await node.start()
    town = Town(node, app, path, people)
    blocks = asyncio.create_task(town.make_blocks())
    try:
        await town.settle_in()
        yield town
        assert [*find_broken_invariants(node.application.state)] == []
    finally:
        for person in people.values():
            await person.kill()
        await end(blocks)
        await node.close()
