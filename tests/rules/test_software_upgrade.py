"""SoftwareUpgrade: other rules hold from a height on, and who doesn't have them stops there."""

from dataclasses import replace
from typing import Any

import pytest

from app import chain
from app.chain import Upgrade
from app.kernel.context import Context
from app.kernel.errors import InvariantBroken, UpgradeNeeded
from app.kernel.record import I64, U64, Time
from app.kernel.store import MemoryStore, Overlay, State
from app.modules import fees, upgrade
from app.modules.upgrade import (
    APPLIED,
    AUTHORITY,
    PLAN,
    VERSION,
    Applied,
    AppliedPlanRequest,
    CancelUpgrade,
    InvalidPlan,
    NotGovernance,
    Plan,
    SoftwareUpgrade,
    UpgradeApplied,
    UpgradePlanned,
    Version,
)
from tests.build import MONEY, World
from tests.build_chain import Ledger, a_send, a_signer

PLANNED = Plan(name="two", height=I64(3), info="see pollen.example/two")
MODULES = (*MONEY, upgrade.MODULE)


def cheapen(state: State) -> None:
    """What the next version does to the state: gas for a row costs half."""
    params = fees.PARAMS.get(state)
    fees.PARAMS.put(state, replace(params, gas_per_row=U64(params.gas_per_row // 2)))


def a_ledger(plan: Plan = PLANNED) -> Ledger:
    """A chain on which an upgrade is planned."""
    ledger = Ledger("ada")
    draft = Overlay(ledger.state)
    message = SoftwareUpgrade(AUTHORITY, plan)
    upgrade.software_upgrade(draft, Context(ledger.block, AUTHORITY), message)
    draft.merge_into(ledger.state)
    ledger.forest = ledger.forest.apply(draft.changes)
    return ledger


def install(monkeypatch: pytest.MonkeyPatch, version: int = 2, name: str = "two") -> None:
    """Go on with the next version of the rules."""
    monkeypatch.setattr(chain, "APP_VERSION", version)
    monkeypatch.setattr(chain, "UPGRADES", {name: Upgrade(version, cheapen)})


def test_a_node_without_the_upgrade_stops_before_its_block_and_says_what_to_do() -> None:
    ledger = a_ledger()
    ledger.execute()
    ledger.execute()
    before = dict(ledger.state.items(b""))
    with pytest.raises(UpgradeNeeded) as stopped:
        ledger.execute()
    for words in ("'two'", "height 3", "this is version 1", "install", PLANNED.info):
        assert words in str(stopped.value)
    assert dict(ledger.state.items(b"")) == before


def test_the_next_version_migrates_at_that_height(monkeypatch: pytest.MonkeyPatch) -> None:
    ledger = a_ledger()
    ledger.execute()
    ledger.execute()
    install(monkeypatch)
    ada = a_signer("ada").address

    result = ledger.execute(ledger.tx([a_send(ada, ada)]))

    assert result.begin_events == (UpgradeApplied("two", U64(2)),)
    assert result.tx_results[0].code == chain.OK
    assert fees.PARAMS.get(ledger.state).gas_per_row == 1_000
    assert VERSION.get(ledger.state) == Version(U64(2))
    assert PLAN.get(ledger.state) == Plan()
    assert APPLIED.get(ledger.state, "two") == Applied("two", I64(3))
    asked = upgrade.applied_plan(ledger.state, AppliedPlanRequest("two"))
    assert asked.height == 3
    root = ledger.forest.root()
    ledger.execute()
    assert ledger.forest.root() == root


def test_a_version_that_comes_too_early_or_late_does_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ledger = a_ledger()
    install(monkeypatch)
    with pytest.raises(UpgradeNeeded, match="of version 1, this is version 2: run version 1 until"):
        ledger.execute()
    install(monkeypatch, version=3)
    with pytest.raises(UpgradeNeeded, match="this is version 3"):
        ledger.execute()
    assert PLAN.get(ledger.state) == PLANNED


def test_an_upgrade_leads_from_the_version_before(monkeypatch: pytest.MonkeyPatch) -> None:
    for version, name in ((3, "two"), (2, "three")):
        ledger = a_ledger(replace(PLANNED, height=I64(1)))
        install(monkeypatch, version, name)
        with pytest.raises(UpgradeNeeded, match="without it"):
            ledger.execute()


def test_a_state_of_another_version_is_no_genesis(monkeypatch: pytest.MonkeyPatch) -> None:
    exported = chain.export_genesis(Ledger("ada").state)
    install(monkeypatch)
    with pytest.raises(ValueError, match="of version 1, this is version 2"):
        chain.init_genesis(MemoryStore(), exported)


def test_a_plan_takes_the_place_of_the_one_before() -> None:
    world = World(modules=MODULES)
    for name in ("two", "zwei"):
        world.run(SoftwareUpgrade(AUTHORITY, Plan(name=name, height=I64(9))))
    assert PLAN.get(world.state).name == "zwei"
    assert world.said(UpgradePlanned)[-1] == UpgradePlanned("zwei", I64(9))


WRONG: list[tuple[dict[str, Any], tuple[object, ...]]] = [
    ({"name": ""}, ("plan.name", "1 to 140 letters")),
    ({"name": "n" * 141}, ("plan.name", "140")),
    ({"name": "one"}, ("plan.name one", "of none that happened")),
    ({"time": Time(5)}, ("plan.time 5", "give a height")),
    ({"height": I64(1)}, ("plan.height 1", "above 1")),
    ({"height": I64(-1)}, ("plan.height -1",)),
    ({"info": "i" * 10_001}, ("plan.info", "10000 letters")),
]


@pytest.mark.parametrize(("fields", "words"), WRONG)
def test_a_plan_that_cannot_be_is_refused(
    fields: dict[str, Any], words: tuple[object, ...]
) -> None:
    world = World(modules=MODULES)
    APPLIED.put(world.state, "one", Applied("one", I64(1)))
    message = SoftwareUpgrade(AUTHORITY, replace(PLANNED, **fields))
    world.refused(message, InvalidPlan, *words)


def test_only_governance_plans_or_cancels() -> None:
    world = World(modules=MODULES)
    eve = world.account("eve")
    world.refused(SoftwareUpgrade(eve, PLANNED), NotGovernance, "let a proposal hold")
    world.refused(CancelUpgrade(eve), NotGovernance, "pollen1")


def test_a_plan_without_a_name_or_one_that_happened_is_noticed() -> None:
    for plan in (Plan(height=I64(4)), Plan(name="one", height=I64(4)), Plan(name="two")):
        world = World(modules=MODULES)
        APPLIED.put(world.state, "one", Applied("one", I64(1)))
        PLAN.put(world.state, plan)
        with pytest.raises(InvariantBroken, match="a name of none that happened"):
            upgrade.a_planned_upgrade_has_a_new_name_and_a_height(world.state)
