"""What tests are made of: valid messages to vary, and a small world that runs them.

world = World()
requester = world.account("rita")
job_id = world.run(a_job(requester, {"schedule.cohort_size": 4})).job_id
world.refused(JoinJob(requester, job_id), OwnJob)
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

import pytest

from app.chain import APP_VERSION, Founder, add_founder, signer_of
from app.kernel import vrf
from app.kernel.context import Block, Context
from app.kernel.crypto import module_address, sha256
from app.kernel.errors import Rejected
from app.kernel.module import Module
from app.kernel.record import I64, U32, U64, Address, Operator, encode
from app.kernel.store import MemoryStore, Overlay
from app.kernel.table import Singleton
from app.modules import bank, bonds, gov, jobs, upgrade
from app.modules.bonds import Registration, Role
from app.modules.lower import MODULES

FLT = 1_000_000
RICH = 1_000_000 * FLT
NAMES = [module.name for module in MODULES]
MONEY = MODULES[: NAMES.index("bonds")]
WITHOUT = ("rounds", "disputes")
STACK = tuple([module for module in (*MODULES, gov.MODULE) if module.name not in WITHOUT])
"""All but rounds and what rests on it: a test says itself what rounds would do."""

R = TypeVar("R")


def an_address(name: str) -> Address:
    """The address that belongs to a name."""
    return Address(sha256(name.encode())[:20])


def a_cid(name: str) -> str:
    """A well-formed CIDv1 that belongs to a name."""
    return "bafkrei" + sha256(name.encode()).hex().translate(str.maketrans("01890", "ghijk"))[:52]


def a_blob(name: str, size_bytes: int) -> jobs.Blob:
    """Bytes off chain that belong to a name."""
    return jobs.Blob(a_cid(name), U64(size_bytes))


def changed(record: R, changes: Mapping[str, Any]) -> R:
    """A record with other values at dotted paths: `{"schedule.commit_s": 4}`."""
    for path, value in changes.items():
        name, _, rest = path.partition(".")
        inner = changed(getattr(record, name), {rest: value}) if rest else value
        record = replace(record, **{name: inner})  # type: ignore[type-var]
    return record


def a_vrf_secret(name: str) -> bytes:
    """The secret for the beacon that belongs to a name."""
    return sha256(b"vrf " + name.encode())


def a_validator(name: str, operator: Address, stake_uflt: int = 10 * FLT) -> Founder:
    """A validator of genesis with the key for the beacon that belongs to its name.

    Its key for consensus is no more than the name, so that its address is the one of the name.
    """
    vrf_key = vrf.key_of(a_vrf_secret(name))
    return Founder(operator, name.encode(), vrf_key, name, stake_uflt)


WORK = jobs.Work(
    fab_hash=sha256(b"fab"),
    fab=a_blob("fab", 5_000),
    base_root=sha256(b"base"),
    base=a_blob("base", 8 * 1_000),
    layout_hash=sha256(b"layout"),
    layout=a_blob("layout", 300),
    value_count=U64(1_000),
    data_schema_hash=sha256(b"schema"),
    data_schema="one row a patient",
    run_config='{"lr":"0.1"}',
    train_config="{}",
    evaluate_config="{}",
    message_type="train",
    arrays_key="arrays",
    config_key="config",
    metrics_key="metrics",
    weight_key="num-examples",
    validation_slices=tuple(
        jobs.Slice(sha256(b"slice %d" % i), a_blob(f"sealed slice {i}", 9_000)) for i in range(10)
    ),
    evaluator_node_config='{"validation-dir":"{validation_dir}"}',
    metric="loss",
    metric_direction=jobs.MetricDirection.LOWER,
)

SPEC = jobs.JobSpec(
    title="hospital readmission",
    work=WORK,
    schedule=jobs.Schedule(
        round_count=U32(2),
        cohort_size=U32(3),
        cohort_size_min=U32(2),
        reserve_count=U32(1),
        quorum_ppm=U32(1_000_000),
        grace_ms=U32(1_000),
        open_s=U32(60),
        commit_s=U32(30),
        reveal_s=U32(20),
        include_s=U32(20),
        aggregate_s=U32(20),
        score_s=U32(20),
        challenge_s=U32(60),
        review_s=U32(3_600),
        job_s_max=U32(86_400),
    ),
    admission=jobs.Admission(U64(0), U32(0), ()),
    profile=jobs.Profile.PUBLIC,
    combination=jobs.Combination(
        rule=jobs.CombineRule.FEDAVG,
        trim_count=U32(0),
        norm_max=U64(0),
        example_count_max=U64(10_000),
        value_max=U32(1 << 30),
    ),
    pay=jobs.Pay(
        held_back_ppm=U32(200_000),
        worker_ppm=U32(700_000),
        aggregator_ppm=U32(100_000),
        evaluator_ppm=U32(150_000),
        reserve_ppm=U32(50_000),
        contribution=jobs.ContributionRule.EQUAL,
        weighs_quality=False,
    ),
    seat_bonds=jobs.SeatBonds(U64(0), U64(0), U64(0)),
    evaluator_count=U32(3),
    acceptance=jobs.Acceptance(I64(2_000_000), I64(1_000_000)),
)
"""A job that may be posted: two rounds of three workers."""


def a_job(
    requester: Address, changes: Mapping[str, Any] | None = None, budget_uflt: int = 20 * FLT
) -> jobs.PostJob:
    """A message that posts a job, with changes to its spec at dotted paths."""
    return jobs.PostJob(requester, changed(SPEC, changes or {}), U64(budget_uflt))


def a_registration(
    participant: Address, role: Role = Role.WORKER, bond_uflt: int = 100 * FLT
) -> bonds.Register:
    """A message that registers a participant; what it earns goes to an address of its own."""
    is_reader = role != Role.WORKER
    return bonds.Register(
        participant=participant,
        role=role,
        payout_address=a_payout_address(participant),
        endpoint="http://127.0.0.1:8080" if is_reader else "",
        reader_key=sha256(participant) if is_reader else b"",
        bond_uflt=U64(bond_uflt),
    )


def a_payout_address(participant: Address) -> Address:
    """Where the pay of a participant of `a_registration` goes."""
    return Address(sha256(b"payout" + participant)[:20])


class World:
    """State in memory, blocks that pass, and rules that run in them; invariants hold after each."""

    def __init__(
        self,
        params: Mapping[str, Mapping[str, int]] | None = None,
        modules: Sequence[Module] = STACK,
    ) -> None:
        self.modules = modules
        self.state = MemoryStore()
        self.events: list[Any] = []
        self.block = Block("pollen-test", 1, 1_000_000, 999_000, clock_ms=1_000_000)
        self.rules = {kind: entry for m in modules for kind, entry in m.messages.items()}
        for module in modules:
            for table in (module.params, *module.tables):
                if isinstance(table, Singleton):
                    table.put(self.state, table.record())
            if module.params and params and module.name in params:
                record = replace(module.params.record(), **params[module.name])
                module.params.put(self.state, record)
        upgrade.VERSION.put(self.state, upgrade.Version(U64(APP_VERSION)))
        bank.mint(self.state, an_address("genesis"), RICH)

    def account(self, name: str, uflt: int = RICH) -> Address:
        """An account with money."""
        address = an_address(name)
        bank.mint(self.state, address, uflt)
        return address

    def validator(self, name: str, stake_uflt: int = 10 * FLT) -> Operator:
        """A validator of genesis, which an account of the same name operates."""
        add_founder(self.state, a_validator(name, self.account(name), stake_uflt))
        return Operator(an_address(name))

    def participant(
        self, name: str, role: Role = Role.WORKER, bond_uflt: int = 100 * FLT
    ) -> Address:
        """A registered account."""
        address = self.account(name)
        self.run(a_registration(address, role, bond_uflt))
        return address

    def run(self, message: Any) -> Any:
        """Run a message in this block and return its answer."""
        draft = Overlay(self.state)
        ctx = Context(self.block, signer_of(message))
        response = self.rules[type(message)].rule(draft, ctx, message)
        self._keep(draft, ctx)
        return response

    def refused(self, message: Any, rejection: type[Rejected], *words: object) -> None:
        """Run a message that must be refused in this way, with these words in the text."""
        ctx = Context(self.block, signer_of(message))
        encode(message)
        with pytest.raises(rejection) as caught:
            self.rules[type(message)].rule(Overlay(self.state), ctx, message)
        missing = [word for word in map(str, words) if word not in caught.value.detail]
        assert missing == [], caught.value.detail

    def do(self, function: Any, *args: Any, **kwargs: Any) -> Any:
        """Call what another module would call, with state and context before the arguments."""
        draft = Overlay(self.state)
        ctx = Context(self.block)
        response = function(draft, ctx, *args, **kwargs)
        self._keep(draft, ctx)
        return response

    def next_block(self, seconds: int = 1) -> Block:
        """The block that comes so many seconds later."""
        return replace(
            self.block,
            height=self.block.height + 1,
            time_ms=self.block.time_ms + seconds * 1_000,
            previous_time_ms=self.block.time_ms,
            clock_ms=self.block.clock_ms + seconds * 1_000,
            previous_app_hash=sha256(self.block.height.to_bytes(8, "big")),
            slot=None,
            misbehaviour=(),
            absent=(),
        )

    def pass_block(self, seconds: int = 1, **fields: Any) -> list[Any]:
        """End this block, begin the next so many seconds later, and return the hooks' events."""
        draft, ctx = Overlay(self.state), Context(self.block)
        for module in self.modules:
            if module.end_block:
                module.end_block(draft, ctx)
        self._keep(draft, ctx)
        self.block = replace(self.next_block(seconds), **fields)
        draft, begin = Overlay(self.state), Context(self.block)
        for module in self.modules:
            if module.begin_block:
                module.begin_block(draft, begin)
        self._keep(draft, begin)
        return ctx.events + begin.events

    def wait(self, seconds: int) -> list[Any]:
        """Let time pass, then a block in which what is due by then happens."""
        return self.pass_block(seconds) + self.pass_block()

    def balance(self, who: Address | str) -> int:
        """What an account, or a module's account by name, holds."""
        address = module_address(who) if isinstance(who, str) else who
        return bank.get_balance(self.state, address)

    def registration(self, who: Address) -> Registration:
        """A participant's registration."""
        return bonds.REGISTRATIONS.must(self.state, who)

    def job(self, job_id: int) -> jobs.Job:
        """A job as it is now."""
        return jobs.JOBS.must(self.state, job_id)

    def said(self, kind: type[R]) -> list[R]:
        """All events of a kind so far."""
        return [event for event in self.events if isinstance(event, kind)]

    def _keep(self, draft: Overlay, ctx: Context) -> None:
        draft.merge_into(self.state)
        self.events += ctx.events
        for module in self.modules:
            for invariant in module.invariants:
                invariant(self.state)


def a_running_job(
    world: World, changes: Mapping[str, Any] | None = None, budget_uflt: int = 20 * FLT
) -> tuple[int, list[Address]]:
    """A job that has just started, and its workers: as many as a cohort with its reserves."""
    message = a_job(world.account("rita"), changes, budget_uflt)
    job_id = world.run(message).job_id
    schedule = message.spec.schedule
    count = schedule.cohort_size + schedule.reserve_count
    workers = [world.participant(f"worker {i}") for i in range(count)]
    for worker in workers:
        world.run(jobs.JoinJob(worker, job_id))
    return job_id, workers
