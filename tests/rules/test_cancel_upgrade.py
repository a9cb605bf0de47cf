"""CancelUpgrade: what was planned doesn't happen."""

from app.kernel.record import I64
from app.modules.upgrade import (
    AUTHORITY,
    PLAN,
    CancelUpgrade,
    NothingPlanned,
    Plan,
    SoftwareUpgrade,
    UpgradeCancelled,
)
from tests.build import World
from tests.rules.test_software_upgrade import MODULES, a_ledger


def test_an_upgrade_that_was_cancelled_doesn_t_happen() -> None:
    world = World(modules=MODULES)
    world.run(SoftwareUpgrade(AUTHORITY, Plan(name="two", height=I64(3))))
    world.run(CancelUpgrade(AUTHORITY))
    assert PLAN.get(world.state) == Plan()
    assert world.said(UpgradeCancelled) == [UpgradeCancelled("two")]
    world.refused(CancelUpgrade(AUTHORITY), NothingPlanned, "no upgrade is planned")


def test_a_chain_goes_on_past_a_height_for_which_nothing_is_planned_any_more() -> None:
    ledger = a_ledger()
    PLAN.put(ledger.state, Plan())
    ledger.forest = ledger.forest.apply({PLAN.row_key: ledger.state.get(PLAN.row_key)})
    for _ in range(4):
        ledger.execute()
    assert ledger.block.height == 4
